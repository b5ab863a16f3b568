/*
 * JSON as text: see json.h.
 */
#include "metadata/json.h"

#include <stdlib.h>

enum adg_status adg_json_append(struct adg_buffer *out, const json_t *root, size_t flags, struct adg_error *error)
{
    char *text = root != NULL ? json_dumps(root, flags) : NULL;
    enum adg_status status = text == NULL ? adg_fail_memory(error) : adg_buffer_append_text(out, text, error);
    if (status == ADG_OK) {
        status = adg_buffer_append_text(out, "\n", error);
    }
    free(text); /* jansson's own memory */
    return status;
}
