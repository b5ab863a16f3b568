/*
 * What metadata imply for the fields that profile coherent draws otherwise than by themselves, where that is a distribution
 * (docs/coherence.md).
 */
#include <stdlib.h>
#include <string.h>

#include "core/date.h"
#include "metadata/births.h"
#include "qa/internal.h"

bool adg_expected_is_valid(const struct adg_dataset *dataset, const struct adg_timeline *timeline,
                           struct adg_span value)
{
    int32_t number = 0;
    const char *text = (const char *)value.data;
    if (text == NULL) {
        return false;
    }
    return timeline->minutes ? adg_minutes_parse(text, value.size, &number)
                             : adg_date_parse(text, value.size, &number) &&
                                   !adg_coherence_is_invalid_date(&dataset->coherence, number);
}

/* ---- nested groups ----------------------------------------------------------------------------------------------- */

static bool is_code(const struct adg_dataset *dataset, struct adg_span value)
{
    return value.data != NULL && !adg_dataset_is_placeholder(dataset, (const char *)value.data, value.size);
}

static double code_rate(const struct adg_dataset *dataset, const struct adg_expected *expected)
{
    double sum = 0;
    for (size_t i = 0; i < expected->count; i++) {
        sum += is_code(dataset, expected->shares[i].value) ? expected->shares[i].share : 0;
    }
    return sum;
}

enum adg_status adg_expected_nested(const struct adg_metadata *metadata, const char *table,
                                    const struct adg_dataset *dataset, const struct adg_nested_group *group,
                                    uint32_t position, struct adg_arena *arena, struct adg_expected *out,
                                    struct adg_error *error)
{
    double rate = 1, own = 0;
    struct adg_expected made = {NULL, 0};
    for (uint32_t k = 0; k <= position; k++) {
        enum adg_status status = adg_expected_categories(metadata, table, &dataset->fields[group->fields[k]], arena,
                                                         &made, error);
        if (status != ADG_OK) {
            return status;
        }
        own = code_rate(dataset, &made);
        rate = own < rate ? own : rate;
    }
    for (size_t i = 0; i < made.count && position > 0; i++) {
        struct adg_share *share = &made.shares[i];
        if (is_code(dataset, share->value)) {
            share->share *= own > 0 ? rate / own : 0;
        } else {
            share->share = share->value.data == NULL ? 1 - rate : 0;
        }
    }
    *out = made;
    return ADG_OK;
}

/* ---- people ------------------------------------------------------------------------------------------------------ */

enum adg_status adg_expected_births(const struct adg_metadata *metadata, const char *table,
                                    const struct adg_field *field, struct adg_arena *arena, struct adg_expected *out,
                                    struct adg_error *error)
{
    struct adg_metadata_range range = adg_metadata_find(metadata, table, field->name, ADG_VALUE_DEMOGRAPHIC_DATE);
    struct adg_expected made = {.shares = adg_arena_array(arena, range.count + 1, sizeof *made.shares)};
    double total = 0;
    if (made.shares == NULL) {
        return adg_fail_memory(error);
    }
    for (size_t i = 0; i < range.count; i++) {
        total += range.rows[i].weight;
    }
    for (size_t i = 0; i < range.count; i++) {
        const struct adg_optional_text *text = &range.rows[i].string;
        made.shares[made.count++] = (struct adg_share){
            {(const uint8_t *)text->text, text->text != NULL ? text->size : 0}, range.rows[i].weight / total};
    }
    if (range.count == 0) {
        made.shares[made.count++] = (struct adg_share){{NULL, 0}, 1};
    }
    adg_expected_settle(&made);
    *out = made;
    return ADG_OK;
}

/* ---- anchors ----------------------------------------------------------------------------------------------------- */

/* The valid days of the shares, with shares that sum to 1; where each is among the shares. */
struct valid_days {
    int32_t *days;
    double *shares, *rest, sum;
    size_t *places;
    uint32_t count;
};

static enum adg_status list_days(const struct adg_dataset *dataset, const struct adg_timeline *timeline,
                                 const struct adg_expected *expected, struct adg_arena *arena, struct valid_days *out,
                                 struct adg_error *error)
{
    *out = (struct valid_days){.days = adg_arena_array(arena, expected->count + 1, sizeof *out->days),
                               .shares = adg_arena_array(arena, expected->count + 1, sizeof *out->shares),
                               .rest = adg_arena_array(arena, expected->count + 1, sizeof *out->rest),
                               .places = adg_arena_array(arena, expected->count + 1, sizeof *out->places)};
    if (out->days == NULL || out->shares == NULL || out->rest == NULL || out->places == NULL) {
        return adg_fail_memory(error);
    }
    for (size_t i = 0; i < expected->count; i++) { /* as text, dates sort like days */
        const struct adg_share *share = &expected->shares[i];
        if (share->share > 0 && adg_expected_is_valid(dataset, timeline, share->value) &&
            adg_date_parse((const char *)share->value.data, share->value.size, &out->days[out->count])) {
            out->places[out->count] = i;
            out->shares[out->count++] = share->share;
            out->sum += share->share;
        }
    }
    for (uint32_t d = 0; d < out->count; d++) {
        out->shares[d] /= out->sum;
    }
    return ADG_OK;
}

/* Adds what people draw who are born among the days. */
static void add_born(const struct adg_birth *births, uint32_t birth_count, const struct valid_days *days,
                     double *shares)
{
    double people = 0;
    for (uint32_t i = 0; i < birth_count; i++) {
        people += births[i].people;
    }
    for (uint32_t i = 0; i < birth_count; i++) {
        double later = 0;
        for (uint32_t d = 0; births[i].day != ADG_NO_DAY && births[i].day > days->days[0] && d < days->count; d++) {
            later += days->days[d] >= births[i].day ? days->shares[d] : 0;
        }
        for (uint32_t d = 0; later > 0 && d < days->count; d++) {
            shares[d] += days->days[d] >= births[i].day ? births[i].people / people * days->shares[d] / later : 0;
        }
    }
}

enum adg_status adg_expected_anchor(const struct adg_metadata *metadata, const char *table,
                                    const struct adg_dataset *dataset, const struct adg_timeline *timeline,
                                    struct adg_arena *arena, struct adg_expected *out, double *born_after,
                                    struct adg_error *error)
{
    struct adg_expected made = {NULL, 0};
    struct valid_days days;
    struct adg_birth *births = NULL;
    uint32_t birth_count = 0;
    *born_after = 0;
    enum adg_status status = adg_expected_categories(metadata, table, &dataset->fields[timeline->anchor], arena, &made,
                                                     error);
    if (status == ADG_OK && !timeline->minutes && dataset->coherence.population.id != 0) {
        status = adg_births_read(metadata, dataset, table, 0, arena, &births, &birth_count, error);
    }
    if (status == ADG_OK) {
        status = list_days(dataset, timeline, &made, arena, &days, error);
    }
    if (status != ADG_OK || birth_count == 0 || days.count == 0) {
        *out = made;
        return status;
    }
    struct adg_births_among among = adg_births_rest(births, birth_count, days.days, days.shares, days.count, days.rest);
    double left = 0;
    for (uint32_t d = 0; d < days.count; d++) {
        left += days.rest[d];
    }
    for (uint32_t d = 0; d < days.count;
         d++) { /* where nothing is left, the others draw as if nobody were born among them */
        days.rest[d] = (1 - among.within) * (left > 0 ? days.rest[d] / left : days.shares[d]);
    }
    if (among.within > 0) {
        add_born(births, birth_count, &days, days.rest);
        for (size_t i = 0; i < made.count; i++) { /* who has no dates has no invalid ones either */
            made.shares[i].share *= 1 - among.after;
            made.shares[i].share += made.shares[i].value.data == NULL ? among.after : 0;
        }
        for (uint32_t d = 0; d < days.count; d++) {
            made.shares[days.places[d]].share = days.rest[d] * days.sum;
        }
    }
    *born_after = among.after;
    *out = made;
    return ADG_OK;
}
