/*
 * Naming a database: what a source says, what is refused as a secret, where a driver is found, what names become.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/file.h"
#include "core/memory.h"
#include "engine/target.h"

static char folder[] = "/tmp/test_target_XXXXXX";

static int make_folder(void **state)
{
    (void)state;
    unsetenv("ADG_SPARK_TOKEN");
    unsetenv("DATABRICKS_TOKEN");
    unsetenv("PGCONNECT_TIMEOUT");
    setenv("TARGET_SECRET", "hidden", 1);
    return mkdtemp(folder) != NULL ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    return adg_folder_remove(folder, NULL) == ADG_OK ? 0 : -1;
}

static const char *option_of(const struct adg_target *target, const char *key)
{
    for (uint32_t i = 0; i < target->option_count; i++) {
        if (strcmp(target->options[i].key, key) == 0) {
            return target->options[i].value;
        }
    }
    return NULL;
}

static void test_sources(void **state)
{
    (void)state;
    static const struct {
        const char *source, *dialect, *name, *of, *key, *value;
    } cases[] = {
        {"postgresql://a@b:1/c", NULL, "postgresql", "postgresql", "uri", "postgresql://a@b:1/c?connect_timeout=15"},
        {"postgres://b/c?sslmode=require", NULL, "postgresql", "postgresql", "uri",
         "postgres://b/c?sslmode=require&connect_timeout=15"},
        {"postgresql://b/c?connect_timeout=2", NULL, "postgresql", "postgresql", "uri",
         "postgresql://b/c?connect_timeout=2"},
        {"postgresql:///?service=ward&passfile=/x", NULL, "postgresql", "postgresql", "uri",
         "postgresql:///?service=ward&passfile=/x&connect_timeout=15"},
        {"sc://h:15002/;use_ssl=true", NULL, "spark", "spark", "uri", "sc://h:15002/;use_ssl=true"},
        {"adbc:sqlite?uri=a%3Db%26c&x=", "duckdb", "sqlite", "duckdb", "uri", "a=b&c"},
        {"adbc:sqlite?uri=a%3Db%26c&x=", "duckdb", "sqlite", "duckdb", "x", ""},
        {"adbc:/a/b.so?password=env:TARGET_SECRET", "spark", "/a/b.so", "spark", "password", "hidden"},
        {"adbc:flight", "postgresql", "flight", "postgresql", NULL, NULL},
        {"adbc:x?uri=postgresql://b/c?passfile=/x", "postgresql", "x", "postgresql", "uri",
         "postgresql://b/c?passfile=/x"},
        {"adbc:x?uri=a%3Db%3Dc", "postgresql", "x", "postgresql", "uri", "a=b=c"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct adg_arena arena = {0};
        struct adg_target target;
        struct adg_error error = {{0}};
        assert_true(adg_target_is(cases[i].source));
        if (adg_target_parse(cases[i].source, cases[i].dialect, &arena, &target, &error) != ADG_OK) {
            fail_msg("%s: %s", cases[i].source, error.message);
        }
        assert_string_equal(target.name, cases[i].name);
        assert_string_equal(target.dialect->name, cases[i].of);
        if (cases[i].key != NULL) {
            assert_string_equal(option_of(&target, cases[i].key), cases[i].value);
        }
        adg_arena_fini(&arena);
    }
    assert_false(adg_target_is("postgresql"));
    assert_false(adg_target_is("/duckdb:x"));
    assert_false(adg_target_is("data/sc://"));
}

static void test_destinations(void **state)
{
    (void)state;
    char file[64], uri[96];
    snprintf(file, sizeof file, "%s/new.duckdb", folder);
    snprintf(uri, sizeof uri, "duckdb:%s", file);
    const struct {
        const char *out, *name, *key, *value;
        enum adg_status status;
    } cases[] = {
        {"postgresql://a@b:1/c", "postgresql", "uri", "postgresql://a@b:1/c?connect_timeout=15", ADG_OK},
        {"adbc:sqlite?uri=/x/y", "sqlite", "uri", "/x/y", ADG_OK},
        {uri, "duckdb", "path", file, ADG_OK},
        {uri, "duckdb", "access_mode", "READ_WRITE", ADG_OK},
        {"postgresql://a:hidden@b:1/c", NULL, NULL, NULL, ADG_USAGE},
        {"adbc:x?uri=postgresql://b/c%3Fpassword%3Dhidden", NULL, NULL, NULL, ADG_USAGE},
        {"adbc:", NULL, NULL, NULL, ADG_USAGE},
        {"duckdb:", NULL, NULL, NULL, ADG_USAGE},
        {"duckdb:/tmp/", NULL, NULL, NULL, ADG_USAGE},
        {"duckdb:/no/such/folder/x", "duckdb", "path", "/no/such/folder/x", ADG_OK},
        {"sc://b:1", NULL, NULL, NULL, ADG_USAGE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct adg_arena arena = {0};
        struct adg_target target = {0};
        struct adg_error error = {{0}};
        if (adg_target_parse_out(cases[i].out, "--out", &arena, &target, &error) != cases[i].status) {
            fail_msg("%s: %s", cases[i].out, error.message);
        }
        assert_null(strstr(error.message, "hidden"));
        if (cases[i].status == ADG_OK) {
            assert_string_equal(target.name, cases[i].name);
            assert_string_equal(option_of(&target, cases[i].key), cases[i].value);
        } else if (cases[i].status == ADG_USAGE) {
            assert_memory_equal(error.message, "option --out", strlen("option --out"));
        }
        adg_arena_fini(&arena);
    }
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *source, *dialect;
    } cases[] = {
        {"postgresql://a:hidden@b/c", NULL},
        {"postgresql://a:hid@den@b/c", NULL},
        {"postgresql://b/c?x=1&password=hidden", NULL},
        {"postgresql://b/c?x=1&%70assword=hidden", NULL},
        {"sc://h/;token=hidden", NULL},
        {"sc://u:hidden@h", NULL},
        {"sc://h/;x=1;Authorization=hidden", NULL},
        {"adbc:x?adbc.snowflake.sql.auth_token=hidden", "duckdb"},
        {"adbc:x?uri=grpc://a:hidden@b", "duckdb"},
        {"adbc:x?uri=postgresql://b/c%3Fpassword%3Dhidden", "duckdb"},
        {"adbc:x?uri=postgresql://b/c?password=hidden", "duckdb"},
        {"adbc:x?uri=postgresql://b/c%3Fx%3D1%26sslpassword%3Dhidden", "duckdb"},
        {"adbc:x?uri=host%3Db password%3Dhidden", "duckdb"},
        {"adbc:x?uri=host%3Db password %3D hidden", "duckdb"},
        {"adbc:x?uri=Driver%3DX;PWD%3Dhidden", "duckdb"},
        {"adbc:x?config={\"token=hidden", "duckdb"},
        {"adbc:x?uri=env:TARGET_NOT_SET", "duckdb"},
        {"adbc:x?=hidden", "duckdb"},
        {"adbc:x?hidden", "duckdb"},
        {"adbc:x", NULL},
        {"adbc:x", "hidden"},
        {"adbc:", "duckdb"},
        {"duckdb:", NULL},
        {"duckdb:x", "duckdb"},
        {"sc://h", "spark"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct adg_arena arena = {0};
        struct adg_target target;
        struct adg_error error = {{0}};
        if (adg_target_parse(cases[i].source, cases[i].dialect, &arena, &target, &error) != ADG_USAGE) {
            fail_msg("not refused: %s", cases[i].source);
        }
        assert_null(strstr(error.message, "hidden"));
        adg_arena_fini(&arena);
    }
}

static void test_tokens_of_the_environment(void **state)
{
    (void)state;
    struct adg_arena arena = {0};
    struct adg_target target;
    setenv("DATABRICKS_TOKEN", "second", 1);
    assert_int_equal(adg_target_parse("sc://h", NULL, &arena, &target, NULL), ADG_OK);
    assert_string_equal(option_of(&target, "adbc.spark.token"), "second");
    setenv("ADG_SPARK_TOKEN", "first", 1);
    assert_int_equal(adg_target_parse("sc://h", NULL, &arena, &target, NULL), ADG_OK);
    assert_string_equal(option_of(&target, "adbc.spark.token"), "first");
    unsetenv("ADG_SPARK_TOKEN");
    unsetenv("DATABRICKS_TOKEN");
    adg_arena_fini(&arena);
}

/* Every allocation in turn fails: that is said, and nothing is lost. */
static void test_without_memory(void **state)
{
    (void)state;
    static const char *const sources[] = {"postgresql://a@b/c?x=y", "sc://h/;a=b", "adbc:x?a=b&c=d"};
    for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++) {
        enum adg_status status = ADG_FAILED;
        for (uint64_t n = 1; status != ADG_OK && n < 100; n++) {
            struct adg_arena arena = {0};
            struct adg_target target;
            adg_memory_fail_at(n);
            status = adg_target_parse(sources[i], i == 2 ? "spark" : NULL, &arena, &target, NULL);
            if (status == ADG_OK) {
                status = adg_target_find_driver(&target, &arena, NULL);
            }
            adg_memory_fail_at(0);
            assert_true(status == ADG_OK || status == ADG_FAILED);
            adg_arena_fini(&arena);
        }
        assert_int_equal(status, ADG_OK);
    }
}

static void put(const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(adg_file_write(path, text, strlen(text), NULL), ADG_OK);
}

static void test_drivers(void **state)
{
    (void)state;
    char path[256];
    setenv("ADBC_DRIVER_PATH", folder, 1);
    put("one.toml",
        "name = \"One\"\nshared = \"/wrong\"\n[Driver]\n  entrypoint = 'OneInit'\nshared=\"/lib/one.so\"\n");
    put("two.toml",
        "[Driver]\r\n[Driver.shared]\r\nlinux_amd64 = \"/lib/two.so\"\r\nlinux_arm64 = \"/lib/two.so\"\r\n");
    put("three.toml", "[Driver]\nshared = three\n[Other]\nshared = \"/wrong\"\n");
    put("libadbc_driver_four.so", "");
    static const struct {
        const char *source, *library, *entry;
    } cases[] = {
        {"adbc:one", "/lib/one.so", "OneInit"},
        {"adbc:two", "/lib/two.so", NULL},
        {"adbc:three", NULL, NULL},
        {"adbc:four", "*", NULL},
        {"adbc:five", "libadbc_driver_five.so", NULL},
        {"adbc:/a/six.so", "/a/six.so", NULL},
    };
    snprintf(path, sizeof path, "%s/libadbc_driver_four.so", folder);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct adg_arena arena = {0};
        struct adg_target target;
        assert_int_equal(adg_target_parse(cases[i].source, "duckdb", &arena, &target, NULL), ADG_OK);
        enum adg_status status = adg_target_find_driver(&target, &arena, NULL);
        assert_int_equal(status, cases[i].library == NULL ? ADG_FAILED : ADG_OK);
        if (cases[i].library != NULL) {
            assert_string_equal(target.library, cases[i].library[0] == '*' ? path : cases[i].library);
            assert_true((cases[i].entry == NULL) == (target.entry == NULL));
            assert_true(cases[i].entry == NULL || strcmp(cases[i].entry, target.entry) == 0);
        }
        adg_arena_fini(&arena);
    }
    unsetenv("ADBC_DRIVER_PATH");
}

static void test_names(void **state)
{
    (void)state;
    static const struct {
        const char *dialect, *name, *sql;
    } cases[] = {
        {"postgresql", "t", "\"t\""},
        {"postgresql", "hes.APC_2021", "\"hes\".\"APC_2021\""},
        {"spark", "c.s.t", "`c`.`s`.`t`"},
        {"spark", "a`b", "`a``b`"},
        {"duckdb", "\"a.b\".\"c\"\"d\"", "\"a.b\".\"c\"\"d\""},
        {"duckdb", "x; drop table y", "\"x; drop table y\""},
        {"duckdb", "", NULL},
        {"duckdb", ".", NULL},
        {"duckdb", "a.", NULL},
        {"duckdb", "\"a", NULL},
        {"duckdb", "\"a\"b", NULL},
        {"duckdb", "\"\"", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct adg_buffer sql = {0};
        enum adg_status status = adg_dialect_table(adg_dialect_find(cases[i].dialect), &sql, cases[i].name, NULL);
        assert_int_equal(status, cases[i].sql == NULL ? ADG_USAGE : ADG_OK);
        if (cases[i].sql != NULL) {
            assert_string_equal(adg_buffer_text(&sql), cases[i].sql);
        }
        adg_buffer_fini(&sql);
    }
    struct adg_buffer literal = {0};
    assert_int_equal(adg_dialect_literal(adg_dialect_find("spark"), &literal, "a'b\\c", NULL), ADG_OK);
    assert_string_equal(adg_buffer_text(&literal), "'a\\'b\\\\c'");
    literal.size = 0;
    assert_int_equal(adg_dialect_literal(adg_dialect_find("postgresql"), &literal, "a'b\\c", NULL), ADG_OK);
    assert_string_equal(adg_buffer_text(&literal), "'a''b\\c'");
    literal.size = 0;
    assert_int_equal(adg_sql_fill(&literal, "$2 $ $1$1 $", (const char *const[]){"$2", "b"}, NULL), ADG_OK);
    assert_string_equal(adg_buffer_text(&literal), "b $ $2$2 $");
    adg_buffer_fini(&literal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sources), cmocka_unit_test(test_destinations),
        cmocka_unit_test(test_refused), cmocka_unit_test(test_tokens_of_the_environment),
        cmocka_unit_test(test_names),   cmocka_unit_test(test_without_memory),
        cmocka_unit_test(test_drivers),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
