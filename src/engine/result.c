/*
 * Rows out of an engine: an Arrow stream read batch by batch, row by row.
 */
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "engine/internal.h"

struct adg_engine_result {
    struct adg_engine *engine;
    struct AdbcStatement statement; /* lives as long as its stream */
    struct ArrowArrayStream stream;
    struct ArrowSchema schema;
    struct ArrowArray batch;
    struct ArrowArrayView view;
    int64_t row;
    const char *doing;
};

void adg_engine_result_free(struct adg_engine_result *result)
{
    if (result == NULL) {
        return;
    }
    ArrowArrayViewReset(&result->view);
    if (result->batch.release != NULL) {
        result->batch.release(&result->batch);
    }
    if (result->schema.release != NULL) {
        result->schema.release(&result->schema);
    }
    if (result->stream.release != NULL) {
        result->stream.release(&result->stream);
    }
    if (result->statement.private_data != NULL) {
        result->engine->driver.StatementRelease(&result->statement, NULL);
    }
    adg_free(result);
}

/* A failure that came out of the stream. */
static enum adg_status stream_failed(struct adg_engine_result *result, struct adg_error *error)
{
    char copy[256];
    const char *text = result->stream.get_last_error(&result->stream);
    snprintf(copy, sizeof copy, "%s", text != NULL ? text : "");
    struct AdbcError reason = {.message = copy};
    return adg_engine_refused(&reason, result->doing, error);
}

enum adg_status adg_engine_query(struct adg_engine *engine, const char *sql, const char *doing,
                                 struct adg_engine_result **out, struct adg_error *error)
{
    struct AdbcError reason = {0};
    struct adg_engine_result *result = adg_alloc_zero(1, sizeof *result);
    if (result == NULL) {
        return adg_fail_memory(error);
    }
    result->engine = engine;
    result->doing = doing;
    result->row = -1;
    ArrowArrayViewInitFromType(&result->view, NANOARROW_TYPE_STRUCT);
    enum adg_status status = ADG_OK;
    if (engine->driver.StatementNew(&engine->queries, &result->statement, &reason) != ADBC_STATUS_OK ||
        engine->driver.StatementSetSqlQuery(&result->statement, sql, &reason) != ADBC_STATUS_OK ||
        engine->driver.StatementExecuteQuery(&result->statement, &result->stream, NULL, &reason) != ADBC_STATUS_OK) {
        status = adg_engine_refused(&reason, doing, error);
    } else if (result->stream.get_schema(&result->stream, &result->schema) != 0) {
        status = stream_failed(result, error);
    } else {
        ArrowArrayViewReset(&result->view);
        if (ArrowArrayViewInitFromSchema(&result->view, &result->schema, NULL) != NANOARROW_OK) {
            status = adg_fail(error, ADG_FAILED, "%s: the engine's result has a type that is not read here", doing);
        }
    }
    if (status != ADG_OK) {
        adg_engine_result_free(result);
        return status;
    }
    *out = result;
    return ADG_OK;
}

enum adg_status adg_engine_next(struct adg_engine_result *result, bool *has_row, struct adg_error *error)
{
    result->row++;
    while (result->batch.release == NULL || result->row >= result->batch.length) {
        if (result->batch.release != NULL) {
            result->batch.release(&result->batch);
        }
        result->row = 0;
        result->batch = (struct ArrowArray){0};
        if (result->stream.get_next(&result->stream, &result->batch) != 0) {
            return stream_failed(result, error);
        }
        if (result->batch.release == NULL) {
            *has_row = false;
            return ADG_OK;
        }
        if (ArrowArrayViewSetArray(&result->view, &result->batch, NULL) != NANOARROW_OK) {
            return adg_fail(error, ADG_FAILED, "%s: the engine's result cannot be read", result->doing);
        }
    }
    *has_row = true;
    return ADG_OK;
}

bool adg_engine_is_null(const struct adg_engine_result *result, uint32_t column)
{
    return ArrowArrayViewIsNull(result->view.children[column], result->row);
}

int64_t adg_engine_int(const struct adg_engine_result *result, uint32_t column)
{
    return ArrowArrayViewGetIntUnsafe(result->view.children[column], result->row);
}

double adg_engine_double(const struct adg_engine_result *result, uint32_t column)
{
    return ArrowArrayViewGetDoubleUnsafe(result->view.children[column], result->row);
}

struct adg_span adg_engine_text(const struct adg_engine_result *result, uint32_t column)
{
    struct ArrowStringView text = ArrowArrayViewGetStringUnsafe(result->view.children[column], result->row);
    return (struct adg_span){(const uint8_t *)text.data, (size_t)text.size_bytes};
}
