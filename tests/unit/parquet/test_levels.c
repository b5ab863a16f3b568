/*
 * Codes to levels and packed codes, against plain loops, for every rest of a vector.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "parquet/hybrid.h"
#include "parquet/levels.h"

enum { MOST = 2100, NULL_CODE = 100 };

/* One code in four is null: 100 itself, or far above. */
static void fill(uint32_t *codes, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t x = i * 2654435761u >> 16;
        codes[i] = x % 4 == 0 ? (x % 8 == 0 ? NULL_CODE : INT32_MAX) : x % NULL_CODE;
    }
}

static void test_compact(void **state)
{
    (void)state;
    for (uint32_t rows = 0; rows <= MOST; rows += rows < 40 ? 1 : 515) {
        uint32_t codes[MOST] = {0}, packed[MOST + 8], kept = 0;
        uint8_t present[MOST / 8 + 1];
        fill(codes, rows);
        uint32_t told = adg_levels_compact(codes, rows, NULL_CODE, packed, present);
        for (uint32_t r = 0; r < rows; r++) {
            assert_int_equal(present[r / 8] >> r % 8 & 1, codes[r] < NULL_CODE);
            if (codes[r] < NULL_CODE) {
                assert_int_equal(packed[kept++], codes[r]);
            }
        }
        assert_int_equal(told, kept);
    }
}

static void test_bounds(void **state)
{
    (void)state;
    for (uint32_t count = 0; count <= MOST; count += count < 20 ? 1 : 520) {
        uint32_t codes[MOST] = {0}, min = 7, max = 7, least = UINT32_MAX, most = 0;
        for (uint32_t i = 0; i < count; i++) {
            codes[i] = 5 + i % 1500;
            least = codes[i] < least ? codes[i] : least;
            most = codes[i] > most ? codes[i] : most;
        }
        adg_levels_bounds(codes, count, 2000, &min, &max);
        assert_int_equal(min, least);
        assert_int_equal(max, most);
    }
    /* both ends at the very start: what is behind them is not looked at */
    uint32_t codes[MOST] = {0, 9};
    uint32_t min = 7, max = 7;
    adg_levels_bounds(codes, MOST, 9, &min, &max);
    assert_int_equal(min, 0);
    assert_int_equal(max, 9);
}

/* What is packed is what is unpacked, for every width and every rest of a group of eight. */
static void test_packing(void **state)
{
    (void)state;
    for (unsigned width = 1; width <= 32; width++) {
        for (uint32_t count = 1; count <= 70; count += count < 20 ? 1 : 7) {
            uint32_t codes[80], back[80];
            uint8_t bytes[80 * 4 + 16];
            for (uint32_t i = 0; i < count; i++) {
                codes[i] = (uint32_t)((i * UINT64_C(0x9E3779B97F4A7C15)) >> (64 - width));
            }
            size_t size = adg_hybrid_put_packed(bytes, codes, count, width);
            assert_int_equal(size, 1 + (count + 7) / 8 * width);
            assert_true(adg_hybrid_decode(bytes, size, width, count, back));
            assert_memory_equal(back, codes, count * sizeof *codes);
        }
    }
}

/* Runs of ones at the ends, side by side and alone, as many as there may be: within the bound, and what was put in comes out. */
static void test_few_ones(void **state)
{
    (void)state;
    enum { ROWS = 16384 };
    static uint8_t bytes[ROWS];
    static uint16_t rows[ROWS / ADG_HYBRID_FEW];
    static uint32_t levels[ROWS], back[ROWS];
    for (uint32_t count = ADG_HYBRID_FEW; count <= ROWS; count += 1021) {
        for (uint32_t step = 1; step <= ADG_HYBRID_FEW; step++) {
            for (int from_end = 0; from_end < 2; from_end++) {
                uint32_t ones = count / ADG_HYBRID_FEW;
                memset(levels, 0, count * sizeof *levels);
                for (uint32_t i = 0; i < ones; i++) {
                    rows[i] = (uint16_t)(from_end ? count - 1 - (ones - 1 - i) * step : i * step);
                    levels[rows[i]] = 1;
                }
                size_t size = adg_hybrid_put_few(bytes, rows, ones, count);
                assert_true(size <= adg_hybrid_bound(count, 1));
                assert_true(adg_hybrid_decode(bytes, size, 1, count, back));
                assert_memory_equal(back, levels, count * sizeof *levels);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_compact),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_packing),
        cmocka_unit_test(test_few_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
