/*
 * Looking things up in a project: see project.h.
 */
#include <stdio.h>
#include <string.h>

#include "core/file.h"
#include "core/memory.h"
#include "project/project.h"

/* "a, b, c", cut where there are very many. */
struct names {
    char text[512];
    size_t used;
};

static void add_name(struct names *names, const char *name)
{
    int more = snprintf(names->text + names->used, sizeof names->text - names->used, "%s%s",
                        names->used > 0 ? ", " : "", name);
    names->used += (size_t)more < sizeof names->text - names->used ? (size_t)more : 0;
}

enum adg_status adg_project_find_environment(const struct adg_project *project, const char *name,
                                             const struct adg_project_environment **out, struct adg_error *error)
{
    struct names names = {{0}, 0};
    for (uint32_t i = 0; i < project->environment_count; i++) {
        if (strcmp(project->environments[i].name, name) == 0) {
            *out = &project->environments[i];
            return ADG_OK;
        }
        add_name(&names, project->environments[i].name);
    }
    return adg_fail(error, ADG_USAGE, "%s has no environment '%s'; it has %s", project->file, name, names.text);
}

enum adg_status adg_project_find_job(const struct adg_project *project, const char *name,
                                     const struct adg_project_job **out, struct adg_error *error)
{
    struct names names = {{0}, 0};
    for (uint32_t i = 0; i < project->job_count; i++) {
        if (strcmp(project->jobs[i].name, name) == 0) {
            *out = &project->jobs[i];
            return ADG_OK;
        }
        add_name(&names, project->jobs[i].name);
    }
    return adg_fail(error, ADG_USAGE, "%s has no job '%s'; it has %s", project->file, name, names.text);
}

const struct adg_project_place *adg_project_place_of(const struct adg_project *project,
                                                     const struct adg_project_job *job, enum adg_grant_kind grant,
                                                     enum adg_place_kind kind)
{
    for (uint32_t i = 0; i < job->grants[grant].count; i++) {
        const struct adg_project_place *place = &project->places[job->grants[grant].places[i]];
        if (place->kind == kind) {
            return place;
        }
    }
    return NULL;
}

const struct adg_address *adg_project_address(const struct adg_project *project,
                                              const struct adg_project_environment *environment,
                                              const struct adg_project_place *place)
{
    return &environment->addresses[place - project->places];
}

const char *adg_project_path(const struct adg_project *project, const char *path, struct adg_arena *arena)
{
    if (path[0] == '/') {
        return adg_arena_strdup(arena, path);
    }
    char *joined = adg_path_join(project->folder, path);
    const char *kept = joined != NULL ? adg_arena_strdup(arena, joined) : NULL;
    adg_free(joined);
    return kept;
}
