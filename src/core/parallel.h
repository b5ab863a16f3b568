/*
 * Work in numbered parts on several threads: parallel-for. Ordered hand-over of results lives in run/.
 */
#ifndef ADG_CORE_PARALLEL_H
#define ADG_CORE_PARALLEL_H

#include <stdint.h>

#include "core/status.h"

typedef enum adg_status (*adg_parallel_work)(void *context, uint64_t part, struct adg_error *error);

/* Runs work(context, 0 .. parts-1) on at most `threads` threads (the caller's among them), in any order. After a failure
 * no new part starts; the error of the lowest-numbered failed part comes back. */
ADG_MUST_CHECK enum adg_status adg_parallel_for(unsigned threads, uint64_t parts, adg_parallel_work work, void *context,
                                                struct adg_error *error);
unsigned adg_processor_count(void);

#endif
