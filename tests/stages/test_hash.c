/* SPDX-License-Identifier: MIT */
/* hash: SHA-256 against the examples of NIST, digests of items against those of Python's hashlib, and the
 * hashes of what an image looks like against their definitions. */
#include "array_harness.h"
#include "stages/image/sha256.h"
#include "tests/quick.h"

static void sha256_is_that_of_the_standard(void **state)
{
    (void)state;
    static char million[1000000];
    memset(million, 'a', sizeof million);
    /* From NIST's examples of FIPS 180-4. */
    const struct {
        const char *message;
        size_t bytes;
        const char *digest;
    } cases[] = {
        {"", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56,
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        {million, sizeof million, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (size_t step = 1; step < 200; step = step * 2 + 1) {
            if (cases[i].bytes > 1000 && quick_skip(5))
                continue;
            struct sha256 sha;
            char hex[65];
            sha256_begin(&sha);
            for (size_t at = 0; at < cases[i].bytes; at += step)
                sha256_add(&sha, cases[i].message + at,
                           cases[i].bytes - at < step ? cases[i].bytes - at : step);
            sha256_end(&sha, hex);
            assert_string_equal(hex, cases[i].digest);
        }
    }
}

static void expect_hash(const char *kind, struct shape in, const void *src, const char *expected)
{
    char arguments[32];
    snprintf(arguments, sizeof arguments, "kind=%s", kind);
    struct applied applied = array_apply("hash", arguments, in, src);
    const struct record_field field = array_field(&applied, kind);
    assert_int_equal(field.type, RECORD_TEXT);
    assert_string_equal(field.text, expected);
    assert_memory_equal(applied.dst, src, shape_bytes(&in));
    array_free(&applied);
}

/* hashlib.sha256(b"u8 2 3\n" + bytes(range(6))).hexdigest(), and so on. */
static void content_is_that_of_hashlib(void **state)
{
    (void)state;
    static const uint8_t six[] = {0, 1, 2, 3, 4, 5};
    static const uint16_t three[] = {1, 258, 65535};
    static const float two[] = {1.5f, -0.0f};
    static const double one[] = {0.1};
    static const char *const plane = "d81a2ac8ec33b6f9d110eccd76f2c4357292299a45b73eaac7536b4d8d7541d7";
    static const char *const pixels = "306eb4e36256797d5d0d5370b4753b8da30d659f0980186b1430916230bada51";
    expect_hash("content", harness_shape(3, 2, 1, SAMPLE_U8), six, plane);
    expect_hash("content", ARRAY(SAMPLE_U8, 2, 3), six, plane);
    expect_hash("content", harness_shape(2, 1, 3, SAMPLE_U8), six, pixels);
    expect_hash("content", ARRAY(SAMPLE_U8, 1, 2, 3), six, pixels);
    expect_hash("content", ARRAY(SAMPLE_U16, 3), three,
                "3d8858874b50b165b7dfef261732f7a0fa9dfe9147c340abde51389802779f6a");
    expect_hash("content", ARRAY(SAMPLE_F32, 2, 1), two,
                "f805f7211d20c20d272d5c3dac7acfecdf9f9a98493ee2bac8bfcb61cf261848");
    expect_hash("content", shape_array(SAMPLE_F64, 0, NULL), one,
                "d591dc1da4960729260d5cc43a204355f893dc72e947f7d9131e8641fa856419");
    expect_hash("content", ARRAY(SAMPLE_I8, 0, 5), six,
                "b795fa76485e47b521804066a724ea44c95608341b5ae1d4342cf51de9e12375");
}

/* Pictures of the size that a hash is made of are taken as they are. */
static void bits_are_by_definition(void **state)
{
    (void)state;
    uint8_t halves[64], rising[72], falling[72], waves[72], flat[32 * 32];
    for (int i = 0; i < 64; i++)
        halves[i] = i % 8 < 4 ? 10 : 20;
    for (int i = 0; i < 72; i++) {
        rising[i] = (uint8_t)(i % 9 * 20);
        falling[i] = (uint8_t)(255 - i % 9 * 20);
        waves[i] = i % 9 % 2 == 0 ? 7 : 8;
    }
    memset(flat, 100, sizeof flat);
    expect_hash("ahash", harness_shape(8, 8, 1, SAMPLE_U8), halves, "0f0f0f0f0f0f0f0f");
    expect_hash("ahash", harness_shape(32, 32, 1, SAMPLE_U8), flat, "0000000000000000");
    expect_hash("dhash", harness_shape(9, 8, 1, SAMPLE_U8), rising, "ffffffffffffffff");
    expect_hash("dhash", harness_shape(9, 8, 1, SAMPLE_U8), falling, "0000000000000000");
    expect_hash("dhash", harness_shape(9, 8, 1, SAMPLE_U8), waves, "aaaaaaaaaaaaaaaa");
    expect_hash("dhash", harness_shape(32, 32, 1, SAMPLE_U8), flat, "0000000000000000");
    /* All is in the coefficient of the mean; the median of the rest is 0. */
    expect_hash("phash", harness_shape(32, 32, 1, SAMPLE_U8), flat, "8000000000000000");
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void phash_is_that_of_a_naive_transform(void **state)
{
    (void)state;
    const struct shape in = harness_shape(32, 32, 1, SAMPLE_U8);
    for (uint32_t seed = 1; seed < (quick() ? 4 : 40); seed++) {
        uint8_t *src = harness_image(&in, seed);
        double low[64], sorted[64];
        uint64_t bits = 0;
        char hex[17];
        for (int k = 0; k < 64; k++) {
            low[k] = 0;
            for (int i = 0; i < 32 * 32; i++)
                low[k] += src[i] * cos(M_PI * (k / 8) * (2 * (i / 32) + 1) / 64) *
                          cos(M_PI * (k % 8) * (2 * (i % 32) + 1) / 64);
        }
        memcpy(sorted, low, sizeof sorted);
        qsort(sorted, 64, sizeof *sorted, by_value);
        for (int k = 0; k < 64; k++)
            bits = bits << 1 | (low[k] > (sorted[31] + sorted[32]) / 2);
        snprintf(hex, sizeof hex, "%016llx", (unsigned long long)bits);
        expect_hash("phash", in, src, hex);
        free(src);
    }
}

/* The same picture at all depths, with or without alpha, and as RGB of equal channels. */
static void depths_and_alpha_do_not_matter(void **state)
{
    (void)state;
    static const char *const kinds[] = {"ahash", "dhash", "phash"};
    const struct shape plain = harness_shape(50, 37, 1, SAMPLE_U8);
    uint8_t *src = harness_image(&plain, 3);
    for (unsigned variant = 0; variant < 12; variant++) {
        const uint8_t sample = (uint8_t)(variant % 3);
        const unsigned channels = variant / 3 + 1, colours = channels < 3 ? 1 : 3;
        const struct shape in = harness_shape(50, 37, channels, sample);
        uint8_t *other = harness_alloc(shape_bytes(&in));
        for (size_t i = 0; i < 50 * 37; i++) {
            for (unsigned c = 0; c < channels; c++)
                harness_put(other, sample, i * channels + c,
                            c == colours ? (double)(i % 2) : src[i] / 255.0 * harness_full(sample));
        }
        for (size_t kind = 0; kind < 3; kind++) {
            char arguments[32];
            snprintf(arguments, sizeof arguments, "kind=%s", kinds[kind]);
            struct applied applied = array_apply("hash", arguments, plain, src);
            const struct record_field field = array_field(&applied, kinds[kind]);
            expect_hash(kinds[kind], in, other, field.text);
            array_free(&applied);
        }
        free(other);
    }
    free(src);
}

static void arrays_look_like_nothing(void **state)
{
    (void)state;
    struct error error = {0};
    assert_int_equal(array_refused("hash", "kind=dhash", ARRAY(SAMPLE_U8, 9, 8), &error), ERROR_UNSUPPORTED);
    assert_non_null(strstr(error.reason, "to_image"));
    assert_int_equal(array_refused("hash", "kind=content", ARRAY(SAMPLE_U8, 9, 8), &error), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_is_that_of_the_standard),
        cmocka_unit_test(content_is_that_of_hashlib),
        cmocka_unit_test(bits_are_by_definition),
        cmocka_unit_test(phash_is_that_of_a_naive_transform),
        cmocka_unit_test(depths_and_alpha_do_not_matter),
        cmocka_unit_test(arrays_look_like_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
