/*
 * The Arrow sink: an IPC stream (https://arrow.apache.org/docs/format/Columnar.html, "IPC Streaming Format").
 *
 *     begin    the schema, then a dictionary batch for every text column whose values the metadata list, numbered in order
 *     encode   a record batch for every block
 *     finish   the end-of-stream marker
 *
 * A message is -1, the size of its FlatBuffer, the FlatBuffer, padding to 8, then the body: the buffers of its arrays, each padded
 * to 8. nanoarrow encodes the schema; record batches it encodes only without dictionaries, so batches of both kinds are
 * built here, with the FlatBuffers code that it comes with.
 */
#include <nanoarrow/ipc/flatcc_generated.h>
#include <nanoarrow/nanoarrow.h>
#include <nanoarrow/nanoarrow_ipc.h>

#include "core/memory.h"
#include "sink/arrow.h"
#include "sink/sink.h"

#define NAMED(name) org_apache_arrow_flatbuf_##name

enum { ALIGNMENT = 8, MOST_BUFFERS = 3 };

struct adg_sink {
    const struct adg_layout *layout;
    struct adg_arrow *arrow;
};

struct adg_sink_encoder {
    const struct adg_sink *sink;
    flatcc_builder_t builder;
    NAMED(FieldNode_t) * nodes;
    NAMED(Buffer_t) * buffers;
    struct adg_buffer bytes;
    uint64_t rows;
};

/* ---- messages ------------------------------------------------------------------------------------------------------ */

static size_t padded(size_t size)
{
    return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static enum adg_status put_padded(struct adg_buffer *out, const void *data, size_t size, struct adg_error *error)
{
    static const char zeros[ALIGNMENT];
    enum adg_status status = size > 0 ? adg_buffer_append(out, data, size, error) : ADG_OK;
    return status == ADG_OK ? adg_buffer_append(out, zeros, padded(size) - size, error) : status;
}

static enum adg_status put_prefix(struct adg_buffer *out, size_t size, struct adg_error *error)
{
    const int32_t prefix[2] = {-1, (int32_t)size};
    return adg_buffer_append(out, prefix, sizeof prefix, error);
}

/* The array that a message is about: rows, and columns that lie side by side. */
struct content {
    const struct ArrowArray *const *arrays;
    uint32_t count;
    int64_t rows;
    int64_t dictionary; /* its number; -1: a record batch */
};

/* Notes where the buffers will lie in the body; returns its size. */
static size_t place_buffers(struct adg_sink_encoder *encoder, const struct content *content, uint32_t *buffer_count)
{
    size_t body = 0;
    *buffer_count = 0;
    for (uint32_t i = 0; i < content->count; i++) {
        const struct ArrowArray *array = content->arrays[i];
        encoder->nodes[i] = (NAMED(FieldNode_t)){.length = array->length, .null_count = array->null_count};
        for (int64_t b = 0; b < array->n_buffers; b++) {
            size_t size = (size_t)ArrowArrayBuffer((struct ArrowArray *)(uintptr_t)array, b)->size_bytes;
            encoder->buffers[(*buffer_count)++] = (NAMED(Buffer_t)){.offset = (int64_t)body, .length = (int64_t)size};
            body += padded(size);
        }
    }
    return body;
}

/* The fields that record and dictionary batches share; the table is open in the builder. */
static int build_batch(struct adg_sink_encoder *encoder, const struct content *content, uint32_t buffer_count)
{
    flatcc_builder_t *builder = &encoder->builder;
    return NAMED(RecordBatch_length_add)(builder, content->rows) != 0 ||
           NAMED(RecordBatch_nodes_create)(builder, encoder->nodes, content->count) != 0 ||
           NAMED(RecordBatch_buffers_create)(builder, encoder->buffers, buffer_count) != 0;
}

static int build_message(struct adg_sink_encoder *encoder, const struct content *content, uint32_t buffer_count,
                         size_t body)
{
    flatcc_builder_t *builder = &encoder->builder;
    int failed = NAMED(Message_start_as_root)(builder) != 0 ||
                 NAMED(Message_version_add)(builder, NAMED(MetadataVersion_V5)) != 0;
    if (failed == 0 && content->dictionary >= 0) {
        failed = NAMED(Message_header_DictionaryBatch_start)(builder) != 0 ||
                 NAMED(DictionaryBatch_id_add)(builder, content->dictionary) != 0 ||
                 NAMED(DictionaryBatch_data_start)(builder) != 0 || build_batch(encoder, content, buffer_count) != 0 ||
                 NAMED(DictionaryBatch_data_end)(builder) != 0 ||
                 NAMED(Message_header_DictionaryBatch_end)(builder) != 0;
    } else if (failed == 0) {
        failed = NAMED(Message_header_RecordBatch_start)(builder) != 0 ||
                 build_batch(encoder, content, buffer_count) != 0 ||
                 NAMED(Message_header_RecordBatch_end)(builder) != 0;
    }
    return failed != 0 || NAMED(Message_bodyLength_add)(builder, (int64_t)body) != 0 ||
           NAMED(Message_end_as_root)(builder) == 0;
}

static enum adg_status put_message(struct adg_sink_encoder *encoder, const struct content *content,
                                   struct adg_buffer *out, struct adg_error *error)
{
    uint32_t buffer_count = 0;
    size_t body = place_buffers(encoder, content, &buffer_count), size = 0;
    void *header = build_message(encoder, content, buffer_count, body) == 0
                       ? flatcc_builder_finalize_aligned_buffer(&encoder->builder, &size)
                       : NULL;
    if (header == NULL) {
        return adg_fail_memory(error);
    }
    enum adg_status status = adg_buffer_reserve(out, sizeof(int64_t) + padded(size) + body, error);
    if (status == ADG_OK) {
        status = put_prefix(out, padded(size), error);
    }
    if (status == ADG_OK) {
        status = put_padded(out, header, size, error);
    }
    for (uint32_t i = 0; i < content->count && status == ADG_OK; i++) {
        struct ArrowArray *array = (struct ArrowArray *)(uintptr_t)content->arrays[i];
        for (int64_t b = 0; b < array->n_buffers && status == ADG_OK; b++) {
            const struct ArrowBuffer *buffer = ArrowArrayBuffer(array, b);
            status = put_padded(out, buffer->data, (size_t)buffer->size_bytes, error);
        }
    }
    flatcc_builder_aligned_free(header);
    flatcc_builder_reset(&encoder->builder);
    return status;
}

/* ---- the encoder --------------------------------------------------------------------------------------------------- */

static void encoder_free(struct adg_sink_encoder *encoder)
{
    if (encoder != NULL) {
        flatcc_builder_clear(&encoder->builder);
        adg_free(encoder->nodes);
        adg_free(encoder->buffers);
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
    size_t count = sink->layout->column_count;
    encoder->sink = sink;
    encoder->nodes = adg_alloc_zero(count, sizeof *encoder->nodes);
    encoder->buffers = adg_alloc_zero(count * MOST_BUFFERS, sizeof *encoder->buffers);
    if (flatcc_builder_init(&encoder->builder) != 0 || encoder->nodes == NULL || encoder->buffers == NULL) {
        encoder_free(encoder);
        return adg_fail_memory(error);
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
    const struct content content = {(const struct ArrowArray *const *)batch.children,
                                    encoder->sink->layout->column_count, block->rows, -1};
    status = put_message(encoder, &content, &encoder->bytes, error);
    ArrowArrayRelease(&batch);
    encoder->rows += block->rows;
    return status;
}

static enum adg_status part_end(struct adg_sink_encoder *encoder, struct adg_sink_part *part, struct adg_error *error)
{
    (void)error;
    struct adg_buffer spare = part->bytes;
    *part = (struct adg_sink_part){.bytes = encoder->bytes, .rows = encoder->rows};
    encoder->bytes = spare;
    encoder->bytes.size = 0;
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
    struct ArrowIpcEncoder encoder;
    struct ArrowBuffer bytes;
    struct ArrowError arrow_error = {{0}};
    enum adg_status status = adg_arrow_schema(sink->arrow, &schema, error);
    if (status != ADG_OK) {
        return status;
    }
    ArrowBufferInit(&bytes);
    if (ArrowIpcEncoderInit(&encoder) != NANOARROW_OK) {
        status = adg_fail_memory(error);
    } else {
        int code = ArrowIpcEncoderEncodeSchema(&encoder, &schema, &arrow_error);
        if (code == NANOARROW_OK) {
            code = ArrowIpcEncoderFinalizeBuffer(&encoder, 1, &bytes);
        }
        if (code != NANOARROW_OK) {
            status = adg_fail(error, ADG_FAILED, "Arrow: %s", ArrowErrorMessage(&arrow_error));
        }
        ArrowIpcEncoderReset(&encoder);
    }
    if (status == ADG_OK) {
        status = adg_buffer_append(out, bytes.data, (size_t)bytes.size_bytes, error);
    }
    ArrowBufferReset(&bytes);
    ArrowSchemaRelease(&schema);
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
            const struct content content = {&dictionary, 1, dictionary->length, number++};
            status = put_message(encoder, &content, out, error);
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
    return put_prefix(out, 0, error);
}

const struct adg_sink_operations adg_sink_arrow = {
    .extension = "arrows",
    .open = sink_open,
    .begin = sink_begin,
    .encoder_new = encoder_new,
    .encode = encode,
    .part_end = part_end,
    .append = adg_sink_append_nothing,
    .finish = sink_finish,
    .part_fini = part_fini,
    .encoder_free = encoder_free,
    .free = sink_free,
};
