/*
 * join: the inputs' texts with commas between, a missing one empty, trailing commas removed (those of a text, too), nothing
 * left: null.
 *
 * Short texts (the rule with codes) are kept in cells of 8 or 16 bytes, text and comma first and length last, and
 * copied whole: the next one overwrites what was too much. "Nothing left" is an empty text, so a row of missing or
 * empty inputs is null.
 *
 * Most rows have few texts, and those repeat: rows of a block with the same codes in the first three inputs and nothing behind share
 * one cell.
 */
#include "generate/internal.h"

#include <string.h>

#include "block/text.h"
#include "core/cpu.h"

enum { SMALL_CELL_BYTES = 8, LARGE_CELL_BYTES = 16, TOGETHER = 3 }; /* text, comma, and their length in the last byte */

struct input {
    uint32_t field;
    uint32_t entries;   /* code of null */
    bool has_empty;     /* an entry is the empty text */
    uint32_t *lengths;  /* [entries + 1]; null: 0 */
    const char **texts; /* [entries + 1] */
    uint8_t *cells;     /* [entries + 1] cells, when all texts of all inputs fit */
};

struct join {
    uint32_t input_count;
    struct input *inputs;
    uint32_t cell_bytes; /* 0: texts are too long for cells */
    bool shares;         /* three codes fit a key */
    bool has_commas;     /* a text ends with one */
};

/* Where more than half of the first rows that are looked up have texts of their own, looking is not worth its time. */
enum { KEY_INPUTS = 3, KEY_BITS = 21, TRIED_ROWS = 2048, RESERVED_ROWS = 1024 };
#define KEY_USED (UINT64_C(1) << 63)

/* ends[i] = end where a code is no null. Codes are below 2^31. */
static inline __attribute__((always_inline)) void mark(const uint32_t *restrict codes, uint32_t rows, uint32_t null,
                                                       uint32_t end, uint32_t *restrict ends)
{
    for (uint32_t i = 0; i < rows; i++) {
        ends[i] = (int32_t)codes[i] < (int32_t)null ? end : ends[i];
    }
}

static void mark_scalar(const uint32_t *codes, uint32_t rows, uint32_t null, uint32_t end, uint32_t *ends)
{
    mark(codes, rows, null, end, ends);
}

ADG_FOR_AVX2 static void mark_avx2(const uint32_t *codes, uint32_t rows, uint32_t null, uint32_t end, uint32_t *ends)
{
    mark(codes, rows, null, end, ends);
}

/* Index behind the last input that is not empty, per row. */
static void find_ends(const struct join *join, const struct adg_work *work, uint32_t *ends)
{
    void (*marks)(const uint32_t *, uint32_t, uint32_t, uint32_t,
                  uint32_t *) = adg_cpu_choose() >= ADG_CPU_AVX2 ? mark_avx2 : mark_scalar;
    uint32_t rows = work->rows;
    memset(ends, 0, rows * sizeof *ends);
    for (uint32_t j = 0; j < join->input_count; j++) {
        const struct input *input = &join->inputs[j];
        const uint32_t *codes = work->columns[input->field].codes;
        if (!input->has_empty && input->entries > 0) {
            marks(codes, rows, input->entries, j + 1, ends);
        }
        for (uint32_t i = 0; i < rows && input->has_empty; i++) {
            ends[i] = input->lengths[codes[i]] > 0 ? j + 1 : ends[i];
        }
    }
}

static inline __attribute__((always_inline)) size_t join_cells(const struct join *join, const uint32_t *const *codes,
                                                               uint32_t row, uint32_t end, uint8_t *out,
                                                               uint32_t cell_bytes)
{
    uint8_t *at = out;
    uint32_t together = join->input_count < TOGETHER ? join->input_count : TOGETHER;
    for (uint32_t j = 0; j < together; j++) { /* most rows have few texts, and how many cannot be predicted */
        const uint8_t *cell = join->inputs[j].cells + (size_t)codes[j][row] * cell_bytes;
        memcpy(at, cell, cell_bytes);
        at += cell[cell_bytes - 1] & (0 - (uint32_t)(j < end));
    }
    for (uint32_t j = together; j < end; j++) {
        const uint8_t *cell = join->inputs[j].cells + (size_t)codes[j][row] * cell_bytes;
        memcpy(at, cell, cell_bytes);
        at += cell[cell_bytes - 1];
    }
    return (size_t)(at - out);
}

static size_t join_long(const struct join *join, const uint32_t *const *codes, uint32_t row, uint32_t end, uint8_t *out)
{
    uint8_t *at = out;
    for (uint32_t j = 0; j < end; j++) {
        const struct input *input = &join->inputs[j];
        uint32_t code = codes[j][row];
        if (input->lengths[code] > 0) {
            memcpy(at, input->texts[code], input->lengths[code]);
            at += input->lengths[code];
        }
        *at++ = ',';
    }
    return (size_t)(at - out);
}

/* One row; returns its bytes, the last comma included. */
static size_t join_row(const struct join *join, const uint32_t *const *codes, uint32_t row, uint32_t end, uint8_t *out)
{
    switch (join->cell_bytes) { /* constants, so that the copies are single moves */
    case SMALL_CELL_BYTES:
        return join_cells(join, codes, row, end, out, SMALL_CELL_BYTES);
    case LARGE_CELL_BYTES:
        return join_cells(join, codes, row, end, out, LARGE_CELL_BYTES);
    default:
        return join_long(join, codes, row, end, out);
    }
}

/* Bytes that the cells of some rows need at most. */
static uint64_t bound_bytes(const struct join *join, const struct adg_work *work, uint32_t first, uint32_t rows)
{
    if (join->cell_bytes > 0) {
        return rows * ((uint64_t)join->input_count * join->cell_bytes + ADG_TEXT_LENGTH_BYTES);
    }
    uint64_t bytes = rows * ((uint64_t)join->input_count + ADG_TEXT_LENGTH_BYTES);
    for (uint32_t j = 0; j < join->input_count; j++) {
        const uint32_t *codes = work->columns[join->inputs[j].field].codes;
        for (uint32_t i = first; i < first + rows; i++) {
            bytes += join->inputs[j].lengths[codes[i]];
        }
    }
    return bytes;
}

/* Room for the next rows: what a whole block could need is many times what it takes. */
static enum adg_status reserve(const struct join *join, const struct adg_work *work, struct adg_work_column *column,
                               uint32_t first, struct adg_error *error)
{
    uint32_t rows = work->rows - first < RESERVED_ROWS ? work->rows - first : RESERVED_ROWS;
    return adg_work_reserve_texts(column, bound_bytes(join, work, first, rows), error);
}

/* Where the number of the cell with a row's first codes is kept; UINT32_MAX: there is none yet. */
static uint32_t *find_cell(const struct join *join, struct adg_work *work, const uint32_t *const *codes, uint32_t row)
{
    uint64_t key = KEY_USED;
    for (uint32_t j = 0; j < KEY_INPUTS && j < join->input_count; j++) {
        key |= (uint64_t)codes[j][row] << j * KEY_BITS;
    }
    uint64_t hash = key * UINT64_C(0x9E3779B97F4A7C15);
    uint32_t at = (uint32_t)(hash >> 40) % ADG_JOIN_SLOTS;
    while (work->join_keys[at] != key) {
        if (work->join_keys[at] == 0) {
            work->join_keys[at] = key;
            work->join_cells[at] = UINT32_MAX;
            break;
        }
        at = (at + 1) % ADG_JOIN_SLOTS;
    }
    return &work->join_cells[at];
}

static enum adg_status run_join(const struct adg_step *step, struct adg_work *work, struct adg_error *error)
{
    const struct join *join = step->detail;
    struct adg_work_column *column = &work->columns[step->field];
    enum adg_status status = adg_work_begin_texts(column, 0, error);
    if (status != ADG_OK) {
        return status;
    }
    const uint32_t **codes = work->pointers;
    for (uint32_t j = 0; j < join->input_count; j++) {
        codes[j] = work->columns[join->inputs[j].field].codes;
    }
    find_ends(join, work, work->words);
    column->cells = 0;
    if (join->shares) {
        memset(work->join_keys, 0, ADG_JOIN_SLOTS * sizeof *work->join_keys);
    }
    bool shares = join->shares;
    for (uint32_t i = 0, sought = 0; i < work->rows; i++) {
        uint32_t end = work->words[i], *cell = NULL;
        if (i % RESERVED_ROWS == 0 && (status = reserve(join, work, column, i, error)) != ADG_OK) {
            return status;
        }
        if (end == 0) {
            column->codes[i] = ADG_NO_TEXT;
            continue;
        }
        if (shares && end <= KEY_INPUTS) {
            cell = find_cell(join, work, codes, i);
            shares = ++sought != TRIED_ROWS || 2 * column->cells < TRIED_ROWS;
        }
        if (cell != NULL && *cell < column->cells) {
            column->codes[i] = *cell;
            continue;
        }
        uint8_t *out = column->bytes.data + column->bytes.size;
        uint32_t size = (uint32_t)join_row(join, codes, i, end, out + ADG_TEXT_LENGTH_BYTES) - 1; /* the last comma */
        while (join->has_commas && size > 0 && out[ADG_TEXT_LENGTH_BYTES + size - 1] == ',') {
            size--;
        }
        if (size == 0) {
            column->codes[i] = ADG_NO_TEXT;
            continue;
        }
        memcpy(out, &size, ADG_TEXT_LENGTH_BYTES);
        column->bytes.size += ADG_TEXT_LENGTH_BYTES + size;
        if (cell != NULL) {
            *cell = column->cells;
        }
        column->codes[i] = column->cells;
        adg_work_end_text(column, column->cells++);
    }
    return ADG_OK;
}

static enum adg_status read_input(struct adg_plan *plan, const struct adg_plan_column *column, struct input *input,
                                  uint32_t *longest, bool *has_commas, struct adg_error *error)
{
    uint32_t count = column->dictionary.count;
    input->field = (uint32_t)(column - plan->columns);
    input->entries = count;
    input->lengths = adg_arena_array(&plan->arena, (size_t)count + 1, sizeof *input->lengths);
    input->texts = adg_arena_array(&plan->arena, (size_t)count + 1, sizeof *input->texts);
    if (input->lengths == NULL || input->texts == NULL) {
        return adg_fail_memory(error);
    }
    for (uint32_t i = 0; i < count; i++) {
        char scratch[ADG_VALUE_TEXT_BYTES];
        const char *text = NULL;
        size_t size = adg_dictionary_text(&column->dictionary, column->field->scale, i, scratch, &text);
        input->texts[i] = text != scratch ? text : adg_arena_strndup(&plan->arena, scratch, size);
        if (input->texts[i] == NULL) {
            return adg_fail_memory(error);
        }
        input->lengths[i] = (uint32_t)size;
        input->has_empty = input->has_empty || size == 0;
        *has_commas = *has_commas || (size > 0 && text[size - 1] == ',');
        *longest = input->lengths[i] > *longest ? input->lengths[i] : *longest;
    }
    return ADG_OK;
}

static enum adg_status make_cells(struct adg_plan *plan, struct input *input, uint32_t cell_bytes,
                                  struct adg_error *error)
{
    uint32_t count = plan->columns[input->field].dictionary.count + 1;
    input->cells = adg_arena_array(&plan->arena, count, cell_bytes);
    if (input->cells == NULL) {
        return adg_fail_memory(error);
    }
    for (uint32_t i = 0; i < count; i++) {
        uint8_t *cell = input->cells + (size_t)i * cell_bytes;
        if (input->lengths[i] > 0) {
            memcpy(cell, input->texts[i], input->lengths[i]);
        }
        cell[input->lengths[i]] = ',';
        cell[cell_bytes - 1] = (uint8_t)(input->lengths[i] + 1);
    }
    return ADG_OK;
}

enum adg_status adg_plan_join(struct adg_plan *plan, uint32_t field, struct adg_error *error)
{
    struct adg_plan_column *column = &plan->columns[field];
    const struct adg_derivation *derivation = column->field->derivation;
    if (column->field->type != ADG_TYPE_STRING) {
        return adg_fail(error, ADG_BAD_INPUT, "a joined text needs a field of type string");
    }
    struct join *join = adg_arena_array(&plan->arena, 1, sizeof *join);
    struct input *inputs = adg_arena_array(&plan->arena, derivation->input_count, sizeof *inputs);
    if (join == NULL || inputs == NULL) {
        return adg_fail_memory(error);
    }
    uint32_t longest = 0, used = 0;
    bool has_commas = false;
    enum adg_status status = ADG_OK;
    for (uint32_t i = 0; i < derivation->input_count && status == ADG_OK; i++) {
        const struct adg_plan_column *input = NULL;
        status = adg_plan_input(plan, field, i, &input, error);
        if (status == ADG_OK) {
            status = read_input(plan, input, &inputs[i], &longest, &has_commas, error);
        }
        if (status == ADG_OK && input->kind != ADG_COLUMN_NULL) {
            used = i + 1;
        }
    }
    uint32_t cell_bytes = longest + 2 <= SMALL_CELL_BYTES   ? SMALL_CELL_BYTES
                          : longest + 2 <= LARGE_CELL_BYTES ? LARGE_CELL_BYTES
                                                            : 0;
    *join = (struct join){used, inputs, cell_bytes, true, has_commas};
    for (uint32_t i = 0; i < used && i < KEY_INPUTS; i++) {
        join->shares = join->shares && inputs[i].entries < UINT32_C(1) << KEY_BITS;
    }
    for (uint32_t i = 0; i < used && status == ADG_OK && cell_bytes > 0; i++) {
        status = make_cells(plan, &inputs[i], cell_bytes, error);
    }
    if (status == ADG_OK && longest > 0) {
        column->kind = ADG_COLUMN_TEXTS;
        column->own_codes = true;
        column->nullable = true;
        adg_plan_add_step(plan, field, run_join, join);
    }
    return status;
}
