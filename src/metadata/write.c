/*
 * A metadata folder, written beside its final place and moved there whole.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "core/memory.h"
#include "metadata/parts.h"

/* What may stand in a metadata folder that is replaced; reports of any name end in .html. */
static const char *const known_files[] = {ADG_METADATA_FILE, ADG_DEFINITION_FILE, ADG_MANIFEST_FILE,
                                          ADG_REVIEW_FILE,   "reviewer.minisig",  "approver.minisig"};

static bool is_known(const char *name)
{
    size_t length = strlen(name);
    for (size_t i = 0; i < sizeof known_files / sizeof known_files[0]; i++) {
        if (strcmp(known_files[i], name) == 0) {
            return true;
        }
    }
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || (length > 5 && strcmp(name + length - 5, ".html") == 0);
}

/* *there: the folder exists; it must hold nothing but metadata. */
static enum adg_status check_replaceable(const char *folder, bool *there, struct adg_error *error)
{
    DIR *entries = opendir(folder);
    *there = entries != NULL;
    if (entries == NULL) {
        return errno == ENOENT ? ADG_OK : adg_fail_errno(error, errno, "folder %s cannot be replaced", folder);
    }
    enum adg_status status = ADG_OK;
    const struct dirent *entry;
    while (status == ADG_OK && (entry = readdir(entries)) != NULL) {
        if (!is_known(entry->d_name)) {
            status = adg_fail(
                error, ADG_FAILED,
                "folder %s holds %s, which is no file of a metadata folder: name another folder, or remove it", folder,
                entry->d_name);
        }
    }
    closedir(entries);
    return status;
}

static enum adg_status write_file(const char *folder, const char *name, const void *data, size_t size,
                                  struct adg_error *error)
{
    char *path = adg_path_join(folder, name);
    enum adg_status status = path == NULL ? adg_fail_memory(error) : adg_file_write(path, data, size, error);
    adg_free(path);
    return status;
}

/* Moves `temporary` to `folder`; the old folder, if there is one, is then in `temporary`, and removed. */
static enum adg_status move_into_place(const char *temporary, const char *folder, bool there, struct adg_error *error)
{
    if (renameat2(AT_FDCWD, temporary, AT_FDCWD, folder, there ? RENAME_EXCHANGE : RENAME_NOREPLACE) != 0) {
        return adg_fail_errno(error, errno, "folder %s cannot be put into place", folder);
    }
    if (there) {
        return adg_folder_remove(temporary, error);
    }
    return ADG_OK;
}

enum adg_status adg_metadata_lock(const char *folder, int *held, struct adg_error *error)
{
    struct stat locked, there;
    for (;;) {
        int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0 && errno == ENOENT) {
            *held = -1;
            return ADG_OK;
        }
        if (fd < 0) {
            return adg_fail_errno(error, errno, "metadata folder %s cannot be opened", folder);
        }
        if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
            int reason = errno;
            close(fd);
            return reason == EWOULDBLOCK
                       ? adg_fail(error, ADG_FAILED,
                                  "another adg run is writing metadata folder %s; wait for it to end", folder)
                       : adg_fail_errno(error, reason, "metadata folder %s cannot be locked", folder);
        }
        /* the one who held it before may have put another folder into its place between our open and our lock */
        if (fstat(fd, &locked) == 0 && stat(folder, &there) == 0 && locked.st_ino == there.st_ino &&
            locked.st_dev == there.st_dev) {
            *held = fd;
            return ADG_OK;
        }
        close(fd);
    }
}

void adg_metadata_unlock(int held)
{
    if (held >= 0) {
        close(held);
    }
}

enum adg_status adg_metadata_stage(const char *folder, char **out, struct adg_error *error)
{
    struct adg_buffer name = {0};
    int length = (int)strlen(folder), parent;
    while (length > 1 && folder[length - 1] == '/') {
        length--;
    }
    for (parent = length; parent > 0 && folder[parent - 1] != '/';) {
        parent--;
    }
    enum adg_status status = adg_buffer_printf(&name, error, "%.*s.%.*s.XXXXXX", parent, folder, length - parent,
                                               folder + parent);
    char *made = status == ADG_OK ? adg_strndup((const char *)name.data, name.size) : NULL;
    adg_buffer_fini(&name);
    if (made == NULL) {
        return adg_fail_memory(error);
    }
    mode_t mask = umask(0);
    umask(mask);
    if (mkdtemp(made) == NULL) {
        status = adg_fail_errno(error, errno, "folder %s cannot be created", folder);
    } else if (chmod(made, 0777 & ~mask) != 0) {
        status = adg_fail_errno(error, errno, "folder %s cannot be given its permissions", folder);
        rmdir(made);
    }
    if (status != ADG_OK) {
        adg_free(made);
        return status;
    }
    *out = made;
    return ADG_OK;
}

/* The three files, into the staging folder. */
static enum adg_status write_files(const char *staging, const struct adg_definition *definition,
                                   struct adg_manifest *manifest, const struct adg_parquet_table *table,
                                   struct adg_error *error)
{
    struct adg_buffer parquet = {0}, json = {0};
    enum adg_status status = adg_parquet_table_write(table, &parquet, error);
    if (status == ADG_OK) {
        adg_sha256_hex(parquet.data, parquet.size, manifest->metadata_sha256);
        adg_sha256_hex(definition->text, definition->text_bytes, manifest->definition_sha256);
        status = adg_manifest_write(manifest, &json, error);
    }
    if (status == ADG_OK) {
        status = write_file(staging, ADG_METADATA_FILE, parquet.data, parquet.size, error);
    }
    if (status == ADG_OK) {
        status = write_file(staging, ADG_DEFINITION_FILE, definition->text, definition->text_bytes, error);
    }
    if (status == ADG_OK) {
        status = write_file(staging, ADG_MANIFEST_FILE, json.data, json.size, error);
    }
    adg_buffer_fini(&parquet);
    adg_buffer_fini(&json);
    return status;
}

enum adg_status adg_metadata_write(const char *folder, const char *staging, const struct adg_definition *definition,
                                   struct adg_manifest *manifest, struct adg_metadata_rows *rows,
                                   struct adg_error *error)
{
    struct adg_arena arena = {0};
    struct adg_parquet_table table;
    char *target = adg_strdup(folder);
    bool there = false;
    enum adg_status status = target == NULL ? adg_fail_memory(error) : ADG_OK;
    for (size_t length = status == ADG_OK ? strlen(target) : 0; length > 1 && target[length - 1] == '/'; length--) {
        target[length - 1] = '\0';
    }
    if (status == ADG_OK) {
        status = check_replaceable(target, &there, error);
    }
    if (status == ADG_OK) {
        adg_metadata_rows_sort(rows);
        status = adg_metadata_check(rows->rows, rows->count, definition, error);
    }
    if (status == ADG_OK) {
        status = adg_metadata_to_table(rows->rows, rows->count, &arena, &table, error);
    }
    if (status == ADG_OK) {
        status = adg_metadata_cut(rows->rows, rows->count, &arena, &table, error);
    }
    if (status == ADG_OK) {
        status = write_files(staging, definition, manifest, &table, error);
    }
    if (status == ADG_OK) {
        status = move_into_place(staging, target, there, error);
    }
    if (status != ADG_OK) {
        enum adg_status removed = adg_folder_remove(staging, NULL); /* the failure that matters is reported already */
        (void)removed;
    }
    adg_arena_fini(&arena);
    adg_free(target);
    return status;
}
