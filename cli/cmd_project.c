/*
 * adg project init | check, and the words that have a file of their own
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "core/buffer.h"
#include "core/file.h"
#include "core/memory.h"
#include "dataset/dataset.h"
#include "project.h"
#include "project/example.h"
#include "project/graph.h"
#include "project/project.h"
#include "report/report.h"

static const char usage[] =
    "usage: adg project init DIR [--dataset D] [--name NAME]\n"
    "       adg project check [DIR] [--report FILE.html]\n"
    "       adg project export | import | releases ...\n"
    "\n"
    "  init     writes project.yaml into a folder, which is created when only its parent exists: environments dev, "
    "staging and\n"
    "           prod with their places, and the jobs scrape, review, release, generate, migrate, qa and publish\n"
    "  check    validates project.yaml, an error is shown with file, line and column; and proves over the graph of "
    "jobs and\n"
    "           places that nothing gets from a source to artificial or published data but through a release (else 3, "
    "with the\n"
    "           way that it found). Prints the graph. DIR: the project's folder (default: .)\n"
    "  export, import, releases\n"
    "           a version of the project from one environment to another: 'adg project export --help' and so on\n"
    "\n"
    "  --dataset D      of the example: a built-in definition, or a definition file (default: hes)\n"
    "  --name NAME      of the project: letters, digits and underscores (default: the folder's name)\n"
    "  --report FILE    also a page with the graph\n"
    "  --quiet          nothing but results and errors\n"
    "  --help           this text\n";

struct arguments {
    const char *folder, *dataset, *name, *report;
};

/* ---- init -------------------------------------------------------------------------------------------------------- */

static bool is_name(const char *text)
{
    return *text != '\0' && strlen(text) <= 127 &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == strlen(text);
}

/* The folder's own name, with underscores for what no name has. */
static enum adg_status name_of_folder(const char *folder, char out[128], struct adg_error *error)
{
    char path[PATH_MAX];
    enum adg_status status = adg_project_resolve(folder, path, error);
    if (status != ADG_OK) {
        return status;
    }
    const char *last = strrchr(path, '/') + 1;
    snprintf(out, 128, "%.127s", *last != '\0' ? last : "project");
    for (char *at = out; *at != '\0'; at++) {
        bool letter = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || (*at >= '0' && *at <= '9');
        *at = letter ? *at : '_';
    }
    return ADG_OK;
}

/* A path of the command line, for a file that lies in the project's folder: absolute, in quotes of YAML. */
static enum adg_status quoted_dataset(const char *dataset, struct adg_buffer *out, struct adg_error *error)
{
    char path[PATH_MAX];
    if (!adg_definition_is_file(dataset)) {
        return adg_buffer_append_text(out, dataset, error);
    }
    if (realpath(dataset, path) == NULL || strpbrk(path, "\n'") != NULL) {
        return adg_fail(error, ADG_FAILED, "definition file %s cannot be found, or has a name that cannot be written",
                        dataset);
    }
    return adg_buffer_printf(out, error, "'%s'", path);
}

static enum adg_status fill_example(const char *name, const char *dataset, struct adg_buffer *out,
                                    struct adg_error *error)
{
    static const char *const marks[] = {"@PROJECT@", "@DATASET@"};
    const char *at = adg_project_examples[0].text, *texts[] = {name, dataset};
    enum adg_status status = ADG_OK;
    while (status == ADG_OK && *at != '\0') {
        size_t plain = strcspn(at, "@");
        status = adg_buffer_append(out, at, plain, error);
        at += plain;
        int mark = -1;
        for (int i = 0; i < 2; i++) {
            mark = strncmp(at, marks[i], strlen(marks[i])) == 0 ? i : mark;
        }
        if (status == ADG_OK && *at != '\0') {
            status = mark < 0 ? adg_buffer_append(out, at, 1, error) : adg_buffer_append_text(out, texts[mark], error);
            at += mark < 0 ? 1 : strlen(marks[mark]);
        }
    }
    return status;
}

static enum adg_status init(const struct arguments *arguments, struct adg_error *error)
{
    char name[128];
    struct adg_definition *definition = NULL;
    struct adg_buffer text = {0}, dataset = {0};
    char *path = adg_path_join(arguments->folder, ADG_PROJECT_FILE);
    enum adg_status status = path == NULL ? adg_fail_memory(error)
                                          : adg_definition_open(arguments->dataset, &definition, error);
    if (status == ADG_OK && access(path, F_OK) == 0) {
        status = adg_fail(error, ADG_FAILED, "%s is there already: it stays as it is", path);
    }
    if (status == ADG_OK) {
        snprintf(name, sizeof name, "%.127s", arguments->name != NULL ? arguments->name : "");
        status = arguments->name != NULL ? ADG_OK : name_of_folder(arguments->folder, name, error);
    }
    if (status == ADG_OK) {
        status = quoted_dataset(arguments->dataset, &dataset, error);
    }
    const char *written = status == ADG_OK ? adg_buffer_text(&dataset) : NULL;
    if (status == ADG_OK) {
        status = written == NULL ? adg_fail_memory(error) : fill_example(name, written, &text, error);
    }
    if (status == ADG_OK) {
        status = adg_folder_create(arguments->folder, error);
    }
    if (status == ADG_OK) {
        status = adg_file_write(path, text.data, text.size, error);
    }
    if (status == ADG_OK) {
        printf("%s\n", path);
    }
    adg_buffer_fini(&text);
    adg_buffer_fini(&dataset);
    adg_definition_free(definition);
    adg_free(path);
    return status;
}

/* ---- check ------------------------------------------------------------------------------------------------------- */

static void print_places(const struct adg_project *project, const struct adg_project_grant *grant)
{
    for (uint32_t i = 0; i < grant->count; i++) {
        printf("%s%s", i > 0 ? ", " : "", project->places[grant->places[i]].name);
    }
}

static void print_graph(const struct adg_project *project)
{
    printf("project %s\n", project->name);
    for (uint32_t j = 0; j < project->job_count; j++) {
        const struct adg_project_job *job = &project->jobs[j];
        const struct adg_project_grant *reads = &job->grants[ADG_GRANT_READS], *writes = &job->grants[ADG_GRANT_WRITES],
                                       *amends = &job->grants[ADG_GRANT_AMENDS];
        fputs("  ", stdout);
        print_places(project, reads);
        printf("%s-[%s]", reads->count > 0 ? " " : "", job->name);
        if (writes->count > 0) {
            fputs("-> ", stdout);
            print_places(project, writes);
        }
        if (amends->count > 0) {
            fputs(writes->count > 0 ? ", <-> " : "<-> ", stdout);
            print_places(project, amends);
        }
        putchar('\n');
    }
    for (uint32_t e = 0; e < project->environment_count; e++) {
        const struct adg_project_environment *environment = &project->environments[e];
        printf("environment %s\n", environment->name);
        for (uint32_t p = 0; p < project->place_count; p++) {
            printf("  %s (%s): %s\n", project->places[p].name, adg_place_kind_names[project->places[p].kind],
                   environment->addresses[p].text);
        }
        printf("  trusted keys: %s\n", environment->trust.text);
    }
    puts("isolated: nothing gets from a source to artificial or published data but through a release");
}

static enum adg_status check(const struct arguments *arguments, struct adg_error *error)
{
    struct adg_project *project = NULL;
    struct adg_buffer page = {0};
    enum adg_status status = adg_project_open(arguments->folder, &project, error);
    if (status == ADG_OK) {
        status = adg_project_prove(project, error);
    }
    if (status == ADG_OK && arguments->report != NULL) {
        status = adg_report_project(project, &page, error);
        if (status == ADG_OK) {
            status = adg_file_write(arguments->report, page.data, page.size, error);
        }
    }
    if (status == ADG_OK) {
        print_graph(project);
    }
    adg_buffer_fini(&page);
    adg_project_free(project);
    return status;
}

/* ------------------------------------------------------------------------------------------------------------------ */

static int run(int argc, char **argv)
{
    static const struct {
        const char *word;
        int (*run)(int argc, char **argv);
    } others[] = {
        {"export", adg_cli_project_export}, {"import", adg_cli_project_import}, {"releases", adg_cli_project_releases}};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (argc > 1 && strcmp(argv[1], others[i].word) == 0) {
            return others[i].run(argc - 1, argv + 1);
        }
    }
    const char *words[2] = {NULL, NULL};
    struct arguments arguments = {0};
    uint32_t count = 0;
    bool help = false;
    struct adg_error error = {{0}};
    struct adg_option options[] = {
        {.name = "dataset", .kind = ADG_OPTION_TEXT, .target = &arguments.dataset},
        {.name = "name", .kind = ADG_OPTION_TEXT, .target = &arguments.name},
        {.name = "report", .kind = ADG_OPTION_TEXT, .target = &arguments.report},
    };
    enum adg_status status = adg_cli_parse(argc, argv, options, sizeof options / sizeof options[0], words, 2, &count,
                                           &help, &error);
    if (status == ADG_OK && help) {
        fputs(usage, stdout);
        return 0;
    }
    bool is_init = count == 2 && strcmp(words[0], "init") == 0, is_check = count > 0 && strcmp(words[0], "check") == 0;
    if (status == ADG_OK && !is_init && !is_check) {
        status = adg_fail(&error, ADG_USAGE, "expected: init DIR, check, export, import or releases");
    }
    if (status == ADG_OK && is_init && arguments.report != NULL) {
        status = adg_fail(&error, ADG_USAGE, "option --report is for check");
    }
    if (status == ADG_OK && is_check && (arguments.dataset != NULL || arguments.name != NULL)) {
        status = adg_fail(&error, ADG_USAGE, "options --dataset and --name are for init");
    }
    if (status == ADG_OK && arguments.name != NULL && !is_name(arguments.name)) {
        status = adg_fail(&error, ADG_USAGE, "option --name: expected letters, digits and underscores");
    }
    if (status == ADG_OK) {
        arguments.folder = words[1] != NULL ? words[1] : ".";
        arguments.dataset = arguments.dataset != NULL ? arguments.dataset : "hes";
        status = is_init ? init(&arguments, &error) : check(&arguments, &error);
    }
    return status == ADG_OK ? 0 : adg_cli_fail("project", status, &error);
}

const struct adg_command adg_command_project = {
    .name = "project", .summary = "describe places and jobs, and prove their isolation", .usage = usage, .run = run};
