/*
 * The table of dialects: see dialect.h.
 */
#include "engine/dialect.h"

/* PostgreSQL refuses a number that is out of a double's range, also one that is too small. As numeric, which holds all numbers of
 * up to 4,000 characters and four digits of exponent, it can be compared first. */
#define POSTGRESQL_NUMBER                                                                                              \
    "(case when length($1) <= 4000 and $1 ~ '^[^eE]+([eE][+-]?0*[0-9]{1,4})?$' then "                                  \
    "case when abs(cast($1 as numeric)) >= 1.7976931348623158079e308 then null "                                       \
    "when abs(cast($1 as numeric)) <= 2.4703282292062327208e-324 then cast(0 as double precision) "                    \
    "else cast($1 as double precision) end "                                                                           \
    "when $1 !~ '^[^eE]*[1-9]' or $1 ~ '[eE]-' then cast(0 as double precision) end)"

/* Names in quotes, as adg_dialect_table writes them; those of any case are the same. */
#define DUCKDB_COMMENT                                                                                                 \
    "select comment from (select comment, schema_name = current_schema() as near, "                                    \
    "'\"' || replace(lower(database_name), '\"', '\"\"') || '\".' as d, "                                              \
    "'\"' || replace(lower(schema_name), '\"', '\"\"') || '\".' as s, "                                                \
    "'\"' || replace(lower(table_name), '\"', '\"\"') || '\"' as t from duckdb_tables()) "                             \
    "where lower($1) in (s || t, d || s || t) or (near and lower($1) = t)"

static const struct adg_dialect dialects[] = {
    {
        .name = "duckdb",
        .quote = '"',
        .text = "varchar",
        .real = "double",
        .by_bytes = "($1 collate c)",
        .byte_order = "$1",
        .size = "strlen($1)",
        .matches = "regexp_full_match($1, $2)",
        .before = "",
        .after = "",
        .number = "try_cast($1 as double)",
        .bit = "(1::bigint << cast(hash($1) % 62 as bigint))",
        .bits = "bit_count($1)",
        .joined = "string_agg($1, '' order by $1)",
        .days = "date_diff('day', date '1970-01-01', $1)",
        .micros = "epoch_us(cast($1 as timestamp))",
        .zoned_micros = "epoch_us($1)",
        .item = "($1, $2)",
        .items = "(select x.f, x.v, s.b, s.p from $1 s cross join lateral (values $3) x(f, v)) u",
        .comment = DUCKDB_COMMENT,
        .at_once = 1,
        .session = {NULL},
    },
    {
        .name = "postgresql",
        .quote = '"',
        .text = "text",
        .real = "double precision",
        .by_bytes = "($1 collate \"C\")",
        .byte_order = "convert_to($1, 'UTF8')",
        .size = "octet_length(convert_to($1, 'UTF8'))",
        .matches = "($1 ~ $2)",
        .before = "^(?:",
        .after = ")$",
        .number = POSTGRESQL_NUMBER,
        .bit = "(cast(1 as bigint) << cast(mod(hashtextextended($1, 0) & 9223372036854775807, 62) as integer))",
        .bits = "length(replace(cast(cast($1 as bit(64)) as text), '0', ''))",
        .joined = "string_agg($1, '' order by $1 collate \"C\")",
        .days = "cast($1 - date '1970-01-01' as bigint)",
        .micros = "cast(extract(epoch from $1) * 1000000 as bigint)",
        .zoned_micros = "cast(extract(epoch from $1 at time zone 'UTC') * 1000000 as bigint)",
        .item = "($1, $2)",
        .items = "(select x.f, x.v, s.b, s.p from $1 s cross join lateral (values $3) x(f, v)) u",
        .comment = "select obj_description(cast($1 as regclass), 'pg_class')",
        .transaction = true,
        .at_once = 24,
        .session = {"set transaction isolation level repeatable read, read only", "set local client_encoding to 'UTF8'",
                    "set local extra_float_digits to 1", "set local timezone to 'UTC'",
                    "set local standard_conforming_strings to on", "set local datestyle to 'ISO'", NULL},
    },
    {
        .name = "spark",
        .quote = '`',
        .escapes = true,
        .text = "string",
        .real = "double",
        .by_bytes =
            "cast(cast($1 as binary) as string)", /* the default collation, also in versions that know no other */
        .byte_order = "$1",
        .size = "octet_length($1)",
        .matches = "($1 rlike $2)",
        .before = "^(?:",
        .after = ")\\z",
        .number = "try_cast($1 as double)",
        .bit = "shiftleft(1L, cast(pmod(xxhash64($1), 62) as int))",
        .bits = "bit_count($1)",
        .joined = "array_join(sort_array(collect_list($1)), '')",
        .days = "cast(unix_date($1) as bigint)",
        .micros = "unix_micros(cast($1 as timestamp))",
        .zoned_micros = "unix_micros($1)",
        .item = "$1, $2",
        .items = "(select f, v, b, p from $1 s lateral view stack($2, $3) x as f, v) u",
        .at_once = 64,
        .session = {"set time zone 'UTC'", "set spark.sql.ansi.enabled=true", NULL},
        .wish = "set spark.sql.execution.arrow.compression.codec=zstd", /* results as they travel, from 4.1 on */
    },
};

enum { DIALECTS = sizeof dialects / sizeof dialects[0] };

const struct adg_dialect *adg_dialect_find(const char *name)
{
    for (int i = 0; i < DIALECTS; i++) {
        if (strcmp(dialects[i].name, name) == 0) {
            return &dialects[i];
        }
    }
    return NULL;
}

const char *adg_dialect_names(void)
{
    return "duckdb, postgresql or spark";
}

enum adg_status adg_dialect_identifier(const struct adg_dialect *dialect, struct adg_buffer *sql, const char *name,
                                       size_t size, struct adg_error *error)
{
    const char twice[2] = {dialect->quote, dialect->quote};
    enum adg_status status = adg_buffer_append(sql, twice, 1, error);
    for (size_t i = 0; i < size && status == ADG_OK; i++) {
        bool quote = name[i] == dialect->quote;
        status = adg_buffer_append(sql, quote ? twice : &name[i], quote ? 2 : 1, error);
    }
    return status == ADG_OK ? adg_buffer_append(sql, twice, 1, error) : status;
}

enum adg_status adg_dialect_literal(const struct adg_dialect *dialect, struct adg_buffer *sql, const char *text,
                                    struct adg_error *error)
{
    enum adg_status status = adg_buffer_append_text(sql, "'", error);
    for (; *text != '\0' && status == ADG_OK; text++) {
        const char *as = *text == '\'' ? (dialect->escapes ? "\\'" : "''") : "\\\\";
        bool special = *text == '\'' || (*text == '\\' && dialect->escapes);
        status = adg_buffer_append(sql, special ? as : text, special ? 2 : 1, error);
    }
    return status == ADG_OK ? adg_buffer_append_text(sql, "'", error) : status;
}

enum adg_status adg_dialect_table(const struct adg_dialect *dialect, struct adg_buffer *sql, const char *name,
                                  struct adg_error *error)
{
    struct adg_buffer part = {0};
    enum adg_status status = ADG_OK;
    const char *at = name;
    for (bool more = true; more && status == ADG_OK;) {
        bool quoted = *at == '"', closed = !quoted;
        part.size = 0;
        for (at += quoted; *at != '\0' && status == ADG_OK; at++) {
            if (quoted && *at == '"') {
                if (at[1] != '"') {
                    closed = true;
                    at++;
                    break;
                }
                at++;
            } else if (!quoted && *at == '.') {
                break;
            }
            status = adg_buffer_append(&part, at, 1, error);
        }
        more = *at == '.';
        if (status == ADG_OK && (part.size == 0 || !closed || (*at != '\0' && !more))) {
            status = adg_fail(
                error, ADG_USAGE,
                "expected the name of a table, its parts separated by points, each perhaps in double quotes");
        }
        if (status == ADG_OK) {
            status = adg_dialect_identifier(dialect, sql, (const char *)part.data, part.size, error);
        }
        if (status == ADG_OK && more) {
            status = adg_buffer_append(sql, at++, 1, error);
        }
    }
    adg_buffer_fini(&part);
    return status;
}

enum adg_status adg_sql_fill(struct adg_buffer *sql, const char *form, const char *const *texts,
                             struct adg_error *error)
{
    enum adg_status status = ADG_OK;
    while (*form != '\0' && status == ADG_OK) {
        if (form[0] == '$' && form[1] >= '1' && form[1] <= '9') {
            status = adg_buffer_append_text(sql, texts[form[1] - '1'], error);
            form += 2;
        } else {
            size_t length = strcspn(form + 1, "$") + 1;
            status = adg_buffer_append(sql, form, length, error);
            form += length;
        }
    }
    return status;
}
