/*
 * Messages of an Arrow IPC stream (https://arrow.apache.org/docs/format/Columnar.html, "Encapsulated message format"): rows, or a
 * dictionary, whose buffers lie somewhere in memory.
 *
 *     adg_arrow_message_new -> (adg_arrow_message_node, its buffers) ..., adg_arrow_message_put, again and again -> adg_arrow_message_free
 *
 * A message is -1, the size of its FlatBuffer, the FlatBuffer, padding to 8, then the body: the buffers, each padded to 8. nanoarrow
 * encodes record batches without dictionaries only, so those of both kinds are built here, with the FlatBuffers code that it comes with.
 */
#ifndef ADG_SINK_ARROW_MESSAGE_H
#define ADG_SINK_ARROW_MESSAGE_H

#include "core/buffer.h"

struct ArrowSchema;
struct adg_arrow_message;

/* `nodes`: the most columns of a message, each of three buffers at most. */
ADG_MUST_CHECK enum adg_status adg_arrow_message_new(uint32_t nodes, struct adg_arrow_message **out,
                                                     struct adg_error *error);
void adg_arrow_message_free(struct adg_arrow_message *message);

/* The next column, and its buffers in their order; `data` stays as it is until put. */
void adg_arrow_message_node(struct adg_arrow_message *message, int64_t length, int64_t null_count);
void adg_arrow_message_buffer(struct adg_arrow_message *message, const void *data, size_t bytes);

/* Appends the message of what was added since the last one. `dictionary`: its number; -1: a record batch. */
ADG_MUST_CHECK enum adg_status adg_arrow_message_put(struct adg_arrow_message *message, int64_t rows,
                                                     int64_t dictionary, struct adg_buffer *out,
                                                     struct adg_error *error);

/* Appends the message that a stream begins with. Dictionaries have the numbers 0, 1, ... in the order of their columns. */
ADG_MUST_CHECK enum adg_status adg_arrow_put_schema(const struct ArrowSchema *schema, struct adg_buffer *out,
                                                    struct adg_error *error);
/* Appends the marker that a stream ends with. */
ADG_MUST_CHECK enum adg_status adg_arrow_put_end(struct adg_buffer *out, struct adg_error *error);

#endif
