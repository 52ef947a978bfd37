/* SPDX-License-Identifier: MIT */
#include <string.h>

#include <webp/encode.h>

#include "stages/codec/webp_private.h"

#define EXTENDED_BYTES (WEBP_RIFF_BYTES + WEBP_CHUNK_BYTES + WEBP_VP8X_BYTES)

/* Effort of the lossy encoder, 0 to 6, and of the lossless one, 0 to 9. */
static const struct {
    int method, level;
} settings[] = {
    [COMPRESSION_FASTEST] = {0, 0}, [COMPRESSION_FAST] = {2, 2},     [COMPRESSION_BALANCED] = {4, 6},
    [COMPRESSION_SMALL] = {5, 8},   [COMPRESSION_SMALLEST] = {6, 9},
};

static int word_of(const struct codec_save *save)
{
    const bool known = save->compression >= COMPRESSION_FASTEST && save->compression <= COMPRESSION_SMALLEST;
    return known ? save->compression : COMPRESSION_FAST;
}

/* What libwebp takes of malloc, a pixel at most, and whatever the image; measured with noise, which is its
 * worst case, at every setting by tests/stages/test_codec_memory.c. */
#define LOSSY_PIXEL_BYTES    16u
#define TOKEN_PIXEL_BYTES    24u
#define LOSSLESS_PIXEL_BYTES 64u
#define FIXED_BYTES          (2u << 20)

/* Of the lossless encoder, histograms for each of up to 2600 tiles (MAX_HUFF_IMAGE_SIZE), none under 4 x 4.
 */
#define TILE_BYTES 24576u
#define TILES_MAX  2600u

/* A pixel takes 4 bytes in the file when nothing can be saved, and a little for the codes that say so; lossy
 * ones stay below that at quality 100, too. */
#define FILE_PIXEL_BYTES 5u
#define FILE_FIXED_BYTES (16u << 10)

/* From method 3 on the lossy encoder keeps its tokens, 33 bytes for a pixel of noise at quality 100, unless
 * told to be low on memory, which was measured to take 1.7 times as long on photographs. So only large images
 * are. */
#define TOKEN_PIXELS_MAX 4000000u

static bool keeps_tokens(const struct codec_save *save, const struct shape *shape)
{
    return settings[word_of(save)].method >= 3 && (size_t)shape->width * shape->height <= TOKEN_PIXELS_MAX;
}

int webp_plan(const struct codec_save *save, const struct shape *shape, size_t meta_bytes,
              struct codec_plan *plan, struct error *error)
{
    if (shape->sample != SAMPLE_U8)
        return error_set(error, ERROR_UNSUPPORTED, "webp holds 8 bits a sample; put cast:type=u8 last");
    if (shape->width > WEBP_SIDE_MAX || shape->height > WEBP_SIDE_MAX)
        return error_set(error, ERROR_UNSUPPORTED, "webp holds up to %u pixels a side", WEBP_SIDE_MAX);
    if (save->strip)
        meta_bytes = 0;
    const size_t pixels = (size_t)shape->width * shape->height;
    plan->out_bytes =
        scratch_add(pixels * FILE_PIXEL_BYTES + FILE_FIXED_BYTES, keep_blocks_bytes(meta_bytes));
    plan->scratch_bytes =
        scratch_add(scratch_need(pixels, sizeof(uint32_t)), keep_blocks_scratch(meta_bytes));
    /* Alpha of a lossy image is encoded without loss. */
    if (save->lossless || shape_has_alpha(shape)) {
        const size_t tiles = ((size_t)shape->width / 4 + 1) * (shape->height / 4 + 1);
        plan->scratch_bytes = scratch_add(plan->scratch_bytes, pixels * LOSSLESS_PIXEL_BYTES);
        plan->scratch_bytes =
            scratch_add(plan->scratch_bytes, (tiles < TILES_MAX ? tiles : TILES_MAX) * TILE_BYTES);
    }
    if (!save->lossless)
        plan->scratch_bytes = scratch_add(plan->scratch_bytes, pixels * LOSSY_PIXEL_BYTES);
    if (!save->lossless && keeps_tokens(save, shape))
        plan->scratch_bytes = scratch_add(plan->scratch_bytes, pixels * TOKEN_PIXEL_BYTES);
    plan->scratch_bytes = scratch_add(plan->scratch_bytes, FIXED_BYTES);
    return 0;
}

static int configure(const struct codec_save *save, const struct shape *shape, WebPConfig *config)
{
    const int word = word_of(save);
    if (!WebPConfigInit(config))
        return 0;
    if (save->lossless) {
        const int level = save->level >= 0 && save->level <= 9 ? (int)save->level : settings[word].level;
        config->exact = 1; /* colours that cannot be seen stay as well */
        return WebPConfigLosslessPreset(config, level);
    }
    config->quality = (float)save->quality;
    config->method = settings[word].method;
    config->low_memory = !keeps_tokens(save, shape);
    return WebPValidateConfig(config);
}

/* libwebp's pixels: alpha in the upper byte, then red, green, blue. */
static void fill(uint32_t *to, const uint8_t *from, const struct shape *shape)
{
    const size_t pixels = (size_t)shape->width * shape->height, channels = shape->channels;
    const size_t green = channels >= 3 ? 1 : 0, blue = channels >= 3 ? 2 : 0;
    const bool alpha = shape_has_alpha(shape);
    for (size_t i = 0; i < pixels; i++, from += channels) {
        const uint32_t opaque = alpha ? from[channels - 1] : 255;
        to[i] = opaque << 24 | (uint32_t)from[0] << 16 | (uint32_t)from[green] << 8 | from[blue];
    }
}

static int write_bytes(const uint8_t *data, size_t length_bytes, const WebPPicture *picture)
{
    struct codec_encode *job = picture->custom_ptr;
    if (length_bytes > job->bytes_size - job->length_bytes)
        return 0;
    memcpy(job->bytes + job->length_bytes, data, length_bytes);
    job->length_bytes += length_bytes;
    return 1;
}

static int write_pixels(struct codec_encode *job, struct error *error)
{
    WebPConfig config;
    WebPPicture picture;
    if (!configure(job->save, &job->shape, &config) || !WebPPictureInit(&picture))
        return error_set(error, ERROR_INTERNAL, "libwebp does not take its settings");
    uint32_t *pixels =
        scratch_alloc(job->scratch, (size_t)job->shape.width * job->shape.height, sizeof *pixels);
    if (!pixels)
        return error_set(error, ERROR_MEMORY, "more scratch needed than was planned");
    fill(pixels, job->pixels, &job->shape);
    picture.use_argb = 1;
    picture.argb = pixels;
    picture.argb_stride = (int)job->shape.width;
    picture.width = (int)job->shape.width;
    picture.height = (int)job->shape.height;
    picture.writer = write_bytes;
    picture.custom_ptr = job;
    const int done = WebPEncode(&config, &picture);
    const WebPEncodingError code = picture.error_code;
    WebPPictureFree(&picture); /* what libwebp added to it */
    if (done)
        return 0;
    if (code == VP8_ENC_ERROR_OUT_OF_MEMORY || code == VP8_ENC_ERROR_BITSTREAM_OUT_OF_MEMORY)
        return error_set(error, ERROR_MEMORY, "libwebp: out of memory");
    if (code == VP8_ENC_ERROR_PARTITION0_OVERFLOW || code == VP8_ENC_ERROR_PARTITION_OVERFLOW)
        return error_set(error, ERROR_UNSUPPORTED, "too much for one WebP file; lower the quality");
    return error_set(error, ERROR_INTERNAL, "libwebp: error %d", (int)code);
}

static void write24(uint8_t *at, size_t value)
{
    for (unsigned i = 0; i < 3; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

static void write32(uint8_t *at, size_t value)
{
    write24(at, value);
    at[3] = (uint8_t)(value >> 24);
}

static size_t chunk_bytes(const struct keep_block *block)
{
    return block->bytes ? WEBP_CHUNK_BYTES + block->length_bytes + (block->length_bytes & 1) : 0;
}

static uint8_t *write_chunk(uint8_t *at, const char type[4], const struct keep_block *block)
{
    if (!block->bytes)
        return at;
    memcpy(at, type, 4);
    write32(at + 4, block->length_bytes);
    memcpy(at + WEBP_CHUNK_BYTES, block->bytes, block->length_bytes);
    at += WEBP_CHUNK_BYTES + block->length_bytes;
    if (block->length_bytes & 1)
        *at++ = 0;
    return at;
}

/* Puts the chunks of metadata around the image (RFC 9649, 2.7): the profile before, the others behind. */
static int add_blocks(struct codec_encode *job, const struct keep_blocks *blocks, struct error *error)
{
    uint8_t *const bytes = job->bytes;
    const bool extended = memcmp(bytes + WEBP_RIFF_BYTES, "VP8X", 4) == 0;
    const size_t start = extended ? EXTENDED_BYTES : WEBP_RIFF_BYTES, image_bytes = job->length_bytes - start;
    const size_t profile_bytes = chunk_bytes(&blocks->profile);
    const size_t total =
        EXTENDED_BYTES + image_bytes + profile_bytes + chunk_bytes(&blocks->exif) + chunk_bytes(&blocks->xmp);
    if (total > job->bytes_size || total > UINT32_MAX)
        return error_set(error, ERROR_INTERNAL, "the file came out larger than planned");
    uint8_t flags = extended ? bytes[WEBP_RIFF_BYTES + WEBP_CHUNK_BYTES] : 0;
    const uint8_t *image = bytes + start + WEBP_CHUNK_BYTES;
    if (memcmp(bytes + start, "VP8L", 4) == 0 && (image[4] & 0x10))
        flags |= WEBP_ALPHA;
    flags |= blocks->profile.bytes ? WEBP_ICC : 0;
    flags |= blocks->exif.bytes ? WEBP_EXIF : 0;
    flags |= blocks->xmp.bytes ? WEBP_XMP : 0;

    memmove(bytes + EXTENDED_BYTES + profile_bytes, bytes + start, image_bytes);
    write_chunk(bytes + EXTENDED_BYTES, "ICCP", &blocks->profile);
    uint8_t *end = bytes + EXTENDED_BYTES + profile_bytes + image_bytes;
    end = write_chunk(end, "EXIF", &blocks->exif);
    write_chunk(end, "XMP ", &blocks->xmp);
    uint8_t extension[WEBP_VP8X_BYTES] = {flags};
    write24(extension + 4, job->shape.width - 1);
    write24(extension + 7, job->shape.height - 1);
    write_chunk(bytes + WEBP_RIFF_BYTES, "VP8X", &(struct keep_block){extension, sizeof extension});
    write32(bytes + 4, total - 8);
    job->length_bytes = total;
    return 0;
}

int webp_encode(struct codec_encode *job, struct error *error)
{
    struct keep_blocks blocks;
    job->warnings = 0;
    job->warning[0] = '\0';
    job->length_bytes = 0;
    if (!shape_valid(&job->shape) || job->shape.sample != SAMPLE_U8 || job->shape.width > WEBP_SIDE_MAX ||
        job->shape.height > WEBP_SIDE_MAX)
        return error_set(error, ERROR_INTERNAL, "asked to encode a shape that was not planned");
    TRY(keep_blocks(job, &blocks, error));
    TRY(write_pixels(job, error));
    if (blocks.resource_count > 0)
        keep_warn(&job->warnings, job->warning, sizeof job->warning, "%s", KEEP_NO_RESOURCES);
    if (blocks.profile.bytes || blocks.exif.bytes || blocks.xmp.bytes)
        TRY(add_blocks(job, &blocks, error));
    return 0;
}
