/* SPDX-License-Identifier: MIT */
/* .npz files made by hand after PKWARE's APPNOTE; tests/reference has numpy's own. */
#include "zip_file.h"

extern const struct codec npz_codec;

static int decode(const struct zip_file *zip, const char *array, struct exact *exact)
{
    const struct codec_load load = {.array = (char *)array};
    struct codec_limits limits = exact_limits;
    limits.load = &load;
    return exact_decode(&npz_codec, zip->bytes, zip->length_bytes, &limits, exact);
}

static void check_refused(const struct zip_file *zip, const char *array, int code, const char *reason)
{
    struct exact exact;
    assert_int_equal(decode(zip, array, &exact), code);
    assert_string_equal(exact.error.reason, reason);
}

static const uint16_t numbers[6] = {1, 2, 3, 4, 5, 60000}, turned[6] = {1, 3, 5, 2, 4, 60000};

static struct npy_file array_of(const char *descr, bool fortran)
{
    uint8_t big[sizeof numbers];
    for (size_t i = 0; i < 6; i++) {
        big[2 * i] = (uint8_t)(numbers[i] >> 8);
        big[2 * i + 1] = (uint8_t)numbers[i];
    }
    return npy_padded(descr, fortran, "(2, 3)", descr[0] == '>' ? (const void *)big : numbers, sizeof big,
                      128);
}

static void check_one(const char *descr, bool fortran, bool deflate, bool wide)
{
    static const uint64_t dims[] = {2, 3};
    const struct shape shape = shape_array(SAMPLE_U16, 2, dims);
    const struct npy_file array = array_of(descr, fortran);
    static struct zip_file zip;
    struct exact exact;
    zip = (struct zip_file){0};
    zip_add(&zip, "data.npy", &array, deflate, wide);
    zip_end(&zip, wide, wide ? "a comment" : "");
    assert_true(npz_codec.sniff(zip.bytes, zip.length_bytes));
    if (decode(&zip, NULL, &exact) < 0)
        fail_msg("%s", exact.error.reason);
    assert_memory_equal(&exact.shape, &shape, sizeof shape);
    assert_memory_equal(exact.pixels, fortran ? turned : numbers, sizeof numbers);
    assert_int_equal(exact.warnings, 0);
    exact_free(&exact);
}

static void stored_and_deflated_members_decode(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits < 16; bits++)
        check_one(bits & 1 ? ">u2" : "<u2", bits & 2, bits & 4, bits & 8);
}

/* A stored member that lies right is not copied. */
static void samples_are_found_where_they_lie(void **state)
{
    (void)state;
    const struct npy_file array = array_of("<u2", false);
    static struct zip_file zip;
    struct exact exact;
    zip = (struct zip_file){0};
    zip_add(&zip, "a-name-to-make-the-header-64-b.npy", &array, false, false);
    zip_end(&zip, false, "");
    assert_int_equal(decode(&zip, NULL, &exact), 0);
    assert_true(exact.found);
    assert_memory_equal(exact.pixels, numbers, sizeof numbers);
    exact_free(&exact);
}

static void an_array_is_chosen_by_its_name(void **state)
{
    (void)state;
    const struct npy_file one = npy_padded("|u1", false, "()", "\1", 1, 128),
                          two = npy_padded("|u1", false, "()", "\2", 1, 128);
    static struct zip_file zip;
    struct exact exact;
    zip = (struct zip_file){0};
    zip_add(&zip, "one.npy", &one, true, false);
    zip_add(&zip, "notes.txt", &one, false, false);
    zip_add(&zip, "../two.npy", &two, false, false);
    zip_end(&zip, false, "");
    static const struct {
        const char *name;
        uint8_t value;
    } right[] = {{"one", 1}, {"one.npy", 1}, {"../two", 2}, {"../two.npy", 2}};
    for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
        assert_int_equal(decode(&zip, right[i].name, &exact), 0);
        assert_int_equal(exact.pixels[0], right[i].value);
        exact_free(&exact);
    }
    check_refused(&zip, NULL, ERROR_UNSUPPORTED,
                  "holds 2 arrays: one, ../two; load.array says which to read");
    check_refused(&zip, "two", ERROR_UNSUPPORTED, "holds no array called 'two', but: one, ../two");
    check_refused(&zip, "notes.txt", ERROR_UNSUPPORTED,
                  "holds no array called 'notes.txt', but: one, ../two");
    zip = (struct zip_file){0};
    zip_add(&zip, "one.npy", &one, true, false);
    zip_add(&zip, "one.npy", &two, true, false);
    zip_end(&zip, false, "");
    check_refused(&zip, "one", ERROR_CORRUPT, "holds 2 arrays called 'one'");
    zip = (struct zip_file){0};
    zip_end(&zip, false, "");
    assert_true(npz_codec.sniff(zip.bytes, zip.length_bytes));
    check_refused(&zip, NULL, ERROR_UNSUPPORTED, "holds no array");
    zip = (struct zip_file){0};
    zip_add(&zip, "word/document.xml", &one, true, false);
    assert_false(npz_codec.sniff(zip.bytes, zip.length_bytes));
}

static void many_names_are_cut(void **state)
{
    (void)state;
    const struct npy_file one = npy_padded("|u1", false, "()", "\1", 1, 128);
    static struct zip_file zip;
    struct exact exact;
    char name[128];
    zip = (struct zip_file){0};
    for (int i = 0; i < 30; i++) {
        snprintf(name, sizeof name, "arr_%d.npy", i);
        zip_add(&zip, name, &one, true, false);
    }
    zip_end(&zip, false, "");
    assert_int_equal(decode(&zip, NULL, &exact), ERROR_UNSUPPORTED);
    assert_non_null(strstr(exact.error.reason, "holds 30 arrays: arr_0, arr_1, "));
    assert_non_null(strstr(exact.error.reason, " ...; load.array says which to read"));
}

static void limits_hold_for_what_a_member_claims(void **state)
{
    (void)state;
    const struct npy_file array = array_of("<u2", false);
    static struct zip_file zip;
    struct exact exact;
    struct codec_limits limits = exact_limits;
    zip = (struct zip_file){0};
    zip_add(&zip, "a.npy", &array, true, false);
    zip_end(&zip, false, "");
    limits.max_file_bytes = 139;
    assert_int_equal(exact_decode(&npz_codec, zip.bytes, zip.length_bytes, &limits, &exact), ERROR_LIMIT);
    assert_string_equal(exact.error.reason,
                        "unpacks to 140 bytes, over max_file 139; raise it with --max-file");
    limits = exact_limits;
    limits.max_elements = 5;
    assert_int_equal(exact_decode(&npz_codec, zip.bytes, zip.length_bytes, &limits, &exact), ERROR_LIMIT);
    zip_little(zip.directory + 24, 100 << 20, 4);
    zip.length_bytes -= zip.directory_bytes + 22;
    zip_end(&zip, false, "");
    assert_int_equal(decode(&zip, NULL, &exact), ERROR_LIMIT);
    assert_non_null(strstr(exact.error.reason, "over max_ratio 200; raise it with --max-ratio"));
}

/* The member's size in the directory must be the one that comes out, and its packed size the one that goes
 * in. */
static void sizes_are_those_of_the_stream(void **state)
{
    (void)state;
    const struct npy_file array = array_of("<u2", false);
    static const int changes[] = {-1, 1};
    static struct zip_file zip;
    struct exact exact;
    for (unsigned field = 20; field <= 24; field += 4) {
        for (unsigned i = 0; i < 2; i++) {
            zip = (struct zip_file){0};
            zip_add(&zip, "a.npy", &array, true, false);
            zip_put(&zip, "", 1);
            zip.directory[field] = (uint8_t)(zip.directory[field] + changes[i]);
            zip_end(&zip, false, "");
            assert_int_equal(decode(&zip, NULL, &exact), ERROR_CORRUPT);
        }
    }
}

static void bytes_after_the_samples_are_a_warning(void **state)
{
    (void)state;
    static struct npy_file array;
    static struct zip_file zip;
    struct exact exact;
    for (int deflate = 0; deflate < 2; deflate++) {
        array = npy_padded("|u1", false, "(2,)", "ab", 2, 128);
        for (int i = 0; i < 2500; i++)
            npy_put(&array, "12345678", 8);
        zip = (struct zip_file){0};
        zip_add(&zip, "a.npy", &array, deflate, false);
        zip_end(&zip, false, "");
        assert_int_equal(decode(&zip, NULL, &exact), 0);
        assert_memory_equal(exact.pixels, "ab", 2);
        assert_string_equal(exact.warning, "20000 bytes after the end of the array");
        exact_free(&exact);
    }
}

static bool agrees(const struct exact *exact)
{
    static const uint64_t dims[] = {2, 3};
    const struct shape shape = shape_array(SAMPLE_U16, 2, dims);
    return memcmp(&exact->shape, &shape, sizeof shape) == 0 &&
           memcmp(exact->pixels, turned, sizeof turned) == 0;
}

/* No truncation passes. A changed bit is refused, or lies in a field that nobody reads (versions, times,
 * attributes): the checksum is over all of the array. */
static void damage_is_survived(void **state)
{
    (void)state;
    const struct npy_file array = array_of(">u2", true);
    static struct zip_file zip;
    struct exact exact;
    for (unsigned bits = 0; bits < 4; bits++) {
        zip = (struct zip_file){0};
        zip_add(&zip, "a.npy", &array, bits & 1, bits & 2);
        zip_end(&zip, bits & 2, "");
        const size_t length = zip.length_bytes;
        for (zip.length_bytes = 0; zip.length_bytes < length; zip.length_bytes++)
            assert_int_equal(decode(&zip, NULL, &exact), ERROR_CORRUPT);
        size_t taken = 0;
        for (size_t at = 0; at < length; at++) {
            const uint8_t was = zip.bytes[at];
            for (unsigned bit = 0; bit < 8; bit++) {
                zip.bytes[at] = was ^ (uint8_t)(1u << bit);
                if (decode(&zip, NULL, &exact) != 0)
                    continue;
                assert_true(agrees(&exact));
                exact_free(&exact);
                taken++;
            }
            zip.bytes[at] = was;
        }
        assert_true(taken > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stored_and_deflated_members_decode),
        cmocka_unit_test(samples_are_found_where_they_lie),
        cmocka_unit_test(an_array_is_chosen_by_its_name),
        cmocka_unit_test(many_names_are_cut),
        cmocka_unit_test(limits_hold_for_what_a_member_claims),
        cmocka_unit_test(sizes_are_those_of_the_stream),
        cmocka_unit_test(bytes_after_the_samples_are_a_warning),
        cmocka_unit_test(damage_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
