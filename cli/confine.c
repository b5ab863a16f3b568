/*
 * --sandbox, and the places that commands confine themselves to.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "confine.h"
#include "core/file.h"
#include "core/memory.h"
#include "engine/target.h"
#include "govern/open_metadata.h"

const char *const adg_cli_sandboxes[] = {
    [ADG_SANDBOX_AUTO] = "auto", [ADG_SANDBOX_REQUIRED] = "required", [ADG_SANDBOX_OFF] = "off", NULL};

enum adg_status adg_cli_confine(int sandbox, const struct adg_place *places, uint32_t count, struct adg_error *error)
{
    return adg_confine((enum adg_sandbox)sandbox, places, count, ADG_NO_NETWORK, adg_cli_warn_of, NULL, error);
}

enum adg_status adg_cli_metadata_folder(const char *meta, char out[PATH_MAX], struct adg_error *error)
{
    if (adg_is_open_metadata(meta)) {
        return adg_open_metadata_folder(out, error);
    }
    snprintf(out, PATH_MAX, "%s", meta);
    return ADG_OK;
}

void adg_cli_parent(const char *path, char out[PATH_MAX])
{
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/') {
        length--;
    }
    while (length > 0 && path[length - 1] != '/') {
        length--;
    }
    if (length == 0) {
        snprintf(out, PATH_MAX, ".");
    } else {
        snprintf(out, PATH_MAX, "%.*s", (int)(length > 1 ? length - 1 : 1), path);
    }
}

enum adg_status adg_cli_create_folder(const char *path, bool *created, struct adg_error *error)
{
    *created = access(path, F_OK) != 0;
    return adg_folder_create(path, error);
}

void adg_cli_discard_folder(const char *path, bool created, enum adg_status status)
{
    if (created && status != ADG_OK) {
        rmdir(path); /* fails, as it should, when something is in it */
    }
}

enum adg_status adg_cli_confine_engine(int sandbox, const struct adg_place *places, uint32_t count,
                                       const struct adg_target *target, struct adg_error *error)
{
    /* where an engine's library, the C++ library and what they read of the machine lie; the library beside the program first */
    char beside[PATH_MAX] = "", engine[PATH_MAX] = "";
    ssize_t length = readlink("/proc/self/exe", beside, sizeof beside - 32);
    beside[length > 0 ? length : 0] = '\0';
    adg_cli_parent(beside, engine);
    snprintf(beside, sizeof beside, "%.*s/../lib/adg", (int)(sizeof beside - 16), engine);
    const struct adg_place fixed[] = {
        {beside, ADG_MAY_LOAD},           {ADG_ENGINE_FOLDER, ADG_MAY_LOAD},
        {"/usr/lib", ADG_MAY_LOAD},       {"/lib", ADG_MAY_LOAD},
        {"/lib64", ADG_MAY_LOAD},         {"/etc/ld.so.cache", ADG_MAY_READ},
        {"/proc/meminfo", ADG_MAY_READ},  {"/proc/self", ADG_MAY_READ},
        {"/sys/fs/cgroup", ADG_MAY_READ}, {"/sys/devices/system/cpu", ADG_MAY_READ},
    };
    enum { FIXED = sizeof fixed / sizeof fixed[0] };
    const char *const *driver = target != NULL ? (const char *const *)target->places : NULL;
    uint32_t more = 0;
    while (driver != NULL && driver[more] != NULL) {
        more++;
    }
    struct adg_place *all = adg_alloc_array(FIXED + (size_t)count + more, sizeof *all);
    if (all == NULL) {
        return adg_fail_memory(error);
    }
    memcpy(all, fixed, sizeof fixed);
    memcpy(all + FIXED, places, count * sizeof *places);
    for (uint32_t i = 0; i < more; i++) {
        all[FIXED + count + i] = (struct adg_place){driver[i], ADG_MAY_LOAD};
    }
    enum adg_status status = adg_confine((enum adg_sandbox)sandbox, all, FIXED + count + more,
                                         driver != NULL ? ADG_MAY_CONNECT : ADG_NO_NETWORK, adg_cli_warn_of, NULL,
                                         error);
    adg_free(all);
    return status;
}

enum adg_status adg_cli_confine_scrape(int sandbox, const struct adg_scrape_places *places, struct adg_error *error)
{
    enum { FIXED = 4 };
    char parent[PATH_MAX];
    struct adg_place *all = adg_alloc_array(FIXED + (size_t)places->readable_count, sizeof *all);
    if (all == NULL) {
        return adg_fail_memory(error);
    }
    adg_cli_parent(places->meta_folder, parent);
    all[0] = (struct adg_place){places->meta_folder, ADG_MAY_WRITE};
    all[1] = (struct adg_place){places->staging, ADG_MAY_WRITE};
    all[2] = (struct adg_place){places->spill, ADG_MAY_WRITE};
    all[3] = (struct adg_place){parent, ADG_MAY_ARRANGE};
    for (uint32_t i = 0; i < places->readable_count; i++) {
        all[FIXED + i] = (struct adg_place){places->readable[i], ADG_MAY_READ};
    }
    enum adg_status status = adg_cli_confine_engine(sandbox, all, FIXED + places->readable_count, places->target,
                                                    error);
    adg_free(all);
    return status;
}
