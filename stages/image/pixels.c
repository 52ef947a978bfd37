/* SPDX-License-Identifier: MIT */
/* Each loop is written once over pixels of any size and compiled for every size that occurs: a copy of a
 * constant size is one or two instructions, a memcpy of a variable size is a call. */
#include "stages/image/pixels.h"

#include <string.h>

#define INLINE static inline __attribute__((always_inline))

/* Calls `loop` with its last argument a constant. Sizes: 1 to 4 channels of 1, 2 or 4 bytes. */
#define FOR_EACH_SIZE(loop, pixel_bytes, ...)                                                                \
    switch (pixel_bytes) {                                                                                   \
    case 1:                                                                                                  \
        loop(__VA_ARGS__, 1);                                                                                \
        break;                                                                                               \
    case 2:                                                                                                  \
        loop(__VA_ARGS__, 2);                                                                                \
        break;                                                                                               \
    case 3:                                                                                                  \
        loop(__VA_ARGS__, 3);                                                                                \
        break;                                                                                               \
    case 4:                                                                                                  \
        loop(__VA_ARGS__, 4);                                                                                \
        break;                                                                                               \
    case 6:                                                                                                  \
        loop(__VA_ARGS__, 6);                                                                                \
        break;                                                                                               \
    case 8:                                                                                                  \
        loop(__VA_ARGS__, 8);                                                                                \
        break;                                                                                               \
    case 12:                                                                                                 \
        loop(__VA_ARGS__, 12);                                                                               \
        break;                                                                                               \
    case 16:                                                                                                 \
        loop(__VA_ARGS__, 16);                                                                               \
        break;                                                                                               \
    default:                                                                                                 \
        loop(__VA_ARGS__, pixel_bytes);                                                                      \
    }

INLINE void reverse(const uint8_t *src, uint8_t *dst, size_t count, size_t size)
{
    size_t left = 0, right = count;
    while (left < right) {
        uint8_t a[16], b[16];
        right--;
        memcpy(a, src + left * size, size);
        memcpy(b, src + right * size, size);
        memcpy(dst + left * size, b, size);
        memcpy(dst + right * size, a, size);
        left++;
    }
}

void pixels_reverse(const uint8_t *src, uint8_t *dst, size_t count,
                    size_t pixel_bytes){FOR_EACH_SIZE(reverse, pixel_bytes, src, dst, count)}

INLINE void pick(const uint8_t *src, const uint32_t *index, uint8_t *dst, size_t count, size_t size)
{
    for (size_t i = 0; i < count; i++)
        memcpy(dst + i * size, src + index[i] * size, size);
}

void pixels_pick(const uint8_t *src, const uint32_t *index, uint8_t *dst, size_t count,
                 size_t pixel_bytes){FOR_EACH_SIZE(pick, pixel_bytes, src, index, dst, count)}

INLINE void transpose(const uint8_t *src, ptrdiff_t src_step, uint8_t *dst, ptrdiff_t dst_step,
                      size_t columns, size_t lines, size_t size)
{
    for (size_t column = 0; column < columns; column++) {
        const uint8_t *from = src + column * size;
        uint8_t *to = dst + (ptrdiff_t)column * dst_step * (ptrdiff_t)size;
        for (size_t line = 0; line < lines; line++) {
            memcpy(to + line * size, from, size);
            from += src_step * (ptrdiff_t)size;
        }
    }
}

void pixels_transpose(const uint8_t *src, ptrdiff_t src_step, uint8_t *dst, ptrdiff_t dst_step,
                      size_t columns, size_t lines, size_t pixel_bytes)
{
    FOR_EACH_SIZE(transpose, pixel_bytes, src, src_step, dst, dst_step, columns, lines)
}
