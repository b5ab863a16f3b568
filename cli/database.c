/*
 * The database that --out names: see database.h.
 */
#include "database.h"

#include "engine/target.h"
#ifdef ADG_WITHOUT_ENGINE /* knows a database when it sees one, and says no */

#include <string.h>

bool adg_cli_is_database(const char *out)
{
    return strstr(out, "://") != NULL || strncmp(out, "duckdb:", 7) == 0 || strncmp(out, "adbc:", 5) == 0;
}

enum adg_status adg_cli_database_find(const char *out, uint64_t connections, bool primary_key,
                                      struct adg_cli_database *database, struct adg_error *error)
{
    (void)out;
    (void)connections;
    (void)primary_key;
    (void)database;
    return adg_fail(error, ADG_USAGE, "option --out: this program, which loads no library, writes to no database");
}

enum adg_status adg_cli_database_destination(const struct adg_cli_database *database, struct adg_run_options *options,
                                             struct adg_error *error)
{
    (void)database;
    (void)options;
    return adg_fail(error, ADG_FAILED, "this program writes to no database");
}
#else
#include "load/postgresql.h"

enum { MOST_CONNECTIONS = 64 };

bool adg_cli_is_database(const char *out)
{
    return adg_target_is(out);
}

/* By libpq; adbc:postgresql has no dialect. */
static bool is_postgresql(const struct adg_target *target)
{
    return target->dialect != NULL && target->file == NULL;
}

enum adg_status adg_cli_database_find(const char *out, uint64_t connections, bool primary_key,
                                      struct adg_cli_database *database, struct adg_error *error)
{
    struct adg_target *target = adg_arena_alloc(&database->arena, sizeof *target);
    if (target == NULL) {
        return adg_fail_memory(error);
    }
    enum adg_status status = adg_target_parse_out(out, &database->arena, target, error);
    if (status == ADG_OK && connections > MOST_CONNECTIONS) {
        status = adg_fail(error, ADG_USAGE, "option --connections: at most %d", MOST_CONNECTIONS);
    }
    if (status == ADG_OK && !is_postgresql(target)) {
        status = adg_fail(error, ADG_USAGE, "option --out: expected postgresql://...");
    }
    if (status == ADG_OK) {
        status = adg_target_find_libpq(target, &database->arena, error);
    }
    if (status == ADG_OK) {
        database->target = target;
        database->connections = connections > 0 ? (unsigned)connections : 1;
        database->primary_key = primary_key;
    }
    return status;
}

enum adg_status adg_cli_database_destination(const struct adg_cli_database *database, struct adg_run_options *options,
                                             struct adg_error *error)
{
    const struct adg_load_options load = {.uri = database->target->options[0].value,
                                          .connections = database->connections,
                                          .primary_key = database->primary_key};
    options->sink = &adg_sink_copy;
    return adg_destination_postgresql_new(options, &load, &options->destination, error);
}

#endif

void adg_cli_database_fini(struct adg_cli_database *database)
{
    adg_arena_fini(&database->arena);
}
