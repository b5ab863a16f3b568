/*
 * Look-ups in a definition, and the files that definitions come from: see dataset.h.
 */
#include "dataset/dataset.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/buffer.h"
#include "core/file.h"
#include "core/memory.h"
#include "dataset/builtin.h"

static const char *const value_type_names[ADG_VALUE_TYPES] = {
    "CATEGORICAL",      "COMPLETENESS", "CONTINUOUS",   "DATE", "DEMOGRAPHIC_CATEGORICAL",
    "DEMOGRAPHIC_DATE", "DISCRETE",     "RELATIONSHIP",
};

const char *adg_value_type_name(enum adg_value_type value_type)
{
    return value_type_names[value_type];
}

bool adg_value_type_parse(const char *text, size_t length, enum adg_value_type *out)
{
    for (int i = 0; i < ADG_VALUE_TYPES; i++) {
        if (strlen(value_type_names[i]) == length && memcmp(value_type_names[i], text, length) == 0) {
            *out = (enum adg_value_type)i;
            return true;
        }
    }
    return false;
}

void adg_type_format(const struct adg_field *field, char out[24])
{
    static const char *const names[] = {"string",  "integer", "long",      "double",
                                        "decimal", "date",    "timestamp", "boolean"};
    if (field->type == ADG_TYPE_DECIMAL) {
        snprintf(out, 24, "decimal(%u,%u)", field->precision, field->scale);
    } else {
        snprintf(out, 24, "%s", names[field->type]);
    }
}

int64_t adg_dataset_sorted_place(const struct adg_dataset *dataset, uint32_t field)
{
    for (uint32_t i = 0; i < dataset->sorted_date_count; i++) {
        if (dataset->sorted_dates[i] == field) {
            return i;
        }
    }
    return -1;
}

int64_t adg_dataset_find_field(const struct adg_dataset *dataset, const char *name)
{
    for (uint32_t i = 0; i < dataset->field_count; i++) {
        if (strcasecmp(dataset->fields[i].name, name) == 0) {
            return i;
        }
    }
    return -1;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool adg_dataset_is_placeholder(const struct adg_dataset *dataset, const char *text, size_t size)
{
    while (size > 0 && is_blank(text[size - 1])) {
        size--;
    }
    while (size > 0 && is_blank(text[0])) {
        text++;
        size--;
    }
    for (uint32_t i = 0; i < dataset->placeholder_count; i++) {
        if (strlen(dataset->placeholders[i]) == size && memcmp(dataset->placeholders[i], text, size) == 0) {
            return true;
        }
    }
    return false;
}

int64_t adg_dataset_find_column(const struct adg_dataset *dataset, const char *column)
{
    for (uint32_t i = 0; i < dataset->field_count; i++) {
        if (strcasecmp(dataset->fields[i].column, column) == 0) {
            return i;
        }
    }
    return -1;
}

const struct adg_dataset *adg_definition_find_dataset(const struct adg_definition *definition, const char *name)
{
    for (uint32_t i = 0; i < definition->dataset_count; i++) {
        if (strcmp(definition->datasets[i].name, name) == 0) {
            return &definition->datasets[i];
        }
    }
    return NULL;
}

enum adg_status adg_definition_find_table(const struct adg_definition *definition, const char *table,
                                          const struct adg_dataset **out_dataset, const struct adg_table **out_table,
                                          struct adg_error *error)
{
    for (uint32_t i = 0; i < definition->dataset_count; i++) {
        const struct adg_dataset *dataset = &definition->datasets[i];
        for (uint32_t t = 0; t < dataset->table_count; t++) {
            if (strcmp(dataset->tables[t].name, table) == 0) {
                if (out_dataset != NULL) {
                    *out_dataset = dataset;
                }
                if (out_table != NULL) {
                    *out_table = &dataset->tables[t];
                }
                return ADG_OK;
            }
        }
    }
    return adg_fail(error, ADG_BAD_INPUT, "dataset %s has no table %s; adg dataset show %s lists its tables",
                    definition->name, table, definition->name);
}

/* ---- opening ----------------------------------------------------------------------------------------------------- */

/* Names under which several built-in files are opened as one. */
static const struct {
    const char *name;
    const char *files[4]; /* NULL at the end */
} collections[] = {
    {"hes", {"hes_apc", "hes_op", "hes_ae", NULL}},
};

enum { NAMES_MAX = 32 };

const char *const *adg_definition_builtin_names(void)
{
    static const char *names[NAMES_MAX + 1]; /* the same whoever fills it */
    size_t count = 0;
    for (size_t i = 0; i < sizeof collections / sizeof collections[0]; i++) {
        names[count++] = collections[i].name;
    }
    for (const struct adg_builtin_file *file = adg_builtin_files; file->name != NULL && count < NAMES_MAX; file++) {
        names[count++] = file->name;
    }
    return names;
}

static const struct adg_builtin_file *find_builtin(const char *name)
{
    for (const struct adg_builtin_file *file = adg_builtin_files; file->name != NULL; file++) {
        if (strcmp(file->name, name) == 0) {
            return file;
        }
    }
    return NULL;
}

/* The text of a built-in name; *found says whether there is such a name. */
static enum adg_status builtin_text(const char *name, struct adg_buffer *text, bool *found, struct adg_error *error)
{
    const struct adg_builtin_file *single = find_builtin(name);
    *found = single != NULL;
    if (single != NULL) {
        return adg_buffer_append(text, single->text, single->text_bytes, error);
    }
    for (size_t i = 0; i < sizeof collections / sizeof collections[0]; i++) {
        if (strcmp(collections[i].name, name) != 0) {
            continue;
        }
        *found = true;
        for (const char *const *file = collections[i].files; *file != NULL; file++) {
            const struct adg_builtin_file *part = find_builtin(*file);
            enum adg_status status = file == collections[i].files ? ADG_OK
                                                                  : adg_buffer_append_text(text, "---\n", error);
            if (status == ADG_OK && part != NULL) {
                status = adg_buffer_append(text, part->text, part->text_bytes, error);
            }
            if (status != ADG_OK) {
                return status;
            }
        }
    }
    return ADG_OK;
}

bool adg_definition_is_file(const char *name_or_path)
{
    return strpbrk(name_or_path, "./") != NULL;
}

enum adg_status adg_definition_open(const char *name_or_path, struct adg_definition **out, struct adg_error *error)
{
    struct adg_buffer text = {0};
    struct adg_definition *definition = NULL;
    bool builtin = false;
    enum adg_status status = builtin_text(name_or_path, &text, &builtin, error);
    if (status == ADG_OK && !builtin) {
        if (!adg_definition_is_file(name_or_path)) {
            status = adg_fail(error, ADG_BAD_INPUT,
                              "there is no dataset %s: expected hes_apc, hes_op, hes_ae, hes or a definition file",
                              name_or_path);
        } else {
            status = adg_file_read(name_or_path, &text, error);
        }
    }
    if (status == ADG_OK) {
        status = adg_definition_parse(name_or_path, (const char *)text.data, text.size, &definition, error);
    }
    if (status == ADG_OK && builtin) {
        const char *name = adg_arena_strdup(&definition->arena, name_or_path);
        if (name == NULL) {
            adg_definition_free(definition);
            status = adg_fail_memory(error);
        } else {
            definition->name = name;
        }
    }
    if (status == ADG_OK) {
        *out = definition;
    }
    adg_buffer_fini(&text);
    return status;
}

const struct adg_definition *adg_definition_hold(const struct adg_definition *definition)
{
    atomic_fetch_add(definition->holders, 1);
    return definition;
}

void adg_definition_free(struct adg_definition *definition)
{
    if (definition != NULL && atomic_fetch_sub(definition->holders, 1) == 1) {
        struct adg_arena arena = definition->arena; /* holds the struct itself */
        adg_arena_fini(&arena);
    }
}

enum adg_status adg_definition_check_tables(const struct adg_definition *definition, const char *const *names,
                                            uint32_t count, struct adg_error *error)
{
    enum adg_status status = ADG_OK;
    for (uint32_t i = 0; i < count && status == ADG_OK; i++) {
        status = adg_definition_find_table(definition, names[i], NULL, NULL, error);
    }
    return status;
}

bool adg_table_is_among(const char *table, const char *const *names, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(names[i], table) == 0) {
            return true;
        }
    }
    return false;
}
