/* SPDX-License-Identifier: MIT */
/* Undoing filters. Each pixel needs its finished left neighbour, so what can be done at once is the samples
 * of a pixel: SSE2 where there is more than a byte or two of them. */
#include <stdlib.h>
#include <string.h>

#include "stages/codec/png_rows.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define INLINE static inline __attribute__((always_inline))

/* One byte at a time; what follows is the same, faster. */
INLINE unsigned paeth(int left, int above, int above_left)
{
    int towards = above - above_left, across = left - above_left;
    int from_left = abs(towards), from_above = abs(across), from_corner = abs(towards + across);
    int nearer = from_above <= from_corner ? above : above_left;
    int least = from_above <= from_corner ? from_above : from_corner;
    return (unsigned)(from_left <= least ? left : nearer);
}

INLINE void sub_bytes(uint8_t *to, const uint8_t *from, size_t row_bytes, size_t pixel_bytes)
{
    uint8_t left[8] = {0};
    for (size_t at = 0; at < row_bytes; at += pixel_bytes) {
        for (size_t i = 0; i < pixel_bytes; i++)
            to[at + i] = left[i] = (uint8_t)(from[at + i] + left[i]);
    }
}

INLINE void average_bytes(uint8_t *to, const uint8_t *from, const uint8_t *above, size_t row_bytes,
                          size_t pixel_bytes)
{
    uint8_t left[8] = {0};
    for (size_t at = 0; at < row_bytes; at += pixel_bytes) {
        for (size_t i = 0; i < pixel_bytes; i++)
            to[at + i] = left[i] = (uint8_t)(from[at + i] + (left[i] + above[at + i]) / 2);
    }
}

INLINE void paeth_bytes(uint8_t *to, const uint8_t *from, const uint8_t *above, size_t row_bytes,
                        size_t pixel_bytes)
{
    uint8_t left[8] = {0}, corner[8] = {0};
    for (size_t at = 0; at < row_bytes; at += pixel_bytes) {
        for (size_t i = 0; i < pixel_bytes; i++) {
            uint8_t up = above[at + i];
            left[i] = (uint8_t)(from[at + i] + paeth(left[i], up, corner[i]));
            to[at + i] = left[i];
            corner[i] = up;
        }
    }
}

#ifdef __SSE2__

/* Loads 4 or 8 bytes, of which the pixel is the first pixel_bytes; the others are never stored. */
INLINE __m128i load(const uint8_t *from, size_t pixel_bytes)
{
    int32_t half;
    if (pixel_bytes > 4)
        return _mm_loadl_epi64((const __m128i *)(const void *)from);
    memcpy(&half, from, sizeof half);
    return _mm_cvtsi32_si128(half);
}

INLINE void store(uint8_t *to, __m128i pixel, size_t pixel_bytes)
{
    uint8_t bytes[8];
    _mm_storel_epi64((__m128i *)(void *)bytes, pixel);
    memcpy(to, bytes, pixel_bytes);
}

/* Of 16 bytes that hold pixels of 3 or 4 bytes: each pixel plus all before it. */
INLINE __m128i running_sums(__m128i changes, size_t pixel_bytes)
{
    if (pixel_bytes == 4) {
        changes = _mm_add_epi8(changes, _mm_slli_si128(changes, 4));
        return _mm_add_epi8(changes, _mm_slli_si128(changes, 8));
    }
    changes = _mm_add_epi8(changes, _mm_slli_si128(changes, 3));
    changes = _mm_add_epi8(changes, _mm_slli_si128(changes, 6));
    return _mm_add_epi8(changes, _mm_slli_si128(changes, 12));
}

/* The last whole pixel of 16 bytes in the place of each. */
INLINE __m128i last_everywhere(__m128i pixels, size_t pixel_bytes)
{
    if (pixel_bytes == 4)
        return _mm_shuffle_epi32(pixels, 0xff);
    __m128i last = _mm_srli_si128(_mm_slli_si128(pixels, 1), 13);
    last = _mm_or_si128(last, _mm_slli_si128(last, 3));
    last = _mm_or_si128(last, _mm_slli_si128(last, 6));
    return _mm_or_si128(last, _mm_slli_si128(last, 12));
}

/* Four or five pixels at a time, which wait for those before them in one addition only. How many bytes
 * are done. */
INLINE size_t sub_sixteens(uint8_t *to, const uint8_t *from, size_t row_bytes, size_t pixel_bytes)
{
    const size_t step = 16 / pixel_bytes * pixel_bytes;
    size_t at = 0;
    __m128i left = _mm_setzero_si128();
    if (pixel_bytes > 4 || (step < 16 && to == from)) /* a byte more is written than done */
        return 0;
    for (; at + 16 <= row_bytes; at += step) {
        __m128i sums = running_sums(_mm_loadu_si128((const __m128i *)(const void *)(from + at)), pixel_bytes);
        _mm_storeu_si128((__m128i *)(void *)(to + at), _mm_add_epi8(left, sums));
        left = _mm_add_epi8(left, last_everywhere(sums, pixel_bytes));
    }
    return at;
}

INLINE void sub_pixels(uint8_t *to, const uint8_t *from, size_t row_bytes, size_t pixel_bytes)
{
    size_t at = sub_sixteens(to, from, row_bytes, pixel_bytes);
    __m128i left = at > 0 ? load(to + at - pixel_bytes, pixel_bytes) : _mm_setzero_si128();
    for (; at < row_bytes; at += pixel_bytes) {
        left = _mm_add_epi8(left, load(from + at, pixel_bytes));
        store(to + at, left, pixel_bytes);
    }
}

INLINE void average_pixels(uint8_t *to, const uint8_t *from, const uint8_t *above, size_t row_bytes,
                           size_t pixel_bytes)
{
    const __m128i one = _mm_set1_epi8(1);
    __m128i left = _mm_setzero_si128();
    for (size_t at = 0; at < row_bytes; at += pixel_bytes) {
        __m128i up = load(above + at, pixel_bytes);
        /* SSE2 rounds its averages up. */
        __m128i odd = _mm_and_si128(_mm_xor_si128(left, up), one);
        __m128i average = _mm_sub_epi8(_mm_avg_epu8(left, up), odd);
        left = _mm_add_epi8(load(from + at, pixel_bytes), average);
        store(to + at, left, pixel_bytes);
    }
}

INLINE __m128i magnitude(__m128i words)
{
    return _mm_max_epi16(words, _mm_sub_epi16(_mm_setzero_si128(), words));
}

INLINE __m128i choose(__m128i where, __m128i then, __m128i otherwise)
{
    return _mm_or_si128(_mm_and_si128(where, then), _mm_andnot_si128(where, otherwise));
}

/* A pixel from its change and its neighbours, in 16 bits a sample, of which the upper eight stay 0. */
INLINE __m128i paeth_pixel(__m128i change, __m128i left, __m128i up, __m128i corner)
{
    __m128i towards = _mm_sub_epi16(up, corner), across = _mm_sub_epi16(left, corner);
    __m128i from_left = magnitude(towards), from_up = magnitude(across);
    __m128i from_corner = magnitude(_mm_add_epi16(towards, across));
    __m128i nearer = choose(_mm_cmpgt_epi16(from_up, from_corner), corner, up);
    __m128i further = _mm_cmpgt_epi16(from_left, _mm_min_epi16(from_up, from_corner));
    return _mm_add_epi8(change, choose(further, nearer, left));
}

INLINE __m128i load_wide(const uint8_t *from, size_t pixel_bytes)
{
    return _mm_unpacklo_epi8(load(from, pixel_bytes), _mm_setzero_si128());
}

INLINE void store_wide(uint8_t *to, __m128i pixel, size_t pixel_bytes)
{
    store(to, _mm_packus_epi16(pixel, pixel), pixel_bytes);
}

INLINE void paeth_pixels(uint8_t *to, const uint8_t *from, const uint8_t *above, size_t row_bytes,
                         size_t pixel_bytes)
{
    __m128i left = _mm_setzero_si128(), corner = left;
    for (size_t at = 0; at < row_bytes; at += pixel_bytes) {
        __m128i up = load_wide(above + at, pixel_bytes);
        left = paeth_pixel(load_wide(from + at, pixel_bytes), left, up, corner);
        corner = up;
        store_wide(to + at, left, pixel_bytes);
    }
}

/* The lower row one pixel behind the upper one: neither waits for the other, so that a processor does both at
 * once. */
INLINE void paeth_two_rows(uint8_t *const to[2], const uint8_t *const from[2], const uint8_t *above,
                           size_t row_bytes, size_t pixel_bytes)
{
    const __m128i zero = _mm_setzero_si128();
    __m128i corner = load_wide(above, pixel_bytes);
    __m128i left = paeth_pixel(load_wide(from[0], pixel_bytes), zero, corner, zero);
    __m128i lower_left = zero, lower_corner = zero;
    store_wide(to[0], left, pixel_bytes);
    for (size_t at = pixel_bytes; at < row_bytes; at += pixel_bytes) {
        __m128i up = load_wide(above + at, pixel_bytes), lower_up = left;
        __m128i lower_change = load_wide(from[1] + at - pixel_bytes, pixel_bytes);
        left = paeth_pixel(load_wide(from[0] + at, pixel_bytes), left, up, corner);
        lower_left = paeth_pixel(lower_change, lower_left, lower_up, lower_corner);
        corner = up;
        lower_corner = lower_up;
        store_wide(to[0] + at, left, pixel_bytes);
        store_wide(to[1] + at - pixel_bytes, lower_left, pixel_bytes);
    }
    size_t last = row_bytes - pixel_bytes;
    lower_left = paeth_pixel(load_wide(from[1] + last, pixel_bytes), lower_left, left, lower_corner);
    store_wide(to[1] + last, lower_left, pixel_bytes);
}

bool png_unfilter_two(uint8_t *const to[2], const uint8_t *const from[2], const uint8_t *above,
                      size_t row_bytes, size_t pixel_bytes)
{
    if (from[0][-1] != 4 || from[1][-1] != 4)
        return false;
    switch (pixel_bytes) {
    case 3:
        paeth_two_rows(to, from, above, row_bytes, 3);
        return true;
    case 4:
        paeth_two_rows(to, from, above, row_bytes, 4);
        return true;
    case 6:
        paeth_two_rows(to, from, above, row_bytes, 6);
        return true;
    case 8:
        paeth_two_rows(to, from, above, row_bytes, 8);
        return true;
    default:
        return false;
    }
}

#else

bool png_unfilter_two(uint8_t *const to[2], const uint8_t *const from[2], const uint8_t *above,
                      size_t row_bytes, size_t pixel_bytes)
{
    (void)to, (void)from, (void)above, (void)row_bytes, (void)pixel_bytes;
    return false;
}

#define sub_pixels     sub_bytes
#define average_pixels average_bytes
#define paeth_pixels   paeth_bytes
#endif

static void none(uint8_t *to, const uint8_t *from, size_t row_bytes)
{
    if (to != from)
        memcpy(to, from, row_bytes);
}

static void up(uint8_t *to, const uint8_t *from, const uint8_t *above, size_t row_bytes)
{
    for (size_t i = 0; i < row_bytes; i++)
        to[i] = (uint8_t)(from[i] + above[i]);
}

/* The loops with the size of a pixel as a constant. */
#define BY_PIXEL_BYTES(bytes, pixels, ...)                                                                   \
    switch (pixel_bytes) {                                                                                   \
    case 1:                                                                                                  \
        bytes(__VA_ARGS__, 1);                                                                               \
        break;                                                                                               \
    case 2:                                                                                                  \
        bytes(__VA_ARGS__, 2);                                                                               \
        break;                                                                                               \
    case 3:                                                                                                  \
        pixels(__VA_ARGS__, 3);                                                                              \
        break;                                                                                               \
    case 4:                                                                                                  \
        pixels(__VA_ARGS__, 4);                                                                              \
        break;                                                                                               \
    case 6:                                                                                                  \
        pixels(__VA_ARGS__, 6);                                                                              \
        break;                                                                                               \
    default:                                                                                                 \
        pixels(__VA_ARGS__, 8);                                                                              \
    }

bool png_unfilter(unsigned filter, uint8_t *to, const uint8_t *from, const uint8_t *above, size_t row_bytes,
                  size_t pixel_bytes)
{
    switch (filter) {
    case 0:
        none(to, from, row_bytes);
        return true;
    case 1:
        BY_PIXEL_BYTES(sub_bytes, sub_pixels, to, from, row_bytes)
        return true;
    case 2:
        up(to, from, above, row_bytes);
        return true;
    case 3:
        BY_PIXEL_BYTES(average_bytes, average_pixels, to, from, above, row_bytes)
        return true;
    case 4:
        BY_PIXEL_BYTES(paeth_bytes, paeth_pixels, to, from, above, row_bytes)
        return true;
    default:
        return false;
    }
}
