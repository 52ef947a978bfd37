/* SPDX-License-Identifier: MIT */
/* to_array and to_image: the same bytes under another shape. */
#include "stage_harness.h"

static void images_and_arrays_turn_into_each_other(void **state)
{
    (void)state;
    for (unsigned sample = 0; sample < SAMPLE_IMAGE_COUNT; sample++) {
        for (unsigned channels = 1; channels <= SHAPE_MAX_CHANNELS; channels++) {
            const struct shape in = harness_shape(123, 45, channels, (enum sample)sample);
            uint8_t *src = harness_image(&in, 9);
            struct shape array, image;
            uint8_t *samples = harness_apply("to_array", "", &in, src, &array);
            assert_int_equal(array.kind, SHAPE_ARRAY);
            assert_int_equal(array.rank, channels == 1 ? 2 : 3);
            assert_int_equal(array.dims[0], 45);
            assert_int_equal(array.dims[1], 123);
            assert_int_equal(array.dims[2], channels == 1 ? 0 : channels);
            assert_int_equal(array.bits, shape_sample_bits((uint8_t)sample));
            assert_memory_equal(samples, src, shape_bytes(&in));
            uint8_t *again = harness_apply("to_image", "", &array, samples, &image);
            assert_memory_equal(&image, &in, sizeof in);
            assert_memory_equal(again, src, shape_bytes(&in));
            free(again);
            free(samples);
            free(src);
        }
    }
}

/* Nothing of the image's own is left in the array, nor the other way round. */
static void no_field_is_left_behind(void **state)
{
    (void)state;
    struct shape in = harness_shape(8, 8, 1, SAMPLE_U8), out;
    uint8_t pixels[64] = {0};
    in.bits = 1;
    in.orientation = 6;
    in.full_width = in.full_height = 16;
    free(harness_apply("to_array", "", &in, pixels, &out));
    const struct shape expected = shape_array(SAMPLE_U8, 2, (const uint64_t[]){8, 8});
    assert_memory_equal(&out, &expected, sizeof out);
    const struct shape one = shape_array(SAMPLE_U8, 3, (const uint64_t[]){8, 8, 1});
    const struct shape grey = harness_shape(8, 8, 1, SAMPLE_U8);
    free(harness_apply("to_image", "", &one, pixels, &out));
    assert_memory_equal(&out, &grey, sizeof out);
}

static void what_is_no_image_is_refused(void **state)
{
    (void)state;
    static const struct {
        enum sample sample;
        unsigned rank;
        uint64_t dims[4];
        int code;
        const char *says;
    } cases[] = {
        {SAMPLE_U8, 0, {0}, ERROR_UNSUPPORTED, "not of a u8 array ()"},
        {SAMPLE_U8, 1, {5}, ERROR_UNSUPPORTED, "not of a u8 array (5,)"},
        {SAMPLE_U8, 4, {1, 1, 1, 1}, ERROR_UNSUPPORTED, "not of a u8 array (1, 1, 1, 1)"},
        {SAMPLE_U16, 3, {5, 5, 5}, ERROR_UNSUPPORTED, "1 to 4"},
        {SAMPLE_U16, 3, {5, 5, 0}, ERROR_UNSUPPORTED, "1 to 4"},
        {SAMPLE_F32, 2, {0, 5}, ERROR_UNSUPPORTED, "no pixels"},
        {SAMPLE_F32, 2, {5, 0}, ERROR_UNSUPPORTED, "no pixels"},
        {SAMPLE_U8, 2, {1, 4294967296}, ERROR_LIMIT, "too large"},
        {SAMPLE_F64, 2, {5, 5}, ERROR_UNSUPPORTED, "put astype before it"},
        {SAMPLE_I32, 2, {5, 5}, ERROR_UNSUPPORTED, "put astype before it"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct shape in = shape_array(cases[i].sample, cases[i].rank, cases[i].dims);
        struct stage_plan plan;
        struct error error = {0};
        assert_int_equal(stage_plan(stage_find("to_image"), NULL, &in, &plan, &error), cases[i].code);
        if (!strstr(error.reason, cases[i].says))
            fail_msg("%zu: %s", i, error.reason);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(images_and_arrays_turn_into_each_other),
        cmocka_unit_test(no_field_is_left_behind),
        cmocka_unit_test(what_is_no_image_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
