/*
 * Parquet's delta encodings (Encodings.md, DELTA_BINARY_PACKED = 5): numbers as differences from one to the next, bit-packed in
 * blocks of 128 with the smallest difference of the block taken off. Values of a known range take the bits of that range and
 * one more for the sign, and equal values none.
 *
 * Texts are such lengths with bytes behind them (DELTA_BYTE_ARRAY = 7): how many bytes each has from the one before, and how many are left.
 *
 * Writers append to bytes that the caller has reserved: adg_delta_bound() says how many.
 */
#ifndef ADG_PARQUET_DELTA_H
#define ADG_PARQUET_DELTA_H

#include <stddef.h>
#include <stdint.h>

/* Most bytes that `count` values take, with room for the writer's wide stores. */
static inline size_t adg_delta_bound(uint32_t count)
{
    return 64 + ((size_t)count / 128 + 1) * (128 * sizeof(int64_t) + 16);
}

/* Return the bytes written. Lengths are below 2^31. */
size_t adg_delta_put_lengths(uint8_t *out, const uint32_t *lengths, uint32_t count);
size_t adg_delta_put_i64(uint8_t *out, const int64_t *values, uint32_t count);
/* `count` times the same value. */
size_t adg_delta_put_repeated(uint8_t *out, int64_t value, uint32_t count);

#endif
