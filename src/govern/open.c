/*
 * adg_metadata_open (include/adg.h): the lock in front of the generator.
 */
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "core/memory.h"
#include "govern/open_metadata.h"
#include "govern/store.h"

/* Whether the folder is a release store: it has a log, readable or not. */
static enum adg_status is_store(const char *folder, bool *out, struct adg_error *error)
{
    char *path = adg_path_join(folder, ADG_LOG_FILE);
    if (path == NULL) {
        return adg_fail_memory(error);
    }
    *out = access(path, F_OK) == 0;
    adg_free(path);
    return ADG_OK;
}

enum adg_status adg_metadata_open(const struct adg_metadata_source *source, const struct adg_definition *definition,
                                  struct adg_metadata **out, struct adg_error *error)
{
    struct adg_trust trust = {{NULL}, {0}};
    struct adg_released released = {"", ""};
    struct adg_metadata *metadata = NULL;
    bool store = false;
    if (adg_is_open_metadata(source->folder)) {
        return adg_open_metadata_read(source->open_folder, definition, out, error);
    }
    if (source->trust == NULL && !source->allow_unreleased) {
        return adg_fail(
            error, ADG_REFUSED,
            "metadata %s: nobody's signature was asked for; released metadata is taken with --trust, and for "
            "work on your own data there is --allow-unreleased",
            source->folder);
    }
    enum adg_status status = is_store(source->folder, &store, error);
    if (status == ADG_OK && source->allow_unreleased && !store) {
        return adg_metadata_read(source->folder, definition, out, error);
    }
    if (status == ADG_OK && !source->allow_unreleased) {
        status = adg_trust_read(source->trust, &trust, error);
    }
    if (status == ADG_OK) {
        status = adg_store_open(source->folder, source->release, source->allow_unreleased ? NULL : &trust, definition,
                                source->today, &metadata, &released, error);
    }
    if (status == ADG_OK) {
        metadata->released = !source->allow_unreleased;
        memcpy(metadata->release_timestamp, released.timestamp, sizeof metadata->release_timestamp);
        *out = metadata;
    }
    adg_trust_fini(&trust);
    return status;
}
