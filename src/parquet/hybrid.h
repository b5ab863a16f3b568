/*
 * Parquet's hybrid of run-length encoding and bit-packing (Encodings.md, "RLE = 3"): levels and dictionary codes.
 *
 * Writers append to bytes that the caller has reserved: adg_hybrid_bound() says how many.
 */
#ifndef ADG_PARQUET_HYBRID_H
#define ADG_PARQUET_HYBRID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Most bytes that one run of `count` values of `width` bits needs, with room for the writer's wide stores. */
static inline size_t adg_hybrid_bound(uint32_t count, unsigned width)
{
    return 5 + ((size_t)count + 7) / 8 * width + 16;
}

/* Bits that hold 0 .. max. */
static inline unsigned adg_hybrid_width(uint32_t max)
{
    return max == 0 ? 0 : 32 - (unsigned)__builtin_clz(max);
}

/* One run of `count` times `value`. Returns the bytes written. */
size_t adg_hybrid_put_repeated(uint8_t *out, uint32_t value, uint32_t count, unsigned width);
/* One bit-packed run; the last group is filled up with zeros. */
size_t adg_hybrid_put_packed(uint8_t *out, const uint32_t *values, uint32_t count, unsigned width);
/* The packed values alone, eight to `width` bytes; up to 16 bytes behind them are overwritten. */
void adg_hybrid_pack(uint8_t *out, const uint32_t *values, uint32_t groups, unsigned width);
/* One bit-packed run of width 1 from bits that are packed already (8 per byte, the lowest first). */
size_t adg_hybrid_put_bits(uint8_t *out, const uint8_t *bits, uint32_t count);

/* Runs of width 1 that are 1 in `ones` of `count` rows, which are in order, and 0 elsewhere; ones > 0. They fit adg_hybrid_bound(count, 1)
 * where not more than one row in ADG_HYBRID_FEW is 1. */
enum { ADG_HYBRID_FEW = 64 };
size_t adg_hybrid_put_few(uint8_t *out, const uint16_t *rows, uint32_t ones, uint32_t count);

/* Decodes exactly `count` values of `width` (0 to 32) bits; false when the bytes do not hold them or values are left over. */
bool adg_hybrid_decode(const uint8_t *data, size_t size, unsigned width, uint32_t count, uint32_t *out);

#endif
