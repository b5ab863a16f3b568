/*
 * What must hold for every row of a metadata table, whoever wrote it. A message names row, table and field, never a value.
 */
#include <string.h>

#include "core/date.h"
#include "metadata/internal.h"

#define WEIGHT_MAX 9007199254740992.0 /* 2^53 */

enum { STRING = 1, NUMERIC = 2, DATE = 4, STRING_ARRAY = 8, NUMERIC_ARRAY = 16, WEIGHT = 32, WEIGHT_ARRAY = 64 };

/* Per value type: the columns that may be filled, and those that must be. */
static const struct {
    unsigned may, must;
} shapes[ADG_VALUE_TYPES] = {
    [ADG_VALUE_CATEGORICAL] = {STRING | WEIGHT, WEIGHT},
    [ADG_VALUE_COMPLETENESS] = {WEIGHT_ARRAY, WEIGHT_ARRAY},
    [ADG_VALUE_CONTINUOUS] = {NUMERIC_ARRAY, NUMERIC_ARRAY},
    [ADG_VALUE_DATE] = {DATE | WEIGHT, WEIGHT},
    [ADG_VALUE_DEMOGRAPHIC_CATEGORICAL] = {STRING_ARRAY | WEIGHT | WEIGHT_ARRAY, STRING_ARRAY | WEIGHT | WEIGHT_ARRAY},
    [ADG_VALUE_DEMOGRAPHIC_DATE] = {STRING | NUMERIC | WEIGHT, NUMERIC | WEIGHT},
    [ADG_VALUE_DISCRETE] = {NUMERIC | WEIGHT, WEIGHT},
    [ADG_VALUE_RELATIONSHIP] = {STRING | NUMERIC | WEIGHT, STRING | NUMERIC | WEIGHT},
};

static unsigned filled(const struct adg_metadata_row *row)
{
    return (row->string.text != NULL ? STRING : 0U) | (row->has_numeric ? NUMERIC : 0U) | (row->has_date ? DATE : 0U) |
           (row->string_array != NULL ? STRING_ARRAY : 0U) | (row->numeric_array != NULL ? NUMERIC_ARRAY : 0U) |
           (row->has_weight ? WEIGHT : 0U) | (row->weight_array != NULL ? WEIGHT_ARRAY : 0U);
}

static bool is_finite(double x)
{
    return x - x == 0;
}

static bool is_whole(double x, double min, double max)
{
    return x >= min && x <= max && (double)(int64_t)x == x;
}

/* What is wrong with the row by itself; NULL: nothing. */
static const char *fault(const struct adg_metadata_row *row)
{
    unsigned found = filled(row);
    if ((found & ~shapes[row->value_type].may) != 0) {
        return "a column is filled that this VALUE_TYPE leaves null";
    }
    if ((shapes[row->value_type].must & ~found) != 0) {
        return "a column is null that this VALUE_TYPE needs";
    }
    if (row->has_weight && !is_whole(row->weight, 1, WEIGHT_MAX)) {
        return "WEIGHT is no whole number from 1 to 2^53";
    }
    if (row->has_date && (row->date < ADG_DATE_MIN || row->date > ADG_DATE_MAX)) {
        return "VALUE_DATE is outside the years 1 to 9999";
    }
    if (row->has_numeric && !is_finite(row->numeric)) {
        return "VALUE_NUMERIC is not finite";
    }
    switch (row->value_type) {
    case ADG_VALUE_COMPLETENESS:
        if (row->weight_array_count != 2 || !is_whole(row->weight_array[0], 0, WEIGHT_MAX) ||
            !is_whole(row->weight_array[1], 0, WEIGHT_MAX)) {
            return "WEIGHT_ARRAY is not two whole numbers from 0 to 2^53";
        }
        break;
    case ADG_VALUE_CONTINUOUS:
        if (row->numeric_array_count == 0) {
            return "VALUE_NUMERIC_ARRAY is empty";
        }
        for (uint32_t i = 0; i < row->numeric_array_count; i++) {
            if (!is_finite(row->numeric_array[i]) || (i > 0 && row->numeric_array[i] < row->numeric_array[i - 1])) {
                return "VALUE_NUMERIC_ARRAY is not finite and ascending";
            }
        }
        break;
    case ADG_VALUE_DEMOGRAPHIC_CATEGORICAL:
        if (row->string_array_count == 0 || row->string_array_count != row->weight_array_count) {
            return "VALUE_STRING_ARRAY and WEIGHT_ARRAY differ in length or are empty";
        }
        for (uint32_t i = 0; i < row->weight_array_count; i++) {
            if (!is_finite(row->weight_array[i]) || row->weight_array[i] < 0) {
                return "WEIGHT_ARRAY has a weight that is negative or not finite";
            }
        }
        break;
    case ADG_VALUE_DEMOGRAPHIC_DATE:
        if (row->numeric < 0 || row->numeric > 1) {
            return "VALUE_NUMERIC is no share from 0 to 1";
        }
        break;
    case ADG_VALUE_RELATIONSHIP:
        if (!is_whole(row->numeric, 0, 4294967295.0)) {
            return "VALUE_NUMERIC is no cardinality";
        }
        break;
    case ADG_VALUE_CATEGORICAL:
    case ADG_VALUE_DATE:
    case ADG_VALUE_DISCRETE:
        break;
    }
    return NULL;
}

static bool same_text(struct adg_optional_text text, const char *name)
{
    return text.size == strlen(name) && memcmp(text.text, name, text.size) == 0;
}

/* Whether the definition knows the row's table and field, and its kind of row for them; NULL: it does. */
static const char *misfit(const struct adg_metadata_row *row, const struct adg_definition *definition)
{
    const struct adg_dataset *dataset = NULL;
    if (adg_definition_find_table(definition, row->table, &dataset, NULL, NULL) != ADG_OK) {
        return "the definition has no such table";
    }
    int64_t index = adg_dataset_find_field(dataset, row->field);
    if (index < 0 || strcmp(dataset->fields[index].name, row->field) != 0) {
        return "the definition has no such field";
    }
    const struct adg_field *field = &dataset->fields[index];
    if (row->value_type == ADG_VALUE_RELATIONSHIP) {
        return (uint32_t)index == dataset->primary_key && dataset->patient_key >= 0 &&
                       same_text(row->string, dataset->fields[dataset->patient_key].name)
                   ? NULL
                   : "RELATIONSHIP is not between the primary key and the patient key";
    }
    if (field->role != ADG_ROLE_SAMPLED) {
        return "identifiers and derived fields have no metadata";
    }
    if (row->value_type == ADG_VALUE_COMPLETENESS) {
        return field->value_type == ADG_VALUE_CATEGORICAL || field->value_type == ADG_VALUE_DISCRETE ||
                       field->value_type == ADG_VALUE_DATE || field->value_type == ADG_VALUE_CONTINUOUS
                   ? NULL
                   : "a demographic field has no COMPLETENESS";
    }
    return row->value_type == field->value_type ? NULL : "VALUE_TYPE is not the one of the definition";
}

/* Rows that may stand once per field, and equal values, are duplicates whatever their weights. */
static bool is_duplicate(const struct adg_metadata_row *last, const struct adg_metadata_row *row)
{
    if (adg_metadata_row_compare_key(last, row->table, row->field, row->value_type) != 0) {
        return false;
    }
    if (row->value_type == ADG_VALUE_COMPLETENESS || row->value_type == ADG_VALUE_CONTINUOUS) {
        return true;
    }
    struct adg_metadata_row a = *last, b = *row;
    a.weight = b.weight = 0;
    if (row->value_type == ADG_VALUE_DEMOGRAPHIC_DATE) {
        a.numeric = b.numeric = 0;
    }
    return adg_metadata_row_compare(&a, &b) == 0;
}

enum adg_status adg_metadata_check(const struct adg_metadata_row *rows, size_t count,
                                   const struct adg_definition *definition, struct adg_error *error)
{
    for (size_t i = 0; i < count; i++) {
        const struct adg_metadata_row *row = &rows[i], *last = i > 0 ? &rows[i - 1] : NULL;
        const char *reason = fault(row);
        if (reason == NULL &&
            (last == NULL || adg_metadata_row_compare_key(last, row->table, row->field, row->value_type) != 0)) {
            reason = misfit(row, definition);
        } else if (reason == NULL && row->value_type == ADG_VALUE_RELATIONSHIP) {
            reason = misfit(row, definition); /* each row names the foreign key */
        }
        if (reason == NULL && last != NULL && adg_metadata_row_compare(last, row) > 0) {
            reason = "the rows are not in canonical order";
        }
        if (reason == NULL && last != NULL && is_duplicate(last, row)) {
            reason = "the same value stands twice";
        }
        if (reason != NULL) {
            return adg_fail(error, ADG_BAD_INPUT, "row %zu (table %s, field %s): %s", i + 1, row->table, row->field,
                            reason);
        }
    }
    return ADG_OK;
}
