/* SPDX-License-Identifier: MIT */
/* Decodes a file as the pipeline does: in just the memory that its header was said to take, and twice over
 * different fillings, so that a byte too many or one never written is found. */
#ifndef TESTS_FUZZ_CODEC_H
#define TESTS_FUZZ_CODEC_H

#include <stdbool.h>
#include <string.h>

#include "fuzz.h"
#include "stages/codec.h"

/* Small, so that inputs are many. */
static const struct codec_limits fuzz_limits = {.max_pixels = 1 << 18,
                                                .max_width = 1 << 14,
                                                .max_height = 1 << 14,
                                                .max_metadata_bytes = 1 << 16,
                                                .max_elements = 1 << 18,
                                                .max_file_bytes = 4 << 20,
                                                .max_ratio = 200};

struct fuzz_image {
    struct codec_info info;
    struct shape shape;
    uint8_t *pixels;
    struct meta meta;
    struct error error;
};

static inline uint8_t *fuzz_take(size_t bytes, uint8_t filling)
{
    void *block = NULL;
    FUZZ_CHECK(posix_memalign(&block, SCRATCH_ALIGN, bytes ? bytes : 1) == 0);
    memset(block, filling, bytes);
    return block;
}

static inline void fuzz_free(struct fuzz_image *image)
{
    free(image->pixels);
    free(image->meta.block);
}

/* `decode` or the codec's own. The caller frees the image where it is 0. */
static inline int fuzz_decode_once(int (*decode)(struct codec_decode *, struct error *), const uint8_t *bytes,
                                   size_t size, const struct codec_limits *limits, uint8_t filling,
                                   struct fuzz_image *image)
{
    const size_t pixels_bytes = shape_bytes(&image->info.shape), meta_bytes = image->info.meta_bytes;
    struct scratch scratch = {.base = fuzz_take(image->info.scratch_bytes, filling),
                              .size_bytes = image->info.scratch_bytes};
    image->pixels = fuzz_take(pixels_bytes, filling);
    image->meta = (struct meta){.block = fuzz_take(meta_bytes, filling), .size_bytes = meta_bytes};
    struct codec_decode job = {.limits = limits,
                               .bytes = bytes,
                               .length_bytes = size,
                               .pixels = image->pixels,
                               .pixels_bytes = pixels_bytes,
                               .found_at = SIZE_MAX,
                               .meta = &image->meta,
                               .scratch = &scratch};
    const int code = decode(&job, &image->error);
    free(scratch.base);
    if (code < 0) {
        FUZZ_CHECK(code == image->error.code && image->error.reason[0]);
        /* What was planned is enough: that is what the plan is for. */
        FUZZ_CHECK(code != ERROR_MEMORY && code != ERROR_INTERNAL);
        fuzz_free(image);
        return code;
    }
    image->shape = job.shape;
    FUZZ_CHECK(shape_valid(&job.shape) && shape_bytes(&job.shape) <= pixels_bytes);
    if (job.found_at != SIZE_MAX) {
        FUZZ_CHECK(job.found_at <= size && shape_bytes(&job.shape) <= size - job.found_at);
        memcpy(image->pixels, bytes + job.found_at, shape_bytes(&job.shape));
    }
    return 0;
}

/* The header; false: refused. What it promises is bounded by the limits. */
static inline bool fuzz_peek(const struct codec *codec, const uint8_t *bytes, size_t size,
                             const struct codec_limits *limits, struct codec_info *info)
{
    struct error error = {0};
    const size_t head_bytes = size < CODEC_HEAD_BYTES ? size : CODEC_HEAD_BYTES;
    int code = codec->peek(bytes, codec->late ? size : head_bytes, size, limits, info, &error);
    if (code == ERROR_ROOM)
        code = codec->peek(bytes, size, size, limits, info, &error);
    FUZZ_CHECK(code == 0 || (code == error.code && error.reason[0]));
    if (code < 0)
        return false;
    FUZZ_CHECK(shape_valid(&info->shape));
    FUZZ_CHECK(shape_bytes(&info->shape) <= (size_t)64 << 20 && info->scratch_bytes <= (size_t)256 << 20);
    return true;
}

static inline void fuzz_same_shape(const struct shape *a, const struct shape *b)
{
    FUZZ_CHECK(a->width == b->width && a->height == b->height && a->channels == b->channels);
    FUZZ_CHECK(a->sample == b->sample && a->bits == b->bits && a->kind == b->kind && a->rank == b->rank);
    FUZZ_CHECK(a->orientation == b->orientation && a->full_width == b->full_width &&
               a->full_height == b->full_height && memcmp(a->dims, b->dims, sizeof a->dims) == 0);
}

/* The whole of it: 0 or the code. Both runs must agree. */
static inline int fuzz_decode(const struct codec *codec, const uint8_t *data, size_t size,
                              const struct codec_limits *limits, struct fuzz_image *image)
{
    struct fuzz_image again;
    uint8_t *bytes = fuzz_take(size, 0); /* aligned as in a slot, and ended where the file ends */
    int code = ERROR_CORRUPT;
    if (size)
        memcpy(bytes, data, size);
    *image = (struct fuzz_image){0};
    if (size && fuzz_peek(codec, bytes, size, limits, &image->info)) {
        again = *image;
        code = fuzz_decode_once(codec->decode, bytes, size, limits, 0xa5, image);
        FUZZ_CHECK(fuzz_decode_once(codec->decode, bytes, size, limits, 0x5a, &again) == code);
        if (code == 0) {
            fuzz_same_shape(&image->shape, &again.shape);
            FUZZ_CHECK(memcmp(image->pixels, again.pixels, shape_bytes(&image->shape)) == 0);
            fuzz_free(&again);
        }
    }
    free(bytes);
    return code;
}

/* The same a few rows at a time, of heights that the file's bytes choose: open, rows and close in place of
 * decode. Small images are not read so, and what that takes beside is not in their plans. */
#define FUZZ_ROWS_BYTES 8192u
static const struct codec *fuzz_rows_codec;

static inline int fuzz_decode_rows(struct codec_decode *job, struct error *error)
{
    const struct codec *codec = fuzz_rows_codec;
    uint8_t *pixels = job->pixels;
    uint32_t turn = job->bytes[job->length_bytes / 2];
    job->pixels = NULL;
    int code = codec->open(job, error);
    for (uint32_t y = 0, count; code == 0 && y < job->shape.height; y += count, turn = turn * 5 + 1) {
        const size_t row_bytes = shape_row_bytes(&job->shape);
        count = 1 + turn % 37;
        count = count < job->shape.height - y ? count : job->shape.height - y;
        uint8_t *window = fuzz_take(count * row_bytes, 0x77);
        code = codec->rows(job, window, count, error);
        memcpy(pixels + y * row_bytes, window, count * row_bytes);
        free(window);
    }
    if (code == 0)
        code = codec->close(job, error);
    if (codec->leave)
        codec->leave(job);
    return code;
}

/* `code` and `whole` are what fuzz_decode gave for the same file. */
static inline void fuzz_compare_rows(const struct codec *codec, const uint8_t *data, size_t size,
                                     const struct codec_limits *limits, int code,
                                     const struct fuzz_image *whole)
{
    struct fuzz_image rows = {0};
    uint8_t *bytes = fuzz_take(size, 0);
    if (size)
        memcpy(bytes, data, size);
    if (size && fuzz_peek(codec, bytes, size, limits, &rows.info)) {
        rows.info.scratch_bytes += FUZZ_ROWS_BYTES;
        fuzz_rows_codec = codec;
        FUZZ_CHECK(fuzz_decode_once(fuzz_decode_rows, bytes, size, limits, 0x3c, &rows) == code);
        if (code < 0) {
            FUZZ_CHECK(strcmp(rows.error.reason, whole->error.reason) == 0);
        } else {
            fuzz_same_shape(&rows.shape, &whole->shape);
            FUZZ_CHECK(memcmp(rows.pixels, whole->pixels, shape_bytes(&rows.shape)) == 0);
            FUZZ_CHECK(rows.meta.used_bytes == whole->meta.used_bytes);
            fuzz_free(&rows);
        }
    }
    free(bytes);
}

/* What was read can be written, and read again as the same samples. */
static inline void fuzz_round_trip(const struct codec *codec, const struct codec_limits *limits,
                                   const struct fuzz_image *image)
{
    static const struct codec_save save = {.level = -1, .quality = 90, .compression = COMPRESSION_FAST};
    struct codec_plan plan;
    struct error error;
    struct fuzz_image back;
    if (codec->plan(&save, &image->shape, image->meta.used_bytes, &plan, &error) < 0)
        return;
    struct scratch scratch = {.base = fuzz_take(plan.scratch_bytes, 0x3c), .size_bytes = plan.scratch_bytes};
    uint8_t *bytes = fuzz_take(plan.out_bytes, 0x3c);
    struct codec_encode job = {.save = &save,
                               .shape = image->shape,
                               .pixels = image->pixels,
                               .meta = &image->meta,
                               .bytes = bytes,
                               .bytes_size = plan.out_bytes,
                               .file = bytes,
                               .scratch = &scratch};
    FUZZ_CHECK(codec->encode(&job, &error) == 0);
    FUZZ_CHECK(job.file == bytes && job.length_bytes <= plan.out_bytes);
    FUZZ_CHECK(fuzz_decode(codec, bytes, job.length_bytes, limits, &back) == 0);
    FUZZ_CHECK(shape_bytes(&back.shape) == shape_bytes(&image->shape));
    FUZZ_CHECK(memcmp(back.pixels, image->pixels, shape_bytes(&image->shape)) == 0);
    fuzz_free(&back);
    free(bytes);
    free(scratch.base);
}

#endif
