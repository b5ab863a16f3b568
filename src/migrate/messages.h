/*
 * Within the migrate room: whether the messages of an Arrow stream fit together, before nanoarrow reads them, which takes some things on
 * trust: of a dictionary that it is not compressed and how many buffers it has, of all where these lie and how long columns are.
 */
#ifndef ADG_MIGRATE_MESSAGES_H
#define ADG_MIGRATE_MESSAGES_H

#include <stdio.h>

#include "core/status.h"

/* From the file's beginning to the end marker, and back to the beginning. ADG_BAD_INPUT: it is no stream, it was cut off, it is compressed,
 * or a dictionary holds anything but texts. Bodies are passed over. */
ADG_MUST_CHECK enum adg_status adg_messages_check(FILE *file, const char *path, struct adg_error *error);

#endif
