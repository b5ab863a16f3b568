/*
 * A code that repeats (DIAG_01, DIAG_02, ...): filled from the left.
 *
 * One random number per row says how many positions are filled: position k when it is below the smallest rate of
 * positions 1 to k. So rates that decrease are kept exactly. A filled position has one of its own codes that are no
 * placeholder; an empty one is null, but for the first, which shows placeholders where the metadata have them.
 *
 * Deep positions are filled in few rows. Where that is one in eight or fewer, the rows are looked for among those of the position
 * before, and value n of a block has the word of its row n.
 */
#include "generate/internal.h"

#include <string.h>

#include "block/text.h"
#include "core/cpu.h"
#include "core/memory.h"

struct position {
    uint32_t field;
    uint64_t end; /* a word below it: filled */
    struct adg_stream value;
    struct adg_alias filled, empty;
    uint32_t *filled_codes, *empty_codes; /* of the alias tables' values; empty_codes NULL: null */
    uint32_t null;
    bool drawn;    /* codes are wanted */
    bool sparse;   /* in few rows: the column is sparse */
    bool in_order; /* filled_codes are 0, 1, 2, ... */
};

struct nested {
    struct adg_stream present;
    struct position *positions;
    uint32_t count;
};

/* Null where a row has no code here. */
static inline __attribute__((always_inline)) void empty_rows(const uint32_t *present, uint32_t last, uint32_t null,
                                                             uint32_t rows, uint32_t *codes)
{
    for (uint32_t i = 0; i < rows; i++) {
        codes[i] = present[i] <= last ? codes[i] : null;
    }
}

static void empty_rows_scalar(const uint32_t *present, uint32_t last, uint32_t null, uint32_t rows, uint32_t *codes)
{
    empty_rows(present, last, null, rows, codes);
}

ADG_FOR_AVX2 static void empty_rows_avx2(const uint32_t *present, uint32_t last, uint32_t null, uint32_t rows,
                                         uint32_t *codes)
{
    empty_rows(present, last, null, rows, codes);
}

static void fill_rows(const struct position *position, struct adg_work *work, const uint32_t *present)
{
    void (*empty)(const uint32_t *, uint32_t, uint32_t, uint32_t,
                  uint32_t *) = adg_cpu_choose() >= ADG_CPU_AVX2 ? empty_rows_avx2 : empty_rows_scalar;
    uint32_t rows = work->rows, *words = work->words, *codes = work->columns[position->field].codes;
    adg_stream_words(&position->value, work->first_row, rows, words);
    adg_alias_draw(&position->filled, words, rows, codes);
    for (uint32_t i = 0; !position->in_order && i < rows; i++) {
        codes[i] = position->filled_codes[codes[i]];
    }
    if (position->empty_codes == NULL && position->end > 0) {
        empty(present, (uint32_t)(position->end - 1), position->null, rows, codes);
        return;
    }
    for (uint32_t i = 0; i < rows; i++) {
        if (present[i] >= position->end) {
            codes[i] = position->empty_codes[adg_alias_draw_one(&position->empty, words[i])];
        }
    }
}

/* Rows in which a word is below `end`, of those in `among`, or of all where that is NULL. */
static uint32_t find_filled(const uint32_t *present, uint32_t rows, uint64_t end, const struct adg_work_column *among,
                            uint16_t *filled)
{
    uint32_t count = among != NULL ? among->count : rows, found = 0;
    for (uint32_t i = 0; i < count && found < ADG_SPARSE_FILLED; i++) {
        uint32_t row = among != NULL ? among->filled[i] : i;
        filled[found] = (uint16_t)row; /* overwritten by the next one when it is empty */
        found += present[row] < end;
    }
    return found;
}

static void fill_sparse(const struct position *position, const struct adg_work *work, const uint32_t *present,
                        const struct adg_work_column *among)
{
    struct adg_work_column *column = &work->columns[position->field];
    adg_work_clear_filled(column, position->null);
    column->count = find_filled(present, work->rows, position->end, among, column->filled);
    adg_stream_words(&position->value, work->first_row, column->count, column->values);
    adg_alias_draw(&position->filled, column->values, column->count, column->values);
    for (uint32_t i = 0; !position->in_order && i < column->count; i++) {
        column->values[i] = position->filled_codes[column->values[i]];
    }
    adg_work_show_filled(column);
}

static enum adg_status run_nested(const struct adg_step *step, struct adg_work *work, struct adg_error *error)
{
    (void)error;
    const struct nested *nested = step->detail;
    const struct adg_work_column *among = NULL; /* rates do not increase */
    adg_stream_words(&nested->present, work->first_row, work->rows, work->more_words);
    for (uint32_t k = 0; k < nested->count; k++) {
        const struct position *position = &nested->positions[k];
        if (position->sparse) {
            fill_sparse(position, work, work->more_words, among);
            among = &work->columns[position->field];
        } else if (position->drawn) {
            fill_rows(position, work, work->more_words);
        }
    }
    return ADG_OK;
}

/* ---- plan -------------------------------------------------------------------------------------------------------- */

/* Weights of a field's codes, apart by what they mean. */
struct split {
    struct adg_listed_values listed;
    bool *placeholder;           /* [dictionary.count] */
    double filled, placeholders; /* rates of all rows */
};

static enum adg_status read_split(struct adg_plan *plan, uint32_t field, struct split *out, struct adg_error *error)
{
    enum adg_status status = adg_plan_values(plan, field, &out->listed, error);
    if (status != ADG_OK) {
        return status;
    }
    const struct adg_listed_values *listed = &out->listed;
    uint32_t count = listed->dictionary.count;
    out->placeholder = adg_arena_array(&plan->arena, (size_t)count + 1, sizeof *out->placeholder);
    if (out->placeholder == NULL) {
        return adg_fail_memory(error);
    }
    double codes = 0, placeholders = 0, all = (double)listed->null + (double)listed->filled;
    for (uint32_t i = 0; i < count; i++) {
        char scratch[ADG_VALUE_TEXT_BYTES];
        const char *text = NULL;
        size_t size = adg_dictionary_text(&listed->dictionary, 0, i, scratch, &text);
        out->placeholder[i] = adg_dataset_is_placeholder(plan->dataset, text, size);
        *(out->placeholder[i] ? &placeholders : &codes) += (double)listed->weights[i];
    }
    double rate = count == 0 ? 0 : all > 0 ? (double)listed->filled / all : 1;
    out->filled = codes > 0 ? rate * (codes / (codes + placeholders)) : 0;
    out->placeholders = placeholders > 0 ? rate * (placeholders / (codes + placeholders)) : 0;
    return ADG_OK;
}

/* The dictionary of the column: codes that can come out; entries of the metadata's dictionary in `kept`. */
static enum adg_status keep_entries(struct adg_plan *plan, const struct split *split, bool with_placeholders,
                                    struct adg_dictionary *out, uint32_t *new_codes, struct adg_error *error)
{
    const struct adg_dictionary *all = &split->listed.dictionary;
    struct adg_value *values = adg_alloc_array((size_t)all->count + 1, sizeof *values);
    if (values == NULL) {
        return adg_fail_memory(error);
    }
    for (uint32_t i = 0; i < all->count; i++) {
        uint32_t from = all->values.text.offsets[i];
        values[i] = (struct adg_value){.null = split->placeholder[i] && !with_placeholders};
        values[i].as.text.bytes = all->values.text.bytes + from;
        values[i].as.text.size = all->values.text.offsets[i + 1] - from;
    }
    enum adg_status status = adg_value_dictionary(ADG_TYPE_STRING, values, all->count, &plan->arena, out, new_codes,
                                                  error);
    adg_free(values);
    return status;
}

/* An alias table over the entries that are placeholders, or those that are not; *null_weight is one more, of null. */
static enum adg_status draw_among(struct adg_plan *plan, const struct split *split, const uint32_t *new_codes,
                                  bool placeholders, uint32_t null, double null_share, struct adg_alias *alias,
                                  uint32_t **codes, double *entropy, struct adg_error *error)
{
    uint32_t count = split->listed.dictionary.count, chosen = 0;
    double *weights = adg_alloc_array((size_t)count + 2, sizeof *weights), sum = 0;
    uint64_t *parts = adg_alloc_array((size_t)count + 2, sizeof *parts);
    *codes = adg_arena_array(&plan->arena, (size_t)count + 1, sizeof **codes);
    enum adg_status status = weights == NULL || parts == NULL || *codes == NULL ? adg_fail_memory(error) : ADG_OK;
    for (uint32_t i = 0; i < count && status == ADG_OK; i++) {
        if (split->placeholder[i] == placeholders && split->listed.weights[i] > 0) {
            weights[chosen] = (double)split->listed.weights[i];
            sum += weights[chosen];
            (*codes)[chosen++] = new_codes[i];
        }
    }
    if (status == ADG_OK && null_share > 0) { /* of all that are drawn here */
        weights[chosen] = null_share < 1 ? sum * null_share / (1 - null_share) : 1;
        (*codes)[chosen++] = null;
    }
    if (status == ADG_OK) {
        status = adg_parts_of(weights, chosen, parts, error);
        parts[chosen] = 0;
    }
    if (status == ADG_OK) {
        *entropy = adg_parts_entropy(parts, chosen);
        status = adg_alias_in(&plan->arena, parts, chosen, alias, error);
    }
    adg_free(weights);
    adg_free(parts);
    return status;
}

static enum adg_status plan_position(struct adg_plan *plan, struct position *position, const struct split *split,
                                     double rate, bool first, struct adg_error *error)
{
    struct adg_plan_column *column = &plan->columns[position->field];
    column->missing = !split->listed.there;
    double empty = 1 - rate;
    bool shows = first && split->placeholders > 0;
    if (rate <= 0 && !shows) {
        return ADG_OK;
    }
    struct adg_dictionary dictionary = {0};
    uint32_t *new_codes = adg_alloc_array((size_t)split->listed.dictionary.count + 1, sizeof *new_codes);
    enum adg_status status = new_codes == NULL ? adg_fail_memory(error)
                                               : keep_entries(plan, split, shows, &dictionary, new_codes, error);
    if (status != ADG_OK) {
        adg_free(new_codes);
        return status;
    }
    /* of the empty ones, so many are null: what is left for rounding errors is no null */
    double null_share = !shows || empty <= 0 ? 1 : 1 - split->placeholders / empty;
    null_share = null_share < 1e-9 ? 0 : null_share;
    double filled_entropy = 0, empty_entropy = 0;
    position->end = (uint64_t)(rate * (double)ADG_PARTS + 0.5);
    position->null = dictionary.count;
    adg_plan_set_dictionary(column, &dictionary, position->end < ADG_PARTS && null_share > 0);
    position->drawn = column->kind == ADG_COLUMN_DICTIONARY;
    position->sparse = column->sparse = position->drawn && !shows && position->end <= ADG_SPARSE_PARTS;
    position->value = adg_plan_stream(plan, position->field, ADG_PURPOSE_VALUE);
    if (rate > 0) {
        status = draw_among(plan, split, new_codes, false, position->null, 0, &position->filled,
                            &position->filled_codes, &filled_entropy, error);
    } else {
        position->filled_codes = adg_arena_array(&plan->arena, 1, sizeof *position->filled_codes);
        status = position->filled_codes == NULL ? adg_fail_memory(error) : ADG_OK;
    }
    position->in_order = rate > 0;
    for (uint32_t i = 0; status == ADG_OK && i < dictionary.count && position->in_order; i++) {
        position->in_order = i < split->listed.dictionary.count && position->filled_codes[i] == i;
    }
    if (status == ADG_OK && shows && position->end < ADG_PARTS) {
        status = draw_among(plan, split, new_codes, true, position->null, null_share, &position->empty,
                            &position->empty_codes, &empty_entropy, error);
    }
    column->entropy = shows ? 0 : filled_entropy;
    adg_free(new_codes);
    return status;
}

enum adg_status adg_plan_nested(struct adg_plan *plan, const struct adg_nested_group *group, struct adg_error *error)
{
    struct nested *nested = adg_arena_array(&plan->arena, 1, sizeof *nested);
    struct position *positions = adg_arena_array(&plan->arena, group->count, sizeof *positions);
    if (nested == NULL || positions == NULL) {
        return adg_fail_memory(error);
    }
    *nested = (struct nested){adg_plan_stream(plan, group->fields[0], ADG_PURPOSE_PRESENT), positions, group->count};
    double rate = 1;
    bool drawn = false;
    enum adg_status status = ADG_OK;
    for (uint32_t k = 0; k < group->count && status == ADG_OK; k++) {
        struct split split = {0};
        positions[k].field = group->fields[k];
        status = read_split(plan, group->fields[k], &split, error);
        rate = status == ADG_OK && split.filled < rate ? split.filled : rate;
        if (status == ADG_OK) {
            status = plan_position(plan, &positions[k], &split, rate, k == 0, error);
        }
        adg_free(split.listed.weights);
        adg_context(error, status, "position %u", k + 1);
        drawn = drawn || positions[k].drawn;
    }
    if (status == ADG_OK && drawn) {
        adg_plan_add_step(plan, group->fields[0], run_nested, nested);
    }
    return status;
}
