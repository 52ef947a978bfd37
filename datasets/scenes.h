/* SPDX-License-Identifier: MIT */
/* The painters. Each fills a shaped raster from a seed; equal seeds give equal samples on every machine. */
#ifndef DATASETS_SCENES_H
#define DATASETS_SCENES_H

#include "datasets/raster.h"

/* A landscape as a camera would have it: smooth sky, ridges with hard edges, texture, sensor noise. RGB of 8
 * or 16 bits, or grey of 1, 2, 4 (dithered) or 8. false: no memory. */
bool photo_paint(struct raster *raster, uint64_t seed);

/* Shapes with antialiased edges: on a plain ground (RGB), or half transparent on nothing (RGBA). false: no
 * memory. */
bool shapes_paint(struct raster *raster, uint64_t seed, unsigned shape_count);

/* Shapes with hard edges, as indices of a palette of 1 << bits colours, which it sets; some colours are
 * transparent. The raster has one channel. false: no memory. */
bool shapes_paint_palette(struct raster *raster, uint64_t seed, unsigned shape_count);

/* How many ways of being broken there are, and the name of each. */
unsigned broken_count(void);
const char *broken_name(unsigned way);

/* Spoils a sound PNG file. false: no memory. */
bool broken_spoil(struct raster_file *png, unsigned way);

#endif
