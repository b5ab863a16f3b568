/*
 * Identifier patterns: counted by hand, numbered without repetition, refused with the column.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dataset/pattern.h"

static uint64_t identity(const void *context, uint64_t tweak, uint64_t size, uint64_t index)
{
    (void)context;
    (void)tweak;
    assert_true(index < size);
    return index;
}

static uint32_t same_word(const void *context, uint64_t index, uint32_t w)
{
    (void)index;
    return *(const uint32_t *)context + w * 0x9E3779B9;
}

static void test_counts(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t count;
        uint32_t max_length;
        bool fixed;
    } cases[] = {
        {"\\d{12}", UINT64_C(1000000000000), 12, true},
        {"TEST[0-9a-zA-Z]{28}", UINT64_MAX, 32, true},
        {"a?a?", 3, 2, false},     /* "", a, aa: ambiguous, counted once */
        {"(ab|a)b?", 3, 3, false}, /* ab (twice), abb, a */
        {"[a-c]{2,3}", 9 + 27, 3, false},
        {"(A|B[0-9])\\-x", 11, 4, false},
        {"[0-9]{18}", UINT64_C(1000000000000000000), 18, true},
        {"[0-9]{19}", UINT64_MAX, 19, true}, /* 10^19 > 2^63 */
        {"[]-]", 2, 1, true},
        {"x{0}y", 1, 1, true},
        {"x(){256}{256}{256}{256}{256}", 1, 1, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct adg_arena arena = {0};
        const struct adg_pattern *pattern = NULL;
        size_t column = 0;
        enum adg_status status = adg_pattern_compile(cases[i].text, &arena, &pattern, &column, NULL);
        assert_int_equal(status, ADG_OK);
        assert_true(adg_pattern_count(pattern) == cases[i].count);
        assert_int_equal(adg_pattern_max_length(pattern), cases[i].max_length);
        assert_int_equal(adg_pattern_fixed_length(pattern), cases[i].fixed);
        assert_string_equal(adg_pattern_text(pattern), cases[i].text);
        adg_arena_fini(&arena);
    }
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void test_strings_are_distinct_and_match(void **state)
{
    (void)state;
    static const char *const texts[] = {"a?a?",   "(ab|a)b?",       "[a-c]{2,3}",
                                        "\\d\\d", "(x|y(1|2)?){2}", "[0-9]{2}(A|B|CC)?"};
    for (size_t t = 0; t < sizeof texts / sizeof texts[0]; t++) {
        struct adg_arena arena = {0};
        const struct adg_pattern *pattern = NULL;
        size_t column = 0;
        assert_int_equal(adg_pattern_compile(texts[t], &arena, &pattern, &column, NULL), ADG_OK);
        uint64_t count = adg_pattern_count(pattern);
        char(*strings)[ADG_PATTERN_MAX_LENGTH] = calloc(count, sizeof *strings);
        uint32_t word = 0;
        for (uint64_t i = 0; i < count; i++) {
            uint32_t length = adg_pattern_string(pattern, i, identity, same_word, &word, strings[i]);
            strings[i][length] = '\0';
            assert_true(adg_pattern_matches(pattern, strings[i], length));
            if (i > 0) {
                assert_true(by_bytes(strings[i - 1], strings[i]) < 0); /* numbered in byte order */
            }
        }
        assert_false(adg_pattern_matches(pattern, "~", 1));
        free(strings);
        adg_arena_fini(&arena);
    }
}

static void test_huge_space(void **state)
{
    (void)state;
    struct adg_arena arena = {0};
    const struct adg_pattern *pattern = NULL;
    size_t column = 0;
    assert_int_equal(adg_pattern_compile("TEST[0-9a-zA-Z]{28}|rare", &arena, &pattern, &column, NULL), ADG_OK);
    char first[ADG_PATTERN_MAX_LENGTH], second[ADG_PATTERN_MAX_LENGTH];
    for (uint32_t word = 0; word < 1000;
         word++) { /* the same random choices: the numbers alone tell the strings apart */
        uint32_t seed = word * 0x85EBCA6B;
        assert_int_equal(adg_pattern_string(pattern, word, identity, same_word, &seed, first), 32);
        assert_int_equal(adg_pattern_string(pattern, word + 1, identity, same_word, &seed, second), 32);
        assert_true(adg_pattern_matches(pattern, first, 32));
        assert_memory_not_equal(first, second, 32);
    }
    adg_arena_fini(&arena);
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t column;
        const char *expected;
    } cases[] = {
        {"", 0, "at least one character"}, {"ab*", 2, "finite"},      {"a+", 1, "finite"},     {"(ab", 3, "')'"},
        {"ab)", 2, "end of the pattern"},  {"[a", 2, "']'"},          {"[^a]", 1, "negated"},  {"a{2", 3, "'}'"},
        {"a{3,2}", 5, "first one"},        {"a{300}", 5, "256"},      {"[z-a]", 4, "upwards"}, {"{2}", 0, "literal"},
        {"a{200}b{200}", 12, "256"},       {"a\xC3\xA9", 1, "ASCII"}, {"a\\", 2, "ASCII"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct adg_arena arena = {0};
        struct adg_error error = {{0}};
        const struct adg_pattern *pattern = NULL;
        size_t column = 999;
        assert_int_equal(adg_pattern_compile(cases[i].text, &arena, &pattern, &column, &error), ADG_BAD_INPUT);
        assert_non_null(strstr(error.message, cases[i].expected));
        assert_int_equal(column, cases[i].column);
        adg_arena_fini(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_strings_are_distinct_and_match),
        cmocka_unit_test(test_huge_space),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
