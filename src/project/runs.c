/*
 * Runs of jobs: see runs.h.
 *
 * A slot is a file that its run holds a lock on and has written its id into. Whoever takes one, or looks who has it, holds the lock
 * of the gate meanwhile, so that nobody sees a slot whose id is still that of a run before.
 */
#include "project/runs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "core/file.h"
#include "core/memory.h"
#include "core/strings.h"

enum { MOST_SLOTS = 10 };

/* ---- folders ----------------------------------------------------------------------------------------------------- */

static enum adg_status build_folder(const struct adg_project *project, const char *environment, const char *job,
                                    bool create, char **out, struct adg_error *error)
{
    const char *const parts[] = {ADG_PROJECT_STATE, "runs", environment, job};
    char *path = adg_strdup(project->folder);
    enum adg_status status = path == NULL ? adg_fail_memory(error) : ADG_OK;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0] && status == ADG_OK; i++) {
        char *longer = adg_path_join(path, parts[i]);
        adg_free(path);
        path = longer;
        status = path == NULL ? adg_fail_memory(error) : create ? adg_folder_create(path, error) : ADG_OK;
    }
    if (status != ADG_OK) {
        adg_free(path);
        return status;
    }
    *out = path;
    return ADG_OK;
}

enum adg_status adg_runs_folder(const struct adg_project *project, const char *environment, const char *job, char **out,
                                struct adg_error *error)
{
    return build_folder(project, environment, job, false, out, error);
}

enum adg_status adg_runs_folder_create(const struct adg_project *project, const char *environment, const char *job,
                                       char **out, struct adg_error *error)
{
    return build_folder(project, environment, job, true, out, error);
}

/* ---- slots ------------------------------------------------------------------------------------------------------- */

static int open_in(const char *folder, const char *name, int flags)
{
    char *path = adg_path_join(folder, name);
    int fd = path != NULL ? open(path, flags | O_NOFOLLOW, 0666) : -1;
    adg_free(path);
    return fd;
}

static bool read_id(int fd, char id[ADG_RUN_ID_BYTES])
{
    ssize_t got = pread(fd, id, ADG_RUN_ID_BYTES - 1, 0);
    id[got > 0 ? got : 0] = '\0';
    return got > 0;
}

/* One slot, under the gate's lock. */
static enum adg_status try_slot(const char *folder, uint32_t number, const char *id, struct adg_slot *slot,
                                char running[ADG_RUN_ID_BYTES], struct adg_error *error)
{
    char name[16];
    snprintf(name, sizeof name, "slot-%u", number);
    int fd = open_in(folder, name, O_RDWR | O_CREAT); /* not closed in children: they hold it, too */
    if (fd < 0) {
        return adg_fail_errno(error, errno, "folder %s cannot be written", folder);
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (running[0] == '\0') {
            read_id(fd, running);
        }
        close(fd);
        return ADG_OK;
    }
    size_t length = strlen(id);
    if (ftruncate(fd, 0) != 0 || pwrite(fd, id, length, 0) != (ssize_t)length) {
        enum adg_status status = adg_fail_errno(error, errno, "folder %s cannot be written", folder);
        close(fd);
        return status;
    }
    slot->fd = fd;
    return ADG_OK;
}

enum adg_status adg_slot_take(const char *folder, uint32_t count, const char *id, struct adg_slot *slot,
                              char running[ADG_RUN_ID_BYTES], struct adg_error *error)
{
    slot->fd = -1;
    running[0] = '\0';
    int gate = open_in(folder, "gate", O_RDWR | O_CREAT | O_CLOEXEC);
    if (gate < 0 || flock(gate, LOCK_EX) != 0) {
        enum adg_status status = adg_fail_errno(error, errno, "folder %s cannot be written", folder);
        if (gate >= 0) {
            close(gate);
        }
        return status;
    }
    enum adg_status status = ADG_OK;
    for (uint32_t i = 1; i <= count && slot->fd < 0 && status == ADG_OK; i++) {
        status = try_slot(folder, i, id, slot, running, error);
    }
    close(gate);
    return status;
}

void adg_slot_release(struct adg_slot *slot)
{
    if (slot->fd >= 0) {
        close(slot->fd);
    }
    slot->fd = -1;
}

/* Whether a run holds a slot. */
static bool is_running(const char *folder, const char *id)
{
    bool found = false;
    int gate = open_in(folder, "gate", O_RDWR | O_CLOEXEC);
    if (gate < 0 || flock(gate, LOCK_EX) != 0) {
        if (gate >= 0) {
            close(gate);
        }
        return false;
    }
    for (uint32_t i = 1; i <= MOST_SLOTS && !found; i++) {
        char name[16], there[ADG_RUN_ID_BYTES];
        snprintf(name, sizeof name, "slot-%u", i);
        int fd = open_in(folder, name, O_RDWR | O_CLOEXEC);
        if (fd < 0) {
            continue;
        }
        found = read_id(fd, there) && strcmp(there, id) == 0 && flock(fd, LOCK_EX | LOCK_NB) != 0;
        close(fd);
    }
    close(gate);
    return found;
}

/* ---- records ----------------------------------------------------------------------------------------------------- */

enum adg_status adg_record_write(const char *folder, const char *name, json_t *record, struct adg_error *error)
{
    char *path = adg_path_join(folder, name), *text = json_dumps(record, JSON_INDENT(1) | JSON_REAL_PRECISION(12));
    enum adg_status status = path == NULL || text == NULL ? adg_fail_memory(error)
                                                          : adg_file_write(path, text, strlen(text), error);
    free(text); /* jansson's own memory */
    adg_free(path);
    return status;
}

static bool is_id(const char *id)
{
    return *id != '\0' && strlen(id) < ADG_RUN_ID_BYTES && strspn(id, "0123456789TZ-") == strlen(id);
}

enum adg_status adg_record_read(const char *folder, const char *id, json_t **out, struct adg_error *error)
{
    char name[ADG_RUN_ID_BYTES + 8];
    snprintf(name, sizeof name, "%.*s.json", ADG_RUN_ID_BYTES, is_id(id) ? id : "");
    char *path = adg_path_join(folder, name);
    if (path == NULL) {
        return adg_fail_memory(error);
    }
    /* before the record: a run that ends in between has written its own end first */
    bool running = is_running(folder, id);
    json_t *record = is_id(id) ? json_load_file(path, JSON_REJECT_DUPLICATES, NULL) : NULL;
    const char *status = json_string_value(json_object_get(record, "status"));
    adg_free(path);
    if (status == NULL) {
        json_decref(record);
        return adg_fail(error, ADG_BAD_INPUT, "there is no record of a run %s", id);
    }
    if (strcmp(status, "running") == 0 && !running) {
        json_object_set_new(record, "status", json_string("failed"));
        json_object_set_new(record, "message", json_string("the run was killed; start it again"));
        json_object_set_new(record, "exit_code", json_integer(ADG_FAILED));
    }
    *out = record;
    return ADG_OK;
}

enum adg_status adg_runs_list(const char *folder, struct adg_arena *arena, const char *const **out, uint32_t *count,
                              struct adg_error *error)
{
    static const char ending[] = ".json";
    const char **ids = NULL;
    size_t found = 0, capacity = 0;
    DIR *entries = opendir(folder);
    enum adg_status status = entries == NULL && errno != ENOENT
                                 ? adg_fail_errno(error, errno, "folder %s cannot be read", folder)
                                 : ADG_OK;
    const struct dirent *entry;
    while (entries != NULL && status == ADG_OK && (entry = readdir(entries)) != NULL) {
        size_t length = strlen(entry->d_name);
        char id[ADG_RUN_ID_BYTES];
        if (length <= strlen(ending) || length - strlen(ending) >= sizeof id ||
            strcmp(entry->d_name + length - strlen(ending), ending) != 0) {
            continue;
        }
        snprintf(id, sizeof id, "%.*s", (int)(length - strlen(ending)), entry->d_name);
        if (!is_id(id)) {
            continue;
        }
        if (found == capacity) {
            const char **more = adg_grow_array(ids, &capacity, 16, sizeof *more);
            if (more == NULL) {
                status = adg_fail_memory(error);
                break;
            }
            ids = more;
        }
        ids[found] = adg_arena_strdup(arena, id);
        status = ids[found++] == NULL ? adg_fail_memory(error) : ADG_OK;
    }
    if (entries != NULL) {
        closedir(entries);
    }
    if (status == ADG_OK && found > 0) {
        qsort(ids, found, sizeof *ids, adg_compare_texts);
    }
    const char **kept = status == ADG_OK ? adg_arena_array(arena, found > 0 ? found : 1, sizeof *kept) : NULL;
    if (status == ADG_OK && kept == NULL) {
        status = adg_fail_memory(error);
    }
    if (status == ADG_OK) {
        memcpy(kept, ids != NULL ? ids : kept, found * sizeof *kept);
        *out = kept;
        *count = (uint32_t)found;
    }
    adg_free(ids);
    return status;
}
