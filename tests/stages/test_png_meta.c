/* SPDX-License-Identifier: MIT */
/* Ancillary chunks: kept byte for byte, left behind when libpng would refuse them, written in legal places.
 */
#include <stdio.h>

#include "codec_exact.h"
#include "png_reference.h"

extern const struct codec png_codec;

#define SIDE 4

static size_t raw_bytes(int colour)
{
    return SIDE * (1 + SIDE * (colour == PNG_COLOR_TYPE_RGB ? 3 : 1));
}

/* A profile that libpng finds sound: header, one tag, its data. */
static size_t make_profile(uint8_t *profile, const char *space, size_t length_bytes)
{
    memset(profile, 0, 144);
    for (size_t i = 144; i < length_bytes; i++)
        profile[i] = (uint8_t)((i * 2654435761u) >> 13);
    png_save_uint_32(profile, (png_uint_32)length_bytes);
    profile[8] = 2;
    memcpy(profile + 12, "mntr", 4);
    memcpy(profile + 16, space, 4);
    memcpy(profile + 20, "XYZ ", 4);
    memcpy(profile + 36, "acsp", 4);
    memcpy(profile + 68, "\0\0\xf6\xd6\0\1\0\0\0\0\xd3\x2d", 12); /* D50 */
    png_save_uint_32(profile + 128, 1);
    memcpy(profile + 132, "desc", 4);
    png_save_uint_32(profile + 136, 144);
    png_save_uint_32(profile + 140, 16);
    return length_bytes;
}

static void put_profile(struct reference_bytes *file, const char *space)
{
    uint8_t profile[640];
    reference_deflated(file, "iCCP", "name\0", 6, profile, make_profile(profile, space, sizeof profile));
}

/* The tags kept of a file, in order, "iCCP gAMA tEXt"; the data of each is compared with the file's bytes. */
static const char *kept(const struct reference_bytes *file, struct exact *exact, char *text, size_t size)
{
    int code = exact_decode(&png_codec, file->bytes, file->length_bytes, &exact_limits, exact);
    if (code < 0)
        fail_msg("%s", exact->error.reason);
    size_t position = 0, used = 0;
    struct meta_entry entry;
    text[0] = '\0';
    while (meta_next(&exact->meta, &position, &entry) == 1) {
        used += (size_t)snprintf(text + used, size - used, "%s%s", used ? " " : "", entry.tag);
        assert_non_null(memmem(file->bytes, file->length_bytes, entry.data, entry.length_bytes));
    }
    return text;
}

static void check_kept(struct reference_bytes *file, int colour, const char *tags, unsigned warnings)
{
    char text[256];
    struct exact exact;
    reference_finish(file, raw_bytes(colour));
    assert_string_equal(kept(file, &exact, text, sizeof text), tags);
    /* libpng may use more words than one for the chunks it looks at. */
    assert_true(exact.warnings >= warnings);
    assert_int_equal(exact.warnings > 0, warnings > 0);
    exact_free(&exact);
    free(file->bytes);
    *file = (struct reference_bytes){0};
}

static void start(struct reference_bytes *file, int colour)
{
    reference_start(file, SIDE, SIDE, 8, colour, 0);
}

static void put_everything(struct reference_bytes *file)
{
    put_profile(file, "RGB ");
    reference_chunk(file, "gAMA", "\0\0\xb1\x8f", 4);
    reference_chunk(
        file, "cHRM",
        "\0\0\x7a\x26\0\0\x80\x84\0\0\xfa\0\0\0\x80\xe8\0\0\x75\x30\0\0\xea\x60\0\0\x3a\x98\0\0\x17\x70", 32);
    reference_chunk(file, "cICP", "\x0c\x0d\0\1", 4);
    reference_chunk(file, "pHYs", "\0\0\x0b\x13\0\0\x0b\x12\1", 9);
    reference_chunk(file, "eXIf", "MM\0*\0\0\0\x08\0\0", 10);
    reference_chunk(file, "tEXt", "Author\0nobody in particular", 27);
    reference_deflated(file, "zTXt", "Comment\0", 9, "again and again and again", 25);
    reference_deflated(file, "iTXt", "Title\0\1\0de\0Titel\0", 17, "\xc3\xa4\xc3\xb6\xc3\xbc", 6);
    reference_chunk(file, "iTXt", "Title\0\0\0\0\0plain", 15);
    reference_chunk(file, "tEXt", "Author\0", 7);
}
#define EVERYTHING "iCCP gAMA cHRM cICP pHYs eXIf tEXt zTXt iTXt iTXt tEXt"

static void every_kept_chunk_is_kept_as_it_is(void **state)
{
    (void)state;
    struct reference_bytes file = {0};
    start(&file, PNG_COLOR_TYPE_RGB);
    put_everything(&file);
    reference_chunk(&file, "tIME", "\x07\xe8\1\1\0\0\0", 7);
    reference_chunk(&file, "prVt", "private", 7);
    check_kept(&file, PNG_COLOR_TYPE_RGB, EVERYTHING, 0);
    start(&file, PNG_COLOR_TYPE_RGB);
    reference_chunk(&file, "sRGB", "\1", 1);
    check_kept(&file, PNG_COLOR_TYPE_RGB, "sRGB", 0);
}

/* Written, read with libpng, and read again. */
static void metadata_survives_a_round_trip(void **state)
{
    (void)state;
    struct reference_bytes file = {0};
    struct exact exact, again;
    struct exact_file out;
    struct reference_image image;
    char text[256];
    start(&file, PNG_COLOR_TYPE_RGB);
    put_everything(&file);
    reference_finish(&file, raw_bytes(PNG_COLOR_TYPE_RGB));
    assert_string_equal(kept(&file, &exact, text, sizeof text), EVERYTHING);
    struct codec_save save = {.compression = COMPRESSION_FAST, .level = -1};
    assert_int_equal(exact_encode(&png_codec, &save, &exact.shape, exact.pixels, &exact.meta, &out), 0);
    assert_int_equal(out.warnings, 0);
    assert_int_equal(exact_decode(&png_codec, out.bytes, out.length_bytes, &exact_limits, &again), 0);
    assert_int_equal(again.warnings, 0);
    assert_int_equal(again.meta.used_bytes, exact.meta.used_bytes);
    assert_memory_equal(again.meta.block, exact.meta.block, exact.meta.used_bytes);
    exact_free(&again);

    assert_int_equal(reference_decode(out.bytes, out.length_bytes, 1000, &image), 0);
    png_charp name;
    png_bytep profile;
    png_uint_32 length, across, down;
    png_textp texts;
    int method, unit;
    png_fixed_point gamma;
    assert_true(png_get_iCCP(image.png, image.info, &name, &method, &profile, &length));
    assert_string_equal(name, "name");
    assert_int_equal(length, 640);
    assert_true(png_get_gAMA_fixed(image.png, image.info, &gamma));
    assert_int_equal(gamma, 45455);
    assert_true(png_get_pHYs(image.png, image.info, &across, &down, &unit));
    assert_int_equal(down, 2834);
    assert_int_equal(png_get_text(image.png, image.info, &texts, NULL), 5);
    assert_string_equal(texts[1].text, "again and again and again");
    assert_string_equal(texts[2].lang_key, "Titel");
    reference_free(&image);
    free(out.bytes);

    save.strip = true;
    assert_int_equal(exact_encode(&png_codec, &save, &exact.shape, exact.pixels, &exact.meta, &out), 0);
    assert_int_equal(exact_decode(&png_codec, out.bytes, out.length_bytes, &exact_limits, &again), 0);
    assert_int_equal(again.meta.used_bytes, 0);
    exact_free(&again);
    free(out.bytes);
    exact_free(&exact);
    free(file.bytes);
}

static void damaged_chunks_are_left_behind_with_a_warning(void **state)
{
    (void)state;
    static const struct {
        const char *type, *data;
        size_t length_bytes;
    } bad[] = {
        {"gAMA", "\0\0\0\0", 4},
        {"gAMA", "\0\0\xb1", 3},
        {"cHRM", "12345678901234567890123456789012", 32},
        {"sRGB", "\x09", 1},
        {"cICP", "\1\1\1\1", 4},
        {"cICP", "\1\1\0", 3},
        {"pHYs", "12345678", 8},
        {"eXIf", "XX\0*\0\0\0\x08", 8},
        {"tEXt", "\0no keyword", 11},
        {"tEXt", "12345678901234567890123456789012345678901234567890123456789012345678901234567890\0", 81},
        {"zTXt", "key\0\1abc", 8},
        {"zTXt", "key\0\0not a zlib stream", 22},
        {"zTXt", "key\0", 4},
        {"iTXt", "key\0\0\0en", 8},
        {"iTXt", "key\0\1\0\0\0junk", 12},
        {"iTXt", "key\0\2\0\0\0text", 12},
        {"iCCP", "key\0\0not a zlib stream", 22},
        {"iCCP", "key", 3},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct reference_bytes file = {0};
        start(&file, PNG_COLOR_TYPE_RGB);
        reference_chunk(&file, bad[i].type, bad[i].data, bad[i].length_bytes);
        check_kept(&file, PNG_COLOR_TYPE_RGB, "", 1);
    }
}

static void a_chunk_with_a_bad_crc_is_left_behind(void **state)
{
    (void)state;
    static const char *const types[] = {"tEXt", "zTXt", "iTXt", "eXIf", "pHYs", "gAMA", "iCCP", "cICP"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        struct reference_bytes file = {0};
        start(&file, PNG_COLOR_TYPE_RGB);
        reference_chunk(&file, types[i], "key\0some text", 13);
        file.bytes[file.length_bytes - 1] ^= 1;
        check_kept(&file, PNG_COLOR_TYPE_RGB, "", 1);
    }
}

static void the_first_of_two_is_kept(void **state)
{
    (void)state;
    struct reference_bytes file = {0};
    start(&file, PNG_COLOR_TYPE_RGB);
    put_profile(&file, "RGB ");
    put_profile(&file, "RGB ");
    reference_chunk(&file, "sRGB", "\0", 1);
    reference_chunk(&file, "eXIf", "II*\0\x08\0\0\0", 8);
    reference_chunk(&file, "eXIf", "MM\0*\0\0\0\x08", 8);
    check_kept(&file, PNG_COLOR_TYPE_RGB, "iCCP eXIf", 3);
    /* Of the sound ones: that another is sound does not make the first one so. */
    struct exact exact;
    struct meta_entry entry;
    char text[64];
    size_t position = 0;
    start(&file, PNG_COLOR_TYPE_RGB);
    reference_chunk(&file, "pHYs", "12345678", 8);
    reference_chunk(&file, "pHYs", "\0\0\0\1\0\0\0\1\0", 9);
    reference_finish(&file, raw_bytes(PNG_COLOR_TYPE_RGB));
    assert_string_equal(kept(&file, &exact, text, sizeof text), "pHYs");
    assert_int_equal(meta_next(&exact.meta, &position, &entry), 1);
    assert_int_equal(entry.length_bytes, 9);
    exact_free(&exact);
    free(file.bytes);
}

static void a_profile_must_be_sound_and_of_the_right_model(void **state)
{
    (void)state;
    struct reference_bytes file = {0};
    uint8_t profile[640];
    struct exact exact;
    struct meta_entry entry;
    char text[64];
    start(&file, PNG_COLOR_TYPE_GRAY);
    put_profile(&file, "RGB ");
    check_kept(&file, PNG_COLOR_TYPE_GRAY, "", 1);
    start(&file, PNG_COLOR_TYPE_RGB);
    put_profile(&file, "GRAY");
    check_kept(&file, PNG_COLOR_TYPE_RGB, "", 1);
    static const size_t damage[] = {0, 3, 36, 140}; /* length, signature, a tag's length */
    for (size_t i = 0; i < 4; i++) {
        make_profile(profile, "RGB ", sizeof profile);
        profile[damage[i]] ^= 0x40;
        start(&file, PNG_COLOR_TYPE_RGB);
        reference_deflated(&file, "iCCP", "name\0", 6, profile, sizeof profile);
        check_kept(&file, PNG_COLOR_TYPE_RGB, "", 1);
    }
    for (int grey = 0; grey < 2; grey++) {
        int colour = grey ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB;
        start(&file, colour);
        put_profile(&file, grey ? "GRAY" : "RGB ");
        reference_finish(&file, raw_bytes(colour));
        kept(&file, &exact, text, sizeof text);
        size_t position = 0;
        assert_int_equal(meta_next(&exact.meta, &position, &entry), 1);
        assert_int_equal(entry.flags, grey ? META_GREY_ONLY : META_RGB_ONLY);

        /* Written with the other model it is dropped, with a word about it; the other chunks stay. */
        struct shape other = {
            .width = SIDE, .height = SIDE, .channels = grey ? 3 : 1, .sample = SAMPLE_U8, .bits = 8};
        struct codec_save save = {.compression = COMPRESSION_FAST, .level = -1};
        uint8_t pixels[SIDE * SIDE * 3] = {0};
        struct exact_file out;
        assert_int_equal(exact_encode(&png_codec, &save, &other, pixels, &exact.meta, &out), 0);
        assert_int_equal(out.warnings, 1);
        assert_string_equal(out.warning, grey ? "dropped a colour profile that is for grey images"
                                              : "dropped a colour profile that is for RGB images");
        assert_null(memmem(out.bytes, out.length_bytes, "iCCP", 4));
        free(out.bytes);
        exact_free(&exact);
        free(file.bytes);
        file = (struct reference_bytes){0};
    }
}

/* Chunks that came too late to count are dropped; text may come at the end. */
static void place_matters(void **state)
{
    (void)state;
    struct reference_bytes file = {0};
    struct exact exact;
    char text[64];
    uint8_t raw[SIDE * (SIDE + 1)] = {0};
    start(&file, PNG_COLOR_TYPE_PALETTE);
    reference_chunk(&file, "PLTE", "\1\2\3", 3);
    reference_chunk(&file, "gAMA", "\0\0\xb1\x8f", 4);
    put_profile(&file, "RGB ");
    reference_chunk(&file, "pHYs", "\0\0\0\1\0\0\0\1\0", 9);
    reference_deflated(&file, "IDAT", NULL, 0, raw, sizeof raw);
    reference_chunk(&file, "tEXt", "Late\0but legal", 14);
    reference_chunk(&file, "eXIf", "II*\0\x08\0\0\0", 8);
    reference_chunk(&file, "cICP", "\1\1\0\1", 4);
    reference_chunk(&file, "IEND", NULL, 0);
    reference_chunk(&file, "tEXt", "After\0the end", 13);
    assert_string_equal(kept(&file, &exact, text, sizeof text), "pHYs tEXt eXIf");
    assert_int_equal(exact.warnings, 4); /* gAMA, iCCP, cICP, bytes after the end */
    exact_free(&exact);
    free(file.bytes);
}

/* Text that inflates to more than any reader takes is not carried on, and costs neither memory nor time. */
static void text_bombs_are_left_behind(void **state)
{
    (void)state;
    struct reference_bytes file = {0};
    enum { BOMB = 9000000 };
    uint8_t *zeros = calloc(BOMB, 1);
    start(&file, PNG_COLOR_TYPE_RGB);
    reference_deflated(&file, "zTXt", "Bomb\0", 6, zeros, BOMB);
    reference_deflated(&file, "iTXt", "Bomb\0\1\0\0\0", 9, zeros, BOMB);
    reference_deflated(&file, "iCCP", "Bomb\0", 6, zeros, BOMB);
    reference_chunk(&file, "tEXt", "Small\0text", 10);
    check_kept(&file, PNG_COLOR_TYPE_RGB, "tEXt", 3);
    /* Each is allowed alone, but not all of them together. */
    start(&file, PNG_COLOR_TYPE_RGB);
    for (int i = 0; i < 5; i++)
        reference_deflated(&file, "zTXt", "Bomb\0", 6, zeros, 7000000);
    check_kept(&file, PNG_COLOR_TYPE_RGB, "zTXt zTXt zTXt zTXt", 1);
    free(zeros);
}

/* Whatever is inflated counts, also of what proves damaged or is no profile: then there is nothing left for a
 * sound text. */
static void damaged_bombs_count(void **state)
{
    (void)state;
    struct reference_bytes file = {0};
    enum { BOMB = 7000000 };
    uint8_t *zeros = calloc(BOMB, 1), *text = malloc(BOMB);
    uLong text_bytes = BOMB - 3;
    memcpy(text, "K\0", 3);
    compress2(text + 3, &text_bytes, zeros, BOMB, 9);
    text[3 + text_bytes - 1] ^= 1; /* the checksum */
    start(&file, PNG_COLOR_TYPE_RGB);
    for (int i = 0; i < 5; i++)
        reference_chunk(&file, "zTXt", text, 3 + text_bytes);
    reference_deflated(&file, "zTXt", "K\0", 3, "text", 4);
    reference_chunk(&file, "tEXt", "Small\0text", 10);
    check_kept(&file, PNG_COLOR_TYPE_RGB, "tEXt", 6);
    start(&file, PNG_COLOR_TYPE_RGB);
    for (int i = 0; i < 5; i++)
        reference_deflated(&file, "iCCP", "K\0", 3, zeros, BOMB);
    reference_deflated(&file, "zTXt", "K\0", 3, "text", 4);
    check_kept(&file, PNG_COLOR_TYPE_RGB, "", 1);
    free(text);
    free(zeros);
}

static void frames_are_dropped_with_a_warning(void **state)
{
    (void)state;
    struct reference_bytes file = {0};
    struct exact exact;
    const size_t size = raw_bytes(PNG_COLOR_TYPE_GRAY);
    uint8_t *raw = calloc(size, 1);
    start(&file, PNG_COLOR_TYPE_GRAY);
    reference_chunk(&file, "acTL", "\0\0\0\2\0\0\0\0", 8);
    reference_deflated(&file, "IDAT", NULL, 0, raw, size);
    reference_deflated(&file, "fdAT", "\0\0\0\1", 4, raw, size);
    reference_chunk(&file, "IEND", NULL, 0);
    assert_int_equal(exact_decode(&png_codec, file.bytes, file.length_bytes, &exact_limits, &exact), 0);
    assert_int_equal(exact.warnings, 1);
    assert_string_equal(exact.warning, "an animation: its further frames are dropped");
    exact_free(&exact);
    free(raw);
    free(file.bytes);
}

static void more_metadata_than_the_limit_is_refused(void **state)
{
    (void)state;
    struct reference_bytes file = {0};
    struct exact exact;
    struct codec_limits limits = exact_limits;
    start(&file, PNG_COLOR_TYPE_RGB);
    put_everything(&file);
    reference_finish(&file, raw_bytes(PNG_COLOR_TYPE_RGB));
    limits.max_metadata_bytes = 200;
    assert_int_equal(exact_decode(&png_codec, file.bytes, file.length_bytes, &limits, &exact), ERROR_LIMIT);
    assert_non_null(strstr(exact.error.reason, "over max_metadata 200; raise it with --max-metadata"));
    free(file.bytes);
}

/* The bound holds for many least chunks, all in the head or far behind it. */
static void many_small_chunks_stay_in_the_plan(void **state)
{
    (void)state;
    for (unsigned count = 10; count <= 20000; count *= 40) {
        struct reference_bytes file = {0};
        struct exact exact;
        struct meta_entry entry;
        unsigned found = 0;
        start(&file, PNG_COLOR_TYPE_RGB);
        for (unsigned i = 0; i < count; i++)
            reference_chunk(&file, "tEXt", "a\0", 2);
        reference_finish(&file, raw_bytes(PNG_COLOR_TYPE_RGB));
        assert_int_equal(exact_decode(&png_codec, file.bytes, file.length_bytes, &exact_limits, &exact), 0);
        for (size_t position = 0; meta_next(&exact.meta, &position, &entry) == 1;)
            found++;
        assert_int_equal(found, count);
        exact_free(&exact);
        free(file.bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kept_chunk_is_kept_as_it_is),
        cmocka_unit_test(metadata_survives_a_round_trip),
        cmocka_unit_test(damaged_chunks_are_left_behind_with_a_warning),
        cmocka_unit_test(a_chunk_with_a_bad_crc_is_left_behind),
        cmocka_unit_test(the_first_of_two_is_kept),
        cmocka_unit_test(a_profile_must_be_sound_and_of_the_right_model),
        cmocka_unit_test(place_matters),
        cmocka_unit_test(text_bombs_are_left_behind),
        cmocka_unit_test(damaged_bombs_count),
        cmocka_unit_test(frames_are_dropped_with_a_warning),
        cmocka_unit_test(more_metadata_than_the_limit_is_refused),
        cmocka_unit_test(many_small_chunks_stay_in_the_plan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
