/* SPDX-License-Identifier: MIT */
/* All memory of the codecs of arrays, and of gzip, is the job's scratch.
 * ctest labels: alone */
#include "counted_malloc.h"
#include "zip_file.h"

static const struct codec_load load = {.dtype = SAMPLE_F64 + 1};
static const struct codec_limits limits = {.max_elements = 1000, .max_file_bytes = 1 << 20, .load = &load};
static uint8_t file[1 << 16], samples[1 << 14], packed[1 << 16],
    scratch_block[1 << 20] __attribute__((aligned(SCRATCH_ALIGN)));
static struct error error;

/* Decodes the file, and then without its last 5 bytes. */
static void check_decode(const struct codec *codec, size_t length_bytes)
{
    struct scratch scratch = {.base = scratch_block, .size_bytes = sizeof scratch_block};
    struct codec_info info;
    assert_int_equal(codec->peek(file, length_bytes, length_bytes, &limits, &info, &error), 0);
    struct codec_decode job = {.limits = &limits,
                               .bytes = file,
                               .length_bytes = length_bytes,
                               .pixels = samples,
                               .pixels_bytes = sizeof samples,
                               .scratch = &scratch};
    assert_int_equal(codec->decode(&job, &error), 0);
    job.length_bytes -= 5;
    scratch.used_bytes = 0;
    assert_int_equal(codec->decode(&job, &error), ERROR_CORRUPT);
}

/* Of what the test itself took, `before` is a count. */
static void check_calls(unsigned before)
{
    assert_int_equal(calls, before);
    /* Had one been called, it would have been counted. */
    void *volatile block = malloc(1); /* volatile: else a compiler may leave out both calls */
    free(block);
    assert_int_equal(calls, before + 1);
}

static void need_replaced_malloc(void)
{
    if (REPLACED)
        return;
    print_message("skipped: the sanitizer has its own malloc\n");
    skip();
}

static void no_codec_calls_malloc(void **state)
{
    (void)state;
    static const uint64_t dims[] = {20, 20};
    need_replaced_malloc();
    snprintf((char *)samples, sizeof samples, "%f", 0.1); /* warms up what the C library sets up once */
    unsigned written = 0;
    for (const struct codec *const *codec = codec_all(); *codec; codec++) {
        if (!((*codec)->kinds & CODEC_ARRAYS) || (*codec)->read_only)
            continue;
        const unsigned before = calls;
        const struct codec_save save = {.level = 9};
        struct scratch scratch = {.base = scratch_block, .size_bytes = sizeof scratch_block};
        struct codec_encode job = {.save = &save,
                                   .shape = shape_array(SAMPLE_F64, 2, dims),
                                   .pixels = samples,
                                   .bytes = file,
                                   .bytes_size = sizeof file,
                                   .file = file,
                                   .scratch = &scratch};
        memset(samples, 0, sizeof samples);
        assert_int_equal((*codec)->encode(&job, &error), 0);
        if (job.file != file)
            memcpy(file, job.file, job.length_bytes);
        check_decode(*codec, job.length_bytes);
        check_calls(before);
        written++;
    }
    assert_true(written > 0);
}

static void npz_does_not_call_malloc(void **state)
{
    (void)state;
    extern const struct codec npz_codec;
    static struct zip_file zip;
    need_replaced_malloc();
    for (int deflate = 0; deflate < 2; deflate++) {
        const struct npy_file array = npy_padded(">f8", true, "(5, 5)", samples, 200, 128);
        zip = (struct zip_file){0};
        zip_add(&zip, "a.npy", &array, deflate, false);
        zip_end(&zip, false, "");
        memcpy(file, zip.bytes, zip.length_bytes);
        const unsigned before = calls;
        check_decode(&npz_codec, zip.length_bytes);
        check_calls(before);
    }
}

static void gzip_does_not_call_malloc(void **state)
{
    (void)state;
    struct scratch scratch = {.base = scratch_block, .size_bytes = sizeof scratch_block};
    size_t packed_bytes;
    need_replaced_malloc();
    const unsigned before = calls;
    for (size_t i = 0; i < sizeof samples; i++)
        samples[i] = (uint8_t)(i * i >> 3);
    assert_int_equal(
        gzip_pack(samples, sizeof samples, 9, packed, sizeof packed, &packed_bytes, &scratch, &error), 0);
    struct gzip_unpack job = {.bytes = packed,
                              .length_bytes = packed_bytes,
                              .out = file,
                              .out_bytes = sizeof samples,
                              .max_bytes = UINT64_MAX,
                              .scratch = &scratch};
    assert_int_equal(gzip_unpack(&job, &error), 0);
    assert_memory_equal(file, samples, sizeof samples);
    job.length_bytes -= 5;
    assert_int_equal(gzip_unpack(&job, &error), ERROR_CORRUPT);
    check_calls(before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_codec_calls_malloc),
        cmocka_unit_test(npz_does_not_call_malloc),
        cmocka_unit_test(gzip_does_not_call_malloc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
