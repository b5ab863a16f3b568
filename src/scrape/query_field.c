/*
 * Values of a field with their records and patients, counted in a database. A query gives three kinds of rows, by `k`: each value
 * with at least `least` records, nulls, and what is left together. That enough patients have it, a mask of their hashes proves or leaves open.
 */
#include <inttypes.h>
#include <string.h>

#include "core/memory.h"
#include "core/stop.h"
#include "scrape/query.h"

enum { PROVEN, NULLS, REST, OPEN, KINDS_OF_ROWS };

/* Fields whose values are of one kind, and that are asked for together. */
enum { MOST_AT_ONCE = 64 };
struct batch {
    uint32_t fields[MOST_AT_ONCE], count;
    uint64_t nulls[MOST_AT_ONCE],
        others[MOST_AT_ONCE]; /* patients of nulls, and of the values that come too rarely, as proven */
};
/* Those of them that need another query. */
struct open_fields {
    uint32_t fields[MOST_AT_ONCE], count;
};

static const char *number(struct adg_query *query, uint64_t value)
{
    return adg_sql_number(&query->sql, value);
}

/* ---- values ------------------------------------------------------------------------------------------------------ */

/* A value of a result, as the field's type has it. */
static enum adg_status read_value(const struct adg_query *query, uint32_t field, const struct adg_engine_result *result,
                                  uint32_t column, struct adg_value *value, struct adg_error *error)
{
    const struct adg_reading *reading = &query->readings[field];
    const struct adg_field *definition = &query->table->dataset->fields[field];
    struct adg_source_value raw = {.kind = reading->kind};
    if (reading->kind == ADG_SOURCE_TEXT) {
        enum adg_status status = adg_query_text(result, column, &raw.text, error);
        if (status != ADG_OK) {
            return status;
        }
    } else if (reading->kind == ADG_SOURCE_DOUBLE) {
        raw.number = adg_engine_double(result, column);
        raw.number = reading->is_float ? adg_float_meaning((float)raw.number) : raw.number;
    } else {
        raw.integer = adg_engine_int(result, column);
    }
    *value = (struct adg_value){.integer = raw.integer, .number = raw.number, .text = raw.text};
    if (definition->type == ADG_TYPE_STRING) {
        adg_value_read(&raw, definition, value);
    }
    return ADG_OK;
}

static enum adg_status put_value(struct adg_counter *counter, const struct adg_value *value, uint64_t records,
                                 struct adg_error *error)
{
    size_t before = counter->count;
    enum adg_status status = counter->kind == ADG_COUNT_TEXT
                                 ? adg_counter_add_text(counter, value->text, ADG_NOBODY, error)
                             : counter->kind == ADG_COUNT_DOUBLE
                                 ? adg_counter_add_double(counter, value->number, ADG_NOBODY, error)
                                 : adg_counter_add_int(counter, value->integer, ADG_NOBODY, error);
    if (status == ADG_OK && counter->count == before) {
        return adg_fail(error, ADG_FAILED, "the engine gave a value twice");
    }
    if (status == ADG_OK) {
        counter->entries[before].records = records;
    }
    return status;
}

static const char *name_of(const struct adg_query *query, uint32_t field)
{
    return query->table->dataset->fields[field].name;
}

static uint32_t cut(uint64_t patients)
{
    return patients > UINT32_MAX ? UINT32_MAX : (uint32_t)patients;
}

/* ---- what the masks leave open ----------------------------------------------------------------------------------- */

static const char *rows_of(struct adg_query *query, const struct open_fields *open)
{
    return adg_query_rows(query, open->fields, open->count);
}

/* Exactly, of the values of which a mask proves too little: into the counters' entries. */
static enum adg_status count_open_values(struct adg_query *query, const struct open_fields *open,
                                         struct adg_error *error)
{
    struct adg_sql *sql = &query->sql;
    struct adg_engine_result *result = NULL;
    bool has_row = true;
    const char *rows = rows_of(query, open);
    const char *text = ADG_SQL(
        sql,
        "select f, v, cast(count(*) as bigint) as c from (select distinct f, v, p from $1 where (f, v) in "
        "(select f, v from $1 where v is not null group by f, v having count(*) >= $2 and $3 < $4)) w group by f, v",
        rows, number(query, query->table->control.min_frequency), ADG_SQL(sql, sql->dialect->bits, "bit_or(b)"),
        number(query, adg_table_enough(query->table)));
    enum adg_status status = open->count > 0 ? sql->status : ADG_OK;
    if (status == ADG_OK && open->count > 0) {
        status = adg_engine_query(query->engine, text, "counting patients", &result, error);
    }
    while (status == ADG_OK && open->count > 0) {
        struct adg_value value;
        size_t entry = 0;
        status = adg_engine_next(result, &has_row, error);
        if (status != ADG_OK || !has_row) {
            break;
        }
        uint32_t field = (uint32_t)adg_engine_int(result, 0);
        struct adg_counter *counter = &query->table->fields[field].counter;
        status = read_value(query, field, result, 1, &value, error);
        if (status == ADG_OK && adg_counter_find(counter, value.text, value.integer, value.number, &entry)) {
            counter->entries[entry].patients = cut((uint64_t)adg_engine_int(result, 2));
        }
    }
    adg_engine_result_free(result);
    return status;
}

/* Asks with a query that gives a field and its patients; patients[f] is what field f has. */
static enum adg_status count_patients(struct adg_query *query, const char *text, uint64_t *patients,
                                      struct adg_error *error)
{
    struct adg_engine_result *result = NULL;
    bool has_row = true;
    enum adg_status status = query->sql.status;
    if (status == ADG_OK) {
        status = adg_engine_query(query->engine, text, "counting patients", &result, error);
    }
    while (status == ADG_OK) {
        status = adg_engine_next(result, &has_row, error);
        if (status != ADG_OK || !has_row) {
            break;
        }
        patients[adg_engine_int(result, 0)] = (uint64_t)adg_engine_int(result, 1);
    }
    adg_engine_result_free(result);
    return status;
}

/* Of nulls. */
static enum adg_status count_null_patients(struct adg_query *query, const struct open_fields *open, uint64_t *patients,
                                           struct adg_error *error)
{
    if (open->count == 0) {
        return ADG_OK;
    }
    const char *text = ADG_SQL(
        &query->sql,
        "select f, cast(count(*) as bigint) as c from (select distinct f, p from $1 where v is null) w "
        "group by f",
        rows_of(query, open));
    return count_patients(query, text, patients, error);
}

/* Of the values without a row, together. */
static enum adg_status count_other_patients(struct adg_query *query, const struct open_fields *open, uint64_t *patients,
                                            struct adg_error *error)
{
    if (open->count == 0) {
        return ADG_OK;
    }
    const char *text = ADG_SQL(
        &query->sql,
        "select f, cast(count(*) as bigint) as c from (select distinct f, p from $1 where (f, v) in "
        "(select f, v from (select f, v, p, count(*) as n from $1 where v is not null group by f, v, p) t "
        "group by f, v having sum(n) < $2 or count(*) < $3)) w group by f",
        rows_of(query, open), number(query, query->least), number(query, adg_table_enough(query->table)));
    return count_patients(query, text, patients, error);
}

/* ---- the rows of a batch ----------------------------------------------------------------------------------------- */

/* Which fields have values, or nulls, of which the masks prove too little. */
static void look_at_masks(struct adg_query *query, const struct batch *batch, uint64_t *nulls,
                          struct open_fields *open_values, struct open_fields *open_nulls)
{
    uint32_t enough = adg_table_enough(query->table), min = query->table->control.min_frequency;
    for (uint32_t i = 0; i < batch->count; i++) {
        uint32_t field = batch->fields[i];
        const struct adg_counter *counter = &query->table->fields[field].counter;
        bool open = false;
        for (size_t e = 0; e < counter->count; e++) {
            open = open || counter->entries[e].patients < enough;
        }
        if (open) {
            open_values->fields[open_values->count++] = field;
        }
        nulls[field] = batch->nulls[i];
        if (counter->null.records >= min && nulls[field] < enough) {
            open_nulls->fields[open_nulls->count++] = field;
        }
    }
}

/* The values that turned out to have too few patients come to the others. */
static void look_at_others(struct adg_query *query, const struct batch *batch, uint64_t *patients,
                           struct open_fields *open)
{
    uint32_t enough = adg_table_enough(query->table), min = query->table->control.min_frequency;
    for (uint32_t i = 0; i < batch->count; i++) {
        const struct adg_field_counts *counts = &query->table->fields[batch->fields[i]];
        uint64_t others = counts->other;
        for (size_t e = 0; e < counts->counter.count; e++) {
            others += counts->counter.entries[e].patients < enough ? counts->counter.entries[e].records : 0;
        }
        patients[batch->fields[i]] = batch->others[i];
        if (others >= min && patients[batch->fields[i]] < enough) {
            open->fields[open->count++] = batch->fields[i];
        }
    }
}

/* What the masks left open, asked for; then the rows. */
static enum adg_status settle(struct adg_query *query, struct batch *batch, struct adg_error *error)
{
    struct open_fields values = {.count = 0}, nulls = {.count = 0}, others = {.count = 0};
    uint32_t fields = query->table->dataset->field_count;
    uint64_t *of_nulls = adg_alloc_zero(fields, sizeof *of_nulls),
             *of_others = adg_alloc_zero(fields, sizeof *of_others);
    enum adg_status status = of_nulls == NULL || of_others == NULL ? adg_fail_memory(error) : ADG_OK;
    if (status == ADG_OK) {
        look_at_masks(query, batch, of_nulls, &values, &nulls);
        status = count_open_values(query, &values, error);
    }
    if (status == ADG_OK) {
        status = count_null_patients(query, &nulls, of_nulls, error);
    }
    if (status == ADG_OK) {
        look_at_others(query, batch, of_others, &others);
        status = count_other_patients(query, &others, of_others, error);
    }
    for (uint32_t i = 0; i < batch->count && status == ADG_OK; i++) {
        uint32_t field = batch->fields[i];
        struct adg_field_counts *counts = &query->table->fields[field];
        counts->counter.null.patients = cut(of_nulls[field]);
        counts->others.all.patients = cut(of_others[field]);
        status = adg_frequency_take(query->table, field, error);
        if (status == ADG_OK) {
            status = adg_frequency_finish(query->table, field, error);
        }
        adg_context(error, status, "field %s", name_of(query, field));
        adg_counter_forget(&counts->counter);
    }
    adg_free(of_nulls);
    adg_free(of_others);
    return status;
}

/* ---- frequencies ------------------------------------------------------------------------------------------------- */

static enum adg_status take_row(struct adg_query *query, const struct adg_engine_result *result, struct batch *batch,
                                struct adg_error *error)
{
    enum { FIELD_AND_KIND, SHOWN, RECORDS, PATIENTS };
    uint32_t both = (uint32_t)adg_engine_int(result, FIELD_AND_KIND), field = both / KINDS_OF_ROWS, i = 0;
    uint64_t records = (uint64_t)adg_engine_int(result, RECORDS);
    struct adg_value value;
    while (i + 1 < batch->count && batch->fields[i] != field) {
        i++;
    }
    struct adg_field_counts *counts = &query->table->fields[batch->fields[i]];
    enum adg_status status = ADG_OK;
    switch (both % KINDS_OF_ROWS) {
    case NULLS:
        counts->counter.null.records = records;
        batch->nulls[i] = (uint64_t)adg_engine_int(result, PATIENTS);
        break;
    case REST:
        counts->other = records;
        batch->others[i] = (uint64_t)adg_engine_int(result, PATIENTS);
        break;
    default:
        status = read_value(query, batch->fields[i], result, SHOWN, &value, error);
        if (status == ADG_OK) {
            status = put_value(&counts->counter, &value, records, error);
        }
        if (status == ADG_OK && both % KINDS_OF_ROWS == PROVEN) {
            counts->counter.entries[counts->counter.count - 1].patients = adg_table_enough(query->table);
        }
    }
    return adg_context(error, status, "field %s", name_of(query, batch->fields[i]));
}

static enum adg_status count_batch(struct adg_query *query, struct batch *batch, struct adg_error *error)
{
    struct adg_engine_result *result = NULL;
    bool has_row = true;
    struct adg_sql *sql = &query->sql;
    const char *text = ADG_SQL(
        sql,
        "select cast(f * 4 + k as integer) as f, w, cast(sum(n) as bigint) as n, "
        "cast(case when k in (1, 2) then $1 end as smallint) as c from "
        "(select f, case when v is null then 1 when n < $2 then 2 when $3 < $4 then 3 else 0 end as k, "
        "case when n >= $2 then v end as w, n, b from "
        "(select f, v, count(*) as n, bit_or(b) as b from $5 group by f, v) g) h group by f, k, w",
        ADG_SQL(sql, sql->dialect->bits, "bit_or(b)"), number(query, query->least),
        ADG_SQL(sql, sql->dialect->bits, "b"), number(query, adg_table_enough(query->table)),
        adg_query_rows(query, batch->fields, batch->count));
    enum adg_status status = query->sql.status;
    if (status == ADG_OK) {
        status = adg_stop_check(error);
    }
    if (status == ADG_OK) {
        status = adg_engine_query(query->engine, text, "counting values", &result, error);
    }
    while (status == ADG_OK) {
        status = adg_engine_next(result, &has_row, error);
        if (status != ADG_OK || !has_row) {
            break;
        }
        status = take_row(query, result, batch, error);
    }
    adg_engine_result_free(result);
    return status == ADG_OK ? settle(query, batch, error) : status;
}

static bool is_frequency(const struct adg_query *query, uint32_t field)
{
    const struct adg_field *definition = &query->table->dataset->fields[field];
    return query->readings[field].value != NULL && definition->role == ADG_ROLE_SAMPLED &&
           (definition->value_type == ADG_VALUE_CATEGORICAL || definition->value_type == ADG_VALUE_DISCRETE ||
            definition->value_type == ADG_VALUE_DATE);
}

/* The kinds of a result's column of values, whose fields can be asked for together. */
static int kind_of(const struct adg_query *query, uint32_t field)
{
    enum adg_source_kind kind = query->readings[field].kind;
    return kind == ADG_SOURCE_TEXT ? 0 : kind == ADG_SOURCE_DOUBLE ? 1 : 2;
}

enum adg_status adg_query_frequencies(struct adg_query *query, struct adg_error *error)
{
    enum { KINDS = 3 };
    const struct adg_dataset *dataset = query->table->dataset;
    const struct adg_scrape_progress *progress = &query->options->progress;
    struct batch batch = {.count = 0};
    uint32_t done = 0, at_once = query->sql.dialect->at_once;
    at_once = at_once < MOST_AT_ONCE ? at_once : MOST_AT_ONCE;
    enum adg_status status = ADG_OK;
    for (int kind = 0; kind < KINDS; kind++) {
        for (uint32_t f = 0; f <= dataset->field_count && status == ADG_OK; f++) {
            if (f < dataset->field_count && is_frequency(query, f) && kind_of(query, f) == kind) {
                batch.fields[batch.count++] = f;
            }
            if (batch.count > 0 && (batch.count == at_once || f == dataset->field_count)) {
                progress->report(progress->context, "counting fields", query->table->name, done, dataset->field_count);
                status = count_batch(query, &batch, error);
                done += batch.count;
                batch = (struct batch){.count = 0};
            }
        }
    }
    return status;
}

/* ---- percentiles ------------------------------------------------------------------------------------------------- */

/* The values at the ranks that percentiles may lead to, and at min_frequency on either side, with the records up to each. With
 * `parts` parts, a rank is ceil(i * m / parts): it lies in (from, to] just when parts * to / m and parts * from / m differ in their whole
 * part. */
static const char *values_at_ranks(struct adg_query *query, uint32_t field, uint64_t records, uint64_t parts)
{
    uint32_t min = query->table->control.min_frequency;
    return ADG_SQL(&query->sql,
                   "select v, n, c, cast($5 as smallint) as b from (select v, n, b, c, $1 * (c + $2) as t, "
                   "$1 * (case when c - n > $2 then c - n - $2 else 0 end) as s from "
                   "(select v, n, b, cast(sum(n) over (order by v) as bigint) as c from "
                   "(select v, count(*) as n, bit_or(b) as b from $3 where v is not null group by v) g) w) x "
                   "where t - mod(t, $4) > s - mod(s, $4) order by v",
                   ADG_SQL(&query->sql, "cast($1 as bigint)", number(query, parts)), number(query, min),
                   adg_query_rows(query, &field, 1), ADG_SQL(&query->sql, "cast($1 as bigint)", number(query, records)),
                   ADG_SQL(&query->sql, query->sql.dialect->bits, "b"));
}

static enum adg_status take_values(struct adg_query *query, uint32_t field, uint64_t records, uint64_t parts,
                                   struct adg_error *error)
{
    enum { SHOWN, RECORDS, UP_TO, PATIENTS };
    struct adg_field_counts *counts = &query->table->fields[field];
    struct adg_counter *counter = &counts->counter;
    uint32_t enough = adg_table_enough(query->table), min = query->table->control.min_frequency;
    struct adg_engine_result *result = NULL;
    uint64_t *up_to = NULL; /* records up to each value */
    size_t capacity = 0;
    bool has_row = true, open = false;
    const char *text = values_at_ranks(query, field, records, parts);
    enum adg_status status = query->sql.status;
    if (status == ADG_OK) {
        status = adg_engine_query(query->engine, text, name_of(query, field), &result, error);
    }
    while (status == ADG_OK) {
        struct adg_value value;
        status = adg_engine_next(result, &has_row, error);
        if (status != ADG_OK || !has_row) {
            break;
        }
        status = read_value(query, field, result, SHOWN, &value, error);
        if (status == ADG_OK) {
            status = put_value(counter, &value, (uint64_t)adg_engine_int(result, RECORDS), error);
        }
        if (status == ADG_OK && counter->count > capacity) {
            uint64_t *larger = adg_grow_array(up_to, &capacity, 1024, sizeof *larger);
            status = larger == NULL ? adg_fail_memory(error) : ADG_OK;
            up_to = larger != NULL ? larger : up_to;
        }
        if (status == ADG_OK) {
            struct adg_count *entry = &counter->entries[counter->count - 1];
            up_to[counter->count - 1] = (uint64_t)adg_engine_int(result, UP_TO);
            entry->patients = (uint32_t)adg_engine_int(result, PATIENTS); /* as proven */
            open = open || (entry->records >= min && entry->patients < enough);
        }
    }
    adg_engine_result_free(result);
    if (status == ADG_OK && open) {
        const struct open_fields only = {.fields = {field}, .count = 1};
        status = count_open_values(query, &only, error);
    }
    for (size_t i = 0; i < counter->count && status == ADG_OK; i++) {
        const struct adg_count *entry = &counter->entries[i];
        bool is_double = counter->kind == ADG_COUNT_DOUBLE;
        status = adg_continuous_put(counts, is_double ? 0 : (int64_t)entry->bits,
                                    is_double ? adg_counter_double(entry) : 0, up_to[i],
                                    adg_count_passes(query->table, entry), error);
    }
    adg_free(up_to);
    return status;
}

enum adg_status adg_query_continuous(struct adg_query *query, uint32_t field, struct adg_error *error)
{
    struct adg_counted_table *table = query->table;
    struct adg_field_counts *counts = &table->fields[field];
    uint32_t enough = adg_table_enough(table);
    const char *name = name_of(query, field);
    enum { RECORDS, NULL_RECORDS, NULL_PATIENTS, PATIENTS, FIGURES };
    uint64_t figures[FIGURES] = {0};
    const char *patients = enough == 0 ? "0"
                                       : "count(distinct case when v is not null then p end) + "
                                         "coalesce(max(case when v is not null and p is null then 1 else 0 end), 0)";
    const char *text = ADG_SQL(
        &query->sql,
        "select cast(count(v) as bigint) as m, cast(count(*) - count(v) as bigint) as z, "
        "cast($3 as smallint) as b, cast($1 as bigint) as c from $2",
        patients, adg_query_rows(query, &field, 1),
        ADG_SQL(&query->sql, query->sql.dialect->bits, "bit_or(case when v is null then b end)"));
    enum adg_status status = adg_query_numbers(query, text, name, figures, FIGURES, error);
    if (status != ADG_OK) {
        return status;
    }
    counts->described = figures[RECORDS];
    counts->filled.all.patients = cut(figures[PATIENTS]);
    counts->counter.null.records = figures[NULL_RECORDS];
    uint64_t null_patients = figures[NULL_PATIENTS]; /* as proven */
    if (null_patients < enough && figures[NULL_RECORDS] >= table->control.min_frequency) {
        const char *nulls = ADG_SQL(
            &query->sql, "select cast(count(*) as bigint) as c from (select distinct p from $1 where v is null) w",
            adg_query_rows(query, &field, 1));
        status = adg_query_numbers(query, nulls, name, &null_patients, 1, error);
    }
    counts->counter.null.patients = cut(null_patients);
    uint64_t parts = adg_continuous_parts(&table->control, enough > 0 ? figures[PATIENTS] : figures[RECORDS]);
    if (status == ADG_OK && figures[RECORDS] > 0 && parts >= 3) {
        status = take_values(query, field, figures[RECORDS], parts, error);
    }
    if (status == ADG_OK) {
        status = adg_continuous_finish(table, field, error);
    }
    adg_counter_forget(&counts->counter);
    return status;
}
