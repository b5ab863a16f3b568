/*
 * Schema and statistics as text.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/memory.h"
#include "delta/describe.h"

#define TEXT(literal)                                                                                                  \
    {                                                                                                                  \
        .text = {(const uint8_t *)(literal), sizeof(literal) - 1 }                                                     \
    }
#define INTEGER(number)                                                                                                \
    {                                                                                                                  \
        .integer = (number)                                                                                            \
    }
#define NUMBER(value)                                                                                                  \
    {                                                                                                                  \
        .number = (value)                                                                                              \
    }

static void test_schema(void **state)
{
    (void)state;
    static const struct adg_delta_column columns[] = {{.name = "A", .type = "string"},
                                                      {.name = "B \"b\"", .type = "decimal(16,15)"}};
    struct adg_buffer out = {0};
    assert_int_equal(adg_delta_schema_append(&out, columns, 2, NULL), ADG_OK);
    assert_string_equal(adg_buffer_text(&out),
                        "{\"type\":\"struct\",\"fields\":["
                        "{\"name\":\"A\",\"type\":\"string\",\"nullable\":true,\"metadata\":{}},"
                        "{\"name\":\"B \\\"b\\\"\",\"type\":\"decimal(16,15)\",\"nullable\":true,\"metadata\":{}}]}");
    adg_buffer_fini(&out);
}

/* Bounds of one column, as the text between {"A": and }. */
static void test_bounds(void **state)
{
    (void)state;
    static const struct {
        enum adg_delta_kind kind;
        uint8_t scale;
        struct adg_delta_value value;
        const char *expected; /* NULL: left out */
    } cases[] = {
        {ADG_DELTA_TEXT, 0, TEXT("a\"b\n\xc3\xa9"), "\"a\\\"b\\n\xc3\xa9\""},
        {ADG_DELTA_TEXT, 0, TEXT(""), "\"\""},
        {ADG_DELTA_TEXT, 0, TEXT("\xff"), NULL},
        {ADG_DELTA_INTEGER, 0, INTEGER(INT64_MIN), "-9223372036854775808"},
        {ADG_DELTA_DECIMAL, 15, INTEGER(INT64_C(1234567890123456)), "1.234567890123456"},
        {ADG_DELTA_DECIMAL, 2, INTEGER(-5), "-0.05"},
        {ADG_DELTA_DECIMAL, 2, INTEGER(0), "0.00"},
        {ADG_DELTA_DECIMAL, 0, INTEGER(-70), "-70"},
        {ADG_DELTA_DECIMAL, 18, INTEGER(INT64_C(-999999999999999999)), "-0.999999999999999999"},
        {ADG_DELTA_DOUBLE, 0, NUMBER(0.1), "0.1"},
        {ADG_DELTA_DOUBLE, 0, NUMBER(NAN), NULL},
        {ADG_DELTA_DOUBLE, 0, NUMBER(-INFINITY), NULL},
        {ADG_DELTA_DATE, 0, INTEGER(0), "\"1970-01-01\""},
        {ADG_DELTA_DATE, 0, INTEGER(-719162), "\"0001-01-01\""},
        {ADG_DELTA_DATE, 0, INTEGER(-719163), NULL},
        {ADG_DELTA_DATE, 0, INTEGER(2932897), NULL}, /* 10000-01-01 */
        {ADG_DELTA_NONE, 0, INTEGER(1), NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct adg_delta_column column = {
            .name = "A", .type = "string", .kind = cases[i].kind, .scale = cases[i].scale};
        const struct adg_delta_statistics statistics = {
            .nulls = 3, .known = true, .min = cases[i].value, .max = cases[i].value};
        struct adg_buffer out = {0}, expected = {0};
        const char *before = cases[i].expected != NULL ? "\"A\":" : "",
                   *value = cases[i].expected != NULL ? cases[i].expected : "";
        assert_int_equal(adg_buffer_printf(&expected, NULL,
                                           "{\"numRecords\":9,\"minValues\":{%s%s},\"maxValues\":{%s%s},\"nullCount\":{"
                                           "\"A\":3}}",
                                           before, value, before, value),
                         ADG_OK);
        assert_int_equal(adg_delta_statistics_append(&out, &column, 1, 9, &statistics, NULL), ADG_OK);
        assert_string_equal(adg_buffer_text(&out), adg_buffer_text(&expected));
        adg_buffer_fini(&out);
        adg_buffer_fini(&expected);
    }
}

/* What has no bounds leaves no comma behind. */
static void test_several_columns(void **state)
{
    (void)state;
    static const struct adg_delta_column columns[] = {{"A", "string", ADG_DELTA_TEXT, 0},
                                                      {"B", "integer", ADG_DELTA_INTEGER, 0},
                                                      {"C", "double", ADG_DELTA_DOUBLE, 0},
                                                      {"D", "integer", ADG_DELTA_INTEGER, 0},
                                                      {"E", "string", ADG_DELTA_TEXT, 0}};
    static const struct adg_delta_statistics statistics[] = {
        {.nulls = 4},
        {.known = true, .min = INTEGER(1), .max = INTEGER(2)},
        {.known = true, .min = NUMBER(-INFINITY), .max = NUMBER(0.5)},
        {.known = true, .min = INTEGER(3), .max = INTEGER(4)},
        {.nulls = 1, .known = true, .min = TEXT("\x80"), .max = TEXT("\x81")}};
    struct adg_buffer out = {0};
    assert_int_equal(adg_delta_statistics_append(&out, columns, 5, 4, statistics, NULL), ADG_OK);
    assert_string_equal(adg_buffer_text(&out), "{\"numRecords\":4,\"minValues\":{\"B\":1,\"D\":3},"
                                               "\"maxValues\":{\"B\":2,\"C\":0.5,\"D\":4},"
                                               "\"nullCount\":{\"A\":4,\"B\":0,\"C\":0,\"D\":0,\"E\":1}}");
    adg_buffer_fini(&out);
    out = (struct adg_buffer){0};
    assert_int_equal(adg_delta_statistics_append(&out, columns, 0, 0, NULL, NULL), ADG_OK);
    assert_string_equal(adg_buffer_text(&out), "{\"numRecords\":0,\"minValues\":{},\"maxValues\":{},\"nullCount\":{}}");
    adg_buffer_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_schema),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_several_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
