/*
 * Converting a table: see tables.h. The order, of which every step can be the last before the process is killed: the new file is
 * written beside the old one under a hidden name (in the same folder, because confinement lets no file change folders), compared
 * with the old one value by value, and synced; the old file gets the backup as a second name, if it is to be kept; the new one is
 * renamed over the first. A backup that is the same file as the table says that the last step was not reached; any other one is
 * not touched.
 */
#include "migrate/tables.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "core/memory.h"
#include "core/strings.h"
#include "delta/log.h"
#include "migrate/convert.h"
#include "migrate/delta.h"
#include "migrate/stream.h"

/* How a file is read and written. */
struct form {
    const char *ending; /* of its name */
    bool csv;
    enum adg_status (*open)(struct adg_conversion *conversion, struct adg_error *error);
    enum adg_status (*check)(struct adg_conversion *conversion, struct adg_error *error);
    enum adg_status (*write)(struct adg_conversion *conversion, struct adg_error *error);
    enum adg_status (*verify)(struct adg_conversion *conversion, struct adg_error *error);
};

static const struct form forms[] = {
    {".parquet", false, adg_conversion_open, adg_conversion_check, adg_conversion_write, adg_conversion_verify},
    {".csv", true, adg_conversion_open, adg_conversion_check, adg_conversion_write, adg_conversion_verify},
    {".arrows", false, adg_stream_conversion_open, adg_stream_conversion_check, adg_stream_conversion_write,
     adg_stream_conversion_verify}};
enum { FORMS = sizeof forms / sizeof forms[0] };

/* One file of a table. */
struct old_file {
    const struct form *form;
    const char *folder, *path, *backup, *fresh;
};

struct migration {
    const struct adg_migrate_options *options;
    const struct adg_dataset *dataset;
    struct adg_engine *engine;
    struct adg_arena arena;
    struct old_file *files;
    uint32_t count;
    const char *delta; /* the folder of a Delta table, NULL: there is none */
};

/* ---- finding ----------------------------------------------------------------------------------------------------- */

static const char *join(struct migration *m, const char *folder, const char *before, const char *name,
                        const char *behind)
{
    size_t size = strlen(folder) + strlen(before) + strlen(name) + strlen(behind) + 2;
    char *made = adg_arena_alloc(&m->arena, size);
    if (made != NULL) {
        snprintf(made, size, "%s/%s%s%s", folder, before, name, behind);
    }
    return made;
}

/* NULL: it is none of a table. */
static const struct form *form_of(const char *name)
{
    for (int i = 0; i < FORMS; i++) {
        if (adg_ends_with(name, forms[i].ending)) {
            return &forms[i];
        }
    }
    return NULL;
}

static enum adg_status add_file(struct migration *m, const char *folder, const char *name, struct adg_error *error)
{
    struct old_file *more = adg_arena_array(&m->arena, m->count + (size_t)1, sizeof *more);
    struct old_file file = {.form = form_of(name),
                            .folder = folder,
                            .path = join(m, folder, "", name, ""),
                            .backup = join(m, folder, "", name, ADG_MIGRATE_BACKUP),
                            .fresh = join(m, folder, ".", name, ".new")};
    if (more == NULL || file.path == NULL || file.backup == NULL || file.fresh == NULL) {
        return adg_fail_memory(error);
    }
    if (m->count > 0) {
        memcpy(more, m->files, m->count * sizeof *more);
    }
    m->files = more;
    m->files[m->count++] = file;
    return ADG_OK;
}

static int is_part(const struct dirent *entry)
{
    return strncmp(entry->d_name, "part-", 5) == 0 && form_of(entry->d_name) != NULL;
}

/* artificial_<table>.parquet, .csv, .arrows, and the parts in artificial_<table>, unless that is a Delta table, whose files its log names. */
static enum adg_status find_files(struct migration *m, const char *table, struct adg_error *error)
{
    const char *folder = m->options->folder, *parts = join(m, folder, "artificial_", table, "");
    struct dirent **entries = NULL;
    struct stat info;
    enum adg_status status = parts == NULL ? adg_fail_memory(error) : ADG_OK;
    for (int i = 0; i < FORMS && status == ADG_OK; i++) {
        const char *path = join(m, folder, "artificial_", table, forms[i].ending);
        status = path == NULL ? adg_fail_memory(error) : ADG_OK;
        if (status == ADG_OK && stat(path, &info) == 0) {
            status = add_file(m, folder, path + strlen(folder) + 1, error);
        }
    }
    if (status == ADG_OK && adg_delta_is(parts)) {
        m->delta = parts;
        return ADG_OK;
    }
    int count = status == ADG_OK ? scandir(parts, &entries, is_part, alphasort) : 0;
    for (int i = 0; i < count; i++) {
        status = status == ADG_OK ? add_file(m, parts, entries[i]->d_name, error) : status;
        free(entries[i]); /* the C library's own memory, as the list is */
    }
    free((void *)entries);
    return status;
}

/* ---- putting into place ------------------------------------------------------------------------------------------ */

static bool is_same_file(const char *a, const char *b)
{
    struct stat first, second;
    return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

/* The backup is the old file under a second name; one that is there already is of a run that was killed, or somebody else's. */
static enum adg_status make_backup(const struct old_file *file, struct adg_error *error)
{
    int failed = link(file->path, file->backup) == 0 ? 0 : errno;
    if (failed == 0 || is_same_file(file->path, file->backup)) {
        return adg_folder_sync(file->folder, error);
    }
    return failed == EEXIST ? adg_fail(error, ADG_FAILED, "%s is in the way: move it elsewhere", file->backup)
                            : adg_fail_errno(error, failed, "%s cannot be made", file->backup);
}

static enum adg_status replace(const struct old_file *file, bool keep_backup, struct adg_error *error)
{
    enum adg_status status = adg_file_sync(file->fresh, error);
    if (status == ADG_OK && keep_backup) {
        status = make_backup(file, error);
    }
    if (status != ADG_OK) {
        return status;
    }
    if (rename(file->fresh, file->path) != 0) {
        status = adg_fail_errno(error, errno, "%s cannot be replaced", file->path);
        if (keep_backup) {
            unlink(file->backup); /* a second name of the same file */
        }
        return status;
    }
    return adg_folder_sync(file->folder, error);
}

/* ---- all --------------------------------------------------------------------------------------------------------- */

/* Only when all files of the table can be converted is one. */
static enum adg_status migrate(struct migration *m, const char *spill, enum adg_migration *out, struct adg_error *error)
{
    struct adg_conversion *conversions = adg_arena_array(&m->arena, m->count, sizeof *conversions);
    bool changes = false;
    if (conversions == NULL) {
        return adg_fail_memory(error);
    }
    for (uint32_t i = 0; i < m->count; i++) {
        conversions[i] = (struct adg_conversion){.dataset = m->dataset,
                                                 .arena = &m->arena,
                                                 .file = m->files[i].path,
                                                 .fresh = m->files[i].fresh,
                                                 .csv = m->files[i].form->csv,
                                                 .warn = m->options->warn,
                                                 .context = m->options->context};
        unlink(m->files[i].fresh); /* of a run that was killed */
    }
    enum adg_status status = adg_conversion_open_engine(conversions, m->count, spill, &m->engine, error);
    for (uint32_t i = 0; i < m->count && status == ADG_OK; i++) {
        status = m->files[i].form->open(&conversions[i], error);
        if (status == ADG_OK && (conversions[i].csv || !conversions[i].current)) {
            status = m->files[i].form->check(&conversions[i], error);
        }
    }
    for (uint32_t i = 0; i < m->count && status == ADG_OK; i++) {
        if (!conversions[i].current) {
            changes = true;
            status = m->files[i].form->write(&conversions[i], error);
            status = status == ADG_OK ? m->files[i].form->verify(&conversions[i], error) : status;
            status = status == ADG_OK ? replace(&m->files[i], m->options->keep_backup, error) : status;
            unlink(m->files[i].fresh); /* of one that failed: else it has another name */
        }
    }
    if (status == ADG_OK) {
        *out = changes ? ADG_MIGRATION_DONE : ADG_MIGRATION_CURRENT;
    }
    return status;
}

enum adg_status adg_migrate_table(const struct adg_migrate_options *options, const struct adg_dataset *dataset,
                                  const char *table, const char *spill, enum adg_migration *out,
                                  struct adg_error *error)
{
    struct migration m = {.options = options, .dataset = dataset};
    enum adg_status status = find_files(&m, table, error);
    enum adg_migration files = ADG_MIGRATION_NONE, delta = ADG_MIGRATION_NONE;
    if (status == ADG_OK && m.count > 0) {
        status = migrate(&m, spill, &files, error);
    }
    if (status == ADG_OK && m.delta != NULL) {
        status = adg_migrate_delta(options, dataset, m.delta, spill, &delta, error);
    }
    if (status == ADG_OK) {
        *out = files > delta ? files : delta; /* the enumeration ascends */
    }
    adg_engine_free(m.engine);
    adg_arena_fini(&m.arena);
    return status;
}
