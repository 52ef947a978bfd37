/* SPDX-License-Identifier: MIT */
/* Stands in for the other jpeg_*.c in a build without libjpeg: files are known as what they are and refused.
 */
#include "stages/codec/jpeg_header.h"

static int lacks(struct error *error)
{
    return error_set(error, ERROR_UNSUPPORTED, "this build lacks libjpeg");
}

static int jpeg_peek(const uint8_t *head, size_t head_bytes, uint64_t file_bytes,
                     const struct codec_limits *limits, struct codec_info *info, struct error *error)
{
    (void)head, (void)head_bytes, (void)file_bytes, (void)limits, (void)info;
    return lacks(error);
}

static int jpeg_decode(struct codec_decode *job, struct error *error)
{
    (void)job;
    return lacks(error);
}

static int jpeg_plan(const struct codec_save *save, const struct shape *shape, size_t meta_bytes,
                     struct codec_plan *plan, struct error *error)
{
    (void)save, (void)shape, (void)meta_bytes, (void)plan;
    return lacks(error);
}

static int jpeg_encode(struct codec_encode *job, struct error *error)
{
    (void)job;
    return lacks(error);
}

static const char *jpeg_version(void)
{
    return "libjpeg: not in this build";
}

const struct codec jpeg_codec = {
    .name = "jpeg",
    .summary = "JPEG (not in this build)",
    .extensions = "jpg|jpeg|jpe|jfif",
    .kinds = CODEC_IMAGES,
    .sniff = jpeg_sniff,
    .peek = jpeg_peek,
    .decode = jpeg_decode,
    .plan = jpeg_plan,
    .encode = jpeg_encode,
    .version = jpeg_version,
};
