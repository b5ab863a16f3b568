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

void adg_plan_need(const struct adg_plan *plan, const bool *wanted, bool *needed)
{
    const struct adg_dataset *dataset = plan->dataset;
    memcpy(needed, wanted, dataset->field_count * sizeof *needed);
    for (bool news = true; news;) {
        news = need_sorted_dates(dataset, needed);
        for (uint32_t f = 0; f < dataset->field_count; f++) {
            news |= needed[f] && need_inputs(&dataset->fields[f], needed);
        }
    }
}
