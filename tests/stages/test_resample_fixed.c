/* SPDX-License-Identifier: MIT */
/* Resampling in fixed point: its tables, what constants come to, and that all instruction sets agree. */
#include <math.h>

#include "stages/image/resample_fixed.h"
#include "tests/quick.h"
#include "tests/stages/harness.h"

enum { KERNELS = 7, LANES = RESAMPLE_LANES };

static uint32_t dice(void)
{
    static uint32_t state = 12345;
    state = state * 1664525u + 1013904223u;
    return state >> 8;
}

static void check_line(const struct resample_axis *axis, const struct resample_table *table,
                       const struct resample_pairs *pairs, uint32_t i)
{
    const int32_t *line = pairs->weights + (size_t)i * pairs->stride;
    const float *weights = table->weights + (size_t)i * table->stride;
    const uint32_t last = table->first[i] + table->count[i] - 1;
    int32_t sum = 0;
    assert_int_equal(pairs->first[i], table->first[i] / 2);
    assert_int_equal(pairs->first[i] + pairs->count[i], last / 2 + 1);
    assert_true(last < axis->in && pairs->count[i] <= pairs->stride);
    for (uint32_t p = 0; p < 2 * pairs->count[i]; p++) {
        const uint32_t source = 2 * pairs->first[i] + p;
        const int32_t weight = p % 2 ? line[p / 2] >> 16 : (int16_t)(line[p / 2] & 0xffff);
        const bool inside = source >= table->first[i] && source <= last;
        const double want = inside ? (double)weights[source - table->first[i]] * (1 << pairs->bits) : 0;
        if (inside ? fabs(weight - want) > 1.001 : weight != 0)
            fail_msg("a weight of %d, not %g", weight, want);
        sum += weight;
    }
    assert_int_equal(sum, 1 << pairs->bits);
}

static void weights_add_up_exactly(void **state)
{
    (void)state;
    static uint8_t memory[1 << 20] __attribute__((aligned(SCRATCH_ALIGN)));
    static const uint32_t sizes[][2] = {{1000, 7}, {7, 1000}, {13, 12}, {1, 9}, {999, 1}, {40, 40}, {60, 30}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (int number = 0; number < KERNELS; number++) {
            const enum resample_kernel kernel = (enum resample_kernel)number;
            const struct resample_axis axis = resample_axis_full(sizes[i][0], sizes[i][1]);
            const size_t need = resample_pairs_need(&axis, kernel);
            struct scratch scratch = {memory, sizeof memory - need, 0};
            struct scratch exact = {memory + sizeof memory - need, need, 0};
            struct resample_table table;
            struct resample_pairs pairs;
            assert_true(resample_table_make(&table, &axis, kernel, &scratch));
            assert_true(resample_pairs_make(&pairs, &table, axis.out, &exact));
            for (uint32_t o = 0; o < axis.out; o++)
                check_line(&axis, &table, &pairs, o);
            exact = (struct scratch){exact.base, need - 1, 0};
            assert_false(resample_pairs_make(&pairs, &table, axis.out, &exact));
        }
    }
}

/* Of every colour under every alpha. Between the passes a colour under alpha 1 has no more than 128 values.
 */
static void a_constant_stays_constant(void **state)
{
    (void)state;
    const struct shape in = harness_shape(9, 12, 4, SAMPLE_U8);
    uint8_t src[9 * 12 * 4];
    for (int alpha = 0; alpha < 256; alpha++) {
        for (int colour = 0; colour < 256; colour += 3) {
            const uint8_t pixel[] = {(uint8_t)colour, (uint8_t)(colour + 1), (uint8_t)(colour + 2),
                                     (uint8_t)alpha};
            for (size_t i = 0; i < sizeof src; i++)
                src[i] = pixel[i % 4];
            if (quick_skip(7))
                continue;
            struct shape out;
            uint8_t *dst = harness_apply("resize", "fit=fill,width=5,height=15", in, src, &out);
            for (size_t i = 0; i < 5 * 15 * 4; i++) {
                const int want = alpha == 0 ? 0 : pixel[i % 4], allowed = alpha == 1 && i % 4 < 3;
                if (abs(dst[i] - want) > allowed)
                    fail_msg("colour %d of alpha %d became %d", want, alpha, dst[i]);
            }
            free(dst);
        }
    }
}

static void fill(void *memory, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        ((uint8_t *)memory)[i] = (uint8_t)dice();
}

static int32_t packed_weights(int low, int high)
{
    return (int32_t)((uint32_t)high << 16 | ((uint32_t)low & 0xffff));
}

/* Rows of `pixels`, of which neither the last vector nor the last pair is a whole one. */
static void check_downwards(const struct resample_fixed_ops *a, const struct resample_fixed_ops *b,
                            unsigned channels, size_t pixels)
{
    enum { MOST = 160, STEP = 2 * (MOST + RESAMPLE_FIXED_PAD) };
    static int16_t pairs[2][6 * STEP];
    static int32_t sums[2][LANES][MOST + RESAMPLE_FIXED_PAD];
    static int32_t lanes[2][(MOST / 2 + RESAMPLE_FIXED_PAD) * LANES];
    const size_t samples = pixels * channels, even = (pixels + 1) / 2 * 2 * channels;
    uint8_t rows[2][MOST];
    memset(pairs, 0, sizeof pairs);
    for (size_t k = 0; k < 6; k++) {
        fill(rows, sizeof rows);
        a->load(channels, rows[0], rows[1], pairs[0] + k * STEP, samples);
        b->load(channels, rows[0], rows[1], pairs[1] + k * STEP, samples);
    }
    assert_memory_equal(pairs[0], pairs[1], sizeof pairs[0]);
    /* Small enough for sums of 32 bits. */
    const int32_t weights[] = {packed_weights(4000, -1500), packed_weights(-350, 9000),
                               packed_weights(1, 2),        packed_weights(12000, 0),
                               packed_weights(-4000, -1),   packed_weights(5, 900)};
    const int32_t start = -123456;
    fill(sums, sizeof sums);
    for (size_t row = 0; row < LANES; row++) {
        const size_t count = row % 6 + 1;
        for (unsigned which = 0; which < 2; which++) {
            const struct resample_fixed_ops *ops = which ? b : a;
            ops->add(sums[which][row], &start, pairs[which], STEP, weights, count, even);
            ops->add(sums[which][row], NULL, pairs[which] + STEP, STEP, weights + 2, 2, even);
        }
        assert_memory_equal(sums[0][row], sums[1][row], even * sizeof(int32_t));
    }
    const int32_t *each[LANES];
    for (size_t row = 0; row < LANES; row++)
        each[row] = sums[0][row];
    for (unsigned shift = 7; shift < 17; shift += 3) {
        a->turn(each, channels, shift, lanes[0], samples);
        b->turn(each, channels, shift, lanes[1], samples);
        assert_memory_equal(lanes[0], lanes[1], even / 2 * LANES * sizeof(int32_t));
    }
}

static void check_sideways(const struct resample_fixed_ops *a, const struct resample_fixed_ops *b,
                           unsigned channels, uint32_t in, uint32_t out)
{
    enum { COLUMNS = 40, OUT = 21 };
    static uint8_t memory[1 << 14] __attribute__((aligned(SCRATCH_ALIGN)));
    static int32_t lanes[COLUMNS * 4 * LANES], sums[2][OUT * 4 * LANES];
    struct scratch scratch = {memory, sizeof memory, 0};
    const struct resample_axis axis = resample_axis_full(in, out);
    struct resample_table table;
    struct resample_pairs across;
    assert_true(resample_table_make(&table, &axis, RESAMPLE_LANCZOS3, &scratch));
    assert_true(resample_pairs_make(&across, &table, out, &scratch));
    /* Samples between the passes as there can be: half of the range beyond each end. */
    fill(lanes, sizeof lanes);
    a->dot(&across, 1, out, across.first[1], channels, lanes, sums[0]);
    b->dot(&across, 1, out, across.first[1], channels, lanes, sums[1]);
    const size_t samples = (size_t)(out - 1) * channels;
    assert_memory_equal(sums[0], sums[1], samples * LANES * sizeof(int32_t));
    for (unsigned rows = 1; rows <= LANES; rows += 7) {
        uint8_t packed[2][LANES][OUT * 4] = {0}, *dst[2][LANES];
        for (size_t row = 0; row < LANES; row++)
            dst[0][row] = packed[0][row], dst[1][row] = packed[1][row];
        a->pack(sums[0], resample_across_shift(&across), RESAMPLE_MIDDLE, dst[0], rows, samples);
        b->pack(sums[0], resample_across_shift(&across), RESAMPLE_MIDDLE, dst[1], rows, samples);
        assert_memory_equal(packed[0], packed[1], sizeof packed[0]);
    }
}

static void instruction_sets_agree(void **state)
{
    (void)state;
    const struct resample_fixed_ops *plain = resample_fixed_plain(), *best = resample_fixed_best();
    for (unsigned channels = 1; channels <= 4; channels++) {
        for (size_t pixels = 1; pixels <= 40; pixels++)
            check_downwards(plain, best, channels, pixels);
        for (uint32_t out = 2; out <= 21; out++)
            check_sideways(plain, best, channels, 30, out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_add_up_exactly),
        cmocka_unit_test(a_constant_stays_constant),
        cmocka_unit_test(instruction_sets_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
