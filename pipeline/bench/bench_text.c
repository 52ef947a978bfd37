/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>

#include "pipeline/bench/bench.h"
#include "pipeline/report/escape.h"
#include "pipeline/report/units.h"

static void print_head(const struct bench_report *report, FILE *to)
{
    char in[UNITS_SIZE], out[UNITS_SIZE], pixels[UNITS_SIZE], memory[UNITS_SIZE];
    const struct bench_machine *machine = &report->machine;
    fprintf(to, "work      %" PRIu64 " items, %s MP, %s in, %s out; %u run%s of each after %u warm-up%s\n",
            report->items, units_rate((double)report->pixels / 1e6, pixels, sizeof pixels),
            units_bytes(report->bytes_in, in, sizeof in), units_bytes(report->output_bytes, out, sizeof out),
            report->plan.repeat, report->plan.repeat == 1 ? "" : "s", report->plan.warmup,
            report->plan.warmup == 1 ? "" : "s");
    if (report->failed)
        fprintf(to, "failed    %" PRIu64 " of the items, the same number in every run\n", report->failed);
    fprintf(to, "cache     %s\n", report->cache);
    fprintf(to, "machine   %s, %u of %u cores allowed, %s, %s\n", machine->cpu, machine->allowed,
            machine->cores, units_memory(machine->memory_bytes, memory, sizeof memory), machine->kernel);
    fprintf(to, "build     %s, %s, %s; load before: %s\n\n", machine->versions, machine->compiler,
            machine->build, machine->load);
}

static void print_row(const struct bench_report *report, unsigned index, bool colour, FILE *to)
{
    const struct bench_row *row = &report->rows[index];
    const int digits = row->wall_s.min < 0.1 ? 5 : 3;
    const bool bold = colour && index == report->verdict.row;
    char memory[UNITS_SIZE] = "-", speedup[16] = "-", efficiency[16] = "-", time[48], switches[48];
    if (row->peak_bytes)
        units_memory(row->peak_bytes, memory, sizeof memory);
    if (row->speedup > 0) {
        snprintf(speedup, sizeof speedup, "%.2f", row->speedup);
        snprintf(efficiency, sizeof efficiency, "%.2f", row->efficiency);
    }
    snprintf(time, sizeof time, "%.2f + %.2f", row->user_s, row->system_s);
    snprintf(switches, sizeof switches, "%.0f + %.0f", row->voluntary, row->involuntary);
    fprintf(to, "%s%-8s %7u %9.*f %9.*f %9.*f %5.0f %% %9s %8s %15s %9s %15s%s\n", bold ? "\033[1m" : "",
            row->cell.name, row->cell.workers, digits, row->wall_s.median, digits, row->wall_s.min, digits,
            row->wall_s.max, 100 * bench_stats_spread(&row->wall_s), speedup, efficiency, time, memory,
            switches, bold ? "\033[0m" : "");
}

static const json_t *steps_of(const struct bench_row *row)
{
    return json_object_get(row->samples[row->median_at].summary, "steps");
}

static void print_steps(const struct bench_report *report, FILE *to)
{
    unsigned rows[8], count = bench_widest(report, rows);
    fprintf(to, "\n%-16s", "seconds by stage");
    for (unsigned i = 0; i < count; i++) {
        char name[32];
        snprintf(name, sizeof name, "%s %u", report->rows[rows[i]].cell.name,
                 report->rows[rows[i]].cell.workers);
        fprintf(to, " %12s", name);
    }
    fputc('\n', to);
    const json_t *first = steps_of(&report->rows[rows[0]]);
    for (size_t step = 0; step < json_array_size(first); step++) {
        const char *name = json_string_value(json_object_get(json_array_get(first, step), "name"));
        fprintf(to, "%-16s", name ? name : "");
        for (unsigned i = 0; i < count; i++) {
            const json_t *ns = json_object_get(json_array_get(steps_of(&report->rows[rows[i]]), step), "ns");
            fprintf(to, " %12.3f", (double)json_integer_value(ns) / 1e9);
        }
        fputc('\n', to);
    }
}

void bench_text(const struct bench_report *report, bool colour, FILE *to)
{
    char bytes[UNITS_SIZE];
    print_head(report, to);
    fprintf(to, "%-8s %7s %9s %9s %9s %7s %9s %8s %15s %9s %15s\n", "engine", "workers", "median s", "min",
            "max", "spread", "speed-up", "effic.", "user + sys s", "memory", "switches v + i");
    for (unsigned i = 0; i < report->row_count; i++)
        print_row(report, i, colour, to);
    print_steps(report, to);
    fprintf(to,
            "\nMemory is the highest sum of Pss of all processes, sampled every 20 ms in %s runs; times of "
            "stages\nare sums over the workers. Switches are voluntary and involuntary.\n",
            report->memory_beside ? "the counted" : "warm-up");
    fprintf(to, "Outputs are equal in all runs: %" PRIu64 " files, %s, hash %016" PRIx64 ".\n\n",
            report->output_files, units_bytes(report->output_bytes, bytes, sizeof bytes),
            report->output_hash);
    fprintf(to, "%s%s%s\n%s\n%s\n", colour ? "\033[1m" : "", report->verdict.limit, colour ? "\033[0m" : "",
            report->verdict.choice, report->verdict.workers);
}
