/* SPDX-License-Identifier: MIT */
/* PBM, PGM, PPM and PAM, plain and raw; raw by rows, too. */
#include "fuzz_codec.h"

extern const struct codec pnm_codec;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_image image;
    const int code = fuzz_decode(&pnm_codec, data, size, &fuzz_limits, &image);
    if (size > 1 && (data[1] < '1' || data[1] > '3'))
        fuzz_compare_rows(&pnm_codec, data, size, &fuzz_limits, code, &image);
    if (code < 0)
        return 0;
    fuzz_round_trip(&pnm_codec, &fuzz_limits, &image);
    fuzz_free(&image);
    return 0;
}
