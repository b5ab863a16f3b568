/*
 * Committing to a Delta table: see write.h.
 */
#include "delta/write.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/file.h"
#include "core/memory.h"
#include "core/stop.h"

/* Versions of the protocol that ask for the features that it names, and for nothing else. */
enum { WITH_READER_FEATURES = 3, WITH_WRITER_FEATURES = 7 };

/* ---- what may be written to -------------------------------------------------------------------------------------- */

bool adg_delta_is_data_name(const char *name)
{
    static const char pattern[] = "part-ddddd-hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh.parquet";
    for (size_t i = 0; i < sizeof pattern; i++) {
        const char *among = i < 5               ? NULL
                            : pattern[i] == 'd' ? "0123456789"
                            : pattern[i] == 'h' ? "0123456789abcdef"
                                                : NULL;
        if (among != NULL ? name[i] == '\0' || strchr(among, name[i]) == NULL : name[i] != pattern[i]) {
            return false;
        }
    }
    return true;
}

/* A folder that is no table yet may hold what runs that did not come to their end have left. */
static enum adg_status check_empty(const char *path, struct adg_error *error)
{
    DIR *folder = opendir(path);
    enum adg_status status = ADG_OK;
    const struct dirent *entry;
    if (folder == NULL) {
        return errno == ENOENT    ? ADG_OK
               : errno == ENOTDIR ? adg_fail(error, ADG_FAILED, "%s is there and is no folder", path)
                                  : adg_fail_errno(error, errno, "folder %s cannot be read", path);
    }
    while (status == ADG_OK && (entry = readdir(folder)) != NULL) {
        const char *name = entry->d_name;
        if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && strcmp(name, ADG_DELTA_LOG_NAME) != 0 &&
            !adg_delta_is_data_name(name)) {
            status = adg_fail(
                error, ADG_FAILED,
                "folder %s holds other files and is no Delta table; remove it, or write to another folder", path);
        }
    }
    closedir(folder);
    return status;
}

static enum adg_status refuse(const struct adg_delta_target *target, const char *what, struct adg_error *error)
{
    return adg_fail(error, ADG_BAD_INPUT, "%s: the Delta table has %s, and is not %s", target->log.folder, what,
                    target->converts
                        ? "converted here: convert it with Spark or delta-rs, or generate it in another place"
                        : "written to here: append to it with Spark or delta-rs, from rows that are "
                          "generated as Parquet");
}

/* The names are of what is looked at below, in a table of any protocol, and of a type that no definition has. */
static enum adg_status check_features(const struct adg_delta_target *target, const char *kind, struct adg_error *error)
{
    static const char *const known[] = {"appendOnly", "invariants", "timestampNtz"};
    const json_t *features = json_object_get(target->log.protocol, kind);
    for (size_t i = 0; i < json_array_size(features); i++) {
        const char *feature = json_string_value(json_array_get(features, i));
        bool is_known = false;
        for (size_t k = 0; k < sizeof known / sizeof known[0] && feature != NULL; k++) {
            is_known = is_known || strcmp(feature, known[k]) == 0;
        }
        if (!is_known) {
            char what[128];
            snprintf(what, sizeof what, "the feature %.80s", feature != NULL ? feature : "?");
            return refuse(target, what, error);
        }
    }
    return ADG_OK;
}

/* They are kept apart from the columns, as properties of the table. */
static bool has_constraints(json_t *configuration)
{
    const char *key;
    json_t *value;
    json_object_foreach(configuration, key, value)
    {
        if (strncmp(key, "delta.constraints.", 18) == 0) {
            return true;
        }
    }
    return false;
}

static enum adg_status check_protocol(const struct adg_delta_target *target, struct adg_error *error)
{
    const struct adg_delta_log *log = &target->log;
    json_t *configuration = json_object_get(log->metadata, "configuration");
    const char *append_only = json_string_value(json_object_get(configuration, "delta.appendOnly"));
    if (!json_is_object(log->metadata) || !json_is_object(log->protocol)) {
        return adg_fail(error, ADG_BAD_INPUT,
                        "%s: the log of the Delta table is incomplete, it says nothing of the table", log->folder);
    }
    enum adg_status status = check_features(target, "writerFeatures", error);
    status = status == ADG_OK ? check_features(target, "readerFeatures", error) : status;
    if (status != ADG_OK) {
        return status;
    }
    json_int_t reader = json_integer_value(json_object_get(log->protocol, "minReaderVersion")),
               writer = json_integer_value(json_object_get(log->protocol, "minWriterVersion"));
    if ((reader > 1 && reader != WITH_READER_FEATURES) || (writer > 2 && writer != WITH_WRITER_FEATURES)) {
        return refuse(target, "a newer protocol", error);
    }
    if (json_array_size(json_object_get(log->metadata, "partitionColumns")) > 0) {
        return refuse(target, "partition columns", error);
    }
    if (has_constraints(configuration)) {
        return refuse(target, "check constraints", error);
    }
    return target->mode == ADG_DELTA_OVERWRITE && append_only != NULL && strcasecmp(append_only, "true") == 0
               ? adg_fail(error, ADG_BAD_INPUT, "%s: the Delta table is for appending only (delta.appendOnly)",
                          log->folder)
               : ADG_OK;
}

/* What a column's metadata ask of a writer, such as an invariant, is called delta.something. */
static bool asks_of_writer(const json_t *field)
{
    json_t *metadata = json_object_get(field, "metadata"), *value;
    const char *key;
    json_object_foreach(metadata, key, value)
    {
        if (strncmp(key, "delta.", 6) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_same_column(const json_t *field, const struct adg_delta_column *column)
{
    const char *name = json_string_value(json_object_get(field, "name")),
               *type = json_string_value(json_object_get(field, "type"));
    return name != NULL && type != NULL && strcmp(name, column->name) == 0 && strcmp(type, column->type) == 0 &&
           !json_is_false(json_object_get(field, "nullable"));
}

/* Columns count as the same with the same names and types in the same order, all of them nullable. */
static enum adg_status compare_schema(struct adg_delta_target *target, const struct adg_delta_column *columns,
                                      uint32_t count, struct adg_error *error)
{
    const char *text = json_string_value(json_object_get(target->log.metadata, "schemaString"));
    json_t *schema = text != NULL ? json_loads(text, 0, NULL) : NULL, *fields = json_object_get(schema, "fields");
    enum adg_status status = ADG_OK;
    uint32_t same = 0;
    if (!json_is_array(fields)) {
        json_decref(schema);
        return adg_fail(error, ADG_BAD_INPUT, "%s: expected a schema in the log of the Delta table",
                        target->log.folder);
    }
    for (size_t i = 0; i < json_array_size(fields) && status == ADG_OK; i++) {
        status = asks_of_writer(json_array_get(fields, i)) ? refuse(target, "columns with rules", error) : ADG_OK;
    }
    while (same < count && is_same_column(json_array_get(fields, same), &columns[same])) {
        same++;
    }
    target->new_schema = same < count || json_array_size(fields) != count;
    if (status == ADG_OK && target->new_schema && target->mode == ADG_DELTA_APPEND) {
        status = same < count
                     ? adg_fail(error, ADG_BAD_INPUT,
                                "%s: the Delta table has other columns than the definition: expected %s, %s, "
                                "that may be null, as column %" PRIu32,
                                target->log.folder, columns[same].name, columns[same].type, same + 1)
                     : adg_fail(error, ADG_BAD_INPUT, "%s: the Delta table has more columns than the definition",
                                target->log.folder);
    }
    json_decref(schema);
    return status;
}

static enum adg_status check_table(struct adg_delta_target *target, const struct adg_delta_column *columns,
                                   uint32_t count, struct adg_error *error)
{
    if (target->mode == ADG_DELTA_CREATE) {
        return adg_fail(error, ADG_FAILED,
                        "%s is a Delta table already; --if-exists append adds the rows to it, overwrite replaces those "
                        "that are there, ignore leaves it as it is",
                        target->log.folder);
    }
    if (target->log.checkpoint >= 0 || target->log.has_other_checkpoint) {
        return refuse(target, "a checkpoint", error);
    }
    enum adg_status status = adg_delta_log_replay(&target->log, 0, error);
    if (status == ADG_OK) {
        status = check_protocol(target, error);
    }
    return status == ADG_OK ? compare_schema(target, columns, count, error) : status;
}

/* Delta's plain timestamp is a moment, with a zone. */
static enum adg_status check_types(const char *folder, const struct adg_delta_column *columns, uint32_t count,
                                   struct adg_error *error)
{
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(columns[i].type, "timestamp") == 0) {
            return adg_fail(error, ADG_BAD_INPUT,
                            "%s: column %s is a timestamp without a zone, for which Delta needs a feature that is not "
                            "written here: generate it as Parquet",
                            folder, columns[i].name);
        }
    }
    return ADG_OK;
}

static enum adg_status make_schema(struct adg_delta_target *target, const struct adg_delta_column *columns,
                                   uint32_t count, struct adg_error *error)
{
    struct adg_buffer schema = {0};
    enum adg_status status = adg_delta_schema_append(&schema, columns, count, error);
    if (status == ADG_OK) {
        target->schema = adg_strndup((const char *)schema.data, schema.size);
        status = target->schema == NULL ? adg_fail_memory(error) : ADG_OK;
    }
    adg_buffer_fini(&schema);
    return status;
}

enum adg_status adg_delta_target_open(struct adg_delta_target *target, const char *folder, enum adg_delta_mode mode,
                                      const struct adg_delta_column *columns, uint32_t column_count,
                                      struct adg_error *error)
{
    struct adg_delta_target made = {.mode = mode};
    enum adg_status status = check_types(folder, columns, column_count, error);
    if (status == ADG_OK) {
        status = adg_delta_log_open(&made.log, folder, error);
    }
    if (status != ADG_OK) {
        return status;
    }
    status = make_schema(&made, columns, column_count, error);
    if (status == ADG_OK) {
        status = made.log.version < 0 ? check_empty(folder, error) : check_table(&made, columns, column_count, error);
    }
    if (status == ADG_OK) {
        *target = made;
    } else {
        adg_delta_target_fini(&made);
    }
    return status;
}

enum adg_status adg_delta_target_convert(struct adg_delta_target *target, struct adg_delta_log *log,
                                         const struct adg_delta_column *columns, uint32_t column_count,
                                         struct adg_error *error)
{
    struct adg_delta_target made = {.log = *log, .mode = ADG_DELTA_OVERWRITE, .converts = true};
    enum adg_status status = check_types(log->folder, columns, column_count, error);
    if (status == ADG_OK) {
        status = make_schema(&made, columns, column_count, error);
    }
    if (status == ADG_OK) {
        status = check_protocol(&made, error);
    }
    if (status == ADG_OK) {
        status = compare_schema(&made, columns, column_count, error);
    }
    if (status == ADG_OK) {
        *target = made;
        *log = (struct adg_delta_log){.version = -1, .checkpoint = -1};
    } else {
        adg_free(made.schema);
    }
    return status;
}

void adg_delta_target_fini(struct adg_delta_target *target)
{
    adg_delta_log_fini(&target->log);
    adg_free(target->schema);
    target->schema = NULL;
}

/* ---- a commit ---------------------------------------------------------------------------------------------------- */

/* Appends {"<kind>": <value>}, which takes `value` over, NULL for want of memory. */
static enum adg_status append_action(struct adg_buffer *out, const char *kind, json_t *value, struct adg_error *error)
{
    json_t *action = json_pack("{s:o}", kind, value);
    char *text = action != NULL ? json_dumps(action, JSON_COMPACT) : NULL;
    enum adg_status status = text == NULL ? adg_fail_memory(error) : adg_buffer_printf(out, error, "%s\n", text);
    free(text); /* jansson's own memory */
    json_decref(action);
    return status;
}

static json_t *text_of(uint64_t number)
{
    char text[21];
    snprintf(text, sizeof text, "%" PRIu64, number);
    return json_string(text);
}

/* What DESCRIBE HISTORY shows: operations and parameters as Spark calls them. */
static json_t *commit_info(const struct adg_delta_target *target, const struct adg_delta_commit *commit,
                           int64_t version)
{
    uint64_t rows = 0, bytes = 0;
    const bool overwrite = target->mode == ADG_DELTA_OVERWRITE && version > 0;
    for (uint32_t i = 0; i < commit->file_count; i++) {
        rows += commit->files[i].rows;
        bytes += commit->files[i].bytes;
    }
    json_t *parameters = version == 0
                             ? json_pack("{s:s, s:s}", "isManaged", "false", "partitionBy", "[]")
                             : json_pack("{s:s, s:s}", "mode", overwrite ? "Overwrite" : "Append", "partitionBy", "[]");
    json_t *info = json_pack("{s:I, s:s, s:o, s:b, s:s, s:{s:o, s:o, s:o}, s:O}", "timestamp",
                             (json_int_t)commit->time_ms, "operation",
                             version == 0 ? "CREATE TABLE AS SELECT" : "WRITE", "operationParameters", parameters,
                             "isBlindAppend", (int)!overwrite, "engineInfo", commit->engine, "operationMetrics",
                             "numFiles", text_of(commit->file_count), "numOutputRows", text_of(rows), "numOutputBytes",
                             text_of(bytes), "adg", (json_t *)(uintptr_t)commit->provenance);
    if (info != NULL && version > 0) {
        json_object_set_new(info, "readVersion", json_integer((json_int_t)(version - 1)));
    }
    return info;
}

static json_t *metadata(const struct adg_delta_target *target, const struct adg_delta_commit *commit, int64_t version)
{
    if (version == 0) {
        return json_pack("{s:s, s:{s:s, s:{}}, s:s, s:[], s:{}, s:I}", "id", commit->table_id, "format", "provider",
                         "parquet", "options", "schemaString", target->schema, "partitionColumns", "configuration",
                         "createdTime", (json_int_t)commit->time_ms);
    }
    json_t *changed = json_copy(target->log.metadata);
    if (changed != NULL) {
        json_object_set_new(changed, "schemaString", json_string(target->schema));
    }
    return changed;
}

static enum adg_status append_removes(struct adg_buffer *out, const struct adg_delta_target *target, int64_t time_ms,
                                      struct adg_error *error)
{
    enum adg_status status = ADG_OK;
    const char *path;
    json_t *add;
    json_object_foreach(target->log.live, path, add)
    {
        if (status == ADG_OK) {
            json_t *gone = json_pack("{s:s, s:I, s:b, s:b, s:{}, s:I}", "path", path, "deletionTimestamp",
                                     (json_int_t)time_ms, "dataChange", 1, "extendedFileMetadata", 1, "partitionValues",
                                     "size", json_integer_value(json_object_get(add, "size")));
            status = append_action(out, "remove", gone, error);
        }
    }
    return status;
}

static enum adg_status write_text(const struct adg_delta_target *target, const struct adg_delta_commit *commit,
                                  int64_t version, struct adg_buffer *out, struct adg_error *error)
{
    enum adg_status status = append_action(out, "commitInfo", commit_info(target, commit, version), error);
    if (status == ADG_OK && version == 0) {
        status = append_action(out, "protocol", json_pack("{s:i, s:i}", "minReaderVersion", 1, "minWriterVersion", 2),
                               error);
    }
    if (status == ADG_OK && (version == 0 || target->new_schema)) {
        status = append_action(out, "metaData", metadata(target, commit, version), error);
    }
    if (status == ADG_OK && target->mode == ADG_DELTA_OVERWRITE) {
        status = append_removes(out, target, commit->time_ms, error);
    }
    for (uint32_t i = 0; i < commit->file_count && status == ADG_OK; i++) {
        const struct adg_delta_file *file = &commit->files[i];
        json_t *add = json_pack("{s:s, s:{}, s:I, s:I, s:b, s:s}", "path", file->name, "partitionValues", "size",
                                (json_int_t)file->bytes, "modificationTime", (json_int_t)commit->time_ms, "dataChange",
                                1, "stats", file->statistics);
        status = append_action(out, "add", add, error);
    }
    return status;
}

/* Whether the version is only more files, as an append is. */
static enum adg_status check_added(const struct adg_delta_target *target, int64_t version, struct adg_error *error)
{
    json_t *actions = NULL, *action, *value;
    size_t i;
    const char *kind;
    enum adg_status status = adg_delta_commit_read(&target->log, version, &actions, error);
    json_array_foreach(actions, i, action)
    {
        json_object_foreach(action, kind, value)
        {
            if (status == ADG_OK && !json_is_null(value) && strcmp(kind, "add") != 0 &&
                strcmp(kind, "commitInfo") != 0 && strcmp(kind, "txn") != 0) {
                status = adg_fail(error, ADG_FAILED,
                                  "%s: another writer has changed the table meanwhile, not only added to it; nothing "
                                  "was committed, run again",
                                  target->log.folder);
            }
        }
    }
    json_decref(actions);
    return status;
}

/* Tries to be this version; *taken: another writer was. */
static enum adg_status publish(const struct adg_delta_target *target, const struct adg_delta_commit *commit,
                               int64_t version, bool *taken, struct adg_error *error)
{
    char name[ADG_DELTA_NAME_BYTES];
    struct adg_buffer text = {0};
    struct adg_atomic_file file = {.fd = -1};
    adg_delta_commit_name(version, name);
    char *path = adg_path_join(target->log.path, name);
    enum adg_status status = path == NULL ? adg_fail_memory(error) : write_text(target, commit, version, &text, error);
    if (status == ADG_OK) {
        status = adg_atomic_file_open(&file, path, error);
    }
    if (status == ADG_OK) {
        status = adg_atomic_file_write(&file, text.data, text.size, error);
    }
    if (status == ADG_OK) {
        status = adg_atomic_file_link(&file, taken, error);
    }
    adg_atomic_file_fini(&file);
    adg_buffer_fini(&text);
    adg_free(path);
    return status;
}

/* The log's folder, whose entry must last as long as its commits. */
static enum adg_status make_log(const struct adg_delta_target *target, struct adg_error *error)
{
    enum adg_status status = adg_folder_create(target->log.path, error);
    return status == ADG_OK ? adg_folder_sync(target->log.folder, error) : status;
}

static enum adg_status overtaken(const struct adg_delta_target *target, struct adg_error *error)
{
    return adg_fail(error, ADG_FAILED,
                    "%s: another writer has committed to the table meanwhile; nothing was committed, run again",
                    target->log.folder);
}

/* A checkpoint that was made meanwhile may stand for commits that are gone, so that their numbers are free. */
static enum adg_status check_listing(const struct adg_delta_target *target, struct adg_error *error)
{
    struct adg_delta_log now;
    enum adg_status status = adg_delta_log_open(&now, target->log.folder, error);
    if (status == ADG_OK) {
        if (target->converts) {
            status = now.version != target->log.version ? overtaken(target, error) : ADG_OK;
        } else if (now.checkpoint >= 0 || now.has_other_checkpoint) {
            status = refuse(target, "a checkpoint", error);
        }
        adg_delta_log_fini(&now);
    }
    return status;
}

enum adg_status adg_delta_target_commit(const struct adg_delta_target *target, const struct adg_delta_commit *commit,
                                        bool *published, int64_t *version, struct adg_error *error)
{
    int64_t next = target->log.version + 1;
    bool taken = true;
    enum adg_status status = make_log(target, error);
    if (status == ADG_OK) {
        status = check_listing(target, error);
    }
    while (status == ADG_OK) {
        status = publish(target, commit, next, &taken, error);
        if (status != ADG_OK || !taken) {
            break;
        }
        if (target->mode != ADG_DELTA_APPEND || next == 0) {
            status = overtaken(target, error);
            break;
        }
        status = adg_stop_check(error);
        if (status == ADG_OK) {
            status = check_added(target, next++, error);
        }
    }
    if (status != ADG_OK) {
        return status;
    }
    *published = true;
    *version = next;
    return adg_folder_sync(target->log.path, error);
}
