/*
 * Which version of a project is in which environment: `.adg/versions.csv` of its folder, one line for each export and import that changed
 * it, oldest first.
 */
#ifndef ADG_PROMOTE_VERSIONS_H
#define ADG_PROMOTE_VERSIONS_H

#include <stdint.h>

#include "core/arena.h"
#include "core/status.h"

struct adg_version {
    const char *utc; /* YYYY-MM-DD HH:MM:SS */
    const char *environment, *version;
    const char *from; /* the environment that it was exported from */
};

/* All lines, in the arena; none where there is no such file. ADG_BAD_INPUT: it is none. */
ADG_MUST_CHECK enum adg_status adg_versions_read(const char *folder, struct adg_arena *arena, struct adg_version **out,
                                                 uint32_t *count, struct adg_error *error);
/* The newest line of each environment, newest first; what adg_versions_read gave is reordered. */
void adg_versions_latest(struct adg_version *versions, uint32_t *count);
/* Adds a line, unless the environment has this version already. The caller holds `.adg`. */
ADG_MUST_CHECK enum adg_status adg_versions_note(const char *folder, const struct adg_version *version,
                                                 struct adg_error *error);

/* "YYYY-MM-DD HH:MM:SS" of seconds since 1970. */
void adg_utc_format(int64_t seconds, char out[20]);

#endif
