/*
 * Our words for an engine's errors. What an engine says may quote values, so nothing of it is passed on: it is looked through for
 * the SQLSTATE, or for the words that this engine has for a kind of error. What is decided by it is the message and, for a table
 * that is not there, that it is an input that does not fit.
 */
#include <string.h>

#include "core/stop.h"
#include "engine/internal.h"

enum kind { PLAIN, NO_TABLE, BAD_SOURCE };

static const struct {
    const char *words;
    enum kind kind;
    const char *hint;
} hints[] = {
    {"Could not set lock", PLAIN, "another process has the file open"},
    {"transaction is aborted", PLAIN, "the database broke the transaction off, as it does when rows go against a key"},
    {"Could not write", PLAIN, "a file cannot be written, or the disk is full"},
    {"No space left", PLAIN, "the disk is full"},
    {"IO Error", PLAIN, "a file cannot be read or written, or the disk is full"},
    {"Out of Memory Error", PLAIN, "memory or the space for temporary files is used up"},
    {"Permission Error", PLAIN, "a file may not be read"},
    {"Invalid Input Error", BAD_SOURCE, "the source cannot be read"},
    {"Constraint Error", PLAIN, "a constraint of the table, such as its primary key, refuses rows"},
    {"Dependency Error", PLAIN, "something else in the database, such as a view, rests on the table"},
    {"main key table", PLAIN, "something else in the database, such as a view, rests on the table"},
    {"2BP01", PLAIN, "something else in the database, such as a view, rests on the table"},
    {"Conversion Error", BAD_SOURCE, "the source cannot be read"},
    {"Catalog Error", NO_TABLE, "there is no such table"},
    {"22021", BAD_SOURCE, "the database holds text that is no UTF-8 and gives no encoding for it"},
    {"invalid byte sequence", BAD_SOURCE, "the database holds text that is no UTF-8 and gives no encoding for it"},
    {"22P05", BAD_SOURCE, "the database holds text that is no UTF-8 and gives no encoding for it"},
    {"42P01", NO_TABLE, "there is no such table"},
    {"3F000", NO_TABLE, "there is no such table"},
    {"TABLE_OR_VIEW_NOT_FOUND", NO_TABLE, "there is no such table"},
    {"SCHEMA_NOT_FOUND", NO_TABLE, "there is no such table"},
    {"42501", PLAIN, "the user has no right to read it"},
    {"permission denied", PLAIN, "the user has no right to read it"},
    {"INSUFFICIENT_PERMISSIONS", PLAIN, "the user has no right to read it"},
    {"PERMISSION_DENIED", PLAIN, "the user has no right to read it"},
    {"password authentication failed", PLAIN, "the server does not accept the user or the password"},
    {"no password supplied", PLAIN, "the server wants a password: set PGPASSWORD, or use a password file or a service"},
    {"28P01", PLAIN, "the server does not accept the user or the password"},
    {"28000", PLAIN, "the server does not accept the user"},
    {"no pg_hba.conf entry", PLAIN, "the server does not accept the user"},
    {"nauthenticated", PLAIN, "the server does not accept the token"},
    {"UNAUTHENTICATED", PLAIN, "the server does not accept the token"},
    {"FATAL:  database", PLAIN, "the server has no such database"},
    {"FATAL:  role", PLAIN, "the server does not accept the user or the password"},
    {"57014", PLAIN, "the query was cancelled at the server, or took longer than it allows"},
    {"53100", PLAIN, "the server's disk is full"},
    {"25006", PLAIN, "the database is only to be read"},
    {"23505", PLAIN, "a unique key of the table has such values already"},
    {"UNIQUE constraint failed", PLAIN, "a unique key of the table has such values already"},
    {"no such table", NO_TABLE, "there is no such table"},
    {"unsupported type", PLAIN, "the driver does not know the type of a column"},
    {"53200", PLAIN, "the server's memory is used up"},
    {"57P0", PLAIN, "the connection to the server was lost"},
    {"terminating connection", PLAIN, "the connection to the server was lost"},
    {"server closed the connection", PLAIN, "the connection to the server was lost"},
    {"onnection reset", PLAIN, "the connection to the server was lost"},
    {"no connection to the server", PLAIN, "the connection to the server was lost"},
    {"error reading from server: EOF", PLAIN, "the connection to the server was lost"},
    {"onnection refused", PLAIN, "no server answers there"},
    {"could not translate host name", PLAIN, "there is no such host"},
    {"timeout expired", PLAIN, "no server answers there"},
    {"connection to server", PLAIN, "no server answers there"},
    {"navailable", PLAIN, "no server answers there"},
    {"UNAVAILABLE", PLAIN, "no server answers there"},
};

enum adg_status adg_engine_refused(struct adg_engine *engine, struct AdbcError *reason, const char *doing,
                                   struct adg_error *error)
{
    const char *text = reason->message != NULL ? reason->message : "", *hint = "the query failed";
    char state[6] = {0};
    enum kind kind = PLAIN;
    memcpy(state, reason->sqlstate, 5);
    for (size_t i = 0; i < sizeof hints / sizeof hints[0]; i++) {
        if (strstr(text, hints[i].words) != NULL || strstr(state, hints[i].words) != NULL) {
            hint = hints[i].hint;
            kind = hints[i].kind;
            break;
        }
    }
    engine->no_table = kind == NO_TABLE;
    enum adg_status status = engine->dialect != NULL || engine->watched ? adg_stop_check(error) : ADG_OK;
    if (status == ADG_OK) {
        status = adg_fail(error, kind == PLAIN ? ADG_FAILED : ADG_BAD_INPUT, "%s: %s", doing, hint);
    }
    if (reason->release != NULL) {
        reason->release(reason);
    }
    return status;
}
