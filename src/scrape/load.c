/*
 * A source's rows into the engine, each value read as its field's type. Text is parsed once.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "core/stop.h"
#include "scrape/internal.h"

enum { NAME_BYTES = 16, STOP_EVERY_ROWS = 4096, REPORT_EVERY_ROWS = 65536 };

/* What was unreadable in one field. */
struct unreadable {
    uint64_t count, first_position;
    const char *first_kind;
};

struct loader {
    const struct adg_scrape_options *options;
    const struct adg_loaded_table *table;
    struct adg_source *source;
    uint32_t *fields; /* of the selected columns */
    struct unreadable *unreadable;
    uint32_t count;
    int64_t patient; /* which of them is the patient key, or -1 */
    uint64_t rows;
};

static enum adg_engine_type engine_type(enum adg_type type)
{
    return type == ADG_TYPE_STRING ? ADG_ENGINE_TEXT : type == ADG_TYPE_DOUBLE ? ADG_ENGINE_DOUBLE : ADG_ENGINE_INT;
}

/* FNV-1a, then a finaliser so that all bits of short keys count. */
static unsigned patient_bit(const struct adg_value *value, enum adg_type type)
{
    uint64_t hash = UINT64_C(0xCBF29CE484222325);
    const uint8_t *bytes = type == ADG_TYPE_STRING ? value->text.data : (const uint8_t *)&value->integer;
    size_t size = type == ADG_TYPE_STRING ? value->text.size : sizeof value->integer;
    for (size_t i = 0; i < size && !value->null; i++) {
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001B3);
    }
    hash = (hash ^ hash >> 31) * UINT64_C(0xBF58476D1CE4E5B9);
    return (unsigned)(hash >> 58);
}

static enum adg_status refuse_value(const struct loader *loader, uint32_t column, const struct adg_source_value *raw,
                                    struct adg_error *error)
{
    char type[24];
    const struct adg_field *field = &loader->table->dataset->fields[loader->fields[column]];
    adg_type_format(field, type);
    return adg_fail(error, ADG_BAD_INPUT, "%s: %s %" PRIu64 ": field %s: expected %s, found %s",
                    adg_source_name(loader->source), adg_source_position_word(loader->source),
                    adg_source_position(loader->source), field->name, type, adg_value_kind(raw));
}

static enum adg_status put_value(struct adg_engine_batch *batch, uint32_t column, const struct adg_value *value,
                                 enum adg_type type, struct adg_error *error)
{
    if (value->null) {
        return adg_engine_put_null(batch, column, error);
    }
    switch (engine_type(type)) {
    case ADG_ENGINE_TEXT:
        return adg_engine_put_text(batch, column, value->text, error);
    case ADG_ENGINE_DOUBLE:
        return adg_engine_put_double(batch, column, value->number, error);
    case ADG_ENGINE_INT:
        break;
    }
    return adg_engine_put_int(batch, column, value->integer, error);
}

static enum adg_status next_row(void *context, struct adg_engine_batch *batch, bool *end, struct adg_error *error)
{
    struct loader *loader = context;
    enum adg_status status = adg_source_next(loader->source, end, error);
    if (status != ADG_OK || *end) {
        return status;
    }
    struct adg_value value;
    for (uint32_t i = 0; i < loader->count && status == ADG_OK; i++) {
        const struct adg_field *field = &loader->table->dataset->fields[loader->fields[i]];
        struct adg_source_value raw;
        adg_source_value(loader->source, i, &raw);
        adg_value_read(&raw, field, &value);
        if (value.unreadable) {
            struct unreadable *unreadable = &loader->unreadable[i];
            if (loader->options->strict) {
                return refuse_value(loader, i, &raw, error);
            }
            if (unreadable->count++ == 0) {
                unreadable->first_position = adg_source_position(loader->source);
                unreadable->first_kind = adg_value_kind(&raw);
            }
        }
        status = put_value(batch, i, &value, field->type, error);
        if (status == ADG_OK && i == loader->patient) {
            status = adg_engine_put_int(batch, loader->count,
                                        (int64_t)(UINT64_C(1) << patient_bit(&value, field->type)), error);
        }
    }
    loader->rows++;
    if (status == ADG_OK && loader->rows % STOP_EVERY_ROWS == 0) {
        status = adg_stop_check(error);
        if (loader->rows % REPORT_EVERY_ROWS == 0 && loader->options->progress.report != NULL) {
            loader->options->progress.report(loader->options->progress.context, "reading", loader->table->name,
                                             loader->rows, 0);
        }
    }
    return status;
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
        if (unreadable->count < control->min_frequency) {
            snprintf(amount, sizeof amount, "fewer than %" PRIu32 " values", control->min_frequency);
        } else {
            snprintf(amount, sizeof amount, "about %" PRIu64 " values", adg_control_round(control, unreadable->count));
        }
        adg_type_format(field, type);
        snprintf(message, sizeof message,
                 "%s: field %s: %s cannot be read as %s and count as null; the first is in %s %" PRIu64 ": %s",
                 adg_source_name(loader->source), field->name, amount, type, adg_source_position_word(loader->source),
                 unreadable->first_position, unreadable->first_kind);
        loader->options->progress.warn(loader->options->progress.context, message);
    }
}

/* ---- columns ----------------------------------------------------------------------------------------------------- */

static int64_t find_column(const struct adg_source *source, const struct adg_dataset *dataset, uint32_t field)
{
    for (uint32_t c = 0; c < adg_source_column_count(source); c++) {
        if (adg_dataset_find_field(dataset, adg_source_column(source, c)) == field) {
            return c;
        }
    }
    return -1;
}

static enum adg_status append_name(struct adg_buffer *list, const char *name, struct adg_error *error)
{
    enum adg_status status = list->size > 0 ? adg_buffer_append_text(list, ", ", error) : ADG_OK;
    return status == ADG_OK ? adg_buffer_append_text(list, name, error) : status;
}

/* Unknown columns: refused, all of them named at once, or left out and recorded. Without the key columns the first line may
 * be no header, so that its words are values: they are counted, not shown. */
static enum adg_status check_unknown(const struct adg_scrape_options *options, const struct adg_source *source,
                                     const struct adg_dataset *dataset, bool keys_missing,
                                     struct adg_manifest_table *manifest, struct adg_arena *arena,
                                     struct adg_error *error)
{
    struct adg_buffer names = {0};
    uint32_t columns = adg_source_column_count(source), count = 0;
    const char **unknown = adg_arena_array(arena, columns, sizeof *unknown);
    enum adg_status status = unknown == NULL ? adg_fail_memory(error) : ADG_OK;
    for (uint32_t c = 0; c < columns && status == ADG_OK; c++) {
        const char *name = adg_source_column(source, c);
        if (adg_dataset_find_field(dataset, name) < 0) {
            unknown[count] = adg_arena_strdup(arena, name);
            status = unknown[count++] == NULL ? adg_fail_memory(error) : append_name(&names, name, error);
        }
    }
    if (status == ADG_OK && keys_missing) {
        const char *hint = columns == 1 ? "; it has a single column: is its delimiter a comma?" : "";
        status = adg_fail(error, ADG_BAD_INPUT,
                          "%s: no column for the key %s%s%s (%u of its %u columns are not in dataset %s)%s",
                          adg_source_name(source), dataset->fields[dataset->primary_key].name,
                          dataset->patient_key >= 0 ? " or for " : "",
                          dataset->patient_key >= 0 ? dataset->fields[dataset->patient_key].name : "", count, columns,
                          dataset->name, hint);
    } else if (status == ADG_OK && count > 0 && !options->skip_unknown) {
        status = adg_fail(error, ADG_BAD_INPUT,
                          "%s: dataset %s does not know the columns %s; --skip-unknown leaves them out",
                          adg_source_name(source), dataset->name, adg_buffer_text(&names));
    }
    manifest->skipped_columns = unknown;
    manifest->skipped_column_count = count;
    adg_buffer_fini(&names);
    return status;
}

static enum adg_status note_missing(const struct adg_scrape_options *options, const struct adg_source *source,
                                    const struct adg_loaded_table *table, struct adg_manifest_table *manifest,
                                    struct adg_arena *arena, struct adg_error *error)
{
    const struct adg_dataset *dataset = table->dataset;
    struct adg_buffer text = {0};
    uint32_t count = 0;
    const char **missing = adg_arena_array(arena, dataset->field_count, sizeof *missing);
    enum adg_status status = missing == NULL ? adg_fail_memory(error)
                                             : adg_buffer_printf(&text, error, "%s: columns of table %s are missing: ",
                                                                 adg_source_name(source), table->name);
    for (uint32_t f = 0; f < dataset->field_count && status == ADG_OK; f++) {
        if (!table->present[f] && dataset->fields[f].role == ADG_ROLE_SAMPLED) {
            missing[count] = adg_arena_strdup(arena, dataset->fields[f].name);
            status = missing[count] == NULL
                         ? adg_fail_memory(error)
                         : adg_buffer_printf(&text, error, "%s%s", count > 0 ? ", " : "", dataset->fields[f].name);
            count++;
        }
    }
    if (status == ADG_OK && count > 0 && adg_buffer_text(&text) != NULL) {
        options->progress.warn(options->progress.context, (const char *)text.data);
    }
    manifest->missing_columns = missing;
    manifest->missing_column_count = count;
    adg_buffer_fini(&text);
    return status;
}

/* The fields to load, and their columns in the engine. */
static enum adg_status choose_columns(struct loader *loader, const struct adg_dataset *dataset, struct adg_arena *arena,
                                      struct adg_engine_column **engine_columns, struct adg_error *error)
{
    struct adg_engine_column *made = adg_arena_array(arena, dataset->field_count + 1, sizeof *made);
    loader->fields = adg_arena_array(arena, dataset->field_count, sizeof *loader->fields);
    loader->unreadable = adg_arena_array(arena, dataset->field_count, sizeof *loader->unreadable);
    loader->patient = -1;
    if (made == NULL || loader->fields == NULL || loader->unreadable == NULL) {
        return adg_fail_memory(error);
    }
    for (uint32_t f = 0; f < dataset->field_count; f++) {
        int64_t column = find_column(loader->source, dataset, f);
        loader->table->present[f] = column >= 0;
        bool key = f == dataset->primary_key || f == dataset->patient_key;
        if (column < 0 || (dataset->fields[f].role != ADG_ROLE_SAMPLED && !key)) {
            continue;
        }
        char *name = adg_arena_alloc(arena, NAME_BYTES);
        if (name == NULL) {
            return adg_fail_memory(error);
        }
        snprintf(name, NAME_BYTES, "f%" PRIu32, f);
        if (f == dataset->patient_key) {
            loader->patient = loader->count;
        }
        made[loader->count] = (struct adg_engine_column){name, engine_type(dataset->fields[f].type)};
        loader->fields[loader->count++] = f;
    }
    made[loader->count] = (struct adg_engine_column){"m", ADG_ENGINE_INT};
    *engine_columns = made;
    return ADG_OK;
}

enum adg_status adg_load_table(const struct adg_scrape_options *options, const struct adg_source_files *files,
                               struct adg_loaded_table *table, struct adg_manifest_table *manifest,
                               struct adg_arena *arena, struct adg_error *error)
{
    const struct adg_dataset *dataset = table->dataset;
    struct loader loader = {.options = options, .table = table};
    struct adg_engine_column *columns = NULL;
    uint32_t *selected = NULL;
    enum adg_status status = adg_source_open(files, table->engine, &loader.source, error);
    if (status != ADG_OK) {
        return status;
    }
    table->has_patients = dataset->patient_key >= 0;
    status = choose_columns(&loader, dataset, arena, &columns, error);
    if (status == ADG_OK) {
        bool keys_missing = !table->present[dataset->primary_key] ||
                            (table->has_patients && !table->present[dataset->patient_key]);
        status = check_unknown(options, loader.source, dataset, keys_missing, manifest, arena, error);
    }
    if (status == ADG_OK) {
        status = note_missing(options, loader.source, table, manifest, arena, error);
    }
    if (status == ADG_OK) {
        selected = adg_alloc_array(loader.count, sizeof *selected);
        status = selected == NULL ? adg_fail_memory(error) : ADG_OK;
    }
    for (uint32_t i = 0; i < loader.count && status == ADG_OK; i++) {
        selected[i] = (uint32_t)find_column(loader.source, dataset, loader.fields[i]);
    }
    if (status == ADG_OK) {
        status = adg_source_select(loader.source, selected, loader.count, error);
    }
    if (status == ADG_OK) {
        status = adg_engine_execute(table->engine, "drop table if exists t", "clearing the engine", error);
    }
    if (status == ADG_OK) {
        status = adg_engine_ingest(table->engine, "t", columns, loader.count + table->has_patients, next_row, &loader,
                                   error);
    }
    if (status == ADG_OK) {
        warn_unreadable(&loader);
    }
    adg_free(selected);
    adg_source_free(loader.source);
    return status;
}
