/*
 * Where the rows of a table are, and reading a few of them at a time, whatever holds them: a CSV file (plain or gzip), a Parquet file, a
 * folder of Parquet parts, a Delta table, a table of a database. Sources are only read.
 */
#ifndef ADG_SCRAPE_SOURCE_H
#define ADG_SCRAPE_SOURCE_H

#include "engine/engine.h"
#include "scrape/value.h"

enum adg_source_format { ADG_SOURCE_CSV, ADG_SOURCE_PARQUET, ADG_SOURCE_DELTA };

/* The files of one table. */
struct adg_source_files {
    enum adg_source_format format;
    const char **paths; /* absolute; CSV: one; Delta: the folder, until its log has been read (delta.h) */
    uint32_t count;
};

/*
 * Finds table `table` in folder `folder` as T.parquet, T/ *.parquet, T.csv or T.csv.gz, or at `path` where that is not NULL.
 * *found is false when there is nothing. Memory is taken from the arena. ADG_BAD_INPUT: `path` is missing or of no known kind.
 */
ADG_MUST_CHECK enum adg_status adg_source_find(const char *folder, const char *table, const char *path,
                                               struct adg_arena *arena, struct adg_source_files *out, bool *found,
                                               struct adg_error *error);

struct adg_source;

/* Opens the files; the engine reads Parquet. Two columns whose names differ only in case are refused. */
ADG_MUST_CHECK enum adg_status adg_source_open(const struct adg_source_files *files, struct adg_engine *engine,
                                               struct adg_source **out, struct adg_error *error);
/* A table of a database that the engine was opened with, by its qualified name: at most `rows` of its rows, whichever come.
 * ADG_BAD_INPUT: there is no such table. */
ADG_MUST_CHECK enum adg_status adg_source_open_table(const char *table, uint64_t rows, struct adg_engine *engine,
                                                     struct adg_source **out, struct adg_error *error);
void adg_source_free(struct adg_source *source);

uint32_t adg_source_column_count(const struct adg_source *source);
const char *adg_source_column(const struct adg_source *source, uint32_t column);

/* Before the first row: only these columns will be read, in this order. */
ADG_MUST_CHECK enum adg_status adg_source_select(struct adg_source *source, const uint32_t *columns, uint32_t count,
                                                 struct adg_error *error);
/* The next rows, at most ADG_SOURCE_ROWS; *rows is 0 behind the last. */
#define ADG_SOURCE_ROWS 256
ADG_MUST_CHECK enum adg_status adg_source_next(struct adg_source *source, uint32_t *rows, struct adg_error *error);

/* A selected column of these rows, valid until the next column or rows. */
struct adg_source_cells {
    enum adg_source_kind kind;
    uint32_t filled;              /* rows that are not null; 0: nothing else is set */
    const struct adg_span *texts; /* TEXT, DECIMAL; no data: null */
    const int64_t *integers;      /* INT, DATE, TIMESTAMP, BOOLEAN; with nulls */
    const double *numbers;        /* DOUBLE; with nulls */
    const bool *nulls;
};
void adg_source_read(struct adg_source *source, uint32_t selected, struct adg_source_cells *out);
/* One of them. */
struct adg_source_value adg_source_cell(const struct adg_source_cells *cells, uint32_t row);

/* "line" for CSV, else "row"; and its number, from 1, of one of the rows. */
const char *adg_source_position_word(const struct adg_source *source);
uint64_t adg_source_position(const struct adg_source *source, uint32_t row);
const char *adg_source_name(const struct adg_source *source); /* the file, or the folder's first file */

#endif
