/* SPDX-License-Identifier: MIT */
/* All memory of the codecs of images is the job's scratch, but for those of libraries that take some
 * themselves; test_codec_memory.c has them. ctest labels: alone */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "counted_malloc.h"
#include "stages/codec.h"

static const struct codec_limits limits = {
    .max_pixels = 1000, .max_width = 100, .max_height = 100, .max_metadata_bytes = 1000};

static uint8_t file[1 << 16], pixels[1 << 16], meta_block[1000],
    scratch_block[1 << 20] __attribute__((aligned(SCRATCH_ALIGN)));

static void no_codec_calls_malloc(void **state)
{
    (void)state;
    if (!REPLACED) {
        print_message("skipped: the sanitizer has its own malloc\n");
        skip();
    }
    unsigned before = calls;
    snprintf((char *)pixels, sizeof pixels, "%f", 0.1); /* warms up what the C library sets up once */
    for (const struct codec *const *codec = codec_all(); *codec; codec++) {
        if (!((*codec)->kinds & CODEC_IMAGES) || strcmp((*codec)->name, "jpeg") == 0 ||
            strcmp((*codec)->name, "webp") == 0)
            continue;
        struct shape shape = {.width = 20, .height = 20, .channels = 4, .sample = SAMPLE_U8, .bits = 8};
        struct codec_save save = {.level = 9, .interlace = true};
        struct scratch scratch = {.base = scratch_block, .size_bytes = sizeof scratch_block};
        struct meta meta = {.block = meta_block, .size_bytes = sizeof meta_block};
        struct error error;
        struct codec_info info;
        before = calls;
        assert_int_equal(meta_put(&meta, "zTXt", 0, (const uint8_t *)"k\0\0\x78\x9c\x03\0\0\0\0\1", 11), 0);
        struct codec_encode out = {.save = &save,
                                   .shape = shape,
                                   .pixels = pixels,
                                   .meta = &meta,
                                   .bytes = file,
                                   .bytes_size = sizeof file,
                                   .scratch = &scratch};
        assert_int_equal((*codec)->encode(&out, &error), 0);
        meta.used_bytes = scratch.used_bytes = 0;
        assert_int_equal((*codec)->peek(file, out.length_bytes, out.length_bytes, &limits, &info, &error), 0);
        struct codec_decode in = {.limits = &limits,
                                  .bytes = file,
                                  .length_bytes = out.length_bytes,
                                  .pixels = pixels,
                                  .pixels_bytes = sizeof pixels,
                                  .meta = &meta,
                                  .scratch = &scratch};
        assert_int_equal((*codec)->decode(&in, &error), 0);
        in.length_bytes -= 5;
        scratch.used_bytes = 0;
        assert_int_equal((*codec)->decode(&in, &error), ERROR_CORRUPT);
        assert_int_equal(calls, before);
        /* Had one been called, it would have been counted. */
        void *volatile block = malloc(1); /* volatile: else a compiler may leave out both calls */
        free(block);
        assert_int_equal(calls, before + 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_codec_calls_malloc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
