/* SPDX-License-Identifier: MIT */
/* The worker's end of a file that is read while it is decoded; see shared/feed.h. */
#ifndef PIPELINE_CHAIN_FEED_H
#define PIPELINE_CHAIN_FEED_H

#include "pipeline/engine/chain_work.h"

struct chain_feed {
    struct codec_feed feed; /* for the codec */
    const struct machine *machine;
    struct feed_shared *shared;
    const uint8_t *ring;
    uint64_t file_bytes;
    uint64_t taken;     /* done with */
    uint64_t given;     /* in the codec's hands up to here */
    uint64_t waited_ns; /* for bytes, and the opener's to make 0 again */
    uint32_t index;     /* of the slot */
};

/* At the beginning of the file of a slot whose ticket says `fed`. It stays where it is as long as the codec
 * uses it. Its `next` sleeps while nothing has come, and shows that the worker lives. ERROR_IO: no more will
 * come; ERROR_INTERNAL: what the shared memory says is impossible. */
void chain_feed_open(struct chain_feed *feed, const struct chain_work *work);

#endif
