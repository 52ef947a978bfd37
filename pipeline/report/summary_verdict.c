/* SPDX-License-Identifier: MIT */
/* What limited a run. Workers that are busy four fifths of their time are the limit themselves; if they are
 * not, the side they wait for is, where they wait at least a fifth of their time. A busy writer is what they
 * wait for on either side: the reader gets room for the next item where the writer is done with one. Where
 * all CPUs are busy, reader and writer have taken what workers are short of. */
#include <stdio.h>

#include "pipeline/report/summary.h"

#define BUSY_LIMIT 80u
#define WAIT_LIMIT 20u
#define CPUS_LIMIT 90u

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
    if (s->alone)
        snprintf(advice, sizeof advice, "engine %s has no more than one", s->engine);
    else if (s->cpus && workers >= s->cpus)
        snprintf(advice, sizeof advice, "there are as many workers as CPUs allowed (%u)", s->cpus);
    else
        snprintf(advice, sizeof advice, "more workers%s would help", which);
    snprintf(text, size, "CPU-bound: workers%s busy %u %%%s; %s", which, share(pool->busy_ns, pool_ns(pool)),
             waiting ? ", reader waiting" : "", advice);
    return SUMMARY_CPU;
}

/* Of all CPUs that it may use, for as long as it took. */
static unsigned cpus_busy(const struct summary *s)
{
    return share(s->cpu_ns, s->wall_ns * s->cpus);
}

static unsigned writer_busy(const struct summary *s)
{
    return share(s->writer.busy_ns, s->writer.busy_ns + s->writer.starved_ns);
}

/* `idle` says of the workers how they spent that part of their time. */
static enum summary_bound writer_verdict(const struct summary *s, const char *idle, unsigned part, char *text,
                                         size_t size)
{
    snprintf(text, size,
             "I/O-bound: workers %s %u %%, writing files is the limit (writer busy %u %%); a faster output "
             "would help",
             idle, part, writer_busy(s));
    return SUMMARY_WRITER;
}

/* Workers wait for input: what does the reader wait for? */
static enum summary_bound starved_verdict(const struct summary *s, unsigned starved, char *text, size_t size)
{
    const struct summary_reader *r = &s->reader;
    const uint64_t total_ns = r->busy_ns + r->listing_ns + r->memory_ns + r->blocked_ns;
    if (writer_busy(s) >= BUSY_LIMIT && s->writer.busy_ns > r->busy_ns)
        return writer_verdict(s, "starved", starved, text, size);
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
    if (cpus_busy(s) >= CPUS_LIMIT) {
        snprintf(text, size, "CPU-bound: %s busy %u %%, for workers, reader and writer together",
                 s->cpus == 1 ? "the CPU allowed is" : "all CPUs allowed are", cpus_busy(s));
        return SUMMARY_CPU;
    }
    const unsigned starved = share(busiest->starved_ns, pool_ns(busiest));
    const unsigned blocked = share(busiest->blocked_ns, pool_ns(busiest));
    if (blocked >= WAIT_LIMIT && blocked >= starved)
        return writer_verdict(s, "blocked", blocked, text, size);
    if (starved >= WAIT_LIMIT) {
        enum summary_bound bound = starved_verdict(s, starved, text, size);
        if (bound != SUMMARY_UNKNOWN)
            return bound;
    }
    snprintf(text, size, "balanced: workers busy %u %%, starved %u %%, blocked %u %%", busy, starved,
             blocked);
    return SUMMARY_BALANCED;
}
