/* SPDX-License-Identifier: MIT */
/* The file of a trace: read back with a JSON parser that is not ours. What a whole run puts into it is tested
 * in cli/trace.bats. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pipeline/report/trace.h"
#include "pipeline/shared/clock.h"

#define SLOTS 4u

static char directory[] = "/tmp/trace.XXXXXX";
static char path[64];
static const char *const steps[] = {"decode", "blur", "encode"};

static int make_directory(void **state)
{
    (void)state;
    return mkdtemp(directory) && snprintf(path, sizeof path, "%s/t.json", directory) > 0 ? 0 : -1;
}

static int remove_directory(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(directory);
}

static struct trace *begin(uint64_t began_ns)
{
    struct trace *trace;
    struct error error;
    const struct trace_limits limits = {began_ns, SLOTS, steps, 3};
    assert_int_equal(trace_open(&trace, path, &error), 0);
    trace_begin(trace, "title", &limits);
    return trace;
}

static json_t *end(struct trace *trace, struct trace_result *result)
{
    struct error error;
    json_error_t where;
    assert_int_equal(trace_close(trace, result, &error), 0);
    json_t *events = json_load_file(path, 0, &where);
    if (!events)
        fail_msg("line %d: %s", where.line, where.text);
    assert_true(json_is_array(events));
    assert_int_equal(json_array_size(events), result->events);
    return events;
}

static const char *text(json_t *event, const char *key)
{
    return json_string_value(json_object_get(event, key));
}

static const char *arg(json_t *event, const char *key)
{
    return text(json_object_get(event, "args"), key);
}

static void drain_one(struct trace *trace, const struct trace_record *record)
{
    struct trace_ring ring;
    struct trace_ring_shared *shared = aligned_alloc(64, (trace_ring_bytes(2) + 63) / 64 * 64);
    assert_non_null(shared);
    memset(shared, 0, trace_ring_bytes(2));
    trace_ring_init(&ring, shared, 2);
    trace_ring_put(&ring, record);
    trace_drain(trace, &ring, TRACE_WORKER);
    free(shared);
}

static void a_record_becomes_a_slice(void **state)
{
    (void)state;
    struct trace_result result;
    uint64_t began = clock_ns() - 10000000;
    struct trace *trace = begin(began);
    struct trace_record record = {.begin_ns = began + 1234567,
                                  .end_ns = began + 1240000,
                                  .item = 0xabc,
                                  .slot = 3,
                                  .attempt = 2,
                                  .step = 1,
                                  .label = "a.png"};
    drain_one(trace, &record);
    json_t *events = end(trace, &result), *slice = json_array_get(events, 1);
    assert_string_equal(text(json_array_get(events, 0), "ph"), "M");
    assert_string_equal(arg(json_array_get(events, 0), "name"), "title");
    assert_string_equal(text(slice, "name"), "blur");
    assert_string_equal(text(slice, "ph"), "X");
    assert_int_equal(json_integer_value(json_object_get(slice, "tid")), TRACE_WORKER);
    assert_true(json_real_value(json_object_get(slice, "ts")) == 1234.567);
    assert_true(json_real_value(json_object_get(slice, "dur")) == 5.433);
    assert_string_equal(arg(slice, "item"), "a.png");
    assert_string_equal(arg(slice, "id"), "0000000000000abc");
    json_t *args = json_object_get(slice, "args");
    assert_int_equal(json_integer_value(json_object_get(args, "slot")), 3);
    assert_int_equal(json_integer_value(json_object_get(args, "attempt")), 2);
    json_decref(events);
}

static void names_of_any_bytes_stay_json(void **state)
{
    (void)state;
    static const char *const names[][2] = {
        {"quote\" back\\slash", "quote\" back\\slash"},
        {"tab\tline\nbell\a\x7f", "tab\tline\nbell\a\x7f"},
        {"\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80", "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80"},
        {"\xff\xc3(", "\\xff\\xc3("},
        {"</script>", "</script>"},
    };
    struct trace_result result;
    struct trace *trace = begin(clock_ns());
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const struct trace_event event = {
            .name = names[i][0], .category = "c", .item = names[i][0], .begin_ns = clock_ns()};
        trace_tell(trace, TRACE_READER, &event);
    }
    json_t *events = end(trace, &result);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_string_equal(text(json_array_get(events, i + 1), "name"), names[i][1]);
        assert_string_equal(arg(json_array_get(events, i + 1), "item"), names[i][1]);
    }
    json_decref(events);
}

/* Records come from workers, who may have been led astray. */
static void records_that_cannot_be_true_are_left_out(void **state)
{
    (void)state;
    struct trace_result result;
    uint64_t began = clock_ns() - 1000000;
    const struct trace_record good = {.begin_ns = began, .end_ns = began + 5, .slot = TRACE_NO_SLOT};
    struct trace_record bad[7];
    for (size_t i = 0; i < 7; i++)
        bad[i] = good;
    bad[0].kind = TRACE_KINDS;
    bad[1].begin_ns = began - 1;
    bad[2].end_ns = began - 1;
    bad[3].end_ns = UINT64_MAX;
    bad[4].step = 3;
    bad[5].slot = SLOTS;
    bad[6].begin_ns = began + 6;
    struct trace *trace = begin(began);
    drain_one(trace, &good);
    for (size_t i = 0; i < 7; i++)
        drain_one(trace, &bad[i]);
    json_t *events = end(trace, &result);
    assert_int_equal(result.damaged, 7);
    assert_int_equal(result.events, 2);
    json_decref(events);
}

static void a_counter_is_told_when_it_changes(void **state)
{
    (void)state;
    struct trace_result result;
    struct trace *trace = begin(clock_ns());
    static const uint64_t values[] = {0, 0, 7, 7, 0};
    for (size_t i = 0; i < 5; i++)
        trace_count(trace, 3, "queue main", "items", values[i]);
    trace_count(trace, TRACE_COUNTERS, "beyond", "items", 1);
    json_t *events = end(trace, &result);
    static const int told[] = {0, 7, 0};
    assert_int_equal(result.events, 4);
    for (size_t i = 0; i < 3; i++) {
        json_t *event = json_array_get(events, i + 1);
        assert_string_equal(text(event, "ph"), "C");
        json_t *value = json_object_get(json_object_get(event, "args"), "items");
        assert_int_equal(json_integer_value(value), told[i]);
    }
    json_decref(events);
}

static void an_old_trace_is_replaced_and_nothing_else(void **state)
{
    (void)state;
    struct trace *trace;
    struct trace_result result;
    struct error error = {0};
    char content[64] = "";
    json_decref(end(begin(1), &result));
    json_decref(end(begin(1), &result));
    assert_int_equal(result.events, 1);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("[\n{\"name\":\"mine\"}]\n", file);
    fclose(file);
    assert_int_equal(trace_open(&trace, path, &error), ERROR_USAGE);
    assert_null(trace);
    assert_non_null(strstr(error.reason, "t.json"));
    file = fopen(path, "r");
    assert_int_equal(fread(content, 1, sizeof content, file), 19);
    fclose(file);
    assert_string_equal(content, "[\n{\"name\":\"mine\"}]\n");
    unlink(path);
    assert_int_equal(trace_open(&trace, "/nonexistent/t.json", &error), ERROR_IO);
    assert_int_equal(trace_open(&trace, directory, &error), ERROR_IO);
    assert_string_equal(strrchr(error.reason, ' '), " directory");
}

static void a_full_disk_is_told_once_at_the_end(void **state)
{
    (void)state;
    struct trace *trace;
    struct trace_result result;
    struct error error = {0};
    const struct trace_limits limits = {1, SLOTS, steps, 3};
    assert_int_equal(trace_open(&trace, "/dev/full", &error), 0);
    trace_begin(trace, "title", &limits);
    const struct trace_event event = {.name = "x", .category = "c", .begin_ns = 2};
    for (int i = 0; i < 20000; i++) /* more than is buffered */
        trace_tell(trace, TRACE_READER, &event);
    trace_flush(trace);
    assert_int_equal(trace_close(trace, &result, &error), ERROR_IO);
    assert_string_equal(error.reason, "No space left on device");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_becomes_a_slice),
        cmocka_unit_test(names_of_any_bytes_stay_json),
        cmocka_unit_test(records_that_cannot_be_true_are_left_out),
        cmocka_unit_test(a_counter_is_told_when_it_changes),
        cmocka_unit_test(an_old_trace_is_replaced_and_nothing_else),
        cmocka_unit_test(a_full_disk_is_told_once_at_the_end),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
