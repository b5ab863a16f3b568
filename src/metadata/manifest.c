/*
 * manifest.json: what the metadata was made with, and the hashes of its files. Keys sorted, two spaces, a final newline: the
 * same manifest gives the same bytes. No exact count, no path.
 */
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/version.h"
#include "metadata/internal.h"
#include "metadata/json.h"

enum { FORMAT = 1 };

static const char *const origins[] = {
    [ADG_ORIGIN_SCRAPED] = "scraped", [ADG_ORIGIN_IMPORTED] = "imported", [ADG_ORIGIN_COMPOSED] = "composed"};

static bool parse_origin(const char *text, enum adg_origin *out)
{
    for (size_t i = 0; i < sizeof origins / sizeof origins[0]; i++) {
        if (strcmp(text, origins[i]) == 0) {
            *out = (enum adg_origin)i;
            return true;
        }
    }
    return false;
}

static json_t *names(const char *const *list, uint32_t count)
{
    json_t *array = json_array();
    for (uint32_t i = 0; i < count; i++) {
        json_array_append_new(array, json_string(list[i]));
    }
    return array;
}

static int by_name(const void *a, const void *b)
{
    const struct adg_manifest_table *const *left = a, *const *right = b;
    return strcmp((*left)->name, (*right)->name);
}

static json_t *tables_of(const struct adg_manifest *manifest, const struct adg_manifest_table **sorted)
{
    for (uint32_t i = 0; i < manifest->table_count; i++) {
        sorted[i] = &manifest->tables[i];
    }
    if (manifest->table_count > 0) {
        qsort(sorted, manifest->table_count, sizeof(struct adg_manifest_table *), by_name);
    }
    json_t *tables = json_array();
    for (uint32_t i = 0; i < manifest->table_count; i++) {
        const struct adg_manifest_table *table = sorted[i];
        json_t *object = json_pack("{s:s, s:o, s:o, s:s}", "name", table->name, "missing_columns",
                                   names(table->missing_columns, table->missing_column_count), "skipped_columns",
                                   names(table->skipped_columns, table->skipped_column_count), "threshold_counts",
                                   table->records_alone ? "records" : "records and patients");
        if (table->population > 0) {
            json_object_set_new(object, "population", json_integer((json_int_t)table->population));
        }
        json_array_append_new(tables, object);
    }
    return tables;
}

enum adg_status adg_manifest_write(const struct adg_manifest *manifest, struct adg_buffer *out, struct adg_error *error)
{
    const struct adg_manifest_table **sorted = adg_alloc_array(manifest->table_count,
                                                               sizeof(struct adg_manifest_table *));
    if (sorted == NULL) {
        return adg_fail_memory(error);
    }
    json_t *root = json_pack(
        "{s:i, s:s, s:s, s:s, s:{s:i, s:i, s:s}, s:{s:s, s:s}, s:o}", "format", FORMAT, "definition",
        manifest->definition_name, "tool", manifest->tool_version != NULL ? manifest->tool_version : ADG_TOOL_VERSION,
        "origin", origins[manifest->origin], "parameters", "min_frequency", (int)manifest->min_frequency, "rounding",
        (int)manifest->rounding, "control", manifest->control_reference ? "reference" : "full", "sha256",
        ADG_METADATA_FILE, manifest->metadata_sha256, ADG_DEFINITION_FILE, manifest->definition_sha256, "tables",
        tables_of(manifest, sorted));
    if (manifest->attribution != NULL) {
        json_object_set_new(root, "attribution", json_string(manifest->attribution));
    }
    enum adg_status status = adg_json_append(out, root, JSON_INDENT(2) | JSON_SORT_KEYS, error);
    json_decref(root);
    adg_free(sorted);
    return status;
}

static bool take_names(json_t *array, struct adg_arena *arena, const char *const **out, uint32_t *count)
{
    size_t size = json_array_size(array), i;
    const char **list = json_is_array(array) ? adg_arena_array(arena, size, sizeof *list) : NULL;
    json_t *name;
    if (list == NULL) {
        return false;
    }
    json_array_foreach(array, i, name)
    {
        list[i] = json_is_string(name) ? adg_arena_strdup(arena, json_string_value(name)) : NULL;
        if (list[i] == NULL) {
            return false;
        }
    }
    *out = list;
    *count = (uint32_t)size;
    return true;
}

static bool take_table(json_t *object, struct adg_arena *arena, struct adg_manifest_table *table)
{
    const char *name, *counts;
    json_t *missing, *skipped;
    json_int_t population = 0;
    if (json_unpack(object, "{s:s, s:o, s:o, s:s, s?I !}", "name", &name, "missing_columns", &missing,
                    "skipped_columns", &skipped, "threshold_counts", &counts, "population", &population) != 0 ||
        population < 0 || (strcmp(counts, "records") != 0 && strcmp(counts, "records and patients") != 0)) {
        return false;
    }
    table->name = adg_arena_strdup(arena, name);
    table->population = (uint64_t)population;
    table->records_alone = strcmp(counts, "records") == 0;
    return table->name != NULL && take_names(missing, arena, &table->missing_columns, &table->missing_column_count) &&
           take_names(skipped, arena, &table->skipped_columns, &table->skipped_column_count);
}

static bool is_hash(const char *text)
{
    return strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
}

enum adg_status adg_manifest_read(struct adg_span text, struct adg_arena *arena, struct adg_manifest *out,
                                  struct adg_error *error)
{
    json_error_t where;
    json_t *root = json_loadb((const char *)text.data, text.size, JSON_REJECT_DUPLICATES, &where), *tables, *object;
    if (root == NULL) {
        return adg_fail(error, ADG_BAD_INPUT, "%s:%d:%d: expected JSON", ADG_MANIFEST_FILE, where.line, where.column);
    }
    struct adg_manifest made = {0};
    int format, min_frequency, rounding;
    const char *definition, *tool, *origin, *control, *metadata_hash, *definition_hash, *attribution = NULL;
    enum adg_status status = ADG_OK;
    size_t i;
    if (json_unpack_ex(root, &where, 0, "{s:i, s:s, s:s, s:s, s:{s:i, s:i, s:s !}, s:{s:s, s:s !}, s:o, s?s !}",
                       "format", &format, "definition", &definition, "tool", &tool, "origin", &origin, "parameters",
                       "min_frequency", &min_frequency, "rounding", &rounding, "control", &control, "sha256",
                       ADG_METADATA_FILE, &metadata_hash, ADG_DEFINITION_FILE, &definition_hash, "tables", &tables,
                       "attribution", &attribution) != 0 ||
        format != FORMAT || min_frequency < 1 || rounding < 1 || !json_is_array(tables) || !is_hash(metadata_hash) ||
        !is_hash(definition_hash) || (strcmp(control, "full") != 0 && strcmp(control, "reference") != 0) ||
        !parse_origin(origin, &made.origin)) {
        status = adg_fail(error, ADG_BAD_INPUT, "%s: expected a manifest of format %d", ADG_MANIFEST_FILE, FORMAT);
        goto done;
    }
    made.definition_name = adg_arena_strdup(arena, definition);
    made.tool_version = adg_arena_strdup(arena, tool);
    made.attribution = attribution != NULL ? adg_arena_strdup(arena, attribution) : NULL;
    made.min_frequency = (uint32_t)min_frequency;
    made.rounding = (uint32_t)rounding;
    made.control_reference = strcmp(control, "reference") == 0;
    memcpy(made.metadata_sha256, metadata_hash, sizeof made.metadata_sha256);
    memcpy(made.definition_sha256, definition_hash, sizeof made.definition_sha256);
    struct adg_manifest_table *list = adg_arena_array(arena, json_array_size(tables), sizeof *list);
    if (made.definition_name == NULL || made.tool_version == NULL || list == NULL ||
        (attribution != NULL && made.attribution == NULL)) {
        status = adg_fail_memory(error);
        goto done;
    }
    json_array_foreach(tables, i, object)
    {
        if (!take_table(object, arena, &list[i])) {
            status = adg_fail(error, ADG_BAD_INPUT, "%s: expected as table %zu its name and columns", ADG_MANIFEST_FILE,
                              i + 1);
            goto done;
        }
    }
    made.tables = list;
    made.table_count = (uint32_t)json_array_size(tables);
    *out = made;
done:
    json_decref(root);
    return status;
}
