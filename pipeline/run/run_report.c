/* SPDX-License-Identifier: MIT */
/* What a run tells while it lasts and when it is over. */
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "pipeline/config/allotted.h"
#include "pipeline/engine/chain.h"
#include "pipeline/report/summary.h"
#include "pipeline/report/units.h"
#include "pipeline/run/exit_code.h"
#include "pipeline/run/run_parts.h"
#include "pipeline/run/sight.h"
#include "pipeline/shared/clock.h"

/* The ledger's news. A warning is shown once for each text; with -v, every time. */
static void tell(void *context, enum ledger_news news, const char *shown, const char *stage, const char *text)
{
    struct run *run = context;
    const char *colon = *stage ? ": " : "";
    enum progress_level level = PROGRESS_NORMAL;
    switch (news) {
    case NEWS_FAILED:
        progress_message(run->progress, level, "failed: %s: %s%s%s", shown, stage, colon, text);
        if (run->failed_line == 0)
            run->failed_line = progress_lines(run->progress);
        break;
    case NEWS_NOTE:
        progress_message(run->progress, level, "left out: %s: %s", shown, text);
        break;
    case NEWS_HINT:
        progress_message(run->progress, level, "warning: %s %s", shown, text);
        break;
    case NEWS_WARNING:
        for (unsigned i = 0; i < run->warning_count && level == PROGRESS_NORMAL; i++) {
            if (strcmp(run->warnings[i], text) == 0)
                level = PROGRESS_VERBOSE;
        }
        if (level == PROGRESS_NORMAL && run->warning_count == RUN_DISTINCT_WARNINGS)
            level = PROGRESS_VERBOSE;
        if (level == PROGRESS_NORMAL)
            strncpy(run->warnings[run->warning_count++], text, sizeof run->warnings[0] - 1);
        progress_message(run->progress, level, "warning: %s: %s", shown, text);
        break;
    }
}

/* Processes times threads, against what may run at once. */
static void tell_crew(struct run *run)
{
    char why[256];
    unsigned workers = run->machine.worker_count, cpus = (unsigned)allotted_workers("", why, sizeof why);
    unsigned processes = run->engine->can_kill ? workers : 1, threads = run->engine->can_kill ? 1 : workers;
    progress_message(run->progress, PROGRESS_VERBOSE, "%u process%s x %u thread%s, %u CPU%s allotted%s",
                     processes, processes == 1 ? "" : "es", threads, threads == 1 ? "" : "s", cpus,
                     cpus == 1 ? "" : "s", workers > cpus ? ": they take turns" : "");
}

/* Without a table, what such a stage finds out is lost. */
static void tell_untold(struct run *run)
{
    const struct job *job = &run->job;
    for (unsigned i = 0; i < job->stage_count && !job->settings.collect_file; i++) {
        if (job->stages[i].stage->records)
            progress_message(
                run->progress, PROGRESS_NORMAL,
                "what %s tells goes nowhere: collect.file (--collect-file FILE.csv) names a table for it",
                job->stages[i].stage->name);
    }
}

static void tell_beginning(struct run *run)
{
    const struct job *job = &run->job;
    tell_crew(run);
    tell_untold(run);
    if (run->swept)
        progress_message(run->progress, PROGRESS_NORMAL, "removed %llu temporary file%s of a killed run",
                         (unsigned long long)run->swept, run->swept == 1 ? "" : "s");
    for (unsigned i = 0; i < job->pool_count; i++)
        progress_message(run->progress, PROGRESS_VERBOSE, "pool %s: %lld worker%s (%s), queue of %lld",
                         job->pools[i].name, (long long)job->pools[i].workers,
                         job->pools[i].workers == 1 ? "" : "s",
                         run->engine->one_worker     ? "engine serial"
                         : job->pools[i].own_workers ? "its own"
                                                     : job->workers_from,
                         (long long)job->pools[i].queue);
    for (unsigned i = 0; i < job->pool_count; i++) {
        if (job->pools[i].unconfined)
            progress_message(run->progress, PROGRESS_NORMAL,
                             "pool %s runs commands: its workers are outside the sandbox",
                             job->pools[i].name);
    }
    progress_message(run->progress, PROGRESS_VERBOSE, "%u slots in %s, memory %llu MiB",
                     run->machine.slot_count, run->machine.arena.memfd ? "a memfd" : "/dev/shm",
                     (unsigned long long)job->settings.memory_bytes >> 20);
    if (run->machine.arena.memfd)
        progress_message(run->progress, PROGRESS_NORMAL, "using a memfd for shared memory: %s",
                         run->machine.arena.why_memfd);
    bool lacking = false;
    const char *confinement = run->engine->confinement ? run->engine->confinement(run->crew, &lacking) : "";
    if (*confinement)
        progress_message(run->progress, lacking ? PROGRESS_NORMAL : PROGRESS_VERBOSE, "%s", confinement);
    if (run->fenced)
        progress_message(run->progress, PROGRESS_VERBOSE,
                         "files: this process may read nothing but inputs and write nothing but outputs");
    if (*run->why_no_ring)
        progress_message(run->progress, PROGRESS_NORMAL, "no io_uring here (%s): inputs are read without it",
                         run->why_no_ring);
    if (*job->lowered)
        progress_message(run->progress, PROGRESS_NORMAL, "%s", job->lowered);
    if (run->memory_lowered)
        progress_message(run->progress, PROGRESS_NORMAL, "memory lowered to %llu MiB: %s",
                         (unsigned long long)job->settings.memory_bytes >> 20, run->memory_why);
}

/* Workers that are there already wait since they came to life. */
static void note_early(struct run *run)
{
    for (uint32_t i = 0; i < run->machine.worker_count; i++) {
        const struct worker_cell *cell = &run->machine.workers[i];
        const uint64_t since_ns = atomic_load_explicit(&cell->since_ns, memory_order_relaxed);
        if (since_ns > 0 && since_ns < run->began_ns)
            run->early_ns[run->machine.worker_pool[i]] += run->began_ns - since_ns;
    }
}

static uint64_t without_early(const struct run *run, unsigned pool, uint64_t starved_ns)
{
    return starved_ns > run->early_ns[pool] ? starved_ns - run->early_ns[pool] : 0;
}

/* Sums of a pool's workers up to now; what a worker is at is booked when it is over. */
static void sample_pools(struct run *run, uint64_t at_ns)
{
    const struct machine *machine = &run->machine;
    struct series_pool pools[JOB_MAX_POOLS] = {0};
    for (uint32_t i = 0; i < machine->worker_count; i++) {
        const struct worker_cell *cell = &machine->workers[i];
        struct series_pool *pool = &pools[machine->worker_pool[i]];
        pool->busy_ns += atomic_load_explicit(&cell->busy_ns, memory_order_relaxed);
        pool->starved_ns += atomic_load_explicit(&cell->starved_ns, memory_order_relaxed);
        pool->blocked_ns += atomic_load_explicit(&cell->blocked_ns, memory_order_relaxed);
    }
    for (unsigned i = 0; i < run->job.pool_count; i++)
        pools[i].starved_ns = without_early(run, i, pools[i].starved_ns);
    series_add(&run->series, at_ns, run->job.pool_count, pools);
}

void run_report_begin(struct run *run)
{
    run->began_ns = clock_ns();
    note_early(run);
    run->progress = progress_open(STDERR_FILENO, run->options.verbosity);
    run->watchdog.limit_ns = run->job.settings.stall_warning_ms * 1000000;
    run->ledger.tell = tell;
    run->ledger.tell_context = run;
    sample_pools(run, 0);
    tell_beginning(run);
    run_trace_begin(run);
}

static void tell_workers(struct run *run, enum progress_level level)
{
    char text[1024];
    struct sight sight;
    const uint64_t now = clock_ns();
    for (uint32_t i = 0; sight_take(&sight, &run->machine, &run->ledger, i); i++)
        progress_message(run->progress, level, "%s", sight_text(&sight, run->engine, now, text, sizeof text));
}

/* The answer to SIGUSR1. */
static void tell_now(struct run *run)
{
    char text[1024], bytes_text[UNITS_SIZE], memory_text[UNITS_SIZE];
    uint64_t bytes, items;
    tell_workers(run, PROGRESS_ALWAYS);
    size_t used = 0;
    for (unsigned i = 0; i <= run->job.pool_count && used < sizeof text; i++) {
        const struct queue *queue = &run->machine.queues[i];
        used += (size_t)snprintf(text + used, sizeof text - used, "%squeue %s %u of %u", i ? ", " : "",
                                 i < run->job.pool_count ? run->job.pools[i].name : "writer",
                                 queue_fill(queue), queue->capacity);
    }
    progress_message(run->progress, PROGRESS_ALWAYS, "%s", text);
    admission_now(&run->admission, &bytes, &items);
    progress_message(run->progress, PROGRESS_ALWAYS, "in flight: %llu item%s, %s of %s",
                     (unsigned long long)items, items == 1 ? "" : "s",
                     units_memory(bytes, bytes_text, sizeof bytes_text),
                     units_memory(run->admission.budget_bytes, memory_text, sizeof memory_text));
}

void run_report_news(void *context, enum supervisor_news news, uint32_t place, const struct error *cause)
{
    struct run *run = context;
    char text[1024], timeout[UNITS_SIZE];
    struct sight sight;
    run_trace_news(run, news, place, cause);
    if (news == SUPERVISOR_ASKED) {
        tell_now(run);
    } else if (news == SUPERVISOR_SLOW && sight_take(&sight, &run->machine, &run->ledger, place)) {
        sight_text(&sight, run->engine, clock_ns(), text, sizeof text);
        units_duration(run->job.settings.timeout_ms * 1000000, timeout, sizeof timeout);
        progress_message(run->progress, PROGRESS_NORMAL, "%s; timeout is %s", text, timeout);
    }
}

static uint64_t left_undone(const struct ledger_counts *counts)
{
    return counts->found - counts->done - counts->skipped - counts->failed;
}

static void watch(struct run *run, const struct ledger_counts *counts)
{
    struct watchdog *dog = &run->watchdog;
    const uint64_t now = clock_ns(), left = left_undone(counts);
    char wait[UNITS_SIZE];
    if (!watchdog_barks(dog, now, counts->found - left, left > 0))
        return;
    progress_message(run->progress, PROGRESS_NORMAL, "no item has ended for %s",
                     units_duration(now - dog->since_ns, wait, sizeof wait));
    tell_workers(run, PROGRESS_NORMAL);
}

void run_report_tick(void *context)
{
    struct run *run = context;
    uint64_t at_ns = clock_ns() - run->began_ns;
    if (series_due(&run->series, at_ns))
        sample_pools(run, at_ns);
    bool listing_done;
    struct ledger_counts counts = ledger_counts(&run->ledger, &listing_done);
    const struct progress_counts shown = {
        .found = counts.found,
        .expected = run->expected,
        .listing_done = listing_done,
        .done = counts.done,
        .failed = counts.failed,
        .skipped = counts.skipped,
        .bytes_in = counts.bytes_in,
        .bytes_out = counts.bytes_out,
        .pixels = counts.pixels_in,
    };
    progress_update(run->progress, &shown);
    run_trace_tick(run);
    watch(run, &counts);
    if (run->supervisor.overstays > run->overstays_told) {
        run->overstays_told = run->supervisor.overstays;
        progress_message(run->progress, PROGRESS_NORMAL,
                         "an item holds its worker longer than timeout; engine %s cannot end it",
                         run->engine->name);
    }
    if (run->supervisor.signal && !run->signal_told) {
        run->signal_told = true;
        progress_message(run->progress, PROGRESS_NORMAL,
                         "stopping: finishing the items in hand; again stops now");
    }
}

static int exit_code(const struct run *run)
{
    const struct ledger *ledger = &run->ledger;
    switch (ledger->stop) {
    case STOP_SIGNAL:
        return 128 + run->supervisor.signal;
    case STOP_FAILURES:
        return EXIT_STOPPED;
    case STOP_DISK_FULL:
        return EXIT_FATAL;
    case STOP_FATAL:
        return ledger->stop_error.code == ERROR_MEMORY ? EXIT_RESOURCES : EXIT_FATAL;
    case STOP_NONE:
        break;
    }
    const struct scan_counts listing = scan_counts(run->scan);
    if (!scan_found(&listing))
        return EXIT_NO_INPUT;
    /* Every item ends as done, skipped or failed; anything else would be a hole in the account. */
    if (left_undone(&ledger->counts) != 0)
        return EXIT_FATAL;
    return ledger->counts.failed ? EXIT_FAILED_ITEMS : EXIT_DONE;
}

static void tell_nothing_found(struct run *run)
{
    char left[SUMMARY_LEFT_OUT_SIZE];
    const struct scan_counts counts = scan_counts(run->scan);
    if (scan_found(&counts))
        return;
    summary_left_out(&counts, left, sizeof left);
    progress_message(run->progress, PROGRESS_ALWAYS, "no input matched%s%s", *left ? "; left out: " : "",
                     left);
}

static void tell_end(struct run *run)
{
    const struct ledger *ledger = &run->ledger;
    unsigned long long left = left_undone(&ledger->counts), remembered = ledger->counts.remembered;
    if (ledger->stop == STOP_DISK_FULL || ledger->stop == STOP_FATAL)
        progress_message(run->progress, PROGRESS_ALWAYS, "stopped: %s", ledger->stop_error.reason);
    else if (ledger->stop == STOP_FAILURES)
        progress_message(run->progress, PROGRESS_ALWAYS, "stopped: max_failures %s reached",
                         run->job.settings.max_failures);
    if (ledger->stop == STOP_NONE)
        tell_nothing_found(run);
    if (remembered)
        progress_message(run->progress, PROGRESS_NORMAL,
                         "%llu of the failed had failed before and were not tried again; --retry-failed does",
                         remembered);
    const bool listed = ledger->listing_done || ledger->stop == STOP_NONE;
    if (left || !listed)
        progress_message(run->progress, PROGRESS_ALWAYS, "left undone: %llu of the items found%s%s", left,
                         listed ? "" : ", and what was not listed yet",
                         run->journal ? "; the same command goes on" : "");
}

static uint64_t time_ns(struct timeval time)
{
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_usec * 1000u;
}

/* User and system time of this process and of all it waited for: fork server and workers. */
static uint64_t cpu_ns(void)
{
    struct rusage self, children;
    getrusage(RUSAGE_SELF, &self);
    getrusage(RUSAGE_CHILDREN, &children);
    return time_ns(self.ru_utime) + time_ns(self.ru_stime) + time_ns(children.ru_utime) +
           time_ns(children.ru_stime);
}

static void fill_pools(const struct run *run, struct summary *summary)
{
    const struct machine *machine = &run->machine;
    summary->pool_count = run->job.pool_count;
    for (unsigned i = 0; i < summary->pool_count; i++) {
        struct summary_pool *pool = &summary->pools[i];
        snprintf(pool->name, sizeof pool->name, "%s", run->job.pools[i].name);
        pool->workers = (unsigned)run->job.pools[i].workers;
        pool->deaths = run->supervisor.deaths[i];
        pool->recycled = run->supervisor.recycled[i];
        summary->deaths += pool->deaths;
        summary->recycled += pool->recycled;
    }
    for (uint32_t i = 0; i < machine->worker_count; i++) {
        const struct worker_cell *cell = &machine->workers[i];
        struct summary_pool *pool = &summary->pools[machine->worker_pool[i]];
        pool->items += atomic_load(&cell->items);
        pool->busy_ns += atomic_load(&cell->busy_ns);
        pool->starved_ns += atomic_load(&cell->starved_ns);
        pool->blocked_ns += atomic_load(&cell->blocked_ns);
    }
    for (unsigned i = 0; i < summary->pool_count; i++)
        summary->pools[i].starved_ns = without_early(run, i, summary->pools[i].starved_ns);
}

static void fill_steps(const struct run *run, struct summary *summary)
{
    summary->step_count = chain_steps(&run->job);
    for (unsigned i = 0; i < summary->step_count; i++) {
        struct summary_step *step = &summary->steps[i];
        snprintf(step->name, sizeof step->name, "%s", chain_step_name(&run->job, i));
        step->ns = run->writer.step_ns[i];
    }
}

/* The two count as one: while the reader waits for room, the feeder may be busy. */
static void add_feeder(struct summary_reader *reader, uint64_t reading_ns, uint64_t wall_ns)
{
    reader->blocked_ns -= reading_ns < reader->blocked_ns ? reading_ns : reader->blocked_ns;
    const uint64_t idle_ns = reader->listing_ns + reader->memory_ns + reader->blocked_ns;
    const uint64_t most_ns = wall_ns > idle_ns ? wall_ns - idle_ns : 0;
    if (reader->busy_ns < most_ns)
        reader->busy_ns = reading_ns < most_ns - reader->busy_ns ? reader->busy_ns + reading_ns : most_ns;
}

static void fill(struct run *run, struct summary *summary)
{
    const struct ledger_counts *counts = &run->ledger.counts;
    char why[256];
    summary->engine = run->engine->name;
    summary->alone = run->engine->one_worker;
    summary->output = run->given->settings.output;
    summary->journal = run->journal != NULL;
    summary->workers_from = run->given->workers_from;
    summary->exit_code = exit_code(run);
    summary->found = counts->found;
    summary->done = counts->done;
    summary->skipped = counts->skipped;
    summary->remembered = counts->remembered;
    summary->warnings = counts->warnings;
    summary->listing = run->reader.ahead.counts;
    summary->wall_ns = clock_ns() - run->began_ns;
    summary->cpu_ns = cpu_ns();
    summary->bytes_in = counts->bytes_in;
    summary->bytes_out = counts->bytes_out;
    summary->pixels = counts->pixels_in;
    summary->retries = counts->retried;
    summary->peak_in_flight_bytes = run->admission.peak_bytes;
    summary->memory_bytes = run->admission.budget_bytes;
    summary->cpus = (unsigned)allotted_workers("", why, sizeof why);
    summary->reader.listing_ns = run->reader.listing_ns;
    summary->reader.memory_ns = run->admission.memory_wait_ns;
    summary->reader.blocked_ns = run->admission.slot_wait_ns + run->reader.blocked_ns;
    summary->reader.busy_ns = run->reader.reading_ns - summary->reader.memory_ns - summary->reader.blocked_ns;
    add_feeder(&summary->reader, run->feeder.reading_ns, summary->wall_ns);
    summary->writer.busy_ns = run->writer.busy_ns;
    summary->writer.starved_ns = run->writer.starved_ns;
    fill_pools(run, summary);
    fill_steps(run, summary);
    sample_pools(run, summary->wall_ns);
    summary->series = run->series;
    run->series = (struct series){0};
    for (size_t i = 0; i < run->ledger.failure_count; i++) {
        const struct ledger_failure *failure = &run->ledger.failures[i];
        summary_fail(summary, failure->shown ? failure->shown : "", &failure->error, failure->attempts);
    }
    summary->failed = counts->failed;
}

int run_report_end(struct run *run)
{
    run_report_tick(run);
    tell_end(run);
    run_trace_end(run);
    run->summary->failures_in_sight =
        run->failed_line > 0 && progress_lines(run->progress) - run->failed_line < SUMMARY_SHOWN_FAILURES;
    progress_close(run->progress);
    run->progress = NULL;
    fill(run, run->summary);
    return run->summary->exit_code;
}
