/*
 * Files: read whole, or written so that they appear under their final name only when complete and synced.
 *
 * An atomic file is written under a temporary name (".<name>.<12 random digits>.tmp") in the target's own folder; commit syncs it,
 * renames it over the final name and syncs the folder; link replaces nothing. abort, or a process that ends on SIGINT or SIGTERM through
 * adg_stop_requested(), removes it.
 */
#ifndef ADG_CORE_FILE_H
#define ADG_CORE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buffer.h"

struct adg_atomic_file {
    int fd;     /* -1 when not open; a zeroed struct must not be finished before open */
    char *path; /* final */
    char *temporary_path;
};

/* ADG_FAILED when the folder is missing or cannot be written. */
ADG_MUST_CHECK enum adg_status adg_atomic_file_open(struct adg_atomic_file *file, const char *path,
                                                    struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_atomic_file_write(struct adg_atomic_file *file, const void *data, size_t size,
                                                     struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_atomic_file_commit(struct adg_atomic_file *file, struct adg_error *error);
/* Syncs it and gives it its final name when nobody has that; else *taken is true, and it is as before. The folder is still to be synced. */
ADG_MUST_CHECK enum adg_status adg_atomic_file_link(struct adg_atomic_file *file, bool *taken, struct adg_error *error);
/* Removes what processes that were killed have left of this file. The caller has the right to write it, and nobody else. */
ADG_MUST_CHECK enum adg_status adg_atomic_file_sweep(const char *path, struct adg_error *error);
/* Removes what is not committed; nothing to do after commit. Accepts a file whose open failed. */
void adg_atomic_file_fini(struct adg_atomic_file *file);

/* All of it, to an open file; `name` is for the message. */
ADG_MUST_CHECK enum adg_status adg_descriptor_write(int fd, const char *name, const void *data, size_t size,
                                                    struct adg_error *error);
/* A pipe is made to hold as much as may be asked for without rights, so that both ends wait less often for one another. */
void adg_descriptor_widen(int fd);
/* All of the buffers, one behind the other. */
ADG_MUST_CHECK enum adg_status adg_descriptor_write_many(int fd, const char *name, const struct adg_buffer *pieces,
                                                         size_t count, struct adg_error *error);

/* The whole file, appended to `out`. ADG_FAILED when it cannot be read, names the path. */
ADG_MUST_CHECK enum adg_status adg_file_read(const char *path, struct adg_buffer *out, struct adg_error *error);
/* Writes the bytes to an atomic file and commits it. */
ADG_MUST_CHECK enum adg_status adg_file_write(const char *path, const void *data, size_t size, struct adg_error *error);

/* Creates the folder (its parent must exist) unless it is there; ADG_FAILED when that is impossible or it is not a folder. */
ADG_MUST_CHECK enum adg_status adg_folder_create(const char *path, struct adg_error *error);
/* Creates the folders that `path` lies in, but not what it names. ADG_FAILED as above. */
ADG_MUST_CHECK enum adg_status adg_folder_create_parents(const char *path, struct adg_error *error);
/* Removes a folder and all in it; follows no symbolic link. Missing is fine. */
ADG_MUST_CHECK enum adg_status adg_folder_remove(const char *path, struct adg_error *error);
/* Syncs what another library has written. */
ADG_MUST_CHECK enum adg_status adg_file_sync(const char *path, struct adg_error *error);
/* Syncs the folder's entries. */
ADG_MUST_CHECK enum adg_status adg_folder_sync(const char *path, struct adg_error *error);

/* Holds `<folder>/.adg.lock` for this process. ADG_FAILED at once ("another adg run is writing to this folder") when
 * somebody else has it. The lock goes with the process; unlock removes the file too. */
struct adg_folder_lock {
    int fd;
    char *path;
};
ADG_MUST_CHECK enum adg_status adg_folder_lock(struct adg_folder_lock *lock, const char *folder,
                                               struct adg_error *error);
void adg_folder_unlock(struct adg_folder_lock *lock);

/* "<folder>/<name>" in new memory of the caller; NULL without memory. */
char *adg_path_join(const char *folder, const char *name);
/* What a path ends with, behind its last slash; within the path. */
const char *adg_path_name(const char *path);
/* The folder that holds what is at the path, "." for a bare name, in new memory of the caller; NULL without memory. */
char *adg_path_parent(const char *path);

/* SHA-256 in 64 lower-case hexadecimal digits and a NUL. */
void adg_sha256_hex(const void *data, size_t size, char out[65]);
/* The same of a file, of any size. ADG_FAILED when it cannot be read. */
ADG_MUST_CHECK enum adg_status adg_file_sha256(const char *path, char out[65], struct adg_error *error);

#endif
