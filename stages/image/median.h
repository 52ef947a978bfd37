/* SPDX-License-Identifier: MIT */
/* The ways to find medians that the stage chooses from, by size and sample type. All give the exact median of
 * size x size samples, each channel on its own, with the pixels at the edges extended. Each has a figure for
 * the plan and a function for rows, which fails with ERROR_INTERNAL when scratch is smaller than planned. */
#ifndef STAGES_IMAGE_MEDIAN_H
#define STAGES_IMAGE_MEDIAN_H

#include "stages/stage.h"

#define MEDIAN_MAX_SIZE 99

/* Size 3, every sample type: a network of minima and maxima. */
size_t median_nine_bytes(const struct shape *in);
int median_nine_rows(const struct stage_run *run, uint32_t first, uint32_t last, struct scratch *scratch,
                     struct error *error);

/* Size 5, the same. */
size_t median_network_bytes(const struct shape *in);
int median_network_rows(const struct stage_run *run, uint32_t first, uint32_t last, struct scratch *scratch,
                        struct error *error);

/* u8: a histogram per column; the time per sample does not depend on the size. */
size_t median_columns_bytes(size_t size, const struct shape *in);
int median_columns_rows(const struct stage_run *run, size_t size, uint32_t first, uint32_t last,
                        struct scratch *scratch, struct error *error);

/* u16 and f32: a set of ranks; the time per sample grows with the size. */
size_t median_ranks_bytes(size_t size, const struct shape *in);
int median_ranks_rows(const struct stage_run *run, size_t size, uint32_t first, uint32_t last,
                      struct scratch *scratch, struct error *error);

#endif
