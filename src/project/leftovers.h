/*
 * What commands leave behind when they are killed: files and folders that were not yet complete, under names with a dot.
 */
#ifndef ADG_PROJECT_LEFTOVERS_H
#define ADG_PROJECT_LEFTOVERS_H

#include "project/project.h"

/* Removes them from the job's places before it begins anew. Only what this command leaves; no other run of the job may go on. */
ADG_MUST_CHECK enum adg_status adg_leftovers_remove(const struct adg_project *project,
                                                    const struct adg_project_environment *environment,
                                                    const struct adg_project_job *job, struct adg_error *error);

#endif
