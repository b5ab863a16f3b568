/*
 * Converting a Delta table: see delta.h. In this order: the log is read, and what cannot be read or written to is refused; what
 * earlier runs have left is removed; values are counted that do not fit, in all files, before any is written; new files are written, held
 * against the old ones value by value, and synced; one commit names them. Until that is there they are nobody's.
 */
#include "migrate/delta.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/file.h"
#include "core/memory.h"
#include "core/stop.h"
#include "delta/write.h"
#include "migrate/convert.h"
#include "scrape/delta.h"

/* Longer texts are no bounds, as in the files that generate writes. */
enum { BOUND_BYTES = 256, UNIQUE_BYTES = 16, NAME_BYTES = 96 };

struct new_file {
    char name[NAME_BYTES];
    uint64_t rows, bytes;
    struct adg_buffer statistics;
};

struct migration {
    const struct adg_migrate_options *options;
    const struct adg_dataset *dataset;
    const char *folder;
    int held; /* the folder, locked; -1: not */
    struct adg_delta_log log;
    struct adg_delta_target target; /* has the log, once it is open */
    bool target_open, published;
    struct adg_arena arena;
    struct adg_engine *engine;
    struct adg_delta_column *columns; /* [fields] of the definition */
    struct adg_conversion table;      /* what the conversions of all files have in common */
    struct adg_conversion *conversions;
    struct new_file *files;
    uint32_t count;
};

/* The folder itself, and not a file in it, which would be seen. Held by runs that convert: who else writes to the table needs no lock. */
static enum adg_status lock(struct migration *m, struct adg_error *error)
{
    m->held = open(m->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (m->held < 0) {
        return adg_fail_errno(error, errno, "folder %s cannot be opened", m->folder);
    }
    if (flock(m->held, LOCK_EX | LOCK_NB) != 0) {
        return errno == EWOULDBLOCK ? adg_fail(error, ADG_FAILED, "another adg run is converting %s", m->folder)
                                    : adg_fail_errno(error, errno, "folder %s cannot be locked", m->folder);
    }
    return ADG_OK;
}

/* ---- what earlier runs have left --------------------------------------------------------------------------------- */

/* "part-00000-migration-7-<32 hexadecimal digits>.parquet", for version 7. */
static bool read_name(const char *name, int64_t *version)
{
    unsigned part;
    char unique[2 * UNIQUE_BYTES + 1], again[NAME_BYTES];
    if (sscanf(name, "part-%9u-migration-%18" SCNd64 "-%32[0-9a-f]", &part, version, unique) != 3) {
        return false;
    }
    snprintf(again, sizeof again, "part-%05u-migration-%" PRId64 "-%s.parquet", part, *version, unique);
    return strlen(unique) == 2 * (size_t)UNIQUE_BYTES && *version > 0 && strcmp(name, again) == 0;
}

/* Files are known by their names, however a path to one is written. */
static bool note(json_t *names, const char *path)
{
    return path == NULL || json_object_set_new(names, adg_path_name(path), json_true()) == 0;
}

/* The names of the files that a version's commit adds or removes, as an object; JSON's null: the commit is not there any more; true: it
 * cannot be read, and may name any. Kept in `known`. */
static json_t *names_of(const struct adg_delta_log *log, int64_t version, json_t *known)
{
    char key[ADG_DELTA_NAME_BYTES];
    json_t *actions = NULL, *action;
    size_t i;
    bool noted = true;
    adg_delta_commit_name(version, key);
    json_t *names = json_object_get(known, key);
    if (names != NULL) {
        return names;
    }
    if (adg_delta_commit_read(log, version, &actions, NULL) == ADG_OK) {
        names = json_object();
    } else {
        char *path = adg_path_join(log->path, key);
        names = path == NULL ? NULL : access(path, F_OK) == 0 ? json_true() : json_null();
        adg_free(path);
    }
    json_array_foreach(actions, i, action)
    {
        noted = noted && note(names, json_string_value(json_object_get(json_object_get(action, "add"), "path"))) &&
                note(names, json_string_value(json_object_get(json_object_get(action, "remove"), "path")));
    }
    json_decref(actions);
    /* the set takes them over, also when it fails */
    return names != NULL && json_object_set_new(known, key, names) == 0 && noted ? names : NULL;
}

/*
 * A file of ours is left over when the version that it was made for does not name it, or is still to come, which under our lock nobody is
 * about to commit; and when no other version that can be read has it: a table may have been made of the files of another one.
 */
static enum adg_status is_left(const struct adg_delta_log *log, const char *name, int64_t version, json_t *known,
                               bool *out, struct adg_error *error)
{
    *out = json_object_get(json_object_get(known, "live"), name) == NULL;
    if (*out && version <= log->version) {
        const json_t *names = names_of(log, version, known);
        *out = !json_is_null(names) && json_object_get(names, name) == NULL;
    }
    for (int64_t v = log->version; v >= 0 && *out; v--) {
        const json_t *names = names_of(log, v, known);
        if (names == NULL) {
            return adg_fail_memory(error);
        }
        *out = !json_is_true(names) && json_object_get(names, name) == NULL;
    }
    return ADG_OK;
}

static json_t *names_of_live(const struct adg_delta_log *log)
{
    json_t *names = json_object(), *add;
    bool noted = names != NULL;
    const char *path;
    json_object_foreach(log->live, path, add)
    {
        noted = noted && note(names, path);
    }
    if (!noted) {
        json_decref(names);
        return NULL;
    }
    return json_pack("{s:o}", "live", names);
}

static enum adg_status sweep(const struct adg_delta_log *log, struct adg_error *error)
{
    DIR *entries = opendir(log->folder);
    if (entries == NULL) {
        return adg_fail_errno(error, errno, "folder %s cannot be read", log->folder);
    }
    json_t *known = names_of_live(log);
    const struct dirent *entry;
    enum adg_status status = known == NULL ? adg_fail_memory(error) : ADG_OK;
    while (status == ADG_OK && (entry = readdir(entries)) != NULL) {
        int64_t version;
        bool left = false;
        if (read_name(entry->d_name, &version)) {
            status = is_left(log, entry->d_name, version, known, &left, error);
        }
        if (status == ADG_OK && left && unlinkat(dirfd(entries), entry->d_name, 0) != 0) {
            status = adg_fail_errno(error, errno, "%s/%s, which an earlier run has left, cannot be removed",
                                    log->folder, entry->d_name);
        }
    }
    closedir(entries);
    json_decref(known);
    return status;
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

/* The table's columns: names of any that the definition does not know are told, once for all files. */
static enum adg_status read_schema(struct migration *m, struct adg_error *error)
{
    const char *text = json_string_value(json_object_get(m->target.log.metadata, "schemaString"));
    json_t *schema = text != NULL ? json_loads(text, 0, NULL) : NULL, *fields = json_object_get(schema, "fields");
    size_t count = json_array_size(fields); /* it is an array: the target has looked */
    const char **names = adg_arena_array(&m->arena, count + 1, sizeof *names);
    struct adg_buffer unknown = {0};
    bool has_key = false;
    enum adg_status status = names == NULL ? adg_fail_memory(error) : ADG_OK;
    for (size_t i = 0; i < count && status == ADG_OK; i++) {
        const char *name = json_string_value(json_object_get(json_array_get(fields, i), "name"));
        names[i] = adg_arena_strdup(&m->arena, name != NULL ? name : "");
        if (names[i] == NULL) {
            status = adg_fail_memory(error);
            break;
        }
        int64_t at = adg_dataset_find_field(m->dataset, names[i]);
        has_key = has_key || at == (int64_t)m->dataset->primary_key;
        if (at < 0) {
            status = adg_buffer_printf(&unknown, error, "%s%s", unknown.size > 0 ? ", " : "", names[i]);
        }
    }
    m->table.visible = names;
    m->table.visible_count = (uint32_t)count;
    if (status == ADG_OK && !has_key) {
        status = adg_conversion_no_key(&m->table, error);
    }
    if (status == ADG_OK && unknown.size > 0) {
        status = adg_conversion_tell_unknown(&m->table, &unknown, error);
    }
    adg_buffer_fini(&unknown);
    json_decref(schema);
    return status;
}

static enum adg_status open_target(struct migration *m, struct adg_error *error)
{
    const uint32_t fields = m->dataset->field_count;
    char(*types)[24] = adg_arena_array(&m->arena, fields, sizeof *types);
    m->columns = adg_arena_array(&m->arena, fields, sizeof *m->columns);
    if (types == NULL || m->columns == NULL) {
        return adg_fail_memory(error);
    }
    for (uint32_t i = 0; i < fields; i++) {
        adg_delta_column_of(&m->dataset->fields[i], types[i], &m->columns[i]);
    }
    enum adg_status status = adg_delta_target_convert(&m->target, &m->log, m->columns, fields, error);
    m->target_open = status == ADG_OK;
    return status;
}

/* A new file for each old one. */
static enum adg_status plan_files(struct migration *m, const char *const *paths, struct adg_error *error)
{
    unsigned char bytes[UNIQUE_BYTES];
    char unique[2 * UNIQUE_BYTES + 1];
    m->conversions = adg_arena_array(&m->arena, m->count, sizeof *m->conversions);
    m->files = adg_arena_array(&m->arena, m->count, sizeof *m->files);
    if (m->conversions == NULL || m->files == NULL) {
        return adg_fail_memory(error);
    }
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes) {
        return adg_fail_errno(error, errno, "no random bytes for the names of files");
    }
    sodium_bin2hex(unique, sizeof unique, bytes, sizeof bytes);
    for (uint32_t i = 0; i < m->count; i++) {
        struct new_file *file = &m->files[i];
        snprintf(file->name, sizeof file->name, "part-%05" PRIu32 "-migration-%" PRId64 "-%s.parquet", i,
                 m->target.log.version + 1, unique);
        char *path = adg_path_join(m->folder, file->name);
        m->conversions[i] = m->table;
        m->conversions[i].file = paths[i];
        m->conversions[i].fresh = path != NULL ? adg_arena_strdup(&m->arena, path) : NULL;
        adg_free(path);
        if (m->conversions[i].fresh == NULL) {
            return adg_fail_memory(error);
        }
    }
    return ADG_OK;
}

/* ---- new files --------------------------------------------------------------------------------------------------- */

/* Rows; then of each column how many are not null, and the bounds: of a decimal its digits as a whole number. */
static const char *statistics_query(const struct migration *m, struct adg_sql *sql, const char *path)
{
    const char *list = "count(*)";
    for (uint32_t i = 0; i < m->dataset->field_count; i++) {
        const enum adg_delta_kind kind = m->columns[i].kind;
        const char *bound = kind == ADG_DELTA_NONE      ? "null, null"
                            : kind == ADG_DELTA_DECIMAL ? "cast(replace(cast(min($1) as varchar), '.', '') as bigint), "
                                                          "cast(replace(cast(max($1) as varchar), '.', '') as bigint)"
                                                        : "min($1), max($1)";
        const char *name = adg_sql_name(sql, m->columns[i].name);
        list = ADG_SQL(sql, "$1, count($2), $3", list, name, ADG_SQL(sql, bound, name));
    }
    return ADG_SQL(sql, "select $1 from read_parquet($2, hive_partitioning = false)", list, adg_sql_quote(sql, path));
}

static struct adg_delta_value value_of(const struct adg_engine_result *result, uint32_t column,
                                       enum adg_delta_kind kind)
{
    struct adg_delta_value value = {0};
    if (kind == ADG_DELTA_TEXT) {
        value.text = adg_engine_text(result, column);
    } else if (kind == ADG_DELTA_DOUBLE) {
        value.number = adg_engine_double(result, column);
    } else {
        value.integer = adg_engine_int(result, column);
    }
    return value;
}

static void take_statistics(const struct migration *m, const struct adg_engine_result *result, uint64_t rows,
                            struct adg_delta_statistics *out)
{
    for (uint32_t i = 0; i < m->dataset->field_count; i++) {
        const enum adg_delta_kind kind = m->columns[i].kind;
        uint32_t at = 1 + 3 * i;
        out[i] = (struct adg_delta_statistics){.nulls = rows - (uint64_t)adg_engine_int(result, at)};
        if (kind != ADG_DELTA_NONE && !adg_engine_is_null(result, at + 1)) {
            out[i].min = value_of(result, at + 1, kind);
            out[i].max = value_of(result, at + 2, kind);
            out[i].known = out[i].min.text.size <= BOUND_BYTES && out[i].max.text.size <= BOUND_BYTES;
        }
    }
}

static enum adg_status describe_file(const struct migration *m, const char *path, struct new_file *file,
                                     struct adg_error *error)
{
    const uint32_t fields = m->dataset->field_count;
    struct adg_arena arena = {0};
    struct adg_sql sql = {.dialect = adg_dialect_find("duckdb"), .arena = &arena, .error = error};
    struct adg_delta_statistics *statistics = adg_arena_array(&arena, fields, sizeof *statistics);
    struct adg_engine_result *result = NULL;
    struct stat info;
    bool has_row = false;
    const char *text = statistics_query(m, &sql, path);
    enum adg_status status = statistics == NULL ? adg_fail_memory(error) : sql.status;
    if (status == ADG_OK && stat(path, &info) != 0) {
        status = adg_fail_errno(error, errno, "%s cannot be read", path);
    }
    status = status == ADG_OK ? adg_engine_query(m->engine, text, path, &result, error) : status;
    status = status == ADG_OK ? adg_engine_next(result, &has_row, error) : status;
    if (status == ADG_OK && has_row) {
        file->bytes = (uint64_t)info.st_size;
        file->rows = (uint64_t)adg_engine_int(result, 0);
        take_statistics(m, result, file->rows, statistics);
        status = adg_delta_statistics_append(&file->statistics, m->columns, fields, file->rows, statistics, error);
        status = status == ADG_OK && adg_buffer_text(&file->statistics) == NULL ? adg_fail_memory(error) : status;
    }
    adg_engine_result_free(result);
    adg_arena_fini(&arena);
    return status;
}

/* Queries name every column several times: of thousands of files they are not kept. */
static enum adg_status count_misfits(const struct adg_conversion *opened, struct adg_error *error)
{
    struct adg_arena arena = {0};
    struct adg_conversion conversion = *opened;
    conversion.arena = &arena;
    enum adg_status status = adg_conversion_count(&conversion, error);
    adg_arena_fini(&arena);
    return status;
}

static enum adg_status write_file(const struct migration *m, const struct adg_conversion *opened, struct new_file *file,
                                  struct adg_error *error)
{
    struct adg_arena arena = {0};
    struct adg_conversion conversion = *opened;
    conversion.arena = &arena;
    enum adg_status status = adg_conversion_write(&conversion, error);
    status = status == ADG_OK ? adg_conversion_verify(&conversion, error) : status;
    status = status == ADG_OK ? adg_file_sync(conversion.fresh, error) : status;
    status = status == ADG_OK ? describe_file(m, conversion.fresh, file, error) : status;
    adg_arena_fini(&arena);
    return status;
}

/* Only when all values of the table fit is a file written. */
static enum adg_status write_files(struct migration *m, struct adg_error *error)
{
    m->table.misfits = adg_arena_array(&m->arena, m->dataset->field_count, sizeof *m->table.misfits);
    enum adg_status status = m->table.misfits == NULL ? adg_fail_memory(error) : ADG_OK;
    for (uint32_t i = 0; i < m->count && status == ADG_OK; i++) {
        status = adg_stop_check(error);
        status = status == ADG_OK ? adg_conversion_open(&m->conversions[i], error) : status;
        m->conversions[i].misfits = m->table.misfits; /* all files count together */
        status = status == ADG_OK ? count_misfits(&m->conversions[i], error) : status;
    }
    status = status == ADG_OK ? adg_conversion_judge(&m->table, error) : status;
    for (uint32_t i = 0; i < m->count && status == ADG_OK; i++) {
        status = adg_stop_check(error);
        status = status == ADG_OK ? write_file(m, &m->conversions[i], &m->files[i], error) : status;
    }
    return status == ADG_OK ? adg_folder_sync(m->folder, error) : status;
}

/* ---- all --------------------------------------------------------------------------------------------------------- */

/* Until they are committed they are what a VACUUM looks for, if it was told to wait for nobody. */
static enum adg_status check_files(const struct migration *m, struct adg_error *error)
{
    struct stat info;
    for (uint32_t i = 0; i < m->count; i++) {
        if (stat(m->conversions[i].fresh, &info) != 0 || (uint64_t)info.st_size != m->files[i].bytes) {
            return adg_fail(error, ADG_FAILED,
                            "%s: another program has removed new files of the table; nothing was committed, run again",
                            m->folder);
        }
    }
    return ADG_OK;
}

static enum adg_status commit(struct migration *m, struct adg_error *error)
{
    struct adg_delta_file *files = adg_arena_array(&m->arena, m->count, sizeof *files);
    json_t *said = json_pack("{s:{s:s, s:s}, s:O}", "migrated", "dataset", m->dataset->name, "tool", m->options->tool,
                             "runs", m->target.log.provenance);
    struct timespec now;
    int64_t version;
    enum adg_status status = files == NULL || said == NULL ? adg_fail_memory(error) : adg_stop_check(error);
    for (uint32_t i = 0; i < m->count && status == ADG_OK; i++) {
        const struct new_file *file = &m->files[i];
        files[i] = (struct adg_delta_file){file->name, file->rows, file->bytes, (const char *)file->statistics.data};
    }
    status = status == ADG_OK ? check_files(m, error) : status;
    if (status == ADG_OK) {
        clock_gettime(CLOCK_REALTIME, &now);
        const struct adg_delta_commit what = {.files = files,
                                              .file_count = m->count,
                                              .time_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000,
                                              .engine = m->options->tool,
                                              .provenance = said};
        status = adg_delta_target_commit(&m->target, &what, &m->published, &version, error);
    }
    json_decref(said);
    return status;
}

static enum adg_status convert(struct migration *m, const char *spill, enum adg_migration *out, struct adg_error *error)
{
    const char **paths = NULL;
    enum adg_status status = adg_delta_log_files(&m->log, &m->arena, &paths, &m->count, error);
    status = status == ADG_OK ? open_target(m, error) : status;
    status = status == ADG_OK ? sweep(&m->target.log, error) : status;
    if (status != ADG_OK) {
        return status;
    }
    if (!m->target.new_schema) {
        *out = ADG_MIGRATION_CURRENT;
        return ADG_OK;
    }
    status = read_schema(m, error);
    status = status == ADG_OK ? plan_files(m, paths, error) : status;
    status = status == ADG_OK ? adg_conversion_open_engine(m->conversions, m->count, spill, &m->engine, error) : status;
    status = status == ADG_OK ? write_files(m, error) : status;
    status = status == ADG_OK ? commit(m, error) : status;
    if (status == ADG_OK) {
        *out = ADG_MIGRATION_DONE;
    }
    return status;
}

static void close_all(struct migration *m)
{
    for (uint32_t i = 0; m->files != NULL && i < m->count; i++) {
        if (!m->published && m->conversions[i].fresh != NULL) {
            unlink(m->conversions[i].fresh);
        }
        adg_buffer_fini(&m->files[i].statistics);
    }
    adg_engine_free(m->engine);
    if (m->target_open) {
        adg_delta_target_fini(&m->target);
    }
    adg_delta_log_fini(&m->log);
    if (m->held >= 0) {
        close(m->held);
    }
    adg_arena_fini(&m->arena);
}

enum adg_status adg_migrate_delta(const struct adg_migrate_options *options, const struct adg_dataset *dataset,
                                  const char *folder, const char *spill, enum adg_migration *out,
                                  struct adg_error *error)
{
    struct migration m = {.options = options, .dataset = dataset, .folder = folder, .held = -1, .log = {.version = -1}};
    m.table = (struct adg_conversion){
        .dataset = dataset, .arena = &m.arena, .file = folder, .warn = options->warn, .context = options->context};
    enum adg_status status = lock(&m, error);
    status = status == ADG_OK ? adg_delta_read_log(folder, spill, &m.arena, &m.log, error) : status;
    if (status == ADG_OK && m.log.version >= 0) {
        status = convert(&m, spill, out, error);
    } else if (status == ADG_OK) {
        *out = ADG_MIGRATION_NONE;
    }
    close_all(&m);
    return status;
}
