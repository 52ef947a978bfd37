/* SPDX-License-Identifier: MIT */
/* All eight orientations by hand, after the table of CIPA DC-008, 4.6.4: where the stored image's first row
 * and first column are in the upright one. */
#include "stage_harness.h"

/* The letter F of 3 x 2 pixels as it should be seen:  1 2 3
 *                                                     4 5 6 */
static const struct {
    uint8_t width, height, stored[6];
} cases[] = {
    {3, 2, {1, 2, 3, 4, 5, 6}}, /* not known */
    {3, 2, {1, 2, 3, 4, 5, 6}}, /* top, left */
    {3, 2, {3, 2, 1, 6, 5, 4}}, /* top, right */
    {3, 2, {6, 5, 4, 3, 2, 1}}, /* bottom, right */
    {3, 2, {4, 5, 6, 1, 2, 3}}, /* bottom, left */
    {2, 3, {1, 4, 2, 5, 3, 6}}, /* left, top */
    {2, 3, {3, 6, 2, 5, 1, 4}}, /* right, top: the first row is seen at the right, from top to bottom */
    {2, 3, {6, 3, 5, 2, 4, 1}}, /* right, bottom */
    {2, 3, {4, 1, 5, 2, 6, 3}}, /* left, bottom */
};

static void each_is_turned_upright(void **state)
{
    (void)state;
    for (uint8_t i = 0; i <= 8; i++) {
        struct shape in = harness_shape(cases[i].width, cases[i].height, 1, SAMPLE_U8), out;
        in.orientation = i;
        in.full_width = 10u * in.width;
        in.full_height = 10u * in.height;
        uint8_t *upright = harness_apply("orient", "", &in, cases[i].stored, &out);
        assert_memory_equal(upright, "\1\2\3\4\5\6", 6);
        assert_int_equal(out.width, 3);
        assert_int_equal(out.height, 2);
        assert_int_equal(out.full_width, 30);
        assert_int_equal(out.full_height, 20);
        assert_int_equal(out.orientation, i > 0);
        free(upright);
    }
}

/* As large as takes several tiles, cut into rows, against flip and rotate. */
static void it_does_what_flip_and_rotate_do(void **state)
{
    (void)state;
    static const char *const ways[][3] = {
        {"flip", "direction=horizontal", NULL}, {"rotate", "angle=180", NULL},
        {"flip", "direction=vertical", NULL},   {"flip", "direction=horizontal", "angle=270"},
        {"rotate", "angle=90", NULL},           {"flip", "direction=horizontal", "angle=90"},
        {"rotate", "angle=270", NULL},
    };
    for (uint8_t i = 2; i <= 8; i++) {
        for (unsigned channels = 1; channels <= 4; channels++) {
            struct shape in = harness_shape(300, 150, channels, channels == 2 ? SAMPLE_U16 : SAMPLE_U8), out,
                         other;
            uint8_t *src = harness_image(&in, i);
            in.orientation = i;
            uint8_t *got = harness_apply("orient", "", &in, src, &out);
            uint8_t *want = harness_apply(ways[i - 2][0], ways[i - 2][1], &in, src, &other);
            if (ways[i - 2][2]) {
                struct shape between = other;
                uint8_t *turned = harness_apply("rotate", ways[i - 2][2], &between, want, &other);
                free(want);
                want = turned;
            }
            assert_int_equal(out.width, other.width);
            assert_memory_equal(got, want, shape_bytes(&out));
            free(got);
            free(want);
            free(src);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_turned_upright),
        cmocka_unit_test(it_does_what_flip_and_rotate_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
