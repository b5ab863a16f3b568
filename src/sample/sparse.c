/*
 * Distances instead of rows: see sparse.h.
 */
#include "sample/sparse.h"

enum { GROUP = 64 };

void adg_sparse_parts(uint64_t filled, uint64_t parts[ADG_SPARSE_MOST + 1])
{
    double empty = (double)(ADG_PARTS - filled) / (double)ADG_PARTS, none = 1; /* none: of the first so many rows */
    uint64_t before = 0;
    for (uint32_t gap = 0; gap < ADG_SPARSE_MOST; gap++) {
        none *= empty;
        uint64_t sum = (uint64_t)((1 - none) * (double)ADG_PARTS + 0.5);
        parts[gap] = sum - before;
        before = sum;
    }
    parts[ADG_SPARSE_MOST] = ADG_PARTS - before;
}

uint32_t adg_sparse_chunk(uint64_t filled)
{
    uint64_t values = filled * ADG_SPARSE_ROWS / ADG_PARTS, draws = values + ADG_SPARSE_ROWS / ADG_SPARSE_MOST;
    draws += draws / 16; /* the spread: what is drawn beyond the block is in vain */
    return (uint32_t)(draws < ADG_SPARSE_ROWS - GROUP ? (draws / GROUP + 1) * GROUP : ADG_SPARSE_ROWS);
}

uint32_t adg_sparse_draw(const struct adg_sparse *sparse, uint64_t first_row, uint32_t count, uint32_t most,
                         uint32_t *words, uint16_t *rows, uint32_t *codes)
{
    uint32_t found = 0, at = 0, drawn = 0;
    while (at < count && found < most) { /* each draw passes a row at least: a block has words enough */
        uint32_t chunk = ADG_SPARSE_ROWS - drawn < sparse->chunk ? ADG_SPARSE_ROWS - drawn : sparse->chunk;
        adg_stream_words(&sparse->gap_stream, first_row + drawn, chunk, words);
        adg_alias_draw(&sparse->gaps, words, chunk, words);
        for (uint32_t i = 0; i < chunk && at < count && found < most; i++) {
            uint32_t is_value = words[i] < ADG_SPARSE_MOST;
            at += words[i];
            rows[found] = (uint16_t)at; /* overwritten by the next one where there is none */
            found += is_value & (at < count);
            at += is_value;
        }
        drawn += chunk;
    }
    adg_stream_words(&sparse->value_stream, first_row, found, codes);
    adg_alias_draw(&sparse->values, codes, found, codes);
    return found;
}
