/*
 * Endings, order, percent-encoding.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/strings.h"

static void test_endings(void **state)
{
    (void)state;
    assert_true(adg_ends_with("a.csv", ".csv"));
    assert_false(adg_ends_with(".csv", ".csv"));
    assert_false(adg_ends_with("a.CSV", ".csv"));
    assert_false(adg_ends_with("csv", ".csv"));
    assert_false(adg_ends_with("", "x"));
}

static void test_order(void **state)
{
    (void)state;
    const char *texts[] = {"b", "a", "\xc3\xa4", "B", ""};
    static const char *const sorted[] = {"", "B", "a", "b", "\xc3\xa4"};
    qsort(texts, 5, sizeof texts[0], adg_compare_texts);
    for (int i = 0; i < 5; i++) {
        assert_string_equal(texts[i], sorted[i]);
    }
}

static void test_percent(void **state)
{
    (void)state;
    static const struct {
        const char *text, *plain;
    } cases[] = {{"", ""},     {"a%20b", "a b"}, {"%41%62", "Ab"}, {"%c3%A4", "\xc3\xa4"}, {"100%", "100%"},
                 {"%4", "%4"}, {"%4x", "%4x"},   {"%%41", "%A"},   {"%2541", "%41"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char out[16];
        strcpy(out, cases[i].text);
        out[adg_percent_decode(out, strlen(out), out)] = '\0'; /* in place */
        assert_string_equal(out, cases[i].plain);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_endings),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_percent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
