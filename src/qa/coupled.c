/*
 * Fields that profile coherent draws otherwise than by themselves: those that still have a distribution are held against it,
 * the others are measured. What a row must not contradict is in rules.c.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/date.h"
#include "core/number.h"
#include "qa/drift.h"
#include "qa/internal.h"

/* The last measurement that was added is of a field that drifts. */
static void note_drift(struct adg_qa_context *context, double drift)
{
    if (context->qa->field_count > 0) {
        context->qa->fields[context->qa->field_count - 1].drifts = true;
        context->qa->fields[context->qa->field_count - 1].drift = drift;
    }
}

static double total_variation(const struct adg_expected *a, const struct adg_expected *b)
{
    double sum = 0;
    for (size_t i = 0; i < a->count; i++) {
        int64_t at = adg_expected_find(b, a->shares[i].value);
        sum += fabs(a->shares[i].share - (at >= 0 ? b->shares[at].share : 0)) / 2;
    }
    return sum;
}

/* ---- one value, births, nested codes, anchors ----------------------------------------------------------------------- */

static enum adg_status check_table_value(struct adg_qa_context *context, uint32_t index, const char *text,
                                         struct adg_error *error)
{
    struct adg_share share = {{(const uint8_t *)text, strlen(text)}, 1};
    const struct adg_expected expected = {&share, 1};
    return adg_qa_check_categories(context, index, &expected, error);
}

static enum adg_status check_nested(struct adg_qa_context *context, const struct adg_nested_group *group,
                                    uint32_t position, struct adg_arena *arena, struct adg_error *error)
{
    const struct adg_metadata *metadata = context->options->metadata;
    const struct adg_field *field = &context->dataset->fields[group->fields[position]];
    struct adg_expected expected = {NULL, 0}, alone = {NULL, 0};
    enum adg_status status = adg_expected_nested(metadata, context->table->table, context->dataset, group, position,
                                                 arena, &expected, error);
    if (status == ADG_OK) {
        status = adg_expected_categories(metadata, context->table->table, field, arena, &alone, error);
    }
    if (status == ADG_OK) {
        status = adg_qa_check_categories(context, group->fields[position], &expected, error);
    }
    if (status == ADG_OK) {
        note_drift(context, total_variation(&expected, &alone));
    }
    return status;
}

/* Where births bend the dates, rows of a person are not independent of each other: people are the samples. */
static enum adg_status check_anchor(struct adg_qa_context *context, const struct adg_timeline *timeline,
                                    struct adg_arena *arena, struct adg_error *error)
{
    const struct adg_field *field = &context->dataset->fields[timeline->anchor];
    struct adg_expected expected = {NULL, 0}, alone = {NULL, 0};
    double born_after = 0;
    enum adg_status status = adg_expected_anchor(context->options->metadata, context->table->table, context->dataset,
                                                 timeline, arena, &expected, &born_after, error);
    if (status == ADG_OK) {
        status = adg_expected_categories(context->options->metadata, context->table->table, field, arena, &alone,
                                         error);
    }
    if (status == ADG_OK) {
        bool people = !timeline->minutes && context->dataset->coherence.population.id != 0;
        status = people ? adg_qa_check_person(context, timeline->anchor, &expected, error)
                        : adg_qa_check_categories(context, timeline->anchor, &expected, error);
    }
    if (status == ADG_OK) {
        note_drift(context, total_variation(&expected, &alone));
    }
    return status;
}

/* ---- dates that follow --------------------------------------------------------------------------------------------- */

static double number_of(const struct adg_timeline *timeline, struct adg_span value)
{
    int32_t number = 0;
    const char *text = (const char *)value.data;
    bool read = timeline->minutes ? adg_minutes_parse(text, value.size, &number)
                                  : adg_date_parse(text, value.size, &number);
    return read ? number : 0;
}

/* Null and invalid values keep their rates; valid ones, all in one, are what is left, and null where nothing can be placed. */
static enum adg_status check_states(struct adg_qa_context *context, uint32_t index, const struct adg_timeline *timeline,
                                    const struct adg_expected *alone, bool placed, struct adg_arena *arena,
                                    struct adg_error *error)
{
    static const char any[] = "any valid value";
    struct adg_expected states = {adg_arena_array(arena, alone->count + 1, sizeof *states.shares), 0};
    double valid = 0;
    if (states.shares == NULL) {
        return adg_fail_memory(error);
    }
    for (size_t i = 0; i < alone->count; i++) {
        const struct adg_share *share = &alone->shares[i];
        if (adg_expected_is_valid(context->dataset, timeline, share->value)) {
            valid += share->share;
        } else {
            states.shares[states.count++] = *share;
        }
    }
    const struct adg_span marker = {(const uint8_t *)any, sizeof any - 1}, null = {NULL, 0};
    states.shares[states.count++] = (struct adg_share){placed ? marker : null, valid};
    adg_expected_settle(&states);
    struct adg_sql *sql = &context->sql;
    const char *query = ADG_SQL(
        sql, "select case when ($1) is not null then $2 else cast($3 as $4) end, $5 from $6 group by 1",
        adg_qa_valid(context, index), adg_sql_quote(sql, any), context->rows.columns[index], sql->dialect->text,
        adg_qa_real(context, "count(*)"), context->rows.from);
    const struct adg_field text = {.name = context->dataset->fields[index].name, .type = ADG_TYPE_STRING};
    const struct adg_qa_sample sample = {
        .measure = "total variation", .noun = "value", .samples = (double)context->table->rows};
    return adg_qa_check_shares(context, &text, &states, query, &sample, error);
}

static enum adg_status measure_point(struct adg_qa_context *context, uint32_t index,
                                     const struct adg_timeline *timeline, const struct adg_expected *alone,
                                     double *distance, struct adg_error *error)
{
    struct adg_qa_drift drift = {0};
    enum adg_status status = ADG_OK;
    for (size_t i = 0; i < alone->count && status == ADG_OK; i++) {
        if (adg_expected_is_valid(context->dataset, timeline, alone->shares[i].value)) {
            status = adg_qa_drift_expect(&drift, number_of(timeline, alone->shares[i].value), alone->shares[i].share,
                                         error);
        }
    }
    const char *query = ADG_SQL(&context->sql, "select $1, $2 from $3 group by 1",
                                adg_qa_real(context, adg_qa_valid(context, index)), adg_qa_real(context, "count(*)"),
                                context->rows.from);
    if (status == ADG_OK) {
        status = adg_qa_drift_find(&drift, context, query, context->dataset->fields[index].name, error);
    }
    *distance = status == ADG_OK ? adg_qa_distance(&drift) : 0;
    adg_qa_drift_fini(&drift);
    return status;
}

/* Adds a field that is measured alone: its rules are checked elsewhere. */
static enum adg_status add_measured(struct adg_qa_context *context, const struct adg_field *field, double distance,
                                    struct adg_error *error)
{
    const struct adg_qa_field made = {.field = field->name,
                                      .measure = "recomputed",
                                      .samples = (double)context->table->rows,
                                      .passed = true,
                                      .drifts = true,
                                      .drift = distance};
    return adg_qa_add_field(context, &made, error);
}

static enum adg_status check_point(struct adg_qa_context *context, uint32_t index, const struct adg_timeline *timeline,
                                   struct adg_arena *arena, struct adg_error *error)
{
    const struct adg_field *field = &context->dataset->fields[index];
    struct adg_expected alone = {NULL, 0}, anchor = {NULL, 0};
    double born_after = 0, distance = 0;
    enum adg_status status = adg_expected_categories(context->options->metadata, context->table->table, field, arena,
                                                     &alone, error);
    if (status == ADG_OK) {
        status = adg_expected_anchor(context->options->metadata, context->table->table, context->dataset, timeline,
                                     arena, &anchor, &born_after, error);
    }
    if (status == ADG_OK) {
        status = measure_point(context, index, timeline, &alone, &distance, error);
    }
    if (status != ADG_OK) {
        return status;
    }
    if (born_after > 0) { /* whoever is born too late has no dates in any row: rows are not independent */
        return add_measured(context, field, distance, error);
    }
    double placed = 0;
    for (size_t i = 0; i < anchor.count; i++) {
        placed += adg_expected_is_valid(context->dataset, timeline, anchor.shares[i].value) ? anchor.shares[i].share
                                                                                            : 0;
    }
    status = check_states(context, index, timeline, &alone, placed > 0, arena, error);
    if (status == ADG_OK) {
        note_drift(context, distance);
    }
    return status;
}

/* ---- lengths and ages ---------------------------------------------------------------------------------------------- */

/* Adds to the last measurement how much more often the field is null than `expected`, its share in the metadata. */
static enum adg_status note_nulls(struct adg_qa_context *context, uint32_t index, double expected,
                                  struct adg_error *error)
{
    uint64_t nulls = 0;
    const char *query = ADG_SQL(&context->sql, "select count(*) - count($1) from $2", context->rows.columns[index],
                                context->rows.from);
    enum adg_status status = adg_qa_count(context, query, context->dataset->fields[index].name, &nulls, error);
    if (status == ADG_OK) {
        struct adg_qa_field *last = &context->qa->fields[context->qa->field_count - 1];
        last->null_drifts = true;
        last->null_drift = (double)nulls / (double)context->table->rows - expected;
    }
    return status;
}

static enum adg_status find_numbers(struct adg_qa_context *context, uint32_t index, struct adg_qa_drift *drift,
                                    double *distance, struct adg_error *error)
{
    const char *query = ADG_SQL(&context->sql, "select $1, $2 from $3 where $4 is not null group by 1",
                                adg_qa_real(context, context->rows.columns[index]), adg_qa_real(context, "count(*)"),
                                context->rows.from, context->rows.columns[index]);
    enum adg_status status = adg_qa_drift_find(drift, context, query, context->dataset->fields[index].name, error);
    *distance = status == ADG_OK ? adg_qa_distance(drift) : 0;
    return status;
}

/* Percentiles as a distribution of whole numbers: each interval is cut into pieces. */
static enum adg_status measure_length(struct adg_qa_context *context, uint32_t index, struct adg_error *error)
{
    enum { PIECES = 64 };
    const struct adg_field *field = &context->dataset->fields[index];
    struct adg_metadata_range range = adg_metadata_find(context->options->metadata, context->table->table, field->name,
                                                        ADG_VALUE_CONTINUOUS);
    struct adg_qa_drift drift = {0};
    double distance = 0;
    enum adg_status status = ADG_OK;
    const double *at = range.count > 0 ? range.rows->numeric_array : NULL;
    uint32_t count = range.count > 0 ? range.rows->numeric_array_count : 0;
    for (uint32_t i = 0; i < count && status == ADG_OK; i++) {
        if (count == 1) {
            status = adg_qa_drift_expect(&drift, at[0], 1, error);
        }
        for (int k = 0; i + 1 < count && k < PIECES && status == ADG_OK; k++) {
            double value = at[i] + (k + 0.5) / PIECES * (at[i + 1] - at[i]);
            status = adg_qa_drift_expect(&drift, floor(value + 0.5), 1.0 / PIECES, error);
        }
    }
    if (status == ADG_OK && count > 0) {
        status = find_numbers(context, index, &drift, &distance, error);
    }
    adg_qa_drift_fini(&drift);
    if (status == ADG_OK) {
        status = add_measured(context, field, distance, error);
    }
    double null = adg_expected_null(context->options->metadata, context->table->table, field->name);
    return status == ADG_OK ? note_nulls(context, index, count == 0 ? 1 : null < 0 ? 0 : null, error) : status;
}

static enum adg_status measure_age(struct adg_qa_context *context, uint32_t index, struct adg_arena *arena,
                                   struct adg_error *error)
{
    const struct adg_field *field = &context->dataset->fields[index];
    struct adg_expected alone = {NULL, 0};
    struct adg_qa_drift drift = {0};
    double distance = 0;
    enum adg_status status = adg_expected_categories(context->options->metadata, context->table->table, field, arena,
                                                     &alone, error);
    for (size_t i = 0; i < alone.count && status == ADG_OK; i++) {
        double age = 0;
        const struct adg_span value = alone.shares[i].value;
        if (value.data != NULL && adg_double_parse((const char *)value.data, value.size, &age)) {
            status = adg_qa_drift_expect(&drift, age, alone.shares[i].share, error);
        }
    }
    if (status == ADG_OK) {
        status = find_numbers(context, index, &drift, &distance, error);
    }
    adg_qa_drift_fini(&drift);
    if (status == ADG_OK) {
        status = add_measured(context, field, distance, error);
    }
    int64_t null = adg_expected_find(&alone, (struct adg_span){NULL, 0});
    return status == ADG_OK ? note_nulls(context, index, null >= 0 ? alone.shares[null].share : 0, error) : status;
}

/* ---- which field is whose ------------------------------------------------------------------------------------------ */

enum adg_status adg_qa_check_coupled(struct adg_qa_context *context, uint32_t index, bool *coupled,
                                     struct adg_error *error)
{
    const struct adg_dataset *dataset = context->dataset;
    const struct adg_coherence *coherence = &dataset->coherence;
    const struct adg_field *field = &dataset->fields[index];
    const struct adg_table *table = NULL;
    const struct adg_span_rule *span = NULL;
    uint32_t position = 0;
    struct adg_arena arena = {0};
    struct adg_expected expected = {NULL, 0};
    enum adg_status status = adg_definition_find_table(context->options->definition, context->table->table, NULL,
                                                       &table, error);
    const char *text = status == ADG_OK ? adg_coherence_table_value(coherence, index, table->ordinal) : NULL;
    const struct adg_nested_group *group = adg_coherence_nested_of(coherence, index, &position);
    const struct adg_timeline *timeline = adg_coherence_timeline_of(coherence, index);
    *coupled = true;
    if (status != ADG_OK) {
        return status;
    }
    if (text != NULL) {
        status = check_table_value(context, index, text, error);
    } else if (group != NULL) {
        status = check_nested(context, group, position, &arena, error);
    } else if (coherence->population.birth == (int64_t)index) {
        status = adg_expected_births(context->options->metadata, context->table->table, field, &arena, &expected,
                                     error);
        if (status == ADG_OK) {
            status = adg_qa_check_person(context, index, &expected, error);
        }
    } else if (coherence->population.age == (int64_t)index) {
        status = measure_age(context, index, &arena, error);
    } else if (timeline != NULL) {
        status = timeline->anchor == index ? check_anchor(context, timeline, &arena, error)
                                           : check_point(context, index, timeline, &arena, error);
    } else if (adg_coherence_length_of(coherence, index, &span) != NULL) {
        status = measure_length(context, index, error);
    } else {
        *coupled = false;
    }
    adg_arena_fini(&arena);
    return status;
}
