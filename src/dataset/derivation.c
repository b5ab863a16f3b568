/*
 * Reads the named operations that make a derived field: see parse.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataset/parse.h"

enum { MAX_INPUTS = 1024, MAX_NAME = 128 };

static const struct operation {
    const char *name;
    enum adg_derivation_kind kind;
    enum adg_type result;
    uint32_t inputs;              /* exactly; 0: one or more */
    enum adg_type input_types[2]; /* of inputs 0 and 1; of all, when there may be many */
    const char *number;           /* NULL: none; "": a bare number; else the word before it */
    const char *form;
} operations[] = {
    {"prefix", ADG_DERIVE_PREFIX, ADG_TYPE_STRING, 1, {ADG_TYPE_STRING}, "", "prefix(FIELD, CHARACTERS)"},
    {"join", ADG_DERIVE_JOIN, ADG_TYPE_STRING, 0, {ADG_TYPE_STRING}, NULL, "join(FIELD, ...)"},
    {"count_codes",
     ADG_DERIVE_COUNT_CODES,
     ADG_TYPE_INT32,
     0,
     {ADG_TYPE_STRING},
     "cap",
     "count_codes(FIELD, ..., cap NUMBER)"},
    {"age_category",
     ADG_DERIVE_AGE_CATEGORY,
     ADG_TYPE_INT32,
     2,
     {ADG_TYPE_DATE, ADG_TYPE_STRING},
     NULL,
     "age_category(DATE, MONTH_OF_BIRTH)"},
    {"age_fraction",
     ADG_DERIVE_AGE_FRACTION,
     ADG_TYPE_DOUBLE,
     2,
     {ADG_TYPE_DATE, ADG_TYPE_STRING},
     NULL,
     "age_fraction(DATE, MONTH_OF_BIRTH)"},
    {"age_fraction_of_category",
     ADG_DERIVE_AGE_FRACTION_OF_CATEGORY,
     ADG_TYPE_DOUBLE,
     1,
     {ADG_TYPE_INT32},
     NULL,
     "age_fraction_of_category(AGE)"},
};

struct reader {
    const char *text;
    size_t at;
    const struct adg_dataset *dataset;
    const struct operation *operation;
    uint32_t inputs[MAX_INPUTS];
    uint32_t count;
};

static void skip_spaces(struct reader *reader)
{
    while (reader->text[reader->at] == ' ') {
        reader->at++;
    }
}

static bool is_name_character(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

static size_t read_name(struct reader *reader, char name[MAX_NAME])
{
    size_t length = 0;
    while (is_name_character(reader->text[reader->at]) && length + 1 < MAX_NAME) {
        name[length++] = reader->text[reader->at++];
    }
    name[length] = '\0';
    return length;
}

static enum adg_status add_input(struct reader *reader, const char *name, struct adg_error *error)
{
    int64_t field = adg_dataset_find_field(reader->dataset, name);
    if (field < 0) {
        return adg_fail(error, ADG_BAD_INPUT, "expected a field of the dataset, found %s", name);
    }
    const struct operation *operation = reader->operation;
    if (reader->count == MAX_INPUTS || (operation->inputs != 0 && reader->count == operation->inputs)) {
        return adg_fail(error, ADG_BAD_INPUT, "expected %s", operation->form);
    }
    enum adg_type expected = operation->input_types[operation->inputs == 0 ? 0 : reader->count];
    if (reader->dataset->fields[field].type != expected) {
        char wanted[24], found[24];
        adg_type_format(&(struct adg_field){.type = expected}, wanted);
        adg_type_format(&reader->dataset->fields[field], found);
        return adg_fail(error, ADG_BAD_INPUT, "expected a field of type %s, %s is %s", wanted, name, found);
    }
    reader->inputs[reader->count++] = (uint32_t)field;
    return ADG_OK;
}

/* NAME, or NAME_01..20: the digits at the end of the name count up to the number behind the dots. */
static enum adg_status read_inputs(struct reader *reader, const char *name, struct adg_error *error)
{
    if (strncmp(reader->text + reader->at, "..", 2) != 0) {
        return add_input(reader, name, error);
    }
    size_t stem = strlen(name), end_digits = 0;
    while (stem > 0 && name[stem - 1] >= '0' && name[stem - 1] <= '9') {
        stem--;
    }
    int width = (int)(strlen(name) - stem);
    reader->at += 2;
    char end[MAX_NAME];
    size_t from = reader->at;
    end_digits = read_name(reader, end);
    unsigned long first = strtoul(name + stem, NULL, 10), last = strtoul(end, NULL, 10);
    if (width == 0 || width > 6 || end_digits == 0 || end_digits > 6 || strspn(end, "0123456789") != end_digits ||
        last < first) {
        reader->at = from;
        return adg_fail(error, ADG_BAD_INPUT, "expected a range such as NAME_01..20");
    }
    for (unsigned long i = first; i <= last; i++) {
        char numbered[MAX_NAME + 16];
        snprintf(numbered, sizeof numbered, "%.*s%0*lu", (int)stem, name, width, i);
        enum adg_status status = add_input(reader, numbered, error);
        if (status != ADG_OK) {
            return status;
        }
    }
    return ADG_OK;
}

/* The number at the end; *is_number says whether the argument was one. */
static enum adg_status read_number(struct reader *reader, const char *word, uint32_t *number, bool *is_number,
                                   struct adg_error *error)
{
    const char *expected = reader->operation->number;
    *is_number = false;
    if (expected == NULL || *number != 0) {
        return ADG_OK;
    }
    char digits[MAX_NAME];
    if (expected[0] != '\0') {
        if (strcmp(word, expected) != 0) {
            return ADG_OK;
        }
        skip_spaces(reader);
        read_name(reader, digits);
    } else {
        if (word[0] < '0' || word[0] > '9') {
            return ADG_OK;
        }
        snprintf(digits, sizeof digits, "%s", word);
    }
    unsigned long value = strspn(digits, "0123456789") == strlen(digits) && strlen(digits) <= 6
                              ? strtoul(digits, NULL, 10)
                              : 0;
    if (value == 0) {
        return adg_fail(error, ADG_BAD_INPUT, "expected a number from 1 to 999999");
    }
    *number = (uint32_t)value;
    *is_number = true;
    return ADG_OK;
}

static enum adg_status read_arguments(struct reader *reader, uint32_t *number, size_t *column, struct adg_error *error)
{
    enum adg_status status = ADG_OK;
    for (;;) {
        skip_spaces(reader);
        *column = reader->at;
        char word[MAX_NAME];
        if (read_name(reader, word) == 0) {
            return adg_fail(error, ADG_BAD_INPUT, "expected %s", reader->operation->form);
        }
        bool is_number = false;
        status = read_number(reader, word, number, &is_number, error);
        if (status == ADG_OK && !is_number) {
            status = read_inputs(reader, word, error);
        }
        if (status != ADG_OK) {
            return status;
        }
        skip_spaces(reader);
        *column = reader->at;
        if (reader->text[reader->at] == ')' && reader->text[reader->at + 1] == '\0') {
            return ADG_OK;
        }
        if (reader->text[reader->at] != ',' || is_number) {
            return adg_fail(error, ADG_BAD_INPUT, "expected %s", reader->operation->form);
        }
        reader->at++;
    }
}

enum adg_status adg_derivation_parse(const char *text, const struct adg_dataset *dataset, enum adg_type own_type,
                                     struct adg_arena *arena, struct adg_derivation *out, size_t *column,
                                     struct adg_error *error)
{
    struct reader reader = {.text = text, .dataset = dataset};
    char name[MAX_NAME];
    read_name(&reader, name);
    *column = 0;
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++) {
        if (strcmp(operations[i].name, name) == 0) {
            reader.operation = &operations[i];
        }
    }
    if (reader.operation == NULL || text[reader.at] != '(') {
        return adg_fail(error, ADG_BAD_INPUT,
                        "expected prefix(...), join(...), count_codes(...), age_category(...), "
                        "age_fraction(...) or age_fraction_of_category(...)");
    }
    if (reader.operation->result != own_type) {
        char wanted[24];
        adg_type_format(&(struct adg_field){.type = reader.operation->result}, wanted);
        return adg_fail(error, ADG_BAD_INPUT, "expected an operation that fits the field's type: %s gives %s", name,
                        wanted);
    }
    reader.at++;
    uint32_t number = 0;
    enum adg_status status = read_arguments(&reader, &number, column, error);
    if (status != ADG_OK) {
        return status;
    }
    const struct operation *operation = reader.operation;
    if (reader.count == 0 || (operation->inputs != 0 && reader.count != operation->inputs) ||
        (operation->number != NULL && number == 0)) {
        return adg_fail(error, ADG_BAD_INPUT, "expected %s", operation->form);
    }
    uint32_t *inputs = adg_arena_array(arena, reader.count, sizeof *inputs);
    if (inputs == NULL) {
        return adg_fail_memory(error);
    }
    memcpy(inputs, reader.inputs, reader.count * sizeof *inputs);
    *out = (struct adg_derivation){
        .kind = operation->kind, .inputs = inputs, .input_count = reader.count, .number = number};
    return ADG_OK;
}

enum adg_status adg_field_range_parse(const char *text, const struct adg_dataset *dataset, struct adg_arena *arena,
                                      const uint32_t **out, uint32_t *out_count, size_t *column,
                                      struct adg_error *error)
{
    static const struct operation range = {.inputs = 0, .input_types = {ADG_TYPE_STRING}, .form = "NAME_01..20"};
    struct reader reader = {.text = text, .dataset = dataset, .operation = &range};
    char name[MAX_NAME];
    *column = 0;
    enum adg_status status = read_name(&reader, name) == 0
                                 ? adg_fail(error, ADG_BAD_INPUT, "expected a range such as NAME_01..20")
                                 : read_inputs(&reader, name, error);
    if (status == ADG_OK && text[reader.at] != '\0') {
        *column = reader.at;
        status = adg_fail(error, ADG_BAD_INPUT, "expected the end of the range");
    }
    uint32_t *fields = status == ADG_OK ? adg_arena_array(arena, reader.count, sizeof *fields) : NULL;
    if (status == ADG_OK && fields == NULL) {
        status = adg_fail_memory(error);
    }
    if (status != ADG_OK) {
        return status;
    }
    memcpy(fields, reader.inputs, reader.count * sizeof *fields);
    *out = fields;
    *out_count = reader.count;
    return ADG_OK;
}
