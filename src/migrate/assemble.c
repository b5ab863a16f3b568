/*
 * Rows as an Arrow stream: see assemble.h. A column collects a flag a row, 0 where it is null, and its values as they will lie in the
 * message; truth values are a byte a row until then.
 */
#include "migrate/assemble.h"

#include "block/block.h"
#include "core/memory.h"
#include "sink/arrow_message.h"
#include "sink/arrow_values.h"

enum kind { FIXED, TRUTH, TEXT, CODES };

struct column {
    enum kind kind;
    size_t width; /* of a value in bytes; of offsets and codes, too */
    const struct adg_entries *entries;
    struct adg_buffer flags, values, bytes; /* bytes: of texts */
    struct adg_buffer valid, bits;          /* as they are written */
    uint32_t nulls;
};

struct adg_assembler {
    const struct ArrowSchema *schema;
    uint32_t column_count, rows; /* rows: so far, of the next batch */
    struct column *columns;
    struct ArrowArrayView view;
    struct adg_arrow_message *message;
};

/* ---- columns ----------------------------------------------------------------------------------------------------- */

static enum adg_status set_kind(struct column *column, const struct ArrowSchema *schema,
                                const struct adg_entries *entries, struct adg_error *error)
{
    struct ArrowSchemaView view = {0};
    struct ArrowLayout layout;
    if (ArrowSchemaViewInit(&view, schema, NULL) != NANOARROW_OK) {
        return adg_fail(error, ADG_FAILED, "column %s: a type that is not written", schema->name);
    }
    ArrowLayoutInit(&layout, view.storage_type);
    column->entries = entries;
    column->kind = view.type == NANOARROW_TYPE_STRING ? entries != NULL ? CODES : TEXT
                   : view.type == NANOARROW_TYPE_BOOL ? TRUTH
                                                      : FIXED;
    column->width = column->kind == FIXED   ? (size_t)layout.element_size_bits[1] / 8
                    : column->kind == TRUTH ? 1
                                            : sizeof(int32_t);
    return ADG_OK;
}

static enum adg_status add_text(struct column *column, struct adg_span text, struct adg_error *error)
{
    if (text.size > INT32_MAX - column->bytes.size) {
        return adg_fail(error, ADG_FAILED, "the texts of one batch take more than 2 GiB");
    }
    enum adg_status status = text.size > 0 ? adg_buffer_append(&column->bytes, text.data, text.size, error) : ADG_OK;
    const int32_t end = (int32_t)column->bytes.size;
    adg_buffer_put(&column->values, &end, sizeof end);
    return status;
}

static enum adg_status add_code(struct column *column, struct adg_span text, bool null, struct adg_error *error)
{
    const int32_t code = null ? 0 : adg_entries_find(column->entries, text);
    adg_buffer_put(&column->values, &code, sizeof code);
    return code >= 0 ? ADG_OK : adg_fail(error, ADG_FAILED, "a text has come in that was not there before");
}

static struct adg_span text_at(const struct ArrowArrayView *view, int64_t row)
{
    const struct ArrowStringView text = ArrowArrayViewGetStringUnsafe(view, row);
    return (struct adg_span){(const uint8_t *)text.data, (size_t)text.size_bytes};
}

/* Rows first .. first + count - 1 of a batch. */
static enum adg_status add_rows(struct column *column, const struct ArrowArrayView *view, int64_t first, uint32_t count,
                                struct adg_error *error)
{
    enum adg_status status = adg_buffer_reserve(&column->flags, count, error);
    if (status == ADG_OK) {
        status = adg_buffer_reserve(&column->values, count * column->width, error);
    }
    for (int64_t row = first; row < first + count && status == ADG_OK; row++) {
        const uint8_t flag = ArrowArrayViewIsNull(view, row) == 0;
        adg_buffer_put(&column->flags, &flag, 1);
        column->nulls += flag == 0;
        if (column->kind == TEXT) {
            status = add_text(column, flag ? text_at(view, row) : (struct adg_span){NULL, 0}, error);
        } else if (column->kind == CODES) {
            status = add_code(column, flag ? text_at(view, row) : (struct adg_span){NULL, 0}, flag == 0, error);
        } else if (column->kind == TRUTH) {
            const uint8_t truth = flag && ArrowArrayViewGetIntUnsafe(view, row) != 0;
            adg_buffer_put(&column->values, &truth, 1);
        }
    }
    if (status == ADG_OK && column->kind == FIXED) {
        const uint8_t *values = view->buffer_views[1].data.as_uint8;
        adg_buffer_put(&column->values, values + (size_t)(view->offset + first) * column->width, count * column->width);
    }
    return status;
}

/* Bits, least significant first. */
static enum adg_status pack(const struct adg_buffer *flags, struct adg_buffer *bits, struct adg_error *error)
{
    bits->size = 0;
    enum adg_status status = adg_buffer_reserve(bits, flags->size / 8 + 1, error);
    if (status == ADG_OK) {
        adg_arrow_bits(flags->data, (uint32_t)flags->size, bits->data);
        bits->size = (flags->size + 7) / 8;
    }
    return status;
}

static enum adg_status put_column(struct column *column, struct adg_arrow_message *message, uint32_t rows,
                                  struct adg_error *error)
{
    enum adg_status status = column->nulls > 0 ? pack(&column->flags, &column->valid, error) : ADG_OK;
    if (status == ADG_OK && column->kind == TRUTH) {
        status = pack(&column->values, &column->bits, error);
    }
    if (status != ADG_OK) {
        return status;
    }
    const struct adg_buffer *values = column->kind == TRUTH ? &column->bits : &column->values;
    adg_arrow_message_node(message, rows, column->nulls);
    adg_arrow_message_buffer(message, column->valid.data, column->nulls > 0 ? column->valid.size : 0);
    adg_arrow_message_buffer(message, values->data, values->size);
    if (column->kind == TEXT) {
        adg_arrow_message_buffer(message, column->bytes.data, column->bytes.size);
    }
    return ADG_OK;
}

/* Empty, but for the offset that texts begin with. */
static enum adg_status empty(struct column *column, struct adg_error *error)
{
    const int32_t first = 0;
    column->flags.size = column->values.size = column->bytes.size = 0;
    column->nulls = 0;
    return column->kind == TEXT ? adg_buffer_append(&column->values, &first, sizeof first, error) : ADG_OK;
}

/* ---- the stream -------------------------------------------------------------------------------------------------- */

enum adg_status adg_assembler_new(const struct ArrowSchema *schema, struct adg_entries *const *entries,
                                  struct adg_assembler **out, struct adg_error *error)
{
    struct adg_assembler *assembler = adg_alloc_zero(1, sizeof *assembler);
    if (assembler == NULL) {
        return adg_fail_memory(error);
    }
    assembler->schema = schema;
    assembler->column_count = (uint32_t)schema->n_children;
    assembler->columns = adg_alloc_zero(assembler->column_count, sizeof *assembler->columns);
    enum adg_status status = assembler->columns == NULL ||
                                     ArrowArrayViewInitFromSchema(&assembler->view, schema, NULL) != NANOARROW_OK
                                 ? adg_fail_memory(error)
                                 : adg_arrow_message_new(assembler->column_count, &assembler->message, error);
    for (uint32_t i = 0; i < assembler->column_count && status == ADG_OK; i++) {
        status = set_kind(&assembler->columns[i], schema->children[i], entries[i], error);
        status = status == ADG_OK ? empty(&assembler->columns[i], error) : status;
    }
    if (status != ADG_OK) {
        adg_assembler_free(assembler);
        return status;
    }
    *out = assembler;
    return ADG_OK;
}

void adg_assembler_free(struct adg_assembler *assembler)
{
    if (assembler == NULL) {
        return;
    }
    for (uint32_t i = 0; assembler->columns != NULL && i < assembler->column_count; i++) {
        struct column *column = &assembler->columns[i];
        adg_buffer_fini(&column->flags);
        adg_buffer_fini(&column->values);
        adg_buffer_fini(&column->bytes);
        adg_buffer_fini(&column->valid);
        adg_buffer_fini(&column->bits);
    }
    ArrowArrayViewReset(&assembler->view);
    adg_arrow_message_free(assembler->message);
    adg_free(assembler->columns);
    adg_free(assembler);
}

/* The columns with their dictionaries. */
static int make_schema(const struct adg_assembler *assembler, struct ArrowSchema *out)
{
    NANOARROW_RETURN_NOT_OK(ArrowSchemaDeepCopy(assembler->schema, out));
    for (uint32_t i = 0; i < assembler->column_count; i++) {
        if (assembler->columns[i].kind == CODES) {
            struct ArrowSchema *column = out->children[i];
            NANOARROW_RETURN_NOT_OK(ArrowSchemaSetType(column, NANOARROW_TYPE_INT32));
            NANOARROW_RETURN_NOT_OK(ArrowSchemaAllocateDictionary(column));
            NANOARROW_RETURN_NOT_OK(ArrowSchemaInitFromType(column->dictionary, NANOARROW_TYPE_STRING));
        }
    }
    return NANOARROW_OK;
}

/* One without entries gets an empty text, so that the code of a null row is within it. */
static enum adg_status put_dictionary(struct adg_arrow_message *message, const struct adg_entries *entries,
                                      int64_t number, struct adg_buffer *out, struct adg_error *error)
{
    static const int32_t none[] = {0, 0};
    const int32_t *offsets;
    const uint8_t *bytes;
    uint32_t count = adg_entries_texts(entries, &offsets, &bytes);
    offsets = count > 0 ? offsets : none;
    count = count > 0 ? count : 1;
    adg_arrow_message_node(message, count, 0);
    adg_arrow_message_buffer(message, NULL, 0);
    adg_arrow_message_buffer(message, offsets, (count + (size_t)1) * sizeof *offsets);
    adg_arrow_message_buffer(message, bytes, adg_entries_bytes(entries));
    return adg_arrow_message_put(message, count, number, out, error);
}

enum adg_status adg_assembler_begin(struct adg_assembler *assembler, struct adg_buffer *out, struct adg_error *error)
{
    struct ArrowSchema schema = {.release = NULL};
    int64_t number = 0;
    enum adg_status status = make_schema(assembler, &schema) != NANOARROW_OK
                                 ? adg_fail_memory(error)
                                 : adg_arrow_put_schema(&schema, out, error);
    for (uint32_t i = 0; i < assembler->column_count && status == ADG_OK; i++) {
        if (assembler->columns[i].kind == CODES) {
            status = put_dictionary(assembler->message, assembler->columns[i].entries, number++, out, error);
        }
    }
    if (schema.release != NULL) {
        ArrowSchemaRelease(&schema);
    }
    return status;
}

static enum adg_status put_rows(struct adg_assembler *assembler, struct adg_buffer *out, struct adg_error *error)
{
    enum adg_status status = ADG_OK;
    for (uint32_t i = 0; i < assembler->column_count && status == ADG_OK; i++) {
        status = put_column(&assembler->columns[i], assembler->message, assembler->rows, error);
    }
    if (status == ADG_OK) {
        status = adg_arrow_message_put(assembler->message, assembler->rows, -1, out, error);
    }
    for (uint32_t i = 0; i < assembler->column_count && status == ADG_OK; i++) {
        status = empty(&assembler->columns[i], error);
    }
    assembler->rows = 0;
    return status;
}

enum adg_status adg_assembler_add(struct adg_assembler *assembler, const struct ArrowArray *batch,
                                  struct adg_buffer *out, struct adg_error *error)
{
    struct ArrowError why = {{0}};
    enum adg_status status = ADG_OK;
    if (ArrowArrayViewSetArray(&assembler->view, batch, &why) != NANOARROW_OK) {
        return adg_fail(error, ADG_FAILED, "Arrow: %s", ArrowErrorMessage(&why));
    }
    for (int64_t first = 0; first < batch->length && status == ADG_OK;) {
        const int64_t left = batch->length - first, room = ADG_BLOCK_ROWS - assembler->rows;
        const uint32_t count = (uint32_t)(left < room ? left : room);
        for (uint32_t i = 0; i < assembler->column_count && status == ADG_OK; i++) {
            status = add_rows(&assembler->columns[i], assembler->view.children[i], first, count, error);
            adg_context(error, status, "column %s", assembler->schema->children[i]->name);
        }
        assembler->rows += count;
        first += count;
        if (status == ADG_OK && assembler->rows == ADG_BLOCK_ROWS) {
            status = put_rows(assembler, out, error);
        }
    }
    return status;
}

enum adg_status adg_assembler_end(struct adg_assembler *assembler, struct adg_buffer *out, struct adg_error *error)
{
    enum adg_status status = assembler->rows > 0 ? put_rows(assembler, out, error) : ADG_OK;
    return status == ADG_OK ? adg_arrow_put_end(out, error) : status;
}
