/* SPDX-License-Identifier: MIT */
#include <string.h>

#include <webp/decode.h>

#include "stages/codec/webp_private.h"

/* What libwebp takes, from src/dec of its sources. Lossy: buffers of a few rows, and the plane of alpha with
 * what its own lossless stream takes. Lossless: the pixels, up to three images of a quarter of the sides that
 * steer the decoding, 17 rows, and tables of Huffman codes, of which libwebp's encoder makes up to 2600 sets
 * (MAX_HUFF_IMAGE_SIZE) of up to 5004 entries of 4 bytes and 600 bytes of their own. */
#define ROW_PIXEL_BYTES 160u
#define SET_BYTES       20616u
#define SETS_MAX        2600u
#define FIXED_BYTES     (128u << 10)

static size_t malloc_most(const struct webp_header *header)
{
    const size_t pixels = (size_t)header->width * header->height;
    const size_t quarters = ((size_t)header->width / 4 + 1) * (header->height / 4 + 1);
    const size_t sets = quarters < SETS_MAX ? quarters : SETS_MAX;
    size_t total = FIXED_BYTES + (size_t)header->width * ROW_PIXEL_BYTES;
    if (header->alpha && !header->lossless)
        total = scratch_add(total, pixels);
    if (header->alpha || header->lossless)
        total = scratch_add(total, 4 * pixels + 12 * quarters + sets * SET_BYTES);
    return total;
}

static size_t meta_scratch(size_t meta_bytes)
{
    const size_t each = scratch_need(1, scratch_add(meta_bytes, keep_need(0)));
    return scratch_add(each, each); /* the entries made of a profile and of XMP */
}

int webp_peek(const uint8_t *head, size_t head_bytes, uint64_t file_bytes, const struct codec_limits *limits,
              struct codec_info *info, struct error *error)
{
    struct webp_header header;
    TRY(webp_header_read(head, head_bytes, file_bytes, limits, &header, error));
    const uint64_t most_bytes = limits->max_metadata_bytes;
    *info = (struct codec_info){
        .shape = {.width = header.width,
                  .height = header.height,
                  .channels = header.alpha ? 4 : 3,
                  .sample = SAMPLE_U8,
                  .bits = 8,
                  .orientation = header.orientation},
        .meta_bytes = header.meta_bytes < most_bytes ? header.meta_bytes : (size_t)most_bytes,
    };
    info->scratch_bytes = scratch_add(malloc_most(&header), meta_scratch(info->meta_bytes));
    return 0;
}

static int failed(VP8StatusCode status, struct error *error)
{
    switch (status) {
    case VP8_STATUS_OUT_OF_MEMORY:
        return error_set(error, ERROR_MEMORY, "libwebp: out of memory");
    case VP8_STATUS_UNSUPPORTED_FEATURE:
        return error_set(error, ERROR_UNSUPPORTED, "libwebp: a feature that is not supported");
    case VP8_STATUS_NOT_ENOUGH_DATA:
    case VP8_STATUS_SUSPENDED:
        return error_set(error, ERROR_CORRUPT, "libwebp: the image ends early");
    case VP8_STATUS_BITSTREAM_ERROR:
        return error_set(error, ERROR_CORRUPT, "libwebp: the image is damaged");
    default:
        return error_set(error, ERROR_INTERNAL, "libwebp: status %d", (int)status);
    }
}

static int read_pixels(struct codec_decode *job, const struct webp_header *header, struct error *error)
{
    WebPDecoderConfig config;
    if (!WebPInitDecoderConfig(&config))
        return error_set(error, ERROR_INTERNAL, "libwebp is of another version than its header");
    VP8StatusCode status = WebPGetFeatures(job->bytes, header->end_bytes, &config.input);
    if (status != VP8_STATUS_OK)
        return failed(status, error);
    job->shape = (struct shape){.width = header->width,
                                .height = header->height,
                                .channels = config.input.has_alpha ? 4 : 3,
                                .sample = SAMPLE_U8,
                                .bits = 8,
                                .orientation = header->orientation};
    if (config.input.width != (int)header->width || config.input.height != (int)header->height ||
        config.input.has_animation)
        return error_set(error, ERROR_INTERNAL, "libwebp sees another header");
    if (shape_bytes(&job->shape) > job->pixels_bytes)
        return error_set(error, ERROR_MEMORY, "more room for pixels needed than was planned");
    config.output.colorspace = config.input.has_alpha ? MODE_RGBA : MODE_RGB;
    config.output.is_external_memory = 1;
    config.output.u.RGBA = (WebPRGBABuffer){
        .rgba = job->pixels, .stride = (int)shape_row_bytes(&job->shape), .size = shape_bytes(&job->shape)};
    status = WebPDecode(job->bytes, header->end_bytes, &config);
    WebPFreeDecBuffer(&config.output);
    return status == VP8_STATUS_OK ? 0 : failed(status, error);
}

int webp_decode(struct codec_decode *job, struct error *error)
{
    struct webp_header header;
    job->warnings = 0;
    job->warning[0] = '\0';
    TRY(webp_header_read(job->bytes, job->length_bytes, job->length_bytes, job->limits, &header, error));
    TRY(read_pixels(job, &header, error));
    if (job->meta && header.profile.bytes)
        TRY(keep_profile(job, header.profile.bytes, header.profile.length_bytes, error));
    if (job->meta && header.exif.bytes)
        TRY(keep_exif(job, header.exif.bytes, header.exif.length_bytes, error));
    if (job->meta && header.xmp.bytes)
        TRY(keep_xmp(job, header.xmp.bytes, header.xmp.length_bytes, error));
    if (header.end_bytes < job->length_bytes)
        keep_warn(&job->warnings, job->warning, sizeof job->warning, "%zu bytes after the end of the image",
                  job->length_bytes - header.end_bytes);
    return 0;
}
