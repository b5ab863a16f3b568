/*
 * Where addresses lead: see graph.h.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "project/graph.h"

/* Puts the parts of `rest` behind the absolute path in `out`, of which nothing exists beyond. */
static bool append_parts(char *out, const char *rest)
{
    size_t used = strlen(out);
    while (*rest != '\0') {
        size_t length = strcspn(rest, "/");
        if (length == 2 && rest[0] == '.' && rest[1] == '.') {
            while (used > 1 && out[--used] != '/') {
            }
            out[used > 0 ? used : 1] = '\0';
            used = strlen(out);
        } else if (length > 0 && !(length == 1 && rest[0] == '.')) {
            bool slash = used > 1;
            if (used + slash + length >= PATH_MAX) {
                return false;
            }
            out[used] = '/';
            used += slash;
            memcpy(out + used, rest, length);
            used += length;
            out[used] = '\0';
        }
        rest += length;
        rest += strspn(rest, "/");
    }
    return true;
}

enum adg_status adg_project_resolve(const char *path, char *out, struct adg_error *error)
{
    char prefix[PATH_MAX], real[PATH_MAX];
    size_t length = strlen(path);
    if (length == 0 || length >= PATH_MAX) {
        return adg_fail(error, ADG_FAILED, "a path is too long, or empty");
    }
    memcpy(prefix, path, length + 1);
    /* the longest part that exists */
    while (realpath(length > 0 ? prefix : path[0] == '/' ? "/" : ".", real) == NULL) {
        if ((errno != ENOENT && errno != ENOTDIR) || length == 0) {
            return adg_fail_errno(error, errno, "%s cannot be followed", path);
        }
        while (length > 0 && prefix[length - 1] == '/') {
            length--;
        }
        while (length > 0 && prefix[length - 1] != '/') {
            length--;
        }
        prefix[length] = '\0';
    }
    if (!append_parts(real, path + length)) {
        return adg_fail(error, ADG_FAILED, "%s: the path is too long", path);
    }
    memcpy(out, real, strlen(real) + 1);
    return ADG_OK;
}

bool adg_project_overlap(const char *a, const char *b)
{
    size_t first = strlen(a), second = strlen(b), shorter = first < second ? first : second;
    const char *longer = first < second ? b : a;
    if (memcmp(a, b, shorter) != 0) {
        return false;
    }
    return first == second || longer[shorter] == '/' || shorter == 1; /* "/" is around everything */
}
