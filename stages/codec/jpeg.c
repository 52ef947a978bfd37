/* SPDX-License-Identifier: MIT */
/* JPEG (ITU-T T.81): baseline and progressive with Huffman codes, 8 bits a sample, through libjpeg. */
#include <string.h>

#include "stages/codec/jpeg_private.h"

#define TEXT_OF(number) #number
#define TEXT(number)    TEXT_OF(number)

/* libjpeg-turbo does not tell its version at run time. */
static const char *jpeg_version(void)
{
#ifdef LIBJPEG_TURBO_VERSION
    return "libjpeg-turbo (built with " TEXT(LIBJPEG_TURBO_VERSION) ")";
#else
    return "libjpeg (built with version " TEXT(JPEG_LIB_VERSION) " of its interface)";
#endif
}

const struct codec jpeg_codec = {
    .name = "jpeg",
    .summary = "JPEG, baseline and progressive",
    .extensions = "jpg|jpeg|jpe|jfif",
    .kinds = CODEC_IMAGES,
    .shrinks = 3,
    .lossy = true,
    .sniff = jpeg_sniff,
    .peek = jpeg_peek,
    .decode = jpeg_decode,
    .open = jpeg_rows_open,
    .rows = jpeg_rows_next,
    .close = jpeg_rows_close,
    .leave = jpeg_rows_leave,
    .plan = jpeg_plan,
    .encode = jpeg_encode,
    .begin = jpeg_put_begin,
    .put = jpeg_put_rows,
    .finish = jpeg_put_finish,
    .abandon = jpeg_put_abandon,
    .version = jpeg_version,
};
