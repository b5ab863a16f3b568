/*
 * Tables into a PostgreSQL database: a destination (run/destination.h) that hands the sink's CSV to COPY. docs/databases.md says
 * what is promised.
 *
 * A table is loaded under another name, "adg_loading_<hash of its own>", and takes its own name in one transaction at the end, in which
 * the old one is dropped and the primary key is added. With one connection that is also the transaction of the load, so that nothing of it can be
 * left behind. With several, each of which can see no more than what the others have committed, a run that is killed leaves the table
 * under the other name, for the next run to remove. Rows are appended in one transaction, over one connection.
 *
 * A lock of the database (pg_advisory_lock), held from check to close, keeps runs off each other's tables.
 */
#ifndef ADG_LOAD_POSTGRESQL_H
#define ADG_LOAD_POSTGRESQL_H

#include "run/destination.h"

struct adg_load_options {
    const char *uri;      /* without a password */
    unsigned connections; /* that rows are sent over, at least 1 */
    bool primary_key;     /* is to be declared */
};

/* Of the run, definition, metadata, tool, if_exists (by default: error) and progress.warn are used. Options are borrowed until close. */
ADG_MUST_CHECK enum adg_status adg_destination_postgresql_new(const struct adg_run_options *run,
                                                              const struct adg_load_options *options,
                                                              struct adg_destination **out, struct adg_error *error);

#endif
