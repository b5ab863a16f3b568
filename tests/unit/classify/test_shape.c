/*
 * Patterns of identifiers: what they show of the values, and that values fit them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "classify/shape.h"

static void profile(struct adg_table_profile *table, const char *format, uint32_t count, uint32_t step)
{
    static const char *const names[] = {"A"};
    char text[64];
    assert_int_equal(adg_table_profile_init(table, names, 1, 1, NULL), ADG_OK);
    for (uint32_t i = 0; i < count; i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(text, sizeof text, format, i * step);
#pragma GCC diagnostic pop
        const struct adg_span span = {(const uint8_t *)text, strlen(text)};
        assert_int_equal(adg_profile_add(&table->columns[0], i, span, NULL), ADG_OK);
    }
}

static void test_shapes(void **state)
{
    (void)state;
    static const struct {
        const char *format;
        uint32_t count, step;
        double needed;
        enum adg_type type;
        const char *expected;
    } cases[] = {
        {"TEST%06u", 5000, 199, 0, ADG_TYPE_STRING, "TEST\\d{6}"},
        {"TEST%06u", 500, 1999, 0, ADG_TYPE_STRING, "[A-Z]{4}\\d{6}"}, /* too few to show a letter */
        {"a-%u", 5000, 1, 0, ADG_TYPE_STRING, "a\\-\\d\\d{0,3}"},
        {"%06u", 5000, 199, 0, ADG_TYPE_STRING, "\\d{6}"}, /* zeros in front: text */
        {"1%06u", 5000, 199, 0, ADG_TYPE_INT32, "[1-9]\\d{6}"},
        {"%u", 5000, 1, 0, ADG_TYPE_INT32, "\\d{4}"},
        {"%u", 5000, 1, 1e6, ADG_TYPE_INT32, "\\d{6}"},
        {"12345%07u", 5000, 1999, 0, ADG_TYPE_INT64, "[1-9]\\d{11}"},
        {"-%u", 5000, 1, 0, ADG_TYPE_STRING, "\\-\\d\\d{0,3}"},
        {"%08x", 5000, 857000, 0, ADG_TYPE_STRING, "[0-9a-f]{8}"},
        {"X%u", 9, 1, 1000, ADG_TYPE_STRING, "[0-9A-Z]{2}"},
        {"X%u", 9, 1, 2000, ADG_TYPE_STRING, "[0-9A-Z]{3}"},
        {"it's %u", 5000, 1, 0, ADG_TYPE_STRING, NULL}, /* a quote is legal, and doubled where it is written */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct adg_table_profile table = {0};
        struct adg_arena arena = {0};
        struct adg_error error = {{0}};
        struct adg_shape shape;
        const struct adg_pattern *pattern = NULL;
        size_t column;
        char text[64];
        profile(&table, cases[i].format, cases[i].count, cases[i].step);
        adg_shape_of(&table.columns[0], cases[i].count, cases[i].needed, &shape);
        if (cases[i].expected != NULL) {
            assert_string_equal(shape.pattern, cases[i].expected);
        }
        assert_int_equal(shape.type, cases[i].type);
        assert_int_equal(adg_pattern_compile(shape.pattern, &arena, &pattern, &column, &error), ADG_OK);
        assert_true((double)adg_pattern_count(pattern) >= cases[i].needed);
        if (shape.type == ADG_TYPE_STRING && !shape.widened) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            snprintf(text, sizeof text, cases[i].format, (cases[i].count - 1) * cases[i].step);
#pragma GCC diagnostic pop
            assert_true(adg_pattern_matches(pattern, text, strlen(text)));
        }
        adg_arena_fini(&arena);
        adg_table_profile_fini(&table);
    }
}

static void test_personal_shapes_show_nothing(void **state)
{
    (void)state;
    struct adg_table_profile table = {0};
    profile(&table, "9999%06u", 5000, 1);
    for (int kind = ADG_PERSONAL_EMAIL; kind <= ADG_PERSONAL_NUMBER; kind++) {
        struct adg_arena arena = {0};
        struct adg_shape shape;
        const struct adg_pattern *pattern = NULL;
        size_t column;
        adg_shape_of_personal(&table.columns[0], (enum adg_personal)kind, 5000, 1e6, &shape);
        assert_null(strstr(shape.pattern, "9999"));
        assert_int_equal(adg_pattern_compile(shape.pattern, &arena, &pattern, &column, NULL), ADG_OK);
        assert_true(adg_pattern_count(pattern) >= 1000000);
        adg_arena_fini(&arena);
    }
    adg_table_profile_fini(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_shapes),
                                       cmocka_unit_test(test_personal_shapes_show_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
