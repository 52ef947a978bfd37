/* SPDX-License-Identifier: MIT */
/* WebP (RFC 9649), lossy and lossless still images, through libwebp. */
#include <stdio.h>

#include <webp/decode.h>
#include <webp/encode.h>

#include "stages/codec/webp_private.h"

static const char *webp_version(void)
{
    static char text[64];
    const int in = WebPGetDecoderVersion(), out = WebPGetEncoderVersion();
    snprintf(text, sizeof text, "libwebp %d.%d.%d, its encoder %d.%d.%d", in >> 16, in >> 8 & 255, in & 255,
             out >> 16, out >> 8 & 255, out & 255);
    return text;
}

const struct codec webp_codec = {
    .name = "webp",
    .summary = "WebP, lossy and lossless, without animation",
    .extensions = "webp",
    .kinds = CODEC_IMAGES,
    .lossy = true,
    .sniff = webp_sniff,
    .peek = webp_peek,
    .decode = webp_decode,
    .plan = webp_plan,
    .encode = webp_encode,
    .version = webp_version,
};
