/*
 * The open metadata that come with the program: made from published figures (datasets/hes/open), pinned by the hash of their manifest, so that
 * they count as released wherever they lie.
 */
#ifndef ADG_GOVERN_OPEN_METADATA_H
#define ADG_GOVERN_OPEN_METADATA_H

#include <limits.h>
#include <stdbool.h>

#include "metadata/metadata.h"

/* Whether --meta, or adg_metadata_source.folder, names them. */
bool adg_is_open_metadata(const char *folder);

/*
 * Where they lie: the folder that the environment variable ADG_OPEN_METADATA names, else open/ beside the program (where it was built), else
 * ../share/adg/open (where it was installed). ADG_FAILED when none is there, with the places that were looked at.
 */
ADG_MUST_CHECK enum adg_status adg_open_metadata_folder(char out[PATH_MAX], struct adg_error *error);

/* From `folder`; NULL: from where they lie. ADG_REFUSED: it holds others than those that this program pins. */
ADG_MUST_CHECK enum adg_status adg_open_metadata_read(const char *folder, const struct adg_definition *definition,
                                                      struct adg_metadata **out, struct adg_error *error);

#endif
