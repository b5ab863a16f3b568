/*
 * Definitions: the built-in ones, several documents in a file, and errors with file, line and column.
 */
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
        cmocka_unit_test(test_columns_of_a_source),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_allocation_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
