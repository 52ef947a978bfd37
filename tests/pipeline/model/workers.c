/* SPDX-License-Identifier: MIT */
#include "steps.h"

#include "workers.h"

/* Wrong: whoever comes between finds a cell whose word has not come to it, and clears it. */
static void push_cell_first(uint32_t slot, uint64_t *seen, unsigned owner)
{
    queue_place(queue(), slot, *seen + ((uint64_t)1 << 32));
    queue_announce(queue(), slot, seen, owner);
}

void produce(int actor)
{
    for (uint32_t slot = 0; slot < ITEMS; slot++) {
        if (plan.holder[slot] != actor)
            continue;
        uint64_t seen = peek(&state.words[slot]);
        if (plan.plant == PLANT_CELL_BEFORE_WORD) {
            push_cell_first(slot, &seen, owner_of(actor));
            continue;
        }
        if (queue_announce(queue(), slot, &seen, owner_of(actor)) != QUEUE_OK)
            return;
        while (queue_place(queue(), slot, seen) != QUEUE_OK)
            ;
    }
}

/* The item goes from the consumer to those behind it, in one step. */
static void hand_over(int actor, uint32_t slot, uint64_t seen)
{
    if (!slot_move(&state.words[slot], &seen, SLOT_RUNNING, 0, owner_of(actor)))
        blame(FAULT_TWO_OWNERS);
    if (!slot_move(&state.words[slot], &seen, SLOT_FREE, 0, SLOT_OWNER_NONE)) {
        blame(FAULT_TWO_OWNERS);
        return;
    }
    state.held_by[slot] = -1;
    const int item = state.item_in[slot];
    state.item_in[slot] = -1;
    if (item < 0 || ++state.results[item] > 1)
        blame(FAULT_DUPLICATED);
}

/* Wrong: nobody knows of an item whose cell is empty and whose word still says QUEUED. */
static bool take_cell_first(unsigned owner, uint32_t *slot, uint64_t *seen)
{
    for (uint32_t i = 0; i < queue()->capacity; i++) {
        uint64_t cell = atomic_load(&cells()[i]);
        if (cell == 0 || !atomic_compare_exchange_strong(&cells()[i], &cell, 0))
            continue;
        *slot = (uint32_t)cell - 1;
        *seen = atomic_load(&state.words[*slot]);
        return slot_move(&state.words[*slot], seen, SLOT_CLAIMED, 0, owner);
    }
    return false;
}

/* Wrong: two may have looked before either writes. */
static bool take_without_compare(unsigned owner, uint32_t *slot, uint64_t *seen)
{
    for (uint32_t i = 0; i < queue()->capacity; i++) {
        uint64_t cell = atomic_load(&cells()[i]);
        if (cell == 0)
            continue;
        *slot = (uint32_t)cell - 1;
        struct slot_view view = slot_unpack(atomic_load(&state.words[*slot]));
        if (view.state == SLOT_QUEUED && view.generation == cell >> 32) {
            view = (struct slot_view){view.generation + 1, (uint16_t)owner, 0, SLOT_CLAIMED};
            *seen = slot_pack(view);
            atomic_store(&state.words[*slot], *seen);
            atomic_compare_exchange_strong(&cells()[i], &cell, 0);
            return true;
        }
        atomic_compare_exchange_strong(&cells()[i], &cell, 0);
    }
    return false;
}

static bool take(unsigned owner, uint32_t *slot, uint64_t *seen)
{
    uint32_t taken;
    if (plan.plant == PLANT_CELL_EMPTIED_FIRST)
        return take_cell_first(owner, slot, seen);
    if (plan.plant == PLANT_CLAIM_WITHOUT_COMPARE)
        return take_without_compare(owner, slot, seen);
    return queue_take(queue(), owner, 1, NULL, NULL, slot, seen, &taken) == QUEUE_OK;
}

void consume(int actor)
{
    while (!all_done()) {
        uint32_t slot;
        uint64_t seen;
        if (!take(owner_of(actor), &slot, &seen)) {
            if (plan.plant != PLANT_NONE)
                step_syscall(0, &queue()->shared->filled, 0, queue()->shared->filled);
            continue;
        }
        if (state.held_by[slot] >= 0)
            blame(FAULT_TWO_OWNERS);
        state.held_by[slot] = (int8_t)actor;
        hand_over(actor, slot, seen);
    }
}
