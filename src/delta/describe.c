/*
 * Schema and statistics: see describe.h. Statistics are written here and not by jansson, whose numbers are integers and doubles: a
 * decimal of 18 digits is neither.
 */
#include "delta/describe.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/date.h"
#include "core/number.h"

static enum adg_delta_kind kind_of(enum adg_type type)
{
    switch (type) {
    case ADG_TYPE_STRING:
        return ADG_DELTA_TEXT;
    case ADG_TYPE_INT32:
    case ADG_TYPE_INT64:
        return ADG_DELTA_INTEGER;
    case ADG_TYPE_DOUBLE:
        return ADG_DELTA_DOUBLE;
    case ADG_TYPE_DECIMAL:
        return ADG_DELTA_DECIMAL;
    case ADG_TYPE_DATE:
        return ADG_DELTA_DATE;
    case ADG_TYPE_TIMESTAMP:
    case ADG_TYPE_BOOLEAN:
        break;
    }
    return ADG_DELTA_NONE;
}

void adg_delta_column_of(const struct adg_field *field, char type[24], struct adg_delta_column *out)
{
    adg_type_format(field, type); /* the definition's names of types are Delta's */
    *out = (struct adg_delta_column){
        .name = field->name, .type = type, .kind = kind_of(field->type), .scale = field->scale};
}

/* Appends a text as JSON has it; *written is false, and nothing appended, when it is no UTF-8. */
static enum adg_status append_text(struct adg_buffer *out, struct adg_span text, bool *written, struct adg_error *error)
{
    json_t *value = json_stringn((const char *)text.data, text.size);
    char *dumped = value != NULL ? json_dumps(value, JSON_ENCODE_ANY) : NULL;
    enum adg_status status = dumped != NULL ? adg_buffer_append_text(out, dumped, error) : ADG_OK;
    *written = dumped != NULL;
    free(dumped); /* jansson's own memory */
    json_decref(value);
    return status;
}

static enum adg_status append_name(struct adg_buffer *out, const char *name, struct adg_error *error)
{
    bool written;
    enum adg_status status = append_text(out, (struct adg_span){(const uint8_t *)name, strlen(name)}, &written, error);
    return status == ADG_OK && !written ? adg_fail_memory(error) : status; /* names of a definition are ASCII */
}

enum adg_status adg_delta_schema_append(struct adg_buffer *out, const struct adg_delta_column *columns, uint32_t count,
                                        struct adg_error *error)
{
    enum adg_status status = adg_buffer_append_text(out, "{\"type\":\"struct\",\"fields\":[", error);
    for (uint32_t i = 0; i < count && status == ADG_OK; i++) {
        status = adg_buffer_append_text(out, i > 0 ? ",{\"name\":" : "{\"name\":", error);
        if (status == ADG_OK) {
            status = append_name(out, columns[i].name, error);
        }
        if (status == ADG_OK) {
            status = adg_buffer_printf(out, error, ",\"type\":\"%s\",\"nullable\":true,\"metadata\":{}}",
                                       columns[i].type);
        }
    }
    return status == ADG_OK ? adg_buffer_append_text(out, "]}", error) : status;
}

/* ---- bounds ------------------------------------------------------------------------------------------------------ */

static enum adg_status append_decimal(struct adg_buffer *out, int64_t value, uint8_t scale, struct adg_error *error)
{
    char digits[24];
    uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    int count = snprintf(digits, sizeof digits, "%0*" PRIu64, scale + 1, size);
    return adg_buffer_printf(out, error, "%s%.*s%s%s", value < 0 ? "-" : "", count - scale, digits,
                             scale > 0 ? "." : "", digits + count - scale);
}

static bool has_year(int32_t days)
{
    int year;
    unsigned month, day;
    adg_date_to_civil(days, &year, &month, &day);
    return year >= 1 && year <= 9999;
}

static enum adg_status append_value(struct adg_buffer *out, const struct adg_delta_column *column,
                                    const struct adg_delta_value *value, bool *written, struct adg_error *error)
{
    char date[10], number[ADG_NUMBER_TEXT_BYTES];
    *written = true;
    switch (column->kind) {
    case ADG_DELTA_TEXT:
        return append_text(out, value->text, written, error);
    case ADG_DELTA_INTEGER:
        return adg_buffer_printf(out, error, "%" PRId64, value->integer);
    case ADG_DELTA_DECIMAL:
        return append_decimal(out, value->integer, column->scale, error);
    case ADG_DELTA_DOUBLE:
        *written = isfinite(value->number); /* not by printf: a host that sets a locale would have a comma */
        return *written ? adg_buffer_append(out, number, adg_double_format(value->number, number), error) : ADG_OK;
    case ADG_DELTA_DATE:
        *written = has_year((int32_t)value->integer);
        if (*written) {
            adg_date_format((int32_t)value->integer, date);
        }
        return *written ? adg_buffer_printf(out, error, "\"%.10s\"", date) : ADG_OK;
    case ADG_DELTA_NONE:
        break;
    }
    *written = false;
    return ADG_OK;
}

/* Of all columns that have it, the smaller or the larger bound. */
static enum adg_status append_bounds(struct adg_buffer *out, const struct adg_delta_column *columns, uint32_t count,
                                     const struct adg_delta_statistics *statistics, bool largest,
                                     struct adg_error *error)
{
    enum adg_status status = ADG_OK;
    bool first = true;
    for (uint32_t i = 0; i < count && status == ADG_OK; i++) {
        size_t before = out->size;
        bool written = false;
        if (!statistics[i].known) {
            continue;
        }
        status = first ? ADG_OK : adg_buffer_append_text(out, ",", error);
        if (status == ADG_OK) {
            status = append_name(out, columns[i].name, error);
        }
        if (status == ADG_OK) {
            status = adg_buffer_append_text(out, ":", error);
        }
        if (status == ADG_OK) {
            status = append_value(out, &columns[i], largest ? &statistics[i].max : &statistics[i].min, &written, error);
        }
        if (written) {
            first = false;
        } else {
            out->size = before;
        }
    }
    return status;
}

enum adg_status adg_delta_statistics_append(struct adg_buffer *out, const struct adg_delta_column *columns,
                                            uint32_t count, uint64_t rows,
                                            const struct adg_delta_statistics *statistics, struct adg_error *error)
{
    enum adg_status status = adg_buffer_printf(out, error, "{\"numRecords\":%" PRIu64 ",\"minValues\":{", rows);
    if (status == ADG_OK) {
        status = append_bounds(out, columns, count, statistics, false, error);
    }
    if (status == ADG_OK) {
        status = adg_buffer_append_text(out, "},\"maxValues\":{", error);
    }
    if (status == ADG_OK) {
        status = append_bounds(out, columns, count, statistics, true, error);
    }
    if (status == ADG_OK) {
        status = adg_buffer_append_text(out, "},\"nullCount\":{", error);
    }
    for (uint32_t i = 0; i < count && status == ADG_OK; i++) {
        status = i > 0 ? adg_buffer_append_text(out, ",", error) : ADG_OK;
        if (status == ADG_OK) {
            status = append_name(out, columns[i].name, error);
        }
        if (status == ADG_OK) {
            status = adg_buffer_printf(out, error, ":%" PRIu64, statistics[i].nulls);
        }
    }
    return status == ADG_OK ? adg_buffer_append_text(out, "}}", error) : status;
}
