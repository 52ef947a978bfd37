/* SPDX-License-Identifier: MIT */
/* Quotas as the kernel documents them: cpu.max of Documentation/admin-guide/cgroup-v2.rst, and
 * cpu.cfs_quota_us with cpu.cfs_period_us of Documentation/scheduler/sched-bwc.rst for version 1. A group is
 * bound by its parents' quotas too. In a container, the path that /proc names may not exist below the mount,
 * as that shows the container's own group as its root: what does not exist is passed over. */
#include "pipeline/allotted.h"

#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATH_BYTES 4096

struct search {
    const char *root;
    int64_t least; /* processors; 0: no quota seen */
    char *why;
    size_t why_size;
};

/* The beginning of a file as a text; false where there is none. */
static bool read_text(const char *root, const char *path, char *text, size_t size)
{
    char full[PATH_BYTES];
    if ((size_t)snprintf(full, sizeof full, "%s%s", root, path) >= sizeof full)
        return false;
    int file = open(full, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (file < 0)
        return false;
    size_t used = 0;
    ssize_t got;
    while (used + 1 < size && (got = read(file, text + used, size - 1 - used)) > 0)
        used += (size_t)got;
    close(file);
    text[used] = '\0';
    return used > 0;
}

/* Quota and period in microseconds to processors, rounded up; at least one is always allowed. */
static void found(struct search *search, long long quota_us, long long period_us, const char *path)
{
    if (quota_us <= 0 || period_us <= 0)
        return;
    int64_t processors = quota_us / period_us + (quota_us % period_us != 0);
    if (search->least == 0 || processors < search->least) {
        search->least = processors;
        snprintf(search->why, search->why_size, "%s", path);
    }
}

static void look_v2(struct search *search, const char *group)
{
    char path[PATH_BYTES], text[128];
    long long quota_us, period_us;
    if ((size_t)snprintf(path, sizeof path, "%s/cpu.max", group) >= sizeof path ||
        !read_text(search->root, path, text, sizeof text))
        return;
    if (sscanf(text, "%lld %lld", &quota_us, &period_us) == 2)
        found(search, quota_us, period_us, path);
}

static void look_v1(struct search *search, const char *group)
{
    char path[PATH_BYTES], text[128];
    if ((size_t)snprintf(path, sizeof path, "%s/cpu.cfs_period_us", group) >= sizeof path ||
        !read_text(search->root, path, text, sizeof text))
        return;
    long long period_us = strtoll(text, NULL, 10);
    if ((size_t)snprintf(path, sizeof path, "%s/cpu.cfs_quota_us", group) >= sizeof path ||
        !read_text(search->root, path, text, sizeof text))
        return;
    found(search, strtoll(text, NULL, 10), period_us, path);
}

/* Looks at mount/group and at each of its parents up to the mount. */
static void walk_up(struct search *search, const char *mount, const char *group,
                    void (*look)(struct search *, const char *))
{
    char path[PATH_BYTES];
    size_t mount_length = strlen(mount);
    bool outside = strstr(group, "/..") != NULL; /* of this cgroup namespace: not below the mount */
    if ((size_t)snprintf(path, sizeof path, "%s%s", mount, outside ? "" : group) >= sizeof path)
        return;
    for (;;) {
        size_t length = strlen(path);
        while (length > mount_length && path[length - 1] == '/')
            path[--length] = '\0';
        look(search, path);
        if (length <= mount_length)
            return;
        *strrchr(path, '/') = '\0';
    }
}

static bool names_cpu(const char *controllers)
{
    for (const char *word = controllers; word; word = strchr(word, ',')) {
        word += *word == ',';
        if (strncmp(word, "cpu", 3) == 0 && (word[3] == ',' || word[3] == '\0'))
            return true;
    }
    return false;
}

/* One line of /proc/self/cgroup: hierarchy:controllers:path; version 2 has hierarchy 0, no controllers. */
static void take_line(struct search *search, char *line)
{
    char *controllers = strchr(line, ':');
    char *group = controllers ? strchr(controllers + 1, ':') : NULL;
    if (!group)
        return;
    *controllers++ = '\0';
    *group++ = '\0';
    if (strcmp(line, "0") == 0 && *controllers == '\0') {
        walk_up(search, "/sys/fs/cgroup", group, look_v2);
        walk_up(search, "/sys/fs/cgroup/unified", group, look_v2);
    } else if (names_cpu(controllers)) {
        char mount[256];
        snprintf(mount, sizeof mount, "/sys/fs/cgroup/%.200s", controllers);
        walk_up(search, mount, group, look_v1);
        if (strcmp(controllers, "cpu") != 0)
            walk_up(search, "/sys/fs/cgroup/cpu", group, look_v1);
    }
}

int64_t allotted_quota(const char *root, char *why, size_t size)
{
    char groups[16384], *rest = groups;
    struct search search = {root, 0, why, size};
    if (size)
        why[0] = '\0';
    if (!read_text(root, "/proc/self/cgroup", groups, sizeof groups))
        return 0;
    for (char *line; (line = strsep(&rest, "\n"));)
        take_line(&search, line);
    return search.least;
}

/* Processors in the affinity mask, which cpusets narrow as well; 0 where it cannot be read. */
static int64_t affinity(void)
{
    for (int processors = 1024; processors <= 1 << 20; processors *= 4) {
        cpu_set_t *set = CPU_ALLOC((size_t)processors);
        size_t bytes = CPU_ALLOC_SIZE((size_t)processors);
        if (!set)
            return 0;
        int count = sched_getaffinity(0, bytes, set) == 0 ? CPU_COUNT_S(bytes, set) : 0;
        CPU_FREE(set);
        if (count > 0)
            return count;
    }
    return 0;
}

int64_t allotted_workers(const char *root, char *why, size_t size)
{
    char file[PATH_BYTES];
    int64_t mask = affinity(), quota = allotted_quota(root, file, sizeof file);
    int64_t most = (int64_t)param_find(settings_table, "workers")->max;
    int64_t workers = mask > 0 ? mask : 1;
    if (quota > 0 && quota < workers) {
        workers = quota;
        snprintf(why, size, "%lld by cgroup quota, %s", (long long)workers, file);
    } else {
        workers = workers < most ? workers : most;
        snprintf(why, size, "%lld by affinity mask", (long long)workers);
    }
    return workers;
}

void job_resolve(struct job *job)
{
    bool asked = job->settings.workers < 0;
    for (unsigned i = 0; i < job->pool_count; i++)
        asked = asked || job->pools[i].workers < 0;
    if (!asked)
        return;
    char why[PATH_BYTES + 64];
    int64_t workers = allotted_workers("", why, sizeof why);
    for (unsigned i = 0; i < job->pool_count; i++) {
        if (job->pools[i].workers < 0)
            job->pools[i].workers = workers;
    }
    if (job->settings.workers < 0)
        job->settings.workers = workers;
    size_t used = strlen(job->workers_from);
    snprintf(job->workers_from + used, sizeof job->workers_from - used, ", allotted %s", why);
}
