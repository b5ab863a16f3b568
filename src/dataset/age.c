/*
 * Ages: see age.h.
 */
#include "dataset/age.h"

#include "core/date.h"

static const struct {
    int32_t days; /* at most */
    int32_t code;
    double fraction;
} infants[] = {
    {0, 7001, 0.002},   {6, 7002, 0.010},   {28, 7003, 0.048},  {90, 7004, 0.167},
    {181, 7005, 0.375}, {272, 7006, 0.625}, {364, 7007, 0.875},
};
enum { INFANTS = sizeof infants / sizeof infants[0] };

int32_t adg_age_category(int32_t days)
{
    for (int i = 0; i < INFANTS; i++) {
        if (days <= infants[i].days) {
            return infants[i].code;
        }
    }
    return days >= ADG_DAYS_OF_120_YEARS ? 120 : (2 * days + 365) / 730; /* half up */
}

double adg_age_fraction(int32_t days)
{
    for (int i = 0; i < INFANTS; i++) {
        if (days <= infants[i].days) {
            return infants[i].fraction;
        }
    }
    return days >= ADG_DAYS_OF_120_YEARS ? 120 : days / 365.0;
}

double adg_age_fraction_of_category(double age)
{
    for (int i = 0; i < INFANTS; i++) {
        if (age == infants[i].code) {
            return infants[i].fraction;
        }
    }
    return age;
}

bool adg_month_parse(const char *text, size_t size, int32_t *days)
{
    unsigned digits[6];
    if (size != 6) {
        return false;
    }
    for (int i = 0; i < 6; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
        digits[i] = (unsigned)(text[i] - '0');
    }
    unsigned month = digits[0] * 10 + digits[1];
    int year = (int)(digits[2] * 1000 + digits[3] * 100 + digits[4] * 10 + digits[5]);
    if (month < 1 || month > 12 || year < 1) {
        return false;
    }
    *days = adg_date_from_civil(year, month, 1);
    return true;
}
