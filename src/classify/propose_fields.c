/*
 * What each field becomes: see propose.h. The order of the questions matters: keys, empty columns, personal data, derived columns, identifiers,
 * dates, what belongs to a person, numbers, text.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "classify/propose.h"
#include "classify/shape.h"

enum {
    FEW = 100,           /* more different numbers are a measure */
    MOST_OF_PERSON = 60, /* different values of something that is one per person */
    MOST_TRACKED = 1000,
    ENOUGH_PAIRS = 100,
};

/* ---- what the second pass looks at ------------------------------------------------------------------------------- */

/* Text that may be one value per patient. */
static bool may_be_of_person(const struct adg_proposal *proposal, uint32_t c)
{
    const struct adg_column_profile *column = &proposal->table->columns[c];
    const struct adg_sketch_summary *values = &proposal->fields[c].values;
    bool month = adg_date_format_of(column, values) == ADG_DATE_MONTH;
    return proposal->patient_key >= 0 && c != proposal->patient_key && c != proposal->primary_key &&
           column->kind == ADG_SOURCE_TEXT && values->distinct >= 2 &&
           (month || (values->distinct <= MOST_OF_PERSON && column->fractions == 0 && column->timestamps == 0 &&
                      column->dates[ADG_DATE_ISO] == 0));
}

static bool is_date(const struct adg_column_profile *column)
{
    return column->filled > 0 && column->dates[ADG_DATE_ISO] == column->filled;
}

enum adg_status adg_propose_relations(struct adg_proposal *proposal, struct adg_relations *out, struct adg_error *error)
{
    const struct adg_table_profile *table = proposal->table;
    uint32_t *tracked = adg_arena_array(&proposal->arena, table->column_count, sizeof *tracked);
    uint32_t *dates = adg_arena_array(&proposal->arena, table->column_count, sizeof *dates);
    uint32_t *wholes = adg_arena_array(&proposal->arena, table->column_count, sizeof *wholes);
    if (tracked == NULL || dates == NULL || wholes == NULL) {
        return adg_fail_memory(error);
    }
    struct adg_relations relations = {.tracked = tracked, .dates = dates, .wholes = wholes};
    for (uint32_t c = 0; c < table->column_count; c++) {
        const struct adg_column_profile *column = &table->columns[c];
        if (c == proposal->primary_key || c == proposal->patient_key) {
            continue;
        }
        if (is_date(column)) {
            dates[relations.date_count++] = c;
        } else if (adg_is_whole(column) && proposal->fields[c].values.distinct >= 2 && column->leading_zeros == 0) {
            wholes[relations.whole_count++] = c;
        }
        if (may_be_of_person(proposal, c) && relations.tracked_count < MOST_TRACKED) {
            tracked[relations.tracked_count++] = c;
        }
    }
    if (proposal->patient_key >= 0) {
        relations.patients = &table->columns[proposal->patient_key].sketch;
    }
    *out = relations;
    return ADG_OK;
}

/* ---- decisions --------------------------------------------------------------------------------------------------- */

/* One field that is being decided. */
struct deciding {
    struct adg_proposal *proposal;
    const struct adg_relations *relations;
    struct adg_proposed_field *field;
    const struct adg_column_profile *column;
    uint32_t index;
    uint64_t distinct;
    bool alone;                       /* it cannot be derived */
    char count[ADG_COUNT_TEXT_BYTES]; /* of different values */
};

#define ADG_SAY(deciding, ...) adg_propose_text(&(deciding)->proposal->arena, __VA_ARGS__)

static void sample(struct deciding *d, enum adg_type type, enum adg_value_type value_type, const char *evidence)
{
    d->field->role = ADG_ROLE_SAMPLED;
    d->field->type = type;
    d->field->value_type = value_type;
    d->field->evidence = evidence;
}

/* Appended where most records would be lost. */
static const char *suppression(const struct deciding *d)
{
    const struct adg_sketch_summary *values = &d->field->values;
    return 2 * values->rare_records > values->records
               ? "; most records have one that fewer than 5 records have: suppressed"
               : "";
}

static void categories(struct deciding *d, enum adg_type type, const char *why)
{
    sample(d, type, ADG_VALUE_CATEGORICAL, ADG_SAY(d, "%s; %s different values%s", why, d->count, suppression(d)));
}

static void identify(struct deciding *d, const struct adg_shape *shape, const char *evidence, const char *decision)
{
    d->field->role = ADG_ROLE_ID;
    d->field->type = shape->type;
    d->field->pattern = adg_arena_strdup(&d->proposal->arena, shape->pattern);
    d->field->evidence = shape->widened
                             ? ADG_SAY(d, "%s; the pattern is wider than the values, to have enough strings", evidence)
                             : evidence;
    d->field->decision = decision;
}

/* Identifiers need a string for each row that somebody may generate. */
static double strings_needed(const struct deciding *d)
{
    enum { TIMES = 10, LEAST = 100000 };
    uint64_t needed = TIMES * d->proposal->table->rows;
    return (double)(needed > LEAST ? needed : LEAST);
}

static bool decide_empty(struct deciding *d)
{
    static const struct {
        enum adg_source_kind kind;
        enum adg_type type;
        enum adg_value_type value_type;
    } kinds[] = {
        {ADG_SOURCE_INT, ADG_TYPE_INT64, ADG_VALUE_CATEGORICAL},
        {ADG_SOURCE_DOUBLE, ADG_TYPE_DOUBLE, ADG_VALUE_CATEGORICAL},
        {ADG_SOURCE_DATE, ADG_TYPE_DATE, ADG_VALUE_DATE},
        {ADG_SOURCE_TIMESTAMP, ADG_TYPE_TIMESTAMP, ADG_VALUE_CATEGORICAL},
        {ADG_SOURCE_BOOLEAN, ADG_TYPE_BOOLEAN, ADG_VALUE_CATEGORICAL},
    };
    if (d->column->filled > 0) {
        return false;
    }
    sample(d, ADG_TYPE_STRING, ADG_VALUE_CATEGORICAL, "null in every row: nothing shows what it holds");
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (d->column->kind == kinds[i].kind) {
            sample(d, kinds[i].type, kinds[i].value_type, "null in every row: the type is that of the source");
        }
    }
    return true;
}

/* The kind of personal data that enough values look like. */
static enum adg_personal personal_by_values(const struct deciding *d)
{
    static const struct {
        enum adg_personal kind;
        unsigned percent; /* of the values that look so */
    } kinds[] = {
        {ADG_PERSONAL_EMAIL, 5},
        {ADG_PERSONAL_HEALTH_NUMBER, 80}, /* one number of ten digits in eleven has the check digit by chance */
        {ADG_PERSONAL_PHONE, 50},
        {ADG_PERSONAL_POSTCODE, 50},
        {ADG_PERSONAL_PROSE, 20}};
    enum { FEWEST = 3, PROSE_VALUES = 50 };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        uint64_t count = d->column->personal[kinds[i].kind];
        bool labels = kinds[i].kind == ADG_PERSONAL_PROSE &&
                      (d->distinct < PROSE_VALUES || d->distinct * 20 < d->column->filled);
        if (count >= FEWEST && count * 100 >= d->column->filled * kinds[i].percent && !labels) {
            return kinds[i].kind;
        }
    }
    return ADG_PERSONAL_NONE;
}

/* Keys are never sampled, whatever they hold; that they are personal data is said, and then they show no character. */
static bool decide_key(struct deciding *d)
{
    const struct adg_proposal *proposal = d->proposal;
    bool primary = d->index == proposal->primary_key;
    struct adg_shape shape;
    if (!primary && (int64_t)d->index != proposal->patient_key) {
        return false;
    }
    enum adg_personal by_name = adg_personal_column(d->field->column), by_values = personal_by_values(d);
    enum adg_personal kind = by_values != ADG_PERSONAL_NONE ? by_values : by_name;
    if (kind == ADG_PERSONAL_NONE) {
        adg_shape_of(d->column, d->distinct, strings_needed(d), &shape);
    } else {
        adg_shape_of_personal(d->column, ADG_PERSONAL_NUMBER, d->distinct, strings_needed(d), &shape);
    }
    d->field->personal = kind;
    identify(d, &shape,
             ADG_SAY(d, "%s key: %s%s%s%s", primary ? "primary" : "patient",
                     primary ? proposal->primary_evidence : proposal->patient_evidence,
                     kind != ADG_PERSONAL_NONE ? "; looks like personal data (" : "",
                     kind != ADG_PERSONAL_NONE ? adg_personal_text(kind) : "", kind != ADG_PERSONAL_NONE ? ")" : ""),
             primary ? proposal->primary_decision : NULL);
    return true;
}

static bool decide_personal(struct deciding *d)
{
    enum adg_personal by_name = adg_personal_column(d->field->column), by_values = personal_by_values(d);
    enum adg_personal kind = by_values != ADG_PERSONAL_NONE && by_values != ADG_PERSONAL_PROSE ? by_values
                             : by_name != ADG_PERSONAL_NONE                                    ? by_name
                                                                                               : by_values;
    struct adg_shape shape;
    if (kind == ADG_PERSONAL_NONE ||
        (kind == ADG_PERSONAL_BIRTH && adg_date_format_of(d->column, &d->field->values) == ADG_DATE_MONTH)) {
        return false;
    }
    adg_shape_of_personal(d->column, kind, d->distinct, strings_needed(d), &shape);
    identify(d, &shape,
             ADG_SAY(d, "looks like personal data (%s), by %s: never sampled", adg_personal_text(kind),
                     by_values == ADG_PERSONAL_NONE ? "the column's name" : "the values"),
             "leave it so, take it out at the source, or give it values: when it is nothing of a person");
    d->field->personal = kind;
    return true;
}

static bool decide_derived(struct deciding *d)
{
    int64_t from = d->field->derived_from;
    if (from < 0 || d->alone || d->column->kind != ADG_SOURCE_TEXT) {
        return false;
    }
    const struct adg_column_profile *other = &d->proposal->table->columns[from];
    bool equal = other->fingerprint == d->column->fingerprint;
    d->field->role = ADG_ROLE_DERIVED;
    d->field->type = ADG_TYPE_STRING;
    d->field->derivation = ADG_SAY(d, "prefix(%s, %u)", d->proposal->fields[from].name, d->column->longest);
    d->field->evidence = equal ? ADG_SAY(d, "equals %s in every row", d->proposal->fields[from].name)
                               : ADG_SAY(d, "the first %u characters of %s in every row", d->column->longest,
                                         d->proposal->fields[from].name);
    return true;
}

/* The members of a join as a derivation has them: NAME_01..20. */
static bool decide_gathered(struct deciding *d)
{
    if (d->field->gathered < 0 || d->alone) {
        return false;
    }
    const struct adg_join *join = &d->proposal->table->joins.list[d->field->gathered];
    for (uint32_t i = 0; i < join->count; i++) {
        const struct adg_proposed_field *member = &d->proposal->fields[join->members[i]];
        if (strcasecmp(member->name, member->column) != 0) {
            return false; /* another column has taken the name: it is out of the row */
        }
    }
    const char *first = d->proposal->fields[join->members[0]].name,
               *last = d->proposal->fields[join->members[join->count - 1]].name;
    const char *number = last + strlen(last);
    while (number > last && number[-1] >= '0' && number[-1] <= '9') {
        number--;
    }
    bool joined = adg_has_comma(d->column);
    d->field->role = ADG_ROLE_DERIVED;
    d->field->type = joined ? ADG_TYPE_STRING : ADG_TYPE_INT32;
    d->field->derivation = joined ? ADG_SAY(d, "join(%s..%s)", first, number)
                                  : ADG_SAY(d, "count_codes(%s..%s, cap %u)", first, number, join->count);
    d->field->evidence = joined ? ADG_SAY(d, "%s to %s, joined with commas, in every row", first, last)
                                : ADG_SAY(d, "how many of %s to %s are filled, and no \"-\" or \"&\", in every row",
                                          first, last);
    d->proposal->placeholders = d->proposal->placeholders || !joined;
    return true;
}

/* Random strings out of very many, such as pseudonyms, are identifiers however often they repeat. */
static bool is_pseudonym(const struct deciding *d)
{
    enum { LONG = 12 };
    struct adg_shape shape;
    adg_shape_of(d->column, d->distinct, 0, &shape);
    return d->column->longest >= LONG && adg_is_issued(d->column) && d->distinct >= FEW &&
           shape.strings >= 1e9 * (double)d->distinct;
}

static bool decide_identifier(struct deciding *d)
{
    const struct adg_sketch_summary *values = &d->field->values;
    bool number = adg_is_number(d->column), named = adg_key_name(d->field->column) > 0;
    if (adg_has_measures(d->column) || d->column->timestamps > 0 || adg_date_format_of(d->column, values) >= 0 ||
        d->column->kind == ADG_SOURCE_DOUBLE) {
        return false;
    }
    struct adg_shape shape;
    adg_shape_of(d->column, d->distinct, strings_needed(d), &shape);
    if (adg_is_nearly_unique(d->column, values) && (named || adg_is_issued(d->column))) {
        identify(d, &shape,
                 ADG_SAY(d, "an identifier: nearly every value occurs once%s", named ? ", and the name says so" : ""),
                 named || adg_is_dense(d->column) ? NULL
                 : number ? "whether it is an identifier, or a measure that nearly always differs"
                          : "whether it is an identifier, or a code of which so few records show few values twice");
    } else if (adg_is_nearly_unique(d->column, values) && !number) {
        identify(d, &shape,
                 "text of which nearly every value occurs once: it may identify people, and is never sampled",
                 "whether it is an identifier, or text that is better taken out at the source");
    } else if (d->distinct >= FEW && adg_patient_points(d->proposal->table, d->field, d->index) >= 4) {
        identify(
            d, &shape,
            ADG_SAY(d, "an identifier: %s different values that repeat, and its name or its form says so", d->count),
            "whether it is another key of a person");
    } else if (is_pseudonym(d)) {
        identify(d, &shape, ADG_SAY(d, "an identifier: %s different values of a form that has very many", d->count),
                 "whether it stands for people, or for something that may be sampled");
    } else {
        return false;
    }
    return true;
}

static bool decide_date(struct deciding *d)
{
    static const char *const conversions[ADG_DATE_FORMATS] = {
        [ADG_DATE_COMPACT] = "strptime(FIELD, '%Y%m%d')",
        [ADG_DATE_SHORT_SLASH] = "strptime(FIELD, '%d/%m/%y')",
        [ADG_DATE_LONG_SLASH] = "strptime(FIELD, '%d/%m/%Y')",
        [ADG_DATE_SHORT_DIGITS] = "strptime(FIELD, '%d%m%y')",
    };
    int format = adg_date_format_of(d->column, &d->field->values);
    const struct adg_column_profile *column = d->column;
    if (column->filled > 0 && column->timestamps == column->filled &&
        (column->midnights < column->filled || column->kind != ADG_SOURCE_TIMESTAMP)) {
        sample(d, ADG_TYPE_TIMESTAMP, ADG_VALUE_CONTINUOUS,
               "dates with a time of day, yyyy-MM-dd HH:mm:ss, in every value");
        return true;
    }
    if (column->filled > 0 && column->timestamps == column->filled) {
        sample(d, ADG_TYPE_DATE, ADG_VALUE_DATE,
               ADG_SAY(d, "dates, stored with a time of day that is always 0; %s different values%s", d->count,
                       suppression(d)));
        return true;
    }
    if (format == ADG_DATE_ISO) {
        sample(d, ADG_TYPE_DATE, ADG_VALUE_DATE,
               ADG_SAY(d, "dates, yyyy-MM-dd, in every value; %s different values%s", d->count, suppression(d)));
        return true;
    }
    if (format < 0 || format == ADG_DATE_MONTH) {
        return false;
    }
    categories(d, ADG_TYPE_STRING,
               ADG_SAY(d, "dates, %s, in every value, which are not read as dates", adg_date_format_names[format]));
    d->field->decision = ADG_SAY(
        d, "write them as yyyy-MM-dd at the source, such as with cast(%s as date), and give it type date, values DATE",
        conversions[format]);
    return true;
}

/* How much more often than by chance a patient's records agree: 0 as by chance, 1 always. */
static double agreement(const struct deciding *d)
{
    const struct adg_relations *relations = d->relations;
    for (uint32_t i = 0; relations != NULL && i < relations->tracked_count; i++) {
        if (relations->tracked[i] == d->index && relations->pairs >= ENOUGH_PAIRS) {
            double rows = (double)d->proposal->table->rows, filled = (double)d->column->filled / rows;
            double chance = d->field->values.chance * filled * filled + (1 - filled) * (1 - filled);
            double agreed = (double)relations->agreed[i] / (double)relations->pairs;
            return chance < 0.98 ? (agreed - chance) / (1 - chance) : 0;
        }
    }
    return 0;
}

static bool decide_person(struct deciding *d)
{
    bool month = adg_date_format_of(d->column, &d->field->values) == ADG_DATE_MONTH;
    if (agreement(d) < 0.7) {
        if (month) {
            categories(d, ADG_TYPE_STRING, "months, MMyyyy, in every value, that are not seen to be one per person");
        }
        return month;
    }
    sample(d, ADG_TYPE_STRING, month ? ADG_VALUE_DEMOGRAPHIC_DATE : ADG_VALUE_DEMOGRAPHIC_CATEGORICAL,
           ADG_SAY(d, "%s%s different values, and a patient's records agree far more often than by chance",
                   month ? "months, MMyyyy, in every value; " : "", d->count));
    return true;
}

/* Digits that are a code: written with zeros in front, or always as many of them and few, or with gaps. */
static const char *why_code(const struct deciding *d)
{
    const struct adg_column_profile *column = d->column;
    enum { SHORTEST = 2, GAPPED_VALUES = 1000, RECORDS_EACH = 20 };
    if (column->kind != ADG_SOURCE_TEXT) {
        return NULL;
    }
    if (d->proposal->table->typed) {
        return "digits that the source stores as text: codes";
    }
    if (column->leading_zeros > 0) {
        return "digits with zeros in front: codes";
    }
    bool constant = column->shortest == column->longest && column->longest >= SHORTEST && column->negative == 0;
    if (constant && d->distinct <= FEW) {
        return "digits, always equally many: codes";
    }
    double range = (double)column->most - (double)column->least + 1;
    return constant && column->longest > SHORTEST && d->distinct < GAPPED_VALUES && (double)d->distinct < 0.3 * range &&
                   column->filled > RECORDS_EACH * d->distinct
               ? "digits, always equally many, of which most numbers do not occur: codes"
               : NULL;
}

/* The difference of dates that a number is, or NULL. */
static const char *difference_of(struct deciding *d)
{
    const struct adg_relations *relations = d->relations;
    for (uint32_t i = 0; relations != NULL && i < relations->difference_count; i++) {
        const struct adg_difference *difference = &relations->differences[i];
        if (relations->wholes[difference->number] == d->index) {
            return ADG_SAY(d, "; the days from %s to %s in %s row where all are filled",
                           d->proposal->fields[relations->dates[difference->earlier]].name,
                           d->proposal->fields[relations->dates[difference->later]].name,
                           difference->disagreed == 0 ? "every" : "nearly every");
        }
    }
    return "";
}

static bool decide_number(struct deciding *d)
{
    const struct adg_column_profile *column = d->column;
    if (!adg_is_number(column)) {
        return false;
    }
    if (column->fractions > 0) {
        bool many = d->distinct > FEW, whole = column->decimals == 0 && column->exponents == 0;
        enum adg_type type = column->kind == ADG_SOURCE_DECIMAL && column->decimals <= 18 && column->longest <= 17
                                 ? ADG_TYPE_DECIMAL
                                 : ADG_TYPE_DOUBLE;
        d->field->precision = 18;
        d->field->scale = (uint8_t)column->decimals;
        if (many) {
            sample(d, type, ADG_VALUE_CONTINUOUS,
                   ADG_SAY(d, "numbers%s; %s different values", whole ? "" : " with decimals", d->count));
        } else {
            categories(d, type, "numbers with decimals, but few different ones");
        }
        return true;
    }
    if (!adg_is_whole(column)) {
        categories(d, ADG_TYPE_STRING, "digits, more than a number holds");
        return true;
    }
    const char *code = why_code(d);
    if (code != NULL) {
        categories(d, ADG_TYPE_STRING, code);
        return true;
    }
    enum adg_type type = column->least < INT32_MIN || column->most > INT32_MAX ? ADG_TYPE_INT64 : ADG_TYPE_INT32;
    const char *difference = difference_of(d);
    if (column->age_codes > 0 && column->ages + column->age_codes == column->filled) {
        categories(d, type, "whole numbers up to 130 and codes from 7001 to 7007: ages with the codes below one year");
    } else if (d->distinct > FEW) {
        sample(d, type, ADG_VALUE_CONTINUOUS,
               ADG_SAY(d, "whole numbers; %s different values%s%s", d->count,
                       adg_is_nearly_unique(column, &d->field->values) ? ", nearly every one once" : "",
                       difference == NULL ? "" : difference));
    } else {
        categories(d, type, difference == NULL ? NULL : ADG_SAY(d, "whole numbers%s", difference));
    }
    return true;
}

static void decide_text(struct deciding *d)
{
    const struct adg_column_profile *column = d->column;
    uint64_t numbers = column->whole + column->fractions, dates = column->dates[ADG_DATE_ISO] + column->timestamps;
    if (column->truths == column->filled) {
        categories(d, ADG_TYPE_BOOLEAN, "true and false");
    } else if (numbers * 20 >= column->filled * 19) {
        categories(d, ADG_TYPE_STRING, "nearly all of it numbers, but not all");
        d->field->decision = "whether to give it a type of number: what is none is then counted as null";
    } else if (dates * 20 >= column->filled * 19) {
        categories(d, ADG_TYPE_STRING, "nearly all of it dates, but not all");
        d->field->decision = "whether to give it type date, values DATE: what is none is then counted as null";
    } else if (column->letters > 0) {
        categories(d, ADG_TYPE_STRING,
                   column->letters == column->filled ? "text with letters" : "text, some of it with letters");
    } else {
        categories(d, ADG_TYPE_STRING, "digits and marks");
    }
}

/* The evidence of every branch ends up in the arena, or is NULL without memory. */
static enum adg_status decide(struct deciding *d, struct adg_error *error)
{
    if (!decide_key(d) && !decide_empty(d) && !decide_gathered(d) && !decide_personal(d) && !decide_identifier(d) &&
        !decide_date(d) && !decide_derived(d) && !decide_person(d) && !decide_number(d)) {
        decide_text(d);
    }
    bool complete = d->field->evidence != NULL && (d->field->role != ADG_ROLE_ID || d->field->pattern != NULL) &&
                    (d->field->role != ADG_ROLE_DERIVED || d->field->derivation != NULL);
    return complete ? ADG_OK : adg_fail_memory(error);
}

/* What a column follows from is said where it is not derived. */
static enum adg_status say_what_it_follows(struct deciding *d, struct adg_error *error)
{
    int64_t other = d->field->derived_from;
    if (other < 0 || d->field->role == ADG_ROLE_DERIVED) {
        return ADG_OK;
    }
    const struct adg_proposed_field *from = &d->proposal->fields[other];
    bool equal = d->proposal->table->columns[other].fingerprint == d->column->fingerprint;
    d->field->evidence = ADG_SAY(d, "%s; in every row it %s %s", d->field->evidence,
                                 equal ? "equals" : "is the beginning of", from->name);
    if (from->personal != ADG_PERSONAL_NONE && d->field->role == ADG_ROLE_SAMPLED) {
        d->field->decision = ADG_SAY(d, "whether a part of %s, which looks like personal data, may be described",
                                     from->name);
    }
    return d->field->evidence == NULL ? adg_fail_memory(error) : ADG_OK;
}

/* Whether the inputs of a derived field are what they must be: text, and no identifiers. */
static bool has_inputs(const struct adg_proposal *proposal, const struct adg_proposed_field *field)
{
    const uint32_t from = (uint32_t)field->derived_from;
    const struct adg_join *join = field->gathered >= 0 ? &proposal->table->joins.list[field->gathered] : NULL;
    const uint32_t *inputs = join != NULL ? join->members : &from;
    for (uint32_t i = 0; i < (join != NULL ? join->count : 1); i++) {
        const struct adg_proposed_field *input = &proposal->fields[inputs[i]];
        if (input->role == ADG_ROLE_ID || input->type != ADG_TYPE_STRING) {
            return false;
        }
    }
    return true;
}

/* Dates that stand in order: all must be sampled. */
static void order_dates(struct adg_proposal *proposal, const struct adg_relations *relations)
{
    uint32_t columns[ADG_ORDERED_DATES];
    uint32_t found = relations != NULL ? adg_relations_sorted_dates(relations, columns) : 0;
    for (uint32_t i = 0; i < found; i++) {
        const struct adg_proposed_field *field = &proposal->fields[columns[i]];
        if (field->role == ADG_ROLE_SAMPLED && field->value_type == ADG_VALUE_DATE) {
            proposal->sorted_dates[proposal->sorted_date_count++] = columns[i];
        }
    }
}

enum adg_status adg_propose_fields(struct adg_proposal *proposal, const struct adg_relations *relations,
                                   struct adg_error *error)
{
    const struct adg_table_profile *table = proposal->table;
    enum adg_status status = adg_propose_followers(proposal, error);
    bool changed = true;
    /* A field whose input turns out to be none is decided again, on its own, which may make it none for others. */
    for (int sweep = 0; changed && status == ADG_OK; sweep++) {
        changed = sweep == 0;
        for (uint32_t c = 0; c < table->column_count && status == ADG_OK; c++) {
            struct adg_proposed_field *field = &proposal->fields[c];
            struct deciding d = {.proposal = proposal,
                                 .relations = relations,
                                 .field = field,
                                 .column = &table->columns[c],
                                 .index = c,
                                 .distinct = field->values.distinct,
                                 .alone = sweep > 0};
            adg_count_text(d.distinct, d.count);
            if (sweep == 0 || (field->role == ADG_ROLE_DERIVED && !has_inputs(proposal, field))) {
                changed = true;
                status = decide(&d, error);
                status = status == ADG_OK ? say_what_it_follows(&d, error) : status;
            }
        }
    }
    if (status == ADG_OK) {
        order_dates(proposal, relations);
    }
    return status;
}
