/*
 * adg job schedule: the jobs of an environment, for an existing scheduler.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli.h"
#include "core/file.h"
#include "core/memory.h"
#include "project.h"
#include "schedule/schedule.h"

static const char usage[] =
    "usage: adg job schedule --env E --format systemd|databricks|airflow --out DIR [OPTION]...\n"
    "\n"
    "Writes what an existing scheduler runs: adg is none itself. Jobs with the same schedule follow each other in the "
    "order of\n"
    "project.yaml, each when the one before has succeeded; jobs without a schedule are left out. All times are UTC. "
    "The "
    "result\n"
    "is the names of the files, a line each.\n"
    "\n"
    "  --env E               the environment\n"
    "  --format F            systemd (services and timers), databricks (an asset bundle: a job per scope and schedule) "
    "or\n"
    "                        airflow (a DAG per schedule)\n"
    "  --out DIR             the folder to write to; created when only its parent exists\n"
    "  --project DIR         the project's folder (default: the working directory)\n"
    "  --program FILE        adg, where the scheduler runs it (default: this program)\n"
    "  --quiet               nothing but results and errors\n"
    "  --help                this text\n";

struct arguments {
    const char *environment, *folder, *out, *program;
    int format;
};

static enum adg_status write_files(const struct arguments *arguments, const struct adg_schedule_files *files,
                                   struct adg_error *error)
{
    enum adg_status status = adg_folder_create(arguments->out, error);
    for (uint32_t i = 0; i < files->count && status == ADG_OK; i++) {
        char *path = adg_path_join(arguments->out, files->list[i].name);
        status = path == NULL ? adg_fail_memory(error)
                              : adg_file_write(path, files->list[i].text.data, files->list[i].text.size, error);
        adg_free(path);
    }
    return status;
}

static enum adg_status schedule(const struct arguments *arguments, struct adg_error *error)
{
    struct adg_project *project = NULL;
    struct adg_schedule_files files = {0};
    char program[PATH_MAX] = "", folder[PATH_MAX] = "";
    struct adg_schedule_options options = {.program = arguments->program != NULL ? arguments->program : program,
                                           .folder = folder};
    if (arguments->program == NULL && realpath("/proc/self/exe", program) == NULL) {
        return adg_fail_errno(error, errno, "the path of this program cannot be found: say --program");
    }
    if (options.program[0] != '/') {
        return adg_fail(error, ADG_USAGE, "option --program: expected a path from the root");
    }
    enum adg_status status = adg_project_open(arguments->folder, &project, error);
    if (status == ADG_OK && realpath(arguments->folder, folder) == NULL) {
        status = adg_fail_errno(error, errno, "the path of folder %s cannot be found", arguments->folder);
    }
    if (status == ADG_OK) {
        options.project = project;
        status = adg_project_find_environment(project, arguments->environment, &options.environment, error);
    }
    if (status == ADG_OK) {
        status = adg_schedule_write(&options, (enum adg_schedule_format)arguments->format, &files, error);
    }
    if (status == ADG_OK) {
        status = write_files(arguments, &files, error);
    }
    for (uint32_t i = 0; i < files.count && status == ADG_OK; i++) {
        printf("%s\n", files.list[i].name);
    }
    adg_schedule_files_fini(&files);
    adg_project_free(project);
    return status;
}

int adg_cli_job_schedule(int argc, char **argv)
{
    struct arguments arguments = {.folder = "."};
    bool help = false;
    struct adg_error error = {{0}};
    struct adg_option options[] = {
        {.name = "env", .kind = ADG_OPTION_TEXT, .target = &arguments.environment, .required = true},
        {.name = "format",
         .kind = ADG_OPTION_CHOICE,
         .target = &arguments.format,
         .required = true,
         .choices = adg_schedule_format_names},
        {.name = "out", .kind = ADG_OPTION_TEXT, .target = &arguments.out, .required = true},
        {.name = "project", .kind = ADG_OPTION_TEXT, .target = &arguments.folder},
        {.name = "program", .kind = ADG_OPTION_TEXT, .target = &arguments.program},
    };
    enum adg_status status = adg_cli_parse(argc, argv, options, sizeof options / sizeof options[0], NULL, 0, NULL,
                                           &help, &error);
    if (status == ADG_OK && help) {
        fputs(usage, stdout);
        return 0;
    }
    if (status == ADG_OK) {
        status = schedule(&arguments, &error);
    }
    return status == ADG_OK ? 0 : adg_cli_fail("job schedule", status, &error);
}
