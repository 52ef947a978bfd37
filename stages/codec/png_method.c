/* SPDX-License-Identifier: MIT */
#include "stages/codec/png_method.h"

#include "stages/codec/png_private.h"

/* Sets of filters to choose from row by row. PLAIN suits what was a JPEG once, ALL what has the noise of a
 * sensor and small pictures, and NONE often drawings. */
enum { NONE = PNG_UNFILTERED, SUB = 2, UP = 4, PLAIN = NONE | SUB | UP, ALL = 31 };

/* So many in a hundred pixels are like their left neighbours. Of 11 photographs that were JPEGs all have 12
 * or more, of those with the noise of a sensor hardly a pixel is. */
#define DRAWING_RUNS 80u
#define MIXED_RUNS   50u
#define PICTURE_RUNS 8u
#define MIXED_BYTES  (512u << 10)

/* In drawings this small a sample of the rows says little, and to compress it takes as long as to compress
 * all: of 582 icons they are 1 % larger without, of 1196 generated ones they are not, in half the time.
 * Pictures this small are 2 % smaller with all filters, of 1635 icons. */
#define SMALL_BYTES (16u << 10)
/* The first bytes of an image cost most, whatever they are filtered to, and here few come after them: without
 * filters 1426 icons are 2 % smaller. */
#define TINY_BYTES (2u << 10)

static const struct png_method methods[][2] = {
    /* of pictures and of drawings */
    [COMPRESSION_FASTEST] = {{DEFLATE_ISAL, {{1, PLAIN}}}, {DEFLATE_ISAL, {{1, NONE}, {1, PLAIN}}}},
    [COMPRESSION_FAST] = {{DEFLATE_LIBDEFLATE, {{1, PLAIN}}}, {DEFLATE_LIBDEFLATE, {{5, NONE}, {2, PLAIN}}}},
    [COMPRESSION_BALANCED] = {{DEFLATE_LIBDEFLATE, {{3, PLAIN}}},
                              {DEFLATE_LIBDEFLATE, {{5, NONE}, {5, PLAIN}, {5, ALL}}}},
    [COMPRESSION_SMALL] = {{DEFLATE_LIBDEFLATE, {{6, PLAIN}, {6, ALL}}},
                           {DEFLATE_LIBDEFLATE, {{6, NONE}, {6, PLAIN}, {6, ALL}}}},
    [COMPRESSION_SMALLEST] = {{DEFLATE_LIBDEFLATE, {{12, PLAIN}, {12, ALL}, {12, NONE}}},
                              {DEFLATE_LIBDEFLATE, {{12, PLAIN}, {12, ALL}, {12, NONE}}}},
};

struct png_method png_method_of(const struct codec_save *save, const struct shape *shape,
                                enum png_content content, bool indexed)
{
    const int word = png_compression_word(save);
    struct png_method method = methods[word][content == PNG_DRAWING];
    struct png_set *sets = method.sets;
    const size_t bytes = shape_bytes(shape);
    if (content != PNG_DRAWING && shape->channels < 3 && word <= COMPRESSION_FAST)
        sets[0].filters = ALL; /* of photographs in grey 3 % less, in no more time */
    if (content == PNG_NOISY && (word == COMPRESSION_FAST || word == COMPRESSION_BALANCED))
        sets[0].filters = ALL; /* 4 % less in no more time; ISA-L takes a sixth more */
    if (content == PNG_PICTURE && word == COMPRESSION_BALANCED && bytes <= SMALL_BYTES)
        sets[0].filters = ALL;
    if (word <= COMPRESSION_FAST && content == PNG_DRAWING && bytes <= SMALL_BYTES)
        sets[1].filters = 0;
    if (word <= COMPRESSION_FAST && content <= PNG_PICTURE && bytes <= TINY_BYTES)
        sets[0].filters = NONE;
    for (unsigned i = 1; content == PNG_MIXED && i < PNG_MOST_SETS; i++) {
        if (sets[i].filters == 0) {
            sets[i] = methods[word][1].sets[0]; /* without filters, and that may be compressed harder */
            break;
        }
    }
    if (save->level >= 0) {
        int level = save->level < 9 ? (int)save->level : 9;
        method = (struct png_method){DEFLATE_LIBDEFLATE, {{level, level == 0 ? NONE : ALL}}};
    }
    if (!deflate_has(method.library) && word == COMPRESSION_FASTEST)
        method.library = DEFLATE_LIBDEFLATE;
    if (shape->bits < 8 || indexed) {
        sets[0].filters = NONE; /* of packed samples and numbers they make more */
        sets[1].filters = 0;
    }
    return method;
}

bool png_method_swift(const struct codec_save *save, const struct png_method *method)
{
    return png_compression_word(save) == COMPRESSION_FAST && method->library == DEFLATE_LIBDEFLATE &&
           method->sets[0].filters == NONE && method->sets[1].filters > 0 && deflate_has(DEFLATE_ISAL);
}

enum png_content png_content_of(const struct shape *shape, const uint8_t *rows, uint32_t count)
{
    struct shape part = *shape;
    part.height = count;
    const unsigned runs = png_runs(&part, rows);
    return runs >= DRAWING_RUNS                                      ? PNG_DRAWING
           : runs >= MIXED_RUNS && shape_bytes(shape) >= MIXED_BYTES ? PNG_MIXED
           : runs >= PICTURE_RUNS                                    ? PNG_PICTURE
                                                                     : PNG_NOISY;
}
