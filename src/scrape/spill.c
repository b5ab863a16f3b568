/*
 * The engine's private folder: see internal.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/memory.h"
#include "scrape/internal.h"

enum adg_status adg_spill_create(const char *meta_folder, char **out, struct adg_error *error)
{
    struct adg_buffer name = {0};
    size_t length = strlen(meta_folder);
    while (length > 1 && meta_folder[length - 1] == '/') {
        length--;
    }
    size_t parent = length;
    while (parent > 0 && meta_folder[parent - 1] != '/') {
        parent--;
    }
    enum adg_status status = adg_buffer_printf(&name, error, "%.*s.adg-scrape.XXXXXX", (int)parent, meta_folder);
    char *folder = status == ADG_OK ? adg_strndup((const char *)name.data, name.size) : NULL;
    adg_buffer_fini(&name);
    if (status != ADG_OK || folder == NULL) {
        return adg_fail_memory(error);
    }
    if (mkdtemp(folder) == NULL) {
        status = adg_fail_errno(error, errno, "a folder beside %s cannot be created", meta_folder);
        adg_free(folder);
        return status;
    }
    char *absolute = realpath(folder, NULL); /* the engine compares paths as text */
    if (absolute == NULL) {
        status = adg_folder_remove(folder, NULL) == ADG_OK ? adg_fail_memory(error) : ADG_FAILED;
    } else {
        *out = absolute;
    }
    adg_free(folder);
    return status;
}

enum adg_status adg_spill_remove(char *folder, enum adg_status status, struct adg_error *error)
{
    if (folder == NULL) {
        return status;
    }
    struct adg_error ignored;
    enum adg_status removed = adg_folder_remove(folder, status == ADG_OK ? error : &ignored);
    free(folder); /* the C library's own memory */
    return status == ADG_OK ? removed : status;
}
