/*
 * Rows in pieces: see pieces.h.
 */
#include "migrate/pieces.h"

#include <errno.h>

#include "core/stop.h"
#include "sink/arrow.h"

/* A piece has so many rows, or so many cells, and the rest of the batch that brought them. */
enum { PIECE_ROWS = 65536, PIECE_CELLS = 1 << 21 };

/* ---- pieces ------------------------------------------------------------------------------------------------------ */

static int get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
    const struct adg_pieces *pieces = stream->private_data;
    return ArrowSchemaDeepCopy(&pieces->source->schema, out);
}

static int get_next(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
    struct adg_pieces *pieces = stream->private_data;
    *out = (struct ArrowArray){.release = NULL};
    const uint64_t columns = (uint64_t)pieces->source->schema.n_children;
    if (pieces->ended || pieces->rows >= PIECE_ROWS || pieces->rows * columns >= PIECE_CELLS ||
        pieces->status != ADG_OK) {
        return pieces->status == ADG_OK ? 0 : EIO;
    }
    pieces->status = adg_stop_check(&pieces->error);
    if (pieces->status == ADG_OK) {
        pieces->status = pieces->source->next(pieces->source, out, &pieces->error);
    }
    pieces->ended = pieces->status != ADG_OK || out->release == NULL;
    pieces->rows += pieces->ended ? 0 : (uint64_t)out->length;
    return pieces->status == ADG_OK ? 0 : EIO;
}

static const char *get_last_error(struct ArrowArrayStream *stream)
{
    (void)stream;
    return "the rows cannot be read";
}

static void release(struct ArrowArrayStream *stream)
{
    stream->release = NULL;
}

enum adg_status adg_pieces_begin(struct adg_pieces *pieces, struct adg_row_source *source, struct adg_engine *engine,
                                 const char *name, struct adg_error *error)
{
    *pieces = (struct adg_pieces){.source = source, .engine = engine, .name = name, .first = true};
    return source->open(source, error);
}

/* DuckDB's driver, in 1.5.6, loses the failure of the last rows: of text that is no UTF-8, for instance, they are not there. */
static enum adg_status check_rows(const struct adg_pieces *pieces, struct adg_error *error)
{
    struct adg_engine_result *result = NULL;
    bool has_row = false;
    enum adg_status status = adg_engine_query(pieces->engine, "select count(*) from " ADG_PIECE, pieces->name, &result,
                                              error);
    status = status == ADG_OK ? adg_engine_next(result, &has_row, error) : status;
    if (status == ADG_OK && (!has_row || (uint64_t)adg_engine_int(result, 0) != pieces->rows)) {
        status = adg_fail(error, ADG_BAD_INPUT, "%s: rows that cannot be read, such as text that is no UTF-8",
                          pieces->name);
    }
    adg_engine_result_free(result);
    return status;
}

enum adg_status adg_pieces_next(struct adg_pieces *pieces, bool *more, struct adg_error *error)
{
    struct ArrowArrayStream stream = {.get_schema = get_schema,
                                      .get_next = get_next,
                                      .get_last_error = get_last_error,
                                      .release = release,
                                      .private_data = pieces};
    *more = pieces->first || !pieces->ended;
    if (!*more) {
        return ADG_OK;
    }
    pieces->rows = 0;
    enum adg_status status = adg_engine_execute(pieces->engine, "drop table if exists " ADG_PIECE, pieces->name, error);
    if (status == ADG_OK) {
        status = adg_engine_ingest(pieces->engine, ADG_PIECE, ADG_INGEST_CREATE, &stream, pieces->name, error);
    }
    if (pieces->status != ADG_OK) { /* in better words than the engine's */
        *error = pieces->error;
        status = pieces->status;
    }
    status = status == ADG_OK ? check_rows(pieces, error) : status;
    *more = status == ADG_OK && (pieces->first || pieces->rows > 0);
    pieces->first = false;
    return status;
}

void adg_pieces_end(struct adg_pieces *pieces)
{
    if (pieces->source != NULL) {
        pieces->source->close(pieces->source);
    }
}

/* ---- converted --------------------------------------------------------------------------------------------------- */

static int make_schema(const struct adg_dataset *dataset, struct ArrowSchema *out)
{
    ArrowSchemaInit(out);
    NANOARROW_RETURN_NOT_OK(ArrowSchemaSetTypeStruct(out, dataset->field_count));
    for (uint32_t i = 0; i < dataset->field_count; i++) {
        NANOARROW_RETURN_NOT_OK(adg_arrow_set_field(out->children[i], &dataset->fields[i], false));
    }
    return NANOARROW_OK;
}

enum adg_status adg_converted_begin(struct adg_converted *converted, struct adg_conversion *conversion,
                                    struct adg_row_source *source, struct adg_error *error)
{
    const char *list = NULL;
    *converted = (struct adg_converted){.conversion = conversion};
    enum adg_status status = adg_conversion_columns(conversion, &list, error);
    struct adg_sql sql = {
        .dialect = adg_dialect_find("duckdb"), .arena = conversion->arena, .status = status, .error = error};
    if (status == ADG_OK) {
        converted->query = ADG_SQL(&sql, "select $1 from $2", list, conversion->relation);
        status = sql.status;
    }
    if (status == ADG_OK && make_schema(conversion->dataset, &converted->schema) != NANOARROW_OK) {
        status = adg_fail_memory(error);
    }
    return status == ADG_OK ? adg_pieces_begin(&converted->pieces, source, conversion->engine, conversion->file, error)
                            : status;
}

/* A format may be written in two ways: d:9,2 and d:9,2,128. */
static bool is_same_type(const struct ArrowSchema *found, const struct ArrowSchema *wanted)
{
    struct ArrowSchemaView a = {0}, b = {0}; /* what a type does not have is not set */
    return ArrowSchemaViewInit(&a, found, NULL) == NANOARROW_OK &&
           ArrowSchemaViewInit(&b, wanted, NULL) == NANOARROW_OK && a.type == b.type &&
           a.decimal_precision == b.decimal_precision && a.decimal_scale == b.decimal_scale &&
           a.time_unit == b.time_unit;
}

/* The next piece as a query's result, whose types must be those that were asked for; *more is false behind the last. */
static enum adg_status begin_piece(struct adg_converted *converted, bool *more, struct adg_error *error)
{
    struct ArrowSchema found = {.release = NULL};
    enum adg_status status = adg_pieces_next(&converted->pieces, more, error);
    if (status != ADG_OK || !*more) {
        return status;
    }
    status = adg_engine_query(converted->conversion->engine, converted->query, "converting", &converted->result, error);
    if (status == ADG_OK) {
        status = adg_engine_schema(converted->result, &found, error);
    }
    for (int64_t i = 0; i < converted->schema.n_children && status == ADG_OK; i++) {
        if (!is_same_type(found.children[i], converted->schema.children[i])) {
            status = adg_fail(error, ADG_FAILED, "column %s: the engine gives it another type than its own",
                              converted->schema.children[i]->name);
        }
    }
    if (found.release != NULL) {
        found.release(&found);
    }
    return status;
}

enum adg_status adg_converted_next(struct adg_converted *converted, struct ArrowArray *out, struct adg_error *error)
{
    bool more = true;
    *out = (struct ArrowArray){.release = NULL};
    for (;;) {
        if (converted->result == NULL) {
            enum adg_status status = begin_piece(converted, &more, error);
            if (status != ADG_OK || !more) {
                return status;
            }
        }
        enum adg_status status = adg_engine_next_array(converted->result, out, error);
        if (status != ADG_OK || out->release != NULL) {
            return status;
        }
        adg_engine_result_free(converted->result);
        converted->result = NULL;
    }
}

void adg_converted_end(struct adg_converted *converted)
{
    adg_engine_result_free(converted->result);
    adg_pieces_end(&converted->pieces);
    if (converted->schema.release != NULL) {
        converted->schema.release(&converted->schema);
    }
}

/* ---- whole passes ------------------------------------------------------------------------------------------------ */

/* One pass; `each` is called for every piece that the engine holds. `only_first`: for the first one. */
static enum adg_status pass(struct adg_conversion *conversion, struct adg_row_source *source, bool only_first,
                            enum adg_status (*each)(struct adg_conversion *conversion, void *context,
                                                    struct adg_error *error),
                            void *context, struct adg_error *error)
{
    struct adg_pieces pieces;
    bool more = true;
    enum adg_status status = adg_pieces_begin(&pieces, source, conversion->engine, conversion->file, error);
    while (status == ADG_OK && more) {
        status = adg_pieces_next(&pieces, &more, error);
        if (status == ADG_OK && more) {
            status = each(conversion, context, error);
            more = !only_first;
        }
    }
    adg_pieces_end(&pieces);
    return status;
}

static enum adg_status describe(struct adg_conversion *conversion, void *context, struct adg_error *error)
{
    (void)context;
    return adg_conversion_describe(conversion, error);
}

static enum adg_status add(struct adg_conversion *conversion, void *context, struct adg_error *error)
{
    const char *list = NULL;
    enum adg_status status = adg_conversion_columns(conversion, &list, error);
    return status == ADG_OK ? adg_conversion_add(conversion, list, conversion->relation, context, error) : status;
}

static enum adg_status count(struct adg_conversion *conversion, void *context, struct adg_error *error)
{
    enum adg_status status = adg_conversion_count(conversion, error);
    return status == ADG_OK && context != NULL ? add(conversion, context, error) : status;
}

enum adg_status adg_pieces_describe(struct adg_conversion *conversion, struct adg_row_source *source,
                                    struct adg_error *error)
{
    conversion->relation = conversion->relation != NULL ? conversion->relation : ADG_PIECE;
    return pass(conversion, source, true, describe, NULL, error);
}

enum adg_status adg_pieces_check(struct adg_conversion *conversion, struct adg_row_source *source,
                                 struct adg_digest *digest, struct adg_error *error)
{
    enum adg_status status = pass(conversion, source, false, count, digest, error);
    return status == ADG_OK ? adg_conversion_judge(conversion, error) : status;
}

enum adg_status adg_pieces_digest(struct adg_conversion *conversion, struct adg_row_source *source,
                                  struct adg_digest *digest, struct adg_error *error)
{
    return pass(conversion, source, false, add, digest, error);
}
