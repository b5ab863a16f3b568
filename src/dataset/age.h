/*
 * Ages as the HES data dictionary has them: whole years from one year on, codes 7001 to 7007 below.
 */
#ifndef ADG_DATASET_AGE_H
#define ADG_DATASET_AGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* From here on an age is 120. */
enum { ADG_DAYS_OF_120_YEARS = 43800 };

/* Of so many days; less than one day is 0 days. A whole number of years or a code, or a fraction of years. */
int32_t adg_age_category(int32_t days);
double adg_age_fraction(int32_t days);
/* The fraction of years that a code stands for; other ages are their own. */
double adg_age_fraction_of_category(double age);

/* "MMyyyy": its first day. */
bool adg_month_parse(const char *text, size_t size, int32_t *days);

#endif
