/*
 * Metadata in parts: see parts.h.
 */
#include "metadata/parts.h"

#include <pthread.h>
#include <string.h>

#include "core/memory.h"
#include "metadata/folder.h"

/* A field with this many rows is set apart from smaller ones; a row group has no more rows than this many but for one large field. */
enum { LARGE_FIELD_ROWS = 1024, GROUP_ROWS = 65536 };

struct part {
    const char *table, *first, *last; /* of its fields */
    unsigned uses;
    struct adg_metadata_rows rows; /* none: not read */
};

struct adg_metadata_parts {
    struct adg_arena arena;
    struct adg_buffer file;
    struct adg_definition *definition;
    const struct adg_parquet_group *groups;
    struct part *parts; /* one per row group, in canonical order */
    uint32_t count;
    pthread_mutex_t lock; /* of uses and rows */
};

/* ---- cutting ----------------------------------------------------------------------------------------------------- */

static bool same_field(const struct adg_metadata_row *a, const struct adg_metadata_row *b)
{
    return strcmp(a->table, b->table) == 0 && strcmp(a->field, b->field) == 0;
}

enum adg_status adg_metadata_cut(const struct adg_metadata_row *rows, size_t count, struct adg_arena *arena,
                                 struct adg_parquet_table *table, struct adg_error *error)
{
    uint64_t *ends = NULL;
    uint32_t cuts = 0;
    for (int pass = 0; pass < 2; pass++) { /* first how many, then where */
        size_t group = 0;
        bool large = false;
        cuts = 0;
        for (size_t first = 0, end; first < count; first = end) {
            for (end = first + 1; end < count && same_field(&rows[first], &rows[end]);) {
                end++;
            }
            bool is_large = end - first >= LARGE_FIELD_ROWS;
            if (first > group && (strcmp(rows[first - 1].table, rows[first].table) != 0 || is_large != large ||
                                  end - group > GROUP_ROWS)) {
                if (ends != NULL) {
                    ends[cuts] = first;
                }
                cuts++;
                group = first;
            }
            large = is_large;
        }
        if (ends == NULL && (ends = adg_arena_array(arena, (size_t)cuts + 1, sizeof *ends)) == NULL) {
            return adg_fail_memory(error);
        }
    }
    ends[cuts++] = count;
    table->group_ends = ends;
    table->group_count = cuts;
    return ADG_OK;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static const char *name_of(struct adg_arena *arena, struct adg_span text)
{
    return text.data != NULL ? adg_arena_strndup(arena, (const char *)text.data, text.size) : NULL;
}

static int compare_field(const struct part *part, const char *table, const char *field)
{
    int order = strcmp(part->table, table);
    return order != 0 ? order : strcmp(part->last, field) < 0 ? -1 : strcmp(part->first, field) > 0 ? 1 : 0;
}

/* Names of a part from the bounds of its row group; false: it has several tables, or none is told. */
static bool describe(struct adg_metadata_parts *parts, const struct adg_parquet_group *group, struct part *part)
{
    struct adg_span table = group->min[ADG_COLUMN_TABLE_NAME], last = group->max[ADG_COLUMN_TABLE_NAME];
    if (table.data == NULL || last.data == NULL || adg_span_compare(table, last) != 0) {
        return false;
    }
    part->table = name_of(&parts->arena, table);
    part->first = name_of(&parts->arena, group->min[ADG_COLUMN_FIELD_NAME]);
    part->last = name_of(&parts->arena, group->max[ADG_COLUMN_FIELD_NAME]);
    return part->table != NULL && part->first != NULL && part->last != NULL;
}

enum adg_status adg_metadata_parts_new(struct adg_buffer *file, struct adg_definition **definition,
                                       struct adg_metadata_parts **out, size_t *rows, struct adg_error *error)
{
    uint32_t count = 0;
    struct adg_metadata_parts *parts = adg_alloc_zero(1, sizeof *parts);
    if (parts == NULL) {
        return adg_fail_memory(error);
    }
    pthread_mutex_init(&parts->lock, NULL);
    enum adg_status status = adg_parquet_table_groups(file->data, file->size, &parts->arena, &parts->groups, &count,
                                                      error);
    parts->parts = status == ADG_OK ? adg_arena_array(&parts->arena, count, sizeof *parts->parts) : NULL;
    if (status == ADG_OK && parts->parts == NULL) {
        status = adg_fail_memory(error);
    }
    bool cut = status == ADG_OK;
    size_t total = 0;
    for (uint32_t i = 0; i < count && cut; i++) {
        cut = describe(parts, &parts->groups[i], &parts->parts[i]) &&
              (i == 0 || compare_field(&parts->parts[i - 1], parts->parts[i].table, parts->parts[i].first) < 0);
        total += parts->groups[i].rows;
    }
    if (!cut) {
        adg_metadata_parts_free(parts);
        *out = status == ADG_OK ? NULL : *out;
        return status;
    }
    parts->count = count;
    parts->file = *file;
    parts->definition = *definition;
    *file = (struct adg_buffer){0};
    *definition = NULL;
    *rows = total;
    *out = parts;
    return ADG_OK;
}

void adg_metadata_parts_free(struct adg_metadata_parts *parts)
{
    if (parts == NULL) {
        return;
    }
    for (uint32_t i = 0; i < parts->count; i++) {
        adg_metadata_rows_fini(&parts->parts[i].rows);
    }
    adg_definition_free(parts->definition);
    adg_buffer_fini(&parts->file);
    adg_arena_fini(&parts->arena);
    pthread_mutex_destroy(&parts->lock);
    adg_free(parts);
}

bool adg_metadata_parts_have(const struct adg_metadata_parts *parts, const char *table)
{
    for (uint32_t i = 0; i < parts->count; i++) {
        if (strcmp(parts->parts[i].table, table) == 0) {
            return true;
        }
    }
    return false;
}

/* Whether the part has rows of the table, or of that field of it. */
static bool concerns(const struct part *part, const char *table, const char *field)
{
    return strcmp(part->table, table) == 0 && (field == NULL || compare_field(part, table, field) == 0);
}

/* Rows of their own: what a row group decodes to is three times as large. */
static enum adg_status keep_rows(const struct adg_metadata_row *rows, size_t count, struct adg_metadata_rows *out,
                                 struct adg_error *error)
{
    struct adg_metadata_rows kept = {.rows = adg_alloc_array(count, sizeof *rows), .capacity = count};
    enum adg_status status = kept.rows == NULL ? adg_fail_memory(error) : ADG_OK;
    for (size_t i = 0; i < count && status == ADG_OK; i++) {
        status = adg_metadata_rows_add(&kept, &rows[i], error);
    }
    if (status != ADG_OK) {
        adg_metadata_rows_fini(&kept);
        return status;
    }
    *out = kept;
    return ADG_OK;
}

static enum adg_status read_part(const struct adg_metadata_parts *parts, uint32_t number, struct adg_error *error)
{
    struct part *part = &parts->parts[number];
    struct adg_arena arena = {0};
    struct adg_parquet_table table;
    struct adg_metadata_row *rows = NULL;
    enum adg_status status = adg_parquet_table_read_group(parts->file.data, parts->file.size, &parts->groups[number],
                                                          &arena, &table, error);
    if (status == ADG_OK) {
        status = adg_metadata_from_table(&table, &arena, &rows, error);
    }
    if (status == ADG_OK) {
        status = adg_metadata_check(rows, (size_t)table.rows, parts->definition, error);
    }
    if (status == ADG_OK && (compare_field(part, rows[0].table, rows[0].field) != 0 ||
                             compare_field(part, rows[table.rows - 1].table, rows[table.rows - 1].field) != 0)) {
        status = adg_fail(error, ADG_BAD_INPUT, "a row group has other rows than the footer says");
    }
    if (status == ADG_OK) {
        status = keep_rows(rows, (size_t)table.rows, &part->rows, error);
    }
    adg_arena_fini(&arena);
    return status == ADG_OK ? ADG_OK : adg_context(error, status, "%s, table %s", ADG_METADATA_FILE, part->table);
}

static void drop(struct part *part)
{
    if (--part->uses == 0) {
        adg_metadata_rows_fini(&part->rows);
    }
}

enum adg_status adg_metadata_parts_load(struct adg_metadata_parts *parts, const char *table, const char *field,
                                        struct adg_error *error)
{
    enum adg_status status = ADG_OK;
    uint32_t i;
    pthread_mutex_lock(&parts->lock);
    for (i = 0; i < parts->count; i++) {
        struct part *part = &parts->parts[i];
        if (!concerns(part, table, field)) {
            continue;
        }
        status = part->uses == 0 ? read_part(parts, i, error) : ADG_OK;
        if (status != ADG_OK) {
            break;
        }
        part->uses++;
    }
    while (status != ADG_OK && i-- > 0) {
        if (concerns(&parts->parts[i], table, field)) {
            drop(&parts->parts[i]);
        }
    }
    pthread_mutex_unlock(&parts->lock);
    return status;
}

void adg_metadata_parts_unload(struct adg_metadata_parts *parts, const char *table, const char *field)
{
    pthread_mutex_lock(&parts->lock);
    for (uint32_t i = 0; i < parts->count; i++) {
        if (concerns(&parts->parts[i], table, field)) {
            drop(&parts->parts[i]);
        }
    }
    pthread_mutex_unlock(&parts->lock);
}

struct adg_metadata_range adg_metadata_parts_rows(struct adg_metadata_parts *parts, const char *table,
                                                  const char *field)
{
    struct adg_metadata_range range = {NULL, 0};
    uint32_t low = 0, high = parts->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = compare_field(&parts->parts[middle], table, field);
        if (order == 0) {
            pthread_mutex_lock(&parts->lock);
            range = (struct adg_metadata_range){parts->parts[middle].rows.rows, parts->parts[middle].rows.count};
            pthread_mutex_unlock(&parts->lock);
            break;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return range;
}
