/*
 * Schedules: what fits, and where a text is none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "project/cron.h"

static struct adg_cron parse(const char *text)
{
    struct adg_cron cron = {0};
    struct adg_error error = {{0}};
    size_t column = 0;
    enum adg_status status = adg_cron_parse(text, &cron, &column, &error);
    if (status != ADG_OK) {
        fail_msg("%s: %s", text, error.message);
    }
    return cron;
}

static void test_fields(void **state)
{
    (void)state;
    struct adg_cron cron = parse("*/15 0-6/2,23 1,31 jan,6-7,DEC mon-fri");
    assert_int_equal(cron.minutes, UINT64_C(1) | UINT64_C(1) << 15 | UINT64_C(1) << 30 | UINT64_C(1) << 45);
    assert_int_equal(cron.hours, 1 | 1 << 2 | 1 << 4 | 1 << 6 | 1 << 23);
    assert_int_equal(cron.days, 1U << 1 | 1U << 31);
    assert_int_equal(cron.months, 1 << 1 | 1 << 6 | 1 << 7 | 1 << 12);
    assert_int_equal(cron.weekdays, 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4 | 1 << 5);
    assert_false(cron.any_day);
    assert_false(cron.any_weekday);
    cron = parse("0 0 * * *");
    assert_int_equal(cron.days, 0xFFFFFFFE);
    assert_int_equal(cron.weekdays, 127);
    assert_true(cron.any_day && cron.any_weekday);
    assert_int_equal(parse("0 0 * * 7").weekdays, 1);
    assert_int_equal(parse("0 0 * * 0,sat").weekdays, 1 | 1 << 6);
    assert_int_equal(parse("59   23 31   12 6-7").weekdays, 1 | 1 << 6);
    assert_true(parse("0 0 */2 * 1").any_day);
    assert_int_equal(parse("0 0 29 2 *").days, 1 << 29);
    assert_int_equal(parse("0 0 31 2 1").days, 1U << 31); /* on Mondays, then */
}

static void test_what_is_none(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t column;
    } cases[] = {
        {"", 0},
        {" 0 0 * * *", 0},
        {"@daily", 0},
        {"60 0 * * *", 0},
        {"0 24 * * *", 2},
        {"0 0 0 * *", 4},
        {"0 0 32 * *", 4},
        {"0 0 * 13 *", 6},
        {"0 0 * 0 *", 6},
        {"0 0 * * 8", 8},
        {"0 0 * * mo", 8},
        {"0 0 * jan", 9},
        {"0 0 * * * *", 9},
        {"0 0 * * * ", 9},
        {"0-", 2},
        {"5-4 0 * * *", 2},
        {"*/0 0 * * *", 2},
        {"*/ 0 * * *", 2},
        {"5/2 0 * * *", 2},
        {"1,,2 0 * * *", 2},
        {"1, 0 * * *", 2},
        {"001 0 * * *", 0},
        {"-1 0 * * *", 0},
        {"0\t0 * * *", 1},
        {"0 0 31 4,6,9,11 *", 4},
        {"0 0 30 feb *", 4},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct adg_cron cron = {.minutes = 7};
        struct adg_error error = {{0}};
        size_t column = 99;
        assert_int_equal(adg_cron_parse(cases[i].text, &cron, &column, &error), ADG_BAD_INPUT);
        if (column != cases[i].column || cron.minutes != 7 || strncmp(error.message, "expected ", 9) != 0) {
            fail_msg("'%s': column %zu, expected %zu: %s", cases[i].text, column, cases[i].column, error.message);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_fields), cmocka_unit_test(test_what_is_none)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
