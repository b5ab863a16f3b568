/*
 * Schedules as a Databricks asset bundle: see schedule.h. Who runs a scope's jobs, and on which cluster, are variables of the bundle: they
 * are known there and not here.
 */
#include <stdio.h>

#include "schedule/schedule.h"

static const char runner[] =
    "\"\"\"Runs a job of adg on this cluster and ends as it does. Written by adg job schedule.\n"
    "\n"
    "Arguments: the program, the project's folder, the job, the environment. Its JSON goes to standard output.\n"
    "\"\"\"\n"
    "import subprocess\n"
    "import sys\n"
    "\n"
    "program, folder, job, environment = sys.argv[1:]\n"
    "done = subprocess.run([program, \"job\", \"run\", job, \"--env\", environment], cwd=folder, "
    "stdout=subprocess.PIPE, text=True)\n"
    "print(done.stdout)\n"
    "if done.returncode != 0:\n"
    "    raise RuntimeError(f\"adg job run {job}: exit code {done.returncode}\")\n";

static enum adg_status write_variables(const struct adg_project *project, struct adg_buffer *out,
                                       struct adg_error *error)
{
    enum adg_status status = adg_buffer_append_text(out, "variables:\n", error);
    for (unsigned scope = 0; scope < ADG_SCOPES && status == ADG_OK; scope++) {
        bool used = false;
        for (uint32_t i = 0; i < project->job_count; i++) {
            used = used || (project->jobs[i].schedule_text != NULL && adg_scope_of(&project->jobs[i]) == scope);
        }
        if (used) {
            status = adg_buffer_printf(
                out, error,
                "  principal_%s:\n    description: application id of the service principal of scope %s, which alone "
                "has rights to its places\n  cluster_%s:\n    description: id of a cluster with adg, for scope %s\n",
                adg_scope_names[scope], adg_scope_names[scope], adg_scope_names[scope], adg_scope_names[scope]);
        }
    }
    return status;
}

/* What the scope's principal needs, for whoever gives it rights. */
static enum adg_status write_grants(const struct adg_schedule_options *options, const struct adg_project_job *job,
                                    struct adg_buffer *out, struct adg_error *error)
{
    enum adg_status status = ADG_OK;
    for (int kind = 0; kind < ADG_GRANTS && status == ADG_OK; kind++) {
        for (uint32_t i = 0; i < job->grants[kind].count && status == ADG_OK; i++) {
            status = adg_buffer_printf(out, error, "%s%s %s", i == 0 ? "        # " : ", ",
                                       i == 0 ? adg_grant_names[kind] : "",
                                       options->project->places[job->grants[kind].places[i]].name);
        }
        if (status == ADG_OK && job->grants[kind].count > 0) {
            status = adg_buffer_append_text(out, "\n", error);
        }
    }
    return status;
}

static enum adg_status write_task(const struct adg_schedule_options *options, const struct adg_project_job *job,
                                  const struct adg_project_job *before, struct adg_buffer *out, struct adg_error *error)
{
    enum adg_status status = adg_buffer_printf(out, error, "        - task_key: \"%s\"\n", job->name);
    if (status == ADG_OK && before != NULL) {
        status = adg_buffer_printf(out, error, "          depends_on:\n            - task_key: \"%s\"\n", before->name);
    }
    if (status == ADG_OK) {
        status = adg_buffer_printf(out, error,
                                   "          existing_cluster_id: ${var.cluster_%s}\n          spark_python_task:\n"
                                   "            python_file: ./run_job.py\n            parameters:\n              - ",
                                   adg_scope_names[adg_scope_of(job)]);
    }
    status = status == ADG_OK ? adg_schedule_quote(out, options->program, "", error) : status;
    status = status == ADG_OK ? adg_buffer_append_text(out, "\n              - ", error) : status;
    status = status == ADG_OK ? adg_schedule_quote(out, options->folder, "", error) : status;
    return status == ADG_OK ? adg_buffer_printf(out, error, "\n              - \"%s\"\n              - \"%s\"\n",
                                                job->name, options->environment->name)
                            : status;
}

static enum adg_status write_job(const struct adg_schedule_options *options, const struct adg_project_job *first,
                                 struct adg_buffer *out, struct adg_error *error)
{
    const char *scope = adg_scope_names[adg_scope_of(first)];
    uint32_t concurrency = first->concurrency;
    for (const struct adg_project_job *job = first; job != NULL; job = adg_schedule_next(options->project, job, true)) {
        concurrency = job->concurrency < concurrency ? job->concurrency : concurrency;
    }
    enum adg_status status = adg_buffer_printf(
        out, error,
        "    %s_%s: # cron: %s\n      name: \"adg %s %s %s\"\n      run_as:\n        service_principal_name: "
        "${var.principal_%s}\n      max_concurrent_runs: %u\n      schedule:\n        quartz_cron_expression: \"",
        scope, first->name, first->schedule_text, options->project->name, options->environment->name, first->name,
        scope, concurrency);
    if (status == ADG_OK) {
        status = adg_context(error, adg_cron_to_quartz(&first->schedule, out, error), "job %s", first->name);
    }
    if (status == ADG_OK) {
        status = adg_buffer_append_text(out, "\"\n        timezone_id: UTC\n      tasks:\n", error);
    }
    const struct adg_project_job *before = NULL;
    for (const struct adg_project_job *job = first; job != NULL && status == ADG_OK;
         job = adg_schedule_next(options->project, job, true)) {
        status = write_grants(options, job, out, error);
        if (status == ADG_OK) {
            status = write_task(options, job, before, out, error);
        }
        before = job;
    }
    return status;
}

enum adg_status adg_schedule_databricks(const struct adg_schedule_options *options, struct adg_schedule_files *files,
                                        struct adg_error *error)
{
    struct adg_buffer *out = NULL;
    enum adg_status status = adg_schedule_add_file(files, "run_job.py", &out, error);
    status = status == ADG_OK ? adg_buffer_append_text(out, runner, error) : status;
    status = status == ADG_OK ? adg_schedule_add_file(files, "databricks.yml", &out, error) : status;
    if (status == ADG_OK) {
        status = adg_buffer_printf(
            out, error,
            "# Jobs of adg, as project.yaml schedules them. Written by adg job schedule; write it "
            "anew instead of changing it.\nbundle:\n  name: adg_%s\n\ntargets:\n  \"%s\":\n    "
            "default: true\n\n",
            options->project->name, options->environment->name);
    }
    if (status == ADG_OK) {
        status = write_variables(options->project, out, error);
    }
    if (status == ADG_OK) {
        status = adg_buffer_append_text(out, "\nresources:\n  jobs:\n", error);
    }
    for (uint32_t i = 0; i < options->project->job_count && status == ADG_OK; i++) {
        const struct adg_project_job *job = &options->project->jobs[i];
        if (adg_schedule_is_first(options->project, job, true)) {
            status = write_job(options, job, out, error);
        }
    }
    return status;
}
