/*
 * Tables in a database: which there are, and how their columns are named in queries. Columns may come in any order, their names in any
 * case, as databases keep them; each must be of the kind that its field has.
 */
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "core/stop.h"
#include "qa/internal.h"

/* ---- finding ----------------------------------------------------------------------------------------------------- */

static enum adg_status check_names(const struct adg_qa_options *options, struct adg_error *error)
{
    enum adg_status status = ADG_OK;
    for (uint32_t i = 0; i < options->table_count && status == ADG_OK; i++) {
        status = adg_definition_find_table(options->definition, options->tables[i], NULL, NULL, error);
    }
    return status;
}

/* The place of a table in the options, table_count where it was not asked for. */
static uint32_t place_of(const struct adg_qa_options *options, const char *table)
{
    uint32_t i = 0;
    while (i < options->table_count && strcmp(options->tables[i], table) != 0) {
        i++;
    }
    return i;
}

/* A table that was not given another name is looked for under the one that `generate` gives it, and its own. */
static enum adg_status look_for(struct adg_engine *engine, struct adg_qa *qa, const char *name, const char **relation,
                                bool *found, struct adg_error *error)
{
    struct adg_buffer made = {0};
    enum adg_status status = adg_buffer_printf(&made, error, "artificial_%s", name);
    if (status == ADG_OK) {
        *relation = adg_arena_strndup(&qa->arena, (const char *)made.data, made.size);
        status = *relation == NULL ? adg_fail_memory(error) : adg_engine_has_table(engine, *relation, found, error);
    }
    if (status == ADG_OK && !*found) {
        *relation = name;
        status = adg_engine_has_table(engine, name, found, error);
    }
    adg_buffer_fini(&made);
    return status;
}

/* One table, if it was asked for or nothing was and the database has it. */
static enum adg_status find_relation(const struct adg_qa_options *options, struct adg_engine *engine, const char *name,
                                     struct adg_qa *qa, struct adg_error *error)
{
    uint32_t place = place_of(options, name);
    bool asked = place < options->table_count, found = false;
    const char *relation = asked ? options->relations[place] : NULL;
    if (!asked && options->table_count > 0) {
        return ADG_OK;
    }
    enum adg_status status = adg_stop_check(error);
    if (status == ADG_OK) {
        status = relation == NULL ? look_for(engine, qa, name, &relation, &found, error)
                                  : adg_engine_has_table(engine, relation, &found, error);
    }
    if (status == ADG_OK && asked && !found) {
        status = adg_fail(error, ADG_BAD_INPUT, "table %s: %s: there is no such table", name, relation);
    }
    if (status == ADG_OK && found) {
        qa->tables[qa->table_count++] = (struct adg_qa_table){.table = name, .relation = relation, .passed = true};
    }
    return status;
}

enum adg_status adg_qa_find_relations(const struct adg_qa_options *options, struct adg_engine *engine,
                                      struct adg_qa *qa, struct adg_error *error)
{
    const struct adg_definition *definition = options->definition;
    uint32_t most = 0;
    for (uint32_t d = 0; d < definition->dataset_count; d++) {
        most += definition->datasets[d].table_count;
    }
    qa->tables = adg_arena_array(&qa->arena, most, sizeof *qa->tables);
    enum adg_status status = qa->tables == NULL ? adg_fail_memory(error) : check_names(options, error);
    for (uint32_t d = 0; d < definition->dataset_count; d++) {
        for (uint32_t t = 0; t < definition->datasets[d].table_count && status == ADG_OK; t++) {
            status = find_relation(options, engine, definition->datasets[d].tables[t].name, qa, error);
        }
    }
    return status == ADG_OK && qa->table_count == 0
               ? adg_fail(error, ADG_BAD_INPUT, "the database holds no table of dataset %s where the connection looks",
                          definition->name)
               : status;
}

/* ---- provenance -------------------------------------------------------------------------------------------------- */

/* A line for each run whose rows are there: words, and an object as in provenance.json. Others are somebody's own. */
static enum adg_status read_lines(struct adg_span text, json_t **out, struct adg_error *error)
{
    json_t *entries = json_array();
    size_t at = 0;
    bool kept = entries != NULL;
    while (kept && at < text.size) {
        const char *line = (const char *)text.data + at, *end = memchr(line, '\n', text.size - at);
        size_t size = end != NULL ? (size_t)(end - line) : text.size - at;
        const char *object = memchr(line, '{', size);
        json_t *entry = object != NULL ? json_loadb(object, size - (size_t)(object - line), 0, NULL) : NULL;
        kept = entry == NULL || json_array_append_new(entries, entry) == 0;
        at += size + 1;
    }
    if (!kept) {
        json_decref(entries);
        return adg_fail_memory(error);
    }
    *out = entries;
    return ADG_OK;
}

enum adg_status adg_qa_read_comment(struct adg_qa_context *context, struct adg_error *error)
{
    struct adg_sql *sql = &context->sql;
    struct adg_engine_result *result = NULL;
    bool has_row = false;
    if (sql->dialect->comment == NULL) {
        return ADG_OK;
    }
    const char *query = ADG_SQL(sql, sql->dialect->comment,
                                adg_sql_quote(sql, adg_sql_table(sql, context->table->relation)));
    enum adg_status status = sql->status;
    if (status == ADG_OK) {
        status = adg_engine_query(context->engine, query, "reading the table's comment", &result, error);
    }
    if (status == ADG_OK) {
        status = adg_engine_next(result, &has_row, error);
    }
    if (status == ADG_OK && has_row && !adg_engine_is_null(result, 0)) {
        status = read_lines(adg_engine_text(result, 0), &context->table->provenance, error);
    }
    adg_engine_result_free(result);
    return status;
}

/* ---- opening ----------------------------------------------------------------------------------------------------- */

static const char *kind_name(enum adg_result_kind kind)
{
    static const char *const names[] = {
        [ADG_COLUMN_TEXT] = "text",           [ADG_COLUMN_INT] = "whole number",
        [ADG_COLUMN_DECIMAL] = "decimal",     [ADG_COLUMN_FLOAT] = "float of four bytes",
        [ADG_COLUMN_DOUBLE] = "double",       [ADG_COLUMN_DATE] = "date",
        [ADG_COLUMN_TIMESTAMP] = "timestamp", [ADG_COLUMN_ZONED] = "timestamp with a time zone",
        [ADG_COLUMN_BOOLEAN] = "boolean",     [ADG_COLUMN_OTHER] = "one that no field can have",
    };
    return names[kind];
}

static enum adg_result_kind kind_of(const struct adg_field *field)
{
    switch (field->type) {
    case ADG_TYPE_INT32:
    case ADG_TYPE_INT64:
        return ADG_COLUMN_INT;
    case ADG_TYPE_DOUBLE:
        return ADG_COLUMN_DOUBLE;
    case ADG_TYPE_DATE:
        return ADG_COLUMN_DATE;
    case ADG_TYPE_TIMESTAMP:
        return ADG_COLUMN_TIMESTAMP;
    case ADG_TYPE_BOOLEAN:
        return ADG_COLUMN_BOOLEAN;
    case ADG_TYPE_DECIMAL:
        return ADG_COLUMN_DECIMAL;
    case ADG_TYPE_STRING:
        break;
    }
    return ADG_COLUMN_TEXT;
}

struct opening {
    struct adg_qa_context *context;
    const struct adg_dataset *dataset;
    bool tell, good;
    const char **columns;
    bool *zoned;
};

static int64_t field_of(const struct adg_dataset *dataset, const char *column)
{
    for (uint32_t f = 0; f < dataset->field_count; f++) {
        if (strcasecmp(dataset->fields[f].name, column) == 0) {
            return f;
        }
    }
    return -1;
}

static enum adg_status take_column(struct opening *opening, const char *column, enum adg_result_kind kind,
                                   struct adg_error *error)
{
    struct adg_sql *sql = &opening->context->sql;
    int64_t f = field_of(opening->dataset, column);
    if (f < 0 || opening->columns[f] != NULL) {
        opening->good = false;
        return opening->tell ? adg_qa_find(opening->context, NULL, "schema", error, "column %.100s is %s", column,
                                           f < 0 ? "not the definition's" : "there twice, in different case")
                             : ADG_OK;
    }
    const struct adg_field *field = &opening->dataset->fields[f];
    enum adg_result_kind wanted = kind_of(field);
    const char *name = adg_sql_name(sql, column);
    opening->zoned[f] = kind == ADG_COLUMN_ZONED;
    opening->columns[f] = wanted == ADG_COLUMN_TEXT ? ADG_SQL(sql, sql->dialect->by_bytes,
                                                              ADG_SQL(sql, "cast($1 as $2)", name, sql->dialect->text))
                                                    : name;
    if (kind == wanted || (kind == ADG_COLUMN_ZONED && wanted == ADG_COLUMN_TIMESTAMP)) {
        return sql->status;
    }
    opening->good = false;
    return opening->tell ? adg_qa_find(opening->context, field->name, "schema", error,
                                       "the column's type is %s, expected %s", kind_name(kind), kind_name(wanted))
                         : ADG_OK;
}

static enum adg_status take_columns(struct opening *opening, const char *relation, struct adg_error *error)
{
    struct adg_engine_result *result = NULL;
    enum adg_status status = adg_engine_describe_table(opening->context->engine, relation, &result, error);
    uint32_t count = status == ADG_OK ? adg_engine_column_count(result) : 0;
    for (uint32_t c = 0; c < count && status == ADG_OK; c++) {
        enum adg_result_kind kind = ADG_COLUMN_OTHER;
        const char *column = adg_engine_column(result, c, &kind);
        status = take_column(opening, column, kind, error);
    }
    adg_engine_result_free(result);
    for (uint32_t f = 0; f < opening->dataset->field_count && status == ADG_OK; f++) {
        if (opening->columns[f] == NULL) {
            opening->good = false;
            status = opening->tell ? adg_qa_find(opening->context, NULL, "schema", error, "column %s is missing",
                                                 opening->dataset->fields[f].name)
                                   : ADG_OK;
        }
    }
    return status;
}

/* A database's decimals do not say how many digits they have behind the point: none has more than the definition's. */
static enum adg_status check_decimals(struct opening *opening, struct adg_error *error)
{
    struct adg_qa_context *context = opening->context;
    enum adg_status status = ADG_OK;
    for (uint32_t f = 0; f < opening->dataset->field_count && status == ADG_OK; f++) {
        uint64_t wrong = 0;
        if (opening->dataset->fields[f].type != ADG_TYPE_DECIMAL) {
            continue;
        }
        const char *query = ADG_SQL(&context->sql, "select count(*) from $1 where floor($2) <> $2", context->rows.from,
                                    adg_qa_scaled(context, f));
        status = adg_qa_count(context, query, opening->dataset->fields[f].name, &wrong, error);
        if (status == ADG_OK && wrong > 0) {
            opening->good = false;
            status = adg_qa_find(context, opening->dataset->fields[f].name, "schema", error,
                                 "%" PRIu64 " rows have more than %u digits behind the point", wrong,
                                 opening->dataset->fields[f].scale);
        }
    }
    return status;
}

enum adg_status adg_qa_open_relation(struct adg_qa_context *context, const struct adg_qa_table *table,
                                     const struct adg_dataset *dataset, bool tell, struct adg_qa_rows *out, bool *good,
                                     struct adg_error *error)
{
    struct adg_sql *sql = &context->sql;
    struct opening opening = {.context = context,
                              .dataset = dataset,
                              .tell = tell,
                              .good = true,
                              .columns = adg_arena_array(sql->arena, dataset->field_count, sizeof *opening.columns),
                              .zoned = adg_arena_array(sql->arena, dataset->field_count, sizeof *opening.zoned)};
    enum adg_status status = opening.columns == NULL || opening.zoned == NULL
                                 ? adg_fail_memory(error)
                                 : take_columns(&opening, table->relation, error);
    if (status == ADG_OK && opening.good) {
        *out = (struct adg_qa_rows){adg_sql_table(sql, table->relation), opening.columns, opening.zoned};
        status = sql->status;
    }
    if (status == ADG_OK && opening.good && tell) {
        status = check_decimals(&opening, error);
    }
    *good = opening.good;
    return status;
}
