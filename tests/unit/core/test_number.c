/*
 * Numbers and dates as text. Expected values: arithmetic that the row itself shows, and IEEE 754's limits.
 */
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/date.h"
#include "core/number.h"

static void test_double_format(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {0.0, "0"},
        {-0.0, "0"},
        {54.0, "54"},
        {-3.0, "-3"},
        {0.1, "0.1"},
        {0.00001, "0.00001"},
        {-0.025, "-0.025"},
        {33.512328767123286, "33.512328767123286"},
        {1e22, "10000000000000000000000"},
        {1.5e-7, "0.00000015"},
        {9007199254740993.0, "9007199254740992"},
        {123456.75, "123456.75"},
        {4.88, "4.88"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char out[ADG_NUMBER_TEXT_BYTES + 1];
        size_t length = adg_double_format(cases[i].value, out);
        out[length] = '\0';
        assert_string_equal(out, cases[i].text);
    }
    char out[ADG_NUMBER_TEXT_BYTES];
    /* the smallest number: 323 zeros, of which one before the point, then its only digit */
    assert_int_equal(adg_double_format(-5e-324, out), 2 + 324 + 1);
    assert_memory_equal(out + 2 + 324 - 1, "05", 2);
}

/* Below a power of two doubles lie closer: the texts are what Python's repr() gives. */
static void test_powers_of_two(void **state)
{
    (void)state;
    static const struct {
        int exponent;
        const char *text;
    } cases[] = {
        {-44, "0.00000000000005684341886080802"}, {-24, "0.00000005960464477539063"}, {60, "1152921504606847000"}};
    char out[ADG_NUMBER_TEXT_BYTES + 1], text[40];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        out[adg_double_format(ldexp(1, cases[i].exponent), out)] = '\0';
        assert_string_equal(out, cases[i].text);
    }
    for (int exponent = -1022; exponent < 1024; exponent++) {
        const double value = ldexp(exponent % 2 == 0 ? 1 : -1, exponent);
        out[adg_double_format(value, out)] = '\0';
        assert_true(strtod(out, NULL) == value);
        int count = 0;
        for (const char *c = out; *c != '\0'; c++) { /* up to the last digit that is no zero */
            count += *c >= '0' && *c <= '9' && (count > 0 || *c != '0');
        }
        for (size_t last = strlen(out); strchr(out, '.') == NULL && out[last - 1] == '0'; last--) {
            count--;
        }
        for (int digits = 1; digits < count;
             digits++) { /* neither of the two texts of fewer digits beside it reads back */
            snprintf(text, sizeof text, "%.*e", digits - 1, value);
            assert_true(strtod(text, NULL) != value);
            const double other = strtod(text, NULL);
            snprintf(text, sizeof text, "%.*e", digits - 1, 2 * value - other);
            assert_true(strtod(text, NULL) != value);
        }
    }
}

/* Against the C library, around every power of ten and of two. */
static void test_int64_format(void **state)
{
    (void)state;
    const int64_t factors[] = {2, 10};
    for (int f = 0; f < 2; f++) {
        for (int64_t power = 1; power <= INT64_MAX / factors[f]; power *= factors[f]) {
            const int64_t values[] = {power - 1, power, power + 1, -power + 1, -power, -power - 1};
            for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
                char expected[22], out[22];
                snprintf(expected, sizeof expected, "%" PRId64, values[i]);
                out[adg_int64_format(values[i], out)] = '\0';
                assert_string_equal(out, expected);
            }
        }
    }
    char out[21];
    assert_int_equal(adg_int64_format(INT64_MIN, out), 20);
    assert_memory_equal(out, "-9223372036854775808", 20);
    assert_int_equal(adg_int64_format(INT64_MAX, out), 19);
    assert_memory_equal(out, "9223372036854775807", 19);
}

/* Against the C library: n / 1000 to three places without the zeros at the end; its neighbours need more places, and read back. */
static void test_thousandths(void **state)
{
    (void)state;
    static const int64_t starts[] = {-2000, 99000, 123456788000, 999999999998000};
    for (size_t s = 0; s < sizeof starts / sizeof starts[0]; s++) {
        for (int64_t n = starts[s]; n < starts[s] + 4000; n++) {
            const double value = (double)n / 1000;
            char expected[40], out[ADG_NUMBER_TEXT_BYTES + 1];
            size_t length = (size_t)snprintf(expected, sizeof expected, "%.3f", value);
            while (expected[length - 1] == '0') {
                length--;
            }
            expected[expected[length - 1] == '.' ? length - 1 : length] = '\0';
            out[adg_double_format(value, out)] = '\0';
            assert_string_equal(out, n == 0 ? "0" : expected);
            const double beside[] = {nextafter(value, -1e300), nextafter(value, 1e300)};
            for (int i = 0; i < 2 && n != 0; i++) {
                out[adg_double_format(beside[i], out)] = '\0';
                assert_string_not_equal(out, expected);
                assert_true(strtod(out, NULL) == beside[i]);
            }
        }
    }
}

/* Against the C library, by the definition: the first of 15, 16 and 17 significant digits that reads back. Around powers of two, where
 * the doubles below are half as far apart, around powers of ten, and anywhere. */
static void test_fewest_digits(void **state)
{
    (void)state;
    uint64_t random = 1;
    for (int i = 0; i < 60000; i++) {
        random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        double value = ldexp((double)(random >> 11), -53 + (int)(random % 60) - 6);
        value = i % 3 == 1 ? ldexp(1, i % 60 - 8) : i % 3 == 2 ? pow(10, i % 17 - 2) : value;
        for (int step = 0; step < i / 3 % 3 && i % 3 != 0; step++) {
            value = nextafter(value, i % 2 == 0 ? 0 : 1e300);
        }
        value = i % 2 == 0 ? value : -value;
        char expected[40], out[ADG_NUMBER_TEXT_BYTES + 1];
        for (int precision = 14; precision < 17; precision++) {
            snprintf(expected, sizeof expected, "%.*e", precision, value);
            if (strtod(expected, NULL) == value) {
                break;
            }
        }
        char digits[ADG_NUMBER_TEXT_BYTES + 1] = "", expected_digits[40] = "";
        size_t count = 0, expected_count = 0;
        out[adg_double_format(value, out)] = '\0';
        assert_true(strtod(out, NULL) == value);
        for (const char *c = out; *c != '\0'; c++) {
            if ((*c >= '1' && *c <= '9') || (*c == '0' && count > 0)) {
                digits[count++] = *c;
            }
        }
        for (const char *c = expected; *c != 'e'; c++) {
            if (*c >= '0' && *c <= '9') {
                expected_digits[expected_count++] = *c;
            }
        }
        while (expected_digits[expected_count - 1] == '0') {
            expected_digits[--expected_count] = '\0';
        }
        if (strchr(out, '.') != NULL) {
            assert_string_equal(digits, expected_digits);
        }
    }
}

static void test_decimal(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool good;
        int64_t unscaled;
        const char *back;
    } cases[] = {
        /* decimal(16,15) */
        {"0", true, 0, "0"},
        {"-0.0", true, 0, "0"},
        {"1", true, 1000000000000000, "1"},
        {"9.5", true, 9500000000000000, "9.5"},
        {"0.123456789012345", true, 123456789012345, "0.123456789012345"},
        {"10", false, 0, NULL},
        {"0.1234567890123456", false, 0, NULL},
        {"0.1234567890123450", true, 123456789012345, "0.123456789012345"},
        {"1e-15", true, 1, "0.000000000000001"},
        {"25e-1", true, 2500000000000000, "2.5"},
        {".5", true, 500000000000000, "0.5"},
        {"5.", true, 5000000000000000, "5"},
        {"", false, 0, NULL},
        {".", false, 0, NULL},
        {" 1", false, 0, NULL},
        {"1e", false, 0, NULL},
        {"nan", false, 0, NULL},
        {"-2.05", true, -2050000000000000, "-2.05"},
        {"0e99999999999999999999", true, 0, "0"},
        {"1e99999999999999999999", false, 0, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t unscaled = 0;
        assert_int_equal(adg_decimal_parse(cases[i].text, strlen(cases[i].text), 16, 15, &unscaled), cases[i].good);
        if (cases[i].good) {
            char out[32];
            size_t length = adg_decimal_format(unscaled, 15, out);
            assert_int_equal(unscaled, cases[i].unscaled);
            assert_int_equal(length, strlen(cases[i].back));
            assert_memory_equal(out, cases[i].back, length);
        }
    }
}

static void test_int64_parse(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool good;
        int64_t value;
    } cases[] = {
        {"54.0", true, 54},
        {"+7", true, 7},
        {"-0", true, 0},
        {"007", true, 7},
        {"1.000", true, 1},
        {"1.", false, 0},
        {"1.5", false, 0},
        {"", false, 0},
        {"-", false, 0},
        {".0", false, 0},
        {"1e3", false, 0},
        {" 1", false, 0},
        {"9223372036854775807", true, INT64_MAX},
        {"9223372036854775808", false, 0},
        {"-9223372036854775808", true, INT64_MIN},
        {"-9223372036854775809", false, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t value = 0;
        assert_int_equal(adg_int64_parse(cases[i].text, strlen(cases[i].text), &value), cases[i].good);
        assert_int_equal(value, cases[i].value);
    }
}

static void test_double_parse(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool good;
        double value;
    } cases[] = {
        {"1.5e3", true, 1500}, {"-.5", true, -0.5}, {"5.", true, 5},  {"1e400", false, 0}, {"inf", false, 0},
        {"nan", false, 0},     {"0x10", false, 0},  {"1 ", false, 0}, {"1e-400", true, 0}, {"-0", true, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double value = 0;
        assert_int_equal(adg_double_parse(cases[i].text, strlen(cases[i].text), &value), cases[i].good);
        assert_true(value == cases[i].value);
    }
}

static void test_dates(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool good;
        int32_t days;
    } cases[] = {
        {"1970-01-01", true, 0},
        {"0001-01-01", true, ADG_DATE_MIN},
        {"9999-12-31", true, ADG_DATE_MAX},
        {"2000-02-29", true, 11016},
        {"1900-02-29", false, 0},
        {"2001-04-31", false, 0},
        {"0000-01-01", false, 0},
        {"2001-1-01", false, 0},
        {"2001-01-01 ", false, 0},
        {"1969-12-31", true, -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int32_t days = 0;
        assert_int_equal(adg_date_parse(cases[i].text, strlen(cases[i].text), &days), cases[i].good);
        assert_int_equal(days, cases[i].days);
        if (cases[i].good) {
            char out[10];
            adg_date_format(days, out);
            assert_memory_equal(out, cases[i].text, 10);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_double_format), cmocka_unit_test(test_powers_of_two), cmocka_unit_test(test_int64_format),
        cmocka_unit_test(test_thousandths),   cmocka_unit_test(test_fewest_digits), cmocka_unit_test(test_decimal),
        cmocka_unit_test(test_int64_parse),   cmocka_unit_test(test_double_parse),  cmocka_unit_test(test_dates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
