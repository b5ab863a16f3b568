/*
 * Schedules as units of systemd: see schedule.h. A timer starts the first service of its schedule, each service the next when it has
 * succeeded. The umask lets the users of all scopes, who share a group, keep their runs in one folder.
 */
#include <stdio.h>

#include "schedule/schedule.h"

enum { UNIT_BYTES = 300 };

static void unit_name(const struct adg_schedule_options *options, const struct adg_project_job *job, const char *kind,
                      char out[UNIT_BYTES])
{
    snprintf(out, UNIT_BYTES, "adg-%s-%s-%s.%s", options->project->name, options->environment->name, job->name, kind);
}

static enum adg_status write_service(const struct adg_schedule_options *options, const struct adg_project_job *job,
                                     struct adg_buffer *out, struct adg_error *error)
{
    const struct adg_project_job *next = adg_schedule_next(options->project, job, false);
    char unit[UNIT_BYTES];
    enum adg_status status = adg_buffer_printf(out, error, "[Unit]\nDescription=adg: job %s of project %s in %s\n",
                                               job->name, options->project->name, options->environment->name);
    if (status == ADG_OK && next != NULL) {
        unit_name(options, next, "service", unit);
        status = adg_buffer_printf(out, error, "OnSuccess=%s\n", unit);
    }
    if (status == ADG_OK) {
        status = adg_buffer_printf(out, error,
                                   "\n[Service]\nType=oneshot\nUser=adg-%s\nUMask=0002\nNoNewPrivileges=yes\n",
                                   adg_scope_names[adg_scope_of(job)]);
    }
    if (status == ADG_OK) { /* a path is read to the end of the line: only specifiers are special */
        status = adg_buffer_append_text(out, "WorkingDirectory=", error);
    }
    for (const char *at = options->folder; *at != '\0' && status == ADG_OK; at++) {
        status = adg_buffer_append(out, *at == '%' ? "%%" : at, *at == '%' ? 2 : 1, error);
    }
    if (status == ADG_OK) {
        status = adg_buffer_append_text(out, "\nExecStart=", error);
    }
    if (status == ADG_OK) {
        status = adg_schedule_quote(out, options->program, "%$", error);
    }
    return status == ADG_OK
               ? adg_buffer_printf(out, error, " job run %s --env %s\n", job->name, options->environment->name)
               : status;
}

static enum adg_status write_timer(const struct adg_schedule_options *options, const struct adg_project_job *job,
                                   struct adg_buffer *out, struct adg_error *error)
{
    char unit[UNIT_BYTES];
    unit_name(options, job, "service", unit);
    enum adg_status status = adg_buffer_printf(
        out, error, "[Unit]\nDescription=adg: when job %s of project %s runs in %s (cron: %s)\n\n[Timer]\n", job->name,
        options->project->name, options->environment->name, job->schedule_text);
    if (status == ADG_OK) {
        status = adg_cron_to_systemd(&job->schedule, out, error);
    }
    return status == ADG_OK ? adg_buffer_printf(out, error, "Unit=%s\n\n[Install]\nWantedBy=timers.target\n", unit)
                            : status;
}

enum adg_status adg_schedule_systemd(const struct adg_schedule_options *options, struct adg_schedule_files *files,
                                     struct adg_error *error)
{
    enum adg_status status = ADG_OK;
    for (uint32_t i = 0; i < options->project->job_count && status == ADG_OK; i++) {
        const struct adg_project_job *job = &options->project->jobs[i];
        struct adg_buffer *out = NULL;
        char unit[UNIT_BYTES];
        if (job->schedule_text == NULL) {
            continue;
        }
        unit_name(options, job, "service", unit);
        status = adg_schedule_add_file(files, unit, &out, error);
        if (status == ADG_OK) {
            status = write_service(options, job, out, error);
        }
        if (status == ADG_OK && adg_schedule_is_first(options->project, job, false)) {
            unit_name(options, job, "timer", unit);
            status = adg_schedule_add_file(files, unit, &out, error);
            if (status == ADG_OK) {
                status = write_timer(options, job, out, error);
            }
        }
    }
    return status;
}
