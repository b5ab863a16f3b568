/*
 * A new version of a Delta table in a local folder, by one commit.
 *
 *     adg_delta_target_open     what the table is now; refuses what cannot be written to, before there is any data file
 *     adg_delta_target_convert  the same of one that the caller has read
 *     ...                       the caller writes data files into the folder, under names of their own, and syncs them
 *     adg_delta_target_commit   the version that names them
 *
 * A commit is written under another name, synced, and linked to its own, which fails when that is taken: readers see all of it or
 * nothing, and of two writers of one version one is told. Then an append looks at what was committed, and goes on behind it when
 * that, too, only adds files; a new table and an overwrite, whose meaning depends on what they found, fail.
 *
 * Tables with a checkpoint (that the caller has not read), partition columns, or that want more of a writer than version 2 of its protocol,
 * are left to Spark and delta-rs. Data files that no commit names are nobody's; VACUUM removes them.
 */
#ifndef ADG_DELTA_WRITE_H
#define ADG_DELTA_WRITE_H

#include "delta/describe.h"
#include "delta/log.h"

enum adg_delta_mode { ADG_DELTA_CREATE, ADG_DELTA_APPEND, ADG_DELTA_OVERWRITE };

struct adg_delta_target {
    struct adg_delta_log log; /* version: -1 when there is no table */
    enum adg_delta_mode mode;
    char *schema;
    bool new_schema; /* an overwrite changes it */
    bool converts;   /* the rows that are there */
};

struct adg_delta_file {
    const char *name; /* in the folder */
    uint64_t rows, bytes;
    const char *statistics; /* as adg_delta_statistics_append makes them */
};

struct adg_delta_commit {
    const struct adg_delta_file *files;
    uint32_t file_count;
    int64_t time_ms;          /* since 1970 */
    const char *table_id;     /* of a table that begins */
    const char *engine;       /* "adg/0.1.0" */
    const json_t *provenance; /* an object, borrowed */
};

/* Names that data files have: "part-00000-<32 hexadecimal digits>.parquet". */
bool adg_delta_is_data_name(const char *name);

/*
 * `folder` is borrowed until fini, and need not be there. ADG_FAILED: ADG_DELTA_CREATE, and there is a table; or the folder holds files of
 * another kind, or is none. ADG_BAD_INPUT: the table cannot be written to, or an append finds other columns, or a column is a timestamp.
 */
ADG_MUST_CHECK enum adg_status adg_delta_target_open(struct adg_delta_target *target, const char *folder,
                                                     enum adg_delta_mode mode, const struct adg_delta_column *columns,
                                                     uint32_t column_count, struct adg_error *error);
/*
 * To replace all files of a table by others with the same rows: `log`, of a table that is there, was replayed, from its checkpoint if it
 * has one, and is taken over when that succeeds. ADG_BAD_INPUT: as above.
 */
ADG_MUST_CHECK enum adg_status adg_delta_target_convert(struct adg_delta_target *target, struct adg_delta_log *log,
                                                        const struct adg_delta_column *columns, uint32_t column_count,
                                                        struct adg_error *error);
/*
 * *published becomes true when the version is there: also when syncing the folder fails afterwards, and the files must stay. *version
 * is its number. ADG_FAILED: another writer was first. ADG_BAD_INPUT: others have damaged the log meanwhile.
 */
ADG_MUST_CHECK enum adg_status adg_delta_target_commit(const struct adg_delta_target *target,
                                                       const struct adg_delta_commit *commit, bool *published,
                                                       int64_t *version, struct adg_error *error);
void adg_delta_target_fini(struct adg_delta_target *target);

#endif
