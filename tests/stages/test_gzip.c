/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "codec_exact.h"
#include "stages/gzip.h"
#include "tests/quick.h"

/* A stored block of "123456789", whose CRC-32 is the one that every description of it gives: cbf43926. */
#define DIGITS       "123456789"
#define DIGITS_BYTES 9
#define MEMBER                                                                                               \
    "\x1f\x8b\x08\0\0\0\0\0\0\xff"                                                                           \
    "\1\x09\0\xf6\xff" DIGITS "\x26\x39\xf4\xcb\x09\0\0\0"
#define MEMBER_BYTES (sizeof MEMBER - 1)

struct outcome {
    uint8_t out[4096];
    size_t unpacked_bytes;
    struct error error;
};

static const struct gzip_unpack any = {.max_bytes = UINT64_MAX};

/* Unpacks from and into blocks of just the right size. */
static int unpack(const void *file, size_t length_bytes, size_t out_bytes, struct gzip_unpack limits,
                  struct outcome *outcome)
{
    uint8_t *bytes = exact_take(length_bytes, 0), *out = exact_take(out_bytes, 0xa5);
    struct scratch scratch = exact_scratch(gzip_scratch_bytes(), 0xa5);
    if (length_bytes)
        memcpy(bytes, file, length_bytes);
    limits.bytes = bytes;
    limits.length_bytes = length_bytes;
    limits.out = out;
    limits.out_bytes = out_bytes;
    limits.scratch = &scratch;
    *outcome = (struct outcome){0};
    const int code = gzip_unpack(&limits, &outcome->error);
    assert_int_equal(scratch.used_bytes, 0);
    exact_fence(scratch.base, scratch.size_bytes);
    exact_fence(out, out_bytes);
    assert_int_equal(code, outcome->error.code);
    outcome->unpacked_bytes = limits.unpacked_bytes;
    memcpy(outcome->out, out, out_bytes < sizeof outcome->out ? out_bytes : sizeof outcome->out);
    free(scratch.base);
    free(out);
    free(bytes);
    return code;
}

static void members_follow_one_another(void **state)
{
    (void)state;
    static const char three[] = MEMBER MEMBER MEMBER "\0\0\0\0\0";
    struct outcome outcome;
    assert_int_equal(unpack(MEMBER, MEMBER_BYTES, DIGITS_BYTES, any, &outcome), 0);
    assert_int_equal(outcome.unpacked_bytes, DIGITS_BYTES);
    assert_memory_equal(outcome.out, DIGITS, DIGITS_BYTES);
    assert_int_equal(unpack(three, sizeof three - 1, 3 * DIGITS_BYTES, any, &outcome), 0);
    assert_int_equal(outcome.unpacked_bytes, 3 * DIGITS_BYTES);
    assert_memory_equal(outcome.out, DIGITS DIGITS DIGITS, 3 * DIGITS_BYTES);
}

static void check_refused(const void *bytes, size_t length_bytes, const char *reason)
{
    struct outcome outcome;
    assert_int_equal(unpack(bytes, length_bytes, 64, any, &outcome), ERROR_CORRUPT);
    assert_string_equal(outcome.error.reason, reason);
}

static void anything_else_is_refused(void **state)
{
    (void)state;
    check_refused("", 0, "file is empty");
    check_refused("PK\3\4", 4, "not a gzip file");
    check_refused("\0\x1f\x8b", 3, "not a gzip file");
    check_refused(MEMBER "x", MEMBER_BYTES + 1, "gzip: neither a member nor zeros at byte 32");
    check_refused(MEMBER "\0\0x", MEMBER_BYTES + 3, "gzip: neither a member nor zeros at byte 34");
    check_refused(MEMBER "\0" MEMBER, 2 * MEMBER_BYTES + 1, "gzip: neither a member nor zeros at byte 33");
    check_refused(MEMBER "\x1f\x8b\x08", MEMBER_BYTES + 3, "gzip: the file ends early");
}

static void no_truncation_passes(void **state)
{
    (void)state;
    struct outcome outcome;
    for (size_t length = 1; length < MEMBER_BYTES; length++)
        assert_int_equal(unpack(MEMBER, length, DIGITS_BYTES, any, &outcome), ERROR_CORRUPT);
}

/* Time, level and system may be anything, and the flag for text, and the bits that fill up the byte before a
 * stored block; all else is under one sum or another. */
static void changed_bytes_show(void **state)
{
    (void)state;
    uint8_t bytes[MEMBER_BYTES];
    struct outcome outcome;
    memcpy(bytes, MEMBER, sizeof bytes);
    for (size_t at = 0; at < sizeof bytes; at++) {
        for (unsigned value = 0; value < 256; value++) {
            if (quick_skip(37))
                continue;
            bytes[at] = (uint8_t)value;
            const bool sound = (at >= 4 && at < 10) || (at == 3 && value == 1) ||
                               (at == 10 && value % 8 == 1) || value == (uint8_t)MEMBER[at];
            assert_int_equal(unpack(bytes, sizeof bytes, DIGITS_BYTES, any, &outcome),
                             sound ? 0 : ERROR_CORRUPT);
        }
        bytes[at] = (uint8_t)MEMBER[at];
    }
}

static void what_does_not_fit_is_counted(void **state)
{
    (void)state;
    static const char two[] = MEMBER MEMBER;
    struct outcome outcome;
    for (size_t room = 0; room < 2 * DIGITS_BYTES; room++) {
        assert_int_equal(unpack(two, sizeof two - 1, room, any, &outcome), ERROR_ROOM);
        assert_int_equal(outcome.unpacked_bytes, 2 * DIGITS_BYTES);
        assert_memory_equal(outcome.out, DIGITS DIGITS, room);
        assert_int_equal(unpack(two, sizeof two - 2, room, any, &outcome), ERROR_CORRUPT);
    }
}

/* Packs from a block into one of just the size that gzip_bound gives; the caller frees *packed. */
static size_t pack(const uint8_t *bytes, size_t length_bytes, int level, uint8_t **packed)
{
    const size_t bound = gzip_bound(length_bytes);
    struct scratch scratch = exact_scratch(gzip_scratch_bytes(), 0xa5);
    struct error error;
    size_t packed_bytes;
    *packed = exact_take(bound, 0xa5);
    if (gzip_pack(bytes, length_bytes, level, *packed, bound, &packed_bytes, &scratch, &error) < 0)
        fail_msg("%zu bytes at level %d: %s", length_bytes, level, error.reason);
    assert_int_equal(scratch.used_bytes, 0);
    exact_fence(scratch.base, scratch.size_bytes);
    exact_fence(*packed, bound);
    free(scratch.base);
    return packed_bytes;
}

#define ZEROS_BYTES ((size_t)3 << 20)

static void limits_are_kept_at_their_cost(void **state)
{
    (void)state;
    uint8_t *zeros = calloc(1, ZEROS_BYTES), *packed;
    struct outcome outcome;
    const size_t length = pack(zeros, ZEROS_BYTES, 9, &packed);
    struct gzip_unpack limits = {.max_bytes = ZEROS_BYTES};
    for (size_t room = 0; room <= ZEROS_BYTES; room += ZEROS_BYTES / 2) {
        limits = (struct gzip_unpack){.max_bytes = ZEROS_BYTES};
        assert_int_equal(unpack(packed, length, room, limits, &outcome), room < ZEROS_BYTES ? ERROR_ROOM : 0);
        limits.max_bytes = ZEROS_BYTES - 1;
        assert_int_equal(unpack(packed, length, room, limits, &outcome), ERROR_LIMIT);
        assert_int_equal(outcome.unpacked_bytes, ZEROS_BYTES);
        limits.max_bytes = 100000;
        assert_int_equal(unpack(packed, length, room, limits, &outcome), ERROR_LIMIT);
        assert_int_equal(outcome.unpacked_bytes, 100001);
        assert_string_equal(outcome.error.reason, "unpacks to more than 100000 bytes, over max_file 100000; "
                                                  "raise it with --max-file");
        limits = (struct gzip_unpack){.max_bytes = UINT64_MAX, .max_ratio = 500};
        assert_int_equal(unpack(packed, length, room, limits, &outcome), ERROR_LIMIT);
        assert_non_null(strstr(outcome.error.reason, "over max_ratio 500; raise it with --max-ratio"));
        limits.max_ratio = ZEROS_BYTES / length + 1;
        assert_int_equal(unpack(packed, length, room, limits, &outcome), room < ZEROS_BYTES ? ERROR_ROOM : 0);
    }
    free(packed);
    /* A small file may unpack to 1 MiB, whatever the ratio. */
    const size_t small = pack(zeros, (size_t)1 << 20, 9, &packed);
    limits = (struct gzip_unpack){.max_bytes = UINT64_MAX, .max_ratio = 1};
    assert_int_equal(unpack(packed, small, (size_t)1 << 20, limits, &outcome), 0);
    free(packed);
    free(zeros);
}

static void what_is_packed_unpacks(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 4000, 70000, 1000000};
    uint8_t *bytes = malloc(1000000), *packed, *again;
    struct outcome outcome;
    uint32_t noise = 1;
    for (size_t i = 0; i < 1000000; i++)
        bytes[i] = (uint8_t)((noise = noise * 1664525 + 1013904223) >> 24);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        for (int level = 0; level <= 9; level++) {
            if (sizes[s] > 4000 && quick_skip(7))
                continue;
            const size_t length = pack(bytes, sizes[s], level, &packed);
            assert_memory_equal(packed, "\x1f\x8b\x08\0\0\0\0\0", 8);
            assert_int_equal(packed[9], 255);
            assert_int_equal(unpack(packed, length, sizes[s], any, &outcome), 0);
            assert_int_equal(outcome.unpacked_bytes, sizes[s]);
            assert_memory_equal(outcome.out, bytes, sizes[s] < 4096 ? sizes[s] : 4096);
            assert_int_equal(pack(bytes, sizes[s], level, &again), length);
            assert_memory_equal(again, packed, length);
            free(again);
            free(packed);
        }
    }
    free(bytes);
}

static void too_little_memory_is_said(void **state)
{
    (void)state;
    static uint8_t block[8192] __attribute__((aligned(SCRATCH_ALIGN)));
    struct scratch scratch = {.base = block, .size_bytes = sizeof block};
    uint8_t out[64];
    struct error error;
    size_t packed_bytes;
    struct gzip_unpack job = {.bytes = (const uint8_t *)MEMBER,
                              .length_bytes = MEMBER_BYTES,
                              .out = out,
                              .out_bytes = sizeof out,
                              .max_bytes = 100,
                              .scratch = &scratch};
    assert_int_equal(gzip_unpack(&job, &error), ERROR_MEMORY);
    assert_int_equal(gzip_pack(out, 0, 6, out, sizeof out, &packed_bytes, &scratch, &error), ERROR_MEMORY);
    struct scratch enough = exact_scratch(gzip_scratch_bytes(), 0);
    assert_int_equal(gzip_pack(block, 1000, 0, out, sizeof out, &packed_bytes, &enough, &error),
                     ERROR_INTERNAL);
    assert_int_equal(gzip_bound(SIZE_MAX - 10), SIZE_MAX);
    free(enough.base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_follow_one_another),   cmocka_unit_test(anything_else_is_refused),
        cmocka_unit_test(no_truncation_passes),         cmocka_unit_test(changed_bytes_show),
        cmocka_unit_test(what_does_not_fit_is_counted), cmocka_unit_test(limits_are_kept_at_their_cost),
        cmocka_unit_test(what_is_packed_unpacks),       cmocka_unit_test(too_little_memory_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
