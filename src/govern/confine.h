/*
 * Confinement by the kernel: from here on this process, and every thread and engine that it starts later, can touch the named
 * places and no others. Landlock (https://docs.kernel.org/userspace-api/landlock.html) restricts files and TCP, a seccomp
 * filter takes away sockets, new programs, other processes' memory and what has no business here, no-new-privileges keeps it so.
 * It cannot be undone.
 */
#ifndef ADG_GOVERN_CONFINE_H
#define ADG_GOVERN_CONFINE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/status.h"

enum adg_sandbox { ADG_SANDBOX_AUTO, ADG_SANDBOX_REQUIRED, ADG_SANDBOX_OFF };

enum adg_access {
    ADG_MAY_READ,    /* a file, or a folder and all below it */
    ADG_MAY_WRITE,   /* a folder: read, create, write, remove, all below it */
    ADG_MAY_ARRANGE, /* a folder: create, rename and remove folders directly or deeper in it; no file in them */
    ADG_MAY_LOAD,    /* a folder of the system: read, and map code */
    ADG_MAY_START, /* a program, or its interpreter: read and execute. With one of these, and only then, the process may become it */
};

struct adg_place {
    const char *path; /* followed now: a rule holds for what it leads to. Missing ones grant nothing */
    enum adg_access access;
};

/* Whether sockets stay closed, or connections may be made (to any server: names are looked up on the way), none accepted. */
enum adg_network { ADG_NO_NETWORK, ADG_MAY_CONNECT };

/*
 * Confines the process, which must have one thread. `warn` is called once for each promise that this kernel cannot keep;
 * with ADG_SANDBOX_REQUIRED the first of them is ADG_FAILED instead. ADG_SANDBOX_OFF does nothing.
 */
ADG_MUST_CHECK enum adg_status adg_confine(enum adg_sandbox sandbox, const struct adg_place *places, uint32_t count,
                                           enum adg_network network, void (*warn)(void *context, const char *message),
                                           void *context, struct adg_error *error);

#endif
