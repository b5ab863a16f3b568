/*
 * A run's tables as Delta tables: see destination.h.
 *
 *     <out>/artificial_<table>/part-IIIII-<32 digits>.parquet    data files, under names that no other run has
 *     <out>/artificial_<table>/_delta_log/<version>.json         the commit that makes them the table's
 *
 * What a table is was looked at before the first row is made; delta/write.h says how several runs get on that write to one table, for
 * which nothing is locked. Data files count when a commit names them, and so have no temporary names.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "core/file.h"
#include "core/memory.h"
#include "delta/write.h"
#include "run/describe.h"
#include "run/destination.h"
#include "run/provenance.h"

/* 8,388,608 rows: half a gigabyte of a table of 190 columns, which is what readers of Delta tables like. */
enum { FILE_PARTS = 64, UNIQUE_BYTES = 16, NAME_BYTES = 64 };

struct data_file {
    char name[NAME_BYTES];
    uint64_t rows, bytes;
    char *statistics;
};

struct place {
    char *folder;
    struct adg_described described;
    struct adg_delta_target target;
    bool target_open, published;
    unsigned char unique[UNIQUE_BYTES];
    struct data_file *files; /* the last one is being written while descriptor is not -1 */
    size_t file_count, file_capacity;
    int descriptor;
    char *path; /* of that file, or of the last one */
};

struct delta {
    struct adg_destination base;
    const struct adg_run_options *options;
    struct place *places;
    uint32_t count;
};

static struct delta *delta_of(struct adg_destination *destination)
{
    return (struct delta *)destination;
}

/* ---- before the run ---------------------------------------------------------------------------------------------- */

static enum adg_status delta_open(struct adg_destination *destination, struct adg_error *error)
{
    return adg_folder_create(delta_of(destination)->options->out_folder, error);
}

static enum adg_status find_table(const char *folder, bool *found, struct adg_error *error)
{
    struct adg_delta_log log;
    enum adg_status status = adg_delta_log_open(&log, folder, error);
    if (status == ADG_OK) {
        *found = log.version >= 0;
        adg_delta_log_fini(&log);
    }
    return status;
}

static enum adg_status delta_check(struct adg_destination *destination, const struct adg_destination_table *table,
                                   bool *skip, struct adg_error *error)
{
    struct delta *delta = delta_of(destination);
    struct place *place = &delta->places[table->number];
    const struct adg_layout *layout = adg_plan_layout(table->plan);
    const enum adg_if_exists if_exists = delta->options->if_exists;
    struct adg_buffer name = {0};
    enum adg_status status = adg_buffer_printf(&name, error, "artificial_%s", table->name);
    if (status == ADG_OK) {
        place->folder = adg_path_join(delta->options->out_folder, (char *)name.data);
        status = place->folder == NULL ? adg_fail_memory(error) : adg_described_init(&place->described, layout, error);
    }
    if (status == ADG_OK && if_exists == ADG_IF_EXISTS_IGNORE) {
        status = find_table(place->folder, skip, error);
    }
    if (status == ADG_OK && !*skip) {
        const enum adg_delta_mode mode = if_exists == ADG_IF_EXISTS_APPEND      ? ADG_DELTA_APPEND
                                         : if_exists == ADG_IF_EXISTS_OVERWRITE ? ADG_DELTA_OVERWRITE
                                                                                : ADG_DELTA_CREATE;
        status = adg_delta_target_open(&place->target, place->folder, mode, place->described.columns,
                                       layout->column_count, error);
        place->target_open = status == ADG_OK;
    }
    if (status == ADG_OK && getrandom(place->unique, UNIQUE_BYTES, 0) != UNIQUE_BYTES) {
        status = adg_fail_errno(error, errno, "no random bytes for the names of files");
    }
    adg_buffer_fini(&name);
    return status;
}

/* ---- data files -------------------------------------------------------------------------------------------------- */

static enum adg_status delta_begin(struct adg_destination *destination, const struct adg_destination_table *table,
                                   struct adg_destination_file *file, struct adg_error *error)
{
    struct place *place = &delta_of(destination)->places[table->number];
    char name[NAME_BYTES], unique[2 * UNIQUE_BYTES + 1];
    sodium_bin2hex(unique, sizeof unique, place->unique, UNIQUE_BYTES);
    snprintf(name, sizeof name, "part-%05zu-%s.parquet", place->file_count, unique);
    enum adg_status status = adg_folder_create(place->folder, error);
    if (status == ADG_OK && place->file_count == place->file_capacity) {
        struct data_file *larger = adg_grow_array(place->files, &place->file_capacity, 8, sizeof *larger);
        if (larger == NULL) {
            return adg_fail_memory(error);
        }
        place->files = larger;
    }
    if (status != ADG_OK) {
        return status;
    }
    adg_free(place->path);
    place->path = adg_path_join(place->folder, name);
    if (place->path == NULL) {
        return adg_fail_memory(error);
    }
    place->descriptor = open(place->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (place->descriptor < 0) {
        return adg_fail_errno(error, errno, "%s cannot be written", place->path);
    }
    struct data_file *made = &place->files[place->file_count++];
    *made = (struct data_file){0};
    memcpy(made->name, name, sizeof name);
    *file = (struct adg_destination_file){.descriptor = place->descriptor, .name = place->path};
    return ADG_OK;
}

/* What the sink knows of the file that it has finished. */
static enum adg_status describe_file(const struct place *place, const struct adg_destination_table *table,
                                     struct data_file *file, struct adg_error *error)
{
    struct adg_buffer text = {0};
    enum adg_status status = adg_describe_file(&place->described, table->operations, table->sink, &text, &file->rows,
                                               error);
    if (status == ADG_OK) {
        file->statistics = adg_strndup((const char *)text.data, text.size);
        status = file->statistics == NULL ? adg_fail_memory(error) : ADG_OK;
    }
    file->bytes = table->bytes;
    adg_buffer_fini(&text);
    return status;
}

static enum adg_status delta_end(struct adg_destination *destination, const struct adg_destination_table *table,
                                 struct adg_error *error)
{
    struct place *place = &delta_of(destination)->places[table->number];
    enum adg_status status = describe_file(place, table, &place->files[place->file_count - 1], error);
    if (status == ADG_OK && fsync(place->descriptor) != 0) {
        status = adg_fail_errno(error, errno, "%s cannot be synced", place->path);
    }
    int failed = close(place->descriptor) != 0 ? errno : 0;
    place->descriptor = -1;
    return status == ADG_OK && failed != 0 ? adg_fail_errno(error, failed, "%s cannot be closed", place->path) : status;
}

/* ---- the commit -------------------------------------------------------------------------------------------------- */

/* A random UUID's form. */
static enum adg_status make_table_id(char out[37], struct adg_error *error)
{
    unsigned char bytes[16];
    char digits[33];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes) {
        return adg_fail_errno(error, errno, "no random bytes for the table's id");
    }
    bytes[6] = (unsigned char)((bytes[6] & 0x0f) | 0x40);
    bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80);
    sodium_bin2hex(digits, sizeof digits, bytes, sizeof bytes);
    sprintf(out, "%.8s-%.4s-%.4s-%.4s-%.12s", digits, digits + 8, digits + 12, digits + 16, digits + 20);
    return ADG_OK;
}

static enum adg_status commit_files(const struct delta *delta, struct place *place,
                                    const struct adg_destination_table *table, struct adg_error *error)
{
    const struct adg_provenance provenance = adg_provenance_of(delta->options);
    const struct adg_provenance_entry entry = {.table = table->name, .rows = adg_plan_rows(table->plan)};
    struct adg_delta_file *files = adg_alloc_array(place->file_count, sizeof *files);
    json_t *said = adg_provenance_json(&provenance, &entry);
    char table_id[37];
    struct timespec now;
    int64_t version;
    enum adg_status status = files == NULL || said == NULL ? adg_fail_memory(error) : make_table_id(table_id, error);
    if (status == ADG_OK) {
        for (size_t i = 0; i < place->file_count; i++) {
            const struct data_file *file = &place->files[i];
            files[i] = (struct adg_delta_file){file->name, file->rows, file->bytes, file->statistics};
        }
        clock_gettime(CLOCK_REALTIME, &now);
        const struct adg_delta_commit commit = {.files = files,
                                                .file_count = (uint32_t)place->file_count,
                                                .time_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000,
                                                .table_id = table_id,
                                                .engine = delta->options->tool,
                                                .provenance = said};
        status = adg_delta_target_commit(&place->target, &commit, &place->published, &version, error);
    }
    json_decref(said);
    adg_free(files);
    return status;
}

static enum adg_status delta_commit(struct adg_destination *destination, const struct adg_destination_table *table,
                                    struct adg_error *error)
{
    const struct delta *delta = delta_of(destination);
    struct place *place = &delta->places[table->number];
    enum adg_status status = delta_end(destination, table, error);
    if (status == ADG_OK) {
        status = adg_folder_sync(place->folder, error);
    }
    if (status == ADG_OK) {
        status = adg_folder_sync(delta->options->out_folder, error);
    }
    return status == ADG_OK ? commit_files(delta, place, table, error) : status;
}

static const char *delta_place(const struct adg_destination *destination, uint32_t table)
{
    return ((const struct delta *)destination)->places[table].folder;
}

/* Data files that no commit names, and folders that nothing is in. */
static void discard(const struct place *place)
{
    for (size_t i = 0; i < place->file_count; i++) {
        char *path = adg_path_join(place->folder, place->files[i].name);
        if (path != NULL) {
            unlink(path);
        }
        adg_free(path);
    }
    if (place->target.log.version < 0) {
        rmdir(place->target.log.path);
        rmdir(place->folder);
    }
}

static void delta_close(struct adg_destination *destination)
{
    struct delta *delta = delta_of(destination);
    for (uint32_t t = 0; t < delta->count; t++) {
        struct place *place = &delta->places[t];
        if (place->descriptor >= 0) {
            close(place->descriptor);
        }
        if (place->target_open && !place->published) {
            discard(place);
        }
        for (size_t i = 0; i < place->file_count; i++) {
            adg_free(place->files[i].statistics);
        }
        if (place->target_open) {
            adg_delta_target_fini(&place->target);
        }
        adg_free(place->files);
        adg_described_fini(&place->described);
        adg_free(place->path);
        adg_free(place->folder);
    }
    adg_free(delta->places);
    adg_free(delta);
}

enum adg_status adg_destination_delta_new(const struct adg_run_options *options, uint32_t table_count,
                                          struct adg_destination **out, struct adg_error *error)
{
    static const struct adg_destination_operations operations = {.open = delta_open,
                                                                 .check = delta_check,
                                                                 .begin = delta_begin,
                                                                 .end = delta_end,
                                                                 .commit = delta_commit,
                                                                 .place = delta_place,
                                                                 .close = delta_close};
    if (options->sharded) {
        return adg_fail(error, ADG_USAGE, "shards are files; several runs can append to one Delta table");
    }
    struct delta *delta = adg_alloc(sizeof *delta);
    struct place *places = adg_alloc_zero(table_count, sizeof *places);
    if (delta == NULL || places == NULL) {
        adg_free(delta);
        adg_free(places);
        return adg_fail_memory(error);
    }
    for (uint32_t t = 0; t < table_count; t++) {
        places[t].descriptor = -1;
    }
    *delta = (struct delta){
        .base = {.operations = &operations, .file_parts = options->file_parts > 0 ? options->file_parts : FILE_PARTS},
        .options = options,
        .places = places,
        .count = table_count};
    *out = &delta->base;
    return ADG_OK;
}
