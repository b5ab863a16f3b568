/*
 * An Arrow stream between two threads: see batches.h.
 */
#include "load/batches.h"

#include <errno.h>
#include <nanoarrow/nanoarrow.h>
#include <pthread.h>

#include "core/memory.h"

enum { ROOM = 2 };

struct adg_batches {
    struct ArrowSchema schema;
    pthread_mutex_t lock; /* guards the rest */
    pthread_cond_t changed;
    struct ArrowArray waiting[ROOM];
    unsigned first, count;
    bool ended, given_up, closed;
};

static int get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
    struct adg_batches *batches = stream->private_data;
    return ArrowSchemaDeepCopy(&batches->schema, out);
}

static int get_next(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
    struct adg_batches *batches = stream->private_data;
    int code = 0;
    pthread_mutex_lock(&batches->lock);
    while (batches->count == 0 && !batches->ended && !batches->given_up) {
        pthread_cond_wait(&batches->changed, &batches->lock);
    }
    *out = (struct ArrowArray){.release = NULL};
    if (batches->given_up) {
        code = ECANCELED;
    } else if (batches->count > 0) {
        ArrowArrayMove(&batches->waiting[batches->first], out);
        batches->first = (batches->first + 1) % ROOM;
        batches->count--;
        pthread_cond_broadcast(&batches->changed);
    }
    pthread_mutex_unlock(&batches->lock);
    return code;
}

static const char *get_last_error(struct ArrowArrayStream *stream)
{
    (void)stream;
    return "no more rows are made";
}

static void release(struct ArrowArrayStream *stream)
{
    stream->private_data = NULL;
    stream->release = NULL;
}

enum adg_status adg_batches_new(struct ArrowSchema *schema, struct adg_batches **out, struct adg_error *error)
{
    struct adg_batches *batches = adg_alloc_zero(1, sizeof *batches);
    if (batches == NULL) {
        return adg_fail_memory(error);
    }
    ArrowSchemaMove(schema, &batches->schema);
    pthread_mutex_init(&batches->lock, NULL);
    pthread_cond_init(&batches->changed, NULL);
    *out = batches;
    return ADG_OK;
}

void adg_batches_stream(struct adg_batches *batches, struct ArrowArrayStream *out)
{
    *out = (struct ArrowArrayStream){.get_schema = get_schema,
                                     .get_next = get_next,
                                     .get_last_error = get_last_error,
                                     .release = release,
                                     .private_data = batches};
}

bool adg_batches_put(struct adg_batches *batches, struct ArrowArray *batch)
{
    pthread_mutex_lock(&batches->lock);
    while (batches->count == ROOM && !batches->closed) {
        pthread_cond_wait(&batches->changed, &batches->lock);
    }
    bool taken = !batches->closed;
    if (taken) {
        ArrowArrayMove(batch, &batches->waiting[(batches->first + batches->count) % ROOM]);
        batches->count++;
        pthread_cond_broadcast(&batches->changed);
    }
    pthread_mutex_unlock(&batches->lock);
    if (!taken) {
        batch->release(batch);
    }
    return taken;
}

static void raise_flag(struct adg_batches *batches, bool *flag)
{
    pthread_mutex_lock(&batches->lock);
    *flag = true;
    pthread_cond_broadcast(&batches->changed);
    pthread_mutex_unlock(&batches->lock);
}

void adg_batches_end(struct adg_batches *batches)
{
    raise_flag(batches, &batches->ended);
}

void adg_batches_give_up(struct adg_batches *batches)
{
    raise_flag(batches, &batches->given_up);
}

void adg_batches_close(struct adg_batches *batches)
{
    raise_flag(batches, &batches->closed);
}

void adg_batches_free(struct adg_batches *batches)
{
    if (batches == NULL) {
        return;
    }
    for (unsigned i = 0; i < batches->count; i++) {
        struct ArrowArray *batch = &batches->waiting[(batches->first + i) % ROOM];
        batch->release(batch);
    }
    if (batches->schema.release != NULL) {
        batches->schema.release(&batches->schema);
    }
    pthread_cond_destroy(&batches->changed);
    pthread_mutex_destroy(&batches->lock);
    adg_free(batches);
}
