/*
 * Which fields are made for the sake of others: adg_plan_need and adg_plan_shared (internal.h).
 */
#include "generate/internal.h"

#include <string.h>

/* Marks a field; true when that was news. */
static bool need_field(uint32_t field, bool *needed)
{
    bool news = !needed[field];
    needed[field] = true;
    return news;
}

static bool need_fields(const uint32_t *fields, uint32_t count, bool *needed)
{
    bool news = false;
    for (uint32_t i = 0; i < count; i++) {
        news |= need_field(fields[i], needed);
    }
    return news;
}

/* Dates that are sorted are made together. */
static bool need_sorted_dates(const struct adg_dataset *dataset, bool *needed)
{
    bool any = false;
    for (uint32_t i = 0; i < dataset->sorted_date_count; i++) {
        any |= needed[dataset->sorted_dates[i]];
    }
    return any && need_fields(dataset->sorted_dates, dataset->sorted_date_count, needed);
}

static bool need_timeline(const struct adg_timeline *timeline, bool *needed)
{
    bool news = need_field(timeline->anchor, needed);
    for (uint32_t s = 0; s < timeline->span_count; s++) {
        const struct adg_span_rule *span = &timeline->spans[s];
        news |= need_field(span->from, needed);
        news |= need_field(span->to, needed);
        news |= need_fields(span->lengths, span->length_count, needed);
    }
    return news;
}

/* What profile coherent makes together with `field`: dates and lengths of a timeline, positions of a code, an age and its date. */
static bool need_coupled(const struct adg_coherence *coherence, uint32_t field, bool *needed)
{
    const struct adg_span_rule *span;
    uint32_t position;
    const struct adg_timeline *timeline = adg_coherence_timeline_of(coherence, field);
    timeline = timeline != NULL ? timeline : adg_coherence_length_of(coherence, field, &span);
    const struct adg_nested_group *group = adg_coherence_nested_of(coherence, field, &position);
    const struct adg_population_rule *people = &coherence->population;
    bool news = timeline != NULL && need_timeline(timeline, needed);
    news |= group != NULL && need_fields(group->fields, group->count, needed);
    news |= people->age == (int64_t)field && people->age_at >= 0 && need_field((uint32_t)people->age_at, needed);
    return news;
}

/* What field `field` is made from, or together with. */
static bool need_sources(const struct adg_plan *plan, uint32_t field, bool *needed)
{
    const struct adg_derivation *derivation = plan->dataset->fields[field].derivation;
    bool news = derivation != NULL && need_fields(derivation->inputs, derivation->input_count, needed);
    news |= plan->coherent && need_coupled(&plan->dataset->coherence, field, needed);
    return news;
}

void adg_plan_shared(const struct adg_plan *plan, bool *shared)
{
    const struct adg_dataset *dataset = plan->dataset;
    memset(shared, 0, dataset->field_count * sizeof *shared);
    need_fields(dataset->sorted_dates, dataset->sorted_date_count, shared);
    for (uint32_t f = 0; f < dataset->field_count; f++) {
        need_sources(plan, f, shared);
    }
}

void adg_plan_need(const struct adg_plan *plan, const bool *wanted, bool *needed)
{
    const struct adg_dataset *dataset = plan->dataset;
    memcpy(needed, wanted, dataset->field_count * sizeof *needed);
    for (bool news = true; news;) {
        news = need_sorted_dates(dataset, needed);
        for (uint32_t f = 0; f < dataset->field_count; f++) {
            news |= needed[f] && need_sources(plan, f, needed);
        }
    }
}
