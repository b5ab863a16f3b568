/*
 * Files that appear whole or not at all, folders and their lock: see file.h.
 */
#include "core/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "core/memory.h"

static const char lock_name[] = ".adg.lock";

char *adg_path_join(const char *folder, const char *name)
{
    size_t folder_bytes = strlen(folder), name_bytes = strlen(name);
    const char *slash = folder_bytes > 0 && folder[folder_bytes - 1] == '/' ? "" : "/";
    char *path = adg_alloc(folder_bytes + 1 + name_bytes + 1);
    if (path != NULL) {
        sprintf(path, "%s%s%s", folder, slash, name);
    }
    return path;
}

char *adg_path_parent(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL) {
        return adg_strdup(".");
    }
    return slash == path ? adg_strdup("/") : adg_strndup(path, (size_t)(slash - path));
}

const char *adg_path_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

enum adg_status adg_file_sync(const char *path, struct adg_error *error)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    bool done = file >= 0 && fsync(file) == 0;
    int number = errno;
    if (file >= 0) {
        close(file);
    }
    return done ? ADG_OK : adg_fail_errno(error, number, "%s cannot be synced", path);
}

enum adg_status adg_folder_sync(const char *path, struct adg_error *error)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return adg_fail_errno(error, errno, "folder %s cannot be opened", path);
    }
    int failed = fsync(fd) != 0 && errno != EINVAL ? errno : 0; /* EINVAL: a file system that cannot sync folders */
    close(fd);
    return failed != 0 ? adg_fail_errno(error, failed, "folder %s cannot be synced", path) : ADG_OK;
}

enum { SUFFIX_DIGITS = 12 };
static const char suffix_end[] = ".tmp";

/* Creates a file with the permissions that the user's mask leaves, under a name that nobody has: the last
 * SUFFIX_DIGITS before suffix_end become random. -1 and errno on failure. */
static int create_temporary(char *path)
{
    static const char digits[] = "0123456789abcdef";
    char *suffix = path + strlen(path) - strlen(suffix_end) - SUFFIX_DIGITS;
    int fd = -1;
    do {
        unsigned char random[SUFFIX_DIGITS];
        if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random) {
            return -1;
        }
        for (int i = 0; i < SUFFIX_DIGITS; i++) {
            suffix[i] = digits[random[i] % 16];
        }
        fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    } while (fd < 0 && errno == EEXIST);
    return fd;
}

/* Whether create_temporary() made this name for a file called `final`. */
static bool is_temporary_of(const char *name, const char *final)
{
    size_t bytes = strlen(final);
    return name[0] == '.' && strncmp(name + 1, final, bytes) == 0 && name[1 + bytes] == '.' &&
           strspn(name + 2 + bytes, "0123456789abcdef") == SUFFIX_DIGITS &&
           strcmp(name + 2 + bytes + SUFFIX_DIGITS, suffix_end) == 0;
}

enum adg_status adg_atomic_file_open(struct adg_atomic_file *file, const char *path, struct adg_error *error)
{
    *file = (struct adg_atomic_file){.fd = -1};
    enum adg_status status = ADG_OK;
    char *folder = adg_path_parent(path);
    char *temporary = NULL, *final = NULL;
    struct adg_buffer text = {0};
    if (folder == NULL) {
        status = adg_fail_memory(error);
        goto done;
    }
    status = adg_buffer_printf(&text, error, "%s/.%s.%*s%s", folder, adg_path_name(path), SUFFIX_DIGITS, "",
                               suffix_end);
    if (status != ADG_OK) {
        goto done;
    }
    temporary = adg_strdup((const char *)text.data);
    final = adg_strdup(path);
    if (temporary == NULL || final == NULL) {
        status = adg_fail_memory(error);
        goto done;
    }
    int fd = create_temporary(temporary);
    if (fd < 0) {
        status = adg_fail_errno(error, errno, "%s cannot be written", path);
        goto done;
    }
    *file = (struct adg_atomic_file){.fd = fd, .path = final, .temporary_path = temporary};
    final = temporary = NULL;
done:
    adg_free(folder);
    adg_free(temporary);
    adg_free(final);
    adg_buffer_fini(&text);
    return status;
}

enum adg_status adg_atomic_file_sweep(const char *path, struct adg_error *error)
{
    char *parent = adg_path_parent(path);
    if (parent == NULL) {
        return adg_fail_memory(error);
    }
    DIR *folder = opendir(parent);
    enum adg_status status = folder != NULL ? ADG_OK : adg_fail_errno(error, errno, "folder %s cannot be read", parent);
    const struct dirent *entry;
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        if (is_temporary_of(entry->d_name, adg_path_name(path))) {
            unlinkat(dirfd(folder), entry->d_name, 0); /* what cannot be removed is in nobody's way */
        }
    }
    if (folder != NULL) {
        closedir(folder);
    }
    adg_free(parent);
    return status;
}

enum adg_status adg_atomic_file_write(struct adg_atomic_file *file, const void *data, size_t size,
                                      struct adg_error *error)
{
    return adg_descriptor_write(file->fd, file->path, data, size, error);
}

enum adg_status adg_descriptor_write(int fd, const char *name, const void *data, size_t size, struct adg_error *error)
{
    const char *next = data;
    while (size > 0) {
        ssize_t written = write(fd, next, size);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written < 0) {
            return adg_fail_errno(error, errno, "%s cannot be written", name);
        }
        next += written;
        size -= (size_t)written;
    }
    return ADG_OK;
}

void adg_descriptor_widen(int fd)
{
#if defined(F_SETPIPE_SZ)
    enum { PIPE_BYTES = 1 << 20 }; /* pipe(7): /proc/sys/fs/pipe-max-size */
    int bytes = fcntl(fd, F_GETPIPE_SZ);
    if (bytes > 0 && bytes < PIPE_BYTES) {
        (void)fcntl(fd, F_SETPIPE_SZ, PIPE_BYTES); /* it works without, too */
    }
#else
    (void)fd;
#endif
}

enum adg_status adg_descriptor_write_many(int fd, const char *name, const struct adg_buffer *pieces, size_t count,
                                          struct adg_error *error)
{
    enum { MOST = 256 };
    enum adg_status status = ADG_OK;
    for (size_t first = 0; first < count && status == ADG_OK; first += MOST) {
        struct iovec vectors[MOST];
        int used = count - first < MOST ? (int)(count - first) : MOST;
        for (int i = 0; i < used; i++) {
            vectors[i] = (struct iovec){pieces[first + (size_t)i].data, pieces[first + (size_t)i].size};
        }
        ssize_t written = writev(fd, vectors, used);
        if (written < 0 && errno != EINTR) {
            return adg_fail_errno(error, errno, "%s cannot be written", name);
        }
        size_t done = written > 0 ? (size_t)written : 0;
        for (int i = 0; i < used && status == ADG_OK; i++) { /* what a call that was cut short has left */
            size_t skip = done < vectors[i].iov_len ? done : vectors[i].iov_len;
            done -= skip;
            if (skip < vectors[i].iov_len) {
                status = adg_descriptor_write(fd, name, (const char *)vectors[i].iov_base + skip,
                                              vectors[i].iov_len - skip, error);
            }
        }
    }
    return status;
}

enum adg_status adg_atomic_file_commit(struct adg_atomic_file *file, struct adg_error *error)
{
    if (fsync(file->fd) != 0) {
        return adg_fail_errno(error, errno, "%s cannot be synced", file->path);
    }
    int failed = close(file->fd) != 0 ? errno : 0;
    file->fd = -1;
    if (failed != 0) {
        return adg_fail_errno(error, failed, "%s cannot be closed", file->path);
    }
    char *folder = adg_path_parent(file->path); /* now: once the file is in place, memory must not be missing */
    if (folder == NULL) {
        return adg_fail_memory(error);
    }
    enum adg_status status = ADG_OK;
    if (rename(file->temporary_path, file->path) != 0) {
        status = adg_fail_errno(error, errno, "%s cannot be given its final name", file->path);
    } else {
        adg_free(file->temporary_path);
        file->temporary_path = NULL;
        status = adg_folder_sync(folder, error);
    }
    adg_free(folder);
    return status;
}

/* 0, EEXIST or another reason. Where there are no hard links, the kernel renames without replacing. */
static int link_or_rename(const char *from, const char *to)
{
    struct stat info;
    if (link(from, to) == 0) {
        return 0;
    }
    int failed = errno;
    if (stat(from, &info) == 0 && info.st_nlink == 2) { /* a network's file system has done it, and lost the answer */
        return 0;
    }
    if (failed == EPERM || failed == EOPNOTSUPP || failed == ENOSYS) {
        return renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0 ? 0 : errno;
    }
    return failed;
}

enum adg_status adg_atomic_file_link(struct adg_atomic_file *file, bool *taken, struct adg_error *error)
{
    if (fsync(file->fd) != 0) {
        return adg_fail_errno(error, errno, "%s cannot be synced", file->path);
    }
    int failed = link_or_rename(file->temporary_path, file->path);
    if (failed != 0 && failed != EEXIST) {
        return adg_fail_errno(error, failed, "%s cannot be given its final name", file->path);
    }
    *taken = failed == EEXIST;
    return ADG_OK;
}

void adg_atomic_file_fini(struct adg_atomic_file *file)
{
    if (file->fd >= 0) {
        close(file->fd);
    }
    if (file->temporary_path != NULL) {
        unlink(file->temporary_path);
    }
    adg_free(file->temporary_path);
    adg_free(file->path);
    *file = (struct adg_atomic_file){.fd = -1};
}

enum adg_status adg_file_read(const char *path, struct adg_buffer *out, struct adg_error *error)
{
    struct adg_buffer data = {0};
    struct stat info;
    enum adg_status status = ADG_OK;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return adg_fail_errno(error, errno, "%s cannot be opened", path);
    }
    if (fstat(fd, &info) != 0) {
        status = adg_fail_errno(error, errno, "%s cannot be read", path);
        goto done;
    }
    size_t expected = info.st_size > 0 ? (size_t)info.st_size : 0;
    status = adg_buffer_reserve(&data, expected + 1, error);
    while (status == ADG_OK) {
        ssize_t got = read(fd, data.data + data.size, data.capacity - data.size);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            status = adg_fail_errno(error, errno, "%s cannot be read", path);
        } else if (got == 0) {
            break;
        } else {
            data.size += (size_t)got;
            status = adg_buffer_reserve(&data, 4096, error);
        }
    }
    if (status == ADG_OK) {
        status = adg_buffer_append(out, data.data, data.size, error);
    }
done:
    close(fd);
    adg_buffer_fini(&data);
    return status;
}

enum adg_status adg_file_write(const char *path, const void *data, size_t size, struct adg_error *error)
{
    struct adg_atomic_file file;
    enum adg_status status = adg_atomic_file_open(&file, path, error);
    if (status == ADG_OK) {
        status = adg_atomic_file_write(&file, data, size, error);
    }
    if (status == ADG_OK) {
        status = adg_atomic_file_commit(&file, error);
    }
    adg_atomic_file_fini(&file);
    return status;
}

enum adg_status adg_folder_create(const char *path, struct adg_error *error)
{
    struct stat info;
    if (mkdir(path, 0777) == 0) {
        return ADG_OK;
    }
    if (errno != EEXIST) {
        return adg_fail_errno(error, errno, "folder %s cannot be created", path);
    }
    if (stat(path, &info) != 0 || !S_ISDIR(info.st_mode)) {
        return adg_fail(error, ADG_FAILED, "%s is there and is no folder", path);
    }
    return ADG_OK;
}

enum adg_status adg_folder_create_parents(const char *path, struct adg_error *error)
{
    char *copy = adg_strdup(path);
    enum adg_status status = copy == NULL ? adg_fail_memory(error) : ADG_OK;
    for (char *at = copy != NULL ? strchr(copy + 1, '/') : NULL; at != NULL && status == ADG_OK;
         at = strchr(at + 1, '/')) {
        *at = '\0';
        status = adg_folder_create(copy, error);
        *at = '/';
    }
    adg_free(copy);
    return status;
}

/* Removes the entry `name` of the folder `at`, and what is in it. */
static int remove_entry(int at, const char *name)
{
    if (unlinkat(at, name, 0) == 0 || errno == ENOENT) {
        return 0;
    }
    int refused = errno;
    if (refused != EISDIR && refused != EPERM &&
        refused != EACCES) { /* EACCES: a process that may remove folders alone */
        return refused;
    }
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return errno == ENOTDIR ? refused : errno;
    }
    DIR *folder = fdopendir(fd);
    if (folder == NULL) {
        int failed = errno;
        close(fd);
        return failed;
    }
    int failed = 0;
    const struct dirent *entry;
    while (failed == 0 && (entry = readdir(folder)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            failed = remove_entry(fd, entry->d_name);
        }
    }
    closedir(folder);
    if (failed == 0 && unlinkat(at, name, AT_REMOVEDIR) != 0 && errno != ENOENT) {
        failed = errno;
    }
    return failed;
}

enum adg_status adg_folder_remove(const char *path, struct adg_error *error)
{
    int failed = remove_entry(AT_FDCWD, path);
    return failed != 0 ? adg_fail_errno(error, failed, "folder %s cannot be removed", path) : ADG_OK;
}

enum adg_status adg_folder_lock(struct adg_folder_lock *lock, const char *folder, struct adg_error *error)
{
    char *path = adg_path_join(folder, lock_name);
    if (path == NULL) {
        return adg_fail_memory(error);
    }
    for (;;) {
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
        if (fd < 0) {
            enum adg_status status = adg_fail_errno(error, errno, "folder %s cannot be written", folder);
            adg_free(path);
            return status;
        }
        if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
            int failed = errno;
            close(fd);
            adg_free(path);
            return failed == EWOULDBLOCK
                       ? adg_fail(error, ADG_FAILED, "another adg run is writing to folder %s; wait for it to end",
                                  folder)
                       : adg_fail_errno(error, failed, "folder %s cannot be locked", folder);
        }
        struct stat held, there; /* the holder before us may have removed the file between our open and our lock */
        if (fstat(fd, &held) == 0 && stat(path, &there) == 0 && held.st_ino == there.st_ino &&
            held.st_dev == there.st_dev) {
            *lock = (struct adg_folder_lock){.fd = fd, .path = path};
            return ADG_OK;
        }
        close(fd);
    }
}

void adg_folder_unlock(struct adg_folder_lock *lock)
{
    if (lock->path != NULL) {
        unlink(lock->path);
        close(lock->fd);
        adg_free(lock->path);
    }
    *lock = (struct adg_folder_lock){.fd = -1};
}

void adg_sha256_hex(const void *data, size_t size, char out[65])
{
    unsigned char hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(hash, data, size);
    sodium_bin2hex(out, 65, hash, sizeof hash);
}

enum adg_status adg_file_sha256(const char *path, char out[65], struct adg_error *error)
{
    unsigned char hash[crypto_hash_sha256_BYTES], bytes[65536];
    crypto_hash_sha256_state state;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return adg_fail_errno(error, errno, "%s cannot be opened", path);
    }
    crypto_hash_sha256_init(&state);
    ssize_t got;
    while ((got = read(fd, bytes, sizeof bytes)) > 0 || (got < 0 && errno == EINTR)) {
        if (got > 0) {
            crypto_hash_sha256_update(&state, bytes, (unsigned long long)got);
        }
    }
    int reason = errno;
    close(fd);
    if (got < 0) {
        return adg_fail_errno(error, reason, "%s cannot be read", path);
    }
    crypto_hash_sha256_final(&state, hash);
    sodium_bin2hex(out, 65, hash, sizeof hash);
    return ADG_OK;
}
