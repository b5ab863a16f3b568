/*
 * Landlock, seccomp, no-new-privileges: see confine.h.
 *
 * Rights are asked for by the version of the kernel's interface, as its documentation has it: what a kernel does not know
 * yet cannot be asked for. The numbers are those of the kernel's interface and not those of the headers at hand, which may
 * be older than the kernel.
 */
#include "govern/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { CREATE_RULESET = 444, ADD_RULE = 445, RESTRICT_SELF = 446, RULE_PATH_BENEATH = 1, ASK_VERSION = 1 };

enum { BIND_TCP = 1, CONNECT_TCP = 2 };

#define RIGHT(bit) (UINT64_C(1) << (bit))
enum right {
    EXECUTE,
    WRITE_FILE,
    READ_FILE,
    READ_DIR,
    REMOVE_DIR,
    REMOVE_FILE,
    MAKE_CHAR,
    MAKE_DIR,
    MAKE_REG,
    MAKE_SOCK,
    MAKE_FIFO,
    MAKE_BLOCK,
    MAKE_SYM,
    REFER,     /* version 2 */
    TRUNCATE,  /* version 3 */
    IOCTL_DEV, /* version 5 */
};
#define FILE_RIGHTS (RIGHT(EXECUTE) | RIGHT(WRITE_FILE) | RIGHT(READ_FILE) | RIGHT(TRUNCATE) | RIGHT(IOCTL_DEV))

struct ruleset_attributes {
    uint64_t fs;     /* version 1 */
    uint64_t net;    /* version 4: bind and connect of TCP */
    uint64_t scoped; /* version 6: abstract sockets and signals */
};

struct path_beneath {
    uint64_t rights;
    int32_t parent;
} __attribute__((packed));

struct confinement {
    enum adg_sandbox sandbox;
    enum adg_network network;
    void (*warn)(void *context, const char *message);
    void *context;
    struct adg_error *error;
};

/* A promise that cannot be kept. */
static enum adg_status missing(const struct confinement *confinement, const char *promise)
{
    if (confinement->sandbox == ADG_SANDBOX_REQUIRED) {
        return adg_fail(confinement->error, ADG_FAILED,
                        "--sandbox required: this kernel cannot promise that %s; nothing was opened", promise);
    }
    char message[256];
    snprintf(message, sizeof message, "this kernel cannot promise that %s", promise);
    confinement->warn(confinement->context, message);
    return ADG_OK;
}

static uint64_t handled_rights(long version)
{
    uint64_t rights = RIGHT(REFER) - 1;
    rights |= version >= 2 ? RIGHT(REFER) : 0;
    rights |= version >= 3 ? RIGHT(TRUNCATE) : 0;
    return rights | (version >= 5 ? RIGHT(IOCTL_DEV) : 0);
}

static uint64_t rights_of(enum adg_access access)
{
    const uint64_t read = RIGHT(READ_FILE) | RIGHT(READ_DIR);
    switch (access) {
    case ADG_MAY_READ:
        return read;
    case ADG_MAY_WRITE:
        return read | RIGHT(WRITE_FILE) | RIGHT(TRUNCATE) | RIGHT(REMOVE_DIR) | RIGHT(REMOVE_FILE) | RIGHT(MAKE_DIR) |
               RIGHT(MAKE_REG);
    case ADG_MAY_ARRANGE:
        return RIGHT(READ_DIR) | RIGHT(REMOVE_DIR) | RIGHT(MAKE_DIR);
    case ADG_MAY_LOAD:
    case ADG_MAY_START:
        return read | RIGHT(EXECUTE);
    }
    return 0;
}

static enum adg_status add_place(const struct confinement *confinement, int ruleset, uint64_t handled,
                                 const struct adg_place *place)
{
    struct stat info;
    struct path_beneath rule = {.rights = rights_of(place->access) & handled,
                                .parent = open(place->path, O_PATH | O_CLOEXEC)};
    if (rule.parent < 0) {
        return ADG_OK; /* what is not there needs no right; opening it fails later, with its own message */
    }
    if (fstat(rule.parent, &info) == 0 && !S_ISDIR(info.st_mode)) {
        rule.rights &= FILE_RIGHTS;
    }
    enum adg_status status = ADG_OK;
    if (syscall(ADD_RULE, ruleset, RULE_PATH_BENEATH, &rule, 0) != 0) {
        status = adg_fail_errno(confinement->error, errno, "the process cannot be confined to %s", place->path);
    }
    close(rule.parent);
    return status;
}

static enum adg_status restrict_files(const struct confinement *confinement, const struct adg_place *places,
                                      uint32_t count)
{
    long version = syscall(CREATE_RULESET, NULL, 0, ASK_VERSION);
    if (version < 1) {
        return missing(confinement, "files outside the named folders stay closed (Landlock, Linux 5.13)");
    }
    enum adg_status status = ADG_OK;
    if (version < 2) {
        status = missing(confinement, "files are not moved between folders (Landlock 2, Linux 5.19)");
    }
    if (status == ADG_OK && version < 3) {
        status = missing(confinement, "files outside the named folders are not cut off (Landlock 3, Linux 6.2)");
    }
    if (status == ADG_OK && version < 6) {
        status = missing(confinement, "other processes get no signals (Landlock 6, Linux 6.12)");
    }
    if (status != ADG_OK) {
        return status;
    }
    struct ruleset_attributes attributes = {.fs = handled_rights(version),
                                            .net = version < 4                               ? 0
                                                   : confinement->network == ADG_MAY_CONNECT ? BIND_TCP
                                                                                             : BIND_TCP | CONNECT_TCP,
                                            .scoped = version >= 6 ? 3 : 0};
    size_t size = version >= 6   ? sizeof attributes
                  : version >= 4 ? offsetof(struct ruleset_attributes, scoped)
                                 : offsetof(struct ruleset_attributes, net);
    int ruleset = (int)syscall(CREATE_RULESET, &attributes, size, 0);
    if (ruleset < 0) {
        return adg_fail_errno(confinement->error, errno, "the process cannot be confined");
    }
    for (uint32_t i = 0; i < count && status == ADG_OK; i++) {
        status = add_place(confinement, ruleset, attributes.fs, &places[i]);
    }
#ifdef __SANITIZE_ADDRESS__ /* the sanitizers look at the process when it ends */
    const struct adg_place own = {"/proc", ADG_MAY_READ};
    if (status == ADG_OK) {
        status = add_place(confinement, ruleset, attributes.fs, &own);
    }
#endif
    if (status == ADG_OK && syscall(RESTRICT_SELF, ruleset, 0) != 0) {
        status = adg_fail_errno(confinement->error, errno, "the process cannot be confined");
    }
    close(ruleset);
    return status;
}

/* What no command of this program does. */
static const int refused_calls[] = {
    SCMP_SYS(listen),
    SCMP_SYS(accept),
    SCMP_SYS(accept4),
#ifndef __SANITIZE_ADDRESS__ /* the sanitizers look at the process when it ends */
    SCMP_SYS(ptrace),
    SCMP_SYS(process_vm_readv),
#endif
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(io_uring_setup),
    SCMP_SYS(bpf),
    SCMP_SYS(perf_event_open),
    SCMP_SYS(userfaultfd),
    SCMP_SYS(keyctl),
    SCMP_SYS(add_key),
    SCMP_SYS(request_key),
    SCMP_SYS(mount),
    SCMP_SYS(umount2),
    SCMP_SYS(pivot_root),
    SCMP_SYS(chroot),
    SCMP_SYS(unshare),
    SCMP_SYS(setns),
    SCMP_SYS(open_by_handle_at),
    SCMP_SYS(init_module),
    SCMP_SYS(finit_module),
    SCMP_SYS(kexec_load),
    SCMP_SYS(pidfd_getfd),
};

/* What a process does that becomes another program. */
static const int start_calls[] = {
    SCMP_SYS(execve),
    SCMP_SYS(execveat),
};

/* What those do that reach for a server. */
static const int network_calls[] = {
    SCMP_SYS(socket),
    SCMP_SYS(socketpair),
    SCMP_SYS(bind),
    SCMP_SYS(connect),
};

static int refuse_calls(scmp_filter_ctx filter, const int *calls, size_t count)
{
    int code = 0;
    for (size_t i = 0; i < count && code == 0; i++) {
        code = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), calls[i], 0);
        code = code == -EOPNOTSUPP || code == -EDOM ? 0 : code; /* a call that this architecture has not */
    }
    return code;
}

static enum adg_status restrict_calls(const struct confinement *confinement, bool starts)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    if (filter == NULL) {
        return adg_fail_memory(confinement->error);
    }
    int code = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    if (code == 0) {
        code = refuse_calls(filter, refused_calls, sizeof refused_calls / sizeof refused_calls[0]);
    }
    if (code == 0 && !starts) {
        code = refuse_calls(filter, start_calls, sizeof start_calls / sizeof start_calls[0]);
    }
    if (code == 0 && confinement->network == ADG_NO_NETWORK) {
        code = refuse_calls(filter, network_calls, sizeof network_calls / sizeof network_calls[0]);
    }
    if (code == 0) {
        code = seccomp_load(filter);
    }
    seccomp_release(filter);
    if (code == -EINVAL || code == -ENOSYS || code == -ECANCELED) {
        return missing(confinement, "sockets and programs stay closed (seccomp filters)");
    }
    return code == 0 ? ADG_OK : adg_fail_errno(confinement->error, -code, "the process cannot be confined");
}

enum adg_status adg_confine(enum adg_sandbox sandbox, const struct adg_place *places, uint32_t count,
                            enum adg_network network, void (*warn)(void *context, const char *message), void *context,
                            struct adg_error *error)
{
    const struct confinement confinement = {sandbox, network, warn, context, error};
    if (sandbox == ADG_SANDBOX_OFF) {
        return ADG_OK;
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        return missing(&confinement, "no program gains privileges (no-new-privileges)");
    }
    bool starts = false;
    for (uint32_t i = 0; i < count; i++) {
        starts = starts || places[i].access == ADG_MAY_START;
    }
    enum adg_status status = restrict_files(&confinement, places, count);
    return status == ADG_OK ? restrict_calls(&confinement, starts) : status;
}
