/*
 * Sources of rows: see source.h.
 */
#include "scrape/source.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "core/file.h"
#include "core/memory.h"
#include "core/strings.h"
#include "delta/log.h"
#include "scrape/csv.h"
#include "scrape/internal.h"
#include "scrape/source_parts.h"

/* ---- finding ----------------------------------------------------------------------------------------------------- */

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length > tail && strcasecmp(text + length - tail, end) == 0;
}

static bool is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static bool is_there(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0;
}

/* A path as the engine's list of allowed files wants it: absolute. */
static const char *absolute(const char *path, struct adg_arena *arena)
{
    char *resolved = realpath(path, NULL);
    const char *copy = resolved != NULL ? adg_arena_strdup(arena, resolved) : NULL;
    free(resolved); /* the C library's own memory */
    return copy;
}

static enum adg_status single(const char *path, enum adg_source_format format, struct adg_arena *arena,
                              struct adg_source_files *out, struct adg_error *error)
{
    const char **paths = adg_arena_array(arena, 1, sizeof *paths);
    if (paths == NULL) {
        return adg_fail_memory(error);
    }
    paths[0] = absolute(path, arena);
    if (paths[0] == NULL) {
        return adg_fail_errno(error, errno, "%s cannot be opened", path);
    }
    *out = (struct adg_source_files){format, paths, 1};
    return ADG_OK;
}

/* The Parquet parts of a folder, by name; hidden files are none. */
static enum adg_status parts(const char *folder, struct adg_arena *arena, struct adg_source_files *out,
                             struct adg_error *error)
{
    DIR *entries = opendir(folder);
    if (entries == NULL) {
        return adg_fail_errno(error, errno, "folder %s cannot be read", folder);
    }
    uint32_t count = 0, capacity = 0;
    const char **paths = NULL;
    const struct dirent *entry;
    enum adg_status status = ADG_OK;
    while (status == ADG_OK && (entry = readdir(entries)) != NULL) {
        if (entry->d_name[0] == '.' || entry->d_name[0] == '_' || !ends_with(entry->d_name, ".parquet")) {
            continue;
        }
        char *path = adg_path_join(folder, entry->d_name);
        if (count == capacity) {
            const char **larger = adg_arena_array(arena, 2 * (size_t)capacity + 16, sizeof *larger);
            if (larger != NULL && count > 0) {
                memcpy(larger, paths, count * sizeof *larger);
            }
            paths = larger;
            capacity = 2 * capacity + 16;
        }
        const char *resolved = path != NULL ? absolute(path, arena) : NULL;
        if (paths == NULL || resolved == NULL) {
            status = adg_fail(error, ADG_FAILED, "folder %s cannot be read", folder);
        } else {
            paths[count++] = resolved;
        }
        adg_free(path);
    }
    closedir(entries);
    if (status == ADG_OK && count > 0) {
        qsort(paths, count, sizeof(const char *), adg_compare_texts);
    }
    *out = (struct adg_source_files){ADG_SOURCE_PARQUET, paths, count};
    return status;
}

static enum adg_status find_path(const char *path, struct adg_arena *arena, struct adg_source_files *out,
                                 struct adg_error *error)
{
    if (is_folder(path) && adg_delta_is(path)) {
        return single(path, ADG_SOURCE_DELTA, arena, out, error);
    }
    if (is_folder(path)) {
        enum adg_status status = parts(path, arena, out, error);
        return status == ADG_OK && out->count == 0
                   ? adg_fail(error, ADG_BAD_INPUT, "folder %s holds no Parquet part", path)
                   : status;
    }
    if (!is_there(path)) {
        return adg_fail(error, ADG_BAD_INPUT, "%s: there is no such file", path);
    }
    if (ends_with(path, ".parquet")) {
        return single(path, ADG_SOURCE_PARQUET, arena, out, error);
    }
    if (ends_with(path, ".csv") || ends_with(path, ".csv.gz")) {
        return single(path, ADG_SOURCE_CSV, arena, out, error);
    }
    return adg_fail(error, ADG_BAD_INPUT,
                    "%s: expected a file that ends in .csv, .csv.gz or .parquet, or a folder of Parquet parts", path);
}

enum adg_status adg_source_find(const char *folder, const char *table, const char *path, struct adg_arena *arena,
                                struct adg_source_files *out, bool *found, struct adg_error *error)
{
    *found = true;
    if (path != NULL) {
        return find_path(path, arena, out, error);
    }
    static const struct {
        const char *ending;
        bool folder;
    } forms[] = {{".parquet", false}, {"", true}, {".csv", false}, {".csv.gz", false}};
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        char name[256];
        snprintf(name, sizeof name, "%s%s", table, forms[i].ending);
        char *candidate = adg_path_join(folder, name);
        if (candidate == NULL) {
            return adg_fail_memory(error);
        }
        enum adg_status status = ADG_OK;
        bool taken = is_there(candidate) && is_folder(candidate) == forms[i].folder;
        if (taken) {
            status = forms[i].folder && !adg_delta_is(candidate) ? parts(candidate, arena, out, error)
                                                                 : find_path(candidate, arena, out, error);
            taken = status != ADG_OK || out->count > 0;
        }
        adg_free(candidate);
        if (taken) {
            return status;
        }
    }
    *found = false;
    return ADG_OK;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

/* The engine's types, and as what their values come here. What is not listed is refused when it is selected. */
static void classify(const char *type, enum adg_source_kind *kind, const char **cast)
{
    static const struct {
        const char *type;
        enum adg_source_kind kind;
        const char *cast;
    } types[] = {
        {"VARCHAR", ADG_SOURCE_TEXT, ""},
        {"TINYINT", ADG_SOURCE_INT, ""},
        {"SMALLINT", ADG_SOURCE_INT, ""},
        {"INTEGER", ADG_SOURCE_INT, ""},
        {"BIGINT", ADG_SOURCE_INT, ""},
        {"UTINYINT", ADG_SOURCE_INT, ""},
        {"USMALLINT", ADG_SOURCE_INT, ""},
        {"UINTEGER", ADG_SOURCE_INT, ""},
        {"UBIGINT", ADG_SOURCE_DECIMAL, "varchar"},
        {"HUGEINT", ADG_SOURCE_DECIMAL, "varchar"},
        {"FLOAT", ADG_SOURCE_DOUBLE, "varchar"},
        {"DOUBLE", ADG_SOURCE_DOUBLE, ""},
        {"DATE", ADG_SOURCE_DATE, ""},
        {"BOOLEAN", ADG_SOURCE_BOOLEAN, ""},
        {"TIMESTAMP", ADG_SOURCE_TIMESTAMP, "timestamp"},
    };
    *cast = NULL;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (strcmp(type, types[i].type) == 0) {
            *kind = types[i].kind;
            *cast = types[i].cast;
        }
    }
    if (strncmp(type, "DECIMAL", 7) == 0) {
        *kind = ADG_SOURCE_DECIMAL;
        *cast = "varchar";
    } else if (strncmp(type, "TIMESTAMP", 9) == 0) {
        *kind = ADG_SOURCE_TIMESTAMP;
        *cast = "timestamp";
    }
}

static enum adg_status put_files(const struct adg_source *source, struct adg_buffer *sql, struct adg_error *error)
{
    enum adg_status status = adg_buffer_append_text(sql, " from read_parquet(", error);
    if (status == ADG_OK) {
        status = adg_sql_list(sql, source->files->paths, source->files->count, error);
    }
    return status == ADG_OK ? adg_buffer_append_text(sql, ", union_by_name=true, hive_partitioning=false)", error)
                            : status;
}

enum adg_status adg_source_add_column(struct adg_source *source, uint32_t capacity, const char *name, size_t size,
                                      struct adg_error *error)
{
    if (source->column_count == capacity) {
        return adg_fail(error, ADG_BAD_INPUT, "%s: more than %u columns", adg_source_name(source), capacity);
    }
    source->names[source->column_count] = adg_arena_strndup(&source->arena, name, size);
    return source->names[source->column_count++] == NULL ? adg_fail_memory(error) : ADG_OK;
}

static enum adg_status describe_parquet(struct adg_source *source, uint32_t capacity, struct adg_error *error)
{
    struct adg_buffer sql = {0};
    struct adg_engine_result *result = NULL;
    bool has_row = true;
    enum adg_status status = adg_buffer_append_text(&sql, "select column_name, column_type from (describe select *",
                                                    error);
    if (status == ADG_OK) {
        status = put_files(source, &sql, error);
    }
    if (status == ADG_OK) {
        status = adg_buffer_append(&sql, ")", 2, error);
    }
    if (status == ADG_OK) {
        status = adg_engine_query(source->engine, (const char *)sql.data, adg_source_name(source), &result, error);
    }
    while (status == ADG_OK) {
        status = adg_engine_next(result, &has_row, error);
        if (status != ADG_OK || !has_row) {
            break;
        }
        struct adg_span name = adg_engine_text(result, 0), type = adg_engine_text(result, 1);
        char type_name[64];
        snprintf(type_name, sizeof type_name, "%.*s", (int)(type.size < 60 ? type.size : 60), (const char *)type.data);
        status = adg_source_add_column(source, capacity, (const char *)name.data, name.size, error);
        if (status == ADG_OK) {
            classify(type_name, &source->kinds[source->column_count - 1], &source->casts[source->column_count - 1]);
        }
    }
    adg_engine_result_free(result);
    adg_buffer_fini(&sql);
    return status;
}

enum adg_status adg_source_open(const struct adg_source_files *files, struct adg_engine *engine,
                                struct adg_source **out, struct adg_error *error)
{
    enum { MAX_COLUMNS = 65536 };
    struct adg_source *source = adg_alloc_zero(1, sizeof *source);
    if (source == NULL) {
        return adg_fail_memory(error);
    }
    source->files = files;
    source->engine = engine;
    source->names = adg_arena_array(&source->arena, MAX_COLUMNS, sizeof *source->names);
    source->kinds = adg_arena_array(&source->arena, MAX_COLUMNS, sizeof *source->kinds);
    source->casts = adg_arena_array(&source->arena, MAX_COLUMNS, sizeof *source->casts);
    enum adg_status status = source->names == NULL || source->kinds == NULL || source->casts == NULL
                                 ? adg_fail_memory(error)
                                 : ADG_OK;
    if (status == ADG_OK && files->format == ADG_SOURCE_CSV) {
        status = adg_csv_open(files->paths[0], &source->csv, error);
        for (uint32_t i = 0; status == ADG_OK && i < adg_csv_column_count(source->csv); i++) {
            const char *name = adg_csv_column(source->csv, i);
            source->casts[i] = "";
            status = adg_source_add_column(source, MAX_COLUMNS, name, strlen(name), error);
        }
    } else if (status == ADG_OK) {
        status = describe_parquet(source, MAX_COLUMNS, error);
    }
    if (status == ADG_OK) {
        const struct adg_columns columns = {adg_source_name(source), source->names, source->column_count};
        status = adg_columns_differ(&columns, error);
    }
    if (status != ADG_OK) {
        adg_source_free(source);
        return status;
    }
    *out = source;
    return ADG_OK;
}

void adg_source_free(struct adg_source *source)
{
    if (source != NULL) {
        adg_csv_free(source->csv);
        adg_engine_result_free(source->result);
        adg_arena_fini(&source->arena);
        adg_free(source);
    }
}

uint32_t adg_source_column_count(const struct adg_source *source)
{
    return source->column_count;
}

const char *adg_source_column(const struct adg_source *source, uint32_t column)
{
    return source->names[column];
}

const char *adg_source_name(const struct adg_source *source)
{
    return source->table != NULL ? source->table : source->files->paths[0];
}

const char *adg_source_position_word(const struct adg_source *source)
{
    return source->csv != NULL ? "line" : "row";
}

uint64_t adg_source_position(const struct adg_source *source, uint32_t row)
{
    return source->csv != NULL ? adg_csv_line(source->csv, row) : source->row + row + 1;
}

/* Columns without a value, which the files' own statistics tell: reading them would cost as much as the others. Columns of several
 * files are one when their names differ in case only. */
static enum adg_status find_empty_columns(struct adg_source *source, bool *empty, struct adg_error *error)
{
    struct adg_buffer sql = {0};
    struct adg_engine_result *result = NULL;
    bool has_row = true;
    enum adg_status status = adg_buffer_append_text(&sql, "select lower(path_in_schema) from parquet_metadata(", error);
    if (status == ADG_OK) {
        status = adg_sql_list(&sql, source->files->paths, source->files->count, error);
    }
    if (status == ADG_OK) {
        status = adg_buffer_append_text(&sql,
                                        ") group by 1 having count(*) = count(stats_null_count) and "
                                        "sum(stats_null_count) = sum(num_values)",
                                        error);
    }
    const char *text = status == ADG_OK ? adg_buffer_text(&sql) : NULL;
    if (status == ADG_OK) {
        status = text == NULL ? adg_fail_memory(error)
                              : adg_engine_query(source->engine, text, adg_source_name(source), &result, error);
    }
    while (status == ADG_OK) {
        status = adg_engine_next(result, &has_row, error);
        if (status != ADG_OK || !has_row) {
            break;
        }
        struct adg_span name = adg_engine_text(result, 0);
        for (uint32_t c = 0; c < source->column_count; c++) {
            empty[c] = empty[c] || (strlen(source->names[c]) == name.size &&
                                    strncasecmp(source->names[c], (const char *)name.data, name.size) == 0);
        }
    }
    adg_engine_result_free(result);
    adg_buffer_fini(&sql);
    return status;
}

/* What the files say of their rows: a driver may end a stream early and call that success. */
static enum adg_status read_expected_rows(struct adg_source *source, struct adg_error *error)
{
    struct adg_buffer sql = {0};
    struct adg_engine_result *result = NULL;
    bool has_row = false;
    enum adg_status status = adg_buffer_append_text(
        &sql, "select cast(sum(num_rows) as bigint) from parquet_file_metadata(", error);
    if (status == ADG_OK) {
        status = adg_sql_list(&sql, source->files->paths, source->files->count, error);
    }
    if (status == ADG_OK) {
        status = adg_buffer_append(&sql, ")", 2, error);
    }
    if (status == ADG_OK) {
        status = adg_engine_query(source->engine, (const char *)sql.data, adg_source_name(source), &result, error);
    }
    if (status == ADG_OK) {
        status = adg_engine_next(result, &has_row, error);
    }
    if (status == ADG_OK && has_row) {
        source->expected_rows = (uint64_t)adg_engine_int(result, 0);
    }
    adg_engine_result_free(result);
    adg_buffer_fini(&sql);
    return status;
}

/* The query's next column, converted where its type is not one that is read as it is. */
static enum adg_status put_column(const struct adg_source *source, uint32_t column, struct adg_buffer *sql,
                                  struct adg_error *error)
{
    const char *cast = source->casts[column];
    bool plain = cast[0] == '\0', is_float = source->kinds[column] == ADG_SOURCE_DOUBLE && !plain;
    enum adg_status status = adg_buffer_append_text(sql, is_float ? ", cast(cast(" : plain ? ", " : ", cast(", error);
    if (status == ADG_OK) {
        status = adg_sql_identifier(sql, source->names[column], error);
    }
    if (status == ADG_OK && !plain) { /* a float's shortest text, not its binary value, is what it stands for */
        status = adg_buffer_printf(sql, error, " as %s)%s", cast, is_float ? " as double)" : "");
    }
    return status;
}

enum adg_status adg_source_refuse_column(const struct adg_source *source, uint32_t column, struct adg_error *error)
{
    return adg_fail(error, ADG_BAD_INPUT, "%s: column %s has a type that no field can have", adg_source_name(source),
                    source->names[column]);
}

static enum adg_status select_parquet(struct adg_source *source, struct adg_error *error)
{
    struct adg_buffer sql = {0};
    int64_t place = 1; /* behind a constant, so that rows without any column are counted */
    bool *empty = adg_arena_array(&source->arena, source->column_count + (size_t)1, sizeof *empty);
    enum adg_status status = empty == NULL ? adg_fail_memory(error) : ADG_OK;
    for (uint32_t i = 0; i < source->selected_count && status == ADG_OK; i++) {
        if (source->casts[source->selected[i]] == NULL) {
            status = adg_source_refuse_column(source, source->selected[i], error);
        }
    }
    if (status == ADG_OK) {
        status = find_empty_columns(source, empty, error);
    }
    if (status == ADG_OK) {
        status = read_expected_rows(source, error);
    }
    if (status == ADG_OK) {
        status = adg_buffer_append_text(&sql, "select 1", error);
    }
    for (uint32_t i = 0; i < source->selected_count && status == ADG_OK; i++) {
        bool skipped = empty[source->selected[i]];
        source->places[i] = skipped ? -1 : place++;
        status = skipped ? ADG_OK : put_column(source, source->selected[i], &sql, error);
    }
    if (status == ADG_OK) {
        status = put_files(source, &sql, error);
    }
    const char *text = status == ADG_OK ? adg_buffer_text(&sql) : NULL;
    if (status == ADG_OK) {
        status = text == NULL ? adg_fail_memory(error)
                              : adg_engine_query(source->engine, text, adg_source_name(source), &source->result, error);
    }
    adg_buffer_fini(&sql);
    return status;
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */

enum adg_status adg_source_select(struct adg_source *source, const uint32_t *columns, uint32_t count,
                                  struct adg_error *error)
{
    source->selected = adg_arena_array(&source->arena, count, sizeof *source->selected);
    source->places = adg_arena_array(&source->arena, count, sizeof *source->places);
    if (source->selected == NULL || source->places == NULL) {
        return adg_fail_memory(error);
    }
    memcpy(source->selected, columns, count * sizeof *columns);
    source->selected_count = count;
    if (source->table != NULL) {
        return adg_source_select_table(source, error);
    }
    return source->csv != NULL ? ADG_OK : select_parquet(source, error);
}

enum adg_status adg_source_next(struct adg_source *source, uint32_t *rows, struct adg_error *error)
{
    enum adg_status status = ADG_OK;
    if (source->csv != NULL) {
        status = adg_csv_next(source->csv, ADG_SOURCE_ROWS, &source->fields, &source->rows, error);
        *rows = source->rows;
        return status;
    }
    source->row += source->rows;
    source->batch_first += source->rows;
    if (source->batch_first == source->batch_rows) {
        status = adg_engine_next_batch(source->result, &source->batch_rows, error);
        source->batch_first = 0;
    }
    uint32_t left = source->batch_rows - source->batch_first;
    *rows = source->rows = left < ADG_SOURCE_ROWS ? left : ADG_SOURCE_ROWS;
    if (status == ADG_OK && left == 0 && source->table == NULL && source->row != source->expected_rows) {
        status = adg_fail(error, ADG_FAILED, "%s: the engine gave fewer rows than the files have",
                          adg_source_name(source));
    }
    return status;
}

static uint32_t read_csv(struct adg_source *source, uint32_t column)
{
    uint32_t filled = 0;
    for (uint32_t r = 0; r < source->rows; r++) {
        struct adg_span text = source->fields[(size_t)r * source->column_count + column];
        source->texts[r] = text.size > 0 ? text : (struct adg_span){NULL, 0};
        filled += text.size > 0;
    }
    return filled;
}

void adg_source_read(struct adg_source *source, uint32_t selected, struct adg_source_cells *out)
{
    uint32_t column = source->selected[selected], at = (uint32_t)source->places[selected];
    struct adg_source_cells cells = {.kind = source->csv != NULL ? ADG_SOURCE_TEXT : source->kinds[column],
                                     .texts = source->texts,
                                     .integers = source->integers,
                                     .numbers = source->numbers,
                                     .nulls = source->nulls};
    if (source->csv != NULL) {
        cells.filled = read_csv(source, column);
    } else if (source->places[selected] < 0) {
        cells.filled = 0;
    } else if (cells.kind == ADG_SOURCE_TEXT || cells.kind == ADG_SOURCE_DECIMAL) {
        cells.filled = adg_engine_read_texts(source->result, at, source->batch_first, source->rows, source->texts);
    } else if (cells.kind == ADG_SOURCE_DOUBLE) {
        cells.filled = adg_engine_read_doubles(source->result, at, source->batch_first, source->rows, source->numbers,
                                               source->nulls);
        bool is_float = source->table != NULL && source->columns[column] == ADG_COLUMN_FLOAT;
        for (uint32_t r = 0; is_float && r < source->rows; r++) {
            source->numbers[r] = adg_float_meaning((float)source->numbers[r]);
        }
    } else {
        cells.filled = adg_engine_read_ints(source->result, at, source->batch_first, source->rows, source->integers,
                                            source->nulls);
    }
    *out = cells;
}

struct adg_source_value adg_source_cell(const struct adg_source_cells *cells, uint32_t row)
{
    bool text = cells->kind == ADG_SOURCE_TEXT || cells->kind == ADG_SOURCE_DECIMAL;
    struct adg_source_value value = {.kind = cells->kind, .null = true};
    if (cells->filled == 0 || (text ? cells->texts[row].data == NULL : cells->nulls[row])) {
        return value;
    }
    value.null = false;
    if (text) {
        value.text = cells->texts[row];
    } else if (cells->kind == ADG_SOURCE_DOUBLE) {
        value.number = cells->numbers[row];
    } else {
        value.integer = cells->integers[row];
    }
    return value;
}
