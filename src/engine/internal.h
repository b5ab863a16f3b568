/*
 * Within the engine room: the connection itself.
 */
#ifndef ADG_ENGINE_INTERNAL_H
#define ADG_ENGINE_INTERNAL_H

#include <pthread.h>

#include <nanoarrow/nanoarrow.h>

#include <arrow-adbc/adbc.h>

#include "engine/engine.h"

struct adg_engine {
    struct AdbcDriver driver;
    struct AdbcDatabase database;
    struct AdbcConnection connection;
    bool loaded, no_table;             /* no_table: why the last failure was one */
    const struct adg_dialect *dialect; /* of a target; else NULL */
    /* the thread that cancels, of a target */
    bool watched, ends;
    pthread_t watcher;
    pthread_mutex_t lock; /* of `ends` and `running` */
    pthread_cond_t changed;
    struct AdbcStatement *running; /* a statement that may be cancelled, or NULL */
};

/* Our words for an engine's error, which is released. */
ADG_MUST_CHECK enum adg_status adg_engine_refused(struct adg_engine *engine, struct AdbcError *reason,
                                                  const char *doing, struct adg_error *error);

/* From here on, until it is NULL, a statement may be cancelled. */
void adg_engine_watch(struct adg_engine *engine, struct AdbcStatement *statement);
ADG_MUST_CHECK enum adg_status adg_engine_start_watcher(struct adg_engine *engine, struct adg_error *error);
void adg_engine_end_watcher(struct adg_engine *engine);

#endif
