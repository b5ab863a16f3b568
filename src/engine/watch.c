/*
 * The thread that cancels a query when the process is told to stop: a signal only raises a flag, and whoever waits for a database
 * does not look at it.
 */
#include <time.h>

#include "core/stop.h"
#include "engine/internal.h"

enum { LOOK_NS = 50000000 };

void adg_engine_watch(struct adg_engine *engine, struct AdbcStatement *statement)
{
    if (engine->watched) {
        pthread_mutex_lock(&engine->lock);
        engine->running = statement;
        pthread_mutex_unlock(&engine->lock);
    }
}

/* The lock is held, so that the statement stays until it has been told. */
static void cancel(struct adg_engine *engine)
{
    struct AdbcError reason = {0};
    if (engine->driver.StatementCancel(engine->running, &reason) != ADBC_STATUS_OK) {
        if (reason.release != NULL) {
            reason.release(&reason);
        }
        reason = (struct AdbcError){0};
        if (engine->driver.ConnectionCancel(&engine->connection, &reason) != ADBC_STATUS_OK && reason.release != NULL) {
            reason.release(&reason);
        }
    } else if (reason.release != NULL) {
        reason.release(&reason);
    }
}

static void *look(void *context)
{
    struct adg_engine *engine = context;
    pthread_mutex_lock(&engine->lock);
    while (!engine->ends) {
        struct timespec until;
        if (engine->running != NULL && adg_stop_requested()) {
            cancel(engine);
        }
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += LOOK_NS;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        pthread_cond_timedwait(&engine->changed, &engine->lock, &until);
    }
    pthread_mutex_unlock(&engine->lock);
    return NULL;
}

enum adg_status adg_engine_start_watcher(struct adg_engine *engine, struct adg_error *error)
{
    if (pthread_mutex_init(&engine->lock, NULL) != 0) {
        return adg_fail_memory(error);
    }
    if (pthread_cond_init(&engine->changed, NULL) != 0) {
        pthread_mutex_destroy(&engine->lock);
        return adg_fail_memory(error);
    }
    if (pthread_create(&engine->watcher, NULL, look, engine) != 0) {
        pthread_cond_destroy(&engine->changed);
        pthread_mutex_destroy(&engine->lock);
        return adg_fail(error, ADG_FAILED, "a thread cannot be started");
    }
    engine->watched = true;
    return ADG_OK;
}

void adg_engine_end_watcher(struct adg_engine *engine)
{
    if (!engine->watched) {
        return;
    }
    pthread_mutex_lock(&engine->lock);
    engine->ends = true;
    pthread_cond_signal(&engine->changed);
    pthread_mutex_unlock(&engine->lock);
    pthread_join(engine->watcher, NULL);
    pthread_cond_destroy(&engine->changed);
    pthread_mutex_destroy(&engine->lock);
    engine->watched = false;
}
