/*
 * Ages: from a date and a month of birth, or from an age that is there, by the table of the HES data dictionary.
 *
 * The days between date and birth are looked up in a table of 0 to 43,800 days (below 1 and above are one case each),
 * whose entries are codes of a dictionary of all ages that can come out.
 */
#include "generate/internal.h"

#include "block/text.h"
#include "core/date.h"
#include "core/memory.h"
#include "dataset/age.h"

struct age {
    uint32_t date, birth;    /* fields */
    int32_t *dates, *births; /* [entries + 1] days; ADG_NO_DAY: null */
    uint32_t *codes;         /* [0 .. 43,800], then that of null */
};

static uint32_t code_of(const struct age *age, int32_t date, int32_t birth)
{
    int32_t days = ADG_DAYS_OF_120_YEARS + 1;
    if (date != ADG_NO_DAY && birth != ADG_NO_DAY) {
        days = date - birth;
        days = days < 0 ? 0 : days > ADG_DAYS_OF_120_YEARS ? ADG_DAYS_OF_120_YEARS : days;
    }
    return age->codes[days];
}

static enum adg_status run_age(const struct adg_step *step, struct adg_work *work, struct adg_error *error)
{
    (void)error;
    const struct age *age = step->detail;
    const uint32_t *dates = work->columns[age->date].codes, *births = work->columns[age->birth].codes;
    uint32_t *codes = work->columns[step->field].codes;
    for (uint32_t i = 0; i < work->rows; i++) {
        codes[i] = code_of(age, age->dates[dates[i]], age->births[births[i]]);
    }
    return ADG_OK;
}

/* From the births of the row's people. */
static enum adg_status run_person_age(const struct adg_step *step, struct adg_work *work, struct adg_error *error)
{
    (void)error;
    const struct age *age = step->detail;
    const uint32_t *dates = work->columns[age->date].codes;
    uint32_t *codes = work->columns[step->field].codes;
    for (uint32_t i = 0; i < work->rows; i++) {
        codes[i] = code_of(age, age->dates[dates[i]], work->birth_days[i]);
    }
    return ADG_OK;
}

struct range {
    int32_t least, most; /* of the days that are there */
    bool nulls;
};

/* The days of a column's entries; what cannot be read is null. */
static enum adg_status read_days(struct adg_plan *plan, const struct adg_plan_column *column, bool month, int32_t **out,
                                 struct range *range, struct adg_error *error)
{
    uint32_t count = column->dictionary.count;
    int32_t *days = adg_arena_array(&plan->arena, (size_t)count + 1, sizeof *days);
    if (days == NULL) {
        return adg_fail_memory(error);
    }
    *range = (struct range){INT32_MAX, INT32_MIN, count == 0 || column->nullable};
    days[count] = ADG_NO_DAY;
    for (uint32_t i = 0; i < count; i++) {
        char scratch[ADG_VALUE_TEXT_BYTES];
        const char *text = NULL;
        size_t size = adg_dictionary_text(&column->dictionary, column->field->scale, i, scratch, &text);
        bool read = month && column->field->type != ADG_TYPE_DATE ? adg_month_parse(text, size, &days[i])
                                                                  : adg_date_parse(text, size, &days[i]);
        bool valid = !plan->coherent || month || !adg_coherence_is_invalid_date(&plan->dataset->coherence, days[i]);
        if (!read || !valid) {
            days[i] = ADG_NO_DAY;
            range->nulls = true;
            continue;
        }
        range->least = days[i] < range->least ? days[i] : range->least;
        range->most = days[i] > range->most ? days[i] : range->most;
    }
    *out = days;
    return ADG_OK;
}

static int32_t clamp_days(int32_t days)
{
    return days < 0 ? 0 : days > ADG_DAYS_OF_120_YEARS ? ADG_DAYS_OF_120_YEARS : days;
}

/* Dictionary and codes of the ages from `least` to `most` days. */
static enum adg_status list_ages(struct adg_plan *plan, uint32_t field, struct age *age, int32_t least, int32_t most,
                                 bool nulls, struct adg_error *error)
{
    struct adg_plan_column *column = &plan->columns[field];
    const struct adg_derivation *derivation = column->field->derivation; /* none: a person's age */
    bool fraction = derivation != NULL && derivation->kind == ADG_DERIVE_AGE_FRACTION;
    uint32_t count = ADG_DAYS_OF_120_YEARS + 2;
    struct adg_value *values = adg_alloc_array(count, sizeof *values);
    age->codes = adg_arena_array(&plan->arena, count, sizeof *age->codes);
    enum adg_status status = values == NULL || age->codes == NULL ? adg_fail_memory(error) : ADG_OK;
    for (uint32_t i = 0; i < count && status == ADG_OK; i++) {
        values[i] = (struct adg_value){.null = true};
        int32_t days = (int32_t)i;
        if (days >= least && days <= most) {
            double value = fraction ? adg_age_fraction(days) : adg_age_category(days);
            if (column->field->type == ADG_TYPE_DOUBLE) { /* no detour through text, which is slow */
                values[i] = (struct adg_value){.as.real = value};
            } else {
                status = adg_value_from_number(column->field, value, &plan->arena, &values[i], error);
            }
        }
    }
    struct adg_dictionary dictionary = {0};
    if (status == ADG_OK) {
        status = adg_value_dictionary(column->field->type, values, count, &plan->arena, &dictionary, age->codes, error);
    }
    if (status == ADG_OK) {
        adg_plan_set_dictionary(column, &dictionary, nulls);
        if (column->kind == ADG_COLUMN_DICTIONARY) {
            adg_plan_add_step(plan, field, derivation != NULL ? run_age : run_person_age, age);
        }
    }
    adg_free(values);
    return status;
}

static enum adg_status plan_from_dates(struct adg_plan *plan, uint32_t field, struct adg_error *error)
{
    const struct adg_derivation *derivation = plan->columns[field].field->derivation;
    const struct adg_plan_column *date = NULL, *birth = NULL;
    enum adg_status status = adg_plan_input(plan, field, 0, &date, error);
    if (status == ADG_OK) {
        status = adg_plan_input(plan, field, 1, &birth, error);
    }
    if (status != ADG_OK) {
        return status;
    }
    struct age *age = adg_arena_array(&plan->arena, 1, sizeof *age);
    if (age == NULL) {
        return adg_fail_memory(error);
    }
    age->date = derivation->inputs[0];
    age->birth = derivation->inputs[1];
    struct range dates, births;
    status = read_days(plan, date, false, &age->dates, &dates, error);
    if (status == ADG_OK) {
        status = read_days(plan, birth, true, &age->births, &births, error);
    }
    if (status != ADG_OK || dates.least > dates.most || births.least > births.most) {
        return status; /* no date or no birth at all: null throughout */
    }
    return list_ages(plan, field, age, clamp_days(dates.least - births.most), clamp_days(dates.most - births.least),
                     dates.nulls || births.nulls, error);
}

enum adg_status adg_plan_person_age(struct adg_plan *plan, uint32_t field, uint32_t at, struct adg_error *error)
{
    const struct adg_people *people = plan->people;
    struct age *age = adg_arena_array(&plan->arena, 1, sizeof *age);
    struct range dates, births = {INT32_MAX, INT32_MIN, false};
    if (age == NULL) {
        return adg_fail_memory(error);
    }
    age->date = at;
    enum adg_status status = read_days(plan, &plan->columns[at], false, &age->dates, &dates, error);
    for (uint32_t v = 0; v <= people->births.count && status == ADG_OK; v++) {
        int32_t day = people->birth_days[v];
        if (plan->presence.ends[v] == 0) {
            continue;
        }
        births.nulls = births.nulls || day == ADG_NO_DAY;
        births.least = day != ADG_NO_DAY && day < births.least ? day : births.least;
        births.most = day != ADG_NO_DAY && day > births.most ? day : births.most;
    }
    if (status != ADG_OK || dates.least > dates.most || births.least > births.most) {
        return status; /* no date or no birth at all: null throughout */
    }
    return list_ages(plan, field, age, clamp_days(dates.least - births.most), clamp_days(dates.most - births.least),
                     dates.nulls || births.nulls, error);
}

/* The fraction of an age in years or infants' codes; other ages are their own. */
static enum adg_status plan_from_category(struct adg_plan *plan, uint32_t field, struct adg_error *error)
{
    const struct adg_field *description = plan->columns[field].field;
    const struct adg_plan_column *input = NULL;
    enum adg_status status = adg_plan_input(plan, field, 0, &input, error);
    if (status != ADG_OK) {
        return status;
    }
    uint32_t count = input->dictionary.count;
    struct adg_value *values = adg_alloc_array((size_t)count + 1, sizeof *values);
    if (values == NULL) {
        return adg_fail_memory(error);
    }
    for (uint32_t i = 0; i < count && status == ADG_OK; i++) {
        char scratch[ADG_VALUE_TEXT_BYTES];
        const char *text = NULL;
        size_t size = adg_dictionary_text(&input->dictionary, input->field->scale, i, scratch, &text);
        double age = 0;
        values[i] = (struct adg_value){.null = true};
        if (adg_double_parse(text, size, &age)) {
            age = adg_age_fraction_of_category(age);
            status = adg_value_from_number(description, age, &plan->arena, &values[i], error);
        }
    }
    values[count] = (struct adg_value){.null = true};
    if (status == ADG_OK) {
        status = adg_plan_map(plan, field, description->derivation->inputs[0], values, error);
    }
    adg_free(values);
    return status;
}

enum adg_status adg_plan_age(struct adg_plan *plan, uint32_t field, struct adg_error *error)
{
    return plan->columns[field].field->derivation->kind == ADG_DERIVE_AGE_FRACTION_OF_CATEGORY
               ? plan_from_category(plan, field, error)
               : plan_from_dates(plan, field, error);
}
