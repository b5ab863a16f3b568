/*
 * Filling the columns of a timeline: see timeline.h. Rows are gone through in tiles, so that their days stay in the cache.
 */
#include "generate/timeline.h"

#include <string.h>

#include "core/cpu.h"

enum { TILE_ROWS = 512 };

/* What runs over the rows of a tile, once for each instruction set. */
#define OVER_ROWS static inline __attribute__((always_inline))

/* ---- a tile of rows ------------------------------------------------------------------------------------------------ */

struct tile {
    uint32_t first, rows;
    int32_t days[ADG_TIMELINE_POINTS][TILE_ROWS];
    uint32_t states[ADG_TIMELINE_POINTS][TILE_ROWS]; /* 0: valid */
    int32_t lengths[ADG_TIMELINE_SPANS][TILE_ROWS];
    uint32_t words[TILE_ROWS];
    uint32_t length_words[TILE_ROWS];
    int64_t shared; /* the span whose they are; -1: none */
};

/* The first of the anchor's days that is not before a birth. */
static uint32_t first_day_from(const struct adg_timeline_plan *timeline, int32_t birth)
{
    uint32_t low = 0, high = timeline->day_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (timeline->days[middle] < birth) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* The anchor of somebody who was born after its first day: among the days from birth on. */
static int32_t draw_after(const struct adg_timeline_plan *timeline, int32_t birth, uint32_t word)
{
    uint32_t low = first_day_from(timeline, birth), high = timeline->day_count;
    if (low == high) {
        return timeline->days[high - 1]; /* has no dates */
    }
    uint64_t before = timeline->sums[low], u = before + ((uint64_t)word * (timeline->sums[high] - before) >> 32);
    while (high - low > 1) { /* sums[low] <= u < sums[high] */
        uint32_t middle = low + (high - low) / 2;
        if (timeline->sums[middle] <= u) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return timeline->days[low];
}

OVER_ROWS void draw_anchor(const struct adg_timeline_plan *timeline, const struct adg_work *work, struct tile *tile)
{
    int32_t *days = tile->days[0];
    uint32_t codes[TILE_ROWS];
    if (timeline->day_count == 0) { /* nothing is valid, and days are not looked at */
        memset(days, 0, tile->rows * sizeof *days);
        return;
    }
    adg_stream_words(&timeline->anchor, work->first_row + tile->first, tile->rows, tile->words);
    adg_alias_draw(&timeline->alias, tile->words, tile->rows, codes);
    for (uint32_t i = 0; i < tile->rows; i++) {
        days[i] = timeline->days[codes[i]];
    }
    for (uint32_t i = 0; timeline->born_within && i < tile->rows; i++) {
        int32_t birth = work->birth_days[tile->first + i];
        if (birth > timeline->days[0]) {
            days[i] = draw_after(timeline, birth, tile->words[i]);
        }
    }
}

OVER_ROWS void draw_lengths(const struct adg_timeline_plan *timeline, uint32_t s, const struct adg_work *work,
                            struct tile *tile)
{
    const struct adg_timeline_span *span = &timeline->spans[s];
    int32_t *lengths = tile->lengths[s];
    if (span->percentile_count == 0) {
        memset(lengths, 0, tile->rows * sizeof *lengths);
    } else if (tile->shared != (int64_t)span->root) {
        adg_stream_words(&span->length, work->first_row + tile->first, tile->rows, tile->length_words);
        tile->shared = span->root;
    }
    for (uint32_t i = 0; i < tile->rows && span->percentile_count > 0; i++) {
        /* the upper half of word * intervals is the interval, the lower one the place in it */
        uint64_t product = (uint64_t)tile->length_words[i] * (span->percentile_count - 1);
        double place = (double)(uint32_t)product * (1.0 / 4294967296.0);
        const double *at = span->percentiles + (product >> 32);
        double value = span->percentile_count == 1 ? at[0] : at[0] + place * (at[1] - at[0]);
        int32_t length = (int32_t)(value + 0.5); /* not negative */
        lengths[i] = length;
    }
    if (span->rule->at_least >= 0) {
        const int32_t *least = tile->lengths[span->rule->at_least];
        for (uint32_t i = 0; i < tile->rows; i++) {
            lengths[i] = lengths[i] > least[i] ? lengths[i] : least[i];
        }
    }
}

OVER_ROWS void place_span(const struct adg_timeline_plan *timeline, uint32_t s, const struct adg_work *work,
                          struct tile *tile)
{
    const struct adg_timeline_span *span = &timeline->spans[s];
    int32_t *from = tile->days[span->from], *to = tile->days[span->to];
    const int32_t *lengths = tile->lengths[s];
    if (span->rule->has_from) {
        for (uint32_t i = 0; i < tile->rows; i++) {
            to[i] = from[i] + lengths[i];
        }
    } else if (span->rule->has_to) {
        for (uint32_t i = 0; i < tile->rows; i++) {
            from[i] = to[i] - lengths[i];
        }
    } else {
        const struct adg_timeline_span *within = &timeline->spans[span->rule->at_least];
        const int32_t *inner_from = tile->days[within->from], *inner_to = tile->days[within->to];
        const int32_t *inner = tile->lengths[span->rule->at_least];
        adg_stream_words(&span->side, work->first_row + tile->first, tile->rows, tile->words);
        for (uint32_t i = 0; i < tile->rows; i++) {
            int32_t more = lengths[i] - inner[i], before = tile->words[i] < span->before_end ? more : 0;
            from[i] = inner_from[i] - before;
            to[i] = inner_to[i] + more - before;
        }
    }
    if (!timeline->minutes && !span->rule->has_from && work->birth_days != NULL) {
        const int32_t *births = work->birth_days + tile->first;
        for (uint32_t i = 0; i < tile->rows; i++) {
            from[i] = from[i] > births[i] ? from[i] : births[i]; /* no birth is the least of numbers */
        }
    }
}

OVER_ROWS void draw_states(const struct adg_timeline_point *point, const struct adg_work *work, struct tile *tile,
                           uint32_t *states)
{
    if (point->certain || (!point->there && !point->drawn)) {
        for (uint32_t i = 0; i < tile->rows; i++) {
            states[i] = !point->certain;
        }
        return;
    }
    adg_stream_words(&point->state, work->first_row + tile->first, tile->rows, tile->words);
    adg_alias_draw(&point->states, tile->words, tile->rows, states);
}

OVER_ROWS void show_point(const struct adg_timeline_plan *timeline, const struct adg_timeline_point *point,
                          const int32_t *days, const uint32_t *states, uint32_t rows, uint32_t *codes)
{
    for (uint32_t i = 0; i < rows; i++) {
        uint32_t at = timeline->minutes ? (uint32_t)days[i] % ADG_DAY_MINUTES : (uint32_t)(days[i] - point->least);
        codes[i] = states[i] == 0 ? point->codes[at] : point->codes_of_states[states[i]];
    }
}

OVER_ROWS void show_tile(const struct adg_timeline_plan *timeline, struct adg_work *work, const struct tile *tile)
{
    for (uint32_t p = 0; p < timeline->point_count; p++) {
        const struct adg_timeline_point *point = &timeline->points[p];
        if (point->drawn) {
            show_point(timeline, point, tile->days[p], tile->states[p], tile->rows,
                       work->columns[point->field].codes + tile->first);
        }
    }
    for (uint32_t s = 0; s < timeline->span_count; s++) {
        const struct adg_timeline_span *span = &timeline->spans[s];
        const uint32_t *from = tile->states[span->from], *to = tile->states[span->to];
        for (uint32_t k = 0; k < span->length_count; k++) {
            const struct adg_timeline_length *length = &span->lengths[k];
            uint32_t *codes = work->columns[length->field].codes + tile->first;
            for (uint32_t i = 0; length->drawn && i < tile->rows; i++) {
                int32_t days = tile->days[span->to][i] - tile->days[span->from][i];
                codes[i] = (from[i] | to[i]) == 0 ? (uint32_t)days : length->null;
            }
        }
    }
}

/* Whoever is born after all of the anchor's days has no dates. */
OVER_ROWS void take_dates(const struct adg_timeline_plan *timeline, const struct adg_work *work, struct tile *tile)
{
    int32_t last = timeline->days[timeline->day_count - 1];
    for (uint32_t i = 0; i < tile->rows; i++) {
        if (work->birth_days[tile->first + i] > last) {
            for (uint32_t p = 0; p < timeline->point_count; p++) {
                tile->days[p][i] = timeline->points[p].least; /* whatever has a code */
                tile->states[p][i] = 1;
            }
        }
    }
}

OVER_ROWS void run_tile(const struct adg_timeline_plan *timeline, struct adg_work *work, struct tile *tile)
{
    tile->shared = -1;
    draw_anchor(timeline, work, tile);
    for (uint32_t s = 0; s < timeline->span_count; s++) {
        draw_lengths(timeline, s, work, tile);
        place_span(timeline, s, work, tile);
    }
    for (uint32_t p = 0; p < timeline->point_count; p++) {
        draw_states(&timeline->points[p], work, tile, tile->states[p]);
    }
    if (timeline->born_after) {
        take_dates(timeline, work, tile);
    }
    show_tile(timeline, work, tile);
}

static void run_tile_scalar(const struct adg_timeline_plan *timeline, struct adg_work *work, struct tile *tile)
{
    run_tile(timeline, work, tile);
}

ADG_FOR_AVX2 static void run_tile_avx2(const struct adg_timeline_plan *timeline, struct adg_work *work,
                                       struct tile *tile)
{
    run_tile(timeline, work, tile);
}

enum adg_status adg_timeline_run(const struct adg_step *step, struct adg_work *work, struct adg_error *error)
{
    (void)error;
    void (*run)(const struct adg_timeline_plan *, struct adg_work *,
                struct tile *) = adg_cpu_choose() >= ADG_CPU_AVX2 ? run_tile_avx2 : run_tile_scalar;
    struct tile tile;
    for (tile.first = 0; tile.first < work->rows; tile.first += TILE_ROWS) {
        tile.rows = work->rows - tile.first < TILE_ROWS ? work->rows - tile.first : TILE_ROWS;
        run(step->detail, work, &tile);
    }
    return ADG_OK;
}
