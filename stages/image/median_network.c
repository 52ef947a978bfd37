/* SPDX-License-Identifier: MIT */
/* Medians of 25 by comparing and exchanging, which whole vectors can do at once. The columns of a window are
 * sorted once for all windows that share them.
 *
 * Of 5 sorted columns, sort also what has the same rank in each. Then sample (r, c), counted from 1, has r x
 * c - 1 others that are not greater, and (6 - r) x (6 - c) - 1 that are not less: where either is 13 or more
 * it can be left out, and as many on both sides. Of the 13 that remain the median is found by forgetting: of
 * any 8, the least and the greatest are not it; drop them, take one more, and so on. */
#include "stages/image/keyrow.h"
#include "stages/image/median.h"
#include "stages/simd.h"

#define SIZE     5u
#define STRIP_PX 1024u

/* Puts v[a] and v[b] into order. */
#define ORDER(v, a, b)                                                                                       \
    do {                                                                                                     \
        const __typeof__(*v) lesser = v[a] < v[b] ? v[a] : v[b], greater = v[a] < v[b] ? v[b] : v[a];        \
        v[a] = lesser;                                                                                       \
        v[b] = greater;                                                                                      \
    } while (0)

/* Five values by nine exchanges (Knuth, The Art of Computer Programming, 5.3.4). */
#define SORT_5(v)                                                                                            \
    do {                                                                                                     \
        ORDER(v, 0, 1);                                                                                      \
        ORDER(v, 3, 4);                                                                                      \
        ORDER(v, 2, 4);                                                                                      \
        ORDER(v, 2, 3);                                                                                      \
        ORDER(v, 0, 3);                                                                                      \
        ORDER(v, 0, 2);                                                                                      \
        ORDER(v, 1, 4);                                                                                      \
        ORDER(v, 1, 3);                                                                                      \
        ORDER(v, 1, 2);                                                                                      \
    } while (0)

/* Brings the least and the greatest of all eight to the ends. */
#define ENDS_OF_8(v)                                                                                         \
    do {                                                                                                     \
        ORDER(v, 0, 7);                                                                                      \
        ORDER(v, 1, 6);                                                                                      \
        ORDER(v, 2, 5);                                                                                      \
        ORDER(v, 3, 4);                                                                                      \
        ORDER(v, 0, 1);                                                                                      \
        ORDER(v, 0, 2);                                                                                      \
        ORDER(v, 0, 3);                                                                                      \
        ORDER(v, 4, 7);                                                                                      \
        ORDER(v, 5, 7);                                                                                      \
        ORDER(v, 6, 7);                                                                                      \
    } while (0)

/* The same for v[1] to v[7], v[2] to v[7] and so on. */
#define ENDS_OF_7(v)                                                                                         \
    do {                                                                                                     \
        ORDER(v, 1, 7);                                                                                      \
        ORDER(v, 2, 6);                                                                                      \
        ORDER(v, 3, 5);                                                                                      \
        ORDER(v, 1, 2);                                                                                      \
        ORDER(v, 1, 3);                                                                                      \
        ORDER(v, 1, 4);                                                                                      \
        ORDER(v, 4, 7);                                                                                      \
        ORDER(v, 5, 7);                                                                                      \
        ORDER(v, 6, 7);                                                                                      \
    } while (0)

#define ENDS_OF_6(v)                                                                                         \
    do {                                                                                                     \
        ORDER(v, 2, 7);                                                                                      \
        ORDER(v, 3, 6);                                                                                      \
        ORDER(v, 4, 5);                                                                                      \
        ORDER(v, 2, 3);                                                                                      \
        ORDER(v, 2, 4);                                                                                      \
        ORDER(v, 5, 7);                                                                                      \
        ORDER(v, 6, 7);                                                                                      \
    } while (0)

#define ENDS_OF_5(v)                                                                                         \
    do {                                                                                                     \
        ORDER(v, 3, 7);                                                                                      \
        ORDER(v, 4, 6);                                                                                      \
        ORDER(v, 3, 4);                                                                                      \
        ORDER(v, 3, 5);                                                                                      \
        ORDER(v, 5, 7);                                                                                      \
        ORDER(v, 6, 7);                                                                                      \
    } while (0)

#define ENDS_OF_4(v)                                                                                         \
    do {                                                                                                     \
        ORDER(v, 4, 7);                                                                                      \
        ORDER(v, 5, 6);                                                                                      \
        ORDER(v, 4, 5);                                                                                      \
        ORDER(v, 6, 7);                                                                                      \
    } while (0)

#define ENDS_OF_3(v)                                                                                         \
    do {                                                                                                     \
        ORDER(v, 5, 7);                                                                                      \
        ORDER(v, 5, 6);                                                                                      \
        ORDER(v, 6, 7);                                                                                      \
    } while (0)

/* Row r of the five of a window, each `channels` samples after the one before. */
#define TAKE_5(key, v, r)                                                                                    \
    key v[5] = {r[i], r[i + channels], r[i + 2 * channels], r[i + 3 * channels], r[i + 4 * channels]};       \
    SORT_5(v)

#define NETWORKS(key, suffix)                                                                                \
    /* Sorts the columns of the rows into as many others. */                                                 \
    SIMD_CLONES static void sort_5_##suffix(const key *restrict a, const key *restrict b,                    \
                                            const key *restrict c, const key *restrict d,                    \
                                            const key *restrict e, key *restrict p, key *restrict q,         \
                                            key *restrict r, key *restrict s, key *restrict t, size_t count) \
    {                                                                                                        \
        for (size_t i = 0; i < count; i++) {                                                                 \
            key v[5] = {a[i], b[i], c[i], d[i], e[i]};                                                       \
            SORT_5(v);                                                                                       \
            p[i] = v[0];                                                                                     \
            q[i] = v[1];                                                                                     \
            r[i] = v[2];                                                                                     \
            s[i] = v[3];                                                                                     \
            t[i] = v[4];                                                                                     \
        }                                                                                                    \
    }                                                                                                        \
                                                                                                             \
    SIMD_CLONES static void pick_5_##suffix(                                                                 \
        const key *restrict ra, const key *restrict rb, const key *restrict rc, const key *restrict rd,      \
        const key *restrict re, key *restrict dst, size_t count, size_t channels)                            \
    {                                                                                                        \
        for (size_t i = 0; i < count; i++) {                                                                 \
            TAKE_5(key, a, ra);                                                                              \
            TAKE_5(key, b, rb);                                                                              \
            TAKE_5(key, c, rc);                                                                              \
            TAKE_5(key, d, rd);                                                                              \
            TAKE_5(key, e, re);                                                                              \
            key v[8] = {a[3], a[4], b[2], b[3], b[4], c[1], c[2], c[3]};                                     \
            ENDS_OF_8(v);                                                                                    \
            v[7] = d[0];                                                                                     \
            ENDS_OF_7(v);                                                                                    \
            v[7] = d[1];                                                                                     \
            ENDS_OF_6(v);                                                                                    \
            v[7] = d[2];                                                                                     \
            ENDS_OF_5(v);                                                                                    \
            v[7] = e[0];                                                                                     \
            ENDS_OF_4(v);                                                                                    \
            v[7] = e[1];                                                                                     \
            ENDS_OF_3(v);                                                                                    \
            dst[i] = v[6];                                                                                   \
        }                                                                                                    \
    }                                                                                                        \
                                                                                                             \
    /* Of five rows of a strip with margins; `sorted` are as many, for what comes in between. */             \
    static void median_##suffix(void *const rows[], void *const sorted[], void *dst, size_t padded,          \
                                size_t count, size_t channels)                                               \
    {                                                                                                        \
        sort_5_##suffix(rows[0], rows[1], rows[2], rows[3], rows[4], sorted[0], sorted[1], sorted[2],        \
                        sorted[3], sorted[4], padded);                                                       \
        pick_5_##suffix(sorted[0], sorted[1], sorted[2], sorted[3], sorted[4], dst, count, channels);        \
    }

NETWORKS(uint8_t, u8)
NETWORKS(uint16_t, u16)
NETWORKS(uint32_t, u32)

static size_t strip_px(const struct shape *in)
{
    return in->width < STRIP_PX ? in->width : STRIP_PX;
}

/* Of one row of a strip with margins. */
static size_t row_bytes(const struct shape *in)
{
    return (strip_px(in) + SIZE - 1) * shape_pixel_bytes(in);
}

size_t median_network_bytes(const struct shape *in)
{
    return scratch_need(2 * SIZE + 1, row_bytes(in));
}

/* A strip of rows [first, last) from column x on. Each row is loaded once, into a ring. */
static void strip_rows(const struct stage_run *run, uint32_t first, uint32_t last, size_t x, uint8_t *memory)
{
    const struct shape *in = &run->in;
    const int64_t radius = SIZE / 2;
    const size_t channels = in->channels, row = row_bytes(in);
    const size_t left = in->width - x, width = left < STRIP_PX ? left : STRIP_PX, padded = width + SIZE - 1;
    void *rows[SIZE], *sorted[SIZE];
    for (size_t i = 0; i < SIZE; i++)
        sorted[i] = memory + (SIZE + i) * row;
    for (uint32_t y = first; y < last; y++) {
        for (size_t i = 0; i < SIZE; i++) {
            rows[i] = memory + (y + i) % SIZE * row;
            if (y == first || i == SIZE - 1)
                keyrow_load(run, (int64_t)x - radius, y + (int64_t)i - radius, padded, false, rows[i]);
        }
        uint8_t *result = stage_dst_row(run, y) + x * shape_pixel_bytes(in);
        void *to = in->sample == SAMPLE_F32 ? memory + 2 * SIZE * row : result;
        if (in->sample == SAMPLE_U8)
            median_u8(rows, sorted, to, padded * channels, width * channels, channels);
        else if (in->sample == SAMPLE_U16)
            median_u16(rows, sorted, to, padded * channels, width * channels, channels);
        else
            median_u32(rows, sorted, to, padded * channels, width * channels, channels);
        if (in->sample == SAMPLE_F32)
            keyrow_store(run, x, y, width, false, to);
    }
}

int median_network_rows(const struct stage_run *run, uint32_t first, uint32_t last, struct scratch *scratch,
                        struct error *error)
{
    uint8_t *memory = scratch_alloc(scratch, 2 * SIZE + 1, row_bytes(&run->in));
    if (!memory)
        return error_set(error, ERROR_INTERNAL, "scratch is smaller than planned");
    for (size_t x = 0; x < run->in.width; x += STRIP_PX)
        strip_rows(run, first, last, x, memory);
    return 0;
}
