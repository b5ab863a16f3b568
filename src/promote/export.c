/*
 * Exporting a version of a project: see promote.h. What goes into the archive is listed, read, and verified by what was read: a store is
 * copied beside nothing, so it is verified first and must not change until its files are read. A release into it is kept out by its lock.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/memory.h"
#include "core/strings.h"
#include "promote/internal.h"
#include "promote/versions.h"

struct listing {
    struct adg_arena *arena;
    const char **names;
    uint32_t count, capacity;
};

static bool ends_with(const char *name, const char *end)
{
    size_t length = strlen(name), tail = strlen(end);
    return length >= tail && strcmp(name + length - tail, end) == 0;
}

static enum adg_status add_name(struct listing *listing, const char *name, struct adg_error *error)
{
    if (listing->count == listing->capacity) {
        uint32_t capacity = listing->capacity == 0 ? 64 : 2 * listing->capacity;
        const char **more = adg_arena_array(listing->arena, capacity, sizeof *more);
        if (more == NULL) {
            return adg_fail_memory(error);
        }
        if (listing->count > 0) {
            memcpy(more, listing->names, listing->count * sizeof *more);
        }
        listing->names = more;
        listing->capacity = capacity;
    }
    const char *copy = adg_arena_strdup(listing->arena, name);
    if (copy == NULL) {
        return adg_fail_memory(error);
    }
    listing->names[listing->count++] = copy;
    return ADG_OK;
}

/* `below` is relative to the folder that is listed, or "". */
static enum adg_status walk(struct listing *listing, const char *path, const char *below, struct adg_error *error)
{
    enum { DEEPEST_BYTES = 512 };
    DIR *folder = opendir(path);
    if (folder == NULL) {
        return adg_fail_errno(error, errno, "folder %s cannot be read", path);
    }
    enum adg_status status = ADG_OK;
    const struct dirent *entry;
    while (status == ADG_OK && (entry = readdir(folder)) != NULL) {
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || (below[0] == '\0' && name[0] == '.') ||
            ends_with(name, ".html")) {
            continue;
        }
        struct stat info;
        char relative[DEEPEST_BYTES];
        char *whole = adg_path_join(path, name);
        int length = snprintf(relative, sizeof relative, "%s%s%s", below, below[0] == '\0' ? "" : "/", name);
        if (whole == NULL) {
            status = adg_fail_memory(error);
        } else if (length >= DEEPEST_BYTES || lstat(whole, &info) != 0 ||
                   (!S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode))) {
            status = adg_fail(error, ADG_BAD_INPUT, "%s is neither a plain file nor a folder", whole);
        } else {
            status = S_ISDIR(info.st_mode) ? walk(listing, whole, relative, error) : add_name(listing, relative, error);
        }
        adg_free(whole);
    }
    closedir(folder);
    return status;
}

enum adg_status adg_tree_list(const char *folder, struct adg_arena *arena, const char ***out, uint32_t *count,
                              struct adg_error *error)
{
    struct listing listing = {.arena = arena};
    enum adg_status status = walk(&listing, folder, "", error);
    if (status == ADG_OK) {
        if (listing.count > 0) {
            qsort(listing.names, listing.count, sizeof *listing.names, adg_compare_texts);
        }
        *out = listing.names;
        *count = listing.count;
    }
    return status;
}

enum adg_status adg_promote_lock(const char *folder, struct adg_folder_lock *lock, struct adg_error *error)
{
    char *path = adg_path_join(folder, ADG_PROJECT_STATE);
    enum adg_status status = path == NULL ? adg_fail_memory(error) : adg_folder_create(path, error);
    if (status == ADG_OK) {
        status = adg_folder_lock(lock, path, error);
    }
    adg_free(path);
    return status;
}

enum adg_status adg_promote_verify_store(const char *store, const struct adg_trust *trust, int64_t now_utc,
                                         struct adg_log *log, struct adg_error *error)
{
    struct adg_log read = {0};
    enum adg_status status = adg_log_read(store, &read, error);
    if (status == ADG_OK) {
        status = adg_store_verify(store, &read, trust, (int32_t)(now_utc / 86400), error);
    }
    if (status == ADG_OK) {
        *log = read;
    } else {
        adg_log_fini(&read);
    }
    return status;
}

/* ---- an archive -------------------------------------------------------------------------------------------------- */

struct export
{
    struct adg_arena arena;
    struct adg_archive_file *files;
    struct adg_buffer *contents; /* of the files */
    uint32_t count;
};

/* folder/name as <prefix>name. */
static enum adg_status add_file(struct export *export, const char *folder, const char *name, const char *prefix,
                                struct adg_error *error)
{
    size_t size = strlen(prefix) + strlen(name) + 1;
    char *path = adg_path_join(folder, name), *archived = adg_arena_alloc(&export->arena, size);
    struct adg_buffer *content = &export->contents[export->count];
    enum adg_status status = path == NULL || archived == NULL ? adg_fail_memory(error)
                                                              : adg_file_read(path, content, error);
    if (status == ADG_OK) {
        snprintf(archived, size, "%s%s", prefix, name);
        export->files[export->count++] = (struct adg_archive_file){archived, {content->data, content->size}};
    }
    adg_free(path);
    return status;
}

/* Whether a file of the store is of a release that its log has: one that was interrupted may have left its folder. */
static bool is_released(const struct adg_log *log, const char *name)
{
    size_t length = strcspn(name, "/");
    bool found = strcmp(name, ADG_LOG_FILE) == 0;
    for (uint32_t i = 0; i < log->count && !found; i++) {
        const char *hash = log->lines[i].values[ADG_LOG_MANIFEST];
        found = strncmp(hash, name, length) == 0 && hash[length] == '\0';
    }
    return found;
}

static enum adg_status collect(struct export *export, const struct adg_promotion *from, const char *const *definitions,
                               uint32_t definition_count, struct adg_error *error)
{
    const char **released = NULL;
    uint32_t released_count = 0;
    struct adg_log log = {0};
    enum adg_status status = adg_promote_verify_store(from->store, from->trust, from->now_utc, &log, error);
    if (status == ADG_OK) {
        status = adg_tree_list(from->store, &export->arena, &released, &released_count, error);
    }
    size_t most = (size_t)1 + definition_count + released_count;
    if (status == ADG_OK) {
        export->files = adg_arena_array(&export->arena, most, sizeof *export->files);
        export->contents = adg_arena_array(&export->arena, most, sizeof *export->contents);
        status = export->files == NULL || export->contents == NULL
                     ? adg_fail_memory(error)
                     : add_file(export, from->folder, ADG_PROJECT_FILE, ADG_PROMOTE_PROJECT, error);
    }
    for (uint32_t i = 0; i < definition_count && status == ADG_OK; i++) {
        status = !adg_archive_name_is_good(definitions[i])
                     ? adg_fail(error, ADG_BAD_INPUT,
                                "definition %s: expected a path below the project's folder, which alone travels",
                                definitions[i])
                     : add_file(export, from->folder, definitions[i], ADG_PROMOTE_PROJECT, error);
    }
    for (uint32_t i = 0; i < released_count && status == ADG_OK; i++) {
        if (is_released(&log, released[i])) {
            status = add_file(export, from->store, released[i], ADG_PROMOTE_STORE, error);
        }
    }
    adg_log_fini(&log);
    return status;
}

enum adg_status adg_promote_export(const struct adg_promotion *from, const char *const *definitions,
                                   uint32_t definition_count, const char *tool_version, struct adg_buffer *out,
                                   char version[65], struct adg_error *error)
{
    struct export export = {0};
    struct adg_archive archive = {.project = from->project, .environment = from->environment};
    struct adg_folder_lock lock = {.fd = -1}, store_lock = {.fd = -1};
    struct adg_buffer made = {0};
    char utc[20];
    enum adg_status status = adg_promote_lock(from->folder, &lock, error);
    if (status == ADG_OK) {
        status = adg_promote_check_whole(from->folder, error);
    }
    if (status == ADG_OK) {
        status = adg_folder_lock(&store_lock, from->store, error);
    }
    if (status == ADG_OK) {
        status = collect(&export, from, definitions, definition_count, error);
    }
    if (status == ADG_OK) {
        archive.count = export.count;
        status = adg_archive_write(&archive, export.files, tool_version, &made, error);
    }
    if (status == ADG_OK) {
        const struct adg_version noted = {utc, from->environment, archive.version, from->environment};
        adg_utc_format(from->now_utc, utc);
        status = adg_versions_note(from->folder, &noted, error);
    }
    if (status == ADG_OK) {
        status = adg_buffer_append(out, made.data, made.size, error);
    }
    if (status == ADG_OK) {
        memcpy(version, archive.version, sizeof archive.version);
    }
    for (uint32_t i = 0; i < export.count; i++) {
        adg_buffer_fini(&export.contents[i]);
    }
    adg_buffer_fini(&made);
    adg_folder_unlock(&store_lock);
    adg_folder_unlock(&lock);
    adg_arena_fini(&export.arena);
    return status;
}
