/*
 * Listings: see listing.h.
 */
#include "project/listing.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/file.h"
#include "core/memory.h"
#include "core/strings.h"

enum {
    DEEPEST = 16,           /* a link may lead round in a circle */
    SMALL_BYTES = 16 << 20, /* hashed in a twentieth of a second */
};

struct names {
    char **items;
    size_t count, capacity;
};

static enum adg_status read_names(const char *path, struct names *names, struct adg_error *error)
{
    DIR *folder = opendir(path);
    enum adg_status status = folder == NULL ? adg_fail_errno(error, errno, "folder %s cannot be read", path) : ADG_OK;
    const struct dirent *entry;
    while (status == ADG_OK && (entry = readdir(folder)) != NULL) {
        if (entry->d_name[0] == '.') {
            continue;
        }
        if (names->count == names->capacity) {
            char **more = adg_grow_array(names->items, &names->capacity, 16, sizeof *more);
            if (more == NULL) {
                status = adg_fail_memory(error);
                break;
            }
            names->items = more;
        }
        char *copy = adg_strdup(entry->d_name);
        if (copy == NULL) {
            status = adg_fail_memory(error);
        } else {
            names->items[names->count++] = copy;
        }
    }
    if (folder != NULL) {
        closedir(folder);
    }
    if (names->count > 0) {
        qsort(names->items, names->count, sizeof *names->items, adg_compare_texts);
    }
    return status;
}

static enum adg_status append(const char *path, const char *name, int depth, struct adg_buffer *out,
                              struct adg_error *error)
{
    struct stat info;
    if (stat(path, &info) != 0) {
        return errno == ENOENT || errno == ENOTDIR ? ADG_OK : adg_fail_errno(error, errno, "%s cannot be read", path);
    }
    if (!S_ISDIR(info.st_mode)) { /* a line has no line end within it */
        size_t start = out->size;
        char mark[65];
        snprintf(mark, sizeof mark, "%lld.%09ld", (long long)info.st_mtim.tv_sec, info.st_mtim.tv_nsec);
        enum adg_status status = info.st_size <= SMALL_BYTES ? adg_file_sha256(path, mark, error) : ADG_OK;
        if (status == ADG_OK) {
            status = adg_buffer_printf(out, error, "%lld %s %s", (long long)info.st_size, mark, name);
        }
        for (size_t i = start; i < out->size; i++) {
            out->data[i] = out->data[i] == '\n' ? '?' : out->data[i];
        }
        return status == ADG_OK ? adg_buffer_append(out, "\n", 1, error) : status;
    }
    struct names names = {0};
    enum adg_status status = depth == DEEPEST ? adg_fail(error, ADG_FAILED, "folder %s is too deep", path)
                                              : read_names(path, &names, error);
    for (size_t i = 0; i < names.count; i++) {
        char *inner = adg_path_join(path, names.items[i]), *shown = adg_path_join(name, names.items[i]);
        if (status == ADG_OK) {
            status = inner == NULL || shown == NULL ? adg_fail_memory(error)
                                                    : append(inner, shown, depth + 1, out, error);
        }
        adg_free(inner);
        adg_free(shown);
        adg_free(names.items[i]);
    }
    adg_free(names.items);
    return status;
}

enum adg_status adg_listing_append(const char *path, const char *name, struct adg_buffer *out, struct adg_error *error)
{
    size_t before = out->size;
    enum adg_status status = append(path, name, 0, out, error);
    out->size = status == ADG_OK ? out->size : before;
    return status;
}

static struct adg_span next_line(struct adg_span *rest)
{
    const uint8_t *end = memchr(rest->data, '\n', rest->size);
    size_t size = end != NULL ? (size_t)(end - rest->data) + 1 : rest->size;
    struct adg_span line = {rest->data, size};
    *rest = (struct adg_span){rest->data + size, rest->size - size};
    return line;
}

bool adg_listing_within(struct adg_span listing, struct adg_span whole)
{
    while (listing.size > 0) { /* both in the same order */
        struct adg_span wanted = next_line(&listing);
        bool found = false;
        while (whole.size > 0 && !found) {
            found = adg_span_compare(next_line(&whole), wanted) == 0;
        }
        if (!found) {
            return false;
        }
    }
    return true;
}
