/*
 * DuckDB behind ADBC: see engine.h.
 */
#include "engine/engine.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "core/memory.h"
#include "engine/internal.h"

static const char library[] = "libduckdb.so", entry_point[] = "duckdb_adbc_init";

const char *adg_engine_version(void)
{
    return "DuckDB 1.5.6"; /* the one that third_party/fetch pins */
}

/* The kind of an engine's error is the part before the first colon ("IO Error"); what follows may quote values. */
enum adg_status adg_engine_refused(struct AdbcError *reason, const char *doing, struct adg_error *error)
{
    static const struct {
        const char *kind, *hint;
    } kinds[] = {
        {"IO Error", "a file cannot be read or written, or the disk is full"},
        {"Out of Memory Error", "memory or the space for temporary files is used up"},
        {"Permission Error", "a file may not be read"},
        {"Invalid Input Error", "the source cannot be read"},
        {"Conversion Error", "the source cannot be read"},
    };
    const char *text = reason->message != NULL ? reason->message : "", *hint = "the query failed";
    bool input = false;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strstr(text, kinds[i].kind) != NULL) {
            hint = kinds[i].hint;
            input = i >= 3;
            break;
        }
    }
    enum adg_status status = adg_fail(error, input ? ADG_BAD_INPUT : ADG_FAILED, "%s: %s", doing, hint);
    if (reason->release != NULL) {
        reason->release(reason);
    }
    return status;
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

static enum adg_status load_driver(struct AdbcDriver *driver, struct adg_error *error)
{
    void *handle = load_library(); /* stays loaded: its threads outlive any moment at which it could go */
    if (handle == NULL) {
        return adg_fail(error, ADG_FAILED,
                        "the engine's library %s cannot be loaded; make install puts it into lib/adg", library);
    }
    AdbcDriverInitFunc init;
    void *symbol = dlsym(handle, entry_point);
    if (symbol == NULL) {
        return adg_fail(error, ADG_FAILED, "the engine's library %s has no %s", library, entry_point);
    }
    memcpy(&init, &symbol, sizeof init); /* ISO C knows no cast from object to function */
    struct AdbcError reason = {0};
    if (init(ADBC_VERSION_1_1_0, driver, &reason) != ADBC_STATUS_OK) {
        return adg_engine_refused(&reason, "starting the engine", error);
    }
    return ADG_OK;
}

static enum adg_status connect_to(struct adg_engine *engine, struct adg_error *error)
{
    struct AdbcError reason = {0};
    if (engine->driver.ConnectionNew(&engine->connection, &reason) != ADBC_STATUS_OK ||
        engine->driver.ConnectionInit(&engine->connection, &engine->database, &reason) != ADBC_STATUS_OK) {
        return adg_engine_refused(&reason, "starting the engine", error);
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
        "set threads=%u; set preserve_insertion_order=true; "
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

enum adg_status adg_engine_open(const struct adg_engine_options *options, struct adg_engine **out,
                                struct adg_error *error)
{
    struct AdbcError reason = {0};
    struct adg_engine *engine = adg_alloc_zero(1, sizeof *engine);
    enum adg_status status = engine == NULL ? adg_fail_memory(error) : load_driver(&engine->driver, error);
    if (status == ADG_OK) {
        engine->loaded = true;
        if (engine->driver.DatabaseNew(&engine->database, &reason) != ADBC_STATUS_OK ||
            engine->driver.DatabaseInit(&engine->database, &reason) != ADBC_STATUS_OK) {
            status = adg_engine_refused(&reason, "opening the engine's database", error);
        }
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

void adg_engine_free(struct adg_engine *engine)
{
    if (engine == NULL) {
        return;
    }
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
    if (engine->driver.StatementNew(&engine->connection, &statement, &reason) != ADBC_STATUS_OK ||
        engine->driver.StatementSetSqlQuery(&statement, sql, &reason) != ADBC_STATUS_OK ||
        engine->driver.StatementExecuteQuery(&statement, &stream, NULL, &reason) != ADBC_STATUS_OK) {
        status = adg_engine_refused(&reason, doing, error);
    }
    while (status == ADG_OK && stream.release != NULL) { /* the statement runs in pieces, as its result is taken */
        struct ArrowArray array = {0};
        if (stream.get_next(&stream, &array) != 0) {
            reason = (struct AdbcError){0};
            const char *text = stream.get_last_error(&stream);
            char copy[256];
            snprintf(copy, sizeof copy, "%s", text != NULL ? text : "");
            reason.message = copy;
            status = adg_engine_refused(&reason, doing, error);
        }
        bool end = array.release == NULL;
        if (!end) {
            array.release(&array);
        } else {
            break;
        }
    }
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
