/*
 * Within the DuckDB extension: a scan over a plan, and how its blocks become DuckDB's vectors.
 */
#ifndef ADG_DUCKDB_SCAN_H
#define ADG_DUCKDB_SCAN_H

#include <duckdb_extension.h>
#include <stdatomic.h>

#include "generate/plan.h"

DUCKDB_EXTENSION_EXTERN

/* Texts as DuckDB has them, of a column with a dictionary: entry `count` is null, and empty. A long one points into the plan. */
struct scan_column {
    idx_t number;           /* in the plan; beyond its columns: the number of the row */
    duckdb_string_t *texts; /* [count + 1], or NULL */
    bool has_long;          /* some text is not inlined */
};

/* Of one query, shared by its threads. */
struct scan {
    const struct adg_plan *plan; /* held */
    bool *wanted;                /* [columns of the plan] */
    struct scan_column *columns; /* [count], in the order of the chunks */
    idx_t count;
    atomic_uint_fast64_t next_block;
};

/* `columns` are numbers of the plan's columns. NULL without memory. */
struct scan *scan_new(const struct adg_plan *plan, idx_t count, idx_t (*column)(void *context, idx_t i), void *context);
void scan_free(void *scan);

/* Puts rows first .. first + rows - 1 of a block into a chunk, which is new. */
void scan_fill(const struct scan *scan, const struct adg_block *block, uint32_t first, uint32_t rows,
               duckdb_data_chunk chunk);

/* DuckDB's type of a field; the caller destroys it. */
duckdb_logical_type scan_type(const struct adg_field *field);

#endif
