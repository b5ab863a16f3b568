/*
 * Within the migrate room: an Arrow stream (IPC, docs/arrow.md) converted. The steps are those of convert.h, and so are their statuses.
 *
 * The new stream has the shape of one that generate writes. A text has a dictionary where it had one: which columns generate gives one is a
 * matter of the metadata.
 */
#ifndef ADG_MIGRATE_STREAM_H
#define ADG_MIGRATE_STREAM_H

#include "migrate/convert.h"

ADG_MUST_CHECK enum adg_status adg_stream_conversion_open(struct adg_conversion *conversion, struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_stream_conversion_check(struct adg_conversion *conversion, struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_stream_conversion_write(struct adg_conversion *conversion, struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_stream_conversion_verify(struct adg_conversion *conversion, struct adg_error *error);

#endif
