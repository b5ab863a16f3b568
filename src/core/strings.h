/*
 * Questions about text that rooms have in common.
 */
#ifndef ADG_CORE_STRINGS_H
#define ADG_CORE_STRINGS_H

#include <stdbool.h>
#include <stddef.h>

/* Whether the text ends so, and has something before that. */
bool adg_ends_with(const char *text, const char *end);
/* For qsort of an array of const char *: by bytes. */
int adg_compare_texts(const void *a, const void *b);
/* %41 becomes A; what is no such code stays (RFC 3986, section 2.1). `out` has room for `size` bytes, and may be the text itself. Returns
 * how many it is; no NUL is added. */
size_t adg_percent_decode(const char *text, size_t size, char *out);

#endif
