/*
 * RLE and bit-packing: see hybrid.h. Packing is a loop per width whose shifts are constants.
 */
#include "parquet/hybrid.h"

#include <string.h>

#include "core/vectors.h"
#include "parquet/varint.h"

size_t adg_hybrid_put_repeated(uint8_t *out, uint32_t value, uint32_t count, unsigned width)
{
    size_t size = adg_varint_put(out, (uint64_t)count << 1);
    for (unsigned byte = 0; byte < (width + 7) / 8; byte++) {
        out[size++] = (uint8_t)(value >> 8 * byte);
    }
    return size;
}

size_t adg_hybrid_put_few(uint8_t *out, const uint16_t *rows, uint32_t ones, uint32_t count)
{
    size_t size = 0;
    for (uint32_t i = 0, at = 0, end = 0; at < count; at = end) {
        if (i == ones || rows[i] > at) {
            end = i == ones ? count : rows[i];
            size += adg_hybrid_put_repeated(out + size, 0, end - at, 1);
            continue;
        }
        for (end = at; i < ones && rows[i] == end; i++) {
            end++;
        }
        size += adg_hybrid_put_repeated(out + size, 1, end - at, 1);
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

#if defined(__x86_64__)

/* Up to 16 bits: eight values are narrowed to bytes or 16-bit words, of which one instruction takes the lowest bits and puts them
 * side by side. It is slow on processors of AMD before Zen 3, none of which has AVX-512. */
ADG_FOR_AVX512 static void pack_avx512(uint8_t *out, const uint32_t *values, uint32_t groups, unsigned width)
{
    uint64_t byte_mask = width <= 8 ? UINT64_C(0x0101010101010101) * ((UINT64_C(1) << width) - 1) : 0;
    uint64_t word_mask = UINT64_C(0x0001000100010001) * ((UINT64_C(1) << width) - 1);
    unsigned bits = 4 * width;
    for (uint32_t g = 0; g < groups; g++, values += 8, out += width) {
        __m256i group = _mm256_loadu_si256((const __m256i *)(const void *)values);
        if (width <= 8) {
            uint64_t bytes = (uint64_t)_mm_cvtsi128_si64(_mm256_cvtepi32_epi8(group));
            uint64_t word = _pext_u64(bytes, byte_mask);
            memcpy(out, &word, sizeof word);
            continue;
        }
        __m128i words = _mm256_cvtepi32_epi16(group);
        uint64_t low = _pext_u64((uint64_t)_mm_cvtsi128_si64(words), word_mask);
        uint64_t high = _pext_u64((uint64_t)_mm_extract_epi64(words, 1), word_mask);
        uint64_t first = bits < 64 ? low | high << bits : low, rest = bits < 64 ? high >> (64 - bits) : high;
        memcpy(out, &first, sizeof first);
        memcpy(out + sizeof first, &rest, sizeof rest);
    }
}

/* False: it was not chosen, or does not pack this width. */
static bool pack_fast(uint8_t *out, const uint32_t *values, uint32_t groups, unsigned width)
{
    if (adg_cpu_choose() < ADG_CPU_AVX512 || width > 16) {
        return false;
    }
    pack_avx512(out, values, groups, width);
    return true;
}

#else

static bool pack_fast(uint8_t *out, const uint32_t *values, uint32_t groups, unsigned width)
{
    (void)out, (void)values, (void)groups, (void)width;
    return false;
}
#endif

void adg_hybrid_pack(uint8_t *to, const uint32_t *values, uint32_t groups, unsigned width)
{
    if (pack_fast(to, values, groups, width)) {
        return;
    }
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
    size_t size = adg_varint_put(out, (uint64_t)(whole + (rest > 0)) << 1 | 1);
    adg_hybrid_pack(out + size, values, whole, width);
    size += (size_t)whole * width;
    if (rest > 0) {
        memcpy(last, values + (size_t)whole * 8, rest * sizeof *last);
        adg_hybrid_pack(out + size, last, 1, width);
        size += width;
    }
    return size;
}

size_t adg_hybrid_put_bits(uint8_t *out, const uint8_t *bits, uint32_t count)
{
    uint32_t groups = (count + 7) / 8;
    size_t header = adg_varint_put(out, (uint64_t)groups << 1 | 1);
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
