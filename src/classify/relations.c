/*
 * Columns together: see relations.h.
 */
#include "classify/relations.h"

#include "core/memory.h"

enum { MOST_DIFFERENCES = 1 << 18, ENOUGH_ROWS = 50, FREE_ROWS = 4, ONE_IN = 50 };

static enum adg_status assume_differences(struct adg_relations *relations, struct adg_error *error)
{
    uint64_t all = (uint64_t)relations->date_count * relations->date_count * relations->whole_count;
    uint32_t most = all < MOST_DIFFERENCES ? (uint32_t)all : MOST_DIFFERENCES;
    relations->differences = adg_alloc_zero(most, sizeof *relations->differences);
    if (relations->differences == NULL) {
        return adg_fail_memory(error);
    }
    for (uint32_t later = 0; later < relations->date_count; later++) {
        for (uint32_t earlier = 0; earlier < relations->date_count; earlier++) {
            for (uint32_t i = 0; i < relations->whole_count && later != earlier && relations->difference_count < most;
                 i++) {
                relations->differences[relations->difference_count++] = (struct adg_difference){later, earlier, i, 0,
                                                                                                0};
            }
        }
    }
    return ADG_OK;
}

enum adg_status adg_relations_begin(struct adg_relations *relations, struct adg_error *error)
{
    uint32_t people = relations->patients != NULL ? relations->patients->slots : 0;
    relations->agreed = adg_alloc_zero(relations->tracked_count, sizeof *relations->agreed);
    relations->last = adg_alloc_zero((size_t)people * relations->tracked_count, sizeof *relations->last);
    relations->seen = adg_alloc_zero(people, sizeof *relations->seen);
    return relations->agreed == NULL || relations->last == NULL || relations->seen == NULL
               ? adg_fail_memory(error)
               : assume_differences(relations, error);
}

static bool is_contradicted(const struct adg_difference *difference)
{
    return difference->disagreed > FREE_ROWS + difference->agreed / ONE_IN;
}

static void check_differences(struct adg_relations *relations, const int64_t *dates, const int64_t *wholes)
{
    uint32_t left = 0;
    for (uint32_t i = 0; i < relations->difference_count; i++) {
        struct adg_difference difference = relations->differences[i];
        int64_t later = dates[difference.later], earlier = dates[difference.earlier],
                number = wholes[difference.number];
        if (later != ADG_RELATIONS_NONE && earlier != ADG_RELATIONS_NONE && number != ADG_RELATIONS_NONE) {
            difference.agreed += later - earlier == number;
            difference.disagreed += later - earlier != number;
        }
        relations->differences[left] = difference;
        left += !is_contradicted(&difference);
    }
    relations->difference_count = left;
}

static void compare_dates(struct adg_relations *relations, const int64_t *dates)
{
    uint32_t count = relations->date_count < ADG_ORDERED_DATES ? relations->date_count : ADG_ORDERED_DATES;
    for (uint32_t second = 0; second < count; second++) {
        for (uint32_t first = 0; first < count && dates[second] != ADG_RELATIONS_NONE; first++) {
            struct adg_date_order *order = &relations->orders[first][second];
            bool both = dates[first] != ADG_RELATIONS_NONE;
            order->both += both;
            order->alone += !both;
            order->reversed += both && dates[first] > dates[second];
        }
    }
}

static bool is_before(const struct adg_relations *relations, uint32_t first, uint32_t second)
{
    enum { ORDERED_ONE_IN = 1000 };
    const struct adg_date_order *order = &relations->orders[first][second];
    return order->both >= ENOUGH_ROWS && (order->reversed + order->alone) * ORDERED_ONE_IN <= order->both;
}

uint32_t adg_relations_sorted_dates(const struct adg_relations *relations, uint32_t out[ADG_ORDERED_DATES])
{
    uint32_t dates = relations->date_count < ADG_ORDERED_DATES ? relations->date_count : ADG_ORDERED_DATES, count = 0;
    uint32_t left = (1U << dates) - 1; /* dates that may come next, as bits */
    while (left != 0) {
        int64_t best = -1;
        uint32_t best_behind = 0;
        for (uint32_t first = 0; first < dates; first++) {
            uint32_t behind = 0;
            for (uint32_t second = 0; second < dates; second++) {
                bool equal = is_before(relations, first, second) && is_before(relations, second, first);
                bool counts = (left >> second & 1) != 0 && second != first && is_before(relations, first, second);
                behind |= counts && (!equal || second > first) ? 1U << second : 0;
            }
            if ((left >> first & 1) != 0 &&
                (best < 0 || __builtin_popcount(behind) > __builtin_popcount(best_behind))) {
                best = first;
                best_behind = behind;
            }
        }
        out[count++] = relations->dates[best];
        left = best_behind;
    }
    return count >= 2 ? count : 0;
}

void adg_relations_add(struct adg_relations *relations, uint64_t patient, const uint64_t *tracked, const int64_t *dates,
                       const int64_t *wholes)
{
    int64_t slot = relations->patients != NULL && patient != 0 ? adg_sketch_find(relations->patients, patient) : -1;
    if (slot >= 0) {
        uint32_t *last = relations->last + (size_t)slot * relations->tracked_count;
        bool seen = relations->seen[slot];
        relations->pairs += seen;
        for (uint32_t i = 0; i < relations->tracked_count; i++) {
            relations->agreed[i] += seen && last[i] == (uint32_t)tracked[i];
            last[i] = (uint32_t)tracked[i];
        }
        relations->seen[slot] = true;
    }
    compare_dates(relations, dates);
    if (relations->difference_count > 0) {
        check_differences(relations, dates, wholes);
    }
}

void adg_relations_end(struct adg_relations *relations)
{
    uint32_t left = 0;
    for (uint32_t i = 0; i < relations->difference_count; i++) {
        const struct adg_difference difference = relations->differences[i];
        relations->differences[left] = difference;
        left += difference.agreed >= ENOUGH_ROWS && difference.disagreed <= difference.agreed / ONE_IN;
    }
    relations->difference_count = left;
}

void adg_relations_fini(struct adg_relations *relations)
{
    adg_free(relations->agreed);
    adg_free(relations->differences);
    adg_free(relations->last);
    adg_free(relations->seen);
    relations->agreed = NULL;
    relations->differences = NULL;
    relations->last = NULL;
    relations->seen = NULL;
}
