/*
 * Counting in a database: see query.h. Here its columns, what of them cannot be read, and the order of things.
 */
#include "scrape/query.h"

#include <inttypes.h>
#include <stdio.h>

#include "core/memory.h"
#include "core/stop.h"
#include "scrape/csv.h"

/* ---- asking ------------------------------------------------------------------------------------------------------ */

enum adg_status adg_query_numbers(struct adg_query *query, const char *text, const char *doing, uint64_t *out,
                                  uint32_t count, struct adg_error *error)
{
    struct adg_engine_result *result = NULL;
    bool has_row = false;
    enum adg_status status = query->sql.status;
    if (status == ADG_OK) {
        status = adg_stop_check(error);
    }
    if (status == ADG_OK) {
        status = adg_engine_query(query->engine, text, doing, &result, error);
    }
    if (status == ADG_OK) {
        status = adg_engine_next(result, &has_row, error);
    }
    if (status == ADG_OK && !has_row) {
        status = adg_fail(error, ADG_FAILED, "%s: the engine gave no answer", doing);
    }
    for (uint32_t i = 0; i < count && status == ADG_OK; i++) {
        out[i] = adg_engine_is_null(result, i) ? 0 : (uint64_t)adg_engine_int(result, i);
    }
    adg_engine_result_free(result);
    return status;
}

enum adg_status adg_query_text(const struct adg_engine_result *result, uint32_t column, struct adg_span *out,
                               struct adg_error *error)
{
    *out = adg_engine_text(result, column);
    return adg_is_utf8(out->data, out->size)
               ? ADG_OK
               : adg_fail(error, ADG_BAD_INPUT,
                          "the database holds text that is no UTF-8 and gives no encoding for it");
}

const char *adg_query_rows(struct adg_query *query, const uint32_t *fields, uint32_t count)
{
    struct adg_sql *sql = &query->sql;
    /* those without a patient share a bit with others: that proves less, never more */
    const char *patient = query->patient != NULL
                              ? ADG_SQL(sql, "coalesce($1, 1) as b, $2 as p",
                                        ADG_SQL(sql, sql->dialect->bit, query->patient), query->patient)
                              : ADG_SQL(sql, "cast(0 as bigint) as b, cast(null as $1) as p", sql->dialect->text);
    if (count == 1) {
        return ADG_SQL(sql, "(select $1 as f, $2 as v, $3 from $4) u", adg_sql_number(sql, fields[0]),
                       query->readings[fields[0]].value, patient, query->from);
    }
    struct adg_buffer values = {0}, items = {0};
    for (uint32_t i = 0; i < count && sql->status == ADG_OK; i++) {
        const char *number = adg_sql_number(sql, fields[i]), *name = ADG_SQL(sql, "v$1", number);
        const char *item = ADG_SQL(sql, sql->dialect->item, number, name);
        sql->status = adg_buffer_printf(&values, sql->error, "%s as %s, ", query->readings[fields[i]].value, name);
        if (sql->status == ADG_OK) {
            sql->status = adg_buffer_printf(&items, sql->error, "%s%s", i > 0 ? ", " : "", item);
        }
    }
    const char *columns = adg_buffer_text(&values), *list = adg_buffer_text(&items), *made = "";
    if (sql->status == ADG_OK) {
        sql->status = columns == NULL || list == NULL ? adg_fail_memory(sql->error) : ADG_OK;
    }
    if (sql->status == ADG_OK) {
        made = ADG_SQL(sql, sql->dialect->items, ADG_SQL(sql, "(select $1$2 from $3)", columns, patient, query->from),
                       adg_sql_number(sql, count), list);
    }
    adg_buffer_fini(&values);
    adg_buffer_fini(&items);
    return made;
}

/* ---- columns ----------------------------------------------------------------------------------------------------- */

static bool is_person(const struct adg_field *field)
{
    return field->value_type == ADG_VALUE_DEMOGRAPHIC_CATEGORICAL || field->value_type == ADG_VALUE_DEMOGRAPHIC_DATE;
}

static bool is_key(const struct adg_dataset *dataset, uint32_t field)
{
    return field == dataset->primary_key || (int64_t)field == dataset->patient_key;
}

/* How the fields are read that are: keys, and what is sampled. */
static enum adg_status make_readings(struct adg_query *query, const char *const *names,
                                     const enum adg_result_kind *kinds, struct adg_error *error)
{
    const struct adg_dataset *dataset = query->table->dataset;
    for (uint32_t f = 0; f < dataset->field_count && query->sql.status == ADG_OK; f++) {
        const struct adg_field *field = &dataset->fields[f];
        bool needed = is_key(dataset, f) ||
                      (field->role == ADG_ROLE_SAMPLED && (query->table->has_patients || !is_person(field)));
        if (query->column_of[f] < 0 || !needed) {
            continue;
        }
        enum adg_result_kind kind = kinds[query->column_of[f]];
        if (kind == ADG_COLUMN_OTHER ||
            ((is_person(field) || is_key(dataset, f)) && (kind == ADG_COLUMN_TIMESTAMP || kind == ADG_COLUMN_ZONED))) {
            return adg_fail(error, ADG_BAD_INPUT, "%s: column %s has a type that no field can have", query->source,
                            names[query->column_of[f]]);
        }
        adg_reading_make(&query->sql, adg_sql_name(&query->sql, names[query->column_of[f]]), kind, field,
                         &query->readings[f]);
    }
    if (query->sql.status == ADG_OK && query->table->has_patients) {
        query->patient = adg_reading_text(&query->sql, &query->readings[dataset->patient_key]);
    }
    if (query->sql.status == ADG_OK) {
        query->primary = adg_reading_text(&query->sql, &query->readings[dataset->primary_key]);
    }
    return query->sql.status;
}

static enum adg_status open_columns(struct adg_query *query, struct adg_manifest_table *manifest,
                                    struct adg_arena *arena, struct adg_error *error)
{
    struct adg_engine_result *result = NULL;
    enum adg_status status = adg_engine_describe_table(query->engine, query->source, &result, error);
    if (status != ADG_OK) {
        return status;
    }
    struct adg_columns columns = {.source = query->source, .count = adg_engine_column_count(result)};
    const char **names = adg_arena_array(arena, columns.count + (size_t)1, sizeof *names);
    enum adg_result_kind *kinds = adg_arena_array(arena, columns.count + (size_t)1, sizeof *kinds);
    status = names == NULL || kinds == NULL ? adg_fail_memory(error) : ADG_OK;
    for (uint32_t c = 0; c < columns.count && status == ADG_OK; c++) {
        names[c] = adg_arena_strdup(arena, adg_engine_column(result, c, &kinds[c]));
        status = names[c] == NULL ? adg_fail_memory(error) : ADG_OK;
    }
    adg_engine_result_free(result);
    columns.names = names;
    if (status == ADG_OK) {
        status = adg_columns_differ(&columns, error);
    }
    if (status == ADG_OK) {
        status = adg_columns_find(&columns, query->options, query->table, query->column_of, manifest, arena, error);
    }
    query->from = adg_sql_table(&query->sql, query->source);
    return status == ADG_OK ? make_readings(query, names, kinds, error) : status;
}

/* ---- what cannot be read ----------------------------------------------------------------------------------------- */

static enum adg_status tell_unreadable(const struct adg_query *query, uint32_t field, uint64_t count,
                                       struct adg_error *error)
{
    const struct adg_field *definition = &query->table->dataset->fields[field];
    char type[24], message[1024], amount[64];
    adg_type_format(definition, type);
    if (query->options->strict) {
        return adg_fail(error, ADG_BAD_INPUT, "%s: field %s: expected %s, found what is none", query->source,
                        definition->name, type);
    }
    adg_control_amount(&query->table->control, count, amount);
    snprintf(message, sizeof message, "%s: field %s: %s cannot be read as %s and count as null", query->source,
             definition->name, amount, type);
    query->options->progress.warn(query->options->progress.context, message);
    return ADG_OK;
}

/* All fields that may hold such values, in one query. */
static enum adg_status check_unreadable(struct adg_query *query, struct adg_error *error)
{
    const struct adg_dataset *dataset = query->table->dataset;
    struct adg_buffer text = {0};
    uint64_t *counts = adg_arena_array(query->sql.arena, dataset->field_count + (size_t)1, sizeof *counts);
    uint32_t count = 0;
    enum adg_status status = counts == NULL ? adg_fail_memory(error) : adg_buffer_append_text(&text, "select ", error);
    for (uint32_t f = 0; f < dataset->field_count && status == ADG_OK; f++) {
        const struct adg_reading *reading = &query->readings[f];
        if (reading->value != NULL && reading->can_fail) {
            status = adg_buffer_printf(&text, error, "%scount(%s) - count(%s) as c%" PRIu32, count > 0 ? ", " : "",
                                       reading->filled, reading->value, count);
            count++;
        }
    }
    if (status == ADG_OK && count > 0) {
        status = adg_buffer_printf(&text, error, " from %s", query->from);
    }
    const char *made = status == ADG_OK ? adg_buffer_text(&text) : NULL;
    if (status == ADG_OK && count > 0) {
        status = made == NULL ? adg_fail_memory(error)
                              : adg_query_numbers(query, made, "reading the values", counts, count, error);
    }
    count = 0;
    for (uint32_t f = 0; f < dataset->field_count && status == ADG_OK; f++) {
        const struct adg_reading *reading = &query->readings[f];
        if (reading->value != NULL && reading->can_fail && counts[count++] > 0) {
            status = tell_unreadable(query, f, counts[count - 1], error);
        }
    }
    adg_buffer_fini(&text);
    return status;
}

/* ---- all of it --------------------------------------------------------------------------------------------------- */

static enum adg_count_kind count_kind(enum adg_type type)
{
    return type == ADG_TYPE_STRING ? ADG_COUNT_TEXT : type == ADG_TYPE_DOUBLE ? ADG_COUNT_DOUBLE : ADG_COUNT_INT;
}

static enum adg_status count_fields(struct adg_query *query, struct adg_error *error)
{
    struct adg_counted_table *table = query->table;
    const struct adg_dataset *dataset = table->dataset;
    const struct adg_scrape_progress *progress = &query->options->progress;
    enum adg_status status = adg_query_frequencies(query, error);
    for (uint32_t f = 0; f < dataset->field_count && status == ADG_OK; f++) {
        const struct adg_field *field = &dataset->fields[f];
        if (query->readings[f].value == NULL || field->role != ADG_ROLE_SAMPLED) {
            continue;
        }
        if (is_person(field) || field->value_type == ADG_VALUE_CONTINUOUS) {
            progress->report(progress->context, "counting fields", table->name, f, dataset->field_count);
            status = is_person(field) ? adg_query_person(query, f, error) : adg_query_continuous(query, f, error);
            adg_context(error, status, "field %s", field->name);
        }
    }
    return status == ADG_OK && table->has_patients ? adg_query_relationship(query, error) : status;
}

enum adg_status adg_query_table(const struct adg_scrape_options *options, const char *source, struct adg_engine *engine,
                                struct adg_counted_table *table, struct adg_manifest_table *manifest,
                                struct adg_arena *arena, struct adg_error *error)
{
    const struct adg_dataset *dataset = table->dataset;
    struct adg_arena own = {0}; /* for SQL */
    struct adg_query query = {.options = options,
                              .table = table,
                              .engine = engine,
                              .source = source,
                              .sql = {.dialect = adg_engine_dialect(engine), .arena = &own, .error = error}};
    uint64_t rounds_up = ((uint64_t)table->control.rounding + 1) / 2;
    query.least = table->control.min_frequency > rounds_up ? table->control.min_frequency : rounds_up;
    query.column_of = adg_arena_array(&own, dataset->field_count, sizeof *query.column_of);
    query.readings = adg_arena_array(&own, dataset->field_count, sizeof *query.readings);
    table->fields = adg_arena_array(arena, dataset->field_count, sizeof *table->fields);
    table->has_patients = dataset->patient_key >= 0;
    table->from_database = true;
    enum adg_status status = query.column_of == NULL || query.readings == NULL || table->fields == NULL
                                 ? adg_fail_memory(error)
                                 : ADG_OK;
    if (status == ADG_OK) {
        status = open_columns(&query, manifest, arena, error);
    }
    for (uint32_t f = 0; f < dataset->field_count && status == ADG_OK; f++) {
        adg_counter_init(&table->fields[f].counter, count_kind(dataset->fields[f].type), 0, NULL);
    }
    if (status == ADG_OK) {
        status = check_unreadable(&query, error);
    }
    if (status == ADG_OK) {
        status = count_fields(&query, error);
    }
    adg_arena_fini(&own);
    return status;
}
