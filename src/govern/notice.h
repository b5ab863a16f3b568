/*
 * The notice for users that lies beside published tables.
 */
#ifndef ADG_GOVERN_NOTICE_H
#define ADG_GOVERN_NOTICE_H

#include <jansson.h>

#include "core/buffer.h"

/* Appends NOTICE.md, or with `html` NOTICE.html (self-contained), for the tables of a provenance.json. */
ADG_MUST_CHECK enum adg_status adg_notice_write(json_t *provenance, bool html, struct adg_buffer *out,
                                                struct adg_error *error);

#endif
