/* SPDX-License-Identifier: MIT */
/* Image data without libpng: IDAT chunks by our own walk, inflated by a library faster than zlib, filters
 * undone in SIMD. It takes only what is sound and usual. Whatever else there is, a fault or a rarity, it
 * leaves to libpng, whose verdict and words then stand. */
#include <string.h>

#include "stages/codec/deflate.h"
#include "stages/codec/png_private.h"
#include "stages/codec/png_rows.h"

/* Stream and rows of up to this size together are inflated in one piece by libdeflate, which starts sooner;
 * larger ones window by window by ISA-L, which is as fast and needs no memory of the image's size. */
#define WHOLE_MOST_BYTES (1u << 20)

/* Stays in the second cache, with what the library itself keeps. */
#define WINDOW_BYTES (128u << 10)

/* libpng's limit on any chunk; longer IDAT chunks must be no longer than the rows they hold. */
#define CHUNK_MOST_BYTES 8000000u

struct fast {
    enum deflate_library library;
    size_t row_bytes; /* without the filter's number */
    size_t window_rows, pixel_bytes;
    bool direct; /* undone rows are pixels as they are */
};

static bool choose(const struct png_header *header, uint64_t file_bytes, struct fast *fast)
{
    unsigned bits = png_samples_per_pixel(header->colour) * header->depth;
    size_t raw_bytes = png_raw_bytes(header->width, header->height, bits, false);
    if (header->interlaced || raw_bytes == SIZE_MAX)
        return false;
    fast->row_bytes = ((size_t)header->width * bits + 7) / 8;
    fast->pixel_bytes = bits < 8 ? 1 : bits / 8;
    fast->direct = header->depth == 8 && header->colour != PNG_COLOR_TYPE_PALETTE;
    bool small = raw_bytes <= WHOLE_MOST_BYTES && file_bytes <= WHOLE_MOST_BYTES - raw_bytes;
    if (deflate_has(DEFLATE_LIBDEFLATE) && (small || !deflate_has(DEFLATE_ISAL))) {
        fast->library = DEFLATE_LIBDEFLATE;
        fast->window_rows = header->height;
    } else if (deflate_has(DEFLATE_ISAL)) {
        fast->library = DEFLATE_ISAL;
        fast->window_rows = WINDOW_BYTES / (fast->row_bytes + 1);
        fast->window_rows += fast->window_rows == 0;
        if (fast->window_rows > header->height)
            fast->window_rows = header->height;
    } else {
        return false;
    }
    return true;
}

/* No more than the raw bytes of the image, which fit, and the slack. */
static size_t window_size(const struct fast *fast)
{
    return scratch_add(fast->window_rows * (fast->row_bytes + 1), PNG_ROW_SLACK);
}

size_t png_fast_scratch(const struct png_header *header, uint64_t file_bytes)
{
    struct fast fast;
    if (!choose(header, file_bytes, &fast))
        return 0;
    size_t window_bytes = scratch_need(1, window_size(&fast));
    size_t above_bytes = scratch_need(1, fast.row_bytes + PNG_ROW_SLACK);
    return scratch_add(scratch_add(inflate_scratch(fast.library, file_bytes), window_bytes), above_bytes);
}

/* The chunks of image data, one after the other. */
struct idat {
    const uint8_t *bytes;
    size_t position, end;
};

static bool next_idat(void *context, const uint8_t **piece, size_t *piece_bytes)
{
    struct idat *idat = context;
    struct png_chunk chunk;
    if (idat->position >= idat->end || !png_chunk_next(idat->bytes, idat->end, &idat->position, &chunk))
        return false;
    *piece = chunk.data;
    *piece_bytes = chunk.length_bytes;
    return true;
}

/* A window of 2^(info + 8) bytes is asked for. zlib refuses distances beyond it, which these libraries do not
 * look at, so it must be the largest or span all rows. */
static bool stream_usual(const uint8_t *stream, size_t raw_bytes)
{
    unsigned method = stream[0] & 15, info = stream[0] >> 4;
    return method == 8 && info <= 7 && (info == 7 || raw_bytes <= (size_t)1 << (info + 8));
}

bool png_fast_find(const struct codec_decode *job, const struct png_header *header, size_t *first,
                   size_t *end)
{
    struct fast fast;
    struct png_chunk chunk;
    size_t at = PNG_IHDR_END, before = at;
    if (!choose(header, job->length_bytes, &fast))
        return false;
    size_t raw_bytes = (fast.row_bytes + 1) * header->height;
    size_t most_bytes = raw_bytes > CHUNK_MOST_BYTES ? raw_bytes : CHUNK_MOST_BYTES;
    for (*first = 0; png_chunk_next(job->bytes, job->length_bytes, &at, &chunk); before = at) {
        if (memcmp(chunk.type, "IDAT", 4) != 0) {
            if (*first)
                break;
            continue;
        }
        if (!chunk.data || chunk.length_bytes == 0 || chunk.length_bytes > most_bytes ||
            deflate_crc32(chunk.data - 4, chunk.length_bytes + 4) !=
                png_get_uint_32(chunk.data + chunk.length_bytes))
            return false;
        if (!*first) {
            *first = before;
            if (!stream_usual(chunk.data, raw_bytes))
                return false;
        }
        *end = at;
    }
    return *first > 0;
}

/* How the pixels of an undone row become those of the image. */
struct colours {
    uint8_t pixel[256][4];
    unsigned count; /* 0: no palette, and samples are 8 or 16 bits wide */
    unsigned channels;
};

static void set_colours(struct png_session *session, const struct png_header *header, unsigned channels,
                        struct colours *colours)
{
    png_colorp palette = NULL;
    int count = 0;
    *colours = (struct colours){.channels = channels};
    if (header->colour == PNG_COLOR_TYPE_PALETTE) {
        png_get_PLTE(session->png, session->info, &palette, &count);
        for (int i = 0; i < count && i < 256; i++) {
            const uint8_t pixel[4] = {palette[i].red, palette[i].green, palette[i].blue,
                                      i < session->alphas ? session->alpha[i] : 255};
            memcpy(colours->pixel[i], pixel, sizeof pixel);
        }
        colours->count = (unsigned)count;
    } else if (header->depth < 8) {
        colours->count = 1u << header->depth;
        for (unsigned i = 0; i < colours->count; i++)
            colours->pixel[i][0] = (uint8_t)(i * 255 / (colours->count - 1));
    }
}

/* One pixel for each index of `depth` bits. The highest index that occurred. */
static unsigned look_up(const struct colours *colours, uint8_t *to, const uint8_t *row, size_t width,
                        unsigned depth)
{
    unsigned highest = 0, mask = (1u << depth) - 1, channels = colours->channels;
    for (size_t x = 0; x < width; x++) {
        size_t bit = x * depth;
        unsigned index = (unsigned)row[bit / 8] >> (8 - depth - bit % 8) & mask;
        highest = index > highest ? index : highest;
        memcpy(to + x * channels, colours->pixel[index], channels);
    }
    return highest;
}

static void from_big_endian(uint8_t *to, const uint8_t *row, size_t row_bytes)
{
    for (size_t i = 0; i < row_bytes; i += 2) {
        uint16_t sample = (uint16_t)(row[i] << 8 | row[i + 1]);
        memcpy(to + i, &sample, sizeof sample);
    }
}

/* Undoes the filter of a row in the window, or of that and the next. How many it did; 0: there is no such
 * filter. */
static size_t undo(const struct fast *fast, uint8_t *row, size_t rows, const uint8_t *above, uint8_t *to,
                   size_t to_step)
{
    if (rows > 1) {
        const uint8_t *from[2] = {row, row + fast->row_bytes + 1};
        uint8_t *both[2] = {to, to + to_step};
        if (png_unfilter_two(both, from, above, fast->row_bytes, fast->pixel_bytes))
            return 2;
    }
    return png_unfilter(row[-1], to, row, above, fast->row_bytes, fast->pixel_bytes);
}

/* Undoes the filters of `rows` rows in the window and puts their pixels to `to`. `*above` is the row above
 * the first and becomes the last one. */
static bool undo_rows(const struct fast *fast, const struct png_header *header, const struct colours *colours,
                      uint8_t *window, size_t rows, const uint8_t **above, uint8_t *to,
                      size_t pixels_row_bytes)
{
    for (size_t i = 0, done; i < rows; i += done) {
        uint8_t *row = window + i * (fast->row_bytes + 1) + 1;
        if (fast->direct)
            done = undo(fast, row, rows - i, *above, to, pixels_row_bytes);
        else
            done = undo(fast, row, rows - i, *above, row, fast->row_bytes + 1);
        if (done == 0)
            return false;
        for (size_t j = 0; j < done; j++, row += fast->row_bytes + 1, to += pixels_row_bytes) {
            *above = fast->direct ? to : row;
            if (fast->direct)
                continue;
            if (colours->count == 0)
                from_big_endian(to, row, fast->row_bytes);
            else if (look_up(colours, to, row, header->width, header->depth) >= colours->count)
                return false;
        }
    }
    return true;
}

bool png_fast_pixels(struct png_session *session, const struct png_header *header, struct codec_decode *job,
                     size_t first, size_t end)
{
    struct fast fast;
    struct colours colours;
    struct idat idat = {.bytes = job->bytes, .position = first, .end = end};
    struct inflate_source source = {next_idat, &idat, job->length_bytes};
    bool keyed =
        header->colour != PNG_COLOR_TYPE_PALETTE && png_get_valid(session->png, session->info, PNG_INFO_tRNS);
    if (keyed || !choose(header, job->length_bytes, &fast))
        return false;
    set_colours(session, header, job->shape.channels, &colours);
    struct inflater *inflater = inflate_begin(fast.library, &source, job->scratch);
    uint8_t *window = scratch_alloc(job->scratch, 1, window_size(&fast));
    uint8_t *kept = scratch_alloc(job->scratch, 1, fast.row_bytes + PNG_ROW_SLACK);
    if (!inflater || !window || !kept)
        return false;
    memset(kept, 0, fast.row_bytes);
    const uint8_t *above = kept;
    size_t pixels_row_bytes = shape_row_bytes(&job->shape), rows;
    for (size_t y = 0; y < header->height; y += rows) {
        rows = header->height - y < fast.window_rows ? header->height - y : fast.window_rows;
        if (!inflate_more(inflater, window, rows * (fast.row_bytes + 1), y + rows == header->height) ||
            !undo_rows(&fast, header, &colours, window, rows, &above, job->pixels + y * pixels_row_bytes,
                       pixels_row_bytes))
            return false;
        if (!fast.direct)
            above = memcpy(kept, above, fast.row_bytes);
    }
    return true;
}
