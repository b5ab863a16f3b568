/*
 * The population of a run: see population.h.
 */
#include "generate/population.h"

#include <string.h>

#include "block/text.h"
#include "core/memory.h"
#include "dataset/age.h"
#include "generate/internal.h"

#define EXPORT __attribute__((visibility("default")))

/* Weights become whole numbers that sum to about 2^50; the smallest are raised to a part in 2^31. */
#define SUM_OF_WEIGHTS 1125899906842624.0
#define LEAST_WEIGHT 524288.0

enum adg_status adg_parts_of(const double *weights, uint32_t count, uint64_t *parts, struct adg_error *error)
{
    uint64_t *whole = adg_alloc_array((size_t)count + 1, sizeof *whole);
    uint64_t *made = adg_alloc_array((size_t)count + 2, sizeof *made); /* with a place for null, which has no part */
    enum adg_status status = whole == NULL || made == NULL ? adg_fail_memory(error) : ADG_OK;
    double sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        sum += weights[i];
    }
    for (uint32_t i = 0; i < count && status == ADG_OK; i++) {
        double scaled = weights[i] / sum * SUM_OF_WEIGHTS;
        whole[i] = weights[i] <= 0 ? 0 : scaled < LEAST_WEIGHT ? (uint64_t)LEAST_WEIGHT : (uint64_t)scaled;
    }
    if (status == ADG_OK) {
        status = adg_parts_scale(whole, count, 0, 0, made, error);
    }
    if (status == ADG_OK) {
        memcpy(parts, made, count * sizeof *parts);
    }
    adg_free(whole);
    adg_free(made);
    return status;
}

enum adg_status adg_alias_in(struct adg_arena *arena, const uint64_t *parts, uint32_t count, struct adg_alias *out,
                             struct adg_error *error)
{
    struct adg_alias alias = {0};
    enum adg_status status = adg_alias_build(&alias, parts, count, error);
    if (status != ADG_OK) {
        return status;
    }
    size_t slots = (size_t)1 << alias.slot_bits;
    struct adg_alias_slot *kept = adg_arena_array(arena, slots, sizeof *kept);
    if (kept != NULL) {
        memcpy(kept, alias.slots, slots * sizeof *kept);
        *out = (struct adg_alias){kept, alias.slot_bits};
    }
    adg_alias_fini(&alias);
    return kept == NULL ? adg_fail_memory(error) : ADG_OK;
}

const struct adg_people *adg_population_of(const struct adg_population *population, const char *table,
                                           const struct adg_member **out_member)
{
    for (uint32_t p = 0; p < population->people_count; p++) {
        const struct adg_people *people = &population->people[p];
        for (uint32_t m = 0; m < people->member_count; m++) {
            if (strcmp(people->members[m].table->name, table) == 0) {
                *out_member = &people->members[m];
                return people;
            }
        }
    }
    return NULL;
}

/* ---- members ----------------------------------------------------------------------------------------------------- */

/* The sum of RELATIONSHIP weights. */
static double patients_of(const struct adg_metadata *metadata, const struct adg_dataset *dataset, const char *table)
{
    const char *key = dataset->fields[dataset->patient_key].name;
    struct adg_metadata_range range = adg_metadata_find(metadata, table, dataset->fields[dataset->primary_key].name,
                                                        ADG_VALUE_RELATIONSHIP);
    double sum = 0;
    for (size_t i = 0; i < range.count; i++) {
        const struct adg_optional_text *name = &range.rows[i].string;
        bool counts = name->text != NULL && name->size == strlen(key) && memcmp(name->text, key, name->size) == 0;
        sum += counts && range.rows[i].has_weight && range.rows[i].weight > 0 ? range.rows[i].weight : 0;
    }
    return sum;
}

static double stated_population(const struct adg_metadata *metadata, const char *table)
{
    for (uint32_t t = 0; t < metadata->manifest.table_count; t++) {
        if (strcmp(metadata->manifest.tables[t].name, table) == 0) {
            return (double)metadata->manifest.tables[t].population;
        }
    }
    return 0;
}

static enum adg_status list_members(struct adg_population *population, struct adg_people *people,
                                    struct adg_error *error)
{
    const struct adg_definition *definition = population->definition;
    uint32_t most = 0;
    for (uint32_t d = 0; d < definition->dataset_count; d++) {
        most += definition->datasets[d].table_count;
    }
    people->members = adg_arena_array(&population->arena, most, sizeof *people->members);
    if (people->members == NULL) {
        return adg_fail_memory(error);
    }
    for (uint32_t d = 0; d < definition->dataset_count; d++) {
        const struct adg_dataset *dataset = &definition->datasets[d];
        for (uint32_t t = 0; dataset->coherence.population.id == people->id && t < dataset->table_count; t++) {
            const char *name = dataset->tables[t].name;
            if (adg_metadata_has_table(population->metadata, name)) {
                people->members[people->member_count++] = (struct adg_member){
                    .dataset = dataset,
                    .table = &dataset->tables[t],
                    .patients = patients_of(population->metadata, dataset, name),
                    .population = stated_population(population->metadata, name)};
            }
        }
    }
    return ADG_OK;
}

/* ---- births ------------------------------------------------------------------------------------------------------ */

/* pi, from the largest numbers of people that any member has. */
static enum adg_status share_births(struct adg_population *population, struct adg_people *people, double *largest,
                                    struct adg_error *error)
{
    uint32_t count = people->births.count + 1;
    people->birth_parts = adg_arena_array(&population->arena, count, sizeof *people->birth_parts);
    people->birth_days = adg_arena_array(&population->arena, count, sizeof *people->birth_days);
    if (people->birth_parts == NULL || people->birth_days == NULL) {
        return adg_fail_memory(error);
    }
    double sum = 0;
    for (uint32_t v = 0; v < count; v++) {
        sum += largest[v];
    }
    if (sum == 0) { /* nobody's birth is known */
        largest[people->births.count] = 1;
    }
    people->sum = sum;
    for (uint32_t m = 0; m < people->member_count; m++) { /* a member without births fits in as well */
        double patients = people->members[m].patients;
        people->sum = patients > people->sum ? patients : people->sum;
    }
    for (uint32_t v = 0; v < count; v++) {
        const char *text = NULL;
        char scratch[ADG_VALUE_TEXT_BYTES];
        size_t size = v < people->births.count ? adg_dictionary_text(&people->births, 0, v, scratch, &text) : 0;
        people->birth_days[v] = ADG_NO_DAY;
        if (size > 0) {
            (void)adg_month_parse(text, size, &people->birth_days[v]);
        }
    }
    enum adg_status status = adg_parts_of(largest, count, people->birth_parts, error);
    return status == ADG_OK ? adg_alias_in(&population->arena, people->birth_parts, count, &people->birth_alias, error)
                            : status;
}

/* Codes of the births of all members, one after the other, and the largest number of people per code. */
static enum adg_status settle_births(struct adg_population *population, struct adg_people *people,
                                     const struct adg_value *values, uint32_t count, uint32_t *codes,
                                     struct adg_error *error)
{
    enum adg_status status = adg_value_dictionary(ADG_TYPE_STRING, values, count, &population->arena, &people->births,
                                                  codes, error);
    double *largest = status == ADG_OK ? adg_alloc_zero((size_t)people->births.count + 1, sizeof *largest) : NULL;
    if (status == ADG_OK && largest == NULL) {
        status = adg_fail_memory(error);
    }
    for (uint32_t m = 0; m < people->member_count && status == ADG_OK; m++) {
        struct adg_member *member = &people->members[m];
        member->birth_codes = codes;
        codes += member->birth_count;
        for (uint32_t i = 0; i < member->birth_count; i++) { /* it has each value once */
            double *most = &largest[member->birth_codes[i]];
            *most = member->births[i].people > *most ? member->births[i].people : *most;
        }
    }
    if (status == ADG_OK) {
        status = share_births(population, people, largest, error);
    }
    adg_free(largest);
    return status;
}

static enum adg_status plan_births(struct adg_population *population, struct adg_people *people,
                                   struct adg_error *error)
{
    size_t total = 0;
    enum adg_status status = ADG_OK;
    for (uint32_t m = 0; m < people->member_count && status == ADG_OK; m++) {
        struct adg_member *member = &people->members[m];
        struct adg_birth *births = NULL;
        status = adg_births_read(population->metadata, member->dataset, member->table->name, member->patients,
                                 &population->arena, &births, &member->birth_count, error);
        adg_context(error, status, "table %s", member->table->name);
        member->births = births;
        for (uint32_t i = 0; status == ADG_OK && member->patients == 0 && i < member->birth_count; i++) {
            member->patients += births[i].people;
        }
        total += member->birth_count;
    }
    if (status == ADG_OK && total >= UINT32_MAX / 4) {
        status = adg_fail(error, ADG_BAD_INPUT, "more than 2^30 values of birth");
    }
    struct adg_value *values = adg_alloc_zero(total + 1, sizeof *values);
    uint32_t *codes = adg_arena_array(&population->arena, total + 1, sizeof *codes);
    if (status == ADG_OK && (values == NULL || codes == NULL)) {
        status = adg_fail_memory(error);
    }
    uint32_t count = 0;
    for (uint32_t m = 0; m < people->member_count && status == ADG_OK; m++) {
        for (uint32_t i = 0; i < people->members[m].birth_count; i++) {
            const struct adg_optional_text *text = &people->members[m].births[i].text;
            values[count].null = text->text == NULL;
            values[count].as.text.bytes = text->text;
            values[count++].as.text.size = text->size;
        }
    }
    if (status == ADG_OK) {
        status = settle_births(population, people, values, count, codes, error);
    }
    for (uint32_t m = 0; m < people->member_count && status == ADG_OK; m++) {
        struct adg_member *member = &people->members[m];
        member->population = member->population > people->sum ? member->population : people->sum;
    }
    adg_free(values);
    return status;
}

enum adg_status adg_people_presence(const struct adg_people *people, const struct adg_member *member, uint64_t seed,
                                    struct adg_arena *arena, struct adg_presence *out, struct adg_error *error)
{
    uint32_t count = people->births.count + 1;
    uint64_t *ends = adg_arena_array(arena, count, sizeof *ends);
    if (ends == NULL) {
        return adg_fail_memory(error);
    }
    double parts = (double)ADG_PARTS, share = 0;
    uint64_t most = 0;
    double everywhere = member->patients == 0 ? 1 : member->patients / member->population;
    for (uint32_t v = 0; v < count && member->birth_count == 0; v++) {
        ends[v] = (uint64_t)(everywhere * parts + 0.5);
    }
    for (uint32_t i = 0; i < member->birth_count; i++) {
        uint32_t v = member->birth_codes[i];
        double chance = member->births[i].people / (member->population * ((double)people->birth_parts[v] / parts));
        ends[v] = (uint64_t)((chance < 1 ? chance : 1) * parts + 0.5);
    }
    for (uint32_t v = 0; v < count; v++) {
        share += (double)people->birth_parts[v] / parts * ((double)ends[v] / parts);
        most = ends[v] > most ? ends[v] : most;
    }
    if (share <= 0) {
        return adg_fail(error, ADG_BAD_INPUT, "none of the people appears in the table");
    }
    const struct adg_dataset *dataset = member->dataset;
    *out = (struct adg_presence){
        .birth = {seed, 0, people->id << 16 | ADG_PURPOSE_BIRTH},
        .appears = adg_stream_of(seed, dataset->id, member->table->ordinal, dataset->primary_key, ADG_PURPOSE_APPEARS),
        .births = &people->birth_alias,
        .ends = ends,
        .most = most,
        .share = share};
    return ADG_OK;
}

/* ---- all --------------------------------------------------------------------------------------------------------- */

/* Into memory, or out of it again, what a population takes from the metadata of one table: not its other fields, which may have millions of
 * rows. */
static enum adg_status hold_table(const struct adg_population *population, const struct adg_dataset *dataset,
                                  const char *table, bool load, struct adg_error *error)
{
    const struct adg_population_rule *rule = &dataset->coherence.population;
    const int64_t fields[] = {dataset->primary_key, rule->birth, rule->age, rule->age_at};
    enum { FIELDS = sizeof fields / sizeof fields[0] };
    enum adg_status status = ADG_OK;
    for (uint32_t i = 0; i < FIELDS + rule->same_count && status == ADG_OK; i++) {
        int64_t field = i < FIELDS ? fields[i] : (int64_t)rule->same[i - FIELDS];
        if (field >= 0 && load) {
            status = adg_metadata_load(population->metadata, table, dataset->fields[field].name, error);
        } else if (field >= 0) {
            adg_metadata_unload(population->metadata, table, dataset->fields[field].name);
        }
    }
    return status;
}

/* All tables of all populations. What a failure leaves in memory goes with the metadata. */
static enum adg_status hold_tables(const struct adg_population *population, bool load, struct adg_error *error)
{
    enum adg_status status = ADG_OK;
    for (uint32_t d = 0; d < population->definition->dataset_count; d++) {
        const struct adg_dataset *dataset = &population->definition->datasets[d];
        for (uint32_t t = 0; t < dataset->table_count && dataset->coherence.population.id != 0; t++) {
            status = status == ADG_OK ? hold_table(population, dataset, dataset->tables[t].name, load, error) : status;
        }
    }
    return status;
}

static enum adg_status plan_population(struct adg_population *population, struct adg_error *error)
{
    const struct adg_definition *definition = population->definition;
    population->people = adg_arena_array(&population->arena, definition->dataset_count, sizeof *population->people);
    if (population->people == NULL) {
        return adg_fail_memory(error);
    }
    enum adg_status status = ADG_OK;
    for (uint32_t d = 0; d < definition->dataset_count && status == ADG_OK; d++) {
        uint32_t id = definition->datasets[d].coherence.population.id;
        bool known = id == 0;
        for (uint32_t p = 0; p < population->people_count && !known; p++) {
            known = population->people[p].id == id;
        }
        if (known) {
            continue;
        }
        struct adg_people *people = &population->people[population->people_count++];
        people->id = id;
        status = list_members(population, people, error);
        if (status == ADG_OK) {
            status = plan_births(population, people, error);
        }
        if (status == ADG_OK) {
            status = adg_same_fields(population, people, error);
        }
    }
    return status;
}

EXPORT enum adg_status adg_population_new(const struct adg_definition *definition, const struct adg_metadata *metadata,
                                          struct adg_population **out, struct adg_error *error)
{
    struct adg_population *population = adg_alloc_zero(1, sizeof *population);
    enum adg_status status = population == NULL ? adg_fail_memory(error) : ADG_OK;
    if (status == ADG_OK) {
        population->definition = definition;
        population->metadata = metadata;
        if (metadata->definition_text != NULL) {
            status = adg_definition_parse("definition.yaml", metadata->definition_text, metadata->definition_text_bytes,
                                          &population->own, error);
            population->definition = population->own;
        }
    }
    if (status == ADG_OK) {
        status = hold_tables(population, true, error);
    }
    if (status == ADG_OK) {
        status = plan_population(population, error);
        enum adg_status dropped = hold_tables(population, false, NULL); /* it has copies of what it needs */
        (void)dropped;
    }
    if (status != ADG_OK) {
        adg_population_free(population);
        return adg_context(error, status, "population");
    }
    *out = population;
    return ADG_OK;
}

EXPORT void adg_population_free(struct adg_population *population)
{
    if (population != NULL) {
        adg_definition_free(population->own);
        adg_arena_fini(&population->arena);
        adg_free(population);
    }
}
