/*
 * From the process that starts a job to the job: confinement, then the program itself with the job's words.
 *
 * The kernel's rules add up. Here the process is given what the file grants the job and what any program needs to begin: its own
 * file, its interpreter, libraries. The command then gives up what it does not need of that, starting programs among it.
 */
#include <elf.h>
#include <errno.h>
#include <limits.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "confine.h"
#include "core/memory.h"
#include "job.h"
#include "target.h"

/* The dynamic loader, which the kernel opens as a program. */
static int find_interpreter(struct dl_phdr_info *info, size_t size, void *context)
{
    (void)size;
    const char **out = context;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        if (info->dlpi_phdr[i].p_type == PT_INTERP) {
            *out = (const char *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
            return 1;
        }
    }
    return 0;
}

struct grants {
    struct adg_place *places;
    uint32_t count;
};

static void grant(struct grants *grants, const char *path, enum adg_access access)
{
    if (path != NULL) {
        grants->places[grants->count++] = (struct adg_place){path, access};
    }
}

/* What the file says. A database that lies in a file is that file and what was written to it last. */
static void grant_places(const struct adg_job_start *start, struct grants *grants, const char *written_last)
{
    for (int g = 0; g < ADG_GRANTS; g++) {
        const struct adg_project_grant *granted = &start->job->grants[g];
        for (uint32_t i = 0; i < granted->count; i++) {
            const struct adg_address *address = &start->environment->addresses[granted->places[i]];
            grant(grants, address->path, g == ADG_GRANT_READS ? ADG_MAY_READ : ADG_MAY_WRITE);
        }
    }
    grant(grants, written_last, ADG_MAY_READ);
    struct stat info;
    const char *definition = start->line.files.definition;
    if (definition != NULL && stat(definition, &info) == 0 && S_ISREG(info.st_mode)) { /* not all of a folder */
        grant(grants, definition, ADG_MAY_READ);
    }
    grant(grants, start->line.files.trust, ADG_MAY_READ);
}

/* The source, where it is a database: its driver, and whether it is somewhere else. */
static enum adg_status find_target(const struct adg_job_start *start, struct adg_arena *arena,
                                   struct adg_target *target, struct adg_error *error)
{
    const struct adg_project_place *place = adg_project_place_of(start->project, start->job, ADG_GRANT_READS,
                                                                 ADG_PLACE_SOURCE);
    if (start->job->command != ADG_JOB_SCRAPE || place == NULL) {
        return ADG_OK;
    }
    const char *source = adg_project_address(start->project, start->environment, place)->value, *dialect = NULL;
    for (uint32_t i = 0; i + 1 < start->line.count; i++) {
        dialect = strcmp(start->line.words[i], "--dialect") == 0 ? start->line.words[i + 1] : dialect;
    }
    return adg_target_is(source) ? adg_cli_find_target(source, dialect, NULL, 0, arena, target, error) : ADG_OK;
}

/* execv() wants words that it might change. */
static bool copy_words(const struct adg_job_start *start, struct adg_arena *arena, char **words)
{
    uint32_t count = 0;
    bool good = (words[count++] = adg_arena_strdup(arena, "adg")) != NULL;
    for (uint32_t i = 0; i < start->line.count; i++) {
        good = (words[count++] = adg_arena_strdup(arena, start->line.words[i])) != NULL && good;
    }
    good = (words[count++] = adg_arena_strdup(arena, "--sandbox")) != NULL && good;
    return (words[count] = adg_arena_strdup(arena, adg_cli_sandboxes[start->sandbox])) != NULL && good;
}

enum adg_status adg_job_become(const struct adg_job_start *start, struct adg_error *error)
{
    static const char *const system_places[] = {
        "/usr/lib",       "/lib",       "/lib64",         "/etc/ld.so.cache",
        "/proc/meminfo",  "/proc/self", "/sys/fs/cgroup", "/sys/devices/system/cpu",
        ADG_ENGINE_FOLDER};
    enum { SYSTEM = sizeof system_places / sizeof system_places[0], OTHERS = 8 };
    char program[PATH_MAX], folder[PATH_MAX], beside[PATH_MAX + 16];
    const char *interpreter = NULL;
    struct adg_target target = {0};
    struct adg_arena arena = {0};
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    if (length <= 0) {
        return adg_fail_errno(error, errno, "the program's own file cannot be found");
    }
    program[length] = '\0';
    adg_cli_parent(program, folder);
    snprintf(beside, sizeof beside, "%s/../lib/adg", folder);
    dl_iterate_phdr(find_interpreter, &interpreter);

    enum adg_status status = find_target(start, &arena, &target, error);
    uint32_t more = 0, files = 0;
    const char *database[2] = {NULL, NULL};
    while (status == ADG_OK && target.places != NULL && target.places[more] != NULL) {
        more++;
    }
    if (status == ADG_OK && target.file != NULL) {
        status = adg_target_files(&target, &arena, database, &files, error);
    }
    struct grants grants = {0};
    uint32_t room = SYSTEM + OTHERS + more;
    for (int g = 0; g < ADG_GRANTS; g++) {
        room += start->job->grants[g].count;
    }
    grants.places = adg_arena_array(&arena, room, sizeof *grants.places);
    char **words = adg_arena_array(&arena, start->line.count + (size_t)5, sizeof *words);
    if (status == ADG_OK && (grants.places == NULL || words == NULL)) {
        status = adg_fail_memory(error);
    }
    if (status == ADG_OK) {
        grant(&grants, program, ADG_MAY_START);
        grant(&grants, interpreter, ADG_MAY_START);
        grant(&grants, beside, ADG_MAY_READ);
        for (uint32_t i = 0; i < SYSTEM; i++) {
            grant(&grants, system_places[i], ADG_MAY_READ);
        }
        for (uint32_t i = 0; i < more; i++) {
            grant(&grants, target.places[i], ADG_MAY_READ);
        }
        grant_places(start, &grants, files > 1 ? database[1] : NULL);
        status = adg_confine((enum adg_sandbox)start->sandbox, grants.places, grants.count,
                             target.places != NULL ? ADG_MAY_CONNECT : ADG_NO_NETWORK, adg_cli_warn_of, NULL, error);
    }
    if (status == ADG_OK) {
        errno = ENOMEM;
        if (copy_words(start, &arena, words)) {
            execv(program, words);
        }
        status = adg_fail_errno(error, errno, "%s cannot be started", program);
    }
    adg_arena_fini(&arena);
    return status;
}
