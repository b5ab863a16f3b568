/*
 * Parallel-for with a shared counter: see parallel.h.
 */
#include "core/parallel.h"

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <unistd.h>

#include "core/memory.h"

struct job {
    adg_parallel_work work;
    void *context;
    uint64_t parts;
    pthread_mutex_t lock; /* guards what follows */
    uint64_t next;
    uint64_t failed_part;
    enum adg_status status;
    struct adg_error error;
};

static void *work_through(void *argument)
{
    struct job *job = argument;
    pthread_mutex_lock(&job->lock);
    while (job->status == ADG_OK && job->next < job->parts) {
        uint64_t part = job->next++;
        pthread_mutex_unlock(&job->lock);
        struct adg_error error = {{0}};
        enum adg_status status = job->work(job->context, part, &error);
        pthread_mutex_lock(&job->lock);
        if (status != ADG_OK && (job->status == ADG_OK || part < job->failed_part)) {
            job->status = status;
            job->error = error;
            job->failed_part = part;
        }
    }
    pthread_mutex_unlock(&job->lock);
    return NULL;
}

enum adg_status adg_parallel_for(unsigned threads, uint64_t parts, adg_parallel_work work, void *context,
                                 struct adg_error *error)
{
    struct job job = {.work = work, .context = context, .parts = parts, .lock = PTHREAD_MUTEX_INITIALIZER};
    unsigned helpers = threads > 1 ? threads - 1 : 0;
    if (helpers >= parts) {
        helpers = parts > 0 ? (unsigned)(parts - 1) : 0;
    }
    pthread_t *handles = adg_alloc_array(helpers, sizeof *handles);
    if (handles == NULL) {
        return adg_fail_memory(error);
    }
    unsigned started = 0;
    while (started < helpers && pthread_create(&handles[started], NULL, work_through, &job) == 0) {
        started++; /* fewer threads do the same work */
    }
    work_through(&job);
    for (unsigned i = 0; i < started; i++) {
        pthread_join(handles[i], NULL);
    }
    adg_free(handles);
    pthread_mutex_destroy(&job.lock);
    if (job.status != ADG_OK && error != NULL) {
        *error = job.error;
    }
    return job.status;
}

unsigned adg_processor_count(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) {
        return (unsigned)CPU_COUNT(&set);
    }
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count > 0 ? (unsigned)count : 1;
}
