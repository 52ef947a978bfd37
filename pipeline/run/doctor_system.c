/* SPDX-License-Identifier: MIT */
/* The kernel asked itself, not its version number: a container may forbid what the kernel has. */
#include <errno.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "pipeline/report/units.h"
#include "pipeline/run/ahead_ring.h"
#include "pipeline/run/doctor.h"

/* A run has about twenty descriptors open, and more while it looks into deep directories. */
#define FEW_DESCRIPTORS 64u

static void add_limit(struct doctor *doctor, const char *name, int resource, bool bytes, uint64_t few,
                      const char *warning)
{
    struct rlimit limit;
    char text[UNITS_SIZE];
    if (getrlimit((__rlimit_resource_t)resource, &limit) < 0) {
        doctor_add(doctor, "limits", name, DOCTOR_FACT, "unknown: %s", strerror(errno));
        return;
    }
    if (limit.rlim_cur == RLIM_INFINITY) {
        doctor_add(doctor, "limits", name, DOCTOR_FACT, "unlimited");
        return;
    }
    bool low = limit.rlim_cur < few;
    if (bytes)
        units_memory(limit.rlim_cur, text, sizeof text);
    else
        snprintf(text, sizeof text, "%llu", (unsigned long long)limit.rlim_cur);
    doctor_add_number(doctor, "limits", name, low ? DOCTOR_WARNING : DOCTOR_FACT, (int64_t)limit.rlim_cur,
                      "%s%s%s", text, low ? ": " : "", low ? warning : "");
}

void doctor_look_limits(struct doctor *doctor)
{
    add_limit(doctor, "descriptors", RLIMIT_NOFILE, false, FEW_DESCRIPTORS, "few");
    add_limit(doctor, "address space", RLIMIT_AS, true, UINT64_MAX, "a run reserves much more than it uses");
    add_limit(doctor, "file size", RLIMIT_FSIZE, true, UINT64_MAX,
              "holds for outputs and for shared memory as a whole");
    add_limit(doctor, "processes", RLIMIT_NPROC, false, 0, "");
}

static void add_call(struct doctor *doctor, const char *name, bool there, const char *without)
{
    doctor_add_number(doctor, "kernel", name, DOCTOR_FACT, there, "%s", there ? "yes" : without);
}

/* Was a call refused as unknown, or by a filter? With bad arguments a call that is there says so. */
static bool missing(long result)
{
    return result < 0 && (errno == ENOSYS || errno == EPERM || errno == EOPNOTSUPP);
}

static bool has_memfd(void)
{
    int fd = memfd_create("forkmill-doctor", MFD_CLOEXEC);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static bool has_seccomp(void)
{
    uint32_t action = SECCOMP_RET_KILL_PROCESS;
    return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

static void look_uring(struct doctor *doctor)
{
    struct ahead_ring *ring = NULL;
    struct error error = {0};
    const bool there = ahead_ring_open(&ring, &error) == 0;
    ahead_ring_close(ring);
    doctor_add_number(doctor, "kernel", "io_uring", DOCTOR_FACT, there, "%s%s",
                      there ? "yes" : "no: ", there ? "" : error.reason);
}

void doctor_look_kernel(struct doctor *doctor)
{
    struct utsname name;
    if (uname(&name) == 0)
        doctor_add(doctor, "kernel", "release", DOCTOR_FACT, "%s %s %s", name.sysname, name.release,
                   name.machine);
    add_call(doctor, "openat2", !missing(syscall(SYS_openat2, -1, NULL, NULL, (size_t)0)),
             "no: symbolic links among the inputs are not followed");
    look_uring(doctor);
    add_call(doctor, "memfd", has_memfd(), "no: shared memory has to come from /dev/shm");
    add_call(doctor, "seccomp filters", has_seccomp(), "no");
    long abi = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, LANDLOCK_CREATE_RULESET_VERSION);
    if (abi > 0)
        doctor_add_number(doctor, "kernel", "Landlock", DOCTOR_FACT, abi, "yes, ABI %ld", abi);
    else
        doctor_add_number(doctor, "kernel", "Landlock", DOCTOR_FACT, 0, "no: %s", strerror(errno));
}
