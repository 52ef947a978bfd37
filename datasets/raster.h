/* SPDX-License-Identifier: MIT */
/* A generated picture in memory, and the file formats it is written in. */
#ifndef DATASETS_RASTER_H
#define DATASETS_RASTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RASTER_MAX_SIDE_PX 65500

enum raster_format { RASTER_PNG, RASTER_PNM, RASTER_PAM };

/* Samples lie interleaved, without padding: a byte each up to 8 bits, an aligned uint16_t in the machine's
 * order at 16. Alpha is straight. */
struct raster {
    uint32_t width, height;
    unsigned channels; /* 1 grey or palette index, 3 RGB, 4 RGBA */
    unsigned bits;     /* of a sample as the file stores it: 1, 2, 4, 8, 16 */
    bool palette;
    uint8_t colours[256][4]; /* palette only: RGBA, 1 << bits of them */
    uint8_t *samples;        /* owned */
    size_t capacity_bytes;
};

/* A growing block of bytes: a file before it is written. */
struct raster_file {
    uint8_t *bytes;
    size_t length, capacity;
};

/* Makes room for the given shape, reusing what there is. The samples' values are undefined. false: no memory.
 */
bool raster_shape(struct raster *raster, uint32_t width, uint32_t height, unsigned channels, unsigned bits);

/* Row y of the samples. */
uint8_t *raster_row(const struct raster *raster, uint32_t y);

void raster_free(struct raster *raster);

/* Appends to the file. false: no memory. */
bool raster_append(struct raster_file *file, const void *bytes, size_t count);

/* Replaces the file's contents by the picture in that format. A palette becomes RGB or RGBA in PNM and PAM.
 * PNM cannot hold alpha: false then, as for want of memory. */
bool raster_encode(const struct raster *raster, enum raster_format format, struct raster_file *file);

/* Writes the bytes to a new or emptied file. false: errno tells. */
bool raster_save(const struct raster_file *file, const char *path);

#endif
