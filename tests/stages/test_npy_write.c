/* SPDX-License-Identifier: MIT */
#include "npy_file.h"

/* The text as numpy.save writes it, and the length that numpy.lib.format asks for: a multiple of 64. */
static void check_written(const struct shape *shape, const uint8_t *samples, const char *text)
{
    const struct codec_save save = {.level = -1};
    struct exact_file file;
    struct exact exact;
    assert_int_equal(exact_encode(&npy_codec, &save, shape, samples, NULL, &file), 0);
    const size_t data_at = file.length_bytes - shape_bytes(shape);
    assert_int_equal(data_at % 64, 0);
    assert_memory_equal(file.bytes, "\x93NUMPY\1\0", 8);
    assert_int_equal(file.bytes[8] + 256u * file.bytes[9] + 10, data_at);
    assert_memory_equal(file.bytes + 10, text, strlen(text));
    for (size_t i = 10 + strlen(text); i < data_at; i++)
        assert_int_equal(file.bytes[i], i + 1 < data_at ? ' ' : '\n');
    assert_int_equal(exact_decode(&npy_codec, file.bytes, file.length_bytes, &exact_limits, &exact), 0);
    assert_memory_equal(&exact.shape, shape, sizeof *shape);
    assert_memory_equal(exact.pixels, samples, shape_bytes(shape));
    exact_free(&exact);
    free(file.bytes);
}

static void files_are_written_as_numpy_does(void **state)
{
    (void)state;
    static const uint64_t dims[] = {2, 3}, empty[] = {0, 1152921504606846975, 1, 1, 1, 1, 1, 1};
    static const char *const dtypes[] = {"|u1", "<u2", "<f4", "|i1", "<i2", "<i4",
                                         "<i8", "<u4", "<u8", "<f2", "<f8", "|b1"};
    static const uint8_t samples[48] = {1, 0, 1, 1, 0, 1};
    struct shape shape = shape_array(SAMPLE_F64, 2, dims);
    check_written(&shape, samples, "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }");
    shape = shape_array(SAMPLE_BOOL, 1, dims);
    check_written(&shape, samples, "{'descr': '|b1', 'fortran_order': False, 'shape': (2,), }");
    shape = shape_array(SAMPLE_I8, 0, dims);
    check_written(&shape, samples, "{'descr': '|i1', 'fortran_order': False, 'shape': (), }");
    shape = shape_array(SAMPLE_U16, 8, empty);
    check_written(&shape, samples,
                  "{'descr': '<u2', 'fortran_order': False, 'shape': (0, 1152921504606846975, 1, 1, 1, "
                  "1, 1, 1), }");
    for (unsigned sample = 0; sample < SAMPLE_COUNT; sample++) {
        char text[128];
        snprintf(text, sizeof text, "{'descr': '%s', 'fortran_order': False, 'shape': (2, 3), }",
                 dtypes[sample]);
        shape = shape_array(sample, 2, dims);
        check_written(&shape, samples, text);
    }
}

/* With room before the samples, the header goes there and they stay. */
static void samples_stay_where_they_are(void **state)
{
    (void)state;
    static const uint64_t dims[] = {5};
    static uint8_t block[256], copy[256];
    const struct shape shape = shape_array(SAMPLE_U8, 1, dims);
    const struct codec_save save = {.level = -1};
    struct error error;
    memset(block, 7, sizeof block);
    struct codec_encode job = {.save = &save,
                               .shape = shape,
                               .pixels = block + 192,
                               .room_before = 128,
                               .bytes = copy,
                               .file = copy};
    assert_int_equal(npy_codec.encode(&job, &error), 0);
    assert_ptr_equal(job.file, block + 64);
    assert_int_equal(job.length_bytes, 128 + 5);
    assert_int_equal(block[63], 7);
    assert_memory_equal(job.file, "\x93NUMPY", 6);
    assert_int_equal(block[191], '\n');
    assert_memory_equal(block + 192, "\7\7\7\7\7", 5);
    job.room_before = 127;
    job.file = copy;
    assert_int_equal(npy_codec.encode(&job, &error), ERROR_INTERNAL);
    job.bytes_size = 128 + 5;
    assert_int_equal(npy_codec.encode(&job, &error), 0);
    assert_ptr_equal(job.file, copy);
    assert_memory_equal(copy, block + 64, 128 + 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_written_as_numpy_does),
        cmocka_unit_test(samples_stay_where_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
