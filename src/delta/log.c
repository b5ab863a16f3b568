/*
 * Versions, actions and files of a Delta table: see log.h.
 */
#include "delta/log.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/file.h"
#include "core/memory.h"
#include "core/stop.h"
#include "core/strings.h"

bool adg_delta_is(const char *folder)
{
    struct stat info;
    char *log = adg_path_join(folder, ADG_DELTA_LOG_NAME);
    bool is = log != NULL && stat(log, &info) == 0 && S_ISDIR(info.st_mode);
    adg_free(log);
    return is;
}

void adg_delta_commit_name(int64_t version, char out[ADG_DELTA_NAME_BYTES])
{
    snprintf(out, ADG_DELTA_NAME_BYTES, "%0*" PRId64 ".json", ADG_DELTA_VERSION_DIGITS, version);
}

/* ---- what the log holds ------------------------------------------------------------------------------------------ */

/* The number before the first point; false: it has another form. */
static bool read_version(const char *name, int64_t *version)
{
    *version = 0;
    for (int i = 0; i < ADG_DELTA_VERSION_DIGITS; i++) {
        if (!isdigit((unsigned char)name[i]) || *version > INT64_MAX / 10 - 1) {
            return false;
        }
        *version = *version * 10 + (name[i] - '0');
    }
    return name[ADG_DELTA_VERSION_DIGITS] == '.';
}

/* A multi-part checkpoint counts when all of its parts are there. */
struct part {
    int64_t version;
    uint32_t parts, seen;
};

static void take_checkpoint(struct adg_delta_log *log, int64_t version, uint32_t parts)
{
    if (version > log->checkpoint) {
        log->checkpoint = version;
        log->checkpoint_parts = parts;
    }
}

static enum adg_status take_name(struct adg_delta_log *log, const char *name, struct part **list, size_t *count,
                                 size_t *capacity, struct adg_error *error)
{
    int64_t version;
    unsigned part, parts;
    int end = 0;
    if (!read_version(name, &version)) {
        return ADG_OK;
    }
    const char *rest = name + ADG_DELTA_VERSION_DIGITS;
    if (strcmp(rest, ".json") == 0) {
        log->version = version > log->version ? version : log->version;
    } else if (strcmp(rest, ".checkpoint.parquet") == 0) {
        take_checkpoint(log, version, 0);
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
            take_checkpoint(log, version, parts);
        }
    } else if (strncmp(rest, ".checkpoint.", 12) == 0) {
        log->has_other_checkpoint = true;
    }
    return ADG_OK;
}

static enum adg_status list_log(struct adg_delta_log *log, struct adg_error *error)
{
    DIR *entries = opendir(log->path);
    const struct dirent *entry;
    struct part *list = NULL;
    size_t count = 0, capacity = 0;
    if (entries == NULL) {
        return errno == ENOENT || errno == ENOTDIR
                   ? ADG_OK
                   : adg_fail_errno(error, errno, "folder %s cannot be read", log->path);
    }
    enum adg_status status = ADG_OK;
    while (status == ADG_OK && (entry = readdir(entries)) != NULL) {
        status = take_name(log, entry->d_name, &list, &count, &capacity, error);
    }
    closedir(entries);
    adg_free(list);
    if (status == ADG_OK && log->checkpoint > log->version) {
        log->version = log->checkpoint;
    }
    return status;
}

enum adg_status adg_delta_log_open(struct adg_delta_log *log, const char *folder, struct adg_error *error)
{
    struct adg_delta_log made = {.folder = folder,
                                 .path = adg_path_join(folder, ADG_DELTA_LOG_NAME),
                                 .version = -1,
                                 .checkpoint = -1,
                                 .live = json_object(),
                                 .provenance = json_array()};
    enum adg_status status = made.path == NULL || made.live == NULL || made.provenance == NULL ? adg_fail_memory(error)
                                                                                               : list_log(&made, error);
    if (status != ADG_OK) {
        adg_delta_log_fini(&made);
        return status;
    }
    *log = made;
    return ADG_OK;
}

void adg_delta_log_fini(struct adg_delta_log *log)
{
    json_decref(log->live);
    json_decref(log->metadata);
    json_decref(log->protocol);
    json_decref(log->provenance);
    adg_free(log->path);
    *log = (struct adg_delta_log){.version = -1, .checkpoint = -1};
}

/* ---- actions ----------------------------------------------------------------------------------------------------- */

enum adg_status adg_delta_not_read(const struct adg_delta_log *log, const char *what, struct adg_error *error)
{
    return adg_fail(error, ADG_BAD_INPUT,
                    "%s: the Delta table has %s, which is not read here: Spark reads it (scrape: --source sc://...)",
                    log->folder, what);
}

static enum adg_status damaged(const struct adg_delta_log *log, const char *name, struct adg_error *error)
{
    return adg_fail(error, ADG_BAD_INPUT, "%s/%s: expected actions of a Delta log", log->path, name);
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

/* Statistics are not kept: they are most of what a log holds, and nobody here asks for them. */
static enum adg_status take_add(struct adg_delta_log *log, json_t *add, const char *name, struct adg_error *error)
{
    const char *path = json_string_value(json_object_get(add, "path"));
    if (path == NULL) {
        return damaged(log, name, error);
    }
    json_object_del(add, "stats");
    return json_object_set(log->live, path, add) == 0 ? ADG_OK : adg_fail_memory(error);
}

enum adg_status adg_delta_log_take(struct adg_delta_log *log, const json_t *action, const char *name,
                                   struct adg_error *error)
{
    json_t *add = json_object_get(action, "add"), *gone = json_object_get(action, "remove");
    json_t *metadata = json_object_get(action, "metaData"), *protocol = json_object_get(action, "protocol");
    enum adg_status status = is_null(add) ? ADG_OK : take_add(log, add, name, error);
    if (status == ADG_OK && !is_null(gone)) {
        const char *path = json_string_value(json_object_get(gone, "path"));
        if (path == NULL) {
            return damaged(log, name, error);
        }
        json_object_del(log->live, path); /* one that is not there needs no removing */
    }
    if (!is_null(metadata)) {
        replace(&log->metadata, metadata);
    }
    if (!is_null(protocol)) {
        replace(&log->protocol, protocol);
    }
    return status;
}

/* ---- commits ----------------------------------------------------------------------------------------------------- */

static enum adg_status read_lines(const struct adg_delta_log *log, const struct adg_buffer *text, const char *name,
                                  json_t *actions, struct adg_error *error)
{
    for (size_t at = 0, end; at < text->size; at = end + 1) {
        const char *line = (const char *)text->data + at, *stop = memchr(line, '\n', text->size - at);
        end = stop != NULL ? (size_t)(stop - (const char *)text->data) : text->size;
        size_t size = end - at;
        while (size > 0 && isspace((unsigned char)line[size - 1])) {
            size--;
        }
        if (size == 0) {
            continue;
        }
        json_t *action = json_loadb(line, size, JSON_REJECT_DUPLICATES, NULL);
        if (!json_is_object(action)) {
            json_decref(action);
            return damaged(log, name, error);
        }
        if (json_array_append_new(actions, action) != 0) {
            return adg_fail_memory(error);
        }
    }
    return ADG_OK;
}

enum adg_status adg_delta_commit_read(const struct adg_delta_log *log, int64_t version, json_t **actions,
                                      struct adg_error *error)
{
    char name[ADG_DELTA_NAME_BYTES];
    struct adg_buffer text = {0};
    struct stat info;
    adg_delta_commit_name(version, name);
    json_t *made = json_array();
    char *path = adg_path_join(log->path, name);
    enum adg_status status = made == NULL || path == NULL ? adg_fail_memory(error) : ADG_OK;
    if (status == ADG_OK) {
        status = stat(path, &info) != 0
                     ? adg_fail(error, ADG_BAD_INPUT, "%s: the log of the Delta table is incomplete, it has no %s",
                                log->folder, name)
                     : adg_file_read(path, &text, error);
    }
    if (status == ADG_OK) {
        status = read_lines(log, &text, name, made, error);
    }
    if (status == ADG_OK) {
        *actions = made;
        made = NULL;
    }
    json_decref(made);
    adg_buffer_fini(&text);
    adg_free(path);
    return status;
}

/* What one commit says. One that converts the rows that are there repeats what was said of them. */
static int keep_provenance(json_t *kept, json_t *said)
{
    json_t *runs = json_object_get(said, "runs");
    return json_is_array(runs) ? json_array_extend(kept, runs) : json_array_append(kept, said);
}

/* What adg says of a commit that it made belongs to the rows that are there; a commit that takes files away, or makes the table,
 * begins anew. */
static enum adg_status take_provenance(struct adg_delta_log *log, const json_t *actions, struct adg_error *error)
{
    json_t *action, *said = NULL;
    size_t i;
    bool begins = false;
    json_array_foreach(actions, i, action)
    {
        json_t *own = json_object_get(json_object_get(action, "commitInfo"), "adg");
        said = json_is_object(own) ? own : said;
        begins = begins || !is_null(json_object_get(action, "remove")) || !is_null(json_object_get(action, "metaData"));
    }
    if (begins) {
        json_array_clear(log->provenance);
    }
    return said == NULL || keep_provenance(log->provenance, said) == 0 ? ADG_OK : adg_fail_memory(error);
}

/* A commit replaces a file with itself and another deletion vector in two lines of any order: what is removed goes first. */
static enum adg_status take_commit(struct adg_delta_log *log, int64_t version, struct adg_error *error)
{
    char name[ADG_DELTA_NAME_BYTES];
    json_t *actions = NULL, *action;
    size_t i;
    adg_delta_commit_name(version, name);
    enum adg_status status = adg_delta_commit_read(log, version, &actions, error);
    if (status == ADG_OK) {
        status = take_provenance(log, actions, error);
    }
    for (int pass = 0; pass < 2 && status == ADG_OK; pass++) {
        json_array_foreach(actions, i, action)
        {
            if (status == ADG_OK && (pass == 0) == !is_null(json_object_get(action, "remove"))) {
                status = adg_delta_log_take(log, action, name, error);
            }
        }
    }
    json_decref(actions);
    return status;
}

enum adg_status adg_delta_log_replay(struct adg_delta_log *log, int64_t first, struct adg_error *error)
{
    enum adg_status status = ADG_OK;
    for (int64_t v = first; v <= log->version && status == ADG_OK; v++) {
        status = adg_stop_check(error);
        if (status == ADG_OK) {
            status = take_commit(log, v, error);
        }
        if (status == ADG_BAD_INPUT && v == first && log->has_other_checkpoint) {
            status = adg_delta_not_read(log, "checkpoints of version 2", error);
        }
    }
    return status;
}

/* ---- what it needs to be read ------------------------------------------------------------------------------------ */

/* Features of which a reader of whole files needs to know nothing, or that are refused where they are used. */
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

static enum adg_status check_readable(const struct adg_delta_log *log, struct adg_error *error)
{
    const json_t *features = json_object_get(log->protocol, "readerFeatures");
    const json_t *partitions = json_object_get(log->metadata, "partitionColumns");
    const char *mapping = json_string_value(
        json_object_get(json_object_get(log->metadata, "configuration"), "delta.columnMapping.mode"));
    if (!json_is_object(log->metadata) || !json_is_object(log->protocol)) {
        return adg_fail(error, ADG_BAD_INPUT,
                        "%s: the log of the Delta table is incomplete, it says nothing of the table", log->folder);
    }
    if (json_integer_value(json_object_get(log->protocol, "minReaderVersion")) > 3) {
        return adg_delta_not_read(log, "a newer protocol", error);
    }
    for (size_t i = 0; i < json_array_size(features); i++) {
        const char *feature = json_string_value(json_array_get(features, i));
        if (feature == NULL || !is_known_feature(feature)) {
            char what[128];
            snprintf(what, sizeof what, "the feature %.80s", feature != NULL ? feature : "?");
            return adg_delta_not_read(log, what, error);
        }
    }
    if (mapping != NULL && strcmp(mapping, "none") != 0) {
        return adg_delta_not_read(log, "column mapping", error);
    }
    return json_array_size(partitions) > 0 ? adg_delta_not_read(log, "partition columns", error) : ADG_OK;
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
static enum adg_status resolve_path(const struct adg_delta_log *log, const char *path, struct adg_arena *arena,
                                    const char **out, struct adg_error *error)
{
    char *plain = adg_strdup(path);
    if (plain == NULL) {
        return adg_fail_memory(error);
    }
    plain[adg_percent_decode(path, strlen(path), plain)] = '\0';
    enum adg_status status = ADG_OK;
    if (plain[0] == '/' || strstr(plain, "://") != NULL || strncmp(plain, "file:", 5) == 0 || leaves_folder(plain)) {
        status = adg_delta_not_read(log, "files outside its folder", error);
    } else {
        char *joined = adg_path_join(log->folder, plain);
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

enum adg_status adg_delta_log_files(const struct adg_delta_log *log, struct adg_arena *arena, const char ***paths,
                                    uint32_t *count, struct adg_error *error)
{
    size_t files = json_object_size(log->live), i = 0;
    const char **list = adg_arena_array(arena, files + 1, sizeof *list), *path;
    json_t *add;
    enum adg_status status = list == NULL ? adg_fail_memory(error) : check_readable(log, error);
    if (status == ADG_OK && (files == 0 || files > UINT32_MAX)) {
        status = adg_fail(error, ADG_BAD_INPUT, "%s: the Delta table has no file", log->folder);
    }
    json_object_foreach(log->live, path, add)
    {
        if (status == ADG_OK && !is_null(json_object_get(add, "deletionVector"))) {
            status = adg_delta_not_read(log, "deletion vectors", error);
        }
        if (status == ADG_OK) {
            status = resolve_path(log, path, arena, &list[i++], error);
        }
    }
    if (status == ADG_OK) {
        qsort(list, files, sizeof *list, adg_compare_texts);
        *paths = list;
        *count = (uint32_t)files;
    }
    return status;
}
