/*
 * A whole run: plans of several tables, threads, shards, ordered hand-over from generator to sink, files under their final
 * names only when complete.
 *
 * Memory is bounded by threads x parts in flight, whatever the number of rows. The first failure stops all threads and
 * removes what is not complete; tables that are complete stay.
 */
#ifndef ADG_RUN_RUN_H
#define ADG_RUN_RUN_H

#include "adg.h"
#include "core/status.h"
#include "sink/sink.h"

/* Called from any thread, one call at a time. `stage` is "planning", where tables are counted, or "generating", where rows
 * are: those of the whole run. `table` is one being worked on. */
struct adg_run_progress {
    void (*report)(void *context, const char *stage, const char *table, uint64_t done, uint64_t total);
    void (*warn)(void *context, const char *message);
    void *context;
};

/* By enum adg_profile; NULL at the end. */
extern const char *const adg_profile_names[];

/* What becomes of a table that is there already. By default a file is replaced, and a Delta table is an error. */
enum adg_if_exists {
    ADG_IF_EXISTS_DEFAULT,
    ADG_IF_EXISTS_ERROR,
    ADG_IF_EXISTS_APPEND, /* not to a file: ADG_USAGE */
    ADG_IF_EXISTS_OVERWRITE,
    ADG_IF_EXISTS_IGNORE, /* it stays, and is not in the result */
};

struct adg_destination;

struct adg_run_options {
    const struct adg_definition *definition;
    const struct adg_metadata *metadata;
    const char *out_folder; /* NULL: the only table goes to out_descriptor, without a file and without provenance */
    int out_descriptor;
    struct adg_destination *destination; /* in place of both (run/destination.h); the run closes it, whatever happens */
    const struct adg_sink_operations *sink; /* what the destination takes, in place of format */
    const char *const *tables;              /* NULL: every table of the definition that the metadata has */
    uint32_t table_count;
    const char *const *exclude; /* without `tables`: not these */
    uint32_t exclude_count;
    uint64_t seed, patients, rows, shard, shards;
    bool sharded; /* --shard was given: a folder per table, even for 0/1 */
    enum adg_profile profile;
    enum adg_format format;
    enum adg_compression compression;
    enum adg_if_exists if_exists;
    uint32_t file_parts; /* Delta: the parts, of 131,072 rows, of a data file; 0: 64 */
    unsigned threads;
    const char *tool; /* version and commit, for provenance.json */
    struct adg_run_progress progress;
};

struct adg_run_table {
    const char *table;
    char *path; /* of the file, or of a Delta table's folder; NULL: out_descriptor */
    uint64_t rows, bytes;
};
struct adg_run_result {
    struct adg_run_table *tables;
    uint32_t table_count;
};

/* Writes the tables and provenance.json, which says what those that are complete were made from. Everything that can be
 * refused is refused (all tables are planned) before anything is written. */
ADG_MUST_CHECK enum adg_status adg_run_generate(const struct adg_run_options *options, struct adg_run_result *result,
                                                struct adg_error *error);
void adg_run_result_fini(struct adg_run_result *result);

#endif
