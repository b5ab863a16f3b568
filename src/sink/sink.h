/*
 * Blocks in, bytes out. One interface for all formats.
 *
 * A file is cut into parts (for Parquet row groups, for CSV just runs of rows): a run of consecutive blocks. Parts are encoded
 * on any thread, each by an encoder of its own, and appended to the file in order by one thread at a time:
 *
 *     sink->begin                           once per file: what comes before the first part; another file may follow
 *     encoder: part_begin, block..., part_end -> adg_sink_part  (any thread)
 *     sink->append(part)                    in order of parts
 *     sink->finish                          what comes after the last part
 *
 * begin and finish put bytes into a buffer, append into the part's, which the caller writes to the file and empties. A sink knows nothing
 * of threads, files, or the generator.
 */
#ifndef ADG_SINK_SINK_H
#define ADG_SINK_SINK_H

#include <stdint.h>

#include "block/block.h"
#include "core/buffer.h"

enum adg_format {
    ADG_FORMAT_PARQUET,
    ADG_FORMAT_CSV,
    ADG_FORMAT_ARROW,
    ADG_FORMAT_DELTA /* Parquet files, which a log beside them makes a table */
};

/* Blocks in a part where the format does not say otherwise: 131,072 rows. */
#define ADG_SINK_PART_BLOCKS 8

struct adg_sink_part {
    struct adg_buffer *pieces; /* [piece_count] as they will stand in the file, one behind the other */
    uint32_t piece_count;
    struct adg_buffer bytes; /* and behind them */
    void *detail;            /* the format's own: where the chunks begin, their statistics */
    uint64_t rows;
};

/* What is known of a column of a file that is finished. */
struct adg_sink_statistics {
    uint64_t rows, nulls;
    bool known;               /* the bounds; not when all is null */
    struct adg_span min, max; /* little-endian numbers as Parquet has the type, text; until the next begin */
};

struct adg_sink;         /* of one file at a time */
struct adg_sink_encoder; /* of one thread */

struct adg_sink_operations {
    const char *extension; /* "parquet" */
    uint32_t part_blocks;  /* 0: ADG_SINK_PART_BLOCKS */
    enum adg_status (*open)(const struct adg_layout *layout, enum adg_compression compression, struct adg_sink **out,
                            struct adg_error *error);
    enum adg_status (*begin)(struct adg_sink *sink, struct adg_buffer *out, struct adg_error *error);
    enum adg_status (*encoder_new)(const struct adg_sink *sink, struct adg_sink_encoder **out, struct adg_error *error);
    /* A column that the block to be encoded next hands over before (struct adg_column_taker); left out: the format wants all of a row. */
    enum adg_status (*encode_column)(struct adg_sink_encoder *encoder, const struct adg_block *block, uint32_t column,
                                     struct adg_error *error);
    enum adg_status (*encode)(struct adg_sink_encoder *encoder, const struct adg_block *block, struct adg_error *error);
    /* Memory for the part that comes next, from adg_sink_part_empty(): the encoder takes what it can use of it. The call may be
     * left out. */
    void (*part_begin)(struct adg_sink_encoder *encoder, struct adg_sink_part *memory);
    /* Ends the part: `part`, which is empty, takes over its bytes; the encoder is ready for the next one. */
    enum adg_status (*part_end)(struct adg_sink_encoder *encoder, struct adg_sink_part *part, struct adg_error *error);
    /* Notes the part as next in the file, at byte `offset`; its bytes are then written as they are. */
    enum adg_status (*append)(struct adg_sink *sink, struct adg_sink_part *part, uint64_t offset,
                              struct adg_error *error);
    enum adg_status (*finish)(struct adg_sink *sink, uint64_t offset, struct adg_buffer *out, struct adg_error *error);
    /* NULL: the format has none. */
    void (*statistics)(const struct adg_sink *sink, uint32_t column, struct adg_sink_statistics *out);
    void (*part_fini)(struct adg_sink_part *part); /* bytes and detail; accepts a zeroed part */
    void (*encoder_free)(struct adg_sink_encoder *encoder);
    void (*free)(struct adg_sink *sink);
};

/* What was written becomes memory for the next part, of this table or another. Details stay in `part`, which is still to be finished. */
struct adg_sink_part adg_sink_part_empty(struct adg_sink_part *part);

/* The `part_begin` of formats whose parts leave no memory, and the `append` of those that have nothing to note. */
void adg_sink_take_nothing(struct adg_sink_encoder *encoder, struct adg_sink_part *memory);
enum adg_status adg_sink_append_nothing(struct adg_sink *sink, struct adg_sink_part *part, uint64_t offset,
                                        struct adg_error *error);

const struct adg_sink_operations *adg_sink_find(enum adg_format format);
extern const struct adg_sink_operations adg_sink_parquet, adg_sink_csv, adg_sink_arrow;
/* CSV as COPY ... FROM STDIN (FORMAT csv) of PostgreSQL reads it: without names of columns, an empty text in quotes. */
extern const struct adg_sink_operations adg_sink_copy;

#endif
