/* SPDX-License-Identifier: MIT */
/* Damaged tables: whatever the bytes, an error or an array, within the memory that was promised. */
#include <stdio.h>

#include "codec_exact.h"

extern const struct codec csv_codec;

static const char table[] =
    "\xef\xbb\xbf\"x \"\"1\"\"\",y\r\n1.25,-2e-3\r\n\r\n\"3\", nan\r\n4.0000000000000000001,5\n";

static const struct codec_load loads[] = {
    {0},
    {.header = CODEC_HEADER_NO, .missing = "0"},
    {.dtype = SAMPLE_I16 + 1, .header = CODEC_HEADER_YES},
    {.dtype = SAMPLE_F16 + 1, .missing = "nan", .delimiter = " "},
};

static int decode(const uint8_t *bytes, size_t length_bytes, const struct codec_load *load, uint64_t dims[2])
{
    struct codec_limits limits = exact_limits;
    struct exact exact;
    limits.load = load;
    const int code = exact_decode(&csv_codec, bytes, length_bytes, &limits, &exact);
    if (code == 0) {
        assert_true(shape_samples(&exact.shape) <= length_bytes + 1);
        memcpy(dims, exact.shape.dims, 2 * sizeof *dims);
        exact_free(&exact);
    } else {
        assert_in_range(-code, -ERROR_CORRUPT, -ERROR_LIMIT);
        assert_null(strchr(exact.error.reason, '\n'));
    }
    return code;
}

/* Ends in the middle of a field or a line are like any others; only within quotes, within a line that then
 * has too few fields or within a number is the end to be seen. */
static void every_truncation_is_an_error_or_a_shorter_table(void **state)
{
    (void)state;
    uint64_t dims[2], rows = 0;
    assert_int_equal(decode((const uint8_t *)table, sizeof table - 1, &loads[0], dims), 0);
    assert_true(dims[0] == 3 && dims[1] == 2);
    for (size_t length = 0; length < sizeof table - 1; length++) {
        for (size_t i = 0; i < sizeof loads / sizeof *loads; i++) {
            const int code = decode((const uint8_t *)table, length, &loads[i], dims);
            if (i > 0 || code < 0)
                continue;
            assert_true(dims[0] >= rows && dims[0] <= 3);
            rows = dims[0];
        }
    }
    assert_int_equal(rows, 3);
}

static void mutations_stay_within_their_memory(void **state)
{
    (void)state;
    static const char likely[] = "\",\n\r\t .-+e019n\xff";
    uint32_t random = 2463534242u;
    unsigned sound = 0;
    for (int round = 0; round < 6000; round++) {
        uint8_t bytes[sizeof table - 1];
        size_t length = sizeof bytes;
        memcpy(bytes, table, length);
        for (int change = 0; change <= round % 4; change++) {
            random = random * 1664525 + 1013904223;
            const size_t at = (random >> 8) % length;
            bytes[at] =
                random & 64 ? (uint8_t)(random >> 24) : (uint8_t)likely[(random >> 16) % (sizeof likely - 1)];
            if (random & 128 && length > 1)
                memmove(bytes + at, bytes + at + 1, --length - at);
        }
        uint64_t dims[2];
        sound += decode(bytes, length, &loads[round / 4 % 4], dims) == 0;
    }
    assert_in_range(sound, 1, 5999);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_truncation_is_an_error_or_a_shorter_table),
        cmocka_unit_test(mutations_stay_within_their_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
