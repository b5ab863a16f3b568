/*
 * A run of checks over a data folder: see qa.h.
 */
#include "qa/qa.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

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

/* ---- a table ----------------------------------------------------------------------------------------------------- */

static enum adg_status check_rows(struct adg_qa_context *context, struct adg_error *error)
{
    struct adg_qa_table *table = context->table;
    enum adg_status status = adg_qa_count(context,
                                          ADG_SQL(&context->sql, "select count(*) from $1", context->rows.from),
                                          "counting rows", &table->rows, error);
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
    enum adg_status status =
        options->target != NULL
            ? adg_qa_open_relation(context, context->table, context->dataset, true, &context->rows, &good, error)
            : adg_qa_open_files(context, context->table, context->dataset, "d", true, &context->rows, &good, error);
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
            status = adg_context(error, adg_qa_check_field(context, f, error), "field %s",
                                 context->dataset->fields[f].name);
        }
    }
    return status;
}

/* ---- all --------------------------------------------------------------------------------------------------------- */

/* What the table was drawn as: what was asked for, else what provenance says (NULL: there is none), else what is usual there. */
static enum adg_status choose_profile(struct adg_qa_context *context, const char *stated, struct adg_error *error)
{
    struct adg_qa_table *table = context->table;
    const char *asked = context->options->profile;
    const char *profile = asked != NULL             ? asked
                          : stated != NULL          ? stated
                          : table->relation != NULL ? "coherent"
                                                    : "reference";
    table->profile_from = asked != NULL ? "option" : stated != NULL ? "provenance" : "default";
    context->coherent = strcmp(profile, "coherent") == 0;
    table->profile = context->coherent ? "coherent" : "reference";
    return context->coherent || strcmp(profile, "reference") == 0
               ? ADG_OK
               : adg_fail(error, ADG_BAD_INPUT, "the provenance names profile %.40s, which this version cannot check",
                          profile);
}

/* What one run tells of rows that it planned, and the metadata that they came from. *profile stays where it tells nothing. */
static enum adg_status take_provenance(struct adg_qa_context *context, json_t *entry, const char **profile,
                                       struct adg_error *error)
{
    const char *manifest = NULL;
    json_int_t rows = 0, rows_asked = 0;
    if (entry == NULL || json_unpack(entry, "{s:s, s:s, s?I, s?I}", "manifest_sha256", &manifest, "profile", profile,
                                     "rows", &rows, "rows_asked", &rows_asked) != 0) {
        return ADG_OK;
    }
    context->table->planned_rows += (uint64_t)(rows > 0 ? rows : rows_asked);
    return strcmp(manifest, context->qa->manifest_sha256) != 0
               ? adg_qa_find(context, NULL, "provenance", error,
                             "the table was made from other metadata (manifest %.12s, expected %.12s)", manifest,
                             context->qa->manifest_sha256)
               : ADG_OK;
}

/* Whether each run tells how many rows it has added: a shard, say, does not. */
static bool tells_rows(json_t *entries)
{
    bool all = true;
    for (size_t i = 0; i < json_array_size(entries); i++) {
        all = all && json_integer_value(json_object_get(json_array_get(entries, i), "rows")) > 0;
    }
    return all;
}

/* What provenance.json, the log of a Delta table or a database's comment says of the table. */
static enum adg_status read_provenance(struct adg_qa_context *context, json_t *files, struct adg_error *error)
{
    struct adg_qa_table *table = context->table;
    struct adg_buffer name = {0};
    const char *profile = NULL;
    enum adg_status status = adg_buffer_printf(&name, error, "artificial_%s%s", table->table,
                                               table->parts ? ""
                                               : table->csv ? ".csv"
                                                            : ".parquet");
    for (size_t i = 0; i < json_array_size(table->provenance) && status == ADG_OK; i++) {
        status = take_provenance(context, json_array_get(table->provenance, i), &profile, error);
    }
    if (table->relation != NULL && !tells_rows(table->provenance)) {
        table->planned_rows = 0;
    }
    if (status == ADG_OK && table->relation == NULL && table->provenance == NULL) {
        status = take_provenance(context, json_object_get(files, (const char *)name.data), &profile, error);
    }
    if (status == ADG_OK) {
        status = choose_profile(context, profile, error);
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

/* An engine that reads the files, and nothing else. */
static enum adg_status open_files(const struct adg_qa_options *options, const struct adg_qa *qa, char **spill,
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

/* The tables that there are, and the engine that has their rows. */
static enum adg_status open_tables(const struct adg_qa_options *options, struct adg_qa *qa, char **spill,
                                   struct adg_engine **out, struct adg_error *error)
{
    if (options->target == NULL) {
        enum adg_status status = adg_qa_find_files(options, qa, error);
        return status == ADG_OK ? open_files(options, qa, spill, out, error) : status;
    }
    const struct adg_engine_options engine_options = {.threads = options->threads, .folder = options->spill};
    enum adg_status status = adg_engine_open_target(options->target, &engine_options, out, error);
    qa->engine = options->target->shown;
    return status == ADG_OK ? adg_qa_find_relations(options, *out, qa, error) : status;
}

static enum adg_status run_table(struct adg_qa_context *context, json_t *provenance, struct adg_error *error)
{
    const struct adg_qa_options *options = context->options;
    struct adg_qa_table *table = context->table;
    struct adg_arena arena = {0};
    const struct adg_dialect *dialect = options->target != NULL ? options->target->dialect : adg_dialect_find("duckdb");
    context->sql = (struct adg_sql){.dialect = dialect, .arena = &arena, .error = error};
    enum adg_status status = adg_definition_find_table(options->definition, table->table, &context->dataset, NULL,
                                                       error);
    if (status == ADG_OK && table->relation == NULL) {
        status = adg_qa_hash_files(context->qa, table, error);
    }
    if (status == ADG_OK && table->relation != NULL) {
        status = adg_qa_read_comment(context, error);
    }
    if (status == ADG_OK) {
        status = read_provenance(context, json_object_get(provenance, "files"), error);
    }
    if (status == ADG_OK) {
        status = adg_metadata_load(options->metadata, table->table, NULL, error);
    }
    if (status == ADG_OK) {
        status = check_table(context, error);
        adg_metadata_unload(options->metadata, table->table, NULL);
    }
    adg_arena_fini(&arena);
    return adg_context(error, status, "table %s", table->table);
}

enum adg_status adg_qa_run(const struct adg_qa_options *options, struct adg_qa *out, struct adg_error *error)
{
    struct adg_qa qa = {.passed = true};
    struct adg_qa_context context = {.options = options, .qa = &qa};
    json_t *provenance = NULL;
    char *spill = NULL;
    memcpy(qa.manifest_sha256, options->metadata->manifest_sha256, sizeof qa.manifest_sha256);
    enum adg_status status = open_tables(options, &qa, &spill, &context.engine, error);
    char *path = options->data_folder != NULL ? adg_path_join(options->data_folder, "provenance.json") : NULL;
    if (status == ADG_OK && options->data_folder != NULL) {
        status = path == NULL ? adg_fail_memory(error) : ADG_OK;
        provenance = path != NULL ? json_load_file(path, JSON_REJECT_DUPLICATES, NULL) : NULL;
    }
    if (status == ADG_OK) {
        qa.tests = count_tests(options, &qa);
        context.log_term = log(2 * qa.tests / ADG_QA_SIGNIFICANCE);
    }
    for (uint32_t t = 0; t < qa.table_count && status == ADG_OK; t++) {
        context.table = &qa.tables[t];
        status = run_table(&context, provenance, error);
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
    for (uint32_t t = 0; qa->tables != NULL && t < qa->table_count; t++) {
        json_decref(qa->tables[t].provenance);
    }
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
    json_t *made = json_pack("{s:s, s:s, s:s, s:s, s:I, s:o}", "table", table->table, "profile", table->profile,
                             "profile_from", table->profile_from, "result", table->passed ? "pass" : "fail", "rows",
                             (json_int_t)table->rows, "files", files);
    if (made != NULL && table->relation != NULL) {
        json_object_set_new(made, "relation", json_string(table->relation));
    }
    return made;
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
    if (root != NULL && qa->engine != NULL) {
        json_object_set_new(root, "engine", json_string(qa->engine));
    }
    enum adg_status status = adg_json_append(out, root, JSON_INDENT(1) | JSON_REAL_PRECISION(9), error);
    json_decref(root);
    return status;
}
