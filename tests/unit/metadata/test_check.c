/*
 * Rows of a metadata table that must be refused, whoever wrote them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "metadata/internal.h"

#define NOT_A_NUMBER __builtin_nan("")
#define INFINITE __builtin_inf()
#define ROW(field_name, type) .table = "t", .field = field_name, .value_type = type
#define WEIGHING(w) .has_weight = true, .weight = w
#define TEXT(t)                                                                                                        \
    {                                                                                                                  \
        t, sizeof(t) - 1                                                                                               \
    }

static const char definition_text[] = "dataset: d\nid: 1\nprimary_key: K\npatient_key: P\ntables: [t, u]\nfields:\n"
                                      "  - {name: K, type: long, pattern: '\\d{6}'}\n"
                                      "  - {name: P, type: string, pattern: '[a-z]{6}'}\n"
                                      "  - {name: A, type: string, values: CATEGORICAL}\n"
                                      "  - {name: B, type: integer, values: CONTINUOUS}\n"
                                      "  - {name: C, type: string, values: DEMOGRAPHIC_CATEGORICAL}\n"
                                      "  - {name: D, type: string, derive: 'prefix(A, 1)'}\n";

static const double ascending[] = {1, 2, 2}, descending[] = {2, 1}, with_nan[] = {1, 0}, shares[] = {0.5, 0.5},
                    negative[] = {0.5, -0.5}, counts[] = {5, 10}, three[] = {1, 2, 3};
static const struct adg_optional_text two_texts[] = {TEXT("x"), TEXT("y")};

static void test_rows(void **state)
{
    (void)state;
    const struct {
        struct adg_metadata_row row;
        const char *reason; /* NULL: in order */
    } cases[] = {
        {{ROW("A", ADG_VALUE_CATEGORICAL), WEIGHING(5), .string = TEXT("x")}, NULL},
        {{ROW("A", ADG_VALUE_CATEGORICAL), WEIGHING(5)}, NULL},
        {{ROW("A", ADG_VALUE_CATEGORICAL), WEIGHING(9007199254740992.0)}, NULL},
        {{ROW("A", ADG_VALUE_CATEGORICAL), WEIGHING(-5)}, "WEIGHT is no whole number"},
        {{ROW("A", ADG_VALUE_CATEGORICAL), WEIGHING(0)}, "WEIGHT is no whole number"},
        {{ROW("A", ADG_VALUE_CATEGORICAL), WEIGHING(5.5)}, "WEIGHT is no whole number"},
        {{ROW("A", ADG_VALUE_CATEGORICAL), WEIGHING(NOT_A_NUMBER)}, "WEIGHT is no whole number"},
        {{ROW("A", ADG_VALUE_CATEGORICAL), WEIGHING(INFINITE)}, "WEIGHT is no whole number"},
        {{ROW("A", ADG_VALUE_CATEGORICAL), WEIGHING(1e300)}, "WEIGHT is no whole number"},
        {{ROW("A", ADG_VALUE_CATEGORICAL), .string = TEXT("x")}, "a column is null"},
        {{ROW("A", ADG_VALUE_CATEGORICAL), WEIGHING(5), .has_numeric = true}, "a column is filled"},
        {{ROW("A", ADG_VALUE_DISCRETE), WEIGHING(5), .has_numeric = true}, "not the one of the definition"},
        {{ROW("Z", ADG_VALUE_CATEGORICAL), WEIGHING(5)}, "no such field"},
        {{ROW("D", ADG_VALUE_CATEGORICAL), WEIGHING(5)}, "derived fields have no metadata"},
        {{ROW("K", ADG_VALUE_CATEGORICAL), WEIGHING(5)}, "identifiers and derived"},
        {{.table = "v", .field = "A", .value_type = ADG_VALUE_CATEGORICAL, WEIGHING(5)}, "no such table"},
        {{ROW("B", ADG_VALUE_CONTINUOUS), .numeric_array = ascending, .numeric_array_count = 3}, NULL},
        {{ROW("B", ADG_VALUE_CONTINUOUS), .numeric_array = descending, .numeric_array_count = 2}, "ascending"},
        {{ROW("B", ADG_VALUE_CONTINUOUS), .numeric_array = with_nan, .numeric_array_count = 2}, "ascending"},
        {{ROW("B", ADG_VALUE_CONTINUOUS), .numeric_array = ascending, .numeric_array_count = 0}, "empty"},
        {{ROW("B", ADG_VALUE_COMPLETENESS), .weight_array = counts, .weight_array_count = 2}, NULL},
        {{ROW("B", ADG_VALUE_COMPLETENESS), .weight_array = three, .weight_array_count = 3}, "two whole numbers"},
        {{ROW("B", ADG_VALUE_COMPLETENESS), .weight_array = shares, .weight_array_count = 2}, "two whole numbers"},
        {{ROW("C", ADG_VALUE_DEMOGRAPHIC_CATEGORICAL), WEIGHING(5), .string_array = two_texts, .string_array_count = 2,
          .weight_array = shares, .weight_array_count = 2},
         NULL},
        {{ROW("C", ADG_VALUE_DEMOGRAPHIC_CATEGORICAL), WEIGHING(5), .string_array = two_texts, .string_array_count = 2,
          .weight_array = three, .weight_array_count = 3},
         "differ in length"},
        {{ROW("C", ADG_VALUE_DEMOGRAPHIC_CATEGORICAL), WEIGHING(5), .string_array = two_texts, .string_array_count = 2,
          .weight_array = negative, .weight_array_count = 2},
         "negative"},
        {{ROW("K", ADG_VALUE_RELATIONSHIP), WEIGHING(10), .string = TEXT("P"), .has_numeric = true, .numeric = 3},
         NULL},
        {{ROW("K", ADG_VALUE_RELATIONSHIP), WEIGHING(10), .string = TEXT("K"), .has_numeric = true, .numeric = 3},
         "not between"},
        {{ROW("K", ADG_VALUE_RELATIONSHIP), WEIGHING(10), .string = TEXT("P"), .has_numeric = true, .numeric = 2.5},
         "cardinality"},
        {{ROW("K", ADG_VALUE_RELATIONSHIP), WEIGHING(10), .string = TEXT("P"), .has_numeric = true,
          .numeric = INFINITE},
         "not finite"},
    };
    struct adg_definition *definition = NULL;
    assert_int_equal(adg_definition_parse("f", definition_text, sizeof definition_text - 1, &definition, NULL), ADG_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct adg_error error = {{0}};
        enum adg_status status = adg_metadata_check(&cases[i].row, 1, definition, &error);
        if (cases[i].reason == NULL) {
            assert_int_equal(status, ADG_OK);
        } else if (status != ADG_BAD_INPUT || strstr(error.message, cases[i].reason) == NULL) {
            fail_msg("case %zu: %s", i, error.message);
        }
    }
    adg_definition_free(definition);
}

static void test_order_and_duplicates(void **state)
{
    (void)state;
    struct adg_definition *definition = NULL;
    struct adg_error error = {{0}};
    assert_int_equal(adg_definition_parse("f", definition_text, sizeof definition_text - 1, &definition, NULL), ADG_OK);
    struct adg_metadata_row rows[] = {{ROW("A", ADG_VALUE_CATEGORICAL), WEIGHING(10), .string = TEXT("y")},
                                      {ROW("A", ADG_VALUE_CATEGORICAL), WEIGHING(5), .string = TEXT("x")}};
    assert_int_equal(adg_metadata_check(rows, 2, definition, &error), ADG_BAD_INPUT);
    assert_non_null(strstr(error.message, "row 2 (table t, field A): the rows are not in canonical order"));
    rows[0].string = rows[1].string;
    rows[0].weight = 5;
    rows[1].weight = 10;
    assert_int_equal(adg_metadata_check(rows, 2, definition, &error), ADG_BAD_INPUT);
    assert_non_null(strstr(error.message, "the same value stands twice"));
    adg_definition_free(definition);
}

/* A file of ours with a VALUE_TYPE that nobody knows, and one with other columns. */
static void test_foreign_tables(void **state)
{
    (void)state;
    const struct adg_metadata_row row = {ROW("A", ADG_VALUE_CATEGORICAL), WEIGHING(5), .string = TEXT("x")};
    struct adg_arena arena = {0};
    struct adg_parquet_table table;
    struct adg_metadata_row *back = NULL;
    struct adg_error error = {{0}};
    assert_int_equal(adg_metadata_to_table(&row, 1, &arena, &table, NULL), ADG_OK);
    assert_int_equal(adg_metadata_from_table(&table, &arena, &back, &error), ADG_OK);
    assert_int_equal(adg_metadata_row_compare(&row, back), 0);
    const struct adg_span unknown = {(const uint8_t *)"NESTED", 6};
    struct adg_parquet_column columns[ADG_METADATA_COLUMNS];
    memcpy(columns, table.columns, sizeof columns);
    columns[ADG_COLUMN_VALUE_TYPE].values.text = &unknown;
    table.columns = columns;
    assert_int_equal(adg_metadata_from_table(&table, &arena, &back, &error), ADG_BAD_INPUT);
    assert_string_equal(error.message, "row 1: unknown VALUE_TYPE");
    columns[ADG_COLUMN_WEIGHT].name = "COUNT";
    assert_int_equal(adg_metadata_from_table(&table, &arena, &back, &error), ADG_BAD_INPUT);
    assert_non_null(strstr(error.message, "expected as column 9 of a metadata table WEIGHT"));
    adg_arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows), cmocka_unit_test(test_order_and_duplicates),
                                       cmocka_unit_test(test_foreign_tables)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
