/* SPDX-License-Identifier: MIT */
#include "stages/numeric/line.h"

#include <string.h>

#include "stages/numeric/wide.h"
#include "stages/simd.h"

struct line line_all(const struct shape *shape, const uint8_t *src)
{
    struct line line = {.src = src,
                        .count = shape_samples(shape),
                        .stride = 1,
                        .group = 1,
                        .kept = 1,
                        .sample = shape->sample};
    if (shape->kind == SHAPE_IMAGE && shape_has_alpha(shape)) {
        line.group = shape->channels;
        line.kept = line.group - 1;
        line.count = line.count / line.group * line.kept;
    }
    return line;
}

struct line line_along(const struct shape *shape, const uint8_t *src, const struct lines *lines,
                       size_t number)
{
    const size_t first = number / lines->inner * lines->length * lines->inner + number % lines->inner;
    return (struct line){.src = src + first * shape_sample_bytes(shape->sample),
                         .count = lines->length,
                         .stride = lines->inner,
                         .group = 1,
                         .kept = 1,
                         .sample = shape->sample};
}

#define GATHERER(type)                                                                                       \
    static void gather_##type(const struct line *line, size_t first, size_t count, type *dst)                \
    {                                                                                                        \
        const type *src = (const void *)line->src;                                                           \
        if (line->group == 1) {                                                                              \
            for (size_t i = 0; i < count; i++)                                                               \
                dst[i] = src[(first + i) * line->stride];                                                    \
            return;                                                                                          \
        }                                                                                                    \
        size_t at = first / line->kept * line->group + first % line->kept, in_group = first % line->kept;    \
        for (size_t i = 0; i < count; i++) {                                                                 \
            dst[i] = src[at++];                                                                              \
            if (++in_group == line->kept) {                                                                  \
                in_group = 0;                                                                                \
                at += line->group - line->kept;                                                              \
            }                                                                                                \
        }                                                                                                    \
    }
GATHERER(uint8_t)
GATHERER(uint16_t)
GATHERER(uint32_t)
GATHERER(uint64_t)

/* Samples side by side: where they are, or copied. */
static const void *samples_at(const struct line *line, size_t first, size_t count, struct line_room *room)
{
    const size_t bytes = shape_sample_bytes(line->sample);
    void *raw = room->raw;
    if (line->stride == 1 && line->group == 1)
        return line->src + first * bytes;
    if (bytes == 1)
        gather_uint8_t(line, first, count, raw);
    else if (bytes == 2)
        gather_uint16_t(line, first, count, raw);
    else if (bytes == 4)
        gather_uint32_t(line, first, count, raw);
    else
        gather_uint64_t(line, first, count, raw);
    return raw;
}

const double *line_values(const struct line *line, size_t first, size_t count, struct line_room *room)
{
    wide_load_f64(line->sample, samples_at(line, first, count, room), count, room->values);
    return room->values;
}

/* Two's complement is in order once its sign is turned round; so is a float whose sign is turned round, or
 * all of its bits where it is negative. `limit` is the largest magnitude that is not dropped. */
#define INT_KEYER(type)                                                                                      \
    SIMD_CLONES static void keys_int_##type(const type *restrict src, uint64_t *restrict dst, size_t count,  \
                                            type turn)                                                       \
    {                                                                                                        \
        _Pragma("omp simd") for (size_t i = 0; i < count; i++) dst[i] = (type)(src[i] ^ turn);               \
    }
INT_KEYER(uint8_t)
INT_KEYER(uint16_t)
INT_KEYER(uint32_t)
INT_KEYER(uint64_t)

#define FLOAT_KEYER(type, bits)                                                                              \
    SIMD_CLONES static void keys_float_##type(const type *restrict src, uint64_t *restrict dst,              \
                                              size_t count, type limit)                                      \
    {                                                                                                        \
        const type sign = (type)((type)1 << (bits - 1)), all = (type)-1;                                     \
        _Pragma("omp simd") for (size_t i = 0; i < count; i++)                                               \
        {                                                                                                    \
            const type here = src[i], key = (type)(here ^ (here & sign ? all : sign));                       \
            dst[i] = (type)(here & ~sign) > limit ? all : key;                                               \
        }                                                                                                    \
    }
FLOAT_KEYER(uint16_t, 16)
FLOAT_KEYER(uint32_t, 32)
FLOAT_KEYER(uint64_t, 64)

static const uint64_t infinities[SAMPLE_COUNT] = {
    [SAMPLE_F16] = 0x7c00, [SAMPLE_F32] = 0x7f800000, [SAMPLE_F64] = 0x7ff0000000000000};

const uint64_t *line_keys(const struct line *line, size_t first, size_t count, enum line_drop drop,
                          struct line_room *room)
{
    const void *src = samples_at(line, first, count, room);
    const uint64_t limit = infinities[line->sample] - (drop == LINE_DROP_NOT_FINITE);
    const uint64_t turn = shape_sample_is_signed(line->sample) ? UINT64_MAX : 0;
    if (line->sample == SAMPLE_F16)
        keys_float_uint16_t(src, room->keys, count, (uint16_t)limit);
    else if (line->sample == SAMPLE_F32)
        keys_float_uint32_t(src, room->keys, count, (uint32_t)limit);
    else if (line->sample == SAMPLE_F64)
        keys_float_uint64_t(src, room->keys, count, limit);
    else if (shape_sample_bytes(line->sample) == 1)
        keys_int_uint8_t(src, room->keys, count, turn & 0x80);
    else if (shape_sample_bytes(line->sample) == 2)
        keys_int_uint16_t(src, room->keys, count, turn & 0x8000);
    else if (shape_sample_bytes(line->sample) == 4)
        keys_int_uint32_t(src, room->keys, count, turn & 0x80000000u);
    else
        keys_int_uint64_t(src, room->keys, count, turn & (uint64_t)1 << 63);
    return room->keys;
}

double line_key_value(uint8_t sample, uint64_t key)
{
    const uint64_t sign = (uint64_t)1 << (shape_sample_bits(sample) - 1);
    if (shape_sample_is_float(sample))
        key ^= key & sign ? sign : UINT64_MAX;
    else if (shape_sample_is_signed(sample))
        key ^= sign;
    /* The low bytes hold the sample. */
    const uint8_t one = (uint8_t)key;
    const uint16_t two = (uint16_t)key;
    const uint32_t four = (uint32_t)key;
    const void *const places[] = {&one, &two, &four, &key};
    double value;
    wide_load_f64(sample, places[__builtin_ctz((unsigned)shape_sample_bytes(sample))], 1, &value);
    return value;
}
