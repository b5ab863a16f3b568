/*
 * How many of a table's patients were born when: by its months of birth, or by its ages.
 *
 * An age is a category of the time between a date of the table and the first of a month of birth. For each age the table's
 * dates are gone through, each with its share; the months that give the age at that date have equal parts of it. A date
 * at which no month gives the age (a baby of three days, on the 20th) has none.
 */
#include "metadata/births.h"

#include <stdio.h>
#include <string.h>

#include "core/date.h"
#include "core/memory.h"
#include "core/number.h"
#include "dataset/age.h"

enum { MONTHS_BACK = 122 * 12, AGES = 128, INFANTS_FROM = 121, FIRST_INFANT = 7001, LAST_INFANT = 7007 };

/* ---- what the metadata have -------------------------------------------------------------------------------------- */

/* The share of nulls that COMPLETENESS states; -1: none. */
static double null_share(const struct adg_metadata *metadata, const char *table, const char *field)
{
    struct adg_metadata_range range = adg_metadata_find(metadata, table, field, ADG_VALUE_COMPLETENESS);
    if (range.count == 0 || range.rows->weight_array_count != 2) {
        return -1;
    }
    double null = range.rows->weight_array[0], filled = range.rows->weight_array[1];
    return null + filled > 0 ? null / (null + filled) : 0;
}

/* An age's place among AGES, or -1: it is none. */
static int place_of_age(double age)
{
    if (age >= FIRST_INFANT && age <= LAST_INFANT && age == (double)(int)age) {
        return INFANTS_FROM + (int)age - FIRST_INFANT;
    }
    return age >= 1 && age <= 120 && age == (double)(int)age ? (int)age : -1;
}

static int place_of_days(int32_t days)
{
    return place_of_age(adg_age_category(days));
}

/* Shares of the ages, and of records whose age is not known. */
static void read_ages(const struct adg_metadata *metadata, const char *table, const struct adg_field *field,
                      double shares[AGES], double *unknown, double *sum)
{
    struct adg_metadata_range range = adg_metadata_find(metadata, table, field->name, field->value_type);
    double null = null_share(metadata, table, field->name), nulls = 0;
    for (size_t i = 0; i < range.count; i++) {
        const struct adg_metadata_row *row = &range.rows[i];
        double age = 0, weight = row->has_weight && row->weight > 0 ? row->weight : 0;
        bool text = row->string.text != NULL;
        if (!text && !row->has_numeric) {
            nulls += weight;
            continue;
        }
        bool read = text ? adg_double_parse(row->string.text, row->string.size, &age) : true;
        age = text ? age : row->numeric;
        int place = read ? place_of_age(age) : -1;
        if (place >= 0) {
            shares[place] += weight;
        } else {
            *unknown += weight;
        }
        *sum += weight;
    }
    if (null < 0) {
        *unknown += nulls;
        *sum += nulls;
    } else if (null < 1 && *sum > 0) {
        double more = *sum * null / (1 - null);
        *unknown += more;
        *sum += more;
    }
}

struct days {
    int32_t *days;
    double *weights;
    size_t count;
};

/* The valid dates of a field. */
static enum adg_status read_dates(const struct adg_metadata *metadata, const struct adg_dataset *dataset,
                                  const char *table, uint32_t field, struct days *out, struct adg_error *error)
{
    struct adg_metadata_range range = adg_metadata_find(metadata, table, dataset->fields[field].name, ADG_VALUE_DATE);
    out->days = adg_alloc_array(range.count + 1, sizeof *out->days);
    out->weights = adg_alloc_array(range.count + 1, sizeof *out->weights);
    if (out->days == NULL || out->weights == NULL) {
        return adg_fail_memory(error);
    }
    for (size_t i = 0; i < range.count; i++) {
        const struct adg_metadata_row *row = &range.rows[i];
        if (row->has_date && row->has_weight && row->weight > 0 && row->date > ADG_DATE_MIN + 366 * 125 &&
            !adg_coherence_is_invalid_date(&dataset->coherence, row->date)) {
            out->days[out->count] = row->date;
            out->weights[out->count++] = row->weight;
        }
    }
    return ADG_OK;
}

/* ---- ages to months ---------------------------------------------------------------------------------------------- */

/* Months as numbers: year * 12 + month - 1. */
struct spread {
    int32_t first_month, month_count;
    int32_t *starts; /* [month_count] first days */
    double *weights; /* [month_count] */
    uint8_t *places; /* [days + 1] the age of that many days */
};

static int32_t month_of(int32_t day)
{
    int year = 0;
    unsigned month = 0, in_month = 0;
    adg_date_to_civil(day, &year, &month, &in_month);
    return year * 12 + (int32_t)month - 1;
}

/* Months of each age at a date. */
static void count_months(const struct spread *spread, int32_t day, int32_t month, uint32_t counts[AGES])
{
    memset(counts, 0, AGES * sizeof *counts);
    for (int32_t m = month; m > month - MONTHS_BACK; m--) {
        counts[spread->places[day - spread->starts[m - spread->first_month]]]++;
    }
}

static void spread_ages(struct spread *spread, const struct days *dates, const double shares[AGES])
{
    double totals[AGES] = {0};
    uint32_t counts[AGES];
    for (size_t d = 0; d < dates->count; d++) {
        count_months(spread, dates->days[d], month_of(dates->days[d]), counts);
        for (int a = 0; a < AGES; a++) {
            totals[a] += counts[a] > 0 ? dates->weights[d] : 0;
        }
    }
    double all = 0;
    for (size_t d = 0; d < dates->count; d++) {
        all += dates->weights[d];
    }
    for (size_t d = 0; d < dates->count; d++) {
        int32_t day = dates->days[d], month = month_of(day);
        double parts[AGES]; /* of a month of each age */
        count_months(spread, day, month, counts);
        for (int a = 0; a < AGES; a++) {
            parts[a] = counts[a] > 0 ? shares[a] * (dates->weights[d] / totals[a]) / counts[a] : 0;
        }
        for (int32_t m = month; m > month - MONTHS_BACK; m--) {
            spread->weights[m - spread->first_month] +=
                parts[spread->places[day - spread->starts[m - spread->first_month]]];
        }
        for (int a = INFANTS_FROM; a < AGES; a++) { /* at no date is there such a month: the one of the date */
            spread->weights[month - spread->first_month] += totals[a] > 0 ? 0 : shares[a] * dates->weights[d] / all;
        }
    }
}

static enum adg_status prepare_spread(struct spread *spread, const struct days *dates, struct adg_error *error)
{
    enum { MOST_DAYS = MONTHS_BACK * 31 };
    int32_t least = dates->days[0], most = dates->days[0];
    for (size_t d = 0; d < dates->count; d++) {
        least = dates->days[d] < least ? dates->days[d] : least;
        most = dates->days[d] > most ? dates->days[d] : most;
    }
    spread->first_month = month_of(least) - MONTHS_BACK;
    spread->month_count = month_of(most) - spread->first_month + 1;
    spread->starts = adg_alloc_array((size_t)spread->month_count, sizeof *spread->starts);
    spread->weights = adg_alloc_zero((size_t)spread->month_count, sizeof *spread->weights);
    spread->places = adg_alloc_array(MOST_DAYS + 1, 1);
    if (spread->starts == NULL || spread->weights == NULL || spread->places == NULL) {
        return adg_fail_memory(error);
    }
    for (int32_t m = 0; m < spread->month_count; m++) {
        int32_t month = spread->first_month + m;
        spread->starts[m] = adg_date_from_civil(month / 12, (unsigned)(month % 12) + 1, 1);
    }
    for (int32_t days = 0; days <= MOST_DAYS; days++) {
        spread->places[days] = (uint8_t)place_of_days(days);
    }
    return ADG_OK;
}

static enum adg_status list_months(const struct spread *spread, double unknown, double scale, struct adg_arena *arena,
                                   struct adg_birth **out, uint32_t *count, struct adg_error *error)
{
    size_t most = (size_t)spread->month_count + 1;
    struct adg_birth *births = adg_arena_array(arena, most, sizeof *births);
    char *texts = adg_arena_array(arena, most, 16);
    if (births == NULL || texts == NULL) {
        return adg_fail_memory(error);
    }
    uint32_t made = 0;
    for (int32_t m = 0; m < spread->month_count; m++) {
        if (spread->weights[m] > 0) {
            int32_t month = spread->first_month + m;
            char *text = texts + (size_t)made * 16;
            snprintf(text, 16, "%02d%04d", (int)(month % 12 + 1), (int)(month / 12));
            births[made++] = (struct adg_birth){{text, 6}, spread->starts[m], spread->weights[m] * scale};
        }
    }
    if (unknown > 0) {
        births[made++] = (struct adg_birth){{NULL, 0}, ADG_NO_DAY, unknown * scale};
    }
    *out = births;
    *count = made;
    return ADG_OK;
}

static enum adg_status births_of_ages(const struct adg_metadata *metadata, const struct adg_dataset *dataset,
                                      const char *table, double patients, struct adg_arena *arena,
                                      struct adg_birth **out, uint32_t *count, struct adg_error *error)
{
    const struct adg_population_rule *rule = &dataset->coherence.population;
    struct spread spread = {0};
    struct days dates = {0};
    double shares[AGES] = {0}, unknown = 0, sum = 0;
    read_ages(metadata, table, &dataset->fields[rule->age], shares, &unknown, &sum);
    enum adg_status status = read_dates(metadata, dataset, table, (uint32_t)rule->age_at, &dates, error);
    if (status == ADG_OK && sum > unknown && dates.count > 0) {
        status = prepare_spread(&spread, &dates, error);
        if (status == ADG_OK) {
            spread_ages(&spread, &dates, shares);
            status = list_months(&spread, unknown, patients > 0 ? patients / sum : 1, arena, out, count, error);
        }
    }
    adg_free(spread.starts);
    adg_free(spread.weights);
    adg_free(spread.places);
    adg_free(dates.days);
    adg_free(dates.weights);
    return status;
}

/* ---- months of birth --------------------------------------------------------------------------------------------- */

static bool same_text(const struct adg_optional_text *a, const struct adg_optional_text *b)
{
    return a->text == NULL || b->text == NULL ? a->text == b->text
                                              : a->size == b->size && memcmp(a->text, b->text, a->size) == 0;
}

enum adg_status adg_births_read(const struct adg_metadata *metadata, const struct adg_dataset *dataset,
                                const char *table, double patients, struct adg_arena *arena, struct adg_birth **out,
                                uint32_t *count, struct adg_error *error)
{
    const struct adg_population_rule *rule = &dataset->coherence.population;
    struct adg_metadata_range range = {NULL, 0};
    if (rule->birth >= 0) {
        range = adg_metadata_find(metadata, table, dataset->fields[rule->birth].name, ADG_VALUE_DEMOGRAPHIC_DATE);
    }
    *count = 0;
    if (range.count == 0) {
        return rule->age >= 0 ? births_of_ages(metadata, dataset, table, patients, arena, out, count, error) : ADG_OK;
    }
    if (range.count >= UINT32_MAX / 4) {
        return adg_fail(error, ADG_BAD_INPUT, "more than 2^30 values of birth");
    }
    struct adg_birth *births = adg_arena_array(arena, range.count, sizeof *births);
    if (births == NULL) {
        return adg_fail_memory(error);
    }
    double sum = 0;
    for (size_t i = 0; i < range.count; i++) {
        const struct adg_metadata_row *row = &range.rows[i];
        if (!row->has_weight || !(row->weight > 0)) {
            return adg_fail(error, ADG_BAD_INPUT, "a weight of a birth is not positive");
        }
        if (i > 0 && same_text(&row[-1].string, &row->string)) {
            return adg_fail(error, ADG_BAD_INPUT, "a month of birth is listed twice");
        }
        sum += row->weight;
    }
    for (size_t i = 0; i < range.count; i++) {
        const struct adg_metadata_row *row = &range.rows[i];
        births[i] = (struct adg_birth){row->string, ADG_NO_DAY, row->weight * (patients > 0 ? patients / sum : 1)};
        if (row->string.text != NULL) {
            (void)adg_month_parse(row->string.text, row->string.size, &births[i].day);
        }
    }
    *out = births;
    *count = (uint32_t)range.count;
    return ADG_OK;
}

/* ---- dates after births ------------------------------------------------------------------------------------------ */

struct adg_births_among adg_births_rest(const struct adg_birth *births, uint32_t birth_count, const int32_t *days,
                                        const double *shares, uint32_t day_count, double *rest)
{
    struct adg_births_among among = {0, 0};
    double all = 0, taken = 0;
    memset(rest, 0, day_count * sizeof *rest); /* first: what begins to be taken at each day */
    for (uint32_t i = 0; i < birth_count; i++) {
        all += births[i].people;
    }
    for (uint32_t i = 0; i < birth_count; i++) {
        double share = births[i].people / all, later = 1;
        uint32_t first = 0;
        if (births[i].day == ADG_NO_DAY || births[i].day <= days[0]) {
            continue;
        }
        while (first < day_count && days[first] < births[i].day) {
            later -= shares[first++];
        }
        among.within += share;
        if (first == day_count || later <= 0) {
            among.after += share;
        } else {
            rest[first] += share / later;
        }
    }
    for (uint32_t d = 0; d < day_count; d++) {
        taken += rest[d];
        rest[d] = taken < 1 ? shares[d] * (1 - taken) : 0;
    }
    return among;
}
