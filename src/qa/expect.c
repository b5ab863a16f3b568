/*
 * What metadata implies for a generated field under profile reference (docs/generation.md).
 */
#include <math.h>
#include <stdlib.h>

#include "core/date.h"
#include "core/number.h"
#include "qa/internal.h"

double adg_expected_null(const struct adg_metadata *metadata, const char *table, const char *field)
{
    struct adg_metadata_range range = adg_metadata_find(metadata, table, field, ADG_VALUE_COMPLETENESS);
    if (range.count == 0) {
        return -1;
    }
    double sum = range.rows->weight_array[0] + range.rows->weight_array[1];
    return sum > 0 ? range.rows->weight_array[0] / sum : 0;
}

/* Null comes first. */
static int by_value(const void *a, const void *b)
{
    const struct adg_share *x = a, *y = b;
    if (x->value.data == NULL || y->value.data == NULL) {
        return (x->value.data != NULL) - (y->value.data != NULL);
    }
    return adg_span_compare(x->value, y->value);
}

void adg_expected_settle(struct adg_expected *expected)
{
    size_t kept = 0;
    qsort(expected->shares, expected->count, sizeof *expected->shares, by_value);
    for (size_t i = 0; i < expected->count; i++) {
        if (kept > 0 && by_value(&expected->shares[kept - 1], &expected->shares[i]) == 0) {
            expected->shares[kept - 1].share += expected->shares[i].share;
        } else {
            expected->shares[kept++] = expected->shares[i];
        }
    }
    expected->count = kept;
}

int64_t adg_expected_find(const struct adg_expected *expected, struct adg_span value)
{
    const struct adg_share wanted = {.value = value};
    const struct adg_share *found = bsearch(&wanted, expected->shares, expected->count, sizeof wanted, by_value);
    return found != NULL ? found - expected->shares : -1;
}

static struct adg_span span_of(const struct adg_optional_text *text)
{
    return (struct adg_span){(const uint8_t *)text->text, text->text != NULL ? text->size : 0};
}

/* The value of a row as text; data NULL for null. false: no memory. */
static bool value_of(const struct adg_metadata_row *row, struct adg_arena *arena, struct adg_span *out)
{
    char text[ADG_NUMBER_TEXT_BYTES];
    size_t size = 0;
    *out = span_of(&row->string);
    if (row->has_date) {
        adg_date_format(row->date, text);
        size = 10;
    } else if (row->has_numeric) {
        size = adg_double_format(row->numeric, text);
    }
    if (size > 0) {
        *out = (struct adg_span){(const uint8_t *)adg_arena_strndup(arena, text, size), size};
    }
    return size == 0 || out->data != NULL;
}

enum adg_status adg_expected_categories(const struct adg_metadata *metadata, const char *table,
                                        const struct adg_field *field, struct adg_arena *arena,
                                        struct adg_expected *out, struct adg_error *error)
{
    struct adg_metadata_range range = adg_metadata_find(metadata, table, field->name, field->value_type);
    double null = adg_expected_null(metadata, table, field->name), total = 0, null_weight = 0;
    struct adg_expected made = {.shares = adg_arena_array(arena, range.count + 1, sizeof *made.shares)};
    if (made.shares == NULL) {
        return adg_fail_memory(error);
    }
    for (size_t i = 0; i < range.count; i++) {
        struct adg_span value;
        if (!value_of(&range.rows[i], arena, &value)) {
            return adg_fail_memory(error);
        }
        if (value.data == NULL) {
            null_weight += range.rows[i].weight;
        } else {
            made.shares[made.count++] = (struct adg_share){value, range.rows[i].weight};
            total += range.rows[i].weight;
        }
    }
    if (null < 0) {
        null = total + null_weight > 0 ? null_weight / (total + null_weight) : 1;
    }
    null = total > 0 ? null : 1;
    for (size_t i = 0; i < made.count; i++) {
        made.shares[i].share *= (1 - null) / total;
    }
    made.shares[made.count++] = (struct adg_share){{NULL, 0}, null};
    adg_expected_settle(&made);
    *out = made;
    return ADG_OK;
}

enum adg_status adg_expected_patterns(const struct adg_metadata *metadata, const char *table,
                                      const struct adg_field *field, struct adg_arena *arena, struct adg_expected *out,
                                      struct adg_error *error)
{
    struct adg_metadata_range range = adg_metadata_find(metadata, table, field->name, field->value_type);
    size_t most = 1;
    double total = 0;
    for (size_t i = 0; i < range.count; i++) {
        most += range.rows[i].string_array_count;
        total += range.rows[i].weight;
    }
    struct adg_expected made = {.shares = adg_arena_array(arena, most, sizeof *made.shares)};
    if (made.shares == NULL) {
        return adg_fail_memory(error);
    }
    for (size_t i = 0; i < range.count; i++) {
        const struct adg_metadata_row *row = &range.rows[i];
        double inner = 0;
        for (uint32_t k = 0; k < row->string_array_count; k++) {
            inner += row->weight_array[k];
        }
        for (uint32_t k = 0; k < row->string_array_count; k++) { /* inner weights that are all 0 mean uniform */
            double share = inner > 0 ? row->weight_array[k] / inner : 1.0 / row->string_array_count;
            made.shares[made.count++] = (struct adg_share){span_of(&row->string_array[k]), row->weight / total * share};
        }
    }
    if (made.count == 0) {
        made.shares[made.count++] = (struct adg_share){{NULL, 0}, 1};
    }
    adg_expected_settle(&made);
    *out = made;
    return ADG_OK;
}

/* A patient's own value is u with probability w(u), and is shown with probability i(u); else another one is drawn from the
 * others: share(v) = w(v) i(v) + sum over u != v of w(u) (1 - i(u)) w(v) / (1 - w(u)). */
enum adg_status adg_expected_modes(const struct adg_metadata *metadata, const char *table,
                                   const struct adg_field *field, struct adg_arena *arena, struct adg_expected *out,
                                   struct adg_error *error)
{
    struct adg_metadata_range range = adg_metadata_find(metadata, table, field->name, field->value_type);
    struct adg_expected made = {.shares = adg_arena_array(arena, range.count + 1, sizeof *made.shares),
                                .count = range.count};
    double total = 0, others = 0;
    if (made.shares == NULL) {
        return adg_fail_memory(error);
    }
    for (size_t i = 0; i < range.count; i++) {
        total += range.rows[i].weight;
    }
    for (size_t i = 0; i < range.count && range.count > 1; i++) {
        double weight = range.rows[i].weight / total, shown = fmin(fmax(range.rows[i].numeric, 0), 1);
        others += weight * (1 - shown) / (1 - weight);
    }
    for (size_t i = 0; i < range.count; i++) {
        double weight = range.rows[i].weight / total, shown = fmin(fmax(range.rows[i].numeric, 0), 1);
        double share = range.count == 1 ? 1 : weight * shown + weight * (others - weight * (1 - shown) / (1 - weight));
        made.shares[i] = (struct adg_share){span_of(&range.rows[i].string), share};
    }
    if (range.count == 0) {
        made.shares[made.count++] = (struct adg_share){{NULL, 0}, 1};
    }
    adg_expected_settle(&made);
    *out = made;
    return ADG_OK;
}

/* ---- sorted dates ------------------------------------------------------------------------------------------------ */

struct draw {
    struct adg_expected shares; /* sorted: null first, then dates, which as text sort like days */
    size_t at;                  /* shares before it are at most the date in hand */
    double below;               /* their sum, without null */
};

/* The probability that at least `least` of the independent events happen. */
static double at_least(const double *probabilities, uint32_t count, uint32_t least)
{
    double exactly[17] = {1};
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t k = i + 1; k > 0; k--) {
            exactly[k] = exactly[k] * (1 - probabilities[i]) + exactly[k - 1] * probabilities[i];
        }
        exactly[0] *= 1 - probabilities[i];
    }
    double sum = 0;
    for (uint32_t k = least; k <= count; k++) {
        sum += exactly[k];
    }
    return sum;
}

enum adg_status adg_expected_sorted_date(const struct adg_metadata *metadata, const char *table,
                                         const struct adg_dataset *dataset, uint32_t place, struct adg_arena *arena,
                                         struct adg_expected *out, struct adg_error *error)
{
    struct draw draws[16] = {{{NULL, 0}, 0, 0}};
    uint32_t count = dataset->sorted_date_count;
    size_t most = 1, all = 0;
    enum adg_status status = ADG_OK;
    for (uint32_t i = 0; i < count && status == ADG_OK; i++) {
        status = adg_expected_categories(metadata, table, &dataset->fields[dataset->sorted_dates[i]], arena,
                                         &draws[i].shares, error);
        most += draws[i].shares.count;
    }
    struct adg_share *union_of = status == ADG_OK ? adg_arena_array(arena, most, sizeof *union_of) : NULL;
    if (union_of == NULL) {
        return status == ADG_OK ? adg_fail_memory(error) : status;
    }
    for (uint32_t i = 0; i < count; i++) {
        for (size_t k = 0; k < draws[i].shares.count; k++) {
            union_of[all++] = draws[i].shares.shares[k];
        }
    }
    struct adg_expected made = {union_of, all};
    adg_expected_settle(&made);
    double before = 0;
    size_t kept = 0, null_at = 0;
    for (size_t v = 0; v < made.count; v++) {
        double probabilities[16] = {0};
        if (made.shares[v].value.data == NULL) {
            null_at = kept;
            made.shares[kept++] = made.shares[v];
            continue;
        }
        for (uint32_t i = 0; i < count; i++) {
            struct draw *draw = &draws[i];
            while (draw->at < draw->shares.count && by_value(&draw->shares.shares[draw->at], &made.shares[v]) <= 0) {
                draw->below += draw->shares.shares[draw->at].value.data != NULL ? draw->shares.shares[draw->at].share
                                                                                : 0;
                draw->at++;
            }
            probabilities[i] = draw->below;
        }
        double up_to = at_least(probabilities, count, place + 1);
        made.shares[kept] = made.shares[v];
        made.shares[kept++].share = up_to > before ? up_to - before : 0;
        before = up_to > before ? up_to : before;
    }
    made.count = kept;
    made.shares[null_at].share = before < 1 ? 1 - before : 0; /* every field's shares have null among them */
    *out = made;
    return ADG_OK;
}
