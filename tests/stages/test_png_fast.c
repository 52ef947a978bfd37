/* SPDX-License-Identifier: MIT */
/* ctest labels: native long */
/* The fast path against libpng: the same pixels where it works, and libpng's verdict, words and metadata
 * where it does not. */
#include <stdio.h>

#include "codec_rows.h"
#include "corpus.h"
#include "png_made.h"
#include "stages/codec/deflate.h"
#include "stages/codec/png_private.h"
#include "tests/quick.h"

extern const struct codec png_codec;

static struct codec fast_codec, libpng_codec;
static const struct codec_limits *limits = &exact_limits;

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
