/*
 * Schedules of jobs in the words of an existing scheduler: adg is none itself. Jobs of one environment with the same schedule follow each
 * other, in the order of project.yaml, each when the one before has succeeded.
 *
 *     systemd      a service per job and a timer per schedule (systemd.timer(5), systemd.time(7))
 *     databricks   an asset bundle: a job per scope and schedule, run as the scope's service principal (databricks.yml, run_job.py)
 *     airflow      a file with a DAG per schedule, a task per job (Airflow 3)
 *
 * All times are UTC. Jobs without a schedule are not in what is written.
 */
#ifndef ADG_SCHEDULE_SCHEDULE_H
#define ADG_SCHEDULE_SCHEDULE_H

#include "core/buffer.h"
#include "project/project.h"

enum adg_schedule_format { ADG_SCHEDULE_SYSTEMD, ADG_SCHEDULE_DATABRICKS, ADG_SCHEDULE_AIRFLOW, ADG_SCHEDULE_FORMATS };
extern const char *const adg_schedule_format_names[ADG_SCHEDULE_FORMATS + 1]; /* NULL at the end */

struct adg_schedule_options {
    const struct adg_project *project;
    const struct adg_project_environment *environment;
    const char *program; /* adg, absolute */
    const char *folder;  /* of the project, absolute */
};

struct adg_schedule_file {
    const char *name; /* in the folder that is written */
    struct adg_buffer text;
};
struct adg_schedule_files {
    struct adg_arena arena;
    struct adg_schedule_file *list;
    uint32_t count;
};

/* ADG_BAD_INPUT: no job has a schedule, or one has a schedule that the format cannot say; a path that cannot stand in such a file. */
ADG_MUST_CHECK enum adg_status adg_schedule_write(const struct adg_schedule_options *options,
                                                  enum adg_schedule_format format, struct adg_schedule_files *out,
                                                  struct adg_error *error);
void adg_schedule_files_fini(struct adg_schedule_files *files);

/* ---- what the formats share -------------------------------------------------------------------------------------- */

/* Who runs a job: the scopes are those of the original system's projects, which nobody has two of. */
enum adg_scope { ADG_SCOPE_META, ADG_SCOPE_ADMIN, ADG_SCOPE_GENERATOR, ADG_SCOPE_PUBLISH, ADG_SCOPES };
extern const char *const adg_scope_names[ADG_SCOPES];
enum adg_scope adg_scope_of(const struct adg_project_job *job);

/* The job, of those with a schedule, whose turn it is after `job`: the next of the same schedule and, with `same_scope`, of the same scope;
 * NULL. adg_schedule_is_first: there is none before it. */
const struct adg_project_job *adg_schedule_next(const struct adg_project *project, const struct adg_project_job *job,
                                                bool same_scope);
bool adg_schedule_is_first(const struct adg_project *project, const struct adg_project_job *job, bool same_scope);

/* A new file, empty. */
ADG_MUST_CHECK enum adg_status adg_schedule_add_file(struct adg_schedule_files *files, const char *name,
                                                     struct adg_buffer **out, struct adg_error *error);
/* Appends a text in double quotes, with backslashes as JSON, Python, YAML and systemd read them. `also`: characters that are doubled. */
ADG_MUST_CHECK enum adg_status adg_schedule_quote(struct adg_buffer *out, const char *text, const char *also,
                                                  struct adg_error *error);

/* Lines "OnCalendar=": one, or two where a day fits by date or by weekday. */
ADG_MUST_CHECK enum adg_status adg_cron_to_systemd(const struct adg_cron *cron, struct adg_buffer *out,
                                                   struct adg_error *error);
/* Quartz's six fields. ADG_BAD_INPUT: both days and weekdays are restricted, which it cannot say. */
ADG_MUST_CHECK enum adg_status adg_cron_to_quartz(const struct adg_cron *cron, struct adg_buffer *out,
                                                  struct adg_error *error);

ADG_MUST_CHECK enum adg_status adg_schedule_systemd(const struct adg_schedule_options *options,
                                                    struct adg_schedule_files *files, struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_schedule_databricks(const struct adg_schedule_options *options,
                                                       struct adg_schedule_files *files, struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_schedule_airflow(const struct adg_schedule_options *options,
                                                    struct adg_schedule_files *files, struct adg_error *error);

#endif
