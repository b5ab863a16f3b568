/*
 * Tables in SQL: see ddl.h.
 */
#include "load/ddl.h"

#include <stdarg.h>

#include "engine/dialect.h"

enum adg_status adg_ddl_type(struct adg_buffer *sql, const struct adg_field *field, struct adg_error *error)
{
    static const char *const names[] = {
        [ADG_TYPE_STRING] = "text",    [ADG_TYPE_INT32] = "integer",
        [ADG_TYPE_INT64] = "bigint",   [ADG_TYPE_DOUBLE] = "double precision",
        [ADG_TYPE_DATE] = "date",      [ADG_TYPE_TIMESTAMP] = "timestamp without time zone",
        [ADG_TYPE_BOOLEAN] = "boolean"};
    return field->type == ADG_TYPE_DECIMAL
               ? adg_buffer_printf(sql, error, "numeric(%u,%u)", field->precision, field->scale)
               : adg_buffer_append_text(sql, names[field->type], error);
}

enum adg_status adg_ddl_columns(struct adg_buffer *sql, const struct adg_layout *layout, bool types,
                                struct adg_error *error)
{
    enum adg_status status = ADG_OK;
    for (uint32_t c = 0; c < layout->column_count && status == ADG_OK; c++) {
        const struct adg_field *field = layout->columns[c].field;
        status = adg_ddl_format(sql, error, "%s%n%s", c == 0 ? "(" : ", ", field->name, types ? " " : "");
        if (status == ADG_OK && types) {
            status = adg_ddl_type(sql, field, error);
        }
    }
    return status == ADG_OK ? adg_buffer_append_text(sql, ")", error) : status;
}

enum adg_status adg_ddl_name(struct adg_buffer *sql, const char *schema, const char *name, struct adg_error *error)
{
    return schema == NULL ? adg_ddl_format(sql, error, "%n", name) : adg_ddl_format(sql, error, "%n.%n", schema, name);
}

enum adg_status adg_ddl_format(struct adg_buffer *sql, struct adg_error *error, const char *form, ...)
{
    const struct adg_dialect *dialect = adg_dialect_find(
        "postgresql"); /* no other writes names and literals otherwise */
    enum adg_status status = ADG_OK;
    va_list arguments;
    va_start(arguments, form);
    while (*form != '\0' && status == ADG_OK) {
        if (*form != '%') {
            size_t length = strcspn(form, "%");
            status = adg_buffer_append(sql, form, length, error);
            form += length;
            continue;
        }
        const char *text = va_arg(arguments, const char *);
        status = form[1] == 'n'   ? adg_dialect_identifier(dialect, sql, text, strlen(text), error)
                 : form[1] == 'l' ? adg_dialect_literal(dialect, sql, text, error)
                                  : adg_buffer_append_text(sql, text, error);
        form += 2;
    }
    va_end(arguments);
    return status;
}
