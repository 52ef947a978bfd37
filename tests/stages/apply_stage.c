/* SPDX-License-Identifier: MIT */
/* Applies stages to one raw image, for comparisons with outside tools:
 *
 *     apply_stage [-c ROWS] [-n TIMES] IN OUT NAME[:key=value,...]...
 *
 * A raw image is one line, "RAW WIDTH HEIGHT CHANNELS u8|u16|f32", and then the samples, packed, in the
 * machine's byte order. `-c` cuts the output rows into ranges of that many, last range first; `-n` repeats
 * the last stage and prints the fastest time in milliseconds. 0, or 1 with a message on standard error. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "stages/stage.h"

struct image {
    struct shape shape;
    uint8_t *pixels;
};

static const char *const samples[] = {"u8", "u16", "f32"};

static int read_image(const char *path, struct image *image)
{
    FILE *file = fopen(path, "rb");
    char line[128], sample[8];
    unsigned width, height, channels;
    if (!file || !fgets(line, sizeof line, file) ||
        sscanf(line, "RAW %u %u %u %7s", &width, &height, &channels, sample) != 4)
        goto bad;
    image->shape = (struct shape){.width = width, .height = height, .channels = (uint8_t)channels};
    while (image->shape.sample < SAMPLE_IMAGE_COUNT && strcmp(samples[image->shape.sample], sample) != 0)
        image->shape.sample++;
    image->shape.bits = shape_sample_bits(image->shape.sample);
    if (!shape_valid(&image->shape) || shape_bytes(&image->shape) > PTRDIFF_MAX)
        goto bad;
    const size_t bytes = shape_bytes(&image->shape);
    image->pixels = malloc(bytes);
    if (!image->pixels || fread(image->pixels, 1, bytes, file) != bytes)
        goto bad;
    fclose(file);
    return 0;
bad:
    fprintf(stderr, "apply_stage: %s is not a raw image\n", path);
    if (file)
        fclose(file);
    return -1;
}

static int write_image(const char *path, const struct image *image)
{
    FILE *file = fopen(path, "wb");
    const struct shape *shape = &image->shape;
    if (!file) {
        perror(path);
        return -1;
    }
    fprintf(file, "RAW %u %u %u %s\n", shape->width, shape->height, (unsigned)shape->channels,
            samples[shape->sample]);
    fwrite(image->pixels, 1, shape_bytes(shape), file);
    const int failed = ferror(file);
    return fclose(file) == 0 && !failed ? 0 : -1;
}

/* Finds the stage that `text` names and fills its parameter block, which the caller frees. */
static const struct stage *parse(char *text, void **params, struct error *error)
{
    char *rest = strchr(text, ':');
    if (rest)
        *rest++ = '\0';
    const struct stage *stage = stage_find(text);
    if (!stage) {
        error_set(error, ERROR_USAGE, "no stage is called %s", text);
        return NULL;
    }
    *params = calloc(1, stage->params_bytes ? stage->params_bytes : 1);
    if (!*params)
        return NULL;
    param_defaults(stage->params, *params);
    for (char *pair = strtok(rest ? rest : text + strlen(text), ","); pair; pair = strtok(NULL, ",")) {
        char *value = strchr(pair, '=');
        if (value)
            *value++ = '\0';
        const struct param *param = param_find(stage->params, pair);
        if (!param || !value) {
            error_set(error, ERROR_USAGE, "%s has no parameter %s", stage->name, pair);
            return NULL;
        }
        if (param_parse(param, value, *params, error) < 0)
            return NULL;
    }
    return stage->check && stage->check(*params, error) < 0 ? NULL : stage;
}

static double now_ms(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

/* One run, whole or cut into ranges. */
static int run_once(const struct stage *stage, struct stage_run *run, struct scratch *scratch, uint32_t cut,
                    struct error *error)
{
    scratch->used_bytes = 0;
    if (cut == 0)
        return stage_run_whole(stage, run, scratch, error);
    if (stage->begin)
        TRY(stage->begin(run, scratch, error));
    const size_t kept = scratch->used_bytes;
    for (uint32_t last = run->out.height; last > 0;) {
        const uint32_t first = last > cut ? last - cut : 0;
        scratch->used_bytes = kept;
        TRY(stage->rows(run, first, last, scratch, error));
        last = first;
    }
    return 0;
}

/* Replaces *image by what the stage makes of it. */
static int apply(const struct stage *stage, const void *params, struct image *image, uint32_t cut,
                 unsigned times, struct error *error)
{
    struct stage_plan plan;
    TRY(stage_plan(stage, params, &image->shape, &plan, error));
    const size_t scratch_bytes = scratch_add(plan.begin_scratch_bytes, plan.rows_scratch_bytes);
    struct scratch scratch = {.size_bytes = scratch_bytes};
    scratch.base = aligned_alloc(SCRATCH_ALIGN, scratch_need(1, scratch_bytes + 1));
    uint8_t *dst = malloc(shape_bytes(&plan.out));
    struct stage_run run = {.params = params,
                            .in = image->shape,
                            .out = plan.out,
                            .src = image->pixels,
                            .dst = dst,
                            .item = 1,
                            .attempt = 1};
    double best_ms = 1e300;
    int code = scratch.base && dst ? 0 : error_set(error, ERROR_MEMORY, "out of memory");
    for (unsigned i = 0; code == 0 && i < (times ? times : 1); i++) {
        const double start_ms = now_ms();
        code = run_once(stage, &run, &scratch, plan.whole ? 0 : cut, error);
        const double taken_ms = now_ms() - start_ms;
        best_ms = taken_ms < best_ms ? taken_ms : best_ms;
    }
    if (code == 0 && times)
        printf("%.3f\n", best_ms);
    free(scratch.base);
    free(image->pixels);
    image->pixels = dst;
    image->shape = plan.out;
    return code;
}

int main(int argc, char **argv)
{
    unsigned cut = 0, times = 0;
    for (int option; (option = getopt(argc, argv, "c:n:")) != -1;) {
        if (option == '?')
            return 1;
        *(option == 'c' ? &cut : &times) = (unsigned)strtoul(optarg, NULL, 10);
    }
    if (argc - optind < 2) {
        fputs("usage: apply_stage [-c ROWS] [-n TIMES] IN OUT NAME[:key=value,...]...\n", stderr);
        return 1;
    }
    struct image image = {0};
    struct error error = {0};
    int code = read_image(argv[optind], &image);
    for (int i = optind + 2; code == 0 && i < argc; i++) {
        void *params = NULL;
        const struct stage *stage = parse(argv[i], &params, &error);
        code = stage ? apply(stage, params, &image, cut, i == argc - 1 ? times : 0, &error) : -1;
        if (stage)
            param_free(stage->params, params);
        free(params);
        if (code < 0)
            fprintf(stderr, "apply_stage: %s: %s\n", argv[i], error.reason);
    }
    if (code == 0)
        code = write_image(argv[optind + 1], &image);
    free(image.pixels);
    return code == 0 ? 0 : 1;
}
