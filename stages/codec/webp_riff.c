/* SPDX-License-Identifier: MIT */
#include "stages/codec/webp_riff.h"

#include <inttypes.h>
#include <string.h>

#include "stages/codec/exif.h"

static uint32_t read16(const uint8_t *at)
{
    return (uint32_t)at[1] << 8 | at[0];
}

static uint32_t read24(const uint8_t *at)
{
    return (uint32_t)at[2] << 16 | (uint32_t)at[1] << 8 | at[0];
}

static uint32_t read32(const uint8_t *at)
{
    return (uint32_t)at[3] << 24 | read24(at);
}

bool webp_sniff(const uint8_t *head, size_t head_bytes)
{
    return head_bytes >= WEBP_RIFF_BYTES && memcmp(head, "RIFF", 4) == 0 && memcmp(head + 8, "WEBP", 4) == 0;
}

struct chunk {
    const uint8_t *type;
    const uint8_t *data;    /* NULL when not all of it is at hand */
    const uint8_t *at_hand; /* where it begins, and how much of it is there */
    size_t length_bytes, at_hand_bytes;
};

struct walk {
    const uint8_t *bytes;
    size_t length_bytes; /* at hand */
    size_t end_bytes;    /* of the list */
    size_t at;
    uint8_t flags;
    bool extended, image;
    struct error *error;
};

/* 1 and the next chunk, 0 where the list ends or what is at hand does, or ERROR_CORRUPT. */
static int next(struct walk *walk, struct chunk *chunk)
{
    if (walk->at >= walk->end_bytes)
        return 0;
    if (walk->end_bytes - walk->at < WEBP_CHUNK_BYTES)
        return error_set(walk->error, ERROR_CORRUPT, "RIFF: the list ends within a chunk");
    if (walk->at >= walk->length_bytes || walk->length_bytes - walk->at < WEBP_CHUNK_BYTES)
        return 0;
    *chunk =
        (struct chunk){.type = walk->bytes + walk->at, .length_bytes = read32(walk->bytes + walk->at + 4)};
    walk->at += WEBP_CHUNK_BYTES;
    if (chunk->length_bytes > walk->end_bytes - walk->at)
        return error_set(walk->error, ERROR_CORRUPT, "RIFF: the list ends within a chunk");
    const size_t left = walk->length_bytes - walk->at;
    chunk->at_hand = walk->bytes + walk->at;
    chunk->at_hand_bytes = left < chunk->length_bytes ? left : chunk->length_bytes;
    chunk->data = chunk->at_hand_bytes == chunk->length_bytes ? chunk->at_hand : NULL;
    walk->at += chunk->length_bytes + (chunk->length_bytes & 1);
    return 1;
}

static bool is(const struct chunk *chunk, const char type[4])
{
    return memcmp(chunk->type, type, 4) == 0;
}

/* RFC 9649, 2.7. */
static int read_extended(struct walk *walk, const struct chunk *chunk, struct webp_header *header)
{
    if (chunk->length_bytes < WEBP_VP8X_BYTES || !chunk->data)
        return error_set(walk->error, ERROR_CORRUPT, "VP8X: invalid length");
    walk->flags = chunk->data[0];
    walk->extended = true;
    if (walk->flags & WEBP_ANIMATION)
        return error_set(walk->error, ERROR_UNSUPPORTED, "an animation, which is not supported");
    header->width = read24(chunk->data + 4) + 1;
    header->height = read24(chunk->data + 7) + 1;
    header->alpha = walk->flags & WEBP_ALPHA;
    return 0;
}

/* RFC 6386, 9.1: a key frame's tag, start code, width and height. RFC 9649, 3.4: signature, width - 1 and
 * height - 1 in 14 bits each, alpha, version. */
static int read_image(struct walk *walk, const struct chunk *chunk, struct webp_header *header)
{
    const uint8_t *data = chunk->at_hand;
    uint32_t width, height;
    walk->image = true;
    header->lossless = is(chunk, "VP8L");
    if (header->lossless) {
        if (chunk->at_hand_bytes < 5 || data[0] != 0x2f || data[4] >> 5 != 0)
            return error_set(walk->error, ERROR_CORRUPT, "VP8L: invalid header");
        const uint32_t sizes = read32(data + 1);
        width = (sizes & 0x3fff) + 1;
        height = (sizes >> 14 & 0x3fff) + 1;
        header->alpha = header->alpha || (sizes >> 28 & 1);
    } else {
        if (chunk->at_hand_bytes < 10 || (data[0] & 1) != 0 || memcmp(data + 3, "\x9d\x01\x2a", 3) != 0)
            return error_set(walk->error, ERROR_CORRUPT, "VP8: invalid header");
        width = read16(data + 6) & 0x3fff;
        height = read16(data + 8) & 0x3fff;
    }
    if (walk->extended && (width != header->width || height != header->height))
        return error_set(walk->error, ERROR_CORRUPT,
                         "VP8X promises %" PRIu32 "x%" PRIu32 " pixels, not %" PRIu32 "x%" PRIu32,
                         header->width, header->height, width, height);
    header->width = width;
    header->height = height;
    return 0;
}

static int look_at(struct walk *walk, const struct chunk *chunk, struct webp_header *header)
{
    const struct {
        const char *type;
        struct keep_block *block;
        unsigned flag;
    } kept[] = {{"ICCP", &header->profile, WEBP_ICC},
                {"EXIF", &header->exif, WEBP_EXIF},
                {"XMP ", &header->xmp, WEBP_XMP}};
    if (!walk->image && (is(chunk, "VP8 ") || is(chunk, "VP8L")))
        return read_image(walk, chunk, header);
    if (is(chunk, "ANMF") || is(chunk, "ANIM"))
        return error_set(walk->error, ERROR_UNSUPPORTED, "an animation, which is not supported");
    for (unsigned i = 0; i < 3; i++) {
        if (!is(chunk, kept[i].type) || !(walk->flags & kept[i].flag) || kept[i].block->length_bytes)
            continue;
        *kept[i].block = (struct keep_block){chunk->data, chunk->length_bytes};
        header->meta_bytes = scratch_add(header->meta_bytes, keep_need(chunk->length_bytes));
    }
    return 0;
}

static int check_limits(const struct webp_header *header, const struct codec_limits *limits,
                        struct error *error)
{
    const uint64_t pixels = (uint64_t)header->width * header->height;
    if (header->width == 0 || header->height == 0)
        return error_set(error, ERROR_CORRUPT, "impossible size %" PRIu32 "x%" PRIu32, header->width,
                         header->height);
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
    if (header->width > WEBP_SIDE_MAX + 1 || header->height > WEBP_SIDE_MAX + 1)
        return error_set(error, ERROR_CORRUPT, "impossible size %" PRIu32 "x%" PRIu32, header->width,
                         header->height);
    return 0;
}

/* What lies beyond what is at hand. */
static int check_rest(const struct walk *walk, uint64_t file_bytes, struct webp_header *header)
{
    if (walk->length_bytes >= file_bytes)
        return walk->image ? 0 : error_set(walk->error, ERROR_CORRUPT, "has no image");
    if ((walk->flags & WEBP_EXIF) && !header->exif.bytes)
        return error_set(walk->error, ERROR_ROOM, "its EXIF lies beyond the first %zu bytes",
                         walk->length_bytes);
    if (!walk->image && !walk->extended)
        return error_set(walk->error, ERROR_CORRUPT, "has no image");
    if (!walk->image)
        header->lossless = true; /* it may be */
    if (((walk->flags & WEBP_ICC) && !header->profile.length_bytes) ||
        ((walk->flags & WEBP_XMP) && !header->xmp.length_bytes))
        header->meta_bytes = scratch_add(header->meta_bytes, keep_need(walk->end_bytes));
    return 0;
}

int webp_header_read(const uint8_t *bytes, size_t length_bytes, uint64_t file_bytes,
                     const struct codec_limits *limits, struct webp_header *header, struct error *error)
{
    if (length_bytes == 0)
        return error_set(error, ERROR_CORRUPT, "file is empty");
    if (!webp_sniff(bytes, length_bytes))
        return error_set(error, ERROR_CORRUPT, "not a WebP file");
    const uint64_t end = (uint64_t)read32(bytes + 4) + 8;
    if (end > file_bytes)
        return error_set(error, ERROR_CORRUPT, "file ends early: %" PRIu64 " bytes, %" PRIu64 " promised",
                         file_bytes, end);
    *header = (struct webp_header){.end_bytes = (size_t)end};
    struct walk walk = {.bytes = bytes,
                        .length_bytes = length_bytes < end ? length_bytes : (size_t)end,
                        .end_bytes = (size_t)end,
                        .at = WEBP_RIFF_BYTES,
                        .error = error};
    struct chunk chunk = {0};
    int more;
    while ((more = next(&walk, &chunk)) > 0) {
        const bool first = !walk.image && !walk.extended;
        if (first && is(&chunk, "VP8X"))
            TRY(read_extended(&walk, &chunk, header));
        else if (first && !is(&chunk, "VP8 ") && !is(&chunk, "VP8L"))
            return error_set(error, ERROR_CORRUPT, "RIFF: the first chunk is no image");
        else
            TRY(look_at(&walk, &chunk, header));
        if (walk.image && !walk.extended)
            break; /* a simple file has one chunk */
    }
    TRY(more);
    TRY(check_rest(&walk, end, header));
    TRY(check_limits(header, limits, error));
    if (header->exif.bytes)
        header->orientation = exif_orientation(header->exif.bytes, header->exif.length_bytes);
    return 0;
}
