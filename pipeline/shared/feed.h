/* SPDX-License-Identifier: MIT */
/* A file that is read while it is decoded: its bytes pass through a ring, the slot's first buffer. The feeder
 * (run/feeder.h) fills the ring, the worker that runs the slot empties it (engine/chain_feed.h). A file that
 * is read whole takes as much memory as it is long, and memory that is filled for the first time costs more
 * than reading. */
#ifndef PIPELINE_FEED_H
#define PIPELINE_FEED_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* The ring, of which a worker has a quarter in hand. Two workers' stay in the last cache. */
#define FEED_WINDOW_BYTES ((size_t)1 << 20)
#define FEED_PIECE_BYTES  (FEED_WINDOW_BYTES / 4)

/* No shorter file is worth it. */
#define FEED_LEAST_BYTES (2 * FEED_WINDOW_BYTES)

enum feed_end {
    FEED_GOES_ON,
    FEED_SOUND,  /* all of the file was put in, and it had not changed */
    FEED_BROKEN, /* no more will come; why, the main process knows */
};

/* In shared memory, in the slot. `taken` is the worker's to write and all else the feeder's; before the slot
 * is queued, the reader's. Counts are bytes of the file since its beginning. */
struct feed_shared {
    _Atomic uint64_t filled;
    _Atomic uint32_t end;                 /* enum feed_end */
    _Atomic uint32_t news, news_sleepers; /* an event: one of the two has changed */
    _Atomic uint64_t taken;
};

/* In shared memory, one for all: an event, some ring has room. */
struct feed_bell {
    _Atomic uint32_t rung, sleepers;
};

#endif
