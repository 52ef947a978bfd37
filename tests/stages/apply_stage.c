/* SPDX-License-Identifier: MIT */
/* Applies stages to one raw image or array, for comparisons with outside tools:
 *
 *     apply_stage [-c ROWS] [-n TIMES] [-o ORIENTATION] [-f WIDTHxHEIGHT] IN OUT NAME[:key=value,...]...
 *
 * A raw image is one line, "RAW WIDTH HEIGHT CHANNELS u8|u16|f32", and then the samples, packed, in the
 * machine's byte order. A raw array is "ARRAY SAMPLE DIM DIM ..." and the same; without a DIM it is a single
 * value. `-c` cuts the output rows into ranges of that many, last range first; `-n` repeats the last stage
 * and prints the fastest time in milliseconds. `-o` says how an image lies, as EXIF counts; `-f` what it
 * measured before it was decoded to a part of its size. What a stage asks for as a directory of counterparts
 * is such a file here. What it tells the record is printed, "NAME VALUE" a line. 0, or 1 with a message on
 * standard error. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "counterpart.h"
#include "jobs.h"
#include "stages/stage.h"

struct item {
    struct shape shape;
    uint8_t *samples;
};

static uint8_t sample_named(const char *name)
{
    uint8_t sample = 0;
    while (sample < SAMPLE_COUNT && strcmp(shape_sample_name(sample), name) != 0)
        sample++;
    return sample;
}

/* The shape that the first line of a file tells. 0, or -1. */
static int parse_shape(char *line, struct shape *shape)
{
    char sample[8];
    unsigned width, height, channels;
    if (sscanf(line, "RAW %u %u %u %7s", &width, &height, &channels, sample) == 4) {
        *shape = (struct shape){
            .width = width, .height = height, .channels = (uint8_t)channels, .sample = sample_named(sample)};
        shape->bits = shape_sample_bits(shape->sample);
        return 0;
    }
    char *word = strtok(line, " \n");
    if (!word || strcmp(word, "ARRAY") != 0 || !(word = strtok(NULL, " \n")))
        return -1;
    const uint8_t type = sample_named(word);
    uint64_t dims[SHAPE_MAX_RANK];
    unsigned rank = 0;
    while ((word = strtok(NULL, " \n")) && rank < SHAPE_MAX_RANK)
        dims[rank++] = strtoull(word, NULL, 10);
    *shape = shape_array((enum sample)type, rank, dims);
    return 0;
}

static int read_item(const char *path, struct item *item)
{
    FILE *file = fopen(path, "rb");
    char line[256];
    if (!file || !fgets(line, sizeof line, file) || parse_shape(line, &item->shape) < 0)
        goto bad;
    if (!shape_valid(&item->shape) || shape_bytes(&item->shape) > PTRDIFF_MAX)
        goto bad;
    const size_t bytes = shape_bytes(&item->shape);
    item->samples = malloc(bytes + 1);
    if (!item->samples || fread(item->samples, 1, bytes, file) != bytes)
        goto bad;
    fclose(file);
    return 0;
bad:
    fprintf(stderr, "apply_stage: %s is no raw image or array\n", path);
    if (file)
        fclose(file);
    return -1;
}

static int write_item(const char *path, const struct item *item)
{
    FILE *file = fopen(path, "wb");
    const struct shape *shape = &item->shape;
    if (!file) {
        perror(path);
        return -1;
    }
    if (shape->kind == SHAPE_IMAGE) {
        fprintf(file, "RAW %u %u %u %s\n", shape->width, shape->height, (unsigned)shape->channels,
                shape_sample_name(shape->sample));
    } else {
        fprintf(file, "ARRAY %s", shape_sample_name(shape->sample));
        for (unsigned i = 0; i < shape->rank; i++)
            fprintf(file, " %llu", (unsigned long long)shape->dims[i]);
        putc('\n', file);
    }
    fwrite(item->samples, 1, shape_bytes(shape), file);
    const int failed = ferror(file);
    return fclose(file) == 0 && !failed ? 0 : -1;
}

static void print_record(const struct record *record)
{
    struct record_field field;
    for (size_t position = 0; record_next(record, &position, &field) == 1;) {
        if (field.type == RECORD_INT)
            printf("%s %lld\n", field.name, (long long)field.integer);
        else if (field.type == RECORD_REAL)
            printf("%s %.17g\n", field.name, field.real);
        else
            printf("%s %s\n", field.name, field.text);
    }
}

/* What a parameter of a stage names, up to 64 MiB. */
static int read_file(struct param_file *named, struct error *error)
{
    const size_t most = (size_t)64 << 20;
    FILE *file = fopen(named->path, "rb");
    named->bytes = malloc(most);
    if (file && named->bytes)
        named->length_bytes = fread(named->bytes, 1, most, file);
    const int failed = !file || !named->bytes || ferror(file) || named->length_bytes == most;
    if (file)
        fclose(file);
    return failed ? error_set(error, ERROR_USAGE, "%.120s cannot be read", named->path) : 0;
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
        if (param_parse(param, value, *params, error) < 0 ||
            (param->type == PARAM_FILE && read_file((void *)((char *)*params + param->offset), error) < 0))
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
    for (uint32_t last = shape_rows(&run->out); last > 0;) {
        const uint32_t first = last > cut ? last - cut : 0;
        scratch->used_bytes = kept;
        TRY(stage->rows(run, first, last, scratch, error));
        last = first;
    }
    return 0;
}

/* Where the stage asks for a counterpart, that; its bytes are the caller's to free. */
static int take_counterpart(const struct stage *stage, const void *params, struct stage_reference *reference)
{
    const char *path = stage->reference ? stage->reference(params) : NULL;
    struct item item = {0};
    *reference = (struct stage_reference){0};
    if (!path)
        return 0;
    if (read_item(path, &item) < 0)
        return -1;
    *reference = counterpart_of(&item.shape, item.samples);
    free(item.samples);
    return 0;
}

/* Replaces *item by what the stage makes of it. */
static int apply(const struct stage *stage, const void *params, struct item *item, uint32_t cut,
                 unsigned times, struct error *error)
{
    struct stage_plan plan;
    struct stage_reference reference;
    TRY(take_counterpart(stage, params, &reference));
    TRY(stage_plan_with(stage, params, &item->shape, reference.bytes ? &reference : NULL, &plan, error));
    const size_t scratch_bytes = scratch_add(plan.begin_scratch_bytes, plan.rows_scratch_bytes);
    struct scratch scratch = {.size_bytes = scratch_bytes};
    scratch.base = aligned_alloc(SCRATCH_ALIGN, scratch_need(1, scratch_bytes + 1));
    uint8_t *dst = malloc(shape_bytes(&plan.out) + 1);
    struct record record = {
        .block = malloc(plan.record_bytes + 1), .size_bytes = plan.record_bytes, .prefix = ""};
    struct stage_run run = {.params = params,
                            .in = item->shape,
                            .out = plan.out,
                            .src = item->samples,
                            .dst = dst,
                            .item = 1,
                            .attempt = 1,
                            .record = &record,
                            .reference = plan.reference};
    double best_ms = 1e300;
    int code = scratch.base && dst && record.block ? 0 : error_set(error, ERROR_MEMORY, "out of memory");
    for (unsigned i = 0; code == 0 && i < (times ? times : 1); i++) {
        record.used_bytes = 0;
        run.out = plan.out;
        const double start_ms = now_ms();
        code = run_once(stage, &run, &scratch, plan.whole ? 0 : cut, error);
        const double taken_ms = now_ms() - start_ms;
        best_ms = taken_ms < best_ms ? taken_ms : best_ms;
    }
    if (code == 0 && times)
        printf("%.3f\n", best_ms);
    if (code == 0)
        print_record(&record);
    free((uint8_t *)reference.bytes);
    free(record.block);
    free(scratch.base);
    free(item->samples);
    item->samples = dst;
    item->shape = run.out;
    return code;
}

static int job(int argc, char **argv)
{
    unsigned cut = 0, times = 0, orientation = 0, full[2] = {0, 0};
    for (int option; (option = getopt(argc, argv, "c:n:o:f:")) != -1;) {
        if (option == '?' || (option == 'f' && sscanf(optarg, "%ux%u", &full[0], &full[1]) != 2))
            return 1;
        if (option != 'f')
            *(option == 'c'   ? &cut
              : option == 'n' ? &times
                              : &orientation) = (unsigned)strtoul(optarg, NULL, 10);
    }
    if (argc - optind < 2) {
        fputs("usage: apply_stage [-c ROWS] [-n TIMES] [-o ORIENTATION] [-f WIDTHxHEIGHT] IN OUT "
              "NAME[:key=value,...]...\n",
              stderr);
        return 1;
    }
    struct item item = {0};
    struct error error = {0};
    int code = read_item(argv[optind], &item);
    item.shape.orientation = (uint8_t)orientation;
    item.shape.full_width = full[0];
    item.shape.full_height = full[1];
    for (int i = optind + 2; code == 0 && i < argc; i++) {
        void *params = NULL;
        const struct stage *stage = parse(argv[i], &params, &error);
        code = stage ? apply(stage, params, &item, cut, i == argc - 1 ? times : 0, &error) : -1;
        if (stage)
            param_free(stage->params, params);
        free(params);
        if (code < 0)
            fprintf(stderr, "apply_stage: %s: %s\n", argv[i], error.reason);
    }
    if (code == 0)
        code = write_item(argv[optind + 1], &item);
    free(item.samples);
    return code == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    return jobs_main(argc, argv, job);
}
