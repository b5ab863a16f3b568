/*
 * Stopping early: SIGINT and SIGTERM only raise a flag; long work looks at it between blocks, tidies up and ends.
 */
#ifndef ADG_CORE_STOP_H
#define ADG_CORE_STOP_H

#include <stdbool.h>

#include "core/status.h"

/* Installs the handlers (command line only, before threads start). */
void adg_stop_install(void);
bool adg_stop_requested(void);
void adg_stop_request(void); /* what the handler does */
/* ADG_OK, or ADG_FAILED with "stopped by a signal; nothing half-written is left". */
ADG_MUST_CHECK enum adg_status adg_stop_check(struct adg_error *error);

#endif
