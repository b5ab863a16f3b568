/*
 * Whether there is anything to do: what a job is made from, and what its last run that succeeded made.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "adg_version.h"
#include "core/file.h"
#include "core/memory.h"
#include "govern/store.h"
#include "job.h"
#include "metadata/folder.h"
#include "project/listing.h"

#define DONE_FILE "done.json"

/* What lies in the places of one grant. What a database holds cannot be seen from outside: *known becomes false. */
static enum adg_status list_places(const struct adg_job_start *start, enum adg_grant_kind kind, struct adg_buffer *out,
                                   bool *known, struct adg_error *error)
{
    const struct adg_project_grant *grant = &start->job->grants[kind];
    enum adg_status status = ADG_OK;
    for (uint32_t i = 0; i < grant->count && status == ADG_OK; i++) {
        const struct adg_address *address = &start->environment->addresses[grant->places[i]];
        bool folder = address->path != NULL && strcmp(address->path, address->value) == 0;
        *known = *known && folder;
        if (folder) {
            status = adg_listing_append(address->path, start->project->places[grant->places[i]].name, out, error);
        }
    }
    return status;
}

enum adg_status adg_job_list_inputs(const struct adg_job_start *start, struct adg_buffer *out, struct adg_error *error)
{
    const struct adg_command_line *line = &start->line;
    bool known = true;
    enum adg_status status = adg_buffer_printf(out, error, "adg %s %s\n", ADG_VERSION, ADG_COMMIT);
    for (uint32_t i = 0; i < line->count && status == ADG_OK; i++) {
        bool said_anew = line->confirmation > 0 && i == line->confirmation;
        status = adg_buffer_printf(out, error, "%s\n", said_anew ? "" : line->words[i]);
    }
    if (status == ADG_OK) {
        status = list_places(start, ADG_GRANT_READS, out, &known, error);
    }
    if (status == ADG_OK && line->files.definition != NULL) {
        status = adg_listing_append(line->files.definition, "definition", out, error);
    }
    if (status == ADG_OK && line->files.trust != NULL) {
        status = adg_listing_append(line->files.trust, "trust", out, error);
    }
    if (!known) {
        out->size = 0;
    }
    return status;
}

static enum adg_status is_made(const struct adg_job_start *start, const char *folder, const struct adg_buffer *inputs,
                               bool *done, struct adg_error *error)
{
    char *path = adg_path_join(folder, DONE_FILE);
    if (path == NULL) {
        return adg_fail_memory(error);
    }
    json_t *last = json_load_file(path, 0, NULL);
    adg_free(path);
    const char *made_from = json_string_value(json_object_get(last, "inputs_sha256")),
               *writes = json_string_value(json_object_get(last, "writes")),
               *amends = json_string_value(json_object_get(last, "amends"));
    struct adg_buffer written = {0}, amended = {0};
    char sha256[65];
    bool known = true;
    enum adg_status status = ADG_OK;
    *done = false;
    if (made_from != NULL && writes != NULL && amends != NULL && inputs->size > 0) {
        adg_sha256_hex(inputs->data, inputs->size, sha256);
        status = list_places(start, ADG_GRANT_WRITES, &written, &known, error);
        if (status == ADG_OK) {
            status = list_places(start, ADG_GRANT_AMENDS, &amended, &known, error);
        }
        const struct adg_span had = {(const uint8_t *)writes, strlen(writes)},
                              found = {(const uint8_t *)amends, strlen(amends)};
        /* others may have added to what it wrote; of what it amends, all was its input */
        *done = status == ADG_OK && strcmp(sha256, made_from) == 0 && had.size + found.size > 0 &&
                adg_listing_within(had, (struct adg_span){written.data, written.size}) &&
                adg_span_compare(found, (struct adg_span){amended.data, amended.size}) == 0;
    }
    adg_buffer_fini(&written);
    adg_buffer_fini(&amended);
    json_decref(last);
    return status;
}

enum adg_status adg_job_write_done(const struct adg_job_start *start, const char *folder, const char *id,
                                   const struct adg_buffer *inputs, struct adg_error *error)
{
    struct adg_buffer written = {0}, amended = {0};
    char sha256[65];
    bool known = true;
    enum adg_status status = list_places(start, ADG_GRANT_WRITES, &written, &known, error);
    if (status == ADG_OK) {
        status = list_places(start, ADG_GRANT_AMENDS, &amended, &known, error);
    }
    if (status == ADG_OK && inputs->size > 0) {
        adg_sha256_hex(inputs->data, inputs->size, sha256);
        json_t *done = json_pack("{s:s, s:s, s:s%, s:s%}", "run", id, "inputs_sha256", sha256, "writes",
                                 written.data != NULL ? (const char *)written.data : "", written.size, "amends",
                                 amended.data != NULL ? (const char *)amended.data : "", amended.size);
        /* a name that is no UTF-8 cannot be kept: the job will then be done anew */
        status = done != NULL ? adg_record_write(folder, DONE_FILE, done, error) : ADG_OK;
        json_decref(done);
    }
    adg_buffer_fini(&written);
    adg_buffer_fini(&amended);
    return status;
}

/* Whether the store's last release is the one that would be made: a run may have been killed after it was. */
static enum adg_status is_released(const struct adg_job_start *start, bool *done, struct adg_error *error)
{
    const struct adg_project_place *from = adg_project_place_of(start->project, start->job, ADG_GRANT_READS,
                                                                ADG_PLACE_METADATA),
                                   *to = adg_project_place_of(start->project, start->job, ADG_GRANT_WRITES,
                                                              ADG_PLACE_STORE);
    if (start->job->command != ADG_JOB_RELEASE || from == NULL || to == NULL) {
        return ADG_OK;
    }
    const char *store = adg_project_address(start->project, start->environment, to)->path;
    char *manifest = adg_path_join(adg_project_address(start->project, start->environment, from)->path,
                                   ADG_PROJECT_METADATA "/" ADG_MANIFEST_FILE);
    char *path = adg_path_join(store, ADG_LOG_FILE);
    struct adg_log log = {0};
    char sha256[65];
    enum adg_status status = manifest == NULL || path == NULL ? adg_fail_memory(error) : ADG_OK;
    /* where either is missing, the command says so */
    if (status == ADG_OK && access(path, R_OK) == 0 && adg_file_sha256(manifest, sha256, NULL) == ADG_OK) {
        status = adg_log_read(store, &log, error);
        *done = status == ADG_OK && log.count > 0 &&
                strcmp(log.lines[log.count - 1].values[ADG_LOG_MANIFEST], sha256) == 0;
    }
    adg_log_fini(&log);
    adg_free(manifest);
    adg_free(path);
    return status;
}

enum adg_status adg_job_is_done(const struct adg_job_start *start, const char *folder, const struct adg_buffer *inputs,
                                bool *done, struct adg_error *error)
{
    enum adg_status status = is_made(start, folder, inputs, done, error);
    return status == ADG_OK && !*done ? is_released(start, done, error) : status;
}
