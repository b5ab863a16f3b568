/*
 * The private folder that an engine spills to.
 */
#ifndef ADG_ENGINE_SPILL_H
#define ADG_ENGINE_SPILL_H

#include "core/status.h"

/* Makes ".adg-spill.<random>" (mode 0700) beside `folder`: where that may be written, so may this. The absolute path is *out. */
ADG_MUST_CHECK enum adg_status adg_spill_create(const char *folder, char **out, struct adg_error *error);
/* Removes and frees it (NULL: nothing); `status` is what came before, and comes back unless removing fails after ADG_OK. */
ADG_MUST_CHECK enum adg_status adg_spill_remove(char *spill, enum adg_status status, struct adg_error *error);

#endif
