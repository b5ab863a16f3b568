/*
 * Derived fields that need no text per row: prefixes (codes to codes) and counts (a flag per code, summed).
 */
#include "generate/internal.h"

#include <string.h>

#include "block/text.h"
#include "core/memory.h"

enum adg_status adg_plan_input(const struct adg_plan *plan, uint32_t field, uint32_t i,
                               const struct adg_plan_column **out, struct adg_error *error)
{
    const struct adg_plan_column *input = &plan->columns[plan->columns[field].field->derivation->inputs[i]];
    if (input->kind == ADG_COLUMN_PLAIN || input->kind == ADG_COLUMN_TEXTS) {
        return adg_fail(error, ADG_BAD_INPUT,
                        "it cannot be derived from %s: identifiers, joined texts and continuous numbers of a "
                        "wide range have no dictionary",
                        input->field->name);
    }
    *out = input;
    return ADG_OK;
}

/* ---- codes to codes ---------------------------------------------------------------------------------------------- */

struct map {
    uint32_t input;
    uint32_t *codes; /* [entries of the input + 1] */
};

static enum adg_status run_map(const struct adg_step *step, struct adg_work *work, struct adg_error *error)
{
    (void)error;
    const struct map *map = step->detail;
    const uint32_t *from = work->columns[map->input].codes, *codes = map->codes;
    uint32_t *to = work->columns[step->field].codes, rows = work->rows;
    for (uint32_t i = 0; i < rows; i++) {
        to[i] = codes[from[i]];
    }
    return ADG_OK;
}

enum adg_status adg_plan_map(struct adg_plan *plan, uint32_t field, uint32_t input, const struct adg_value *values,
                             struct adg_error *error)
{
    struct adg_plan_column *column = &plan->columns[field];
    const struct adg_plan_column *from = &plan->columns[input];
    uint32_t count = from->dictionary.count + 1;
    struct map *map = adg_arena_array(&plan->arena, 1, sizeof *map);
    uint32_t *codes = adg_arena_array(&plan->arena, count, sizeof *codes);
    if (map == NULL || codes == NULL) {
        return adg_fail_memory(error);
    }
    *map = (struct map){input, codes};
    struct adg_dictionary dictionary = {0};
    enum adg_status status = adg_value_dictionary(column->field->type, values, count, &plan->arena, &dictionary, codes,
                                                  error);
    if (status != ADG_OK) {
        return status;
    }
    bool nullable = from->kind == ADG_COLUMN_NULL || from->nullable;
    for (uint32_t i = 0; i + 1 < count; i++) {
        nullable = nullable || values[i].null;
    }
    adg_plan_set_dictionary(column, &dictionary, nullable);
    if (column->kind == ADG_COLUMN_DICTIONARY) {
        adg_plan_add_step(plan, field, run_map, map);
    }
    return ADG_OK;
}

/* ---- prefix ------------------------------------------------------------------------------------------------------ */

/* Bytes of the first `characters` characters of UTF-8. */
static size_t prefix_bytes(const char *text, size_t size, uint32_t characters)
{
    size_t at = 0;
    for (uint32_t seen = 0; at < size; at++) {
        bool begins = ((unsigned char)text[at] & 0xc0) != 0x80;
        if (begins && seen++ == characters) {
            break;
        }
    }
    return at;
}

static enum adg_status plan_prefix(struct adg_plan *plan, uint32_t field, struct adg_error *error)
{
    const struct adg_field *description = plan->columns[field].field;
    const struct adg_plan_column *input = NULL;
    enum adg_status status = adg_plan_input(plan, field, 0, &input, error);
    if (status != ADG_OK) {
        return status;
    }
    uint32_t count = input->dictionary.count;
    struct adg_value *values = adg_alloc_array((size_t)count + 1, sizeof *values);
    if (values == NULL) {
        return adg_fail_memory(error);
    }
    for (uint32_t i = 0; i < count && status == ADG_OK; i++) {
        char scratch[ADG_VALUE_TEXT_BYTES];
        const char *text = NULL;
        size_t size = adg_dictionary_text(&input->dictionary, input->field->scale, i, scratch, &text);
        size = prefix_bytes(text, size, description->derivation->number);
        if (text == scratch) {
            text = adg_arena_strndup(&plan->arena, scratch, size);
        }
        status = text == NULL ? adg_fail_memory(error)
                              : adg_value_from_text(description, text, size, &values[i], error);
    }
    values[count] = (struct adg_value){.null = true};
    if (status == ADG_OK) {
        status = adg_plan_map(plan, field, description->derivation->inputs[0], values, error);
    }
    adg_free(values);
    return status;
}

/* ---- count_codes ------------------------------------------------------------------------------------------------- */

/* An input of which some code counts. */
struct counted {
    uint32_t field, entries; /* entries: code of null */
    bool all;                /* all codes but null count */
    uint8_t *flags;          /* [entries + 1]: 1 for a code that counts */
};

struct count {
    uint32_t input_count;
    struct counted *inputs;
    uint32_t most;   /* cap */
    uint32_t *codes; /* [most + 1] by count */
};

/* Adds 1 where a code is no null. Codes are below 2^31. */
static void add_filled(const uint32_t *restrict codes, uint32_t rows, uint32_t null, uint32_t *restrict sums)
{
    for (uint32_t i = 0; i < rows; i++) {
        sums[i] += (int32_t)codes[i] < (int32_t)null;
    }
}

static void add_flagged(const uint32_t *restrict codes, uint32_t rows, const uint8_t *restrict flags,
                        uint32_t *restrict sums)
{
    for (uint32_t i = 0; i < rows; i++) {
        sums[i] += flags[codes[i]];
    }
}

static enum adg_status run_count(const struct adg_step *step, struct adg_work *work, struct adg_error *error)
{
    (void)error;
    const struct count *count = step->detail;
    uint32_t *sums = work->columns[step->field].codes, rows = work->rows;
    memset(sums, 0, rows * sizeof *sums);
    for (uint32_t input = 0; input < count->input_count; input++) {
        const struct counted *counted = &count->inputs[input];
        const uint32_t *codes = work->columns[counted->field].codes;
        if (counted->all) {
            add_filled(codes, rows, counted->entries, sums);
        } else {
            add_flagged(codes, rows, counted->flags, sums);
        }
    }
    for (uint32_t i = 0; i < rows; i++) {
        sums[i] = count->codes[sums[i] < count->most ? sums[i] : count->most];
    }
    return ADG_OK;
}

/* Adds an input when a code of it counts; counts in `least` and `most` what it can add to a row. */
static enum adg_status flag_codes(struct adg_plan *plan, const struct adg_plan_column *input, struct count *out,
                                  uint32_t *least, uint32_t *most, struct adg_error *error)
{
    uint32_t count = input->dictionary.count, flagged = 0;
    uint8_t *flags = adg_arena_array(&plan->arena, (size_t)count + 1, 1);
    if (flags == NULL) {
        return adg_fail_memory(error);
    }
    for (uint32_t i = 0; i < count; i++) {
        char scratch[ADG_VALUE_TEXT_BYTES];
        const char *text = NULL;
        size_t size = adg_dictionary_text(&input->dictionary, input->field->scale, i, scratch, &text);
        flags[i] = !adg_dataset_is_placeholder(plan->dataset, text, size);
        flagged += flags[i];
    }
    *least += count > 0 && flagged == count && !input->nullable ? 1 : 0;
    *most += flagged > 0 ? 1 : 0;
    if (flagged > 0) {
        out->inputs[out->input_count++] = (struct counted){
            .field = (uint32_t)(input - plan->columns), .entries = count, .all = flagged == count, .flags = flags};
    }
    return ADG_OK;
}

static enum adg_status plan_count(struct adg_plan *plan, uint32_t field, struct adg_error *error)
{
    struct adg_plan_column *column = &plan->columns[field];
    const struct adg_derivation *derivation = column->field->derivation;
    struct count *count = adg_arena_array(&plan->arena, 1, sizeof *count);
    struct counted *inputs = adg_arena_array(&plan->arena, derivation->input_count, sizeof *inputs);
    if (count == NULL || inputs == NULL) {
        return adg_fail_memory(error);
    }
    count->inputs = inputs;
    uint32_t least = 0, most = 0;
    enum adg_status status = ADG_OK;
    for (uint32_t i = 0; i < derivation->input_count && status == ADG_OK; i++) {
        const struct adg_plan_column *input = NULL;
        status = adg_plan_input(plan, field, i, &input, error);
        if (status == ADG_OK) {
            status = flag_codes(plan, input, count, &least, &most, error);
        }
    }
    most = most < derivation->number ? most : derivation->number;
    least = least < most ? least : most;
    struct adg_value *values = adg_alloc_array((size_t)most + 1, sizeof *values);
    uint32_t *codes = adg_arena_array(&plan->arena, (size_t)most + 1, sizeof *codes);
    if (status == ADG_OK && (values == NULL || codes == NULL)) {
        status = adg_fail_memory(error);
    }
    for (uint32_t i = 0; i <= most && status == ADG_OK; i++) {
        values[i] = (struct adg_value){.null = true};
        if (i > 0 && i >= least) {
            status = adg_value_from_number(column->field, i, &plan->arena, &values[i], error);
        }
    }
    struct adg_dictionary dictionary = {0};
    if (status == ADG_OK) {
        status = adg_value_dictionary(column->field->type, values, most + 1, &plan->arena, &dictionary, codes, error);
    }
    adg_free(values);
    if (status != ADG_OK) {
        return status;
    }
    count->most = most;
    count->codes = codes;
    adg_plan_set_dictionary(column, &dictionary, least == 0);
    if (column->kind == ADG_COLUMN_DICTIONARY) {
        adg_plan_add_step(plan, field, run_count, count);
    }
    return ADG_OK;
}

enum adg_status adg_plan_derived(struct adg_plan *plan, uint32_t field, struct adg_error *error)
{
    return plan->columns[field].field->derivation->kind == ADG_DERIVE_PREFIX ? plan_prefix(plan, field, error)
                                                                             : plan_count(plan, field, error);
}
