/* SPDX-License-Identifier: MIT */
/* Runs a codec the way the pipeline does, in buffers of exactly the planned size: with a fence behind them,
 * or right at the end of a heap block where AddressSanitizer watches. Decodes twice over different fillings,
 * so that bytes left unwritten show. */
#ifndef TESTS_CODEC_EXACT_H
#define TESTS_CODEC_EXACT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stages/codec.h"
#include "tests/quick.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
static const size_t exact_fence_bytes = 0;
#else
static const size_t exact_fence_bytes = 64;
#endif

static const struct codec_limits exact_limits = {.max_pixels = 64000000,
                                                 .max_width = 1000000,
                                                 .max_height = 1000000,
                                                 .max_metadata_bytes = 4 << 20,
                                                 .max_elements = 64000000,
                                                 .max_file_bytes = 200 << 20,
                                                 .max_ratio = 200};

struct exact {
    struct codec_info info;
    struct shape shape;
    uint8_t *pixels; /* also where they were found in the file */
    bool found;
    struct meta meta;
    unsigned warnings;
    char warning[160];
    struct error error;
    size_t scratch_used_bytes;
};

struct exact_file {
    uint8_t *bytes;
    size_t length_bytes;
    unsigned warnings;
    char warning[160];
    struct error error;
};

static inline uint8_t *exact_take(size_t size_bytes, uint8_t filling)
{
    void *block = NULL;
    assert_int_equal(posix_memalign(&block, SCRATCH_ALIGN, size_bytes + exact_fence_bytes + !size_bytes), 0);
    memset(block, filling, size_bytes);
    memset((uint8_t *)block + size_bytes, 0xfe, exact_fence_bytes);
    return block;
}

/* Filled as far as small files get: to fill all that a large one may need would be most of a test's time.
 * Under valgrind it is, which cannot follow every bit through the vector code of libraries. */
#define EXACT_FILLED_BYTES ((size_t)128 << 10)

static inline struct scratch exact_scratch(size_t size_bytes, uint8_t filling)
{
    struct scratch scratch = {.size_bytes = size_bytes};
    void *block = NULL;
    assert_int_equal(posix_memalign(&block, SCRATCH_ALIGN, size_bytes + exact_fence_bytes + !size_bytes), 0);
    const bool valgrind = quick() && exact_fence_bytes > 0;
    memset(block, filling, size_bytes < EXACT_FILLED_BYTES || valgrind ? size_bytes : EXACT_FILLED_BYTES);
    memset((uint8_t *)block + size_bytes, 0xfe, exact_fence_bytes);
    scratch.base = block;
    return scratch;
}

static inline void exact_fence(const uint8_t *block, size_t size_bytes)
{
    for (size_t i = 0; i < exact_fence_bytes; i++)
        assert_int_equal(block[size_bytes + i], 0xfe);
}

static inline void exact_free(struct exact *exact)
{
    free(exact->pixels);
    free(exact->meta.block);
    exact->pixels = exact->meta.block = NULL;
}

static inline int exact_decode_once(const struct codec *codec, const uint8_t *bytes, size_t length_bytes,
                                    const struct codec_limits *limits, uint8_t filling, struct exact *exact)
{
    size_t pixels_bytes = shape_bytes(&exact->info.shape), meta_bytes = exact->info.meta_bytes;
    struct scratch scratch = exact_scratch(exact->info.scratch_bytes, filling);
    exact->pixels = exact_take(pixels_bytes, filling);
    exact->meta = (struct meta){.block = exact_take(meta_bytes, filling), .size_bytes = meta_bytes};
    struct codec_decode job = {.limits = limits,
                               .bytes = bytes,
                               .length_bytes = length_bytes,
                               .pixels = exact->pixels,
                               .pixels_bytes = pixels_bytes,
                               .found_at = SIZE_MAX,
                               .meta = &exact->meta,
                               .scratch = &scratch};
    int code = codec->decode(&job, &exact->error);
    exact_fence(scratch.base, scratch.size_bytes);
    exact_fence(exact->pixels, pixels_bytes);
    exact_fence(exact->meta.block, meta_bytes);
    exact->shape = job.shape;
    exact->warnings = job.warnings;
    memcpy(exact->warning, job.warning, sizeof exact->warning);
    exact->scratch_used_bytes = scratch.used_bytes;
    free(scratch.base);
    exact->found = code == 0 && job.found_at != SIZE_MAX;
    if (exact->found) {
        assert_int_equal(job.found_at % SCRATCH_ALIGN, 0);
        assert_true(job.found_at <= length_bytes && pixels_bytes <= length_bytes - job.found_at);
        for (size_t i = 0; i < pixels_bytes; i++)
            assert_int_equal(exact->pixels[i], filling);
        memcpy(exact->pixels, bytes + job.found_at, pixels_bytes);
    }
    if (code < 0) {
        assert_int_equal(code, exact->error.code);
        assert_true(exact->error.reason[0] != '\0');
        exact_free(exact);
    }
    return code;
}

/* Peek and decode; 0 or the code of the first failure. On 0 the caller frees with exact_free. */
static inline int exact_decode(const struct codec *codec, const uint8_t *file, size_t length_bytes,
                               const struct codec_limits *limits, struct exact *exact)
{
    struct exact again;
    *exact = (struct exact){0};
    size_t head_bytes = length_bytes < CODEC_HEAD_BYTES || codec->late ? length_bytes : CODEC_HEAD_BYTES;
    uint8_t *head = exact_take(head_bytes, 0);
    if (head_bytes)
        memcpy(head, file, head_bytes);
    int code = codec->peek(head, head_bytes, length_bytes, limits, &exact->info, &exact->error);
    free(head);
    if (code < 0) {
        assert_int_equal(code, exact->error.code);
        return code;
    }
    assert_true(shape_valid(&exact->info.shape));
    again = *exact;
    uint8_t *bytes = exact_take(length_bytes, 0);
    memcpy(bytes, file, length_bytes);
    code = exact_decode_once(codec, bytes, length_bytes, limits, 0xa5, exact);
    assert_int_equal(code, exact_decode_once(codec, bytes, length_bytes, limits, 0x5a, &again));
    free(bytes);
    if (code < 0)
        return code;
    const struct shape *promised = &exact->info.shape;
    assert_int_equal(exact->shape.width, promised->width);
    assert_int_equal(exact->shape.height, promised->height);
    assert_true(exact->shape.channels <= promised->channels);
    assert_int_equal(exact->shape.sample, promised->sample);
    assert_int_equal(exact->shape.kind, promised->kind);
    assert_int_equal(exact->shape.rank, promised->rank);
    assert_memory_equal(exact->shape.dims, promised->dims, sizeof promised->dims);
    assert_true(shape_valid(&exact->shape));
    assert_int_equal(exact->found, again.found);
    assert_memory_equal(exact->pixels, again.pixels, shape_bytes(&exact->shape));
    assert_int_equal(exact->meta.used_bytes, again.meta.used_bytes);
    exact_free(&again);
    return 0;
}

/* The same file once more from samples that the encoder may overwrite, in the scratch that it then needs. */
static inline void exact_encode_spoiling(const struct codec *codec, const struct codec_plan *plan,
                                         const struct codec_encode *like, const struct exact_file *file)
{
    const size_t pixels_bytes = shape_bytes(&like->shape);
    struct error error = {0};
    struct scratch scratch = exact_scratch(plan->spoiling_scratch_bytes, 0x5a);
    uint8_t *pixels = exact_take(pixels_bytes + plan->room_after, 0x5a);
    uint8_t *bytes = exact_take(plan->out_bytes, 0x5a);
    struct codec_encode job = *like;
    memcpy(pixels, like->pixels, pixels_bytes);
    job.pixels = pixels;
    job.room_after = plan->room_after;
    job.file = job.bytes = bytes;
    job.scratch = &scratch;
    assert_int_equal(codec->encode(&job, &error), 0);
    exact_fence(scratch.base, plan->spoiling_scratch_bytes);
    exact_fence(pixels, pixels_bytes + plan->room_after);
    exact_fence(bytes, plan->out_bytes);
    assert_int_equal(job.length_bytes, file->length_bytes);
    assert_memory_equal(job.file, file->bytes, job.length_bytes);
    assert_int_equal(job.warnings, file->warnings);
    free(scratch.base);
    free(pixels);
    free(bytes);
}

/* Plan and encode; 0 or the code of the first failure. On 0 the caller frees file->bytes. */
static inline int exact_encode(const struct codec *codec, const struct codec_save *save,
                               const struct shape *shape, const uint8_t *pixels, const struct meta *meta,
                               struct exact_file *file)
{
    struct codec_plan plan = {0};
    *file = (struct exact_file){0};
    int code = codec->plan(save, shape, meta ? meta->used_bytes : 0, &plan, &file->error);
    if (code < 0)
        return code;
    struct scratch scratch = exact_scratch(plan.scratch_bytes, 0xa5);
    file->bytes = exact_take(plan.out_bytes, 0xa5);
    struct codec_encode job = {.save = save,
                               .shape = *shape,
                               .pixels = pixels,
                               .meta = meta,
                               .bytes = file->bytes,
                               .bytes_size = plan.out_bytes,
                               .file = file->bytes,
                               .scratch = &scratch};
    code = codec->encode(&job, &file->error);
    exact_fence(scratch.base, plan.scratch_bytes);
    exact_fence(file->bytes, plan.out_bytes);
    free(scratch.base);
    assert_true(code < 0 || job.length_bytes <= plan.out_bytes);
    if (code == 0 && job.file != file->bytes)
        memcpy(file->bytes, job.file, job.length_bytes);
    file->length_bytes = job.length_bytes;
    file->warnings = job.warnings;
    memcpy(file->warning, job.warning, sizeof file->warning);
    if (code < 0) {
        free(file->bytes);
        file->bytes = NULL;
    } else if (plan.room_after > 0) {
        exact_encode_spoiling(codec, &plan, &job, file);
    }
    return code;
}

#endif
