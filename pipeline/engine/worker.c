/* SPDX-License-Identifier: MIT */
#include "pipeline/engine/worker.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pipeline/engine/rows.h"
#include "pipeline/shared/clock.h"
#include "pipeline/shared/stall.h"

/* Scratch pages that all workers together keep warm between items, or a huge page each where that is more;
 * not in the budget of `memory`. */
#define WARM_SCRATCH_BYTES ((size_t)32 << 20)

struct worker {
    const struct machine *machine;
    struct worker_cell *cell;
    struct queue in, out, written; /* copies: how long to spin is each worker's own experience */
    unsigned owner;
    unsigned first_step, last_step;
    struct rows rows;
    struct chain_sharing sharing;
    bool helps; /* idle workers of this pool help each other */
    struct scratch scratch;
    size_t (*mapped_bytes)[SLOT_PARTS]; /* of each slot */
    size_t scratch_limit_bytes, warm_bytes;
    int64_t left; /* items until recycled; -1: never */
    uint32_t pool_workers;
    uint64_t since_ns; /* when it began what it is doing */
};

/* No `batch` is larger. */
#define WORKER_MOST_HELD 64u

/* One slot in the worker's hands. */
struct held {
    uint32_t slot;
    uint64_t seen;
    bool failed;
};

static void beat(void *context)
{
    struct worker *worker = context;
    atomic_fetch_add_explicit(&worker->cell->beat, 1, memory_order_relaxed);
}

/* Books the time since the last call under `account`. */
static void book(struct worker *worker, _Atomic uint64_t *account)
{
    uint64_t now = clock_ns();
    atomic_fetch_add_explicit(account, now - worker->since_ns, memory_order_relaxed);
    worker->since_ns = now;
}

/* The same for time at work, but for what of it was waiting for files: that was starving. */
static void book_work(struct worker *worker)
{
    struct worker_cell *cell = worker->cell;
    const uint64_t now = clock_ns(), spent = now - worker->since_ns;
    uint64_t waited = atomic_exchange_explicit(&cell->fed_ns, 0, memory_order_relaxed);
    waited = waited < spent ? waited : spent; /* the last worker here may have died with some */
    atomic_fetch_add_explicit(&cell->busy_ns, spent - waited, memory_order_relaxed);
    atomic_fetch_add_explicit(&cell->starved_ns, waited, memory_order_relaxed);
    worker->since_ns = now;
}

static void doing(struct worker *worker, enum worker_doing what)
{
    atomic_store_explicit(&worker->cell->since_ns, worker->since_ns, memory_order_relaxed);
    atomic_store_explicit(&worker->cell->doing, (uint32_t)what, memory_order_relaxed);
    beat(worker);
}

/* Scratch beyond the warm part goes back to the system: the item that needed it is no longer in flight soon.
 */
static void cool_scratch(struct worker *worker)
{
    uint8_t *base = worker->scratch.base;
    const size_t to_huge = (size_t)(-(uintptr_t)base % ARENA_HUGE_BYTES);
    const size_t warm_bytes = to_huge + arena_round_huge(worker->warm_bytes); /* no huge page is torn */
    if (worker->scratch.size_bytes > warm_bytes)
        madvise(base + warm_bytes, worker->scratch.size_bytes - warm_bytes, MADV_DONTNEED);
}

/* Maps what the slot has committed since this worker last had it. The pages are there; but each would cost a
 * fault of its own when it is first touched, in every process, and a fault can cost as much as decoding what
 * fits a page. */
static void map_slot(struct worker *worker, uint32_t index)
{
    size_t *mapped = worker->mapped_bytes[index];
    const struct slot *slot = &worker->machine->slots[index];
    for (unsigned part = 0; part < SLOT_PARTS; part++) {
        const size_t have = slot->have.part_bytes[part];
        if (have <= mapped[part])
            continue;
        uint8_t *base = machine_part(worker->machine, index, (enum slot_part)part);
        madvise(base + mapped[part], have - mapped[part], ARENA_POPULATE);
        mapped[part] = have;
    }
}

/* Runs one slot. False: it was taken away. */
static bool run_slot(struct worker *worker, struct held *held)
{
    const struct machine *machine = worker->machine;
    struct slot *slot = &machine->slots[held->slot];
    atomic_store_explicit(&worker->cell->slot, held->slot, memory_order_relaxed);
    doing(worker, WORKER_BUSY);
    stall(STALL_BEGIN);
    if (!slot_move(&machine->words[held->slot], &held->seen, SLOT_RUNNING, 0, worker->owner))
        return false;
    map_slot(worker, held->slot);
    worker->scratch.size_bytes = slot->have.scratch_bytes < worker->scratch_limit_bytes
                                     ? slot->have.scratch_bytes
                                     : worker->scratch_limit_bytes;
    stall_spoil(worker->scratch.base, worker->scratch.size_bytes);
    held->failed = chain_run(machine, held->slot, worker->first_step, worker->last_step, &worker->scratch,
                             worker->sharing.work ? &worker->sharing : NULL) < 0;
    cool_scratch(worker);
    stall(STALL_RAN);
    atomic_fetch_add_explicit(&worker->cell->items, 1, memory_order_relaxed);
    /* Announced at once, so that from here on this worker's death cannot touch the item; placed in a cell,
     * which may wake somebody, when the batch is done. */
    struct queue *next = held->failed ? &worker->written : &worker->out;
    return queue_announce(next, held->slot, &held->seen, worker->owner) == QUEUE_OK;
}

static bool more_if_small(void *context, uint32_t slot)
{
    const struct machine *machine = context;
    return machine->slots[slot].small != 0;
}

/* A batch is for small items, and no larger than this worker's share of what waits. */
static uint32_t fair_share(const struct worker *worker)
{
    uint32_t share = queue_fill(&worker->in) / worker->pool_workers;
    uint32_t batch = (uint32_t)worker->machine->job->settings.batch;
    share = share < 1 ? 1 : share > batch ? batch : share;
    if (worker->left >= 0 && share > worker->left)
        share = (uint32_t)worker->left;
    return share;
}

/* A shorter wait for room is no news. */
#define PLACE_NOTED_NS 20000u

/* Without the item's name: once announced, the slot is no longer this worker's to read. */
static void note_place(const struct worker *worker, struct trace_record *record)
{
    record->end_ns = clock_ns();
    if (record->end_ns - record->begin_ns >= PLACE_NOTED_NS)
        trace_ring_put(&worker->machine->rings[worker->owner - SLOT_OWNER_WORKER], record);
}

static void place_all(struct worker *worker, const struct held *held, uint32_t count)
{
    bool waited = false;
    bool traced = worker->machine->rings != NULL;
    for (uint32_t i = 0; i < count; i++) {
        struct trace_record record = {.slot = held[i].slot, .kind = TRACE_PLACE};
        if (traced)
            record.begin_ns = clock_ns();
        struct queue *next = held[i].failed ? &worker->written : &worker->out;
        while (queue_place(next, held[i].slot, held[i].seen) == QUEUE_TIMED_OUT) {
            if (!waited)
                book_work(worker);
            waited = true;
            doing(worker, WORKER_BLOCKED);
        }
        if (waited)
            book(worker, &worker->cell->blocked_ns);
        waited = false;
        if (traced)
            note_place(worker, &record);
    }
}

/* Nothing is queued: perhaps another worker of the pool shares its rows. */
static void help(struct worker *worker)
{
    worker->scratch.size_bytes = worker->scratch_limit_bytes;
    if (!rows_help(&worker->rows, &worker->scratch))
        return;
    cool_scratch(worker);
    book_work(worker);
    doing(worker, WORKER_IDLE);
}

enum worker_end worker_step(struct worker *worker)
{
    uint32_t slots[WORKER_MOST_HELD], count;
    uint64_t seen[WORKER_MOST_HELD];
    struct held held[WORKER_MOST_HELD];
    if (worker->left == 0)
        return WORKER_RECYCLED;
    enum queue_result result = queue_take(&worker->in, worker->owner, fair_share(worker), more_if_small,
                                          (void *)(uintptr_t)worker->machine, slots, seen, &count);
    book(worker, &worker->cell->starved_ns);
    if (result == QUEUE_CLOSED)
        return WORKER_FINISHED;
    if (result != QUEUE_OK) {
        beat(worker);
        if (worker->helps)
            help(worker);
        return WORKER_GOES_ON;
    }
    for (uint32_t i = 0; i < count; i++) {
        held[i] = (struct held){slots[i], seen[i], false};
        atomic_store_explicit(&worker->cell->claimed, count - i - 1, memory_order_relaxed);
        if (!run_slot(worker, &held[i]))
            return WORKER_LOST_SLOT;
    }
    stall(STALL_ANNOUNCED);
    place_all(worker, held, count);
    book_work(worker);
    if (worker->left > 0)
        worker->left -= count;
    doing(worker, WORKER_IDLE);
    return WORKER_GOES_ON;
}

struct worker *worker_open(const struct machine *machine, uint32_t place)
{
    const struct job *job = machine->job;
    unsigned pool = machine->worker_pool[place];
    struct worker *worker = malloc(sizeof *worker);
    size_t limit_bytes = arena_round(job->settings.memory_bytes);
    void *scratch =
        mmap(NULL, limit_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    size_t(*mapped_bytes)[SLOT_PARTS] = calloc(machine->slot_count, sizeof *mapped_bytes);
    if (!worker || !mapped_bytes || scratch == MAP_FAILED) {
        free(mapped_bytes);
        free(worker);
        if (scratch != MAP_FAILED)
            munmap(scratch, limit_bytes);
        return NULL;
    }
    madvise(scratch, limit_bytes, MADV_HUGEPAGE);
    *worker = (struct worker){
        .machine = machine,
        .cell = &machine->workers[place],
        .in = machine->queues[pool],
        .out = machine->queues[pool + 1],
        .written = machine->queues[job->pool_count],
        .owner = SLOT_OWNER_WORKER + place,
        .scratch = {.base = scratch},
        .mapped_bytes = mapped_bytes,
        .scratch_limit_bytes = limit_bytes,
        .warm_bytes = WARM_SCRATCH_BYTES / machine->worker_count / 4096 * 4096,
        .left = job->pools[pool].recycle > 0 ? job->pools[pool].recycle : -1,
        .pool_workers = (uint32_t)job->pools[pool].workers,
        .since_ns = clock_ns(),
    };
    chain_pool_steps(job, pool, &worker->first_step, &worker->last_step);
    worker->helps = job->pools[pool].workers > 1;
    worker->rows = (struct rows){
        .machine = machine, .in = &worker->in, .place = place, .beat = beat, .beat_context = worker};
    while (machine->worker_pool[worker->rows.pool_first] != pool)
        worker->rows.pool_first++;
    worker->rows.pool_last = worker->rows.pool_first + worker->pool_workers;
    if (worker->helps)
        worker->sharing = rows_sharing(&worker->rows);
    atomic_store_explicit(&worker->cell->task, (int32_t)gettid(), memory_order_relaxed);
    doing(worker, WORKER_IDLE);
    return worker;
}

void worker_share_rows(struct worker *worker, struct chain_sharing sharing)
{
    worker->sharing = sharing;
    worker->helps = false;
}

void worker_close(struct worker *worker)
{
    if (!worker)
        return;
    doing(worker, WORKER_ABSENT);
    munmap(worker->scratch.base, worker->scratch_limit_bytes);
    free(worker->mapped_bytes);
    free(worker);
}

int worker_run(void *context, uint32_t place)
{
    struct worker *worker = worker_open(context, place);
    if (!worker)
        return WORKER_NO_MEMORY;
    enum worker_end end;
    while ((end = worker_step(worker)) == WORKER_GOES_ON)
        ;
    worker_close(worker);
    return (int)end;
}
