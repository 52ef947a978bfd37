/* SPDX-License-Identifier: MIT */
#include "pipeline/files/fence.h"

#include <dlfcn.h>
#include <errno.h>
#include <linux/landlock.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "pipeline/shared/sanitized.h"

/* Newer than some headers: since interface 2, 3 and 5 of the kernel. */
#define RIGHT_REFER    (UINT64_C(1) << 13)
#define RIGHT_TRUNCATE (UINT64_C(1) << 14)
#define RIGHT_IOCTL    (UINT64_C(1) << 15)

#define RIGHTS_FIRST ((UINT64_C(1) << 13) - 1)
#define RIGHTS_READ  (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define RIGHTS_WRITE                                                                                         \
    (RIGHTS_READ | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |                             \
     LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |          \
     RIGHT_REFER | RIGHT_TRUNCATE)

/* As interface 4 has it; kernels before take the first field alone. */
struct ruleset {
    uint64_t files, network;
};
#define NETWORK_BIND_AND_CONNECT UINT64_C(3)

static int lack(struct fence *fence, bool by_build, const char *why)
{
    fence->by_build = by_build;
    snprintf(fence->lacks, sizeof fence->lacks, "%s", why);
    return 0;
}

int fence_open(struct fence *fence)
{
    *fence = (struct fence){.fd = -1};
    if (SANITIZED)
        return lack(fence, true, "this build has a sanitizer in it");
    const long interface =
        syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, LANDLOCK_CREATE_RULESET_VERSION);
    if (interface <= 0)
        return lack(fence, false, "the kernel, or what it runs in, has no Landlock");
    fence->rights = RIGHTS_FIRST | (interface >= 2 ? RIGHT_REFER : 0) |
                    (interface >= 3 ? RIGHT_TRUNCATE : 0) | (interface >= 5 ? RIGHT_IOCTL : 0);
    const struct ruleset ruleset = {fence->rights, NETWORK_BIND_AND_CONNECT};
    const size_t size = interface >= 4 ? sizeof ruleset : sizeof ruleset.files;
    fence->fd = (int)syscall(SYS_landlock_create_ruleset, &ruleset, size, 0);
    return fence->fd < 0 ? lack(fence, false, strerror(errno)) : (int)interface;
}

static void let(const struct fence *fence, int directory, uint64_t rights)
{
    const struct landlock_path_beneath_attr rule = {.allowed_access = rights & fence->rights,
                                                    .parent_fd = directory};
    if (fence->fd >= 0)
        syscall(SYS_landlock_add_rule, fence->fd, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
}

void fence_let_read(const struct fence *fence, int directory)
{
    let(fence, directory, RIGHTS_READ);
}

void fence_let_write(const struct fence *fence, int directory)
{
    let(fence, directory, RIGHTS_WRITE);
}

/* glibc loads this when the first thread ends by pthread_exit, and gives up where it cannot. */
#define LATE_LIBRARY "libgcc_s.so.1"

bool fence_enter(struct fence *fence, bool threads_exit)
{
    if (fence->fd >= 0 && threads_exit)
        dlopen(LATE_LIBRARY, RTLD_NOW);
    const bool closed = fence->fd >= 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
                        syscall(SYS_landlock_restrict_self, fence->fd, 0) == 0;
    fence_close(fence);
    return closed;
}

void fence_close(struct fence *fence)
{
    if (fence->fd >= 0)
        close(fence->fd);
    fence->fd = -1;
}
