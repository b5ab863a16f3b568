/*
 * Profile coherent, people: who appears where, what is the same for a person, and keys that lead somewhere, with expectations
 * that can be worked out by hand.
 */
#include "clinic.h"
#include "generate/population.h"

/* ---- people ---------------------------------------------------------------------------------------------------------- */

/* The row of the same person in another table, both sorted by person number as they come; UINT64_MAX: none. */
static uint64_t find_person(const struct values *values, uint32_t column, const char *person)
{
    for (uint64_t row = 0; row < values->rows; row++) {
        if (strcmp(cell(values, row, column), person) == 0) {
            return row;
        }
    }
    return UINT64_MAX;
}

static void open_people(struct fixture *fixture)
{
    fixture_open(fixture, yaml);
    add_birth(fixture, "visits_2020", "011950", 60);
    add_birth(fixture, "visits_2020", "021950", 40);
    add_birth(fixture, "visits_2021", "011950", 30);
    add_birth(fixture, "visits_2021", "021950", 70);
    add_sex(fixture, "visits_2020", "f", 1, NULL, 50);
    add_sex(fixture, "visits_2020", "m", 1, NULL, 50);
    add_sex(fixture, "visits_2021", "f", 1, NULL, 30);
    add_sex(fixture, "visits_2021", "m", 1, NULL, 56);
    add_sex(fixture, "visits_2021", "m", 0.75, "x", 14);
    for (int year = 2020; year <= 2021; year++) {
        char table[24];
        snprintf(table, sizeof table, "visits_%d", year);
        add_cardinality(fixture, table, "VISIT", "PERSON", 1, 100);
    }
    fixture_ready(fixture);
}

/* 100 patients each: the largest numbers per month are 60 and 70, so Z = 130, pi = 6/13 and 7/13. A person of January is in the first
 * table for sure and in the second with 1/2; of February with 4/7 and for sure. In both are 6/13 1/2 + 7/13 4/7 = 7/13. */
static void test_people(void **state)
{
    (void)state;
    enum { N = 2600 };
    struct fixture fixture;
    open_people(&fixture);
    struct values first = values_in(&fixture, "visits_2020", coherent(N, 0));
    struct values second = values_in(&fixture, "visits_2021", coherent(N, 0));
    assert_share(first.rows, N, 10.0 / 13);
    assert_share(second.rows, N, 10.0 / 13);
    uint64_t common = 0, agree = 0, january = 0, men = 0, men_2 = 0;
    for (uint64_t row = 0; row < first.rows; row++) {
        uint64_t other = find_person(&second, PERSON, cell(&first, row, PERSON));
        january += strcmp(cell(&first, row, MOB), "011950") == 0;
        men += strcmp(cell(&first, row, SEX), "m") == 0;
        if (other != UINT64_MAX) {
            common++;
            assert_string_equal(cell(&first, row, MOB), cell(&second, other, MOB));
            agree += (strcmp(cell(&first, row, SEX), "f") == 0) == (strcmp(cell(&second, other, SEX), "f") == 0);
        }
    }
    for (uint64_t row = 0; row < second.rows; row++) {
        men_2 += strcmp(cell(&second, row, SEX), "f") != 0;
    }
    assert_share(common, N, 7.0 / 13);
    assert_share(january, first.rows, 0.6);
    assert_share(men, first.rows, 0.5);
    assert_share(men_2, second.rows, 0.7);
    /* Shares 0.5 and 0.3, 0.5 and 0.7: M = 1.2, g = 5/12 and 7/12. Both take the same candidate with (1 - 0.2) / (1 + 0.2) = 2/3. A
     * woman whom the second table lets pass (2/5) may come again there (0.3), a man whom the first lets pass (2/7) there (0.5):
     * 2/3 + 5/12 2/5 0.3 + 7/12 2/7 0.5 = 0.8 */
    assert_share(agree, common, 0.8);
    values_free(&first);
    values_free(&second);
    fixture_close(&fixture);
}

/* A stated population of 1,300 makes everybody ten times as rare as among 130. */
static void test_stated_population(void **state)
{
    (void)state;
    struct fixture fixture;
    open_people(&fixture);
    const struct adg_manifest_table tables[] = {{.name = "visits_2020", .population = 1300}};
    fixture.metadata.manifest.tables = tables;
    fixture.metadata.manifest.table_count = 1;
    struct adg_plan *plan = plan_of(&fixture, "visits_2020", coherent(100000, 0));
    assert_share(adg_plan_rows(plan), 100000, 1.0 / 13);
    adg_plan_free(plan);
    fixture_close(&fixture);
}

/* People are taken in order until the rows are full: more rows only add to the end, whatever else is planned. */
static void test_rows(void **state)
{
    (void)state;
    struct fixture fixture;
    open_people(&fixture);
    struct adg_population *population = NULL;
    assert_int_equal(adg_population_new(fixture.definition, &fixture.metadata, &population, NULL), ADG_OK);
    struct adg_plan_options shared = coherent(0, 300);
    shared.population = population;
    struct values some = values_in(&fixture, "visits_2021", shared),
                  all = values_in(&fixture, "visits_2021", coherent(0, 1000));
    assert_int_equal(some.rows, 300);
    for (uint64_t i = 0; i < some.rows * some.columns; i++) {
        assert_true(same_cell(some.cells[i], all.cells[i]));
    }
    uint64_t at = 0;
    for (uint64_t shard = 0; shard < 7; shard++) {
        struct adg_plan_options options = coherent(0, 1000);
        options.shard = shard;
        options.shards = 7;
        struct values part = values_in(&fixture, "visits_2021", options);
        for (uint64_t i = 0; i < part.rows * part.columns; i++) {
            assert_true(same_cell(part.cells[i], all.cells[at++]));
        }
        values_free(&part);
    }
    assert_int_equal(at, all.rows * all.columns);
    values_free(&some);
    values_free(&all);
    adg_population_free(population);
    fixture_close(&fixture);
}

/* ---- ages ------------------------------------------------------------------------------------------------------------ */

/* All are 40 on 1 July 2021: born in one of the twelve months whose first day is 14,418 to 14,782 days before (365 * 40 - 182, + 182):
 * from 1 February 1981 (14,760) to 1 January 1982 (14,426). */
static void test_ages_become_months(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, yaml);
    add_cardinality(&fixture, "tests_2021", "TEST", "NUMBER", 1, 100);
    add_category(&fixture, "tests_2021", "AGE", "40", 100);
    add_date(&fixture, "tests_2021", "TAKEN", adg_date_from_civil(2021, 7, 1), 100);
    fixture_ready(&fixture);
    struct adg_population *population = NULL;
    assert_int_equal(adg_population_new(fixture.definition, &fixture.metadata, &population, NULL), ADG_OK);
    const struct adg_member *member = NULL;
    const struct adg_people *people = adg_population_of(population, "tests_2021", &member);
    assert_non_null(people);
    assert_int_equal(people->births.count, 12);
    int32_t least = INT32_MAX, most = INT32_MIN;
    for (uint32_t v = 0; v < 12; v++) {
        assert_true(llabs((int64_t)people->birth_parts[v] - (int64_t)(ADG_PARTS / 12)) <= 1);
        least = people->birth_days[v] < least ? people->birth_days[v] : least;
        most = people->birth_days[v] > most ? people->birth_days[v] : most;
    }
    assert_int_equal(least, adg_date_from_civil(1981, 2, 1));
    assert_int_equal(most, adg_date_from_civil(1982, 1, 1));
    adg_population_free(population);
    struct values values = values_in(&fixture, "tests_2021", coherent(0, 500));
    for (uint64_t row = 0; row < values.rows; row++) {
        assert_string_equal(cell(&values, row, LAB_AGE), "40");
    }
    values_free(&values);
    fixture_close(&fixture);
}

/* ---- keys ------------------------------------------------------------------------------------------------------------ */

static void open_keys(struct fixture *fixture)
{
    fixture_open(fixture, yaml);
    add_cardinality(fixture, "visits_2020", "VISIT", "PERSON", 1, 100);
    add_cardinality(fixture, "visits_2021", "VISIT", "PERSON", 1, 50);
    add_cardinality(fixture, "visits_2021", "VISIT", "PERSON", 3, 50);
    add_cardinality(fixture, "tests_2021", "TEST", "NUMBER", 2, 80);
    fixture_ready(fixture);
}

/* Nobody's birth is known: 100 of 100 people have visits, 80 of 100 have tests. */
static void test_keys(void **state)
{
    (void)state;
    struct fixture fixture;
    open_keys(&fixture);
    for (int by_rows = 0; by_rows < 2; by_rows++) { /* of so many rows the last person's may be cut */
        struct adg_plan_options options = by_rows ? coherent(0, 1501) : coherent(1000, 0);
        struct values visits = values_in(&fixture, "visits_2021", options);
        struct values tests = values_in(&fixture, "tests_2021", options);
        uint64_t named = 0, named_back = 0, possible = 0;
        for (uint64_t row = 0, t = 0; row < visits.rows;) { /* both are in the order of people */
            const char *person = cell(&visits, row, PERSON);
            uint64_t visit_count = 0, test_count = 0, test = find_person(&tests, LAB_NUMBER, person);
            while (row + visit_count < visits.rows && strcmp(cell(&visits, row + visit_count, PERSON), person) == 0) {
                visit_count++;
            }
            t = test == UINT64_MAX ? tests.rows : test;
            while (t + test_count < tests.rows && strcmp(cell(&tests, t + test_count, LAB_NUMBER), person) == 0) {
                test_count++;
            }
            for (uint64_t j = 0; j < visit_count; j++) {
                const char *key = cell(&visits, row + j, TEST);
                assert_int_equal(key != NULL, j < test_count);
                assert_true(key == NULL || strcmp(key, cell(&tests, t + j, LAB_TEST)) == 0);
                assert_true(key == NULL || strcmp(cell(&tests, t + j, LAB_VISIT), cell(&visits, row + j, VISIT)) == 0);
                named += key != NULL;
            }
            possible += visit_count < test_count ? visit_count : test_count;
            row += visit_count;
        }
        for (uint64_t row = 0; row < tests.rows; row++) {
            named_back += cell(&tests, row, LAB_VISIT) != NULL;
        }
        assert_true(named > 500 && named == possible && named_back == named);
        if (!by_rows) {
            assert_share(tests.rows / 2, 1000, 0.8);
        }
        values_free(&visits);
        values_free(&tests);
    }
    struct values old = values_in(&fixture, "visits_2020", coherent(100, 0)); /* the lab has no table of that year */
    assert_int_equal(old.rows, 100);
    for (uint64_t row = 0; row < old.rows; row++) {
        assert_null(cell(&old, row, TEST));
    }
    values_free(&old);
    fixture_close(&fixture);
}

/* The same people whether the run knows one of the datasets or both: the metadata's own definition says what there is. */
static void test_one_dataset_of_two(void **state)
{
    (void)state;
    struct fixture fixture, alone;
    open_keys(&fixture);
    fixture.metadata.definition_text = yaml;
    fixture.metadata.definition_text_bytes = sizeof yaml - 1;
    fixture_open(&alone, strstr(yaml, "---\n") + 4);
    alone.metadata = fixture.metadata;
    struct values both = values_in(&fixture, "tests_2021", coherent(500, 0));
    struct values one = values_in(&alone, "tests_2021", coherent(500, 0));
    assert_int_equal(both.rows, one.rows);
    for (uint64_t i = 0; i < both.rows * both.columns; i++) {
        assert_true(same_cell(both.cells[i], one.cells[i]));
    }
    values_free(&both);
    values_free(&one);
    alone.metadata.definition_text = NULL;
    fixture_close(&alone);
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_people), cmocka_unit_test(test_stated_population),
        cmocka_unit_test(test_rows),   cmocka_unit_test(test_ages_become_months),
        cmocka_unit_test(test_keys),   cmocka_unit_test(test_one_dataset_of_two),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
