/* SPDX-License-Identifier: MIT */
/* The image is done in strips of columns, so that what is kept of the rows around fits a cache. Samples are
 * compared as keys; in reverse order the least key is the greatest sample, so that there are only minima
 * here.
 *
 * Across, a minimum over n samples is that of two overlapping ones over the greatest power of 2 below, which
 * come by doubling. Down, blocks of `size` rows have minima from each row to the block's end, and with the
 * running minimum of the next block they make every window (van Herk 1992; Gil and Werman 1993). */
#include "stages/image/morph.h"

#include <string.h>

#include "stages/image/keyrow.h"
#include "stages/simd.h"

#define STRIP_PX 512u
#define MAX_SIZE 255

enum { SHAPE_SQUARE, SHAPE_CROSS, SHAPE_DISC };

const struct param morph_table[] = {
    {.name = "size",
     .type = PARAM_INT,
     .offset = offsetof(struct morph_params, size),
     .min = 3,
     .max = MAX_SIZE,
     .initial = "3",
     .unit = "px",
     .help = "Width and height of the shape, an odd number"},
    {.name = "shape",
     .type = PARAM_CHOICE,
     .offset = offsetof(struct morph_params, shape),
     .initial = "square",
     .choices = "square|cross|disc",
     .unit = "",
     .help =
         "Pixels that count: all, those of the same row or column, or those within size / 2 of the centre"},
    PARAM_END,
};

/* One call of rows at work on one strip. Rows with margins hold the strip and `radius` pixels on both sides.
 */
struct morph {
    const struct stage_run *run;
    size_t channels, sample_bytes, radius;
    bool greatest;
    size_t x;      /* first column of the strip */
    size_t count;  /* samples of a row of the strip */
    size_t padded; /* the same with margins */
    uint8_t *wide[2];
    uint8_t *result;
    uint8_t *kept; /* rows or levels, as the shape needs */
};

int morph_check(const void *values, struct error *error)
{
    const struct morph_params *params = values;
    if (params->size % 2 == 0)
        return error_set(error, ERROR_USAGE, "size must be odd, so that it has a centre: %lld or %lld",
                         (long long)params->size - 1, (long long)params->size + 1);
    return 0;
}

static uint32_t strip_px(const struct shape *in)
{
    return in->width < STRIP_PX ? in->width : STRIP_PX;
}

static unsigned levels_of(size_t size)
{
    unsigned levels = 1;
    while ((size_t)2 << (levels - 1) <= size)
        levels++;
    return levels;
}

static size_t kept_rows(const struct morph_params *params)
{
    const size_t size = (size_t)params->size;
    return params->shape == SHAPE_DISC ? size * levels_of(size) : 2 * size;
}

/* Samples of a row of a strip with margins. */
static size_t padded_samples(const struct morph_params *params, const struct shape *in)
{
    return (strip_px(in) + (size_t)params->size - 1) * in->channels;
}

int morph_plan(const void *params, const struct shape *in, struct stage_plan *plan, struct error *error)
{
    (void)error;
    plan->out.bits = in->bits;
    plan->rows_scratch_bytes =
        scratch_need((3 + kept_rows(params)) * padded_samples(params, in), shape_sample_bytes(in->sample));
    return 0;
}

void morph_source_rows(const void *params, const struct shape *in, const struct shape *out, uint32_t *first,
                       uint32_t *last)
{
    (void)out;
    const uint32_t radius = (uint32_t)(((const struct morph_params *)params)->size / 2);
    *first -= *first < radius ? *first : radius;
    *last += in->height - *last < radius ? in->height - *last : radius;
}

/* dst = the lesser of a and b; dst may be a. */
#define LEAST(name, type)                                                                                    \
    SIMD_CLONES static void name(const void *first, const void *second, void *result, size_t count)          \
    {                                                                                                        \
        const type *a = first, *b = second;                                                                  \
        type *dst = result;                                                                                  \
        _Pragma("omp simd") for (size_t i = 0; i < count; i++) dst[i] = a[i] < b[i] ? a[i] : b[i];           \
    }

LEAST(least_u8, uint8_t)
LEAST(least_u16, uint16_t)
LEAST(least_u32, uint32_t)

static void least(const struct morph *morph, const uint8_t *a, const uint8_t *b, uint8_t *dst, size_t count)
{
    if (morph->sample_bytes == 1)
        least_u8(a, b, dst, count);
    else if (morph->sample_bytes == 2)
        least_u16(a, b, dst, count);
    else
        least_u32(a, b, dst, count);
}

/* Row y of the strip with margins. */
static void load(const struct morph *morph, int64_t y, uint8_t *wide)
{
    keyrow_load(morph->run, (int64_t)morph->x - (int64_t)morph->radius, y, morph->padded / morph->channels,
                morph->greatest, wide);
}

/* Writes the result's part of output row y. */
static void store(const struct morph *morph, uint32_t y)
{
    keyrow_store(morph->run, morph->x, y, morph->count / morph->channels, morph->greatest, morph->result);
}

/* The minima over `size` pixels of wide[0], which is used up. */
static void across(const struct morph *morph, uint8_t *result)
{
    const size_t size = 2 * morph->radius + 1, pixel = morph->channels * morph->sample_bytes;
    const uint8_t *from = morph->wide[0];
    size_t span = 1;
    for (unsigned to = 1; 2 * span <= size; to ^= 1, span *= 2) {
        least(morph, from, from + span * pixel, morph->wide[to], morph->padded - span * morph->channels);
        from = morph->wide[to];
    }
    least(morph, from, from + (size - span) * pixel, result, morph->count);
}

/* A row as the walk down needs it: the minima across, or the strip as it is. */
static void row_of_block(const struct morph *morph, int64_t y, bool cross, uint8_t *row)
{
    const size_t pixel = morph->channels * morph->sample_bytes;
    load(morph, y, morph->wide[0]);
    if (cross)
        memcpy(row, morph->wide[0] + morph->radius * pixel, morph->count * morph->sample_bytes);
    else
        across(morph, row);
}

/* Rows [first, last) of a strip; the shape is a square or a cross. */
static void walk(const struct morph *morph, bool cross, uint32_t first, uint32_t last)
{
    const size_t size = 2 * morph->radius + 1, row = morph->padded * morph->sample_bytes;
    const size_t bytes = morph->count * morph->sample_bytes;
    uint8_t *block = morph->kept, *next = morph->kept + size * row;
    size_t loaded = 0; /* rows of the block */
    for (uint64_t start = first; start < last; start += size) {
        const int64_t top = (int64_t)start - (int64_t)morph->radius;
        for (; loaded < size; loaded++)
            row_of_block(morph, top + (int64_t)loaded, cross, block + loaded * row);
        for (size_t i = size - 1; i > 0; i--)
            least(morph, block + (i - 1) * row, block + i * row, block + (i - 1) * row, morph->count);
        loaded = 0;
        for (size_t i = 0; i < size && start + i < last; i++) {
            /* Row i of the block has what lies below it; the rows of the next one above row i join it. The
             * running minimum takes the place of row 0, which is done with. */
            memcpy(morph->result, block + i * row, bytes);
            if (i > 0) {
                uint8_t *fresh = next + loaded * row;
                row_of_block(morph, top + (int64_t)(size + loaded++), cross, fresh);
                if (i == 1)
                    memcpy(block, fresh, bytes);
                else
                    least(morph, block, fresh, block, morph->count);
                least(morph, morph->result, block, morph->result, morph->count);
            }
            if (cross) {
                load(morph, (int64_t)(start + i), morph->wide[0]);
                across(morph, morph->wide[1]);
                least(morph, morph->result, morph->wide[1], morph->result, morph->count);
            }
            store(morph, (uint32_t)(start + i));
        }
        uint8_t *done = block;
        block = next;
        next = done;
    }
}

/* Half the width of a disc at `dy` rows from its centre: x x x + dy x dy <= radius x radius. */
static size_t half_width(size_t radius, size_t dy)
{
    size_t x = radius;
    while (x * x + dy * dy > radius * radius)
        x--;
    return x;
}

/* Loads row y of a disc's strip and its minima over 2, 4, 8 ... pixels. */
static void load_levels(const struct morph *morph, uint32_t y, uint8_t *levels)
{
    const size_t row = morph->padded * morph->sample_bytes, pixel = morph->channels * morph->sample_bytes;
    load(morph, y, levels);
    for (size_t span = 1; 2 * span <= 2 * morph->radius + 1; span *= 2, levels += row)
        least(morph, levels, levels + span * pixel, levels + row, morph->padded - span * morph->channels);
}

static void walk_disc(const struct morph *morph, uint32_t first, uint32_t last)
{
    const size_t size = 2 * morph->radius + 1, row = morph->padded * morph->sample_bytes;
    const size_t pixel = morph->channels * morph->sample_bytes, slot = row * levels_of(size);
    const int64_t radius = (int64_t)morph->radius, bottom = (int64_t)morph->run->in.height - 1;
    int64_t loaded = first > morph->radius ? (int64_t)first - radius : 0;
    for (int64_t y = first; y < last; y++) {
        for (; loaded <= y + radius && loaded <= bottom; loaded++)
            load_levels(morph, (uint32_t)loaded, morph->kept + (size_t)loaded % size * slot);
        memset(morph->result, 0xff, morph->count * morph->sample_bytes);
        for (int64_t dy = -radius; dy <= radius; dy++) {
            if (y + dy < 0 || y + dy > bottom)
                continue;
            const size_t half = half_width(morph->radius, (size_t)(dy < 0 ? -dy : dy)), width = 2 * half + 1;
            const unsigned level = levels_of(width) - 1;
            const uint8_t *from =
                morph->kept + (size_t)(y + dy) % size * slot + level * row + (morph->radius - half) * pixel;
            const size_t rest = width - ((size_t)1 << level);
            least(morph, morph->result, from, morph->result, morph->count);
            if (rest > 0)
                least(morph, morph->result, from + rest * pixel, morph->result, morph->count);
        }
        store(morph, (uint32_t)y);
    }
}

int morph_rows(const struct stage_run *run, bool greatest, uint32_t first, uint32_t last,
               struct scratch *scratch, struct error *error)
{
    const struct morph_params *params = run->params;
    const size_t sample_bytes = shape_sample_bytes(run->in.sample);
    const size_t row = padded_samples(params, &run->in) * sample_bytes;
    uint8_t *memory =
        scratch_alloc(scratch, (3 + kept_rows(params)) * padded_samples(params, &run->in), sample_bytes);
    if (!memory)
        return error_set(error, ERROR_INTERNAL, "scratch is smaller than planned");
    struct morph morph = {.run = run,
                          .channels = run->in.channels,
                          .sample_bytes = sample_bytes,
                          .radius = (size_t)params->size / 2,
                          .greatest = greatest,
                          .wide = {memory, memory + row},
                          .result = memory + 2 * row,
                          .kept = memory + 3 * row};
    for (; morph.x < run->in.width; morph.x += STRIP_PX) {
        const size_t left = run->in.width - morph.x, width = left < STRIP_PX ? left : STRIP_PX;
        morph.count = width * morph.channels;
        morph.padded = (width + 2 * morph.radius) * morph.channels;
        if (params->shape == SHAPE_DISC)
            walk_disc(&morph, first, last);
        else
            walk(&morph, params->shape == SHAPE_CROSS, first, last);
    }
    return 0;
}
