/*
 * A table's rows as the engine sees them: a view of Parquet files, or a table of CSV read as the definition's types.
 *
 * A query over a view binds all columns of it, whichever it names: of 5,000 columns that takes many times as long as the rest of
 * the query. So the checks of some neighbouring fields are given a view with what they look at.
 */
#include <stdio.h>

#include "core/memory.h"
#include "qa/internal.h"

const char *adg_qa_sql_type(const struct adg_field *field, char out[32])
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

/* What reads the table's files. */
static enum adg_status put_files(const struct adg_qa_table *table, const struct adg_dataset *dataset,
                                 struct adg_buffer *sql, struct adg_error *error)
{
    enum adg_status status = adg_buffer_printf(sql, error, " from read_%s(", table->csv ? "csv" : "parquet");
    if (status == ADG_OK) {
        status = adg_sql_list(sql, table->files, table->file_count, error);
    }
    if (status == ADG_OK && table->csv) {
        status = adg_buffer_append_text(
            sql, ", auto_detect=false, header=true, delim=',', quote='\"', escape='\"', nullstr='', columns={", error);
        for (uint32_t f = 0; f < dataset->field_count && status == ADG_OK; f++) {
            char type[32];
            status = adg_buffer_printf(sql, error, "%s'%s': '%s'", f > 0 ? ", " : "", dataset->fields[f].name,
                                       adg_qa_sql_type(&dataset->fields[f], type));
        }
        if (status == ADG_OK) {
            status = adg_buffer_append_text(sql, "}", error);
        }
    }
    return status == ADG_OK ? adg_buffer_append_text(sql, ")", error) : status;
}

/* Ends a statement of `sql` with the files, and runs it. */
static enum adg_status create(struct adg_qa_context *context, const struct adg_qa_table *table,
                              const struct adg_dataset *dataset, struct adg_buffer *sql, struct adg_error *error)
{
    enum adg_status status = put_files(table, dataset, sql, error);
    if (status == ADG_OK && adg_buffer_text(sql) == NULL) {
        status = adg_fail_memory(error);
    }
    return status == ADG_OK ? adg_engine_execute(context->engine, (const char *)sql->data, "opening the table", error)
                            : status;
}

enum adg_status adg_qa_open_rows(struct adg_qa_context *context, const struct adg_qa_table *table,
                                 const struct adg_dataset *dataset, const char *name, struct adg_error *error)
{
    struct adg_buffer sql = {0};
    char clear[64];
    snprintf(clear, sizeof clear, "drop view if exists %s", name);
    enum adg_status status = adg_engine_execute(context->engine, clear, "clearing the engine", NULL);
    if (status != ADG_OK) { /* it was a table */
        snprintf(clear, sizeof clear, "drop table if exists %s", name);
        status = adg_engine_execute(context->engine, clear, "clearing the engine", error);
    }
    if (status == ADG_OK) {
        status = adg_buffer_printf(&sql, error, "create %s %s as select *", table->csv ? "table" : "view", name);
    }
    if (status == ADG_OK) {
        status = create(context, table, dataset, &sql, error);
    }
    adg_buffer_fini(&sql);
    return status;
}

/* Marks what the checks of a field look at. */
static void mark_columns(const struct adg_dataset *dataset, uint32_t field, bool *wanted)
{
    const struct adg_derivation *derivation = dataset->fields[field].derivation;
    wanted[field] = true;
    for (uint32_t i = 0; derivation != NULL && i < derivation->input_count; i++) {
        wanted[derivation->inputs[i]] = true;
    }
}

enum adg_status adg_qa_open_field(struct adg_qa_context *context, uint32_t field, struct adg_error *error)
{
    enum { TOGETHER = 32 };
    const struct adg_dataset *dataset = context->dataset;
    struct adg_buffer sql = {0};
    if (context->table->csv || field % TOGETHER != 0) { /* a table binds no more than is named */
        return ADG_OK;
    }
    bool *wanted = adg_alloc_zero(dataset->field_count, sizeof *wanted);
    enum adg_status status = wanted == NULL
                                 ? adg_fail_memory(error)
                                 : adg_buffer_append_text(&sql, "create or replace view d as select 0", error);
    for (uint32_t f = field; wanted != NULL && f < dataset->field_count && f < field + TOGETHER; f++) {
        mark_columns(dataset, f, wanted);
    }
    if (wanted != NULL && dataset->patient_key >= 0) {
        wanted[dataset->patient_key] = true;
    }
    for (uint32_t f = 0; f < dataset->field_count && status == ADG_OK; f++) {
        status = wanted[f] ? adg_buffer_printf(&sql, error, ", \"%s\"", dataset->fields[f].name) : ADG_OK;
    }
    if (status == ADG_OK) {
        status = create(context, context->table, dataset, &sql, error);
    }
    adg_buffer_fini(&sql);
    adg_free(wanted);
    return status;
}
