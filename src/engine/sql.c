/*
 * SQL made of pieces: see sql.h.
 */
#include "engine/sql.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* What a buffer holds, in the arena; the buffer is finished. */
static const char *keep(struct adg_sql *sql, struct adg_buffer *made)
{
    const char *text = NULL;
    if (sql->status == ADG_OK) {
        text = adg_arena_strndup(sql->arena, (const char *)made->data, made->size);
        sql->status = text == NULL ? adg_fail_memory(sql->error) : ADG_OK;
    }
    adg_buffer_fini(made);
    return text != NULL ? text : "";
}

const char *adg_sql_make(struct adg_sql *sql, const char *form, const char *const *texts)
{
    struct adg_buffer made = {0};
    if (sql->status == ADG_OK) {
        sql->status = adg_sql_fill(&made, form, texts, sql->error);
    }
    return keep(sql, &made);
}

const char *adg_sql_number(struct adg_sql *sql, int64_t number)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, number);
    return adg_sql_make(sql, text, NULL);
}

const char *adg_sql_name(struct adg_sql *sql, const char *name)
{
    struct adg_buffer made = {0};
    if (sql->status == ADG_OK) {
        sql->status = adg_dialect_identifier(sql->dialect, &made, name, strlen(name), sql->error);
    }
    return keep(sql, &made);
}

const char *adg_sql_table(struct adg_sql *sql, const char *name)
{
    struct adg_buffer made = {0};
    if (sql->status == ADG_OK) {
        sql->status = adg_dialect_table(sql->dialect, &made, name, sql->error);
    }
    return keep(sql, &made);
}

const char *adg_sql_quote(struct adg_sql *sql, const char *text)
{
    struct adg_buffer made = {0};
    if (sql->status == ADG_OK) {
        sql->status = adg_dialect_literal(sql->dialect, &made, text, sql->error);
    }
    return keep(sql, &made);
}

const char *adg_sql_matches(struct adg_sql *sql, const char *text, const char *pattern)
{
    const char *whole = ADG_SQL(sql, "$1$2$3", sql->dialect->before, pattern, sql->dialect->after);
    return ADG_SQL(sql, sql->dialect->matches, text, adg_sql_quote(sql, whole));
}

enum adg_status adg_engine_describe_table(struct adg_engine *engine, const char *source, struct adg_engine_result **out,
                                          struct adg_error *error)
{
    struct adg_arena arena = {0};
    struct adg_sql sql = {.dialect = adg_engine_dialect(engine), .arena = &arena, .error = error};
    const char *text = ADG_SQL(&sql, "select * from $1 where 1 = 0", adg_sql_table(&sql, source));
    enum adg_status status = sql.status == ADG_OK ? adg_engine_describe(engine, text, source, out, error) : sql.status;
    adg_arena_fini(&arena);
    return status;
}

enum adg_status adg_engine_has_table(struct adg_engine *engine, const char *source, bool *found,
                                     struct adg_error *error)
{
    struct adg_engine_result *result = NULL;
    bool no_table = false;
    enum adg_status status = adg_engine_describe_table(engine, source, &result, error);
    adg_engine_result_free(result);
    *found = status == ADG_OK;
    if (status != ADG_OK) {
        enum adg_status recovered = adg_engine_recover(engine, &no_table, NULL);
        status = no_table && recovered == ADG_OK ? ADG_OK : status;
    }
    return status;
}
