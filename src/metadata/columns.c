/*
 * Rows of the metadata table as columns of a Parquet file, and back.
 */
#include <string.h>

#include "metadata/internal.h"

const struct adg_metadata_column adg_metadata_columns[ADG_METADATA_COLUMNS] = {
    {"TABLE_NAME", ADG_TYPE_STRING, false},
    {"FIELD_NAME", ADG_TYPE_STRING, false},
    {"VALUE_TYPE", ADG_TYPE_STRING, false},
    {"VALUE_STRING", ADG_TYPE_STRING, false},
    {"VALUE_NUMERIC", ADG_TYPE_DOUBLE, false},
    {"VALUE_DATE", ADG_TYPE_DATE, false},
    {"VALUE_STRING_ARRAY", ADG_TYPE_STRING, true},
    {"VALUE_NUMERIC_ARRAY", ADG_TYPE_DOUBLE, true},
    {"WEIGHT", ADG_TYPE_DOUBLE, false},
    {"WEIGHT_ARRAY", ADG_TYPE_DOUBLE, true},
};

static struct adg_span span(const char *text, size_t size)
{
    return (struct adg_span){(const uint8_t *)text, size};
}

static struct adg_optional_text column_text(const struct adg_metadata_row *row, int column)
{
    const char *text = column == ADG_COLUMN_TABLE_NAME   ? row->table
                       : column == ADG_COLUMN_FIELD_NAME ? row->field
                                                         : adg_value_type_name(row->value_type);
    return column == ADG_COLUMN_VALUE_STRING ? row->string : (struct adg_optional_text){text, strlen(text)};
}

static bool fill_texts(const struct adg_metadata_row *rows, size_t count, int column, struct adg_arena *arena,
                       struct adg_parquet_column *out)
{
    struct adg_span *values = adg_arena_array(arena, count, sizeof *values);
    uint8_t *valid = adg_arena_array(arena, count, 1);
    for (size_t i = 0; i < count && values != NULL && valid != NULL; i++) {
        struct adg_optional_text text = column_text(&rows[i], column);
        valid[i] = text.text != NULL;
        values[i] = span(text.text, text.size);
    }
    out->values.text = values;
    out->valid = valid;
    return values != NULL && valid != NULL;
}

static bool fill_doubles(const struct adg_metadata_row *rows, size_t count, int column, struct adg_arena *arena,
                         struct adg_parquet_column *out)
{
    double *values = adg_arena_array(arena, count, sizeof *values);
    uint8_t *valid = adg_arena_array(arena, count, 1);
    for (size_t i = 0; i < count && values != NULL && valid != NULL; i++) {
        bool weight = column == ADG_COLUMN_WEIGHT;
        valid[i] = weight ? rows[i].has_weight : rows[i].has_numeric;
        values[i] = weight ? rows[i].weight : rows[i].numeric;
    }
    out->values.f64 = values;
    out->valid = valid;
    return values != NULL && valid != NULL;
}

static bool fill_dates(const struct adg_metadata_row *rows, size_t count, struct adg_arena *arena,
                       struct adg_parquet_column *out)
{
    int32_t *values = adg_arena_array(arena, count, sizeof *values);
    uint8_t *valid = adg_arena_array(arena, count, 1);
    for (size_t i = 0; i < count && values != NULL && valid != NULL; i++) {
        valid[i] = rows[i].has_date;
        values[i] = rows[i].date;
    }
    out->values.i32 = values;
    out->valid = valid;
    return values != NULL && valid != NULL;
}

static uint32_t list_length(const struct adg_metadata_row *row, int column, bool *present)
{
    switch (column) {
    case ADG_COLUMN_VALUE_STRING_ARRAY:
        *present = row->string_array != NULL;
        return *present ? row->string_array_count : 0;
    case ADG_COLUMN_VALUE_NUMERIC_ARRAY:
        *present = row->numeric_array != NULL;
        return *present ? row->numeric_array_count : 0;
    default:
        *present = row->weight_array != NULL;
        return *present ? row->weight_array_count : 0;
    }
}

static bool fill_lists(const struct adg_metadata_row *rows, size_t count, int column, struct adg_arena *arena,
                       struct adg_parquet_column *out)
{
    uint32_t *offsets = adg_arena_array(arena, count + 1, sizeof *offsets);
    uint8_t *valid = adg_arena_array(arena, count, 1);
    if (offsets == NULL || valid == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        bool present;
        offsets[i + 1] = offsets[i] + list_length(&rows[i], column, &present);
        valid[i] = present;
    }
    out->valid = valid;
    out->list_offsets = offsets;
    if (column == ADG_COLUMN_VALUE_STRING_ARRAY) {
        struct adg_span *values = adg_arena_array(arena, offsets[count], sizeof *values);
        uint8_t *item_valid = adg_arena_array(arena, offsets[count], 1);
        for (size_t i = 0, at = 0; i < count && values != NULL && item_valid != NULL; i++) {
            for (uint32_t k = 0; k < offsets[i + 1] - offsets[i]; k++, at++) {
                values[at] = span(rows[i].string_array[k].text, rows[i].string_array[k].size);
                item_valid[at] = rows[i].string_array[k].text != NULL;
            }
        }
        out->values.text = values;
        out->item_valid = item_valid;
        return values != NULL && item_valid != NULL;
    }
    double *values = adg_arena_array(arena, offsets[count], sizeof *values);
    for (size_t i = 0; i < count && values != NULL; i++) {
        const double *list = column == ADG_COLUMN_WEIGHT_ARRAY ? rows[i].weight_array : rows[i].numeric_array;
        if (offsets[i + 1] > offsets[i]) {
            memcpy(values + offsets[i], list, (offsets[i + 1] - offsets[i]) * sizeof *values);
        }
    }
    out->values.f64 = values;
    return values != NULL;
}

enum adg_status adg_metadata_to_table(const struct adg_metadata_row *rows, size_t count, struct adg_arena *arena,
                                      struct adg_parquet_table *out, struct adg_error *error)
{
    struct adg_parquet_column *columns = adg_arena_array(arena, ADG_METADATA_COLUMNS, sizeof *columns);
    bool good = columns != NULL;
    for (int c = 0; c < ADG_METADATA_COLUMNS && good; c++) {
        const struct adg_metadata_column *column = &adg_metadata_columns[c];
        columns[c] = (struct adg_parquet_column){
            .name = column->name, .type = column->type, .is_list = column->is_list};
        good = column->is_list                   ? fill_lists(rows, count, c, arena, &columns[c])
               : column->type == ADG_TYPE_STRING ? fill_texts(rows, count, c, arena, &columns[c])
               : column->type == ADG_TYPE_DATE   ? fill_dates(rows, count, arena, &columns[c])
                                                 : fill_doubles(rows, count, c, arena, &columns[c]);
    }
    if (!good) {
        return adg_fail_memory(error);
    }
    *out = (struct adg_parquet_table){.rows = count, .column_count = ADG_METADATA_COLUMNS, .columns = columns};
    return ADG_OK;
}

/* ---- back -------------------------------------------------------------------------------------------------------- */

static bool has(const struct adg_parquet_column *column, uint64_t row)
{
    return column->valid == NULL || column->valid[row] != 0;
}

static struct adg_optional_text optional(const struct adg_parquet_column *column, uint64_t i, bool valid)
{
    return valid ? (struct adg_optional_text){(const char *)column->values.text[i].data, column->values.text[i].size}
                 : (struct adg_optional_text){NULL, 0};
}

/* The name in row `row`, NUL-terminated; the same memory as `last` where it is the same. NULL: null, or no memory. */
static const char *take_name(const struct adg_parquet_column *column, uint64_t row, const char *last,
                             struct adg_arena *arena)
{
    if (!has(column, row)) {
        return NULL;
    }
    struct adg_span text = column->values.text[row];
    if (last != NULL && strlen(last) == text.size && memcmp(last, text.data, text.size) == 0) {
        return last;
    }
    return adg_arena_strndup(arena, (const char *)text.data, text.size);
}

static const double *take_doubles(const struct adg_parquet_column *column, uint64_t row, uint32_t *count,
                                  bool *has_null)
{
    if (!has(column, row)) {
        return NULL;
    }
    uint32_t first = column->list_offsets[row];
    *count = column->list_offsets[row + 1] - first;
    for (uint32_t i = 0; i < *count && column->item_valid != NULL; i++) {
        *has_null = *has_null || column->item_valid[first + i] == 0;
    }
    return column->values.f64 + first;
}

static enum adg_status take_texts(const struct adg_parquet_column *column, uint64_t row, struct adg_arena *arena,
                                  struct adg_metadata_row *out, struct adg_error *error)
{
    if (!has(column, row)) {
        return ADG_OK;
    }
    uint32_t first = column->list_offsets[row], count = column->list_offsets[row + 1] - first;
    struct adg_optional_text *texts = adg_arena_array(arena, count, sizeof *texts);
    if (texts == NULL) {
        return adg_fail_memory(error);
    }
    for (uint32_t i = 0; i < count; i++) {
        texts[i] = optional(column, first + i, column->item_valid == NULL || column->item_valid[first + i] != 0);
    }
    out->string_array = texts;
    out->string_array_count = count;
    return ADG_OK;
}

enum adg_status adg_metadata_from_table(const struct adg_parquet_table *table, struct adg_arena *arena,
                                        struct adg_metadata_row **rows, struct adg_error *error)
{
    const struct adg_parquet_column *columns = table->columns;
    if (table->column_count != ADG_METADATA_COLUMNS) {
        return adg_fail(error, ADG_BAD_INPUT, "expected the ten columns of a metadata table");
    }
    for (int c = 0; c < ADG_METADATA_COLUMNS; c++) {
        const struct adg_metadata_column *column = &adg_metadata_columns[c];
        if (strcmp(columns[c].name, column->name) != 0 || columns[c].type != column->type ||
            columns[c].is_list != column->is_list) {
            return adg_fail(error, ADG_BAD_INPUT, "expected as column %d of a metadata table %s", c + 1, column->name);
        }
    }
    struct adg_metadata_row *made = adg_arena_array(arena, table->rows, sizeof *made);
    if (made == NULL) {
        return adg_fail_memory(error);
    }
    const char *last_table = NULL, *last_field = NULL;
    for (uint64_t r = 0; r < table->rows; r++) {
        struct adg_metadata_row *row = &made[r];
        const struct adg_parquet_column *type = &columns[ADG_COLUMN_VALUE_TYPE];
        row->table = last_table = take_name(&columns[ADG_COLUMN_TABLE_NAME], r, last_table, arena);
        row->field = last_field = take_name(&columns[ADG_COLUMN_FIELD_NAME], r, last_field, arena);
        if (row->table == NULL || row->field == NULL) {
            return adg_fail(error, ADG_BAD_INPUT, "row %llu: expected a TABLE_NAME and a FIELD_NAME",
                            (unsigned long long)r + 1);
        }
        if (!has(type, r) || !adg_value_type_parse((const char *)type->values.text[r].data, type->values.text[r].size,
                                                   &row->value_type)) {
            return adg_fail(error, ADG_BAD_INPUT, "row %llu: unknown VALUE_TYPE", (unsigned long long)r + 1);
        }
        bool has_null = false;
        row->string = optional(&columns[ADG_COLUMN_VALUE_STRING], r, has(&columns[ADG_COLUMN_VALUE_STRING], r));
        row->has_numeric = has(&columns[ADG_COLUMN_VALUE_NUMERIC], r);
        row->numeric = row->has_numeric ? columns[ADG_COLUMN_VALUE_NUMERIC].values.f64[r] : 0;
        row->has_date = has(&columns[ADG_COLUMN_VALUE_DATE], r);
        row->date = row->has_date ? columns[ADG_COLUMN_VALUE_DATE].values.i32[r] : 0;
        row->has_weight = has(&columns[ADG_COLUMN_WEIGHT], r);
        row->weight = row->has_weight ? columns[ADG_COLUMN_WEIGHT].values.f64[r] : 0;
        row->numeric_array = take_doubles(&columns[ADG_COLUMN_VALUE_NUMERIC_ARRAY], r, &row->numeric_array_count,
                                          &has_null);
        row->weight_array = take_doubles(&columns[ADG_COLUMN_WEIGHT_ARRAY], r, &row->weight_array_count, &has_null);
        enum adg_status status = take_texts(&columns[ADG_COLUMN_VALUE_STRING_ARRAY], r, arena, row, error);
        if (status != ADG_OK) {
            return status;
        }
        if (has_null) {
            return adg_fail(error, ADG_BAD_INPUT, "row %llu: a null within an array of numbers",
                            (unsigned long long)r + 1);
        }
    }
    *rows = made;
    return ADG_OK;
}
