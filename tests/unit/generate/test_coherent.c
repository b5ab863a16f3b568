/*
 * Profile coherent: who appears where, what is the same for a person, dates in their order, codes without holes and keys
 * that lead somewhere, with expectations that can be worked out by hand. Shares are held against them within five standard
 * errors.
 */
#include <math.h>

#include "core/date.h"
#include "core/memory.h"
#include "fixture.h"
#include "generate/population.h"

static const char yaml[] = "dataset: clinic\nid: 7\nprimary_key: VISIT\npatient_key: PERSON\nplaceholders: ['-']\n"
                           "coherence:\n"
                           "  population: {id: 1, birth: MOB, same: [SEX]}\n"
                           "  invalid_dates: [1900-01-01]\n"
                           "  timelines:\n"
                           "    - anchor: LEFT\n"
                           "      spans:\n"
                           "        - {from: CAME, to: LEFT, length: STAY}\n"
                           "        - {from: BEGAN, to: ENDED, length: [WHOLE, WHOLE_2], at_least: STAY, below: 500}\n"
                           "    - anchor: AT\n"
                           "      spans:\n"
                           "        - {from: AT, to: SEEN, length: WAIT}\n"
                           "  nested: [CODE_1..3]\n"
                           "  references: [{field: TEST, dataset: lab}]\n"
                           "  table_values: [{field: YEAR, values: [2020, 2021]}]\n"
                           "tables: [visits_2020, visits_2021]\n"
                           "fields:\n"
                           "  - {name: VISIT, type: long, pattern: '\\d{9}'}\n"
                           "  - {name: PERSON, type: string, pattern: 'P[0-9a-f]{12}'}\n"
                           "  - {name: TEST, type: long, pattern: '\\d{9}'}\n"
                           "  - {name: MOB, type: string, values: DEMOGRAPHIC_DATE}\n"
                           "  - {name: SEX, type: string, values: DEMOGRAPHIC_CATEGORICAL}\n"
                           "  - {name: CAME, type: date, values: DATE}\n"
                           "  - {name: LEFT, type: date, values: DATE}\n"
                           "  - {name: BEGAN, type: date, values: DATE}\n"
                           "  - {name: ENDED, type: date, values: DATE}\n"
                           "  - {name: STAY, type: integer, values: CONTINUOUS}\n"
                           "  - {name: WHOLE, type: integer, values: CONTINUOUS}\n"
                           "  - {name: WHOLE_2, type: long, values: CONTINUOUS}\n"
                           "  - {name: AT, type: string, values: CATEGORICAL}\n"
                           "  - {name: SEEN, type: string, values: CATEGORICAL}\n"
                           "  - {name: WAIT, type: integer, values: CONTINUOUS}\n"
                           "  - {name: CODE_1, type: string, values: CATEGORICAL}\n"
                           "  - {name: CODE_2, type: string, values: CATEGORICAL}\n"
                           "  - {name: CODE_3, type: string, values: CATEGORICAL}\n"
                           "  - {name: YEAR, type: integer, values: CATEGORICAL}\n"
                           "  - {name: AGE_THEN, type: integer, derive: 'age_category(LEFT, MOB)'}\n"
                           "---\n"
                           "dataset: lab\nid: 8\nprimary_key: TEST\npatient_key: NUMBER\n"
                           "coherence:\n"
                           "  population: {id: 1, age: {field: AGE, at: TAKEN}, same: [SEX]}\n"
                           "  timelines: [{anchor: TAKEN}]\n"
                           "  references: [{field: VISIT, dataset: clinic}]\n"
                           "tables: [tests_2021]\n"
                           "fields:\n"
                           "  - {name: TEST, type: long, pattern: '\\d{9}'}\n"
                           "  - {name: VISIT, type: long, pattern: '\\d{9}'}\n"
                           "  - {name: NUMBER, type: string, pattern: 'P[0-9a-f]{12}'}\n"
                           "  - {name: AGE, type: integer, values: CATEGORICAL}\n"
                           "  - {name: TAKEN, type: date, values: DATE}\n"
                           "  - {name: SEX, type: string, values: DEMOGRAPHIC_CATEGORICAL}\n";
enum {
    VISIT,
    PERSON,
    TEST,
    MOB,
    SEX,
    CAME,
    LEFT,
    BEGAN,
    ENDED,
    STAY,
    WHOLE,
    WHOLE_2,
    AT,
    SEEN,
    WAIT,
    CODE_1,
    CODE_2,
    CODE_3,
    YEAR,
    AGE_THEN
};
enum { LAB_TEST, LAB_VISIT, LAB_NUMBER, LAB_AGE, LAB_TAKEN, LAB_SEX };

static void add_birth(struct fixture *fixture, const char *table, const char *month, double patients)
{
    fixture_add(fixture, &(struct adg_metadata_row){.table = table,
                                                    .field = "MOB",
                                                    .value_type = ADG_VALUE_DEMOGRAPHIC_DATE,
                                                    .string = text_of(month),
                                                    .has_numeric = true,
                                                    .numeric = 0.9,
                                                    .has_weight = true,
                                                    .weight = patients});
}

static void add_sex(struct fixture *fixture, const char *table, const char *first, double share, const char *second,
                    double patients)
{
    const struct adg_optional_text values[2] = {text_of(first), text_of(second)};
    const double weights[2] = {share, 1 - share};
    uint32_t count = second != NULL ? 2 : 1;
    fixture_add(fixture, &(struct adg_metadata_row){.table = table,
                                                    .field = "SEX",
                                                    .value_type = ADG_VALUE_DEMOGRAPHIC_CATEGORICAL,
                                                    .string_array = values,
                                                    .string_array_count = count,
                                                    .weight_array = weights,
                                                    .weight_array_count = count,
                                                    .has_weight = true,
                                                    .weight = patients});
}

static struct adg_plan_options coherent(uint64_t patients, uint64_t rows)
{
    return (struct adg_plan_options){.seed = 3, .patients = patients, .rows = rows, .profile = ADG_PROFILE_COHERENT};
}

static struct values values_in(const struct fixture *fixture, const char *table, struct adg_plan_options options)
{
    struct adg_plan *plan = plan_of(fixture, table, options);
    struct values values = values_of(plan);
    adg_plan_free(plan);
    return values;
}

static int32_t day(const char *text)
{
    int32_t days = 0;
    assert_non_null(text);
    assert_true(adg_date_parse(text, strlen(text), &days));
    return days;
}

/* `count` of `n` draws with probability p. */
static void assert_share(uint64_t count, uint64_t n, double p)
{
    double error = 5 * sqrt((double)n * p * (1 - p)) + 0.001;
    if (fabs((double)count - (double)n * p) > error) {
        fail_msg("%.6f, expected %.6f", (double)count / (double)n, p);
    }
}

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

/* ---- dates ----------------------------------------------------------------------------------------------------------- */

#define FIRST 18628 /* 2021-01-01 */

/* Four days of LEFT, of each a quarter; a tenth null, a tenth invalid. STAY 0 to 8 and WHOLE 0 to 20, both even; 600 is a code. */
static void open_dates(struct fixture *fixture, const char *late, double late_patients)
{
    static const double stay[] = {0, 8}, whole[] = {0, 20, 600}, wait[] = {10, 1500};
    fixture_open(fixture, yaml);
    add_cardinality(fixture, "visits_2021", "VISIT", "PERSON", 1, 100);
    add_birth(fixture, "visits_2021", "011950", 100 - late_patients);
    if (late_patients > 0) {
        add_birth(fixture, "visits_2021", late, late_patients);
    }
    for (int i = 0; i < 4; i++) {
        add_date(fixture, "visits_2021", "LEFT", FIRST + 20 + 20 * i, 20);
    }
    add_date(fixture, "visits_2021", "LEFT", -25567, 10); /* 1900-01-01 */
    add_completeness(fixture, "visits_2021", "LEFT", 10, 90);
    add_date(fixture, "visits_2021", "CAME", FIRST, 100);
    add_date(fixture, "visits_2021", "BEGAN", FIRST - 5, 50);
    add_completeness(fixture, "visits_2021", "BEGAN", 50, 50);
    add_date(fixture, "visits_2021", "ENDED", FIRST + 65, 50); /* LEFT is 50 on average: 15 before, 5 after */
    add_percentiles(fixture, "visits_2021", "STAY", stay, 2);
    add_completeness(fixture, "visits_2021", "STAY", 0, 100);
    add_percentiles(fixture, "visits_2021", "WHOLE", whole, 3);
    add_category(fixture, "visits_2021", "AT", "2350", 90);
    add_category(fixture, "visits_2021", "AT", "none", 10);
    add_category(fixture, "visits_2021", "SEEN", "0001", 100);
    add_percentiles(fixture, "visits_2021", "WAIT", wait, 2);
    fixture_ready(fixture);
}

static void test_dates(void **state)
{
    (void)state;
    enum { N = 40000 };
    struct fixture fixture;
    open_dates(&fixture, NULL, 0);
    struct values values = values_in(&fixture, "visits_2021", coherent(0, N));
    uint64_t null = 0, invalid = 0, began = 0, stays[9] = {0}, valid_stays = 0, all_before = 0, all_after = 0,
             times = 0;
    for (uint64_t row = 0; row < N; row++) {
        const char *left = cell(&values, row, LEFT), *stay = cell(&values, row, STAY),
                   *start = cell(&values, row, BEGAN);
        const char *whole = cell(&values, row, WHOLE), *at = cell(&values, row, AT), *wait = cell(&values, row, WAIT);
        bool valid = left != NULL && strcmp(left, "1900-01-01") != 0;
        int32_t came = day(cell(&values, row, CAME)), ended = day(cell(&values, row, ENDED));
        null += left == NULL;
        invalid += left != NULL && !valid;
        began += start != NULL;
        assert_int_equal(stay != NULL, valid);
        assert_true(same_cell(whole, start == NULL ? NULL : whole) && (whole != NULL) == (start != NULL));
        assert_null(cell(&values, row, WHOLE_2)); /* the metadata have nothing about it */
        assert_int_equal(cell(&values, row, AGE_THEN) != NULL, valid);
        if (valid) {
            assert_int_equal(day(left) - came, atoi(stay));
            assert_true(ended >= day(left));
            stays[atoi(stay)]++;
            valid_stays++;
        }
        if (start != NULL) {
            assert_int_equal(ended - day(start), atoi(whole));
            assert_true(day(start) <= came && atoi(whole) <= 20);
        }
        if (start != NULL && valid) { /* what WHOLE is longer lies on one side */
            assert_true(day(start) == came || ended == day(left));
            all_before += day(start) < came;
            all_after += ended > day(left);
        }
        assert_int_equal(wait != NULL, strcmp(at, "none") != 0);
        if (wait != NULL) { /* 23:50 and so many minutes */
            char text[8];
            int minutes = (23 * 60 + 50 + atoi(wait)) % 1440;
            snprintf(text, sizeof text, "%02d%02d", minutes / 60, minutes % 60);
            assert_string_equal(cell(&values, row, SEEN), text);
            times++;
        }
    }
    assert_share(null, N, 0.1);
    assert_share(invalid, N, 0.1);
    assert_share(began, N, 0.5);
    assert_share(times, N, 0.9);
    for (int i = 0; i <= 8; i++) { /* evenly from 0 to 8, rounded: the ends have half an interval */
        assert_share(stays[i], valid_stays, i == 0 || i == 8 ? 1.0 / 16 : 1.0 / 8);
    }
    /* means: BEGAN is 5 days before CAME, ENDED 15 after LEFT (FIRST + 50) */
    assert_share(all_before, all_before + all_after, 5.0 / 20);
    values_free(&values);
    fixture_close(&fixture);
}

/* A fifth is born on 1 March 2021, between the second and the third day: they share those that are left, the others make up
 * for it, and all days stay as frequent as they were. */
static void test_no_date_before_birth(void **state)
{
    (void)state;
    enum { N = 40000 };
    struct fixture fixture;
    open_dates(&fixture, "032021", 20);
    struct values values = values_in(&fixture, "visits_2021", coherent(0, N));
    uint64_t days[4] = {0}, valid = 0, late = 0;
    int32_t birth = adg_date_from_civil(2021, 3, 1);
    for (uint64_t row = 0; row < N; row++) {
        const char *left = cell(&values, row, LEFT);
        bool is_late = strcmp(cell(&values, row, MOB), "032021") == 0;
        late += is_late;
        assert_true(!is_late || day(cell(&values, row, CAME)) >= birth);
        if (left != NULL && strcmp(left, "1900-01-01") != 0) {
            assert_true(!is_late || day(left) >= birth);
            days[(day(left) - FIRST - 20) / 20]++;
            valid++;
        }
    }
    assert_share(late, N, 0.2);
    for (int i = 0; i < 4; i++) {
        assert_share(days[i], valid, 0.25);
    }
    values_free(&values);
    fixture_close(&fixture);
    open_dates(&fixture, "012022", 20); /* born after all of them: no dates */
    values = values_in(&fixture, "visits_2021", coherent(0, 1000));
    for (uint64_t row = 0; row < 1000; row++) {
        bool is_late = strcmp(cell(&values, row, MOB), "012022") == 0;
        assert_int_equal(cell(&values, row, CAME) == NULL, is_late);
        assert_true(!is_late || (cell(&values, row, LEFT) == NULL && cell(&values, row, STAY) == NULL));
    }
    values_free(&values);
    fixture_close(&fixture);
}

/* ---- codes, values, keys --------------------------------------------------------------------------------------------- */

/* Rates: 3/4 (a fifth of the rest is '-', four fifths null), 1/2 and 6/10, of which 1/2 is left. */
static void test_nested(void **state)
{
    (void)state;
    enum { N = 40000 };
    struct fixture fixture;
    fixture_open(&fixture, yaml);
    add_cardinality(&fixture, "visits_2021", "VISIT", "PERSON", 1, 100);
    add_category(&fixture, "visits_2021", "CODE_1", "a", 50);
    add_category(&fixture, "visits_2021", "CODE_1", "b", 25);
    add_category(&fixture, "visits_2021", "CODE_1", "-  ", 5);
    add_category(&fixture, "visits_2021", "CODE_1", NULL, 20);
    add_category(&fixture, "visits_2021", "CODE_2", "c", 50);
    add_category(&fixture, "visits_2021", "CODE_2", "-", 50);
    add_category(&fixture, "visits_2021", "CODE_3", "d", 60);
    add_category(&fixture, "visits_2021", "CODE_3", NULL, 40);
    fixture_ready(&fixture);
    struct values values = values_in(&fixture, "visits_2021", coherent(0, N));
    uint64_t first[4] = {0}, second = 0, third = 0;
    for (uint64_t row = 0; row < N; row++) {
        const char *one = cell(&values, row, CODE_1), *two = cell(&values, row, CODE_2),
                   *three = cell(&values, row, CODE_3);
        first[one == NULL ? 0 : one[0] == '-' ? 1 : one[0] == 'a' ? 2 : 3]++;
        second += two != NULL;
        third += three != NULL;
        assert_true(two == NULL || (strcmp(two, "c") == 0 && one != NULL && one[0] != '-'));
        assert_int_equal(two == NULL, three == NULL); /* the same number is below 1/2, or not */
        assert_string_equal(cell(&values, row, YEAR), "2021");
    }
    assert_share(first[0], N, 0.2);
    assert_share(first[1], N, 0.05);
    assert_share(first[2], N, 0.5);
    assert_share(first[3], N, 0.25);
    assert_share(second, N, 0.5);
    assert_share(third, N, 0.5);
    values_free(&values);
    fixture_close(&fixture);
}

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

/* Nothing can be placed by an anchor that is never valid: what would be is null, what is not stays. */
static void test_no_valid_anchor(void **state)
{
    (void)state;
    enum { N = 10000 };
    struct fixture fixture;
    fixture_open(&fixture, yaml);
    add_cardinality(&fixture, "visits_2021", "VISIT", "PERSON", 1, 100);
    for (int i = 0; i < 100; i++) { /* many texts that are no times */
        char text[16];
        snprintf(text, sizeof text, "x%02d", i);
        add_category(&fixture, "visits_2021", "AT", text, 1);
    }
    add_category(&fixture, "visits_2021", "SEEN", "none", 60);
    add_category(&fixture, "visits_2021", "SEEN", "0930", 40);
    fixture_ready(&fixture);
    struct adg_plan *plan = plan_of(&fixture, "visits_2021", coherent(0, N));
    bool warned = false;
    for (uint32_t i = 0; i < adg_plan_warning_count(plan); i++) {
        warned = warned || strstr(adg_plan_warning(plan, i), "no valid value of AT") != NULL;
    }
    assert_true(warned);
    struct values values = values_of(plan);
    uint64_t first = 0, none = 0;
    for (uint64_t row = 0; row < N; row++) {
        first += strcmp(cell(&values, row, AT), "x00") == 0;
        none += cell(&values, row, SEEN) != NULL;
        assert_true(cell(&values, row, SEEN) == NULL || strcmp(cell(&values, row, SEEN), "none") == 0);
        assert_null(cell(&values, row, WAIT));
    }
    assert_share(first, N, 0.01);
    assert_share(none, N, 0.6);
    values_free(&values);
    adg_plan_free(plan);
    fixture_close(&fixture);
    fixture_open(&fixture, yaml); /* ages at dates that nobody knows are drawn by themselves */
    add_cardinality(&fixture, "tests_2021", "TEST", "NUMBER", 1, 100);
    add_category(&fixture, "tests_2021", "AGE", "40", 30);
    add_category(&fixture, "tests_2021", "AGE", "50", 70);
    fixture_ready(&fixture);
    values = values_in(&fixture, "tests_2021", coherent(0, N));
    uint64_t forty = 0;
    for (uint64_t row = 0; row < N; row++) {
        forty += strcmp(cell(&values, row, LAB_AGE), "40") == 0;
    }
    assert_share(forty, N, 0.3);
    values_free(&values);
    fixture_close(&fixture);
}

/* ---- what is refused, and memory -------------------------------------------------------------------------------------- */

static void test_refused_and_warned(void **state)
{
    (void)state;
    static const double falling[] = {5, 3};
    struct fixture fixture;
    open_dates(&fixture, NULL, 0);
    struct adg_plan *plan = plan_of(&fixture, "visits_2021", coherent(10, 0));
    for (uint32_t i = 0; i < adg_plan_warning_count(plan); i++) {
        assert_null(strstr(adg_plan_warning(plan, i), "taken as short"));
    }
    adg_plan_free(plan);
    fixture_close(&fixture);
    fixture_open(&fixture, yaml);
    add_cardinality(&fixture, "visits_2021", "VISIT", "PERSON", 1, 100);
    add_date(&fixture, "visits_2021", "LEFT", FIRST, 5);
    add_date(&fixture, "visits_2021", "CAME", FIRST, 5);
    fixture_ready(&fixture);
    plan = plan_of(&fixture, "visits_2021", coherent(10, 0)); /* no STAY: both are the same day */
    bool warned = false;
    for (uint32_t i = 0; i < adg_plan_warning_count(plan); i++) {
        warned = warned || strstr(adg_plan_warning(plan, i), "the time from CAME to LEFT") != NULL;
    }
    assert_true(warned);
    adg_plan_free(plan);
    fixture_close(&fixture);
    fixture_open(&fixture, yaml);
    add_cardinality(&fixture, "visits_2021", "VISIT", "PERSON", 1, 100);
    add_date(&fixture, "visits_2021", "LEFT", FIRST, 5);
    add_percentiles(&fixture, "visits_2021", "STAY", falling, 2);
    fixture_ready(&fixture);
    assert_int_equal(plan_status(&fixture, "visits_2021", coherent(10, 0)), ADG_BAD_INPUT);
    fixture_close(&fixture);
    fixture_open(&fixture, yaml);
    add_cardinality(&fixture, "visits_2021", "VISIT", "PERSON", 1, 100);
    add_birth(&fixture, "visits_2021", "011950", 10);
    fixture_add(&fixture, &(struct adg_metadata_row){.table = "visits_2021",
                                                     .field = "MOB",
                                                     .value_type = ADG_VALUE_DEMOGRAPHIC_DATE,
                                                     .string = text_of("011950"),
                                                     .has_numeric = true,
                                                     .numeric = 0.5,
                                                     .has_weight = true,
                                                     .weight = 5});
    fixture_ready(&fixture);
    assert_int_equal(plan_status(&fixture, "visits_2021", coherent(10, 0)), ADG_BAD_INPUT); /* a month twice */
    fixture_close(&fixture);
}

static void test_without_memory(void **state)
{
    (void)state;
    struct fixture fixture;
    open_dates(&fixture, "032021", 20);
    add_category(&fixture, "visits_2021", "CODE_1", "a", 50);
    add_sex(&fixture, "visits_2021", "f", 0.6, "m", 50);
    add_cardinality(&fixture, "tests_2021", "TEST", "NUMBER", 2, 80);
    add_category(&fixture, "tests_2021", "AGE", "40", 100);
    add_date(&fixture, "tests_2021", "TAKEN", FIRST, 100);
    fixture_ready(&fixture);
    static const char *const tables[] = {"visits_2021", "tests_2021"};
    for (int t = 0; t < 2; t++) {
        enum adg_status status = ADG_FAILED;
        for (uint64_t n = 1; status != ADG_OK; n++) {
            struct adg_plan_options options = coherent(50, 0);
            struct adg_plan *plan = NULL;
            options.shards = options.threads = 1;
            adg_memory_fail_at(n);
            status = adg_plan_new(fixture.definition, &fixture.metadata, tables[t], &options, &plan, NULL);
            adg_memory_fail_at(0);
            assert_true(status == ADG_OK || (status == ADG_FAILED && plan == NULL));
            adg_plan_free(plan);
        }
    }
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_people),
        cmocka_unit_test(test_stated_population),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_ages_become_months),
        cmocka_unit_test(test_dates),
        cmocka_unit_test(test_no_date_before_birth),
        cmocka_unit_test(test_no_valid_anchor),
        cmocka_unit_test(test_nested),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_one_dataset_of_two),
        cmocka_unit_test(test_refused_and_warned),
        cmocka_unit_test(test_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
