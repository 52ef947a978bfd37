/* SPDX-License-Identifier: MIT */
/* The charts of the page, as inline SVG in a <figure> each. Colours are classes, defined in page.c for
 * light and dark. All write to `to` and leave errors to its error flag. */
#ifndef PIPELINE_BENCH_CHART_H
#define PIPELINE_BENCH_CHART_H

#include "pipeline/bench/bench.h"

/* A dot for each run and a bar at the median, a line for each cell. */
void bench_chart_times(const struct bench_report *report, FILE *to);

/* Speed-up over serial by number of workers, with the range of the runs; a note where serial is missing. */
void bench_chart_speedup(const struct bench_report *report, FILE *to);

/* How the time of all workers is shared among the stages, a bar for each cell. */
void bench_chart_stages(const struct bench_report *report, FILE *to);

/* What the pools did over the time of the run in the middle, for each engine with its most workers. */
void bench_chart_pools(const struct bench_report *report, FILE *to);

#endif
