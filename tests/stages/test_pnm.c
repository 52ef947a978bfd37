/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "codec_rows.h"

extern const struct codec pnm_codec;

/* More than reading by rows takes beside what peek counts. */
#define ROWS_EXTRA_BYTES 256

static int decode(const void *bytes, size_t length_bytes, struct exact *exact)
{
    const int code = exact_decode(&pnm_codec, bytes, length_bytes, &exact_limits, exact);
    const char kind = length_bytes > 1 ? ((const char *)bytes)[1] : ' ';
    if (kind < '1' || kind > '3')
        rows_check(&pnm_codec, ROWS_EXTRA_BYTES, bytes, length_bytes, &exact_limits, code, exact);
    return code;
}

static void check(const void *bytes, size_t length_bytes, struct shape shape, const void *pixels,
                  unsigned warnings)
{
    struct exact exact;
    if (decode(bytes, length_bytes, &exact) < 0)
        fail_msg("%s", exact.error.reason);
    assert_memory_equal(&exact.shape, &shape, sizeof shape);
    assert_memory_equal(&exact.info.shape, &shape, sizeof shape);
    assert_memory_equal(exact.pixels, pixels, shape_bytes(&shape));
    assert_int_equal(exact.warnings, warnings);
    exact_free(&exact);
}
/* A literal with the NUL bytes in it, without the one at its end. */
#define FILE_OF(literal) (literal), sizeof(literal) - 1

static void every_form_decodes(void **state)
{
    (void)state;
    static const uint8_t bits[] = {255, 0, 255, 0, 255, 0}, grey[] = {0, 17, 255}, few[] = {0, 85, 170, 255};
    static const uint8_t rgb[] = {1, 2, 3, 253, 254, 255};
    static const uint16_t wide[] = {0, 258, 65535};
    check(FILE_OF("P1\n3 2\n0 1 0\n1 0 1\n"),
          (struct shape){.width = 3, .height = 2, .channels = 1, .sample = SAMPLE_U8, .bits = 1}, bits, 0);
    check(FILE_OF("P1 3 2 010101"),
          (struct shape){.width = 3, .height = 2, .channels = 1, .sample = SAMPLE_U8, .bits = 1}, bits, 0);
    check(FILE_OF("P4\n3 2\n\x40\xa0"),
          (struct shape){.width = 3, .height = 2, .channels = 1, .sample = SAMPLE_U8, .bits = 1}, bits, 0);
    check(FILE_OF("P2\n3 1\n15\n0 1 15\n"),
          (struct shape){.width = 3, .height = 1, .channels = 1, .sample = SAMPLE_U8, .bits = 4}, grey, 0);
    check(FILE_OF("P5 4 1 3 \0\1\2\3"),
          (struct shape){.width = 4, .height = 1, .channels = 1, .sample = SAMPLE_U8, .bits = 2}, few, 0);
    check(FILE_OF("P3\n2 1\n255\n1 2 3 253 254 255"),
          (struct shape){.width = 2, .height = 1, .channels = 3, .sample = SAMPLE_U8, .bits = 8}, rgb, 0);
    check(FILE_OF("P6\n2 1\n255\n\1\2\3\xfd\xfe\xff"),
          (struct shape){.width = 2, .height = 1, .channels = 3, .sample = SAMPLE_U8, .bits = 8}, rgb, 0);
    check(FILE_OF("P5\n3 1\n65535\n\0\0\1\2\xff\xff"),
          (struct shape){.width = 3, .height = 1, .channels = 1, .sample = SAMPLE_U16, .bits = 16}, wide, 0);
    check(FILE_OF("P2 3 1 65535 0 258 65535"),
          (struct shape){.width = 3, .height = 1, .channels = 1, .sample = SAMPLE_U16, .bits = 16}, wide, 0);
    /* As netpbm reads them. */
    check(FILE_OF("P2 3 1 65535 00000000000000000000 000000000000000000258 0000065535"),
          (struct shape){.width = 3, .height = 1, .channels = 1, .sample = SAMPLE_U16, .bits = 16}, wide, 0);
}

static void pam_decodes(void **state)
{
    (void)state;
    static const uint8_t rgba[] = {1, 2, 3, 4}, bits[] = {0, 255, 255, 0}, pair[] = {9, 8};
    check(FILE_OF("P7\nWIDTH 1\nHEIGHT 1\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\n\1\2\3\4"),
          (struct shape){.width = 1, .height = 1, .channels = 4, .sample = SAMPLE_U8, .bits = 8}, rgba, 0);
    /* Any order, comments, no tuple type; and in PAM a 1 is white. */
    check(FILE_OF("P7\n# first\nMAXVAL 1\nDEPTH 1\n\nHEIGHT 2\nWIDTH 2\n#\nENDHDR\n\0\1\1\0"),
          (struct shape){.width = 2, .height = 2, .channels = 1, .sample = SAMPLE_U8, .bits = 1}, bits, 0);
    check(FILE_OF("P7\nWIDTH 1\nHEIGHT 1\nDEPTH 2\nMAXVAL 255\nTUPLTYPE GRAYSCALE_ALPHA\nENDHDR\n\x09\x08"),
          (struct shape){.width = 1, .height = 1, .channels = 2, .sample = SAMPLE_U8, .bits = 8}, pair, 0);
}

static void comments_may_stand_between_words(void **state)
{
    (void)state;
    static const uint8_t grey[] = {7, '#'};
    check(FILE_OF("P5#c\n # 9 9\n2#width\n\t1\r\n255#max\n\x07#"),
          (struct shape){.width = 2, .height = 1, .channels = 1, .sample = SAMPLE_U8, .bits = 8}, grey, 0);
    check(FILE_OF("P2 2 1 255\n7 # seven\n35"),
          (struct shape){.width = 2, .height = 1, .channels = 1, .sample = SAMPLE_U8, .bits = 8}, grey, 0);
}

/* v * full / maxval to the nearest, for every maxval up to 255 and some above. */
static void samples_are_scaled_to_the_nearest(void **state)
{
    (void)state;
    static const unsigned wide[] = {256, 1000, 1023, 4095, 32768, 65534};
    for (unsigned maxval = 1; maxval <= 255 + 6; maxval++) {
        unsigned most = maxval <= 255 ? maxval : wide[maxval - 256], full = most <= 255 ? 255 : 65535;
        uint8_t *file = malloc(64 + 2 * (most + 1));
        size_t length = (size_t)sprintf((char *)file, "P5 %u 1 %u\n", most + 1, most);
        for (unsigned v = 0; v <= most; v++) {
            if (most > 255)
                file[length++] = (uint8_t)(v >> 8);
            file[length++] = (uint8_t)v;
        }
        struct exact exact;
        assert_int_equal(decode(file, length, &exact), 0);
        for (unsigned v = 0; v <= most; v++) {
            unsigned want = (unsigned)((double)v * full / most + 0.5), got = exact.pixels[v];
            if (most > 255)
                got = ((uint16_t *)(void *)exact.pixels)[v];
            assert_int_equal(got, want);
        }
        exact_free(&exact);
        free(file);
    }
}

static void bytes_after_the_end_are_a_warning(void **state)
{
    (void)state;
    static const uint8_t grey[] = {1, 2};
    check(FILE_OF("P5 2 1 255\n\1\2more"),
          (struct shape){.width = 2, .height = 1, .channels = 1, .sample = SAMPLE_U8, .bits = 8}, grey, 1);
    check(FILE_OF("P2 2 1 255\n1 2 more"),
          (struct shape){.width = 2, .height = 1, .channels = 1, .sample = SAMPLE_U8, .bits = 8}, grey, 1);
    check(FILE_OF("P2 2 1 255\n1 2 \n# end\n"),
          (struct shape){.width = 2, .height = 1, .channels = 1, .sample = SAMPLE_U8, .bits = 8}, grey, 0);
}

static void bad_files_are_refused_for_their_reason(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t length_bytes;
        int code;
        const char *reason;
    } bad[] = {
        {FILE_OF(""), ERROR_CORRUPT, "file is empty"},
        {FILE_OF("P8\n1 1 1 1"), ERROR_CORRUPT, "not a PNM file"},
        {FILE_OF("P5"), ERROR_CORRUPT, "not a PNM file"},
        {FILE_OF("P5\n"), ERROR_CORRUPT, "file ends early, in the header"},
        {FILE_OF("P5 2 1 255"), ERROR_CORRUPT, "file ends early, in the header"},
        {FILE_OF("P5 2 1 255\n\1"), ERROR_CORRUPT, "file ends early: 1 bytes of pixels, at least 2 promised"},
        {FILE_OF("P4 9 2\n\1\1\1"), ERROR_CORRUPT, "file ends early: 3 bytes of pixels, at least 4 promised"},
        {FILE_OF("P2 2 2 255\n1 2 3   "), ERROR_CORRUPT, "file ends early, in the pixels"},
        {FILE_OF("P1 2 2 01 1  "), ERROR_CORRUPT, "file ends early, in the pixels"},
        {FILE_OF("P5 0 1 255\n"), ERROR_CORRUPT, "impossible size 0x1"},
        {FILE_OF("P5 -1 1 255\n\1"), ERROR_CORRUPT, "width is not a number"},
        {FILE_OF("P5 1 0x1 255\n\1"), ERROR_CORRUPT, "height is followed by something else than white space"},
        {FILE_OF("P5 1 1 0\n\1"), ERROR_CORRUPT, "maxval 0 is not 1 to 65535"},
        {FILE_OF("P5 1 1 65536\n\1\1"), ERROR_CORRUPT, "maxval 65536 is not 1 to 65535"},
        {FILE_OF("P5 99999999999999999999 1 255\n"), ERROR_CORRUPT, "width is too large a number"},
        {FILE_OF("P5 1 1 100\n\x65"), ERROR_CORRUPT, "a sample of 101 is over maxval 100"},
        {FILE_OF("P6 1 1 300\n\0\1\0\1\1\x2d"), ERROR_CORRUPT, "a sample of 301 is over maxval 300"},
        {FILE_OF("P2 1 1 100\n101"), ERROR_CORRUPT, "a sample of 101 is over maxval 100"},
        {FILE_OF("P1 1 1\n2"), ERROR_CORRUPT, "a sample of 2 is over maxval 1"},
        {FILE_OF("P2 2 1 100\n1 x"), ERROR_CORRUPT, "byte 13 is not part of a number"},
        {FILE_OF("P2 2 1 100\n-1 1"), ERROR_CORRUPT, "byte 11 is not part of a number"},
        {FILE_OF("P5 9000 9000 255\n"), ERROR_LIMIT,
         "81000000 pixels, over max_pixels 64000000; raise it with --max-pixels"},
        {FILE_OF("P5 1000001 1 255\n"), ERROR_LIMIT,
         "1000001 pixels wide, over max_width 1000000; raise it with --max-width"},
        {FILE_OF("P6 1 2147483647 255\n"), ERROR_LIMIT,
         "2147483647 pixels high, over max_height 1000000; raise it with --max-height"},
        {FILE_OF("P7 332\n"), ERROR_UNSUPPORTED, "neither PNM nor PAM, though it starts with P7"},
        {FILE_OF("P7\nWIDTH 1\n"), ERROR_CORRUPT, "file ends early, in the header"},
        {FILE_OF("P7\nWIDTH 1\nENDHDR\n\1"), ERROR_CORRUPT, "header lacks WIDTH, HEIGHT, DEPTH or MAXVAL"},
        {FILE_OF("P7\nWIDTH 1\nWIDTH 1\nENDHDR\n\1"), ERROR_CORRUPT, "header has a line twice"},
        {FILE_OF("P7\nCOLOUR 1\nENDHDR\n\1"), ERROR_CORRUPT, "header has an unknown line"},
        {FILE_OF("P7\nWIDTH one\nENDHDR\n\1"), ERROR_CORRUPT, "WIDTH is not a number of up to 9 digits"},
        {FILE_OF("P7\nWIDTH 1\nHEIGHT 1\nDEPTH 5\nMAXVAL 255\nENDHDR\n12345"), ERROR_UNSUPPORTED,
         "5 samples a pixel are not 1 to 4"},
        {FILE_OF("P7\nWIDTH 1\nHEIGHT 1\nDEPTH 4\nMAXVAL 255\nTUPLTYPE CMYK\nENDHDR\n1234"),
         ERROR_UNSUPPORTED, "TUPLTYPE CMYK is not black and white, grey or RGB"},
        {FILE_OF("P7\nWIDTH 1\nHEIGHT 1\nDEPTH 3\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\n1234"),
         ERROR_CORRUPT, "TUPLTYPE RGB_ALPHA does not go with DEPTH 3"},
        {FILE_OF("P7\nWIDTH 1\nHEIGHT 1\nDEPTH 1\nMAXVAL 9\nTUPLTYPE BLACKANDWHITE\nENDHDR\n1"),
         ERROR_CORRUPT, "TUPLTYPE BLACKANDWHITE does not go with MAXVAL 9"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct exact exact;
        assert_int_equal(decode(bad[i].bytes, bad[i].length_bytes, &exact), bad[i].code);
        assert_string_equal(exact.error.reason, bad[i].reason);
    }
}

static void a_header_without_end_is_refused(void **state)
{
    (void)state;
    size_t length = CODEC_HEAD_BYTES + 100;
    char *file = malloc(length);
    struct exact exact;
    memset(file, '#', length);
    memcpy(file, "P5 ", 3);
    assert_int_equal(decode(file, length, &exact), ERROR_CORRUPT);
    assert_string_equal(exact.error.reason, "header is longer than 65536 bytes");
    free(file);
}

/* No truncation or changed byte crashes, or decodes to another size than was promised. */
static void damage_is_survived(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t length_bytes;
    } files[] = {
        {FILE_OF("P1\n3 2\n0 1 0\n1 0 1\n")},
        {FILE_OF("P3 1 2 15 1 2 3 4 5 6")},
        {FILE_OF("P4\n9 2\n\x40\xa0\1\2")},
        {FILE_OF("P6 2 1 300\n\1\1\1\1\1\1\1\1\1\1\1\1")},
        {FILE_OF("P7\nWIDTH 1\nHEIGHT 1\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\n\1\2\3\4")},
    };
    for (size_t f = 0; f < sizeof files / sizeof *files; f++) {
        size_t length = files[f].length_bytes, taken = 0;
        uint8_t bytes[128];
        struct exact exact;
        bool digits = f < 2; /* the last number of plain files may lose its end and still be one */
        memcpy(bytes, files[f].bytes, length);
        for (size_t cut = 0; cut + 1 + digits < length; cut++)
            assert_true(decode(bytes, cut, &exact) < 0);
        for (size_t at = 0; at < length; at++) {
            for (unsigned value = 0; value < 256; value++) {
                bytes[at] = (uint8_t)value;
                if (decode(bytes, length, &exact) == 0) {
                    taken++;
                    exact_free(&exact);
                }
            }
            bytes[at] = (uint8_t)files[f].bytes[at];
        }
        assert_true(taken >= length);
    }
}

static void check_written(struct shape shape, const void *pixels, const void *bytes, size_t length_bytes)
{
    struct codec_save save = {.level = -1};
    struct exact_file file;
    assert_int_equal(exact_encode(&pnm_codec, &save, &shape, pixels, NULL, &file), 0);
    assert_int_equal(file.length_bytes, length_bytes);
    assert_memory_equal(file.bytes, bytes, length_bytes);
    check(file.bytes, file.length_bytes, shape, pixels, 0);
    free(file.bytes);
    rows_put_check(&pnm_codec, &save, &shape, pixels, NULL);
}

static void the_shape_decides_what_is_written(void **state)
{
    (void)state;
    static const uint8_t bits[] = {255, 0, 255, 0, 255, 0, 255, 255, 0}, four[] = {0, 17, 255};
    static const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8};
    static const uint16_t wide[] = {258, 772, 65534, 1};
    check_written((struct shape){.width = 9, .height = 1, .channels = 1, .sample = SAMPLE_U8, .bits = 1},
                  bits, FILE_OF("P4\n9 1\n\x54\x80"));
    check_written((struct shape){.width = 3, .height = 1, .channels = 1, .sample = SAMPLE_U8, .bits = 4},
                  four, FILE_OF("P5\n3 1\n15\n\0\1\x0f"));
    check_written((struct shape){.width = 3, .height = 1, .channels = 1, .sample = SAMPLE_U8, .bits = 8},
                  four, FILE_OF("P5\n3 1\n255\n\0\x11\xff"));
    check_written((struct shape){.width = 1, .height = 2, .channels = 3, .sample = SAMPLE_U8, .bits = 8},
                  bytes, FILE_OF("P6\n1 2\n255\n\1\2\3\4\5\6"));
    check_written((struct shape){.width = 2, .height = 2, .channels = 1, .sample = SAMPLE_U16, .bits = 16},
                  wide, FILE_OF("P5\n2 2\n65535\n\1\2\3\4\xff\xfe\0\1"));
    check_written((struct shape){.width = 1, .height = 1, .channels = 4, .sample = SAMPLE_U16, .bits = 16},
                  wide,
                  FILE_OF("P7\nWIDTH 1\nHEIGHT 1\nDEPTH 4\nMAXVAL 65535\nTUPLTYPE RGB_ALPHA\nENDHDR\n"
                          "\1\2\3\4\xff\xfe\0\1"));
    check_written((struct shape){.width = 2, .height = 1, .channels = 2, .sample = SAMPLE_U8, .bits = 8},
                  bytes,
                  FILE_OF("P7\nWIDTH 2\nHEIGHT 1\nDEPTH 2\nMAXVAL 255\nTUPLTYPE GRAYSCALE_ALPHA\nENDHDR\n"
                          "\1\2\3\4"));
}

/* Raw files that are large, in exactly the memory that peek says, and back. */
static void large_files_go_by_rows(void **state)
{
    (void)state;
    static const struct {
        const char *start;
        unsigned bytes, most;
        bool by_rows;
    } cases[] = {
        {"P5 1100 1000 255\n", 1100000, 255, true},
        {"P6 700 500 200\n", 1050000, 200, true},
        {"P5 900 600 1000\n", 1080000, 3, true},
        {"P4 1200 900\n", 135000, 255, true},
        {"P5 600 600 65535\n", 720000, 255, false},
        {"P4 1000 1000\n", 125000, 255, false},
        {"P2 1100 1000 9\n", 2200000, 0, false},
        {"P7\nWIDTH 600\nHEIGHT 500\nDEPTH 4\nMAXVAL 255\nENDHDR\n", 1200000, 255, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const size_t start_bytes = strlen(cases[i].start), length = start_bytes + cases[i].bytes;
        uint8_t *file = malloc(length);
        struct exact whole;
        memcpy(file, cases[i].start, start_bytes);
        for (size_t at = start_bytes; at < length; at++)
            file[at] =
                cases[i].most ? (uint8_t)(at * 7919 / 64 % (cases[i].most + 1)) : (uint8_t) "1 "[at % 2];
        int code = exact_decode(&pnm_codec, file, length, &exact_limits, &whole);
        assert_int_equal(code, 0);
        assert_int_equal(whole.info.by_rows, cases[i].by_rows);
        if (cases[i].by_rows) {
            const struct codec_save save = {.level = -1};
            rows_check(&pnm_codec, 0, file, length, &exact_limits, 0, &whole);
            rows_put_check(&pnm_codec, &save, &whole.shape, whole.pixels, NULL);
        }
        exact_free(&whole);
        if (cases[i].most < 255 && cases[i].by_rows) {
            /* Over maxval, far down. */
            file[start_bytes + cases[i].bytes / 3 * 2] = 0xff;
            code = exact_decode(&pnm_codec, file, length, &exact_limits, &whole);
            assert_int_equal(code, ERROR_CORRUPT);
            rows_check(&pnm_codec, 0, file, length, &exact_limits, code, &whole);
        }
        free(file);
    }
}

static void too_little_room_is_said(void **state)
{
    (void)state;
    static const uint8_t grey[300] = {0};
    const struct shape shape = {.width = 20, .height = 15, .channels = 1, .sample = SAMPLE_U8, .bits = 8};
    const struct codec_save save = {.level = -1};
    struct rows_putting putting = {.codec = &pnm_codec, .save = &save, .shape = &shape, .pixels = grey};
    for (size_t room = 0; room < 313; room++) {
        assert_int_equal(rows_put(&putting, room, 0), ERROR_ROOM);
        assert_int_equal(putting.length_bytes, 0);
        free(putting.block);
    }
    assert_int_equal(rows_put(&putting, 313, 0), 0);
    assert_int_equal(putting.length_bytes, 313);
    free(putting.block);
}

static void what_it_cannot_hold_is_said(void **state)
{
    (void)state;
    struct shape shape = {.width = 1, .height = 1, .channels = 3, .sample = SAMPLE_F32, .bits = 32},
                 small = {.width = 1, .height = 1, .channels = 1, .sample = SAMPLE_U8, .bits = 8};
    struct codec_save save = {.level = -1};
    struct codec_plan plan;
    struct error error;
    uint8_t block[64], pixel = 5;
    struct meta meta = {.block = block, .size_bytes = sizeof block};
    struct exact_file file;
    assert_int_equal(pnm_codec.plan(&save, &shape, 0, &plan, &error), ERROR_UNSUPPORTED);
    assert_string_equal(error.reason, "pnm holds 8 or 16 bits a sample; put cast:type=u16 last");
    meta_put(&meta, "gAMA", 0, block, 4);
    assert_int_equal(exact_encode(&pnm_codec, &save, &small, &pixel, &meta, &file), 0);
    assert_int_equal(file.warnings, 1);
    assert_string_equal(file.warning, "dropped metadata, which pnm does not hold");
    free(file.bytes);
    rows_put_check(&pnm_codec, &save, &small, &pixel, &meta);
    save.strip = true;
    assert_int_equal(exact_encode(&pnm_codec, &save, &small, &pixel, &meta, &file), 0);
    assert_int_equal(file.warnings, 0);
    free(file.bytes);
}

static void names_and_first_bytes_find_the_codec(void **state)
{
    (void)state;
    assert_ptr_equal(codec_for_name("a/b.PGM"), &pnm_codec);
    assert_ptr_equal(codec_for_name("pam"), NULL);
    assert_string_equal(codec_for_name("x.png")->name, "png");
    assert_ptr_equal(codec_sniff((const uint8_t *)"P6\n1", 4), &pnm_codec);
    assert_string_equal(codec_sniff((const uint8_t *)"\x89PNG\r\n\x1a\n", 8)->name, "png");
    assert_null(codec_sniff((const uint8_t *)"P61 2", 5));
    assert_null(codec_sniff((const uint8_t *)"", 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_decodes),
        cmocka_unit_test(pam_decodes),
        cmocka_unit_test(comments_may_stand_between_words),
        cmocka_unit_test(samples_are_scaled_to_the_nearest),
        cmocka_unit_test(bytes_after_the_end_are_a_warning),
        cmocka_unit_test(bad_files_are_refused_for_their_reason),
        cmocka_unit_test(a_header_without_end_is_refused),
        cmocka_unit_test(damage_is_survived),
        cmocka_unit_test(the_shape_decides_what_is_written),
        cmocka_unit_test(large_files_go_by_rows),
        cmocka_unit_test(too_little_room_is_said),
        cmocka_unit_test(what_it_cannot_hold_is_said),
        cmocka_unit_test(names_and_first_bytes_find_the_codec),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
