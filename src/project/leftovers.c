/*
 * Leftovers: see leftovers.h.
 */
#include "project/leftovers.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "core/memory.h"

static const struct {
    enum adg_job_command command;
    enum adg_grant_kind grant;
    enum adg_place_kind kind;
    const char *inner; /* folder within the place, or NULL */
    const char *prefix, *suffix;
} leftovers[] = {
    {ADG_JOB_SCRAPE, ADG_GRANT_WRITES, ADG_PLACE_METADATA, NULL, "." ADG_PROJECT_METADATA ".", ""},
    {ADG_JOB_SCRAPE, ADG_GRANT_WRITES, ADG_PLACE_METADATA, NULL, ".adg-spill.", ""},
    {ADG_JOB_SCRAPE, ADG_GRANT_WRITES, ADG_PLACE_METADATA, ADG_PROJECT_METADATA, ".", ".tmp"},
    {ADG_JOB_REVIEW, ADG_GRANT_AMENDS, ADG_PLACE_METADATA, ADG_PROJECT_METADATA, ".review.", ".tmp"},
    {ADG_JOB_REVIEW, ADG_GRANT_AMENDS, ADG_PLACE_METADATA, NULL, ".review.", ".tmp"},
    {ADG_JOB_GENERATE, ADG_GRANT_WRITES, ADG_PLACE_ARTIFICIAL, NULL, ".artificial_", ".tmp"},
    {ADG_JOB_GENERATE, ADG_GRANT_WRITES, ADG_PLACE_ARTIFICIAL, NULL, ".provenance.", ".tmp"},
    {ADG_JOB_QA, ADG_GRANT_AMENDS, ADG_PLACE_ARTIFICIAL, NULL, ".qa.", ".tmp"},
    {ADG_JOB_QA, ADG_GRANT_AMENDS, ADG_PLACE_ARTIFICIAL, NULL, ".adg-spill.", ""},
    {ADG_JOB_PUBLISH, ADG_GRANT_WRITES, ADG_PLACE_PUBLISHED, NULL, ".", ".tmp"},
};

static bool fits(const char *name, const char *prefix, const char *suffix)
{
    size_t length = strlen(name), first = strlen(prefix), last = strlen(suffix);
    return length >= first + last && strncmp(name, prefix, first) == 0 && strcmp(name + length - last, suffix) == 0;
}

static enum adg_status clean_folder(const char *folder, const char *prefix, const char *suffix, struct adg_error *error)
{
    DIR *entries = opendir(folder);
    if (entries == NULL) {
        return errno == ENOENT ? ADG_OK : adg_fail_errno(error, errno, "folder %s cannot be read", folder);
    }
    enum adg_status status = ADG_OK;
    const struct dirent *entry;
    while (status == ADG_OK && (entry = readdir(entries)) != NULL) {
        if (!fits(entry->d_name, prefix, suffix)) {
            continue;
        }
        char *path = adg_path_join(folder, entry->d_name);
        status = path == NULL ? adg_fail_memory(error) : adg_folder_remove(path, error);
        adg_free(path);
    }
    closedir(entries);
    return status;
}

enum adg_status adg_leftovers_remove(const struct adg_project *project,
                                     const struct adg_project_environment *environment,
                                     const struct adg_project_job *job, struct adg_error *error)
{
    enum adg_status status = ADG_OK;
    for (size_t i = 0; i < sizeof leftovers / sizeof leftovers[0] && status == ADG_OK; i++) {
        const struct adg_project_place *place = adg_project_place_of(project, job, leftovers[i].grant,
                                                                     leftovers[i].kind);
        if (leftovers[i].command != job->command || place == NULL) {
            continue;
        }
        const char *folder = adg_project_address(project, environment, place)->path;
        char *inner = leftovers[i].inner != NULL ? adg_path_join(folder, leftovers[i].inner) : NULL;
        if (leftovers[i].inner != NULL && inner == NULL) {
            status = adg_fail_memory(error);
        } else {
            status = clean_folder(inner != NULL ? inner : folder, leftovers[i].prefix, leftovers[i].suffix, error);
        }
        adg_free(inner);
    }
    return status;
}
