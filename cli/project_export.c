/*
 * adg project export and adg project releases: a version of a project, and which environment has which.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "adg_version.h"
#include "cli.h"
#include "confine.h"
#include "core/file.h"
#include "dataset/dataset.h"
#include "project.h"
#include "project_places.h"
#include "promote/promote.h"
#include "promote/versions.h"

static const char export_usage[] =
    "usage: adg project export --env E --to ARCHIVE [OPTION]...\n"
    "\n"
    "Writes a version of the project, as it is in an environment, into one file: project.yaml, the definitions that "
    "its "
    "jobs\n"
    "name, and the store of released metadata, whose signatures are verified before. Nothing of a source, no metadata "
    "that\n"
    "nobody has released. The file is a tar archive, the same bytes for the same version. The result is the version "
    "on\n"
    "standard output: the hash of what is in the archive.\n"
    "\n"
    "  --env E               the environment whose store is exported\n"
    "  --to ARCHIVE          the file to write\n"
    "  --project DIR         the project's folder (default: the working directory)\n" ADG_SANDBOX_USAGE
    "  --quiet               nothing but results and errors\n"
    "  --help                this text\n";

static const char releases_usage[] =
    "usage: adg project releases [OPTION]...\n"
    "\n"
    "Lists the version that each environment has, latest first: when it got there (UTC), the environment, the version, "
    "and the\n"
    "environment that it was exported from, with tabs between them.\n"
    "\n"
    "  --project DIR         the project's folder (default: the working directory)\n"
    "  --quiet               nothing but results and errors\n"
    "  --help                this text\n";

enum adg_status adg_cli_find_promotion(const struct adg_project *project, const char *environment,
                                       struct adg_cli_promotion *out, struct adg_error *error)
{
    const struct adg_project_environment *found = NULL;
    const struct adg_project_place *store = NULL;
    uint32_t stores = 0;
    enum adg_status status = adg_project_find_environment(project, environment, &found, error);
    for (uint32_t i = 0; i < project->place_count; i++) {
        if (project->places[i].kind == ADG_PLACE_STORE) {
            store = &project->places[i];
            stores++;
        }
    }
    if (status == ADG_OK && stores != 1) {
        status = adg_fail(error, ADG_BAD_INPUT, "%s: expected one place that is a store, to export and import",
                          project->file);
    }
    if (status == ADG_OK) {
        *out = (struct adg_cli_promotion){.trust = found->trust.path,
                                          .promotion = {.folder = project->folder,
                                                        .project = project->name,
                                                        .environment = found->name,
                                                        .store = adg_project_address(project, found, store)->path,
                                                        .now_utc = (int64_t)time(NULL)}};
    }
    return status;
}

static bool ends_in_yaml(const char *name)
{
    size_t length = strlen(name);
    return (length > 5 && strcmp(name + length - 5, ".yaml") == 0) ||
           (length > 4 && strcmp(name + length - 4, ".yml") == 0);
}

enum adg_status adg_cli_find_definitions(const struct adg_project *project, struct adg_arena *arena, const char ***out,
                                         uint32_t *count, struct adg_error *error)
{
    const char **names = adg_arena_array(arena, (size_t)project->job_count + 1, sizeof *names);
    if (names == NULL) {
        return adg_fail_memory(error);
    }
    uint32_t found = 0;
    for (uint32_t i = 0; i < project->job_count; i++) {
        const struct adg_project_job *job = &project->jobs[i];
        for (uint32_t d = 0; d < job->default_count; d++) {
            const char *value = strcmp(job->defaults[d].parameter->name, "dataset") == 0 ? job->defaults[d].values[0]
                                                                                         : NULL;
            uint32_t at = 0;
            while (value != NULL && at < found && strcmp(names[at], value) != 0) {
                at++;
            }
            if (value != NULL && at == found && adg_definition_is_file(value)) {
                names[found++] = strncmp(value, "./", 2) == 0 ? value + 2 : value;
                if (!ends_in_yaml(value)) {
                    return adg_fail(error, ADG_BAD_INPUT,
                                    "definition %s: expected a file that ends in .yaml or .yml, to export and import",
                                    value);
                }
            }
        }
    }
    *out = names;
    *count = found;
    return ADG_OK;
}

static enum adg_status export(const char *folder, const char *environment, const char *to, int sandbox,
                              char version[65], struct adg_error *error) {
    struct adg_project *project = NULL; struct adg_cli_promotion from = {0}; struct adg_trust trust = {0};
    struct adg_arena arena = {0}; struct adg_buffer archive = {0}; const char **definitions = NULL; uint32_t count = 0;
    char parent[PATH_MAX]; adg_cli_parent(to, parent);
    enum adg_status status = adg_project_open(folder, &project, error);
    if (status == ADG_OK){status = adg_cli_find_promotion(project, environment, &from, error);}
if (status == ADG_OK)
{
    status = adg_cli_find_definitions(project, &arena, &definitions, &count, error);
}
if (status == ADG_OK) {
    const struct adg_place places[] = {{folder, ADG_MAY_WRITE},
                                       {from.promotion.store, ADG_MAY_WRITE},
                                       {from.trust, ADG_MAY_READ},
                                       {parent, ADG_MAY_WRITE}};
    status = adg_cli_confine(sandbox, places, sizeof places / sizeof places[0], error);
}
if (status == ADG_OK) {
    status = adg_trust_read(from.trust, &trust, error);
}
if (status == ADG_OK) {
    from.promotion.trust = &trust;
    status = adg_promote_export(&from.promotion, definitions, count, ADG_VERSION, &archive, version, error);
}
if (status == ADG_OK) {
    status = adg_file_write(to, archive.data, archive.size, error);
}
adg_buffer_fini(&archive);
adg_trust_fini(&trust);
adg_arena_fini(&arena);
adg_project_free(project);
return status;
}

int adg_cli_project_export(int argc, char **argv)
{
    const char *folder = ".", *environment = NULL, *to = NULL;
    int sandbox = ADG_SANDBOX_AUTO;
    bool help = false;
    char version[65] = "";
    struct adg_error error = {{0}};
    struct adg_option options[] = {
        {.name = "env", .kind = ADG_OPTION_TEXT, .target = &environment, .required = true},
        {.name = "to", .kind = ADG_OPTION_TEXT, .target = &to, .required = true},
        {.name = "project", .kind = ADG_OPTION_TEXT, .target = &folder},
        {.name = "sandbox", .kind = ADG_OPTION_CHOICE, .target = &sandbox, .choices = adg_cli_sandboxes},
    };
    enum adg_status status = adg_cli_parse(argc, argv, options, sizeof options / sizeof options[0], NULL, 0, NULL,
                                           &help, &error);
    if (status == ADG_OK && help) {
        fputs(export_usage, stdout);
        return 0;
    }
    if (status == ADG_OK) {
        status = export(folder, environment, to, sandbox, version, &error);
    }
    if (status == ADG_OK) {
        printf("%s\n", version);
    }
    return status == ADG_OK ? 0 : adg_cli_fail("project export", status, &error);
}

int adg_cli_project_releases(int argc, char **argv)
{
    const char *folder = ".";
    bool help = false;
    struct adg_error error = {{0}};
    struct adg_arena arena = {0};
    struct adg_project *project = NULL;
    struct adg_version *versions = NULL;
    uint32_t count = 0;
    struct adg_option options[] = {{.name = "project", .kind = ADG_OPTION_TEXT, .target = &folder}};
    enum adg_status status = adg_cli_parse(argc, argv, options, 1, NULL, 0, NULL, &help, &error);
    if (status == ADG_OK && help) {
        fputs(releases_usage, stdout);
        return 0;
    }
    if (status == ADG_OK) { /* that there is one; a folder of anything else has no versions to list */
        status = adg_project_open(folder, &project, &error);
    }
    if (status == ADG_OK) {
        status = adg_versions_read(folder, &arena, &versions, &count, &error);
    }
    if (status == ADG_OK) {
        adg_versions_latest(versions, &count);
        for (uint32_t i = 0; i < count; i++) {
            printf("%s\t%s\t%s\t%s\n", versions[i].utc, versions[i].environment, versions[i].version, versions[i].from);
        }
    }
    adg_project_free(project);
    adg_arena_fini(&arena);
    return status == ADG_OK ? 0 : adg_cli_fail("project releases", status, &error);
}
