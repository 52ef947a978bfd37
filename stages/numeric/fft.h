/* SPDX-License-Identifier: MIT */
/* The discrete Fourier transform of complex numbers in double precision, of any length, several lines at
 * once: Stockham's self-sorting form with mixed radices (Temperton, "Self-sorting mixed-radix fast Fourier
 * transforms", 1983), and for lengths with a large prime factor a convolution with a chirp (Bluestein 1970).
 *
 * Why not FFTW: its code for each processor rounds otherwise (fused multiply-adds), where results must be the
 * same bytes on all of them, and it plans with malloc. For the same reason sines are made here: those of the
 * C library differ from processor to processor in the last bit.
 *
 * X[k] = sum of x[t] exp(-2 pi i k t / length), as numpy.fft.fft. The error is that of rounding: about
 * 1e-16 x log2(length), relative to the root mean square of the result. */
#ifndef STAGES_NUMERIC_FFT_H
#define STAGES_NUMERIC_FFT_H

#include "stages/error.h"
#include "stages/scratch.h"

#define FFT_MOST_PASSES 64u

/* One pass: `radix` numbers that lie `rest` x `span` apart become as many side by side. */
struct fft_pass {
    size_t radix, rest, span;
    const double *re, *im; /* (radix - 1) x rest twiddle factors */
};

/* A transform of one length, in scratch; read only once it is made. */
struct fft {
    size_t length;
    size_t inside; /* of the buffers: the length, or more where there is a chirp */
    unsigned count;
    struct fft_pass passes[FFT_MOST_PASSES];
    const double *chirp_re, *chirp_im;   /* `length` numbers; NULL: no chirp */
    const double *filter_re, *filter_im; /* `inside` numbers */
};

/* Numbers of `batch` lines: number t of line b at [t x batch + b]. Four arrays of inside x batch. */
struct fft_buffers {
    double *re, *im;
    double *spare_re, *spare_im;
};

/* exp(-2 pi i k / n) for k below n, n below 2^60; each part within 2 units in the last place of 1. */
void fft_root(size_t k, size_t n, double *re, double *im);

/* The buffers' length for a transform of `length` numbers, at least 1; SIZE_MAX where it does not fit. */
size_t fft_inside(size_t length);

/* What fft_open takes from scratch. */
size_t fft_need(size_t length);

/* ERROR_INTERNAL where scratch is smaller than that. */
int fft_open(struct fft *fft, size_t length, struct scratch *scratch, struct error *error);

/* Transforms re and im, which hold `length` numbers of each line, in place; the pointers are exchanged. The
 * result does not depend on the batch. */
void fft_run(const struct fft *fft, struct fft_buffers *buffers, size_t batch);

/* For fft.c and fft_pass.c: one pass from x to y, `span` of them being numbers of different lines as well. */
void fft_pass(const struct fft_pass *pass, size_t batch, const double *xr, const double *xi, double *yr,
              double *yi);

#endif
