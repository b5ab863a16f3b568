/*
 * Days since 1970-01-01 in the proleptic Gregorian calendar, years 1 to 9999
 * (algorithms: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
 */
#ifndef ADG_CORE_DATE_H
#define ADG_CORE_DATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ADG_DATE_MIN (-719162) /* 0001-01-01 */
#define ADG_DATE_MAX 2932896   /* 9999-12-31 */

int32_t adg_date_from_civil(int year, unsigned month, unsigned day);
void adg_date_to_civil(int32_t days, int *year, unsigned *month, unsigned *day);
/* Exactly YYYY-MM-DD, a day that exists. */
bool adg_date_parse(const char *text, size_t length, int32_t *days);
/* Ten characters, no NUL. */
void adg_date_format(int32_t days, char out[10]);

#endif
