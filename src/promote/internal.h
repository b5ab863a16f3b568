/*
 * What export and import share: the files of an archive by what they belong to, and what lies in a folder.
 */
#ifndef ADG_PROMOTE_INTERNAL_H
#define ADG_PROMOTE_INTERNAL_H

#include "core/file.h"
#include "promote/promote.h"

/* The names of all plain files below a folder, sorted, relative; entries of the folder itself that begin with a point are passed over, as
 * are pages of reports (*.html). ADG_BAD_INPUT: there is something else than files and folders. */
ADG_MUST_CHECK enum adg_status adg_tree_list(const char *folder, struct adg_arena *arena, const char ***out,
                                             uint32_t *count, struct adg_error *error);

/* Holds `.adg` of the project's folder, which is made where it is missing. */
ADG_MUST_CHECK enum adg_status adg_promote_lock(const char *folder, struct adg_folder_lock *lock,
                                                struct adg_error *error);

/* Verifies a store; *log, which the caller finishes, is set then. */
ADG_MUST_CHECK enum adg_status adg_promote_verify_store(const char *store, const struct adg_trust *trust,
                                                        int64_t now_utc, struct adg_log *log, struct adg_error *error);

#endif
