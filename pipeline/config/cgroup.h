/* SPDX-License-Identifier: MIT */
/* The cgroups (v1 and v2) this process is in, and their parents, whose limits bind it as well. */
#ifndef PIPELINE_CGROUP_H
#define PIPELINE_CGROUP_H

#include <stdbool.h>
#include <stddef.h>

/* Longest path that is looked at. */
#define CGROUP_PATH_BYTES 4096

/* Calls `look` with each group's directory, from the process's own upwards, for a v1 `controller` ("cpu",
 * "memory") and for v2. Directories need not exist: in a container the path that /proc names may lie outside
 * what is mounted. `root` is put before /proc and /sys: "" but in tests. Reads files. */
void cgroup_walk(const char *root, const char *controller, void (*look)(void *context, const char *directory),
                 void *context);

/* The beginning of root/directory/file as a text; false where there is none. */
bool cgroup_read(const char *root, const char *directory, const char *file, char *text, size_t size);

#endif
