/*
 * A source's rows into counters, each value read as its field's type, once: a few hundred rows at a time, column after column, so
 * that one column's counter is in the cache while it is needed.
 */
#include <inttypes.h>
#include <stdio.h>

#include "core/memory.h"
#include "core/stop.h"
#include "scrape/internal.h"

enum { REPORT_EVERY_ROWS = 65536 };

/* What was unreadable in one field. */
struct unreadable {
    uint64_t count, first_position;
    const char *first_kind;
};

struct loader {
    const struct adg_scrape_options *options;
    struct adg_counted_table *table;
    struct adg_source *source;
    int64_t *column_of; /* [field_count]: of the source; -1: it has none */
    uint32_t *fields;   /* of the selected columns; the patient key first, then the primary key */
    struct unreadable *unreadable;
    uint32_t count, person_count;
    uint64_t rows;
    /* of the rows in hand */
    struct adg_patient patients[ADG_SOURCE_ROWS], primaries[ADG_SOURCE_ROWS];
    bool has_patient[ADG_SOURCE_ROWS], has_primary[ADG_SOURCE_ROWS];
    uint64_t known_as[ADG_SOURCE_ROWS]; /* what counters know the patient by */
    uint32_t *codes;                    /* [ADG_SOURCE_ROWS][person_count] */
};

static enum adg_status refuse_value(const struct loader *loader, uint32_t column, uint32_t row,
                                    const struct adg_source_value *raw, struct adg_error *error)
{
    char type[24];
    const struct adg_field *field = &loader->table->dataset->fields[loader->fields[column]];
    adg_type_format(field, type);
    return adg_fail(error, ADG_BAD_INPUT, "%s: %s %" PRIu64 ": field %s: expected %s, found %s",
                    adg_source_name(loader->source), adg_source_position_word(loader->source),
                    adg_source_position(loader->source, row), field->name, type, adg_value_kind(raw));
}

/* One value as its field's type; what cannot be read is noted, or refused. */
static enum adg_status read_value(struct loader *loader, uint32_t column, const struct adg_source_cells *cells,
                                  uint32_t row, struct adg_value *value, struct adg_error *error)
{
    const struct adg_source_value raw = adg_source_cell(cells, row);
    adg_value_read(&raw, &loader->table->dataset->fields[loader->fields[column]], value);
    if (!value->unreadable) {
        return ADG_OK;
    }
    struct unreadable *unreadable = &loader->unreadable[column];
    if (loader->options->strict) {
        return refuse_value(loader, column, row, &raw, error);
    }
    if (unreadable->count++ == 0) {
        unreadable->first_position = adg_source_position(loader->source, row);
        unreadable->first_kind = adg_value_kind(&raw);
    }
    return ADG_OK;
}

static bool is_text(const struct adg_field *field, const struct adg_source_cells *cells)
{
    return field->type == ADG_TYPE_STRING && cells->kind == ADG_SOURCE_TEXT;
}

/* Hashes of a key's values. */
static enum adg_status read_key(struct loader *loader, uint32_t column, uint32_t rows, struct adg_patient *hashes,
                                bool *there, struct adg_error *error)
{
    const struct adg_field *field = &loader->table->dataset->fields[loader->fields[column]];
    struct adg_source_cells cells;
    enum adg_status status = ADG_OK;
    adg_source_read(loader->source, column, &cells);
    for (uint32_t r = 0; r < rows && status == ADG_OK; r++) {
        struct adg_value value;
        status = read_value(loader, column, &cells, r, &value, error);
        there[r] = status == ADG_OK && !value.null;
        if (there[r]) {
            hashes[r] = adg_patient_of(field->type == ADG_TYPE_STRING
                                           ? value.text
                                           : (struct adg_span){(const uint8_t *)&value.integer, sizeof value.integer});
        }
    }
    return status;
}

static enum adg_status read_person(struct loader *loader, uint32_t column, uint32_t rows, struct adg_error *error)
{
    uint32_t number = (uint32_t)loader->table->person_of[loader->fields[column]];
    struct adg_source_cells cells;
    enum adg_status status = ADG_OK;
    adg_source_read(loader->source, column, &cells);
    for (uint32_t r = 0; r < rows && status == ADG_OK; r++) {
        struct adg_value value;
        uint32_t *code = &loader->codes[(size_t)r * loader->person_count + number];
        *code = ADG_NULL_CODE;
        status = read_value(loader, column, &cells, r, &value, error);
        if (status == ADG_OK && !value.null && loader->has_patient[r]) {
            status = adg_people_code(loader->table->people, number, value.text, code, error);
        }
    }
    return status;
}

static enum adg_status count_nulls(struct loader *loader, struct adg_counter *counter, uint32_t rows,
                                   struct adg_error *error)
{
    enum adg_status status = ADG_OK;
    for (uint32_t r = 0; r < rows && status == ADG_OK; r++) {
        status = adg_counter_add_null(counter, loader->known_as[r], error);
    }
    return status;
}

static enum adg_status count_texts(struct loader *loader, struct adg_counter *counter, const struct adg_span *texts,
                                   uint32_t rows, struct adg_error *error)
{
    enum adg_status status = ADG_OK;
    for (uint32_t r = 0; r < rows && status == ADG_OK; r++) {
        status = texts[r].size == 0 ? adg_counter_add_null(counter, loader->known_as[r], error)
                                    : adg_counter_add_text(counter, texts[r], loader->known_as[r], error);
    }
    return status;
}

static enum adg_status count_value(struct adg_counter *counter, const struct adg_value *value, uint64_t patient,
                                   struct adg_error *error)
{
    if (value->null) {
        return adg_counter_add_null(counter, patient, error);
    }
    switch (counter->kind) {
    case ADG_COUNT_TEXT:
        return adg_counter_add_text(counter, value->text, patient, error);
    case ADG_COUNT_DOUBLE:
        return adg_counter_add_double(counter, value->number, patient, error);
    case ADG_COUNT_INT:
        break;
    }
    return adg_counter_add_int(counter, value->integer, patient, error);
}

static enum adg_status count_column(struct loader *loader, uint32_t column, uint32_t rows, struct adg_error *error)
{
    const struct adg_field *field = &loader->table->dataset->fields[loader->fields[column]];
    struct adg_field_counts *counts = &loader->table->fields[loader->fields[column]];
    uint32_t enough = adg_table_enough(loader->table) * ADG_FINE_PATIENTS;
    struct adg_source_cells cells;
    enum adg_status status = ADG_OK;
    adg_source_read(loader->source, column, &cells);
    if (cells.filled == 0) {
        return count_nulls(loader, &counts->counter, rows, error);
    }
    if (is_text(field, &cells)) {
        return count_texts(loader, &counts->counter, cells.texts, rows, error);
    }
    for (uint32_t r = 0; r < rows && status == ADG_OK; r++) {
        struct adg_value value;
        status = read_value(loader, column, &cells, r, &value, error);
        if (status == ADG_OK) {
            status = count_value(&counts->counter, &value, loader->known_as[r], error);
        }
        if (status == ADG_OK && !value.null && field->value_type == ADG_VALUE_CONTINUOUS) {
            status = adg_patient_set_add_one(&counts->filled, loader->known_as[r], enough, error);
        }
    }
    return status;
}

/* The keys of the rows in hand. */
static enum adg_status read_keys(struct loader *loader, uint32_t rows, struct adg_error *error)
{
    bool has_patients = loader->table->has_patients;
    enum adg_status status = ADG_OK;
    if (has_patients) {
        status = read_key(loader, 0, rows, loader->patients, loader->has_patient, error);
    }
    if (status == ADG_OK) {
        status = read_key(loader, has_patients, rows, loader->primaries, loader->has_primary, error);
    }
    for (uint32_t r = 0; r < rows && status == ADG_OK; r++) {
        loader->known_as[r] = loader->has_patient[r] ? adg_patient_short(&loader->patients[r]) : ADG_NOBODY;
    }
    return status;
}

static enum adg_status count_rows(struct loader *loader, uint32_t rows, struct adg_error *error)
{
    struct adg_counted_table *table = loader->table;
    enum adg_status status = read_keys(loader, rows, error);
    for (uint32_t i = 1 + table->has_patients; i < loader->count && status == ADG_OK; i++) {
        status = table->fields[loader->fields[i]].counted   ? count_column(loader, i, rows, error)
                 : table->person_of[loader->fields[i]] >= 0 ? read_person(loader, i, rows, error)
                                                            : ADG_OK;
        if (status == ADG_FAILED) {
            adg_context(error, status, "field %s", table->dataset->fields[loader->fields[i]].name);
        }
    }
    for (uint32_t r = 0; r < rows && status == ADG_OK && table->people != NULL; r++) {
        if (loader->has_patient[r]) {
            status = adg_people_add(table->people, &loader->patients[r],
                                    loader->has_primary[r] ? &loader->primaries[r] : NULL,
                                    loader->codes + (size_t)r * loader->person_count, error);
        }
    }
    return status;
}

static enum adg_status count_all(struct loader *loader, struct adg_error *error)
{
    const struct adg_scrape_progress *progress = &loader->options->progress;
    uint32_t rows = 1;
    enum adg_status status = ADG_OK;
    while (status == ADG_OK && rows > 0) {
        status = adg_stop_check(error);
        if (status == ADG_OK) {
            status = adg_source_next(loader->source, &rows, error);
        }
        if (status == ADG_OK) {
            status = count_rows(loader, rows, error);
        }
        uint64_t before = loader->rows;
        loader->rows += rows;
        if (loader->rows / REPORT_EVERY_ROWS > before / REPORT_EVERY_ROWS) {
            progress->report(progress->context, "reading", loader->table->name, loader->rows, 0);
        }
    }
    return status == ADG_OK && loader->table->people != NULL ? adg_people_finish(loader->table->people, error) : status;
}

static void warn_unreadable(const struct loader *loader)
{
    const struct adg_control *control = &loader->table->control;
    for (uint32_t i = 0; i < loader->count; i++) {
        const struct unreadable *unreadable = &loader->unreadable[i];
        const struct adg_field *field = &loader->table->dataset->fields[loader->fields[i]];
        char type[24], message[1024], amount[64];
        if (unreadable->count == 0) {
            continue;
        }
        adg_control_amount(control, unreadable->count, amount);
        adg_type_format(field, type);
        snprintf(message, sizeof message,
                 "%s: field %s: %s cannot be read as %s and count as null; the first is in %s %" PRIu64 ": %s",
                 adg_source_name(loader->source), field->name, amount, type, adg_source_position_word(loader->source),
                 unreadable->first_position, unreadable->first_kind);
        loader->options->progress.warn(loader->options->progress.context, message);
    }
}

/* ---- columns ----------------------------------------------------------------------------------------------------- */

static bool is_person(enum adg_value_type value_type)
{
    return value_type == ADG_VALUE_DEMOGRAPHIC_CATEGORICAL || value_type == ADG_VALUE_DEMOGRAPHIC_DATE;
}

static enum adg_count_kind count_kind(enum adg_type type)
{
    return type == ADG_TYPE_STRING ? ADG_COUNT_TEXT : type == ADG_TYPE_DOUBLE ? ADG_COUNT_DOUBLE : ADG_COUNT_INT;
}

/* The fields to read, keys first, and what counts each. */
static void choose_columns(struct loader *loader)
{
    struct adg_counted_table *table = loader->table;
    const struct adg_dataset *dataset = table->dataset;
    if (table->has_patients) {
        loader->fields[loader->count++] = (uint32_t)dataset->patient_key;
    }
    loader->fields[loader->count++] = dataset->primary_key;
    for (uint32_t f = 0; f < dataset->field_count; f++) {
        const struct adg_field *field = &dataset->fields[f];
        table->person_of[f] = -1;
        if (loader->column_of[f] < 0 || field->role != ADG_ROLE_SAMPLED) {
            continue;
        }
        if (!is_person(field->value_type)) {
            table->fields[f].counted = true;
            adg_counter_init(&table->fields[f].counter, count_kind(field->type), adg_table_enough(table),
                             &table->memory);
        } else if (table->has_patients) {
            table->person_of[f] = loader->person_count++;
        } else {
            continue;
        }
        loader->fields[loader->count++] = f;
    }
}

/* Arrays of the table and the loader, in the arena. */
static enum adg_status make_arrays(struct loader *loader, struct adg_arena *arena, struct adg_error *error)
{
    struct adg_counted_table *table = loader->table;
    uint32_t fields = table->dataset->field_count;
    loader->column_of = adg_arena_array(arena, fields, sizeof *loader->column_of);
    table->fields = adg_arena_array(arena, fields, sizeof *table->fields);
    table->person_of = adg_arena_array(arena, fields, sizeof *table->person_of);
    loader->fields = adg_arena_array(arena, fields, sizeof *loader->fields);
    loader->unreadable = adg_arena_array(arena, fields, sizeof *loader->unreadable);
    return loader->column_of == NULL || table->fields == NULL || table->person_of == NULL || loader->fields == NULL ||
                   loader->unreadable == NULL
               ? adg_fail_memory(error)
               : ADG_OK;
}

/* Which columns there are, and which are read. */
static enum adg_status open_columns(struct loader *loader, struct adg_manifest_table *manifest, struct adg_arena *arena,
                                    struct adg_error *error)
{
    struct adg_columns columns = {.source = adg_source_name(loader->source),
                                  .count = adg_source_column_count(loader->source)};
    const char **names = adg_arena_array(arena, columns.count, sizeof *names);
    if (names == NULL) {
        return adg_fail_memory(error);
    }
    for (uint32_t c = 0; c < columns.count; c++) {
        names[c] = adg_source_column(loader->source, c);
    }
    columns.names = names;
    enum adg_status status = adg_columns_find(&columns, loader->options, loader->table, loader->column_of, manifest,
                                              arena, error);
    if (status != ADG_OK) {
        return status;
    }
    choose_columns(loader);
    uint32_t *selected = adg_alloc_array(loader->count, sizeof *selected);
    if (selected == NULL) {
        return adg_fail_memory(error);
    }
    for (uint32_t i = 0; i < loader->count; i++) {
        selected[i] = (uint32_t)loader->column_of[loader->fields[i]];
    }
    status = adg_source_select(loader->source, selected, loader->count, error);
    adg_free(selected);
    return status;
}

enum adg_status adg_count_table(const struct adg_scrape_options *options, const struct adg_source_files *files,
                                struct adg_engine *engine, const char *spill, struct adg_counted_table *table,
                                struct adg_manifest_table *manifest, struct adg_arena *arena, struct adg_error *error)
{
    uint64_t memory = options->memory_bytes;
    struct loader *loader = adg_alloc_zero(1, sizeof *loader);
    if (loader == NULL) {
        return adg_fail_memory(error);
    }
    loader->options = options;
    loader->table = table;
    table->has_patients = table->dataset->patient_key >= 0;
    table->memory = (struct adg_count_memory){.limit = memory / 2, .folder = spill};
    enum adg_status status = make_arrays(loader, arena, error);
    if (status == ADG_OK) {
        status = adg_source_open(files, engine, &loader->source, error);
    }
    if (status == ADG_OK) {
        status = open_columns(loader, manifest, arena, error);
    }
    if (status == ADG_OK && table->has_patients) {
        status = adg_people_new(loader->person_count, memory / 4, spill, &table->people, error);
    }
    if (status == ADG_OK) {
        loader->codes = adg_alloc_zero((size_t)ADG_SOURCE_ROWS * (loader->person_count + 1), sizeof *loader->codes);
        status = loader->codes == NULL ? adg_fail_memory(error) : count_all(loader, error);
    }
    if (status == ADG_OK) {
        warn_unreadable(loader);
    }
    adg_source_free(loader->source);
    adg_free(loader->codes);
    adg_free(loader);
    return status;
}

void adg_counted_table_fini(struct adg_counted_table *table)
{
    for (uint32_t f = 0; table->fields != NULL && f < table->dataset->field_count; f++) {
        adg_counter_fini(&table->fields[f].counter);
        adg_patient_set_fini(&table->fields[f].filled);
        adg_patient_set_fini(&table->fields[f].others);
        adg_distribution_free(table->fields[f].distribution);
    }
    adg_people_free(table->people);
    table->fields = NULL;
    table->people = NULL;
}
