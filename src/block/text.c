/*
 * Values as text: see text.h and adg_block_text in adg.h.
 */
#include "block/text.h"

#include <assert.h>
#include <string.h>

#include "core/date.h"

static void put_digits(char *out, uint64_t value, unsigned digits)
{
    for (unsigned i = digits; i-- > 0; value /= 10) {
        out[i] = (char)('0' + value % 10);
    }
}

static size_t timestamp_text(int64_t microseconds, char *out)
{
    const int64_t day = INT64_C(86400000000);
    int64_t days = microseconds / day, rest = microseconds % day;
    if (rest < 0) {
        rest += day;
        days--;
    }
    uint64_t seconds = (uint64_t)rest / 1000000, fraction = (uint64_t)rest % 1000000;
    adg_date_format((int32_t)days, out);
    out[10] = ' ';
    put_digits(out + 11, seconds / 3600, 2);
    out[13] = ':';
    put_digits(out + 14, seconds / 60 % 60, 2);
    out[16] = ':';
    put_digits(out + 17, seconds % 60, 2);
    if (fraction == 0) {
        return 19;
    }
    out[19] = '.';
    put_digits(out + 20, fraction, 6);
    return 26;
}

size_t adg_int_text(enum adg_type type, unsigned scale, int64_t value, char out[ADG_VALUE_TEXT_BYTES])
{
    switch (type) {
    case ADG_TYPE_DECIMAL:
        return adg_decimal_format(value, scale, out);
    case ADG_TYPE_DATE:
        adg_date_format((int32_t)value, out);
        return 10;
    case ADG_TYPE_TIMESTAMP:
        return timestamp_text(value, out);
    case ADG_TYPE_BOOLEAN:
        memcpy(out, value != 0 ? "true" : "false", 5);
        return value != 0 ? 4 : 5;
    default:
        return adg_int64_format(value, out);
    }
}

size_t adg_dictionary_text(const struct adg_dictionary *dictionary, unsigned scale, uint32_t i,
                           char scratch[ADG_VALUE_TEXT_BYTES], const char **text)
{
    *text = scratch;
    switch (dictionary->type) {
    case ADG_TYPE_STRING:
        *text = dictionary->values.text.bytes + dictionary->values.text.offsets[i];
        return dictionary->values.text.offsets[i + 1] - dictionary->values.text.offsets[i];
    case ADG_TYPE_DOUBLE:
        return adg_double_format(dictionary->values.f64[i], scratch);
    case ADG_TYPE_INT64:
    case ADG_TYPE_DECIMAL:
    case ADG_TYPE_TIMESTAMP:
        return adg_int_text(dictionary->type, scale, dictionary->values.i64[i], scratch);
    default:
        return adg_int_text(dictionary->type, scale, dictionary->values.i32[i], scratch);
    }
}

static size_t plain_text(const struct adg_field *field, const struct adg_block_column *column, uint32_t row,
                         char *scratch, const char **text)
{
    uint32_t size = 0;
    *text = scratch;
    switch (field->type) {
    case ADG_TYPE_STRING:
        *text = adg_block_cell(column, row, &size);
        return size;
    case ADG_TYPE_DOUBLE:
        return adg_double_format(column->values.f64[row], scratch);
    case ADG_TYPE_INT64:
    case ADG_TYPE_DECIMAL:
    case ADG_TYPE_TIMESTAMP:
        return adg_int_text(field->type, field->scale, column->values.i64[row], scratch);
    default:
        return adg_int_text(field->type, field->scale, column->values.i32[row], scratch);
    }
}

__attribute__((visibility("default"))) int64_t adg_block_text(const struct adg_block *block, uint32_t column,
                                                              uint32_t row, char *out, size_t size)
{
    assert(column < block->layout->column_count && row < block->rows);
    const struct adg_layout_column *layout = &block->layout->columns[column];
    const struct adg_block_column *data = &block->columns[column];
    char scratch[ADG_VALUE_TEXT_BYTES];
    const char *text = scratch;
    size_t length = 0;
    switch (layout->kind) {
    case ADG_COLUMN_NULL:
        return -1;
    case ADG_COLUMN_CONSTANT:
        length = adg_dictionary_text(layout->dictionary, layout->field->scale, 0, scratch, &text);
        break;
    case ADG_COLUMN_DICTIONARY:
        if (data->codes[row] >= layout->dictionary->count) {
            return -1;
        }
        length = adg_dictionary_text(layout->dictionary, layout->field->scale, data->codes[row], scratch, &text);
        break;
    case ADG_COLUMN_PLAIN:
        if (data->valid != NULL && data->valid[row] == 0) {
            return -1;
        }
        length = plain_text(layout->field, data, row, scratch, &text);
        break;
    case ADG_COLUMN_TEXTS: {
        if (data->codes[row] == ADG_NO_TEXT) {
            return -1;
        }
        uint32_t bytes = 0;
        text = adg_block_cell(data, data->codes[row], &bytes);
        length = bytes;
        break;
    }
    }
    if (size > 0) {
        size_t copied = length < size - 1 ? length : size - 1;
        memcpy(out, text, copied);
        out[copied] = '\0';
    }
    return (int64_t)length;
}
