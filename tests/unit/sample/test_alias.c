/*
 * Parts and alias tables: exact, whatever the weights; and draws from percentiles and permutations.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/memory.h"
#include "sample/alias.h"
#include "sample/permute.h"
#include "sample/philox.h"
#include "sample/quantile.h"

static void test_parts(void **state)
{
    (void)state;
    uint64_t parts[4];
    /* 2^32 = 3 * 1431655765 + 1: the first of equal remainders gets the part that is left */
    assert_int_equal(adg_parts_scale((const uint64_t[]){5, 5, 5}, 3, 0, 0, parts, NULL), ADG_OK);
    assert_int_equal(parts[0], 1431655766);
    assert_int_equal(parts[1], 1431655765);
    assert_int_equal(parts[2], 1431655765);
    assert_int_equal(parts[3], 0);
    /* a quarter null; of the rest, 3 * 2^30 parts, two thirds and one third */
    assert_int_equal(adg_parts_scale((const uint64_t[]){20, 10}, 2, 10, 30, parts, NULL), ADG_OK);
    assert_int_equal(parts[0], UINT64_C(1) << 31);
    assert_int_equal(parts[1], UINT64_C(1) << 30);
    assert_int_equal(parts[2], UINT64_C(1) << 30);
    /* nothing filled */
    assert_int_equal(adg_parts_scale((const uint64_t[]){5}, 1, 5, 0, parts, NULL), ADG_OK);
    assert_int_equal(parts[0], 0);
    assert_int_equal(parts[1], ADG_PARTS);
}

/* What is left goes to the largest remainders, of equal ones to the first, whether they are spread or all alike. */
static void test_largest_remainders(void **state)
{
    (void)state;
    enum { COUNT = 3000 };
    static uint64_t weights[COUNT], parts[COUNT + 1];
    uint64_t random = 1;
    for (unsigned spread = 1; spread <= 1000000; spread *= 100) {
        uint64_t sum = 0, more = 0;
        for (uint32_t i = 0; i < COUNT; i++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            weights[i] = 1000 + (random >> 33) % spread;
            sum += weights[i];
        }
        assert_int_equal(adg_parts_scale(weights, COUNT, 0, sum, parts, NULL), ADG_OK);
        uint64_t least_more = UINT64_MAX, most_less = 0; /* remainders, earlier ones being larger */
        for (uint32_t i = 0; i < COUNT; i++) {
            uint64_t product = ADG_PARTS * weights[i], rank = (product % sum) * COUNT + (COUNT - 1 - i);
            bool given = parts[i] != product / sum;
            assert_int_equal(parts[i], product / sum + given);
            more += given;
            least_more = given && rank < least_more ? rank : least_more;
            most_less = !given && rank > most_less ? rank : most_less;
        }
        assert_true(more > 0 && least_more > most_less);
    }
}

static void test_no_weight(void **state)
{
    (void)state;
    uint64_t parts[3];
    assert_int_equal(adg_parts_scale((const uint64_t[]){0, 0}, 2, 0, 0, parts, NULL), ADG_BAD_INPUT);
    assert_int_equal(adg_parts_scale((const uint64_t[]){0, 0}, 2, 1, 5, parts, NULL), ADG_BAD_INPUT);
}

static void test_rarest_value(void **state)
{
    (void)state;
    struct adg_error error = {{0}};
    uint64_t parts[3];
    /* share 1 in 2^32 exactly; then just below */
    assert_int_equal(adg_parts_scale((const uint64_t[]){ADG_PARTS - 1, 1}, 2, 0, 0, parts, &error), ADG_OK);
    assert_int_equal(parts[1], 1);
    assert_int_equal(adg_parts_scale((const uint64_t[]){ADG_PARTS, 1}, 2, 0, 0, parts, &error), ADG_BAD_INPUT);
    assert_non_null(strstr(error.message, "2^32"));
    assert_int_equal(adg_parts_scale((const uint64_t[]){5}, 1, 1, ADG_PARTS, parts, &error), ADG_BAD_INPUT);
}

/* The parts that a table gives each value, counted over its slots. */
static void check_table(const struct adg_alias *alias, const uint64_t *parts, uint32_t count)
{
    uint64_t *found = calloc(count, sizeof *found);
    uint64_t capacity = ADG_PARTS >> alias->slot_bits;
    for (uint64_t s = 0; s < UINT64_C(1) << alias->slot_bits; s++) {
        if (alias->slots[s].alias == s) {
            found[s] += capacity;
        } else {
            if (alias->slots[s].threshold > 0) {
                found[s] += alias->slots[s].threshold;
            }
            found[alias->slots[s].alias] += capacity - alias->slots[s].threshold;
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(found[i], parts[i]);
    }
    free(found);
}

static void test_tables_are_exact(void **state)
{
    (void)state;
    static const uint32_t counts[] = {1, 2, 3, 4, 5, 255, 256, 257, 33000};
    for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
        uint32_t count = counts[c];
        uint64_t *weights = calloc(count, sizeof *weights), *parts = calloc(count + 1, sizeof *parts);
        for (uint32_t i = 0; i < count; i++) {
            weights[i] = 1000000 / (i + 1) + 5; /* Zipf */
        }
        struct adg_alias alias = {0};
        assert_int_equal(adg_parts_scale(weights, count, c % 2 * 7, 100, parts, NULL), ADG_OK);
        assert_int_equal(adg_alias_build(&alias, parts, count + 1, NULL), ADG_OK);
        check_table(&alias, parts, count + 1);
        uint32_t words[1000], codes[1000];
        const struct adg_stream stream = {1, count, 0};
        adg_stream_words(&stream, 0, 1000, words);
        adg_alias_draw(&alias, words, 1000, codes);
        for (size_t i = 0; i < 1000; i++) {
            assert_int_equal(codes[i], adg_alias_draw_one(&alias, words[i]));
            assert_true(parts[codes[i]] > 0);
        }
        adg_alias_fini(&alias);
        free(weights);
        free(parts);
    }
}

/* Whatever kernel draws many: as one word at a time, for every number of slots, every rest of a vector, and in place. */
static void test_many_are_as_one(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {1, 2, 3, 5, 8, 9, 40, 1000, 70000};
    enum { DRAWS = 1003 };
    const struct adg_stream stream = {7, 3, 1};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        uint64_t *weights = malloc(sizes[s] * sizeof *weights), *parts = malloc((sizes[s] + 1) * sizeof *parts);
        for (uint32_t i = 0; i < sizes[s]; i++) {
            weights[i] = 1 + i % 17;
        }
        struct adg_alias alias = {0};
        assert_int_equal(adg_parts_scale(weights, sizes[s], 0, 0, parts, NULL), ADG_OK);
        assert_int_equal(adg_alias_build(&alias, parts, sizes[s], NULL), ADG_OK);
        for (uint32_t count = 0; count <= DRAWS; count += count < 20 ? 1 : 983) {
            uint32_t words[DRAWS], codes[DRAWS];
            adg_stream_words(&stream, 0, DRAWS, words);
            memcpy(codes, words, sizeof codes);
            adg_alias_draw(&alias, codes, count, codes);
            for (uint32_t i = 0; i < DRAWS; i++) {
                assert_int_equal(codes[i], i < count ? adg_alias_draw_one(&alias, words[i]) : words[i]);
            }
        }
        adg_alias_fini(&alias);
        free(weights);
        free(parts);
    }
}

/* The last word below a threshold and the first one that is not, of every slot. */
static void test_thresholds_are_exact(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {2, 3, 7, 13, 30, 60};
    enum { MOST_SLOTS = 64 };
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        uint64_t weights[MOST_SLOTS], parts[MOST_SLOTS + 1];
        uint32_t words[2 * MOST_SLOTS], codes[2 * MOST_SLOTS], expected[2 * MOST_SLOTS], count = 0;
        for (uint32_t i = 0; i < sizes[s]; i++) {
            weights[i] = 1 + i * i;
        }
        struct adg_alias alias = {0};
        assert_int_equal(adg_parts_scale(weights, sizes[s], 0, 0, parts, NULL), ADG_OK);
        assert_int_equal(adg_alias_build(&alias, parts, sizes[s], NULL), ADG_OK);
        for (uint32_t slot = 0; slot < UINT32_C(1) << alias.slot_bits; slot++) {
            uint32_t threshold = alias.slots[slot].threshold, first = slot << (32 - alias.slot_bits);
            words[count] = first | threshold;
            expected[count++] = alias.slots[slot].alias;
            words[count] = threshold > 0 ? first | (threshold - 1) : first;
            expected[count++] = threshold > 0 ? slot : alias.slots[slot].alias;
        }
        memset(words + count, 0, sizeof words - count * sizeof *words);
        adg_alias_draw(&alias, words, 2 * MOST_SLOTS, codes); /* whole vectors, however long they are */
        assert_memory_equal(codes, expected, count * sizeof *codes);
        adg_alias_fini(&alias);
    }
}

static void test_chi_square(void **state)
{
    (void)state;
    enum { VALUES = 256, DRAWS = 1 << 20 };
    uint64_t weights[VALUES], parts[VALUES + 1];
    for (uint32_t i = 0; i < VALUES; i++) {
        weights[i] = 1000 / (i + 1) + 5;
    }
    struct adg_alias alias = {0};
    assert_int_equal(adg_parts_scale(weights, VALUES, 0, 0, parts, NULL), ADG_OK);
    assert_int_equal(adg_alias_build(&alias, parts, VALUES, NULL), ADG_OK);
    uint32_t *codes = malloc(DRAWS * sizeof *codes), counts[VALUES] = {0};
    const struct adg_stream stream = {2026, 1, 1};
    adg_stream_words(&stream, 0, DRAWS, codes);
    adg_alias_draw(&alias, codes, DRAWS, codes);
    for (size_t i = 0; i < DRAWS; i++) {
        counts[codes[i]]++;
    }
    double chi_square = 0;
    for (size_t i = 0; i < VALUES; i++) {
        double expected = (double)DRAWS * (double)parts[i] / (double)ADG_PARTS, off = counts[i] - expected;
        chi_square += off * off / expected;
    }
    /* 255 degrees of freedom: mean 255, standard deviation sqrt(510) = 22.6; five of them either way */
    assert_true(chi_square > 255 - 113 && chi_square < 255 + 113);
    free(codes);
    adg_alias_fini(&alias);
}

static void test_draw_other(void **state)
{
    (void)state;
    const uint64_t parts[4] = {UINT64_C(1) << 31, 0, UINT64_C(1) << 30, UINT64_C(1) << 30};
    uint64_t sums[5];
    adg_sums_build(parts, 4, sums);
    static const struct {
        uint32_t excluded, word, value;
    } cases[] = {
        {0, 0, 2},          {0, UINT32_MAX, 3}, {0, 0x7FFFFFFF, 2}, {0, 0x80000000, 3}, {3, 0, 0},
        {3, UINT32_MAX, 2}, {2, UINT32_MAX, 3}, {2, 0x80000000, 0}, {2, 0xAAAAAAAB, 3}, {2, 0xAAAAAAAA, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(adg_sums_draw_other(sums, 4, cases[i].excluded, cases[i].word), cases[i].value);
    }
}

static void test_quantiles(void **state)
{
    (void)state;
    const double percentiles[] = {0, 10, 10, 30};
    assert_true(adg_quantile_draw(percentiles, 1, 123, 456) == 0);
    assert_true(adg_quantile_draw(percentiles, 4, 0, 0x80000000) == 5);
    assert_true(adg_quantile_draw(percentiles, 4, 0x60000000, 77) == 10); /* 3/8 of three intervals: the second */
    assert_true(adg_quantile_draw(percentiles, 4, UINT32_MAX, 0x40000000) == 15);
    assert_int_equal(adg_round_half_up(2.5), 3);
    assert_int_equal(adg_round_half_up(-2.5), -2);
    assert_int_equal(adg_round_half_up(-2.51), -3);
    assert_int_equal(adg_round_half_up(0.49), 0);
}

static void test_permutation_is_a_bijection(void **state)
{
    (void)state;
    struct adg_permutation permutation;
    adg_permutation_init(&permutation, 1, 2, 3);
    static const uint64_t sizes[] = {1, 2, 3, 7, 64, 100, 1000, 4097};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        for (uint64_t tweak = 0; tweak < 2; tweak++) {
            uint8_t *seen = calloc(sizes[i], 1);
            for (uint64_t k = 0; k < sizes[i]; k++) {
                uint64_t image = adg_permute(&permutation, tweak, sizes[i], k);
                assert_true(image < sizes[i]);
                assert_int_equal(seen[image], 0);
                seen[image] = 1;
            }
            free(seen);
        }
    }
}

static void test_many_permuted_are_as_one(void **state)
{
    (void)state;
    enum { MOST = 150 };
    static const uint64_t sizes[] = {1, 2, 1000, UINT64_C(1) << 32, 1000000000000, UINT64_C(1) << 63};
    struct adg_permutation permutation;
    adg_permutation_init(&permutation, 5, 6, 7);
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        for (uint32_t count = 0; count <= MOST; count += 1 + count / 3) {
            uint64_t numbers[MOST];
            for (uint64_t i = 0; i < count; i++) {
                numbers[i] = (i * UINT64_C(0x9E3779B97F4A7C15)) % sizes[s];
            }
            adg_permute_many(&permutation, s, sizes[s], numbers, count, numbers);
            for (uint64_t i = 0; i < count; i++) {
                assert_int_equal(numbers[i],
                                 adg_permute(&permutation, s, sizes[s], (i * UINT64_C(0x9E3779B97F4A7C15)) % sizes[s]));
            }
        }
    }
}

static void test_permutation_scatters(void **state)
{
    (void)state;
    enum { DRAWS = 100000 };
    struct adg_permutation permutation;
    adg_permutation_init(&permutation, 1, 2, 3);
    uint32_t first_digits[10] = {0};
    for (uint64_t k = 0; k < DRAWS; k++) {
        first_digits[adg_permute(&permutation, 0, UINT64_C(1000000000000), k) / UINT64_C(100000000000)]++;
    }
    for (size_t d = 0; d < 10; d++) { /* binomial: mean 10,000, standard deviation 95; five of them */
        assert_in_range(first_digits[d], 10000 - 475, 10000 + 475);
    }
    assert_true(adg_permute(&permutation, 0, UINT64_C(1) << 63, 5) < UINT64_C(1) << 63);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_largest_remainders),
        cmocka_unit_test(test_no_weight),
        cmocka_unit_test(test_rarest_value),
        cmocka_unit_test(test_tables_are_exact),
        cmocka_unit_test(test_many_are_as_one),
        cmocka_unit_test(test_many_permuted_are_as_one),
        cmocka_unit_test(test_thresholds_are_exact),
        cmocka_unit_test(test_chi_square),
        cmocka_unit_test(test_draw_other),
        cmocka_unit_test(test_quantiles),
        cmocka_unit_test(test_permutation_is_a_bijection),
        cmocka_unit_test(test_permutation_scatters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
