/*
 * Names of results, and what may lie beside them: see output.h.
 */
#include "run/output.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/buffer.h"
#include "core/file.h"
#include "core/memory.h"
#include "delta/log.h"

void adg_output_fini(struct adg_output *output)
{
    adg_free(output->path);
    adg_free(output->folder);
    *output = (struct adg_output){0};
}

enum adg_status adg_output_init(struct adg_output *output, const char *out_folder, const char *table,
                                const char *extension, bool sharded, uint64_t shard, uint64_t shards,
                                struct adg_error *error)
{
    if (sharded && shards > ADG_OUTPUT_MAX_SHARDS) {
        return adg_fail(error, ADG_USAGE, "at most %d shards can be named", ADG_OUTPUT_MAX_SHARDS);
    }
    struct adg_buffer name = {0};
    struct adg_output made = {.shards = shards};
    enum adg_status status = adg_buffer_printf(&name, error, "artificial_%s%s%s", table, sharded ? "" : ".",
                                               sharded ? "" : extension);
    if (status != ADG_OK) {
        goto done;
    }
    made.path = adg_path_join(out_folder, (char *)name.data);
    if (made.path != NULL && sharded) {
        made.folder = made.path;
        name.size = 0;
        status = adg_buffer_printf(&name, error, "part-%05" PRIu64 "-of-%05" PRIu64 ".%s", shard, shards, extension);
        made.path = status == ADG_OK ? adg_path_join(made.folder, (char *)name.data) : NULL;
    }
    if (status == ADG_OK && made.path == NULL) {
        status = adg_fail_memory(error);
    }
done:
    if (status == ADG_OK) {
        *output = made;
    } else {
        adg_output_fini(&made);
    }
    adg_buffer_fini(&name);
    return status;
}

/* The N of "part-IIIII-of-NNNNN.<extension>", or 0 for any other name. */
static uint64_t shards_of_name(const char *name)
{
    static const char pattern[] = "part-ddddd-of-ddddd.";
    uint64_t shards = 0;
    for (size_t i = 0; pattern[i] != '\0'; i++) {
        bool digit = name[i] >= '0' && name[i] <= '9';
        if (pattern[i] == 'd' ? !digit : name[i] != pattern[i]) {
            return 0;
        }
        if (digit && i > strlen("part-ddddd")) {
            shards = 10 * shards + (uint64_t)(name[i] - '0');
        }
    }
    return shards;
}

static const char run_file[] = ".adg-run";

/* Whether the folder's parts, of which there are some, belong to this run. */
static enum adg_status check_run(const struct adg_output *output, const char *run, struct adg_error *error)
{
    struct adg_buffer found = {0};
    char *path = adg_path_join(output->folder, run_file);
    enum adg_status status = path == NULL ? adg_fail_memory(error) : adg_file_read(path, &found, error);
    if (status == ADG_OK && (found.size != strlen(run) || memcmp(found.data, run, found.size) != 0)) {
        status = adg_fail(error, ADG_FAILED,
                          "folder %s holds parts of another run (seed, number, format or metadata differ); remove them "
                          "first",
                          output->folder);
    }
    adg_buffer_fini(&found);
    adg_free(path);
    return status;
}

enum adg_status adg_output_check(const struct adg_output *output, const char *run, struct adg_error *error)
{
    struct stat info;
    if (stat(output->path, &info) == 0 && S_ISDIR(info.st_mode)) {
        return adg_fail(error, ADG_FAILED, "%s is a folder; a file of this name is to be written", output->path);
    }
    if (output->folder != NULL && adg_delta_is(output->folder)) {
        return adg_fail(error, ADG_FAILED, "folder %s is a Delta table; parts do not go into one", output->folder);
    }
    DIR *folder = output->folder != NULL ? opendir(output->folder) : NULL;
    if (folder == NULL) {
        return output->folder == NULL || errno == ENOENT
                   ? ADG_OK
                   : adg_fail_errno(error, errno, "folder %s cannot be read", output->folder);
    }
    enum adg_status status = ADG_OK;
    bool parts = false;
    const struct dirent *entry;
    while (status == ADG_OK && (entry = readdir(folder)) != NULL) {
        uint64_t shards = shards_of_name(entry->d_name);
        parts = parts || shards != 0;
        if (shards != 0 && shards != output->shards) {
            status = adg_fail(error, ADG_FAILED,
                              "folder %s holds parts of another run, in %" PRIu64 " shards; remove them first",
                              output->folder, shards);
        }
    }
    closedir(folder);
    return status == ADG_OK && parts ? check_run(output, run, error) : status;
}

enum adg_status adg_output_prepare(struct adg_output *output, const char *run, struct adg_error *error)
{
    if (output->folder == NULL) {
        return ADG_OK;
    }
    char *path = adg_path_join(output->folder, run_file);
    enum adg_status status = path == NULL ? adg_fail_memory(error) : adg_folder_create(output->folder, error);
    if (status == ADG_OK) {
        output->prepared = true;
        status = adg_file_write(path, run, strlen(run), error);
    }
    adg_free(path);
    return status;
}

static bool has_parts(const char *path)
{
    DIR *folder = opendir(path);
    bool found = false;
    const struct dirent *entry;
    while (folder != NULL && !found && (entry = readdir(folder)) != NULL) {
        found = shards_of_name(entry->d_name) != 0;
    }
    if (folder != NULL) {
        closedir(folder);
    }
    return found;
}

void adg_output_discard(const struct adg_output *output)
{
    char *path = output->prepared ? adg_path_join(output->folder, run_file) : NULL;
    if (path != NULL && !has_parts(output->folder)) {
        unlink(path);
        rmdir(output->folder); /* fails, as it should, when anything else is in it */
    }
    adg_free(path);
}

enum adg_status adg_output_put_part(int descriptor, const char *name, const struct adg_sink_part *part, uint64_t *bytes,
                                    struct adg_error *error)
{
    uint64_t total = part->bytes.size;
    for (uint32_t i = 0; i < part->piece_count; i++) {
        total += part->pieces[i].size;
    }
    enum adg_status status = adg_descriptor_write_many(descriptor, name, part->pieces, part->piece_count, error);
    if (status == ADG_OK) {
        status = adg_descriptor_write(descriptor, name, part->bytes.data, part->bytes.size, error);
    }
    *bytes += status == ADG_OK ? total : 0;
    return status;
}
