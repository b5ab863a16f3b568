/*
 * provenance.json: see provenance.h.
 */
#include "run/provenance.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "core/memory.h"
#include "metadata/json.h"
#include "run/run.h"

enum { FORMAT = 1 };

struct adg_provenance adg_provenance_of(const struct adg_run_options *options)
{
    return (struct adg_provenance){.definition = options->definition,
                                   .metadata = options->metadata,
                                   .tool = options->tool,
                                   .profile = adg_profile_names[options->profile],
                                   .seed = options->seed,
                                   .patients = options->patients,
                                   .rows = options->rows,
                                   .shards = options->shards};
}

/* The file that is there, when it is one; else an empty one. */
static json_t *load(const char *path)
{
    json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
    json_int_t format = 0;
    json_t *files = NULL;
    if (root != NULL && json_unpack(root, "{s:I, s:o !}", "format", &format, "files", &files) == 0 &&
        format == FORMAT && json_is_object(files)) {
        return root;
    }
    json_decref(root);
    return json_pack("{s:i, s:{}}", "format", FORMAT, "files");
}

json_t *adg_provenance_json(const struct adg_provenance *provenance, const struct adg_provenance_entry *entry)
{
    char seed[21];
    const struct adg_metadata *metadata = provenance->metadata;
    snprintf(seed, sizeof seed, "%" PRIu64, provenance->seed); /* 64 bits: JSON's numbers may have fewer */
    json_t *object = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b}", "table", entry->table, "definition",
                               provenance->definition->name, "definition_sha256", metadata->manifest.definition_sha256,
                               "metadata_sha256", metadata->manifest.metadata_sha256, "manifest_sha256",
                               metadata->manifest_sha256, "tool", provenance->tool, "profile", provenance->profile,
                               "seed", seed, "released", (int)metadata->released);
    if (object == NULL) {
        return NULL;
    }
    if (metadata->release_timestamp[0] != '\0') {
        json_object_set_new(object, "released_utc", json_string(metadata->release_timestamp));
    }
    if (metadata->manifest.attribution != NULL) {
        json_object_set_new(object, "attribution", json_string(metadata->manifest.attribution));
    }
    json_object_set_new(object, provenance->patients > 0 ? "patients_asked" : "rows_asked",
                        json_integer((json_int_t)(provenance->patients > 0 ? provenance->patients : provenance->rows)));
    if (provenance->shards > 1) {
        json_object_set_new(object, "shards", json_integer((json_int_t)provenance->shards));
    }
    if (!entry->is_part) {
        json_object_set_new(object, "rows", json_integer((json_int_t)entry->rows));
    }
    return object;
}

/* Writes `root`, which may be NULL for want of memory, and drops it. */
static enum adg_status save(const char *path, json_t *root, struct adg_error *error)
{
    struct adg_buffer bytes = {0};
    enum adg_status status = adg_json_append(&bytes, root, JSON_INDENT(1) | JSON_SORT_KEYS, error);
    if (status == ADG_OK) {
        status = adg_file_write(path, bytes.data, bytes.size, error);
    }
    adg_buffer_fini(&bytes);
    json_decref(root);
    return status;
}

enum adg_status adg_provenance_forget(const char *folder, const char *name, struct adg_error *error)
{
    char *path = adg_path_join(folder, ADG_PROVENANCE_FILE);
    if (path == NULL) {
        return adg_fail_memory(error);
    }
    json_t *root = load(path);
    enum adg_status status = ADG_OK;
    if (json_object_del(json_object_get(root, "files"), name) == 0) {
        status = save(path, root, error);
    } else {
        json_decref(root);
    }
    adg_free(path);
    return status;
}

enum adg_status adg_provenance_add(const char *folder, const struct adg_provenance *provenance,
                                   const struct adg_provenance_entry *entry, struct adg_error *error)
{
    char *path = adg_path_join(folder, ADG_PROVENANCE_FILE);
    if (path == NULL) {
        return adg_fail_memory(error);
    }
    json_t *root = load(path);
    if (json_object_set_new(json_object_get(root, "files"), entry->name, adg_provenance_json(provenance, entry)) != 0) {
        json_decref(root);
        root = NULL;
    }
    enum adg_status status = save(path, root, error);
    adg_free(path);
    return status;
}

enum adg_status adg_provenance_line(struct adg_buffer *out, const struct adg_provenance *provenance,
                                    const struct adg_provenance_entry *entry, struct adg_error *error)
{
    json_t *object = adg_provenance_json(provenance, entry);
    enum adg_status status = adg_json_append(out, object, JSON_COMPACT | JSON_SORT_KEYS, error);
    json_decref(object);
    return status;
}
