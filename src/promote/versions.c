/*
 * The versions of a project: see versions.h. Names of environments and versions have neither commas nor quotes.
 */
#include "promote/versions.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/buffer.h"
#include "core/file.h"
#include "core/memory.h"
#include "project/project.h"

enum { COLUMNS = 4 };

static const char file_name[] = ADG_PROJECT_STATE "/versions.csv", header[] = "UTC,ENVIRONMENT,VERSION,FROM\n";

void adg_utc_format(int64_t seconds, char out[20])
{
    time_t when = (time_t)seconds;
    struct tm parts;
    gmtime_r(&when, &parts);
    strftime(out, 20, "%Y-%m-%d %H:%M:%S", &parts);
}

static enum adg_status parse(char *text, struct adg_arena *arena, struct adg_version **out, uint32_t *count,
                             struct adg_error *error)
{
    size_t lines = 0;
    for (const char *at = text; *at != '\0'; at++) {
        lines += *at == '\n';
    }
    struct adg_version *versions = adg_arena_array(arena, lines + 1, sizeof *versions);
    if (versions == NULL) {
        return adg_fail_memory(error);
    }
    bool good = strncmp(text, header, strlen(header)) == 0;
    uint32_t found = 0;
    for (char *line = good ? text + strlen(header) : text; good && *line != '\0'; found++) {
        char *values[COLUMNS], *end = strchr(line, '\n');
        good = end != NULL;
        if (good) {
            *end = '\0';
        }
        for (int i = 0; i < COLUMNS && good; i++) {
            values[i] = line;
            line += strcspn(line, ",");
            good = (i == COLUMNS - 1) == (*line == '\0') && line > values[i];
            *line++ = '\0';
        }
        if (good) {
            versions[found] = (struct adg_version){values[0], values[1], values[2], values[3]};
        }
    }
    if (!good) {
        return adg_fail(error, ADG_BAD_INPUT, "expected lines of UTC,ENVIRONMENT,VERSION,FROM");
    }
    *out = versions;
    *count = found;
    return ADG_OK;
}

enum adg_status adg_versions_read(const char *folder, struct adg_arena *arena, struct adg_version **out,
                                  uint32_t *count, struct adg_error *error)
{
    struct adg_buffer text = {0};
    char *path = adg_path_join(folder, file_name);
    enum adg_status status = path == NULL ? adg_fail_memory(error) : ADG_OK;
    if (status == ADG_OK && access(path, F_OK) != 0) {
        *out = NULL;
        *count = 0;
        goto done;
    }
    if (status == ADG_OK) {
        status = adg_file_read(path, &text, error);
    }
    char *copy = status == ADG_OK ? adg_arena_strndup(arena, (const char *)text.data, text.size) : NULL;
    if (status == ADG_OK) {
        status = copy == NULL ? adg_fail_memory(error)
                              : adg_context(error, parse(copy, arena, out, count, error), "%s", path);
    }
done:
    adg_buffer_fini(&text);
    adg_free(path);
    return status;
}

static int newest_first(const void *a, const void *b)
{
    const struct adg_version *left = a, *right = b;
    int order = strcmp(right->utc, left->utc);
    return order != 0 ? order : strcmp(left->environment, right->environment);
}

void adg_versions_latest(struct adg_version *versions, uint32_t *count)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < *count; i++) {
        uint32_t at = 0;
        while (at < kept && strcmp(versions[at].environment, versions[i].environment) != 0) {
            at++;
        }
        versions[at] = versions[i];
        kept += at == kept;
    }
    *count = kept;
    if (kept > 0) {
        qsort(versions, kept, sizeof *versions, newest_first);
    }
}

enum adg_status adg_versions_note(const char *folder, const struct adg_version *version, struct adg_error *error)
{
    struct adg_arena arena = {0};
    struct adg_buffer text = {0};
    struct adg_version *lines = NULL;
    uint32_t count = 0;
    bool there = false;
    char *path = adg_path_join(folder, file_name);
    enum adg_status status = path == NULL ? adg_fail_memory(error)
                                          : adg_versions_read(folder, &arena, &lines, &count, error);
    if (status == ADG_OK) {
        status = adg_buffer_append_text(&text, header, error);
    }
    for (uint32_t i = 0; i < count && status == ADG_OK; i++) {
        if (strcmp(lines[i].environment, version->environment) == 0) {
            there = strcmp(lines[i].version, version->version) == 0;
        }
        status = adg_buffer_printf(&text, error, "%s,%s,%s,%s\n", lines[i].utc, lines[i].environment, lines[i].version,
                                   lines[i].from);
    }
    if (status == ADG_OK && !there) {
        status = adg_buffer_printf(&text, error, "%s,%s,%s,%s\n", version->utc, version->environment, version->version,
                                   version->from);
    }
    if (status == ADG_OK && !there) {
        status = adg_file_write(path, text.data, text.size, error);
    }
    adg_buffer_fini(&text);
    adg_arena_fini(&arena);
    adg_free(path);
    return status;
}
