/*
 * Reading a value as its field's type, and the text of a category: the rules of docs/scraping.md, one line a case.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "scrape/value.h"

static const struct adg_field string = {.type = ADG_TYPE_STRING}, int32 = {.type = ADG_TYPE_INT32},
                              int64 = {.type = ADG_TYPE_INT64}, real = {.type = ADG_TYPE_DOUBLE},
                              money = {.type = ADG_TYPE_DECIMAL, .precision = 9, .scale = 2},
                              date = {.type = ADG_TYPE_DATE}, moment = {.type = ADG_TYPE_TIMESTAMP},
                              yes = {.type = ADG_TYPE_BOOLEAN};

#define TEXT(t)                                                                                                        \
    {                                                                                                                  \
        .kind = ADG_SOURCE_TEXT, .text = {(const uint8_t *)(t), sizeof(t) - 1 }                                        \
    }
#define EXACT(t)                                                                                                       \
    {                                                                                                                  \
        .kind = ADG_SOURCE_DECIMAL, .text = {(const uint8_t *)(t), sizeof(t) - 1 }                                     \
    }
#define NUMBER(n)                                                                                                      \
    {                                                                                                                  \
        .kind = ADG_SOURCE_DOUBLE, .number = (n)                                                                       \
    }
#define WHOLE(k, n)                                                                                                    \
    {                                                                                                                  \
        .kind = ADG_SOURCE_##k, .integer = (n)                                                                         \
    }

/* The category's text is what is expected; NULL: null; "!": unreadable. */
static const struct {
    struct adg_source_value source;
    const struct adg_field *field;
    const char *expected;
} cases[] = {
    {TEXT(""), &string, NULL},
    {TEXT(""), &int32, NULL},
    {{.kind = ADG_SOURCE_INT, .null = true}, &int32, NULL},
    {TEXT("-   "), &string, "-   "},
    {TEXT("54"), &int32, "54"},
    {TEXT("54.0"), &int32, "54"},
    {TEXT("+054.000"), &int32, "54"},
    {TEXT("-0"), &int32, "0"},
    {TEXT("54.5"), &int32, "!"},
    {TEXT("54."), &int32, "!"},
    {TEXT(" 54"), &int32, "!"},
    {TEXT("5e1"), &int32, "!"},
    {TEXT("2147483647"), &int32, "2147483647"},
    {TEXT("2147483648"), &int32, "!"},
    {TEXT("2147483648"), &int64, "2147483648"},
    {TEXT("9223372036854775808"), &int64, "!"},
    {WHOLE(INT, -2147483649), &int32, "!"},
    {NUMBER(54), &int32, "54"},
    {NUMBER(54.5), &int32, "!"},
    {NUMBER(1e300), &int64, "!"},
    {EXACT("54.00"), &int32, "54"},
    {EXACT("54.01"), &int32, "!"},
    {TEXT("0.00001"), &real, "0.00001"},
    {TEXT("1e-5"), &real, "0.00001"},
    {TEXT(".5"), &real, "0.5"},
    {TEXT("-0.0"), &real, "0"},
    {TEXT("1e400"), &real, "!"},
    {TEXT("nan"), &real, "!"},
    {TEXT("inf"), &real, "!"},
    {TEXT("0x1"), &real, "!"},
    {NUMBER(NAN), &real, "!"},
    {NUMBER(INFINITY), &real, "!"},
    {WHOLE(INT, 3), &real, "3"},
    {EXACT("0.25"), &real, "0.25"},
    {TEXT("1234567.89"), &money, "1234567.89"},
    {TEXT("1.50"), &money, "1.5"},
    {TEXT("1.505"), &money, "!"},
    {TEXT("12345678.9"), &money, "!"},
    {WHOLE(INT, 7), &money, "7"},
    {EXACT("-0.05"), &money, "-0.05"},
    {TEXT("2021-02-28"), &date, "2021-02-28"},
    {TEXT("2021-02-29"), &date, "!"},
    {TEXT("2020-02-29"), &date, "2020-02-29"},
    {TEXT("0001-01-01"), &date, "0001-01-01"},
    {TEXT("9999-12-31"), &date, "9999-12-31"},
    {TEXT("0000-12-31"), &date, "!"},
    {TEXT("2021-2-28"), &date, "!"},
    {TEXT("20210228"), &date, "!"},
    {TEXT("2021-02-28 "), &date, "!"},
    {WHOLE(DATE, 0), &date, "1970-01-01"},
    {WHOLE(TIMESTAMP, INT64_C(86400000000)), &date, "1970-01-02"},
    {WHOLE(TIMESTAMP, INT64_C(86400000001)), &date, "!"},
    {WHOLE(INT, 5), &date, "!"},
    {WHOLE(DATE, 2932897), &date, "!"},
    {TEXT("true"), &yes, "true"},
    {TEXT("TRUE"), &yes, "!"},
    {WHOLE(BOOLEAN, 0), &yes, "false"},
    {WHOLE(INT, 1), &yes, "!"},
    {WHOLE(INT, 5), &string, "5"},
    {NUMBER(5), &string, "5"},
    {NUMBER(0.1), &string, "0.1"},
    {NUMBER(NAN), &string, "!"},
    {EXACT("5.10"), &string, "5.1"},
    {EXACT("50"), &string, "50"},
    {EXACT("-0.00"), &string, "0"},
    {WHOLE(DATE, 1), &string, "1970-01-02"},
    {WHOLE(BOOLEAN, 1), &string, "true"},
    {WHOLE(TIMESTAMP, 0), &moment, "1970-01-01 00:00:00"},
    {WHOLE(DATE, 1), &moment, "1970-01-02 00:00:00"},
    {TEXT("yesterday"), &moment, "!"},
};

static void test_read_and_category(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct adg_value value;
        char text[ADG_NUMBER_TEXT_BYTES];
        adg_value_read(&cases[i].source, cases[i].field, &value);
        if (value.null) {
            const char *found = value.unreadable ? "!" : NULL, *expected = cases[i].expected;
            if (found != expected && (found == NULL || expected == NULL || strcmp(found, expected) != 0)) {
                fail_msg("case %zu: %s", i, found != NULL ? "unreadable" : "null");
            }
            continue;
        }
        struct adg_span category = adg_category_text(cases[i].field, value.integer, value.number, value.text, text);
        if (cases[i].expected == NULL || category.size != strlen(cases[i].expected) ||
            memcmp(category.data, cases[i].expected, category.size) != 0) {
            fail_msg("case %zu: %.*s", i, (int)category.size, (const char *)category.data);
        }
    }
}

static void test_kinds_hold_no_value(void **state)
{
    (void)state;
    static const struct {
        struct adg_source_value source;
        const char *expected;
    } kinds[] = {
        {TEXT("secret"), "text"},
        {TEXT("99.5"), "a number that does not fit"},
        {NUMBER(NAN), "a number that is not finite"},
        {WHOLE(DATE, 3), "a date"},
        {WHOLE(TIMESTAMP, 3), "a date with a time of day"},
        {WHOLE(BOOLEAN, 1), "true or false"},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        assert_string_equal(adg_value_kind(&kinds[i].source), kinds[i].expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_read_and_category),
                                       cmocka_unit_test(test_kinds_hold_no_value)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
