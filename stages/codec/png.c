/* SPDX-License-Identifier: MIT */
/* Portable Network Graphics (ISO/IEC 15948:2004; PNG specification, third edition), through libpng and,
 * where they serve, faster libraries. */
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "stages/codec/deflate.h"
#include "stages/codec/png_private.h"

static bool png_sniff(const uint8_t *head, size_t head_bytes)
{
    /* Half of the signature is claim enough: a file that was mangled on its way is then called a damaged PNG
     * and not an unknown format. */
    return head_bytes >= 4 && memcmp(head, "\x89PNG", 4) == 0;
}

static const char *png_version(void)
{
    static char text[160];
    snprintf(text, sizeof text, "libpng %s (built with %s), zlib %s (built with %s)",
             png_get_libpng_ver(NULL), PNG_LIBPNG_VER_STRING, zlibVersion(), ZLIB_VERSION);
    deflate_versions(text, sizeof text);
    return text;
}

const struct codec png_codec = {
    .name = "png",
    .summary = "Portable Network Graphics",
    .extensions = "png",
    .kinds = CODEC_IMAGES,
    .sniff = png_sniff,
    .peek = png_peek,
    .decode = png_decode,
    .open = png_rows_open,
    .rows = png_rows_next,
    .close = png_rows_close,
    .plan = png_plan,
    .encode = png_encode,
    .begin = png_put_begin,
    .put = png_put_rows,
    .finish = png_put_finish,
    .version = png_version,
};
