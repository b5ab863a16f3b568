/*
 * What stands in the columns: shares of values and nulls, patterns of patients, types, derived fields and sorted dates,
 * each recomputed here from the values of other columns or from the weights.
 *
 * Shares are held against their expectation by total variation distance, below sqrt((k + 2) / n) for k values and n
 * draws.
 */
#include <inttypes.h>
#include <math.h>

#include "core/date.h"
#include "fixture.h"
#include "generate/random.h"
#include "sample/quantile.h"

static const char yaml[] =
    "dataset: test\nid: 7\nprimary_key: KEY\npatient_key: PERSON\nmin_frequency: 5\nrounding: 5\n"
    "sorted_dates: [D_1, D_2, D_3, D_4]\nplaceholders: ['-', '&']\n"
    "tables:\n  - t_1\n"
    "fields:\n"
    "  - {name: KEY, type: long, pattern: '\\d{12}'}\n"
    "  - {name: PERSON, type: string, pattern: 'P[0-9a-z]{20}'}\n"
    "  - {name: CODE, type: string, values: CATEGORICAL}\n"
    "  - {name: NUMBER, type: integer, values: CATEGORICAL}\n"
    "  - {name: WEIGHT, type: 'decimal(5,2)', values: CATEGORICAL}\n"
    "  - {name: STAY, type: integer, values: CONTINUOUS}\n"
    "  - {name: COST, type: double, values: CONTINUOUS}\n"
    "  - {name: SIZE, type: integer, values: DISCRETE}\n"
    "  - {name: SEX, type: string, values: DEMOGRAPHIC_CATEGORICAL}\n"
    "  - {name: BIRTH, type: string, values: DEMOGRAPHIC_DATE}\n"
    "  - {name: D_1, type: date, values: DATE}\n"
    "  - {name: D_2, type: date, values: DATE}\n"
    "  - {name: D_3, type: date, values: DATE}\n"
    "  - {name: D_4, type: date, values: DATE}\n"
    "  - {name: X_1, type: string, values: CATEGORICAL}\n"
    "  - {name: X_2, type: string, values: CATEGORICAL}\n"
    "  - {name: X_3, type: string, values: CATEGORICAL}\n"
    "  - {name: S_1, type: string, derive: 'prefix(X_1, 2)'}\n"
    "  - {name: ALL_X, type: string, derive: 'join(X_1..3)'}\n"
    "  - {name: COUNT_X, type: integer, derive: 'count_codes(X_1..3, cap 2)'}\n"
    "  - {name: AGE, type: integer, derive: 'age_category(D_1, BIRTH)'}\n"
    "  - {name: AGE_CALC, type: double, derive: 'age_fraction(D_1, BIRTH)'}\n"
    "  - {name: NUMBER_CALC, type: double, derive: 'age_fraction_of_category(NUMBER)'}\n"
    "  - {name: SHORT, type: string, derive: 'join(S_1, X_2)'}\n"
    "  - {name: WIDE, type: string, derive: 'join(X_2, CODE)'}\n";
enum {
    KEY,
    PERSON,
    CODE,
    NUMBER,
    WEIGHT,
    STAY,
    COST,
    SIZE,
    SEX,
    BIRTH,
    D_1,
    D_2,
    D_3,
    D_4,
    X_1,
    X_2,
    X_3,
    S_1,
    ALL_X,
    COUNT_X,
    AGE,
    AGE_CALC,
    NUMBER_CALC,
    SHORT,
    WIDE
};

static const double stay[] = {0, 1, 1, 5, 200}, cost[] = {0.5, 10.25, 1e9};

static void open_all(struct fixture *fixture)
{
    fixture_open(fixture, yaml);
    add_cardinality(fixture, "t_1", "KEY", "PERSON", 1, 50);
    add_cardinality(fixture, "t_1", "KEY", "PERSON", 8, 50);
    add_category(fixture, "t_1", "CODE", NULL, 5);
    add_category(fixture, "t_1", "CODE", "a", 10);
    add_category(fixture, "t_1", "CODE", "b blanks  ", 30);
    add_category(fixture, "t_1", "CODE", "c", 60);
    add_completeness(fixture, "t_1", "CODE", 100, 300);
    add_category(fixture, "t_1", "NUMBER", NULL, 25);
    add_category(fixture, "t_1", "NUMBER", "7001", 25);
    add_category(fixture, "t_1", "NUMBER", "7006", 25);
    add_category(fixture, "t_1", "NUMBER", "34", 20);
    add_category(fixture, "t_1", "NUMBER", "34.0", 5); /* the same number: one entry */
    add_category(fixture, "t_1", "WEIGHT", "1.5", 10);
    add_category(fixture, "t_1", "WEIGHT", "-0.25", 10);
    add_percentiles(fixture, "t_1", "STAY", stay, 5);
    add_completeness(fixture, "t_1", "STAY", 50, 150);
    add_percentiles(fixture, "t_1", "COST", cost, 3);
    fixture_add(fixture, &(struct adg_metadata_row){.table = "t_1",
                                                    .field = "SIZE",
                                                    .value_type = ADG_VALUE_DISCRETE,
                                                    .has_numeric = true,
                                                    .numeric = 12,
                                                    .has_weight = true,
                                                    .weight = 5});
    add_pattern(fixture, "t_1", "SEX", (const char *const[]){"1"}, (const double[]){1}, 1, 30);
    add_pattern(fixture, "t_1", "SEX", (const char *const[]){NULL, "2"}, (const double[]){0.8, 0.3}, 2, 50);
    add_pattern(fixture, "t_1", "SEX", (const char *const[]){"8", "9"}, (const double[]){0, 0}, 2, 20);
    add_month(fixture, "t_1", "BIRTH", "022001", 0.75, 40);
    add_month(fixture, "t_1", "BIRTH", "121940", 1, 40);
    add_month(fixture, "t_1", "BIRTH", "132001", 0.5, 10); /* no month */
    add_month(fixture, "t_1", "BIRTH", NULL, 0.5, 10);
    for (int32_t day = 0; day < 40; day++) {
        add_date(fixture, "t_1", "D_1", 11354 + day * 40, 5); /* from 2001-02-01 */
        add_date(fixture, "t_1", "D_2", 11354 + day * 40 + 7, 5);
    }
    add_completeness(fixture, "t_1", "D_2", 50, 50);
    add_date(fixture, "t_1", "D_4", adg_date_from_civil(1800, 1, 1), 5);
    add_date(fixture, "t_1", "D_4", adg_date_from_civil(2020, 6, 30), 45);
    add_category(fixture, "t_1", "X_1", NULL, 10);
    add_category(fixture, "t_1", "X_1", "A01X", 10);
    add_category(fixture, "t_1", "X_1", "A02-", 10);
    add_category(fixture, "t_1", "X_1", "\xc3\x84\xc3\x96\xc3\x9c", 10); /* three characters of two bytes */
    add_category(fixture, "t_1", "X_1", "-   ", 10);
    add_category(fixture, "t_1", "X_2", NULL, 10);
    add_category(fixture, "t_1", "X_2", "& \t", 10);
    add_category(fixture, "t_1", "X_2", "B", 10);
    add_category(fixture, "t_1", "X_3", NULL, 20);
    add_category(fixture, "t_1", "X_3", "a longer text, with a comma", 10);
    fixture_ready(fixture);
}

static bool is(const char *cell_text, const char *expected)
{
    return same_cell(cell_text, expected);
}

static uint64_t count_of(const struct values *values, uint32_t column, const char *expected)
{
    uint64_t count = 0;
    for (uint64_t row = 0; row < values->rows; row++) {
        count += is(cell(values, row, column), expected);
    }
    return count;
}

/* Total variation distance between a column and shares that sum to 1. */
static void check_shares(const struct values *values, uint32_t column, const char *const *texts, const double *shares,
                         uint32_t k)
{
    double distance = 0;
    uint64_t seen = 0;
    for (uint32_t i = 0; i < k; i++) {
        uint64_t count = count_of(values, column, texts[i]);
        distance += fabs((double)count / (double)values->rows - shares[i]) / 2;
        seen += count;
    }
    assert_int_equal(seen, values->rows);
    assert_true(distance < sqrt((k + 2) / (double)values->rows));
}

static void test_shares(void **state)
{
    struct values *values = *state;
    check_shares(values, CODE, (const char *const[]){NULL, "a", "b blanks  ", "c"},
                 (const double[]){0.25, 0.075, 0.225, 0.45}, 4);
    check_shares(values, NUMBER, (const char *const[]){NULL, "34", "7001", "7006"},
                 (const double[]){0.25, 0.25, 0.25, 0.25}, 4);
    check_shares(values, WEIGHT, (const char *const[]){"-0.25", "1.5"}, (const double[]){0.5, 0.5}, 2);
    check_shares(values, SIZE, (const char *const[]){"12"}, (const double[]){1}, 1);
}

static void test_continuous(void **state)
{
    struct values *values = *state;
    uint64_t ones = 0, nulls = 0, high = 0;
    for (uint64_t row = 0; row < values->rows; row++) {
        const char *days = cell(values, row, STAY);
        nulls += days == NULL;
        if (days != NULL) {
            assert_in_range(strtol(days, NULL, 10), 0, 200);
            ones += strcmp(days, "1") == 0;
        }
        double price = strtod(cell(values, row, COST), NULL);
        assert_true(price >= 0.5 && price <= 1e9);
        high += price >= 10.25;
    }
    /* 1: half of [0, 1], all of [1, 1], an eighth of [1, 5]; a quarter of the rows each, of three quarters that are
     * filled. Bounds are four standard errors of a share, at most 2 / sqrt(rows). */
    double n = (double)values->rows, bound = 2 / sqrt(n);
    assert_true(fabs((double)nulls / n - 0.25) < bound);
    assert_true(fabs((double)ones / n - 0.75 * (0.5 + 1 + 0.125) / 4) < bound);
    assert_true(fabs((double)high / n - 0.5) < bound);
}

/* Every row by itself, from its three words, for ranges of one value, far from 0 and through it; a table of one row, of a few, of blocks. */
static void test_listed_rows(void **state)
{
    (void)state;
    static const double ranges[][5] = {
        {7, 7, 7, 7, 7}, {-3, -1, 0, 0, 30000}, {2147400000, 2147400001, 2147400100, 2147440000, 2147460000}};
    for (uint32_t r = 0; r < sizeof ranges / sizeof *ranges; r++) {
        for (uint64_t rows = 1; rows < 40000; rows = rows * 3 + 2) {
            struct fixture fixture;
            fixture_open(&fixture, yaml);
            add_percentiles(&fixture, "t_1", "STAY", ranges[r], 5);
            add_completeness(&fixture, "t_1", "STAY", 30, 70);
            fixture_ready(&fixture);
            struct adg_plan *plan = plan_of(&fixture, "t_1", (struct adg_plan_options){.seed = 3, .rows = rows});
            struct values values = values_of(plan);
            const uint32_t column = (uint32_t)STAY, dataset = 7 << 16;
            const struct adg_stream value = {3, column, dataset | ADG_PURPOSE_VALUE},
                                    null = {3, column, dataset | ADG_PURPOSE_NULL},
                                    interval = {3, column, dataset | ADG_PURPOSE_INTERVAL};
            for (uint64_t row = 0; row < rows; row++) {
                char expected[24];
                double x = adg_quantile_draw(ranges[r], 5, adg_stream_word(&interval, row),
                                             adg_stream_word(&value, row));
                snprintf(expected, sizeof expected, "%" PRId64, adg_round_half_up(x));
                bool is_null = adg_stream_word(&null, row) < 1288490189; /* 3/10 of 2^32, rounded */
                assert_true(is(cell(&values, row, STAY), is_null ? NULL : expected));
            }
            values_free(&values);
            adg_plan_free(plan);
            fixture_close(&fixture);
        }
    }
}

static void test_patterns(void **state)
{
    struct values *values = *state;
    uint64_t patients = 0, with[3] = {0}, mixed_rows = 0, mixed_nulls = 0, even_rows = 0, eights = 0;
    for (uint64_t row = 0; row < values->rows; row++) {
        const char *sex = cell(values, row, SEX);
        int pattern = sex == NULL || *sex == '2' ? 1 : *sex == '1' ? 0 : 2;
        bool first = row == 0 || strcmp(cell(values, row, PERSON), cell(values, row - 1, PERSON)) != 0;
        if (!first) { /* a patient keeps its pattern */
            const char *before = cell(values, row - 1, SEX);
            assert_int_equal(pattern, before == NULL || *before == '2' ? 1 : *before == '1' ? 0 : 2);
        }
        patients += first;
        with[pattern] += first;
        mixed_rows += pattern == 1;
        mixed_nulls += sex == NULL;
        even_rows += pattern == 2;
        eights += sex != NULL && *sex == '8';
    }
    double bound = 2 / sqrt((double)patients);
    assert_true(fabs((double)with[0] / (double)patients - 0.3) < bound);
    assert_true(fabs((double)with[1] / (double)patients - 0.5) < bound);
    assert_true(fabs((double)mixed_nulls / (double)mixed_rows - 0.8 / 1.1) < 2 / sqrt((double)mixed_rows));
    assert_true(fabs((double)eights / (double)even_rows - 0.5) < 2 / sqrt((double)even_rows));
}

static void test_patient_dates(void **state)
{
    struct values *values = *state;
    /* Of a patient's rows: own value with its incidence, else another by weight among the others. */
    static const char *const texts[] = {"022001", "121940", "132001", NULL};
    static const double weights[] = {0.4, 0.4, 0.1, 0.1}, incidences[] = {0.75, 1, 0.5, 0.5};
    for (int shown = 0; shown < 4; shown++) {
        double share = 0;
        for (int own = 0; own < 4; own++) {
            share += weights[own] *
                     (own == shown ? incidences[own] : (1 - incidences[own]) * weights[shown] / (1 - weights[own]));
        }
        /* rows of a patient go together: eight rows count as one draw */
        double count = (double)count_of(values, BIRTH, texts[shown]), n = (double)values->rows;
        assert_true(fabs(count / n - share) < 2 / sqrt(n / 8));
    }
}

static void test_sorted_dates(void **state)
{
    struct values *values = *state;
    uint64_t four = 0;
    for (uint64_t row = 0; row < values->rows; row++) {
        int filled = 0;
        for (uint32_t column = D_1; column <= D_4; column++) {
            const char *date = cell(values, row, column);
            if (date == NULL) {
                continue;
            }
            assert_int_equal(filled, column - D_1); /* nulls to the right */
            filled++;
            if (column > D_1) {
                assert_true(strcmp(cell(values, row, column - 1), date) <= 0);
            }
        }
        /* D_1 and D_4 are always there, D_2 half of the time, D_3 never */
        assert_in_range(filled, 2, 3);
        four += filled == 3;
    }
    assert_true(fabs((double)four / (double)values->rows - 0.5) < 2 / sqrt((double)values->rows));
}

/* Days between, from the texts; the month of birth is MMyyyy. False when there is no age. */
static bool days_of(const char *date, const char *birth, long *days)
{
    if (date == NULL || birth == NULL || atoi(birth) / 10000 > 12) {
        return false;
    }
    *days = (long)adg_date_from_civil(atoi(date), (unsigned)atoi(date + 5), (unsigned)atoi(date + 8)) -
            adg_date_from_civil(atoi(birth + 2), (unsigned)(atoi(birth) / 10000), 1);
    return true;
}

static void test_ages(void **state)
{
    static const struct {
        long days;
        const char *category, *fraction;
    } infants[] = {{0, "7001", "0.002"},   {6, "7002", "0.01"},    {28, "7003", "0.048"}, {90, "7004", "0.167"},
                   {181, "7005", "0.375"}, {272, "7006", "0.625"}, {364, "7007", "0.875"}};
    struct values *values = *state;
    uint64_t young = 0, old = 0;
    for (uint64_t row = 0; row < values->rows; row++) {
        long days = 0;
        const char *category = cell(values, row, AGE), *fraction = cell(values, row, AGE_CALC);
        if (!days_of(cell(values, row, D_1), cell(values, row, BIRTH), &days)) {
            assert_null(category);
            assert_null(fraction);
            continue;
        }
        size_t i = 0;
        while (i < sizeof infants / sizeof infants[0] && days > infants[i].days) {
            i++;
        }
        if (i < sizeof infants / sizeof infants[0]) {
            assert_string_equal(category, infants[i].category);
            assert_string_equal(fraction, infants[i].fraction);
            young++;
        } else {
            assert_int_equal(atol(category), (long)floor((double)days / 365 + 0.5));
            assert_true(strtod(fraction, NULL) == (double)days / 365.0);
            old++;
        }
    }
    assert_true(young > 100 && old > 100);
    for (uint64_t row = 0; row < values->rows; row++) {
        const char *number = cell(values, row, NUMBER);
        const char *expected = number == NULL                ? NULL
                               : strcmp(number, "7001") == 0 ? "0.002"
                               : strcmp(number, "7006") == 0 ? "0.625"
                                                             : number;
        assert_true(is(cell(values, row, NUMBER_CALC), expected));
    }
}

/* The texts with commas between, without trailing commas; NULL when nothing is left. */
static const char *join(const char *const *texts, int count, char out[100])
{
    out[0] = '\0';
    for (int i = 0; i < count; i++) {
        snprintf(out + strlen(out), 100 - strlen(out), "%s%s", i > 0 ? "," : "", texts[i] != NULL ? texts[i] : "");
    }
    while (out[0] != '\0' && out[strlen(out) - 1] == ',') {
        out[strlen(out) - 1] = '\0';
    }
    return out[0] != '\0' ? out : NULL;
}

static void test_codes(void **state)
{
    struct values *values = *state;
    for (uint64_t row = 0; row < values->rows; row++) {
        const char *x[3] = {cell(values, row, X_1), cell(values, row, X_2), cell(values, row, X_3)};
        const char *prefix = x[0] == NULL ? NULL : x[0][0] == 'A' ? "A0" : x[0][0] == '-' ? "- " : "\xc3\x84\xc3\x96";
        assert_true(is(cell(values, row, S_1), prefix));

        char joined[100];
        assert_true(is(cell(values, row, ALL_X), join(x, 3, joined)));
        assert_true(is(cell(values, row, SHORT), join((const char *const[]){cell(values, row, S_1), x[1]}, 2, joined)));
        assert_true(is(cell(values, row, WIDE), join((const char *const[]){x[1], cell(values, row, CODE)}, 2, joined)));

        int codes = (x[0] != NULL && x[0][0] != '-') + (x[1] != NULL && x[1][0] != '&') + (x[2] != NULL);
        char count[12];
        snprintf(count, sizeof count, "%d", codes < 2 ? codes : 2);
        assert_true(is(cell(values, row, COUNT_X), codes > 0 ? count : NULL));
    }
}

static void test_kinds(void **state)
{
    (void)state;
    struct fixture fixture;
    open_all(&fixture);
    struct adg_plan *plan = plan_of(&fixture, "t_1", (struct adg_plan_options){.seed = 1, .patients = 10});
    const struct adg_layout *layout = adg_plan_layout(plan);
    assert_int_equal(layout->columns[CODE].kind, ADG_COLUMN_DICTIONARY);
    assert_int_equal(layout->columns[CODE].dictionary->count, 3);
    assert_true(layout->columns[CODE].nullable);
    assert_int_equal(layout->columns[NUMBER].dictionary->count, 3);
    assert_false(layout->columns[WEIGHT].nullable);
    assert_int_equal(layout->columns[WEIGHT].dictionary->values.i64[0], -25); /* unscaled, by value */
    assert_int_equal(layout->columns[WEIGHT].dictionary->values.i64[1], 150);
    assert_int_equal(layout->columns[STAY].dictionary->count, 201);
    assert_int_equal(layout->columns[COST].kind, ADG_COLUMN_PLAIN);
    assert_int_equal(layout->columns[SIZE].kind, ADG_COLUMN_CONSTANT);
    assert_false(layout->columns[D_2].nullable);
    assert_true(layout->columns[D_3].nullable);
    assert_int_equal(layout->columns[D_4].kind, ADG_COLUMN_NULL); /* three fields have metadata */
    assert_int_equal(adg_plan_warning_count(plan), 0);            /* the sort fills D_3 */
    adg_plan_free(plan);
    fixture_close(&fixture);
}

static void test_refused_metadata(void **state)
{
    (void)state;
    static const double infinite[] = {1, INFINITY}, falling[] = {2, 1}, huge[] = {0, 1e10};
    for (int i = 0; i < 9; i++) {
        struct fixture fixture;
        fixture_open(&fixture, yaml);
        add_cardinality(&fixture, "t_1", "KEY", "PERSON", 1, 50);
        switch (i) {
        case 0:
            add_category(&fixture, "t_1", "NUMBER", "text", 5);
            break;
        case 1:
            add_category(&fixture, "t_1", "NUMBER", "2147483648", 5);
            break;
        case 2:
            add_category(&fixture, "t_1", "CODE", "a", NAN);
            break;
        case 3:
            add_percentiles(&fixture, "t_1", "STAY", infinite, 2);
            break;
        case 4:
            add_percentiles(&fixture, "t_1", "STAY", falling, 2);
            break;
        case 5:
            add_percentiles(&fixture, "t_1", "STAY", huge, 2);
            break;
        case 6:
            add_pattern(&fixture, "t_1", "SEX", (const char *const[]){"1", "2"}, (const double[]){1, -1}, 2, 5);
            break;
        case 7:
            add_month(&fixture, "t_1", "BIRTH", "012000", 1.5, 5);
            break;
        case 8:
            add_completeness(&fixture, "t_1", "CODE", 0.5, 10);
            break;
        }
        fixture_ready(&fixture);
        assert_int_equal(plan_status(&fixture, "t_1", (struct adg_plan_options){.patients = 1}), ADG_BAD_INPUT);
        fixture_close(&fixture);
    }
}

static void test_null_throughout(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, yaml);
    add_cardinality(&fixture, "t_1", "KEY", "PERSON", 1, 50);
    add_category(&fixture, "t_1", "CODE", NULL, 50);
    add_category(&fixture, "t_1", "NUMBER", "1", 5);
    add_completeness(&fixture, "t_1", "NUMBER", 10, 0);
    add_completeness(&fixture, "t_1", "STAY", 10, 0);
    fixture_ready(&fixture);
    struct adg_plan *plan = plan_of(&fixture, "t_1", (struct adg_plan_options){.seed = 1, .patients = 1});
    assert_int_equal(adg_plan_layout(plan)->columns[CODE].kind, ADG_COLUMN_NULL);
    assert_int_equal(adg_plan_layout(plan)->columns[NUMBER].kind, ADG_COLUMN_NULL);
    assert_int_equal(adg_plan_layout(plan)->columns[STAY].kind, ADG_COLUMN_NULL);
    assert_null(strstr(adg_plan_warning(plan, 0), "CODE")); /* metadata are there, they say null */
    assert_non_null(strstr(adg_plan_warning(plan, 0), "COST"));
    for (uint32_t column = D_1; column <= NUMBER_CALC; column++) { /* derived of nothing */
        assert_int_equal(adg_plan_layout(plan)->columns[column].kind, ADG_COLUMN_NULL);
    }
    adg_plan_free(plan);
    fixture_close(&fixture);
}

/* A value in a hundredth of the rows, in an eighth, and in a little more, which is drawn row by row. A part's first block begins within
 * a whole one, and blocks are made in any order. */
static void test_sparse(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, yaml);
    add_cardinality(&fixture, "t_1", "KEY", "PERSON", 1, 50);
    for (uint32_t c = 0; c < 4; c++) {
        add_category(&fixture, "t_1", "CODE", (const char *const[]){"a", "b", "c", "d"}[c], 10 * (c + 1));
        add_category(&fixture, "t_1", "X_1", (const char *const[]){"A01", "A02", "A03", "A04"}[c], 10);
        add_category(&fixture, "t_1", "X_2", (const char *const[]){"A01", "A02", "A03", "A04"}[c], 10);
    }
    add_completeness(&fixture, "t_1", "CODE", 990, 10);
    add_completeness(&fixture, "t_1", "X_1", 70, 10);
    add_completeness(&fixture, "t_1", "X_2", 69, 10);
    add_date(&fixture, "t_1", "D_1", 11354, 5); /* sorted: another step writes its codes */
    add_date(&fixture, "t_1", "D_1", 11355, 5);
    add_completeness(&fixture, "t_1", "D_1", 990, 10);
    fixture_ready(&fixture);
    struct adg_plan *whole = plan_of(&fixture, "t_1", (struct adg_plan_options){.seed = 5, .patients = 100000});
    const struct adg_layout_column *layout = adg_plan_layout(whole)->columns;
    assert_true(layout[CODE].sparse && layout[X_1].sparse && !layout[X_2].sparse && !layout[D_1].sparse);
    struct values expected = values_of(whole);
    check_shares(&expected, CODE, (const char *const[]){NULL, "a", "b", "c", "d"},
                 (const double[]){0.99, 0.001, 0.002, 0.003, 0.004}, 5);
    check_shares(&expected, X_1, (const char *const[]){NULL, "A01", "A02", "A03", "A04"},
                 (const double[]){0.875, 0.03125, 0.03125, 0.03125, 0.03125}, 5);
    uint64_t row = 0, filled = 0;
    for (uint64_t shard = 0; shard < 3; shard++) {
        struct adg_plan_options options = {.seed = 5, .patients = 100000, .shard = shard, .shards = 3};
        struct adg_plan *plan = plan_of(&fixture, "t_1", options);
        struct adg_block *block = NULL;
        assert_int_equal(adg_block_new(plan, &block, NULL), ADG_OK);
        for (uint64_t number = adg_plan_blocks(plan); number-- > 0;) { /* the first one last, and again */
            assert_int_equal(adg_block_generate(block, number, NULL), ADG_OK);
            check_filled(block, X_1);
            filled += check_filled(block, CODE);
        }
        for (uint64_t number = 0; number < adg_plan_blocks(plan); number++) {
            assert_int_equal(adg_block_generate(block, number, NULL), ADG_OK);
            check_filled(block, CODE);
            for (uint32_t i = 0; i < block->rows; i++, row++) {
                uint32_t code = block->columns[CODE].codes[i];
                assert_true(
                    is(cell(&expected, row, CODE), code < 4 ? (const char *const[]){"a", "b", "c", "d"}[code] : NULL));
            }
        }
        adg_block_free(block);
        check_alone(plan, CODE);
        adg_plan_free(plan);
    }
    assert_int_equal(row, expected.rows);
    assert_int_equal(filled, expected.rows - count_of(&expected, CODE, NULL));
    values_free(&expected);
    adg_plan_free(whole);
    fixture_close(&fixture);
}

/* 20,000 patients, about 90,000 rows, generated once for the tests that look at values. */
static struct values shared_values;
static int open_shared(void **state)
{
    struct fixture fixture;
    open_all(&fixture);
    struct adg_plan *plan = plan_of(&fixture, "t_1", (struct adg_plan_options){.seed = 11, .patients = 20000});
    shared_values = values_of(plan);
    adg_plan_free(plan);
    fixture_close(&fixture);
    *state = &shared_values;
    return 0;
}

static int close_shared(void **state)
{
    values_free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shares),
        cmocka_unit_test(test_continuous),
        cmocka_unit_test(test_listed_rows),
        cmocka_unit_test(test_patterns),
        cmocka_unit_test(test_patient_dates),
        cmocka_unit_test(test_sorted_dates),
        cmocka_unit_test(test_ages),
        cmocka_unit_test(test_codes),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_refused_metadata),
        cmocka_unit_test(test_null_throughout),
        cmocka_unit_test(test_sparse),
    };
    return cmocka_run_group_tests(tests, open_shared, close_shared);
}
