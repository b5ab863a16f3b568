/*
 * Distinct texts: each once, in the order of bytes, and found again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "migrate/entries.h"

static struct adg_span span(const char *text)
{
    return (struct adg_span){(const uint8_t *)text, strlen(text)};
}

static struct adg_entries *make(const char *const *texts, size_t count)
{
    struct adg_entries *entries = NULL;
    assert_int_equal(adg_entries_new(&entries, NULL), ADG_OK);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(adg_entries_add(entries, span(texts[i]), NULL), ADG_OK);
    }
    assert_int_equal(adg_entries_sort(entries, NULL), ADG_OK);
    return entries;
}

static void test_order_and_codes(void **state)
{
    static const char *const texts[] = {"b", "", "aa", "b", "a", "\xc3\xa4", "Z", "aa", ""};
    static const char *const sorted[] = {"", "Z", "a", "aa", "b", "\xc3\xa4"};
    struct adg_entries *entries = make(texts, sizeof texts / sizeof texts[0]);
    const int32_t *offsets = NULL;
    const uint8_t *bytes = NULL;
    (void)state;
    assert_int_equal(adg_entries_texts(entries, &offsets, &bytes), 6);
    for (int32_t i = 0; i < 6; i++) {
        assert_int_equal(offsets[i + 1] - offsets[i], strlen(sorted[i]));
        assert_memory_equal(bytes + offsets[i], sorted[i], strlen(sorted[i]));
        assert_int_equal(adg_entries_find(entries, span(sorted[i])), i);
    }
    assert_int_equal(adg_entries_bytes(entries), offsets[6]);
    assert_int_equal(adg_entries_find(entries, span("ab")), -1);
    assert_int_equal(adg_entries_find(entries, (struct adg_span){(const uint8_t *)"a\0", 2}), -1);
    adg_entries_free(entries);
}

static void test_none(void **state)
{
    struct adg_entries *entries = make(NULL, 0);
    const int32_t *offsets = NULL;
    const uint8_t *bytes = NULL;
    (void)state;
    assert_int_equal(adg_entries_texts(entries, &offsets, &bytes), 0);
    assert_int_equal(offsets[0], 0);
    assert_int_equal(adg_entries_find(entries, span("")), -1);
    adg_entries_free(entries);
    adg_entries_free(NULL);
}

/* More than the table of numbers begins with; added backwards and twice. */
static void test_many(void **state)
{
    enum { COUNT = 20000 };
    struct adg_entries *entries = NULL;
    char text[16];
    (void)state;
    assert_int_equal(adg_entries_new(&entries, NULL), ADG_OK);
    for (int i = 2 * COUNT - 1; i >= 0; i--) {
        snprintf(text, sizeof text, "%08d", i % COUNT);
        assert_int_equal(adg_entries_add(entries, span(text), NULL), ADG_OK);
    }
    assert_int_equal(adg_entries_bytes(entries), 8 * COUNT);
    assert_int_equal(adg_entries_sort(entries, NULL), ADG_OK);
    for (int i = 0; i < COUNT; i++) {
        snprintf(text, sizeof text, "%08d", i);
        assert_int_equal(adg_entries_find(entries, span(text)), i);
    }
    adg_entries_free(entries);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_and_codes),
        cmocka_unit_test(test_none),
        cmocka_unit_test(test_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
