/* SPDX-License-Identifier: MIT */
#include <inttypes.h>

#include "pipeline/report/history.h"
#include "pipeline/report/page.h"
#include "pipeline/report/units.h"

static void cell(const char *text, FILE *to)
{
    fputs("<td>", to);
    page_escape(text, to);
    fputs("</td>", to);
}

static void count(uint64_t number, FILE *to)
{
    fprintf(to, "<td>%" PRIu64 "</td>", number);
}

static void table_begin(const char *title, const char *const *heads, FILE *to)
{
    fprintf(to, "<h2>%s</h2><div class=\"wide\"><table><thead><tr>", title);
    for (; *heads; heads++)
        fprintf(to, "<th>%s</th>", *heads);
    fputs("</tr></thead><tbody>\n", to);
}

static void table_end(FILE *to)
{
    fputs("</tbody></table></div>\n", to);
}

static void verdict(const struct history *h, FILE *to)
{
    char in[UNITS_SIZE], out[UNITS_SIZE];
    const char *gap = "</p><p>Failed: ";
    fprintf(to,
            "<section class=\"verdict\"><p>%" PRIu64 " items done, %" PRIu64 " failed</p><p>%" PRIu64
            " files of %s made of %s; %" PRIu64 " items with warnings",
            h->done, h->failed, h->outputs, units_bytes(h->bytes_out, out, sizeof out),
            units_bytes(h->bytes_in, in, sizeof in), h->warnings);
    for (int code = 0; code >= ERROR_LAST; code--) {
        if (h->classes[-code].count) {
            fprintf(to, "%s%" PRIu64 " %s", gap, h->classes[-code].count, h->classes[-code].name);
            gap = ", ";
        }
    }
    fputs("</p></section>\n", to);
}

static void failures(const struct history *h, FILE *to)
{
    static const char *const heads[] = {"item", "kind", "stage", "reason", "attempts", NULL};
    if (h->failure_count == 0)
        return;
    table_begin("Failed", heads, to);
    for (size_t i = 0; i < h->failure_count; i++) {
        const struct history_failure *failure = &h->failures[i];
        fputs("<tr>", to);
        cell(failure->path, to);
        cell(failure->kind, to);
        cell(failure->stage, to);
        cell(failure->reason, to);
        count(failure->attempts, to);
        fputs("</tr>\n", to);
    }
    table_end(to);
}

static void runs(const struct history *h, FILE *to)
{
    static const char *const heads[] = {"began",   "lasted", "end",       "found", "done",
                                        "skipped", "failed", "exit code", NULL};
    table_begin("Runs", heads, to);
    for (size_t i = h->run_count; i-- > 0;) {
        const struct history_run *run = &h->runs[i];
        char began[32], lasted[UNITS_SIZE] = "-";
        if (run->ended_ns > run->began_ns)
            units_duration((uint64_t)(run->ended_ns - run->began_ns), lasted, sizeof lasted);
        fputs("<tr>", to);
        cell(history_time(run->began_ns, began, sizeof began), to);
        cell(lasted, to);
        cell(run->how, to);
        if (run->counted) {
            count(run->found, to);
            count(run->done, to);
            count(run->skipped, to);
            count(run->failed, to);
            fprintf(to, "<td>%d</td>", run->exit_code);
        } else {
            fputs("<td>-</td><td>-</td><td>-</td><td>-</td><td>-</td>", to);
        }
        fputs("</tr>\n", to);
    }
    table_end(to);
}

static void steps(const struct history *h, FILE *to)
{
    static const char *const heads[] = {"step", "time of all workers", "items", "per item", NULL};
    table_begin("Steps", heads, to);
    for (unsigned i = 0; i < h->step_count; i++) {
        const struct history_step *step = &h->steps[i];
        char whole[UNITS_SIZE], each[UNITS_SIZE];
        fputs("<tr>", to);
        cell(step->name, to);
        cell(units_duration(step->ns, whole, sizeof whole), to);
        count(step->items, to);
        cell(units_duration(step->items ? step->ns / step->items : 0, each, sizeof each), to);
        fputs("</tr>\n", to);
    }
    table_end(to);
}

static void slowest(const struct history *h, FILE *to)
{
    static const char *const heads[] = {"item", "time", "most of it", NULL};
    table_begin("Slowest items", heads, to);
    for (unsigned i = 0; i < HISTORY_SLOWEST && h->slowest[i].path; i++) {
        char time[UNITS_SIZE];
        fputs("<tr>", to);
        cell(h->slowest[i].path, to);
        cell(units_duration(h->slowest[i].ns, time, sizeof time), to);
        cell(h->slowest[i].step, to);
        fputs("</tr>\n", to);
    }
    table_end(to);
}

int history_html(const struct history *history, const char *output, FILE *to)
{
    page_begin("forkmill report", to);
    fputs("<p class=\"soft\">", to);
    page_escape(output, to);
    fputs("</p>\n", to);
    verdict(history, to);
    failures(history, to);
    runs(history, to);
    steps(history, to);
    slowest(history, to);
    return page_end(to);
}
