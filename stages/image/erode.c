/* SPDX-License-Identifier: MIT */
/* Grey erosion, as scikit-image's morphology.erosion and OpenCV's erode; alpha is a channel as any other, as
 * there. */
#include "stages/image/morph.h"

static int erode_rows(const struct stage_run *run, uint32_t first, uint32_t last, struct scratch *scratch,
                      struct error *error)
{
    return morph_rows(run, false, first, last, scratch, error);
}

const struct stage erode_stage = {
    .name = "erode",
    .group = "image",
    .summary = "Shrink what is bright: the least sample around each place, each channel on its own",
    .params = morph_table,
    .params_bytes = sizeof(struct morph_params),
    .accepts = STAGE_ANY,
    .windows = true,
    .check = morph_check,
    .plan = morph_plan,
    .source_rows = morph_source_rows,
    .rows = erode_rows,
};
