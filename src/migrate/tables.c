/*
 * Converting a table: see tables.h. The order, of which every step can be the last before the process is killed: the new file is
 * written beside the old one under a hidden name (in the same folder, because confinement lets no file change folders), compared
 * with the old one value by value, and synced; the old file gets the backup as a second name; the new one is renamed over the
 * first; the backup is removed. A backup that is the same file as the table says that the last step but one was not reached,
 * another one beside a table in order that the last one was not.
 */
#include "migrate/tables.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
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

static enum adg_status warn_of_delta(const struct migration *m, const char *folder, struct adg_error *error)
{
    struct adg_buffer line = {0};
    enum adg_status status = adg_buffer_printf(
        &line, error, "%s is not converted: it is a Delta table; generate it anew, with --if-exists overwrite", folder);
    const char *text = status == ADG_OK ? adg_buffer_text(&line) : NULL;
    if (status == ADG_OK && text != NULL) {
        m->options->warn(m->options->context, text);
    }
    adg_buffer_fini(&line);
    return status == ADG_OK && text == NULL ? adg_fail_memory(error) : status;
}

/* artificial_<table>.parquet, .csv, .arrows, and the parts in artificial_<table>. The log of a Delta table knows its files by size,
 * columns and statistics: they are none of these. */
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
        return warn_of_delta(m, parts, error);
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

static enum adg_status sync_file(const char *path, struct adg_error *error)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    bool done = file >= 0 && fsync(file) == 0;
    int number = errno;
    if (file >= 0) {
        close(file);
    }
    return done ? ADG_OK : adg_fail_errno(error, number, "%s cannot be synced", path);
}

static enum adg_status replace(const struct old_file *file, struct adg_error *error)
{
    enum adg_status status = sync_file(file->fresh, error);
    if (status == ADG_OK && link(file->path, file->backup) != 0 && !is_same_file(file->path, file->backup)) {
        status = errno == EEXIST ? adg_fail(error, ADG_FAILED, "%s is in the way: move it elsewhere", file->backup)
                                 : adg_fail_errno(error, errno, "%s cannot be made", file->backup);
    }
    status = status == ADG_OK ? adg_folder_sync(file->folder, error) : status;
    if (status == ADG_OK && rename(file->fresh, file->path) != 0) {
        status = adg_fail_errno(error, errno, "%s cannot be replaced", file->path);
        unlink(file->backup); /* a second name of the same file */
    }
    return status == ADG_OK ? adg_folder_sync(file->folder, error) : status;
}

static enum adg_status remove_backup(const struct migration *m, const struct old_file *file, struct adg_error *error)
{
    if (m->options->keep_backup || unlink(file->backup) == 0 || errno == ENOENT) {
        return ADG_OK;
    }
    return adg_fail_errno(error, errno, "%s cannot be removed", file->backup);
}

/* ---- all --------------------------------------------------------------------------------------------------------- */

static enum adg_status open_engine(struct migration *m, const char *spill, struct adg_error *error)
{
    const char **readable = adg_arena_array(&m->arena, 2 * (size_t)m->count, sizeof *readable);
    if (readable == NULL) {
        return adg_fail_memory(error);
    }
    for (uint32_t i = 0; i < m->count; i++) {
        readable[2 * i] = m->files[i].path;
        readable[2 * i + 1] = m->files[i].fresh; /* written, too */
    }
    const struct adg_engine_options engine = {.threads = 1,
                                              .memory_bytes = UINT64_C(512) << 20,
                                              .folder = spill,
                                              .readable = readable,
                                              .readable_count = 2 * m->count};
    return adg_engine_open(&engine, &m->engine, error);
}

/* Only when all files of the table can be converted is one. */
static enum adg_status migrate(struct migration *m, enum adg_migration *out, struct adg_error *error)
{
    struct adg_conversion *conversions = adg_arena_array(&m->arena, m->count, sizeof *conversions);
    enum adg_status status = conversions == NULL ? adg_fail_memory(error) : ADG_OK;
    bool changes = false;
    for (uint32_t i = 0; i < m->count && status == ADG_OK; i++) {
        conversions[i] = (struct adg_conversion){.dataset = m->dataset,
                                                 .engine = m->engine,
                                                 .arena = &m->arena,
                                                 .file = m->files[i].path,
                                                 .fresh = m->files[i].fresh,
                                                 .csv = m->files[i].form->csv,
                                                 .warn = m->options->warn,
                                                 .context = m->options->context};
        unlink(m->files[i].fresh); /* of a run that was killed */
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
            status = status == ADG_OK ? replace(&m->files[i], error) : status;
            unlink(m->files[i].fresh); /* of one that failed: else it has another name */
        }
        status = status == ADG_OK ? remove_backup(m, &m->files[i], error) : status;
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
    if (status == ADG_OK && m.count == 0) {
        *out = ADG_MIGRATION_NONE;
    } else if (status == ADG_OK) {
        status = open_engine(&m, spill, error);
        status = status == ADG_OK ? migrate(&m, out, error) : status;
    }
    adg_engine_free(m.engine);
    adg_arena_fini(&m.arena);
    return status;
}
