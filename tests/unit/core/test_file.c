/*
 * Files that appear whole or not at all; folders; the lock.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/file.h"
#include "core/memory.h"

static char folder[] = "/tmp/adg-test-XXXXXX";

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder + strlen(folder) - 6, "XXXXXX");
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
    (void)state;
    return adg_folder_remove(folder, NULL) != ADG_OK || access(folder, F_OK) == 0;
}

static bool exists(const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return access(path, F_OK) == 0;
}

static unsigned entries(void)
{
    char command[256];
    unsigned count = 0;
    snprintf(command, sizeof command, "ls -A %s | wc -l", folder);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    assert_int_equal(fscanf(pipe, "%u", &count), 1);
    pclose(pipe);
    return count;
}

/* Only this file's own leftovers go. */
static void test_sweep(void **state)
{
    (void)state;
    static const char *const names[] = {".t.csv.0123456789ab.tmp",  ".t.csv.0123456789.tmp",
                                        ".t.csv.0123456789ab.tmp2", "t.csv.0123456789ab.tmp",
                                        ".u.csv.0123456789ab.tmp",  "t.csv"};
    char path[256];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        assert_int_equal(adg_file_write(path, "x", 1, NULL), ADG_OK);
    }
    snprintf(path, sizeof path, "%s/t.csv", folder);
    assert_int_equal(adg_atomic_file_sweep(path, NULL), ADG_OK);
    assert_false(exists(names[0]));
    for (size_t i = 1; i < sizeof names / sizeof names[0]; i++) {
        assert_true(exists(names[i]));
    }
    struct adg_atomic_file file;
    assert_int_equal(adg_atomic_file_open(&file, path, NULL), ADG_OK);
    assert_int_equal(adg_atomic_file_sweep(path, NULL), ADG_OK); /* names of the real thing are recognised */
    assert_int_equal(access(file.temporary_path, F_OK), -1);
    adg_atomic_file_fini(&file);
    snprintf(path, sizeof path, "%s/missing/t.csv", folder);
    assert_int_equal(adg_atomic_file_sweep(path, NULL), ADG_FAILED);
}

static void test_parents(void **state)
{
    (void)state;
    char path[256];
    for (int twice = 0; twice < 2; twice++) {
        snprintf(path, sizeof path, "%s/a/b/c", folder);
        assert_int_equal(adg_folder_create_parents(path, NULL), ADG_OK);
        assert_true(exists("a/b"));
        assert_false(exists("a/b/c"));
    }
    assert_int_equal(adg_file_write(path, "x", 1, NULL), ADG_OK);
    snprintf(path, sizeof path, "%s/a/b/c/d", folder);
    assert_int_equal(adg_folder_create_parents(path, NULL), ADG_FAILED);
    assert_string_equal(adg_path_name("a/b/c"), "c");
    assert_string_equal(adg_path_name("c"), "c");
    static const char *const parents[][2] = {{"a/b/c", "a/b"}, {"/c", "/"}, {"c", "."}};
    for (int i = 0; i < 3; i++) {
        char *parent = adg_path_parent(parents[i][0]);
        assert_string_equal(parent, parents[i][1]);
        adg_free(parent);
    }
}

/* The mask decides about permissions, as it does for any other file. */
static void test_permissions(void **state)
{
    (void)state;
    char path[256];
    struct stat info;
    snprintf(path, sizeof path, "%s/t", folder);
    mode_t before = umask(027);
    enum adg_status status = adg_file_write(path, "x", 1, NULL);
    umask(before);
    assert_int_equal(status, ADG_OK);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0640);
}

static void test_commit_and_abort(void **state)
{
    (void)state;
    struct adg_error error = {{0}};
    char path[256];
    snprintf(path, sizeof path, "%s/table.csv", folder);

    struct adg_atomic_file file;
    assert_int_equal(adg_atomic_file_open(&file, path, &error), ADG_OK);
    assert_int_equal(adg_atomic_file_write(&file, "half", 4, &error), ADG_OK);
    assert_false(exists("table.csv"));
    adg_atomic_file_fini(&file);
    assert_int_equal(entries(), 0);

    assert_int_equal(adg_file_write(path, "whole", 5, &error), ADG_OK);
    assert_int_equal(entries(), 1);
    struct adg_buffer back = {0};
    assert_int_equal(adg_file_read(path, &back, &error), ADG_OK);
    assert_int_equal(back.size, 5);
    assert_memory_equal(back.data, "whole", 5);
    adg_buffer_fini(&back);
}

/* Nothing is replaced, and who was second can go on. */
static void test_link(void **state)
{
    (void)state;
    char path[256], other[256];
    struct adg_buffer back = {0};
    struct adg_atomic_file first, second;
    bool taken = true;
    snprintf(path, sizeof path, "%s/0.json", folder);
    snprintf(other, sizeof other, "%s/missing/1.json", folder);
    assert_int_equal(adg_atomic_file_open(&first, path, NULL), ADG_OK);
    assert_int_equal(adg_atomic_file_open(&second, path, NULL), ADG_OK);
    assert_int_equal(adg_atomic_file_write(&first, "first", 5, NULL), ADG_OK);
    assert_int_equal(adg_atomic_file_link(&first, &taken, NULL), ADG_OK);
    assert_false(taken);
    assert_int_equal(adg_atomic_file_link(&second, &taken, NULL), ADG_OK);
    assert_true(taken);
    assert_int_equal(access(second.temporary_path, F_OK), 0);
    adg_free(second.path);
    second.path = adg_strdup(other);
    assert_int_equal(adg_atomic_file_link(&second, &taken, NULL), ADG_FAILED);
    adg_atomic_file_fini(&first);
    adg_atomic_file_fini(&second);
    assert_int_equal(entries(), 1);
    assert_int_equal(adg_file_read(path, &back, NULL), ADG_OK);
    assert_int_equal(back.size, 5);
    assert_memory_equal(back.data, "first", 5);
    adg_buffer_fini(&back);
}

static void test_folder_missing(void **state)
{
    (void)state;
    struct adg_error error = {{0}};
    char path[256];
    snprintf(path, sizeof path, "%s/missing/table.csv", folder);
    assert_int_equal(adg_file_write(path, "x", 1, &error), ADG_FAILED);
    assert_non_null(strstr(error.message, "missing/table.csv"));
    assert_int_equal(adg_file_write("/dev/full/x", "x", 1, &error), ADG_FAILED);
}

static void test_lock_is_exclusive(void **state)
{
    (void)state;
    struct adg_error error = {{0}};
    struct adg_folder_lock first = {.fd = -1}, second = {.fd = -1};
    assert_int_equal(adg_folder_lock(&first, folder, &error), ADG_OK);
    assert_int_equal(adg_folder_lock(&second, folder, &error), ADG_FAILED);
    assert_non_null(strstr(error.message, "another adg run"));
    adg_folder_unlock(&first);
    assert_int_equal(entries(), 0);
    assert_int_equal(adg_folder_lock(&second, folder, &error), ADG_OK);
    adg_folder_unlock(&second);
}

static void test_remove_does_not_follow_links(void **state)
{
    (void)state;
    char inner[256], outside[256], link_path[300];
    snprintf(inner, sizeof inner, "%s/inner", folder);
    snprintf(outside, sizeof outside, "%s/outside", folder);
    assert_int_equal(adg_folder_create(inner, NULL), ADG_OK);
    assert_int_equal(adg_folder_create(inner, NULL), ADG_OK); /* there already */
    assert_int_equal(adg_file_write(outside, "x", 1, NULL), ADG_OK);
    snprintf(link_path, sizeof link_path, "%s/link", inner);
    assert_int_equal(symlink(outside, link_path), 0);
    assert_int_equal(adg_folder_remove(inner, NULL), ADG_OK);
    assert_true(exists("outside"));
    assert_false(exists("inner"));
    assert_int_equal(adg_folder_create(outside, NULL), ADG_FAILED); /* a file */
}

/* The system may refuse: then all stays as it is. */
static void test_widen(void **state)
{
    (void)state;
    int ends[2];
    char found[4] = {0};
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(adg_descriptor_write(ends[1], "a pipe", "abc", 3, NULL), ADG_OK);
    int before = fcntl(ends[1], F_GETPIPE_SZ);
    adg_descriptor_widen(ends[1]);
    int after = fcntl(ends[1], F_GETPIPE_SZ);
    assert_true(after == before || after >= 1 << 20);
    adg_descriptor_widen(ends[1]);
    assert_int_equal(fcntl(ends[1], F_GETPIPE_SZ), after);
    assert_int_equal(read(ends[0], found, sizeof found), 3);
    assert_string_equal(found, "abc");
    close(ends[0]);
    close(ends[1]);
}

static void test_sha256(void **state)
{
    (void)state;
    char hex[65];
    adg_sha256_hex("abc", 3, hex); /* FIPS 180-4, example "abc" */
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void test_allocation_failures(void **state)
{
    (void)state;
    char path[256];
    snprintf(path, sizeof path, "%s/table.csv", folder);
    uint64_t n = 1;
    for (;; n++) {
        struct adg_error error = {{0}};
        adg_memory_fail_at(n);
        enum adg_status status = adg_file_write(path, "whole", 5, &error);
        adg_memory_fail_at(0);
        if (status == ADG_OK) {
            break;
        }
        assert_int_equal(status, ADG_FAILED);
        assert_string_equal(error.message, "out of memory");
    }
    assert_true(n > 1);
    assert_int_equal(entries(), 1); /* no temporary file left */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_commit_and_abort, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_link, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_folder_missing, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_lock_is_exclusive, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_remove_does_not_follow_links, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_sweep, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_parents, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_permissions, make_folder, remove_folder),
        cmocka_unit_test(test_widen),
        cmocka_unit_test(test_sha256),
        cmocka_unit_test_setup_teardown(test_allocation_failures, make_folder, remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
