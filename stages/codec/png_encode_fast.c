/* SPDX-License-Identifier: MIT */
/* Image data without libpng: filters chosen in SIMD, compressed by a library faster than zlib into one IDAT
 * chunk. libpng still writes what comes before. */
#include <string.h>

#include "stages/codec/deflate.h"
#include "stages/codec/png_private.h"
#include "stages/codec/png_rows.h"

/* Filtered rows that a library which takes them piece by piece is given at a time: they stay in the second
 * cache. */
#define WINDOW_BYTES (128u << 10)

/* What libpng takes to write a header and pass metadata on: its structures. */
#define HEADER_SCRATCH (32u << 10)

/* Sets of filters to choose from row by row. PLAIN suits what was a JPEG once, ALL what has the noise of a
 * sensor, and NONE often drawings. */
enum { NONE = 1, SUB = 2, UP = 4, PLAIN = NONE | SUB | UP, ALL = 31 };

/* A way to compress: which filters there are to choose from, and how hard to try. */
struct set {
    int level; /* of the library */
    unsigned filters;
};

#define MOST_SETS 3

/* bench/results/codec.md says what came of each. Where there are several sets, the one is taken with which a
 * sample of the rows becomes smallest. */
struct method {
    enum deflate_library library;
    struct set sets[MOST_SETS]; /* no more where there are no filters */
};

/* libdeflate's level 1 is slow where there are runs: slower than level 5, and its files are larger. What has
 * fewer of them may still be a drawing, and twice as large with filters as with none; that is worth a look in
 * large images, where the sample is a small part. */
enum content { PICTURE, MIXED, DRAWING, CONTENTS };

/* So many in a hundred pixels are like their left neighbours. */
#define DRAWING_RUNS 80u
#define MIXED_RUNS   50u
#define MIXED_BYTES  (512u << 10)

static const struct method methods[][2] = {
    /* of pictures and of drawings */
    [COMPRESSION_FASTEST] = {{DEFLATE_ISAL, {{1, PLAIN}}}, {DEFLATE_ISAL, {{1, NONE}, {1, PLAIN}}}},
    [COMPRESSION_FAST] = {{DEFLATE_LIBDEFLATE, {{1, PLAIN}}}, {DEFLATE_LIBDEFLATE, {{5, NONE}, {2, PLAIN}}}},
    [COMPRESSION_BALANCED] = {{DEFLATE_LIBDEFLATE, {{4, ALL}}},
                              {DEFLATE_LIBDEFLATE, {{5, NONE}, {5, PLAIN}, {5, ALL}}}},
    [COMPRESSION_SMALL] = {{DEFLATE_LIBDEFLATE, {{6, PLAIN}, {6, ALL}}},
                           {DEFLATE_LIBDEFLATE, {{6, NONE}, {6, PLAIN}, {6, ALL}}}},
    [COMPRESSION_SMALLEST] = {{DEFLATE_LIBDEFLATE, {{12, PLAIN}, {12, ALL}, {12, NONE}}},
                              {DEFLATE_LIBDEFLATE, {{12, PLAIN}, {12, ALL}, {12, NONE}}}},
};

/* The sample: bands of so many rows, one in so many. */
#define BAND_ROWS  8u
#define BANDS_EACH 16u

struct fast {
    struct method method;
    size_t row_bytes, raw_bytes, window_rows;
    bool in_place; /* filtered rows take the place of the samples; the window is for trying */
};

static bool choose(const struct codec_save *save, const struct shape *shape, enum content content,
                   bool indexed, struct fast *fast)
{
    int word = png_compression_word(save);
    unsigned bits = (unsigned)shape->channels * shape->bits;
    fast->method = methods[word][content == DRAWING];
    struct set *sets = fast->method.sets;
    if (content != DRAWING && shape->channels < 3 && word <= COMPRESSION_FAST)
        sets[0].filters = ALL; /* of photographs in grey 3 % less, in no more time */
    for (unsigned i = 1; content == MIXED && i < MOST_SETS; i++) {
        if (sets[i].filters == 0) {
            sets[i] = methods[word][1].sets[0]; /* without filters, and that may be compressed harder */
            break;
        }
    }
    if (save->level >= 0) {
        int level = save->level < 9 ? (int)save->level : 9;
        fast->method = (struct method){DEFLATE_LIBDEFLATE, {{level, level == 0 ? NONE : ALL}}};
    }
    if (!deflate_has(fast->method.library) && word == COMPRESSION_FASTEST)
        fast->method.library = DEFLATE_LIBDEFLATE;
    if (shape->bits < 8 || indexed) {
        sets[0].filters = NONE; /* of packed samples and numbers they make more */
        sets[1].filters = 0;
    }
    fast->row_bytes = ((size_t)shape->width * bits + 7) / 8;
    fast->raw_bytes = png_raw_bytes(shape->width, shape->height, bits, false);
    if (save->interlace || !deflate_has(fast->method.library) || fast->raw_bytes > PNG_CHUNK_MAX / 2)
        return false;
    fast->window_rows =
        deflate_whole(fast->method.library) ? shape->height : WINDOW_BYTES / (fast->row_bytes + 1);
    fast->window_rows += fast->window_rows == 0;
    return true;
}

size_t png_fast_room_after(const struct codec_save *save, const struct shape *shape)
{
    return save->reduce || save->interlace || shape->bits < 8 ? 0 : shape->height;
}

/* Where a library wants all rows at once, they may take the place of the samples. */
static void choose_place(const struct codec_save *save, const struct shape *shape, size_t room_after,
                         struct fast *fast)
{
    const size_t wanted = png_fast_room_after(save, shape);
    fast->in_place = deflate_whole(fast->method.library) && wanted > 0 && room_after >= wanted;
    if (fast->in_place)
        fast->window_rows =
            (fast->window_rows + BAND_ROWS * BANDS_EACH - 1) / (BAND_ROWS * BANDS_EACH) * BAND_ROWS;
}

static size_t window_size(const struct fast *fast)
{
    size_t window_bytes = fast->window_rows * (fast->row_bytes + 1);
    return window_bytes < fast->raw_bytes ? window_bytes : fast->raw_bytes;
}

size_t png_fast_encode_scratch(const struct codec_save *save, const struct shape *shape, size_t room_after)
{
    size_t most_bytes = 0;
    for (enum content content = 0; content < CONTENTS; content++) {
        struct fast fast;
        if (!choose(save, shape, content, false, &fast))
            return 0;
        choose_place(save, shape, room_after, &fast);
        size_t rows_bytes =
            scratch_add(scratch_need(1, window_size(&fast)), png_filterer_scratch(fast.row_bytes));
        for (unsigned i = 0; i < MOST_SETS && fast.method.sets[i].filters; i++) {
            size_t library_bytes = deflate_scratch(fast.method.library, fast.method.sets[i].level);
            size_t bytes = scratch_add(rows_bytes, library_bytes);
            most_bytes = bytes > most_bytes ? bytes : most_bytes;
        }
    }
    if (save->reduce)
        most_bytes = scratch_add(most_bytes, WINDOW_BYTES); /* shorter rows may fill it better */
    return most_bytes > HEADER_SCRATCH ? most_bytes : HEADER_SCRATCH;
}

static void to_big_endian(uint8_t *to, const uint8_t *row, size_t row_bytes)
{
    for (size_t i = 0; i < row_bytes; i += 2) {
        uint16_t sample;
        memcpy(&sample, row + i, sizeof sample);
        to[i] = (uint8_t)(sample >> 8);
        to[i + 1] = (uint8_t)sample;
    }
}

/* Grey of few bits is stored scaled to a byte; its value is the upper bits. */
static void pack(uint8_t *to, const uint8_t *row, size_t width, unsigned bits)
{
    unsigned byte = 0, filled = 0;
    for (size_t x = 0; x < width; x++) {
        byte = byte << bits | row[x] >> (8 - bits);
        filled += bits;
        if (filled == 8) {
            *to++ = (uint8_t)byte;
            byte = filled = 0;
        }
    }
    if (filled)
        *to = (uint8_t)(byte << (8 - filled));
}

struct writing {
    const struct codec_encode *job;
    const struct fast *fast;
    struct png_filterer filterer;
    struct deflater *deflater;
    uint8_t *window;
    size_t filled_bytes; /* of the window */
    uint8_t *to;
    size_t room_bytes, used_bytes; /* at `to`, and of scratch before the deflater */
};

static bool set_up(struct writing *writing, const struct codec_encode *job, const struct fast *fast,
                   uint8_t *to, size_t room_bytes)
{
    const struct shape *shape = &job->shape;
    *writing = (struct writing){.job = job, .fast = fast, .to = to, .room_bytes = room_bytes};
    writing->window = scratch_alloc(job->scratch, 1, window_size(fast));
    bool enough =
        writing->window && png_filterer_begin(&writing->filterer, fast->row_bytes,
                                              shape->bits < 8 ? 1 : shape_pixel_bytes(shape), job->scratch);
    writing->used_bytes = job->scratch->used_bytes;
    return enough;
}

/* Begins a stream, in place of one before. */
static bool begin(struct writing *writing, const struct set *set)
{
    struct scratch *scratch = writing->job->scratch;
    scratch->used_bytes = writing->used_bytes;
    writing->filled_bytes = 0;
    png_filterer_restart(&writing->filterer);
    writing->deflater =
        deflate_begin(writing->fast->method.library, set->level, writing->to, writing->room_bytes, scratch);
    return writing->deflater != NULL;
}

static void take_row(const struct writing *writing, uint8_t *to, size_t y)
{
    const struct shape *shape = &writing->job->shape;
    const uint8_t *row = writing->job->pixels + y * shape_row_bytes(shape);
    if (shape->bits == 16)
        to_big_endian(to, row, writing->fast->row_bytes);
    else if (shape->bits == 8)
        memcpy(to, row, writing->fast->row_bytes);
    else
        pack(to, row, shape->width, shape->bits);
}

/* Filters a row, and compresses what is gathered when that is enough. False where there is no room. */
static bool put_row(struct writing *writing, unsigned filters, size_t y, bool last)
{
    size_t filtered_bytes = writing->fast->row_bytes + 1;
    take_row(writing, writing->filterer.row, y);
    png_filterer_apply(&writing->filterer, filters, writing->window + writing->filled_bytes);
    writing->filled_bytes += filtered_bytes;
    if (!last && writing->filled_bytes < writing->fast->window_rows * filtered_bytes)
        return true;
    size_t piece_bytes = writing->filled_bytes;
    writing->filled_bytes = 0;
    return deflate_more(writing->deflater, writing->window, piece_bytes, last);
}

/* The length of the sample with a set; SIZE_MAX where it does not fit. */
static size_t try_sample(struct writing *writing, const struct set *set)
{
    const size_t turn = BAND_ROWS * BANDS_EACH, height = writing->job->shape.height;
    size_t last = height - 1;
    if (last % turn >= BAND_ROWS)
        last -= last % turn - BAND_ROWS + 1;
    bool fits = begin(writing, set);
    for (size_t band = 0; band < height; band += turn) {
        if (band > 0)
            take_row(writing, writing->filterer.above, band - 1);
        for (size_t y = band; y <= last && y < band + BAND_ROWS && fits; y++)
            fits = put_row(writing, set->filters, y, y == last);
    }
    return fits ? deflate_length(writing->deflater) : SIZE_MAX;
}

static const struct set *choose_set(struct writing *writing)
{
    const struct set *sets = writing->fast->method.sets, *best = sets;
    size_t least = SIZE_MAX;
    for (unsigned i = 0; sets[1].filters && i < MOST_SETS && sets[i].filters; i++) {
        size_t length_bytes = try_sample(writing, &sets[i]);
        if (length_bytes < least) {
            least = length_bytes;
            best = &sets[i];
        }
    }
    return best;
}

/* From the last row up, each to where it ends up: the filters' numbers push rows down, over those that are
 * done, and the row above is still there to filter by. */
static bool filter_in_place(struct writing *writing, unsigned filters)
{
    const struct codec_encode *job = writing->job;
    struct png_filterer *filterer = &writing->filterer;
    uint8_t *rows = (uint8_t *)(uintptr_t)job->pixels; /* with room_after they are the encoder's */
    take_row(writing, filterer->row, job->shape.height - 1);
    for (size_t y = job->shape.height; y-- > 0;) {
        if (y > 0)
            take_row(writing, filterer->above, y - 1);
        else
            png_filterer_restart(filterer);
        /* It leaves in `row` what was above. */
        png_filterer_apply(filterer, filters, rows + y * (writing->fast->row_bytes + 1));
    }
    return deflate_more(writing->deflater, rows, writing->fast->raw_bytes, true);
}

/* The zlib stream of all rows; its length, or 0 where it does not fit in `room_bytes` or there is too little
 * scratch. */
static size_t write_stream(const struct codec_encode *job, const struct fast *fast, uint8_t *to,
                           size_t room_bytes)
{
    struct writing writing;
    if (!set_up(&writing, job, fast, to, room_bytes))
        return 0;
    const struct set *set = choose_set(&writing);
    if (!begin(&writing, set))
        return 0;
    if (fast->in_place)
        return filter_in_place(&writing, set->filters) ? deflate_length(writing.deflater) : 0;
    for (size_t y = 0; y < job->shape.height; y++)
        if (!put_row(&writing, set->filters, y, y + 1 == job->shape.height))
            return 0;
    return deflate_length(writing.deflater);
}

static enum content content_of(const struct codec_encode *job)
{
    unsigned runs = png_runs(&job->shape, job->pixels);
    return runs >= DRAWING_RUNS                                            ? DRAWING
           : runs >= MIXED_RUNS && shape_bytes(&job->shape) >= MIXED_BYTES ? MIXED
                                                                           : PICTURE;
}

static void end_chunk(uint8_t *chunk, const char type[4], size_t length_bytes)
{
    png_save_uint_32(chunk, (png_uint_32)length_bytes);
    memcpy(chunk + 4, type, 4);
    png_save_uint_32(chunk + 8 + length_bytes, deflate_crc32(chunk + 4, length_bytes + 4));
}

bool png_fast_encode(struct codec_encode *job, struct png_session *session)
{
    struct fast fast;
    uint8_t *idat = job->bytes + session->position;
    size_t room_bytes = job->bytes_size - session->position;
    enum content content = content_of(job);
    bool indexed = session->palette.count > 0;
    if (!choose(job->save, &job->shape, content, indexed, &fast) || room_bytes < 2 * PNG_CHUNK_EXTRA)
        return false;
    choose_place(job->save, &job->shape, job->room_after, &fast);
    size_t length_bytes = write_stream(job, &fast, idat + 8, room_bytes - 2 * PNG_CHUNK_EXTRA);
    if (length_bytes == 0)
        return false;
    end_chunk(idat, "IDAT", length_bytes);
    end_chunk(idat + length_bytes + PNG_CHUNK_EXTRA, "IEND", 0);
    session->position += length_bytes + 2 * PNG_CHUNK_EXTRA;
    return true;
}

bool png_fast_encodes(const struct codec_encode *job)
{
    struct fast fast;
    return choose(job->save, &job->shape, PICTURE, false, &fast);
}

bool png_fast_spoils(const struct codec_encode *job)
{
    struct fast fast;
    if (!choose(job->save, &job->shape, PICTURE, false, &fast))
        return false;
    choose_place(job->save, &job->shape, job->room_after, &fast);
    return fast.in_place;
}
