/* SPDX-License-Identifier: MIT */
/* The parts of a run that all its processes share, laid out in one arena:
 *
 *   control   slot words | slots | worker cells | boards | the feeder's bell
 *             one queue before each pool, one before the writer
 *             and for a trace: labels of slots | a ring for each worker, the reader and the writer
 *   slot 0    the parts of enum slot_part
 *   slot 1    ...
 *
 * The control part is committed whole at the start; a slot's buffers are reserved for the largest item that
 * `memory` allows, and committed as items need them (admission.c). Pointers are fixed before anything is
 * forked and are private to each process, so nobody can bend another's. */
#ifndef PIPELINE_MACHINE_H
#define PIPELINE_MACHINE_H

#include "pipeline/config/job.h"
#include "pipeline/shared/arena.h"
#include "pipeline/shared/board.h"
#include "pipeline/shared/queue.h"
#include "pipeline/shared/slot.h"
#include "pipeline/shared/trace_ring.h"

#define MACHINE_MAX_SLOTS   4096u
#define MACHINE_MAX_WORKERS 1024u

enum worker_doing { WORKER_ABSENT, WORKER_IDLE, WORKER_BUSY, WORKER_BLOCKED, WORKER_HELPING };

/* What a worker tells about itself. Only that worker writes here, the main process reads; a successor in the
 * same place goes on counting. */
struct worker_cell {
    _Alignas(128) _Atomic uint64_t beat; /* grows at each item begun, handed on, or nap: no growth, no life */
    _Atomic uint32_t doing;              /* enum worker_doing */
    _Atomic uint32_t slot;               /* the slot at work while BUSY */
    _Atomic uint32_t claimed;            /* slots held and not yet begun */
    _Atomic int32_t task;                /* the kernel's number for it: of a process, its pid */
    _Atomic uint64_t since_ns;           /* when it began what it is doing; while BUSY, this item */
    _Atomic uint32_t step;               /* while BUSY, the step at work, and since when */
    _Atomic uint64_t step_since_ns;
    _Atomic uint64_t items; /* steps of a pool done */
    _Atomic uint64_t busy_ns, starved_ns, blocked_ns;
    _Atomic uint64_t fed_ns; /* waited, while BUSY, for a file that is read meanwhile; not booked yet */
    board_helping helping;   /* whose rows it shares; the supervisor clears it for the dead */
};

struct machine {
    const struct job *job;
    struct codec_limits limits;
    struct arena arena;
    slot_word *words;
    struct slot *slots;
    uint32_t slot_count;
    struct worker_cell *workers;
    struct board *boards; /* one for each worker, to share its rows on */
    uint32_t worker_count;
    struct feed_bell *feed_bell;
    _Atomic bool all_listed; /* private to the main process: the reader has queued the last new item */
    uint8_t *worker_pool;    /* private: which pool each worker belongs to */
    struct queue queues[JOB_MAX_POOLS + 1]; /* [i] before pool i, [pool_count] before the writer */
    struct trace_ring *rings;               /* NULL: no trace. Of each worker, then reader and writer */
    char (*labels)[TRACE_LABEL_BYTES];      /* of the items in the slots; written by the reader */
    size_t slot_offset;                     /* of slot 0's parts in the arena */
    size_t part_bytes[SLOT_PARTS];          /* reserved of each; 0: no item of this job needs it */
    size_t part_offset[SLOT_PARTS];         /* of each in its slot */
    size_t slot_bytes;
};

/* The address space that the arena of a resolved job takes; SIZE_MAX: more than there is. */
size_t machine_arena_bytes(const struct job *job);

/* Lowers what was not given of queue, batch and, when these are at their least, memory of a resolved job
 * until its run fits `limit_bytes` of address space, and says so in job->lowered. Where nothing would help
 * the job stays as it is, and machine_open or a worker says what is wanting. */
void machine_fit_bytes(struct job *job, uint64_t limit_bytes);

/* To the address space this process may have, RLIMIT_AS. */
void machine_fit(struct job *job);

/* Lays out the machine for a resolved job and commits the control part. ERROR_MEMORY. */
int machine_open(struct machine *machine, const struct job *job, struct error *error);

void machine_close(struct machine *machine);

/* Where a part of a slot begins: in the arena, and in memory. */
size_t machine_offset(const struct machine *machine, uint32_t slot, enum slot_part part);
uint8_t *machine_part(const struct machine *machine, uint32_t slot, enum slot_part part);

/* The rings of the I/O threads; a worker's is that of its number. */
#define MACHINE_RING_READER(machine) ((machine)->worker_count)
#define MACHINE_RING_WRITER(machine) ((machine)->worker_count + 1)
#define MACHINE_RINGS(machine)       ((machine)->worker_count + 2)

/* The caller, who runs this slot, begins a step of it: says so in its worker's cell. */
void machine_begin_step(const struct machine *machine, uint32_t slot, unsigned step, uint64_t now_ns);

/* The worker that runs this slot has waited for bytes of its file: shows that it lives, and what it did. */
void machine_waited(const struct machine *machine, uint32_t slot, uint64_t waited_ns);

/* Leaves a record about a slot the caller owns in a ring that is the caller's. Nothing without a trace. */
void machine_note(const struct machine *machine, uint32_t ring, enum trace_kind kind, uint32_t slot,
                  unsigned step, uint64_t begin_ns, uint64_t end_ns);

/* The worker that a slot's word says it is in the hands of. A number beyond all workers: none. */
uint32_t machine_worker_of(const struct machine *machine, uint32_t slot);

#endif
