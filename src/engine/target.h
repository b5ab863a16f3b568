/*
 * What --source or --out names when it is no folder: a database, its driver, its dialect (docs/engines.md, docs/databases.md).
 *
 *     duckdb:FILE                        postgresql://USER@HOST:PORT/DATABASE?...        sc://HOST:PORT/;...
 *     adbc:DRIVER?option=value&...       with the name of a dialect
 *
 * A secret in it is refused. What is not on the command line comes from the environment: what the drivers read there themselves
 * (PGPASSWORD, password and service files), ADG_SPARK_TOKEN or DATABRICKS_TOKEN, and for adbc: any variable as option=env:NAME.
 */
#ifndef ADG_ENGINE_TARGET_H
#define ADG_ENGINE_TARGET_H

#include "core/arena.h"
#include "engine/dialect.h"

struct adg_target_option {
    const char *key, *value; /* `value` may be a secret */
};

struct adg_target {
    const char *name;    /* of the driver: "postgresql" */
    const char *shown;   /* of the engine, for messages: "PostgreSQL" */
    const char *package; /* that holds the driver, or NULL */
    const struct adg_dialect *dialect;
    const struct adg_target_option *options; /* of the database */
    uint32_t option_count;
    const char *file; /* that holds the database, absolute; NULL: it is somewhere else, and the network is needed */
    const char *library, *entry; /* set by adg_target_find_driver; entry NULL: the usual ones */
    const char **places;         /* folders and files that the driver needs, ended by NULL; NULL: `file` needs none */
};

/* Whether a source is one of these, and no folder. */
bool adg_target_is(const char *source);
/* Memory is taken from the arena. `dialect` is NULL where it was not given. ADG_USAGE: it cannot be one, or it holds a secret;
 * ADG_BAD_INPUT: there is no such file. */
ADG_MUST_CHECK enum adg_status adg_target_parse(const char *source, const char *dialect, struct adg_arena *arena,
                                                struct adg_target *out, struct adg_error *error);

/* The same of what is written to, by the option of that name: no dialect, and a file of DuckDB need not be there. ADG_USAGE also: nothing
 * can be written there. */
ADG_MUST_CHECK enum adg_status adg_target_parse_out(const char *text, const char *option, struct adg_arena *arena,
                                                    struct adg_target *out, struct adg_error *error);

/* Finds the driver's library as the ADBC driver manager does: by manifest or library in the folders of ADBC_DRIVER_PATH, in the
 * user's (~/.config/adbc/drivers) and the system's (/etc/adbc/drivers), else where the loader looks. Nothing is loaded. */
ADG_MUST_CHECK enum adg_status adg_target_find_driver(struct adg_target *target, struct adg_arena *arena,
                                                      struct adg_error *error);

/* In place of a driver, PostgreSQL's own library (src/load): what that needs. */
ADG_MUST_CHECK enum adg_status adg_target_find_libpq(struct adg_target *target, struct adg_arena *arena,
                                                     struct adg_error *error);

/* The files of a database that lies in one: it, and what was written to it last, if that is still there. count 0: elsewhere. */
ADG_MUST_CHECK enum adg_status adg_target_files(const struct adg_target *target, struct adg_arena *arena,
                                                const char *out[2], uint32_t *count, struct adg_error *error);

#endif
