/*
 * Pages of the Parquet sink: see parquet.h.
 */
#include "sink/parquet.h"

#include "core/memory.h"
#include "parquet/delta.h"
#include "parquet/hybrid.h"
#include "parquet/levels.h"

/* ---- dictionaries and bounds ------------------------------------------------------------------------------------- */

/* Entry `i` in PLAIN encoding without length prefix. */
struct adg_span adg_page_entry(const struct adg_dictionary *dictionary, uint32_t i)
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

enum adg_status adg_page_append_value(struct adg_buffer *out, enum adg_type type, struct adg_span value,
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

/* ---- pages ------------------------------------------------------------------------------------------------------- */

static const struct adg_page_form delta_form = {.encoding = ADG_ENCODING_DELTA_BINARY_PACKED};
static const struct adg_page_form plain_form = {.encoding = ADG_ENCODING_PLAIN};

static struct adg_page_form codes_form(struct adg_span dictionary, uint32_t entries, bool sorted)
{
    return (struct adg_page_form){.encoding = ADG_ENCODING_RLE_DICTIONARY, .dictionary = {dictionary, entries, sorted}};
}

static struct adg_page_form whole_dictionary_form(const struct adg_sink *sink, uint32_t column)
{
    const struct adg_buffer *body = &sink->columns[column].dictionary;
    return codes_form((struct adg_span){body->data, body->size}, sink->layout->columns[column].dictionary->count, true);
}

/* Told by the distribution where it is known; else tried with the first page, or with a dictionary that outweighs as many pages like
 * it as the chunk is known to have. */
static enum adg_parquet_effort choose_effort(struct adg_sink_encoder *encoder, uint32_t column, struct adg_span body,
                                             const struct adg_page_form *form)
{
    const struct adg_page_dictionary *dictionary = &form->dictionary;
    size_t pages = encoder->rows / ADG_BLOCK_ROWS + 1;
    bool outweighs = dictionary->body.size > pages * body.size;
    struct adg_span tried = outweighs ? dictionary->body
                                      : (struct adg_span){body.data + form->skip, body.size - form->skip};
    switch (encoder->sink->compression) {
    case ADG_COMPRESSION_ZSTD:
        return ADG_EFFORT_REPETITIONS;
    case ADG_COMPRESSION_NONE:
        return ADG_EFFORT_NONE;
    case ADG_COMPRESSION_AUTO:
        break;
    }
    return !encoder->sink->columns[column].dense &&
                   adg_parquet_compresses(encoder->compressor, &encoder->scratch, tried)
               ? ADG_EFFORT_LITERALS
               : ADG_EFFORT_NONE;
}

enum adg_status adg_page_emit(struct adg_sink_encoder *encoder, uint32_t column, struct adg_span body,
                              const struct adg_page_form *form, uint32_t rows, uint32_t nulls,
                              const struct adg_parquet_bounds *bounds, struct adg_error *error)
{
    struct encoder_column *target = &encoder->columns[column];
    const struct adg_page_dictionary *dictionary = &form->dictionary;
    enum adg_status status = ADG_OK;
    if (!target->begun) {
        adg_parquet_chunk_begin(&target->chunk, encoder->sink->leaves[column].type,
                                choose_effort(encoder, column, body, form), encoder->compressor);
        target->begun = true;
        if (dictionary->entries > 0) {
            status = adg_parquet_chunk_dictionary(&target->chunk, dictionary->body, dictionary->entries,
                                                  dictionary->sorted, error);
        }
    }
    return status == ADG_OK
               ? adg_parquet_chunk_page(&target->chunk, body, rows, rows, nulls, form->encoding, bounds, error)
               : status;
}

/* What encoder->body holds. */
static enum adg_status emit_page(struct adg_sink_encoder *encoder, uint32_t column, const struct adg_page_form *form,
                                 uint32_t rows, uint32_t nulls, const struct adg_parquet_bounds *bounds,
                                 struct adg_error *error)
{
    return adg_page_emit(encoder, column, (struct adg_span){encoder->body.data, encoder->body.size}, form, rows, nulls,
                         bounds, error);
}

/* Levels of `size` bytes lie behind the place of their size. */
static void end_levels(struct adg_sink_encoder *encoder, size_t size)
{
    uint32_t bytes = (uint32_t)size;
    memcpy(encoder->body.data, &bytes, sizeof bytes);
    encoder->body.size = sizeof bytes + size;
}

enum adg_status adg_page_put_levels(struct adg_sink_encoder *encoder, uint32_t rows, uint32_t present,
                                    struct adg_error *error)
{
    encoder->body.size = 0;
    enum adg_status status = adg_buffer_reserve(&encoder->body, sizeof(uint32_t) + adg_hybrid_bound(rows, 1), error);
    if (status == ADG_OK) {
        uint8_t *levels = encoder->body.data + sizeof(uint32_t);
        end_levels(encoder, present == 0 || present == rows ? adg_hybrid_put_repeated(levels, present != 0, rows, 1)
                                                            : adg_hybrid_put_bits(levels, encoder->present, rows));
    }
    return status;
}

/* Levels of a sparse column. */
static enum adg_status put_filled_levels(struct adg_sink_encoder *encoder, uint32_t rows,
                                         const struct adg_filled_rows *filled, struct adg_error *error)
{
    bool few = filled->count > 0 && filled->count <= rows / ADG_HYBRID_FEW;
    if (!few) {
        memset(encoder->present, 0, (rows + 7) / 8);
        for (uint32_t i = 0; i < filled->count; i++) {
            uint32_t row = filled->rows[i];
            encoder->present[row / 8] = (uint8_t)(encoder->present[row / 8] | 1u << row % 8);
        }
        return adg_page_put_levels(encoder, rows, filled->count, error);
    }
    encoder->body.size = 0;
    enum adg_status status = adg_buffer_reserve(&encoder->body, sizeof(uint32_t) + adg_hybrid_bound(rows, 1), error);
    if (status == ADG_OK) {
        uint8_t *levels = encoder->body.data + sizeof(uint32_t);
        end_levels(encoder, adg_hybrid_put_few(levels, filled->rows, filled->count, rows));
    }
    return status;
}

/* Behind the levels: codes without nulls. */
static enum adg_status put_packed(struct adg_sink_encoder *encoder, const uint32_t *packed, uint32_t kept,
                                  uint32_t entries, struct adg_page_codes *out, struct adg_error *error)
{
    struct adg_page_codes coded = {.kept = kept};
    unsigned width = entries > 2 ? adg_hybrid_width(entries - 1) : 1;
    enum adg_status status = adg_buffer_reserve(&encoder->body, 1 + adg_hybrid_bound(kept, width), error);
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

enum adg_status adg_page_put_codes(struct adg_sink_encoder *encoder, const uint32_t *codes, uint32_t rows,
                                   bool nullable, uint32_t entries, struct adg_page_codes *out, struct adg_error *error)
{
    uint32_t kept = nullable ? adg_levels_compact(codes, rows, entries, encoder->packed, encoder->present) : rows;
    enum adg_status status = adg_page_put_levels(encoder, rows, kept, error);
    return status == ADG_OK ? put_packed(encoder, nullable ? encoder->packed : codes, kept, entries, out, error)
                            : status;
}

/* Codes of a page: of all rows, or of those that are filled in a sparse column. */
struct page_codes {
    uint32_t rows;
    const uint32_t *codes;
    const struct adg_filled_rows *filled;
};

/* A data page of codes into a dictionary of which the row group has `entries`; `names` tells them for bounds: entry e of the
 * row group is entry names[e] of the layout's dictionary, or e where names is NULL. */
static enum adg_status code_page(struct adg_sink_encoder *encoder, uint32_t column, const struct page_codes *page,
                                 const struct adg_page_form *form, const uint32_t *names, struct adg_error *error)
{
    const struct adg_layout_column *layout = &encoder->sink->layout->columns[column];
    uint32_t entries = form->dictionary.entries, rows = page->rows;
    struct adg_parquet_bounds bounds = {0};
    struct adg_page_codes coded;
    enum adg_status status = ADG_OK;
    if (layout->sparse) {
        status = put_filled_levels(encoder, rows, page->filled, error);
        status = status == ADG_OK
                     ? put_packed(encoder, page->filled->codes, page->filled->count, entries, &coded, error)
                     : status;
    } else {
        status = adg_page_put_codes(encoder, page->codes, rows, layout->nullable, entries, &coded, error);
    }
    if (status == ADG_OK && coded.kept > 0) {
        bounds = make_bounds(layout->field->type,
                             adg_page_entry(layout->dictionary, names != NULL ? names[coded.min] : coded.min),
                             adg_page_entry(layout->dictionary, names != NULL ? names[coded.max] : coded.max));
    }
    return status == ADG_OK ? emit_page(encoder, column, form, rows, rows - coded.kept, &bounds, error) : status;
}

/* Booleans have no dictionaries in Parquet: a bit per value. */
enum adg_status adg_page_boolean(struct adg_sink_encoder *encoder, uint32_t column, const uint32_t *codes,
                                 uint32_t rows, struct adg_error *error)
{
    const struct adg_dictionary *dictionary = encoder->sink->layout->columns[column].dictionary;
    uint32_t kept = adg_levels_compact(codes, rows, dictionary->count, encoder->packed, encoder->present);
    enum adg_status status = adg_page_put_levels(encoder, rows, kept, error);
    if (status == ADG_OK) {
        status = adg_buffer_reserve(&encoder->body, kept / 8 + 1, error);
    }
    if (status != ADG_OK) {
        return status;
    }
    uint8_t *out = encoder->body.data + encoder->body.size;
    memset(out, 0, (kept + 7) / 8);
    for (uint32_t i = 0; i < kept; i++) {
        out[i / 8] = (uint8_t)(out[i / 8] | (dictionary->values.i32[encoder->packed[i]] != 0) << i % 8);
    }
    encoder->body.size += (kept + 7) / 8;
    struct adg_parquet_bounds bounds = {0};
    if (kept > 0) {
        uint32_t min = 0, max = 0;
        adg_levels_bounds(encoder->packed, kept, dictionary->count - 1, &min, &max);
        bounds = make_bounds(ADG_TYPE_BOOLEAN, adg_page_entry(dictionary, min), adg_page_entry(dictionary, max));
    }
    return emit_page(encoder, column, &plain_form, rows, rows - kept, &bounds, error);
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
            const char *text = adg_block_cell(column, r, &size);
            adg_text_bounds_show(&seen, text, size);
        }
    }
    if (kept > 0) {
        bounds = (struct adg_parquet_bounds){true, seen.min, seen.max};
    }
    if (column->values.text.head != NULL && levels <= ADG_TEXT_HEADROOM) {
        body.data = (uint8_t *)column->values.text.head + offsets[0] - levels;
        memcpy(column->values.text.head + offsets[0] - levels, encoder->body.data, levels);
    } else {
        status = adg_buffer_append(&encoder->body, column->values.text.bytes + offsets[0], cells, error);
        body.data = encoder->body.data;
    }
    return status == ADG_OK ? adg_page_emit(encoder, index, body, &plain_form, rows, rows - kept, &bounds, error)
                            : status;
}

/* Numbers of a type, those of null rows left out in `room`, with their bounds; where they are. */
#define TAKE_NUMBERS(type, name)                                                                                       \
    static const type *take_##name(const type *values, const struct adg_block_column *column, uint32_t rows,           \
                                   type *room, uint32_t *kept, type bounds[2])                                         \
    {                                                                                                                  \
        const type *taken = column->valid != NULL ? room : values;                                                     \
        uint32_t count = column->valid != NULL ? 0 : rows;                                                             \
        for (uint32_t r = 0; r < rows && column->valid != NULL; r++) {                                                 \
            room[count] = values[r];                                                                                   \
            count += column->valid[r];                                                                                 \
        }                                                                                                              \
        type least = count > 0 ? taken[0] : 0, most = least;                                                           \
        for (uint32_t i = 0; i < count; i++) {                                                                         \
            least = taken[i] < least ? taken[i] : least;                                                               \
            most = taken[i] > most ? taken[i] : most;                                                                  \
        }                                                                                                              \
        bounds[0] = least;                                                                                             \
        bounds[1] = most;                                                                                              \
        *kept = count;                                                                                                 \
        return taken;                                                                                                  \
    }
TAKE_NUMBERS(int32_t, i32)
TAKE_NUMBERS(int64_t, i64)
TAKE_NUMBERS(double, f64)

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

enum adg_status adg_page_plain(struct adg_sink_encoder *encoder, uint32_t index, const struct adg_block_column *column,
                               uint32_t rows, struct adg_error *error)
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
    enum adg_status status = adg_page_put_levels(encoder, rows, kept, error);
    if (status == ADG_OK) {
        status = adg_buffer_reserve(&encoder->body, adg_delta_bound(rows), error);
    }
    if (status != ADG_OK) {
        return status;
    }
    const struct adg_page_form *form = &plain_form;
    const void *numbers = NULL;
    size_t bytes = sizeof(int64_t);
    switch (adg_parquet_physical_of(type)) {
    case ADG_PHYSICAL_BYTE_ARRAY:
        return text_page(encoder, index, column, rows, kept, error);
    case ADG_PHYSICAL_BOOLEAN:
        bytes = sizeof(int32_t);
        encoder->body.size += put_booleans(column, rows, encoder->body.data + encoder->body.size, ends.i32);
        break;
    case ADG_PHYSICAL_INT32:
        bytes = sizeof(int32_t);
        numbers = take_i32(column->values.i32, column, rows, encoder->numbers, &kept, ends.i32);
        break;
    case ADG_PHYSICAL_INT64:
        numbers = take_i64(column->values.i64, column, rows, encoder->numbers, &kept, ends.i64);
        if (encoder->sink->columns[index].delta) {
            encoder->body.size += adg_delta_put_i64(encoder->body.data + encoder->body.size, numbers, kept);
            form = &delta_form;
        }
        break;
    case ADG_PHYSICAL_DOUBLE:
        numbers = take_f64(column->values.f64, column, rows, encoder->numbers, &kept, ends.f64);
        break;
    }
    if (numbers != NULL && form == &plain_form) {
        adg_buffer_put(&encoder->body, numbers, bytes * kept);
    }
    if (kept > 0) {
        bounds = make_bounds(type, (struct adg_span){first, bytes}, (struct adg_span){first + bytes, bytes});
    }
    return emit_page(encoder, index, form, rows, rows - kept, &bounds, error);
}

/* A page of nulls alone. It needs no dictionary, and where a row group has none, no page may refer to one. */
static enum adg_status null_page(struct adg_sink_encoder *encoder, uint32_t column, uint32_t rows,
                                 struct adg_error *error)
{
    const struct adg_parquet_bounds bounds = {0};
    enum adg_status status = adg_page_put_levels(encoder, rows, 0, error);
    return status == ADG_OK ? emit_page(encoder, column, &plain_form, rows, rows, &bounds, error) : status;
}

/* The one page of a column that is null or constant throughout the part. */
enum adg_status adg_page_uniform(struct adg_sink_encoder *encoder, uint32_t column, struct adg_error *error)
{
    const struct adg_layout_column *layout = &encoder->sink->layout->columns[column];
    uint32_t rows = (uint32_t)encoder->rows;
    if (layout->kind == ADG_COLUMN_NULL) {
        return null_page(encoder, column, rows, error);
    }
    const struct adg_span value = adg_page_entry(layout->dictionary, 0);
    const struct adg_parquet_bounds bounds = make_bounds(layout->field->type, value, value);
    bool boolean = layout->field->type == ADG_TYPE_BOOLEAN;
    enum adg_status status = adg_page_put_levels(encoder, rows, rows, error);
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
        return emit_page(encoder, column, &plain_form, rows, 0, &bounds, error);
    }
    out[0] = 1; /* width: some readers stumble over 0 */
    encoder->body.size += 1 + adg_hybrid_put_repeated(out + 1, 0, rows, 1);
    const struct adg_page_form form = whole_dictionary_form(encoder->sink, column);
    return emit_page(encoder, column, &form, rows, 0, &bounds, error);
}

enum adg_status adg_page_defer(struct adg_sink_encoder *encoder, uint32_t index, const struct adg_block_column *column,
                               uint32_t rows, struct adg_error *error)
{
    struct encoder_column *target = &encoder->columns[index];
    const struct adg_filled_rows *filled = &column->filled;
    size_t bytes = filled->count * sizeof(uint32_t);
    if (!encoder->sink->layout->columns[index].sparse) {
        memcpy(target->codes + encoder->rows, column->codes, rows * sizeof *column->codes);
        return ADG_OK;
    }
    if (encoder->rows == 0) {
        target->filled_rows.size = target->filled_codes.size = 0;
    }
    enum adg_status status = adg_buffer_reserve(&target->filled_rows, bytes, error);
    if (status == ADG_OK) {
        status = adg_buffer_append(&target->filled_codes, filled->codes, bytes, error);
    }
    for (uint32_t i = 0; i < filled->count && status == ADG_OK; i++) {
        uint32_t row = (uint32_t)encoder->rows + filled->rows[i];
        adg_buffer_put(&target->filled_rows, &row, sizeof row);
    }
    return status;
}

/* From codes of the layout's dictionary to those of the entries that the row group has: names[] are these, returns how many. Null
 * stays behind the last one. */
static uint32_t rename_codes(struct adg_sink_encoder *encoder, uint32_t entries, uint32_t *codes, size_t count,
                             uint32_t *names)
{
    uint32_t *remap = encoder->remap, used = 0;
    memset(remap, 0, (entries + 1) * sizeof *remap);
    for (size_t i = 0; i < count; i++) {
        remap[codes[i]] = 1;
    }
    for (uint32_t e = 0; e < entries; e++) {
        if (remap[e] != 0) {
            names[used] = e;
            remap[e] = used++;
        }
    }
    remap[entries] = used;
    for (size_t i = 0; i < count; i++) {
        codes[i] = remap[codes[i]];
    }
    return used;
}

/* Codes of the part that were kept: [count], of all its rows, or of the filled ones of a sparse column. */
struct kept_codes {
    uint32_t *codes;
    size_t count;
    const uint32_t *rows; /* [count] of the part, in order; NULL: all */
};

static struct kept_codes kept_of(const struct adg_sink_encoder *encoder, uint32_t column)
{
    const struct encoder_column *target = &encoder->columns[column];
    if (!encoder->sink->layout->columns[column].sparse) {
        return (struct kept_codes){target->codes, encoder->rows, NULL};
    }
    return (struct kept_codes){(uint32_t *)(void *)target->filled_codes.data,
                               target->filled_codes.size / sizeof(uint32_t),
                               (const uint32_t *)(const void *)target->filled_rows.data};
}

/* Filled rows among `rows` from `first` on: entry *at and those behind it; *at becomes the next page's. */
static struct adg_filled_rows next_filled(struct adg_sink_encoder *encoder, const struct kept_codes *kept,
                                          uint32_t first, uint32_t rows, size_t *at)
{
    struct adg_filled_rows filled = {encoder->filled, kept->codes + *at, 0};
    for (; *at < kept->count && kept->rows[*at] < first + rows; ++*at) {
        encoder->filled[filled.count++] = (uint16_t)(kept->rows[*at] - first);
    }
    return filled;
}

/* The pages of a column whose codes were kept until the row group's entries are known. */
enum adg_status adg_page_deferred(struct adg_sink_encoder *encoder, uint32_t column, struct adg_error *error)
{
    const struct adg_dictionary *dictionary = encoder->sink->layout->columns[column].dictionary;
    const struct kept_codes kept = kept_of(encoder, column);
    uint32_t *names = adg_alloc_array(dictionary->count, sizeof *names);
    uint32_t rows = (uint32_t)encoder->rows;
    struct adg_buffer body = {0};
    if (names == NULL) {
        return adg_fail_memory(error);
    }
    uint32_t used = rename_codes(encoder, dictionary->count, kept.codes, kept.count, names);
    enum adg_status status = used == 0 ? null_page(encoder, column, rows, error) : ADG_OK;
    for (uint32_t e = 0; e < used && status == ADG_OK; e++) {
        status = adg_page_append_value(&body, dictionary->type, adg_page_entry(dictionary, names[e]), error);
    }
    const struct adg_page_form made = codes_form((struct adg_span){body.data, body.size}, used, true);
    size_t at = 0;
    for (uint32_t first = 0; first < rows && used > 0 && status == ADG_OK; first += ADG_BLOCK_ROWS) {
        struct page_codes page = {.rows = rows - first < ADG_BLOCK_ROWS ? rows - first : ADG_BLOCK_ROWS};
        struct adg_filled_rows filled = {0};
        if (kept.rows != NULL) {
            filled = next_filled(encoder, &kept, first, page.rows, &at);
            page.filled = &filled;
        } else {
            page.codes = kept.codes + first;
        }
        status = code_page(encoder, column, &page, &made, names, error);
    }
    adg_buffer_fini(&body);
    adg_free(names);
    return status;
}

enum adg_status adg_page_codes(struct adg_sink_encoder *encoder, uint32_t column, const uint32_t *codes, uint32_t rows,
                               struct adg_error *error)
{
    const struct adg_page_form form = whole_dictionary_form(encoder->sink, column);
    const struct page_codes page = {.rows = rows, .codes = codes};
    return code_page(encoder, column, &page, &form, NULL, error);
}
