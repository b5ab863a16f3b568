/*
 * YAML in, structs out: adg_definition_parse (see dataset.h, and docs/definitions.md for the format).
 *
 * The text is cut into documents at lines "---"; each is loaded with libyaml as a tree of nodes that know their line and column.
 * A document is read in two passes: first the fields' names and types, then what refers to other fields.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "core/buffer.h"
#include "dataset/parse.h"

enum { MAX_FIELDS = 65535, MAX_TABLES = 65535, MAX_DATASETS = 64, NAME_MAX_BYTES = 127 };

struct context {
    const char *file;
    size_t first_line; /* of this document in the file, 0-based */
    yaml_document_t *document;
    struct adg_arena *arena;
    struct adg_dataset *dataset;
    struct adg_field *fields;
    const yaml_node_t **derivations; /* per field: the node that holds its derivation, or NULL */
    struct adg_error *error;
};

/* "FILE:LINE:COLUMN: expected ..." with 1-based numbers; `byte` is the offset within a scalar. */
ADG_PRINTF(4, 5)
static enum adg_status
    refuse(const struct context *context, const yaml_node_t *node, size_t byte, const char *format, ...)
{
    char expected[sizeof context->error->message];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(expected, sizeof expected, format, arguments);
    va_end(arguments);
    yaml_mark_t mark = node->start_mark;
    size_t quote = node->type == YAML_SCALAR_NODE && (node->data.scalar.style == YAML_SINGLE_QUOTED_SCALAR_STYLE ||
                                                      node->data.scalar.style == YAML_DOUBLE_QUOTED_SCALAR_STYLE);
    return adg_fail(context->error, ADG_BAD_INPUT, "%s:%zu:%zu: %s", context->file, context->first_line + mark.line + 1,
                    mark.column + 1 + (byte > 0 ? byte + quote : 0), expected);
}

static const char *scalar(const yaml_node_t *node)
{
    return (const char *)node->data.scalar.value;
}

static const yaml_node_t *node_at(const struct context *context, int index)
{
    return yaml_document_get_node(context->document, index);
}

/* A plain name: letters, digits and underscores. */
static enum adg_status read_name(const struct context *context, const yaml_node_t *node, const char *what, bool upper,
                                 const char **out)
{
    size_t length = node->type == YAML_SCALAR_NODE ? node->data.scalar.length : 0;
    bool good = length > 0 && length <= NAME_MAX_BYTES;
    for (size_t i = 0; good && i < length; i++) {
        char c = scalar(node)[i];
        good = (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || (!upper && c >= 'a' && c <= 'z');
    }
    if (!good) {
        return refuse(context, node, 0, "expected %s: %sletters, digits and underscores", what,
                      upper ? "upper-case " : "");
    }
    *out = adg_arena_strndup(context->arena, scalar(node), length);
    return *out == NULL ? adg_fail_memory(context->error) : ADG_OK;
}

static enum adg_status read_number(const struct context *context, const yaml_node_t *node, uint32_t max,
                                   const char *what, uint32_t *out)
{
    size_t length = node->type == YAML_SCALAR_NODE ? node->data.scalar.length : 0;
    unsigned long value = 0;
    if (length > 0 && length <= 9 && strspn(scalar(node), "0123456789") == length) {
        value = strtoul(scalar(node), NULL, 10);
    }
    if (value < 1 || value > max) {
        return refuse(context, node, 0, "expected %s: a number from 1 to %u", what, max);
    }
    *out = (uint32_t)value;
    return ADG_OK;
}

/* Sorts a mapping's values into `values` by the NULL-ended list of keys; an unknown or repeated key is refused. */
static enum adg_status read_mapping(const struct context *context, const yaml_node_t *node, const char *const *keys,
                                    const yaml_node_t **values, const char *what)
{
    if (node->type != YAML_MAPPING_NODE) {
        return refuse(context, node, 0, "expected %s as a mapping of keys to values", what);
    }
    size_t key_count = 0;
    while (keys[key_count] != NULL) {
        values[key_count++] = NULL;
    }
    for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key = node_at(context, pair->key);
        size_t k = 0;
        while (k < key_count && (key->type != YAML_SCALAR_NODE || strcmp(scalar(key), keys[k]) != 0)) {
            k++;
        }
        if (k == key_count || values[k] != NULL) {
            char text[512];
            size_t length = (size_t)snprintf(text, sizeof text,
                                             k == key_count ? "expected one of the keys" : "expected each key once:");
            for (size_t i = 0; i < key_count && length < sizeof text; i++) {
                length += (size_t)snprintf(text + length, sizeof text - length, "%s %s", i == 0 ? "" : ",", keys[i]);
            }
            return refuse(context, key, 0, "%s", text);
        }
        values[k] = node_at(context, pair->value);
    }
    return ADG_OK;
}

static enum adg_status read_sequence(const struct context *context, const yaml_node_t *node, uint32_t max,
                                     const char *what, uint32_t *count)
{
    if (node->type != YAML_SEQUENCE_NODE) {
        return refuse(context, node, 0, "expected %s as a list", what);
    }
    size_t items = (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
    if (items > max) {
        return refuse(context, node, 0, "expected fewer %s", what);
    }
    *count = (uint32_t)items;
    return ADG_OK;
}

static const yaml_node_t *item(const struct context *context, const yaml_node_t *sequence, uint32_t i)
{
    return node_at(context, sequence->data.sequence.items.start[i]);
}

/* ---- fields ------------------------------------------------------------------------------------------------------ */

static enum adg_status read_type(const struct context *context, const yaml_node_t *node, struct adg_field *field)
{
    static const struct {
        const char *name;
        enum adg_type type;
    } types[] = {{"string", ADG_TYPE_STRING},  {"integer", ADG_TYPE_INT32}, {"long", ADG_TYPE_INT64},
                 {"double", ADG_TYPE_DOUBLE},  {"date", ADG_TYPE_DATE},     {"timestamp", ADG_TYPE_TIMESTAMP},
                 {"boolean", ADG_TYPE_BOOLEAN}};
    if (node->type == YAML_SCALAR_NODE) {
        for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
            if (strcmp(scalar(node), types[i].name) == 0) {
                field->type = types[i].type;
                return ADG_OK;
            }
        }
        unsigned precision, scale;
        int end = 0;
        if (sscanf(scalar(node), "decimal(%2u,%2u)%n", &precision, &scale, &end) == 2 &&
            (size_t)end == node->data.scalar.length && precision >= 1 && precision <= 18 && scale <= precision) {
            field->type = ADG_TYPE_DECIMAL;
            field->precision = (uint8_t)precision;
            field->scale = (uint8_t)scale;
            return ADG_OK;
        }
    }
    return refuse(
        context, node, 0,
        "expected a type: string, integer, long, double, decimal(P,S) with P from 1 to 18 and S at most P, date, "
        "timestamp or boolean");
}

static bool value_type_fits(enum adg_value_type value_type, enum adg_type type)
{
    switch (value_type) {
    case ADG_VALUE_CATEGORICAL:
        return true;
    case ADG_VALUE_DISCRETE:
    case ADG_VALUE_CONTINUOUS:
        return type == ADG_TYPE_INT32 || type == ADG_TYPE_INT64 || type == ADG_TYPE_DOUBLE || type == ADG_TYPE_DECIMAL;
    case ADG_VALUE_DATE:
        return type == ADG_TYPE_DATE;
    case ADG_VALUE_DEMOGRAPHIC_CATEGORICAL:
    case ADG_VALUE_DEMOGRAPHIC_DATE:
        return type == ADG_TYPE_STRING;
    case ADG_VALUE_COMPLETENESS:
    case ADG_VALUE_RELATIONSHIP:
        return false;
    }
    return false;
}

static enum adg_status read_pattern(const struct context *context, const yaml_node_t *node, struct adg_field *field)
{
    if (field->type != ADG_TYPE_STRING && field->type != ADG_TYPE_INT32 && field->type != ADG_TYPE_INT64) {
        return refuse(context, node, 0, "expected an identifier of type string, integer or long");
    }
    if (node->type != YAML_SCALAR_NODE) {
        return refuse(context, node, 0, "expected an identifier pattern");
    }
    struct adg_error reason = {{0}};
    size_t column = 0;
    enum adg_status status = adg_pattern_compile(scalar(node), context->arena, &field->pattern, &column, &reason);
    if (status == ADG_BAD_INPUT) {
        return refuse(context, node, column, "%s", reason.message);
    }
    if (status != ADG_OK) {
        return adg_fail(context->error, status, "%s", reason.message);
    }
    uint32_t digits_max = field->type == ADG_TYPE_INT32 ? 9 : 18;
    if (field->type != ADG_TYPE_STRING) {
        bool numeric = adg_pattern_max_length(field->pattern) <= digits_max;
        for (const char *c = scalar(node); numeric && *c != '\0'; c++) {
            numeric = strchr("0123456789\\d[](){},|?-", *c) != NULL;
        }
        if (!numeric || !adg_pattern_fixed_length(field->pattern)) {
            return refuse(context, node, 0,
                          "expected digits alone, always equally many (at most 9 for an integer, 18 for a long)");
        }
    }
    return ADG_OK;
}

/* Everything of a field but its derivation, which may refer to later fields. */
static enum adg_status read_field(struct context *context, const yaml_node_t *node, uint32_t index)
{
    enum { NAME, TYPE, VALUES, PATTERN, DERIVE };
    static const char *const keys[] = {"name", "type", "values", "pattern", "derive", NULL};
    const yaml_node_t *values[5];
    struct adg_field *field = &context->fields[index];
    enum adg_status status = read_mapping(context, node, keys, values, "a field");
    if (status != ADG_OK) {
        return status;
    }
    if (values[NAME] == NULL || values[TYPE] == NULL) {
        return refuse(context, node, 0, "expected a field with name and type");
    }
    if ((values[VALUES] != NULL) + (values[PATTERN] != NULL) + (values[DERIVE] != NULL) != 1) {
        return refuse(context, node, 0, "expected exactly one of values, pattern and derive");
    }
    status = read_name(context, values[NAME], "a field's name", true, &field->name);
    if (status != ADG_OK || (status = read_type(context, values[TYPE], field)) != ADG_OK) {
        return status;
    }
    for (uint32_t i = 0; i < index; i++) {
        if (strcmp(context->fields[i].name, field->name) == 0) {
            return refuse(context, values[NAME], 0, "expected a name that no other field has, found %s again",
                          field->name);
        }
    }
    if (values[PATTERN] != NULL) {
        field->role = ADG_ROLE_ID;
        return read_pattern(context, values[PATTERN], field);
    }
    if (values[DERIVE] != NULL) {
        field->role = ADG_ROLE_DERIVED;
        context->derivations[index] = values[DERIVE];
        return ADG_OK;
    }
    field->role = ADG_ROLE_SAMPLED;
    const yaml_node_t *value_type = values[VALUES];
    if (value_type->type != YAML_SCALAR_NODE ||
        !adg_value_type_parse(scalar(value_type), value_type->data.scalar.length, &field->value_type) ||
        !value_type_fits(field->value_type, field->type)) {
        return refuse(context, value_type, 0,
                      "expected a value type that fits the type: CATEGORICAL (any), DISCRETE or CONTINUOUS (numbers), "
                      "DATE (date), "
                      "DEMOGRAPHIC_CATEGORICAL or DEMOGRAPHIC_DATE (string)");
    }
    return ADG_OK;
}

static enum adg_status read_fields(struct context *context, const yaml_node_t *node)
{
    uint32_t count = 0;
    enum adg_status status = read_sequence(context, node, MAX_FIELDS, "fields", &count);
    if (status != ADG_OK) {
        return status;
    }
    if (count == 0) {
        return refuse(context, node, 0, "expected at least one field");
    }
    context->fields = adg_arena_array(context->arena, count, sizeof *context->fields);
    context->derivations = adg_arena_array(context->arena, count, sizeof *context->derivations);
    if (context->fields == NULL || context->derivations == NULL) {
        return adg_fail_memory(context->error);
    }
    for (uint32_t i = 0; i < count && status == ADG_OK; i++) {
        status = read_field(context, item(context, node, i), i);
    }
    context->dataset->fields = context->fields;
    context->dataset->field_count = count;
    return status;
}

/* Whether `field` is reached from its own inputs; depth-first, `state`: 0 new, 1 on the way, 2 done. */
static bool has_cycle(const struct adg_dataset *dataset, uint32_t field, uint8_t *state)
{
    const struct adg_derivation *derivation = dataset->fields[field].derivation;
    if (derivation == NULL || state[field] == 2) {
        return false;
    }
    if (state[field] == 1) {
        return true;
    }
    state[field] = 1;
    for (uint32_t i = 0; i < derivation->input_count; i++) {
        if (has_cycle(dataset, derivation->inputs[i], state)) {
            return true;
        }
    }
    state[field] = 2;
    return false;
}

static enum adg_status read_derivations(struct context *context)
{
    const struct adg_dataset *dataset = context->dataset;
    uint8_t *visited = adg_arena_array(context->arena, dataset->field_count, 1);
    if (visited == NULL) {
        return adg_fail_memory(context->error);
    }
    for (uint32_t i = 0; i < dataset->field_count; i++) {
        const yaml_node_t *node = context->derivations[i];
        if (node == NULL) {
            continue;
        }
        if (node->type != YAML_SCALAR_NODE) {
            return refuse(context, node, 0, "expected a derivation such as prefix(FIELD, 3)");
        }
        struct adg_derivation *derivation = adg_arena_array(context->arena, 1, sizeof *derivation);
        if (derivation == NULL) {
            return adg_fail_memory(context->error);
        }
        struct adg_error reason = {{0}};
        size_t column = 0;
        enum adg_status status = adg_derivation_parse(scalar(node), dataset, context->fields[i].type, context->arena,
                                                      derivation, &column, &reason);
        if (status == ADG_BAD_INPUT) {
            return refuse(context, node, column, "%s", reason.message);
        }
        if (status != ADG_OK) {
            return adg_fail(context->error, status, "%s", reason.message);
        }
        for (uint32_t k = 0; k < derivation->input_count; k++) {
            if (dataset->fields[derivation->inputs[k]].role == ADG_ROLE_ID) {
                return refuse(context, node, 0, "expected inputs that are no identifiers");
            }
        }
        context->fields[i].derivation = derivation;
    }
    for (uint32_t i = 0; i < dataset->field_count; i++) {
        if (has_cycle(dataset, i, visited)) {
            return refuse(context, context->derivations[i], 0, "expected inputs that do not depend on this field");
        }
    }
    return ADG_OK;
}

/* ---- the rest of a dataset --------------------------------------------------------------------------------------- */

static enum adg_status read_key(const struct context *context, const yaml_node_t *node, const char *what, int64_t *out)
{
    int64_t field = node->type == YAML_SCALAR_NODE ? adg_dataset_find_field(context->dataset, scalar(node)) : -1;
    if (field < 0 || context->fields[field].role != ADG_ROLE_ID) {
        return refuse(context, node, 0, "expected as %s the name of a field that has a pattern", what);
    }
    *out = field;
    return ADG_OK;
}

static enum adg_status read_tables(const struct context *context, const yaml_node_t *node)
{
    uint32_t count = 0;
    enum adg_status status = read_sequence(context, node, MAX_TABLES, "tables", &count);
    if (status == ADG_OK && count == 0) {
        status = refuse(context, node, 0, "expected at least one table");
    }
    struct adg_table *tables = status == ADG_OK ? adg_arena_array(context->arena, count, sizeof *tables) : NULL;
    if (status == ADG_OK && tables == NULL) {
        status = adg_fail_memory(context->error);
    }
    for (uint32_t i = 0; i < count && status == ADG_OK; i++) {
        tables[i].ordinal = i;
        status = read_name(context, item(context, node, i), "a table's name", false, &tables[i].name);
        for (uint32_t k = 0; k < i && status == ADG_OK; k++) {
            if (strcmp(tables[k].name, tables[i].name) == 0) {
                status = refuse(context, item(context, node, i), 0, "expected a name that no other table has");
            }
        }
    }
    context->dataset->tables = tables;
    context->dataset->table_count = count;
    return status;
}

static enum adg_status read_sorted_dates(const struct context *context, const yaml_node_t *node)
{
    uint32_t count = 0;
    enum adg_status status = read_sequence(context, node, 16, "sorted_dates", &count);
    uint32_t *fields = status == ADG_OK ? adg_arena_array(context->arena, count, sizeof *fields) : NULL;
    if (status == ADG_OK && fields == NULL) {
        status = adg_fail_memory(context->error);
    }
    for (uint32_t i = 0; i < count && status == ADG_OK; i++) {
        const yaml_node_t *name = item(context, node, i);
        int64_t field = name->type == YAML_SCALAR_NODE ? adg_dataset_find_field(context->dataset, scalar(name)) : -1;
        bool good = field >= 0 && context->fields[field].role == ADG_ROLE_SAMPLED &&
                    context->fields[field].value_type == ADG_VALUE_DATE;
        for (uint32_t k = 0; k < i && good; k++) {
            good = fields[k] != (uint32_t)field;
        }
        if (!good) {
            status = refuse(context, name, 0, "expected the name of a field with values: DATE, each once");
        } else {
            fields[i] = (uint32_t)field;
        }
    }
    context->dataset->sorted_dates = fields;
    context->dataset->sorted_date_count = count;
    return status;
}

static enum adg_status read_placeholders(const struct context *context, const yaml_node_t *node)
{
    uint32_t count = 0;
    enum adg_status status = read_sequence(context, node, 64, "placeholders", &count);
    const char **texts = status == ADG_OK ? adg_arena_array(context->arena, count, sizeof *texts) : NULL;
    if (status == ADG_OK && texts == NULL) {
        status = adg_fail_memory(context->error);
    }
    for (uint32_t i = 0; i < count && status == ADG_OK; i++) {
        const yaml_node_t *text = item(context, node, i);
        size_t length = text->type == YAML_SCALAR_NODE ? text->data.scalar.length : 0;
        if (length == 0 || strlen(scalar(text)) != length || strchr(" \t\r\n", scalar(text)[0]) != NULL ||
            strchr(" \t\r\n", scalar(text)[length - 1]) != NULL) {
            status = refuse(context, text, 0, "expected a text without blanks at its ends");
        } else {
            texts[i] = adg_arena_strdup(context->arena, scalar(text));
            status = texts[i] == NULL ? adg_fail_memory(context->error) : ADG_OK;
        }
    }
    context->dataset->placeholders = texts;
    context->dataset->placeholder_count = count;
    return status;
}

static enum adg_status read_dataset(struct context *context)
{
    enum {
        DATASET,
        ID,
        PRIMARY_KEY,
        PATIENT_KEY,
        MIN_FREQUENCY,
        ROUNDING,
        SORTED_DATES,
        PLACEHOLDERS,
        TABLES,
        FIELDS,
        KEYS
    };
    static const char *const keys[] = {"dataset",  "id",           "primary_key",  "patient_key", "min_frequency",
                                       "rounding", "sorted_dates", "placeholders", "tables",      "fields",
                                       NULL};
    const yaml_node_t *values[KEYS];
    struct adg_dataset *dataset = context->dataset;
    const yaml_node_t *root = yaml_document_get_root_node(context->document);
    enum adg_status status = read_mapping(context, root, keys, values, "a dataset");
    if (status != ADG_OK) {
        return status;
    }
    static const int required[] = {DATASET, ID, PRIMARY_KEY, TABLES, FIELDS};
    for (size_t i = 0; i < sizeof required / sizeof required[0]; i++) {
        if (values[required[i]] == NULL) {
            return refuse(context, root, 0, "expected a dataset with the key %s", keys[required[i]]);
        }
    }
    uint32_t id = 0;
    int64_t primary_key = -1;
    dataset->patient_key = -1;
    dataset->min_frequency = dataset->rounding = 5;
    status = read_name(context, values[DATASET], "a dataset's name", false, &dataset->name);
    if (status == ADG_OK) {
        status = read_number(context, values[ID], UINT16_MAX, "the dataset's id", &id);
    }
    if (status == ADG_OK && values[MIN_FREQUENCY] != NULL) {
        status = read_number(context, values[MIN_FREQUENCY], 1000000, "min_frequency", &dataset->min_frequency);
    }
    if (status == ADG_OK && values[ROUNDING] != NULL) {
        status = read_number(context, values[ROUNDING], 1000000, "rounding", &dataset->rounding);
    }
    if (status == ADG_OK) {
        status = read_fields(context, values[FIELDS]);
    }
    if (status == ADG_OK) {
        status = read_derivations(context);
    }
    if (status == ADG_OK) {
        status = read_key(context, values[PRIMARY_KEY], "primary_key", &primary_key);
    }
    if (status == ADG_OK && values[PATIENT_KEY] != NULL) {
        status = read_key(context, values[PATIENT_KEY], "patient_key", &dataset->patient_key);
    }
    if (status == ADG_OK && primary_key == dataset->patient_key) {
        status = refuse(context, values[PATIENT_KEY], 0, "expected another field than the primary key");
    }
    if (status == ADG_OK) {
        status = read_tables(context, values[TABLES]);
    }
    if (status == ADG_OK && values[SORTED_DATES] != NULL) {
        status = read_sorted_dates(context, values[SORTED_DATES]);
    }
    if (status == ADG_OK && values[PLACEHOLDERS] != NULL) {
        status = read_placeholders(context, values[PLACEHOLDERS]);
    }
    dataset->id = (uint16_t)id;
    dataset->primary_key = (uint32_t)primary_key;
    return status;
}

/* ---- documents --------------------------------------------------------------------------------------------------- */

static enum adg_status load(struct context *context, const char *text, size_t size)
{
    yaml_parser_t parser;
    yaml_document_t document;
    if (yaml_parser_initialize(&parser) == 0) {
        return adg_fail_memory(context->error);
    }
    enum adg_status status = ADG_OK;
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
    if (yaml_parser_load(&parser, &document) == 0) {
        status = parser.error == YAML_MEMORY_ERROR
                     ? adg_fail_memory(context->error)
                     : adg_fail(context->error, ADG_BAD_INPUT, "%s:%zu:%zu: expected YAML: %s", context->file,
                                context->first_line + parser.problem_mark.line + 1, parser.problem_mark.column + 1,
                                parser.problem != NULL ? parser.problem : "text that cannot be read");
        goto done;
    }
    context->document = &document;
    if (yaml_document_get_root_node(&document) == NULL) {
        status = adg_fail(context->error, ADG_BAD_INPUT, "%s:%zu:1: expected a dataset", context->file,
                          context->first_line + 1);
    } else {
        status = read_dataset(context);
    }
    yaml_document_delete(&document);
done:
    yaml_parser_delete(&parser);
    return status;
}

static bool is_separator(const char *line, const char *end)
{
    return end - line >= 3 && memcmp(line, "---", 3) == 0 && (end - line == 3 || line[3] == '\n' || line[3] == '\r');
}

/* Nothing but blanks and comments. */
static bool is_blank(const char *text, const char *end)
{
    for (bool comment = false; text < end; text++) {
        comment = *text == '#' || (comment && *text != '\n');
        if (!comment && strchr(" \t\r\n", *text) == NULL) {
            return false;
        }
    }
    return true;
}

static enum adg_status check_distinct(const char *file, const struct adg_dataset *datasets, uint32_t count,
                                      struct adg_error *error)
{
    const struct adg_dataset *last = &datasets[count - 1];
    for (uint32_t i = 0; i + 1 < count; i++) {
        if (strcmp(datasets[i].name, last->name) == 0 || datasets[i].id == last->id) {
            return adg_fail(error, ADG_BAD_INPUT,
                            "%s: expected datasets with different names and ids, found dataset %s with id %u again",
                            file, last->name, last->id);
        }
        for (uint32_t a = 0; a < datasets[i].table_count; a++) {
            for (uint32_t b = 0; b < last->table_count; b++) {
                if (strcmp(datasets[i].tables[a].name, last->tables[b].name) == 0) {
                    return adg_fail(error, ADG_BAD_INPUT,
                                    "%s: expected tables with different names, found table %s in datasets %s and %s",
                                    file, last->tables[b].name, datasets[i].name, last->name);
                }
            }
        }
    }
    return ADG_OK;
}

/* The datasets' names joined with "+". */
static const char *joined_names(const struct adg_dataset *datasets, uint32_t count, struct adg_arena *arena)
{
    size_t length = 0;
    for (uint32_t i = 0; i < count; i++) {
        length += strlen(datasets[i].name) + 1;
    }
    char *name = adg_arena_array(arena, length + 1, 1);
    for (uint32_t i = 0; i < count && name != NULL; i++) {
        strcat(strcat(name, i == 0 ? "" : "+"), datasets[i].name);
    }
    return name;
}

enum adg_status adg_definition_parse(const char *file, const char *text, size_t text_bytes, struct adg_definition **out,
                                     struct adg_error *error)
{
    struct adg_arena arena = {0};
    struct adg_definition *definition = adg_arena_array(&arena, 1, sizeof *definition);
    char *copy = adg_arena_strndup(&arena, text, text_bytes);
    struct adg_dataset *datasets = adg_arena_array(&arena, MAX_DATASETS, sizeof *datasets);
    uint32_t count = 0;
    size_t line_number = 0, first_line = 0;
    enum adg_status status = definition == NULL || copy == NULL || datasets == NULL ? adg_fail_memory(error) : ADG_OK;
    const char *start = copy, *end = copy + text_bytes;
    for (const char *line = copy; status == ADG_OK && line <= end; line_number++) {
        const char *newline = line < end ? memchr(line, '\n', (size_t)(end - line)) : NULL;
        bool separator = line < end && is_separator(line, end), last = newline == NULL;
        if (separator || last) {
            const char *stop = separator ? line : end;
            if (!is_blank(start, stop)) {
                if (count == MAX_DATASETS) {
                    status = adg_fail(error, ADG_BAD_INPUT, "%s: expected at most %d datasets", file, MAX_DATASETS);
                    break;
                }
                struct adg_dataset *dataset = &datasets[count++];
                struct context context = {
                    .file = file, .first_line = first_line, .arena = &arena, .dataset = dataset, .error = error};
                status = load(&context, start, (size_t)(stop - start));
                dataset->source_text = start;
                dataset->source_text_bytes = (size_t)(stop - start);
                if (status == ADG_OK) {
                    status = check_distinct(file, datasets, count, error);
                }
            }
            start = newline != NULL ? newline + 1 : end;
            first_line = line_number + 1;
        }
        if (last) {
            break;
        }
        line = newline + 1;
    }
    if (status == ADG_OK && count == 0) {
        status = adg_fail(error, ADG_BAD_INPUT, "%s:1:1: expected a dataset, the file is empty", file);
    }
    const char *name = status == ADG_OK ? joined_names(datasets, count, &arena) : NULL;
    if (status == ADG_OK && name == NULL) {
        status = adg_fail_memory(error);
    }
    if (status != ADG_OK) {
        adg_arena_fini(&arena);
        return status;
    }
    *definition = (struct adg_definition){.arena = arena,
                                          .datasets = datasets,
                                          .dataset_count = count,
                                          .name = name,
                                          .text = copy,
                                          .text_bytes = text_bytes};
    *out = definition;
    return ADG_OK;
}
