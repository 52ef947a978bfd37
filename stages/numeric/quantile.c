/* SPDX-License-Identifier: MIT */
#include "stages/numeric/quantile.h"

#include <math.h>
#include <string.h>

#include "stages/simd.h"

/* Bits that one walk counts. */
#define DIGIT 16u

/* A sample wanted: number `rank` of the sorted line. Of its key the bits above those still to be counted are
 * known. */
struct goal {
    uint64_t rank;   /* among those keys that share the known bits */
    uint64_t inside; /* how many do, dropped samples among them */
    uint64_t key;
    bool found;
};

struct search {
    const struct line *line;
    enum line_drop drop;
    struct quantile_room *room;
    struct goal goals[2 * QUANTILE_MOST];
    size_t count;
};

SIMD_CLONES static void range_of(const uint64_t *keys, size_t count, uint64_t *low, uint64_t *high)
{
    uint64_t least = keys[0], most = keys[0];
    for (size_t i = 1; i < count; i++) {
        least = keys[i] < least ? keys[i] : least;
        most = keys[i] > most ? keys[i] : most;
    }
    *low = least;
    *high = most;
}

/* The key that would be keys[rank] if they were sorted. Each round parts them by the highest bit in which any
 * two differ, so there are at most 64 rounds whatever the keys. */
static uint64_t gathered(uint64_t *keys, size_t count, size_t rank)
{
    for (;;) {
        uint64_t low, high;
        range_of(keys, count, &low, &high);
        if (low == high)
            return low;
        const unsigned bit = 63u - (unsigned)__builtin_clzll(low ^ high);
        size_t small = 0;
        for (size_t i = 0; i < count; i++) {
            const uint64_t key = keys[i];
            keys[i] = keys[small];
            keys[small] = key;
            small += ~(key >> bit) & 1;
        }
        if (rank < small) {
            count = small;
        } else {
            keys += small;
            count -= small;
            rank -= small;
        }
    }
}

/* Finds goals [first, last), whose known bits, those in `mask`, are the same. */
static void gather(struct search *search, uint64_t mask, size_t first, size_t last)
{
    const struct line *line = search->line;
    uint64_t *kept = search->room->keys;
    const uint64_t known = search->goals[first].key;
    size_t used = 0;
    for (size_t i = 0; i < line->count; i += LINE_BLOCK) {
        const size_t count = line->count - i < LINE_BLOCK ? line->count - i : LINE_BLOCK;
        const uint64_t *keys = line_keys(line, i, count, search->drop, &search->room->line);
        for (size_t k = 0; k < count; k++) {
            kept[used] = keys[k];
            used += (keys[k] & mask) == known && used < QUANTILE_GATHER;
        }
    }
    for (size_t g = first; g < last; g++) {
        search->goals[g].key = gathered(kept, used, search->goals[g].rank);
        search->goals[g].found = true;
    }
}

/* Counts the digit above `shift` among the keys that share the known bits, and adds it to what goals
 * [first, last) know. */
static void count_digit(struct search *search, unsigned shift, uint64_t mask, size_t first, size_t last)
{
    const struct line *line = search->line;
    uint64_t *counts = search->room->counts;
    const uint64_t known = search->goals[first].key;
    memset(counts, 0, sizeof search->room->counts);
    for (size_t i = 0; i < line->count; i += LINE_BLOCK) {
        const size_t count = line->count - i < LINE_BLOCK ? line->count - i : LINE_BLOCK;
        const uint64_t *keys = line_keys(line, i, count, search->drop, &search->room->line);
        for (size_t k = 0; k < count; k++) {
            if ((keys[k] & mask) == known)
                counts[keys[k] >> shift & 0xffff]++;
        }
    }
    uint64_t digit = 0, before = 0;
    for (size_t g = first; g < last; g++) { /* in order of rank */
        struct goal *goal = &search->goals[g];
        while (before + counts[digit] <= goal->rank)
            before += counts[digit++];
        goal->rank -= before;
        goal->inside = counts[digit];
        goal->key |= digit << shift;
    }
}

static void find_all(struct search *search)
{
    const unsigned bits = shape_sample_bits(search->line->sample);
    uint64_t mask = 0;
    for (unsigned left = bits; left > 0;) {
        const unsigned shift = left > DIGIT ? left - DIGIT : 0;
        for (size_t first = 0, last; first < search->count; first = last) {
            const struct goal *goal = &search->goals[first];
            last = first + 1;
            if (goal->found)
                continue;
            while (last < search->count && !search->goals[last].found && search->goals[last].key == goal->key)
                last++;
            if (goal->inside <= QUANTILE_GATHER)
                gather(search, mask, first, last);
            else
                count_digit(search, shift, mask, first, last);
        }
        mask |= (uint64_t)0xffff << shift;
        left = shift;
    }
}

/* Where a percentile lies between two samples: numpy's virtual index. */
static double place(double percent, uint64_t count)
{
    return percent / 100 * (double)(count - 1);
}

static uint64_t rank_of(double where, uint64_t count)
{
    const uint64_t rank = (uint64_t)where;
    return rank < count ? rank : count - 1;
}

static void add_goal(struct search *search, uint64_t rank)
{
    size_t at = search->count++;
    for (; at > 0 && search->goals[at - 1].rank > rank; at--)
        search->goals[at] = search->goals[at - 1];
    search->goals[at] = (struct goal){.rank = rank, .inside = search->line->count};
}

/* The sample of this rank; `ranks` are those that the goals began with. */
static double sample_at(const struct search *search, const uint64_t *ranks, uint64_t rank)
{
    size_t g = 0;
    while (ranks[g] != rank)
        g++;
    return line_key_value(search->line->sample, search->goals[g].key);
}

/* From whichever end is nearer, as numpy does: monotonic, and exact at both ends. */
static double between(double low, double high, double part)
{
    if (part == 0 || low == high)
        return low;
    return part < 0.5 ? low + (high - low) * part : high - (high - low) * (1 - part);
}

void quantile_of(const struct line *line, enum line_drop drop, uint64_t count, const double *percents,
                 double *values, size_t wanted, struct quantile_room *room)
{
    struct search search = {.line = line, .drop = drop, .room = room};
    uint64_t ranks[2 * QUANTILE_MOST];
    for (size_t i = 0; i < wanted; i++)
        values[i] = NAN;
    if (count == 0)
        return;
    for (size_t i = 0; i < wanted; i++) {
        const uint64_t rank = rank_of(place(percents[i], count), count);
        add_goal(&search, rank);
        add_goal(&search, rank + 1 < count ? rank + 1 : rank);
    }
    for (size_t g = 0; g < search.count; g++)
        ranks[g] = search.goals[g].rank;
    find_all(&search);
    for (size_t i = 0; i < wanted; i++) {
        const double where = place(percents[i], count);
        const uint64_t rank = rank_of(where, count);
        const double low = sample_at(&search, ranks, rank);
        values[i] =
            between(low, sample_at(&search, ranks, rank + 1 < count ? rank + 1 : rank), where - (double)rank);
    }
}
