/*
 * Look-ups in what a definition says about records that belong together: see coherence.h.
 */
#include "dataset/coherence.h"

#include <string.h>

bool adg_coherence_is_invalid_date(const struct adg_coherence *coherence, int32_t days)
{
    for (uint32_t i = 0; i < coherence->invalid_date_count; i++) {
        if (coherence->invalid_dates[i] == days) {
            return true;
        }
    }
    return false;
}

const struct adg_timeline *adg_coherence_timeline_of(const struct adg_coherence *coherence, uint32_t field)
{
    for (uint32_t t = 0; t < coherence->timeline_count; t++) {
        const struct adg_timeline *timeline = &coherence->timelines[t];
        bool there = timeline->anchor == field;
        for (uint32_t s = 0; s < timeline->span_count && !there; s++) {
            there = timeline->spans[s].from == field || timeline->spans[s].to == field;
        }
        if (there) {
            return timeline;
        }
    }
    return NULL;
}

const struct adg_timeline *adg_coherence_length_of(const struct adg_coherence *coherence, uint32_t field,
                                                   const struct adg_span_rule **out_span)
{
    for (uint32_t t = 0; t < coherence->timeline_count; t++) {
        const struct adg_timeline *timeline = &coherence->timelines[t];
        for (uint32_t s = 0; s < timeline->span_count; s++) {
            for (uint32_t i = 0; i < timeline->spans[s].length_count; i++) {
                if (timeline->spans[s].lengths[i] == field) {
                    *out_span = &timeline->spans[s];
                    return timeline;
                }
            }
        }
    }
    return NULL;
}

const struct adg_nested_group *adg_coherence_nested_of(const struct adg_coherence *coherence, uint32_t field,
                                                       uint32_t *out_position)
{
    for (uint32_t g = 0; g < coherence->nested_count; g++) {
        for (uint32_t i = 0; i < coherence->nested[g].count; i++) {
            if (coherence->nested[g].fields[i] == field) {
                *out_position = i;
                return &coherence->nested[g];
            }
        }
    }
    return NULL;
}

const struct adg_reference *adg_coherence_reference_of(const struct adg_coherence *coherence, uint32_t field)
{
    for (uint32_t i = 0; i < coherence->reference_count; i++) {
        if (coherence->references[i].field == field) {
            return &coherence->references[i];
        }
    }
    return NULL;
}

const char *adg_coherence_table_value(const struct adg_coherence *coherence, uint32_t field, uint32_t ordinal)
{
    for (uint32_t i = 0; i < coherence->table_value_count; i++) {
        if (coherence->table_values[i].field == field) {
            return coherence->table_values[i].texts[ordinal];
        }
    }
    return NULL;
}

bool adg_minutes_parse(const char *text, size_t size, int32_t *minutes)
{
    if (size != 4) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
    }
    int32_t hour = (text[0] - '0') * 10 + text[1] - '0', minute = (text[2] - '0') * 10 + text[3] - '0';
    if (hour > 23 || minute > 59) {
        return false;
    }
    *minutes = hour * 60 + minute;
    return true;
}

bool adg_tables_match(const char *a, const char *b)
{
    const char *end_a = strrchr(a, '_'), *end_b = strrchr(b, '_');
    return end_a != NULL && end_b != NULL && strcmp(end_a, end_b) == 0;
}
