/*
 * Connections through ADBC, to DuckDB and to others: see engine.h.
 */
#include "engine/engine.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "core/memory.h"
#include "core/stop.h"
#include "engine/internal.h"

static const char library[] = "libduckdb.so", entry_point[] = "duckdb_adbc_init";

const char *adg_engine_version(void)
{
    return "DuckDB 1.5.6"; /* the one that third_party/fetch pins */
}

/* Beside an installed program (../lib/adg), else where the loader finds it. */
static void *load_library(void)
{
    char path[4096];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 64);
    if (length > 0) {
        path[length] = '\0';
        char *slash = strrchr(path, '/');
        if (slash != NULL) {
            snprintf(slash, 64, "/../lib/adg/%s", library);
            void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
            if (handle != NULL) {
                return handle;
            }
        }
    }
    return dlopen(library, RTLD_NOW | RTLD_LOCAL);
}

/* Of a library that is there, by its entry point or by the usual one. */
static enum adg_status init_driver(struct adg_engine *engine, void *handle, const char *name, const char *entry,
                                   struct adg_error *error)
{
    AdbcDriverInitFunc init;
    void *symbol = dlsym(handle, entry != NULL ? entry : "AdbcDriverInit");
    if (symbol == NULL) {
        return adg_fail(error, ADG_FAILED, "the engine's library %s has no %s", name,
                        entry != NULL ? entry : "AdbcDriverInit");
    }
    memcpy(&init, &symbol, sizeof init); /* ISO C knows no cast from object to function */
    struct AdbcError reason = {0};
    if (init(ADBC_VERSION_1_1_0, &engine->driver, &reason) != ADBC_STATUS_OK) {
        return adg_engine_refused(engine, &reason, "starting the engine", error);
    }
    engine->loaded = true;
    return ADG_OK;
}

static enum adg_status load_duckdb(struct adg_engine *engine, struct adg_error *error)
{
    void *handle = load_library(); /* stays loaded: its threads outlive any moment at which it could go */
    return handle == NULL
               ? adg_fail(error, ADG_FAILED,
                          "the engine's library %s cannot be loaded; make install puts it into lib/adg", library)
               : init_driver(engine, handle, library, entry_point, error);
}

static enum adg_status load_driver(struct adg_engine *engine, const struct adg_target *target, struct adg_error *error)
{
    if (target->file != NULL) {
        return load_duckdb(engine, error);
    }
    void *handle = dlopen(target->library, RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL) {
        return adg_fail(
            error, ADG_FAILED,
            "the driver %s cannot be loaded (%s)%s%s; it is looked for in the folders of ADBC_DRIVER_PATH, in "
            "~/.config/adbc/drivers, in /etc/adbc/drivers and where the loader looks",
            target->name, target->library, target->package != NULL ? ": install " : "",
            target->package != NULL ? target->package : "");
    }
    return init_driver(engine, handle, target->library, target->entry, error);
}

static enum adg_status connect_to(struct adg_engine *engine, struct adg_error *error)
{
    struct AdbcError reason = {0};
    if (engine->driver.ConnectionNew(&engine->connection, &reason) != ADBC_STATUS_OK ||
        engine->driver.ConnectionInit(&engine->connection, &engine->database, &reason) != ADBC_STATUS_OK) {
        return adg_engine_refused(engine, &reason, "starting the engine", error);
    }
    return ADG_OK;
}

/* No path but those of the source, no extension, no change of these rules. */
static enum adg_status lock_down(struct adg_engine *engine, const struct adg_engine_options *options,
                                 struct adg_error *error)
{
    struct adg_buffer sql = {0};
    enum adg_status status = adg_buffer_printf(
        &sql, error,
        "set threads=%u; set preserve_insertion_order=true; set TimeZone='UTC'; "
        "set autoinstall_known_extensions=false; "
        "set autoload_known_extensions=false; set enable_external_file_cache=false; "
        "set temp_directory=",
        options->threads);
    if (status == ADG_OK) {
        status = adg_sql_literal(&sql, options->folder, error);
    }
    if (status == ADG_OK && options->memory_bytes > 0) {
        status = adg_buffer_printf(&sql, error, "; set memory_limit='%" PRIu64 "B'", options->memory_bytes);
    }
    if (status == ADG_OK) {
        status = adg_buffer_append_text(&sql, "; set allowed_directories=[", error);
    }
    if (status == ADG_OK) {
        status = adg_sql_literal(&sql, options->folder, error);
    }
    if (status == ADG_OK) {
        status = adg_buffer_append_text(&sql, "]; set allowed_paths=", error);
    }
    if (status == ADG_OK) {
        status = adg_sql_list(&sql, options->readable, options->readable_count, error);
    }
    if (status == ADG_OK) {
        status = adg_buffer_append_text(&sql, "; set enable_external_access=false; set lock_configuration=true", error);
    }
    char *text = status == ADG_OK ? adg_buffer_text(&sql) : NULL;
    if (status == ADG_OK) {
        status = text == NULL ? adg_fail_memory(error)
                              : adg_engine_execute(engine, text, "configuring the engine", error);
    }
    adg_buffer_fini(&sql);
    return status;
}

static enum adg_status open_database(struct adg_engine *engine, const struct adg_target_option *options, uint32_t count,
                                     struct adg_error *error)
{
    struct AdbcError reason = {0};
    if (engine->driver.DatabaseNew(&engine->database, &reason) != ADBC_STATUS_OK) {
        return adg_engine_refused(engine, &reason, "opening the database", error);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (engine->driver.DatabaseSetOption(&engine->database, options[i].key, options[i].value, &reason) !=
            ADBC_STATUS_OK) {
            enum adg_status status = adg_engine_refused(engine, &reason, "opening the database", NULL);
            return adg_fail(error, status, "opening the database: its driver does not accept the option %s",
                            options[i].key);
        }
    }
    return engine->driver.DatabaseInit(&engine->database, &reason) != ADBC_STATUS_OK
               ? adg_engine_refused(engine, &reason, "opening the database", error)
               : ADG_OK;
}

enum adg_status adg_engine_open(const struct adg_engine_options *options, struct adg_engine **out,
                                struct adg_error *error)
{
    struct adg_engine *engine = adg_alloc_zero(1, sizeof *engine);
    enum adg_status status = engine == NULL ? adg_fail_memory(error) : load_duckdb(engine, error);
    if (status == ADG_OK) {
        status = open_database(engine, NULL, 0, error);
    }
    if (status == ADG_OK) {
        status = connect_to(engine, error);
    }
    if (status == ADG_OK) {
        status = lock_down(engine, options, error);
    }
    if (status != ADG_OK) {
        adg_engine_free(engine);
        return status;
    }
    *out = engine;
    return ADG_OK;
}

/* What the dialect wants a connection, or its transaction, to begin with. */
static enum adg_status begin_session(struct adg_engine *engine, struct adg_error *error)
{
    enum adg_status status = ADG_OK;
    for (int i = 0; i < ADG_DIALECT_SESSION && engine->dialect->session[i] != NULL && status == ADG_OK; i++) {
        status = adg_engine_execute(engine, engine->dialect->session[i], "configuring the connection", error);
    }
    if (status == ADG_OK && engine->dialect->wish != NULL &&
        adg_engine_execute(engine, engine->dialect->wish, "configuring the connection", NULL) != ADG_OK) {
        status = adg_stop_check(error); /* it goes without, unless the failure was a request to stop */
    }
    return status;
}

static enum adg_status begin_transaction(struct adg_engine *engine, struct adg_error *error)
{
    struct AdbcError reason = {0};
    return engine->driver.ConnectionSetOption(&engine->connection, ADBC_CONNECTION_OPTION_AUTOCOMMIT,
                                              ADBC_OPTION_VALUE_DISABLED, &reason) != ADBC_STATUS_OK
               ? adg_engine_refused(engine, &reason, "beginning a transaction", error)
               : ADG_OK;
}

/* Read-only where the driver knows that; one transaction for all that is read where the dialect has one. */
static enum adg_status configure(struct adg_engine *engine, struct adg_error *error)
{
    struct AdbcError reason = {0};
    if (engine->driver.ConnectionSetOption(&engine->connection, ADBC_CONNECTION_OPTION_READ_ONLY,
                                           ADBC_OPTION_VALUE_ENABLED, &reason) != ADBC_STATUS_OK &&
        reason.release != NULL) { /* one more promise where it can be had: nothing but queries is sent */
        reason.release(&reason);
    }
    enum adg_status status = engine->dialect->transaction ? begin_transaction(engine, error) : ADG_OK;
    return status == ADG_OK ? begin_session(engine, error) : status;
}

/* `dialect`: NULL where nothing is asked in it. `begin`: what comes last, when the connection stands. */
static enum adg_status open_target(const struct adg_target *target, const struct adg_dialect *dialect,
                                   const struct adg_engine_options *options,
                                   enum adg_status (*begin)(struct adg_engine *engine, struct adg_error *error),
                                   struct adg_engine **out, struct adg_error *error)
{
    struct adg_engine *engine = adg_alloc_zero(1, sizeof *engine);
    if (engine == NULL) {
        return adg_fail_memory(error);
    }
    engine->dialect = dialect;
    enum adg_status status = load_driver(engine, target, error);
    if (status == ADG_OK) {
        status = open_database(engine, target->options, target->option_count, error);
    }
    if (status == ADG_OK) {
        status = connect_to(engine, error);
    }
    if (status == ADG_OK) {
        status = adg_engine_start_watcher(engine, error);
    }
    if (status == ADG_OK && target->file != NULL) {
        status = lock_down(engine, options, error);
    }
    if (status == ADG_OK) {
        status = begin(engine, error);
    }
    if (status != ADG_OK) {
        adg_engine_free(engine);
        return adg_context(error, status, "%s", target->shown);
    }
    *out = engine;
    return ADG_OK;
}

enum adg_status adg_engine_open_target(const struct adg_target *target, const struct adg_engine_options *options,
                                       struct adg_engine **out, struct adg_error *error)
{
    return open_target(target, target->dialect, options, configure, out, error);
}

enum adg_status adg_engine_open_out(const struct adg_target *target, const struct adg_engine_options *options,
                                    struct adg_engine **out, struct adg_error *error)
{
    return open_target(target, NULL, options, begin_transaction, out, error);
}

const struct adg_dialect *adg_engine_dialect(const struct adg_engine *engine)
{
    return engine->dialect;
}

enum adg_status adg_engine_recover(struct adg_engine *engine, bool *no_table, struct adg_error *error)
{
    struct AdbcError reason = {0};
    *no_table = engine->no_table;
    if (!engine->dialect->transaction) {
        return ADG_OK;
    }
    if (engine->driver.ConnectionRollback(&engine->connection, &reason) != ADBC_STATUS_OK) {
        return adg_engine_refused(engine, &reason, "beginning a transaction", error);
    }
    return begin_session(engine, error);
}

void adg_engine_free(struct adg_engine *engine)
{
    if (engine == NULL) {
        return;
    }
    adg_engine_end_watcher(engine);
    if (engine->loaded) {
        if (engine->connection.private_data != NULL) {
            engine->driver.ConnectionRelease(&engine->connection, NULL);
        }
        if (engine->database.private_data != NULL) {
            engine->driver.DatabaseRelease(&engine->database, NULL);
        }
        if (engine->driver.release != NULL) {
            engine->driver.release(&engine->driver, NULL);
        }
    }
    adg_free(engine);
}

enum adg_status adg_engine_execute(struct adg_engine *engine, const char *sql, const char *doing,
                                   struct adg_error *error)
{
    struct AdbcStatement statement = {0};
    struct AdbcError reason = {0};
    struct ArrowArrayStream stream = {0};
    enum adg_status status = ADG_OK;
    bool made = engine->driver.StatementNew(&engine->connection, &statement, &reason) == ADBC_STATUS_OK;
    if (made) {
        adg_engine_watch(engine, &statement);
    }
    if (!made || engine->driver.StatementSetSqlQuery(&statement, sql, &reason) != ADBC_STATUS_OK ||
        engine->driver.StatementExecuteQuery(&statement, &stream, NULL, &reason) != ADBC_STATUS_OK) {
        status = adg_engine_refused(engine, &reason, doing, error);
    }
    while (status == ADG_OK && stream.release != NULL) { /* the statement runs in pieces, as its result is taken */
        struct ArrowArray array = {0};
        if (stream.get_next(&stream, &array) != 0) {
            reason = (struct AdbcError){0};
            const char *text = stream.get_last_error(&stream);
            char copy[256];
            snprintf(copy, sizeof copy, "%s", text != NULL ? text : "");
            reason.message = copy;
            status = adg_engine_refused(engine, &reason, doing, error);
        }
        bool end = array.release == NULL;
        if (!end) {
            array.release(&array);
        } else {
            break;
        }
    }
    adg_engine_watch(engine, NULL);
    if (stream.release != NULL) {
        stream.release(&stream);
    }
    if (statement.private_data != NULL) {
        engine->driver.StatementRelease(&statement, NULL);
    }
    return status;
}

enum adg_status adg_sql_literal(struct adg_buffer *sql, const char *text, struct adg_error *error)
{
    enum adg_status status = adg_buffer_append_text(sql, "'", error);
    for (; *text != '\0' && status == ADG_OK; text++) {
        status = adg_buffer_append(sql, *text == '\'' ? "''" : text, *text == '\'' ? 2 : 1, error);
    }
    return status == ADG_OK ? adg_buffer_append_text(sql, "'", error) : status;
}

enum adg_status adg_sql_list(struct adg_buffer *sql, const char *const *texts, uint32_t count, struct adg_error *error)
{
    enum adg_status status = adg_buffer_append_text(sql, "[", error);
    for (uint32_t i = 0; i < count && status == ADG_OK; i++) {
        status = i > 0 ? adg_buffer_append_text(sql, ", ", error) : ADG_OK;
        if (status == ADG_OK) {
            status = adg_sql_literal(sql, texts[i], error);
        }
    }
    return status == ADG_OK ? adg_buffer_append_text(sql, "]", error) : status;
}

enum adg_status adg_sql_identifier(struct adg_buffer *sql, const char *name, struct adg_error *error)
{
    enum adg_status status = adg_buffer_append_text(sql, "\"", error);
    for (; *name != '\0' && status == ADG_OK; name++) {
        status = adg_buffer_append(sql, *name == '"' ? "\"\"" : name, *name == '"' ? 2 : 1, error);
    }
    return status == ADG_OK ? adg_buffer_append_text(sql, "\"", error) : status;
}

enum adg_status adg_sql_parquet(struct adg_buffer *sql, const char *path, struct adg_error *error)
{
    enum adg_status status = adg_buffer_append_text(sql, "read_parquet(", error);
    if (status == ADG_OK) {
        status = adg_sql_literal(sql, path, error);
    }
    return status == ADG_OK ? adg_buffer_append_text(sql, ", hive_partitioning=false)", error) : status;
}
