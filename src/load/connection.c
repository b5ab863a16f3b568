/*
 * Connections to PostgreSQL: see connection.h.
 *
 * libpq is used without blocking: whatever waits, waits in wait_for(), which looks at the flag that a signal raises.
 */
#include "load/connection.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "core/stop.h"

enum { LOOK_MS = 100, PATIENCE = 50 /* looks, once a statement has been cancelled */, PUT_BYTES = 1 << 20 };

struct adg_connection {
    const struct adg_libpq *libpq;
    struct pg_conn *pg;
    bool outlives_stop;
    char state[6];
};

static bool stops(const struct adg_connection *connection)
{
    return !connection->outlives_stop && adg_stop_requested();
}

/* ---- what failed ------------------------------------------------------------------------------------------------- */

/* By the beginning of the SQLSTATE; the first that fits. */
static const struct {
    const char *state, *words;
} reasons[] = {
    {"08", "the connection to the server was lost"},
    {"22021", "the database's encoding does not have all characters of the data"},
    {"22P05", "the database's encoding does not have all characters of the data"},
    {"22", "a column does not take the values that the definition's type has"},
    {"23505", "a unique key of the table has such values already; another --seed gives other keys"},
    {"23", "a constraint of the table refuses the rows"},
    {"25006", "the database is only to be read"},
    {"2BP01", "something else in the database, such as a view, rests on the old table"},
    {"3F000", "there is no such schema"},
    {"40", "the server broke the transaction off, because of another one"},
    {"42501", "the user has no right to do it"},
    {"42P01", "the table is gone"},
    {"42P07", "another table of this name has appeared meanwhile"},
    {"42710", "another object of this name has appeared meanwhile"},
    {"53100", "the server's disk is full"},
    {"53200", "the server's memory is used up"},
    {"53300", "the server takes no more connections"},
    {"54011", "the table has more columns than the server allows"},
    {"54", "the table goes beyond a limit of the server"},
    {"55P03", "somebody else holds the table"},
    {"57014", "it was cancelled at the server, or took longer than the server allows"},
    {"57P", "the connection to the server was lost"},
    {"58", "the server has trouble with its disk"},
    {"XX", "the server found something broken in itself"},
};

/* `result` NULL: there was none. */
static enum adg_status refused(struct adg_connection *connection, const struct pg_result *result, const char *doing,
                               struct adg_error *error)
{
    const char *state = result != NULL ? connection->libpq->PQresultErrorField(result, ADG_PQ_SQLSTATE) : NULL;
    snprintf(connection->state, sizeof connection->state, "%s", state != NULL ? state : "");
    enum adg_status status = adg_stop_check(error);
    if (status != ADG_OK) {
        return status;
    }
    if (connection->state[0] == '\0') {
        return adg_fail(error, ADG_FAILED, "%s: the connection to the server was lost", doing);
    }
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if (strncmp(connection->state, reasons[i].state, strlen(reasons[i].state)) == 0) {
            return adg_fail(error, ADG_FAILED, "%s: %s", doing, reasons[i].words);
        }
    }
    return adg_fail(error, ADG_FAILED, "%s: the server refuses it (SQLSTATE %s)", doing, connection->state);
}

const char *adg_connection_state(const struct adg_connection *connection)
{
    return connection->state;
}

/* ---- waiting ----------------------------------------------------------------------------------------------------- */

/* Until the socket is ready for one of the events, or a look later. */
static int wait_for(const struct adg_connection *connection, int events)
{
    struct pollfd descriptor = {.fd = connection->libpq->PQsocket(connection->pg), .events = (short)events};
    return descriptor.fd >= 0 && poll(&descriptor, 1, LOOK_MS) > 0 ? descriptor.revents : 0;
}

static void cancel(struct adg_connection *connection)
{
    char message[256];
    struct pg_cancel *request = connection->libpq->PQgetCancel(connection->pg);
    if (request != NULL) {
        connection->libpq->PQcancel(request, message, sizeof message);
        connection->libpq->PQfreeCancel(request);
    }
}

/* Sends what is buffered and waits until a result can be taken without blocking; false: the connection is lost, or a statement did
 * not end when it was cancelled. */
static bool settle(struct adg_connection *connection)
{
    const struct adg_libpq *libpq = connection->libpq;
    int unsent, looks = 0;
    bool cancelled = false;
    while ((unsent = libpq->PQflush(connection->pg)) > 0 || (unsent == 0 && libpq->PQisBusy(connection->pg) != 0)) {
        if (stops(connection) && !cancelled) {
            cancel(connection);
            cancelled = true;
        }
        if (cancelled && ++looks > PATIENCE) {
            return false;
        }
        if ((wait_for(connection, unsent > 0 ? POLLIN | POLLOUT : POLLIN) & ~POLLOUT) != 0 &&
            libpq->PQconsumeInput(connection->pg) == 0) {
            return false;
        }
    }
    return unsent == 0;
}

/* The last result of what was sent, which is the first that failed where one did; NULL: the connection is lost. */
static struct pg_result *take_result(struct adg_connection *connection)
{
    const struct adg_libpq *libpq = connection->libpq;
    struct pg_result *last = NULL;
    while (settle(connection)) {
        struct pg_result *result = libpq->PQgetResult(connection->pg);
        if (result == NULL) {
            return last;
        }
        libpq->PQclear(last);
        last = result;
        if (libpq->PQresultStatus(last) == ADG_PQ_COPY_IN) {
            return last;
        }
    }
    libpq->PQclear(last);
    return NULL;
}

static struct pg_result *send(struct adg_connection *connection, const char *sql)
{
    return connection->libpq->PQsendQuery(connection->pg, sql) != 0 ? take_result(connection) : NULL;
}

/* ---- statements -------------------------------------------------------------------------------------------------- */

static enum adg_status run(struct adg_connection *connection, const char *sql, int expected, const char *doing,
                           struct adg_error *error)
{
    struct pg_result *result = send(connection, sql);
    enum adg_status status = result != NULL && connection->libpq->PQresultStatus(result) == expected
                                 ? ADG_OK
                                 : refused(connection, result, doing, error);
    connection->libpq->PQclear(result);
    return status;
}

enum adg_status adg_connection_run(struct adg_connection *connection, const char *sql, const char *doing,
                                   struct adg_error *error)
{
    return run(connection, sql, ADG_PQ_COMMAND_OK, doing, error);
}

enum adg_status adg_connection_query(struct adg_connection *connection, const char *sql, int columns, const char *doing,
                                     struct adg_arena *arena, struct adg_rows *rows, struct adg_error *error)
{
    const struct adg_libpq *libpq = connection->libpq;
    struct pg_result *result = send(connection, sql);
    enum adg_status status = result != NULL && libpq->PQresultStatus(result) == ADG_PQ_TUPLES_OK
                                 ? ADG_OK
                                 : refused(connection, result, doing, error);
    if (status == ADG_OK) {
        int count = libpq->PQntuples(result);
        const char **values = adg_arena_array(arena, (size_t)count * (size_t)columns + 1, sizeof *values);
        bool good = values != NULL;
        for (int i = 0; i < count * columns && good; i++) {
            if (libpq->PQgetisnull(result, i / columns, i % columns) == 0) {
                values[i] = adg_arena_strdup(arena, libpq->PQgetvalue(result, i / columns, i % columns));
                good = values[i] != NULL;
            }
        }
        status = good ? ADG_OK : adg_fail_memory(error);
        if (good) {
            *rows = (struct adg_rows){.values = values, .count = count};
        }
    }
    libpq->PQclear(result);
    return status;
}

/* ---- COPY -------------------------------------------------------------------------------------------------------- */

enum adg_status adg_connection_copy_begin(struct adg_connection *connection, const char *sql, const char *doing,
                                          struct adg_error *error)
{
    return run(connection, sql, ADG_PQ_COPY_IN, doing, error);
}

/* Ends the statement; `failure` NULL: successfully. */
static enum adg_status end_copy(struct adg_connection *connection, const char *failure, const char *doing,
                                struct adg_error *error)
{
    const struct adg_libpq *libpq = connection->libpq;
    struct pg_result *result = libpq->PQputCopyEnd(connection->pg, failure) >= 0 ? take_result(connection) : NULL;
    bool good = failure == NULL && result != NULL && libpq->PQresultStatus(result) == ADG_PQ_COMMAND_OK;
    enum adg_status status = good ? ADG_OK : refused(connection, result, doing, error);
    libpq->PQclear(result);
    return status;
}

enum adg_status adg_connection_copy_put(struct adg_connection *connection, const void *bytes, size_t size,
                                        const char *doing, struct adg_error *error)
{
    const struct adg_libpq *libpq = connection->libpq;
    enum adg_status status = ADG_OK;
    for (size_t at = 0; at < size && status == ADG_OK;) {
        int length = size - at < PUT_BYTES ? (int)(size - at) : PUT_BYTES;
        int unsent = libpq->PQputCopyData(connection->pg, (const char *)bytes + at, length) > 0 ? 1 : -1;
        at += (size_t)length;
        while (unsent > 0 && (unsent = libpq->PQflush(connection->pg)) > 0) {
            int ready = wait_for(connection, POLLIN | POLLOUT);
            if ((ready & ~POLLOUT) != 0 || stops(connection)) { /* in the middle of a COPY a server only complains */
                unsent = -1;
            }
        }
        if (unsent < 0) {
            status = end_copy(connection, "given up", doing, error);
        }
    }
    return status;
}

enum adg_status adg_connection_copy_end(struct adg_connection *connection, const char *doing, struct adg_error *error)
{
    return end_copy(connection, NULL, doing, error);
}

void adg_connection_copy_abandon(struct adg_connection *connection)
{
    struct adg_error ignored;
    enum adg_status status = end_copy(connection, "given up", "giving up", &ignored);
    (void)status; /* it fails, as it should */
}

/* ---- opening ----------------------------------------------------------------------------------------------------- */

/* What libpq says of a connection, on one line. */
static enum adg_status not_connected(const struct adg_connection *connection, struct adg_error *error)
{
    char message[1024];
    size_t size = 0;
    for (const char *text = connection->libpq->PQerrorMessage(connection->pg);
         *text != '\0' && size + 1 < sizeof message; text++) {
        if (*text != '\n' && *text != '\t') {
            message[size++] = *text;
        } else if (*text == '\n' && text[1] != '\0') {
            message[size++] = ' ';
        }
    }
    message[size] = '\0';
    return adg_fail(error, ADG_FAILED, "%s", message);
}

enum adg_status adg_connection_open(const char *uri, struct adg_connection **out, struct adg_error *error)
{
    const struct adg_libpq *libpq = NULL;
    enum adg_status status = adg_libpq_load(&libpq, error);
    if (status != ADG_OK) {
        return status;
    }
    struct adg_connection *connection = adg_alloc_zero(1, sizeof *connection);
    if (connection == NULL) {
        return adg_fail_memory(error);
    }
    connection->libpq = libpq;
    connection->pg = libpq->PQconnectdb(uri);
    if (connection->pg == NULL) {
        status = adg_fail_memory(error);
    } else if (libpq->PQstatus(connection->pg) != ADG_PQ_CONNECTION_OK) {
        status = not_connected(connection, error);
    } else if (libpq->PQsetnonblocking(connection->pg, 1) != 0) {
        status = adg_fail_memory(error);
    }
    if (status == ADG_OK) { /* without notices, whatever comes in the middle of a COPY is an error */
        status = adg_connection_run(connection,
                                    "set client_encoding to 'UTF8'; set client_min_messages to error; "
                                    "set standard_conforming_strings to on",
                                    "configuring the connection", error);
    }
    if (status != ADG_OK) {
        adg_connection_free(connection);
        return status;
    }
    *out = connection;
    return ADG_OK;
}

void adg_connection_outlive_stop(struct adg_connection *connection)
{
    connection->outlives_stop = true;
}

void adg_connection_free(struct adg_connection *connection)
{
    if (connection != NULL) {
        if (connection->pg != NULL) {
            connection->libpq->PQfinish(connection->pg);
        }
        adg_free(connection);
    }
}
