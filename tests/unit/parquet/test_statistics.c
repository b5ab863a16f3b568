/*
 * Statistics of chunks become those of a file.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "parquet/statistics.h"

#define SPAN(value) ((struct adg_span){(const uint8_t *)&(value), sizeof(value)})

static void test_numbers(void **state)
{
    (void)state;
    int32_t values[] = {5, 9, -300, 4, 7, 8};
    struct adg_parquet_statistics statistics = {0};
    struct adg_parquet_chunk chunk = {.type = ADG_TYPE_INT32, .nulls = 2, .bounds_complete = true};
    assert_int_equal(adg_parquet_statistics_add(&statistics, &chunk, NULL), ADG_OK); /* all null */
    assert_false(statistics.known);
    for (size_t i = 0; i < 6; i += 2) {
        chunk.bounds = (struct adg_parquet_bounds){true, SPAN(values[i]), SPAN(values[i + 1])};
        assert_int_equal(adg_parquet_statistics_add(&statistics, &chunk, NULL), ADG_OK);
    }
    assert_true(statistics.known && !statistics.incomplete);
    assert_int_equal(statistics.nulls, 8);
    assert_int_equal(statistics.min.size, 4);
    assert_memory_equal(statistics.min.data, &values[2], 4);
    assert_memory_equal(statistics.max.data, &values[1], 4);

    chunk.bounds_complete = false;
    assert_int_equal(adg_parquet_statistics_add(&statistics, &chunk, NULL), ADG_OK);
    assert_true(statistics.incomplete);
    adg_parquet_statistics_clear(&statistics);
    assert_false(statistics.known || statistics.incomplete);
    assert_int_equal(statistics.nulls, 0);
    adg_parquet_statistics_fini(&statistics);
}

/* By bytes, and of any length. */
static void test_texts(void **state)
{
    (void)state;
    static const char *const texts[] = {"m", "mm", "\xc3\xa9", "\xf0\x9f\x98\x80", "", "a"};
    struct adg_parquet_statistics statistics = {0};
    for (size_t i = 0; i < 6; i += 2) {
        const struct adg_parquet_chunk chunk = {.type = ADG_TYPE_STRING,
                                                .bounds_complete = true,
                                                .bounds = {true,
                                                           {(const uint8_t *)texts[i], strlen(texts[i])},
                                                           {(const uint8_t *)texts[i + 1], strlen(texts[i + 1])}}};
        assert_int_equal(adg_parquet_statistics_add(&statistics, &chunk, NULL), ADG_OK);
    }
    assert_int_equal(statistics.min.size, 0);
    assert_int_equal(statistics.max.size, 4);
    assert_memory_equal(statistics.max.data, texts[3], 4);
    adg_parquet_statistics_fini(&statistics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
