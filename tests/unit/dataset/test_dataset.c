/*
 * Definitions: the built-in ones, several documents in a file, and errors with file, line and column.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/memory.h"
#include "dataset/dataset.h"

#define HEAD "dataset: d\nid: 1\nprimary_key: K\ntables: [t]\nfields:\n"
#define KEY "  - {name: K, type: long, pattern: '\\d{3}'}\n"

static void test_builtin(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint32_t datasets, tables, fields;
    } cases[] = {{"hes_apc", 1, 20, 193}, {"hes_op", 1, 18, 157}, {"hes_ae", 1, 14, 165}, {"hes", 3, 52, 515}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct adg_definition *definition = NULL;
        struct adg_error error = {{0}};
        assert_int_equal(adg_definition_open(cases[i].name, &definition, &error), ADG_OK);
        uint32_t tables = 0, fields = 0;
        for (uint32_t d = 0; d < definition->dataset_count; d++) {
            tables += definition->datasets[d].table_count;
            fields += definition->datasets[d].field_count;
        }
        assert_int_equal(definition->dataset_count, cases[i].datasets);
        assert_int_equal(tables, cases[i].tables);
        assert_int_equal(fields, cases[i].fields);
        assert_string_equal(definition->name, cases[i].name);
        adg_definition_free(definition);
    }
}

static void test_one_document_is_the_same_alone_and_among_others(void **state)
{
    (void)state;
    struct adg_definition *all = NULL, *one = NULL;
    assert_int_equal(adg_definition_open("hes", &all, NULL), ADG_OK);
    assert_int_equal(adg_definition_open("hes_op", &one, NULL), ADG_OK);
    const struct adg_dataset *same = adg_definition_find_dataset(all, "hes_op");
    assert_non_null(same);
    assert_int_equal(same->source_text_bytes, one->datasets[0].source_text_bytes);
    assert_memory_equal(same->source_text, one->datasets[0].source_text, same->source_text_bytes);
    adg_definition_free(all);
    adg_definition_free(one);
}

static void test_lookups(void **state)
{
    (void)state;
    struct adg_definition *definition = NULL;
    struct adg_error error = {{0}};
    assert_int_equal(adg_definition_open("hes", &definition, NULL), ADG_OK);
    const struct adg_dataset *dataset = NULL;
    const struct adg_table *table = NULL;
    assert_int_equal(adg_definition_find_table(definition, "hes_op_0304", &dataset, &table, &error), ADG_OK);
    assert_string_equal(dataset->name, "hes_op");
    assert_int_equal(table->ordinal, 0);
    assert_int_equal(adg_definition_find_table(definition, "hes_op_9999", &dataset, &table, &error), ADG_BAD_INPUT);
    assert_int_equal(adg_dataset_find_field(dataset, "apptage"), adg_dataset_find_field(dataset, "APPTAGE"));
    assert_int_equal(adg_dataset_find_field(dataset, "NOSUCH"), -1);
    adg_definition_free(definition);
}

static void test_derivation_ranges(void **state)
{
    (void)state;
    static const char text[] = HEAD KEY "  - {name: A_01, type: string, values: CATEGORICAL}\n"
                                        "  - {name: A_02, type: string, values: CATEGORICAL}\n"
                                        "  - {name: N, type: integer, derive: 'count_codes(A_01..02, cap 7)'}\n"
                                        "  - {name: P, type: string, derive: 'prefix(J, 3)'}\n"
                                        "  - {name: J, type: string, derive: 'join(A_01, A_02)'}\n";
    struct adg_definition *definition = NULL;
    struct adg_error error = {{0}};
    assert_int_equal(adg_definition_parse("f", text, sizeof text - 1, &definition, &error), ADG_OK);
    const struct adg_field *fields = definition->datasets[0].fields;
    assert_int_equal(fields[3].derivation->kind, ADG_DERIVE_COUNT_CODES);
    assert_int_equal(fields[3].derivation->input_count, 2);
    assert_int_equal(fields[3].derivation->inputs[1], 2);
    assert_int_equal(fields[3].derivation->number, 7);
    assert_int_equal(fields[4].derivation->inputs[0], 5);
    assert_int_equal(fields[4].derivation->number, 3);
    adg_definition_free(definition);
}

/* A clinic and its laboratory: what each says about the other's records. */
static const char clinic[] =
    "dataset: clinic\nid: 7\nprimary_key: VISIT\npatient_key: PERSON\nsorted_dates: [ASKED, SEEN]\n"
    "coherence:\n"
    "  population: {id: 9, birth: MOB, age: {field: AGE, at: SEEN}, same: [SEX]}\n"
    "  invalid_dates: [1900-01-01]\n"
    "  timelines:\n"
    "    - anchor: SEEN\n"
    "      spans:\n"
    "        - {from: ASKED, to: SEEN, length: [WAIT, WAIT_2], below: 9000}\n"
    "    - anchor: IN\n"
    "      spans:\n"
    "        - {from: IN, to: OUT, length: STAY}\n"
    "  nested: [CODE_1..2]\n"
    "  references: [{field: TEST, dataset: lab}]\n"
    "  table_values: [{field: YEAR, values: [2020, 2021]}]\n"
    "tables: [visits_2020, visits_2021]\n"
    "fields:\n"
    "  - {name: VISIT, type: long, pattern: '\\d{9}'}\n"
    "  - {name: PERSON, type: string, pattern: 'P[0-9a-f]{12}'}\n"
    "  - {name: TEST, type: long, pattern: '\\d{9}'}\n"
    "  - {name: MOB, type: string, values: DEMOGRAPHIC_DATE}\n"
    "  - {name: SEX, type: string, values: DEMOGRAPHIC_CATEGORICAL}\n"
    "  - {name: AGE, type: integer, values: CATEGORICAL}\n"
    "  - {name: ASKED, type: date, values: DATE}\n"
    "  - {name: SEEN, type: date, values: DATE}\n"
    "  - {name: WAIT, type: integer, values: CONTINUOUS}\n"
    "  - {name: WAIT_2, type: long, values: CONTINUOUS}\n"
    "  - {name: IN, type: string, values: CATEGORICAL}\n"
    "  - {name: OUT, type: string, values: CATEGORICAL}\n"
    "  - {name: STAY, type: integer, values: CONTINUOUS}\n"
    "  - {name: CODE_1, type: string, values: CATEGORICAL}\n"
    "  - {name: CODE_2, type: string, values: CATEGORICAL}\n"
    "  - {name: YEAR, type: integer, values: CATEGORICAL}\n";
static const char lab[] = "---\ndataset: lab\nid: 8\nprimary_key: TEST\npatient_key: PERSON\n"
                          "coherence:\n  population: {id: 9}\n  references: [{field: VISIT, dataset: clinic}]\n"
                          "tables: [tests_2021]\n"
                          "fields:\n"
                          "  - {name: TEST, type: long, pattern: '\\d{9}'}\n"
                          "  - {name: VISIT, type: long, pattern: '\\d{9}'}\n"
                          "  - {name: PERSON, type: string, pattern: 'P[0-9a-f]{12}'}\n";

static void test_coherence(void **state)
{
    (void)state;
    char text[8192];
    snprintf(text, sizeof text, "%s%s", clinic, lab);
    struct adg_definition *definition = NULL;
    struct adg_error error = {{0}};
    if (adg_definition_parse("f", text, strlen(text), &definition, &error) != ADG_OK) {
        fail_msg("%s", error.message);
    }
    const struct adg_dataset *dataset = &definition->datasets[0];
    const struct adg_coherence *coherence = &dataset->coherence;
    assert_int_equal(coherence->population.id, 9);
    assert_int_equal(coherence->population.birth, 3);
    assert_int_equal(coherence->population.age_at, 7);
    assert_int_equal(coherence->population.same[0], 4);
    assert_true(
        adg_coherence_is_invalid_date(coherence, -25567)); /* 70 years of 365 days and 17 leap days before 1970 */
    assert_false(adg_coherence_is_invalid_date(coherence, -25566));
    const struct adg_span_rule *span = NULL;
    const struct adg_timeline *days = adg_coherence_timeline_of(coherence, 6);
    assert_ptr_equal(days, &coherence->timelines[0]);
    assert_false(days->minutes);
    assert_ptr_equal(adg_coherence_length_of(coherence, 9, &span), days);
    assert_true(!span->has_from && span->has_to && span->below == 9000);
    assert_true(coherence->timelines[1].minutes && coherence->timelines[1].spans[0].has_from);
    assert_null(adg_coherence_timeline_of(coherence, 8));
    uint32_t position = 0;
    assert_non_null(adg_coherence_nested_of(coherence, 14, &position));
    assert_int_equal(position, 1);
    assert_string_equal(adg_coherence_reference_of(coherence, 2)->dataset, "lab");
    assert_string_equal(adg_coherence_table_value(coherence, 15, 1), "2021");
    assert_null(adg_coherence_table_value(coherence, 14, 1));
    assert_true(adg_tables_match("visits_2021", "tests_2021") && !adg_tables_match("visits_2020", "tests_2021"));
    int32_t minutes = 0;
    assert_true(adg_minutes_parse("2359", 4, &minutes) && minutes == 1439);
    assert_false(adg_minutes_parse("2400", 4, &minutes) || adg_minutes_parse("1:00", 4, &minutes));
    adg_definition_free(definition);
}

/* One piece of text after the other is put in the place of another: where it is refused, and with which words. */
static void test_coherence_refused(void **state)
{
    (void)state;
    static const struct {
        const char *old, *new, *place, *expected;
    } cases[] = {
        {"id: 9, birth: MOB", "birth: MOB", "f:7:15:", "population with id"},
        {"birth: MOB", "birth: SEX", "f:7:30:", "DEMOGRAPHIC_DATE"},
        {"field: AGE", "field: WAIT", "f:7:48:", "an age"},
        {"at: SEEN}, same", "at: LAST}, same", "f:7:3:", "in a timeline"},
        {"at: SEEN}, same", "at: AGE}, same", "f:7:57:", "values: DATE"},
        {"same: [SEX]", "same: [CODE_1]", "f:7:71:", "DEMOGRAPHIC_CATEGORICAL"},
        {"[1900-01-01]", "[1900-13-01]", "f:8:19:", "a date such as"},
        {"- anchor: SEEN", "- anchor: AGE", "f:10:15:", "a date (values: DATE)"},
        {"from: ASKED", "from: IN", "f:12:18:", "values: DATE"},
        {"length: [WAIT, WAIT_2]", "length: AGE", "f:12:43:", "CONTINUOUS"},
        {"to: SEEN, length", "to: ASKED, length", "f:12:11:", "one end has a place"},
        {"below: 9000", "at_least: STAY", "f:12:69:", "a span before this one"},
        {"length: STAY", "length: WAIT", "f:15:39:", "no other coupling"},
        {"[CODE_1..2]", "[CODE_1..3]", "f:16:12:", "field of the dataset"},
        {"[CODE_1..2]", "[SEX]", "f:16:12:", "values: CATEGORICAL"},
        {"field: TEST, dataset: lab", "field: VISIT, dataset: lab", "f:17:24:", "not a key"},
        {"field: TEST, dataset: lab", "field: TEST, dataset: clinic", "f:17:39:", "another dataset"},
        {"[2020, 2021]}", "[2020]}", "f:18:40:", "as many values as tables, 2"},
        {"[2020, 2021]}", "[2020, new]}", "f:18:47:", "9 digits"},
        {"sorted_dates: [ASKED, SEEN]", "sorted_dates: [SEEN, LAST]", "f:7:3:", "all of sorted_dates"},
        {"population: {id: 9}", "population: {id: 8}", "f:44:3:", "one population"},
        {"  - {name: PERSON, type: string, pattern: 'P[0-9a-f]{12}'}\n\n",
         "  - {name: PERSON, type: string, pattern: 'Q[0-9a-f]{12}'}\n\n", "f:44:3:", "one type and pattern"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char all[8192], text[8192];
        snprintf(all, sizeof all, "%s  - {name: LAST, type: date, values: DATE}\n%s\n", clinic, lab);
        const char *at = strstr(all, cases[i].old);
        assert_non_null(at);
        snprintf(text, sizeof text, "%.*s%s%s", (int)(at - all), all, cases[i].new, at + strlen(cases[i].old));
        struct adg_definition *definition = NULL;
        struct adg_error error = {{0}};
        assert_int_equal(adg_definition_parse("f", text, strlen(text), &definition, &error), ADG_BAD_INPUT);
        if (strstr(error.message, cases[i].place) != error.message ||
            strstr(error.message, cases[i].expected) == NULL) {
            fail_msg("'%s': '%s', expected %s ... %s", cases[i].new, error.message, cases[i].place, cases[i].expected);
        }
    }
}

static void test_columns_of_a_source(void **state)
{
    (void)state;
    static const char text[] = HEAD KEY
        "  - {name: WAIT, type: integer, values: CONTINUOUS, column: \"Wait (mins)\"}\n";
    struct adg_definition *definition = NULL;
    assert_int_equal(adg_definition_parse("f", text, sizeof text - 1, &definition, NULL), ADG_OK);
    const struct adg_dataset *dataset = definition->datasets;
    assert_int_equal(adg_dataset_find_column(dataset, "WAIT (mins)"), 1);
    assert_int_equal(adg_dataset_find_column(dataset, "WAIT"), -1);
    assert_int_equal(adg_dataset_find_column(dataset, "k"), 0);
    adg_definition_free(definition);
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *place, *expected;
    } cases[] = {
        {"", "f:1:1:", "empty"},
        {"# only a comment\n", "f:1:1:", "empty"},
        {"---\n---\n", "f:1:1:", "empty"},
        {"dataset: [\n", "f:2:1:", "YAML"},
        {"- 1\n", "f:1:1:", "mapping"},
        {"dataset: d\nid: 1\n", "f:1:1:", "primary_key"},
        {HEAD "  - {name: K, type: long}\n", "f:6:5:", "exactly one of"},
        {HEAD KEY "  - {name: A, type: strin, values: CATEGORICAL}\n", "f:7:21:", "expected a type"},
        {HEAD KEY "  - {name: A, type: 'decimal(19,2)', values: CATEGORICAL}\n", "f:7:21:", "expected a type"},
        {HEAD KEY "  - {name: A, type: string, values: CONTINUOUS}\n", "f:7:37:", "value type that fits"},
        {HEAD KEY "  - {name: A, type: string, values: COMPLETENESS}\n", "f:7:37:", "value type that fits"},
        {HEAD KEY "  - {name: K, type: string, values: CATEGORICAL}\n", "f:7:12:", "no other field"},
        {HEAD KEY "  - {name: a, type: string, values: CATEGORICAL}\n", "f:7:12:", "upper-case"},
        {HEAD KEY "  - {name: A, type: string, vals: CATEGORICAL}\n", "f:7:29:", "keys"},
        {HEAD KEY "  - {name: A, type: string, values: CATEGORICAL, column: k}\n", "f:7:58:", "no other field has"},
        {HEAD KEY "  - {name: A, type: string, values: CATEGORICAL, column: ''}\n", "f:7:58:", "name of a column"},
        {HEAD "  - {name: K, type: long, pattern: '\\d{3'}\n", "f:6:41:", "'}'"},
        {HEAD "  - {name: K, type: long, pattern: '[a-z]{3}'}\n", "f:6:36:", "digits alone"},
        {HEAD KEY "  - {name: A, type: string, derive: 'prefix(B, 3)'}\n", "f:7:45:", "field of the dataset"},
        {HEAD KEY "  - {name: A, type: string, derive: 'suffix(K, 3)'}\n", "f:7:37:", "prefix"},
        {HEAD KEY "  - {name: A, type: integer, derive: 'prefix(K, 3)'}\n", "f:7:38:", "type"},
        {HEAD KEY "  - {name: A, type: string, derive: 'prefix(A, 3)'}\n", "f:7:37:", "do not depend"},
        {HEAD KEY "  - {name: A, type: string, derive: 'join(B)'}\n  - {name: B, type: string, derive: 'join(A)'}\n",
         "f:7:37:", "do not depend"},
        {"dataset: d\nid: 1\nprimary_key: A\ntables: [t]\nfields:\n  - {name: A, type: string, values: CATEGORICAL}\n",
         "f:3:14:", "primary_key"},
        {"dataset: d\nid: 0\nprimary_key: K\ntables: [t]\nfields:\n" KEY, "f:2:5:", "id"},
        {"dataset: d\nid: 1\nprimary_key: K\ntables: [t, t]\nfields:\n" KEY, "f:4:13:", "no other table"},
        {"dataset: d\nid: 1\nprimary_key: K\npatient_key: K\ntables: [t]\nfields:\n" KEY, "f:4:14:", "another field"},
        {"dataset: d\nid: 1\nprimary_key: K\nsorted_dates: [K]\ntables: [t]\nfields:\n" KEY, "f:4:16:", "DATE"},
        {HEAD "  - {name: K, type: long, pattern: '\\d{3}-\\d{3}'}\n", "f:6:36:", "digits alone"},
        {HEAD "  - {name: K, type: long, pattern: '[0-9d]{6}'}\n", "f:6:36:", "digits alone"},
        {HEAD KEY "---\n" HEAD KEY, "f:8:10:", "no other dataset"},
        {HEAD KEY "---\ndataset: e\nid: 1\nprimary_key: K\ntables: [u]\nfields:\n" KEY, "f:9:5:", "no other dataset"},
        {HEAD KEY "---\ndataset: e\nid: 2\nprimary_key: K\ntables: [u, t]\nfields:\n" KEY,
         "f:11:13:", "no other table"},
        {HEAD KEY "--- # a comment\n" HEAD KEY, "f:7:1:", "--- alone"},
        {HEAD KEY "--- \n" HEAD KEY, "f:7:1:", "--- alone"},
        {HEAD KEY "--- {dataset: e}\n", "f:7:1:", "--- alone"},
        {HEAD KEY "...\n", "f:7:1:", "no end of a document"},
        {"%YAML 1.1\n" HEAD KEY, "f:1:1:", "no directive"},
        {"{dataset: d}\ndataset: e\n", "f:2:1:", "YAML"},
        {"dataset: &a d\nid: 1\n", "f:1:10:", "no anchor"},
        {"dataset: d\nid: *a\n", "f:2:5:", "no anchor"},
        {"dataset: !!str d\n", "f:1:10:", "without a tag"},
        {HEAD "  - {name: K, type: \"long\\0x\", pattern: '\\d{3}'}\n", "f:6:21:", "without NUL"},
        {HEAD KEY "---\n\ndataset: e\nid: x\n", "f:9:1:", "primary_key"},
        {"dataset: \"\xFF\"\n", "f:", "YAML"},
        {"a: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\n", "f:1:35:", "fewer lists"},
        {"a: {b: {c: {d: {e: {f: {g: {h: {i: {j: {k: {l: {m: {n: {o: {p: {q: {r: {s: {t: {u: {v: {w: {x: {y: {z: "
         "{a: {b: {c: {d: {e: {f: {g: {h: 1}\n",
         "f:1:128:", "fewer lists"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct adg_definition *definition = NULL;
        struct adg_error error = {{0}};
        assert_int_equal(adg_definition_parse("f", cases[i].text, strlen(cases[i].text), &definition, &error),
                         ADG_BAD_INPUT);
        if (strncmp(error.message, cases[i].place, strlen(cases[i].place)) != 0 ||
            strstr(error.message, cases[i].expected) == NULL) {
            fail_msg("case %zu: %s", i, error.message);
        }
    }
}

/* Fields that are derived from each other, one after the other, on a small stack: how many there are is the definition's. */
static void *parse_chain(void *text)
{
    struct adg_definition *definition = NULL;
    enum adg_status status = adg_definition_parse("f", text, strlen(text), &definition, NULL);
    adg_definition_free(definition);
    return (void *)(uintptr_t)status;
}

static void test_long_chain(void **state)
{
    (void)state;
    enum { FIELDS = 3000, STACK_BYTES = 256 * 1024, LINE_BYTES = 80 };
    static char text[(FIELDS + 10) * LINE_BYTES] = HEAD KEY "  - {name: F0, type: string, values: CATEGORICAL}\n";
    char *at = text + strlen(text);
    for (int i = 1; i < FIELDS; i++) { /* the last one first: what it is derived from comes behind it */
        at += snprintf(at, LINE_BYTES, "  - {name: F%d, type: string, derive: 'prefix(F%d, 1)'}\n", FIELDS - i,
                       FIELDS - i - 1);
    }
    pthread_attr_t attributes;
    pthread_t thread;
    void *status = NULL;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    assert_int_equal(pthread_create(&thread, &attributes, parse_chain, text), 0);
    assert_int_equal(pthread_join(thread, &status), 0);
    pthread_attr_destroy(&attributes);
    assert_int_equal((enum adg_status)(uintptr_t)status, ADG_OK);
}

static void test_allocation_failures(void **state)
{
    (void)state;
    static const char text[] = HEAD KEY "  - {name: A, type: string, values: CATEGORICAL}\n"
                                        "  - {name: P, type: string, derive: 'prefix(A, 3)'}\n";
    uint64_t n = 1;
    for (;; n++) {
        struct adg_definition *definition = NULL;
        adg_memory_fail_at(n);
        enum adg_status status = adg_definition_parse("f", text, sizeof text - 1, &definition, NULL);
        adg_memory_fail_at(0);
        if (status == ADG_OK) {
            adg_definition_free(definition);
            break;
        }
        assert_int_equal(status, ADG_FAILED);
    }
    assert_true(n > 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_builtin),
        cmocka_unit_test(test_one_document_is_the_same_alone_and_among_others),
        cmocka_unit_test(test_lookups),
        cmocka_unit_test(test_derivation_ranges),
        cmocka_unit_test(test_coherence),
        cmocka_unit_test(test_coherence_refused),
        cmocka_unit_test(test_columns_of_a_source),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_long_chain),
        cmocka_unit_test(test_allocation_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
