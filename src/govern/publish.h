/*
 * Publishing: complete tables copied from a data folder to the users' one, verified before and after, read-only, with a notice
 * of what they are and provenance.json beside them.
 */
#ifndef ADG_GOVERN_PUBLISH_H
#define ADG_GOVERN_PUBLISH_H

#include <stdbool.h>
#include <stdint.h>

#include "core/status.h"

struct adg_publish_options {
    const char *data_folder, *to_folder; /* both exist */
    const char *const *include;          /* tables; none: all */
    uint32_t include_count;
    const char *const *exclude;
    uint32_t exclude_count;
    bool allow_unchecked; /* also what qa.json has not passed for these bytes */
    void (*warn)(void *context, const char *message);
    void (*published)(void *context, const char *table, const char *name);
    void *context;
};

/*
 * ADG_REFUSED: a table that QA has not passed for these bytes; ADG_BAD_INPUT: no such table, or not all of its parts; ADG_FAILED:
 * a copy is not what was read. Everything is verified before the first table is copied.
 */
ADG_MUST_CHECK enum adg_status adg_publish(const struct adg_publish_options *options, struct adg_error *error);

#endif
