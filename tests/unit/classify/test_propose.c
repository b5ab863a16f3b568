/*
 * What columns of made-up values become.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "classify/propose.h"
#include "classify/write.h"
#include "core/memory.h"

enum { ROWS = 3000, PEOPLE = 600, BATCH = 256, MOST_COLUMNS = 16 };

/* The value of a row, into `out`; empty: null. */
typedef void (*maker)(uint32_t row, char out[64]);

struct made_column {
    const char *name;
    maker make;
    enum adg_source_kind kind;
};

static uint32_t any(uint32_t row, uint32_t salt, uint32_t below)
{
    return (uint32_t)(adg_mix((uint64_t)row << 8 | salt) >> 20) % below;
}

static uint32_t person(uint32_t row)
{
    return any(row, 1, PEOPLE);
}

static void make_key(uint32_t row, char out[64])
{
    sprintf(out, "%08u%04u", (unsigned)(adg_mix(row + 1) % 100000000), row);
}

static void make_person(uint32_t row, char out[64])
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    uint64_t bits = adg_mix(person(row) + 77);
    strcpy(out, "PX");
    for (int i = 2; i < 16; i++) {
        out[i] = letters[adg_mix(bits + (uint64_t)i) % 62];
    }
    out[16] = '\0';
}

static void make_date(uint32_t row, char out[64])
{
    sprintf(out, "20%02u-%02u-%02u", 10 + any(row, 2, 9), 1 + any(row, 3, 12), 1 + any(row, 4, 28));
}

static void make_compact(uint32_t row, char out[64])
{
    sprintf(out, "20%02u%02u%02u", 10 + any(row, 2, 9), 1 + any(row, 3, 12), 1 + any(row, 4, 28));
}

static void make_long_slash(uint32_t row, char out[64])
{
    sprintf(out, "%02u/%02u/20%02u", 1 + any(row, 4, 28), 1 + any(row, 3, 12), 10 + any(row, 2, 9));
}

static void make_short_slash(uint32_t row, char out[64])
{
    sprintf(out, "%02u/%02u/%02u", 1 + any(row, 4, 28), 1 + any(row, 3, 12), 10 + any(row, 2, 9));
}

static void make_short_digits(uint32_t row, char out[64])
{
    sprintf(out, "%02u%02u%02u", 1 + any(row, 4, 28), 1 + any(row, 3, 12), 10 + any(row, 2, 9));
}

static void make_six_digits(uint32_t row, char out[64]) /* 30 codes, all of which happen to be days */
{
    sprintf(out, "%02u%02u%02u", 1 + any(row, 5, 3), 1 + any(row, 6, 2), 10 + any(row, 7, 5));
}

static void make_six_codes(uint32_t row, char out[64])
{
    sprintf(out, "%06u", 100001 + any(row, 5, 80) * 4451);
}

static void make_moment(uint32_t row, char out[64])
{
    sprintf(out, "2019-04-%02u %02u:%02u:%02u", 1 + any(row, 2, 28), any(row, 3, 24), any(row, 4, 60), any(row, 5, 60));
}

static void make_month(uint32_t row, char out[64])
{
    sprintf(out, "%02u19%02u", 1 + any(person(row), 8, 12), 30 + any(person(row), 9, 60));
}

static void make_loose_month(uint32_t row, char out[64])
{
    sprintf(out, "%02u19%02u", 1 + any(row, 8, 12), 30 + any(row, 9, 60));
}

static void make_of_person(uint32_t row, char out[64])
{
    sprintf(out, "%c", "ABCD"[any(row, 10, 20) == 0 ? any(row, 11, 4) : any(person(row), 12, 4)]);
}

static void make_letter(uint32_t row, char out[64])
{
    sprintf(out, "%c", "ABCD"[any(row, 13, 4)]);
}

static void make_constant(uint32_t row, char out[64])
{
    (void)row;
    strcpy(out, "202021");
}

static void make_null(uint32_t row, char out[64])
{
    (void)row;
    out[0] = '\0';
}

static void make_few_numbers(uint32_t row, char out[64])
{
    sprintf(out, "%u", any(row, 14, 30));
}

static void make_many_numbers(uint32_t row, char out[64])
{
    sprintf(out, "%d", (int)any(row, 14, 700) - 20);
}

static void make_ages(uint32_t row, char out[64])
{
    sprintf(out, "%u", any(row, 15, 50) == 0 ? 7001 + any(row, 16, 7) : any(row, 17, 121));
}

static void make_zeros(uint32_t row, char out[64])
{
    sprintf(out, "%03u", any(row, 18, 500));
}

static void make_gapped(uint32_t row, char out[64])
{
    sprintf(out, "%u", 100 + any(row, 19, 120) * 7);
}

static void make_decimals(uint32_t row, char out[64])
{
    sprintf(out, "%u.%u", any(row, 20, 90), any(row, 21, 10));
}

static void make_few_decimals(uint32_t row, char out[64])
{
    sprintf(out, "%u.5", any(row, 20, 9));
}

static void make_issued(uint32_t row, char out[64])
{
    sprintf(out, "%u", 700000000 + (unsigned)(adg_mix(row + 9) % 100000000));
}

static void make_counter(uint32_t row, char out[64])
{
    sprintf(out, "%u", row + 1);
}

static void make_money(uint32_t row, char out[64]) /* a measure that nearly always differs */
{
    uint64_t bits = adg_mix(row + 31);
    sprintf(out, "%u", (unsigned)((bits >> 8) % (UINT64_C(1) << (4 + bits % 27))));
}

static void make_hexadecimal(uint32_t row, char out[64])
{
    sprintf(out, "%08x-%04x", (unsigned)adg_mix(row + 3), row & 0xffff);
}

static void make_quoted(uint32_t row, char out[64])
{
    sprintf(out, "o'%08u", (unsigned)(adg_mix(row + 5) % 100000000));
}

static void make_surname(uint32_t row, char out[64])
{
    static const char *const names[] = {"Smith", "Jones", "Patel", "Brown"};
    strcpy(out, names[any(row, 22, 4)]);
}

static void make_postcode(uint32_t row, char out[64])
{
    sprintf(out, "LS%u %u%c%c", 1 + any(row, 23, 29), any(row, 24, 10), 'A' + (int)any(row, 25, 20),
            'A' + (int)any(row, 26, 20));
}

static void make_prose(uint32_t row, char out[64])
{
    static const char *const words[] = {"pain", "seen", "wound", "clean", "better", "again", "review", "home"};
    out[0] = '\0';
    for (uint32_t i = 0; i < 7; i++) {
        strcat(strcat(out, i > 0 ? " " : ""), words[any(row, 27 + i, 8)]);
    }
}

static void make_truth(uint32_t row, char out[64])
{
    strcpy(out, any(row, 35, 2) == 0 ? "true" : "false");
}

static void make_mixed(uint32_t row, char out[64])
{
    make_many_numbers(row, out);
    if (any(row, 36, 50) == 0) {
        strcpy(out, "unknown");
    }
}

/* ---- a table from them ------------------------------------------------------------------------------------------- */

struct made {
    struct adg_table_profile table;
    struct adg_proposal proposal;
    struct adg_relations relations;
};

static enum adg_status make_table(struct made *made, const struct made_column *columns, uint32_t count, uint32_t rows,
                                  struct adg_error *error)
{
    static const struct adg_field whole = {.type = ADG_TYPE_INT64}, date = {.type = ADG_TYPE_DATE};
    const char *names[MOST_COLUMNS] = {NULL};
    char text[64];
    for (uint32_t c = 0; c < count; c++) {
        names[c] = columns[c].name;
    }
    enum adg_status status = adg_table_profile_init(&made->table, names, count, BATCH, error);
    made->table.rows = rows;
    for (uint32_t c = 0; c < count && status == ADG_OK; c++) {
        made->table.columns[c].kind = columns[c].kind;
        made->table.typed = made->table.typed || columns[c].kind != ADG_SOURCE_TEXT;
    }
    for (uint32_t r = 0; r < rows && status == ADG_OK; r++) {
        for (uint32_t c = 0; c < count && status == ADG_OK; c++) {
            columns[c].make(r, text);
            const struct adg_span value = {(const uint8_t *)text, strlen(text)};
            if (value.size > 0) {
                status = adg_profile_add(&made->table.columns[c], r, value, error);
                adg_joins_add(&made->table.joins, c, r % BATCH, value);
            }
        }
        if (r % BATCH == BATCH - 1 || r + 1 == rows) {
            adg_joins_end_batch(&made->table.joins, r - r % BATCH, r % BATCH + 1);
        }
    }
    status = status == ADG_OK ? adg_propose_keys(&made->table, &made->proposal, error) : status;
    status = status == ADG_OK ? adg_propose_relations(&made->proposal, &made->relations, error) : status;
    status = status == ADG_OK ? adg_relations_begin(&made->relations, error) : status;
    for (uint32_t r = 0; r < rows && status == ADG_OK; r++) {
        uint64_t patient = 0, tracked[MOST_COLUMNS];
        int64_t dates[MOST_COLUMNS], wholes[MOST_COLUMNS];
        const struct {
            const uint32_t *columns;
            uint32_t count;
        } lists[] = {{made->relations.tracked, made->relations.tracked_count},
                     {made->relations.dates, made->relations.date_count},
                     {made->relations.wholes, made->relations.whole_count}};
        if (made->proposal.patient_key >= 0) {
            columns[made->proposal.patient_key].make(r, text);
            patient = adg_profile_hash((struct adg_span){(const uint8_t *)text, strlen(text)});
        }
        for (int list = 0; list < 3; list++) {
            for (uint32_t i = 0; i < lists[list].count; i++) {
                columns[lists[list].columns[i]].make(r, text);
                const struct adg_source_value source = {.text = {(const uint8_t *)text, strlen(text)}};
                struct adg_value value;
                adg_value_read(&source, list == 1 ? &date : &whole, &value);
                tracked[i] = list == 0 ? adg_profile_hash(source.text) : tracked[i];
                *(list == 1 ? &dates[i] : &wholes[i]) = value.null ? ADG_RELATIONS_NONE : value.integer;
            }
        }
        adg_relations_add(&made->relations, patient, tracked, dates, wholes);
    }
    if (status == ADG_OK) {
        adg_relations_end(&made->relations);
        status = adg_propose_fields(&made->proposal, &made->relations, error);
    }
    return status;
}

static void drop_table(struct made *made)
{
    adg_relations_fini(&made->relations);
    adg_proposal_fini(&made->proposal);
    adg_table_profile_fini(&made->table);
    *made = (struct made){0};
}

static const struct made_column key = {"RECORDKEY", make_key, ADG_SOURCE_TEXT},
                                people = {"PSEUDO_ID", make_person, ADG_SOURCE_TEXT};

/* The draft is read back: what is written is a definition. */
static void check_draft(const struct made *made, struct adg_buffer *out)
{
    struct adg_error error = {{0}};
    struct adg_definition *definition = NULL;
    assert_int_equal(adg_proposal_write(&made->proposal, "made", "made", true, out, &error), ADG_OK);
    if (adg_definition_parse("draft", (const char *)out->data, out->size, &definition, &error) != ADG_OK) {
        fail_msg("%s\n%.*s", error.message, (int)out->size, (const char *)out->data);
    }
    assert_int_equal(definition->datasets[0].field_count, made->table.column_count);
    adg_definition_free(definition);
}

static void test_columns(void **state)
{
    (void)state;
    static const struct {
        struct made_column column;
        const char *expected; /* type, and the value type, pattern or derivation */
        bool decision;
    } cases[] = {
        {{"SEEN", make_date, ADG_SOURCE_TEXT}, "date DATE", false},
        {{"SEEN", make_compact, ADG_SOURCE_TEXT}, "string CATEGORICAL", true},
        {{"SEEN", make_long_slash, ADG_SOURCE_TEXT}, "string CATEGORICAL", true},
        {{"SEEN", make_short_slash, ADG_SOURCE_TEXT}, "string CATEGORICAL", true},
        {{"SEEN", make_short_digits, ADG_SOURCE_TEXT}, "string CATEGORICAL", true},
        {{"CODE", make_six_digits, ADG_SOURCE_TEXT}, "string CATEGORICAL", false},
        {{"CODE", make_six_codes, ADG_SOURCE_TEXT}, "string CATEGORICAL", false},
        {{"MOMENT", make_moment, ADG_SOURCE_TEXT}, "timestamp CONTINUOUS", false},
        {{"BORN", make_month, ADG_SOURCE_TEXT}, "string DEMOGRAPHIC_DATE", false},
        {{"DOB", make_month, ADG_SOURCE_TEXT}, "string DEMOGRAPHIC_DATE", false},
        {{"BORN", make_loose_month, ADG_SOURCE_TEXT}, "string CATEGORICAL", false},
        {{"GENDER", make_of_person, ADG_SOURCE_TEXT}, "string DEMOGRAPHIC_CATEGORICAL", false},
        {{"OUTCOME", make_letter, ADG_SOURCE_TEXT}, "string CATEGORICAL", false},
        {{"YEAR", make_constant, ADG_SOURCE_TEXT}, "string CATEGORICAL", false},
        {{"YEAR", make_constant, ADG_SOURCE_INT}, "integer CATEGORICAL", false},
        {{"NOTHING", make_null, ADG_SOURCE_TEXT}, "string CATEGORICAL", false},
        {{"NOTHING", make_null, ADG_SOURCE_DATE}, "date DATE", false},
        {{"BEDS", make_few_numbers, ADG_SOURCE_TEXT}, "integer CATEGORICAL", false},
        {{"DAYS", make_many_numbers, ADG_SOURCE_TEXT}, "integer CONTINUOUS", false},
        {{"DAYS", make_many_numbers, ADG_SOURCE_INT}, "integer CONTINUOUS", false},
        {{"AGE", make_ages, ADG_SOURCE_TEXT}, "integer CATEGORICAL", false},
        {{"SPECIALTY", make_zeros, ADG_SOURCE_TEXT}, "string CATEGORICAL", false},
        {{"SPECIALTY", make_gapped, ADG_SOURCE_TEXT}, "string CATEGORICAL", false},
        {{"WEIGHT", make_decimals, ADG_SOURCE_TEXT}, "double CONTINUOUS", false},
        {{"WEIGHT", make_decimals, ADG_SOURCE_DOUBLE}, "double CONTINUOUS", false},
        {{"WEIGHT", make_decimals, ADG_SOURCE_DECIMAL}, "decimal(18,1) CONTINUOUS", false},
        {{"DOSE", make_few_decimals, ADG_SOURCE_TEXT}, "double CATEGORICAL", false},
        {{"SPELLID", make_issued, ADG_SOURCE_TEXT}, "integer [1-9]\\d{8}", false},
        {{"SPELL", make_issued, ADG_SOURCE_TEXT}, "integer [1-9]\\d{8}", true},
        {{"LINE", make_counter, ADG_SOURCE_TEXT}, "integer \\d{5}", false},
        {{"COST", make_money, ADG_SOURCE_TEXT}, "integer CONTINUOUS", false},
        {{"TOKEN", make_hexadecimal, ADG_SOURCE_TEXT}, "string [0-9a-f]{8}\\-[0-9a-f]{4}", true},
        {{"TAG_ID", make_quoted, ADG_SOURCE_TEXT}, "string o\\'\\d{8}", false},
        {{"SURNAME", make_surname, ADG_SOURCE_TEXT}, "string [A-Z][a-z]{4,9}", true},
        {{"WARD_NAME", make_surname, ADG_SOURCE_TEXT}, "string CATEGORICAL", false},
        {{"HOME", make_postcode, ADG_SOURCE_TEXT}, "string [A-Z]{1,2}\\d{1,2} \\d[A-Z]{2}", true},
        {{"NOTES", make_prose, ADG_SOURCE_TEXT}, "string [A-Z][a-z]{4,8} [a-z]{4,8} [a-z]{4,8}", true},
        {{"FLAG", make_truth, ADG_SOURCE_TEXT}, "boolean CATEGORICAL", false},
        {{"MIXED", make_mixed, ADG_SOURCE_TEXT}, "string CATEGORICAL", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct made_column columns[] = {key, people, cases[i].column};
        struct made made = {0};
        struct adg_error error = {{0}};
        struct adg_buffer draft = {0};
        char type[24], found[128];
        assert_int_equal(make_table(&made, columns, 3, ROWS, &error), ADG_OK);
        assert_int_equal(made.proposal.primary_key, 0);
        assert_int_equal(made.proposal.patient_key, 1);
        const struct adg_proposed_field *field = &made.proposal.fields[2];
        const struct adg_field described = {.type = field->type, .precision = field->precision, .scale = field->scale};
        adg_type_format(&described, type);
        snprintf(found, sizeof found, "%s %s", type,
                 field->role == ADG_ROLE_SAMPLED ? adg_value_type_name(field->value_type)
                 : field->role == ADG_ROLE_ID    ? field->pattern
                                                 : field->derivation);
        if (strcmp(found, cases[i].expected) != 0 || (field->decision != NULL) != cases[i].decision) {
            fail_msg("case %zu, %s: %s%s, expected %s (%s)", i, cases[i].column.name, found,
                     field->decision != NULL ? " with a decision" : "", cases[i].expected, field->evidence);
        }
        check_draft(&made, &draft);
        adg_buffer_fini(&draft);
        drop_table(&made);
    }
}

/* ---- columns together -------------------------------------------------------------------------------------------- */

static void make_code(uint32_t row, uint32_t salt, char out[64])
{
    if (any(row, salt, 3) == 0) {
        out[0] = '\0';
    } else {
        sprintf(out, "%c%02u%u", 'A' + (int)any(row, salt + 1, 6), any(row, salt + 2, 30), any(row, salt + 3, 10));
    }
}

static void make_code_1(uint32_t row, char out[64])
{
    make_code(row, 40, out);
}

static void make_code_2(uint32_t row, char out[64])
{
    make_code(row, 50, out);
}

static void make_code_3(uint32_t row, char out[64])
{
    strcpy(out, any(row, 60, 4) == 0 ? "-" : "");
}

static void make_short_code(uint32_t row, char out[64])
{
    make_code_1(row, out);
    out[out[0] == '\0' ? 0 : 3] = '\0';
}

static void make_joined(uint32_t row, char out[64])
{
    char codes[3][64];
    make_code_1(row, codes[0]);
    make_code_2(row, codes[1]);
    make_code_3(row, codes[2]);
    strcat(strcat(strcat(strcat(strcpy(out, codes[0]), ","), codes[1]), ","), codes[2]);
    while (out[0] != '\0' && out[strlen(out) - 1] == ',') {
        out[strlen(out) - 1] = '\0';
    }
}

static void make_counted(uint32_t row, char out[64])
{
    char code[64];
    make_code_1(row, code);
    unsigned count = code[0] != '\0';
    make_code_2(row, code);
    count += code[0] != '\0';
    sprintf(out, "%u", count);
    out[count > 0 ? 1 : 0] = '\0';
}

static uint32_t first_day(uint32_t row)
{
    return any(row, 70, 2000);
}

static void format_day(uint32_t day, char out[64])
{
    sprintf(out, "20%02u-%02u-%02u", 10 + day / 336, 1 + day / 28 % 12, 1 + day % 28);
}

static void make_admitted(uint32_t row, char out[64])
{
    format_day(first_day(row) / 28 * 28, out);
}

static void make_discharged(uint32_t row, char out[64]) /* in the same month */
{
    format_day(first_day(row), out);
}

static void make_stay(uint32_t row, char out[64])
{
    sprintf(out, "%u", first_day(row) % 28);
}

static void test_columns_together(void **state)
{
    (void)state;
    static const struct made_column columns[] = {
        {"RECORDKEY", make_key, ADG_SOURCE_TEXT},      {"CODE_01", make_code_1, ADG_SOURCE_TEXT},
        {"CODE_02", make_code_2, ADG_SOURCE_TEXT},     {"CODE_03", make_code_3, ADG_SOURCE_TEXT},
        {"CHAPTER", make_short_code, ADG_SOURCE_TEXT}, {"CODES", make_joined, ADG_SOURCE_TEXT},
        {"HOW_MANY", make_counted, ADG_SOURCE_TEXT},   {"AGAIN", make_code_2, ADG_SOURCE_TEXT},
        {"ADMITTED", make_admitted, ADG_SOURCE_TEXT},  {"DISCHARGED", make_discharged, ADG_SOURCE_TEXT},
        {"STAY", make_stay, ADG_SOURCE_TEXT},          {"Home Post", make_postcode, ADG_SOURCE_TEXT},
        {"HOME_POST", make_postcode, ADG_SOURCE_TEXT},
    };
    struct made made = {0};
    struct adg_error error = {{0}};
    struct adg_buffer draft = {0};
    assert_int_equal(make_table(&made, columns, sizeof columns / sizeof columns[0], ROWS, &error), ADG_OK);
    const struct adg_proposed_field *fields = made.proposal.fields;
    assert_int_equal(made.proposal.patient_key, -1);
    assert_string_equal(fields[4].derivation, "prefix(CODE_01, 3)");
    assert_string_equal(fields[5].derivation, "join(CODE_01..03)");
    assert_string_equal(fields[6].derivation, "count_codes(CODE_01..03, cap 3)");
    assert_string_equal(fields[7].derivation, "prefix(CODE_02, 4)");
    assert_non_null(strstr(fields[10].evidence, "the days from ADMITTED to DISCHARGED in every row"));
    assert_int_equal(fields[10].value_type, ADG_VALUE_CATEGORICAL);
    assert_string_equal(fields[11].name, "HOME_POST");
    assert_string_equal(fields[12].name, "HOME_POST_2");
    assert_int_equal(fields[12].role, ADG_ROLE_ID);
    assert_int_equal(made.proposal.sorted_date_count, 2);
    assert_int_equal(made.proposal.sorted_dates[0], 8);
    assert_int_equal(made.proposal.sorted_dates[1], 9);
    check_draft(&made, &draft);
    assert_non_null(strstr(adg_buffer_text(&draft), "placeholders: ['-', '&']"));
    assert_non_null(strstr(adg_buffer_text(&draft), "column: \"Home Post\""));
    adg_buffer_fini(&draft);
    drop_table(&made);
}

/* Rows of numbered columns of which all but one are empty: each would be the join of the other. */
static void test_nothing_is_derived_from_itself(void **state)
{
    (void)state;
    static const struct made_column columns[] = {
        {"RECORDKEY", make_key, ADG_SOURCE_TEXT}, {"A_01", make_joined, ADG_SOURCE_TEXT},
        {"A_02", make_null, ADG_SOURCE_TEXT},     {"B_01", make_joined, ADG_SOURCE_TEXT},
        {"B_02", make_null, ADG_SOURCE_TEXT},     {"ALL", make_joined, ADG_SOURCE_TEXT},
    };
    struct made made = {0};
    struct adg_error error = {{0}};
    struct adg_buffer draft = {0};
    assert_int_equal(make_table(&made, columns, sizeof columns / sizeof columns[0], ROWS, &error), ADG_OK);
    assert_int_equal(made.proposal.fields[1].role, ADG_ROLE_SAMPLED);
    assert_non_null(strstr(made.proposal.fields[3].derivation, "prefix(A_01, "));
    check_draft(&made, &draft);
    adg_buffer_fini(&draft);
    drop_table(&made);
}

/* ---- keys -------------------------------------------------------------------------------------------------------- */

static void test_keys(void **state)
{
    (void)state;
    static const struct {
        struct made_column columns[4];
        uint32_t count, rows;
        int primary, patient; /* primary -1: refused */
        bool decision;
    } cases[] = {
        {{{"RECORDKEY", make_key, ADG_SOURCE_TEXT}, {"PSEUDO_ID", make_person, ADG_SOURCE_TEXT}}, 2, ROWS, 0, 1, false},
        {{{"LINE", make_counter, ADG_SOURCE_TEXT}, {"RECORD_ID", make_issued, ADG_SOURCE_TEXT}}, 2, ROWS, 1, -1, false},
        {{{"LINE", make_counter, ADG_SOURCE_TEXT}, {"TOKEN", make_person, ADG_SOURCE_TEXT}}, 2, ROWS, 0, -1, false},
        {{{"OUTCOME", make_letter, ADG_SOURCE_TEXT}}, 1, ROWS, 0, -1, true},
        {{{"OUTCOME", make_letter, ADG_SOURCE_TEXT}, {"CODE", make_code_1, ADG_SOURCE_TEXT}}, 2, ROWS, 1, -1, true},
        {{{"RECORD_ID", make_counter, ADG_SOURCE_TEXT}}, 1, 5, 0, -1, true},
        {{{"WEIGHT", make_decimals, ADG_SOURCE_TEXT}, {"SEEN", make_date, ADG_SOURCE_TEXT}}, 2, ROWS, -1, -1, false},
        {{{"NOTHING", make_null, ADG_SOURCE_TEXT}}, 1, ROWS, -1, -1, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct made made = {0};
        struct adg_error error = {{0}};
        struct adg_buffer draft = {0};
        enum adg_status status = make_table(&made, cases[i].columns, cases[i].count, cases[i].rows, &error);
        assert_int_equal(status, cases[i].primary < 0 ? ADG_BAD_INPUT : ADG_OK);
        if (status == ADG_OK) {
            assert_int_equal(made.proposal.primary_key, cases[i].primary);
            assert_int_equal(made.proposal.patient_key, cases[i].patient);
            assert_int_equal(made.proposal.primary_decision != NULL, cases[i].decision);
            check_draft(&made, &draft);
        }
        adg_buffer_fini(&draft);
        drop_table(&made);
    }
}

static void test_allocation_failures(void **state)
{
    (void)state;
    const struct made_column columns[] = {key, people, {"Some code", make_letter, ADG_SOURCE_TEXT}};
    enum adg_status status = ADG_FAILED;
    for (uint64_t n = 1; status != ADG_OK; n++) {
        struct made made = {0};
        adg_memory_fail_at(n);
        status = make_table(&made, columns, 3, 100, NULL);
        adg_memory_fail_at(0);
        assert_true(status == ADG_OK || status == ADG_FAILED);
        drop_table(&made);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_columns),
        cmocka_unit_test(test_columns_together),
        cmocka_unit_test(test_nothing_is_derived_from_itself),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_allocation_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
