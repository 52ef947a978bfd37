/* SPDX-License-Identifier: MIT */
/* What the files of the WebP codec share.
 *
 *   webp_riff.c    chunks: size, limits, where metadata lies; needs no library
 *   webp_decode.c  pixels through libwebp, and what that will cost at most
 *   webp_encode.c  pixels to a file through libwebp, and metadata around them
 *
 * The last two stand back for webp_missing.c in a build without libwebp. libwebp takes its memory from malloc
 * and cannot be told otherwise; what it takes at most is counted as scratch. */
#ifndef STAGES_CODEC_WEBP_PRIVATE_H
#define STAGES_CODEC_WEBP_PRIVATE_H

#include "stages/codec/webp_riff.h"

int webp_peek(const uint8_t *head, size_t head_bytes, uint64_t file_bytes, const struct codec_limits *limits,
              struct codec_info *info, struct error *error);
int webp_decode(struct codec_decode *job, struct error *error);
int webp_plan(const struct codec_save *save, const struct shape *shape, size_t meta_bytes,
              struct codec_plan *plan, struct error *error);
int webp_encode(struct codec_encode *job, struct error *error);

#endif
