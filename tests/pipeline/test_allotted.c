/* SPDX-License-Identifier: MIT */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "pipeline/config/allotted.h"

static char root[64];

static int make_root(void **state)
{
    (void)state;
    snprintf(root, sizeof root, "/tmp/test_allotted.XXXXXX");
    return mkdtemp(root) ? 0 : -1;
}

static int drop_root(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    return system(command);
}

/* A file below the root, with the directories above it. */
static void put(const char *path, const char *text)
{
    char full[512];
    snprintf(full, sizeof full, "%s%s", root, path);
    for (char *slash = strchr(full + strlen(root) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(full, 0700);
        *slash = '/';
    }
    FILE *file = fopen(full, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static int64_t quota(char *why)
{
    return allotted_quota(root, why, 256);
}

static void without_files_there_is_no_quota(void **state)
{
    (void)state;
    char why[256] = "x";
    assert_int_equal(quota(why), 0);
    assert_string_equal(why, "");
}

static void v2_quota_is_rounded_up(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t processors;
    } cases[] = {
        {"max 100000\n", 0},    {"150000 100000\n", 2}, {"200000 100000\n", 2},
        {"200001 100000\n", 3}, {"1000 100000\n", 1},   {"", 0},
        {"garbage\n", 0},       {"100000\n", 0},        {"-5 100000\n", 0},
        {"100000 0\n", 0},      {"0 100000\n", 0},      {"9223372036854775807 1\n", INT64_MAX},
    };
    put("/proc/self/cgroup", "0::/\n");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char why[256];
        put("/sys/fs/cgroup/cpu.max", cases[i].text);
        if (quota(why) != cases[i].processors)
            fail_msg("'%s' gives %lld", cases[i].text, (long long)quota(why));
        assert_string_equal(why, cases[i].processors ? "/sys/fs/cgroup/cpu.max" : "");
    }
}

static void v2_parents_bind_as_well(void **state)
{
    (void)state;
    char why[256];
    put("/proc/self/cgroup", "0::/a/b/c\n");
    put("/sys/fs/cgroup/a/b/c/cpu.max", "max 100000\n");
    put("/sys/fs/cgroup/a/b/cpu.max", "700000 100000\n");
    put("/sys/fs/cgroup/a/cpu.max", "300000 100000\n");
    assert_int_equal(quota(why), 3);
    assert_string_equal(why, "/sys/fs/cgroup/a/cpu.max");
    put("/sys/fs/cgroup/a/b/c/cpu.max", "50000 100000\n");
    assert_int_equal(quota(why), 1);
    assert_string_equal(why, "/sys/fs/cgroup/a/b/c/cpu.max");
}

static void v2_group_outside_the_namespace_uses_the_mount(void **state)
{
    (void)state;
    char why[256];
    put("/proc/self/cgroup", "0::/../../other\n");
    put("/sys/fs/cgroup/cpu.max", "400000 100000\n");
    assert_int_equal(quota(why), 4);
}

static void v1_quota_is_found_by_controller(void **state)
{
    (void)state;
    char why[256];
    put("/proc/self/cgroup", "5:cpuset:/x\n4:cpu,cpuacct:/job\n3:memory:/x\n");
    put("/sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_period_us", "50000\n");
    put("/sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us", "-1\n");
    put("/sys/fs/cgroup/cpuset/x/cpu.cfs_period_us", "100000\n");
    put("/sys/fs/cgroup/cpuset/x/cpu.cfs_quota_us", "100000\n");
    assert_int_equal(quota(why), 0);
    put("/sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us", "125000\n");
    assert_int_equal(quota(why), 3);
    assert_string_equal(why, "/sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us");
}

/* In a container without a cgroup namespace /proc names the host's path, and the mount shows the group. */
static void v1_path_of_the_host_falls_back_to_the_mount(void **state)
{
    (void)state;
    char why[256];
    put("/proc/self/cgroup", "1:cpu:/docker/0123456789\n");
    put("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
    put("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "600000\n");
    assert_int_equal(quota(why), 6);
}

static void the_smaller_of_mask_and_quota_decides(void **state)
{
    (void)state;
    cpu_set_t all, one;
    char why[256];
    assert_int_equal(sched_getaffinity(0, sizeof all, &all), 0);
    put("/proc/self/cgroup", "0::/\n");
    put("/sys/fs/cgroup/cpu.max", "100000000 1000\n");
    assert_int_equal(allotted_workers(root, why, sizeof why), CPU_COUNT(&all));
    assert_non_null(strstr(why, "affinity"));

    CPU_ZERO(&one);
    for (size_t i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; i++) {
        if (CPU_ISSET(i, &all))
            CPU_SET(i, &one);
    }
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    assert_int_equal(allotted_workers(root, why, sizeof why), 1);
    assert_string_equal(why, "1 by affinity mask");
    assert_int_equal(sched_setaffinity(0, sizeof all, &all), 0);

    put("/sys/fs/cgroup/cpu.max", "10000 100000\n");
    assert_int_equal(allotted_workers(root, why, sizeof why), 1);
    if (CPU_COUNT(&all) > 1)
        assert_string_equal(why, "1 by cgroup quota, /sys/fs/cgroup/cpu.max");
}

static void a_job_gets_numbers_where_it_asked(void **state)
{
    (void)state;
    struct job job = {.pool_count = 2, .workers_from = "-w"};
    job.settings.workers = -1;
    job.pools[0].workers = -1;
    job.pools[1].workers = 7;
    job_resolve(&job);
    assert_true(job.settings.workers >= 1);
    assert_int_equal(job.pools[0].workers, job.settings.workers);
    assert_int_equal(job.pools[1].workers, 7);
    assert_non_null(strstr(job.workers_from, "-w, allotted "));

    struct job plain = {.pool_count = 1, .workers_from = "default"};
    plain.settings.workers = plain.pools[0].workers = 2;
    job_resolve(&plain);
    assert_int_equal(plain.pools[0].workers, 2);
    assert_string_equal(plain.workers_from, "default");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(without_files_there_is_no_quota, make_root, drop_root),
        cmocka_unit_test_setup_teardown(v2_quota_is_rounded_up, make_root, drop_root),
        cmocka_unit_test_setup_teardown(v2_parents_bind_as_well, make_root, drop_root),
        cmocka_unit_test_setup_teardown(v2_group_outside_the_namespace_uses_the_mount, make_root, drop_root),
        cmocka_unit_test_setup_teardown(v1_quota_is_found_by_controller, make_root, drop_root),
        cmocka_unit_test_setup_teardown(v1_path_of_the_host_falls_back_to_the_mount, make_root, drop_root),
        cmocka_unit_test_setup_teardown(the_smaller_of_mask_and_quota_decides, make_root, drop_root),
        cmocka_unit_test(a_job_gets_numbers_where_it_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
