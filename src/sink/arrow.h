/*
 * Blocks as Arrow record batches, in memory (the C data interface, https://arrow.apache.org/docs/format/CDataInterface.html):
 *
 *     STRING  utf8, or dictionary<int32, utf8> where dictionaries are asked for and the column has one
 *     INT32   int32       INT64  int64      DOUBLE     float64
 *     DATE    date32      BOOLEAN  bool     TIMESTAMP  timestamp[us]     DECIMAL  decimal128(precision, scale)
 *
 * Only texts have dictionaries: a number takes no more room than its code. A dictionary is the same in all batches and is
 * shared by them: every exported one counts as its holder, so batches, and arrays moved out of them, live as long as
 * somebody wants them, whatever has been freed meanwhile. All fields are nullable, as they are in Parquet.
 *
 * A struct adg_arrow is immutable once made: any thread may make batches with it.
 */
#ifndef ADG_SINK_ARROW_H
#define ADG_SINK_ARROW_H

#include "block/block.h"
#include "core/status.h"

struct ArrowArray;
struct ArrowSchema;
struct adg_arrow;

/* `columns` [count] are those of the layout that become the batch's, in this order; NULL: all. The layout is borrowed. */
ADG_MUST_CHECK enum adg_status adg_arrow_new(const struct adg_layout *layout, const uint32_t *columns, uint32_t count,
                                             bool dictionaries, struct adg_arrow **out, struct adg_error *error);
void adg_arrow_free(struct adg_arrow *arrow);

/* A struct of the columns. The caller releases it. */
ADG_MUST_CHECK enum adg_status adg_arrow_schema(const struct adg_arrow *arrow, struct ArrowSchema *out,
                                                struct adg_error *error);

/* Name and type of a field, for a schema that is initialised. A code of nanoarrow's. */
int adg_arrow_set_field(struct ArrowSchema *schema, const struct adg_field *field, bool as_dictionary);

/* The rows of the block, copied. The caller releases it, on any thread. */
ADG_MUST_CHECK enum adg_status adg_arrow_batch(const struct adg_arrow *arrow, const struct adg_block *block,
                                               struct ArrowArray *out, struct adg_error *error);

#endif
