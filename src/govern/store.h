/*
 * The release store: one folder per release, named by the hash of its manifest, and releases.csv, the log. Replacing the log
 * by rename is what publishes a release: until then the folder is nobody's, afterwards it is complete.
 *
 * A line of the log has the ten columns of the original system, the manifest's hash, the version of the tool, and CHAIN: SHA-256 of
 * the line before's CHAIN and this line's other columns. The chain finds accidents and changes of single lines; who
 * rewrites all of it is found by the signatures alone.
 */
#ifndef ADG_GOVERN_STORE_H
#define ADG_GOVERN_STORE_H

#include "govern/signoff.h"

#define ADG_LOG_FILE "releases.csv"

enum adg_log_column {
    ADG_LOG_TIMESTAMP, /* RELEASE_TIMESTAMP_UTC: YYYY-MM-DD HH:MM:SS */
    ADG_LOG_SOURCE,    /* SOURCE_DATABASE_NAME: the metadata folder's own name */
    ADG_LOG_TARGET,    /* TARGET_DATABASE_NAME: the store's */
    ADG_LOG_TABLE,
    ADG_LOG_REVIEWER_NAME,
    ADG_LOG_REVIEWER_EMAIL,
    ADG_LOG_REVIEWED_DATE,
    ADG_LOG_APPROVER_NAME,
    ADG_LOG_APPROVER_EMAIL,
    ADG_LOG_APPROVED_DATE,
    ADG_LOG_MANIFEST,
    ADG_LOG_TOOL,
    ADG_LOG_CHAIN,
    ADG_LOG_COLUMNS,
};
extern const char *const adg_log_columns[ADG_LOG_COLUMNS];

struct adg_log_line {
    const char *values[ADG_LOG_COLUMNS];
};

struct adg_log {
    struct adg_arena arena;
    struct adg_buffer text;
    struct adg_log_line *lines;
    uint32_t count;
    size_t capacity;
};

/* Reads and checks the log of a store: columns, chain. ADG_REFUSED when it is damaged, or there is none. */
ADG_MUST_CHECK enum adg_status adg_log_read(const char *store, struct adg_log *out, struct adg_error *error);
void adg_log_fini(struct adg_log *log);

/* Writing: the header; a line, whose CHAIN follows from `chain`, which then is that of this line ("" before the first). */
ADG_MUST_CHECK enum adg_status adg_log_write_header(struct adg_buffer *out, struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_log_write_line(struct adg_buffer *out, const struct adg_log_line *line,
                                                  char chain[65], struct adg_error *error);

struct adg_release_options {
    const char *meta_folder, *store, *trust_folder;
    int64_t confirmed_utc, now_utc; /* seconds since 1970; they may differ by 600 s */
};

/* Verifies everything, adds the folder and then the lines of the log. ADG_REFUSED says what does not match; ADG_FAILED when
 * another release is going on, or the store holds this one already. `hash` is the release's name. */
ADG_MUST_CHECK enum adg_status adg_release(const struct adg_release_options *options, char hash[65],
                                           struct adg_error *error);

/* Checks a store: log, that its folders are those of the log and nothing else is there, hashes and, with `trust`, signatures. */
ADG_MUST_CHECK enum adg_status adg_store_verify(const char *store, const struct adg_log *log,
                                                const struct adg_trust *trust, int32_t today, struct adg_error *error);

/* A release, verified, and its metadata from the very bytes that were verified. */
struct adg_released {
    char hash[65];
    char timestamp[20]; /* of the release, UTC */
};
ADG_MUST_CHECK enum adg_status adg_store_open(const char *store, const char *release, const struct adg_trust *trust,
                                              const struct adg_definition *definition, int32_t today,
                                              struct adg_metadata **out, struct adg_released *released,
                                              struct adg_error *error);

#endif
