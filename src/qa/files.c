/*
 * Tables as files of a data folder, which the engine reads: Parquet, CSV, parts of either, or what the log of a Delta table names.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/file.h"
#include "core/memory.h"
#include "core/strings.h"
#include "delta/log.h"
#include "qa/internal.h"

/* ---- finding ----------------------------------------------------------------------------------------------------- */

static bool is_file(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

/* The parts in a folder, sorted. */
static enum adg_status find_parts(struct adg_qa *qa, const char *folder, struct adg_qa_table *table,
                                  struct adg_error *error)
{
    enum { MAX_PARTS = 99999 };
    DIR *entries = opendir(folder);
    const char **files = NULL;
    uint32_t count = 0, capacity = 0;
    enum adg_status status = ADG_OK;
    const struct dirent *entry;
    while (entries != NULL && status == ADG_OK && count < MAX_PARTS && (entry = readdir(entries)) != NULL) {
        bool csv = adg_ends_with(entry->d_name, ".csv");
        if (strncmp(entry->d_name, "part-", 5) != 0 || (!csv && !adg_ends_with(entry->d_name, ".parquet"))) {
            continue;
        }
        if (count == capacity) {
            capacity = capacity == 0 ? 64 : 2 * capacity;
            const char **more = adg_arena_array(&qa->arena, capacity, sizeof *more);
            if (more == NULL) {
                status = adg_fail_memory(error);
                break;
            }
            if (count > 0) {
                memcpy(more, files, count * sizeof *files);
            }
            files = more;
        }
        char *path = adg_path_join(folder, entry->d_name);
        files[count] = path != NULL ? adg_arena_strdup(&qa->arena, path) : NULL;
        adg_free(path);
        status = files[count++] == NULL ? adg_fail_memory(error) : ADG_OK;
        table->csv = csv;
    }
    if (entries != NULL) {
        closedir(entries);
    }
    if (count > 0) {
        qsort(files, count, sizeof *files, adg_compare_texts);
    }
    table->files = files;
    table->file_count = count;
    return status;
}

static enum adg_status take_file(struct adg_qa *qa, const char *path, struct adg_qa_table *table,
                                 struct adg_error *error)
{
    const char **files = adg_arena_array(&qa->arena, 1, sizeof *files);
    if (files == NULL || (files[0] = adg_arena_strdup(&qa->arena, path)) == NULL) {
        return adg_fail_memory(error);
    }
    table->files = files;
    table->file_count = 1;
    return ADG_OK;
}

/* Of a Delta table, what its log names now, and what the log says of their making. Checkpoints, which adg does not write, would have
 * to be read by the engine. */
static enum adg_status find_delta(struct adg_qa *qa, const char *folder, struct adg_qa_table *table,
                                  struct adg_error *error)
{
    struct adg_delta_log log;
    const char **files = NULL;
    enum adg_status status = adg_delta_log_open(&log, folder, error);
    if (status != ADG_OK) {
        return status;
    }
    if (log.version < 0) { /* what a run that was killed has left */
        goto done;
    }
    if (log.checkpoint >= 0 || log.has_other_checkpoint) {
        status = adg_fail(error, ADG_BAD_INPUT,
                          "%s: the Delta table has a checkpoint, which is not read here: check its rows as Parquet",
                          folder);
    }
    if (status == ADG_OK) {
        status = adg_delta_log_replay(&log, 0, error);
    }
    if (status == ADG_OK) {
        status = adg_delta_log_files(&log, &qa->arena, &files, &table->file_count, error);
    }
    if (status == ADG_OK) {
        table->files = files;
        table->provenance = json_incref(log.provenance);
    }
done:
    adg_delta_log_fini(&log);
    return status;
}

/* artificial_<table>.parquet, .csv, a folder of parts, or a Delta table; *found is false when there is nothing. */
static enum adg_status find_files(struct adg_qa *qa, const char *folder, const char *name, struct adg_qa_table *table,
                                  bool *found, struct adg_error *error)
{
    static const char *const endings[] = {".parquet", ".csv", ""};
    enum adg_status status = ADG_OK;
    *found = false;
    for (size_t i = 0; i < 3 && !*found && status == ADG_OK; i++) {
        struct adg_buffer path = {0};
        table->parts = i == 2;
        status = adg_buffer_printf(&path, error, "%s/artificial_%s%s", folder, name, endings[i]);
        if (status == ADG_OK && i < 2 && is_file((const char *)path.data)) {
            table->csv = i == 1;
            status = take_file(qa, (const char *)path.data, table, error);
        } else if (status == ADG_OK && i == 2) {
            const char *at = (const char *)path.data;
            status = adg_delta_is(at) ? find_delta(qa, at, table, error) : find_parts(qa, at, table, error);
        }
        *found = table->file_count > 0;
        adg_buffer_fini(&path);
    }
    return status;
}

enum adg_status adg_qa_hash_files(struct adg_qa *qa, struct adg_qa_table *table, struct adg_error *error)
{
    char(*hashes)[65] = adg_arena_array(&qa->arena, table->file_count, sizeof *hashes);
    enum adg_status status = hashes == NULL ? adg_fail_memory(error) : ADG_OK;
    for (uint32_t i = 0; i < table->file_count && status == ADG_OK; i++) {
        status = adg_file_sha256(table->files[i], hashes[i], error);
    }
    table->sha256 = (const char(*)[65])hashes;
    return status;
}

enum adg_status adg_qa_find_files(const struct adg_qa_options *options, struct adg_qa *qa, struct adg_error *error)
{
    const struct adg_definition *definition = options->definition;
    uint32_t most = 0;
    enum adg_status status = ADG_OK;
    for (uint32_t d = 0; d < definition->dataset_count; d++) {
        most += definition->datasets[d].table_count;
    }
    qa->tables = adg_arena_array(&qa->arena, most, sizeof *qa->tables);
    char *folder = realpath(options->data_folder, NULL); /* the engine compares paths as text */
    if (qa->tables == NULL || folder == NULL) {
        status = folder == NULL ? adg_fail_errno(error, errno, "data folder %s cannot be opened", options->data_folder)
                                : adg_fail_memory(error);
    }
    for (uint32_t d = 0; d < definition->dataset_count; d++) {
        for (uint32_t t = 0; t < definition->datasets[d].table_count && status == ADG_OK; t++) {
            struct adg_qa_table *table = &qa->tables[qa->table_count];
            bool found = false;
            *table = (struct adg_qa_table){.table = definition->datasets[d].tables[t].name, .passed = true};
            status = find_files(qa, folder, table->table, table, &found, error);
            qa->table_count += found;
        }
    }
    free(folder); /* the C library's own memory */
    return status == ADG_OK && qa->table_count == 0
               ? adg_fail(error, ADG_BAD_INPUT, "data folder %s holds no table of dataset %s", options->data_folder,
                          definition->name)
               : status;
}

/* ---- opening ----------------------------------------------------------------------------------------------------- */

static const char *sql_type(const struct adg_field *field, char out[32])
{
    switch (field->type) {
    case ADG_TYPE_INT32:
        return "INTEGER";
    case ADG_TYPE_INT64:
        return "BIGINT";
    case ADG_TYPE_DOUBLE:
        return "DOUBLE";
    case ADG_TYPE_DATE:
        return "DATE";
    case ADG_TYPE_TIMESTAMP:
        return "TIMESTAMP";
    case ADG_TYPE_BOOLEAN:
        return "BOOLEAN";
    case ADG_TYPE_DECIMAL:
        snprintf(out, 32, "DECIMAL(%u,%u)", field->precision, field->scale);
        return out;
    case ADG_TYPE_STRING:
        break;
    }
    return "VARCHAR";
}

/* The files under a name: of Parquet a list in a variable, of CSV a table that is read as the definition's types. A query over a view
 * of Parquet would bind all its columns, whichever it names: of 5,000 that takes four times as long as the rest of the query. What a
 * folder is called is no column. */
static enum adg_status create(struct adg_qa_context *context, const struct adg_qa_table *table,
                              const struct adg_dataset *dataset, const char *name, struct adg_error *error)
{
    struct adg_buffer sql = {0};
    enum adg_status status = table->csv
                                 ? adg_buffer_printf(&sql, error,
                                                     "create or replace table %s as select * from read_csv(", name)
                                 : adg_buffer_printf(&sql, error, "set variable %s = ", name);
    if (status == ADG_OK) {
        status = adg_sql_list(&sql, table->files, table->file_count, error);
    }
    if (status == ADG_OK && table->csv) {
        status = adg_buffer_append_text(&sql,
                                        ", auto_detect=false, hive_partitioning=false, header=true, delim=',', "
                                        "quote='\"', escape='\"', nullstr='', columns={",
                                        error);
        for (uint32_t f = 0; f < dataset->field_count && status == ADG_OK; f++) {
            char type[32];
            status = adg_buffer_printf(&sql, error, "%s'%s': '%s'", f > 0 ? ", " : "", dataset->fields[f].name,
                                       sql_type(&dataset->fields[f], type));
        }
        if (status == ADG_OK) {
            status = adg_buffer_append_text(&sql, "})", error);
        }
    }
    if (status == ADG_OK && adg_buffer_text(&sql) == NULL) {
        status = adg_fail_memory(error);
    }
    if (status == ADG_OK) {
        status = adg_engine_execute(context->engine, (const char *)sql.data, "opening the table", error);
    }
    adg_buffer_fini(&sql);
    return status;
}

/* A column of the rows that is not as the definition says: a finding if `tell`. */
ADG_PRINTF(5, 6)
static enum adg_status misfit(struct adg_qa_context *context, const char *field, bool tell, struct adg_error *error,
                              const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return tell ? adg_qa_find(context, field, "schema", error, "%s", text) : ADG_OK;
}

/* Names, order and types of what `columns` gives. *good is false when the fields cannot be looked at. */
static enum adg_status check_schema(struct adg_qa_context *context, const struct adg_dataset *dataset,
                                    struct adg_engine_result *columns, bool tell, bool *good, struct adg_error *error)
{
    bool has_row = false;
    uint32_t column = 0;
    enum adg_status status = ADG_OK;
    *good = true;
    while (status == ADG_OK) {
        status = adg_engine_next(columns, &has_row, error);
        if (status != ADG_OK || !has_row) {
            break;
        }
        struct adg_span name = adg_engine_text(columns, 0), type = adg_engine_text(columns, 1);
        const struct adg_field *field = column < dataset->field_count ? &dataset->fields[column] : NULL;
        char expected[32];
        column++;
        if (field == NULL || name.size != strlen(field->name) || memcmp(name.data, field->name, name.size) != 0) {
            *good = false;
            return misfit(context, NULL, tell, error, "column %u is not the definition's", column);
        }
        const char *wanted = sql_type(field, expected);
        if (type.size != strlen(wanted) || memcmp(type.data, wanted, type.size) != 0) {
            *good = false;
            status = misfit(context, field->name, tell, error, "the column's type is %.*s, expected %s",
                            (int)(type.size < 60 ? type.size : 60), (const char *)type.data, wanted);
        }
    }
    if (status == ADG_OK && *good && column < dataset->field_count) {
        *good = false;
        status = misfit(context, NULL, tell, error, "column %s is missing", dataset->fields[column].name);
    }
    return status;
}

static enum adg_status name_columns(struct adg_qa_context *context, const struct adg_dataset *dataset, const char *from,
                                    struct adg_qa_rows *out, struct adg_error *error)
{
    struct adg_sql *sql = &context->sql;
    const char **columns = adg_arena_array(sql->arena, dataset->field_count, sizeof *columns);
    bool *zoned = adg_arena_array(sql->arena, dataset->field_count, sizeof *zoned); /* none is: files have no zones */
    if (columns == NULL || zoned == NULL) {
        return adg_fail_memory(error);
    }
    for (uint32_t f = 0; f < dataset->field_count; f++) {
        columns[f] = adg_sql_name(sql, dataset->fields[f].name);
    }
    *out = (struct adg_qa_rows){from, columns, zoned};
    return sql->status;
}

enum adg_status adg_qa_open_files(struct adg_qa_context *context, const struct adg_qa_table *table,
                                  const struct adg_dataset *dataset, const char *name, bool tell,
                                  struct adg_qa_rows *out, bool *good, struct adg_error *error)
{
    struct adg_error reason = {{0}};
    struct adg_engine_result *columns = NULL;
    struct adg_sql *sql = &context->sql;
    const char *from = ADG_SQL(sql, table->csv ? "$1" : "read_parquet(getvariable('$1'), hive_partitioning = false)",
                               name);
    const char *query = ADG_SQL(sql, "select column_name, column_type from (describe select * from $1)", from);
    enum adg_status status = sql->status;
    if (status == ADG_OK) {
        status = create(context, table, dataset, name, &reason);
        status = status == ADG_OK ? adg_engine_query(context->engine, query, "opening the table", &columns, &reason)
                                  : status;
        *good = status == ADG_OK;
        if (status != ADG_OK) { /* a file that cannot be read is a finding about the data */
            return tell ? adg_qa_find(context, NULL, "file", error, "%s", reason.message) : ADG_OK;
        }
        status = check_schema(context, dataset, columns, tell, good, error);
    }
    adg_engine_result_free(columns);
    return status == ADG_OK ? name_columns(context, dataset, from, out, error) : status;
}
