/*
 * One dataset out of its YAML document (see dataset.h, and docs/definitions.md for the format): first the fields' names
 * and types, then what refers to other fields.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "dataset/parse.h"
#include "yaml/tree.h"

enum { MAX_FIELDS = 65535, MAX_TABLES = 65535 };

struct context {
    struct adg_tree tree;
    struct adg_dataset *dataset;
    const struct adg_dataset *earlier; /* the datasets of the file that stand before this one */
    uint32_t earlier_count;
    struct adg_field *fields;
    const yaml_node_t **derivations; /* per field: the node that holds its derivation, or NULL */
};

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
            if (strcmp(adg_tree_text(node), types[i].name) == 0) {
                field->type = types[i].type;
                return ADG_OK;
            }
        }
        unsigned precision, scale;
        int end = 0;
        if (sscanf(adg_tree_text(node), "decimal(%2u,%2u)%n", &precision, &scale, &end) == 2 &&
            (size_t)end == node->data.scalar.length && precision >= 1 && precision <= 18 && scale <= precision) {
            field->type = ADG_TYPE_DECIMAL;
            field->precision = (uint8_t)precision;
            field->scale = (uint8_t)scale;
            return ADG_OK;
        }
    }
    return adg_tree_refuse(
        &context->tree, node, 0,
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
        return (type == ADG_TYPE_TIMESTAMP && value_type == ADG_VALUE_CONTINUOUS) || type == ADG_TYPE_INT32 ||
               type == ADG_TYPE_INT64 || type == ADG_TYPE_DOUBLE || type == ADG_TYPE_DECIMAL;
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
        return adg_tree_refuse(&context->tree, node, 0, "expected an identifier of type string, integer or long");
    }
    if (node->type != YAML_SCALAR_NODE) {
        return adg_tree_refuse(&context->tree, node, 0, "expected an identifier pattern");
    }
    struct adg_error reason = {{0}};
    size_t column = 0;
    enum adg_status status = adg_pattern_compile(adg_tree_text(node), context->tree.arena, &field->pattern, &column,
                                                 &reason);
    if (status == ADG_BAD_INPUT) {
        return adg_tree_refuse(&context->tree, node, column, "%s", reason.message);
    }
    if (status != ADG_OK) {
        return adg_fail(context->tree.error, status, "%s", reason.message);
    }
    uint32_t digits_max = field->type == ADG_TYPE_INT32 ? 9 : 18;
    if (field->type != ADG_TYPE_STRING) {
        bool numeric = adg_pattern_max_length(field->pattern) <= digits_max && adg_pattern_only_digits(field->pattern);
        if (!numeric || !adg_pattern_fixed_length(field->pattern)) {
            return adg_tree_refuse(
                &context->tree, node, 0,
                "expected digits alone, always equally many (at most 9 for an integer, 18 for a long)");
        }
    }
    return ADG_OK;
}

/* What a source calls the field's column: its name, unless `node` is there. */
static enum adg_status read_column(const struct context *context, const yaml_node_t *name, const yaml_node_t *node,
                                   uint32_t index)
{
    struct adg_field *field = &context->fields[index];
    field->column = field->name;
    if (node != NULL && (node->type != YAML_SCALAR_NODE || node->data.scalar.length == 0)) {
        return adg_tree_refuse(&context->tree, node, 0, "expected the name of a column in a source");
    }
    if (node != NULL) {
        field->column = adg_arena_strndup(context->tree.arena, adg_tree_text(node), node->data.scalar.length);
        if (field->column == NULL) {
            return adg_fail_memory(context->tree.error);
        }
    }
    for (uint32_t i = 0; i < index; i++) {
        if (strcasecmp(context->fields[i].column, field->column) == 0) {
            return adg_tree_refuse(&context->tree, node != NULL ? node : name, 0,
                                   "expected a column that no other field has");
        }
    }
    return ADG_OK;
}

/* Everything of a field but its derivation, which may refer to later fields. */
static enum adg_status read_field(struct context *context, const yaml_node_t *node, uint32_t index)
{
    enum { NAME, TYPE, VALUES, PATTERN, DERIVE, COLUMN };
    static const char *const keys[] = {"name", "type", "values", "pattern", "derive", "column", NULL};
    const yaml_node_t *values[6];
    struct adg_field *field = &context->fields[index];
    enum adg_status status = adg_tree_mapping(&context->tree, node, keys, values, "a field");
    if (status != ADG_OK) {
        return status;
    }
    if (values[NAME] == NULL || values[TYPE] == NULL) {
        return adg_tree_refuse(&context->tree, node, 0, "expected a field with name and type");
    }
    if ((values[VALUES] != NULL) + (values[PATTERN] != NULL) + (values[DERIVE] != NULL) != 1) {
        return adg_tree_refuse(&context->tree, node, 0, "expected exactly one of values, pattern and derive");
    }
    status = adg_tree_name(&context->tree, values[NAME], "a field's name", true, &field->name);
    if (status != ADG_OK || (status = read_type(context, values[TYPE], field)) != ADG_OK) {
        return status;
    }
    for (uint32_t i = 0; i < index; i++) {
        if (strcmp(context->fields[i].name, field->name) == 0) {
            return adg_tree_refuse(&context->tree, values[NAME], 0,
                                   "expected a name that no other field has, found %s again", field->name);
        }
    }
    status = read_column(context, values[NAME], values[COLUMN], index);
    if (status != ADG_OK) {
        return status;
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
        !adg_value_type_parse(adg_tree_text(value_type), value_type->data.scalar.length, &field->value_type) ||
        !value_type_fits(field->value_type, field->type)) {
        return adg_tree_refuse(&context->tree, value_type, 0,
                               "expected a value type that fits the type: CATEGORICAL (any), DISCRETE (numbers), "
                               "CONTINUOUS (numbers, timestamp), "
                               "DATE (date), "
                               "DEMOGRAPHIC_CATEGORICAL or DEMOGRAPHIC_DATE (string)");
    }
    return ADG_OK;
}

static enum adg_status read_fields(struct context *context, const yaml_node_t *node)
{
    uint32_t count = 0;
    enum adg_status status = adg_tree_sequence(&context->tree, node, MAX_FIELDS, "fields", &count);
    if (status != ADG_OK) {
        return status;
    }
    if (count == 0) {
        return adg_tree_refuse(&context->tree, node, 0, "expected at least one field");
    }
    context->fields = adg_arena_array(context->tree.arena, count, sizeof *context->fields);
    context->derivations = adg_arena_array(context->tree.arena, count, sizeof *context->derivations);
    if (context->fields == NULL || context->derivations == NULL) {
        return adg_fail_memory(context->tree.error);
    }
    for (uint32_t i = 0; i < count && status == ADG_OK; i++) {
        status = read_field(context, adg_tree_item(&context->tree, node, i), i);
    }
    context->dataset->fields = context->fields;
    context->dataset->field_count = count;
    return status;
}

/* A field on the way, and which of its inputs comes next. */
struct visit {
    uint32_t field, next;
};

/* Whether a field that is reached from `start` is reached from its own inputs: depth-first, with a stack of our own, `path`, as long as
 * there are fields. `state`: 0 new, 1 on the way, 2 done. */
static bool has_cycle(const struct adg_dataset *dataset, uint32_t start, uint8_t *state, struct visit *path)
{
    uint32_t depth = 0;
    if (state[start] == 0) {
        state[start] = 1;
        path[depth++] = (struct visit){start, 0};
    }
    while (depth > 0) {
        struct visit *top = &path[depth - 1];
        const struct adg_derivation *derivation = dataset->fields[top->field].derivation;
        if (derivation == NULL || top->next == derivation->input_count) {
            state[top->field] = 2;
            depth--;
            continue;
        }
        uint32_t input = derivation->inputs[top->next++];
        if (state[input] == 1) {
            return true;
        }
        if (state[input] == 0) {
            state[input] = 1;
            path[depth++] = (struct visit){input, 0};
        }
    }
    return false;
}

static enum adg_status read_derivations(struct context *context)
{
    const struct adg_dataset *dataset = context->dataset;
    uint8_t *visited = adg_arena_array(context->tree.arena, dataset->field_count, 1);
    struct visit *path = adg_arena_array(context->tree.arena, dataset->field_count, sizeof *path);
    if (visited == NULL || path == NULL) {
        return adg_fail_memory(context->tree.error);
    }
    for (uint32_t i = 0; i < dataset->field_count; i++) {
        const yaml_node_t *node = context->derivations[i];
        if (node == NULL) {
            continue;
        }
        if (node->type != YAML_SCALAR_NODE) {
            return adg_tree_refuse(&context->tree, node, 0, "expected a derivation such as prefix(FIELD, 3)");
        }
        struct adg_derivation *derivation = adg_arena_array(context->tree.arena, 1, sizeof *derivation);
        if (derivation == NULL) {
            return adg_fail_memory(context->tree.error);
        }
        struct adg_error reason = {{0}};
        size_t column = 0;
        enum adg_status status = adg_derivation_parse(adg_tree_text(node), dataset, context->fields[i].type,
                                                      context->tree.arena, derivation, &column, &reason);
        if (status == ADG_BAD_INPUT) {
            return adg_tree_refuse(&context->tree, node, column, "%s", reason.message);
        }
        if (status != ADG_OK) {
            return adg_fail(context->tree.error, status, "%s", reason.message);
        }
        for (uint32_t k = 0; k < derivation->input_count; k++) {
            if (dataset->fields[derivation->inputs[k]].role == ADG_ROLE_ID) {
                return adg_tree_refuse(&context->tree, node, 0, "expected inputs that are no identifiers");
            }
        }
        context->fields[i].derivation = derivation;
    }
    for (uint32_t i = 0; i < dataset->field_count; i++) {
        if (has_cycle(dataset, i, visited, path)) {
            return adg_tree_refuse(&context->tree, context->derivations[i], 0,
                                   "expected inputs that do not depend on this field");
        }
    }
    return ADG_OK;
}

/* ---- the rest of a dataset --------------------------------------------------------------------------------------- */

/* The field that a node names, or -1. */
static int64_t field_of(const struct context *context, const yaml_node_t *node)
{
    return node->type == YAML_SCALAR_NODE ? adg_dataset_find_field(context->dataset, adg_tree_text(node)) : -1;
}

static enum adg_status read_key(const struct context *context, const yaml_node_t *node, const char *what, int64_t *out)
{
    int64_t field = field_of(context, node);
    if (field < 0 || context->fields[field].role != ADG_ROLE_ID) {
        return adg_tree_refuse(&context->tree, node, 0, "expected as %s the name of a field that has a pattern", what);
    }
    *out = field;
    return ADG_OK;
}

static bool has_table(const struct adg_dataset *dataset, const char *name)
{
    for (uint32_t i = 0; i < dataset->table_count; i++) {
        if (strcmp(dataset->tables[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* The dataset's name and id differ from those of the datasets before it in the file. */
static enum adg_status check_distinct(const struct context *context, const yaml_node_t *name, const yaml_node_t *id)
{
    for (uint32_t i = 0; i < context->earlier_count; i++) {
        if (strcmp(context->earlier[i].name, context->dataset->name) == 0) {
            return adg_tree_refuse(&context->tree, name, 0, "expected a name that no other dataset has");
        }
        if (context->earlier[i].id == context->dataset->id) {
            return adg_tree_refuse(&context->tree, id, 0, "expected an id that no other dataset has");
        }
    }
    return ADG_OK;
}

static enum adg_status read_tables(const struct context *context, const yaml_node_t *node)
{
    uint32_t count = 0;
    enum adg_status status = adg_tree_sequence(&context->tree, node, MAX_TABLES, "tables", &count);
    if (status == ADG_OK && count == 0) {
        status = adg_tree_refuse(&context->tree, node, 0, "expected at least one table");
    }
    struct adg_table *tables = status == ADG_OK ? adg_arena_array(context->tree.arena, count, sizeof *tables) : NULL;
    if (status == ADG_OK && tables == NULL) {
        status = adg_fail_memory(context->tree.error);
    }
    for (uint32_t i = 0; i < count && status == ADG_OK; i++) {
        tables[i].ordinal = i;
        status = adg_tree_name(&context->tree, adg_tree_item(&context->tree, node, i), "a table's name", false,
                               &tables[i].name);
        bool taken = false;
        for (uint32_t k = 0; k < i && status == ADG_OK && !taken; k++) {
            taken = strcmp(tables[k].name, tables[i].name) == 0;
        }
        for (uint32_t e = 0; e < context->earlier_count && status == ADG_OK && !taken; e++) {
            taken = has_table(&context->earlier[e], tables[i].name);
        }
        if (taken) {
            status = adg_tree_refuse(&context->tree, adg_tree_item(&context->tree, node, i), 0,
                                     "expected a name that no other table has");
        }
    }
    context->dataset->tables = tables;
    context->dataset->table_count = count;
    return status;
}

static enum adg_status read_sorted_dates(const struct context *context, const yaml_node_t *node)
{
    uint32_t count = 0;
    enum adg_status status = adg_tree_sequence(&context->tree, node, 16, "sorted_dates", &count);
    uint32_t *fields = status == ADG_OK ? adg_arena_array(context->tree.arena, count, sizeof *fields) : NULL;
    if (status == ADG_OK && fields == NULL) {
        status = adg_fail_memory(context->tree.error);
    }
    for (uint32_t i = 0; i < count && status == ADG_OK; i++) {
        const yaml_node_t *name = adg_tree_item(&context->tree, node, i);
        int64_t field = field_of(context, name);
        bool good = field >= 0 && context->fields[field].role == ADG_ROLE_SAMPLED &&
                    context->fields[field].value_type == ADG_VALUE_DATE;
        for (uint32_t k = 0; k < i && good; k++) {
            good = fields[k] != (uint32_t)field;
        }
        if (!good) {
            status = adg_tree_refuse(&context->tree, name, 0,
                                     "expected the name of a field with values: DATE, each once");
        } else {
            fields[i] = (uint32_t)field;
        }
    }
    context->dataset->sorted_dates = fields;
    context->dataset->sorted_date_count = count;
    return status;
}

/* A list of texts without blanks at their ends, as many as `max`. */
static enum adg_status read_texts(const struct context *context, const yaml_node_t *node, uint32_t max,
                                  const char *what, const char *const **out, uint32_t *out_count)
{
    uint32_t count = 0;
    enum adg_status status = adg_tree_sequence(&context->tree, node, max, what, &count);
    const char **texts = status == ADG_OK ? adg_arena_array(context->tree.arena, count, sizeof *texts) : NULL;
    if (status == ADG_OK && texts == NULL) {
        status = adg_fail_memory(context->tree.error);
    }
    for (uint32_t i = 0; i < count && status == ADG_OK; i++) {
        const yaml_node_t *text = adg_tree_item(&context->tree, node, i);
        size_t length = text->type == YAML_SCALAR_NODE ? text->data.scalar.length : 0;
        if (length == 0 || strchr(" \t\r\n", adg_tree_text(text)[0]) != NULL ||
            strchr(" \t\r\n", adg_tree_text(text)[length - 1]) != NULL) {
            status = adg_tree_refuse(&context->tree, text, 0, "expected a text without blanks at its ends");
        } else {
            texts[i] = adg_arena_strdup(context->tree.arena, adg_tree_text(text));
            status = texts[i] == NULL ? adg_fail_memory(context->tree.error) : ADG_OK;
        }
    }
    *out = texts;
    *out_count = count;
    return status;
}

static enum adg_status read_excluded_fields(const struct context *context, const yaml_node_t *node)
{
    struct adg_review_rules *rules = &context->dataset->review;
    uint32_t count = 0;
    enum adg_status status = adg_tree_sequence(&context->tree, node, 1024, "excluded_fields", &count);
    const char **names = status == ADG_OK ? adg_arena_array(context->tree.arena, count, sizeof *names) : NULL;
    if (status == ADG_OK && names == NULL) {
        status = adg_fail_memory(context->tree.error);
    }
    for (uint32_t i = 0; i < count && status == ADG_OK; i++) {
        const yaml_node_t *name = adg_tree_item(&context->tree, node, i);
        status = adg_tree_name(&context->tree, name, "a field's name", true, &names[i]);
    }
    rules->excluded_fields = names;
    rules->excluded_field_count = count;
    return status;
}

static enum adg_status read_organisation_fields(const struct context *context, const yaml_node_t *node)
{
    struct adg_review_rules *rules = &context->dataset->review;
    uint32_t count = 0;
    enum adg_status status = adg_tree_sequence(&context->tree, node, 1024, "organisation_fields", &count);
    uint32_t *fields = status == ADG_OK ? adg_arena_array(context->tree.arena, count, sizeof *fields) : NULL;
    if (status == ADG_OK && fields == NULL) {
        status = adg_fail_memory(context->tree.error);
    }
    for (uint32_t i = 0; i < count && status == ADG_OK; i++) {
        const yaml_node_t *name = adg_tree_item(&context->tree, node, i);
        int64_t field = field_of(context, name);
        if (field < 0) {
            status = adg_tree_refuse(&context->tree, name, 0, "expected the name of a field of the dataset");
        } else {
            fields[i] = (uint32_t)field;
        }
    }
    rules->organisation_fields = fields;
    rules->organisation_field_count = count;
    return status;
}

static enum adg_status read_review(const struct context *context, const yaml_node_t *node)
{
    enum { EXCLUDED_FIELDS, ORGANISATION_FIELDS, CHECKLIST, KEYS };
    static const char *const keys[] = {"excluded_fields", "organisation_fields", "checklist", NULL};
    const yaml_node_t *values[KEYS];
    struct adg_review_rules *rules = &context->dataset->review;
    enum adg_status status = adg_tree_mapping(&context->tree, node, keys, values, "review");
    if (status == ADG_OK && values[EXCLUDED_FIELDS] != NULL) {
        status = read_excluded_fields(context, values[EXCLUDED_FIELDS]);
    }
    if (status == ADG_OK && values[ORGANISATION_FIELDS] != NULL) {
        status = read_organisation_fields(context, values[ORGANISATION_FIELDS]);
    }
    if (status == ADG_OK && values[CHECKLIST] != NULL) {
        status = read_texts(context, values[CHECKLIST], 64, "questions", &rules->checklist, &rules->checklist_count);
    }
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
        COHERENCE,
        REVIEW,
        TABLES,
        FIELDS,
        KEYS
    };
    static const char *const keys[] = {
        "dataset",      "id",        "primary_key", "patient_key", "min_frequency", "rounding", "sorted_dates",
        "placeholders", "coherence", "review",      "tables",      "fields",        NULL};
    const yaml_node_t *values[KEYS];
    struct adg_dataset *dataset = context->dataset;
    const yaml_node_t *root = adg_tree_root(&context->tree);
    enum adg_status status = adg_tree_mapping(&context->tree, root, keys, values, "a dataset");
    if (status != ADG_OK) {
        return status;
    }
    static const int required[] = {DATASET, ID, PRIMARY_KEY, TABLES, FIELDS};
    for (size_t i = 0; i < sizeof required / sizeof required[0]; i++) {
        if (values[required[i]] == NULL) {
            return adg_tree_refuse(&context->tree, root, 0, "expected a dataset with the key %s", keys[required[i]]);
        }
    }
    uint32_t id = 0;
    int64_t primary_key = -1;
    dataset->patient_key = -1;
    dataset->coherence.population = (struct adg_population_rule){.birth = -1, .age = -1, .age_at = -1};
    dataset->min_frequency = dataset->rounding = 5;
    status = adg_tree_name(&context->tree, values[DATASET], "a dataset's name", false, &dataset->name);
    if (status == ADG_OK) {
        status = adg_tree_number(&context->tree, values[ID], UINT16_MAX, "the dataset's id", &id);
        dataset->id = (uint16_t)id;
    }
    if (status == ADG_OK) {
        status = check_distinct(context, values[DATASET], values[ID]);
    }
    if (status == ADG_OK && values[MIN_FREQUENCY] != NULL) {
        status = adg_tree_number(&context->tree, values[MIN_FREQUENCY], 1000000, "min_frequency",
                                 &dataset->min_frequency);
    }
    if (status == ADG_OK && values[ROUNDING] != NULL) {
        status = adg_tree_number(&context->tree, values[ROUNDING], 1000000, "rounding", &dataset->rounding);
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
        status = adg_tree_refuse(&context->tree, values[PATIENT_KEY], 0, "expected another field than the primary key");
    }
    if (status == ADG_OK) {
        status = read_tables(context, values[TABLES]);
    }
    if (status == ADG_OK && values[SORTED_DATES] != NULL) {
        status = read_sorted_dates(context, values[SORTED_DATES]);
    }
    if (status == ADG_OK && values[PLACEHOLDERS] != NULL) {
        status = read_texts(context, values[PLACEHOLDERS], 64, "placeholders", &dataset->placeholders,
                            &dataset->placeholder_count);
    }
    if (status == ADG_OK && values[REVIEW] != NULL) {
        status = read_review(context, values[REVIEW]);
    }
    dataset->primary_key = (uint32_t)primary_key;
    if (status == ADG_OK && values[COHERENCE] != NULL) {
        status = adg_coherence_read(&context->tree, values[COHERENCE], dataset);
    }
    const yaml_node_t *place = values[COHERENCE] != NULL ? values[COHERENCE] : root;
    return status == ADG_OK
               ? adg_coherence_check_others(&context->tree, place, context->earlier, context->earlier_count)
               : status;
}

enum adg_status adg_dataset_read(const char *file, size_t first_line, struct adg_dataset *datasets, uint32_t index,
                                 struct adg_arena *arena, struct adg_error *error)
{
    struct adg_dataset *dataset = &datasets[index];
    struct context context = {
        .tree = {.file = file, .what = "dataset", .first_line = first_line, .arena = arena, .error = error},
        .dataset = dataset,
        .earlier = datasets,
        .earlier_count = index};
    enum adg_status status = adg_tree_load(&context.tree, dataset->source_text, dataset->source_text_bytes);
    if (status == ADG_OK) {
        status = read_dataset(&context);
        adg_tree_fini(&context.tree);
    }
    return status;
}
