/* SPDX-License-Identifier: MIT */
#include "npy_file.h"

static void check(const struct npy_file *file, const struct shape *shape, const void *samples, bool found)
{
    struct exact exact;
    if (npy_file_decode(file, &exact) < 0)
        fail_msg("%s", exact.error.reason);
    assert_memory_equal(&exact.shape, shape, sizeof *shape);
    assert_memory_equal(&exact.info.shape, shape, sizeof *shape);
    assert_memory_equal(exact.pixels, samples, shape_bytes(shape));
    assert_int_equal(exact.found, found);
    assert_int_equal(exact.warnings, 0);
    exact_free(&exact);
}

static const struct {
    const char *name;
    enum sample sample;
} types[] = {
    {"i1", SAMPLE_I8},  {"i2", SAMPLE_I16}, {"i4", SAMPLE_I32}, {"i8", SAMPLE_I64},
    {"u1", SAMPLE_U8},  {"u2", SAMPLE_U16}, {"u4", SAMPLE_U32}, {"u8", SAMPLE_U64},
    {"f2", SAMPLE_F16}, {"f4", SAMPLE_F32}, {"f8", SAMPLE_F64},
};

/* The bytes of a sample of another order are reversed; those of this machine's lie where they lie. */
static void every_type_decodes_in_both_byte_orders(void **state)
{
    (void)state;
    static const uint64_t dims[] = {3, 5};
    const uint16_t one = 1;
    const bool little = *(const uint8_t *)&one == 1;
    for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
        const struct shape shape = shape_array(types[t].sample, 2, dims);
        const size_t size = shape_sample_bytes((uint8_t)types[t].sample);
        uint8_t data[15 * 8], turned[15 * 8];
        for (size_t i = 0; i < 15 * size; i++) {
            data[i] = (uint8_t)(i * 7 + 1);
            turned[i / size * size + size - 1 - i % size] = data[i];
        }
        for (const char *order = "<>=|"; *order; order++) {
            char descr[4] = {*order, types[t].name[0], types[t].name[1], '\0'};
            const bool other = size > 1 && *order == (little ? '>' : '<');
            for (size_t at = 112; at <= 128; at += 16) {
                struct npy_file file = npy_padded(descr, false, "(3, 5)", data, 15 * size, at);
                check(&file, &shape, other ? turned : data, at == 128 && !other);
            }
        }
    }
}

static void bools_are_0_or_1(void **state)
{
    (void)state;
    static const uint64_t dims[] = {2, 2};
    static const uint8_t clean[] = {0, 1, 1, 0}, dirty[] = {0, 1, 2, 255}, expected[] = {0, 1, 1, 1},
                         turned[] = {0, 1, 1, 1};
    const struct shape shape = shape_array(SAMPLE_BOOL, 2, dims);
    struct npy_file file = npy_padded("|b1", false, "(2, 2)", clean, 4, 128);
    check(&file, &shape, clean, true);
    file = npy_padded("?", false, "(2, 2)", dirty, 4, 128);
    check(&file, &shape, expected, false);
    file = npy_padded("|b1", true, "(2, 2)", dirty, 4, 128);
    check(&file, &shape, turned, false);
}

/* Fortran order by its definition: the first index runs fastest. */
static void check_fortran(const char *text, unsigned rank, const uint64_t *dims, enum sample sample,
                          bool swapped)
{
    const struct shape shape = shape_array(sample, rank, dims);
    const size_t size = shape_sample_bytes((uint8_t)sample), count = shape_samples(&shape);
    uint8_t *in = malloc(count * size + 1), *expected = malloc(count * size + 1);
    char descr[4] = "";
    for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
        if (types[t].sample == sample)
            snprintf(descr, sizeof descr, "%c%s", swapped ? '>' : '<', types[t].name);
    }
    for (size_t i = 0; i < count * size; i++)
        in[i] = (uint8_t)(i * 31 + i / 251);
    for (size_t i = 0; i < count; i++) {
        size_t left = i, at = 0, step = 1, index[SHAPE_MAX_RANK];
        for (unsigned d = rank; d-- > 0; left /= dims[d])
            index[d] = left % dims[d];
        for (unsigned d = 0; d < rank; step *= dims[d++])
            at += index[d] * step;
        for (size_t b = 0; b < size; b++)
            expected[i * size + b] = in[at * size + (swapped ? size - 1 - b : b)];
    }
    struct npy_file file = npy_padded(descr, true, text, in, count * size, 192);
    unsigned longer = 0;
    for (unsigned d = 0; d < rank; d++)
        longer += dims[d] != 1;
    check(&file, &shape, expected, longer < 2 && (!swapped || size == 1));
    free(in);
    free(expected);
}

static void fortran_order_becomes_c_order(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned rank;
        uint64_t dims[SHAPE_MAX_RANK];
    } shapes[] = {
        {"()", 0, {0}},
        {"(7,)", 1, {7}},
        {"(1, 9, 1)", 3, {1, 9, 1}},
        {"(2, 3)", 2, {2, 3}},
        {"(33, 65)", 2, {33, 65}},
        {"(3, 129)", 2, {3, 129}},
        {"(5, 4, 3)", 3, {5, 4, 3}},
        {"(2, 1, 70, 3)", 4, {2, 1, 70, 3}},
        {"(2, 3, 4, 5, 6)", 5, {2, 3, 4, 5, 6}},
        {"(2, 3, 2, 2, 3, 2, 2, 3)", 8, {2, 3, 2, 2, 3, 2, 2, 3}},
        {"(4, 0, 3)", 3, {4, 0, 3}},
    };
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        for (int swapped = 0; swapped < 2; swapped++) {
            check_fortran(shapes[s].text, shapes[s].rank, shapes[s].dims, SAMPLE_U8, swapped);
            check_fortran(shapes[s].text, shapes[s].rank, shapes[s].dims, SAMPLE_I16, swapped);
            check_fortran(shapes[s].text, shapes[s].rank, shapes[s].dims, SAMPLE_F32, swapped);
            check_fortran(shapes[s].text, shapes[s].rank, shapes[s].dims, SAMPLE_F64, swapped);
        }
    }
}

static void bytes_after_the_end_are_a_warning(void **state)
{
    (void)state;
    struct npy_file file = npy_padded("|u1", false, "(2,)", "abcd", 4, 128);
    struct exact exact;
    assert_int_equal(npy_file_decode(&file, &exact), 0);
    assert_int_equal(exact.warnings, 1);
    assert_string_equal(exact.warning, "2 bytes after the end of the array");
    assert_memory_equal(exact.pixels, "ab", 2);
    exact_free(&exact);
}

static void max_elements_is_a_limit(void **state)
{
    (void)state;
    struct npy_file file = npy_padded("|u1", false, "(2, 2)", "abcd", 4, 128);
    struct codec_limits limits = exact_limits;
    struct exact exact;
    limits.max_elements = 4;
    assert_int_equal(exact_decode(&npy_codec, file.bytes, file.length_bytes, &limits, &exact), 0);
    exact_free(&exact);
    limits.max_elements = 3;
    assert_int_equal(exact_decode(&npy_codec, file.bytes, file.length_bytes, &limits, &exact), ERROR_LIMIT);
}

/* No truncation passes, and no changed byte of the header crashes or breaks what peek promised. */
static void damage_is_survived(void **state)
{
    (void)state;
    struct npy_file file = npy_padded("<i2", true, "(2, 3)", "abcdefghijkl", 12, 80);
    struct exact exact;
    const size_t length = file.length_bytes;
    size_t taken = 0;
    for (file.length_bytes = 0; file.length_bytes < length; file.length_bytes++)
        assert_int_equal(npy_file_decode(&file, &exact), ERROR_CORRUPT);
    for (size_t at = 0; at < 80; at++) {
        const uint8_t was = file.bytes[at];
        for (unsigned value = 0; value < 256; value++) {
            file.bytes[at] = (uint8_t)value;
            if (npy_file_decode(&file, &exact) == 0) {
                taken++;
                exact_free(&exact);
            }
        }
        file.bytes[at] = was;
    }
    assert_true(taken >= 80);
}

static void names_and_first_bytes_find_the_codec(void **state)
{
    (void)state;
    assert_ptr_equal(codec_for_name("a/b.NPY"), &npy_codec);
    assert_ptr_equal(codec_for_name("a.npy.gz"), &npy_codec);
    assert_ptr_equal(codec_sniff((const uint8_t *)"\x93NUMPY", 6), &npy_codec);
    assert_null(codec_sniff((const uint8_t *)"\x93NUMP", 5));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_decodes_in_both_byte_orders),
        cmocka_unit_test(bools_are_0_or_1),
        cmocka_unit_test(fortran_order_becomes_c_order),
        cmocka_unit_test(bytes_after_the_end_are_a_warning),
        cmocka_unit_test(max_elements_is_a_limit),
        cmocka_unit_test(damage_is_survived),
        cmocka_unit_test(names_and_first_bytes_find_the_codec),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
