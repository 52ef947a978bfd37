/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "pipeline/report/escape.h"
#include "pipeline/report/history.h"
#include "pipeline/report/units.h"

#define SHOWN_RUNS     10u
#define SHOWN_FAILURES 20u

const char *history_time(int64_t ns, char *out, size_t size)
{
    const time_t seconds = (time_t)(ns / 1000000000);
    struct tm local;
    if (ns <= 0 || !localtime_r(&seconds, &local) || strftime(out, size, "%Y-%m-%d %H:%M:%S", &local) == 0)
        snprintf(out, size, "-");
    return out;
}

/* Writes a text of any length safely. */
static void put(const char *text, FILE *to)
{
    const size_t size = 4 * strlen(text) + 4;
    char *safe = malloc(size);
    if (safe)
        fputs(escape_text(text, safe, size), to);
    free(safe);
}

static void print_counts(const struct history *h, FILE *to)
{
    char in[UNITS_SIZE], out[UNITS_SIZE];
    fprintf(to, "items     %" PRIu64 " done, %" PRIu64 " failed\n", h->done, h->failed);
    fprintf(to, "outputs   %" PRIu64 " files, %s, of %s\n", h->outputs,
            units_bytes(h->bytes_out, out, sizeof out), units_bytes(h->bytes_in, in, sizeof in));
    if (h->warnings)
        fprintf(to, "warnings  %" PRIu64 "\n", h->warnings);
    const char *gap = "failed    ";
    for (int code = 0; code >= ERROR_LAST; code--) {
        if (h->classes[-code].count) {
            fprintf(to, "%s%" PRIu64 " %s", gap, h->classes[-code].count, h->classes[-code].name);
            gap = ", ";
        }
    }
    if (*gap == ',')
        fputc('\n', to);
}

static void print_run(const struct history_run *run, FILE *to)
{
    char began[32], lasted[UNITS_SIZE] = "-", how[4 * sizeof run->how];
    if (run->ended_ns > run->began_ns)
        units_duration((uint64_t)(run->ended_ns - run->began_ns), lasted, sizeof lasted);
    fprintf(to, "  %-19s  %-12s  %-12s", history_time(run->began_ns, began, sizeof began), lasted,
            escape_text(run->how, how, sizeof how));
    if (run->counted)
        fprintf(to, "  %8" PRIu64 "  %8" PRIu64 "  %8" PRIu64 "  %4d", run->done, run->skipped, run->failed,
                run->exit_code);
    fputc('\n', to);
}

static void print_runs(const struct history *h, FILE *to)
{
    const size_t first = h->run_count > SHOWN_RUNS ? h->run_count - SHOWN_RUNS : 0;
    fprintf(to, "runs      %zu%s\n", h->run_count, first ? ", the last of them:" : "");
    fprintf(to, "  %-19s  %-12s  %-12s  %8s  %8s  %8s  %4s\n", "began", "lasted", "end", "done", "skipped",
            "failed", "code");
    for (size_t i = first; i < h->run_count; i++)
        print_run(&h->runs[i], to);
}

static void print_steps(const struct history *h, FILE *to)
{
    char time[UNITS_SIZE], name[4 * sizeof h->steps[0].name];
    for (unsigned i = 0; i < h->step_count; i++)
        fprintf(to, "%s%s %s", i ? ", " : "steps     ", escape_text(h->steps[i].name, name, sizeof name),
                units_duration(h->steps[i].ns, time, sizeof time));
    if (h->step_count)
        fputc('\n', to);
}

static void print_slowest(const struct history *h, FILE *to)
{
    char time[UNITS_SIZE];
    for (unsigned i = 0; i < HISTORY_SLOWEST && h->slowest[i].path; i++) {
        fprintf(to, "%s  %s  ", i ? "" : "slowest:\n", units_duration(h->slowest[i].ns, time, sizeof time));
        put(h->slowest[i].path, to);
        fputs(" (most of it ", to);
        put(h->slowest[i].step, to);
        fputs(")\n", to);
    }
}

static void print_failure(const struct history_failure *failure, FILE *to)
{
    put(failure->path, to);
    fputs(": ", to);
    put(failure->kind, to);
    fputs(": ", to);
    put(failure->stage, to);
    fputs(*failure->stage ? ": " : "", to);
    put(failure->reason, to);
    if (failure->attempts > 1)
        fprintf(to, " (%u attempts)", failure->attempts);
    fputc('\n', to);
}

void history_print_failures(const struct history *history, FILE *to)
{
    for (size_t i = 0; i < history->failure_count; i++)
        print_failure(&history->failures[i], to);
}

void history_print(const struct history *history, const char *output, FILE *to)
{
    fputs("journal   ", to);
    put(output, to);
    fputc('\n', to);
    print_counts(history, to);
    print_runs(history, to);
    print_steps(history, to);
    print_slowest(history, to);
    const size_t shown = history->failure_count < SHOWN_FAILURES ? history->failure_count : SHOWN_FAILURES;
    for (size_t i = 0; i < shown; i++) {
        fputs(i ? "  " : "failed:\n  ", to);
        print_failure(&history->failures[i], to);
    }
    if (shown < history->failure_count)
        fprintf(to, "  and %zu more, which --failed lists\n", history->failure_count - shown);
}
