/*
 * What all formats of schedules share: see schedule.h.
 */
#include "schedule/schedule.h"

#include <string.h>

const char *const adg_schedule_format_names[ADG_SCHEDULE_FORMATS + 1] = {
    [ADG_SCHEDULE_SYSTEMD] = "systemd", [ADG_SCHEDULE_DATABRICKS] = "databricks", [ADG_SCHEDULE_AIRFLOW] = "airflow"};
const char *const adg_scope_names[ADG_SCOPES] = {[ADG_SCOPE_META] = "meta",
                                                 [ADG_SCOPE_ADMIN] = "admin",
                                                 [ADG_SCOPE_GENERATOR] = "generator",
                                                 [ADG_SCOPE_PUBLISH] = "publish"};

enum adg_scope adg_scope_of(const struct adg_project_job *job)
{
    switch (job->command) {
    case ADG_JOB_SCRAPE:
    case ADG_JOB_REVIEW:
        return ADG_SCOPE_META;
    case ADG_JOB_RELEASE:
        return ADG_SCOPE_ADMIN;
    case ADG_JOB_PUBLISH:
        return ADG_SCOPE_PUBLISH;
    default:
        return ADG_SCOPE_GENERATOR;
    }
}

/* ---- which follow each other ------------------------------------------------------------------------------------- */

static bool is_together(const struct adg_project_job *a, const struct adg_project_job *b, bool same_scope)
{
    const struct adg_cron *left = &a->schedule, *right = &b->schedule;
    return a->schedule_text != NULL && b->schedule_text != NULL && left->minutes == right->minutes &&
           left->hours == right->hours && left->days == right->days && left->months == right->months &&
           left->weekdays == right->weekdays && left->any_day == right->any_day &&
           left->any_weekday == right->any_weekday && (!same_scope || adg_scope_of(a) == adg_scope_of(b));
}

const struct adg_project_job *adg_schedule_next(const struct adg_project *project, const struct adg_project_job *job,
                                                bool same_scope)
{
    for (const struct adg_project_job *at = job + 1; at < project->jobs + project->job_count; at++) {
        if (is_together(job, at, same_scope)) {
            return at;
        }
    }
    return NULL;
}

bool adg_schedule_is_first(const struct adg_project *project, const struct adg_project_job *job, bool same_scope)
{
    for (const struct adg_project_job *at = project->jobs; at < job; at++) {
        if (is_together(job, at, same_scope)) {
            return false;
        }
    }
    return job->schedule_text != NULL;
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

enum adg_status adg_schedule_add_file(struct adg_schedule_files *files, const char *name, struct adg_buffer **out,
                                      struct adg_error *error)
{
    const char *copy = adg_arena_strdup(&files->arena, name);
    if (copy == NULL) {
        return adg_fail_memory(error);
    }
    files->list[files->count].name = copy;
    *out = &files->list[files->count++].text;
    return ADG_OK;
}

enum adg_status adg_schedule_quote(struct adg_buffer *out, const char *text, const char *also, struct adg_error *error)
{
    enum adg_status status = adg_buffer_append_text(out, "\"", error);
    for (const char *at = text; *at != '\0' && status == ADG_OK; at++) {
        if (*at == '"' || *at == '\\') {
            status = adg_buffer_append_text(out, "\\", error);
        } else if (strchr(also, *at) != NULL) {
            status = adg_buffer_append(out, at, 1, error);
        }
        if (status == ADG_OK) {
            status = adg_buffer_append(out, at, 1, error);
        }
    }
    return status == ADG_OK ? adg_buffer_append_text(out, "\"", error) : status;
}

static enum adg_status check_path(const char *path, struct adg_error *error)
{
    for (const unsigned char *at = (const unsigned char *)path; *at != '\0'; at++) {
        if (*at < ' ' || *at == 0x7F || *at == '\\') {
            return adg_fail(error, ADG_BAD_INPUT,
                            "a path with control characters or backslashes cannot stand in a schedule's file");
        }
    }
    return ADG_OK;
}

enum adg_status adg_schedule_write(const struct adg_schedule_options *options, enum adg_schedule_format format,
                                   struct adg_schedule_files *out, struct adg_error *error)
{
    const struct adg_project *project = options->project;
    struct adg_schedule_files files = {0};
    uint32_t scheduled = 0;
    for (uint32_t i = 0; i < project->job_count; i++) {
        scheduled += project->jobs[i].schedule_text != NULL;
    }
    if (scheduled == 0) {
        return adg_fail(error, ADG_BAD_INPUT, "no job in %s has a schedule", project->file);
    }
    enum adg_status status = check_path(options->program, error);
    if (status == ADG_OK) {
        status = check_path(options->folder, error);
    }
    if (status == ADG_OK) {
        files.list = adg_arena_array(&files.arena, 2 * (size_t)scheduled + 2, sizeof *files.list);
        status = files.list == NULL                  ? adg_fail_memory(error)
                 : format == ADG_SCHEDULE_SYSTEMD    ? adg_schedule_systemd(options, &files, error)
                 : format == ADG_SCHEDULE_DATABRICKS ? adg_schedule_databricks(options, &files, error)
                                                     : adg_schedule_airflow(options, &files, error);
    }
    if (status == ADG_OK) {
        *out = files;
    } else {
        adg_schedule_files_fini(&files);
    }
    return status;
}

void adg_schedule_files_fini(struct adg_schedule_files *files)
{
    for (uint32_t i = 0; i < files->count; i++) {
        adg_buffer_fini(&files->list[i].text);
    }
    adg_arena_fini(&files->arena);
    *files = (struct adg_schedule_files){0};
}
