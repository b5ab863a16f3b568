/*
 * The text of a category: see category.h.
 */
#include "dataset/category.h"

#include <string.h>

#include "core/date.h"

static const int64_t day_us = INT64_C(86400000000);

size_t adg_timestamp_format(int64_t us, char out[ADG_TIMESTAMP_TEXT_BYTES])
{
    int64_t days = us / day_us - (us % day_us < 0), rest = us - days * day_us;
    adg_date_format((int32_t)days, out);
    const int64_t parts[] = {rest / INT64_C(3600000000), rest / 60000000 % 60, rest / 1000000 % 60};
    size_t length = 10;
    for (int i = 0; i < 3; i++) {
        out[length++] = i == 0 ? ' ' : ':';
        out[length++] = (char)('0' + parts[i] / 10);
        out[length++] = (char)('0' + parts[i] % 10);
    }
    int64_t fraction = rest % 1000000;
    if (fraction != 0) {
        out[length++] = '.';
        for (int64_t unit = 100000; fraction != 0; unit /= 10) {
            out[length++] = (char)('0' + fraction / unit);
            fraction %= unit;
        }
    }
    return length;
}

struct adg_span adg_category_text(const struct adg_field *field, int64_t integer, double number, struct adg_span text,
                                  char out[ADG_NUMBER_TEXT_BYTES])
{
    size_t length = 0;
    switch (field->type) {
    case ADG_TYPE_STRING:
        return text;
    case ADG_TYPE_INT32:
    case ADG_TYPE_INT64:
        length = adg_int64_format(integer, out);
        break;
    case ADG_TYPE_DOUBLE:
        length = adg_double_format(number, out);
        break;
    case ADG_TYPE_DECIMAL:
        length = adg_decimal_format(integer, field->scale, out);
        break;
    case ADG_TYPE_DATE:
        adg_date_format((int32_t)integer, out);
        length = 10;
        break;
    case ADG_TYPE_TIMESTAMP:
        length = adg_timestamp_format(integer, out);
        break;
    case ADG_TYPE_BOOLEAN:
        length = integer != 0 ? 4 : 5;
        memcpy(out, integer != 0 ? "true" : "false", length);
        break;
    }
    return (struct adg_span){(const uint8_t *)out, length};
}
