/*
 * Tables into DuckDB, or into another database through its ADBC driver: a destination (run/destination.h) that hands Arrow batches to the
 * driver's bulk ingest. docs/databases.md says what is promised.
 *
 * A table is one transaction: it is dropped where it is to be replaced, made with the definition's types, filled, and committed. The
 * engine runs on a thread of its own while rows are made.
 */
#ifndef ADG_LOAD_INGEST_H
#define ADG_LOAD_INGEST_H

#include "run/destination.h"

struct adg_target;

struct adg_load_adbc_options {
    const struct adg_target *target;
    bool primary_key; /* is to be declared */
};

/* Of the run, definition, metadata, tool, threads, if_exists (by default: error) and progress.warn are used, its sink is to be
 * adg_sink_batches. Options are borrowed until close. */
ADG_MUST_CHECK enum adg_status adg_destination_adbc_new(const struct adg_run_options *run,
                                                        const struct adg_load_adbc_options *options,
                                                        struct adg_destination **out, struct adg_error *error);

#endif
