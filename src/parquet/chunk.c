/*
 * Column chunks: see chunk.h.
 */
#include "parquet/chunk.h"

#define ZSTD_STATIC_LINKING_ONLY /* for ZSTD_c_literalCompressionMode */
#include <libdeflate.h>
#include <zstd.h>

#include "core/memory.h"

/* A level far below zero makes steps so large that hardly anything is compared. */
enum { ZSTD_LEVEL = 1, LITERALS_LEVEL = -1000, TRIED_BYTES = 16384 };

enum adg_parquet_physical adg_parquet_physical_of(enum adg_type type)
{
    switch (type) {
    case ADG_TYPE_STRING:
        return ADG_PHYSICAL_BYTE_ARRAY;
    case ADG_TYPE_INT32:
    case ADG_TYPE_DATE:
        return ADG_PHYSICAL_INT32;
    case ADG_TYPE_INT64:
    case ADG_TYPE_DECIMAL:
    case ADG_TYPE_TIMESTAMP:
        return ADG_PHYSICAL_INT64;
    case ADG_TYPE_DOUBLE:
        return ADG_PHYSICAL_DOUBLE;
    case ADG_TYPE_BOOLEAN:
        return ADG_PHYSICAL_BOOLEAN;
    }
    return ADG_PHYSICAL_BYTE_ARRAY;
}

int adg_parquet_compare(enum adg_type type, struct adg_span left, struct adg_span right)
{
    switch (adg_parquet_physical_of(type)) {
    case ADG_PHYSICAL_INT32: {
        int32_t a, b;
        memcpy(&a, left.data, sizeof a);
        memcpy(&b, right.data, sizeof b);
        return (a > b) - (a < b);
    }
    case ADG_PHYSICAL_INT64: {
        int64_t a, b;
        memcpy(&a, left.data, sizeof a);
        memcpy(&b, right.data, sizeof b);
        return (a > b) - (a < b);
    }
    case ADG_PHYSICAL_DOUBLE: {
        double a, b;
        memcpy(&a, left.data, sizeof a);
        memcpy(&b, right.data, sizeof b);
        return (a > b) - (a < b);
    }
    case ADG_PHYSICAL_BOOLEAN:
    case ADG_PHYSICAL_BYTE_ARRAY:
        break;
    }
    return adg_span_compare(left, right);
}

enum adg_status adg_parquet_compressor_init(struct adg_parquet_compressor *compressor, struct adg_error *error)
{
    *compressor = (struct adg_parquet_compressor){.context = ZSTD_createCCtx()};
    return compressor->context != NULL ? ADG_OK : adg_fail_memory(error);
}

void adg_parquet_compressor_fini(struct adg_parquet_compressor *compressor)
{
    ZSTD_freeCCtx(compressor->context);
    adg_buffer_fini(&compressor->body);
    *compressor = (struct adg_parquet_compressor){0};
}

void adg_parquet_chunk_begin(struct adg_parquet_chunk *chunk, enum adg_type type, enum adg_parquet_effort effort,
                             struct adg_parquet_compressor *compressor)
{
    adg_arena_fini(&chunk->arena);
    *chunk = (struct adg_parquet_chunk){.bytes = chunk->bytes,
                                        .effort = effort,
                                        .type = type,
                                        .bounds_complete = true,
                                        .pages = chunk->pages,
                                        .page_capacity = chunk->page_capacity,
                                        .compressor = compressor};
    chunk->bytes.size = 0;
}

void adg_parquet_chunk_take(struct adg_parquet_chunk *chunk, struct adg_parquet_chunk *out)
{
    *out = *chunk;
    out->bytes = (struct adg_buffer){0};
    *chunk = (struct adg_parquet_chunk){.bytes = chunk->bytes};
}

void adg_parquet_chunk_fini(struct adg_parquet_chunk *chunk)
{
    adg_buffer_fini(&chunk->bytes);
    adg_arena_fini(&chunk->arena);
    adg_free(chunk->pages);
    *chunk = (struct adg_parquet_chunk){0};
}

/* Parameters stay with the compressor, and most pages want those of the page before. */
static size_t set_effort(ZSTD_CCtx *compressor, enum adg_parquet_effort effort)
{
    bool literals = effort == ADG_EFFORT_LITERALS;
    size_t level = ZSTD_CCtx_setParameter(compressor, ZSTD_c_compressionLevel, literals ? LITERALS_LEVEL : ZSTD_LEVEL);
    size_t mode = ZSTD_CCtx_setParameter(compressor, ZSTD_c_literalCompressionMode,
                                         literals ? ZSTD_ps_enable : ZSTD_ps_auto);
    return ZSTD_isError(level) ? level : mode;
}

static enum adg_status compress_body(struct adg_parquet_compressor *compressor, enum adg_parquet_effort effort,
                                     struct adg_span body, struct adg_error *error)
{
    struct adg_buffer *out = &compressor->body;
    out->size = 0;
    enum adg_status status = adg_buffer_reserve(out, ZSTD_compressBound(body.size), error);
    if (status == ADG_OK) {
        size_t size = set_effort(compressor->context, effort);
        if (!ZSTD_isError(size)) {
            size = ZSTD_compress2(compressor->context, out->data, out->capacity, body.data, body.size);
        }
        if (ZSTD_isError(size)) {
            return adg_fail(error, ADG_FAILED, "zstd: %s", ZSTD_getErrorName(size));
        }
        out->size = size;
    }
    return status;
}

bool adg_parquet_compresses(struct adg_parquet_compressor *compressor, struct adg_span bytes)
{
    bytes.size = bytes.size < TRIED_BYTES ? bytes.size : TRIED_BYTES;
    return compress_body(compressor, ADG_EFFORT_LITERALS, bytes, NULL) == ADG_OK &&
           4 * compressor->body.size < 3 * bytes.size;
}

/* Header and (compressed) body behind what the chunk has. `values` are the entries of a dictionary page. */
static enum adg_status append_page(struct adg_parquet_chunk *chunk, enum adg_parquet_page_type type,
                                   struct adg_span body, uint32_t values, enum adg_parquet_encoding encoding,
                                   bool sorted, uint32_t *bytes, struct adg_error *error)
{
    struct adg_span stored = body;
    if (body.size > INT32_MAX) {
        return adg_fail(error, ADG_FAILED, "a page of 2 GiB and more cannot be written");
    }
    if (chunk->effort != ADG_EFFORT_NONE) {
        enum adg_status status = compress_body(chunk->compressor, chunk->effort, body, error);
        if (status != ADG_OK) {
            return status;
        }
        stored = (struct adg_span){chunk->compressor->body.data, chunk->compressor->body.size};
    }
    size_t before = chunk->bytes.size;
    struct adg_thrift_writer writer = {.out = &chunk->bytes};
    adg_thrift_begin(&writer);
    adg_thrift_i32(&writer, 1, (int32_t)type);
    adg_thrift_i32(&writer, 2, (int32_t)body.size);
    adg_thrift_i32(&writer, 3, (int32_t)stored.size);
    adg_thrift_i32(&writer, 4, (int32_t)(uint32_t)libdeflate_crc32(0, stored.data, stored.size));
    chunk->encodings |= UINT32_C(1) << (type == ADG_PAGE_DATA ? encoding : ADG_ENCODING_PLAIN) |
                        UINT32_C(1) << ADG_ENCODING_RLE;
    if (type == ADG_PAGE_DATA) {
        adg_thrift_struct_field(&writer, 5);
        adg_thrift_begin(&writer);
        adg_thrift_i32(&writer, 1, (int32_t)values);
        adg_thrift_i32(&writer, 2, (int32_t)encoding);
        adg_thrift_i32(&writer, 3, ADG_ENCODING_RLE);
        adg_thrift_i32(&writer, 4, ADG_ENCODING_RLE);
        adg_thrift_end(&writer);
    } else {
        adg_thrift_struct_field(&writer, 7);
        adg_thrift_begin(&writer);
        adg_thrift_i32(&writer, 1, (int32_t)values);
        adg_thrift_i32(&writer, 2, ADG_ENCODING_PLAIN);
        adg_thrift_bool(&writer, 3, sorted);
        adg_thrift_end(&writer);
    }
    adg_thrift_end(&writer);
    if (writer.status != ADG_OK) {
        return adg_fail_memory(error);
    }
    size_t header = chunk->bytes.size - before;
    enum adg_status status = adg_buffer_append(&chunk->bytes, stored.data, stored.size, error);
    if (status == ADG_OK) {
        *bytes = (uint32_t)(header + stored.size);
        chunk->stored_bytes += *bytes;
        chunk->uncompressed_bytes += header + body.size;
    }
    return status;
}

enum adg_status adg_parquet_chunk_dictionary(struct adg_parquet_chunk *chunk, struct adg_span body, uint32_t entries,
                                             bool sorted, struct adg_error *error)
{
    const size_t before = chunk->bytes.size;
    uint32_t bytes = 0;
    enum adg_status status = append_page(chunk, ADG_PAGE_DICTIONARY, body, entries, ADG_ENCODING_PLAIN, sorted, &bytes,
                                         error);
    if (status == ADG_OK && before > 0) {
        status = adg_buffer_reserve(&chunk->bytes, bytes, error);
    }
    if (status != ADG_OK) {
        return status;
    }
    if (before > 0) { /* all moves up, and what has become the end is put into the gap */
        memmove(chunk->bytes.data + bytes, chunk->bytes.data, chunk->bytes.size);
        memcpy(chunk->bytes.data, chunk->bytes.data + chunk->bytes.size, bytes);
    }
    for (uint32_t i = 0; i < chunk->page_count; i++) {
        chunk->pages[i].offset += bytes;
    }
    chunk->dictionary_bytes = bytes;
    return ADG_OK;
}

static bool copy_bounds(struct adg_parquet_chunk *chunk, const struct adg_parquet_bounds *bounds,
                        struct adg_parquet_bounds *copy)
{
    char *min = adg_arena_strndup(&chunk->arena, (const char *)bounds->min.data, bounds->min.size);
    char *max = adg_arena_strndup(&chunk->arena, (const char *)bounds->max.data, bounds->max.size);
    *copy = (struct adg_parquet_bounds){
        true, {(const uint8_t *)min, bounds->min.size}, {(const uint8_t *)max, bounds->max.size}};
    return min != NULL && max != NULL;
}

enum adg_status adg_parquet_chunk_page(struct adg_parquet_chunk *chunk, struct adg_span body, uint32_t values,
                                       uint32_t rows, uint32_t nulls, enum adg_parquet_encoding encoding,
                                       const struct adg_parquet_bounds *bounds, struct adg_error *error)
{
    if (chunk->page_count == chunk->page_capacity) {
        uint32_t capacity = chunk->page_capacity == 0 ? 8 : 2 * chunk->page_capacity;
        struct adg_parquet_page *pages = adg_realloc_array(chunk->pages, capacity, sizeof *pages);
        if (pages == NULL) {
            return adg_fail_memory(error);
        }
        chunk->pages = pages;
        chunk->page_capacity = capacity;
    }
    struct adg_parquet_page page = {.offset = chunk->bytes.size, .rows = rows, .nulls = nulls};
    enum adg_status status = append_page(chunk, ADG_PAGE_DATA, body, values, encoding, false, &page.bytes, error);
    if (status != ADG_OK) {
        return status;
    }
    bool known = bounds->known && bounds->min.size <= ADG_PARQUET_BOUND_BYTES &&
                 bounds->max.size <= ADG_PARQUET_BOUND_BYTES;
    if (known) {
        if (!copy_bounds(chunk, bounds, &page.bounds)) {
            return adg_fail_memory(error);
        }
        if (!chunk->bounds.known) {
            chunk->bounds = page.bounds;
        }
        if (adg_parquet_compare(chunk->type, page.bounds.min, chunk->bounds.min) < 0) {
            chunk->bounds.min = page.bounds.min;
        }
        if (adg_parquet_compare(chunk->type, page.bounds.max, chunk->bounds.max) > 0) {
            chunk->bounds.max = page.bounds.max;
        }
    } else if (nulls < values) {
        chunk->bounds_complete = false;
    }
    chunk->values += values;
    chunk->nulls += nulls;
    chunk->pages[chunk->page_count++] = page;
    return ADG_OK;
}
