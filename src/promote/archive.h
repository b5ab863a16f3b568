/*
 * The file that a project travels in: a POSIX tar archive (ustar, IEEE Std 1003.1, pax) of plain files and nothing else, the same bytes
 * for the same files: no times, owners or permissions of the machine. Every tar program reads it.
 *
 *     MANIFEST.sha256    the hash of MANIFEST.json, as sha256sum writes it
 *     MANIFEST.json      project, environment, version of the program, and the SHA-256 of every file
 *     ...                the files, in the order of their names
 *
 * Read, it is taken from memory and held against what this writer would have written, byte for byte: what is not exactly that is refused.
 */
#ifndef ADG_PROMOTE_ARCHIVE_H
#define ADG_PROMOTE_ARCHIVE_H

#include <stdint.h>

#include "core/arena.h"
#include "core/buffer.h"

/* The largest number of bytes in a name of a file. */
enum { ADG_ARCHIVE_NAME_BYTES = 100 };

struct adg_archive_file {
    const char *name; /* relative, without "." and "..", with a single "/" between folders */
    struct adg_span data;
};

struct adg_archive {
    const char *project, *environment;
    char version[65]; /* the hash of MANIFEST.json: of all that is in the archive */
    const struct adg_archive_file *files;
    uint32_t count;
};

/* Whether a file may have this name in an archive. */
bool adg_archive_name_is_good(const char *name);

/* Appends the archive, sorts `files` by name, sets archive->version. ADG_BAD_INPUT: a name that cannot be, or that is there twice. */
ADG_MUST_CHECK enum adg_status adg_archive_write(struct adg_archive *archive, struct adg_archive_file *files,
                                                 const char *tool_version, struct adg_buffer *out,
                                                 struct adg_error *error);

/*
 * Everything is verified before *out is set, whose names lie in the arena and whose data in `bytes`. ADG_BAD_INPUT: no archive of this
 * kind, or not all of it; a name that leads out of a folder. ADG_REFUSED: a hash does not match.
 */
ADG_MUST_CHECK enum adg_status adg_archive_read(struct adg_span bytes, struct adg_arena *arena, struct adg_archive *out,
                                                struct adg_error *error);

#endif
