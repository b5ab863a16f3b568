/*
 * Personal data: see personal.h. The rules for e-mail addresses, phone numbers, postcodes and NHS numbers are those of a review
 * (docs/commands.md), held against source values.
 */
#include "classify/personal.h"

#include <string.h>

enum { HEALTH_NUMBER_DIGITS = 10, PHONE_DIGITS = 11, PROSE_SPACES = 3, PROSE_BYTES = 20 };

const char *adg_personal_text(enum adg_personal kind)
{
    static const char *const texts[] = {
        [ADG_PERSONAL_NONE] = "nothing personal",     [ADG_PERSONAL_EMAIL] = "e-mail addresses",
        [ADG_PERSONAL_PHONE] = "phone numbers",       [ADG_PERSONAL_POSTCODE] = "postcodes",
        [ADG_PERSONAL_HEALTH_NUMBER] = "NHS numbers", [ADG_PERSONAL_PROSE] = "text in sentences",
        [ADG_PERSONAL_NAME] = "people's names",       [ADG_PERSONAL_ADDRESS] = "addresses",
        [ADG_PERSONAL_BIRTH] = "dates of birth",      [ADG_PERSONAL_NUMBER] = "numbers that identify a person",
    };
    return texts[kind];
}

/* ---- values ------------------------------------------------------------------------------------------------------ */

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(uint8_t c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* The digits of a text that has nothing beside them but spaces, hyphens, and brackets or a plus; 0: it has. */
static uint32_t digits_of(struct adg_span text, char *digits, uint32_t most)
{
    uint32_t count = 0;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        if (is_digit(c) && count < most) {
            digits[count++] = (char)c;
        } else if (is_digit(c) || (c != ' ' && c != '-' && c != '(' && c != ')' && (c != '+' || i > 0))) {
            return 0;
        }
    }
    return count;
}

static bool has_check_digit(const char *digits)
{
    int sum = 0;
    bool same = true; /* ten equal digits are nobody's number */
    for (int i = 0; i < HEALTH_NUMBER_DIGITS - 1; i++) {
        sum += (digits[i] - '0') * (10 - i);
        same = same && digits[i] == digits[i + 1];
    }
    int check = 11 - sum % 11;
    return !same && (check == 11 ? 0 : check) == digits[HEALTH_NUMBER_DIGITS - 1] - '0';
}

static bool is_phone(const char *digits, uint32_t count, bool plus)
{
    if (plus || (count > PHONE_DIGITS && strncmp(digits, "0044", 4) == 0)) {
        const char *rest = plus ? digits : digits + 2;
        return strncmp(rest, "44", 2) == 0 && count - (plus ? 0 : 2) >= 11 && count - (plus ? 0 : 2) <= 13;
    }
    return count == PHONE_DIGITS && digits[0] == '0' && memchr("12378", digits[1], 5) != NULL;
}

static bool is_email(struct adg_span text)
{
    const uint8_t *at = memchr(text.data, '@', text.size);
    if (at == NULL || at == text.data || memchr(text.data, ' ', text.size) != NULL) {
        return false;
    }
    size_t behind = text.size - (size_t)(at + 1 - text.data);
    const uint8_t *point = behind > 1 ? memchr(at + 2, '.', behind - 1) : NULL;
    return point != NULL && point + 1 < text.data + text.size;
}

/* Area (one or two letters, a digit, perhaps another digit or a letter), then a digit and two letters; spaces do not count. */
static bool is_postcode(struct adg_span text)
{
    uint8_t c[8];
    size_t size = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] != ' ') {
            if (size == 7) {
                return false;
            }
            c[size++] = text.data[i];
        }
    }
    if (size < 5 || !is_digit(c[size - 3]) || !is_letter(c[size - 2]) || !is_letter(c[size - 1])) {
        return false;
    }
    size_t area = size - 3, letters = is_letter(c[1]) ? 2 : 1;
    return is_letter(c[0]) && area > letters && area <= letters + 2 && is_digit(c[letters]) &&
           (area == letters + 1 || is_digit(c[letters + 1]) || is_letter(c[letters + 1]));
}

enum adg_personal adg_personal_value(struct adg_span text)
{
    char digits[16];
    if (text.size < 5) {
        return ADG_PERSONAL_NONE;
    }
    if (is_digit(text.data[0]) || text.data[0] == '+' || text.data[0] == '(') {
        uint32_t count = text.size <= 24 ? digits_of(text, digits, sizeof digits) : 0;
        return count == HEALTH_NUMBER_DIGITS && has_check_digit(digits)    ? ADG_PERSONAL_HEALTH_NUMBER
               : count > 0 && is_phone(digits, count, text.data[0] == '+') ? ADG_PERSONAL_PHONE
                                                                           : ADG_PERSONAL_NONE;
    }
    if (text.size <= 9 && is_postcode(text)) {
        return ADG_PERSONAL_POSTCODE;
    }
    if (is_email(text)) {
        return ADG_PERSONAL_EMAIL;
    }
    size_t spaces = 0;
    for (size_t i = 1; text.size >= PROSE_BYTES && i < text.size; i++) {
        spaces += text.data[i] == ' ' && is_letter(text.data[i - 1]);
    }
    return spaces >= PROSE_SPACES ? ADG_PERSONAL_PROSE : ADG_PERSONAL_NONE;
}

/* ---- names of columns -------------------------------------------------------------------------------------------- */

unsigned adg_name_words(const char *name, struct adg_word words[ADG_NAME_WORDS])
{
    unsigned count = 0;
    size_t length = 0;
    for (const char *at = name; *at != '\0'; at++) {
        uint8_t c = (uint8_t)*at, before = at > name ? (uint8_t)at[-1] : ' ';
        if (!is_letter(c) && !is_digit(c)) {
            continue;
        }
        bool small_before = before >= 'a' && before <= 'z', capital = c >= 'A' && c <= 'Z';
        bool begins = is_digit(c) ? !is_digit(before) : !is_letter(before) || (capital && small_before);
        if (begins) {
            length = 0;
            count++;
        }
        if (count <= ADG_NAME_WORDS && length + 1 < sizeof words->text) {
            words[count - 1].text[length++] = (char)(capital ? c + 32 : c);
            words[count - 1].text[length] = '\0';
        }
    }
    return count < ADG_NAME_WORDS ? count : ADG_NAME_WORDS;
}

bool adg_word_is_among(const char *word, const char *const *list)
{
    while (*list != NULL && strcmp(word, *list) != 0) {
        list++;
    }
    return *list != NULL;
}

bool adg_name_of_thing(const char *name)
{
    static const char *const things[] = {
        "hospital",     "trust",      "site",         "ward",    "practice", "provider",  "org",        "organisation",
        "organization", "drug",       "product",      "test",    "file",     "table",     "field",      "dataset",
        "system",       "clinic",     "dept",         "surgery", "event",    "procedure", "medication", "school",
        "company",      "department", "variable",     "country", "county",   "region",    "city",       "town",
        "brand",        "specialty",  "commissioner", NULL};
    struct adg_word words[ADG_NAME_WORDS];
    unsigned count = adg_name_words(name, words);
    for (unsigned i = 0; i < count; i++) {
        if (adg_word_is_among(words[i].text, things)) {
            return true;
        }
    }
    return false;
}

enum adg_personal adg_personal_column(const char *name)
{
    static const char *const names[] = {"name",       "names",    "surname",    "forename", "forenames",  "firstname",
                                        "lastname",   "fullname", "givenname",  "initials", "familyname", "maiden",
                                        "middlename", "nickname", "maidenname", NULL};
    static const char *const addresses[] = {"address", "addr", "street", "postcode", "postcd", "zip", "zipcode", NULL};
    static const char *const phones[] = {"phone", "telephone", "tel", "mobile", "fax", NULL};
    static const char *const mails[] = {"email", "mail", NULL};
    static const char *const births[] = {"dob", "dateofbirth", "birthdate", "birthday", NULL};
    static const char *const numbers[] = {"nino", "passport", "nhsnumber", "nhsno", NULL};
    static const char *const number_words[] = {"number", "no", "num", "nr", "id", NULL};
    struct adg_word words[ADG_NAME_WORDS];
    unsigned count = adg_name_words(name, words);
    enum adg_personal found = ADG_PERSONAL_NONE;
    bool birth = false, date = false;
    for (unsigned i = 0; i < count; i++) {
        const char *word = words[i].text, *next = i + 1 < count ? words[i + 1].text : "";
        birth = birth || strcmp(word, "birth") == 0;
        date = date || strcmp(word, "date") == 0;
        enum adg_personal kind = adg_word_is_among(word, names) ? ADG_PERSONAL_NAME
                                 : adg_word_is_among(word, addresses) ||
                                         (strcmp(word, "post") == 0 && strcmp(next, "code") == 0)
                                     ? ADG_PERSONAL_ADDRESS
                                 : adg_word_is_among(word, phones) ? ADG_PERSONAL_PHONE
                                 : adg_word_is_among(word, mails)  ? ADG_PERSONAL_EMAIL
                                 : adg_word_is_among(word, births) ? ADG_PERSONAL_BIRTH
                                 : adg_word_is_among(word, numbers) ||
                                         (strcmp(word, "nhs") == 0 && adg_word_is_among(next, number_words))
                                     ? ADG_PERSONAL_NUMBER
                                     : ADG_PERSONAL_NONE;
        found = found == ADG_PERSONAL_NONE ? kind : found;
    }
    found = found == ADG_PERSONAL_NONE && birth && date ? ADG_PERSONAL_BIRTH : found;
    return adg_name_of_thing(name) ? ADG_PERSONAL_NONE : found;
}
