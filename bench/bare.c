/* SPDX-License-Identifier: MIT */
/* The codecs and kernels of a job and nothing around them: no queue, no other process.
 *
 *   forkmill-bench-bare STAGE|- [DIRECTORY] <LIST
 *
 * STAGE is as after -s, "-" for none; LIST has paths, a line each.
 * Each file is read, decoded, worked on and encoded in its own format; outputs go to the directory, if there
 * is one, and are removed again. Prints "ITEMS CPU_S BYTES FILES_CPU_S": the CPU time of decoding, stage and
 * encoding alone, how long the outputs are, and the CPU time of reading and writing: for each input open,
 * fstat, read and close, for each output open, write, linkat and close, since one that appears as a whole
 * needs no less. Memory stays warm from file to file. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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
    struct stat stat;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &stat) < 0 || stat.st_size <= 0)
        bench_give_up(path, "cannot be read");
    const size_t length = (size_t)stat.st_size;
    uint8_t *bytes = grow(&rooms.file, length);
    for (size_t done = 0; done < length;) {
        const ssize_t part = read(fd, bytes + done, length - done);
        if (part <= 0)
            bench_give_up(path, "cannot be read");
        done += (size_t)part;
    }
    close(fd);
    return length;
}

/* Each process has a directory of its own, or none. */
#define NAME_BYTES 32
static void output_name(unsigned long item, char name[NAME_BYTES])
{
    snprintf(name, NAME_BYTES, "%lu", item);
}

static void write_file(int directory, unsigned long item, const uint8_t *bytes, size_t length)
{
    char name[NAME_BYTES];
    output_name(item, name);
    const int fd = openat(directory, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
    if (fd < 0)
        bench_give_up("the directory", "takes no files without a name");
    for (size_t done = 0; done < length;) {
        const ssize_t part = write(fd, bytes + done, length - done);
        if (part <= 0)
            bench_give_up(name, "cannot be written");
        done += (size_t)part;
    }
    if (linkat(fd, "", directory, name, AT_EMPTY_PATH) < 0) {
        char path[sizeof "/proc/self/fd/" + 3 * sizeof fd];
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        if (linkat(AT_FDCWD, path, directory, name, AT_SYMLINK_FOLLOW) < 0)
            bench_give_up(name, "cannot be named");
    }
    close(fd);
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

/* What a round over all files comes to. */
struct round {
    unsigned long items;
    size_t made_bytes;
    double cpu_s, files_cpu_s;
};

/* What asking for the time takes: much, of an icon's time. */
static double clock_cost_s(void)
{
    const unsigned times = 10000;
    const double start_s = bench_cpu_s();
    for (unsigned i = 1; i < times; i++)
        bench_cpu_s();
    return (bench_cpu_s() - start_s) / times;
}

static void process(const struct stage_text *of, const char *path, int directory, struct round *round)
{
    const double start_s = bench_cpu_s();
    const size_t length = read_file(path);
    const double read_s = bench_cpu_s();
    const struct codec *codec = codec_for_name(path);
    struct meta meta;
    if (!codec || codec->read_only)
        bench_give_up(path, "of no format that can be written");
    struct shape shape = decode(codec, length, &meta);
    uint8_t *pixels = work(of, &shape);
    const size_t made_bytes = encode(codec, &shape, pixels, &meta);
    const double made_s = bench_cpu_s();
    if (directory >= 0)
        write_file(directory, round->items, rooms.encoded.bytes, made_bytes);
    const double end_s = bench_cpu_s();
    round->items++;
    round->made_bytes += made_bytes;
    round->cpu_s += made_s - read_s;
    round->files_cpu_s += read_s - start_s + end_s - made_s;
}

static void remove_files(int directory, unsigned long items)
{
    char name[NAME_BYTES];
    for (unsigned long i = 0; i < items && directory >= 0; i++) {
        output_name(i, name);
        unlinkat(directory, name, 0);
    }
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
    if (argc != 2 && argc != 3) {
        fprintf(stderr, "usage: forkmill-bench-bare STAGE|- [DIRECTORY] <LIST\n");
        return 2;
    }
    struct stage_text of = {0};
    if (strcmp(argv[1], "-") != 0)
        of = stage_text_parse(argv[1]);
    const int directory = argc == 3 ? open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (argc == 3 && directory < 0)
        bench_give_up(argv[2], "is no directory that can be opened");
    char *list = read_list();
    const double clock_s = clock_cost_s();
    struct round round;
    /* The first round only warms the memory up. */
    for (int i = 0; i < 2; i++) {
        char *text = strdup(list), *rest = text;
        round = (struct round){0};
        for (char *path = strtok_r(rest, "\n", &rest); path; path = strtok_r(rest, "\n", &rest))
            process(&of, path, directory, &round);
        remove_files(directory, round.items);
        free(text);
    }
    if (of.stage)
        stage_text_free(&of);
    free(list);
    if (directory >= 0)
        close(directory);
    printf("%lu %.6f %zu %.6f\n", round.items, round.cpu_s - (double)round.items * clock_s, round.made_bytes,
           round.files_cpu_s - 2 * (double)round.items * clock_s);
    return 0;
}
