/*
 * Messages of an Arrow IPC stream: see arrow_message.h.
 */
#include "sink/arrow_message.h"

#include <nanoarrow/ipc/flatcc_generated.h>
#include <nanoarrow/nanoarrow.h>
#include <nanoarrow/nanoarrow_ipc.h>

#include "core/memory.h"

#define NAMED(name) org_apache_arrow_flatbuf_##name

enum { ALIGNMENT = 8, MOST_BUFFERS = 3 };

struct adg_arrow_message {
    flatcc_builder_t builder;
    NAMED(FieldNode_t) * nodes;
    NAMED(Buffer_t) * buffers; /* where they will lie in the body */
    const void **data;
    uint32_t node_count, buffer_count;
    size_t body;
};

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

enum adg_status adg_arrow_message_new(uint32_t nodes, struct adg_arrow_message **out, struct adg_error *error)
{
    struct adg_arrow_message *message = adg_alloc_zero(1, sizeof *message);
    if (message == NULL) {
        return adg_fail_memory(error);
    }
    const size_t buffers = (size_t)nodes * MOST_BUFFERS;
    message->nodes = adg_alloc_zero(nodes, sizeof *message->nodes);
    message->buffers = adg_alloc_zero(buffers, sizeof *message->buffers);
    message->data = adg_alloc_zero(buffers, sizeof *message->data);
    if (flatcc_builder_init(&message->builder) != 0 || message->nodes == NULL || message->buffers == NULL ||
        message->data == NULL) {
        adg_arrow_message_free(message);
        return adg_fail_memory(error);
    }
    *out = message;
    return ADG_OK;
}

void adg_arrow_message_free(struct adg_arrow_message *message)
{
    if (message != NULL) {
        flatcc_builder_clear(&message->builder);
        adg_free(message->nodes);
        adg_free(message->buffers);
        adg_free((void *)message->data);
        adg_free(message);
    }
}

void adg_arrow_message_node(struct adg_arrow_message *message, int64_t length, int64_t null_count)
{
    message->nodes[message->node_count++] = (NAMED(FieldNode_t)){.length = length, .null_count = null_count};
}

void adg_arrow_message_buffer(struct adg_arrow_message *message, const void *data, size_t bytes)
{
    message->data[message->buffer_count] = data;
    message->buffers[message->buffer_count++] = (NAMED(Buffer_t)){.offset = (int64_t)message->body,
                                                                  .length = (int64_t)bytes};
    message->body += padded(bytes);
}

/* The fields that record and dictionary batches share; the table is open in the builder. */
static int build_batch(struct adg_arrow_message *message, int64_t rows)
{
    flatcc_builder_t *builder = &message->builder;
    return NAMED(RecordBatch_length_add)(builder, rows) != 0 ||
           NAMED(RecordBatch_nodes_create)(builder, message->nodes, message->node_count) != 0 ||
           NAMED(RecordBatch_buffers_create)(builder, message->buffers, message->buffer_count) != 0;
}

static int build(struct adg_arrow_message *message, int64_t rows, int64_t dictionary)
{
    flatcc_builder_t *builder = &message->builder;
    int failed = NAMED(Message_start_as_root)(builder) != 0 ||
                 NAMED(Message_version_add)(builder, NAMED(MetadataVersion_V5)) != 0;
    if (failed == 0 && dictionary >= 0) {
        failed = NAMED(Message_header_DictionaryBatch_start)(builder) != 0 ||
                 NAMED(DictionaryBatch_id_add)(builder, dictionary) != 0 ||
                 NAMED(DictionaryBatch_data_start)(builder) != 0 || build_batch(message, rows) != 0 ||
                 NAMED(DictionaryBatch_data_end)(builder) != 0 ||
                 NAMED(Message_header_DictionaryBatch_end)(builder) != 0;
    } else if (failed == 0) {
        failed = NAMED(Message_header_RecordBatch_start)(builder) != 0 || build_batch(message, rows) != 0 ||
                 NAMED(Message_header_RecordBatch_end)(builder) != 0;
    }
    return failed != 0 || NAMED(Message_bodyLength_add)(builder, (int64_t)message->body) != 0 ||
           NAMED(Message_end_as_root)(builder) == 0;
}

enum adg_status adg_arrow_message_put(struct adg_arrow_message *message, int64_t rows, int64_t dictionary,
                                      struct adg_buffer *out, struct adg_error *error)
{
    size_t size = 0;
    void *header = build(message, rows, dictionary) == 0
                       ? flatcc_builder_finalize_aligned_buffer(&message->builder, &size)
                       : NULL;
    if (header == NULL) {
        return adg_fail_memory(error);
    }
    enum adg_status status = adg_buffer_reserve(out, sizeof(int64_t) + padded(size) + message->body, error);
    if (status == ADG_OK) {
        status = put_prefix(out, padded(size), error);
    }
    if (status == ADG_OK) {
        status = put_padded(out, header, size, error);
    }
    for (uint32_t i = 0; i < message->buffer_count && status == ADG_OK; i++) {
        status = put_padded(out, message->data[i], (size_t)message->buffers[i].length, error);
    }
    flatcc_builder_aligned_free(header);
    flatcc_builder_reset(&message->builder);
    message->node_count = message->buffer_count = 0;
    message->body = 0;
    return status;
}

enum adg_status adg_arrow_put_schema(const struct ArrowSchema *schema, struct adg_buffer *out, struct adg_error *error)
{
    struct ArrowIpcEncoder encoder;
    struct ArrowBuffer bytes;
    struct ArrowError arrow_error = {{0}};
    enum adg_status status = ADG_OK;
    ArrowBufferInit(&bytes);
    if (ArrowIpcEncoderInit(&encoder) != NANOARROW_OK) {
        status = adg_fail_memory(error);
    } else {
        int code = ArrowIpcEncoderEncodeSchema(&encoder, schema, &arrow_error);
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
    return status;
}

enum adg_status adg_arrow_put_end(struct adg_buffer *out, struct adg_error *error)
{
    return put_prefix(out, 0, error);
}
