/*
 * What the verbs of `adg job` share.
 */
#ifndef ADG_CLI_JOB_H
#define ADG_CLI_JOB_H

#include "cli.h"
#include "govern/confine.h"
#include "project/command.h"
#include "project/project.h"
#include "project/runs.h"

struct adg_job_arguments {
    const char *folder, *environment;
    struct adg_option_list sets;
    const char *run; /* an id, for wait */
    uint64_t timeout;
    int sandbox;
};

/* Reads the project, and proves it. */
ADG_MUST_CHECK enum adg_status adg_job_open_project(const char *folder, struct adg_project **out,
                                                    struct adg_error *error);

/* Starts the job and waits for it; its record on standard output. *exit_code is the command's, where it ran. */
ADG_MUST_CHECK enum adg_status adg_job_run(const struct adg_job_arguments *arguments, const char *name, int *exit_code,
                                           struct adg_error *error);

/* What one run needs to know of its job. */
struct adg_job_start {
    const struct adg_project *project;
    const struct adg_project_environment *environment;
    const struct adg_project_job *job;
    struct adg_command_line line;
    int sandbox;
};

/* Confines the process to what the project grants the job, and becomes `adg` with the job's words; comes back when that fails. The
 * process has one thread. */
ADG_MUST_CHECK enum adg_status adg_job_become(const struct adg_job_start *start, struct adg_error *error);

/* Everything that the job's result follows from, as text; empty where that cannot be known, of a database. */
ADG_MUST_CHECK enum adg_status adg_job_list_inputs(const struct adg_job_start *start, struct adg_buffer *out,
                                                   struct adg_error *error);
/* Whether the last run that succeeded was made from the same, and what it made is there still. `folder` is that of the job's runs. */
ADG_MUST_CHECK enum adg_status adg_job_is_done(const struct adg_job_start *start, const char *folder,
                                               const struct adg_buffer *inputs, bool *done, struct adg_error *error);
/* Keeps that for the next start. */
ADG_MUST_CHECK enum adg_status adg_job_write_done(const struct adg_job_start *start, const char *folder, const char *id,
                                                  const struct adg_buffer *inputs, struct adg_error *error);

/* The tables that the command's standard output names, with rows, bytes, hashes and seconds where they are known; NULL without memory.
 * `started` is in seconds since 1970. */
json_t *adg_job_children(const struct adg_job_start *start, const char *output, double started);

#endif
