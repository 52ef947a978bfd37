/* SPDX-License-Identifier: MIT */
/* The three measurements, each between this process and a forked one. Every value carries its number, and a
 * value that is missing, doubled or out of place ends the program. */
#ifndef BENCH_IPC_MEASURE_H
#define BENCH_IPC_MEASURE_H

#include "transport.h"

struct measure_latency {
    double median_us, p99_us;
};

/* Values per second: the child sends for `ms`, this process takes up to `batch` at a time. The clock runs
 * from the first value to the last, so that starting costs nothing. */
double measure_rate(const struct transport *transport, unsigned capacity, unsigned batch, unsigned ms);

/* There and back, one value at a time, both sides waiting hot: for `ms`. */
struct measure_latency measure_round_trip(const struct transport *transport, unsigned capacity, unsigned ms);

/* One way to a receiver that has been waiting since the last value, half a millisecond ago. */
struct measure_latency measure_one_way(const struct transport *transport, unsigned capacity, unsigned ms);

#endif
