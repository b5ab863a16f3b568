/*
 * The private folder for what does not fit into memory: the engine's and our own.
 */
#ifndef ADG_ENGINE_SPILL_H
#define ADG_ENGINE_SPILL_H

#include <stdio.h>

#include "core/status.h"

/* Makes ".adg-spill.<random>" (mode 0700) beside `folder`: where that may be written, so may this. The absolute path is *out. */
ADG_MUST_CHECK enum adg_status adg_spill_create(const char *folder, char **out, struct adg_error *error);
/* Removes and frees it (NULL: nothing); `status` is what came before, and comes back unless removing fails after ADG_OK. */
ADG_MUST_CHECK enum adg_status adg_spill_remove(char *spill, enum adg_status status, struct adg_error *error);

/* A file in it, to be written and read, that is gone when it is closed, whatever ends the process. */
ADG_MUST_CHECK enum adg_status adg_spill_open_file(const char *spill, FILE **out, struct adg_error *error);

#endif
