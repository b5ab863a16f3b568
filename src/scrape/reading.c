/*
 * Values in SQL: see reading.h. Text is looked at by patterns before it is converted, so that no engine meets text that it
 * cannot convert, and none shows what it takes for a number beside what we do.
 */
#include "scrape/reading.h"

static const char *by_bytes(struct adg_sql *sql, const char *text)
{
    return ADG_SQL(sql, sql->dialect->by_bytes, text);
}

static const char *sign_of(struct adg_sql *sql, const char *text)
{
    return ADG_SQL(sql, "(case when $1 like '-%' then -1 else 1 end)", text);
}

/* ---- whole numbers ----------------------------------------------------------------------------------------------- */

static const char *between(struct adg_sql *sql, const char *value, const struct adg_field *field)
{
    return field->type == ADG_TYPE_INT32
               ? ADG_SQL(sql, "$1 between -2147483648 and 2147483647", value)
               : ADG_SQL(sql, "$1 between -9223372036854775808 and 9223372036854775807", value);
}

static const char *text_to_integer(struct adg_sql *sql, const char *text, const struct adg_field *field)
{
    const char *good = adg_sql_matches(sql, text, "[+-]?[0-9]+([.]0+)?");
    const char *digits = ADG_SQL(sql, "trim(leading '+-0' from split_part($1, '.', 1))", text);
    const char *sign = sign_of(sql, text);
    if (field->type == ADG_TYPE_INT32) {
        const char *value = ADG_SQL(sql, "$1 * cast('0' || $2 as bigint)", sign, digits);
        return ADG_SQL(sql, "case when $1 and length($2) <= 10 then case when $3 then $4 end end", good, digits,
                       between(sql, value, field), value);
    }
    return ADG_SQL(sql,
                   "case when $1 and length($2) <= 18 then $3 * cast('0' || $2 as bigint) "
                   "when $1 and length($2) = 19 then case when $3 * cast('0' || $2 as decimal(38,0)) between "
                   "-9223372036854775808 and 9223372036854775807 "
                   "then cast($3 * cast('0' || $2 as decimal(38,0)) as bigint) end end",
                   good, digits, sign);
}

static const char *real_to_integer(struct adg_sql *sql, const char *value, const struct adg_field *field)
{
    const char *low = field->type == ADG_TYPE_INT32 ? "-2147483648" : "-9223372036854775808";
    const char *end = field->type == ADG_TYPE_INT32 ? "2147483648" : "9223372036854775808";
    return ADG_SQL(sql,
                   "case when $1 >= cast('$2' as $4) and $1 < cast('$3' as $4) and floor($1) = $1 "
                   "then cast($1 as bigint) end",
                   value, low, end, sql->dialect->real);
}

static const char *read_integer(struct adg_sql *sql, const char *column, enum adg_result_kind kind,
                                const struct adg_field *field, const char *text)
{
    switch (kind) {
    case ADG_COLUMN_TEXT:
        return text_to_integer(sql, text, field);
    case ADG_COLUMN_INT:
        return field->type == ADG_TYPE_INT64
                   ? ADG_SQL(sql, "cast($1 as bigint)", column)
                   : ADG_SQL(sql, "case when $2 then cast($1 as bigint) end", column, between(sql, column, field));
    case ADG_COLUMN_DECIMAL:
        return ADG_SQL(sql, "case when $2 and floor($1) = $1 then cast($1 as bigint) end", column,
                       between(sql, column, field));
    case ADG_COLUMN_FLOAT:
        return real_to_integer(
            sql, ADG_SQL(sql, "cast(cast($1 as $2) as $3)", column, sql->dialect->text, sql->dialect->real), field);
    case ADG_COLUMN_DOUBLE:
        return real_to_integer(sql, column, field);
    default:
        return NULL;
    }
}

/* ---- other numbers ----------------------------------------------------------------------------------------------- */

static const char any_number[] = "[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?";

/* Minus zero is 0; what is not finite is nothing. */
static const char *finite(struct adg_sql *sql, const char *value)
{
    return ADG_SQL(sql, "case when $1 - $1 = 0 then $1 + 0 end", value);
}

static const char *read_double(struct adg_sql *sql, const char *column, enum adg_result_kind kind, const char *text)
{
    switch (kind) {
    case ADG_COLUMN_TEXT:
        return ADG_SQL(sql, "case when $1 then $2 end", adg_sql_matches(sql, text, any_number),
                       finite(sql, ADG_SQL(sql, sql->dialect->number, text)));
    case ADG_COLUMN_INT:
        return ADG_SQL(sql, "cast($1 as $2)", column, sql->dialect->real);
    case ADG_COLUMN_DECIMAL: /* by its digits, which is exact everywhere */
        return finite(sql, ADG_SQL(sql, "cast(cast($1 as $2) as $3)", column, sql->dialect->text, sql->dialect->real));
    case ADG_COLUMN_FLOAT:
        return finite(sql, ADG_SQL(sql, "cast($1 as $2)", column, sql->dialect->real));
    case ADG_COLUMN_DOUBLE:
        return finite(sql, column);
    default:
        return NULL;
    }
}

/* Digits before and behind the point, as many as the type has: exact, whatever an engine makes of its own decimals. */
static const char *digits_to_decimal(struct adg_sql *sql, const char *text, const char *whole, const char *behind,
                                     const struct adg_field *field)
{
    const char *high = ADG_SQL(sql, "trim(leading '0' from $1)", whole);
    const char *low = ADG_SQL(sql, "trim(trailing '0' from $1)", behind);
    return ADG_SQL(sql,
                   "case when length($1) <= $2 and length($3) <= $4 then "
                   "$5 * cast('0' || $1 || rpad($3, $4, '0') as bigint) end",
                   high, adg_sql_number(sql, (uint64_t)field->precision - field->scale), low,
                   adg_sql_number(sql, field->scale), sign_of(sql, text));
}

/* A point moved by an exponent of up to two digits, between a hundred zeros on either side. */
static const char *text_to_decimal(struct adg_sql *sql, const char *text, const struct adg_field *field)
{
    const char *digits = ADG_SQL(sql, "trim(leading '+-' from split_part(lower($1), 'e', 1))", text);
    const char *whole = ADG_SQL(sql, "split_part($1, '.', 1)", digits);
    const char *behind = ADG_SQL(sql, "split_part($1, '.', 2)", digits);
    const char *run = ADG_SQL(sql, "(repeat('0', 100) || $1 || $2 || repeat('0', 100))", whole, behind);
    const char *point = ADG_SQL(
        sql, "(100 + length($1) + cast(trim(leading '+' from split_part(lower($2), 'e', 2)) as integer))", whole, text);
    const char *moved = digits_to_decimal(sql, text, ADG_SQL(sql, "substr($1, 1, $2)", run, point),
                                          ADG_SQL(sql, "substr($1, $2 + 1)", run, point), field);
    return ADG_SQL(sql, "case when $1 then $2 when $3 then $4 when $5 then 0 end",
                   adg_sql_matches(sql, text, "[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)"),
                   digits_to_decimal(sql, text, whole, behind, field),
                   adg_sql_matches(sql, text, "[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)[eE][+-]?0*[0-9]{1,2}"), moved,
                   adg_sql_matches(sql, text, "[+-]?(0+[.]?0*|[.]0+)[eE][+-]?[0-9]+"));
}

static const char *read_decimal(struct adg_sql *sql, const char *column, enum adg_result_kind kind,
                                const struct adg_field *field, const char *text)
{
    switch (kind) {
    case ADG_COLUMN_TEXT:
        return text_to_decimal(sql, text, field);
    case ADG_COLUMN_INT:
    case ADG_COLUMN_DECIMAL:
    case ADG_COLUMN_FLOAT:
    case ADG_COLUMN_DOUBLE:
        return text_to_decimal(sql, ADG_SQL(sql, "cast($1 as $2)", column, sql->dialect->text), field);
    default:
        return NULL;
    }
}

/* ---- dates ------------------------------------------------------------------------------------------------------- */

/* The days that there are, in years 0001 to 9999. */
#define MONTH_AND_DAY                                                                                                  \
    "((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))"
#define LEAP_YEAR "([0-9][0-9](0[48]|[2468][048]|[13579][26])|(0[48]|[2468][048]|[13579][26])00)"
#define DAY "([0-9]{4}-" MONTH_AND_DAY "|" LEAP_YEAR "-02-29)"

static const char *is_day(struct adg_sql *sql, const char *text, const char *pattern)
{
    return ADG_SQL(sql, "$1 and $2 not like '0000%'", adg_sql_matches(sql, text, pattern), text);
}

static const char *micros_of(struct adg_sql *sql, const char *column, enum adg_result_kind kind)
{
    const char *micros = ADG_SQL(sql, kind == ADG_COLUMN_ZONED ? sql->dialect->zoned_micros : sql->dialect->micros,
                                 column);
    return ADG_SQL(sql,
                   "case when $1 between timestamp '0001-01-01 00:00:00' and timestamp '9999-12-31 23:59:59.999999' "
                   "then $2 end",
                   column, micros);
}

static const char *days_of(struct adg_sql *sql, const char *column)
{
    return ADG_SQL(sql, "case when $1 between date '0001-01-01' and date '9999-12-31' then $2 end", column,
                   ADG_SQL(sql, sql->dialect->days, column));
}

static const char *read_date(struct adg_sql *sql, const char *column, enum adg_result_kind kind, const char *text)
{
    switch (kind) {
    case ADG_COLUMN_TEXT:
        return ADG_SQL(sql, "case when $1 then $2 end", is_day(sql, text, DAY),
                       ADG_SQL(sql, sql->dialect->days, ADG_SQL(sql, "cast($1 as date)", text)));
    case ADG_COLUMN_DATE:
        return days_of(sql, column);
    case ADG_COLUMN_TIMESTAMP:
    case ADG_COLUMN_ZONED:
        return ADG_SQL(sql, "case when mod($1, 86400000000) = 0 then cast($1 / 86400000000 as bigint) end",
                       ADG_SQL(sql, "($1)", micros_of(sql, column, kind)));
    default:
        return NULL;
    }
}

static const char *read_timestamp(struct adg_sql *sql, const char *column, enum adg_result_kind kind, const char *text)
{
    switch (kind) {
    case ADG_COLUMN_TEXT:
        return ADG_SQL(sql,
                       "case when $1 then $2 * 86400000000 + (cast(substr($3, 12, 2) as bigint) * 3600 + "
                       "cast(substr($3, 15, 2) as bigint) * 60 + cast(substr($3, 18, 2) as bigint)) * 1000000 + "
                       "cast(rpad(substr($3, 21), 6, '0') as bigint) end",
                       is_day(sql, text, DAY "[ T]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,6})?"),
                       ADG_SQL(sql, sql->dialect->days, ADG_SQL(sql, "cast(substr($1, 1, 10) as date)", text)), text);
    case ADG_COLUMN_DATE:
        return ADG_SQL(sql, "($1) * 86400000000", days_of(sql, column));
    case ADG_COLUMN_TIMESTAMP:
    case ADG_COLUMN_ZONED:
        return micros_of(sql, column, kind);
    default:
        return NULL;
    }
}

/* ---- the rest ---------------------------------------------------------------------------------------------------- */

static const char *read_boolean(struct adg_sql *sql, const char *column, enum adg_result_kind kind, const char *text)
{
    switch (kind) {
    case ADG_COLUMN_TEXT:
        return ADG_SQL(sql, "cast(case when $1 = 'true' then 1 when $1 = 'false' then 0 end as bigint)",
                       by_bytes(sql, text));
    case ADG_COLUMN_BOOLEAN:
        return ADG_SQL(sql, "cast(case when $1 then 1 when not $1 then 0 end as bigint)", column);
    default:
        return NULL;
    }
}

/* What is stored as something else takes the text of a category, which is made here or, of numbers and dates, of the result. */
static const char *read_text(struct adg_sql *sql, const char *column, enum adg_result_kind kind, const char *text,
                             struct adg_reading *out)
{
    const char *decimal = ADG_SQL(sql, "cast($1 as $2)", column, sql->dialect->text);
    out->kind = ADG_SOURCE_TEXT;
    switch (kind) {
    case ADG_COLUMN_TEXT:
        return text;
    case ADG_COLUMN_BOOLEAN:
        return by_bytes(sql, ADG_SQL(sql, "case when $1 then 'true' when not $1 then 'false' end", column));
    case ADG_COLUMN_DECIMAL:
        return by_bytes(sql, ADG_SQL(sql,
                                     "case when $1 then trim(trailing '.' from trim(trailing '0' from $2)) "
                                     "when $3 then $2 end",
                                     adg_sql_matches(sql, decimal, "-?[0-9]+[.][0-9]+"), decimal,
                                     adg_sql_matches(sql, decimal, "-?[0-9]+")));
    case ADG_COLUMN_INT:
        out->kind = ADG_SOURCE_INT;
        return ADG_SQL(sql, "cast($1 as bigint)", column);
    case ADG_COLUMN_FLOAT:
    case ADG_COLUMN_DOUBLE:
        out->kind = ADG_SOURCE_DOUBLE;
        out->is_float = kind == ADG_COLUMN_FLOAT;
        return read_double(sql, column, kind, text);
    case ADG_COLUMN_DATE:
        out->kind = ADG_SOURCE_DATE;
        return days_of(sql, column);
    case ADG_COLUMN_TIMESTAMP:
    case ADG_COLUMN_ZONED:
        out->kind = ADG_SOURCE_TIMESTAMP;
        return micros_of(sql, column, kind);
    default:
        return NULL;
    }
}

void adg_reading_make(struct adg_sql *sql, const char *column, enum adg_result_kind kind, const struct adg_field *field,
                      struct adg_reading *out)
{
    const char *text = kind == ADG_COLUMN_TEXT
                           ? ADG_SQL(sql, "nullif($1, '')",
                                     by_bytes(sql, ADG_SQL(sql, "cast($1 as $2)", column, sql->dialect->text)))
                           : column;
    *out = (struct adg_reading){.kind = ADG_SOURCE_INT, .filled = text};
    bool is_text = field->type == ADG_TYPE_STRING;
    switch (field->type) {
    case ADG_TYPE_STRING:
        out->value = read_text(sql, column, kind, text, out);
        break;
    case ADG_TYPE_INT32:
    case ADG_TYPE_INT64:
        out->value = read_integer(sql, column, kind, field, text);
        break;
    case ADG_TYPE_DOUBLE:
        out->kind = ADG_SOURCE_DOUBLE;
        out->is_float = kind == ADG_COLUMN_FLOAT;
        out->value = read_double(sql, column, kind, text);
        break;
    case ADG_TYPE_DECIMAL:
        out->value = read_decimal(sql, column, kind, field, text);
        break;
    case ADG_TYPE_DATE:
        out->value = read_date(sql, column, kind, text);
        break;
    case ADG_TYPE_TIMESTAMP:
        out->value = read_timestamp(sql, column, kind, text);
        break;
    case ADG_TYPE_BOOLEAN:
        out->value = read_boolean(sql, column, kind, text);
        break;
    }
    out->can_fail = !(is_text && (kind == ADG_COLUMN_TEXT || kind == ADG_COLUMN_INT || kind == ADG_COLUMN_BOOLEAN)) &&
                    !(field->type == ADG_TYPE_INT64 && kind == ADG_COLUMN_INT);
    if (out->value == NULL) { /* a date for a number, say: nothing of it can be read */
        out->value = field->type == ADG_TYPE_DOUBLE ? ADG_SQL(sql, "cast(null as $1)", sql->dialect->real)
                                                    : "cast(null as bigint)";
    }
}

const char *adg_reading_text(struct adg_sql *sql, const struct adg_reading *reading)
{
    switch (reading->kind) {
    case ADG_SOURCE_TEXT:
        return reading->value;
    case ADG_SOURCE_DOUBLE: /* whole numbers as such, others as the engine writes them */
        return by_bytes(sql, ADG_SQL(sql,
                                     "case when floor($1) = $1 and abs($1) < 1000000000000000 "
                                     "then cast(cast($1 as bigint) as $2) else cast($1 as $2) end",
                                     ADG_SQL(sql, "($1)", reading->value), sql->dialect->text));
    default:
        return by_bytes(sql, ADG_SQL(sql, "cast($1 as $2)", reading->value, sql->dialect->text));
    }
}
