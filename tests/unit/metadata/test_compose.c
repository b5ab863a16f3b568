/*
 * Distributions as text into rows: what is taken, and what is refused with the line.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "metadata/compose.h"

static FILE *file_of(const char *text)
{
    FILE *file = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
    assert_non_null(file);
    return file;
}

static void test_every_type(void **state)
{
    static const char text[] =
        "# a comment, and an empty line\n"
        "\n"
        "{\"attribution\": \"Contains figures of somebody's.\"}\n"
        "{\"table\": \"t\", \"population\": 56000000}\n"
        "{\"table\": \"t\", \"field\": \"A\", \"type\": \"CATEGORICAL\", \"values\": [\"-   \", null], \"weights\": "
        "[90, "
        "10], \"completeness\": [10, 90]}\n"
        "{\"table\": \"t\", \"field\": \"B\", \"type\": \"DISCRETE\", \"values\": [1.5], \"weights\": [5]}\n"
        "{\"table\": \"t\", \"field\": \"C\", \"type\": \"DATE\", \"values\": [\"1970-01-11\"], \"weights\": [5]}\n"
        "{\"table\": \"t\", \"field\": \"D\", \"type\": \"CONTINUOUS\", \"percentiles\": [1, 2, 5]}\n"
        "{\"table\": \"t\", \"field\": \"E\", \"type\": \"DEMOGRAPHIC_CATEGORICAL\", \"patterns\": [{\"values\": "
        "[null, "
        "\"B\"], \"shares\": [0.7, 0.3], \"weight\": 20}]}\n"
        "{\"table\": \"t\", \"field\": \"F\", \"type\": \"DEMOGRAPHIC_DATE\", \"values\": [\"011950\"], "
        "\"incidences\": "
        "[0.98], \"weights\": [15]}\n"
        "{\"table\": \"u\", \"field\": \"K\", \"type\": \"RELATIONSHIP\", \"key\": \"P\", \"values\": [2], "
        "\"weights\": "
        "[60]}\n"
        "{\"table\": \"u\", \"field\": \"A\", \"type\": \"CATEGORICAL\", \"completeness\": [10, 0]}\n";
    (void)state;
    struct adg_metadata_rows rows = {0};
    struct adg_manifest manifest = {0};
    struct adg_error error = {{0}};
    FILE *file = file_of(text);
    if (adg_metadata_compose(file, &rows, &manifest, &error) != ADG_OK) {
        fail_msg("%s", error.message);
    }
    fclose(file);
    assert_int_equal(rows.count, 10);
    const struct adg_metadata_row *row = rows.rows;
    assert_int_equal(row[0].value_type, ADG_VALUE_COMPLETENESS);
    assert_true(row[0].weight_array_count == 2 && row[0].weight_array[0] == 10 && row[0].weight_array[1] == 90);
    assert_true(row[1].string.size == 4 && memcmp(row[1].string.text, "-   ", 4) == 0 && row[1].weight == 90);
    assert_true(row[2].string.text == NULL && row[2].has_weight && row[2].weight == 10);
    assert_true(row[3].value_type == ADG_VALUE_DISCRETE && row[3].has_numeric && row[3].numeric == 1.5);
    assert_true(row[4].has_date && row[4].date == 10); /* ten days after 1 January 1970 */
    assert_true(row[5].numeric_array_count == 3 && row[5].numeric_array[2] == 5 && !row[5].has_weight);
    assert_true(row[6].string_array_count == 2 && row[6].string_array[0].text == NULL && row[6].weight == 20);
    assert_true(row[6].weight_array[0] == 0.7 && row[6].weight_array[1] == 0.3);
    assert_true(row[7].has_numeric && row[7].numeric == 0.98 && row[7].string.size == 6 && row[7].weight == 15);
    assert_true(row[8].value_type == ADG_VALUE_RELATIONSHIP && row[8].numeric == 2 && row[8].string.size == 1);
    assert_true(row[9].value_type == ADG_VALUE_COMPLETENESS && strcmp(row[9].table, "u") == 0);
    assert_int_equal(manifest.table_count, 2);
    assert_string_equal(manifest.tables[0].name, "t");
    assert_string_equal(manifest.attribution, "Contains figures of somebody's.");
    assert_true(manifest.tables[0].population == 56000000 && manifest.tables[1].population == 0);
    adg_metadata_rows_fini(&rows);
}

#define FIELD(rest) "{\"table\": \"t\", \"field\": \"A\", \"type\": " rest "}"

static void test_refused(void **state)
{
    (void)state;
    const struct {
        const char *line, *reason;
    } cases[] = {
        {"", "there are none"},
        {"# nothing\n", "there are none"},
        {"{", "a JSON object"},
        {"[1]", "a JSON object"},
        {"{\"table\": 1}", "a JSON object"},
        {"{\"table\": \"t\", \"table\": \"u\"}", "a JSON object"},
        {"{\"attribution\": 1}", "alone, once, a text"},
        {"{\"attribution\": \"x\", \"table\": \"t\"}", "alone, once, a text"},
        {"{\"table\": \"t\", \"population\": 0}", "a number of people"},
        {"{\"table\": \"t\", \"population\": 1.5}", "a number of people"},
        {"{\"table\": \"t\", \"population\": 1, \"field\": \"A\"}", "a number of people"},
        {"{\"table\": \"t\", \"field\": \"A\"}", "a value type"},
        {FIELD("\"SOMETHING\""), "a value type"},
        {FIELD("\"COMPLETENESS\", \"completeness\": [1, 2]"), "a value type"},
        {FIELD("\"CATEGORICAL\""), "\"values\", an array"},
        {FIELD("\"CATEGORICAL\", \"values\": [\"x\"], \"weights\": [1, 2]"), "as long as the others"},
        {FIELD("\"CATEGORICAL\", \"values\": [1], \"weights\": [1]"), "texts or null"},
        {FIELD("\"CATEGORICAL\", \"values\": [\"x\"], \"weights\": [\"1\"]"), "numbers in \"weights\""},
        {FIELD("\"CATEGORICAL\", \"value\": [\"x\"], \"weights\": [1]"), "key \"value\" is none of this type"},
        {FIELD("\"CATEGORICAL\", \"percentiles\": [1]"), "is none of this type"},
        {FIELD("\"DISCRETE\", \"values\": [\"1\"], \"weights\": [1]"), "numbers or null"},
        {FIELD("\"DATE\", \"values\": [\"2001-02-29\"], \"weights\": [1]"), "dates as 2001-04-01"},
        {FIELD("\"CATEGORICAL\", \"completeness\": [1]"), "as long as the others"},
        {FIELD("\"CATEGORICAL\", \"completeness\": [1, null]"), "numbers in \"completeness\""},
        {FIELD("\"CONTINUOUS\", \"percentiles\": [null]"), "numbers in \"percentiles\""},
        {FIELD("\"DEMOGRAPHIC_CATEGORICAL\", \"patterns\": [1]"), "\"patterns\" with"},
        {FIELD("\"DEMOGRAPHIC_CATEGORICAL\", \"patterns\": [{\"values\": [1], \"shares\": [1], \"weight\": 5}]"),
         "texts or null in a pattern"},
        {FIELD("\"DEMOGRAPHIC_CATEGORICAL\", \"patterns\": [{\"values\": [\"x\"], \"shares\": [], \"weight\": 5}]"),
         "as long as the others"},
        {FIELD("\"DEMOGRAPHIC_DATE\", \"values\": [\"011950\"], \"weights\": [5]"), "\"incidences\", an array"},
        {FIELD("\"RELATIONSHIP\", \"values\": [1], \"weights\": [5]"), "\"key\", the name"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[512];
        struct adg_metadata_rows rows = {0};
        struct adg_manifest manifest = {0};
        struct adg_error error = {{0}};
        int length = snprintf(text, sizeof text, "\n%s", cases[i].line);
        assert_true(length > 0 && length < (int)sizeof text);
        FILE *file = file_of(text);
        enum adg_status status = adg_metadata_compose(file, &rows, &manifest, &error);
        fclose(file);
        if (status != ADG_BAD_INPUT || strstr(error.message, cases[i].reason) == NULL) {
            fail_msg("%s: status %d, message: %s", cases[i].line, status, error.message);
        }
        if (strchr(cases[i].line, '{') == cases[i].line) {
            assert_non_null(strstr(error.message, "line 2: "));
        }
        adg_metadata_rows_fini(&rows);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_type), cmocka_unit_test(test_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
