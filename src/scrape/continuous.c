/*
 * Percentiles by nearest rank, of which none is somebody's own value (docs/scraping.md, CONTINUOUS).
 */
#include <stdio.h>
#include <stdlib.h>

#include "core/memory.h"
#include "core/wide.h"
#include "scrape/internal.h"

enum { ALL_PERCENTILES = 98, FIRST_PERCENTILE = 2 };

/* The distinct values; once sorted, each with the records up to and with it. */
struct value {
    int64_t integer; /* of everything but doubles */
    double number;   /* of doubles */
    uint64_t records;
    bool passes;
};
struct adg_distribution {
    struct value *values;
    size_t count, capacity;
    bool is_double;
};

void adg_distribution_free(struct adg_distribution *distribution)
{
    if (distribution != NULL) {
        adg_free(distribution->values);
        adg_free(distribution);
    }
}

static enum adg_status put(struct adg_field_counts *counts, struct value value, struct adg_error *error)
{
    if (counts->distribution == NULL) {
        counts->distribution = adg_alloc_zero(1, sizeof *counts->distribution);
        if (counts->distribution == NULL) {
            return adg_fail_memory(error);
        }
        counts->distribution->is_double = counts->counter.kind == ADG_COUNT_DOUBLE;
    }
    struct adg_distribution *distribution = counts->distribution;
    if (distribution->count == distribution->capacity) {
        struct value *values = adg_grow_array(distribution->values, &distribution->capacity, 1024, sizeof *values);
        if (values == NULL) {
            return adg_fail_memory(error);
        }
        distribution->values = values;
    }
    distribution->values[distribution->count++] = value;
    return ADG_OK;
}

enum adg_status adg_continuous_put(struct adg_field_counts *counts, int64_t integer, double number, uint64_t up_to,
                                   bool passes, struct adg_error *error)
{
    return put(counts, (struct value){.integer = integer, .number = number, .records = up_to, .passes = passes}, error);
}

enum adg_status adg_continuous_take(struct adg_counted_table *table, uint32_t field, struct adg_error *error)
{
    struct adg_field_counts *counts = &table->fields[field];
    bool is_double = counts->counter.kind == ADG_COUNT_DOUBLE;
    enum adg_status status = ADG_OK;
    for (size_t i = 0; i < counts->counter.count && status == ADG_OK; i++) {
        const struct adg_count *count = &counts->counter.entries[i];
        const struct value value = {.records = count->records,
                                    .passes = adg_count_passes(table, count),
                                    .number = is_double ? adg_counter_double(count) : 0,
                                    .integer = is_double ? 0 : (int64_t)count->bits};
        status = put(counts, value, error);
    }
    return status;
}

static int compare_values(const void *a, const void *b)
{
    const struct value *x = a, *y = b;
    return x->number != y->number ? (x->number > y->number) - (x->number < y->number)
                                  : (x->integer > y->integer) - (x->integer < y->integer);
}

/* Once, at last. */
static void sort_values(struct adg_distribution *distribution)
{
    if (distribution->count > 0) {
        qsort(distribution->values, distribution->count, sizeof *distribution->values, compare_values);
    }
    for (size_t i = 1; i < distribution->count; i++) {
        distribution->values[i].records += distribution->values[i - 1].records;
    }
}

/* The distinct value that the rank-th smallest record (from 1) has. */
static size_t find_rank(const struct adg_distribution *distribution, uint64_t rank)
{
    size_t low = 0, high = distribution->count - 1;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (distribution->values[middle].records >= rank) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

static double power_of_ten(unsigned exponent)
{
    double power = 1;
    while (exponent-- > 0) {
        power *= 10;
    }
    return power;
}

static double six_digits(double x)
{
    char text[32];
    snprintf(text, sizeof text, "%.5e", x);
    return strtod(text, NULL);
}

static double exact_value(const struct adg_distribution *distribution, size_t i, const struct adg_field *field)
{
    return distribution->is_double ? distribution->values[i].number
                                   : (double)distribution->values[i].integer /
                                         power_of_ten(field->type == ADG_TYPE_DECIMAL ? field->scale : 0);
}

/* The mean of min_frequency neighbours around the rank, rounded. */
static double neighbours_mean(const struct adg_distribution *distribution, uint64_t rank, uint64_t records,
                              uint32_t min_frequency, const struct adg_field *field)
{
    uint64_t half = min_frequency / 2, first = rank > half ? rank - half : 1, last_first = records - min_frequency + 1;
    first = first > last_first ? last_first : first;
    adg_int128 sum = 0;
    double double_sum = 0;
    for (uint64_t r = first; r < first + min_frequency; r++) {
        size_t i = find_rank(distribution, r);
        if (distribution->is_double) {
            double_sum += distribution->values[i].number;
        } else {
            sum += distribution->values[i].integer;
        }
    }
    if (distribution->is_double) {
        return six_digits(double_sum / min_frequency);
    }
    if (field->type == ADG_TYPE_DECIMAL) {
        return six_digits((double)sum / min_frequency / power_of_ten(field->scale));
    }
    adg_int128 twice = 2 * sum + min_frequency, divisor = 2 * (adg_int128)min_frequency;
    adg_int128 mean = twice / divisor;
    return (double)(mean - (twice % divisor < 0));
}

uint64_t adg_continuous_parts(const struct adg_control *control, uint64_t patients)
{
    return control->reference || patients >= ADG_FINE_PATIENTS * (uint64_t)control->min_frequency
               ? 100
               : patients / control->min_frequency;
}

static uint64_t ceil_share(uint64_t part, uint64_t records, uint64_t whole)
{
    adg_uint128 product = (adg_uint128)part * records;
    return (uint64_t)((product + whole - 1) / whole);
}

enum adg_status adg_continuous_finish(struct adg_counted_table *table, uint32_t field, struct adg_error *error)
{
    const struct adg_field *definition = &table->dataset->fields[field];
    const struct adg_control *control = &table->control;
    const struct adg_field_counts *counts = &table->fields[field];
    const struct adg_count *null = &counts->counter.null;
    struct adg_distribution *distribution = counts->distribution;
    enum adg_status status = ADG_OK;
    if (distribution != NULL && !table->from_database) {
        sort_values(distribution);
    }
    uint64_t records = table->from_database ? counts->described
                       : distribution != NULL && distribution->count > 0
                           ? distribution->values[distribution->count - 1].records
                           : 0;
    uint64_t patients = adg_table_enough(table) > 0 ? counts->filled.all.patients : records;
    bool fine = control->reference || patients >= ADG_FINE_PATIENTS * (uint64_t)control->min_frequency;
    uint64_t entries = fine                                    ? ALL_PERCENTILES
                       : patients / control->min_frequency < 1 ? 0
                                                               : patients / control->min_frequency - 1;
    if (records > 0 && entries >= 2) {
        double percentiles[ALL_PERCENTILES];
        for (uint64_t i = 0; i < entries; i++) {
            uint64_t rank = fine ? ceil_share(i + FIRST_PERCENTILE, records, 100)
                                 : ceil_share(i + 1, records, entries + 1);
            size_t at = find_rank(distribution, rank);
            percentiles[i] = control->reference || distribution->values[at].passes
                                 ? exact_value(distribution, at, definition)
                                 : neighbours_mean(distribution, rank, records, control->min_frequency, definition);
        }
        const struct adg_metadata_row row = {.table = table->name,
                                             .field = definition->name,
                                             .value_type = ADG_VALUE_CONTINUOUS,
                                             .numeric_array = percentiles,
                                             .numeric_array_count = (uint32_t)entries};
        status = adg_metadata_rows_add(table->rows, &row, error);
    } else {
        entries = 0;
    }
    bool passes = records >= control->min_frequency && patients >= control->min_frequency;
    bool null_passes = null->records > 0 && adg_count_passes(table, null);
    return status == ADG_OK ? adg_add_completeness(table, field, null_passes ? null->records : 0,
                                                   entries > 0 ? records : 0, entries > 0 ? 0 : records, passes, error)
                            : status;
}
