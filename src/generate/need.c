/*
 * Which fields are made for the sake of others: adg_plan_need (internal.h).
 */
#include "generate/internal.h"

#include <string.h>

/* Marks what `field` is made from; true when that was news. */
static bool need_inputs(const struct adg_field *field, bool *needed)
{
    bool news = false;
    for (uint32_t i = 0; field->derivation != NULL && i < field->derivation->input_count; i++) {
        bool *input = &needed[field->derivation->inputs[i]];
        news |= !*input;
        *input = true;
    }
    return news;
}

/* Dates that are sorted are made together. */
static bool need_sorted_dates(const struct adg_dataset *dataset, bool *needed)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < dataset->sorted_date_count; i++) {
        count += needed[dataset->sorted_dates[i]];
    }
    if (count == 0 || count == dataset->sorted_date_count) {
        return false;
    }
    for (uint32_t i = 0; i < dataset->sorted_date_count; i++) {
        needed[dataset->sorted_dates[i]] = true;
    }
    return true;
}

/* The fields of a timeline are made together. */
static bool need_timeline(const struct adg_timeline *timeline, bool *needed)
{
    uint32_t count = 0, total = 0;
    for (int pass = 0; pass < 2; pass++) { /* is one of them needed, then all */
        total = 0;
        for (uint32_t s = 0; s <= timeline->span_count; s++) {
            const struct adg_span_rule *span = s < timeline->span_count ? &timeline->spans[s] : NULL;
            const uint32_t anchor[] = {timeline->anchor},
                           ends[] = {span != NULL ? span->from : 0, span != NULL ? span->to : 0};
            const uint32_t *const lists[] = {span != NULL ? ends : anchor, span != NULL ? span->lengths : NULL};
            const uint32_t counts[] = {span != NULL ? 2 : 1, span != NULL ? span->length_count : 0};
            for (int l = 0; l < 2; l++) {
                for (uint32_t i = 0; i < counts[l]; i++, total++) {
                    count += pass == 0 && needed[lists[l][i]];
                    needed[lists[l][i]] |= pass == 1;
                }
            }
        }
        if (pass == 0 && (count == 0 || count == total)) {
            return false;
        }
    }
    return true;
}

/* What profile coherent makes together: dates and lengths of a timeline, positions of a code, an age and its date. */
static bool need_coupled(const struct adg_dataset *dataset, bool *needed)
{
    const struct adg_coherence *coherence = &dataset->coherence;
    bool news = false;
    for (uint32_t t = 0; t < coherence->timeline_count; t++) {
        news |= need_timeline(&coherence->timelines[t], needed);
    }
    for (uint32_t g = 0; g < coherence->nested_count; g++) {
        const struct adg_nested_group *group = &coherence->nested[g];
        uint32_t count = 0;
        for (uint32_t i = 0; i < group->count; i++) {
            count += needed[group->fields[i]];
        }
        for (uint32_t i = 0; i < group->count && count > 0 && count < group->count; i++) {
            news |= !needed[group->fields[i]];
            needed[group->fields[i]] = true;
        }
    }
    const struct adg_population_rule *people = &coherence->population;
    if (people->age >= 0 && people->age_at >= 0 && needed[people->age] && !needed[people->age_at]) {
        news = needed[people->age_at] = true;
    }
    return news;
}

void adg_plan_need(const struct adg_plan *plan, const bool *wanted, bool *needed)
{
    const struct adg_dataset *dataset = plan->dataset;
    memcpy(needed, wanted, dataset->field_count * sizeof *needed);
    for (bool news = true; news;) {
        news = need_sorted_dates(dataset, needed);
        if (plan->coherent) {
            news |= need_coupled(dataset, needed);
        }
        for (uint32_t f = 0; f < dataset->field_count; f++) {
            news |= needed[f] && need_inputs(&dataset->fields[f], needed);
        }
    }
}
