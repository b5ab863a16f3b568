/*
 * Making a plan: see plan.h, and internal.h for how it is built.
 *
 * Everything that can be refused is refused here; a block can then fail for want of memory only.
 */
#include "generate/internal.h"

#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "core/wide.h"

#define EXPORT __attribute__((visibility("default")))

/* ---- what the kinds share ---------------------------------------------------------------------------------------- */

void adg_plan_add_step(struct adg_plan *plan, uint32_t field,
                       enum adg_status (*run)(const struct adg_step *, struct adg_work *, struct adg_error *),
                       const void *detail)
{
    plan->steps[plan->step_count++] = (struct adg_step){run, field, detail};
}

void adg_plan_set_dictionary(struct adg_plan_column *column, const struct adg_dictionary *dictionary, bool nullable)
{
    column->dictionary = *dictionary;
    column->nullable = nullable;
    column->entropy = 0;
    if (dictionary->count == 0) {
        column->kind = ADG_COLUMN_NULL;
    } else if (dictionary->count == 1 && !nullable) {
        column->kind = ADG_COLUMN_CONSTANT;
    } else {
        column->kind = ADG_COLUMN_DICTIONARY;
        column->own_codes = true;
    }
}

struct adg_stream adg_plan_stream(const struct adg_plan *plan, uint32_t field, enum adg_purpose purpose)
{
    return adg_stream_of(plan->seed, plan->dataset->id, plan->table->ordinal, field, purpose);
}

enum adg_status adg_plan_text_value(const struct adg_field *field, struct adg_optional_text text, struct adg_value *out,
                                    struct adg_error *error)
{
    if (text.text == NULL) {
        *out = (struct adg_value){.null = true};
        return ADG_OK;
    }
    return adg_value_from_text(field, text.text, text.size, out, error);
}

/* ---- patients ---------------------------------------------------------------------------------------------------- */

enum adg_status adg_plan_warn(struct adg_plan *plan, const char *text, struct adg_error *error)
{
    const char *kept = adg_arena_strdup(&plan->kept, text);
    if (plan->warning_count == plan->warning_capacity) {
        uint32_t capacity = plan->warning_capacity > 0 ? 2 * plan->warning_capacity : 8;
        const char **more = adg_arena_array(&plan->kept, capacity, sizeof *more);
        if (more == NULL) {
            return adg_fail_memory(error);
        }
        for (uint32_t i = 0; i < plan->warning_count; i++) {
            more[i] = plan->warnings[i];
        }
        plan->warnings = more;
        plan->warning_capacity = capacity;
    }
    if (kept == NULL) {
        return adg_fail_memory(error);
    }
    plan->warnings[plan->warning_count++] = kept;
    return ADG_OK;
}

/* Who is in the table: a dataset with a population has people, of whom some appear; else patients are the table's own. */
static enum adg_status plan_patients(struct adg_plan *plan, const struct adg_plan_options *options,
                                     struct adg_error *error)
{
    bool stated = false, selected = plan->people != NULL;
    enum adg_status status = ADG_OK;
    if (selected) {
        status = adg_people_presence(plan->people, plan->member, plan->seed, &plan->kept, &plan->presence, error);
    }
    if (status == ADG_OK) {
        status = adg_table_patients(plan->metadata, plan->dataset, plan->table, options,
                                    selected ? &plan->presence : NULL, &plan->patients, &stated, error);
    }
    if (status == ADG_OK && !stated) {
        char text[600];
        snprintf(text, sizeof text, "table %.500s: no RELATIONSHIP in the metadata; every patient has one row",
                 plan->table->name);
        status = adg_plan_warn(plan, text, error);
    }
    return status;
}

/* First patient with rows of part `shard`: all parts differ by at most one patient. */
static uint64_t shard_patient(const struct adg_plan *plan, uint64_t shard, uint64_t shards)
{
    return (uint64_t)((adg_uint128)plan->patients.filled * shard / shards);
}

static void plan_shard(struct adg_plan *plan, const struct adg_plan_options *options)
{
    uint64_t end = adg_patients_first_row(&plan->patients, shard_patient(plan, options->shard + 1, options->shards));
    plan->first_row = adg_patients_first_row(&plan->patients, shard_patient(plan, options->shard, options->shards));
    plan->rows = end - plan->first_row;
    if (plan->rows > 0) {
        plan->first_block = plan->first_row / ADG_BLOCK_ROWS;
        plan->blocks = (end - 1) / ADG_BLOCK_ROWS + 1 - plan->first_block;
    }
}

/* ---- columns ----------------------------------------------------------------------------------------------------- */

static enum adg_status plan_sampled_field(struct adg_plan *plan, uint32_t field, struct adg_error *error)
{
    switch (plan->columns[field].field->value_type) {
    case ADG_VALUE_CONTINUOUS:
        return adg_plan_continuous(plan, field, error);
    case ADG_VALUE_DEMOGRAPHIC_CATEGORICAL:
        return adg_plan_pattern(plan, field, error);
    case ADG_VALUE_DEMOGRAPHIC_DATE:
        return adg_plan_patient_date(plan, field, error);
    default:
        return adg_plan_sampled(plan, field, error);
    }
}

static enum adg_status plan_derived_field(struct adg_plan *plan, uint32_t field, struct adg_error *error)
{
    switch (plan->columns[field].field->derivation->kind) {
    case ADG_DERIVE_JOIN:
        return adg_plan_join(plan, field, error);
    case ADG_DERIVE_AGE_CATEGORY:
    case ADG_DERIVE_AGE_FRACTION:
    case ADG_DERIVE_AGE_FRACTION_OF_CATEGORY:
        return adg_plan_age(plan, field, error);
    default:
        return adg_plan_derived(plan, field, error);
    }
}

/* Derived fields in rounds: each takes those whose inputs are there. The definition has no cycles. */
static enum adg_status plan_derived_fields(struct adg_plan *plan, bool *planned, struct adg_error *error)
{
    for (bool more = true; more;) {
        more = false;
        for (uint32_t f = 0; f < plan->dataset->field_count; f++) {
            const struct adg_field *field = plan->columns[f].field;
            bool ready = !planned[f];
            for (uint32_t i = 0; ready && i < field->derivation->input_count; i++) {
                ready = planned[field->derivation->inputs[i]];
            }
            if (!ready) {
                continue;
            }
            enum adg_status status = plan_derived_field(plan, f, error);
            if (status != ADG_OK) {
                return adg_context(error, status, "field %s", field->name);
            }
            planned[f] = more = true;
        }
    }
    return ADG_OK;
}

/* A step of its own, and no reader. */
static void mark_unread(struct adg_plan *plan, bool *shared)
{
    adg_plan_shared(plan, shared);
    for (uint32_t i = 0; i < plan->step_count; i++) {
        struct adg_plan_column *column = &plan->columns[plan->steps[i].field];
        column->unread = column->kind == ADG_COLUMN_DICTIONARY && !column->sparse && !shared[plan->steps[i].field];
    }
}

static enum adg_status plan_columns(struct adg_plan *plan, struct adg_error *error)
{
    uint32_t count = plan->dataset->field_count;
    plan->columns = adg_arena_array(&plan->arena, count, sizeof *plan->columns);
    plan->steps = adg_arena_array(&plan->arena, (size_t)count + 2, sizeof *plan->steps);
    bool *planned = adg_alloc_zero(count, sizeof *planned);
    enum adg_status status = ADG_OK;
    if (plan->columns == NULL || plan->steps == NULL || planned == NULL) {
        status = adg_fail_memory(error);
        goto done;
    }
    for (uint32_t f = 0; f < count; f++) {
        plan->columns[f].field = &plan->dataset->fields[f];
        plan->columns[f].kind = ADG_COLUMN_NULL;
    }
    for (uint32_t f = 0; f < count; f++) {
        const struct adg_field *field = plan->columns[f].field;
        if (field->role == ADG_ROLE_DERIVED) {
            continue;
        }
        bool coupled = false;
        if (plan->coherent) {
            status = adg_plan_coupled_field(plan, f, &coupled, error);
        }
        if (status == ADG_OK && !coupled) {
            status = field->role == ADG_ROLE_ID ? adg_plan_identifier(plan, f, error)
                                                : plan_sampled_field(plan, f, error);
        }
        if (status != ADG_OK) {
            adg_context(error, status, "field %s", field->name);
            goto done;
        }
        planned[f] = true;
    }
    status = plan->coherent ? adg_plan_coupled_dates(plan, error) : adg_plan_sorted_dates(plan, error);
    if (status == ADG_OK) {
        status = plan_derived_fields(plan, planned, error);
    }
    if (status == ADG_OK) {
        mark_unread(plan, planned);
    }
done:
    adg_free(planned);
    return status;
}

static enum adg_status warn_of_missing(struct adg_plan *plan, struct adg_error *error)
{
    struct adg_buffer text = {0};
    uint32_t missing = 0;
    enum adg_status status = adg_buffer_printf(&text, error, "table %s: no metadata for ", plan->table->name);
    for (uint32_t f = 0; f < plan->dataset->field_count && status == ADG_OK; f++) {
        if (plan->columns[f].missing && plan->columns[f].kind == ADG_COLUMN_NULL) {
            status = adg_buffer_printf(&text, error, "%s%s", missing++ > 0 ? ", " : "", plan->columns[f].field->name);
        }
    }
    if (status == ADG_OK && missing > 0) {
        status = adg_buffer_append_text(&text, "; filled with nulls", error);
        const char *line = status == ADG_OK ? adg_buffer_text(&text) : NULL;
        if (status == ADG_OK) {
            status = line != NULL ? adg_plan_warn(plan, line, error) : adg_fail_memory(error);
        }
    }
    adg_buffer_fini(&text);
    return status;
}

static enum adg_status plan_layout(struct adg_plan *plan, struct adg_error *error)
{
    uint32_t count = plan->dataset->field_count;
    if (plan->layout_columns == NULL) {
        plan->layout_columns = adg_arena_array(&plan->kept, count, sizeof *plan->layout_columns);
    }
    if (plan->layout_columns == NULL) {
        return adg_fail_memory(error);
    }
    for (uint32_t f = 0; f < count; f++) {
        const struct adg_plan_column *column = &plan->columns[f];
        bool coded = column->kind == ADG_COLUMN_DICTIONARY || column->kind == ADG_COLUMN_CONSTANT;
        plan->layout_columns[f] = (struct adg_layout_column){.field = column->field,
                                                             .kind = column->kind,
                                                             .dictionary = coded ? &column->dictionary : NULL,
                                                             .nullable = column->kind == ADG_COLUMN_NULL ||
                                                                         column->nullable,
                                                             .entropy = column->entropy,
                                                             .runs = column->runs,
                                                             .sparse = column->sparse,
                                                             .unread = column->unread};
    }
    plan->layout = (struct adg_layout){plan->table->name, count, plan->layout_columns};
    return ADG_OK;
}

/* ---- public ------------------------------------------------------------------------------------------------------ */

/* The population: the caller's, or one of the plan's own. */
static enum adg_status find_people(struct adg_plan *plan, const struct adg_plan_options *options,
                                   struct adg_error *error)
{
    plan->population = options->population;
    if (plan->population == NULL) {
        enum adg_status status = adg_population_new(plan->definition, plan->metadata, &plan->own_population, error);
        if (status != ADG_OK) {
            return status;
        }
        plan->population = plan->own_population;
    }
    plan->people = adg_population_of(plan->population, plan->table->name, &plan->member);
    return ADG_OK;
}

static enum adg_status make_plan(struct adg_plan *plan, const struct adg_plan_options *options, struct adg_error *error)
{
    if (!adg_metadata_has_table(plan->metadata, plan->table->name)) {
        return adg_fail(error, ADG_BAD_INPUT, "the metadata have nothing about this table");
    }
    enum adg_status status = plan->coherent ? find_people(plan, options, error) : ADG_OK;
    if (status == ADG_OK) {
        status = plan_patients(plan, options, error);
    }
    if (status == ADG_OK) {
        status = plan_columns(plan, error);
    }
    if (status == ADG_OK) {
        status = warn_of_missing(plan, error);
    }
    if (status == ADG_OK) {
        status = plan_layout(plan, error);
    }
    if (status == ADG_OK) {
        plan_shard(plan, options);
    }
    return status;
}

EXPORT enum adg_status adg_plan_new(const struct adg_definition *definition, const struct adg_metadata *metadata,
                                    const char *table, const struct adg_plan_options *options, struct adg_plan **out,
                                    struct adg_error *error)
{
    if ((options->patients == 0) == (options->rows == 0)) {
        return adg_fail(error, ADG_USAGE, "either a number of patients or a number of rows is needed");
    }
    if (options->shards == 0 || options->shard >= options->shards) {
        return adg_fail(error, ADG_USAGE, "shards are numbered from 0 to their number minus 1");
    }
    const struct adg_dataset *dataset = NULL;
    const struct adg_table *found = NULL;
    enum adg_status status = adg_definition_find_table(definition, table, &dataset, &found, error);
    if (status != ADG_OK) {
        return status;
    }
    struct adg_plan *plan = adg_alloc_zero(1, sizeof *plan);
    if (plan == NULL) {
        return adg_fail_memory(error);
    }
    atomic_init(&plan->holders, 1);
    plan->definition = adg_definition_hold(definition);
    plan->dataset = dataset;
    plan->table = found;
    plan->metadata = metadata;
    plan->options = *options;
    plan->seed = options->seed;
    plan->coherent = options->profile == ADG_PROFILE_COHERENT;
    status = adg_metadata_load(metadata, found->name, NULL, error);
    if (status == ADG_OK) {
        status = make_plan(plan, options, error);
        adg_metadata_unload(metadata, found->name, NULL); /* the plan has copies of what it needs */
    }
    if (status != ADG_OK) {
        adg_context(error, status, "table %s", table);
        adg_plan_free(plan);
        return status;
    }
    *out = plan;
    return ADG_OK;
}

void adg_plan_drop_columns(struct adg_plan *plan)
{
    for (uint32_t f = 0; f < plan->layout.column_count; f++) {
        plan->layout_columns[f].dictionary = NULL;
    }
    adg_arena_fini(&plan->arena);
    plan->columns = NULL;
    plan->steps = NULL;
    plan->step_count = 0;
}

enum adg_status adg_plan_make_columns(struct adg_plan *plan, const struct adg_metadata *metadata,
                                      struct adg_error *error)
{
    uint32_t warnings = plan->warning_count; /* they are given again */
    if (plan->columns != NULL) {
        return ADG_OK;
    }
    enum adg_status status = adg_metadata_load(metadata, plan->table->name, NULL, error);
    if (status == ADG_OK) {
        plan->metadata = metadata;
        status = plan_columns(plan, error);
        adg_metadata_unload(metadata, plan->table->name, NULL);
    }
    if (status == ADG_OK) {
        status = plan_layout(plan, error);
    }
    plan->warning_count = warnings;
    if (status != ADG_OK) {
        adg_plan_drop_columns(plan);
    }
    return status;
}

size_t adg_plan_column_bytes(const struct adg_plan *plan)
{
    return adg_arena_bytes(&plan->arena);
}

const struct adg_plan *adg_plan_hold(const struct adg_plan *plan)
{
    atomic_fetch_add((atomic_uint *)(uintptr_t)&plan->holders, 1);
    return plan;
}

EXPORT void adg_plan_free(struct adg_plan *plan)
{
    if (plan != NULL && atomic_fetch_sub(&plan->holders, 1) == 1) {
        adg_definition_free((struct adg_definition *)(uintptr_t)plan->definition);
        adg_patients_fini(&plan->patients);
        for (uint32_t i = 0; i < plan->linked_count; i++) {
            adg_patients_fini(&plan->linked[i].patients);
        }
        adg_population_free(plan->own_population);
        adg_arena_fini(&plan->arena);
        adg_arena_fini(&plan->kept);
        adg_free(plan);
    }
}

EXPORT uint64_t adg_plan_rows(const struct adg_plan *plan)
{
    return plan->rows;
}

EXPORT uint64_t adg_plan_blocks(const struct adg_plan *plan)
{
    return plan->blocks;
}

enum adg_status adg_plan_range(const struct adg_plan *plan, uint64_t first_block, uint64_t end_block, uint64_t *end,
                               struct adg_error *error)
{
    uint64_t found = end_block == ADG_ALL_BLOCKS ? plan->blocks : end_block;
    if (first_block > found || found > plan->blocks) {
        return adg_fail(error, ADG_USAGE, "table %s: the range of blocks is not within the table's", plan->table->name);
    }
    *end = found;
    return ADG_OK;
}

EXPORT uint32_t adg_plan_columns(const struct adg_plan *plan)
{
    return plan->layout.column_count;
}

EXPORT const char *adg_plan_column_name(const struct adg_plan *plan, uint32_t column)
{
    return plan->layout.columns[column].field->name;
}

const struct adg_layout *adg_plan_layout(const struct adg_plan *plan)
{
    return &plan->layout;
}

uint32_t adg_plan_warning_count(const struct adg_plan *plan)
{
    return plan->warning_count;
}

const char *adg_plan_warning(const struct adg_plan *plan, uint32_t i)
{
    return plan->warnings[i];
}
