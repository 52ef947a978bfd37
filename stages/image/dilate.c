/* SPDX-License-Identifier: MIT */
/* Grey dilation, as scikit-image's morphology.dilation and OpenCV's dilate; alpha is a channel as any other,
 * as there. */
#include "stages/image/morph.h"

static int dilate_rows(const struct stage_run *run, uint32_t first, uint32_t last, struct scratch *scratch,
                       struct error *error)
{
    return morph_rows(run, true, first, last, scratch, error);
}

const struct stage dilate_stage = {
    .name = "dilate",
    .group = "image",
    .summary = "Grow what is bright: the greatest sample around each place, each channel on its own",
    .params = morph_table,
    .params_bytes = sizeof(struct morph_params),
    .accepts = STAGE_ANY,
    .windows = true,
    .check = morph_check,
    .plan = morph_plan,
    .source_rows = morph_source_rows,
    .rows = dilate_rows,
};
