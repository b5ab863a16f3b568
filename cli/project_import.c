/*
 * adg project import: a version of a project into an environment.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "confine.h"
#include "core/file.h"
#include "core/memory.h"
#include "project.h"
#include "project/graph.h"
#include "project_places.h"
#include "promote/promote.h"

static const char usage[] =
    "usage: adg project import ARCHIVE --env E [OPTION]...\n"
    "\n"
    "Puts a version of a project, as adg project export wrote it, into an environment: project.yaml, definitions, the "
    "store of\n"
    "released metadata. The archive is verified whole before anything of it is used, and so are the signatures in its "
    "store.\n"
    "What would change is printed, a line each: new, replaced or backup (a release that the archive does not have), a "
    "tab, and\n"
    "the path. Before anything is overwritten a person types the project's name. What is overwritten stays beside it "
    "as\n"
    "NAME.backup-TIME. An import that was interrupted is ended by the next one. The last line of the result is the "
    "version.\n"
    "\n"
    "  --env E               the environment whose store is replaced\n"
    "  --confirm NAME        the project's name, instead of being asked for it\n"
    "  --project DIR         the project's folder (default: the working directory)\n" ADG_SANDBOX_USAGE
    "  --quiet               nothing but results and errors\n"
    "  --help                this text\n";

struct arguments {
    const char *archive, *environment, *confirm, *folder;
    int sandbox;
};

/* The project that is there, or NULL; it must have the archive's name. */
static enum adg_status open_project_there(const char *folder, const char *name, struct adg_project **out,
                                          struct adg_error *error)
{
    struct adg_project *there = NULL;
    char *path = adg_path_join(folder, ADG_PROJECT_FILE);
    enum adg_status status = path == NULL ? adg_fail_memory(error) : ADG_OK;
    if (status == ADG_OK && access(path, F_OK) == 0) {
        status = adg_project_open(folder, &there, error);
    }
    if (there != NULL && strcmp(there->name, name) != 0) {
        status = adg_fail(error, ADG_BAD_INPUT, "folder %s has project %s, the archive has project %s", folder,
                          there->name, name);
        adg_project_free(there);
        there = NULL;
    }
    *out = there;
    adg_free(path);
    return status;
}

/* Whose signatures count: as the project that is there says, not as the archive does, where that can be. */
static const char *trust_there(const struct adg_project *there, const char *environment, const char *otherwise)
{
    const struct adg_project_environment *found = NULL;
    struct adg_error none;
    return there != NULL && adg_project_find_environment(there, environment, &found, &none) == ADG_OK
               ? found->trust.path
               : otherwise;
}

/* Whoever made the archive says which definitions are in it, and nothing else may be: no trusted key, no table. */
static enum adg_status check_files(const struct adg_archive *archive, const struct adg_project *project,
                                   struct adg_arena *arena, struct adg_error *error)
{
    const char **definitions = NULL;
    uint32_t count = 0;
    enum adg_status status = adg_cli_find_definitions(project, arena, &definitions, &count, error);
    for (uint32_t i = 0; i < archive->count && status == ADG_OK; i++) {
        bool known = &archive->files[i] == adg_promote_find(archive, ADG_PROJECT_FILE) ||
                     strncmp(archive->files[i].name, ADG_PROMOTE_STORE, strlen(ADG_PROMOTE_STORE)) == 0;
        for (uint32_t d = 0; d < count && !known; d++) {
            known = &archive->files[i] == adg_promote_find(archive, definitions[d]);
        }
        if (!known) {
            status = adg_fail(error, ADG_BAD_INPUT, "it holds %s, which is no file that its project names",
                              archive->files[i].name);
        }
    }
    return status;
}

static void show(const struct adg_changes *changes)
{
    static const char *const words[] = {
        [ADG_CHANGE_NEW] = "new", [ADG_CHANGE_REPLACED] = "replaced", [ADG_CHANGE_BACKED_UP] = "backup"};
    for (uint32_t i = 0; i < changes->count; i++) {
        printf("%s\t%s\n", words[changes->list[i].kind], changes->list[i].path);
    }
    fflush(stdout); /* before the question */
}

/* Asks until the name is right. */
static enum adg_status confirm(const char *given, const char *name, struct adg_error *error)
{
    enum { LONGEST_NAME = 256 };
    char line[LONGEST_NAME];
    if (given != NULL) {
        return strcmp(given, name) == 0
                   ? ADG_OK
                   : adg_fail(error, ADG_USAGE, "option --confirm: expected the project's name; nothing was changed");
    }
    if (!isatty(STDIN_FILENO)) {
        return adg_fail(error, ADG_USAGE,
                        "something would be overwritten: say --confirm with the project's name; nothing was changed");
    }
    do {
        fputs("Type the project's name to overwrite these: ", stderr);
        if (!adg_cli_read_line(STDIN_FILENO, line, sizeof line)) {
            return adg_fail(error, ADG_FAILED, "not confirmed; nothing was changed");
        }
    } while (strcmp(line, name) != 0);
    return ADG_OK;
}

static enum adg_status import(const struct arguments *arguments, const struct adg_archive *archive,
                              const struct adg_project *project, const struct adg_project *there,
                              struct adg_error *error)
{
    struct adg_cli_promotion to = {0};
    struct adg_changes changes = {0};
    struct adg_trust trust = {0};
    char parent[PATH_MAX];
    enum adg_status status = adg_cli_find_promotion(project, arguments->environment, &to, error);
    if (status == ADG_OK) {
        to.trust = trust_there(there, arguments->environment, to.trust);
        adg_cli_parent(to.promotion.store, parent);
        const struct adg_place places[] = {
            {arguments->folder, ADG_MAY_WRITE}, {parent, ADG_MAY_WRITE}, {to.trust, ADG_MAY_READ}};
        status = adg_cli_confine(arguments->sandbox, places, sizeof places / sizeof places[0], error);
    }
    if (status == ADG_OK) {
        status = adg_trust_read(to.trust, &trust, error);
    }
    if (status == ADG_OK) {
        to.promotion.trust = &trust;
        status = adg_promote_compare(&to.promotion, archive, &changes, error);
    }
    if (status == ADG_OK) {
        show(&changes);
        if (changes.count == 0) {
            adg_cli_say("nothing changes");
        }
    }
    if (status == ADG_OK && changes.replaces) {
        status = confirm(arguments->confirm, project->name, error);
        to.promotion.may_replace = status == ADG_OK;
    }
    if (status == ADG_OK) {
        status = adg_promote_import(&to.promotion, archive, error);
    }
    if (status == ADG_OK) {
        printf("%s\n", archive->version);
    }
    adg_changes_fini(&changes);
    adg_trust_fini(&trust);
    return status;
}

/* The archive, and the project in it as it will be in its folder. */
static enum adg_status open_and_import(const struct arguments *arguments, struct adg_error *error)
{
    struct adg_buffer bytes = {0};
    struct adg_arena arena = {0};
    struct adg_archive archive = {0};
    struct adg_project *project = NULL, *there = NULL;
    enum adg_status status = adg_file_read(arguments->archive, &bytes, error);
    if (status == ADG_OK) {
        status = adg_archive_read((struct adg_span){bytes.data, bytes.size}, &arena, &archive, error);
    }
    if (status == ADG_OK) {
        const struct adg_archive_file *file = adg_promote_find(&archive, ADG_PROJECT_FILE);
        status = file == NULL ? adg_fail(error, ADG_BAD_INPUT, "it holds no %s", ADG_PROJECT_FILE)
                              : adg_project_parse(arguments->folder, file->data, &project, error);
    }
    if (status == ADG_OK) {
        status = adg_project_prove(project, error);
    }
    if (status == ADG_OK) {
        status = check_files(&archive, project, &arena, error);
    }
    if (status == ADG_OK && strcmp(project->name, archive.project) != 0) {
        status = adg_fail(error, ADG_BAD_INPUT, "its manifest names another project than its %s", ADG_PROJECT_FILE);
    }
    adg_context(error, status, "%s", arguments->archive);
    if (status == ADG_OK) {
        status = open_project_there(arguments->folder, project->name, &there, error);
    }
    if (status == ADG_OK) {
        status = import(arguments, &archive, project, there, error);
    }
    adg_project_free(there);
    adg_project_free(project);
    adg_arena_fini(&arena);
    adg_buffer_fini(&bytes);
    return status;
}

int adg_cli_project_import(int argc, char **argv)
{
    struct arguments arguments = {.folder = ".", .sandbox = ADG_SANDBOX_AUTO};
    uint32_t count = 0;
    bool help = false;
    struct adg_error error = {{0}};
    struct adg_option options[] = {
        {.name = "env", .kind = ADG_OPTION_TEXT, .target = &arguments.environment, .required = true},
        {.name = "confirm", .kind = ADG_OPTION_TEXT, .target = &arguments.confirm},
        {.name = "project", .kind = ADG_OPTION_TEXT, .target = &arguments.folder},
        {.name = "sandbox", .kind = ADG_OPTION_CHOICE, .target = &arguments.sandbox, .choices = adg_cli_sandboxes},
    };
    enum adg_status status = adg_cli_parse(argc, argv, options, sizeof options / sizeof options[0], &arguments.archive,
                                           1, &count, &help, &error);
    if (status == ADG_OK && help) {
        fputs(usage, stdout);
        return 0;
    }
    if (status == ADG_OK && count != 1) {
        status = adg_fail(&error, ADG_USAGE, "expected the archive to import");
    }
    if (status == ADG_OK) {
        status = open_and_import(&arguments, &error);
    }
    return status == ADG_OK ? 0 : adg_cli_fail("project import", status, &error);
}
