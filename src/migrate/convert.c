/*
 * Converting a file: see convert.h.
 */
#include "migrate/convert.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/memory.h"

/* The engine's name of a field's type. */
static void type_of(const struct adg_field *field, char out[24])
{
    static const char *const names[] = {
        [ADG_TYPE_STRING] = "VARCHAR", [ADG_TYPE_INT32] = "INTEGER", [ADG_TYPE_INT64] = "BIGINT",
        [ADG_TYPE_DOUBLE] = "DOUBLE",  [ADG_TYPE_DATE] = "DATE",     [ADG_TYPE_TIMESTAMP] = "TIMESTAMP",
        [ADG_TYPE_BOOLEAN] = "BOOLEAN"};
    if (field->type == ADG_TYPE_DECIMAL) {
        snprintf(out, 24, "DECIMAL(%u,%u)", field->precision, field->scale);
    } else {
        snprintf(out, 24, "%s", names[field->type]);
    }
}

static bool is_type(struct adg_span found, const char *wanted)
{
    size_t size = strlen(wanted);
    bool is_moment = strcmp(wanted, "TIMESTAMP") == 0; /* with a time zone or without */
    return (found.size == size || (is_moment && found.size > size)) && memcmp(found.data, wanted, size) == 0;
}

static struct adg_sql begin(const struct adg_conversion *conversion, struct adg_error *error)
{
    return (struct adg_sql){.dialect = adg_dialect_find("duckdb"), .arena = conversion->arena, .error = error};
}

/* A file as a relation, whose columns are its own, whatever its folder is called: of CSV everything is text, the empty one null. */
static const char *relation_of(const struct adg_conversion *conversion, struct adg_sql *sql, const char *path)
{
    return ADG_SQL(sql,
                   conversion->csv ? "read_csv($1, header = true, all_varchar = true, delim = ',', quote = '\"', "
                                     "escape = '\"', nullstr = '', skip = 0, comment = '', hive_partitioning = false)"
                                   : "read_parquet($1, hive_partitioning = false)",
                   adg_sql_quote(sql, path));
}

static enum adg_status query(const struct adg_conversion *conversion, const struct adg_sql *sql, const char *text,
                             const char *doing, struct adg_engine_result **out, struct adg_error *error)
{
    return sql->status == ADG_OK ? adg_engine_query(conversion->engine, text, doing, out, error) : sql->status;
}

enum adg_status adg_conversion_open_engine(struct adg_conversion *conversions, uint32_t count, const char *spill,
                                           struct adg_engine **out, struct adg_error *error)
{
    const char **files = adg_alloc_array(count, 2 * sizeof *files);
    if (files == NULL) {
        return adg_fail_memory(error);
    }
    for (uint32_t i = 0; i < count; i++) {
        files[2 * (size_t)i] = conversions[i].file;
        files[2 * (size_t)i + 1] = conversions[i].fresh;
    }
    const struct adg_engine_options options = {.threads = 1,
                                               .memory_bytes = UINT64_C(512) << 20,
                                               .folder = spill,
                                               .readable = files, /* and written */
                                               .readable_count = 2 * count};
    enum adg_status status = adg_engine_open(&options, out, error);
    for (uint32_t i = 0; i < count && status == ADG_OK; i++) {
        conversions[i].engine = *out;
    }
    adg_free(files);
    return status;
}

/* ---- columns ----------------------------------------------------------------------------------------------------- */

static bool is_visible(const struct adg_conversion *conversion, const char *name)
{
    bool is = conversion->visible == NULL;
    for (uint32_t i = 0; i < conversion->visible_count && !is; i++) {
        is = strcasecmp(conversion->visible[i], name) == 0;
    }
    return is;
}

/* The next column, in its place. */
static enum adg_status take_column(struct adg_conversion *conversion, const struct adg_engine_result *result,
                                   uint32_t place, struct adg_buffer *unknown, struct adg_error *error)
{
    struct adg_span name = adg_engine_text(result, 0), type = adg_engine_text(result, 1);
    const char *text = adg_arena_strndup(conversion->arena, (const char *)name.data, name.size);
    const char *type_text = adg_arena_strndup(conversion->arena, (const char *)type.data, type.size);
    if (text == NULL || type_text == NULL) {
        return adg_fail_memory(error);
    }
    int64_t at = adg_dataset_find_field(conversion->dataset, text);
    if (!is_visible(conversion, text)) {
        return ADG_OK;
    }
    if (at < 0) {
        conversion->current = false;
        return conversion->visible != NULL
                   ? ADG_OK
                   : adg_buffer_printf(unknown, error, "%s%s", unknown->size > 0 ? ", " : "", text);
    }
    const struct adg_field *field = &conversion->dataset->fields[at];
    char wanted[24];
    type_of(field, wanted);
    conversion->sources[at] = text;
    conversion->types[at] = type_text;
    conversion->current = conversion->current && at == (int64_t)place && strcmp(text, field->name) == 0 &&
                          (conversion->csv || is_type(type, wanted));
    return ADG_OK;
}

enum adg_status adg_conversion_tell_unknown(const struct adg_conversion *conversion, struct adg_buffer *unknown,
                                            struct adg_error *error)
{
    struct adg_buffer line = {0};
    const char *names = adg_buffer_text(unknown);
    enum adg_status status = names == NULL
                                 ? adg_fail_memory(error)
                                 : adg_buffer_printf(&line, error,
                                                     "%s: left out, since the definition does not know them: %s",
                                                     conversion->file, names);
    if (status == ADG_OK && adg_buffer_text(&line) != NULL) {
        conversion->warn(conversion->context, adg_buffer_text(&line));
    }
    adg_buffer_fini(&line);
    return status;
}

enum adg_status adg_conversion_no_key(const struct adg_conversion *conversion, struct adg_error *error)
{
    const struct adg_dataset *dataset = conversion->dataset;
    return adg_fail(error, ADG_BAD_INPUT, "%s: it has no column %s, the primary key: no table of this dataset",
                    conversion->file, dataset->fields[dataset->primary_key].name);
}

enum adg_status adg_conversion_describe(struct adg_conversion *conversion, struct adg_error *error)
{
    uint32_t fields = conversion->dataset->field_count, place = 0;
    struct adg_buffer unknown = {0};
    struct adg_sql sql = begin(conversion, error);
    struct adg_engine_result *result = NULL;
    bool has_row = true;
    conversion->sources = adg_arena_array(conversion->arena, fields, sizeof *conversion->sources);
    conversion->types = adg_arena_array(conversion->arena, fields, sizeof *conversion->types);
    conversion->misfits = adg_arena_array(conversion->arena, fields, sizeof *conversion->misfits);
    conversion->current = true;
    const char *text = ADG_SQL(&sql, "select column_name, column_type from (describe select * from $1)",
                               conversion->relation);
    enum adg_status status = conversion->sources == NULL || conversion->types == NULL || conversion->misfits == NULL
                                 ? adg_fail_memory(error)
                                 : query(conversion, &sql, text, conversion->file, &result, error);
    while (status == ADG_OK) {
        status = adg_engine_next(result, &has_row, error);
        if (status != ADG_OK || !has_row) {
            break;
        }
        status = take_column(conversion, result, place++, &unknown, error);
    }
    conversion->current = conversion->current && place == fields;
    if (status == ADG_OK && conversion->sources[conversion->dataset->primary_key] == NULL) {
        status = adg_conversion_no_key(conversion, error);
    }
    if (status == ADG_OK && unknown.size > 0) {
        status = adg_conversion_tell_unknown(conversion, &unknown, error);
    }
    adg_engine_result_free(result);
    adg_buffer_fini(&unknown);
    return status;
}

enum adg_status adg_conversion_open(struct adg_conversion *conversion, struct adg_error *error)
{
    struct adg_sql sql = begin(conversion, error);
    conversion->relation = relation_of(conversion, &sql, conversion->file);
    return sql.status == ADG_OK ? adg_conversion_describe(conversion, error) : sql.status;
}

/* ---- values ------------------------------------------------------------------------------------------------------ */

static bool is_exact(const struct adg_field *field)
{
    return field->type == ADG_TYPE_INT32 || field->type == ADG_TYPE_INT64 || field->type == ADG_TYPE_DECIMAL;
}

/* A zone other than that of UTC would move a moment. */
#define DAY "[0-9]{4}-[0-9]{2}-[0-9]{2}"
#define UTC "(Z|[+]00(:?00)?)?"

/* Whether a text is no such value although the engine takes it for one: it has the day of "2020-01-05 23:59", of "2020-01-05x" and of
 * "epoch", and an infinity for a number that is too large. */
static const char *has_other_form(struct adg_sql *sql, enum adg_type type, const char *column)
{
    switch (type) {
    case ADG_TYPE_DATE:
        return ADG_SQL(sql, "not regexp_full_match($1, ' *" DAY "([ T]00:00(:00([.]0*)?)?" UTC ")? *')", column);
    case ADG_TYPE_TIMESTAMP:
        return ADG_SQL(sql,
                       "not regexp_full_match($1, ' *" DAY "([ T][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{0,6}0*)?)?" UTC
                       ")? *')",
                       column);
    case ADG_TYPE_DOUBLE:
        return ADG_SQL(sql, "(isinf(try_cast($1 as double)) and regexp_matches($1, '[0-9]'))", column);
    default:
        return "false";
    }
}

/* Whether text is there that is no such value. Of a number its digits show it; one with an exponent counts as the same when both are equal
 * as decimals of as many digits as any has. */
static const char *text_misfits(struct adg_sql *sql, const struct adg_field *field, const char *column,
                                const char *type)
{
    const char *is_none = ADG_SQL(sql, "try_cast($1 as $2) is null", column, type);
    if (!is_exact(field)) {
        return ADG_SQL(sql, "(nullif($1, '') is not null and ($2 or $3))", column, is_none,
                       has_other_form(sql, field->type, column));
    }
    const char *fits = ADG_SQL(sql, "regexp_full_match($1, ' *[+-]?[0-9]*([.][0-9]{0,$2}0*)? *')", column,
                               adg_sql_number(sql, field->type == ADG_TYPE_DECIMAL ? field->scale : 0));
    return ADG_SQL(sql,
                   "(case when nullif($1, '') is null then false when $2 then $3 when regexp_full_match($1, "
                   "' *[+-]?[0-9]*[.]?[0-9]* *') then true else $3 or try_cast($1 as decimal(38,19)) is distinct from "
                   "try_cast(try_cast($1 as $4) as decimal(38,19)) end)",
                   column, fits, is_none, type);
}

/* The value of a field from its old column, or whether one is there that does not fit. A text that is empty is null for all but text. */
static const char *value_of(const struct adg_conversion *conversion, struct adg_sql *sql, uint32_t index, bool misfit)
{
    const struct adg_field *field = &conversion->dataset->fields[index];
    char type[24];
    type_of(field, type);
    if (conversion->sources[index] == NULL) {
        return misfit ? "false" : ADG_SQL(sql, "cast(null as $1)", conversion->csv ? "VARCHAR" : type);
    }
    const char *column = adg_sql_name(sql, conversion->sources[index]), *old = conversion->types[index];
    bool from_text = strcmp(old, "VARCHAR") == 0, to_text = field->type == ADG_TYPE_STRING;
    bool from_real = strcmp(old, "DOUBLE") == 0 || strcmp(old, "FLOAT") == 0;
    if (from_text && !to_text && misfit) {
        return text_misfits(sql, field, column, type);
    }
    if (conversion->csv && !misfit && !to_text) {
        /* text again: as we write it, or, of numbers with a point and of moments, as it is */
        bool as_is = field->type == ADG_TYPE_DOUBLE || field->type == ADG_TYPE_DECIMAL ||
                     field->type == ADG_TYPE_TIMESTAMP;
        return as_is ? column : ADG_SQL(sql, "cast(try_cast($1 as $2) as VARCHAR)", column, type);
    }
    if (from_text && !to_text) {
        return ADG_SQL(sql, "try_cast(nullif($1, '') as $2)", column, type);
    }
    if (to_text && strcmp(old, "BLOB") == 0) { /* cast to text, it would have four letters for some of its bytes */
        const char *value = ADG_SQL(sql, "try(decode($1))", column);
        return misfit ? ADG_SQL(sql, "($1 is not null and $2 is null)", column, value) : value;
    }
    if (from_real && to_text) { /* a whole number's text has no point, and none has an exponent */
        return misfit ? ADG_SQL(sql, "(cast($1 as varchar) similar to '.*[a-z].*')", column)
                      : ADG_SQL(sql, "regexp_replace(cast($1 as varchar), '[.]0$', '')", column);
    }
    return misfit ? ADG_SQL(sql, "($1 is not null and try_cast(try_cast($1 as $2) as $3) is distinct from $1)", column,
                            type, old)
                  : ADG_SQL(sql, "try_cast($1 as $2)", column, type);
}

/* How many rows change, where the columns are in order already. */
static const char *changed_rows(const struct adg_conversion *conversion, struct adg_sql *sql)
{
    const char *any = "false";
    for (uint32_t i = 0; i < conversion->dataset->field_count && conversion->current; i++) {
        any = ADG_SQL(sql, "$1 or $2 is distinct from $3", any, adg_sql_name(sql, conversion->sources[i]),
                      value_of(conversion, sql, i, false));
    }
    return ADG_SQL(sql, "count(*) filter (where $1)", any);
}

enum adg_status adg_conversion_count(struct adg_conversion *conversion, struct adg_error *error)
{
    const uint32_t fields = conversion->dataset->field_count;
    struct adg_sql sql = begin(conversion, error);
    struct adg_buffer text = {0};
    struct adg_engine_result *result = NULL;
    bool has_row = false;
    if (conversion->counts == NULL) {
        const char *counts = changed_rows(conversion, &sql);
        for (uint32_t i = 0; i < fields; i++) {
            counts = ADG_SQL(&sql, "$1, count(*) filter (where $2)", counts, value_of(conversion, &sql, i, true));
        }
        conversion->counts = counts;
    }
    enum adg_status status = sql.status;
    if (status == ADG_OK) {
        status = adg_buffer_printf(&text, error, "select %s from %s", conversion->counts, conversion->relation);
    }
    const char *query_text = status == ADG_OK ? adg_buffer_text(&text) : NULL;
    if (status == ADG_OK) {
        status = query_text == NULL
                     ? adg_fail_memory(error)
                     : adg_engine_query(conversion->engine, query_text, conversion->file, &result, error);
    }
    status = status == ADG_OK ? adg_engine_next(result, &has_row, error) : status;
    if (status == ADG_OK && has_row) {
        conversion->changed += (uint64_t)adg_engine_int(result, 0);
        for (uint32_t i = 0; i < fields; i++) {
            conversion->misfits[i] += (uint64_t)adg_engine_int(result, i + 1);
        }
    }
    adg_engine_result_free(result);
    adg_buffer_fini(&text);
    return status;
}

enum adg_status adg_conversion_judge(struct adg_conversion *conversion, struct adg_error *error)
{
    struct adg_buffer found = {0};
    enum adg_status status = ADG_OK;
    conversion->current = conversion->current && conversion->changed == 0;
    for (uint32_t i = 0; i < conversion->dataset->field_count && status == ADG_OK; i++) {
        if (conversion->misfits[i] > 0) {
            char type[24];
            adg_type_format(&conversion->dataset->fields[i], type);
            status = adg_buffer_printf(&found, error, "%s%s (%" PRIu64 " as %s)", found.size > 0 ? ", " : "",
                                       conversion->dataset->fields[i].name, conversion->misfits[i], type);
        }
    }
    if (status == ADG_OK && found.size > 0) {
        const char *list = adg_buffer_text(&found);
        status = list == NULL
                     ? adg_fail_memory(error)
                     : adg_fail(error, ADG_BAD_INPUT, "%s: values that do not fit: %s", conversion->file, list);
    }
    adg_buffer_fini(&found);
    return status;
}

enum adg_status adg_conversion_check(struct adg_conversion *conversion, struct adg_error *error)
{
    enum adg_status status = adg_conversion_count(conversion, error);
    return status == ADG_OK ? adg_conversion_judge(conversion, error) : status;
}

/* ---- the new rows ------------------------------------------------------------------------------------------------ */

enum adg_status adg_conversion_columns(struct adg_conversion *conversion, const char **out, struct adg_error *error)
{
    struct adg_sql sql = begin(conversion, error);
    const char *list = "";
    for (uint32_t i = 0; i < conversion->dataset->field_count && conversion->columns == NULL; i++) {
        list = ADG_SQL(&sql, i > 0 ? "$1, $2 as $3" : "$2 as $3", list, value_of(conversion, &sql, i, false),
                       adg_sql_name(&sql, conversion->dataset->fields[i].name));
    }
    if (conversion->columns == NULL && sql.status == ADG_OK) {
        conversion->columns = list;
    }
    *out = conversion->columns;
    return sql.status;
}

enum adg_status adg_conversion_write(struct adg_conversion *conversion, struct adg_error *error)
{
    struct adg_sql sql = begin(conversion, error);
    const char *list = NULL;
    enum adg_status status = adg_conversion_columns(conversion, &list, error);
    if (status != ADG_OK) {
        return status;
    }
    const char *text = ADG_SQL(&sql, "copy (select $1 from $2) to $3 ($4, use_tmp_file false)", list,
                               conversion->relation, adg_sql_quote(&sql, conversion->fresh),
                               conversion->csv
                                   ? "format csv, header true, delim ',', quote '\"', escape '\"', nullstr ''"
                                   : "format parquet, compression zstd");
    return sql.status == ADG_OK ? adg_engine_execute(conversion->engine, text, conversion->file, error) : sql.status;
}

/* The fields' names, each behind a comma. */
static enum adg_status name_all(struct adg_conversion *conversion, struct adg_error *error)
{
    struct adg_sql sql = begin(conversion, error);
    const char *names = "";
    for (uint32_t i = 0; i < conversion->dataset->field_count && conversion->names == NULL; i++) {
        names = ADG_SQL(&sql, "$1, $2", names, adg_sql_name(&sql, conversion->dataset->fields[i].name));
    }
    if (conversion->names == NULL && sql.status == ADG_OK) {
        conversion->names = names;
    }
    return sql.status;
}

enum adg_status adg_conversion_add(struct adg_conversion *conversion, const char *list, const char *relation,
                                   struct adg_digest *digest, struct adg_error *error)
{
    struct adg_engine_result *result = NULL;
    struct adg_buffer sql = {0};
    bool has_row = false;
    enum adg_status status = name_all(conversion, error);
    if (status == ADG_OK) { /* a row's number within all pieces */
        status = adg_buffer_printf(&sql, error,
                                   "select count(*), cast(sum(h) %% 18446744073709551616 as ubigint) from (select "
                                   "hash(%" PRIu64 "%s%s) as h from (select %s from %s))",
                                   conversion->unordered ? 0 : digest->rows,
                                   conversion->unordered ? "" : " + row_number() over ()", conversion->names, list,
                                   relation);
    }
    const char *text = status == ADG_OK ? adg_buffer_text(&sql) : NULL;
    if (status == ADG_OK) {
        status = text == NULL ? adg_fail_memory(error)
                              : adg_engine_query(conversion->engine, text, conversion->file, &result, error);
    }
    status = status == ADG_OK ? adg_engine_next(result, &has_row, error) : status;
    if (status == ADG_OK && has_row && !adg_engine_is_null(result, 1)) { /* null: no rows */
        digest->rows += (uint64_t)adg_engine_int(result, 0);
        digest->sum += (uint64_t)adg_engine_int(result, 1);
    }
    adg_engine_result_free(result);
    adg_buffer_fini(&sql);
    return status;
}

enum adg_status adg_conversion_compare(const struct adg_digest *old, const struct adg_digest *fresh, const char *name,
                                       struct adg_error *error)
{
    return old->rows == fresh->rows && old->sum == fresh->sum
               ? ADG_OK
               : adg_fail(error, ADG_FAILED, "%s: what was written differs from it; nothing is replaced", name);
}

enum adg_status adg_conversion_verify(struct adg_conversion *conversion, struct adg_error *error)
{
    struct adg_sql sql = begin(conversion, error);
    struct adg_digest old = {0}, fresh = {0};
    const char *list = NULL, *written = relation_of(conversion, &sql, conversion->fresh);
    enum adg_status status = sql.status == ADG_OK ? adg_conversion_columns(conversion, &list, error) : sql.status;
    if (status == ADG_OK) {
        status = adg_conversion_add(conversion, list, conversion->relation, &old, error);
    }
    if (status == ADG_OK && adg_conversion_add(conversion, "*", written, &fresh, error) != ADG_OK) {
        status = adg_context(error, ADG_FAILED, "what was written cannot be read again; nothing is replaced");
    }
    return status == ADG_OK ? adg_conversion_compare(&old, &fresh, conversion->file, error) : status;
}
