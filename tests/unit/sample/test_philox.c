/*
 * Philox4x32-10: known answers of its authors (Random123, tests/kat_vectors) and of C++26 ([rand.predef]); the canonical
 * order of rows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sample/philox.h"

static void test_known_answers(void **state)
{
    (void)state;
    static const struct {
        uint32_t counter[4], key[2], out[4];
    } cases[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint32_t out[4];
        adg_philox4x32(cases[i].counter, cases[i].key, out);
        assert_memory_equal(out, cases[i].out, sizeof out);
    }
    /* C++26: the 10,000th value of a default-constructed philox4x32 is 1955073260 (key 20111115, 0; block 2499, last word) */
    const uint32_t counter[4] = {2499, 0, 0, 0}, key[2] = {20111115, 0};
    uint32_t out[4];
    adg_philox4x32(counter, key, out);
    assert_int_equal(out[3], 1955073260);
}

static void test_canonical_order(void **state)
{
    (void)state;
    const struct adg_stream stream = {UINT64_C(0x0123456789abcdef), 7, 9};
    const uint32_t key[2] = {0x89abcdef, 0x01234567};
    static const uint64_t rows[] = {0, 1, 15, 16, 63, 64, 1000003, UINT64_C(1) << 40, (UINT64_C(1) << 40) + 77};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t block = 16 * (rows[i] / 64) + rows[i] % 16;
        const uint32_t counter[4] = {(uint32_t)block, (uint32_t)(block >> 32), 7, 9};
        uint32_t words[4];
        adg_philox4x32(counter, key, words);
        assert_int_equal(adg_stream_word(&stream, rows[i]), words[rows[i] % 64 / 16]);
    }
}

static void test_ranges_agree_with_single_words(void **state)
{
    (void)state;
    const struct adg_stream stream = {42, 3, 1};
    static const uint32_t counts[] = {0, 1, 63, 64, 65, 200};
    uint32_t out[201];
    for (uint64_t first = (UINT64_C(1) << 34) - 70; first < (UINT64_C(1) << 34) + 70; first += 13) {
        for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
            out[counts[i]] = 0xDEADBEEF;
            adg_stream_words(&stream, first, counts[i], out);
            assert_int_equal(out[counts[i]], 0xDEADBEEF);
            for (uint32_t r = 0; r < counts[i]; r++) {
                assert_int_equal(out[r], adg_stream_word(&stream, first + r));
            }
        }
    }
}

static void test_many_blocks(void **state)
{
    (void)state;
    enum { MOST = 53 }; /* three times 16 and a rest */
    const struct adg_stream stream = {UINT64_C(0x0123456789abcdef), 7, 9};
    const uint32_t key[2] = {0x89abcdef, 0x01234567};
    for (uint32_t count = 0; count <= MOST; count++) {
        uint32_t low[MOST] = {0}, high[MOST] = {0}, words[4 * MOST];
        for (uint32_t i = 0; i < count; i++) {
            low[i] = i * 0x9E3779B9u;
            high[i] = ~i;
        }
        adg_philox4x32_many(&stream, low, high, count, words);
        for (uint32_t i = 0; i < count; i++) {
            const uint32_t counter[4] = {low[i], high[i], 7, 9};
            uint32_t block[4];
            adg_philox4x32(counter, key, block);
            for (uint32_t w = 0; w < 4; w++) {
                assert_int_equal(words[w * count + i], block[w]);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answers),
        cmocka_unit_test(test_canonical_order),
        cmocka_unit_test(test_ranges_agree_with_single_words),
        cmocka_unit_test(test_many_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
