/*
 * Importing a version of a project: see promote.h.
 *
 * An item is what is exchanged in one step: a file of the project, or the store. Beside its place, `.<name>.import` holds what is new
 * until the exchange and what was there after it, until that has the name of a backup. Which of the two it is after a kill is told by the
 * place: it has the digest that the journal says, or not.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/memory.h"
#include "core/strings.h"
#include "metadata/json.h"
#include "project/graph.h"
#include "promote/internal.h"
#include "promote/versions.h"

struct item {
    const char *target, *staging, *backup;
    const char *prefix; /* of its files' names in the archive, which is not part of their place */
    const struct adg_archive_file *files;
    uint32_t count;
    bool folder, there, differs;
    char digest[65]; /* of what is new */
    size_t parents;  /* bytes of `target` that were a folder before */
};

struct import {
    const struct adg_promotion *to;
    const struct adg_archive *archive;
    struct adg_arena arena;
    struct item *items;
    uint32_t count;
    char stamp[16]; /* of the backups */
};

static const char journal_name[] = ADG_PROJECT_STATE "/import.json";

const struct adg_archive_file *adg_promote_find(const struct adg_archive *archive, const char *name)
{
    const size_t prefix = strlen(ADG_PROMOTE_PROJECT);
    for (uint32_t i = 0; i < archive->count; i++) {
        if (strncmp(archive->files[i].name, ADG_PROMOTE_PROJECT, prefix) == 0 &&
            strcmp(archive->files[i].name + prefix, name) == 0) {
            return &archive->files[i];
        }
    }
    return NULL;
}

enum adg_status adg_promote_check_whole(const char *folder, struct adg_error *error)
{
    char *path = adg_path_join(folder, journal_name);
    enum adg_status status = path == NULL ? adg_fail_memory(error) : ADG_OK;
    if (path != NULL && access(path, F_OK) == 0) {
        status = adg_fail(error, ADG_FAILED,
                          "an import into folder %s goes on, or was interrupted: start it again (adg project import)",
                          folder);
    }
    adg_free(path);
    return status;
}

/* ---- digests ----------------------------------------------------------------------------------------------------- */

static enum adg_status add_to_digest(struct adg_buffer *lines, const char *name, const char *hash,
                                     struct adg_error *error)
{
    return adg_buffer_printf(lines, error, "%s  %s\n", hash, name);
}

static enum adg_status digest_archived(struct item *item, struct adg_error *error)
{
    struct adg_buffer lines = {0};
    char hash[65];
    enum adg_status status = ADG_OK;
    for (uint32_t i = 0; i < item->count && status == ADG_OK; i++) {
        adg_sha256_hex(item->files[i].data.data, item->files[i].data.size, hash);
        status = add_to_digest(&lines, item->files[i].name + strlen(item->prefix), hash, error);
    }
    if (status == ADG_OK) {
        adg_sha256_hex(lines.data, lines.size, item->digest);
    }
    adg_buffer_fini(&lines);
    return status;
}

/* Of what is at a place now, as digest_archived makes it; of nothing: "". */
static enum adg_status digest_there(const char *target, bool folder, char out[65], struct adg_error *error)
{
    struct adg_arena arena = {0};
    struct adg_buffer lines = {0};
    struct stat info;
    char hash[65];
    out[0] = '\0';
    if (lstat(target, &info) != 0) {
        return errno == ENOENT ? ADG_OK : adg_fail_errno(error, errno, "%s cannot be read", target);
    }
    if (folder ? !S_ISDIR(info.st_mode) : !S_ISREG(info.st_mode)) {
        return adg_fail(error, ADG_BAD_INPUT, "%s is there and is no plain %s", target, folder ? "folder" : "file");
    }
    enum adg_status status = ADG_OK;
    if (!folder) {
        status = adg_file_sha256(target, hash, error);
        if (status == ADG_OK) {
            status = add_to_digest(&lines, adg_path_name(target), hash, error);
        }
    } else {
        const char **names = NULL;
        uint32_t count = 0;
        status = adg_tree_list(target, &arena, &names, &count, error);
        for (uint32_t i = 0; i < count && status == ADG_OK; i++) {
            char *path = adg_path_join(target, names[i]);
            status = path == NULL ? adg_fail_memory(error) : adg_file_sha256(path, hash, error);
            if (status == ADG_OK) {
                status = add_to_digest(&lines, names[i], hash, error);
            }
            adg_free(path);
        }
    }
    if (status == ADG_OK) {
        adg_sha256_hex(lines.data, lines.size, out);
    }
    adg_buffer_fini(&lines);
    adg_arena_fini(&arena);
    return status;
}

/* ---- items ------------------------------------------------------------------------------------------------------- */

/* <folder of target>/<before><name of target><after> */
static const char *beside(struct adg_arena *arena, const char *target, const char *before, const char *after)
{
    int folder = (int)(adg_path_name(target) - target);
    size_t size = strlen(target) + strlen(before) + strlen(after) + 1;
    char *path = adg_arena_alloc(arena, size);
    if (path != NULL) {
        snprintf(path, size, "%.*s%s%s%s", folder, target, before, target + folder, after);
    }
    return path;
}

static enum adg_status name_places(struct import *import, struct item *item, const char *stamp, struct adg_error *error)
{
    char after[32];
    snprintf(after, sizeof after, ".backup-%s", stamp);
    item->staging = beside(&import->arena, item->target, ".", ".import");
    item->backup = beside(&import->arena, item->target, "", after);
    return item->staging == NULL || item->backup == NULL ? adg_fail_memory(error) : ADG_OK;
}

/* One item for each file of the project, its own last, and one for the store, first. */
static enum adg_status make_items(struct import *import, struct adg_error *error)
{
    const struct adg_archive *archive = import->archive;
    const size_t in_project = strlen(ADG_PROMOTE_PROJECT), in_store = strlen(ADG_PROMOTE_STORE);
    import->items = adg_arena_array(&import->arena, (size_t)archive->count + 1, sizeof *import->items);
    if (import->items == NULL) {
        return adg_fail_memory(error);
    }
    struct item store = {.folder = true, .prefix = ADG_PROMOTE_STORE}, project = {0};
    enum adg_status status = ADG_OK;
    import->count = 1;
    for (uint32_t i = 0; i < archive->count && status == ADG_OK; i++) {
        const struct adg_archive_file *file = &archive->files[i];
        if (strncmp(file->name, ADG_PROMOTE_STORE, in_store) == 0) { /* which follow each other, names being sorted */
            store.files = store.count == 0 ? file : store.files;
            store.count++;
            continue;
        }
        const char *name = file->name + in_project;
        bool own = strncmp(file->name, ADG_PROMOTE_PROJECT, in_project) == 0 && name[0] != '.';
        char *path = own ? adg_path_join(import->to->folder, name) : NULL;
        const char *slash = strrchr(file->name, '/');
        struct item item = {
            .files = file,
            .count = 1,
            .target = path != NULL ? adg_arena_strdup(&import->arena, path) : NULL,
            .prefix = own ? adg_arena_strndup(&import->arena, file->name, (size_t)(slash - file->name) + 1) : NULL};
        adg_free(path);
        if (!own) {
            status = adg_fail(error, ADG_BAD_INPUT, "the archive holds %s, which is no file of a project", file->name);
        } else if (item.target == NULL || item.prefix == NULL) {
            status = adg_fail_memory(error);
        } else if (strcmp(name, ADG_PROJECT_FILE) == 0) {
            project = item;
        } else {
            import->items[import->count++] = item;
        }
    }
    if (status == ADG_OK && (project.target == NULL || store.count == 0)) {
        status = adg_fail(error, ADG_BAD_INPUT, "the archive holds no project, or no released metadata");
    }
    if (status == ADG_OK) {
        size_t length = strlen(import->to->store);
        while (length > 1 && import->to->store[length - 1] == '/') {
            length--;
        }
        store.target = adg_arena_strndup(&import->arena, import->to->store, length);
        import->items[0] = store;
        import->items[import->count++] = project;
        status = store.target == NULL ? adg_fail_memory(error) : ADG_OK;
    }
    for (uint32_t i = 0; i < import->count && status == ADG_OK; i++) {
        struct item *item = &import->items[i];
        char found[65];
        status = digest_archived(item, error);
        if (status == ADG_OK) {
            status = digest_there(item->target, item->folder, found, error);
        }
        if (status == ADG_OK) {
            item->there = found[0] != '\0';
            item->differs = strcmp(found, item->digest) != 0;
        }
    }
    return status;
}

/* ---- the journal ------------------------------------------------------------------------------------------------- */

static enum adg_status write_journal(const struct import *import, const char *path, struct adg_error *error)
{
    struct adg_buffer text = {0};
    json_t *items = json_array(), *root = json_pack("{s:s, s:o?}", "stamp", import->stamp, "items", items);
    size_t differing = 0;
    enum adg_status status = ADG_OK;
    for (uint32_t i = 0; i < import->count && status == ADG_OK; i++) {
        const struct item *item = &import->items[i];
        char target[PATH_MAX]; /* whoever reads the journal may be in another folder */
        if (item->differs) {
            status = adg_project_resolve(item->target, target, error);
            json_array_append_new(items, status != ADG_OK ? NULL
                                                          : json_pack("{s:s, s:b, s:s}", "target", target, "folder",
                                                                      (int)item->folder, "digest", item->digest));
            differing++;
        }
    }
    if (status == ADG_OK) {
        status = json_array_size(items) == differing
                     ? adg_json_append(&text, root, JSON_INDENT(1) | JSON_SORT_KEYS, error)
                     : adg_fail_memory(error);
    }
    if (status == ADG_OK) {
        status = adg_file_write(path, text.data, text.size, error);
    }
    json_decref(root);
    adg_buffer_fini(&text);
    return status;
}

/* What an exchange has taken out of its place becomes the backup. */
static enum adg_status put_away(const struct item *item, struct adg_error *error)
{
    if (renameat2(AT_FDCWD, item->staging, AT_FDCWD, item->backup, RENAME_NOREPLACE) != 0) {
        return adg_fail_errno(error, errno, "the backup %s cannot be given its name", item->backup);
    }
    return ADG_OK;
}

/* Removes the halves of files in `.adg` that an interrupted import or export has left. */
static enum adg_status sweep(const char *folder, struct adg_error *error)
{
    char *state = adg_path_join(folder, ADG_PROJECT_STATE);
    DIR *entries = state != NULL ? opendir(state) : NULL;
    enum adg_status status = state == NULL     ? adg_fail_memory(error)
                             : entries == NULL ? adg_fail_errno(error, errno, "folder %s cannot be read", state)
                                               : ADG_OK;
    const struct dirent *entry;
    while (status == ADG_OK && (entry = readdir(entries)) != NULL) {
        if (entry->d_name[0] == '.' && adg_ends_with(entry->d_name, ".tmp")) {
            unlinkat(dirfd(entries), entry->d_name, 0);
        }
    }
    if (entries != NULL) {
        closedir(entries);
    }
    adg_free(state);
    return status;
}

/* Ends what an interrupted import has left. */
static enum adg_status recover(struct import *import, const char *path, struct adg_error *error)
{
    struct adg_buffer text = {0};
    struct stat info;
    enum adg_status status = sweep(import->to->folder, error);
    if (status != ADG_OK || access(path, F_OK) != 0) {
        return status;
    }
    status = adg_file_read(path, &text, error);
    json_t *root = status == ADG_OK ? json_loadb((const char *)text.data, text.size, 0, NULL) : NULL, *entry;
    const char *stamp = json_string_value(json_object_get(root, "stamp"));
    size_t i;
    if (status == ADG_OK && stamp == NULL) {
        status = adg_fail(error, ADG_BAD_INPUT, "%s: expected the journal of an import", path);
    }
    json_array_foreach(json_object_get(root, "items"), i, entry)
    {
        struct item item = {.target = json_string_value(json_object_get(entry, "target")),
                            .folder = json_is_true(json_object_get(entry, "folder"))};
        const char *digest = json_string_value(json_object_get(entry, "digest"));
        char found[65];
        if (status == ADG_OK && (item.target == NULL || digest == NULL)) {
            status = adg_fail(error, ADG_BAD_INPUT, "%s: expected the journal of an import", path);
        }
        if (status == ADG_OK) {
            status = name_places(import, &item, stamp, error);
        }
        if (status != ADG_OK || lstat(item.staging, &info) != 0) {
            continue;
        }
        status = digest_there(item.target, item.folder, found, error);
        if (status == ADG_OK) {
            status = strcmp(found, digest) == 0 ? put_away(&item, error) : adg_folder_remove(item.staging, error);
        }
    }
    if (status == ADG_OK && unlink(path) != 0) {
        status = adg_fail_errno(error, errno, "%s cannot be removed", path);
    }
    json_decref(root);
    adg_buffer_fini(&text);
    return status;
}

/* ---- doing it ---------------------------------------------------------------------------------------------------- */

/* Under its own name from the start, which tells whose it is after a kill. */
static enum adg_status write_plain(const char *path, const struct adg_span *data, struct adg_error *error)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) {
        return adg_fail_errno(error, errno, "%s cannot be written", path);
    }
    enum adg_status status = adg_descriptor_write(fd, path, data->data, data->size, error);
    if (status == ADG_OK && fsync(fd) != 0) {
        status = adg_fail_errno(error, errno, "%s cannot be synced", path);
    }
    if (close(fd) != 0 && status == ADG_OK) {
        status = adg_fail_errno(error, errno, "%s cannot be closed", path);
    }
    return status;
}

/* So many bytes of `path` are a folder that is there. */
static size_t find_parent(const char *path)
{
    char *copy = adg_strdup(path), *slash = copy != NULL ? strrchr(copy, '/') : NULL;
    struct stat info;
    while (slash != NULL) {
        *slash = '\0';
        if (slash == copy || stat(copy, &info) == 0) {
            break;
        }
        slash = strrchr(copy, '/');
    }
    size_t bytes = slash != NULL ? (size_t)(slash - copy) : 0;
    adg_free(copy);
    return bytes;
}

/* Takes back what stage() has made. */
static void unstage(const struct item *item)
{
    char *copy = adg_strdup(item->target), *slash;
    enum adg_status removed = item->staging != NULL ? adg_folder_remove(item->staging, NULL) : ADG_OK;
    (void)removed; /* the failure that matters is reported already */
    while (copy != NULL && (slash = strrchr(copy, '/')) != NULL && (size_t)(slash - copy) > item->parents) {
        *slash = '\0';
        rmdir(copy);
    }
    adg_free(copy);
}

static enum adg_status stage(const struct import *import, struct item *item, struct adg_error *error)
{
    item->parents = find_parent(item->target);
    struct stat info;
    enum adg_status status = adg_folder_create_parents(item->target, error);
    if (status == ADG_OK && lstat(item->staging, &info) == 0) { /* perhaps what an import has taken out of its place */
        status = adg_fail(error, ADG_FAILED, "%s is in the way: look what it is, and move it", item->staging);
        item->staging = NULL;
    }
    if (status == ADG_OK && !item->folder) {
        return write_plain(item->staging, &item->files[0].data, error);
    }
    if (status == ADG_OK) {
        status = adg_folder_create(item->staging, error);
    }
    for (uint32_t i = 0; i < item->count && status == ADG_OK; i++) {
        char *path = adg_path_join(item->staging, item->files[i].name + strlen(item->prefix));
        status = path == NULL ? adg_fail_memory(error) : adg_folder_create_parents(path, error);
        if (status == ADG_OK) {
            status = write_plain(path, &item->files[i].data, error);
        }
        adg_free(path);
    }
    if (status == ADG_OK) {
        struct adg_log log = {0};
        status = adg_context(
            error, adg_promote_verify_store(item->staging, import->to->trust, import->to->now_utc, &log, error),
            "the archive's released metadata");
        adg_log_fini(&log);
    }
    return status;
}

static enum adg_status sync_parent(const char *path, struct adg_error *error)
{
    char *folder = adg_path_parent(path);
    enum adg_status status = folder == NULL ? adg_fail_memory(error) : adg_folder_sync(folder, error);
    adg_free(folder);
    return status;
}

/* *exchanged: something is in its place. */
static enum adg_status exchange(const struct item *item, bool *exchanged, struct adg_error *error)
{
    unsigned how = item->there ? RENAME_EXCHANGE : RENAME_NOREPLACE;
    if (renameat2(AT_FDCWD, item->staging, AT_FDCWD, item->target, how) != 0) {
        return adg_fail_errno(error, errno, "%s cannot be put into place", item->target);
    }
    *exchanged = true;
    enum adg_status status = item->there ? put_away(item, error) : ADG_OK;
    return status == ADG_OK ? sync_parent(item->target, error) : status;
}

static enum adg_status exchange_all(const struct import *import, bool *exchanged, struct adg_error *error)
{
    const struct item *store = &import->items[0];
    struct adg_folder_lock lock = {.fd = -1};
    bool hold = store->differs && store->there; /* nobody releases into it meanwhile */
    enum adg_status status = hold ? adg_folder_lock(&lock, store->target, error) : ADG_OK;
    for (uint32_t i = 0; i < import->count && status == ADG_OK; i++) {
        status = import->items[i].differs ? exchange(&import->items[i], exchanged, error) : ADG_OK;
    }
    if (hold && *exchanged) { /* the lock's file has gone with the store; its old path is that of the new one */
        char *file = adg_path_join(store->backup, ".adg.lock");
        if (file != NULL) {
            unlink(file);
        }
        adg_free(file);
    }
    adg_folder_unlock(&lock);
    return status;
}

static enum adg_status apply(struct import *import, const char *journal, struct adg_error *error)
{
    enum adg_status status = write_journal(import, journal, error);
    bool exchanged = false;
    uint32_t staged = 0;
    for (; staged < import->count && status == ADG_OK; staged++) {
        status = import->items[staged].differs ? stage(import, &import->items[staged], error) : ADG_OK;
    }
    if (status == ADG_OK) {
        status = exchange_all(import, &exchanged, error);
    }
    for (uint32_t i = staged; i > 0 && status != ADG_OK && !exchanged; i--) {
        if (import->items[i - 1].differs) {
            unstage(&import->items[i - 1]);
        }
    }
    if ((status == ADG_OK || !exchanged) && unlink(journal) != 0 && errno != ENOENT && status == ADG_OK) {
        status = adg_fail_errno(error, errno, "%s cannot be removed", journal);
    }
    return status;
}

static void make_stamp(int64_t now_utc, char out[16])
{
    char utc[20];
    size_t length = 0;
    adg_utc_format(now_utc, utc);
    for (const char *c = utc; *c != '\0'; c++) {
        if (*c >= '0' && *c <= '9') {
            out[length++] = *c;
        }
    }
    out[length] = '\0';
}

/* The time now, or the first second after it that no backup has. */
static enum adg_status name_backups(struct import *import, struct adg_error *error)
{
    enum adg_status status = ADG_OK;
    bool taken = true;
    for (int64_t when = import->to->now_utc; taken && status == ADG_OK; when++) {
        taken = false;
        make_stamp(when, import->stamp);
        for (uint32_t i = 0; i < import->count && status == ADG_OK; i++) {
            struct stat info;
            status = name_places(import, &import->items[i], import->stamp, error);
            taken = taken || (status == ADG_OK && lstat(import->items[i].backup, &info) == 0);
        }
    }
    return status;
}

static enum adg_status begin(struct import *import, struct adg_folder_lock *lock, char **journal,
                             struct adg_error *error)
{
    *journal = adg_path_join(import->to->folder, journal_name);
    enum adg_status status = *journal == NULL ? adg_fail_memory(error)
                                              : adg_promote_lock(import->to->folder, lock, error);
    if (status == ADG_OK) {
        status = recover(import, *journal, error);
    }
    if (status == ADG_OK) {
        status = make_items(import, error);
    }
    return status == ADG_OK ? name_backups(import, error) : status;
}

enum adg_status adg_promote_import(const struct adg_promotion *to, const struct adg_archive *archive,
                                   struct adg_error *error)
{
    struct import import = {.to = to, .archive = archive};
    struct adg_folder_lock lock = {.fd = -1};
    char *journal = NULL, utc[20];
    bool differs = false, replaces = false;
    enum adg_status status = begin(&import, &lock, &journal, error);
    for (uint32_t i = 0; i < import.count && status == ADG_OK; i++) {
        differs = differs || import.items[i].differs;
        replaces = replaces || (import.items[i].differs && import.items[i].there);
    }
    if (status == ADG_OK && replaces && !to->may_replace) {
        status = adg_fail(error, ADG_FAILED, "the folder has changed meanwhile: start the import again");
    }
    if (status == ADG_OK && differs) {
        status = apply(&import, journal, error);
    }
    if (status == ADG_OK) {
        adg_utc_format(to->now_utc, utc);
        const struct adg_version noted = {utc, to->environment, archive->version, archive->environment};
        status = adg_versions_note(to->folder, &noted, error);
    }
    adg_folder_unlock(&lock);
    adg_free(journal);
    adg_arena_fini(&import.arena);
    return status;
}

/* ---- what it would do -------------------------------------------------------------------------------------------- */

/* The releases of the store that is there which the archive does not have. */
static enum adg_status find_missing_releases(const struct item *store, struct adg_changes *changes,
                                             struct adg_error *error)
{
    struct adg_log log = {0};
    if (adg_log_read(store->target, &log, NULL) != ADG_OK) {
        return ADG_OK; /* it is no store that anybody could read; it is backed up all the same */
    }
    enum adg_status status = ADG_OK;
    struct adg_change *more = adg_arena_array(&changes->arena, (size_t)changes->count + log.count, sizeof *more);
    if (more == NULL) {
        status = adg_fail_memory(error);
    } else {
        if (changes->count > 0) {
            memcpy(more, changes->list, changes->count * sizeof *more);
        }
        changes->list = more;
    }
    for (uint32_t i = 0; i < log.count && status == ADG_OK; i++) {
        const char *hash = log.lines[i].values[ADG_LOG_MANIFEST];
        bool archived = i > 0 && strcmp(hash, log.lines[i - 1].values[ADG_LOG_MANIFEST]) == 0;
        for (uint32_t f = 0; f < store->count && !archived; f++) {
            archived = strncmp(store->files[f].name + strlen(store->prefix), hash, strlen(hash)) == 0;
        }
        if (!archived) {
            char path[1024];
            snprintf(path, sizeof path, "%s/%s", store->target, hash);
            const char *copy = adg_arena_strdup(&changes->arena, path);
            changes->list[changes->count++] = (struct adg_change){ADG_CHANGE_BACKED_UP, copy};
            status = copy == NULL ? adg_fail_memory(error) : ADG_OK;
        }
    }
    adg_log_fini(&log);
    return status;
}

enum adg_status adg_promote_compare(const struct adg_promotion *to, const struct adg_archive *archive,
                                    struct adg_changes *out, struct adg_error *error)
{
    struct import import = {.to = to, .archive = archive};
    struct adg_changes made = {0};
    struct adg_folder_lock lock = {.fd = -1};
    char *journal = NULL;
    enum adg_status status = begin(&import, &lock, &journal, error);
    if (status == ADG_OK) {
        made.list = adg_arena_array(&made.arena, import.count, sizeof *made.list);
        status = made.list == NULL ? adg_fail_memory(error) : ADG_OK;
    }
    for (uint32_t i = 0; i < import.count && status == ADG_OK; i++) {
        const struct item *item = &import.items[i];
        if (item->differs) {
            const char *path = adg_arena_strdup(&made.arena, item->target);
            made.list[made.count++] = (struct adg_change){item->there ? ADG_CHANGE_REPLACED : ADG_CHANGE_NEW, path};
            made.replaces = made.replaces || item->there;
            status = path == NULL ? adg_fail_memory(error) : ADG_OK;
        }
    }
    if (status == ADG_OK && import.items[0].there && import.items[0].differs) {
        status = find_missing_releases(&import.items[0], &made, error);
    }
    adg_folder_unlock(&lock);
    adg_free(journal);
    adg_arena_fini(&import.arena);
    if (status == ADG_OK) {
        *out = made;
    } else {
        adg_changes_fini(&made);
    }
    return status;
}

void adg_changes_fini(struct adg_changes *changes)
{
    adg_arena_fini(&changes->arena);
    *changes = (struct adg_changes){0};
}
