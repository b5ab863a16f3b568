/*
 * What a second pass over the rows tells of columns together: whether a column has one value per patient, and whether a whole number is the
 * difference of two dates in days.
 *
 * A patient's records are held against the one before, for the patients that the key column's sketch has kept. A difference is assumed for
 * every pair of dates and every number, and given up with the rows that contradict it: nearly all go within the first few rows.
 */
#ifndef ADG_CLASSIFY_RELATIONS_H
#define ADG_CLASSIFY_RELATIONS_H

#include "classify/profile.h"

#define ADG_RELATIONS_NONE INT64_MIN /* no number */

/* number = later - earlier, in days; places in the lists of dates and wholes */
struct adg_difference {
    uint32_t later, earlier, number;
    uint64_t agreed, disagreed;
};

/* Two dates in the rows that have the second one. */
struct adg_date_order {
    uint64_t both, reversed; /* the first is filled too; and it is the later one */
    uint64_t alone;          /* the first is null */
};
/* So many dates are put into order. */
#define ADG_ORDERED_DATES 16

struct adg_relations {
    /* what to look at, set by the caller: columns; the lists stay the caller's */
    const struct adg_sketch *patients; /* of the patient key; NULL: none */
    const uint32_t *tracked, *dates, *wholes;
    uint32_t tracked_count, date_count, whole_count;
    /* what was found */
    uint64_t pairs;                     /* of consecutive records of a patient */
    uint64_t *agreed;                   /* [tracked_count] of them, with the same value, or none */
    struct adg_difference *differences; /* those that are left */
    uint32_t difference_count;
    struct adg_date_order orders[ADG_ORDERED_DATES][ADG_ORDERED_DATES]; /* of the first dates, each with each */
    /* of the patients that are kept: their last values */
    uint32_t *last;
    bool *seen;
};

ADG_MUST_CHECK enum adg_status adg_relations_begin(struct adg_relations *relations, struct adg_error *error);
/* One row: the hashes of the patient key and of the tracked values (0: null), the days of the dates, the whole numbers. */
void adg_relations_add(struct adg_relations *relations, uint64_t patient, const uint64_t *tracked, const int64_t *dates,
                       const int64_t *wholes);
/* Gives up what too few rows agree with. */
void adg_relations_end(struct adg_relations *relations);
/* The longest row of dates that is found of which each is, in nearly every row, no later than the next, and filled where the next is. The columns,
 * into `out`; returns how many, 0 for none. */
uint32_t adg_relations_sorted_dates(const struct adg_relations *relations, uint32_t out[ADG_ORDERED_DATES]);
void adg_relations_fini(struct adg_relations *relations);

#endif
