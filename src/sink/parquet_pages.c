/*
 * Pages of the Parquet sink: see parquet.h.
 */
#include "sink/parquet.h"

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

static struct adg_page_form whole_dictionary_form(const struct adg_sink *sink, uint32_t column)
{
    const struct adg_buffer *body = &sink->columns[column].dictionary;
    const uint32_t entries = sink->layout->columns[column].dictionary->count;
    return (struct adg_page_form){.encoding = ADG_ENCODING_RLE_DICTIONARY,
                                  .dictionary = {{body->data, body->size}, entries, true}};
}

/* Told by the distribution where it is known; else tried with the first page, or with the dictionary, as far as there is one by then, if
 * it outweighs that page, or is of texts: they are listed because they repeat, and of what the dictionary will grow to, little is there yet. */
static enum adg_parquet_effort choose_effort(struct adg_sink_encoder *encoder, uint32_t column, struct adg_span body,
                                             const struct adg_page_form *form)
{
    const struct adg_page_dictionary *dictionary = &form->dictionary;
    bool texts = dictionary->entries > 0 && encoder->sink->layout->columns[column].kind == ADG_COLUMN_TEXTS;
    struct adg_span tried = texts || dictionary->body.size > body.size
                                ? dictionary->body
                                : (struct adg_span){body.data + form->skip, body.size - form->skip};
    switch (encoder->sink->compression) {
    case ADG_COMPRESSION_ZSTD:
        return ADG_EFFORT_REPETITIONS;
    case ADG_COMPRESSION_NONE:
        return ADG_EFFORT_NONE;
    case ADG_COMPRESSION_AUTO:
        break;
    }
    return !encoder->sink->columns[column].dense && adg_parquet_compresses(&encoder->compressor, tried)
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
                                choose_effort(encoder, column, body, form), &encoder->compressor);
        target->begun = true;
        if (dictionary->entries > 0 && !form->grows) {
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

/* A data page of codes that encoder->body holds; its smallest and largest entries are these of the layout's dictionary. */
static enum adg_status emit_codes(struct adg_sink_encoder *encoder, uint32_t column, const struct adg_page_form *form,
                                  uint32_t rows, uint32_t kept, uint32_t min, uint32_t max, struct adg_error *error)
{
    const struct adg_layout_column *layout = &encoder->sink->layout->columns[column];
    struct adg_parquet_bounds bounds = {0};
    if (kept > 0) {
        bounds = make_bounds(layout->field->type, adg_page_entry(layout->dictionary, min),
                             adg_page_entry(layout->dictionary, max));
    }
    return emit_page(encoder, column, form, rows, rows - kept, &bounds, error);
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

/* ---- a dictionary that grows ------------------------------------------------------------------------------------- */

/* The entries that have a number, as the body of a page. */
static enum adg_status put_entries(struct adg_sink_encoder *encoder, const struct adg_dictionary *dictionary,
                                   const uint32_t *names, uint32_t count, struct adg_error *error)
{
    enum adg_status status = ADG_OK;
    encoder->entries.size = 0;
    for (uint32_t e = 0; e < count && status == ADG_OK; e++) {
        status = adg_page_append_value(&encoder->entries, dictionary->type, adg_page_entry(dictionary, names[e]),
                                       error);
    }
    return status;
}

static const uint32_t *names_of(const struct encoder_column *column, uint32_t *count)
{
    *count = (uint32_t)(column->names.size / sizeof(uint32_t));
    return (const uint32_t *)(const void *)column->names.data;
}

/* From codes of the layout's dictionary to those of the row group's, which may be the same memory. There is room for as many new names. */
static void number_codes(struct encoder_column *column, const uint32_t *codes, uint32_t count, uint32_t *out)
{
    uint32_t *numbers = column->numbers, known = 0;
    names_of(column, &known);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t code = codes[i];
        if (numbers[code] == 0) {
            adg_buffer_put(&column->names, &code, sizeof code);
            numbers[code] = ++known;
        }
        out[i] = numbers[code] - 1;
    }
}

enum adg_status adg_page_growing(struct adg_sink_encoder *encoder, uint32_t index, const struct adg_block_column *block,
                                 uint32_t rows, struct adg_error *error)
{
    const struct adg_layout_column *layout = &encoder->sink->layout->columns[index];
    const struct adg_dictionary *dictionary = layout->dictionary;
    struct encoder_column *column = &encoder->columns[index];
    struct adg_page_codes coded = {0};
    const uint32_t *codes = block->codes;
    uint32_t kept = rows, min = 0, max = 0, known = 0;
    if (layout->sparse) {
        codes = block->filled.codes;
        kept = block->filled.count;
    } else if (layout->nullable) {
        kept = adg_levels_compact(codes, rows, dictionary->count, encoder->packed, encoder->present);
        codes = encoder->packed;
    }
    enum adg_status status = adg_buffer_reserve(&column->names, kept * sizeof *codes, error);
    if (status != ADG_OK) {
        return status;
    }
    adg_levels_bounds(codes, kept, dictionary->count - 1, &min, &max);
    number_codes(column, codes, kept, encoder->packed);
    const uint32_t *names = names_of(column, &known);
    if (known == 0) {
        return null_page(encoder, index, rows, error);
    }
    status = layout->sparse ? put_filled_levels(encoder, rows, &block->filled, error)
                            : adg_page_put_levels(encoder, rows, kept, error);
    if (status == ADG_OK) {
        status = put_packed(encoder, encoder->packed, kept, known, &coded, error);
    }
    if (status == ADG_OK && !column->begun) {
        status = put_entries(encoder, dictionary, names, known, error);
    }
    const struct adg_page_form form = {.encoding = ADG_ENCODING_RLE_DICTIONARY,
                                       .dictionary = {{encoder->entries.data, encoder->entries.size}, known, false},
                                       .grows = true};
    return status == ADG_OK ? emit_codes(encoder, index, &form, rows, kept, min, max, error) : status;
}

enum adg_status adg_page_grown(struct adg_sink_encoder *encoder, uint32_t index, struct adg_error *error)
{
    struct encoder_column *column = &encoder->columns[index];
    uint32_t known = 0;
    const uint32_t *names = names_of(column, &known);
    if (known == 0) {
        return ADG_OK;
    }
    enum adg_status status = put_entries(encoder, encoder->sink->layout->columns[index].dictionary, names, known,
                                         error);
    for (uint32_t e = 0; e < known; e++) {
        column->numbers[names[e]] = 0;
    }
    column->names.size = 0;
    const struct adg_span body = {encoder->entries.data, encoder->entries.size};
    return status == ADG_OK ? adg_parquet_chunk_dictionary(&column->chunk, body, known, false, error) : status;
}

/* ---- a whole dictionary ------------------------------------------------------------------------------------------ */

enum adg_status adg_page_codes(struct adg_sink_encoder *encoder, uint32_t column, const uint32_t *codes, uint32_t rows,
                               struct adg_error *error)
{
    const struct adg_page_form form = whole_dictionary_form(encoder->sink, column);
    struct adg_page_codes coded = {0};
    enum adg_status status = adg_page_put_codes(encoder, codes, rows, encoder->sink->layout->columns[column].nullable,
                                                form.dictionary.entries, &coded, error);
    return status == ADG_OK ? emit_codes(encoder, column, &form, rows, coded.kept, coded.min, coded.max, error)
                            : status;
}
