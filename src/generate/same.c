/*
 * Fields that are a person's in all tables: see population.h and same.h.
 *
 * Person p has blocks of four random words, two candidates each: counter p, purpose r behind a base of its own for values and
 * for patterns. M candidates are needed on average.
 */
#include "generate/same.h"

#include <string.h>

#include "core/memory.h"
#include "generate/internal.h"

enum { ROUNDS = 0x7000, BATCH = 256 };

/* ---- from the metadata ------------------------------------------------------------------------------------------- */

/* Rows of DEMOGRAPHIC_CATEGORICAL of all members, member after member. */
struct listed {
    struct adg_value *values, *patterns;
    double *weights;
    uint32_t *value_codes, *pattern_codes;
    uint32_t *firsts; /* [members + 1] */
};

static struct adg_metadata_range rows_of(const struct adg_population *population, const struct adg_member *member,
                                         const char *name)
{
    const struct adg_population_rule *rule = &member->dataset->coherence.population;
    for (uint32_t i = 0; i < rule->same_count; i++) {
        if (strcmp(member->dataset->fields[rule->same[i]].name, name) == 0) {
            return adg_metadata_find(population->metadata, member->table->name, name,
                                     ADG_VALUE_DEMOGRAPHIC_CATEGORICAL);
        }
    }
    return (struct adg_metadata_range){NULL, 0};
}

/* The value with the largest weight, the first of several. */
static struct adg_value commonest(const struct adg_metadata_row *row)
{
    uint32_t most = 0;
    for (uint32_t i = 1; i < row->string_array_count; i++) {
        most = row->weight_array[i] > row->weight_array[most] ? i : most;
    }
    const struct adg_optional_text *text = &row->string_array[most];
    struct adg_value value = {.null = text->text == NULL};
    value.as.text.bytes = text->text;
    value.as.text.size = text->size;
    return value;
}

/* Values with their lengths (null: all bits set) and weights, as bytes. */
static enum adg_status put_pattern(const struct adg_metadata_row *row, struct adg_arena *arena, struct adg_value *out,
                                   struct adg_error *error)
{
    size_t size = 0;
    for (uint32_t i = 0; i < row->string_array_count; i++) {
        size += 4 + row->string_array[i].size + sizeof(double);
    }
    char *bytes = adg_arena_alloc(arena, size + 1), *at = bytes;
    if (bytes == NULL) {
        return adg_fail_memory(error);
    }
    for (uint32_t i = 0; i < row->string_array_count; i++) {
        const struct adg_optional_text *text = &row->string_array[i];
        uint32_t length = text->text == NULL ? UINT32_MAX : (uint32_t)text->size;
        memcpy(at, &length, sizeof length);
        at += sizeof length;
        if (text->text != NULL && text->size > 0) {
            memcpy(at, text->text, text->size);
            at += text->size;
        }
        memcpy(at, &row->weight_array[i], sizeof(double));
        at += sizeof(double);
    }
    *out = (struct adg_value){0};
    out->as.text.bytes = bytes;
    out->as.text.size = (size_t)(at - bytes);
    return ADG_OK;
}

static enum adg_status list_rows(struct adg_population *population, const struct adg_people *people, const char *name,
                                 struct listed *listed, struct adg_error *error)
{
    struct adg_arena *arena = &population->arena;
    size_t total = 0;
    for (uint32_t m = 0; m < people->member_count; m++) {
        total += rows_of(population, &people->members[m], name).count;
    }
    if (total >= UINT32_MAX / 4) {
        return adg_fail(error, ADG_BAD_INPUT, "field %s: more than 2^30 patterns", name);
    }
    listed->values = adg_arena_array(arena, total + 1, sizeof *listed->values);
    listed->patterns = adg_arena_array(arena, total + 1, sizeof *listed->patterns);
    listed->weights = adg_arena_array(arena, total + 1, sizeof *listed->weights);
    listed->value_codes = adg_arena_array(arena, total + 1, sizeof *listed->value_codes);
    listed->pattern_codes = adg_arena_array(arena, total + 1, sizeof *listed->pattern_codes);
    listed->firsts = adg_arena_array(arena, (size_t)people->member_count + 1, sizeof *listed->firsts);
    if (listed->values == NULL || listed->patterns == NULL || listed->weights == NULL || listed->value_codes == NULL ||
        listed->pattern_codes == NULL || listed->firsts == NULL) {
        return adg_fail_memory(error);
    }
    uint32_t at = 0;
    enum adg_status status = ADG_OK;
    for (uint32_t m = 0; m < people->member_count && status == ADG_OK; m++) {
        struct adg_metadata_range range = rows_of(population, &people->members[m], name);
        for (size_t i = 0; i < range.count && status == ADG_OK; i++) {
            const struct adg_metadata_row *row = &range.rows[i];
            if (row->string_array_count == 0 || row->string_array_count != row->weight_array_count ||
                !row->has_weight || !(row->weight > 0)) {
                return adg_fail(error, ADG_BAD_INPUT,
                                "table %s, field %s: a pattern needs a weight, and as many weights as values",
                                people->members[m].table->name, name);
            }
            listed->values[at] = commonest(row);
            listed->weights[at] = row->weight;
            status = put_pattern(row, arena, &listed->patterns[at++], error);
        }
        listed->firsts[m + 1] = at;
    }
    return status;
}

/* ---- shares ------------------------------------------------------------------------------------------------------ */

/* Each member's shares of values, and of patterns given their value; the largest of any member. */
static enum adg_status share_members(struct adg_population *population, struct adg_people *people, uint32_t s,
                                     const struct listed *listed, double *most_values, double *most_patterns,
                                     struct adg_error *error)
{
    struct adg_same_field *field = &people->same[s];
    uint32_t values = field->values.count + 1;
    for (uint32_t m = 0; m < people->member_count; m++) {
        uint32_t first = listed->firsts[m], count = listed->firsts[m + 1] - first;
        uint32_t *codes = adg_arena_array(&population->arena, values, sizeof *codes);
        double *shares = adg_arena_array(&population->arena, values, sizeof *shares), sum = 0;
        double *given = adg_arena_array(&population->arena, (size_t)count + 1, sizeof *given);
        if (codes == NULL || shares == NULL || given == NULL) {
            return adg_fail_memory(error);
        }
        for (uint32_t i = first; i < first + count; i++) {
            shares[listed->value_codes[i]] += listed->weights[i];
            sum += listed->weights[i];
        }
        for (uint32_t i = first; i < first + count; i++) {
            given[i - first] = listed->weights[i] / shares[listed->value_codes[i]];
            double *most = &most_patterns[listed->pattern_codes[i]];
            *most = given[i - first] > *most ? given[i - first] : *most;
        }
        for (uint32_t v = 0; v < values; v++) {
            codes[v] = v;
            shares[v] = sum > 0 ? shares[v] / sum : 0;
            most_values[v] = shares[v] > most_values[v] ? shares[v] : most_values[v];
        }
        people->members[m].values[s] = (struct adg_member_list){codes, shares, count > 0 ? values : 0};
        people->members[m].patterns[s] = (struct adg_member_list){listed->pattern_codes + first, given, count};
    }
    return ADG_OK;
}

/* Patterns value by value, and their alias tables. */
static enum adg_status order_patterns(struct adg_population *population, struct adg_same_field *field,
                                      const double *most, struct adg_error *error)
{
    uint32_t values = field->values.count + 1, patterns = field->patterns.count, at = 0;
    double *weights = adg_alloc_array((size_t)patterns + 1, sizeof *weights);
    uint64_t *parts = adg_alloc_array((size_t)patterns + 1, sizeof *parts);
    enum adg_status status = weights == NULL || parts == NULL ? adg_fail_memory(error) : ADG_OK;
    for (uint32_t v = 0; v < values && status == ADG_OK; v++) {
        field->starts[v] = at;
        for (uint32_t p = 0; p < patterns; p++) {
            if (field->pattern_values[p] == v) {
                weights[at - field->starts[v]] = most[p];
                field->pattern_sums[v] += most[p];
                field->ordered[at++] = p;
            }
        }
        uint32_t count = at - field->starts[v];
        if (count > 0) {
            status = adg_parts_of(weights, count, parts, error);
        }
        if (count > 0 && status == ADG_OK) {
            status = adg_alias_in(&population->arena, parts, count, &field->pattern_aliases[v], error);
        }
        for (uint32_t i = 0; i < count && status == ADG_OK; i++) {
            field->pattern_parts[field->ordered[field->starts[v] + i]] = parts[i];
        }
    }
    field->starts[values] = at;
    adg_free(weights);
    adg_free(parts);
    return status;
}

static enum adg_status allocate_field(struct adg_population *population, struct adg_same_field *field,
                                      struct adg_error *error)
{
    struct adg_arena *arena = &population->arena;
    size_t values = (size_t)field->values.count + 1, patterns = (size_t)field->patterns.count + 1;
    field->pattern_values = adg_arena_array(arena, patterns, sizeof *field->pattern_values);
    field->starts = adg_arena_array(arena, values + 1, sizeof *field->starts);
    field->ordered = adg_arena_array(arena, patterns, sizeof *field->ordered);
    field->value_parts = adg_arena_array(arena, values, sizeof *field->value_parts);
    field->pattern_parts = adg_arena_array(arena, patterns, sizeof *field->pattern_parts);
    field->pattern_sums = adg_arena_array(arena, values, sizeof *field->pattern_sums);
    field->pattern_aliases = adg_arena_array(arena, values, sizeof *field->pattern_aliases);
    bool made = field->pattern_values != NULL && field->starts != NULL && field->ordered != NULL &&
                field->value_parts != NULL && field->pattern_parts != NULL && field->pattern_sums != NULL &&
                field->pattern_aliases != NULL;
    return made ? ADG_OK : adg_fail_memory(error);
}

static enum adg_status plan_field(struct adg_population *population, struct adg_people *people, uint32_t s,
                                  struct adg_error *error)
{
    struct adg_same_field *field = &people->same[s];
    struct adg_arena *arena = &population->arena;
    struct listed listed = {0};
    enum adg_status status = list_rows(population, people, field->name, &listed, error);
    uint32_t count = status == ADG_OK ? listed.firsts[people->member_count] : 0;
    if (status == ADG_OK) {
        status = adg_value_dictionary(ADG_TYPE_STRING, listed.values, count, arena, &field->values, listed.value_codes,
                                      error);
    }
    if (status == ADG_OK) {
        status = adg_value_dictionary(ADG_TYPE_STRING, listed.patterns, count, arena, &field->patterns,
                                      listed.pattern_codes, error);
    }
    if (status == ADG_OK) {
        status = allocate_field(population, field, error);
    }
    double *most = status == ADG_OK
                       ? adg_arena_array(arena, (size_t)field->values.count + field->patterns.count + 2, sizeof *most)
                       : NULL;
    if (status == ADG_OK && most == NULL) {
        status = adg_fail_memory(error);
    }
    if (status != ADG_OK) {
        return status;
    }
    double *most_patterns = most + field->values.count + 1;
    for (uint32_t i = 0; i < count; i++) {
        field->pattern_values[listed.pattern_codes[i]] = listed.value_codes[i];
    }
    status = share_members(population, people, s, &listed, most, most_patterns, error);
    if (status == ADG_OK && count > 0) {
        for (uint32_t v = 0; v <= field->values.count; v++) {
            field->value_sum += most[v];
        }
        status = adg_parts_of(most, field->values.count + 1, field->value_parts, error);
        if (status == ADG_OK) {
            status = adg_alias_in(arena, field->value_parts, field->values.count + 1, &field->value_alias, error);
        }
        if (status == ADG_OK) {
            status = order_patterns(population, field, most_patterns, error);
        }
    }
    return status;
}

/* FNV-1a (Fowler, Noll, Vo), 32 bits. */
static uint32_t hash_name(const char *name)
{
    uint32_t hash = 2166136261u;
    for (; *name != '\0'; name++) {
        hash = (hash ^ (unsigned char)*name) * 16777619u;
    }
    return hash;
}

static enum adg_status add_field(struct adg_people *people, const char *name, struct adg_error *error)
{
    uint32_t column = hash_name(name);
    for (uint32_t s = 0; s < people->same_count; s++) {
        if (strcmp(people->same[s].name, name) == 0) {
            return ADG_OK;
        }
        if (people->same[s].column == column) {
            return adg_fail(error, ADG_BAD_INPUT, "fields %s and %s: their names have the same hash, rename one",
                            people->same[s].name, name);
        }
    }
    people->same[people->same_count++] = (struct adg_same_field){.name = name, .column = column};
    return ADG_OK;
}

enum adg_status adg_same_fields(struct adg_population *population, struct adg_people *people, struct adg_error *error)
{
    uint32_t most = 0;
    for (uint32_t m = 0; m < people->member_count; m++) {
        most += people->members[m].dataset->coherence.population.same_count;
    }
    people->same = adg_arena_array(&population->arena, most, sizeof *people->same);
    enum adg_status status = people->same == NULL ? adg_fail_memory(error) : ADG_OK;
    for (uint32_t m = 0; m < people->member_count && status == ADG_OK; m++) {
        const struct adg_dataset *dataset = people->members[m].dataset;
        const struct adg_population_rule *rule = &dataset->coherence.population;
        for (uint32_t i = 0; i < rule->same_count && status == ADG_OK; i++) {
            status = add_field(people, dataset->fields[rule->same[i]].name, error);
        }
    }
    for (uint32_t m = 0; m < people->member_count && status == ADG_OK; m++) {
        struct adg_member *member = &people->members[m];
        member->values = adg_arena_array(&population->arena, people->same_count, sizeof *member->values);
        member->patterns = adg_arena_array(&population->arena, people->same_count, sizeof *member->patterns);
        status = member->values == NULL || member->patterns == NULL ? adg_fail_memory(error) : ADG_OK;
    }
    for (uint32_t s = 0; s < people->same_count && status == ADG_OK; s++) {
        status = plan_field(population, people, s, error);
    }
    return status;
}

/* ---- drawing ----------------------------------------------------------------------------------------------------- */

/* A number below it takes a candidate that is drawn with so many parts of 2^32, so that it is taken in proportion to its share. */
static uint64_t end_of(double share, double sum, uint64_t candidate_parts)
{
    double parts = (double)ADG_PARTS, chance = share / (sum * ((double)candidate_parts / parts));
    return share <= 0 ? 0 : (uint64_t)((chance < 1 ? chance : 1) * parts + 0.5);
}

enum adg_status adg_same_plan(const struct adg_people *people, const struct adg_member *member, const char *name,
                              uint64_t seed, struct adg_arena *arena, struct adg_same_draw *out, bool *there,
                              struct adg_error *error)
{
    uint32_t s = 0;
    while (s < people->same_count && strcmp(people->same[s].name, name) != 0) {
        s++;
    }
    *there = s < people->same_count && member->patterns[s].count > 0;
    if (!*there) {
        return ADG_OK;
    }
    const struct adg_same_field *field = &people->same[s];
    struct adg_same_draw draw = {.field = field, .seed = seed, .id = people->id};
    draw.value_ends = adg_arena_array(arena, (size_t)field->values.count + 1, sizeof *draw.value_ends);
    draw.pattern_ends = adg_arena_array(arena, field->patterns.count, sizeof *draw.pattern_ends);
    draw.rows = adg_arena_array(arena, field->patterns.count, sizeof *draw.rows);
    if (draw.value_ends == NULL || draw.pattern_ends == NULL || draw.rows == NULL) {
        return adg_fail_memory(error);
    }
    const struct adg_member_list *values = &member->values[s], *patterns = &member->patterns[s];
    for (uint32_t i = 0; i < values->count; i++) {
        draw.value_ends[i] = end_of(values->shares[i], field->value_sum, field->value_parts[i]);
    }
    for (uint32_t i = 0; i < patterns->count; i++) {
        uint32_t p = patterns->codes[i];
        draw.pattern_ends[p] = end_of(patterns->shares[i], field->pattern_sums[field->pattern_values[p]],
                                      field->pattern_parts[p]);
        draw.rows[p] = i;
    }
    *out = draw;
    return ADG_OK;
}

/* What candidates are: values of the field, or patterns of one value. */
struct kind {
    const uint64_t *ends;
    uint32_t base;
};

static struct adg_stream blocks_of(const struct adg_same_draw *draw, uint32_t base, uint32_t round)
{
    return (struct adg_stream){draw->seed, draw->field->column, draw->id << 16 | (base + round)};
}

/* The value that a word picks (v < 0), or the pattern of value v. */
static uint32_t candidate_of(const struct adg_same_field *field, int64_t v, uint32_t word)
{
    return v < 0 ? adg_alias_draw_one(&field->value_alias, word)
                 : field->ordered[field->starts[v] + adg_alias_draw_one(&field->pattern_aliases[v], word)];
}

/* The first candidate of a block that is taken, or -1. */
static int64_t take(const struct adg_same_draw *draw, const struct kind *kind, int64_t v, const uint32_t words[4])
{
    for (int i = 0; i < 4; i += 2) {
        uint32_t candidate = candidate_of(draw->field, v, words[i]);
        if (words[i + 1] < kind->ends[candidate]) {
            return candidate;
        }
    }
    return -1;
}

/* Candidates of the blocks after the first. */
static uint32_t draw_further(const struct adg_same_draw *draw, const struct kind *kind, uint64_t patient, int64_t v)
{
    const uint32_t low = (uint32_t)patient, high = (uint32_t)(patient >> 32);
    for (uint32_t round = 1; round < ROUNDS; round++) {
        struct adg_stream blocks = blocks_of(draw, kind->base, round);
        uint32_t words[4];
        adg_philox4x32_many(&blocks, &low, &high, 1, words);
        int64_t taken = take(draw, kind, v, words);
        if (taken >= 0) {
            return (uint32_t)taken;
        }
    }
    uint32_t first = 0; /* after so many candidates, which will not be seen: the first that the table has */
    while (kind->ends[first] == 0 || (v >= 0 && draw->field->pattern_values[first] != v)) {
        first++;
    }
    return first;
}

/* Of patients with their values in `rows` (NULL: none yet), into `out`. */
static void draw_batch(const struct adg_same_draw *draw, const struct kind *kind, const uint64_t *patients,
                       uint32_t count, const uint32_t *values, uint32_t *out)
{
    uint32_t low[BATCH] = {0}, high[BATCH] = {0}, words[4 * BATCH];
    struct adg_stream blocks = blocks_of(draw, kind->base, 0);
    for (uint32_t i = 0; i < count; i++) {
        low[i] = (uint32_t)patients[i];
        high[i] = (uint32_t)(patients[i] >> 32);
    }
    adg_philox4x32_many(&blocks, low, high, count, words);
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t block[4] = {words[i], words[count + i], words[2 * count + i], words[3 * count + i]};
        int64_t v = values == NULL ? -1 : (int64_t)values[i], taken = take(draw, kind, v, block);
        out[i] = taken >= 0 ? (uint32_t)taken : draw_further(draw, kind, patients[i], v);
    }
}

void adg_same_draw(const struct adg_same_draw *draw, const uint64_t *patients, uint32_t count, uint32_t *rows)
{
    const struct kind values = {draw->value_ends, ADG_PURPOSE_CANDIDATE};
    const struct kind patterns = {draw->pattern_ends, ADG_PURPOSE_PATTERN_CANDIDATE};
    for (uint32_t from = 0; from < count; from += BATCH) {
        uint32_t batch = count - from < BATCH ? count - from : BATCH;
        draw_batch(draw, &values, patients + from, batch, NULL, rows + from);
        draw_batch(draw, &patterns, patients + from, batch, rows + from, rows + from);
        for (uint32_t i = from; i < from + batch; i++) {
            rows[i] = draw->rows[rows[i]];
        }
    }
}
