/* SPDX-License-Identifier: MIT */
#include "stages/image/resize.h"

#include "stages/codec.h"

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* a * b / c to the nearest, at least 1. */
static uint64_t in_ratio(uint64_t a, uint64_t b, uint64_t c)
{
    const uint64_t result = (2 * a * b + c) / (2 * c);
    return result > 0 ? result : 1;
}

/* Is the factor that brings the image into (or over) the box decided by its width? */
static bool width_decides(const struct resize_params *params, const struct shape *in)
{
    if (params->width == 0 || params->height == 0)
        return params->height == 0;
    const uint64_t by_width = (uint64_t)params->width * in->height;
    const uint64_t by_height = (uint64_t)params->height * in->width;
    return params->fit == RESIZE_FIT_COVER ? by_width >= by_height : by_width <= by_height;
}

/* The size that comes out of `inside` and `scale`, and of `fill`. */
static void size_of(const struct resize_params *params, const struct shape *in, uint64_t *width,
                    uint64_t *height)
{
    if (params->scale > 0) {
        *width = (uint64_t)(in->width * params->scale + 0.5);
        *height = (uint64_t)(in->height * params->scale + 0.5);
        *width += *width == 0;
        *height += *height == 0;
    } else if (params->fit == RESIZE_FIT_FILL) {
        *width = (uint64_t)params->width;
        *height = (uint64_t)params->height;
    } else if (width_decides(params, in)) {
        *width = (uint64_t)params->width;
        *height = in_ratio(in->height, *width, in->width);
    } else {
        *height = (uint64_t)params->height;
        *width = in_ratio(in->width, *height, in->height);
    }
    if (!params->upscale) {
        *width = smaller(*width, in->width);
        *height = smaller(*height, in->height);
    }
}

static void cover(const struct resize_params *params, const struct shape *in,
                  struct resize_geometry *geometry)
{
    uint32_t width = (uint32_t)params->width, height = (uint32_t)params->height;
    uint32_t fit_in = in->width, fit_out = width;
    if (!width_decides(params, in)) {
        fit_in = in->height;
        fit_out = height;
    }
    if (fit_out > fit_in && !params->upscale) {
        /* As vips thumbnail does: not scaled, but what sticks out of the box is still cut off. */
        fit_in = fit_out = 1;
        width = (uint32_t)smaller(width, in->width);
        height = (uint32_t)smaller(height, in->height);
    }
    geometry->x = resample_axis_middle(in->width, width, fit_in, fit_out);
    geometry->y = resample_axis_middle(in->height, height, fit_in, fit_out);
}

/* The image before it was decoded to a part of its size. */
static struct shape full_of(const struct shape *in)
{
    struct shape full = *in;
    if (in->full_width > 0 && in->full_height > 0) {
        full.width = in->full_width;
        full.height = in->full_height;
    }
    return full;
}

/* Positions on the full image become those on the part that was decoded, whose last samples may stick out. */
static void onto_part(const struct shape *full, const struct shape *in, struct resize_geometry *geometry)
{
    unsigned shrink = 0;
    struct shape part = *full;
    while (shrink < 16 && (part.width > in->width || part.height > in->height))
        part = codec_shrunk(full, ++shrink);
    geometry->x.in = in->width;
    geometry->y.in = in->height;
    geometry->x.den *= 1u << shrink;
    geometry->y.den *= 1u << shrink;
}

int resize_geometry(const struct resize_params *params, const struct shape *shape,
                    struct resize_geometry *geometry, struct error *error)
{
    const struct shape full = full_of(shape), *in = &full;
    if (params->fit == RESIZE_FIT_COVER) {
        cover(params, in, geometry);
    } else {
        uint64_t width, height;
        size_of(params, in, &width, &height);
        if (width > UINT32_MAX || height > UINT32_MAX)
            return error_set(error, ERROR_LIMIT, "would make an image of %llux%llu px",
                             (unsigned long long)width, (unsigned long long)height);
        geometry->x = resample_axis_full(in->width, (uint32_t)width);
        geometry->y = resample_axis_full(in->height, (uint32_t)height);
    }
    onto_part(in, shape, geometry);
    geometry->same = resample_axis_same(&geometry->x) && resample_axis_same(&geometry->y);
    geometry->kernel = (enum resample_kernel)params->kernel;
    if (resample_axis_unscaled(&geometry->x) && resample_axis_unscaled(&geometry->y))
        geometry->kernel = RESAMPLE_NEAREST;
    return 0;
}

unsigned resize_shrink(const void *values, const struct shape *in)
{
    const struct resize_params *params = values;
    struct resize_geometry geometry;
    /* Nearest picks single pixels; linear light is no matter of the decoder's. */
    if (params->kernel == RESAMPLE_NEAREST || params->linear ||
        resize_geometry(params, in, &geometry, NULL) < 0)
        return 0;
    unsigned shrink = 0;
    /* 2 step / den source samples make one of the output. */
    while (shrink < 16 && geometry.x.step >= geometry.x.den * (2u << shrink) &&
           geometry.y.step >= geometry.y.den * (2u << shrink))
        shrink++;
    return shrink;
}

void resize_columns(const struct resize_geometry *geometry, uint32_t *first, uint32_t *last)
{
    uint32_t unused;
    resample_window(&geometry->x, geometry->kernel, 0, first, &unused);
    resample_window(&geometry->x, geometry->kernel, geometry->x.out - 1, &unused, last);
}
