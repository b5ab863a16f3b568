/*
 * COPY over several connections: see lanes.h.
 *
 * Everything is guarded by the lock but the bytes that a thread sends, and its connection.
 */
#include "load/lanes.h"

#include <pthread.h>

#include "core/memory.h"

struct lane {
    struct adg_lanes *lanes;
    struct adg_connection *connection;
    pthread_t thread;
    bool begun, running;
    struct adg_buffer waiting, sent; /* `sent`: by the thread */
    bool full;                       /* something waits */
};

struct adg_lanes {
    const char *doing;
    struct lane *lanes;
    uint32_t count;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool ends, failed;
    enum adg_status status; /* of the first failure */
    struct adg_error error;
};

/* Called with the lock held. */
static void fail(struct adg_lanes *lanes, enum adg_status status, const struct adg_error *error)
{
    if (lanes->status == ADG_OK) {
        lanes->status = status;
        lanes->error = *error;
    }
    lanes->failed = true;
}

/* Sends until there is nothing more. Whether the statement has ended by a failure. */
static bool send_runs(struct lane *lane)
{
    struct adg_lanes *lanes = lane->lanes;
    struct adg_error error = {{0}};
    enum adg_status status = ADG_OK;
    pthread_mutex_lock(&lanes->lock);
    while (status == ADG_OK && !lanes->failed && (lane->full || !lanes->ends)) {
        if (!lane->full) {
            pthread_cond_wait(&lanes->changed, &lanes->lock);
            continue;
        }
        struct adg_buffer bytes = lane->waiting;
        lane->waiting = lane->sent;
        lane->sent = bytes;
        lane->full = false;
        pthread_cond_broadcast(&lanes->changed);
        pthread_mutex_unlock(&lanes->lock);
        status = adg_connection_copy_put(lane->connection, bytes.data, bytes.size, lanes->doing, &error);
        pthread_mutex_lock(&lanes->lock);
        lane->sent.size = 0;
    }
    if (status != ADG_OK) {
        fail(lanes, status, &error);
    }
    pthread_cond_broadcast(&lanes->changed);
    pthread_mutex_unlock(&lanes->lock);
    return status != ADG_OK;
}

static void *work(void *context)
{
    struct lane *lane = context;
    struct adg_lanes *lanes = lane->lanes;
    struct adg_error error = {{0}};
    if (send_runs(lane)) {
        return NULL;
    }
    pthread_mutex_lock(&lanes->lock);
    bool good = !lanes->failed;
    pthread_mutex_unlock(&lanes->lock);
    if (!good) {
        adg_connection_copy_abandon(lane->connection);
        return NULL;
    }
    enum adg_status status = adg_connection_copy_end(lane->connection, lanes->doing, &error);
    pthread_mutex_lock(&lanes->lock);
    if (status != ADG_OK) {
        fail(lanes, status, &error);
    }
    pthread_mutex_unlock(&lanes->lock);
    return NULL;
}

static enum adg_status begin(struct lane *lane, const char *sql, struct adg_error *error)
{
    enum adg_status status = adg_connection_copy_begin(lane->connection, sql, lane->lanes->doing, error);
    if (status != ADG_OK) {
        return status;
    }
    lane->begun = true;
    if (pthread_create(&lane->thread, NULL, work, lane) != 0) {
        return adg_fail(error, ADG_FAILED, "a thread cannot be started");
    }
    lane->running = true;
    return ADG_OK;
}

static void join(struct adg_lanes *lanes)
{
    for (uint32_t i = 0; i < lanes->count; i++) {
        struct lane *lane = &lanes->lanes[i];
        if (lane->running) {
            pthread_join(lane->thread, NULL);
        } else if (lane->begun) {
            adg_connection_copy_abandon(lane->connection);
        }
        lane->begun = lane->running = false;
    }
}

enum adg_status adg_lanes_open(struct adg_connection *const *connections, uint32_t count, const char *sql,
                               const char *doing, struct adg_lanes **out, struct adg_error *error)
{
    struct adg_lanes *lanes = adg_alloc_zero(1, sizeof *lanes);
    if (lanes == NULL) {
        return adg_fail_memory(error);
    }
    pthread_mutex_init(&lanes->lock, NULL);
    pthread_cond_init(&lanes->changed, NULL);
    lanes->doing = doing;
    lanes->lanes = adg_alloc_zero(count, sizeof *lanes->lanes);
    enum adg_status status = lanes->lanes != NULL ? ADG_OK : adg_fail_memory(error);
    for (; lanes->count < count && status == ADG_OK; lanes->count++) {
        lanes->lanes[lanes->count] = (struct lane){.lanes = lanes, .connection = connections[lanes->count]};
        status = begin(&lanes->lanes[lanes->count], sql, error);
    }
    if (status != ADG_OK) {
        adg_lanes_free(lanes);
        return status;
    }
    *out = lanes;
    return ADG_OK;
}

/* One that has room, or NULL. */
static struct lane *find_room(struct adg_lanes *lanes)
{
    for (uint32_t i = 0; i < lanes->count; i++) {
        if (!lanes->lanes[i].full) {
            return &lanes->lanes[i];
        }
    }
    return NULL;
}

static enum adg_status outcome(const struct adg_lanes *lanes, struct adg_error *error)
{
    if (lanes->status != ADG_OK && error != NULL) {
        *error = lanes->error;
    }
    return lanes->status;
}

enum adg_status adg_lanes_put(struct adg_lanes *lanes, struct adg_buffer *bytes, struct adg_error *error)
{
    struct lane *lane = NULL;
    pthread_mutex_lock(&lanes->lock);
    while (!lanes->failed && (lane = find_room(lanes)) == NULL) {
        pthread_cond_wait(&lanes->changed, &lanes->lock);
    }
    if (!lanes->failed) {
        struct adg_buffer spare = lane->waiting;
        lane->waiting = *bytes;
        lane->full = true;
        *bytes = spare;
        bytes->size = 0;
        pthread_cond_broadcast(&lanes->changed);
    }
    enum adg_status status = outcome(lanes, error);
    pthread_mutex_unlock(&lanes->lock);
    return status;
}

enum adg_status adg_lanes_end(struct adg_lanes *lanes, struct adg_error *error)
{
    pthread_mutex_lock(&lanes->lock);
    lanes->ends = true;
    pthread_cond_broadcast(&lanes->changed);
    pthread_mutex_unlock(&lanes->lock);
    join(lanes);
    return outcome(lanes, error);
}

void adg_lanes_free(struct adg_lanes *lanes)
{
    if (lanes == NULL) {
        return;
    }
    pthread_mutex_lock(&lanes->lock);
    lanes->failed = true;
    pthread_cond_broadcast(&lanes->changed);
    pthread_mutex_unlock(&lanes->lock);
    join(lanes);
    for (uint32_t i = 0; lanes->lanes != NULL && i < lanes->count; i++) {
        adg_buffer_fini(&lanes->lanes[i].waiting);
        adg_buffer_fini(&lanes->lanes[i].sent);
    }
    pthread_cond_destroy(&lanes->changed);
    pthread_mutex_destroy(&lanes->lock);
    adg_free(lanes->lanes);
    adg_free(lanes);
}
