/* SPDX-License-Identifier: MIT */
/* A small run in which one worker, the victim, is killed, and the survivors finish the rest with the
 * program's own code: recovery, admission, ledger, queues and a real worker. Items are pictures of one pixel
 * that says which item it is, so that an output shows whether it is whole and the right one. */
#ifndef TESTS_KILL_WORLD_H
#define TESTS_KILL_WORLD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "pipeline/engine/worker.h"
#include "pipeline/run/admission.h"
#include "pipeline/run/ledger.h"

#define WORLD_ITEMS  4u
#define WORLD_RANGES 4u

/* Places of workers. */
enum { WORLD_VICTIM, WORLD_SURVIVOR, WORLD_WORKERS };

/* Shared by all processes of a trial, and zero at its beginning. */
struct told {
    _Atomic bool over;    /* victim: the operation has ended */
    _Atomic bool at_call; /* victim: its next instruction is a system call */
    _Atomic bool ready;   /* survivor: it may begin */
    _Atomic bool dead;    /* the victim is reaped, and buried */
    _Atomic uint32_t results[WORLD_ITEMS];
    _Atomic uint32_t begun[WORLD_RANGES], done[WORLD_RANGES]; /* rows of an image that is shared */
    _Atomic uint32_t stuck, lost, duplicated;                 /* the survivors' verdict */
    pthread_mutex_t mutex;                                    /* for operations that are wrong */
    uint32_t ring[WORLD_ITEMS], ring_count;
};

/* Private to each process, but for what its pointers lead to. */
struct world {
    struct job job;
    struct machine machine;
    struct admission admission;
    struct ledger ledger;
    struct told *told;
    uint8_t *pristine; /* the control part of the arena before a trial */
    uint8_t *last;     /* shared memory when it was last looked at */
    const struct codec *codec;
    struct slot_ticket ticket;
    struct slot_need need;
    uint32_t items;
    uint32_t slots[WORLD_ITEMS];
    uint64_t seen[WORLD_ITEMS];
    bool unplaced; /* survivor: the last item is announced and in no cell yet */
};

/* A run with this much room in its first queue and in the writer's. Ends the program when there is no memory
 * for it, as all of these do on what has nothing to do with the trial. */
void world_open(struct world *world, uint32_t room, uint32_t writers_room);
void world_close(struct world *world);

/* Brings in the next item: its slot is the reader's then, FILLING. Returns its number. */
uint32_t world_add(struct world *world);

/* Moves an item's word on, by `owner`. */
void world_move(struct world *world, uint32_t item, enum slot_state state, unsigned owner);

/* Announces an item and places it, by `owner`. */
void world_push(struct world *world, uint32_t item, unsigned queue, unsigned owner);

/* Keeps shared memory as it is now, to be restored before each trial. */
void world_keep(struct world *world);
void world_restore(struct world *world);

/* Is anything in shared memory, the items' pictures included, not as it was at the last call? */
bool world_changed(struct world *world);

/* Survivors: one turn of the writer. Waits for at most a nap while there is nothing to write. */
void world_write(struct world *world);

/* Survivors: recovers what the victim held, finishes every item, and leaves the verdict in `told`. */
void world_finish(struct world *world);

/* The verdict alone, on what is there now. */
void world_judge(struct world *world);

/* Prints what failed and ends the program. */
_Noreturn void world_die(const char *what);

#endif
