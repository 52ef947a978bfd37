/* SPDX-License-Identifier: MIT */
/* The passes: small transforms of 2, 3, 4, 5 or another odd number, each result but the first multiplied by
 * its twiddle factor. The first pass has a span of 1 and is vectorised over the factors, the others over the
 * span. */
#include "stages/numeric/fft.h"
#include "stages/simd.h"

/* The largest odd radix there is; see fft.c. */
#define MOST_RADIX 31

struct complex {
    double re, im;
};

/* Where one small transform finds its numbers, and where they go. */
struct place {
    const double *xr, *xi;
    double *yr, *yi;
    size_t in_step, out_step;
    const double *wr, *wi; /* twiddle factors, w_step apart */
    size_t w_step;
};

SIMD_INLINE struct complex get(const struct place *at, size_t k)
{
    return (struct complex){at->xr[k * at->in_step], at->xi[k * at->in_step]};
}

SIMD_INLINE struct complex add(struct complex a, struct complex b)
{
    return (struct complex){a.re + b.re, a.im + b.im};
}

SIMD_INLINE struct complex sub(struct complex a, struct complex b)
{
    return (struct complex){a.re - b.re, a.im - b.im};
}

SIMD_INLINE struct complex scaled(struct complex a, double by)
{
    return (struct complex){a.re * by, a.im * by};
}

/* a - i b and a + i b. */
SIMD_INLINE struct complex sub_i(struct complex a, struct complex b)
{
    return (struct complex){a.re + b.im, a.im - b.re};
}

SIMD_INLINE struct complex add_i(struct complex a, struct complex b)
{
    return (struct complex){a.re - b.im, a.im + b.re};
}

SIMD_INLINE void put(const struct place *at, size_t j, struct complex value)
{
    double re = value.re, im = value.im;
    if (j > 0) {
        const double wr = at->wr[(j - 1) * at->w_step], wi = at->wi[(j - 1) * at->w_step];
        re = value.re * wr - value.im * wi;
        im = value.re * wi + value.im * wr;
    }
    at->yr[j * at->out_step] = re;
    at->yi[j * at->out_step] = im;
}

SIMD_INLINE void small_2(const struct place *at)
{
    const struct complex a = get(at, 0), b = get(at, 1);
    put(at, 0, add(a, b));
    put(at, 1, sub(a, b));
}

SIMD_INLINE void small_3(const struct place *at)
{
    const double sine = 0.86602540378443864676; /* of 2 pi / 3 */
    const struct complex a = get(at, 0), b = get(at, 1), c = get(at, 2);
    const struct complex sum = add(b, c), middle = sub(a, scaled(sum, 0.5)), off = scaled(sub(b, c), sine);
    put(at, 0, add(a, sum));
    put(at, 1, sub_i(middle, off));
    put(at, 2, add_i(middle, off));
}

SIMD_INLINE void small_4(const struct place *at)
{
    const struct complex a = get(at, 0), b = get(at, 1), c = get(at, 2), d = get(at, 3);
    const struct complex even = add(a, c), odd = add(b, d), even_off = sub(a, c), odd_off = sub(b, d);
    put(at, 0, add(even, odd));
    put(at, 1, sub_i(even_off, odd_off));
    put(at, 2, sub(even, odd));
    put(at, 3, add_i(even_off, odd_off));
}

SIMD_INLINE void small_5(const struct place *at)
{
    const double cos_1 = 0.30901699437494742410, cos_2 = -0.80901699437494742410; /* of 2 pi / 5, 4 pi / 5 */
    const double sin_1 = 0.95105651629515357212, sin_2 = 0.58778525229247312917;
    const struct complex a = get(at, 0), b = get(at, 1), c = get(at, 2), d = get(at, 3), e = get(at, 4);
    const struct complex near = add(b, e), far = add(c, d), near_off = sub(b, e), far_off = sub(c, d);
    const struct complex middle_1 = add(a, add(scaled(near, cos_1), scaled(far, cos_2)));
    const struct complex middle_2 = add(a, add(scaled(near, cos_2), scaled(far, cos_1)));
    const struct complex off_1 = add(scaled(near_off, sin_1), scaled(far_off, sin_2));
    const struct complex off_2 = sub(scaled(near_off, sin_2), scaled(far_off, sin_1));
    put(at, 0, add(a, add(near, far)));
    put(at, 1, sub_i(middle_1, off_1));
    put(at, 2, sub_i(middle_2, off_2));
    put(at, 3, add_i(middle_2, off_2));
    put(at, 4, add_i(middle_1, off_1));
}

/* The sums of small_5 for any odd radix; roots[k] = exp(-2 pi i k / radix). */
static void small_odd(const struct place *at, size_t radix, const struct complex *roots)
{
    const size_t half = radix / 2;
    struct complex sums[MOST_RADIX / 2 + 1], offs[MOST_RADIX / 2 + 1];
    const struct complex a = get(at, 0);
    struct complex total = a;
    for (size_t k = 1; k <= half; k++) {
        const struct complex b = get(at, k), c = get(at, radix - k);
        sums[k] = add(b, c);
        offs[k] = sub(b, c);
        total = add(total, sums[k]);
    }
    put(at, 0, total);
    for (size_t j = 1; j <= half; j++) {
        struct complex middle = a, off = {0, 0};
        for (size_t k = 1; k <= half; k++) {
            const struct complex root = roots[j * k % radix];
            middle = add(middle, scaled(sums[k], root.re));
            off = add(off, scaled(offs[k], -root.im));
        }
        put(at, j, sub_i(middle, off));
        put(at, radix - j, add_i(middle, off));
    }
}

SIMD_INLINE struct place place_at(const struct fft_pass *pass, size_t span, const double *xr,
                                  const double *xi, double *yr, double *yi, size_t p, size_t q)
{
    const size_t in = q + span * p, out = q + span * pass->radix * p;
    return (struct place){xr + in, xi + in,      yr + out,     yi + out,  span * pass->rest,
                          span,    pass->re + p, pass->im + p, pass->rest};
}

#define PASS(radix)                                                                                          \
    SIMD_CLONES static void pass_##radix(const struct fft_pass *pass, size_t span, const double *xr,         \
                                         const double *xi, double *yr, double *yi)                           \
    {                                                                                                        \
        const struct fft_pass here = {radix, pass->rest, 0, pass->re, pass->im};                             \
        if (span == 1) {                                                                                     \
            _Pragma("omp simd") for (size_t p = 0; p < here.rest; p++)                                       \
            {                                                                                                \
                const struct place at = place_at(&here, 1, xr, xi, yr, yi, p, 0);                            \
                small_##radix(&at);                                                                          \
            }                                                                                                \
            return;                                                                                          \
        }                                                                                                    \
        for (size_t p = 0; p < here.rest; p++) {                                                             \
            _Pragma("omp simd") for (size_t q = 0; q < span; q++)                                            \
            {                                                                                                \
                const struct place at = place_at(&here, span, xr, xi, yr, yi, p, q);                         \
                small_##radix(&at);                                                                          \
            }                                                                                                \
        }                                                                                                    \
    }
PASS(2)
PASS(3)
PASS(4)
PASS(5)

static void pass_odd(const struct fft_pass *pass, size_t span, const double *xr, const double *xi, double *yr,
                     double *yi)
{
    struct complex roots[MOST_RADIX];
    for (size_t k = 0; k < pass->radix; k++)
        fft_root(k, pass->radix, &roots[k].re, &roots[k].im);
    for (size_t p = 0; p < pass->rest; p++) {
        for (size_t q = 0; q < span; q++) {
            const struct place at = place_at(pass, span, xr, xi, yr, yi, p, q);
            small_odd(&at, pass->radix, roots);
        }
    }
}

void fft_pass(const struct fft_pass *pass, size_t batch, const double *xr, const double *xi, double *yr,
              double *yi)
{
    const size_t span = pass->span * batch;
    switch (pass->radix) {
    case 2:
        pass_2(pass, span, xr, xi, yr, yi);
        break;
    case 3:
        pass_3(pass, span, xr, xi, yr, yi);
        break;
    case 4:
        pass_4(pass, span, xr, xi, yr, yi);
        break;
    case 5:
        pass_5(pass, span, xr, xi, yr, yi);
        break;
    default:
        pass_odd(pass, span, xr, xi, yr, yi);
    }
}
