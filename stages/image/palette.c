/* SPDX-License-Identifier: MIT */
/* Median cut (Heckbert 1982, "Color image quantization for frame buffer display") on cells of colours: 32
 * along each axis, or 4096 greys. The box that is cut next is the one with the most pixels times its longest
 * side; it is cut across that side where half of its pixels lie on either part. A box becomes the mean of its
 * pixels. */
#include "stages/image/palette.h"

#include <math.h>
#include <string.h>

#include "stages/image/floatrow.h"
#include "stages/simd.h"

#define AXIS_BITS 5u
#define GREY_BITS 12u
#define CELLS     (1u << 3 * AXIS_BITS)
#define PLACES    (1u << GREY_BITS)
/* Of the hash table of colours; much more than PALETTE_MOST. */
#define BUCKETS 1024u

struct cell {
    uint64_t count;
    double sums[3];
};

/* A range of the list of cells. */
struct box {
    size_t first, last;
    uint64_t count;
    unsigned axis, low, high; /* the longest side, and the first and last place on it */
};

struct cutter {
    const struct stage_run *run;
    unsigned colours; /* 1 or 3 */
    float *row;
    struct cell *cells;
    uint16_t *list, *spare; /* numbers of cells that are not empty */
    uint64_t *weights;      /* pixels at each place of an axis */
    uint16_t *buckets;      /* 1 + number of a colour of the palette; 0 for none */
    struct box *boxes;
};

float palette_level(float value, float full)
{
    value = value > 0.0f ? value : 0.0f;
    return value < full ? value : full;
}

size_t palette_bytes(const struct shape *in)
{
    const size_t row = scratch_need((size_t)in->width * in->channels, sizeof(float));
    const size_t tables = scratch_need(CELLS, sizeof(struct cell)) +
                          2 * scratch_need(CELLS, sizeof(uint16_t)) + scratch_need(PLACES, sizeof(uint64_t)) +
                          scratch_need(PALETTE_MOST, sizeof(struct box)) +
                          scratch_need(BUCKETS, sizeof(uint16_t));
    return scratch_add(row, tables);
}

static int cutter_open(struct cutter *cutter, struct scratch *scratch, struct error *error)
{
    const struct shape *in = &cutter->run->in;
    cutter->row = scratch_alloc(scratch, (size_t)in->width * in->channels, sizeof(float));
    cutter->cells = scratch_alloc(scratch, CELLS, sizeof *cutter->cells);
    cutter->list = scratch_alloc(scratch, CELLS, sizeof *cutter->list);
    cutter->spare = scratch_alloc(scratch, CELLS, sizeof *cutter->spare);
    cutter->weights = scratch_alloc(scratch, PLACES, sizeof *cutter->weights);
    cutter->buckets = scratch_alloc(scratch, BUCKETS, sizeof *cutter->buckets);
    cutter->boxes = scratch_alloc(scratch, PALETTE_MOST, sizeof *cutter->boxes);
    if (!cutter->row || !cutter->cells || !cutter->list || !cutter->spare || !cutter->weights ||
        !cutter->buckets || !cutter->boxes)
        return error_set(error, ERROR_INTERNAL, "scratch is smaller than planned");
    return 0;
}

/* The colour of a pixel of the row in hand, or false where it cannot be seen. */
static bool colour_at(const struct cutter *cutter, size_t x, float colour[3])
{
    const struct shape *in = &cutter->run->in;
    const float *pixel = cutter->row + x * in->channels, full = floatrow_full(in->sample);
    if (shape_has_alpha(in) && !(pixel[in->channels - 1] > 0))
        return false;
    colour[0] = palette_level(pixel[0], full);
    colour[1] = cutter->colours == 3 ? palette_level(pixel[1], full) : 0;
    colour[2] = cutter->colours == 3 ? palette_level(pixel[2], full) : 0;
    return true;
}

static void load_row(const struct cutter *cutter, uint32_t y)
{
    const struct shape *in = &cutter->run->in;
    floatrow_convert(in->sample, stage_src_row(cutter->run, y), cutter->row,
                     (size_t)in->width * in->channels);
}

static bool is_colour(const struct palette *palette, unsigned i, const float colour[3])
{
    return palette->colours[0][i] == colour[0] && palette->colours[1][i] == colour[1] &&
           palette->colours[2][i] == colour[2];
}

/* Adds a colour that is not there yet. Returns false where there is no room. */
static bool add_colour(const struct cutter *cutter, struct palette *palette, unsigned most,
                       const float colour[3])
{
    uint32_t bits[3];
    memcpy(bits, colour, sizeof bits);
    uint32_t bucket = (bits[0] * 0x9e3779b1u ^ bits[1] * 0x85ebca77u ^ bits[2] * 0xc2b2ae3du) >> 16;
    for (bucket %= BUCKETS; cutter->buckets[bucket] > 0; bucket = (bucket + 1) % BUCKETS) {
        if (is_colour(palette, cutter->buckets[bucket] - 1u, colour))
            return true;
    }
    if (palette->count == most)
        return false;
    for (int axis = 0; axis < 3; axis++)
        palette->colours[axis][palette->count] = colour[axis];
    cutter->buckets[bucket] = (uint16_t)++palette->count;
    return true;
}

/* The image's own colours, in the order in which they come; false where they are more than `most`. */
static bool own_colours(const struct cutter *cutter, unsigned most, struct palette *palette)
{
    unsigned last = 0;
    *palette = (struct palette){0};
    memset(cutter->buckets, 0, BUCKETS * sizeof *cutter->buckets);
    for (uint32_t y = 0; y < cutter->run->in.height; y++) {
        load_row(cutter, y);
        for (size_t x = 0; x < cutter->run->in.width; x++) {
            float colour[3];
            if (!colour_at(cutter, x, colour) || (palette->count > 0 && is_colour(palette, last, colour)))
                continue;
            if (!add_colour(cutter, palette, most, colour))
                return false;
            last = palette->count - 1;
        }
    }
    palette->count += palette->count == 0; /* nothing can be seen: black will do */
    return true;
}

static unsigned place_of(const struct cutter *cutter, unsigned cell, unsigned axis)
{
    return cutter->colours == 1 ? cell : cell >> axis * AXIS_BITS & ((1u << AXIS_BITS) - 1);
}

/* Sorts the pixels into cells. Returns the length of the list. */
static size_t fill_cells(const struct cutter *cutter)
{
    const struct shape *in = &cutter->run->in;
    const unsigned places = cutter->colours == 1 ? PLACES : 1u << AXIS_BITS;
    const float full = floatrow_full(in->sample), levels = in->sample == SAMPLE_F32 ? full : full + 1;
    const float scale = (float)places / levels;
    memset(cutter->cells, 0, CELLS * sizeof *cutter->cells);
    for (uint32_t y = 0; y < in->height; y++) {
        load_row(cutter, y);
        for (size_t x = 0; x < in->width; x++) {
            float colour[3];
            if (!colour_at(cutter, x, colour))
                continue;
            unsigned number = 0;
            for (unsigned axis = 0; axis < cutter->colours; axis++) {
                const unsigned place = (unsigned)(colour[axis] * scale);
                number |= (place < places ? place : places - 1) << axis * AXIS_BITS;
            }
            struct cell *cell = &cutter->cells[number];
            cell->count++;
            for (unsigned axis = 0; axis < cutter->colours; axis++)
                cell->sums[axis] += (double)colour[axis];
        }
    }
    size_t length = 0;
    for (unsigned i = 0; i < CELLS; i++) {
        if (cutter->cells[i].count > 0)
            cutter->list[length++] = (uint16_t)i;
    }
    return length;
}

/* A box around a range of the list. */
static struct box box_around(const struct cutter *cutter, size_t first, size_t last)
{
    struct box box = {.first = first, .last = last};
    for (size_t i = first; i < last; i++)
        box.count += cutter->cells[cutter->list[i]].count;
    for (unsigned axis = 0; axis < cutter->colours; axis++) {
        unsigned low = PLACES, high = 0;
        for (size_t i = first; i < last; i++) {
            const unsigned place = place_of(cutter, cutter->list[i], axis);
            low = place < low ? place : low;
            high = place > high ? place : high;
        }
        if (axis == 0 || high - low > box.high - box.low) {
            box.axis = axis;
            box.low = low;
            box.high = high;
        }
    }
    return box;
}

/* The last place of the lower part: the first with half of the pixels up to it, but never the last of all. */
static unsigned cut_of(const struct cutter *cutter, const struct box *box)
{
    memset(cutter->weights + box->low, 0, (box->high - box->low + 1) * sizeof *cutter->weights);
    for (size_t i = box->first; i < box->last; i++) {
        const unsigned cell = cutter->list[i];
        cutter->weights[place_of(cutter, cell, box->axis)] += cutter->cells[cell].count;
    }
    uint64_t sum = cutter->weights[box->low];
    unsigned place = box->low;
    while (place + 1 < box->high && 2 * sum < box->count)
        sum += cutter->weights[++place];
    return place;
}

/* Cuts *box in two: *box keeps the lower part, the upper one is returned. */
static struct box cut(const struct cutter *cutter, struct box *box)
{
    const unsigned place = cut_of(cutter, box);
    size_t low = box->first, high = 0;
    const size_t last = box->last;
    for (size_t i = box->first; i < last; i++) {
        const uint16_t cell = cutter->list[i];
        if (place_of(cutter, cell, box->axis) <= place)
            cutter->list[low++] = cell;
        else
            cutter->spare[high++] = cell;
    }
    memcpy(cutter->list + low, cutter->spare, high * sizeof *cutter->spare);
    *box = box_around(cutter, box->first, low);
    return box_around(cutter, low, last);
}

static void mean_of_box(const struct cutter *cutter, const struct box *box, struct palette *palette)
{
    double sums[3] = {0};
    for (size_t i = box->first; i < box->last; i++) {
        for (int axis = 0; axis < 3; axis++)
            sums[axis] += cutter->cells[cutter->list[i]].sums[axis];
    }
    for (int axis = 0; axis < 3; axis++) {
        const double mean = sums[axis] / (double)box->count;
        palette->colours[axis][palette->count] =
            (float)(cutter->run->in.sample == SAMPLE_F32 ? mean : floor(mean + 0.5));
    }
    palette->count++;
}

int palette_make(const struct stage_run *run, unsigned most, struct palette *palette, struct scratch *scratch,
                 struct error *error)
{
    struct cutter cutter = {.run = run, .colours = run->in.channels < 3 ? 1 : 3};
    TRY(cutter_open(&cutter, scratch, error));
    struct box *boxes = cutter.boxes;
    if (own_colours(&cutter, most, palette))
        return 0;
    unsigned count = 1;
    boxes[0] = box_around(&cutter, 0, fill_cells(&cutter));
    while (count < most) {
        unsigned next = 0;
        double best = 0;
        for (unsigned i = 0; i < count; i++) {
            const double size = (double)boxes[i].count * (boxes[i].high - boxes[i].low);
            if (size > best) {
                best = size;
                next = i;
            }
        }
        if (best <= 0)
            break;
        boxes[count] = cut(&cutter, &boxes[next]);
        count++;
    }
    *palette = (struct palette){0};
    for (unsigned i = 0; i < count; i++)
        mean_of_box(&cutter, &boxes[i], palette);
    return 0;
}

SIMD_CLONES static unsigned nearest_entry(const struct palette *palette, const float colour[3])
{
    const float *restrict red = palette->colours[0], *restrict green = palette->colours[1];
    const float *restrict blue = palette->colours[2];
    const float r = colour[0], g = colour[1], b = colour[2];
    const int count = (int)palette->count;
    /* Floats that are not negative have the order of their bits. */
    union {
        float distances[PALETTE_MOST];
        int32_t bits[PALETTE_MOST];
    } at;
#pragma omp simd
    for (int i = 0; i < count; i++) {
        const float x = red[i] - r, y = green[i] - g, z = blue[i] - b;
        at.distances[i] = x * x + y * y + z * z;
    }
    int32_t best = INT32_MAX;
#pragma omp simd reduction(min : best)
    for (int i = 0; i < count; i++)
        best = at.bits[i] < best ? at.bits[i] : best;
    int nearest = PALETTE_MOST;
#pragma omp simd reduction(min : nearest)
    for (int i = 0; i < count; i++) {
        const int found = at.bits[i] <= best ? i : (int)PALETTE_MOST;
        nearest = found < nearest ? found : nearest;
    }
    return (unsigned)nearest;
}

unsigned palette_nearest(const struct palette *palette, const float colour[3])
{
    return nearest_entry(palette, colour);
}
