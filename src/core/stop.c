/*
 * The flag that SIGINT and SIGTERM raise: see stop.h.
 */
#include "core/stop.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>

/* Raised in one thread and looked at in all: atomic, and without a lock, as a handler needs it. It publishes nothing else. */
static atomic_int requested;
_Static_assert(ATOMIC_INT_LOCK_FREE == 2, "a signal handler stores it");

static void handle(int signal_number)
{
    (void)signal_number;
    adg_stop_request();
}

void adg_stop_install(void)
{
    struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    struct sigaction ignore = {
        .sa_handler = SIG_IGN}; /* a closed pipe or a file limit is an error of write(), not an end */
    sigaction(SIGPIPE, &ignore, NULL);
    sigaction(SIGXFSZ, &ignore, NULL);
}

void adg_stop_request(void)
{
    atomic_store_explicit(&requested, 1, memory_order_relaxed);
}

bool adg_stop_requested(void)
{
    return atomic_load_explicit(&requested, memory_order_relaxed) != 0;
}

enum adg_status adg_stop_check(struct adg_error *error)
{
    return adg_stop_requested() ? adg_fail(error, ADG_FAILED, "stopped by a signal; nothing half-written is left")
                                : ADG_OK;
}
