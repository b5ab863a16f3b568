/*
 * Values of a field with their frequencies, and its completeness.
 *
 * A value passes the threshold with at least min_frequency records and as many distinct patients. Five bits in the or of the
 * patients' bits prove five patients; only values with enough records and fewer bits are counted exactly.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "scrape/internal.h"

enum { SQL_BYTES = 2048 };

static const char *field_name(const struct adg_loaded_table *table, uint32_t field)
{
    return table->dataset->fields[field].name;
}

enum adg_status adg_table_query(const struct adg_loaded_table *table, uint32_t field, struct adg_engine_result **out,
                                struct adg_error *error, const char *format, ...)
{
    char sql[SQL_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sql, sizeof sql, format, arguments);
    va_end(arguments);
    return adg_engine_query(table->engine, sql, field_name(table, field), out, error);
}

enum adg_status adg_table_execute(const struct adg_loaded_table *table, uint32_t field, struct adg_error *error,
                                  const char *format, ...)
{
    char sql[SQL_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sql, sizeof sql, format, arguments);
    va_end(arguments);
    return adg_engine_execute(table->engine, sql, field_name(table, field), error);
}

/* The first column of a result's only row. */
static enum adg_status take_count(struct adg_engine_result *result, uint64_t *count, struct adg_error *error)
{
    bool has_row = false;
    enum adg_status status = adg_engine_next(result, &has_row, error);
    if (status == ADG_OK) {
        *count = has_row && !adg_engine_is_null(result, 0) ? (uint64_t)adg_engine_int(result, 0) : 0;
    }
    return status;
}

enum adg_status adg_count_patients(const struct adg_loaded_table *table, const char *condition, uint64_t *patients,
                                   struct adg_error *error)
{
    struct adg_engine_result *result = NULL;
    uint32_t key = (uint32_t)table->dataset->patient_key;
    enum adg_status status = adg_table_query(table, key, &result, error,
                                             "select count(distinct f%" PRIu32 ") + coalesce(max(case when f%" PRIu32
                                             " is null then 1 else 0 end), 0) from t where %s",
                                             key, key, condition);
    if (status == ADG_OK) {
        status = take_count(result, patients, error);
    }
    adg_engine_result_free(result);
    return status;
}

enum adg_status adg_count_values(const struct adg_loaded_table *table, uint32_t field, struct adg_error *error)
{
    uint32_t min = table->control.min_frequency;
    if (!table->has_patients || table->control.reference) {
        return adg_table_execute(table, field, error,
                                 "create or replace temp table g as select f%" PRIu32
                                 " as v, count(*) as n, count(*) >= %" PRIu32 " as pass from t group by 1",
                                 field, min);
    }
    uint32_t key = (uint32_t)table->dataset->patient_key;
    return adg_table_execute(table, field, error,
                             "create or replace temp table g as with f as (select f%" PRIu32
                             " as v, count(*) as n, bit_or(m) as b from t group by 1), "
                             "doubtful as (select v from f where n >= %" PRIu32 " and bit_count(b) < %" PRIu32 "), "
                             "exact as (select d.v, count(distinct t.f%" PRIu32 ") + max(case when t.f%" PRIu32
                             " is null then 1 else 0 end) as p "
                             "from t join doubtful d on t.f%" PRIu32 " is not distinct from d.v group by 1) "
                             "select f.v, f.n, f.b, f.n >= %" PRIu32 " and (bit_count(f.b) >= %" PRIu32
                             " or coalesce(e.p, 0) >= %" PRIu32 ") as pass "
                             "from f left join exact e on f.v is not distinct from e.v",
                             field, min, min, key, key, field, min, min, min);
}

enum adg_status adg_add_completeness(const struct adg_loaded_table *table, uint32_t field, uint64_t null,
                                     uint64_t described, uint64_t other, bool other_passes, struct adg_error *error)
{
    const struct adg_control *control = &table->control;
    if (control->reference) {
        return ADG_OK;
    }
    uint64_t filled = other == 0 || other_passes ? described + other : described;
    const double counts[2] = {(double)adg_control_round(control, null), (double)adg_control_round(control, filled)};
    const struct adg_metadata_row row = {.table = table->name,
                                         .field = field_name(table, field),
                                         .value_type = ADG_VALUE_COMPLETENESS,
                                         .weight_array = counts,
                                         .weight_array_count = 2};
    return adg_metadata_rows_add(table->rows, &row, error);
}

/* The records of values that have no row, and whether they pass the threshold together. */
static enum adg_status count_other(const struct adg_loaded_table *table, uint32_t field, uint64_t *other, bool *passes,
                                   struct adg_error *error)
{
    const struct adg_control *control = &table->control;
    struct adg_engine_result *result = NULL;
    uint64_t patients = UINT64_MAX;
    char rowless[256];
    snprintf(rowless, sizeof rowless, "v is not null and not (pass and (2 * n + %" PRIu32 ") // %" PRIu32 " > 0)",
             control->rounding, 2 * control->rounding);
    enum adg_status status = adg_table_query(table, field, &result, error,
                                             "select cast(coalesce(sum(n), 0) as bigint) from g where %s", rowless);
    if (status == ADG_OK) {
        status = take_count(result, other, error);
    }
    adg_engine_result_free(result);
    if (status == ADG_OK && table->has_patients && *other >= control->min_frequency) {
        char condition[512];
        snprintf(condition, sizeof condition, "f%" PRIu32 " in (select v from g where %s)", field, rowless);
        status = adg_count_patients(table, condition, &patients, error);
    }
    *passes = *other >= control->min_frequency && patients >= control->min_frequency;
    return status;
}

static void set_value(const struct adg_field *field, const struct adg_engine_result *result,
                      struct adg_metadata_row *row, char *scratch)
{
    bool is_null = adg_engine_is_null(result, 0);
    int64_t integer = 0;
    double number = 0;
    struct adg_span text = {0};
    if (is_null) {
        return;
    }
    if (field->type == ADG_TYPE_STRING) {
        text = adg_engine_text(result, 0);
    } else if (field->type == ADG_TYPE_DOUBLE) {
        number = adg_engine_double(result, 0);
    } else {
        integer = adg_engine_int(result, 0);
    }
    if (field->value_type == ADG_VALUE_DATE) {
        row->has_date = true;
        row->date = (int32_t)integer;
    } else if (field->value_type == ADG_VALUE_DISCRETE) {
        double scale = 1;
        for (unsigned i = 0; i < field->scale; i++) {
            scale *= 10;
        }
        row->has_numeric = true;
        row->numeric = field->type == ADG_TYPE_DOUBLE ? number : (double)integer / scale;
    } else {
        struct adg_span category = adg_category_text(field, integer, number, text, scratch);
        row->string = (struct adg_optional_text){category.size > 0 ? (const char *)category.data : "", category.size};
    }
}

enum adg_status adg_summarise_frequency(const struct adg_loaded_table *table, uint32_t field, struct adg_error *error)
{
    const struct adg_field *definition = &table->dataset->fields[field];
    struct adg_engine_result *result = NULL;
    uint64_t null = 0, described = 0, other = 0;
    bool has_row = true, other_passes = false;
    enum adg_status status = adg_count_values(table, field, error);
    if (status == ADG_OK) {
        status = adg_table_query(table, field, &result, error, "select v, n from g where pass");
    }
    while (status == ADG_OK) {
        status = adg_engine_next(result, &has_row, error);
        if (status != ADG_OK || !has_row) {
            break;
        }
        char scratch[ADG_NUMBER_TEXT_BYTES];
        uint64_t records = (uint64_t)adg_engine_int(result, 1), weight = adg_control_round(&table->control, records);
        struct adg_metadata_row row = {.table = table->name,
                                       .field = definition->name,
                                       .value_type = definition->value_type,
                                       .has_weight = true,
                                       .weight = (double)weight};
        if (adg_engine_is_null(result, 0)) {
            null = records;
        } else if (weight > 0) {
            described += records;
        }
        if (weight > 0) {
            set_value(definition, result, &row, scratch);
            status = adg_metadata_rows_add(table->rows, &row, error);
        }
    }
    adg_engine_result_free(result);
    if (status == ADG_OK && !table->control.reference) {
        status = count_other(table, field, &other, &other_passes, error);
    }
    return status == ADG_OK ? adg_add_completeness(table, field, null, described, other, other_passes, error) : status;
}
