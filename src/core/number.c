/*
 * Numbers as text: see number.h.
 *
 * A double that is a whole number of thousandths is written as that: division rounds correctly, so that n / 1000 is what n thousandths
 * read back as, and of two numbers of at most 15 digits no two are the same double.
 *
 * The fewest digits of a double are found by trying 15, 16 and 17 significant digits and taking the first that reads back equal. A
 * number of fewer digits comes back from 15 with zeros behind it (DBL_DIG), which are taken off. Below a power of two doubles lie half as
 * far apart as above it: where the nearest 16 digits are too far below, those one higher may read back. From 2^-6 to 2^53 a double times the
 * power of ten that makes it a whole number of so many digits is exact in 128 bits, and so is the comparison with the doubles beside
 * it; others go through the C library's exact conversions, where below DBL_MIN all numbers of digits are tried. The digits are then
 * laid out without an exponent.
 */
#include "core/number.h"

#include <float.h>
#include <locale.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/wide.h"

static pthread_once_t locale_once = PTHREAD_ONCE_INIT;
static locale_t c_locale;

static void make_locale(void)
{
    c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

static locale_t use_c_locale(void)
{
    pthread_once(&locale_once, make_locale);
    return uselocale(c_locale);
}

static const char pairs[] =
    "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849"
    "5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";

/* From the bits and the decimal logarithm of 2, 1233 / 4096, the digits or one fewer; least[n] is the least number with more than n. */
static unsigned count_digits(uint64_t value)
{
    static const uint64_t least[] = {0,
                                     10,
                                     100,
                                     1000,
                                     10000,
                                     100000,
                                     1000000,
                                     10000000,
                                     100000000,
                                     1000000000,
                                     10000000000U,
                                     100000000000U,
                                     1000000000000U,
                                     10000000000000U,
                                     100000000000000U,
                                     1000000000000000U,
                                     10000000000000000U,
                                     100000000000000000U,
                                     1000000000000000000U,
                                     10000000000000000000U};
    unsigned guess = (64 - (unsigned)__builtin_clzll(value | 1)) * 1233 >> 12;
    return guess + (value >= least[guess] ? 1 : 0);
}

/* Eight digits side by side, the first in the lowest byte: halves of four digits, then pairs, then digits, by reciprocals that are exact for
 * numbers so small. */
static uint64_t eight_digits(uint32_t value)
{
    uint64_t halves = value / 10000 | (uint64_t)(value % 10000) << 32;
    uint64_t upper = (halves * 10486 >> 20) & UINT64_C(0x0000007F0000007F);
    uint64_t both = upper | (halves - 100 * upper) << 16;
    uint64_t tens = (both * 103 >> 10) & UINT64_C(0x000F000F000F000F);
    return (tens | (both - 10 * tens) << 8) + UINT64_C(0x3030303030303030);
}

size_t adg_int64_format(int64_t value, char out[21])
{
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    size_t sign = value < 0 ? 1 : 0;
    out[0] = '-';
    unsigned digits = count_digits(rest);
    size_t length = sign + digits;
    if (digits <= 8) { /* without leading zeros; what is stored behind the last digit is overwritten */
        uint64_t text = eight_digits((uint32_t)rest) >> 8 * (8 - digits);
        memcpy(out + sign, &text, sizeof text); /* little-endian */
        return length;
    }
    if (digits <= 16) {
        uint64_t first = eight_digits((uint32_t)(rest / 100000000)) >> 8 * (16 - digits);
        uint64_t last = eight_digits((uint32_t)(rest % 100000000));
        memcpy(out + sign, &first, sizeof first);
        memcpy(out + length - 8, &last, sizeof last);
        return length;
    }
    char *at = out + length;
    while (rest >= 10) { /* two digits at a time */
        memcpy(at -= 2, pairs + 2 * (rest % 100), 2);
        rest /= 100;
    }
    if (at > out + sign) {
        *--at = (char)('0' + rest);
    }
    return length;
}

/* 0 when the value is no whole number of thousandths, or one of more than 15 digits. */
static size_t thousandths_format(double value, char *out)
{
    if (!(value > -1e12 && value < 1e12)) {
        return 0;
    }
    int64_t thousandths = (int64_t)(value * 1000 + (value < 0 ? -0.5 : 0.5));
    if ((double)thousandths / 1000 != value) {
        return 0;
    }
    size_t length = 0;
    if (value < 0) {
        out[length++] = '-';
        thousandths = -thousandths;
    }
    length += adg_int64_format(thousandths / 1000, out + length);
    int64_t rest = thousandths % 1000;
    if (rest > 0) {
        out[length++] = '.';
    }
    for (int64_t place = 100; rest > 0; rest %= place, place /= 10) {
        out[length++] = (char)('0' + rest / place);
    }
    return length;
}

/* digits / 10^places, which is no whole number and has no zero at its end. */
static size_t put_digits(char *out, uint64_t digits, unsigned places, bool negative)
{
    char text[21];
    size_t count = adg_int64_format((int64_t)digits, text), length = 0;
    if (negative) {
        out[length++] = '-';
    }
    if (count <= places) {
        out[length++] = '0';
        out[length++] = '.';
        memset(out + length, '0', places - count);
        length += places - count;
        memcpy(out + length, text, count);
        return length + count;
    }
    memcpy(out + length, text, count - places);
    length += count - places;
    out[length++] = '.';
    memcpy(out + length, text + count - places, places);
    return length + places;
}

/* 0 when the value, which is no whole number, is below 2^-6. */
static size_t shortest_format(double value, char *out)
{
    uint64_t bits, power = 1;
    memcpy(&bits, &value, sizeof bits);
    int exponent = (int)(bits >> 52 & 0x7FF) - 1075; /* value = mantissa * 2^exponent */
    uint64_t mantissa = (bits & ((UINT64_C(1) << 52) - 1)) | UINT64_C(1) << 52;
    if (exponent < -58 || exponent >= 0) {
        return 0;
    }
    unsigned shift = (unsigned)-exponent, places = 15;
    if (mantissa >> shift > 0) {
        unsigned whole = count_digits(mantissa >>
                                      shift); /* up to 16: fewer digits than these read back as whole numbers */
        places -= whole < places ? whole : places;
    } else if (10 * (adg_uint128)mantissa < (adg_uint128)1 << shift) {
        places++; /* a zero behind the point */
    }
    for (unsigned i = 0; i < places; i++) {
        power *= 10;
    }
    for (;; places++, power *= 10) { /* ends at 17 digits, which always read back */
        adg_uint128 exact = (adg_uint128)mantissa * power, half = (adg_uint128)1 << (shift - 1);
        uint64_t digits = (uint64_t)(exact >> shift);
        adg_uint128 rest = exact - ((adg_uint128)digits << shift);
        digits += rest > half || (rest == half && (digits & 1) != 0);
        adg_uint128 rounded = (adg_uint128)digits << shift;
        bool below = rounded < exact; /* there, doubles are half as far apart when this one is a power of two */
        uint64_t between = below && mantissa == UINT64_C(1) << 52 ? power / 2 : power;
        adg_uint128 off = 2 * (below ? exact - rounded : rounded - exact);
        if (off < between || (off == between && (mantissa & 1) == 0)) {
            for (; digits % 10 == 0; digits /= 10) {
                places--;
            }
            return put_digits(out, digits, places, value < 0);
        }
    }
}

/* One more in the last digit of "-d.ddde-xx". A text of nines is left: it would be one of fewer digits, which has been tried. */
static void raise_last_digit(char *text)
{
    char *last = strchr(text, 'e');
    while (--last > text && (*last == '9' || *last == '.')) {
    }
    if (*last < '0' || *last > '8') {
        return;
    }
    (*last)++;
    for (char *c = last + 1; *c != 'e'; c++) {
        *c = *c == '.' ? '.' : '0';
    }
}

static bool is_power_of_two(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return (bits & ((UINT64_C(1) << 52) - 1)) == 0;
}

size_t adg_double_format(double value, char out[ADG_NUMBER_TEXT_BYTES])
{
    if (value == 0) {
        out[0] = '0';
        return 1;
    }
    if (value > -9007199254740992.0 && value < 9007199254740992.0 && (double)(int64_t)value == value) {
        return adg_int64_format((int64_t)value, out);
    }
    size_t short_length = thousandths_format(value, out);
    if (short_length > 0) {
        return short_length;
    }
    short_length = shortest_format(value, out);
    if (short_length > 0) {
        return short_length;
    }
    locale_t before = use_c_locale();
    char text[40];
    int first = value > -DBL_MIN && value < DBL_MIN ? 0 : 14;
    for (int precision = first; precision < 17; precision++) {
        snprintf(text, sizeof text, "%.*e", precision, value);
        if (strtod(text, NULL) == value) {
            break;
        }
        if (first > 0 && is_power_of_two(value)) {
            raise_last_digit(text);
            if (strtod(text, NULL) == value) {
                break;
            }
        }
    }
    uselocale(before);

    const char *mark = strchr(text, 'e');
    if (mark == NULL) { /* infinite or not a number: no value of a table */
        size_t length = strlen(text);
        memcpy(out, text, length);
        return length;
    }
    int exponent = atoi(mark + 1);
    char digits[20];
    int count = 0;
    size_t length = 0;
    for (const char *c = text; c < mark; c++) {
        if (*c == '-') {
            out[length++] = '-';
        } else if (*c != '.') {
            digits[count++] = *c;
        }
    }
    while (count > 1 && digits[count - 1] == '0') {
        count--;
    }
    if (exponent < 0) {
        out[length++] = '0';
        out[length++] = '.';
        for (int i = -1; i > exponent; i--) {
            out[length++] = '0';
        }
    }
    for (int i = 0; i < count; i++) {
        if (exponent >= 0 && i == exponent + 1) {
            out[length++] = '.';
        }
        out[length++] = digits[i];
    }
    for (int i = count; i <= exponent; i++) {
        out[length++] = '0';
    }
    return length;
}

double adg_float_meaning(float value)
{
    char text[40];
    locale_t before = use_c_locale();
    for (int precision = 0; precision < FLT_DECIMAL_DIG; precision++) {
        snprintf(text, sizeof text, "%.*e", precision, (double)value);
        if (strtof(text, NULL) == value) {
            break;
        }
    }
    double meaning = strtod(text, NULL);
    uselocale(before);
    return meaning;
}

size_t adg_decimal_format(int64_t unscaled, unsigned scale, char out[32])
{
    char digits[21];
    size_t count = 0, length = 0;
    uint64_t rest = unscaled < 0 ? 0 - (uint64_t)unscaled : (uint64_t)unscaled;
    while (scale > 0 && rest % 10 == 0) { /* trailing zeros behind the point */
        rest /= 10;
        scale--;
        if (rest == 0) {
            scale = 0;
        }
    }
    do {
        digits[count++] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest != 0 || count <= scale);
    if (unscaled < 0) {
        out[length++] = '-';
    }
    while (count > 0) {
        if (count == scale) {
            out[length++] = '.';
        }
        out[length++] = digits[--count];
    }
    return length;
}

static size_t digit_run(const char *text, size_t from, size_t length)
{
    size_t i = from;
    while (i < length && text[i] >= '0' && text[i] <= '9') {
        i++;
    }
    return i - from;
}

static size_t sign_length(const char *text, size_t length)
{
    return length > 0 && (text[0] == '-' || text[0] == '+') ? 1 : 0;
}

bool adg_int64_parse(const char *text, size_t length, int64_t *value)
{
    size_t at = sign_length(text, length);
    bool negative = at == 1 && text[0] == '-';
    size_t count = digit_run(text, at, length);
    if (count == 0) {
        return false;
    }
    int64_t result = 0;
    for (size_t i = at; i < at + count; i++) { /* counted downwards: the smallest number has no positive twin */
        if (__builtin_mul_overflow(result, (int64_t)10, &result) ||
            __builtin_sub_overflow(result, (int64_t)(text[i] - '0'), &result)) {
            return false;
        }
    }
    at += count;
    if (at < length) {
        if (text[at] != '.' || at + 1 == length) {
            return false;
        }
        for (at++; at < length; at++) {
            if (text[at] != '0') {
                return false;
            }
        }
    }
    if (!negative && __builtin_sub_overflow((int64_t)0, result, &result)) {
        return false;
    }
    *value = result;
    return true;
}

/* Where the parts of [sign] digits [. digits] [e [sign] digits] lie; false when the text is nothing of the kind. */
struct number_parts {
    bool negative;
    size_t whole, whole_count, fraction, fraction_count;
    int64_t exponent; /* clamped to +-100,000 */
};

static bool split(const char *text, size_t length, struct number_parts *parts)
{
    size_t at = sign_length(text, length);
    *parts = (struct number_parts){.negative = at == 1 && text[0] == '-', .whole = at};
    parts->whole_count = digit_run(text, at, length);
    at += parts->whole_count;
    if (at < length && text[at] == '.') {
        parts->fraction = ++at;
        parts->fraction_count = digit_run(text, at, length);
        at += parts->fraction_count;
    }
    if (parts->whole_count + parts->fraction_count == 0) {
        return false;
    }
    if (at < length && (text[at] == 'e' || text[at] == 'E')) {
        at++;
        size_t sign = sign_length(text + at, length - at);
        bool negative = sign == 1 && text[at] == '-';
        at += sign;
        size_t count = digit_run(text, at, length);
        if (count == 0) {
            return false;
        }
        for (size_t i = at; i < at + count; i++) {
            if (parts->exponent < 100000) {
                parts->exponent = parts->exponent * 10 + (text[i] - '0');
            }
        }
        at += count;
        if (negative) {
            parts->exponent = -parts->exponent;
        }
    }
    return at == length;
}

bool adg_double_parse(const char *text, size_t length, double *value)
{
    struct number_parts parts;
    if (!split(text, length, &parts)) {
        return false;
    }
    char small[128];
    char *copy = length < sizeof small ? small : adg_alloc(length + 1);
    if (copy == NULL) {
        return false;
    }
    memcpy(copy, text, length);
    copy[length] = '\0';
    locale_t before = use_c_locale();
    double result = strtod(copy, NULL);
    uselocale(before);
    if (copy != small) {
        adg_free(copy);
    }
    if (!(result >= -1.7976931348623157e308 && result <= 1.7976931348623157e308)) {
        return false;
    }
    *value = result == 0 ? 0 : result;
    return true;
}

bool adg_decimal_parse(const char *text, size_t length, unsigned precision, unsigned scale, int64_t *unscaled)
{
    struct number_parts parts;
    if (!split(text, length, &parts)) {
        return false;
    }
    /* The digits as one run with the point `position` digits behind its start; leading and trailing zeros do not count. */
    size_t count = parts.whole_count + parts.fraction_count;
    int64_t position = (int64_t)parts.whole_count + parts.exponent;
#define DIGIT(i) (text[(i) < parts.whole_count ? parts.whole + (i) : parts.fraction + (i)-parts.whole_count])
    size_t first = 0, last = count;
    while (first < last && DIGIT(first) == '0') {
        first++;
    }
    while (last > first && DIGIT(last - 1) == '0') {
        last--;
    }
    if (first == last) {
        *unscaled = 0;
        return true;
    }
    if ((int64_t)last - position > (int64_t)scale || position - (int64_t)first > (int64_t)(precision - scale)) {
        return false; /* more digits behind or before the point than the type holds */
    }
    int64_t result = 0;
    for (size_t i = first; i < last; i++) {
        result = result * 10 + (DIGIT(i) - '0');
    }
#undef DIGIT
    for (int64_t i = (int64_t)last - position; i < (int64_t)scale; i++) {
        result *= 10;
    }
    *unscaled = parts.negative ? -result : result;
    return true;
}
