/* SPDX-License-Identifier: MIT */
/* Reading numbers against strtod and strtof, and against ties whose digits are worked out here. */
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

static struct csv_decimal scan(const char *text)
{
    struct csv_decimal decimal;
    const uint8_t *end = (const uint8_t *)text + strlen(text);
    if (csv_decimal_scan((const uint8_t *)text, end, &decimal) != end)
        fail_msg("'%s' is no number", text);
    return decimal;
}

static uint64_t bits_of(const char *text, const struct csv_float *format)
{
    const struct csv_decimal decimal = scan(text);
    uint64_t bits;
    const bool fits = csv_decimal_round(&decimal, format, &bits);
    const uint64_t sign = (format->infinity << 1) & ~format->infinity;
    assert_int_equal(fits, (bits & ~sign) < format->infinity);
    return bits;
}

static double half_value(uint64_t bits)
{
    const int field = (int)(bits >> 10 & 31);
    const double mantissa = (double)(bits & 1023);
    const double magnitude = field == 0 ? ldexp(mantissa, -24) : ldexp(mantissa + 1024, field - 25);
    return bits >> 15 ? -magnitude : magnitude;
}

/* The C library is correctly rounded. Tests run in the C locale. */
static void check(const char *text)
{
    const struct csv_decimal decimal = scan(text);
    const double want = strtod(text, NULL);
    const float want_single = strtof(text, NULL);
    double got;
    uint32_t single;
    uint64_t bits;
    memcpy(&single, &want_single, sizeof single);
    memcpy(&bits, &want, sizeof bits);
    assert_int_equal(csv_decimal_double(&decimal, &got), !isinf(want));
    if (memcmp(&got, &want, sizeof got) != 0)
        fail_msg("'%s' became %a, not %a", text, got, want);
    if (bits_of(text, &csv_binary64) != bits)
        fail_msg("'%s' did not become %a", text, want);
    if (bits_of(text, &csv_binary32) != single)
        fail_msg("'%s' did not become %a as f32", text, want_single);
    if (decimal.digits == 0 || decimal.exponent < -343 || decimal.exponent > 308)
        return; /* too easy for the way that is left for the rest */
    const double magnitude = fabs(want);
    csv_exact_round(&decimal, &csv_binary64, &bits);
    if (memcmp(&bits, &magnitude, sizeof bits) != 0)
        fail_msg("'%s' did not become %a the exact way", text, want);
}

static void numbers_that_are_hard_to_round(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "0",
        "-0",
        "+1",
        "1.",
        ".5",
        "-.5e1",
        "0e999999999999999999999",
        "1e-999999999999999999999",
        "1e999999999999999999999",
        "1e23",
        "8.5e22",
        "9007199254740993",
        "9007199254740993.0000000000000000000000000000001",
        "9007199254740992.9999999999999999999999999999999",
        "9007199254740995",
        "2.2250738585072011e-308",
        "2.2250738585072012e-308",
        "2.2250738585072014e-308",
        "4.9406564584124654e-324",
        "2.4703282292062327e-324",
        "2.4703282292062328e-324",
        "1.7976931348623157e308",
        "1.7976931348623158e308",
        "1.7976931348623159e308",
        "179769313486231580793728971405303415079934132710037826936173778980444968292764750946649017977587207"
        "096330286416692887910946555547851940402630657488671505820681908902000708383676273854845817711531764"
        "475730270069855571366959622842914819860834936475292719074168444365510704342711559699508093042880",
        "6.8985158704277e-310",
        "7.2057594037927933e16",
        "3.4028235677973366e38",
        "3.4028235677973367e38",
        "1.1754943508222875e-38",
        "7.0064923216240853e-46",
        "7.0064923216240854e-46",
        "16777217",
        "16777217.00000000000000000000000001",
        "00000000000000000000000000000000000001.50000000000000000000000000000000000000",
        "0.00000000000000000000000000000000000000000000000000123456789012345678901234567890",
        "123456789012345678901234567890123456789012345678901234567890e-60",
        "1234567890123456789012345678901234567890123456789012345678900000000000000000000000000000",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        check(texts[i]);
}

static void random_numbers_are_what_strtod_makes_of_them(void **state)
{
    (void)state;
    char text[64];
    for (int i = 0; i < 100000; i++) {
        const uint64_t bits = next_random();
        double value;
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value))
            continue;
        snprintf(text, sizeof text, "%.*e", (int)(next_random() % 24), value);
        check(text);
    }
    for (int exponent = -350; exponent <= 312; exponent++) {
        for (int i = 0; i < 40; i++) {
            snprintf(text, sizeof text, "%" PRIu64 "e%d", next_random() >> next_random() % 64, exponent);
            check(text);
        }
    }
}

/* Writes mantissa x 2^exponent with all its digits, which is mantissa x 5^-exponent x 10^exponent. */
static void exact_text(uint64_t mantissa, int exponent, char *text)
{
    static uint8_t digits[1200]; /* the lowest first */
    size_t count = 0;
    for (; mantissa > 0; mantissa /= 10)
        digits[count++] = (uint8_t)(mantissa % 10);
    for (int i = 0; i < abs(exponent); i++) {
        unsigned carry = 0;
        for (size_t k = 0; k < count; k++, carry /= 10) {
            carry += digits[k] * (exponent < 0 ? 5u : 2u);
            digits[k] = (uint8_t)(carry % 10);
        }
        for (; carry > 0; carry /= 10)
            digits[count++] = (uint8_t)(carry % 10);
    }
    while (count > 0)
        *text++ = (char)('0' + digits[--count]);
    sprintf(text, "e%d", exponent < 0 ? exponent : 0);
}

/* Halfway between two doubles goes to the even one; a digit more, however far behind, to the larger. */
static void ties_go_to_even(void **state)
{
    (void)state;
    static const int exponents[] = {-1075, -1074, -1000, -600, -130, -60, -3, -1, 0, 3, 60, 700, 970};
    char text[1300], more[1400];
    for (size_t i = 0; i < sizeof exponents / sizeof *exponents; i++) {
        for (int round = 0; round < 8; round++) {
            /* 2m + 1 with m of 53 bits, or fewer in the subnormal range. */
            const bool subnormal = exponents[i] == -1075;
            uint64_t m = next_random() >> (subnormal ? 12 + next_random() % 40 : 11);
            m |= subnormal ? 0 : UINT64_C(1) << 52;
            const double down = ldexp((double)m, exponents[i] + 1),
                         up = ldexp((double)(m + 1), exponents[i] + 1);
            exact_text(2 * m + 1, exponents[i], text);
            double got;
            struct csv_decimal decimal = scan(text);
            assert_true(csv_decimal_double(&decimal, &got));
            assert_true(got == (m % 2 ? up : down));
            check(text);
            const size_t digits = strspn(text, "0123456789");
            sprintf(more, "%.*s.%050d1%s", (int)digits, text, 0, text + digits);
            decimal = scan(more);
            assert_true(csv_decimal_double(&decimal, &got));
            assert_true(got == up);
        }
    }
}

static void half_precision_is_rounded_once(void **state)
{
    (void)state;
    char text[200], above[220];
    for (uint64_t bits = 0; bits < 0x7bff; bits++) {
        const double value = half_value(bits), middle = (value + half_value(bits + 1)) / 2;
        snprintf(text, sizeof text, "%.60e", value);
        assert_int_equal(bits_of(text, &csv_binary16), bits);
        snprintf(text, sizeof text, "-%.60f", middle); /* all its digits */
        assert_int_equal(bits_of(text, &csv_binary16), 0x8000 | (bits + bits % 2));
        snprintf(above, sizeof above, "%s1", text);
        assert_int_equal(bits_of(above, &csv_binary16), 0x8000 | (bits + 1));
    }
    assert_int_equal(bits_of("65519.99", &csv_binary16), 0x7bff);
    assert_int_equal(bits_of("65520", &csv_binary16), 0x7c00);
    assert_int_equal(bits_of("1e-300", &csv_binary16), 0);
}

static void what_is_no_number_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"",   "-",   "+",   ".",   "-.",  "e5", ".e5",
                                        "1e", "1e+", "1e-", "--1", "nan", "x"};
    static const struct {
        const char *text;
        size_t length;
    } prefixes[] = {{"1.5x", 3}, {"1..5", 2}, {"1e5.0", 3},     {"0x10", 1},     {"1_000", 1},
                    {"1 2", 1},  {"1,5", 1},  {"12345678/", 8}, {"1234567:", 7}, {"1e55e", 4}};
    struct csv_decimal decimal;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const uint8_t *text = (const uint8_t *)texts[i];
        assert_null(csv_decimal_scan(text, text + strlen(texts[i]), &decimal));
    }
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        const uint8_t *text = (const uint8_t *)prefixes[i].text;
        assert_ptr_equal(csv_decimal_scan(text, text + strlen(prefixes[i].text), &decimal),
                         text + prefixes[i].length);
    }
    /* Every byte that is no digit, at every place among eight. */
    for (unsigned byte = 0; byte < 256; byte++) {
        for (size_t at = 1; at < 8 && (byte < '0' || byte > '9') && byte != '.' && (byte | 32) != 'e'; at++) {
            uint8_t text[12] = "12345678901";
            text[at] = (uint8_t)byte;
            assert_ptr_equal(csv_decimal_scan(text, text + 11, &decimal), text + at);
        }
    }
}

static void words_stand_for_what_is_no_number(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t bits;
    } words[] = {{"nan", 0x7e00},  {"NaN", 0x7e00},       {"-nan", 0xfe00},     {"inf", 0x7c00},
                 {"-Inf", 0xfc00}, {"+infinity", 0x7c00}, {"-INFINITY", 0xfc00}};
    static const char *const others[] = {"",          "-",      "na", "nano", "infinit",
                                         "infinityx", "nan(1)", "NA", "--inf"};
    uint64_t bits;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        assert_true(csv_word((const uint8_t *)words[i].text, strlen(words[i].text), &csv_binary16, &bits));
        assert_int_equal(bits, words[i].bits);
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(csv_word((const uint8_t *)others[i], strlen(others[i]), &csv_binary16, &bits));
    assert_true(csv_word((const uint8_t *)"nan", 3, &csv_binary64, &bits));
    assert_int_equal(bits, UINT64_C(0x7ff8000000000000));
    assert_true(csv_word((const uint8_t *)"-inf", 4, &csv_binary32, &bits));
    assert_int_equal(bits, 0xff800000);
}

static void whole_numbers_are_exact(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum csv_whole kind;
        uint64_t value;
    } cases[] = {
        {"0", CSV_WHOLE, 0},
        {"12.000", CSV_WHOLE, 12},
        {"1.2e1", CSV_WHOLE, 12},
        {"1200e-2", CSV_WHOLE, 12},
        {"1.000000000000000000e+00", CSV_WHOLE, 1}, /* as numpy.savetxt writes it */
        {"2.550000000000000000e+02", CSV_WHOLE, 255},
        {"18446744073709551615", CSV_WHOLE, UINT64_MAX},
        {"18446744073709551615.00", CSV_WHOLE, UINT64_MAX},
        {"00000000000000000000018446744073709551615", CSV_WHOLE, UINT64_MAX},
        {"1.8446744073709551615e19", CSV_WHOLE, UINT64_MAX},
        {"18446744073709551615000e-3", CSV_WHOLE, UINT64_MAX},
        {"10e18", CSV_WHOLE, UINT64_C(10000000000000000000)},
        {"0.00000000000000000000000000001e29", CSV_WHOLE, 1},
        {"0e99999999999999999999999", CSV_WHOLE, 0},
        {"0.000e-99999999999999999999999", CSV_WHOLE, 0},
        {"18446744073709551616", CSV_HUGE, 0},
        {"2e19", CSV_HUGE, 0},
        {"1e99999999999999999999999", CSV_HUGE, 0},
        {"99999999999999999999999999999999999", CSV_HUGE, 0},
        {"1.5", CSV_FRACTION, 0},
        {"1e-1", CSV_FRACTION, 0},
        {"1e-99999999999999999999999", CSV_FRACTION, 0},
        {"12345678901234567890.5", CSV_FRACTION, 0},
        {"1.00000000000000000000000000000001", CSV_FRACTION, 0},
        {"18446744073709551615e-1", CSV_FRACTION, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct csv_decimal decimal = scan(cases[i].text);
        uint64_t value;
        const enum csv_whole kind = csv_decimal_whole(&decimal, &value);
        if (kind != cases[i].kind || (kind == CSV_WHOLE && value != cases[i].value))
            fail_msg("'%s' became %d, %" PRIu64, cases[i].text, (int)kind, value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_that_are_hard_to_round),
        cmocka_unit_test(random_numbers_are_what_strtod_makes_of_them),
        cmocka_unit_test(ties_go_to_even),
        cmocka_unit_test(half_precision_is_rounded_once),
        cmocka_unit_test(what_is_no_number_is_refused),
        cmocka_unit_test(words_stand_for_what_is_no_number),
        cmocka_unit_test(whole_numbers_are_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
