/*
 * The people of a run: who is born when, and who appears in which table. Profile coherent.
 *
 * A population is worked out once from all tables of the metadata that share it, whichever are asked for, so that a person
 * is the same in all of them. Let n_t be table t's released number of patients, w_t(v) its share of birth value v. A person
 * is born in v with probability pi(v) = max_t n_t w_t(v) / Z, Z = sum_v max_t n_t w_t(v), and appears in t with probability
 * n_t w_t(v) / (N_t pi(v)), N_t being the table's stated population, at least Z: so the table's patients have its own
 * distribution, and people agree entirely. A table that has no months of birth but ages takes part through them: the months
 * in which somebody of that age can have been born, given the table's dates.
 *
 * A person's value of a field such as sex is found by shared acceptance: everybody has one stream of candidates (value v
 * with probability g(v) = max_t w_t(v) / M, and a number u); table t takes the first v with u < w_t(v) / (M g(v)). Each
 * table keeps its own distribution, and two tables agree with probability (1 - TV) / (1 + TV). This is done for the
 * commonest value of a pattern, then for the pattern given that value.
 */
#ifndef ADG_GENERATE_POPULATION_H
#define ADG_GENERATE_POPULATION_H

#include "block/block.h"
#include "generate/patients.h"
#include "generate/value.h"
#include "metadata/births.h"

/* What a table has of the population's values: codes of a list that all tables share. */
struct adg_member_list {
    const uint32_t *codes;
    const double *shares;
    uint32_t count;
};

/* A field that is a person's in all tables. */
struct adg_same_field {
    const char *name;
    uint32_t column; /* part of the address: a hash of the name */
    /* Codes of values: those of `values`, then null. Patterns lie value by value: those of value v from starts[v] on. */
    struct adg_dictionary values, patterns; /* a pattern as bytes */
    uint32_t *pattern_values;               /* [patterns] */
    uint32_t *starts;                       /* [values + 2] */
    uint32_t *ordered;                      /* [patterns] by value */
    uint64_t *value_parts, *pattern_parts;  /* as drawn; of a pattern given its value */
    double value_sum, *pattern_sums;        /* M, of values and of the patterns of each */
    struct adg_alias value_alias, *pattern_aliases;
};

/* A table with people of the population. */
struct adg_member {
    const struct adg_dataset *dataset;
    const struct adg_table *table;
    double patients;                /* n_t; 0: the metadata do not say */
    double population;              /* N_t */
    const struct adg_birth *births; /* none: it has neither births nor ages */
    uint32_t *birth_codes;          /* of the population's list */
    uint32_t birth_count;
    struct adg_member_list *values, *patterns; /* per same field; none: it has no metadata */
};

struct adg_people {
    uint32_t id;
    struct adg_dictionary births; /* texts MMyyyy and whatever the metadata have instead; code `count` is null */
    int32_t *birth_days;          /* [births.count + 1] first of the month, or ADG_NO_DAY */
    uint64_t *birth_parts;        /* the same, pi */
    struct adg_alias birth_alias;
    double sum; /* Z */
    struct adg_member *members;
    uint32_t member_count;
    struct adg_same_field *same;
    uint32_t same_count;
};

struct adg_population {
    struct adg_arena arena;
    struct adg_definition *own; /* the metadata's definition, which may know more datasets than the run's */
    const struct adg_definition *definition;
    const struct adg_metadata *metadata;
    struct adg_people *people; /* one per population of the definition */
    uint32_t people_count;
};

/* The people and the membership of a table, or NULL: its dataset has no population. */
const struct adg_people *adg_population_of(const struct adg_population *population, const char *table,
                                           const struct adg_member **out_member);

/* Who is in the member's table: memory is the arena's. ADG_BAD_INPUT: nobody. */
ADG_MUST_CHECK enum adg_status adg_people_presence(const struct adg_people *people, const struct adg_member *member,
                                                   uint64_t seed, struct adg_arena *arena, struct adg_presence *out,
                                                   struct adg_error *error);

/* ---- within the population ----------------------------------------------------------------------------------------- */

/* Whole parts of 2^32 by weights, not all 0; one that is not 0 has at least one part. And an alias table, in the arena. */
ADG_MUST_CHECK enum adg_status adg_parts_of(const double *weights, uint32_t count, uint64_t *parts,
                                            struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_alias_in(struct adg_arena *arena, const uint64_t *parts, uint32_t count,
                                            struct adg_alias *out, struct adg_error *error);
/* The fields that are a person's: same.c. */
ADG_MUST_CHECK enum adg_status adg_same_fields(struct adg_population *population, struct adg_people *people,
                                               struct adg_error *error);

#endif
