/*
 * Loading PostgreSQL's client library: see libpq.h.
 */
#include "load/libpq.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static struct adg_libpq functions;
static bool loaded;

#define FUNCTION(name)                                                                                                 \
    {                                                                                                                  \
#name, offsetof(struct adg_libpq, name)                                                                        \
    }
static const struct {
    const char *name;
    size_t offset;
} names[] = {
    FUNCTION(PQconnectdb),        FUNCTION(PQfinish),    FUNCTION(PQstatus),
    FUNCTION(PQerrorMessage),     FUNCTION(PQsocket),    FUNCTION(PQsetnonblocking),
    FUNCTION(PQsendQuery),        FUNCTION(PQflush),     FUNCTION(PQconsumeInput),
    FUNCTION(PQisBusy),           FUNCTION(PQgetResult), FUNCTION(PQresultStatus),
    FUNCTION(PQresultErrorField), FUNCTION(PQntuples),   FUNCTION(PQgetisnull),
    FUNCTION(PQgetvalue),         FUNCTION(PQclear),     FUNCTION(PQputCopyData),
    FUNCTION(PQputCopyEnd),       FUNCTION(PQgetCancel), FUNCTION(PQcancel),
    FUNCTION(PQfreeCancel),
};

enum adg_status adg_libpq_load(const struct adg_libpq **out, struct adg_error *error)
{
    static const char library[] = "libpq.so.5";
    if (!loaded) {
        void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
        if (handle == NULL) {
            return adg_fail(error, ADG_FAILED,
                            "PostgreSQL's client library %s cannot be loaded: install libpq5 (Debian, Ubuntu), "
                            "libpq (Fedora) or postgresql-libs",
                            library);
        }
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
            void *symbol = dlsym(handle, names[i].name);
            if (symbol == NULL) {
                return adg_fail(error, ADG_FAILED, "PostgreSQL's client library %s has no %s", library, names[i].name);
            }
            memcpy((char *)&functions + names[i].offset, &symbol, sizeof symbol); /* ISO C knows no such cast */
        }
        loaded = true;
    }
    *out = &functions;
    return ADG_OK;
}
