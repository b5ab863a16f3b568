/*
 * What metadata imply under profile coherent, with shares that a reader can work out; and the distance that is called drift.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "qa/drift.h"
#include "qa/internal.h"

static const char definition_text[] =
    "dataset: d\nid: 1\nprimary_key: K\npatient_key: P\nplaceholders: ['-']\ntables: [t]\n"
    "coherence:\n"
    "  population: {id: 1, birth: M}\n"
    "  invalid_dates: [1900-01-01]\n"
    "  timelines: [{anchor: D}]\n"
    "  nested: [C_1..3]\n"
    "fields:\n"
    "  - {name: K, type: long, pattern: '\\d{6}'}\n"
    "  - {name: P, type: string, pattern: '[a-z]{6}'}\n"
    "  - {name: M, type: string, values: DEMOGRAPHIC_DATE}\n"
    "  - {name: D, type: date, values: DATE}\n"
    "  - {name: C_1, type: string, values: CATEGORICAL}\n"
    "  - {name: C_2, type: string, values: CATEGORICAL}\n"
    "  - {name: C_3, type: string, values: CATEGORICAL}\n";

static const double nulls[] = {20, 80};
#define OF(field_name, type) .table = "t", .field = field_name, .value_type = type
#define WEIGHING(w) .has_weight = true, .weight = w
/* In canonical order. */
static const struct adg_metadata_row rows[] = {
    {OF("C_1", ADG_VALUE_CATEGORICAL), .string = {"- ", 2}, WEIGHING(50)},
    {OF("C_1", ADG_VALUE_CATEGORICAL), .string = {"a", 1}, WEIGHING(50)},
    {OF("C_2", ADG_VALUE_CATEGORICAL), .string = {"-", 1}, WEIGHING(20)},
    {OF("C_2", ADG_VALUE_CATEGORICAL), .string = {"b", 1}, WEIGHING(60)},
    {OF("C_2", ADG_VALUE_CATEGORICAL), .string = {"c", 1}, WEIGHING(20)},
    {OF("C_2", ADG_VALUE_COMPLETENESS), .weight_array = nulls, .weight_array_count = 2},
    {OF("C_3", ADG_VALUE_CATEGORICAL), WEIGHING(90)},
    {OF("C_3", ADG_VALUE_CATEGORICAL), .string = {"d", 1}, WEIGHING(10)},
    {OF("D", ADG_VALUE_COMPLETENESS), .weight_array = nulls, .weight_array_count = 2},
    {OF("D", ADG_VALUE_DATE), .has_date = true, .date = -25567, WEIGHING(25)}, /* 1900-01-01 */
    {OF("D", ADG_VALUE_DATE), .has_date = true, .date = 31, WEIGHING(50)},     /* 1970-02-01 */
    {OF("D", ADG_VALUE_DATE), .has_date = true, .date = 59, WEIGHING(25)},     /* 1970-03-01 */
    {OF("M", ADG_VALUE_DEMOGRAPHIC_DATE), .string = {"011950", 6}, .has_numeric = true, .numeric = 0.8, WEIGHING(60)},
    {OF("M", ADG_VALUE_DEMOGRAPHIC_DATE), .string = {"031970", 6}, .has_numeric = true, .numeric = 0.8, WEIGHING(40)},
};

static void assert_share(const struct adg_expected *found, const char *value, double share)
{
    const struct adg_span span = {(const uint8_t *)value, value != NULL ? strlen(value) : 0};
    int64_t at = adg_expected_find(found, span);
    double is = at >= 0 ? found->shares[at].share : 0;
    if (fabs(is - share) > 1e-12) {
        fail_msg("%s: %.9f, expected %.9f", value != NULL ? value : "null", is, share);
    }
}

static void test_expected(void **state)
{
    (void)state;
    struct adg_definition *definition = NULL;
    struct adg_arena arena = {0};
    struct adg_expected found = {NULL, 0};
    double born_after = 1;
    const struct adg_metadata metadata = {.rows = rows, .row_count = sizeof rows / sizeof rows[0]};
    assert_int_equal(adg_definition_parse("f", definition_text, strlen(definition_text), &definition, NULL), ADG_OK);
    const struct adg_dataset *dataset = definition->datasets;
    const struct adg_nested_group *group = &dataset->coherence.nested[0];
    assert_int_equal(adg_expected_nested(&metadata, "t", dataset, group, 0, &arena, &found, NULL), ADG_OK);
    assert_share(&found, "- ", 0.5);
    assert_share(&found, "a", 0.5);
    /* C_2 has codes in 0.8 * 80 / 100 = 0.64 of the rows, C_1 in 0.5: 0.5, of which three quarters are b */
    assert_int_equal(adg_expected_nested(&metadata, "t", dataset, group, 1, &arena, &found, NULL), ADG_OK);
    assert_share(&found, "b", 0.375);
    assert_share(&found, "c", 0.125);
    assert_share(&found, "-", 0);
    assert_share(&found, NULL, 0.5);
    assert_int_equal(adg_expected_nested(&metadata, "t", dataset, group, 2, &arena, &found, NULL), ADG_OK);
    assert_share(&found, "d", 0.1);
    assert_share(&found, NULL, 0.9);
    assert_int_equal(adg_expected_births(&metadata, "t", &dataset->fields[2], &arena, &found, NULL), ADG_OK);
    assert_share(&found, "011950", 0.6);
    /* Of the rows 0.8 have a date, 0.6 a valid one: 0.4 in February, 0.2 in March by themselves. Two fifths are born on 1 March and have that
     * day, more than it has: the others are left with February. */
    assert_int_equal(
        adg_expected_anchor(&metadata, "t", dataset, dataset->coherence.timelines, &arena, &found, &born_after, NULL),
        ADG_OK);
    assert_share(&found, NULL, 0.2);
    assert_share(&found, "1900-01-01", 0.2);
    assert_share(&found, "1970-02-01", 0.6 * 0.6);
    assert_share(&found, "1970-03-01", 0.6 * 0.4);
    assert_true(born_after == 0);
    const struct adg_span day = {(const uint8_t *)"1900-01-01", 10};
    assert_false(adg_expected_is_valid(dataset, dataset->coherence.timelines, day));
    adg_arena_fini(&arena);
    adg_definition_free(definition);
}

static void test_distance(void **state)
{
    (void)state;
    struct adg_qa_drift drift = {0};
    assert_true(adg_qa_distance(&drift) == 0);
    for (int i = 0; i < 4; i++) { /* a quarter each of 0 to 3 */
        assert_int_equal(adg_qa_drift_expect(&drift, i, 10, NULL), ADG_OK);
    }
    assert_true(fabs(adg_qa_distance(&drift) - 1) < 1e-12); /* nothing was found */
    adg_qa_drift_fini(&drift);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_expected), cmocka_unit_test(test_distance)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
