/*
 * Blocks as DuckDB's vectors: see scan.h. A text of up to 12 bytes lies within its 16, so that those of a dictionary are copied like
 * numbers; longer ones are copied by DuckDB into memory of the vector.
 */
#include "scan.h"

#include <string.h>

#include "core/memory.h"

enum { INLINE_BYTES = 12 };

/* ---- the scan ------------------------------------------------------------------------------------------------------ */

static bool make_texts(const struct adg_layout_column *layout, struct scan_column *column)
{
    const struct adg_dictionary *dictionary = layout->dictionary;
    if (dictionary == NULL || layout->field->type != ADG_TYPE_STRING) {
        return true;
    }
    column->texts = adg_alloc_zero((size_t)dictionary->count + 1, sizeof *column->texts);
    for (uint32_t i = 0; column->texts != NULL && i < dictionary->count; i++) {
        const char *text = dictionary->values.text.bytes + dictionary->values.text.offsets[i];
        uint32_t size = dictionary->values.text.offsets[i + 1] - dictionary->values.text.offsets[i];
        column->texts[i].value.inlined.length = size;
        if (size <= INLINE_BYTES) {
            memcpy(column->texts[i].value.inlined.inlined, text, size);
        } else {
            column->texts[i].value.pointer.ptr = (char *)(uintptr_t)text;
            column->has_long = true;
        }
    }
    return column->texts != NULL;
}

void scan_free(void *pointer)
{
    struct scan *scan = pointer;
    if (scan != NULL) {
        for (idx_t i = 0; scan->columns != NULL && i < scan->count; i++) {
            adg_free(scan->columns[i].texts);
        }
        adg_free(scan->columns);
        adg_free(scan->wanted);
        adg_plan_free((struct adg_plan *)(uintptr_t)scan->plan);
        adg_free(scan);
    }
}

struct scan *scan_new(const struct adg_plan *plan, idx_t count, idx_t (*column)(void *context, idx_t i), void *context)
{
    const struct adg_layout *layout = adg_plan_layout(plan);
    struct scan *scan = adg_alloc_zero(1, sizeof *scan);
    if (scan == NULL) {
        return NULL;
    }
    scan->plan = adg_plan_hold(plan);
    scan->count = count;
    scan->wanted = adg_alloc_zero(layout->column_count, sizeof *scan->wanted);
    scan->columns = adg_alloc_zero(count, sizeof *scan->columns);
    bool made = scan->wanted != NULL && scan->columns != NULL;
    for (idx_t i = 0; made && i < count; i++) {
        idx_t number = scan->columns[i].number = column(context, i);
        if (number < layout->column_count) {
            scan->wanted[number] = true;
            made = make_texts(&layout->columns[number], &scan->columns[i]);
        }
    }
    if (!made) {
        scan_free(scan);
        return NULL;
    }
    return scan;
}

/* ---- types --------------------------------------------------------------------------------------------------------- */

duckdb_logical_type scan_type(const struct adg_field *field)
{
    static const duckdb_type types[] = {
        [ADG_TYPE_STRING] = DUCKDB_TYPE_VARCHAR,  [ADG_TYPE_INT32] = DUCKDB_TYPE_INTEGER,
        [ADG_TYPE_INT64] = DUCKDB_TYPE_BIGINT,    [ADG_TYPE_DOUBLE] = DUCKDB_TYPE_DOUBLE,
        [ADG_TYPE_DATE] = DUCKDB_TYPE_DATE,       [ADG_TYPE_TIMESTAMP] = DUCKDB_TYPE_TIMESTAMP,
        [ADG_TYPE_BOOLEAN] = DUCKDB_TYPE_BOOLEAN, [ADG_TYPE_DECIMAL] = DUCKDB_TYPE_DECIMAL};
    return field->type == ADG_TYPE_DECIMAL ? duckdb_create_decimal_type(field->precision, field->scale)
                                           : duckdb_create_logical_type(types[field->type]);
}

/* ---- values -------------------------------------------------------------------------------------------------------- */

static void set_null(duckdb_vector vector, uint64_t **validity, uint32_t row)
{
    if (*validity == NULL) {
        duckdb_vector_ensure_validity_writable(vector);
        *validity = duckdb_vector_get_validity(vector);
    }
    (*validity)[row / 64] &= ~(UINT64_C(1) << row % 64);
}

static void set_nulls(duckdb_vector vector, uint32_t rows)
{
    duckdb_vector_ensure_validity_writable(vector);
    memset(duckdb_vector_get_validity(vector), 0, (rows + 63) / 64 * sizeof(uint64_t));
}

/* The number as DuckDB stores the field. */
static void put_int(void *data, const struct adg_field *field, uint32_t row, int64_t value)
{
    unsigned precision = field->type == ADG_TYPE_DECIMAL   ? field->precision
                         : field->type == ADG_TYPE_BOOLEAN ? 0
                         : adg_type_is_int32(field->type)  ? 9
                                                           : 18;
    if (precision == 0) {
        ((bool *)data)[row] = value != 0;
    } else if (precision <= 4) {
        ((int16_t *)data)[row] = (int16_t)value;
    } else if (precision <= 9) {
        ((int32_t *)data)[row] = (int32_t)value;
    } else {
        ((int64_t *)data)[row] = value;
    }
}

static void put_text(duckdb_vector vector, duckdb_string_t *data, uint32_t row, const char *text, uint32_t size)
{
    if (size > INLINE_BYTES) {
        duckdb_vector_assign_string_element_len(vector, row, text, size);
        return;
    }
    duckdb_string_t inlined = {.value = {.inlined = {.length = size}}};
    memcpy(inlined.value.inlined.inlined, text, size);
    data[row] = inlined;
}

static int64_t entry_int(const struct adg_dictionary *dictionary, uint32_t code)
{
    return adg_type_is_int32(dictionary->type) ? dictionary->values.i32[code] : dictionary->values.i64[code];
}

/* Rows that all have the dictionary's only entry have no codes. */
static uint32_t code_of(const uint32_t *codes, uint32_t row)
{
    return codes != NULL ? codes[row] : 0;
}

static void fill_listed_texts(const struct scan_column *column, const uint32_t *codes, uint32_t rows,
                              duckdb_vector vector)
{
    duckdb_string_t *data = duckdb_vector_get_data(vector);
    for (uint32_t i = 0; i < rows; i++) {
        data[i] = column->texts[code_of(codes, i)];
    }
    for (uint32_t i = 0; column->has_long && i < rows; i++) {
        uint32_t size = data[i].value.inlined.length;
        if (size > INLINE_BYTES) {
            duckdb_vector_assign_string_element_len(vector, i, data[i].value.pointer.ptr, size);
        }
    }
}

static void fill_listed(const struct scan_column *column, const struct adg_layout_column *layout, const uint32_t *codes,
                        uint32_t rows, duckdb_vector vector)
{
    const struct adg_dictionary *dictionary = layout->dictionary;
    uint64_t *validity = NULL;
    if (column->texts != NULL) {
        fill_listed_texts(column, codes, rows, vector);
    }
    void *data = duckdb_vector_get_data(vector);
    for (uint32_t i = 0; i < rows && (column->texts == NULL || layout->nullable); i++) {
        uint32_t code = code_of(codes, i);
        if (code >= dictionary->count) {
            set_null(vector, &validity, i);
        } else if (column->texts != NULL) {
            continue;
        } else if (dictionary->type == ADG_TYPE_DOUBLE) {
            ((double *)data)[i] = dictionary->values.f64[code];
        } else {
            put_int(data, layout->field, i, entry_int(dictionary, code));
        }
    }
}

static void fill_plain(const struct adg_layout_column *layout, const struct adg_block_column *column, uint32_t first,
                       uint32_t rows, duckdb_vector vector)
{
    void *data = duckdb_vector_get_data(vector);
    uint64_t *validity = NULL;
    for (uint32_t i = 0; i < rows; i++) {
        uint32_t row = first + i, size = 0;
        if (column->valid != NULL && column->valid[row] == 0) {
            set_null(vector, &validity, i);
        } else if (layout->field->type == ADG_TYPE_STRING) {
            const char *text = adg_block_cell(column, row, &size);
            put_text(vector, data, i, text, size);
        } else if (layout->field->type == ADG_TYPE_DOUBLE) {
            ((double *)data)[i] = column->values.f64[row];
        } else {
            put_int(data, layout->field, i,
                    adg_type_is_int32(layout->field->type) ? column->values.i32[row] : column->values.i64[row]);
        }
    }
}

static void fill_texts(const struct adg_block_column *column, uint32_t first, uint32_t rows, duckdb_vector vector)
{
    duckdb_string_t *data = duckdb_vector_get_data(vector);
    uint64_t *validity = NULL;
    for (uint32_t i = 0; i < rows; i++) {
        uint32_t cell = column->codes[first + i], size = 0;
        if (cell == ADG_NO_TEXT) {
            set_null(vector, &validity, i);
        } else {
            const char *text = adg_block_cell(column, cell, &size);
            put_text(vector, data, i, text, size);
        }
    }
}

void scan_fill(const struct scan *scan, const struct adg_block *block, uint32_t first, uint32_t rows,
               duckdb_data_chunk chunk)
{
    for (idx_t i = 0; i < scan->count; i++) {
        const struct scan_column *column = &scan->columns[i];
        duckdb_vector vector = duckdb_data_chunk_get_vector(chunk, i);
        if (column->number >= block->layout->column_count) {
            for (uint32_t row = 0; row < rows; row++) {
                ((int64_t *)duckdb_vector_get_data(vector))[row] = (int64_t)(block->first_row + first + row);
            }
            continue;
        }
        const struct adg_layout_column *layout = &block->layout->columns[column->number];
        const struct adg_block_column *data = &block->columns[column->number];
        switch (layout->kind) {
        case ADG_COLUMN_NULL:
            set_nulls(vector, rows);
            break;
        case ADG_COLUMN_CONSTANT:
            fill_listed(column, layout, NULL, rows, vector);
            break;
        case ADG_COLUMN_DICTIONARY:
            fill_listed(column, layout, data->codes + first, rows, vector);
            break;
        case ADG_COLUMN_PLAIN:
            fill_plain(layout, data, first, rows, vector);
            break;
        case ADG_COLUMN_TEXTS:
            fill_texts(data, first, rows, vector);
            break;
        }
    }
    duckdb_data_chunk_set_size(chunk, rows);
}
