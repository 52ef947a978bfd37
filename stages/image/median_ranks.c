/* SPDX-License-Identifier: MIT */
/* Medians of 16-bit samples and floats. The image is done in tiles small enough that each sample of a tile
 * and its margins has a rank of 16 bits; the samples under the window are a set of ranks, one bit each, and
 * the median's place in it moves along as samples join and leave (Huang, Yang and Tang, "A fast
 * two-dimensional median filtering algorithm", 1979, with the set in place of their histogram). */
#include <string.h>

#include "stages/image/keyrow.h"
#include "stages/image/median.h"
#include "stages/image/orderkey.h"
#include "stages/simd.h"

/* Side of a tile with its margins; its square is the number of ranks. */
#define SIDE_PX 256u
#define WORDS   (SIDE_PX * SIDE_PX / 64)

struct tile {
    size_t size, width, height; /* px, with margins */
    uint8_t *keys;              /* one row of all channels */
    uint64_t *sorted, *spare;   /* key << 32 | place */
    uint16_t *ranks;            /* by place */
};

struct set {
    uint64_t bits[WORDS];
    size_t word;    /* that holds the median */
    unsigned below; /* samples in the words before it */
};

/* What a tile covers of the image at most, with margins. */
static size_t side(size_t size, uint32_t length)
{
    const size_t most = length + size - 1;
    return most < SIDE_PX ? most : SIDE_PX;
}

size_t median_ranks_bytes(size_t size, const struct shape *in)
{
    const size_t width = side(size, in->width), places = width * side(size, in->height);
    return scratch_need(width, shape_pixel_bytes(in)) + 2 * scratch_need(places, sizeof(uint64_t)) +
           scratch_need(places, sizeof(uint16_t)) + scratch_need(1, sizeof(struct set));
}

/* Keys of channel c of the tile at column x, row y, counted without margins. */
static void gather(const struct stage_run *run, const struct tile *tile, size_t x, uint64_t y, unsigned c)
{
    const int64_t radius = (int64_t)tile->size / 2;
    const size_t channels = run->in.channels;
    const void *keys = tile->keys;
    const uint16_t *deep = keys;
    const uint32_t *real = keys;
    uint64_t place = 0;
    for (size_t j = 0; j < tile->height; j++) {
        keyrow_load(run, (int64_t)x - radius, (int64_t)(y + j) - radius, tile->width, false, tile->keys);
        for (size_t i = c; i < tile->width * channels; i += channels, place++) {
            const uint64_t key = run->in.sample == SAMPLE_U16 ? deep[i] : real[i];
            tile->sorted[place] = key << 32 | place;
        }
    }
}

/* Sorts by key, least significant byte first, and numbers the places. Equal keys have different ranks. */
static void rank(struct tile *tile, size_t key_bytes)
{
    const size_t places = tile->width * tile->height;
    for (unsigned shift = 32; shift < 32 + 8 * key_bytes; shift += 8) {
        uint32_t starts[256] = {0}, sum = 0;
        for (size_t i = 0; i < places; i++)
            starts[tile->sorted[i] >> shift & 255]++;
        for (size_t i = 0; i < 256; i++) {
            const uint32_t count = starts[i];
            starts[i] = sum;
            sum += count;
        }
        for (size_t i = 0; i < places; i++)
            tile->spare[starts[tile->sorted[i] >> shift & 255]++] = tile->sorted[i];
        uint64_t *unsorted = tile->sorted;
        tile->sorted = tile->spare;
        tile->spare = unsorted;
    }
    for (size_t i = 0; i < places; i++)
        tile->ranks[tile->sorted[i] & 0xffffffffu] = (uint16_t)i;
}

/* A column of the window joins or leaves; `ranks` is its top. */
SIMD_INLINE void toggle(struct set *set, const uint16_t *ranks, const struct tile *tile, bool joins)
{
    for (size_t i = 0; i < tile->size; i++, ranks += tile->width) {
        const size_t word = *ranks / 64u;
        const unsigned before = word < set->word;
        set->bits[word] ^= (uint64_t)1 << *ranks % 64u;
        set->below += joins ? before : -before;
    }
}

/* The rank that has `half` others of the set below it. */
SIMD_INLINE size_t middle(struct set *set, unsigned half)
{
    while (set->below > half)
        set->below -= (unsigned)__builtin_popcountll(set->bits[--set->word]);
    for (unsigned here; set->below + (here = (unsigned)__builtin_popcountll(set->bits[set->word])) <= half;) {
        set->below += here;
        set->word++;
    }
    uint64_t bits = set->bits[set->word];
    for (unsigned i = set->below; i < half; i++)
        bits &= bits - 1;
    return set->word * 64 + (size_t)__builtin_ctzll(bits);
}

/* Medians of row y of the tile. `dst` is where the first goes, in an image of `channels` channels. */
SIMD_CLONES static void ranks_row(const struct tile *tile, struct set *set, size_t y, bool real, void *dst,
                                  size_t channels)
{
    const size_t size = tile->size;
    const uint16_t *ranks = tile->ranks + y * tile->width;
    memset(set, 0, sizeof *set);
    for (size_t x = 0; x < size; x++)
        toggle(set, ranks + x, tile, true);
    for (size_t x = 0; x + size <= tile->width; x++) {
        if (x > 0) {
            toggle(set, ranks + x - 1, tile, false);
            toggle(set, ranks + x + size - 1, tile, true);
        }
        const uint32_t key = (uint32_t)(tile->sorted[middle(set, (unsigned)(size * size / 2))] >> 32);
        if (real)
            ((uint32_t *)dst)[x * channels] = orderkey_bits(key);
        else
            ((uint16_t *)dst)[x * channels] = (uint16_t)key;
    }
}

int median_ranks_rows(const struct stage_run *run, size_t size, uint32_t first, uint32_t last,
                      struct scratch *scratch, struct error *error)
{
    const struct shape *in = &run->in;
    const size_t width = side(size, in->width), places = width * side(size, in->height);
    const size_t sample_bytes = shape_sample_bytes(in->sample), step = SIDE_PX - (size - 1);
    struct tile tile = {.size = size};
    tile.keys = scratch_alloc(scratch, width, shape_pixel_bytes(in));
    tile.sorted = scratch_alloc(scratch, places, sizeof *tile.sorted);
    tile.spare = scratch_alloc(scratch, places, sizeof *tile.spare);
    tile.ranks = scratch_alloc(scratch, places, sizeof *tile.ranks);
    struct set *set = scratch_alloc(scratch, 1, sizeof *set);
    if (!tile.keys || !tile.sorted || !tile.spare || !tile.ranks || !set)
        return error_set(error, ERROR_INTERNAL, "scratch is smaller than planned");
    for (uint64_t y = first; y < last; y += step) {
        const size_t rows = last - y < step ? last - y : step;
        tile.height = rows + size - 1;
        for (size_t x = 0; x < in->width; x += step) {
            const size_t columns = in->width - x < step ? in->width - x : step;
            tile.width = columns + size - 1;
            for (unsigned c = 0; c < in->channels; c++) {
                gather(run, &tile, x, y, c);
                rank(&tile, sample_bytes);
                for (size_t j = 0; j < rows; j++) {
                    uint8_t *dst = stage_dst_row(run, (uint32_t)(y + j));
                    ranks_row(&tile, set, j, in->sample == SAMPLE_F32,
                              dst + (x * in->channels + c) * sample_bytes, in->channels);
                }
            }
        }
    }
    return 0;
}
