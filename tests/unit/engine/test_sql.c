/*
 * SQL made of pieces: what names, texts and patterns become in each dialect, and that the first failure is kept.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/memory.h"
#include "engine/sql.h"

static struct adg_sql begin(const char *dialect, struct adg_arena *arena, struct adg_error *error)
{
    return (struct adg_sql){.dialect = adg_dialect_find(dialect), .arena = arena, .error = error};
}

static void pieces_of_each_dialect(void **state)
{
    (void)state;
    static const struct {
        const char *dialect, *made;
    } cases[] = {
        {"duckdb", "select \"a\"\"b`\" from \"s\".\"x.y\" where regexp_full_match(c, 'it''s \\d$1') and n > -5"},
        {"postgresql", "select \"a\"\"b`\" from \"s\".\"x.y\" where (c ~ '^(?:it''s \\d$1)$') and n > -5"},
        {"spark", "select `a\"b``` from `s`.`x.y` where (c rlike '^(?:it\\'s \\\\d$1)\\\\z') and n > -5"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct adg_arena arena = {0};
        struct adg_error error = {{0}};
        struct adg_sql sql = begin(cases[i].dialect, &arena, &error);
        const char *made = ADG_SQL(&sql, "select $1 from $2 where $3 and n > $4", adg_sql_name(&sql, "a\"b`"),
                                   adg_sql_table(&sql, "s.\"x.y\""), adg_sql_matches(&sql, "c", "it's \\d$1"),
                                   adg_sql_number(&sql, -5));
        assert_int_equal(sql.status, ADG_OK);
        assert_string_equal(made, cases[i].made);
        adg_arena_fini(&arena);
    }
}

static void a_failure_is_kept(void **state)
{
    (void)state;
    struct adg_arena arena = {0};
    struct adg_error error = {{0}};
    struct adg_sql sql = begin("duckdb", &arena, &error);
    const char *table = adg_sql_table(&sql, "a..b");
    assert_int_equal(sql.status, ADG_USAGE);
    assert_string_equal(table, "");
    struct adg_error first = error;
    assert_string_equal(ADG_SQL(&sql, "select $1", adg_sql_name(&sql, "a")), "");
    assert_string_equal(adg_sql_quote(&sql, "x"), "");
    assert_int_equal(sql.status, ADG_USAGE);
    assert_string_equal(error.message, first.message);
    adg_arena_fini(&arena);
}

static void without_memory(void **state)
{
    (void)state;
    bool failed = true;
    for (uint64_t n = 1; failed; n++) {
        struct adg_arena arena = {0};
        struct adg_error error = {{0}};
        struct adg_sql sql = begin("spark", &arena, &error);
        adg_memory_fail_at(n);
        const char *made = ADG_SQL(&sql, "$1 $2", adg_sql_matches(&sql, adg_sql_name(&sql, "a"), "b"),
                                   adg_sql_table(&sql, "c.d"));
        adg_memory_fail_at(0);
        failed = sql.status != ADG_OK;
        assert_true(!failed || made[0] == '\0');
        assert_true(failed == (error.message[0] != '\0'));
        adg_arena_fini(&arena);
        assert_true(n < 1000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_of_each_dialect),
        cmocka_unit_test(a_failure_is_kept),
        cmocka_unit_test(without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
