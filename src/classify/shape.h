/*
 * The pattern of an identifier (dataset/pattern.h) that a column's characters per place add up to.
 *
 * Places show the class of their characters: digits, hexadecimal digits, capitals, small letters, letters, both. A letter or digit is shown as it is
 * only in what all values begin with, and only where there are so many of them (1,000 and more) that it is no property of anybody.
 * Separators (hyphens, strokes, points, spaces) are shown.
 */
#ifndef ADG_CLASSIFY_SHAPE_H
#define ADG_CLASSIFY_SHAPE_H

#include "classify/profile.h"
#include "core/arena.h"

#define ADG_SHAPE_BYTES 512

struct adg_shape {
    char pattern[ADG_SHAPE_BYTES];
    enum adg_type type; /* STRING, INT32 or INT64 */
    double strings;     /* about so many; 1e300 where there are more */
    bool widened;       /* the shape as it was found has too few strings */
};

/* A pattern with `needed` strings or more. `distinct`: different values of the column. */
void adg_shape_of(const struct adg_column_profile *column, uint64_t distinct, double needed, struct adg_shape *out);
/* What stands for personal data of a kind. */
void adg_shape_of_personal(const struct adg_column_profile *column, enum adg_personal kind, uint64_t distinct,
                           double needed, struct adg_shape *out);

#endif
