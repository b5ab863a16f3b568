/*
 * COPY over several connections at once, each with a thread that sends: rows come in runs, and go to whichever connection has room.
 *
 *     adg_lanes_open -> put ... -> end -> adg_lanes_free
 *
 * A connection holds one run that is sent and one that waits. Connections are borrowed until adg_lanes_free. One thread calls.
 */
#ifndef ADG_LOAD_LANES_H
#define ADG_LOAD_LANES_H

#include "core/buffer.h"
#include "load/connection.h"

struct adg_lanes;

/* Begins the statement on every connection. `doing` is borrowed, for messages. */
ADG_MUST_CHECK enum adg_status adg_lanes_open(struct adg_connection *const *connections, uint32_t count,
                                              const char *sql, const char *doing, struct adg_lanes **out,
                                              struct adg_error *error);
/* Takes the bytes and leaves other memory, empty, in their place. ADG_FAILED: the first failure of any connection. */
ADG_MUST_CHECK enum adg_status adg_lanes_put(struct adg_lanes *lanes, struct adg_buffer *bytes,
                                             struct adg_error *error);
/* Waits until everything is sent, and ends the statements. */
ADG_MUST_CHECK enum adg_status adg_lanes_end(struct adg_lanes *lanes, struct adg_error *error);
/* Statements that were not ended fail. */
void adg_lanes_free(struct adg_lanes *lanes);

#endif
