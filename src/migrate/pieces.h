/*
 * Within the migrate room: rows that come as Arrow batches, through the engine in pieces, so that memory does not grow with them.
 *
 *     adg_pieces_begin(&pieces, source, engine, name, error)
 *     adg_pieces_next(&pieces, &more, error) ...       the engine's table ADG_PIECE holds the next rows, and no others
 *     adg_pieces_end(&pieces)
 *
 * There is always a first piece, if need be without rows. And the same with what becomes of a piece in a conversion:
 *
 *     adg_converted_begin(&converted, conversion, source, error)
 *     adg_converted_next(&converted, &batch, error) ...
 *     adg_converted_end(&converted)
 */
#ifndef ADG_MIGRATE_PIECES_H
#define ADG_MIGRATE_PIECES_H

#include <nanoarrow/nanoarrow.h>

#include "migrate/convert.h"

#define ADG_PIECE "piece"

/* Rows that can be read from the first one on, more than once. */
struct adg_row_source {
    /* Sets the schema. */
    enum adg_status (*open)(struct adg_row_source *source, struct adg_error *error);
    /* The next batch, `release` NULL behind the last; the caller releases it. */
    enum adg_status (*next)(struct adg_row_source *source, struct ArrowArray *out, struct adg_error *error);
    /* Also after a failure of either, and before the next open. Releases the schema. */
    void (*close)(struct adg_row_source *source);
    struct ArrowSchema schema;
};

struct adg_pieces {
    struct adg_row_source *source;
    struct adg_engine *engine;
    const char *name; /* of the table or file, for messages; borrowed */
    bool first, ended;
    uint64_t rows;          /* of the piece so far */
    enum adg_status status; /* the source's, met within the engine */
    struct adg_error error;
};

ADG_MUST_CHECK enum adg_status adg_pieces_begin(struct adg_pieces *pieces, struct adg_row_source *source,
                                                struct adg_engine *engine, const char *name, struct adg_error *error);
/* ADG_BAD_INPUT also: the engine does not take all rows. */
ADG_MUST_CHECK enum adg_status adg_pieces_next(struct adg_pieces *pieces, bool *more, struct adg_error *error);
void adg_pieces_end(struct adg_pieces *pieces);

struct adg_converted {
    struct adg_conversion *conversion;
    struct adg_pieces pieces;
    struct adg_engine_result *result;
    struct ArrowSchema schema; /* of the definition */
    const char *query;
};

/* Batches have the columns and types of the definition: adg_arrow's (sink/arrow.h), texts without dictionaries. */
ADG_MUST_CHECK enum adg_status adg_converted_begin(struct adg_converted *converted, struct adg_conversion *conversion,
                                                   struct adg_row_source *source, struct adg_error *error);
/* `release` NULL behind the last; the caller releases it. */
ADG_MUST_CHECK enum adg_status adg_converted_next(struct adg_converted *converted, struct ArrowArray *out,
                                                  struct adg_error *error);
void adg_converted_end(struct adg_converted *converted);

/* ---- whole passes ------------------------------------------------------------------------------------------------ */

/* Columns, from the first piece; then all pieces counted and judged, and added up where `digest` is not NULL; then added up alone. The
 * conversion's relation is ADG_PIECE, or made of it; NULL becomes ADG_PIECE. */
ADG_MUST_CHECK enum adg_status adg_pieces_describe(struct adg_conversion *conversion, struct adg_row_source *source,
                                                   struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_pieces_check(struct adg_conversion *conversion, struct adg_row_source *source,
                                                struct adg_digest *digest, struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_pieces_digest(struct adg_conversion *conversion, struct adg_row_source *source,
                                                 struct adg_digest *digest, struct adg_error *error);

#endif
