/* SPDX-License-Identifier: MIT */
/* forkmill-bench-ipc: what handing a value from one process to another costs, by forkmill's queue and by what
 * the system offers. One round of all measurements; bench/ipc.sh runs several and takes medians.
 *
 * A line for each figure, fields separated by tabs:  transport, capacity, batch, what, figure
 * what: rate (values/s), round-trip and one-way, each -median and -p99 (us). Capacity 0: as the kernel has
 * it. */
#include <errno.h>
#include <mqueue.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure.h"

struct way {
    const struct transport *transport;
    unsigned capacity, batch;
};

/* A message queue of more than 10 needs privileges. */
static const struct way ways[] = {
    {&transport_queue, 1, 1},   {&transport_queue, 16, 1}, {&transport_queue, 16, 8},
    {&transport_queue, 64, 1},  {&transport_queue, 64, 8}, {&transport_mutex, 1, 1},
    {&transport_mutex, 16, 1},  {&transport_mutex, 16, 8}, {&transport_mutex, 64, 1},
    {&transport_mutex, 64, 8},  {&transport_pipe, 0, 1},   {&transport_pipe, 0, 8},
    {&transport_socket, 0, 1},  {&transport_socket, 0, 8}, {&transport_mqueue, 1, 1},
    {&transport_mqueue, 10, 1},
};

#define WAYS (sizeof ways / sizeof *ways)

/* Some containers have none, or forbid them. */
static bool has_mqueue(void)
{
    return mq_unlink("/forkmill-bench-none") < 0 && errno == ENOENT;
}

static void tell(const struct way *way, const char *what, double figure)
{
    printf("%s\t%u\t%u\t%s\t%.6g\n", way->transport->name, way->capacity, way->batch, what, figure);
}

static void tell_latency(const struct way *way, const char *what, struct measure_latency latency)
{
    char name[32];
    snprintf(name, sizeof name, "%s-median", what);
    tell(way, name, latency.median_us);
    snprintf(name, sizeof name, "%s-p99", what);
    tell(way, name, latency.p99_us);
}

static void measure(const struct way *way, unsigned ms)
{
    tell(way, "rate", measure_rate(way->transport, way->capacity, way->batch, ms));
    if (way->batch > 1)
        return; /* a value that travels alone does not know a batch */
    tell_latency(way, "round-trip", measure_round_trip(way->transport, way->capacity, ms));
    tell_latency(way, "one-way", measure_one_way(way->transport, way->capacity, ms));
}

int main(int argc, char **argv)
{
    unsigned long ms = 200;
    bool backwards = false;
    const char *only = NULL;
    for (int i = 1; i < argc; i++) {
        char *end = NULL;
        if (strcmp(argv[i], "--backwards") == 0) {
            backwards = true;
        } else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc) {
            only = argv[++i];
        } else if (strcmp(argv[i], "--ms") == 0 && i + 1 < argc) {
            ms = strtoul(argv[++i], &end, 10);
            if (*end != '\0' || ms < 1 || ms > 60000)
                ms = 0;
        } else {
            ms = 0;
        }
        if (ms == 0) {
            fputs("Usage: forkmill-bench-ipc [--ms N] [--backwards] [--only TRANSPORT]\n", stderr);
            return 2;
        }
    }
    for (size_t i = 0; i < WAYS; i++) {
        const struct way *way = &ways[backwards ? WAYS - 1 - i : i];
        if ((way->transport == &transport_mqueue && !has_mqueue()) ||
            (only && strcmp(only, way->transport->name) != 0))
            continue;
        measure(way, (unsigned)ms);
    }
    return 0;
}
