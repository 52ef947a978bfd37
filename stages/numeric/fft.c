/* SPDX-License-Identifier: MIT */
#include "stages/numeric/fft.h"

#include <stdbool.h>
#include <string.h>

#include "stages/simd.h"

/* Primes up to here are radices: their cost per number grows with the prime, that of a chirp is about that of
 * eight transforms. */
#define MOST_RADIX 31u

/* Taylor's series; for x up to pi / 4 the next terms are below 1e-19. */
static double sine(double x)
{
    const double s = x * x;
    const double rest =
        -1.0 / 6 +
        s * (1.0 / 120 + s * (-1.0 / 5040 +
                              s * (1.0 / 362880 + s * (-1.0 / 39916800 + s * (1.0 / 6227020800 +
                                                                              s * (-1.0 / 1307674368000))))));
    return x + x * s * rest;
}

static double cosine(double x)
{
    const double s = x * x;
    const double rest =
        1.0 / 24 +
        s * (-1.0 / 720 + s * (1.0 / 40320 + s * (-1.0 / 3628800 +
                                                  s * (1.0 / 479001600 + s * (-1.0 / 87178291200 +
                                                                              s * (1.0 / 20922789888000))))));
    return 1 - s / 2 + s * s * rest;
}

void fft_root(size_t k, size_t n, double *re, double *im)
{
    const double quarter_pi = 0.78539816339744830962;
    const size_t octant = 8 * k / n, rest = 8 * k % n;
    /* Odd octants are gone through from their end. */
    const double x = quarter_pi * ((double)(octant % 2 ? n - rest : rest) / (double)n);
    const double c = cosine(x), s = sine(x);
    const int swapped = (octant + 1) / 2 % 2;   /* octants 1, 2, 5, 6 */
    const int left = octant >= 2 && octant < 6; /* cosine below 0 */
    const double across = swapped ? s : c, up = swapped ? c : s;
    *re = left ? -across : across;
    *im = octant < 4 ? -up : up;
}

/* The next radix of what is left to do; 0: its smallest prime factor is too large. */
static size_t next_radix(size_t left)
{
    if (left % 4 == 0)
        return 4;
    if (left % 2 == 0)
        return 2;
    for (size_t radix = 3; radix <= MOST_RADIX; radix += 2) {
        if (left % radix == 0)
            return radix;
    }
    return 0;
}

static bool needs_chirp(size_t length)
{
    while (length > 1) {
        const size_t radix = next_radix(length);
        if (radix == 0)
            return true;
        length /= radix;
    }
    return false;
}

/* The least product of 2, 3 and 5 that is `least` or more. */
static size_t smooth_length(size_t least)
{
    size_t best = SIZE_MAX;
    if (least > (size_t)1 << 59)
        return best;
    for (size_t fives = 1; fives < 2 * least; fives *= 5) {
        for (size_t threes = fives; threes < 2 * least; threes *= 3) {
            size_t length = threes;
            while (length < least)
                length *= 2;
            best = length < best ? length : best;
        }
    }
    return best;
}

size_t fft_inside(size_t length)
{
    if (length > (size_t)1 << 58)
        return SIZE_MAX;
    return length <= 1 ? 1 : needs_chirp(length) ? smooth_length(2 * length - 1) : length;
}

size_t fft_need(size_t length)
{
    const size_t inside = fft_inside(length), part = scratch_need(inside, sizeof(double));
    size_t need = scratch_add(part, part); /* twiddle factors: fewer than numbers */
    if (inside == length || length <= 1)
        return need;
    for (int i = 0; i < 4; i++) /* the filter, and the buffers to make it in */
        need = scratch_add(need, part);
    return scratch_add(need, 2 * scratch_need(length, sizeof(double)));
}

static void make_passes(struct fft *fft, double *re, double *im)
{
    size_t span = 1;
    for (size_t left = fft->inside; left > 1;) {
        const size_t radix = next_radix(left), rest = left / radix;
        fft->passes[fft->count++] = (struct fft_pass){radix, rest, span, re, im};
        for (size_t j = 1; j < radix; j++) {
            for (size_t p = 0; p < rest; p++)
                fft_root(j * p, left, re++, im++);
        }
        left = rest;
        span *= radix;
    }
}

static void run_passes(const struct fft *fft, struct fft_buffers *buffers, size_t batch)
{
    for (unsigned i = 0; i < fft->count; i++) {
        fft_pass(&fft->passes[i], batch, buffers->re, buffers->im, buffers->spare_re, buffers->spare_im);
        *buffers = (struct fft_buffers){buffers->spare_re, buffers->spare_im, buffers->re, buffers->im};
    }
}

/* chirp[k] = exp(-pi i k^2 / length); the filter is the transform of its conjugate, laid round the buffer,
 * and divided by the buffer's length. */
static int make_chirp(struct fft *fft, struct scratch *scratch, struct error *error)
{
    const size_t length = fft->length, inside = fft->inside;
    double *re = scratch_alloc(scratch, length, sizeof *re), *im = scratch_alloc(scratch, length, sizeof *im);
    struct fft_buffers work = {
        scratch_alloc(scratch, inside, sizeof(double)), scratch_alloc(scratch, inside, sizeof(double)),
        scratch_alloc(scratch, inside, sizeof(double)), scratch_alloc(scratch, inside, sizeof(double))};
    if (!re || !im || !work.re || !work.im || !work.spare_re || !work.spare_im)
        return error_set(error, ERROR_INTERNAL, "scratch is smaller than planned");
    memset(work.re, 0, inside * sizeof *work.re);
    memset(work.im, 0, inside * sizeof *work.im);
    const double scale = 1 / (double)inside;
    for (size_t k = 0, square = 0; k < length; k++) { /* square = k^2 modulo 2 x length */
        fft_root(square, 2 * length, &re[k], &im[k]);
        const size_t mirrored = k > 0 ? inside - k : 0;
        work.re[k] = work.re[mirrored] = re[k] * scale;
        work.im[k] = work.im[mirrored] = -im[k] * scale;
        square = (square + 2 * k + 1) % (2 * length);
    }
    run_passes(fft, &work, 1);
    fft->chirp_re = re;
    fft->chirp_im = im;
    fft->filter_re = work.re;
    fft->filter_im = work.im;
    return 0;
}

int fft_open(struct fft *fft, size_t length, struct scratch *scratch, struct error *error)
{
    *fft = (struct fft){.length = length, .inside = fft_inside(length)};
    double *re = scratch_alloc(scratch, fft->inside, sizeof *re);
    double *im = scratch_alloc(scratch, fft->inside, sizeof *im);
    if (!re || !im)
        return error_set(error, ERROR_INTERNAL, "scratch is smaller than planned");
    make_passes(fft, re, im);
    return fft->inside == length || length <= 1 ? 0 : make_chirp(fft, scratch, error);
}

/* Multiplies number t of every line by factor t. */
SIMD_CLONES static void multiply(double *re, double *im, const double *factor_re, const double *factor_im,
                                 size_t count, size_t batch)
{
    for (size_t t = 0; t < count; t++) {
        const double fr = factor_re[t], fi = factor_im[t];
        for (size_t i = t * batch; i < (t + 1) * batch; i++) {
            const double a = re[i], b = im[i];
            re[i] = a * fr - b * fi;
            im[i] = a * fi + b * fr;
        }
    }
}

void fft_run(const struct fft *fft, struct fft_buffers *buffers, size_t batch)
{
    if (!fft->chirp_re) {
        run_passes(fft, buffers, batch);
        return;
    }
    const size_t used = fft->length * batch, padding = (fft->inside - fft->length) * batch;
    multiply(buffers->re, buffers->im, fft->chirp_re, fft->chirp_im, fft->length, batch);
    memset(buffers->re + used, 0, padding * sizeof *buffers->re);
    memset(buffers->im + used, 0, padding * sizeof *buffers->im);
    run_passes(fft, buffers, batch);
    multiply(buffers->re, buffers->im, fft->filter_re, fft->filter_im, fft->inside, batch);
    /* Back, by exchanging real and imaginary parts before and after. */
    struct fft_buffers turned = {buffers->im, buffers->re, buffers->spare_im, buffers->spare_re};
    run_passes(fft, &turned, batch);
    *buffers = (struct fft_buffers){turned.im, turned.re, turned.spare_im, turned.spare_re};
    multiply(buffers->re, buffers->im, fft->chirp_re, fft->chirp_im, fft->length, batch);
}
