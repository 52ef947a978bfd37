/* SPDX-License-Identifier: MIT */
#include "pipeline/run/run_trace.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "pipeline/run/run_parts.h"
#include "pipeline/run/sight.h"

/* How often the rings are emptied and the counters looked at, in a run with a trace. */
#define TRACE_TICK_MS 20

/* Counters behind those of the queues. */
enum { COUNT_MEMORY = JOB_MAX_POOLS + 1, COUNT_ITEMS };

int run_trace_open(struct run *run, struct error *error)
{
    const char *path = run->job.settings.trace;
    return path ? trace_open(&run->trace, path, error) : 0;
}

void run_trace_begin(struct run *run)
{
    char name[64];
    if (!run->trace)
        return;
    const struct trace_limits limits = {
        .began_ns = run->began_ns,
        .slots = run->machine.slot_count,
        .steps = run->step_names,
        .step_count = chain_steps(&run->job),
    };
    for (unsigned i = 0; i < limits.step_count; i++)
        run->step_names[i] = chain_step_name(&run->job, i);
    snprintf(name, sizeof name, "forkmill %d, engine %s", (int)getpid(), run->engine->name);
    trace_begin(run->trace, name, &limits);
    trace_name(run->trace, TRACE_SUPERVISOR, "supervisor");
    trace_name(run->trace, TRACE_READER, "reader");
    trace_name(run->trace, TRACE_WRITER, "writer");
    for (uint32_t i = 0; i < run->machine.worker_count; i++) {
        snprintf(name, sizeof name, "worker %u (pool %s)", i,
                 run->job.pools[run->machine.worker_pool[i]].name);
        trace_name(run->trace, TRACE_WORKER + i, name);
    }
    run->supervisor.tick_ms = TRACE_TICK_MS;
    run_trace_tick(run);
}

static void sample_counters(struct run *run)
{
    char name[40];
    uint64_t bytes, items;
    for (unsigned i = 0; i <= run->job.pool_count; i++) {
        bool last = i == run->job.pool_count;
        snprintf(name, sizeof name, "queue %s", last ? "writer" : run->job.pools[i].name);
        trace_count(run->trace, i, name, "items", queue_fill(&run->machine.queues[i]));
    }
    admission_now(&run->admission, &bytes, &items);
    trace_count(run->trace, COUNT_MEMORY, "memory in flight", "bytes", bytes);
    trace_count(run->trace, COUNT_ITEMS, "items in flight", "items", items);
}

static void tell_stop(struct run *run)
{
    static const char *const reasons[] = {
        [STOP_SIGNAL] = "a signal",
        [STOP_FAILURES] = "max_failures",
        [STOP_DISK_FULL] = "no room for outputs",
        [STOP_FATAL] = "the environment failed",
    };
    enum ledger_stop stop = ledger_stopped(&run->ledger);
    if (stop == STOP_NONE || run->stop_traced)
        return;
    run->stop_traced = true;
    const struct trace_event event = {
        .name = "stop", .category = "run", .reason = reasons[stop], .begin_ns = clock_ns()};
    trace_tell(run->trace, TRACE_SUPERVISOR, &event);
}

static void drain(struct run *run)
{
    struct machine *machine = &run->machine;
    for (uint32_t i = 0; i < machine->worker_count; i++)
        trace_drain(run->trace, &machine->rings[i], TRACE_WORKER + i);
    trace_drain(run->trace, &machine->rings[MACHINE_RING_READER(machine)], TRACE_READER);
    trace_drain(run->trace, &machine->rings[MACHINE_RING_WRITER(machine)], TRACE_WRITER);
}

void run_trace_tick(struct run *run)
{
    if (!run->trace || !run->began_ns)
        return;
    struct trace_event event = {.name = "trace", .category = "run", .begin_ns = clock_ns()};
    drain(run);
    sample_counters(run);
    tell_stop(run);
    trace_flush(run->trace);
    event.end_ns = clock_ns();
    /* Its own cost, where it is worth looking at. */
    if (event.end_ns - event.begin_ns > 500000)
        trace_tell(run->trace, TRACE_SUPERVISOR, &event);
}

/* What a worker was at when it died: the slice it did not live to record, and the moment. */
static void tell_death(struct run *run, uint32_t place, const struct error *cause)
{
    struct sight sight;
    struct trace_event event = {.category = "death", .reason = cause->reason};
    uint64_t now = clock_ns();
    if (sight_take(&sight, &run->machine, &run->ledger, place) && sight.running) {
        event.item = sight.item;
        event.attempt = sight.attempt;
        event.name = sight.stage;
        event.begin_ns = sight.step_since_ns;
        event.end_ns = now;
        /* The dead worker's word for when it began. */
        if (event.begin_ns >= run->began_ns && event.begin_ns <= now)
            trace_tell(run->trace, TRACE_WORKER + place, &event);
        event.stage = sight.stage;
    }
    event.name = "died";
    event.begin_ns = now;
    event.end_ns = 0;
    trace_tell(run->trace, TRACE_WORKER + place, &event);
}

void run_trace_news(struct run *run, enum supervisor_news news, uint32_t place, const struct error *cause)
{
    struct trace_event event = {.category = "worker", .begin_ns = clock_ns()};
    if (!run->trace)
        return;
    switch (news) {
    case SUPERVISOR_DIED:
        trace_drain(run->trace, &run->machine.rings[place], TRACE_WORKER + place);
        tell_death(run, place, cause);
        return;
    case SUPERVISOR_STARTED:
        event.name = "start";
        break;
    case SUPERVISOR_RECYCLED:
        event.name = "recycled";
        break;
    case SUPERVISOR_SLOW:
        event.name = "near its timeout";
        break;
    case SUPERVISOR_ASKED:
        return;
    }
    trace_tell(run->trace, TRACE_WORKER + place, &event);
}

void run_trace_end(struct run *run)
{
    struct trace_result result;
    struct error error = {0};
    uint64_t dropped = 0;
    const char *path = run->job.settings.trace;
    if (!run->trace)
        return;
    run_trace_tick(run);
    for (uint32_t i = 0; run->began_ns && i < MACHINE_RINGS(&run->machine); i++)
        dropped += trace_ring_dropped(&run->machine.rings[i]);
    int code = trace_close(run->trace, &result, &error);
    run->trace = NULL;
    if (code < 0)
        progress_message(run->progress, PROGRESS_ALWAYS, "trace: %s is not complete: %s", path, error.reason);
    else
        progress_message(run->progress, PROGRESS_VERBOSE, "trace: %" PRIu64 " events in %s", result.events,
                         path);
    if (dropped)
        progress_message(run->progress, PROGRESS_NORMAL,
                         "trace: %" PRIu64 " events left out: they came faster than they could be taken",
                         dropped);
    if (result.damaged)
        progress_message(run->progress, PROGRESS_NORMAL,
                         "trace: %" PRIu64 " events left out: they were damaged", result.damaged);
}
