/*
 * A project: project.yaml in its folder (docs/projects.md). It names places and what each holds, environments that give every
 * place an address, and jobs with what they may read, write and amend. Jobs are the same in all environments.
 *
 *     adg_project_open -> the file as structs; what it says is well-formed, and all names in it are known
 *     adg_project_prove (graph.h) -> nothing gets from a source to artificial data but through a release
 *     adg_cron_parse (cron.h), adg_parameter_check (parameter.h): what schedules and parameters may be
 *
 * Everything is immutable after adg_project_open and lives until adg_project_free.
 */
#ifndef ADG_PROJECT_PROJECT_H
#define ADG_PROJECT_PROJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/buffer.h"
#include "project/cron.h"
#include "project/parameter.h"

#define ADG_PROJECT_FILE "project.yaml"
#define ADG_PROJECT_STATE ".adg" /* folder beside the file: runs of jobs and their logs */

/* What a place holds. */
enum adg_place_kind {
    ADG_PLACE_SOURCE,     /* records of people: a folder or a database; only read */
    ADG_PLACE_METADATA,   /* what scraping wrote, not yet released: a folder in which the metadata folder lies */
    ADG_PLACE_STORE,      /* released metadata: a release store */
    ADG_PLACE_ARTIFICIAL, /* generated tables */
    ADG_PLACE_PUBLISHED,  /* what users read */
    ADG_PLACE_KINDS
};
extern const char *const adg_place_kind_names[ADG_PLACE_KINDS + 1]; /* NULL at the end */

/* The metadata folder within a place of kind ADG_PLACE_METADATA: scraping stages beside it. */
#define ADG_PROJECT_METADATA "scraped"

/* Line and column in the file, from 1. */
struct adg_position {
    size_t line, column;
};

struct adg_project_place {
    const char *name;
    enum adg_place_kind kind;
    struct adg_position at;
};

struct adg_address {
    const char *text;  /* as written: a folder, from the project's or absolute, or a database (docs/engines.md) */
    const char *value; /* what a command is given for it: relative files and folders come behind the project's folder */
    const char *path;  /* the folder, or the file of a DuckDB database; NULL: a database elsewhere */
    struct adg_position at;
};

struct adg_project_environment {
    const char *name;
    struct adg_address trust;            /* folder with the public keys of reviewers and approvers */
    const struct adg_address *addresses; /* one per place, in the order of adg_project.places */
    struct adg_position at;
};

/* A parameter with its default. */
struct adg_project_default {
    const struct adg_parameter *parameter;
    const char *const *values; /* one, of NAMES any number */
    uint32_t count;
};

/* Places that a job has a right to, as indices into adg_project.places. */
struct adg_project_grant {
    const uint32_t *places;
    const struct adg_position *at;
    uint32_t count;
};

enum adg_grant_kind {
    ADG_GRANT_READS,
    ADG_GRANT_WRITES, /* it makes what is there: no other job does */
    ADG_GRANT_AMENDS, /* it reads what another job wrote there, and adds to it or changes it */
    ADG_GRANTS
};
extern const char *const adg_grant_names[ADG_GRANTS]; /* "reads", ... */

struct adg_project_job {
    const char *name;
    enum adg_job_command command;
    struct adg_project_grant grants[ADG_GRANTS];
    const struct adg_project_default *defaults;
    uint32_t default_count;
    uint32_t concurrency;      /* 1 to 10 */
    const char *schedule_text; /* NULL: none */
    struct adg_cron schedule;
    struct adg_position at;
};

struct adg_project {
    const char *folder; /* as it was given */
    const char *file;   /* folder/project.yaml, for messages */
    const char *name;
    const struct adg_project_place *places;
    const struct adg_project_environment *environments;
    const struct adg_project_job *jobs;
    uint32_t place_count, environment_count, job_count;
    struct adg_arena arena;
};

/* Reads folder/project.yaml. ADG_FAILED: it cannot be read; ADG_BAD_INPUT: "FILE:LINE:COLUMN: expected ...". */
ADG_MUST_CHECK enum adg_status adg_project_open(const char *folder, struct adg_project **out, struct adg_error *error);
/* The same of a text that is to be the folder's project.yaml. */
ADG_MUST_CHECK enum adg_status adg_project_parse(const char *folder, struct adg_span text, struct adg_project **out,
                                                 struct adg_error *error);
void adg_project_free(struct adg_project *project);

/* By name. ADG_USAGE: there is none; the message lists those that there are. */
ADG_MUST_CHECK enum adg_status adg_project_find_environment(const struct adg_project *project, const char *name,
                                                            const struct adg_project_environment **out,
                                                            struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_project_find_job(const struct adg_project *project, const char *name,
                                                    const struct adg_project_job **out, struct adg_error *error);

/* The job's place of that kind among one kind of its grants; NULL: none. The first, where there are several. */
const struct adg_project_place *adg_project_place_of(const struct adg_project *project,
                                                     const struct adg_project_job *job, enum adg_grant_kind grant,
                                                     enum adg_place_kind kind);
/* The address of a place in an environment. */
const struct adg_address *adg_project_address(const struct adg_project *project,
                                              const struct adg_project_environment *environment,
                                              const struct adg_project_place *place);
/* A path as the file has it, from the project's folder where it is relative; memory is taken from the arena, NULL without. */
const char *adg_project_path(const struct adg_project *project, const char *path, struct adg_arena *arena);

#endif
