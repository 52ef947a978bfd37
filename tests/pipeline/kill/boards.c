/* SPDX-License-Identifier: MIT */
/* Two workers share the rows of one image, and one of them dies: the helper or the leader. */
#include <string.h>
#include <unistd.h>

#include "operations.h"
#include "pipeline/engine/rows.h"
#include "pipeline/shared/clock.h"
#include "rows_stage.h"

/* A board that its helpers have not left after this long is stuck. */
#define BURY_NS 2000000000u
#define WAIT_US 20
/* Time for a late hand to show. */
#define LATE_US 300

#define VICTIM   ((unsigned)SLOT_OWNER_WORKER + WORLD_VICTIM)
#define SURVIVOR ((unsigned)SLOT_OWNER_WORKER + WORLD_SURVIVOR)

static const struct shape picture = {
    .width = 8, .height = ROWS_STAGE_EACH * WORLD_RANGES, .channels = 1, .bits = 8};

static void beat(void *context)
{
    (void)context;
}

static struct rows rows_of(struct world *world, uint32_t place)
{
    return (struct rows){.machine = &world->machine,
                         .in = &world->machine.queues[0],
                         .place = place,
                         .pool_last = WORLD_WORKERS,
                         .beat = beat};
}

/* One item, in the hands of `owner`, decoded: four ranges of rows are to be done. */
static void one_decoded(struct world *world, unsigned owner)
{
    const uint32_t item = world_add(world);
    struct slot *slot = &world->machine.slots[world->slots[item]];
    slot->shape = picture;
    slot->current = 1;
    world_move(world, item, SLOT_RUNNING, owner);
}

static void victim_helps(struct world *world)
{
    one_decoded(world, SURVIVOR);
}

static void victim_leads(struct world *world)
{
    one_decoded(world, VICTIM);
}

static int lead_at(struct world *world, uint32_t place)
{
    struct rows rows = rows_of(world, place);
    struct chain_rows at = {.slot = world->slots[0], .step = 1, .source = 1, .stage = &rows_stage};
    struct scratch scratch = {0};
    at.run = (struct stage_run){.in = picture, .out = picture};
    at.run.src = machine_part(&world->machine, at.slot, SLOT_BUFFER_1);
    at.run.dst = machine_part(&world->machine, at.slot, SLOT_BUFFER_0);
    return rows_sharing(&rows).work(&rows, &at, &scratch, NULL);
}

static bool help_at(struct world *world, uint32_t place)
{
    struct rows rows = rows_of(world, place);
    struct scratch scratch = {0};
    return rows_help(&rows, &scratch);
}

/* The steps of rows_help and of its leader one by one: what the victim has of the offer. */
static uint64_t offer;
static int range;

static struct board *board_of(struct world *world, uint32_t place)
{
    return &world->machine.boards[place];
}

static board_helping *helping_of(struct world *world)
{
    return &world->machine.workers[WORLD_VICTIM].helping;
}

static void join(struct world *world)
{
    offer = board_join(board_of(world, WORLD_SURVIVOR), WORLD_SURVIVOR, helping_of(world));
}

static void take(struct world *world)
{
    range = board_take(board_of(world, WORLD_SURVIVOR), offer, WORLD_VICTIM);
}

static void join_and_take(struct world *world)
{
    join(world);
    take(world);
}

static void done(struct world *world)
{
    board_done(board_of(world, WORLD_SURVIVOR), offer, WORLD_VICTIM, range);
}

static void give_up(struct world *world)
{
    board_give_up(board_of(world, WORLD_SURVIVOR), offer, WORLD_VICTIM, range);
}

static void join_take_and_do(struct world *world)
{
    join_and_take(world);
    done(world);
}

static void leave(struct world *world)
{
    board_leave(helping_of(world));
}

static void describe_offer(struct world *world)
{
    struct board *board = board_of(world, WORLD_VICTIM);
    board->slot = world->slots[0];
    board->step = 1;
    board->rows_each = ROWS_STAGE_EACH;
    board->source = 1;
}

static void open_board(struct world *world)
{
    offer = board_open(board_of(world, WORLD_VICTIM), WORLD_RANGES);
}

static void describe_and_open(struct world *world)
{
    describe_offer(world);
    open_board(world);
}

static void close_board(struct world *world)
{
    board_close(board_of(world, WORLD_VICTIM));
}

/* What the victim does counts for nothing: told is what the survivor did. */
static void be_mute(struct world *world)
{
    static struct told nobody;
    (void)world;
    rows_stage_told = &nobody;
}

static void help(struct world *world)
{
    help_at(world, WORLD_VICTIM);
}

static void lead(struct world *world)
{
    lead_at(world, WORLD_VICTIM);
}

/* The survivor, as leader, is in its first range until the victim is dead; the others are free to take. */
static void await_death(struct told *told)
{
    atomic_store(&told->ready, true);
    while (!atomic_load(&told->dead))
        usleep(WAIT_US);
}

static void watch_as_leader(struct world *world)
{
    rows_stage_pause = await_death;
    if (lead_at(world, WORLD_SURVIVOR) < 0)
        atomic_fetch_add(&world->told->stuck, 1);
}

static void watch_as_helper(struct world *world)
{
    atomic_store(&world->told->ready, true);
    while (!atomic_load(&world->told->dead)) {
        if (!help_at(world, WORLD_SURVIVOR))
            usleep(WAIT_US);
    }
}

static bool survivor_ready(struct world *world)
{
    return atomic_load(&world->told->ready);
}

static void bury(struct world *world)
{
    const uint64_t start = clock_ns();
    while (!rows_bury(&world->machine, WORLD_VICTIM)) {
        if (clock_ns() - start > BURY_NS) {
            atomic_fetch_add(&world->told->stuck, 1);
            return;
        }
        usleep(WAIT_US);
    }
}

/* Once the dead leader is buried no helper is within its item, nor comes to it. */
static void bury_leader(struct world *world)
{
    struct told *told = world->told;
    bury(world);
    uint32_t begun[WORLD_RANGES];
    for (unsigned i = 0; i < WORLD_RANGES; i++) {
        begun[i] = atomic_load(&told->begun[i]);
        told->duplicated += begun[i] != atomic_load(&told->done[i]);
    }
    usleep(LATE_US);
    for (unsigned i = 0; i < WORLD_RANGES; i++)
        told->duplicated += begun[i] != atomic_load(&told->begun[i]);
}

/* The leader has returned: are all rows done, and once in all but for what the dead had in hand? */
static void judge_rows(struct world *world)
{
    struct told *told = world->told;
    uint32_t total = 0;
    for (unsigned i = 0; i < WORLD_RANGES; i++) {
        const uint32_t state = (uint32_t)atomic_load(&world->machine.boards[WORLD_SURVIVOR].ranges[i]);
        told->lost += state != BOARD_DONE && state != 1;
        told->duplicated += atomic_load(&told->done[i]) > 1;
        total += atomic_load(&told->done[i]);
    }
    told->lost += total == 0;
}

#define HELPER                                                                                               \
    .side = "helper", .prepare = victim_helps, .watch = watch_as_leader, .watching = survivor_ready,         \
    .bury = bury, .finish = judge_rows
#define LEADER                                                                                               \
    .side = "leader", .prepare = victim_leads, .watch = watch_as_helper, .watching = survivor_ready,         \
    .bury = bury_leader

const struct operation operations_of_boards[] = {
    {.name = "join an offer of rows", .act = join, HELPER},
    {.name = "take a range", .before = join, .act = take, HELPER},
    {.name = "a range is done", .before = join_and_take, .act = done, HELPER},
    {.name = "give a range up", .before = join_and_take, .act = give_up, HELPER},
    {.name = "leave the offer", .before = join_take_and_do, .act = leave, HELPER},
    {.name = "offer rows", .before = describe_offer, .act = open_board, LEADER},
    {.name = "close the board", .before = describe_and_open, .act = close_board, LEADER},
    {.name = "help, as a whole", .before = be_mute, .act = help, .stride = 41, HELPER},
    {.name = "lead, as a whole", .before = be_mute, .act = lead, .stride = 41, LEADER},
};
const unsigned operations_of_boards_count = sizeof operations_of_boards / sizeof *operations_of_boards;
