/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "pipeline/bench/bench.h"
#include "pipeline/engine/engine.h"

static double seconds(uint64_t ns)
{
    return (double)ns / 1e9;
}

static double wall(const struct bench_sample *sample)
{
    return seconds(sample->wall_ns);
}

static double cpu(const struct bench_sample *sample)
{
    return seconds(sample->user_ns + sample->system_ns);
}

static double user(const struct bench_sample *sample)
{
    return seconds(sample->user_ns);
}

static double system_time(const struct bench_sample *sample)
{
    return seconds(sample->system_ns);
}

static double voluntary(const struct bench_sample *sample)
{
    return (double)sample->voluntary;
}

static double involuntary(const struct bench_sample *sample)
{
    return (double)sample->involuntary;
}

/* One figure of every sample, into values[]. */
static struct bench_stats gather(const struct bench_row *row, double (*figure)(const struct bench_sample *),
                                 double *values)
{
    for (unsigned i = 0; i < row->count; i++)
        values[i] = figure(&row->samples[i]);
    return bench_stats_of(values, row->count);
}

static void conclude_row(struct bench_row *row, double *values)
{
    row->cpu_s = gather(row, cpu, values);
    row->user_s = gather(row, user, values).median;
    row->system_s = gather(row, system_time, values).median;
    row->voluntary = gather(row, voluntary, values).median;
    row->involuntary = gather(row, involuntary, values).median;
    row->wall_s = gather(row, wall, values);
    row->median_at = bench_stats_median_at(values, row->count);
}

void bench_conclude(struct bench_report *report)
{
    double *values = malloc(report->plan.repeat * sizeof *values);
    const struct bench_row *serial = NULL;
    for (unsigned i = 0; i < report->row_count && values; i++) {
        conclude_row(&report->rows[i], values);
        if (engine_at(report->rows[i].cell.engine) == &engine_serial)
            serial = &report->rows[i];
    }
    free(values);
    for (unsigned i = 0; i < report->row_count && serial; i++) {
        struct bench_row *row = &report->rows[i];
        row->speedup = row->wall_s.median > 0 ? serial->wall_s.median / row->wall_s.median : 0;
        row->efficiency = row->speedup / row->cell.workers;
    }
    bench_verdict_find(report);
}

unsigned bench_widest(const struct bench_report *report, unsigned rows[8])
{
    unsigned count = 0;
    for (unsigned i = 0; i < report->row_count; i++) {
        unsigned at = 0;
        while (at < count && report->rows[rows[at]].cell.engine != report->rows[i].cell.engine)
            at++;
        if (at == count && count < 8)
            rows[count++] = i;
        else if (at < count && report->rows[i].cell.workers > report->rows[rows[at]].cell.workers)
            rows[at] = i;
    }
    return count;
}

void bench_free(struct bench_report *report)
{
    for (unsigned i = 0; i < report->row_count; i++) {
        for (unsigned j = 0; j < report->rows[i].count; j++)
            json_decref(report->rows[i].samples[j].summary);
        free(report->rows[i].samples);
    }
    report->row_count = 0;
}
