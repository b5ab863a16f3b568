/*
 * The log of a Delta table: see delta.h. Actions of a checkpoint, which is Parquet, come from the engine as the same JSON that commits
 * hold, so that one piece of code takes both.
 */
#include "scrape/delta.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/file.h"
#include "core/memory.h"
#include "core/stop.h"

enum { VERSION_DIGITS = 20 };
static const char log_name[] = "_delta_log";

struct table {
    const char *folder;
    char *log;
    int64_t version, checkpoint; /* the last one; the last complete checkpoint, -1: none */
    uint32_t parts;              /* of that checkpoint; 0: one file without a number */
    bool has_other_checkpoint;   /* of version 2 */
    json_t *live;                /* path -> whether it has a deletion vector */
    json_t *metadata, *protocol; /* the last ones */
};

bool adg_delta_is(const char *folder)
{
    struct stat info;
    char *log = adg_path_join(folder, log_name);
    bool is = log != NULL && stat(log, &info) == 0 && S_ISDIR(info.st_mode);
    adg_free(log);
    return is;
}

/* ---- what the log holds ------------------------------------------------------------------------------------------ */

/* The number before the first point; false: it has another form. */
static bool read_version(const char *name, int64_t *version)
{
    *version = 0;
    for (int i = 0; i < VERSION_DIGITS; i++) {
        if (!isdigit((unsigned char)name[i]) || *version > INT64_MAX / 10 - 1) {
            return false;
        }
        *version = *version * 10 + (name[i] - '0');
    }
    return name[VERSION_DIGITS] == '.';
}

/* A multi-part checkpoint counts when all of its parts are there. */
struct part {
    int64_t version;
    uint32_t parts, seen;
};

static void take_checkpoint(struct table *table, int64_t version, uint32_t parts)
{
    if (version > table->checkpoint) {
        table->checkpoint = version;
        table->parts = parts;
    }
}

static enum adg_status take_name(struct table *table, const char *name, struct part **list, size_t *count,
                                 size_t *capacity, struct adg_error *error)
{
    int64_t version;
    unsigned part, parts;
    int end = 0;
    if (!read_version(name, &version)) {
        return ADG_OK;
    }
    const char *rest = name + VERSION_DIGITS;
    if (strcmp(rest, ".json") == 0) {
        table->version = version > table->version ? version : table->version;
    } else if (strcmp(rest, ".checkpoint.parquet") == 0) {
        take_checkpoint(table, version, 0);
    } else if (sscanf(rest, ".checkpoint.%10u.%10u.parquet%n", &part, &parts, &end) == 2 && rest[end] == '\0' &&
               end > 0) {
        size_t i = 0;
        while (i < *count && ((*list)[i].version != version || (*list)[i].parts != parts)) {
            i++;
        }
        if (i == *count && *count == *capacity) {
            struct part *larger = adg_grow_array(*list, capacity, 16, sizeof *larger);
            if (larger == NULL) {
                return adg_fail_memory(error);
            }
            *list = larger;
        }
        if (i == *count) {
            (*list)[(*count)++] = (struct part){.version = version, .parts = parts};
        }
        if (++(*list)[i].seen == parts) {
            take_checkpoint(table, version, parts);
        }
    } else if (strncmp(rest, ".checkpoint.", 12) == 0) {
        table->has_other_checkpoint = true;
    }
    return ADG_OK;
}

static enum adg_status list_log(struct table *table, struct adg_error *error)
{
    DIR *entries = opendir(table->log);
    const struct dirent *entry;
    struct part *list = NULL;
    size_t count = 0, capacity = 0;
    if (entries == NULL) {
        return adg_fail_errno(error, errno, "folder %s cannot be read", table->log);
    }
    enum adg_status status = ADG_OK;
    while (status == ADG_OK && (entry = readdir(entries)) != NULL) {
        status = take_name(table, entry->d_name, &list, &count, &capacity, error);
    }
    closedir(entries);
    adg_free(list);
    if (status == ADG_OK && table->checkpoint > table->version) {
        table->version = table->checkpoint;
    }
    return status == ADG_OK && table->version < 0
               ? adg_fail(error, ADG_BAD_INPUT, "%s: expected a Delta table, its log has no version", table->folder)
               : status;
}

/* ---- actions ----------------------------------------------------------------------------------------------------- */

static enum adg_status refuse(const struct table *table, const char *what, struct adg_error *error)
{
    return adg_fail(error, ADG_BAD_INPUT,
                    "%s: the Delta table has %s, which is not read here: scrape it through Spark (--source sc://...)",
                    table->folder, what);
}

static enum adg_status damaged(const struct table *table, const char *name, struct adg_error *error)
{
    return adg_fail(error, ADG_BAD_INPUT, "%s/%s: expected actions of a Delta log", table->log, name);
}

static void replace(json_t **kept, json_t *value)
{
    json_decref(*kept);
    *kept = json_incref(value);
}

static bool is_null(const json_t *value)
{
    return value == NULL || json_is_null(value);
}

static enum adg_status take_action(struct table *table, const json_t *action, const char *name, struct adg_error *error)
{
    const json_t *add = json_object_get(action, "add"), *gone = json_object_get(action, "remove");
    json_t *metadata = json_object_get(action, "metaData"), *protocol = json_object_get(action, "protocol");
    if (!is_null(add)) {
        const char *path = json_string_value(json_object_get(add, "path"));
        bool vector = !is_null(json_object_get(add, "deletionVector"));
        if (path == NULL) {
            return damaged(table, name, error);
        }
        if (json_object_set_new(table->live, path, json_boolean(vector)) != 0) {
            return adg_fail_memory(error);
        }
    }
    if (!is_null(gone)) {
        const char *path = json_string_value(json_object_get(gone, "path"));
        if (path == NULL) {
            return damaged(table, name, error);
        }
        json_object_del(table->live, path); /* one that is not there needs no removing */
    }
    if (!is_null(metadata)) {
        replace(&table->metadata, metadata);
    }
    if (!is_null(protocol)) {
        replace(&table->protocol, protocol);
    }
    return ADG_OK;
}

/* A commit replaces a file with itself and another deletion vector in two lines of any order: what is removed goes first. */
static enum adg_status take_commit(struct table *table, int64_t version, struct adg_error *error)
{
    char name[40];
    struct adg_buffer text = {0};
    snprintf(name, sizeof name, "%0*" PRId64 ".json", VERSION_DIGITS, version);
    char *path = adg_path_join(table->log, name);
    if (path == NULL) {
        return adg_fail_memory(error);
    }
    struct stat info;
    enum adg_status status = stat(path, &info) != 0
                                 ? adg_fail(error, ADG_BAD_INPUT,
                                            "%s: the log of the Delta table is incomplete, it has no %s", table->folder,
                                            name)
                                 : adg_file_read(path, &text, error);
    for (int pass = 0; pass < 2 && status == ADG_OK; pass++) {
        for (size_t at = 0, end; at < text.size && status == ADG_OK; at = end + 1) {
            const char *line = (const char *)text.data + at, *stop = memchr(line, '\n', text.size - at);
            end = stop != NULL ? (size_t)(stop - (const char *)text.data) : text.size;
            size_t size = end - at;
            while (size > 0 && isspace((unsigned char)line[size - 1])) {
                size--;
            }
            if (size == 0) {
                continue;
            }
            json_t *action = json_loadb(line, size, JSON_REJECT_DUPLICATES, NULL);
            if (!json_is_object(action)) {
                status = damaged(table, name, error);
            } else if ((pass == 0) == !is_null(json_object_get(action, "remove"))) {
                status = take_action(table, action, name, error);
            }
            json_decref(action);
        }
    }
    adg_buffer_fini(&text);
    adg_free(path);
    return status;
}

/* ---- checkpoints ------------------------------------------------------------------------------------------------- */

static enum adg_status take_rows(struct table *table, struct adg_engine *engine, const char *sql, const char *name,
                                 struct adg_error *error)
{
    static const char *const keys[] = {"add", "metaData", "protocol"};
    struct adg_engine_result *result = NULL;
    bool has_row = true;
    enum adg_status status = adg_engine_query(engine, sql, name, &result, error);
    while (status == ADG_OK) {
        status = adg_engine_next(result, &has_row, error);
        if (status != ADG_OK || !has_row) {
            break;
        }
        for (uint32_t k = 0; k < 3 && status == ADG_OK; k++) {
            if (adg_engine_is_null(result, k)) {
                continue;
            }
            struct adg_span text = adg_engine_text(result, k);
            json_t *action = json_object(),
                   *value = json_loadb((const char *)text.data, text.size, JSON_DECODE_ANY, NULL);
            if (value == NULL || json_object_set_new(action, keys[k], value) != 0) {
                status = damaged(table, name, error);
            } else {
                status = take_action(table, action, name, error);
            }
            json_decref(action);
        }
    }
    adg_engine_result_free(result);
    return status;
}

static enum adg_status read_checkpoint(struct table *table, const char *spill, struct adg_arena *arena,
                                       struct adg_error *error)
{
    uint32_t count = table->parts > 0 ? table->parts : 1;
    const char **paths = adg_arena_array(arena, count, sizeof *paths);
    struct adg_buffer sql = {0};
    struct adg_engine *engine = NULL;
    char name[80] = "";
    enum adg_status status = paths == NULL ? adg_fail_memory(error) : ADG_OK;
    for (uint32_t i = 0; i < count && status == ADG_OK; i++) {
        snprintf(name, sizeof name, "%0*" PRId64 ".checkpoint", VERSION_DIGITS, table->checkpoint);
        size_t length = strlen(name);
        if (table->parts > 0) {
            snprintf(name + length, sizeof name - length, ".%010" PRIu32 ".%010" PRIu32 ".parquet", i + 1, count);
        } else {
            snprintf(name + length, sizeof name - length, ".parquet");
        }
        char *path = adg_path_join(table->log, name);
        paths[i] = path != NULL ? adg_arena_strdup(arena, path) : NULL;
        adg_free(path);
        status = paths[i] == NULL ? adg_fail_memory(error) : ADG_OK;
    }
    if (status == ADG_OK) {
        status = adg_buffer_append_text(&sql,
                                        "select cast(to_json(add) as varchar), cast(to_json(metaData) as varchar), "
                                        "cast(to_json(protocol) as varchar) from read_parquet(",
                                        error);
    }
    if (status == ADG_OK) {
        status = adg_sql_list(&sql, paths, count, error);
    }
    if (status == ADG_OK) {
        status = adg_buffer_append_text(&sql, ") where add is not null or metaData is not null or protocol is not null",
                                        error);
    }
    const char *text = status == ADG_OK ? adg_buffer_text(&sql) : NULL;
    if (status == ADG_OK && text == NULL) {
        status = adg_fail_memory(error);
    }
    if (status == ADG_OK) {
        const struct adg_engine_options options = {
            .threads = 1, .folder = spill, .readable = paths, .readable_count = count};
        status = adg_engine_open(&options, &engine, error);
    }
    if (status == ADG_OK) {
        status = take_rows(table, engine, text, name, error);
        adg_context(error, status, "%s", table->log);
    }
    adg_engine_free(engine);
    adg_buffer_fini(&sql);
    return status;
}

/* ---- what it needs to be read ------------------------------------------------------------------------------------ */

/* Features of which this reader needs to know nothing, or that are refused where they are used. */
static bool is_known_feature(const char *feature)
{
    static const char *const known[] = {"timestampNtz", "deletionVectors", "columnMapping", "v2Checkpoint",
                                        "vacuumProtocolCheck"};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(known[i], feature) == 0) {
            return true;
        }
    }
    return false;
}

static enum adg_status check_table(const struct table *table, struct adg_error *error)
{
    const json_t *features = json_object_get(table->protocol, "readerFeatures");
    const json_t *partitions = json_object_get(table->metadata, "partitionColumns");
    const char *mapping = json_string_value(
        json_object_get(json_object_get(table->metadata, "configuration"), "delta.columnMapping.mode"));
    if (!json_is_object(table->metadata) || !json_is_object(table->protocol)) {
        return adg_fail(error, ADG_BAD_INPUT,
                        "%s: the log of the Delta table is incomplete, it says nothing of the table", table->folder);
    }
    if (json_integer_value(json_object_get(table->protocol, "minReaderVersion")) > 3) {
        return refuse(table, "a newer protocol", error);
    }
    for (size_t i = 0; i < json_array_size(features); i++) {
        const char *feature = json_string_value(json_array_get(features, i));
        if (feature == NULL || !is_known_feature(feature)) {
            char what[128];
            snprintf(what, sizeof what, "the feature %.80s", feature != NULL ? feature : "?");
            return refuse(table, what, error);
        }
    }
    if (mapping != NULL && strcmp(mapping, "none") != 0) {
        return refuse(table, "column mapping", error);
    }
    return json_array_size(partitions) > 0 ? refuse(table, "partition columns", error) : ADG_OK;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* Whether a path has the element "..": "a..b" is a name as any other. */
static bool leaves_folder(const char *path)
{
    for (const char *at = path; *at != '\0'; at += at[0] == '/') {
        size_t length = strcspn(at, "/");
        if (length == 2 && at[0] == '.' && at[1] == '.') {
            return true;
        }
        at += length;
    }
    return false;
}

/* A path of the log, in which %20 is a blank, below the folder. */
static enum adg_status resolve_path(const struct table *table, const char *path, struct adg_arena *arena,
                                    const char **out, struct adg_error *error)
{
    char *plain = adg_strdup(path), *to = plain;
    if (plain == NULL) {
        return adg_fail_memory(error);
    }
    for (const char *from = path; *from != '\0'; from++) {
        int high = from[0] == '%' ? hex_digit(from[1]) : -1, low = high >= 0 ? hex_digit(from[2]) : -1;
        *to++ = low >= 0 ? (char)(high * 16 + low) : *from;
        from += low >= 0 ? 2 : 0;
    }
    *to = '\0';
    enum adg_status status = ADG_OK;
    if (plain[0] == '/' || strstr(plain, "://") != NULL || strncmp(plain, "file:", 5) == 0 || leaves_folder(plain)) {
        status = refuse(table, "files outside its folder", error);
    } else {
        char *joined = adg_path_join(table->folder, plain);
        *out = joined != NULL ? adg_arena_strdup(arena, joined) : NULL;
        status = *out == NULL ? adg_fail_memory(error) : ADG_OK;
        struct stat info;
        if (status == ADG_OK && stat(*out, &info) != 0) {
            status = adg_fail(error, ADG_BAD_INPUT, "%s: the log of the Delta table names a file that is not there",
                              *out);
        }
        adg_free(joined);
    }
    adg_free(plain);
    return status;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static enum adg_status list_files(const struct table *table, struct adg_arena *arena, struct adg_source_files *out,
                                  struct adg_error *error)
{
    size_t count = json_object_size(table->live), i = 0;
    const char **paths = adg_arena_array(arena, count + 1, sizeof *paths), *path;
    json_t *vector;
    enum adg_status status = paths == NULL ? adg_fail_memory(error)
                             : count == 0 || count > UINT32_MAX
                                 ? adg_fail(error, ADG_BAD_INPUT, "%s: the Delta table has no file", table->folder)
                                 : ADG_OK;
    json_object_foreach(table->live, path, vector)
    {
        if (status == ADG_OK && json_is_true(vector)) {
            status = refuse(table, "deletion vectors", error);
        }
        if (status == ADG_OK) {
            status = resolve_path(table, path, arena, &paths[i++], error);
        }
    }
    if (status == ADG_OK) {
        qsort(paths, count, sizeof(const char *), by_text);
        *out = (struct adg_source_files){ADG_SOURCE_PARQUET, paths, (uint32_t)count};
    }
    return status;
}

enum adg_status adg_delta_resolve(const char *folder, const char *spill, struct adg_arena *arena,
                                  struct adg_source_files *out, struct adg_error *error)
{
    struct table table = {.folder = folder,
                          .log = adg_path_join(folder, log_name),
                          .version = -1,
                          .checkpoint = -1,
                          .live = json_object()};
    enum adg_status status = table.log == NULL || table.live == NULL ? adg_fail_memory(error) : list_log(&table, error);
    if (status == ADG_OK && table.checkpoint >= 0) {
        status = read_checkpoint(&table, spill, arena, error);
    }
    for (int64_t v = table.checkpoint + 1; v <= table.version && status == ADG_OK; v++) {
        status = adg_stop_check(error);
        if (status == ADG_OK) {
            status = take_commit(&table, v, error);
        }
        if (status == ADG_BAD_INPUT && v == table.checkpoint + 1 && table.has_other_checkpoint) {
            status = refuse(&table, "checkpoints of version 2", error);
        }
    }
    if (status == ADG_OK) {
        status = check_table(&table, error);
    }
    if (status == ADG_OK) {
        status = list_files(&table, arena, out, error);
    }
    json_decref(table.live);
    json_decref(table.metadata);
    json_decref(table.protocol);
    adg_free(table.log);
    return status;
}
