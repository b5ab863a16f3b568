/*
 * Schedules as DAGs of Airflow 3: see schedule.h. The file needs the package apache-airflow-providers-standard, which comes with it.
 */
#include <stdio.h>

#include "schedule/schedule.h"

static const char head[] =
    "\"\"\"Jobs of adg, as project.yaml schedules them. Written by adg job schedule; write it anew instead of changing "
    "it.\n"
    "\n"
    "Each task runs as the user of its scope (run_as_user), who alone has rights to the places of the scope.\n"
    "\"\"\"\n"
    "from datetime import datetime, timezone\n"
    "\n"
    "from airflow.providers.standard.operators.bash import BashOperator\n"
    "from airflow.sdk import DAG\n"
    "\n";

static enum adg_status write_task(const struct adg_schedule_options *options, const struct adg_project_job *job,
                                  struct adg_buffer *out, struct adg_error *error)
{
    return adg_buffer_printf(
        out, error,
        "    tasks.append(BashOperator(task_id=\"%s\", bash_command='umask 0002; exec \"$ADG\" job run %s "
        "--env %s', env={\"ADG\": ADG}, append_env=True, cwd=PROJECT,\n"
        "                              run_as_user=\"adg-%s\"))\n",
        job->name, job->name, options->environment->name, adg_scope_names[adg_scope_of(job)]);
}

static enum adg_status write_dag(const struct adg_schedule_options *options, const struct adg_project_job *first,
                                 struct adg_buffer *out, struct adg_error *error)
{
    uint32_t concurrency = first->concurrency;
    for (const struct adg_project_job *job = first; job != NULL;
         job = adg_schedule_next(options->project, job, false)) {
        concurrency = job->concurrency < concurrency ? job->concurrency : concurrency;
    }
    enum adg_status status = adg_buffer_printf(
        out, error,
        "\nwith DAG(dag_id=\"adg_%s_%s_%s\", schedule=\"%s\", start_date=datetime(2024, 1, 1, tzinfo=timezone.utc), "
        "catchup=False,\n         max_active_runs=%u, tags=[\"adg\"]):\n    tasks = []\n",
        options->project->name, options->environment->name, first->name, first->schedule_text, concurrency);
    for (const struct adg_project_job *job = first; job != NULL && status == ADG_OK;
         job = adg_schedule_next(options->project, job, false)) {
        status = write_task(options, job, out, error);
    }
    return status == ADG_OK ? adg_buffer_append_text(out,
                                                     "    for before, after in zip(tasks, tasks[1:]):\n"
                                                     "        before >> after\n",
                                                     error)
                            : status;
}

enum adg_status adg_schedule_airflow(const struct adg_schedule_options *options, struct adg_schedule_files *files,
                                     struct adg_error *error)
{
    char name[200];
    struct adg_buffer *out = NULL;
    snprintf(name, sizeof name, "adg_%s_%s.py", options->project->name, options->environment->name);
    enum adg_status status = adg_schedule_add_file(files, name, &out, error);
    status = status == ADG_OK ? adg_buffer_append_text(out, head, error) : status;
    status = status == ADG_OK ? adg_buffer_append_text(out, "ADG = ", error) : status;
    status = status == ADG_OK ? adg_schedule_quote(out, options->program, "", error) : status;
    status = status == ADG_OK ? adg_buffer_append_text(out, "\nPROJECT = ", error) : status;
    status = status == ADG_OK ? adg_schedule_quote(out, options->folder, "", error) : status;
    status = status == ADG_OK ? adg_buffer_append_text(out, "\n", error) : status;
    for (uint32_t i = 0; i < options->project->job_count && status == ADG_OK; i++) {
        const struct adg_project_job *job = &options->project->jobs[i];
        if (adg_schedule_is_first(options->project, job, false)) {
            status = write_dag(options, job, out, error);
        }
    }
    return status;
}
