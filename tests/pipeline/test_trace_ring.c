/* SPDX-License-Identifier: MIT */
/* The ring alone: order, fullness, a producer killed anywhere, a producer that lies, and producer and
 * consumer in threads, which is how ThreadSanitizer sees it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "pipeline/shared/trace_ring.h"

#define CAPACITY 8u

static void open_ring(struct trace_ring *ring, uint32_t capacity)
{
    size_t bytes = trace_ring_bytes(capacity);
    void *shared = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(shared != MAP_FAILED);
    trace_ring_init(ring, shared, capacity);
}

static void close_ring(struct trace_ring *ring)
{
    munmap(ring->shared, trace_ring_bytes(ring->capacity));
}

/* A record all of whose fields follow from its number, so that a torn one shows. */
static struct trace_record numbered(uint64_t number)
{
    struct trace_record record = {
        .begin_ns = number,
        .end_ns = number * 3 + 1,
        .item = ~number,
        .slot = (uint32_t)number,
        .attempt = (uint32_t)number + 1,
        .kind = (uint32_t)(number % TRACE_KINDS),
        .step = (uint32_t)(number % 7),
    };
    memset(record.label, (int)('a' + number % 26), TRACE_LABEL_BYTES - 1);
    return record;
}

static void assert_numbered(const struct trace_record *record, uint64_t number)
{
    struct trace_record expected = numbered(number);
    assert_memory_equal(record, &expected, sizeof expected);
}

static void put(const struct trace_ring *ring, uint64_t number)
{
    struct trace_record record = numbered(number);
    trace_ring_put(ring, &record);
}

static void records_come_out_in_order(void **state)
{
    (void)state;
    struct trace_ring ring;
    struct trace_record record;
    open_ring(&ring, CAPACITY);
    for (uint64_t round = 0, next = 0, taken = 0; round < 20; round++) {
        for (unsigned i = 0; i < 5; i++)
            put(&ring, next++);
        assert_int_equal(trace_ring_waiting(&ring), 5);
        for (unsigned i = 0; i < 5; i++) {
            trace_ring_take(&ring, &record);
            assert_numbered(&record, taken++);
        }
        assert_int_equal(trace_ring_waiting(&ring), 0);
    }
    assert_int_equal(trace_ring_dropped(&ring), 0);
    close_ring(&ring);
}

static void a_full_ring_keeps_the_old_and_counts_the_new(void **state)
{
    (void)state;
    struct trace_ring ring;
    struct trace_record record;
    open_ring(&ring, CAPACITY);
    for (uint64_t i = 0; i < CAPACITY + 3; i++)
        put(&ring, i);
    assert_int_equal(trace_ring_waiting(&ring), CAPACITY);
    assert_int_equal(trace_ring_dropped(&ring), 3);
    trace_ring_take(&ring, &record);
    assert_numbered(&record, 0);
    put(&ring, 100);
    put(&ring, 101); /* one place was free */
    assert_int_equal(trace_ring_dropped(&ring), 4);
    for (uint64_t i = 1; i < CAPACITY; i++) {
        trace_ring_take(&ring, &record);
        assert_numbered(&record, i);
    }
    trace_ring_take(&ring, &record);
    assert_numbered(&record, 100);
    assert_int_equal(trace_ring_waiting(&ring), 0);
    close_ring(&ring);
}

static void claims_are_cut(void **state)
{
    (void)state;
    struct trace_ring ring;
    struct trace_record record;
    open_ring(&ring, CAPACITY);
    static const uint64_t lies[] = {UINT64_MAX, CAPACITY + 1, (uint64_t)1 << 63};
    memset(ring.shared->records, 0xff, CAPACITY * sizeof ring.shared->records[0]);
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        atomic_store(&ring.shared->head, lies[i]);
        uint32_t waiting = trace_ring_waiting(&ring);
        assert_in_range(waiting, 1, CAPACITY);
        while (waiting-- > 0) {
            trace_ring_take(&ring, &record);
            assert_int_equal(record.label[TRACE_LABEL_BYTES - 1], '\0');
        }
        atomic_store(&ring.shared->tail, lies[i]); /* the consumer has its own count */
    }
    close_ring(&ring);
}

#define THREADED_RECORDS 200000u

static void *produce(void *context)
{
    const struct trace_ring *ring = context;
    for (uint64_t i = 0; i < THREADED_RECORDS; i++)
        put(ring, i);
    return NULL;
}

static void producer_and_consumer_at_once(void **state)
{
    (void)state;
    struct trace_ring ring;
    struct trace_record record;
    pthread_t thread;
    open_ring(&ring, 64);
    assert_int_equal(pthread_create(&thread, NULL, produce, &ring), 0);
    uint64_t taken = 0, next = 0;
    while (taken + trace_ring_dropped(&ring) < THREADED_RECORDS) {
        uint32_t waiting = trace_ring_waiting(&ring);
        if (waiting == 0)
            sched_yield();
        for (; waiting > 0; waiting--, taken++) {
            trace_ring_take(&ring, &record);
            assert_true(record.begin_ns >= next); /* some may be missing, none comes twice or torn */
            assert_numbered(&record, record.begin_ns);
            next = record.begin_ns + 1;
        }
    }
    pthread_join(thread, NULL);
    assert_int_equal(trace_ring_waiting(&ring), 0);
    assert_true(taken >= 64);
    close_ring(&ring);
}

/* Killed at a moment of chance, fifty times: what is there is whole, and a successor goes on behind it. */
static void a_killed_producer_leaves_whole_records(void **state)
{
    (void)state;
    struct trace_ring ring;
    struct trace_record record;
    uint64_t next = 0;
    open_ring(&ring, 1024);
    for (unsigned round = 0; round < 50; round++) {
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            for (uint64_t i = next;; i++) {
                put(&ring, i);
                if (i % 16 == 0)
                    sched_yield();
            }
        }
        struct timespec moment = {.tv_nsec = 100000 + (long)round * 7919};
        for (int naps = 0; trace_ring_waiting(&ring) == 0 && naps < 100000; naps++)
            nanosleep(&(struct timespec){.tv_nsec = 50000}, NULL);
        nanosleep(&moment, NULL);
        kill(pid, SIGKILL);
        int status;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));
        for (uint32_t waiting = trace_ring_waiting(&ring); waiting > 0; waiting--) {
            trace_ring_take(&ring, &record);
            assert_numbered(&record, record.begin_ns);
            assert_true(record.begin_ns >= next);
            next = record.begin_ns + 1;
        }
    }
    assert_true(next > 0);
    close_ring(&ring);
}

static void labels_keep_the_end_of_long_names(void **state)
{
    (void)state;
    char label[TRACE_LABEL_BYTES], name[300];
    trace_label(label, "photos/a.png");
    assert_string_equal(label, "photos/a.png");
    memset(name, 'x', sizeof name);
    strcpy(name + 200, "/the/end.png");
    trace_label(label, name);
    assert_int_equal(strlen(label), TRACE_LABEL_BYTES - 1);
    assert_memory_equal(label, "...x", 4);
    assert_string_equal(label + strlen(label) - 12, "/the/end.png");
    /* Of two-byte characters none is cut in half, wherever the cut falls. */
    for (size_t odd = 0; odd < 2; odd++) {
        *name = '\0';
        for (int i = 0; i < 100; i++)
            strcat(name, "\xc3\xa4");
        strcat(name, odd ? "e" : "");
        trace_label(label, name);
        assert_true(strlen(label) < TRACE_LABEL_BYTES);
        assert_memory_equal(label, "...\xc3\xa4", 5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_come_out_in_order),
        cmocka_unit_test(a_full_ring_keeps_the_old_and_counts_the_new),
        cmocka_unit_test(claims_are_cut),
        cmocka_unit_test(producer_and_consumer_at_once),
        cmocka_unit_test(a_killed_producer_leaves_whole_records),
        cmocka_unit_test(labels_keep_the_end_of_long_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
