/*
 * Metadata out of a folder's files, look-ups in it, and what is needed to add to it.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "core/memory.h"
#include "metadata/folder.h"
#include "metadata/parts.h"

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

/* Rows from the bytes of metadata.parquet. */
static enum adg_status parse_rows(const struct adg_buffer *file, struct adg_metadata *metadata, struct adg_error *error)
{
    struct adg_parquet_table table;
    struct adg_metadata_row *rows = NULL;
    enum adg_status status = adg_parquet_table_read(file->data, file->size, &metadata->arena, &table, error);
    if (status == ADG_OK) {
        status = adg_metadata_from_table(&table, &metadata->arena, &rows, error);
    }
    if (status == ADG_OK) {
        metadata->rows = rows;
        metadata->row_count = (size_t)table.rows;
    }
    return adg_context(error, status, "%s", ADG_METADATA_FILE);
}

enum adg_status adg_metadata_check_rules(const struct adg_metadata *metadata, const struct adg_definition *definition,
                                         struct adg_error *error)
{
    return adg_context(error, adg_metadata_check(metadata->rows, metadata->row_count, definition, error), "%s",
                       ADG_METADATA_FILE);
}

static enum adg_status parse_definition(const struct adg_metadata_folder *folder, struct adg_definition **out,
                                        struct adg_error *error)
{
    return adg_definition_parse(ADG_DEFINITION_FILE, (const char *)folder->definition.data, folder->definition.size,
                                out, error);
}

/* Manifest and definition text into the metadata. */
static enum adg_status take_files(const struct adg_metadata_folder *folder, struct adg_metadata *metadata,
                                  struct adg_error *error)
{
    enum adg_status status = adg_metadata_folder_manifest(folder, &metadata->arena, &metadata->manifest, error);
    memcpy(metadata->manifest_sha256, folder->manifest_sha256, sizeof metadata->manifest_sha256);
    metadata->definition_text = adg_arena_strndup(&metadata->arena, (const char *)folder->definition.data,
                                                  folder->definition.size);
    metadata->definition_text_bytes = folder->definition.size;
    return status == ADG_OK && metadata->definition_text == NULL ? adg_fail_memory(error) : status;
}

/* The rows to be read when they are asked for, or now, where the file is not made for that. */
static enum adg_status take_rows(struct adg_metadata_folder *folder, struct adg_definition **held, bool whole,
                                 struct adg_metadata *metadata, struct adg_error *error)
{
    enum adg_status status = whole ? ADG_OK
                                   : adg_context(error,
                                                 adg_metadata_parts_new(&folder->metadata, held, &metadata->parts,
                                                                        &metadata->row_count, error),
                                                 "%s", ADG_METADATA_FILE);
    if (status == ADG_OK && metadata->parts == NULL) {
        status = parse_rows(&folder->metadata, metadata, error);
        if (status == ADG_OK) {
            status = adg_metadata_check_rules(metadata, *held, error);
        }
    }
    return status;
}

/* See adg_metadata_parse. `whole`: all rows at once. */
static enum adg_status parse(struct adg_metadata_folder *folder, const struct adg_definition *definition, bool whole,
                             struct adg_metadata **out, struct adg_error *error)
{
    struct adg_definition *held = NULL;
    struct adg_metadata *metadata = adg_alloc_zero(1, sizeof *metadata);
    if (metadata == NULL) {
        return adg_fail_memory(error);
    }
    enum adg_status status = parse_definition(folder, &held, error);
    if (definition != NULL && (status == ADG_BAD_INPUT || (status == ADG_OK && !holds(held, definition)))) {
        status = adg_fail(error, ADG_REFUSED, "%s is another definition than %s: the metadata was scraped with it",
                          ADG_DEFINITION_FILE, definition->name);
    }
    if (status == ADG_OK) {
        status = take_files(folder, metadata, error);
    }
    if (status == ADG_OK) {
        status = adg_metadata_folder_check_hashes(folder, &metadata->manifest, error);
    }
    if (status == ADG_OK) {
        status = take_rows(folder, &held, whole, metadata, error);
    }
    adg_definition_free(held);
    if (status != ADG_OK) {
        adg_metadata_free(metadata);
        return status;
    }
    *out = metadata;
    return ADG_OK;
}

enum adg_status adg_metadata_parse(struct adg_metadata_folder *folder, const struct adg_definition *definition,
                                   struct adg_metadata **out, struct adg_error *error)
{
    return parse(folder, definition, false, out, error);
}

enum adg_status adg_metadata_parse_unchecked(const struct adg_metadata_folder *folder, struct adg_metadata **out,
                                             struct adg_definition **out_definition, struct adg_error *error)
{
    struct adg_definition *definition = NULL;
    struct adg_metadata *metadata = adg_alloc_zero(1, sizeof *metadata);
    enum adg_status status = metadata == NULL ? adg_fail_memory(error) : parse_definition(folder, &definition, error);
    if (status == ADG_OK) {
        status = take_files(folder, metadata, error);
    }
    if (status == ADG_OK) {
        status = parse_rows(&folder->metadata, metadata, error);
    }
    if (status != ADG_OK) {
        adg_metadata_free(metadata);
        adg_definition_free(definition);
        return status;
    }
    *out = metadata;
    *out_definition = definition;
    return ADG_OK;
}

static enum adg_status read_folder(const char *folder, const struct adg_definition *definition, bool whole,
                                   struct adg_metadata **out, struct adg_error *error)
{
    struct adg_metadata_folder files = {0};
    enum adg_status status = adg_metadata_folder_read(folder, &files, error);
    if (status == ADG_OK) {
        status = adg_context(error, parse(&files, definition, whole, out, error), "metadata folder %s", folder);
    }
    adg_metadata_folder_fini(&files);
    return status;
}

enum adg_status adg_metadata_read(const char *folder, const struct adg_definition *definition,
                                  struct adg_metadata **out, struct adg_error *error)
{
    return read_folder(folder, definition, false, out, error);
}

const struct adg_metadata *adg_metadata_hold(const struct adg_metadata *metadata)
{
    atomic_fetch_add((atomic_uint *)(uintptr_t)&metadata->more_holders, 1);
    return metadata;
}

void adg_metadata_free(struct adg_metadata *metadata)
{
    if (metadata != NULL && atomic_fetch_sub(&metadata->more_holders, 1) == 0) {
        adg_metadata_parts_free(metadata->parts);
        adg_arena_fini(&metadata->arena);
        adg_free(metadata);
    }
}

enum adg_status adg_metadata_load(const struct adg_metadata *metadata, const char *table, const char *field,
                                  struct adg_error *error)
{
    return metadata->parts != NULL ? adg_metadata_parts_load(metadata->parts, table, field, error) : ADG_OK;
}

void adg_metadata_unload(const struct adg_metadata *metadata, const char *table, const char *field)
{
    if (metadata->parts != NULL) {
        adg_metadata_parts_unload(metadata->parts, table, field);
    }
}

/* ---- look-ups ---------------------------------------------------------------------------------------------------- */

/* The first row that is not before the key. */
static size_t lower_bound(struct adg_metadata_range within, const char *table, const char *field,
                          enum adg_value_type value_type)
{
    size_t low = 0, high = within.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (adg_metadata_row_compare_key(&within.rows[middle], table, field, value_type) < 0) {
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
    struct adg_metadata_range within = metadata->parts != NULL
                                           ? adg_metadata_parts_rows(metadata->parts, table, field)
                                           : (struct adg_metadata_range){metadata->rows, metadata->row_count};
    size_t first = lower_bound(within, table, field, value_type), end = first, high = within.count;
    while (end < high) { /* the first row behind the key */
        size_t middle = end + (high - end) / 2;
        if (adg_metadata_row_compare_key(&within.rows[middle], table, field, value_type) <= 0) {
            end = middle + 1;
        } else {
            high = middle;
        }
    }
    return (struct adg_metadata_range){end > first ? within.rows + first : NULL, end - first};
}

bool adg_metadata_has_table(const struct adg_metadata *metadata, const char *table)
{
    if (metadata->parts != NULL) {
        return adg_metadata_parts_have(metadata->parts, table);
    }
    const struct adg_metadata_range all = {metadata->rows, metadata->row_count};
    size_t first = lower_bound(all, table, "", (enum adg_value_type)0);
    return first < metadata->row_count && strcmp(metadata->rows[first].table, table) == 0;
}

/* ---- adding ------------------------------------------------------------------------------------------------------ */

enum adg_status adg_metadata_check_unsigned(const char *folder, struct adg_error *error)
{
    const char *const signs[] = {ADG_REVIEW_FILE, adg_signature_files[ADG_REVIEWER], adg_signature_files[ADG_APPROVER]};
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
    enum adg_status status = adg_metadata_check_unsigned(folder, error);
    if (status == ADG_OK) {
        status = read_folder(folder, NULL, true, &metadata, error);
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
               held->control_reference != manifest->control_reference || held->origin != manifest->origin) {
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
