/* SPDX-License-Identifier: MIT */
/* ctest labels: native */
/* The fast path against libpng: the same pixels where it works, and libpng's verdict, words and metadata
 * where it does not. */
#include <stdio.h>

#include "codec_rows.h"
#include "corpus.h"
#include "png_reference.h"
#include "stages/codec/deflate.h"
#include "stages/codec/png_private.h"
#include "tests/quick.h"

extern const struct codec png_codec;

static struct codec fast_codec, libpng_codec;
static const struct codec_limits *limits = &exact_limits;
static uint32_t seed;

/* Small enough that no mutated size takes long. */
static const struct codec_limits small_limits = {
    .max_pixels = 1000000, .max_width = 1000000, .max_height = 1000000, .max_metadata_bytes = 1 << 20};

static unsigned dice(unsigned sides)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % sides;
}

struct kind {
    int colour, depth;
};

static const struct kind kinds[] = {
    {PNG_COLOR_TYPE_GRAY, 1},        {PNG_COLOR_TYPE_GRAY, 2},       {PNG_COLOR_TYPE_GRAY, 4},
    {PNG_COLOR_TYPE_GRAY, 8},        {PNG_COLOR_TYPE_GRAY, 16},      {PNG_COLOR_TYPE_GRAY_ALPHA, 8},
    {PNG_COLOR_TYPE_GRAY_ALPHA, 16}, {PNG_COLOR_TYPE_RGB, 8},        {PNG_COLOR_TYPE_RGB, 16},
    {PNG_COLOR_TYPE_RGB_ALPHA, 8},   {PNG_COLOR_TYPE_RGB_ALPHA, 16}, {PNG_COLOR_TYPE_PALETTE, 1},
    {PNG_COLOR_TYPE_PALETTE, 2},     {PNG_COLOR_TYPE_PALETTE, 4},    {PNG_COLOR_TYPE_PALETTE, 8},
};
#define KINDS (sizeof kinds / sizeof *kinds)

/* How a file is made; what is 0 is as usual. */
struct making {
    size_t piece_bytes; /* of an IDAT chunk; 0: one chunk */
    size_t extra_rows;  /* bytes of rows too many */
    size_t extra_data;  /* bytes after the stream, in an IDAT chunk of their own */
    unsigned colours;   /* in the palette; 0: all that the depth allows */
    unsigned alphas;    /* tRNS of a palette, or of one colour */
    int filter;         /* 1 + the filter of every row; 0: any, row by row */
    int window_bits;    /* of the stream; 0: 15 */
    uint8_t window;     /* what the stream says, where that is not so: its first byte */
};

static void append_idat(struct reference_bytes *file, const uint8_t *raw, size_t raw_bytes,
                        const struct making *making)
{
    z_stream zlib = {0};
    uLong most_bytes = compressBound((uLong)raw_bytes) + 64;
    uint8_t *stream = malloc(most_bytes);
    assert_int_equal(deflateInit2(&zlib, 1 + (int)dice(9), Z_DEFLATED,
                                  making->window_bits ? making->window_bits : 15, 8,
                                  making->window ? Z_DEFAULT_STRATEGY : (int)dice(4)),
                     Z_OK);
    zlib.next_in = (Bytef *)(uintptr_t)raw;
    zlib.avail_in = (uInt)raw_bytes;
    zlib.next_out = stream;
    zlib.avail_out = (uInt)most_bytes;
    assert_int_equal(deflate(&zlib, Z_FINISH), Z_STREAM_END);
    size_t length_bytes = zlib.total_out,
           piece_bytes = making->piece_bytes ? making->piece_bytes : length_bytes;
    deflateEnd(&zlib);
    if (making->window) {
        stream[0] = making->window;
        stream[1] = (uint8_t)(31 - (stream[0] << 8) % 31);
    }
    for (size_t at = 0; at < length_bytes; at += piece_bytes)
        reference_chunk(file, "IDAT", stream + at,
                        length_bytes - at < piece_bytes ? length_bytes - at : piece_bytes);
    if (making->extra_data)
        reference_chunk(file, "IDAT", raw, making->extra_data);
    free(stream);
}

/* A file of smooth rows with some noise; each row is filtered by any filter, that is, its bytes are what they
 * are and the pixels whatever comes of them. */
static struct reference_bytes make(const struct kind *kind, uint32_t width, uint32_t height,
                                   const struct making *making)
{
    static const unsigned samples[] = {1, 0, 3, 1, 2, 0, 4};
    struct reference_bytes file = {0};
    uint8_t palette[768], alpha[256];
    unsigned colours = making->colours ? making->colours : 1u << (kind->depth < 8 ? kind->depth : 8);
    for (size_t i = 0; i < sizeof palette; i++)
        palette[i] = (uint8_t)dice(256);
    for (size_t i = 0; i < sizeof alpha; i++)
        alpha[i] = (uint8_t)dice(256);
    reference_start(&file, width, height, kind->depth, kind->colour, 0);
    reference_chunk(&file, "gAMA", "\0\0\xb1\x8f", 4);
    if (kind->colour == PNG_COLOR_TYPE_PALETTE) {
        reference_chunk(&file, "PLTE", palette, 3 * (size_t)colours);
        if (making->alphas)
            reference_chunk(&file, "tRNS", alpha, making->alphas);
    } else if (making->alphas) {
        reference_chunk(&file, "tRNS", "\0\0\0\0\0\0", kind->colour == PNG_COLOR_TYPE_RGB ? 6 : 2);
    }
    size_t row_bytes = ((size_t)width * samples[kind->colour] * (unsigned)kind->depth + 7) / 8;
    size_t raw_bytes = (row_bytes + 1) * height;
    uint8_t *raw = malloc(raw_bytes + making->extra_rows);
    for (size_t i = 0; i < raw_bytes + making->extra_rows; i++)
        raw[i] = (uint8_t)(dice(4) == 0 ? dice(256) : i / 16 % 7);
    for (size_t y = 0; y < height; y++)
        raw[y * (row_bytes + 1)] = (uint8_t)(making->filter ? making->filter - 1
                                             : y % 7 < 3    ? 4
                                                            : (int)dice(5));
    append_idat(&file, raw, raw_bytes + making->extra_rows, making);
    reference_chunk(&file, "tEXt", "Title\0two words", 15);
    reference_chunk(&file, "IEND", NULL, 0);
    free(raw);
    return file;
}

static void assert_same(const struct exact *a, const struct exact *b)
{
    assert_memory_equal(&a->shape, &b->shape, sizeof a->shape);
    assert_memory_equal(a->pixels, b->pixels, shape_bytes(&a->shape));
    assert_int_equal(a->meta.used_bytes, b->meta.used_bytes);
    if (a->meta.used_bytes)
        assert_memory_equal(a->meta.block, b->meta.block, a->meta.used_bytes);
}

/* The codec by rows against the codec as a whole; interlaced images have no rows to be read one by one. */
static void compare_rows(const uint8_t *bytes, size_t length_bytes, int code, const struct exact *whole)
{
    struct exact rows;
    if (length_bytes > 28 && bytes[28] != 0) {
        if (code == 0 ||
            rows_exact(&png_codec, png_rows_scratch(), bytes, length_bytes, limits, &rows) == ERROR_INTERNAL)
            return;
    }
    rows_check(&png_codec, png_rows_scratch(), bytes, length_bytes, limits, code, whole);
}

/* The codec as it is against libpng alone. Returns whether the file was taken, and whether by the fast path.
 */
static bool compare(const uint8_t *bytes, size_t length_bytes, bool *fast)
{
    struct exact ours, theirs, alone;
    int code = exact_decode(&png_codec, bytes, length_bytes, limits, &ours);
    assert_int_equal(code, exact_decode(&libpng_codec, bytes, length_bytes, limits, &theirs));
    *fast = exact_decode(&fast_codec, bytes, length_bytes, limits, &alone) == 0;
    compare_rows(bytes, length_bytes, code, &ours);
    if (code < 0) {
        assert_string_equal(ours.error.reason, theirs.error.reason);
        assert_false(*fast);
        return false;
    }
    assert_same(&ours, &theirs);
    assert_int_equal(ours.warnings, theirs.warnings);
    assert_string_equal(ours.warning, theirs.warning);
    if (*fast) {
        assert_same(&alone, &theirs);
        exact_free(&alone);
    }
    exact_free(&ours);
    exact_free(&theirs);
    return true;
}

static void usual_files_are_decoded_fast(void **state)
{
    (void)state;
    static const uint32_t sizes[][2] = {{1, 1}, {2, 3}, {5, 2}, {7, 9}, {8, 8}, {33, 17}, {300, 41}, {1, 70}};
    static const size_t pieces[] = {0, 1, 7, 8192};
    bool fast;
    for (size_t k = 0; k < KINDS; k++) {
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            struct making making = {.piece_bytes = pieces[(k + s) % 4],
                                    .alphas = kinds[k].colour == 3 && s % 2};
            struct reference_bytes file = make(&kinds[k], sizes[s][0], sizes[s][1], &making);
            assert_true(compare(file.bytes, file.length_bytes, &fast));
            assert_int_equal(fast, inflate_has());
            free(file.bytes);
        }
    }
    for (int bits = 9; bits < 15; bits++) { /* as other programs declare them of small files */
        struct making making = {.window_bits = bits};
        struct reference_bytes file = make(&kinds[0], 500, 400, &making);
        assert_true(compare(file.bytes, file.length_bytes, &fast));
        assert_int_equal(fast, inflate_has());
        free(file.bytes);
    }
}

/* Larger than what is inflated in one piece, so that windows are, and some with rows longer than a window. */
static void large_files_are_decoded_fast(void **state)
{
    (void)state;
    static const uint32_t sizes[][2] = {{1111, 700}, {150000, 5}};
    bool fast;
    for (size_t k = 0; k < KINDS; k++) {
        for (size_t s = 0; s < 2; s++) {
            if (quick_skip(11))
                continue;
            const uint32_t wider = kinds[k].depth < 4 ? 4 : kinds[k].depth < 8 ? 2 : 1;
            const uint32_t higher = kinds[k].depth < 2 ? 3 : kinds[k].depth < 8 ? 2 : 1;
            struct making making = {.piece_bytes = k % 2 ? 8192 : 0};
            struct reference_bytes file = make(&kinds[k], sizes[s][0] * wider, sizes[s][1] * higher, &making);
            assert_true(compare(file.bytes, file.length_bytes, &fast));
            assert_int_equal(fast, inflate_has());
            free(file.bytes);
        }
    }
}

static void every_filter_alone(void **state)
{
    (void)state;
    bool fast;
    for (size_t k = 0; k < KINDS; k++) {
        for (int filter = 0; filter < 6; filter++) {
            struct reference_bytes file = make(&kinds[k], 29, 6, &(struct making){.filter = filter + 1});
            assert_int_equal(compare(file.bytes, file.length_bytes, &fast),
                             filter < 5); /* there are 0 to 4 */
            free(file.bytes);
        }
    }
}

/* Each is taken or refused as libpng does it, and not by the fast path. */
static void what_is_unusual_is_left_to_libpng(void **state)
{
    (void)state;
    static const struct {
        struct kind kind;
        uint32_t width, height;
        struct making making;
        bool taken;
    } cases[] = {
        {{PNG_COLOR_TYPE_RGB, 8}, 20, 20, {.extra_rows = 5}, true},
        {{PNG_COLOR_TYPE_RGB, 8}, 900, 900, {.extra_rows = 500}, true},
        {{PNG_COLOR_TYPE_RGB, 8}, 20, 20, {.extra_data = 9}, true},
        {{PNG_COLOR_TYPE_RGB, 8}, 900, 900, {.extra_data = 9}, true},
        {{PNG_COLOR_TYPE_RGB, 8}, 20, 20, {.alphas = 1}, true},
        {{PNG_COLOR_TYPE_GRAY, 16}, 20, 20, {.alphas = 1}, true},
        {{PNG_COLOR_TYPE_PALETTE, 8}, 200, 20, {.colours = 5}, true},
        {{PNG_COLOR_TYPE_PALETTE, 4}, 200, 20, {.colours = 5}, true},
        {{PNG_COLOR_TYPE_RGB, 8}, 900, 900, {.window = 0x18}, false}, /* 512 bytes, and matches from beyond */
    };
    bool fast;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct reference_bytes file = make(&cases[i].kind, cases[i].width, cases[i].height, &cases[i].making);
        assert_int_equal(compare(file.bytes, file.length_bytes, &fast), cases[i].taken);
        assert_false(fast);
        free(file.bytes);
    }
}

/* One grey pixel in a block with codes of its own, whose lengths end where they should; and with a repetition
 * that goes beyond, which zlib refuses ("invalid bit length repeat"). */
static void code_lengths_end_where_they_should(void **state)
{
    (void)state;
    static const struct {
        const char *stream;
        size_t length_bytes;
        bool sound;
    } cases[] = {
        {"\x78\x9c\x05\xc0\x05\x01\0\0\0\0\x10\xff\x57\x43\0\x02\0\x01", 18, true},
        {"\x78\x9c\x05\xc0\x05\x01\0\0\0\0\x10\xff\x57\x0b\x02\0\x02\0\x01", 19, false},
    };
    bool fast;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct reference_bytes file = {0};
        reference_start(&file, 1, 1, 8, PNG_COLOR_TYPE_GRAY, 0);
        reference_chunk(&file, "IDAT", cases[i].stream, cases[i].length_bytes);
        reference_chunk(&file, "IEND", NULL, 0);
        assert_int_equal(compare(file.bytes, file.length_bytes, &fast), cases[i].sound);
        assert_int_equal(fast, cases[i].sound && inflate_has());
        free(file.bytes);
    }
}

static void every_truncation(void **state)
{
    (void)state;
    bool fast;
    for (size_t k = 0; k < KINDS; k += 3) {
        struct reference_bytes file = make(&kinds[k], 9, 5, &(struct making){.piece_bytes = 40});
        for (size_t length = 0; length < file.length_bytes; length++) {
            if (!quick_skip(7))
                assert_false(compare(file.bytes, length, &fast));
        }
        free(file.bytes);
    }
}

/* Changes bytes of a chunk and makes its CRC good, or drops, doubles or swaps chunks. */
static void mutate(struct reference_bytes *file, bool large)
{
    size_t chunks[64], count = 0;
    for (size_t at = 8; at + 12 <= file->length_bytes && count < 64; count++) {
        chunks[count] = at;
        at += png_get_uint_32(file->bytes + at) + 12;
    }
    size_t chunk = chunks[dice((unsigned)count)], length = png_get_uint_32(file->bytes + chunk);
    if (!large && dice(8) == 0) { /* once more, at the end or here */
        uint8_t *copy = malloc(length + 12);
        memcpy(copy, file->bytes + chunk, length + 12);
        reference_append(file, copy, length + 12);
        free(copy);
    } else if (!large && dice(8) == 0) {
        memmove(file->bytes + chunk, file->bytes + chunk + length + 12,
                file->length_bytes - chunk - length - 12);
        file->length_bytes -= length + 12;
    } else {
        for (unsigned i = 1 + dice(3); i > 0; i--)
            file->bytes[chunk + 4 + dice((unsigned)length + 4)] ^= (uint8_t)(1u << dice(8));
        if (dice(8) > 0)
            png_save_uint_32(file->bytes + chunk + 8 + length,
                             (png_uint_32)crc32(0, file->bytes + chunk + 4, (uInt)(length + 4)));
    }
}

static void random_damage(void **state)
{
    (void)state;
    unsigned taken = 0, refused = 0, fast_too = 0;
    bool fast;
    seed = 7;
    limits = &small_limits;
    const unsigned files = quick() ? 150 : 800;
    for (unsigned i = 0; i < files; i++) {
        bool large = i % 200 == 0;
        struct reference_bytes file =
            make(&kinds[i % KINDS], large ? 900 : 13, large ? 900 : 7, &(struct making){.piece_bytes = 40});
        mutate(&file, large);
        *(compare(file.bytes, file.length_bytes, &fast) ? &taken : &refused) += 1;
        fast_too += fast;
        free(file.bytes);
    }
    limits = &exact_limits;
    print_message("%u taken, %u of them fast, %u refused\n", taken, fast_too, refused);
    assert_true(taken > files / 10 && refused > files / 10 && (fast_too > files / 30 || !inflate_has()));
}

/* Such as are inflated window by window, so that rows are given before the damage is met. */
static void damage_within_a_large_file(void **state)
{
    (void)state;
    bool fast;
    unsigned taken = 0, refused = 0;
    seed = 11;
    for (unsigned i = 0; i < 20; i++) {
        if (quick_skip(5))
            continue;
        struct reference_bytes file =
            make(&kinds[3 + i % 9], 1100, 1000, &(struct making){.piece_bytes = 30000});
        mutate(&file, true);
        *(compare(file.bytes, file.length_bytes, &fast) ? &taken : &refused) += 1;
        free(file.bytes);
    }
    print_message("%u taken, %u refused\n", taken, refused);
    assert_true(refused > taken);
}

static unsigned fast_of_corpus;

/* Bombs take seconds each of the many times; test_codec_corpus decodes them. */
static void compare_file(const char *directory, char **columns)
{
    if (strstr(columns[0], "bomb"))
        return;
    bool fast;
    size_t length;
    uint8_t *bytes = corpus_load(directory, columns[0], &length);
    compare(bytes, length, &fast);
    fast_of_corpus += fast;
    free(bytes);
}

static void the_corpus(void **state)
{
    (void)state;
    corpus_each("expected-png.tsv", compare_file);
    print_message("%u decoded fast\n", fast_of_corpus);
    assert_true(fast_of_corpus > 0 || !inflate_has());
}

int main(void)
{
    fast_codec = libpng_codec = png_codec;
    fast_codec.decode = png_decode_fast;
    libpng_codec.decode = png_decode_by_libpng;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(usual_files_are_decoded_fast),
        cmocka_unit_test(large_files_are_decoded_fast),
        cmocka_unit_test(every_filter_alone),
        cmocka_unit_test(what_is_unusual_is_left_to_libpng),
        cmocka_unit_test(code_lengths_end_where_they_should),
        cmocka_unit_test(every_truncation),
        cmocka_unit_test(random_damage),
        cmocka_unit_test(damage_within_a_large_file),
        cmocka_unit_test(the_corpus),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
