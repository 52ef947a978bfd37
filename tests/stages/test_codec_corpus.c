/* SPDX-License-Identifier: MIT */
/* PNG files with known verdicts and pixel hashes. FORKMILL_CORPUS names a directory with expected-png.tsv,
 * whose columns are: file, bytes, verdict, width, height, bit depth, colour type, interlaced, warnings,
 * message, and the FNV-1a 64 of the pixels expanded to RGBA of 16 bits big-endian. */
#include "codec_exact.h"
#include "corpus.h"
#include "png_reference.h"

extern const struct codec png_codec;

static unsigned full_scale(const struct shape *shape, const uint8_t *pixels, size_t index)
{
    uint16_t wide;
    if (shape->sample == SAMPLE_U8)
        return pixels[index] * 257u;
    memcpy(&wide, pixels + index * 2, sizeof wide);
    return wide;
}

static uint64_t pixel_hash(const struct shape *shape, const uint8_t *pixels)
{
    uint64_t hash = UINT64_C(1469598103934665603);
    size_t count = (size_t)shape->width * shape->height;
    for (size_t i = 0; i < count; i++) {
        unsigned rgba[4];
        size_t at = i * shape->channels;
        for (unsigned c = 0; c < 3; c++)
            rgba[c] = full_scale(shape, pixels, at + (shape->channels >= 3 ? c : 0));
        rgba[3] = shape_has_alpha(shape) ? full_scale(shape, pixels, at + shape->channels - 1) : 65535;
        for (unsigned c = 0; c < 4; c++) {
            hash = (hash ^ rgba[c] >> 8) * UINT64_C(0x100000001b3);
            hash = (hash ^ (rgba[c] & 255)) * UINT64_C(0x100000001b3);
        }
    }
    return hash;
}

/* What is written from a sound file must decode to the same pixels and metadata. */
static void check_round_trip(const char *name, const struct exact *exact)
{
    for (int interlace = 0; interlace < 2; interlace++) {
        struct codec_save save = {.compression = COMPRESSION_FAST, .level = -1, .interlace = interlace};
        struct exact_file file;
        struct exact again;
        if (exact_encode(&png_codec, &save, &exact->shape, exact->pixels, &exact->meta, &file) < 0)
            fail_msg("%s: written: %s", name, file.error.reason);
        if (exact_decode(&png_codec, file.bytes, file.length_bytes, &exact_limits, &again) < 0)
            fail_msg("%s: read again: %s", name, again.error.reason);
        assert_memory_equal(&again.shape, &exact->shape, sizeof again.shape);
        assert_memory_equal(again.pixels, exact->pixels, shape_bytes(&exact->shape));
        assert_int_equal(again.warnings, 0);
        assert_int_equal(again.meta.used_bytes, exact->meta.used_bytes);
        if (again.meta.used_bytes)
            assert_memory_equal(again.meta.block, exact->meta.block, exact->meta.used_bytes);
        exact_free(&again);
        free(file.bytes);
    }
}

static void check_file(const char *directory, char **columns)
{
    const char *name = columns[0], *verdict = columns[2];
    const uint64_t hash = strtoull(columns[10] + (columns[10][0] == '-'), NULL, 16);
    /* AddressSanitizer reads the bombs; valgrind would take minutes to see of them what it sees of other
     * files. */
    if (quick() && exact_fence_bytes > 0 && strstr(name, "bomb"))
        return;
    size_t length;
    uint8_t *bytes = corpus_load(directory, name, &length);
    assert_string_not_equal(columns[10], "");
    struct exact exact;
    struct reference_image reference;
    int code = exact_decode(&png_codec, bytes, length, &exact_limits, &exact);
    bool sound = strcmp(verdict, "OK") == 0 || strcmp(verdict, "OK_TRAILING_DATA") == 0;
    if (sound && code < 0)
        fail_msg("%s: %s", name, exact.error.reason);
    if (!sound && code == 0)
        fail_msg("%s: decoded, but it is %s", name, verdict);
    if (strncmp(verdict, "BOMB", 4) == 0)
        assert_int_equal(code, ERROR_LIMIT);
    if (sound) {
        /* Of a large one the published hash says all that libpng would; quick runs look at memory alone. */
        const bool large = length > 150000 || (uint64_t)exact.shape.width * exact.shape.height > 1000000;
        if (!(large && quick()) && pixel_hash(&exact.shape, exact.pixels) != hash)
            fail_msg("%s: pixels differ from the published ones", name);
        if (!large) {
            assert_int_equal(reference_decode(bytes, length, UINT64_MAX, &reference), 0);
            assert_int_equal(reference.channels, exact.shape.channels);
            assert_memory_equal(reference.pixels, exact.pixels, shape_bytes(&exact.shape));
            reference_free(&reference);
            check_round_trip(name, &exact);
        }
        exact_free(&exact);
    }
    free(bytes);
}

static void verdicts_and_pixels_are_the_expected_ones(void **state)
{
    (void)state;
    corpus_each("expected-png.tsv", check_file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verdicts_and_pixels_are_the_expected_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
