/* SPDX-License-Identifier: MIT */
/* What limited a run. Workers that are busy four fifths of their time are the limit themselves; if they are
 * not, the side they wait for is, where they wait at least a fifth of their time. */
#include <stdio.h>

#include "pipeline/report/summary.h"

#define BUSY_LIMIT 80u
#define WAIT_LIMIT 20u

/* Below this a run is mostly its own start. */
#define SHORTEST_NS 50000000u

static unsigned share(uint64_t part_ns, uint64_t whole_ns)
{
    return whole_ns ? (unsigned)(100.0 * (double)part_ns / (double)whole_ns + 0.5) : 0;
}

static uint64_t pool_ns(const struct summary_pool *pool)
{
    return pool->busy_ns + pool->starved_ns + pool->blocked_ns;
}

static const struct summary_pool *busiest_pool(const struct summary *s)
{
    const struct summary_pool *best = NULL;
    unsigned most = 0;
    for (unsigned i = 0; i < s->pool_count; i++) {
        const unsigned busy = share(s->pools[i].busy_ns, pool_ns(&s->pools[i]));
        if (pool_ns(&s->pools[i]) && (!best || busy > most)) {
            best = &s->pools[i];
            most = busy;
        }
    }
    return best;
}

static enum summary_bound cpu_verdict(const struct summary *s, const struct summary_pool *pool, char *text,
                                      size_t size)
{
    const struct summary_reader *r = &s->reader;
    const uint64_t waiting_ns = r->memory_ns + r->blocked_ns;
    const bool waiting = 2 * waiting_ns > r->busy_ns + r->listing_ns + waiting_ns;
    unsigned workers = 0;
    char which[48] = "", advice[96];
    for (unsigned i = 0; i < s->pool_count; i++)
        workers += s->pools[i].workers;
    if (s->pool_count > 1)
        snprintf(which, sizeof which, " of pool %s", pool->name);
    if (s->cpus && workers >= s->cpus)
        snprintf(advice, sizeof advice, "there are as many workers as CPUs allowed (%u)", s->cpus);
    else
        snprintf(advice, sizeof advice, "more workers%s would help", which);
    snprintf(text, size, "CPU-bound: workers%s busy %u %%%s; %s", which, share(pool->busy_ns, pool_ns(pool)),
             waiting ? ", reader waiting" : "", advice);
    return SUMMARY_CPU;
}

/* Workers wait for input: what does the reader wait for? */
static enum summary_bound starved_verdict(const struct summary *s, unsigned starved, char *text, size_t size)
{
    const struct summary_reader *r = &s->reader;
    const uint64_t total_ns = r->busy_ns + r->listing_ns + r->memory_ns + r->blocked_ns;
    if (total_ns < s->wall_ns / 2) {
        snprintf(text, size, "short of items: workers starved %u %%, most of it after everything was read",
                 starved);
        return SUMMARY_BALANCED;
    }
    if (r->memory_ns > r->busy_ns && r->memory_ns > r->listing_ns && r->memory_ns > r->blocked_ns) {
        snprintf(text, size,
                 "memory-bound: workers starved %u %%, the reader waited for memory %u %% of its time; a "
                 "larger memory setting would help",
                 starved, share(r->memory_ns, total_ns));
        return SUMMARY_MEMORY;
    }
    if (r->listing_ns > r->busy_ns && r->listing_ns > r->blocked_ns) {
        snprintf(text, size,
                 "list-bound: workers starved %u %%, the reader waited for names of inputs %u %% of its time",
                 starved, share(r->listing_ns, total_ns));
        return SUMMARY_LISTING;
    }
    if (r->busy_ns >= r->blocked_ns) {
        snprintf(text, size,
                 "I/O-bound: workers starved %u %%, the reader is the limit; faster input would help",
                 starved);
        return SUMMARY_READER;
    }
    return SUMMARY_UNKNOWN;
}

enum summary_bound summary_verdict(const struct summary *s, char *text, size_t size)
{
    char none[1];
    if (!text) {
        text = none;
        size = sizeof none;
    }
    const struct summary_pool *busiest = busiest_pool(s);
    if (s->done + s->failed == s->remembered || !busiest) {
        snprintf(text, size, s->skipped ? "nothing was left to do" : "nothing was processed");
        return SUMMARY_UNKNOWN;
    }
    if (s->wall_ns < SHORTEST_NS) {
        snprintf(text, size, "too short a run to say what limited it");
        return SUMMARY_UNKNOWN;
    }
    const unsigned busy = share(busiest->busy_ns, pool_ns(busiest));
    if (busy >= BUSY_LIMIT)
        return cpu_verdict(s, busiest, text, size);
    const unsigned starved = share(busiest->starved_ns, pool_ns(busiest));
    const unsigned blocked = share(busiest->blocked_ns, pool_ns(busiest));
    if (blocked >= WAIT_LIMIT && blocked >= starved) {
        const uint64_t writer_ns = s->writer.busy_ns + s->writer.starved_ns;
        snprintf(text, size,
                 "I/O-bound: workers blocked %u %%, the writer is the limit (busy %u %%); a faster output "
                 "would help",
                 blocked, share(s->writer.busy_ns, writer_ns));
        return SUMMARY_WRITER;
    }
    if (starved >= WAIT_LIMIT) {
        enum summary_bound bound = starved_verdict(s, starved, text, size);
        if (bound != SUMMARY_UNKNOWN)
            return bound;
    }
    snprintf(text, size, "balanced: workers busy %u %%, starved %u %%, blocked %u %%", busy, starved,
             blocked);
    return SUMMARY_BALANCED;
}
