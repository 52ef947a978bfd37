/* SPDX-License-Identifier: MIT */
/* Writing numbers: what is written reads back bit for bit, and is no longer than need be, by printf and
 * strtod. */
/* ctest labels: native */
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stages/codec/csv_number.h"

static uint64_t random_state = 88172645463325252u;

static uint64_t next_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    return random_state ^= random_state << 17;
}

static const char *text_of(uint64_t bits, const struct csv_float *format, size_t most)
{
    static char text[CSV_FLOAT_BYTES + 8];
    memset(text, '#', sizeof text);
    const size_t length = csv_float_text(bits, format, text);
    assert_in_range(length, 1, most);
    assert_int_equal(text[length], '#');
    text[length] = '\0';
    return text;
}

static const char *double_text(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return text_of(bits, &csv_binary64, 24);
}

/* What Python 3 prints for repr(value), without ".0". */
static void texts_are_those_of_python(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {0.0, "0"},
        {-0.0, "-0"},
        {1.0, "1"},
        {-1.5, "-1.5"},
        {0.1, "0.1"},
        {0.30000000000000004, "0.30000000000000004"},
        {1.0 / 3, "0.3333333333333333"},
        {100.0, "100"},
        {123456.789, "123456.789"},
        {0.0001, "0.0001"},
        {0.00012345678901234567, "0.00012345678901234567"},
        {0.00001, "1e-05"},
        {1.5e-7, "1.5e-07"},
        {1e15, "1000000000000000"},
        {9007199254740991.0, "9007199254740991"},
        {9007199254740993.0, "9007199254740992"},
        {9999999999999998.0, "9999999999999998"},
        {1e16, "1e+16"},
        {1e22, "1e+22"},
        {1e23, "1e+23"},
        {123456789012345680.0, "1.2345678901234568e+17"},
        {5e-324, "5e-324"},
        {1e-323, "1e-323"},
        {0x1p-44, "5.684341886080802e-14"}, /* not ...801e-14, which is nearer, and another number */
        {0x1p-1022, "2.2250738585072014e-308"},
        {0x1.fffffffffffffp1023, "1.7976931348623157e+308"},
        {-0x1.fffffffffffffp-1022, "-4.4501477170144023e-308"},
        {HUGE_VAL, "inf"},
        {-HUGE_VAL, "-inf"},
        {(double)NAN, "nan"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(double_text(cases[i].value), cases[i].text);
}

/* The significant digits of a text, without zeros at either end. */
static size_t digits_of(const char *text, char digits[32])
{
    size_t count = 0;
    for (; *text && *text != 'e'; text++) {
        if (*text >= '0' && *text <= '9' && (count > 0 || *text > '0'))
            digits[count++] = *text;
    }
    while (count > 0 && digits[count - 1] == '0')
        count--;
    digits[count] = '\0';
    return count;
}

/* The nearest decimal of the fewest digits that reads back. At powers of two, numbers below are half as far
 * away as those above, and a decimal of as few or fewer digits may do that is not the nearest. */
static void check(const char *text, double value, bool single, bool power_of_two)
{
    char best[64], digits[32], best_digits[32];
    int precision = 0;
    do
        snprintf(best, sizeof best, "%.*e", precision++, value);
    while (single ? strtof(best, NULL) != (float)value : strtod(best, NULL) != value);
    const size_t most = digits_of(best, best_digits), count = digits_of(text, digits);
    if (count > most || (!power_of_two && strcmp(digits, best_digits) != 0))
        fail_msg("%a was written as %s; %s would do", value, text, best);
}

static void doubles_survive_and_are_as_short_as_can_be(void **state)
{
    (void)state;
    for (int i = 0; i < 120000; i++) {
        uint64_t bits = next_random();
        double value, back;
        if (i % 4 == 1) { /* of sizes that people write */
            value = (double)(int64_t)(bits >> (12 + bits % 40)) / 1e6;
            memcpy(&bits, &value, sizeof bits);
        } else if (i % 4 == 2) { /* subnormal */
            bits &= UINT64_C(0x800fffffffffffff) >> bits % 48;
        } else if (i % 4 == 3) {
            bits &= UINT64_C(0xfff0000000000000);
        }
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value) || value == 0)
            continue;
        const char *text = double_text(value);
        back = strtod(text, NULL);
        if (memcmp(&back, &value, sizeof value) != 0)
            fail_msg("%a was written as %s, which is %a", value, text, back);
        if (i < 40000)
            check(text, value, false, bits << 12 == 0);
    }
}

static void singles_survive_and_are_as_short_as_can_be(void **state)
{
    (void)state;
    for (int i = 0; i < 40000; i++) {
        uint32_t bits = (uint32_t)next_random();
        if (i % 4 == 1)
            bits &= 0x807fffffu >> bits % 20;
        else if (i % 4 == 2)
            bits &= 0xff800000u;
        float value, back;
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value) || value == 0)
            continue;
        const char *text = text_of(bits, &csv_binary32, 17);
        back = strtof(text, NULL);
        if (memcmp(&back, &value, sizeof value) != 0)
            fail_msg("%a was written as %s, which is %a", value, text, back);
        check(text, value, true, bits << 9 == 0);
    }
    assert_string_equal(text_of(0x3dcccccd, &csv_binary32, 17), "0.1");
    assert_string_equal(text_of(0x4b800000, &csv_binary32, 17), "16777216");
    assert_string_equal(text_of(0x7f7fffff, &csv_binary32, 17), "3.4028235e+38");
    assert_string_equal(text_of(0xff800000, &csv_binary32, 17), "-inf");
}

static void every_half_survives(void **state)
{
    (void)state;
    for (uint64_t bits = 0; bits < 0x10000; bits++) {
        const char *text = text_of(bits, &csv_binary16, 11);
        struct csv_decimal decimal;
        uint64_t back;
        const uint8_t *begin = (const uint8_t *)text, *end = begin + strlen(text);
        if ((bits & 0x7fff) > 0x7c00) {
            assert_string_equal(text, "nan");
        } else if ((bits & 0x7fff) == 0x7c00) {
            assert_true(csv_word(begin, strlen(text), &csv_binary16, &back));
            assert_int_equal(back, bits);
        } else {
            assert_ptr_equal(csv_decimal_scan(begin, end, &decimal), end);
            assert_true(csv_decimal_round(&decimal, &csv_binary16, &back));
            assert_int_equal(back, bits);
        }
    }
    assert_string_equal(text_of(0x2e66, &csv_binary16, 11), "0.1");
    assert_string_equal(text_of(0x7bff, &csv_binary16, 11), "65500"); /* 65504 is the nearest that there is */
    assert_string_equal(text_of(0x0001, &csv_binary16, 11), "6e-08");
}

static void whole_numbers_are_those_of_printf(void **state)
{
    (void)state;
    char text[32], want[32];
    for (int i = 0; i < 20000; i++) {
        const uint64_t value = i < 1000 ? (uint64_t)i : next_random() >> next_random() % 64;
        text[csv_whole_text(value, text)] = '\0';
        snprintf(want, sizeof want, "%" PRIu64, value);
        assert_string_equal(text, want);
    }
    text[csv_whole_text(UINT64_MAX, text)] = '\0';
    assert_string_equal(text, "18446744073709551615");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_those_of_python),
        cmocka_unit_test(doubles_survive_and_are_as_short_as_can_be),
        cmocka_unit_test(singles_survive_and_are_as_short_as_can_be),
        cmocka_unit_test(every_half_survives),
        cmocka_unit_test(whole_numbers_are_those_of_printf),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
