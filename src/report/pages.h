/*
 * The pages of this folder and their parts, compiled in: a page has @STYLE@, @DATA@ and @SCRIPT@ where style.css, its JSON and
 * script.js go, in this order. Ends with a NULL name.
 */
#ifndef ADG_REPORT_PAGES_H
#define ADG_REPORT_PAGES_H

#include <stddef.h>

struct adg_report_page {
    const char *name; /* of the file, without its ending */
    const char *text; /* NUL-terminated */
    size_t text_bytes;
};
extern const struct adg_report_page adg_report_pages[];

#endif
