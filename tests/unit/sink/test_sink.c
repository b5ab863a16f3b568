/*
 * One table of cases for all sinks: hand-made blocks of every kind and type. Each case states its rows once, as CSV. What
 * the Parquet sink wrote is read back where our own reader can, shown as CSV by this file, and must be the same; files with
 * dictionary pages are read by the interop tests, with software that we did not write.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <nanoarrow/nanoarrow.h>
#include <nanoarrow/nanoarrow_ipc.h>

#include "block/text.h"
#include "core/arena.h"
#include "core/date.h"
#include "core/number.h"
#include "parquet/table.h"
#include "sink/arrow.h"
#include "sink/batches.h"
#include "sink/sink.h"

enum { MAX_COLUMNS = 6 };

/* The columns of a case; each block of it shows `rows` of them, one after the other. */
struct test_column {
    struct adg_field field;
    struct adg_layout_column layout; /* without field */
    struct adg_block_column data;
};
struct test_case {
    const char *name;
    uint32_t column_count;
    struct test_column columns[MAX_COLUMNS];
    uint32_t block_rows[3]; /* until 0 */
    uint32_t part_blocks;
    bool readable; /* by adg_parquet_table_read, which knows no dictionary pages and five types */
    const char *csv;
};

#define TEXT(bytes_, ...)                                                                                              \
    {                                                                                                                  \
        .text = {.bytes = bytes_, .offsets = (const uint32_t[]){__VA_ARGS__} }                                         \
    }
/* PLAIN texts p, null, q-comma and a quote, and the slack behind them */
/* and of two texts, p and q-comma */
#define TWO_CELLS "\1\0\0\0p\2\0\0\0q,----------------"
#define CELLS "\1\0\0\0p\2\0\0\0q,\1\0\0\0\"----------------"
#define CODES(...)                                                                                                     \
    {                                                                                                                  \
        .codes = (const uint32_t[])                                                                                    \
        {                                                                                                              \
            __VA_ARGS__                                                                                                \
        }                                                                                                              \
    }

static const struct adg_dictionary letters = {
    .type = ADG_TYPE_STRING, .count = 3, .values = TEXT("abbccc", 0, 1, 3, 6)};
static const struct adg_dictionary quoted = {
    .type = ADG_TYPE_STRING, .count = 5, .values = TEXT("\"a,bc\nde\rfgh i", 0, 1, 4, 7, 10, 13)};
static const struct adg_dictionary numbers = {
    .type = ADG_TYPE_INT32, .count = 4, .values = {.i32 = (const int32_t[]){INT32_MIN, -1, 0, INT32_MAX}}};
static const struct adg_dictionary dates = {
    .type = ADG_TYPE_DATE, .count = 2, .values = {.i32 = (const int32_t[]){-719162, 0}}};
static const struct adg_dictionary one = {.type = ADG_TYPE_STRING, .count = 1, .values = TEXT("x\"y", 0, 3)};
static const struct adg_dictionary decimals = {
    .type = ADG_TYPE_DECIMAL, .count = 2, .values = {.i64 = (const int64_t[]){-1, INT64_C(1250000000000000)}}};
/* 15 bytes with the separator, 16, and 40: the cells of the CSV sink hold 15. U+00E9 is two bytes. */
static const struct adg_dictionary wide = {.type = ADG_TYPE_STRING,
                                           .count = 4,
                                           .values = TEXT("01234567890123"
                                                          "012345678901234"
                                                          "0123456789012345678901234567890123456789"
                                                          "\xc3\xa9",
                                                          0, 14, 29, 69, 71)};

static int32_t to_5000[5000]; /* main() counts */
static const struct adg_dictionary numbers_to_5000 = {.type = ADG_TYPE_INT32, .count = 5000, .values.i32 = to_5000};

static const struct test_case cases[] = {
    {.name = "all kinds of columns",
     .column_count = 5,
     .columns = {{.field = {.name = "N", .type = ADG_TYPE_STRING},
                  .layout = {.kind = ADG_COLUMN_NULL, .nullable = true}},
                 {.field = {.name = "D", .type = ADG_TYPE_STRING},
                  .layout = {.kind = ADG_COLUMN_DICTIONARY, .dictionary = &letters, .nullable = true},
                  .data = CODES(2, 3, 0, 1)},
                 {.field = {.name = "C", .type = ADG_TYPE_STRING},
                  .layout = {.kind = ADG_COLUMN_CONSTANT, .dictionary = &one}},
                 {.field = {.name = "M", .type = ADG_TYPE_INT32},
                  .layout = {.kind = ADG_COLUMN_NULL, .nullable = true}},
                 {.field = {.name = "P", .type = ADG_TYPE_STRING},
                  .layout = {.kind = ADG_COLUMN_PLAIN, .nullable = true},
                  .data = {.valid = (const uint8_t[]){1, 0, 1, 1}, .values = TEXT(CELLS, 0, 5, 5, 11, 16)}}},
     .block_rows = {4},
     .part_blocks = 1,
     .csv = "N,D,C,M,P\n,ccc,\"x\"\"y\",,p\n,,\"x\"\"y\",,\n,a,\"x\"\"y\",,\"q,\"\n,bb,\"x\"\"y\",,\"\"\"\"\n"},
    {.name = "texts of the block's own, most of them different",
     .column_count = 1,
     .columns = {{.field = {.name = "J", .type = ADG_TYPE_STRING},
                  .layout = {.kind = ADG_COLUMN_TEXTS, .nullable = true},
                  .data = {.codes = (const uint32_t[]){1, ADG_NO_TEXT, 0, 1},
                           .cells = 2,
                           .values = TEXT(TWO_CELLS, 0, 5, 11)}}},
     .block_rows = {4},
     .part_blocks = 1,
     .csv = "J\n\"q,\"\n\np\n\"q,\"\n"},
    {.name = "texts in runs of rows, the first of which are not shown",
     .column_count = 1,
     .columns = {{.field = {.name = "K", .type = ADG_TYPE_STRING},
                  .layout = {.kind = ADG_COLUMN_TEXTS, .runs = true},
                  .data = {.codes = (const uint32_t[]){1, 1, 1, 2}, .cells = 3, .values = TEXT(CELLS, 0, 5, 11, 16)}}},
     .block_rows = {4, 1, 4},
     .part_blocks = 2,
     .csv = "K\n\"q,\"\n\"q,\"\n\"q,\"\n\"\"\"\"\n\"q,\"\n\"q,\"\n\"q,\"\n\"q,\"\n\"\"\"\"\n"},
    {.name = "texts of the block's own that repeat, and one that no row has",
     .column_count = 2,
     .columns = {{.field = {.name = "J", .type = ADG_TYPE_STRING},
                  .layout = {.kind = ADG_COLUMN_TEXTS, .nullable = true},
                  .data = {.codes = (const uint32_t[]){1, 1, ADG_NO_TEXT, 1, 1},
                           .cells = 2,
                           .values = TEXT(TWO_CELLS, 0, 5, 11)}},
                 {.field = {.name = "N", .type = ADG_TYPE_STRING},
                  .layout = {.kind = ADG_COLUMN_TEXTS, .nullable = true},
                  .data = {.codes = (const uint32_t[]){ADG_NO_TEXT, ADG_NO_TEXT, ADG_NO_TEXT, ADG_NO_TEXT, ADG_NO_TEXT},
                           .cells = 0,
                           .values = TEXT(TWO_CELLS, 0)}}},
     .block_rows = {5},
     .part_blocks = 1,
     .csv = "J,N\n\"q,\",\n\"q,\",\n,\n\"q,\",\n\"q,\",\n"},
    {.name = "quotes, commas and line ends in a dictionary",
     .column_count = 1,
     .columns = {{.field = {.name = "Q", .type = ADG_TYPE_STRING},
                  .layout = {.kind = ADG_COLUMN_DICTIONARY, .dictionary = &quoted},
                  .data = CODES(0, 1, 2, 3, 4)}},
     .block_rows = {5},
     .part_blocks = 1,
     .csv = "Q\n\"\"\"\"\n\"a,b\"\n\"c\nd\"\n\"e\rf\"\ngh \n"},
    {.name = "long, padded and accented text",
     .column_count = 2,
     .columns = {{.field = {.name = "W", .type = ADG_TYPE_STRING},
                  .layout = {.kind = ADG_COLUMN_DICTIONARY, .dictionary = &wide},
                  .data = CODES(0, 1, 2, 3)},
                 {.field = {.name = "V", .type = ADG_TYPE_STRING},
                  .layout = {.kind = ADG_COLUMN_DICTIONARY, .dictionary = &wide},
                  .data = CODES(3, 2, 1, 0)}},
     .block_rows = {4},
     .part_blocks = 1,
     .csv = "W,V\n01234567890123,\xc3\xa9\n012345678901234,0123456789012345678901234567890123456789\n"
            "0123456789012345678901234567890123456789,012345678901234\n\xc3\xa9,01234567890123\n"},
    {.name = "numbers and dates as dictionaries and plain",
     .column_count = 5,
     .columns = {{.field = {.name = "I", .type = ADG_TYPE_INT32},
                  .layout = {.kind = ADG_COLUMN_DICTIONARY, .dictionary = &numbers},
                  .data = CODES(0, 1, 3)},
                 {.field = {.name = "T", .type = ADG_TYPE_DATE},
                  .layout = {.kind = ADG_COLUMN_DICTIONARY, .dictionary = &dates, .nullable = true},
                  .data = CODES(0, 1, 2)},
                 {.field = {.name = "L", .type = ADG_TYPE_INT64},
                  .layout = {.kind = ADG_COLUMN_PLAIN, .nullable = true},
                  .data = {.valid = (const uint8_t[]){1, 1, 0},
                           .values = {.i64 = (const int64_t[]){INT64_MIN, INT64_MAX, 5}}}},
                 {.field = {.name = "F", .type = ADG_TYPE_DOUBLE},
                  .layout = {.kind = ADG_COLUMN_PLAIN},
                  .data = {.values = {.f64 = (const double[]){0.1, -2.0, 1e-7}}}},
                 {.field = {.name = "E", .type = ADG_TYPE_DATE},
                  .layout = {.kind = ADG_COLUMN_PLAIN},
                  .data = {.values = {.i32 = (const int32_t[]){2932896, 59, -1}}}}},
     .block_rows = {3},
     .part_blocks = 1,
     .csv = "I,T,L,F,E\n-2147483648,0001-01-01,-9223372036854775808,0.1,9999-12-31\n"
            "-1,1970-01-01,9223372036854775807,-2,1970-03-01\n2147483647,,,0.0000001,1969-12-31\n"},
    {.name = "decimals, timestamps and booleans",
     .column_count = 3,
     .columns = {{.field = {.name = "X", .type = ADG_TYPE_DECIMAL, .precision = 16, .scale = 15},
                  .layout = {.kind = ADG_COLUMN_DICTIONARY, .dictionary = &decimals, .nullable = true},
                  .data = CODES(0, 1, 2)},
                 {.field = {.name = "S", .type = ADG_TYPE_TIMESTAMP},
                  .layout = {.kind = ADG_COLUMN_PLAIN},
                  .data = {.values = {.i64 = (const int64_t[]){0, -1, INT64_C(86399000000)}}}},
                 {.field = {.name = "B", .type = ADG_TYPE_BOOLEAN},
                  .layout = {.kind = ADG_COLUMN_PLAIN, .nullable = true},
                  .data = {.valid = (const uint8_t[]){1, 1, 0}, .values = {.i32 = (const int32_t[]){1, 0, 0}}}}},
     .block_rows = {3},
     .part_blocks = 1,
     .csv = "X,S,B\n-0.000000000000001,1970-01-01 00:00:00,true\n1.25,1969-12-31 23:59:59.999999,false\n"
            ",1970-01-01 23:59:59,\n"},
    {.name = "plain columns in two parts",
     .column_count = 5,
     .columns = {{.field = {.name = "P", .type = ADG_TYPE_STRING},
                  .layout = {.kind = ADG_COLUMN_PLAIN, .nullable = true},
                  .data = {.valid = (const uint8_t[]){1, 0, 1, 1}, .values = TEXT(CELLS, 0, 5, 5, 11, 16)}},
                 {.field = {.name = "L", .type = ADG_TYPE_INT64},
                  .layout = {.kind = ADG_COLUMN_PLAIN, .nullable = true},
                  .data = {.valid = (const uint8_t[]){1, 1, 0, 0},
                           .values = {.i64 = (const int64_t[]){INT64_MIN, INT64_MAX, 5, 5}}}},
                 {.field = {.name = "F", .type = ADG_TYPE_DOUBLE},
                  .layout = {.kind = ADG_COLUMN_PLAIN},
                  .data = {.values = {.f64 = (const double[]){0.1, -2.0, 1e-7, 0}}}},
                 {.field = {.name = "E", .type = ADG_TYPE_DATE},
                  .layout = {.kind = ADG_COLUMN_PLAIN},
                  .data = {.values = {.i32 = (const int32_t[]){2932896, 59, -1, 0}}}},
                 {.field = {.name = "I", .type = ADG_TYPE_INT32},
                  .layout = {.kind = ADG_COLUMN_PLAIN},
                  .data = {.values = {.i32 = (const int32_t[]){INT32_MIN, 0, 1, INT32_MAX}}}}},
     .block_rows = {4, 1},
     .part_blocks = 1,
     .readable = true,
     .csv = "P,L,F,E,I\np,-9223372036854775808,0.1,9999-12-31,-2147483648\n,9223372036854775807,-2,1970-03-01,0\n"
            "\"q,\",,0.0000001,1969-12-31,1\n\"\"\"\",,0,1970-01-01,2147483647\np,-9223372036854775808,0.1,9999-12-31,-"
            "2147483648\n"},
    {.name = "no row at all",
     .column_count = 2,
     .columns = {{.field = {.name = "D", .type = ADG_TYPE_STRING},
                  .layout = {.kind = ADG_COLUMN_DICTIONARY, .dictionary = &letters}},
                 {.field = {.name = "N", .type = ADG_TYPE_INT32},
                  .layout = {.kind = ADG_COLUMN_NULL, .nullable = true}}},
     .part_blocks = 1,
     .csv = "D,N\n"},
    {.name = "one row, nothing but nulls",
     .column_count = 2,
     .columns = {{.field = {.name = "D", .type = ADG_TYPE_STRING},
                  .layout = {.kind = ADG_COLUMN_DICTIONARY, .dictionary = &letters, .nullable = true},
                  .data = CODES(3)},
                 {.field = {.name = "N", .type = ADG_TYPE_INT32},
                  .layout = {.kind = ADG_COLUMN_NULL, .nullable = true}}},
     .block_rows = {1},
     .part_blocks = 1,
     .csv = "D,N\n,\n"},
    {.name = "one column with a null: an empty line",
     .column_count = 1,
     .columns = {{.field = {.name = "D", .type = ADG_TYPE_STRING},
                  .layout = {.kind = ADG_COLUMN_DICTIONARY, .dictionary = &letters, .nullable = true},
                  .data = CODES(0, 3, 1)}},
     .block_rows = {3},
     .part_blocks = 1,
     .csv = "D\na\n\nbb\n"},
    {.name = "blocks of different sizes in one part, and parts",
     .column_count = 1,
     .columns = {{.field = {.name = "D", .type = ADG_TYPE_STRING},
                  .layout = {.kind = ADG_COLUMN_DICTIONARY, .dictionary = &letters, .nullable = true},
                  .data = CODES(0, 1, 2, 3)}},
     .block_rows = {4, 1, 3},
     .part_blocks = 2,
     .csv = "D\na\nbb\nccc\n\na\na\nbb\nccc\n"},
    {.name = "a part without a value of large dictionaries: it refers to none",
     .column_count = 3,
     .columns =
         {{.field = {.name = "M", .type = ADG_TYPE_INT32},
           .layout = {.kind = ADG_COLUMN_DICTIONARY, .dictionary = &numbers_to_5000, .nullable = true},
           .data = CODES(5000, 5000)},
          {.field = {.name = "S", .type = ADG_TYPE_INT32},
           .layout = {.kind = ADG_COLUMN_DICTIONARY, .dictionary = &numbers_to_5000, .nullable = true, .sparse = true},
           .data = CODES(5000, 5000)},
          {.field = {.name = "L", .type = ADG_TYPE_INT64},
           .layout = {.kind = ADG_COLUMN_PLAIN},
           .data = {.values = {.i64 = (const int64_t[]){1, 2}}}}},
     .block_rows = {2, 1, 2},
     .part_blocks = 2,
     .readable = true,
     .csv = "M,S,L\n,,1\n,,2\n,,1\n,,1\n,,2\n"},
};

/* Columns of codes are handed over one by one before a block, and taken away from it. */
static void pass_columns(const struct adg_sink_operations *operations, struct adg_sink_encoder *encoder,
                         struct adg_block *block)
{
    for (uint32_t c = 0; c < block->layout->column_count; c++) {
        if (block->layout->columns[c].unread) {
            assert_int_equal(operations->encode_column(encoder, block, c, NULL), ADG_OK);
            block->columns[c] = (struct adg_block_column){0};
        }
    }
}

/* Memory of written parts goes to the next. */
static void write_case(const struct adg_sink_operations *operations, const struct test_case *test, bool pass,
                       struct adg_buffer *file)
{
    struct adg_error error = {{0}};
    struct adg_layout_column columns[MAX_COLUMNS];
    struct adg_block_column data[MAX_COLUMNS];
    const struct adg_layout layout = {.table = "t", .column_count = test->column_count, .columns = columns};
    struct adg_block block = {.layout = &layout, .columns = data};
    struct adg_sink *sink = NULL;
    struct adg_sink_encoder *encoder = NULL;
    struct adg_sink_part memory = {0};
    for (uint32_t c = 0; c < test->column_count; c++) {
        columns[c] = test->columns[c].layout;
        columns[c].field = &test->columns[c].field;
        columns[c].unread = pass && columns[c].kind == ADG_COLUMN_DICTIONARY;
    }
    assert_int_equal(operations->open(&layout, ADG_COMPRESSION_AUTO, &sink, &error), ADG_OK);
    assert_int_equal(operations->begin(sink, file, &error), ADG_OK);
    assert_int_equal(operations->encoder_new(sink, &encoder, &error), ADG_OK);
    uint32_t blocks = 0;
    while (blocks < 3 && test->block_rows[blocks] > 0) {
        struct adg_sink_part part = {0};
        uint64_t rows = 0;
        operations->part_begin(encoder, &memory);
        operations->part_fini(&memory);
        for (uint32_t i = 0; i < test->part_blocks && blocks < 3 && test->block_rows[blocks] > 0; i++) {
            block.rows = test->block_rows[blocks++];
            rows += block.rows;
            for (uint32_t c = 0; c < test->column_count; c++) {
                data[c] = test->columns[c].data;
            }
            pass_columns(operations, encoder, &block);
            assert_int_equal(operations->encode(encoder, &block, &error), ADG_OK);
            block.first_row += block.rows;
        }
        assert_int_equal(operations->part_end(encoder, &part, &error), ADG_OK);
        assert_int_equal(part.rows, rows);
        assert_int_equal(operations->append(sink, &part, file->size, &error), ADG_OK);
        for (uint32_t i = 0; i < part.piece_count; i++) {
            assert_int_equal(adg_buffer_append(file, part.pieces[i].data, part.pieces[i].size, &error), ADG_OK);
        }
        assert_int_equal(adg_buffer_append(file, part.bytes.data, part.bytes.size, &error), ADG_OK);
        memory = adg_sink_part_empty(&part);
        operations->part_fini(&part);
    }
    operations->part_fini(&memory);
    assert_int_equal(operations->finish(sink, file->size, file, &error), ADG_OK);
    operations->encoder_free(encoder);
    operations->free(sink);
}

static void show_text(struct adg_buffer *out, const char *text, size_t size)
{
    bool quotes = false;
    for (size_t i = 0; i < size; i++) {
        quotes = quotes || strchr(",\"\r\n", text[i]) != NULL;
    }
    assert_int_equal(adg_buffer_append(out, "\"", quotes ? 1 : 0, NULL), ADG_OK);
    for (size_t i = 0; i < size; i++) {
        assert_int_equal(adg_buffer_append(out, &text[i], 1, NULL), ADG_OK);
        assert_int_equal(adg_buffer_append(out, "\"", text[i] == '"' ? 1 : 0, NULL), ADG_OK);
    }
    assert_int_equal(adg_buffer_append(out, "\"", quotes ? 1 : 0, NULL), ADG_OK);
}

static void show_value(struct adg_buffer *out, const struct adg_parquet_column *column, uint64_t row)
{
    char text[ADG_NUMBER_TEXT_BYTES];
    if (column->valid != NULL && column->valid[row] == 0) {
        return;
    }
    switch (column->type) {
    case ADG_TYPE_STRING:
        show_text(out, (const char *)column->values.text[row].data, column->values.text[row].size);
        return;
    case ADG_TYPE_DOUBLE:
        show_text(out, text, adg_double_format(column->values.f64[row], text));
        return;
    case ADG_TYPE_DATE:
        adg_date_format(column->values.i32[row], text);
        show_text(out, text, 10);
        return;
    case ADG_TYPE_INT64:
        show_text(out, text, adg_int64_format(column->values.i64[row], text));
        return;
    default:
        assert_int_equal(column->type, ADG_TYPE_INT32);
        show_text(out, text, adg_int64_format(column->values.i32[row], text));
    }
}

static void show_table(const struct adg_parquet_table *table, struct adg_buffer *out)
{
    for (uint32_t c = 0; c < table->column_count; c++) {
        show_text(out, table->columns[c].name, strlen(table->columns[c].name));
        assert_int_equal(adg_buffer_append_text(out, c + 1 < table->column_count ? "," : "\n", NULL), ADG_OK);
    }
    for (uint64_t row = 0; row < table->rows; row++) {
        for (uint32_t c = 0; c < table->column_count; c++) {
            show_value(out, &table->columns[c], row);
            assert_int_equal(adg_buffer_append_text(out, c + 1 < table->column_count ? "," : "\n", NULL), ADG_OK);
        }
    }
}

static void test_csv_sink(void **state)
{
    const struct test_case *test = *state;
    struct adg_buffer file = {0};
    write_case(adg_sink_find(ADG_FORMAT_CSV), test, false, &file);
    assert_string_equal(adg_buffer_text(&file), test->csv);
    adg_buffer_fini(&file);
}

/* COPY gets the lines behind the first, but for an empty text and what would end the data. */
static void test_copy_sink(void **state)
{
    const struct test_case *test = *state;
    struct adg_buffer file = {0};
    write_case(&adg_sink_copy, test, false, &file);
    assert_string_equal(adg_buffer_text(&file), strchr(test->csv, '\n') + 1);
    adg_buffer_fini(&file);
}

#define EMPTY_CELLS "\0\0\0\0\2\0\0\0\\.----------------"
static const struct adg_dictionary empty_text = {
    .type = ADG_TYPE_STRING, .count = 3, .values = TEXT("\\.\\.x", 0, 0, 2, 5)};
static const struct adg_dictionary nothing = {.type = ADG_TYPE_STRING, .count = 1, .values = TEXT("", 0, 0)};
static const struct test_case empty_texts = {
    .name = "empty texts",
    .column_count = 4,
    .columns = {{.field = {.name = "C", .type = ADG_TYPE_STRING},
                 .layout = {.kind = ADG_COLUMN_CONSTANT, .dictionary = &nothing}},
                {.field = {.name = "D", .type = ADG_TYPE_STRING},
                 .layout = {.kind = ADG_COLUMN_DICTIONARY, .dictionary = &empty_text, .nullable = true},
                 .data = CODES(0, 1, 2, 3)},
                {.field = {.name = "P", .type = ADG_TYPE_STRING},
                 .layout = {.kind = ADG_COLUMN_PLAIN, .nullable = true},
                 .data = {.valid = (const uint8_t[]){1, 0, 1, 1}, .values = TEXT(EMPTY_CELLS, 0, 4, 4, 10, 10)}},
                {.field = {.name = "J", .type = ADG_TYPE_STRING},
                 .layout = {.kind = ADG_COLUMN_TEXTS, .nullable = true},
                 .data = {.codes = (const uint32_t[]){0, ADG_NO_TEXT, 1, 0},
                          .cells = 2,
                          .values = TEXT(EMPTY_CELLS, 0, 4, 10)}}},
    .block_rows = {3},
    .part_blocks = 1,
};

static void test_empty_texts(void **state)
{
    (void)state;
    struct adg_buffer file = {0};
    write_case(&adg_sink_copy, &empty_texts, false, &file);
    assert_string_equal(adg_buffer_text(&file), "\"\",\"\",\"\",\"\"\n\"\",\"\\.\",,\n\"\",\\.x,\"\\.\",\"\\.\"\n");
    file.size = 0;
    write_case(&adg_sink_csv, &empty_texts, false, &file);
    assert_string_equal(adg_buffer_text(&file), "C,D,P,J\n,,,\n,\\.,,\n,\\.x,\\.,\\.\n");
    adg_buffer_fini(&file);
}

static void test_parquet_sink(void **state)
{
    const struct test_case *test = *state;
    struct adg_buffer file = {0}, passed = {0}, shown = {0};
    struct adg_arena arena = {0};
    struct adg_parquet_table table;
    struct adg_error error = {{0}};
    write_case(adg_sink_find(ADG_FORMAT_PARQUET), test, false, &file);
    write_case(adg_sink_find(ADG_FORMAT_PARQUET), test, true, &passed);
    assert_true(file.size > 12);
    assert_int_equal(passed.size, file.size);
    assert_memory_equal(passed.data, file.data, file.size);
    assert_memory_equal(file.data, "PAR1", 4);
    assert_memory_equal(file.data + file.size - 4, "PAR1", 4);
    uint32_t footer_bytes; /* little endian, before the closing magic */
    memcpy(&footer_bytes, file.data + file.size - 8, sizeof footer_bytes);
    assert_in_range(footer_bytes, 1, file.size - 12);
    if (test->readable) {
        if (adg_parquet_table_read(file.data, file.size, &arena, &table, &error) != ADG_OK) {
            fail_msg("%s", error.message);
        }
        show_table(&table, &shown);
        assert_string_equal(adg_buffer_text(&shown), test->csv);
    }
    adg_arena_fini(&arena);
    adg_buffer_fini(&shown);
    adg_buffer_fini(&passed);
    adg_buffer_fini(&file);
}

/* A column that a block neither hands over nor shows is missed when the row group ends. */
static void test_a_column_is_missing(void **state)
{
    (void)state;
    const struct adg_field field = {.name = "CODE", .type = ADG_TYPE_INT32};
    const struct adg_layout_column column = {
        .field = &field, .kind = ADG_COLUMN_DICTIONARY, .dictionary = &numbers_to_5000, .unread = true};
    const struct adg_layout layout = {.table = "t", .column_count = 1, .columns = &column};
    struct adg_block_column data = {0};
    const struct adg_block block = {.layout = &layout, .columns = &data, .rows = 2};
    struct adg_sink *sink = NULL;
    struct adg_sink_encoder *encoder = NULL;
    struct adg_sink_part part = {0};
    struct adg_error error = {{0}};
    assert_int_equal(adg_sink_parquet.open(&layout, ADG_COMPRESSION_AUTO, &sink, NULL), ADG_OK);
    assert_int_equal(adg_sink_parquet.encoder_new(sink, &encoder, NULL), ADG_OK);
    assert_int_equal(adg_sink_parquet.encode(encoder, &block, NULL), ADG_OK);
    assert_int_equal(adg_sink_parquet.part_end(encoder, &part, &error), ADG_FAILED);
    assert_non_null(strstr(error.message, "CODE"));
    adg_sink_parquet.part_fini(&part);
    adg_sink_parquet.encoder_free(encoder);
    adg_sink_parquet.free(sink);
}

/* ---- Arrow: read back with nanoarrow, plain and with dictionaries -------------------------------------------------- */

static void show_arrow_value(struct adg_buffer *out, const struct adg_field *field, const struct ArrowArrayView *view,
                             int64_t row)
{
    char text[ADG_VALUE_TEXT_BYTES];
    if (ArrowArrayViewIsNull(view, row)) {
        return;
    }
    if (view->dictionary != NULL) {
        show_arrow_value(out, field, view->dictionary, ArrowArrayViewGetIntUnsafe(view, row));
    } else if (field->type == ADG_TYPE_STRING) {
        struct ArrowStringView string = ArrowArrayViewGetStringUnsafe(view, row);
        show_text(out, string.data, (size_t)string.size_bytes);
    } else if (field->type == ADG_TYPE_DOUBLE) {
        show_text(out, text, adg_double_format(ArrowArrayViewGetDoubleUnsafe(view, row), text));
    } else if (field->type == ADG_TYPE_DECIMAL) {
        struct ArrowDecimal decimal;
        ArrowDecimalInit(&decimal, 128, field->precision, field->scale);
        ArrowArrayViewGetDecimalUnsafe(view, row, &decimal);
        show_text(out, text, adg_int_text(field->type, field->scale, ArrowDecimalGetIntUnsafe(&decimal), text));
    } else {
        show_text(out, text, adg_int_text(field->type, 0, ArrowArrayViewGetIntUnsafe(view, row), text));
    }
}

static void show_batch(const struct test_case *test, const struct ArrowSchema *schema, const struct ArrowArray *batch,
                       struct adg_buffer *out)
{
    struct ArrowArrayView view;
    struct ArrowError error = {{0}};
    assert_int_equal(ArrowArrayViewInitFromSchema(&view, schema, &error), NANOARROW_OK);
    if (ArrowArrayViewSetArray(&view, batch, &error) != NANOARROW_OK ||
        ArrowArrayViewValidate(&view, NANOARROW_VALIDATION_LEVEL_FULL, &error) != NANOARROW_OK) {
        fail_msg("%s", error.message);
    }
    for (int64_t row = 0; row < batch->length; row++) {
        for (uint32_t c = 0; c < test->column_count; c++) {
            show_arrow_value(out, &test->columns[c].field, view.children[c], row);
            assert_int_equal(adg_buffer_append_text(out, c + 1 < test->column_count ? "," : "\n", NULL), ADG_OK);
        }
    }
    ArrowArrayViewReset(&view);
}

static void check_arrow_batches(const struct test_case *test, bool dictionaries)
{
    struct adg_layout_column columns[MAX_COLUMNS];
    struct adg_block_column data[MAX_COLUMNS];
    const struct adg_layout layout = {.table = "t", .column_count = test->column_count, .columns = columns};
    struct adg_block block = {.layout = &layout, .columns = data};
    struct adg_arrow *arrow = NULL;
    struct adg_buffer shown = {0};
    struct ArrowSchema schema;
    for (uint32_t c = 0; c < test->column_count; c++) {
        columns[c] = test->columns[c].layout;
        columns[c].field = &test->columns[c].field;
        data[c] = test->columns[c].data;
    }
    assert_int_equal(adg_arrow_new(&layout, NULL, 0, dictionaries, &arrow, NULL), ADG_OK);
    assert_int_equal(adg_arrow_schema(arrow, &schema, NULL), ADG_OK);
    for (uint32_t c = 0; c < test->column_count; c++) {
        assert_int_equal(adg_buffer_append_text(&shown, schema.children[c]->name, NULL), ADG_OK);
        assert_int_equal(adg_buffer_append_text(&shown, c + 1 < test->column_count ? "," : "\n", NULL), ADG_OK);
    }
    for (uint32_t i = 0; i < 3 && test->block_rows[i] > 0; i++) {
        struct ArrowArray batch;
        block.rows = test->block_rows[i];
        assert_int_equal(adg_arrow_batch(arrow, &block, &batch, NULL), ADG_OK);
        show_batch(test, &schema, &batch, &shown);
        batch.release(&batch);
    }
    assert_string_equal(adg_buffer_text(&shown), test->csv);
    schema.release(&schema);
    adg_arrow_free(arrow);
    adg_buffer_fini(&shown);
}

/* One batch for each block, and a part that has none. */
static void test_batches_sink(void **state)
{
    const struct test_case *test = *state;
    struct adg_layout_column columns[MAX_COLUMNS];
    struct adg_block_column data[MAX_COLUMNS];
    const struct adg_layout layout = {.table = "t", .column_count = test->column_count, .columns = columns};
    struct adg_block block = {.layout = &layout, .columns = data};
    const struct adg_sink_operations *operations = &adg_sink_batches;
    struct adg_sink *sink = NULL;
    struct adg_sink_encoder *encoder = NULL;
    struct adg_sink_part part = {0};
    struct adg_buffer shown = {0};
    struct ArrowSchema schema;
    for (uint32_t c = 0; c < test->column_count; c++) {
        columns[c] = test->columns[c].layout;
        columns[c].field = &test->columns[c].field;
        data[c] = test->columns[c].data;
    }
    assert_int_equal(operations->part_blocks, 1);
    assert_int_equal(operations->open(&layout, ADG_COMPRESSION_AUTO, &sink, NULL), ADG_OK);
    assert_int_equal(operations->encoder_new(sink, &encoder, NULL), ADG_OK);
    assert_int_equal(adg_sink_batches_schema(sink, &schema, NULL), ADG_OK);
    for (uint32_t i = 0; i < 3 && test->block_rows[i] > 0; i++) {
        struct ArrowArray batch;
        block.rows = test->block_rows[i];
        assert_int_equal(operations->encode(encoder, &block, NULL), ADG_OK);
        assert_int_equal(operations->part_end(encoder, &part, NULL), ADG_OK);
        assert_int_equal(part.rows, block.rows);
        assert_true(adg_sink_batches_take(&part, &batch) > 0);
        show_batch(test, &schema, &batch, &shown);
        batch.release(&batch);
        operations->part_fini(&part);
    }
    assert_string_equal(adg_buffer_text(&shown), strchr(test->csv, '\n') + 1);
    block.rows = test->block_rows[0];
    assert_int_equal(operations->encode(encoder, &block, NULL), ADG_OK); /* and goes with its encoder */
    operations->part_fini(&part);
    operations->encoder_free(encoder);
    operations->free(sink);
    schema.release(&schema);
    adg_buffer_fini(&shown);
}

/* What is in the messages is for the interop tests. */
static void check_messages(const struct adg_buffer *file)
{
    size_t at = 0;
    int32_t prefix[2] = {0, 1};
    for (; prefix[1] != 0; at += sizeof prefix + (size_t)prefix[1]) {
        struct ArrowIpcDecoder decoder;
        struct ArrowError error = {{0}};
        assert_in_range(at, 0, file->size - sizeof prefix);
        memcpy(prefix, file->data + at, sizeof prefix);
        assert_int_equal(prefix[0], -1);
        assert_int_equal(at % 8, 0);
        if (prefix[1] == 0) {
            continue;
        }
        assert_int_equal(ArrowIpcDecoderInit(&decoder), NANOARROW_OK);
        const struct ArrowBufferView bytes = {{file->data + at}, (int64_t)(file->size - at)};
        if (ArrowIpcDecoderVerifyHeader(&decoder, bytes, &error) != NANOARROW_OK) {
            fail_msg("%s", error.message);
        }
        at += (size_t)decoder.body_size_bytes;
        ArrowIpcDecoderReset(&decoder);
    }
    assert_int_equal(at, file->size);
}

static void test_arrow_sink(void **state)
{
    const struct test_case *test = *state;
    struct adg_buffer file = {0};
    check_arrow_batches(test, false);
    check_arrow_batches(test, true);
    write_case(adg_sink_find(ADG_FORMAT_ARROW), test, false, &file);
    check_messages(&file);
    adg_buffer_fini(&file);
}

static void test_formats(void **state)
{
    (void)state;
    assert_string_equal(adg_sink_find(ADG_FORMAT_CSV)->extension, "csv");
    assert_string_equal(adg_sink_find(ADG_FORMAT_PARQUET)->extension, "parquet");
    assert_string_equal(adg_sink_find(ADG_FORMAT_ARROW)->extension, "arrows");
}

static void test_what_is_not_compressed(void **state)
{
    (void)state;
    const struct adg_layout layout = {.table = "t"};
    struct adg_sink *sink = NULL;
    assert_int_equal(adg_sink_csv.open(&layout, ADG_COMPRESSION_ZSTD, &sink, NULL), ADG_USAGE);
    assert_int_equal(adg_sink_arrow.open(&layout, ADG_COMPRESSION_ZSTD, &sink, NULL), ADG_USAGE);
    assert_null(sink);
}

int main(void)
{
    enum { CASES = sizeof cases / sizeof cases[0] };
    static const struct {
        const char *name;
        CMUnitTestFunction test;
    } sinks[] = {{"csv", test_csv_sink},
                 {"copy", test_copy_sink},
                 {"parquet", test_parquet_sink},
                 {"arrow", test_arrow_sink},
                 {"batches", test_batches_sink}};
    enum { SINKS = sizeof sinks / sizeof sinks[0] };
    struct CMUnitTest tests[SINKS * CASES + 4] = {cmocka_unit_test(test_formats), cmocka_unit_test(test_empty_texts),
                                                  cmocka_unit_test(test_what_is_not_compressed),
                                                  cmocka_unit_test(test_a_column_is_missing)};
    static char names[SINKS * CASES][80];
    for (int32_t i = 0; i < 5000; i++) {
        to_5000[i] = i;
    }
    for (size_t i = 0; i < SINKS * CASES; i++) {
        const struct test_case *test = &cases[i / SINKS];
        snprintf(names[i], sizeof names[i], "%s: %s", sinks[i % SINKS].name, test->name);
        struct test_case *state = (struct test_case *)(uintptr_t)test; /* cmocka's state is not const */
        tests[4 + i] = (struct CMUnitTest){names[i], sinks[i % SINKS].test, NULL, NULL, state};
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
