/* SPDX-License-Identifier: MIT */
/* How fast PNG files are decoded and encoded, and how large they become, beside libpng used plainly.
 *
 *   forkmill-bench-codec [--libraries | --rounds N | --most-mp N]... FILE...
 *
 * Of each file it takes rows from the middle, up to N million pixels. Every round measures every way once,
 * forwards and backwards in turn; a file's figure is the median of its rounds. Prints a Markdown table. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>

#include "stages/codec/png_private.h"

#define MOST_ROUNDS 99
#define MOST_FILES  256

extern const struct codec png_codec;

struct picture {
    struct shape shape;
    uint8_t *pixels;
    uint8_t *file; /* as libpng writes it by default */
    size_t file_bytes;
};

static const struct codec_limits limits = {
    .max_pixels = 1u << 30, .max_width = 1u << 20, .max_height = 1u << 20, .max_metadata_bytes = 1u << 26};

/* Memory for all runs, which is warm after the first round. */
static uint8_t *out, *scratch_block;
static size_t out_bytes, scratch_bytes;

static void *take(size_t size_bytes)
{
    void *block = NULL;
    if (posix_memalign(&block, SCRATCH_ALIGN, size_bytes)) {
        fprintf(stderr, "out of memory\n");
        exit(1);
    }
    memset(block, 1, size_bytes);
    return block;
}

static void grow(uint8_t **block, size_t *have_bytes, size_t want_bytes)
{
    if (want_bytes <= *have_bytes)
        return;
    free(*block);
    *block = take(want_bytes);
    *have_bytes = want_bytes;
}

static void give_up(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

/* libpng as anyone would use it. */
struct plain {
    int level, strategy, filters; /* -1: libpng's own choice */
};

static void write_out(png_structp png, png_bytep data, size_t length_bytes)
{
    size_t *position = png_get_io_ptr(png);
    if (length_bytes > out_bytes - *position)
        png_error(png, "no room");
    memcpy(out + *position, data, length_bytes);
    *position += length_bytes;
}

static void flush_nothing(png_structp png)
{
    (void)png;
}

static size_t encode_plainly(const struct picture *picture, const struct plain *plain)
{
    static const int colours[] = {0, PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA, PNG_COLOR_TYPE_RGB,
                                  PNG_COLOR_TYPE_RGB_ALPHA};
    const struct shape *shape = &picture->shape;
    size_t position = 0;
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    if (setjmp(png_jmpbuf(png)))
        give_up("libpng", "cannot write");
    png_set_write_fn(png, &position, write_out, flush_nothing);
    if (plain->level >= 0)
        png_set_compression_level(png, plain->level);
    if (plain->strategy >= 0)
        png_set_compression_strategy(png, plain->strategy);
    if (plain->filters >= 0)
        png_set_filter(png, PNG_FILTER_TYPE_BASE, plain->filters);
    png_set_IHDR(png, info, shape->width, shape->height, shape->sample == SAMPLE_U16 ? 16 : 8,
                 colours[shape->channels], PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, info);
    if (shape->sample == SAMPLE_U16)
        png_set_swap(png);
    for (size_t y = 0; y < shape->height; y++)
        png_write_row(png, picture->pixels + y * shape_row_bytes(shape));
    png_write_end(png, NULL);
    png_destroy_write_struct(&png, &info);
    return position;
}

static size_t encode(const struct picture *picture, const struct codec_save *save)
{
    struct codec_plan plan;
    struct error error;
    if (png_plan(save, &picture->shape, 0, &plan, &error) < 0)
        give_up("plan", error.reason);
    grow(&out, &out_bytes, plan.out_bytes);
    grow(&scratch_block, &scratch_bytes, plan.scratch_bytes);
    struct scratch scratch = {.base = scratch_block, .size_bytes = plan.scratch_bytes};
    struct codec_encode job = {.save = save,
                               .shape = picture->shape,
                               .pixels = picture->pixels,
                               .bytes = out,
                               .bytes_size = plan.out_bytes,
                               .scratch = &scratch};
    if (png_encode(&job, &error) < 0)
        give_up("encode", error.reason);
    return job.length_bytes;
}

static void decode(const uint8_t *file, size_t file_bytes, int (*way)(struct codec_decode *, struct error *),
                   uint8_t **pixels, size_t *pixels_bytes, struct shape *shape)
{
    struct codec_info info;
    struct error error;
    size_t head_bytes = file_bytes < CODEC_HEAD_BYTES ? file_bytes : CODEC_HEAD_BYTES;
    if (png_peek(file, head_bytes, file_bytes, &limits, &info, &error) < 0)
        give_up("peek", error.reason);
    grow(pixels, pixels_bytes, shape_bytes(&info.shape));
    grow(&scratch_block, &scratch_bytes, info.scratch_bytes);
    struct scratch scratch = {.base = scratch_block, .size_bytes = info.scratch_bytes};
    struct codec_decode job = {.limits = &limits,
                               .bytes = file,
                               .length_bytes = file_bytes,
                               .pixels = *pixels,
                               .pixels_bytes = *pixels_bytes,
                               .scratch = &scratch};
    if (way(&job, &error) < 0)
        give_up("decode", error.reason);
    *shape = job.shape;
}

/* One way to be measured. */
struct way {
    const char *name;
    bool decodes, plainly;
    int (*decode)(struct codec_decode *, struct error *);
    struct plain plain;
    struct codec_save save;
};

#define SAVE(word)                                                                                           \
    {                                                                                                        \
        .compression = word, .level = -1                                                                     \
    }
static const struct way ways[] = {
    {.name = "decode, libpng", .decodes = true, .decode = png_decode_by_libpng},
    {.name = "decode, fast path", .decodes = true, .decode = png_decode},
    {.name = "encode, libpng's default", .plainly = true, .plain = {-1, -1, -1}},
    {.name = "encode, libpng at level 9", .plainly = true, .plain = {9, -1, -1}},
    {.name = "encode, libpng as OpenCV sets it", .plainly = true, .plain = {1, Z_RLE, PNG_FILTER_SUB}},
    {.name = "encode, libpng as vips sets it", .plainly = true, .plain = {6, -1, PNG_FILTER_NONE}},
    {.name = "encode, fastest", .save = SAVE(COMPRESSION_FASTEST)},
    {.name = "encode, fast", .save = SAVE(COMPRESSION_FAST)},
    {.name = "encode, balanced", .save = SAVE(COMPRESSION_BALANCED)},
    {.name = "encode, small", .save = SAVE(COMPRESSION_SMALL)},
    {.name = "encode, smallest", .save = SAVE(COMPRESSION_SMALLEST)},
};
#define WAYS (sizeof ways / sizeof *ways)
#define BASE 2u /* what sizes are measured against */

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static double measure(const struct picture *picture, const struct way *way, size_t *length_bytes)
{
    static uint8_t *pixels;
    static size_t pixels_bytes;
    struct shape shape;
    double start = now();
    if (way->decodes)
        decode(picture->file, picture->file_bytes, way->decode, &pixels, &pixels_bytes, &shape);
    else if (way->plainly)
        *length_bytes = encode_plainly(picture, &way->plain);
    else
        *length_bytes = encode(picture, &way->save);
    return now() - start;
}

static void load(const char *path, double most_px, struct picture *picture)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        give_up(path, "cannot be opened");
    fseek(file, 0, SEEK_END);
    size_t length_bytes = (size_t)ftell(file), pixels_bytes = 0;
    rewind(file);
    uint8_t *bytes = take(length_bytes + 1);
    if (fread(bytes, 1, length_bytes, file) != length_bytes)
        give_up(path, "cannot be read");
    fclose(file);
    *picture = (struct picture){0};
    decode(bytes, length_bytes, png_decode, &picture->pixels, &pixels_bytes, &picture->shape);
    free(bytes);
    size_t height = picture->shape.height, rows = (size_t)(most_px / picture->shape.width);
    if (rows < height) {
        size_t row_bytes = shape_row_bytes(&picture->shape);
        memmove(picture->pixels, picture->pixels + (height - rows) / 2 * row_bytes, rows * row_bytes);
        picture->shape.height = (uint32_t)rows;
    }
    picture->shape.bits = shape_sample_bits(picture->shape.sample);
    struct codec_plan plan;
    struct error error;
    png_plan(&ways[WAYS - 1].save, &picture->shape, 0, &plan, &error);
    grow(&out, &out_bytes, plan.out_bytes + (1u << 20));
    picture->file_bytes = encode_plainly(picture, &ways[BASE].plain);
    picture->file = take(picture->file_bytes);
    memcpy(picture->file, out, picture->file_bytes);
}

static int ascending(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static double median(double *values, unsigned count)
{
    qsort(values, count, sizeof *values, ascending);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

struct sums {
    double time_s, relative; /* of all files; lengths as parts of the base's */
};

static void measure_file(const struct picture *picture, unsigned rounds, struct sums *sums)
{
    double times_s[WAYS][MOST_ROUNDS];
    size_t lengths[WAYS] = {0};
    for (unsigned round = 0; round <= rounds; round++) { /* the first is not counted */
        for (unsigned i = 0; i < WAYS; i++) {
            unsigned way = round % 2 ? i : (unsigned)WAYS - 1 - i;
            double time_s = measure(picture, &ways[way], &lengths[way]);
            if (round)
                times_s[way][round - 1] = time_s;
        }
    }
    for (unsigned i = 0; i < WAYS; i++) {
        sums[i].time_s += median(times_s[i], rounds);
        sums[i].relative += (double)lengths[i] / (double)lengths[BASE];
    }
}

static void print(const struct sums *sums, double all_mp, unsigned files)
{
    printf("| | MP/s | times as fast as libpng | size |\n|---|---|---|---|\n");
    for (unsigned i = 0; i < WAYS; i++) {
        double base_s = ways[i].decodes ? sums[0].time_s : sums[BASE].time_s;
        printf("| %s | %.1f | %.1f | ", ways[i].name, all_mp / sums[i].time_s, base_s / sums[i].time_s);
        if (ways[i].decodes)
            printf("|\n");
        else
            printf("%.3f |\n", sums[i].relative / files);
    }
}

int main(int argc, char **argv)
{
    unsigned rounds = 5, files = 0;
    double most_px = 4e6, all_mp = 0;
    struct sums sums[WAYS] = {0};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--rounds") == 0 && i + 1 < argc) {
            rounds = (unsigned)strtoul(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--most-mp") == 0 && i + 1 < argc) {
            most_px = 1e6 * strtod(argv[++i], NULL);
        } else if (strcmp(argv[i], "--libraries") == 0) {
            printf("- %s\n", png_codec.version());
            return 0;
        } else if (rounds >= 1 && rounds <= MOST_ROUNDS && most_px > 0) {
            struct picture picture;
            load(argv[i], most_px, &picture);
            measure_file(&picture, rounds, sums);
            all_mp += (double)picture.shape.width * picture.shape.height / 1e6;
            files++;
            free(picture.pixels);
            free(picture.file);
        }
    }
    if (files == 0)
        give_up("usage", "forkmill-bench-codec [--rounds N] [--most-mp N] FILE...");
    if (files > 1)
        printf("%u pictures, %.1f MP together\n\n", files, all_mp);
    print(sums, all_mp, files);
    return 0;
}
