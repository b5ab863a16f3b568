/*
 * Blocks of a plan on their way into a file's parts: what one thread makes them with, and encodes them with.
 */
#ifndef ADG_RUN_ENCODING_H
#define ADG_RUN_ENCODING_H

#include "generate/plan.h"
#include "sink/sink.h"

struct adg_encoding {
    const struct adg_sink_operations *operations;
    struct adg_sink_encoder *encoder; /* parts begin and end with it */
    struct adg_block *block;
};

/* Sink and plan are borrowed. The encoding stays where it is until it is finished. */
ADG_MUST_CHECK enum adg_status adg_encoding_init(struct adg_encoding *encoding,
                                                 const struct adg_sink_operations *operations,
                                                 const struct adg_sink *sink, const struct adg_plan *plan,
                                                 struct adg_error *error);
/* The plan's block of this number becomes the next of the part; how many rows it has. */
ADG_MUST_CHECK enum adg_status adg_encoding_add(struct adg_encoding *encoding, uint64_t number, uint32_t *rows,
                                                struct adg_error *error);
void adg_encoding_fini(struct adg_encoding *encoding); /* accepts a zeroed one */

#endif
