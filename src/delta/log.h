/*
 * The log of a Delta table in a local folder (https://github.com/delta-io/delta/blob/master/PROTOCOL.md, "Action Reconciliation"):
 * which versions there are, and what the table is after the commits that have been taken.
 *
 *     adg_delta_log_open       lists the versions
 *     adg_delta_log_take       an action of a checkpoint, which is Parquet and is read elsewhere
 *     adg_delta_log_replay     the commits, in order
 *
 * Knows nothing of what is in the files that a table consists of.
 */
#ifndef ADG_DELTA_LOG_H
#define ADG_DELTA_LOG_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/status.h"

#define ADG_DELTA_LOG_NAME "_delta_log"
enum { ADG_DELTA_VERSION_DIGITS = 20, ADG_DELTA_NAME_BYTES = 26 }; /* of a commit's name, with the NUL */

struct adg_delta_log {
    const char *folder;          /* of the table, borrowed */
    char *path;                  /* of the log */
    int64_t version;             /* the last one; -1: none */
    int64_t checkpoint;          /* the last one that is complete; -1: none */
    uint32_t checkpoint_parts;   /* of it; 0: one file without a number */
    bool has_other_checkpoint;   /* of version 2 */
    json_t *live;                /* path, as the log has it -> what its last add says */
    json_t *metadata, *protocol; /* the last ones, NULL: none yet */
    json_t *provenance;          /* array: what adg has said of itself in the commits that the table's rows come from */
};

/* Whether a folder is a Delta table: it has a log. */
bool adg_delta_is(const char *folder);

/* Lists the log. One that is not there has no version. */
ADG_MUST_CHECK enum adg_status adg_delta_log_open(struct adg_delta_log *log, const char *folder,
                                                  struct adg_error *error);
/* {"add": ...} or the like; `name`: where it stands, for the message. ADG_BAD_INPUT: it is damaged. */
ADG_MUST_CHECK enum adg_status adg_delta_log_take(struct adg_delta_log *log, const json_t *action, const char *name,
                                                  struct adg_error *error);
/* The commits from `first` to the last version that open found. ADG_BAD_INPUT: one is missing or damaged. */
ADG_MUST_CHECK enum adg_status adg_delta_log_replay(struct adg_delta_log *log, int64_t first, struct adg_error *error);
void adg_delta_log_fini(struct adg_delta_log *log);

/* "00000000000000000007.json" */
void adg_delta_commit_name(int64_t version, char out[ADG_DELTA_NAME_BYTES]);
/* The actions of one commit, an array that is the caller's. ADG_BAD_INPUT: it is missing or damaged. */
ADG_MUST_CHECK enum adg_status adg_delta_commit_read(const struct adg_delta_log *log, int64_t version, json_t **actions,
                                                     struct adg_error *error);

/*
 * The Parquet files of a table whose log has been replayed, in the order of their names, in the arena. ADG_BAD_INPUT, with the feature's
 * name: deletion vectors, column mapping, partition columns, reader features or a protocol that are not known here, files outside the
 * folder; or the log is incomplete, or the table has no file.
 */
ADG_MUST_CHECK enum adg_status adg_delta_log_files(const struct adg_delta_log *log, struct adg_arena *arena,
                                                   const char ***paths, uint32_t *count, struct adg_error *error);
/* ADG_BAD_INPUT: "the Delta table has <what>, which is not read here", and who reads it. */
ADG_MUST_CHECK enum adg_status adg_delta_not_read(const struct adg_delta_log *log, const char *what,
                                                  struct adg_error *error);

#endif
