/*
 * Publishing: see publish.h. What there is to publish is what provenance.json lists; what may be is what qa.json passed.
 */
#include "govern/publish.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/arena.h"
#include "core/file.h"
#include "core/memory.h"
#include "dataset/dataset.h"
#include "core/stop.h"
#include "delta/log.h"
#include "govern/notice.h"
#include "metadata/json.h"

struct file {
    const char *name; /* within the folders: "artificial_t.parquet", "artificial_t/part-00000-of-00002.csv" */
    char sha256[65];
};

struct item {
    const char *name, *table; /* of provenance.json */
    struct file *files;
    uint32_t file_count;
    json_t *provenance; /* borrowed */
};

struct publication {
    const struct adg_publish_options *options;
    struct adg_arena arena;
    json_t *provenance, *qa;
    struct item *items;
    uint32_t item_count;
};

static json_t *load(const char *folder, const char *name)
{
    char *path = adg_path_join(folder, name);
    json_t *root = path != NULL ? json_load_file(path, JSON_REJECT_DUPLICATES, NULL) : NULL;
    adg_free(path);
    return root;
}

/* ---- what there is ----------------------------------------------------------------------------------------------- */

static int by_file_name(const void *a, const void *b)
{
    return strcmp(((const struct file *)a)->name, ((const struct file *)b)->name);
}

/* "part-IIIII-of-NNNNN.parquet" or ".csv", as generate names them; *parts: N. */
static bool is_part(const char *name, unsigned *parts)
{
    static const char *const extensions[] = {"parquet", "csv"};
    unsigned part;
    char expected[64];
    if (sscanf(name, "part-%9u-of-%9u", &part, parts) != 2 || part >= *parts) {
        return false;
    }
    for (size_t i = 0; i < sizeof extensions / sizeof extensions[0]; i++) {
        snprintf(expected, sizeof expected, "part-%05u-of-%05u.%s", part, *parts, extensions[i]);
        if (strcmp(name, expected) == 0) {
            return true;
        }
    }
    return false;
}

/* The parts of a folder: all of them, of one run, or the table is not complete. */
static enum adg_status find_parts(struct publication *publication, struct item *item, const char *path,
                                  struct adg_error *error)
{
    uint32_t expected = 0, capacity = 0;
    DIR *folder = opendir(path);
    enum adg_status status = folder == NULL ? adg_fail_errno(error, errno, "%s cannot be read", path) : ADG_OK;
    const struct dirent *entry;
    while (status == ADG_OK && (entry = readdir(folder)) != NULL) {
        unsigned parts;
        if (!is_part(entry->d_name, &parts)) {
            continue;
        }
        if (item->file_count > 0 && parts != expected) {
            status = adg_fail(error, ADG_BAD_INPUT, "table %s: %s holds parts of more than one run", item->table, path);
            break;
        }
        if (item->file_count == capacity) {
            capacity = capacity == 0 ? 64 : 2 * capacity;
            struct file *more = adg_arena_array(&publication->arena, capacity, sizeof *more);
            if (more == NULL) {
                status = adg_fail_memory(error);
                break;
            }
            if (item->file_count > 0) {
                memcpy(more, item->files, item->file_count * sizeof *more);
            }
            item->files = more;
        }
        char name[512];
        snprintf(name, sizeof name, "%s/%s", item->name, entry->d_name);
        item->files[item->file_count].name = adg_arena_strdup(&publication->arena, name);
        status = item->files[item->file_count++].name == NULL ? adg_fail_memory(error) : ADG_OK;
        expected = parts;
    }
    if (folder != NULL) {
        closedir(folder);
    }
    if (status == ADG_OK && (item->file_count == 0 || item->file_count != expected)) {
        status = adg_fail(error, ADG_BAD_INPUT, "table %s is not complete: %u of %u parts are there", item->table,
                          item->file_count, expected);
    }
    if (status == ADG_OK) {
        qsort(item->files, item->file_count, sizeof *item->files, by_file_name);
    }
    return status;
}

static enum adg_status find_files(struct publication *publication, struct item *item, struct adg_error *error)
{
    struct stat info;
    char *path = adg_path_join(publication->options->data_folder, item->name);
    enum adg_status status = path == NULL ? adg_fail_memory(error) : ADG_OK;
    if (status == ADG_OK && lstat(path, &info) != 0) {
        status = adg_fail(error, ADG_BAD_INPUT, "table %s: %s is missing", item->table, item->name);
    } else if (status == ADG_OK && S_ISDIR(info.st_mode)) {
        status = find_parts(publication, item, path, error);
    } else if (status == ADG_OK) {
        item->files = adg_arena_array(&publication->arena, 1, sizeof *item->files);
        item->file_count = 1;
        if (item->files == NULL) {
            status = adg_fail_memory(error);
        } else {
            item->files[0].name = item->name;
        }
    }
    adg_free(path);
    return status;
}

static bool is_delta_table(const struct adg_publish_options *options, const char *table)
{
    char name[256];
    snprintf(name, sizeof name, "artificial_%s", table);
    char *path = adg_path_join(options->data_folder, name);
    bool is = path != NULL && adg_delta_is(path);
    adg_free(path);
    return is;
}

static enum adg_status check_names(const struct publication *publication, const char *const *names, uint32_t count,
                                   struct adg_error *error)
{
    json_t *files = json_object_get(publication->provenance, "files"), *entry;
    const char *key;
    for (uint32_t i = 0; i < count; i++) {
        bool known = is_delta_table(publication->options, names[i]);
        json_object_foreach(files, key, entry)
        {
            const char *table = json_string_value(json_object_get(entry, "table"));
            known = known || (table != NULL && strcmp(table, names[i]) == 0);
        }
        if (!known) {
            return adg_fail(error, ADG_BAD_INPUT, "data folder %s has no table %s", publication->options->data_folder,
                            names[i]);
        }
    }
    return ADG_OK;
}

static bool is_asked_for(const struct adg_publish_options *options, const char *table)
{
    return (options->include_count == 0 || adg_table_is_among(table, options->include, options->include_count)) &&
           !adg_table_is_among(table, options->exclude, options->exclude_count);
}

/* Delta tables are not copied: provenance.json knows nothing of them, and they would come without their history. */
static enum adg_status refuse_delta(const struct adg_publish_options *options, struct adg_error *error)
{
    DIR *folder = opendir(options->data_folder);
    enum adg_status status = ADG_OK;
    const struct dirent *entry;
    while (folder != NULL && status == ADG_OK && (entry = readdir(folder)) != NULL) {
        const char *name = entry->d_name;
        if (strncmp(name, "artificial_", 11) != 0 || !is_asked_for(options, name + 11)) {
            continue;
        }
        if (is_delta_table(options, name + 11)) {
            status = adg_fail(error, ADG_BAD_INPUT,
                              "table %s is a Delta table, and publish copies files: leave it out with --exclude %s, or "
                              "generate it as Parquet",
                              name + 11, name + 11);
        }
    }
    if (folder != NULL) {
        closedir(folder);
    }
    return status;
}

/* The tables asked for. */
static enum adg_status choose(struct publication *publication, struct adg_error *error)
{
    const struct adg_publish_options *options = publication->options;
    json_t *files = json_object_get(publication->provenance, "files"), *entry;
    const char *name;
    enum adg_status status = refuse_delta(options, error);
    if (status != ADG_OK) {
        return status;
    }
    if (!json_is_object(files) || json_object_size(files) == 0) {
        return adg_fail(error, ADG_BAD_INPUT, "data folder %s has no provenance.json of generated tables",
                        options->data_folder);
    }
    publication->items = adg_arena_array(&publication->arena, json_object_size(files), sizeof *publication->items);
    status = publication->items == NULL ? adg_fail_memory(error)
                                        : check_names(publication, options->include, options->include_count, error);
    if (status == ADG_OK) {
        status = check_names(publication, options->exclude, options->exclude_count, error);
    }
    json_object_foreach(files, name, entry)
    {
        const char *table = json_string_value(json_object_get(entry, "table"));
        if (status != ADG_OK || table == NULL || strncmp(name, "artificial_", 11) != 0 || strchr(name, '/') != NULL ||
            !is_asked_for(options, table)) {
            continue;
        }
        struct item *item = &publication->items[publication->item_count++];
        *item = (struct item){.name = name, .table = table, .provenance = entry};
        status = find_files(publication, item, error);
    }
    return status == ADG_OK && publication->item_count == 0
               ? adg_fail(error, ADG_BAD_INPUT, "no table is left to publish")
               : status;
}

/* ---- what may be ------------------------------------------------------------------------------------------------- */

/* The hash that qa.json states for a file of a table that passed; NULL: none. */
static const char *passed_hash(const struct publication *publication, const struct item *item, const char *name)
{
    json_t *table, *file;
    size_t i, k;
    json_array_foreach(json_object_get(publication->qa, "tables"), i, table)
    {
        const char *of = json_string_value(json_object_get(table, "table")),
                   *result = json_string_value(json_object_get(table, "result"));
        if (of == NULL || result == NULL || strcmp(of, item->table) != 0 || strcmp(result, "pass") != 0) {
            continue;
        }
        json_array_foreach(json_object_get(table, "files"), k, file)
        {
            const char *stated = json_string_value(json_object_get(file, "name"));
            if (stated != NULL && strcmp(stated, name) == 0) {
                return json_string_value(json_object_get(file, "sha256"));
            }
        }
    }
    return NULL;
}

static enum adg_status verify(struct publication *publication, struct adg_error *error)
{
    const struct adg_publish_options *options = publication->options;
    enum adg_status status = ADG_OK;
    for (uint32_t i = 0; i < publication->item_count && status == ADG_OK; i++) {
        struct item *item = &publication->items[i];
        bool unchecked = false;
        for (uint32_t f = 0; f < item->file_count && status == ADG_OK; f++) {
            struct file *file = &item->files[f];
            char *path = adg_path_join(options->data_folder, file->name);
            status = path == NULL ? adg_fail_memory(error) : adg_file_sha256(path, file->sha256, error);
            adg_free(path);
            const char *passed = passed_hash(publication, item, file->name);
            unchecked = unchecked || passed == NULL || strcmp(passed, file->sha256) != 0;
        }
        char message[512];
        if (status == ADG_OK && unchecked && !options->allow_unchecked) {
            status = adg_fail(error, ADG_REFUSED,
                              "table %s: qa.json has not passed it for these bytes; run adg qa on the folder, or say "
                              "--allow-unchecked",
                              item->table);
        } else if (status == ADG_OK && unchecked) {
            snprintf(message, sizeof message, "table %s is published unchecked", item->table);
            options->warn(options->context, message);
        }
        if (status == ADG_OK && !json_is_true(json_object_get(item->provenance, "released"))) {
            snprintf(message, sizeof message,
                     "table %s was made from metadata that nobody has released; the notice says so", item->table);
            options->warn(options->context, message);
        }
    }
    return status;
}

/* ---- copying ----------------------------------------------------------------------------------------------------- */

static enum adg_status copy_file(const char *from, const char *to, const char *sha256, struct adg_error *error)
{
    enum { PIECE = 1 << 20 };
    struct adg_atomic_file file;
    char found[65];
    int in = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (in < 0) {
        return adg_fail_errno(error, errno, "%s cannot be opened", from);
    }
    uint8_t *bytes = adg_alloc_array(PIECE, 1);
    enum adg_status status = bytes == NULL ? adg_fail_memory(error) : adg_atomic_file_open(&file, to, error);
    if (status != ADG_OK) {
        close(in);
        adg_free(bytes);
        return status;
    }
    for (ssize_t got = 1; status == ADG_OK && got > 0;) {
        got = read(in, bytes, PIECE);
        if (got < 0 && errno == EINTR) {
            got = 1;
            continue;
        }
        status = got < 0 ? adg_fail_errno(error, errno, "%s cannot be read", from)
                         : adg_atomic_file_write(&file, bytes, (size_t)got, error);
        status = status == ADG_OK ? adg_stop_check(error) : status;
    }
    if (status == ADG_OK) { /* what has been written, read again, is what was verified */
        status = adg_file_sha256(file.temporary_path, found, error);
    }
    if (status == ADG_OK && strcmp(found, sha256) != 0) {
        status = adg_fail(error, ADG_FAILED, "%s is not what was read: it changed, or the disk is damaged", to);
    }
    if (status == ADG_OK && fchmod(file.fd, 0444) != 0) {
        status = adg_fail_errno(error, errno, "%s cannot be made read-only", to);
    }
    if (status == ADG_OK) {
        status = adg_atomic_file_commit(&file, error);
    }
    adg_atomic_file_fini(&file);
    adg_free(bytes);
    close(in);
    return status;
}

/* Parts are copied to a folder of their own, which then takes the place of the one before: parts of two runs are never side by side,
 * and none of an earlier run with more of them is left. */
static enum adg_status copy_parts(const struct publication *publication, const struct item *item,
                                  struct adg_error *error)
{
    const struct adg_publish_options *options = publication->options;
    struct adg_buffer name = {0};
    struct stat info;
    char *staging = NULL, *folder = adg_path_join(options->to_folder, item->name);
    enum adg_status status = folder == NULL ? adg_fail_memory(error)
                                            : adg_buffer_printf(&name, error, ".%s.new", item->name);
    if (status == ADG_OK) {
        staging = adg_path_join(options->to_folder, (const char *)name.data);
        status = staging == NULL ? adg_fail_memory(error)
                                 : adg_folder_remove(staging, error); /* of one that was killed */
    }
    if (status == ADG_OK) {
        status = adg_folder_create(staging, error);
    }
    for (uint32_t f = 0; f < item->file_count && status == ADG_OK; f++) {
        char *from = adg_path_join(options->data_folder, item->files[f].name),
             *to = adg_path_join(staging, strchr(item->files[f].name, '/') + 1);
        status = from == NULL || to == NULL ? adg_fail_memory(error)
                                            : copy_file(from, to, item->files[f].sha256, error);
        adg_free(from);
        adg_free(to);
    }
    if (status == ADG_OK) {
        unsigned exchange = lstat(folder, &info) == 0 ? RENAME_EXCHANGE : RENAME_NOREPLACE;
        status = renameat2(AT_FDCWD, staging, AT_FDCWD, folder, exchange) != 0
                     ? adg_fail_errno(error, errno, "%s cannot be put into place", folder)
                     : adg_folder_sync(options->to_folder, error);
    }
    if (staging != NULL) { /* what was there before, or what is not complete */
        enum adg_status removed = adg_folder_remove(staging, status == ADG_OK ? error : NULL);
        status = status == ADG_OK ? removed : status;
    }
    adg_buffer_fini(&name);
    adg_free(staging);
    adg_free(folder);
    return status;
}

static enum adg_status copy_item(const struct publication *publication, const struct item *item,
                                 struct adg_error *error)
{
    const struct adg_publish_options *options = publication->options;
    if (strchr(item->files[0].name, '/') != NULL) {
        return copy_parts(publication, item, error);
    }
    char *from = adg_path_join(options->data_folder, item->name), *to = adg_path_join(options->to_folder, item->name);
    enum adg_status status = from == NULL || to == NULL ? adg_fail_memory(error)
                                                        : copy_file(from, to, item->files[0].sha256, error);
    adg_free(from);
    adg_free(to);
    return status;
}

static enum adg_status write_read_only(const char *folder, const char *name, const struct adg_buffer *bytes,
                                       struct adg_error *error)
{
    char *path = adg_path_join(folder, name);
    enum adg_status status = path == NULL ? adg_fail_memory(error)
                                          : adg_file_write(path, bytes->data, bytes->size, error);
    if (status == ADG_OK && chmod(path, 0444) != 0) {
        status = adg_fail_errno(error, errno, "%s cannot be made read-only", path);
    }
    adg_free(path);
    return status;
}

/* provenance.json of all that is published there, and the notices. */
static enum adg_status write_texts(const struct publication *publication, struct adg_error *error)
{
    const char *folder = publication->options->to_folder;
    json_t *there = load(folder, "provenance.json"), *files = json_object_get(there, "files");
    if (!json_is_object(files)) {
        json_decref(there);
        there = json_pack("{s:i, s:{}}", "format", 1, "files");
        files = json_object_get(there, "files");
    }
    for (uint32_t i = 0; i < publication->item_count; i++) {
        json_object_set(files, publication->items[i].name, publication->items[i].provenance);
    }
    struct adg_buffer bytes = {0};
    enum adg_status status = adg_json_append(&bytes, there, JSON_INDENT(1) | JSON_SORT_KEYS, error);
    if (status == ADG_OK) {
        status = write_read_only(folder, "provenance.json", &bytes, error);
    }
    for (int html = 0; html < 2 && status == ADG_OK; html++) {
        bytes.size = 0;
        status = adg_notice_write(there, html == 1, &bytes, error);
        if (status == ADG_OK) {
            status = write_read_only(folder, html == 1 ? "NOTICE.html" : "NOTICE.md", &bytes, error);
        }
    }
    adg_buffer_fini(&bytes);
    json_decref(there);
    return status;
}

enum adg_status adg_publish(const struct adg_publish_options *options, struct adg_error *error)
{
    struct publication publication = {.options = options,
                                      .provenance = load(options->data_folder, "provenance.json"),
                                      .qa = load(options->data_folder, "qa.json")};
    struct adg_folder_lock lock = {.fd = -1};
    enum adg_status status = choose(&publication, error);
    if (status == ADG_OK) {
        status = verify(&publication, error);
    }
    if (status == ADG_OK) {
        status = adg_folder_lock(&lock, options->to_folder, error);
    }
    for (uint32_t i = 0; i < publication.item_count && status == ADG_OK; i++) {
        status = adg_context(error, copy_item(&publication, &publication.items[i], error), "table %s",
                             publication.items[i].table);
    }
    if (status == ADG_OK) {
        status = write_texts(&publication, error);
    }
    adg_folder_unlock(&lock);
    for (uint32_t i = 0; i < publication.item_count && status == ADG_OK; i++) {
        options->published(options->context, publication.items[i].table, publication.items[i].name);
    }
    json_decref(publication.provenance);
    json_decref(publication.qa);
    adg_arena_fini(&publication.arena);
    return status;
}
