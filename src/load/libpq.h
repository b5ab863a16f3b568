/*
 * PostgreSQL's own client library, loaded when a table goes to a PostgreSQL and never linked. Its functions are called by the names that
 * https://www.postgresql.org/docs/current/libpq.html describes; what is declared here is the part of its interface that is used.
 */
#ifndef ADG_LOAD_LIBPQ_H
#define ADG_LOAD_LIBPQ_H

#include "core/status.h"

struct pg_conn;
struct pg_result;
struct pg_cancel;

enum { ADG_PQ_CONNECTION_OK = 0 };
enum { ADG_PQ_COMMAND_OK = 1, ADG_PQ_TUPLES_OK = 2, ADG_PQ_COPY_IN = 4 }; /* of PQresultStatus */
enum { ADG_PQ_SQLSTATE = 'C' };                                           /* of PQresultErrorField */

struct adg_libpq {
    struct pg_conn *(*PQconnectdb)(const char *conninfo);
    void (*PQfinish)(struct pg_conn *);
    int (*PQstatus)(const struct pg_conn *);
    char *(*PQerrorMessage)(const struct pg_conn *);
    int (*PQsocket)(const struct pg_conn *);
    int (*PQsetnonblocking)(struct pg_conn *, int on);
    int (*PQsendQuery)(struct pg_conn *, const char *sql);
    int (*PQflush)(struct pg_conn *);
    int (*PQconsumeInput)(struct pg_conn *);
    int (*PQisBusy)(struct pg_conn *);
    struct pg_result *(*PQgetResult)(struct pg_conn *);
    int (*PQresultStatus)(const struct pg_result *);
    char *(*PQresultErrorField)(const struct pg_result *, int field);
    int (*PQntuples)(const struct pg_result *);
    int (*PQgetisnull)(const struct pg_result *, int row, int column);
    char *(*PQgetvalue)(const struct pg_result *, int row, int column);
    void (*PQclear)(struct pg_result *);
    int (*PQputCopyData)(struct pg_conn *, const char *bytes, int size);
    int (*PQputCopyEnd)(struct pg_conn *, const char *failure);
    struct pg_cancel *(*PQgetCancel)(struct pg_conn *);
    int (*PQcancel)(struct pg_cancel *, char *message, int size);
    void (*PQfreeCancel)(struct pg_cancel *);
};

/* The library stays loaded. ADG_FAILED, with the package that holds it. Not from several threads at once. */
ADG_MUST_CHECK enum adg_status adg_libpq_load(const struct adg_libpq **out, struct adg_error *error);

#endif
