/* SPDX-License-Identifier: MIT */
#include "stages/image/tone.h"

#include "stages/simd.h"

bool tone_by_luma(const struct shape *shape, int channels)
{
    return channels == TONE_LUMA && shape->channels >= 3;
}

SIMD_INLINE int saturated(float value, float full)
{
    value = value > 0.0f ? value : 0.0f;
    return (int)(value < full ? value : full);
}

SIMD_INLINE uint8_t moved_u8(uint8_t value, float shift)
{
    return (uint8_t)saturated((float)value + shift, 255.0f);
}

SIMD_INLINE uint16_t moved_u16(uint16_t value, float shift)
{
    return (uint16_t)saturated((float)value + shift, 65535.0f);
}

SIMD_INLINE float moved_f32(float value, float shift)
{
    return value + shift;
}

#define SHIFT_ROW(name, type, moved)                                                                         \
    SIMD_CLONES_512 static void name(const type *restrict src, const float *restrict shift,                  \
                                     type *restrict dst, size_t width, unsigned channels)                    \
    {                                                                                                        \
        if (channels == 3) {                                                                                 \
            for (size_t x = 0; x < width; x++) {                                                             \
                dst[3 * x] = moved(src[3 * x], shift[x]);                                                    \
                dst[3 * x + 1] = moved(src[3 * x + 1], shift[x]);                                            \
                dst[3 * x + 2] = moved(src[3 * x + 2], shift[x]);                                            \
            }                                                                                                \
            return;                                                                                          \
        }                                                                                                    \
        for (size_t x = 0; x < width; x++) {                                                                 \
            dst[4 * x] = moved(src[4 * x], shift[x]);                                                        \
            dst[4 * x + 1] = moved(src[4 * x + 1], shift[x]);                                                \
            dst[4 * x + 2] = moved(src[4 * x + 2], shift[x]);                                                \
            dst[4 * x + 3] = src[4 * x + 3];                                                                 \
        }                                                                                                    \
    }

SHIFT_ROW(shift_u8, uint8_t, moved_u8)
SHIFT_ROW(shift_u16, uint16_t, moved_u16)
SHIFT_ROW(shift_f32, float, moved_f32)

void tone_shift_row(const struct shape *shape, const uint8_t *src, const float *shift, uint8_t *dst)
{
    const void *from = src;
    void *to = dst;
    if (shape->sample == SAMPLE_U8)
        shift_u8(from, shift, to, shape->width, shape->channels);
    else if (shape->sample == SAMPLE_U16)
        shift_u16(from, shift, to, shape->width, shape->channels);
    else
        shift_f32(from, shift, to, shape->width, shape->channels);
}
