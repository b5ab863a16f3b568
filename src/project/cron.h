/*
 * A schedule as cron writes it: five fields, "minute hour day month weekday" (POSIX crontab), each * or a list of numbers, ranges
 * A-B and steps (star/N, A-B/N). Months and weekdays may be named by their first three letters; Sunday is 0 or 7.
 */
#ifndef ADG_PROJECT_CRON_H
#define ADG_PROJECT_CRON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

/* Bit n is set where n fits. Where neither day nor weekday is *, a day fits by either of them, as in cron. */
struct adg_cron {
    uint64_t minutes;          /* 0 to 59 */
    uint32_t hours;            /* 0 to 23 */
    uint32_t days;             /* 1 to 31 */
    uint32_t months;           /* 1 to 12 */
    uint32_t weekdays;         /* 0 (Sunday) to 6 */
    bool any_day, any_weekday; /* the field begins with * */
};

/* ADG_BAD_INPUT: message "expected ...", and *column is the 0-based byte at which it was expected. A day that no month has (31
 * February) is refused, too: such a job would never start. */
ADG_MUST_CHECK enum adg_status adg_cron_parse(const char *text, struct adg_cron *out, size_t *column,
                                              struct adg_error *error);

#endif
