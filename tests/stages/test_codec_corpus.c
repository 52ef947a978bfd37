/* SPDX-License-Identifier: MIT */
/* PNG files with known verdicts and pixel hashes. FORKMILL_CORPUS names a directory with expected-png.tsv,
 * whose columns are: file, bytes, verdict, width, height, bit depth, colour type, interlaced, warnings,
 * message, and the FNV-1a 64 of the pixels expanded to RGBA of 16 bits big-endian. */
#include <inttypes.h>
#include <stdio.h>

#include "codec_exact.h"
#include "png_reference.h"

extern const struct codec png_codec;

static uint8_t *load(const char *directory, const char *name, size_t *length_bytes)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "rb");
    if (!file)
        fail_msg("cannot open %s", path);
    fseek(file, 0, SEEK_END);
    *length_bytes = (size_t)ftell(file);
    rewind(file);
    uint8_t *bytes = malloc(*length_bytes + 1);
    assert_int_equal(fread(bytes, 1, *length_bytes, file), *length_bytes);
    fclose(file);
    return bytes;
}

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
    if ((uint64_t)exact->shape.width * exact->shape.height > 1000000)
        return;
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

static void check_file(const char *directory, const char *name, const char *verdict, uint64_t hash)
{
    size_t length;
    uint8_t *bytes = load(directory, name, &length);
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
        if (pixel_hash(&exact.shape, exact.pixels) != hash)
            fail_msg("%s: pixels differ from the published ones", name);
        assert_int_equal(reference_decode(bytes, length, UINT64_MAX, &reference), 0);
        assert_int_equal(reference.channels, exact.shape.channels);
        assert_memory_equal(reference.pixels, exact.pixels, shape_bytes(&exact.shape));
        reference_free(&reference);
        check_round_trip(name, &exact);
        exact_free(&exact);
    }
    free(bytes);
}

static void verdicts_and_pixels_are_the_expected_ones(void **state)
{
    (void)state;
    const char *directory = getenv("FORKMILL_CORPUS");
    if (!directory) {
        print_message("skipped: FORKMILL_CORPUS is not set, no corpus was read\n");
        skip();
    }
    size_t length, files = 0;
    char *table = (char *)load(directory, "expected-png.tsv", &length), *rest = table;
    table[length] = '\0';
    for (char *line; (line = strsep(&rest, "\n")) && *line; files++) {
        char *columns[11] = {0};
        for (unsigned i = 0; i < 11 && line; i++)
            columns[i] = strsep(&line, "\t");
        assert_non_null(columns[10]);
        const char *hash = columns[10] + (columns[10][0] == '-');
        check_file(directory, columns[0], columns[2], strtoull(hash, NULL, 16));
    }
    print_message("%zu files of the corpus were checked\n", files);
    assert_true(files > 0);
    free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verdicts_and_pixels_are_the_expected_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
