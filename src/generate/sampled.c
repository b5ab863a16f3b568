/*
 * CATEGORICAL, DISCRETE and DATE: one draw per row from an alias table over the dictionary and null. Where few rows have a value, these
 * rows are drawn, and a value for each.
 */
#include "generate/internal.h"

#include <assert.h>

#include "core/memory.h"
#include "sample/alias.h"
#include "sample/sparse.h"

struct sampled {
    struct adg_stream stream;
    struct adg_alias alias; /* slots lie in the plan's arena */
};

static enum adg_status run_sampled(const struct adg_step *step, struct adg_work *work, struct adg_error *error)
{
    (void)error;
    const struct sampled *sampled = step->detail;
    uint32_t *codes = work->columns[step->field].codes;
    adg_stream_words(&sampled->stream, work->first_row, work->rows, codes);
    adg_alias_draw(&sampled->alias, codes, work->rows, codes);
    return ADG_OK;
}

static_assert((int)ADG_SPARSE_ROWS == ADG_BLOCK_ROWS, "a block is drawn by itself");

static enum adg_status run_sparse(const struct adg_step *step, struct adg_work *work, struct adg_error *error)
{
    (void)error;
    const struct adg_sparse *sparse = step->detail;
    struct adg_work_column *column = &work->columns[step->field];
    adg_work_clear_filled(column, work->plan->columns[step->field].dictionary.count);
    column->count = adg_sparse_draw(sparse, work->first_row, work->rows, ADG_SPARSE_FILLED, work->words, column->filled,
                                    column->values);
    adg_work_show_filled(column);
    return ADG_OK;
}

enum adg_status adg_plan_completeness(const struct adg_plan *plan, uint32_t field, bool *there, uint64_t *null,
                                      uint64_t *filled, struct adg_error *error)
{
    struct adg_metadata_range range = adg_metadata_find(plan->metadata, plan->table->name,
                                                        plan->columns[field].field->name, ADG_VALUE_COMPLETENESS);
    if (range.count == 0) {
        *there = false;
        return ADG_OK;
    }
    if (range.count > 1 || range.rows[0].weight_array_count != 2) {
        return adg_fail(error, ADG_BAD_INPUT, "COMPLETENESS is one row with two weights");
    }
    for (int i = 0; i < 2; i++) {
        double weight = range.rows[0].weight_array[i];
        if (!(weight >= 0 && weight <= ADG_LARGEST_WEIGHT && weight == (double)(uint64_t)weight)) {
            return adg_fail(error, ADG_BAD_INPUT, "a weight of COMPLETENESS is not a whole number from 0 to 2^53");
        }
    }
    *there = true;
    *null = (uint64_t)range.rows[0].weight_array[0];
    *filled = (uint64_t)range.rows[0].weight_array[1];
    return ADG_OK;
}

static enum adg_status read_value(struct adg_plan *plan, const struct adg_field *field,
                                  const struct adg_metadata_row *row, struct adg_value *out, struct adg_error *error)
{
    struct adg_value null = {.null = true};
    switch (field->value_type) {
    case ADG_VALUE_DISCRETE:
        if (row->has_numeric) {
            return adg_value_from_number(field, row->numeric, &plan->arena, out, error);
        }
        break;
    case ADG_VALUE_DATE:
        if (row->has_date) {
            return adg_value_from_date(field, row->date, &plan->arena, out, error);
        }
        break;
    default:
        if (row->string.text != NULL) {
            return adg_plan_text_value(field, row->string, out, error);
        }
    }
    *out = null;
    return ADG_OK;
}

enum adg_status adg_plan_alias(struct adg_plan *plan, const uint64_t *parts, uint32_t count, struct adg_alias *out,
                               struct adg_error *error)
{
    return adg_alias_in(&plan->arena, parts, count, out, error);
}

/* log2 of parts / 2^32, in plain arithmetic: the same on every machine. Sixteen bits behind the point. */
double adg_plan_log2_of_parts(uint64_t parts)
{
    int whole = 63 - __builtin_clzll(parts);
    double rest = (double)parts / (double)(UINT64_C(1) << whole), bit = 0.5, sum = whole - 32;
    for (int i = 0; i < 16; i++, bit /= 2) { /* squaring doubles the logarithm: its whole part is the next bit */
        rest *= rest;
        if (rest >= 2) {
            rest /= 2;
            sum += bit;
        }
    }
    return sum;
}

double adg_parts_entropy(const uint64_t *parts, uint32_t count)
{
    uint64_t filled = ADG_PARTS - parts[count];
    enum { KNOWN = 256 };
    struct {
        uint64_t parts;
        double log2;
    } known[KNOWN] = {{0, 0}}; /* many values are as rare as many others */
    double sum = 0, whole = filled > 0 ? adg_plan_log2_of_parts(filled) : 0;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t slot = parts[i] * UINT64_C(0x9e3779b97f4a7c15) >> 56;
        if (parts[i] > 0 && known[slot].parts != parts[i]) {
            known[slot].parts = parts[i];
            known[slot].log2 = adg_plan_log2_of_parts(parts[i]);
        }
        if (parts[i] > 0) {
            sum += (double)parts[i] / (double)filled * (whole - known[slot].log2);
        }
    }
    return sum;
}

enum adg_status adg_plan_values(struct adg_plan *plan, uint32_t field, struct adg_listed_values *out,
                                struct adg_error *error)
{
    struct adg_plan_column *column = &plan->columns[field];
    struct adg_metadata_range range = adg_metadata_find(plan->metadata, plan->table->name, column->field->name,
                                                        column->field->value_type);
    bool complete = false;
    enum adg_status status = adg_plan_completeness(plan, field, &complete, &out->null, &out->filled, error);
    if (status != ADG_OK) {
        return status;
    }
    out->there = range.count > 0 || complete;
    if (range.count >= UINT32_MAX / 2) {
        return adg_fail(error, ADG_BAD_INPUT, "more than 2^31 values");
    }
    uint32_t count = (uint32_t)range.count;
    struct adg_value *values = adg_alloc_array((size_t)count + 1, sizeof *values);
    uint32_t *codes = adg_alloc_array((size_t)count + 1, sizeof *codes);
    out->weights = adg_alloc_zero((size_t)count + 1, sizeof *out->weights);
    if (values == NULL || codes == NULL || out->weights == NULL) {
        status = adg_fail_memory(error);
        goto done;
    }
    for (uint32_t i = 0; i < count && status == ADG_OK; i++) {
        status = read_value(plan, column->field, &range.rows[i], &values[i], error);
    }
    if (status == ADG_OK) {
        status = adg_value_dictionary(column->field->type, values, count, &plan->arena, &out->dictionary, codes, error);
    }
    uint64_t total = 0;
    for (uint32_t i = 0; i < count && status == ADG_OK && out->dictionary.count > 0; i++) {
        uint64_t weight = 0;
        status = adg_plan_weight(&range.rows[i], &weight, error);
        out->weights[codes[i]] += weight;
        total += codes[i] < out->dictionary.count ? weight : 0;
    }
    if (!complete) { /* null is a value like any other */
        out->null = out->weights[out->dictionary.count];
        out->filled = total;
    }
done:
    adg_free(values);
    adg_free(codes);
    return status;
}

static enum adg_status plan_sparse(struct adg_plan *plan, uint32_t field, const struct adg_listed_values *listed,
                                   uint64_t filled, uint64_t *parts, struct adg_error *error)
{
    uint64_t gaps[ADG_SPARSE_MOST + 1];
    struct adg_sparse *sparse = adg_arena_array(&plan->arena, 1, sizeof *sparse);
    enum adg_status status = sparse == NULL ? adg_fail_memory(error)
                                            : adg_parts_scale(listed->weights, listed->dictionary.count, 0,
                                                              listed->filled, parts, error);
    adg_sparse_parts(filled, gaps);
    if (status == ADG_OK) {
        *sparse = (struct adg_sparse){.gap_stream = adg_plan_stream(plan, field, ADG_PURPOSE_GAP),
                                      .value_stream = adg_plan_stream(plan, field, ADG_PURPOSE_VALUE),
                                      .chunk = adg_sparse_chunk(filled)};
        status = adg_plan_alias(plan, gaps, ADG_SPARSE_MOST + 1, &sparse->gaps, error);
    }
    if (status == ADG_OK) {
        status = adg_plan_alias(plan, parts, listed->dictionary.count, &sparse->values, error);
    }
    if (status == ADG_OK) {
        plan->columns[field].sparse = true;
        adg_plan_add_step(plan, field, run_sparse, sparse);
    }
    return status;
}

static enum adg_status plan_dense(struct adg_plan *plan, uint32_t field, const struct adg_listed_values *listed,
                                  const uint64_t *parts, struct adg_error *error)
{
    struct sampled *sampled = adg_arena_array(&plan->arena, 1, sizeof *sampled);
    if (sampled == NULL) {
        return adg_fail_memory(error);
    }
    sampled->stream = adg_plan_stream(plan, field, ADG_PURPOSE_VALUE);
    enum adg_status status = adg_plan_alias(plan, parts, listed->dictionary.count + 1, &sampled->alias, error);
    if (status == ADG_OK) {
        adg_plan_add_step(plan, field, run_sampled, sampled);
    }
    return status;
}

enum adg_status adg_plan_sampled(struct adg_plan *plan, uint32_t field, struct adg_error *error)
{
    struct adg_plan_column *column = &plan->columns[field];
    struct adg_listed_values listed = {0};
    enum adg_status status = adg_plan_values(plan, field, &listed, error);
    uint32_t count = listed.dictionary.count;
    column->missing = status == ADG_OK && !listed.there;
    uint64_t *parts = adg_alloc_array((size_t)count + 1, sizeof *parts);
    if (status == ADG_OK && parts == NULL) {
        status = adg_fail_memory(error);
    }
    if (status == ADG_OK && count > 0) {
        status = adg_parts_scale(listed.weights, count, listed.null, listed.filled, parts, error);
    }
    if (status == ADG_OK && count > 0 && parts[count] < ADG_PARTS) { /* else null throughout */
        adg_plan_set_dictionary(column, &listed.dictionary, parts[count] > 0);
        if (column->kind == ADG_COLUMN_DICTIONARY) {
            uint64_t filled = ADG_PARTS - parts[count];
            column->entropy = adg_parts_entropy(parts, count);
            status = filled <= ADG_SPARSE_PARTS && adg_dataset_sorted_place(plan->dataset, field) < 0
                         ? plan_sparse(plan, field, &listed, filled, parts, error)
                         : plan_dense(plan, field, &listed, parts, error);
        }
    }
    adg_free(listed.weights);
    adg_free(parts);
    return status;
}
