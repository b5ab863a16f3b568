/*
 * adg_metadata_stream_open (include/adg.h): the metadata table as an ArrowArrayStream, one batch per table, whose rows are loaded
 * for the time that it takes to copy them.
 */
#include <errno.h>
#include <nanoarrow/nanoarrow.h>
#include <pthread.h>
#include <string.h>

#include "core/memory.h"
#include "metadata/metadata.h"

#define EXPORT __attribute__((visibility("default")))

struct stream {
    const struct adg_definition *definition; /* held */
    const struct adg_metadata *metadata;     /* held */
    const char **tables;                     /* of the definition */
    uint32_t count, next;
    pthread_mutex_t lock; /* guards next and error */
    struct adg_error error;
};

static enum ArrowType arrow_type(enum adg_type type)
{
    return type == ADG_TYPE_STRING ? NANOARROW_TYPE_STRING
           : type == ADG_TYPE_DATE ? NANOARROW_TYPE_DATE32
                                   : NANOARROW_TYPE_DOUBLE;
}

static int make_schema(struct ArrowSchema *schema)
{
    ArrowSchemaInit(schema);
    NANOARROW_RETURN_NOT_OK(ArrowSchemaSetTypeStruct(schema, ADG_METADATA_COLUMNS));
    for (int i = 0; i < ADG_METADATA_COLUMNS; i++) {
        const struct adg_metadata_column *column = &adg_metadata_columns[i];
        struct ArrowSchema *child = schema->children[i];
        enum ArrowType type = arrow_type(column->type);
        NANOARROW_RETURN_NOT_OK(ArrowSchemaSetType(child, column->is_list ? NANOARROW_TYPE_LIST : type));
        NANOARROW_RETURN_NOT_OK(ArrowSchemaSetName(child, column->name));
        if (column->is_list) {
            NANOARROW_RETURN_NOT_OK(ArrowSchemaSetType(child->children[0], type));
        }
    }
    return NANOARROW_OK;
}

/* ---- rows ---------------------------------------------------------------------------------------------------------- */

static int put_text(struct ArrowArray *array, struct adg_optional_text text)
{
    if (text.text == NULL) {
        return ArrowArrayAppendNull(array, 1);
    }
    return ArrowArrayAppendString(array, (struct ArrowStringView){text.text, (int64_t)text.size});
}

static int put_name(struct ArrowArray *array, const char *name)
{
    return ArrowArrayAppendString(array, ArrowCharView(name));
}

static int put_number(struct ArrowArray *array, bool there, double number)
{
    return there ? ArrowArrayAppendDouble(array, number) : ArrowArrayAppendNull(array, 1);
}

static int put_texts(struct ArrowArray *array, const struct adg_optional_text *texts, uint32_t count)
{
    if (texts == NULL) {
        return ArrowArrayAppendNull(array, 1);
    }
    for (uint32_t i = 0; i < count; i++) {
        NANOARROW_RETURN_NOT_OK(put_text(array->children[0], texts[i]));
    }
    return ArrowArrayFinishElement(array);
}

static int put_numbers(struct ArrowArray *array, const double *numbers, uint32_t count)
{
    if (numbers == NULL) {
        return ArrowArrayAppendNull(array, 1);
    }
    for (uint32_t i = 0; i < count; i++) {
        NANOARROW_RETURN_NOT_OK(ArrowArrayAppendDouble(array->children[0], numbers[i]));
    }
    return ArrowArrayFinishElement(array);
}

static int put_row(struct ArrowArray *batch, const struct adg_metadata_row *row)
{
    struct ArrowArray **to = batch->children;
    NANOARROW_RETURN_NOT_OK(put_name(to[ADG_COLUMN_TABLE_NAME], row->table));
    NANOARROW_RETURN_NOT_OK(put_name(to[ADG_COLUMN_FIELD_NAME], row->field));
    NANOARROW_RETURN_NOT_OK(put_name(to[ADG_COLUMN_VALUE_TYPE], adg_value_type_name(row->value_type)));
    NANOARROW_RETURN_NOT_OK(put_text(to[ADG_COLUMN_VALUE_STRING], row->string));
    NANOARROW_RETURN_NOT_OK(put_number(to[ADG_COLUMN_VALUE_NUMERIC], row->has_numeric, row->numeric));
    NANOARROW_RETURN_NOT_OK(row->has_date ? ArrowArrayAppendInt(to[ADG_COLUMN_VALUE_DATE], row->date)
                                          : ArrowArrayAppendNull(to[ADG_COLUMN_VALUE_DATE], 1));
    NANOARROW_RETURN_NOT_OK(put_texts(to[ADG_COLUMN_VALUE_STRING_ARRAY], row->string_array, row->string_array_count));
    NANOARROW_RETURN_NOT_OK(
        put_numbers(to[ADG_COLUMN_VALUE_NUMERIC_ARRAY], row->numeric_array, row->numeric_array_count));
    NANOARROW_RETURN_NOT_OK(put_number(to[ADG_COLUMN_WEIGHT], row->has_weight, row->weight));
    NANOARROW_RETURN_NOT_OK(put_numbers(to[ADG_COLUMN_WEIGHT_ARRAY], row->weight_array, row->weight_array_count));
    return ArrowArrayFinishElement(batch);
}

/* Field indices by name: the canonical order of rows. */
static void sort_fields(const struct adg_dataset *dataset, uint32_t *order)
{
    for (uint32_t i = 0; i < dataset->field_count; i++) {
        uint32_t at = i;
        for (; at > 0 && strcmp(dataset->fields[order[at - 1]].name, dataset->fields[i].name) > 0; at--) {
            order[at] = order[at - 1];
        }
        order[at] = i;
    }
}

static int put_rows(const struct adg_metadata *metadata, const char *table, const struct adg_dataset *dataset,
                    const uint32_t *order, struct ArrowArray *batch)
{
    for (uint32_t f = 0; f < dataset->field_count; f++) {
        for (int type = 0; type < ADG_VALUE_TYPES; type++) {
            const struct adg_metadata_range range = adg_metadata_find(metadata, table, dataset->fields[order[f]].name,
                                                                      (enum adg_value_type)type);
            for (size_t i = 0; i < range.count; i++) {
                NANOARROW_RETURN_NOT_OK(put_row(batch, &range.rows[i]));
            }
        }
    }
    return NANOARROW_OK;
}

static int make_batch(const struct stream *stream, const char *table, const struct adg_dataset *dataset,
                      const uint32_t *order, struct ArrowArray *out)
{
    struct ArrowSchema schema = {.release = NULL};
    struct ArrowArray batch = {.release = NULL};
    int code = make_schema(&schema);
    if (code == NANOARROW_OK) {
        code = ArrowArrayInitFromSchema(&batch, &schema, NULL);
    }
    if (code == NANOARROW_OK) {
        code = ArrowArrayStartAppending(&batch);
    }
    if (code == NANOARROW_OK) {
        code = put_rows(stream->metadata, table, dataset, order, &batch);
    }
    if (code == NANOARROW_OK) {
        code = ArrowArrayFinishBuildingDefault(&batch, NULL);
    }
    if (schema.release != NULL) {
        schema.release(&schema);
    }
    if (code != NANOARROW_OK && batch.release != NULL) {
        batch.release(&batch);
    } else if (code == NANOARROW_OK) {
        *out = batch;
    }
    return code;
}

static enum adg_status read_table(const struct stream *stream, const char *table, struct ArrowArray *out,
                                  struct adg_error *error)
{
    const struct adg_dataset *dataset = NULL;
    enum adg_status status = adg_definition_find_table(stream->definition, table, &dataset, NULL, error);
    if (status == ADG_OK) {
        status = adg_metadata_load(stream->metadata, table, NULL, error);
    }
    if (status != ADG_OK) {
        return status;
    }
    uint32_t *order = adg_alloc_array(dataset->field_count, sizeof *order);
    int code = ENOMEM;
    if (order != NULL) {
        sort_fields(dataset, order);
        code = make_batch(stream, table, dataset, order, out);
    }
    adg_metadata_unload(stream->metadata, table, NULL);
    adg_free(order);
    return code == NANOARROW_OK ? ADG_OK : adg_fail_memory(error);
}

/* ---- the callbacks of the Arrow C stream interface ----------------------------------------------------------------- */

static int get_schema(struct ArrowArrayStream *arrow_stream, struct ArrowSchema *out)
{
    (void)arrow_stream;
    struct ArrowSchema schema;
    int code = make_schema(&schema);
    if (code != NANOARROW_OK) {
        schema.release(&schema);
        return code;
    }
    *out = schema;
    return 0;
}

static int get_next(struct ArrowArrayStream *arrow_stream, struct ArrowArray *out)
{
    struct stream *stream = arrow_stream->private_data;
    enum adg_status status = ADG_OK;
    pthread_mutex_lock(&stream->lock);
    if (stream->next == stream->count) {
        *out = (struct ArrowArray){.release = NULL};
    } else {
        status = read_table(stream, stream->tables[stream->next], out, &stream->error);
        stream->next += status == ADG_OK;
    }
    pthread_mutex_unlock(&stream->lock);
    return status == ADG_OK ? 0 : status == ADG_BAD_INPUT ? EINVAL : EIO;
}

static const char *get_last_error(struct ArrowArrayStream *arrow_stream)
{
    const struct stream *stream = arrow_stream->private_data;
    return stream->error.message;
}

static void stream_free(struct stream *stream)
{
    if (stream != NULL) {
        adg_metadata_free((struct adg_metadata *)(uintptr_t)stream->metadata);
        adg_definition_free((struct adg_definition *)(uintptr_t)stream->definition);
        pthread_mutex_destroy(&stream->lock);
        adg_free(stream->tables);
        adg_free(stream);
    }
}

static void release(struct ArrowArrayStream *arrow_stream)
{
    stream_free(arrow_stream->private_data);
    arrow_stream->private_data = NULL;
    arrow_stream->release = NULL;
}

/* ---- public -------------------------------------------------------------------------------------------------------- */

static enum adg_status choose(struct stream *stream, const char *table, struct adg_error *error)
{
    const struct adg_definition *definition = stream->definition;
    const struct adg_table *found = NULL;
    size_t most = 1;
    for (uint32_t d = 0; d < definition->dataset_count; d++) {
        most += definition->datasets[d].table_count;
    }
    stream->tables = adg_alloc_array(most, sizeof *stream->tables);
    if (stream->tables == NULL) {
        return adg_fail_memory(error);
    }
    if (table != NULL) {
        enum adg_status status = adg_definition_find_table(definition, table, NULL, &found, error);
        if (status == ADG_OK && !adg_metadata_has_table(stream->metadata, found->name)) {
            status = adg_fail(error, ADG_BAD_INPUT, "table %s: the metadata have nothing about this table", table);
        }
        stream->tables[stream->count++] = status == ADG_OK ? found->name : NULL;
        return status;
    }
    for (uint32_t d = 0; d < definition->dataset_count; d++) {
        for (uint32_t t = 0; t < definition->datasets[d].table_count; t++) {
            const char *name = definition->datasets[d].tables[t].name;
            if (adg_metadata_has_table(stream->metadata, name)) {
                stream->tables[stream->count++] = name;
            }
        }
    }
    return ADG_OK;
}

EXPORT enum adg_status adg_metadata_stream_open(const struct adg_definition *definition,
                                                const struct adg_metadata *metadata, const char *table,
                                                struct ArrowArrayStream *out, struct adg_error *error)
{
    struct stream *stream = adg_alloc_zero(1, sizeof *stream);
    if (stream == NULL) {
        return adg_fail_memory(error);
    }
    pthread_mutex_init(&stream->lock, NULL);
    stream->definition = adg_definition_hold(definition);
    stream->metadata = adg_metadata_hold(metadata);
    enum adg_status status = choose(stream, table, error);
    if (status != ADG_OK) {
        stream_free(stream);
        return status;
    }
    *out = (struct ArrowArrayStream){.get_schema = get_schema,
                                     .get_next = get_next,
                                     .get_last_error = get_last_error,
                                     .release = release,
                                     .private_data = stream};
    return ADG_OK;
}
