/* SPDX-License-Identifier: MIT */
#include "pipeline/bench/bench_memory.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* Deeper is no run's tree of processes. */
#define MOST_DEPTH 8

struct sum {
    uint64_t bytes;
    bool refused; /* a process that lives did not show its memory */
};

static void add_process(struct sum *sum, pid_t process)
{
    char path[64], line[256];
    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)process);
    FILE *file = fopen(path, "re");
    if (!file) {
        sum->refused = sum->refused || (errno != ENOENT && errno != ESRCH);
        return;
    }
    while (fgets(line, sizeof line, file)) {
        uint64_t kib;
        if (sscanf(line, "Pss: %" SCNu64, &kib) == 1)
            sum->bytes += kib * 1024;
    }
    fclose(file);
}

static void add_tree(struct sum *sum, pid_t process, int depth)
{
    char path[320];
    add_process(sum, process);
    snprintf(path, sizeof path, "/proc/%d/task", (int)process);
    DIR *tasks = depth < MOST_DEPTH ? opendir(path) : NULL;
    /* Children belong to the thread that forked them. */
    for (struct dirent *task; tasks && (task = readdir(tasks));) {
        int child;
        if (task->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "/proc/%d/task/%s/children", (int)process, task->d_name);
        FILE *file = fopen(path, "re");
        if (!file)
            continue;
        while (fscanf(file, "%d", &child) == 1)
            add_tree(sum, child, depth + 1);
        fclose(file);
    }
    if (tasks)
        closedir(tasks);
}

uint64_t bench_memory_of(pid_t process)
{
    struct sum sum = {0};
    add_tree(&sum, process, 0);
    return sum.refused ? 0 : sum.bytes;
}
