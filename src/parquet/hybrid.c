/*
 * RLE and bit-packing: see hybrid.h. Packing is a loop per width whose shifts are constants.
 */
#include "parquet/hybrid.h"

#include <string.h>

static size_t put_varint(uint8_t *out, uint64_t value)
{
    size_t count = 0;
    while (value >= 0x80) {
        out[count++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    out[count++] = (uint8_t)value;
    return count;
}

size_t adg_hybrid_put_repeated(uint8_t *out, uint32_t value, uint32_t count, unsigned width)
{
    size_t size = put_varint(out, (uint64_t)count << 1);
    for (unsigned byte = 0; byte < (width + 7) / 8; byte++) {
        out[size++] = (uint8_t)(value >> 8 * byte);
    }
    return size;
}

/* Eight values at a time into `width` bytes. Widths up to 8 fit one word; larger ones flow through an accumulator. */
static inline __attribute__((always_inline)) void pack_groups(uint8_t *out, const uint32_t *values, uint32_t groups,
                                                              unsigned width)
{
    for (uint32_t g = 0; g < groups; g++, values += 8, out += width) {
        if (width <= 8) {
            uint64_t word = 0;
            for (unsigned i = 0; i < 8; i++) {
                word |= (uint64_t)values[i] << i * width;
            }
            memcpy(out, &word,
                   sizeof word); /* little-endian; the bytes behind `width` are overwritten by the next group */
        } else {
            uint64_t word = 0;
            unsigned bits = 0;
            uint8_t *to = out;
            for (unsigned i = 0; i < 8; i++) {
                word |= (uint64_t)values[i] << bits;
                bits += width;
                if (bits >= 32) {
                    uint32_t low = (uint32_t)word;
                    memcpy(to, &low, sizeof low);
                    to += sizeof low;
                    word >>= 32;
                    bits -= 32;
                }
            }
            uint32_t low = (uint32_t)word;
            memcpy(to, &low, sizeof low);
        }
    }
}

static void pack(uint8_t *to, const uint32_t *values, uint32_t groups, unsigned width)
{
    switch (width) {
#define WIDTH(w)                                                                                                       \
    case w:                                                                                                            \
        pack_groups(to, values, groups, w);                                                                            \
        break;
        /* clang-format off */
        WIDTH(1) WIDTH(2) WIDTH(3) WIDTH(4) WIDTH(5) WIDTH(6) WIDTH(7) WIDTH(8)
        WIDTH(9) WIDTH(10) WIDTH(11) WIDTH(12) WIDTH(13) WIDTH(14) WIDTH(15) WIDTH(16)
        /* clang-format on */
#undef WIDTH
                default : pack_groups(to, values, groups, width);
    }
}

size_t adg_hybrid_put_packed(uint8_t *out, const uint32_t *values, uint32_t count, unsigned width)
{
    uint32_t whole = count / 8, rest = count % 8, last[8] = {0};
    size_t size = put_varint(out, (uint64_t)(whole + (rest > 0)) << 1 | 1);
    pack(out + size, values, whole, width);
    size += (size_t)whole * width;
    if (rest > 0) {
        memcpy(last, values + (size_t)whole * 8, rest * sizeof *last);
        pack(out + size, last, 1, width);
        size += width;
    }
    return size;
}

size_t adg_hybrid_put_bits(uint8_t *out, const uint8_t *bits, uint32_t count)
{
    uint32_t groups = (count + 7) / 8;
    size_t header = put_varint(out, (uint64_t)groups << 1 | 1);
    memcpy(out + header, bits, groups);
    return header + groups;
}

bool adg_hybrid_decode(const uint8_t *data, size_t size, unsigned width, uint32_t count, uint32_t *out)
{
    size_t at = 0;
    uint32_t done = 0;
    unsigned bytes = (width + 7) / 8;
    uint64_t mask = width == 32 ? UINT32_MAX : (UINT64_C(1) << width) - 1;
    while (done < count) {
        uint64_t header = 0;
        for (unsigned shift = 0;; shift += 7) {
            if (at == size || shift > 28) {
                return false;
            }
            header |= (uint64_t)(data[at] & 0x7F) << shift;
            if ((data[at++] & 0x80) == 0) {
                break;
            }
        }
        uint64_t run = header >> 1;
        if ((header & 1) == 0) {
            uint32_t value = 0;
            if (run == 0 || run > count - done || bytes > size - at) {
                return false;
            }
            for (unsigned b = 0; b < bytes; b++) {
                value |= (uint32_t)data[at++] << 8 * b;
            }
            if (value > mask) {
                return false;
            }
            while (run-- > 0) {
                out[done++] = value;
            }
        } else {
            if (run == 0 || run > (count - done + UINT64_C(7)) / 8 || run * width > size - at) {
                return false;
            }
            for (uint64_t i = 0; i < run * 8 && done < count; i++) {
                uint64_t bit = i * width, word = 0;
                for (unsigned b = 0; b < (bit % 8 + width + 7) / 8; b++) {
                    word |= (uint64_t)data[at + bit / 8 + b] << 8 * b;
                }
                out[done++] = (uint32_t)(word >> bit % 8 & mask);
            }
            at += run * width;
        }
    }
    return at == size;
}
