/*
 * JSON as the project's files have it.
 */
#ifndef ADG_METADATA_JSON_H
#define ADG_METADATA_JSON_H

#include <jansson.h>

#include "core/buffer.h"

/* Appends the value, laid out as jansson's flags say, and a line end. `root` stays the caller's; NULL: memory was short when it was made. */
ADG_MUST_CHECK enum adg_status adg_json_append(struct adg_buffer *out, const json_t *root, size_t flags,
                                               struct adg_error *error);

#endif
