/*
 * Which tables a run writes: those that were asked for, or all of the definition that the metadata have.
 */
#ifndef ADG_RUN_CHOOSE_H
#define ADG_RUN_CHOOSE_H

#include "core/status.h"
#include "run/run.h"

/*
 * Their names, in the definition's memory; the array is the caller's to free. Tables that are left out, since the metadata have nothing
 * about them, are warned about. ADG_BAD_INPUT: one that was asked for is not there, or none is.
 */
ADG_MUST_CHECK enum adg_status adg_run_choose(const struct adg_run_options *options, const char ***out,
                                              uint32_t *out_count, struct adg_error *error);

#endif
