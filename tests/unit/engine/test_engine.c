/*
 * The engine: rows out, nothing readable but what was named, and no value in its messages.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/file.h"
#include "core/memory.h"
#include "engine/engine.h"
#include "engine/spill.h"

static char folder[] = "/tmp/test_engine_XXXXXX";
static struct adg_engine *engine;

static int open_engine(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL) {
        return -1;
    }
    const struct adg_engine_options options = {.threads = 1, .folder = folder};
    return adg_engine_open(&options, &engine, NULL) == ADG_OK ? 0 : -1;
}

static int close_engine(void **state)
{
    (void)state;
    adg_engine_free(engine);
    return adg_folder_remove(folder, NULL) == ADG_OK ? 0 : -1;
}

/* 40,000 rows, many batches: a number, its half or null, its text, nothing. */
static void test_rows_out(void **state)
{
    (void)state;
    static const char query[] = "select i, case when i % 4 > 0 then cast(i as double) / 2 end, 't' || i || ',''\"', "
                                "cast(null as varchar) from range(40000) s(i) order by i";
    struct adg_error error = {{0}};
    struct adg_engine_result *result = NULL;
    assert_int_equal(adg_engine_query(engine, query, "reading", &result, &error), ADG_OK);
    bool has_row = false;
    for (int64_t i = 0; i < 40000; i++) {
        char text[32];
        int length = snprintf(text, sizeof text, "t%d,'\"", (int)i);
        assert_int_equal(adg_engine_next(result, &has_row, &error), ADG_OK);
        assert_true(has_row);
        assert_int_equal(adg_engine_int(result, 0), i);
        assert_int_equal(adg_engine_is_null(result, 1), i % 4 == 0);
        if (i % 4 != 0) {
            assert_true(adg_engine_double(result, 1) == (double)i / 2);
        }
        assert_int_equal(adg_engine_text(result, 2).size, length);
        assert_memory_equal(adg_engine_text(result, 2).data, text, length);
    }
    assert_int_equal(adg_engine_next(result, &has_row, &error), ADG_OK);
    assert_false(has_row);
    adg_engine_result_free(result);

    enum { SOME = 100 };
    static int64_t integers[SOME];
    static double numbers[SOME];
    static bool nulls[SOME];
    static struct adg_span texts[SOME];
    int64_t seen = 0;
    uint32_t rows = 1;
    assert_int_equal(adg_engine_query(engine, query, "reading", &result, &error), ADG_OK);
    while (rows > 0) {
        assert_int_equal(adg_engine_next_batch(result, &rows, &error), ADG_OK);
        for (uint32_t first = 0; first < rows; first += SOME) {
            uint32_t count = rows - first < SOME ? rows - first : SOME, filled = 0;
            assert_int_equal(adg_engine_read_ints(result, 0, first, count, integers, nulls), count);
            assert_int_equal(adg_engine_read_texts(result, 2, first, count, texts), count);
            assert_int_equal(adg_engine_read_texts(result, 3, first, count, texts), 0);
            uint32_t told = adg_engine_read_doubles(result, 1, first, count, numbers, nulls);
            for (uint32_t i = 0; i < count; i++, seen++) {
                assert_int_equal(integers[i], seen);
                assert_int_equal(nulls[i], seen % 4 == 0);
                assert_true(nulls[i] || numbers[i] == (double)seen / 2);
                filled += !nulls[i];
            }
            assert_int_equal(told, filled);
        }
    }
    assert_int_equal(seen, 40000);
    adg_engine_result_free(result);
}

static void test_messages_hold_no_value(void **state)
{
    (void)state;
    static const char *const statements[] = {
        "select cast('SECRET' as integer)",
        "select error('SECRET')",
        "select * from SECRET",
        "select 'SECRET",
    };
    for (size_t i = 0; i < sizeof statements / sizeof statements[0]; i++) {
        struct adg_error error = {{0}};
        assert_int_not_equal(adg_engine_execute(engine, statements[i], "counting field CODE", &error), ADG_OK);
        assert_non_null(strstr(error.message, "counting field CODE"));
        assert_null(strstr(error.message, "SECRET"));
    }
}

/* A query that fails after it gave rows must not look like one that ended. */
static void test_failing_half_way(void **state)
{
    (void)state;
    static const char *const queries[] = {
        "select case when i = 300000 then error('SECRET') else i::varchar end from range(400000) s(i)",
        "select cast(case when i = 300000 then 'SECRET' else '1' end as integer) from range(400000) s(i)",
        "select cast(case when i = 0 then 'SECRET' else '1' end as integer) from range(10) s(i)",
    };
    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++) {
        struct adg_engine_result *result = NULL;
        struct adg_error error = {{0}};
        bool has_row = true;
        enum adg_status status = adg_engine_query(engine, queries[i], "reading", &result, &error);
        while (status == ADG_OK && has_row) {
            status = adg_engine_next(result, &has_row, &error);
        }
        assert_int_not_equal(status, ADG_OK);
        assert_null(strstr(error.message, "SECRET"));
        adg_engine_result_free(result);
        assert_int_not_equal(adg_engine_execute(engine, queries[i], "reading", &error), ADG_OK);
    }
}

static void test_nothing_else_is_reachable(void **state)
{
    (void)state;
    static const char *const statements[] = {
        "select * from read_text('/etc/passwd')",
        "copy (select 1) to '/tmp/adg_test_engine_leak.csv'",
        "attach '/tmp/adg_test_engine_leak.db' as other",
        "install httpfs",
        "load httpfs",
        "set enable_external_access=true",
        "set allowed_directories=['/']",
        "set threads=64",
    };
    for (size_t i = 0; i < sizeof statements / sizeof statements[0]; i++) {
        if (adg_engine_execute(engine, statements[i], "trying", NULL) == ADG_OK) {
            fail_msg("was done: %s", statements[i]);
        }
    }
    assert_int_not_equal(access("/tmp/adg_test_engine_leak.csv", F_OK), 0);
    assert_int_not_equal(access("/tmp/adg_test_engine_leak.db", F_OK), 0);
}

static void test_quoting(void **state)
{
    (void)state;
    struct adg_buffer sql = {0};
    assert_int_equal(adg_sql_literal(&sql, "o'clock", NULL), ADG_OK);
    assert_int_equal(adg_sql_identifier(&sql, "a\"b", NULL), ADG_OK);
    assert_string_equal(adg_buffer_text(&sql), "'o''clock'\"a\"\"b\"");
    adg_buffer_fini(&sql);
}

static void test_memory_limit_spills(void **state)
{
    (void)state;
    const struct adg_engine_options options = {.threads = 1, .folder = folder, .memory_bytes = 128 << 20};
    struct adg_engine *small = NULL;
    struct adg_error error = {{0}};
    struct adg_engine_result *result = NULL;
    bool has_row = false;
    assert_int_equal(adg_engine_open(&options, &small, &error), ADG_OK);
    /* 5 million texts of 40 bytes, no two alike: 200 MB */
    assert_int_equal(
        adg_engine_execute(small,
                           "create table wide as select md5(i::varchar) || i::varchar as t from range(5000000) s(i)",
                           "filling", &error),
        ADG_OK);
    assert_int_equal(
        adg_engine_query(small, "select sum(bytes) > 0 from (select sum(size) as bytes from duckdb_temporary_files())",
                         "looking", &result, &error),
        ADG_OK);
    assert_int_equal(adg_engine_next(result, &has_row, &error), ADG_OK);
    assert_true(has_row && adg_engine_int(result, 0) != 0);
    adg_engine_result_free(result);
    assert_int_equal(adg_engine_query(small, "select count(distinct t) from wide", "counting", &result, &error),
                     ADG_OK);
    assert_int_equal(adg_engine_next(result, &has_row, &error), ADG_OK);
    assert_int_equal(adg_engine_int(result, 0), 5000000);
    adg_engine_result_free(result);
    adg_engine_free(small);
}

/* A path that is too long to be resolved is said to be that, and nothing is left. */
static void test_spill_in_a_deep_folder(void **state)
{
    (void)state;
    char top[] = "/tmp/test_engine_deep_XXXXXX", name[201], *spill = NULL;
    struct adg_error error = {{0}};
    memset(name, 'd', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_non_null(mkdtemp(top));
    assert_int_equal(chdir(top), 0);
    for (int depth = 0; depth < 25; depth++) {
        assert_int_equal(mkdir(name, 0700), 0);
        assert_int_equal(chdir(name), 0);
    }
    assert_int_equal(adg_spill_create("meta", &spill, &error), ADG_FAILED);
    assert_null(spill);
    assert_non_null(strstr(error.message, "cannot be resolved"));
    assert_non_null(strstr(error.message, "too long"));
    assert_int_equal(chdir(".."), 0);
    assert_int_equal(rmdir(name), 0); /* it is empty */
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(adg_folder_remove(top, &error), ADG_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_out),
        cmocka_unit_test(test_messages_hold_no_value),
        cmocka_unit_test(test_nothing_else_is_reachable),
        cmocka_unit_test(test_quoting),
        cmocka_unit_test(test_memory_limit_spills),
        cmocka_unit_test(test_spill_in_a_deep_folder),
        cmocka_unit_test(test_failing_half_way),
    };
    return cmocka_run_group_tests(tests, open_engine, close_engine);
}
