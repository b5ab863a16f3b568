/*
 * What the generator's tests share: a definition from YAML text, metadata rows by hand, and the values of a whole plan
 * as text.
 */
#ifndef ADG_TEST_FIXTURE_H
#define ADG_TEST_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "adg.h"
#include "dataset/dataset.h"
#include "generate/plan.h"
#include "metadata/metadata.h"

struct fixture {
    struct adg_definition *definition;
    struct adg_metadata_rows rows;
    struct adg_metadata metadata; /* a view of rows, after fixture_ready */
};

static inline void fixture_open(struct fixture *fixture, const char *yaml)
{
    struct adg_error error = {0};
    memset(fixture, 0, sizeof *fixture);
    if (adg_definition_parse("test.yaml", yaml, strlen(yaml), &fixture->definition, &error) != ADG_OK) {
        fail_msg("%s", error.message);
    }
}

static inline void fixture_add(struct fixture *fixture, const struct adg_metadata_row *row)
{
    assert_int_equal(adg_metadata_rows_add(&fixture->rows, row, NULL), ADG_OK);
}

/* Canonical order, which looking up relies on. */
static inline void fixture_ready(struct fixture *fixture)
{
    adg_metadata_rows_sort(&fixture->rows);
    fixture->metadata.rows = fixture->rows.rows;
    fixture->metadata.row_count = fixture->rows.count;
}

static inline void fixture_close(struct fixture *fixture)
{
    adg_metadata_rows_fini(&fixture->rows);
    adg_definition_free(fixture->definition);
}

static inline struct adg_optional_text text_of(const char *text)
{
    return (struct adg_optional_text){text, text != NULL ? strlen(text) : 0};
}

static inline void add_category(struct fixture *fixture, const char *table, const char *field, const char *value,
                                double weight)
{
    fixture_add(fixture, &(struct adg_metadata_row){.table = table,
                                                    .field = field,
                                                    .value_type = ADG_VALUE_CATEGORICAL,
                                                    .string = text_of(value),
                                                    .has_weight = true,
                                                    .weight = weight});
}

static inline void add_date(struct fixture *fixture, const char *table, const char *field, int32_t days, double weight)
{
    fixture_add(fixture, &(struct adg_metadata_row){.table = table,
                                                    .field = field,
                                                    .value_type = ADG_VALUE_DATE,
                                                    .has_date = true,
                                                    .date = days,
                                                    .has_weight = true,
                                                    .weight = weight});
}

/* `patients` whose records show these values, with these shares. */
static inline void add_pattern(struct fixture *fixture, const char *table, const char *field, const char *const *values,
                               const double *shares, uint32_t count, double patients)
{
    struct adg_optional_text texts[4];
    assert_true(count <= 4);
    for (uint32_t i = 0; i < count; i++) {
        texts[i] = text_of(values[i]);
    }
    fixture_add(fixture, &(struct adg_metadata_row){.table = table,
                                                    .field = field,
                                                    .value_type = ADG_VALUE_DEMOGRAPHIC_CATEGORICAL,
                                                    .string_array = texts,
                                                    .string_array_count = count,
                                                    .weight_array = shares,
                                                    .weight_array_count = count,
                                                    .has_weight = true,
                                                    .weight = patients});
}

/* `patients` most of whose records, `incidence` of them, show this month of birth. */
static inline void add_month(struct fixture *fixture, const char *table, const char *field, const char *month,
                             double incidence, double patients)
{
    fixture_add(fixture, &(struct adg_metadata_row){.table = table,
                                                    .field = field,
                                                    .value_type = ADG_VALUE_DEMOGRAPHIC_DATE,
                                                    .string = text_of(month),
                                                    .has_numeric = true,
                                                    .numeric = incidence,
                                                    .has_weight = true,
                                                    .weight = patients});
}

static inline void add_completeness(struct fixture *fixture, const char *table, const char *field, double null,
                                    double filled)
{
    const double weights[2] = {null, filled};
    fixture_add(fixture, &(struct adg_metadata_row){.table = table,
                                                    .field = field,
                                                    .value_type = ADG_VALUE_COMPLETENESS,
                                                    .weight_array = weights,
                                                    .weight_array_count = 2});
}

static inline void add_percentiles(struct fixture *fixture, const char *table, const char *field, const double *values,
                                   uint32_t count)
{
    fixture_add(fixture, &(struct adg_metadata_row){.table = table,
                                                    .field = field,
                                                    .value_type = ADG_VALUE_CONTINUOUS,
                                                    .numeric_array = values,
                                                    .numeric_array_count = count});
}

static inline void add_cardinality(struct fixture *fixture, const char *table, const char *key, const char *patient_key,
                                   double cardinality, double weight)
{
    fixture_add(fixture, &(struct adg_metadata_row){.table = table,
                                                    .field = key,
                                                    .value_type = ADG_VALUE_RELATIONSHIP,
                                                    .string = text_of(patient_key),
                                                    .has_numeric = true,
                                                    .numeric = cardinality,
                                                    .has_weight = true,
                                                    .weight = weight});
}

static inline struct adg_plan *plan_of(const struct fixture *fixture, const char *table,
                                       struct adg_plan_options options)
{
    struct adg_error error = {0};
    struct adg_plan *plan = NULL;
    options.shards += options.shards == 0;
    options.threads += options.threads == 0;
    if (adg_plan_new(fixture->definition, &fixture->metadata, table, &options, &plan, &error) != ADG_OK) {
        fail_msg("%s", error.message);
    }
    return plan;
}

static inline enum adg_status plan_status(const struct fixture *fixture, const char *table,
                                          struct adg_plan_options options)
{
    struct adg_error error = {0};
    struct adg_plan *plan = NULL;
    options.shards += options.shards == 0;
    options.threads += options.threads == 0;
    enum adg_status status = adg_plan_new(fixture->definition, &fixture->metadata, table, &options, &plan, &error);
    assert_true(status == ADG_OK || error.message[0] != '\0');
    assert_true(status == ADG_OK || plan == NULL);
    adg_plan_free(plan);
    return status;
}

/* All values of some columns as text, row by row; NULL is null. */
struct values {
    uint64_t rows;
    uint32_t columns;
    char **cells; /* [row * columns + column] */
};

/* A block that hands columns over says of every column what `whole` says, the same block of a plan without a taker. */
struct passing {
    const struct adg_block *whole;
    uint32_t taken;
};

static inline enum adg_status take_column(void *context, const struct adg_block *block, uint32_t column,
                                          struct adg_error *error)
{
    struct passing *passing = context;
    const struct adg_block *whole = passing->whole;
    (void)error;
    assert_true(block->layout->columns[column].unread);
    assert_int_equal(block->first_row, whole->first_row);
    assert_int_equal(block->rows, whole->rows);
    assert_memory_equal(block->columns[column].codes, whole->columns[column].codes, whole->rows * sizeof(uint32_t));
    passing->taken++;
    return ADG_OK;
}

static inline void check_passing(struct passing *passing, struct adg_block *block, uint64_t number)
{
    const struct adg_block *whole = passing->whole;
    passing->taken = 0;
    assert_int_equal(adg_block_generate(block, number, NULL), ADG_OK);
    for (uint32_t column = 0; column < block->layout->column_count; column++) {
        const struct adg_layout_column *layout = &block->layout->columns[column];
        if (layout->unread) {
            assert_null(block->columns[column].codes);
            passing->taken--;
            continue;
        }
        for (uint32_t row = 0; row < whole->rows; row++) {
            char text[4096], expected[4096];
            int64_t size = adg_block_text(whole, column, row, expected, sizeof expected);
            assert_int_equal(adg_block_text(block, column, row, text, sizeof text), size);
            assert_true(size < 0 || strcmp(text, expected) == 0);
        }
    }
    assert_int_equal(passing->taken, 0); /* each once */
}

/* Blocks that hand columns over are checked on the way. */
static inline struct values values_of(const struct adg_plan *plan)
{
    struct values values = {.columns = adg_plan_columns(plan)};
    struct adg_block *block = NULL, *handing = NULL;
    struct passing passing = {0};
    const struct adg_column_taker taker = {take_column, &passing};
    values.cells = calloc((size_t)adg_plan_rows(plan) * values.columns + 1, sizeof *values.cells);
    assert_non_null(values.cells);
    assert_int_equal(adg_block_new(plan, &block, NULL), ADG_OK);
    assert_int_equal(adg_block_new_passing(plan, &taker, &handing, NULL), ADG_OK);
    passing.whole = block;
    for (uint64_t number = 0; number < adg_plan_blocks(plan); number++) {
        struct adg_error error = {0};
        if (adg_block_generate(block, number, &error) != ADG_OK) {
            fail_msg("%s", error.message);
        }
        check_passing(&passing, handing, number);
        for (uint32_t row = 0; row < adg_block_rows(block); row++, values.rows++) {
            for (uint32_t column = 0; column < values.columns; column++) {
                char text[4096];
                if (adg_block_text(block, column, row, text, sizeof text) >= 0) {
                    values.cells[values.rows * values.columns + column] = strdup(text);
                }
            }
        }
    }
    assert_int_equal(values.rows, adg_plan_rows(plan));
    adg_block_free(handing);
    adg_block_free(block);
    return values;
}

/* The filled rows that a sparse column tells are those of its codes; returns how many there are in the block. */
static inline uint32_t check_filled(const struct adg_block *block, uint32_t column)
{
    const struct adg_block_column *told = &block->columns[column];
    uint32_t null = block->layout->columns[column].dictionary->count, at = 0;
    for (uint32_t row = 0; row < block->rows; row++) {
        if (told->codes[row] < null) {
            assert_true(at < told->filled.count);
            assert_int_equal(told->filled.rows[at], row);
            assert_int_equal(told->filled.codes[at++], told->codes[row]);
        } else {
            assert_int_equal(told->codes[row], null);
        }
    }
    assert_int_equal(told->filled.count, at);
    return at;
}

/* Blocks of one column alone, and what it is made from, say of it what those of all columns say. */
static inline void check_alone(const struct adg_plan *plan, uint32_t column)
{
    struct adg_block *all = NULL, *alone = NULL;
    bool *wanted = calloc(adg_plan_columns(plan), sizeof *wanted);
    assert_non_null(wanted);
    wanted[column] = true;
    assert_int_equal(adg_block_new(plan, &all, NULL), ADG_OK);
    assert_int_equal(adg_block_new_of(plan, wanted, &alone, NULL), ADG_OK);
    for (uint64_t number = 0; number < adg_plan_blocks(plan) && number < 3; number++) {
        assert_int_equal(adg_block_generate(all, number, NULL), ADG_OK);
        assert_int_equal(adg_block_generate(alone, number, NULL), ADG_OK);
        assert_int_equal(alone->rows, all->rows);
        assert_memory_equal(alone->columns[column].codes, all->columns[column].codes, all->rows * sizeof(uint32_t));
        assert_int_equal(check_filled(alone, column), all->columns[column].filled.count);
    }
    adg_block_free(all);
    adg_block_free(alone);
    free(wanted);
}

static inline const char *cell(const struct values *values, uint64_t row, uint32_t column)
{
    return values->cells[row * values->columns + column];
}

static inline bool same_cell(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static inline void values_free(struct values *values)
{
    for (uint64_t i = 0; i < values->rows * values->columns; i++) {
        free(values->cells[i]);
    }
    free(values->cells);
}

#endif
