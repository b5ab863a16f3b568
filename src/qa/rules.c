/*
 * What must hold in every row, for every person and between tables of profile coherent: written in SQL, apart from the
 * generator's code. A breach is a finding; the number of rows that break a rule is given.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "qa/internal.h"

enum { POINTS = 33, LONGEST = 36525 };

/* ---- pieces of SQL --------------------------------------------------------------------------------------------------- */

enum adg_status adg_qa_valid_sql(const struct adg_dataset *dataset, uint32_t field, struct adg_buffer *sql,
                                 struct adg_error *error)
{
    const struct adg_coherence *coherence = &dataset->coherence;
    const char *name = dataset->fields[field].name;
    if (dataset->fields[field].type == ADG_TYPE_STRING) {
        return adg_buffer_printf(
            sql, error,
            "case when regexp_full_match(\"%s\", '([01][0-9]|2[0-3])[0-5][0-9]') then "
            "cast(substr(\"%s\", 1, 2) as integer) * 60 + cast(substr(\"%s\", 3, 2) as integer) end",
            name, name, name);
    }
    if (coherence->invalid_date_count == 0) {
        return adg_buffer_printf(sql, error, "\"%s\"", name);
    }
    enum adg_status status = adg_buffer_printf(sql, error, "case when \"%s\" - date '1970-01-01' not in (", name);
    for (uint32_t i = 0; i < coherence->invalid_date_count && status == ADG_OK; i++) {
        status = adg_buffer_printf(sql, error, "%s%" PRId32, i > 0 ? ", " : "", coherence->invalid_dates[i]);
    }
    return status == ADG_OK ? adg_buffer_printf(sql, error, ") then \"%s\" end", name) : status;
}

/* A piece of SQL in an arena; NULL without memory. */
static const char *valid_of(const struct adg_dataset *dataset, uint32_t field, struct adg_arena *arena)
{
    struct adg_buffer sql = {0};
    const char *text = adg_qa_valid_sql(dataset, field, &sql, NULL) == ADG_OK ? adg_buffer_text(&sql) : NULL;
    const char *kept = text != NULL ? adg_arena_strdup(arena, text) : NULL;
    adg_buffer_fini(&sql);
    return kept;
}

/* Counts what a query counts; more than none is a finding. */
static enum adg_status expect_none(struct adg_qa_context *context, const struct adg_buffer *sql, const char *field,
                                   const char *check, const char *rule, struct adg_error *error)
{
    uint64_t wrong = 0;
    enum adg_status status = adg_qa_count(context, (const char *)sql->data, check, &wrong, error);
    return status == ADG_OK && wrong > 0
               ? adg_qa_find(context, field, check, error, "%" PRIu64 " rows in which not %s", wrong, rule)
               : status;
}

/* ---- order and lengths ----------------------------------------------------------------------------------------------- */

struct order {
    uint32_t fields[POINTS];
    uint32_t count;
    bool before[POINTS][POINTS]; /* never after */
};

static uint32_t place_of(struct order *order, uint32_t field)
{
    uint32_t i = 0;
    while (i < order->count && order->fields[i] != field) {
        i++;
    }
    if (i == order->count) {
        order->fields[order->count++] = field;
    }
    return i;
}

static void find_order(const struct adg_timeline *timeline, struct order *order)
{
    (void)place_of(order, timeline->anchor);
    for (uint32_t s = 0; s < timeline->span_count; s++) {
        const struct adg_span_rule *span = &timeline->spans[s];
        uint32_t from = place_of(order, span->from), to = place_of(order, span->to);
        order->before[from][to] = true;
        if (!span->has_from && !span->has_to) {
            const struct adg_span_rule *within = &timeline->spans[span->at_least];
            order->before[from][place_of(order, within->from)] = true;
            order->before[place_of(order, within->to)][to] = true;
        }
    }
    for (uint32_t k = 0; k < order->count; k++) {
        for (uint32_t i = 0; i < order->count; i++) {
            for (uint32_t j = 0; j < order->count; j++) {
                order->before[i][j] = order->before[i][j] || (order->before[i][k] && order->before[k][j]);
            }
        }
    }
}

static enum adg_status check_order(struct adg_qa_context *context, const struct adg_timeline *timeline,
                                   struct adg_arena *arena, struct adg_error *error)
{
    struct order order = {{0}, 0, {{false}}};
    struct adg_buffer sql = {0};
    find_order(timeline, &order);
    enum adg_status status = adg_buffer_append_text(&sql, "select count(*) from d where false", error);
    for (uint32_t i = 0; i < order.count; i++) {
        for (uint32_t j = 0; j < order.count && status == ADG_OK; j++) {
            if (order.before[i][j]) {
                const char *a = valid_of(context->dataset, order.fields[i], arena);
                const char *b = valid_of(context->dataset, order.fields[j], arena);
                status = a == NULL || b == NULL ? adg_fail_memory(error)
                                                : adg_buffer_printf(&sql, error, " or (%s) > (%s)", a, b);
            }
        }
    }
    if (status == ADG_OK && adg_buffer_text(&sql) == NULL) {
        status = adg_fail_memory(error);
    }
    if (status == ADG_OK) {
        status = expect_none(context, &sql, context->dataset->fields[timeline->anchor].name, "order",
                             "all valid dates are in their order", error);
    }
    adg_buffer_fini(&sql);
    return status;
}

/* Whether the metadata have lengths for the field: else it is null. */
static bool has_lengths(const struct adg_qa_context *context, uint32_t field, uint32_t below)
{
    struct adg_metadata_range range = adg_metadata_find(context->options->metadata, context->table->table,
                                                        context->dataset->fields[field].name, ADG_VALUE_CONTINUOUS);
    double limit = below > 0 && below < LONGEST ? below : LONGEST;
    return range.count > 0 && range.rows->numeric_array_count > 0 && range.rows->numeric_array[0] < limit;
}

static enum adg_status check_length(struct adg_qa_context *context, const struct adg_timeline *timeline,
                                    const struct adg_span_rule *span, uint32_t field, struct adg_arena *arena,
                                    struct adg_error *error)
{
    const char *from = valid_of(context->dataset, span->from, arena), *to = valid_of(context->dataset, span->to, arena);
    const char *name = context->dataset->fields[field].name;
    struct adg_buffer sql = {0};
    enum adg_status status = from == NULL || to == NULL ? adg_fail_memory(error) : ADG_OK;
    if (status == ADG_OK && !has_lengths(context, field, span->below)) {
        status = adg_buffer_printf(&sql, error, "select count(\"%s\") from d", name);
    } else if (status == ADG_OK && timeline->minutes) {
        status = adg_buffer_printf(&sql, error,
                                   "select count(*) from d where (\"%s\" is null) <> ((%s) is null or (%s) is null) or "
                                   "\"%s\" < 0 or ((%s) + \"%s\") %% 1440 <> (%s)",
                                   name, from, to, name, from, name, to);
    } else if (status == ADG_OK) {
        status = adg_buffer_printf(&sql, error, "select count(*) from d where \"%s\" is distinct from (%s) - (%s)",
                                   name, to, from);
    }
    if (status == ADG_OK && adg_buffer_text(&sql) == NULL) {
        status = adg_fail_memory(error);
    }
    if (status == ADG_OK) {
        status = expect_none(context, &sql, name, "length", "the length is the difference of its valid ends, or null",
                             error);
    }
    adg_buffer_fini(&sql);
    return status;
}

/* Of spans that share an end, one that is at least as long as another: for times of day, whose order a clock does not show. */
static enum adg_status check_at_least(struct adg_qa_context *context, const struct adg_timeline *timeline,
                                      const struct adg_span_rule *span, struct adg_error *error)
{
    struct adg_buffer sql = {0};
    if (span->at_least < 0) {
        return ADG_OK;
    }
    const char *name = context->dataset->fields[span->lengths[0]].name;
    const char *least = context->dataset->fields[timeline->spans[span->at_least].lengths[0]].name;
    enum adg_status status = adg_buffer_printf(&sql, error, "select count(*) from d where \"%s\" < \"%s\"", name,
                                               least);
    if (status == ADG_OK && adg_buffer_text(&sql) == NULL) {
        status = adg_fail_memory(error);
    }
    if (status == ADG_OK) {
        status = expect_none(context, &sql, name, "length", "it is at least as long as what it has to cover", error);
    }
    adg_buffer_fini(&sql);
    return status;
}

static enum adg_status check_timeline(struct adg_qa_context *context, const struct adg_timeline *timeline,
                                      struct adg_arena *arena, struct adg_error *error)
{
    enum adg_status status = timeline->minutes ? ADG_OK : check_order(context, timeline, arena, error);
    for (uint32_t s = 0; s < timeline->span_count && status == ADG_OK; s++) {
        const struct adg_span_rule *span = &timeline->spans[s];
        for (uint32_t i = 0; i < span->length_count && status == ADG_OK; i++) {
            status = check_length(context, timeline, span, span->lengths[i], arena, error);
        }
        if (status == ADG_OK) {
            status = check_at_least(context, timeline, span, error);
        }
    }
    return status;
}

/* ---- births and ages ------------------------------------------------------------------------------------------------- */

static enum adg_status check_births(struct adg_qa_context *context, struct adg_arena *arena, struct adg_error *error)
{
    const struct adg_coherence *coherence = &context->dataset->coherence;
    const char *birth = context->dataset->fields[coherence->population.birth].name;
    struct adg_buffer sql = {0};
    enum adg_status status = adg_buffer_printf(
        &sql, error,
        "select count(*) from (select *, try_cast(case when regexp_full_match(\"%s\", '[0-9]{6}') then "
        "substr(\"%s\", 3, 4) || '-' || substr(\"%s\", 1, 2) || '-01' end as date) as b from d) where false",
        birth, birth, birth);
    for (uint32_t t = 0; t < coherence->timeline_count; t++) {
        const struct adg_timeline *timeline = &coherence->timelines[t];
        struct order order = {{0}, 0, {{false}}};
        find_order(timeline, &order);
        for (uint32_t i = 0; i < order.count && status == ADG_OK && !timeline->minutes; i++) {
            const char *date = valid_of(context->dataset, order.fields[i], arena);
            status = date == NULL ? adg_fail_memory(error) : adg_buffer_printf(&sql, error, " or b > (%s)", date);
        }
    }
    if (status == ADG_OK && adg_buffer_text(&sql) == NULL) {
        status = adg_fail_memory(error);
    }
    if (status == ADG_OK) {
        status = expect_none(context, &sql, birth, "birth", "all valid dates are after the birth", error);
    }
    adg_buffer_fini(&sql);
    return status;
}

/* The ages of a person at their dates fit one day of birth: the latest first day that they allow is not after the earliest last one.
 * Somebody of `a` years is between 365 a - 182 and 365 a + 182 days old. */
static enum adg_status check_ages(struct adg_qa_context *context, struct adg_arena *arena, struct adg_error *error)
{
    const struct adg_population_rule *rule = &context->dataset->coherence.population;
    const char *age = context->dataset->fields[rule->age].name;
    const char *patient = context->dataset->fields[context->dataset->patient_key].name;
    const char *date = valid_of(context->dataset, (uint32_t)rule->age_at, arena);
    struct adg_buffer sql = {0};
    enum adg_status status =
        date == NULL
            ? adg_fail_memory(error)
            : adg_buffer_printf(
                  &sql, error,
                  "select count(*) from (select max(t - most) as low, min(t - least) as high from (select \"%s\" as p, "
                  "(%s) - date '1970-01-01' as t, case \"%s\" when 7001 then 0 when 7002 then 1 when 7003 then 7 when "
                  "7004 "
                  "then 29 when 7005 then 91 when 7006 then 182 when 7007 then 273 when 1 then 365 else 365 * \"%s\" - "
                  "182 "
                  "end as least, case \"%s\" when 7001 then 0 when 7002 then 6 when 7003 then 28 when 7004 then 90 "
                  "when "
                  "7005 then 181 when 7006 then 272 when 7007 then 364 when 120 then 1000000 else 365 * \"%s\" + 182 "
                  "end as "
                  "most from d where \"%s\" is not null) group by p) where low > high",
                  patient, date, age, age, age, age, age);
    if (status == ADG_OK && adg_buffer_text(&sql) == NULL) {
        status = adg_fail_memory(error);
    }
    uint64_t wrong = 0;
    if (status == ADG_OK) {
        status = adg_qa_count(context, (const char *)sql.data, age, &wrong, error);
    }
    adg_buffer_fini(&sql);
    return status == ADG_OK && wrong > 0 ? adg_qa_find(context, age, "age", error,
                                                       "%" PRIu64 " people whose ages fit no one date of birth", wrong)
                                         : status;
}

/* ---- nested codes ---------------------------------------------------------------------------------------------------- */

static enum adg_status check_nested(struct adg_qa_context *context, const struct adg_nested_group *group,
                                    struct adg_error *error)
{
    struct adg_buffer sql = {0};
    enum adg_status status = adg_buffer_append_text(&sql, "select count(*) from d where false", error);
    for (uint32_t i = 0; i + 1 < group->count && status == ADG_OK; i++) {
        status = adg_buffer_append_text(&sql, " or (", error);
        if (status == ADG_OK) {
            status = adg_qa_filled_sql(context->dataset, group->fields[i + 1], &sql, error);
        }
        if (status == ADG_OK) {
            status = adg_buffer_append_text(&sql, " and not ", error);
        }
        if (status == ADG_OK) {
            status = adg_qa_filled_sql(context->dataset, group->fields[i], &sql, error);
        }
        if (status == ADG_OK) {
            status = adg_buffer_append_text(&sql, ")", error);
        }
    }
    if (status == ADG_OK && adg_buffer_text(&sql) == NULL) {
        status = adg_fail_memory(error);
    }
    if (status == ADG_OK) {
        status = expect_none(context, &sql, context->dataset->fields[group->fields[0]].name, "nested",
                             "codes are filled from the left", error);
    }
    adg_buffer_fini(&sql);
    return status;
}

/* ---- references ------------------------------------------------------------------------------------------------------ */

/* The table of the other dataset that lies in the folder and is of the same period, or NULL. */
static const struct adg_qa_table *find_other(const struct adg_qa_context *context, const struct adg_dataset *other)
{
    for (uint32_t t = 0; t < context->qa->table_count; t++) {
        const struct adg_qa_table *table = &context->qa->tables[t];
        const struct adg_dataset *dataset = NULL;
        if (adg_definition_find_table(context->options->definition, table->table, &dataset, NULL, NULL) == ADG_OK &&
            dataset == other && adg_tables_match(table->table, context->table->table)) {
            return table;
        }
    }
    return NULL;
}

static enum adg_status check_reference(struct adg_qa_context *context, const struct adg_reference *reference,
                                       struct adg_error *error)
{
    const struct adg_dataset *dataset = context->dataset;
    const struct adg_dataset *other = adg_definition_find_dataset(context->options->definition, reference->dataset);
    const struct adg_qa_table *table = other != NULL ? find_other(context, other) : NULL;
    if (table == NULL || table->parts || context->table->parts) {
        return ADG_OK; /* a part names records that may lie in another one */
    }
    const char *field = dataset->fields[reference->field].name, *key = other->fields[other->primary_key].name;
    const char *own_key = dataset->fields[dataset->primary_key].name, *back = NULL;
    const char *patient = dataset->fields[dataset->patient_key].name;
    const char *other_patient = other->fields[other->patient_key].name;
    for (uint32_t i = 0; i < other->coherence.reference_count; i++) {
        const struct adg_reference *candidate = &other->coherence.references[i];
        back = strcmp(candidate->dataset, dataset->name) == 0 ? other->fields[candidate->field].name : back;
    }
    struct adg_buffer sql = {0};
    uint64_t named = 0, possible = 0;
    struct adg_error reason = {{0}};
    enum adg_status status = adg_qa_open_rows(context, table, other, "o", &reason);
    if (status != ADG_OK) { /* as for a table's own file: a finding about the data */
        return adg_qa_find(context, field, "reference", error, "table %s, whose records it names: %s", table->table,
                           reason.message);
    }
    status = adg_buffer_printf(&sql, error,
                               "select count(*) from d left join o on d.\"%s\" = o.\"%s\" where d.\"%s\" is not null "
                               "and (o.\"%s\" is null or o.\"%s\" <> d.\"%s\"",
                               field, key, field, key, other_patient, patient);
    if (status == ADG_OK && back != NULL) {
        status = adg_buffer_printf(&sql, error, " or o.\"%s\" is distinct from d.\"%s\"", back, own_key);
    }
    if (status == ADG_OK) {
        status = adg_buffer_append_text(&sql, ")", error);
    }
    if (status == ADG_OK && adg_buffer_text(&sql) == NULL) {
        status = adg_fail_memory(error);
    }
    if (status == ADG_OK) {
        status = expect_none(context, &sql, field, "reference",
                             "it names a record of the same person that names this one back", error);
    }
    sql.size = 0;
    if (status == ADG_OK) {
        status = adg_buffer_printf(&sql, error, "select count(\"%s\") from d", field);
    }
    if (status == ADG_OK && adg_buffer_text(&sql) == NULL) {
        status = adg_fail_memory(error);
    }
    if (status == ADG_OK) {
        status = adg_qa_count(context, (const char *)sql.data, field, &named, error);
    }
    sql.size = 0;
    if (status == ADG_OK) {
        status = adg_buffer_printf(
            &sql, error,
            "select cast(sum(least(a.n, b.n)) as bigint) from (select \"%s\" as p, count(*) as n "
            "from d group by 1) a join (select \"%s\" as p, count(*) as n from o group by 1) b using (p)",
            patient, other_patient);
    }
    if (status == ADG_OK && adg_buffer_text(&sql) == NULL) {
        status = adg_fail_memory(error);
    }
    if (status == ADG_OK) {
        status = adg_qa_count(context, (const char *)sql.data, field, &possible, error);
    }
    adg_buffer_fini(&sql);
    return status == ADG_OK && named != possible
               ? adg_qa_find(context, field, "reference", error,
                             "%" PRIu64 " records name one of the same person, expected %" PRIu64, named, possible)
               : status;
}

/* ---- all ------------------------------------------------------------------------------------------------------------- */

enum adg_status adg_qa_check_rules(struct adg_qa_context *context, struct adg_error *error)
{
    const struct adg_coherence *coherence = &context->dataset->coherence;
    struct adg_arena arena = {0};
    enum adg_status status = ADG_OK;
    for (uint32_t t = 0; t < coherence->timeline_count && status == ADG_OK; t++) {
        status = check_timeline(context, &coherence->timelines[t], &arena, error);
    }
    if (status == ADG_OK && coherence->population.birth >= 0) {
        status = check_births(context, &arena, error);
    }
    if (status == ADG_OK && coherence->population.age >= 0) {
        status = check_ages(context, &arena, error);
    }
    for (uint32_t g = 0; g < coherence->nested_count && status == ADG_OK; g++) {
        status = check_nested(context, &coherence->nested[g], error);
    }
    for (uint32_t r = 0; r < coherence->reference_count && status == ADG_OK; r++) {
        status = check_reference(context, &coherence->references[r], error);
    }
    adg_arena_fini(&arena);
    return status;
}
