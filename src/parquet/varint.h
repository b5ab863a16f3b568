/*
 * Numbers of variable length, as thrift's compact protocol, runs and delta blocks have them: seven bits to a byte, the lowest first,
 * the highest bit set where more follow (ULEB128); signed ones with the sign in the lowest bit.
 */
#ifndef ADG_PARQUET_VARINT_H
#define ADG_PARQUET_VARINT_H

#include <stddef.h>
#include <stdint.h>

#define ADG_VARINT_MAX_BYTES 10

/* Returns the bytes written, at most ADG_VARINT_MAX_BYTES. */
static inline size_t adg_varint_put(uint8_t *out, uint64_t value)
{
    size_t count = 0;
    while (value >= 0x80) {
        out[count++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    out[count++] = (uint8_t)value;
    return count;
}

static inline uint64_t adg_zigzag(int64_t value)
{
    return (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0);
}

#endif
