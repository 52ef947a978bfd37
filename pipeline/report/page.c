/* SPDX-License-Identifier: MIT */
#include "pipeline/report/page.h"

#include <stdlib.h>
#include <string.h>

#include "pipeline/report/escape.h"
#include "pipeline/report/report_file.h"
#include "stages/error.h"

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

void page_begin(const char *title, FILE *to)
{
    fputs(REPORT_FILE_PAGE
          "<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
          "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
          "'unsafe-inline'; img-src data:\">\n"
          "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
          "<meta name=\"color-scheme\" content=\"light dark\"><link rel=\"icon\" href=\"data:,\">\n"
          "<title>",
          to);
    page_escape(title, to);
    fputs("</title><style>\n", to);
    fputs(style, to);
    fputs("</style></head><body><main>\n<h1>", to);
    page_escape(title, to);
    fputs("</h1>\n", to);
}

void page_escape(const char *text, FILE *to)
{
    const size_t size = 4 * strlen(text) + 4;
    char *safe = malloc(size);
    for (const char *at = safe ? escape_text(text, safe, size) : ""; *at; at++) {
        const char *entity = *at == '&'    ? "&amp;"
                             : *at == '<'  ? "&lt;"
                             : *at == '>'  ? "&gt;"
                             : *at == '"'  ? "&quot;"
                             : *at == '\'' ? "&#39;"
                                           : NULL;
        if (entity)
            fputs(entity, to);
        else
            fputc(*at, to);
    }
    free(safe);
}

int page_end(FILE *to)
{
    fputs("</main></body></html>\n", to);
    return fflush(to) == EOF || ferror(to) ? ERROR_IO : 0;
}
