/*
 * Within the govern room: what the checks share.
 */
#ifndef ADG_GOVERN_INTERNAL_H
#define ADG_GOVERN_INTERNAL_H

#include "govern/review.h"

/* How many findings of one check and field are listed; the rest is counted. */
enum { ADG_FINDINGS_LISTED = 20 };

struct adg_checker {
    struct adg_review *review;
    const struct adg_definition *definition;
    const struct adg_metadata *metadata;
    struct adg_error *error;
};

/* Adds a finding; `row` is 0 for none. */
ADG_MUST_CHECK ADG_PRINTF(6, 7) enum adg_status
    adg_review_find(struct adg_review *review, enum adg_check check, const char *table, const char *field, size_t row,
                    const char *format, ...);

static inline uint64_t adg_review_rounded(uint64_t count, uint32_t rounding)
{
    return (2 * count + rounding) / (2 * (uint64_t)rounding) * rounding;
}

/* The checks of numbers: weights, relationship groups, percentiles, ratios, identical fields. */
ADG_MUST_CHECK enum adg_status adg_check_numbers(const struct adg_checker *checker);
/* The checks of texts: personal data, lengths, letters, whitespace. */
ADG_MUST_CHECK enum adg_status adg_check_texts_of_values(const struct adg_checker *checker);

#endif
