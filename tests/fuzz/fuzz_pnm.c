/* SPDX-License-Identifier: MIT */
/* PBM, PGM, PPM and PAM, plain and raw. */
#include "fuzz_codec.h"

extern const struct codec pnm_codec;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_image image;
    if (fuzz_decode(&pnm_codec, data, size, &fuzz_limits, &image) < 0)
        return 0;
    fuzz_round_trip(&pnm_codec, &fuzz_limits, &image);
    fuzz_free(&image);
    return 0;
}
