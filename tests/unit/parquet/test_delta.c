/*
 * Delta encoding, read back by a plain decoder that follows Encodings.md: counts around the edges of blocks and miniblocks, every
 * width, and differences that wrap.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "parquet/delta.h"

enum { MOST = 1000 };

static uint64_t take_varint(const uint8_t **next)
{
    uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
        value |= (uint64_t)(**next & 0x7F) << shift;
        if ((*(*next)++ & 0x80) == 0) {
            return value;
        }
    }
}

static uint64_t take_zigzag(const uint8_t **next)
{
    uint64_t value = take_varint(next);
    return value >> 1 ^ (0 - (value & 1));
}

/* Returns the bytes that were read. */
static size_t decode(const uint8_t *data, uint32_t count, uint64_t *out)
{
    const uint8_t *next = data;
    uint64_t block = take_varint(&next), miniblocks = take_varint(&next);
    assert_int_equal(block % 128, 0);
    assert_int_equal(block / miniblocks % 32, 0);
    assert_int_equal(take_varint(&next), count);
    uint64_t value = take_zigzag(&next);
    if (count > 0) {
        out[0] = value;
    }
    for (uint32_t done = 1; done < count;) {
        uint64_t least = take_zigzag(&next);
        const uint8_t *widths = next;
        next += miniblocks;
        for (uint64_t m = 0; m < miniblocks && done < count; m++) {
            for (uint64_t i = 0; i < block / miniblocks; i++) {
                uint64_t above = 0;
                for (uint64_t b = 0; b < widths[m]; b++) {
                    uint64_t bit = i * widths[m] + b;
                    above |= (uint64_t)(next[bit / 8] >> bit % 8 & 1) << b;
                }
                if (done < count) {
                    value += least + above;
                    out[done++] = value;
                }
            }
            next += widths[m] * (block / miniblocks) / 8;
        }
    }
    return (size_t)(next - data);
}

static uint64_t scramble(uint64_t i)
{
    i *= UINT64_C(0x9E3779B97F4A7C15);
    return i ^ i >> 29;
}

static void check_i64(const int64_t *values, uint32_t count)
{
    uint8_t *out = malloc(adg_delta_bound(count));
    uint64_t read[MOST];
    size_t size = adg_delta_put_i64(out, values, count);
    assert_in_range(size, 1, adg_delta_bound(count));
    assert_int_equal(decode(out, count, read), size);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(read[i], (uint64_t)values[i]);
    }
    free(out);
}

static void test_counts(void **state)
{
    (void)state;
    int64_t values[MOST];
    for (uint32_t i = 0; i < MOST; i++) {
        values[i] = (int64_t)(scramble(i) % UINT64_C(1000000000000));
    }
    for (uint32_t count = 0; count < 300; count++) {
        check_i64(values, count);
    }
    check_i64(values, MOST);
}

static void test_widths(void **state)
{
    (void)state;
    for (unsigned width = 0; width <= 64; width++) {
        int64_t values[MOST];
        for (uint32_t i = 0; i < MOST; i++) {
            values[i] = width == 0 ? 5 : (int64_t)(scramble(i) >> (64 - width));
        }
        check_i64(values, 400);
    }
}

static void test_lengths(void **state)
{
    (void)state;
    static const uint32_t masks[] = {0, 1, 0x3F, 0xFFF, 0x3FFFF, INT32_MAX};
    for (size_t m = 0; m < sizeof masks / sizeof masks[0]; m++) {
        for (uint32_t count = 0; count < 300; count++) {
            uint32_t lengths[300];
            uint64_t read[300];
            uint8_t *out = malloc(adg_delta_bound(count));
            for (uint32_t i = 0; i < count; i++) {
                lengths[i] = (uint32_t)scramble(i) & masks[m];
            }
            size_t size = adg_delta_put_lengths(out, lengths, count);
            assert_int_equal(decode(out, count, read), size);
            for (uint32_t i = 0; i < count; i++) {
                assert_int_equal((uint32_t)read[i], lengths[i]);
            }
            free(out);
        }
    }
}

/* Equal values take no bits. */
static void test_repeated(void **state)
{
    (void)state;
    for (uint32_t count = 0; count <= MOST; count += count < 260 ? 1 : 370) {
        uint32_t lengths[MOST];
        uint64_t read[MOST];
        uint8_t out[20000], same[20000];
        for (uint32_t i = 0; i < count; i++) {
            lengths[i] = 32;
        }
        size_t size = adg_delta_put_repeated(out, 32, count);
        assert_in_range(size, 1, 60);
        assert_int_equal(decode(out, count, read), size);
        assert_true(count == 0 || read[count - 1] == 32);
        if (count > 0) {
            assert_int_equal(adg_delta_put_lengths(same, lengths, count), size);
            assert_memory_equal(out, same, size);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_counts), cmocka_unit_test(test_widths),
                                       cmocka_unit_test(test_lengths), cmocka_unit_test(test_repeated)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
