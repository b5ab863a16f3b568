/*
 * Within the report room.
 */
#ifndef ADG_REPORT_INTERNAL_H
#define ADG_REPORT_INTERNAL_H

#include <jansson.h>

#include "core/buffer.h"

/* Appends the page of that name with the style, the data (NULL: memory was short) and the script in their places. */
ADG_MUST_CHECK enum adg_status adg_report_put(const char *page, json_t *data, struct adg_buffer *out,
                                              struct adg_error *error);

#endif
