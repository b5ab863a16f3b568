/*
 * What stands around the column chunks: magic, page indexes, footer.
 *
 * The indexes of a row group are written right behind its chunks, so that only a few hundred bytes per column and row group
 * have to be kept until the end.
 */
#ifndef ADG_PARQUET_FOOTER_H
#define ADG_PARQUET_FOOTER_H

#include "parquet/chunk.h"

struct adg_parquet_leaf {
    const char *name;
    enum adg_type type;
    uint8_t precision, scale; /* decimals */
    bool is_list;             /* of optional items, three levels */
};

struct adg_parquet_footer {
    const struct adg_parquet_leaf *leaves; /* borrowed */
    uint32_t leaf_count;
    struct adg_buffer row_groups; /* RowGroup structures, in thrift */
    uint32_t row_group_count;
    uint64_t rows;
};

/* The four bytes at the beginning (and end) of a file. */
#define ADG_PARQUET_MAGIC "PAR1"
#define ADG_PARQUET_MAGIC_BYTES 4

/*
 * Notes a row group whose chunks stand in the file from `offset` on, one behind the other, and appends its column and offset
 * indexes, which follow them in the file, to `out`.
 */
ADG_MUST_CHECK enum adg_status adg_parquet_footer_add(struct adg_parquet_footer *footer,
                                                      const struct adg_parquet_chunk *chunks, uint64_t rows,
                                                      uint64_t offset, struct adg_buffer *out, struct adg_error *error);
/* Appends footer, its length and the closing magic. */
ADG_MUST_CHECK enum adg_status adg_parquet_footer_finish(struct adg_parquet_footer *footer, struct adg_buffer *out,
                                                         struct adg_error *error);
void adg_parquet_footer_fini(struct adg_parquet_footer *footer);

#endif
