/*
 * Runs of jobs, as the project keeps them: <project>/.adg/runs/<environment>/<job>/ holds a record (<id>.json) and a log (<id>.log) of
 * each run, a slot for each run that may go on at the same time, and what the last run that succeeded was made from (done.json).
 *
 *     adg_slot_take -> a slot, or the run that has it; held until the process and its children have ended, however they end
 *     adg_record_write -> the record, replaced whole; adg_record_read -> with status "failed" for a run that was killed
 *
 * Ids begin with the time in UTC: their order is that of their starts.
 */
#ifndef ADG_PROJECT_RUNS_H
#define ADG_PROJECT_RUNS_H

#include <jansson.h>

#include "core/buffer.h"
#include "project/project.h"

#define ADG_RUN_ID_BYTES 64

/* The folder of a job's runs, in new memory of the caller. */
ADG_MUST_CHECK enum adg_status adg_runs_folder(const struct adg_project *project, const char *environment,
                                               const char *job, char **out, struct adg_error *error);
/* The same, created. */
ADG_MUST_CHECK enum adg_status adg_runs_folder_create(const struct adg_project *project, const char *environment,
                                                      const char *job, char **out, struct adg_error *error);

struct adg_slot {
    int fd; /* -1: none. Children inherit it: a run goes on as long as one of them */
};
/* Takes one of `count` slots for run `id`. Where all are taken, slot->fd is -1 and `running` the id of the run that has the first. */
ADG_MUST_CHECK enum adg_status adg_slot_take(const char *folder, uint32_t count, const char *id, struct adg_slot *slot,
                                             char running[ADG_RUN_ID_BYTES], struct adg_error *error);
void adg_slot_release(struct adg_slot *slot);

/* Of the file <folder>/<name>. */
ADG_MUST_CHECK enum adg_status adg_record_write(const char *folder, const char *name, json_t *record,
                                                struct adg_error *error);
/* The record of a run, which the caller lets go with json_decref. ADG_BAD_INPUT: there is none, or it is damaged. */
ADG_MUST_CHECK enum adg_status adg_record_read(const char *folder, const char *id, json_t **out,
                                               struct adg_error *error);

/* The ids of all runs, oldest first; memory is taken from the arena. No folder: none. */
ADG_MUST_CHECK enum adg_status adg_runs_list(const char *folder, struct adg_arena *arena, const char *const **out,
                                             uint32_t *count, struct adg_error *error);

#endif
