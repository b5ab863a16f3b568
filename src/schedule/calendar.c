/*
 * A parsed cron schedule in other notations: see schedule.h.
 */
#include "schedule/schedule.h"

enum { MINUTES = 60, HOURS = 24, LAST_DAY = 31, LAST_MONTH = 12, WEEKDAYS = 7 };

/* The numbers whose bits are set from `first` to `last`, plus `shift`, with so many digits at least, or their names; * for all of them. */
static enum adg_status append_list(struct adg_buffer *out, uint64_t bits, unsigned first, unsigned last, unsigned shift,
                                   unsigned digits, const char *const *names, struct adg_error *error)
{
    uint64_t all = ((UINT64_C(2) << last) - 1) & ~((UINT64_C(1) << first) - 1);
    bool more = false;
    enum adg_status status = (bits & all) == all ? adg_buffer_append_text(out, "*", error) : ADG_OK;
    for (unsigned i = first; i <= last && (bits & all) != all && status == ADG_OK; i++) {
        if ((bits >> i & 1) == 0) {
            continue;
        }
        status = more ? adg_buffer_append_text(out, ",", error) : ADG_OK;
        more = true;
        if (status == ADG_OK && names != NULL) {
            status = adg_buffer_append_text(out, names[i], error);
        } else if (status == ADG_OK) {
            status = adg_buffer_printf(out, error, "%0*u", (int)digits, i + shift);
        }
    }
    return status;
}

static bool has_all_days(const struct adg_cron *cron)
{
    return (cron->days >> 1) == (UINT32_C(1) << LAST_DAY) - 1;
}

static bool has_all_weekdays(const struct adg_cron *cron)
{
    return cron->weekdays == (UINT32_C(1) << WEEKDAYS) - 1;
}

static enum adg_status append_calendar(struct adg_buffer *out, const struct adg_cron *cron, bool by_weekday,
                                       bool by_day, struct adg_error *error)
{
    static const char *const names[WEEKDAYS] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    enum adg_status status = adg_buffer_append_text(out, "OnCalendar=", error);
    if (status == ADG_OK && by_weekday) {
        status = append_list(out, cron->weekdays, 0, WEEKDAYS - 1, 0, 1, names, error);
        status = status == ADG_OK ? adg_buffer_append_text(out, " ", error) : status;
    }
    status = status == ADG_OK ? adg_buffer_append_text(out, "*-", error) : status;
    status = status == ADG_OK ? append_list(out, cron->months, 1, LAST_MONTH, 0, 2, NULL, error) : status;
    status = status == ADG_OK ? adg_buffer_append_text(out, "-", error) : status;
    if (status == ADG_OK && by_day) {
        status = append_list(out, cron->days, 1, LAST_DAY, 0, 2, NULL, error);
    } else if (status == ADG_OK) {
        status = adg_buffer_append_text(out, "*", error);
    }
    status = status == ADG_OK ? adg_buffer_append_text(out, " ", error) : status;
    status = status == ADG_OK ? append_list(out, cron->hours, 0, HOURS - 1, 0, 2, NULL, error) : status;
    status = status == ADG_OK ? adg_buffer_append_text(out, ":", error) : status;
    status = status == ADG_OK ? append_list(out, cron->minutes, 0, MINUTES - 1, 0, 2, NULL, error) : status;
    return status == ADG_OK ? adg_buffer_append_text(out, ":00 UTC\n", error) : status;
}

enum adg_status adg_cron_to_systemd(const struct adg_cron *cron, struct adg_buffer *out, struct adg_error *error)
{
    bool either = !cron->any_day && !cron->any_weekday; /* systemd wants both, cron one of them */
    enum adg_status status = append_calendar(out, cron, !either && !has_all_weekdays(cron), true, error);
    return status == ADG_OK && either ? append_calendar(out, cron, true, false, error) : status;
}

enum adg_status adg_cron_to_quartz(const struct adg_cron *cron, struct adg_buffer *out, struct adg_error *error)
{
    bool by_weekday = !has_all_weekdays(cron);
    if (by_weekday && !has_all_days(cron)) {
        return adg_fail(error, ADG_BAD_INPUT,
                        "a schedule of days of the month and of the week cannot be said in Quartz's words, which "
                        "Databricks reads: restrict one of them");
    }
    enum adg_status status = adg_buffer_append_text(out, "0 ", error);
    status = status == ADG_OK ? append_list(out, cron->minutes, 0, MINUTES - 1, 0, 1, NULL, error) : status;
    status = status == ADG_OK ? adg_buffer_append_text(out, " ", error) : status;
    status = status == ADG_OK ? append_list(out, cron->hours, 0, HOURS - 1, 0, 1, NULL, error) : status;
    status = status == ADG_OK ? adg_buffer_append_text(out, " ", error) : status;
    if (status == ADG_OK && by_weekday) {
        status = adg_buffer_append_text(out, "?", error);
    } else if (status == ADG_OK) {
        status = append_list(out, cron->days, 1, LAST_DAY, 0, 1, NULL, error);
    }
    status = status == ADG_OK ? adg_buffer_append_text(out, " ", error) : status;
    status = status == ADG_OK ? append_list(out, cron->months, 1, LAST_MONTH, 0, 1, NULL, error) : status;
    status = status == ADG_OK ? adg_buffer_append_text(out, " ", error) : status;
    if (status == ADG_OK && by_weekday) { /* Sunday is 1 */
        return append_list(out, cron->weekdays, 0, WEEKDAYS - 1, 1, 1, NULL, error);
    }
    return status == ADG_OK ? adg_buffer_append_text(out, "?", error) : status;
}
