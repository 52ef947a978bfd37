/* SPDX-License-Identifier: MIT */
/* Decodes one file and encodes another, for comparisons with outside tools and for timings:
 *
 *   run_codec [-n TIMES] IN OUT [key=value]...
 *
 * The codecs are chosen by content and by name; a name in .raw is "RAW width height channels sample" and a
 * line feed, then the samples. Keys: shrink, quality, compression (a word), lossless, strip, orientation.
 * Prints the orientation and the warnings of decoding; with -n, the best times of decoding and encoding in
 * ms. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "jobs.h"
#include "stages/codec.h"

struct work {
    unsigned shrink, times;
    int orientation; /* -1: as decoded */
    struct codec_save save;
    struct shape shape;
    uint8_t *pixels;
    struct meta meta;
    struct error error;
};

static const struct codec_limits limits = {
    .max_pixels = 1u << 30, .max_width = 1u << 20, .max_height = 1u << 20, .max_metadata_bytes = 64u << 20};

static double now_ms(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

static void *take(size_t size_bytes)
{
    void *block = aligned_alloc(SCRATCH_ALIGN, scratch_need(1, size_bytes + 1));
    if (!block)
        abort();
    return block;
}

static uint8_t *load(const char *path, size_t *length_bytes)
{
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0)
        return NULL;
    *length_bytes = (size_t)ftell(file);
    rewind(file);
    uint8_t *bytes = take(*length_bytes);
    size_t got = fread(bytes, 1, *length_bytes, file);
    fclose(file);
    return got == *length_bytes ? bytes : NULL;
}

static int store(const char *path, const char *header, const void *bytes, size_t length_bytes)
{
    FILE *file = fopen(path, "wb");
    if (!file)
        return -1;
    size_t put = fwrite(header, 1, strlen(header), file) + fwrite(bytes, 1, length_bytes, file);
    return fclose(file) == 0 && put == strlen(header) + length_bytes ? 0 : -1;
}

static bool is_raw(const char *path)
{
    size_t length = strlen(path);
    return length > 4 && strcmp(path + length - 4, ".raw") == 0;
}

static int read_raw(struct work *work, const uint8_t *bytes, size_t length_bytes)
{
    char sample[8] = "";
    unsigned width, height, channels;
    int end = 0;
    if (sscanf((const char *)bytes, "RAW %u %u %u %7s%n", &width, &height, &channels, sample, &end) != 4)
        return error_set(&work->error, ERROR_CORRUPT, "not a RAW file");
    work->shape = (struct shape){.width = width, .height = height, .channels = (uint8_t)channels};
    for (uint8_t i = 0; i < SAMPLE_IMAGE_COUNT; i++) {
        if (strcmp(shape_sample_name(i), sample) == 0)
            work->shape.sample = i;
    }
    work->shape.bits = shape_sample_bits(work->shape.sample);
    if (!shape_valid(&work->shape) || length_bytes - (size_t)end - 1 != shape_bytes(&work->shape))
        return error_set(&work->error, ERROR_CORRUPT, "not a RAW file");
    work->pixels = take(shape_bytes(&work->shape));
    memcpy(work->pixels, bytes + end + 1, shape_bytes(&work->shape));
    return 0;
}

static int decode(struct work *work, const uint8_t *bytes, size_t length_bytes)
{
    const size_t head_bytes = length_bytes < CODEC_HEAD_BYTES ? length_bytes : CODEC_HEAD_BYTES;
    const struct codec *codec = codec_sniff(bytes, head_bytes);
    struct codec_info info = {0};
    if (!codec)
        return error_set(&work->error, ERROR_CORRUPT, "of no known format");
    int code = codec->peek(bytes, head_bytes, length_bytes, &limits, &info, &work->error);
    if (code == ERROR_ROOM)
        code = codec->peek(bytes, length_bytes, length_bytes, &limits, &info, &work->error);
    TRY(code);
    const struct shape most = codec_shrunk(&info.shape, work->shrink);
    struct scratch scratch = {.base = take(info.scratch_bytes), .size_bytes = info.scratch_bytes};
    work->pixels = take(shape_bytes(&most));
    work->meta = (struct meta){.block = take(info.meta_bytes), .size_bytes = info.meta_bytes};
    double best_ms = 1e300;
    for (unsigned i = 0; i <= work->times && code == 0; i++) {
        scratch.used_bytes = work->meta.used_bytes = 0;
        struct codec_decode job = {.limits = &limits,
                                   .bytes = bytes,
                                   .length_bytes = length_bytes,
                                   .pixels = work->pixels,
                                   .pixels_bytes = shape_bytes(&most),
                                   .shrink = work->shrink,
                                   .found_at = SIZE_MAX,
                                   .meta = &work->meta,
                                   .scratch = &scratch};
        const double start_ms = now_ms();
        code = codec->decode(&job, &work->error);
        const double taken_ms = now_ms() - start_ms;
        best_ms = taken_ms < best_ms ? taken_ms : best_ms;
        work->shape = job.shape;
        if (i == 0 && code == 0) {
            if (job.found_at != SIZE_MAX)
                memcpy(work->pixels, bytes + job.found_at, shape_bytes(&job.shape));
            printf("orientation %u warnings %u %s\n", job.shape.orientation, job.warnings, job.warning);
        }
    }
    if (work->times && code == 0)
        printf("decode %.3f\n", best_ms);
    free(scratch.base);
    return code;
}

static int encode(struct work *work, const char *path)
{
    char header[64];
    if (is_raw(path)) {
        snprintf(header, sizeof header, "RAW %u %u %u %s\n", work->shape.width, work->shape.height,
                 work->shape.channels, shape_sample_name(work->shape.sample));
        return store(path, header, work->pixels, shape_bytes(&work->shape));
    }
    const struct codec *codec = codec_for_name(path);
    struct codec_plan plan;
    if (!codec)
        return error_set(&work->error, ERROR_USAGE, "no codec for %s", path);
    TRY(codec_plan_for(codec, &work->save, &work->shape, work->meta.used_bytes, &plan, &work->error));
    struct scratch scratch = {.base = take(plan.scratch_bytes), .size_bytes = plan.scratch_bytes};
    struct codec_encode job = {.save = &work->save,
                               .shape = work->shape,
                               .pixels = work->pixels,
                               .meta = &work->meta,
                               .bytes = take(plan.out_bytes),
                               .bytes_size = plan.out_bytes,
                               .scratch = &scratch};
    job.file = job.bytes;
    double best_ms = 1e300;
    int code = 0;
    for (unsigned i = 0; i <= work->times && code == 0; i++) {
        scratch.used_bytes = 0;
        const double start_ms = now_ms();
        code = codec->encode(&job, &work->error);
        const double taken_ms = now_ms() - start_ms;
        best_ms = taken_ms < best_ms ? taken_ms : best_ms;
    }
    if (work->times && code == 0)
        printf("encode %.3f\n", best_ms);
    if (code == 0)
        code = store(path, "", job.file, job.length_bytes);
    free(scratch.base);
    free(job.bytes);
    return code;
}

static int option(struct work *work, const char *text)
{
    static const char *const words[] = {"fastest", "fast", "balanced", "small", "smallest"};
    const char *value = strchr(text, '=');
    if (!value++)
        return -1;
    const int number = atoi(value);
    if (strncmp(text, "shrink=", 7) == 0)
        work->shrink = (unsigned)number;
    else if (strncmp(text, "quality=", 8) == 0)
        work->save.quality = number;
    else if (strncmp(text, "lossless=", 9) == 0)
        work->save.lossless = number;
    else if (strncmp(text, "strip=", 6) == 0)
        work->save.strip = number;
    else if (strncmp(text, "orientation=", 12) == 0)
        work->orientation = number;
    else if (strncmp(text, "compression=", 12) != 0)
        return -1;
    for (int i = 0; i < 5 && text[0] == 'c'; i++)
        work->save.compression = strcmp(value, words[i]) == 0 ? i : work->save.compression;
    return 0;
}

static int job(int argc, char **argv)
{
    struct work work = {.orientation = -1,
                        .save = {.compression = COMPRESSION_FAST, .level = -1, .quality = 85}};
    for (int letter; (letter = getopt(argc, argv, "n:")) != -1;) {
        if (letter == '?')
            return 2;
        work.times = (unsigned)strtoul(optarg, NULL, 10);
    }
    int code = argc - optind >= 2 ? 0 : -1;
    for (int i = optind + 2; i < argc && code == 0; i++)
        code = option(&work, argv[i]);
    if (code < 0) {
        fputs("usage: run_codec [-n TIMES] IN OUT [key=value]...\n", stderr);
        return 2;
    }
    size_t length;
    uint8_t *bytes = load(argv[optind], &length);
    if (!bytes)
        code = error_set(&work.error, ERROR_IO, "cannot be read");
    else
        code = is_raw(argv[optind]) ? read_raw(&work, bytes, length) : decode(&work, bytes, length);
    if (work.orientation >= 0)
        work.shape.orientation = (uint8_t)work.orientation;
    if (code == 0)
        code = encode(&work, argv[optind + 1]);
    if (code < 0)
        fprintf(stderr, "run_codec: %s: %s: %s\n", argv[optind], error_name(code), work.error.reason);
    free(work.meta.block);
    free(work.pixels);
    free(bytes);
    return code == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    return jobs_main(argc, argv, job);
}
