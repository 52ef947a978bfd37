/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sys/stat.h>

#include "pipeline/config/memory.h"

/* A tree of files that looks like /proc and /sys. */
static char root[] = "/tmp/forkmill-memory-XXXXXX";

static void put(const char *path, const char *text)
{
    char full[512];
    snprintf(full, sizeof full, "%s%s", root, path);
    for (char *slash = strchr(full + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(full, 0700);
        *slash = '/';
    }
    FILE *file = fopen(full, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static int make_root(void **state)
{
    (void)state;
    return mkdtemp(root) ? 0 : -1;
}

static int remove_root(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    return system(command);
}

static void without_files_nothing_is_known(void **state)
{
    (void)state;
    char why[128];
    assert_true(memory_available("/nonexistent", why, sizeof why) == UINT64_MAX);
    assert_string_equal(why, "");
}

static void the_machine_bounds(void **state)
{
    (void)state;
    char why[128];
    put("/proc/meminfo", "MemTotal: 8000 kB\nMemFree: 100 kB\nMemAvailable:    5000 kB\n");
    assert_int_equal(memory_available(root, why, sizeof why), 5000 * 1024);
    assert_string_equal(why, "/proc/meminfo");
}

static void a_parent_group_bounds(void **state)
{
    (void)state;
    char why[128];
    put("/proc/meminfo", "MemAvailable: 5000 kB\n");
    put("/proc/self/cgroup", "0::/outer/inner\n");
    put("/sys/fs/cgroup/outer/inner/memory.max", "max\n");
    put("/sys/fs/cgroup/outer/inner/memory.current", "5\n");
    put("/sys/fs/cgroup/outer/memory.max", "1000000\n");
    put("/sys/fs/cgroup/outer/memory.current", "400000\n");
    assert_int_equal(memory_available(root, why, sizeof why), 600000);
    assert_string_equal(why, "/sys/fs/cgroup/outer/memory.max");
}

static void version_one_and_a_full_group(void **state)
{
    (void)state;
    char why[128];
    put("/proc/self/cgroup", "4:memory:/one\n");
    put("/sys/fs/cgroup/memory/one/memory.limit_in_bytes", "300000\n");
    put("/sys/fs/cgroup/memory/one/memory.usage_in_bytes", "400000\n");
    assert_int_equal(memory_available(root, why, sizeof why), 0);
}

static void a_budget_is_lowered_only_when_it_must_be(void **state)
{
    (void)state;
    char why[128];
    uint64_t small = 1 << 20, huge = UINT64_MAX;
    assert_false(memory_fit(&small, why, sizeof why));
    assert_int_equal(small, 1 << 20);
    assert_true(memory_fit(&huge, why, sizeof why));
    assert_true(huge < UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_files_nothing_is_known),
        cmocka_unit_test(the_machine_bounds),
        cmocka_unit_test(a_parent_group_bounds),
        cmocka_unit_test(version_one_and_a_full_group),
        cmocka_unit_test(a_budget_is_lowered_only_when_it_must_be),
    };
    return cmocka_run_group_tests(tests, make_root, remove_root);
}
