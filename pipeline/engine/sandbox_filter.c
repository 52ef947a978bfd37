/* SPDX-License-Identifier: MIT */
/* What pure computing needs of the kernel, written with libseccomp. Whatever is not here kills the process.
 */
#include <errno.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pipeline/engine/sandbox.h"
#include "pipeline/shared/arena.h"

/* A filter of this program has about a hundred instructions. */
#define MOST_BYTES (4096 * sizeof(struct sock_filter))

/* Calls that are harmless whatever they are given. Some of them are of 32-bit machines alone, or of those
 * whose clock cannot be read without the kernel. */
static const char *const harmless[] = {
    /* waiting, waking, and the clock */
    "futex",
    "futex_time64",
    "nanosleep",
    "clock_nanosleep",
    "clock_nanosleep_time64",
    "sched_yield",
    "restart_syscall", /* what a sleep goes on with after SIGSTOP and SIGCONT */
    "clock_gettime",
    "clock_gettime64",
    "clock_getres",
    "gettimeofday",
    "time",
    /* private memory; mmap, mprotect and madvise are below */
    "brk",
    "munmap",
    "mremap",
    /* who and where it is; qsort asks how much memory there is */
    "getpid",
    "gettid",
    "getcpu",
    "sched_getaffinity",
    "sysinfo",
    "getrandom",
    /* the end, by itself or by abort */
    "exit",
    "exit_group",
    "rt_sigreturn",
    "sigreturn",
    "rt_sigprocmask",
    "rt_sigaction",
};

static int allow(scmp_filter_ctx context, const char *name, unsigned count, const struct scmp_arg_cmp *when)
{
    const int number = seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR)
        return 0; /* unknown to this libseccomp, and so not used by programs of its time */
    return seccomp_rule_add_array(context, SCMP_ACT_ALLOW, number, count, when);
}

/* Memory: never executable, never a file's. Advice only as malloc and a worker give it: some other would
 * punch holes into the arena. */
static int allow_memory(scmp_filter_ctx context)
{
    static const char *const maps[] = {"mmap", "mmap2"};
    static const int advice[] = {MADV_DONTNEED, MADV_FREE, MADV_HUGEPAGE, MADV_NOHUGEPAGE, ARENA_POPULATE};
    const struct scmp_arg_cmp private[] = {SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0),
                                           SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, MAP_ANONYMOUS)};
    int code = allow(context, "mprotect", 1, private);
    for (size_t i = 0; i < sizeof maps / sizeof *maps && code == 0; i++)
        code = allow(context, maps[i], 2, private);
    for (size_t i = 0; i < sizeof advice / sizeof *advice && code == 0; i++)
        code = allow(context, "madvise", 1, &SCMP_A2(SCMP_CMP_EQ, (scmp_datum_t)advice[i], 0));
    return code;
}

/* Last words to standard error, and signals to nobody but itself. */
static int allow_last_words(scmp_filter_ctx context)
{
    static const char *const writes[] = {"write", "writev"}, *const signals[] = {"kill", "tgkill"};
    const struct scmp_arg_cmp to_stderr = SCMP_A0(SCMP_CMP_EQ, STDERR_FILENO, 0);
    const struct scmp_arg_cmp to_self = SCMP_A0(SCMP_CMP_EQ, SANDBOX_SELF, 0);
    int code = 0;
    for (unsigned i = 0; i < 2 && code == 0; i++) {
        code = allow(context, writes[i], 1, &to_stderr);
        if (code == 0)
            code = allow(context, signals[i], 1, &to_self);
    }
    return code;
}

static int add_rules(scmp_filter_ctx context)
{
    int code = seccomp_attr_set(context, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    for (size_t i = 0; i < sizeof harmless / sizeof *harmless && code == 0; i++)
        code = allow(context, harmless[i], 0, NULL);
    if (code == 0)
        code = allow_memory(context);
    return code == 0 ? allow_last_words(context) : code;
}

/* The library writes programs to descriptors. */
static int export(scmp_filter_ctx context, struct sock_filter **filter, unsigned short *length)
{
    int code = -ENOMEM;
    const int fd = memfd_create("forkmill-filter", MFD_CLOEXEC);
    *filter = malloc(MOST_BYTES);
    if (fd >= 0 && *filter)
        code = seccomp_export_bpf(context, fd);
    if (code == 0) {
        const ssize_t got = pread(fd, *filter, MOST_BYTES, 0);
        *length = (unsigned short)(got > 0 ? (size_t)got / sizeof **filter : 0);
        if (got <= 0 || (size_t)got == MOST_BYTES)
            code = -EIO;
    }
    if (fd >= 0)
        close(fd);
    return code;
}

int sandbox_make_filter(struct sock_filter **filter, unsigned short *length, struct error *error)
{
    *filter = NULL;
    scmp_filter_ctx context = seccomp_init(SCMP_ACT_KILL_PROCESS);
    int code = context ? add_rules(context) : -ENOMEM;
    if (code == 0)
        code = export(context, filter, length);
    if (context)
        seccomp_release(context);
    if (code == 0)
        return 0;
    free(*filter);
    *filter = NULL;
    return error_set(error, ERROR_MEMORY, "cannot make a seccomp filter: %s", strerror(-code));
}

const char *sandbox_library(void)
{
    static char text[48];
    const struct scmp_version *version = seccomp_version();
    snprintf(text, sizeof text, "libseccomp %u.%u.%u", version->major, version->minor, version->micro);
    return text;
}
