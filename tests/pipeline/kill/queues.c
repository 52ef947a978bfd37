/* SPDX-License-Identifier: MIT */
/* Taking, beginning, announcing and placing: each alone, with sleepers on the other side, asleep itself, and
 * all of them in a worker's turn. */
#include <signal.h>
#include <stddef.h>
#include <sys/time.h>

#include "operations.h"
#include "step.h"

#define VICTIM   ((unsigned)SLOT_OWNER_WORKER + WORLD_VICTIM)
#define SURVIVOR ((unsigned)SLOT_OWNER_WORKER + WORLD_SURVIVOR)

#define ALARM_US 1000

static void ignore(int signal)
{
    (void)signal;
}

static bool always(void *context, uint32_t slot)
{
    (void)context, (void)slot;
    return true;
}

static void take(struct world *world, uint32_t most)
{
    uint32_t slots[WORLD_ITEMS], count;
    uint64_t seen[WORLD_ITEMS];
    queue_take(&world->machine.queues[0], VICTIM, most, always, NULL, slots, seen, &count);
}

static void take_one(struct world *world)
{
    take(world, 1);
}

static void take_batch(struct world *world)
{
    take(world, 3);
}

static void three_queued(struct world *world)
{
    for (unsigned i = 0; i < 3; i++)
        world_push(world, world_add(world), 0, SLOT_OWNER_READER);
}

/* As after a death: the item was taken back, and its cell points to the past. */
static void one_behind_a_stale_cell(struct world *world)
{
    const uint32_t item = world_add(world);
    world_push(world, item, 0, SLOT_OWNER_READER);
    world_move(world, item, SLOT_FILLING, SLOT_OWNER_SUPERVISOR);
    world_push(world, item, 0, SLOT_OWNER_READER);
    world_push(world, world_add(world), 0, SLOT_OWNER_READER);
}

/* Two in a queue of two, and one that the reader has announced and cannot place. */
static void reader_without_room(struct world *world)
{
    three_queued(world);
    world_move(world, world_add(world), SLOT_QUEUED, SLOT_OWNER_READER);
}

static void watch_as_reader(struct world *world)
{
    struct queue *queue = &world->machine.queues[0];
    world->unplaced = true;
    while (world->unplaced && !atomic_load(&world->told->dead))
        world->unplaced = queue_place(queue, world->slots[3], world->seen[3]) != QUEUE_OK;
}

static bool reader_sleeps(struct world *world)
{
    return atomic_load(&world->machine.queues[0].shared->emptied_sleepers) > 0;
}

static void watch_as_writer(struct world *world)
{
    while (!atomic_load(&world->told->dead))
        world_write(world);
}

static bool writer_sleeps(struct world *world)
{
    return atomic_load(&world->machine.queues[1].shared->filled_sleepers) > 0;
}

/* Items 0 and 1 in the victim's hands, in this state; item 2 waits. */
static void two_held(struct world *world, enum slot_state state)
{
    for (unsigned i = 0; i < 2; i++)
        world_move(world, world_add(world), state, VICTIM);
    world_push(world, world_add(world), 0, SLOT_OWNER_READER);
}

static void two_claimed(struct world *world)
{
    two_held(world, SLOT_CLAIMED);
}

static void two_running(struct world *world)
{
    two_held(world, SLOT_RUNNING);
}

/* Sleep without a spin before, as on one CPU: how long a spin takes is a matter of time. And not for a whole
 * nap: an interrupted sleep ends like one whose time is over. */
static void sleep_briefly(struct world *world)
{
    const struct itimerval often = {{.tv_usec = ALARM_US}, {.tv_usec = ALARM_US}};
    struct sigaction action = {.sa_handler = ignore};
    for (unsigned i = 0; i < 2; i++)
        world->machine.queues[i].spin_max_ns = 0;
    sigaction(SIGALRM, &action, NULL);
    if (!step_to_sleep)
        setitimer(ITIMER_REAL, &often, NULL);
}

static void begin(struct world *world)
{
    slot_move(&world->machine.words[world->slots[0]], &world->seen[0], SLOT_RUNNING, 0, VICTIM);
}

/* Decodes and encodes an item, so that its output lies in its slot. */
static void work_on(struct world *world, uint32_t item)
{
    static uint8_t bytes[1 << 16] __attribute__((aligned(SCRATCH_ALIGN)));
    struct scratch scratch = {.base = bytes, .size_bytes = sizeof bytes};
    if (chain_run(&world->machine, world->slots[item], 0, chain_steps(&world->job), &scratch, NULL) < 0)
        world_die("work");
}

static void work(struct world *world)
{
    for (unsigned i = 0; i < 2; i++)
        work_on(world, i);
}

static void announce(struct world *world)
{
    queue_announce(&world->machine.queues[1], world->slots[0], &world->seen[0], VICTIM);
}

static void work_and_announce(struct world *world)
{
    work(world);
    announce(world);
}

static void work_announce_and_sleep_briefly(struct world *world)
{
    work_and_announce(world);
    sleep_briefly(world);
}

static void place(struct world *world)
{
    queue_place(&world->machine.queues[1], world->slots[0], world->seen[0]);
}

static void hand_on(struct world *world)
{
    for (unsigned i = 0; i < 2; i++)
        queue_announce(&world->machine.queues[1], world->slots[i], &world->seen[i], VICTIM);
    for (unsigned i = 0; i < 2; i++)
        queue_place(&world->machine.queues[1], world->slots[i], world->seen[i]);
}

/* One more item, done by the other worker, waits for the writer. */
static void one_written_soon(struct world *world)
{
    const uint32_t item = world_add(world);
    world_move(world, item, SLOT_RUNNING, SURVIVOR);
    work_on(world, item);
    world_push(world, item, 1, SURVIVOR);
}

static void two_running_without_room(struct world *world)
{
    two_held(world, SLOT_RUNNING);
    one_written_soon(world);
}

static struct worker *worker;

static void open_worker(struct world *world)
{
    worker = worker_open(&world->machine, WORLD_VICTIM);
}

static void turn(struct world *world)
{
    (void)world;
    worker_step(worker);
}

const struct operation operations_of_queues[] = {
    {.name = "take one", .side = "consumer", .prepare = three_queued, .act = take_one},
    {.name = "take a batch", .side = "consumer", .prepare = three_queued, .act = take_batch},
    {.name = "take past a stale cell",
     .side = "consumer",
     .prepare = one_behind_a_stale_cell,
     .act = take_one},
    {.name = "take, waking a producer",
     .side = "consumer",
     .room = 3,
     .prepare = reader_without_room,
     .act = take_batch,
     .watch = watch_as_reader,
     .watching = reader_sleeps},
    {.name = "take from an empty queue",
     .side = "consumer",
     .prepare = one_written_soon,
     .before = sleep_briefly,
     .act = take_one},
    {.name = "begin: CLAIMED to RUNNING", .side = "consumer", .prepare = two_claimed, .act = begin},
    {.name = "announce", .side = "producer", .prepare = two_running, .before = work, .act = announce},
    {.name = "place", .side = "producer", .prepare = two_running, .before = work_and_announce, .act = place},
    {.name = "place, waking a consumer",
     .side = "producer",
     .prepare = two_running,
     .before = work_and_announce,
     .act = place,
     .watch = watch_as_writer,
     .watching = writer_sleeps},
    {.name = "place into a full queue",
     .side = "producer",
     .writers_room = 1,
     .prepare = two_running_without_room,
     .before = work_announce_and_sleep_briefly,
     .act = place},
    {.name = "hand on two: commit, doorbell",
     .side = "producer",
     .prepare = two_running,
     .before = work,
     .act = hand_on,
     .watch = watch_as_writer,
     .watching = writer_sleeps},
    {.name = "a worker's turn",
     .side = "both",
     .prepare = three_queued,
     .before = open_worker,
     .act = turn,
     .stride = 127},
};
const unsigned operations_of_queues_count = sizeof operations_of_queues / sizeof *operations_of_queues;
