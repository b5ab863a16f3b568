/*
 * releases.csv: see store.h. Written by this program alone, so it is read strictly.
 */
#include <string.h>

#include "core/file.h"
#include "core/memory.h"
#include "govern/store.h"

const char *const adg_log_columns[ADG_LOG_COLUMNS] = {"RELEASE_TIMESTAMP_UTC",
                                                      "SOURCE_DATABASE_NAME",
                                                      "TARGET_DATABASE_NAME",
                                                      "TABLE_NAME",
                                                      "REVIEWER_NAME",
                                                      "REVIEWER_EMAIL",
                                                      "REVIEWED_DATE",
                                                      "APPROVER_NAME",
                                                      "APPROVER_EMAIL",
                                                      "APPROVED_DATE",
                                                      "MANIFEST_SHA256",
                                                      "TOOL_VERSION",
                                                      "CHAIN"};

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static enum adg_status put_value(struct adg_buffer *out, const char *value, struct adg_error *error)
{
    for (const char *at = value; *at != '\0'; at++) {
        if ((unsigned char)*at < ' ') {
            return adg_fail(error, ADG_BAD_INPUT,
                            "a name for the log of releases holds a line break or another control "
                            "character");
        }
    }
    if (strpbrk(value, ",\"") == NULL) {
        return adg_buffer_append_text(out, value, error);
    }
    enum adg_status status = adg_buffer_append_text(out, "\"", error);
    for (; *value != '\0' && status == ADG_OK; value++) {
        status = adg_buffer_append(out, *value == '"' ? "\"\"" : value, *value == '"' ? 2 : 1, error);
    }
    return status == ADG_OK ? adg_buffer_append_text(out, "\"", error) : status;
}

static enum adg_status put_values(struct adg_buffer *out, const char *const *values, uint32_t count,
                                  struct adg_error *error)
{
    enum adg_status status = ADG_OK;
    for (uint32_t i = 0; i < count && status == ADG_OK; i++) {
        status = i > 0 ? adg_buffer_append_text(out, ",", error) : ADG_OK;
        if (status == ADG_OK) {
            status = put_value(out, values[i], error);
        }
    }
    return status;
}

/* SHA-256 of the chain so far, a line feed, and the line's columns as they are written. */
static enum adg_status next_chain(const char *before, const char *const *values, char out[65], struct adg_error *error)
{
    struct adg_buffer text = {0};
    enum adg_status status = adg_buffer_printf(&text, error, "%s\n", before);
    if (status == ADG_OK) {
        status = put_values(&text, values, ADG_LOG_CHAIN, error);
    }
    if (status == ADG_OK) {
        adg_sha256_hex(text.data, text.size, out);
    }
    adg_buffer_fini(&text);
    return status;
}

enum adg_status adg_log_write_header(struct adg_buffer *out, struct adg_error *error)
{
    enum adg_status status = put_values(out, adg_log_columns, ADG_LOG_COLUMNS, error);
    return status == ADG_OK ? adg_buffer_append_text(out, "\n", error) : status;
}

enum adg_status adg_log_write_line(struct adg_buffer *out, const struct adg_log_line *line, char chain[65],
                                   struct adg_error *error)
{
    char next[65];
    enum adg_status status = next_chain(chain, line->values, next, error);
    if (status == ADG_OK) {
        status = put_values(out, line->values, ADG_LOG_CHAIN, error);
    }
    if (status == ADG_OK) {
        status = adg_buffer_printf(out, error, ",%s\n", next);
    }
    if (status == ADG_OK) {
        memcpy(chain, next, sizeof next);
    }
    return status;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

/* The next value of a line, in the arena; moves *text behind it and the comma or line feed that ends it. */
static bool take_value(struct adg_arena *arena, const char **text, bool last, const char **out)
{
    const char *at = *text;
    bool quoted = *at == '"';
    size_t length = 0;
    char *value = adg_arena_alloc(arena, strlen(at) < 1024 ? strlen(at) + 1 : 1024);
    at += quoted;
    while (value != NULL && *at != '\0' && length < 1023 && (quoted || strchr(",\n", *at) == NULL)) {
        if (*at == '"' && (!quoted || at[1] != '"')) {
            break;
        }
        at += *at == '"';
        value[length++] = *at++;
    }
    if (value == NULL || (quoted && *at++ != '"') || *at != (last ? '\n' : ',')) {
        return false;
    }
    value[length] = '\0';
    *out = value;
    *text = at + 1;
    return true;
}

static bool take_line(struct adg_log *log, const char **text, struct adg_log_line *line)
{
    bool good = true;
    for (int i = 0; i < ADG_LOG_COLUMNS && good; i++) {
        good = take_value(&log->arena, text, i + 1 == ADG_LOG_COLUMNS, &line->values[i]);
    }
    return good;
}

static enum adg_status add_line(struct adg_log *log, const struct adg_log_line *line, struct adg_error *error)
{
    if (log->count == log->capacity) {
        struct adg_log_line *lines = adg_grow_array(log->lines, &log->capacity, 64, sizeof *lines);
        if (lines == NULL) {
            return adg_fail_memory(error);
        }
        log->lines = lines;
    }
    log->lines[log->count++] = *line;
    return ADG_OK;
}

static enum adg_status read_lines(struct adg_log *log, struct adg_error *error)
{
    const char *text = adg_buffer_text(&log->text);
    struct adg_log_line line;
    char chain[65] = "";
    if (text == NULL) {
        return adg_fail_memory(error);
    }
    if (strlen(text) != log->text.size || !take_line(log, &text, &line)) {
        return adg_fail(error, ADG_REFUSED, "%s: line 1: expected the columns of a release log", ADG_LOG_FILE);
    }
    for (int i = 0; i < ADG_LOG_COLUMNS; i++) {
        if (strcmp(line.values[i], adg_log_columns[i]) != 0) {
            return adg_fail(error, ADG_REFUSED, "%s: line 1: expected column %s", ADG_LOG_FILE, adg_log_columns[i]);
        }
    }
    enum adg_status status = ADG_OK;
    while (status == ADG_OK && *text != '\0') {
        char next[65];
        if (!take_line(log, &text, &line)) {
            return adg_fail(error, ADG_REFUSED, "%s: line %u: expected %d columns", ADG_LOG_FILE, log->count + 2,
                            ADG_LOG_COLUMNS);
        }
        status = next_chain(chain, line.values, next, error);
        if (status == ADG_OK && strcmp(next, line.values[ADG_LOG_CHAIN]) != 0) {
            status = adg_fail(error, ADG_REFUSED,
                              "%s: line %u: the chain is broken: this line or one before it was changed", ADG_LOG_FILE,
                              log->count + 2);
        }
        if (status == ADG_OK) {
            memcpy(chain, next, sizeof chain);
            status = add_line(log, &line, error);
        }
    }
    if (status == ADG_OK && log->count == 0) {
        status = adg_fail(error, ADG_REFUSED, "%s: there is no release in it", ADG_LOG_FILE);
    }
    return status;
}

enum adg_status adg_log_read(const char *store, struct adg_log *out, struct adg_error *error)
{
    struct adg_log log = {0};
    char *path = adg_path_join(store, ADG_LOG_FILE);
    enum adg_status status = path == NULL ? adg_fail_memory(error) : adg_file_read(path, &log.text, error);
    if (status == ADG_FAILED && path != NULL) {
        status = adg_fail(error, ADG_REFUSED, "%s is no release store: it has no %s that can be read", store,
                          ADG_LOG_FILE);
    }
    if (status == ADG_OK) {
        status = read_lines(&log, error);
    }
    adg_free(path);
    if (status != ADG_OK) {
        adg_log_fini(&log);
        return status;
    }
    *out = log;
    return ADG_OK;
}

void adg_log_fini(struct adg_log *log)
{
    adg_arena_fini(&log->arena);
    adg_buffer_fini(&log->text);
    adg_free(log->lines);
    *log = (struct adg_log){0};
}
