/* SPDX-License-Identifier: MIT */
/* WebP, lossy and lossless. */
#include "fuzz_codec.h"

extern const struct codec webp_codec;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_image image;
    if (fuzz_decode(&webp_codec, data, size, &fuzz_limits, &image) == 0)
        fuzz_free(&image);
    return 0;
}
