/*
 * Values of a block as text, kind by kind and type by type.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "block/block.h"
#include "block/text.h"

static const int32_t days[] = {-62091, 0}; /* 1800-01-01, 1970-01-01 */
static const int64_t unscaled[] = {-25, 150};
static const double doubles[] = {0.1, 1e21};
static const int64_t moments[] = {-1, 86400000000};
static const int32_t truths[] = {0, 1};
static const uint32_t offsets[] = {0, 6, 6, 15};
static const char cells[] = "\2\0\0\0ab\5\0\0\0c,\"d\"----------------"; /* ab, null, c,"d" */
static const uint32_t codes[] = {1, 0, 2};
static const uint8_t valid[] = {1, 0, 1};

static const struct adg_field fields[] = {
    {.name = "NOTHING", .type = ADG_TYPE_STRING},
    {.name = "DAY", .type = ADG_TYPE_DATE},
    {.name = "AMOUNT", .type = ADG_TYPE_DECIMAL, .precision = 5, .scale = 2},
    {.name = "TEXT", .type = ADG_TYPE_STRING},
    {.name = "REAL", .type = ADG_TYPE_DOUBLE},
    {.name = "MOMENT", .type = ADG_TYPE_TIMESTAMP},
    {.name = "TRUTH", .type = ADG_TYPE_BOOLEAN},
    {.name = "FIRST", .type = ADG_TYPE_DATE},
};
static const struct adg_dictionary day = {.type = ADG_TYPE_DATE, .count = 2, .values.i32 = days};
static const struct adg_dictionary amount = {.type = ADG_TYPE_DECIMAL, .count = 2, .values.i64 = unscaled};
static const struct adg_dictionary real = {.type = ADG_TYPE_DOUBLE, .count = 2, .values.f64 = doubles};
static const struct adg_dictionary moment = {.type = ADG_TYPE_TIMESTAMP, .count = 2, .values.i64 = moments};
static const struct adg_dictionary truth = {.type = ADG_TYPE_BOOLEAN, .count = 2, .values.i32 = truths};

static const struct adg_layout_column layout_columns[] = {
    {.field = &fields[0], .kind = ADG_COLUMN_NULL, .nullable = true},
    {.field = &fields[1], .kind = ADG_COLUMN_DICTIONARY, .dictionary = &day, .nullable = true},
    {.field = &fields[2], .kind = ADG_COLUMN_DICTIONARY, .dictionary = &amount, .nullable = true},
    {.field = &fields[3], .kind = ADG_COLUMN_PLAIN, .nullable = true},
    {.field = &fields[4], .kind = ADG_COLUMN_DICTIONARY, .dictionary = &real, .nullable = true},
    {.field = &fields[5], .kind = ADG_COLUMN_DICTIONARY, .dictionary = &moment, .nullable = true},
    {.field = &fields[6], .kind = ADG_COLUMN_DICTIONARY, .dictionary = &truth, .nullable = true},
    {.field = &fields[7], .kind = ADG_COLUMN_CONSTANT, .dictionary = &day, .nullable = false},
};
static const struct adg_layout layout = {"t", 8, layout_columns};

static void test_values(void **state)
{
    (void)state;
    static const struct {
        uint32_t column;
        const char *texts[3]; /* rows 0 to 2 */
    } cases[] = {
        {0, {NULL, NULL, NULL}},
        {1, {"1970-01-01", "1800-01-01", NULL}},
        {2, {"1.5", "-0.25", NULL}},
        {3, {"ab", NULL, "c,\"d\""}},
        {4, {"1000000000000000000000", "0.1", NULL}},
        {5, {"1970-01-02 00:00:00", "1969-12-31 23:59:59.999999", NULL}},
        {6, {"true", "false", NULL}},
        {7, {"1800-01-01", "1800-01-01", "1800-01-01"}},
    };
    struct adg_block_column columns[8] = {
        {0},
        {.codes = codes},
        {.codes = codes},
        {.valid = valid, .values.text = {.bytes = cells, .offsets = offsets}},
        {.codes = codes},
        {.codes = codes},
        {.codes = codes},
        {0},
    };
    const struct adg_block block = {.layout = &layout, .rows = 3, .columns = columns};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (uint32_t row = 0; row < 3; row++) {
            char text[64];
            int64_t length = adg_block_text(&block, cases[i].column, row, text, sizeof text);
            if (cases[i].texts[row] == NULL) {
                assert_int_equal(length, -1);
            } else {
                assert_string_equal(text, cases[i].texts[row]);
                assert_int_equal(length, strlen(cases[i].texts[row]));
            }
        }
    }
}

static void test_cut(void **state)
{
    (void)state;
    struct adg_block_column columns[8] = {{0}, {.codes = codes}};
    const struct adg_block block = {.layout = &layout, .rows = 3, .columns = columns};
    char text[5] = "....";
    assert_int_equal(adg_block_text(&block, 1, 0, text, sizeof text), 10);
    assert_string_equal(text, "1970");
    assert_int_equal(adg_block_text(&block, 1, 0, NULL, 0), 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_values), cmocka_unit_test(test_cut)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
