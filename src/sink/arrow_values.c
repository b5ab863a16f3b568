/*
 * The loops of the Arrow sink: see arrow_values.h. They are written so that compilers make vector code of them.
 */
#include "sink/arrow_values.h"

#include <string.h>

/* Eight bytes that are 0 or 1 become eight bits: the product moves byte i to bit 56 + i, and none of the sums carries. */
static uint8_t eight_bits(const uint8_t *flags)
{
    uint64_t word = 0;
    for (unsigned i = 0; i < 8; i++) {
        word |= (uint64_t)flags[i] << 8 * i;
    }
    return (uint8_t)(word * UINT64_C(0x0102040810204080) >> 56);
}

uint32_t adg_arrow_bits(const uint8_t *flags, uint32_t rows, uint8_t *bits)
{
    uint32_t ones = 0;
    for (uint32_t i = 0; i < rows / 8; i++) {
        bits[i] = eight_bits(flags + (size_t)8 * i);
        ones += (uint32_t)__builtin_popcount(bits[i]);
    }
    if (rows % 8 != 0) {
        uint8_t last[8] = {0};
        memcpy(last, flags + rows / 8 * 8, rows % 8);
        bits[rows / 8] = eight_bits(last);
        ones += (uint32_t)__builtin_popcount(bits[rows / 8]);
    }
    return rows - ones;
}

void adg_arrow_valid(const uint32_t *codes, uint32_t rows, uint32_t null, uint8_t *valid)
{
    for (uint32_t i = 0; i < rows; i++) {
        valid[i] = codes[i] != null;
    }
}

void adg_arrow_indices(const uint32_t *codes, uint32_t rows, uint32_t null, int32_t *indices, uint8_t *valid)
{
    for (uint32_t i = 0; i < rows; i++) {
        indices[i] = codes[i] == null ? 0 : (int32_t)codes[i];
    }
    adg_arrow_valid(codes, rows, null, valid);
}

struct sixteen {
    int64_t low, high;
};

void adg_arrow_gather(const struct adg_arrow_entries *entries, const uint32_t *codes, uint32_t rows, void *out)
{
    if (entries->width == sizeof(int32_t)) {
        const int32_t *from = entries->values;
        int32_t *to = out;
        for (uint32_t i = 0; i < rows; i++) {
            to[i] = from[codes[i]];
        }
    } else if (entries->width == sizeof(int64_t)) {
        const int64_t *from = entries->values;
        int64_t *to = out;
        for (uint32_t i = 0; i < rows; i++) {
            to[i] = from[codes[i]];
        }
    } else {
        const struct sixteen *from = entries->values;
        struct sixteen *to = out;
        for (uint32_t i = 0; i < rows; i++) {
            to[i] = from[codes[i]];
        }
    }
}

uint64_t adg_arrow_text_offsets(const struct adg_arrow_entries *entries, const uint32_t *codes, uint32_t rows,
                                int32_t *offsets)
{
    uint64_t total = 0;
    for (uint32_t i = 0; i < rows; i++) {
        offsets[i] = (int32_t)(total & INT32_MAX);
        total += (uint32_t)(entries->offsets[codes[i] + 1] - entries->offsets[codes[i]]);
    }
    offsets[rows] = (int32_t)(total & INT32_MAX);
    return total;
}

/* A short text is copied as a whole, so that no copy has a variable length; the next one covers what was too much. */
void adg_arrow_text_gather(const struct adg_arrow_entries *entries, const uint32_t *codes, uint32_t rows, char *out)
{
    const bool all_short = entries->longest <= ADG_ARROW_SHORT_TEXT;
    for (uint32_t i = 0; i < rows; i++) {
        int32_t from = entries->offsets[codes[i]];
        uint32_t size = (uint32_t)(entries->offsets[codes[i] + 1] - from);
        if (all_short || size <= ADG_ARROW_SHORT_TEXT) {
            memcpy(out, entries->bytes + from, ADG_ARROW_SHORT_TEXT);
        } else {
            memcpy(out, entries->bytes + from, size);
        }
        out += size;
    }
}

void adg_arrow_widen(const int64_t *values, uint32_t rows, int64_t *out)
{
    for (uint32_t i = 0; i < rows; i++) {
        out[2 * i] = values[i];
        out[2 * i + 1] = values[i] < 0 ? -1 : 0;
    }
}
