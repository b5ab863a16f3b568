/*
 * What a database says of a table: see catalog.h.
 */
#include "migrate/catalog.h"

#include <string.h>
#include <strings.h>

#include "load/ddl.h"
#include "migrate/pieces.h"

/* $1: the table; $2: the new one's name until it has its own; $3: the backup's. Texts; a truth is 'true'. */
enum { SCHEMA, CREATES, KIND, MINE, RESTS, KEY, KEY_NAME, COMMENT, OWNER, FRESH, BACKUP, FACTS };

static const char duckdb_facts[] =
    "select current_schema(), 'true', (select case table_type when 'BASE TABLE' then 'r' else 'v' end from here where "
    "n = $1), "
    "'true', 'false', (select case when len(constraint_column_names) = 1 then constraint_column_names[1] end "
    "from duckdb_constraints() where constraint_type = 'PRIMARY KEY' and database_name = current_database() and "
    "schema_name = current_schema() and lower(table_name) = $1), cast(null as varchar), (select comment from "
    "duckdb_tables() where database_name = current_database() and schema_name = current_schema() and "
    "lower(table_name) = $1), cast(null as varchar), cast(exists (from here where n = $2) as varchar), "
    "cast(exists (from here where n = $3) as varchar) from (select 1)";
static const char duckdb_here[] = "with here as (select lower(table_name) as n, table_type from "
                                  "information_schema.tables where table_catalog = current_database() and "
                                  "table_schema = current_schema()) ";

static const char postgresql_facts[] =
    "select cast(current_schema() as text), cast(has_schema_privilege(current_schema(), 'CREATE') as text), "
    "cast(c.relkind as text), cast(pg_has_role(c.relowner, 'USAGE') as text), "
    "cast(exists (select from pg_catalog.pg_depend d where d.refclassid = cast('pg_catalog.pg_class' as regclass) and "
    "d.refobjid = c.oid and d.classid = cast('pg_catalog.pg_rewrite' as regclass)) or exists (select from "
    "pg_catalog.pg_constraint k where k.confrelid = c.oid and k.conrelid <> c.oid) or exists (select from "
    "pg_catalog.pg_inherits i where c.oid in (i.inhparent, i.inhrelid)) as text), "
    "(select cast(a.attname as text) from pg_catalog.pg_attribute a where a.attrelid = c.oid and array[a.attnum] = "
    "k.conkey), cast(k.conname as text), obj_description(c.oid, 'pg_class'), case when pg_get_userbyid(c.relowner) <> "
    "current_user then cast(pg_get_userbyid(c.relowner) as text) end, "
    "cast(exists (select from pg_catalog.pg_class o where o.relnamespace = n.oid and o.relname = $2) as text), "
    "cast(exists (select from pg_catalog.pg_class o where o.relnamespace = n.oid and o.relname = $3) as text) "
    "from (select 1) one left join pg_catalog.pg_namespace n on n.nspname = current_schema() "
    "left join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = $1 "
    "left join pg_catalog.pg_constraint k on k.conrelid = c.oid and k.contype = 'p'";
static const char postgresql_columns[] =
    "select cast(a.attname as text), format_type(a.atttypid, a.atttypmod) from pg_catalog.pg_attribute a "
    "join pg_catalog.pg_class c on c.oid = a.attrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace "
    "where n.nspname = current_schema() and c.relname = $1 and a.attnum > 0 and not a.attisdropped order by a.attnum";

static const char sqlite_facts[] =
    "select '', 'true', (select case type when 'table' then 'r' else 'v' end from sqlite_master where name = $1 "
    "collate nocase "
    "and type in ('table', 'view')), 'true', 'false', (select case when count(*) = 1 then max(name) end from "
    "pragma_table_info($1) where pk > 0), null, null, null, case when exists (select 1 from sqlite_master where name = "
    "$2 collate nocase) then 'true' else 'false' end, case when exists (select 1 from sqlite_master where name = $3 "
    "collate nocase) then 'true' else 'false' end";
static const char sqlite_columns[] = "select name, type from pragma_table_info($1) order by cid";

/* ---- asking ------------------------------------------------------------------------------------------------------ */

enum adg_status adg_catalog_find(struct adg_engine *engine, const char *shown, enum adg_catalog *out,
                                 struct adg_error *error)
{
    static const struct {
        const char *query;
        enum adg_catalog catalog;
    } questions[] = {{"select pg_backend_pid()", ADG_CATALOG_POSTGRESQL},
                     {"select sqlite_version()", ADG_CATALOG_SQLITE}};
    for (size_t i = 0; i < sizeof questions / sizeof questions[0]; i++) {
        struct adg_engine_result *result = NULL;
        struct adg_error ignored;
        bool has_row = false;
        enum adg_status status = adg_engine_query(engine, questions[i].query, "asking what it is", &result, &ignored);
        status = status == ADG_OK ? adg_engine_next(result, &has_row, &ignored) : status;
        adg_engine_result_free(result);
        if (status == ADG_OK) {
            *out = questions[i].catalog;
            return ADG_OK;
        }
        status = adg_engine_rollback(engine, error);
        if (status != ADG_OK) {
            return status;
        }
    }
    return adg_fail(error, ADG_FAILED,
                    "%s: tables are converted in DuckDB, PostgreSQL and SQLite; generate those of others anew", shown);
}

static const char *text_of(const struct adg_engine_result *result, uint32_t column, struct adg_arena *arena, bool *good)
{
    if (adg_engine_is_null(result, column)) {
        return NULL;
    }
    struct adg_span text = adg_engine_text(result, column);
    const char *copy = adg_arena_strndup(arena, (const char *)text.data, text.size);
    *good = *good && copy != NULL;
    return copy;
}

static bool is_true(const char *text)
{
    return text != NULL && strcmp(text, "true") == 0;
}

/* The one row of facts. */
static enum adg_status take_facts(const struct adg_engine_result *result, struct adg_arena *arena,
                                  struct adg_catalog_table *out, struct adg_error *error)
{
    const char *facts[FACTS];
    bool good = true;
    for (uint32_t i = 0; i < FACTS; i++) {
        facts[i] = text_of(result, i, arena, &good);
    }
    *out = (struct adg_catalog_table){.schema = facts[SCHEMA],
                                      .creates = is_true(facts[CREATES]),
                                      .exists = facts[KIND] != NULL,
                                      .is_table = facts[KIND] != NULL && strcmp(facts[KIND], "r") == 0,
                                      .mine = is_true(facts[MINE]),
                                      .rests = is_true(facts[RESTS]),
                                      .key = facts[KEY],
                                      .key_name = facts[KEY_NAME],
                                      .comment = facts[COMMENT],
                                      .owner = facts[OWNER],
                                      .fresh_taken = is_true(facts[FRESH]),
                                      .backup_taken = is_true(facts[BACKUP])};
    return good ? ADG_OK : adg_fail_memory(error);
}

enum adg_status adg_catalog_look(struct adg_engine *engine, enum adg_catalog catalog, const char *name,
                                 const char *fresh, const char *backup, struct adg_arena *arena,
                                 struct adg_catalog_table *out, struct adg_error *error)
{
    static const char *const facts[] = {[ADG_CATALOG_DUCKDB] = duckdb_facts,
                                        [ADG_CATALOG_POSTGRESQL] = postgresql_facts,
                                        [ADG_CATALOG_SQLITE] = sqlite_facts};
    struct adg_sql sql = {.dialect = adg_dialect_find("postgresql"), .arena = arena, .error = error};
    struct adg_engine_result *result = NULL;
    bool has_row = false;
    const char *form = catalog == ADG_CATALOG_DUCKDB ? "lower($1)" : "$1";
    const char *text = ADG_SQL(&sql, facts[catalog], ADG_SQL(&sql, form, adg_sql_quote(&sql, name)),
                               ADG_SQL(&sql, form, adg_sql_quote(&sql, fresh)),
                               ADG_SQL(&sql, form, adg_sql_quote(&sql, backup)));
    if (catalog == ADG_CATALOG_DUCKDB) {
        text = ADG_SQL(&sql, "$1$2", duckdb_here, text);
    }
    enum adg_status status = sql.status == ADG_OK
                                 ? adg_engine_query(engine, text, "looking for the table", &result, error)
                                 : sql.status;
    status = status == ADG_OK ? adg_engine_next(result, &has_row, error) : status;
    if (status == ADG_OK && has_row) {
        status = take_facts(result, arena, out, error);
    }
    adg_engine_result_free(result);
    return status;
}

/* All rows of one or two texts. */
static enum adg_status take_rows(struct adg_engine *engine, const char *text, const char *doing, uint32_t columns,
                                 struct adg_arena *arena, const char **out[2], uint32_t *count, struct adg_error *error)
{
    struct adg_engine_result *result = NULL;
    uint32_t room = 0;
    bool more = true, good = true;
    *count = 0;
    enum adg_status status = adg_engine_query(engine, text, doing, &result, error);
    while (status == ADG_OK) {
        status = adg_engine_next(result, &more, error);
        if (status != ADG_OK || !more) {
            break;
        }
        for (uint32_t c = 0; c < columns && good && *count == room; c++) {
            const char **larger = adg_arena_array(arena, 2 * (size_t)room + 64, sizeof *larger);
            good = larger != NULL;
            if (good && room > 0) {
                memcpy((void *)larger, (const void *)out[c], room * sizeof *larger);
            }
            out[c] = larger;
        }
        room = *count == room ? 2 * room + 64 : room;
        for (uint32_t c = 0; c < columns && good; c++) {
            out[c][*count] = text_of(result, c, arena, &good);
        }
        *count += 1;
        status = good ? ADG_OK : adg_fail_memory(error);
    }
    adg_engine_result_free(result);
    return status;
}

enum adg_status adg_catalog_columns(struct adg_engine *engine, enum adg_catalog catalog, const char *name,
                                    struct adg_arena *arena, struct adg_catalog_table *out, struct adg_error *error)
{
    struct adg_sql sql = {.dialect = adg_dialect_find("postgresql"), .arena = arena, .error = error};
    const char **found[2] = {NULL, NULL};
    const char *text = ADG_SQL(&sql, catalog == ADG_CATALOG_SQLITE ? sqlite_columns : postgresql_columns,
                               adg_sql_quote(&sql, name));
    enum adg_status status = sql.status == ADG_OK ? take_rows(engine, text, "looking at the table's columns", 2, arena,
                                                              found, &out->column_count, error)
                                                  : sql.status;
    out->columns = found[0];
    out->types = found[1];
    return status;
}

enum adg_status adg_catalog_grants(struct adg_engine *engine, const char *from, const char *to, struct adg_arena *arena,
                                   const char ***out, uint32_t *count, struct adg_error *error)
{
    struct adg_sql sql = {.dialect = adg_dialect_find("postgresql"), .arena = arena, .error = error};
    const char **found[2] = {NULL, NULL};
    const char *text = ADG_SQL(
        &sql,
        "select format('grant %s on table %I.%I to %s%s', x.privilege_type, current_schema(), $2, "
        "case when x.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(x.grantee)) end, "
        "case when x.is_grantable then ' with grant option' else '' end) from pg_catalog.pg_class c "
        "join pg_catalog.pg_namespace n on n.oid = c.relnamespace cross join lateral aclexplode(c.relacl) x "
        "where n.nspname = current_schema() and c.relname = $1 and x.grantee <> c.relowner",
        adg_sql_quote(&sql, from), adg_sql_quote(&sql, to));
    enum adg_status status = sql.status == ADG_OK ? take_rows(engine, text, "looking at the table's privileges", 1,
                                                              arena, found, count, error)
                                                  : sql.status;
    *out = found[0];
    return status;
}

/* ---- columns ----------------------------------------------------------------------------------------------------- */

enum adg_status adg_catalog_is_current(const struct adg_catalog_table *table, const struct adg_dataset *dataset,
                                       bool *out, struct adg_error *error)
{
    struct adg_buffer type = {0};
    enum adg_status status = ADG_OK;
    *out = table->column_count == dataset->field_count;
    for (uint32_t i = 0; i < dataset->field_count && *out && status == ADG_OK; i++) {
        type.size = 0;
        status = adg_ddl_type(&type, &dataset->fields[i], error);
        const char *wanted = status == ADG_OK ? adg_buffer_text(&type) : NULL;
        if (status == ADG_OK && wanted == NULL) {
            status = adg_fail_memory(error);
        }
        *out = status == ADG_OK && strcmp(table->columns[i], dataset->fields[i].name) == 0 && table->types[i] != NULL &&
               strcasecmp(table->types[i], wanted) == 0;
    }
    adg_buffer_fini(&type);
    return status;
}

/* Types that drivers give as they are, and that keep every value so. */
static bool is_plain(const char *type)
{
    static const char *const plain[] = {"text",
                                        "character varying",
                                        "boolean",
                                        "smallint",
                                        "integer",
                                        "bigint",
                                        "real",
                                        "double precision",
                                        "date",
                                        "timestamp without time zone",
                                        "timestamp with time zone"};
    size_t length = strcspn(type, "("); /* of "character varying(10)" */
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        if (strlen(plain[i]) == length && strncmp(type, plain[i], length) == 0) {
            return true;
        }
    }
    return false;
}

/* SQLite: a column of this type turns what it can into floating point. */
static bool is_real(const char *type)
{
    return strcasestr(type, "REAL") != NULL || strcasestr(type, "FLOA") != NULL || strcasestr(type, "DOUB") != NULL;
}

/* A column that holds values of any type, as text; a number with all its digits. */
static const char *sqlite_value(struct adg_sql *sql, const char *column, const char *type)
{
    return type != NULL && is_real(type)
               ? column
               : ADG_SQL(sql, "case typeof($1) when 'real' then format('%!.17g', $1) else cast($1 as text) end",
                         column);
}

enum adg_status adg_catalog_query(enum adg_catalog catalog, const struct adg_catalog_table *table, const char *name,
                                  const struct adg_dataset *dataset, struct adg_sql *sql, const char **query,
                                  const char **relation)
{
    const bool sqlite = catalog == ADG_CATALOG_SQLITE;
    const char *list = sqlite ? "0 as adg_first" : "", *first = "1 as adg_first";
    for (uint32_t i = 0; i < table->column_count; i++) {
        const char *column = adg_sql_name(sql, table->columns[i]), *type = table->types[i];
        const char *value = adg_dataset_find_field(dataset, table->columns[i]) < 0 ? "cast(null as text)"
                            : sqlite                                               ? sqlite_value(sql, column, type)
                            : is_plain(type)                                       ? column
                                             : ADG_SQL(sql, "cast($1 as text)", column);
        list = ADG_SQL(sql, list[0] != '\0' ? "$1, $2 as $3" : "$2 as $3", list, value, column);
        first = ADG_SQL(sql, "$1, $2 as $3", first, sqlite && type != NULL && is_real(type) ? "0.5" : "''", column);
    }
    *query = ADG_SQL(sql, "select $1 from $2", list, adg_sql_name(sql, name));
    *relation = ADG_PIECE;
    if (sqlite) { /* its driver knows a column's type by the first values: a row of their types goes ahead */
        *query = ADG_SQL(sql, "select $1 union all $2", first, *query);
        *relation = "(select * exclude (adg_first) from " ADG_PIECE " where adg_first = 0)";
    }
    return sql->status;
}
