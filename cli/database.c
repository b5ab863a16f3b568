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
#include <string.h>
#include <unistd.h>

#include "load/ingest.h"
#include "sink/batches.h"

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

/* The folder of a file that an ADBC driver is told to write: an absolute path among its options. */
static const char *folder_of_options(const struct adg_target *target, struct adg_arena *arena)
{
    for (uint32_t i = 0; i < target->option_count; i++) {
        const char *value = target->options[i].value;
        value += strncmp(value, "file:", 5) == 0 ? 5 : 0;
        const char *slash = strrchr(value, '/');
        if (value[0] == '/' && slash != value) {
            return adg_arena_strndup(arena, value, (size_t)(slash - value));
        }
    }
    return NULL;
}

static enum adg_status set_folder(struct adg_cli_database *database, struct adg_error *error)
{
    const struct adg_target *target = database->target;
    if (target->file != NULL) {
        const char *slash = strrchr(target->file, '/');
        database->folder = adg_arena_strndup(&database->arena, target->file, (size_t)(slash - target->file) + 1);
        return database->folder == NULL ? adg_fail_memory(error) : ADG_OK;
    }
    database->folder = is_postgresql(target) ? NULL : folder_of_options(target, &database->arena);
    return ADG_OK;
}

enum adg_status adg_cli_database_find(const char *out, uint64_t connections, bool primary_key,
                                      struct adg_cli_database *database, struct adg_error *error)
{
    struct adg_target *target = adg_arena_alloc(&database->arena, sizeof *target);
    if (target == NULL) {
        return adg_fail_memory(error);
    }
    enum adg_status status = adg_target_parse_out(out, "--out", &database->arena, target, error);
    if (status == ADG_OK && connections > MOST_CONNECTIONS) {
        status = adg_fail(error, ADG_USAGE, "option --connections: at most %d", MOST_CONNECTIONS);
    }
    if (status == ADG_OK && connections > 0 && !is_postgresql(target)) {
        status = adg_fail(error, ADG_USAGE, "option --connections is for postgresql://");
    }
    if (status == ADG_OK) {
        status = is_postgresql(target) ? adg_target_find_libpq(target, &database->arena, error)
                                       : adg_target_find_driver(target, &database->arena, error);
    }
    if (status == ADG_OK) {
        database->target = target;
        database->load.uri = target->options[0].value;
        database->load.connections = connections > 0 ? (unsigned)connections : 1;
        database->load.primary_key = primary_key;
        status = set_folder(database, error);
    }
    return status;
}

enum adg_status adg_cli_database_find_data(const char *data, struct adg_cli_database *database, struct adg_error *error)
{
    struct adg_target *target = adg_arena_alloc(&database->arena, sizeof *target);
    if (target == NULL) {
        return adg_fail_memory(error);
    }
    enum adg_status status = adg_target_parse_out(data, "--data", &database->arena, target, error);
    if (status == ADG_OK && target->file != NULL && access(target->file, F_OK) != 0) {
        status = adg_fail(error, ADG_BAD_INPUT, "%s: there is no such file", target->file);
    }
    status = status == ADG_OK ? adg_target_find_driver(target, &database->arena, error) : status;
    if (status == ADG_OK) {
        database->target = target;
        status = set_folder(database, error);
    }
    return status;
}

enum adg_status adg_cli_database_destination(const struct adg_cli_database *database, struct adg_run_options *options,
                                             struct adg_error *error)
{
    const struct adg_load_adbc_options adbc = {.target = database->target, .primary_key = database->load.primary_key};
    options->sink = is_postgresql(database->target) ? &adg_sink_copy : &adg_sink_batches;
    return is_postgresql(database->target)
               ? adg_destination_postgresql_new(options, &database->load, &options->destination, error)
               : adg_destination_adbc_new(options, &adbc, &options->destination, error);
}
#endif

void adg_cli_database_fini(struct adg_cli_database *database)
{
    adg_arena_fini(&database->arena);
}
