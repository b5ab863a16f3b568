/*
 * Values of a source: see value.h.
 */
#include "scrape/value.h"

#include <string.h>

#include "core/date.h"

static const int64_t day_us = INT64_C(86400000000);

static bool two_digits(const char *text, int64_t max, int64_t *out)
{
    if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9') {
        return false;
    }
    *out = (text[0] - '0') * 10 + (text[1] - '0');
    return *out <= max;
}

/* YYYY-MM-DD HH:MM:SS or with a T, up to six digits of a second behind a point. */
static bool parse_timestamp(const char *text, size_t size, int64_t *us)
{
    int32_t days;
    int64_t hours, minutes, seconds, fraction = 0;
    if (size < 19 || !adg_date_parse(text, 10, &days) || (text[10] != ' ' && text[10] != 'T') || text[13] != ':' ||
        text[16] != ':' || !two_digits(text + 11, 23, &hours) || !two_digits(text + 14, 59, &minutes) ||
        !two_digits(text + 17, 59, &seconds)) {
        return false;
    }
    if (size > 19) {
        if (text[19] != '.' || size == 20 || size > 26) {
            return false;
        }
        for (size_t i = 20; i < 26; i++) {
            if (i < size && (text[i] < '0' || text[i] > '9')) {
                return false;
            }
            fraction = fraction * 10 + (i < size ? text[i] - '0' : 0);
        }
    }
    *us = days * day_us + ((hours * 60 + minutes) * 60 + seconds) * 1000000 + fraction;
    return true;
}

static bool is_finite(double x)
{
    return x - x == 0;
}

static bool in_int32(int64_t value)
{
    return value >= INT32_MIN && value <= INT32_MAX;
}

static bool read_integer(const struct adg_source_value *source, int64_t *out)
{
    switch (source->kind) {
    case ADG_SOURCE_TEXT:
    case ADG_SOURCE_DECIMAL:
        return adg_int64_parse((const char *)source->text.data, source->text.size, out);
    case ADG_SOURCE_INT:
        *out = source->integer;
        return true;
    case ADG_SOURCE_DOUBLE:
        if (!(source->number >= -9223372036854775808.0 && source->number < 9223372036854775808.0)) {
            return false;
        }
        *out = (int64_t)source->number;
        return (double)*out == source->number;
    default:
        return false;
    }
}

static bool read_double(const struct adg_source_value *source, double *out)
{
    switch (source->kind) {
    case ADG_SOURCE_TEXT:
    case ADG_SOURCE_DECIMAL:
        return adg_double_parse((const char *)source->text.data, source->text.size, out);
    case ADG_SOURCE_INT:
        *out = (double)source->integer;
        return true;
    case ADG_SOURCE_DOUBLE:
        *out = source->number == 0 ? 0 : source->number;
        return is_finite(source->number);
    default:
        return false;
    }
}

static bool read_decimal(const struct adg_source_value *source, const struct adg_field *field, int64_t *out)
{
    char text[ADG_NUMBER_TEXT_BYTES];
    struct adg_span digits = source->text;
    if (source->kind == ADG_SOURCE_INT) {
        digits = (struct adg_span){(const uint8_t *)text, adg_int64_format(source->integer, text)};
    } else if (source->kind == ADG_SOURCE_DOUBLE && is_finite(source->number)) {
        digits = (struct adg_span){(const uint8_t *)text, adg_double_format(source->number, text)};
    } else if (source->kind != ADG_SOURCE_TEXT && source->kind != ADG_SOURCE_DECIMAL) {
        return false;
    }
    return adg_decimal_parse((const char *)digits.data, digits.size, field->precision, field->scale, out);
}

static bool read_date(const struct adg_source_value *source, int64_t *out)
{
    int32_t days;
    switch (source->kind) {
    case ADG_SOURCE_TEXT:
        if (!adg_date_parse((const char *)source->text.data, source->text.size, &days)) {
            return false;
        }
        *out = days;
        return true;
    case ADG_SOURCE_DATE:
        *out = source->integer;
        break;
    case ADG_SOURCE_TIMESTAMP:
        if (source->integer % day_us != 0) {
            return false;
        }
        *out = source->integer / day_us;
        break;
    default:
        return false;
    }
    return *out >= ADG_DATE_MIN && *out <= ADG_DATE_MAX;
}

static bool read_timestamp(const struct adg_source_value *source, int64_t *out)
{
    const int64_t min = ADG_DATE_MIN * day_us, max = (ADG_DATE_MAX + INT64_C(1)) * day_us;
    switch (source->kind) {
    case ADG_SOURCE_TEXT:
        return parse_timestamp((const char *)source->text.data, source->text.size, out);
    case ADG_SOURCE_TIMESTAMP:
        *out = source->integer;
        return *out >= min && *out < max;
    case ADG_SOURCE_DATE:
        *out = source->integer * day_us;
        return source->integer >= ADG_DATE_MIN && source->integer <= ADG_DATE_MAX;
    default:
        return false;
    }
}

static bool read_boolean(const struct adg_source_value *source, int64_t *out)
{
    if (source->kind == ADG_SOURCE_TEXT) {
        *out = source->text.size == 4;
        return (source->text.size == 4 && memcmp(source->text.data, "true", 4) == 0) ||
               (source->text.size == 5 && memcmp(source->text.data, "false", 5) == 0);
    }
    *out = source->integer;
    return source->kind == ADG_SOURCE_BOOLEAN;
}

/* Numbers that are stored for a text field take the text of a numeric category. */
static bool read_text(const struct adg_source_value *source, struct adg_value *value)
{
    size_t length;
    switch (source->kind) {
    case ADG_SOURCE_TEXT:
        value->text = source->text;
        return true;
    case ADG_SOURCE_INT:
        length = adg_int64_format(source->integer, value->scratch);
        break;
    case ADG_SOURCE_DOUBLE:
        if (!is_finite(source->number)) {
            return false;
        }
        length = adg_double_format(source->number, value->scratch);
        break;
    case ADG_SOURCE_DECIMAL: {
        size_t size = source->text.size;
        if (memchr(source->text.data, '.', size) !=
            NULL) { /* trailing zeros and a point behind which nothing is left */
            while (source->text.data[size - 1] == '0') {
                size--;
            }
            size -= source->text.data[size - 1] == '.';
        }
        bool minus_zero = size == 2 && memcmp(source->text.data, "-0", 2) == 0;
        value->text = (struct adg_span){source->text.data + minus_zero, size - minus_zero};
        return true;
    }
    case ADG_SOURCE_DATE:
        if (source->integer < ADG_DATE_MIN || source->integer > ADG_DATE_MAX) {
            return false;
        }
        adg_date_format((int32_t)source->integer, value->scratch);
        length = 10;
        break;
    case ADG_SOURCE_TIMESTAMP: {
        int64_t micros;
        if (!read_timestamp(source, &micros)) {
            return false;
        }
        length = adg_timestamp_format(micros, value->scratch);
        break;
    }
    case ADG_SOURCE_BOOLEAN:
    default:
        length = source->integer != 0 ? 4 : 5;
        memcpy(value->scratch, source->integer != 0 ? "true" : "false", length);
    }
    value->text = (struct adg_span){(const uint8_t *)value->scratch, length};
    return true;
}

void adg_value_read(const struct adg_source_value *source, const struct adg_field *field, struct adg_value *value)
{
    value->null = source->null ||
                  ((source->kind == ADG_SOURCE_TEXT || source->kind == ADG_SOURCE_DECIMAL) && source->text.size == 0);
    value->unreadable = false;
    if (value->null) {
        return;
    }
    bool good = false;
    switch (field->type) {
    case ADG_TYPE_STRING:
        good = read_text(source, value);
        break;
    case ADG_TYPE_INT32:
        good = read_integer(source, &value->integer) && in_int32(value->integer);
        break;
    case ADG_TYPE_INT64:
        good = read_integer(source, &value->integer);
        break;
    case ADG_TYPE_DOUBLE:
        good = read_double(source, &value->number);
        break;
    case ADG_TYPE_DECIMAL:
        good = read_decimal(source, field, &value->integer);
        break;
    case ADG_TYPE_DATE:
        good = read_date(source, &value->integer);
        break;
    case ADG_TYPE_TIMESTAMP:
        good = read_timestamp(source, &value->integer);
        break;
    case ADG_TYPE_BOOLEAN:
        good = read_boolean(source, &value->integer);
        break;
    }
    value->null = value->unreadable = !good;
}

const char *adg_value_kind(const struct adg_source_value *source)
{
    double number;
    switch (source->kind) {
    case ADG_SOURCE_TEXT:
        return adg_double_parse((const char *)source->text.data, source->text.size, &number)
                   ? "a number that does not fit"
                   : "text";
    case ADG_SOURCE_DECIMAL:
    case ADG_SOURCE_INT:
        return "a number that does not fit";
    case ADG_SOURCE_DOUBLE:
        return is_finite(source->number) ? "a number that does not fit" : "a number that is not finite";
    case ADG_SOURCE_DATE:
        return "a date";
    case ADG_SOURCE_TIMESTAMP:
        return "a date with a time of day";
    case ADG_SOURCE_BOOLEAN:
        return "true or false";
    }
    return "text";
}
