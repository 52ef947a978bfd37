/* SPDX-License-Identifier: MIT */
/* What limits the job comes from the accounts of the run in the middle; which engine and how many workers
 * from the times, where a difference that the runs do not bear out counts as none. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "pipeline/bench/bench.h"

/* Runs of one cell that lie further apart than this share of their median say that something else was running
 * beside them. That can only add time, so then the fastest run of each says more than the median. */
#define UNQUIET 0.2

/* Fastest runs that are this near each other count as equal. */
#define UNQUIET_ALIKE 0.05

/* Busy workers use this share of the cores they could have, or something is in their way. */
#define LEAST_USED 0.8

const char *bench_verdict_word(enum bench_bound bound)
{
    static const char *const words[] = {"unknown", "cpu", "io", "memory", "balanced"};
    return words[bound];
}

static double most_spread(const struct bench_report *report)
{
    double most = 0;
    for (unsigned i = 0; i < report->row_count; i++) {
        double spread = bench_stats_spread(&report->rows[i].wall_s);
        most = spread > most ? spread : most;
    }
    return most;
}

/* The time that a row is compared by. */
static double time_s(const struct bench_report *report, const struct bench_row *row)
{
    return report->verdict.by_fastest ? row->wall_s.min : row->wall_s.median;
}

/* Over serial; 0 where that was not run, and for itself. */
static double speedup(const struct bench_report *report, const struct bench_row *row)
{
    for (unsigned i = 0; i < report->row_count; i++) {
        const struct bench_row *other = &report->rows[i];
        if (other != row && other->speedup > 0 && strcmp(other->cell.name, "serial") == 0)
            return time_s(report, other) / time_s(report, row);
    }
    return 0;
}

static unsigned fastest(const struct bench_report *report)
{
    unsigned best = 0;
    for (unsigned i = 1; i < report->row_count; i++) {
        if (time_s(report, &report->rows[i]) < time_s(report, &report->rows[best]))
            best = i;
    }
    return best;
}

bool bench_verdict_ties(const struct bench_report *report, unsigned row)
{
    const struct bench_stats *a = &report->rows[row].wall_s, *b = &report->rows[fastest(report)].wall_s;
    return report->verdict.by_fastest ? a->min <= b->min * (1 + UNQUIET_ALIKE) : bench_stats_alike(a, b);
}

/* Of those as fast as the fastest the one that takes least: fewest workers, and then in the order of the
 * setting, which begins with processes, as a crash costs them one item and the others the run. */
static unsigned recommended(const struct bench_report *report)
{
    unsigned best = fastest(report);
    for (unsigned i = 0; i < report->row_count; i++) {
        const struct bench_cell *a = &report->rows[i].cell, *b = &report->rows[best].cell;
        if (bench_verdict_ties(report, i) &&
            (a->workers < b->workers || (a->workers == b->workers && a->engine < b->engine)))
            best = i;
    }
    return best;
}

static enum bench_bound bound_of(const char *word)
{
    static const struct {
        const char *word;
        enum bench_bound bound;
    } bounds[] = {{"cpu", BENCH_CPU},    {"reader", BENCH_IO},     {"writer", BENCH_IO},
                  {"listing", BENCH_IO}, {"memory", BENCH_MEMORY}, {"balanced", BENCH_BALANCED}};
    for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++) {
        if (strcmp(word, bounds[i].word) == 0)
            return bounds[i].bound;
    }
    return BENCH_UNKNOWN;
}

static void append(char *text, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

static void append(char *text, size_t size, const char *format, ...)
{
    va_list arguments;
    size_t used = strlen(text);
    va_start(arguments, format);
    vsnprintf(text + used, size - used, format, arguments);
    va_end(arguments);
}

/* The run whose account is believed. */
static const struct bench_sample *telling_run(const struct bench_report *report, const struct bench_row *row)
{
    const struct bench_sample *best = &row->samples[report->verdict.by_fastest ? 0 : row->median_at];
    for (unsigned i = 1; i < row->count && report->verdict.by_fastest; i++) {
        if (row->samples[i].wall_ns < best->wall_ns)
            best = &row->samples[i];
    }
    return best;
}

/* Workers that are busy and use no processor either wait inside their stages, and then processors are idle,
 * or were kept off them by somebody else, and then none is. */
static bool waits_in_stages(const struct bench_sample *run, double wanted_s)
{
    const double unused_s = wanted_s - (double)(run->user_ns + run->system_ns) / 1e9;
    return (double)run->idle_ns / 1e9 > unused_s / 2;
}

static void find_limit(struct bench_report *report, const struct bench_row *row)
{
    const char *bound = "", *text = "nothing is known about it";
    struct bench_verdict *verdict = &report->verdict;
    const size_t size = sizeof verdict->limit;
    const unsigned allowed = report->machine.allowed;
    const unsigned wanted = row->cell.workers < allowed ? row->cell.workers : allowed;
    const struct bench_sample *run = telling_run(report, row);
    const double wall_s = (double)run->wall_ns / 1e9;
    const double used = wall_s > 0 ? (double)(run->user_ns + run->system_ns) / 1e9 / wall_s : 0;
    json_unpack(run->summary, "{s:s,s:s}", "bound", &bound, "verdict", &text);
    verdict->bound = bound_of(bound);
    /* Of what the run says, the advice about workers is left out: here they were tried. */
    snprintf(verdict->limit, size, "%.*s.",
             (int)(verdict->bound == BENCH_CPU ? strcspn(text, ";") : strlen(text)), text);
    verdict->limit[0] = (char)toupper((unsigned char)verdict->limit[0]);
    const char *why = "";
    if (verdict->bound == BENCH_CPU && used < LEAST_USED * wanted) {
        why = " Its workers were ready for more: something else was using the cores.";
        if (waits_in_stages(run, wanted * wall_s)) {
            verdict->bound = BENCH_IO;
            snprintf(verdict->limit, size, "I/O-bound: workers are busy and wait inside their stages.");
            why = "";
        }
    }
    append(verdict->limit, size, " %.2f of %u allowed core%s kept busy.%s", used, allowed,
           allowed == 1 ? " was" : "s were", why);
}

static void append_ties(struct bench_report *report, const struct bench_row *row)
{
    char *text = report->verdict.choice, name[64];
    const size_t size = sizeof report->verdict.choice;
    const char *gap = " As fast, as far as these runs can tell: ";
    for (unsigned i = 0; i < report->row_count; i++) {
        const struct bench_row *other = &report->rows[i];
        if (other == row || !bench_verdict_ties(report, i))
            continue;
        append(text, size, "%s%s (%+.1f %%)", gap, bench_plan_name(&other->cell, name, sizeof name),
               100 * (time_s(report, other) / time_s(report, row) - 1));
        gap = "; ";
    }
    if (*gap == ';')
        append(text, size, ".");
}

static void find_choice(struct bench_report *report, const struct bench_row *row)
{
    char *text = report->verdict.choice;
    const size_t size = sizeof report->verdict.choice;
    snprintf(text, size, "Take engine %s: %.3g s", row->cell.name, time_s(report, row));
    if (report->verdict.by_fastest)
        append(text, size, " (fastest of %u runs)", row->count);
    else if (row->count > 1)
        append(text, size, " (median of %u runs, which lie %.0f %% apart)", row->count,
               100 * bench_stats_spread(&row->wall_s));
    if (speedup(report, row) > 0)
        append(text, size, ", %.2f times as fast as serial", speedup(report, row));
    append(text, size, ".");
    append_ties(report, row);
    if (report->verdict.by_fastest)
        append(text, size,
               " The machine was not quiet: runs of one kind lie up to %.0f %% apart, so the fastest of each "
               "were compared. Repeat this before relying on it.",
               100 * most_spread(report));
    else if (row->count == 1)
        append(text, size, " One run of each says nothing about spread.");
}

/* The same engine with the most workers that were tried. */
static const struct bench_row *widest(const struct bench_report *report, const struct bench_row *row)
{
    const struct bench_row *best = row;
    for (unsigned i = 0; i < report->row_count; i++) {
        const struct bench_row *other = &report->rows[i];
        if (other->cell.engine == row->cell.engine && other->cell.workers > best->cell.workers)
            best = other;
    }
    return best;
}

static void find_workers(struct bench_report *report, const struct bench_row *row)
{
    char *text = report->verdict.workers;
    const size_t size = sizeof report->verdict.workers;
    const struct bench_row *most = widest(report, row);
    const unsigned workers = row->cell.workers, allowed = report->machine.allowed;
    const double change = time_s(report, most) / time_s(report, row) - 1;
    if (strcmp(row->cell.name, "serial") == 0) {
        snprintf(text, size, "One thread alone: more gain nothing here.");
        return;
    }
    snprintf(text, size, "Give it %u worker%s", workers, workers == 1 ? "" : "s");
    if (workers > 1 && speedup(report, row) > 0)
        append(text, size, ", at an efficiency of %.2f", speedup(report, row) / workers);
    if (most != row && change > 0)
        append(text, size, ": with %u it took %.1f %% longer.", most->cell.workers, 100 * change);
    else if (most != row)
        append(text, size, ": with %u it took %.1f %% less, which is within the noise.", most->cell.workers,
               -100 * change);
    else if (workers < allowed)
        append(text, size, "; more were not tried, and %u cores are allowed.", allowed);
    else if (report->verdict.bound != BENCH_CPU)
        append(text, size, "; more were not tried, and what waits needs no core.");
    else
        append(text, size, "; there are no more cores allowed (%u).", allowed);
}

void bench_verdict_find(struct bench_report *report)
{
    report->verdict = (struct bench_verdict){.by_fastest = most_spread(report) > UNQUIET};
    report->verdict.row = recommended(report);
    const struct bench_row *row = &report->rows[report->verdict.row];
    find_limit(report, row);
    find_choice(report, row);
    find_workers(report, row);
}
