/*
 * Patients, rows, shards and keys of a plan, and what a plan refuses.
 */
#include "core/memory.h"
#include "fixture.h"

static const char yaml[] =
    "dataset: test\nid: 7\nprimary_key: KEY\npatient_key: PERSON\nmin_frequency: 5\nrounding: 5\n"
    "tables:\n  - t_1\n  - t_2\n  - t_3\n"
    "fields:\n"
    "  - {name: KEY, type: long, pattern: '\\d{12}'}\n"
    "  - {name: PERSON, type: string, pattern: 'P[0-9a-z]{20}'}\n"
    "  - {name: CODE, type: string, values: CATEGORICAL}\n"
    "  - {name: VISIT, type: string, pattern: '[a-c]{2}[0-9]{6}'}\n";
enum { KEY, PERSON, CODE, VISIT };

static void open_with(struct fixture *fixture, const char *table, const double *cardinalities, const double *weights,
                      int count)
{
    fixture_open(fixture, yaml);
    add_category(fixture, table, "CODE", "a", 10);
    add_category(fixture, table, "CODE", "b", 20);
    for (int i = 0; i < count; i++) {
        add_cardinality(fixture, table, "KEY", "PERSON", cardinalities[i], weights[i]);
    }
    fixture_ready(fixture);
}

static void test_patients_of_one_cardinality(void **state)
{
    (void)state;
    struct fixture fixture;
    open_with(&fixture, "t_1", (double[]){3}, (double[]){10}, 1);
    struct adg_plan *plan = plan_of(&fixture, "t_1", (struct adg_plan_options){.seed = 1, .patients = 20000});
    struct values values = values_of(plan);
    assert_int_equal(values.rows, 60000);
    for (uint64_t row = 0; row < values.rows; row++) { /* three rows each, another person every time */
        bool same = row > 0 && strcmp(cell(&values, row, PERSON), cell(&values, row - 1, PERSON)) == 0;
        assert_int_equal(same, row % 3 != 0);
    }
    values_free(&values);
    adg_plan_free(plan);
    fixture_close(&fixture);
}

static void test_mean_cardinality(void **state)
{
    (void)state;
    struct fixture fixture;
    open_with(&fixture, "t_1", (double[]){0, 1, 10}, (double[]){50, 30, 20}, 3);
    struct adg_plan *plan = plan_of(&fixture, "t_1", (struct adg_plan_options){.seed = 1, .patients = 100000});
    /* mean 2.3, variance 20.3 - 2.3^2 = 15.01: five standard errors of the sum are 5 * sqrt(15.01 * 100000) < 6130 */
    assert_in_range(adg_plan_rows(plan), 230000 - 6130, 230000 + 6130);
    adg_plan_free(plan);
    fixture_close(&fixture);
}

static void test_exact_rows(void **state)
{
    (void)state;
    static const uint64_t wanted[] = {1, 2, 63, 64, 16383, 16384, 16385, 50000};
    struct fixture fixture;
    open_with(&fixture, "t_1", (double[]){0, 1, 7}, (double[]){90, 5, 5}, 3);
    struct adg_plan *most = plan_of(&fixture, "t_1", (struct adg_plan_options){.seed = 5, .rows = 60000});
    struct values all = values_of(most);
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        struct adg_plan *plan = plan_of(&fixture, "t_1", (struct adg_plan_options){.seed = 5, .rows = wanted[i]});
        struct values values = values_of(plan);
        assert_int_equal(values.rows, wanted[i]);
        for (uint64_t c = 0; c < values.rows * values.columns; c++) { /* more rows only add to the end */
            assert_true(same_cell(values.cells[c], all.cells[c]));
        }
        values_free(&values);
        adg_plan_free(plan);
    }
    values_free(&all);
    adg_plan_free(most);
    fixture_close(&fixture);
}

static void test_patient_across_blocks(void **state)
{
    (void)state;
    struct fixture fixture;
    open_with(&fixture, "t_1", (double[]){100000}, (double[]){5}, 1);
    struct adg_plan *plan = plan_of(&fixture, "t_1", (struct adg_plan_options){.seed = 1, .patients = 2});
    struct values values = values_of(plan);
    assert_int_equal(values.rows, 200000);
    for (uint64_t row = 0; row < values.rows; row++) {
        assert_string_equal(cell(&values, row, PERSON), cell(&values, row / 100000 * 100000, PERSON));
    }
    assert_string_not_equal(cell(&values, 0, PERSON), cell(&values, 100000, PERSON));
    values_free(&values);
    adg_plan_free(plan);
    fixture_close(&fixture);
}

static void check_shards(const struct fixture *fixture, struct adg_plan_options options, uint64_t shards,
                         uint64_t filled)
{
    struct adg_plan *plan = plan_of(fixture, "t_1", options);
    struct values whole = values_of(plan);
    adg_plan_free(plan);
    uint64_t seen = 0;
    for (uint64_t shard = 0; shard < shards; shard++) {
        options.shard = shard;
        options.shards = shards;
        options.threads = 1 + (unsigned)shard % 5;
        plan = plan_of(fixture, "t_1", options);
        struct values part = values_of(plan);
        assert_true(part.rows > 0 || shards > filled);
        for (uint64_t c = 0; c < part.rows * part.columns; c++) {
            assert_true(same_cell(part.cells[c], whole.cells[seen * whole.columns + c]));
        }
        seen += part.rows;
        if (part.rows > 0 && seen < whole.rows) { /* cut between patients */
            assert_string_not_equal(cell(&whole, seen - 1, PERSON), cell(&whole, seen, PERSON));
        }
        values_free(&part);
        adg_plan_free(plan);
    }
    assert_int_equal(seen, whole.rows);
    values_free(&whole);
}

static void test_shards(void **state)
{
    (void)state;
    struct fixture fixture;
    open_with(&fixture, "t_1", (double[]){0, 1, 4, 300}, (double[]){50, 40, 30, 5}, 4);
    for (uint64_t shards = 2; shards <= 7; shards += 5) {
        check_shards(&fixture, (struct adg_plan_options){.seed = 3, .patients = 5000}, shards, 5000);
        check_shards(&fixture, (struct adg_plan_options){.seed = 3, .rows = 20000}, shards, 5000);
    }
    fixture_close(&fixture);
    open_with(&fixture, "t_1", (double[]){2}, (double[]){50}, 1);
    check_shards(&fixture, (struct adg_plan_options){.seed = 3, .patients = 9}, 9, 9);
    check_shards(&fixture, (struct adg_plan_options){.seed = 3, .patients = 2}, 5, 2);
    fixture_close(&fixture);
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void test_keys_are_unique_across_tables(void **state)
{
    (void)state;
    static const char *const tables[] = {"t_1", "t_2", "t_3"};
    enum { ROWS = 30000 };
    struct fixture fixture;
    struct values values[3];
    const char **keys = calloc(3 * ROWS, sizeof *keys), **people = calloc(3 * ROWS, sizeof *people);
    fixture_open(&fixture, yaml);
    for (int t = 0; t < 3; t++) {
        add_cardinality(&fixture, tables[t], "KEY", "PERSON", 1, 10);
    }
    fixture_ready(&fixture);
    for (int t = 0; t < 3; t++) {
        struct adg_plan *plan = plan_of(&fixture, tables[t], (struct adg_plan_options){.seed = 1, .patients = ROWS});
        values[t] = values_of(plan);
        adg_plan_free(plan);
        for (uint64_t row = 0; row < ROWS; row++) {
            keys[(uint64_t)t * ROWS + row] = cell(&values[t], row, KEY);
            people[(uint64_t)t * ROWS + row] = cell(&values[t], row, PERSON);
            assert_int_equal(strlen(cell(&values[t], row, PERSON)), 21);
            assert_true(strlen(cell(&values[t], row, KEY)) <= 12);
        }
    }
    qsort(keys, 3 * ROWS, sizeof *keys, compare_texts);
    qsort(people, 3 * ROWS, sizeof *people, compare_texts);
    for (int i = 1; i < 3 * ROWS; i++) {
        assert_string_not_equal(keys[i], keys[i - 1]);
        assert_string_not_equal(people[i], people[i - 1]);
    }
    for (int t = 0; t < 3; t++) {
        values_free(&values[t]);
    }
    free(keys);
    free(people);
    fixture_close(&fixture);
}

static void test_refusals(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        double cardinality, weight;
        struct adg_plan_options options;
        enum adg_status status;
    } cases[] = {
        {"nobody has rows, rows wanted", 0, 10, {.rows = 10}, ADG_BAD_INPUT},
        {"nobody has rows, patients wanted", 0, 10, {.patients = 10}, ADG_OK},
        {"half a row", 0.5, 10, {.patients = 10}, ADG_BAD_INPUT},
        {"minus one row", -1, 10, {.patients = 10}, ADG_BAD_INPUT},
        {"weight zero", 1, 0, {.patients = 10}, ADG_BAD_INPUT},
        {"weight negative", 1, -5, {.patients = 10}, ADG_BAD_INPUT},
        {"more visits than strings", 1, 10, {.patients = 9000001}, ADG_BAD_INPUT},
        {"as many visits as strings", 1, 10, {.patients = 9000000}, ADG_OK},
        {"neither patients nor rows", 1, 10, {.seed = 1}, ADG_USAGE},
        {"patients and rows", 1, 10, {.patients = 1, .rows = 1}, ADG_USAGE},
        {"no such shard", 1, 10, {.patients = 1, .shard = 3, .shards = 3}, ADG_USAGE},
        {"rows without end", 68719476736.0, 10, {.patients = 100000}, ADG_BAD_INPUT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture fixture;
        open_with(&fixture, "t_1", &cases[i].cardinality, &cases[i].weight, 1);
        if (plan_status(&fixture, "t_1", cases[i].options) != cases[i].status) {
            fail_msg("%s", cases[i].label);
        }
        assert_int_equal(plan_status(&fixture, "t_2", (struct adg_plan_options){.patients = 1}), ADG_BAD_INPUT);
        assert_int_equal(plan_status(&fixture, "t_9", (struct adg_plan_options){.patients = 1}), ADG_BAD_INPUT);
        fixture_close(&fixture);
    }
}

static void test_without_relationship(void **state)
{
    (void)state;
    struct fixture fixture;
    open_with(&fixture, "t_1", NULL, NULL, 0);
    assert_int_equal(plan_status(&fixture, "t_1", (struct adg_plan_options){.patients = 10}), ADG_BAD_INPUT);
    struct adg_plan *plan = plan_of(&fixture, "t_1", (struct adg_plan_options){.seed = 1, .rows = 100});
    assert_int_equal(adg_plan_warning_count(plan), 1);
    assert_non_null(strstr(adg_plan_warning(plan, 0), "t_1"));
    struct values values = values_of(plan);
    for (uint64_t row = 1; row < 100; row++) {
        assert_string_not_equal(cell(&values, row, PERSON), cell(&values, row - 1, PERSON));
    }
    values_free(&values);
    adg_plan_free(plan);
    fixture_close(&fixture);
}

static void test_missing_field_is_named(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, yaml);
    add_cardinality(&fixture, "t_1", "KEY", "PERSON", 1, 10);
    fixture_ready(&fixture);
    struct adg_plan *plan = plan_of(&fixture, "t_1", (struct adg_plan_options){.seed = 1, .patients = 1});
    assert_int_equal(adg_plan_warning_count(plan), 1);
    assert_string_equal(adg_plan_warning(plan, 0), "table t_1: no metadata for CODE; filled with nulls");
    assert_int_equal(adg_plan_layout(plan)->columns[CODE].kind, ADG_COLUMN_NULL);
    struct values values = values_of(plan);
    assert_null(cell(&values, 0, CODE));
    assert_int_equal(strlen(cell(&values, 0, VISIT)), 8);
    values_free(&values);
    adg_plan_free(plan);
    fixture_close(&fixture);
}

static void test_out_of_memory(void **state)
{
    (void)state;
    struct fixture fixture;
    open_with(&fixture, "t_1", (double[]){1, 2}, (double[]){5, 5}, 2);
    enum adg_status status = ADG_FAILED;
    uint64_t n = 1;
    for (; status != ADG_OK; n++) { /* the n-th allocation fails, until there are no more */
        struct adg_plan *plan = NULL;
        struct adg_block *block = NULL;
        const struct adg_plan_options options = {.seed = 1, .rows = 100, .shards = 1, .threads = 1};
        adg_memory_fail_at(n);
        status = adg_plan_new(fixture.definition, &fixture.metadata, "t_1", &options, &plan, NULL);
        if (status == ADG_OK) {
            status = adg_block_new(plan, &block, NULL);
        }
        if (status == ADG_OK) {
            status = adg_block_generate(block, 0, NULL);
        }
        adg_memory_fail_at(0);
        assert_true(status == ADG_OK || status == ADG_FAILED);
        adg_block_free(block);
        adg_plan_free(plan);
    }
    assert_true(n > 20);
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_patients_of_one_cardinality),
        cmocka_unit_test(test_mean_cardinality),
        cmocka_unit_test(test_exact_rows),
        cmocka_unit_test(test_patient_across_blocks),
        cmocka_unit_test(test_shards),
        cmocka_unit_test(test_keys_are_unique_across_tables),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_without_relationship),
        cmocka_unit_test(test_missing_field_is_named),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
