/* SPDX-License-Identifier: MIT */
/* A landscape from value noise. Levels are fixed point, 0 to 65535 for black to white, so that nothing
 * depends on a machine's floating point.
 *
 * A lattice of random levels per octave is interpolated, first between two lattice rows (once per image row),
 * then along the row. Sky, three ridges and the ground are composed back to front; each has its colour and
 * its share of the coarse and the fine octaves. Noise comes last, from a hash of the pixel's place. */
#include <stdlib.h>
#include <string.h>

#include "datasets/dice.h"
#include "datasets/scenes.h"

#define OCTAVES    11
#define FINE       4 /* octaves 0 .. FINE - 1, of cells up to 1 << FINE pixels, are texture */
#define RIDGES     3
#define FULL       65535
#define UNIT_SHIFT 15
/* The largest amplitude: two of them apart and times 1 << UNIT_SHIFT still fit 32 bits. */
#define MOST_LEVELS 14000

struct octave {
    unsigned shift; /* a cell is 1 << shift pixels wide and high */
    int32_t amplitude;
    uint32_t salt;
    uint32_t row;            /* the lattice row that `above` holds; UINT32_MAX: none yet */
    int32_t *above, *below;  /* lattice rows of this octave, within +-amplitude */
    int32_t *between;        /* the two, interpolated for one image row */
    const uint16_t *weights; /* 1 << shift of them */
};

struct layer {
    int32_t colour[3];
    int32_t coarse, fine; /* share of the two sums of octaves, in 1/256 */
};

struct photo {
    uint32_t width;
    uint32_t cells; /* of the longest lattice row */
    struct octave octaves[OCTAVES], tint;
    struct layer layers[RIDGES + 1];
    uint32_t noise_salt;
    int32_t *memory;              /* everything below */
    int32_t *coarse, *fine, *hue; /* sums of octaves of one row */
    int32_t *ridges[RIDGES];      /* row at which the ridge begins, in 1/256 px */
    int32_t *levels[3];           /* the row being made */
    uint16_t weights[2 << OCTAVES];
};

/* 3t^2 - 2t^3: interpolation without creases at the lattice. */
static void fill_weights(uint16_t *weights, unsigned shift)
{
    for (uint32_t i = 0; i < 1u << shift; i++) {
        const uint64_t t = ((uint64_t)i << UNIT_SHIFT) >> shift;
        weights[i] = (uint16_t)((t * t * ((3u << UNIT_SHIFT) - 2 * t)) >> (2 * UNIT_SHIFT));
    }
}

static void lattice_row(const struct octave *octave, uint32_t row, uint32_t cells, int32_t *out)
{
    const uint32_t row_salt = dice_hash(octave->salt + row);
    for (uint32_t i = 0; i < cells; i++) {
        const int32_t level = (int32_t)(dice_hash(row_salt ^ (i * 0x9e3779b1u)) >> 16) - 32768;
        out[i] = level * octave->amplitude / 32768;
    }
}

/* Adds the octave's levels at row y to sum[0 .. width). */
static void octave_add(struct octave *octave, uint32_t y, uint32_t width, int32_t *sum)
{
    const uint32_t cell_px = 1u << octave->shift, row = y >> octave->shift;
    const uint32_t cells = (width >> octave->shift) + 2;
    if (octave->row != row) {
        if (octave->row != UINT32_MAX && octave->row + 1 == row) {
            int32_t *swap = octave->above;
            octave->above = octave->below;
            octave->below = swap;
        } else {
            lattice_row(octave, row, cells, octave->above);
        }
        lattice_row(octave, row + 1, cells, octave->below);
        octave->row = row;
    }
    const int32_t down = octave->weights[y & (cell_px - 1)];
    for (uint32_t i = 0; i < cells; i++)
        octave->between[i] =
            octave->above[i] + (((octave->below[i] - octave->above[i]) * down) >> UNIT_SHIFT);
    for (uint32_t x = 0, cell = 0; x < width; x += cell_px, cell++) {
        const int32_t from = octave->between[cell], step = octave->between[cell + 1] - from;
        const uint32_t end = width - x < cell_px ? width - x : cell_px;
        for (uint32_t i = 0; i < end; i++)
            sum[x + i] += from + ((step * octave->weights[i]) >> UNIT_SHIFT);
    }
}

static void octave_init(struct octave *octave, unsigned shift, int32_t amplitude, uint64_t *seed)
{
    *octave = (struct octave){
        .shift = shift, .amplitude = amplitude, .salt = (uint32_t)dice_next(seed), .row = UINT32_MAX};
}

/* Rows at which each ridge begins: one line of noise, the nearer the lower and the rougher. */
static void ridges_init(struct photo *photo, uint32_t height, uint64_t *seed)
{
    for (int r = 0; r < RIDGES; r++) {
        memset(photo->ridges[r], 0, photo->width * sizeof *photo->ridges[r]);
        struct octave line = photo->octaves[0];
        for (unsigned o = 2; o < OCTAVES; o++) {
            line.shift = o + 1;
            line.weights = photo->octaves[o].weights;
            line.amplitude = o < 8 ? 24 << o : 24 << 8;
            line.salt = (uint32_t)dice_next(seed);
            line.row = UINT32_MAX;
            octave_add(&line, 0, photo->width, photo->ridges[r]);
        }
        const int32_t middle = dice_range(seed, 30 + 17 * r, 40 + 17 * r);
        for (uint32_t x = 0; x < photo->width; x++) {
            const int64_t swing = (int64_t)photo->ridges[r][x] * height / 200;
            photo->ridges[r][x] = (int32_t)((int64_t)height * middle * 256 / 100 + swing);
        }
    }
}

static bool photo_init(struct photo *photo, uint32_t width, uint32_t height, uint64_t seed)
{
    photo->width = width;
    photo->cells = (width >> 1) + 2;
    const size_t lattice = (size_t)photo->cells * 3;
    photo->memory = malloc((lattice * (OCTAVES + 1) + (size_t)width * (6 + RIDGES)) * sizeof(int32_t));
    if (!photo->memory)
        return false;
    int32_t *next = photo->memory;
    uint16_t *weights = photo->weights;
    for (unsigned o = 0; o <= OCTAVES; o++) {
        struct octave *octave = o < OCTAVES ? &photo->octaves[o] : &photo->tint;
        if (o < OCTAVES) {
            octave_init(octave, o + 1, o < 6 ? 900 + (220 << o) : MOST_LEVELS, &seed);
            fill_weights(weights, o + 1);
            octave->weights = weights;
            weights += 2 << o;
        } else {
            octave_init(octave, 6, 7000, &seed);
            octave->weights = photo->octaves[5].weights;
        }
        octave->above = next;
        octave->below = next + photo->cells;
        octave->between = next + 2 * (size_t)photo->cells;
        next += lattice;
    }
    int32_t **const rows[] = {&photo->coarse,    &photo->fine,      &photo->hue,
                              &photo->levels[0], &photo->levels[1], &photo->levels[2]};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++, next += width)
        *rows[i] = next;
    for (int r = 0; r < RIDGES; r++, next += width)
        photo->ridges[r] = next;
    for (int i = 0; i <= RIDGES; i++) {
        struct layer *layer = &photo->layers[i];
        for (int c = 0; c < 3; c++)
            layer->colour[c] = dice_range(&seed, 26000 - 5000 * i, 52000 - 9000 * i);
        layer->coarse = 60 + 30 * i;
        layer->fine = 64 * i * i / 2;
    }
    ridges_init(photo, height, &seed);
    for (unsigned o = 0; o < OCTAVES; o++) /* the ridges used the lattices of octave 0 */
        photo->octaves[o].row = UINT32_MAX;
    photo->noise_salt = (uint32_t)dice_next(&seed);
    return true;
}

static void lay(struct photo *photo, const struct layer *layer, const int32_t *ridge, int32_t y_256)
{
    for (int c = 0; c < 3; c++) {
        int32_t *levels = photo->levels[c];
        const int32_t colour = layer->colour[c], hue_share = 256 - 128 * c;
        for (uint32_t x = 0; x < photo->width; x++) {
            const int32_t own = colour + ((photo->coarse[x] * layer->coarse + photo->fine[x] * layer->fine +
                                           photo->hue[x] * hue_share) >>
                                          8);
            int32_t cover = ridge ? y_256 - ridge[x] : 256;
            cover = cover < 0 ? 0 : cover > 256 ? 256 : cover;
            levels[x] += ((own - levels[x]) >> 8) * cover;
        }
    }
}

static bool ridge_begins_by(const int32_t *ridge, uint32_t width, int32_t y_256)
{
    int32_t first = ridge[0];
    for (uint32_t x = 1; x < width; x++)
        first = ridge[x] < first ? ridge[x] : first;
    return first < y_256;
}

static void photo_row(struct photo *photo, uint32_t y, uint32_t height)
{
    const size_t bytes = photo->width * sizeof(int32_t);
    memset(photo->coarse, 0, bytes);
    memset(photo->fine, 0, bytes);
    memset(photo->hue, 0, bytes);
    for (unsigned c = 0; c < 3; c++)
        memset(photo->levels[c], 0, bytes);
    for (unsigned o = 0; o < OCTAVES; o++)
        octave_add(&photo->octaves[o], y, photo->width, o < FINE ? photo->fine : photo->coarse);
    octave_add(&photo->tint, y, photo->width, photo->hue);
    struct layer sky = photo->layers[0];
    for (int c = 0; c < 3; c++) /* paler towards the horizon */
        sky.colour[c] += (int32_t)((int64_t)8000 * y / height);
    const int32_t y_256 = (int32_t)(y * 256);
    lay(photo, &sky, NULL, y_256);
    for (int r = 0; r < RIDGES; r++)
        if (ridge_begins_by(photo->ridges[r], photo->width, y_256))
            lay(photo, &photo->layers[r + 1], photo->ridges[r], y_256);
}

/* Sensor noise: sums of hash bits, near enough to a bell; a standard deviation of about 2 levels of 255. */
static void add_noise(struct photo *photo, uint32_t y)
{
    const uint32_t row_salt = dice_hash(photo->noise_salt + y);
    for (uint32_t x = 0; x < photo->width; x++) {
        const uint32_t bits = dice_hash(row_salt ^ x);
        const int32_t red = (int32_t)((bits & 255) + (bits >> 8 & 255)) - 255;
        const int32_t blue = (int32_t)((bits >> 16 & 255) + (bits >> 24)) - 255;
        const int32_t green = (int32_t)((bits >> 4 & 255) + (bits >> 20 & 255)) - 255;
        const int32_t noise[3] = {red, green, blue};
        for (int c = 0; c < 3; c++) {
            const int32_t level = photo->levels[c][x] + noise[c] * 5;
            photo->levels[c][x] = level < 0 ? 0 : level > FULL ? FULL : level;
        }
    }
}

/* Thresholds of an ordered dither (Bayer 1973), in 1/16 of a step. */
static const uint8_t bayer[4][4] = {{0, 8, 2, 10}, {12, 4, 14, 6}, {3, 11, 1, 9}, {15, 7, 13, 5}};

static void store_grey(const struct photo *photo, const struct raster *raster, uint32_t y)
{
    uint8_t *row = raster_row(raster, y);
    const uint32_t steps = (1u << raster->bits) - 1;
    for (uint32_t x = 0; x < raster->width; x++) {
        const uint32_t level = (uint32_t)photo->levels[1][x];
        const uint32_t threshold = raster->bits == 8 ? FULL / 2 : bayer[y & 3][x & 3] * 4096u + 2048u;
        row[x] = (uint8_t)((level * steps + threshold) / FULL);
    }
}

static void store_rgb(const struct photo *photo, const struct raster *raster, uint32_t y)
{
    uint8_t *row = raster_row(raster, y);
    uint16_t *wide = (uint16_t *)(void *)row;
    for (uint32_t x = 0; x < raster->width; x++)
        for (unsigned c = 0; c < 3; c++) {
            if (raster->bits == 16)
                wide[3 * (size_t)x + c] = (uint16_t)photo->levels[c][x];
            else
                row[3 * (size_t)x + c] = (uint8_t)(photo->levels[c][x] >> 8);
        }
}

bool photo_paint(struct raster *raster, uint64_t seed)
{
    static struct photo photo;
    if (!photo_init(&photo, raster->width, raster->height, seed))
        return false;
    for (uint32_t y = 0; y < raster->height; y++) {
        photo_row(&photo, y, raster->height);
        add_noise(&photo, y);
        if (raster->channels == 1)
            store_grey(&photo, raster, y);
        else
            store_rgb(&photo, raster, y);
    }
    free(photo.memory);
    return true;
}
