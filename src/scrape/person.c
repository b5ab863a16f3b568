/*
 * What is counted per patient: patterns of a value that should be one (DEMOGRAPHIC_CATEGORICAL), most frequent values
 * (DEMOGRAPHIC_DATE), and how often a patient appears (RELATIONSHIP). See docs/scraping.md.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "scrape/internal.h"

/* The next number of a pattern's text, behind which stands `end`. */
static uint64_t take_number(const char **next, char end)
{
    uint64_t value = 0;
    while (**next != end) {
        value = value * 10 + (uint64_t)(*(*next)++ - '0');
    }
    (*next)++;
    return value;
}

/* "<bytes>:<value><tenths>;" or "n<tenths>;" for null, repeated; made by the query below, so it is well-formed. */
static enum adg_status add_pattern(const struct adg_loaded_table *table, uint32_t field, struct adg_span text,
                                   uint64_t weight, struct adg_error *error)
{
    uint32_t count = 0, capacity = 16;
    char *copy = adg_strndup((const char *)text.data, text.size);
    struct adg_optional_text *values = adg_alloc_array(capacity, sizeof *values);
    double *shares = adg_alloc_array(capacity, sizeof *shares);
    enum adg_status status = copy == NULL || values == NULL || shares == NULL ? adg_fail_memory(error) : ADG_OK;
    const char *next = copy, *end = status == ADG_OK ? copy + text.size : NULL;
    while (status == ADG_OK && next < end) {
        if (count == capacity) {
            capacity *= 2;
            struct adg_optional_text *more_values = adg_realloc_array(values, capacity, sizeof *values);
            values = more_values != NULL ? more_values : values;
            double *more_shares = adg_realloc_array(shares, capacity, sizeof *shares);
            shares = more_shares != NULL ? more_shares : shares;
            if (more_values == NULL || more_shares == NULL) {
                status = adg_fail_memory(error);
                break;
            }
        }
        values[count] = (struct adg_optional_text){0};
        if (*next == 'n') {
            next++;
        } else {
            size_t size = take_number(&next, ':');
            values[count] = (struct adg_optional_text){next, size};
            next += size;
        }
        shares[count++] = (double)take_number(&next, ';') / 10;
    }
    if (status == ADG_OK) {
        const struct adg_metadata_row row = {.table = table->name,
                                             .field = table->dataset->fields[field].name,
                                             .value_type = ADG_VALUE_DEMOGRAPHIC_CATEGORICAL,
                                             .has_weight = true,
                                             .weight = (double)weight,
                                             .string_array = values,
                                             .string_array_count = count,
                                             .weight_array = shares,
                                             .weight_array_count = count};
        status = adg_metadata_rows_add(table->rows, &row, error);
    }
    adg_free(copy);
    adg_free(values);
    adg_free(shares);
    return status;
}

enum adg_status adg_summarise_patterns(const struct adg_loaded_table *table, uint32_t field, struct adg_error *error)
{
    uint32_t key = (uint32_t)table->dataset->patient_key;
    struct adg_engine_result *result = NULL;
    bool has_row = true;
    /* a share of c in n records, half up to tenths, is floor((20 c + n) / (2 n)) */
    enum adg_status status = adg_table_query(
        table, field, &result, error,
        "with pairs as (select f%" PRIu32 " as k, f%" PRIu32 " as v, count(*) as c from t where f%" PRIu32
        " is not null group by 1, 2), "
        "shares as (select k, v, (20 * c + sum(c) over (partition by k)) // (2 * sum(c) over (partition by k)) as "
        "tenths from pairs), "
        "patterns as (select k, string_agg(coalesce(strlen(v) || ':' || v, 'n') || tenths || ';', '' order by v nulls "
        "first) as p "
        "from shares group by k) select p, count(*) from patterns group by p having count(*) >= %" PRIu32,
        key, field, key, table->control.min_frequency);
    while (status == ADG_OK) {
        status = adg_engine_next(result, &has_row, error);
        if (status != ADG_OK || !has_row) {
            break;
        }
        uint64_t weight = adg_control_round(&table->control, (uint64_t)adg_engine_int(result, 1));
        if (weight > 0) {
            status = add_pattern(table, field, adg_engine_text(result, 0), weight, error);
        }
    }
    adg_engine_result_free(result);
    return status;
}

enum adg_status adg_summarise_modes(const struct adg_loaded_table *table, uint32_t field, struct adg_error *error)
{
    uint32_t key = (uint32_t)table->dataset->patient_key;
    struct adg_engine_result *result = NULL;
    bool has_row = true;
    enum adg_status status = adg_table_query(table, field, &result, error,
                                             "with pairs as (select f%" PRIu32 " as k, f%" PRIu32
                                             " as v, count(*) as c from t where f%" PRIu32
                                             " is not null group by 1, 2), "
                                             "ranked as (select v, c, sum(c) over (partition by k) as n, row_number() "
                                             "over (partition by k order by c desc, v nulls first) as place "
                                             "from pairs) select v, count(*), cast(sum((2000000 * c + n) // (2 * n)) "
                                             "as bigint) from ranked where place = 1 group by v "
                                             "having count(*) >= %" PRIu32,
                                             key, field, key, table->control.min_frequency);
    while (status == ADG_OK) {
        status = adg_engine_next(result, &has_row, error);
        if (status != ADG_OK || !has_row) {
            break;
        }
        uint64_t patients = (uint64_t)adg_engine_int(result, 1), millionths = (uint64_t)adg_engine_int(result, 2);
        uint64_t weight = adg_control_round(&table->control, patients);
        struct adg_metadata_row row = {.table = table->name,
                                       .field = table->dataset->fields[field].name,
                                       .value_type = ADG_VALUE_DEMOGRAPHIC_DATE,
                                       .has_numeric = true,
                                       .numeric = (double)((2 * millionths + 10000 * patients) / (20000 * patients)) /
                                                  100,
                                       .has_weight = true,
                                       .weight = (double)weight};
        if (!adg_engine_is_null(result, 0)) {
            struct adg_span text = adg_engine_text(result, 0);
            row.string = (struct adg_optional_text){(const char *)text.data, text.size};
        }
        if (weight > 0) {
            status = adg_metadata_rows_add(table->rows, &row, error);
        }
    }
    adg_engine_result_free(result);
    return status;
}

/* ---- relationship ------------------------------------------------------------------------------------------------ */

/* Patients of neighbouring cardinalities that are released as one. */
struct group {
    uint64_t patients, rows; /* rows: the sum of the patients' cardinalities */
    bool mean;               /* released as their mean, not as one cardinality */
};

struct groups {
    struct group *list;
    size_t count, capacity;
};

static enum adg_status add_group(struct groups *groups, struct group group, struct adg_error *error)
{
    if (groups->count == groups->capacity) {
        size_t capacity = groups->capacity == 0 ? 64 : 2 * groups->capacity;
        struct group *list = adg_realloc_array(groups->list, capacity, sizeof *list);
        if (list == NULL) {
            return adg_fail_memory(error);
        }
        groups->list = list;
        groups->capacity = capacity;
    }
    groups->list[groups->count++] = group;
    return ADG_OK;
}

/* The walk of the specification: from the largest cardinality down, with a pool. */
static enum adg_status protect(struct adg_engine_result *result, const struct adg_control *control,
                               struct groups *groups, struct adg_error *error)
{
    struct group pool = {.mean = true};
    uint64_t min = control->min_frequency;
    bool has_row = true;
    enum adg_status status = ADG_OK;
    while (status == ADG_OK) {
        status = adg_engine_next(result, &has_row, error);
        if (status != ADG_OK || !has_row) {
            break;
        }
        uint64_t cardinality = (uint64_t)adg_engine_int(result, 0), patients = (uint64_t)adg_engine_int(result, 1);
        if (control->reference || (patients >= min && pool.patients == 0)) {
            status = add_group(groups, (struct group){patients, patients * cardinality, false}, error);
            continue;
        }
        pool.patients += patients;
        pool.rows += patients * cardinality;
        if (pool.patients >= 2 * min) {
            status = add_group(groups, pool, error);
            pool = (struct group){.mean = true};
        }
    }
    if (status == ADG_OK && pool.patients > 0) {
        if (groups->count > 0) {
            struct group *last = &groups->list[groups->count - 1];
            last->patients += pool.patients;
            last->rows += pool.rows;
            last->mean = true;
        } else if (pool.patients >= min) {
            status = add_group(groups, pool, error);
        }
    }
    return status;
}

/* Half up to a whole number and, above 99, to two significant digits. */
static uint64_t released_cardinality(const struct group *group)
{
    uint64_t mean = (2 * group->rows + group->patients) / (2 * group->patients);
    uint64_t unit = 1;
    while (group->mean && mean / unit > 99) {
        unit *= 10;
    }
    return (2 * mean + unit) / (2 * unit) * unit;
}

enum adg_status adg_summarise_relationship(const struct adg_loaded_table *table, struct adg_error *error)
{
    const struct adg_dataset *dataset = table->dataset;
    uint32_t key = (uint32_t)dataset->patient_key, primary = dataset->primary_key;
    struct adg_engine_result *result = NULL;
    struct groups groups = {0};
    enum adg_status status = adg_table_query(
        table, primary, &result, error,
        "with patients as (select f%" PRIu32 ", count(distinct f%" PRIu32 ") as c from t where f%" PRIu32
        " is not null group by 1) select c, count(*) from patients group by c order by c desc",
        key, primary, key);
    if (status == ADG_OK) {
        status = protect(result, &table->control, &groups, error);
    }
    for (size_t i = 0; i < groups.count && status == ADG_OK; i++) {
        uint64_t cardinality = released_cardinality(&groups.list[i]), weight = 0;
        bool again = false;
        for (size_t k = 0; k < groups.count; k++) { /* groups that come to the same cardinality are one row */
            if (released_cardinality(&groups.list[k]) == cardinality) {
                again = again || k < i;
                weight += table->control.reference ? groups.list[k].patients
                                                   : adg_control_round(&table->control, groups.list[k].patients);
            }
        }
        if (again || weight == 0) {
            continue;
        }
        const char *name = dataset->fields[key].name;
        const struct adg_metadata_row row = {.table = table->name,
                                             .field = dataset->fields[primary].name,
                                             .value_type = ADG_VALUE_RELATIONSHIP,
                                             .string = {name, strlen(name)},
                                             .has_numeric = true,
                                             .numeric = (double)cardinality,
                                             .has_weight = true,
                                             .weight = (double)weight};
        status = adg_metadata_rows_add(table->rows, &row, error);
    }
    adg_engine_result_free(result);
    adg_free(groups.list);
    return status;
}
