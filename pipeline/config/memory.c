/* SPDX-License-Identifier: MIT */
/* MemAvailable of /proc/meminfo; memory.max, memory.high and memory.current as
 * Documentation/admin-guide/cgroup-v2.rst has them, memory.limit_in_bytes and memory.usage_in_bytes for
 * version 1. Page cache counts as in use there though it would give way: the estimate errs on the low side.
 */
#include "pipeline/config/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/config/cgroup.h"

struct search {
    const char *root;
    uint64_t least;
    char *why;
    size_t why_size;
};

static void found(struct search *search, uint64_t bytes, const char *directory, const char *file)
{
    if (bytes >= search->least)
        return;
    search->least = bytes;
    snprintf(search->why, search->why_size, "%s/%s", directory, file);
}

/* A number from a group's file; false where there is none or it says "max". */
static bool number(const struct search *search, const char *directory, const char *file, uint64_t *value)
{
    char text[64], *end;
    if (!cgroup_read(search->root, directory, file, text, sizeof text))
        return false;
    *value = strtoull(text, &end, 10);
    return end != text;
}

static void look(void *context, const char *directory)
{
    static const char *const limits[] = {"memory.max", "memory.high", "memory.limit_in_bytes"};
    static const char *const usages[] = {"memory.current", "memory.current", "memory.usage_in_bytes"};
    struct search *search = context;
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        uint64_t limit, usage;
        if (number(search, directory, limits[i], &limit) && number(search, directory, usages[i], &usage))
            found(search, limit > usage ? limit - usage : 0, directory, limits[i]);
    }
}

uint64_t memory_available(const char *root, char *why, size_t size)
{
    struct search search = {root, UINT64_MAX, why, size};
    char text[4096];
    if (size)
        why[0] = '\0';
    const char *line = NULL;
    if (cgroup_read(root, "/proc", "meminfo", text, sizeof text))
        line = strstr(text, "MemAvailable:");
    if (line)
        found(&search, strtoull(line + strlen("MemAvailable:"), NULL, 10) * 1024, "/proc", "meminfo");
    cgroup_walk(root, "memory", look, &search);
    return search.least;
}

bool memory_fit(uint64_t *budget_bytes, char *why, size_t size)
{
    uint64_t available = memory_available("", why, size);
    uint64_t most = available / 10 * 9;
    if (*budget_bytes <= most)
        return false;
    /* A budget of nothing would refuse everything, with a worse message. */
    *budget_bytes = most > (uint64_t)16 << 20 ? most : (uint64_t)16 << 20;
    return true;
}
