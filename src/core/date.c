/*
 * Civil calendar: see date.h. Eras of 400 years that begin on 1 March (Hinnant).
 */
#include "core/date.h"

#include <string.h>

int32_t adg_date_from_civil(int year, unsigned month, unsigned day)
{
    year -= month <= 2;
    int era = (year >= 0 ? year : year - 399) / 400;
    unsigned year_of_era = (unsigned)(year - era * 400);
    unsigned day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    unsigned day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + (int32_t)day_of_era - 719468;
}

void adg_date_to_civil(int32_t days, int *year, unsigned *month, unsigned *day)
{
    days += 719468;
    int era = (days >= 0 ? days : days - 146096) / 146097;
    unsigned day_of_era = (unsigned)(days - era * 146097);
    unsigned year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    unsigned shifted_month = (5 * day_of_year + 2) / 153;
    *day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    *month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
    *year = (int)year_of_era + era * 400 + (*month <= 2);
}

static bool digits(const char *text, size_t count, unsigned *value)
{
    unsigned v = 0;
    for (size_t i = 0; i < count; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
        v = v * 10 + (unsigned)(text[i] - '0');
    }
    *value = v;
    return true;
}

bool adg_date_parse(const char *text, size_t length, int32_t *days)
{
    unsigned year, month, day;
    if (length != 10 || text[4] != '-' || text[7] != '-' || !digits(text, 4, &year) || !digits(text + 5, 2, &month) ||
        !digits(text + 8, 2, &day) || year < 1 || month < 1 || month > 12 || day < 1 || day > 31) {
        return false;
    }
    int32_t value = adg_date_from_civil((int)year, month, day);
    int year_back;
    unsigned month_back, day_back;
    adg_date_to_civil(value, &year_back, &month_back, &day_back);
    if (month_back != month || day_back != day) {
        return false; /* 30 February comes back as a day of March */
    }
    *days = value;
    return true;
}

void adg_date_format(int32_t days, char out[10])
{
    int year;
    unsigned month, day;
    adg_date_to_civil(days, &year, &month, &day);
    unsigned y = (unsigned)year;
    char text[10] = {(char)('0' + y / 1000 % 10),
                     (char)('0' + y / 100 % 10),
                     (char)('0' + y / 10 % 10),
                     (char)('0' + y % 10),
                     '-',
                     (char)('0' + month / 10),
                     (char)('0' + month % 10),
                     '-',
                     (char)('0' + day / 10),
                     (char)('0' + day % 10)};
    memcpy(out, text, sizeof text);
}
