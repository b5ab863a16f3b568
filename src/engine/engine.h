/*
 * Who holds source rows and answers queries: an ADBC connection (Arrow Database Connectivity 1.1), by default to DuckDB embedded
 * in this process, else to a database that target.h names. The engine's library is loaded at run time, here and nowhere else.
 *
 * Messages of an engine may quote source values, so they are never passed on: a failure names what was being done and the
 * engine's kind of error. Rows of a plain select come in the order of the files. Not thread-safe; the engine uses threads of its own.
 * While a query of a target runs, a thread looks whether the process was told to stop, and cancels it.
 */
#ifndef ADG_ENGINE_ENGINE_H
#define ADG_ENGINE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buffer.h"
#include "core/status.h"
#include "engine/target.h"

struct adg_engine;

struct adg_engine_options {
    unsigned threads;
    uint64_t memory_bytes; /* what tables and queries may hold before they spill; 0: four fifths of what there is */
    const char *folder;    /* private: tables in memory spill to it when they outgrow it; must exist */
    const char *const *readable; /* files that queries may read; nothing else is reachable */
    uint32_t readable_count;
};

ADG_MUST_CHECK enum adg_status adg_engine_open(const struct adg_engine_options *options, struct adg_engine **out,
                                               struct adg_error *error);
/*
 * A database that is there. It is only read: in a read-only transaction, or as the driver and the database's file promise it.
 * Of the options DuckDB heeds threads, memory and folder. ADG_FAILED: no driver, no server, no right.
 */
ADG_MUST_CHECK enum adg_status adg_engine_open_target(const struct adg_target *target,
                                                      const struct adg_engine_options *options, struct adg_engine **out,
                                                      struct adg_error *error);
void adg_engine_free(struct adg_engine *engine);
/* Of an engine that was opened with a target. */
const struct adg_dialect *adg_engine_dialect(const struct adg_engine *engine);
/* After a statement that failed: whether because there is no such table. Begins anew, so that others can follow. */
ADG_MUST_CHECK enum adg_status adg_engine_recover(struct adg_engine *engine, bool *no_table, struct adg_error *error);
const char *adg_engine_version(void);

/* Runs a statement that gives no rows. `doing` is for the message: "counting field ADMIMETH". */
ADG_MUST_CHECK enum adg_status adg_engine_execute(struct adg_engine *engine, const char *sql, const char *doing,
                                                  struct adg_error *error);

/* ---- rows out ---------------------------------------------------------------------------------------------------- */

struct adg_engine_result;

/* One result at a time may be open per engine. */
ADG_MUST_CHECK enum adg_status adg_engine_query(struct adg_engine *engine, const char *sql, const char *doing,
                                                struct adg_engine_result **out, struct adg_error *error);
/* Moves to the next row, the first time to the first; *has_row is false behind the last. */
ADG_MUST_CHECK enum adg_status adg_engine_next(struct adg_engine_result *result, bool *has_row,
                                               struct adg_error *error);
void adg_engine_result_free(struct adg_engine_result *result);

/* A result's columns as their names and types, without rows: for a query that need not be one that can be read here. */
enum adg_result_kind {
    ADG_COLUMN_TEXT,
    ADG_COLUMN_INT,
    ADG_COLUMN_DECIMAL,
    ADG_COLUMN_FLOAT,
    ADG_COLUMN_DOUBLE,
    ADG_COLUMN_DATE,
    ADG_COLUMN_TIMESTAMP,
    ADG_COLUMN_ZONED, /* a timestamp with a time zone */
    ADG_COLUMN_BOOLEAN,
    ADG_COLUMN_OTHER, /* nothing that a field can have */
};
ADG_MUST_CHECK enum adg_status adg_engine_describe(struct adg_engine *engine, const char *sql, const char *doing,
                                                   struct adg_engine_result **out, struct adg_error *error);
uint32_t adg_engine_column_count(const struct adg_engine_result *result);
const char *adg_engine_column(const struct adg_engine_result *result, uint32_t column, enum adg_result_kind *kind);

/* Values of the row; text is valid until the next row. Integers, dates (days), timestamps (microseconds) and booleans are
 * read as int64. The caller knows the column's type from its query. */
bool adg_engine_is_null(const struct adg_engine_result *result, uint32_t column);
int64_t adg_engine_int(const struct adg_engine_result *result, uint32_t column);
double adg_engine_double(const struct adg_engine_result *result, uint32_t column);
struct adg_span adg_engine_text(const struct adg_engine_result *result, uint32_t column);

/*
 * Batches in place of rows: the next one, *rows is 0 behind the last. Then rows first .. first + count - 1 of a column; a null
 * is a span without data, or a set flag. Each returns how many are not null; where that is 0, nothing else is filled.
 */
ADG_MUST_CHECK enum adg_status adg_engine_next_batch(struct adg_engine_result *result, uint32_t *rows,
                                                     struct adg_error *error);
uint32_t adg_engine_read_texts(const struct adg_engine_result *result, uint32_t column, uint32_t first, uint32_t count,
                               struct adg_span *out);
uint32_t adg_engine_read_ints(const struct adg_engine_result *result, uint32_t column, uint32_t first, uint32_t count,
                              int64_t *out, bool *null);
uint32_t adg_engine_read_doubles(const struct adg_engine_result *result, uint32_t column, uint32_t first,
                                 uint32_t count, double *out, bool *null);

/* Batches as Arrow has them, in place of any of the above. The caller releases what it gets; `release` is NULL behind the last. */
struct ArrowArray;
struct ArrowSchema;
ADG_MUST_CHECK enum adg_status adg_engine_schema(const struct adg_engine_result *result, struct ArrowSchema *out,
                                                 struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_engine_next_array(struct adg_engine_result *result, struct ArrowArray *out,
                                                     struct adg_error *error);

/* ---- rows in ----------------------------------------------------------------------------------------------------- */

struct ArrowArrayStream;

/*
 * A database to write to, in transactions: one is always open, and ends with commit or rollback. The driver's options are the target's; of
 * the database nothing is known but that it takes the SQL standard's create table. Of the options DuckDB heeds threads, memory and folder, which
 * need not be there. ADG_FAILED also: its driver knows no transactions.
 */
ADG_MUST_CHECK enum adg_status adg_engine_open_out(const struct adg_target *target,
                                                   const struct adg_engine_options *options, struct adg_engine **out,
                                                   struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_engine_commit(struct adg_engine *engine, struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_engine_rollback(struct adg_engine *engine, struct adg_error *error);
/* The names of a table's columns, in the arena; NULL: there is no such table. Rolls back. */
ADG_MUST_CHECK enum adg_status adg_engine_table_columns(struct adg_engine *engine, const char *table,
                                                        struct adg_arena *arena, const char *const **names,
                                                        uint32_t *count, struct adg_error *error);
/* Appends the rows of the stream, which is taken over, to a table that is there, or that is made with the stream's columns. Runs
 * until the stream ends. */
enum adg_ingest { ADG_INGEST_APPEND, ADG_INGEST_CREATE };
ADG_MUST_CHECK enum adg_status adg_engine_ingest(struct adg_engine *engine, const char *table, enum adg_ingest mode,
                                                 struct ArrowArrayStream *stream, const char *doing,
                                                 struct adg_error *error);

/* Appends a text as SQL literal, or a name as SQL identifier. */
ADG_MUST_CHECK enum adg_status adg_sql_literal(struct adg_buffer *sql, const char *text, struct adg_error *error);
/* Texts as a list of literals: ['a', 'b']. */
ADG_MUST_CHECK enum adg_status adg_sql_list(struct adg_buffer *sql, const char *const *texts, uint32_t count,
                                            struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_sql_identifier(struct adg_buffer *sql, const char *name, struct adg_error *error);
/* A Parquet file as a relation of DuckDB, with no columns but its own: read_parquet('path', ...). */
ADG_MUST_CHECK enum adg_status adg_sql_parquet(struct adg_buffer *sql, const char *path, struct adg_error *error);

#endif
