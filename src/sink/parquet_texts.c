/*
 * Pages of texts that blocks bring along (ADG_COLUMN_TEXTS), in one of three forms:
 *
 *     runs      rows that share a text stand together, as a patient's do: every text as what it has in common with the one before
 *               and the rest (DELTA_BYTE_ARRAY), so that a repetition takes a few bits
 *     listed    a quarter or fewer of the part's first block are different: a dictionary, found on the way
 *     joined    all others: the same as runs, but with nothing in common. DELTA_LENGTH_BYTE_ARRAY would be the encoding for it; Spark 3.5
 *               cannot read that where a page has more rows than its batches.
 */
#include "parquet/delta.h"
#include "parquet/levels.h"
#include "sink/parquet.h"

static inline uint32_t cell_bytes(const uint32_t *offsets, uint32_t cell)
{
    return offsets[cell + 1] - offsets[cell] - ADG_TEXT_LENGTH_BYTES;
}

static enum adg_status emit(struct adg_sink_encoder *encoder, uint32_t index, const struct adg_page_form *form,
                            uint32_t rows, uint32_t kept, const struct adg_text_bounds *seen, struct adg_error *error)
{
    const struct adg_span body = {encoder->body.data, encoder->body.size};
    const struct adg_parquet_bounds bounds = {seen->min.data != NULL, seen->min, seen->max};
    return adg_page_emit(encoder, index, body, form, rows, rows - kept, &bounds, error);
}

/* ---- runs -------------------------------------------------------------------------------------------------------- */

/* Bytes that two texts have in common at their beginning. Slack may be read. */
static inline uint32_t common_bytes(const char *left, uint32_t left_bytes, const char *right, uint32_t right_bytes)
{
    uint32_t least = left_bytes < right_bytes ? left_bytes : right_bytes;
    for (uint32_t at = 0; at < least; at += 8) {
        uint64_t a, b;
        memcpy(&a, left + at, sizeof a);
        memcpy(&b, right + at, sizeof b);
        if (a != b) {
            at += (uint32_t)__builtin_ctzll(a ^ b) / 8; /* little-endian */
            return at < least ? at : least;
        }
    }
    return least;
}

static enum adg_status runs_page(struct adg_sink_encoder *encoder, uint32_t index,
                                 const struct adg_block_column *column, uint32_t rows, struct adg_error *error)
{
    const uint32_t *codes = column->codes, *offsets = column->values.text.offsets;
    uint32_t first = codes[0], cells = codes[rows - 1] - first + 1;
    uint32_t *shared = encoder->known; /* of a cell with the one before */
    uint32_t *prefixes = encoder->numbers, *suffixes = prefixes + ADG_BLOCK_ROWS;
    struct adg_text_bounds seen = {0};
    enum adg_status status = adg_page_put_levels(encoder, rows, rows, error);
    if (status == ADG_OK) {
        size_t bytes = offsets[first + cells] - offsets[first];
        status = adg_buffer_reserve(&encoder->body, 2 * adg_delta_bound(rows) + bytes + ADG_TEXT_SLACK, error);
    }
    if (status != ADG_OK) {
        return status;
    }
    shared[0] = 0;
    for (uint32_t c = 0; c < cells; c++) {
        uint32_t size = 0, before = 0;
        const char *text = adg_block_cell(column, first + c, &size);
        if (c > 0) {
            const char *last = adg_block_cell(column, first + c - 1, &before);
            shared[c] = common_bytes(last, before, text, size);
        }
        adg_text_bounds_show(&seen, text, size);
    }
    uint32_t last = ADG_NO_TEXT;
    for (uint32_t r = 0; r < rows; r++) {
        uint32_t size = cell_bytes(offsets, codes[r]);
        uint32_t prefix = codes[r] == last ? size : shared[codes[r] - first];
        prefixes[r] = prefix;
        suffixes[r] = size - prefix;
        last = codes[r];
    }
    encoder->body.size += adg_delta_put_lengths(encoder->body.data + encoder->body.size, prefixes, rows);
    encoder->body.size += adg_delta_put_lengths(encoder->body.data + encoder->body.size, suffixes, rows);
    const struct adg_page_form form = {.encoding = ADG_ENCODING_DELTA_BYTE_ARRAY, .skip = encoder->body.size};
    uint8_t *out = encoder->body.data + encoder->body.size;
    for (uint32_t c = 0; c < cells; c++) {
        uint32_t size = 0;
        const char *text = adg_block_cell(column, first + c, &size);
        adg_text_copy(out, text + shared[c], size - shared[c]);
        out += size - shared[c];
    }
    encoder->body.size = (size_t)(out - encoder->body.data);
    return emit(encoder, index, &form, rows, rows, &seen, error);
}

/* ---- joined ------------------------------------------------------------------------------------------------------ */

static enum adg_status joined_page(struct adg_sink_encoder *encoder, uint32_t index,
                                   const struct adg_block_column *column, uint32_t rows, struct adg_error *error)
{
    const uint32_t *offsets = column->values.text.offsets;
    uint32_t kept = adg_levels_compact(column->codes, rows, ADG_NO_TEXT, encoder->packed, encoder->present);
    uint32_t *lengths = encoder->numbers;
    struct adg_text_bounds seen = {0};
    size_t bytes = ADG_TEXT_SLACK;
    for (uint32_t i = 0; i < kept; i++) {
        lengths[i] = cell_bytes(offsets, encoder->packed[i]);
        bytes += lengths[i];
    }
    enum adg_status status = adg_page_put_levels(encoder, rows, kept, error);
    if (status == ADG_OK) {
        status = adg_buffer_reserve(&encoder->body, 2 * adg_delta_bound(kept) + bytes, error);
    }
    if (status != ADG_OK) {
        return status;
    }
    encoder->body.size += adg_delta_put_repeated(encoder->body.data + encoder->body.size, 0, kept);
    encoder->body.size += adg_delta_put_lengths(encoder->body.data + encoder->body.size, lengths, kept);
    const struct adg_page_form form = {.encoding = ADG_ENCODING_DELTA_BYTE_ARRAY, .skip = encoder->body.size};
    uint8_t *out = encoder->body.data + encoder->body.size;
    memset(encoder->known, 0, column->cells * sizeof *encoder->known);
    for (uint32_t i = 0; i < kept; i++) {
        uint32_t cell = encoder->packed[i], size = lengths[i];
        const char *text = column->values.text.bytes + offsets[cell] + ADG_TEXT_LENGTH_BYTES;
        adg_text_copy(out, text, size);
        out += size;
        if (encoder->known[cell] == 0) {
            adg_text_bounds_show(&seen, text, size);
            encoder->known[cell] = 1;
        }
    }
    encoder->body.size = (size_t)(out - encoder->body.data);
    return emit(encoder, index, &form, rows, kept, &seen, error);
}

/* ---- listed ------------------------------------------------------------------------------------------------------ */

/* Of the codes that encoder->numbers holds. */
static enum adg_status listed_page(struct adg_sink_encoder *encoder, uint32_t index, uint32_t rows,
                                   struct adg_error *error)
{
    struct encoder_column *column = &encoder->columns[index];
    const struct adg_page_form form = {
        .encoding = ADG_ENCODING_RLE_DICTIONARY,
        .dictionary = {{column->texts.cells.data, column->texts.cells.size}, column->texts.count, false},
        .grows = true};
    struct adg_text_bounds seen = {0};
    struct adg_page_codes coded = {0};
    enum adg_status status = adg_page_put_codes(encoder, encoder->numbers, rows, true, column->texts.count, &coded,
                                                error);
    adg_texts_bounds(&column->texts, encoder->numbers, rows, &seen);
    return status == ADG_OK ? emit(encoder, index, &form, rows, coded.kept, &seen, error) : status;
}

enum adg_status adg_page_texts(struct adg_sink_encoder *encoder, uint32_t index, const struct adg_block_column *column,
                               uint32_t rows, struct adg_error *error)
{
    struct encoder_column *target = &encoder->columns[index];
    enum adg_status status = ADG_OK;
    if (encoder->sink->layout->columns[index].runs) {
        return runs_page(encoder, index, column, rows, error);
    }
    if (encoder->rows == 0) {
        adg_texts_clear(&target->texts);
        target->listed = true;
    }
    if (target->listed) {
        uint32_t most = encoder->rows == 0 ? rows / 4 : UINT32_MAX;
        status = adg_texts_add(&target->texts, column, rows, most, encoder->known, encoder->numbers, error);
    }
    if (encoder->rows == 0) {
        target->listed = target->texts.count <= rows / 4 && target->texts.count > 0;
    }
    if (status != ADG_OK) {
        return status;
    }
    return target->listed ? listed_page(encoder, index, rows, error) : joined_page(encoder, index, column, rows, error);
}

enum adg_status adg_page_listed(struct adg_sink_encoder *encoder, uint32_t index, struct adg_error *error)
{
    struct encoder_column *column = &encoder->columns[index];
    const struct adg_span body = {column->texts.cells.data, column->texts.cells.size};
    return adg_parquet_chunk_dictionary(&column->chunk, body, column->texts.count, false, error);
}
