/*
 * Columns of which few rows have a value: shares of the distances, and draws held against the specification, draw by draw.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/memory.h"
#include "sample/sparse.h"

static const struct adg_stream gap_stream = {11, 3, 5}, value_stream = {11, 3, 6};

static void test_parts(void **state)
{
    (void)state;
    uint64_t parts[ADG_SPARSE_MOST + 1];
    adg_sparse_parts(ADG_PARTS / 2,
                     parts); /* a half, a quarter, ...; the sum of the first 33 is less than half a part below all */
    for (uint32_t gap = 0; gap < 32; gap++) {
        assert_int_equal(parts[gap], UINT64_C(1) << (31 - gap));
    }
    assert_int_equal(parts[32], 1);
    assert_int_equal(parts[33], 0);
    assert_int_equal(parts[ADG_SPARSE_MOST], 0);
    adg_sparse_parts(1, parts); /* one row in 2^32 */
    for (uint32_t gap = 0; gap < ADG_SPARSE_MOST; gap++) {
        assert_int_equal(parts[gap], 1);
    }
    assert_int_equal(parts[ADG_SPARSE_MOST], ADG_PARTS - ADG_SPARSE_MOST);
    adg_sparse_parts(ADG_PARTS, parts); /* every row */
    assert_int_equal(parts[0], ADG_PARTS);
    for (uint64_t filled = 3; filled < ADG_PARTS; filled *= 7) {
        uint64_t sum = 0;
        adg_sparse_parts(filled, parts);
        for (uint32_t gap = 0; gap <= ADG_SPARSE_MOST; gap++) {
            sum += parts[gap];
        }
        assert_int_equal(sum, ADG_PARTS);
    }
}

static struct adg_sparse made_of(uint64_t filled, const uint64_t *value_parts, uint32_t values)
{
    uint64_t parts[ADG_SPARSE_MOST + 1];
    struct adg_sparse sparse = {
        .gap_stream = gap_stream, .value_stream = value_stream, .chunk = adg_sparse_chunk(filled)};
    adg_sparse_parts(filled, parts);
    assert_int_equal(adg_alias_build(&sparse.gaps, parts, ADG_SPARSE_MOST + 1, NULL), ADG_OK);
    assert_int_equal(adg_alias_build(&sparse.values, value_parts, values, NULL), ADG_OK);
    return sparse;
}

static void drop(struct adg_sparse *sparse)
{
    adg_alias_fini(&sparse->gaps);
    adg_alias_fini(&sparse->values);
}

static const uint64_t three_values[] = {UINT64_C(1) << 31, UINT64_C(1) << 30, UINT64_C(1) << 30},
                      one_value[] = {ADG_PARTS};

/* A word at a time, as the header says. */
static void assert_as_specified(const struct adg_sparse *sparse, uint64_t first_row, uint32_t count)
{
    static uint32_t words[ADG_SPARSE_ROWS], codes[ADG_SPARSE_ROWS];
    static uint16_t rows[ADG_SPARSE_ROWS];
    uint32_t found = adg_sparse_draw(sparse, first_row, count, ADG_SPARSE_ROWS, words, rows, codes), values = 0;
    for (uint32_t draw = 0, at = 0; at < count; draw++) {
        uint32_t gap = adg_alias_draw_one(&sparse->gaps, adg_stream_word(&gap_stream, first_row + draw));
        at += gap;
        if (gap == ADG_SPARSE_MOST || at >= count) {
            continue;
        }
        uint32_t code = adg_alias_draw_one(&sparse->values, adg_stream_word(&value_stream, first_row + values));
        assert_true(values < found);
        assert_int_equal(rows[values], at);
        assert_int_equal(codes[values], code);
        values++;
        at++;
    }
    assert_int_equal(found, values);
}

static void test_draws(void **state)
{
    (void)state;
    static const uint64_t shares[] = {1, ADG_PARTS / 100000, ADG_PARTS / 300, ADG_PARTS / 8, ADG_PARTS / 2, ADG_PARTS};
    for (uint32_t s = 0; s < sizeof shares / sizeof *shares; s++) {
        struct adg_sparse sparse = made_of(shares[s], three_values, 3);
        for (uint64_t block = 0; block < 3; block++) {
            assert_as_specified(&sparse, block * 1000 * ADG_SPARSE_ROWS, ADG_SPARSE_ROWS);
        }
        for (uint32_t count = 0; count < 300; count += 37) { /* a table's last block */
            assert_as_specified(&sparse, 0, count);
        }
        drop(&sparse);
    }
}

/* Every row has a value with the same chance: places within a block, spaces between values and the values themselves. */
static void test_distribution(void **state)
{
    (void)state;
    enum { BLOCKS = 400, SIXTEENTHS = 16 };
    static uint32_t words[ADG_SPARSE_ROWS], codes[ADG_SPARSE_ROWS];
    static uint16_t rows[ADG_SPARSE_ROWS];
    const double rate = 1.0 / 128, total = (double)BLOCKS * ADG_SPARSE_ROWS;
    struct adg_sparse sparse = made_of(ADG_PARTS / 128, three_values, 3);
    double places[SIXTEENTHS] = {0}, values[3] = {0}, all = 0, neighbours = 0, apart = 0;
    for (uint64_t block = 0; block < BLOCKS; block++) {
        uint32_t found = adg_sparse_draw(&sparse, block * ADG_SPARSE_ROWS, ADG_SPARSE_ROWS, ADG_SPARSE_ROWS, words,
                                         rows, codes);
        for (uint32_t i = 0; i < found; i++) {
            places[rows[i] / (ADG_SPARSE_ROWS / SIXTEENTHS)]++;
            values[codes[i]]++;
            neighbours += i > 0 && rows[i] == rows[i - 1] + 1;
            apart += i > 0 && rows[i] - rows[i - 1] > 400; /* beyond one draw */
        }
        all += found;
    }
    /* five standard deviations each */
    assert_true(fabs(all - total * rate) < 5 * sqrt(total * rate));
    for (int p = 0; p < SIXTEENTHS; p++) {
        assert_true(fabs(places[p] - total / SIXTEENTHS * rate) < 5 * sqrt(total / SIXTEENTHS * rate));
    }
    for (int v = 0; v < 3; v++) {
        double share = (double)three_values[v] / (double)ADG_PARTS;
        assert_true(fabs(values[v] - all * share) < 5 * sqrt(all * share));
    }
    assert_true(fabs(neighbours - all * rate) < 5 * sqrt(all * rate));
    double far = pow(1 - rate, 400) * (all - BLOCKS); /* a block's end cuts one off: a little fewer */
    assert_true(apart < far + 5 * sqrt(far) && apart > far - 5 * sqrt(far) - BLOCKS);
    drop(&sparse);
}

static void test_one_value(void **state)
{
    (void)state;
    struct adg_sparse sparse = made_of(ADG_PARTS / 50, one_value, 1);
    assert_as_specified(&sparse, 0, ADG_SPARSE_ROWS);
    drop(&sparse);
}

/* No more than there is room for. */
static void test_room(void **state)
{
    (void)state;
    static uint32_t words[ADG_SPARSE_ROWS], all[ADG_SPARSE_ROWS], some[ADG_SPARSE_ROWS];
    static uint16_t all_rows[ADG_SPARSE_ROWS], some_rows[ADG_SPARSE_ROWS];
    struct adg_sparse sparse = made_of(ADG_PARTS / 2, three_values, 3);
    adg_sparse_draw(&sparse, 0, ADG_SPARSE_ROWS, ADG_SPARSE_ROWS, words, all_rows, all);
    some_rows[1000] = 7;
    assert_int_equal(adg_sparse_draw(&sparse, 0, ADG_SPARSE_ROWS, 1000, words, some_rows, some), 1000);
    assert_memory_equal(some_rows, all_rows, 1000 * sizeof *some_rows);
    assert_memory_equal(some, all, 1000 * sizeof *some);
    assert_int_equal(some_rows[1000], 7);
    drop(&sparse);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts),     cmocka_unit_test(test_draws), cmocka_unit_test(test_distribution),
        cmocka_unit_test(test_one_value), cmocka_unit_test(test_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
