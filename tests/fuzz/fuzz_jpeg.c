/* SPDX-License-Identifier: MIT */
/* JPEG, strictly, by rows and salvaged. */
#include "fuzz_codec.h"

extern const struct codec jpeg_codec;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct codec_load load = {.on_corrupt = CODEC_SALVAGE};
    struct codec_limits lenient = fuzz_limits;
    struct fuzz_image image;
    lenient.load = &load;
    const int code = fuzz_decode(&jpeg_codec, data, size, &fuzz_limits, &image);
    fuzz_compare_rows(&jpeg_codec, data, size, &fuzz_limits, code, &image);
    if (code == 0)
        fuzz_free(&image);
    if (fuzz_decode(&jpeg_codec, data, size, &lenient, &image) == 0)
        fuzz_free(&image);
    return 0;
}
