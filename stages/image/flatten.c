/* SPDX-License-Identifier: MIT */
/* Lay the image over a background and drop alpha: out = colour x alpha + background x (1 - alpha), on encoded
 * values, rounded to nearest (Porter and Duff 1984, "over"). White by default as ImageMagick's `-flatten`;
 * vips's default is black. */
#include <string.h>

#include "stages/simd.h"
#include "stages/stage.h"

struct flatten_params {
    struct colour background;
};

static const struct param flatten_table[] = {
    {.name = "background",
     .type = PARAM_COLOUR,
     .offset = offsetof(struct flatten_params, background),
     .initial = "white",
     .unit = "",
     .help = "Colour behind the image; grey images become RGB where it is not a grey"},
    PARAM_END,
};

static int flatten_plan(const void *params, const struct shape *in, struct stage_plan *plan,
                        struct error *error)
{
    (void)error;
    const struct colour *back = &((const struct flatten_params *)params)->background;
    const bool grey = back->red == back->green && back->green == back->blue;
    if (!shape_has_alpha(in)) {
        plan->out.bits = in->bits;
        plan->in_place = true;
    } else {
        plan->out.channels = in->channels == 2 && grey ? 1 : 3;
    }
    return 0;
}

/* Division by 255 and 65535 with rounding, exact for all products of two samples (Blinn 1995, "Three wrongs
 * make a right"). */
SIMD_INLINE uint8_t over_u8(uint32_t colour, uint32_t alpha, uint32_t back)
{
    const uint32_t sum = colour * alpha + back * (255u - alpha) + 128u;
    return (uint8_t)((sum + (sum >> 8)) >> 8);
}

SIMD_INLINE uint16_t over_u16(uint32_t colour, uint32_t alpha, uint32_t back)
{
    const uint32_t sum = colour * alpha + back * (65535u - alpha) + 32768u;
    return (uint16_t)((sum + (sum >> 16)) >> 16);
}

SIMD_INLINE float over_f32(float colour, float alpha, float back)
{
    return colour * alpha + back * (1.0f - alpha);
}

/* `from` and `to` count the channels of input and output: 4 to 3, 2 to 1 or 2 to 3. */
#define FLATTEN_ROWS(name, type, over)                                                                       \
    SIMD_INLINE void name##_pixels(const type *src, type *dst, size_t count, const type *back,               \
                                   unsigned from, unsigned to)                                               \
    {                                                                                                        \
        for (size_t x = 0; x < count; x++) {                                                                 \
            const type *pixel = src + x * from;                                                              \
            for (unsigned c = 0; c < to; c++)                                                                \
                dst[x * to + c] = over(pixel[from == 2 ? 0 : c], pixel[from - 1], back[c]);                  \
        }                                                                                                    \
    }                                                                                                        \
    SIMD_CLONES_512 static void name(const type *src, type *dst, size_t count, const type *back,             \
                                     unsigned from, unsigned to)                                             \
    {                                                                                                        \
        if (from == 4)                                                                                       \
            name##_pixels(src, dst, count, back, 4, 3);                                                      \
        else if (to == 1)                                                                                    \
            name##_pixels(src, dst, count, back, 2, 1);                                                      \
        else                                                                                                 \
            name##_pixels(src, dst, count, back, 2, 3);                                                      \
    }

FLATTEN_ROWS(flatten_u8, uint8_t, over_u8)
FLATTEN_ROWS(flatten_u16, uint16_t, over_u16)
FLATTEN_ROWS(flatten_f32, float, over_f32)

static int flatten_rows(const struct stage_run *run, uint32_t first, uint32_t last, struct scratch *scratch,
                        struct error *error)
{
    (void)scratch, (void)error;
    const struct colour *colour = &((const struct flatten_params *)run->params)->background;
    const uint16_t back16[] = {colour->red, colour->green, colour->blue};
    const unsigned from = run->in.channels, to = run->out.channels;
    const size_t in_bytes = shape_row_bytes(&run->in);
    const size_t count = (last - first) * (size_t)run->in.width;
    const void *src = stage_src_row(run, first);
    void *dst = stage_dst_row(run, first);
    if (from == to) {
        if (dst != src)
            memcpy(dst, src, (last - first) * in_bytes);
        return 0;
    }
    uint8_t back8[3];
    float back32[3];
    for (int c = 0; c < 3; c++) {
        back8[c] = (uint8_t)((back16[c] + 128u) / 257u);
        back32[c] = (float)back16[c] / 65535.0f;
    }
    if (run->in.sample == SAMPLE_U8)
        flatten_u8(src, dst, count, back8, from, to);
    else if (run->in.sample == SAMPLE_U16)
        flatten_u16(src, dst, count, back16, from, to);
    else
        flatten_f32(src, dst, count, back32, from, to);
    return 0;
}

const struct stage flatten_stage = {
    .name = "flatten",
    .group = "image",
    .summary = "Lay the image over a background colour and drop alpha",
    .params = flatten_table,
    .params_bytes = sizeof(struct flatten_params),
    .accepts = STAGE_ANY,
    .windows = true,
    .plan = flatten_plan,
    .rows = flatten_rows,
};
