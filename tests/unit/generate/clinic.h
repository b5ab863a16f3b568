/*
 * What the tests of profile coherent share: a clinic's visits and a laboratory's tests of the same people, metadata about
 * people, and shares held against their expectations within five standard errors.
 */
#ifndef ADG_TEST_CLINIC_H
#define ADG_TEST_CLINIC_H

#include <math.h>

#include "core/date.h"
#include "fixture.h"

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

static inline void add_birth(struct fixture *fixture, const char *table, const char *month, double patients)
{
    add_month(fixture, table, "MOB", month, 0.9, patients);
}

static inline void add_sex(struct fixture *fixture, const char *table, const char *first, double share,
                           const char *second, double patients)
{
    add_pattern(fixture, table, "SEX", (const char *const[]){first, second}, (const double[]){share, 1 - share},
                second != NULL ? 2 : 1, patients);
}

static inline struct adg_plan_options coherent(uint64_t patients, uint64_t rows)
{
    return (struct adg_plan_options){.seed = 3, .patients = patients, .rows = rows, .profile = ADG_PROFILE_COHERENT};
}

static inline struct values values_in(const struct fixture *fixture, const char *table, struct adg_plan_options options)
{
    struct adg_plan *plan = plan_of(fixture, table, options);
    struct values values = values_of(plan);
    adg_plan_free(plan);
    return values;
}

static inline int32_t day(const char *text)
{
    int32_t days = 0;
    assert_non_null(text);
    assert_true(adg_date_parse(text, strlen(text), &days));
    return days;
}

/* `count` of `n` draws with probability p. */
static inline void assert_share(uint64_t count, uint64_t n, double p)
{
    double error = 5 * sqrt((double)n * p * (1 - p)) + 0.001;
    if (fabs((double)count - (double)n * p) > error) {
        fail_msg("%.6f, expected %.6f", (double)count / (double)n, p);
    }
}

#endif
