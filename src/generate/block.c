/*
 * From plan and number to block: the steps of the plan in order, over scratch that is made once per block and used
 * again.
 */
#include "generate/internal.h"

#include <assert.h>
#include <string.h>

#include "core/memory.h"

#define EXPORT __attribute__((visibility("default")))

/* Random words are made 64 at a time. */
enum { WORDS = ADG_BLOCK_ROWS + 64 };

static void work_free(struct adg_work *work)
{
    if (work == NULL) {
        return;
    }
    if (work->columns != NULL) {
        for (uint32_t f = 0; f < work->plan->dataset->field_count; f++) {
            struct adg_work_column *column = &work->columns[f];
            if (column->codes != work->zeros && column->codes != work->passing) {
                adg_free(column->codes);
            }
            adg_free(column->valid);
            adg_free(column->fixed);
            adg_free(column->offsets);
            adg_free(column->filled);
            adg_free(column->values);
            adg_buffer_fini(&column->bytes);
        }
    }
    adg_free(work->columns);
    adg_free(work->wanted);
    adg_free(work->needed);
    adg_free(work->pointers);
    adg_free((void *)(uintptr_t)work->zeros);
    adg_free(work->passing);
    adg_free(work->runs.patients);
    adg_free(work->runs.starts);
    adg_free(work->words);
    adg_free(work->more_words);
    adg_free(work->patient_codes);
    adg_free(work->runs.births);
    adg_free(work->birth_days);
    adg_free(work->numbers);
    adg_free(work->join_keys);
    adg_free(work->join_cells);
    adg_free(work);
}

static bool make_column(struct adg_work *work, const struct adg_plan_column *plan, struct adg_work_column *column)
{
    column->codes = (uint32_t *)(uintptr_t)work->zeros;
    if (work->needed != NULL && !work->needed[column - work->columns]) {
        return true;
    }
    if (plan->unread && work->taker.take != NULL) {
        column->codes = work->passing;
    } else if (plan->own_codes) {
        column->codes = adg_alloc_aligned(WORDS * sizeof *column->codes);
        if (column->codes == NULL) {
            return false;
        }
    }
    if (plan->sparse) {
        column->filled = adg_alloc_array(ADG_SPARSE_FILLED, sizeof *column->filled);
        column->values = adg_alloc_array(ADG_SPARSE_FILLED, sizeof *column->values);
        column->moved = true;
        return column->filled != NULL && column->values != NULL;
    }
    if (plan->kind != ADG_COLUMN_PLAIN && plan->kind != ADG_COLUMN_TEXTS) {
        return true;
    }
    if (plan->field->type == ADG_TYPE_STRING) {
        column->offsets = adg_alloc_array(ADG_BLOCK_ROWS + 1, sizeof *column->offsets);
    } else {
        column->fixed = adg_alloc_aligned((size_t)ADG_BLOCK_ROWS * (adg_type_is_int32(plan->field->type) ? 4 : 8));
    }
    if (plan->nullable && plan->kind == ADG_COLUMN_PLAIN) {
        column->valid = adg_alloc_array(ADG_BLOCK_ROWS, 1);
    }
    return (column->offsets != NULL || column->fixed != NULL) &&
           (!plan->nullable || plan->kind != ADG_COLUMN_PLAIN || column->valid != NULL);
}

/* Columns that a derived field has at most. */
static uint32_t most_inputs(const struct adg_dataset *dataset)
{
    uint32_t most = 0;
    for (uint32_t f = 0; f < dataset->field_count; f++) {
        const struct adg_derivation *derivation = dataset->fields[f].derivation;
        if (derivation != NULL && derivation->input_count > most) {
            most = derivation->input_count;
        }
    }
    return most;
}

static struct adg_work *work_new(const struct adg_plan *plan, const bool *wanted, const struct adg_column_taker *taker)
{
    struct adg_work *work = adg_alloc_zero(1, sizeof *work);
    if (work == NULL) {
        return NULL;
    }
    uint32_t count = plan->dataset->field_count;
    work->plan = plan;
    work->zeros = adg_alloc_zero(WORDS, sizeof *work->zeros);
    work->runs.patients = adg_alloc_array(ADG_BLOCK_ROWS, sizeof *work->runs.patients);
    work->runs.starts = adg_alloc_array(ADG_BLOCK_ROWS + 1, sizeof *work->runs.starts);
    work->words = adg_alloc_aligned(WORDS * sizeof *work->words);
    work->more_words = adg_alloc_aligned(WORDS * sizeof *work->more_words);
    work->patient_codes = adg_alloc_aligned(WORDS * sizeof *work->patient_codes);
    work->join_keys = adg_alloc_array(ADG_JOIN_SLOTS, sizeof *work->join_keys);
    work->join_cells = adg_alloc_array(ADG_JOIN_SLOTS, sizeof *work->join_cells);
    work->columns = adg_alloc_zero(count, sizeof *work->columns);
    work->pointers = adg_alloc_zero(most_inputs(plan->dataset), sizeof *work->pointers);
    bool made = work->zeros != NULL && work->runs.patients != NULL && work->runs.starts != NULL &&
                work->words != NULL && work->more_words != NULL && work->patient_codes != NULL &&
                work->join_keys != NULL && work->join_cells != NULL && work->columns != NULL && work->pointers != NULL;
    if (made && plan->people != NULL) {
        work->runs.births = adg_alloc_array(ADG_BLOCK_ROWS, sizeof *work->runs.births);
        work->birth_days = adg_alloc_aligned(WORDS * sizeof *work->birth_days);
        made = work->runs.births != NULL && work->birth_days != NULL;
    }
    if (made && plan->linked_count > 0) {
        work->numbers = adg_alloc_array((size_t)3 * ADG_BLOCK_ROWS, sizeof *work->numbers);
        made = work->numbers != NULL;
    }
    if (made && wanted != NULL) {
        work->wanted = adg_alloc_array(count, sizeof *work->wanted);
        work->needed = adg_alloc_array(count, sizeof *work->needed);
        made = work->wanted != NULL && work->needed != NULL;
    }
    if (made && wanted != NULL) {
        memcpy(work->wanted, wanted, count * sizeof *wanted);
        adg_plan_need(plan, wanted, work->needed);
    }
    if (made && taker != NULL) {
        work->taker = *taker;
        work->passing = adg_alloc_aligned(WORDS * sizeof *work->passing);
        made = work->passing != NULL;
    }
    for (uint32_t f = 0; made && f < count; f++) {
        made = make_column(work, &plan->columns[f], &work->columns[f]);
    }
    if (!made) {
        work_free(work);
        return NULL;
    }
    return work;
}

static enum adg_status make_block(const struct adg_plan *plan, const bool *wanted, const struct adg_column_taker *taker,
                                  struct adg_block **out, struct adg_error *error)
{
    struct adg_block *block = adg_alloc_zero(1, sizeof *block);
    if (block == NULL) {
        return adg_fail_memory(error);
    }
    block->layout = &plan->layout;
    block->plan = plan;
    block->columns = adg_alloc_zero(plan->layout.column_count, sizeof *block->columns);
    block->scratch = work_new(plan, wanted, taker);
    if (block->columns == NULL || block->scratch == NULL) {
        adg_block_free(block);
        return adg_fail_memory(error);
    }
    *out = block;
    return ADG_OK;
}

EXPORT enum adg_status adg_block_new(const struct adg_plan *plan, struct adg_block **out, struct adg_error *error)
{
    return make_block(plan, NULL, NULL, out, error);
}

enum adg_status adg_block_new_of(const struct adg_plan *plan, const bool *wanted, struct adg_block **out,
                                 struct adg_error *error)
{
    return make_block(plan, wanted, NULL, out, error);
}

enum adg_status adg_block_new_passing(const struct adg_plan *plan, const struct adg_column_taker *taker,
                                      struct adg_block **out, struct adg_error *error)
{
    return make_block(plan, NULL, taker, out, error);
}

EXPORT void adg_block_free(struct adg_block *block)
{
    if (block != NULL) {
        work_free(block->scratch);
        adg_free(block->columns);
        adg_free(block);
    }
}

enum adg_status adg_work_reserve_texts(struct adg_work_column *column, uint64_t bytes, struct adg_error *error)
{
    return column->bytes.size + bytes > UINT32_MAX
               ? adg_fail(error, ADG_FAILED, "the texts of one block take more than 4 GiB")
               : adg_buffer_reserve(&column->bytes, ADG_TEXT_HEADROOM + bytes + ADG_TEXT_SLACK, error);
}

enum adg_status adg_work_begin_texts(struct adg_work_column *column, uint64_t bytes, struct adg_error *error)
{
    column->bytes.size = 0;
    enum adg_status status = adg_work_reserve_texts(column, bytes, error);
    column->bytes.size = ADG_TEXT_HEADROOM;
    column->offsets[0] = 0;
    return status;
}

void adg_work_clear_filled(struct adg_work_column *column, uint32_t null)
{
    for (uint32_t i = 0; column->moved && i < ADG_BLOCK_ROWS; i++) {
        column->codes[i] = null;
    }
    for (uint32_t i = 0; !column->moved && i < column->count; i++) {
        column->codes[column->filled[i]] = null;
    }
    column->moved = false;
}

void adg_work_show_filled(struct adg_work_column *column)
{
    for (uint32_t i = 0; i < column->count; i++) {
        column->codes[column->filled[i]] = column->values[i];
    }
}

/* Those from row `skip` on, counted from there. */
static struct adg_filled_rows filled_from(struct adg_work_column *column, uint32_t skip)
{
    uint32_t before = 0;
    while (before < column->count && column->filled[before] < skip) {
        before++;
    }
    for (uint32_t i = before; skip > 0 && i < column->count; i++) {
        column->filled[i] = (uint16_t)(column->filled[i] - skip);
    }
    column->moved = skip > 0;
    return (struct adg_filled_rows){column->filled + before, column->values + before, column->count - before};
}

static bool is_taken(const struct adg_work *work, uint32_t field)
{
    return work->taker.take != NULL && work->plan->columns[field].unread;
}

static enum adg_status hand_over(struct adg_block *block, struct adg_work *work, uint32_t field, uint32_t skip,
                                 struct adg_error *error)
{
    block->columns[field] = (struct adg_block_column){.codes = work->columns[field].codes + skip};
    return work->taker.take(work->taker.context, block, field, error);
}

/* Shows rows `skip` .. `skip + rows - 1` of the scratch. */
static void show(struct adg_block *block, struct adg_work *work, uint32_t skip, uint32_t rows)
{
    for (uint32_t f = 0; f < block->layout->column_count; f++) {
        const struct adg_layout_column *layout = &block->layout->columns[f];
        const struct adg_work_column *from = &work->columns[f];
        struct adg_block_column *to = &block->columns[f];
        memset(to, 0, sizeof *to);
        if ((work->wanted != NULL && !work->wanted[f]) || is_taken(work, f)) {
            continue;
        }
        if (layout->kind == ADG_COLUMN_DICTIONARY) {
            to->codes = from->codes + skip;
        }
        if (layout->sparse) {
            to->filled = filled_from(&work->columns[f], skip);
        }
        if (layout->kind == ADG_COLUMN_TEXTS) {
            to->codes = from->codes + skip;
            to->cells = from->cells;
            to->values.text.bytes = (const char *)from->bytes.data + ADG_TEXT_HEADROOM;
            to->values.text.offsets = from->offsets;
        }
        if (layout->kind != ADG_COLUMN_PLAIN) {
            continue;
        }
        to->valid = layout->nullable ? from->valid + skip : NULL;
        if (layout->field->type == ADG_TYPE_STRING) {
            uint32_t *offsets = from->offsets + skip;
            uint32_t base = offsets[0];
            for (uint32_t i = 0; base != 0 && i <= rows; i++) {
                offsets[i] -= base;
            }
            to->values.text.head = (char *)from->bytes.data + ADG_TEXT_HEADROOM + base;
            to->values.text.bytes = to->values.text.head;
            to->values.text.offsets = offsets;
        } else if (adg_type_is_int32(layout->field->type)) {
            to->values.i32 = (const int32_t *)from->fixed + skip;
        } else if (layout->field->type == ADG_TYPE_DOUBLE) {
            to->values.f64 = (const double *)from->fixed + skip;
        } else {
            to->values.i64 = (const int64_t *)from->fixed + skip;
        }
    }
}

/* Births by row. */
static void spread_births(struct adg_work *work)
{
    const struct adg_patient_runs *runs = &work->runs;
    for (uint32_t i = 0; i < runs->count; i++) {
        int32_t day = work->plan->people->birth_days[runs->births[i]];
        for (uint32_t row = runs->starts[i]; row < runs->starts[i + 1]; row++) {
            work->birth_days[row] = day;
        }
    }
}

EXPORT enum adg_status adg_block_generate(struct adg_block *block, uint64_t number, struct adg_error *error)
{
    const struct adg_plan *plan = block->plan;
    struct adg_work *work = block->scratch;
    if (number >= plan->blocks) {
        return adg_fail(error, ADG_USAGE, "table %s has no block of that number", plan->table->name);
    }
    work->first_row = (plan->first_block + number) * ADG_BLOCK_ROWS;
    uint64_t end = plan->first_row + plan->rows, left = end - work->first_row;
    work->rows = left < ADG_BLOCK_ROWS ? (uint32_t)left : ADG_BLOCK_ROWS;
    uint32_t skip = work->first_row < plan->first_row ? (uint32_t)(plan->first_row - work->first_row) : 0;
    block->first_row = work->first_row + skip;
    block->rows = work->rows - skip;
    adg_patients_runs(&plan->patients, work->first_row, work->rows, &work->runs);
    if (plan->people != NULL) {
        spread_births(work);
    }
    for (uint32_t i = 0; i < plan->step_count; i++) {
        const struct adg_step *step = &plan->steps[i];
        if (work->needed != NULL && !work->needed[step->field]) {
            continue;
        }
        enum adg_status status = step->run(step, work, error);
        if (status == ADG_OK && is_taken(work, step->field)) {
            status = hand_over(block, work, step->field, skip, error);
        }
        if (status != ADG_OK) {
            return adg_context(error, status, "table %s, field %s", plan->table->name,
                               plan->columns[step->field].field->name);
        }
    }
    show(block, work, skip, block->rows);
    return ADG_OK;
}

EXPORT uint32_t adg_block_rows(const struct adg_block *block)
{
    return block->rows;
}
