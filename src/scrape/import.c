/*
 * The reference's metadata table: see import.h. Arrays come as text of the query's own making, so that the engine's results
 * stay flat.
 */
#include "scrape/import.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/memory.h"
#include "core/number.h"
#include "engine/engine.h"
#include "metadata/metadata.h"
#include "scrape/internal.h"

/* The columns of the query below. */
enum { TABLE, FIELD, TYPE, STRING, NUMERIC, DATE, STRINGS, NUMBERS, WEIGHT, WEIGHTS };

struct import {
    const struct adg_import_options *options;
    struct adg_engine *engine;
    struct adg_arena arena; /* of the row in hand */
    struct adg_metadata_rows rows;
    struct adg_buffer dropped; /* names, once each */
};

static struct adg_optional_text optional(const struct adg_engine_result *result, uint32_t column)
{
    if (adg_engine_is_null(result, column)) {
        return (struct adg_optional_text){NULL, 0};
    }
    struct adg_span text = adg_engine_text(result, column);
    return (struct adg_optional_text){text.size > 0 ? (const char *)text.data : "", text.size};
}

/* "<bytes>:<text>" or "n" per item. */
static enum adg_status take_texts(struct import *import, struct adg_span text, struct adg_metadata_row *row,
                                  struct adg_error *error)
{
    struct adg_optional_text *items = adg_arena_array(&import->arena, text.size, sizeof *items);
    uint32_t count = 0;
    if (items == NULL) {
        return adg_fail_memory(error);
    }
    for (size_t at = 0; at < text.size; count++) {
        if (text.data[at] == 'n') {
            at++;
            continue;
        }
        size_t size = 0;
        while (text.data[at] != ':') {
            size = size * 10 + (size_t)(text.data[at++] - '0');
        }
        items[count] = (struct adg_optional_text){(const char *)text.data + at + 1, size};
        at += 1 + size;
    }
    row->string_array = items;
    row->string_array_count = count;
    return ADG_OK;
}

/* Numbers with commas between them. */
static enum adg_status take_numbers(struct import *import, struct adg_span text, const double **out, uint32_t *count,
                                    struct adg_error *error)
{
    double *numbers = adg_arena_array(&import->arena, text.size, sizeof *numbers);
    *count = 0;
    if (numbers == NULL) {
        return adg_fail_memory(error);
    }
    for (size_t at = 0; at < text.size; at++) {
        size_t end = at;
        while (end < text.size && text.data[end] != ',') {
            end++;
        }
        if (!adg_double_parse((const char *)text.data + at, end - at, &numbers[(*count)++])) {
            return adg_fail(error, ADG_BAD_INPUT, "an array holds something else than finite numbers");
        }
        at = end;
    }
    *out = numbers;
    return ADG_OK;
}

static bool is_sampled(const struct import *import, const char *table, const char *name, enum adg_value_type type)
{
    const struct adg_dataset *dataset = NULL;
    if (adg_definition_find_table(import->options->definition, table, &dataset, NULL, NULL) != ADG_OK) {
        return true; /* the check of the whole table says so */
    }
    int64_t field = adg_dataset_find_field(dataset, name);
    return type == ADG_VALUE_RELATIONSHIP || (field >= 0 && dataset->fields[field].role == ADG_ROLE_SAMPLED);
}

static enum adg_status note_dropped(struct import *import, const char *name, struct adg_error *error)
{
    const char *names = adg_buffer_text(&import->dropped);
    if (names == NULL) {
        return adg_fail_memory(error);
    }
    size_t size = strlen(name);
    for (const char *at = strstr(names, name); at != NULL; at = strstr(at + 1, name)) {
        if ((at == names || at[-1] == ' ') && (at[size] == ',' || at[size] == '\0')) {
            return ADG_OK; /* named already */
        }
    }
    return adg_buffer_printf(&import->dropped, error, "%s%s", names[0] == '\0' ? "" : ", ", name);
}

static enum adg_status take_row(struct import *import, const struct adg_engine_result *result, struct adg_error *error)
{
    struct adg_optional_text table = optional(result, TABLE), field = optional(result, FIELD),
                             type = optional(result, TYPE);
    struct adg_metadata_row row = {0};
    adg_arena_fini(&import->arena);
    if (table.text == NULL || field.text == NULL || type.text == NULL ||
        !adg_value_type_parse(type.text, type.size, &row.value_type)) {
        return adg_fail(error, ADG_BAD_INPUT, "expected TABLE_NAME, FIELD_NAME and a known VALUE_TYPE");
    }
    row.table = adg_arena_strndup(&import->arena, table.text, table.size);
    row.field = adg_arena_strndup(&import->arena, field.text, field.size);
    if (row.table == NULL || row.field == NULL) {
        return adg_fail_memory(error);
    }
    if (row.value_type == ADG_VALUE_CONTINUOUS && !adg_engine_is_null(result, NUMBERS) &&
        adg_engine_text(result, NUMBERS).size == 0) {
        return ADG_OK; /* percentiles of a field without a value: nothing but nulls */
    }
    if (!is_sampled(import, row.table, row.field, row.value_type)) {
        return note_dropped(import, row.field, error);
    }
    row.string = optional(result, STRING);
    row.has_numeric = !adg_engine_is_null(result, NUMERIC);
    row.numeric = row.has_numeric ? adg_engine_double(result, NUMERIC) : 0;
    row.has_date = !adg_engine_is_null(result, DATE);
    row.date = row.has_date ? (int32_t)adg_engine_int(result, DATE) : 0;
    row.has_weight = !adg_engine_is_null(result, WEIGHT);
    row.weight = row.has_weight ? adg_engine_double(result, WEIGHT) : 0;
    enum adg_status status = ADG_OK;
    if (!adg_engine_is_null(result, STRINGS)) {
        status = take_texts(import, adg_engine_text(result, STRINGS), &row, error);
    }
    if (status == ADG_OK && !adg_engine_is_null(result, NUMBERS)) {
        status = take_numbers(import, adg_engine_text(result, NUMBERS), &row.numeric_array, &row.numeric_array_count,
                              error);
    }
    if (status == ADG_OK && !adg_engine_is_null(result, WEIGHTS)) {
        status = take_numbers(import, adg_engine_text(result, WEIGHTS), &row.weight_array, &row.weight_array_count,
                              error);
    }
    return status == ADG_OK ? adg_metadata_rows_add(&import->rows, &row, error) : status;
}

static enum adg_status read_rows(struct import *import, const char *path, struct adg_error *error)
{
    struct adg_engine_result *result = NULL;
    struct adg_buffer sql = {0};
    bool has_row = true, first = import->options->first_format;
    size_t number = 0;
    enum adg_status status = adg_buffer_append_text(
        &sql,
        "select cast(TABLE_NAME as varchar), cast(FIELD_NAME as varchar), cast(VALUE_TYPE as varchar), "
        "cast(VALUE_STRING as varchar), "
        "cast(VALUE_NUMERIC as double), cast(VALUE_DATE as date), "
        "array_to_string(list_transform(VALUE_STRING_ARRAY, x -> coalesce(strlen(x) || ':' || x, 'n')), ''), "
        "array_to_string(list_transform(list_filter(VALUE_NUMERIC_ARRAY, x -> x is not null), x -> cast(x as "
        "varchar)), ','), "
        "cast(WEIGHT as double), "
        "array_to_string(list_transform(WEIGHT_ARRAY, x -> coalesce(cast(x as varchar), 'null')), ',') from ",
        error);
    if (status == ADG_OK) {
        status = first ? adg_import_first_format(path, import->options->definition, &sql, error)
                       : adg_sql_parquet(&sql, path, error);
    }
    const char *text = adg_buffer_text(&sql);
    if (status == ADG_OK) {
        status = text == NULL
                     ? adg_fail_memory(error)
                     : adg_engine_query(import->engine, text,
                                        first ? "expected TABLE_NAME, FIELD_NAME and METADATA of the first format"
                                              : "expected the ten columns of a metadata table",
                                        &result, error);
    }
    while (status == ADG_OK) {
        status = adg_engine_next(result, &has_row, error);
        if (status != ADG_OK || !has_row) {
            break;
        }
        number++;
        status = adg_context(error, take_row(import, result, error), "row %zu", number);
    }
    adg_engine_result_free(result);
    adg_buffer_fini(&sql);
    return status;
}

/* The folder is replaced whole: a file in it would be lost. */
static enum adg_status check_outside(const char *path, const char *folder, struct adg_error *error)
{
    char *real = realpath(folder, NULL);
    size_t size = real == NULL ? 0 : strlen(real);
    bool inside = real != NULL && strncmp(path, real, size) == 0 && path[size] == '/';
    free(real);
    return inside ? adg_fail(error, ADG_USAGE, "expected a file outside the metadata folder, which is replaced whole")
                  : ADG_OK;
}

/* The tables that the rows name, once each. */
static enum adg_status list_tables(struct import *import, struct adg_manifest *manifest, struct adg_error *error)
{
    adg_metadata_rows_sort(&import->rows);
    struct adg_manifest_table *tables = adg_arena_array(&import->rows.arena, import->rows.count, sizeof *tables);
    if (tables == NULL) {
        return adg_fail_memory(error);
    }
    for (size_t i = 0; i < import->rows.count; i++) {
        const char *name = import->rows.rows[i].table;
        if (manifest->table_count == 0 || strcmp(tables[manifest->table_count - 1].name, name) != 0) {
            tables[manifest->table_count++] = (struct adg_manifest_table){.name = name, .records_alone = true};
        }
    }
    manifest->tables = tables;
    return ADG_OK;
}

enum adg_status adg_import_metadata(const struct adg_import_options *options, struct adg_error *error)
{
    struct import import = {.options = options};
    const struct adg_dataset *first = &options->definition->datasets[0];
    struct adg_manifest manifest = {.definition_name = options->definition->name,
                                    .min_frequency = first->min_frequency,
                                    .rounding = first->rounding,
                                    .control_reference = true,
                                    .origin = ADG_ORIGIN_IMPORTED};
    int held = -1;
    char *folder = NULL, *staging = NULL, *path = realpath(options->file, NULL);
    if (path == NULL) {
        return adg_fail_errno(error, errno, "%s cannot be opened", options->file);
    }
    enum adg_status status = check_outside(path, options->meta_folder, error);
    if (status == ADG_OK) {
        status = adg_metadata_lock(options->meta_folder, &held, error);
    }
    if (status == ADG_OK) {
        status = adg_spill_create(options->meta_folder, &folder, error);
    }
    if (status == ADG_OK) {
        status = adg_metadata_stage(options->meta_folder, &staging, error);
    }
    if (status == ADG_OK && options->confine != NULL) {
        const struct adg_scrape_places places = {
            (const char *const[]){path}, 1, options->meta_folder, staging, folder, NULL};
        status = options->confine(options->context, &places, error);
    }
    if (status == ADG_OK) {
        const struct adg_engine_options engine_options = {
            .threads = 1, .folder = folder, .readable = (const char *const[]){path}, .readable_count = 1};
        status = adg_engine_open(&engine_options, &import.engine, error);
    }
    if (status == ADG_OK) {
        status = adg_context(error, read_rows(&import, path, error), "%s", options->file);
    }
    if (status == ADG_OK && import.dropped.size > 0) {
        struct adg_buffer text = {0};
        status = adg_buffer_printf(&text, error, "left out, since dataset %s does not sample them: %s",
                                   options->definition->name, adg_buffer_text(&import.dropped));
        if (status == ADG_OK && adg_buffer_text(&text) != NULL) {
            options->warn(options->context, (const char *)text.data);
        }
        adg_buffer_fini(&text);
    }
    if (status == ADG_OK) {
        status = list_tables(&import, &manifest, error);
    }
    if (status == ADG_OK) {
        status = adg_context(
            error,
            adg_metadata_write(options->meta_folder, staging, options->definition, &manifest, &import.rows, error),
            "%s", options->file);
    }
    adg_engine_free(import.engine);
    if (staging != NULL && status != ADG_OK) {
        enum adg_status removed = adg_folder_remove(staging, NULL); /* the failure is reported already */
        (void)removed;
    }
    adg_free(staging);
    adg_metadata_unlock(held);
    status = adg_spill_remove(folder, status, error);
    adg_arena_fini(&import.arena);
    adg_metadata_rows_fini(&import.rows);
    adg_buffer_fini(&import.dropped);
    free(path);
    return status;
}
