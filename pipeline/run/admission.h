/* SPDX-License-Identifier: MIT */
/* Who may come in: keeps the memory of everything in flight within `memory`, by giving out slots. Main
 * process only; the reader takes, the writer and the supervisor give back.
 *
 * The budget counts each slot's committed pages, in use or warm, and the scratch planned for items in
 * flight. Warm pages of free slots are given back when an item needs the room, and right away while free
 * slots hold more than half of the budget. */
#ifndef PIPELINE_ADMISSION_H
#define PIPELINE_ADMISSION_H

#include <pthread.h>

#include "pipeline/engine/chain.h"
#include "pipeline/shared/machine.h"

struct admission {
    struct machine *machine;
    /* Optional, asked of each slot that is about to be taken back: does somebody still write into it? He then
     * calls admission_leave for it. */
    bool (*keeps)(void *context, uint32_t slot, uint64_t seen);
    void *keeps_context;
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t freed;
    bool stopped;
    uint64_t budget_bytes;
    uint64_t committed_bytes; /* of all slots */
    uint64_t idle_bytes;      /* of free slots, within committed */
    uint64_t scratch_bytes;   /* of items in flight */
    uint64_t peak_bytes;
    uint64_t memory_wait_ns, slot_wait_ns; /* the reader's, for room and for a slot */
    uint32_t in_flight;
    bool waiting; /* the reader is, until no more than this are in flight */
    uint32_t wake_at;
    bool spare_cpus;               /* more are allowed than there are workers */
    uint64_t handling_ns, stay_ns; /* of large items that left lately, as they are summed up below */
    struct admission_slot {
        uint64_t part_bytes[SLOT_PARTS]; /* committed */
        uint64_t scratch_bytes;
        uint64_t since_ns;    /* when a large item came in; 0: it is not large */
        uint64_t handling_ns; /* what moving its bytes took so far */
    } * slots;
    uint32_t *free; /* slots; the one that was left last is the last */
    uint32_t free_count;
};

/* An item of more than this is large: it takes long beside being read and written, and its memory takes long
 * to be filled for the first time. */
#define ADMISSION_LARGE_BYTES ((uint64_t)16 << 20)

int admission_open(struct admission *admission, struct machine *machine, struct error *error);
void admission_close(struct admission *admission);

/* Waits for a slot and room for an item that chain_need_check let pass, commits the memory, and returns the
 * slot's number, its word moved from FREE to FILLING and its sizes filled in. ERROR_MEMORY when the system
 * refuses the memory though nothing else is in flight; ERROR_STAGE when stopped. */
int admission_enter(struct admission *admission, const struct slot_need *need, uint64_t *seen,
                    struct error *error);

/* Waits until some of what is in flight has left; not where nothing is. False: stopped. */
bool admission_wait(struct admission *admission);

/* Books what reading or writing the item in a slot took, by the thread that has the slot. By it is judged
 * whether large items are read ahead. */
void admission_handled(struct admission *admission, uint32_t slot, uint64_t handling_ns);

/* Takes back a slot that the caller owns: its word becomes FREE, now or soon. */
void admission_leave(struct admission *admission, uint32_t slot, uint64_t seen);

/* What is in flight at this moment: committed pages in use and scratch, and how many items. */
void admission_now(struct admission *admission, uint64_t *bytes, uint64_t *items);

/* Makes a waiting and every further admission_enter and admission_wait return. */
void admission_stop(struct admission *admission);

#endif
