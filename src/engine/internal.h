/*
 * Within the engine room: the connection itself.
 */
#ifndef ADG_ENGINE_INTERNAL_H
#define ADG_ENGINE_INTERNAL_H

#include <nanoarrow/nanoarrow.h>

#include <arrow-adbc/adbc.h>

#include "engine/engine.h"

struct adg_engine {
    struct AdbcDriver driver;
    struct AdbcDatabase database;
    struct AdbcConnection connection;
    bool loaded;
};

/* Our words for an engine's error, which is released. */
ADG_MUST_CHECK enum adg_status adg_engine_refused(struct AdbcError *reason, const char *doing, struct adg_error *error);

#endif
