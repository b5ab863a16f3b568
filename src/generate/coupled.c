/*
 * Profile coherent: which field is written by which coupling, and the simple ones: births, ages, one value per table.
 */
#include "generate/internal.h"

#include <string.h>

#include "core/memory.h"

/* ---- births ------------------------------------------------------------------------------------------------------ */

struct birth {
    uint32_t *codes; /* [births of the population + 1] */
};

static enum adg_status run_birth(const struct adg_step *step, struct adg_work *work, struct adg_error *error)
{
    (void)error;
    const struct birth *birth = step->detail;
    uint32_t *codes = work->columns[step->field].codes;
    for (uint32_t i = 0; i < work->runs.count; i++) {
        uint32_t code = birth->codes[work->runs.births[i]];
        for (uint32_t row = work->runs.starts[i]; row < work->runs.starts[i + 1]; row++) {
            codes[row] = code;
        }
    }
    return ADG_OK;
}

/* The person's own month in every row: what the metadata say of records that show another one is an error of records. */
static enum adg_status plan_birth(struct adg_plan *plan, uint32_t field, struct adg_error *error)
{
    struct adg_plan_column *column = &plan->columns[field];
    struct adg_metadata_range range = adg_metadata_find(plan->metadata, plan->table->name, column->field->name,
                                                        ADG_VALUE_DEMOGRAPHIC_DATE);
    column->missing = range.count == 0;
    if (range.count == 0) {
        return ADG_OK;
    }
    uint32_t count = plan->member->birth_count; /* of the same rows */
    struct birth *birth = adg_arena_array(&plan->arena, 1, sizeof *birth);
    struct adg_value *values = adg_alloc_array(count, sizeof *values);
    uint32_t *codes = adg_alloc_array(count, sizeof *codes);
    struct adg_dictionary dictionary = {0};
    bool nullable = false;
    enum adg_status status = birth == NULL || values == NULL || codes == NULL ? adg_fail_memory(error) : ADG_OK;
    for (uint32_t i = 0; i < count && status == ADG_OK; i++) {
        status = adg_plan_text_value(column->field, range.rows[i].string, &values[i], error);
        nullable = nullable || values[i].null;
    }
    if (status == ADG_OK) {
        status = adg_value_dictionary(column->field->type, values, count, &plan->arena, &dictionary, codes, error);
    }
    if (status == ADG_OK) {
        birth->codes = adg_arena_array(&plan->arena, (size_t)plan->people->births.count + 1, sizeof *birth->codes);
        status = birth->codes == NULL ? adg_fail_memory(error) : ADG_OK;
    }
    if (status == ADG_OK) {
        for (uint32_t i = 0; i < count; i++) {
            birth->codes[plan->member->birth_codes[i]] = codes[i];
        }
        adg_plan_set_dictionary(column, &dictionary, nullable);
        if (column->kind == ADG_COLUMN_DICTIONARY) {
            adg_plan_add_step(plan, field, run_birth, birth);
        }
    }
    adg_free(values);
    adg_free(codes);
    return status;
}

/* ---- one value per table ----------------------------------------------------------------------------------------- */

static enum adg_status plan_table_value(struct adg_plan *plan, uint32_t field, const char *text,
                                        struct adg_error *error)
{
    struct adg_plan_column *column = &plan->columns[field];
    struct adg_value value;
    struct adg_dictionary dictionary = {0};
    uint32_t code = 0;
    enum adg_status status = adg_value_from_text(column->field, text, strlen(text), &value, error);
    if (status == ADG_OK) {
        status = adg_value_dictionary(column->field->type, &value, 1, &plan->arena, &dictionary, &code, error);
    }
    if (status == ADG_OK) {
        adg_plan_set_dictionary(column, &dictionary, false);
    }
    return status;
}

/* ---- which field is whose ---------------------------------------------------------------------------------------- */

enum adg_status adg_plan_coupled_field(struct adg_plan *plan, uint32_t field, bool *coupled, struct adg_error *error)
{
    const struct adg_coherence *coherence = &plan->dataset->coherence;
    const char *text = adg_coherence_table_value(coherence, field, plan->table->ordinal);
    const struct adg_reference *reference = adg_coherence_reference_of(coherence, field);
    const struct adg_span_rule *span = NULL;
    uint32_t position = 0;
    const struct adg_nested_group *group = adg_coherence_nested_of(coherence, field, &position);
    *coupled = true;
    if (text != NULL) {
        return plan_table_value(plan, field, text, error);
    }
    if (group != NULL) {
        return position == 0 ? adg_plan_nested(plan, group, error) : ADG_OK;
    }
    if (reference != NULL) {
        return adg_plan_reference(plan, reference, error);
    }
    if (coherence->population.birth == (int64_t)field) {
        return plan_birth(plan, field, error);
    }
    *coupled = coherence->population.age == (int64_t)field || adg_coherence_timeline_of(coherence, field) != NULL ||
               adg_coherence_length_of(coherence, field, &span) != NULL;
    return ADG_OK;
}

static enum adg_status plan_age(struct adg_plan *plan, const struct adg_population_rule *rule, struct adg_error *error)
{
    uint32_t field = (uint32_t)rule->age;
    struct adg_plan_column *column = &plan->columns[field];
    const char *table = plan->table->name, *name = column->field->name;
    bool there = adg_metadata_find(plan->metadata, table, name, column->field->value_type).count > 0;
    column->missing = !there && adg_metadata_find(plan->metadata, table, name, ADG_VALUE_COMPLETENESS).count == 0;
    enum adg_status status = there ? adg_plan_person_age(plan, field, (uint32_t)rule->age_at, error) : ADG_OK;
    if (status == ADG_OK && there &&
        column->kind == ADG_COLUMN_NULL) { /* no date, or no birth: nothing to compute it from */
        status = adg_plan_sampled(plan, field, error);
    }
    return status;
}

enum adg_status adg_plan_coupled_dates(struct adg_plan *plan, struct adg_error *error)
{
    const struct adg_coherence *coherence = &plan->dataset->coherence;
    enum adg_status status = ADG_OK;
    for (uint32_t t = 0; t < coherence->timeline_count && status == ADG_OK; t++) {
        status = adg_plan_timeline(plan, &coherence->timelines[t], error);
    }
    bool placed = plan->dataset->sorted_date_count > 0 &&
                  adg_coherence_timeline_of(coherence, plan->dataset->sorted_dates[0]) != NULL;
    if (status == ADG_OK && !placed) {
        status = adg_plan_sorted_dates(plan, error);
    }
    if (status == ADG_OK && coherence->population.age >= 0) {
        status = plan_age(plan, &coherence->population, error);
    }
    return status;
}
