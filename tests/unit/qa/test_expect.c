/*
 * What metadata implies, with shares that a reader can work out.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/memory.h"
#include "qa/internal.h"

static const char definition_text[] = "dataset: d\nid: 1\nprimary_key: K\npatient_key: P\ntables: [t]\n"
                                      "sorted_dates: [D1, D2]\n"
                                      "fields:\n"
                                      "  - {name: K, type: long, pattern: '\\d{6}'}\n"
                                      "  - {name: P, type: string, pattern: '[a-z]{6}'}\n"
                                      "  - {name: A, type: string, values: CATEGORICAL}\n"
                                      "  - {name: S, type: string, values: DEMOGRAPHIC_CATEGORICAL}\n"
                                      "  - {name: M, type: string, values: DEMOGRAPHIC_DATE}\n"
                                      "  - {name: D1, type: date, values: DATE}\n"
                                      "  - {name: D2, type: date, values: DATE}\n";

static const double nulls[] = {25, 75}, inner[] = {0.75, 0.25}, none[] = {0, 0};
static const struct adg_optional_text both[] = {{"1", 1}, {"2", 1}}, with_null[] = {{"1", 1}, {NULL, 0}};

#define OF(field_name, type) .table = "t", .field = field_name, .value_type = type
#define WEIGHING(w) .has_weight = true, .weight = w
/* in canonical order: table, field, value type, value */
static const struct adg_metadata_row rows[] = {
    {OF("A", ADG_VALUE_CATEGORICAL), .string = {"x", 1}, WEIGHING(30)},
    {OF("A", ADG_VALUE_CATEGORICAL), .string = {"y", 1}, WEIGHING(10)},
    {OF("A", ADG_VALUE_COMPLETENESS), .weight_array = nulls, .weight_array_count = 2},
    {OF("D1", ADG_VALUE_DATE), .has_date = true, .date = 0, WEIGHING(5)},
    {OF("D1", ADG_VALUE_DATE), .has_date = true, .date = 2, WEIGHING(5)},
    {OF("D2", ADG_VALUE_COMPLETENESS), .weight_array = nulls, .weight_array_count = 2},
    {OF("D2", ADG_VALUE_DATE), .has_date = true, .date = 1, WEIGHING(5)},
    {OF("M", ADG_VALUE_DEMOGRAPHIC_DATE), .string = {"011990", 6}, .has_numeric = true, .numeric = 0.8, WEIGHING(60)},
    {OF("M", ADG_VALUE_DEMOGRAPHIC_DATE), .string = {"021990", 6}, .has_numeric = true, .numeric = 1, WEIGHING(40)},
    {OF("S", ADG_VALUE_DEMOGRAPHIC_CATEGORICAL), .string_array = both, .string_array_count = 2, .weight_array = inner,
     .weight_array_count = 2, WEIGHING(80)},
    {OF("S", ADG_VALUE_DEMOGRAPHIC_CATEGORICAL), .string_array = with_null, .string_array_count = 2,
     .weight_array = none, .weight_array_count = 2, WEIGHING(20)},
};

struct share {
    const char *value;
    double share;
};

static void assert_shares(const struct adg_expected *found, const struct share *wanted, size_t count)
{
    assert_int_equal(found->count, count);
    for (size_t i = 0; i < count; i++) {
        const struct adg_span value = found->shares[i].value;
        if (wanted[i].value == NULL) {
            assert_null(value.data);
        } else {
            assert_int_equal(value.size, strlen(wanted[i].value));
            assert_memory_equal(value.data, wanted[i].value, value.size);
        }
        assert_true(fabs(found->shares[i].share - wanted[i].share) < 1e-12);
    }
}

struct fixture {
    struct adg_definition *definition;
    struct adg_metadata metadata;
    const struct adg_dataset *dataset;
};

static const struct adg_field *field_of(const struct fixture *fixture, const char *name)
{
    int64_t at = adg_dataset_find_field(fixture->dataset, name);
    assert_true(at >= 0);
    return &fixture->dataset->fields[at];
}

static void fixture_open(struct fixture *fixture)
{
    struct adg_error error = {{0}};
    *fixture = (struct fixture){.metadata = {.rows = rows, .row_count = sizeof rows / sizeof rows[0]}};
    if (adg_definition_parse("d.yaml", definition_text, sizeof definition_text - 1, &fixture->definition, &error) !=
        ADG_OK) {
        fail_msg("%s", error.message);
    }
    fixture->dataset = &fixture->definition->datasets[0];
}

static void test_shares(void **state)
{
    (void)state;
    struct fixture fixture;
    struct adg_arena arena = {0};
    struct adg_expected found;
    fixture_open(&fixture);
    /* three quarters of the rows have a value, of these 30 of 40 x */
    assert_int_equal(adg_expected_categories(&fixture.metadata, "t", field_of(&fixture, "A"), &arena, &found, NULL),
                     ADG_OK);
    assert_shares(&found, (const struct share[]){{NULL, 0.25}, {"x", 0.5625}, {"y", 0.1875}}, 3);
    /* a table without rows of the field: null */
    assert_int_equal(adg_expected_categories(&fixture.metadata, "u", field_of(&fixture, "A"), &arena, &found, NULL),
                     ADG_OK);
    assert_shares(&found, (const struct share[]){{NULL, 1}}, 1);
    /* 0.8 of the patients show 1 in 3 of 4 rows; 0.2 show 1 and null evenly, as inner weights of 0 mean */
    assert_int_equal(adg_expected_patterns(&fixture.metadata, "t", field_of(&fixture, "S"), &arena, &found, NULL),
                     ADG_OK);
    assert_shares(&found, (const struct share[]){{NULL, 0.1}, {"1", 0.7}, {"2", 0.2}}, 3);
    /* 60 % are of January, who show February, the only other month, in 1 row of 5 */
    assert_int_equal(adg_expected_modes(&fixture.metadata, "t", field_of(&fixture, "M"), &arena, &found, NULL), ADG_OK);
    assert_shares(&found, (const struct share[]){{"011990", 0.48}, {"021990", 0.52}}, 2);
    adg_arena_fini(&arena);
    adg_definition_free(fixture.definition);
}

/* D1 is day 0 or day 2, evenly; D2 is day 1, or null in 1 row of 4. Sorted, nulls last. */
static void test_sorted_dates(void **state)
{
    (void)state;
    struct fixture fixture;
    struct adg_arena arena = {0};
    struct adg_expected found;
    fixture_open(&fixture);
    /* first: day 0 whenever D1 is; else day 1 if D2 is there (0.5 * 0.75), else day 2 */
    assert_int_equal(adg_expected_sorted_date(&fixture.metadata, "t", fixture.dataset, 0, &arena, &found, NULL),
                     ADG_OK);
    assert_shares(&found,
                  (const struct share[]){{NULL, 0}, {"1970-01-01", 0.5}, {"1970-01-02", 0.375}, {"1970-01-03", 0.125}},
                  4);
    /* second: null when D2 is; else day 1 (D1 on day 0) or day 2 */
    assert_int_equal(adg_expected_sorted_date(&fixture.metadata, "t", fixture.dataset, 1, &arena, &found, NULL),
                     ADG_OK);
    assert_shares(&found,
                  (const struct share[]){{NULL, 0.25}, {"1970-01-01", 0}, {"1970-01-02", 0.375}, {"1970-01-03", 0.375}},
                  4);
    adg_arena_fini(&arena);
    adg_definition_free(fixture.definition);
}

static void test_charts(void **state)
{
    (void)state;
    enum { VALUES = 1000 };
    struct adg_qa qa = {0};
    struct adg_qa_chart chart;
    struct adg_share shares[VALUES];
    double found[VALUES];
    char names[VALUES][16];
    /* value i has i + 1 of 500,500 parts; what was found agrees but for one rare value, which has ten times its share */
    for (int i = 0; i < VALUES; i++) {
        snprintf(names[i], sizeof names[i], "%04d", i);
        shares[i] = (struct adg_share){{(const uint8_t *)names[i], 4}, (i + 1) / 500500.0};
        found[i] = i + 1;
    }
    found[30] = 310;
    const struct adg_expected expected = {shares, VALUES};
    assert_int_equal(adg_qa_draw(&qa, &expected, found, 500500, false, &chart, NULL), ADG_OK);
    assert_int_equal(chart.count, 50);
    assert_int_equal(chart.values, VALUES);
    assert_string_equal(chart.points[0].value, "0999"); /* the commonest first */
    assert_string_equal(chart.points[39].value, "0960");
    assert_string_equal(chart.points[40].value, "0030"); /* then the strangest */
    assert_true(fabs(chart.points[40].found - (310 / 500500.0)) < 1e-12);
    assert_int_equal(adg_qa_draw(&qa, &expected, found, 500500, true, &chart, NULL), ADG_OK);
    assert_true(chart.count > 90 && chart.count <= ADG_QA_CHART_POINTS);
    assert_string_equal(chart.points[chart.count - 1].value, "0999");
    assert_true(fabs(chart.points[chart.count - 1].expected - (1)) < 1e-9);
    for (uint64_t n = 1; n < 5; n++) { /* without memory: an error, nothing else */
        adg_memory_fail_at(n);
        enum adg_status status = adg_qa_draw(&qa, &expected, found, 500500, false, &chart, NULL);
        adg_memory_fail_at(0);
        assert_true(status == ADG_OK || status == ADG_FAILED);
    }
    adg_arena_fini(&qa.arena);
}

static void test_without_memory(void **state)
{
    (void)state;
    struct fixture fixture;
    unsigned failures = 0;
    fixture_open(&fixture);
    enum adg_status status = ADG_FAILED;
    for (uint64_t n = 1; status != ADG_OK; n++) {
        struct adg_arena arena = {0};
        struct adg_expected found;
        adg_memory_fail_at(n);
        status = adg_expected_sorted_date(&fixture.metadata, "t", fixture.dataset, 1, &arena, &found, NULL);
        if (status == ADG_OK) {
            status = adg_expected_patterns(&fixture.metadata, "t", field_of(&fixture, "S"), &arena, &found, NULL);
        }
        adg_memory_fail_at(0);
        assert_true(status == ADG_OK || status == ADG_FAILED);
        failures += status != ADG_OK;
        adg_arena_fini(&arena);
    }
    assert_true(failures > 0);
    adg_definition_free(fixture.definition);
}

/* Enough dates that their texts take memory of their own: a date for which there is none is no null. */
static void test_dates_without_memory(void **state)
{
    (void)state;
    enum { DAYS = 20000 };
    static struct adg_metadata_row dates[DAYS];
    const struct adg_field field = {.name = "A", .type = ADG_TYPE_DATE, .value_type = ADG_VALUE_DATE};
    const struct adg_metadata metadata = {.rows = dates, .row_count = DAYS};
    unsigned failures = 0;
    for (int32_t i = 0; i < DAYS; i++) {
        dates[i] = (struct adg_metadata_row){OF("A", ADG_VALUE_DATE), .has_date = true, .date = i, WEIGHING(1)};
    }
    enum adg_status status = ADG_FAILED;
    for (uint64_t n = 1; status != ADG_OK; n++) {
        struct adg_arena arena = {0};
        struct adg_expected found;
        adg_memory_fail_at(n);
        status = adg_expected_categories(&metadata, "t", &field, &arena, &found, NULL);
        adg_memory_fail_at(0);
        assert_true(status == ADG_OK || status == ADG_FAILED);
        failures += status != ADG_OK;
        if (status == ADG_OK) {
            assert_int_equal(found.count, DAYS + 1);
            assert_true(found.shares[0].value.data == NULL && found.shares[0].share == 0);
        }
        adg_arena_fini(&arena);
    }
    assert_true(failures > 1); /* of the shares, and of texts */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shares),
        cmocka_unit_test(test_sorted_dates),
        cmocka_unit_test(test_charts),
        cmocka_unit_test(test_without_memory),
        cmocka_unit_test(test_dates_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
