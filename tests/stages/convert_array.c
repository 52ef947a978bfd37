/* SPDX-License-Identifier: MIT */
/* Decodes an array and encodes it again, in the formats that the names say, for comparisons with outside
 * tools:
 *
 *     convert_array [-n TIMES] IN OUT [KEY=VALUE]...
 *
 * The keys are those of `load:`: array, dtype, shape, byte_order, order, offset, header, delimiter, missing.
 * `-n` repeats the decoding and prints the fastest time in milliseconds. 0, or 1 with kind and text of the
 * error on standard error. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "jobs.h"
#include "stages/stage.h"

#define ROOM_BYTES 1024

struct block {
    uint8_t *bytes;
    size_t length_bytes;
};

static const struct codec_limits no_limits = {
    .max_elements = UINT64_MAX, .max_file_bytes = UINT64_MAX, .max_metadata_bytes = 0};

static uint8_t *take(size_t size_bytes)
{
    void *block = NULL;
    if (posix_memalign(&block, SCRATCH_ALIGN, size_bytes + 1) != 0)
        abort();
    return block;
}

static int failed(const struct error *error)
{
    fprintf(stderr, "%s: %s\n", error_name(error->code), error->reason);
    return 1;
}

static int read_file(const char *path, struct block *file)
{
    FILE *stream = fopen(path, "rb");
    if (!stream || fseek(stream, 0, SEEK_END) != 0) {
        perror(path);
        return 1;
    }
    file->length_bytes = (size_t)ftell(stream);
    file->bytes = take(file->length_bytes);
    rewind(stream);
    const bool whole = fread(file->bytes, 1, file->length_bytes, stream) == file->length_bytes;
    fclose(stream);
    return !whole;
}

static int write_file(const char *path, const uint8_t *bytes, size_t length_bytes)
{
    FILE *stream = fopen(path, "wb");
    if (!stream || fwrite(bytes, 1, length_bytes, stream) != length_bytes || fclose(stream) != 0) {
        perror(path);
        return 1;
    }
    return 0;
}

/* What a key of `load:` says. */
static bool set_load(struct codec_load *load, char *text)
{
    char *value = strchr(text, '=');
    if (!value)
        return false;
    *value++ = '\0';
    if (strcmp(text, "array") == 0)
        load->array = value;
    else if (strcmp(text, "shape") == 0)
        load->shape = value;
    else if (strcmp(text, "byte_order") == 0)
        load->byte_order = strcmp(value, "big") == 0;
    else if (strcmp(text, "order") == 0)
        load->order = strcmp(value, "fortran") == 0;
    else if (strcmp(text, "offset") == 0)
        load->offset_bytes = strtoull(value, NULL, 10);
    else if (strcmp(text, "header") == 0)
        load->header = strcmp(value, "yes") == 0 ? CODEC_HEADER_YES : CODEC_HEADER_NO;
    else if (strcmp(text, "delimiter") == 0)
        load->delimiter = value;
    else if (strcmp(text, "missing") == 0)
        load->missing = value;
    else if (strcmp(text, "dtype") == 0)
        for (load->dtype = 1;
             load->dtype < SAMPLE_COUNT && strcmp(shape_sample_name((uint8_t)(load->dtype - 1)), value) != 0;)
            load->dtype++;
    else
        return false;
    return true;
}

/* Unpacks the file in place; the first try tells how much there is. */
static int unpack(struct block *file, struct scratch *scratch, struct error *error)
{
    struct gzip_unpack job = {.bytes = file->bytes,
                              .length_bytes = file->length_bytes,
                              .max_bytes = UINT64_MAX,
                              .scratch = scratch};
    int code = gzip_unpack(&job, error);
    job.out_bytes = job.unpacked_bytes;
    job.out = take(job.out_bytes);
    if (code == ERROR_ROOM)
        code = gzip_unpack(&job, error);
    free(file->bytes);
    *file = (struct block){.bytes = job.out, .length_bytes = job.unpacked_bytes};
    return code;
}

static int decode(const struct codec *codec, struct codec_decode *job, unsigned times, struct error *error)
{
    double best_ms = 0;
    for (unsigned i = 0; i < times || i == 0; i++) {
        struct timespec from, to;
        job->scratch->used_bytes = 0;
        job->found_at = SIZE_MAX;
        clock_gettime(CLOCK_MONOTONIC, &from);
        TRY(codec->decode(job, error));
        clock_gettime(CLOCK_MONOTONIC, &to);
        const double ms = (double)(to.tv_sec - from.tv_sec) * 1e3 + (double)(to.tv_nsec - from.tv_nsec) / 1e6;
        best_ms = i == 0 || ms < best_ms ? ms : best_ms;
    }
    if (times > 0)
        printf("%.3f\n", best_ms);
    return 0;
}

static int encode(const char *path, const struct codec_decode *decoded, struct scratch *scratch,
                  struct error *error)
{
    const struct codec *codec = codec_for_name(path);
    const struct codec_save save = {.level = -1};
    struct codec_plan plan;
    TRY(codec_plan_for(codec, &save, &decoded->shape, 0, &plan, error));
    uint8_t *bytes = take(plan.out_bytes), *packed = take(gzip_bound(plan.out_bytes));
    struct codec_encode job = {.save = &save,
                               .shape = decoded->shape,
                               .pixels = decoded->pixels,
                               .room_before = ROOM_BYTES,
                               .bytes = bytes,
                               .bytes_size = plan.out_bytes,
                               .file = bytes,
                               .scratch = scratch};
    int code = codec->encode(&job, error);
    if (code == 0 && codec_gzip_name(path)) {
        code = gzip_pack(job.file, job.length_bytes, 6, packed, gzip_bound(plan.out_bytes), &job.length_bytes,
                         scratch, error);
        job.file = packed;
    }
    if (code == 0 && write_file(path, job.file, job.length_bytes) != 0)
        code = error_set(error, ERROR_IO, "not written");
    free(packed);
    free(bytes);
    return code;
}

static int convert(struct block *file, char **paths, const struct codec_limits *limits, unsigned times,
                   struct error *error)
{
    const struct codec *codec = codec_for_name(paths[0]);
    struct codec_info info;
    struct scratch scratch = {.base = take(gzip_scratch_bytes()), .size_bytes = gzip_scratch_bytes()};
    int code = codec && codec_for_name(paths[1]) ? 0 : error_set(error, ERROR_USAGE, "unknown extension");
    if (code == 0 && codec_gzip_name(paths[0]))
        code = unpack(file, &scratch, error);
    if (code == 0)
        code = codec->peek(file->bytes, file->length_bytes, file->length_bytes, limits, &info, error);
    if (code == 0) {
        const size_t samples_bytes = shape_bytes(&info.shape);
        uint8_t *samples = take(ROOM_BYTES + samples_bytes);
        struct scratch own = {.base = take(info.scratch_bytes), .size_bytes = info.scratch_bytes};
        struct codec_decode job = {.limits = limits,
                                   .bytes = file->bytes,
                                   .length_bytes = file->length_bytes,
                                   .pixels = samples + ROOM_BYTES,
                                   .pixels_bytes = samples_bytes,
                                   .scratch = &own};
        code = decode(codec, &job, times, error);
        if (code == 0 && job.found_at != SIZE_MAX)
            memcpy(job.pixels, file->bytes + job.found_at, samples_bytes);
        if (code == 0)
            code = encode(paths[1], &job, &scratch, error);
        free(own.base);
        free(samples);
    }
    free(scratch.base);
    return code;
}

static int job(int argc, char **argv)
{
    struct codec_load load = {.array = NULL};
    struct codec_limits limits = no_limits;
    struct block file;
    struct error error = {0};
    unsigned times = 0;
    for (int option; (option = getopt(argc, argv, "n:")) != -1;) {
        if (option != 'n')
            return 1;
        times = (unsigned)strtoul(optarg, NULL, 10);
    }
    for (int i = optind + 2; i < argc; i++) {
        if (!set_load(&load, argv[i]))
            return fprintf(stderr, "no key of load: %s\n", argv[i]), 1;
    }
    limits.load = &load;
    if (argc < optind + 2 || read_file(argv[optind], &file) != 0)
        return 1;
    const int code = convert(&file, argv + optind, &limits, times, &error);
    free(file.bytes);
    return code < 0 ? failed(&error) : 0;
}

int main(int argc, char **argv)
{
    return jobs_main(argc, argv, job);
}
