/*
 * What passes from generator to sink: a range of rows of one table as columns.
 *
 * A column is one of five kinds. NULL columns and CONSTANT columns cost nothing per row. A DICTIONARY column has one code
 * per row: codes below dictionary->count are entries, dictionary->count itself means null. A PLAIN column has a value per
 * row. A TEXTS column has texts of the block's own, of which rows may share one, and a code per row. Kind and dictionary of a
 * column are the same in every block of a plan (struct adg_layout), so a sink may prepare its dictionary pages or escaped text once.
 */
#ifndef ADG_BLOCK_BLOCK_H
#define ADG_BLOCK_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "adg.h"
#include "dataset/dataset.h"

/* Rows of a full block: a multiple of 64, the unit of random numbers. 64 KiB of codes, so a column stays in the cache. Below 2^16, so that
 * a row's number takes two bytes. */
#define ADG_BLOCK_ROWS 16384

/* Sorted, without duplicates, at least one entry: text by bytes, numbers by value. Immutable. */
struct adg_dictionary {
    enum adg_type type;
    uint32_t count;
    union {
        const int32_t *i32; /* INT32, DATE, BOOLEAN */
        const int64_t *i64; /* INT64, DECIMAL (unscaled), TIMESTAMP */
        const double *f64;  /* DOUBLE */
        struct {
            const char *bytes;
            const uint32_t *offsets; /* [count + 1]; entry i is bytes[offsets[i]] .. [offsets[i+1]-1] */
        } text;                      /* STRING */
    } values;
};

enum adg_column_kind {
    ADG_COLUMN_NULL,
    ADG_COLUMN_CONSTANT,
    ADG_COLUMN_DICTIONARY,
    ADG_COLUMN_PLAIN,
    ADG_COLUMN_TEXTS
};

/* What does not change from block to block. */
struct adg_layout_column {
    const struct adg_field *field;
    enum adg_column_kind kind;
    const struct adg_dictionary *dictionary; /* DICTIONARY; CONSTANT: one entry; else NULL */
    bool nullable;                           /* false: no row is null (DICTIONARY, PLAIN, TEXTS) */
    /* Bits that a value has which is not null, values being independent; TEXTS: that a byte has, where it is not the same in all;
     * 0: not known. */
    double entropy;
    bool runs;   /* TEXTS: never null; the code of a row is that of the row before, or one more */
    bool sparse; /* DICTIONARY: few rows have a value, and blocks tell which */
    bool unread; /* DICTIONARY: nothing else is made from it, so that a block may hand it over and forget it */
};
struct adg_layout {
    const char *table;
    uint32_t column_count;
    const struct adg_layout_column *columns; /* in the order of the definition */
};

/* The rows of a sparse column that are not null, in order, and their codes. */
struct adg_filled_rows {
    const uint16_t *rows;
    const uint32_t *codes;
    uint32_t count;
};

/* Valid until the block is generated anew or freed. */
struct adg_block_column {
    const uint32_t *codes;         /* DICTIONARY: [rows]; TEXTS: [rows] numbers of cells, ADG_NO_TEXT for null */
    struct adg_filled_rows filled; /* DICTIONARY and sparse: says what codes say */
    uint32_t cells;                /* TEXTS */
    const uint8_t *valid;          /* PLAIN: [rows] 1 or 0; NULL when not nullable */
    union {
        const int32_t *i32;
        const int64_t *i64;
        const double *f64;
        struct {
            const char *bytes;       /* ADG_TEXT_SLACK more may be read behind the last cell */
            const uint32_t *offsets; /* [rows + 1] of cells; TEXTS: [cells + 1] */
            char *head; /* = bytes where the sink may write ADG_TEXT_HEADROOM before the first cell, or NULL */
        } text;
    } values; /* PLAIN, TEXTS */
};
#define ADG_NO_TEXT ((uint32_t)INT32_MAX)

/* Text lies as Parquet stores it: a cell is the length in four bytes and the text; a null row of PLAIN takes no byte. */
enum { ADG_TEXT_LENGTH_BYTES = 4, ADG_TEXT_SLACK = 16, ADG_TEXT_HEADROOM = ADG_BLOCK_ROWS / 8 + 64 };

/* The text in a cell that is not empty: of PLAIN the cell of a row. */
static inline const char *adg_block_cell(const struct adg_block_column *column, uint32_t cell, uint32_t *size)
{
    const uint32_t *offsets = column->values.text.offsets;
    *size = offsets[cell + 1] - offsets[cell] - ADG_TEXT_LENGTH_BYTES;
    return column->values.text.bytes + offsets[cell] + ADG_TEXT_LENGTH_BYTES;
}

/* Most texts are no longer than the slack that may be read behind them, and here is written behind the copy. */
static inline void adg_text_copy(void *out, const char *text, size_t size)
{
    memcpy(out, text, ADG_TEXT_SLACK);
    for (size_t at = ADG_TEXT_SLACK; at < size; at += ADG_TEXT_SLACK) {
        memcpy((char *)out + at, text + at, ADG_TEXT_SLACK);
    }
}

struct adg_block {
    const struct adg_layout *layout;
    uint64_t first_row;               /* within the table, shards counted through */
    uint32_t rows;                    /* at most ADG_BLOCK_ROWS */
    struct adg_block_column *columns; /* [layout->column_count] */
    void *scratch;                    /* the generator's, per block */
    const void *plan;                 /* the generator's */
};

/* Is given columns one by one, each as soon as it is made and in the cache. What the block shows of it is gone afterwards. */
struct adg_column_taker {
    enum adg_status (*take)(void *context, const struct adg_block *block, uint32_t column, struct adg_error *error);
    void *context;
};

#endif
