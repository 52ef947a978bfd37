/* SPDX-License-Identifier: MIT */
/* Quotas as the kernel documents them: cpu.max of Documentation/admin-guide/cgroup-v2.rst, and
 * cpu.cfs_quota_us with cpu.cfs_period_us of Documentation/scheduler/sched-bwc.rst for version 1. */
#include "pipeline/config/allotted.h"

#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/config/cgroup.h"

struct search {
    const char *root;
    int64_t least; /* processors; 0: no quota seen */
    char *why;
    size_t why_size;
};

/* Quota and period in microseconds to processors, rounded up; at least one is always allowed. */
static void found(struct search *search, long long quota_us, long long period_us, const char *directory,
                  const char *file)
{
    if (quota_us <= 0 || period_us <= 0)
        return;
    int64_t processors = quota_us / period_us + (quota_us % period_us != 0);
    if (search->least == 0 || processors < search->least) {
        search->least = processors;
        snprintf(search->why, search->why_size, "%s/%s", directory, file);
    }
}

static void look(void *context, const char *directory)
{
    struct search *search = context;
    char text[128];
    long long quota_us, period_us;
    if (cgroup_read(search->root, directory, "cpu.max", text, sizeof text) &&
        sscanf(text, "%lld %lld", &quota_us, &period_us) == 2)
        found(search, quota_us, period_us, directory, "cpu.max");
    if (!cgroup_read(search->root, directory, "cpu.cfs_period_us", text, sizeof text))
        return;
    period_us = strtoll(text, NULL, 10);
    if (cgroup_read(search->root, directory, "cpu.cfs_quota_us", text, sizeof text))
        found(search, strtoll(text, NULL, 10), period_us, directory, "cpu.cfs_quota_us");
}

int64_t allotted_quota(const char *root, char *why, size_t size)
{
    struct search search = {root, 0, why, size};
    if (size)
        why[0] = '\0';
    cgroup_walk(root, "cpu", look, &search);
    return search.least;
}

int64_t allotted_affinity(void)
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
    char file[CGROUP_PATH_BYTES];
    int64_t mask = allotted_affinity(), quota = allotted_quota(root, file, sizeof file);
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
    char why[CGROUP_PATH_BYTES + 64];
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
