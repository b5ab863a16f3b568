/*
 * The messages of an Arrow stream: see messages.h. One is -1, the size of its FlatBuffer, the FlatBuffer, and a body whose size that tells
 * (https://arrow.apache.org/docs/format/Columnar.html, "Encapsulated message format"); -1 and 0 end the stream.
 */
#include "migrate/messages.h"

#include <errno.h>
#include <nanoarrow/ipc/flatcc_generated.h>
#include <nanoarrow/nanoarrow.h>
#include <nanoarrow/nanoarrow_ipc.h>

#include "core/buffer.h"

#define NAMED(name) org_apache_arrow_flatbuf_##name

enum { ALIGNMENT = 8, TEXT_NODES = 1, TEXT_BUFFERS = 3 };

struct messages {
    FILE *file;
    const char *path;
    int64_t left; /* bytes of the file */
    struct adg_buffer header;
    struct ArrowIpcDecoder decoder;
};

static enum adg_status cut_off(const struct messages *messages, struct adg_error *error)
{
    return adg_fail(error, ADG_BAD_INPUT, "%s: no Arrow stream, or one that was cut off or damaged", messages->path);
}

/* Appends to the header. */
static enum adg_status take(struct messages *messages, int64_t size, struct adg_error *error)
{
    if (size > messages->left) {
        return cut_off(messages, error);
    }
    enum adg_status status = adg_buffer_reserve(&messages->header, (size_t)size, error);
    if (status != ADG_OK) {
        return status;
    }
    if (fread(messages->header.data + messages->header.size, 1, (size_t)size, messages->file) != (size_t)size) {
        return adg_fail_errno(error, errno, "%s cannot be read", messages->path);
    }
    messages->header.size += (size_t)size;
    messages->left -= size;
    return ADG_OK;
}

/* Rows that can be counted, and buffers that lie within the body, where they may. */
static bool is_sound(NAMED(RecordBatch_table_t) batch, int64_t body)
{
    NAMED(FieldNode_vec_t) nodes = NAMED(RecordBatch_nodes)(batch);
    NAMED(Buffer_vec_t) buffers = NAMED(RecordBatch_buffers)(batch);
    const int64_t rows = NAMED(RecordBatch_length)(batch);
    bool sound = rows >= 0 && rows <= INT32_MAX;
    for (size_t i = 0; sound && i < NAMED(FieldNode_vec_len)(nodes); i++) {
        NAMED(FieldNode_struct_t) node = NAMED(FieldNode_vec_at)(nodes, i);
        const int64_t values = NAMED(FieldNode_length)(node), nulls = NAMED(FieldNode_null_count)(node);
        sound = values >= 0 && values <= INT32_MAX && nulls >= 0 && nulls <= values;
    }
    for (size_t i = 0; sound && i < NAMED(Buffer_vec_len)(buffers); i++) {
        NAMED(Buffer_struct_t) buffer = NAMED(Buffer_vec_at)(buffers, i);
        const int64_t offset = NAMED(Buffer_offset)(buffer), size = NAMED(Buffer_length)(buffer);
        sound = offset >= 0 && offset % ALIGNMENT == 0 && size >= 0 && offset <= body && size <= body - offset;
    }
    return sound;
}

static enum adg_status check_batch(const struct messages *messages, NAMED(RecordBatch_table_t) batch, int64_t body,
                                   bool dictionary, struct adg_error *error)
{
    if (batch == NULL || !is_sound(batch, body)) {
        return cut_off(messages, error);
    }
    if (NAMED(RecordBatch_compression_is_present)(batch)) {
        return adg_fail(error, ADG_BAD_INPUT, "%s: a compressed Arrow stream, which is not read", messages->path);
    }
    if (dictionary && (NAMED(FieldNode_vec_len)(NAMED(RecordBatch_nodes)(batch)) != TEXT_NODES ||
                       NAMED(Buffer_vec_len)(NAMED(RecordBatch_buffers)(batch)) != TEXT_BUFFERS)) {
        return adg_fail(error, ADG_BAD_INPUT, "%s: a dictionary of anything but texts is not read", messages->path);
    }
    return ADG_OK;
}

/* The message in the header, and past its body. */
static enum adg_status check_message(struct messages *messages, struct adg_error *error)
{
    const struct ArrowBufferView view = {.data = {.data = messages->header.data},
                                         .size_bytes = (int64_t)messages->header.size};
    if (ArrowIpcDecoderVerifyHeader(&messages->decoder, view, NULL) != NANOARROW_OK) {
        return cut_off(messages, error);
    }
    NAMED(Message_table_t) message = NAMED(Message_as_root)(messages->header.data + 2 * sizeof(int32_t));
    const int64_t body = NAMED(Message_bodyLength)(message);
    enum adg_status status = ADG_OK;
    if (NAMED(Message_header_type)(message) == NAMED(MessageHeader_DictionaryBatch)) {
        NAMED(DictionaryBatch_table_t) dictionary = NAMED(Message_header)(message);
        status = check_batch(messages, NAMED(DictionaryBatch_data)(dictionary), body, true, error);
    } else if (NAMED(Message_header_type)(message) == NAMED(MessageHeader_RecordBatch)) {
        status = check_batch(messages, NAMED(Message_header)(message), body, false, error);
    }
    if (status == ADG_OK && (body < 0 || body > messages->left)) {
        status = cut_off(messages, error);
    }
    if (status == ADG_OK && fseeko(messages->file, body, SEEK_CUR) != 0) {
        status = adg_fail_errno(error, errno, "%s cannot be read", messages->path);
    }
    messages->left -= body;
    return status;
}

static enum adg_status check_all(struct messages *messages, struct adg_error *error)
{
    for (;;) {
        int32_t prefix[2];
        messages->header.size = 0;
        enum adg_status status = take(messages, sizeof prefix, error);
        if (status != ADG_OK) {
            return status;
        }
        memcpy(prefix, messages->header.data, sizeof prefix);
        if (prefix[0] != -1 || prefix[1] < 0 || (prefix[1] == 0 && messages->left > 0)) {
            return cut_off(messages, error);
        }
        if (prefix[1] == 0) {
            return ADG_OK;
        }
        status = take(messages, prefix[1], error);
        status = status == ADG_OK ? check_message(messages, error) : status;
        if (status != ADG_OK) {
            return status;
        }
    }
}

enum adg_status adg_messages_check(FILE *file, const char *path, struct adg_error *error)
{
    struct messages messages = {.file = file, .path = path};
    if (fseeko(file, 0, SEEK_END) != 0 || (messages.left = ftello(file)) < 0) {
        return adg_fail_errno(error, errno, "%s cannot be read", path);
    }
    rewind(file);
    if (ArrowIpcDecoderInit(&messages.decoder) != NANOARROW_OK) {
        return adg_fail_memory(error);
    }
    enum adg_status status = check_all(&messages, error);
    ArrowIpcDecoderReset(&messages.decoder);
    adg_buffer_fini(&messages.header);
    rewind(file);
    return status;
}
