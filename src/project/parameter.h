/*
 * Parameters of jobs: which there are, for which commands, and what their values may be. The file gives defaults, a start of
 * the job other values.
 */
#ifndef ADG_PROJECT_PARAMETER_H
#define ADG_PROJECT_PARAMETER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/status.h"

/* What a job does: the command that it runs. A bit each in adg_parameter.commands. */
enum adg_job_command {
    ADG_JOB_SCRAPE,
    ADG_JOB_REVIEW,
    ADG_JOB_RELEASE,
    ADG_JOB_GENERATE,
    ADG_JOB_QA,
    ADG_JOB_PUBLISH,
    ADG_JOB_MIGRATE,
    ADG_JOB_COMMANDS
};
extern const char *const adg_job_command_names[ADG_JOB_COMMANDS + 1]; /* NULL at the end */

enum adg_parameter_type {
    ADG_PARAMETER_TEXT,
    ADG_PARAMETER_COUNT,  /* 1 to 2^63 - 1 */
    ADG_PARAMETER_UINT64, /* 0 to 2^64 - 1 */
    ADG_PARAMETER_FLAG,   /* true or false */
    ADG_PARAMETER_CHOICE,
    ADG_PARAMETER_HASH,  /* 64 lower-case hexadecimal digits */
    ADG_PARAMETER_TIME,  /* YYYY-MM-DD HH:MM */
    ADG_PARAMETER_NAMES, /* a list of names of tables */
};

struct adg_parameter {
    const char *name; /* "min_frequency"; the command's option is --min-frequency, but for include and exclude */
    enum adg_parameter_type type;
    uint32_t commands;          /* bit n: command n has it */
    const char *const *choices; /* CHOICE: NULL at the end */
    bool each_time;             /* has no default: a person gives it with every start */
};

extern const struct adg_parameter adg_parameters[]; /* name NULL at the end */

/* The parameter of that name, if the command has it; NULL. */
const struct adg_parameter *adg_parameter_find(enum adg_job_command command, const char *name);

/* Whether a value (of NAMES: one of them) is one of this type. ADG_USAGE: message "expected ...". */
ADG_MUST_CHECK enum adg_status adg_parameter_check(const struct adg_parameter *parameter, const char *value,
                                                   struct adg_error *error);

#endif
