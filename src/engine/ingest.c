/*
 * Rows into an engine: batches built with nanoarrow, handed over as an Arrow stream that the engine pulls.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "engine/internal.h"

/*
 * A batch ends at this many rows, or this many bytes of text. A statement takes this many batches and is committed: what it
 * holds until then is memory that the engine neither counts nor spills.
 */
enum { BATCH_ROWS = 16384, BATCH_TEXT_BYTES = 1 << 26, STATEMENT_BATCHES = 2 };

struct adg_engine_batch {
    struct ArrowArray array;
    size_t text_bytes;
};

/* The stream that the engine pulls from; lives on the stack of adg_engine_ingest. */
struct ingest {
    const struct adg_engine_column *columns;
    uint32_t column_count;
    adg_engine_row next;
    void *context;
    int64_t rows;     /* handed over */
    unsigned batches; /* of the statement */
    bool end;
    enum adg_status status;
    struct adg_error error;
};

static enum adg_status full(int code, struct adg_error *error)
{
    return code == NANOARROW_OK ? ADG_OK : adg_fail_memory(error);
}

enum adg_status adg_engine_put_null(struct adg_engine_batch *batch, uint32_t column, struct adg_error *error)
{
    return full(ArrowArrayAppendNull(batch->array.children[column], 1), error);
}

enum adg_status adg_engine_put_int(struct adg_engine_batch *batch, uint32_t column, int64_t value,
                                   struct adg_error *error)
{
    return full(ArrowArrayAppendInt(batch->array.children[column], value), error);
}

enum adg_status adg_engine_put_double(struct adg_engine_batch *batch, uint32_t column, double value,
                                      struct adg_error *error)
{
    return full(ArrowArrayAppendDouble(batch->array.children[column], value), error);
}

enum adg_status adg_engine_put_text(struct adg_engine_batch *batch, uint32_t column, struct adg_span text,
                                    struct adg_error *error)
{
    batch->text_bytes += text.size;
    struct ArrowStringView view = {(const char *)text.data, (int64_t)text.size};
    return full(ArrowArrayAppendString(batch->array.children[column], view), error);
}

static int get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
    static const enum ArrowType types[] = {NANOARROW_TYPE_INT64, NANOARROW_TYPE_DOUBLE, NANOARROW_TYPE_STRING};
    const struct ingest *ingest = stream->private_data;
    ArrowSchemaInit(out);
    int code = ArrowSchemaSetTypeStruct(out, ingest->column_count);
    for (uint32_t i = 0; i < ingest->column_count && code == NANOARROW_OK; i++) {
        code = ArrowSchemaSetType(out->children[i], types[ingest->columns[i].type]);
        if (code == NANOARROW_OK) {
            code = ArrowSchemaSetName(out->children[i], ingest->columns[i].name);
        }
    }
    if (code != NANOARROW_OK && out->release != NULL) {
        out->release(out);
    }
    return code;
}

static int get_next(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
    struct ingest *ingest = stream->private_data;
    struct ArrowSchema schema;
    struct adg_engine_batch batch = {0};
    memset(out, 0, sizeof *out);
    if (ingest->end || ingest->batches == STATEMENT_BATCHES || ingest->status != ADG_OK) {
        return ingest->status != ADG_OK ? EIO : 0;
    }
    if (get_schema(stream, &schema) != NANOARROW_OK) {
        ingest->status = adg_fail_memory(&ingest->error);
        return ENOMEM;
    }
    if (ArrowArrayInitFromSchema(&batch.array, &schema, NULL) != NANOARROW_OK ||
        ArrowArrayStartAppending(&batch.array) != NANOARROW_OK) {
        ingest->status = adg_fail_memory(&ingest->error);
    }
    schema.release(&schema);
    int64_t rows = 0;
    while (ingest->status == ADG_OK && rows < BATCH_ROWS && batch.text_bytes < BATCH_TEXT_BYTES) {
        ingest->status = ingest->next(ingest->context, &batch, &ingest->end, &ingest->error);
        if (ingest->end || ingest->status != ADG_OK) {
            break;
        }
        if (ArrowArrayFinishElement(&batch.array) != NANOARROW_OK) {
            ingest->status = adg_fail_memory(&ingest->error);
        }
        rows++;
    }
    if (ingest->status == ADG_OK && ArrowArrayFinishBuildingDefault(&batch.array, NULL) != NANOARROW_OK) {
        ingest->status = adg_fail_memory(&ingest->error);
    }
    if (ingest->status != ADG_OK || rows == 0) {
        if (batch.array.release != NULL) {
            batch.array.release(&batch.array);
        }
        return ingest->status != ADG_OK ? EIO : 0;
    }
    ingest->rows += rows;
    ingest->batches++;
    ArrowArrayMove(&batch.array, out);
    return 0;
}

static const char *get_last_error(struct ArrowArrayStream *stream)
{
    (void)stream;
    return "the source of rows failed";
}

static void release(struct ArrowArrayStream *stream)
{
    stream->release = NULL;
}

static const char *sql_type(enum adg_engine_type type)
{
    static const char *const types[] = {"bigint", "double", "varchar"};
    return types[type];
}

static enum adg_status create_table(struct adg_engine *engine, const char *table,
                                    const struct adg_engine_column *columns, uint32_t column_count,
                                    struct adg_error *error)
{
    struct adg_buffer sql = {0};
    enum adg_status status = adg_buffer_append_text(&sql, "create table ", error);
    if (status == ADG_OK) {
        status = adg_sql_identifier(&sql, table, error);
    }
    for (uint32_t i = 0; i < column_count && status == ADG_OK; i++) {
        status = adg_buffer_append_text(&sql, i == 0 ? " (" : ", ", error);
        if (status == ADG_OK) {
            status = adg_sql_identifier(&sql, columns[i].name, error);
        }
        if (status == ADG_OK) {
            status = adg_buffer_printf(&sql, error, " %s", sql_type(columns[i].type));
        }
    }
    if (status == ADG_OK) {
        status = adg_buffer_append_text(&sql, ")", error);
    }
    const char *text = status == ADG_OK ? adg_buffer_text(&sql) : NULL;
    if (status == ADG_OK) {
        status = text == NULL ? adg_fail_memory(error)
                              : adg_engine_execute(engine, text, "creating a table in the engine", error);
    }
    adg_buffer_fini(&sql);
    return status;
}

/* The driver says that all went well, too, where memory ran out and the table stayed empty: the rows are counted. */
static enum adg_status check_rows(struct adg_engine *engine, const char *table, int64_t rows, struct adg_error *error)
{
    struct adg_buffer sql = {0};
    struct adg_engine_result *result = NULL;
    bool has_row = false;
    enum adg_status status = adg_buffer_append_text(&sql, "select count(*) from ", error);
    if (status == ADG_OK) {
        status = adg_sql_identifier(&sql, table, error);
    }
    const char *text = status == ADG_OK ? adg_buffer_text(&sql) : NULL;
    if (status == ADG_OK) {
        status = text == NULL ? adg_fail_memory(error)
                              : adg_engine_query(engine, text, "counting loaded rows", &result, error);
    }
    if (status == ADG_OK) {
        status = adg_engine_next(result, &has_row, error);
    }
    if (status == ADG_OK && (!has_row || adg_engine_int(result, 0) != rows)) {
        status = adg_fail(error, ADG_FAILED,
                          "the engine lost rows while they were loaded: its memory is too small for the table");
    }
    adg_engine_result_free(result);
    adg_buffer_fini(&sql);
    return status;
}

/* One statement: the next batches. */
static enum adg_status append_batches(struct adg_engine *engine, const char *table, struct ingest *ingest,
                                      struct adg_error *error)
{
    struct ArrowArrayStream stream = {.get_schema = get_schema,
                                      .get_next = get_next,
                                      .get_last_error = get_last_error,
                                      .release = release,
                                      .private_data = ingest};
    struct AdbcStatement statement = {0};
    struct AdbcError reason = {0};
    const struct AdbcDriver *driver = &engine->driver;
    enum adg_status status = ADG_OK;
    ingest->batches = 0;
    if (driver->StatementNew(&engine->rows_in, &statement, &reason) != ADBC_STATUS_OK ||
        driver->StatementSetOption(&statement, ADBC_INGEST_OPTION_TARGET_TABLE, table, &reason) != ADBC_STATUS_OK ||
        driver->StatementSetOption(&statement, ADBC_INGEST_OPTION_MODE, ADBC_INGEST_OPTION_MODE_APPEND, &reason) !=
            ADBC_STATUS_OK ||
        driver->StatementBindStream(&statement, &stream, &reason) != ADBC_STATUS_OK ||
        driver->StatementExecuteQuery(&statement, NULL, NULL, &reason) != ADBC_STATUS_OK) {
        status = adg_engine_refused(&reason, "loading rows into the engine", error);
    }
    if (ingest->status != ADG_OK) {
        status = ingest->status;
        if (error != NULL) {
            *error = ingest->error;
        }
    }
    if (statement.private_data != NULL) {
        driver->StatementRelease(&statement, NULL);
    }
    if (stream.release != NULL) {
        stream.release(&stream);
    }
    return status;
}

enum adg_status adg_engine_ingest(struct adg_engine *engine, const char *table, const struct adg_engine_column *columns,
                                  uint32_t column_count, adg_engine_row next, void *context, struct adg_error *error)
{
    struct ingest ingest = {.columns = columns, .column_count = column_count, .next = next, .context = context};
    enum adg_status status = create_table(engine, table, columns, column_count, error);
    while (status == ADG_OK && !ingest.end) {
        status = append_batches(engine, table, &ingest, error);
        if (status == ADG_OK) {
            status = check_rows(engine, table, ingest.rows, error);
        }
    }
    return status;
}
