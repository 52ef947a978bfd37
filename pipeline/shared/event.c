/* SPDX-License-Identifier: MIT */
#include "pipeline/shared/event.h"

#include <linux/futex.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "pipeline/shared/stall.h"

/* Shared futexes: the sleepers are in different processes, so not FUTEX_PRIVATE_FLAG. True: woken by
 * futex_wake, and not by the time, a signal, or a word that has moved on. */
static bool futex_wait(_Atomic uint32_t *word, uint32_t seen, long nap_ms)
{
    struct timespec limit = {.tv_sec = nap_ms / 1000, .tv_nsec = nap_ms % 1000 * 1000000};
    return syscall(SYS_futex, word, FUTEX_WAIT, seen, &limit, NULL, 0) == 0;
}

/* How many it woke. */
static uint32_t futex_wake(_Atomic uint32_t *word, int count)
{
    const long woken = syscall(SYS_futex, word, FUTEX_WAKE, count, NULL, NULL, 0);
    return woken > 0 ? (uint32_t)woken : 0;
}

/* A sleeper counts itself before it looks for the last time, so either it sees the change or it is counted
 * here; sequential consistency orders the two. Whoever wakes a sleeper takes it off the count: it may be
 * long until it runs, and until then the next change would call the kernel for nothing. So the count is
 * never less than the sleepers. A process that was killed in between leaves it too high: the price is a
 * system call that wakes nobody. */
void event_wake(_Atomic uint32_t *event, _Atomic uint32_t *sleepers, int count)
{
    const uint32_t woken = futex_wake(event, count);
    if (woken > 0)
        atomic_fetch_sub(sleepers, woken);
}

void event_signal(_Atomic uint32_t *event, _Atomic uint32_t *sleepers, int count)
{
    atomic_fetch_add(event, 1);
    stall(STALL_SIGNAL);
    if (atomic_load(sleepers) > 0)
        event_wake(event, sleepers, count);
}

void event_sleep(_Atomic uint32_t *event, _Atomic uint32_t *sleepers, uint32_t seen)
{
    atomic_fetch_add(sleepers, 1);
    stall(STALL_SLEEP);
    if (!futex_wait(event, seen, EVENT_NAP_MS)) /* returns at once if the event has moved on */
        atomic_fetch_sub(sleepers, 1);
}
