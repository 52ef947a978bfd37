/* SPDX-License-Identifier: MIT */
/* What the header of a PNG file promises. Looks at chunk headers only, up to the end of what is at hand. */
#include <inttypes.h>
#include <string.h>
#include <zlib.h>

#include "stages/codec/exif.h"
#include "stages/codec/png_private.h"

static const uint8_t signature[PNG_SIGNATURE_BYTES] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};

bool png_chunk_next(const uint8_t *bytes, size_t length_bytes, size_t *position, struct png_chunk *chunk)
{
    if (*position > length_bytes || length_bytes - *position < 8)
        return false;
    const uint8_t *header = bytes + *position;
    memcpy(chunk->type, header + 4, sizeof chunk->type);
    chunk->length_bytes = png_get_uint_32(header);
    if (chunk->length_bytes > PNG_CHUNK_MAX)
        return false;
    bool whole = length_bytes - *position >= (size_t)chunk->length_bytes + PNG_CHUNK_EXTRA;
    chunk->data = whole ? header + 8 : NULL;
    *position += (size_t)chunk->length_bytes + PNG_CHUNK_EXTRA;
    return true;
}

unsigned png_samples_per_pixel(uint8_t colour)
{
    static const uint8_t samples[7] = {1, 0, 3, 1, 2, 0, 4};
    return colour < sizeof samples ? samples[colour] : 0;
}

/* Table 11.1 of the specification. */
static bool depth_allowed(uint8_t colour, uint8_t depth)
{
    switch (colour) {
    case PNG_COLOR_TYPE_GRAY:
        return depth == 1 || depth == 2 || depth == 4 || depth == 8 || depth == 16;
    case PNG_COLOR_TYPE_PALETTE:
        return depth == 1 || depth == 2 || depth == 4 || depth == 8;
    case PNG_COLOR_TYPE_RGB:
    case PNG_COLOR_TYPE_GRAY_ALPHA:
    case PNG_COLOR_TYPE_RGB_ALPHA:
        return depth == 8 || depth == 16;
    default:
        return false;
    }
}

/* Adam7 (section 8.2): where each pass starts and how far apart its pixels are. */
static const uint8_t pass_left[7] = {0, 4, 0, 2, 0, 1, 0}, pass_top[7] = {0, 0, 4, 0, 2, 0, 1};
static const uint8_t pass_across[7] = {8, 8, 4, 4, 2, 2, 1}, pass_down[7] = {8, 8, 8, 4, 4, 2, 2};

static size_t pass_bytes(size_t width, size_t height, unsigned pixel_bits)
{
    size_t bytes;
    if (width == 0 || __builtin_mul_overflow((width * pixel_bits + 7) / 8 + 1, height, &bytes))
        return width == 0 ? 0 : SIZE_MAX;
    return bytes;
}

size_t png_raw_bytes(uint32_t width, uint32_t height, unsigned pixel_bits, bool interlaced)
{
    if (!interlaced)
        return pass_bytes(width, height, pixel_bits);
    size_t sum = 0;
    for (unsigned i = 0; i < 7; i++) {
        size_t columns = ((size_t)width + pass_across[i] - 1 - pass_left[i]) / pass_across[i];
        size_t rows = ((size_t)height + pass_down[i] - 1 - pass_top[i]) / pass_down[i];
        sum = scratch_add(sum, pass_bytes(columns, rows, pixel_bits));
    }
    return sum;
}

static int check_signature(const uint8_t *bytes, size_t length_bytes, struct error *error)
{
    if (length_bytes == 0)
        return error_set(error, ERROR_CORRUPT, "file is empty");
    size_t at_hand = length_bytes < PNG_SIGNATURE_BYTES ? length_bytes : PNG_SIGNATURE_BYTES;
    if (memcmp(bytes, signature, at_hand) != 0) {
        bool mangled = at_hand > 4 && memcmp(bytes + 1, "PNG", 3) == 0;
        return error_set(error, ERROR_CORRUPT,
                         mangled ? "PNG signature is damaged, as by a transfer that converts text"
                                 : "not a PNG file");
    }
    if (length_bytes < PNG_IHDR_END)
        return error_set(error, ERROR_CORRUPT, "file ends early, after %zu bytes", length_bytes);
    return 0;
}

static int check_ihdr(const uint8_t *bytes, struct png_header *header, struct error *error)
{
    const uint8_t *ihdr = bytes + PNG_SIGNATURE_BYTES + 8;
    if (memcmp(ihdr - 4, "IHDR", 4) != 0)
        return error_set(error, ERROR_CORRUPT, "first chunk is not IHDR");
    if (png_get_uint_32(ihdr - 8) != 13)
        return error_set(error, ERROR_CORRUPT, "IHDR: invalid length");
    if (crc32(crc32(0, Z_NULL, 0), ihdr - 4, 17) != png_get_uint_32(ihdr + 13))
        return error_set(error, ERROR_CORRUPT, "IHDR: CRC error");
    *header = (struct png_header){.width = png_get_uint_32(ihdr),
                                  .height = png_get_uint_32(ihdr + 4),
                                  .depth = ihdr[8],
                                  .colour = ihdr[9],
                                  .interlaced = ihdr[12] == 1};
    if (header->width == 0 || header->height == 0 || header->width > PNG_CHUNK_MAX ||
        header->height > PNG_CHUNK_MAX)
        return error_set(error, ERROR_CORRUPT, "IHDR: impossible size %" PRIu32 "x%" PRIu32, header->width,
                         header->height);
    if (!depth_allowed(header->colour, header->depth))
        return error_set(error, ERROR_CORRUPT, "IHDR: impossible colour type %u of depth %u", header->colour,
                         header->depth);
    if (ihdr[10] != 0 || ihdr[11] != 0 || ihdr[12] > 1)
        return error_set(error, ERROR_CORRUPT, "IHDR: unknown %s method",
                         ihdr[10]   ? "compression"
                         : ihdr[11] ? "filter"
                                    : "interlace");
    return 0;
}

static int check_limits(const struct png_header *header, const struct codec_limits *limits,
                        struct error *error)
{
    uint64_t pixels = (uint64_t)header->width * header->height;
    if (header->width > limits->max_width)
        return error_set(error, ERROR_LIMIT,
                         "%" PRIu32 " pixels wide, over max_width %" PRIu64 "; raise it with --max-width",
                         header->width, limits->max_width);
    if (header->height > limits->max_height)
        return error_set(error, ERROR_LIMIT,
                         "%" PRIu32 " pixels high, over max_height %" PRIu64 "; raise it with --max-height",
                         header->height, limits->max_height);
    if (pixels > limits->max_pixels)
        return error_set(error, ERROR_LIMIT,
                         "%" PRIu64 " pixels, over max_pixels %" PRIu64 "; raise it with --max-pixels",
                         pixels, limits->max_pixels);
    return 0;
}

static uint8_t orientation_of(const uint8_t *bytes, size_t length_bytes)
{
    size_t position = PNG_SIGNATURE_BYTES;
    struct png_chunk chunk;
    if (length_bytes > CODEC_HEAD_BYTES)
        length_bytes = CODEC_HEAD_BYTES;
    while (png_chunk_next(bytes, length_bytes, &position, &chunk)) {
        if (memcmp(chunk.type, "eXIf", 4) == 0 && chunk.data &&
            crc32(crc32(0, Z_NULL, 0), chunk.data - 4, chunk.length_bytes + 4) ==
                png_get_uint_32(chunk.data + chunk.length_bytes))
            return exif_orientation(chunk.data, chunk.length_bytes);
    }
    return 0;
}

int png_header_read(const uint8_t *bytes, size_t length_bytes, uint64_t file_bytes,
                    const struct codec_limits *limits, struct png_header *header, struct error *error)
{
    TRY(check_signature(bytes, length_bytes, error));
    TRY(check_ihdr(bytes, header, error));
    TRY(check_limits(header, limits, error));
    /* Deflate's best is 258 bytes for 2 bits. Less than that cannot hold the rows, whatever it holds. */
    size_t raw = png_raw_bytes(header->width, header->height,
                               header->depth * png_samples_per_pixel(header->colour), header->interlaced);
    if (raw / 1032 > file_bytes)
        return error_set(error, ERROR_CORRUPT,
                         "promises %" PRIu32 "x%" PRIu32 " pixels, more than %" PRIu64 " bytes can hold",
                         header->width, header->height, file_bytes);
    header->orientation = orientation_of(bytes, length_bytes);
    return 0;
}

/* What the head says of the chunks. */
struct ahead {
    bool transparency, pixels; /* a tRNS chunk before the pixels, and pixels */
    size_t meta_bytes;
};

/* Where the head ends too early to tell, there may be as much metadata as the rest of the file could hold (a
 * kept chunk of the least size takes 14 bytes of a file and 24 of the block, and no chunk more than twice its
 * own bytes). */
static struct ahead look_ahead(const uint8_t *head, size_t head_bytes, uint64_t file_bytes)
{
    size_t position = PNG_IHDR_END;
    struct png_chunk chunk;
    struct ahead ahead = {0};
    bool end = false;
    while (!end && png_chunk_next(head, head_bytes, &position, &chunk)) {
        ahead.transparency |= !ahead.pixels && memcmp(chunk.type, "tRNS", 4) == 0;
        ahead.pixels |= memcmp(chunk.type, "IDAT", 4) == 0;
        end = memcmp(chunk.type, "IEND", 4) == 0;
        if (png_meta_kept(chunk.type))
            ahead.meta_bytes = scratch_add(ahead.meta_bytes, meta_need(chunk.length_bytes));
    }
    uint64_t rest = !end && file_bytes > position ? file_bytes - position : 0;
    ahead.meta_bytes = scratch_add(ahead.meta_bytes, scratch_add(rest, rest));
    return ahead;
}

static struct shape shape_of(const struct png_header *header, bool transparency)
{
    unsigned channels = header->colour == PNG_COLOR_TYPE_PALETTE ? 3 : png_samples_per_pixel(header->colour);
    if (transparency && !(header->colour & PNG_COLOR_MASK_ALPHA))
        channels++;
    uint8_t bits = header->depth;
    if (bits < 8 && channels > 1)
        bits = 8;
    return (struct shape){.width = header->width,
                          .height = header->height,
                          .channels = (uint8_t)channels,
                          .sample = bits == 16 ? SAMPLE_U16 : SAMPLE_U8,
                          .bits = bits,
                          .orientation = header->orientation};
}

int png_peek(const uint8_t *head, size_t head_bytes, uint64_t file_bytes, const struct codec_limits *limits,
             struct codec_info *info, struct error *error)
{
    struct png_header header;
    TRY(png_header_read(head, head_bytes, file_bytes, limits, &header, error));
    const struct ahead ahead = look_ahead(head, head_bytes, file_bytes);
    info->shape = shape_of(&header, ahead.transparency || !ahead.pixels);
    info->meta_bytes =
        ahead.meta_bytes < limits->max_metadata_bytes ? ahead.meta_bytes : limits->max_metadata_bytes;
    /* libpng keeps the row above and the row at work, which it widens in place to the expanded pixel, with
     * room for alpha whether or not it comes, in steps of 8 pixels. */
    size_t pixel_bytes = header.depth == 16 ? 8 : 4;
    size_t row_bytes = ((size_t)header.width + 8) * pixel_bytes;
    info->scratch_bytes = scratch_add(png_session_scratch(PNG_READ_SCRATCH, 2, row_bytes),
                                      png_fast_scratch(&header, file_bytes));
    /* To salvage what can be had of a damaged image takes another look at all of it. */
    info->by_rows =
        png_fast_by_rows(&header, file_bytes) && !(limits->load && limits->load->on_corrupt == CODEC_SALVAGE);
    if (info->by_rows)
        info->scratch_bytes = scratch_add(info->scratch_bytes, png_rows_scratch());
    /* One colour that is transparent is libpng's to compare with. */
    const bool keyed = ahead.transparency && header.colour != PNG_COLOR_TYPE_PALETTE;
    info->by_pieces = info->by_rows && !keyed;
    if (info->by_pieces) {
        info->scratch_bytes = scratch_add(info->scratch_bytes, png_pieces_scratch());
        info->pieces_meta_bytes = png_pieces_meta();
    }
    return 0;
}
