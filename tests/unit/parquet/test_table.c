/*
 * A table written and read back; damaged files refused. With ADG_TEST_FILE set, the table is also left there for other readers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/file.h"
#include "core/memory.h"
#include "parquet/hybrid.h"
#include "parquet/table.h"
#include "parquet/thrift.h"

#define TEXT(t)                                                                                                        \
    {                                                                                                                  \
        (const uint8_t *)(t), sizeof(t) - 1                                                                            \
    }

static const struct adg_span texts[] = {TEXT("a"), TEXT(""), TEXT("-   "), TEXT("\xE2\x82\xAC,\"\n"), TEXT("zz")};
static const uint8_t text_valid[] = {1, 1, 1, 1, 0};
static const double numbers[] = {1.5, -2, 0, 5, 1e300};
static const uint8_t number_valid[] = {1, 1, 0, 1, 1};
static const int32_t days[] = {0, -719162, 2932896, 7, 8};
static const struct adg_span items[] = {TEXT("x"), TEXT("y"), TEXT("z"), TEXT("w")};
static const uint8_t item_valid[] = {1, 0, 1, 1};
static const uint32_t offsets[] = {0, 2, 2, 2, 3, 4};
static const uint8_t list_valid[] = {1, 1, 0, 1, 1};
static const double weights[] = {0.5, 0.25, 7};
static const uint32_t weight_offsets[] = {0, 0, 2, 2, 2, 3};
static const uint8_t all_null[5] = {0};
static const uint32_t no_items[6] = {0};

static const struct adg_parquet_column columns[] = {
    {.name = "TEXT", .type = ADG_TYPE_STRING, .valid = text_valid, .values.text = texts},
    {.name = "NUMBER", .type = ADG_TYPE_DOUBLE, .valid = number_valid, .values.f64 = numbers},
    {.name = "DAY", .type = ADG_TYPE_DATE, .values.i32 = days},
    {.name = "TEXTS",
     .type = ADG_TYPE_STRING,
     .is_list = true,
     .valid = list_valid,
     .list_offsets = offsets,
     .item_valid = item_valid,
     .values.text = items},
    {.name = "WEIGHTS",
     .type = ADG_TYPE_DOUBLE,
     .is_list = true,
     .valid = list_valid,
     .list_offsets = weight_offsets,
     .values.f64 = weights},
    {.name = "NOTHING", .type = ADG_TYPE_STRING, .valid = all_null, .values.text = texts},
    {.name = "NO_LISTS",
     .type = ADG_TYPE_STRING,
     .is_list = true,
     .valid = all_null,
     .list_offsets = no_items,
     .values.text = items},
};
static const struct adg_parquet_table table = {
    .rows = 5, .column_count = sizeof columns / sizeof columns[0], .columns = columns};

static bool is_valid(const uint8_t *valid, size_t i)
{
    return valid == NULL || valid[i] != 0;
}

static void check_value(const struct adg_parquet_column *a, const struct adg_parquet_column *b, size_t i)
{
    switch (a->type) {
    case ADG_TYPE_STRING:
        assert_int_equal(a->values.text[i].size, b->values.text[i].size);
        if (a->values.text[i].size > 0) {
            assert_memory_equal(a->values.text[i].data, b->values.text[i].data, a->values.text[i].size);
        }
        break;
    case ADG_TYPE_DATE:
        assert_int_equal(a->values.i32[i], b->values.i32[i]);
        break;
    default:
        assert_true(a->values.f64[i] == b->values.f64[i]);
    }
}

static void test_round_trip(void **state)
{
    (void)state;
    struct adg_buffer file = {0}, again = {0};
    struct adg_arena arena = {0};
    struct adg_parquet_table back;
    struct adg_error error = {{0}};
    assert_int_equal(adg_parquet_table_write(&table, &file, &error), ADG_OK);
    assert_int_equal(adg_parquet_table_write(&table, &again, &error), ADG_OK);
    assert_int_equal(file.size, again.size);
    assert_memory_equal(file.data, again.data, file.size);
    if (getenv("ADG_TEST_FILE") != NULL) {
        assert_int_equal(adg_file_write(getenv("ADG_TEST_FILE"), file.data, file.size, &error), ADG_OK);
    }
    assert_int_equal(adg_parquet_table_read(file.data, file.size, &arena, &back, &error), ADG_OK);
    assert_int_equal(back.rows, 5);
    assert_int_equal(back.column_count, table.column_count);
    for (size_t c = 0; c < table.column_count; c++) {
        const struct adg_parquet_column *a = &columns[c], *b = &back.columns[c];
        assert_string_equal(a->name, b->name);
        assert_int_equal(a->type, b->type);
        assert_int_equal(a->is_list, b->is_list);
        for (size_t r = 0; r < 5; r++) {
            assert_int_equal(is_valid(a->valid, r), is_valid(b->valid, r));
            if (!is_valid(a->valid, r)) {
                continue;
            }
            if (!a->is_list) {
                check_value(a, b, r);
                continue;
            }
            uint32_t count = a->list_offsets[r + 1] - a->list_offsets[r];
            assert_int_equal(b->list_offsets[r + 1] - b->list_offsets[r], count);
            for (uint32_t i = 0; i < count; i++) {
                assert_int_equal(a->list_offsets[r], b->list_offsets[r]);
                assert_int_equal(is_valid(a->item_valid, a->list_offsets[r] + i),
                                 is_valid(b->item_valid, b->list_offsets[r] + i));
                if (is_valid(a->item_valid, a->list_offsets[r] + i)) {
                    check_value(a, b, a->list_offsets[r] + i);
                }
            }
        }
    }
    adg_arena_fini(&arena);
    adg_buffer_fini(&file);
    adg_buffer_fini(&again);
}

static void test_many_rows(void **state)
{
    (void)state;
    enum { ROWS = 1100000 };
    int64_t *values = malloc(ROWS * sizeof *values);
    uint8_t *valid = malloc(ROWS);
    for (int64_t i = 0; i < ROWS; i++) {
        values[i] = i * i;
        valid[i] = i % 3 != 0;
    }
    const struct adg_parquet_column column = {
        .name = "N", .type = ADG_TYPE_INT64, .valid = valid, .values.i64 = values};
    const struct adg_parquet_table long_table = {.rows = ROWS, .column_count = 1, .columns = &column};
    struct adg_buffer file = {0};
    struct adg_arena arena = {0};
    struct adg_parquet_table back;
    assert_int_equal(adg_parquet_table_write(&long_table, &file, NULL), ADG_OK);
    assert_int_equal(adg_parquet_table_read(file.data, file.size, &arena, &back, NULL), ADG_OK);
    assert_int_equal(back.rows, ROWS);
    for (size_t i = 0; i < ROWS; i++) {
        if (back.columns[0].valid[i] != valid[i] || (valid[i] != 0 && back.columns[0].values.i64[i] != values[i])) {
            fail_msg("row %zu", i);
        }
    }
    adg_arena_fini(&arena);
    adg_buffer_fini(&file);
    free(values);
    free(valid);
}

static void test_no_rows(void **state)
{
    (void)state;
    const struct adg_parquet_table empty = {.rows = 0, .column_count = table.column_count, .columns = columns};
    struct adg_buffer file = {0};
    struct adg_arena arena = {0};
    struct adg_parquet_table back;
    assert_int_equal(adg_parquet_table_write(&empty, &file, NULL), ADG_OK);
    assert_int_equal(adg_parquet_table_read(file.data, file.size, &arena, &back, NULL), ADG_OK);
    assert_int_equal(back.rows, 0);
    adg_arena_fini(&arena);
    adg_buffer_fini(&file);
}

/* Every byte changed in turn, every length cut: refused or read, never worse (the sanitizers watch). */
static void test_damage(void **state)
{
    (void)state;
    struct adg_buffer file = {0};
    struct adg_parquet_table back;
    size_t refused = 0;
    assert_int_equal(adg_parquet_table_write(&table, &file, NULL), ADG_OK);
    for (size_t i = 0; i < file.size; i++) {
        for (unsigned flip = 0; flip < 3; flip++) {
            struct adg_arena arena = {0};
            uint8_t before = file.data[i];
            file.data[i] = flip == 0 ? (uint8_t)(before ^ 1) : flip == 1 ? (uint8_t)(before ^ 0x80) : (uint8_t)~before;
            enum adg_status status = adg_parquet_table_read(file.data, file.size, &arena, &back, NULL);
            assert_true(status == ADG_OK || status == ADG_BAD_INPUT);
            refused += status != ADG_OK;
            file.data[i] = before;
            adg_arena_fini(&arena);
        }
    }
    assert_true(refused > file.size);
    for (size_t size = 0; size < file.size; size++) {
        struct adg_arena arena = {0};
        assert_int_equal(adg_parquet_table_read(file.data, size, &arena, &back, NULL), ADG_BAD_INPUT);
        adg_arena_fini(&arena);
    }
    adg_buffer_fini(&file);
}

/* A footer of a field that nobody asked for: lists of lists, without an end. */
static void test_nested_lists(void **state)
{
    (void)state;
    enum { DEPTH = 1 << 20, AROUND = 4 + 1 + 8 };
    const size_t size = DEPTH + AROUND;
    uint8_t *file = malloc(size);
    const uint32_t length = DEPTH + 1;
    memcpy(file, "PAR1", 4);
    file[4] = 15 << 4 | ADG_THRIFT_LIST;
    memset(file + 5, 1 << 4 | ADG_THRIFT_LIST, DEPTH);
    memcpy(file + size - 8, &length, sizeof length);
    memcpy(file + size - 4, "PAR1", 4);
    struct adg_arena arena = {0};
    struct adg_parquet_table back;
    assert_int_equal(adg_parquet_table_read(file, size, &arena, &back, NULL), ADG_BAD_INPUT);
    adg_arena_fini(&arena);
    free(file);
}

/* What comes behind lists within lists is read as if they were not there; one level too many is bad. */
static void test_skipping_lists(void **state)
{
    (void)state;
    for (unsigned depth = 1; depth < 2 * ADG_THRIFT_DEPTH; depth++) {
        uint8_t bytes[4 * ADG_THRIFT_DEPTH] = {15 << 4 | ADG_THRIFT_LIST};
        size_t size = 1;
        for (unsigned i = 1; i < depth; i++) {
            bytes[size++] = 1 << 4 | ADG_THRIFT_LIST;
        }
        static const uint8_t rest[] = {1 << 4 | ADG_THRIFT_I32, 2, 1 << 4 | ADG_THRIFT_I32, 84, ADG_THRIFT_STOP};
        memcpy(bytes + size, rest, sizeof rest);
        struct adg_thrift_reader reader = {.next = bytes, .end = bytes + size + sizeof rest};
        struct adg_thrift_field field;
        adg_thrift_enter(&reader);
        assert_true(adg_thrift_next(&reader, &field));
        adg_thrift_skip(&reader, field.type);
        if (depth + 1 >= ADG_THRIFT_DEPTH) { /* the structure around them is one level, too */
            assert_true(reader.bad);
            continue;
        }
        assert_true(adg_thrift_next(&reader, &field));
        assert_int_equal(field.id, 16);
        assert_int_equal(adg_thrift_read_int(&reader, field.type), 42);
        assert_false(adg_thrift_next(&reader, &field));
        assert_false(reader.bad);
        assert_int_equal(reader.depth, 0);
    }
}

/* Two row groups that say they are stored in the same place: each may hold as much as the whole file. */
static void test_shared_bytes(void **state)
{
    (void)state;
    static const int64_t values[] = {7, 7};
    static const uint64_t ends[] = {1, 2};
    const struct adg_parquet_column column = {.name = "N", .type = ADG_TYPE_INT64, .values.i64 = values};
    const struct adg_parquet_table two = {
        .rows = 2, .column_count = 1, .columns = &column, .group_ends = ends, .group_count = 2};
    struct adg_buffer file = {0};
    struct adg_arena arena = {0};
    const struct adg_parquet_group *groups = NULL;
    struct adg_parquet_table back;
    uint32_t count = 0;
    assert_int_equal(adg_parquet_table_write(&two, &file, NULL), ADG_OK);
    assert_int_equal(adg_parquet_table_groups(file.data, file.size, &arena, &groups, &count, NULL), ADG_OK);
    assert_int_equal(count, 2);
    uint8_t *second = file.data + (groups[1].footer.data - file.data), *offset = NULL;
    for (size_t i = 0; i + 2 < groups[1].footer.size; i++) { /* data_page_offset: field 9 behind field 7, two bytes */
        if (second[i] == (2 << 4 | ADG_THRIFT_I64) && second[i + 1] >= 0x80 && second[i + 2] < 0x80) {
            offset = &second[i + 1];
            break;
        }
    }
    assert_non_null(offset);
    assert_int_equal(adg_parquet_table_read(file.data, file.size, &arena, &back, NULL), ADG_OK);
    offset[0] = 0x80 | 2 * 4; /* the first one's, just behind the magic bytes */
    offset[1] = 0;
    assert_int_equal(adg_parquet_table_read(file.data, file.size, &arena, &back, NULL), ADG_BAD_INPUT);
    adg_arena_fini(&arena);
    adg_buffer_fini(&file);
}

static void test_allocation_failures(void **state)
{
    (void)state;
    struct adg_buffer file = {0};
    assert_int_equal(adg_parquet_table_write(&table, &file, NULL), ADG_OK);
    bool written = false, read = false;
    for (uint64_t n = 1; !written || !read; n++) {
        struct adg_buffer out = {0};
        struct adg_arena arena = {0};
        struct adg_parquet_table back;
        adg_memory_fail_at(n);
        enum adg_status status = adg_parquet_table_write(&table, &out, NULL);
        written = status == ADG_OK;
        assert_true(written || status == ADG_FAILED);
        adg_memory_fail_at(n);
        status = adg_parquet_table_read(file.data, file.size, &arena, &back, NULL);
        read = status == ADG_OK;
        assert_true(read || status == ADG_FAILED);
        adg_memory_fail_at(0);
        adg_buffer_fini(&out);
        adg_arena_fini(&arena);
    }
    adg_buffer_fini(&file);
}

static void test_hybrid_round_trip(void **state)
{
    (void)state;
    uint32_t values[1008], back[1000];
    uint8_t out[8192];
    for (unsigned width = 1; width <= 32; width++) {
        for (uint32_t count = 1; count <= 1000; count += 37) {
            uint32_t mask = width == 32 ? UINT32_MAX : (UINT32_C(1) << width) - 1;
            for (uint32_t i = 0; i < count; i++) {
                values[i] = (i * 2654435761U + 12345) & mask;
            }
            size_t size = adg_hybrid_put_packed(out, values, count, width);
            assert_true(size <= adg_hybrid_bound(count, width));
            assert_true(adg_hybrid_decode(out, size, width, count, back));
            assert_memory_equal(values, back, count * sizeof *values);
            assert_false(adg_hybrid_decode(out, size - 1, width, count, back));
            size = adg_hybrid_put_repeated(out, mask, count, width);
            assert_true(adg_hybrid_decode(out, size, width, count, back));
            assert_int_equal(back[count - 1], mask);
        }
    }
}

static void test_hybrid_specification_example(void **state)
{
    (void)state;
    /* Encodings.md: 0 to 7 with three bits are 10001000 11000110 11111010 */
    uint32_t values[16] = {0, 1, 2, 3, 4, 5, 6, 7};
    uint8_t out[64];
    static const uint8_t expected[] = {0x03, 0x88, 0xC6, 0xFA};
    assert_int_equal(adg_hybrid_put_packed(out, values, 8, 3), sizeof expected);
    assert_memory_equal(out, expected, sizeof expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),        cmocka_unit_test(test_many_rows),
        cmocka_unit_test(test_no_rows),           cmocka_unit_test(test_damage),
        cmocka_unit_test(test_nested_lists),      cmocka_unit_test(test_skipping_lists),
        cmocka_unit_test(test_shared_bytes),      cmocka_unit_test(test_allocation_failures),
        cmocka_unit_test(test_hybrid_round_trip), cmocka_unit_test(test_hybrid_specification_example),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
