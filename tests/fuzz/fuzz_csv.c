/* SPDX-License-Identifier: MIT */
/* Tables, with and without names in the first line, other delimiters and words for what is missing. */
#include "fuzz_codec.h"

extern const struct codec csv_codec, tsv_codec;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char *const delimiters[] = {NULL, ";", "tab", "|"}, *const missing[] = {NULL, "nan", "0"};
    struct codec_load load = {.header = (int)(size % 3), .dtype = (int)(size % 14)};
    struct codec_limits limits = fuzz_limits;
    struct fuzz_image image;
    load.delimiter = delimiters[size / 3 % 4];
    load.missing = missing[size / 5 % 3];
    limits.load = &load;
    if (fuzz_decode(&csv_codec, data, size, &limits, &image) == 0)
        fuzz_free(&image);
    if (fuzz_decode(&tsv_codec, data, size, &fuzz_limits, &image) == 0)
        fuzz_free(&image);
    return 0;
}
