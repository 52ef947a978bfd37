/* SPDX-License-Identifier: MIT */
/* A codec a few rows at a time against the same codec on whole images: the same pixels, metadata, warnings
 * and errors, the same files, however rows come, in exactly the planned memory. */
#ifndef TESTS_CODEC_ROWS_H
#define TESTS_CODEC_ROWS_H

#include "codec_exact.h"

static uint32_t rows_seed = 1;

static inline unsigned rows_dice(unsigned sides)
{
    rows_seed = rows_seed * 1664525u + 1013904223u;
    return (rows_seed >> 8) % sides;
}

/* Images that are small enough are taken as a whole, and peek does not count what they would take by rows. */
static struct rows_tested {
    const struct codec *codec;
    size_t extra_bytes;
} rows_tested;

/* Each call has an error of its own, which is gone when the next is made. */
static inline int rows_open(struct codec_decode *job, struct error *error)
{
    struct error own = {0};
    const int code = rows_tested.codec->open(job, &own);
    *error = own;
    return code;
}

static inline int rows_next(struct codec_decode *job, uint8_t *window, uint32_t count, struct error *error)
{
    struct error own = {0};
    const int code = rows_tested.codec->rows(job, window, count, &own);
    *error = own;
    return code;
}

static inline int rows_close(struct codec_decode *job, struct error *error)
{
    struct error own = {0};
    const int code = rows_tested.codec->close(job, &own);
    *error = own;
    return code;
}

/* Open, rows and close in place of decode, each time to memory of its own. */
static inline int rows_decode(struct codec_decode *job, struct error *error)
{
    const struct codec *codec = rows_tested.codec;
    uint8_t *pixels = job->pixels;
    job->pixels = NULL;
    int code = rows_open(job, error);
    const uint32_t height = job->shape.height, most = 1 + rows_dice(height < 200 ? height + 1 : 200);
    const size_t row_bytes = shape_row_bytes(&job->shape);
    for (uint32_t y = 0, count; code == 0 && y < height; y += count) {
        count = 1 + rows_dice(most);
        count = count < height - y ? count : height - y;
        uint8_t *window = exact_take(count * row_bytes, 0x77);
        code = rows_next(job, window, count, error);
        exact_fence(window, count * row_bytes);
        memcpy(pixels + y * row_bytes, window, count * row_bytes);
        free(window);
    }
    if (code == 0)
        code = rows_close(job, error);
    if (codec->leave)
        codec->leave(job);
    return code;
}

static inline int rows_peek(const uint8_t *head, size_t head_bytes, uint64_t file_bytes,
                            const struct codec_limits *limits, struct codec_info *info, struct error *error)
{
    const int code = rows_tested.codec->peek(head, head_bytes, file_bytes, limits, info, error);
    if (code == 0 && !info->by_rows)
        info->scratch_bytes += rows_tested.extra_bytes;
    return code;
}

static inline int rows_exact(const struct codec *codec, size_t extra_bytes, const uint8_t *bytes,
                             size_t length_bytes, const struct codec_limits *limits, struct exact *exact)
{
    struct codec by_rows = *codec;
    rows_tested = (struct rows_tested){codec, extra_bytes};
    by_rows.decode = rows_decode;
    by_rows.peek = rows_peek;
    return exact_decode(&by_rows, bytes, length_bytes, limits, exact);
}

static inline void rows_same_shape(const struct shape *a, const struct shape *b)
{
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->width, b->width);
    assert_int_equal(a->height, b->height);
    assert_int_equal(a->full_width, b->full_width);
    assert_int_equal(a->full_height, b->full_height);
    assert_int_equal(a->channels, b->channels);
    assert_int_equal(a->sample, b->sample);
    assert_int_equal(a->bits, b->bits);
    assert_int_equal(a->orientation, b->orientation);
}

/* Is all that came of decoding the same? */
static inline void rows_same(const struct exact *got, const struct exact *whole)
{
    rows_same_shape(&got->shape, &whole->shape);
    assert_memory_equal(got->pixels, whole->pixels, shape_bytes(&got->shape));
    assert_int_equal(got->meta.used_bytes, whole->meta.used_bytes);
    if (got->meta.used_bytes)
        assert_memory_equal(got->meta.block, whole->meta.block, got->meta.used_bytes);
    assert_int_equal(got->warnings, whole->warnings);
    assert_string_equal(got->warning, whole->warning);
}

/* `code` and `whole` are what exact_decode had to say. */
static inline void rows_check(const struct codec *codec, size_t extra_bytes, const uint8_t *bytes,
                              size_t length_bytes, const struct codec_limits *limits, int code,
                              const struct exact *whole)
{
    struct exact rows;
    assert_int_equal(rows_exact(codec, extra_bytes, bytes, length_bytes, limits, &rows), code);
    if (code < 0) {
        assert_string_equal(rows.error.reason, whole->error.reason);
        return;
    }
    rows_same(&rows, whole);
    exact_free(&rows);
}

/* What is written by rows of random numbers, in `room_bytes` (no more than planned). The metadata comes last.
 */
struct rows_putting {
    const struct codec *codec;
    const struct codec_save *save;
    const struct shape *shape;
    const uint8_t *pixels;
    const struct meta *meta;
    uint8_t *block; /* out */
    const uint8_t *file;
    size_t length_bytes;
    unsigned warnings;
    char warning[160];
    struct error error;
};

static inline int rows_put_all(struct codec_encode *job, struct rows_putting *putting, struct meta *meta)
{
    const size_t row_bytes = shape_row_bytes(putting->shape);
    const unsigned most = rows_dice(3) ? 1 + rows_dice(300) : 1;
    TRY(putting->codec->begin(job, &putting->error));
    for (uint32_t y = 0, count; y < putting->shape->height; y += count) {
        uint8_t *rows;
        count = 1 + rows_dice(most);
        count = putting->shape->height - y < count ? putting->shape->height - y : count;
        rows = exact_take(count * row_bytes, 0);
        memcpy(rows, putting->pixels + y * row_bytes, count * row_bytes);
        const int code = putting->codec->put(job, rows, count, &putting->error);
        free(rows);
        TRY(code);
    }
    if (putting->meta)
        *meta = *putting->meta;
    return putting->codec->finish(job, &putting->error);
}

static inline int rows_put(struct rows_putting *putting, size_t room_bytes, uint8_t filling)
{
    struct codec_plan plan = {0};
    struct meta meta = {0};
    if (putting->meta && rows_dice(2))
        meta = *putting->meta;
    const size_t meta_bytes = putting->meta ? putting->meta->used_bytes : 0;
    assert_int_equal(putting->codec->plan(putting->save, putting->shape, meta_bytes, &plan, NULL), 0);
    assert_true(plan.rows_scratch_bytes > 0);
    room_bytes = room_bytes < plan.out_bytes ? room_bytes : plan.out_bytes;
    struct scratch scratch = exact_scratch(plan.rows_scratch_bytes, filling);
    putting->block = exact_take(room_bytes, filling);
    struct codec_encode job = {.save = putting->save,
                               .shape = *putting->shape,
                               .meta = putting->meta ? &meta : NULL,
                               .bytes = putting->block,
                               .bytes_size = room_bytes,
                               .file = putting->block,
                               .scratch = &scratch};
    const int code = rows_put_all(&job, putting, &meta);
    if (putting->codec->abandon)
        putting->codec->abandon(&job);
    exact_fence(scratch.base, plan.rows_scratch_bytes);
    exact_fence(putting->block, room_bytes);
    free(scratch.base);
    putting->file = job.file;
    putting->length_bytes = job.length_bytes;
    putting->warnings = job.warnings;
    memcpy(putting->warning, job.warning, sizeof putting->warning);
    if (code == 0)
        assert_true(job.file >= job.bytes && job.file + job.length_bytes <= job.bytes + room_bytes);
    return code;
}

/* The same file as the encoder makes of the whole image, twice over different fillings. */
static inline void rows_put_check(const struct codec *codec, const struct codec_save *save,
                                  const struct shape *shape, const uint8_t *pixels, const struct meta *meta)
{
    struct exact_file whole;
    struct rows_putting putting = {
        .codec = codec, .save = save, .shape = shape, .pixels = pixels, .meta = meta};
    assert_int_equal(exact_encode(codec, save, shape, pixels, meta, &whole), 0);
    for (unsigned i = 0; i < 2; i++) {
        if (rows_put(&putting, SIZE_MAX, i ? 0x5a : 0xa5) < 0)
            fail_msg("by rows: %s", putting.error.reason);
        assert_int_equal(putting.length_bytes, whole.length_bytes);
        assert_memory_equal(putting.file, whole.bytes, whole.length_bytes);
        assert_int_equal(putting.warnings, whole.warnings);
        if (whole.warnings)
            assert_string_equal(putting.warning, whole.warning);
        free(putting.block);
    }
    free(whole.bytes);
}

#endif
