/*
 * Births out of months and out of ages, and what is left of dates when nobody has one before birth.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/date.h"
#include "core/memory.h"
#include "metadata/births.h"

static const char definition_text[] = "dataset: d\nid: 1\nprimary_key: K\npatient_key: P\ntables: [t, u]\n"
                                      "coherence:\n"
                                      "  population: {id: 1, birth: M, age: {field: A, at: D}}\n"
                                      "  invalid_dates: [1900-01-01]\n"
                                      "  timelines: [{anchor: D}]\n"
                                      "fields:\n"
                                      "  - {name: K, type: long, pattern: '\\d{6}'}\n"
                                      "  - {name: P, type: string, pattern: '[a-z]{6}'}\n"
                                      "  - {name: M, type: string, values: DEMOGRAPHIC_DATE}\n"
                                      "  - {name: A, type: integer, values: CATEGORICAL}\n"
                                      "  - {name: D, type: date, values: DATE}\n";

#define OF(table_name, field_name, type) .table = table_name, .field = field_name, .value_type = type
#define WEIGHING(w) .has_weight = true, .weight = w
static const double unknown[] = {20, 80};
/* In canonical order. Table t has months; u has ages at two dates, a Tuesday in March and one in April of 2021. */
static const struct adg_metadata_row rows[] = {
    {OF("t", "M", ADG_VALUE_DEMOGRAPHIC_DATE), WEIGHING(10)},
    {OF("t", "M", ADG_VALUE_DEMOGRAPHIC_DATE), .string = {"011990", 6}, WEIGHING(60)},
    {OF("t", "M", ADG_VALUE_DEMOGRAPHIC_DATE), .string = {"never", 5}, WEIGHING(30)},
    {OF("u", "A", ADG_VALUE_CATEGORICAL), .string = {"1", 1}, WEIGHING(20)},
    {OF("u", "A", ADG_VALUE_CATEGORICAL), .string = {"7002", 4}, WEIGHING(50)},
    {OF("u", "A", ADG_VALUE_CATEGORICAL), .string = {"999", 3}, WEIGHING(10)},
    {OF("u", "A", ADG_VALUE_COMPLETENESS), .weight_array = unknown, .weight_array_count = 2},
    {OF("u", "D", ADG_VALUE_DATE), .has_date = true, .date = -25567, WEIGHING(30)},
    {OF("u", "D", ADG_VALUE_DATE), .has_date = true, .date = 18708, WEIGHING(30)}, /* 2021-03-22 */
    {OF("u", "D", ADG_VALUE_DATE), .has_date = true, .date = 18723, WEIGHING(10)}, /* 2021-04-06 */
};

struct fixture {
    struct adg_definition *definition;
    struct adg_metadata metadata;
};

static void fixture_open(struct fixture *fixture)
{
    *fixture = (struct fixture){NULL, {.rows = rows, .row_count = sizeof rows / sizeof rows[0]}};
    assert_int_equal(adg_definition_parse("f", definition_text, strlen(definition_text), &fixture->definition, NULL),
                     ADG_OK);
}

static void assert_people(const struct adg_birth *births, uint32_t count, const char *month, double people)
{
    double sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct adg_optional_text *text = &births[i].text;
        bool same = month == NULL ? text->text == NULL
                                  : text->text != NULL && text->size == strlen(month) &&
                                        memcmp(text->text, month, text->size) == 0;
        sum += same ? births[i].people : 0;
    }
    assert_true(fabs(sum - people) < 1e-9);
}

static void test_months(void **state)
{
    (void)state;
    struct fixture fixture;
    struct adg_arena arena = {0};
    struct adg_birth *births = NULL;
    uint32_t count = 0;
    fixture_open(&fixture);
    assert_int_equal(
        adg_births_read(&fixture.metadata, fixture.definition->datasets, "t", 500, &arena, &births, &count, NULL),
        ADG_OK);
    assert_int_equal(count, 3);
    assert_people(births, count, "011990", 300);
    assert_people(births, count, NULL, 50);
    assert_int_equal(births[1].day, adg_date_from_civil(1990, 1, 1));
    assert_int_equal(births[2].day, ADG_NO_DAY); /* no month, but a value like any other */
    adg_arena_fini(&arena);
    adg_definition_free(fixture.definition);
}

/* A fifth of the ages is null and an eighth of the others unknown: 20 of 100 and 10 of 100. "7002" is one to six days: on 6 April that
 * is the 1st of April, on 22 March no month. "1" is 365 to 547 days: on 22 March 2021 the first days of 10.2019 (538 days) to
 * 03.2020 (386), on 6 April of 11.2019 (522) to 04.2020 (370), six months each, at three dates of four and at one of four. */
static void test_ages(void **state)
{
    (void)state;
    struct fixture fixture;
    struct adg_arena arena = {0};
    struct adg_birth *births = NULL;
    uint32_t count = 0;
    fixture_open(&fixture);
    assert_int_equal(
        adg_births_read(&fixture.metadata, fixture.definition->datasets, "u", 100, &arena, &births, &count, NULL),
        ADG_OK);
    assert_people(births, count, NULL, 30);
    assert_people(births, count, "042021", 50);
    assert_people(births, count, "102019", 20 * 0.75 / 6);
    assert_people(births, count, "032020", 20 * 0.75 / 6 + 20 * 0.25 / 6);
    assert_people(births, count, "042020", 20 * 0.25 / 6);
    assert_int_equal(count, 1 + 1 + 7);
    adg_arena_fini(&arena);
    adg_definition_free(fixture.definition);
}

/* Four days of a quarter each. A fifth is born on the third day and has the last two alone, a tenth each: of these 0.25 - 0.1 are left for
 * the others. A twentieth is born after all of them. */
static void test_rest(void **state)
{
    (void)state;
    const int32_t days[] = {10, 20, 30, 40};
    const double shares[] = {0.25, 0.25, 0.25, 0.25};
    double rest[4];
    struct adg_birth births[] = {{{"a", 1}, 5, 70}, {{"b", 1}, 30, 20}, {{"c", 1}, 50, 5}, {{NULL, 0}, ADG_NO_DAY, 5}};
    struct adg_births_among among = adg_births_rest(births, 4, days, shares, 4, rest);
    assert_true(fabs(among.within - 0.25) < 1e-12 && fabs(among.after - 0.05) < 1e-12);
    assert_true(fabs(rest[0] - 0.25) < 1e-12 && fabs(rest[1] - 0.25) < 1e-12);
    assert_true(fabs(rest[2] - 0.15) < 1e-12 && fabs(rest[3] - 0.15) < 1e-12);
    births[1].people = 180; /* more than the last two days have */
    births[0].people = 10;
    (void)adg_births_rest(births, 4, days, shares, 4, rest);
    assert_true(rest[2] == 0 && rest[3] == 0);
}

static void test_without_memory(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture);
    enum adg_status status = ADG_FAILED;
    for (uint64_t n = 1; status != ADG_OK; n++) {
        struct adg_arena arena = {0};
        struct adg_birth *births = NULL;
        uint32_t count = 0;
        adg_memory_fail_at(n);
        status = adg_births_read(&fixture.metadata, fixture.definition->datasets, "u", 100, &arena, &births, &count,
                                 NULL);
        adg_memory_fail_at(0);
        assert_true(status == ADG_OK || status == ADG_FAILED);
        adg_arena_fini(&arena);
    }
    adg_definition_free(fixture.definition);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_months),
        cmocka_unit_test(test_ages),
        cmocka_unit_test(test_rest),
        cmocka_unit_test(test_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
