/* SPDX-License-Identifier: MIT */
/* The median of a square around each pixel, as scipy's median_filter with mode "nearest", OpenCV's medianBlur
 * and `vips median`; alpha is a channel as any other, as there. */
#include "stages/image/median.h"

struct median_params {
    int64_t size; /* px, odd */
};

static const struct param median_table[] = {
    {.name = "size",
     .type = PARAM_INT,
     .offset = offsetof(struct median_params, size),
     .min = 3,
     .max = MEDIAN_MAX_SIZE,
     .initial = "3",
     .unit = "px",
     .help = "Width and height of the square, an odd number"},
    PARAM_END,
};

static int median_check(const void *params, struct error *error)
{
    const int64_t size = ((const struct median_params *)params)->size;
    if (size % 2 == 0)
        return error_set(error, ERROR_USAGE, "size must be odd, so that it has a centre: %lld or %lld",
                         (long long)size - 1, (long long)size + 1);
    return 0;
}

static int median_plan(const void *params, const struct shape *in, struct stage_plan *plan,
                       struct error *error)
{
    (void)error;
    const size_t size = (size_t)((const struct median_params *)params)->size;
    plan->out.bits = in->bits;
    if (size == 3)
        plan->rows_scratch_bytes = median_nine_bytes(in);
    else if (size == 5)
        plan->rows_scratch_bytes = median_network_bytes(in);
    else if (in->sample == SAMPLE_U8)
        plan->rows_scratch_bytes = median_columns_bytes(size, in);
    else
        plan->rows_scratch_bytes = median_ranks_bytes(size, in);
    return 0;
}

static void median_source_rows(const void *params, const struct shape *in, const struct shape *out,
                               uint32_t *first, uint32_t *last)
{
    (void)out;
    const uint32_t radius = (uint32_t)(((const struct median_params *)params)->size / 2);
    *first -= *first < radius ? *first : radius;
    *last += in->height - *last < radius ? in->height - *last : radius;
}

static int median_rows(const struct stage_run *run, uint32_t first, uint32_t last, struct scratch *scratch,
                       struct error *error)
{
    const size_t size = (size_t)((const struct median_params *)run->params)->size;
    if (size == 3)
        return median_nine_rows(run, first, last, scratch, error);
    if (size == 5)
        return median_network_rows(run, first, last, scratch, error);
    if (run->in.sample == SAMPLE_U8)
        return median_columns_rows(run, size, first, last, scratch, error);
    return median_ranks_rows(run, size, first, last, scratch, error);
}

const struct stage median_stage = {
    .name = "median",
    .group = "image",
    .summary = "Remove specks: the median of a square around each place, each channel on its own",
    .params = median_table,
    .params_bytes = sizeof(struct median_params),
    .accepts = STAGE_ANY,
    .windows = true,
    .check = median_check,
    .plan = median_plan,
    .source_rows = median_source_rows,
    .rows = median_rows,
};
