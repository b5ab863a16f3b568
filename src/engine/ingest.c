/*
 * Writing to a database: transactions, and bulk ingest of an Arrow stream. See engine.h.
 */
#include <stdio.h>
#include <string.h>

#include "engine/internal.h"

enum adg_status adg_engine_commit(struct adg_engine *engine, struct adg_error *error)
{
    struct AdbcError reason = {0};
    return engine->driver.ConnectionCommit(&engine->connection, &reason) != ADBC_STATUS_OK
               ? adg_engine_refused(engine, &reason, "committing", error)
               : ADG_OK;
}

enum adg_status adg_engine_rollback(struct adg_engine *engine, struct adg_error *error)
{
    struct AdbcError reason = {0};
    return engine->driver.ConnectionRollback(&engine->connection, &reason) != ADBC_STATUS_OK
               ? adg_engine_refused(engine, &reason, "taking back what was done", error)
               : ADG_OK;
}

static enum adg_status copy_names(const struct ArrowSchema *schema, struct adg_arena *arena, const char *const **names,
                                  uint32_t *count, struct adg_error *error)
{
    const char **copies = adg_arena_array(arena, (size_t)schema->n_children + 1, sizeof *copies);
    bool good = copies != NULL;
    for (int64_t i = 0; good && i < schema->n_children; i++) {
        copies[i] = adg_arena_strdup(arena, schema->children[i]->name != NULL ? schema->children[i]->name : "");
        good = copies[i] != NULL;
    }
    if (!good) {
        return adg_fail_memory(error);
    }
    *names = copies;
    *count = (uint32_t)schema->n_children;
    return ADG_OK;
}

enum adg_status adg_engine_table_columns(struct adg_engine *engine, const char *table, struct adg_arena *arena,
                                         const char *const **names, uint32_t *count, struct adg_error *error)
{
    struct AdbcError reason = {0};
    struct ArrowSchema schema = {0};
    enum adg_status status = ADG_OK;
    AdbcStatusCode code = engine->driver.ConnectionGetTableSchema(&engine->connection, NULL, NULL, table, &schema,
                                                                  &reason);
    if (code != ADBC_STATUS_OK) {
        struct adg_error why = {{0}};
        status = adg_engine_refused(engine, &reason, "looking for the table", &why);
        if (code == ADBC_STATUS_NOT_FOUND || engine->no_table) {
            *names = NULL;
            *count = 0;
            status = ADG_OK;
        } else {
            status = adg_fail(error, status, "%s", why.message);
        }
    } else {
        status = copy_names(&schema, arena, names, count, error);
    }
    if (schema.release != NULL) {
        schema.release(&schema);
    }
    return status == ADG_OK ? adg_engine_rollback(engine, error) : status; /* a failure ends a transaction in some */
}

enum adg_status adg_engine_ingest(struct adg_engine *engine, const char *table, enum adg_ingest mode,
                                  struct ArrowArrayStream *stream, const char *doing, struct adg_error *error)
{
    const char *how = mode == ADG_INGEST_CREATE ? ADBC_INGEST_OPTION_MODE_CREATE : ADBC_INGEST_OPTION_MODE_APPEND;
    struct AdbcStatement statement = {0};
    struct AdbcError reason = {0};
    const struct AdbcDriver *driver = &engine->driver;
    enum adg_status status = ADG_OK;
    bool made = driver->StatementNew(&engine->connection, &statement, &reason) == ADBC_STATUS_OK;
    if (made) {
        adg_engine_watch(engine, &statement);
    }
    if (!made ||
        driver->StatementSetOption(&statement, ADBC_INGEST_OPTION_TARGET_TABLE, table, &reason) != ADBC_STATUS_OK ||
        driver->StatementSetOption(&statement, ADBC_INGEST_OPTION_MODE, how, &reason) != ADBC_STATUS_OK ||
        driver->StatementBindStream(&statement, stream, &reason) != ADBC_STATUS_OK ||
        driver->StatementExecuteQuery(&statement, NULL, NULL, &reason) != ADBC_STATUS_OK) {
        status = adg_engine_refused(engine, &reason, doing, error);
    }
    adg_engine_watch(engine, NULL);
    if (statement.private_data != NULL) {
        driver->StatementRelease(&statement, NULL);
    }
    if (stream->release != NULL) { /* was not bound */
        stream->release(stream);
    }
    return status;
}
