/*
 * A whole file, without memory at each place in turn.
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

#include "classify/classify.h"
#include "core/memory.h"

static char folder[] = "/tmp/adg-classify.XXXXXX";
static char path[64];

static int set_up(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/a table.csv", folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("RECORD_ID,PERSON_ID,CODE_01,CODE_02,CODES,SEEN,LEFT,DAYS,Some text\n", file);
    for (int i = 0; i < 400; i++) {
        fprintf(file, "%d,P%03d,A%d,%s,\"A%d%s\",2020-01-%02d,2020-01-%02d,3,%c\n", 100000 + i, i % 50, i % 7,
                i % 2 == 0 ? "B1" : "", i % 7, i % 2 == 0 ? ",B1" : "", 1 + i % 20, 4 + i % 20, 'x' + i % 3);
    }
    fclose(file);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static void test_allocation_failures(void **state)
{
    (void)state;
    const struct adg_classify_options options = {.path = path, .beside = path};
    enum adg_status status = ADG_FAILED;
    uint64_t n = 1;
    for (; status != ADG_OK; n++) {
        struct adg_classify_result result = {0};
        struct adg_error error = {{0}};
        adg_memory_fail_at(n);
        status = adg_classify(&options, &result, &error);
        adg_memory_fail_at(0);
        assert_true(status == ADG_OK || status == ADG_FAILED);
        assert_int_equal(result.text.size > 0, status == ADG_OK);
        adg_classify_result_fini(&result);
    }
    assert_true(n > 50);
}

static void test_names(void **state)
{
    (void)state;
    char longest[102];
    memset(longest, 'a', 101);
    longest[101] = '\0';
    assert_false(adg_classify_is_name(longest));
    longest[100] = '\0';
    assert_true(adg_classify_is_name(longest));
    assert_true(adg_classify_is_name("hes_apc_1920"));
    assert_false(adg_classify_is_name(""));
    assert_false(adg_classify_is_name("a b"));
    assert_false(adg_classify_is_name("a-b"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_allocation_failures), cmocka_unit_test(test_names)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
