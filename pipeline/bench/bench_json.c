/* SPDX-License-Identifier: MIT */
/* Keys and units stay as they are from version to version. */
#include <stdlib.h>
#include <string.h>

#include "pipeline/bench/bench.h"
#include "pipeline/report/escape.h"

static json_int_t ns(double seconds)
{
    return (json_int_t)(seconds * 1e9 + 0.5);
}

/* Text that may hold any bytes. */
static json_t *text_json(const char *text)
{
    json_t *plain = json_string(text);
    if (plain)
        return plain;
    const size_t size = 4 * strlen(text) + 4;
    char *escaped = malloc(size);
    if (escaped)
        plain = json_string(escape_text(text, escaped, size));
    free(escaped);
    return plain;
}

static json_t *machine_json(const struct bench_machine *machine)
{
    return json_pack("{s:o,s:i,s:i,s:I,s:o,s:s,s:s,s:s,s:s}", "cpu", text_json(machine->cpu), "cores",
                     (int)machine->cores, "cores_allowed", (int)machine->allowed, "memory_bytes",
                     (json_int_t)machine->memory_bytes, "kernel", text_json(machine->kernel), "compiler",
                     machine->compiler, "build", machine->build, "versions", machine->versions, "load",
                     machine->load);
}

static json_t *stats_json(const struct bench_stats *stats)
{
    return json_pack("{s:I,s:I,s:I,s:I,s:I}", "median", ns(stats->median), "min", ns(stats->min), "max",
                     ns(stats->max), "lower_quartile", ns(stats->low), "upper_quartile", ns(stats->high));
}

static json_t *runs_json(const struct bench_row *row)
{
    json_t *runs = json_array();
    for (unsigned i = 0; i < row->count; i++) {
        const struct bench_sample *sample = &row->samples[i];
        json_array_append_new(
            runs, json_pack("{s:I,s:I,s:I,s:I,s:I,s:I}", "wall_ns", (json_int_t)sample->wall_ns, "user_ns",
                            (json_int_t)sample->user_ns, "system_ns", (json_int_t)sample->system_ns,
                            "voluntary_switches", (json_int_t)sample->voluntary, "involuntary_switches",
                            (json_int_t)sample->involuntary, "idle_ns", (json_int_t)sample->idle_ns));
    }
    return runs;
}

static json_t *positive(double value)
{
    return value > 0 ? json_real(value) : json_null();
}

static json_t *row_json(const struct bench_row *row)
{
    json_t *peak = row->peak_bytes ? json_integer((json_int_t)row->peak_bytes) : json_null();
    /* The summary of the run in the middle holds times by stage, the pools and their series. */
    return json_pack("{s:s,s:i,s:o,s:o,s:f,s:o,s:o,s:I,s:I,s:o,s:I,s:I,s:o,s:O}", "engine", row->cell.name,
                     "workers", (int)row->cell.workers, "wall_ns", stats_json(&row->wall_s), "cpu_ns",
                     stats_json(&row->cpu_s), "spread", bench_stats_spread(&row->wall_s), "speedup",
                     positive(row->speedup), "efficiency", positive(row->efficiency), "user_ns",
                     ns(row->user_s), "system_ns", ns(row->system_s), "sampled_peak_bytes", peak,
                     "voluntary_switches", (json_int_t)row->voluntary, "involuntary_switches",
                     (json_int_t)row->involuntary, "runs", runs_json(row), "median_run",
                     row->samples[row->median_at].summary);
}

static json_t *verdict_json(const struct bench_report *report)
{
    const struct bench_verdict *verdict = &report->verdict;
    const struct bench_cell *cell = &report->rows[verdict->row].cell;
    json_t *ties = json_array();
    for (unsigned i = 0; i < report->row_count; i++) {
        const struct bench_cell *other = &report->rows[i].cell;
        if (i != verdict->row && bench_verdict_ties(report, i))
            json_array_append_new(
                ties, json_pack("{s:s,s:i}", "engine", other->name, "workers", (int)other->workers));
    }
    return json_pack("{s:s,s:s,s:i,s:b,s:o,s:s,s:s,s:s}", "bound", bench_verdict_word(verdict->bound),
                     "engine", cell->name, "workers", (int)cell->workers, "by_fastest",
                     (int)verdict->by_fastest, "ties", ties, "limit", verdict->limit, "choice",
                     verdict->choice, "how_many", verdict->workers);
}

static json_t *report_json(const struct bench_report *report)
{
    char hash[17];
    json_t *command = json_array(), *results = json_array();
    for (int i = 0; i < report->command_count; i++)
        json_array_append_new(command, text_json(report->command[i]));
    for (unsigned i = 0; i < report->row_count; i++)
        json_array_append_new(results, row_json(&report->rows[i]));
    snprintf(hash, sizeof hash, "%016llx", (unsigned long long)report->output_hash);
    return json_pack("{s:s,s:o,s:o,s:{s:I,s:I,s:I,s:I},s:{s:b,s:s},s:i,s:i,s:s,s:{s:b,s:I,s:I,s:s},s:o,s:o}",
                     "version", FORKMILL_VERSION, "command", command, "machine",
                     machine_json(&report->machine), "work", "items", (json_int_t)report->items, "failed",
                     (json_int_t)report->failed, "bytes_in", (json_int_t)report->bytes_in, "pixels",
                     (json_int_t)report->pixels, "cache", "cold", (int)report->plan.cold, "done",
                     report->cache, "repeat", (int)report->plan.repeat, "warmup", (int)report->plan.warmup,
                     "memory_sampled_in", report->memory_beside ? "counted runs" : "warm-up runs", "outputs",
                     "equal", 1, "files", (json_int_t)report->output_files, "bytes",
                     (json_int_t)report->output_bytes, "hash", hash, "results", results, "verdict",
                     verdict_json(report));
}

int bench_json(const struct bench_report *report, FILE *to)
{
    json_t *root = report_json(report);
    int code = root ? 0 : ERROR_MEMORY;
    if (root && (json_dumpf(root, to, JSON_INDENT(2)) < 0 || fputc('\n', to) == EOF || fflush(to) == EOF))
        code = ERROR_IO;
    json_decref(root);
    return code;
}
