/* SPDX-License-Identifier: MIT */
/* The codecs and kernels of a job and nothing around them: no queue, no other process, no file written.
 *
 *   forkmill-bench-bare STAGE|- <LIST         STAGE as after -s, "-" for none; LIST: paths, a line each
 *
 * Each file is read, decoded, worked on and encoded in its own format. Prints "ITEMS CPU_S BYTES": the CPU
 * time of decoding, stage and encoding alone, and how long the outputs are. Memory stays warm from file to
 * file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stage_text.h"

static const struct codec_limits limits = {
    .max_pixels = 1u << 30, .max_width = 1u << 20, .max_height = 1u << 20, .max_metadata_bytes = 1u << 26};
static const struct codec_save save = {.compression = COMPRESSION_FAST, .level = -1};

/* Memory that is kept for the next file. */
struct room {
    uint8_t *bytes;
    size_t size_bytes;
};

static uint8_t *grow(struct room *room, size_t wanted_bytes)
{
    if (wanted_bytes > room->size_bytes) {
        free(room->bytes);
        room->bytes = bench_take(wanted_bytes);
        room->size_bytes = wanted_bytes;
    }
    return room->bytes;
}

static struct {
    struct room file, scratch, meta, pixels, made, encoded;
} rooms;

static struct scratch scratch_of(size_t size_bytes)
{
    return (struct scratch){.base = grow(&rooms.scratch, size_bytes), .size_bytes = size_bytes};
}

static size_t read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0)
        bench_give_up(path, "cannot be read");
    const size_t length = (size_t)ftell(file);
    rewind(file);
    if (fread(grow(&rooms.file, length), 1, length, file) != length)
        bench_give_up(path, "cannot be read");
    fclose(file);
    return length;
}

static struct shape decode(const struct codec *codec, size_t length, struct meta *meta)
{
    struct codec_info info;
    struct error error = {0};
    const size_t head = length < CODEC_HEAD_BYTES ? length : CODEC_HEAD_BYTES;
    int code = codec->peek(rooms.file.bytes, head, length, &limits, &info, &error);
    if (code == ERROR_ROOM)
        code = codec->peek(rooms.file.bytes, length, length, &limits, &info, &error);
    if (code < 0)
        bench_give_up("peek", error.reason);
    struct scratch scratch = scratch_of(info.scratch_bytes);
    *meta = (struct meta){.block = grow(&rooms.meta, info.meta_bytes), .size_bytes = info.meta_bytes};
    struct codec_decode job = {.limits = &limits,
                               .bytes = rooms.file.bytes,
                               .length_bytes = length,
                               .pixels = grow(&rooms.pixels, shape_bytes(&info.shape)),
                               .pixels_bytes = shape_bytes(&info.shape),
                               .found_at = SIZE_MAX,
                               .meta = meta,
                               .scratch = &scratch};
    if (codec->decode(&job, &error) < 0)
        bench_give_up("decode", error.reason);
    if (job.found_at != SIZE_MAX)
        memcpy(job.pixels, job.bytes + job.found_at, shape_bytes(&job.shape));
    return job.shape;
}

/* The stage's output; without a stage what was decoded. */
static uint8_t *work(const struct stage_text *of, struct shape *shape)
{
    struct stage_plan plan;
    struct error error = {0};
    if (!of->stage)
        return rooms.pixels.bytes;
    if (stage_plan(of->stage, of->values, shape, &plan, &error) < 0)
        bench_give_up(of->stage->name, error.reason);
    struct scratch scratch = scratch_of(scratch_add(plan.begin_scratch_bytes, plan.rows_scratch_bytes));
    struct stage_run run = {.params = of->values,
                            .in = *shape,
                            .out = plan.out,
                            .src = rooms.pixels.bytes,
                            .dst = grow(&rooms.made, shape_bytes(&plan.out)),
                            .attempt = 1};
    if (stage_run_whole(of->stage, &run, &scratch, &error) < 0)
        bench_give_up(of->stage->name, error.reason);
    *shape = run.out;
    return run.dst;
}

static size_t encode(const struct codec *codec, const struct shape *shape, const uint8_t *pixels,
                     const struct meta *meta)
{
    struct codec_plan plan;
    struct error error = {0};
    if (codec_plan_for(codec, &save, shape, meta->used_bytes, &plan, &error) < 0)
        bench_give_up("plan", error.reason);
    struct scratch scratch = scratch_of(plan.scratch_bytes);
    struct codec_encode job = {.save = &save,
                               .shape = *shape,
                               .pixels = pixels,
                               .meta = meta,
                               .bytes = grow(&rooms.encoded, plan.out_bytes),
                               .bytes_size = plan.out_bytes,
                               .file = rooms.encoded.bytes,
                               .scratch = &scratch};
    if (codec->encode(&job, &error) < 0)
        bench_give_up("encode", error.reason);
    return job.length_bytes;
}

/* The CPU time of it. */
static double process(const struct stage_text *of, const char *path, size_t *made_bytes)
{
    const size_t length = read_file(path);
    const struct codec *codec = codec_for_name(path);
    struct meta meta;
    if (!codec || codec->read_only)
        bench_give_up(path, "of no format that can be written");
    const double before_s = bench_cpu_s();
    struct shape shape = decode(codec, length, &meta);
    uint8_t *pixels = work(of, &shape);
    *made_bytes += encode(codec, &shape, pixels, &meta);
    return bench_cpu_s() - before_s;
}

/* All of stdin. */
static char *read_list(void)
{
    char *list = NULL;
    size_t size = 0;
    if (getdelim(&list, &size, '\0', stdin) < 0)
        bench_give_up("the list", "is empty");
    return list;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: forkmill-bench-bare STAGE|- <LIST\n");
        return 2;
    }
    struct stage_text of = {0};
    if (strcmp(argv[1], "-") != 0)
        of = stage_text_parse(argv[1]);
    char *list = read_list();
    unsigned long items = 0;
    size_t made_bytes = 0;
    double cpu_s = 0;
    /* The first round only warms the memory up. */
    for (int round = 0; round < 2; round++) {
        char *text = strdup(list), *rest = text;
        items = 0;
        made_bytes = 0;
        cpu_s = 0;
        for (char *path = strtok_r(rest, "\n", &rest); path; path = strtok_r(rest, "\n", &rest), items++)
            cpu_s += process(&of, path, &made_bytes);
        free(text);
    }
    if (of.stage)
        stage_text_free(&of);
    free(list);
    printf("%lu %.6f %zu\n", items, cpu_s, made_bytes);
    return 0;
}
