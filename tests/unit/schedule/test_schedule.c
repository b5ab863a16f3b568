/*
 * Cron's schedules in the words of systemd and Quartz. tests/cli holds them against systemd itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "schedule/schedule.h"

static void test_calendars(void **state)
{
    (void)state;
    static const struct {
        const char *cron, *systemd, *quartz; /* quartz NULL: refused */
    } cases[] = {
        {"0 1 1 * *", "OnCalendar=*-*-01 01:00:00 UTC\n", "0 0 1 1 * ?"},
        {"*/20 * * * *", "OnCalendar=*-*-* *:00,20,40:00 UTC\n", "0 0,20,40 * * * ?"},
        {"5 4 * * sun", "OnCalendar=Sun *-*-* 04:05:00 UTC\n", "0 5 4 ? * 1"},
        {"5 4 * * 1-5", "OnCalendar=Mon,Tue,Wed,Thu,Fri *-*-* 04:05:00 UTC\n", "0 5 4 ? * 2,3,4,5,6"},
        {"30 6,18 15 jan,jul *", "OnCalendar=*-01,07-15 06,18:30:00 UTC\n", "0 30 6,18 15 1,7 ?"},
        /* a day of the month or a Monday */
        {"0 0 1 * 1", "OnCalendar=*-*-01 00:00:00 UTC\nOnCalendar=Mon *-*-* 00:00:00 UTC\n", NULL},
        /* a field that begins with a star: both */
        {"0 0 */10 * 1", "OnCalendar=Mon *-*-01,11,21,31 00:00:00 UTC\n", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct adg_cron cron;
        struct adg_error error = {{0}};
        struct adg_buffer out = {0};
        size_t column = 0;
        assert_int_equal(adg_cron_parse(cases[i].cron, &cron, &column, &error), ADG_OK);
        assert_int_equal(adg_cron_to_systemd(&cron, &out, &error), ADG_OK);
        assert_string_equal(adg_buffer_text(&out), cases[i].systemd);
        out.size = 0;
        if (cases[i].quartz == NULL) {
            assert_int_equal(adg_cron_to_quartz(&cron, &out, &error), ADG_BAD_INPUT);
            assert_int_equal(out.size, 0);
        } else {
            assert_int_equal(adg_cron_to_quartz(&cron, &out, &error), ADG_OK);
            assert_string_equal(adg_buffer_text(&out), cases[i].quartz);
        }
        adg_buffer_fini(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_calendars)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
