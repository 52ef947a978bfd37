/* SPDX-License-Identifier: MIT */
#include "pipeline/shared/machine.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

/* How many slots keep every queue full while every worker, the reader and the writer hold a batch. */
static uint32_t count_slots(const struct job *job)
{
    uint64_t batch = (uint64_t)job->settings.batch;
    uint64_t count = 2 * batch + (uint64_t)job->settings.queue;
    for (unsigned i = 0; i < job->pool_count; i++)
        count += (uint64_t)job->pools[i].queue + (uint64_t)job->pools[i].workers * batch;
    return count < MACHINE_MAX_SLOTS ? (uint32_t)count : MACHINE_MAX_SLOTS;
}

static bool one_cpu(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) == 1;
}

/* Records of a ring, and what all rings may take together: with fewer workers each keeps more. */
#define RING_MOST_RECORDS  8192u
#define RING_LEAST_RECORDS 256u
#define RINGS_BYTES        ((size_t)32 << 20)

static uint32_t ring_capacity(const struct machine *machine)
{
    uint32_t capacity = RING_MOST_RECORDS;
    while (capacity > RING_LEAST_RECORDS && MACHINE_RINGS(machine) * trace_ring_bytes(capacity) > RINGS_BYTES)
        capacity /= 2;
    return capacity;
}

/* A piece of the control part: where it starts; `end` moves behind it. */
static size_t piece(size_t *end, size_t bytes)
{
    size_t start = (*end + 127) / 128 * 128;
    *end = start + bytes;
    return start;
}

struct layout {
    size_t words, slots, workers, boards, bell, queues[JOB_MAX_POOLS + 1], labels, rings, end;
};

static size_t ring_stride(const struct machine *machine)
{
    return (trace_ring_bytes(ring_capacity(machine)) + 127) / 128 * 128;
}

static uint32_t queue_capacity(const struct job *job, unsigned index)
{
    return (uint32_t)(index < job->pool_count ? job->pools[index].queue : job->settings.queue);
}

static struct layout lay_out(const struct machine *machine)
{
    struct layout layout = {0};
    layout.words = piece(&layout.end, machine->slot_count * sizeof(slot_word));
    layout.slots = piece(&layout.end, machine->slot_count * sizeof(struct slot));
    layout.workers = piece(&layout.end, machine->worker_count * sizeof(struct worker_cell));
    layout.boards = piece(&layout.end, machine->worker_count * sizeof(struct board));
    layout.bell = piece(&layout.end, sizeof(struct feed_bell));
    for (unsigned i = 0; i <= machine->job->pool_count; i++)
        layout.queues[i] = piece(&layout.end, queue_shared_bytes(queue_capacity(machine->job, i)));
    if (machine->job->settings.trace) {
        layout.labels = piece(&layout.end, (size_t)machine->slot_count * TRACE_LABEL_BYTES);
        layout.rings = piece(&layout.end, MACHINE_RINGS(machine) * ring_stride(machine));
    }
    return layout;
}

/* The views of the rings; their contents are zero, as all new pages are. */
static int open_rings(struct machine *machine, const struct layout *layout, struct error *error)
{
    if (!machine->job->settings.trace)
        return 0;
    machine->rings = calloc(MACHINE_RINGS(machine), sizeof *machine->rings);
    if (!machine->rings)
        return error_set(error, ERROR_MEMORY, "out of memory");
    uint8_t *base = machine->arena.base;
    machine->labels = (char(*)[TRACE_LABEL_BYTES])(void *)(base + layout->labels);
    for (uint32_t i = 0; i < MACHINE_RINGS(machine); i++) {
        void *shared = base + layout->rings + i * ring_stride(machine);
        trace_ring_init(&machine->rings[i], shared, ring_capacity(machine));
    }
    return 0;
}

static uint32_t count_workers(const struct job *job)
{
    uint32_t count = 0;
    for (unsigned i = 0; i < job->pool_count; i++)
        count += (uint32_t)job->pools[i].workers;
    return count;
}

static int assign_workers(struct machine *machine, struct error *error)
{
    const uint32_t count = count_workers(machine->job);
    if (count > MACHINE_MAX_WORKERS)
        return error_set(error, ERROR_USAGE, "%u workers in all pools together, over the most of %u", count,
                         MACHINE_MAX_WORKERS);
    machine->worker_count = count;
    machine->worker_pool = malloc(count);
    if (!machine->worker_pool)
        return error_set(error, ERROR_MEMORY, "out of memory");
    uint32_t worker = 0;
    for (unsigned i = 0; i < machine->job->pool_count; i++) {
        for (int64_t j = 0; j < machine->job->pools[i].workers; j++)
            machine->worker_pool[worker++] = (uint8_t)i;
    }
    return 0;
}

/* The most that an item of this job can take of each part, in whole huge pages so that each part begins with
 * one. */
static void size_parts(struct machine *machine)
{
    const struct job *job = machine->job;
    const size_t memory = job->settings.memory_bytes;
    size_t *bytes = machine->part_bytes;
    bytes[SLOT_BUFFER_0] = bytes[SLOT_BUFFER_1] = memory;
    bytes[SLOT_BUFFER_2] = job_branches(job) ? memory : 0;
    bytes[SLOT_OUT] = job_makes_pieces(job) ? memory : 0;
    bytes[SLOT_META] = job->settings.max_metadata_bytes + 4096;
    bytes[SLOT_RECORD] = job_records(job) ? JOB_MAX_RECORD_BYTES : 0;
    bytes[SLOT_REFERENCE] = job_reference(job, NULL) ? memory : 0;
    for (unsigned part = 0; part < SLOT_PARTS; part++)
        bytes[part] = arena_round_huge(bytes[part]);
}

/* Says where everything is in an arena, and gives its size; SIZE_MAX: more than can be addressed. */
static size_t size_arena(struct machine *machine, const struct layout *layout)
{
    size_t total;
    bool over = false;
    machine->slot_offset = arena_round_huge(layout->end);
    size_parts(machine);
    for (unsigned part = 0; part < SLOT_PARTS; part++) {
        machine->part_offset[part] = machine->slot_bytes;
        over = over ||
               __builtin_add_overflow(machine->slot_bytes, machine->part_bytes[part], &machine->slot_bytes);
    }
    over = over || __builtin_mul_overflow(machine->slot_bytes, (size_t)machine->slot_count, &total) ||
           __builtin_add_overflow(total, machine->slot_offset, &total);
    return over || total > (size_t)1 << 46 ? SIZE_MAX : total;
}

size_t machine_arena_bytes(const struct job *job)
{
    struct machine machine = {.job = job, .slot_count = count_slots(job), .worker_count = count_workers(job)};
    const struct layout layout = lay_out(&machine);
    return size_arena(&machine, &layout);
}

static int reserve(struct machine *machine, const struct layout *layout, struct error *error)
{
    const struct settings *settings = &machine->job->settings;
    const size_t total = size_arena(machine, layout);
    if (total == SIZE_MAX)
        return error_set(error, ERROR_MEMORY, "memory: %u slots of that size are more than can be addressed",
                         machine->slot_count);
    TRY(arena_open(&machine->arena, total, settings->memory_bytes + arena_round(layout->end), error));
    return arena_commit(&machine->arena, 0, arena_round(layout->end), error);
}

int machine_open(struct machine *machine, const struct job *job, struct error *error)
{
    const struct settings *settings = &job->settings;
    *machine = (struct machine){.job = job, .slot_count = count_slots(job), .arena = {.fd = -1}};
    machine->limits = settings_limits(settings);
    int code = assign_workers(machine, error);
    struct layout layout = {0};
    if (code == 0) {
        layout = lay_out(machine);
        code = reserve(machine, &layout, error);
    }
    if (code == 0)
        code = open_rings(machine, &layout, error);
    if (code < 0) {
        machine_close(machine);
        return code;
    }
    uint8_t *base = machine->arena.base;
    machine->words = (slot_word *)(void *)(base + layout.words);
    machine->slots = (struct slot *)(void *)(base + layout.slots);
    machine->workers = (struct worker_cell *)(void *)(base + layout.workers);
    machine->boards = (struct board *)(void *)(base + layout.boards);
    machine->feed_bell = (struct feed_bell *)(void *)(base + layout.bell);
    for (unsigned i = 0; i <= job->pool_count; i++)
        queue_init(&machine->queues[i], (struct queue_shared *)(void *)(base + layout.queues[i]),
                   machine->words, machine->slot_count, queue_capacity(job, i), (uint8_t)i, one_cpu());
    return 0;
}

void machine_close(struct machine *machine)
{
    arena_close(&machine->arena);
    free(machine->worker_pool);
    free(machine->rings);
    machine->worker_pool = NULL;
    machine->rings = NULL;
}

size_t machine_offset(const struct machine *machine, uint32_t slot, enum slot_part part)
{
    return machine->slot_offset + slot * machine->slot_bytes + machine->part_offset[part];
}

uint8_t *machine_part(const struct machine *machine, uint32_t slot, enum slot_part part)
{
    return machine->arena.base + machine_offset(machine, slot, part);
}

uint32_t machine_worker_of(const struct machine *machine, uint32_t slot)
{
    struct slot_view view = slot_unpack(atomic_load_explicit(&machine->words[slot], memory_order_relaxed));
    bool held = view.owner >= SLOT_OWNER_WORKER && (view.state == SLOT_RUNNING || view.state == SLOT_CLAIMED);
    return held ? view.owner - (uint32_t)SLOT_OWNER_WORKER : UINT32_MAX;
}

void machine_begin_step(const struct machine *machine, uint32_t slot, unsigned step, uint64_t now_ns)
{
    uint32_t worker = machine_worker_of(machine, slot);
    if (worker >= machine->worker_count)
        return;
    struct worker_cell *cell = &machine->workers[worker];
    atomic_store_explicit(&cell->step, step, memory_order_relaxed);
    atomic_store_explicit(&cell->step_since_ns, now_ns, memory_order_relaxed);
}

void machine_waited(const struct machine *machine, uint32_t slot, uint64_t waited_ns)
{
    uint32_t worker = machine_worker_of(machine, slot);
    if (worker >= machine->worker_count)
        return;
    struct worker_cell *cell = &machine->workers[worker];
    atomic_fetch_add_explicit(&cell->beat, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&cell->fed_ns, waited_ns, memory_order_relaxed);
}

void machine_note(const struct machine *machine, uint32_t ring, enum trace_kind kind, uint32_t index,
                  unsigned step, uint64_t begin_ns, uint64_t end_ns)
{
    if (!machine->rings || ring >= MACHINE_RINGS(machine))
        return;
    const struct slot *slot = &machine->slots[index];
    struct trace_record record = {
        .begin_ns = begin_ns,
        .end_ns = end_ns,
        .item = slot->ticket.item,
        .slot = index,
        .attempt = slot->attempt,
        .kind = (uint32_t)kind,
        .step = step,
    };
    memcpy(record.label, machine->labels[index], sizeof record.label);
    trace_ring_put(&machine->rings[ring], &record);
}
