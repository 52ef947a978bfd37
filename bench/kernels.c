/* SPDX-License-Identifier: MIT */
/* How fast stages work on a picture in memory, on one core, and how fast it is copied.
 *
 *   forkmill-bench-kernels SECONDS FILE.ppm (NAME STAGE)...      STAGE as after -s: gaussblur:sigma=2
 *
 * Prints "NAME\tMP_PER_S" of CPU time for each, the first of them "memcpy": the best of a few repetitions,
 * which go on for SECONDS at least, buffers warm. Pixels are counted on the way in. What is called "...,
 * RGBA" gets the picture with an alpha of its own, which is its green. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stage_text.h"

#define LEAST_TIMES 3

/* A binary PPM of 8 bits. */
static uint8_t *read_ppm(const char *path, struct shape *shape)
{
    unsigned width, height;
    FILE *file = fopen(path, "rb");
    if (!file || fscanf(file, "P6 %u %u 255", &width, &height) != 2 || width > 32768 || height > 32768)
        bench_give_up(path, "no binary PPM of 8 bits");
    *shape = (struct shape){.width = width, .height = height, .channels = 3, .bits = 8};
    uint8_t *pixels = bench_take(shape_bytes(shape));
    fgetc(file);
    if (fread(pixels, 1, shape_bytes(shape), file) != shape_bytes(shape))
        bench_give_up(path, "too short");
    fclose(file);
    return pixels;
}

static bool wants_alpha(const char *name)
{
    const char *comma = strrchr(name, ',');
    return comma && strcmp(comma, ", RGBA") == 0;
}

static uint8_t *add_alpha(const struct shape *shape, const uint8_t *rgb)
{
    const size_t pixels = (size_t)shape->width * shape->height;
    uint8_t *rgba = bench_take(4 * pixels);
    for (size_t p = 0; p < pixels; p++) {
        memcpy(rgba + 4 * p, rgb + 3 * p, 3);
        rgba[4 * p + 3] = rgb[3 * p + 1];
    }
    return rgba;
}

static void run_once(const struct stage_text *of, const struct shape *in, uint8_t *src, uint8_t *dst,
                     uint8_t *block, const struct stage_plan *plan)
{
    struct error error = {0};
    struct scratch scratch = {block, scratch_add(plan->begin_scratch_bytes, plan->rows_scratch_bytes), 0};
    struct stage_run run = {
        .params = of->values, .in = *in, .out = plan->out, .src = src, .dst = dst, .attempt = 1};
    if (stage_run_whole(of->stage, &run, &scratch, &error) < 0)
        bench_give_up(of->stage->name, error.reason);
}

static void measure(const char *name, char *text, double least_s, const struct shape *in, uint8_t *src)
{
    struct error error = {0};
    struct stage_plan plan;
    struct stage_text of = stage_text_parse(text);
    if (stage_plan(of.stage, of.values, in, &plan, &error) < 0)
        bench_give_up(name, error.reason);
    uint8_t *dst = bench_take(shape_bytes(&plan.out));
    uint8_t *block = bench_take(scratch_add(plan.begin_scratch_bytes, plan.rows_scratch_bytes));
    double best = 1e9, all = 0;
    for (int i = 0; i < LEAST_TIMES || all < least_s; i++) {
        const double started = bench_cpu_s();
        run_once(&of, in, src, dst, block, &plan);
        const double took = bench_cpu_s() - started;
        best = took < best ? took : best;
        all += took;
    }
    printf("%s\t%.2f\n", name, 1e-6 * in->width * in->height / best);
    free(dst);
    free(block);
    stage_text_free(&of);
}

static void measure_copy(const struct shape *in, const uint8_t *src)
{
    uint8_t *dst = bench_take(shape_bytes(in));
    double best = 1e9;
    for (int i = 0; i < 9; i++) {
        const double started = bench_cpu_s();
        memcpy(dst, src, shape_bytes(in));
        const double took = bench_cpu_s() - started;
        best = took < best ? took : best;
    }
    printf("memcpy\t%.2f\n", 1e-6 * in->width * in->height / best + 0 * dst[0]);
    free(dst);
}

int main(int argc, char **argv)
{
    struct shape shape;
    if (argc < 3 || argc % 2 == 0) {
        fprintf(stderr, "usage: forkmill-bench-kernels SECONDS FILE.ppm (NAME STAGE)...\n");
        return 2;
    }
    const double least_s = atof(argv[1]);
    uint8_t *pixels = read_ppm(argv[2], &shape);
    uint8_t *with_alpha = add_alpha(&shape, pixels);
    struct shape rgba = shape;
    rgba.channels = 4;
    measure_copy(&shape, pixels);
    for (int i = 3; i + 1 < argc; i += 2) {
        if (wants_alpha(argv[i]))
            measure(argv[i], argv[i + 1], least_s, &rgba, with_alpha);
        else
            measure(argv[i], argv[i + 1], least_s, &shape, pixels);
    }
    free(with_alpha);
    free(pixels);
    return 0;
}
