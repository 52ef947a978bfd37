/* SPDX-License-Identifier: MIT */
/* The header of .npy files: what Python reads is read, what it refuses is refused. */
#include "npy_file.h"

/* What Python reads as the dictionary of <f8 and (2, 3) in C order. */
static void a_header_may_be_written_in_many_ways(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3)}",
        "{'shape':(2,3),'descr':'<f8','fortran_order':False,}",
        " \t\n{ \"descr\" : \"<f8\" ,\n\"fortran_order\" : False , \"shape\" : ( 2 , 3 , ) , } \r\n ",
        "{'descr': '''<f8''', 'fortran_order': False, 'shape': (0x2, 0b11)}",
        "{'descr': '\\x3cf8', 'fortran_order': False, 'shape': (+2, 0o3)}",
        "{'d\\145scr': '\\u003cf8', 'fortran_order': False, 'shape': (--2, 0x_3)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (2L, 3 L)} # a note",
        "{'descr': '<f4', 'fortran_order': True, 'shape': (), # the last one counts\n'shape': (2, 3), "
        "'descr': '<f8', "
        "'fortran_order': False}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (-1, 3)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (2, -1)}",
    };
    static const uint64_t dims[] = {2, 3};
    const struct shape shape = shape_array(SAMPLE_F64, 2, dims);
    static const double data[] = {0, -1, 0.5, 1e300, -0.0, 3};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        for (unsigned version = 1; version <= 3; version++) {
            struct npy_file file = npy_file_of(version, texts[i], data, sizeof data);
            struct exact exact;
            const int code = npy_file_decode(&file, &exact);
            if (version == 3 && strstr(texts[i], "2L")) {
                assert_int_equal(code, ERROR_CORRUPT); /* Python 2 knew no version 3 */
                continue;
            }
            if (code < 0)
                fail_msg("%s: %s", texts[i], exact.error.reason);
            assert_memory_equal(&exact.shape, &shape, sizeof shape);
            assert_memory_equal(exact.pixels, data, sizeof data);
            exact_free(&exact);
        }
    }
}

static void what_numpy_refuses_is_refused(void **state)
{
    (void)state;
#define DICT(descr, order, shape) "{'descr': " descr ", 'fortran_order': " order ", 'shape': " shape "}"
    static const struct {
        const char *text;
        int code;
        const char *reason;
    } bad[] = {
        {"", ERROR_CORRUPT, "header: not a dictionary"},
        {"[1, 2]", ERROR_CORRUPT, "header: not a dictionary"},
        {"{}", ERROR_CORRUPT, "header: descr, fortran_order or shape is missing"},
        {"{", ERROR_CORRUPT, "header: a string is missing"},
        {"{descr: 1}", ERROR_CORRUPT, "header: a string is missing"},
        {"{'descr", ERROR_CORRUPT, "header: a string without an end"},
        {"{'des\ncr'", ERROR_CORRUPT, "header: a string without an end"},
        {"{'\\q'", ERROR_CORRUPT, "header: a string with a character that none has"},
        {"{'x': 1}", ERROR_CORRUPT, "header: a key that is none of descr, fortran_order and shape"},
        {"{'descr' '<f8'}", ERROR_CORRUPT, "header: a colon is missing"},
        {"{'descr': '<f8' 'shape': ()}", ERROR_CORRUPT, "header: a comma is missing"},
        {DICT("'<f8'", "False", "(2, 3)") "; import os", ERROR_CORRUPT,
         "header: something stands behind the dictionary"},
        {DICT("'<f8'", "False", "(2, 3)") "\xff", ERROR_CORRUPT,
         "header: something stands behind the dictionary"},
        {DICT("'<f8'", "1", "(2, 3)"), ERROR_CORRUPT, "header: fortran_order is neither True nor False"},
        {DICT("'<f8'", "Falsey", "(2, 3)"), ERROR_CORRUPT, "header: fortran_order is neither True nor False"},
        {DICT("'<f8'", "'False'", "(2, 3)"), ERROR_CORRUPT,
         "header: fortran_order is neither True nor False"},
        {DICT("'<f8'", "False", "6"), ERROR_CORRUPT, "header: shape is not a tuple"},
        {DICT("'<f8'", "False", "(6)"), ERROR_CORRUPT, "header: shape is not a tuple"},
        {DICT("'<f8'", "False", "[2, 3]"), ERROR_CORRUPT, "header: shape is not a tuple"},
        {DICT("'<f8'", "False", "(2.0, 3)"), ERROR_CORRUPT, "header: shape is not a tuple of whole numbers"},
        {DICT("'<f8'", "False", "(1+1, 3)"), ERROR_CORRUPT, "header: shape is not a tuple of whole numbers"},
        {DICT("'<f8'", "False", "(2 3)"), ERROR_CORRUPT, "header: shape is not a tuple of whole numbers"},
        {DICT("'<f8'", "False", "(2_, 3)"), ERROR_CORRUPT, "header: shape is not a tuple of whole numbers"},
        {DICT("'<f8'", "False", "(2__0, 3)"), ERROR_CORRUPT, "header: shape is not a tuple of whole numbers"},
        {DICT("'<f8'", "False", "(02, 3)"), ERROR_CORRUPT,
         "header: shape holds something else than whole numbers"},
        {DICT("'<f8'", "False", "(0x, 3)"), ERROR_CORRUPT,
         "header: shape holds something else than whole numbers"},
        {DICT("'<f8'", "False", "(True, 3)"), ERROR_CORRUPT,
         "header: shape holds something else than whole numbers"},
        {DICT("'<f8'", "False", "('2', 3)"), ERROR_CORRUPT,
         "header: shape holds something else than whole numbers"},
        {DICT("'<f8'", "False", "((2,), 3)"), ERROR_CORRUPT,
         "header: shape holds something else than whole numbers"},
        {DICT("'<f8'", "False", "(,)"), ERROR_CORRUPT,
         "header: shape holds something else than whole numbers"},
        {DICT("'<f8'", "False", "(2, 3"), ERROR_CORRUPT, "header: shape is not a tuple of whole numbers"},
        {DICT("'<f8'", "False", "(-2, -3)"), ERROR_CORRUPT, "header: more than one dimension is negative"},
        {DICT("'<f8'", "False", "(-1, 0)"), ERROR_CORRUPT, "6 elements do not fit the shape"},
        {DICT("'<f8'", "False", "(-1, 4)"), ERROR_CORRUPT, "6 elements do not fit the shape"},
        {DICT("'<f8'", "False", "(2, 4)"), ERROR_CORRUPT, "file ends early: 48 bytes of data, 64 promised"},
        {DICT("'<f8'", "False", "(9223372036854775808,)"), ERROR_CORRUPT,
         "header: a dimension is larger than any array's"},
        {DICT("'<f8'", "False", "(9223372036854775806,)"), ERROR_CORRUPT,
         "impossible shape: its bytes cannot be counted"},
        {DICT("'<f8'", "False", "(0, 9223372036854775806)"), ERROR_CORRUPT,
         "impossible shape: its bytes cannot be counted"},
        {DICT("'<f8'", "False", "(4294967296, 4294967296)"), ERROR_CORRUPT,
         "impossible shape: its bytes cannot be counted"},
        {DICT("'<f8'", "False", "(2305843009213693953, 8)"), ERROR_CORRUPT,
         "impossible shape: its bytes cannot be counted"},
        {DICT("'<f8'", "False", "(1000000000000,)"), ERROR_LIMIT,
         "1000000000000 elements, over max_elements 64000000; raise it with --max-elements"},
        {DICT("'<f8'", "False", "(1,1,1,1,1,1,1,1,6)"), ERROR_UNSUPPORTED,
         "9 dimensions, and 8 are the most"},
        {DICT("'|O'", "False", "(2, 3)"), ERROR_UNSUPPORTED,
         "holds Python objects (dtype object), which are pickled; nothing is ever unpickled"},
        {DICT("'<c8'", "False", "(2, 3)"), ERROR_UNSUPPORTED,
         "holds dtype '<c8', not integers, floats or bools"},
        {DICT("'<f16'", "False", "(2, 3)"), ERROR_UNSUPPORTED,
         "holds dtype '<f16', not integers, floats or bools"},
        {DICT("'<M8[D]'", "False", "(2, 3)"), ERROR_UNSUPPORTED,
         "holds dtype '<M8[D]', not integers, floats or bools"},
        {DICT("[('a', '<i4')]", "False", "(2, 3)"), ERROR_UNSUPPORTED,
         "holds records or arrays (a structured dtype), not numbers"},
        {DICT("('<f8', (2, 3))", "False", "(2, 3)"), ERROR_UNSUPPORTED,
         "holds records or arrays (a structured dtype), not numbers"},
        {DICT("'<f3'", "False", "(2, 3)"), ERROR_CORRUPT, "header: '<f3' is no dtype"},
        {DICT("''", "False", "(2, 3)"), ERROR_CORRUPT, "header: '' is no dtype"},
        {DICT("'<'", "False", "(2, 3)"), ERROR_CORRUPT, "header: '<' is no dtype"},
        {DICT("8", "False", "(2, 3)"), ERROR_CORRUPT, "header: descr is not a string"},
        {DICT("None", "False", "(2, 3)"), ERROR_CORRUPT, "header: descr is not a string"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const double data[6] = {0};
        struct npy_file file = npy_file_of(1, bad[i].text, data, sizeof data);
        struct exact exact;
        const int code = npy_file_decode(&file, &exact);
        if (code != bad[i].code || strcmp(exact.error.reason, bad[i].reason) != 0)
            fail_msg("%s: %d, %s", bad[i].text, code, exact.error.reason);
    }
}

static void check_prelude(const char *bytes, size_t length_bytes, int code, const char *reason)
{
    struct exact exact;
    assert_int_equal(exact_decode(&npy_codec, (const uint8_t *)bytes, length_bytes, &exact_limits, &exact),
                     code);
    assert_string_equal(exact.error.reason, reason);
}

#define FILE_OF(literal) (literal), sizeof(literal) - 1

static void the_prelude_is_checked(void **state)
{
    (void)state;
    static char large[20000] = "\x93NUMPY\1\0\x11\x27"; /* 10001 */
    check_prelude(FILE_OF(""), ERROR_CORRUPT, "file is empty");
    check_prelude(FILE_OF("\x93NUMPX\1\0\0\0"), ERROR_CORRUPT, "not a .npy file");
    check_prelude(FILE_OF("\x93NUMPY\1"), ERROR_CORRUPT, "file ends early, in the header");
    check_prelude(FILE_OF("\x93NUMPY\1\0\1"), ERROR_CORRUPT, "file ends early, in the header");
    check_prelude(FILE_OF("\x93NUMPY\4\0\1\0"), ERROR_UNSUPPORTED,
                  "version 4.0 of .npy is none of 1.0, 2.0 and 3.0");
    check_prelude(FILE_OF("\x93NUMPY\1\1\1\0"), ERROR_UNSUPPORTED,
                  "version 1.1 of .npy is none of 1.0, 2.0 and 3.0");
    check_prelude(FILE_OF("\x93NUMPY\2\0\xff\xff\xff\xff{}"), ERROR_CORRUPT,
                  "file ends early, in the header");
    check_prelude(large, sizeof large, ERROR_UNSUPPORTED, "a header of 10001 bytes, and 10000 are the most");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_may_be_written_in_many_ways),
        cmocka_unit_test(what_numpy_refuses_is_refused),
        cmocka_unit_test(the_prelude_is_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
