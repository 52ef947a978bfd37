/* SPDX-License-Identifier: MIT */
/* The inner loops of matmul. The matrix is kept as panels of MATMUL_PANEL columns, in which the numbers of a
 * row lie side by side and the last panel is filled up with zeros, so that the loops read on and on. */
#ifndef STAGES_NUMERIC_MATMUL_KERNEL_H
#define STAGES_NUMERIC_MATMUL_KERNEL_H

#include <stddef.h>

#define MATMUL_PANEL 8u

/* The rows that go together. */
#define MATMUL_ROWS 4u

/* out[r x out_step + c] = the sum over k of a[r x depth + k] x panel[k x MATMUL_PANEL + c], added up in order
 * of k, for MATMUL_ROWS rows and MATMUL_PANEL columns. `panel` is aligned to 64 bytes. */
void matmul_tile(const double *a, size_t depth, const double *panel, double *out, size_t out_step);

#endif
