/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cmocka.h>

#include "pipeline/report/progress.h"
#include "pipeline/report/units.h"

#define S 1000000000ull

static void quantities_read_well(void **state)
{
    (void)state;
    char t[UNITS_SIZE];
    assert_string_equal(units_bytes(0, t, sizeof t), "0 B");
    assert_string_equal(units_bytes(999, t, sizeof t), "999 B");
    assert_string_equal(units_bytes(1000, t, sizeof t), "1.00 kB");
    assert_string_equal(units_bytes(44123456, t, sizeof t), "44.1 MB");
    assert_string_equal(units_bytes(999999, t, sizeof t), "1.00 MB");
    assert_string_equal(units_bytes(UINT64_MAX, t, sizeof t), "18.4 EB");
    assert_string_equal(units_memory(1023, t, sizeof t), "1023 B");
    assert_string_equal(units_memory(65536, t, sizeof t), "64 KiB");
    assert_string_equal(units_memory(2147483648, t, sizeof t), "2 GiB");
    assert_string_equal(units_memory(1300000000, t, sizeof t), "1.21 GiB");
    assert_string_equal(units_duration(42000000, t, sizeof t), "0.042 s");
    assert_string_equal(units_duration(999600000, t, sizeof t), "1.0 s");
    assert_string_equal(units_duration(12340000000, t, sizeof t), "12.3 s");
    assert_string_equal(units_duration(245 * S, t, sizeof t), "4 min 05 s");
    assert_string_equal(units_duration(7380 * S, t, sizeof t), "2 h 03 min");
    assert_string_equal(units_clock(7, t, sizeof t), "0:07");
    assert_string_equal(units_clock(754, t, sizeof t), "12:34");
    assert_string_equal(units_clock(3723, t, sizeof t), "1:02:03");
    assert_string_equal(units_clock(3 * 86400 + 4 * 3600 + 59, t, sizeof t), "76:00:59");
    assert_string_equal(units_clock(5 * 86400 + 4 * 3600, t, sizeof t), "5 d 04 h");
    assert_string_equal(units_rate(0, t, sizeof t), "0");
    assert_string_equal(units_rate(3.14159, t, sizeof t), "3.14");
    assert_string_equal(units_rate(9.999, t, sizeof t), "10.0");
    assert_string_equal(units_rate(12345.6, t, sizeof t), "12346");
}

static void rates_are_averages_that_forget(void **state)
{
    (void)state;
    struct progress_rate rate = {0};
    progress_rate_step(&rate, S, 0, 0);
    assert_true(rate.items_per_s == 0);
    /* Unsteady at first: the plain average of all so far. */
    progress_rate_step(&rate, 2 * S, 10, 2000000);
    progress_rate_step(&rate, 4 * S, 60, 6000000);
    assert_true(rate.items_per_s > 19.999 && rate.items_per_s < 20.001);
    assert_true(rate.pixels_per_s > 1999999 && rate.pixels_per_s < 2000001);
    /* After a minute at another speed the old one is forgotten but for exp(-6). */
    uint64_t items = 60;
    for (uint64_t i = 1; i <= 600; i++)
        progress_rate_step(&rate, 4 * S + i * S / 10, items += 10, 6000000);
    assert_true(rate.items_per_s > 99 && rate.items_per_s <= 100);
    assert_true(rate.pixels_per_s < 20000);
    /* A clock that stands still changes nothing. */
    const double before = rate.items_per_s;
    progress_rate_step(&rate, rate.last_ns, items + 100, 6000000);
    assert_true(rate.items_per_s == before);
}

static void eta_waits_for_the_total(void **state)
{
    (void)state;
    const struct progress_rate rate = {.items_per_s = 4};
    struct progress_counts counts = {.found = 100, .done = 50, .failed = 5, .skipped = 5};
    assert_true(progress_eta_s(&counts, &rate) < 0);
    counts.listing_done = true;
    assert_true(progress_eta_s(&counts, &rate) == 10);
    assert_true(progress_eta_s(&counts, &(struct progress_rate){0}) < 0);
    counts.done = 90;
    assert_true(progress_eta_s(&counts, &(struct progress_rate){0}) == 0);
    /* An earlier listing stands in until this one is done, unless it was short. */
    counts = (struct progress_counts){.found = 100, .expected = 120, .done = 80};
    assert_true(progress_eta_s(&counts, &rate) == 10);
    counts.expected = 99;
    assert_true(progress_eta_s(&counts, &rate) < 0);
    counts = (struct progress_counts){.found = 100, .expected = 120, .listing_done = true, .done = 80};
    assert_true(progress_eta_s(&counts, &rate) == 5);
}

static const struct progress_rate steady = {.items_per_s = 345, .pixels_per_s = 12.3e6};

static void lines_say_what_is_known(void **state)
{
    (void)state;
    char t[512];
    struct progress_counts counts = {.found = 123};
    assert_string_equal(progress_line(&counts, &(struct progress_rate){0}, t, sizeof t), "progress: 0/123+");
    counts = (struct progress_counts){.found = 5678, .listing_done = true, .done = 1230, .failed = 4};
    assert_string_equal(progress_line(&counts, &steady, t, sizeof t),
                        "progress: 1234/5678, 21 %, 345/s, 12.3 MP/s, ETA 0:13, 4 failed");
    counts = (struct progress_counts){.found = 20, .expected = 100000, .done = 4};
    assert_string_equal(progress_line(&counts, &(struct progress_rate){.items_per_s = 4}, t, sizeof t),
                        "progress: 4/~100000, 0 %, 4.00/s, ETA 6:56:39");
    counts.found = counts.expected + 1;
    assert_string_equal(progress_line(&counts, &(struct progress_rate){0}, t, sizeof t),
                        "progress: 4/100001+");
    counts = (struct progress_counts){.listing_done = true};
    assert_string_equal(progress_line(&counts, &(struct progress_rate){0}, t, sizeof t),
                        "progress: 0/0, 100 %, ETA 0:00");
}

static void bars_fit_their_terminal(void **state)
{
    (void)state;
    char t[512];
    struct progress_counts counts = {.found = 200, .listing_done = true, .done = 98, .failed = 2};
    assert_string_equal(progress_bar(&counts, &steady, 80, false, t, sizeof t),
                        "[============>           ]  100/200  50 %  345/s  12.3 MP/s  ETA 0:01  2 failed");
    for (unsigned width = 0; width < 300; width++) {
        progress_bar(&counts, &steady, width, false, t, sizeof t);
        assert_true(strlen(t) < width || (width <= 1 && t[0] == '\0'));
        assert_true(width < 9 || strstr(t, "100/200"));
        assert_true(width < 19 || strstr(t, "2 failed"));
    }
    progress_bar(&counts, &steady, 80, true, t, sizeof t);
    assert_non_null(strstr(t, "\x1b[31m2 failed\x1b[0m"));
    counts.done = 198;
    progress_bar(&counts, &steady, 80, false, t, sizeof t);
    assert_null(strchr(t, '>'));
    counts.listing_done = false;
    assert_string_equal(progress_bar(&counts, &steady, 80, false, t, sizeof t),
                        "200/200+  345/s  12.3 MP/s  2 failed");
    counts.expected = 400;
    assert_string_equal(progress_bar(&counts, &steady, 80, false, t, sizeof t),
                        "[===========>           ]  200/~400  50 %  345/s  12.3 MP/s  ETA 0:01  2 failed");
}

/* What comes out of a pseudo-terminal, as far as it is there. */
static size_t read_all(int fd, char *text, size_t size)
{
    size_t used = 0;
    while (poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 100) > 0) {
        ssize_t got = read(fd, text + used, size - 1 - used);
        if (got <= 0)
            break;
        used += (size_t)got;
    }
    text[used] = '\0';
    return used;
}

static void a_terminal_gets_a_bar_and_whole_messages(void **state)
{
    (void)state;
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    if (master < 0) {
        print_message("skipped: no pseudo-terminal can be had here\n");
        skip();
    }
    assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    int terminal = open(ptsname(master), O_RDWR | O_NOCTTY);
    assert_true(terminal >= 0);
    const struct winsize size = {.ws_col = 40, .ws_row = 25};
    assert_int_equal(ioctl(terminal, TIOCSWINSZ, &size), 0);
    setenv("TERM", "xterm", 1);
    unsetenv("NO_COLOR");
    struct progress *progress = progress_open(terminal, 0);
    const struct progress_counts counts = {.found = 10, .listing_done = true, .done = 4, .failed = 1};
    char text[4096];
    progress_update(progress, &counts); /* too early */
    assert_int_equal(read_all(master, text, sizeof text), 0);
    progress_update(progress, &counts);
    read_all(master, text, sizeof text);
    assert_int_equal(strncmp(text, "\r\x1b[K", 4), 0);
    assert_non_null(strstr(text, "5/10"));
    assert_non_null(strstr(text, "\x1b[31m1 failed"));
    progress_message(progress, PROGRESS_NORMAL, "%s: odd", "a\x1b[2Jb");
    progress_message(progress, PROGRESS_VERBOSE, "details");
    read_all(master, text, sizeof text);
    assert_string_equal(text, "\r\x1b[Ka\\x1b[2Jb: odd\r\n");
    setenv("NO_COLOR", "1", 1);
    progress_update(progress, &counts);
    read_all(master, text, sizeof text);
    assert_non_null(strstr(text, "5/10"));
    progress_close(progress);
    read_all(master, text, sizeof text);
    assert_string_equal(text, "\r\x1b[K");
    progress = progress_open(terminal, 0);
    usleep(110000);
    progress_update(progress, &counts);
    read_all(master, text, sizeof text);
    assert_non_null(strstr(text, "1 failed"));
    assert_null(strstr(text, "\x1b[31m"));
    progress_close(progress);
    close(terminal);
    close(master);
}

static void a_pipe_gets_plain_text_and_quiet_is_quiet(void **state)
{
    (void)state;
    int ends[2];
    char text[4096];
    const struct progress_counts counts = {.found = 10};
    assert_int_equal(pipe(ends), 0);
    struct progress *progress = progress_open(ends[1], -1);
    progress_update(progress, &counts);
    progress_message(progress, PROGRESS_NORMAL, "note");
    progress_message(progress, PROGRESS_ALWAYS, "error");
    progress_close(progress);
    read_all(ends[0], text, sizeof text);
    assert_string_equal(text, "error\n");
    progress = progress_open(ends[1], 1);
    progress_update(progress, &counts); /* not yet five seconds */
    assert_int_equal(progress_lines(progress), 0);
    progress_message(progress, PROGRESS_VERBOSE, "details");
    assert_int_equal(progress_lines(progress), 1);
    progress_close(progress);
    read_all(ends[0], text, sizeof text);
    assert_string_equal(text, "details\n");
    progress_update(NULL, &counts);
    progress_message(NULL, PROGRESS_ALWAYS, "nobody");
    assert_int_equal(progress_lines(NULL), 0);
    progress_close(NULL);
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantities_read_well),
        cmocka_unit_test(rates_are_averages_that_forget),
        cmocka_unit_test(eta_waits_for_the_total),
        cmocka_unit_test(lines_say_what_is_known),
        cmocka_unit_test(bars_fit_their_terminal),
        cmocka_unit_test(a_terminal_gets_a_bar_and_whole_messages),
        cmocka_unit_test(a_pipe_gets_plain_text_and_quiet_is_quiet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
