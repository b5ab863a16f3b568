/*
 * The checks of numbers in metadata: thresholds and rounding, identifier rows, relationship groups and what their means give
 * away, percentiles, records-to-values ratios, fields that are the same.
 *
 * Dominance is the p% rule (Hundepool et al., Statistical Disclosure Control, Wiley 2012, section 4.2.2; p = 10): a sum is unsafe when
 * the second largest contributor, who knows the own share, can estimate the largest within p%. Of a group of n patients
 * with mean m the released cells show that each has at least the cardinality L of the group below. The worst that is then
 * possible is one patient with everything above that: x = m n - (n - 1) L. The group fails when m n - x - L < x p / 100, which
 * leaves (n - 2) L < x / 10.
 */
#include "govern/internal.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

enum { P_PERCENT = 10, IDENTICAL_FROM_VALUES = 20, MOST_PERCENTILES = 98 };

/* Rows of one table, field and value type. */
struct group {
    const struct adg_metadata_row *rows;
    size_t first, count; /* first: index of the first row */
    const struct adg_dataset *dataset;
    int64_t field; /* of the dataset; -1: unknown */
};

static bool same_group(const struct adg_metadata_row *a, const struct adg_metadata_row *b)
{
    return a->value_type == b->value_type && strcmp(a->field, b->field) == 0 && strcmp(a->table, b->table) == 0;
}

static bool next_group(const struct adg_checker *checker, struct group *group)
{
    const struct adg_metadata *metadata = checker->metadata;
    size_t first = group->first + group->count, end = first;
    if (first >= metadata->row_count) {
        return false;
    }
    while (end < metadata->row_count && same_group(&metadata->rows[first], &metadata->rows[end])) {
        end++;
    }
    group->rows = metadata->rows + first;
    group->first = first;
    group->count = end - first;
    group->dataset = NULL;
    group->field = -1;
    if (adg_definition_find_table(checker->definition, group->rows->table, &group->dataset, NULL, NULL) == ADG_OK) {
        group->field = adg_dataset_find_field(group->dataset, group->rows->field);
    }
    return true;
}

static bool is_controlled(double weight, const struct adg_dataset *dataset)
{
    double threshold = (double)adg_review_rounded(dataset->min_frequency, dataset->rounding);
    uint64_t whole = weight >= 0 && weight <= 9007199254740992.0 ? (uint64_t)weight : 0;
    return weight >= threshold && (double)whole == weight && whole % dataset->rounding == 0;
}

static enum adg_status check_weights(const struct adg_checker *checker, const struct group *group)
{
    enum adg_status status = ADG_OK;
    bool relationship = group->rows->value_type == ADG_VALUE_RELATIONSHIP;
    for (size_t i = 0; i < group->count && status == ADG_OK; i++) {
        const struct adg_metadata_row *row = &group->rows[i];
        bool good = !row->has_weight || is_controlled(row->weight, group->dataset);
        for (uint32_t k = 0; row->value_type == ADG_VALUE_COMPLETENESS && k < row->weight_array_count; k++) {
            good = good && (row->weight_array[k] == 0 || is_controlled(row->weight_array[k], group->dataset));
        }
        if (!good) {
            status = adg_review_find(checker->review, relationship ? ADG_CHECK_RELATIONSHIP : ADG_CHECK_WEIGHTS,
                                     row->table, row->field, group->first + i + 1,
                                     "a weight is below the threshold or no multiple of the rounding");
        }
    }
    return status;
}

static enum adg_status check_identity(const struct adg_checker *checker, const struct group *group)
{
    struct adg_review *review = checker->review;
    const struct adg_metadata_row *row = group->rows;
    const struct adg_review_rules *rules = &group->dataset->review;
    enum adg_status status = ADG_OK;
    for (uint32_t i = 0; i < rules->excluded_field_count && status == ADG_OK; i++) {
        if (strcmp(rules->excluded_fields[i], row->field) == 0) {
            status = adg_review_find(review, ADG_CHECK_EXCLUDED_FIELDS, row->table, row->field, group->first + 1,
                                     "the field is one that must not leave");
        }
    }
    if (status != ADG_OK) {
        return status;
    }
    if (row->value_type == ADG_VALUE_RELATIONSHIP) {
        const char *patient = group->dataset->patient_key >= 0
                                  ? group->dataset->fields[group->dataset->patient_key].name
                                  : "";
        bool good = group->field == (int64_t)group->dataset->primary_key;
        for (size_t i = 0; i < group->count && good; i++) {
            const struct adg_metadata_row *each = &group->rows[i];
            good = each->string.size == strlen(patient) && memcmp(each->string.text, patient, strlen(patient)) == 0 &&
                   !each->has_date && each->string_array == NULL && each->numeric_array == NULL &&
                   each->weight_array == NULL;
        }
        return good ? ADG_OK
                    : adg_review_find(review, ADG_CHECK_IDENTIFIER_ROWS, row->table, row->field, group->first + 1,
                                      "relationship rows are of the primary key, name the patient key and hold "
                                      "nothing but cardinality and weight");
    }
    if (group->field < 0 || group->dataset->fields[group->field].role == ADG_ROLE_ID) {
        return adg_review_find(review, ADG_CHECK_IDENTIFIER_ROWS, row->table, row->field, group->first + 1,
                               group->field < 0 ? "the definition does not know the field"
                                                : "an identifier has rows other than relationship");
    }
    return ADG_OK;
}

/* The largest number that is shown as this cardinality: whole numbers up to 99, two significant digits above. */
static double upper_bound(double cardinality)
{
    double unit = 1;
    while (cardinality / unit > 99.5) {
        unit *= 10;
    }
    return cardinality + unit / 2;
}

static enum adg_status check_dominance(const struct adg_checker *checker, const struct group *group)
{
    const struct adg_dataset *dataset = group->dataset;
    enum adg_status status = ADG_OK;
    for (size_t i = 0; i < group->count && status == ADG_OK; i++) {
        const struct adg_metadata_row *row = &group->rows[i];
        double below = 1;
        for (size_t k = 0; k < group->count; k++) {
            double other = group->rows[k].numeric;
            below = other < row->numeric && other > below ? other : below;
        }
        /* fewer patients than the rounded count may have are the worse case */
        double n = row->weight - (double)(dataset->rounding / 2);
        n = n < dataset->min_frequency ? dataset->min_frequency : n;
        if (row->numeric <= below || n < 2) {
            continue;
        }
        double largest = upper_bound(row->numeric) * n - (n - 1) * below;
        if ((n - 2) * below < largest * P_PERCENT / 100) {
            status = adg_review_find(checker->review, ADG_CHECK_DOMINANCE, row->table, row->field, group->first + i + 1,
                                     "the mean of the group may be that of one patient alone (p%% rule, p = %d)",
                                     P_PERCENT);
        }
    }
    return status;
}

static enum adg_status check_percentiles(const struct adg_checker *checker, const struct group *group)
{
    const struct adg_dataset *dataset = group->dataset;
    struct adg_metadata_range completeness = adg_metadata_find(checker->metadata, group->rows->table,
                                                               group->rows->field, ADG_VALUE_COMPLETENESS);
    double filled = completeness.count == 1 && completeness.rows->weight_array_count == 2
                        ? completeness.rows->weight_array[1] + (double)(dataset->rounding / 2)
                        : 0;
    double most = (double)((uint64_t)filled / dataset->min_frequency) - 1;
    most = most > MOST_PERCENTILES ? MOST_PERCENTILES : most;
    enum adg_status status = ADG_OK;
    for (size_t i = 0; i < group->count && status == ADG_OK; i++) {
        if ((double)group->rows[i].numeric_array_count > most) {
            status = adg_review_find(checker->review, ADG_CHECK_PERCENTILES, group->rows->table, group->rows->field,
                                     group->first + i + 1,
                                     "there are more percentiles than the number of values allows");
        }
    }
    return status;
}

/* ---- ratios and identical fields --------------------------------------------------------------------------------- */

static bool has_value(const struct adg_metadata_row *row)
{
    return row->string.text != NULL || row->has_date || row->string_array != NULL ||
           (row->has_numeric && row->value_type != ADG_VALUE_DEMOGRAPHIC_DATE);
}

static enum adg_status add_summary(const struct adg_checker *checker, const struct group *group)
{
    struct adg_review *review = checker->review;
    struct adg_field_summary summary = {.table = group->rows->table,
                                        .field = group->rows->field,
                                        .value_type = group->rows->value_type,
                                        .first_row = group->first};
    size_t values = 0;
    for (size_t i = 0; i < group->count; i++) {
        if (group->rows[i].has_weight && has_value(&group->rows[i])) {
            summary.records += group->rows[i].weight;
            values++;
        }
    }
    summary.rows = group->count;
    summary.ratio = values > 0 ? summary.records / (double)values : 0;
    if (review->field_count == review->field_capacity) {
        struct adg_field_summary *fields = adg_grow_array(review->fields, &review->field_capacity, 256, sizeof *fields);
        if (fields == NULL) {
            return adg_fail_memory(checker->error);
        }
        review->fields = fields;
    }
    review->fields[review->field_count++] = summary;
    double threshold = (double)adg_review_rounded(group->dataset->min_frequency, group->dataset->rounding);
    if (values >= IDENTICAL_FROM_VALUES && summary.ratio <= 2 * threshold) {
        return adg_review_find(review, ADG_CHECK_RATIO, summary.table, summary.field, 0,
                               "nearly every value is as rare as may be: is the field an identifier?");
    }
    return ADG_OK;
}

/* 0 when both hold the same values with the same weights. */
static int compare_content(const struct adg_metadata *metadata, const struct adg_field_summary *a,
                           const struct adg_field_summary *b)
{
    if (a->rows != b->rows) {
        return a->rows < b->rows ? -1 : 1;
    }
    for (size_t i = 0; i < a->rows; i++) {
        const struct adg_metadata_row *x = &metadata->rows[a->first_row + i], *y = &metadata->rows[b->first_row + i];
        if (x->weight != y->weight) {
            return x->weight < y->weight ? -1 : 1;
        }
        if (x->has_date != y->has_date || x->date != y->date) {
            return x->has_date < y->has_date || x->date < y->date ? -1 : 1;
        }
        if (x->has_numeric != y->has_numeric || x->numeric != y->numeric) {
            return x->has_numeric < y->has_numeric || x->numeric < y->numeric ? -1 : 1;
        }
        size_t shorter = x->string.size < y->string.size ? x->string.size : y->string.size;
        int order = shorter > 0 ? memcmp(x->string.text, y->string.text, shorter) : 0;
        if (order != 0 || x->string.size != y->string.size) {
            return order != 0 ? order : x->string.size < y->string.size ? -1 : 1;
        }
    }
    return 0;
}

/* The name without "_" and digits at its end: members of one repeated group have it in common. */
static size_t stem_length(const char *name)
{
    size_t length = strlen(name), end = length;
    while (end > 0 && name[end - 1] >= '0' && name[end - 1] <= '9') {
        end--;
    }
    return end < length && end > 1 && name[end - 1] == '_' ? end - 1 : length;
}

static bool same_repeated_group(const char *a, const char *b)
{
    size_t length = stem_length(a);
    return length < strlen(a) && length == stem_length(b) && length < strlen(b) && memcmp(a, b, length) == 0;
}

/* What qsort_r hands through: its own pointer cannot be const. */
struct content {
    const struct adg_metadata *metadata;
};

static int by_content(const void *a, const void *b, void *context)
{
    const struct content *content = context;
    const struct adg_field_summary *x = *(const struct adg_field_summary *const *)a,
                                   *y = *(const struct adg_field_summary *const *)b;
    int order = strcmp(x->table, y->table);
    order = order != 0 ? order : (int)x->value_type - (int)y->value_type;
    order = order != 0 ? order : compare_content(content->metadata, x, y);
    return order != 0 ? order : strcmp(x->field, y->field);
}

static bool may_be_compared(const struct adg_field_summary *summary)
{
    return summary->rows >= IDENTICAL_FROM_VALUES &&
           (summary->value_type == ADG_VALUE_CATEGORICAL || summary->value_type == ADG_VALUE_DATE ||
            summary->value_type == ADG_VALUE_DISCRETE);
}

static enum adg_status check_identical(const struct adg_checker *checker)
{
    struct adg_review *review = checker->review;
    const struct adg_field_summary **order = adg_alloc_array(review->field_count + 1, sizeof(void *));
    size_t count = 0;
    enum adg_status status = ADG_OK;
    if (order == NULL) {
        return adg_fail_memory(checker->error);
    }
    for (size_t i = 0; i < review->field_count; i++) {
        if (may_be_compared(&review->fields[i])) {
            order[count++] = &review->fields[i];
        }
    }
    struct content content = {checker->metadata};
    qsort_r(order, count, sizeof(void *), by_content, &content);
    for (size_t i = 1; i < count && status == ADG_OK; i++) {
        const struct adg_field_summary *a = order[i - 1], *b = order[i];
        if (strcmp(a->table, b->table) == 0 && a->value_type == b->value_type &&
            compare_content(checker->metadata, a, b) == 0 && !same_repeated_group(a->field, b->field)) {
            status = adg_review_find(review, ADG_CHECK_IDENTICAL_FIELDS, a->table, b->field, 0,
                                     "the distribution is that of field %s, value for value", a->field);
        }
    }
    adg_free(order);
    return status;
}

static int by_ratio(const void *a, const void *b)
{
    const struct adg_field_summary *x = a, *y = b;
    if (x->ratio != y->ratio) {
        return x->ratio < y->ratio ? -1 : 1;
    }
    int order = strcmp(x->table, y->table);
    order = order != 0 ? order : strcmp(x->field, y->field);
    return order != 0 ? order : (int)x->value_type - (int)y->value_type;
}

enum adg_status adg_check_numbers(const struct adg_checker *checker)
{
    struct group group = {0};
    enum adg_status status = ADG_OK;
    while (status == ADG_OK && next_group(checker, &group)) {
        if (group.dataset == NULL) {
            continue; /* the rules for rows have named it */
        }
        enum adg_value_type value_type = group.rows->value_type;
        status = check_weights(checker, &group);
        if (status == ADG_OK) {
            status = check_identity(checker, &group);
        }
        if (status == ADG_OK && value_type == ADG_VALUE_RELATIONSHIP) {
            status = check_dominance(checker, &group);
        } else if (status == ADG_OK && value_type == ADG_VALUE_CONTINUOUS) {
            status = check_percentiles(checker, &group);
        } else if (status == ADG_OK && value_type != ADG_VALUE_COMPLETENESS) {
            status = add_summary(checker, &group);
        }
    }
    if (status == ADG_OK) {
        status = check_identical(checker);
    }
    if (status == ADG_OK && checker->review->field_count > 0) {
        qsort(checker->review->fields, checker->review->field_count, sizeof *checker->review->fields, by_ratio);
    }
    return status;
}
