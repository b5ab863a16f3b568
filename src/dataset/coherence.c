/*
 * Reads the key `coherence` of a dataset: see coherence.h, and docs/definitions.md for the format. A field is in one coupling
 * at most, so that no two of them want to write it.
 */
#include "dataset/coherence.h"

#include <string.h>

#include "core/date.h"
#include "dataset/parse.h"

enum { MAX_ITEMS = 1024, MAX_SPANS = 16, MAX_LENGTHS = 8, MAX_BELOW = 999999999 };

/* ---- reading ----------------------------------------------------------------------------------------------------- */

struct reader {
    const struct adg_tree *tree;
    struct adg_dataset *dataset;
    bool *coupled; /* per field: something writes it already */
};

static bool is_sampled(const struct reader *reader, uint32_t field, enum adg_value_type value_type)
{
    const struct adg_field *found = &reader->dataset->fields[field];
    return found->role == ADG_ROLE_SAMPLED && found->value_type == value_type;
}

static bool is_whole(const struct reader *reader, uint32_t field)
{
    enum adg_type type = reader->dataset->fields[field].type;
    return type == ADG_TYPE_INT32 || type == ADG_TYPE_INT64;
}

/* The field that a node names; `what` is for the message. */
static enum adg_status find_field(const struct reader *reader, const yaml_node_t *node, const char *what, uint32_t *out)
{
    int64_t field = node->type == YAML_SCALAR_NODE ? adg_dataset_find_field(reader->dataset, adg_tree_text(node)) : -1;
    if (field < 0) {
        return adg_tree_refuse(reader->tree, node, 0, "expected the name of %s", what);
    }
    *out = (uint32_t)field;
    return ADG_OK;
}

static enum adg_status couple(struct reader *reader, const yaml_node_t *node, uint32_t field)
{
    if (reader->coupled[field]) {
        return adg_tree_refuse(reader->tree, node, 0, "expected a field of no other coupling, found %s again",
                               reader->dataset->fields[field].name);
    }
    reader->coupled[field] = true;
    return ADG_OK;
}

static enum adg_status read_same(struct reader *reader, const yaml_node_t *node, struct adg_population_rule *rule)
{
    uint32_t count = 0;
    enum adg_status status = adg_tree_sequence(reader->tree, node, MAX_ITEMS, "fields", &count);
    uint32_t *fields = status == ADG_OK ? adg_arena_array(reader->tree->arena, count, sizeof *fields) : NULL;
    if (status == ADG_OK && fields == NULL) {
        return adg_fail_memory(reader->tree->error);
    }
    for (uint32_t i = 0; i < count && status == ADG_OK; i++) {
        const yaml_node_t *name = adg_tree_item(reader->tree, node, i);
        static const char what[] = "a field with values: DEMOGRAPHIC_CATEGORICAL";
        status = find_field(reader, name, what, &fields[i]);
        if (status == ADG_OK && !is_sampled(reader, fields[i], ADG_VALUE_DEMOGRAPHIC_CATEGORICAL)) {
            status = adg_tree_refuse(reader->tree, name, 0, "expected the name of %s", what);
        }
        if (status == ADG_OK) {
            status = couple(reader, name, fields[i]);
        }
    }
    rule->same = fields;
    rule->same_count = count;
    return status;
}

static enum adg_status read_age(struct reader *reader, const yaml_node_t *node, struct adg_population_rule *rule)
{
    enum { FIELD, AT, KEYS };
    static const char *const keys[] = {"field", "at", NULL};
    static const char age_what[] = "an age: values: CATEGORICAL or DISCRETE, type integer or long";
    static const char at_what[] = "a field with values: DATE";
    const yaml_node_t *values[KEYS];
    uint32_t age = 0, at = 0;
    enum adg_status status = adg_tree_mapping(reader->tree, node, keys, values, "age");
    if (status == ADG_OK && (values[FIELD] == NULL || values[AT] == NULL)) {
        status = adg_tree_refuse(reader->tree, node, 0, "expected an age with field and at");
    }
    if (status == ADG_OK) {
        status = find_field(reader, values[FIELD], age_what, &age);
    }
    if (status == ADG_OK && (!is_whole(reader, age) || (!is_sampled(reader, age, ADG_VALUE_CATEGORICAL) &&
                                                        !is_sampled(reader, age, ADG_VALUE_DISCRETE)))) {
        status = adg_tree_refuse(reader->tree, values[FIELD], 0, "expected the name of %s", age_what);
    }
    if (status == ADG_OK) {
        status = find_field(reader, values[AT], at_what, &at);
    }
    if (status == ADG_OK && !is_sampled(reader, at, ADG_VALUE_DATE)) {
        status = adg_tree_refuse(reader->tree, values[AT], 0, "expected the name of %s", at_what);
    }
    if (status == ADG_OK) {
        status = couple(reader, values[FIELD], age);
    }
    rule->age = age;
    rule->age_at = at;
    return status;
}

static enum adg_status read_population(struct reader *reader, const yaml_node_t *node)
{
    enum { ID, BIRTH, AGE, SAME, KEYS };
    static const char *const keys[] = {"id", "birth", "age", "same", NULL};
    static const char birth_what[] = "a field with values: DEMOGRAPHIC_DATE";
    const yaml_node_t *values[KEYS];
    struct adg_population_rule *rule = &reader->dataset->coherence.population;
    uint32_t birth = 0;
    enum adg_status status = adg_tree_mapping(reader->tree, node, keys, values, "population");
    if (status == ADG_OK && values[ID] == NULL) {
        status = adg_tree_refuse(reader->tree, node, 0, "expected a population with id");
    }
    if (status == ADG_OK && reader->dataset->patient_key < 0) {
        status = adg_tree_refuse(reader->tree, node, 0,
                                 "expected a dataset with patient_key: a population is of people");
    }
    if (status == ADG_OK) {
        status = adg_tree_number(reader->tree, values[ID], UINT16_MAX, "the population's id", &rule->id);
    }
    if (status == ADG_OK && values[BIRTH] != NULL) {
        status = find_field(reader, values[BIRTH], birth_what, &birth);
        if (status == ADG_OK && !is_sampled(reader, birth, ADG_VALUE_DEMOGRAPHIC_DATE)) {
            status = adg_tree_refuse(reader->tree, values[BIRTH], 0, "expected the name of %s", birth_what);
        }
        if (status == ADG_OK) {
            status = couple(reader, values[BIRTH], birth);
        }
        rule->birth = birth;
    }
    if (status == ADG_OK && values[AGE] != NULL) {
        status = read_age(reader, values[AGE], rule);
    }
    if (status == ADG_OK && values[SAME] != NULL) {
        status = read_same(reader, values[SAME], rule);
    }
    return status;
}

static enum adg_status read_invalid_dates(struct reader *reader, const yaml_node_t *node)
{
    uint32_t count = 0;
    enum adg_status status = adg_tree_sequence(reader->tree, node, 64, "invalid_dates", &count);
    int32_t *days = status == ADG_OK ? adg_arena_array(reader->tree->arena, count, sizeof *days) : NULL;
    if (status == ADG_OK && days == NULL) {
        return adg_fail_memory(reader->tree->error);
    }
    for (uint32_t i = 0; i < count && status == ADG_OK; i++) {
        const yaml_node_t *day = adg_tree_item(reader->tree, node, i);
        if (day->type != YAML_SCALAR_NODE || !adg_date_parse(adg_tree_text(day), day->data.scalar.length, &days[i])) {
            status = adg_tree_refuse(reader->tree, day, 0, "expected a date such as 1800-01-01");
        }
    }
    reader->dataset->coherence.invalid_dates = days;
    reader->dataset->coherence.invalid_date_count = count;
    return status;
}

/* A date or a time of the timeline: the kind is the anchor's. */
static enum adg_status read_point(struct reader *reader, const yaml_node_t *node, const struct adg_timeline *timeline,
                                  uint32_t *out)
{
    const char *what = timeline->minutes ? "a time of day: values: CATEGORICAL, type string"
                                         : "a field with values: DATE";
    enum adg_status status = find_field(reader, node, what, out);
    if (status != ADG_OK) {
        return status;
    }
    bool time = is_sampled(reader, *out, ADG_VALUE_CATEGORICAL) &&
                reader->dataset->fields[*out].type == ADG_TYPE_STRING;
    if (timeline->minutes ? !time : !is_sampled(reader, *out, ADG_VALUE_DATE)) {
        return adg_tree_refuse(reader->tree, node, 0, "expected the name of %s", what);
    }
    return ADG_OK;
}

/* One name, or a list of them. */
static enum adg_status read_lengths(struct reader *reader, const yaml_node_t *node, struct adg_span_rule *span)
{
    static const char what[] = "a field with values: CONTINUOUS, type integer or long";
    uint32_t count = 1;
    enum adg_status status = node->type == YAML_SCALAR_NODE
                                 ? ADG_OK
                                 : adg_tree_sequence(reader->tree, node, MAX_LENGTHS, "lengths", &count);
    uint32_t *fields = status == ADG_OK ? adg_arena_array(reader->tree->arena, count, sizeof *fields) : NULL;
    if (status == ADG_OK && fields == NULL) {
        return adg_fail_memory(reader->tree->error);
    }
    if (status == ADG_OK && count == 0) {
        status = adg_tree_refuse(reader->tree, node, 0, "expected the name of %s", what);
    }
    for (uint32_t i = 0; i < count && status == ADG_OK; i++) {
        const yaml_node_t *name = node->type == YAML_SCALAR_NODE ? node : adg_tree_item(reader->tree, node, i);
        status = find_field(reader, name, what, &fields[i]);
        if (status == ADG_OK &&
            (!is_whole(reader, fields[i]) || !is_sampled(reader, fields[i], ADG_VALUE_CONTINUOUS))) {
            status = adg_tree_refuse(reader->tree, name, 0, "expected the name of %s", what);
        }
        if (status == ADG_OK) {
            status = couple(reader, name, fields[i]);
        }
    }
    span->lengths = fields;
    span->length_count = count;
    return status;
}

static bool is_placed(const struct adg_timeline *timeline, uint32_t field)
{
    bool placed = timeline->anchor == field;
    for (uint32_t s = 0; s < timeline->span_count && !placed; s++) {
        placed = timeline->spans[s].from == field || timeline->spans[s].to == field;
    }
    return placed;
}

/* The span before this one that has the length which a node names. */
static enum adg_status read_at_least(struct reader *reader, const yaml_node_t *node,
                                     const struct adg_timeline *timeline, struct adg_span_rule *span)
{
    uint32_t field = 0;
    enum adg_status status = find_field(reader, node, "a length of a span before this one", &field);
    for (uint32_t s = 0; s < timeline->span_count && status == ADG_OK; s++) {
        for (uint32_t i = 0; i < timeline->spans[s].length_count; i++) {
            span->at_least = timeline->spans[s].lengths[i] == field ? (int64_t)s : span->at_least;
        }
    }
    if (status == ADG_OK && span->at_least < 0) {
        status = adg_tree_refuse(reader->tree, node, 0, "expected the name of a length of a span before this one");
    }
    return status;
}

static enum adg_status read_span(struct reader *reader, const yaml_node_t *node, struct adg_timeline *timeline,
                                 struct adg_span_rule *span)
{
    enum { FROM, TO, LENGTH, AT_LEAST, BELOW, KEYS };
    static const char *const keys[] = {"from", "to", "length", "at_least", "below", NULL};
    const yaml_node_t *values[KEYS];
    span->at_least = -1;
    enum adg_status status = adg_tree_mapping(reader->tree, node, keys, values, "a span");
    if (status == ADG_OK && (values[FROM] == NULL || values[TO] == NULL || values[LENGTH] == NULL)) {
        status = adg_tree_refuse(reader->tree, node, 0, "expected a span with from, to and length");
    }
    if (status == ADG_OK) {
        status = read_point(reader, values[FROM], timeline, &span->from);
    }
    if (status == ADG_OK) {
        status = read_point(reader, values[TO], timeline, &span->to);
    }
    if (status == ADG_OK) {
        status = read_lengths(reader, values[LENGTH], span);
    }
    if (status == ADG_OK && values[AT_LEAST] != NULL) {
        status = read_at_least(reader, values[AT_LEAST], timeline, span);
    }
    if (status == ADG_OK && values[BELOW] != NULL) {
        status = adg_tree_number(reader->tree, values[BELOW], MAX_BELOW, "below", &span->below);
    }
    if (status != ADG_OK) {
        return status;
    }
    span->has_from = is_placed(timeline, span->from);
    span->has_to = is_placed(timeline, span->to);
    if (span->from == span->to || (span->has_from && span->has_to) ||
        (!span->has_from && !span->has_to && span->at_least < 0)) {
        return adg_tree_refuse(reader->tree, node, 0,
                               "expected a span of which one end has a place (the anchor, or an end of a span before "
                               "it), or none and at_least names the span that lies within");
    }
    status = span->has_from ? ADG_OK : couple(reader, values[FROM], span->from);
    return status == ADG_OK && !span->has_to ? couple(reader, values[TO], span->to) : status;
}

static enum adg_status read_timeline(struct reader *reader, const yaml_node_t *node, struct adg_timeline *timeline)
{
    enum { ANCHOR, SPANS, KEYS };
    static const char *const keys[] = {"anchor", "spans", NULL};
    static const char what[] = "a date (values: DATE), or a time of day (values: CATEGORICAL, type string)";
    const yaml_node_t *values[KEYS];
    enum adg_status status = adg_tree_mapping(reader->tree, node, keys, values, "a timeline");
    if (status == ADG_OK && values[ANCHOR] == NULL) {
        status = adg_tree_refuse(reader->tree, node, 0, "expected a timeline with anchor");
    }
    if (status == ADG_OK) {
        status = find_field(reader, values[ANCHOR], what, &timeline->anchor);
    }
    if (status != ADG_OK) {
        return status;
    }
    timeline->minutes = is_sampled(reader, timeline->anchor, ADG_VALUE_CATEGORICAL) &&
                        reader->dataset->fields[timeline->anchor].type == ADG_TYPE_STRING;
    if (!timeline->minutes && !is_sampled(reader, timeline->anchor, ADG_VALUE_DATE)) {
        return adg_tree_refuse(reader->tree, values[ANCHOR], 0, "expected the name of %s", what);
    }
    uint32_t count = 0;
    status = couple(reader, values[ANCHOR], timeline->anchor);
    if (status == ADG_OK && values[SPANS] != NULL) {
        status = adg_tree_sequence(reader->tree, values[SPANS], MAX_SPANS, "spans", &count);
    }
    struct adg_span_rule *spans = status == ADG_OK ? adg_arena_array(reader->tree->arena, count, sizeof *spans) : NULL;
    if (status == ADG_OK && spans == NULL) {
        return adg_fail_memory(reader->tree->error);
    }
    timeline->spans = spans;
    for (uint32_t s = 0; s < count && status == ADG_OK; s++) {
        status = read_span(reader, adg_tree_item(reader->tree, values[SPANS], s), timeline, &spans[s]);
        timeline->span_count = s + 1;
    }
    return status;
}

static enum adg_status read_timelines(struct reader *reader, const yaml_node_t *node)
{
    uint32_t count = 0;
    enum adg_status status = adg_tree_sequence(reader->tree, node, MAX_ITEMS, "timelines", &count);
    struct adg_timeline *timelines = status == ADG_OK ? adg_arena_array(reader->tree->arena, count, sizeof *timelines)
                                                      : NULL;
    if (status == ADG_OK && timelines == NULL) {
        return adg_fail_memory(reader->tree->error);
    }
    for (uint32_t t = 0; t < count && status == ADG_OK; t++) {
        status = read_timeline(reader, adg_tree_item(reader->tree, node, t), &timelines[t]);
    }
    reader->dataset->coherence.timelines = timelines;
    reader->dataset->coherence.timeline_count = count;
    return status;
}

static enum adg_status read_nested(struct reader *reader, const yaml_node_t *node)
{
    uint32_t count = 0;
    enum adg_status status = adg_tree_sequence(reader->tree, node, MAX_ITEMS, "nested fields", &count);
    struct adg_nested_group *groups = status == ADG_OK ? adg_arena_array(reader->tree->arena, count, sizeof *groups)
                                                       : NULL;
    if (status == ADG_OK && groups == NULL) {
        return adg_fail_memory(reader->tree->error);
    }
    for (uint32_t g = 0; g < count && status == ADG_OK; g++) {
        const yaml_node_t *range = adg_tree_item(reader->tree, node, g);
        struct adg_error reason = {{0}};
        size_t column = 0;
        if (range->type != YAML_SCALAR_NODE) {
            return adg_tree_refuse(reader->tree, range, 0, "expected a range such as NAME_01..20");
        }
        status = adg_field_range_parse(adg_tree_text(range), reader->dataset, reader->tree->arena, &groups[g].fields,
                                       &groups[g].count, &column, &reason);
        if (status != ADG_OK) {
            return status == ADG_BAD_INPUT ? adg_tree_refuse(reader->tree, range, column, "%s", reason.message)
                                           : adg_fail(reader->tree->error, status, "%s", reason.message);
        }
        for (uint32_t i = 0; i < groups[g].count && status == ADG_OK; i++) {
            status = is_sampled(reader, groups[g].fields[i], ADG_VALUE_CATEGORICAL)
                         ? couple(reader, range, groups[g].fields[i])
                         : adg_tree_refuse(reader->tree, range, 0, "expected fields with values: CATEGORICAL");
        }
    }
    reader->dataset->coherence.nested = groups;
    reader->dataset->coherence.nested_count = count;
    return status;
}

static enum adg_status read_references(struct reader *reader, const yaml_node_t *node)
{
    enum { FIELD, DATASET, KEYS };
    static const char *const keys[] = {"field", "dataset", NULL};
    static const char what[] = "a field that has a pattern and is not a key";
    uint32_t count = 0;
    struct adg_dataset *dataset = reader->dataset;
    enum adg_status status = adg_tree_sequence(reader->tree, node, 64, "references", &count);
    struct adg_reference *references = status == ADG_OK
                                           ? adg_arena_array(reader->tree->arena, count, sizeof *references)
                                           : NULL;
    if (status == ADG_OK && references == NULL) {
        return adg_fail_memory(reader->tree->error);
    }
    if (status == ADG_OK && dataset->coherence.population.id == 0) {
        status = adg_tree_refuse(reader->tree, node, 0, "expected a population: records are joined by their people");
    }
    for (uint32_t i = 0; i < count && status == ADG_OK; i++) {
        const yaml_node_t *item = adg_tree_item(reader->tree, node, i), *values[KEYS];
        uint32_t field = 0;
        status = adg_tree_mapping(reader->tree, item, keys, values, "a reference");
        if (status == ADG_OK && (values[FIELD] == NULL || values[DATASET] == NULL)) {
            status = adg_tree_refuse(reader->tree, item, 0, "expected a reference with field and dataset");
        }
        if (status == ADG_OK) {
            status = find_field(reader, values[FIELD], what, &field);
        }
        if (status == ADG_OK && (dataset->fields[field].role != ADG_ROLE_ID || field == dataset->primary_key ||
                                 (int64_t)field == dataset->patient_key || !is_whole(reader, field))) {
            status = adg_tree_refuse(reader->tree, values[FIELD], 0, "expected the name of %s, type integer or long",
                                     what);
        }
        if (status == ADG_OK) {
            status = couple(reader, values[FIELD], field);
        }
        if (status == ADG_OK) {
            status = adg_tree_name(reader->tree, values[DATASET], "a dataset's name", false, &references[i].dataset);
        }
        if (status == ADG_OK && strcmp(references[i].dataset, dataset->name) == 0) {
            status = adg_tree_refuse(reader->tree, values[DATASET], 0, "expected the name of another dataset");
        }
        references[i].field = field;
    }
    dataset->coherence.references = references;
    dataset->coherence.reference_count = count;
    return status;
}

static enum adg_status read_table_value(struct reader *reader, const yaml_node_t *node, struct adg_table_value *out)
{
    enum { FIELD, VALUES, KEYS };
    static const char *const keys[] = {"field", "values", NULL};
    static const char what[] = "a field with values: CATEGORICAL, type string, integer or long";
    const yaml_node_t *values[KEYS];
    uint32_t count = 0;
    enum adg_status status = adg_tree_mapping(reader->tree, node, keys, values, "a value per table");
    if (status == ADG_OK && (values[FIELD] == NULL || values[VALUES] == NULL)) {
        status = adg_tree_refuse(reader->tree, node, 0, "expected field and values");
    }
    if (status == ADG_OK) {
        status = find_field(reader, values[FIELD], what, &out->field);
    }
    if (status != ADG_OK) {
        return status;
    }
    bool text = reader->dataset->fields[out->field].type == ADG_TYPE_STRING;
    if (!is_sampled(reader, out->field, ADG_VALUE_CATEGORICAL) || (!text && !is_whole(reader, out->field))) {
        return adg_tree_refuse(reader->tree, values[FIELD], 0, "expected the name of %s", what);
    }
    status = couple(reader, values[FIELD], out->field);
    if (status == ADG_OK) {
        status = adg_tree_sequence(reader->tree, values[VALUES], UINT16_MAX, "values", &count);
    }
    if (status == ADG_OK && count != reader->dataset->table_count) {
        status = adg_tree_refuse(reader->tree, values[VALUES], 0, "expected as many values as tables, %u",
                                 reader->dataset->table_count);
    }
    const char **texts = status == ADG_OK ? adg_arena_array(reader->tree->arena, count, sizeof *texts) : NULL;
    if (status == ADG_OK && texts == NULL) {
        return adg_fail_memory(reader->tree->error);
    }
    for (uint32_t i = 0; i < count && status == ADG_OK; i++) {
        const yaml_node_t *value = adg_tree_item(reader->tree, values[VALUES], i);
        size_t length = value->type == YAML_SCALAR_NODE ? value->data.scalar.length : 0;
        bool digits = length <= 9 && length > 0 && strspn(adg_tree_text(value), "0123456789") == length;
        if (length == 0 || (!text && !digits)) {
            return adg_tree_refuse(reader->tree, value, 0, text ? "expected a text" : "expected at most 9 digits");
        }
        texts[i] = adg_arena_strdup(reader->tree->arena, adg_tree_text(value));
        status = texts[i] == NULL ? adg_fail_memory(reader->tree->error) : ADG_OK;
    }
    out->texts = texts;
    return status;
}

static enum adg_status read_table_values(struct reader *reader, const yaml_node_t *node)
{
    uint32_t count = 0;
    enum adg_status status = adg_tree_sequence(reader->tree, node, MAX_ITEMS, "table_values", &count);
    struct adg_table_value *values = status == ADG_OK ? adg_arena_array(reader->tree->arena, count, sizeof *values)
                                                      : NULL;
    if (status == ADG_OK && values == NULL) {
        return adg_fail_memory(reader->tree->error);
    }
    for (uint32_t i = 0; i < count && status == ADG_OK; i++) {
        status = read_table_value(reader, adg_tree_item(reader->tree, node, i), &values[i]);
    }
    reader->dataset->coherence.table_values = values;
    reader->dataset->coherence.table_value_count = count;
    return status;
}

/* The date of an age is never before a birth: timelines see to that. */
static enum adg_status check_age_date(const struct reader *reader, const yaml_node_t *node)
{
    const struct adg_coherence *coherence = &reader->dataset->coherence;
    int64_t at = coherence->population.age_at;
    if (at >= 0 && adg_coherence_timeline_of(coherence, (uint32_t)at) == NULL) {
        return adg_tree_refuse(reader->tree, node, 0, "expected the date of the age in a timeline");
    }
    return ADG_OK;
}

/* Dates that profile reference sorts are all in timelines, or none of them is. */
static enum adg_status check_sorted_dates(const struct reader *reader, const yaml_node_t *node)
{
    const struct adg_dataset *dataset = reader->dataset;
    uint32_t placed = 0;
    for (uint32_t i = 0; i < dataset->sorted_date_count; i++) {
        placed += adg_coherence_timeline_of(&dataset->coherence, dataset->sorted_dates[i]) != NULL;
    }
    if (placed > 0 && placed < dataset->sorted_date_count) {
        return adg_tree_refuse(reader->tree, node, 0, "expected all of sorted_dates in timelines, or none of them");
    }
    return ADG_OK;
}

enum adg_status adg_coherence_read(const struct adg_tree *tree, const yaml_node_t *node, struct adg_dataset *dataset)
{
    enum { POPULATION, INVALID_DATES, TIMELINES, NESTED, REFERENCES, TABLE_VALUES, KEYS };
    static const char *const keys[] = {"population", "invalid_dates", "timelines", "nested",
                                       "references", "table_values",  NULL};
    static enum adg_status (*const readers[KEYS])(struct reader *, const yaml_node_t *) = {
        read_population, read_invalid_dates, read_timelines, read_nested, read_references, read_table_values};
    const yaml_node_t *values[KEYS];
    struct reader reader = {tree, dataset, adg_arena_array(tree->arena, dataset->field_count, sizeof(bool))};
    if (reader.coupled == NULL) {
        return adg_fail_memory(tree->error);
    }
    enum adg_status status = adg_tree_mapping(tree, node, keys, values, "coherence");
    for (int k = 0; k < KEYS && status == ADG_OK; k++) {
        status = values[k] != NULL ? readers[k](&reader, values[k]) : ADG_OK;
    }
    if (status == ADG_OK) {
        status = check_age_date(&reader, node);
    }
    return status == ADG_OK ? check_sorted_dates(&reader, node) : status;
}

/* ---- datasets of one file ---------------------------------------------------------------------------------------- */

static bool same_pattern(const struct adg_dataset *a, uint32_t field_a, const struct adg_dataset *b, uint32_t field_b)
{
    const struct adg_field *x = &a->fields[field_a], *y = &b->fields[field_b];
    return x->type == y->type && strcmp(adg_pattern_text(x->pattern), adg_pattern_text(y->pattern)) == 0;
}

/* A reference holds keys of the other dataset, whose people are the same. */
static bool references_fit(const struct adg_dataset *from, const struct adg_dataset *to)
{
    for (uint32_t i = 0; i < from->coherence.reference_count; i++) {
        const struct adg_reference *reference = &from->coherence.references[i];
        if (strcmp(reference->dataset, to->name) == 0 &&
            (from->coherence.population.id != to->coherence.population.id ||
             !same_pattern(from, reference->field, to, to->primary_key))) {
            return false;
        }
    }
    return true;
}

enum adg_status adg_coherence_check_others(const struct adg_tree *tree, const yaml_node_t *node,
                                           const struct adg_dataset *datasets, uint32_t index)
{
    const struct adg_dataset *dataset = &datasets[index];
    for (uint32_t i = 0; i < index; i++) {
        const struct adg_dataset *other = &datasets[i];
        if (dataset->coherence.population.id != 0 &&
            dataset->coherence.population.id == other->coherence.population.id &&
            !same_pattern(dataset, (uint32_t)dataset->patient_key, other, (uint32_t)other->patient_key)) {
            return adg_tree_refuse(tree, node, 0,
                                   "expected patient keys of one type and pattern in datasets %s and %s, "
                                   "which share a population",
                                   other->name, dataset->name);
        }
        if (!references_fit(dataset, other) || !references_fit(other, dataset)) {
            return adg_tree_refuse(tree, node, 0,
                                   "expected references between %s and %s to have the type and pattern of the primary "
                                   "key that they name, and one population",
                                   other->name, dataset->name);
        }
    }
    return ADG_OK;
}
