/*
 * The Parquet sink: blocks of dictionary codes become data pages without touching a string.
 *
 * A part is a row group, a block a page of every column. Dictionary pages are prepared once per file; a column with many
 * entries keeps its codes until the row group ends, and writes only the entries that occur in it. Columns that are null or
 * constant throughout have one page per row group, of a few bytes. With compression `auto` a column chunk is compressed when
 * that saves a tenth of its first page.
 */
#include "sink/sink.h"

#include <stdlib.h>
#include <zstd.h>

#include "core/memory.h"
#include "parquet/footer.h"
#include "parquet/hybrid.h"
#include "parquet/levels.h"
#include "sink/texts.h"

/* Dictionaries with more entries are cut to those that a row group uses. In place of a null code, joined texts have one that no
 * dictionary reaches. */
enum { WHOLE_DICTIONARY_ENTRIES = 4096, NO_TEXT = INT32_MAX, PART_ROWS = ADG_SINK_PART_BLOCKS * ADG_BLOCK_ROWS };

struct prepared_column {
    struct adg_buffer dictionary; /* the whole dictionary as the body of its page */
    bool deferred;
    bool joined; /* PLAIN texts that may repeat */
};

struct adg_sink {
    const struct adg_layout *layout;
    enum adg_compression compression;
    struct adg_parquet_leaf *leaves;
    struct prepared_column *columns;
    struct adg_parquet_footer footer;
};

struct encoder_column {
    struct adg_parquet_chunk chunk;
    bool begun;
    uint32_t *codes;        /* deferred or listed: of the part so far */
    struct adg_texts texts; /* listed: the dictionary of the part so far */
    bool listed;            /* texts are listed in this part: they repeat */
};

struct adg_sink_encoder {
    const struct adg_sink *sink;
    struct encoder_column *columns;
    ZSTD_CCtx *compressor;
    uint64_t rows;             /* of the part */
    struct adg_buffer body;    /* of the page in hand */
    struct adg_buffer scratch; /* trial compression */
    uint32_t *packed;          /* codes without nulls */
    uint8_t *present;          /* definition levels, a bit per row */
    void *numbers;             /* PLAIN numbers without nulls, aligned as a page is not */
    uint32_t *remap;           /* deferred: code in the file's dictionary to code in the row group's */
    uint32_t remap_entries;
};

/* ---- dictionaries and bounds ------------------------------------------------------------------------------------- */

/* Entry `i` in PLAIN encoding without length prefix. */
static struct adg_span entry(const struct adg_dictionary *dictionary, uint32_t i)
{
    switch (adg_parquet_physical_of(dictionary->type)) {
    case ADG_PHYSICAL_INT32:
    case ADG_PHYSICAL_BOOLEAN:
        return (struct adg_span){(const uint8_t *)&dictionary->values.i32[i], sizeof(int32_t)};
    case ADG_PHYSICAL_INT64:
        return (struct adg_span){(const uint8_t *)&dictionary->values.i64[i], sizeof(int64_t)};
    case ADG_PHYSICAL_DOUBLE:
        return (struct adg_span){(const uint8_t *)&dictionary->values.f64[i], sizeof(double)};
    case ADG_PHYSICAL_BYTE_ARRAY:
        break;
    }
    uint32_t start = dictionary->values.text.offsets[i];
    return (struct adg_span){(const uint8_t *)dictionary->values.text.bytes + start,
                             dictionary->values.text.offsets[i + 1] - start};
}

static enum adg_status append_value(struct adg_buffer *out, enum adg_type type, struct adg_span value,
                                    struct adg_error *error)
{
    enum adg_status status = ADG_OK;
    if (type == ADG_TYPE_STRING) {
        uint32_t length = (uint32_t)value.size;
        status = adg_buffer_append(out, &length, sizeof length, error);
    }
    return status == ADG_OK ? adg_buffer_append(out, value.data, value.size, error) : status;
}

/* Zeros of either sign are equal: bounds say the smaller one below and the larger one above (parquet.thrift, Statistics). */
static struct adg_parquet_bounds make_bounds(enum adg_type type, struct adg_span min, struct adg_span max)
{
    static const double zeros[2] = {-0.0, 0.0};
    static const uint8_t booleans[2] = {0, 1};
    if (type == ADG_TYPE_DOUBLE) {
        const struct adg_span zero = {(const uint8_t *)&zeros[1], sizeof(double)};
        if (adg_parquet_compare(type, min, zero) == 0) {
            min.data = (const uint8_t *)&zeros[0];
        }
        if (adg_parquet_compare(type, max, zero) == 0) {
            max = zero;
        }
    } else if (type == ADG_TYPE_BOOLEAN) { /* held as four bytes, stored as one */
        min = (struct adg_span){&booleans[min.data[0]], 1};
        max = (struct adg_span){&booleans[max.data[0]], 1};
    }
    return (struct adg_parquet_bounds){true, min, max};
}

/* ---- the file ---------------------------------------------------------------------------------------------------- */

static void sink_free(struct adg_sink *sink)
{
    if (sink != NULL) {
        for (uint32_t i = 0; sink->columns != NULL && i < sink->layout->column_count; i++) {
            adg_buffer_fini(&sink->columns[i].dictionary);
        }
        adg_free(sink->columns);
        adg_free(sink->leaves);
        adg_parquet_footer_fini(&sink->footer);
        adg_free(sink);
    }
}

static enum adg_status sink_open(const struct adg_layout *layout, enum adg_compression compression,
                                 struct adg_sink **out, struct adg_error *error)
{
    enum adg_status status = ADG_OK;
    struct adg_sink *sink = adg_alloc_zero(1, sizeof *sink);
    if (sink == NULL) {
        return adg_fail_memory(error);
    }
    sink->layout = layout;
    sink->compression = compression;
    sink->leaves = adg_alloc_zero(layout->column_count, sizeof *sink->leaves);
    sink->columns = adg_alloc_zero(layout->column_count, sizeof *sink->columns);
    if (sink->leaves == NULL || sink->columns == NULL) {
        status = adg_fail_memory(error);
        goto done;
    }
    sink->footer = (struct adg_parquet_footer){.leaves = sink->leaves, .leaf_count = layout->column_count};
    for (uint32_t i = 0; i < layout->column_count && status == ADG_OK; i++) {
        const struct adg_field *field = layout->columns[i].field;
        const struct adg_dictionary *dictionary = layout->columns[i].dictionary;
        sink->leaves[i] = (struct adg_parquet_leaf){
            .name = field->name, .type = field->type, .precision = field->precision, .scale = field->scale};
        sink->columns[i].joined = layout->columns[i].kind == ADG_COLUMN_PLAIN && field->type == ADG_TYPE_STRING &&
                                  field->role == ADG_ROLE_DERIVED;
        if (dictionary == NULL || field->type == ADG_TYPE_BOOLEAN) {
            continue;
        }
        sink->columns[i].deferred = layout->columns[i].kind == ADG_COLUMN_DICTIONARY &&
                                    dictionary->count > WHOLE_DICTIONARY_ENTRIES;
        for (uint32_t e = 0; e < dictionary->count && !sink->columns[i].deferred && status == ADG_OK; e++) {
            status = append_value(&sink->columns[i].dictionary, field->type, entry(dictionary, e), error);
        }
    }
done:
    if (status == ADG_OK) {
        *out = sink;
    } else {
        sink_free(sink);
    }
    return status;
}

static enum adg_status sink_begin(struct adg_sink *sink, struct adg_buffer *out, struct adg_error *error)
{
    (void)sink;
    return adg_buffer_append(out, ADG_PARQUET_MAGIC, ADG_PARQUET_MAGIC_BYTES, error);
}

static void free_chunks(struct adg_parquet_chunk *chunks, uint32_t count)
{
    for (uint32_t i = 0; chunks != NULL && i < count; i++) {
        adg_parquet_chunk_fini(&chunks[i]);
    }
    adg_free(chunks);
}

/* A part's detail: the chunks of its row group, without their bytes. */
struct row_group {
    struct adg_parquet_chunk *chunks;
    uint32_t count;
};

static enum adg_status sink_append(struct adg_sink *sink, struct adg_sink_part *part, uint64_t offset,
                                   struct adg_error *error)
{
    const struct row_group *group = part->detail;
    if (part->rows == 0) {
        return ADG_OK;
    }
    return adg_parquet_footer_add(&sink->footer, group->chunks, part->rows, offset, &part->bytes, error);
}

static enum adg_status sink_finish(struct adg_sink *sink, uint64_t offset, struct adg_buffer *out,
                                   struct adg_error *error)
{
    (void)offset;
    return adg_parquet_footer_finish(&sink->footer, out, error);
}

static void part_fini(struct adg_sink_part *part)
{
    struct row_group *group = part->detail;
    if (group != NULL) {
        free_chunks(group->chunks, group->count);
        adg_free(group);
    }
    adg_buffer_fini(&part->bytes);
    *part = (struct adg_sink_part){0};
}

/* ---- pages ------------------------------------------------------------------------------------------------------- */

/* The dictionary of a chunk; no entries: it has none. */
struct chunk_dictionary {
    struct adg_span body;
    uint32_t entries;
    bool sorted;
};
static const struct chunk_dictionary no_dictionary = {{NULL, 0}, 0, true};

static struct chunk_dictionary whole_dictionary(const struct adg_sink *sink, uint32_t column)
{
    const struct adg_buffer *body = &sink->columns[column].dictionary;
    return (struct chunk_dictionary){{body->data, body->size}, sink->layout->columns[column].dictionary->count, true};
}

/* Tried with the first page, or with a dictionary that was made for the chunk and outweighs it. */
static bool is_compressed(struct adg_sink_encoder *encoder, struct adg_span body,
                          const struct chunk_dictionary *dictionary)
{
    enum adg_compression asked = encoder->sink->compression;
    struct adg_span tried = !dictionary->sorted && dictionary->body.size > body.size ? dictionary->body : body;
    return asked == ADG_COMPRESSION_ZSTD ||
           (asked == ADG_COMPRESSION_AUTO && adg_parquet_compresses(encoder->compressor, &encoder->scratch, tried));
}

/* The chunk starts with its first page. */
static enum adg_status emit_body(struct adg_sink_encoder *encoder, uint32_t column, struct adg_span body,
                                 const struct chunk_dictionary *dictionary, uint32_t rows, uint32_t nulls,
                                 const struct adg_parquet_bounds *bounds, struct adg_error *error)
{
    struct encoder_column *target = &encoder->columns[column];
    enum adg_parquet_encoding encoding = dictionary->entries > 0 ? ADG_ENCODING_RLE_DICTIONARY : ADG_ENCODING_PLAIN;
    enum adg_status status = ADG_OK;
    if (!target->begun) {
        bool compressed = is_compressed(encoder, body, dictionary);
        adg_parquet_chunk_begin(&target->chunk, encoder->sink->leaves[column].type,
                                compressed ? ADG_CODEC_ZSTD : ADG_CODEC_UNCOMPRESSED, encoder->compressor);
        target->begun = true;
        if (dictionary->entries > 0) {
            status = adg_parquet_chunk_dictionary(&target->chunk, dictionary->body, dictionary->entries,
                                                  dictionary->sorted, error);
        }
    }
    return status == ADG_OK ? adg_parquet_chunk_page(&target->chunk, body, rows, rows, nulls, encoding, bounds, error)
                            : status;
}

/* What encoder->body holds. */
static enum adg_status emit_page(struct adg_sink_encoder *encoder, uint32_t column,
                                 const struct chunk_dictionary *dictionary, uint32_t rows, uint32_t nulls,
                                 const struct adg_parquet_bounds *bounds, struct adg_error *error)
{
    return emit_body(encoder, column, (struct adg_span){encoder->body.data, encoder->body.size}, dictionary, rows,
                     nulls, bounds, error);
}

/* Starts the page's body with its definition levels: all 0, all 1, or the bits in encoder->present. */
static enum adg_status put_levels(struct adg_sink_encoder *encoder, uint32_t rows, uint32_t present,
                                  struct adg_error *error)
{
    encoder->body.size = 0;
    enum adg_status status = adg_buffer_reserve(&encoder->body, sizeof(uint32_t) + adg_hybrid_bound(rows, 1), error);
    if (status == ADG_OK) {
        uint8_t *levels = encoder->body.data + sizeof(uint32_t);
        uint32_t size = (uint32_t)(present == 0 || present == rows
                                       ? adg_hybrid_put_repeated(levels, present != 0, rows, 1)
                                       : adg_hybrid_put_bits(levels, encoder->present, rows));
        memcpy(encoder->body.data, &size, sizeof size);
        encoder->body.size = sizeof size + size;
    }
    return status;
}

/* Codes with the smallest and the largest one of them that is not null. */
struct coded {
    uint32_t kept, min, max;
};

/* The body of a data page of codes below `entries`; others are null. */
static enum adg_status put_codes(struct adg_sink_encoder *encoder, const uint32_t *codes, uint32_t rows, bool nullable,
                                 uint32_t entries, struct coded *out, struct adg_error *error)
{
    const uint32_t *packed = codes;
    struct coded coded = {.kept = rows};
    if (nullable) {
        coded.kept = adg_levels_compact(codes, rows, entries, encoder->packed, encoder->present);
        packed = encoder->packed;
    }
    enum adg_status status = put_levels(encoder, rows, coded.kept, error);
    unsigned width = entries > 2 ? adg_hybrid_width(entries - 1) : 1;
    if (status == ADG_OK) {
        status = adg_buffer_reserve(&encoder->body, 1 + adg_hybrid_bound(coded.kept, width), error);
    }
    if (status != ADG_OK) {
        return status;
    }
    encoder->body.data[encoder->body.size++] = (uint8_t)width;
    adg_levels_bounds(packed, coded.kept, entries - 1, &coded.min, &coded.max);
    if (coded.kept > 0) {
        uint8_t *to = encoder->body.data + encoder->body.size;
        encoder->body.size += coded.min == coded.max ? adg_hybrid_put_repeated(to, coded.min, coded.kept, width)
                                                     : adg_hybrid_put_packed(to, packed, coded.kept, width);
    }
    *out = coded;
    return ADG_OK;
}

/* A data page of `rows` codes into a dictionary of which the row group has `entries`; `names` tells them for bounds: entry e
 * of the row group is entry names[e] of the layout's dictionary, or e where names is NULL. */
static enum adg_status code_page(struct adg_sink_encoder *encoder, uint32_t column, const uint32_t *codes,
                                 uint32_t rows, const struct chunk_dictionary *dictionary, const uint32_t *names,
                                 struct adg_error *error)
{
    const struct adg_layout_column *layout = &encoder->sink->layout->columns[column];
    struct adg_parquet_bounds bounds = {0};
    struct coded coded;
    enum adg_status status = put_codes(encoder, codes, rows, layout->nullable, dictionary->entries, &coded, error);
    if (status == ADG_OK && coded.kept > 0) {
        bounds = make_bounds(layout->field->type,
                             entry(layout->dictionary, names != NULL ? names[coded.min] : coded.min),
                             entry(layout->dictionary, names != NULL ? names[coded.max] : coded.max));
    }
    return status == ADG_OK ? emit_page(encoder, column, dictionary, rows, rows - coded.kept, &bounds, error) : status;
}

/* Booleans have no dictionaries in Parquet: a bit per value. */
static enum adg_status boolean_page(struct adg_sink_encoder *encoder, uint32_t column, const uint32_t *codes,
                                    uint32_t rows, struct adg_error *error)
{
    const struct adg_dictionary *dictionary = encoder->sink->layout->columns[column].dictionary;
    uint32_t kept = adg_levels_compact(codes, rows, dictionary->count, encoder->packed, encoder->present);
    enum adg_status status = put_levels(encoder, rows, kept, error);
    if (status == ADG_OK) {
        status = adg_buffer_reserve(&encoder->body, kept / 8 + 1, error);
    }
    if (status != ADG_OK) {
        return status;
    }
    uint8_t *out = encoder->body.data + encoder->body.size;
    uint32_t min = UINT32_MAX, max = 0;
    memset(out, 0, (kept + 7) / 8);
    for (uint32_t i = 0; i < kept; i++) {
        uint32_t code = encoder->packed[i];
        out[i / 8] = (uint8_t)(out[i / 8] | (dictionary->values.i32[code] != 0) << i % 8);
        min = code < min ? code : min;
        max = code > max ? code : max;
    }
    encoder->body.size += (kept + 7) / 8;
    struct adg_parquet_bounds bounds = {0};
    if (kept > 0) {
        bounds = make_bounds(ADG_TYPE_BOOLEAN, entry(dictionary, min), entry(dictionary, max));
    }
    return emit_page(encoder, column, &no_dictionary, rows, rows - kept, &bounds, error);
}

/* Notes in encoder->present which rows of a PLAIN column have a value; returns how many. */
static uint32_t note_present(struct adg_sink_encoder *encoder, const struct adg_block_column *column, uint32_t rows)
{
    uint32_t kept = 0;
    if (column->valid == NULL) {
        return rows;
    }
    memset(encoder->present, 0, (rows + 7) / 8);
    for (uint32_t r = 0; r < rows; r++) {
        encoder->present[r / 8] = (uint8_t)(encoder->present[r / 8] | column->valid[r] << r % 8);
        kept += column->valid[r];
    }
    return kept;
}

static inline bool is_present(const struct adg_block_column *column, uint32_t row)
{
    return column->valid == NULL || column->valid[row] != 0;
}

/* Cells as they are, behind the levels that encoder->body holds: these are put before them where there is room. */
static enum adg_status text_page(struct adg_sink_encoder *encoder, uint32_t index,
                                 const struct adg_block_column *column, uint32_t rows, uint32_t kept,
                                 struct adg_error *error)
{
    const uint32_t *offsets = column->values.text.offsets;
    size_t levels = encoder->body.size, cells = offsets[rows] - offsets[0];
    struct adg_text_bounds seen = {0};
    struct adg_parquet_bounds bounds = {0};
    struct adg_span body = {NULL, levels + cells};
    enum adg_status status = ADG_OK;
    for (uint32_t r = 0; r < rows && kept > 0; r++) {
        if (is_present(column, r)) {
            uint32_t size = 0;
            const char *text = adg_block_plain_text(column, r, &size);
            adg_text_bounds_show(&seen, text, size);
        }
    }
    if (kept > 0) {
        bounds = make_bounds(ADG_TYPE_STRING, seen.min, seen.max);
    }
    if (column->values.text.head != NULL && levels <= ADG_TEXT_HEADROOM) {
        body.data = (uint8_t *)column->values.text.head + offsets[0] - levels;
        memcpy(column->values.text.head + offsets[0] - levels, encoder->body.data, levels);
    } else {
        status = adg_buffer_append(&encoder->body, column->values.text.bytes + offsets[0], cells, error);
        body.data = encoder->body.data;
    }
    return status == ADG_OK ? emit_body(encoder, index, body, &no_dictionary, rows, rows - kept, &bounds, error)
                            : status;
}

/* Numbers of a type, those of null rows left out, with their bounds. */
#define PUT_NUMBERS(type, name)                                                                                        \
    static uint32_t put_##name(const type *values, const struct adg_block_column *column, uint32_t rows, type *out,    \
                               type bounds[2])                                                                         \
    {                                                                                                                  \
        uint32_t kept = 0;                                                                                             \
        if (column->valid == NULL) {                                                                                   \
            memcpy(out, values, rows * sizeof *out);                                                                   \
            kept = rows;                                                                                               \
        }                                                                                                              \
        for (uint32_t r = 0; r < rows && column->valid != NULL; r++) {                                                 \
            out[kept] = values[r];                                                                                     \
            kept += column->valid[r];                                                                                  \
        }                                                                                                              \
        bounds[0] = bounds[1] = kept > 0 ? out[0] : 0;                                                                 \
        for (uint32_t i = 0; i < kept; i++) {                                                                          \
            bounds[0] = out[i] < bounds[0] ? out[i] : bounds[0];                                                       \
            bounds[1] = out[i] > bounds[1] ? out[i] : bounds[1];                                                       \
        }                                                                                                              \
        return kept;                                                                                                   \
    }
PUT_NUMBERS(int32_t, i32)
PUT_NUMBERS(int64_t, i64)
PUT_NUMBERS(double, f64)

/* A bit per value. */
static size_t put_booleans(const struct adg_block_column *column, uint32_t rows, uint8_t *out, int32_t bounds[2])
{
    uint32_t kept = 0;
    bounds[0] = 1;
    bounds[1] = 0;
    memset(out, 0, (rows + 7) / 8);
    for (uint32_t r = 0; r < rows; r++) {
        if (is_present(column, r)) {
            int32_t value = column->values.i32[r] != 0;
            out[kept / 8] = (uint8_t)(out[kept / 8] | value << kept % 8);
            kept++;
            bounds[0] = value < bounds[0] ? value : bounds[0];
            bounds[1] = value > bounds[1] ? value : bounds[1];
        }
    }
    return (kept + 7) / 8;
}

static enum adg_status plain_page(struct adg_sink_encoder *encoder, uint32_t index,
                                  const struct adg_block_column *column, uint32_t rows, struct adg_error *error)
{
    enum adg_type type = encoder->sink->layout->columns[index].field->type;
    union {
        int32_t i32[2];
        int64_t i64[2];
        double f64[2];
    } ends;
    const uint8_t *first = (const uint8_t *)&ends;
    struct adg_parquet_bounds bounds = {0};
    uint32_t kept = note_present(encoder, column, rows);
    enum adg_status status = put_levels(encoder, rows, kept, error);
    if (status == ADG_OK) {
        status = adg_buffer_reserve(&encoder->body, (rows + (size_t)1) * sizeof(int64_t), error);
    }
    if (status != ADG_OK) {
        return status;
    }
    uint8_t *out = encoder->body.data + encoder->body.size;
    size_t bytes = 0;
    switch (adg_parquet_physical_of(type)) {
    case ADG_PHYSICAL_BYTE_ARRAY:
        return text_page(encoder, index, column, rows, kept, error);
    case ADG_PHYSICAL_BOOLEAN:
        encoder->body.size += put_booleans(column, rows, out, ends.i32);
        bytes = sizeof(int32_t);
        break;
    case ADG_PHYSICAL_INT32:
        bytes = sizeof(int32_t);
        encoder->body.size += bytes * put_i32(column->values.i32, column, rows, encoder->numbers, ends.i32);
        break;
    case ADG_PHYSICAL_INT64:
        bytes = sizeof(int64_t);
        encoder->body.size += bytes * put_i64(column->values.i64, column, rows, encoder->numbers, ends.i64);
        break;
    case ADG_PHYSICAL_DOUBLE:
        bytes = sizeof(double);
        encoder->body.size += bytes * put_f64(column->values.f64, column, rows, encoder->numbers, ends.f64);
        break;
    }
    if (bytes > 0 && type != ADG_TYPE_BOOLEAN) {
        memcpy(out, encoder->numbers, bytes * kept);
    }
    if (bytes > 0 && kept > 0) {
        bounds = make_bounds(type, (struct adg_span){first, bytes}, (struct adg_span){first + bytes, bytes});
    }
    return emit_page(encoder, index, &no_dictionary, rows, rows - kept, &bounds, error);
}

/* The one page of a column that is null or constant throughout the part. */
static enum adg_status uniform_page(struct adg_sink_encoder *encoder, uint32_t column, struct adg_error *error)
{
    const struct adg_layout_column *layout = &encoder->sink->layout->columns[column];
    uint32_t rows = (uint32_t)encoder->rows;
    struct adg_parquet_bounds bounds = {0};
    if (layout->kind == ADG_COLUMN_NULL) {
        enum adg_status status = put_levels(encoder, rows, 0, error);
        return status != ADG_OK ? status : emit_page(encoder, column, &no_dictionary, rows, rows, &bounds, error);
    }
    const struct adg_span value = entry(layout->dictionary, 0);
    bool boolean = layout->field->type == ADG_TYPE_BOOLEAN;
    bounds = make_bounds(layout->field->type, value, value);
    enum adg_status status = put_levels(encoder, rows, rows, error);
    if (status == ADG_OK) {
        status = adg_buffer_reserve(&encoder->body, boolean ? rows / 8 + 1 : 16, error);
    }
    if (status != ADG_OK) {
        return status;
    }
    uint8_t *out = encoder->body.data + encoder->body.size;
    if (boolean) {
        memset(out, value.data[0] != 0 ? 0xFF : 0, (rows + 7) / 8);
        encoder->body.size += (rows + 7) / 8;
        return emit_page(encoder, column, &no_dictionary, rows, 0, &bounds, error);
    }
    out[0] = 1; /* width: some readers stumble over 0 */
    encoder->body.size += 1 + adg_hybrid_put_repeated(out + 1, 0, rows, 1);
    const struct chunk_dictionary dictionary = whole_dictionary(encoder->sink, column);
    return emit_page(encoder, column, &dictionary, rows, 0, &bounds, error);
}

/* Joined texts of a block: listed when a quarter or fewer of the part's first block are different, else PLAIN. */
static enum adg_status joined_block(struct adg_sink_encoder *encoder, uint32_t index,
                                    const struct adg_block_column *column, uint32_t rows, struct adg_error *error)
{
    struct encoder_column *target = &encoder->columns[index];
    enum adg_status status = ADG_OK;
    if (encoder->rows == 0) {
        adg_texts_clear(&target->texts);
        target->listed = true;
    }
    if (target->listed) {
        status = adg_texts_add(&target->texts, column, rows, NO_TEXT, target->codes + encoder->rows, error);
    }
    if (encoder->rows == 0) {
        target->listed = 4 * (uint64_t)target->texts.count <= rows && target->texts.count > 0;
    }
    return status == ADG_OK && !target->listed ? plain_page(encoder, index, column, rows, error) : status;
}

static enum adg_status joined_pages(struct adg_sink_encoder *encoder, uint32_t index, struct adg_error *error)
{
    struct encoder_column *column = &encoder->columns[index];
    const struct chunk_dictionary dictionary = {
        {column->texts.cells.data, column->texts.cells.size}, column->texts.count, false};
    uint32_t rows = (uint32_t)encoder->rows;
    enum adg_status status = ADG_OK;
    for (uint32_t first = 0; first < rows && status == ADG_OK; first += ADG_BLOCK_ROWS) {
        uint32_t page = rows - first < ADG_BLOCK_ROWS ? rows - first : ADG_BLOCK_ROWS;
        struct adg_parquet_bounds bounds = {0};
        struct adg_span min, max;
        struct coded coded = {0};
        status = put_codes(encoder, column->codes + first, page, true, column->texts.count, &coded, error);
        if (adg_texts_bounds(&column->texts, column->codes + first, page, NO_TEXT, &min, &max)) {
            bounds = make_bounds(ADG_TYPE_STRING, min, max);
        }
        if (status == ADG_OK) {
            status = emit_page(encoder, index, &dictionary, page, page - coded.kept, &bounds, error);
        }
    }
    return status;
}

/* The pages of a column whose codes were kept until the row group's entries are known. */
static enum adg_status deferred_pages(struct adg_sink_encoder *encoder, uint32_t column, struct adg_error *error)
{
    const struct adg_dictionary *dictionary = encoder->sink->layout->columns[column].dictionary;
    uint32_t *codes = encoder->columns[column].codes, *remap = encoder->remap, used = 0;
    uint32_t rows = (uint32_t)encoder->rows;
    struct adg_buffer body = {0};
    enum adg_status status = ADG_OK;
    memset(remap, 0, (dictionary->count + 1) * sizeof *remap);
    for (uint32_t r = 0; r < rows; r++) {
        remap[codes[r]] = 1;
    }
    uint32_t *names = adg_alloc_array(dictionary->count, sizeof *names);
    if (names == NULL) {
        return adg_fail_memory(error);
    }
    for (uint32_t e = 0; e < dictionary->count && status == ADG_OK; e++) {
        if (remap[e] != 0) {
            names[used] = e;
            remap[e] = used++;
            status = append_value(&body, dictionary->type, entry(dictionary, e), error);
        }
    }
    remap[dictionary->count] = used; /* null stays behind the last entry */
    for (uint32_t r = 0; r < rows; r++) {
        codes[r] = remap[codes[r]];
    }
    for (uint32_t first = 0; first < rows && status == ADG_OK; first += ADG_BLOCK_ROWS) {
        uint32_t page = rows - first < ADG_BLOCK_ROWS ? rows - first : ADG_BLOCK_ROWS;
        const struct chunk_dictionary made = {{body.data, body.size}, used, true};
        status = code_page(encoder, column, codes + first, page, &made, names, error);
    }
    adg_buffer_fini(&body);
    adg_free(names);
    return status;
}

/* ---- the encoder ------------------------------------------------------------------------------------------------- */

static void encoder_free(struct adg_sink_encoder *encoder)
{
    if (encoder == NULL) {
        return;
    }
    for (uint32_t i = 0; encoder->columns != NULL && i < encoder->sink->layout->column_count; i++) {
        adg_parquet_chunk_fini(&encoder->columns[i].chunk);
        adg_free(encoder->columns[i].codes);
        adg_texts_fini(&encoder->columns[i].texts);
    }
    adg_free(encoder->columns);
    adg_free(encoder->packed);
    adg_free(encoder->present);
    adg_free(encoder->numbers);
    adg_free(encoder->remap);
    adg_buffer_fini(&encoder->body);
    adg_buffer_fini(&encoder->scratch);
    ZSTD_freeCCtx(encoder->compressor);
    adg_free(encoder);
}

static enum adg_status encoder_new(const struct adg_sink *sink, struct adg_sink_encoder **out, struct adg_error *error)
{
    struct adg_sink_encoder *encoder = adg_alloc_zero(1, sizeof *encoder);
    if (encoder == NULL) {
        return adg_fail_memory(error);
    }
    encoder->sink = sink;
    encoder->columns = adg_alloc_zero(sink->layout->column_count, sizeof *encoder->columns);
    encoder->compressor = ZSTD_createCCtx();
    encoder->packed = adg_alloc_array(ADG_BLOCK_ROWS + 8, sizeof *encoder->packed);
    encoder->present = adg_alloc_array(ADG_BLOCK_ROWS / 8 + 1, 1);
    encoder->numbers = adg_alloc_array(ADG_BLOCK_ROWS, sizeof(int64_t));
    bool good = encoder->columns != NULL && encoder->compressor != NULL && encoder->packed != NULL &&
                encoder->present != NULL && encoder->numbers != NULL;
    for (uint32_t i = 0; good && i < sink->layout->column_count; i++) {
        if (sink->columns[i].deferred || sink->columns[i].joined) {
            encoder->columns[i].codes = adg_alloc_array(PART_ROWS, sizeof(uint32_t));
            good = encoder->columns[i].codes != NULL;
        }
        if (sink->columns[i].deferred) {
            if (sink->layout->columns[i].dictionary->count + 1 > encoder->remap_entries) {
                encoder->remap_entries = sink->layout->columns[i].dictionary->count + 1;
            }
        }
    }
    if (good && encoder->remap_entries > 0) {
        encoder->remap = adg_alloc_array(encoder->remap_entries, sizeof *encoder->remap);
        good = encoder->remap != NULL;
    }
    if (!good) {
        encoder_free(encoder);
        return adg_fail_memory(error);
    }
    *out = encoder;
    return ADG_OK;
}

static enum adg_status encode(struct adg_sink_encoder *encoder, const struct adg_block *block, struct adg_error *error)
{
    const struct adg_sink *sink = encoder->sink;
    enum adg_status status = ADG_OK;
    if (block->rows == 0) {
        return ADG_OK;
    }
    if (encoder->rows + block->rows > PART_ROWS) {
        return adg_fail(error, ADG_FAILED, "a row group of more than %d rows", PART_ROWS);
    }
    for (uint32_t i = 0; i < sink->layout->column_count && status == ADG_OK; i++) {
        const struct adg_layout_column *layout = &sink->layout->columns[i];
        const struct adg_block_column *column = &block->columns[i];
        if (sink->columns[i].joined) {
            status = joined_block(encoder, i, column, block->rows, error);
        } else if (layout->kind == ADG_COLUMN_PLAIN) {
            status = plain_page(encoder, i, column, block->rows, error);
        } else if (layout->kind == ADG_COLUMN_DICTIONARY && layout->field->type == ADG_TYPE_BOOLEAN) {
            status = boolean_page(encoder, i, column->codes, block->rows, error);
        } else if (sink->columns[i].deferred) {
            memcpy(encoder->columns[i].codes + encoder->rows, column->codes, block->rows * sizeof *column->codes);
        } else if (layout->kind == ADG_COLUMN_DICTIONARY) {
            const struct chunk_dictionary dictionary = whole_dictionary(sink, i);
            status = code_page(encoder, i, column->codes, block->rows, &dictionary, NULL, error);
        }
    }
    encoder->rows += block->rows;
    return status;
}

/* What the encoder holds becomes the part; `group` takes the chunks. */
static enum adg_status collect(struct adg_sink_encoder *encoder, struct row_group *group, struct adg_buffer *bytes,
                               struct adg_error *error)
{
    const struct adg_sink *sink = encoder->sink;
    enum adg_status status = ADG_OK;
    size_t total = 0;
    for (uint32_t i = 0; i < sink->layout->column_count && status == ADG_OK && encoder->rows > 0; i++) {
        enum adg_column_kind kind = sink->layout->columns[i].kind;
        if (sink->columns[i].deferred) {
            status = deferred_pages(encoder, i, error);
        } else if (encoder->columns[i].listed) {
            status = joined_pages(encoder, i, error);
        } else if (kind == ADG_COLUMN_NULL || kind == ADG_COLUMN_CONSTANT) {
            status = uniform_page(encoder, i, error);
        }
        total += encoder->columns[i].chunk.bytes.size;
    }
    if (status == ADG_OK) { /* room for the indexes too, which are appended later */
        status = adg_buffer_reserve(bytes, total + total / 32 + 65536, error);
    }
    for (uint32_t i = 0; i < sink->layout->column_count && status == ADG_OK; i++) {
        struct encoder_column *column = &encoder->columns[i];
        if (column->chunk.bytes.size > 0) {
            adg_buffer_put(bytes, column->chunk.bytes.data, column->chunk.bytes.size);
        }
        adg_parquet_chunk_take(&column->chunk, &group->chunks[i]);
        column->chunk.bytes.size = 0;
        column->begun = false;
    }
    return status;
}

static enum adg_status part_end(struct adg_sink_encoder *encoder, struct adg_sink_part *part, struct adg_error *error)
{
    uint32_t count = encoder->sink->layout->column_count;
    struct row_group *group = adg_alloc_zero(1, sizeof *group);
    struct adg_parquet_chunk *chunks = adg_alloc_zero(count, sizeof *chunks);
    struct adg_sink_part made = {.bytes = part->bytes, .detail = group, .rows = encoder->rows};
    enum adg_status status = group == NULL || chunks == NULL ? adg_fail_memory(error) : ADG_OK;
    if (status == ADG_OK) {
        *group = (struct row_group){chunks, count};
        status = collect(encoder, group, &made.bytes, error);
    } else {
        adg_free(chunks);
    }
    *part = made;
    if (status != ADG_OK) {
        part_fini(part);
        return status;
    }
    encoder->rows = 0;
    return ADG_OK;
}

const struct adg_sink_operations adg_sink_parquet = {
    .extension = "parquet",
    .open = sink_open,
    .begin = sink_begin,
    .encoder_new = encoder_new,
    .encode = encode,
    .part_end = part_end,
    .append = sink_append,
    .finish = sink_finish,
    .part_fini = part_fini,
    .encoder_free = encoder_free,
    .free = sink_free,
};
