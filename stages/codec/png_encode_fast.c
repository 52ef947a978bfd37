/* SPDX-License-Identifier: MIT */
/* Image data without libpng: filters chosen in SIMD, compressed by a library faster than zlib into one IDAT
 * chunk. libpng still writes what comes before. */
#include <string.h>

#include "stages/codec/deflate.h"
#include "stages/codec/png_method.h"
#include "stages/codec/png_private.h"
#include "stages/codec/png_rows.h"

/* Filtered rows that a library which takes them piece by piece is given at a time: they stay in the second
 * cache. */
#define WINDOW_BYTES (128u << 10)

/* What libpng takes to write a header and pass metadata on: its structures. */
#define HEADER_SCRATCH (32u << 10)

/* The sample: bands of so many rows, one in so many. */
#define BAND_ROWS  8u
#define BANDS_EACH 16u

/* ISA-L at this level takes a fifth of libdeflate's time. It misses matches that libdeflate finds, most of
 * them where nothing is filtered: there its sample counts as so much shorter, by one byte in 8. */
#define SWIFT_LEVEL     2
#define UNFILTERED_GAIN 8u

/* What libdeflate takes depends on the rows, not on what becomes of them. Where that is less than one byte of
 * 64, its time is worth more than the bytes it saves, if these are up to one in 4 of ISA-L's. */
#define FLAT      64u
#define FLAT_LOSS 4u

struct fast {
    struct png_method method;
    size_t row_bytes, raw_bytes, window_rows, section_rows;
    bool in_place; /* filtered rows take the place of the samples; the window is for trying */
};

static bool choose(const struct codec_save *save, const struct shape *shape, enum png_content content,
                   bool indexed, struct fast *fast)
{
    const unsigned bits = (unsigned)shape->channels * shape->bits;
    const size_t turn = BAND_ROWS * BANDS_EACH;
    *fast = (struct fast){.method = png_method_of(save, shape, content, indexed),
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
    for (enum png_content content = 0; content < PNG_CONTENTS; content++) {
        struct fast fast;
        if (!choose(save, shape, content, false, &fast))
            return 0;
        choose_place(save, shape, room_after, &fast);
        size_t rows_bytes = scratch_add(
            scratch_need(1, sizeof(struct png_stream)),
            scratch_add(scratch_need(1, window_size(&fast)), png_filterer_scratch(fast.row_bytes)));
        for (unsigned i = 0; i < PNG_MOST_SETS && fast.method.sets[i].filters; i++) {
            size_t library_bytes = deflate_scratch(fast.method.library, fast.method.sets[i].level);
            if (png_method_swift(save, &fast.method) &&
                library_bytes < deflate_scratch(DEFLATE_ISAL, SWIFT_LEVEL))
                library_bytes = deflate_scratch(DEFLATE_ISAL, SWIFT_LEVEL);
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
static bool begin(struct png_stream *stream, enum deflate_library library, int level, size_t written_bytes)
{
    struct scratch *scratch = stream->job->scratch;
    scratch->used_bytes = stream->used_bytes;
    stream->filled_bytes = 0;
    stream->deflater = deflate_begin(library, level, stream->to + written_bytes,
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
static size_t try_sample(struct png_stream *stream, enum deflate_library library, const struct png_set *set,
                         size_t written_bytes)
{
    const uint32_t turn = BAND_ROWS * BANDS_EACH, count = stream->count;
    bool fits = begin(stream, library, set->level, written_bytes);
    for (uint32_t band = 0; band < count; band += turn) {
        go_to_row(stream, band);
        for (uint32_t y = band; y < count && y < band + BAND_ROWS && fits; y++)
            fits = put_row(stream, set->filters, y);
    }
    return fits && compress(stream, true) ? deflate_length(stream->deflater) : SIZE_MAX;
}

/* ISA-L tries the sets, and is the one to compress what is flat. */
static const struct png_set *choose_swiftly(struct png_stream *stream)
{
    struct png_method *method = &stream->fast.method;
    struct png_set *sets = method->sets;
    const struct png_set tried[] = {{SWIFT_LEVEL, sets[0].filters}, {SWIFT_LEVEL, sets[1].filters}};
    const size_t unfiltered_bytes = try_sample(stream, DEFLATE_ISAL, &tried[0], 0);
    const size_t filtered_bytes = try_sample(stream, DEFLATE_ISAL, &tried[1], 0);
    if (unfiltered_bytes - unfiltered_bytes / UNFILTERED_GAIN > filtered_bytes)
        return &sets[1];
    if (unfiltered_bytes <= stream->fast.raw_bytes / BANDS_EACH / FLAT &&
        unfiltered_bytes - unfiltered_bytes / FLAT_LOSS <= try_sample(stream, method->library, &sets[0], 0)) {
        method->library = DEFLATE_ISAL;
        sets[0] = tried[0];
    }
    return sets;
}

/* For the section. NULL where there is no room to try. */
static const struct png_set *choose_set(struct png_stream *stream, size_t written_bytes)
{
    const struct png_set *sets = stream->fast.method.sets, *best = sets;
    size_t least = SIZE_MAX;
    if (sets[1].filters == 0)
        return sets;
    if (png_method_swift(stream->job->save, &stream->fast.method))
        return choose_swiftly(stream);
    for (unsigned i = 0; i < PNG_MOST_SETS && sets[i].filters; i++) {
        const size_t length_bytes = try_sample(stream, stream->fast.method.library, &sets[i], written_bytes);
        if (length_bytes == SIZE_MAX)
            return NULL;
        if (length_bytes < least) {
            least = length_bytes;
            best = &sets[i];
        }
    }
    return best;
}

/* Without filters rows only move; of 8 bits they are what is stored. */
static void number_in_place(const struct png_stream *stream, uint8_t *rows)
{
    const size_t row_bytes = stream->fast.row_bytes;
    for (size_t y = stream->count; y-- > 0;) {
        memmove(rows + y * (row_bytes + 1) + 1, rows + y * row_bytes, row_bytes);
        rows[y * (row_bytes + 1)] = 0;
    }
}

/* From the last row up, each to where it ends up: the filters' numbers push rows down, over those that are
 * done, and the row above is still there to filter by. */
static void filter_in_place(struct png_stream *stream, unsigned filters, uint8_t *rows)
{
    struct png_filterer *filterer = &stream->filterer;
    take_row(stream, filterer->row, (ptrdiff_t)stream->count - 1);
    for (uint32_t y = stream->count; y-- > 0;) {
        go_to_row(stream, y);
        /* It leaves in `row` what was above. */
        png_filterer_apply(filterer, filters, rows + y * (stream->fast.row_bytes + 1));
    }
}

static bool compress_in_place(struct png_stream *stream, unsigned filters)
{
    uint8_t *rows = (uint8_t *)(uintptr_t)stream->rows; /* with room_after they are the encoder's */
    if (filters == PNG_UNFILTERED && stream->job->shape.bits == 8)
        number_in_place(stream, rows);
    else
        filter_in_place(stream, filters, rows);
    return deflate_more(stream->deflater, rows, stream->fast.raw_bytes, true);
}

bool png_stream_put(struct png_stream *stream, const uint8_t *rows, uint32_t count)
{
    const struct codec_encode *job = stream->job;
    struct deflater *const deflater = stream->deflater;
    const bool last = stream->done + count == job->shape.height;
    stream->rows = rows;
    stream->count = count;
    stream->fast.method =
        png_method_of(job->save, &job->shape, png_content_of(&job->shape, rows, count), stream->indexed);
    const struct png_set *set = choose_set(stream, deflater ? deflate_length(deflater) : 0);
    if (!set)
        return false;
    stream->deflater = deflater;
    stream->filled_bytes = 0;
    if (!deflater) {
        if (!begin(stream, stream->fast.method.library, set->level, 0))
            return false;
        stream->used_bytes = job->scratch->used_bytes;
    }
    if (stream->fast.in_place)
        return compress_in_place(stream, set->filters);
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
    if (!stream || !choose(job->save, &job->shape, PNG_PICTURE, indexed, &fast))
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
    png_save_uint_32(chunk + 8 + length_bytes, deflate_crc32(0, chunk + 4, length_bytes + 4));
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

bool png_fast_encodes(const struct codec_save *save, const struct shape *shape)
{
    struct fast fast;
    return choose(save, shape, PNG_PICTURE, false, &fast);
}

bool png_fast_spoils(const struct codec_encode *job)
{
    struct fast fast;
    if (!choose(job->save, &job->shape, PNG_PICTURE, false, &fast))
        return false;
    choose_place(job->save, &job->shape, job->room_after, &fast);
    return fast.in_place;
}

uint32_t png_stream_rows(const struct codec_save *save, const struct shape *shape)
{
    struct fast fast;
    if (save->reduce || !choose(save, shape, PNG_PICTURE, false, &fast) || deflate_whole(fast.method.library))
        return 0;
    return (uint32_t)fast.section_rows;
}
