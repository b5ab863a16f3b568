/*
 * What metadata say of a table's people: when they were born, and what that means for the dates of their records. For datasets
 * whose definition has a population (dataset/coherence.h).
 */
#ifndef ADG_METADATA_BIRTHS_H
#define ADG_METADATA_BIRTHS_H

#include "metadata/metadata.h"

#define ADG_NO_DAY INT32_MIN

struct adg_birth {
    struct adg_optional_text text; /* MMyyyy, or whatever the metadata have; null: not known */
    int32_t day;                   /* first of the month; ADG_NO_DAY: it cannot be told */
    double people;
};

/* The births of a table's patients, each once, from its months of birth or else from its ages: their people sum to `patients`
 * (0: not known, then to the weights). *count is 0 when the table has neither. In the order of the metadata's rows, where those are
 * months of birth. Memory is the arena's. */
ADG_MUST_CHECK enum adg_status adg_births_read(const struct adg_metadata *metadata, const struct adg_dataset *dataset,
                                               const char *table, double patients, struct adg_arena *arena,
                                               struct adg_birth **out, uint32_t *count, struct adg_error *error);

/* A row's date is drawn from `days` (ascending, with `shares` that sum to 1), and not before the birth of its person: who is
 * born after the first of the days has one of the later ones, all others what is left of the shares (`rest`, [day_count]), so that all
 * together have the days' own distribution. Where so many are born among the days that nothing is left of one, they have
 * it too often. */
struct adg_births_among {
    double within,
        after; /* the shares of people born after the first day, and of those among them born after the last */
};
struct adg_births_among adg_births_rest(const struct adg_birth *births, uint32_t birth_count, const int32_t *days,
                                        const double *shares, uint32_t day_count, double *rest);

#endif
