/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "pipeline/shared/digits.h"

/* As printf writes them, at the ends of their range too. */
static void numbers_are_written_in_decimal(void **state)
{
    (void)state;
    static const uint64_t numbers[] = {0,         1, 9, 10, 99, 100, 1234567890, INT64_MAX, UINT64_MAX - 1,
                                       UINT64_MAX};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        char ours[DIGITS_BYTES + 1] = "", expected[DIGITS_BYTES + 2];
        snprintf(expected, sizeof expected, "%" PRIu64, numbers[i]);
        *digits_put(ours, numbers[i]) = '\0';
        assert_string_equal(ours, expected);
        const int64_t number = (int64_t)(0 - numbers[i]);
        snprintf(expected, sizeof expected, "%" PRId64, number);
        *digits_put_signed(ours, number) = '\0';
        assert_string_equal(ours, expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_written_in_decimal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
