/* SPDX-License-Identifier: MIT */
/* Arrays: .npy, .npz and raw data, whose shape is given beside it. */
#include "fuzz_codec.h"

extern const struct codec npy_codec, npz_codec, raw_codec;

/* Shapes for raw data; most do not fit, which must be said. */
static void look_raw(const uint8_t *data, size_t size)
{
    static char *const shapes[] = {NULL, "4", "3x5", "0x7", "2x2x2x2x2x2x2x2", "99999999999x99999999999",
                                   "x",  "1x"};
    struct codec_load load = {
        .dtype = (int)(size % 13), .byte_order = (int)(size % 2), .order = (int)(size / 2 % 2)};
    struct codec_limits limits = fuzz_limits;
    struct fuzz_image image;
    load.shape = size ? shapes[data[0] % (sizeof shapes / sizeof *shapes)] : NULL;
    load.offset_bytes = size % 3;
    limits.load = &load;
    if (fuzz_decode(&raw_codec, data, size, &limits, &image) == 0)
        fuzz_free(&image);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_image image;
    if (fuzz_decode(&npy_codec, data, size, &fuzz_limits, &image) == 0)
        fuzz_free(&image);
    if (fuzz_decode(&npz_codec, data, size, &fuzz_limits, &image) == 0)
        fuzz_free(&image);
    look_raw(data, size);
    return 0;
}
