/* SPDX-License-Identifier: MIT */
/* What one thread of a run leaves for the trace: a ring of fixed records in shared memory. One producer
 * writes, the main process takes away; neither ever waits. A full ring drops the new record and counts it.
 * What a producer wrote before it was killed stays to be taken, and its successor in the same place goes on
 * behind it. */
#ifndef PIPELINE_TRACE_RING_H
#define PIPELINE_TRACE_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the time of a record was spent on. */
enum trace_kind {
    TRACE_STEP,   /* a worker: a step of the chain */
    TRACE_ROWS,   /* a member of a team: some rows of a step */
    TRACE_PLACE,  /* a worker: waiting for room in the next queue */
    TRACE_LIST,   /* the reader: finding the next name */
    TRACE_OPEN,   /* the reader: opening, looking at the header */
    TRACE_ADMIT,  /* the reader: until the item has its slot and memory */
    TRACE_READ,   /* the reader: moving the bytes */
    TRACE_QUEUE,  /* the reader: until the first queue has room */
    TRACE_RETRY,  /* the reader: the item goes round again; a moment, no span */
    TRACE_WRITE,  /* the writer */
    TRACE_REFUSE, /* the writer: telling that the item failed */
    TRACE_KINDS,
};

/* Of an item's name, its end where it is longer. */
#define TRACE_LABEL_BYTES 84u

/* TRACE_NO_SLOT where the item has none. */
#define TRACE_NO_SLOT UINT32_MAX

struct trace_record {
    uint64_t begin_ns, end_ns; /* clock_ns */
    uint64_t item;             /* struct slot's; 0: about no item */
    uint32_t slot, attempt;
    uint32_t kind; /* enum trace_kind */
    uint32_t step;
    char label[TRACE_LABEL_BYTES];
};

/* In shared memory. */
struct trace_ring_shared {
    _Alignas(64) _Atomic uint64_t head; /* records ever written; the producer's */
    _Atomic uint64_t dropped;           /* for want of room; the producer's */
    _Alignas(64) _Atomic uint64_t tail; /* records ever taken; the consumer's */
    _Alignas(64) struct trace_record records[];
};

/* A process's view. `taken` is the consumer's own count: it does not believe the shared one. */
struct trace_ring {
    struct trace_ring_shared *shared;
    uint32_t capacity; /* a power of two */
    uint64_t taken;
};

size_t trace_ring_bytes(uint32_t capacity);

/* Makes a view over zeroed shared memory. */
void trace_ring_init(struct trace_ring *ring, struct trace_ring_shared *shared, uint32_t capacity);

/* Adds a record, or counts it as dropped. The one producer only; does not block, allocates nothing. */
void trace_ring_put(const struct trace_ring *ring, const struct trace_record *record);

/* How many records wait, never more than the capacity: a producer's claim beyond that is cut. The one
 * consumer only, as below. */
uint32_t trace_ring_waiting(struct trace_ring *ring);

/* Copies out the next of those waiting. Its contents are the producer's claims; only the label is sure to
 * end. */
void trace_ring_take(struct trace_ring *ring, struct trace_record *record);

uint64_t trace_ring_dropped(const struct trace_ring *ring);

/* Puts a name, or "..." and its end, into a label. */
void trace_label(char label[TRACE_LABEL_BYTES], const char *name);

#endif
