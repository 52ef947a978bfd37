/* SPDX-License-Identifier: MIT */
#include "pipeline/report/summary.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/report/escape.h"
#include "pipeline/report/units.h"

void summary_fail(struct summary *summary, const char *path, const struct error *error, unsigned attempts)
{
    summary->failed++;
    if (summary->failure_count >= SUMMARY_KEPT_FAILURES)
        return;
    if (!summary->failures) {
        summary->failures = calloc(SUMMARY_KEPT_FAILURES, sizeof *summary->failures);
        if (!summary->failures)
            return;
    }
    char *copy = strdup(path);
    if (!copy)
        return;
    summary->failures[summary->failure_count++] =
        (struct summary_failure){.path = copy, .error = *error, .attempts = attempts};
}

void summary_free(struct summary *summary)
{
    for (size_t i = 0; i < summary->failure_count; i++)
        free(summary->failures[i].path);
    free(summary->failures);
    summary->failures = NULL;
    summary->failure_count = 0;
    series_free(&summary->series);
}

static unsigned share(uint64_t part_ns, uint64_t whole_ns)
{
    return whole_ns ? (unsigned)(100.0 * (double)part_ns / (double)whole_ns + 0.5) : 0;
}

const char *summary_left_out(const struct scan_counts *left, char *text, size_t size)
{
    const struct {
        uint64_t count;
        const char *text;
    } reasons[] = {
        {left->left_names, "with another extension"},
        {left->left_rules, "by include or exclude"},
        {left->left_hidden, "hidden"},
        {left->left_directories, "subdirectories"},
        {left->notes, "not regular files"},
    };
    size_t used = 0;
    *text = '\0';
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0] && used < size; i++) {
        if (reasons[i].count)
            used += (size_t)snprintf(text + used, size - used, "%s%" PRIu64 " %s", used ? ", " : "",
                                     reasons[i].count, reasons[i].text);
    }
    return text;
}

static void print_counts(const struct summary *s, FILE *to, int verbosity)
{
    char left[SUMMARY_LEFT_OUT_SIZE];
    fprintf(to, "items     %" PRIu64 " done, %" PRIu64 " failed, %" PRIu64 " skipped, of %" PRIu64 "\n",
            s->done, s->failed, s->skipped, s->found);
    if (*summary_left_out(&s->listing, left, sizeof left))
        fprintf(to, "left out  %s\n", left);
    if (s->warnings)
        fprintf(to, "warnings  %" PRIu64 "%s\n", s->warnings, verbosity > 0 ? "" : "; -v shows them all");
}

static void print_throughput(const struct summary *s, FILE *to)
{
    char time[UNITS_SIZE], items[UNITS_SIZE], pixels[UNITS_SIZE], in[UNITS_SIZE], out[UNITS_SIZE];
    const double wall_s = s->wall_ns ? (double)s->wall_ns / 1e9 : 1;
    fprintf(to, "time      %s, %s items/s, %s MP/s, read %s, wrote %s\n",
            units_duration(s->wall_ns, time, sizeof time),
            units_rate((double)(s->done + s->failed) / wall_s, items, sizeof items),
            units_rate((double)s->pixels / 1e6 / wall_s, pixels, sizeof pixels),
            units_bytes(s->bytes_in, in, sizeof in), units_bytes(s->bytes_out, out, sizeof out));
}

static void print_where(const struct summary *s, FILE *to)
{
    if (s->remark && *s->remark)
        fprintf(to, "engine    %s, %s\n", s->engine, s->remark);
    const struct summary_reader *r = &s->reader;
    const uint64_t reader_ns = s->wall_ns; /* it has nothing to do once everything is read */
    fprintf(to, "reader    busy %u %%, listing %u %%, waiting for memory %u %%, for room %u %%\n",
            share(r->busy_ns, reader_ns), share(r->listing_ns, reader_ns), share(r->memory_ns, reader_ns),
            share(r->blocked_ns, reader_ns));
    for (unsigned i = 0; i < s->pool_count; i++) {
        const struct summary_pool *p = &s->pools[i];
        const uint64_t total_ns = p->busy_ns + p->starved_ns + p->blocked_ns;
        fprintf(to, "pool %-4s busy %u %%, starved %u %%, blocked %u %%; %u worker%s, %" PRIu64 " item%s\n",
                p->name, share(p->busy_ns, total_ns), share(p->starved_ns, total_ns),
                share(p->blocked_ns, total_ns), p->workers, p->workers == 1 ? "" : "s", p->items,
                p->items == 1 ? "" : "s");
    }
    const uint64_t writer_ns = s->writer.busy_ns + s->writer.starved_ns;
    fprintf(to, "writer    busy %u %%\n", share(s->writer.busy_ns, writer_ns));
}

static void print_steps(const struct summary *s, FILE *to)
{
    uint64_t total_ns = 0;
    for (unsigned i = 0; i < s->step_count; i++)
        total_ns += s->steps[i].ns;
    for (unsigned i = 0; i < s->step_count && total_ns > 0; i++) {
        char time[UNITS_SIZE];
        fprintf(to, "%s%s %u %% (%s)", i ? ", " : "steps     ", s->steps[i].name,
                share(s->steps[i].ns, total_ns), units_duration(s->steps[i].ns, time, sizeof time));
    }
    if (total_ns > 0)
        fputc('\n', to);
}

static void print_resources(const struct summary *s, FILE *to)
{
    char peak[UNITS_SIZE], allowed[UNITS_SIZE];
    fprintf(to, "memory    %s in flight at most, of %s\n",
            units_memory(s->peak_in_flight_bytes, peak, sizeof peak),
            units_memory(s->memory_bytes, allowed, sizeof allowed));
    if (s->deaths || s->retries || s->recycled)
        fprintf(to, "workers   %" PRIu64 " died, %" PRIu64 " retired; %" PRIu64 " item%s sent round again\n",
                s->deaths, s->recycled, s->retries, s->retries == 1 ? "" : "s");
}

static void print_failures(const struct summary *s, FILE *to)
{
    char path[4096], reason[1024];
    size_t shown = s->failure_count < SUMMARY_SHOWN_FAILURES ? s->failure_count : SUMMARY_SHOWN_FAILURES;
    if (s->failed)
        fprintf(to, "failed:\n");
    for (size_t i = 0; i < shown; i++) {
        const struct summary_failure *f = &s->failures[i];
        char stage[sizeof f->error.stage * 4];
        fprintf(to, "  %s: %s%s%s", escape_text(f->path, path, sizeof path),
                escape_text(f->error.stage, stage, sizeof stage), f->error.stage[0] ? ": " : "",
                escape_text(f->error.reason, reason, sizeof reason));
        fputc('\n', to);
    }
    if (s->failed > shown)
        fprintf(to, "  and %" PRIu64 " more%s%s\n", s->failed - shown,
                s->journal ? "; all of them: forkmill report --failed " : "",
                s->journal ? escape_text(s->output, path, sizeof path) : "");
}

void summary_print(const struct summary *summary, FILE *to, int verbosity)
{
    if (verbosity >= 0) {
        char verdict[256];
        print_counts(summary, to, verbosity);
        print_throughput(summary, to);
        print_where(summary, to);
        if (verbosity > 0)
            print_steps(summary, to);
        print_resources(summary, to);
        summary_verdict(summary, verdict, sizeof verdict);
        fprintf(to, "%s\n", verdict);
    }
    if (!summary->failures_in_sight)
        print_failures(summary, to);
    fflush(to);
}
