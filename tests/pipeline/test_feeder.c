/* SPDX-License-Identifier: MIT */
/* Files that are read while a worker takes them: every byte arrives, what goes wrong is told, a slot that is
 * left is not written to any more, and no claim in shared memory makes the feeder go beyond its ring. */
/* ctest labels: threads */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>
#include <unistd.h>

#include "../quick.h"
#include "pipeline/engine/chain_feed.h"
#include "pipeline/run/feeder.h"
#include "pipeline/shared/stall.h"

#define SIZE (5 * FEED_WINDOW_BYTES + 12345)
#define HEAD ((size_t)CODEC_HEAD_BYTES)

static struct job job;
static struct machine machine;
static struct admission admission;
static struct feeder feeder;

static int open_all(void **state)
{
    (void)state;
    struct error error = {0};
    job = (struct job){.pools[0] = {.workers = 1, .queue = 2}, .pool_count = 1};
    job.settings.queue = 2;
    job.settings.batch = 1;
    job.settings.memory_bytes = 64 << 20;
    assert_int_equal(machine_open(&machine, &job, &error), 0);
    assert_int_equal(admission_open(&admission, &machine, &error), 0);
    feeder_open(&feeder, &machine, &admission);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    feeder_close(&feeder);
    admission_close(&admission);
    machine_close(&machine);
    return 0;
}

static uint8_t byte_at(unsigned kind, size_t at)
{
    return (uint8_t)(at * 7 + at / 251 + at / 65537 + kind * 101);
}

static int make_file(unsigned kind, size_t size)
{
    int fd = memfd_create("input", MFD_CLOEXEC);
    uint8_t *bytes = malloc(size);
    assert_true(fd >= 0 && bytes);
    for (size_t i = 0; i < size; i++)
        bytes[i] = byte_at(kind, i);
    assert_int_equal(write(fd, bytes, size), (ssize_t)size);
    free(bytes);
    return fd;
}

/* As the reader does. The slot, and what its word is then. */
static uint32_t bring_in(unsigned kind, int fd, size_t size, uint64_t *seen)
{
    struct error error = {0};
    const struct slot_need need = {.part_bytes = {FEED_WINDOW_BYTES}};
    assert_true(feeder_begins(&feeder) && feeder_has_place(&feeder));
    const int slot = admission_enter(&admission, &need, seen, &error);
    assert_true(slot >= 0);
    uint8_t *ring = machine_part(&machine, (uint32_t)slot, SLOT_BUFFER_0);
    for (size_t i = 0; i < HEAD; i++)
        ring[i] = byte_at(kind, i);
    machine.slots[slot].ticket.file_bytes = size;
    feeder_add(&feeder, (uint32_t)slot, fd, size, HEAD);
    return (uint32_t)slot;
}

static void begin(struct chain_feed *feed, uint32_t slot)
{
    const struct chain_work work = {.machine = &machine,
                                    .slot = &machine.slots[slot],
                                    .index = slot,
                                    .ticket = machine.slots[slot].ticket};
    chain_feed_open(feed, &work);
}

static int next(struct chain_feed *feed, const uint8_t **piece, size_t *piece_bytes, struct error *error)
{
    return feed->feed.next(feed->feed.context, piece, piece_bytes, error);
}

/* Takes up to `most` bytes and looks at them. What it took, or an error. */
static int64_t take(struct chain_feed *feed, unsigned kind, size_t most, struct error *error)
{
    size_t at = 0, count = 1;
    while (at < most) {
        const uint8_t *piece;
        const int code = next(feed, &piece, &count, error);
        if (code < 0)
            return code;
        if (count == 0)
            break;
        for (size_t i = 0; i < count; i += i + 1 < count ? (count - i > 977 ? 977 : count - i - 1) : 1)
            assert_int_equal(piece[i], byte_at(kind, at + i));
        at += count;
    }
    return (int64_t)at;
}

/* A slot that is being read into is left a little later. */
static void wait_until_left(void)
{
    uint64_t bytes, items = 1;
    while (items > 0)
        admission_now(&admission, &bytes, &items);
}

static void every_byte_arrives(void **state)
{
    (void)state;
    const size_t sizes[] = {FEED_WINDOW_BYTES * 2, SIZE, FEED_WINDOW_BYTES * 3 + 1, HEAD + 1};
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct chain_feed feed;
        struct error error = {0};
        uint64_t seen;
        const uint32_t slot = bring_in(i, make_file(i, sizes[i]), sizes[i], &seen);
        begin(&feed, slot);
        assert_int_equal(take(&feed, i, SIZE_MAX, &error), (int64_t)sizes[i]);
        assert_int_equal(take(&feed, i, SIZE_MAX, &error), 0); /* and still so when asked again */
        assert_int_equal(feeder_verdict(&feeder, slot, true, &error), 0);
        admission_leave(&admission, slot, seen);
        assert_int_equal(feeder.used, 0);
    }
}

static void a_file_that_changes_fails(void **state)
{
    (void)state;
    static const struct {
        off_t size;
        const char *reason;
    } cases[] = {{SIZE - 1, "the file shrank while it was read"},
                 {(off_t)HEAD, "the file shrank while it was read"},
                 {SIZE + 1, "the file grew while it was read"}};
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct chain_feed feed;
        struct error error = {0};
        uint64_t seen;
        const int fd = make_file(0, SIZE);
        assert_int_equal(ftruncate(fd, cases[i].size), 0);
        const uint32_t slot = bring_in(0, fd, SIZE, &seen);
        begin(&feed, slot);
        assert_int_equal(take(&feed, 0, SIZE_MAX, &error), ERROR_IO);
        assert_int_equal(feeder_verdict(&feeder, slot, false, &error), ERROR_IO);
        assert_string_equal(error.reason, cases[i].reason);
        /* Nor is it done because a worker says so. */
        assert_int_equal(feeder_verdict(&feeder, slot, true, &error), ERROR_IO);
        admission_leave(&admission, slot, seen);
    }
}

static void who_has_not_seen_all_has_not_succeeded(void **state)
{
    (void)state;
    struct error error = {0};
    uint64_t seen;
    const uint32_t slot = bring_in(0, make_file(0, SIZE), SIZE, &seen);
    assert_int_equal(feeder_verdict(&feeder, slot, true, &error), ERROR_INTERNAL);
    assert_int_equal(feeder_verdict(&feeder, slot, false, &error), 0); /* the worker's own verdict stands */
    admission_leave(&admission, slot, seen);
    wait_until_left();
    assert_int_equal(feeder_verdict(&feeder, slot, true, &error), 0); /* not fed */
}

/* A worker died, and its slot has another item at once: no byte of the one before comes after that. */
static void a_slot_that_is_left_is_not_written_to(void **state)
{
    (void)state;
    struct error error = {0};
    const int files[2] = {make_file(0, SIZE), make_file(1, SIZE)};
    srandom(11);
    for (unsigned round = 0; round < (quick() ? 50 : 1000); round++) {
        struct chain_feed feed;
        uint64_t seen;
        const uint32_t slot = bring_in(round % 2, dup(files[round % 2]), SIZE, &seen);
        begin(&feed, slot);
        const size_t most = random() % 8 == 0 ? SIZE_MAX : (size_t)random() % SIZE / 2;
        assert_true(take(&feed, round % 2, most, &error) >= 0);
        admission_leave(&admission, slot, seen);
    }
    wait_until_left();
    assert_int_equal(feeder.used, 0);
    close(files[0]);
    close(files[1]);
}

/* Waits until the feeder has looked at all files: it has then filled another one's ring, in a later place. */
static void let_it_look(void)
{
    uint64_t seen;
    const uint32_t slot = bring_in(1, make_file(1, SIZE), SIZE, &seen);
    while (atomic_load(&machine.slots[slot].feed.filled) <= FEED_WINDOW_BYTES - FEED_PIECE_BYTES)
        sched_yield();
    admission_leave(&admission, slot, seen);
}

static void claims_never_lead_beyond_the_ring(void **state)
{
    (void)state;
    const uint64_t lies[] = {FEED_WINDOW_BYTES + 1, SIZE - 1, SIZE, (uint64_t)1 << 63, UINT64_MAX};
    struct error error = {0};
    uint64_t seen;
    const uint32_t slot = bring_in(0, make_file(0, SIZE), SIZE, &seen);
    struct feed_shared *shared = &machine.slots[slot].feed;
    let_it_look();
    const uint64_t filled = atomic_load(&shared->filled);
    assert_true(filled <= FEED_WINDOW_BYTES);
    for (unsigned i = 0; i < sizeof lies / sizeof *lies; i++) {
        atomic_store(&shared->taken, lies[i]);
        let_it_look();
        assert_int_equal(atomic_load(&shared->filled), filled);
    }
    /* Nor does a worker go where impossible counts point. */
    const uint64_t counts[] = {UINT64_MAX, SIZE + 1, SIZE, FEED_WINDOW_BYTES + 1};
    for (unsigned i = 0; i < sizeof counts / sizeof *counts; i++) {
        struct chain_feed feed;
        const uint8_t *piece;
        size_t count;
        begin(&feed, slot);
        atomic_store(&shared->filled, counts[i]);
        assert_int_equal(next(&feed, &piece, &count, &error), ERROR_INTERNAL);
    }
    admission_leave(&admission, slot, seen);
}

static void no_more_files_than_there_may_be(void **state)
{
    (void)state;
    uint64_t seen;
    feeder.most = 1;
    const uint32_t slot = bring_in(0, make_file(0, SIZE), SIZE, &seen);
    assert_false(feeder_has_place(&feeder));
    admission_leave(&admission, slot, seen);
    while (!feeder_has_place(&feeder)) /* at once, or when a read is over */
        sched_yield();
}

struct holder {
    struct feed_shared *shared;
    _Atomic bool holds;
};

/* Keeps the feeder from telling what it has read until the worker sleeps. */
static void *hold(void *context)
{
    struct holder *holder = context;
    pthread_mutex_lock(&feeder.lock);
    atomic_store(&holder->holds, true);
    while (atomic_load(&holder->shared->news_sleepers) == 0)
        sched_yield();
    pthread_mutex_unlock(&feeder.lock);
    return NULL;
}

static void who_waits_knows_how_long(void **state)
{
    (void)state;
    struct chain_feed feed;
    struct error error = {0};
    uint64_t seen;
    pthread_t thread;
    const uint32_t slot = bring_in(0, make_file(0, SIZE), SIZE, &seen);
    struct holder holder = {.shared = &machine.slots[slot].feed};
    begin(&feed, slot);
    assert_int_equal(feed.waited_ns, 0);
    assert_int_equal(pthread_create(&thread, NULL, hold, &holder), 0);
    while (!atomic_load(&holder.holds))
        sched_yield();
    while (feed.waited_ns == 0) { /* what the ring held, and one piece more */
        const uint8_t *piece;
        size_t count;
        assert_int_equal(next(&feed, &piece, &count, &error), 0);
        assert_true(count > 0);
    }
    pthread_join(thread, NULL);
    admission_leave(&admission, slot, seen);
}

static void who_waits_at_the_end_is_told(void **state)
{
    (void)state;
    struct chain_feed feed;
    struct error error = {0};
    uint64_t seen;
    const uint32_t slot = bring_in(0, make_file(0, SIZE), SIZE, &seen);
    begin(&feed, slot);
    assert_true(take(&feed, 0, 1, &error) > 0);
    feeder_close(&feeder);
    int64_t got = 1;
    while (got > 0) { /* what the ring held */
        const uint8_t *piece;
        size_t count;
        got = next(&feed, &piece, &count, &error);
        got = got == 0 ? (int64_t)count : got;
    }
    assert_int_equal(got, ERROR_IO);
}

int main(void)
{
    struct error error;
    (void)stall_configure("7:300:200", &error); /* where the build has stalls */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_byte_arrives, open_all, close_all),
        cmocka_unit_test_setup_teardown(a_file_that_changes_fails, open_all, close_all),
        cmocka_unit_test_setup_teardown(who_has_not_seen_all_has_not_succeeded, open_all, close_all),
        cmocka_unit_test_setup_teardown(a_slot_that_is_left_is_not_written_to, open_all, close_all),
        cmocka_unit_test_setup_teardown(claims_never_lead_beyond_the_ring, open_all, close_all),
        cmocka_unit_test_setup_teardown(no_more_files_than_there_may_be, open_all, close_all),
        cmocka_unit_test_setup_teardown(who_waits_knows_how_long, open_all, close_all),
        cmocka_unit_test_setup_teardown(who_waits_at_the_end_is_told, open_all, close_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
