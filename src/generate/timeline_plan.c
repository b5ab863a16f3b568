/*
 * Planning a timeline: see timeline.h.
 */
#include "generate/timeline.h"

#include <string.h>

#include "block/text.h"
#include "core/date.h"
#include "core/memory.h"

/* Lengths from here on are no lengths, whatever the definition says: a hundred years of days. */
#define LONGEST 36525

/* ---- plan: points -------------------------------------------------------------------------------------------------- */

/* What the metadata say of a point: valid values as days or minutes, invalid ones as entries of the dictionary. */
struct told {
    struct adg_listed_values listed;
    int32_t *days;             /* [dictionary.count] */
    bool *valid;               /* the same */
    double valid_weight, mean; /* of valid values */
};

static enum adg_status read_told(struct adg_plan *plan, const struct adg_timeline_plan *timeline, uint32_t field,
                                 struct told *out, struct adg_error *error)
{
    enum adg_status status = adg_plan_values(plan, field, &out->listed, error);
    uint32_t count = out->listed.dictionary.count;
    out->days = adg_arena_array(&plan->arena, (size_t)count + 1, sizeof *out->days);
    out->valid = adg_arena_array(&plan->arena, (size_t)count + 1, sizeof *out->valid);
    if (status == ADG_OK && (out->days == NULL || out->valid == NULL)) {
        status = adg_fail_memory(error);
    }
    for (uint32_t i = 0; i < count && status == ADG_OK; i++) {
        char scratch[ADG_VALUE_TEXT_BYTES];
        const char *text = NULL;
        size_t size = adg_dictionary_text(&out->listed.dictionary, 0, i, scratch, &text);
        out->valid[i] = timeline->minutes ? adg_minutes_parse(text, size, &out->days[i])
                                          : adg_date_parse(text, size, &out->days[i]) &&
                                                !adg_coherence_is_invalid_date(&plan->dataset->coherence, out->days[i]);
        if (out->valid[i]) {
            out->valid_weight += (double)out->listed.weights[i];
            out->mean += (double)out->listed.weights[i] * out->days[i];
        }
    }
    out->mean = out->valid_weight > 0 ? out->mean / out->valid_weight : 0;
    return status;
}

/* The point of a field, which is new when there is none. */
static uint32_t point_of(struct adg_timeline_plan *timeline, uint32_t field)
{
    uint32_t p = 0;
    while (p < timeline->point_count && timeline->points[p].field != field) {
        p++;
    }
    if (p == timeline->point_count) {
        timeline->points[timeline->point_count++].field = field;
    }
    return p;
}

/* Days that can come out, from the anchor on. */
static void bound_points(struct adg_timeline_plan *timeline)
{
    for (uint32_t s = 0; s < timeline->span_count; s++) {
        const struct adg_timeline_span *span = &timeline->spans[s];
        struct adg_timeline_point *from = &timeline->points[span->from], *to = &timeline->points[span->to];
        if (span->rule->has_from) {
            to->least = from->least;
            to->most = from->most + span->most;
        } else if (span->rule->has_to) {
            from->least = to->least - span->most;
            from->most = to->most;
        } else {
            const struct adg_timeline_span *within = &timeline->spans[span->rule->at_least];
            from->least = timeline->points[within->from].least - span->most;
            from->most = timeline->points[within->from].most;
            to->least = timeline->points[within->to].least;
            to->most = timeline->points[within->to].most + span->most;
        }
    }
}

/* Values of the column: invalid ones of the metadata, and all days from least to most, or all minutes. */
static enum adg_status list_values(struct adg_plan *plan, const struct adg_timeline_plan *timeline,
                                   struct adg_timeline_point *point, const struct told *told, struct adg_value *values,
                                   uint32_t *count, struct adg_error *error)
{
    const struct adg_field *field = plan->columns[point->field].field;
    uint32_t made = 0;
    for (int32_t day = point->least; point->there && day <= point->most; day++) {
        char text[4];
        if (timeline->minutes) {
            text[0] = (char)('0' + day / 600);
            text[1] = (char)('0' + day / 60 % 10);
            text[2] = (char)('0' + day % 60 / 10);
            text[3] = (char)('0' + day % 10);
            const char *kept = adg_arena_strndup(&plan->arena, text, sizeof text);
            if (kept == NULL) {
                return adg_fail_memory(error);
            }
            values[made] = (struct adg_value){0};
            values[made].as.text.bytes = kept;
            values[made++].as.text.size = sizeof text;
        } else {
            values[made++] = (struct adg_value){.as.whole = day};
        }
    }
    for (uint32_t i = 0; i < told->listed.dictionary.count; i++) {
        if (told->valid[i] || told->listed.weights[i] == 0) {
            continue;
        }
        values[made] = (struct adg_value){0};
        if (field->type == ADG_TYPE_STRING) {
            const uint32_t *offsets = told->listed.dictionary.values.text.offsets;
            values[made].as.text.bytes = told->listed.dictionary.values.text.bytes + offsets[i];
            values[made].as.text.size = offsets[i + 1] - offsets[i];
        } else {
            values[made].as.whole = told->days[i];
        }
        made++;
    }
    *count = made;
    return ADG_OK;
}

/* Chances of valid, null and each invalid value; valid ones that cannot come out are null. *shown: anything but null can. */
static enum adg_status plan_states(struct adg_plan *plan, struct adg_timeline_point *point, const struct told *told,
                                   bool *nullable, bool *shown, struct adg_error *error)
{
    const struct adg_listed_values *listed = &told->listed;
    double sum = told->valid_weight;
    uint32_t count = 2;
    double *weights = adg_alloc_zero((size_t)listed->dictionary.count + 2, sizeof *weights);
    uint64_t *parts = adg_alloc_zero((size_t)listed->dictionary.count + 2, sizeof *parts);
    enum adg_status status = weights == NULL || parts == NULL ? adg_fail_memory(error) : ADG_OK;
    for (uint32_t i = 0; i < listed->dictionary.count && status == ADG_OK; i++) {
        if (!told->valid[i] && listed->weights[i] > 0) {
            weights[count++] = (double)listed->weights[i];
            sum += (double)listed->weights[i];
        }
    }
    *shown = status == ADG_OK && sum > 0 && (listed->null == 0 || listed->filled > 0);
    if (*shown) {
        weights[point->there ? 0 : 1] = told->valid_weight;
        weights[1] += listed->null > 0 ? sum * ((double)listed->null / (double)listed->filled) : 0;
        *shown = point->there || count > 2;
    }
    if (*shown) {
        status = adg_parts_of(weights, count, parts, error);
        point->certain = parts[0] == ADG_PARTS;
        point->state = adg_plan_stream(plan, point->field, ADG_PURPOSE_STATE);
        *nullable = parts[1] > 0;
        if (status == ADG_OK) {
            status = adg_alias_in(&plan->arena, parts, count, &point->states, error);
        }
    }
    point->there = point->there && *shown;
    adg_free(weights);
    adg_free(parts);
    return status;
}

static enum adg_status list_point(struct adg_plan *plan, const struct adg_timeline_plan *timeline,
                                  struct adg_timeline_point *point, const struct told *told, bool nullable,
                                  struct adg_error *error)
{
    struct adg_plan_column *column = &plan->columns[point->field];
    uint32_t days = point->there ? (uint32_t)(point->most - point->least) + 1 : 0, count = 0;
    size_t most = (size_t)days + told->listed.dictionary.count + 1;
    struct adg_dictionary dictionary = {0};
    struct adg_value *values = adg_alloc_array(most, sizeof *values);
    uint32_t *codes = adg_alloc_array(most, sizeof *codes);
    point->codes = adg_arena_array(&plan->arena, days, sizeof *point->codes);
    point->codes_of_states = adg_arena_array(&plan->arena, most + 2, sizeof *point->codes_of_states);
    bool made = values != NULL && codes != NULL && point->codes != NULL && point->codes_of_states != NULL;
    enum adg_status status = made ? list_values(plan, timeline, point, told, values, &count, error)
                                  : adg_fail_memory(error);
    if (status == ADG_OK) {
        status = adg_value_dictionary(column->field->type, values, count, &plan->arena, &dictionary, codes, error);
    }
    if (status == ADG_OK) {
        memcpy(point->codes, codes, days * sizeof *codes);
        point->codes_of_states[1] = dictionary.count;
        memcpy(point->codes_of_states + 2, codes + days, (count - days) * sizeof *codes);
        adg_plan_set_dictionary(column, &dictionary, nullable || timeline->born_after);
        point->drawn = column->kind == ADG_COLUMN_DICTIONARY;
    }
    adg_free(values);
    adg_free(codes);
    return status;
}

static enum adg_status plan_point(struct adg_plan *plan, const struct adg_timeline_plan *timeline,
                                  struct adg_timeline_point *point, struct adg_error *error)
{
    struct told told = {0};
    bool nullable = false, shown = false;
    enum adg_status status = read_told(plan, timeline, point->field, &told, error);
    plan->columns[point->field].missing = !told.listed.there;
    point->there = told.valid_weight > 0 && timeline->day_count > 0;
    if (status == ADG_OK && (point->least < ADG_DATE_MIN || point->most > ADG_DATE_MAX)) {
        status = adg_fail(error, ADG_BAD_INPUT,
                          "dates and lengths leave the years 1 to 9999: say in the definition which "
                          "dates are invalid_dates");
    }
    if (status == ADG_OK) {
        status = plan_states(plan, point, &told, &nullable, &shown, error);
    }
    if (status == ADG_OK && shown) {
        status = list_point(plan, timeline, point, &told, nullable, error);
    }
    adg_free(told.listed.weights);
    return status;
}

/* ---- plan: anchor -------------------------------------------------------------------------------------------------- */

/* The births of the table's people: those that it has, or, of a table that has none, those of all people. */
static enum adg_status births_of_people(struct adg_plan *plan, const struct adg_birth **out, uint32_t *count,
                                        struct adg_error *error)
{
    const struct adg_people *people = plan->people;
    *out = plan->member->births;
    *count = plan->member->birth_count;
    if (*count > 0) {
        return ADG_OK;
    }
    struct adg_birth *births = adg_arena_array(&plan->arena, (size_t)people->births.count + 1, sizeof *births);
    if (births == NULL) {
        return adg_fail_memory(error);
    }
    for (uint32_t v = 0; v <= people->births.count; v++) {
        births[v] = (struct adg_birth){{NULL, 0}, people->birth_days[v], (double)people->birth_parts[v]};
    }
    *out = births;
    *count = people->births.count + 1;
    return ADG_OK;
}

static enum adg_status plan_anchor(struct adg_plan *plan, struct adg_timeline_plan *timeline, struct adg_error *error)
{
    struct adg_timeline_point *anchor = &timeline->points[0];
    struct told told = {0};
    enum adg_status status = read_told(plan, timeline, anchor->field, &told, error);
    uint32_t count = told.listed.dictionary.count;
    double *shares = adg_alloc_array((size_t)count + 1, sizeof *shares);
    double *rest = adg_alloc_array((size_t)count + 1, sizeof *rest);
    uint64_t *parts = adg_alloc_array((size_t)count + 1, sizeof *parts);
    timeline->days = adg_arena_array(&plan->arena, (size_t)count + 1, sizeof *timeline->days);
    timeline->sums = adg_arena_array(&plan->arena, (size_t)count + 2, sizeof *timeline->sums);
    if (status == ADG_OK &&
        (shares == NULL || rest == NULL || parts == NULL || timeline->days == NULL || timeline->sums == NULL)) {
        status = adg_fail_memory(error);
    }
    for (uint32_t i = 0; i < count && status == ADG_OK; i++) {
        if (told.valid[i] && told.listed.weights[i] > 0) {
            timeline->days[timeline->day_count] = told.days[i];
            shares[timeline->day_count++] = (double)told.listed.weights[i] / told.valid_weight;
        }
    }
    if (status == ADG_OK && timeline->day_count > 0) {
        status = adg_parts_of(shares, timeline->day_count, parts, error);
        adg_sums_build(parts, timeline->day_count, timeline->sums);
        anchor->least = timeline->minutes ? 0 : timeline->days[0];
        anchor->most = timeline->minutes ? ADG_DAY_MINUTES - 1 : timeline->days[timeline->day_count - 1];
        double left = 0;
        if (status == ADG_OK && !timeline->minutes && plan->people != NULL) {
            const struct adg_birth *births = NULL;
            uint32_t birth_count = 0;
            status = births_of_people(plan, &births, &birth_count, error);
            struct adg_births_among among = {0, 0};
            if (status == ADG_OK) {
                among = adg_births_rest(births, birth_count, timeline->days, shares, timeline->day_count, rest);
            }
            timeline->born_within = among.within > 0;
            timeline->born_after = among.after > 0;
            for (uint32_t d = 0; d < timeline->day_count; d++) {
                left += rest[d];
            }
        }
        if (status == ADG_OK && left > 0 && timeline->born_within) {
            status = adg_parts_of(rest, timeline->day_count, parts, error);
        }
        if (status == ADG_OK) {
            status = adg_alias_in(&plan->arena, parts, timeline->day_count, &timeline->alias, error);
        }
    }
    timeline->anchor = adg_plan_stream(plan, anchor->field, ADG_PURPOSE_VALUE);
    adg_free(shares);
    adg_free(rest);
    adg_free(parts);
    adg_free(told.listed.weights);
    return status;
}

/* ---- plan: spans --------------------------------------------------------------------------------------------------- */

/* The percentiles of a length field, those that are lengths; none: *count is 0. */
static enum adg_status read_lengths(struct adg_plan *plan, uint32_t field, uint32_t below, const double **out,
                                    uint32_t *count, struct adg_error *error)
{
    struct adg_metadata_range range = adg_metadata_find(plan->metadata, plan->table->name,
                                                        plan->dataset->fields[field].name, ADG_VALUE_CONTINUOUS);
    *count = 0;
    if (range.count == 0) {
        return ADG_OK;
    }
    const struct adg_metadata_row *row = range.rows;
    if (range.count > 1 || row->numeric_array_count == 0) {
        return adg_fail(error, ADG_BAD_INPUT, "field %s: CONTINUOUS is one row with percentiles",
                        plan->dataset->fields[field].name);
    }
    double *kept = adg_arena_array(&plan->arena, row->numeric_array_count, sizeof *kept);
    if (kept == NULL) {
        return adg_fail_memory(error);
    }
    double before = 0, limit = below > 0 && below < LONGEST ? below : LONGEST;
    for (uint32_t i = 0; i < row->numeric_array_count; i++) {
        double value = row->numeric_array[i] < 0 ? 0 : row->numeric_array[i];
        if (value < before || value != value) {
            return adg_fail(error, ADG_BAD_INPUT, "field %s: percentiles are not finite and ascending",
                            plan->dataset->fields[field].name);
        }
        before = value;
        if (value < limit) {
            kept[(*count)++] = value;
        }
    }
    *out = kept;
    return ADG_OK;
}

static enum adg_status plan_lengths(struct adg_plan *plan, struct adg_timeline_plan *timeline, uint32_t s,
                                    struct adg_error *error)
{
    struct adg_timeline_span *span = &timeline->spans[s];
    const struct adg_span_rule *rule = span->rule;
    enum adg_status status = ADG_OK;
    for (uint32_t k = 0; k < rule->length_count && status == ADG_OK; k++) {
        const double *percentiles = NULL;
        uint32_t count = 0;
        bool there = adg_metadata_find(plan->metadata, plan->table->name, plan->dataset->fields[rule->lengths[k]].name,
                                       ADG_VALUE_COMPLETENESS)
                         .count > 0;
        status = read_lengths(plan, rule->lengths[k], rule->below, &percentiles, &count, error);
        span->lengths[k].drawn = count > 0;
        plan->columns[rule->lengths[k]].missing = count == 0 && !there;
        if (span->percentile_count == 0) {
            span->percentiles = percentiles;
            span->percentile_count = count;
        }
    }
    if (status != ADG_OK) {
        return status;
    }
    span->most = span->percentile_count > 0 ? (int32_t)(span->percentiles[span->percentile_count - 1] + 0.5) : 0;
    span->root = s;
    if (rule->at_least >= 0) {
        const struct adg_timeline_span *least = &timeline->spans[rule->at_least];
        span->root = least->root;
        span->most = span->most > least->most ? span->most : least->most;
    }
    span->length = adg_plan_stream(plan, timeline->spans[span->root].rule->lengths[0], ADG_PURPOSE_LENGTH);
    span->side = adg_plan_stream(plan, rule->lengths[0], ADG_PURPOSE_SIDE);
    return status;
}

/* The chance that what a span is longer than the one within lies before it. */
static enum adg_status plan_side(struct adg_plan *plan, const struct adg_timeline_plan *timeline,
                                 struct adg_timeline_span *span, struct adg_error *error)
{
    const struct adg_timeline_span *within = &timeline->spans[span->rule->at_least];
    const uint32_t fields[4] = {span->rule->from, within->rule->from, within->rule->to, span->rule->to};
    double means[4] = {0};
    bool there = true;
    enum adg_status status = ADG_OK;
    for (int i = 0; i < 4 && status == ADG_OK; i++) {
        struct told told = {0};
        status = read_told(plan, timeline, fields[i], &told, error);
        means[i] = told.mean;
        there = there && told.valid_weight > 0;
        adg_free(told.listed.weights);
    }
    double before = means[1] - means[0], after = means[3] - means[2], chance = 0.5;
    if (there && !timeline->minutes && before + after > 0) {
        chance = before / (before + after);
        chance = chance < 0 ? 0 : chance > 1 ? 1 : chance;
    }
    span->before_end = (uint64_t)(chance * (double)ADG_PARTS + 0.5);
    return status;
}

/* Columns of the lengths: whole numbers from 0 on. */
static enum adg_status show_lengths(struct adg_plan *plan, const struct adg_timeline_plan *timeline,
                                    struct adg_timeline_span *span, struct adg_error *error)
{
    const struct adg_timeline_point *from = &timeline->points[span->from], *to = &timeline->points[span->to];
    uint32_t count = (uint32_t)span->most + 1;
    bool nullable = !from->certain || !to->certain || timeline->born_after;
    struct adg_value *values = adg_alloc_array(count, sizeof *values);
    uint32_t *codes = adg_alloc_array(count, sizeof *codes);
    enum adg_status status = values == NULL || codes == NULL ? adg_fail_memory(error) : ADG_OK;
    for (uint32_t i = 0; i < count && status == ADG_OK; i++) {
        values[i] = (struct adg_value){.as.whole = i};
    }
    for (uint32_t k = 0; k < span->length_count && status == ADG_OK; k++) {
        struct adg_timeline_length *length = &span->lengths[k];
        struct adg_plan_column *column = &plan->columns[length->field];
        struct adg_dictionary dictionary = {0};
        if (!length->drawn || !from->there || !to->there) {
            length->drawn = false;
            continue;
        }
        status = adg_value_dictionary(column->field->type, values, count, &plan->arena, &dictionary, codes, error);
        if (status == ADG_OK) {
            adg_plan_set_dictionary(column, &dictionary, nullable);
            length->drawn = column->kind == ADG_COLUMN_DICTIONARY;
            length->null = count;
        }
    }
    adg_free(values);
    adg_free(codes);
    return status;
}

static enum adg_status warn_of_lengths(struct adg_plan *plan, const struct adg_timeline_plan *timeline,
                                       struct adg_error *error)
{
    struct adg_buffer text = {0};
    uint32_t unknown = 0;
    enum adg_status status = ADG_OK;
    for (uint32_t s = 0; s < timeline->span_count && status == ADG_OK && timeline->day_count > 0; s++) {
        const struct adg_timeline_span *span = &timeline->spans[s];
        bool seen = timeline->points[span->from].there && timeline->points[span->to].there;
        if (span->percentile_count == 0 && seen) {
            status = adg_buffer_printf(&text, error, "%s%s to %s", unknown++ > 0 ? ", " : "",
                                       plan->dataset->fields[span->rule->from].name,
                                       plan->dataset->fields[span->rule->to].name);
        }
    }
    struct adg_buffer line = {0};
    if (status == ADG_OK && unknown > 0) {
        status = adg_buffer_printf(&line, error,
                                   "table %s: no metadata for the time from %.*s; taken as short as can be",
                                   plan->table->name, (int)text.size, (const char *)text.data);
    }
    if (status == ADG_OK && unknown > 0) {
        const char *whole = adg_buffer_text(&line);
        status = whole == NULL ? adg_fail_memory(error) : adg_plan_warn(plan, whole, error);
    }
    adg_buffer_fini(&text);
    adg_buffer_fini(&line);
    return status;
}

/* Without a valid anchor nothing else of a timeline can be valid. */
static enum adg_status warn_of_anchor(struct adg_plan *plan, const struct adg_timeline_plan *timeline,
                                      struct adg_error *error)
{
    struct adg_buffer line = {0};
    uint32_t lost = 0;
    enum adg_status status = ADG_OK;
    for (uint32_t p = 1; p < timeline->point_count && status == ADG_OK && timeline->day_count == 0; p++) {
        struct told told = {0};
        status = read_told(plan, timeline, timeline->points[p].field, &told, error);
        lost += told.valid_weight > 0;
        adg_free(told.listed.weights);
    }
    if (status == ADG_OK && lost > 0) {
        status = adg_buffer_printf(
            &line, error,
            "table %s: the metadata have no valid value of %s, which others are placed by; where "
            "they would be valid they are null",
            plan->table->name, plan->dataset->fields[timeline->points[0].field].name);
    }
    if (status == ADG_OK && lost > 0) {
        const char *whole = adg_buffer_text(&line);
        status = whole == NULL ? adg_fail_memory(error) : adg_plan_warn(plan, whole, error);
    }
    adg_buffer_fini(&line);
    return status;
}

static enum adg_status plan_spans(struct adg_plan *plan, const struct adg_timeline *rule,
                                  struct adg_timeline_plan *timeline, struct adg_error *error)
{
    enum adg_status status = ADG_OK;
    for (uint32_t s = 0; s < rule->span_count && status == ADG_OK; s++) {
        struct adg_timeline_span *span = &timeline->spans[s];
        const struct adg_span_rule *span_rule = &rule->spans[s];
        span->rule = span_rule;
        span->from = point_of(timeline, span_rule->from);
        span->to = point_of(timeline, span_rule->to);
        span->length_count = span_rule->length_count;
        span->lengths = adg_arena_array(&plan->arena, span->length_count, sizeof *span->lengths);
        if (span->lengths == NULL) {
            return adg_fail_memory(error);
        }
        for (uint32_t k = 0; k < span->length_count; k++) {
            span->lengths[k].field = span_rule->lengths[k];
        }
        timeline->span_count = s + 1;
        status = plan_lengths(plan, timeline, s, error);
        if (status == ADG_OK && !span_rule->has_from && !span_rule->has_to) {
            status = plan_side(plan, timeline, span, error);
        }
    }
    return status;
}

enum adg_status adg_plan_timeline(struct adg_plan *plan, const struct adg_timeline *rule, struct adg_error *error)
{
    struct adg_timeline_plan *timeline = adg_arena_array(&plan->arena, 1, sizeof *timeline);
    if (timeline == NULL) {
        return adg_fail_memory(error);
    }
    timeline->minutes = rule->minutes;
    timeline->point_count = 1;
    timeline->points[0].field = rule->anchor;
    enum adg_status status = plan_anchor(plan, timeline, error);
    if (status == ADG_OK) {
        status = plan_spans(plan, rule, timeline, error);
    }
    if (status == ADG_OK && timeline->minutes) {
        for (uint32_t p = 0; p < timeline->point_count; p++) {
            timeline->points[p].least = 0;
            timeline->points[p].most = ADG_DAY_MINUTES - 1;
        }
    } else if (status == ADG_OK) {
        bound_points(timeline);
    }
    for (uint32_t p = 0; p < timeline->point_count && status == ADG_OK; p++) {
        status = plan_point(plan, timeline, &timeline->points[p], error);
        adg_context(error, status, "field %s", plan->dataset->fields[timeline->points[p].field].name);
    }
    for (uint32_t s = 0; s < timeline->span_count && status == ADG_OK; s++) {
        status = show_lengths(plan, timeline, &timeline->spans[s], error);
    }
    if (status == ADG_OK) {
        status = warn_of_lengths(plan, timeline, error);
    }
    if (status == ADG_OK) {
        status = warn_of_anchor(plan, timeline, error);
    }
    if (status == ADG_OK) {
        adg_plan_add_step(plan, rule->anchor, adg_timeline_run, timeline);
    }
    return status;
}
