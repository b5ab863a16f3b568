/*
 * A connection to a PostgreSQL server, through libpq.
 *
 *     adg_connection_open -> run, query ... -> adg_connection_free, which rolls back what is not committed
 *                         -> copy_begin, copy_put ..., copy_end
 *
 * Nobody waits for the server longer than until the process is told to stop (core/stop.h): then a statement is cancelled there.
 * While connecting, a message holds what libpq says. Later it is in words of our own, by the SQLSTATE, since a server's may quote values; `doing`
 * names what was being done. A connection belongs to one thread at a time.
 */
#ifndef ADG_LOAD_CONNECTION_H
#define ADG_LOAD_CONNECTION_H

#include "core/arena.h"
#include "core/status.h"
#include "load/libpq.h"

struct adg_connection;

/* ADG_FAILED: no library, no server, not accepted. */
ADG_MUST_CHECK enum adg_status adg_connection_open(const char *uri, struct adg_connection **out,
                                                   struct adg_error *error);
void adg_connection_free(struct adg_connection *connection);

/* From now on nothing is cancelled: what is tidied up when the process was told to stop. */
void adg_connection_outlive_stop(struct adg_connection *connection);

/* Statements that give no rows; several, with semicolons between, are one transaction unless they say otherwise. */
ADG_MUST_CHECK enum adg_status adg_connection_run(struct adg_connection *connection, const char *sql, const char *doing,
                                                  struct adg_error *error);

/* Rows of text: `values` [rows * columns], NULL for null, in the arena. */
struct adg_rows {
    const char **values;
    int count;
};
ADG_MUST_CHECK enum adg_status adg_connection_query(struct adg_connection *connection, const char *sql, int columns,
                                                    const char *doing, struct adg_arena *arena, struct adg_rows *rows,
                                                    struct adg_error *error);

/* COPY ... FROM STDIN. `put` fails, and has closed the
 * statement, as soon as the server has said that the rest is in vain. `end` closes what `begin` has opened:
 * all data are there; `abandon` makes the statement, and its transaction, fail. */
ADG_MUST_CHECK enum adg_status adg_connection_copy_begin(struct adg_connection *connection, const char *sql,
                                                         const char *doing, struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_connection_copy_put(struct adg_connection *connection, const void *bytes,
                                                       size_t size, const char *doing, struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_connection_copy_end(struct adg_connection *connection, const char *doing,
                                                       struct adg_error *error);
void adg_connection_copy_abandon(struct adg_connection *connection);

/* SQLSTATE of the last failure, "" when the server gave none (the connection was lost). */
const char *adg_connection_state(const struct adg_connection *connection);

#endif
