/* SPDX-License-Identifier: MIT */
/* Change how samples are stored; full scale stays full scale. u8 to u16 multiplies by 257, u16 to u8 divides
 * by it and rounds to nearest; floats are clamped to 0..1 on the way to integers, and NaN becomes 0. */
#include <string.h>

#include "stages/simd.h"
#include "stages/stage.h"

struct cast_params {
    int type; /* enum sample */
};

static const struct param cast_table[] = {
    {.name = "type",
     .type = PARAM_CHOICE,
     .offset = offsetof(struct cast_params, type),
     .initial = "u8",
     .choices = "u8|u16|f32",
     .unit = "",
     .help = "Sample type: 8 bit, 16 bit, or float with full scale 1.0"},
    PARAM_END,
};

static int cast_plan(const void *params, const struct shape *in, struct stage_plan *plan, struct error *error)
{
    (void)error;
    plan->out.sample = (uint8_t)((const struct cast_params *)params)->type;
    plan->out.bits = plan->out.sample == in->sample ? in->bits : shape_sample_bits(plan->out.sample);
    plan->in_place = plan->out.sample == in->sample;
    return 0;
}

SIMD_CLONES static void u8_to_u16(const uint8_t *restrict src, uint16_t *restrict dst, size_t count)
{
#pragma omp simd
    for (size_t i = 0; i < count; i++)
        dst[i] = (uint16_t)(src[i] * 257u);
}

SIMD_CLONES static void u8_to_f32(const uint8_t *restrict src, float *restrict dst, size_t count)
{
#pragma omp simd
    for (size_t i = 0; i < count; i++)
        dst[i] = (float)src[i] / 255.0f;
}

/* (v * 255 + 32895) >> 16 is v / 257 rounded, for every v of 16 bit. */
SIMD_CLONES static void u16_to_u8(const uint16_t *restrict src, uint8_t *restrict dst, size_t count)
{
#pragma omp simd
    for (size_t i = 0; i < count; i++)
        dst[i] = (uint8_t)((src[i] * 255u + 32895u) >> 16);
}

SIMD_CLONES static void u16_to_f32(const uint16_t *restrict src, float *restrict dst, size_t count)
{
#pragma omp simd
    for (size_t i = 0; i < count; i++)
        dst[i] = (float)src[i] / 65535.0f;
}

/* NaN fails the first comparison. */
SIMD_INLINE int level(float value, float full)
{
    value = value > 0.0f ? value : 0.0f;
    value = value < 1.0f ? value : 1.0f;
    return (int)(value * full + 0.5f);
}

SIMD_CLONES_512 static void f32_to_u8(const float *restrict src, uint8_t *restrict dst, size_t count)
{
#pragma omp simd
    for (size_t i = 0; i < count; i++)
        dst[i] = (uint8_t)level(src[i], 255.0f);
}

SIMD_CLONES_512 static void f32_to_u16(const float *restrict src, uint16_t *restrict dst, size_t count)
{
#pragma omp simd
    for (size_t i = 0; i < count; i++)
        dst[i] = (uint16_t)level(src[i], 65535.0f);
}

static int cast_rows(const struct stage_run *run, uint32_t first, uint32_t last, struct scratch *scratch,
                     struct error *error)
{
    (void)scratch, (void)error;
    const uint8_t from = run->in.sample, to = run->out.sample;
    const size_t in_bytes = shape_row_bytes(&run->in);
    const size_t count = (last - first) * (size_t)run->in.width * run->in.channels;
    const void *src = stage_src_row(run, first);
    void *dst = stage_dst_row(run, first);
    if (from == to && dst != src)
        memcpy(dst, src, (last - first) * in_bytes);
    else if (from == SAMPLE_U8 && to == SAMPLE_U16)
        u8_to_u16(src, dst, count);
    else if (from == SAMPLE_U8 && to == SAMPLE_F32)
        u8_to_f32(src, dst, count);
    else if (from == SAMPLE_U16 && to == SAMPLE_U8)
        u16_to_u8(src, dst, count);
    else if (from == SAMPLE_U16 && to == SAMPLE_F32)
        u16_to_f32(src, dst, count);
    else if (from == SAMPLE_F32 && to == SAMPLE_U8)
        f32_to_u8(src, dst, count);
    else if (from == SAMPLE_F32 && to == SAMPLE_U16)
        f32_to_u16(src, dst, count);
    return 0;
}

const struct stage cast_stage = {
    .name = "cast",
    .group = "image",
    .summary = "Change the sample type; full scale stays full scale",
    .params = cast_table,
    .params_bytes = sizeof(struct cast_params),
    .accepts = STAGE_ANY,
    .windows = true,
    .plan = cast_plan,
    .rows = cast_rows,
};
