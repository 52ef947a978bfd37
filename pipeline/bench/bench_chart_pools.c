/* SPDX-License-Identifier: MIT */
#include "pipeline/bench/bench_chart.h"

#include "pipeline/report/page.h"

#define WIDTH     480.0
#define LEFT      44.0
#define RIGHT     8.0
#define TOP       22.0
#define HEIGHT    64.0
#define BOTTOM    (TOP + HEIGHT)
#define INSIDE    (WIDTH - LEFT - RIGHT)
#define MOST_BINS 100u

/* What a pool did between two points, as shares of its time. */
struct bin {
    double until_s, busy, starved;
};

static double entry(const json_t *series, size_t point, size_t column)
{
    return (double)json_integer_value(json_array_get(json_array_get(series, point), column)) / 1e9;
}

/* The series of one pool in bins of about equal length. A worker books time when it is over, so that a bin in
 * which nothing was booked joins the next one. */
static unsigned make_bins(const json_t *series, size_t pool, struct bin bins[MOST_BINS])
{
    const size_t points = json_array_size(series), column = 1 + 3 * pool;
    const double all_s = points ? entry(series, points - 1, 0) : 0;
    unsigned count = 0;
    size_t from = 0;
    for (size_t to = 1; to < points && count < MOST_BINS; to++) {
        const double busy = entry(series, to, column) - entry(series, from, column);
        const double starved = entry(series, to, column + 1) - entry(series, from, column + 1);
        const double blocked = entry(series, to, column + 2) - entry(series, from, column + 2);
        const double sum = busy + starved + blocked;
        const bool last = to + 1 == points;
        if (sum <= 0 || (!last && entry(series, to, 0) - entry(series, from, 0) < all_s / (MOST_BINS - 1)))
            continue;
        bins[count++] = (struct bin){entry(series, to, 0), busy / sum, starved / sum};
        from = to;
    }
    return count;
}

/* The area beneath the steps; `with_starved` on top of the busy share. */
static void area(const char *class, const struct bin *bins, unsigned count, bool with_starved, FILE *to)
{
    const double all_s = bins[count - 1].until_s;
    fprintf(to, "<path class=\"%s\" d=\"M%.1f %.1f", class, LEFT, BOTTOM);
    for (unsigned i = 0; i < count; i++) {
        const double share = bins[i].busy + (with_starved ? bins[i].starved : 0);
        fprintf(to, "V%.1fH%.1f", BOTTOM - HEIGHT * share, LEFT + INSIDE * bins[i].until_s / all_s);
    }
    fprintf(to, "V%.1fZ\"/>", BOTTOM);
}

static void panel(const struct bench_row *row, const json_t *summary, size_t pool, FILE *to)
{
    struct bin bins[MOST_BINS];
    const json_t *pools = json_object_get(summary, "pools");
    const unsigned count = make_bins(json_object_get(summary, "series"), pool, bins);
    const char *name = json_string_value(json_object_get(json_array_get(pools, pool), "name"));
    fprintf(to, "<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"pool utilisation\">\n", WIDTH,
            BOTTOM + 20);
    fprintf(to, "<text x=\"%.0f\" y=\"14\">%s %u", LEFT, row->cell.name, row->cell.workers);
    if (json_array_size(pools) > 1) {
        fputs(", pool ", to);
        page_escape(name ? name : "", to);
    }
    fputs("</text>\n", to);
    if (count == 0) {
        fprintf(to, "<text class=\"tick\" x=\"%.0f\" y=\"%.0f\">too short a run to show</text></svg>\n", LEFT,
                BOTTOM - HEIGHT / 2);
        return;
    }
    fprintf(to, "<rect class=\"blocked\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>", LEFT, TOP,
            INSIDE, HEIGHT);
    area("starved", bins, count, true, to);
    area("busy", bins, count, false, to);
    for (int percent = 0; percent <= 100; percent += 50)
        fprintf(to, "<text class=\"tick\" x=\"%.0f\" y=\"%.1f\" text-anchor=\"end\">%d %%</text>", LEFT - 6,
                BOTTOM - HEIGHT * percent / 100 + 4, percent);
    fprintf(to,
            "<text class=\"tick\" x=\"%.0f\" y=\"%.0f\">0</text>"
            "<text class=\"tick\" x=\"%.0f\" y=\"%.0f\" text-anchor=\"end\">%.3g s</text></svg>\n",
            LEFT, BOTTOM + 15, WIDTH - RIGHT, BOTTOM + 15, bins[count - 1].until_s);
}

void bench_chart_pools(const struct bench_report *report, FILE *to)
{
    unsigned rows[8], count = bench_widest(report, rows);
    fputs("<figure><figcaption><b>Pools over time</b><br>What the workers did, in the run in the middle."
          "</figcaption><div class=\"panels\">\n",
          to);
    for (unsigned i = 0; i < count; i++) {
        const struct bench_row *row = &report->rows[rows[i]];
        const json_t *summary = row->samples[row->median_at].summary;
        const size_t pools = json_array_size(json_object_get(summary, "pools"));
        for (size_t pool = 0; pool < pools; pool++)
            panel(row, summary, pool, to);
    }
    fputs("</div><div class=\"key\"><span><i class=\"busy\"></i>busy</span>"
          "<span><i class=\"starved\"></i>starved: nothing to work on</span>"
          "<span><i class=\"blocked\"></i>blocked: no room behind</span></div></figure>\n",
          to);
}
