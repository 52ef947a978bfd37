/* SPDX-License-Identifier: MIT */
/* Notices that a run has come to a standstill: items are open, and for a while none has ended. Pure
 * arithmetic; one thread. */
#ifndef PIPELINE_WATCHDOG_H
#define PIPELINE_WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>

struct watchdog {
    uint64_t limit_ns; /* a standstill is as long as this; 0: never */
    uint64_t since_ns; /* when an item last ended, or the first look; 0: no look so far */
    uint64_t ended;    /* items at that time */
    uint64_t wait_ns;  /* from since_ns to the next word about it */
    uint64_t last_ns;  /* the last look */
};

/* To be asked several times a second, with the items that have ended so far and whether any has not. True
 * when there is something to say: after limit_ns without an end, and again after twice, four times, ... that
 * long. Time in which nobody asked, as when the program was stopped, does not count. */
bool watchdog_barks(struct watchdog *watchdog, uint64_t now_ns, uint64_t ended, bool open);

#endif
