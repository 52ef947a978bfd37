/* SPDX-License-Identifier: MIT */
#include "stages/numeric/matmul_kernel.h"

#include <string.h>

#include "stages/simd.h"

/* Four numbers at once; the compiler makes two of it where registers are shorter. */
typedef double four __attribute__((vector_size(32)));

#define FOURS (MATMUL_PANEL / 4)

SIMD_CLONES static void tile(const double *a, size_t depth, const double *panel, double *out, size_t out_step)
{
    four sums[MATMUL_ROWS][FOURS] = {0};
    for (size_t k = 0; k < depth; k++) {
        const four *row = (const void *)(panel + k * MATMUL_PANEL);
#pragma GCC unroll 4
        for (size_t r = 0; r < MATMUL_ROWS; r++) {
            const double factor = a[r * depth + k];
            const four factors = {factor, factor, factor, factor};
#pragma GCC unroll 2
            for (size_t c = 0; c < FOURS; c++)
                sums[r][c] += factors * row[c];
        }
    }
    for (size_t r = 0; r < MATMUL_ROWS; r++)
        memcpy(out + r * out_step, sums[r], sizeof sums[r]);
}

void matmul_tile(const double *a, size_t depth, const double *panel, double *out, size_t out_step)
{
    tile(a, depth, panel, out, out_step);
}
