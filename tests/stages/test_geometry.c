/* SPDX-License-Identifier: MIT */
/* crop, rotate and flip: every output pixel is compared with the input pixel that geometry says it is. */
#include "tests/quick.h"
#include "tests/stages/harness.h"

/* Where output pixel (x, y) comes from. */
typedef void source_of(const struct shape *in, uint32_t x, uint32_t y, uint32_t *from_x, uint32_t *from_y);

static void turned_90(const struct shape *in, uint32_t x, uint32_t y, uint32_t *from_x, uint32_t *from_y)
{
    *from_x = y;
    *from_y = in->height - 1 - x;
}

static void turned_180(const struct shape *in, uint32_t x, uint32_t y, uint32_t *from_x, uint32_t *from_y)
{
    *from_x = in->width - 1 - x;
    *from_y = in->height - 1 - y;
}

static void turned_270(const struct shape *in, uint32_t x, uint32_t y, uint32_t *from_x, uint32_t *from_y)
{
    *from_x = in->width - 1 - y;
    *from_y = x;
}

static void left_to_right(const struct shape *in, uint32_t x, uint32_t y, uint32_t *from_x, uint32_t *from_y)
{
    *from_x = in->width - 1 - x;
    *from_y = y;
}

static void top_to_bottom(const struct shape *in, uint32_t x, uint32_t y, uint32_t *from_x, uint32_t *from_y)
{
    *from_x = x;
    *from_y = in->height - 1 - y;
}

static void boxed(const struct shape *in, uint32_t x, uint32_t y, uint32_t *from_x, uint32_t *from_y)
{
    (void)in;
    *from_x = x + 3;
    *from_y = y + 2;
}

static void check_moved(const char *name, const char *params, const struct shape *in, source_of *source)
{
    struct shape out;
    uint8_t *src = harness_noise(in), *dst = harness_apply(name, params, *in, src, &out);
    const size_t size = shape_pixel_bytes(in);
    assert_int_equal(out.bits, in->bits);
    assert_int_equal(shape_pixel_bytes(&out), size);
    for (uint32_t y = 0; y < out.height; y++) {
        for (uint32_t x = 0; x < out.width; x++) {
            uint32_t from_x, from_y;
            source(in, x, y, &from_x, &from_y);
            assert_true(from_x < in->width && from_y < in->height);
            assert_memory_equal(dst + ((size_t)y * out.width + x) * size,
                                src + ((size_t)from_y * in->width + from_x) * size, size);
        }
    }
    free(src);
    free(dst);
}

/* All kinds of pixels, in sizes around the square that rotate works on, and single rows and columns. */
static void check_all(const char *name, const char *params, source_of *source, uint32_t least)
{
    static const uint32_t sizes[][2] = {{1, 1}, {1, 9}, {9, 1}, {8, 7}, {31, 33}, {128, 127}, {129, 260}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (unsigned channels = 1; channels <= 4; channels++) {
            for (int sample = 0; sample < SAMPLE_IMAGE_COUNT; sample++) {
                struct shape in = harness_shape(sizes[i][0], sizes[i][1], channels, (enum sample)sample);
                if (in.width >= least && in.height >= least && !(in.height > 100 && quick_skip(17)))
                    check_moved(name, params, &in, source);
            }
        }
    }
}

static void rotate_turns_clockwise(void **state)
{
    (void)state;
    check_all("rotate", "angle=90", turned_90, 1);
    check_all("rotate", "angle=180", turned_180, 1);
    check_all("rotate", "angle=270", turned_270, 1);
}

static void flip_mirrors(void **state)
{
    (void)state;
    check_all("flip", "direction=horizontal", left_to_right, 1);
    check_all("flip", "direction=vertical", top_to_bottom, 1);
    check_all("flip", "direction=both", turned_180, 1);
}

static void crop_keeps_the_box(void **state)
{
    (void)state;
    check_all("crop", "left=3,top=2,width=5,height=5", boxed, 7);
}

static void depth_is_kept(void **state)
{
    (void)state;
    struct shape in = harness_shape(12, 9, 1, SAMPLE_U8);
    in.bits = 1;
    check_moved("rotate", "angle=90", &in, turned_90);
    check_moved("flip", "direction=vertical", &in, top_to_bottom);
    check_moved("crop", "left=3,top=2,width=4,height=4", &in, boxed);
}

/* Applies the steps one after the other; the result must be the input. */
static void check_round_trip(const char *name, const char *const *params)
{
    const struct shape in = harness_shape(37, 21, 3, SAMPLE_U8);
    uint8_t *src = harness_noise(&in), *image = harness_noise(&in);
    struct shape shape = in;
    for (; *params; params++) {
        uint8_t *next = harness_apply(name, *params, shape, image, &shape);
        free(image);
        image = next;
    }
    assert_int_equal(shape.width, in.width);
    assert_int_equal(shape.height, in.height);
    assert_memory_equal(image, src, shape_bytes(&in));
    free(src);
    free(image);
}

static void round_trips(void **state)
{
    (void)state;
    check_round_trip("flip", (const char *[]){"direction=horizontal", "direction=horizontal", NULL});
    check_round_trip("flip", (const char *[]){"direction=vertical", "direction=vertical", NULL});
    check_round_trip("flip",
                     (const char *[]){"direction=both", "direction=horizontal", "direction=vertical", NULL});
    check_round_trip("rotate", (const char *[]){"angle=90", "angle=90", "angle=90", "angle=90", NULL});
    check_round_trip("rotate", (const char *[]){"angle=90", "angle=270", NULL});
    check_round_trip("rotate", (const char *[]){"angle=180", "angle=90", "angle=90", NULL});
}

/* In a 7 x 5 image whose sample at (x, y) is 10 y + x, the first sample of a 2 x 2 box says where it lies. */
static void gravity_places_the_box(void **state)
{
    (void)state;
    static const struct {
        const char *params;
        uint8_t at;
    } cases[] = {
        {"gravity=north-west", 0},  {"gravity=north", 2},   {"gravity=north-east", 5},
        {"gravity=west", 10},       {"gravity=centre", 12}, {"gravity=east", 15},
        {"gravity=south-west", 30}, {"gravity=south", 32},  {"gravity=south-east", 35},
        {"left=4,top=3", 34},       {"left=4", 4},          {"top=2", 20},
        {"gravity=none", 0},
    };
    const struct shape in = harness_shape(7, 5, 1, SAMPLE_U8);
    uint8_t src[35];
    for (int i = 0; i < 35; i++)
        src[i] = (uint8_t)(i / 7 * 10 + i % 7);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char params[80];
        struct shape out;
        snprintf(params, sizeof params, "%s,width=2,height=2", cases[i].params);
        uint8_t *dst = harness_apply("crop", params, in, src, &out);
        const uint8_t at = cases[i].at,
                      expected[] = {at, (uint8_t)(at + 1), (uint8_t)(at + 10), (uint8_t)(at + 11)};
        assert_memory_equal(dst, expected, 4);
        free(dst);
    }
}

static void a_box_outside_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *params, *says;
    } cases[] = {
        {"left=5,top=0,width=3,height=5",
         "the box of 3x5 px at left 5, top 0 does not fit in the image of 7x5 px"},
        {"top=1,width=7,height=5", "at left 0, top 1 does not fit"},
        {"width=8,height=5", "the box of 8x5 px"},
        {"gravity=centre,width=10,height=2", "does not fit in the image of 7x5 px"},
        {"left=4294967295,width=4294967295,height=1", "does not fit"},
        {"width=5", "width and height must both be given"},
        {"height=5", "width and height must both be given"},
        {"gravity=east,left=1,width=2,height=2", "either gravity or left and top"},
        {"gravity=east,top=0,width=2,height=2", "either gravity or left and top"},
    };
    const struct shape in = harness_shape(7, 5, 1, SAMPLE_U8);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct stage_plan plan;
        struct error error = {0};
        assert_int_equal(harness_plan("crop", cases[i].params, &in, &plan, &error), ERROR_USAGE);
        if (!strstr(error.reason, cases[i].says))
            fail_msg("crop:%s says '%s'", cases[i].params, error.reason);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rotate_turns_clockwise),
        cmocka_unit_test(flip_mirrors),
        cmocka_unit_test(crop_keeps_the_box),
        cmocka_unit_test(depth_is_kept),
        cmocka_unit_test(round_trips),
        cmocka_unit_test(gravity_places_the_box),
        cmocka_unit_test(a_box_outside_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
