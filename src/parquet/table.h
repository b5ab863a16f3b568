/*
 * A whole small table in memory, written as Parquet and read back: what the metadata table is.
 *
 * All columns are optional; a list column has optional items (Parquet's three-level LIST). Writing is canonical: the same
 * table gives the same bytes. Reading takes what adg_parquet_table_write() writes (see docs/parquet.md for the subset) from
 * a buffer, checks every length, count and CRC before it believes it, and refuses the rest with ADG_BAD_INPUT.
 */
#ifndef ADG_PARQUET_TABLE_H
#define ADG_PARQUET_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/buffer.h"
#include "dataset/dataset.h"

struct adg_parquet_column {
    const char *name;
    enum adg_type type; /* STRING, INT32, INT64, DOUBLE or DATE */
    bool is_list;
    const uint8_t *valid; /* [rows], 1 or 0; NULL: all valid */
    const uint32_t
        *list_offsets; /* lists: [rows + 1], items of row r are list_offsets[r] .. [r+1]-1; a null row has none */
    const uint8_t *item_valid; /* lists: [items], 1 or 0; NULL: all valid */
    /* [rows], or [items] for lists; what stands at a null does not matter */
    union {
        const struct adg_span *text;
        const int32_t *i32;
        const int64_t *i64;
        const double *f64;
    } values;
};

struct adg_parquet_table {
    uint64_t rows;
    uint32_t column_count;
    const struct adg_parquet_column *columns;
    const uint64_t *
        group_ends; /* writing: the rows before which each row group ends, ascending, the last one `rows`; NULL: one for
                                   each 1,048,576 rows. Reading leaves it NULL */
    uint32_t group_count;
};

/* Appends the file to `out`. ADG_FAILED without memory. */
ADG_MUST_CHECK enum adg_status adg_parquet_table_write(const struct adg_parquet_table *table, struct adg_buffer *out,
                                                       struct adg_error *error);

/* One row group of a file. */
struct adg_parquet_group {
    uint64_t rows;
    const struct adg_span *min, *max; /* per column, as the footer says: not checked; data NULL where it does not say */
    struct adg_span footer;           /* what the footer says of it */
};

/* The row groups of a file, and the bounds of their columns, without reading any. The list lies in the arena, what it points to in `data`. */
ADG_MUST_CHECK enum adg_status adg_parquet_table_groups(const void *data, size_t size, struct adg_arena *arena,
                                                        const struct adg_parquet_group **out, uint32_t *count,
                                                        struct adg_error *error);
/* One row group, of that list, alone. All that `out` points to lies in the arena; text points into the arena too (pages are
 * decompressed). */
ADG_MUST_CHECK enum adg_status adg_parquet_table_read_group(const void *data, size_t size,
                                                            const struct adg_parquet_group *group,
                                                            struct adg_arena *arena, struct adg_parquet_table *out,
                                                            struct adg_error *error);
/* The whole file: any number of row groups and pages. */
ADG_MUST_CHECK enum adg_status adg_parquet_table_read(const void *data, size_t size, struct adg_arena *arena,
                                                      struct adg_parquet_table *out, struct adg_error *error);

#endif
