/* SPDX-License-Identifier: MIT */
/* The synthetic stages: what they cost, and how fail fails. Deaths happen in a child. */
#include "stage_harness.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "stages/synthetic/arithmetic.h"

static const struct shape shape = {.width = 4, .height = 16, .channels = 1, .sample = SAMPLE_U8, .bits = 8};

/* One call of fail for an item; the result, with *error filled. */
static int fail_once(const char *arguments, uint64_t item, uint32_t attempt, struct error *error)
{
    const struct stage *stage = stage_find("fail");
    void *params = harness_params(stage, arguments);
    uint8_t pixels[64];
    struct stage_run run = {.params = params,
                            .in = shape,
                            .out = shape,
                            .src = pixels,
                            .dst = pixels,
                            .item = item,
                            .attempt = attempt};
    struct scratch scratch = {0};
    memset(pixels, 7, sizeof pixels);
    const int code = stage_run_whole(stage, &run, &scratch, error);
    harness_free_params(stage, params);
    return code;
}

static void rate_chooses_the_same_items_each_time(void **state)
{
    (void)state;
    struct error error = {0};
    unsigned failed = 0;
    for (uint64_t item = 0; item < 10000; item++) {
        const int code = fail_once("rate=0.25", item, 1, &error);
        assert_true(code == 0 || code == ERROR_STAGE);
        assert_int_equal(fail_once("rate=0.25", item, 2, NULL), code);
        /* What fails at a low rate also fails at a higher one. */
        if (code != 0)
            assert_int_equal(fail_once("rate=0.5", item, 1, NULL), ERROR_STAGE);
        failed += code != 0;
    }
    assert_in_range(failed, 2370, 2630); /* three standard deviations around 2500 */
    assert_string_equal(error.stage, "fail");
    for (uint64_t item = 0; item < 1000; item++) {
        assert_int_equal(fail_once("rate=0", item, 1, NULL), 0);
        assert_int_equal(fail_once("rate=1", item * 0x123456789abcdefu, 1, NULL), ERROR_STAGE);
    }
}

static void attempts_end_the_failing(void **state)
{
    (void)state;
    assert_int_equal(fail_once("attempts=2", 1, 1, NULL), ERROR_STAGE);
    assert_int_equal(fail_once("attempts=2", 1, 2, NULL), ERROR_STAGE);
    assert_int_equal(fail_once("attempts=2", 1, 3, NULL), 0);
    assert_int_equal(fail_once("attempts=0", 1, 1000, NULL), ERROR_STAGE);
}

static void running_out_of_memory_is_an_error(void **state)
{
    (void)state;
    struct error error = {0};
    assert_int_equal(fail_once("kind=oom,limit=5MiB", 1, 1, &error), ERROR_MEMORY);
    assert_non_null(strstr(error.reason, "5 MiB"));
}

/* Runs fail in a child and returns how that ended, as waitpid says; killed after `limit_s`. */
static int in_child(const char *arguments, unsigned limit_s)
{
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        signal(SIGSEGV, SIG_DFL); /* neither cmocka's handler nor a sanitizer's */
        signal(SIGALRM, SIG_DFL);
        alarm(limit_s);
        fail_once(arguments, 1, 1, NULL);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void deaths_are_real(void **state)
{
    (void)state;
    int status = in_child("kind=segv", 60);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    status = in_child("kind=kill", 60);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    status = in_child("kind=hang", 1);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM);
    status = in_child("kind=segv,rate=0", 60);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static double clock_ms(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* Milliseconds of `clock` that a stage takes in ranges of `step` rows. */
static double cost_ms(const char *name, const char *arguments, uint32_t step, clockid_t clock)
{
    const struct stage *stage = stage_find(name);
    void *params = harness_params(stage, arguments);
    uint8_t src[64], dst[64];
    memset(src, 9, sizeof src);
    struct stage_run run = {
        .params = params, .in = shape, .out = shape, .src = src, .dst = dst, .attempt = 1};
    const double start = clock_ms(clock);
    for (uint32_t y = 0; y < 16; y += step)
        assert_int_equal(stage->rows(&run, y, y + step, &(struct scratch){0}, NULL), 0);
    const double taken = clock_ms(clock) - start;
    assert_memory_equal(src, dst, 64);
    harness_free_params(stage, params);
    return taken;
}

static void time_is_taken_once_an_image(void **state)
{
    (void)state;
    for (uint32_t step = 1; step <= 16; step *= 4) {
        const double asleep = cost_ms("sleep", "ms=40", step, CLOCK_MONOTONIC);
        assert_true(asleep >= 40);
        assert_true(cost_ms("sleep", "ms=40", step, CLOCK_THREAD_CPUTIME_ID) < 20);
        const double busy = cost_ms("spin", "ms=20", step, CLOCK_THREAD_CPUTIME_ID);
        assert_true(busy >= 20 && busy < 40);
    }
    assert_true(cost_ms("spin", "ms=0", 16, CLOCK_THREAD_CPUTIME_ID) < 5);
}

static void arithmetic_is_right_however_it_is_cut(void **state)
{
    (void)state;
    /* The numbers of primes below powers of ten: OEIS A006880. */
    static const uint32_t below[][2] = {{0, 0},    {2, 0},      {3, 1},        {10, 4},
                                        {100, 25}, {1000, 168}, {10000, 1229}, {100000, 9592}};
    for (size_t i = 0; i < sizeof below / sizeof *below; i++)
        assert_int_equal(primes_count(0, below[i][0]), below[i][1]);
    assert_int_equal(primes_count(4294967291u, 4294967295u), 1); /* the largest prime of 32 bits */
    for (uint32_t n = 0; n < 5000; n += 7) {
        const uint64_t square_sum = (uint64_t)n * (n - 1) * (2 * (uint64_t)n - 1) / 6;
        const uint32_t cut = n / 3;
        assert_int_equal(sumsq_sum(0, n), n ? square_sum : 0);
        assert_int_equal(sumsq_sum(0, cut) + sumsq_sum(cut, n), sumsq_sum(0, n));
        assert_int_equal(primes_count(0, cut) + primes_count(cut, n), primes_count(0, n));
    }
    assert_true(sumsq_sum(4294967295u - 1, 4294967295u) == 18446744056529682436u); /* (2^32 - 2)^2 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rate_chooses_the_same_items_each_time),
        cmocka_unit_test(attempts_end_the_failing),
        cmocka_unit_test(running_out_of_memory_is_an_error),
        cmocka_unit_test(deaths_are_real),
        cmocka_unit_test(time_is_taken_once_an_image),
        cmocka_unit_test(arithmetic_is_right_however_it_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
