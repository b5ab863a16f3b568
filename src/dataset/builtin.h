/*
 * The files of datasets/, compiled in; the build writes the table from them. Ends with a NULL name.
 */
#ifndef ADG_DATASET_BUILTIN_H
#define ADG_DATASET_BUILTIN_H

#include <stddef.h>

struct adg_builtin_file {
    const char *name; /* of the file, without .yaml: "hes_apc" */
    const char *text; /* NUL-terminated */
    size_t text_bytes;
};
extern const struct adg_builtin_file adg_builtin_files[];

#endif
