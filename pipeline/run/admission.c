/* SPDX-License-Identifier: MIT */
#include "pipeline/run/admission.h"

#include <stdlib.h>
#include <string.h>

#include "pipeline/config/allotted.h"
#include "pipeline/shared/clock.h"
#include "pipeline/shared/stall.h"

int admission_open(struct admission *admission, struct machine *machine, struct error *error)
{
    *admission = (struct admission){.machine = machine, .budget_bytes = machine->job->settings.memory_bytes};
    admission->slots = calloc(machine->slot_count, sizeof *admission->slots);
    admission->free = calloc(machine->slot_count, sizeof *admission->free);
    if (!admission->slots || !admission->free) {
        free(admission->slots);
        free(admission->free);
        admission->slots = NULL;
        return error_set(error, ERROR_MEMORY, "out of memory");
    }
    while (admission->free_count < machine->slot_count) {
        admission->free[admission->free_count] = machine->slot_count - 1 - admission->free_count;
        admission->free_count++;
    }
    admission->spare_cpus = allotted_affinity() > (int64_t)machine->worker_count;
    pthread_mutex_init(&admission->lock, NULL);
    pthread_cond_init(&admission->freed, NULL);
    return 0;
}

void admission_close(struct admission *admission)
{
    if (!admission->slots)
        return;
    pthread_cond_destroy(&admission->freed);
    pthread_mutex_destroy(&admission->lock);
    free(admission->slots);
    free(admission->free);
    admission->slots = NULL;
}

/* Rounded up to whole huge pages no part may take more than this of the budget. */
#define HUGE_SHARE 32

/* The need in whole pages, as it is committed: huge ones where that is no great waste and the budget is
 * ample. */
static struct slot_need in_pages(const struct admission *admission, const struct slot_need *need)
{
    struct slot_need plain = *need, huge = *need;
    for (unsigned part = 0; part < SLOT_PARTS; part++) {
        const size_t bytes = arena_round(need->part_bytes[part]), rounded = arena_round_huge(bytes);
        const bool large = bytes >= ARENA_HUGE_BYTES / 4 && rounded <= admission->budget_bytes / HUGE_SHARE;
        plain.part_bytes[part] = bytes;
        huge.part_bytes[part] = large ? rounded : bytes;
    }
    /* An item that fits the budget must do so in pages, too. */
    return chain_need_total(&huge) <= admission->budget_bytes ? huge : plain;
}

static uint64_t slot_committed(const struct admission_slot *slot)
{
    uint64_t total = 0;
    for (unsigned part = 0; part < SLOT_PARTS; part++)
        total += slot->part_bytes[part];
    return total;
}

static uint64_t missing(const struct admission_slot *slot, const struct slot_need *pages)
{
    uint64_t total = 0;
    for (unsigned part = 0; part < SLOT_PARTS; part++) {
        const size_t wanted = pages->part_bytes[part], have = slot->part_bytes[part];
        total += wanted > have ? wanted - have : 0;
    }
    return total;
}

/* The place in `free` of the slot that lacks least; among equals of the one left last, whose pages are still
 * in a cache. -1: none is free. */
static int64_t best_place(const struct admission *admission, const struct slot_need *pages)
{
    int64_t best = -1;
    uint64_t best_missing = UINT64_MAX;
    for (int64_t i = (int64_t)admission->free_count - 1; i >= 0 && best_missing > 0; i--) {
        const uint64_t lacks = missing(&admission->slots[admission->free[i]], pages);
        if (lacks < best_missing) {
            best = i;
            best_missing = lacks;
        }
    }
    return best;
}

/* Gives back a free slot's pages. */
static void cool(struct admission *admission, uint32_t index)
{
    struct admission_slot *slot = &admission->slots[index];
    for (unsigned part = 0; part < SLOT_PARTS; part++) {
        arena_release(&admission->machine->arena,
                      machine_offset(admission->machine, index, (enum slot_part)part),
                      slot->part_bytes[part]);
        admission->committed_bytes -= slot->part_bytes[part];
        admission->idle_bytes -= slot->part_bytes[part];
        slot->part_bytes[part] = 0;
    }
}

/* Gives back all free slots' pages; false when there were none. */
static bool cool_all(struct admission *admission)
{
    bool any = false;
    for (uint32_t i = 0; i < admission->free_count; i++) {
        if (slot_committed(&admission->slots[admission->free[i]]) > 0) {
            cool(admission, admission->free[i]);
            any = true;
        }
    }
    return any;
}

/* Cools the free slots left longest ago, `keep` excepted, until `room` more bytes fit. False: they do not. */
static bool make_room(struct admission *admission, uint32_t keep, uint64_t room)
{
    const uint64_t budget_bytes = admission->budget_bytes;
    for (uint32_t i = 0; admission->committed_bytes + admission->scratch_bytes + room > budget_bytes; i++) {
        if (i == admission->free_count)
            return false;
        if (admission->free[i] != keep)
            cool(admission, admission->free[i]);
    }
    return true;
}

/* Items read ahead only wait; beyond enough to keep everyone busy they may take a quarter of the budget and
 * no more than this, so that a few slots stay warm in place of many cold ones. */
#define AHEAD_BYTES ((uint64_t)16 << 20)

#define MIDDLE_BYTES ((uint64_t)4 << 20)

/* Files are slow where moving their bytes takes more than one part in this of the time that items are in
 * flight. */
#define SLOW_SHARE 16

/* How many items may wait beside those that are worked on. Memory takes long to be filled for the first time,
 * under a hypervisor as long as a gigabyte a second. So no large item waits where all processors have a
 * worker and files are fast: while one is written, and the next one read into the same slot, its worker
 * sleeps, and leaves its processor to that. */
static uint32_t most_waiting(const struct admission *admission, uint64_t item_bytes)
{
    const uint32_t workers = admission->machine->worker_count;
    if (item_bytes > ADMISSION_LARGE_BYTES)
        return admission->spare_cpus || admission->handling_ns > admission->stay_ns / SLOW_SHARE;
    return item_bytes > MIDDLE_BYTES ? 2 + workers / 4 : 2 + workers;
}

static bool far_enough_ahead(const struct admission *admission, const struct slot_need *need)
{
    uint64_t in_use = admission->committed_bytes - admission->idle_bytes + admission->scratch_bytes;
    uint64_t share = admission->budget_bytes / 4 < AHEAD_BYTES ? admission->budget_bytes / 4 : AHEAD_BYTES;
    uint64_t total = chain_need_total(need);
    return admission->in_flight >= admission->machine->worker_count + most_waiting(admission, total) &&
           in_use + total > share;
}

/* Does the slot's own excess stand in the way? Then start it from nothing. */
static bool fits(struct admission *admission, uint32_t index, const struct slot_need *pages)
{
    struct admission_slot *slot = &admission->slots[index];
    if (make_room(admission, index, missing(slot, pages) + pages->scratch_bytes))
        return true;
    if (slot_committed(slot) == 0)
        return false;
    cool(admission, index);
    return make_room(admission, index, missing(slot, pages) + pages->scratch_bytes);
}

static int commit(struct admission *admission, uint32_t index, const struct slot_need *pages,
                  struct error *error)
{
    struct admission_slot *slot = &admission->slots[index];
    for (unsigned part = 0; part < SLOT_PARTS; part++) {
        size_t wanted = pages->part_bytes[part], have = slot->part_bytes[part];
        if (wanted <= have)
            continue;
        TRY(arena_commit(&admission->machine->arena,
                         machine_offset(admission->machine, index, (enum slot_part)part) + have,
                         wanted - have, error));
        slot->part_bytes[part] = wanted;
        admission->committed_bytes += wanted - have;
        admission->idle_bytes += wanted - have;
    }
    return 0;
}

static void hand_out(struct admission *admission, uint32_t place, const struct slot_need *need,
                     uint64_t *seen)
{
    struct machine *machine = admission->machine;
    const uint32_t index = admission->free[place];
    struct admission_slot *slot = &admission->slots[index];
    admission->free_count--;
    memmove(admission->free + place, admission->free + place + 1,
            (admission->free_count - place) * sizeof *admission->free);
    slot->scratch_bytes = need->scratch_bytes;
    slot->since_ns = chain_need_total(need) > ADMISSION_LARGE_BYTES ? clock_ns() : 0;
    slot->handling_ns = 0;
    admission->idle_bytes -= slot_committed(slot);
    admission->scratch_bytes += need->scratch_bytes;
    admission->in_flight++;
    uint64_t total = admission->committed_bytes + admission->scratch_bytes;
    if (total > admission->peak_bytes)
        admission->peak_bytes = total;
    /* Whatever a worker that died late may have left in the word: a free slot is this thread's to take. */
    *seen = atomic_load(&machine->words[index]);
    stall(STALL_HAND_OUT);
    while (!slot_move(&machine->words[index], seen, SLOT_FILLING, 0, SLOT_OWNER_READER))
        ;
    stall_spoil(&machine->slots[index], sizeof machine->slots[index]);
    slot_clear(&machine->slots[index], chain_steps(machine->job));
    machine->slots[index].have.scratch_bytes = need->scratch_bytes;
    for (unsigned part = 0; part < SLOT_PARTS; part++)
        machine->slots[index].have.part_bytes[part] = slot->part_bytes[part];
}

/* Small items leave fast, one after the other: of many in flight some leave before the reader is woken. */
#define WAKE_SHARE 8

static void wait_for_departure(struct admission *admission, uint64_t *waited_ns)
{
    const uint32_t leaving = admission->in_flight / WAKE_SHARE;
    uint64_t before = clock_ns();
    admission->wake_at = admission->in_flight - (leaving > 0 ? leaving : 1);
    admission->waiting = true;
    pthread_cond_wait(&admission->freed, &admission->lock);
    admission->waiting = false;
    *waited_ns += clock_ns() - before;
}

int admission_enter(struct admission *admission, const struct slot_need *need, uint64_t *seen,
                    struct error *error)
{
    TRY(chain_need_check(need, admission->budget_bytes, error));
    const struct slot_need pages = in_pages(admission, need);
    for (unsigned part = 0; part < SLOT_PARTS; part++) {
        if (pages.part_bytes[part] > admission->machine->part_bytes[part])
            return error_set(error, ERROR_INTERNAL, "more of part %u than was reserved", part);
    }
    pthread_mutex_lock(&admission->lock);
    int result;
    for (;;) {
        if (admission->stopped) {
            result = error_set(error, ERROR_STAGE, "the run was stopped");
            break;
        }
        const int64_t place = best_place(admission, &pages);
        const bool later = far_enough_ahead(admission, need);
        if (place >= 0 && !later && fits(admission, admission->free[place], &pages)) {
            const uint32_t index = admission->free[place];
            result = commit(admission, index, &pages, error);
            if (result == 0) {
                hand_out(admission, (uint32_t)place, need, seen);
                result = (int)index;
                break;
            }
            /* The system has less than the budget says: wait for what is in flight, and when there is
             * nothing, give all warm pages back and try once more. */
            if (admission->in_flight == 0 && !cool_all(admission))
                break;
        }
        if (admission->in_flight > 0)
            wait_for_departure(admission,
                               place < 0 || later ? &admission->slot_wait_ns : &admission->memory_wait_ns);
    }
    pthread_mutex_unlock(&admission->lock);
    return result;
}

bool admission_wait(struct admission *admission)
{
    pthread_mutex_lock(&admission->lock);
    if (!admission->stopped && admission->in_flight > 0)
        wait_for_departure(admission, &admission->slot_wait_ns);
    const bool stopped = admission->stopped;
    pthread_mutex_unlock(&admission->lock);
    return !stopped;
}

void admission_handled(struct admission *admission, uint32_t index, uint64_t handling_ns)
{
    admission->slots[index].handling_ns += handling_ns;
}

/* The last eight or so count: each takes an eighth of the sums away. */
static void book_stay(struct admission *admission, const struct admission_slot *slot)
{
    if (slot->since_ns == 0)
        return;
    admission->handling_ns += slot->handling_ns - admission->handling_ns / 8;
    admission->stay_ns += clock_ns() - slot->since_ns - admission->stay_ns / 8;
}

void admission_leave(struct admission *admission, uint32_t index, uint64_t seen)
{
    struct admission_slot *slot = &admission->slots[index];
    if (admission->keeps && admission->keeps(admission->keeps_context, index, seen))
        return;
    slot_move(&admission->machine->words[index], &seen, SLOT_FREE, 0, SLOT_OWNER_NONE);
    stall(STALL_LEAVE);
    pthread_mutex_lock(&admission->lock);
    admission->free[admission->free_count++] = index;
    admission->scratch_bytes -= slot->scratch_bytes;
    admission->idle_bytes += slot_committed(slot);
    admission->in_flight--;
    book_stay(admission, slot);
    if (admission->idle_bytes > admission->budget_bytes / 2)
        cool(admission, index);
    const bool wake = admission->waiting && admission->in_flight <= admission->wake_at;
    pthread_mutex_unlock(&admission->lock);
    if (wake) /* not under the lock, which it would wait for next */
        pthread_cond_signal(&admission->freed);
}

void admission_now(struct admission *admission, uint64_t *bytes, uint64_t *items)
{
    pthread_mutex_lock(&admission->lock);
    *bytes = admission->committed_bytes - admission->idle_bytes + admission->scratch_bytes;
    *items = admission->in_flight;
    pthread_mutex_unlock(&admission->lock);
}

void admission_stop(struct admission *admission)
{
    pthread_mutex_lock(&admission->lock);
    admission->stopped = true;
    pthread_cond_broadcast(&admission->freed);
    pthread_mutex_unlock(&admission->lock);
}
