/*
 * A definition file cut into its YAML documents, one dataset each, at the lines "---": adg_definition_parse (dataset.h).
 */
#include <stdio.h>
#include <string.h>

#include "dataset/parse.h"

enum { MAX_DATASETS = 64 };

static bool is_separator(const char *line, const char *end)
{
    return end - line >= 3 && memcmp(line, "---", 3) == 0 && (end - line == 3 || line[3] == '\n' || line[3] == '\r');
}

/* Nothing but blanks and comments. */
static bool is_blank(const char *text, const char *end)
{
    for (bool comment = false; text < end; text++) {
        comment = *text == '#' || (comment && *text != '\n');
        if (!comment && strchr(" \t\r\n", *text) == NULL) {
            return false;
        }
    }
    return true;
}

/* The datasets' names joined with "+". */
static const char *joined_names(const struct adg_dataset *datasets, uint32_t count, struct adg_arena *arena)
{
    size_t length = 0;
    for (uint32_t i = 0; i < count; i++) {
        length += strlen(datasets[i].name) + 1;
    }
    char *name = adg_arena_array(arena, length + 1, 1);
    for (uint32_t i = 0; i < count && name != NULL; i++) {
        strcat(strcat(name, i == 0 ? "" : "+"), datasets[i].name);
    }
    return name;
}

enum adg_status adg_definition_parse(const char *file, const char *text, size_t text_bytes, struct adg_definition **out,
                                     struct adg_error *error)
{
    struct adg_arena arena = {0};
    struct adg_definition *definition = adg_arena_array(&arena, 1, sizeof *definition);
    atomic_uint *holders = adg_arena_array(&arena, 1, sizeof *holders);
    char *copy = adg_arena_strndup(&arena, text, text_bytes);
    struct adg_dataset *datasets = adg_arena_array(&arena, MAX_DATASETS, sizeof *datasets);
    uint32_t count = 0;
    size_t line_number = 0, first_line = 0;
    bool made = definition != NULL && holders != NULL && copy != NULL && datasets != NULL;
    enum adg_status status = made ? ADG_OK : adg_fail_memory(error);
    const char *start = copy, *end = copy + text_bytes;
    for (const char *line = copy; status == ADG_OK && line <= end; line_number++) {
        const char *newline = line < end ? memchr(line, '\n', (size_t)(end - line)) : NULL;
        bool separator = line < end && is_separator(line, end), last = newline == NULL;
        if (separator || last) {
            const char *stop = separator ? line : end;
            if (!is_blank(start, stop)) {
                if (count == MAX_DATASETS) {
                    status = adg_fail(error, ADG_BAD_INPUT, "%s: expected at most %d datasets", file, MAX_DATASETS);
                    break;
                }
                datasets[count].source_text = start;
                datasets[count].source_text_bytes = (size_t)(stop - start);
                status = adg_dataset_read(file, first_line, datasets, count, &arena, error);
                count++;
            }
            start = newline != NULL ? newline + 1 : end;
            first_line = line_number + 1;
        }
        if (last) {
            break;
        }
        line = newline + 1;
    }
    if (status == ADG_OK && count == 0) {
        status = adg_fail(error, ADG_BAD_INPUT, "%s:1:1: expected a dataset, the file is empty", file);
    }
    const char *name = status == ADG_OK ? joined_names(datasets, count, &arena) : NULL;
    if (status == ADG_OK && name == NULL) {
        status = adg_fail_memory(error);
    }
    if (status != ADG_OK) {
        adg_arena_fini(&arena);
        return status;
    }
    atomic_init(holders, 1);
    *definition = (struct adg_definition){.arena = arena,
                                          .holders = holders,
                                          .datasets = datasets,
                                          .dataset_count = count,
                                          .name = name,
                                          .text = copy,
                                          .text_bytes = text_bytes};
    *out = definition;
    return ADG_OK;
}
