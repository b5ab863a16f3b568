/*
 * Pages as they are put together: nothing in the data can end the script element that holds it, and no mark is left.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/memory.h"
#include "report/internal.h"
#include "report/report.h"

static const char *text_of(struct adg_buffer *page)
{
    const char *text = adg_buffer_text(page);
    assert_non_null(text);
    assert_int_equal(strlen(text), page->size);
    return text;
}

static void assert_page(struct adg_buffer *page)
{
    const char *text = text_of(page);
    assert_null(strstr(text, "@DATA@"));
    assert_null(strstr(text, "@STYLE@"));
    assert_null(strstr(text, "@SCRIPT@"));
    assert_non_null(strstr(text, "<style>\n:root"));
    assert_non_null(strstr(text, "\"use strict\";"));
    const char *data = strstr(text, "id=\"data\">");
    assert_non_null(data);
    data += strlen("id=\"data\">");
    const char *end = strchr(data, '<'); /* the first one is that of the end */
    assert_memory_equal(end, "</script>", 9);
    json_t *parsed = json_loadb(data, (size_t)(end - data), 0, NULL);
    assert_non_null(parsed);
    json_decref(parsed);
}

static void test_values_stay_text(void **state)
{
    (void)state;
    static const char *const pages[] = {"review", "qa"};
    for (size_t i = 0; i < 2; i++) {
        struct adg_buffer page = {0};
        json_t *data = json_pack("{s:s, s:s}", "a", "</script><script>alert(1)</script>", "b", "<!-- @SCRIPT@ &amp;");
        assert_int_equal(adg_report_put(pages[i], data, &page, NULL), ADG_OK);
        const char *text = text_of(&page);
        assert_null(strstr(text, "alert(1)</script>"));
        assert_non_null(strstr(text, "\\u003c/script\\u003e\\u003cscript\\u003ealert(1)"));
        assert_null(strstr(text, "<!-- "));
        json_decref(data);
        adg_buffer_fini(&page);
    }
}

static struct adg_qa_point points[] = {{NULL, 0.25, 0.5}, {"<b>", 0.5, 0.25}, {"\xff", 0.25, 0.25}};
static struct adg_qa_table table = {.table = "t", .rows = 1000};
static struct adg_qa_field fields[] = {
    {.table = "t",
     .field = "A",
     .measure = "total variation",
     .distance = 0.25,
     .bound = 0.1,
     .samples = 1000,
     .chart = {.points = points, .count = 3, .values = 3}},
    {.table = "t", .field = "B", .measure = "derived", .samples = 1000, .passed = true},
};
static struct adg_qa_finding finding = {"t", "A", "share", "more than sampling explains"};
static const struct adg_qa qa = {
    .tables = &table, .table_count = 1, .fields = fields, .field_count = 2, .findings = &finding, .finding_count = 1};

static void test_a_report_of_quality(void **state)
{
    (void)state;
    struct adg_buffer page = {0};
    assert_int_equal(adg_report_qa(&qa, &page, NULL), ADG_OK);
    assert_page(&page);
    assert_non_null(
        strstr(text_of(&page), "[[null,0.25,0.5],[\"\\u003cb\\u003e\",0.5,0.25],[\"(not text)\",0.25,0.25]]"));
    adg_buffer_fini(&page);
}

static void test_without_memory(void **state)
{
    (void)state;
    enum adg_status status = ADG_FAILED;
    unsigned failures = 0;
    for (uint64_t n = 1; status != ADG_OK; n++) {
        struct adg_buffer page = {0};
        adg_memory_fail_at(n);
        status = adg_report_qa(&qa, &page, NULL);
        adg_memory_fail_at(0);
        assert_true(status == ADG_OK || status == ADG_FAILED);
        failures += status != ADG_OK;
        adg_buffer_fini(&page);
    }
    assert_true(failures > 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_stay_text),
        cmocka_unit_test(test_a_report_of_quality),
        cmocka_unit_test(test_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
