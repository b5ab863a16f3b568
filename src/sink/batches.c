/*
 * Parts that are Arrow batches: see batches.h.
 */
#include "sink/batches.h"

#include <assert.h>
#include <nanoarrow/nanoarrow.h>

#include "core/memory.h"
#include "sink/arrow.h"

struct adg_sink {
    struct adg_arrow *arrow;
};

struct adg_sink_encoder {
    const struct adg_sink *sink;
    struct ArrowArray *batch; /* of the part */
};

static void batch_free(struct ArrowArray *batch)
{
    if (batch != NULL && batch->release != NULL) {
        batch->release(batch);
    }
    adg_free(batch);
}

static void batches_free(struct adg_sink *sink)
{
    if (sink != NULL) {
        adg_arrow_free(sink->arrow);
        adg_free(sink);
    }
}

static enum adg_status batches_open(const struct adg_layout *layout, enum adg_compression compression,
                                    struct adg_sink **out, struct adg_error *error)
{
    (void)compression; /* of files */
    struct adg_sink *sink = adg_alloc_zero(1, sizeof *sink);
    enum adg_status status = sink == NULL ? adg_fail_memory(error)
                                          : adg_arrow_new(layout, NULL, 0, false, &sink->arrow, error);
    if (status != ADG_OK) {
        batches_free(sink);
        return status;
    }
    *out = sink;
    return ADG_OK;
}

static enum adg_status batches_begin(struct adg_sink *sink, struct adg_buffer *out, struct adg_error *error)
{
    (void)sink;
    (void)out;
    (void)error;
    return ADG_OK;
}

static void batches_encoder_free(struct adg_sink_encoder *encoder)
{
    if (encoder != NULL) {
        batch_free(encoder->batch);
        adg_free(encoder);
    }
}

static enum adg_status batches_encoder_new(const struct adg_sink *sink, struct adg_sink_encoder **out,
                                           struct adg_error *error)
{
    struct adg_sink_encoder *encoder = adg_alloc_zero(1, sizeof *encoder);
    if (encoder == NULL) {
        return adg_fail_memory(error);
    }
    encoder->sink = sink;
    *out = encoder;
    return ADG_OK;
}

static enum adg_status batches_encode(struct adg_sink_encoder *encoder, const struct adg_block *block,
                                      struct adg_error *error)
{
    assert(encoder->batch == NULL); /* part_blocks is 1 */
    struct ArrowArray *batch = adg_alloc_zero(1, sizeof *batch);
    if (batch == NULL) {
        return adg_fail_memory(error);
    }
    enum adg_status status = adg_arrow_batch(encoder->sink->arrow, block, batch, error);
    if (status != ADG_OK) {
        batch_free(batch);
        return status;
    }
    encoder->batch = batch;
    return ADG_OK;
}

static enum adg_status batches_part_end(struct adg_sink_encoder *encoder, struct adg_sink_part *part,
                                        struct adg_error *error)
{
    (void)error;
    part->detail = encoder->batch;
    part->rows = encoder->batch != NULL ? (uint64_t)encoder->batch->length : 0;
    encoder->batch = NULL;
    return ADG_OK;
}

static enum adg_status batches_finish(struct adg_sink *sink, uint64_t offset, struct adg_buffer *out,
                                      struct adg_error *error)
{
    (void)offset;
    return batches_begin(sink, out, error);
}

static void batches_part_fini(struct adg_sink_part *part)
{
    adg_buffer_fini(&part->bytes);
    batch_free(part->detail);
    part->detail = NULL;
}

enum adg_status adg_sink_batches_schema(const struct adg_sink *sink, struct ArrowSchema *out, struct adg_error *error)
{
    return adg_arrow_schema(sink->arrow, out, error);
}

uint64_t adg_sink_batches_take(struct adg_sink_part *part, struct ArrowArray *out)
{
    struct ArrowArray *batch = part->detail;
    uint64_t bytes = 0;
    for (int64_t i = 0; i < batch->n_children; i++) {
        for (int64_t b = 0; b < batch->children[i]->n_buffers; b++) {
            bytes += (uint64_t)ArrowArrayBuffer(batch->children[i], b)->size_bytes;
        }
    }
    ArrowArrayMove(batch, out);
    return bytes;
}

const struct adg_sink_operations adg_sink_batches = {
    .extension = "arrow",
    .part_blocks = 1,
    .open = batches_open,
    .begin = batches_begin,
    .encoder_new = batches_encoder_new,
    .part_begin = adg_sink_take_nothing,
    .encode = batches_encode,
    .part_end = batches_part_end,
    .append = adg_sink_append_nothing,
    .finish = batches_finish,
    .part_fini = batches_part_fini,
    .encoder_free = batches_encoder_free,
    .free = batches_free,
};
