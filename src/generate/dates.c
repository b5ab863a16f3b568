/*
 * Dates that are sorted left to right in each row, nulls to the right.
 *
 * The fields share one dictionary, the union of theirs, so codes sort as dates do and null, the largest code, goes to
 * the right. A field without metadata takes part: it is null before the sort, and the leftmost fields are filled first.
 */
#include "generate/internal.h"

#include <string.h>

#include "block/text.h"
#include "core/cpu.h"
#include "core/date.h"
#include "core/memory.h"

struct sorted {
    uint32_t count;
    const uint32_t *fields;
    bool *drawn;     /* [count] codes are drawn per row; else they are 0 */
    bool *shown;     /* [count] codes are wanted */
    uint32_t **maps; /* [count][entries + 1] to codes of the union */
};

enum { TILE_ROWS = 256 };

/* Sorts the fields of each of up to TILE_ROWS rows: a bubble network, whose comparators run over rows and become vector
 * instructions. */
static inline __attribute__((always_inline)) void sort_tile(uint32_t *tile, uint32_t count)
{
    for (uint32_t end = count; end > 1; end--) {
        for (uint32_t j = 0; j + 1 < end; j++) {
            uint32_t *left = tile + (size_t)j * TILE_ROWS, *right = left + TILE_ROWS;
            for (uint32_t i = 0; i < TILE_ROWS; i++) {
                uint32_t a = left[i], b = right[i];
                left[i] = a < b ? a : b;
                right[i] = a < b ? b : a;
            }
        }
    }
}

static void sort_tile_scalar(uint32_t *tile, uint32_t count)
{
    sort_tile(tile, count);
}

ADG_FOR_AVX2 static void sort_tile_avx2(uint32_t *tile, uint32_t count)
{
    sort_tile(tile, count);
}

static enum adg_status run_sorted(const struct adg_step *step, struct adg_work *work, struct adg_error *error)
{
    (void)error;
    const struct sorted *sorted = step->detail;
    uint32_t *tile = work->more_words; /* [count][TILE_ROWS]; a definition sorts at most 16 fields */
    void (*sort)(uint32_t *, uint32_t) = adg_cpu_choose() >= ADG_CPU_AVX2 ? sort_tile_avx2 : sort_tile_scalar;
    for (uint32_t first = 0; first < work->rows; first += TILE_ROWS) {
        uint32_t rows = work->rows - first < TILE_ROWS ? work->rows - first : TILE_ROWS;
        for (uint32_t j = 0; j < sorted->count; j++) {
            const uint32_t *map = sorted->maps[j];
            const uint32_t *codes = sorted->drawn[j] ? work->columns[sorted->fields[j]].codes + first : work->zeros;
            for (uint32_t i = 0; i < rows; i++) {
                tile[j * TILE_ROWS + i] = map[codes[i]];
            }
        }
        sort(tile, sorted->count);
        for (uint32_t j = 0; j < sorted->count; j++) {
            if (sorted->shown[j]) {
                memcpy(work->columns[sorted->fields[j]].codes + first, tile + j * TILE_ROWS, rows * sizeof *tile);
            }
        }
    }
    return ADG_OK;
}

/* The union's days: entries of all fields, field after field, with a null behind each. */
static enum adg_status read_days(const struct adg_plan *plan, const struct adg_dataset *dataset, struct adg_value *days,
                                 struct adg_error *error)
{
    for (uint32_t j = 0; j < dataset->sorted_date_count; j++) {
        const struct adg_plan_column *column = &plan->columns[dataset->sorted_dates[j]];
        for (uint32_t i = 0; i < column->dictionary.count; i++) {
            char scratch[ADG_VALUE_TEXT_BYTES];
            const char *text = NULL;
            size_t size = adg_dictionary_text(&column->dictionary, column->field->scale, i, scratch, &text);
            int32_t day = 0;
            if (!adg_date_parse(text, size, &day)) {
                return adg_fail(error, ADG_BAD_INPUT, "field %s: its dates are to be sorted, and one cannot be read",
                                column->field->name);
            }
            *days++ = (struct adg_value){.as.whole = day};
        }
        *days++ = (struct adg_value){.null = true};
    }
    return ADG_OK;
}

/* Dictionary of field j after the sort, in its own type: the days have the order of the union in every type. */
static enum adg_status set_column(struct adg_plan *plan, struct adg_plan_column *column,
                                  const struct adg_dictionary *days, uint32_t place, uint32_t never_null,
                                  uint32_t always_null, struct adg_error *error)
{
    uint32_t fields = plan->dataset->sorted_date_count;
    struct adg_dictionary dictionary = *days;
    if (place >= fields - always_null) {
        dictionary.count = 0;
    }
    enum adg_status status = ADG_OK;
    if (column->field->type != ADG_TYPE_DATE && dictionary.count > 0) {
        struct adg_value *values = adg_alloc_array(days->count, sizeof *values);
        uint32_t *codes = adg_alloc_array(days->count, sizeof *codes);
        status = values == NULL || codes == NULL ? adg_fail_memory(error) : ADG_OK;
        for (uint32_t i = 0; i < days->count && status == ADG_OK; i++) {
            status = adg_value_from_date(column->field, days->values.i32[i], &plan->arena, &values[i], error);
        }
        if (status == ADG_OK) {
            status = adg_value_dictionary(column->field->type, values, days->count, &plan->arena, &dictionary, codes,
                                          error);
        }
        adg_free(values);
        adg_free(codes);
    }
    if (status == ADG_OK) {
        adg_plan_set_dictionary(column, &dictionary, place >= never_null);
    }
    return status;
}

enum adg_status adg_plan_sorted_dates(struct adg_plan *plan, struct adg_error *error)
{
    const struct adg_dataset *dataset = plan->dataset;
    uint32_t count = dataset->sorted_date_count, never_null = 0, always_null = 0;
    uint64_t total = 0;
    if (count == 0) {
        return ADG_OK;
    }
    if (count > ADG_BLOCK_ROWS) {
        return adg_fail(error, ADG_BAD_INPUT, "more than %d dates to sort in a row", ADG_BLOCK_ROWS);
    }
    struct sorted *sorted = adg_arena_array(&plan->arena, 1, sizeof *sorted);
    bool *drawn = adg_arena_array(&plan->arena, count, sizeof *drawn);
    bool *shown = adg_arena_array(&plan->arena, count, sizeof *shown);
    uint32_t **maps = adg_arena_array(&plan->arena, count, sizeof *maps);
    if (sorted == NULL || drawn == NULL || shown == NULL || maps == NULL) {
        return adg_fail_memory(error);
    }
    for (uint32_t j = 0; j < count; j++) {
        const struct adg_plan_column *column = &plan->columns[dataset->sorted_dates[j]];
        if (column->kind == ADG_COLUMN_PLAIN || column->field->role != ADG_ROLE_SAMPLED) {
            return adg_fail(error, ADG_BAD_INPUT, "field %s: only sampled dates can be sorted", column->field->name);
        }
        drawn[j] = column->kind == ADG_COLUMN_DICTIONARY;
        never_null += column->kind == ADG_COLUMN_CONSTANT || (drawn[j] && !column->nullable);
        always_null += column->kind == ADG_COLUMN_NULL;
        total += (uint64_t)column->dictionary.count + 1;
    }
    if (total > UINT32_MAX / 2) {
        return adg_fail(error, ADG_BAD_INPUT, "more than 2^31 dates");
    }
    struct adg_value *days = adg_alloc_array(total, sizeof *days);
    uint32_t *codes = adg_arena_array(&plan->arena, total, sizeof *codes);
    struct adg_dictionary dictionary = {0};
    enum adg_status status = days == NULL || codes == NULL ? adg_fail_memory(error)
                                                           : read_days(plan, dataset, days, error);
    if (status == ADG_OK) {
        status = adg_value_dictionary(ADG_TYPE_DATE, days, (uint32_t)total, &plan->arena, &dictionary, codes, error);
    }
    adg_free(days);
    bool wanted = false;
    for (uint32_t j = 0; j < count && status == ADG_OK; j++) {
        struct adg_plan_column *column = &plan->columns[dataset->sorted_dates[j]];
        maps[j] = codes;
        codes += column->dictionary.count + 1;
        status = set_column(plan, column, &dictionary, j, never_null, always_null, error);
        shown[j] = column->kind == ADG_COLUMN_DICTIONARY;
        wanted = wanted || shown[j];
    }
    if (status == ADG_OK && wanted) {
        *sorted = (struct sorted){count, dataset->sorted_dates, drawn, shown, maps};
        adg_plan_add_step(plan, dataset->sorted_dates[0], run_sorted, sorted);
    }
    return status;
}
