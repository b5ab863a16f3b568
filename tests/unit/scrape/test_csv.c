/*
 * Reading CSV: what docs/scraping.md says of quotes, line ends and the byte order mark; everything else is refused with a line.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#include "core/memory.h"
#include "scrape/csv.h"

static char path[] = "/tmp/test_csv_XXXXXX";

static int make_file(void **state)
{
    (void)state;
    int file = mkstemp(path);
    return file < 0 ? -1 : close(file);
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

static void write_bytes(const char *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

/* Header and records as one text: fields between brackets, records between slashes. */
static enum adg_status read_all(char *out, size_t capacity, struct adg_error *error)
{
    struct adg_csv *csv = NULL;
    size_t length = 0;
    enum adg_status status = adg_csv_open(path, &csv, error);
    for (uint32_t i = 0; status == ADG_OK && i < adg_csv_column_count(csv); i++) {
        length += (size_t)snprintf(out + length, capacity - length, "[%s]", adg_csv_column(csv, i));
    }
    for (uint32_t count = 1, most = 1; status == ADG_OK && count > 0; most++) { /* batches of 1, 2, 3, ... */
        const struct adg_span *fields = NULL;
        status = adg_csv_next(csv, most, &fields, &count, error);
        assert_true(count <= most);
        for (uint32_t r = 0; status == ADG_OK && r < count; r++) {
            length += (size_t)snprintf(out + length, capacity - length, "/%d", (int)adg_csv_line(csv, r));
            for (uint32_t i = 0; i < adg_csv_column_count(csv); i++, fields++) {
                length += (size_t)snprintf(out + length, capacity - length, "[%.*s]", (int)fields->size,
                                           (const char *)fields->data);
            }
        }
    }
    adg_csv_free(csv);
    return status;
}

static void test_read(void **state)
{
    (void)state;
    static const struct {
        const char *bytes, *expected;
    } cases[] = {
        {"A,B\n1,2\n", "[A][B]/2[1][2]"},
        {"A,B\n1,2", "[A][B]/2[1][2]"},
        {"A,B\r\n1,2\r\n3,\r\n", "[A][B]/2[1][2]/3[3][]"},
        {"\xEF\xBB\xBF"
         "A,B\n1,2\n",
         "[A][B]/2[1][2]"},
        {"A,B\n\"1,\"\"x\"\"\",\"\"\n", "[A][B]/2[1,\"x\"][]"},
        {"A,B\n\"1\n2\",3\n4,5\n", "[A][B]/2[1\n2][3]/4[4][5]"},
        {"\"A\",\"B,C\"\n1,2\n", "[A][B,C]/2[1][2]"},
        {"A\n\nx\n", "[A]/2[]/3[x]"},
        {"A,B\n - , 1 \n", "[A][B]/2[ - ][ 1 ]"},
        {"A\n\xC3\xA9\xF0\x9F\x98\x80\n", "[A]/2[\xC3\xA9\xF0\x9F\x98\x80]"},
        {"A,B\n", "[A][B]"},
        {"A,B", "[A][B]"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char out[256] = "";
        struct adg_error error = {{0}};
        write_bytes(cases[i].bytes, strlen(cases[i].bytes));
        if (read_all(out, sizeof out, &error) != ADG_OK || strcmp(out, cases[i].expected) != 0) {
            fail_msg("case %zu: %s %s", i, out, error.message);
        }
    }
}

static void test_refused(void **state)
{
    (void)state;
#define BYTES(b) b, sizeof(b) - 1
    static const struct {
        const char *bytes;
        size_t size;
        const char *line, *expected;
    } cases[] = {
        {BYTES(""), "line 1", "header"},
        {BYTES("\xEF\xBB\xBF"), "line 1", "header"},
        {BYTES("A,B\n1\n"), "line 2", "expected 2 fields as in the header, found 1"},
        {BYTES("A,B\n1,2\n1,2,3\n"), "line 3", "expected 2 fields as in the header, found 3"},
        {BYTES("A,B\n1,\0\n"), "line 2", "NUL"},
        {BYTES("A,B\n\"1\0\",2\n"), "line 2", "NUL"},
        {BYTES("A,B\n1,\xFF\n"), "line 2", "UTF-8"},
        {BYTES("A,B\n1,\xC3\n"), "line 2", "UTF-8"},
        {BYTES("A,B\n1,\xC0\xAF\n"), "line 2", "UTF-8"},     /* two bytes for what one can say */
        {BYTES("A,B\n1,\xED\xA0\x80\n"), "line 2", "UTF-8"}, /* half of a surrogate pair */
        {BYTES("A,B\n1,\"2\n"), "line 2", "quote"},
        {BYTES("A,B\n1,\"2\"x\n"), "line 2", "quote"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char out[256] = "";
        struct adg_error error = {{0}};
        write_bytes(cases[i].bytes, cases[i].size);
        if (read_all(out, sizeof out, &error) != ADG_BAD_INPUT || strstr(error.message, cases[i].line) == NULL ||
            strstr(error.message, cases[i].expected) == NULL) {
            fail_msg("case %zu: %s", i, error.message);
        }
    }
}

static void test_long_records(void **state)
{
    (void)state;
    enum { LONG = 3000000 }; /* longer than any buffer that is read at once */
    char *text = malloc(LONG + 16);
    assert_non_null(text);
    memcpy(text, "A,B\n1,", 6);
    memset(text + 6, 'x', LONG);
    memcpy(text + 6 + LONG, "\n2,y\n", 5);
    write_bytes(text, LONG + 11);
    struct adg_csv *csv = NULL;
    const struct adg_span *fields = NULL;
    uint32_t count = 0;
    assert_int_equal(adg_csv_open(path, &csv, NULL), ADG_OK);
    assert_int_equal(adg_csv_next(csv, 1, &fields, &count, NULL), ADG_OK);
    assert_int_equal(count, 1);
    assert_int_equal(fields[1].size, LONG);
    assert_memory_equal(fields[1].data, text + 6, LONG);
    assert_int_equal(adg_csv_next(csv, 100, &fields, &count, NULL), ADG_OK);
    assert_int_equal(count, 1);
    assert_int_equal(fields[1].size, 1);
    assert_int_equal(adg_csv_next(csv, 100, &fields, &count, NULL), ADG_OK);
    assert_int_equal(count, 0);
    adg_csv_free(csv);
    free(text);
}

static void test_gzip(void **state)
{
    (void)state;
    gzFile file = gzopen(path, "wb");
    for (int member = 0; member < 2; member++) { /* two members in one file are one text, as gzip has it */
        assert_non_null(file);
        assert_true(gzputs(file, member == 0 ? "A,B\n1,2\n" : "3,4\n") > 0);
        assert_int_equal(gzclose(file), Z_OK);
        file = member == 0 ? gzopen(path, "ab") : NULL;
    }
    char out[256] = "";
    struct adg_error error = {{0}};
    assert_int_equal(read_all(out, sizeof out, &error), ADG_OK);
    assert_string_equal(out, "[A][B]/2[1][2]/3[3][4]");
    FILE *whole = fopen(path, "rb");
    char bytes[256];
    size_t size = fread(bytes, 1, sizeof bytes, whole);
    fclose(whole);
    for (size_t cut = 1; cut < 8; cut++) { /* within the last member's checksum and length */
        write_bytes(bytes, size - cut);
        assert_int_equal(read_all(out, sizeof out, &error), ADG_BAD_INPUT);
    }
}

static void test_allocation_failures(void **state)
{
    (void)state;
    static const char text[] = "A,B\n\"1\"\"\",2\n";
    write_bytes(text, sizeof text - 1);
    uint64_t n = 1;
    for (enum adg_status status = ADG_FAILED; status != ADG_OK; n++) {
        char out[64];
        adg_memory_fail_at(n);
        status = read_all(out, sizeof out, NULL);
        adg_memory_fail_at(0);
        assert_true(status == ADG_OK || status == ADG_FAILED);
    }
    assert_true(n > 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_long_records),
        cmocka_unit_test(test_gzip),
        cmocka_unit_test(test_allocation_failures),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
