/*
 * Within the migrate room: converted rows as an Arrow stream of the shape that generate writes (docs/arrow.md): batches of ADG_BLOCK_ROWS
 * rows, and columns with a dictionary where it is given.
 *
 *     adg_assembler_new -> begin -> add ... -> end -> adg_assembler_free
 */
#ifndef ADG_MIGRATE_ASSEMBLE_H
#define ADG_MIGRATE_ASSEMBLE_H

#include <nanoarrow/nanoarrow.h>

#include "migrate/entries.h"

struct adg_assembler;

/* `schema` is that of the rows that are added, which has no dictionaries. `entries` [columns of the schema], sorted, NULL: no
 * dictionary. Both are borrowed. */
ADG_MUST_CHECK enum adg_status adg_assembler_new(const struct ArrowSchema *schema, struct adg_entries *const *entries,
                                                 struct adg_assembler **out, struct adg_error *error);
void adg_assembler_free(struct adg_assembler *assembler);

/* Each appends what is complete to `out`. `add` leaves the batch to the caller. */
ADG_MUST_CHECK enum adg_status adg_assembler_begin(struct adg_assembler *assembler, struct adg_buffer *out,
                                                   struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_assembler_add(struct adg_assembler *assembler, const struct ArrowArray *batch,
                                                 struct adg_buffer *out, struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_assembler_end(struct adg_assembler *assembler, struct adg_buffer *out,
                                                 struct adg_error *error);

#endif
