/*
 * Rows of the metadata table: copying, and their canonical order (see metadata.h).
 */
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "metadata/internal.h"

static bool copy_text(struct adg_arena *arena, struct adg_optional_text *text)
{
    if (text->text == NULL) {
        return true;
    }
    text->text = adg_arena_strndup(arena, text->text, text->size);
    return text->text != NULL;
}

static bool copy_numbers(struct adg_arena *arena, const double **numbers, uint32_t count)
{
    if (*numbers == NULL) {
        return true;
    }
    double *copy = adg_arena_array(arena, count, sizeof *copy);
    if (copy != NULL && count > 0) {
        memcpy(copy, *numbers, count * sizeof *copy);
    }
    *numbers = copy;
    return copy != NULL;
}

static bool copy_texts(struct adg_arena *arena, const struct adg_optional_text **texts, uint32_t count)
{
    if (*texts == NULL) {
        return true;
    }
    struct adg_optional_text *copy = adg_arena_array(arena, count, sizeof *copy);
    for (uint32_t i = 0; i < count && copy != NULL; i++) {
        copy[i] = (*texts)[i];
        if (!copy_text(arena, &copy[i])) {
            return false;
        }
    }
    *texts = copy;
    return copy != NULL;
}

/* Names repeat from row to row: the last row's copy serves again. */
static const char *intern(struct adg_metadata_rows *rows, const char *name, const char *last)
{
    return last != NULL && strcmp(last, name) == 0 ? last : adg_arena_strdup(&rows->arena, name);
}

enum adg_status adg_metadata_rows_add(struct adg_metadata_rows *rows, const struct adg_metadata_row *row,
                                      struct adg_error *error)
{
    if (rows->count == rows->capacity) {
        struct adg_metadata_row *larger = adg_grow_array(rows->rows, &rows->capacity, 1024, sizeof *larger);
        if (larger == NULL) {
            return adg_fail_memory(error);
        }
        rows->rows = larger;
    }
    const struct adg_metadata_row *last = rows->count > 0 ? &rows->rows[rows->count - 1] : NULL;
    struct adg_metadata_row copy = *row;
    copy.table = intern(rows, row->table, last != NULL ? last->table : NULL);
    copy.field = intern(rows, row->field, last != NULL ? last->field : NULL);
    if (copy.table == NULL || copy.field == NULL || !copy_text(&rows->arena, &copy.string) ||
        !copy_texts(&rows->arena, &copy.string_array, copy.string_array_count) ||
        !copy_numbers(&rows->arena, &copy.numeric_array, copy.numeric_array_count) ||
        !copy_numbers(&rows->arena, &copy.weight_array, copy.weight_array_count)) {
        return adg_fail_memory(error);
    }
    rows->rows[rows->count++] = copy;
    return ADG_OK;
}

void adg_metadata_rows_fini(struct adg_metadata_rows *rows)
{
    adg_arena_fini(&rows->arena);
    adg_free(rows->rows);
    *rows = (struct adg_metadata_rows){0};
}

/* ---- order ------------------------------------------------------------------------------------------------------- */

#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))

static int compare_text(struct adg_optional_text a, struct adg_optional_text b)
{
    if (a.text == NULL || b.text == NULL) {
        return COMPARE(a.text != NULL, b.text != NULL);
    }
    size_t common = a.size < b.size ? a.size : b.size;
    int order = common > 0 ? memcmp(a.text, b.text, common) : 0;
    return order != 0 ? order : COMPARE(a.size, b.size);
}

static int compare_number(bool has_a, double a, bool has_b, double b)
{
    return !has_a || !has_b ? COMPARE(has_a, has_b) : COMPARE(a, b);
}

static int compare_numbers(const double *a, uint32_t count_a, const double *b, uint32_t count_b)
{
    if (a == NULL || b == NULL) {
        return COMPARE(a != NULL, b != NULL);
    }
    for (uint32_t i = 0; i < count_a && i < count_b; i++) {
        int order = COMPARE(a[i], b[i]);
        if (order != 0) {
            return order;
        }
    }
    return COMPARE(count_a, count_b);
}

static int compare_texts(const struct adg_metadata_row *a, const struct adg_metadata_row *b)
{
    if (a->string_array == NULL || b->string_array == NULL) {
        return COMPARE(a->string_array != NULL, b->string_array != NULL);
    }
    for (uint32_t i = 0; i < a->string_array_count && i < b->string_array_count; i++) {
        int order = compare_text(a->string_array[i], b->string_array[i]);
        if (order != 0) {
            return order;
        }
    }
    return COMPARE(a->string_array_count, b->string_array_count);
}

int adg_metadata_row_compare_key(const struct adg_metadata_row *a, const char *table, const char *field,
                                 enum adg_value_type value_type)
{
    int order = strcmp(a->table, table);
    if (order == 0) {
        order = strcmp(a->field, field);
    }
    return order != 0 ? order : COMPARE(a->value_type, value_type);
}

int adg_metadata_row_compare(const struct adg_metadata_row *a, const struct adg_metadata_row *b)
{
    int order = adg_metadata_row_compare_key(a, b->table, b->field, b->value_type);
    if (order == 0) {
        order = compare_text(a->string, b->string);
    }
    if (order == 0) {
        order = compare_number(a->has_numeric, a->numeric, b->has_numeric, b->numeric);
    }
    if (order == 0) {
        order = compare_number(a->has_date, a->date, b->has_date, b->date);
    }
    if (order == 0) {
        order = compare_texts(a, b);
    }
    if (order == 0) {
        order = compare_numbers(a->numeric_array, a->numeric_array_count, b->numeric_array, b->numeric_array_count);
    }
    if (order == 0) {
        order = compare_number(a->has_weight, a->weight, b->has_weight, b->weight);
    }
    return order != 0 ? order
                      : compare_numbers(a->weight_array, a->weight_array_count, b->weight_array, b->weight_array_count);
}

static int compare_rows(const void *a, const void *b)
{
    return adg_metadata_row_compare(a, b);
}

void adg_metadata_rows_sort(struct adg_metadata_rows *rows)
{
    if (rows->count > 0) {
        qsort(rows->rows, rows->count, sizeof *rows->rows, compare_rows);
    }
}
