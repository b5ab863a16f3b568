/*
 * Writing a definition: see write.h.
 */
#include "classify/write.h"

#include <string.h>
#include <strings.h>

/* The dataset's id: any number that is not a built-in dataset's, the same for the same name. */
static unsigned dataset_id(const char *name)
{
    enum { FIRST = 100, LAST = 65535 };
    struct adg_span text = {(const uint8_t *)name, strlen(name)};
    return FIRST + (unsigned)(adg_profile_hash(text) % (LAST - FIRST + 1));
}

static enum adg_status put_text(struct adg_buffer *out, const char *text, struct adg_error *error)
{
    return adg_buffer_append_text(out, text, error);
}

/* Between double quotes, with what YAML asks for there. */
static enum adg_status put_quoted(struct adg_buffer *out, const char *text, struct adg_error *error)
{
    enum adg_status status = put_text(out, "\"", error);
    for (const char *at = text; *at != '\0' && status == ADG_OK; at++) {
        unsigned char c = (unsigned char)*at;
        if (c == '"' || c == '\\') {
            status = adg_buffer_printf(out, error, "\\%c", c);
        } else if (c < ' ' || c == 127) {
            status = adg_buffer_printf(out, error, "\\x%02X", c);
        } else {
            status = adg_buffer_append(out, at, 1, error);
        }
    }
    return status == ADG_OK ? put_text(out, "\"", error) : status;
}

/* Between single quotes, where a backslash is itself and a quote is doubled. */
static enum adg_status put_pattern(struct adg_buffer *out, const char *pattern, struct adg_error *error)
{
    enum adg_status status = put_text(out, "pattern: '", error);
    for (const char *at = pattern; *at != '\0' && status == ADG_OK; at++) {
        status = *at == '\'' ? put_text(out, "''", error) : adg_buffer_append(out, at, 1, error);
    }
    return status == ADG_OK ? put_text(out, "'", error) : status;
}

/* A comment in lines of a readable length. */
static enum adg_status put_comment(struct adg_buffer *out, const char *indent, const char *text,
                                   struct adg_error *error)
{
    enum { WIDTH = 130 };
    enum adg_status status = ADG_OK;
    while (*text != '\0' && status == ADG_OK) {
        size_t length = strlen(text);
        if (length > WIDTH) {
            length = WIDTH;
            while (length > 0 && text[length] != ' ') {
                length--;
            }
            length = length == 0 ? strcspn(text, " ") : length;
        }
        status = adg_buffer_printf(out, error, "%s# %.*s\n", indent, (int)length, text);
        text += length;
        text += strspn(text, " ");
    }
    return status;
}

static enum adg_status put_decision(struct adg_buffer *out, const char *indent, const char *decision,
                                    struct adg_error *error)
{
    struct adg_buffer text = {0};
    enum adg_status status = adg_buffer_printf(&text, error, "DECIDE: %s", decision);
    if (status == ADG_OK) {
        status = put_comment(out, indent, (const char *)text.data, error);
    }
    adg_buffer_fini(&text);
    return status;
}

static enum adg_status put_field(const struct adg_proposed_field *field, struct adg_buffer *out,
                                 struct adg_error *error)
{
    char type[24];
    const struct adg_field described = {.type = field->type, .precision = field->precision, .scale = field->scale};
    enum adg_status status = put_comment(out, "  ", field->evidence, error);
    if (status == ADG_OK && field->decision != NULL) {
        status = put_decision(out, "  ", field->decision, error);
    }
    if (status != ADG_OK) {
        return status;
    }
    adg_type_format(&described, type);
    bool quoted = field->type == ADG_TYPE_DECIMAL; /* its comma would end the entry */
    status = adg_buffer_printf(out, error, "  - {name: '%s', type: %s%s%s, ", field->name, quoted ? "'" : "", type,
                               quoted ? "'" : "");
    if (status == ADG_OK) {
        status = field->role == ADG_ROLE_ID ? put_pattern(out, field->pattern, error)
                 : field->role == ADG_ROLE_DERIVED
                     ? adg_buffer_printf(out, error, "derive: '%s'", field->derivation)
                     : adg_buffer_printf(out, error, "values: %s", adg_value_type_name(field->value_type));
    }
    if (status == ADG_OK && strcasecmp(field->name, field->column) != 0) {
        status = put_text(out, ", column: ", error);
        status = status == ADG_OK ? put_quoted(out, field->column, error) : status;
    }
    return status == ADG_OK ? put_text(out, "}\n", error) : status;
}

static enum adg_status put_sorted_dates(const struct adg_proposal *proposal, struct adg_buffer *out,
                                        struct adg_error *error)
{
    enum adg_status status = put_text(out,
                                      "# In nearly every row each of these dates is no later than the next, and filled "
                                      "where the next is: rows are made so.\n"
                                      "sorted_dates: [",
                                      error);
    for (uint32_t i = 0; i < proposal->sorted_date_count && status == ADG_OK; i++) {
        status = adg_buffer_printf(out, error, "%s'%s'", i > 0 ? ", " : "",
                                   proposal->fields[proposal->sorted_dates[i]].name);
    }
    return status == ADG_OK ? put_text(out, "]\n", error) : status;
}

static enum adg_status put_head(const struct adg_proposal *proposal, const char *dataset, const char *table,
                                bool all_rows, struct adg_buffer *out, struct adg_error *error)
{
    char rows[ADG_COUNT_TEXT_BYTES];
    enum adg_status status = adg_buffer_printf(
        out, error,
        "# A draft of a definition, proposed by adg classify from %s%s rows. It holds no value of the table, and "
        "counts to the\n"
        "# nearest 5. Every line says what it rests on; where it says DECIDE, a person has to. See docs/classify.md "
        "and docs/definitions.md.\n"
        "dataset: '%s'\n"
        "# Part of the address of its random numbers: never change it, never give it to another dataset.\n"
        "id: %u\n",
        all_rows ? "" : "the first ", adg_count_text(proposal->table->rows, rows), dataset, dataset_id(dataset));
    if (status == ADG_OK) {
        status = put_comment(out, "", proposal->primary_evidence, error);
    }
    if (status == ADG_OK && proposal->primary_decision != NULL) {
        status = put_decision(out, "", proposal->primary_decision, error);
    }
    if (status == ADG_OK) {
        status = adg_buffer_printf(out, error, "primary_key: '%s'\n", proposal->fields[proposal->primary_key].name);
    }
    if (status == ADG_OK && proposal->patient_key >= 0) {
        status = put_comment(out, "", proposal->patient_evidence, error);
        status = status == ADG_OK ? adg_buffer_printf(out, error, "patient_key: '%s'\n",
                                                      proposal->fields[proposal->patient_key].name)
                                  : status;
    } else if (status == ADG_OK) {
        status = put_decision(out, "",
                              "no column looks like the key of a person whose records repeat. If there is one, give it "
                              "a pattern and name it "
                              "as patient_key; without it, thresholds count records alone.",
                              error);
    }
    if (status == ADG_OK && proposal->sorted_date_count >= 2) {
        status = put_sorted_dates(proposal, out, error);
    }
    if (status == ADG_OK && proposal->placeholders) {
        status = put_text(out, "# What count_codes takes for no code.\nplaceholders: ['-', '&']\n", error);
    }
    return status == ADG_OK ? adg_buffer_printf(out, error, "tables: ['%s']\nfields:\n", table) : status;
}

enum adg_status adg_proposal_write(const struct adg_proposal *proposal, const char *dataset, const char *table,
                                   bool all_rows, struct adg_buffer *out, struct adg_error *error)
{
    enum adg_status status = put_head(proposal, dataset, table, all_rows, out, error);
    for (uint32_t c = 0; c < proposal->table->column_count && status == ADG_OK; c++) {
        status = put_field(&proposal->fields[c], out, error);
    }
    return status;
}
