/*
 * --out and --data, where they name a database that is written to.
 */
#ifndef ADG_CLI_DATABASE_H
#define ADG_CLI_DATABASE_H

#include "core/arena.h"
#include "load/postgresql.h"

struct adg_target;

struct adg_cli_database {
    struct adg_arena arena;
    struct adg_target *target; /* in the arena */
    const char *folder;        /* that its file is written to, or NULL */
    struct adg_load_options load;
};

/* Whether it is one, and no folder. */
bool adg_cli_is_database(const char *out);
/* ADG_USAGE: it cannot be one, it holds a secret, or an option is not for it; ADG_FAILED: no driver, no folder of the file.
 * `connections` 0: not given. Nothing is loaded. */
ADG_MUST_CHECK enum adg_status adg_cli_database_find(const char *out, uint64_t connections, bool primary_key,
                                                     struct adg_cli_database *database, struct adg_error *error);
/* The same of --data: a database that is there, through its ADBC driver. ADG_BAD_INPUT: there is no such file. Not in a program without an
 * engine. */
ADG_MUST_CHECK enum adg_status adg_cli_database_find_data(const char *data, struct adg_cli_database *database,
                                                          struct adg_error *error);
/* Sets the run's destination and sink. The database stays until the run is over. */
ADG_MUST_CHECK enum adg_status adg_cli_database_destination(const struct adg_cli_database *database,
                                                            struct adg_run_options *options, struct adg_error *error);
void adg_cli_database_fini(struct adg_cli_database *database);

#endif
