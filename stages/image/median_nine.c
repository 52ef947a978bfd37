/* SPDX-License-Identifier: MIT */
/* The median of 9 by minima and maxima, which whole vectors can do at once: each row's three samples are put
 * in order, then it is the median of the greatest of the least, the median of the middle and the least of the
 * greatest (Smith, "Implementing median filters in XC4000E FPGAs", 1996). Four rows are made at a time, so
 * that a row is sorted once or twice and not three times, and nothing is kept in between. */
#include "stages/image/keyrow.h"
#include "stages/image/median.h"
#include "stages/simd.h"

#define ROWS_OUT 4u
#define ROWS_IN  6u

/* Floats have to become keys, a strip of so many pixels at a time. */
#define STRIP_PX 1024u

/* Samples of a few vectors. */
#define AT_ONCE 64u

#define LEAST(a, b)    ((a) < (b) ? (a) : (b))
#define GREATEST(a, b) ((a) < (b) ? (b) : (a))

/* The three samples of row r that a window sees, in order. */
#define SORTED(key, r)                                                                                       \
    const key one##r = rows[r][i], two##r = rows[r][i + channels], three##r = rows[r][i + 2 * channels];     \
    const key lesser##r = LEAST(one##r, two##r), greater##r = GREATEST(one##r, two##r);                      \
    const key rest##r = LEAST(greater##r, three##r);                                                         \
    const key low##r = LEAST(lesser##r, rest##r), middle##r = GREATEST(lesser##r, rest##r);                  \
    const key high##r = GREATEST(greater##r, three##r)

/* What two windows share that see rows r and s. */
#define PAIR(key, r, s)                                                                                      \
    const key low##r##s = GREATEST(low##r, low##s), high##r##s = LEAST(high##r, high##s);                    \
    const key from##r##s = LEAST(middle##r, middle##s), to##r##s = GREATEST(middle##r, middle##s)

/* The median of the greatest low, the median middle and the least high one of row r and a pair. */
#define MEDIAN(key, out, r, pair)                                                                            \
    do {                                                                                                     \
        const key low = GREATEST(low##r, low##pair), high = LEAST(high##r, high##pair);                      \
        const key middle = GREATEST(from##pair, LEAST(middle##r, to##pair));                                 \
        dst[out][i] = GREATEST(LEAST(low, middle), LEAST(GREATEST(low, middle), high));                      \
    } while (0)

#define NINE(key, suffix)                                                                                    \
    SIMD_INLINE void part_##suffix(const key *const rows[ROWS_IN], key *const dst[ROWS_OUT],                 \
                                   size_t channels, size_t first, size_t last)                               \
    {                                                                                                        \
        _Pragma("omp simd") for (size_t i = first; i < last; i++)                                            \
        {                                                                                                    \
            SORTED(key, 0);                                                                                  \
            SORTED(key, 1);                                                                                  \
            SORTED(key, 2);                                                                                  \
            PAIR(key, 1, 2);                                                                                 \
            MEDIAN(key, 0, 0, 12);                                                                           \
            SORTED(key, 3);                                                                                  \
            MEDIAN(key, 1, 3, 12);                                                                           \
            SORTED(key, 4);                                                                                  \
            PAIR(key, 3, 4);                                                                                 \
            MEDIAN(key, 2, 2, 34);                                                                           \
            SORTED(key, 5);                                                                                  \
            MEDIAN(key, 3, 5, 34);                                                                           \
        }                                                                                                    \
    }                                                                                                        \
                                                                                                             \
    /* In whole vectors: the last ones end with the row, and do some samples again. */                       \
    SIMD_CLONES static void medians_##suffix(const void *const from[ROWS_IN], void *const to[ROWS_OUT],      \
                                             size_t channels, size_t count)                                  \
    {                                                                                                        \
        const key *rows[ROWS_IN] = {from[0], from[1], from[2], from[3], from[4], from[5]};                   \
        key *dst[ROWS_OUT] = {to[0], to[1], to[2], to[3]};                                                   \
        const size_t whole = count / AT_ONCE * AT_ONCE;                                                      \
        part_##suffix(rows, dst, channels, 0, whole);                                                        \
        if (whole == 0)                                                                                      \
            part_##suffix(rows, dst, channels, 0, count);                                                    \
        else if (whole < count)                                                                              \
            part_##suffix(rows, dst, channels, count - AT_ONCE, count);                                      \
    }

NINE(uint8_t, u8)
NINE(uint16_t, u16)
NINE(uint32_t, u32)

static void medians(const struct shape *in, const void *const rows[ROWS_IN], void *const dst[ROWS_OUT],
                    size_t width)
{
    const size_t channels = in->channels, count = width * channels;
    if (in->sample == SAMPLE_U8)
        medians_u8(rows, dst, channels, count);
    else if (in->sample == SAMPLE_U16)
        medians_u16(rows, dst, channels, count);
    else
        medians_u32(rows, dst, channels, count);
}

static size_t strip_px(const struct shape *in)
{
    return in->width < STRIP_PX ? in->width : STRIP_PX;
}

/* Rows of a strip with margins, and as many results. */
static size_t row_bytes(const struct shape *in)
{
    return (strip_px(in) + 2) * shape_pixel_bytes(in);
}

size_t median_nine_bytes(const struct shape *in)
{
    return scratch_need(ROWS_IN + ROWS_OUT, row_bytes(in));
}

/* `count` rows from y on, at most four, columns [x, x + width) of at most a strip, by way of keys. Rows below
 * those are not read: a caller promised none. */
static void by_keys(const struct stage_run *run, uint32_t y, uint32_t count, size_t x, size_t width,
                    uint8_t *memory)
{
    const void *rows[ROWS_IN];
    void *dst[ROWS_OUT];
    uint8_t *results = memory + ROWS_IN * row_bytes(&run->in);
    for (uint32_t r = 0; r < ROWS_IN; r++) {
        uint8_t *keys = memory + r * row_bytes(&run->in);
        const uint32_t below = r < count + 2 ? r : count + 1;
        keyrow_load(run, (int64_t)x - 1, (int64_t)y + below - 1, width + 2, false, keys);
        rows[r] = keys;
    }
    for (uint32_t r = 0; r < ROWS_OUT; r++)
        dst[r] = results + r * row_bytes(&run->in);
    medians(&run->in, rows, dst, width);
    for (uint32_t r = 0; r < count; r++)
        keyrow_store(run, x, y + r, width, false, results + r * row_bytes(&run->in));
}

/* Four rows from y on, all but the first and the last column, from where they lie. */
static void by_place(const struct stage_run *run, uint32_t y)
{
    const struct shape *in = &run->in;
    const uint32_t bottom = in->height - 1;
    const void *rows[ROWS_IN];
    void *dst[ROWS_OUT];
    for (uint32_t r = 0; r < ROWS_IN; r++) {
        const uint32_t from = y + r > 0 ? y + r - 1 : 0;
        rows[r] = stage_src_row(run, from < bottom ? from : bottom);
    }
    for (uint32_t r = 0; r < ROWS_OUT; r++)
        dst[r] = stage_dst_row(run, y + r) + shape_pixel_bytes(in);
    medians(in, rows, dst, in->width - 2u);
}

int median_nine_rows(const struct stage_run *run, uint32_t first, uint32_t last, struct scratch *scratch,
                     struct error *error)
{
    const size_t width = run->in.width;
    uint8_t *memory = scratch_alloc(scratch, ROWS_IN + ROWS_OUT, row_bytes(&run->in));
    if (!memory)
        return error_set(error, ERROR_INTERNAL, "scratch is smaller than planned");
    for (uint32_t y = first; y < last; y += ROWS_OUT) {
        const uint32_t count = last - y < ROWS_OUT ? last - y : ROWS_OUT;
        if (run->in.sample != SAMPLE_F32 && width > 2 && count == ROWS_OUT) {
            by_keys(run, y, count, 0, 1, memory);
            by_place(run, y);
            by_keys(run, y, count, width - 1, 1, memory);
            continue;
        }
        for (size_t x = 0; x < width; x += STRIP_PX)
            by_keys(run, y, count, x, width - x < STRIP_PX ? width - x : STRIP_PX, memory);
    }
    return 0;
}
