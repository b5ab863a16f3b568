/*
 * The checks of texts in metadata: personal data, and values that look like none of a field's codes.
 *
 * Personal data fails: NHS numbers (ten digits, grouped or not, whose last is the check digit of modulus 11 as the NHS Data Dictionary
 * has it), e-mail addresses, UK telephone numbers, UK postcodes (outside organisation fields, whose codes may look like
 * them). The rest is shown. As in the original, only values longer than five characters are looked at, and for postcodes and what
 * is shown only those with a weight below 100.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "govern/internal.h"

#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/number.h"

enum { SHORT_BYTES = 5, PHONE_BYTES = 10, COMMON_WEIGHT = 100, FREE_TEXT_WORDS = 3 };

enum pattern { NHS_NUMBER, EMAIL, PHONE, POSTCODE, LETTERS, WHITESPACE, PATTERNS };

static const char *const pattern_texts[PATTERNS] = {
    [NHS_NUMBER] = "(?<![0-9])[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{4}(?![0-9])",
    [EMAIL] = "[A-Za-z0-9._%+'-]+@[A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)*\\.[A-Za-z]{2,}",
    /* after blanks, dots, hyphens and brackets were taken out */
    [PHONE] = "^(\\+440?|00440?|0)[12378][0-9]{8,9}$",
    [POSTCODE] = "^[A-Za-z]{1,2}[0-9][A-Za-z0-9]?[0-9][ABD-HJLNP-UW-Zabd-hjlnp-uw-z]{2}$",
    [LETTERS] = "^[A-Za-z]{6,}$",
    [WHITESPACE] = "\\S\\s+\\S",
};

struct matcher {
    pcre2_code *codes[PATTERNS];
    pcre2_match_data *match;
};

static void matcher_fini(struct matcher *matcher)
{
    for (int i = 0; i < PATTERNS; i++) {
        pcre2_code_free(matcher->codes[i]);
    }
    pcre2_match_data_free(matcher->match);
}

static bool matcher_init(struct matcher *matcher)
{
    for (int i = 0; i < PATTERNS; i++) {
        int number;
        PCRE2_SIZE at;
        matcher->codes[i] = pcre2_compile((PCRE2_SPTR)pattern_texts[i], PCRE2_ZERO_TERMINATED, 0, &number, &at, NULL);
        if (matcher->codes[i] == NULL) {
            return false;
        }
    }
    matcher->match = pcre2_match_data_create(16, NULL);
    return matcher->match != NULL;
}

/* What cannot be decided (a match limit) counts as found. */
static bool matches(const struct matcher *matcher, enum pattern pattern, struct adg_span text, size_t from)
{
    return pcre2_match(matcher->codes[pattern], text.data, text.size, from, 0, matcher->match, NULL) !=
           PCRE2_ERROR_NOMATCH;
}

/* Weights 10 to 2 on the first nine digits; 11 minus the rest is the tenth, 11 stands for 0, 10 is never given. */
static bool is_nhs_number(const uint8_t *text, size_t size)
{
    unsigned sum = 0, count = 0, last = 0;
    for (size_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9') {
            continue;
        }
        last = text[i] - '0';
        sum += count < 9 ? (10 - count) * last : 0;
        count++;
    }
    unsigned check = (11 - sum % 11) % 11;
    return count == 10 && check != 10 && check == last;
}

static bool holds_nhs_number(const struct matcher *matcher, struct adg_span text)
{
    for (size_t from = 0; from < text.size && matches(matcher, NHS_NUMBER, text, from);) {
        const PCRE2_SIZE *place = pcre2_get_ovector_pointer(matcher->match);
        if (is_nhs_number(text.data + place[0], place[1] - place[0])) {
            return true;
        }
        from = place[0] + 1;
    }
    return false;
}

/* `text` without the characters in `dropped`, cut at the size of `out`. */
static struct adg_span without(struct adg_span text, const char *dropped, uint8_t out[64])
{
    size_t size = 0;
    for (size_t i = 0; i < text.size && size < 64; i++) {
        if (text.data[i] == 0 || strchr(dropped, text.data[i]) == NULL) {
            out[size++] = text.data[i];
        }
    }
    return (struct adg_span){out, size};
}

static unsigned count_words(struct adg_span text)
{
    unsigned words = 0;
    bool within = false;
    for (size_t i = 0; i < text.size; i++) {
        bool blank = text.data[i] == 0 || strchr(" \t\r\n", text.data[i]) != NULL;
        words += !blank && !within;
        within = !blank;
    }
    return words;
}

/* ---- values ------------------------------------------------------------------------------------------------------ */

struct value {
    struct adg_span text;
    double weight;
    size_t row;           /* from 1 */
    size_t median_length; /* of the field; 0: not known */
    bool of_organisation;
};

static bool is_far(size_t length, size_t median)
{
    return median > 0 && (length > 2 * median || 2 * length < median);
}

static enum adg_status check_value(const struct adg_checker *checker, const struct matcher *matcher,
                                   const struct adg_metadata_row *row, const struct value *value)
{
    uint8_t scratch[64];
    struct adg_span text = value->text;
    bool rare = value->weight < COMMON_WEIGHT;
    if (text.size <= SHORT_BYTES) {
        return ADG_OK;
    }
    const struct {
        enum adg_check check;
        bool found;
        const char *message;
    } results[] = {
        {ADG_CHECK_NHS_NUMBER, holds_nhs_number(matcher, text), "a value is a valid NHS number"},
        {ADG_CHECK_EMAIL, matches(matcher, EMAIL, text, 0), "a value holds an e-mail address"},
        {ADG_CHECK_PHONE, text.size > PHONE_BYTES && matches(matcher, PHONE, without(text, " .-()\t", scratch), 0),
         "a value is a UK telephone number"},
        {ADG_CHECK_POSTCODE,
         rare && !value->of_organisation && matches(matcher, POSTCODE, without(text, " \t", scratch), 0),
         "a value is a UK postcode"},
        {ADG_CHECK_LENGTH, rare && is_far(text.size, value->median_length),
         "a rare value is far longer or shorter than the field's median"},
        {ADG_CHECK_LETTERS, rare && matches(matcher, LETTERS, text, 0), "a rare value is six or more letters"},
        {ADG_CHECK_WHITESPACE, rare && matches(matcher, WHITESPACE, text, 0), "a rare value holds blanks"},
        {ADG_CHECK_FREE_TEXT, count_words(text) > FREE_TEXT_WORDS, "a value has more than three words"},
    };
    enum adg_status status = ADG_OK;
    for (size_t i = 0; i < sizeof results / sizeof results[0] && status == ADG_OK; i++) {
        if (results[i].found) {
            status = adg_review_find(checker->review, results[i].check, row->table, row->field, value->row, "%s",
                                     results[i].message);
        }
    }
    return status;
}

static int by_size(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return x < y ? -1 : x > y;
}

/* The median length of a field's distinct values. */
static enum adg_status median_length(const struct adg_checker *checker, size_t first, size_t end, size_t *median)
{
    size_t *lengths = adg_alloc_array(end - first, sizeof *lengths), count = 0;
    if (lengths == NULL) {
        return adg_fail_memory(checker->error);
    }
    for (size_t i = first; i < end; i++) {
        if (checker->metadata->rows[i].string.text != NULL) {
            lengths[count++] = checker->metadata->rows[i].string.size;
        }
    }
    qsort(lengths, count, sizeof *lengths, by_size);
    *median = count > 0 ? lengths[count / 2] : 0;
    adg_free(lengths);
    return ADG_OK;
}

static bool is_organisation(const struct adg_checker *checker, const struct adg_metadata_row *row)
{
    const struct adg_dataset *dataset = NULL;
    if (adg_definition_find_table(checker->definition, row->table, &dataset, NULL, NULL) != ADG_OK) {
        return false;
    }
    for (uint32_t i = 0; i < dataset->review.organisation_field_count; i++) {
        if (strcmp(dataset->fields[dataset->review.organisation_fields[i]].name, row->field) == 0) {
            return true;
        }
    }
    return false;
}

/* The texts of one row: its string, its array's items, its number. */
static enum adg_status check_row(const struct adg_checker *checker, const struct matcher *matcher, struct value value)
{
    const struct adg_metadata_row *row = &checker->metadata->rows[value.row - 1];
    char number[ADG_NUMBER_TEXT_BYTES];
    enum adg_status status = ADG_OK;
    value.weight = row->has_weight ? row->weight : 0;
    if (row->string.text != NULL) {
        value.text = (struct adg_span){(const uint8_t *)row->string.text, row->string.size};
        status = check_value(checker, matcher, row, &value);
    }
    for (uint32_t i = 0; i < row->string_array_count && status == ADG_OK; i++) {
        if (row->string_array[i].text != NULL) {
            value.text = (struct adg_span){(const uint8_t *)row->string_array[i].text, row->string_array[i].size};
            status = check_value(checker, matcher, row, &value);
        }
    }
    if (status == ADG_OK && row->value_type == ADG_VALUE_DISCRETE && row->has_numeric) {
        value.text = (struct adg_span){(const uint8_t *)number, adg_double_format(row->numeric, number)};
        status = check_value(checker, matcher, row, &value);
    }
    return status;
}

enum adg_status adg_check_texts_of_values(const struct adg_checker *checker)
{
    const struct adg_metadata *metadata = checker->metadata;
    struct matcher matcher = {{NULL}, NULL};
    enum adg_status status = matcher_init(&matcher) ? ADG_OK : adg_fail_memory(checker->error);
    for (size_t first = 0, end; first < metadata->row_count && status == ADG_OK; first = end) {
        const struct adg_metadata_row *row = &metadata->rows[first];
        for (end = first + 1; end < metadata->row_count; end++) {
            const struct adg_metadata_row *next = &metadata->rows[end];
            if (next->value_type != row->value_type || strcmp(next->field, row->field) != 0 ||
                strcmp(next->table, row->table) != 0) {
                break;
            }
        }
        if (row->value_type == ADG_VALUE_RELATIONSHIP || row->value_type == ADG_VALUE_COMPLETENESS) {
            continue; /* names of fields and counts */
        }
        struct value value = {.of_organisation = is_organisation(checker, row)};
        status = median_length(checker, first, end, &value.median_length);
        for (size_t i = first; i < end && status == ADG_OK; i++) {
            value.row = i + 1;
            status = check_row(checker, &matcher, value);
        }
    }
    matcher_fini(&matcher);
    return status;
}
