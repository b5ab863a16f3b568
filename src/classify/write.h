/*
 * A proposal as the YAML of a definition, with the evidence as comments.
 */
#ifndef ADG_CLASSIFY_WRITE_H
#define ADG_CLASSIFY_WRITE_H

#include "classify/propose.h"
#include "core/buffer.h"

/* Appends the document. `all_rows`: false when the table has more rows than were looked at. */
ADG_MUST_CHECK enum adg_status adg_proposal_write(const struct adg_proposal *proposal, const char *dataset,
                                                  const char *table, bool all_rows, struct adg_buffer *out,
                                                  struct adg_error *error);

#endif
