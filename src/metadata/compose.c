/*
 * Distributions as text into rows: see compose.h.
 */
#include "metadata/compose.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/date.h"
#include "core/memory.h"
#include "metadata/internal.h"

struct composer {
    struct adg_metadata_rows *rows;
    struct adg_manifest_table *tables; /* in the order of their first line; in the rows' arena at the end */
    size_t table_count, table_capacity;
    const char *attribution;
    struct adg_error *error;
};

/* One line: its object, and the row that it makes many of. */
struct line {
    const json_t *object;
    struct adg_metadata_row row;
};

static enum adg_status malformed(const struct composer *composer, const char *expected)
{
    return adg_fail(composer->error, ADG_BAD_INPUT, "expected %s", expected);
}

static enum adg_status add(struct composer *composer, const struct adg_metadata_row *row)
{
    return adg_metadata_rows_add(composer->rows, row, composer->error);
}

/* The table of that name, new or known. */
static struct adg_manifest_table *table_of(struct composer *composer, const char *name)
{
    for (size_t i = composer->table_count; i > 0; i--) {
        if (strcmp(composer->tables[i - 1].name, name) == 0) {
            return &composer->tables[i - 1];
        }
    }
    if (composer->table_count == composer->table_capacity) {
        struct adg_manifest_table *larger = adg_grow_array(composer->tables, &composer->table_capacity, 64,
                                                           sizeof *larger);
        if (larger == NULL) {
            return NULL;
        }
        composer->tables = larger;
    }
    char *copy = adg_arena_strdup(&composer->rows->arena, name);
    if (copy == NULL) {
        return NULL;
    }
    composer->tables[composer->table_count] = (struct adg_manifest_table){.name = copy};
    return &composer->tables[composer->table_count++];
}

static struct adg_optional_text text_of(const json_t *value)
{
    return (struct adg_optional_text){json_string_value(value), json_string_length(value)};
}

/* The array under `key`, of `count` elements (any number when `count` is NULL points to SIZE_MAX). */
static enum adg_status array_of(const struct composer *composer, const json_t *object, const char *key, size_t *count,
                                const json_t **out)
{
    const json_t *array = json_object_get(object, key);
    if (!json_is_array(array) || (*count != SIZE_MAX && json_array_size(array) != *count)) {
        return adg_fail(composer->error, ADG_BAD_INPUT, "expected \"%s\", an array%s", key,
                        *count == SIZE_MAX ? "" : " as long as the others");
    }
    *count = json_array_size(array);
    *out = array;
    return ADG_OK;
}

static bool take_number(const json_t *value, double *out)
{
    *out = json_number_value(value);
    return json_is_number(value);
}

/* An array of numbers in new memory of the rows' arena. */
static enum adg_status numbers_of(const struct composer *composer, const json_t *object, const char *key, size_t count,
                                  const double **out, uint32_t *out_count)
{
    const json_t *array = NULL;
    enum adg_status status = array_of(composer, object, key, &count, &array);
    double *numbers = status == ADG_OK ? adg_arena_array(&composer->rows->arena, count, sizeof *numbers) : NULL;
    if (status == ADG_OK && numbers == NULL) {
        return adg_fail_memory(composer->error);
    }
    for (size_t i = 0; i < count && status == ADG_OK; i++) {
        if (!take_number(json_array_get(array, i), &numbers[i])) {
            status = adg_fail(composer->error, ADG_BAD_INPUT, "expected numbers in \"%s\"", key);
        }
    }
    if (status == ADG_OK) {
        *out = numbers;
        *out_count = (uint32_t)count;
    }
    return status;
}

/* One element of "values" into the row, as its VALUE_TYPE has it. */
static enum adg_status take_value(const struct composer *composer, const json_t *value, struct adg_metadata_row *row)
{
    bool is_null = json_is_null(value);
    row->string = (struct adg_optional_text){NULL, 0};
    row->has_numeric = row->has_date = false;
    switch (row->value_type) {
    case ADG_VALUE_CATEGORICAL:
    case ADG_VALUE_DEMOGRAPHIC_DATE:
        if (!is_null) {
            row->string = text_of(value);
        }
        return is_null || json_is_string(value) ? ADG_OK : malformed(composer, "texts or null in \"values\"");
    case ADG_VALUE_DISCRETE:
    case ADG_VALUE_RELATIONSHIP:
        row->has_numeric = !is_null;
        return is_null || take_number(value, &row->numeric) ? ADG_OK
                                                            : malformed(composer, "numbers or null in \"values\"");
    case ADG_VALUE_DATE:
        row->has_date = !is_null;
        return is_null || (json_is_string(value) &&
                           adg_date_parse(json_string_value(value), json_string_length(value), &row->date))
                   ? ADG_OK
                   : malformed(composer, "dates as 2001-04-01, or null, in \"values\"");
    case ADG_VALUE_CONTINUOUS:
    case ADG_VALUE_DEMOGRAPHIC_CATEGORICAL:
    case ADG_VALUE_COMPLETENESS:
        break;
    }
    return malformed(composer, "a type that has \"values\"");
}

/* A row for each value, with its weight. */
static enum adg_status compose_values(struct composer *composer, struct line *line)
{
    struct adg_metadata_row row = line->row;
    const json_t *values = NULL, *weights = NULL, *incidences = NULL, *key = json_object_get(line->object, "key");
    size_t count = SIZE_MAX;
    enum adg_status status = array_of(composer, line->object, "values", &count, &values);
    if (status == ADG_OK) {
        status = array_of(composer, line->object, "weights", &count, &weights);
    }
    if (status == ADG_OK && row.value_type == ADG_VALUE_DEMOGRAPHIC_DATE) {
        status = array_of(composer, line->object, "incidences", &count, &incidences);
    }
    if (status == ADG_OK && row.value_type == ADG_VALUE_RELATIONSHIP && !json_is_string(key)) {
        status = malformed(composer, "\"key\", the name of the patient key");
    }
    row.has_weight = true;
    for (size_t i = 0; i < count && status == ADG_OK; i++) {
        status = take_value(composer, json_array_get(values, i), &row);
        if (status == ADG_OK && !take_number(json_array_get(weights, i), &row.weight)) {
            status = malformed(composer, "numbers in \"weights\"");
        }
        if (status == ADG_OK && incidences != NULL) {
            row.has_numeric = true;
            if (!take_number(json_array_get(incidences, i), &row.numeric)) {
                status = malformed(composer, "numbers in \"incidences\"");
            }
        }
        if (row.value_type == ADG_VALUE_RELATIONSHIP) {
            row.string = text_of(key);
        }
        if (status == ADG_OK) {
            status = add(composer, &row);
        }
    }
    return status;
}

static enum adg_status compose_pattern(struct composer *composer, const json_t *pattern, struct adg_metadata_row row)
{
    const json_t *values = NULL;
    size_t count = SIZE_MAX;
    row.has_weight = true;
    if (!json_is_object(pattern) || !take_number(json_object_get(pattern, "weight"), &row.weight) ||
        json_object_size(pattern) != 3) {
        return malformed(composer, "\"patterns\" with \"values\", \"shares\" and a \"weight\"");
    }
    enum adg_status status = array_of(composer, pattern, "values", &count, &values);
    if (status == ADG_OK) {
        status = numbers_of(composer, pattern, "shares", count, &row.weight_array, &row.weight_array_count);
    }
    struct adg_optional_text *texts = status == ADG_OK ? adg_arena_array(&composer->rows->arena, count, sizeof *texts)
                                                       : NULL;
    if (status == ADG_OK && texts == NULL) {
        return adg_fail_memory(composer->error);
    }
    for (size_t i = 0; i < count && status == ADG_OK; i++) {
        const json_t *value = json_array_get(values, i);
        texts[i] = text_of(value);
        if (!json_is_null(value) && !json_is_string(value)) {
            status = malformed(composer, "texts or null in a pattern's \"values\"");
        }
    }
    row.string_array = texts;
    row.string_array_count = (uint32_t)count;
    return status == ADG_OK ? add(composer, &row) : status;
}

static enum adg_status compose_patterns(struct composer *composer, const struct line *line)
{
    const json_t *patterns = NULL;
    size_t count = SIZE_MAX;
    enum adg_status status = array_of(composer, line->object, "patterns", &count, &patterns);
    for (size_t i = 0; i < count && status == ADG_OK; i++) {
        status = compose_pattern(composer, json_array_get(patterns, i), line->row);
    }
    return status;
}

static enum adg_status compose_percentiles(struct composer *composer, const struct line *line)
{
    struct adg_metadata_row row = line->row;
    enum adg_status status = numbers_of(composer, line->object, "percentiles", SIZE_MAX, &row.numeric_array,
                                        &row.numeric_array_count);
    return status == ADG_OK ? add(composer, &row) : status;
}

/* Nothing is accepted that is not looked at. */
static enum adg_status check_keys(const struct composer *composer, json_t *object, enum adg_value_type value_type)
{
    static const char *const keys[ADG_VALUE_TYPES][3] = {
        [ADG_VALUE_CATEGORICAL] = {"values", "weights", "completeness"},
        [ADG_VALUE_DISCRETE] = {"values", "weights", "completeness"},
        [ADG_VALUE_DATE] = {"values", "weights", "completeness"},
        [ADG_VALUE_CONTINUOUS] = {"percentiles", "completeness", ""},
        [ADG_VALUE_DEMOGRAPHIC_CATEGORICAL] = {"patterns", "", ""},
        [ADG_VALUE_DEMOGRAPHIC_DATE] = {"values", "incidences", "weights"},
        [ADG_VALUE_RELATIONSHIP] = {"key", "values", "weights"},
        [ADG_VALUE_COMPLETENESS] = {"", "", ""},
    };
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        bool known = strcmp(key, "table") == 0 || strcmp(key, "field") == 0 || strcmp(key, "type") == 0;
        for (int i = 0; i < 3; i++) {
            known = known || strcmp(key, keys[value_type][i]) == 0;
        }
        if (!known) {
            return adg_fail(composer->error, ADG_BAD_INPUT, "key \"%.40s\" is none of this type", key);
        }
    }
    return ADG_OK;
}

static enum adg_status compose_completeness(struct composer *composer, const struct line *line)
{
    struct adg_metadata_row row = line->row;
    row.value_type = ADG_VALUE_COMPLETENESS;
    enum adg_status status = numbers_of(composer, line->object, "completeness", 2, &row.weight_array,
                                        &row.weight_array_count);
    return status == ADG_OK ? add(composer, &row) : status;
}

static enum adg_status compose_field(struct composer *composer, json_t *object, const char *table)
{
    const json_t *field = json_object_get(object, "field"), *type = json_object_get(object, "type");
    struct line line = {.object = object, .row = {.table = table, .field = json_string_value(field)}};
    if (!json_is_string(field) || !json_is_string(type) ||
        !adg_value_type_parse(json_string_value(type), json_string_length(type), &line.row.value_type) ||
        line.row.value_type == ADG_VALUE_COMPLETENESS) {
        return malformed(composer, "\"field\", a name, and \"type\", a value type");
    }
    enum adg_status status = check_keys(composer, object, line.row.value_type);
    if (status == ADG_OK && json_object_get(object, "completeness") != NULL) {
        status = compose_completeness(composer, &line);
        if (json_object_get(object, "values") == NULL && json_object_get(object, "percentiles") == NULL) {
            return status; /* a field that is null throughout */
        }
    }
    if (status != ADG_OK) {
        return status;
    }
    switch (line.row.value_type) {
    case ADG_VALUE_CONTINUOUS:
        return compose_percentiles(composer, &line);
    case ADG_VALUE_DEMOGRAPHIC_CATEGORICAL:
        return compose_patterns(composer, &line);
    default:
        return compose_values(composer, &line);
    }
}

static enum adg_status take_attribution(struct composer *composer, const json_t *object, const json_t *text)
{
    if (!json_is_string(text) || json_object_size(object) != 1 || composer->attribution != NULL) {
        return malformed(composer, "\"attribution\" alone, once, a text");
    }
    composer->attribution = adg_arena_strdup(&composer->rows->arena, json_string_value(text));
    return composer->attribution != NULL ? ADG_OK : adg_fail_memory(composer->error);
}

static enum adg_status compose_line(struct composer *composer, const char *text, size_t size)
{
    json_error_t where;
    json_t *object = json_loadb(text, size, JSON_REJECT_DUPLICATES, &where);
    const json_t *name = json_object_get(object, "table"), *population = json_object_get(object, "population");
    enum adg_status status = ADG_OK;
    struct adg_manifest_table *table = NULL;
    const json_t *attribution = json_object_get(object, "attribution");
    if (attribution != NULL) {
        status = take_attribution(composer, object, attribution);
    } else if (!json_is_object(object) || !json_is_string(name)) {
        status = malformed(composer, "a JSON object with \"table\" or \"attribution\"");
    } else if ((table = table_of(composer, json_string_value(name))) == NULL) {
        status = adg_fail_memory(composer->error);
    } else if (population == NULL) {
        status = compose_field(composer, object, table->name);
    } else if (!json_is_integer(population) || json_integer_value(population) <= 0 || table->population != 0 ||
               json_object_size(object) != 2) {
        status = malformed(composer, "\"population\" alone, once for a table, a number of people");
    } else {
        table->population = (uint64_t)json_integer_value(population);
    }
    json_decref(object);
    return status;
}

/* The tables into the manifest, in memory that lives as long as the rows. */
static enum adg_status take_tables(const struct composer *composer, struct adg_manifest *manifest)
{
    struct adg_manifest_table *tables = adg_arena_array(&composer->rows->arena, composer->table_count, sizeof *tables);
    if (tables == NULL) {
        return adg_fail_memory(composer->error);
    }
    if (composer->table_count > 0) {
        memcpy(tables, composer->tables, composer->table_count * sizeof *tables);
    }
    manifest->attribution = composer->attribution;
    manifest->tables = tables;
    manifest->table_count = (uint32_t)composer->table_count;
    return ADG_OK;
}

enum adg_status adg_metadata_compose(FILE *file, struct adg_metadata_rows *rows, struct adg_manifest *manifest,
                                     struct adg_error *error)
{
    struct composer composer = {.rows = rows, .error = error};
    char *text = NULL; /* getline's */
    size_t capacity = 0, number = 0;
    ssize_t size;
    enum adg_status status = ADG_OK;
    while (status == ADG_OK && (errno = 0, size = getline(&text, &capacity, file)) > 0) {
        number++;
        if (text[0] != '#' && text[0] != '\n') {
            status = adg_context(error, compose_line(&composer, text, (size_t)size), "line %zu", number);
        }
    }
    if (status == ADG_OK && ferror(file)) {
        status = adg_fail_errno(error, errno, "line %zu cannot be read", number + 1);
    }
    if (status == ADG_OK && composer.table_count == 0) {
        status = malformed(&composer, "distributions, there are none");
    }
    if (status == ADG_OK) {
        status = take_tables(&composer, manifest);
    }
    adg_free(composer.tables);
    free(text);
    return status;
}
