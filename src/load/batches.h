/*
 * An Arrow stream whose batches come from another thread: who makes them puts them in, who takes the stream waits for them.
 *
 *     adg_batches_new -> adg_batches_stream, which a consumer on another thread takes over and releases
 *                     -> put ..., then end or give_up -> (the consumer is done) -> adg_batches_free
 *
 * No more than a few batches wait.
 */
#ifndef ADG_LOAD_BATCHES_H
#define ADG_LOAD_BATCHES_H

#include <stdbool.h>

#include "core/status.h"

struct ArrowArray;
struct ArrowArrayStream;
struct ArrowSchema;
struct adg_batches;

/* Takes the schema over. */
ADG_MUST_CHECK enum adg_status adg_batches_new(struct ArrowSchema *schema, struct adg_batches **out,
                                               struct adg_error *error);
void adg_batches_stream(struct adg_batches *batches, struct ArrowArrayStream *out);
/* Takes the batch over and waits for room; false: nobody takes it any more, it is released. */
bool adg_batches_put(struct adg_batches *batches, struct ArrowArray *batch);
void adg_batches_end(struct adg_batches *batches);
/* The stream fails at its next batch. */
void adg_batches_give_up(struct adg_batches *batches);
/* Called by the consumer's thread when it takes no more. */
void adg_batches_close(struct adg_batches *batches);
void adg_batches_free(struct adg_batches *batches);

#endif
