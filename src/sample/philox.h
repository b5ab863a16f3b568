/*
 * Random numbers that are addressed, not consumed: Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as
 * easy as 1, 2, 3", SC'11).
 *
 * key = seed; counter = {row block low, row block high, column, purpose}. Every row of every column has its own 32-bit word,
 * so threads, shards and instruction sets cannot change what is drawn. Canonical order, part of the output's format: row r uses
 * counter 16 * (r / 64) + r % 16 and word (r % 64) / 16, so that 16 counters at a time need no transposition.
 *
 * Philox provides reproducibility, never disclosure protection.
 */
#ifndef ADG_SAMPLE_PHILOX_H
#define ADG_SAMPLE_PHILOX_H

#include <stdint.h>

/* One block of four words. */
void adg_philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

/* Where a stream of random numbers lies. */
struct adg_stream {
    uint64_t seed;
    uint32_t column, purpose;
};

/* Blocks of many counters {low[i], high[i], column, purpose}: word w of block i is words[w * count + i]. */
void adg_philox4x32_many(const struct adg_stream *stream, const uint32_t *low, const uint32_t *high, uint32_t count,
                         uint32_t *words);

/* The words of rows first_row .. first_row + count - 1. Fast when first_row is a multiple of 64. */
void adg_stream_words(const struct adg_stream *stream, uint64_t first_row, uint32_t count, uint32_t *out);
uint32_t adg_stream_word(const struct adg_stream *stream, uint64_t row);
/* The counter of a row, and the place of its word. */
static inline uint64_t adg_stream_block(uint64_t row)
{
    return 16 * (row / 64) + row % 16;
}
static inline uint32_t adg_stream_place(uint64_t row)
{
    return (uint32_t)(row % 64 / 16);
}

#endif
