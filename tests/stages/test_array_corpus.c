/* SPDX-License-Identifier: MIT */
/* Arrays and packed files with known verdicts. The columns of expected-npy.tsv are: file, numpy's verdict,
 * and a note; those of expected-gz.tsv: file, bytes, verdict, and how many bytes it unpacks to, at most 200
 * MiB. */
#include "codec_exact.h"
#include "corpus.h"
#include "stages/gzip.h"

extern const struct codec npy_codec;

/* The array as the table has it: the dtype without its byte order, and the shape. */
static void numpy_text(const struct shape *shape, char *text, size_t size)
{
    const char kind = shape->sample == SAMPLE_BOOL            ? 'b'
                      : shape_sample_is_float(shape->sample)  ? 'f'
                      : shape_sample_is_signed(shape->sample) ? 'i'
                                                              : 'u';
    size_t used = (size_t)snprintf(text, size, "%c%zu (", kind, shape_sample_bytes(shape->sample));
    for (unsigned i = 0; i < shape->rank; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%llu%s", i ? ", " : "",
                                 (unsigned long long)shape->dims[i], shape->rank == 1 ? "," : "");
    snprintf(text + used, size - used, ")");
}

/* Sound for numpy and not for us: other types, a dtype that is itself an array, more than 8 dimensions. */
static bool is_foreign(const char *name, const char *type)
{
    return strchr("VUSMc", type[0]) || strncmp(type, "f16 ", 4) == 0 ||
           strcmp(name, "npy-generated/descr-subarray.npy") == 0 ||
           strcmp(name, "npy-generated/32dims.npy") == 0;
}

static void check_npy(const char *directory, char **columns)
{
    const char *name = columns[0], *verdict = columns[1];
    size_t length;
    uint8_t *bytes = corpus_load(directory, name, &length);
    struct exact exact;
    const int code = exact_decode(&npy_codec, bytes, length, &exact_limits, &exact);
    const bool sound = strncmp(verdict, "OK ", 3) == 0, foreign = sound && is_foreign(name, verdict + 4);
    if (foreign && code != ERROR_UNSUPPORTED)
        fail_msg("%s: not refused as unsupported, but: %d", name, code);
    if (sound && !foreign && code < 0)
        fail_msg("%s: %s", name, exact.error.reason);
    if (!sound && code == 0)
        fail_msg("%s: decoded, but it is %s", name, verdict);
    if (!sound && code != ERROR_CORRUPT && code != ERROR_UNSUPPORTED && code != ERROR_LIMIT)
        fail_msg("%s: %s", name, exact.error.reason);
    if (code == 0) {
        char text[256];
        numpy_text(&exact.shape, text, sizeof text);
        if (strcmp(text, verdict + 4) != 0)
            fail_msg("%s: %s is not %s", name, text, verdict);
        exact_free(&exact);
    }
    free(bytes);
}

static void check_gz(const char *directory, char **columns)
{
    const char *name = columns[0], *verdict = columns[2];
    const size_t promised = strtoull(columns[3], NULL, 10), most = 200 << 20;
    const bool sound = strncmp(verdict, "OK", 2) == 0;
    size_t length;
    uint8_t *bytes = corpus_load(directory, name, &length);
    struct scratch scratch = exact_scratch(gzip_scratch_bytes(), 0xa5);
    uint8_t *out = exact_take(sound ? promised : 0, 0xa5);
    struct gzip_unpack job = {.bytes = bytes,
                              .length_bytes = length,
                              .out = out,
                              .out_bytes = sound ? promised : 0,
                              .max_bytes = most,
                              .scratch = &scratch};
    struct error error;
    const int code = gzip_unpack(&job, &error);
    if (sound && code < 0)
        fail_msg("%s: %s", name, error.reason);
    if (sound && job.unpacked_bytes != promised)
        fail_msg("%s: %zu bytes are not %zu", name, job.unpacked_bytes, promised);
    const int expected = strncmp(verdict, "BOMB", 4) == 0 ? ERROR_LIMIT : ERROR_CORRUPT;
    if (!sound && code != expected)
        fail_msg("%s: %d, but it is %s", name, code, verdict);
    if (!sound)
        assert_true(job.unpacked_bytes <= most + 1);
    exact_fence(out, job.out_bytes);
    exact_fence(scratch.base, scratch.size_bytes);
    free(out);
    free(scratch.base);
    free(bytes);
}

static void arrays_are_what_numpy_says(void **state)
{
    (void)state;
    corpus_each("expected-npy.tsv", check_npy);
}

static void packed_files_have_the_expected_verdict(void **state)
{
    (void)state;
    corpus_each("expected-gz.tsv", check_gz);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arrays_are_what_numpy_says),
        cmocka_unit_test(packed_files_have_the_expected_verdict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
