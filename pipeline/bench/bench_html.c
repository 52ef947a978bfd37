/* SPDX-License-Identifier: MIT */
/* The page: no script, no request, and a policy that forbids both. */
#include <inttypes.h>

#include "pipeline/bench/bench_chart.h"
#include "pipeline/report/units.h"

static const char style[] =
    ":root{color-scheme:light dark;--page:#f6f7f9;--card:#fff;--ink:#1b1f24;--soft:#59636e;--line:#dfe3e8;"
    "--process:#1f6feb;--thread:#c4570a;--openmp:#0b7f61;--serial:#6a737d;--busy:#1f6feb;--starved:#c9d4e3;"
    "--blocked:#e5894a;--s0:#1f6feb;--s1:#c4570a;--s2:#0b7f61;--s3:#8a4fd0;--s4:#b8860b;--s5:#c2185b;"
    "--s6:#0e8fa8;--s7:#8b949e;--best:#eaf2ff}\n"
    "@media (prefers-color-scheme:dark){:root{--page:#0f1318;--card:#181d24;--ink:#e6eaef;--soft:#9aa5b1;"
    "--line:#2e3640;--process:#6aa9ff;--thread:#ff9f5a;--openmp:#45cba4;--serial:#a3adb8;--busy:#4f94f5;"
    "--starved:#36424f;--blocked:#d9823f;--s0:#6aa9ff;--s1:#ff9f5a;--s2:#45cba4;--s3:#bb8cf2;--s4:#e0b341;"
    "--s5:#f26d9d;--s6:#4cc5dc;--s7:#7d8894;--best:#1d2b40}}\n"
    "*{box-sizing:border-box}body{margin:0;background:var(--page);color:var(--ink);"
    "font:15px/1.5 system-ui,-apple-system,\"Segoe UI\",\"DejaVu Sans\",sans-serif}\n"
    "main{max-width:1080px;margin:0 auto;padding:24px 16px 48px}h1{font-size:24px;margin:0 0 4px}"
    "h2{font-size:17px;margin:28px 0 8px}p{margin:6px 0}.soft{color:var(--soft)}\n"
    ".verdict,figure,.wide{background:var(--card);border:1px solid var(--line);border-radius:10px;"
    "padding:16px 18px;margin:0}.verdict{margin:16px 0;border-left:5px solid var(--process)}"
    ".verdict p:first-child{font-size:17px;font-weight:600}\n"
    ".charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,430px),1fr));gap:16px;align-"
    "items:start}"
    ".charts>div{display:flex;flex-direction:column;gap:16px}.charts>figure{grid-column:1/-1}"
    ".panels{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,400px),1fr));gap:6px 24px}"
    "figcaption{margin-bottom:8px;color:var(--soft)}figcaption b{color:var(--ink)}\n"
    "svg{display:block;width:100%;height:auto}svg text{fill:var(--ink);font-size:12.5px}"
    "svg .tick{fill:var(--soft);font-size:11.5px}svg .value{font-variant-numeric:tabular-nums}"
    ".grid{stroke:var(--line)}.ideal{stroke:var(--soft);stroke-dasharray:4 4}.line{stroke-width:2}"
    ".thin{stroke-width:1.5;opacity:.6}.dot{opacity:.45}\n"
    ".process{fill:var(--process);stroke:var(--process)}.thread{fill:var(--thread);stroke:var(--thread)}"
    ".openmp{fill:var(--openmp);stroke:var(--openmp)}.serial{fill:var(--serial);stroke:var(--serial)}"
    ".dot,rect.process,rect.thread,rect.openmp,rect.serial{stroke:none}\n"
    ".busy{fill:var(--busy)}.starved{fill:var(--starved)}.blocked{fill:var(--blocked)}"
    ".stage0{fill:var(--s0)}.stage1{fill:var(--s1)}.stage2{fill:var(--s2)}.stage3{fill:var(--s3)}"
    ".stage4{fill:var(--s4)}.stage5{fill:var(--s5)}.stage6{fill:var(--s6)}.stage7{fill:var(--s7)}\n"
    ".key{display:flex;flex-wrap:wrap;gap:4px 16px;margin-top:8px;font-size:13px;color:var(--soft)}"
    ".key i{display:inline-block;width:11px;height:11px;border-radius:3px;margin-right:6px}"
    "i.process{background:var(--process)}i.thread{background:var(--thread)}i.openmp{background:var(--openmp)}"
    ".key i.dashes{width:18px;height:0;border-top:2px dashed "
    "var(--soft);border-radius:0;vertical-align:middle}"
    "i.serial{background:var(--serial)}i.busy{background:var(--busy)}i.starved{background:var(--starved)}"
    "i.blocked{background:var(--blocked)}i.stage0{background:var(--s0)}i.stage1{background:var(--s1)}"
    "i.stage2{background:var(--s2)}i.stage3{background:var(--s3)}i.stage4{background:var(--s4)}"
    "i.stage5{background:var(--s5)}i.stage6{background:var(--s6)}i.stage7{background:var(--s7)}\n"
    ".wide{overflow-x:auto;padding:6px 10px}table{border-collapse:collapse;width:100%;font-size:13.5px;"
    "font-variant-numeric:tabular-nums}th,td{padding:6px 8px;text-align:right;white-space:nowrap;"
    "border-bottom:1px solid var(--line)}th{color:var(--soft);font-weight:600}tr:last-child td{border:0}"
    "th:first-child,td:first-child{text-align:left}tr.best td{background:var(--best);font-weight:600}\n"
    "dl{display:grid;grid-template-columns:max-content 1fr;gap:4px 18px;margin:0}dt{color:var(--soft)}"
    "dd{margin:0;overflow-wrap:anywhere}code{font:13px/1.5 ui-monospace,\"DejaVu Sans Mono\",monospace}";

static void page_head(const struct bench_report *report, FILE *to)
{
    fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
          "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
          "'unsafe-inline'; img-src data:\">\n"
          "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
          "<meta name=\"color-scheme\" content=\"light dark\"><link rel=\"icon\" href=\"data:,\">\n"
          "<title>forkmill bench</title><style>\n",
          to);
    fputs(style, to);
    fprintf(to,
            "</style></head><body><main>\n<h1>forkmill bench</h1>\n<p class=\"soft\">%u ways to run one job, "
            "%u run%s of each, taken in turns; outputs equal in all of them.</p>\n",
            report->row_count, report->plan.repeat, report->plan.repeat == 1 ? "" : "s");
    fputs("<section class=\"verdict\"><p>", to);
    bench_chart_escape(report->verdict.limit, to);
    fputs("</p><p>", to);
    bench_chart_escape(report->verdict.choice, to);
    fputs("</p><p>", to);
    bench_chart_escape(report->verdict.workers, to);
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
    bench_chart_escape(text, to);
    fputs("</dd>\n", to);
}

static void circumstances(const struct bench_report *report, FILE *to)
{
    const struct bench_machine *machine = &report->machine;
    char text[512], in[UNITS_SIZE], out[UNITS_SIZE], memory[UNITS_SIZE], pixels[UNITS_SIZE];
    fputs("<h2>Circumstances</h2><div class=\"wide\"><dl>\n<dt>command</dt><dd><code>", to);
    for (int i = 0; i < report->command_count; i++) {
        fputs(i ? " " : "", to);
        bench_chart_escape(report->command[i], to);
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
    fputs("</main></body></html>\n", to);
    return fflush(to) == EOF || ferror(to) ? ERROR_IO : 0;
}
