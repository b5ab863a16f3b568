/*
 * SQL made of pieces in a dialect, and the tables of a database by their qualified names.
 *
 *     struct adg_sql sql = {.dialect = adg_engine_dialect(engine), .arena = &arena, .error = error};
 *     const char *text = ADG_SQL(&sql, "select count($1) from $2", adg_sql_name(&sql, "A"), adg_sql_table(&sql, "s.t"));
 *     if (sql.status == ADG_OK) ...
 */
#ifndef ADG_ENGINE_SQL_H
#define ADG_ENGINE_SQL_H

#include "core/arena.h"
#include "engine/engine.h"

/* Makes texts in an arena. The first failure is kept, and what is made after it is empty. */
struct adg_sql {
    const struct adg_dialect *dialect;
    struct adg_arena *arena;
    enum adg_status status;
    struct adg_error *error;
};

const char *adg_sql_make(struct adg_sql *sql, const char *form, const char *const *texts);
/* A template with $1 to $9 from the texts behind it. */
#define ADG_SQL(sql, form, ...) adg_sql_make(sql, form, (const char *const[]){__VA_ARGS__, NULL})

const char *adg_sql_number(struct adg_sql *sql, int64_t number);
/* A name as identifier, a qualified name, a text as literal. */
const char *adg_sql_name(struct adg_sql *sql, const char *name);
const char *adg_sql_table(struct adg_sql *sql, const char *name);
const char *adg_sql_quote(struct adg_sql *sql, const char *text);
/* Whether all of a text matches a pattern. */
const char *adg_sql_matches(struct adg_sql *sql, const char *text, const char *pattern);

/* The columns of a table as names and types; the caller frees the result. `source` is for messages, too: it lives as long. */
ADG_MUST_CHECK enum adg_status adg_engine_describe_table(struct adg_engine *engine, const char *source,
                                                         struct adg_engine_result **out, struct adg_error *error);
/* Whether the database has such a table. */
ADG_MUST_CHECK enum adg_status adg_engine_has_table(struct adg_engine *engine, const char *source, bool *found,
                                                    struct adg_error *error);

#endif
