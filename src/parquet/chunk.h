/*
 * A column chunk: pages with their headers, checksums and statistics, and what the footer and the page index say of them.
 *
 * Order of calls: adg_parquet_chunk_begin, adg_parquet_chunk_page for every data page, and perhaps adg_parquet_chunk_dictionary,
 * before the first of these pages or after the last.
 * The bytes are then in `bytes`; everything else stays until the next begin. Format: apache/parquet-format, parquet.thrift,
 * Encodings.md, PageIndex.md.
 */
#ifndef ADG_PARQUET_CHUNK_H
#define ADG_PARQUET_CHUNK_H

#include <stdbool.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/buffer.h"
#include "dataset/dataset.h"
#include "parquet/thrift.h"

/* parquet.thrift: Type, Encoding, CompressionCodec, PageType */
enum adg_parquet_physical {
    ADG_PHYSICAL_BOOLEAN = 0,
    ADG_PHYSICAL_INT32 = 1,
    ADG_PHYSICAL_INT64 = 2,
    ADG_PHYSICAL_DOUBLE = 5,
    ADG_PHYSICAL_BYTE_ARRAY = 6
};
enum adg_parquet_encoding {
    ADG_ENCODING_PLAIN = 0,
    ADG_ENCODING_RLE = 3,
    ADG_ENCODING_DELTA_BINARY_PACKED = 5,
    ADG_ENCODING_DELTA_BYTE_ARRAY = 7,
    ADG_ENCODING_RLE_DICTIONARY = 8
};
enum adg_parquet_codec { ADG_CODEC_UNCOMPRESSED = 0, ADG_CODEC_ZSTD = 6 };
enum adg_parquet_page_type { ADG_PAGE_DATA = 0, ADG_PAGE_DICTIONARY = 2 };

enum adg_parquet_physical adg_parquet_physical_of(enum adg_type type);

/* Smallest and largest value in PLAIN encoding without length prefix. No bounds: size 0 and NULL (all null, or too long). */
struct adg_parquet_bounds {
    bool known;
    struct adg_span min, max;
};
/* Values longer than this get no statistics. */
enum { ADG_PARQUET_BOUND_BYTES = 256 };

struct adg_parquet_page {
    uint64_t offset; /* in the chunk */
    uint32_t bytes;  /* with header */
    uint32_t rows;
    uint32_t nulls;
    struct adg_parquet_bounds bounds; /* in the chunk's arena */
};

/* How bytes become smaller: not at all; by zstd that looks for no repetitions, but gives frequent bytes shorter codes, which is fast and
 * all there is to gain where values are independent; by zstd, level 1. */
enum adg_parquet_effort { ADG_EFFORT_NONE, ADG_EFFORT_LITERALS, ADG_EFFORT_REPETITIONS };

/* What one thread compresses with, one page at a time. */
struct adg_parquet_compressor {
    void *context;          /* ZSTD_CCtx */
    struct adg_buffer body; /* compressed, until the next */
};
ADG_MUST_CHECK enum adg_status adg_parquet_compressor_init(struct adg_parquet_compressor *compressor,
                                                           struct adg_error *error);
void adg_parquet_compressor_fini(struct adg_parquet_compressor *compressor); /* accepts a zeroed one */

struct adg_parquet_chunk {
    struct adg_buffer bytes;
    enum adg_parquet_effort effort;
    enum adg_type type;
    uint32_t encodings;               /* a bit for each that a page has */
    int64_t dictionary_bytes;         /* of the dictionary page, with header; 0: none */
    uint64_t stored_bytes;            /* of all pages, with headers */
    uint64_t uncompressed_bytes;      /* the same before compression */
    uint64_t values, nulls;           /* nulls count as values, as Parquet has it */
    struct adg_parquet_bounds bounds; /* of the whole chunk */
    bool bounds_complete;             /* every page that is not all null has bounds */
    struct adg_parquet_page *pages;
    uint32_t page_count, page_capacity;
    struct adg_arena arena;
    struct adg_parquet_compressor *compressor; /* borrowed */
};

/* Empties the chunk and keeps its memory. */
void adg_parquet_chunk_begin(struct adg_parquet_chunk *chunk, enum adg_type type, enum adg_parquet_effort effort,
                             struct adg_parquet_compressor *compressor);
/* Stands in front of the pages that are there already. */
ADG_MUST_CHECK enum adg_status adg_parquet_chunk_dictionary(struct adg_parquet_chunk *chunk, struct adg_span body,
                                                            uint32_t entries, bool sorted, struct adg_error *error);
/* `body`: levels and values. `values` counts nulls; `rows` is the same for a flat column. Bounds are copied. */
ADG_MUST_CHECK enum adg_status adg_parquet_chunk_page(struct adg_parquet_chunk *chunk, struct adg_span body,
                                                      uint32_t values, uint32_t rows, uint32_t nulls,
                                                      enum adg_parquet_encoding encoding,
                                                      const struct adg_parquet_bounds *bounds, struct adg_error *error);
/* Moves what the footer needs (pages, statistics, sizes) to `out` and leaves the bytes, whose memory serves the next chunk. */
void adg_parquet_chunk_take(struct adg_parquet_chunk *chunk, struct adg_parquet_chunk *out);
void adg_parquet_chunk_fini(struct adg_parquet_chunk *chunk);

/* Whether ADG_EFFORT_LITERALS takes a quarter or more off the first 16 KiB of these bytes: less is not worth its time. */
bool adg_parquet_compresses(struct adg_parquet_compressor *compressor, struct adg_span bytes);

/* Compares two values in PLAIN encoding: numbers by value, text by bytes. */
int adg_parquet_compare(enum adg_type type, struct adg_span left, struct adg_span right);

#endif
