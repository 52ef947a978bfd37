/* SPDX-License-Identifier: MIT */
#include "pipeline/engine/supervisor.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "pipeline/engine/death.h"
#include "pipeline/engine/recover.h"
#include "pipeline/engine/rows.h"
#include "pipeline/engine/worker.h"
#include "pipeline/shared/clock.h"

#define TICK_MS 100
/* A worker with nothing in hand that has not left this long after its queue closed is stuck or stopped. */
#define LEAVE_NS 500000000u
/* So long the fork server has to kill everybody before it is killed itself; and one worker, while the run
 * goes on: a busy machine is no reason to end it. */
#define OBEY_NS     1000000000u
#define OBEY_ONE_NS 5000000000u
/* The supervisor itself was stopped (Ctrl-Z, a debugger) when a tick took half of `timeout`, within these. */
#define GAP_LEAST_NS 500000000u
#define GAP_MOST_NS  2000000000u
/* Deaths at birth in a row, beyond one of each worker, without an item done: the workers cannot live here. */
#define EARLY_DEATHS 10u

/* A worker that could not be started, for want of memory or processes, is tried again after this. */
#define START_AGAIN_NS 100000000u

enum place { PLACE_EMPTY, PLACE_LIVE, PLACE_OVER };

struct supervised {
    enum place place;
    bool overstayed;             /* killed for it by us */
    bool slow;                   /* told */
    bool unburied;               /* gone, but others still have its rows in hand */
    struct engine_report report; /* while unburied */
    uint64_t again_ns;           /* not 0: it could not be started, and is tried again then */
    uint64_t first_beat;         /* its predecessor's last */
    uint64_t beat;               /* the last one seen */
    uint64_t since_ns;
};

/* How far shutting down has come: pools [0, closed) have been told to end. */
struct closing {
    bool begun;
    bool by_stop;
    unsigned pools_closed;
    uint64_t since_ns; /* of the last pool told */
    uint64_t limit_ns; /* everything is killed then */
};

struct loop {
    struct supervisor *supervisor;
    struct closing closing;
    uint32_t early_deaths;
    uint64_t items_seen;
    uint64_t last_tick_ns;
    bool disobeyed; /* the crew was destroyed for it */
};

static void tell(const struct supervisor *supervisor, enum supervisor_news news, uint32_t place,
                 const struct error *cause)
{
    if (supervisor->tell)
        supervisor->tell(supervisor->context, news, place, cause);
}

static void set_limit(struct loop *loop, uint64_t grace_ns)
{
    loop->closing.limit_ns = clock_ns() + grace_ns;
}

/* The crew is gone: of processes, every worker with it, by their death signal. What they held stays
 * unfinished. */
static void lose_crew(struct loop *loop)
{
    struct supervisor *supervisor = loop->supervisor;
    struct error error = {0};
    if (loop->disobeyed)
        error_set(&error, ERROR_INTERNAL,
                  "the fork server did not end a worker when it should; was it stopped?");
    else if (supervisor->engine->can_kill)
        error_set(&error, ERROR_INTERNAL, "the fork server died");
    else
        error_set(&error, ERROR_MEMORY, "a thread could not be started");
    supervisor->crew_lost = true;
    for (uint32_t i = 0; i < supervisor->places; i++)
        supervisor->workers[i].place = PLACE_OVER;
    ledger_stop_run(supervisor->ledger, STOP_FATAL, &error);
}

/* False: the crew is lost. */
static bool ask_for(struct supervisor *supervisor, uint32_t worker)
{
    struct supervised *supervised = &supervisor->workers[worker];
    const uint64_t beat = atomic_load(&supervisor->machine->workers[worker].beat);
    *supervised =
        (struct supervised){.place = PLACE_LIVE, .since_ns = clock_ns(), .first_beat = beat, .beat = beat};
    return supervisor->engine->start(supervisor->crew, worker);
}

static void start_worker(struct loop *loop, uint32_t worker)
{
    if (loop->supervisor->crew_lost)
        return; /* nobody would tell of its end */
    tell(loop->supervisor, SUPERVISOR_STARTED, worker, NULL);
    if (!ask_for(loop->supervisor, worker))
        lose_crew(loop);
}

static uint64_t items_done(const struct machine *machine)
{
    uint64_t items = 0;
    for (uint32_t i = 0; i < machine->worker_count; i++)
        items += atomic_load_explicit(&machine->workers[i].items, memory_order_relaxed);
    return items;
}

/* Did it do more than say that it is there? It began an item, or waited a nap for one. */
static bool settled(const struct loop *loop, uint32_t worker)
{
    uint64_t beat =
        atomic_load_explicit(&loop->supervisor->machine->workers[worker].beat, memory_order_relaxed);
    return beat - loop->supervisor->workers[worker].first_beat > 1;
}

/* Workers that die over and over before they did anything are a matter of the place, not of the inputs. */
static void count_early_death(struct loop *loop, bool lived, const struct error *cause)
{
    struct supervisor *supervisor = loop->supervisor;
    uint64_t items = items_done(supervisor->machine);
    if (lived || items != loop->items_seen)
        loop->early_deaths = 0;
    loop->items_seen = items;
    if (lived || ++loop->early_deaths < EARLY_DEATHS + supervisor->places)
        return;
    struct error error = {0};
    error_set(&error, ERROR_MEMORY, "workers die before they take an item; the last: %.160s", cause->reason);
    ledger_stop_run(supervisor->ledger, STOP_FATAL, &error);
}

/* Is there still work that a successor would be needed for? */
static bool wanted(const struct loop *loop, uint32_t worker)
{
    const struct machine *machine = loop->supervisor->machine;
    unsigned pool = machine->worker_pool[worker];
    if (pool >= loop->closing.pools_closed)
        return true;
    /* The first pool takes nothing more: a cell that is left there holds an item of the past, or one for the
     * next run. */
    return !loop->supervisor->crew_lost && pool > 0 && queue_fill(&machine->queues[pool]) > 0;
}

static bool any_live(const struct loop *loop)
{
    for (uint32_t i = 0; i < loop->supervisor->places; i++) {
        if (loop->supervisor->workers[i].place == PLACE_LIVE)
            return true;
    }
    return false;
}

static void bury(struct loop *loop, const struct engine_report *report)
{
    struct supervisor *supervisor = loop->supervisor;
    struct machine *machine = supervisor->machine;
    if (report->place >= supervisor->places)
        return;
    struct supervised *supervised = &supervisor->workers[report->place];
    supervised->unburied = !rows_bury(machine, report->place);
    if (supervised->unburied) {
        supervised->report = *report;
        return;
    }
    unsigned pool = machine->worker_pool[report->place];
    /* One that left with an item in its hands did not leave by itself: something in it called exit. */
    bool left = (report->exit_code == WORKER_FINISHED || report->exit_code == WORKER_RECYCLED) &&
                !recover_holds(machine, report->place);
    supervised->place = PLACE_OVER;
    if (left && report->exit_code == WORKER_RECYCLED) {
        supervisor->recycled[pool]++;
        tell(supervisor, SUPERVISOR_RECYCLED, report->place, NULL);
    }
    if (!left) {
        struct error cause = {0};
        death_cause(report, supervised->overstayed, machine->job->settings.timeout_ms, &cause);
        supervisor->deaths[pool]++;
        tell(supervisor, SUPERVISOR_DIED, report->place, &cause);
        bool retry = !loop->closing.by_stop;
        bool was_running =
            recover_worker(machine, supervisor->ledger, supervisor->admission, report->place, &cause, retry);
        for (unsigned i = 0; i <= machine->job->pool_count; i++)
            queue_wake_all(&machine->queues[i]);
        if (loop->closing.pools_closed <= pool && !(report->start_errno && any_live(loop)))
            count_early_death(loop, was_running || settled(loop, report->place), &cause);
    }
    if (atomic_exchange(&machine->workers[report->place].doing, WORKER_ABSENT) == WORKER_BUSY) {
        /* What it could not book itself. */
        atomic_fetch_add(&machine->workers[report->place].busy_ns, clock_ns() - supervised->since_ns);
    }
    if (!wanted(loop, report->place) || ledger_stopped(supervisor->ledger) == STOP_FATAL)
        return;
    if (report->start_errno)
        supervised->again_ns = clock_ns() + START_AGAIN_NS;
    else
        start_worker(loop, report->place);
}

/* Those that could not be started a moment ago. */
static void start_again(struct loop *loop)
{
    uint64_t now = clock_ns();
    for (uint32_t i = 0; i < loop->supervisor->places; i++) {
        const struct supervised *supervised = &loop->supervisor->workers[i];
        if (supervised->again_ns == 0 || now < supervised->again_ns)
            continue;
        if (wanted(loop, i) && ledger_stopped(loop->supervisor->ledger) == STOP_NONE)
            start_worker(loop, i);
        else
            loop->supervisor->workers[i].again_ns = 0;
    }
}

static void hear_crew(struct loop *loop)
{
    struct engine_report report;
    int got;
    while (!loop->supervisor->crew_lost &&
           (got = loop->supervisor->engine->next(loop->supervisor->crew, &report)) != 0) {
        if (got > 0)
            bury(loop, &report);
        else
            lose_crew(loop);
    }
}

/* Those whose helpers had not left yet. */
static void bury_the_rest(struct loop *loop)
{
    for (uint32_t i = 0; i < loop->supervisor->places; i++) {
        const struct engine_report report = loop->supervisor->workers[i].report;
        if (loop->supervisor->workers[i].unburied)
            bury(loop, &report);
    }
}

static void hear_signals(struct loop *loop)
{
    struct supervisor *supervisor = loop->supervisor;
    struct signalfd_siginfo info;
    while (read(supervisor->signal_fd, &info, sizeof info) == sizeof info) {
        if (info.ssi_signo == SIGUSR1) {
            tell(supervisor, SUPERVISOR_ASKED, 0, NULL);
            continue;
        }
        if (supervisor->signal != 0) {
            set_limit(loop, 0); /* the second time means now */
            continue;
        }
        supervisor->signal = (int)info.ssi_signo;
        ledger_stop_run(supervisor->ledger, STOP_SIGNAL, NULL);
    }
}

static uint64_t gap_ns(uint64_t timeout_ns)
{
    uint64_t half = timeout_ns / 2;
    return half < GAP_LEAST_NS ? GAP_LEAST_NS : half < GAP_MOST_NS ? half : GAP_MOST_NS;
}

/* Who was to be killed still lives: the fork server was stopped, or worse. hear_crew hears of its end. */
static void destroy_crew(struct loop *loop)
{
    const struct engine *engine = loop->supervisor->engine;
    if (!engine->destroy || loop->supervisor->crew_lost)
        return;
    loop->disobeyed = true;
    engine->destroy(loop->supervisor->crew);
}

/* Kills workers that have shown no sign of life for `timeout`: computing too long, or stopped. */
static void watch(struct loop *loop)
{
    struct supervisor *supervisor = loop->supervisor;
    uint64_t timeout_ns = supervisor->machine->job->settings.timeout_ms * 1000000;
    uint64_t now = clock_ns();
    bool gap = now - loop->last_tick_ns > gap_ns(timeout_ns);
    for (uint32_t i = 0; i < supervisor->places; i++) {
        struct supervised *supervised = &supervisor->workers[i];
        uint64_t beat = atomic_load_explicit(&supervisor->machine->workers[i].beat, memory_order_relaxed);
        if (supervised->place != PLACE_LIVE || supervised->unburied)
            continue;
        if (beat != supervised->beat || gap) {
            supervised->beat = beat;
            supervised->since_ns = now;
            supervised->overstayed = false;
            supervised->slow = false;
        } else if (timeout_ns && now - supervised->since_ns > timeout_ns + OBEY_ONE_NS) {
            destroy_crew(loop);
        } else if (timeout_ns && now - supervised->since_ns > timeout_ns && !supervised->overstayed) {
            supervised->overstayed = supervisor->engine->kill(supervisor->crew, i);
            supervisor->overstays += !supervisor->engine->can_kill;
        } else if (timeout_ns && now - supervised->since_ns > timeout_ns / 5 * 4 && !supervised->slow) {
            supervised->slow = true;
            tell(supervisor, SUPERVISOR_SLOW, i, NULL);
        }
    }
    loop->last_tick_ns = now;
}

static bool pool_empty(const struct loop *loop, unsigned pool)
{
    const struct supervisor *supervisor = loop->supervisor;
    for (uint32_t i = 0; i < supervisor->places; i++) {
        if (supervisor->machine->worker_pool[i] == pool && supervisor->workers[i].place == PLACE_LIVE)
            return false;
    }
    return true;
}

static void kill_pool(struct loop *loop, unsigned pool)
{
    struct supervisor *supervisor = loop->supervisor;
    for (uint32_t i = 0; i < supervisor->places; i++) {
        if (supervisor->machine->worker_pool[i] == pool && supervisor->workers[i].place == PLACE_LIVE)
            supervisor->engine->kill(supervisor->crew, i);
    }
}

static void begin_closing(struct loop *loop)
{
    struct supervisor *supervisor = loop->supervisor;
    bool stopped = ledger_stopped(supervisor->ledger) != STOP_NONE;
    if (loop->closing.begun || !(stopped || ledger_finished(supervisor->ledger)))
        return;
    loop->closing.begun = true;
    loop->closing.by_stop = stopped;
    if (loop->closing.limit_ns == 0)
        set_limit(loop, supervisor->machine->job->settings.grace_ms * 1000000);
    admission_stop(supervisor->admission);
    eventfd_write(supervisor->stop_fd, 1);
    /* The first pool takes nothing more from its queue; what is beyond it is still finished. */
    queue_close(&supervisor->machine->queues[0], QUEUE_DISCARD);
    loop->closing.pools_closed = 1;
    loop->closing.since_ns = clock_ns();
}

/* Closes one pool after the other, each when no worker before it is left. True: all are. */
static bool advance_closing(struct loop *loop)
{
    struct supervisor *supervisor = loop->supervisor;
    struct machine *machine = supervisor->machine;
    if (!loop->closing.begun)
        return false;
    uint64_t now = clock_ns();
    while (pool_empty(loop, loop->closing.pools_closed - 1)) {
        if (loop->closing.pools_closed == machine->job->pool_count)
            return true;
        queue_close(&machine->queues[loop->closing.pools_closed++], QUEUE_DRAIN);
        loop->closing.since_ns = now;
    }
    bool nothing_open = !loop->closing.by_stop && now - loop->closing.since_ns > LEAVE_NS;
    if (nothing_open)
        kill_pool(loop, loop->closing.pools_closed - 1);
    if (now >= loop->closing.limit_ns) {
        loop->closing.by_stop = true;
        for (unsigned pool = 0; pool < machine->job->pool_count; pool++)
            kill_pool(loop, pool);
        supervisor->abandoned = !supervisor->engine->can_kill;
        if (now - loop->closing.limit_ns > OBEY_NS)
            destroy_crew(loop);
    }
    return supervisor->abandoned;
}

static void wait_for_news(const struct loop *loop)
{
    const struct supervisor *supervisor = loop->supervisor;
    struct pollfd wait[3] = {
        {.fd = supervisor->crew_lost ? -1 : supervisor->engine->descriptor(supervisor->crew),
         .events = POLLIN},
        {.fd = supervisor->signal_fd, .events = POLLIN},
        /* Once the end has begun this descriptor has nothing more to say. */
        {.fd = loop->closing.begun ? -1 : supervisor->ledger->event_fd, .events = POLLIN},
    };
    int tick_ms = supervisor->tick_ms ? (int)supervisor->tick_ms : TICK_MS;
    poll(wait, 3, loop->closing.begun ? TICK_MS / 10 : tick_ms);
}

int supervisor_begin(struct supervisor *supervisor, struct error *error)
{
    supervisor->workers = calloc(supervisor->places, sizeof *supervisor->workers);
    if (!supervisor->workers)
        return error_set(error, ERROR_MEMORY, "out of memory");
    for (uint32_t i = 0; i < supervisor->places && !supervisor->crew_lost; i++)
        supervisor->crew_lost = !ask_for(supervisor, i);
    return 0;
}

void supervisor_drop(struct supervisor *supervisor)
{
    free(supervisor->workers);
    supervisor->workers = NULL;
}

int supervisor_run(struct supervisor *supervisor, struct error *error)
{
    struct loop loop = {.supervisor = supervisor, .last_tick_ns = clock_ns()};
    if (!supervisor->workers)
        TRY(supervisor_begin(supervisor, error));
    for (uint32_t i = 0; i < supervisor->places; i++)
        tell(supervisor, SUPERVISOR_STARTED, i, NULL);
    if (supervisor->crew_lost)
        lose_crew(&loop);
    while (!advance_closing(&loop)) {
        wait_for_news(&loop);
        hear_crew(&loop);
        bury_the_rest(&loop);
        start_again(&loop);
        hear_signals(&loop);
        watch(&loop);
        begin_closing(&loop);
        supervisor->tick(supervisor->context);
    }
    queue_close(&supervisor->machine->queues[supervisor->machine->job->pool_count], QUEUE_DRAIN);
    supervisor_drop(supervisor);
    return 0;
}
