/*
 * Releases and their log: see store.h.
 */
#include "govern/store.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/date.h"
#include "core/file.h"
#include "core/memory.h"
#include "core/version.h"
#include "govern/review.h"

enum { HASH_DIGITS = 64, CONFIRM_WITHIN_S = 600 };

static const char temporary_prefix[] = ".release-", lock_file[] = ".adg.lock";

static bool is_hash(const char *name)
{
    return strlen(name) == HASH_DIGITS && strspn(name, "0123456789abcdef") == HASH_DIGITS;
}

/* ".releases.csv.<random>.tmp", which an interrupted release has left. */
static bool is_half_log(const char *name)
{
    return name[0] == '.' && strncmp(name + 1, ADG_LOG_FILE, strlen(ADG_LOG_FILE)) == 0;
}

static const struct adg_log_line *find_release(const struct adg_log *log, const char *hash)
{
    for (uint32_t i = log->count; i > 0; i--) {
        if (strcmp(log->lines[i - 1].values[ADG_LOG_MANIFEST], hash) == 0) {
            return &log->lines[i - 1];
        }
    }
    return NULL;
}

/* ---- a release's folder ------------------------------------------------------------------------------------------ */

static bool is_release_file(const char *name)
{
    const char *const names[] = {ADG_MANIFEST_FILE,
                                 ADG_DEFINITION_FILE,
                                 ADG_METADATA_FILE,
                                 ADG_REVIEW_FILE,
                                 adg_signature_files[ADG_REVIEWER],
                                 adg_signature_files[ADG_APPROVER]};
    size_t length = strlen(name);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i]) == 0) {
            return true;
        }
    }
    return length > 5 && strcmp(name + length - 5, ".html") == 0;
}

static enum adg_status check_no_foreign_file(const char *path, struct adg_error *error)
{
    DIR *folder = opendir(path);
    if (folder == NULL) {
        return adg_fail(error, ADG_REFUSED, "release %s is missing or cannot be read", path);
    }
    enum adg_status status = ADG_OK;
    const struct dirent *entry;
    while (status == ADG_OK && (entry = readdir(folder)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 && !is_release_file(entry->d_name)) {
            status = adg_fail(error, ADG_REFUSED, "release %s holds a foreign file, %s", path, entry->d_name);
        }
    }
    closedir(folder);
    return status;
}

/* review.json says that the review of this manifest passed. Its own bytes are covered by the signed comments. */
static enum adg_status check_review_result(const struct adg_metadata_folder *folder, struct adg_error *error)
{
    const char *result = NULL, *manifest = NULL;
    json_t *root = json_loadb((const char *)folder->review.data, folder->review.size, JSON_REJECT_DUPLICATES, NULL);
    bool good = root != NULL && json_unpack(root, "{s:s, s:s}", "result", &result, "manifest_sha256", &manifest) == 0 &&
                strcmp(result, "pass") == 0 && strcmp(manifest, folder->manifest_sha256) == 0;
    json_decref(root);
    return good ? ADG_OK
                : adg_fail(error, ADG_REFUSED, "%s is not a passed review of this %s", ADG_REVIEW_FILE,
                           ADG_MANIFEST_FILE);
}

/* Hashes and signatures of files that were read. */
static enum adg_status verify_files(const struct adg_metadata_folder *folder, const struct adg_trust *trust,
                                    int32_t today, struct adg_signer signers[ADG_SIGNERS], struct adg_error *error)
{
    struct adg_arena arena = {0};
    struct adg_manifest manifest;
    enum adg_status status = adg_signatures_verify(folder, trust, today, signers, error);
    if (status == ADG_OK) {
        status = adg_metadata_folder_manifest(folder, &arena, &manifest, error);
    }
    if (status == ADG_OK) {
        status = adg_metadata_folder_check_hashes(folder, &manifest, error);
    }
    if (status == ADG_BAD_INPUT) { /* signed or not: what does not match is not released */
        status = ADG_REFUSED;
    }
    if (status == ADG_OK) {
        status = check_review_result(folder, error);
    }
    adg_arena_fini(&arena);
    return status;
}

static enum adg_status check_line(const struct adg_log_line *line, const struct adg_signer signers[ADG_SIGNERS],
                                  struct adg_error *error)
{
    static const enum adg_log_column columns[ADG_SIGNERS][3] = {
        {ADG_LOG_REVIEWER_NAME, ADG_LOG_REVIEWER_EMAIL, ADG_LOG_REVIEWED_DATE},
        {ADG_LOG_APPROVER_NAME, ADG_LOG_APPROVER_EMAIL, ADG_LOG_APPROVED_DATE}};
    for (int role = 0; role < ADG_SIGNERS; role++) {
        char date[11] = "";
        adg_date_format(signers[role].date, date);
        const char *const expected[3] = {signers[role].name, signers[role].email, date};
        for (int i = 0; i < 3; i++) {
            if (strcmp(line->values[columns[role][i]], expected[i]) != 0) {
                return adg_fail(error, ADG_REFUSED, "%s: %s is not what %s says", ADG_LOG_FILE,
                                adg_log_columns[columns[role][i]], adg_signature_files[role]);
            }
        }
    }
    return ADG_OK;
}

/* The files of a release, verified against log, trust and themselves. */
static enum adg_status read_release(const char *store, const struct adg_log *log, const char *hash,
                                    const struct adg_trust *trust, int32_t today, struct adg_metadata_folder *folder,
                                    struct adg_error *error)
{
    struct adg_signer signers[ADG_SIGNERS];
    char *path = adg_path_join(store, hash);
    struct adg_metadata_folder read = {0};
    enum adg_status status = path == NULL ? adg_fail_memory(error) : check_no_foreign_file(path, error);
    if (status == ADG_OK) {
        status = adg_metadata_folder_read(path, &read, error);
        status = status == ADG_FAILED ? ADG_REFUSED : status; /* a file is missing */
    }
    if (status == ADG_OK && strcmp(read.manifest_sha256, hash) != 0) {
        status = adg_fail(error, ADG_REFUSED, "%s does not match the name of its release", ADG_MANIFEST_FILE);
    }
    if (status == ADG_OK && trust != NULL) {
        status = verify_files(&read, trust, today, signers, error);
        if (status == ADG_OK) {
            status = check_line(find_release(log, hash), signers, error);
        }
    }
    adg_free(path);
    if (status != ADG_OK) {
        adg_metadata_folder_fini(&read);
        return adg_context(error, status, "release %.12s", hash);
    }
    *folder = read;
    return ADG_OK;
}

enum adg_status adg_store_open(const char *store, const char *release, const struct adg_trust *trust,
                               const struct adg_definition *definition, int32_t today, struct adg_metadata **out,
                               struct adg_released *released, struct adg_error *error)
{
    struct adg_log log = {0};
    struct adg_metadata_folder folder = {0};
    const struct adg_log_line *line = NULL;
    enum adg_status status = adg_log_read(store, &log, error);
    if (status == ADG_OK) {
        line = release != NULL ? find_release(&log, release) : &log.lines[log.count - 1];
        if (line == NULL) {
            status = adg_fail(error, ADG_REFUSED, "store %s has no release %s", store, release);
        }
    }
    if (status == ADG_OK) {
        status = read_release(store, &log, line->values[ADG_LOG_MANIFEST], trust, today, &folder, error);
    }
    if (status == ADG_OK) {
        status = adg_metadata_parse(&folder, definition, out, error);
        if (status == ADG_BAD_INPUT) {
            status = ADG_REFUSED;
        }
    }
    if (status == ADG_OK) {
        snprintf(released->hash, sizeof released->hash, "%s", line->values[ADG_LOG_MANIFEST]);
        snprintf(released->timestamp, sizeof released->timestamp, "%s", line->values[ADG_LOG_TIMESTAMP]);
    }
    adg_metadata_folder_fini(&folder);
    adg_log_fini(&log);
    return status;
}

enum adg_status adg_store_verify(const char *store, const struct adg_log *log, const struct adg_trust *trust,
                                 int32_t today, struct adg_error *error)
{
    enum adg_status status = ADG_OK;
    for (uint32_t i = 0; i < log->count && status == ADG_OK; i++) {
        struct adg_metadata_folder folder = {0};
        const char *hash = log->lines[i].values[ADG_LOG_MANIFEST];
        if (i > 0 && strcmp(hash, log->lines[i - 1].values[ADG_LOG_MANIFEST]) == 0) {
            continue; /* another table of the same release */
        }
        status = read_release(store, log, hash, trust, today, &folder, error);
        if (status == ADG_OK) {
            struct adg_arena arena = {0};
            struct adg_manifest manifest;
            status = adg_metadata_folder_manifest(&folder, &arena, &manifest, error);
            if (status == ADG_OK) {
                status = adg_metadata_folder_check_hashes(&folder, &manifest, error);
            }
            status = status == ADG_BAD_INPUT ? ADG_REFUSED : status;
            adg_context(error, status, "release %.12s", hash);
            adg_arena_fini(&arena);
        }
        adg_metadata_folder_fini(&folder);
    }
    DIR *entries = status == ADG_OK ? opendir(store) : NULL;
    const struct dirent *entry;
    while (entries != NULL && status == ADG_OK && (entry = readdir(entries)) != NULL) {
        const char *name = entry->d_name;
        /* what an interrupted release has left is nobody's, and goes with the next one */
        bool known = strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, ADG_LOG_FILE) == 0 ||
                     strcmp(name, lock_file) == 0 || is_hash(name) ||
                     strncmp(name, temporary_prefix, strlen(temporary_prefix)) == 0 || is_half_log(name);
        if (!known) {
            status = adg_fail(error, ADG_REFUSED, "store %s holds a foreign file, %s", store, name);
        }
    }
    if (entries != NULL) {
        closedir(entries);
    }
    return status;
}

/* ---- releasing --------------------------------------------------------------------------------------------------- */

/* The last word of a path. */
static void base_name(const char *path, char out[256])
{
    size_t end = strlen(path);
    while (end > 1 && path[end - 1] == '/') {
        end--;
    }
    size_t start = end;
    while (start > 0 && path[start - 1] != '/') {
        start--;
    }
    snprintf(out, 256, "%.*s", (int)(end - start), path + start);
}

/* Removes what an interrupted release has left. The store is locked. */
static enum adg_status remove_leftovers(const char *store, const struct adg_log *log, struct adg_error *error)
{
    DIR *entries = opendir(store);
    enum adg_status status = entries == NULL ? adg_fail_errno(error, errno, "store %s cannot be read", store) : ADG_OK;
    const struct dirent *entry;
    while (status == ADG_OK && (entry = readdir(entries)) != NULL) {
        bool left = strncmp(entry->d_name, temporary_prefix, strlen(temporary_prefix)) == 0 ||
                    (is_hash(entry->d_name) && find_release(log, entry->d_name) == NULL);
        char *path = left || is_half_log(entry->d_name) ? adg_path_join(store, entry->d_name) : NULL;
        if (left) {
            status = path == NULL ? adg_fail_memory(error) : adg_folder_remove(path, error);
        } else if (path != NULL && unlink(path) != 0) {
            status = adg_fail_errno(error, errno, "%s cannot be removed", path);
        }
        adg_free(path);
    }
    if (entries != NULL) {
        closedir(entries);
    }
    return status;
}

static enum adg_status write_into(const char *folder, const char *name, const struct adg_buffer *bytes,
                                  struct adg_error *error)
{
    char *path = adg_path_join(folder, name);
    enum adg_status status = path == NULL ? adg_fail_memory(error)
                                          : adg_file_write(path, bytes->data, bytes->size, error);
    adg_free(path);
    return status;
}

/* The files that were verified, under a temporary name, then under the release's. */
static enum adg_status add_folder(const char *store, const struct adg_metadata_folder *folder, struct adg_error *error)
{
    char name[sizeof temporary_prefix + HASH_DIGITS];
    snprintf(name, sizeof name, "%s%s", temporary_prefix, folder->manifest_sha256);
    char *temporary = adg_path_join(store, name), *final = adg_path_join(store, folder->manifest_sha256);
    const struct {
        const char *name;
        const struct adg_buffer *bytes;
    } files[] = {
        {ADG_MANIFEST_FILE, &folder->manifest},
        {ADG_DEFINITION_FILE, &folder->definition},
        {ADG_METADATA_FILE, &folder->metadata},
        {ADG_REVIEW_FILE, &folder->review},
        {adg_signature_files[ADG_REVIEWER], &folder->signatures[ADG_REVIEWER]},
        {adg_signature_files[ADG_APPROVER], &folder->signatures[ADG_APPROVER]},
    };
    enum adg_status status = temporary == NULL || final == NULL ? adg_fail_memory(error)
                                                                : adg_folder_create(temporary, error);
    for (size_t i = 0; i < sizeof files / sizeof files[0] && status == ADG_OK; i++) {
        status = write_into(temporary, files[i].name, files[i].bytes, error);
    }
    if (status == ADG_OK) {
        status = adg_folder_sync(temporary, error);
    }
    if (status == ADG_OK && rename(temporary, final) != 0) {
        status = adg_fail_errno(error, errno, "release %s cannot be put into place", final);
    }
    if (status == ADG_OK) {
        status = adg_folder_sync(store, error);
    }
    adg_free(temporary);
    adg_free(final);
    return status;
}

static void format_utc(int64_t seconds, char out[20])
{
    time_t when = (time_t)seconds;
    struct tm parts;
    gmtime_r(&when, &parts);
    strftime(out, 20, "%Y-%m-%d %H:%M:%S", &parts);
}

static enum adg_status append_lines(const struct adg_release_options *options, const struct adg_log *log,
                                    const struct adg_metadata_folder *folder,
                                    const struct adg_signer signers[ADG_SIGNERS], struct adg_error *error)
{
    struct adg_arena arena = {0};
    struct adg_buffer text = {0};
    struct adg_manifest manifest;
    char timestamp[20], source[256], target[256], dates[ADG_SIGNERS][11] = {"", ""}, chain[65] = "";
    format_utc(options->now_utc, timestamp);
    base_name(options->meta_folder, source);
    base_name(options->store, target);
    for (int role = 0; role < ADG_SIGNERS; role++) {
        adg_date_format(signers[role].date, dates[role]);
    }
    if (log->count > 0) {
        memcpy(chain, log->lines[log->count - 1].values[ADG_LOG_CHAIN], sizeof chain);
    }
    enum adg_status status = adg_metadata_folder_manifest(folder, &arena, &manifest, error);
    if (status == ADG_OK) {
        status = log->text.size > 0 ? adg_buffer_append(&text, log->text.data, log->text.size, error)
                                    : adg_log_write_header(&text, error);
    }
    for (uint32_t i = 0; i < manifest.table_count && status == ADG_OK; i++) {
        const struct adg_log_line line = {
            .values = {timestamp, source, target, manifest.tables[i].name, signers[ADG_REVIEWER].name,
                       signers[ADG_REVIEWER].email, dates[ADG_REVIEWER], signers[ADG_APPROVER].name,
                       signers[ADG_APPROVER].email, dates[ADG_APPROVER], folder->manifest_sha256, ADG_TOOL_VERSION}};
        status = adg_log_write_line(&text, &line, chain, error);
    }
    if (status == ADG_OK) {
        status = write_into(options->store, ADG_LOG_FILE, &text, error);
    }
    adg_buffer_fini(&text);
    adg_arena_fini(&arena);
    return status;
}

static enum adg_status check_all(const struct adg_release_options *options, struct adg_metadata_folder *folder,
                                 struct adg_signer signers[ADG_SIGNERS], struct adg_error *error)
{
    struct adg_arena arena = {0};
    struct adg_trust trust = {{NULL}, {0}};
    const char *const *checklist;
    uint32_t questions = 0;
    int64_t difference = options->confirmed_utc - options->now_utc;
    if (difference > CONFIRM_WITHIN_S || difference < -CONFIRM_WITHIN_S) {
        return adg_fail(error, ADG_REFUSED, "option --confirm-utc: it is not within %d s of this machine's clock",
                        CONFIRM_WITHIN_S);
    }
    enum adg_status status = adg_trust_read(options->trust_folder, &trust, error);
    if (status == ADG_OK) {
        status = adg_metadata_folder_read(options->meta_folder, folder, error);
    }
    if (status == ADG_OK) {
        status = verify_files(folder, &trust, (int32_t)(options->now_utc / 86400), signers, error);
    }
    if (status == ADG_OK) {
        status = adg_review_confirm(folder, &arena, &checklist, &questions, error);
    }
    if (status == ADG_OK &&
        (signers[ADG_REVIEWER].questions != questions || signers[ADG_APPROVER].questions != questions)) {
        status = adg_fail(error, ADG_REFUSED, "the checklist that was signed is another one");
    }
    adg_trust_fini(&trust);
    adg_arena_fini(&arena);
    return status;
}

enum adg_status adg_release(const struct adg_release_options *options, char hash[65], struct adg_error *error)
{
    struct adg_metadata_folder folder = {0};
    struct adg_signer signers[ADG_SIGNERS] = {{.name = ""}, {.name = ""}};
    struct adg_log log = {0};
    struct adg_folder_lock lock = {.fd = -1};
    char *log_path = adg_path_join(options->store, ADG_LOG_FILE);
    enum adg_status status = log_path == NULL ? adg_fail_memory(error) : check_all(options, &folder, signers, error);
    if (status == ADG_OK) {
        status = adg_folder_create(options->store, error);
    }
    if (status == ADG_OK) {
        status = adg_folder_lock(&lock, options->store, error);
    }
    if (status == ADG_OK && access(log_path, F_OK) == 0) {
        status = adg_log_read(options->store, &log, error);
    }
    if (status == ADG_OK && find_release(&log, folder.manifest_sha256) != NULL) {
        status = adg_fail(error, ADG_FAILED, "store %s holds this release already", options->store);
    }
    if (status == ADG_OK) {
        status = remove_leftovers(options->store, &log, error);
    }
    if (status == ADG_OK) {
        status = add_folder(options->store, &folder, error);
    }
    if (status == ADG_OK) {
        status = append_lines(options, &log, &folder, signers, error);
    }
    if (status == ADG_OK) {
        memcpy(hash, folder.manifest_sha256, sizeof folder.manifest_sha256);
    }
    if (lock.fd >= 0) {
        adg_folder_unlock(&lock);
    }
    adg_log_fini(&log);
    adg_metadata_folder_fini(&folder);
    adg_free(log_path);
    return status;
}
