/*
 * Names of fields, and the keys of a table: see propose.h.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "classify/propose.h"
#include "classify/shape.h"
#include "core/strings.h"

/* Fewer rows tell nothing of uniqueness. */
enum { ENOUGH_ROWS = 20, PATIENT_POINTS = 4, KEY_BYTES = 6 };

const char *adg_count_text(uint64_t count, char out[ADG_COUNT_TEXT_BYTES])
{
    if (count == 0) {
        snprintf(out, ADG_COUNT_TEXT_BYTES, "no");
    } else if (count < 5) {
        snprintf(out, ADG_COUNT_TEXT_BYTES, "fewer than 5");
    } else {
        snprintf(out, ADG_COUNT_TEXT_BYTES, "about %llu", (unsigned long long)((count + 2) / 5 * 5));
    }
    return out;
}

const char *adg_propose_text(struct adg_arena *arena, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return adg_arena_strdup(arena, text);
}

/* ---- what columns are -------------------------------------------------------------------------------------------- */

bool adg_is_number(const struct adg_column_profile *column)
{
    return column->filled > 0 && column->whole + column->fractions == column->filled;
}

bool adg_is_whole(const struct adg_column_profile *column)
{
    return column->filled > 0 && column->whole == column->filled && column->wide == 0;
}

bool adg_has_measures(const struct adg_column_profile *column)
{
    enum { ONE_IN = 20 };
    return column->fractions * ONE_IN > column->filled;
}

bool adg_is_unique(const struct adg_column_profile *column, const struct adg_sketch_summary *values)
{
    return column->filled > 1 && values->repeated == 0;
}

bool adg_is_nearly_unique(const struct adg_column_profile *column, const struct adg_sketch_summary *values)
{
    enum { ENOUGH = 50, ONE_IN = 50 };
    return column->filled >= ENOUGH && values->repeated <= values->kept / ONE_IN;
}

/* Most values have the same length. */
static bool is_steady(const struct adg_column_profile *column)
{
    for (uint32_t i = KEY_BYTES; i < ADG_PROFILE_LENGTHS - 1; i++) {
        if (column->lengths[i] * 5 >= column->filled * 4) {
            return true;
        }
    }
    return false;
}

bool adg_is_dense(const struct adg_column_profile *column)
{
    return adg_is_whole(column) && column->least >= 0 && column->filled > ENOUGH_ROWS &&
           (uint64_t)(column->most - column->least) < 2 * column->filled;
}

bool adg_is_issued(const struct adg_column_profile *column)
{
    return column->filled > 0 && (adg_is_dense(column) || is_steady(column)) && !adg_has_measures(column);
}

static int bits_of(uint32_t set)
{
    return __builtin_popcount(set);
}

int adg_date_format_of(const struct adg_column_profile *column, const struct adg_sketch_summary *values)
{
    enum { SIX_DIGIT_VALUES = 40, DAYS = 20, MONTHS = 6, MONTH_VALUES = 6 };
    for (int format = 0; format < ADG_DATE_FORMATS && column->filled > 0; format++) {
        if (column->dates[format] != column->filled) {
            continue;
        }
        /* One code of six digits in 27 is a day, one in 33 a month: many different ones, spread over days and months, are not by chance. */
        if (format == ADG_DATE_SHORT_DIGITS &&
            (values->distinct < SIX_DIGIT_VALUES || bits_of(column->days_seen) < DAYS ||
             bits_of(column->months_seen) < MONTHS || adg_is_nearly_unique(column, values))) {
            continue;
        }
        if (format == ADG_DATE_MONTH && (values->distinct < MONTH_VALUES || adg_is_nearly_unique(column, values))) {
            continue;
        }
        if (format == ADG_DATE_COMPACT && adg_is_unique(column, values) && column->filled > ENOUGH_ROWS) {
            continue;
        }
        return format;
    }
    return -1;
}

/* ---- names ------------------------------------------------------------------------------------------------------- */

int adg_key_name(const char *name)
{
    static const char *const keys[] = {"key", "id", "identifier", "uid", "uuid", "guid", NULL};
    static const char *const numbers[] = {"no", "number", "num", "nr", "ref", "reference", "mrn", "barcode", NULL};
    struct adg_word words[ADG_NAME_WORDS];
    unsigned count = adg_name_words(name, words);
    const char *last = count > 0 ? words[count - 1].text : "";
    return adg_word_is_among(last, keys) || adg_ends_with(last, "key")     ? 3
           : adg_word_is_among(last, numbers) || adg_ends_with(last, "id") ? 2
                                                                           : 0;
}

static bool has_word(const char *name, const char *const *list)
{
    struct adg_word words[ADG_NAME_WORDS];
    unsigned count = adg_name_words(name, words);
    for (unsigned i = 0; i < count; i++) {
        if (adg_word_is_among(words[i].text, list)) {
            return true;
        }
    }
    return false;
}

static bool speaks_of_a_person(const char *name)
{
    static const char *const people[] = {"patient", "patients", "person",      "pseudo",   "pseudonym", "nhs",
                                         "mrn",     "subject",  "participant", "client",   "member",    "individual",
                                         "citizen", "resident", "patientid",   "personid", NULL};
    return has_word(name, people);
}

static bool speaks_of_a_property(const char *name)
{
    static const char *const properties[] = {"age",   "gender", "type",  "category", "cat",         "status",
                                             "group", "class",  "date",  "time",     "weight",      "height",
                                             "sex",   "days",   "hours", "score",    "count",       "code",
                                             "flag",  "name",   "desc",  "reason",   "description", NULL};
    return has_word(name, properties);
}

static bool is_taken(const struct adg_proposal *proposal, uint32_t count, const char *name)
{
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(proposal->fields[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* The column's name as a definition wants it: capitals, digits and underscores. */
static enum adg_status name_field(struct adg_proposal *proposal, uint32_t column, struct adg_error *error)
{
    enum { LONGEST = 100 };
    char name[LONGEST + 32];
    size_t length = 0;
    for (const char *at = proposal->fields[column].column; *at != '\0' && length < LONGEST; at++) {
        bool small = *at >= 'a' && *at <= 'z';
        if (small || (*at >= 'A' && *at <= 'Z') || (*at >= '0' && *at <= '9') || *at == '_') {
            name[length++] = (char)(small ? *at - 32 : *at);
        } else if (length > 0 && name[length - 1] != '_') {
            name[length++] = '_';
        }
    }
    while (length > 0 && name[length - 1] == '_') {
        length--;
    }
    name[length] = '\0';
    if (length == 0) {
        length = (size_t)snprintf(name, sizeof name, "COLUMN_%u", column + 1);
    }
    for (unsigned n = 2; is_taken(proposal, column, name); n++) {
        snprintf(name + length, sizeof name - length, "_%u", n);
    }
    proposal->fields[column].name = adg_arena_strdup(&proposal->arena, name);
    return proposal->fields[column].name == NULL ? adg_fail_memory(error) : ADG_OK;
}

/* ---- keys -------------------------------------------------------------------------------------------------------- */

/* Dates, times, measures, true and false identify nothing. */
static bool may_identify(const struct adg_column_profile *column, const struct adg_sketch_summary *values)
{
    return column->filled > 0 && !adg_has_measures(column) && column->timestamps < column->filled &&
           column->truths < column->filled && adg_date_format_of(column, values) < 0 &&
           column->kind != ADG_SOURCE_DOUBLE && column->kind != ADG_SOURCE_BOOLEAN;
}

static bool is_personal(const struct adg_column_profile *column)
{
    uint64_t other = column->personal[ADG_PERSONAL_EMAIL] + column->personal[ADG_PERSONAL_PHONE] +
                     column->personal[ADG_PERSONAL_POSTCODE] + column->personal[ADG_PERSONAL_PROSE];
    enum adg_personal by_name = adg_personal_column(column->name);
    return other * 5 >= column->filled || (by_name != ADG_PERSONAL_NONE && by_name != ADG_PERSONAL_NUMBER);
}

static int primary_points(const struct adg_column_profile *column)
{
    return adg_key_name(column->name) + (adg_is_issued(column) ? 2 : 0) - (is_personal(column) ? 5 : 0) -
           (speaks_of_a_person(column->name) ? 1 : 0);
}

int adg_patient_points(const struct adg_table_profile *table, const struct adg_proposed_field *field, uint32_t column)
{
    enum { FEWEST_PATIENTS = 20, MOST_RECORDS = 1000, SHORTEST = 3 };
    const struct adg_column_profile *profile = &table->columns[column];
    const struct adg_sketch_summary *values = &field->values;
    struct adg_shape shape;
    bool repeats = values->repeated > 0 && values->distinct >= FEWEST_PATIENTS &&
                   profile->filled / values->distinct < MOST_RECORDS;
    if (!repeats || !may_identify(profile, values) || profile->longest < SHORTEST || is_personal(profile) ||
        speaks_of_a_property(profile->name) || adg_name_of_thing(profile->name)) {
        return 0;
    }
    adg_shape_of(profile, values->distinct, 0, &shape);
    double room = shape.strings / (double)values->distinct;
    bool health_number = profile->personal[ADG_PERSONAL_HEALTH_NUMBER] * 10 >= profile->filled * 9;
    return adg_key_name(profile->name) + (speaks_of_a_person(profile->name) ? PATIENT_POINTS : 0) +
           (health_number ? PATIENT_POINTS + 1 : 0) + (adg_is_issued(profile) && room >= 1e4 ? 1 : 0) +
           (adg_is_issued(profile) && room >= 1e9 ? 2 : 0);
}

static enum adg_status choose_primary(struct adg_proposal *proposal, struct adg_error *error)
{
    const struct adg_table_profile *table = proposal->table;
    int best_points = INT32_MIN;
    int64_t best = -1, nearest = -1;
    double nearest_share = 0;
    for (uint32_t c = 0; c < table->column_count; c++) {
        const struct adg_column_profile *column = &table->columns[c];
        const struct adg_sketch_summary *values = &proposal->fields[c].values;
        if (!may_identify(column, values)) {
            continue;
        }
        double share = (double)values->distinct / (double)table->rows + (is_personal(column) ? -1 : 0);
        if (nearest < 0 || share > nearest_share) {
            nearest = c;
            nearest_share = share;
        }
        if (column->filled == table->rows && adg_is_unique(column, values) && primary_points(column) > best_points) {
            best = c;
            best_points = primary_points(column);
        }
    }
    if (best < 0 && nearest < 0) {
        return adg_fail(error, ADG_BAD_INPUT,
                        "no column can identify a record: they are empty, dates, measures or true and false; add a "
                        "number of the record");
    }
    char kept[ADG_COUNT_TEXT_BYTES];
    proposal->primary_key = (uint32_t)(best >= 0 ? best : nearest);
    const struct adg_proposed_field *field = &proposal->fields[proposal->primary_key];
    proposal->primary_evidence =
        best < 0
            ? "no column has a value of its own in every record; this one comes nearest"
            : adg_propose_text(&proposal->arena, "filled in every record, and of %s values looked at none occurs twice",
                               adg_count_text(field->values.kept, kept));
    if (best < 0) {
        proposal->primary_decision = "add a number of the record at the source, and make it the primary key";
    } else if (best_points < 2) {
        proposal->primary_decision =
            "whether it identifies a record: only its values say so, neither its name nor their form";
    } else if (table->rows < ENOUGH_ROWS) {
        proposal->primary_decision = "whether it identifies a record: so few rows do not show it";
    }
    return proposal->primary_evidence == NULL ? adg_fail_memory(error) : ADG_OK;
}

static enum adg_status choose_patient(struct adg_proposal *proposal, struct adg_error *error)
{
    const struct adg_table_profile *table = proposal->table;
    int best = PATIENT_POINTS - 1;
    proposal->patient_key = -1;
    for (uint32_t c = 0; c < table->column_count; c++) {
        int points = c == proposal->primary_key ? 0 : adg_patient_points(table, &proposal->fields[c], c);
        if (points > best) {
            best = points;
            proposal->patient_key = c;
        }
    }
    if (proposal->patient_key < 0) {
        return ADG_OK;
    }
    char people[ADG_COUNT_TEXT_BYTES], rows[ADG_COUNT_TEXT_BYTES];
    const struct adg_column_profile *column = &table->columns[proposal->patient_key];
    proposal->patient_evidence = adg_propose_text(
        &proposal->arena, "%s different values in %s records%s%s",
        adg_count_text(proposal->fields[proposal->patient_key].values.distinct, people),
        adg_count_text(column->filled, rows),
        speaks_of_a_person(column->name) ? ", and its name speaks of a person" : "",
        adg_is_issued(column) ? ", that look like something that is issued" : "");
    return proposal->patient_evidence == NULL ? adg_fail_memory(error) : ADG_OK;
}

enum adg_status adg_propose_keys(const struct adg_table_profile *table, struct adg_proposal *out,
                                 struct adg_error *error)
{
    struct adg_proposal proposal = {.table = table, .patient_key = -1};
    proposal.fields = adg_arena_array(&proposal.arena, table->column_count, sizeof *proposal.fields);
    enum adg_status status = proposal.fields == NULL ? adg_fail_memory(error) : ADG_OK;
    for (uint32_t c = 0; c < table->column_count && status == ADG_OK; c++) {
        proposal.fields[c].column = table->columns[c].name;
        proposal.fields[c].derived_from = proposal.fields[c].gathered = -1;
        proposal.fields[c].values = adg_sketch_summarise(&table->columns[c].sketch);
        status = name_field(&proposal, c, error);
    }
    if (status == ADG_OK) {
        status = choose_primary(&proposal, error);
    }
    if (status == ADG_OK) {
        status = choose_patient(&proposal, error);
    }
    if (status != ADG_OK) {
        adg_arena_fini(&proposal.arena);
        return status;
    }
    *out = proposal;
    return ADG_OK;
}

void adg_proposal_fini(struct adg_proposal *proposal)
{
    adg_arena_fini(&proposal->arena);
    *proposal = (struct adg_proposal){0};
}
