/* SPDX-License-Identifier: MIT */
/* Image data without libpng: IDAT chunks by our own walk, inflated by ISA-L, filters undone in SIMD. It takes
 * only what is sound and usual, but for what deflate.h says of ISA-L. Whatever else there is, a fault or a
 * rarity, it leaves to libpng, whose verdict and words then stand. */
#include <string.h>

#include "stages/codec/png_private.h"
#include "stages/codec/png_rows.h"

/* Stream and rows of up to this size together are inflated in one piece, larger ones window by window. */
#define WHOLE_MOST_BYTES (1u << 20)

/* Stays in the second cache, with what the library itself keeps. */
#define WINDOW_BYTES (128u << 10)

/* libpng's limit on any chunk; longer IDAT chunks must be no longer than the rows they hold. */
#define CHUNK_MOST_BYTES 8000000u

struct layout {
    size_t row_bytes; /* without the filter's number */
    size_t window_rows, pixel_bytes;
    bool direct; /* undone rows are pixels as they are */
};

/* How the pixels of an undone row become those of the image. */
struct colours {
    uint8_t pixel[256][4];
    unsigned count; /* 0: no palette, and samples are 8 or 16 bits wide */
    unsigned channels;
};

/* All that is kept from one call to the next. */
struct png_fast {
    struct layout layout;
    const struct png_header *header;
    struct colours colours;
    struct inflate_source source;
    struct inflater *inflater;
    uint8_t *window, *above; /* the last row undone */
    size_t pixels_row_bytes, rows_left;
};

static bool choose(const struct png_header *header, uint64_t file_bytes, struct layout *layout)
{
    unsigned bits = png_samples_per_pixel(header->colour) * header->depth;
    size_t raw_bytes = png_raw_bytes(header->width, header->height, bits, false);
    if (!inflate_has() || header->interlaced || raw_bytes == SIZE_MAX)
        return false;
    layout->row_bytes = ((size_t)header->width * bits + 7) / 8;
    layout->pixel_bytes = bits < 8 ? 1 : bits / 8;
    layout->direct = header->depth == 8 && header->colour != PNG_COLOR_TYPE_PALETTE;
    bool small = raw_bytes <= WHOLE_MOST_BYTES && file_bytes <= WHOLE_MOST_BYTES - raw_bytes;
    layout->window_rows = small ? header->height : WINDOW_BYTES / (layout->row_bytes + 1);
    layout->window_rows += layout->window_rows == 0;
    if (layout->window_rows > header->height)
        layout->window_rows = header->height;
    return true;
}

/* No more than the raw bytes of the image, which fit, and the slack. */
static size_t window_size(const struct layout *layout)
{
    return scratch_add(layout->window_rows * (layout->row_bytes + 1), PNG_ROW_SLACK);
}

size_t png_fast_scratch(const struct png_header *header, uint64_t file_bytes)
{
    struct layout layout;
    if (!choose(header, file_bytes, &layout))
        return 0;
    size_t window_bytes = scratch_need(1, window_size(&layout));
    size_t above_bytes = scratch_need(1, layout.row_bytes + PNG_ROW_SLACK);
    size_t rows_bytes =
        scratch_add(scratch_need(1, sizeof(struct png_fast)), scratch_add(window_bytes, above_bytes));
    return scratch_add(inflate_scratch(), rows_bytes);
}

static bool next_of_run(void *context, const uint8_t **piece, size_t *piece_bytes)
{
    struct png_run *run = context;
    struct png_chunk chunk;
    if (run->position >= run->end || !png_chunk_next(run->bytes, run->end, &run->position, &chunk))
        return false;
    *piece = chunk.data;
    *piece_bytes = chunk.length_bytes;
    return true;
}

struct inflate_source png_run_source(struct png_run *run)
{
    return (struct inflate_source){next_of_run, run};
}

size_t png_fast_chunk_most(const struct png_header *header)
{
    const size_t raw_bytes = png_raw_bytes(header->width, header->height,
                                           png_samples_per_pixel(header->colour) * header->depth, false);
    return raw_bytes > CHUNK_MOST_BYTES ? raw_bytes : CHUNK_MOST_BYTES;
}

/* A method and a window that there are. */
bool png_fast_begins(uint8_t first_byte)
{
    return (first_byte & 15) == 8 && first_byte >> 4 <= 7;
}

bool png_fast_find(const struct codec_decode *job, const struct png_header *header, struct png_run *run)
{
    struct layout layout;
    struct png_chunk chunk;
    size_t at = PNG_IHDR_END, before = at, first = 0;
    if (!choose(header, job->length_bytes, &layout))
        return false;
    const size_t most_bytes = png_fast_chunk_most(header);
    for (; png_chunk_next(job->bytes, job->length_bytes, &at, &chunk); before = at) {
        if (memcmp(chunk.type, "IDAT", 4) != 0) {
            if (first)
                break;
            continue;
        }
        if (!chunk.data || chunk.length_bytes == 0 || chunk.length_bytes > most_bytes ||
            deflate_crc32(0, chunk.data - 4, chunk.length_bytes + 4) !=
                png_get_uint_32(chunk.data + chunk.length_bytes))
            return false;
        if (!first) {
            first = before;
            if (!png_fast_begins(chunk.data[0]))
                return false;
        }
        *run = (struct png_run){.bytes = job->bytes, .position = first, .end = at};
    }
    return first > 0;
}

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

/* One pixel for each index of `depth` bits. The highest index that occurred. Depth and channels are constants
 * where this is inlined: a copy of a few bytes, how many not being known, is a call for each pixel. */
static inline __attribute__((always_inline)) unsigned look_up_pixels(const struct colours *colours,
                                                                     uint8_t *restrict to, const uint8_t *row,
                                                                     size_t width, unsigned depth,
                                                                     unsigned channels)
{
    unsigned highest = 0, mask = (1u << depth) - 1;
    for (size_t x = 0; x < width; x++) {
        size_t bit = x * depth;
        unsigned index = (unsigned)row[bit / 8] >> (8 - depth - bit % 8) & mask;
        highest = index > highest ? index : highest;
        memcpy(to + x * channels, colours->pixel[index], channels);
    }
    return highest;
}

static unsigned look_up(const struct colours *colours, uint8_t *to, const uint8_t *row, size_t width,
                        unsigned depth)
{
    const unsigned channels = colours->channels;
    if (channels == 4)
        return depth == 8 ? look_up_pixels(colours, to, row, width, 8, 4)
                          : look_up_pixels(colours, to, row, width, depth, 4);
    if (channels == 3)
        return depth == 8 ? look_up_pixels(colours, to, row, width, 8, 3)
                          : look_up_pixels(colours, to, row, width, depth, 3);
    return look_up_pixels(colours, to, row, width, depth, channels);
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
static size_t undo(const struct layout *layout, uint8_t *row, size_t rows, const uint8_t *above, uint8_t *to,
                   size_t to_step)
{
    if (rows > 1) {
        const uint8_t *from[2] = {row, row + layout->row_bytes + 1};
        uint8_t *both[2] = {to, to + to_step};
        if (png_unfilter_two(both, from, above, layout->row_bytes, layout->pixel_bytes))
            return 2;
    }
    return png_unfilter(row[-1], to, row, above, layout->row_bytes, layout->pixel_bytes);
}

/* Undoes the filters of `rows` rows in the window and puts their pixels to `to`. `*above` is the row above
 * the first and becomes the last one. */
static bool undo_rows(const struct layout *layout, const struct png_header *header,
                      const struct colours *colours, uint8_t *window, size_t rows, const uint8_t **above,
                      uint8_t *to, size_t pixels_row_bytes)
{
    for (size_t i = 0, done; i < rows; i += done) {
        uint8_t *row = window + i * (layout->row_bytes + 1) + 1;
        if (layout->direct)
            done = undo(layout, row, rows - i, *above, to, pixels_row_bytes);
        else
            done = undo(layout, row, rows - i, *above, row, layout->row_bytes + 1);
        if (done == 0)
            return false;
        for (size_t j = 0; j < done; j++, row += layout->row_bytes + 1, to += pixels_row_bytes) {
            *above = layout->direct ? to : row;
            if (layout->direct)
                continue;
            if (colours->count == 0)
                from_big_endian(to, row, layout->row_bytes);
            else if (look_up(colours, to, row, header->width, header->depth) >= colours->count)
                return false;
        }
    }
    return true;
}

struct png_fast *png_fast_begin(struct png_session *session, const struct png_header *header,
                                struct codec_decode *job, const struct inflate_source *source)
{
    bool keyed =
        header->colour != PNG_COLOR_TYPE_PALETTE && png_get_valid(session->png, session->info, PNG_INFO_tRNS);
    struct png_fast *fast = scratch_alloc(job->scratch, 1, sizeof *fast);
    if (!fast || keyed || !choose(header, job->length_bytes, &fast->layout))
        return NULL;
    const size_t row_bytes = fast->layout.row_bytes;
    fast->header = header;
    fast->source = *source;
    set_colours(session, header, job->shape.channels, &fast->colours);
    fast->inflater = inflate_begin(&fast->source, job->scratch);
    fast->window = scratch_alloc(job->scratch, 1, window_size(&fast->layout));
    fast->above = scratch_alloc(job->scratch, 1, row_bytes + PNG_ROW_SLACK);
    if (!fast->inflater || !fast->window || !fast->above)
        return NULL;
    memset(fast->above, 0, row_bytes);
    fast->pixels_row_bytes = shape_row_bytes(&job->shape);
    fast->rows_left = header->height;
    return fast;
}

bool png_fast_rows(struct png_fast *fast, uint8_t *pixels, size_t rows)
{
    const struct layout *layout = &fast->layout;
    while (rows > 0) {
        const size_t count = rows < layout->window_rows ? rows : layout->window_rows;
        const uint8_t *above = fast->above;
        fast->rows_left -= count;
        if (!inflate_more(fast->inflater, fast->window, count * (layout->row_bytes + 1),
                          fast->rows_left == 0) ||
            !undo_rows(layout, fast->header, &fast->colours, fast->window, count, &above, pixels,
                       fast->pixels_row_bytes))
            return false;
        memcpy(fast->above, above, layout->row_bytes);
        pixels += count * fast->pixels_row_bytes;
        rows -= count;
    }
    return true;
}

bool png_fast_by_rows(const struct png_header *header, uint64_t file_bytes)
{
    struct layout layout;
    return choose(header, file_bytes, &layout) && layout.window_rows < header->height;
}
