/*
 * What every function that can fail returns, and the message that goes with it.
 *
 * A message is written once, where the failure happens; callers on the way up put context in front
 * ("table hes_apc_2021, field ADMIMETH: ..."). It names the file, line, table, field or row, says what was expected and
 * what kind was found, and what to do. It never shows a value or an exact count from a source: messages leave the secure
 * environment too.
 *
 * The numbers are the exit codes of the command line (0 to 4).
 */
#ifndef ADG_CORE_STATUS_H
#define ADG_CORE_STATUS_H

#include <stdarg.h>

#include "adg.h"

#define ADG_MUST_CHECK __attribute__((warn_unused_result))
#define ADG_PRINTF(at, first) __attribute__((format(printf, at, first)))

/* Writes the message (cut, if it must be, at a UTF-8 boundary) and returns `status`. `error` may be NULL. */
ADG_MUST_CHECK ADG_PRINTF(3, 4) enum adg_status
    adg_fail(struct adg_error *error, enum adg_status status, const char *format, ...);

/* Puts "<context>: " in front of the message that is there and returns `status` unchanged; does nothing when it is ADG_OK. */
ADG_PRINTF(3, 4) enum adg_status adg_context(struct adg_error *error, enum adg_status status, const char *format, ...);

/* The status of a failed allocation. */
ADG_MUST_CHECK enum adg_status adg_fail_memory(struct adg_error *error);

/* ADG_FAILED with "<what>: <text of errno>". */
ADG_MUST_CHECK ADG_PRINTF(3, 4) enum adg_status
    adg_fail_errno(struct adg_error *error, int error_number, const char *format, ...);

#endif
