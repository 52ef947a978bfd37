/* SPDX-License-Identifier: MIT */
/* Sleeping until another process has changed something, and telling those who sleep: a futex in shared memory
 * and the number of its sleepers. A wake-up is a hint: every sleep has a time limit, and whoever wakes looks
 * for himself. So nothing is lost with a process that is killed in here. */
#ifndef PIPELINE_EVENT_H
#define PIPELINE_EVENT_H

#include <stdatomic.h>
#include <stdint.h>

/* No sleep is longer than this without another look. */
#define EVENT_NAP_MS 50

/* Counts the event and wakes up to `count` sleepers. */
void event_signal(_Atomic uint32_t *event, _Atomic uint32_t *sleepers, int count);

/* Wakes them, where the event was counted already or nothing has happened. */
void event_wake(_Atomic uint32_t *event, _Atomic uint32_t *sleepers, int count);

/* Sleeps for at most a nap, and not at all when `event` is no longer what the caller saw before it looked for
 * the last time. */
void event_sleep(_Atomic uint32_t *event, _Atomic uint32_t *sleepers, uint32_t seen);

#endif
