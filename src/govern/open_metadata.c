/*
 * Open metadata: see open_metadata.h.
 */
#include "govern/open_metadata.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "adg.h"
#include "metadata/folder.h"

/* Of their manifest.json: made when they are built, and linked into each program (cmake/open_metadata.cmake). */
extern const char adg_open_manifest_sha256[65];

bool adg_is_open_metadata(const char *folder)
{
    return strcmp(folder, ADG_OPEN_METADATA) == 0;
}

static bool is_there(const char *folder)
{
    char path[PATH_MAX + sizeof ADG_MANIFEST_FILE];
    snprintf(path, sizeof path, "%s/%s", folder, ADG_MANIFEST_FILE);
    return access(path, F_OK) == 0;
}

enum adg_status adg_open_metadata_folder(char out[PATH_MAX], struct adg_error *error)
{
    static const char *const beside[] = {"open", "../share/adg/open"};
    char program[PATH_MAX] = "", folder[PATH_MAX];
    const char *named = getenv("ADG_OPEN_METADATA");
    if (named != NULL && named[0] != '\0') {
        if (!is_there(named)) {
            return adg_fail(error, ADG_FAILED, "ADG_OPEN_METADATA: %s holds no metadata", named);
        }
        snprintf(out, PATH_MAX, "%s", named);
        return ADG_OK;
    }
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    char *slash = strrchr(program, '/');
    if (length <= 0 || slash == NULL) {
        return adg_fail(error, ADG_FAILED,
                        "the open metadata cannot be looked for: /proc is missing; name their "
                        "folder in the environment variable ADG_OPEN_METADATA");
    }
    *slash = '\0';
    for (size_t i = 0; i < sizeof beside / sizeof beside[0]; i++) {
        int size = snprintf(folder, sizeof folder, "%s/%s", program, beside[i]);
        if (size > 0 && size < (int)sizeof folder && is_there(folder)) {
            memcpy(out, folder, (size_t)size + 1);
            return ADG_OK;
        }
    }
    return adg_fail(error, ADG_FAILED,
                    "the open metadata are not there: looked for %s/%s and %s/%s; name their folder in the environment "
                    "variable ADG_OPEN_METADATA",
                    program, beside[0], program, beside[1]);
}

enum adg_status adg_open_metadata_read(const char *where, const struct adg_definition *definition,
                                       struct adg_metadata **out, struct adg_error *error)
{
    char path[PATH_MAX];
    struct adg_metadata_folder folder = {0};
    struct adg_metadata *metadata = NULL;
    enum adg_status status = ADG_OK;
    if (where == NULL) {
        status = adg_open_metadata_folder(path, error);
    } else {
        snprintf(path, sizeof path, "%s", where);
    }
    if (status == ADG_OK) {
        status = adg_metadata_folder_read(path, &folder, error);
    }
    if (status == ADG_OK && strcmp(folder.manifest_sha256, adg_open_manifest_sha256) != 0) {
        status = adg_fail(error, ADG_REFUSED,
                          "%s holds other metadata than the open ones that this program pins (manifest %.12s, expected "
                          "%.12s)",
                          path, folder.manifest_sha256, adg_open_manifest_sha256);
    }
    if (status == ADG_OK) {
        status = adg_context(error, adg_metadata_parse(&folder, definition, &metadata, error), "open metadata %s",
                             path);
        /* the manifest is the one that is pinned: what does not match it was changed */
        status = status == ADG_BAD_INPUT ? ADG_REFUSED : status;
    }
    adg_metadata_folder_fini(&folder);
    if (status == ADG_OK) {
        metadata->released = true;
        *out = metadata;
    }
    return status;
}
