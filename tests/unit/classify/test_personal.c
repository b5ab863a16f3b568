/*
 * Personal data, by the names of columns and by values.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "classify/personal.h"

static void test_values(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum adg_personal expected;
    } cases[] = {
        {"someone@example.org", ADG_PERSONAL_EMAIL},
        {"a@b", ADG_PERSONAL_NONE},
        {"@example.org", ADG_PERSONAL_NONE},
        {"somebody at example.org", ADG_PERSONAL_NONE},
        {"9434765919", ADG_PERSONAL_HEALTH_NUMBER},
        {"943 476 5919", ADG_PERSONAL_HEALTH_NUMBER},
        {"943-476-5919", ADG_PERSONAL_HEALTH_NUMBER},
        {"9434765918", ADG_PERSONAL_NONE},
        {"0000000000", ADG_PERSONAL_NONE},
        {"07700900123", ADG_PERSONAL_PHONE},
        {"(0113) 496 0123", ADG_PERSONAL_PHONE},
        {"+44 7700 900123", ADG_PERSONAL_PHONE},
        {"00447700900123", ADG_PERSONAL_PHONE},
        {"0123", ADG_PERSONAL_NONE},
        {"123456789012", ADG_PERSONAL_NONE},
        {"LS1 4AP", ADG_PERSONAL_POSTCODE},
        {"EC3N3DH", ADG_PERSONAL_POSTCODE},
        {"w1y 0hb", ADG_PERSONAL_POSTCODE},
        {"A81001", ADG_PERSONAL_NONE},
        {"RJ122", ADG_PERSONAL_NONE},
        {"E01012345", ADG_PERSONAL_NONE},
        {"LS1", ADG_PERSONAL_NONE},
        {"the wound has healed and there is no pain", ADG_PERSONAL_PROSE},
        {"Dressing", ADG_PERSONAL_NONE},
        {"2019-04-07 02:16:52", ADG_PERSONAL_NONE},
        {"@@@@@@@@", ADG_PERSONAL_NONE},
        {"+", ADG_PERSONAL_NONE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct adg_span text = {(const uint8_t *)cases[i].text, strlen(cases[i].text)};
        if (adg_personal_value(text) != cases[i].expected) {
            fail_msg("%s: %s", cases[i].text, adg_personal_text(adg_personal_value(text)));
        }
    }
}

static void test_columns(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum adg_personal expected;
    } cases[] = {
        {"SURNAME", ADG_PERSONAL_NAME},      {"PatientName", ADG_PERSONAL_NAME},
        {"first_name", ADG_PERSONAL_NAME},   {"HOSPITAL_NAME", ADG_PERSONAL_NONE},
        {"Ward Name", ADG_PERSONAL_NONE},    {"ADDRESS1", ADG_PERSONAL_ADDRESS},
        {"Post Code", ADG_PERSONAL_ADDRESS}, {"POSTCODE_OF_RESIDENCE", ADG_PERSONAL_ADDRESS},
        {"E-Mail", ADG_PERSONAL_EMAIL},      {"HomePhone", ADG_PERSONAL_PHONE},
        {"NHS_NUMBER", ADG_PERSONAL_NUMBER}, {"NHSNumber", ADG_PERSONAL_NUMBER},
        {"DOB", ADG_PERSONAL_BIRTH},         {"Date of Birth", ADG_PERSONAL_BIRTH},
        {"BIRTH_WEIGHT", ADG_PERSONAL_NONE}, {"ADMISSION_DATE", ADG_PERSONAL_NONE},
        {"RENAMED", ADG_PERSONAL_NONE},      {"", ADG_PERSONAL_NONE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (adg_personal_column(cases[i].name) != cases[i].expected) {
            fail_msg("%s: %s", cases[i].name, adg_personal_text(adg_personal_column(cases[i].name)));
        }
    }
}

static void test_words(void **state)
{
    (void)state;
    struct adg_word words[ADG_NAME_WORDS];
    assert_int_equal(adg_name_words("Time in A&E (mins)2", words), 6);
    assert_string_equal(words[0].text, "time");
    assert_string_equal(words[3].text, "e");
    assert_string_equal(words[5].text, "2");
    assert_int_equal(adg_name_words("a b c d e f g h i j k l m n o", words), ADG_NAME_WORDS);
    assert_int_equal(adg_name_words("averylongwordthatdoesnotfitintoaword", words), 1);
    assert_int_equal(strlen(words[0].text), sizeof words[0].text - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_values), cmocka_unit_test(test_columns),
                                       cmocka_unit_test(test_words)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
