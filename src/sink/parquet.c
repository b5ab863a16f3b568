/*
 * The Parquet sink: blocks of dictionary codes become data pages without touching a string.
 *
 * A part is a row group, a block a page of every column. Dictionary pages are prepared once per file. Of many entries, or of columns with
 * few values, a row group has only the entries that occur in it, numbered as they come. Columns that are null or
 * constant throughout have one page per row group, of a few bytes. Joined texts that repeat are listed in a dictionary per row
 * group. With compression `auto` a column chunk is compressed when that takes a quarter off it.
 */
#include "sink/parquet.h"

#include "core/memory.h"
#include "parquet/hybrid.h"

/* ---- the file ---------------------------------------------------------------------------------------------------- */

static void sink_free(struct adg_sink *sink)
{
    if (sink != NULL) {
        for (uint32_t i = 0; sink->columns != NULL && i < sink->layout->column_count; i++) {
            adg_buffer_fini(&sink->columns[i].dictionary);
        }
        for (uint32_t i = 0; sink->statistics != NULL && i < sink->layout->column_count; i++) {
            adg_parquet_statistics_fini(&sink->statistics[i]);
        }
        adg_free(sink->statistics);
        adg_free(sink->columns);
        adg_free(sink->leaves);
        adg_parquet_footer_fini(&sink->footer);
        adg_free(sink);
    }
}

/* Values with so large a part of their width in bits cannot be made a quarter smaller. */
#define DENSE 0.7

/* What the distribution tells. */
static void prepare_column(const struct adg_layout_column *layout, struct prepared_column *column)
{
    double entropy = layout->entropy;
    bool whole = adg_parquet_physical_of(layout->field->type) == ADG_PHYSICAL_INT64;
    if (layout->kind == ADG_COLUMN_DICTIONARY && layout->dictionary->count > 2) {
        column->dense = entropy >= DENSE * adg_hybrid_width(layout->dictionary->count - 1);
    } else if (layout->kind == ADG_COLUMN_TEXTS) {
        column->dense = entropy >= DENSE * 8;
    } else if (layout->kind == ADG_COLUMN_PLAIN && whole) {
        column->delta = entropy > 0 && entropy < MOST_DELTA_BITS;
        column->dense = column->delta;
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
    sink->statistics = adg_alloc_zero(layout->column_count, sizeof *sink->statistics);
    if (sink->leaves == NULL || sink->columns == NULL || sink->statistics == NULL) {
        status = adg_fail_memory(error);
        goto done;
    }
    sink->footer = (struct adg_parquet_footer){.leaves = sink->leaves, .leaf_count = layout->column_count};
    for (uint32_t i = 0; i < layout->column_count && status == ADG_OK; i++) {
        const struct adg_field *field = layout->columns[i].field;
        const struct adg_dictionary *dictionary = layout->columns[i].dictionary;
        sink->leaves[i] = (struct adg_parquet_leaf){
            .name = field->name, .type = field->type, .precision = field->precision, .scale = field->scale};
        prepare_column(&layout->columns[i], &sink->columns[i]);
        if (dictionary == NULL || field->type == ADG_TYPE_BOOLEAN) {
            continue;
        }
        struct prepared_column *column = &sink->columns[i];
        column->grows = layout->columns[i].kind == ADG_COLUMN_DICTIONARY &&
                        (layout->columns[i].sparse || dictionary->count > WHOLE_DICTIONARY_ENTRIES);
        for (uint32_t e = 0; e < dictionary->count && !column->grows && status == ADG_OK; e++) {
            status = adg_page_append_value(&column->dictionary, field->type, adg_page_entry(dictionary, e), error);
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
    sink->footer.row_groups.size = 0;
    sink->footer.row_group_count = 0;
    sink->footer.rows = 0;
    for (uint32_t i = 0; i < sink->layout->column_count; i++) {
        adg_parquet_statistics_clear(&sink->statistics[i]);
    }
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
    enum adg_status status = ADG_OK;
    for (uint32_t i = 0; i < sink->layout->column_count && part->rows > 0 && status == ADG_OK; i++) {
        status = adg_parquet_statistics_add(&sink->statistics[i], &group->chunks[i], error);
    }
    return status == ADG_OK && part->rows > 0
               ? adg_parquet_footer_add(&sink->footer, group->chunks, part->rows, offset, &part->bytes, error)
               : status;
}

static enum adg_status sink_finish(struct adg_sink *sink, uint64_t offset, struct adg_buffer *out,
                                   struct adg_error *error)
{
    (void)offset;
    return adg_parquet_footer_finish(&sink->footer, out, error);
}

static void sink_statistics(const struct adg_sink *sink, uint32_t column, struct adg_sink_statistics *out)
{
    const struct adg_parquet_statistics *statistics = &sink->statistics[column];
    *out = (struct adg_sink_statistics){.rows = sink->footer.rows, .nulls = statistics->nulls};
    if (statistics->known && !statistics->incomplete) {
        out->known = true;
        out->min = (struct adg_span){statistics->min.data, statistics->min.size};
        out->max = (struct adg_span){statistics->max.data, statistics->max.size};
    }
}

static void free_pieces(struct adg_sink_part *part)
{
    for (uint32_t i = 0; i < part->piece_count; i++) {
        adg_buffer_fini(&part->pieces[i]);
    }
    adg_free(part->pieces);
    part->pieces = NULL;
    part->piece_count = 0;
}

static void part_fini(struct adg_sink_part *part)
{
    struct row_group *group = part->detail;
    if (group != NULL) {
        free_chunks(group->chunks, group->count);
        adg_free(group);
    }
    free_pieces(part);
    adg_buffer_fini(&part->bytes);
    *part = (struct adg_sink_part){0};
}

/* ---- the encoder ------------------------------------------------------------------------------------------------- */

static void encoder_free(struct adg_sink_encoder *encoder)
{
    if (encoder == NULL) {
        return;
    }
    for (uint32_t i = 0; encoder->columns != NULL && i < encoder->sink->layout->column_count; i++) {
        adg_parquet_chunk_fini(&encoder->columns[i].chunk);
        adg_free(encoder->columns[i].numbers);
        adg_buffer_fini(&encoder->columns[i].names);
        adg_texts_fini(&encoder->columns[i].texts);
    }
    adg_free(encoder->columns);
    adg_free(encoder->packed);
    adg_free(encoder->present);
    adg_free(encoder->numbers);
    adg_free(encoder->known);
    adg_buffer_fini(&encoder->body);
    adg_buffer_fini(&encoder->entries);
    adg_parquet_compressor_fini(&encoder->compressor);
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
    encoder->packed = adg_alloc_array(ADG_BLOCK_ROWS + 8, sizeof *encoder->packed);
    encoder->present = adg_alloc_array(ADG_BLOCK_ROWS / 8 + 1, 1);
    encoder->numbers = adg_alloc_array(ADG_BLOCK_ROWS, sizeof(int64_t));
    encoder->known = adg_alloc_array(ADG_BLOCK_ROWS, sizeof *encoder->known);
    bool good = adg_parquet_compressor_init(&encoder->compressor, error) == ADG_OK && encoder->columns != NULL &&
                encoder->packed != NULL && encoder->present != NULL && encoder->numbers != NULL &&
                encoder->known != NULL;
    for (uint32_t i = 0; good && i < sink->layout->column_count; i++) {
        const struct adg_dictionary *dictionary = sink->layout->columns[i].dictionary;
        if (sink->columns[i].grows) {
            encoder->columns[i].numbers = adg_alloc_zero(dictionary->count, sizeof(uint32_t));
            good = encoder->columns[i].numbers != NULL;
        }
    }
    if (!good) {
        encoder_free(encoder);
        return adg_fail_memory(error);
    }
    *out = encoder;
    return ADG_OK;
}

static enum adg_status encode_column(struct adg_sink_encoder *encoder, const struct adg_block *block, uint32_t index,
                                     struct adg_error *error)
{
    const struct adg_layout_column *layout = &encoder->sink->layout->columns[index];
    const struct adg_block_column *column = &block->columns[index];
    if (encoder->rows + block->rows > PART_ROWS) {
        return adg_fail(error, ADG_FAILED, "a row group of more than %d rows", PART_ROWS);
    }
    switch (layout->kind) {
    case ADG_COLUMN_NULL:
    case ADG_COLUMN_CONSTANT:
        return ADG_OK; /* when the part ends */
    case ADG_COLUMN_TEXTS:
        return adg_page_texts(encoder, index, column, block->rows, error);
    case ADG_COLUMN_PLAIN:
        return adg_page_plain(encoder, index, column, block->rows, error);
    case ADG_COLUMN_DICTIONARY:
        break;
    }
    if (layout->field->type == ADG_TYPE_BOOLEAN) {
        return adg_page_boolean(encoder, index, column->codes, block->rows, error);
    }
    return encoder->sink->columns[index].grows ? adg_page_growing(encoder, index, column, block->rows, error)
                                               : adg_page_codes(encoder, index, column->codes, block->rows, error);
}

static enum adg_status encode(struct adg_sink_encoder *encoder, const struct adg_block *block, struct adg_error *error)
{
    const struct adg_sink *sink = encoder->sink;
    enum adg_status status = ADG_OK;
    for (uint32_t i = 0; i < sink->layout->column_count && block->rows > 0 && status == ADG_OK; i++) {
        bool taken = sink->layout->columns[i].unread && block->columns[i].codes == NULL;
        status = taken ? ADG_OK : encode_column(encoder, block, i, error);
    }
    encoder->rows += block->rows;
    return status;
}

/* A chunk's bytes go away as a piece, and memory comes back from pieces of a table with as many columns: others would each grow to the
 * most that any column needs. */
static void part_begin(struct adg_sink_encoder *encoder, struct adg_sink_part *memory)
{
    bool fits = memory->piece_count == encoder->sink->layout->column_count;
    for (uint32_t i = 0; fits && i < memory->piece_count; i++) {
        adg_buffer_swap(&encoder->columns[i].chunk.bytes, &memory->pieces[i]);
    }
}

/* What the encoder holds becomes the part; `group` takes the chunks. */
static enum adg_status collect(struct adg_sink_encoder *encoder, struct row_group *group, struct adg_sink_part *part,
                               struct adg_error *error)
{
    const struct adg_sink *sink = encoder->sink;
    enum adg_status status = ADG_OK;
    for (uint32_t i = 0; i < sink->layout->column_count && status == ADG_OK && encoder->rows > 0; i++) {
        enum adg_column_kind kind = sink->layout->columns[i].kind;
        if (sink->columns[i].grows) {
            status = adg_page_grown(encoder, i, error);
        } else if (encoder->columns[i].listed) {
            status = adg_page_listed(encoder, i, error);
        } else if (kind == ADG_COLUMN_NULL || kind == ADG_COLUMN_CONSTANT) {
            status = adg_page_uniform(encoder, i, error);
        }
    }
    for (uint32_t i = 0; i < sink->layout->column_count && status == ADG_OK; i++) {
        struct encoder_column *column = &encoder->columns[i];
        if (column->chunk.values != encoder->rows) {
            status = adg_fail(error, ADG_FAILED, "field %s has not been encoded", sink->layout->columns[i].field->name);
        }
        adg_buffer_swap(&column->chunk.bytes, &part->pieces[i]);
        adg_parquet_chunk_take(&column->chunk, &group->chunks[i]);
        column->begun = false;
    }
    return status;
}

static enum adg_status part_end(struct adg_sink_encoder *encoder, struct adg_sink_part *part, struct adg_error *error)
{
    uint32_t count = encoder->sink->layout->column_count;
    struct row_group *group = adg_alloc_zero(1, sizeof *group);
    struct adg_parquet_chunk *chunks = adg_alloc_zero(count, sizeof *chunks);
    part->pieces = adg_alloc_zero(count, sizeof *part->pieces);
    part->piece_count = part->pieces != NULL ? count : 0;
    part->detail = group;
    part->rows = encoder->rows;
    enum adg_status status = group == NULL || chunks == NULL || part->pieces == NULL ? adg_fail_memory(error) : ADG_OK;
    if (status == ADG_OK) {
        *group = (struct row_group){chunks, count};
        status = collect(encoder, group, part, error);
    } else {
        adg_free(chunks);
    }
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
    .encode_column = encode_column,
    .encode = encode,
    .part_begin = part_begin,
    .part_end = part_end,
    .append = sink_append,
    .finish = sink_finish,
    .statistics = sink_statistics,
    .part_fini = part_fini,
    .encoder_free = encoder_free,
    .free = sink_free,
};
