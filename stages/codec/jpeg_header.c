/* SPDX-License-Identifier: MIT */
#include "stages/codec/jpeg_header.h"

#include <inttypes.h>
#include <string.h>

#include "stages/codec/exif.h"

enum {
    TEM = 0x01,
    SOF0 = 0xc0,
    SOF2 = 0xc2,
    DHT = 0xc4,
    JPG = 0xc8,
    DAC = 0xcc,
    RST0 = 0xd0,
    SOI = 0xd8,
    EOI,
    SOS
};

bool jpeg_sniff(const uint8_t *head, size_t head_bytes)
{
    return head_bytes >= 3 && head[0] == 0xff && head[1] == SOI && head[2] == 0xff;
}

static bool has_length(uint8_t marker)
{
    return marker != TEM && (marker < RST0 || marker > EOI);
}

bool jpeg_segment_next(const uint8_t *bytes, size_t length_bytes, size_t *position,
                       struct jpeg_segment *segment)
{
    size_t at = *position;
    do {
        const uint8_t *mark = at < length_bytes ? memchr(bytes + at, 0xff, length_bytes - at) : NULL;
        if (!mark)
            return false;
        at = (size_t)(mark - bytes);
        while (at < length_bytes && bytes[at] == 0xff)
            at++;
        if (at == length_bytes)
            return false;
        segment->marker = bytes[at++];
    } while (segment->marker == 0);
    segment->data = bytes + at;
    segment->length_bytes = 0;
    if (has_length(segment->marker)) {
        if (length_bytes - at < 2)
            return false;
        /* A length counts itself; less than that is damage, which is for the caller to see. */
        const size_t length = (size_t)bytes[at] << 8 | bytes[at + 1];
        segment->length_bytes = length < 2 ? SIZE_MAX : length - 2;
        segment->data = length >= 2 && length_bytes - at >= length ? bytes + at + 2 : NULL;
        at += length;
    }
    *position = at;
    return true;
}

static uint64_t blocks(uint64_t side, unsigned factor, unsigned most)
{
    return (side * factor + 8 * most - 1) / (8 * most);
}

uint64_t jpeg_blocks_across(const struct jpeg_header *header, unsigned component)
{
    return blocks(header->width, header->across[component], header->most_across);
}

uint64_t jpeg_blocks_down(const struct jpeg_header *header, unsigned component)
{
    return blocks(header->height, header->down[component], header->most_down);
}

/* Which of T.81's processes a frame uses: table B.1. */
static int check_process(uint8_t marker, uint8_t precision, struct error *error)
{
    const unsigned process = marker - SOF0;
    if (process == 3 || process == 7 || process == 11 || process == 15)
        return error_set(error, ERROR_UNSUPPORTED, "lossless JPEG (SOF%u) is not supported", process);
    if (process > 8)
        return error_set(error, ERROR_UNSUPPORTED, "arithmetic coding (SOF%u) is not supported", process);
    if (process > 2)
        return error_set(error, ERROR_UNSUPPORTED, "hierarchical JPEG (SOF%u) is not supported", process);
    if (precision != 8)
        return error_set(error, precision == 12 ? ERROR_UNSUPPORTED : ERROR_CORRUPT,
                         "%u bits a sample are not supported, only 8", precision);
    return 0;
}

static int check_limits(const struct jpeg_header *header, const struct codec_limits *limits,
                        struct error *error)
{
    const uint64_t pixels = (uint64_t)header->width * header->height;
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

/* B.2.2: precision, height, width, and for each component its name, sampling factors and table. */
static int read_frame(const struct jpeg_segment *segment, struct jpeg_header *header, struct error *error)
{
    const uint8_t *data = segment->data;
    TRY(check_process(segment->marker, segment->length_bytes ? data[0] : 8, error));
    if (segment->length_bytes < 6 || segment->length_bytes != 6 + 3 * (size_t)data[5])
        return error_set(error, ERROR_CORRUPT, "SOF: invalid length");
    header->height = (uint32_t)data[1] << 8 | data[2];
    header->width = (uint32_t)data[3] << 8 | data[4];
    header->components = data[5];
    header->progressive = segment->marker == SOF2;
    if (header->width == 0)
        return error_set(error, ERROR_CORRUPT, "SOF: a width of 0");
    if (header->height == 0)
        return error_set(error, ERROR_UNSUPPORTED,
                         "the height follows the pixels (DNL), which is not supported");
    if (header->width > JPEG_SIDE_MAX || header->height > JPEG_SIDE_MAX)
        return error_set(error, ERROR_UNSUPPORTED,
                         "%" PRIu32 "x%" PRIu32 " pixels; libjpeg takes up to %u a side", header->width,
                         header->height, JPEG_SIDE_MAX);
    if (header->components != 1 && header->components != 3 && header->components != 4)
        return error_set(error, ERROR_UNSUPPORTED, "%u components are neither grey, RGB nor CMYK",
                         header->components);
    header->most_across = header->most_down = 1;
    for (unsigned i = 0; i < header->components; i++) {
        const unsigned across = data[7 + 3 * i] >> 4, down = data[7 + 3 * i] & 15;
        if (across < 1 || across > 4 || down < 1 || down > 4)
            return error_set(error, ERROR_CORRUPT, "SOF: sampling factors %ux%u are not 1 to 4", across,
                             down);
        header->across[i] = (uint8_t)across;
        header->down[i] = (uint8_t)down;
        header->most_across = across > header->most_across ? (uint8_t)across : header->most_across;
        header->most_down = down > header->most_down ? (uint8_t)down : header->most_down;
    }
    return 0;
}

/* Each block takes a bit at least, whatever the process. */
static int check_promise(const struct jpeg_header *header, uint64_t file_bytes, struct error *error)
{
    uint64_t least_bits = 0;
    for (unsigned i = 0; i < header->components; i++)
        least_bits += jpeg_blocks_across(header, i) * jpeg_blocks_down(header, i);
    if (least_bits / 8 <= file_bytes)
        return 0;
    return error_set(error, ERROR_CORRUPT,
                     "promises %" PRIu32 "x%" PRIu32 " pixels, more than %" PRIu64 " bytes can hold",
                     header->width, header->height, file_bytes);
}

static void look_at(const struct jpeg_segment *segment, struct jpeg_header *header, bool *exif)
{
    if ((segment->marker < JPEG_MARKER_APP0 || segment->marker > JPEG_MARKER_APP2) &&
        segment->marker != JPEG_MARKER_APP13)
        return;
    header->meta_bytes = scratch_add(header->meta_bytes, keep_need(segment->length_bytes));
    if (segment->marker == JPEG_MARKER_APP1 && !*exif && JPEG_BEGINS(segment, JPEG_EXIF_START)) {
        const size_t start = sizeof JPEG_EXIF_START;
        header->orientation = exif_orientation(segment->data + start, segment->length_bytes - start);
        *exif = true;
    }
}

static int ends_early(size_t length_bytes, uint64_t file_bytes, struct error *error)
{
    if (length_bytes < file_bytes)
        return error_set(error, ERROR_ROOM,
                         "the header, with profile, EXIF and previews, is longer than %zu bytes",
                         length_bytes);
    return error_set(error, ERROR_CORRUPT, "file ends early, after %zu bytes", length_bytes);
}

int jpeg_header_read(const uint8_t *bytes, size_t length_bytes, uint64_t file_bytes,
                     const struct codec_limits *limits, struct jpeg_header *header, struct error *error)
{
    if (length_bytes == 0)
        return error_set(error, ERROR_CORRUPT, "file is empty");
    if (!jpeg_sniff(bytes, length_bytes))
        return error_set(error, ERROR_CORRUPT, "not a JPEG file");
    *header = (struct jpeg_header){0};
    struct jpeg_segment segment;
    bool exif = false;
    for (size_t at = 2; jpeg_segment_next(bytes, length_bytes, &at, &segment);) {
        const uint8_t marker = segment.marker;
        if (segment.length_bytes == SIZE_MAX)
            return error_set(error, ERROR_CORRUPT, "marker 0x%02x: invalid length", marker);
        if (marker == EOI || (marker == SOS && header->components == 0))
            return error_set(error, ERROR_CORRUPT, "has no image");
        if (!segment.data)
            break;
        if (marker == SOS) {
            header->several_scans =
                header->progressive || (segment.length_bytes > 0 && segment.data[0] < header->components);
            return 0;
        }
        if (marker >= SOF0 && marker < RST0 && marker != DHT && marker != JPG && marker != DAC) {
            if (header->components != 0)
                return error_set(error, ERROR_CORRUPT, "has two frames");
            TRY(read_frame(&segment, header, error));
            TRY(check_limits(header, limits, error));
            TRY(check_promise(header, file_bytes, error));
        }
        look_at(&segment, header, &exif);
    }
    return ends_early(length_bytes, file_bytes, error);
}
