/*
 * The Arrow sink: an IPC stream (https://arrow.apache.org/docs/format/Columnar.html, "IPC Streaming Format").
 *
 *     begin    the schema, then a dictionary batch for every text column whose values the metadata list, numbered in order
 *     encode   a record batch for every block
 *     finish   the end-of-stream marker
 */
#include <nanoarrow/nanoarrow.h>

#include "core/memory.h"
#include "sink/arrow.h"
#include "sink/arrow_message.h"
#include "sink/sink.h"

struct adg_sink {
    const struct adg_layout *layout;
    struct adg_arrow *arrow;
};

struct adg_sink_encoder {
    const struct adg_sink *sink;
    struct adg_arrow_message *message;
    struct adg_buffer bytes;
    uint64_t rows;
};

/* ---- messages ------------------------------------------------------------------------------------------------------ */

/* An array that nanoarrow made. */
static void add_array(struct adg_arrow_message *message, const struct ArrowArray *array)
{
    adg_arrow_message_node(message, array->length, array->null_count);
    for (int64_t b = 0; b < array->n_buffers; b++) {
        const struct ArrowBuffer *buffer = ArrowArrayBuffer((struct ArrowArray *)(uintptr_t)array, b);
        adg_arrow_message_buffer(message, buffer->data, (size_t)buffer->size_bytes);
    }
}

/* ---- the encoder --------------------------------------------------------------------------------------------------- */

static void encoder_free(struct adg_sink_encoder *encoder)
{
    if (encoder != NULL) {
        adg_arrow_message_free(encoder->message);
        adg_buffer_fini(&encoder->bytes);
        adg_free(encoder);
    }
}

static enum adg_status encoder_new(const struct adg_sink *sink, struct adg_sink_encoder **out, struct adg_error *error)
{
    struct adg_sink_encoder *encoder = adg_alloc_zero(1, sizeof *encoder);
    if (encoder == NULL) {
        return adg_fail_memory(error);
    }
    encoder->sink = sink;
    enum adg_status status = adg_arrow_message_new(sink->layout->column_count, &encoder->message, error);
    if (status != ADG_OK) {
        encoder_free(encoder);
        return status;
    }
    *out = encoder;
    return ADG_OK;
}

static enum adg_status encode(struct adg_sink_encoder *encoder, const struct adg_block *block, struct adg_error *error)
{
    struct ArrowArray batch;
    if (block->rows == 0) {
        return ADG_OK;
    }
    enum adg_status status = adg_arrow_batch(encoder->sink->arrow, block, &batch, error);
    if (status != ADG_OK) {
        return status;
    }
    for (uint32_t i = 0; i < encoder->sink->layout->column_count; i++) {
        add_array(encoder->message, batch.children[i]);
    }
    status = adg_arrow_message_put(encoder->message, block->rows, -1, &encoder->bytes, error);
    ArrowArrayRelease(&batch);
    encoder->rows += block->rows;
    return status;
}

static void part_begin(struct adg_sink_encoder *encoder, struct adg_sink_part *memory)
{
    adg_buffer_swap(&encoder->bytes, &memory->bytes);
}

static enum adg_status part_end(struct adg_sink_encoder *encoder, struct adg_sink_part *part, struct adg_error *error)
{
    (void)error;
    *part = (struct adg_sink_part){.bytes = encoder->bytes, .rows = encoder->rows};
    encoder->bytes = (struct adg_buffer){0};
    encoder->rows = 0;
    return ADG_OK;
}

static void part_fini(struct adg_sink_part *part)
{
    adg_buffer_fini(&part->bytes);
    *part = (struct adg_sink_part){0};
}

/* ---- the file ------------------------------------------------------------------------------------------------------ */

static void sink_free(struct adg_sink *sink)
{
    if (sink != NULL) {
        adg_arrow_free(sink->arrow);
        adg_free(sink);
    }
}

static enum adg_status sink_open(const struct adg_layout *layout, enum adg_compression compression,
                                 struct adg_sink **out, struct adg_error *error)
{
    if (compression == ADG_COMPRESSION_ZSTD) {
        return adg_fail(error, ADG_USAGE, "Arrow streams are not compressed; leave the compression out");
    }
    struct adg_sink *sink = adg_alloc_zero(1, sizeof *sink);
    if (sink == NULL) {
        return adg_fail_memory(error);
    }
    sink->layout = layout;
    enum adg_status status = adg_arrow_new(layout, NULL, 0, true, &sink->arrow, error);
    if (status != ADG_OK) {
        sink_free(sink);
        return status;
    }
    *out = sink;
    return ADG_OK;
}

static enum adg_status put_schema(const struct adg_sink *sink, struct adg_buffer *out, struct adg_error *error)
{
    struct ArrowSchema schema;
    enum adg_status status = adg_arrow_schema(sink->arrow, &schema, error);
    if (status == ADG_OK) {
        status = adg_arrow_put_schema(&schema, out, error);
        ArrowSchemaRelease(&schema);
    }
    return status;
}

/* The dictionaries are those of any batch: one without rows. */
static enum adg_status put_dictionaries(const struct adg_sink *sink, struct adg_buffer *out, struct adg_error *error)
{
    struct ArrowArray batch = {.release = NULL};
    struct adg_sink_encoder *encoder = NULL;
    struct adg_block empty = {.layout = sink->layout};
    int64_t number = 0;
    enum adg_status status = ADG_OK;
    empty.columns = adg_alloc_zero(sink->layout->column_count, sizeof *empty.columns);
    if (empty.columns == NULL) {
        return adg_fail_memory(error);
    }
    status = encoder_new(sink, &encoder, error);
    if (status == ADG_OK) {
        status = adg_arrow_batch(sink->arrow, &empty, &batch, error);
    }
    for (uint32_t i = 0; status == ADG_OK && i < sink->layout->column_count; i++) {
        const struct ArrowArray *dictionary = batch.children[i]->dictionary;
        if (dictionary != NULL) {
            add_array(encoder->message, dictionary);
            status = adg_arrow_message_put(encoder->message, dictionary->length, number++, out, error);
        }
    }
    if (batch.release != NULL) {
        ArrowArrayRelease(&batch);
    }
    encoder_free(encoder);
    adg_free(empty.columns);
    return status;
}

static enum adg_status sink_begin(struct adg_sink *sink, struct adg_buffer *out, struct adg_error *error)
{
    enum adg_status status = put_schema(sink, out, error);
    return status == ADG_OK ? put_dictionaries(sink, out, error) : status;
}

static enum adg_status sink_finish(struct adg_sink *sink, uint64_t offset, struct adg_buffer *out,
                                   struct adg_error *error)
{
    (void)sink;
    (void)offset;
    return adg_arrow_put_end(out, error);
}

const struct adg_sink_operations adg_sink_arrow = {
    .extension = "arrows",
    .open = sink_open,
    .begin = sink_begin,
    .encoder_new = encoder_new,
    .encode = encode,
    .part_begin = part_begin,
    .part_end = part_end,
    .append = adg_sink_append_nothing,
    .finish = sink_finish,
    .part_fini = part_fini,
    .encoder_free = encoder_free,
    .free = sink_free,
};
