/*
 * What must hold in every row, for every person and between tables of profile coherent: written in SQL, apart from the
 * generator's code. A breach is a finding; the number of rows that break a rule is given.
 */
#include <inttypes.h>
#include <string.h>

#include "qa/internal.h"

enum { POINTS = 33, LONGEST = 36525 };

/* Counts what a query counts; more than none is a finding. */
static enum adg_status expect_none(struct adg_qa_context *context, const char *query, const char *field,
                                   const char *check, const char *rule, struct adg_error *error)
{
    uint64_t wrong = 0;
    enum adg_status status = adg_qa_count(context, query, check, &wrong, error);
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
                                   struct adg_error *error)
{
    struct adg_sql *sql = &context->sql;
    struct order order = {{0}, 0, {{false}}};
    find_order(timeline, &order);
    const char *query = ADG_SQL(sql, "select count(*) from $1 where 1 = 0", context->rows.from);
    for (uint32_t i = 0; i < order.count; i++) {
        for (uint32_t j = 0; j < order.count; j++) {
            if (order.before[i][j]) {
                query = ADG_SQL(sql, "$1 or ($2) > ($3)", query, adg_qa_valid(context, order.fields[i]),
                                adg_qa_valid(context, order.fields[j]));
            }
        }
    }
    return expect_none(context, query, context->dataset->fields[timeline->anchor].name, "order",
                       "all valid dates are in their order", error);
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
                                    const struct adg_span_rule *span, uint32_t field, struct adg_error *error)
{
    struct adg_sql *sql = &context->sql;
    const char *from = adg_qa_valid(context, span->from), *to = adg_qa_valid(context, span->to);
    const char *length = context->rows.columns[field], *query = NULL;
    if (!has_lengths(context, field, span->below)) {
        query = ADG_SQL(sql, "select count($1) from $2", length, context->rows.from);
    } else if (timeline->minutes) {
        query = ADG_SQL(sql,
                        "select count(*) from $4 where ($1 is null) <> (($2) is null or ($3) is null) or $1 < 0 or "
                        "mod(($2) + $1, 1440) <> ($3)",
                        length, from, to, context->rows.from);
    } else {
        query = ADG_SQL(sql, "select count(*) from $4 where $1 is distinct from (($3) - ($2))", length, from, to,
                        context->rows.from);
    }
    return expect_none(context, query, context->dataset->fields[field].name, "length",
                       "the length is the difference of its valid ends, or null", error);
}

/* Of spans that share an end, one that is at least as long as another: for times of day, whose order a clock does not show. */
static enum adg_status check_at_least(struct adg_qa_context *context, const struct adg_timeline *timeline,
                                      const struct adg_span_rule *span, struct adg_error *error)
{
    if (span->at_least < 0) {
        return ADG_OK;
    }
    uint32_t field = span->lengths[0], least = timeline->spans[span->at_least].lengths[0];
    const char *query = ADG_SQL(&context->sql, "select count(*) from $1 where $2 < $3", context->rows.from,
                                context->rows.columns[field], context->rows.columns[least]);
    return expect_none(context, query, context->dataset->fields[field].name, "length",
                       "it is at least as long as what it has to cover", error);
}

static enum adg_status check_timeline(struct adg_qa_context *context, const struct adg_timeline *timeline,
                                      struct adg_error *error)
{
    enum adg_status status = timeline->minutes ? ADG_OK : check_order(context, timeline, error);
    for (uint32_t s = 0; s < timeline->span_count && status == ADG_OK; s++) {
        const struct adg_span_rule *span = &timeline->spans[s];
        for (uint32_t i = 0; i < span->length_count && status == ADG_OK; i++) {
            status = check_length(context, timeline, span, span->lengths[i], error);
        }
        if (status == ADG_OK) {
            status = check_at_least(context, timeline, span, error);
        }
    }
    return status;
}

/* ---- births and ages ------------------------------------------------------------------------------------------------- */

static enum adg_status check_births(struct adg_qa_context *context, struct adg_error *error)
{
    const struct adg_coherence *coherence = &context->dataset->coherence;
    struct adg_sql *sql = &context->sql;
    const char *birth = adg_qa_month(context, context->rows.columns[coherence->population.birth]);
    const char *columns = ADG_SQL(sql, "$1 as b", birth), *rule = "1 = 0";
    uint32_t dates = 0;
    for (uint32_t t = 0; t < coherence->timeline_count; t++) {
        const struct adg_timeline *timeline = &coherence->timelines[t];
        struct order order = {{0}, 0, {{false}}};
        find_order(timeline, &order);
        for (uint32_t i = 0; i < order.count && !timeline->minutes; i++) {
            const char *name = ADG_SQL(sql, "d$1", adg_sql_number(sql, dates++));
            columns = ADG_SQL(sql, "$1, $2 as $3", columns, adg_qa_valid(context, order.fields[i]), name);
            rule = ADG_SQL(sql, "$1 or b > $2", rule, name);
        }
    }
    return expect_none(
        context, ADG_SQL(sql, "select count(*) from (select $1 from $2) x where $3", columns, context->rows.from, rule),
        context->dataset->fields[coherence->population.birth].name, "birth", "all valid dates are after the birth",
        error);
}

/* The ages of a person at their dates fit one day of birth: the latest first day that they allow is not after the earliest last one.
 * Somebody of `a` years is between 365 a - 182 and 365 a + 182 days old. */
static enum adg_status check_ages(struct adg_qa_context *context, struct adg_error *error)
{
    const struct adg_population_rule *rule = &context->dataset->coherence.population;
    const char *name = context->dataset->fields[rule->age].name;
    const char *query = ADG_SQL(
        &context->sql,
        "select count(*) from (select max(t - most) as low, min(t - least) as high from (select p, t, "
        "case a when 7001 then 0 when 7002 then 1 when 7003 then 7 when 7004 then 29 when 7005 then 91 "
        "when 7006 then 182 when 7007 then 273 when 1 then 365 else 365 * a - 182 end as least, "
        "case a when 7001 then 0 when 7002 then 6 when 7003 then 28 when 7004 then 90 when 7005 then 181 "
        "when 7006 then 272 when 7007 then 364 when 120 then 1000000 else 365 * a + 182 end as most "
        "from (select $1 as p, $2 as t, $3 as a from $4) x where a is not null) y group by p) z where low > high",
        context->rows.columns[context->dataset->patient_key], adg_qa_valid(context, (uint32_t)rule->age_at),
        context->rows.columns[rule->age], context->rows.from);
    uint64_t wrong = 0;
    enum adg_status status = adg_qa_count(context, query, name, &wrong, error);
    return status == ADG_OK && wrong > 0 ? adg_qa_find(context, name, "age", error,
                                                       "%" PRIu64 " people whose ages fit no one date of birth", wrong)
                                         : status;
}

/* ---- nested codes ---------------------------------------------------------------------------------------------------- */

static enum adg_status check_nested(struct adg_qa_context *context, const struct adg_nested_group *group,
                                    struct adg_error *error)
{
    struct adg_sql *sql = &context->sql;
    const char *query = ADG_SQL(sql, "select count(*) from $1 where 1 = 0", context->rows.from);
    for (uint32_t i = 0; i + 1 < group->count; i++) {
        query = ADG_SQL(sql, "$1 or ($2 and not $3)", query, adg_qa_filled(context, group->fields[i + 1]),
                        adg_qa_filled(context, group->fields[i]));
    }
    return expect_none(context, query, context->dataset->fields[group->fields[0]].name, "nested",
                       "codes are filled from the left", error);
}

/* ---- references ------------------------------------------------------------------------------------------------------ */

/* The table of the other dataset that is there and is of the same period, or NULL. */
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

static enum adg_status open_rows(struct adg_qa_context *context, const struct adg_qa_table *table,
                                 const struct adg_dataset *dataset, struct adg_qa_rows *out, bool *good,
                                 struct adg_error *error)
{
    return table->relation != NULL ? adg_qa_open_relation(context, table, dataset, false, out, good, error)
                                   : adg_qa_open_files(context, table, dataset, "o", false, out, good, error);
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
    struct adg_sql *sql = &context->sql;
    struct adg_qa_rows there = {NULL, NULL, NULL};
    const char *field = dataset->fields[reference->field].name, *back = NULL;
    uint64_t named = 0, possible = 0;
    bool good = false;
    enum adg_status status = open_rows(context, table, other, &there, &good, error);
    if (status == ADG_OK && !good) { /* why it cannot is a finding about that table */
        return adg_qa_find(context, field, "reference", error,
                           "table %s, whose records it names, cannot be read as the definition says", table->table);
    }
    if (status != ADG_OK) {
        return status;
    }
    for (uint32_t i = 0; i < other->coherence.reference_count; i++) {
        const struct adg_reference *candidate = &other->coherence.references[i];
        back = strcmp(candidate->dataset, dataset->name) == 0 ? there.columns[candidate->field] : back;
    }
    const char *column = context->rows.columns[reference->field];
    const char *patient = context->rows.columns[dataset->patient_key];
    const char *other_patient = there.columns[other->patient_key];
    const char *ours = ADG_SQL(sql, "(select $1 as f, $2 as p, $3 as k from $4 where $1 is not null) a", column,
                               patient, context->rows.columns[dataset->primary_key], context->rows.from);
    const char *theirs = ADG_SQL(sql, "(select $1 as k, $2 as p, $3 as f from $4) b", there.columns[other->primary_key],
                                 other_patient, back != NULL ? back : "0", there.from);
    const char *query = ADG_SQL(sql,
                                "select count(*) from $1 left join $2 on a.f = b.k where b.p is null or b.p <> a.p$3",
                                ours, theirs, back != NULL ? " or b.f is distinct from a.k" : "");
    status = expect_none(context, query, field, "reference",
                         "it names a record of the same person that names this one back", error);
    if (status == ADG_OK) {
        query = ADG_SQL(sql, "select count($1) from $2", column, context->rows.from);
        status = adg_qa_count(context, query, field, &named, error);
    }
    if (status == ADG_OK) {
        query = ADG_SQL(sql,
                        "select cast(sum(least(a.n, b.n)) as bigint) from "
                        "(select $1 as p, count(*) as n from $2 group by 1) a join "
                        "(select $3 as p, count(*) as n from $4 group by 1) b using (p)",
                        patient, context->rows.from, other_patient, there.from);
        status = adg_qa_count(context, query, field, &possible, error);
    }
    return status == ADG_OK && named != possible
               ? adg_qa_find(context, field, "reference", error,
                             "%" PRIu64 " records name one of the same person, expected %" PRIu64, named, possible)
               : status;
}

/* ---- all ------------------------------------------------------------------------------------------------------------- */

enum adg_status adg_qa_check_rules(struct adg_qa_context *context, struct adg_error *error)
{
    const struct adg_coherence *coherence = &context->dataset->coherence;
    enum adg_status status = ADG_OK;
    for (uint32_t t = 0; t < coherence->timeline_count && status == ADG_OK; t++) {
        status = check_timeline(context, &coherence->timelines[t], error);
    }
    if (status == ADG_OK && coherence->population.birth >= 0) {
        status = check_births(context, error);
    }
    if (status == ADG_OK && coherence->population.age >= 0) {
        status = check_ages(context, error);
    }
    for (uint32_t g = 0; g < coherence->nested_count && status == ADG_OK; g++) {
        status = check_nested(context, &coherence->nested[g], error);
    }
    for (uint32_t r = 0; r < coherence->reference_count && status == ADG_OK; r++) {
        status = check_reference(context, &coherence->references[r], error);
    }
    return status;
}
