/*
 * Dates (or times of day) of a row in their order, and the lengths between them. Profile coherent.
 *
 * Behind every row lies a whole sequence of days: the anchor is drawn from its own valid dates, the other dates follow from it
 * by lengths that are drawn from theirs. A span whose ends are both new lies around the one that it names: what it is longer
 * lies before or after that, as a coin says whose chance follows from the means of the four dates. A span that is at least as
 * long as another shares its random number, and is raised to its length where that is more.
 *
 * Then each date shows its day, or null, or one of the invalid dates, with the rates that it has; a length is shown where both of
 * its dates are valid, and is their difference.
 *
 * No date is before the person's birth. Where the anchor's dates begin before somebody's birth, that person's anchor is
 * drawn from the later ones; the others' is drawn from what then is left of the distribution, so that all of them together have
 * it exactly. Dates that follow are moved to the birth. Whoever is born after the anchor's last date has no dates at all.
 */
#ifndef ADG_GENERATE_TIMELINE_H
#define ADG_GENERATE_TIMELINE_H

#include "generate/internal.h"

enum { ADG_TIMELINE_POINTS = 33, ADG_TIMELINE_SPANS = 16, ADG_DAY_MINUTES = 1440 };

struct adg_timeline_point {
    uint32_t field;
    bool drawn;   /* codes are wanted */
    bool there;   /* it can be valid */
    bool certain; /* valid in every row */
    struct adg_stream state;
    struct adg_alias states;   /* 0: valid; 1: null; from 2 on the invalid values */
    uint32_t *codes_of_states; /* the first of them is not looked at */
    int32_t least, most;       /* days that can come out */
    uint32_t *codes;           /* [most - least + 1]; of minutes: [1440] */
};

struct adg_timeline_length {
    uint32_t field;
    bool drawn;
    uint32_t null;
};

struct adg_timeline_span {
    uint32_t from, to; /* points */
    const struct adg_span_rule *rule;
    struct adg_stream length, side;
    uint32_t root; /* the span whose random number it has */
    uint64_t before_end;
    const double *percentiles;
    uint32_t percentile_count; /* 0: no lengths are known, they are 0 */
    int32_t most;
    struct adg_timeline_length *lengths;
    uint32_t length_count;
};

struct adg_timeline_plan {
    bool minutes;
    struct adg_timeline_point points[ADG_TIMELINE_POINTS];
    uint32_t point_count;
    struct adg_timeline_span spans[ADG_TIMELINE_SPANS];
    uint32_t span_count;
    /* the anchor, point 0 */
    struct adg_stream anchor;
    struct adg_alias alias;
    int32_t *days;  /* [day_count] */
    uint64_t *sums; /* [day_count + 1] running sums of their parts */
    uint32_t day_count;
    bool born_within, born_after; /* somebody is */
};

/* The step that fills the columns of a timeline, its detail. */
ADG_MUST_CHECK enum adg_status adg_timeline_run(const struct adg_step *step, struct adg_work *work,
                                                struct adg_error *error);

#endif
