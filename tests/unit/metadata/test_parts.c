/*
 * Metadata read in parts: where the file is cut, that what is loaded is what was written, and that nothing is found before.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "metadata/parts.h"

static const char definition_text[] = "dataset: d\nid: 1\nprimary_key: K\ntables: [t, u]\nfields:\n"
                                      "  - {name: K, type: long, pattern: '\\d{6}'}\n"
                                      "  - {name: A, type: string, values: CATEGORICAL}\n"
                                      "  - {name: B, type: string, values: CATEGORICAL}\n"
                                      "  - {name: C, type: string, values: CATEGORICAL}\n"
                                      "  - {name: D, type: string, values: CATEGORICAL}\n";

/* `count` values of a field, "00000" and up, of weights 1 and up. */
static void add(struct adg_metadata_rows *rows, const char *table, const char *field, int count)
{
    for (int i = 0; i < count; i++) {
        char text[8];
        int size = snprintf(text, sizeof text, "%05d", i);
        const struct adg_metadata_row row = {.table = table,
                                             .field = field,
                                             .value_type = ADG_VALUE_CATEGORICAL,
                                             .string = {text, (size_t)size},
                                             .has_weight = true,
                                             .weight = i + 1};
        assert_int_equal(adg_metadata_rows_add(rows, &row, NULL), ADG_OK);
    }
}

/* A file of these rows, cut as metadata is, or not. */
static void write(struct adg_metadata_rows *rows, bool cut, struct adg_buffer *file)
{
    struct adg_arena arena = {0};
    struct adg_parquet_table table;
    adg_metadata_rows_sort(rows);
    assert_int_equal(adg_metadata_to_table(rows->rows, rows->count, &arena, &table, NULL), ADG_OK);
    if (cut) {
        assert_int_equal(adg_metadata_cut(rows->rows, rows->count, &arena, &table, NULL), ADG_OK);
    }
    assert_int_equal(adg_parquet_table_write(&table, file, NULL), ADG_OK);
    adg_arena_fini(&arena);
}

static struct adg_definition *definition(void)
{
    struct adg_definition *made = NULL;
    struct adg_error error = {{0}};
    if (adg_definition_parse("d.yaml", definition_text, strlen(definition_text), &made, &error) != ADG_OK) {
        fail_msg("%s", error.message);
    }
    return made;
}

/* t: A small, B large, C and D small; u: A small. A large field has 1024 rows or more. */
static void make_rows(struct adg_metadata_rows *rows)
{
    add(rows, "t", "A", 3);
    add(rows, "t", "B", 2000);
    add(rows, "t", "C", 1023);
    add(rows, "t", "D", 2);
    add(rows, "u", "A", 4);
}

static void test_cut(void **state)
{
    (void)state;
    struct adg_metadata_rows rows = {0};
    struct adg_arena arena = {0};
    struct adg_parquet_table table = {0};
    make_rows(&rows);
    assert_int_equal(adg_metadata_cut(rows.rows, rows.count, &arena, &table, NULL), ADG_OK);
    const uint64_t ends[] = {3, 2003, 3028, 3032}; /* A | B | C and D | A of the other table */
    assert_int_equal(table.group_count, 4);
    assert_memory_equal(table.group_ends, ends, sizeof ends);
    adg_metadata_rows_fini(&rows);
    make_rows(&rows);
    for (size_t i = 0; i < rows.count; i++) { /* 70,000 rows of one field: never cut */
        rows.rows[i].field = "A";
        rows.rows[i].table = "t";
    }
    add(&rows, "t", "A", 67000);
    add(&rows, "t", "B", 1500);
    assert_int_equal(adg_metadata_cut(rows.rows, rows.count, &arena, &table, NULL), ADG_OK);
    assert_int_equal(table.group_count, 2);
    assert_int_equal(table.group_ends[0], 70032);
    adg_arena_fini(&arena);
    adg_metadata_rows_fini(&rows);
}

static void test_load(void **state)
{
    (void)state;
    struct adg_metadata_rows rows = {0};
    struct adg_buffer file = {0};
    struct adg_definition *held = definition();
    struct adg_metadata metadata = {0};
    make_rows(&rows);
    write(&rows, true, &file);
    assert_int_equal(adg_metadata_parts_new(&file, &held, &metadata.parts, &metadata.row_count, NULL), ADG_OK);
    assert_non_null(metadata.parts);
    assert_true(file.data == NULL && held == NULL);
    assert_int_equal(metadata.row_count, 3032);
    assert_true(adg_metadata_has_table(&metadata, "t") && adg_metadata_has_table(&metadata, "u"));
    assert_false(adg_metadata_has_table(&metadata, "v"));
    assert_int_equal(adg_metadata_find(&metadata, "t", "B", ADG_VALUE_CATEGORICAL).count, 0);

    assert_int_equal(adg_metadata_load(&metadata, "t", "B", NULL), ADG_OK);
    struct adg_metadata_range found = adg_metadata_find(&metadata, "t", "B", ADG_VALUE_CATEGORICAL);
    assert_int_equal(found.count, 2000);
    assert_true(found.rows[1999].weight == 2000 && memcmp(found.rows[1999].string.text, "01999", 5) == 0);
    assert_int_equal(adg_metadata_find(&metadata, "t", "A", ADG_VALUE_CATEGORICAL).count, 0);
    assert_int_equal(adg_metadata_find(&metadata, "t", "B", ADG_VALUE_DATE).count, 0);

    assert_int_equal(adg_metadata_load(&metadata, "t", NULL, NULL), ADG_OK);
    assert_int_equal(adg_metadata_find(&metadata, "t", "A", ADG_VALUE_CATEGORICAL).count, 3);
    assert_int_equal(adg_metadata_find(&metadata, "t", "C", ADG_VALUE_CATEGORICAL).count, 1023);
    assert_int_equal(adg_metadata_find(&metadata, "t", "D", ADG_VALUE_CATEGORICAL).count, 2);
    assert_int_equal(adg_metadata_find(&metadata, "u", "A", ADG_VALUE_CATEGORICAL).count, 0);
    adg_metadata_unload(&metadata, "t", NULL);
    assert_int_equal(adg_metadata_find(&metadata, "t", "A", ADG_VALUE_CATEGORICAL).count, 0);
    assert_int_equal(adg_metadata_find(&metadata, "t", "B", ADG_VALUE_CATEGORICAL).count, 2000); /* loaded twice */
    adg_metadata_unload(&metadata, "t", "B");
    assert_int_equal(adg_metadata_find(&metadata, "t", "B", ADG_VALUE_CATEGORICAL).count, 0);
    adg_metadata_parts_free(metadata.parts);
    adg_metadata_rows_fini(&rows);
}

/* One row group of two tables cannot be had in parts: whoever asks reads the whole. */
static void test_not_cut(void **state)
{
    (void)state;
    struct adg_metadata_rows rows = {0};
    struct adg_buffer file = {0};
    struct adg_definition *held = definition();
    struct adg_metadata_parts *parts = NULL;
    size_t count;
    make_rows(&rows);
    write(&rows, false, &file);
    assert_int_equal(adg_metadata_parts_new(&file, &held, &parts, &count, NULL), ADG_OK);
    assert_null(parts);
    assert_true(file.data != NULL && held != NULL);
    adg_definition_free(held);
    adg_buffer_fini(&file);
    adg_metadata_rows_fini(&rows);
}

/* Rules hold for what is loaded: a weight of 0 is refused when its part is asked for, and nothing of the load stays. */
static void test_rules(void **state)
{
    (void)state;
    struct adg_metadata_rows rows = {0};
    struct adg_buffer file = {0};
    struct adg_definition *held = definition();
    struct adg_metadata metadata = {0};
    struct adg_error error = {{0}};
    make_rows(&rows);
    adg_metadata_rows_sort(&rows);
    rows.rows[2003].weight = 0; /* the first of C */
    write(&rows, true, &file);
    assert_int_equal(adg_metadata_parts_new(&file, &held, &metadata.parts, &metadata.row_count, &error), ADG_OK);
    assert_int_equal(adg_metadata_load(&metadata, "t", "B", &error), ADG_OK);
    adg_metadata_unload(&metadata, "t", "B");
    assert_int_equal(adg_metadata_load(&metadata, "t", NULL, &error), ADG_BAD_INPUT);
    assert_non_null(strstr(error.message, "metadata.parquet, table t: row 1 (table t, field C): WEIGHT"));
    assert_int_equal(adg_metadata_find(&metadata, "t", "A", ADG_VALUE_CATEGORICAL).count, 0);
    adg_metadata_parts_free(metadata.parts);
    adg_metadata_rows_fini(&rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cut), cmocka_unit_test(test_load),
                                       cmocka_unit_test(test_not_cut), cmocka_unit_test(test_rules)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
