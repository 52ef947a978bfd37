/* SPDX-License-Identifier: MIT */
/* out = full scale - in, for colours; alpha is left alone. As vips's invert of an image without alpha. */
#include <string.h>

#include "stages/simd.h"
#include "stages/stage.h"

static const struct param invert_table[] = {PARAM_END};

static int invert_plan(const void *params, const struct shape *in, struct stage_plan *plan,
                       struct error *error)
{
    (void)params, (void)error;
    plan->out.bits = in->bits; /* the values of 1, 2 and 4 bits are spaced evenly, so they stay among them */
    plan->in_place = true;
    return 0;
}

/* For integers the difference from full scale is the complement; `mask` has ones where colours are. Its
 * period, 8 bytes, is a multiple of every pixel's with alpha. */
SIMD_CLONES static void complement(const uint8_t *src, uint8_t *dst, size_t bytes, const uint8_t mask[8])
{
    uint64_t mask_word, word;
    memcpy(&mask_word, mask, 8);
    size_t i = 0;
    for (; i + 8 <= bytes; i += 8) {
        memcpy(&word, src + i, 8);
        word ^= mask_word;
        memcpy(dst + i, &word, 8);
    }
    for (; i < bytes; i++)
        dst[i] = src[i] ^ mask[i % 8];
}

static void invert_f32(const float *src, float *dst, size_t samples, unsigned channels, unsigned colours)
{
    for (size_t i = 0; i < samples; i += channels) {
        for (unsigned c = 0; c < channels; c++)
            dst[i + c] = c < colours ? 1.0f - src[i + c] : src[i + c];
    }
}

static int invert_rows(const struct stage_run *run, uint32_t first, uint32_t last, struct scratch *scratch,
                       struct error *error)
{
    (void)scratch, (void)error;
    const unsigned channels = run->in.channels;
    const unsigned colours = shape_has_alpha(&run->in) ? channels - 1 : channels;
    const size_t row_bytes = shape_row_bytes(&run->in), bytes = (last - first) * row_bytes;
    const void *src = stage_src_row(run, first);
    void *dst = stage_dst_row(run, first);
    if (run->in.sample == SAMPLE_F32) {
        invert_f32(src, dst, bytes / sizeof(float), channels, colours);
        return 0;
    }
    uint8_t mask[8];
    for (size_t i = 0; i < sizeof mask; i++) {
        const size_t channel = i / shape_sample_bytes(run->in.sample) % channels;
        mask[i] = colours == channels || channel < colours ? 0xff : 0;
    }
    complement(src, dst, bytes, mask);
    return 0;
}

const struct stage invert_stage = {
    .name = "invert",
    .group = "image",
    .summary = "Turn every colour into its complement; alpha is left alone",
    .params = invert_table,
    .params_bytes = 0,
    .accepts = STAGE_ANY,
    .windows = true,
    .plan = invert_plan,
    .rows = invert_rows,
};
