/*
 * Numbers as text, the same on every machine and in every locale.
 */
#ifndef ADG_CORE_NUMBER_H
#define ADG_CORE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ADG_NUMBER_TEXT_BYTES 400 /* the longest text of a double without exponent, with room */

/* Fewest digits that read back equal, without exponent; whole numbers without point; minus zero is 0. Returns the length (no NUL). */
size_t adg_double_format(double value, char out[ADG_NUMBER_TEXT_BYTES]);
/* What a float stands for: the double of its shortest text (0.1, not 0.10000000149011612). */
double adg_float_meaning(float value);
size_t adg_int64_format(int64_t value, char out[21]);
/* unscaled * 10^-scale, exact, without trailing zeros. */
size_t adg_decimal_format(int64_t unscaled, unsigned scale, char out[32]);

/* Readers of field values, as the specification's "Reading a value" has them: the whole text or false. */
bool adg_int64_parse(const char *text, size_t length, int64_t *value); /* sign? digits (. 0+)? */
bool adg_double_parse(const char *text, size_t length, double *value); /* sign? digits with point? exponent?; finite */
bool adg_decimal_parse(const char *text, size_t length, unsigned precision, unsigned scale,
                       int64_t *unscaled); /* exact or false */

#endif
