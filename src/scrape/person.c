/*
 * What is counted per patient: patterns of a value that should be one (DEMOGRAPHIC_CATEGORICAL), most frequent values
 * (DEMOGRAPHIC_DATE), and how often a patient appears (RELATIONSHIP). See docs/scraping.md.
 */
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "scrape/internal.h"

static const struct adg_person_field *person_of(const struct adg_counted_table *table, uint32_t field)
{
    return adg_people_field(table->people, (uint32_t)table->person_of[field]);
}

static struct adg_optional_text text_of(const struct adg_person_field *person, uint32_t code)
{
    if (code == ADG_NULL_CODE) {
        return (struct adg_optional_text){NULL, 0};
    }
    struct adg_span text = adg_counter_text(&person->values, &person->values.entries[code]);
    return (struct adg_optional_text){(const char *)text.data, text.size};
}

/* One value of a pattern. */
struct shown {
    struct adg_optional_text text;
    double share;
};

/* Null first, then by bytes. */
static int compare_shown(const void *a, const void *b)
{
    const struct shown *x = a, *y = b;
    if (x->text.text == NULL || y->text.text == NULL) {
        return (x->text.text != NULL) - (y->text.text != NULL);
    }
    return adg_span_compare((struct adg_span){(const uint8_t *)x->text.text, x->text.size},
                            (struct adg_span){(const uint8_t *)y->text.text, y->text.size});
}

enum adg_status adg_add_pattern(const struct adg_counted_table *table, uint32_t field, struct adg_optional_text *values,
                                uint32_t *tenths, uint32_t count, uint64_t patients, struct adg_error *error)
{
    uint64_t weight = adg_control_round(&table->control, patients);
    if (patients < table->control.min_frequency || weight == 0) {
        return ADG_OK;
    }
    struct shown *shown = adg_alloc_array(count, sizeof *shown);
    double *shares = adg_alloc_array(count, sizeof *shares);
    enum adg_status status = shown == NULL || shares == NULL ? adg_fail_memory(error) : ADG_OK;
    if (status == ADG_OK) {
        for (uint32_t i = 0; i < count; i++) {
            shown[i] = (struct shown){values[i], tenths[i] / 10.0};
        }
        qsort(shown, count, sizeof *shown, compare_shown);
        for (uint32_t i = 0; i < count; i++) {
            values[i] = shown[i].text;
            shares[i] = shown[i].share;
        }
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
    adg_free(shown);
    adg_free(shares);
    return status;
}

enum adg_status adg_summarise_patterns(const struct adg_counted_table *table, uint32_t field, struct adg_error *error)
{
    const struct adg_person_field *person = person_of(table, field);
    enum adg_status status = ADG_OK;
    for (size_t i = 0; i < person->patterns.count && status == ADG_OK; i++) {
        struct adg_span pattern = adg_counter_text(&person->patterns, &person->patterns.entries[i]);
        uint32_t count = (uint32_t)(pattern.size / sizeof(struct adg_pattern_item));
        struct adg_optional_text *values = adg_alloc_array(count, sizeof *values);
        uint32_t *tenths = adg_alloc_array(count, sizeof *tenths);
        status = values == NULL || tenths == NULL ? adg_fail_memory(error) : ADG_OK;
        for (uint32_t k = 0; k < count && status == ADG_OK; k++) {
            struct adg_pattern_item item;
            memcpy(&item, pattern.data + k * sizeof item, sizeof item);
            values[k] = text_of(person, item.code);
            tenths[k] = item.tenths;
        }
        if (status == ADG_OK) {
            status = adg_add_pattern(table, field, values, tenths, count, person->patterns.entries[i].records, error);
        }
        adg_free(values);
        adg_free(tenths);
    }
    return status;
}

enum adg_status adg_add_mode(const struct adg_counted_table *table, uint32_t field, struct adg_optional_text value,
                             uint64_t patients, uint64_t millionths, struct adg_error *error)
{
    uint64_t weight = adg_control_round(&table->control, patients);
    if (patients < table->control.min_frequency || weight == 0) {
        return ADG_OK;
    }
    const struct adg_metadata_row row = {.table = table->name,
                                         .field = table->dataset->fields[field].name,
                                         .value_type = ADG_VALUE_DEMOGRAPHIC_DATE,
                                         .string = value,
                                         .has_numeric = true,
                                         .numeric = (double)((2 * millionths + 10000 * patients) / (20000 * patients)) /
                                                    100,
                                         .has_weight = true,
                                         .weight = (double)weight};
    return adg_metadata_rows_add(table->rows, &row, error);
}

enum adg_status adg_summarise_modes(const struct adg_counted_table *table, uint32_t field, struct adg_error *error)
{
    const struct adg_person_field *person = person_of(table, field);
    enum adg_status status = ADG_OK;
    for (uint32_t code = 0; code < person->mode_count && status == ADG_OK; code++) {
        const struct adg_mode *mode = &person->modes[code];
        status = adg_add_mode(table, field, text_of(person, code + 1 < person->mode_count ? code : ADG_NULL_CODE),
                              mode->patients, mode->millionths, error);
    }
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
        struct group *list = adg_grow_array(groups->list, &groups->capacity, 64, sizeof *list);
        if (list == NULL) {
            return adg_fail_memory(error);
        }
        groups->list = list;
    }
    groups->list[groups->count++] = group;
    return ADG_OK;
}

static int largest_first(const void *a, const void *b)
{
    const struct adg_count *x = *(const struct adg_count *const *)a, *y = *(const struct adg_count *const *)b;
    return (x->bits < y->bits) - (x->bits > y->bits);
}

/* The walk of the specification: from the largest cardinality down, with a pool. */
static enum adg_status protect(const struct adg_count **cardinalities, size_t count, const struct adg_control *control,
                               struct groups *groups, struct adg_error *error)
{
    struct group pool = {.mean = true};
    uint64_t min = control->min_frequency;
    enum adg_status status = ADG_OK;
    for (size_t i = 0; i < count && status == ADG_OK; i++) {
        uint64_t cardinality = cardinalities[i]->bits, patients = cardinalities[i]->records;
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

enum adg_status adg_summarise_relationship(const struct adg_counted_table *table, struct adg_error *error)
{
    return adg_add_relationship(table, adg_people_cardinalities(table->people), error);
}

enum adg_status adg_add_relationship(const struct adg_counted_table *table, const struct adg_counter *counter,
                                     struct adg_error *error)
{
    const struct adg_dataset *dataset = table->dataset;
    uint32_t key = (uint32_t)dataset->patient_key, primary = dataset->primary_key;
    struct groups groups = {0};
    const struct adg_count **cardinalities = adg_alloc_array(counter->count + 1, sizeof(void *));
    if (cardinalities == NULL) {
        return adg_fail_memory(error);
    }
    for (size_t i = 0; i < counter->count; i++) {
        cardinalities[i] = &counter->entries[i];
    }
    qsort(cardinalities, counter->count, sizeof(void *), largest_first);
    enum adg_status status = protect(cardinalities, counter->count, &table->control, &groups, error);
    adg_free(cardinalities);
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
    adg_free(groups.list);
    return status;
}
