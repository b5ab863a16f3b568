/*
 * Drawing what is a person's in all tables by shared acceptance (population.h): for one table and one field.
 */
#ifndef ADG_GENERATE_SAME_H
#define ADG_GENERATE_SAME_H

#include "generate/population.h"

struct adg_same_draw {
    const struct adg_same_field *field;
    uint64_t seed;
    uint32_t id;
    uint64_t *value_ends;   /* [values + 1] a number below it takes the candidate */
    uint64_t *pattern_ends; /* [patterns] */
    uint32_t *rows;         /* [patterns] which of the table's patterns it is */
};

/* False when the member has no such field, or no metadata for it. Memory is the arena's. */
ADG_MUST_CHECK enum adg_status adg_same_plan(const struct adg_people *people, const struct adg_member *member,
                                             const char *name, uint64_t seed, struct adg_arena *arena,
                                             struct adg_same_draw *out, bool *there, struct adg_error *error);

/* The table's patterns of patients, numbered in the order of its metadata. */
void adg_same_draw(const struct adg_same_draw *draw, const uint64_t *patients, uint32_t count, uint32_t *rows);

#endif
