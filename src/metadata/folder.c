/*
 * A metadata folder's files: see folder.h.
 */
#include "metadata/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "metadata/internal.h"

const char *const adg_signer_names[ADG_SIGNERS] = {"reviewer", "approver"};
const char *const adg_signature_files[ADG_SIGNERS] = {"reviewer.minisig", "approver.minisig"};

static enum adg_status read_entry(int folder, const char *path, const char *name, bool optional, struct adg_buffer *out,
                                  struct adg_error *error)
{
    struct stat info;
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) {
        if (optional && errno == ENOENT) {
            return ADG_OK;
        }
        return errno == ELOOP ? adg_fail(error, ADG_REFUSED, "%s/%s is a symbolic link", path, name)
                              : adg_fail_errno(error, errno, "%s/%s cannot be opened", path, name);
    }
    enum adg_status status = ADG_OK;
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        status = adg_fail(error, ADG_REFUSED, "%s/%s is no plain file", path, name);
    }
    while (status == ADG_OK && (status = adg_buffer_reserve(out, 65536, error)) == ADG_OK) {
        ssize_t got = read(fd, out->data + out->size, out->capacity - out->size);
        if (got < 0 && errno != EINTR) {
            status = adg_fail_errno(error, errno, "%s/%s cannot be read", path, name);
        } else if (got == 0) {
            break;
        } else if (got > 0) {
            out->size += (size_t)got;
        }
    }
    close(fd);
    return status;
}

enum adg_status adg_metadata_folder_read(const char *path, struct adg_metadata_folder *out, struct adg_error *error)
{
    struct adg_metadata_folder made = {0};
    const struct {
        const char *name;
        struct adg_buffer *buffer;
        bool optional;
    } files[] = {
        {ADG_MANIFEST_FILE, &made.manifest, false},
        {ADG_DEFINITION_FILE, &made.definition, false},
        {ADG_METADATA_FILE, &made.metadata, false},
        {ADG_REVIEW_FILE, &made.review, true},
        {adg_signature_files[ADG_REVIEWER], &made.signatures[ADG_REVIEWER], true},
        {adg_signature_files[ADG_APPROVER], &made.signatures[ADG_APPROVER], true},
    };
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) {
        return adg_fail_errno(error, errno, "metadata folder %s cannot be opened", path);
    }
    enum adg_status status = ADG_OK;
    for (size_t i = 0; i < sizeof files / sizeof files[0] && status == ADG_OK; i++) {
        status = read_entry(folder, path, files[i].name, files[i].optional, files[i].buffer, error);
    }
    close(folder);
    if (status != ADG_OK) {
        adg_metadata_folder_fini(&made);
        return status;
    }
    adg_sha256_hex(made.manifest.data, made.manifest.size, made.manifest_sha256);
    if (made.review.size > 0) {
        adg_sha256_hex(made.review.data, made.review.size, made.review_sha256);
    }
    *out = made;
    return ADG_OK;
}

void adg_metadata_folder_fini(struct adg_metadata_folder *folder)
{
    adg_buffer_fini(&folder->manifest);
    adg_buffer_fini(&folder->definition);
    adg_buffer_fini(&folder->metadata);
    adg_buffer_fini(&folder->review);
    for (int i = 0; i < ADG_SIGNERS; i++) {
        adg_buffer_fini(&folder->signatures[i]);
    }
}

enum adg_status adg_metadata_folder_manifest(const struct adg_metadata_folder *folder, struct adg_arena *arena,
                                             struct adg_manifest *out, struct adg_error *error)
{
    return adg_manifest_read((struct adg_span){folder->manifest.data, folder->manifest.size}, arena, out, error);
}

static enum adg_status check_hash(const struct adg_buffer *file, const char *name, const char *expected,
                                  struct adg_error *error)
{
    char found[65];
    adg_sha256_hex(file->data, file->size, found);
    return strcmp(found, expected) == 0
               ? ADG_OK
               : adg_fail(error, ADG_BAD_INPUT, "%s does not match the hash in %s: it was changed or damaged", name,
                          ADG_MANIFEST_FILE);
}

enum adg_status adg_metadata_folder_check_hashes(const struct adg_metadata_folder *folder,
                                                 const struct adg_manifest *manifest, struct adg_error *error)
{
    enum adg_status status = check_hash(&folder->metadata, ADG_METADATA_FILE, manifest->metadata_sha256, error);
    return status == ADG_OK ? check_hash(&folder->definition, ADG_DEFINITION_FILE, manifest->definition_sha256, error)
                            : status;
}
