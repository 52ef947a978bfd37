/* SPDX-License-Identifier: MIT */
/* gzip files of one and several members; what is sound must pack and unpack to the same. */
#include <string.h>

#include "fuzz.h"
#include "stages/gzip.h"

#define ROOM ((size_t)1 << 20)

static void pack_again(const uint8_t *bytes, size_t length, struct scratch *scratch)
{
    struct error error;
    size_t packed_bytes;
    const size_t bound = gzip_bound(length);
    uint8_t *packed = malloc(bound), *back = malloc(length + 1);
    FUZZ_CHECK(packed && back);
    scratch->used_bytes = 0;
    FUZZ_CHECK(gzip_pack(bytes, length, 6, packed, bound, &packed_bytes, scratch, &error) == 0);
    struct gzip_unpack unpack = {.bytes = packed,
                                 .length_bytes = packed_bytes,
                                 .out = back,
                                 .out_bytes = length + 1,
                                 .max_bytes = ROOM,
                                 .scratch = scratch};
    scratch->used_bytes = 0;
    FUZZ_CHECK(gzip_unpack(&unpack, &error) == 0);
    FUZZ_CHECK(unpack.unpacked_bytes == length && memcmp(back, bytes, length) == 0);
    free(packed);
    free(back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error error;
    struct scratch scratch = {.base = aligned_alloc(SCRATCH_ALIGN, (gzip_scratch_bytes() + 63) / 64 * 64),
                              .size_bytes = gzip_scratch_bytes()};
    const size_t room =
        size % 7 == 0 ? 100 : ROOM; /* at times too little: then it still says how much there is */
    uint8_t *out = malloc(room);
    FUZZ_CHECK(scratch.base && out);
    struct gzip_unpack job = {.bytes = data,
                              .length_bytes = size,
                              .out = out,
                              .out_bytes = room,
                              .max_bytes = ROOM,
                              .max_ratio = 200,
                              .scratch = &scratch};
    const int code = gzip_unpack(&job, &error);
    FUZZ_CHECK(code == 0 || code == ERROR_CORRUPT || code == ERROR_LIMIT || code == ERROR_ROOM);
    FUZZ_CHECK(code != ERROR_ROOM || job.unpacked_bytes > room);
    if (code == 0)
        pack_again(out, job.unpacked_bytes, &scratch);
    free(out);
    free(scratch.base);
    return 0;
}
