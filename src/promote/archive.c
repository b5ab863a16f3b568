/*
 * Archives of projects: see archive.h.
 */
#include "promote/archive.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "metadata/json.h"

enum { BLOCK = 512, NAME = 0, SIZE = 124, SUM = 148, SUM_BYTES = 8, FORMAT = 1 };

static const char hash_name[] = "MANIFEST.sha256", manifest_name[] = "MANIFEST.json";

bool adg_archive_name_is_good(const char *name)
{
    size_t length = strlen(name);
    if (length == 0 || length > ADG_ARCHIVE_NAME_BYTES || name[length - 1] == '/') {
        return false;
    }
    for (const char *at = name; at != NULL; at = strchr(at, '/')) {
        at += at != name;
        size_t part = strcspn(at, "/");
        if (part == 0 || (part <= 2 && strspn(at, ".") == part)) {
            return false;
        }
    }
    for (const char *at = name; *at != '\0'; at++) {
        if ((unsigned char)*at < ' ' || *at == 0x7F) {
            return false;
        }
    }
    return true;
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static void make_header(const char *name, size_t size, unsigned char out[BLOCK])
{
    static const struct {
        unsigned short at;
        const char *text; /* with the NUL behind it where the field has room */
    } fixed[] = {{100, "0000644"}, {108, "0000000"}, {116, "0000000"}, {136, "00000000000"}, {156, "0"},
                 {257, "ustar"},   {263, "00"},      {329, "0000000"}, {337, "0000000"}};
    memset(out, 0, BLOCK);
    memcpy(out + NAME, name, strlen(name));
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++) {
        memcpy(out + fixed[i].at, fixed[i].text, strlen(fixed[i].text));
    }
    char number[24];
    snprintf(number, sizeof number, "%011" PRIo64, (uint64_t)size);
    memcpy(out + SIZE, number, 11);
    unsigned sum = SUM_BYTES * ' ';
    for (size_t i = 0; i < BLOCK; i++) {
        sum += out[i];
    }
    snprintf(number, sizeof number, "%06o", sum);
    memcpy(out + SUM, number, 7);
    out[SUM + 7] = ' ';
}

static size_t padding(size_t size)
{
    return (BLOCK - size % BLOCK) % BLOCK;
}

static enum adg_status append_file(struct adg_buffer *out, const char *name, const void *data, size_t size,
                                   struct adg_error *error)
{
    static const unsigned char zeros[BLOCK];
    unsigned char header[BLOCK];
    if (size >= UINT64_C(1) << 33) {
        return adg_fail(error, ADG_BAD_INPUT, "%s is too large for an archive (8 GiB)", name);
    }
    make_header(name, size, header);
    enum adg_status status = adg_buffer_append(out, header, BLOCK, error);
    if (status == ADG_OK) {
        status = adg_buffer_append(out, data, size, error);
    }
    return status == ADG_OK ? adg_buffer_append(out, zeros, padding(size), error) : status;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct adg_archive_file *)a)->name, ((const struct adg_archive_file *)b)->name);
}

static enum adg_status append_manifest(struct adg_archive *archive, const char *tool_version, struct adg_buffer *out,
                                       struct adg_error *error)
{
    struct adg_buffer manifest = {0};
    char line[65 + 2 + sizeof manifest_name + 1], hash[65];
    json_t *files = json_object(),
           *root = json_pack("{s:i, s:s, s:s, s:s, s:o?}", "format", FORMAT, "adg", tool_version, "project",
                             archive->project, "environment", archive->environment, "files", files);
    for (uint32_t i = 0; i < archive->count; i++) {
        adg_sha256_hex(archive->files[i].data.data, archive->files[i].data.size, hash);
        json_object_set_new(files, archive->files[i].name, json_string(hash));
    }
    enum adg_status status = json_object_size(files) == archive->count
                                 ? adg_json_append(&manifest, root, JSON_INDENT(1) | JSON_SORT_KEYS, error)
                                 : adg_fail_memory(error);
    if (status == ADG_OK) {
        adg_sha256_hex(manifest.data, manifest.size, archive->version);
        snprintf(line, sizeof line, "%s  %s\n", archive->version, manifest_name);
        status = append_file(out, hash_name, line, strlen(line), error);
    }
    if (status == ADG_OK) {
        status = append_file(out, manifest_name, manifest.data, manifest.size, error);
    }
    json_decref(root);
    adg_buffer_fini(&manifest);
    return status;
}

enum adg_status adg_archive_write(struct adg_archive *archive, struct adg_archive_file *files, const char *tool_version,
                                  struct adg_buffer *out, struct adg_error *error)
{
    static const unsigned char end[2 * BLOCK];
    enum adg_status status = ADG_OK;
    qsort(files, archive->count, sizeof *files, by_name);
    archive->files = files;
    for (uint32_t i = 0; i < archive->count && status == ADG_OK; i++) {
        if (!adg_archive_name_is_good(files[i].name)) {
            status = adg_fail(error, ADG_BAD_INPUT, "%s: expected a path of at most %d bytes that stays in its folder",
                              files[i].name, ADG_ARCHIVE_NAME_BYTES);
        } else if (i > 0 && strcmp(files[i].name, files[i - 1].name) == 0) {
            status = adg_fail(error, ADG_BAD_INPUT, "%s comes twice", files[i].name);
        }
    }
    if (status == ADG_OK) {
        status = append_manifest(archive, tool_version, out, error);
    }
    for (uint32_t i = 0; i < archive->count && status == ADG_OK; i++) {
        status = append_file(out, files[i].name, files[i].data.data, files[i].data.size, error);
    }
    return status == ADG_OK ? adg_buffer_append(out, end, sizeof end, error) : status;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static enum adg_status no_archive(const char *what, struct adg_error *error)
{
    return adg_fail(error, ADG_BAD_INPUT, "expected an archive of adg project export: %s", what);
}

static bool is_zero(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != 0) {
            return false;
        }
    }
    return true;
}

/* The file whose header is at *at; moves on behind it. */
static enum adg_status read_file(struct adg_span bytes, size_t *at, struct adg_arena *arena,
                                 struct adg_archive_file *out, struct adg_error *error)
{
    const uint8_t *header = bytes.data + *at;
    unsigned char expected[BLOCK];
    size_t left = bytes.size - *at;
    if (left < BLOCK) {
        return no_archive("it is cut off", error);
    }
    char *name = adg_arena_strndup(arena, (const char *)header + NAME,
                                   strnlen((const char *)header + NAME, ADG_ARCHIVE_NAME_BYTES));
    if (name == NULL) {
        return adg_fail_memory(error);
    }
    char digits[12] = {0};
    memcpy(digits, header + SIZE, 11);
    size_t size = strspn(digits, "01234567") == 11 ? strtoull(digits, NULL, 8) : SIZE_MAX;
    if (size == SIZE_MAX) {
        return no_archive("a header is no such header", error);
    }
    make_header(name, size, expected);
    if (memcmp(header, expected, BLOCK) != 0) {
        return no_archive("a header is no such header", error);
    }
    if (!adg_archive_name_is_good(name)) {
        return no_archive("it holds a path that leads out of its folder", error);
    }
    if (size > left - BLOCK || padding(size) > left - BLOCK - size) {
        return no_archive("it is cut off", error);
    }
    if (!is_zero(header + BLOCK + size, padding(size))) {
        return no_archive("there is something between its files", error);
    }
    *out = (struct adg_archive_file){name, {header + BLOCK, size}};
    *at += BLOCK + size + padding(size);
    return ADG_OK;
}

static enum adg_status read_files(struct adg_span bytes, struct adg_arena *arena, struct adg_archive_file **out,
                                  uint32_t *count, struct adg_error *error)
{
    size_t at = 0, capacity = bytes.size / BLOCK, found = 0; /* each has a header at least */
    struct adg_archive_file *files = adg_arena_array(arena, capacity + 1, sizeof *files);
    enum adg_status status = files == NULL ? adg_fail_memory(error) : ADG_OK;
    while (status == ADG_OK && !(bytes.size - at >= BLOCK && is_zero(bytes.data + at, BLOCK))) {
        status = read_file(bytes, &at, arena, &files[found], error);
        found += status == ADG_OK;
    }
    if (status == ADG_OK && (bytes.size - at != 2 * BLOCK || !is_zero(bytes.data + at, 2 * BLOCK))) {
        status = no_archive("it does not end where it should", error);
    }
    if (status == ADG_OK) {
        *out = files;
        *count = (uint32_t)found;
    }
    return status;
}

/* As project.yaml has names: they go into a log. */
static bool is_name(const char *text)
{
    size_t length = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");
    return length > 0 && text[length] == '\0';
}

/* The manifest, and each file against it: the same files, in order, with these hashes. */
static enum adg_status verify(const struct adg_archive_file *files, uint32_t count, json_t *root,
                              struct adg_error *error)
{
    json_t *hashes = json_object_get(root, "files");
    char found[65];
    enum adg_status status = json_object_size(hashes) == count
                                 ? ADG_OK
                                 : no_archive("its files are not those of its manifest", error);
    for (uint32_t i = 0; i < count && status == ADG_OK; i++) {
        const char *expected = json_string_value(json_object_get(hashes, files[i].name));
        if (expected == NULL || (i > 0 && strcmp(files[i].name, files[i - 1].name) <= 0)) {
            status = no_archive("its files are not those of its manifest", error);
        } else {
            adg_sha256_hex(files[i].data.data, files[i].data.size, found);
            status = strcmp(found, expected) == 0
                         ? ADG_OK
                         : adg_fail(error, ADG_REFUSED,
                                    "%s does not match its hash in the archive: it was changed or damaged",
                                    files[i].name);
        }
    }
    return status;
}

enum adg_status adg_archive_read(struct adg_span bytes, struct adg_arena *arena, struct adg_archive *out,
                                 struct adg_error *error)
{
    struct adg_archive made = {0};
    struct adg_archive_file *files = NULL;
    uint32_t count = 0;
    json_t *root = NULL;
    int format = 0;
    const char *project = NULL, *environment = NULL, *tool = NULL;
    char line[65 + 2 + sizeof manifest_name + 1];
    enum adg_status status = read_files(bytes, arena, &files, &count, error);
    if (status == ADG_OK &&
        (count < 2 || strcmp(files[0].name, hash_name) != 0 || strcmp(files[1].name, manifest_name) != 0)) {
        status = no_archive("it has no manifest", error);
    }
    if (status == ADG_OK) {
        adg_sha256_hex(files[1].data.data, files[1].data.size, made.version);
        snprintf(line, sizeof line, "%s  %s\n", made.version, manifest_name);
        if (files[0].data.size != strlen(line) || memcmp(files[0].data.data, line, strlen(line)) != 0) {
            status = adg_fail(error, ADG_REFUSED, "%s does not match its hash: it was changed or damaged",
                              manifest_name);
        }
    }
    if (status == ADG_OK) {
        root = json_loadb((const char *)files[1].data.data, files[1].data.size, JSON_REJECT_DUPLICATES, NULL);
        if (json_unpack(root, "{s:i, s:s, s:s, s:s, s:o !}", "format", &format, "adg", &tool, "project", &project,
                        "environment", &environment, "files", &(json_t *){NULL}) != 0 ||
            format != FORMAT || !is_name(project) || !is_name(environment)) {
            status = no_archive("its manifest is of another format", error);
        }
    }
    if (status == ADG_OK) {
        status = verify(files + 2, count - 2, root, error);
    }
    if (status == ADG_OK) {
        made.project = adg_arena_strdup(arena, project);
        made.environment = adg_arena_strdup(arena, environment);
        made.files = files + 2;
        made.count = count - 2;
        status = made.project == NULL || made.environment == NULL ? adg_fail_memory(error) : ADG_OK;
    }
    json_decref(root);
    if (status == ADG_OK) {
        *out = made;
    }
    return status;
}
