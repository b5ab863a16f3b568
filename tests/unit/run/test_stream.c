/*
 * Arrow streams over a plan with columns of all kinds: held against the values of its blocks as text, and used in the ways that
 * a consumer may get wrong: closed early, from two threads, after everything that it was made from is gone.
 */
#include <dirent.h>
#include <errno.h>
#include <nanoarrow/nanoarrow.h>
#include <pthread.h>

#include "../generate/fixture.h"
#include "block/text.h"
#include "core/file.h"
#include "core/memory.h"

static const char yaml[] =
    "dataset: test\nid: 7\nprimary_key: KEY\npatient_key: PERSON\nmin_frequency: 5\nrounding: 5\n"
    "sorted_dates: [D_1, D_2]\nplaceholders: ['-', '&']\n"
    "tables:\n  - t_1\n"
    "fields:\n"
    "  - {name: KEY, type: long, pattern: '\\d{12}'}\n"
    "  - {name: PERSON, type: string, pattern: 'P[0-9a-z]{20}'}\n"
    "  - {name: AGE, type: integer, derive: 'age_category(D_1, BIRTH)'}\n"
    "  - {name: CODE, type: string, values: CATEGORICAL}\n"
    "  - {name: ONE, type: string, values: CATEGORICAL}\n"
    "  - {name: NONE, type: string, values: CATEGORICAL}\n"
    "  - {name: NO_DATE, type: date, values: DATE}\n"
    "  - {name: NUMBER, type: integer, values: CATEGORICAL}\n"
    "  - {name: WEIGHT, type: 'decimal(5,2)', values: CATEGORICAL}\n"
    "  - {name: FLAG, type: boolean, values: CATEGORICAL}\n"
    "  - {name: STAY, type: integer, values: CONTINUOUS}\n"
    "  - {name: COST, type: double, values: CONTINUOUS}\n"
    "  - {name: SEX, type: string, values: DEMOGRAPHIC_CATEGORICAL}\n"
    "  - {name: BIRTH, type: string, values: DEMOGRAPHIC_DATE}\n"
    "  - {name: D_1, type: date, values: DATE}\n"
    "  - {name: D_2, type: date, values: DATE}\n"
    "  - {name: X_1, type: string, values: CATEGORICAL}\n"
    "  - {name: X_2, type: string, values: CATEGORICAL}\n"
    "  - {name: S_1, type: string, derive: 'prefix(X_1, 2)'}\n"
    "  - {name: ALL_X, type: string, derive: 'join(X_1..2)'}\n"
    "  - {name: COUNT_X, type: integer, derive: 'count_codes(X_1..2, cap 2)'}\n";
enum { COLUMNS = 21, KEY = 0, PERSON = 1, CODE = 3 };

static void open_all(struct fixture *fixture)
{
    static const double stay[] = {0, 1, 1, 5, 200}, cost[] = {0.5, 10.25, 1e9};
    const struct adg_optional_text sexes[] = {text_of(NULL), text_of("2")};
    const double halves[] = {0.5, 0.5};
    fixture_open(fixture, yaml);
    add_cardinality(fixture, "t_1", "KEY", "PERSON", 1, 50);
    add_cardinality(fixture, "t_1", "KEY", "PERSON", 8, 50);
    add_category(fixture, "t_1", "CODE", "a", 10);
    add_category(fixture, "t_1", "CODE", "b of more than sixteen bytes", 30);
    add_category(fixture, "t_1", "CODE", "\xc3\x84", 60);
    add_completeness(fixture, "t_1", "CODE", 100, 300);
    add_category(fixture, "t_1", "ONE", "always", 10);
    add_category(fixture, "t_1", "NUMBER", NULL, 25);
    add_category(fixture, "t_1", "NUMBER", "-7001", 25);
    add_category(fixture, "t_1", "NUMBER", "34", 20);
    add_category(fixture, "t_1", "WEIGHT", "1.5", 10);
    add_category(fixture, "t_1", "WEIGHT", "-0.25", 10);
    add_category(fixture, "t_1", "FLAG", "true", 10);
    add_category(fixture, "t_1", "FLAG", "false", 10);
    add_completeness(fixture, "t_1", "FLAG", 100, 300);
    add_percentiles(fixture, "t_1", "STAY", stay, 5);
    add_completeness(fixture, "t_1", "STAY", 50, 150);
    add_percentiles(fixture, "t_1", "COST", cost, 3);
    fixture_add(fixture, &(struct adg_metadata_row){.table = "t_1",
                                                    .field = "SEX",
                                                    .value_type = ADG_VALUE_DEMOGRAPHIC_CATEGORICAL,
                                                    .string_array = sexes,
                                                    .string_array_count = 2,
                                                    .weight_array = halves,
                                                    .weight_array_count = 2,
                                                    .has_weight = true,
                                                    .weight = 5});
    fixture_add(fixture, &(struct adg_metadata_row){.table = "t_1",
                                                    .field = "BIRTH",
                                                    .value_type = ADG_VALUE_DEMOGRAPHIC_DATE,
                                                    .string = text_of("121940"),
                                                    .has_numeric = true,
                                                    .numeric = 0.75,
                                                    .has_weight = true,
                                                    .weight = 5});
    for (int32_t day = 0; day < 40; day++) {
        add_date(fixture, "t_1", "D_1", 11354 + day * 40, 5);
        add_date(fixture, "t_1", "D_2", 11354 + day * 40 + 7, 5);
    }
    add_completeness(fixture, "t_1", "D_2", 50, 50);
    add_category(fixture, "t_1", "X_1", NULL, 10);
    add_category(fixture, "t_1", "X_1", "A01X", 10);
    add_category(fixture, "t_1", "X_1", "-   ", 10);
    add_category(fixture, "t_1", "X_2", NULL, 10);
    add_category(fixture, "t_1", "X_2", "a longer text, with a comma", 10);
    fixture_ready(fixture);
}

static const struct adg_stream_options plain = {.end_block = ADG_ALL_BLOCKS};
static const struct adg_stream_options with_dictionaries = {.end_block = ADG_ALL_BLOCKS, .dictionaries = true};
static const struct adg_plan_options rows_of_three_blocks = {.seed = 3, .rows = 2 * ADG_BLOCK_ROWS + 13};

static void open_stream(const struct adg_plan *plan, const struct adg_stream_options *options,
                        struct ArrowArrayStream *stream)
{
    struct adg_error error = {{0}};
    if (adg_stream_open(plan, options, stream, &error) != ADG_OK) {
        fail_msg("%s", error.message);
    }
}

static struct ArrowArray next_batch(struct ArrowArrayStream *stream)
{
    struct ArrowArray batch;
    if (stream->get_next(stream, &batch) != 0) {
        fail_msg("%s", stream->get_last_error(stream));
    }
    return batch;
}

/* ---- a value of an array as text ----------------------------------------------------------------------------------- */

static size_t number_text(const struct ArrowSchemaView *type, const struct ArrowArrayView *view, int64_t row, char *out)
{
    struct ArrowDecimal decimal;
    switch (type->type) {
    case NANOARROW_TYPE_DOUBLE:
        return adg_double_format(ArrowArrayViewGetDoubleUnsafe(view, row), out);
    case NANOARROW_TYPE_DATE32:
        return adg_int_text(ADG_TYPE_DATE, 0, ArrowArrayViewGetIntUnsafe(view, row), out);
    case NANOARROW_TYPE_BOOL:
        return adg_int_text(ADG_TYPE_BOOLEAN, 0, ArrowArrayViewGetIntUnsafe(view, row), out);
    case NANOARROW_TYPE_DECIMAL128:
        ArrowDecimalInit(&decimal, 128, type->decimal_precision, type->decimal_scale);
        ArrowArrayViewGetDecimalUnsafe(view, row, &decimal);
        return adg_int_text(ADG_TYPE_DECIMAL, (unsigned)type->decimal_scale, ArrowDecimalGetIntUnsafe(&decimal), out);
    default:
        return adg_int_text(ADG_TYPE_INT64, 0, ArrowArrayViewGetIntUnsafe(view, row), out);
    }
}

/* NULL: null. */
static const char *value_text(const struct ArrowSchema *schema, const struct ArrowArrayView *view, int64_t row,
                              char out[4096])
{
    struct ArrowSchemaView type;
    assert_int_equal(ArrowSchemaViewInit(&type, schema, NULL), NANOARROW_OK);
    if (ArrowArrayViewIsNull(view, row)) {
        return NULL;
    }
    if (type.type == NANOARROW_TYPE_DICTIONARY) {
        return value_text(schema->dictionary, view->dictionary, ArrowArrayViewGetIntUnsafe(view, row), out);
    }
    if (type.type == NANOARROW_TYPE_STRING) {
        struct ArrowStringView text = ArrowArrayViewGetStringUnsafe(view, row);
        assert_in_range(text.size_bytes, 0, 4095);
        memcpy(out, text.data, (size_t)text.size_bytes);
        out[text.size_bytes] = '\0';
    } else {
        out[number_text(&type, view, row, out)] = '\0';
    }
    return out;
}

/* Whether the batch's columns are those numbered, from `first_row` on. Checks what nanoarrow can check, too. */
static void check_batch(const struct ArrowSchema *schema, const struct ArrowArray *batch, const struct values *values,
                        const uint32_t *numbers, uint64_t first_row)
{
    struct ArrowArrayView view;
    struct ArrowError error = {{0}};
    char text[4096];
    assert_int_equal(ArrowArrayViewInitFromSchema(&view, schema, &error), NANOARROW_OK);
    if (ArrowArrayViewSetArray(&view, batch, &error) != NANOARROW_OK ||
        ArrowArrayViewValidate(&view, NANOARROW_VALIDATION_LEVEL_FULL, &error) != NANOARROW_OK) {
        fail_msg("%s", error.message);
    }
    for (int64_t i = 0; i < batch->n_children; i++) {
        assert_int_equal(batch->children[i]->null_count, ArrowArrayViewComputeNullCount(view.children[i]));
        for (int64_t row = 0; row < batch->length; row++) {
            const char *found = value_text(schema->children[i], view.children[i], row, text);
            const char *expected = cell(values, first_row + (uint64_t)row, numbers != NULL ? numbers[i] : (uint32_t)i);
            if (!same_cell(found, expected)) {
                fail_msg("column %s, row %d: %s, expected %s", schema->children[i]->name, (int)row, found, expected);
            }
        }
    }
    ArrowArrayViewReset(&view);
}

static void check_stream(const struct adg_plan *plan, const struct adg_stream_options *options,
                         const struct values *values, const uint32_t *numbers)
{
    struct ArrowArrayStream stream;
    struct ArrowSchema schema, alone;
    open_stream(plan, options, &stream);
    assert_int_equal(stream.get_schema(&stream, &schema), 0);
    assert_int_equal(adg_stream_schema(plan, options, &alone, NULL), ADG_OK);
    assert_int_equal(schema.n_children, alone.n_children);
    uint64_t row = options->first_block * ADG_BLOCK_ROWS;
    uint64_t end = options->end_block * ADG_BLOCK_ROWS;
    end = options->end_block == ADG_ALL_BLOCKS || end > values->rows ? values->rows : end;
    for (struct ArrowArray batch = next_batch(&stream); batch.release != NULL; batch = next_batch(&stream)) {
        check_batch(&schema, &batch, values, numbers, row);
        row += (uint64_t)batch.length;
        batch.release(&batch);
    }
    assert_int_equal(row, end);
    alone.release(&alone);
    schema.release(&schema);
    stream.release(&stream);
}

/* ---- tests --------------------------------------------------------------------------------------------------------- */

static void test_all_columns(void **state)
{
    (void)state;
    struct fixture fixture;
    open_all(&fixture);
    struct adg_plan *plan = plan_of(&fixture, "t_1", rows_of_three_blocks);
    struct values values = values_of(plan);
    check_stream(plan, &plain, &values, NULL);
    check_stream(plan, &with_dictionaries, &values, NULL);
    for (uint64_t block = 0; block < 3; block++) {
        const struct adg_stream_options range = {.first_block = block, .end_block = block + 1};
        check_stream(plan, &range, &values, NULL);
    }
    values_free(&values);
    adg_plan_free(plan);
    fixture_close(&fixture);
}

/* A column made alone, with whatever it needs, is the one that is made with all others. */
static void test_every_column_alone(void **state)
{
    (void)state;
    struct fixture fixture;
    open_all(&fixture);
    struct adg_plan *plan = plan_of(&fixture, "t_1", (struct adg_plan_options){.seed = 5, .rows = 20000});
    struct values values = values_of(plan);
    assert_int_equal(adg_plan_columns(plan), COLUMNS);
    for (uint32_t i = 0; i < COLUMNS; i++) {
        const char *names[2] = {adg_plan_column_name(plan, i), adg_plan_column_name(plan, (i + 7) % COLUMNS)};
        for (uint32_t count = 1; count <= 2; count++) {
            const struct adg_stream_options options = {
                .end_block = ADG_ALL_BLOCKS, .columns = names, .column_count = count, .dictionaries = count == 2};
            check_stream(plan, &options, &values, (const uint32_t[]){i, (i + 7) % COLUMNS});
        }
    }
    const struct adg_stream_options none = {.end_block = ADG_ALL_BLOCKS, .columns = (const char *const[]){NULL}};
    check_stream(plan, &none, &values, NULL);
    values_free(&values);
    adg_plan_free(plan);
    fixture_close(&fixture);
}

static void test_shard(void **state)
{
    (void)state;
    struct fixture fixture;
    open_all(&fixture);
    struct adg_plan *plan = plan_of(&fixture, "t_1", (struct adg_plan_options){.rows = 50000, .shard = 1, .shards = 3});
    struct values values = values_of(plan);
    struct ArrowArrayStream stream;
    struct ArrowSchema schema;
    uint64_t row = 0;
    open_stream(plan, &with_dictionaries, &stream);
    assert_int_equal(stream.get_schema(&stream, &schema), 0);
    for (struct ArrowArray batch = next_batch(&stream); batch.release != NULL; batch = next_batch(&stream)) {
        check_batch(&schema, &batch, &values, NULL, row);
        row += (uint64_t)batch.length;
        batch.release(&batch);
    }
    assert_int_equal(row, adg_plan_rows(plan));
    schema.release(&schema);
    stream.release(&stream);
    values_free(&values);
    adg_plan_free(plan);
    fixture_close(&fixture);
}

/* The stream is read after plan, metadata and definition are gone; batches after the stream; a column and a dictionary after
 * their batch. */
static void test_everything_else_is_gone(void **state)
{
    (void)state;
    struct fixture fixture;
    open_all(&fixture);
    struct adg_plan *plan = plan_of(&fixture, "t_1", rows_of_three_blocks);
    struct values values = values_of(plan);
    struct ArrowArrayStream stream;
    struct ArrowSchema schema;
    open_stream(plan, &with_dictionaries, &stream);
    adg_plan_free(plan);
    fixture_close(&fixture);
    memset(&fixture, 0, sizeof fixture);
    assert_int_equal(stream.get_schema(&stream, &schema), 0);
    struct ArrowArray first = next_batch(&stream), second = next_batch(&stream);
    stream.release(&stream);
    assert_null(stream.release);
    check_batch(&schema, &first, &values, NULL, 0);
    struct ArrowArray column, dictionary;
    ArrowArrayMove(first.children[CODE], &column);
    first.release(&first);
    assert_int_equal(column.length, ADG_BLOCK_ROWS);
    ArrowArrayMove(column.dictionary, &dictionary);
    column.release(&column);
    assert_int_equal(dictionary.length, 3);
    assert_memory_equal(dictionary.buffers[2], "ab of more than sixteen bytes", 29);
    dictionary.release(&dictionary);
    check_batch(&schema, &second, &values, NULL, ADG_BLOCK_ROWS);
    second.release(&second);
    schema.release(&schema);
    values_free(&values);
}

static void test_closed_early(void **state)
{
    (void)state;
    struct fixture fixture;
    open_all(&fixture);
    struct adg_plan *plan = plan_of(&fixture, "t_1", rows_of_three_blocks);
    struct ArrowArrayStream stream;
    open_stream(plan, &plain, &stream); /* nothing read */
    stream.release(&stream);
    open_stream(plan, &with_dictionaries, &stream);
    struct ArrowArray batch = next_batch(&stream);
    stream.release(&stream);
    batch.release(&batch);
    adg_plan_free(plan);
    fixture_close(&fixture);
}

static void test_stays_at_its_end(void **state)
{
    (void)state;
    struct fixture fixture;
    open_all(&fixture);
    struct adg_plan *plan = plan_of(&fixture, "t_1", (struct adg_plan_options){.rows = 5});
    struct ArrowArrayStream stream;
    open_stream(plan, &plain, &stream);
    struct ArrowArray batch = next_batch(&stream);
    assert_int_equal(batch.length, 5);
    batch.release(&batch);
    for (int i = 0; i < 2; i++) {
        batch = next_batch(&stream);
        assert_null(batch.release);
    }
    stream.release(&stream);
    adg_plan_free(plan);
    fixture_close(&fixture);
}

struct reader {
    struct ArrowArrayStream *stream;
    uint64_t rows, batches;
};

static void *read_all(void *argument)
{
    struct reader *reader = argument;
    struct ArrowArray batch;
    while (reader->stream->get_next(reader->stream, &batch) == 0 && batch.release != NULL) {
        reader->rows += (uint64_t)batch.length;
        reader->batches++;
        batch.release(&batch);
    }
    return NULL;
}

/* Every batch comes once, to one or the other; batches are released on any thread. */
static void test_two_threads(void **state)
{
    (void)state;
    struct fixture fixture;
    open_all(&fixture);
    struct adg_plan *plan = plan_of(&fixture, "t_1", (struct adg_plan_options){.rows = 20 * ADG_BLOCK_ROWS});
    struct ArrowArrayStream stream;
    open_stream(plan, &with_dictionaries, &stream);
    struct reader readers[2] = {{.stream = &stream}, {.stream = &stream}};
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, read_all, &readers[i]), 0);
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
    assert_int_equal(readers[0].rows + readers[1].rows, 20 * ADG_BLOCK_ROWS);
    assert_int_equal(readers[0].batches + readers[1].batches, 20);
    stream.release(&stream);
    adg_plan_free(plan);
    fixture_close(&fixture);
}

static void test_refusals(void **state)
{
    (void)state;
    struct fixture fixture;
    open_all(&fixture);
    struct adg_plan *plan = plan_of(&fixture, "t_1", rows_of_three_blocks);
    const struct {
        struct adg_stream_options options;
        enum adg_status status;
        const char *message;
    } cases[] = {
        {{.end_block = ADG_ALL_BLOCKS, .columns = (const char *const[]){"NOBODY"}, .column_count = 1},
         ADG_BAD_INPUT,
         "table t_1 has no column NOBODY"},
        {{.end_block = ADG_ALL_BLOCKS, .columns = (const char *const[]){"CODE", "code"}, .column_count = 2},
         ADG_USAGE,
         "column code is asked for twice"},
        {{.first_block = 4, .end_block = ADG_ALL_BLOCKS},
         ADG_USAGE,
         "table t_1: the range of blocks is not within the table's"},
        {{.first_block = 2, .end_block = 1}, ADG_USAGE, "table t_1: the range of blocks is not within the table's"},
        {{.first_block = 0, .end_block = 4}, ADG_USAGE, "table t_1: the range of blocks is not within the table's"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ArrowArrayStream stream = {.release = NULL};
        struct adg_error error = {{0}};
        assert_int_equal(adg_stream_open(plan, &cases[i].options, &stream, &error), cases[i].status);
        assert_string_equal(error.message, cases[i].message);
        assert_null(stream.release);
    }
    adg_plan_free(plan);
    fixture_close(&fixture);
}

static void test_out_of_memory(void **state)
{
    (void)state;
    struct fixture fixture;
    open_all(&fixture);
    struct adg_plan *plan = plan_of(&fixture, "t_1", (struct adg_plan_options){.rows = 100});
    bool complete = false;
    for (uint64_t n = 1; !complete; n++) { /* the n-th allocation fails, until there are no more */
        struct ArrowArrayStream stream = {.release = NULL};
        struct ArrowArray batch = {.release = NULL};
        adg_memory_fail_at(n);
        if (adg_stream_open(plan, &with_dictionaries, &stream, NULL) == ADG_OK) {
            int code = stream.get_next(&stream, &batch);
            assert_true(code == 0 || code == EIO);
            assert_true(code == 0 || strlen(stream.get_last_error(&stream)) > 0);
            complete = code == 0;
        }
        adg_memory_fail_at(0);
        if (batch.release != NULL) {
            batch.release(&batch);
        }
        if (stream.release != NULL) {
            stream.release(&stream);
        }
    }
    adg_plan_free(plan);
    fixture_close(&fixture);
}

/* ---- other ways out ------------------------------------------------------------------------------------------------ */

static void test_schema_without_metadata(void **state)
{
    (void)state;
    struct fixture fixture;
    struct ArrowSchema schema, expected;
    open_all(&fixture);
    struct adg_plan *plan = plan_of(&fixture, "t_1", (struct adg_plan_options){.rows = 5});
    assert_int_equal(adg_stream_schema(plan, &plain, &expected, NULL), ADG_OK);
    assert_int_equal(adg_definition_schema(fixture.definition, "t_1", &schema, NULL), ADG_OK);
    assert_int_equal(schema.n_children, expected.n_children);
    for (int64_t i = 0; i < schema.n_children; i++) {
        assert_string_equal(schema.children[i]->name, expected.children[i]->name);
        assert_string_equal(schema.children[i]->format, expected.children[i]->format);
    }
    schema.release(&schema);
    expected.release(&expected);
    assert_int_equal(adg_definition_schema(fixture.definition, "t_2", &schema, NULL), ADG_BAD_INPUT);
    adg_plan_free(plan);
    fixture_close(&fixture);
}

static void test_metadata(void **state)
{
    (void)state;
    struct fixture fixture;
    struct ArrowArrayStream stream;
    struct ArrowSchema schema;
    struct ArrowArrayView view;
    open_all(&fixture);
    assert_int_equal(adg_metadata_stream_open(fixture.definition, &fixture.metadata, "t_2", &stream, NULL),
                     ADG_BAD_INPUT);
    assert_int_equal(adg_metadata_stream_open(fixture.definition, &fixture.metadata, NULL, &stream, NULL), ADG_OK);
    assert_int_equal(stream.get_schema(&stream, &schema), 0);
    struct ArrowArray batch = next_batch(&stream), end = next_batch(&stream);
    assert_null(end.release);
    stream.release(&stream);
    assert_int_equal(ArrowArrayViewInitFromSchema(&view, &schema, NULL), NANOARROW_OK);
    assert_int_equal(ArrowArrayViewSetArray(&view, &batch, NULL), NANOARROW_OK);
    assert_int_equal(ArrowArrayViewValidate(&view, NANOARROW_VALIDATION_LEVEL_FULL, NULL), NANOARROW_OK);
    assert_int_equal(batch.length, fixture.rows.count);
    for (int64_t i = 0; i < batch.length; i++) {
        const struct adg_metadata_row *row = &fixture.rows.rows[i];
        char text[4096];
        assert_string_equal(value_text(schema.children[1], view.children[1], i, text), row->field);
        assert_string_equal(value_text(schema.children[2], view.children[2], i, text),
                            adg_value_type_name(row->value_type));
        assert_int_equal(ArrowArrayViewIsNull(view.children[3], i), row->string.text == NULL);
        assert_int_equal(ArrowArrayViewIsNull(view.children[8], i), !row->has_weight);
        assert_true(!row->has_weight || ArrowArrayViewGetDoubleUnsafe(view.children[8], i) == row->weight);
        assert_int_equal(ArrowArrayViewIsNull(view.children[9], i), row->weight_array == NULL);
    }
    ArrowArrayViewReset(&view);
    batch.release(&batch);
    schema.release(&schema);
    fixture_close(&fixture);
}

static uint32_t files_in(const char *folder)
{
    uint32_t count = 0;
    DIR *entries = opendir(folder);
    assert_non_null(entries);
    for (const struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    }
    closedir(entries);
    return count;
}

/* What is in the files is for the interop tests; here, that they are there whole or not at all. */
static void test_parquet_file(void **state)
{
    (void)state;
    struct fixture fixture;
    char folder[] = "/tmp/adg-test-XXXXXX", path[64];
    open_all(&fixture);
    struct adg_plan *plan = plan_of(&fixture, "t_1", rows_of_three_blocks);
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/t.parquet", folder);
    enum adg_status status = ADG_FAILED;
    uint64_t rows = 0, bytes = 0;
    for (uint64_t n = 1; status != ADG_OK; n += 1 + n / 8) { /* the n-th allocation fails, until there are no more */
        adg_memory_fail_at(n);
        status = adg_parquet_write(plan, 1, 3, ADG_COMPRESSION_AUTO, path, &rows, &bytes, NULL);
        adg_memory_fail_at(0);
        assert_true(status == ADG_OK || status == ADG_FAILED);
        assert_int_equal(files_in(folder), status == ADG_OK);
    }
    struct adg_buffer file = {0};
    assert_int_equal(adg_file_read(path, &file, NULL), ADG_OK);
    assert_int_equal(file.size, bytes);
    assert_memory_equal(file.data + file.size - 4, "PAR1", 4);
    assert_int_equal(rows, ADG_BLOCK_ROWS + 13);
    adg_buffer_fini(&file);
    assert_int_equal(adg_parquet_write(plan, 2, 4, ADG_COMPRESSION_AUTO, path, NULL, NULL, NULL), ADG_USAGE);
    assert_int_equal(adg_parquet_write(plan, 0, 0, ADG_COMPRESSION_NONE, path, &rows, NULL, NULL), ADG_OK);
    assert_int_equal(rows, 0);
    assert_int_equal(adg_folder_remove(folder, NULL), ADG_OK);
    adg_plan_free(plan);
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_schema_without_metadata),
        cmocka_unit_test(test_metadata),
        cmocka_unit_test(test_parquet_file),
        cmocka_unit_test(test_all_columns),
        cmocka_unit_test(test_every_column_alone),
        cmocka_unit_test(test_shard),
        cmocka_unit_test(test_everything_else_is_gone),
        cmocka_unit_test(test_closed_early),
        cmocka_unit_test(test_stays_at_its_end),
        cmocka_unit_test(test_two_threads),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
