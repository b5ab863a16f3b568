/*
 * Percentiles by nearest rank, of which none is somebody's own value (docs/scraping.md, CONTINUOUS).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/memory.h"
#include "core/wide.h"
#include "scrape/internal.h"

enum { ALL_PERCENTILES = 98, FIRST_PERCENTILE = 2 };

/* The distinct values in ascending order, with the records up to and with each. */
struct distribution {
    double *values;    /* of doubles */
    int64_t *integers; /* of everything else */
    uint64_t *cumulative;
    bool *passes;
    size_t count, capacity;
    bool is_double;
};

static void distribution_fini(struct distribution *distribution)
{
    adg_free(distribution->values);
    adg_free(distribution->integers);
    adg_free(distribution->cumulative);
    adg_free(distribution->passes);
}

static bool grow(struct distribution *distribution)
{
    size_t capacity = distribution->capacity == 0 ? 1024 : 2 * distribution->capacity;
    double *values = adg_realloc_array(distribution->values, capacity, sizeof *values);
    distribution->values = values != NULL ? values : distribution->values;
    int64_t *integers = adg_realloc_array(distribution->integers, capacity, sizeof *integers);
    distribution->integers = integers != NULL ? integers : distribution->integers;
    uint64_t *cumulative = adg_realloc_array(distribution->cumulative, capacity, sizeof *cumulative);
    distribution->cumulative = cumulative != NULL ? cumulative : distribution->cumulative;
    bool *passes = adg_realloc_array(distribution->passes, capacity, sizeof *passes);
    distribution->passes = passes != NULL ? passes : distribution->passes;
    distribution->capacity = capacity;
    return values != NULL && integers != NULL && cumulative != NULL && passes != NULL;
}

static enum adg_status read_distribution(const struct adg_loaded_table *table, uint32_t field, struct distribution *out,
                                         uint64_t *null, bool *null_passes, struct adg_error *error)
{
    struct adg_engine_result *result = NULL;
    bool has_row = true;
    enum adg_status status = adg_table_query(table, field, &result, error,
                                             "select v, n, pass from g order by v nulls first");
    while (status == ADG_OK) {
        status = adg_engine_next(result, &has_row, error);
        if (status != ADG_OK || !has_row) {
            break;
        }
        uint64_t records = (uint64_t)adg_engine_int(result, 1);
        if (adg_engine_is_null(result, 0)) {
            *null = records;
            *null_passes = adg_engine_int(result, 2) != 0;
            continue;
        }
        if (out->count == out->capacity && !grow(out)) {
            status = adg_fail_memory(error);
            break;
        }
        if (out->is_double) {
            out->values[out->count] = adg_engine_double(result, 0);
        } else {
            out->integers[out->count] = adg_engine_int(result, 0);
        }
        out->passes[out->count] = adg_engine_int(result, 2) != 0;
        out->cumulative[out->count] = records + (out->count > 0 ? out->cumulative[out->count - 1] : 0);
        out->count++;
    }
    adg_engine_result_free(result);
    return status;
}

/* The distinct value that the rank-th smallest record (from 1) has. */
static size_t find_rank(const struct distribution *distribution, uint64_t rank)
{
    size_t low = 0, high = distribution->count - 1;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (distribution->cumulative[middle] >= rank) {
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

static double exact_value(const struct distribution *distribution, size_t i, const struct adg_field *field)
{
    return distribution->is_double
               ? distribution->values[i]
               : (double)distribution->integers[i] / power_of_ten(field->type == ADG_TYPE_DECIMAL ? field->scale : 0);
}

/* The mean of min_frequency neighbours around the rank, rounded. */
static double neighbours_mean(const struct distribution *distribution, uint64_t rank, uint64_t records,
                              uint32_t min_frequency, const struct adg_field *field)
{
    uint64_t half = min_frequency / 2, first = rank > half ? rank - half : 1, last_first = records - min_frequency + 1;
    first = first > last_first ? last_first : first;
    adg_int128 sum = 0;
    double double_sum = 0;
    for (uint64_t r = first; r < first + min_frequency; r++) {
        size_t i = find_rank(distribution, r);
        if (distribution->is_double) {
            double_sum += distribution->values[i];
        } else {
            sum += distribution->integers[i];
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

static uint64_t ceil_share(uint64_t part, uint64_t records, uint64_t whole)
{
    adg_uint128 product = (adg_uint128)part * records;
    return (uint64_t)((product + whole - 1) / whole);
}

enum adg_status adg_summarise_continuous(const struct adg_loaded_table *table, uint32_t field, struct adg_error *error)
{
    const struct adg_field *definition = &table->dataset->fields[field];
    const struct adg_control *control = &table->control;
    struct distribution distribution = {.is_double = definition->type == ADG_TYPE_DOUBLE};
    uint64_t null = 0, patients = 0;
    bool null_passes = false;
    enum adg_status status = adg_count_values(table, field, error);
    if (status == ADG_OK) {
        status = read_distribution(table, field, &distribution, &null, &null_passes, error);
    }
    uint64_t records = distribution.count > 0 ? distribution.cumulative[distribution.count - 1] : 0;
    patients = records;
    if (status == ADG_OK && table->has_patients && records > 0 && !control->reference) {
        char condition[64];
        snprintf(condition, sizeof condition, "f%" PRIu32 " is not null", field);
        status = adg_count_patients(table, condition, &patients, error);
    }
    if (status != ADG_OK) {
        goto done;
    }
    bool fine = control->reference || patients >= 100 * (uint64_t)control->min_frequency;
    uint64_t entries = fine                                    ? ALL_PERCENTILES
                       : patients / control->min_frequency < 1 ? 0
                                                               : patients / control->min_frequency - 1;
    if (records > 0 && entries >= 2) {
        double percentiles[ALL_PERCENTILES];
        for (uint64_t i = 0; i < entries; i++) {
            uint64_t rank = fine ? ceil_share(i + FIRST_PERCENTILE, records, 100)
                                 : ceil_share(i + 1, records, entries + 1);
            size_t at = find_rank(&distribution, rank);
            percentiles[i] = control->reference || distribution.passes[at]
                                 ? exact_value(&distribution, at, definition)
                                 : neighbours_mean(&distribution, rank, records, control->min_frequency, definition);
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
    if (status == ADG_OK) {
        bool passes = records >= control->min_frequency && patients >= control->min_frequency;
        status = adg_add_completeness(table, field, null_passes ? null : 0, entries > 0 ? records : 0,
                                      entries > 0 ? 0 : records, passes, error);
    }
done:
    distribution_fini(&distribution);
    return status;
}
