/* SPDX-License-Identifier: MIT */
#include "pipeline/shared/trace_ring.h"

#include <string.h>

size_t trace_ring_bytes(uint32_t capacity)
{
    return sizeof(struct trace_ring_shared) + (size_t)capacity * sizeof(struct trace_record);
}

void trace_ring_init(struct trace_ring *ring, struct trace_ring_shared *shared, uint32_t capacity)
{
    *ring = (struct trace_ring){.shared = shared, .capacity = capacity};
}

void trace_ring_put(const struct trace_ring *ring, const struct trace_record *record)
{
    struct trace_ring_shared *shared = ring->shared;
    uint64_t head = atomic_load_explicit(&shared->head, memory_order_relaxed);
    /* Acquire: the consumer is done with the record that is about to be overwritten. */
    uint64_t tail = atomic_load_explicit(&shared->tail, memory_order_acquire);
    if (head - tail >= ring->capacity) {
        uint64_t dropped = atomic_load_explicit(&shared->dropped, memory_order_relaxed);
        atomic_store_explicit(&shared->dropped, dropped + 1, memory_order_relaxed);
        return;
    }
    shared->records[head % ring->capacity] = *record;
    /* Release: whoever sees the new head sees the record. Killed before it, the record was never there. */
    atomic_store_explicit(&shared->head, head + 1, memory_order_release);
}

uint32_t trace_ring_waiting(struct trace_ring *ring)
{
    uint64_t head = atomic_load_explicit(&ring->shared->head, memory_order_acquire);
    uint64_t waiting = head - ring->taken;
    return waiting <= ring->capacity ? (uint32_t)waiting : ring->capacity;
}

void trace_ring_take(struct trace_ring *ring, struct trace_record *record)
{
    *record = ring->shared->records[ring->taken % ring->capacity];
    record->label[TRACE_LABEL_BYTES - 1] = '\0';
    ring->taken++;
    atomic_store_explicit(&ring->shared->tail, ring->taken, memory_order_release);
}

uint64_t trace_ring_dropped(const struct trace_ring *ring)
{
    return atomic_load_explicit(&ring->shared->dropped, memory_order_relaxed);
}

void trace_label(char label[TRACE_LABEL_BYTES], const char *name)
{
    size_t length = strlen(name);
    if (length < TRACE_LABEL_BYTES) {
        memcpy(label, name, length + 1);
        return;
    }
    const char *end = name + length - (TRACE_LABEL_BYTES - 4);
    while (((unsigned char)*end & 0xc0) == 0x80) /* not in the middle of a UTF-8 sequence */
        end++;
    memcpy(label, "...", 3);
    memcpy(label + 3, end, strlen(end) + 1);
}
