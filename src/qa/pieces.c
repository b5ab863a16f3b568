/*
 * Pieces of SQL that checks are made of, in the dialect of the engine that has the rows.
 */
#include "qa/internal.h"

const char *adg_qa_real(struct adg_qa_context *context, const char *value)
{
    struct adg_sql *sql = &context->sql;
    return ADG_SQL(sql, "cast($1 as $2)", value, sql->dialect->real);
}

const char *adg_qa_days(struct adg_qa_context *context, const char *column)
{
    return ADG_SQL(&context->sql, context->sql.dialect->days, column);
}

const char *adg_qa_valid(struct adg_qa_context *context, uint32_t field)
{
    const struct adg_coherence *coherence = &context->dataset->coherence;
    const char *column = context->rows.columns[field];
    struct adg_sql *sql = &context->sql;
    if (context->dataset->fields[field].type == ADG_TYPE_STRING) {
        return ADG_SQL(
            sql, "case when $1 then cast(substr($2, 1, 2) as integer) * 60 + cast(substr($2, 3, 2) as integer) end",
            adg_sql_matches(sql, column, "([01][0-9]|2[0-3])[0-5][0-9]"), column);
    }
    const char *days = adg_qa_days(context, column), *invalid = "";
    for (uint32_t i = 0; i < coherence->invalid_date_count; i++) {
        invalid = ADG_SQL(sql, i > 0 ? "$1, $2" : "$2", invalid, adg_sql_number(sql, coherence->invalid_dates[i]));
    }
    return coherence->invalid_date_count == 0 ? days
                                              : ADG_SQL(sql, "case when $1 not in ($2) then $1 end", days, invalid);
}

const char *adg_qa_month(struct adg_qa_context *context, const char *column)
{
    struct adg_sql *sql = &context->sql;
    const char *first = ADG_SQL(sql, "cast(substr($1, 3, 4) || '-' || substr($1, 1, 2) || '-01' as date)", column);
    return ADG_SQL(sql, "case when $1 and substr($2, 3, 4) <> '0000' then $3 end",
                   adg_sql_matches(sql, column, "(0[1-9]|1[0-2])[0-9]{4}"), column, adg_qa_days(context, first));
}

const char *adg_qa_filled(struct adg_qa_context *context, uint32_t field)
{
    struct adg_sql *sql = &context->sql;
    const char *column = context->rows.columns[field], *none = "";
    for (uint32_t i = 0; i < context->dataset->placeholder_count; i++) {
        none = ADG_SQL(sql, i > 0 ? "$1, $2" : "$2", none, adg_sql_quote(sql, context->dataset->placeholders[i]));
    }
    return context->dataset->placeholder_count == 0
               ? ADG_SQL(sql, "($1 is not null)", column)
               : ADG_SQL(sql, "($1 is not null and trim(both ' \t\n\r' from $1) not in ($2))", column, none);
}

const char *adg_qa_value(struct adg_qa_context *context, uint32_t field)
{
    const char *column = context->rows.columns[field];
    struct adg_sql *sql = &context->sql;
    switch (context->dataset->fields[field].type) {
    case ADG_TYPE_DECIMAL: /* the digits of a fixed-point number */
        return ADG_SQL(sql, "cast(floor($1) as bigint)", adg_qa_scaled(context, field));
    case ADG_TYPE_INT32:
    case ADG_TYPE_INT64:
        return ADG_SQL(sql, "cast($1 as bigint)", column);
    case ADG_TYPE_DATE:
        return adg_qa_days(context, column);
    case ADG_TYPE_TIMESTAMP:
        return ADG_SQL(sql, context->rows.zoned[field] ? sql->dialect->zoned_micros : sql->dialect->micros, column);
    case ADG_TYPE_STRING:
    case ADG_TYPE_DOUBLE:
    case ADG_TYPE_BOOLEAN:
        break;
    }
    return column;
}

const char *adg_qa_scaled(struct adg_qa_context *context, uint32_t field)
{
    int64_t power = 1;
    for (unsigned i = 0; i < context->dataset->fields[field].scale; i++) {
        power *= 10;
    }
    return ADG_SQL(&context->sql, "($1 * $2)", context->rows.columns[field], adg_sql_number(&context->sql, power));
}

enum adg_status adg_qa_count(struct adg_qa_context *context, const char *query, const char *doing, uint64_t *out,
                             struct adg_error *error)
{
    struct adg_engine_result *result = NULL;
    bool has_row = false;
    enum adg_status status = context->sql.status;
    if (status == ADG_OK) {
        status = adg_engine_query(context->engine, query, doing, &result, error);
    }
    if (status == ADG_OK) {
        status = adg_engine_next(result, &has_row, error);
    }
    if (status == ADG_OK) {
        *out = has_row && !adg_engine_is_null(result, 0) ? (uint64_t)adg_engine_int(result, 0) : 0;
    }
    adg_engine_result_free(result);
    return status;
}
