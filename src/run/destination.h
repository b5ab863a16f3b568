/*
 * Where the tables of a run go, and what makes them count: files of a folder, standard output.
 *
 *     open                             once, when all tables are planned; nothing has been written before
 *     check(table)                     of every table, before the first one is begun
 *     begin(table), bytes, commit      table by table, in their order; the bytes are the sink's, in one file
 *     end(table)                       where tables have several files, of `file_parts` parts each, of all but the last: begin follows
 *     close                            whether the run went well or not: what was not committed is removed
 *
 * Or parts go to a destination that has no file: take(table, part) in place of the bytes, which are then nothing but parts.
 *
 * One thread begins tables, and writes their bytes. A table may be committed while the next one is begun or committed by
 * another thread; everything else is called by one thread at a time.
 */
#ifndef ADG_RUN_DESTINATION_H
#define ADG_RUN_DESTINATION_H

#include "core/status.h"
#include "generate/plan.h"
#include "run/run.h"
#include "sink/sink.h"

/* What a destination is told about a table. Borrowed for the call. */
struct adg_destination_table {
    uint32_t number; /* 0 .. table_count - 1 of the run */
    const char *name;
    const struct adg_plan *plan; /* in check, its layout may have no dictionaries */
    const struct adg_sink_operations *operations;
    const struct adg_sink *sink; /* as far as it has come; not in check */
    uint64_t bytes;              /* of the file so far */
};

struct adg_destination_file {
    int descriptor;
    const char *name; /* for messages; lives as long as the destination */
};

struct adg_destination;
struct adg_destination_operations {
    enum adg_status (*open)(struct adg_destination *destination, struct adg_error *error);
    /* `skip`: the table is there and stays as it is. */
    enum adg_status (*check)(struct adg_destination *destination, const struct adg_destination_table *table, bool *skip,
                             struct adg_error *error);
    enum adg_status (*begin)(struct adg_destination *destination, const struct adg_destination_table *table,
                             struct adg_destination_file *file, struct adg_error *error);
    /* NULL: bytes go to the file of begin. What the part holds may be taken out of it, or exchanged. `bytes`: how much that is. */
    enum adg_status (*take)(struct adg_destination *destination, const struct adg_destination_table *table,
                            struct adg_sink_part *part, uint64_t *bytes, struct adg_error *error);
    enum adg_status (*end)(struct adg_destination *destination, const struct adg_destination_table *table,
                           struct adg_error *error); /* NULL: file_parts is 0 */
    enum adg_status (*commit)(struct adg_destination *destination, const struct adg_destination_table *table,
                              struct adg_error *error);
    /* What results call the table, in memory of the destination; NULL where they have no name for it. */
    const char *(*place)(const struct adg_destination *destination, uint32_t table);
    void (*close)(struct adg_destination *destination); /* also when open failed or was not called; frees it */
};
struct adg_destination { /* the first member of what an implementation keeps */
    const struct adg_destination_operations *operations;
    uint32_t file_parts; /* 0: a table is one file */
};

/* Files, or parts, of options->out_folder, with provenance.json beside them. `run` tells runs apart whose parts must not mix.
 * Options and texts are borrowed until close. */
ADG_MUST_CHECK enum adg_status adg_destination_folder_new(const struct adg_run_options *options, const char *extension,
                                                          const char *run, uint32_t table_count,
                                                          struct adg_destination **out, struct adg_error *error);
/* Delta tables in options->out_folder, with the provenance in their logs. Options are borrowed until close. */
ADG_MUST_CHECK enum adg_status adg_destination_delta_new(const struct adg_run_options *options, uint32_t table_count,
                                                         struct adg_destination **out, struct adg_error *error);
/* What the caller has opened, for the only table. */
ADG_MUST_CHECK enum adg_status adg_destination_descriptor_new(const struct adg_run_options *options,
                                                              struct adg_destination **out, struct adg_error *error);

#endif
