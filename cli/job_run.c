/*
 * adg job run: a slot, the question whether there is anything to do, the job as a process of its own, its record.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "adg_version.h"
#include "confine.h"
#include "core/file.h"
#include "core/memory.h"
#include "core/stop.h"
#include "job.h"
#include "project/graph.h"
#include "project/leftovers.h"
#include "promote/promote.h"

enum adg_status adg_job_open_project(const char *folder, struct adg_project **out, struct adg_error *error)
{
    struct adg_project *project = NULL;
    enum adg_status status = adg_project_open(folder, &project, error);
    if (status == ADG_OK) {
        status = adg_project_prove(project, error);
    }
    if (status == ADG_OK) {
        *out = project;
    } else {
        adg_project_free(project);
    }
    return status;
}

/* One run, from its slot to its record. */
struct run {
    struct adg_job_start start;
    struct adg_arena arena;
    char *folder; /* of the job's runs */
    char id[ADG_RUN_ID_BYTES];
    struct timespec began;
    struct adg_slot slot;
    struct adg_buffer inputs; /* what it is made from, as text; empty: not known */
    json_t *record;
};

static double seconds_of(struct timespec time)
{
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void begin(struct run *run)
{
    struct tm utc;
    char stamp[20];
    clock_gettime(CLOCK_REALTIME, &run->began);
    gmtime_r(&run->began.tv_sec, &utc);
    strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%S", &utc);
    snprintf(run->id, sizeof run->id, "%s%03ldZ-%ld", stamp, run->began.tv_nsec / 1000000, (long)getpid());
}

/* ---- the record -------------------------------------------------------------------------------------------------- */

static enum adg_status make_record(struct run *run, const struct adg_job_values *values, struct adg_error *error)
{
    char began[32];
    struct tm utc;
    json_t *words = json_array(), *parameters = json_object();
    gmtime_r(&run->began.tv_sec, &utc);
    strftime(began, sizeof began, "%Y-%m-%dT%H:%M:%SZ", &utc);
    json_array_append_new(words, json_string("adg"));
    for (uint32_t i = 0; i < run->start.line.count; i++) {
        json_array_append_new(words, json_string(run->start.line.words[i]));
    }
    for (uint32_t p = 0; adg_parameters[p].name != NULL; p++) {
        if (values->of[p].texts == NULL) {
            continue;
        }
        json_t *list = json_array();
        for (uint32_t i = 0; i < values->of[p].count; i++) {
            json_array_append_new(list, json_string(values->of[p].texts[i]));
        }
        json_object_set_new(parameters, adg_parameters[p].name,
                            adg_parameters[p].type == ADG_PARAMETER_NAMES ? json_incref(list)
                                                                          : json_incref(json_array_get(list, 0)));
        json_decref(list);
    }
    char log[ADG_RUN_ID_BYTES + 8];
    snprintf(log, sizeof log, "%s.log", run->id);
    char *path = adg_path_join(run->folder, log);
    run->record = json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:s?, s:s}", "format", 1, "run",
                            run->id, "project", run->start.project->name, "environment", run->start.environment->name,
                            "job", run->start.job->name, "status", "running", "message", "running", "does",
                            adg_job_command_names[run->start.job->command], "started_utc", began, "parameters",
                            parameters, "command", words, "log", path, "tool", "adg " ADG_VERSION " (" ADG_COMMIT ")");
    adg_free(path);
    return run->record == NULL ? adg_fail(error, ADG_FAILED,
                                          "the run cannot be recorded: a path is no UTF-8, or memory is "
                                          "short")
                               : ADG_OK;
}

static enum adg_status write_record(const struct run *run, struct adg_error *error)
{
    char name[ADG_RUN_ID_BYTES + 8];
    snprintf(name, sizeof name, "%s.json", run->id);
    return adg_record_write(run->folder, name, run->record, error);
}

static enum adg_status end_record(const struct run *run, const char *status, const char *message, int exit_code,
                                  struct adg_error *error)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    double seconds = seconds_of(now) - seconds_of(run->began);
    json_t *text = json_string(message);
    json_object_set_new(run->record, "status", json_string(status));
    json_object_set_new(run->record, "message", text != NULL ? text : json_string("see the log"));
    json_object_set_new(run->record, "seconds", json_real((double)(int64_t)(seconds * 1000) / 1000));
    json_object_set_new(run->record, "exit_code", json_integer(exit_code));
    return write_record(run, error);
}

static void print_record(json_t *record)
{
    json_dumpf(record, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(12));
    putchar('\n');
}

/* ---- the process ------------------------------------------------------------------------------------------------- */

/* Folders that the job writes into are there before it is confined to them. */
static enum adg_status create_places(const struct run *run, struct adg_error *error)
{
    enum adg_status status = ADG_OK;
    for (int g = ADG_GRANT_WRITES; g <= ADG_GRANT_AMENDS; g++) {
        const struct adg_project_grant *grant = &run->start.job->grants[g];
        for (uint32_t i = 0; i < grant->count && status == ADG_OK; i++) {
            char path[PATH_MAX];
            status = adg_project_resolve(run->start.environment->addresses[grant->places[i]].path, path, error);
            if (status == ADG_OK) {
                status = adg_folder_create_parents(path, error);
            }
            if (status == ADG_OK) {
                status = adg_folder_create(path, error);
            }
        }
    }
    return status;
}

static _Noreturn void be_the_job(const struct run *run, pid_t parent, int log, int output)
{
    struct adg_error error = {{0}};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    unsetenv("ADG_PASSPHRASE"); /* no job signs */
    int nothing = open("/dev/null", O_RDONLY);
    bool good = getppid() == parent && nothing >= 0 && dup2(nothing, STDIN_FILENO) >= 0 &&
                dup2(output, STDOUT_FILENO) >= 0 && dup2(log, STDERR_FILENO) >= 0;
    enum adg_status status = good ? adg_job_become(&run->start, &error)
                                  : adg_fail_errno(&error, errno, "the job cannot be started");
    _exit(adg_cli_fail("job", status, &error));
}

/* Waits; a signal that asks this process to stop is passed on. */
static int wait_for(pid_t child)
{
    int state = 0;
    bool told = false;
    for (;;) {
        pid_t ended = waitpid(child, &state, WNOHANG);
        if (ended == child) {
            return state;
        }
        if (ended < 0 && errno != EINTR) {
            return SIGKILL; /* somebody else has waited for it: how it ended is not known */
        }
        if (adg_stop_requested() && !told) {
            kill(child, SIGTERM);
            told = true;
        }
        const struct timespec pause = {0, 10 * 1000 * 1000};
        nanosleep(&pause, NULL);
    }
}

/* The last line that the command wrote about itself ("adg generate: ..."); else what the exit code means. */
static enum adg_status message_of(const char *log, int state, struct adg_buffer *out, struct adg_error *error)
{
    struct adg_buffer text = {0};
    const char *found = NULL;
    enum adg_status status = adg_file_read(log, &text, error);
    char *line = status == ADG_OK ? adg_buffer_text(&text) : NULL;
    line = line != NULL ? strchr(line, '\n') : NULL; /* behind the command line */
    while (line != NULL) {
        char *end = strchr(line, '\n');
        if (end != NULL) {
            *end++ = '\0';
        }
        bool own = strncmp(line, "adg ", 4) == 0 && strstr(line, ": ") != NULL;
        found = own ? line : found;
        line = end;
    }
    if (status == ADG_OK && WIFSIGNALED(state)) {
        status = adg_buffer_printf(out, error, "the job was ended by signal %d", WTERMSIG(state));
    } else if (status == ADG_OK) {
        status = adg_buffer_printf(out, error, "%s", found != NULL ? found : "the job failed: see its log");
    }
    adg_buffer_fini(&text);
    return status == ADG_OK && adg_buffer_text(out) == NULL ? adg_fail_memory(error) : status;
}

/* A word as a shell takes it. */
static enum adg_status append_word(struct adg_buffer *out, const char *word, struct adg_error *error)
{
    if (strpbrk(word, " \t'\"$\\*?;&|<>()[]{}#~`!") == NULL && *word != '\0') {
        return adg_buffer_append_text(out, word, error);
    }
    enum adg_status status = adg_buffer_append_text(out, "'", error);
    for (; *word != '\0' && status == ADG_OK; word++) {
        status = adg_buffer_append(out, *word == '\'' ? "'\\''" : word, *word == '\'' ? 4 : 1, error);
    }
    return status == ADG_OK ? adg_buffer_append_text(out, "'", error) : status;
}

/* The command line first, then what the command says. */
static enum adg_status open_log(const struct run *run, int *log, struct adg_error *error)
{
    const char *path = json_string_value(json_object_get(run->record, "log"));
    struct adg_buffer text = {0};
    enum adg_status status = adg_buffer_append_text(&text, "adg", error);
    for (uint32_t i = 0; i < run->start.line.count && status == ADG_OK; i++) {
        status = adg_buffer_append_text(&text, " ", error);
        if (status == ADG_OK) {
            status = append_word(&text, run->start.line.words[i], error);
        }
    }
    if (status == ADG_OK) {
        status = adg_buffer_append_text(&text, "\n", error);
    }
    int fd = status == ADG_OK ? open(path, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666) : -1;
    if (status == ADG_OK && fd < 0) {
        status = adg_fail_errno(error, errno, "%s cannot be written", path);
    }
    if (status == ADG_OK) {
        status = adg_descriptor_write(fd, path, text.data, text.size, error);
    }
    adg_buffer_fini(&text);
    if (status != ADG_OK && fd >= 0) {
        close(fd);
    } else if (status == ADG_OK) {
        *log = fd;
    }
    return status;
}

static enum adg_status read_output(int fd, struct adg_buffer *out, struct adg_error *error)
{
    off_t size = lseek(fd, 0, SEEK_END);
    enum adg_status status = size < 0 ? adg_fail_errno(error, errno, "the job's results cannot be read")
                                      : adg_buffer_reserve(out, (size_t)size, error);
    while (status == ADG_OK && out->size < (size_t)size) {
        ssize_t got = pread(fd, out->data + out->size, (size_t)size - out->size, (off_t)out->size);
        if (got <= 0) {
            return adg_fail_errno(error, errno, "the job's results cannot be read");
        }
        out->size += (size_t)got;
    }
    return status == ADG_OK && adg_buffer_text(out) == NULL ? adg_fail_memory(error) : status;
}

/* Runs the command; its results in the log and in the record. */
static enum adg_status execute(struct run *run, int *exit_code, struct adg_error *error)
{
    int log = -1, output = -1, state = 0;
    struct adg_buffer results = {0}, message = {0};
    enum adg_status status = open_log(run, &log, error);
    if (status == ADG_OK) {
        output = memfd_create("results", MFD_CLOEXEC);
        status = output < 0 ? adg_fail_errno(error, errno, "the job cannot be started") : ADG_OK;
    }
    if (status == ADG_OK) {
        signal(SIGCHLD, SIG_DFL); /* whoever started this process may have ignored it: nothing could be waited for */
        pid_t parent = getpid(), child = fork();
        if (child == 0) {
            be_the_job(run, parent, log, output);
        }
        status = child < 0 ? adg_fail_errno(error, errno, "the job cannot be started") : ADG_OK;
        state = child > 0 ? wait_for(child) : 0;
    }
    if (status == ADG_OK) {
        status = read_output(output, &results, error);
    }
    if (status == ADG_OK) {
        const char *path = json_string_value(json_object_get(run->record, "log"));
        status = adg_descriptor_write(log, path, results.data, results.size, error);
        if (status == ADG_OK) {
            status = message_of(path, state, &message, error);
        }
    }
    if (status == ADG_OK) {
        *exit_code = WIFEXITED(state) ? WEXITSTATUS(state) : ADG_FAILED;
        json_object_set_new(run->record, "children",
                            adg_job_children(&run->start, (const char *)results.data, seconds_of(run->began)));
        status = *exit_code == 0 ? adg_job_write_done(&run->start, run->folder, run->id, &run->inputs, error) : ADG_OK;
    }
    if (status == ADG_OK) {
        status = end_record(run, *exit_code == 0 ? "success" : "failed",
                            *exit_code == 0 ? "done" : (const char *)message.data, *exit_code, error);
    }
    adg_buffer_fini(&results);
    adg_buffer_fini(&message);
    if (log >= 0) {
        close(log);
    }
    if (output >= 0) {
        close(output);
    }
    return status;
}

/* ------------------------------------------------------------------------------------------------------------------ */

/* Takes a slot. Where all are taken, *running is the record of the run that has the first: one that has ended meanwhile has it no more,
 * and one that has just begun is about to write it. */
static enum adg_status take_slot(struct run *run, json_t **running, struct adg_error *error)
{
    const struct timespec pause = {0, 20 * 1000 * 1000};
    for (int tries = 0; tries < 500; tries++) {
        char id[ADG_RUN_ID_BYTES] = "";
        json_t *record = NULL;
        enum adg_status status = adg_slot_take(run->folder, run->start.job->concurrency, run->id, &run->slot, id,
                                               error);
        if (status != ADG_OK || run->slot.fd >= 0) {
            return status;
        }
        if (adg_record_read(run->folder, id, &record, NULL) == ADG_OK) {
            const char *found = json_string_value(json_object_get(record, "status"));
            if (strcmp(found, "running") == 0) {
                *running = record;
                return ADG_OK;
            }
        }
        json_decref(record);
        nanosleep(&pause, NULL);
    }
    return adg_fail(error, ADG_FAILED, "job %s runs already, but has no record in %s", run->start.job->name,
                    run->folder);
}

static enum adg_status run_in_slot(struct run *run, const struct adg_job_values *values, int *exit_code,
                                   struct adg_error *error)
{
    bool done = false;
    enum adg_status status = make_record(run, values, error);
    if (status == ADG_OK) { /* before anything that takes long: who finds the slot taken asks for it */
        status = write_record(run, error);
    }
    if (status == ADG_OK) {
        status = adg_job_list_inputs(&run->start, &run->inputs, error);
    }
    if (status == ADG_OK) {
        status = adg_job_is_done(&run->start, run->folder, &run->inputs, &done, error);
    }
    if (status == ADG_OK && done) {
        json_object_set_new(run->record, "children", json_array());
        json_object_del(run->record, "log");
        status = end_record(run, "skipped", "nothing to do: the result of the same inputs is there", 0, error);
    } else if (status == ADG_OK) {
        status = create_places(run, error);
        if (status == ADG_OK && run->start.job->concurrency == 1) {
            status = adg_leftovers_remove(run->start.project, run->start.environment, run->start.job, error);
        }
        if (status == ADG_OK) {
            status = execute(run, exit_code, error);
        }
    }
    if (status != ADG_OK && run->record != NULL) { /* the failure itself is reported by whoever gets it */
        enum adg_status kept = end_record(run, "failed", error->message, (int)status, NULL);
        (void)kept;
    }
    if (status == ADG_OK && *exit_code != 0) {
        adg_cli_say("job %s failed: %s (log: %s)", run->start.job->name,
                    json_string_value(json_object_get(run->record, "message")),
                    json_string_value(json_object_get(run->record, "log")));
    }
    if (status == ADG_OK) {
        print_record(run->record);
    }
    return status;
}

static enum adg_status prepare(const struct adg_job_arguments *arguments, const char *name, struct run *run,
                               struct adg_job_values *values, struct adg_error *error)
{
    struct adg_job_start *start = &run->start;
    enum adg_status status = adg_project_find_environment(start->project, arguments->environment, &start->environment,
                                                          error);
    if (status == ADG_OK) {
        status = adg_project_find_job(start->project, name, &start->job, error);
    }
    if (status == ADG_OK) {
        adg_job_values_init(values, start->job);
    }
    for (uint32_t i = 0; i < arguments->sets.count && status == ADG_OK; i++) {
        status = adg_job_values_set(values, start->job, arguments->sets.items[i], &run->arena, error);
    }
    if (status == ADG_OK) {
        status = adg_command_line_build(start->project, start->environment, start->job, values, &run->arena,
                                        &start->line, error);
    }
    return status;
}

enum adg_status adg_job_run(const struct adg_job_arguments *arguments, const char *name, int *exit_code,
                            struct adg_error *error)
{
    struct run run = {.slot = {.fd = -1}, .start = {.sandbox = arguments->sandbox}};
    struct adg_project *project = NULL;
    struct adg_job_values values;
    json_t *running = NULL;
    *exit_code = 0;
    enum adg_status status = adg_promote_check_whole(arguments->folder, error);
    if (status == ADG_OK) {
        status = adg_job_open_project(arguments->folder, &project, error);
    }
    run.start.project = project;
    if (status == ADG_OK) {
        status = prepare(arguments, name, &run, &values, error);
    }
    if (status == ADG_OK) {
        status = adg_runs_folder_create(project, run.start.environment->name, run.start.job->name, &run.folder, error);
    }
    if (status == ADG_OK) {
        begin(&run);
        status = take_slot(&run, &running, error);
    }
    if (status == ADG_OK && running != NULL) {
        adg_cli_say("job %s runs already: nothing was started", run.start.job->name);
        print_record(running);
    } else if (status == ADG_OK) {
        status = run_in_slot(&run, &values, exit_code, error);
    }
    json_decref(running);
    json_decref(run.record);
    adg_slot_release(&run.slot);
    adg_buffer_fini(&run.inputs);
    adg_free(run.folder);
    adg_arena_fini(&run.arena);
    adg_project_free(project);
    return status;
}
