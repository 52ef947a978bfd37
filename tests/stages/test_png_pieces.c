/* SPDX-License-Identifier: MIT */
/* PNG files that come piece by piece, however they are cut: the same image, metadata and warnings as of the
 * whole file; or the whole file is asked for, as always where something is wrong with it. */
#include "codec_feed.h"
#include "png_made.h"
#include "stages/codec/deflate.h"
#include "stages/codec/png_private.h"
#include "tests/quick.h"

extern const struct codec png_codec;

static const struct codec_limits *limits = &exact_limits;

static bool fed(const struct reference_bytes *file, size_t length_bytes, size_t piece_bytes)
{
    struct exact whole;
    const int code = exact_decode(&png_codec, file->bytes, length_bytes, limits, &whole);
    const bool taken = feed_check(&png_codec, png_rows_scratch() + png_pieces_scratch(), piece_bytes,
                                  file->bytes, length_bytes, limits, code, &whole);
    if (code == 0)
        exact_free(&whole);
    return taken;
}

/* A sound file, which shall be taken; frees it. */
static void check_taken(struct reference_bytes *file, size_t piece_bytes)
{
    assert_int_equal(fed(file, file->length_bytes, piece_bytes), inflate_has());
    free(file->bytes);
}

static void check_refused(struct reference_bytes *file, size_t piece_bytes)
{
    assert_false(fed(file, file->length_bytes, piece_bytes));
    free(file->bytes);
}

static void insert(struct reference_bytes *file, size_t at, const char *type, const void *data,
                   size_t length_bytes)
{
    const size_t rest_bytes = file->length_bytes - at;
    uint8_t *rest = malloc(rest_bytes);
    memcpy(rest, file->bytes + at, rest_bytes);
    file->length_bytes = at;
    reference_chunk(file, type, data, length_bytes);
    reference_append(file, rest, rest_bytes);
    free(rest);
}

#define IEND_BYTES ((size_t)12)
#define ORIENTED   "II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"

/* What may lie around an image, before and after. */
static void dress(struct reference_bytes *file)
{
    insert(file, file->length_bytes - IEND_BYTES, "eXIf", ORIENTED, sizeof ORIENTED - 1);
    insert(file, file->length_bytes - IEND_BYTES, "iTXt", "Title\0\0\0\0\0words", 16);
    insert(file, file->length_bytes - IEND_BYTES, "prIv", "whatever", 8);
    insert(file, file->length_bytes - IEND_BYTES, "zTXt", "Broken\0\0words", 13);
    insert(file, PNG_IHDR_END, "tEXt", "Author\0somebody", 15);
    insert(file, PNG_IHDR_END, "pHYs", "\0\0\x0b\x13\0\0\x0b\x13\1", 9);
    insert(file, PNG_IHDR_END, "sRGB", "\0", 1);
    insert(file, PNG_IHDR_END, "tIME", "\x07\xe8\1\1\0\0", 6); /* a byte short */
}

static void small_files_however_cut(void **state)
{
    (void)state;
    static const uint32_t sizes[][2] = {{1, 1}, {7, 9}, {33, 17}, {300, 41}};
    static const size_t idats[] = {0, 1, 13, 8192}, cuts[] = {0, 1, 2, 3, 7, 31, 97, 1009};
    for (size_t k = 0; k < KINDS; k++) {
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            for (size_t c = 0; c < sizeof cuts / sizeof *cuts; c++) {
                const bool long_row = sizes[s][0] == 300;
                if ((long_row && cuts[c] > 0 && cuts[c] < 31) || quick_skip(11))
                    continue;
                struct making making = {.piece_bytes = idats[(k + s + c) % 4],
                                        .alphas = kinds[k].colour == PNG_COLOR_TYPE_PALETTE && s % 2};
                struct reference_bytes file = make(&kinds[k], sizes[s][0], sizes[s][1], &making);
                if ((k + c) % 2)
                    dress(&file);
                if ((k + c) % 3 == 0)
                    reference_append(&file, "\0\0\0\0IDATand so on", 17);
                check_taken(&file, cuts[c]);
            }
        }
    }
}

static bool promised(const struct reference_bytes *file, const struct codec_limits *under)
{
    struct codec_info info;
    const size_t head_bytes = file->length_bytes < CODEC_HEAD_BYTES ? file->length_bytes : CODEC_HEAD_BYTES;
    assert_int_equal(png_codec.peek(file->bytes, head_bytes, file->length_bytes, under, &info, NULL), 0);
    return info.by_pieces;
}

/* Such as are read so, in the scratch that their plan says. */
static void large_files_however_cut(void **state)
{
    (void)state;
    static const size_t idats[] = {0, 8192, 100000}, cuts[] = {0, 4093, 65536, 262144};
    for (size_t k = 0; k < KINDS; k++) {
        if (quick() && k != 3) /* grey, whose rows are the shortest */
            continue;
        const uint32_t wider = kinds[k].depth < 8 ? 8u / (unsigned)kinds[k].depth : 1;
        struct making making = {.piece_bytes = idats[k % 3], .alphas = kinds[k].colour == 3 ? 3 : 0};
        struct reference_bytes file = make(&kinds[k], 1200 * wider, 900, &making);
        dress(&file);
        assert_int_equal(promised(&file, &exact_limits), inflate_has());
        check_taken(&file, cuts[k % 4]);
    }
}

/* What is known from the head to be decoded otherwise. */
static void others_are_not_promised(void **state)
{
    (void)state;
    static const struct codec_load load = {.on_corrupt = CODEC_SALVAGE};
    const struct kind rgb = {PNG_COLOR_TYPE_RGB, 8};
    struct codec_limits lenient = exact_limits;
    lenient.load = &load;
    struct reference_bytes file = make(&rgb, 100, 100, &(struct making){0});
    assert_false(promised(&file, &exact_limits)); /* small */
    free(file.bytes);
    file = make(&rgb, 1000, 500, &(struct making){0});
    assert_int_equal(promised(&file, &exact_limits), inflate_has());
    assert_false(promised(&file, &lenient));
    file.bytes[28] = 1; /* interlaced */
    png_save_uint_32(file.bytes + 29, (png_uint_32)crc32(0, file.bytes + 12, 17));
    assert_false(promised(&file, &exact_limits));
    free(file.bytes);
    file = make(&rgb, 1000, 500, &(struct making){.alphas = 1}); /* one colour is transparent */
    assert_false(promised(&file, &exact_limits));
    check_refused(&file, 65536);
}

static void the_head_alone_says_how_an_image_lies(void **state)
{
    (void)state;
    const struct kind rgb = {PNG_COLOR_TYPE_RGB, 8};
    struct exact exact;
    if (!inflate_has())
        skip();
    for (unsigned i = 0; i < 3; i++) {
        /* Before the pixels; after them, in the head; and behind the head. */
        const uint32_t height = i < 2 ? 20 : 600;
        struct reference_bytes file = make(&rgb, 300, height, &(struct making){.piece_bytes = 8192});
        insert(&file, i == 0 ? PNG_IHDR_END : file.length_bytes - IEND_BYTES, "eXIf", ORIENTED,
               sizeof ORIENTED - 1);
        assert_int_equal(file.length_bytes > CODEC_HEAD_BYTES, i == 2);
        assert_int_equal(feed_exact(&png_codec, png_rows_scratch() + png_pieces_scratch(), 1021, 0,
                                    file.bytes, file.length_bytes, &exact_limits, &exact),
                         0);
        assert_int_equal(exact.shape.orientation, i < 2 ? 6 : 0);
        exact_free(&exact);
        check_taken(&file, 1021);
    }
}

static void what_is_unusual_wants_the_whole_file(void **state)
{
    (void)state;
    static const struct {
        struct kind kind;
        struct making making;
    } cases[] = {
        {{PNG_COLOR_TYPE_RGB, 8}, {.extra_rows = 5}}, {{PNG_COLOR_TYPE_RGB, 8}, {.extra_data = 9}},
        {{PNG_COLOR_TYPE_GRAY, 16}, {.alphas = 1}},   {{PNG_COLOR_TYPE_PALETTE, 8}, {.colours = 5}},
        {{PNG_COLOR_TYPE_RGB, 8}, {.filter = 6}},     {{PNG_COLOR_TYPE_RGB, 8}, {.window = 0x88}},
        {{PNG_COLOR_TYPE_GRAY, 8}, {.window = 0x79}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct reference_bytes file = make(&cases[i].kind, 200, 20, &cases[i].making);
        check_refused(&file, 61);
    }
}

static size_t chunk_at(const struct reference_bytes *file, const char *type)
{
    size_t at = PNG_SIGNATURE_BYTES;
    while (memcmp(file->bytes + at + 4, type, 4) != 0)
        at += png_get_uint_32(file->bytes + at) + PNG_CHUNK_EXTRA;
    return at;
}

static void chunks_in_a_wrong_order(void **state)
{
    (void)state;
    const struct kind indexed = {PNG_COLOR_TYPE_PALETTE, 8};
    for (unsigned i = 0; i < 7; i++) {
        struct reference_bytes file = make(&indexed, 40, 30, &(struct making){.piece_bytes = 200});
        const size_t idat = chunk_at(&file, "IDAT"), end = file.length_bytes - IEND_BYTES;
        const size_t second = idat + 200 + PNG_CHUNK_EXTRA;
        switch (i) {
        case 0: /* a gap in the run */
            insert(&file, second, "tEXt", "a\0b", 3);
            break;
        case 1: /* a second run, and no data in it */
            insert(&file, end, "IDAT", "", 0);
            break;
        case 2:
            insert(&file, end, "IDAT", "again", 5);
            break;
        case 3: /* an end before the pixels, and in the middle of them */
            insert(&file, idat, "IEND", "", 0);
            break;
        case 4:
            insert(&file, second, "IEND", "", 0);
            break;
        case 5: /* an empty chunk */
            insert(&file, second, "IDAT", "", 0);
            break;
        default: /* no palette */
            memcpy(file.bytes + chunk_at(&file, "PLTE") + 4, "pLTe", 4);
        }
        check_refused(&file, i % 2 ? 1 : 101);
    }
}

static void what_surrounds_the_pixels_has_a_limit(void **state)
{
    (void)state;
    const struct kind grey = {PNG_COLOR_TYPE_GRAY, 8};
    const size_t much = png_pieces_scratch();
    uint8_t *text = malloc(much);
    memset(text, 'a', much);
    text[1] = 0;
    for (unsigned i = 0; i < 4; i++) {
        struct reference_bytes file = make(&grey, 20, 20, &(struct making){0});
        insert(&file, i % 2 ? PNG_IHDR_END : file.length_bytes - IEND_BYTES, "tEXt", text,
               i < 2 ? much : much - 500);
        if (i < 2)
            check_refused(&file, 5000);
        else
            check_taken(&file, 5000);
    }
    free(text);
    /* And as the settings say, of which the whole file then tells. */
    struct codec_limits narrow = exact_limits;
    narrow.max_metadata_bytes = 50;
    limits = &narrow;
    struct reference_bytes file = make(&grey, 20, 20, &(struct making){0});
    dress(&file);
    check_refused(&file, 5000);
    limits = &exact_limits;
}

/* libpng takes no chunk of over 8,000,000 bytes for an image that has fewer. Here are as many, all sound:
 * blocks with nothing in them, before the one with a grey pixel. */
static void a_chunk_longer_than_libpng_takes(void **state)
{
    (void)state;
    static const uint8_t last[] = {1, 2, 0, 0xfd, 0xff, 0, 7, 0, 9, 0, 8}; /* filter 0, 7; Adler-32 */
    const size_t empty = 1600000;
    if (quick())
        skip();
    for (unsigned i = 0; i < 2; i++) {
        struct reference_bytes file = {0}, stream = {0};
        reference_append(&stream, "\x78\x9c", 2);
        for (size_t j = 0; j < empty / (i ? 1 : 2); j++)
            reference_append(&stream, "\0\0\0\xff\xff", 5);
        reference_append(&stream, last, sizeof last);
        reference_start(&file, 1, 1, 8, PNG_COLOR_TYPE_GRAY, 0);
        reference_chunk(&file, "IDAT", stream.bytes, stream.length_bytes);
        reference_chunk(&file, "IEND", NULL, 0);
        if (i)
            check_refused(&file, 65536);
        else
            check_taken(&file, 65536);
        free(stream.bytes);
    }
}

static void every_truncation(void **state)
{
    (void)state;
    for (size_t k = 1; k < KINDS; k += 4) {
        struct reference_bytes file = make(&kinds[k], 9, 5, &(struct making){.piece_bytes = 40});
        for (size_t length = 0; length < file.length_bytes; length++) {
            if (!quick_skip(11))
                assert_false(fed(&file, length, length % 2 ? 17 : 0));
        }
        free(file.bytes);
    }
}

/* Any of these bytes may be one that nobody looks at: then it is taken with the same words. */
static void every_changed_byte(void **state)
{
    (void)state;
    static const uint8_t changes[] = {0x01, 0x20, 0x80};
    unsigned taken = 0, refused = 0;
    limits = &small_limits;
    for (size_t k = 2; k < KINDS; k += 5) {
        struct reference_bytes file = make(&kinds[k], 9, 5, &(struct making){.piece_bytes = 40});
        dress(&file);
        for (size_t at = 0; at < file.length_bytes; at++) {
            for (size_t c = 0; c < sizeof changes; c++) {
                if (quick_skip(23))
                    continue;
                file.bytes[at] ^= changes[c];
                *(fed(&file, file.length_bytes, 1 + at % 50) ? &taken : &refused) += 1;
                file.bytes[at] ^= changes[c];
            }
        }
        free(file.bytes);
    }
    limits = &exact_limits;
    print_message("%u taken, %u refused\n", taken, refused);
    assert_true(refused > 30 && (taken > 10 || !inflate_has()));
}

static void random_damage(void **state)
{
    (void)state;
    unsigned taken = 0, refused = 0;
    seed = 5;
    limits = &small_limits;
    for (unsigned i = 0; i < 1000; i++) {
        const bool large = i % 250 == 0;
        if ((large && quick()) || quick_skip(8))
            continue;
        struct reference_bytes file =
            make(&kinds[i % KINDS], large ? 900 : 13, large ? 900 : 7, &(struct making){.piece_bytes = 40});
        mutate(&file, large);
        *(fed(&file, file.length_bytes, large ? 65536 : 1 + i % 90) ? &taken : &refused) += 1;
        free(file.bytes);
    }
    limits = &exact_limits;
    print_message("%u taken, %u refused\n", taken, refused);
    assert_true(refused > 30 && (taken > 3 || !inflate_has()));
}

/* Whichever piece cannot be read, that is what is said, and not what the codec thinks of the rest. */
static void a_feed_that_fails(void **state)
{
    (void)state;
    const struct kind rgb = {PNG_COLOR_TYPE_RGB, 8};
    struct exact exact;
    struct reference_bytes file = make(&rgb, 9, 5, &(struct making){.piece_bytes = 40});
    dress(&file);
    reference_append(&file, "and so on", 9);
    if (!inflate_has())
        skip();
    for (size_t piece_bytes = 1; piece_bytes < 80; piece_bytes += 26) {
        const size_t calls = (file.length_bytes + piece_bytes - 1) / piece_bytes + 1;
        for (unsigned at = 1; at <= calls; at++) {
            if (quick_skip(7))
                continue;
            assert_int_equal(feed_exact(&png_codec, png_rows_scratch() + png_pieces_scratch(), piece_bytes,
                                        at, file.bytes, file.length_bytes, limits, &exact),
                             ERROR_IO);
            assert_string_equal(exact.error.reason, FEED_FAILED);
        }
    }
    free(file.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_files_however_cut),
        cmocka_unit_test(large_files_however_cut),
        cmocka_unit_test(others_are_not_promised),
        cmocka_unit_test(the_head_alone_says_how_an_image_lies),
        cmocka_unit_test(what_is_unusual_wants_the_whole_file),
        cmocka_unit_test(chunks_in_a_wrong_order),
        cmocka_unit_test(what_surrounds_the_pixels_has_a_limit),
        cmocka_unit_test(a_chunk_longer_than_libpng_takes),
        cmocka_unit_test(every_truncation),
        cmocka_unit_test(every_changed_byte),
        cmocka_unit_test(random_damage),
        cmocka_unit_test(a_feed_that_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
