/* SPDX-License-Identifier: MIT */
#include "pipeline/engine/chain_feed.h"

#include "pipeline/shared/clock.h"
#include "pipeline/shared/event.h"

/* Gives the last piece back. The feeder is woken when half of the ring is empty: it has something to do then.
 */
static void give_back(struct chain_feed *feed)
{
    struct feed_bell *bell = feed->machine->feed_bell;
    if (feed->given == feed->taken)
        return;
    feed->taken = feed->given;
    atomic_store(&feed->shared->taken, feed->taken);
    const uint64_t filled = atomic_load_explicit(&feed->shared->filled, memory_order_relaxed);
    if (filled < feed->file_bytes && filled - feed->taken <= FEED_WINDOW_BYTES / 2)
        event_signal(&bell->rung, &bell->sleepers, 1);
}

static int next(void *context, const uint8_t **piece, size_t *piece_bytes, struct error *error)
{
    struct chain_feed *feed = context;
    struct feed_shared *shared = feed->shared;
    *piece_bytes = 0;
    give_back(feed);
    for (;;) {
        const uint32_t seen = atomic_load(&shared->news);
        const uint32_t end = atomic_load(&shared->end); /* before `filled`, which is then the last word */
        const uint64_t filled = atomic_load(&shared->filled);
        if (filled < feed->taken || filled > feed->file_bytes || filled - feed->taken > FEED_WINDOW_BYTES)
            return error_set(error, ERROR_INTERNAL, "the slot holds impossible sizes");
        const size_t at = feed->taken % FEED_WINDOW_BYTES, to_end = FEED_WINDOW_BYTES - at;
        if (filled > feed->taken) {
            uint64_t count = filled - feed->taken;
            count = count < FEED_PIECE_BYTES ? count : FEED_PIECE_BYTES;
            *piece_bytes = count < to_end ? count : to_end;
            *piece = feed->ring + at;
            feed->given = feed->taken + *piece_bytes;
            return 0;
        }
        if (end == FEED_BROKEN)
            return error_set(error, ERROR_IO, "cannot be read to its end");
        if (end == FEED_SOUND)
            return filled == feed->file_bytes
                       ? 0
                       : error_set(error, ERROR_INTERNAL, "the slot holds impossible sizes");
        const uint64_t since_ns = clock_ns();
        event_sleep(&shared->news, &shared->news_sleepers, seen);
        const uint64_t waited_ns = clock_ns() - since_ns;
        feed->waited_ns += waited_ns;
        machine_waited(feed->machine, feed->index, waited_ns);
    }
}

void chain_feed_open(struct chain_feed *feed, const struct chain_work *work)
{
    *feed = (struct chain_feed){.feed = {.next = next, .context = feed},
                                .machine = work->machine,
                                .shared = &work->slot->feed,
                                .ring = chain_part(work, SLOT_BUFFER_0),
                                .file_bytes = work->ticket.file_bytes,
                                .index = work->index};
}
