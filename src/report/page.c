/*
 * A page with its parts put in.
 */
#include <stdlib.h>
#include <string.h>

#include "report/internal.h"
#include "report/pages.h"

static const char *part(const char *name)
{
    const struct adg_report_page *page = adg_report_pages;
    while (page->name != NULL && strcmp(page->name, name) != 0) {
        page++;
    }
    return page->text;
}

/* JSON inside a script element: no "<" may be in it. */
static enum adg_status append_safely(struct adg_buffer *out, const char *json, struct adg_error *error)
{
    enum adg_status status = ADG_OK;
    while (*json != '\0' && status == ADG_OK) {
        size_t plain = strcspn(json, "<>&");
        status = adg_buffer_append(out, json, plain, error);
        json += plain;
        if (*json != '\0' && status == ADG_OK) {
            status = adg_buffer_printf(out, error, "\\u%04x", (unsigned)*json++);
        }
    }
    return status;
}

enum adg_status adg_report_put(const char *page, json_t *data, struct adg_buffer *out, struct adg_error *error)
{
    static const char *const marks[] = {"@STYLE@", "@DATA@", "@SCRIPT@"};
    char *json = json_dumps(data, JSON_COMPACT | JSON_REAL_PRECISION(12));
    const char *const texts[] = {part("style"), json, part("script")}, *at = part(page);
    enum adg_status status = json == NULL ? adg_fail_memory(error) : ADG_OK;
    for (size_t i = 0; i < 3 && status == ADG_OK; i++) { /* a page has its marks in this order */
        const char *mark = strstr(at, marks[i]);
        status = adg_buffer_append(out, at, (size_t)(mark - at), error);
        if (status == ADG_OK) {
            status = texts[i] == json ? append_safely(out, json, error) : adg_buffer_append_text(out, texts[i], error);
        }
        at = mark + strlen(marks[i]);
    }
    free(json); /* jansson's own memory */
    return status == ADG_OK ? adg_buffer_append_text(out, at, error) : status;
}
