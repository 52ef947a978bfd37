/* SPDX-License-Identifier: MIT */
/* Flat art: ellipses, rectangles and triangles, painted back to front. Coverage is exact along x to 1/16
 * pixel and taken at four heights of each row. Coordinates are in 1/16 pixel. */
#include <stdlib.h>
#include <string.h>

#include "datasets/dice.h"
#include "datasets/scenes.h"

#define SUB      16 /* parts of a pixel */
#define HEIGHTS  4  /* lines looked at per row */
#define COVERAGE (SUB * HEIGHTS)

enum kind { ELLIPSE, RECTANGLE, TRIANGLE, KINDS };

struct shape {
    enum kind kind;
    int64_t left, top, right, bottom;
    int64_t corners[3][2]; /* triangle */
    uint8_t colour[4];     /* RGBA */
};

static int64_t root(int64_t square)
{
    int64_t result = 0;
    for (int64_t bit = (int64_t)1 << 30; bit; bit >>= 1)
        if ((result + bit) * (result + bit) <= square)
            result += bit;
    return result;
}

static void triangle_span(const struct shape *shape, int64_t y, int64_t *from, int64_t *to)
{
    *from = INT32_MAX;
    *to = INT32_MIN;
    for (int i = 0; i < 3; i++) {
        const int64_t *a = shape->corners[i], *b = shape->corners[(i + 1) % 3];
        if (a[1] > b[1]) {
            const int64_t *swap = a;
            a = b;
            b = swap;
        }
        if (y < a[1] || y >= b[1])
            continue;
        const int64_t x = a[0] + (b[0] - a[0]) * (y - a[1]) / (b[1] - a[1]);
        *from = x < *from ? x : *from;
        *to = x > *to ? x : *to;
    }
}

/* The part [*from, *to) of the line at y that is inside; from >= to: none. */
static void span(const struct shape *shape, int64_t y, int64_t *from, int64_t *to)
{
    *from = shape->left;
    *to = y >= shape->top && y < shape->bottom ? shape->right : shape->left;
    if (*from >= *to || shape->kind == RECTANGLE)
        return;
    if (shape->kind == TRIANGLE) {
        triangle_span(shape, y, from, to);
        return;
    }
    const int64_t half_width = (shape->right - shape->left) / 2,
                  half_height = (shape->bottom - shape->top) / 2;
    const int64_t away = y - (shape->top + half_height), square = half_height * half_height - away * away;
    const int64_t reach = square > 0 && half_height ? root(square) * half_width / half_height : 0;
    *from = shape->left + half_width - reach;
    *to = shape->left + half_width + reach;
}

/* How much of each pixel of row y the shape covers, 0 to COVERAGE, in cover[*first .. *last). */
static void cover_row(const struct shape *shape, uint32_t y, uint32_t width, uint8_t *cover, uint32_t *first,
                      uint32_t *last)
{
    int64_t lines[HEIGHTS][2], low = INT64_MAX, high = 0;
    for (int i = 0; i < HEIGHTS; i++) {
        int64_t *line = lines[i];
        span(shape, (int64_t)y * SUB + i * (SUB / HEIGHTS) + SUB / HEIGHTS / 2, &line[0], &line[1]);
        line[0] = line[0] < 0 ? 0 : line[0];
        line[1] = line[1] > (int64_t)width * SUB ? (int64_t)width * SUB : line[1];
        if (line[0] < line[1]) {
            low = line[0] < low ? line[0] : low;
            high = line[1] > high ? line[1] : high;
        }
    }
    *first = *last = 0;
    if (low >= high)
        return;
    *first = (uint32_t)(low / SUB);
    *last = (uint32_t)((high + SUB - 1) / SUB);
    memset(cover + *first, 0, *last - *first);
    for (int i = 0; i < HEIGHTS; i++) {
        const int64_t from = lines[i][0], to = lines[i][1];
        for (int64_t x = from / SUB; x * SUB < to; x++) {
            const int64_t start = x * SUB > from ? x * SUB : from;
            const int64_t end = x * SUB + SUB < to ? x * SUB + SUB : to;
            cover[x] = (uint8_t)(cover[x] + (end - start));
        }
    }
}

/* Source over destination, straight alpha (Porter and Duff 1984). */
static void blend(uint8_t *pixel, unsigned channels, const uint8_t *colour, uint32_t alpha)
{
    const uint32_t under = channels == 4 ? pixel[3] : 255;
    const uint32_t over_255 = alpha * 255, under_255 = under * (255 - alpha), sum = over_255 + under_255;
    if (!sum)
        return;
    for (int c = 0; c < 3; c++)
        pixel[c] = (uint8_t)((colour[c] * over_255 + pixel[c] * under_255 + sum / 2) / sum);
    if (channels == 4)
        pixel[3] = (uint8_t)((sum + 127) / 255);
}

static struct shape roll(const struct raster *raster, bool see_through, uint64_t *seed)
{
    const int32_t width = (int32_t)raster->width * SUB, height = (int32_t)raster->height * SUB;
    const int32_t smaller = width < height ? width : height;
    const int64_t x = dice_range(seed, 0, width), y = dice_range(seed, 0, height);
    const int64_t across = dice_range(seed, smaller / 40 + SUB, smaller / 4 + SUB);
    const int64_t down = dice_range(seed, smaller / 40 + SUB, smaller / 4 + SUB);
    struct shape shape = {.kind = (enum kind)dice_range(seed, 0, KINDS - 1),
                          .left = x - across,
                          .top = y - down,
                          .right = x + across,
                          .bottom = y + down};
    for (int i = 0; i < 3; i++) {
        shape.corners[i][0] = dice_range(seed, (int32_t)shape.left, (int32_t)shape.right);
        shape.corners[i][1] = dice_range(seed, (int32_t)shape.top, (int32_t)shape.bottom);
    }
    for (int c = 0; c < 3; c++) /* few levels, as drawn art has */
        shape.colour[c] = (uint8_t)(51 * dice_range(seed, 0, 5));
    shape.colour[3] = see_through ? (uint8_t)(55 + 40 * dice_range(seed, 0, 5)) : 255;
    return shape;
}

/* The rows that the shape can touch. */
static void rows_of(const struct shape *shape, uint32_t height, uint32_t *first, uint32_t *last)
{
    const int64_t end = shape->bottom / SUB + 1;
    *first = shape->top < 0 ? 0 : (uint32_t)(shape->top / SUB);
    *last = end > height ? height : end < 0 ? 0 : (uint32_t)end;
}

bool shapes_paint(struct raster *raster, uint64_t seed, unsigned shape_count)
{
    const unsigned channels = raster->channels;
    uint8_t *cover = malloc(raster->width);
    if (!cover)
        return false;
    uint8_t ground[4] = {0};
    for (unsigned c = 0; channels == 3 && c < 3; c++)
        ground[c] = (uint8_t)(51 * dice_range(&seed, 0, 5));
    for (size_t i = 0; i < (size_t)raster->width * raster->height; i++)
        memcpy(raster->samples + i * channels, ground, channels);
    for (unsigned i = 0; i < shape_count; i++) {
        const struct shape shape = roll(raster, channels == 4, &seed);
        uint32_t y, end;
        for (rows_of(&shape, raster->height, &y, &end); y < end; y++) {
            uint8_t *row = raster_row(raster, y);
            uint32_t first, last;
            cover_row(&shape, y, raster->width, cover, &first, &last);
            for (uint32_t x = first; x < last; x++)
                blend(row + (size_t)x * channels, channels, shape.colour,
                      ((uint32_t)shape.colour[3] * cover[x] + COVERAGE / 2) / COVERAGE);
        }
    }
    free(cover);
    return true;
}

bool shapes_paint_palette(struct raster *raster, uint64_t seed, unsigned shape_count)
{
    const unsigned colour_count = 1u << raster->bits;
    raster->palette = true;
    for (unsigned i = 0; i < colour_count; i++) {
        for (int c = 0; c < 3; c++)
            raster->colours[i][c] = (uint8_t)dice_range(&seed, 0, 255);
        raster->colours[i][3] = i == 0 ? 0 : i % 5 == 4 ? 128 : 255;
    }
    uint8_t *cover = malloc(raster->width);
    if (!cover)
        return false;
    memset(raster->samples, 0, (size_t)raster->width * raster->height);
    for (unsigned i = 0; i < shape_count; i++) {
        const struct shape shape = roll(raster, false, &seed);
        const uint8_t index = (uint8_t)(1 + i % (colour_count - 1));
        uint32_t y, end;
        for (rows_of(&shape, raster->height, &y, &end); y < end; y++) {
            uint8_t *row = raster_row(raster, y);
            uint32_t first, last;
            cover_row(&shape, y, raster->width, cover, &first, &last);
            for (uint32_t x = first; x < last; x++)
                if (cover[x] >= COVERAGE / 2)
                    row[x] = index;
        }
    }
    free(cover);
    return true;
}
