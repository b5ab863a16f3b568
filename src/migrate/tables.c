/*
 * Converting a table: see tables.h. The order, of which every step can be the last before the process is killed: the new file is
 * written beside the old one under a hidden name (in the same folder, because confinement lets no file change folders), compared
 * with the old one value by value, and synced; the old file gets the backup as a second name; the new one is renamed over the
 * first; the backup is removed. A backup that is the same file as the table says that the last step but one was not reached,
 * another one beside a table in order that the last one was not.
 */
#include "migrate/tables.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/arena.h"
#include "core/buffer.h"
#include "core/file.h"
#include "core/memory.h"
#include "engine/dialect.h"
#include "engine/engine.h"

struct migration {
    const struct adg_migrate_options *options;
    const struct adg_dataset *dataset;
    struct adg_engine *engine;
    struct adg_arena arena;
    char *file, *backup, *fresh;
    const char **sources; /* per field: the old column's name, NULL: missing */
    const char **types;   /* per field: the old column's type */
    bool is_current;
};

/* The engine's name of a field's type. */
static void type_of(const struct adg_field *field, char out[24])
{
    static const char *const names[] = {
        [ADG_TYPE_STRING] = "VARCHAR", [ADG_TYPE_INT32] = "INTEGER", [ADG_TYPE_INT64] = "BIGINT",
        [ADG_TYPE_DOUBLE] = "DOUBLE",  [ADG_TYPE_DATE] = "DATE",     [ADG_TYPE_TIMESTAMP] = "TIMESTAMP",
        [ADG_TYPE_BOOLEAN] = "BOOLEAN"};
    if (field->type == ADG_TYPE_DECIMAL) {
        snprintf(out, 24, "DECIMAL(%u,%u)", field->precision, field->scale);
    } else {
        snprintf(out, 24, "%s", names[field->type]);
    }
}

static enum adg_status query(struct migration *m, struct adg_buffer *sql, const char *doing,
                             struct adg_engine_result **out, struct adg_error *error)
{
    const char *text = adg_buffer_text(sql);
    return text == NULL ? adg_fail_memory(error) : adg_engine_query(m->engine, text, doing, out, error);
}

static bool is_type(struct adg_span found, const char *wanted)
{
    size_t size = strlen(wanted);
    bool is_moment = strcmp(wanted, "TIMESTAMP") == 0; /* with a time zone or without */
    return (found.size == size || (is_moment && found.size > size)) && memcmp(found.data, wanted, size) == 0;
}

/* Holds the old file's columns against the definition; names those that it does not know. */
static enum adg_status describe(struct migration *m, struct adg_error *error)
{
    struct adg_buffer sql = {0}, unknown = {0};
    struct adg_engine_result *result = NULL;
    bool has_row = true;
    uint32_t column = 0;
    m->is_current = true;
    enum adg_status status = adg_buffer_append_text(
        &sql, "select column_name, column_type from (describe select * from ", error);
    status = status == ADG_OK ? adg_sql_parquet(&sql, m->file, error) : status;
    status = status == ADG_OK ? adg_buffer_append(&sql, ")", 1, error) : status;
    status = status == ADG_OK ? query(m, &sql, m->file, &result, error) : status;
    for (; status == ADG_OK; column++) {
        status = adg_engine_next(result, &has_row, error);
        if (status != ADG_OK || !has_row) {
            break;
        }
        struct adg_span name = adg_engine_text(result, 0), type = adg_engine_text(result, 1);
        const char *text = adg_arena_strndup(&m->arena, (const char *)name.data, name.size);
        const char *type_text = adg_arena_strndup(&m->arena, (const char *)type.data, type.size);
        if (text == NULL || type_text == NULL) {
            status = adg_fail_memory(error);
            break;
        }
        int64_t field = adg_dataset_find_field(m->dataset, text);
        char wanted[24] = "";
        if (field >= 0) {
            type_of(&m->dataset->fields[field], wanted);
            m->sources[field] = text;
            m->types[field] = type_text;
        } else {
            status = adg_buffer_printf(&unknown, error, "%s%s", unknown.size > 0 ? ", " : "", text);
        }
        m->is_current = m->is_current && field == (int64_t)column &&
                        strcmp(text, m->dataset->fields[field].name) == 0 && is_type(type, wanted);
    }
    m->is_current = m->is_current && column == m->dataset->field_count;
    if (status == ADG_OK && unknown.size > 0) {
        struct adg_buffer line = {0};
        status = adg_buffer_printf(&line, error, "%s: left out, since the definition does not know them: %s", m->file,
                                   adg_buffer_text(&unknown));
        if (status == ADG_OK && adg_buffer_text(&line) != NULL) {
            m->options->warn(m->options->context, adg_buffer_text(&line));
        }
        adg_buffer_fini(&line);
    }
    adg_engine_result_free(result);
    adg_buffer_fini(&sql);
    adg_buffer_fini(&unknown);
    return status;
}

/* Of a field: $1 its old column, $2 its type, $3 the old type: the value, and whether one is there that does not fit. A text that is
 * empty is null for all but text, and a number counts as the same when both are equal as decimals. */
static enum adg_status put_field(const struct migration *m, uint32_t index, bool misfit, struct adg_buffer *sql,
                                 struct adg_error *error)
{
    const struct adg_field *field = &m->dataset->fields[index];
    char type[24];
    type_of(field, type);
    if (m->sources[index] == NULL) {
        return misfit ? adg_buffer_append(sql, "false", 5, error)
                      : adg_buffer_printf(sql, error, "cast(null as %s)", type);
    }
    struct adg_buffer name = {0};
    enum adg_status status = adg_sql_identifier(&name, m->sources[index], error);
    const char *texts[] = {status == ADG_OK ? adg_buffer_text(&name) : "", type, m->types[index], NULL};
    bool from_text = strcmp(m->types[index], "VARCHAR") == 0, to_text = field->type == ADG_TYPE_STRING;
    bool from_real = strcmp(m->types[index], "DOUBLE") == 0 || strcmp(m->types[index], "FLOAT") == 0;
    bool exact = field->type == ADG_TYPE_INT32 || field->type == ADG_TYPE_INT64 || field->type == ADG_TYPE_DECIMAL;
    const char *form = "try_cast($1 as $2)";
    if (from_text && !to_text) {
        form = misfit ? exact ? "(nullif($1, '') is not null and (try_cast($1 as $2) is null or "
                                "try_cast($1 as decimal(38,15)) is distinct from "
                                "try_cast(try_cast($1 as $2) as decimal(38,15))))"
                              : "(nullif($1, '') is not null and try_cast($1 as $2) is null)"
                      : "try_cast(nullif($1, '') as $2)";
    } else if (from_real && to_text) { /* a whole number's text has no point, and none has an exponent */
        form = misfit ? "(cast($1 as varchar) similar to '.*[a-z].*')"
                      : "regexp_replace(cast($1 as varchar), '[.]0$', '')";
    } else if (misfit) {
        form = "($1 is not null and try_cast(try_cast($1 as $2) as $3) is distinct from $1)";
    }
    if (status == ADG_OK) {
        status = texts[0] == NULL ? adg_fail_memory(error) : adg_sql_fill(sql, form, texts, error);
    }
    adg_buffer_fini(&name);
    return status;
}

/* ADG_BAD_INPUT with every column's count, where there is a value that does not fit. */
static enum adg_status check_fit(struct migration *m, struct adg_error *error)
{
    struct adg_buffer sql = {0}, found = {0};
    struct adg_engine_result *result = NULL;
    bool has_row = false;
    enum adg_status status = adg_buffer_append_text(&sql, "select count(*)", error);
    for (uint32_t i = 0; i < m->dataset->field_count && status == ADG_OK; i++) {
        status = adg_buffer_append_text(&sql, ", count(*) filter (where ", error);
        status = status == ADG_OK ? put_field(m, i, true, &sql, error) : status;
        status = status == ADG_OK ? adg_buffer_append(&sql, ")", 1, error) : status;
    }
    status = status == ADG_OK ? adg_buffer_append_text(&sql, " from ", error) : status;
    status = status == ADG_OK ? adg_sql_parquet(&sql, m->file, error) : status;
    status = status == ADG_OK ? query(m, &sql, m->file, &result, error) : status;
    status = status == ADG_OK ? adg_engine_next(result, &has_row, error) : status;
    for (uint32_t i = 0; i < m->dataset->field_count && status == ADG_OK && has_row; i++) {
        int64_t count = adg_engine_int(result, i + 1);
        if (count > 0) {
            char type[24];
            adg_type_format(&m->dataset->fields[i], type);
            status = adg_buffer_printf(&found, error, "%s%s (%" PRId64 " as %s)", found.size > 0 ? ", " : "",
                                       m->dataset->fields[i].name, count, type);
        }
    }
    if (status == ADG_OK && found.size > 0) {
        const char *text = adg_buffer_text(&found);
        status = text == NULL ? adg_fail_memory(error)
                              : adg_fail(error, ADG_BAD_INPUT, "%s: values that do not fit: %s", m->file, text);
    }
    adg_engine_result_free(result);
    adg_buffer_fini(&sql);
    adg_buffer_fini(&found);
    return status;
}

/* "select V as NAME, ... from read_parquet(old)" */
static enum adg_status put_select(const struct migration *m, struct adg_buffer *sql, struct adg_error *error)
{
    enum adg_status status = adg_buffer_append_text(sql, "select ", error);
    for (uint32_t i = 0; i < m->dataset->field_count && status == ADG_OK; i++) {
        status = adg_buffer_append_text(sql, i > 0 ? ", " : "", error);
        status = status == ADG_OK ? put_field(m, i, false, sql, error) : status;
        status = status == ADG_OK ? adg_buffer_append(sql, " as ", 4, error) : status;
        status = status == ADG_OK ? adg_sql_identifier(sql, m->dataset->fields[i].name, error) : status;
    }
    status = status == ADG_OK ? adg_buffer_append_text(sql, " from ", error) : status;
    return status == ADG_OK ? adg_sql_parquet(sql, m->file, error) : status;
}

static enum adg_status convert(struct migration *m, struct adg_error *error)
{
    struct adg_buffer sql = {0};
    enum adg_status status = adg_buffer_append_text(&sql, "copy (", error);
    status = status == ADG_OK ? put_select(m, &sql, error) : status;
    status = status == ADG_OK ? adg_buffer_append_text(&sql, ") to ", error) : status;
    status = status == ADG_OK ? adg_sql_literal(&sql, m->fresh, error) : status;
    status = status == ADG_OK
                 ? adg_buffer_append_text(&sql, " (format parquet, compression zstd, use_tmp_file false)", error)
                 : status;
    const char *text = status == ADG_OK ? adg_buffer_text(&sql) : NULL;
    if (status == ADG_OK) {
        status = text == NULL ? adg_fail_memory(error) : adg_engine_execute(m->engine, text, m->file, error);
    }
    adg_buffer_fini(&sql);
    return status;
}

/* Row by row: a row more in one of them is one that differs, since `r` is never null. */
static enum adg_status verify(struct migration *m, struct adg_error *error)
{
    struct adg_buffer sql = {0};
    struct adg_engine_result *result = NULL;
    bool has_row = false;
    enum adg_status status = adg_buffer_append_text(&sql, "select count(*) from (select 1 as r, * from (", error);
    status = status == ADG_OK ? put_select(m, &sql, error) : status;
    status = status == ADG_OK ? adg_buffer_append_text(&sql, ")) a positional join (select 1 as r, * from ", error)
                              : status;
    status = status == ADG_OK ? adg_sql_parquet(&sql, m->fresh, error) : status;
    status = status == ADG_OK ? adg_buffer_append_text(&sql, ") b where a is distinct from b", error) : status;
    status = status == ADG_OK ? query(m, &sql, m->fresh, &result, error) : status;
    status = status == ADG_OK ? adg_engine_next(result, &has_row, error) : status;
    if (status == ADG_OK && (!has_row || adg_engine_int(result, 0) != 0)) {
        status = adg_fail(error, ADG_FAILED, "%s: what was written differs from it; nothing is replaced", m->file);
    }
    adg_engine_result_free(result);
    adg_buffer_fini(&sql);
    return status;
}

static bool is_same_file(const char *a, const char *b)
{
    struct stat first, second;
    return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

static enum adg_status sync_file(const char *path, struct adg_error *error)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    bool done = file >= 0 && fsync(file) == 0;
    int number = errno;
    if (file >= 0) {
        close(file);
    }
    return done ? ADG_OK : adg_fail_errno(error, number, "%s cannot be synced", path);
}

static enum adg_status replace(struct migration *m, struct adg_error *error)
{
    enum adg_status status = sync_file(m->fresh, error);
    if (status == ADG_OK && link(m->file, m->backup) != 0 && !is_same_file(m->file, m->backup)) {
        status = errno == EEXIST ? adg_fail(error, ADG_FAILED, "%s is in the way: move it elsewhere", m->backup)
                                 : adg_fail_errno(error, errno, "%s cannot be made", m->backup);
    }
    status = status == ADG_OK ? adg_folder_sync(m->options->folder, error) : status;
    if (status == ADG_OK && rename(m->fresh, m->file) != 0) {
        status = adg_fail_errno(error, errno, "%s cannot be replaced", m->file);
        unlink(m->backup); /* a second name of the same file */
    }
    return status == ADG_OK ? adg_folder_sync(m->options->folder, error) : status;
}

static enum adg_status remove_backup(const struct migration *m, struct adg_error *error)
{
    if (m->options->keep_backup || unlink(m->backup) == 0 || errno == ENOENT) {
        return ADG_OK;
    }
    return adg_fail_errno(error, errno, "%s cannot be removed", m->backup);
}

static enum adg_status migrate(struct migration *m, const char *spill, enum adg_migration *out, struct adg_error *error)
{
    const char *readable[] = {m->file, m->fresh}; /* written, too */
    const struct adg_engine_options engine = {
        .threads = 1, .memory_bytes = UINT64_C(512) << 20, .folder = spill, .readable = readable, .readable_count = 2};
    m->sources = adg_arena_array(&m->arena, m->dataset->field_count, sizeof *m->sources);
    m->types = adg_arena_array(&m->arena, m->dataset->field_count, sizeof *m->types);
    enum adg_status status = m->sources == NULL || m->types == NULL ? adg_fail_memory(error) : ADG_OK;
    status = status == ADG_OK ? adg_engine_open(&engine, &m->engine, error) : status;
    status = status == ADG_OK ? describe(m, error) : status;
    bool was_current = m->is_current;
    if (status == ADG_OK && !was_current) {
        status = check_fit(m, error);
        status = status == ADG_OK ? convert(m, error) : status;
        status = status == ADG_OK ? verify(m, error) : status;
        status = status == ADG_OK ? replace(m, error) : status;
    }
    status = status == ADG_OK ? remove_backup(m, error) : status;
    if (status == ADG_OK) {
        *out = was_current ? ADG_MIGRATION_CURRENT : ADG_MIGRATION_DONE;
    }
    return status;
}

enum adg_status adg_migrate_table(const struct adg_migrate_options *options, const struct adg_dataset *dataset,
                                  const char *table, const char *spill, enum adg_migration *out,
                                  struct adg_error *error)
{
    struct migration m = {.options = options, .dataset = dataset};
    struct adg_buffer name = {0}, backup = {0}, fresh = {0};
    struct stat info;
    enum adg_status status = adg_buffer_printf(&name, error, "%s/artificial_%s.parquet", options->folder, table);
    status = status == ADG_OK ? adg_buffer_printf(&backup, error, "%s/artificial_%s.parquet" ADG_MIGRATE_BACKUP,
                                                  options->folder, table)
                              : status;
    m.file = adg_buffer_text(&name);
    m.backup = adg_buffer_text(&backup);
    if (status == ADG_OK) {
        status = adg_buffer_printf(&fresh, error, "%s/.artificial_%s.parquet.new", options->folder, table);
    }
    m.fresh = adg_buffer_text(&fresh);
    if (status == ADG_OK && (m.file == NULL || m.backup == NULL || m.fresh == NULL)) {
        status = adg_fail_memory(error);
    }
    if (status == ADG_OK && stat(m.file, &info) != 0) {
        *out = ADG_MIGRATION_NONE;
    } else if (status == ADG_OK) {
        unlink(m.fresh); /* of a run that was killed */
        status = migrate(&m, spill, out, error);
        unlink(m.fresh); /* of one that failed: else it has another name */
    }
    adg_engine_free(m.engine);
    adg_arena_fini(&m.arena);
    adg_buffer_fini(&fresh);
    adg_buffer_fini(&name);
    adg_buffer_fini(&backup);
    return status;
}
