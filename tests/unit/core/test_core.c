/*
 * Errors, arenas, buffers, parallel-for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/arena.h"
#include "core/buffer.h"
#include "core/memory.h"
#include "core/parallel.h"

static void test_messages(void **state)
{
    (void)state;
    struct adg_error error = {{0}};
    assert_int_equal(adg_fail(&error, ADG_BAD_INPUT, "line %d: no number", 7), ADG_BAD_INPUT);
    assert_int_equal(adg_context(&error, ADG_BAD_INPUT, "table %s", "t"), ADG_BAD_INPUT);
    assert_string_equal(error.message, "table t: line 7: no number");
    assert_int_equal(adg_context(&error, ADG_OK, "untouched"), ADG_OK);
    assert_string_equal(error.message, "table t: line 7: no number");
    assert_int_equal(adg_fail(NULL, ADG_FAILED, "nobody listens"), ADG_FAILED);
}

static void test_cut_messages_stay_utf8(void **state)
{
    (void)state;
    struct adg_error error = {{0}};
    char text[3001];
    for (size_t i = 0; i < 3000; i += 3) {
        memcpy(text + i, "\xE2\x82\xAC", 3); /* the euro sign */
    }
    text[3000] = '\0';
    for (size_t shift = 0; shift < 3; shift++) {
        assert_int_equal(adg_fail(&error, ADG_FAILED, "%.*s%s", (int)shift, "..", text), ADG_FAILED);
        size_t length = strlen(error.message);
        assert_true(length > sizeof error.message - 6);
        assert_memory_equal(error.message + length - 3, "\xE2\x82\xAC", 3);
    }
}

static void test_arena(void **state)
{
    (void)state;
    struct adg_arena arena = {0};
    char *kept = adg_arena_strdup(&arena, "kept");
    for (size_t i = 0; i < 2000; i++) {
        char *memory = adg_arena_alloc(&arena, i);
        assert_non_null(memory);
        assert_int_equal((uintptr_t)memory % 16, 0);
        memset(memory, 0xAA, i);
    }
    assert_string_equal(kept, "kept");
    size_t given = adg_arena_bytes(&arena);
    assert_true(given >= 2000 * 1999 / 2 && given < 2 * 2000 * 1999 / 2);
    assert_non_null(adg_arena_alloc(&arena, 16));
    assert_int_equal(adg_arena_bytes(&arena), given + 16);
    assert_null(adg_arena_array(&arena, SIZE_MAX / 2, 4));
    assert_null(adg_arena_alloc(&arena, SIZE_MAX));
    adg_arena_fini(&arena);
    assert_int_equal(adg_arena_bytes(&arena), 0);
    adg_arena_fini(&arena);
}

static void test_buffer(void **state)
{
    (void)state;
    struct adg_buffer buffer = {0};
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(adg_buffer_printf(&buffer, NULL, "%d,", i), ADG_OK);
    }
    assert_int_equal(buffer.size, 10 * 2 + 90 * 3 + 900 * 4);
    assert_memory_equal(adg_buffer_text(&buffer), "0,1,2,", 6);
    assert_int_equal(adg_buffer_reserve(&buffer, SIZE_MAX, NULL), ADG_FAILED);
    adg_buffer_fini(&buffer);
}

struct sum {
    atomic_uint_fast64_t total;
    uint64_t fails_from;
};

static enum adg_status add(void *context, uint64_t part, struct adg_error *error)
{
    struct sum *sum = context;
    if (part >= sum->fails_from) {
        return adg_fail(error, ADG_BAD_INPUT, "part %d", (int)part);
    }
    atomic_fetch_add(&sum->total, part);
    return ADG_OK;
}

static void test_parallel_for(void **state)
{
    (void)state;
    for (unsigned threads = 1; threads <= 5; threads++) {
        struct sum sum = {.fails_from = UINT64_MAX};
        assert_int_equal(adg_parallel_for(threads, 1000, add, &sum, NULL), ADG_OK);
        assert_int_equal(atomic_load(&sum.total), 999 * 1000 / 2);
        struct sum failing = {.fails_from = 500};
        struct adg_error error = {{0}};
        assert_int_equal(adg_parallel_for(threads, 1000, add, &failing, &error), ADG_BAD_INPUT);
        assert_string_equal(error.message, "part 500");
        assert_int_equal(adg_parallel_for(threads, 0, add, &failing, &error), ADG_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages), cmocka_unit_test(test_cut_messages_stay_utf8), cmocka_unit_test(test_arena),
        cmocka_unit_test(test_buffer),   cmocka_unit_test(test_parallel_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
