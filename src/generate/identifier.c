/*
 * Identifiers: strings after a pattern, one per patient for the patient key, one per row for the others.
 *
 * A table's strings are numbered from a place of its own: ordinal of the table * floor(space / tables of the dataset),
 * plus row or patient number. The number is permuted over the whole space, so primary keys are unique in a dataset
 * without any memory of keys already used. Where a table needs more than its share, other identifiers share the whole
 * space; a primary key is refused. In spaces of 2^63 strings and more 2^48 numbers can be used (see dataset/pattern.h).
 */
#include "generate/internal.h"

#include <stdlib.h>
#include <string.h>

#include "dataset/pattern.h"
#include "generate/places.h"
#include "sample/permute.h"

#define USABLE_NUMBERS (UINT64_C(1) << 48)

struct identifier {
    const struct adg_field *field;
    struct adg_permutation permutation;
    struct adg_stream characters;
    uint64_t first; /* number of the string of row or patient 0 */
    uint64_t space;
    uint32_t digits; /* the pattern is so many decimal digits; else 0 */
    bool by_patient;
    bool has_places; /* `writer` writes its strings */
    struct adg_places_writer writer;
};

/* Four random words at a time, kept while they last. */
struct random_words {
    const struct identifier *identifier;
    uint64_t index;
    uint32_t group;
    uint32_t words[4];
};

static uint64_t permute(const void *context, uint64_t tweak, uint64_t size, uint64_t index)
{
    const struct random_words *const *random = context;
    return adg_permute(&(*random)->identifier->permutation, tweak, size, index);
}

static uint32_t random_word(const void *context, uint64_t index, uint32_t w)
{
    struct random_words *random = *(struct random_words *const *)context;
    if (random->index != index || random->group != w / 4) {
        const struct adg_stream *stream = &random->identifier->characters;
        uint32_t counter[4] = {(uint32_t)index, (uint32_t)(index >> 32) | (w / 4) << 16, stream->column,
                               stream->purpose};
        uint32_t key[2] = {(uint32_t)stream->seed, (uint32_t)(stream->seed >> 32)};
        adg_philox4x32(counter, key, random->words);
        random->index = index;
        random->group = w / 4;
    }
    return random->words[w % 4];
}

static uint32_t make_text(struct random_words *random, uint64_t number, char out[ADG_PATTERN_MAX_LENGTH])
{
    const struct identifier *identifier = random->identifier;
    if (identifier->digits == 0) {
        return adg_pattern_string(identifier->field->pattern, number, permute, random_word, &random, out);
    }
    uint64_t rest = adg_permute(&identifier->permutation, 0, identifier->space, number);
    for (uint32_t i = identifier->digits; i-- > 0; rest /= 10) {
        out[i] = (char)('0' + rest % 10);
    }
    return identifier->digits;
}

static struct random_words no_words(const struct identifier *identifier)
{
    return (struct random_words){.identifier = identifier, .index = UINT64_MAX};
}

/* ---- steps ------------------------------------------------------------------------------------------------------- */

/* Numbers `first` + 0, 1, ... of rows, or those of the patients of runs. */
static void take_numbers(const struct identifier *identifier, const struct adg_work *work, uint32_t from,
                         uint32_t count, uint64_t numbers[ADG_PLACES_BATCH])
{
    for (uint32_t i = 0; i < count; i++) {
        numbers[i] = identifier->first +
                     (identifier->by_patient ? work->runs.patients[from + i] : work->first_row + from + i);
    }
}

/* Texts of up to ADG_PLACES_BATCH rows or runs, from number `from` on; they lie `stride` bytes apart. */
static void make_texts(const struct identifier *identifier, const struct adg_work *work, uint32_t from, uint32_t count,
                       uint32_t stride, uint8_t *texts, uint32_t lengths[ADG_PLACES_BATCH])
{
    uint64_t numbers[ADG_PLACES_BATCH];
    take_numbers(identifier, work, from, count, numbers);
    if (identifier->has_places) {
        adg_places_write(&identifier->writer, numbers, count, texts);
        for (uint32_t i = 0; i < count; i++) {
            lengths[i] = stride;
        }
        return;
    }
    struct random_words random = no_words(identifier);
    for (uint32_t i = 0; i < count; i++) {
        lengths[i] = make_text(&random, numbers[i], (char *)texts + (size_t)i * stride);
    }
}

/* A cell, in steps of 16 bytes: what is too much lies in the slack or under the next cell. `text` has room behind it, too. */
static inline void put_short_text(struct adg_work_column *column, const uint8_t *text, uint32_t size)
{
    uint8_t *out = column->bytes.data + column->bytes.size;
    memcpy(out, &size, ADG_TEXT_LENGTH_BYTES);
    for (uint32_t at = 0; at < size; at += ADG_TEXT_SLACK) {
        memcpy(out + ADG_TEXT_LENGTH_BYTES + at, text + at, ADG_TEXT_SLACK);
    }
    column->bytes.size += ADG_TEXT_LENGTH_BYTES + size;
}

/* Which text a row has: its patient's, or one of its own. */
static void number_runs(const struct identifier *identifier, const struct adg_work *work, uint32_t *codes)
{
    if (!identifier->by_patient) {
        for (uint32_t row = 0; row < work->rows; row++) {
            codes[row] = row;
        }
        return;
    }
    for (uint32_t i = 0; i < work->runs.count; i++) {
        for (uint32_t row = work->runs.starts[i]; row < work->runs.starts[i + 1]; row++) {
            codes[row] = i;
        }
    }
}

static enum adg_status run_texts(const struct adg_step *step, struct adg_work *work, struct adg_error *error)
{
    const struct identifier *identifier = step->detail;
    struct adg_work_column *column = &work->columns[step->field];
    size_t longest = adg_pattern_max_length(identifier->field->pattern) + ADG_TEXT_LENGTH_BYTES;
    uint32_t stride = identifier->has_places ? identifier->writer.places.length : ADG_PATTERN_MAX_LENGTH;
    uint8_t texts[ADG_PLACES_BATCH * ADG_PATTERN_MAX_LENGTH + ADG_TEXT_SLACK];
    uint32_t lengths[ADG_PLACES_BATCH], all = identifier->by_patient ? work->runs.count : work->rows;
    enum adg_status status = adg_work_begin_texts(column, ADG_BLOCK_ROWS * longest, error);
    if (status != ADG_OK) {
        return status;
    }
    for (uint32_t from = 0; from < all; from += ADG_PLACES_BATCH) {
        uint32_t count = all - from < ADG_PLACES_BATCH ? all - from : ADG_PLACES_BATCH;
        make_texts(identifier, work, from, count, stride, texts, lengths);
        for (uint32_t i = 0; i < count; i++) {
            put_short_text(column, texts + (size_t)i * stride, lengths[i]);
            adg_work_end_text(column, from + i);
        }
    }
    column->cells = all;
    number_runs(identifier, work, column->codes);
    return ADG_OK;
}

static void store(struct adg_work_column *column, enum adg_type type, uint32_t row, const struct adg_value *value)
{
    if (type == ADG_TYPE_DOUBLE) {
        ((double *)column->fixed)[row] = value->as.real;
    } else if (adg_type_is_int32(type)) {
        ((int32_t *)column->fixed)[row] = (int32_t)value->as.whole;
    } else {
        ((int64_t *)column->fixed)[row] = value->as.whole;
    }
}

static enum adg_status make_value(struct random_words *random, uint64_t number, struct adg_value *value,
                                  struct adg_error *error)
{
    char text[ADG_PATTERN_MAX_LENGTH];
    uint32_t length = make_text(random, number, text);
    return adg_value_from_text(random->identifier->field, text, length, value, error);
}

static enum adg_status run_row_values(const struct adg_step *step, struct adg_work *work, struct adg_error *error)
{
    const struct identifier *identifier = step->detail;
    struct adg_work_column *column = &work->columns[step->field];
    uint64_t first = identifier->first + work->first_row;
    if (identifier->digits > 0 && identifier->field->type == ADG_TYPE_INT64) {
        uint64_t *numbers = column->fixed; /* the string's value is its number, permuted */
        for (uint32_t i = 0; i < work->rows; i++) {
            numbers[i] = first + i;
        }
        adg_permute_many(&identifier->permutation, 0, identifier->space, numbers, work->rows, numbers);
        return ADG_OK;
    }
    struct random_words random = no_words(identifier);
    for (uint32_t i = 0; i < work->rows; i++) {
        struct adg_value value = {0};
        enum adg_status status = make_value(&random, first + i, &value, error);
        if (status != ADG_OK) {
            return status;
        }
        store(column, identifier->field->type, i, &value);
    }
    return ADG_OK;
}

static enum adg_status run_patient_values(const struct adg_step *step, struct adg_work *work, struct adg_error *error)
{
    const struct identifier *identifier = step->detail;
    struct random_words random = no_words(identifier);
    for (uint32_t run = 0; run < work->runs.count; run++) {
        struct adg_value value = {0};
        enum adg_status status = make_value(&random, identifier->first + work->runs.patients[run], &value, error);
        if (status != ADG_OK) {
            return status;
        }
        for (uint32_t row = work->runs.starts[run]; row < work->runs.starts[run + 1]; row++) {
            store(&work->columns[step->field], identifier->field->type, row, &value);
        }
    }
    return ADG_OK;
}

/* ---- plan -------------------------------------------------------------------------------------------------------- */

/* n when the pattern's text is \d{n} or [0-9]{n}, whose strings have their number as value; else 0. */
static uint32_t digits_of(const struct adg_pattern *pattern)
{
    const char *text = adg_pattern_text(pattern);
    size_t prefix = strncmp(text, "\\d{", 3) == 0 ? 3 : strncmp(text, "[0-9]{", 6) == 0 ? 6 : 0;
    if (prefix == 0) {
        return 0;
    }
    char *end = NULL;
    unsigned long digits = strtoul(text + prefix, &end, 10);
    return strcmp(end, "}") == 0 && digits >= 1 && digits <= 18 ? (uint32_t)digits : 0;
}

static uint64_t keep_order(const void *context, uint64_t tweak, uint64_t size, uint64_t index)
{
    (void)context;
    (void)tweak;
    (void)size;
    return index;
}

/* The first and the last string in order, and some others, can be cast to the field's type. */
static enum adg_status check_cast(const struct identifier *identifier, uint64_t count, struct adg_error *error)
{
    struct random_words random = no_words(identifier), *context = &random;
    for (uint64_t i = 0; i < 16; i++) {
        char text[ADG_PATTERN_MAX_LENGTH];
        struct adg_value value;
        uint64_t number = i % 2 == 0 ? i / 2 % count : count - 1 - i / 2 % count;
        uint32_t length = adg_pattern_string(identifier->field->pattern, number, keep_order, random_word, &context,
                                             text);
        if (adg_value_from_text(identifier->field, text, length, &value, NULL) != ADG_OK) {
            return adg_fail(error, ADG_BAD_INPUT, "strings of the pattern do not fit the type of the field");
        }
    }
    return ADG_OK;
}

/* Of a text's byte where the pattern leaves a choice, or of a whole number; 0 where it takes more to tell. */
static double entropy_of(const struct identifier *identifier)
{
    double bits = 0;
    uint32_t chosen = 0;
    if (identifier->field->type != ADG_TYPE_STRING) {
        return identifier->digits > 0 ? identifier->digits * (adg_plan_log2_of_parts(10) + 32) : 0;
    }
    for (uint32_t p = 0; identifier->has_places && p < identifier->writer.places.length; p++) {
        uint32_t choices = identifier->writer.places.places[p].choices;
        if (choices > 1) {
            bits += adg_plan_log2_of_parts(choices) + 32;
            chosen++;
        }
    }
    return chosen > 0 ? bits / chosen : 0;
}

/* Where the identifiers of a dataset's field have their random numbers. */
static void address(struct identifier *identifier, const struct adg_dataset *dataset, uint32_t field, uint64_t seed)
{
    struct adg_stream shared = adg_stream_of(seed, dataset->id, ADG_SHARED_TABLE, field, ADG_PURPOSE_PERMUTATION);
    identifier->field = &dataset->fields[field];
    adg_permutation_init(&identifier->permutation, shared.seed, shared.column, shared.purpose);
    identifier->characters = adg_stream_of(seed, dataset->id, ADG_SHARED_TABLE, field, ADG_PURPOSE_CHARACTERS);
    identifier->space = adg_pattern_count(identifier->field->pattern);
    identifier->digits = digits_of(identifier->field->pattern);
}

/* Those of the people of a population, numbered from 0. */
static void address_person(struct identifier *identifier, const struct adg_field *field, uint32_t population,
                           uint64_t seed)
{
    identifier->field = field;
    adg_permutation_init(&identifier->permutation, seed, 0, population << 16 | ADG_PURPOSE_PERSON_PERMUTATION);
    identifier->characters = (struct adg_stream){seed, 0, population << 16 | ADG_PURPOSE_PERSON_CHARACTERS};
    identifier->space = adg_pattern_count(field->pattern);
    identifier->digits = digits_of(field->pattern);
}

enum adg_status adg_plan_identifier(struct adg_plan *plan, uint32_t field, struct adg_error *error)
{
    struct adg_plan_column *column = &plan->columns[field];
    const struct adg_dataset *dataset = plan->dataset;
    bool by_patient = dataset->patient_key == (int64_t)field;
    uint64_t strings = adg_pattern_count(column->field->pattern);
    uint64_t usable = strings == UINT64_MAX ? USABLE_NUMBERS : strings;
    uint64_t share = usable / dataset->table_count;
    uint64_t needed = by_patient ? plan->patients.patients : plan->patients.rows;
    if (needed > (field == dataset->primary_key ? share : usable)) {
        return adg_fail(error, ADG_BAD_INPUT, "the identifier's pattern has too few strings for so many %s",
                        by_patient ? "patients" : "rows");
    }
    struct identifier *identifier = adg_arena_array(&plan->arena, 1, sizeof *identifier);
    if (identifier == NULL) {
        return adg_fail_memory(error);
    }
    if (by_patient && plan->people != NULL) { /* a person has one in all datasets of the population */
        address_person(identifier, column->field, plan->people->id, plan->seed);
    } else {
        address(identifier, dataset, field, plan->seed);
        identifier->first = needed <= share ? share * plan->table->ordinal : 0;
    }
    bool text = column->field->type == ADG_TYPE_STRING;
    column->kind = text ? ADG_COLUMN_TEXTS : ADG_COLUMN_PLAIN;
    column->own_codes = column->runs = text;
    column->nullable = false;
    identifier->by_patient = by_patient;
    identifier->has_places = text &&
                             adg_places_writer_init(&identifier->writer, column->field->pattern,
                                                    &identifier->permutation, &identifier->characters, &plan->arena);
    column->entropy = entropy_of(identifier);
    adg_plan_add_step(plan, field, text ? run_texts : by_patient ? run_patient_values : run_row_values, identifier);
    return text ? ADG_OK : check_cast(identifier, usable, error);
}

/* ---- keys of other tables ------------------------------------------------------------------------------------------ */

struct reference {
    struct identifier key;             /* of the other table's records */
    const struct adg_patients *others; /* its people */
};

/* A person's j-th record here names its j-th record there; records that have none there are null. */
static enum adg_status run_reference(const struct adg_step *step, struct adg_work *work, struct adg_error *error)
{
    const struct reference *reference = step->detail;
    const struct identifier *key = &reference->key;
    const struct adg_patient_runs *runs = &work->runs;
    struct adg_work_column *column = &work->columns[step->field];
    uint64_t *numbers = work->numbers, *first_rows = numbers + ADG_BLOCK_ROWS, *rows = first_rows + ADG_BLOCK_ROWS;
    uint32_t named = 0;
    adg_patients_find(reference->others, runs->patients, runs->count, first_rows, rows);
    for (uint32_t run = 0; run < runs->count; run++) {
        uint64_t at = run == 0 ? runs->before : 0;
        for (uint32_t row = runs->starts[run]; row < runs->starts[run + 1]; row++, at++) {
            column->valid[row] = at < rows[run];
            if (at < rows[run]) {
                numbers[named++] = key->first + first_rows[run] + at;
            }
        }
    }
    struct random_words random = no_words(key);
    if (key->digits > 0) {
        adg_permute_many(&key->permutation, 0, key->space, numbers, named, numbers);
    }
    named = 0;
    for (uint32_t row = 0; row < work->rows; row++) {
        struct adg_value value = {.as.whole = 0};
        if (column->valid[row] && key->digits > 0) {
            value.as.whole = (int64_t)numbers[named++];
        } else if (column->valid[row]) {
            enum adg_status status = make_value(&random, numbers[named++], &value, error);
            if (status != ADG_OK) {
                return status;
            }
        }
        store(column, key->field->type, row, &value);
    }
    return ADG_OK;
}

/* The table of the same period of the dataset that is referred to, with the same people; or NULL. */
static const struct adg_member *find_other(const struct adg_plan *plan, const char *dataset)
{
    for (uint32_t m = 0; m < plan->people->member_count; m++) {
        const struct adg_member *member = &plan->people->members[m];
        if (strcmp(member->dataset->name, dataset) == 0 && adg_tables_match(member->table->name, plan->table->name)) {
            return member;
        }
    }
    return NULL;
}

/* The people of the other table, kept by the plan, or NULL: it cannot be generated. They are counted once. */
static enum adg_status plan_other(struct adg_plan *plan, const struct adg_member *other,
                                  const struct adg_patients **out, struct adg_error *error)
{
    struct adg_linked_table *linked = NULL;
    struct adg_presence presence;
    struct adg_error reason = {{0}};
    bool stated = false;
    for (uint32_t i = 0; i < plan->linked_count && linked == NULL; i++) {
        linked = plan->linked[i].member == other ? &plan->linked[i] : NULL;
    }
    if (plan->linked == NULL) {
        plan->linked = adg_arena_array(&plan->kept, plan->dataset->coherence.reference_count, sizeof *plan->linked);
    }
    if (plan->linked == NULL) {
        return adg_fail_memory(error);
    }
    if (linked == NULL) {
        linked = &plan->linked[plan->linked_count++];
        linked->member = other;
        linked->status = adg_people_presence(plan->people, other, plan->seed, &plan->kept, &presence, &reason);
        if (linked->status == ADG_OK) {
            linked->status = adg_table_patients(plan->metadata, other->dataset, other->table, &plan->options, &presence,
                                                &linked->patients, &stated, &reason);
        }
    }
    if (linked->status != ADG_OK && linked->status != ADG_BAD_INPUT) {
        return adg_fail(error, linked->status, "%s", reason.message);
    }
    *out = linked->status == ADG_OK ? &linked->patients : NULL;
    return ADG_OK;
}

enum adg_status adg_plan_reference(struct adg_plan *plan, const struct adg_reference *rule, struct adg_error *error)
{
    struct adg_plan_column *column = &plan->columns[rule->field];
    const struct adg_member *other = find_other(plan, rule->dataset);
    const struct adg_patients *others = NULL;
    if (other == NULL) {
        return ADG_OK; /* null throughout */
    }
    const struct adg_dataset *dataset = other->dataset;
    enum adg_status status = plan_other(plan, other, &others, error);
    if (status != ADG_OK || others == NULL) { /* a table that cannot be made has nothing to name */
        return status;
    }
    struct reference *reference = adg_arena_array(&plan->arena, 1, sizeof *reference);
    if (reference == NULL) {
        return adg_fail_memory(error);
    }
    reference->others = others;
    address(&reference->key, dataset, dataset->primary_key, plan->seed);
    uint64_t usable = reference->key.space == UINT64_MAX ? USABLE_NUMBERS : reference->key.space;
    uint64_t share = usable / dataset->table_count;
    if (reference->others->rows > share) {
        return ADG_OK;
    }
    reference->key.first = share * other->table->ordinal;
    column->kind = ADG_COLUMN_PLAIN;
    column->nullable = true;
    adg_plan_add_step(plan, rule->field, run_reference, reference);
    return ADG_OK;
}
