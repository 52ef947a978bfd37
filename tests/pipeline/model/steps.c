/* SPDX-License-Identifier: MIT */
#define STEPS_NONE
#include "steps.h"

#include <linux/futex.h>
#include <stdarg.h>

#include "protocol.h"

uint32_t step_load_32(const _Atomic uint32_t *at)
{
    fiber_yield();
    return atomic_load(at);
}

uint64_t step_load_64(const _Atomic uint64_t *at)
{
    fiber_yield();
    return atomic_load(at);
}

void step_store_32(_Atomic uint32_t *at, uint32_t value)
{
    fiber_yield();
    atomic_store(at, value);
}

void step_store_64(_Atomic uint64_t *at, uint64_t value)
{
    fiber_yield();
    atomic_store(at, value);
}

uint32_t step_add(_Atomic uint32_t *at, uint32_t value)
{
    fiber_yield();
    return atomic_fetch_add(at, value);
}

bool step_exchange(_Atomic uint64_t *at, uint64_t *expected, uint64_t value)
{
    fiber_yield();
    return atomic_compare_exchange_strong(at, expected, value);
}

uint64_t peek(const _Atomic uint64_t *at)
{
    return atomic_load(at);
}

/* Sleeps where the word is as seen. */
static long sleep_on(const _Atomic uint32_t *word, uint32_t seen, int8_t event)
{
    if (atomic_load(word) != seen)
        return -1;
    const int self = state.acting;
    state.sleeps_on[self] = event;
    state.woken[self] = false;
    fiber_yield();
    return state.woken[self] ? 0 : -1;
}

/* In the order of actors. */
static long wake(uint32_t most, int8_t event)
{
    long woken = 0;
    for (unsigned i = 0; i < ACTORS && woken < (long)most; i++) {
        if (state.sleeps_on[i] != event)
            continue;
        state.sleeps_on[i] = 0;
        state.woken[i] = true;
        woken++;
    }
    return woken;
}

long step_syscall(long number, ...)
{
    va_list arguments;
    va_start(arguments, number);
    const _Atomic uint32_t *word = va_arg(arguments, const _Atomic uint32_t *);
    const int operation = va_arg(arguments, int);
    const uint32_t value = va_arg(arguments, uint32_t);
    va_end(arguments);
    const struct queue_shared *shared = (const struct queue_shared *)(const void *)state.queue;
    const int8_t event = word == &shared->filled ? 1 : 2;
    fiber_yield();
    return operation == FUTEX_WAIT ? sleep_on(word, value, event) : wake(value, event);
}
