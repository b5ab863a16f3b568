/*
 * One field of a generated table against what was expected of it.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "core/memory.h"
#include "dataset/category.h"
#include "qa/internal.h"

enum { SHOWN_BYTES = 60, FINDINGS_OF_A_FIELD = 10 };

/* ---- bounds ------------------------------------------------------------------------------------------------------ */

/* Relative entropy of a share that was found from one that was expected, in nats. */
static double entropy(double found, double expected)
{
    double sum = 0;
    if ((expected <= 0 && found > 0) || (expected >= 1 && found < 1)) {
        return INFINITY;
    }
    if (found > 0) {
        sum += found * log(found / expected);
    }
    if (found < 1) {
        sum += (1 - found) * log((1 - found) / (1 - expected));
    }
    return sum > 0 ? sum : 0;
}

/* Chernoff-Hoeffding: P(the mean of n values in [0, 1] is so far out) <= 2 exp(-n entropy). */
static bool share_is_possible(const struct adg_qa_context *context, double samples, double found, double expected)
{
    return samples * entropy(fmin(found, 1), fmin(expected, 1)) <= context->log_term;
}

static void show_value(struct adg_span value, char out[SHOWN_BYTES + 8])
{
    if (value.data == NULL) {
        snprintf(out, SHOWN_BYTES + 8, "null");
    } else {
        size_t size = value.size < SHOWN_BYTES ? value.size : SHOWN_BYTES;
        while (size < value.size && size > 0 && (value.data[size] & 0xC0) == 0x80) { /* within a character */
            size--;
        }
        snprintf(out, SHOWN_BYTES + 8, "'%.*s'", (int)size, (const char *)value.data);
    }
}

/* ---- categories -------------------------------------------------------------------------------------------------- */

/* The value of the result's row as the metadata writes it. */
static struct adg_span found_value(const struct adg_field *field, const struct adg_engine_result *result,
                                   char scratch[ADG_NUMBER_TEXT_BYTES])
{
    if (adg_engine_is_null(result, 0)) {
        return (struct adg_span){NULL, 0};
    }
    if (field->type == ADG_TYPE_STRING) {
        struct adg_span text = adg_engine_text(result, 0);
        return text.data != NULL ? text : (struct adg_span){(const uint8_t *)"", 0};
    }
    if (field->type == ADG_TYPE_DOUBLE) {
        return adg_category_text(field, 0, adg_engine_double(result, 0), (struct adg_span){NULL, 0}, scratch);
    }
    return adg_category_text(field, adg_engine_int(result, 0), 0, (struct adg_span){NULL, 0}, scratch);
}

struct tally {
    double *found;                       /* per expected share: rows, or sums of patients' shares */
    double foreign, distance, deviation; /* deviation: sum of standard deviations of the shares */
    double foreign_allowed;              /* samples */
    unsigned findings;
};

static enum adg_status count_found(struct adg_qa_context *context, const struct adg_field *field,
                                   const struct adg_expected *expected, const char *query, const char *noun,
                                   struct tally *tally, struct adg_error *error)
{
    struct adg_engine_result *result = NULL;
    bool has_row = true;
    enum adg_status status = context->sql.status;
    if (status == ADG_OK) {
        status = adg_engine_query(context->engine, query, field->name, &result, error);
    }
    while (status == ADG_OK) {
        status = adg_engine_next(result, &has_row, error);
        if (status != ADG_OK || !has_row) {
            break;
        }
        char scratch[ADG_NUMBER_TEXT_BYTES], shown[SHOWN_BYTES + 8];
        struct adg_span value = found_value(field, result, scratch);
        int64_t at = adg_expected_find(expected, value);
        if (at >= 0) {
            tally->found[at] += adg_engine_double(result, 1);
            continue;
        }
        tally->foreign += adg_engine_double(result, 1);
        if (tally->foreign > tally->foreign_allowed && tally->findings++ < FINDINGS_OF_A_FIELD) {
            show_value(value, shown);
            status = adg_qa_find(context, field->name, "foreign value", error, "the metadata has no %s %s", noun,
                                 shown);
        }
    }
    adg_engine_result_free(result);
    return status;
}

/* A share as far as cut samples could have moved it from the expected one. */
static double without_cut(double found, double expected, const struct adg_qa_sample *sample)
{
    double most = sample->cut / sample->samples;
    return found > expected ? fmax(found - most, expected) : fmin(found + most, expected);
}

enum adg_status adg_qa_check_shares(struct adg_qa_context *context, const struct adg_field *field,
                                    const struct adg_expected *expected, const char *query,
                                    const struct adg_qa_sample *sample, struct adg_error *error)
{
    struct tally tally = {.found = adg_alloc_zero(expected->count, sizeof(double)), .foreign_allowed = sample->cut};
    enum adg_status status = tally.found == NULL
                                 ? adg_fail_memory(error)
                                 : count_found(context, field, expected, query, sample->noun, &tally, error);
    for (size_t i = 0; i < expected->count && status == ADG_OK; i++) {
        double share = expected->shares[i].share, found = tally.found[i] / sample->samples;
        tally.distance += fabs(found - share) / 2;
        tally.deviation += sqrt(share * (1 - fmin(share, 1)) / sample->samples) / 2;
        if (!share_is_possible(context, sample->samples, without_cut(found, share, sample), share) &&
            tally.findings++ < FINDINGS_OF_A_FIELD) {
            char shown[SHOWN_BYTES + 8];
            show_value(expected->shares[i].value, shown);
            status = adg_qa_find(context, field->name, "share", error,
                                 "%s %s has a share of %.6f, expected %.6f: more than sampling explains", sample->noun,
                                 shown, found, share);
        }
    }
    tally.distance += tally.foreign / sample->samples / 2;
    /* the expectation is at most the sum of the deviations; one sample moves the distance by at most 1/n */
    double bound = tally.deviation + sqrt(context->log_term / (2 * sample->samples)) + sample->cut / sample->samples;
    struct adg_qa_field made = {.field = field->name,
                                .measure = sample->measure,
                                .distance = tally.distance,
                                .bound = bound,
                                .samples = sample->samples,
                                .passed = tally.findings == 0 && tally.distance <= bound};
    if (status == ADG_OK && tally.distance > bound) {
        status = adg_qa_find(context, field->name, sample->measure, error,
                             "the total variation distance is %.6f, sampling explains at most %.6f", tally.distance,
                             bound);
    }
    if (status == ADG_OK) {
        status = adg_qa_draw(context->qa, expected, tally.found, sample->samples, sample->cumulative, &made.chart,
                             error);
    }
    adg_free(tally.found);
    return status == ADG_OK ? adg_qa_add_field(context, &made, error) : status;
}

enum adg_status adg_qa_check_categories(struct adg_qa_context *context, uint32_t index,
                                        const struct adg_expected *expected, struct adg_error *error)
{
    const struct adg_field *field = &context->dataset->fields[index];
    const struct adg_qa_sample sample = {.measure = "total variation",
                                         .noun = "value",
                                         .samples = (double)context->table->rows,
                                         .cumulative = field->type == ADG_TYPE_DATE};
    const char *query = ADG_SQL(&context->sql, "select $1, $2 from $3 group by 1", adg_qa_value(context, index),
                                adg_qa_real(context, "count(*)"), context->rows.from);
    return adg_qa_check_shares(context, field, expected, query, &sample, error);
}

/* Of a person's field the samples are patients: each counts with the shares of its own rows. */
enum adg_status adg_qa_check_person(struct adg_qa_context *context, uint32_t index, const struct adg_expected *expected,
                                    struct adg_error *error)
{
    const struct adg_dataset *dataset = context->dataset;
    if (context->patients == 0) {
        return ADG_OK;
    }
    const char *query = ADG_SQL(&context->sql,
                                "with c as (select $1 as p, $2 as v, count(*) as n from $3 group by 1, 2), "
                                "s as (select p, sum(n) as t from c group by 1) "
                                "select v, sum($4 / $5) from c join s using (p) group by 1",
                                context->rows.columns[dataset->patient_key], adg_qa_value(context, index),
                                context->rows.from, adg_qa_real(context, "n"), adg_qa_real(context, "t"));
    const struct adg_qa_sample sample = {
        .measure = "total variation", .noun = "value", .samples = (double)context->patients};
    return adg_qa_check_shares(context, &dataset->fields[index], expected, query, &sample, error);
}

/* ---- continuous -------------------------------------------------------------------------------------------------- */

struct curve {
    const double *percentiles;
    uint32_t count;
};

/* P(draw < x), or P(draw <= x). */
static double below(const struct curve *curve, double x, bool or_equal)
{
    double sum = 0;
    if (curve->count == 1) {
        return curve->percentiles[0] < x || (or_equal && curve->percentiles[0] == x);
    }
    for (uint32_t i = 0; i + 1 < curve->count; i++) {
        double a = curve->percentiles[i], b = curve->percentiles[i + 1];
        if (a == b) {
            sum += a < x || (or_equal && a == x);
        } else {
            sum += fmin(fmax((x - a) / (b - a), 0), 1);
        }
    }
    return sum / (curve->count - 1);
}

/* Points at the percentiles below `value`; `seen` is the share of what was found up to there. */
static enum adg_status draw_up_to(struct adg_qa *qa, const struct curve *curve, double value, double seen,
                                  struct adg_qa_chart *chart, struct adg_error *error)
{
    uint32_t most = curve->count < ADG_QA_CHART_POINTS ? curve->count : ADG_QA_CHART_POINTS;
    while (chart->count < most) {
        double x = curve->percentiles[most > 1 ? (size_t)chart->count * (curve->count - 1) / (most - 1) : 0];
        if (x >= value) {
            break;
        }
        char text[ADG_NUMBER_TEXT_BYTES];
        const char *copy = adg_arena_strndup(&qa->arena, text, adg_double_format(x, text));
        if (copy == NULL) {
            return adg_fail_memory(error);
        }
        chart->points[chart->count++] = (struct adg_qa_point){copy, below(curve, x, true), seen};
    }
    return ADG_OK;
}

static double unit_of(const struct adg_field *field)
{
    double unit = field->type == ADG_TYPE_DOUBLE ? 0 : field->type == ADG_TYPE_TIMESTAMP ? 1e6 : 1;
    for (unsigned i = 0; field->type == ADG_TYPE_DECIMAL && i < field->scale; i++) {
        unit /= 10;
    }
    return unit;
}

/* A number, or microseconds: what the percentiles are of. */
static const char *measure_of(struct adg_qa_context *context, uint32_t index)
{
    bool moment = context->dataset->fields[index].type == ADG_TYPE_TIMESTAMP;
    return adg_qa_real(context, moment ? adg_qa_value(context, index) : context->rows.columns[index]);
}

static enum adg_status measure_curve(struct adg_qa_context *context, uint32_t index, const struct curve *curve,
                                     double filled, double *distance, struct adg_qa_chart *chart,
                                     struct adg_error *error)
{
    const struct adg_field *field = &context->dataset->fields[index];
    struct adg_engine_result *result = NULL;
    double seen = 0, half = unit_of(field) / 2;
    bool has_row = true;
    const char *query = ADG_SQL(&context->sql, "select $1, $2 from $3 where $4 is not null group by 1 order by 1",
                                measure_of(context, index), adg_qa_real(context, "count(*)"), context->rows.from,
                                context->rows.columns[index]);
    enum adg_status status = context->sql.status;
    if (status == ADG_OK) {
        status = adg_engine_query(context->engine, query, field->name, &result, error);
    }
    *distance = 0;
    while (status == ADG_OK) {
        status = adg_engine_next(result, &has_row, error);
        if (status != ADG_OK || !has_row) {
            break;
        }
        double value = adg_engine_double(result, 0);
        status = draw_up_to(context->qa, curve, value - half, seen / filled, chart, error);
        /* a number that was rounded half up stands for [value - half, value + half) */
        double before = half > 0 ? below(curve, value - half, false) : below(curve, value, false);
        double after = half > 0 ? below(curve, value + half, false) : below(curve, value, true);
        *distance = fmax(*distance, fabs(seen / filled - before));
        seen += adg_engine_double(result, 1);
        *distance = fmax(*distance, fabs(seen / filled - after));
    }
    adg_engine_result_free(result);
    return status == ADG_OK ? draw_up_to(context->qa, curve, INFINITY, 1, chart, error) : status;
}

static enum adg_status check_continuous(struct adg_qa_context *context, uint32_t index, struct adg_error *error)
{
    const struct adg_field *field = &context->dataset->fields[index];
    const struct adg_metadata *metadata = context->options->metadata;
    const char *table = context->table->table;
    struct adg_metadata_range range = adg_metadata_find(metadata, table, field->name, ADG_VALUE_CONTINUOUS);
    double null = adg_expected_null(metadata, table, field->name), rows = (double)context->table->rows;
    uint64_t nulls = 0;
    null = range.count == 0 ? 1 : null < 0 ? 0 : null;
    const char *query = ADG_SQL(&context->sql, "select count(*) - count($1) from $2", context->rows.columns[index],
                                context->rows.from);
    enum adg_status status = adg_qa_count(context, query, field->name, &nulls, error);
    if (status == ADG_OK && !share_is_possible(context, rows, (double)nulls / rows, null)) {
        status = adg_qa_find(context, field->name, "share", error,
                             "null has a share of %.6f, expected %.6f: more than sampling explains",
                             (double)nulls / rows, null);
    }
    double filled = rows - (double)nulls, distance = 0;
    if (status != ADG_OK || range.count == 0 || filled == 0) {
        return status;
    }
    const struct curve curve = {range.rows->numeric_array, range.rows->numeric_array_count};
    double bound = sqrt(context->log_term / (2 * filled));
    struct adg_qa_chart chart = {.cumulative = true, .values = curve.count};
    chart.points = adg_arena_array(&context->qa->arena, ADG_QA_CHART_POINTS, sizeof *chart.points);
    status = chart.points == NULL ? adg_fail_memory(error)
                                  : measure_curve(context, index, &curve, filled, &distance, &chart, error);
    if (status == ADG_OK && distance > bound) {
        status = adg_qa_find(context, field->name, "Kolmogorov-Smirnov", error,
                             "the Kolmogorov-Smirnov distance is %.6f, sampling explains at most %.6f", distance,
                             bound);
    }
    const struct adg_qa_field made = {.field = field->name,
                                      .measure = "Kolmogorov-Smirnov",
                                      .distance = distance,
                                      .bound = bound,
                                      .samples = filled,
                                      .passed = distance <= bound,
                                      .chart = chart};
    return status == ADG_OK ? adg_qa_add_field(context, &made, error) : status;
}

/* ---- derived fields and identifiers ------------------------------------------------------------------------------ */

static enum adg_status check_derived(struct adg_qa_context *context, uint32_t index, struct adg_error *error)
{
    const struct adg_field *field = &context->dataset->fields[index];
    uint64_t wrong = 0;
    enum adg_status status = adg_qa_count(context, adg_qa_wrongly_derived(context, index), field->name, &wrong, error);
    if (status == ADG_OK && wrong > 0) {
        status = adg_qa_find(context, field->name, "derived", error,
                             "%" PRIu64 " rows are not what the field is derived from", wrong);
    }
    const struct adg_qa_field made = {.field = field->name,
                                      .measure = "derived",
                                      .distance = (double)wrong,
                                      .samples = (double)context->table->rows,
                                      .passed = wrong == 0};
    return status == ADG_OK ? adg_qa_add_field(context, &made, error) : status;
}

enum adg_status adg_qa_check_identifier(struct adg_qa_context *context, uint32_t index, struct adg_error *error)
{
    const struct adg_field *field = &context->dataset->fields[index];
    bool primary = index == context->dataset->primary_key;
    bool refers = context->coherent && adg_coherence_reference_of(&context->dataset->coherence, index) != NULL;
    const char *column = context->rows.columns[index], *from = context->rows.from, *text = column;
    struct adg_sql *sql = &context->sql;
    uint64_t wrong = 0, repeated = 0;
    if (field->type != ADG_TYPE_STRING) { /* a number has lost the zeros that it began with */
        text = ADG_SQL(sql, "lpad(cast($1 as $2), $3, '0')", column, sql->dialect->text,
                       adg_sql_number(sql, adg_pattern_max_length(field->pattern)));
    }
    const char *fits = adg_sql_matches(sql, text, adg_pattern_text(field->pattern));
    const char *query = ADG_SQL(
        sql, refers ? "select count(*) from $1 where not $2" : "select count(*) from $1 where not $2 or $3 is null",
        from, fits, column);
    enum adg_status status = adg_qa_count(context, query, field->name, &wrong, error);
    if (status == ADG_OK && primary) {
        query = ADG_SQL(sql, "select count(*) - count(distinct $1) from $2", column, from);
        status = adg_qa_count(context, query, field->name, &repeated, error);
    }
    if (status == ADG_OK && wrong > 0) {
        status = adg_qa_find(context, field->name, "identifier", error, "%" PRIu64 " rows do not fit the pattern",
                             wrong);
    }
    if (status == ADG_OK && repeated > 0) {
        status = adg_qa_find(context, field->name, "unique key", error,
                             "%" PRIu64 " rows repeat the key of another row", repeated);
    }
    const struct adg_qa_field made = {.field = field->name,
                                      .measure = "identifier",
                                      .distance = (double)(wrong + repeated),
                                      .samples = (double)context->table->rows,
                                      .passed = wrong + repeated == 0};
    return status == ADG_OK ? adg_qa_add_field(context, &made, error) : status;
}

enum adg_status adg_qa_check_field(struct adg_qa_context *context, uint32_t index, struct adg_error *error)
{
    const struct adg_field *field = &context->dataset->fields[index];
    const struct adg_metadata *metadata = context->options->metadata;
    const char *table = context->table->table;
    struct adg_arena arena = {0};
    struct adg_expected expected = {NULL, 0};
    int64_t place = adg_dataset_sorted_place(context->dataset, index);
    enum adg_status status = ADG_OK;
    if (context->coherent) {
        bool coupled = false;
        status = adg_qa_check_coupled(context, index, &coupled, error);
        if (status != ADG_OK || coupled) {
            return status;
        }
    }
    if (field->role == ADG_ROLE_DERIVED) {
        return check_derived(context, index, error);
    }
    if (field->role == ADG_ROLE_ID) {
        return adg_qa_check_identifier(context, index, error);
    }
    if (field->value_type == ADG_VALUE_CONTINUOUS) {
        return check_continuous(context, index, error);
    }
    if (field->value_type == ADG_VALUE_DEMOGRAPHIC_CATEGORICAL || field->value_type == ADG_VALUE_DEMOGRAPHIC_DATE) {
        status = field->value_type == ADG_VALUE_DEMOGRAPHIC_DATE
                     ? adg_expected_modes(metadata, table, field, &arena, &expected, error)
                     : adg_expected_patterns(metadata, table, field, &arena, &expected, error);
        if (status == ADG_OK) {
            status = adg_qa_check_person(context, index, &expected, error);
        }
    } else {
        status = place >= 0 ? adg_expected_sorted_date(metadata, table, context->dataset, (uint32_t)place, &arena,
                                                       &expected, error)
                            : adg_expected_categories(metadata, table, field, &arena, &expected, error);
        if (status == ADG_OK) {
            status = adg_qa_check_categories(context, index, &expected, error);
        }
    }
    adg_arena_fini(&arena);
    return status;
}
