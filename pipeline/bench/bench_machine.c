/* SPDX-License-Identifier: MIT */
#include "pipeline/bench/bench_machine.h"

#include <gnu/libc-version.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "pipeline/config/allotted.h"

#ifdef __clang__
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif

#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define BUILD "with sanitizers: times mean nothing"
#elif defined NDEBUG
#define BUILD "release"
#else
#define BUILD "asserts on"
#endif

static void read_cpu(char *cpu, size_t size)
{
    char line[512];
    FILE *file = fopen("/proc/cpuinfo", "re");
    snprintf(cpu, size, "unknown");
    while (file && fgets(line, sizeof line, file)) {
        char *value = strchr(line, ':');
        if (strncmp(line, "model name", 10) != 0 || !value)
            continue;
        line[strcspn(line, "\n")] = '\0';
        value++;
        snprintf(cpu, size, "%s", value + strspn(value, " "));
        break;
    }
    if (file)
        fclose(file);
}

void bench_machine_read(struct bench_machine *machine)
{
    struct utsname system;
    char why[256];
    double load[3];
    *machine = (struct bench_machine){.build = BUILD};
    read_cpu(machine->cpu, sizeof machine->cpu);
    machine->cores = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
    machine->allowed = (unsigned)allotted_workers("", why, sizeof why);
    machine->memory_bytes = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    snprintf(machine->kernel, sizeof machine->kernel, "unknown");
    if (uname(&system) == 0)
        snprintf(machine->kernel, sizeof machine->kernel, "%.40s %.80s %.30s", system.sysname, system.release,
                 system.machine);
    snprintf(machine->compiler, sizeof machine->compiler, "%s", COMPILER);
    snprintf(machine->versions, sizeof machine->versions, "forkmill %s, glibc %s", FORKMILL_VERSION,
             gnu_get_libc_version());
    snprintf(machine->load, sizeof machine->load, "unknown");
    if (getloadavg(load, 3) == 3)
        snprintf(machine->load, sizeof machine->load, "%.2f %.2f %.2f", load[0], load[1], load[2]);
}

uint64_t bench_machine_idle_ns(void)
{
    char line[512];
    cpu_set_t allowed;
    uint64_t ticks = 0;
    FILE *file = fopen("/proc/stat", "re");
    if (file && sched_getaffinity(0, sizeof allowed, &allowed) < 0)
        CPU_ZERO(&allowed);
    while (file && fgets(line, sizeof line, file)) {
        unsigned core;
        unsigned long long idle, waiting; /* waiting: idle, with input or output under way */
        if (sscanf(line, "cpu%u %*u %*u %*u %llu %llu", &core, &idle, &waiting) == 3 && core < CPU_SETSIZE &&
            CPU_ISSET(core, &allowed))
            ticks += idle + waiting;
    }
    if (file)
        fclose(file);
    return ticks * (1000000000u / (uint64_t)sysconf(_SC_CLK_TCK));
}
