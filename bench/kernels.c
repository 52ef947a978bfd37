/* SPDX-License-Identifier: MIT */
/* How fast stages work on a picture in memory, on one core, and how fast it is copied.
 *
 *   forkmill-bench-kernels FILE.ppm (NAME STAGE)...      STAGE as after -s: gaussblur:sigma=2
 *
 * Prints "NAME\tMP_PER_S" of CPU time for each, the first of them "memcpy": the best of a few repetitions,
 * buffers warm. Pixels are counted on the way in. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "stages/stage.h"

/* Repeats for so long, and at least so often. */
#define LEAST_S     0.25
#define LEAST_TIMES 3

static void *take(size_t size_bytes)
{
    void *block = NULL;
    if (posix_memalign(&block, SCRATCH_ALIGN, size_bytes + SCRATCH_ALIGN)) {
        fprintf(stderr, "out of memory\n");
        exit(1);
    }
    memset(block, 1, size_bytes + SCRATCH_ALIGN);
    return block;
}

static double cpu_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void give_up(const char *what, const struct error *error)
{
    fprintf(stderr, "%s: %s\n", what, error->reason);
    exit(1);
}

/* A binary PPM of 8 bits. */
static uint8_t *read_ppm(const char *path, struct shape *shape)
{
    unsigned width, height;
    FILE *file = fopen(path, "rb");
    if (!file || fscanf(file, "P6 %u %u 255", &width, &height) != 2 || width > 32768 || height > 32768) {
        fprintf(stderr, "%s: no binary PPM of 8 bits\n", path);
        exit(1);
    }
    *shape = (struct shape){.width = width, .height = height, .channels = 3, .bits = 8};
    uint8_t *pixels = take(shape_bytes(shape));
    fgetc(file);
    if (fread(pixels, 1, shape_bytes(shape), file) != shape_bytes(shape)) {
        fprintf(stderr, "%s: too short\n", path);
        exit(1);
    }
    fclose(file);
    return pixels;
}

/* Finds the stage and fills its parameters; `text` is cut up. */
static const struct stage *parse(char *text, void **values)
{
    struct error error = {0};
    char *rest = strchr(text, ':');
    if (rest)
        *rest++ = '\0';
    const struct stage *stage = stage_find(text);
    if (!stage) {
        fprintf(stderr, "%s: no such stage\n", text);
        exit(1);
    }
    *values = calloc(1, stage->params_bytes + 1);
    param_defaults(stage->params, *values);
    for (char *word = rest ? strtok(rest, ",") : NULL; word; word = strtok(NULL, ",")) {
        char *equals = strchr(word, '=');
        if (equals)
            *equals = '\0';
        const struct param *param = param_find(stage->params, word);
        if (!equals || !param) {
            fprintf(stderr, "%s: no such parameter: %s\n", text, word);
            exit(1);
        }
        if (param_parse(param, equals + 1, *values, &error) < 0)
            give_up(text, &error);
    }
    return stage;
}

static void run_once(const struct stage *stage, const void *values, const struct shape *in, uint8_t *src,
                     uint8_t *dst, uint8_t *block, const struct stage_plan *plan)
{
    struct error error = {0};
    struct scratch scratch = {block, scratch_add(plan->begin_scratch_bytes, plan->rows_scratch_bytes), 0};
    struct stage_run run = {
        .params = values, .in = *in, .out = plan->out, .src = src, .dst = dst, .attempt = 1};
    if (stage_run_whole(stage, &run, &scratch, &error) < 0)
        give_up(stage->name, &error);
}

static void measure(const char *name, char *text, const struct shape *in, uint8_t *src)
{
    void *values;
    struct error error = {0};
    struct stage_plan plan;
    const struct stage *stage = parse(text, &values);
    if (stage_plan(stage, values, in, &plan, &error) < 0)
        give_up(name, &error);
    uint8_t *dst = take(shape_bytes(&plan.out));
    uint8_t *block = take(scratch_add(plan.begin_scratch_bytes, plan.rows_scratch_bytes));
    double best = 1e9, all = 0;
    for (int i = 0; i < LEAST_TIMES || all < LEAST_S; i++) {
        const double started = cpu_s();
        run_once(stage, values, in, src, dst, block, &plan);
        const double took = cpu_s() - started;
        best = took < best ? took : best;
        all += took;
    }
    printf("%s\t%.2f\n", name, 1e-6 * in->width * in->height / best);
    free(dst);
    free(block);
    param_free(stage->params, values);
    free(values);
}

static void measure_copy(const struct shape *in, const uint8_t *src)
{
    uint8_t *dst = take(shape_bytes(in));
    double best = 1e9;
    for (int i = 0; i < 9; i++) {
        const double started = cpu_s();
        memcpy(dst, src, shape_bytes(in));
        const double took = cpu_s() - started;
        best = took < best ? took : best;
    }
    printf("memcpy\t%.2f\n", 1e-6 * in->width * in->height / best + 0 * dst[0]);
    free(dst);
}

int main(int argc, char **argv)
{
    struct shape shape;
    if (argc < 2 || argc % 2 != 0) {
        fprintf(stderr, "usage: forkmill-bench-kernels FILE.ppm (NAME STAGE)...\n");
        return 2;
    }
    uint8_t *pixels = read_ppm(argv[1], &shape);
    measure_copy(&shape, pixels);
    for (int i = 2; i + 1 < argc; i += 2)
        measure(argv[i], argv[i + 1], &shape, pixels);
    free(pixels);
    return 0;
}
