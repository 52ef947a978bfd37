/* SPDX-License-Identifier: MIT */
#include "steps.h"

#include "workers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/engine/recover.h"

/* Naps that are over without any change to a word or a cell, after which nothing will change any more. */
#define IDLE_NAPS (3 * ACTORS)

struct state state;
static uint8_t stacks[ACTORS][FIBER_STACK_BYTES] __attribute__((aligned(64)));
struct fiber fibers[ACTORS];
struct plan plan;
static struct machine machine;
static struct job job;
static struct slot slots[ITEMS];

const char *const actor_names[ACTORS] = {"P0", "P1", "C0", "C1", "main"};
const char *const fault_names[] = {"none", "duplicated", "two owners", "lost", "stuck"};

void blame(enum fault fault)
{
    if (state.fault == FAULT_NONE)
        state.fault = (uint8_t)fault;
}

unsigned owner_of(int actor)
{
    return SLOT_OWNER_WORKER + (unsigned)actor;
}

struct queue *queue(void)
{
    return &machine.queues[0];
}

_Atomic uint64_t *cells(void)
{
    return queue()->shared->cells;
}

bool all_done(void)
{
    for (unsigned i = 0; i < ITEMS; i++) {
        if (state.results[i] == 0)
            return false;
    }
    return true;
}

/* ---- what the main process keeps to itself; nobody comes between ---- */

struct item *ledger_unseat(struct ledger *ledger, uint32_t slot)
{
    (void)ledger;
    const int item = state.item_in[slot];
    state.item_in[slot] = -1;
    return item < 0 ? NULL : &state.items[item];
}

void ledger_retry(struct ledger *ledger, struct item *item, bool alone)
{
    (void)ledger, (void)alone;
    state.again[item - state.items] = true;
}

/* Neither comes to pass: there are retries enough, and nobody stops the run. */
void ledger_failed(struct ledger *ledger, struct item *item, const struct error *error)
{
    (void)ledger, (void)item, (void)error;
    blame(FAULT_LOST);
}

void ledger_unfinished(struct ledger *ledger, struct item *item)
{
    (void)ledger, (void)item;
    blame(FAULT_LOST);
}

void admission_leave(struct admission *admission, uint32_t slot, uint64_t seen)
{
    (void)admission;
    slot_move(&state.words[slot], &seen, SLOT_FREE, 0, SLOT_OWNER_NONE);
}

unsigned chain_steps(const struct job *of)
{
    (void)of;
    return 0;
}

const char *chain_step_name(const struct job *of, unsigned step)
{
    (void)of, (void)step;
    return "";
}

/* Of the supervisor, which asks after its workers' health; not asked here. */
uint32_t machine_worker_of(const struct machine *of, uint32_t slot)
{
    (void)of, (void)slot;
    abort();
}

/* ---- the main process: supervisor and reader ---- */

static bool work_to_do(void)
{
    for (unsigned i = 0; i < WORKERS; i++) {
        if (state.dead[i])
            return true;
    }
    for (unsigned i = 0; i < ITEMS; i++) {
        if (state.again[i])
            return true;
    }
    return false;
}

/* Wrong: as if an item that was announced were in a cell, always. */
static bool has_nothing_in_hand(int worker)
{
    for (uint32_t i = 0; i < ITEMS; i++) {
        const struct slot_view view = slot_unpack(peek(&state.words[i]));
        if (view.owner == owner_of(worker) && view.state != SLOT_QUEUED)
            return false;
    }
    return true;
}

static void bury_the_dead(void)
{
    const struct error cause = {.code = ERROR_CRASH};
    for (int i = 0; i < WORKERS; i++) {
        if (!state.dead[i])
            continue;
        state.dead[i] = false;
        if (plan.plant != PLANT_TRUST_QUEUED || !has_nothing_in_hand(i))
            recover_worker(&machine, NULL, NULL, (uint32_t)i, &cause, true);
        queue_wake_all(queue());
        if (i >= CONSUMER_0) /* a successor */
            fiber_start(&fibers[i], consume, i);
    }
}

static uint32_t free_slot(void)
{
    uint32_t slot = 0;
    while (slot_unpack(peek(&state.words[slot])).state != SLOT_FREE)
        slot++;
    return slot;
}

static void read_again(uint32_t item)
{
    const uint32_t slot = free_slot();
    uint64_t seen = peek(&state.words[slot]);
    state.again[item] = false;
    slot_move(&state.words[slot], &seen, SLOT_FILLING, 0, SLOT_OWNER_READER);
    state.item_in[slot] = (int8_t)item;
    queue_announce(queue(), slot, &seen, SLOT_OWNER_READER);
    while (queue_place(queue(), slot, seen) != QUEUE_OK)
        bury_the_dead();
}

static void be_main(int actor)
{
    (void)actor;
    for (;;) {
        state.waits = !work_to_do();
        while (!work_to_do())
            fiber_yield();
        state.waits = false;
        bury_the_dead();
        for (uint32_t i = 0; i < ITEMS; i++) {
            if (state.again[i])
                read_again(i);
        }
    }
}

/* ---- moves ---- */

static void start(int actor, void (*body)(int))
{
    fibers[actor].stack = stacks[actor];
    fiber_start(&fibers[actor], body, actor);
    state.at[actor] = fibers[actor].at;
}

void protocol_start(const struct plan *wanted)
{
    plan = *wanted;
    memset(&state, 0, sizeof state);
    job = (struct job){.pool_count = 1};
    job.settings.retries = 1000;
    machine = (struct machine){.job = &job, .words = state.words, .slots = slots, .slot_count = ITEMS};
    queue_init(&machine.queues[0], (struct queue_shared *)(void *)state.queue, state.words, ITEMS,
               plan.capacity, 0, true);
    state.deaths_left = (uint8_t)plan.deaths;
    state.switches_left = (uint8_t)plan.switches;
    state.acting = -1;
    for (uint32_t i = 0; i < ITEMS; i++) {
        state.item_in[i] = state.held_by[i] = -1;
        state.results[i] = plan.holder[i] == NOBODY;
        if (plan.holder[i] == NOBODY)
            continue;
        const bool queued = plan.holder[i] == MAIN;
        const struct slot_view view = {1, (uint16_t)(queued ? SLOT_OWNER_READER : owner_of(plan.holder[i])),
                                       0, queued ? SLOT_QUEUED : SLOT_RUNNING};
        state.words[i] = slot_pack(view);
        if (queued)
            cells()[0] = (uint64_t)1 << 32 | (i + 1);
        state.item_in[i] = (int8_t)i;
    }
    start(PRODUCER_0, produce);
    start(PRODUCER_1, produce);
    start(CONSUMER_0, consume);
    if (plan.consumers > 1)
        start(CONSUMER_1, consume);
    else
        fibers[CONSUMER_1].at = NULL;
    start(MAIN, be_main);
}

static bool lives(int actor)
{
    return fibers[actor].at != NULL && !state.dead[actor];
}

static bool can_step(int actor)
{
    return lives(actor) && state.sleeps_on[actor] == 0 && !(actor == MAIN && state.waits && !work_to_do());
}

/* Kinds of moves, in the order of their numbers. */
enum move { MOVE_STEP, MOVE_DEATH, MOVE_NAP };

static unsigned list(enum move *kinds, int *actors)
{
    unsigned count = 0;
    const bool must_go_on = state.switches_left == 0 && state.acting >= 0 && can_step(state.acting);
    for (int i = 0; i < ACTORS; i++) {
        if (can_step(i) && (i == state.acting || !must_go_on))
            kinds[count] = MOVE_STEP, actors[count++] = i;
    }
    const bool only_naps = count == 0;
    for (int i = 0; i < ACTORS; i++) {
        if (only_naps && lives(i) && state.sleeps_on[i])
            kinds[count] = MOVE_NAP, actors[count++] = i;
    }
    for (int i = 0; i < WORKERS; i++) {
        if (state.deaths_left && lives(i) && (count > 0 || state.sleeps_on[i]))
            kinds[count] = MOVE_DEATH, actors[count++] = i;
    }
    return count;
}

/* Of words and cells. */
static uint64_t picture(void)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < ITEMS; i++)
        sum = (sum ^ peek(&state.words[i])) * 0x9e3779b97f4a7c15u + peek(&cells()[i]);
    return sum;
}

/* When nothing moves but the time, and has not for so long. */
static void judge_calm(void)
{
    const uint64_t now = picture();
    state.idle_naps = now == state.calm ? (uint8_t)(state.idle_naps + 1) : 0;
    state.calm = now;
    if (state.idle_naps > IDLE_NAPS && !all_done())
        blame(FAULT_STUCK);
}

unsigned protocol_moves(void)
{
    enum move kinds[3 * ACTORS];
    int actors[3 * ACTORS];
    return state.fault ? 0 : list(kinds, actors);
}

unsigned protocol_deaths(void)
{
    enum move kinds[3 * ACTORS];
    int actors[3 * ACTORS];
    unsigned deaths = 0;
    for (unsigned i = list(kinds, actors); i > 0; i--)
        deaths += kinds[i - 1] == MOVE_DEATH;
    return deaths;
}

static void judge_end(void)
{
    enum move kinds[3 * ACTORS];
    int actors[3 * ACTORS];
    if (!state.fault && list(kinds, actors) == 0 && !all_done())
        blame(FAULT_STUCK);
}

static void die(int actor)
{
    state.dead[actor] = true;
    state.deaths_left--;
    state.sleeps_on[actor] = 0;
    fibers[actor].at = NULL;
    for (uint32_t i = 0; i < ITEMS; i++) {
        if (state.held_by[i] == actor)
            state.held_by[i] = -1;
    }
}

void protocol_move(unsigned move, char *text, size_t size)
{
    static const char *const words[] = {"", " dies", "'s nap is over"};
    enum move kinds[3 * ACTORS];
    int actors[3 * ACTORS];
    list(kinds, actors);
    const int actor = actors[move];
    if (text)
        snprintf(text, size, "%s%s", actor_names[actor], words[kinds[move]]);
    if (kinds[move] == MOVE_DEATH) {
        die(actor);
        if (state.acting == actor)
            state.acting = -1;
    } else {
        const bool put_off = state.acting >= 0 && state.acting != actor && can_step(state.acting);
        if (put_off && state.switches_left != ANY_ORDER)
            state.switches_left--;
        if (kinds[move] == MOVE_NAP) {
            state.sleeps_on[actor] = 0;
            judge_calm();
        }
        state.acting = (int8_t)actor;
        fiber_run(&fibers[actor]);
    }
    if (plan.switches == ANY_ORDER)
        state.acting = -1; /* makes no difference then */
    judge_end();
    for (int i = 0; i < ACTORS; i++)
        state.at[i] = fibers[i].at;
}
