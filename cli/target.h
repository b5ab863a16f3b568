/*
 * --source, where it names a database.
 */
#ifndef ADG_CLI_TARGET_H
#define ADG_CLI_TARGET_H

#include "engine/target.h"

/* The database, with its driver; `tables` (NULL: not given) must be qualified names of it. Memory is taken from the arena. Statuses are
 * those of adg_target_parse and adg_dialect_table; ADG_FAILED: no driver. */
ADG_MUST_CHECK enum adg_status adg_cli_find_target(const char *source, const char *dialect, const char *const *tables,
                                                   size_t count, struct adg_arena *arena, struct adg_target *target,
                                                   struct adg_error *error);

#endif
