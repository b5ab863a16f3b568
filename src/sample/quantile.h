/*
 * Drawing from percentiles: one of the intervals between neighbours, uniformly, then uniformly within it.
 *
 * Plain IEEE double arithmetic without fused operations and without libm: the same on every machine.
 */
#ifndef ADG_SAMPLE_QUANTILE_H
#define ADG_SAMPLE_QUANTILE_H

#include <stdint.h>

/* `percentiles` ascending, `count` >= 1. A single one is always drawn. */
static inline double adg_quantile_draw(const double *percentiles, uint32_t count, uint32_t interval_word,
                                       uint32_t position_word)
{
    if (count == 1) {
        return percentiles[0];
    }
    uint32_t interval = (uint32_t)((uint64_t)interval_word * (count - 1) >> 32);
    double u = position_word * (1.0 / 4294967296.0), a = percentiles[interval], b = percentiles[interval + 1];
    return a + u * (b - a);
}

/* Half up: floor(x + 1/2). |x| below 2^62. */
static inline int64_t adg_round_half_up(double x)
{
    double shifted = x + 0.5;
    int64_t whole = (int64_t)shifted;
    return (double)whole > shifted ? whole - 1 : whole;
}

#endif
