/*
 * adg job list | run | status | history | wait, and schedule, which has a file of its own
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "confine.h"
#include "core/memory.h"
#include "core/stop.h"
#include "job.h"
#include "project.h"

static const char usage[] =
    "usage: adg job list [--project DIR]\n"
    "       adg job run NAME --env E [--set PARAMETER=VALUE]... [--project DIR] [--sandbox S]\n"
    "       adg job status [NAME] --env E [--project DIR]\n"
    "       adg job history NAME --env E [--project DIR]\n"
    "       adg job wait NAME --env E [--run ID] [--timeout SECONDS] [--project DIR]\n"
    "       adg job schedule ...\n"
    "\n"
    "Jobs of a project (see 'adg project --help'). A project that 'adg project check' refuses has none.\n"
    "\n"
    "  list     each job with what it may touch, its parameters with their defaults, concurrency and schedule\n"
    "  run      starts the job's command, confined by the kernel to what the project grants it, and waits for it. The "
    "result\n"
    "           is JSON on standard output: status (success, failed; skipped: the same was made from the same inputs "
    "and is\n"
    "           there still; running: as many runs as the job may have go on, this is the first of them and nothing "
    "was\n"
    "           started), message, children per table. Ends with the exit code of the command\n"
    "  status   the last run of each job, or of one: job, run, status, started, message\n"
    "  history  every run, oldest first: run, status, started, seconds, message\n"
    "  wait     until the run has ended (default: the last run); its JSON, and its exit code\n"
    "  schedule writes what systemd, Databricks or Airflow runs: 'adg job schedule --help'\n"
    "\n"
    "  --env E              the environment\n"
    "  --set P=V            a parameter for this run; of a list, values with commas; an empty value takes the default "
    "away\n"
    "  --run ID             a run, as run and history name it\n"
    "  --timeout SECONDS    how long to wait at most; then 1 (default: for ever)\n"
    "  --project DIR        the project's folder (default: .)\n" ADG_SANDBOX_USAGE
    "  --quiet              nothing but results and errors\n"
    "  --help               this text\n";

/* ---- list -------------------------------------------------------------------------------------------------------- */

static void print_job(const struct adg_project *project, const struct adg_project_job *job)
{
    printf("%s\n", job->name);
    if (strcmp(job->name, adg_job_command_names[job->command]) != 0) {
        printf("  does: %s\n", adg_job_command_names[job->command]);
    }
    for (int g = 0; g < ADG_GRANTS; g++) {
        const struct adg_project_grant *grant = &job->grants[g];
        for (uint32_t i = 0; i < grant->count; i++) {
            printf("%s%s%s", i == 0 ? "  " : ", ", i == 0 ? adg_grant_names[g] : "", i == 0 ? ": " : "");
            fputs(project->places[grant->places[i]].name, stdout);
        }
        fputs(grant->count > 0 ? "\n" : "", stdout);
    }
    for (const struct adg_parameter *p = adg_parameters; p->name != NULL; p++) {
        if ((p->commands >> job->command & 1) == 0) {
            continue;
        }
        printf("  parameter %s", p->name);
        for (uint32_t d = 0; d < job->default_count; d++) {
            for (uint32_t i = 0; job->defaults[d].parameter == p && i < job->defaults[d].count; i++) {
                printf("%s%s", i == 0 ? ": " : ",", job->defaults[d].values[i]);
            }
        }
        puts(p->each_time ? " (with every start)" : "");
    }
    printf("  concurrency: %u\n", job->concurrency);
    if (job->schedule_text != NULL) {
        printf("  schedule: %s\n", job->schedule_text);
    }
}

static enum adg_status list(const struct adg_job_arguments *arguments, struct adg_error *error)
{
    struct adg_project *project = NULL;
    enum adg_status status = adg_job_open_project(arguments->folder, &project, error);
    for (uint32_t i = 0; status == ADG_OK && i < project->job_count; i++) {
        print_job(project, &project->jobs[i]);
    }
    adg_project_free(project);
    return status;
}

/* ---- runs that have been ----------------------------------------------------------------------------------------- */

static const char *text_of(json_t *record, const char *key)
{
    const char *text = json_string_value(json_object_get(record, key));
    return text != NULL ? text : "";
}

/* The runs of one job, in an arena; *folder is the caller's. */
static enum adg_status open_runs(const struct adg_project *project, const char *environment, const char *job,
                                 struct adg_arena *arena, char **folder, const char *const **ids, uint32_t *count,
                                 struct adg_error *error)
{
    enum adg_status status = adg_runs_folder(project, environment, job, folder, error);
    return status == ADG_OK ? adg_runs_list(*folder, arena, ids, count, error) : status;
}

static enum adg_status status_of_job(const struct adg_project *project, const char *environment, const char *job,
                                     struct adg_error *error)
{
    struct adg_arena arena = {0};
    char *folder = NULL;
    const char *const *ids = NULL;
    json_t *record = NULL;
    uint32_t count = 0;
    enum adg_status status = open_runs(project, environment, job, &arena, &folder, &ids, &count, error);
    if (status == ADG_OK && count == 0) {
        printf("%s\t\tnever run\t\t\n", job);
    } else if (status == ADG_OK) {
        status = adg_record_read(folder, ids[count - 1], &record, error);
    }
    if (record != NULL) {
        printf("%s\t%s\t%s\t%s\t%s\n", job, ids[count - 1], text_of(record, "status"), text_of(record, "started_utc"),
               text_of(record, "message"));
    }
    json_decref(record);
    adg_free(folder);
    adg_arena_fini(&arena);
    return status;
}

static enum adg_status show_status(const struct adg_project *project, const struct adg_job_arguments *arguments,
                                   const struct adg_project_job *job, struct adg_error *error)
{
    enum adg_status status = ADG_OK;
    for (uint32_t i = 0; i < project->job_count && status == ADG_OK; i++) {
        if (job == NULL || job == &project->jobs[i]) {
            status = status_of_job(project, arguments->environment, project->jobs[i].name, error);
        }
    }
    return status;
}

static enum adg_status show_history(const struct adg_project *project, const struct adg_job_arguments *arguments,
                                    const struct adg_project_job *job, struct adg_error *error)
{
    struct adg_arena arena = {0};
    char *folder = NULL;
    const char *const *ids = NULL;
    uint32_t count = 0;
    enum adg_status status = open_runs(project, arguments->environment, job->name, &arena, &folder, &ids, &count,
                                       error);
    for (uint32_t i = 0; i < count && status == ADG_OK; i++) {
        json_t *record = NULL;
        status = adg_record_read(folder, ids[i], &record, error);
        if (status == ADG_OK) {
            printf("%s\t%s\t%s\t%.3f\t%s\n", ids[i], text_of(record, "status"), text_of(record, "started_utc"),
                   json_number_value(json_object_get(record, "seconds")), text_of(record, "message"));
        }
        json_decref(record);
    }
    adg_free(folder);
    adg_arena_fini(&arena);
    return status;
}

static enum adg_status wait_for_end(const struct adg_project *project, const struct adg_job_arguments *arguments,
                                    const struct adg_project_job *job, int *exit_code, struct adg_error *error)
{
    enum { LOOKS_PER_SECOND = 5 };
    struct adg_arena arena = {0};
    char *folder = NULL;
    const char *const *ids = NULL;
    uint32_t count = 0;
    enum adg_status status = open_runs(project, arguments->environment, job->name, &arena, &folder, &ids, &count,
                                       error);
    if (status == ADG_OK && count == 0 && arguments->run == NULL) {
        status = adg_fail(error, ADG_BAD_INPUT, "job %s has never run in %s", job->name, arguments->environment);
    }
    const char *id = arguments->run != NULL ? arguments->run : count > 0 ? ids[count - 1] : "";
    for (uint64_t looks = 0; status == ADG_OK; looks++) {
        json_t *record = NULL;
        status = adg_record_read(folder, id, &record, error);
        if (status == ADG_OK && strcmp(text_of(record, "status"), "running") != 0) {
            json_dumpf(record, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(12));
            putchar('\n');
            *exit_code = (int)json_integer_value(json_object_get(record, "exit_code"));
            json_decref(record);
            break;
        }
        json_decref(record);
        if (status == ADG_OK && arguments->timeout > 0 && looks / LOOKS_PER_SECOND >= arguments->timeout) {
            status = adg_fail(error, ADG_FAILED, "run %s goes on still", id);
        }
        if (status == ADG_OK) {
            const struct timespec pause = {0, 1000000000 / LOOKS_PER_SECOND};
            nanosleep(&pause, NULL);
            status = adg_stop_check(error);
        }
    }
    adg_free(folder);
    adg_arena_fini(&arena);
    return status;
}

static enum adg_status look(const struct adg_job_arguments *arguments, const char *verb, const char *name,
                            int *exit_code, struct adg_error *error)
{
    struct adg_project *project = NULL;
    const struct adg_project_environment *environment = NULL;
    const struct adg_project_job *job = NULL;
    enum adg_status status = adg_project_open(arguments->folder, &project, error);
    if (status == ADG_OK) {
        status = adg_project_find_environment(project, arguments->environment, &environment, error);
    }
    if (status == ADG_OK && name != NULL) {
        status = adg_project_find_job(project, name, &job, error);
    }
    if (status == ADG_OK) {
        status = strcmp(verb, "status") == 0    ? show_status(project, arguments, job, error)
                 : strcmp(verb, "history") == 0 ? show_history(project, arguments, job, error)
                                                : wait_for_end(project, arguments, job, exit_code, error);
    }
    adg_project_free(project);
    return status;
}

/* ---- verbs ------------------------------------------------------------------------------------------------------- */

enum takes { TAKES_ENV = 1, TAKES_NAME = 2, NEEDS_NAME = 4, TAKES_SET = 8, TAKES_RUN = 16 };
static const struct {
    const char *name;
    int takes;
} verbs[] = {
    {"list", 0},
    {"run", TAKES_ENV | TAKES_NAME | NEEDS_NAME | TAKES_SET},
    {"status", TAKES_ENV | TAKES_NAME},
    {"history", TAKES_ENV | TAKES_NAME | NEEDS_NAME},
    {"wait", TAKES_ENV | TAKES_NAME | NEEDS_NAME | TAKES_RUN},
};

enum option { ENV, SET, RUN, TIMEOUT, PROJECT, SANDBOX, OPTIONS };

/* Which options go with which verb. */
static enum adg_status check_verb(const char *const *words, uint32_t count, const struct adg_option *options,
                                  struct adg_error *error)
{
    int takes = -1;
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0] && count > 0; i++) {
        takes = strcmp(words[0], verbs[i].name) == 0 ? verbs[i].takes : takes;
    }
    if (takes < 0) {
        return adg_fail(error, ADG_USAGE, "expected: list, run, status, history, wait or schedule");
    }
    if ((takes & NEEDS_NAME) != 0 && count < 2) {
        return adg_fail(error, ADG_USAGE, "%s: the name of a job is missing", words[0]);
    }
    if ((takes & TAKES_NAME) == 0 && count > 1) {
        return adg_fail(error, ADG_USAGE, "unexpected word '%s'", words[1]);
    }
    if ((takes & TAKES_ENV) != 0 && !options[ENV].given) {
        return adg_fail(error, ADG_USAGE, "option --env is missing");
    }
    const int needed[OPTIONS] = {[ENV] = TAKES_ENV,     [SET] = TAKES_SET, [RUN] = TAKES_RUN,
                                 [TIMEOUT] = TAKES_RUN, [PROJECT] = 0,     [SANDBOX] = TAKES_SET};
    for (int i = 0; i < OPTIONS; i++) {
        if (options[i].given && (takes & needed[i]) != needed[i]) {
            return adg_fail(error, ADG_USAGE, "option --%s does not go with %s", options[i].name, words[0]);
        }
    }
    return ADG_OK;
}

static int run(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "schedule") == 0) {
        return adg_cli_job_schedule(argc - 1, argv + 1);
    }
    const char *words[2] = {NULL, NULL};
    struct adg_job_arguments arguments = {.folder = "."};
    struct adg_option_list sets = {0};
    uint32_t count = 0;
    bool help = false;
    int exit_code = 0;
    struct adg_error error = {{0}};
    struct adg_option options[OPTIONS] = {
        [ENV] = {.name = "env", .kind = ADG_OPTION_TEXT, .target = &arguments.environment},
        [SET] = {.name = "set", .kind = ADG_OPTION_LIST, .target = &sets},
        [RUN] = {.name = "run", .kind = ADG_OPTION_TEXT, .target = &arguments.run},
        [TIMEOUT] = {.name = "timeout", .kind = ADG_OPTION_COUNT, .target = &arguments.timeout},
        [PROJECT] = {.name = "project", .kind = ADG_OPTION_TEXT, .target = &arguments.folder},
        [SANDBOX] = {.name = "sandbox",
                     .kind = ADG_OPTION_CHOICE,
                     .target = &arguments.sandbox,
                     .choices = adg_cli_sandboxes},
    };
    enum adg_status status = adg_cli_parse(argc, argv, options, OPTIONS, words, 2, &count, &help, &error);
    if (status == ADG_OK && help) {
        fputs(usage, stdout);
    } else if (status == ADG_OK) {
        status = check_verb(words, count, options, &error);
        arguments.sets = sets;
        if (status == ADG_OK) {
            status = strcmp(words[0], "list") == 0  ? list(&arguments, &error)
                     : strcmp(words[0], "run") == 0 ? adg_job_run(&arguments, words[1], &exit_code, &error)
                                                    : look(&arguments, words[0], words[1], &exit_code, &error);
        }
    }
    adg_cli_lists_free(options, OPTIONS);
    return status == ADG_OK ? exit_code : adg_cli_fail("job", status, &error);
}

const struct adg_command adg_command_job = {
    .name = "job", .summary = "run the jobs of a project, each confined to its places", .usage = usage, .run = run};
