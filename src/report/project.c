/*
 * The page of a project: its graph of jobs and places.
 */
#include <jansson.h>

#include "core/file.h"
#include "report/internal.h"
#include "report/report.h"

static json_t *names_of(const struct adg_project *project, const struct adg_project_grant *grant)
{
    json_t *names = json_array();
    for (uint32_t i = 0; i < grant->count; i++) {
        json_array_append_new(names, json_string(project->places[grant->places[i]].name));
    }
    return names;
}

static json_t *defaults_of(const struct adg_project_job *job)
{
    json_t *defaults = json_array();
    for (uint32_t i = 0; i < job->default_count; i++) {
        json_t *values = json_array();
        for (uint32_t v = 0; v < job->defaults[i].count; v++) {
            json_array_append_new(values, json_string(job->defaults[i].values[v]));
        }
        json_array_append_new(defaults,
                              json_pack("{s:s, s:o}", "name", job->defaults[i].parameter->name, "values", values));
    }
    return defaults;
}

static json_t *jobs_of(const struct adg_project *project)
{
    json_t *jobs = json_array();
    for (uint32_t j = 0; j < project->job_count; j++) {
        const struct adg_project_job *job = &project->jobs[j];
        json_array_append_new(jobs, json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:i, s:s?}", "name", job->name, "does",
                                              adg_job_command_names[job->command], "reads",
                                              names_of(project, &job->grants[ADG_GRANT_READS]), "writes",
                                              names_of(project, &job->grants[ADG_GRANT_WRITES]), "amends",
                                              names_of(project, &job->grants[ADG_GRANT_AMENDS]), "parameters",
                                              defaults_of(job), "concurrency", (int)job->concurrency, "schedule",
                                              job->schedule_text));
    }
    return jobs;
}

enum adg_status adg_report_project(const struct adg_project *project, struct adg_buffer *out, struct adg_error *error)
{
    char sha256[65];
    enum adg_status status = adg_file_sha256(project->file, sha256, error);
    if (status != ADG_OK) {
        return status;
    }
    json_t *places = json_array(), *environments = json_array();
    for (uint32_t p = 0; p < project->place_count; p++) {
        json_array_append_new(places, json_pack("{s:s, s:s}", "name", project->places[p].name, "kind",
                                                adg_place_kind_names[project->places[p].kind]));
    }
    for (uint32_t e = 0; e < project->environment_count; e++) {
        json_t *addresses = json_array();
        for (uint32_t p = 0; p < project->place_count; p++) {
            json_array_append_new(addresses, json_string(project->environments[e].addresses[p].text));
        }
        json_array_append_new(environments, json_pack("{s:s, s:s, s:o}", "name", project->environments[e].name, "trust",
                                                      project->environments[e].trust.text, "addresses", addresses));
    }
    json_t *root = json_pack("{s:s, s:s, s:o, s:o, s:o}", "project", project->name, "sha256", sha256, "places", places,
                             "environments", environments, "jobs", jobs_of(project));
    status = root == NULL ? adg_fail_memory(error) : adg_report_put("project", root, out, error);
    json_decref(root);
    return status;
}
