/*
 * Rows of a table of a database, read as those of files are: see adg_source_open_table. Values come as reading.h makes them for text
 * fields, so that those of every engine are the same.
 */
#include <inttypes.h>
#include <string.h>

#include "core/memory.h"
#include "scrape/internal.h"
#include "scrape/query.h"
#include "scrape/reading.h"
#include "scrape/source_parts.h"

/* As what a column's values come, and the expression that gives them. */
static const char *read_column(struct adg_source *source, struct adg_sql *sql, uint32_t column)
{
    const struct adg_field field = {.type = source->columns[column] == ADG_COLUMN_BOOLEAN ? ADG_TYPE_BOOLEAN
                                                                                          : ADG_TYPE_STRING};
    struct adg_buffer name = {0};
    struct adg_reading reading = {0};
    if (sql->status == ADG_OK) {
        sql->status = adg_dialect_identifier(sql->dialect, &name, source->names[column], strlen(source->names[column]),
                                             sql->error);
    }
    const char *quoted = sql->status == ADG_OK ? adg_arena_strndup(sql->arena, (const char *)name.data, name.size) : "";
    adg_buffer_fini(&name);
    if (quoted == NULL) {
        sql->status = adg_fail_memory(sql->error);
        return "";
    }
    adg_reading_make(sql, quoted, source->columns[column], &field, &reading);
    source->kinds[column] = source->columns[column] == ADG_COLUMN_BOOLEAN   ? ADG_SOURCE_BOOLEAN
                            : source->columns[column] == ADG_COLUMN_DECIMAL ? ADG_SOURCE_DECIMAL
                                                                            : reading.kind;
    return reading.value;
}

enum adg_status adg_source_select_table(struct adg_source *source, struct adg_error *error)
{
    struct adg_sql sql = {.dialect = adg_engine_dialect(source->engine), .arena = &source->arena, .error = error};
    struct adg_buffer text = {0};
    enum adg_status status = adg_buffer_append_text(&text, "select 1 as c", error);
    for (uint32_t i = 0; i < source->selected_count && status == ADG_OK; i++) {
        uint32_t column = source->selected[i];
        if (source->columns[column] == ADG_COLUMN_OTHER) {
            status = adg_source_refuse_column(source, column, error);
            break;
        }
        const char *value = read_column(source, &sql, column);
        source->places[i] = i + (int64_t)1;
        status = sql.status == ADG_OK ? adg_buffer_printf(&text, error, ", %s as c%u", value, i) : sql.status;
    }
    if (status == ADG_OK) {
        status = adg_buffer_append_text(&text, " from ", error);
    }
    if (status == ADG_OK) {
        status = adg_dialect_table(sql.dialect, &text, source->table, error);
    }
    if (status == ADG_OK) {
        status = adg_buffer_printf(&text, error, " limit %" PRIu64, source->most_rows);
    }
    const char *made = status == ADG_OK ? adg_buffer_text(&text) : NULL;
    if (status == ADG_OK) {
        status = made == NULL ? adg_fail_memory(error)
                              : adg_engine_query(source->engine, made, source->table, &source->result, error);
    }
    adg_buffer_fini(&text);
    return status;
}

static enum adg_status describe_table(struct adg_source *source, struct adg_error *error)
{
    struct adg_engine_result *result = NULL;
    bool found = false;
    enum adg_status status = adg_engine_has_table(source->engine, source->table, &found, error);
    if (status == ADG_OK && !found) {
        return adg_fail(error, ADG_BAD_INPUT, "%s: there is no such table, or no right to read it", source->table);
    }
    if (status == ADG_OK) {
        status = adg_engine_describe_table(source->engine, source->table, &result, error);
    }
    uint32_t count = status == ADG_OK ? adg_engine_column_count(result) : 0;
    if (status == ADG_OK) {
        source->names = adg_arena_array(&source->arena, count, sizeof *source->names);
        source->kinds = adg_arena_array(&source->arena, count, sizeof *source->kinds);
        source->columns = adg_arena_array(&source->arena, count, sizeof *source->columns);
        status = source->names == NULL || source->kinds == NULL || source->columns == NULL ? adg_fail_memory(error)
                                                                                           : ADG_OK;
    }
    for (uint32_t c = 0; c < count && status == ADG_OK; c++) {
        const char *name = adg_engine_column(result, c, &source->columns[c]);
        status = adg_source_add_column(source, count, name, strlen(name), error);
    }
    adg_engine_result_free(result);
    return status;
}

enum adg_status adg_source_open_table(const char *table, uint64_t rows, struct adg_engine *engine,
                                      struct adg_source **out, struct adg_error *error)
{
    struct adg_source *source = adg_alloc_zero(1, sizeof *source);
    if (source == NULL) {
        return adg_fail_memory(error);
    }
    source->table = table;
    source->most_rows = rows;
    source->engine = engine;
    enum adg_status status = describe_table(source, error);
    if (status == ADG_OK) {
        const struct adg_columns columns = {table, source->names, source->column_count};
        status = adg_columns_differ(&columns, error);
    }
    if (status != ADG_OK) {
        adg_source_free(source);
        return status;
    }
    *out = source;
    return ADG_OK;
}
