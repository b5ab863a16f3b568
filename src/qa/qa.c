/*
 * A run of checks over a data folder: see qa.h.
 */
#include "qa/qa.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/file.h"
#include "core/memory.h"
#include "core/stop.h"
#include "core/version.h"
#include "engine/spill.h"
#include "metadata/json.h"
#include "qa/internal.h"

enum { FORMAT = 1 };

/* ---- results ----------------------------------------------------------------------------------------------------- */

enum adg_status adg_qa_find(struct adg_qa_context *context, const char *field, const char *check,
                            struct adg_error *error, const char *format, ...)
{
    struct adg_qa *qa = context->qa;
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (qa->finding_count == qa->finding_capacity) {
        struct adg_qa_finding *findings = adg_grow_array(qa->findings, &qa->finding_capacity, 64, sizeof *findings);
        if (findings == NULL) {
            return adg_fail_memory(error);
        }
        qa->findings = findings;
    }
    const char *copy = adg_arena_strdup(&qa->arena, text);
    if (copy == NULL) {
        return adg_fail_memory(error);
    }
    qa->findings[qa->finding_count++] = (struct adg_qa_finding){context->table->table, field, check, copy};
    context->table->passed = qa->passed = false;
    return ADG_OK;
}

enum adg_status adg_qa_add_field(struct adg_qa_context *context, const struct adg_qa_field *field,
                                 struct adg_error *error)
{
    struct adg_qa *qa = context->qa;
    if (qa->field_count == qa->field_capacity) {
        struct adg_qa_field *fields = adg_grow_array(qa->fields, &qa->field_capacity, 256, sizeof *fields);
        if (fields == NULL) {
            return adg_fail_memory(error);
        }
        qa->fields = fields;
    }
    qa->fields[qa->field_count] = *field;
    qa->fields[qa->field_count++].table = context->table->table;
    return ADG_OK;
}

enum adg_status adg_qa_count(struct adg_qa_context *context, const char *sql, const char *doing, uint64_t *out,
                             struct adg_error *error)
{
    struct adg_engine_result *result = NULL;
    bool has_row = false;
    enum adg_status status = adg_engine_query(context->engine, sql, doing, &result, error);
    if (status == ADG_OK) {
        status = adg_engine_next(result, &has_row, error);
    }
    if (status == ADG_OK) {
        *out = has_row && !adg_engine_is_null(result, 0) ? (uint64_t)adg_engine_int(result, 0) : 0;
    }
    adg_engine_result_free(result);
    return status;
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

static bool is_file(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length > tail && strcmp(text + length - tail, end) == 0;
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
        bool csv = ends_with(entry->d_name, ".csv");
        if (strncmp(entry->d_name, "part-", 5) != 0 || (!csv && !ends_with(entry->d_name, ".parquet"))) {
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
        qsort(files, count, sizeof *files, by_name);
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

/* artificial_<table>.parquet, .csv, or a folder of parts; *found is false when there is nothing. */
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
            status = find_parts(qa, (const char *)path.data, table, error);
        }
        *found = table->file_count > 0;
        adg_buffer_fini(&path);
    }
    return status;
}

static enum adg_status hash_files(struct adg_qa *qa, struct adg_qa_table *table, struct adg_error *error)
{
    char(*hashes)[65] = adg_arena_array(&qa->arena, table->file_count, sizeof *hashes);
    enum adg_status status = hashes == NULL ? adg_fail_memory(error) : ADG_OK;
    for (uint32_t i = 0; i < table->file_count && status == ADG_OK; i++) {
        status = adg_file_sha256(table->files[i], hashes[i], error);
    }
    table->sha256 = (const char(*)[65])hashes;
    return status;
}

/* ---- a table ----------------------------------------------------------------------------------------------------- */

/* Names, order and types. *good is false when the fields cannot be looked at. */
static enum adg_status check_schema(struct adg_qa_context *context, bool *good, struct adg_error *error)
{
    const struct adg_dataset *dataset = context->dataset;
    struct adg_engine_result *result = NULL;
    bool has_row = false;
    uint32_t column = 0;
    enum adg_status status = adg_engine_query(context->engine, "select column_name, column_type from (describe d)",
                                              "reading the schema", &result, error);
    *good = true;
    while (status == ADG_OK) {
        status = adg_engine_next(result, &has_row, error);
        if (status != ADG_OK || !has_row) {
            break;
        }
        struct adg_span name = adg_engine_text(result, 0), type = adg_engine_text(result, 1);
        const struct adg_field *field = column < dataset->field_count ? &dataset->fields[column] : NULL;
        char expected[32];
        column++;
        if (field == NULL || name.size != strlen(field->name) || memcmp(name.data, field->name, name.size) != 0) {
            *good = false;
            status = adg_qa_find(context, NULL, "schema", error, "column %u is not the definition's", column);
            break;
        }
        const char *wanted = adg_qa_sql_type(field, expected);
        if (type.size != strlen(wanted) || memcmp(type.data, wanted, type.size) != 0) {
            *good = false;
            status = adg_qa_find(context, field->name, "schema", error, "the column's type is %.*s, expected %s",
                                 (int)(type.size < 60 ? type.size : 60), (const char *)type.data, wanted);
        }
    }
    adg_engine_result_free(result);
    if (status == ADG_OK && *good && column < dataset->field_count) {
        *good = false;
        status = adg_qa_find(context, NULL, "schema", error, "column %s is missing", dataset->fields[column].name);
    }
    return status;
}

static enum adg_status check_rows(struct adg_qa_context *context, struct adg_error *error)
{
    struct adg_qa_table *table = context->table;
    enum adg_status status = adg_qa_count(context, "select count(*) from d", "counting rows", &table->rows, error);
    if (status == ADG_OK && table->rows <= ADG_QA_FEWEST_ROWS) {
        status = adg_qa_find(context, NULL, "rows", error, "there are %" PRIu64 " rows, expected more than %d",
                             table->rows, ADG_QA_FEWEST_ROWS);
    }
    if (status == ADG_OK && table->planned_rows > 0 && table->rows != table->planned_rows) {
        status = adg_qa_find(context, NULL, "rows", error, "there are %" PRIu64 " rows, %" PRIu64 " were planned",
                             table->rows, table->planned_rows);
    }
    return status;
}

static enum adg_status check_table(struct adg_qa_context *context, struct adg_error *error)
{
    const struct adg_qa_options *options = context->options;
    bool good = false;
    struct adg_error reason = {{0}};
    enum adg_status status = adg_qa_open_rows(context, context->table, context->dataset, "d", &reason);
    if (status != ADG_OK) { /* a file that cannot be read is a finding about the data */
        return adg_qa_find(context, NULL, "file", error, "%s", reason.message);
    }
    status = check_schema(context, &good, error);
    if (status == ADG_OK && good) {
        status = check_rows(context, error);
    }
    if (status == ADG_OK && good && context->table->rows > 0) {
        status = adg_qa_check_patients(context, error);
    }
    if (status == ADG_OK && good && context->table->rows > 0 && context->coherent) {
        status = adg_qa_check_rules(context, error);
    }
    for (uint32_t f = 0; status == ADG_OK && good && f < context->dataset->field_count && context->table->rows > 0;
         f++) {
        status = adg_stop_check(error);
        if (status == ADG_OK && options->report != NULL) {
            options->report(options->context, "checking fields", context->table->table, f,
                            context->dataset->field_count);
        }
        if (status == ADG_OK) {
            status = adg_qa_open_field(context, f, error);
        }
        if (status == ADG_OK) {
            status = adg_context(error, adg_qa_check_field(context, f, error), "field %s",
                                 context->dataset->fields[f].name);
        }
    }
    return status;
}

/* ---- all --------------------------------------------------------------------------------------------------------- */

/* What provenance.json says of the table: rows that were planned, and the metadata that they came from. */
static enum adg_status read_provenance(struct adg_qa_context *context, json_t *files, struct adg_error *error)
{
    struct adg_qa_table *table = context->table;
    struct adg_buffer name = {0};
    const char *manifest = NULL, *profile = NULL;
    const char *asked = context->options->profile;
    json_int_t rows = 0, rows_asked = 0;
    enum adg_status status = adg_buffer_printf(&name, error, "artificial_%s%s", table->table,
                                               table->parts ? ""
                                               : table->csv ? ".csv"
                                                            : ".parquet");
    context->coherent = asked != NULL && strcmp(asked, "coherent") == 0;
    table->profile = context->coherent ? "coherent" : "reference";
    json_t *entry = status == ADG_OK ? json_object_get(files, (const char *)name.data) : NULL;
    if (entry != NULL && json_unpack(entry, "{s:s, s:s, s?I, s?I}", "manifest_sha256", &manifest, "profile", &profile,
                                     "rows", &rows, "rows_asked", &rows_asked) == 0) {
        table->planned_rows = (uint64_t)(rows > 0 ? rows : rows_asked);
        profile = asked != NULL ? asked : profile;
        context->coherent = strcmp(profile, "coherent") == 0;
        table->profile = context->coherent ? "coherent" : "reference";
        if (!context->coherent && strcmp(profile, "reference") != 0) {
            status = adg_fail(error, ADG_BAD_INPUT,
                              "provenance.json names profile %.40s, which this version cannot check", profile);
        }
        if (status == ADG_OK && strcmp(manifest, context->qa->manifest_sha256) != 0) {
            status = adg_qa_find(context, NULL, "provenance", error,
                                 "the table was made from other metadata (manifest %.12s, expected %.12s)", manifest,
                                 context->qa->manifest_sha256);
        }
    }
    adg_buffer_fini(&name);
    return status;
}

/* T: every share of every table once, and a few tests of each field. */
static double count_tests(const struct adg_qa_options *options, const struct adg_qa *qa)
{
    double tests = 0;
    for (uint32_t t = 0; t < qa->table_count; t++) {
        const struct adg_dataset *dataset = NULL;
        if (adg_definition_find_table(options->definition, qa->tables[t].table, &dataset, NULL, NULL) == ADG_OK) {
            tests += 4.0 * dataset->field_count;
        }
    }
    /* sorted dates are tested against the union of their dates: at most so many times as there are of them */
    return tests + 16.0 * (double)options->metadata->row_count;
}

static enum adg_status find_tables(const struct adg_qa_options *options, struct adg_qa *qa, struct adg_error *error)
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
            table->table = definition->datasets[d].tables[t].name;
            table->passed = true;
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

static enum adg_status open_engine(const struct adg_qa_options *options, const struct adg_qa *qa, char **spill,
                                   struct adg_engine **out, struct adg_error *error)
{
    struct adg_arena arena = {0};
    uint32_t count = 0;
    struct adg_buffer inside = {0};
    for (uint32_t t = 0; t < qa->table_count; t++) {
        count += qa->tables[t].file_count;
    }
    const char **files = adg_arena_array(&arena, count, sizeof *files);
    enum adg_status status = files == NULL ? adg_fail_memory(error)
                                           : adg_buffer_printf(&inside, error, "%s/qa", options->data_folder);
    count = 0;
    for (uint32_t t = 0; t < qa->table_count && status == ADG_OK; t++) {
        for (uint32_t i = 0; i < qa->tables[t].file_count; i++) {
            files[count++] = qa->tables[t].files[i];
        }
    }
    if (status == ADG_OK) {
        status = adg_spill_create((const char *)inside.data, spill, error);
    }
    if (status == ADG_OK) {
        const struct adg_engine_options engine_options = {
            .threads = options->threads, .folder = *spill, .readable = files, .readable_count = count};
        status = adg_engine_open(&engine_options, out, error);
    }
    adg_buffer_fini(&inside);
    adg_arena_fini(&arena);
    return status;
}

enum adg_status adg_qa_run(const struct adg_qa_options *options, struct adg_qa *out, struct adg_error *error)
{
    struct adg_qa qa = {.passed = true};
    struct adg_qa_context context = {.options = options, .qa = &qa};
    char *spill = NULL, *path = adg_path_join(options->data_folder, "provenance.json");
    memcpy(qa.manifest_sha256, options->metadata->manifest_sha256, sizeof qa.manifest_sha256);
    enum adg_status status = path == NULL ? adg_fail_memory(error) : find_tables(options, &qa, error);
    json_t *provenance = status == ADG_OK ? json_load_file(path, JSON_REJECT_DUPLICATES, NULL) : NULL;
    if (status == ADG_OK) {
        qa.tests = count_tests(options, &qa);
        context.log_term = log(2 * qa.tests / ADG_QA_SIGNIFICANCE);
        status = open_engine(options, &qa, &spill, &context.engine, error);
    }
    for (uint32_t t = 0; t < qa.table_count && status == ADG_OK; t++) {
        context.table = &qa.tables[t];
        status = adg_definition_find_table(options->definition, context.table->table, &context.dataset, NULL, error);
        if (status == ADG_OK) {
            status = hash_files(&qa, context.table, error);
        }
        if (status == ADG_OK) {
            status = read_provenance(&context, json_object_get(provenance, "files"), error);
        }
        if (status == ADG_OK) {
            status = adg_metadata_load(options->metadata, context.table->table, NULL, error);
        }
        if (status == ADG_OK) {
            status = check_table(&context, error);
            adg_metadata_unload(options->metadata, context.table->table, NULL);
        }
        adg_context(error, status, "table %s", context.table->table);
    }
    json_decref(provenance);
    adg_engine_free(context.engine);
    status = adg_spill_remove(spill, status, error);
    adg_free(path);
    if (status != ADG_OK) {
        adg_qa_fini(&qa);
        return status;
    }
    *out = qa;
    return ADG_OK;
}

void adg_qa_fini(struct adg_qa *qa)
{
    adg_arena_fini(&qa->arena);
    adg_free(qa->findings);
    adg_free(qa->fields);
    *qa = (struct adg_qa){0};
}

/* ---- qa.json ----------------------------------------------------------------------------------------------------- */

static const char *last_words(const char *path, uint32_t words)
{
    const char *at = path + strlen(path);
    while (at > path && words > 0) {
        at--;
        words -= *at == '/';
    }
    return *at == '/' ? at + 1 : at;
}

static json_t *table_json(const struct adg_qa_table *table)
{
    json_t *files = json_array();
    for (uint32_t i = 0; i < table->file_count; i++) {
        json_array_append_new(files, json_pack("{s:s, s:s}", "name", last_words(table->files[i], table->parts ? 2 : 1),
                                               "sha256", table->sha256[i]));
    }
    return json_pack("{s:s, s:s, s:s, s:I, s:o}", "table", table->table, "profile", table->profile, "result",
                     table->passed ? "pass" : "fail", "rows", (json_int_t)table->rows, "files", files);
}

enum adg_status adg_qa_write(const struct adg_qa *qa, struct adg_buffer *out, struct adg_error *error)
{
    json_t *tables = json_array(), *findings = json_array(), *fields = json_array();
    for (uint32_t t = 0; t < qa->table_count; t++) {
        json_array_append_new(tables, table_json(&qa->tables[t]));
    }
    for (size_t i = 0; i < qa->finding_count; i++) {
        const struct adg_qa_finding *finding = &qa->findings[i];
        json_array_append_new(findings, json_pack("{s:s, s:s?, s:s, s:s}", "table", finding->table, "field",
                                                  finding->field, "check", finding->check, "found", finding->text));
    }
    for (size_t i = 0; i < qa->field_count; i++) {
        const struct adg_qa_field *field = &qa->fields[i];
        json_t *object = json_pack("{s:s, s:s, s:s, s:f, s:f, s:f, s:b}", "table", field->table, "field", field->field,
                                   "measure", field->measure, "distance", field->distance, "bound", field->bound,
                                   "samples", field->samples, "passed", (int)field->passed);
        if (field->drifts) {
            json_object_set_new(object, "drift", json_real(field->drift));
        }
        if (field->null_drifts) {
            json_object_set_new(object, "null_drift", json_real(field->null_drift));
        }
        json_array_append_new(fields, object);
    }
    json_t *root = json_pack("{s:i, s:s, s:s, s:s, s:f, s:f, s:o, s:o, s:o}", "format", FORMAT, "tool",
                             ADG_TOOL_VERSION, "result", qa->passed ? "pass" : "fail", "manifest_sha256",
                             qa->manifest_sha256, "significance", ADG_QA_SIGNIFICANCE, "tests", qa->tests, "tables",
                             tables, "findings", findings, "fields", fields);
    enum adg_status status = adg_json_append(out, root, JSON_INDENT(1) | JSON_REAL_PRECISION(9), error);
    json_decref(root);
    return status;
}
