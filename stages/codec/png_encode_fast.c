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
 * sample of the rows becomes smallest. For pictures and for drawings it is one library; where that takes
 * pieces, of one level, since a stream that has begun keeps both. */
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

/* Of less than a kilobyte ISA-L (2.30) does not always make the same: once in some ten thousand times a byte
 * more or less, as memory happens to lie. What it is given, a sample too, is well above in images of so many
 * bytes. */
#define STEADY_BYTES ((size_t)256 << 10)

struct fast {
    struct method method;
    size_t row_bytes, raw_bytes, window_rows, section_rows;
    bool in_place; /* filtered rows take the place of the samples; the window is for trying */
};

static struct method method_of(const struct codec_save *save, const struct shape *shape, enum content content,
                               bool indexed)
{
    int word = png_compression_word(save);
    struct method method = methods[word][content == DRAWING];
    struct set *sets = method.sets;
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
        method = (struct method){DEFLATE_LIBDEFLATE, {{level, level == 0 ? NONE : ALL}}};
    }
    const bool steady = deflate_has(DEFLATE_ISAL) && shape_bytes(shape) >= STEADY_BYTES;
    if (method.library == DEFLATE_ISAL && !steady)
        method.library = DEFLATE_LIBDEFLATE;
    if (shape->bits < 8 || indexed) {
        sets[0].filters = NONE; /* of packed samples and numbers they make more */
        sets[1].filters = 0;
    }
    return method;
}

static bool choose(const struct codec_save *save, const struct shape *shape, enum content content,
                   bool indexed, struct fast *fast)
{
    const unsigned bits = (unsigned)shape->channels * shape->bits;
    const size_t turn = BAND_ROWS * BANDS_EACH;
    *fast = (struct fast){.method = method_of(save, shape, content, indexed),
                          .row_bytes = ((size_t)shape->width * bits + 7) / 8,
                          .raw_bytes = png_raw_bytes(shape->width, shape->height, bits, false),
                          .window_rows = shape->height,
                          .section_rows = shape->height};
    if (save->interlace || !deflate_has(fast->method.library) || fast->raw_bytes > PNG_CHUNK_MAX / 2)
        return false;
    if (!deflate_whole(fast->method.library)) {
        const size_t rows = PNG_SECTION_BYTES / shape_row_bytes(shape) / turn * turn;
        fast->window_rows = WINDOW_BYTES / (fast->row_bytes + 1);
        fast->window_rows += fast->window_rows == 0;
        fast->section_rows = rows > turn ? rows : turn;
    }
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

struct png_stream {
    const struct codec_encode *job;
    struct fast fast;
    bool indexed;
    struct png_filterer filterer;
    struct deflater *deflater; /* NULL: nothing is begun */
    uint8_t *window;
    size_t filled_bytes; /* of the window */
    uint8_t *to;
    size_t room_bytes, used_bytes; /* at `to`, and of scratch before a trial's deflater */
    const uint8_t *rows;           /* the section at hand, */
    uint32_t count, done;          /* how many, and how many rows of the image are done */
};

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
        size_t rows_bytes = scratch_add(
            scratch_need(1, sizeof(struct png_stream)),
            scratch_add(scratch_need(1, window_size(&fast)), png_filterer_scratch(fast.row_bytes)));
        for (unsigned i = 0; i < MOST_SETS && fast.method.sets[i].filters; i++) {
            size_t library_bytes = deflate_scratch(fast.method.library, fast.method.sets[i].level);
            size_t bytes = scratch_add(rows_bytes, library_bytes);
            if (fast.section_rows < shape->height) /* the stream goes on while samples are tried */
                bytes = scratch_add(bytes, library_bytes);
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

/* Begins a stream behind the `written_bytes` of the one that goes on, in place of the trial before. */
static bool begin(struct png_stream *stream, const struct set *set, size_t written_bytes)
{
    struct scratch *scratch = stream->job->scratch;
    scratch->used_bytes = stream->used_bytes;
    stream->filled_bytes = 0;
    stream->deflater = deflate_begin(stream->fast.method.library, set->level, stream->to + written_bytes,
                                     stream->room_bytes - written_bytes, scratch);
    return stream->deflater != NULL;
}

/* Row y of the section; -1 is the one above it. */
static void take_row(const struct png_stream *stream, uint8_t *to, ptrdiff_t y)
{
    const struct shape *shape = &stream->job->shape;
    const uint8_t *row = stream->rows + y * (ptrdiff_t)shape_row_bytes(shape);
    if (shape->bits == 16)
        to_big_endian(to, row, stream->fast.row_bytes);
    else if (shape->bits == 8)
        memcpy(to, row, stream->fast.row_bytes);
    else
        pack(to, row, shape->width, shape->bits);
}

/* Row y is the next one to be filtered. */
static void go_to_row(struct png_stream *stream, uint32_t y)
{
    if (stream->done + y == 0)
        png_filterer_restart(&stream->filterer);
    else
        take_row(stream, stream->filterer.above, (ptrdiff_t)y - 1);
}

/* Compresses what is gathered. False where there is no room. */
static bool compress(struct png_stream *stream, bool last)
{
    const size_t piece_bytes = stream->filled_bytes;
    stream->filled_bytes = 0;
    return deflate_more(stream->deflater, stream->window, piece_bytes, last);
}

/* Filters a row into the window, which is emptied before where it is full. */
static bool put_row(struct png_stream *stream, unsigned filters, uint32_t y)
{
    const size_t filtered_bytes = stream->fast.row_bytes + 1;
    if (stream->filled_bytes == stream->fast.window_rows * filtered_bytes && !compress(stream, false))
        return false;
    take_row(stream, stream->filterer.row, y);
    png_filterer_apply(&stream->filterer, filters, stream->window + stream->filled_bytes);
    stream->filled_bytes += filtered_bytes;
    return true;
}

/* The length of the section's sample with a set; SIZE_MAX where it does not fit. */
static size_t try_sample(struct png_stream *stream, const struct set *set, size_t written_bytes)
{
    const uint32_t turn = BAND_ROWS * BANDS_EACH, count = stream->count;
    bool fits = begin(stream, set, written_bytes);
    for (uint32_t band = 0; band < count; band += turn) {
        go_to_row(stream, band);
        for (uint32_t y = band; y < count && y < band + BAND_ROWS && fits; y++)
            fits = put_row(stream, set->filters, y);
    }
    return fits && compress(stream, true) ? deflate_length(stream->deflater) : SIZE_MAX;
}

/* For the section. NULL where there is no room to try. */
static const struct set *choose_set(struct png_stream *stream, size_t written_bytes)
{
    const struct set *sets = stream->fast.method.sets, *best = sets;
    size_t least = SIZE_MAX;
    if (sets[1].filters == 0)
        return sets;
    for (unsigned i = 0; i < MOST_SETS && sets[i].filters; i++) {
        const size_t length_bytes = try_sample(stream, &sets[i], written_bytes);
        if (length_bytes == SIZE_MAX)
            return NULL;
        if (length_bytes < least) {
            least = length_bytes;
            best = &sets[i];
        }
    }
    return best;
}

/* From the last row up, each to where it ends up: the filters' numbers push rows down, over those that are
 * done, and the row above is still there to filter by. */
static bool filter_in_place(struct png_stream *stream, unsigned filters)
{
    struct png_filterer *filterer = &stream->filterer;
    uint8_t *rows = (uint8_t *)(uintptr_t)stream->rows; /* with room_after they are the encoder's */
    take_row(stream, filterer->row, (ptrdiff_t)stream->count - 1);
    for (uint32_t y = stream->count; y-- > 0;) {
        go_to_row(stream, y);
        /* It leaves in `row` what was above. */
        png_filterer_apply(filterer, filters, rows + y * (stream->fast.row_bytes + 1));
    }
    return deflate_more(stream->deflater, rows, stream->fast.raw_bytes, true);
}

static enum content content_of(const struct shape *shape, const uint8_t *rows, uint32_t count)
{
    struct shape part = *shape;
    part.height = count;
    const unsigned runs = png_runs(&part, rows);
    return runs >= DRAWING_RUNS                                      ? DRAWING
           : runs >= MIXED_RUNS && shape_bytes(shape) >= MIXED_BYTES ? MIXED
                                                                     : PICTURE;
}

bool png_stream_put(struct png_stream *stream, const uint8_t *rows, uint32_t count)
{
    const struct codec_encode *job = stream->job;
    struct deflater *const deflater = stream->deflater;
    const bool last = stream->done + count == job->shape.height;
    stream->rows = rows;
    stream->count = count;
    stream->fast.method =
        method_of(job->save, &job->shape, content_of(&job->shape, rows, count), stream->indexed);
    const struct set *set = choose_set(stream, deflater ? deflate_length(deflater) : 0);
    if (!set)
        return false;
    stream->deflater = deflater;
    stream->filled_bytes = 0;
    if (!deflater) {
        if (!begin(stream, set, 0))
            return false;
        stream->used_bytes = job->scratch->used_bytes;
    }
    if (stream->fast.in_place)
        return filter_in_place(stream, set->filters);
    go_to_row(stream, 0);
    for (uint32_t y = 0; y < count; y++) {
        if (!put_row(stream, set->filters, y))
            return false;
    }
    stream->done += count;
    return compress(stream, last);
}

struct png_stream *png_stream_begin(const struct codec_encode *job, bool indexed, uint8_t *to,
                                    size_t room_bytes)
{
    struct png_stream *stream = scratch_alloc(job->scratch, 1, sizeof *stream);
    struct fast fast;
    if (!stream || !choose(job->save, &job->shape, PICTURE, indexed, &fast))
        return NULL;
    choose_place(job->save, &job->shape, job->room_after, &fast);
    *stream =
        (struct png_stream){.job = job, .fast = fast, .indexed = indexed, .to = to, .room_bytes = room_bytes};
    stream->window = scratch_alloc(job->scratch, 1, window_size(&fast));
    if (!stream->window ||
        !png_filterer_begin(&stream->filterer, fast.row_bytes,
                            job->shape.bits < 8 ? 1 : shape_pixel_bytes(&job->shape), job->scratch))
        return NULL;
    stream->used_bytes = job->scratch->used_bytes;
    return stream;
}

size_t png_stream_length(const struct png_stream *stream)
{
    return deflate_length(stream->deflater);
}

static void end_chunk(uint8_t *chunk, const char type[4], size_t length_bytes)
{
    png_save_uint_32(chunk, (png_uint_32)length_bytes);
    memcpy(chunk + 4, type, 4);
    png_save_uint_32(chunk + 8 + length_bytes, deflate_crc32(chunk + 4, length_bytes + 4));
}

size_t png_end_file(uint8_t *idat, size_t length_bytes)
{
    end_chunk(idat, "IDAT", length_bytes);
    end_chunk(idat + length_bytes + PNG_CHUNK_EXTRA, "IEND", 0);
    return length_bytes + PNG_CHUNKS_AROUND;
}

bool png_fast_encode(struct codec_encode *job, struct png_session *session)
{
    const uint32_t height = job->shape.height;
    uint8_t *idat = job->bytes + session->position;
    const size_t room_bytes = job->bytes_size - session->position;
    if (room_bytes < PNG_CHUNKS_AROUND)
        return false;
    struct png_stream *stream =
        png_stream_begin(job, session->palette.count > 0, idat + 8, room_bytes - PNG_CHUNKS_AROUND);
    if (!stream)
        return false;
    for (uint32_t y = 0, count; y < height; y += count) {
        count = height - y < stream->fast.section_rows ? height - y : (uint32_t)stream->fast.section_rows;
        if (!png_stream_put(stream, job->pixels + y * shape_row_bytes(&job->shape), count))
            return false;
    }
    session->position += png_end_file(idat, png_stream_length(stream));
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

uint32_t png_stream_rows(const struct codec_save *save, const struct shape *shape)
{
    struct fast fast;
    if (save->reduce || !choose(save, shape, PICTURE, false, &fast) || deflate_whole(fast.method.library))
        return 0;
    return (uint32_t)fast.section_rows;
}
