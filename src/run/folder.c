/*
 * A run's files in a folder, or what goes to a descriptor: see destination.h.
 *
 * A file counts when it has its final name. provenance.json forgets about a table before its file is replaced, and is told
 * about it afterwards: a run that is killed in between leaves a file that nothing vouches for, never one that is
 * described as something else.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>

#include "core/file.h"
#include "core/memory.h"
#include "run/destination.h"
#include "run/output.h"
#include "run/provenance.h"

struct place {
    struct adg_output output;
    struct adg_atomic_file file;
    bool file_open;
};

struct folder {
    struct adg_destination base;
    const struct adg_run_options *options;
    const char *extension, *run;
    struct adg_folder_lock lock;
    pthread_mutex_t provenance; /* one thread at a time writes it */
    struct place *places;
    uint32_t count;
};

static struct folder *folder_of(struct adg_destination *destination)
{
    return (struct folder *)destination;
}

static enum adg_status folder_open(struct adg_destination *destination, struct adg_error *error)
{
    struct folder *folder = folder_of(destination);
    enum adg_status status = adg_folder_create(folder->options->out_folder, error);
    return status == ADG_OK ? adg_folder_lock(&folder->lock, folder->options->out_folder, error) : status;
}

static enum adg_status check_existing(const struct adg_run_options *options, const char *path, bool *skip,
                                      struct adg_error *error)
{
    struct stat info;
    if ((options->if_exists != ADG_IF_EXISTS_ERROR && options->if_exists != ADG_IF_EXISTS_IGNORE) ||
        stat(path, &info) != 0) {
        return ADG_OK;
    }
    *skip = options->if_exists == ADG_IF_EXISTS_IGNORE;
    return *skip ? ADG_OK : adg_fail(error, ADG_FAILED, "%s is there; --if-exists overwrite replaces it", path);
}

static enum adg_status folder_check(struct adg_destination *destination, const struct adg_destination_table *table,
                                    bool *skip, struct adg_error *error)
{
    struct folder *folder = folder_of(destination);
    const struct adg_run_options *options = folder->options;
    struct adg_output *output = &folder->places[table->number].output;
    enum adg_status status = options->if_exists == ADG_IF_EXISTS_APPEND
                                 ? adg_fail(error, ADG_USAGE, "nothing can be appended to a file")
                                 : ADG_OK;
    if (status == ADG_OK) {
        status = adg_output_init(output, options->out_folder, table->name, folder->extension, options->sharded,
                                 options->shard, options->shards, error);
    }
    if (status == ADG_OK) {
        status = adg_output_check(output, folder->run, error);
    }
    return status == ADG_OK ? check_existing(options, output->path, skip, error) : status;
}

static enum adg_status folder_begin(struct adg_destination *destination, const struct adg_destination_table *table,
                                    struct adg_destination_file *file, struct adg_error *error)
{
    struct folder *folder = folder_of(destination);
    struct place *place = &folder->places[table->number];
    enum adg_status status = adg_output_prepare(&place->output, folder->run, error);
    if (status == ADG_OK) {
        status = adg_atomic_file_sweep(place->output.path, error);
    }
    if (status == ADG_OK) {
        status = adg_atomic_file_open(&place->file, place->output.path, error);
    }
    if (status == ADG_OK) {
        place->file_open = true;
        *file = (struct adg_destination_file){.descriptor = place->file.fd, .name = place->file.path};
    }
    return status;
}

static enum adg_status folder_commit(struct adg_destination *destination, const struct adg_destination_table *table,
                                     struct adg_error *error)
{
    struct folder *folder = folder_of(destination);
    const struct adg_run_options *options = folder->options;
    struct place *place = &folder->places[table->number];
    const struct adg_provenance provenance = adg_provenance_of(options);
    const bool parts = place->output.folder != NULL;
    const char *path = parts ? place->output.folder : place->output.path;
    const struct adg_provenance_entry entry = {
        .name = adg_path_name(path), .table = table->name, .is_part = parts, .rows = adg_plan_rows(table->plan)};
    pthread_mutex_lock(&folder->provenance);
    enum adg_status status = adg_provenance_forget(options->out_folder, entry.name, error);
    if (status == ADG_OK) {
        status = adg_atomic_file_commit(&place->file, error);
    }
    if (status == ADG_OK) {
        status = adg_provenance_add(options->out_folder, &provenance, &entry, error);
    }
    pthread_mutex_unlock(&folder->provenance);
    return status;
}

static const char *folder_place(const struct adg_destination *destination, uint32_t table)
{
    return ((const struct folder *)destination)->places[table].output.path;
}

static void folder_close(struct adg_destination *destination)
{
    struct folder *folder = folder_of(destination);
    for (uint32_t t = 0; t < folder->count; t++) {
        struct place *place = &folder->places[t];
        if (place->file_open) {
            adg_atomic_file_fini(&place->file);
        }
        adg_output_discard(&place->output);
        adg_output_fini(&place->output);
    }
    adg_folder_unlock(&folder->lock);
    pthread_mutex_destroy(&folder->provenance);
    adg_free(folder->places);
    adg_free(folder);
}

enum adg_status adg_destination_folder_new(const struct adg_run_options *options, const char *extension,
                                           const char *run, uint32_t table_count, struct adg_destination **out,
                                           struct adg_error *error)
{
    static const struct adg_destination_operations operations = {.open = folder_open,
                                                                 .check = folder_check,
                                                                 .begin = folder_begin,
                                                                 .commit = folder_commit,
                                                                 .place = folder_place,
                                                                 .close = folder_close};
    struct folder *folder = adg_alloc(sizeof *folder);
    struct place *places = adg_alloc_zero(table_count, sizeof *places);
    if (folder == NULL || places == NULL) {
        adg_free(folder);
        adg_free(places);
        return adg_fail_memory(error);
    }
    *folder = (struct folder){.base.operations = &operations,
                              .options = options,
                              .extension = extension,
                              .run = run,
                              .lock = {.fd = -1},
                              .provenance = PTHREAD_MUTEX_INITIALIZER,
                              .places = places,
                              .count = table_count};
    *out = &folder->base;
    return ADG_OK;
}

/* ---- a descriptor ------------------------------------------------------------------------------------------------ */

struct descriptor {
    struct adg_destination base;
    int descriptor;
};

static enum adg_status descriptor_open(struct adg_destination *destination, struct adg_error *error)
{
    (void)destination;
    (void)error;
    return ADG_OK;
}

static enum adg_status descriptor_check(struct adg_destination *destination, const struct adg_destination_table *table,
                                        bool *skip, struct adg_error *error)
{
    (void)destination;
    (void)table;
    (void)skip;
    (void)error;
    return ADG_OK;
}

static enum adg_status descriptor_begin(struct adg_destination *destination, const struct adg_destination_table *table,
                                        struct adg_destination_file *file, struct adg_error *error)
{
    (void)table;
    (void)error;
    *file = (struct adg_destination_file){.descriptor = ((struct descriptor *)destination)->descriptor,
                                          .name = "standard output"};
    return ADG_OK;
}

static enum adg_status descriptor_commit(struct adg_destination *destination, const struct adg_destination_table *table,
                                         struct adg_error *error)
{
    (void)destination;
    (void)table;
    (void)error;
    return ADG_OK;
}

static const char *descriptor_place(const struct adg_destination *destination, uint32_t table)
{
    (void)destination;
    (void)table;
    return NULL;
}

static void descriptor_close(struct adg_destination *destination)
{
    adg_free(destination);
}

enum adg_status adg_destination_descriptor_new(const struct adg_run_options *options, struct adg_destination **out,
                                               struct adg_error *error)
{
    static const struct adg_destination_operations operations = {.open = descriptor_open,
                                                                 .check = descriptor_check,
                                                                 .begin = descriptor_begin,
                                                                 .commit = descriptor_commit,
                                                                 .place = descriptor_place,
                                                                 .close = descriptor_close};
    struct descriptor *descriptor = adg_alloc(sizeof *descriptor);
    if (descriptor == NULL) {
        return adg_fail_memory(error);
    }
    *descriptor = (struct descriptor){.base.operations = &operations, .descriptor = options->out_descriptor};
    adg_descriptor_widen(options->out_descriptor);
    *out = &descriptor->base;
    return ADG_OK;
}
