/* SPDX-License-Identifier: MIT */
/* Rounds: in each every cell runs once, and each round begins with another cell than the one before, so that
 * whatever drifts on the machine meets all of them alike. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pipeline/bench/bench.h"
#include "pipeline/bench/bench_cache.h"
#include "pipeline/bench/bench_tree.h"
#include "pipeline/run/exit_code.h"
#include "pipeline/shared/machine.h"

/* Trees are kept until the end as long as they take no more than this: on ext4, making files is slow for some
 * seconds after others were removed (it passes over inodes deleted just before), which would be counted
 * against whichever engine runs next. */
#define KEPT_BYTES ((uint64_t)1 << 30)

struct bench {
    struct bench_report *report;
    const bool *follows;
    const struct bench_hooks *hooks;
    char *directory; /* temporary; a tree of outputs for each run */
    unsigned runs;
    uint64_t kept_bytes; /* of trees that were not removed yet */
    struct bench_watch watch;
    struct bench_cache cache;
    struct bench_tree first; /* what the first run made: all others must equal it */
    struct bench_cell first_cell;
    bool has_first;
    int64_t done, failed;
};

static int complain(const struct bench *bench, int exit_code, const char *text)
{
    bench->hooks->complain(text);
    return exit_code;
}

/* The job as one cell runs it; what it points to stays the original's. */
static struct job cell_job(const struct bench *bench, const struct bench_cell *cell, char *output)
{
    struct job job = *bench->report->job;
    job.settings.output = output;
    job.settings.engine = cell->engine;
    job.settings.workers = cell->workers;
    for (unsigned i = 0; i < job.pool_count; i++) {
        if (bench->follows[i])
            job.pools[i].workers = cell->workers;
    }
    snprintf(job.workers_from, sizeof job.workers_from, "-w");
    machine_fit(&job);
    return job;
}

/* Every run must end in the same way: all items done, or the same number failed. */
static int check_counts(struct bench *bench, const struct bench_cell *cell, const struct bench_sample *sample)
{
    char name[64], text[256];
    json_int_t done = 0, failed = 0;
    if (sample->exit_code != EXIT_DONE && sample->exit_code != EXIT_FAILED_ITEMS)
        return sample->exit_code;
    json_unpack(sample->summary, "{s:{s:I,s:I}}", "items", "done", &done, "failed", &failed);
    if (!bench->has_first) {
        bench->done = done;
        bench->failed = failed;
    }
    if (done == bench->done && failed == bench->failed)
        return EXIT_DONE;
    snprintf(text, sizeof text, "results differ: %s: %lld items done and %lld failed, not %lld and %lld",
             bench_plan_name(cell, name, sizeof name), (long long)done, (long long)failed,
             (long long)bench->done, (long long)bench->failed);
    return complain(bench, EXIT_FAILED_ITEMS, text);
}

static int tell_difference(const struct bench *bench, const struct bench_cell *cell, const char *path,
                           const char *how)
{
    char one[64], other[64], *text;
    if (asprintf(&text, "outputs differ: %s %s in the output of %s, compared with %s", path, how,
                 bench_plan_name(cell, one, sizeof one),
                 bench_plan_name(&bench->first_cell, other, sizeof other)) < 0)
        return EXIT_FAILED_ITEMS;
    bench->hooks->complain(text);
    free(text);
    return EXIT_FAILED_ITEMS;
}

static int check_outputs(struct bench *bench, const struct bench_cell *cell, const char *output)
{
    struct bench_tree tree = {0};
    struct error error = {0};
    const char *path, *how;
    int code = EXIT_DONE;
    int found = bench_tree_read(&tree, output, &error);
    bench->kept_bytes += tree.bytes;
    if (found < 0) {
        code = complain(bench, EXIT_FATAL, error.reason);
    } else if (!bench->has_first) {
        bench->first = tree;
        bench->first_cell = *cell;
        bench->has_first = true;
        return EXIT_DONE;
    } else if (!bench_tree_same(&bench->first, &tree, &path, &how)) {
        code = tell_difference(bench, cell, path, how);
    }
    bench_tree_free(&tree);
    return code;
}

static int measure(struct bench *bench, const struct bench_cell *cell, bool warmup, char *output,
                   struct bench_sample *sample)
{
    struct error error = {0};
    char text[512], name[64];
    const struct bench_plan *plan = &bench->report->plan;
    if (plan->cold && bench_cache_drop(&bench->cache, &bench->report->job->settings, &error) < 0)
        return complain(bench, EXIT_FATAL, error.reason);
    const struct job job = cell_job(bench, cell, output);
    bool memory = warmup || plan->warmup == 0;
    int code = bench_measure(sample, &bench->watch, &job, memory, bench->hooks->complain, &error);
    if (bench->watch.signal)
        return 128 + bench->watch.signal;
    if (code < 0) {
        snprintf(text, sizeof text, "%s: %s", bench_plan_name(cell, name, sizeof name), error.reason);
        return complain(bench, EXIT_FATAL, text);
    }
    code = check_counts(bench, cell, sample);
    return code == EXIT_DONE ? check_outputs(bench, cell, output) : code;
}

static int run_cell(struct bench *bench, unsigned index, bool warmup)
{
    struct bench_row *row = &bench->report->rows[index];
    struct bench_sample sample = {0};
    struct error error = {0};
    char *output;
    if (asprintf(&output, "%s/%u-%s-%u", bench->directory, bench->runs++, row->cell.name, row->cell.workers) <
        0)
        return EXIT_RESOURCES;
    int code = measure(bench, &row->cell, warmup, output, &sample);
    if (bench->kept_bytes > KEPT_BYTES && bench_tree_remove(output, &error) < 0 && code == EXIT_DONE)
        code = complain(bench, EXIT_FATAL, error.reason);
    free(output);
    if (code == EXIT_DONE)
        bench->hooks->end(&row->cell, warmup, sample.wall_ns);
    if (sample.peak_bytes > row->peak_bytes)
        row->peak_bytes = sample.peak_bytes;
    if (warmup || code != EXIT_DONE)
        json_decref(sample.summary);
    else
        row->samples[row->count++] = sample;
    return code;
}

static int run_rounds(struct bench *bench)
{
    const struct bench_plan *plan = &bench->report->plan;
    const unsigned rounds = plan->warmup + plan->repeat, total = rounds * plan->cell_count;
    int code = EXIT_DONE;
    for (unsigned at = 0; at < total && code == EXIT_DONE; at++) {
        const unsigned round = at / plan->cell_count, cell = (at + round) % plan->cell_count;
        bench->hooks->begin(&plan->cells[cell], round < plan->warmup, at + 1, total);
        code = run_cell(bench, cell, round < plan->warmup);
    }
    return code;
}

static void describe_cache(struct bench *bench)
{
    struct bench_report *report = bench->report;
    const struct bench_cache *cache = &bench->cache;
    if (!report->plan.cold)
        snprintf(report->cache, sizeof report->cache, "warm: %s",
                 report->plan.warmup ? "the warm-up runs read every input" : "nothing was dropped");
    else
        snprintf(report->cache, sizeof report->cache,
                 "cold: posix_fadvise over %llu inputs before each run; %.0f %% of their pages stayed%s",
                 (unsigned long long)cache->files,
                 cache->pages ? 100.0 * (double)cache->stayed / (double)cache->pages : 0.0,
                 2 * cache->stayed > cache->pages ? ", so this is not cold" : "");
}

static void describe_work(struct bench *bench)
{
    struct bench_report *report = bench->report;
    json_int_t found = 0, failed = 0, bytes_in = 0, pixels = 0;
    json_unpack(report->rows[0].samples[0].summary, "{s:{s:I,s:I},s:I,s:I}", "items", "found", &found,
                "failed", &failed, "bytes_in", &bytes_in, "pixels", &pixels);
    report->items = (uint64_t)found;
    report->failed = (uint64_t)failed;
    report->bytes_in = (uint64_t)bytes_in;
    report->pixels = (uint64_t)pixels;
    report->output_files = bench->first.count;
    report->output_bytes = bench->first.bytes;
    report->output_hash = bench->first.hash;
    report->memory_beside = report->plan.warmup == 0;
    describe_cache(bench);
}

static int make_rows(struct bench *bench)
{
    struct bench_report *report = bench->report;
    for (unsigned i = 0; i < report->plan.cell_count; i++) {
        struct bench_row *row = &report->rows[report->row_count++];
        *row = (struct bench_row){.cell = report->plan.cells[i]};
        row->samples = calloc(report->plan.repeat, sizeof *row->samples);
        if (!row->samples)
            return complain(bench, EXIT_RESOURCES, "out of memory");
    }
    return EXIT_DONE;
}

static int make_directory(struct bench *bench, const char *place)
{
    char text[512];
    if (asprintf(&bench->directory, "%s/.forkmill-bench-XXXXXX", place) < 0) {
        bench->directory = NULL;
        return complain(bench, EXIT_RESOURCES, "out of memory");
    }
    if (mkdtemp(bench->directory))
        return EXIT_DONE;
    snprintf(text, sizeof text, "%.300s: cannot make a directory for the outputs there: %s", place,
             strerror(errno));
    free(bench->directory);
    bench->directory = NULL;
    return complain(bench, EXIT_USAGE, text);
}

int bench_run(struct bench_report *report, const bool follows[], const char *place,
              const struct bench_hooks *hooks)
{
    struct bench bench = {.report = report, .follows = follows, .hooks = hooks};
    struct error error = {0};
    bench_machine_read(&report->machine);
    int code = make_directory(&bench, place);
    if (code == EXIT_DONE)
        code = make_rows(&bench);
    if (code == EXIT_DONE) {
        bench_measure_open(&bench.watch);
        code = run_rounds(&bench);
        bench_measure_close(&bench.watch);
    }
    if (code == EXIT_DONE) {
        describe_work(&bench);
        bench_conclude(report);
    }
    if (bench.directory && bench_tree_remove(bench.directory, &error) < 0)
        hooks->complain(error.reason);
    free(bench.directory);
    bench_tree_free(&bench.first);
    return code;
}
