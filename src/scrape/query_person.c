/*
 * What is counted per patient, in a database: patterns, most frequent values, and how often a patient appears. A pattern comes as
 * one text: of each value its tenths, its length in bytes ("-" for null) and itself.
 */
#include <string.h>

#include "core/memory.h"
#include "core/stop.h"
#include "scrape/query.h"

/* Per patient and value their records n, and the patient's records t. */
static const char *shares_of(struct adg_query *query, uint32_t field)
{
    return ADG_SQL(&query->sql,
                   "(select p, v, n, cast(sum(n) over (partition by p) as bigint) as t from "
                   "(select p, v, cast(count(*) as bigint) as n from (select $1 as p, $2 as v from $3) s "
                   "where p is not null group by p, v) g) u",
                   query->patient, adg_reading_text(&query->sql, &query->readings[field]), query->from);
}

/* (a x n + t) / (2 t), whole. */
static const char *share(struct adg_query *query, const char *factor)
{
    return ADG_SQL(&query->sql, "cast(($1 * n + t - mod($1 * n + t, 2 * t)) / (2 * t) as bigint)",
                   ADG_SQL(&query->sql, "cast($1 as bigint)", factor));
}

/* ---- patterns ---------------------------------------------------------------------------------------------------- */

static const char *patterns_of(struct adg_query *query, uint32_t field)
{
    struct adg_sql *sql = &query->sql;
    const char *item = ADG_SQL(
        sql, "cast($1 as $2) || ',' || case when v is null then '-:' else cast($3 as $2) || ':' || v end",
        share(query, "20"), sql->dialect->text, ADG_SQL(sql, sql->dialect->size, "v"));
    const char *whole = ADG_SQL(sql, sql->dialect->joined, "i");
    return ADG_SQL(sql,
                   "select e, cast(count(*) as bigint) as c from (select p, $1 as e from (select p, $2 as i from $3) q "
                   "group by p) r group by e having count(*) >= $4",
                   ADG_SQL(sql, sql->dialect->by_bytes, whole), item, shares_of(query, field),
                   adg_sql_number(sql, query->least));
}

/* A number before `end`. */
static bool read_number(struct adg_span text, size_t *at, char end, uint32_t *out)
{
    size_t first = *at;
    *out = 0;
    while (*at < text.size && text.data[*at] >= '0' && text.data[*at] <= '9' && *out < UINT32_MAX / 16) {
        *out = *out * 10 + (uint32_t)(text.data[(*at)++] - '0');
    }
    return *at > first && *at < text.size && text.data[(*at)++] == end;
}

static enum adg_status take_pattern(struct adg_query *query, uint32_t field, struct adg_span text, uint64_t patients,
                                    struct adg_error *error)
{
    size_t most = text.size / 4 + 1, at = 0; /* an item has four bytes or more */
    uint32_t count = 0;
    struct adg_optional_text *values = adg_alloc_array(most, sizeof *values);
    uint32_t *tenths = adg_alloc_array(most, sizeof *tenths);
    enum adg_status status = values == NULL || tenths == NULL ? adg_fail_memory(error) : ADG_OK;
    while (status == ADG_OK && at < text.size) {
        uint32_t length = 0;
        bool good = read_number(text, &at, ',', &tenths[count]);
        if (good && at + 1 < text.size && text.data[at] == '-') {
            values[count] = (struct adg_optional_text){NULL, 0};
            at += 2;
        } else {
            good = good && read_number(text, &at, ':', &length);
            good = good && length <= text.size - at;
            if (good) {
                values[count] = (struct adg_optional_text){(const char *)text.data + at, length};
                at += length;
            }
        }
        count++;
        status = good ? ADG_OK : adg_fail(error, ADG_FAILED, "the engine gave a pattern that cannot be read");
    }
    if (status == ADG_OK) {
        status = adg_add_pattern(query->table, field, values, tenths, count, patients, error);
    }
    adg_free(values);
    adg_free(tenths);
    return status;
}

/* ---- most frequent values ---------------------------------------------------------------------------------------- */

static const char *modes_of(struct adg_query *query, uint32_t field)
{
    struct adg_sql *sql = &query->sql;
    return ADG_SQL(
        sql,
        "select v, cast(count(*) as bigint) as c, cast(sum(m) as bigint) as m from "
        "(select v, $1 as m, row_number() over (partition by p order by n desc, "
        "case when v is null then 0 else 1 end, $2) as r from $3) q where r = 1 group by v having count(*) >= $4",
        share(query, "2000000"), ADG_SQL(sql, sql->dialect->byte_order, "v"), shares_of(query, field),
        adg_sql_number(sql, query->least));
}

enum adg_status adg_query_person(struct adg_query *query, uint32_t field, struct adg_error *error)
{
    const struct adg_field *definition = &query->table->dataset->fields[field];
    bool modes = definition->value_type == ADG_VALUE_DEMOGRAPHIC_DATE, has_row = true;
    struct adg_engine_result *result = NULL;
    const char *text = modes ? modes_of(query, field) : patterns_of(query, field);
    enum adg_status status = query->sql.status;
    if (status == ADG_OK) {
        status = adg_stop_check(error);
    }
    if (status == ADG_OK) {
        status = adg_engine_query(query->engine, text, definition->name, &result, error);
    }
    while (status == ADG_OK) {
        struct adg_span value = {NULL, 0};
        status = adg_engine_next(result, &has_row, error);
        if (status != ADG_OK || !has_row) {
            break;
        }
        bool null = adg_engine_is_null(result, 0);
        status = null ? ADG_OK : adg_query_text(result, 0, &value, error);
        uint64_t patients = (uint64_t)adg_engine_int(result, 1);
        if (status == ADG_OK && modes) {
            const struct adg_optional_text shown = {null ? NULL : (const char *)value.data, value.size};
            status = adg_add_mode(query->table, field, shown, patients, (uint64_t)adg_engine_int(result, 2), error);
        } else if (status == ADG_OK) {
            status = take_pattern(query, field, value, patients, error);
        }
    }
    adg_engine_result_free(result);
    return status;
}

/* ---- relationship ------------------------------------------------------------------------------------------------ */

enum adg_status adg_query_relationship(struct adg_query *query, struct adg_error *error)
{
    struct adg_engine_result *result = NULL;
    struct adg_counter cardinalities;
    bool has_row = true;
    const char *text = ADG_SQL(
        &query->sql,
        "select c, cast(count(*) as bigint) as n from (select p, cast(count(distinct k) as bigint) as c "
        "from (select $1 as p, $2 as k from $3) s where p is not null group by p) g group by c",
        query->patient, query->primary, query->from);
    adg_counter_init(&cardinalities, ADG_COUNT_INT, 0, NULL);
    enum adg_status status = query->sql.status;
    if (status == ADG_OK) {
        status = adg_stop_check(error);
    }
    if (status == ADG_OK) {
        status = adg_engine_query(query->engine, text, "counting records of patients", &result, error);
    }
    while (status == ADG_OK) {
        status = adg_engine_next(result, &has_row, error);
        if (status != ADG_OK || !has_row) {
            break;
        }
        status = adg_counter_add_int(&cardinalities, adg_engine_int(result, 0), ADG_NOBODY, error);
        if (status == ADG_OK) {
            cardinalities.entries[cardinalities.count - 1].records = (uint64_t)adg_engine_int(result, 1);
        }
    }
    adg_engine_result_free(result);
    if (status == ADG_OK) {
        status = adg_add_relationship(query->table, &cardinalities, error);
    }
    adg_counter_fini(&cardinalities);
    return status;
}
