/*
 * Slots and records of runs; listings; paths that lie in one another.
 */
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
#include "project/graph.h"
#include "project/listing.h"
#include "project/runs.h"

static char folder[] = "/tmp/adg_test_runs_XXXXXX";

static int set_up(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    return adg_folder_remove(folder, NULL) == ADG_OK ? 0 : -1;
}

static void put(const char *name, const char *text)
{
    char *path = adg_path_join(folder, name);
    assert_int_equal(adg_file_write(path, text, strlen(text), NULL), ADG_OK);
    adg_free(path);
}

static void test_slots(void **state)
{
    (void)state;
    struct adg_slot first, second, third;
    char running[ADG_RUN_ID_BYTES];
    put("slot-1", "20200101T000000000Z-1"); /* of a run long ago */
    assert_int_equal(adg_slot_take(folder, 2, "20260101T000000000Z-1", &first, running, NULL), ADG_OK);
    assert_true(first.fd >= 0);
    assert_int_equal(adg_slot_take(folder, 2, "20260101T000000000Z-2", &second, running, NULL), ADG_OK);
    assert_true(second.fd >= 0);
    assert_int_equal(adg_slot_take(folder, 2, "20260101T000000000Z-3", &third, running, NULL), ADG_OK);
    assert_int_equal(third.fd, -1);
    assert_string_equal(running, "20260101T000000000Z-1");
    adg_slot_release(&first);
    assert_int_equal(adg_slot_take(folder, 2, "20260101T000000000Z-3", &third, running, NULL), ADG_OK);
    assert_true(third.fd >= 0);
    adg_slot_release(&second);
    adg_slot_release(&third);
}

static void test_records(void **state)
{
    (void)state;
    struct adg_slot slot;
    struct adg_arena arena = {0};
    char running[ADG_RUN_ID_BYTES];
    const char *const *ids;
    uint32_t count;
    const char *id = "20260101T000000000Z-9";
    json_t *record = json_pack("{s:s}", "status", "running"), *found = NULL;
    assert_int_equal(adg_slot_take(folder, 1, id, &slot, running, NULL), ADG_OK);
    assert_int_equal(adg_record_write(folder, "20260101T000000000Z-9.json", record, NULL), ADG_OK);
    assert_int_equal(adg_record_read(folder, id, &found, NULL), ADG_OK);
    assert_string_equal(json_string_value(json_object_get(found, "status")), "running");
    json_decref(found);
    adg_slot_release(&slot); /* as when the process dies */
    assert_int_equal(adg_record_read(folder, id, &found, NULL), ADG_OK);
    assert_string_equal(json_string_value(json_object_get(found, "status")), "failed");
    json_decref(found);
    json_decref(record);

    put("20250101T000000000Z-9.json", "{\"status\": \"success\"}");
    put("done.json", "{}");
    put("notes.json.old", "{}");
    assert_int_equal(adg_runs_list(folder, &arena, &ids, &count, NULL), ADG_OK);
    assert_int_equal(count, 2);
    assert_string_equal(ids[0], "20250101T000000000Z-9");
    assert_string_equal(ids[1], id);
    adg_arena_fini(&arena);

    put("20240101T000000000Z-9.json", "{\"status\": 7}");
    const char *const bad[] = {"20240101T000000000Z-9", "20230101T000000000Z-9", "../x", "done", ""};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct adg_error error = {{0}};
        assert_int_equal(adg_record_read(folder, bad[i], &found, &error), ADG_BAD_INPUT);
        assert_non_null(strstr(error.message, "there is no record"));
    }
}

static struct adg_span list(struct adg_buffer *out)
{
    out->size = 0;
    assert_int_equal(adg_listing_append(folder, "place", out, NULL), ADG_OK);
    return (struct adg_span){out->data, out->size};
}

static void test_listing(void **state)
{
    (void)state;
    char inner[64];
    struct adg_buffer before = {0}, after = {0};
    snprintf(inner, sizeof inner, "%s/inner", folder);
    assert_int_equal(adg_folder_create(inner, NULL), ADG_OK);
    put("a", "first");
    put("inner/b", "second");
    struct adg_span was = list(&before);
    assert_true(adg_listing_within(was, was));
    assert_true(adg_listing_within((struct adg_span){NULL, 0}, was));
    assert_false(adg_listing_within(was, (struct adg_span){NULL, 0}));
    put("a", "first"); /* again: the same */
    put(".hidden", "x");
    assert_int_equal(adg_span_compare(was, list(&after)), 0);
    put("c", "third");
    assert_true(adg_listing_within(was, list(&after)));
    assert_false(adg_listing_within((struct adg_span){after.data, after.size}, was));
    put("inner/b", "Second");
    assert_false(adg_listing_within(was, list(&after)));
    put("inner/b", "second");
    assert_true(adg_listing_within(was, list(&after)));
    char link[80];
    snprintf(link, sizeof link, "%s/round", inner);
    assert_int_equal(symlink("..", link), 0);
    struct adg_error error = {{0}};
    size_t size = after.size;
    assert_int_equal(adg_listing_append(folder, "place", &after, &error), ADG_FAILED);
    assert_int_equal(after.size, size);
    assert_non_null(strstr(error.message, "too deep"));
    assert_int_equal(unlink(link), 0);
    adg_buffer_fini(&before);
    adg_buffer_fini(&after);
}

static void test_paths(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        bool overlap;
    } cases[] = {{"/a", "/a", true},   {"/a", "/a/b", true},    {"/a/b", "/a", true}, {"/a", "/ab", false},
                 {"/ab", "/a", false}, {"/a/b", "/a/c", false}, {"/", "/a", true},    {"/a", "/", true}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(adg_project_overlap(cases[i].a, cases[i].b), cases[i].overlap);
    }
    char path[4096], expected[4096], asked[4096];
    snprintf(asked, sizeof asked, "%s/./x//../y/z/..", folder);
    snprintf(expected, sizeof expected, "%s/y", folder);
    assert_int_equal(adg_project_resolve(asked, path, NULL), ADG_OK);
    assert_string_equal(path, expected);
    assert_int_equal(adg_project_resolve("/nothing-there/../../..", path, NULL), ADG_OK);
    assert_string_equal(path, "/");
    assert_int_equal(adg_project_resolve("", path, NULL), ADG_FAILED);
    snprintf(asked, sizeof asked, "%s/round", folder);
    assert_int_equal(symlink("round", asked), 0);
    assert_int_equal(adg_project_resolve(asked, path, NULL), ADG_FAILED);
    assert_int_equal(unlink(asked), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_slots), cmocka_unit_test(test_records),
                                       cmocka_unit_test(test_listing), cmocka_unit_test(test_paths)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
