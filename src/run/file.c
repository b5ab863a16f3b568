/*
 * adg_parquet_write (include/adg.h): a range of blocks as a file of its own, on one thread, for callers that have their own way of
 * sharing work out.
 */
#include "core/file.h"
#include "adg.h"
#include "run/describe.h"
#include "run/encoding.h"
#include "run/output.h"
#include "sink/sink.h"

#define EXPORT __attribute__((visibility("default")))

struct writing {
    const struct adg_sink_operations *operations;
    struct adg_sink *sink;
    struct adg_encoding encoding;
    struct adg_atomic_file file;
    bool file_open;
    struct adg_sink_part spare; /* memory that the next part uses again */
    uint64_t rows, bytes;
};

static enum adg_status put(struct writing *writing, const struct adg_buffer *bytes, struct adg_error *error)
{
    enum adg_status status = adg_atomic_file_write(&writing->file, bytes->data, bytes->size, error);
    writing->bytes += bytes->size;
    return status;
}

static enum adg_status put_part(struct writing *writing, uint64_t first, uint64_t end, struct adg_error *error)
{
    enum adg_status status = ADG_OK;
    struct adg_sink_part part = {0};
    writing->operations->part_begin(writing->encoding.encoder, &writing->spare);
    for (uint64_t b = first; b < end && status == ADG_OK; b++) {
        uint32_t rows = 0;
        status = adg_encoding_add(&writing->encoding, b, &rows, error);
        writing->rows += rows;
    }
    if (status == ADG_OK) {
        status = writing->operations->part_end(writing->encoding.encoder, &part, error);
    }
    if (status == ADG_OK) {
        status = writing->operations->append(writing->sink, &part, writing->bytes, error);
    }
    if (status == ADG_OK) {
        status = adg_output_put_part(writing->file.fd, writing->file.path, &part, &writing->bytes, error);
    }
    writing->operations->part_fini(&writing->spare);
    writing->spare = adg_sink_part_empty(&part);
    writing->operations->part_fini(&part);
    return status;
}

static enum adg_status write_all(struct writing *writing, const struct adg_plan *plan, uint64_t first, uint64_t end,
                                 enum adg_compression compression, const char *path, struct adg_error *error)
{
    struct adg_buffer bytes = {0};
    enum adg_status status = writing->operations->open(adg_plan_layout(plan), compression, &writing->sink, error);
    if (status == ADG_OK) {
        status = adg_encoding_init(&writing->encoding, writing->operations, writing->sink, plan, error);
    }
    if (status == ADG_OK) {
        status = adg_atomic_file_open(&writing->file, path, error);
        writing->file_open = status == ADG_OK;
    }
    if (status == ADG_OK) {
        status = writing->operations->begin(writing->sink, &bytes, error);
    }
    if (status == ADG_OK) {
        status = put(writing, &bytes, error);
    }
    for (uint64_t b = first; b < end && status == ADG_OK; b += ADG_SINK_PART_BLOCKS) {
        status = put_part(writing, b, end - b < ADG_SINK_PART_BLOCKS ? end : b + ADG_SINK_PART_BLOCKS, error);
    }
    bytes.size = 0;
    if (status == ADG_OK) {
        status = writing->operations->finish(writing->sink, writing->bytes, &bytes, error);
    }
    if (status == ADG_OK) {
        status = put(writing, &bytes, error);
    }
    if (status == ADG_OK) {
        status = adg_atomic_file_commit(&writing->file, error);
    }
    adg_buffer_fini(&bytes);
    return status;
}

static enum adg_status describe(const struct writing *writing, const struct adg_layout *layout,
                                struct adg_buffer *statistics, struct adg_error *error)
{
    struct adg_described described;
    uint64_t rows;
    enum adg_status status = adg_described_init(&described, layout, error);
    if (status == ADG_OK) {
        status = adg_describe_file(&described, writing->operations, writing->sink, statistics, &rows, error);
        adg_described_fini(&described);
    }
    return status;
}

enum adg_status adg_parquet_write_described(const struct adg_plan *plan, uint64_t first_block, uint64_t end_block,
                                            enum adg_compression compression, const char *path, uint64_t *rows,
                                            uint64_t *bytes, struct adg_buffer *statistics, struct adg_error *error)
{
    struct writing writing = {.operations = adg_sink_find(ADG_FORMAT_PARQUET)};
    uint64_t end = 0;
    enum adg_status status = adg_plan_range(plan, first_block, end_block, &end, error);
    if (status == ADG_OK) {
        status = write_all(&writing, plan, first_block, end, compression, path, error);
    }
    if (status == ADG_OK && statistics != NULL) {
        status = describe(&writing, adg_plan_layout(plan), statistics, error);
    }
    writing.operations->part_fini(&writing.spare);
    if (writing.file_open) {
        adg_atomic_file_fini(&writing.file);
    }
    adg_encoding_fini(&writing.encoding);
    if (writing.sink != NULL) {
        writing.operations->free(writing.sink);
    }
    if (status == ADG_OK && rows != NULL) {
        *rows = writing.rows;
    }
    if (status == ADG_OK && bytes != NULL) {
        *bytes = writing.bytes;
    }
    return status;
}

EXPORT enum adg_status adg_parquet_write(const struct adg_plan *plan, uint64_t first_block, uint64_t end_block,
                                         enum adg_compression compression, const char *path, uint64_t *rows,
                                         uint64_t *bytes, struct adg_error *error)
{
    return adg_parquet_write_described(plan, first_block, end_block, compression, path, rows, bytes, NULL, error);
}
