/*
 * The flag that SIGINT and SIGTERM raise: see stop.h.
 */
#include "core/stop.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t requested;

static void handle(int signal_number)
{
    (void)signal_number;
    requested = 1;
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
    requested = 1;
}

bool adg_stop_requested(void)
{
    return requested != 0;
}

enum adg_status adg_stop_check(struct adg_error *error)
{
    return adg_stop_requested() ? adg_fail(error, ADG_FAILED, "stopped by a signal; nothing half-written is left")
                                : ADG_OK;
}
