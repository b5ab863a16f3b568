/*
 * DEMOGRAPHIC_CATEGORICAL and DEMOGRAPHIC_DATE: what a patient has, and what its records say.
 *
 * A pattern is drawn per patient, then a value per row by the pattern's inner weights: these are brought to one power
 * of two and cut to whole numbers, and the row's word is compared with their running sums, scaled to 2^32 (floor). A
 * date is drawn per patient; a row shows it with the probability of its incidence, else another one.
 */
#include "generate/internal.h"
#include "generate/same.h"

#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "core/wide.h"
#include "sample/alias.h"

/* ---- DEMOGRAPHIC_CATEGORICAL ------------------------------------------------------------------------------------- */

struct patterns {
    struct adg_stream pattern, value;
    struct adg_alias alias;
    uint32_t *starts;                 /* [patterns + 1] first value of each */
    uint32_t *codes;                  /* of the values */
    uint64_t *ends;                   /* a word below it, and not below that of the value before, picks the value */
    const struct adg_same_draw *same; /* patterns are those of people; NULL: of patients, drawn by `alias` */
};

static enum adg_status run_patterns(const struct adg_step *step, struct adg_work *work, struct adg_error *error)
{
    (void)error;
    const struct patterns *patterns = step->detail;
    uint32_t *codes = work->columns[step->field].codes;
    if (patterns->same != NULL) {
        adg_same_draw(patterns->same, work->runs.patients, work->runs.count, work->patient_codes);
    } else {
        adg_patients_words(&patterns->pattern, work->runs.patients, work->runs.count, work->patient_codes);
        adg_alias_draw(&patterns->alias, work->patient_codes, work->runs.count, work->patient_codes);
    }
    adg_stream_words(&patterns->value, work->first_row, work->rows, work->words);
    for (uint32_t i = 0; i < work->runs.count; i++) {
        uint32_t first = patterns->starts[work->patient_codes[i]];
        for (uint32_t row = work->runs.starts[i]; row < work->runs.starts[i + 1]; row++) {
            uint32_t value = first;
            while (work->words[row] >= patterns->ends[value]) {
                value++;
            }
            codes[row] = patterns->codes[value];
        }
    }
    return ADG_OK;
}

/* Running sums of the inner weights, scaled to 2^32. */
static enum adg_status scale_inner(const double *weights, uint32_t count, uint64_t *ends, struct adg_error *error)
{
    double largest = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (!isfinite(weights[i]) || weights[i] < 0) {
            return adg_fail(error, ADG_BAD_INPUT, "a weight within a pattern is negative or not finite");
        }
        largest = weights[i] > largest ? weights[i] : largest;
    }
    int exponent = 0;
    (void)frexp(largest, &exponent);
    adg_uint128 total = 0, sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        ends[i] = largest == 0 ? 1 : (uint64_t)ldexp(weights[i], 52 - exponent);
        total += ends[i];
    }
    for (uint32_t i = 0; i < count; i++) {
        sum += ends[i];
        ends[i] = (uint64_t)(sum * ADG_PARTS / total);
    }
    return ADG_OK;
}

/* Values, codes and shares of all patterns; `values` and `weights` are scratch for as many as there are. */
static enum adg_status read_patterns(struct adg_plan *plan, uint32_t field, struct adg_metadata_range range,
                                     struct patterns *patterns, struct adg_value *values, uint64_t *weights,
                                     struct adg_error *error)
{
    struct adg_plan_column *column = &plan->columns[field];
    uint32_t total = 0;
    enum adg_status status = ADG_OK;
    for (uint32_t p = 0; p < range.count; p++) {
        const struct adg_metadata_row *row = &range.rows[p];
        if (row->string_array_count == 0 || row->string_array_count != row->weight_array_count) {
            return adg_fail(error, ADG_BAD_INPUT, "a pattern needs as many weights as values, and at least one");
        }
        status = adg_plan_weight(row, &weights[p], error);
        if (status == ADG_OK) {
            status = scale_inner(row->weight_array, row->weight_array_count, patterns->ends + total, error);
        }
        patterns->starts[p] = total;
        for (uint32_t i = 0; i < row->string_array_count && status == ADG_OK; i++) {
            status = adg_plan_text_value(column->field, row->string_array[i], &values[total++], error);
        }
        if (status != ADG_OK) {
            return status;
        }
    }
    patterns->starts[range.count] = total;
    struct adg_dictionary dictionary = {0};
    status = adg_value_dictionary(column->field->type, values, total, &plan->arena, &dictionary, patterns->codes,
                                  error);
    if (status != ADG_OK) {
        return status;
    }
    bool nullable = false;
    for (uint32_t i = 0; i < total; i++) {
        nullable = nullable || values[i].null;
    }
    adg_plan_set_dictionary(column, &dictionary, nullable);
    return ADG_OK;
}

/* A field that is the same for a person in all tables. */
static enum adg_status plan_same(struct adg_plan *plan, uint32_t field, struct patterns *patterns,
                                 struct adg_error *error)
{
    const struct adg_population_rule *rule = &plan->dataset->coherence.population;
    bool is_same = false, there = false;
    for (uint32_t i = 0; plan->people != NULL && i < rule->same_count; i++) {
        is_same = is_same || rule->same[i] == field;
    }
    if (!is_same) {
        return ADG_OK;
    }
    struct adg_same_draw *draw = adg_arena_array(&plan->arena, 1, sizeof *draw);
    if (draw == NULL) {
        return adg_fail_memory(error);
    }
    enum adg_status status = adg_same_plan(plan->people, plan->member, plan->dataset->fields[field].name, plan->seed,
                                           &plan->arena, draw, &there, error);
    patterns->same = there ? draw : NULL;
    return status;
}

enum adg_status adg_plan_pattern(struct adg_plan *plan, uint32_t field, struct adg_error *error)
{
    struct adg_plan_column *column = &plan->columns[field];
    struct adg_metadata_range range = adg_metadata_find(plan->metadata, plan->table->name, column->field->name,
                                                        ADG_VALUE_DEMOGRAPHIC_CATEGORICAL);
    column->missing = range.count == 0;
    if (range.count == 0) {
        return ADG_OK;
    }
    uint64_t total = 0;
    for (size_t p = 0; p < range.count; p++) {
        total += range.rows[p].string_array_count;
    }
    if (range.count >= UINT32_MAX / 2 || total >= UINT32_MAX / 2) {
        return adg_fail(error, ADG_BAD_INPUT, "more than 2^31 patterns or values");
    }
    uint32_t count = (uint32_t)range.count;
    struct patterns *patterns = adg_arena_array(&plan->arena, 1, sizeof *patterns);
    struct adg_value *values = adg_alloc_array(total, sizeof *values);
    uint64_t *weights = adg_alloc_array(count, sizeof *weights);
    uint64_t *parts = adg_alloc_array((size_t)count + 1, sizeof *parts);
    enum adg_status status = ADG_OK;
    if (patterns != NULL) {
        patterns->starts = adg_arena_array(&plan->arena, (size_t)count + 1, sizeof *patterns->starts);
        patterns->codes = adg_arena_array(&plan->arena, total, sizeof *patterns->codes);
        patterns->ends = adg_arena_array(&plan->arena, total, sizeof *patterns->ends);
    }
    if (patterns == NULL || patterns->starts == NULL || patterns->codes == NULL || patterns->ends == NULL ||
        values == NULL || weights == NULL || parts == NULL) {
        status = adg_fail_memory(error);
        goto done;
    }
    status = read_patterns(plan, field, range, patterns, values, weights, error);
    if (status == ADG_OK && column->kind == ADG_COLUMN_DICTIONARY) {
        patterns->pattern = adg_plan_stream(plan, field, ADG_PURPOSE_PATTERN);
        patterns->value = adg_plan_stream(plan, field, ADG_PURPOSE_VALUE);
        status = plan_same(plan, field, patterns, error);
        if (status == ADG_OK && patterns->same == NULL) {
            status = adg_parts_scale(weights, count, 0, 0, parts, error);
        }
        if (status == ADG_OK && patterns->same == NULL) {
            status = adg_plan_alias(plan, parts, count, &patterns->alias, error);
        }
        if (status == ADG_OK) {
            adg_plan_add_step(plan, field, run_patterns, patterns);
        }
    }
done:
    adg_free(values);
    adg_free(weights);
    adg_free(parts);
    return status;
}

/* ---- DEMOGRAPHIC_DATE -------------------------------------------------------------------------------------------- */

struct dates {
    struct adg_stream value, shown, other;
    struct adg_alias alias;
    uint32_t count;       /* values, null included */
    uint64_t *shown_ends; /* a word below it shows the patient's own value */
    uint64_t *sums;
};

static enum adg_status run_dates(const struct adg_step *step, struct adg_work *work, struct adg_error *error)
{
    (void)error;
    const struct dates *dates = step->detail;
    uint32_t *codes = work->columns[step->field].codes;
    adg_patients_words(&dates->value, work->runs.patients, work->runs.count, work->patient_codes);
    adg_alias_draw(&dates->alias, work->patient_codes, work->runs.count, work->patient_codes);
    adg_stream_words(&dates->shown, work->first_row, work->rows, work->words);
    adg_stream_words(&dates->other, work->first_row, work->rows, work->more_words);
    for (uint32_t i = 0; i < work->runs.count; i++) {
        uint32_t own = work->patient_codes[i];
        uint64_t end = dates->shown_ends[own];
        for (uint32_t row = work->runs.starts[i]; row < work->runs.starts[i + 1]; row++) {
            codes[row] = work->words[row] < end
                             ? own
                             : adg_sums_draw_other(dates->sums, dates->count, own, work->more_words[row]);
        }
    }
    return ADG_OK;
}

/* Weights and incidences of the rows, gathered by code: values that are equal in the field's type become one. */
static enum adg_status read_dates(const struct adg_metadata_range range, const uint32_t *codes, uint64_t *weights,
                                  double *incidences, struct adg_error *error)
{
    for (size_t i = 0; i < range.count; i++) {
        const struct adg_metadata_row *row = &range.rows[i];
        uint64_t weight = 0;
        enum adg_status status = adg_plan_weight(row, &weight, error);
        if (status != ADG_OK) {
            return status;
        }
        if (!row->has_numeric || !(row->numeric >= 0 && row->numeric <= 1)) {
            return adg_fail(error, ADG_BAD_INPUT, "an incidence is not between 0 and 1");
        }
        uint64_t before = weights[codes[i]];
        weights[codes[i]] += weight;
        incidences[codes[i]] = before == 0 ? row->numeric
                                           : (incidences[codes[i]] * (double)before + row->numeric * (double)weight) /
                                                 (double)weights[codes[i]];
    }
    return ADG_OK;
}

static enum adg_status prepare_dates(struct adg_plan *plan, uint32_t field, uint32_t count, const uint64_t *parts,
                                     const double *incidences, struct adg_error *error)
{
    struct dates *dates = adg_arena_array(&plan->arena, 1, sizeof *dates);
    if (dates == NULL) {
        return adg_fail_memory(error);
    }
    dates->value = adg_plan_stream(plan, field, ADG_PURPOSE_VALUE);
    dates->shown = adg_plan_stream(plan, field, ADG_PURPOSE_SHOWN);
    dates->other = adg_plan_stream(plan, field, ADG_PURPOSE_OTHER);
    dates->count = count;
    dates->shown_ends = adg_arena_array(&plan->arena, count, sizeof *dates->shown_ends);
    dates->sums = adg_arena_array(&plan->arena, (size_t)count + 1, sizeof *dates->sums);
    if (dates->shown_ends == NULL || dates->sums == NULL) {
        return adg_fail_memory(error);
    }
    for (uint32_t i = 0; i < count; i++) {
        dates->shown_ends[i] = (uint64_t)(incidences[i] * (double)ADG_PARTS);
    }
    adg_sums_build(parts, count, dates->sums);
    enum adg_status status = adg_plan_alias(plan, parts, count, &dates->alias, error);
    if (status == ADG_OK) {
        adg_plan_add_step(plan, field, run_dates, dates);
    }
    return status;
}

enum adg_status adg_plan_patient_date(struct adg_plan *plan, uint32_t field, struct adg_error *error)
{
    struct adg_plan_column *column = &plan->columns[field];
    struct adg_metadata_range range = adg_metadata_find(plan->metadata, plan->table->name, column->field->name,
                                                        ADG_VALUE_DEMOGRAPHIC_DATE);
    column->missing = range.count == 0;
    if (range.count == 0) {
        return ADG_OK;
    }
    if (range.count >= UINT32_MAX / 2) {
        return adg_fail(error, ADG_BAD_INPUT, "more than 2^31 values");
    }
    uint32_t count = (uint32_t)range.count;
    struct adg_value *values = adg_alloc_array(count, sizeof *values);
    uint32_t *codes = adg_alloc_array(count, sizeof *codes);
    uint64_t *weights = adg_alloc_zero((size_t)count + 1, sizeof *weights);
    uint64_t *parts = adg_alloc_array((size_t)count + 2, sizeof *parts);
    double *incidences = adg_alloc_zero((size_t)count + 1, sizeof *incidences);
    struct adg_dictionary dictionary = {0};
    enum adg_status status = ADG_OK;
    if (values == NULL || codes == NULL || weights == NULL || parts == NULL || incidences == NULL) {
        status = adg_fail_memory(error);
        goto done;
    }
    for (uint32_t i = 0; i < count && status == ADG_OK; i++) {
        status = adg_plan_text_value(column->field, range.rows[i].string, &values[i], error);
    }
    if (status == ADG_OK) {
        status = adg_value_dictionary(column->field->type, values, count, &plan->arena, &dictionary, codes, error);
    }
    if (status == ADG_OK) {
        status = read_dates(range, codes, weights, incidences, error);
    }
    if (status != ADG_OK) {
        goto done;
    }
    bool nullable = weights[dictionary.count] > 0;
    adg_plan_set_dictionary(column, &dictionary, nullable);
    if (column->kind == ADG_COLUMN_DICTIONARY) {
        uint32_t distinct = dictionary.count + (nullable ? 1 : 0);
        status = adg_parts_scale(weights, distinct, 0, 0, parts, error);
        if (status == ADG_OK) {
            status = prepare_dates(plan, field, distinct, parts, incidences, error);
        }
    }
done:
    adg_free(values);
    adg_free(codes);
    adg_free(weights);
    adg_free(parts);
    adg_free(incidences);
    return status;
}
