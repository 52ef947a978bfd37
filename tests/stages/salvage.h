/* SPDX-License-Identifier: MIT */
/* What decoders of damaged images owe where they are asked to salvage. */
#ifndef TESTS_SALVAGE_H
#define TESTS_SALVAGE_H

#include "codec_exact.h"

/* Asked to make the best of it: what is sound stays as it is; of what is not something may be had, in the
 * memory that was planned and the same every time, and a warning says so. */
static inline void check_salvage(const struct codec *codec, const struct codec_limits *strict_limits,
                                 const uint8_t *bytes, size_t length_bytes, const struct exact *strict,
                                 int code)
{
    static const struct codec_load load = {.on_corrupt = CODEC_SALVAGE};
    struct codec_limits limits = *strict_limits;
    struct exact exact;
    limits.load = &load;
    const int salvaged = exact_decode(codec, bytes, length_bytes, &limits, &exact);
    if (code == 0) {
        assert_int_equal(salvaged, 0);
        assert_memory_equal(exact.pixels, strict->pixels, shape_bytes(&exact.shape));
        assert_int_equal(exact.warnings, strict->warnings);
    } else if (salvaged == 0) {
        assert_int_equal(code, ERROR_CORRUPT);
        assert_int_equal(strncmp(exact.warning, "salvaged ", 9), 0);
    } else {
        assert_int_equal(salvaged, code);
    }
    if (salvaged == 0)
        exact_free(&exact);
}

#endif
