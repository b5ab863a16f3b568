/*
 * Values of a field with their frequencies, and its completeness. A value passes the threshold with at least min_frequency records
 * and as many distinct patients.
 */
#include "scrape/internal.h"

enum adg_status adg_add_completeness(const struct adg_counted_table *table, uint32_t field, uint64_t null,
                                     uint64_t described, uint64_t other, bool other_passes, struct adg_error *error)
{
    const struct adg_control *control = &table->control;
    if (control->reference) {
        return ADG_OK;
    }
    uint64_t filled = other == 0 || other_passes ? described + other : described;
    const double counts[2] = {(double)adg_control_round(control, null), (double)adg_control_round(control, filled)};
    const struct adg_metadata_row row = {.table = table->name,
                                         .field = table->dataset->fields[field].name,
                                         .value_type = ADG_VALUE_COMPLETENESS,
                                         .weight_array = counts,
                                         .weight_array_count = 2};
    return adg_metadata_rows_add(table->rows, &row, error);
}

static void set_value(const struct adg_field *field, const struct adg_counter *counter, const struct adg_count *count,
                      struct adg_metadata_row *row, char *scratch)
{
    int64_t integer = counter->kind == ADG_COUNT_INT ? (int64_t)count->bits : 0;
    double number = counter->kind == ADG_COUNT_DOUBLE ? adg_counter_double(count) : 0;
    struct adg_span text = {NULL, 0};
    if (counter->kind == ADG_COUNT_TEXT) {
        text = adg_counter_text(counter, count);
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

static struct adg_metadata_row row_of(const struct adg_counted_table *table, uint32_t field, uint64_t weight)
{
    return (struct adg_metadata_row){.table = table->name,
                                     .field = table->dataset->fields[field].name,
                                     .value_type = table->dataset->fields[field].value_type,
                                     .has_weight = true,
                                     .weight = (double)weight};
}

enum adg_status adg_frequency_take(struct adg_counted_table *table, uint32_t field, struct adg_error *error)
{
    struct adg_field_counts *counts = &table->fields[field];
    uint32_t enough = adg_table_enough(table);
    enum adg_status status = ADG_OK;
    for (size_t i = 0; i < counts->counter.count && status == ADG_OK; i++) {
        const struct adg_count *count = &counts->counter.entries[i];
        uint64_t weight = adg_control_round(&table->control, count->records);
        if (adg_count_passes(table, count) && weight > 0) {
            char scratch[ADG_NUMBER_TEXT_BYTES];
            struct adg_metadata_row row = row_of(table, field, weight);
            set_value(&table->dataset->fields[field], &counts->counter, count, &row, scratch);
            counts->described += count->records;
            status = adg_metadata_rows_add(table->rows, &row, error);
        } else {
            counts->other += count->records;
            status = enough > 0 && !table->from_database ? adg_patient_set_add(&counts->others, count, enough, error)
                                                         : ADG_OK;
        }
    }
    return status;
}

enum adg_status adg_frequency_finish(struct adg_counted_table *table, uint32_t field, struct adg_error *error)
{
    const struct adg_field_counts *counts = &table->fields[field];
    const struct adg_count *null = &counts->counter.null;
    uint64_t weight = adg_control_round(&table->control, null->records);
    bool null_passes = null->records > 0 && adg_count_passes(table, null);
    enum adg_status status = ADG_OK;
    if (null_passes && weight > 0) {
        const struct adg_metadata_row row = row_of(table, field, weight);
        status = adg_metadata_rows_add(table->rows, &row, error);
    }
    bool other_passes = counts->other >= table->control.min_frequency &&
                        counts->others.all.patients >= adg_table_enough(table);
    return status == ADG_OK ? adg_add_completeness(table, field, null_passes ? null->records : 0, counts->described,
                                                   counts->other, other_passes, error)
                            : status;
}
