/*
 * What source.c and source_table.c share: a source whose rows are being read, and its columns.
 */
#ifndef ADG_SCRAPE_SOURCE_PARTS_H
#define ADG_SCRAPE_SOURCE_PARTS_H

#include "core/arena.h"
#include "scrape/csv.h"
#include "scrape/source.h"

struct adg_source {
    const struct adg_source_files *files;
    const char *table; /* of a database, qualified; NULL: files */
    uint64_t most_rows;
    enum adg_result_kind *columns; /* of a database */
    struct adg_engine *engine;
    struct adg_arena arena;
    const char **names;
    enum adg_source_kind *kinds;
    const char **casts; /* Parquet: the type that the engine converts the column to, "": none; NULL: refused */
    uint32_t column_count;
    uint32_t *selected;
    int64_t
        *places; /* Parquet: where a selected column lies in the result; -1: the files say that it is null throughout */
    uint32_t selected_count;
    struct adg_csv *csv;
    const struct adg_span *fields; /* of the rows in hand */
    struct adg_engine_result *result;
    uint32_t batch_rows, batch_first; /* Parquet: of the engine's batch, and where the rows in hand begin in it */
    uint32_t rows;                    /* in hand */
    uint64_t row;                     /* Parquet: rows before those in hand */
    uint64_t expected_rows;           /* Parquet: that the files say they have */
    struct adg_span texts[ADG_SOURCE_ROWS];
    int64_t integers[ADG_SOURCE_ROWS];
    double numbers[ADG_SOURCE_ROWS];
    bool nulls[ADG_SOURCE_ROWS];
};

/* Copies the name of the next column. ADG_BAD_INPUT: there are `capacity` already. */
ADG_MUST_CHECK enum adg_status adg_source_add_column(struct adg_source *source, uint32_t capacity, const char *name,
                                                     size_t size, struct adg_error *error);
/* ADG_BAD_INPUT: the column's type is one that no field can have. */
ADG_MUST_CHECK enum adg_status adg_source_refuse_column(const struct adg_source *source, uint32_t column,
                                                        struct adg_error *error);
/* Of a table of a database: asks for the columns that are selected. */
ADG_MUST_CHECK enum adg_status adg_source_select_table(struct adg_source *source, struct adg_error *error);

#endif
