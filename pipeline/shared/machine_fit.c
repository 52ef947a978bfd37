/* SPDX-License-Identifier: MIT */
/* Each slot reserves address space for the largest item that `memory` allows, which costs nothing but where
 * address space itself is limited. There fewer slots come first: they make a run slower at most, while less
 * memory makes it refuse items. */
#include <stdio.h>
#include <sys/resource.h>

#include "pipeline/report/units.h"
#include "pipeline/shared/machine.h"

/* Memory is not lowered further: what is left would refuse most items, with a worse message. */
#define LEAST_MEMORY_BYTES ((uint64_t)16 << 20)

/* An eighth of the address space is left to the program, its libraries, and the stacks and heaps of its
 * threads, and no less than this: a thread's heap alone reserves 64 MiB. */
#define LEAST_REST_BYTES ((uint64_t)256 << 20)

static int64_t half(int64_t count)
{
    return count > 1 ? count / 2 : count;
}

/* One step down; false: nothing is left to lower. */
static bool lower(struct job *job)
{
    struct settings *settings = &job->settings;
    const bool queue = !job->own_queue && settings->queue > 1, batch = !job->own_batch && settings->batch > 1;
    if (batch)
        settings->batch = half(settings->batch);
    if (queue)
        settings->queue = half(settings->queue);
    for (unsigned i = 0; i < job->pool_count && queue; i++) {
        if (!job->pools[i].own_queue)
            job->pools[i].queue = half(job->pools[i].queue);
    }
    if (queue || batch)
        return true;
    const uint64_t less = (settings->memory_bytes - settings->memory_bytes / 16) >> 20 << 20;
    if (job->own_memory || less < LEAST_MEMORY_BYTES)
        return false;
    settings->memory_bytes = less;
    return true;
}

/* Beside the arena there is each worker's scratch: of threads in one address space, of processes in several,
 * which is not told apart here. */
static bool fits(const struct job *job, uint64_t most)
{
    const size_t arena_bytes = machine_arena_bytes(job);
    size_t total;
    uint64_t workers = 0;
    for (unsigned i = 0; i < job->pool_count; i++)
        workers += (uint64_t)job->pools[i].workers;
    return !__builtin_mul_overflow(job->settings.memory_bytes, workers, &total) &&
           !__builtin_add_overflow(total, arena_bytes, &total) && total <= most;
}

void machine_fit_bytes(struct job *job, uint64_t limit_bytes)
{
    const uint64_t rest = limit_bytes / 8 > LEAST_REST_BYTES ? limit_bytes / 8 : LEAST_REST_BYTES;
    const uint64_t most = limit_bytes > rest ? limit_bytes - rest : 0;
    struct job fit = *job;
    char memory[UNITS_SIZE], limit[UNITS_SIZE];
    if (fits(job, most))
        return;
    while (!fits(&fit, most)) {
        if (!lower(&fit))
            return;
    }
    *job = fit;
    snprintf(job->lowered, sizeof job->lowered,
             "lowered: memory %s, queue %lld, batch %lld, to fit %s of address space (ulimit -v)",
             units_memory(job->settings.memory_bytes, memory, sizeof memory), (long long)job->settings.queue,
             (long long)job->settings.batch, units_memory(limit_bytes, limit, sizeof limit));
}

void machine_fit(struct job *job)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
        machine_fit_bytes(job, limit.rlim_cur);
}
