/*
 * A table of a definition in SQL: names, types, statements that make it. Names are put in quotes, as they are written in the definition;
 * types are those of the SQL standard, which PostgreSQL and DuckDB share.
 */
#ifndef ADG_LOAD_DDL_H
#define ADG_LOAD_DDL_H

#include "block/block.h"
#include "core/buffer.h"

/* "artificial_<table>", as files are called. */
#define ADG_LOAD_NAME "artificial_%s"
/* What a table's comment begins with; JSON follows, as in provenance.json. */
#define ADG_LOAD_COMMENT "Artificial data, made by adg: "

/* PostgreSQL: the key of the advisory lock that a run takes on a table, whose name `literal` stands for in SQL. */
#define ADG_LOAD_LOCK_KEY(literal) "hashtextextended('adg ' || current_schema() || '.' || " literal ", 0)"

/* Appends the type: text, integer, bigint, double precision, numeric(16,15), date, timestamp without time zone, boolean. */
ADG_MUST_CHECK enum adg_status adg_ddl_type(struct adg_buffer *sql, const struct adg_field *field,
                                            struct adg_error *error);
/* Appends ("A" text, "B" date), or without types ("A", "B"). */
ADG_MUST_CHECK enum adg_status adg_ddl_columns(struct adg_buffer *sql, const struct adg_layout *layout, bool types,
                                               struct adg_error *error);

/* Appends "schema"."name", or "name" when schema is NULL. */
ADG_MUST_CHECK enum adg_status adg_ddl_name(struct adg_buffer *sql, const char *schema, const char *name,
                                            struct adg_error *error);

/* Appends a statement. Of the form, %n is followed by a name that stands for itself, in quotes; %s by SQL; %l by a text, as literal. */
ADG_MUST_CHECK enum adg_status adg_ddl_format(struct adg_buffer *sql, struct adg_error *error, const char *form, ...);

#endif
