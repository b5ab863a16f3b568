/*
 * Counting a column's values: see profile.h.
 */
#include "classify/profile.h"

#include <string.h>

#include "core/date.h"
#include "core/memory.h"

const char *const adg_date_format_names[ADG_DATE_FORMATS] = {
    [ADG_DATE_ISO] = "yyyy-MM-dd",        [ADG_DATE_COMPACT] = "yyyyMMdd",    [ADG_DATE_SHORT_SLASH] = "dd/MM/yy",
    [ADG_DATE_LONG_SLASH] = "dd/MM/yyyy", [ADG_DATE_SHORT_DIGITS] = "ddMMyy", [ADG_DATE_MONTH] = "MMyyyy"};

/* Years that a date without hyphens must have to be one. */
enum { FIRST_YEAR = 1850, LAST_YEAR = 2100 };

static const uint64_t hash_step = UINT64_C(0x100000001b3); /* FNV-1a */

enum adg_status adg_table_profile_init(struct adg_table_profile *profile, const char *const *names, uint32_t count,
                                       uint32_t batch_rows, struct adg_error *error)
{
    /* values of a column that are kept, so that all columns together hold no more than some 100 MB */
    enum { MANY_COLUMNS = 512, KEPT = 4096, KEPT_OF_MANY = 512 };
    profile->columns = adg_alloc_zero(count, sizeof *profile->columns);
    if (profile->columns == NULL) {
        return adg_fail_memory(error);
    }
    profile->column_count = count;
    for (uint32_t c = 0; c < count; c++) {
        profile->columns[c].name = names[c];
        profile->columns[c].sketch.most = count > MANY_COLUMNS ? KEPT_OF_MANY : KEPT;
        profile->columns[c].shortest = UINT32_MAX;
        profile->columns[c].least = INT64_MAX;
        profile->columns[c].most = INT64_MIN;
    }
    return adg_joins_init(&profile->joins, names, count, batch_rows, error);
}

void adg_table_profile_fini(struct adg_table_profile *profile)
{
    for (uint32_t c = 0; c < profile->column_count; c++) {
        adg_sketch_fini(&profile->columns[c].sketch);
    }
    adg_free(profile->columns);
    adg_joins_fini(&profile->joins);
    *profile = (struct adg_table_profile){0};
}

/* ---- dates ------------------------------------------------------------------------------------------------------- */

/* The number that `count` digits are; -1: something else stands among them. */
static int digits(const uint8_t *text, int count)
{
    int value = 0;
    for (int i = 0; i < count; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return -1;
        }
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

static bool is_day(int year, int month, int day)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1] + (month == 2 && leap);
}

static bool is_year(int year)
{
    return year >= FIRST_YEAR && year <= LAST_YEAR;
}

static void count_six_digits(struct adg_column_profile *column, const uint8_t *text)
{
    int first = digits(text, 2), second = digits(text + 2, 2), third = digits(text + 4, 2);
    if (first < 0 || second < 0 || third < 0) {
        return;
    }
    if (is_day(2000 + third, second, first)) {
        column->dates[ADG_DATE_SHORT_DIGITS]++;
        column->days_seen |= 1U << (first - 1);
        column->months_seen |= 1U << (second - 1);
    }
    column->dates[ADG_DATE_MONTH] += first >= 1 && first <= 12 && is_year(second * 100 + third);
}

static void count_dates(struct adg_column_profile *column, struct adg_span text)
{
    const uint8_t *t = text.data;
    int32_t days;
    switch (text.size) {
    case 6:
        count_six_digits(column, t);
        break;
    case 8:
        if (t[2] == '/') {
            column->dates[ADG_DATE_SHORT_SLASH] += t[5] == '/' &&
                                                   is_day(2000 + digits(t + 6, 2), digits(t + 3, 2), digits(t, 2)) &&
                                                   digits(t + 6, 2) >= 0;
        } else {
            column->dates[ADG_DATE_COMPACT] += is_year(digits(t, 4)) &&
                                               is_day(digits(t, 4), digits(t + 4, 2), digits(t + 6, 2));
        }
        break;
    case 10:
        if (t[2] == '/') {
            column->dates[ADG_DATE_LONG_SLASH] += t[5] == '/' && is_year(digits(t + 6, 4)) &&
                                                  is_day(digits(t + 6, 4), digits(t + 3, 2), digits(t, 2));
        } else {
            column->dates[ADG_DATE_ISO] += adg_date_parse((const char *)t, text.size, &days);
        }
        break;
    default:
        break;
    }
    if (text.size >= 19 && text.size <= 26 && t[4] == '-') {
        static const struct adg_field timestamp = {.type = ADG_TYPE_TIMESTAMP};
        const struct adg_source_value source = {.kind = ADG_SOURCE_TEXT, .text = text};
        struct adg_value value;
        adg_value_read(&source, &timestamp, &value);
        if (!value.null) {
            column->timestamps++;
            column->midnights += value.integer % INT64_C(86400000000) == 0;
        }
    }
}

/* ---- numbers ----------------------------------------------------------------------------------------------------- */

static void count_whole(struct adg_column_profile *column, const uint8_t *text, size_t size)
{
    enum { WIDEST = 18 };
    bool negative = text[0] == '-';
    int64_t value = 0;
    column->whole++;
    column->negative += negative;
    column->leading_zeros += size - negative > 1 && text[negative] == '0';
    if (size - negative > WIDEST) {
        column->wide++;
        return;
    }
    for (size_t i = negative; i < size; i++) {
        value = value * 10 + (text[i] - '0');
    }
    value = negative ? -value : value;
    column->least = value < column->least ? value : column->least;
    column->most = value > column->most ? value : column->most;
    column->ages += value >= 0 && value <= 130;
    column->age_codes += value >= 7001 && value <= 7007;
}

static void count_number(struct adg_column_profile *column, struct adg_span text)
{
    double number;
    size_t digit_count = 0, sign = text.data[0] == '-';
    while (sign + digit_count < text.size && text.data[sign + digit_count] >= '0' &&
           text.data[sign + digit_count] <= '9') {
        digit_count++;
    }
    if (sign + digit_count == text.size && digit_count > 0) {
        count_whole(column, text.data, text.size);
    } else if (text.size < ADG_NUMBER_TEXT_BYTES && adg_double_parse((const char *)text.data, text.size, &number)) {
        const uint8_t *point = memchr(text.data, '.', text.size);
        uint32_t behind = 0;
        while (point != NULL && point + 1 + behind < text.data + text.size && point[1 + behind] >= '0' &&
               point[1 + behind] <= '9') {
            behind++;
        }
        column->fractions++;
        column->decimals = behind > column->decimals ? behind : column->decimals;
        column->exponents += memchr(text.data, 'e', text.size) != NULL || memchr(text.data, 'E', text.size) != NULL;
    }
}

/* ---- one value --------------------------------------------------------------------------------------------------- */

uint64_t adg_profile_hash_bytes(uint64_t hash, struct adg_span bytes)
{
    for (size_t i = 0; i < bytes.size; i++) {
        hash = (hash ^ bytes.data[i]) * hash_step;
    }
    return hash;
}

uint64_t adg_profile_print(uint64_t hash, uint64_t row)
{
    return adg_mix(hash ^ adg_mix(row + 1));
}

uint64_t adg_profile_hash(struct adg_span text)
{
    return adg_mix(adg_profile_hash_bytes(ADG_PROFILE_HASH_START, text));
}

static void count_characters(struct adg_column_profile *column, struct adg_span text)
{
    bool letter = false, foreign = false;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        letter = letter || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        foreign = foreign || c < ' ' || c > '~';
        if (i < ADG_PROFILE_PLACES && c < 128) {
            column->places[i][c / 64] |= UINT64_C(1) << c % 64;
        }
    }
    column->letters += letter || foreign;
    column->foreign += foreign;
}

enum adg_status adg_profile_add(struct adg_column_profile *column, uint64_t row, struct adg_span text,
                                struct adg_error *error)
{
    uint64_t hash = ADG_PROFILE_HASH_START, at_row = adg_mix(row + 1);
    for (size_t i = 0; i < text.size; i++) {
        hash = (hash ^ text.data[i]) * hash_step;
        if (i < ADG_PROFILE_PREFIXES) {
            column->prefixes[i] += adg_mix(hash ^ at_row);
        }
    }
    uint64_t whole = adg_mix(hash ^ at_row);
    for (size_t i = text.size; i < ADG_PROFILE_PREFIXES; i++) {
        column->prefixes[i] += whole;
    }
    column->fingerprint += whole;
    column->filled++;
    uint32_t size = text.size < UINT32_MAX ? (uint32_t)text.size : UINT32_MAX - 1;
    column->shortest = size < column->shortest ? size : column->shortest;
    column->longest = size > column->longest ? size : column->longest;
    column->lengths[size < ADG_PROFILE_LENGTHS ? size : ADG_PROFILE_LENGTHS - 1]++;
    count_characters(column, text);
    uint8_t first = text.data[0];
    if ((first >= '0' && first <= '9') || first == '-' || first == '+' || first == '.') {
        count_number(column, text);
        count_dates(column, text);
    }
    column->truths += (text.size == 4 && memcmp(text.data, "true", 4) == 0) ||
                      (text.size == 5 && memcmp(text.data, "false", 5) == 0);
    column->personal[adg_personal_value(text)]++;
    return adg_sketch_add(&column->sketch, adg_mix(hash), error);
}
