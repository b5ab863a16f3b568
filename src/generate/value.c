/*
 * Casting and dictionaries: see value.h.
 */
#include "generate/value.h"

#include <stdlib.h>
#include <string.h>

#include "block/text.h"
#include "core/date.h"
#include "core/memory.h"
#include "core/number.h"

#define MICROSECONDS_OF_DAY INT64_C(86400000000)

static bool parse_two(const char *text, unsigned limit, int64_t *value)
{
    if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9') {
        return false;
    }
    *value = (text[0] - '0') * 10 + (text[1] - '0');
    return *value < limit;
}

/* YYYY-MM-DD, then perhaps a blank or T and HH:MM:SS, then perhaps a point and up to six digits. */
static bool parse_timestamp(const char *text, size_t size, int64_t *microseconds)
{
    int32_t days;
    int64_t hour = 0, minute = 0, second = 0, fraction = 0;
    if (size < 10 || !adg_date_parse(text, 10, &days)) {
        return false;
    }
    if (size > 10) {
        if (size < 19 || (text[10] != ' ' && text[10] != 'T') || text[13] != ':' || text[16] != ':' ||
            !parse_two(text + 11, 24, &hour) || !parse_two(text + 14, 60, &minute) ||
            !parse_two(text + 17, 60, &second)) {
            return false;
        }
        if (size > 19) {
            if (text[19] != '.' || size < 21 || size > 26) {
                return false;
            }
            int64_t unit = 100000;
            for (size_t i = 20; i < size; i++, unit /= 10) {
                if (text[i] < '0' || text[i] > '9') {
                    return false;
                }
                fraction += (text[i] - '0') * unit;
            }
        }
    }
    *microseconds = days * MICROSECONDS_OF_DAY + ((hour * 60 + minute) * 60 + second) * 1000000 + fraction;
    return true;
}

static bool parse_boolean(const char *text, size_t size, int64_t *value)
{
    if ((size == 4 && memcmp(text, "true", 4) == 0) || (size == 1 && text[0] == '1')) {
        *value = 1;
        return true;
    }
    if ((size == 5 && memcmp(text, "false", 5) == 0) || (size == 1 && text[0] == '0')) {
        *value = 0;
        return true;
    }
    return false;
}

enum adg_status adg_value_from_text(const struct adg_field *field, const char *text, size_t size, struct adg_value *out,
                                    struct adg_error *error)
{
    struct adg_value value = {0};
    int32_t days = 0;
    bool read = false;
    switch (field->type) {
    case ADG_TYPE_STRING:
        value.as.text.bytes = text;
        value.as.text.size = size;
        read = size <= INT32_MAX;
        break;
    case ADG_TYPE_INT32:
        read = adg_int64_parse(text, size, &value.as.whole) && value.as.whole >= INT32_MIN &&
               value.as.whole <= INT32_MAX;
        break;
    case ADG_TYPE_INT64:
        read = adg_int64_parse(text, size, &value.as.whole);
        break;
    case ADG_TYPE_DOUBLE:
        read = adg_double_parse(text, size, &value.as.real);
        if (value.as.real == 0) {
            value.as.real = 0; /* minus zero is 0 */
        }
        break;
    case ADG_TYPE_DECIMAL:
        read = adg_decimal_parse(text, size, field->precision, field->scale, &value.as.whole);
        break;
    case ADG_TYPE_DATE:
        read = adg_date_parse(text, size, &days);
        value.as.whole = days;
        break;
    case ADG_TYPE_TIMESTAMP:
        read = parse_timestamp(text, size, &value.as.whole);
        break;
    case ADG_TYPE_BOOLEAN:
        read = parse_boolean(text, size, &value.as.whole);
        break;
    }
    if (!read) {
        char type[24];
        adg_type_format(field, type);
        return adg_fail(error, ADG_BAD_INPUT, "a value of the metadata cannot be read as %s, the type of field %s",
                        type, field->name);
    }
    *out = value;
    return ADG_OK;
}

enum adg_status adg_value_from_number(const struct adg_field *field, double number, struct adg_arena *arena,
                                      struct adg_value *out, struct adg_error *error)
{
    char text[ADG_NUMBER_TEXT_BYTES];
    size_t size = adg_double_format(number, text);
    const char *kept = text;
    if (field->type == ADG_TYPE_STRING) {
        kept = adg_arena_strndup(arena, text, size);
        if (kept == NULL) {
            return adg_fail_memory(error);
        }
    }
    return adg_value_from_text(field, kept, size, out, error);
}

enum adg_status adg_value_from_date(const struct adg_field *field, int32_t days, struct adg_arena *arena,
                                    struct adg_value *out, struct adg_error *error)
{
    char text[10];
    adg_date_format(days, text);
    const char *kept = text;
    if (field->type == ADG_TYPE_STRING) {
        kept = adg_arena_strndup(arena, text, sizeof text);
        if (kept == NULL) {
            return adg_fail_memory(error);
        }
    }
    return adg_value_from_text(field, kept, sizeof text, out, error);
}

/* ---- dictionaries ------------------------------------------------------------------------------------------------ */

struct order {
    enum adg_type type;
    const struct adg_value *values;
};

static int compare_values(enum adg_type type, const struct adg_value *a, const struct adg_value *b)
{
    if (type == ADG_TYPE_STRING) {
        size_t common = a->as.text.size < b->as.text.size ? a->as.text.size : b->as.text.size;
        int difference = common > 0 ? memcmp(a->as.text.bytes, b->as.text.bytes, common) : 0;
        return difference != 0 ? difference : (a->as.text.size > b->as.text.size) - (a->as.text.size < b->as.text.size);
    }
    if (type == ADG_TYPE_DOUBLE) {
        return (a->as.real > b->as.real) - (a->as.real < b->as.real);
    }
    return (a->as.whole > b->as.whole) - (a->as.whole < b->as.whole);
}

static int compare_indices(const void *a, const void *b, void *context)
{
    const struct order *order = context;
    return compare_values(order->type, &order->values[*(const uint32_t *)a], &order->values[*(const uint32_t *)b]);
}

/* `entries` are values in order, without duplicates. */
static enum adg_status store_entries(enum adg_type type, const struct adg_value *values, const uint32_t *entries,
                                     uint32_t count, struct adg_arena *arena, struct adg_dictionary *out,
                                     struct adg_error *error)
{
    struct adg_dictionary dictionary = {.type = type, .count = count};
    if (type == ADG_TYPE_STRING) {
        uint64_t total = 0;
        for (uint32_t i = 0; i < count; i++) {
            total += values[entries[i]].as.text.size;
        }
        if (total > INT32_MAX) {
            return adg_fail(error, ADG_BAD_INPUT, "the texts of one field take more than 2 GiB");
        }
        char *bytes = adg_arena_alloc(arena, total + 1);
        uint32_t *offsets = adg_arena_array(arena, (size_t)count + 1, sizeof *offsets);
        if (bytes == NULL || offsets == NULL) {
            return adg_fail_memory(error);
        }
        uint32_t at = 0;
        for (uint32_t i = 0; i < count; i++) {
            const struct adg_value *value = &values[entries[i]];
            if (value->as.text.size > 0) {
                memcpy(bytes + at, value->as.text.bytes, value->as.text.size);
            }
            at += (uint32_t)value->as.text.size;
            offsets[i + 1] = at;
        }
        dictionary.values.text.bytes = bytes;
        dictionary.values.text.offsets = offsets;
    } else if (adg_type_is_int32(type)) {
        int32_t *stored = adg_arena_array(arena, (size_t)count + 1, sizeof *stored);
        if (stored == NULL) {
            return adg_fail_memory(error);
        }
        for (uint32_t i = 0; i < count; i++) {
            stored[i] = (int32_t)values[entries[i]].as.whole;
        }
        dictionary.values.i32 = stored;
    } else if (type == ADG_TYPE_DOUBLE) {
        double *stored = adg_arena_array(arena, (size_t)count + 1, sizeof *stored);
        if (stored == NULL) {
            return adg_fail_memory(error);
        }
        for (uint32_t i = 0; i < count; i++) {
            stored[i] = values[entries[i]].as.real;
        }
        dictionary.values.f64 = stored;
    } else {
        int64_t *stored = adg_arena_array(arena, (size_t)count + 1, sizeof *stored);
        if (stored == NULL) {
            return adg_fail_memory(error);
        }
        for (uint32_t i = 0; i < count; i++) {
            stored[i] = values[entries[i]].as.whole;
        }
        dictionary.values.i64 = stored;
    }
    *out = dictionary;
    return ADG_OK;
}

enum adg_status adg_value_dictionary(enum adg_type type, const struct adg_value *values, uint32_t count,
                                     struct adg_arena *arena, struct adg_dictionary *out, uint32_t *codes,
                                     struct adg_error *error)
{
    uint32_t *sorted = adg_alloc_array((size_t)count + 1, sizeof *sorted);
    if (sorted == NULL) {
        return adg_fail_memory(error);
    }
    uint32_t filled = 0;
    bool in_order = true; /* as metadata mostly are */
    for (uint32_t i = 0; i < count; i++) {
        if (!values[i].null) {
            in_order = in_order && (filled == 0 || compare_values(type, &values[sorted[filled - 1]], &values[i]) <= 0);
            sorted[filled++] = i;
        }
    }
    struct order order = {type, values};
    if (!in_order) {
        qsort_r(sorted, filled, sizeof *sorted, compare_indices, &order);
    }
    uint32_t entries = 0;
    for (uint32_t i = 0; i < filled; i++) {
        uint32_t value = sorted[i];
        if (entries == 0 || compare_values(type, &values[sorted[entries - 1]], &values[value]) != 0) {
            sorted[entries++] = value;
        }
        codes[value] = entries - 1;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (values[i].null) {
            codes[i] = entries;
        }
    }
    enum adg_status status = store_entries(type, values, sorted, entries, arena, out, error);
    adg_free(sorted);
    return status;
}
