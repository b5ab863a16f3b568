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
    adg_engine_watch(result->engine, NULL);
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
    char copy[1024];
    const char *text = result->stream.get_last_error(&result->stream);
    snprintf(copy, sizeof copy, "%s", text != NULL ? text : "");
    struct AdbcError reason = {.message = copy};
    AdbcStatusCode code = ADBC_STATUS_UNKNOWN;
    const struct AdbcError *known = result->engine->driver.ErrorFromArrayStream != NULL
                                        ? result->engine->driver.ErrorFromArrayStream(&result->stream, &code)
                                        : NULL;
    if (known != NULL) {
        memcpy(reason.sqlstate, known->sqlstate, sizeof reason.sqlstate);
    }
    return adg_engine_refused(result->engine, &reason, result->doing, error);
}

/* Runs the query and takes its schema. */
static enum adg_status begin(struct adg_engine *engine, const char *sql, const char *doing,
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
    bool made = engine->driver.StatementNew(&engine->connection, &result->statement, &reason) == ADBC_STATUS_OK;
    if (made) {
        adg_engine_watch(engine, &result->statement);
    }
    if (!made || engine->driver.StatementSetSqlQuery(&result->statement, sql, &reason) != ADBC_STATUS_OK ||
        engine->driver.StatementExecuteQuery(&result->statement, &result->stream, NULL, &reason) != ADBC_STATUS_OK) {
        status = adg_engine_refused(engine, &reason, doing, error);
    } else if (result->stream.get_schema(&result->stream, &result->schema) != 0) {
        status = stream_failed(result, error);
    }
    if (status != ADG_OK) {
        adg_engine_result_free(result);
        return status;
    }
    *out = result;
    return ADG_OK;
}

enum adg_status adg_engine_query(struct adg_engine *engine, const char *sql, const char *doing,
                                 struct adg_engine_result **out, struct adg_error *error)
{
    struct adg_engine_result *result = NULL;
    enum adg_status status = begin(engine, sql, doing, &result, error);
    if (status != ADG_OK) {
        return status;
    }
    ArrowArrayViewReset(&result->view);
    if (ArrowArrayViewInitFromSchema(&result->view, &result->schema, NULL) != NANOARROW_OK) {
        adg_engine_result_free(result);
        return adg_fail(error, ADG_FAILED, "%s: the engine's result has a type that is not read here", doing);
    }
    *out = result;
    return ADG_OK;
}

/* ---- columns ----------------------------------------------------------------------------------------------------- */

enum adg_status adg_engine_describe(struct adg_engine *engine, const char *sql, const char *doing,
                                    struct adg_engine_result **out, struct adg_error *error)
{
    return begin(engine, sql, doing, out, error);
}

uint32_t adg_engine_column_count(const struct adg_engine_result *result)
{
    return result->schema.n_children > 0 ? (uint32_t)result->schema.n_children : 0;
}

static bool has_metadata(const struct ArrowSchema *schema, const char *key, const char *value)
{
    struct ArrowStringView found = {NULL, 0};
    return schema->metadata != NULL &&
           ArrowMetadataGetValue(schema->metadata, ArrowCharView(key), &found) == NANOARROW_OK && found.data != NULL &&
           (size_t)found.size_bytes == strlen(value) && memcmp(found.data, value, strlen(value)) == 0;
}

/* Types that a driver has no Arrow type for come as another one, with a note. */
static bool is_noted(const struct ArrowSchema *schema, enum adg_result_kind *kind)
{
    static const struct {
        const char *key, *value;
        enum adg_result_kind kind;
    } notes[] = {
        {"POSTGRESQL:type", "numeric", ADG_COLUMN_DECIMAL}, {"ADBC:postgresql:typname", "numeric", ADG_COLUMN_DECIMAL},
        {"POSTGRESQL:type", "money", ADG_COLUMN_OTHER},     {"POSTGRESQL:type", "uuid", ADG_COLUMN_TEXT},
        {"POSTGRESQL:type", "oid", ADG_COLUMN_OTHER},       {"ARROW:extension:name", "arrow.uuid", ADG_COLUMN_TEXT},
    };
    for (size_t i = 0; i < sizeof notes / sizeof notes[0]; i++) {
        if (has_metadata(schema, notes[i].key, notes[i].value)) {
            *kind = notes[i].kind;
            return true;
        }
    }
    return false;
}

static enum adg_result_kind kind_of(const struct ArrowSchema *schema)
{
    struct ArrowSchemaView view;
    enum adg_result_kind kind = ADG_COLUMN_OTHER;
    if (is_noted(schema, &kind) || ArrowSchemaViewInit(&view, schema, NULL) != NANOARROW_OK) {
        return kind;
    }
    switch (view.type) {
    case NANOARROW_TYPE_STRING:
    case NANOARROW_TYPE_LARGE_STRING:
    case NANOARROW_TYPE_STRING_VIEW:
    case NANOARROW_TYPE_DICTIONARY: /* an enumeration */
        return ADG_COLUMN_TEXT;
    case NANOARROW_TYPE_INT8:
    case NANOARROW_TYPE_INT16:
    case NANOARROW_TYPE_INT32:
    case NANOARROW_TYPE_INT64:
    case NANOARROW_TYPE_UINT8:
    case NANOARROW_TYPE_UINT16:
    case NANOARROW_TYPE_UINT32:
        return ADG_COLUMN_INT;
    case NANOARROW_TYPE_UINT64:
    case NANOARROW_TYPE_DECIMAL32:
    case NANOARROW_TYPE_DECIMAL64:
    case NANOARROW_TYPE_DECIMAL128:
    case NANOARROW_TYPE_DECIMAL256:
        return ADG_COLUMN_DECIMAL;
    case NANOARROW_TYPE_FLOAT:
        return ADG_COLUMN_FLOAT;
    case NANOARROW_TYPE_DOUBLE:
        return ADG_COLUMN_DOUBLE;
    case NANOARROW_TYPE_DATE32:
        return ADG_COLUMN_DATE;
    case NANOARROW_TYPE_TIMESTAMP:
        return view.timezone != NULL && view.timezone[0] != '\0' ? ADG_COLUMN_ZONED : ADG_COLUMN_TIMESTAMP;
    case NANOARROW_TYPE_BOOL:
        return ADG_COLUMN_BOOLEAN;
    default:
        return ADG_COLUMN_OTHER;
    }
}

const char *adg_engine_column(const struct adg_engine_result *result, uint32_t column, enum adg_result_kind *kind)
{
    *kind = kind_of(result->schema.children[column]);
    return result->schema.children[column]->name;
}

/* The next batch that has rows; none is left when batch.release is NULL. */
static enum adg_status next_batch(struct adg_engine_result *result, struct adg_error *error)
{
    do {
        if (result->batch.release != NULL) {
            result->batch.release(&result->batch);
        }
        result->row = 0;
        result->batch = (struct ArrowArray){0};
        if (result->stream.get_next(&result->stream, &result->batch) != 0) {
            return stream_failed(result, error);
        }
        if (result->batch.release != NULL &&
            ArrowArrayViewSetArray(&result->view, &result->batch, NULL) != NANOARROW_OK) {
            return adg_fail(error, ADG_FAILED, "%s: the engine's result cannot be read", result->doing);
        }
    } while (result->batch.release != NULL && result->batch.length == 0);
    return ADG_OK;
}

enum adg_status adg_engine_next(struct adg_engine_result *result, bool *has_row, struct adg_error *error)
{
    enum adg_status status = ADG_OK;
    result->row++;
    if (result->batch.release == NULL || result->row >= result->batch.length) {
        status = next_batch(result, error);
    }
    *has_row = result->batch.release != NULL;
    return status;
}

enum adg_status adg_engine_next_batch(struct adg_engine_result *result, uint32_t *rows, struct adg_error *error)
{
    enum adg_status status = next_batch(result, error);
    if (status == ADG_OK && result->batch.release != NULL && result->batch.length > UINT32_MAX) {
        status = adg_fail(error, ADG_FAILED, "%s: the engine's batches are too large", result->doing);
    }
    *rows = status == ADG_OK && result->batch.release != NULL ? (uint32_t)result->batch.length : 0;
    return status;
}

enum adg_status adg_engine_schema(const struct adg_engine_result *result, struct ArrowSchema *out,
                                  struct adg_error *error)
{
    return ArrowSchemaDeepCopy(&result->schema, out) == NANOARROW_OK ? ADG_OK : adg_fail_memory(error);
}

enum adg_status adg_engine_next_array(struct adg_engine_result *result, struct ArrowArray *out, struct adg_error *error)
{
    struct ArrowArray batch = {0};
    if (result->stream.get_next(&result->stream, &batch) != 0) {
        return stream_failed(result, error);
    }
    *out = batch;
    return ADG_OK;
}

/* Whether a column's rows are all null, as far as the batch says so at once. */
static bool is_all_null(const struct ArrowArrayView *view)
{
    return view->array->null_count == view->array->length;
}

uint32_t adg_engine_read_texts(const struct adg_engine_result *result, uint32_t column, uint32_t first, uint32_t count,
                               struct adg_span *out)
{
    const struct ArrowArrayView *view = result->view.children[column];
    uint32_t filled = 0;
    for (uint32_t i = 0; i < count && !is_all_null(view); i++) {
        out[i] = (struct adg_span){NULL, 0};
        if (!ArrowArrayViewIsNull(view, first + i)) {
            struct ArrowStringView text = ArrowArrayViewGetStringUnsafe(view, first + i);
            out[i] = (struct adg_span){(const uint8_t *)text.data, (size_t)text.size_bytes};
            filled++;
        }
    }
    return filled;
}

uint32_t adg_engine_read_ints(const struct adg_engine_result *result, uint32_t column, uint32_t first, uint32_t count,
                              int64_t *out, bool *null)
{
    const struct ArrowArrayView *view = result->view.children[column];
    uint32_t filled = 0;
    for (uint32_t i = 0; i < count && !is_all_null(view); i++) {
        null[i] = ArrowArrayViewIsNull(view, first + i) != 0;
        out[i] = null[i] ? 0 : ArrowArrayViewGetIntUnsafe(view, first + i);
        filled += !null[i];
    }
    return filled;
}

uint32_t adg_engine_read_doubles(const struct adg_engine_result *result, uint32_t column, uint32_t first,
                                 uint32_t count, double *out, bool *null)
{
    const struct ArrowArrayView *view = result->view.children[column];
    uint32_t filled = 0;
    for (uint32_t i = 0; i < count && !is_all_null(view); i++) {
        null[i] = ArrowArrayViewIsNull(view, first + i) != 0;
        out[i] = null[i] ? 0 : ArrowArrayViewGetDoubleUnsafe(view, first + i);
        filled += !null[i];
    }
    return filled;
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
