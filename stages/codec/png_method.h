/* SPDX-License-Identifier: MIT */
/* How pixels are compressed on the fast path: by which library, how hard, and after which filters. */
#ifndef STAGES_CODEC_PNG_METHOD_H
#define STAGES_CODEC_PNG_METHOD_H

#include "stages/codec.h"
#include "stages/codec/deflate.h"

/* The set of filters that has none to choose from. */
#define PNG_UNFILTERED 1u

/* A way to compress: which filters there are to choose from, and how hard to try. */
struct png_set {
    int level; /* of the library */
    unsigned filters;
};

#define PNG_MOST_SETS 3

/* bench/results/codec.md says what came of each. Where there are several sets, the one is taken with which a
 * sample of the rows becomes smallest. For pictures and for drawings it is one library; where that takes
 * pieces, of one level, since a stream that has begun keeps both. */
struct png_method {
    enum deflate_library library;
    struct png_set sets[PNG_MOST_SETS]; /* no more where there are no filters */
};

/* libdeflate's level 1 is slow where there are runs: slower than level 5, and its files are larger. What has
 * fewer of them may still be a drawing, and twice as large with filters as with none; that is worth a look in
 * large images, where the sample is a small part. From noisy to drawing, ever more pixels are like their
 * neighbours. */
enum png_content { PNG_NOISY, PNG_PICTURE, PNG_MIXED, PNG_DRAWING, PNG_CONTENTS };

/* What the first `count` rows are. */
enum png_content png_content_of(const struct shape *shape, const uint8_t *rows, uint32_t count);

/* The method for them; `indexed`: they are numbers of colours. */
struct png_method png_method_of(const struct codec_save *save, const struct shape *shape,
                                enum png_content content, bool indexed);

/* Can ISA-L choose among these sets, and take libdeflate's place? For drawings only. */
bool png_method_swift(const struct codec_save *save, const struct png_method *method);

#endif
