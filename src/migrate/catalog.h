/*
 * Within the migrate room: what a database says of a table that is to be replaced. Three are known: DuckDB, PostgreSQL, SQLite.
 */
#ifndef ADG_MIGRATE_CATALOG_H
#define ADG_MIGRATE_CATALOG_H

#include "dataset/dataset.h"
#include "engine/sql.h"

enum adg_catalog { ADG_CATALOG_DUCKDB, ADG_CATALOG_POSTGRESQL, ADG_CATALOG_SQLITE };

/* Names are not quoted; texts are NULL where there is none. */
struct adg_catalog_table {
    const char *schema; /* that new tables go to */
    bool creates;       /* they may be made there */
    bool exists, is_table;
    bool mine;            /* it may be replaced */
    bool rests;           /* something else rests on it */
    const char *key;      /* its primary key, of one column */
    const char *key_name; /* of the constraint; PostgreSQL */
    const char *comment;
    const char *owner; /* when it is somebody else; PostgreSQL */
    bool fresh_taken, backup_taken;
    const char **columns, **types; /* [column_count]; not of DuckDB */
    uint32_t column_count;
};

/* Which of them the engine is connected to. ADG_FAILED: none. A statement that fails is rolled back. */
ADG_MUST_CHECK enum adg_status adg_catalog_find(struct adg_engine *engine, const char *shown, enum adg_catalog *out,
                                                struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_catalog_look(struct adg_engine *engine, enum adg_catalog catalog, const char *name,
                                                const char *fresh, const char *backup, struct adg_arena *arena,
                                                struct adg_catalog_table *out, struct adg_error *error);
/* The columns, which `look` has found, too. */
ADG_MUST_CHECK enum adg_status adg_catalog_columns(struct adg_engine *engine, enum adg_catalog catalog,
                                                   const char *name, struct adg_arena *arena,
                                                   struct adg_catalog_table *out, struct adg_error *error);
/* The names and types are those of the definition, in its order. */
ADG_MUST_CHECK enum adg_status adg_catalog_is_current(const struct adg_catalog_table *table,
                                                      const struct adg_dataset *dataset, bool *out,
                                                      struct adg_error *error);

/* A query of the table's rows for adg_pieces: columns that the definition does not know are null, and types that a driver may not
 * know are text. *relation is what to read a piece by. */
ADG_MUST_CHECK enum adg_status adg_catalog_query(enum adg_catalog catalog, const struct adg_catalog_table *table,
                                                 const char *name, const struct adg_dataset *dataset,
                                                 struct adg_sql *sql, const char **query, const char **relation);

/* PostgreSQL: statements that give the table `to` the privileges of the table `from`. */
ADG_MUST_CHECK enum adg_status adg_catalog_grants(struct adg_engine *engine, const char *from, const char *to,
                                                  struct adg_arena *arena, const char ***out, uint32_t *count,
                                                  struct adg_error *error);

#endif
