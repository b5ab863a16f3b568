/*
 * Archives: what is written is read back, and nothing else is. tests/interop reads them with Python's tarfile.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/file.h"
#include "promote/archive.h"

static struct adg_span span_of(const char *text)
{
    return (struct adg_span){(const uint8_t *)text, strlen(text)};
}

static void write_example(struct adg_buffer *out, struct adg_archive *archive)
{
    struct adg_archive_file files[] = {
        {"store/b", span_of("two")}, {"project/project.yaml", span_of("")}, {"store/a/c", span_of("three, and more")}};
    struct adg_error error = {{0}};
    *archive = (struct adg_archive){.project = "p", .environment = "dev", .count = 3};
    assert_int_equal(adg_archive_write(archive, files, "0.1.0", out, &error), ADG_OK);
}

static void test_round_trip(void **state)
{
    (void)state;
    struct adg_buffer bytes = {0}, again = {0};
    struct adg_arena arena = {0};
    struct adg_archive written, read = {0};
    struct adg_error error = {{0}};
    write_example(&bytes, &written);
    write_example(&again, &written);
    assert_int_equal(bytes.size, again.size);
    assert_memory_equal(bytes.data, again.data, bytes.size);
    assert_int_equal(adg_archive_read((struct adg_span){bytes.data, bytes.size}, &arena, &read, &error), ADG_OK);
    assert_string_equal(read.project, "p");
    assert_string_equal(read.environment, "dev");
    assert_string_equal(read.version, written.version);
    assert_int_equal(read.count, 3);
    assert_string_equal(read.files[0].name, "project/project.yaml");
    assert_string_equal(read.files[1].name, "store/a/c");
    assert_int_equal(read.files[1].data.size, 15);
    assert_memory_equal(read.files[1].data.data, "three, and more", 15);
    adg_buffer_fini(&bytes);
    adg_buffer_fini(&again);
    adg_arena_fini(&arena);
}

static void test_every_change_is_refused(void **state)
{
    (void)state;
    struct adg_buffer bytes = {0};
    struct adg_archive written, read = {.count = 77};
    struct adg_error error = {{0}};
    write_example(&bytes, &written);
    for (size_t i = 0; i < bytes.size; i++) {
        for (int bit = 0; bit < 8; bit += 3) {
            struct adg_arena arena = {0};
            bytes.data[i] ^= (uint8_t)(1 << bit);
            enum adg_status status = adg_archive_read((struct adg_span){bytes.data, bytes.size}, &arena, &read, &error);
            assert_true(status == ADG_BAD_INPUT || status == ADG_REFUSED);
            bytes.data[i] ^= (uint8_t)(1 << bit);
            adg_arena_fini(&arena);
        }
    }
    for (size_t size = 0; size < bytes.size; size += 61) {
        struct adg_arena arena = {0};
        assert_int_equal(adg_archive_read((struct adg_span){bytes.data, size}, &arena, &read, &error), ADG_BAD_INPUT);
        adg_arena_fini(&arena);
    }
    assert_int_equal(read.count, 77);
    adg_buffer_fini(&bytes);
}

static void test_names(void **state)
{
    (void)state;
    static const char *const good[] = {"a", "a/b", "a..b", "...", ".a/b", "a/..b"};
    static const char *const bad[] = {"", "/a", "a/", "a//b", "..", "../a", "a/../b", "a/..", ".", "./a", "a\nb"};
    char longest[ADG_ARCHIVE_NAME_BYTES + 2];
    memset(longest, 'n', sizeof longest);
    longest[ADG_ARCHIVE_NAME_BYTES] = '\0';
    assert_true(adg_archive_name_is_good(longest));
    longest[ADG_ARCHIVE_NAME_BYTES] = 'n';
    longest[ADG_ARCHIVE_NAME_BYTES + 1] = '\0';
    assert_false(adg_archive_name_is_good(longest));
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(adg_archive_name_is_good(good[i]));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct adg_archive_file file = {bad[i], span_of("x")};
        struct adg_archive archive = {.project = "p", .environment = "e", .count = 1};
        struct adg_buffer out = {0};
        struct adg_error error = {{0}};
        assert_false(adg_archive_name_is_good(bad[i]));
        assert_int_equal(adg_archive_write(&archive, &file, "0", &out, &error), ADG_BAD_INPUT);
        adg_buffer_fini(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_every_change_is_refused),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
