/* SPDX-License-Identifier: MIT */
#include "pipeline/run/watchdog.h"

/* Nobody asked for longer than this: the program itself did not run. */
#define GAP_NS 1000000000u

bool watchdog_barks(struct watchdog *watchdog, uint64_t now_ns, uint64_t ended, bool open)
{
    const uint64_t gap_ns = now_ns - watchdog->last_ns;
    const bool first = watchdog->since_ns == 0;
    watchdog->last_ns = now_ns;
    if (first || ended != watchdog->ended || !open) {
        watchdog->since_ns = now_ns;
        watchdog->ended = ended;
        watchdog->wait_ns = watchdog->limit_ns;
        return false;
    }
    if (gap_ns > GAP_NS)
        watchdog->since_ns += gap_ns;
    if (watchdog->limit_ns == 0 || now_ns - watchdog->since_ns < watchdog->wait_ns)
        return false;
    watchdog->wait_ns *= 2;
    return true;
}
