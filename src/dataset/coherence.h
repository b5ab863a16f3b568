/*
 * What a definition says about records that belong together: the key `coherence` of a dataset (docs/definitions.md). Profile
 * coherent of the generator follows it, profile reference does not know it.
 *
 * All fields are indices into the dataset's fields. Everything is immutable and lives as long as the definition.
 */
#ifndef ADG_DATASET_COHERENCE_H
#define ADG_DATASET_COHERENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* People that all tables of the datasets with this population draw from. */
struct adg_population_rule {
    uint32_t id;          /* part of the address of the people's random numbers; 0: the dataset has no such people */
    int64_t birth;        /* month of birth, DEMOGRAPHIC_DATE; -1: none */
    int64_t age, age_at;  /* an age, and the date that it is told for; -1: none */
    const uint32_t *same; /* DEMOGRAPHIC_CATEGORICAL: fields of one name are a person's in every dataset */
    uint32_t same_count;
};

/* From one date or time to another; its length is told by other fields. */
struct adg_span_rule {
    uint32_t from, to;
    const uint32_t *lengths; /* CONTINUOUS, whole: the first that has values gives the lengths, all show them */
    uint32_t length_count;
    int64_t at_least;      /* a span before this one that is never longer, and shares its random number; -1: none */
    uint32_t below;        /* lengths from here on are codes, no lengths; 0: there are none */
    bool has_from, has_to; /* the end is placed before this span: the other one follows from it. Neither: it lies around
                              the span `at_least` */
};

/* Dates, or times of day, of one row in their order. */
struct adg_timeline {
    uint32_t anchor; /* drawn by itself */
    bool minutes;    /* times of day, texts HHMM; else dates */
    const struct adg_span_rule *spans;
    uint32_t span_count;
};

/* A code that repeats: filled from the left. */
struct adg_nested_group {
    const uint32_t *fields;
    uint32_t count;
};

/* A key of another dataset's record. */
struct adg_reference {
    uint32_t field;
    const char *dataset;
};

/* One value throughout each table. */
struct adg_table_value {
    uint32_t field;
    const char *const *texts; /* one per table */
};

struct adg_coherence {
    struct adg_population_rule population;
    const int32_t *invalid_dates; /* days that stand for "no valid date" */
    uint32_t invalid_date_count;
    const struct adg_timeline *timelines;
    uint32_t timeline_count;
    const struct adg_nested_group *nested;
    uint32_t nested_count;
    const struct adg_reference *references;
    uint32_t reference_count;
    const struct adg_table_value *table_values;
    uint32_t table_value_count;
};

/* Whether a day stands for "no valid date". */
bool adg_coherence_is_invalid_date(const struct adg_coherence *coherence, int32_t days);
/* The timeline that places the field, or NULL. */
const struct adg_timeline *adg_coherence_timeline_of(const struct adg_coherence *coherence, uint32_t field);
/* The timeline in which the field is a length, or NULL, and the span. */
const struct adg_timeline *adg_coherence_length_of(const struct adg_coherence *coherence, uint32_t field,
                                                   const struct adg_span_rule **out_span);
/* The nested group that holds the field, or NULL, and its position from 0. */
const struct adg_nested_group *adg_coherence_nested_of(const struct adg_coherence *coherence, uint32_t field,
                                                       uint32_t *out_position);
const struct adg_reference *adg_coherence_reference_of(const struct adg_coherence *coherence, uint32_t field);
/* The text of the field's value in table `ordinal`, or NULL: it has no such value. */
const char *adg_coherence_table_value(const struct adg_coherence *coherence, uint32_t field, uint32_t ordinal);
/* "HHMM" as minutes of the day. */
bool adg_minutes_parse(const char *text, size_t size, int32_t *minutes);
/* Whether two tables are of the same period: what follows the last underscore of their names is the same. */
bool adg_tables_match(const char *a, const char *b);

#endif
