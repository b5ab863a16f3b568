/*
 * Schedules: see cron.h.
 */
#include "project/cron.h"

#include <string.h>
#include <strings.h>

struct field {
    const char *name;
    unsigned first, last;
    const char *const *names; /* of first, first + 1, ... or NULL */
};

static const char *const month_names[] = {"jan", "feb", "mar", "apr", "may", "jun", "jul",
                                          "aug", "sep", "oct", "nov", "dec", NULL};
static const char *const weekday_names[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL};

enum { FIELDS = 5 };
static const struct field fields[FIELDS] = {
    {"a minute", 0, 59, NULL},
    {"an hour", 0, 23, NULL},
    {"a day of the month", 1, 31, NULL},
    {"a month", 1, 12, month_names},
    {"a day of the week", 0, 7, weekday_names},
};

/* A number, or a name of the field. */
static bool take_value(const char **at, const struct field *field, unsigned *out)
{
    const char *text = *at;
    unsigned value = 0;
    for (unsigned i = 0; field->names != NULL && field->names[i] != NULL; i++) {
        if (strncasecmp(text, field->names[i], 3) == 0) {
            *at = text + 3;
            *out = field->first + i;
            return true;
        }
    }
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 2) {
        return false;
    }
    for (size_t i = 0; i < digits; i++) {
        value = value * 10 + (unsigned)(text[i] - '0');
    }
    *at = text + digits;
    *out = value;
    return value >= field->first && value <= field->last;
}

/* One element of a list: a star, a value or a range, perhaps with a step. What is amiss is at *at. */
static bool take_element(const char **at, const struct field *field, uint64_t *bits)
{
    unsigned first = field->first, last = field->last, step = 1;
    const char *start = *at;
    bool range = **at == '*';
    if (range) {
        ++*at;
    } else if (!take_value(at, field, &first)) {
        *at = start;
        return false;
    } else if (**at == '-') {
        range = true;
        start = ++*at;
        if (!take_value(at, field, &last) || last < first) {
            *at = start;
            return false;
        }
    } else {
        last = first;
    }
    if (**at == '/') {
        static const struct field steps = {"a step", 1, 59, NULL};
        start = ++*at;
        if (!range || !take_value(at, &steps, &step)) {
            *at = start;
            return false;
        }
    }
    for (unsigned value = first; value <= last; value += step) {
        *bits |= UINT64_C(1) << value;
    }
    return true;
}

static bool take_field(const char **at, const struct field *field, uint64_t *bits)
{
    *bits = 0;
    while (take_element(at, field, bits)) {
        if (**at != ',') {
            return **at == ' ' || **at == '\0';
        }
        ++*at;
    }
    return false;
}

/* Whether some month of those has one of the days. */
static bool some_day_exists(const struct adg_cron *cron)
{
    static const unsigned lengths[] = {0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (cron->any_day || !cron->any_weekday) {
        return true;
    }
    for (unsigned month = 1; month <= 12; month++) {
        uint32_t there = (uint32_t)((UINT64_C(1) << (lengths[month] + 1)) - 2);
        if ((cron->months >> month & 1) != 0 && (cron->days & there) != 0) {
            return true;
        }
    }
    return false;
}

enum adg_status adg_cron_parse(const char *text, struct adg_cron *out, size_t *column, struct adg_error *error)
{
    uint64_t bits[FIELDS];
    bool any[FIELDS];
    const char *at = text, *day = text;
    for (int f = 0; f < FIELDS; f++) {
        any[f] = *at == '*';
        day = f == 2 ? at : day;
        if (!take_field(&at, &fields[f], &bits[f])) {
            *column = (size_t)(at - text);
            return adg_fail(
                error, ADG_BAD_INPUT,
                "expected %s (%u to %u), a range or a list of them, or *, in \"minute hour day month weekday\"",
                fields[f].name, fields[f].first, fields[f].last);
        }
        at += strspn(at, f + 1 < FIELDS ? " " : "");
    }
    if (*at != '\0') {
        *column = (size_t)(at - text);
        return adg_fail(error, ADG_BAD_INPUT, "expected five fields, \"minute hour day month weekday\", and no more");
    }
    struct adg_cron cron = {.minutes = bits[0],
                            .hours = (uint32_t)bits[1],
                            .days = (uint32_t)bits[2],
                            .months = (uint32_t)bits[3],
                            .weekdays = (uint32_t)((bits[4] | bits[4] >> 7) & 127), /* 7 is Sunday, too */
                            .any_day = any[2],
                            .any_weekday = any[4]};
    if (!some_day_exists(&cron)) {
        *column = (size_t)(day - text);
        return adg_fail(error, ADG_BAD_INPUT, "expected a day that one of the months has");
    }
    *out = cron;
    return ADG_OK;
}
