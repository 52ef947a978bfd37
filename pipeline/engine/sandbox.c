/* SPDX-License-Identifier: MIT */
#include "pipeline/engine/sandbox.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "pipeline/shared/sanitized.h"

/* Whole messages of libc for standard error, where that is a file; not a disk full of them. */
#define STDERR_BYTES ((rlim_t)1 << 20)

static bool lack(struct sandbox *sandbox, bool by_build, const char *why)
{
    sandbox->by_build = by_build;
    snprintf(sandbox->lacks, sizeof sandbox->lacks, "%s", why);
    return false;
}

bool sandbox_possible(struct sandbox *sandbox)
{
    *sandbox = (struct sandbox){0};
    uint32_t action = SECCOMP_RET_KILL_PROCESS;
    if (SANITIZED)
        return lack(sandbox, true, "this build has a sanitizer in it");
    if (!*sandbox_library())
        return lack(sandbox, true, "this build is without libseccomp");
    if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) < 0)
        return lack(sandbox, false, "the kernel, or what it runs in, has no seccomp filters");
    /* A filter at no address: a kernel that would take one fails to read it. */
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, NULL) == 0 || (errno != EFAULT && errno != EACCES))
        return lack(sandbox, false, "the kernel, or what it runs in, takes no seccomp filters");
    return true;
}

int sandbox_open(struct sandbox *sandbox, struct error *error)
{
    if (!sandbox_possible(sandbox))
        return 0;
    return sandbox_make_filter(&sandbox->filter, &sandbox->length, error);
}

/* As far as it can be done: a filter needs none of these, and without one they are better than nothing. */
static void limit(int resource, rlim_t most)
{
    struct rlimit now;
    if (getrlimit((__rlimit_resource_t)resource, &now) < 0)
        return;
    if (now.rlim_max < most)
        most = now.rlim_max;
    setrlimit((__rlimit_resource_t)resource, &(struct rlimit){most, most});
}

/* The filter with this process's number in it. */
static bool load(const struct sandbox *sandbox)
{
    struct sock_filter *own = malloc(sandbox->length * sizeof *own);
    if (!own)
        return false;
    for (unsigned i = 0; i < sandbox->length; i++) {
        own[i] = sandbox->filter[i];
        if (own[i].code == (BPF_JMP | BPF_JEQ | BPF_K) && own[i].k == SANDBOX_SELF)
            own[i].k = (uint32_t)getpid();
    }
    const struct sock_fprog program = {.len = sandbox->length, .filter = own};
    /* Kernels before 5.16 slow a filtered process down against readers of its own memory, unless told that it
     * has no secrets from itself. */
    bool loaded =
        syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program) == 0 ||
        syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0;
    free(own);
    return loaded;
}

bool sandbox_enter(const struct sandbox *sandbox, bool observed)
{
    if (SANITIZED)
        return true;
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_NOFILE, STDERR_FILENO + 1);
    limit(RLIMIT_NPROC, 0);
    limit(RLIMIT_FSIZE, STDERR_BYTES);
    if (!observed)
        prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && (!sandbox->filter || load(sandbox));
}

void sandbox_close(struct sandbox *sandbox)
{
    free(sandbox->filter);
    sandbox->filter = NULL;
}
