/*
 * The sample of distinct values: exact while it has room, an estimate with exact counts afterwards.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "classify/sketch.h"
#include "core/memory.h"

static void test_exact_with_room(void **state)
{
    (void)state;
    struct adg_sketch sketch = {.most = 1000};
    for (uint64_t i = 0; i < 5000; i++) {
        assert_int_equal(adg_sketch_add(&sketch, adg_mix(i % 500 + 1), NULL), ADG_OK);
    }
    struct adg_sketch_summary summary = adg_sketch_summarise(&sketch);
    assert_int_equal(summary.distinct, 500);
    assert_int_equal(summary.repeated, 500);
    assert_int_equal(summary.rare_records, 0);
    assert_true(summary.chance > 0.00199 && summary.chance < 0.00201);
    assert_true(adg_sketch_find(&sketch, adg_mix(1)) >= 0);
    assert_int_equal(adg_sketch_find(&sketch, adg_mix(501)), -1);
    adg_sketch_fini(&sketch);
}

static void test_estimate_without_room(void **state)
{
    (void)state;
    enum { DISTINCT = 300000 };
    struct adg_sketch sketch = {.most = 4096};
    for (uint64_t i = 0; i < DISTINCT; i++) {
        assert_int_equal(adg_sketch_add(&sketch, adg_mix(i + 1), NULL), ADG_OK);
    }
    struct adg_sketch_summary summary = adg_sketch_summarise(&sketch);
    /* six standard errors of an estimate from 2,048 or more values */
    assert_in_range(summary.distinct, DISTINCT * 87 / 100, DISTINCT * 113 / 100);
    assert_in_range(summary.kept, 1500, 4096);
    assert_int_equal(summary.repeated, 0);
    assert_true(sketch.slots <= 16384);
    for (uint64_t i = 0; i < DISTINCT; i++) { /* kept or not, a value's counts are all or none */
        assert_int_equal(adg_sketch_add(&sketch, adg_mix(i + 1), NULL), ADG_OK);
    }
    summary = adg_sketch_summarise(&sketch);
    assert_int_equal(summary.repeated, summary.kept);
    assert_int_equal(summary.records, 2 * summary.kept);
    adg_sketch_fini(&sketch);
}

static void test_allocation_failures(void **state)
{
    (void)state;
    for (uint64_t n = 1; n <= 3; n++) {
        struct adg_sketch sketch = {.most = 256};
        enum adg_status status = ADG_OK;
        adg_memory_fail_at(n);
        for (uint64_t i = 0; i < 1000 && status == ADG_OK; i++) {
            status = adg_sketch_add(&sketch, adg_mix(i + 1), NULL);
        }
        adg_memory_fail_at(0);
        assert_int_equal(status, ADG_FAILED);
        adg_sketch_fini(&sketch);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exact_with_room),
        cmocka_unit_test(test_estimate_without_room),
        cmocka_unit_test(test_allocation_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
