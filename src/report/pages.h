/*
 * The pages of this folder, compiled in: a page has "@DATA@" where its JSON goes. Ends with a NULL name.
 */
#ifndef ADG_REPORT_PAGES_H
#define ADG_REPORT_PAGES_H

#include <stddef.h>

struct adg_report_page {
    const char *name; /* of the file, without .html */
    const char *text; /* NUL-terminated */
    size_t text_bytes;
};
extern const struct adg_report_page adg_report_pages[];

#endif
