/*
 * A sink whose parts are Arrow record batches in memory, one for each block, for who takes batches and not bytes.
 */
#ifndef ADG_SINK_BATCHES_H
#define ADG_SINK_BATCHES_H

#include "sink/sink.h"

struct ArrowArray;
struct ArrowSchema;

extern const struct adg_sink_operations adg_sink_batches;

/* The schema of all of them: types as in sink/arrow.h, without dictionaries. The caller releases it. */
ADG_MUST_CHECK enum adg_status adg_sink_batches_schema(const struct adg_sink *sink, struct ArrowSchema *out,
                                                       struct adg_error *error);
/* Moves the batch out of a part of this sink; the caller releases it. Returns how many bytes its values take. */
uint64_t adg_sink_batches_take(struct adg_sink_part *part, struct ArrowArray *out);

#endif
