/*
 * The example of this folder (example.yaml), compiled in: what `adg project init` writes, with @PROJECT@ and @DATASET@ where the
 * names go. Ends with a NULL name.
 */
#ifndef ADG_PROJECT_EXAMPLE_H
#define ADG_PROJECT_EXAMPLE_H

#include <stddef.h>

struct adg_project_example {
    const char *name; /* of the file, without its ending */
    const char *text; /* NUL-terminated */
    size_t text_bytes;
};
extern const struct adg_project_example adg_project_examples[];

#endif
