/*
 * What differs between the SQL of engines: a small table, one row an engine. docs/engines.md tells how to add one.
 *
 * Templates hold $1, $2, ... for SQL that is put in. Everything else that queries use (case, nullif, coalesce, like, substr, trim with
 * leading and trailing, split_part, rpad, repeat, length, floor, mod, ||, bit_or, window functions) is the same
 * everywhere.
 */
#ifndef ADG_ENGINE_DIALECT_H
#define ADG_ENGINE_DIALECT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buffer.h"

enum { ADG_DIALECT_SESSION = 8 };

struct adg_dialect {
    const char *name;           /* what --dialect takes */
    char quote;                 /* around an identifier; doubled within */
    bool escapes;               /* a backslash in a literal is doubled */
    const char *text, *real;    /* types: text, double */
    const char *by_bytes;       /* text $1, from here on compared and grouped by bytes */
    const char *byte_order;     /* what text $1 is sorted by to be in the order of its bytes as UTF-8 */
    const char *size;           /* of text $1 in bytes of UTF-8 */
    const char *matches;        /* whether all of text $1 matches the literal $2, which is `before` pattern `after` */
    const char *before, *after; /* of a pattern */
    const char *number;         /* text $1, which is a number, as double, the nearest; null or infinite: too large */
    const char *bit;            /* one bit of 62 as bigint, by the hash of text $1 */
    const char *bits;           /* how many bits of bigint $1 are set */
    const char *joined;         /* aggregate: all texts $1, sorted by bytes, without a separator */
    const char *days;           /* bigint: days of date $1 since 1970-01-01 */
    const char *micros,
        *zoned_micros; /* bigint: microseconds since then of a timestamp $1 without or with a time zone */
    const char *item,
        *items; /* row by row of the subquery $1, for each of $2 columns in the list $3 of items ($1 a number, $2
                                               a column) a row with number f, value v, and the subquery's b and p */
    const char *
        comment; /* query: the comment on the table whose quoted name the literal $1 is; NULL: there is none to ask for */
    bool transaction; /* everything is read in one transaction */
    uint32_t at_once; /* fields that one query counts: more where a query costs more than its work */
    const char *session[ADG_DIALECT_SESSION]; /* statements when a connection or its transaction begins */
    const char *wish; /* one more, outside of a transaction, that an older version may refuse; or NULL */
};

/* NULL: there is none of this name. The names of all, for a message: adg_dialect_names(). */
const struct adg_dialect *adg_dialect_find(const char *name);
const char *adg_dialect_names(void);

/* Appends a name as identifier, a text as literal, a pattern as the literal that `matches` wants. */
ADG_MUST_CHECK enum adg_status adg_dialect_identifier(const struct adg_dialect *dialect, struct adg_buffer *sql,
                                                      const char *name, size_t size, struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_dialect_literal(const struct adg_dialect *dialect, struct adg_buffer *sql,
                                                   const char *text, struct adg_error *error);

/* A qualified name, hes.apc_2021: its parts taken to the letter, or in double quotes, as identifiers. ADG_USAGE: it is none. */
ADG_MUST_CHECK enum adg_status adg_dialect_table(const struct adg_dialect *dialect, struct adg_buffer *sql,
                                                 const char *name, struct adg_error *error);

/* Appends a template, $1 to $9 replaced by the texts. */
ADG_MUST_CHECK enum adg_status adg_sql_fill(struct adg_buffer *sql, const char *form, const char *const *texts,
                                            struct adg_error *error);

#endif
