/* SPDX-License-Identifier: MIT */
/* Stands in for the other webp_*.c in a build without libwebp: files are known as what they are and refused.
 */
#include "stages/codec/webp_riff.h"

static int lacks(struct error *error)
{
    return error_set(error, ERROR_UNSUPPORTED, "this build lacks libwebp");
}

static int webp_peek(const uint8_t *head, size_t head_bytes, uint64_t file_bytes,
                     const struct codec_limits *limits, struct codec_info *info, struct error *error)
{
    (void)head, (void)head_bytes, (void)file_bytes, (void)limits, (void)info;
    return lacks(error);
}

static int webp_decode(struct codec_decode *job, struct error *error)
{
    (void)job;
    return lacks(error);
}

static int webp_plan(const struct codec_save *save, const struct shape *shape, size_t meta_bytes,
                     struct codec_plan *plan, struct error *error)
{
    (void)save, (void)shape, (void)meta_bytes, (void)plan;
    return lacks(error);
}

static int webp_encode(struct codec_encode *job, struct error *error)
{
    (void)job;
    return lacks(error);
}

static const char *webp_version(void)
{
    return "libwebp: not in this build";
}

const struct codec webp_codec = {
    .name = "webp",
    .summary = "WebP (not in this build)",
    .extensions = "webp",
    .kinds = CODEC_IMAGES,
    .sniff = webp_sniff,
    .peek = webp_peek,
    .decode = webp_decode,
    .plan = webp_plan,
    .encode = webp_encode,
    .version = webp_version,
};
