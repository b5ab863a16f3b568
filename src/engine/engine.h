/*
 * Who holds source rows and answers queries: an ADBC connection (Arrow Database Connectivity 1.1), by default to DuckDB embedded
 * in this process. The engine's library is loaded at run time, here and nowhere else.
 *
 * Messages of an engine may quote source values, so they are never passed on: a failure names what was being done and the
 * engine's kind of error. Rows come in no order but that of a query's "order by". Not thread-safe; the engine uses threads of its own.
 */
#ifndef ADG_ENGINE_ENGINE_H
#define ADG_ENGINE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buffer.h"
#include "core/status.h"

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
void adg_engine_free(struct adg_engine *engine);
const char *adg_engine_version(void);

/* Runs a statement that gives no rows. `doing` is for the message: "counting field ADMIMETH". */
ADG_MUST_CHECK enum adg_status adg_engine_execute(struct adg_engine *engine, const char *sql, const char *doing,
                                                  struct adg_error *error);

/* ---- rows out ---------------------------------------------------------------------------------------------------- */

struct adg_engine_result;

/* One result at a time may be open per engine, besides one ingest. */
ADG_MUST_CHECK enum adg_status adg_engine_query(struct adg_engine *engine, const char *sql, const char *doing,
                                                struct adg_engine_result **out, struct adg_error *error);
/* Moves to the next row, the first time to the first; *has_row is false behind the last. */
ADG_MUST_CHECK enum adg_status adg_engine_next(struct adg_engine_result *result, bool *has_row,
                                               struct adg_error *error);
void adg_engine_result_free(struct adg_engine_result *result);

/* Values of the row; text is valid until the next row. Integers, dates (days), timestamps (microseconds) and booleans are
 * read as int64. The caller knows the column's type from its query. */
bool adg_engine_is_null(const struct adg_engine_result *result, uint32_t column);
int64_t adg_engine_int(const struct adg_engine_result *result, uint32_t column);
double adg_engine_double(const struct adg_engine_result *result, uint32_t column);
struct adg_span adg_engine_text(const struct adg_engine_result *result, uint32_t column);

/* ---- rows in ----------------------------------------------------------------------------------------------------- */

enum adg_engine_type { ADG_ENGINE_INT, ADG_ENGINE_DOUBLE, ADG_ENGINE_TEXT };

struct adg_engine_column {
    const char *name;
    enum adg_engine_type type;
};

struct adg_engine_batch;

/* Each appends to the row in hand, which every column must be given once before the row ends. */
ADG_MUST_CHECK enum adg_status adg_engine_put_null(struct adg_engine_batch *batch, uint32_t column,
                                                   struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_engine_put_int(struct adg_engine_batch *batch, uint32_t column, int64_t value,
                                                  struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_engine_put_double(struct adg_engine_batch *batch, uint32_t column, double value,
                                                     struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_engine_put_text(struct adg_engine_batch *batch, uint32_t column,
                                                   struct adg_span text, struct adg_error *error);

/* Gives one row; *end instead when there is none left. */
typedef enum adg_status (*adg_engine_row)(void *context, struct adg_engine_batch *batch, bool *end,
                                          struct adg_error *error);

/* Creates table `table` and fills it with the rows that `next` gives. A failure of `next` comes back as it is. */
ADG_MUST_CHECK enum adg_status adg_engine_ingest(struct adg_engine *engine, const char *table,
                                                 const struct adg_engine_column *columns, uint32_t column_count,
                                                 adg_engine_row next, void *context, struct adg_error *error);

/* Appends a text as SQL literal, or a name as SQL identifier. */
ADG_MUST_CHECK enum adg_status adg_sql_literal(struct adg_buffer *sql, const char *text, struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_sql_identifier(struct adg_buffer *sql, const char *name, struct adg_error *error);

#endif
