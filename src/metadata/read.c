/*
 * A metadata folder, read: every file once, into memory; what is hashed is what is parsed.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "core/memory.h"
#include "metadata/internal.h"

struct files {
    struct adg_buffer metadata, definition, manifest;
};

static enum adg_status read_file(const char *folder, const char *name, struct adg_buffer *out, struct adg_error *error)
{
    char *path = adg_path_join(folder, name);
    enum adg_status status = path == NULL ? adg_fail_memory(error) : adg_file_read(path, out, error);
    adg_free(path);
    return status;
}

static void files_fini(struct files *files)
{
    adg_buffer_fini(&files->metadata);
    adg_buffer_fini(&files->definition);
    adg_buffer_fini(&files->manifest);
}

/* Whether every dataset of `asked` is, byte for byte, one of `held`. */
static bool holds(const struct adg_definition *held, const struct adg_definition *asked)
{
    for (uint32_t i = 0; i < asked->dataset_count; i++) {
        const struct adg_dataset *dataset = adg_definition_find_dataset(held, asked->datasets[i].name);
        if (dataset == NULL || dataset->source_text_bytes != asked->datasets[i].source_text_bytes ||
            memcmp(dataset->source_text, asked->datasets[i].source_text, dataset->source_text_bytes) != 0) {
            return false;
        }
    }
    return true;
}

static enum adg_status check_hash(const struct adg_buffer *file, const char *name, const char *expected,
                                  struct adg_error *error)
{
    char found[65];
    adg_sha256_hex(file->data, file->size, found);
    return strcmp(found, expected) == 0
               ? ADG_OK
               : adg_fail(error, ADG_BAD_INPUT, "%s does not match the hash in %s: it was changed or damaged", name,
                          ADG_MANIFEST_FILE);
}

enum adg_status adg_metadata_read(const char *folder, const struct adg_definition *definition,
                                  struct adg_metadata **out, struct adg_error *error)
{
    struct files files = {0};
    struct adg_definition *held = NULL;
    struct adg_metadata *metadata = adg_alloc_zero(1, sizeof *metadata);
    struct adg_metadata_row *rows = NULL;
    struct adg_parquet_table table;
    enum adg_status status = metadata == NULL ? adg_fail_memory(error)
                                              : read_file(folder, ADG_MANIFEST_FILE, &files.manifest, error);
    if (status == ADG_OK) {
        status = read_file(folder, ADG_DEFINITION_FILE, &files.definition, error);
    }
    if (status == ADG_OK) {
        status = read_file(folder, ADG_METADATA_FILE, &files.metadata, error);
    }
    if (status == ADG_OK) {
        status = adg_definition_parse(ADG_DEFINITION_FILE, (const char *)files.definition.data, files.definition.size,
                                      &held, error);
        if (definition != NULL && (status == ADG_BAD_INPUT || (status == ADG_OK && !holds(held, definition)))) {
            status = adg_fail(error, ADG_REFUSED, "%s is another definition than %s: the metadata was scraped with it",
                              ADG_DEFINITION_FILE, definition->name);
        }
    }
    if (status == ADG_OK) {
        status = adg_manifest_read((struct adg_span){files.manifest.data, files.manifest.size}, &metadata->arena,
                                   &metadata->manifest, error);
    }
    if (status == ADG_OK) {
        status = check_hash(&files.metadata, ADG_METADATA_FILE, metadata->manifest.metadata_sha256, error);
    }
    if (status == ADG_OK) {
        status = check_hash(&files.definition, ADG_DEFINITION_FILE, metadata->manifest.definition_sha256, error);
    }
    if (status == ADG_OK) {
        status = adg_parquet_table_read(files.metadata.data, files.metadata.size, &metadata->arena, &table, error);
        if (status == ADG_OK) {
            status = adg_metadata_from_table(&table, &metadata->arena, &rows, error);
        }
        if (status == ADG_OK) {
            status = adg_metadata_check(rows, (size_t)table.rows, held, error);
        }
        status = adg_context(error, status, "%s", ADG_METADATA_FILE);
    }
    if (status == ADG_OK) {
        metadata->rows = rows;
        metadata->row_count = (size_t)table.rows;
        metadata->definition_text = adg_arena_strndup(&metadata->arena, (const char *)files.definition.data,
                                                      files.definition.size);
        metadata->definition_text_bytes = files.definition.size;
        if (metadata->definition_text == NULL) {
            status = adg_fail_memory(error);
        }
    }
    files_fini(&files);
    adg_definition_free(held);
    if (status != ADG_OK) {
        adg_metadata_free(metadata);
        return adg_context(error, status, "metadata folder %s", folder);
    }
    *out = metadata;
    return ADG_OK;
}

enum adg_status adg_metadata_open(const char *folder, const struct adg_definition *definition, bool allow_unreleased,
                                  struct adg_metadata **out, struct adg_error *error)
{
    if (!allow_unreleased) {
        return adg_fail(error, ADG_REFUSED,
                        "metadata folder %s is not released; --allow-unreleased is there for work on one's own data",
                        folder);
    }
    return adg_metadata_read(folder, definition, out, error);
}

void adg_metadata_free(struct adg_metadata *metadata)
{
    if (metadata != NULL) {
        adg_arena_fini(&metadata->arena);
        adg_free(metadata);
    }
}

/* ---- look-ups ---------------------------------------------------------------------------------------------------- */

/* The first row that is not before the key. */
static size_t lower_bound(const struct adg_metadata *metadata, const char *table, const char *field,
                          enum adg_value_type value_type)
{
    size_t low = 0, high = metadata->row_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (adg_metadata_row_compare_key(&metadata->rows[middle], table, field, value_type) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

struct adg_metadata_range adg_metadata_find(const struct adg_metadata *metadata, const char *table, const char *field,
                                            enum adg_value_type value_type)
{
    size_t first = lower_bound(metadata, table, field, value_type), end = first, high = metadata->row_count;
    while (end < high) { /* the first row behind the key */
        size_t middle = end + (high - end) / 2;
        if (adg_metadata_row_compare_key(&metadata->rows[middle], table, field, value_type) <= 0) {
            end = middle + 1;
        } else {
            high = middle;
        }
    }
    return (struct adg_metadata_range){metadata->rows + first, end - first};
}

bool adg_metadata_has_table(const struct adg_metadata *metadata, const char *table)
{
    size_t first = lower_bound(metadata, table, "", (enum adg_value_type)0);
    return first < metadata->row_count && strcmp(metadata->rows[first].table, table) == 0;
}

/* ---- adding ------------------------------------------------------------------------------------------------------ */

static enum adg_status check_unsigned(const char *folder, struct adg_error *error)
{
    static const char *const signs[] = {"review.json", "reviewer.minisig", "approver.minisig"};
    enum adg_status status = ADG_OK;
    for (size_t i = 0; i < sizeof signs / sizeof signs[0] && status == ADG_OK; i++) {
        char *path = adg_path_join(folder, signs[i]);
        if (path == NULL) {
            status = adg_fail_memory(error);
        } else if (access(path, F_OK) == 0) {
            status = adg_fail(error, ADG_REFUSED,
                              "metadata folder %s holds %s: what somebody has reviewed is not added to", folder,
                              signs[i]);
        }
        adg_free(path);
    }
    return status;
}

static bool is_among(const char *name, const char *const *names, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static bool copy_names(struct adg_arena *arena, const char *const **names, uint32_t count)
{
    const char **copy = adg_arena_array(arena, count, sizeof *copy);
    for (uint32_t i = 0; i < count && copy != NULL; i++) {
        copy[i] = adg_arena_strdup(arena, (*names)[i]);
        if (copy[i] == NULL) {
            return false;
        }
    }
    *names = copy;
    return copy != NULL;
}

/* The tables of `from` that are not replaced, in the arena. */
static bool copy_tables(struct adg_arena *arena, const struct adg_manifest *from, const char *const *replaced,
                        uint32_t replaced_count, struct adg_manifest *to)
{
    struct adg_manifest_table *tables = adg_arena_array(arena, from->table_count, sizeof *tables);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < from->table_count && tables != NULL; i++) {
        if (is_among(from->tables[i].name, replaced, replaced_count)) {
            continue;
        }
        struct adg_manifest_table *table = &tables[kept++];
        *table = from->tables[i];
        table->name = adg_arena_strdup(arena, table->name);
        if (table->name == NULL || !copy_names(arena, &table->missing_columns, table->missing_column_count) ||
            !copy_names(arena, &table->skipped_columns, table->skipped_column_count)) {
            return false;
        }
    }
    to->tables = tables;
    to->table_count = kept;
    return tables != NULL;
}

enum adg_status adg_metadata_load_for_adding(const char *folder, const struct adg_definition *definition,
                                             const char *const *replaced, uint32_t replaced_count,
                                             struct adg_manifest *manifest, struct adg_metadata_rows *rows,
                                             struct adg_error *error)
{
    struct adg_metadata *metadata = NULL;
    struct adg_metadata_rows made = {0};
    enum adg_status status = check_unsigned(folder, error);
    if (status == ADG_OK) {
        status = adg_metadata_read(folder, NULL, &metadata, error);
    }
    if (status != ADG_OK) {
        return status;
    }
    const struct adg_manifest *held = &metadata->manifest;
    if (metadata->definition_text_bytes != definition->text_bytes ||
        memcmp(metadata->definition_text, definition->text, definition->text_bytes) != 0) {
        status = adg_fail(
            error, ADG_BAD_INPUT,
            "metadata folder %s was scraped with another definition; tables are added to the same one only", folder);
    } else if (held->min_frequency != manifest->min_frequency || held->rounding != manifest->rounding ||
               held->control_reference != manifest->control_reference || held->imported != manifest->imported) {
        status = adg_fail(
            error, ADG_BAD_INPUT,
            "metadata folder %s was scraped with other parameters; tables are added with the same ones only", folder);
    }
    for (size_t i = 0; i < metadata->row_count && status == ADG_OK; i++) {
        if (!is_among(metadata->rows[i].table, replaced, replaced_count)) {
            status = adg_metadata_rows_add(&made, &metadata->rows[i], error);
        }
    }
    if (status == ADG_OK && !copy_tables(&made.arena, held, replaced, replaced_count, manifest)) {
        status = adg_fail_memory(error);
    }
    if (status == ADG_OK) {
        *rows = made;
    } else {
        adg_metadata_rows_fini(&made);
    }
    adg_metadata_free(metadata);
    return status;
}
