/*
 * Profile coherent, rows: dates in their order and codes without holes, with expectations that can be worked out by hand;
 * what is refused, and a lack of memory.
 */
#include "clinic.h"
#include "core/memory.h"

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

/* ---- codes and values ------------------------------------------------------------------------------------------------ */

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

/* Rates of 1/8, 1/100 and 1/1000: the columns are sparse, and still filled from the left. */
static void test_rare_positions(void **state)
{
    (void)state;
    enum { N = 200000 };
    struct fixture fixture;
    fixture_open(&fixture, yaml);
    add_cardinality(&fixture, "visits_2021", "VISIT", "PERSON", 1, 100);
    for (uint32_t k = 0; k < 3; k++) {
        const char *field = (const char *const[]){"CODE_1", "CODE_2", "CODE_3"}[k];
        const double filled[] = {125, 20,
                                 2}; /* of which, behind the first, half are placeholders, which these do not show */
        add_category(&fixture, "visits_2021", field, "x", 30);
        add_category(&fixture, "visits_2021", field, "y", 10);
        if (k > 0) {
            add_category(&fixture, "visits_2021", field, "-", 40);
        }
        add_completeness(&fixture, "visits_2021", field, 1000 - filled[k], filled[k]);
    }
    fixture_ready(&fixture);
    struct adg_plan *plan = plan_of(&fixture, "visits_2021", coherent(0, N));
    struct adg_block *block = NULL;
    uint64_t filled[3] = {0}, y[3] = {0};
    assert_int_equal(adg_block_new(plan, &block, NULL), ADG_OK);
    for (uint64_t number = 0; number < adg_plan_blocks(plan); number++) {
        assert_int_equal(adg_block_generate(block, number, NULL), ADG_OK);
        for (uint32_t k = 0; k < 3; k++) {
            const struct adg_filled_rows *told = &block->columns[CODE_1 + k].filled;
            assert_true(block->layout->columns[CODE_1 + k].sparse);
            assert_int_equal(block->layout->columns[CODE_1 + k].dictionary->count, 2);
            filled[k] += check_filled(block, CODE_1 + k);
            for (uint32_t i = 0; i < told->count; i++) {
                y[k] += told->codes[i];
                assert_true(k == 0 || block->columns[CODE_1 + k - 1].codes[told->rows[i]] < 2);
            }
        }
    }
    assert_share(filled[0], N, 0.125);
    assert_share(filled[1], N, 0.01);
    assert_share(filled[2], N, 0.001);
    for (uint32_t k = 0; k < 3; k++) {
        assert_share(y[k], filled[k], 0.25);
        check_alone(plan, CODE_1 + k);
    }
    adg_block_free(block);
    adg_plan_free(plan);
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
    add_month(&fixture, "visits_2021", "MOB", "011950", 0.5, 5);
    fixture_ready(&fixture);
    assert_int_equal(plan_status(&fixture, "visits_2021", coherent(10, 0)), ADG_BAD_INPUT); /* a month twice */
    fixture_close(&fixture);
}

/* A column of nearly every kind, in two tables that refer to each other. */
static void open_all(struct fixture *fixture)
{
    open_dates(fixture, "032021", 20);
    add_category(fixture, "visits_2021", "CODE_1", "a", 50);
    add_sex(fixture, "visits_2021", "f", 0.6, "m", 50);
    add_cardinality(fixture, "tests_2021", "TEST", "NUMBER", 2, 80);
    add_category(fixture, "tests_2021", "AGE", "40", 100);
    add_date(fixture, "tests_2021", "TAKEN", FIRST, 100);
    fixture_ready(fixture);
}

static void assert_same_values(const struct values *a, const struct values *b)
{
    assert_int_equal(a->rows, b->rows);
    for (uint64_t i = 0; i < a->rows * a->columns; i++) {
        assert_true((a->cells[i] == NULL) == (b->cells[i] == NULL));
        assert_true(a->cells[i] == NULL || strcmp(a->cells[i], b->cells[i]) == 0);
    }
}

/* Columns that were dropped are made again as they were, also after attempts without memory; rows and warnings stay. */
static void test_columns_again(void **state)
{
    (void)state;
    struct fixture fixture;
    open_all(&fixture);
    static const char *const tables[] = {"visits_2021", "tests_2021"};
    for (int t = 0; t < 2; t++) {
        struct adg_plan *plan = plan_of(&fixture, tables[t], coherent(200, 0));
        struct values before = values_of(plan);
        uint32_t warnings = adg_plan_warning_count(plan);
        assert_true(adg_plan_column_bytes(plan) > 1000);
        enum adg_status status = ADG_FAILED;
        uint64_t attempts = 0;
        while (status != ADG_OK) {
            adg_plan_drop_columns(plan);
            assert_int_equal(adg_plan_column_bytes(plan), 0);
            assert_int_equal(adg_plan_rows(plan), before.rows);
            for (uint32_t c = 0; c < adg_plan_columns(plan); c++) {
                assert_null(adg_plan_layout(plan)->columns[c].dictionary);
                assert_non_null(adg_plan_column_name(plan, c));
            }
            adg_memory_fail_at(++attempts);
            status = adg_plan_make_columns(plan, &fixture.metadata, NULL);
            adg_memory_fail_at(0);
        }
        assert_true(attempts > 10);
        assert_int_equal(adg_plan_make_columns(plan, &fixture.metadata, NULL), ADG_OK); /* which are there */
        assert_int_equal(adg_plan_warning_count(plan), warnings);
        struct values after = values_of(plan);
        assert_same_values(&before, &after);
        values_free(&before);
        values_free(&after);
        adg_plan_free(plan);
    }
    fixture_close(&fixture);
}

static void test_without_memory(void **state)
{
    (void)state;
    struct fixture fixture;
    open_all(&fixture);
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
        cmocka_unit_test(test_dates),           cmocka_unit_test(test_no_date_before_birth),
        cmocka_unit_test(test_no_valid_anchor), cmocka_unit_test(test_nested),
        cmocka_unit_test(test_rare_positions),  cmocka_unit_test(test_refused_and_warned),
        cmocka_unit_test(test_columns_again),   cmocka_unit_test(test_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
