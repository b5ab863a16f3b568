/*
 * The private folder: see spill.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/buffer.h"
#include "core/file.h"
#include "core/memory.h"
#include "engine/spill.h"

enum adg_status adg_spill_create(const char *beside, char **out, struct adg_error *error)
{
    struct adg_buffer name = {0};
    size_t length = strlen(beside);
    while (length > 1 && beside[length - 1] == '/') {
        length--;
    }
    size_t parent = length;
    while (parent > 0 && beside[parent - 1] != '/') {
        parent--;
    }
    enum adg_status status = adg_buffer_printf(&name, error, "%.*s.adg-spill.XXXXXX", (int)parent, beside);
    char *folder = status == ADG_OK ? adg_strndup((const char *)name.data, name.size) : NULL;
    adg_buffer_fini(&name);
    if (status != ADG_OK || folder == NULL) {
        return adg_fail_memory(error);
    }
    if (mkdtemp(folder) == NULL) {
        status = adg_fail_errno(error, errno, "a folder beside %s cannot be created", beside);
        adg_free(folder);
        return status;
    }
    char *absolute = realpath(folder, NULL); /* the engine compares paths as text */
    if (absolute == NULL) {
        status = adg_fail_errno(error, errno, "the path of a folder beside %s cannot be resolved", beside);
        rmdir(folder);
    } else {
        *out = absolute;
    }
    adg_free(folder);
    return status;
}

enum adg_status adg_spill_remove(char *spill, enum adg_status status, struct adg_error *error)
{
    if (spill == NULL) {
        return status;
    }
    struct adg_error ignored;
    enum adg_status removed = adg_folder_remove(spill, status == ADG_OK ? error : &ignored);
    free(spill); /* the C library's own memory */
    return status == ADG_OK ? removed : status;
}

enum adg_status adg_spill_open_file(const char *spill, FILE **out, struct adg_error *error)
{
    char *path = adg_path_join(spill, "rows.XXXXXX");
    if (path == NULL) {
        return adg_fail_memory(error);
    }
    int fd = mkostemp(path, O_CLOEXEC);
    *out = fd >= 0 ? fdopen(fd, "w+") : NULL;
    enum adg_status status = *out == NULL ? adg_fail_errno(error, errno, "a file in %s cannot be created", spill)
                                          : ADG_OK;
    if (fd >= 0) {
        unlink(path);
        if (*out == NULL) {
            close(fd);
        }
    }
    adg_free(path);
    return status;
}
