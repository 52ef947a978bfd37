/* SPDX-License-Identifier: MIT */
/* The page of a bench. */
#include <inttypes.h>

#include "pipeline/bench/bench_chart.h"
#include "pipeline/report/page.h"
#include "pipeline/report/units.h"

static void page_head(const struct bench_report *report, FILE *to)
{
    page_begin("forkmill bench", to);
    fprintf(to,
            "<p class=\"soft\">%u ways to run one job, "
            "%u run%s of each, taken in turns; outputs equal in all of them.</p>\n",
            report->row_count, report->plan.repeat, report->plan.repeat == 1 ? "" : "s");
    fputs("<section class=\"verdict\"><p>", to);
    page_escape(report->verdict.limit, to);
    fputs("</p><p>", to);
    page_escape(report->verdict.choice, to);
    fputs("</p><p>", to);
    page_escape(report->verdict.workers, to);
    fputs("</p></section>\n", to);
}

static void table_row(const struct bench_report *report, unsigned index, FILE *to)
{
    const struct bench_row *row = &report->rows[index];
    const int digits = row->wall_s.min < 0.1 ? 5 : 3;
    char memory[UNITS_SIZE];
    fprintf(to, "<tr%s><td>%s</td><td>%u</td><td>%.*f</td><td>%.*f</td><td>%.*f</td><td>%.0f&nbsp;%%</td>",
            index == report->verdict.row ? " class=\"best\"" : "", row->cell.name, row->cell.workers, digits,
            row->wall_s.median, digits, row->wall_s.min, digits, row->wall_s.max,
            100 * bench_stats_spread(&row->wall_s));
    if (row->speedup > 0)
        fprintf(to, "<td>%.2f</td><td>%.2f</td>", row->speedup, row->efficiency);
    else
        fputs("<td>-</td><td>-</td>", to);
    fprintf(to, "<td>%.2f</td><td>%.2f</td><td>%s</td><td>%.0f</td><td>%.0f</td></tr>\n", row->user_s,
            row->system_s, row->peak_bytes ? units_memory(row->peak_bytes, memory, sizeof memory) : "-",
            row->voluntary, row->involuntary);
}

static void table(const struct bench_report *report, FILE *to)
{
    fputs("<h2>Figures</h2><div class=\"wide\"><table><thead><tr><th>engine</th><th>workers</th>"
          "<th>median s</th><th>min</th><th>max</th><th>spread</th><th>speed-up</th><th>efficiency</th>"
          "<th>user s</th><th>system s</th><th>memory</th><th>switches</th><th>forced</th></tr></thead>"
          "<tbody>\n",
          to);
    for (unsigned i = 0; i < report->row_count; i++)
        table_row(report, i, to);
    fprintf(to,
            "</tbody></table></div>\n<p class=\"soft\">Times and switches are medians over the runs, of all "
            "processes of a run. Spread is (max &minus; min) / median; efficiency is speed-up / workers. "
            "Memory is the highest sum of Pss of all processes, sampled every 20 ms in %s runs. Switches "
            "are context switches: voluntary, and forced by the scheduler.</p>\n",
            report->memory_beside ? "the counted" : "the warm-up");
}

static void term(const char *name, const char *text, FILE *to)
{
    fprintf(to, "<dt>%s</dt><dd>", name);
    page_escape(text, to);
    fputs("</dd>\n", to);
}

static void circumstances(const struct bench_report *report, FILE *to)
{
    const struct bench_machine *machine = &report->machine;
    char text[512], in[UNITS_SIZE], out[UNITS_SIZE], memory[UNITS_SIZE], pixels[UNITS_SIZE];
    fputs("<h2>Circumstances</h2><div class=\"wide\"><dl>\n<dt>command</dt><dd><code>", to);
    for (int i = 0; i < report->command_count; i++) {
        fputs(i ? " " : "", to);
        page_escape(report->command[i], to);
    }
    fputs("</code></dd>\n", to);
    snprintf(text, sizeof text, "%" PRIu64 " items, %" PRIu64 " of them failed; %s MP, %s read, %s written",
             report->items, report->failed, units_rate((double)report->pixels / 1e6, pixels, sizeof pixels),
             units_bytes(report->bytes_in, in, sizeof in),
             units_bytes(report->output_bytes, out, sizeof out));
    term("work", text, to);
    snprintf(text, sizeof text, "%" PRIu64 " files, hash %016" PRIx64, report->output_files,
             report->output_hash);
    term("outputs", text, to);
    snprintf(text, sizeof text, "%u warm-up and %u counted; each round begins with another one",
             report->plan.warmup, report->plan.repeat);
    term("rounds", text, to);
    term("page cache", report->cache, to);
    snprintf(text, sizeof text, "%s, %u of %u cores allowed, %s", machine->cpu, machine->allowed,
             machine->cores, units_memory(machine->memory_bytes, memory, sizeof memory));
    term("machine", text, to);
    term("kernel", machine->kernel, to);
    term("load before", machine->load, to);
    snprintf(text, sizeof text, "%s; %s; %s", machine->versions, machine->compiler, machine->build);
    term("build", text, to);
    fputs("</dl></div>\n", to);
}

int bench_html(const struct bench_report *report, FILE *to)
{
    page_head(report, to);
    fputs("<section class=\"charts\">\n", to);
    fputs("<div>\n", to);
    bench_chart_times(report, to);
    bench_chart_stages(report, to);
    fputs("</div><div>\n", to);
    bench_chart_speedup(report, to);
    fputs("</div>\n", to);
    bench_chart_pools(report, to);
    fputs("</section>\n", to);
    table(report, to);
    circumstances(report, to);
    return page_end(to);
}
