/*
 * Blocks as Arrow record batches: see arrow.h.
 *
 * What is behind the codes of a column is copied once, when the sink is made, into entries that are counted by their
 * holders: the sink, and every exported dictionary, once per buffer, since nanoarrow gives a buffer back when its array is
 * released. A batch is one array that nanoarrow makes after the schema, with our buffers put into it.
 */
#include "sink/arrow.h"

#include <nanoarrow/nanoarrow.h>
#include <stdatomic.h>

#include "core/memory.h"
#include "sink/arrow_values.h"

/* Entries that are shared. */
struct held_entries {
    atomic_uint holders;
    struct adg_arrow_entries entries;
};

struct arrow_column {
    uint32_t number; /* in the layout */
    bool as_dictionary;
    struct held_entries *held; /* CONSTANT, DICTIONARY, and NULL: what the codes stand for */
};

struct adg_arrow {
    const struct adg_layout *layout;
    uint32_t count;
    struct arrow_column *columns;
    struct ArrowSchema schema;
    uint32_t *zeros; /* [ADG_BLOCK_ROWS] codes of CONSTANT and NULL: entry 0, or null of no entries */
};

static enum adg_status fail_arrow(int code, struct ArrowError *arrow_error, struct adg_error *error)
{
    if (code == ENOMEM) {
        return adg_fail_memory(error);
    }
    return adg_fail(error, ADG_FAILED, "Arrow: %s", arrow_error != NULL ? ArrowErrorMessage(arrow_error) : "");
}

/* ---- entries ----------------------------------------------------------------------------------------------------- */

static void drop_entries(struct held_entries *held)
{
    if (held != NULL && atomic_fetch_sub(&held->holders, 1) == 1) {
        adg_free(held->entries.offsets);
        adg_free(held->entries.bytes);
        adg_free(held->entries.values);
        adg_free(held);
    }
}

/* The number of a text's cell is not known until the block is there; everything else that has codes has a dictionary. */
static bool has_codes(const struct adg_layout_column *layout)
{
    return layout->kind != ADG_COLUMN_PLAIN && layout->kind != ADG_COLUMN_TEXTS;
}

/* Arrow's offsets have 31 bits. */
static bool is_too_long(const struct adg_layout_column *layout)
{
    const struct adg_dictionary *dictionary = layout->dictionary;
    return dictionary != NULL && dictionary->type == ADG_TYPE_STRING &&
           dictionary->values.text.offsets[dictionary->count] - dictionary->values.text.offsets[0] > INT32_MAX;
}

static bool copy_texts(const struct adg_dictionary *dictionary, struct adg_arrow_entries *entries)
{
    uint32_t count = entries->count;
    const uint32_t *offsets = dictionary != NULL ? dictionary->values.text.offsets : NULL;
    uint32_t size = offsets != NULL ? offsets[count] - offsets[0] : 0;
    entries->offsets = adg_alloc_zero((size_t)count + 2, sizeof *entries->offsets);
    entries->bytes = adg_alloc_zero((size_t)size + ADG_ARROW_SHORT_TEXT, 1);
    if (entries->offsets == NULL || entries->bytes == NULL) {
        return false;
    }
    entries->byte_count = size;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t length = offsets[i + 1] - offsets[i];
        entries->offsets[i + 1] = entries->offsets[i] + (int32_t)length;
        entries->longest = length > entries->longest ? length : entries->longest;
    }
    entries->offsets[count + 1] = entries->offsets[count];
    if (size > 0) {
        memcpy(entries->bytes, dictionary->values.text.bytes + offsets[0], size);
    }
    return true;
}

static bool copy_values(const struct adg_dictionary *dictionary, enum adg_type type, struct adg_arrow_entries *entries)
{
    uint32_t count = entries->count;
    entries->width = type == ADG_TYPE_DECIMAL ? 16 : adg_type_is_int32(type) ? 4 : 8;
    entries->values = adg_alloc_zero((size_t)count + 1, entries->width);
    if (entries->values == NULL) {
        return false;
    }
    if (count == 0) {
        return true;
    }
    if (type == ADG_TYPE_DECIMAL) {
        adg_arrow_widen(dictionary->values.i64, count, entries->values);
    } else { /* all of the union's pointers are one */
        memcpy(entries->values, dictionary->values.i32, (size_t)count * entries->width);
    }
    return true;
}

static struct held_entries *hold_entries(const struct adg_layout_column *layout)
{
    struct held_entries *held = adg_alloc_zero(1, sizeof *held);
    if (held == NULL) {
        return NULL;
    }
    const struct adg_dictionary *dictionary = layout->dictionary;
    atomic_init(&held->holders, 1);
    held->entries.count = dictionary != NULL ? dictionary->count : 0;
    bool copied = layout->field->type == ADG_TYPE_STRING ? copy_texts(dictionary, &held->entries)
                                                         : copy_values(dictionary, layout->field->type, &held->entries);
    if (!copied) {
        drop_entries(held);
        return NULL;
    }
    return held;
}

/* ---- the schema -------------------------------------------------------------------------------------------------- */

static enum ArrowType arrow_type(enum adg_type type)
{
    switch (type) {
    case ADG_TYPE_STRING:
        return NANOARROW_TYPE_STRING;
    case ADG_TYPE_INT32:
        return NANOARROW_TYPE_INT32;
    case ADG_TYPE_INT64:
        return NANOARROW_TYPE_INT64;
    case ADG_TYPE_DOUBLE:
        return NANOARROW_TYPE_DOUBLE;
    case ADG_TYPE_DECIMAL:
        return NANOARROW_TYPE_DECIMAL128;
    case ADG_TYPE_DATE:
        return NANOARROW_TYPE_DATE32;
    case ADG_TYPE_TIMESTAMP:
        return NANOARROW_TYPE_TIMESTAMP;
    default:
        return NANOARROW_TYPE_BOOL;
    }
}

int adg_arrow_set_field(struct ArrowSchema *schema, const struct adg_field *field, bool as_dictionary)
{
    if (as_dictionary) {
        NANOARROW_RETURN_NOT_OK(ArrowSchemaSetType(schema, NANOARROW_TYPE_INT32));
        NANOARROW_RETURN_NOT_OK(ArrowSchemaAllocateDictionary(schema));
        NANOARROW_RETURN_NOT_OK(ArrowSchemaInitFromType(schema->dictionary, NANOARROW_TYPE_STRING));
    } else if (field->type == ADG_TYPE_DECIMAL) {
        NANOARROW_RETURN_NOT_OK(
            ArrowSchemaSetTypeDecimal(schema, NANOARROW_TYPE_DECIMAL128, field->precision, field->scale));
    } else if (field->type == ADG_TYPE_TIMESTAMP) {
        NANOARROW_RETURN_NOT_OK(
            ArrowSchemaSetTypeDateTime(schema, NANOARROW_TYPE_TIMESTAMP, NANOARROW_TIME_UNIT_MICRO, NULL));
    } else {
        NANOARROW_RETURN_NOT_OK(ArrowSchemaSetType(schema, arrow_type(field->type)));
    }
    return ArrowSchemaSetName(schema, field->name);
}

static int make_schema(struct adg_arrow *arrow)
{
    ArrowSchemaInit(&arrow->schema);
    NANOARROW_RETURN_NOT_OK(ArrowSchemaSetTypeStruct(&arrow->schema, arrow->count));
    for (uint32_t i = 0; i < arrow->count; i++) {
        const struct adg_layout_column *layout = &arrow->layout->columns[arrow->columns[i].number];
        NANOARROW_RETURN_NOT_OK(
            adg_arrow_set_field(arrow->schema.children[i], layout->field, arrow->columns[i].as_dictionary));
    }
    return NANOARROW_OK;
}

enum adg_status adg_arrow_schema(const struct adg_arrow *arrow, struct ArrowSchema *out, struct adg_error *error)
{
    struct ArrowSchema copy;
    int code = ArrowSchemaDeepCopy(&arrow->schema, &copy);
    if (code != NANOARROW_OK) {
        return fail_arrow(code, NULL, error);
    }
    *out = copy;
    return ADG_OK;
}

/* ---- making ------------------------------------------------------------------------------------------------------ */

void adg_arrow_free(struct adg_arrow *arrow)
{
    if (arrow == NULL) {
        return;
    }
    for (uint32_t i = 0; arrow->columns != NULL && i < arrow->count; i++) {
        drop_entries(arrow->columns[i].held);
    }
    if (arrow->schema.release != NULL) {
        ArrowSchemaRelease(&arrow->schema);
    }
    adg_free(arrow->columns);
    adg_free(arrow->zeros);
    adg_free(arrow);
}

enum adg_status adg_arrow_new(const struct adg_layout *layout, const uint32_t *columns, uint32_t count,
                              bool dictionaries, struct adg_arrow **out, struct adg_error *error)
{
    struct adg_arrow *arrow = adg_alloc_zero(1, sizeof *arrow);
    if (arrow == NULL) {
        return adg_fail_memory(error);
    }
    arrow->layout = layout;
    arrow->count = columns != NULL ? count : layout->column_count;
    arrow->columns = adg_alloc_zero(arrow->count, sizeof *arrow->columns);
    arrow->zeros = adg_alloc_zero(ADG_BLOCK_ROWS, sizeof *arrow->zeros);
    bool made = arrow->columns != NULL && arrow->zeros != NULL;
    for (uint32_t i = 0; made && i < arrow->count; i++) {
        struct arrow_column *column = &arrow->columns[i];
        column->number = columns != NULL ? columns[i] : i;
        const struct adg_layout_column *of = &layout->columns[column->number];
        if (is_too_long(of)) {
            adg_arrow_free(arrow);
            return adg_fail(error, ADG_FAILED, "column %s: its texts take more than 2 GiB", of->field->name);
        }
        column->as_dictionary = dictionaries && has_codes(of) && of->field->type == ADG_TYPE_STRING;
        if (has_codes(of)) {
            column->held = hold_entries(of);
            made = column->held != NULL;
        }
    }
    int code = made ? make_schema(arrow) : ENOMEM;
    if (code != NANOARROW_OK) {
        adg_arrow_free(arrow);
        return fail_arrow(code, NULL, error);
    }
    *out = arrow;
    return ADG_OK;
}

/* ---- batches ----------------------------------------------------------------------------------------------------- */

static void free_bytes(struct ArrowBufferAllocator *allocator, uint8_t *data, int64_t size)
{
    (void)allocator;
    (void)size;
    adg_free(data);
}

static void drop_held(struct ArrowBufferAllocator *allocator, uint8_t *data, int64_t size)
{
    (void)data;
    (void)size;
    drop_entries(allocator->private_data);
}

/* The buffer takes the memory over. */
static void give(struct ArrowBuffer *buffer, void *data, size_t size)
{
    buffer->data = data;
    buffer->size_bytes = buffer->capacity_bytes = (int64_t)size;
    buffer->allocator = ArrowBufferDeallocator(free_bytes, NULL);
}

static void lend(struct ArrowBuffer *buffer, void *data, size_t size, struct held_entries *held)
{
    atomic_fetch_add(&held->holders, 1);
    buffer->data = data;
    buffer->size_bytes = buffer->capacity_bytes = (int64_t)size;
    buffer->allocator = ArrowBufferDeallocator(drop_held, held);
}

static void *new_values(struct ArrowArray *array, int64_t i, size_t size)
{
    void *data = adg_alloc_aligned(size);
    if (data != NULL) {
        give(ArrowArrayBuffer(array, i), data, size);
    }
    return data;
}

/* The flags as the array's validity, unless all are 1. */
static bool set_valid(const uint8_t *flags, struct ArrowArray *array, uint32_t rows)
{
    array->null_count = 0;
    uint8_t *bits = adg_alloc_aligned((size_t)rows / 8 + 1);
    if (bits == NULL) {
        return false;
    }
    uint32_t nulls = adg_arrow_bits(flags, rows, bits);
    if (nulls == 0) {
        adg_free(bits);
        return true;
    }
    array->null_count = nulls;
    struct ArrowBitmap *bitmap = ArrowArrayValidityBitmap(array);
    give(&bitmap->buffer, bits, ((size_t)rows + 7) / 8);
    bitmap->size_bits = rows;
    return true;
}

static bool put_indices(const struct arrow_column *column, const uint32_t *codes, uint32_t rows,
                        struct ArrowArray *array)
{
    uint8_t flags[ADG_BLOCK_ROWS];
    const struct adg_arrow_entries *entries = &column->held->entries;
    struct ArrowArray *dictionary = array->dictionary;
    int32_t *indices = new_values(array, 1, rows * sizeof *indices);
    if (indices == NULL) {
        return false;
    }
    adg_arrow_indices(codes, rows, entries->count, indices, flags);
    dictionary->length = entries->count > 0 ? entries->count : 1; /* index 0 of a null row is within it, too */
    lend(ArrowArrayBuffer(dictionary, 1), entries->offsets, ((size_t)dictionary->length + 1) * sizeof *entries->offsets,
         column->held);
    lend(ArrowArrayBuffer(dictionary, 2), entries->bytes, entries->byte_count, column->held);
    dictionary->null_count = 0;
    return set_valid(flags, array, rows);
}

static bool put_bits(struct ArrowArray *array, const uint8_t *flags, uint32_t rows)
{
    uint8_t *bits = new_values(array, 1, ((size_t)rows + 7) / 8);
    if (bits != NULL) {
        adg_arrow_bits(flags, rows, bits);
    }
    return bits != NULL;
}

static enum adg_status put_texts(const struct adg_arrow_entries *entries, const uint32_t *codes, uint32_t rows,
                                 struct ArrowArray *array, struct adg_error *error)
{
    int32_t *offsets = new_values(array, 1, ((size_t)rows + 1) * sizeof *offsets);
    if (offsets == NULL) {
        return adg_fail_memory(error);
    }
    uint64_t total = adg_arrow_text_offsets(entries, codes, rows, offsets);
    if (total > INT32_MAX) {
        return adg_fail(error, ADG_FAILED, "the texts of one batch take more than 2 GiB");
    }
    char *bytes = new_values(array, 2, (size_t)total + ADG_ARROW_SHORT_TEXT);
    if (bytes == NULL) {
        return adg_fail_memory(error);
    }
    ArrowArrayBuffer(array, 2)->size_bytes = (int64_t)total;
    adg_arrow_text_gather(entries, codes, rows, bytes);
    return ADG_OK;
}

/* Values of codes, not as a dictionary. */
static enum adg_status put_decoded(const struct adg_arrow *arrow, const struct arrow_column *column,
                                   const uint32_t *codes, uint32_t rows, struct ArrowArray *array,
                                   struct adg_error *error)
{
    uint8_t flags[ADG_BLOCK_ROWS];
    const struct adg_arrow_entries *entries = &column->held->entries;
    enum adg_type type = arrow->layout->columns[column->number].field->type;
    if (type == ADG_TYPE_STRING) {
        enum adg_status status = put_texts(entries, codes, rows, array, error);
        if (status != ADG_OK) {
            return status;
        }
    } else if (type == ADG_TYPE_BOOLEAN) {
        for (uint32_t i = 0; i < rows; i++) {
            flags[i] = (uint8_t)((const int32_t *)entries->values)[codes[i]];
        }
        if (!put_bits(array, flags, rows)) {
            return adg_fail_memory(error);
        }
    } else {
        void *values = new_values(array, 1, (size_t)rows * entries->width);
        if (values == NULL) {
            return adg_fail_memory(error);
        }
        adg_arrow_gather(entries, codes, rows, values);
    }
    adg_arrow_valid(codes, rows, entries->count, flags);
    return set_valid(flags, array, rows) ? ADG_OK : adg_fail_memory(error);
}

/* Texts that lie one behind the other with their lengths: PLAIN's by row, TEXTS' by the cell that the row has. */
static enum adg_status put_cells(const struct adg_block_column *data, const uint32_t *cells, uint32_t rows,
                                 const uint8_t *flags, struct ArrowArray *array, struct adg_error *error)
{
    int32_t *offsets = new_values(array, 1, ((size_t)rows + 1) * sizeof *offsets);
    uint64_t total = 0;
    if (offsets == NULL) {
        return adg_fail_memory(error);
    }
    const uint32_t *from = data->values.text.offsets;
    for (uint32_t i = 0; i < rows; i++) {
        offsets[i] = (int32_t)(total & INT32_MAX);
        uint32_t cell = cells != NULL ? cells[i] : i;
        total += flags[i] ? from[cell + 1] - from[cell] - ADG_TEXT_LENGTH_BYTES : 0;
    }
    offsets[rows] = (int32_t)(total & INT32_MAX);
    if (total > INT32_MAX) {
        return adg_fail(error, ADG_FAILED, "the texts of one batch take more than 2 GiB");
    }
    char *bytes = new_values(array, 2, (size_t)total + ADG_TEXT_SLACK);
    if (bytes == NULL) {
        return adg_fail_memory(error);
    }
    ArrowArrayBuffer(array, 2)->size_bytes = (int64_t)total;
    for (uint32_t i = 0; i < rows; i++) {
        uint32_t size = (uint32_t)(offsets[i + 1] - offsets[i]), ignored;
        if (size == 0) {
            continue;
        }
        const char *text = adg_block_cell(data, cells != NULL ? cells[i] : i, &ignored);
        if (size <= ADG_TEXT_SLACK) { /* as a whole: both sides have the slack */
            memcpy(bytes + offsets[i], text, ADG_TEXT_SLACK);
        } else {
            memcpy(bytes + offsets[i], text, size);
        }
    }
    return ADG_OK;
}

static enum adg_status put_plain(const struct adg_field *field, const struct adg_block_column *data, uint32_t rows,
                                 struct ArrowArray *array, struct adg_error *error)
{
    uint8_t flags[ADG_BLOCK_ROWS];
    if (data->valid != NULL) {
        memcpy(flags, data->valid, rows);
    } else {
        memset(flags, 1, rows);
    }
    if (field->type == ADG_TYPE_STRING) {
        enum adg_status status = put_cells(data, NULL, rows, flags, array, error);
        if (status != ADG_OK) {
            return status;
        }
    } else if (field->type == ADG_TYPE_BOOLEAN) {
        uint8_t truths[ADG_BLOCK_ROWS];
        for (uint32_t i = 0; i < rows; i++) {
            truths[i] = data->values.i32[i] != 0;
        }
        if (!put_bits(array, truths, rows)) {
            return adg_fail_memory(error);
        }
    } else {
        unsigned width = field->type == ADG_TYPE_DECIMAL ? 16 : adg_type_is_int32(field->type) ? 4 : 8;
        void *values = new_values(array, 1, (size_t)rows * width);
        if (values == NULL) {
            return adg_fail_memory(error);
        }
        if (field->type == ADG_TYPE_DECIMAL) {
            adg_arrow_widen(data->values.i64, rows, values);
        } else if (rows > 0) { /* all of the union's pointers are one */
            memcpy(values, data->values.i32, (size_t)rows * width);
        }
    }
    return set_valid(flags, array, rows) ? ADG_OK : adg_fail_memory(error);
}

static enum adg_status put_column(const struct adg_arrow *arrow, const struct arrow_column *column,
                                  const struct adg_block *block, struct ArrowArray *array, struct adg_error *error)
{
    const struct adg_layout_column *layout = &arrow->layout->columns[column->number];
    const struct adg_block_column *data = &block->columns[column->number];
    array->length = block->rows;
    if (layout->kind == ADG_COLUMN_PLAIN) {
        return put_plain(layout->field, data, block->rows, array, error);
    }
    if (layout->kind == ADG_COLUMN_TEXTS) {
        uint8_t flags[ADG_BLOCK_ROWS];
        adg_arrow_valid(data->codes, block->rows, ADG_NO_TEXT, flags);
        enum adg_status status = put_cells(data, data->codes, block->rows, flags, array, error);
        return status == ADG_OK && !set_valid(flags, array, block->rows) ? adg_fail_memory(error) : status;
    }
    const uint32_t *codes = layout->kind == ADG_COLUMN_DICTIONARY ? data->codes : arrow->zeros;
    if (column->as_dictionary) {
        return put_indices(column, codes, block->rows, array) ? ADG_OK : adg_fail_memory(error);
    }
    return put_decoded(arrow, column, codes, block->rows, array, error);
}

enum adg_status adg_arrow_batch(const struct adg_arrow *arrow, const struct adg_block *block, struct ArrowArray *out,
                                struct adg_error *error)
{
    struct ArrowError arrow_error = {{0}};
    struct ArrowArray batch = {0};
    int code = ArrowArrayInitFromSchema(&batch, &arrow->schema, &arrow_error);
    if (code != NANOARROW_OK) {
        return fail_arrow(code, &arrow_error, error);
    }
    enum adg_status status = ADG_OK;
    batch.length = block->rows;
    batch.null_count = 0;
    for (uint32_t i = 0; i < arrow->count && status == ADG_OK; i++) {
        status = put_column(arrow, &arrow->columns[i], block, batch.children[i], error);
        if (status != ADG_OK) {
            adg_context(error, status, "column %s", arrow->schema.children[i]->name);
        }
    }
    if (status == ADG_OK) {
        code = ArrowArrayFinishBuilding(&batch, NANOARROW_VALIDATION_LEVEL_NONE, &arrow_error);
        status = code != NANOARROW_OK ? fail_arrow(code, &arrow_error, error) : ADG_OK;
    }
    if (status != ADG_OK) {
        ArrowArrayRelease(&batch);
        return status;
    }
    *out = batch;
    return ADG_OK;
}
