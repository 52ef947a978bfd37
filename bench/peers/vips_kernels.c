/* SPDX-License-Identifier: MIT */
/* The kernels of kernels.sh in libvips, on one thread, from memory to memory.
 *
 *   forkmill-bench-vips-kernels SECONDS FILE.ppm
 *
 * Prints "NAME\tMP_PER_S" of CPU time: the best of a few repetitions, which go on for SECONDS at least. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <vips/vips.h>

enum { LEAST_TIMES = 3, BLUR_RGBA = 4 };

static const char *const names[] = {"resize, 50 % lanczos3",
                                    "resize, 25 % box",
                                    "resize, 150 % cubic",
                                    "blur, sigma 2",
                                    "blur, sigma 2, RGBA",
                                    "median 3",
                                    "median 5",
                                    "sharpen",
                                    "sobel",
                                    "convolve 3 x 3",
                                    "convolve 5 x 5",
                                    "grayscale",
                                    "gamma"};

static double cpu_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* All weights are different, so that nothing finds a product of a row and a column in them. */
static VipsImage *mask(int side)
{
    double weights[25];
    for (int i = 0; i < side * side; i++)
        weights[i] = i + 1;
    VipsImage *made = vips_image_new_matrix_from_array(side, side, weights, side * side);
    vips_image_set_double(made, "scale", side * side * (side * side + 1) / 2.0);
    return made;
}

static int convolve(VipsImage *in, VipsImage **out, int side)
{
    VipsImage *weights = mask(side);
    int failed = vips_conv(in, out, weights, "precision", VIPS_PRECISION_INTEGER, NULL);
    g_object_unref(weights);
    return failed;
}

/* Colours weighed by alpha. */
static int blur_alpha(VipsImage *in, VipsImage **out)
{
    VipsImage *steps[3] = {NULL};
    int failed = vips_premultiply(in, &steps[0], NULL) != 0 ||
                 vips_gaussblur(steps[0], &steps[1], 2, NULL) != 0 ||
                 vips_unpremultiply(steps[1], &steps[2], NULL) != 0 ||
                 vips_cast(steps[2], out, VIPS_FORMAT_UCHAR, NULL) != 0;
    for (int i = 0; i < 3; i++)
        g_clear_object(&steps[i]);
    return failed;
}

/* The picture with its green as alpha, in memory. */
static VipsImage *with_alpha(VipsImage *in)
{
    VipsImage *green = NULL, *both = NULL, *made = NULL;
    if (vips_extract_band(in, &green, 1, NULL) == 0 && vips_bandjoin2(in, green, &both, NULL) == 0)
        made = vips_image_copy_memory(both);
    g_clear_object(&green);
    g_clear_object(&both);
    return made;
}

static int apply(VipsImage *in, VipsImage **out, unsigned kernel)
{
    switch (kernel) {
    case 0:
        return vips_resize(in, out, 0.5, NULL);
    case 1:
        return vips_shrink(in, out, 4, 4, NULL);
    case 2:
        return vips_resize(in, out, 1.5, "kernel", VIPS_KERNEL_CUBIC, NULL);
    case 3:
        return vips_gaussblur(in, out, 2, NULL);
    case BLUR_RGBA:
        return blur_alpha(in, out);
    case 5:
        return vips_median(in, out, 3, NULL);
    case 6:
        return vips_median(in, out, 5, NULL);
    case 7:
        return vips_sharpen(in, out, "sigma", 1.0, NULL);
    case 8:
        return vips_sobel(in, out, NULL);
    case 9:
        return convolve(in, out, 3);
    case 10:
        return convolve(in, out, 5);
    case 11:
        return vips_colourspace(in, out, VIPS_INTERPRETATION_B_W, NULL);
    default:
        return vips_gamma(in, out, NULL);
    }
}

static int measure(VipsImage *in, unsigned kernel, double least_s)
{
    const double pixels = (double)in->Xsize * in->Ysize;
    double best = 1e9, all = 0;
    for (int i = 0; i < LEAST_TIMES || all < least_s; i++) {
        VipsImage *out;
        size_t size_bytes;
        const double started = cpu_s();
        if (apply(in, &out, kernel) != 0)
            return -1;
        void *samples = vips_image_write_to_memory(out, &size_bytes);
        const double took = cpu_s() - started;
        g_free(samples);
        g_object_unref(out);
        if (samples == NULL)
            return -1;
        best = took < best ? took : best;
        all += took;
    }
    printf("%s\t%.2f\n", names[kernel], 1e-6 * pixels / best);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc != 3 || VIPS_INIT(argv[0]) != 0) {
        fprintf(stderr, "usage: forkmill-bench-vips-kernels SECONDS FILE.ppm\n");
        return 2;
    }
    vips_concurrency_set(1);
    vips_cache_set_max(0);
    VipsImage *file = vips_image_new_from_file(argv[2], NULL);
    VipsImage *in = file != NULL ? vips_image_copy_memory(file) : NULL;
    VipsImage *rgba = in != NULL ? with_alpha(in) : NULL;
    int failed = rgba == NULL;
    for (unsigned kernel = 0; !failed && kernel < sizeof names / sizeof names[0]; kernel++)
        failed = measure(kernel == BLUR_RGBA ? rgba : in, kernel, atof(argv[1])) != 0;
    if (failed)
        fprintf(stderr, "%s: %s\n", argv[2], vips_error_buffer());
    return failed;
}
