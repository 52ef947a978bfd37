/* SPDX-License-Identifier: MIT */
#include "pipeline/bench/bench_chart.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/report/page.h"

/* Of every chart, in SVG units, which are pixels where there is room. */
#define WIDTH  480.0
#define LEFT   88.0
#define RIGHT  72.0
#define ROW    24.0
#define INSIDE (WIDTH - LEFT - RIGHT)

/* Stages with a colour of their own; the rest together are one more. */
#define MOST_STAGES 7u

/* A step of 1, 2 or 5 times a power of ten that cuts `most` into four to ten. */
static double tick_step(double most)
{
    if (!(most > 0))
        return 1;
    const double power = pow(10, floor(log10(most / 4)));
    const double ratio = most / 4 / power;
    return power * (ratio >= 5 ? 5 : ratio >= 2 ? 2 : 1);
}

static void begin(const char *title, const char *note, double height, FILE *to)
{
    fprintf(to,
            "<figure><figcaption><b>%s</b><br>%s</figcaption>\n"
            "<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"%s\">\n",
            title, note, WIDTH, height, title);
}

static void key(const char *class, const char *name, FILE *to)
{
    fprintf(to, "<span><i class=\"%s\"></i>", class);
    page_escape(name, to);
    fputs("</span>\n", to);
}

/* Vertical lines with seconds below them, for lines of rows. */
static void seconds_axis(double most, double bottom, FILE *to)
{
    const double step = tick_step(most);
    for (double at = 0; at <= most * 1.0001; at += step)
        fprintf(to,
                "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"4\" y2=\"%.1f\"/>"
                "<text class=\"tick\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%.3g s</text>\n",
                LEFT + INSIDE * at / most, LEFT + INSIDE * at / most, bottom, LEFT + INSIDE * at / most,
                bottom + 16, at);
}

static void row_label(const struct bench_cell *cell, double middle, FILE *to)
{
    fprintf(to, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%s %u</text>", LEFT - 8, middle + 4,
            cell->name, cell->workers);
}

void bench_chart_times(const struct bench_report *report, FILE *to)
{
    const double bottom = 8 + ROW * report->row_count;
    double most = 0;
    for (unsigned i = 0; i < report->row_count; i++)
        most = fmax(most, report->rows[i].wall_s.max);
    begin("Time of each run", "A dot is a run, the bar is the median; further left is faster.", bottom + 24,
          to);
    seconds_axis(most, bottom, to);
    for (unsigned i = 0; i < report->row_count; i++) {
        const struct bench_row *row = &report->rows[i];
        const double middle = 8 + ROW * (i + 0.5), at = LEFT + INSIDE * row->wall_s.median / most;
        row_label(&row->cell, middle, to);
        for (unsigned j = 0; j < row->count; j++) {
            const double wall_s = (double)row->samples[j].wall_ns / 1e9;
            fprintf(to,
                    "<circle class=\"dot %s\" cx=\"%.1f\" cy=\"%.1f\" r=\"4\"><title>round %u: %.4g s"
                    "</title></circle>",
                    row->cell.name, LEFT + INSIDE * wall_s / most, middle, j + 1, wall_s);
        }
        fprintf(to,
                "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"3\" height=\"%.1f\"/>"
                "<text class=\"value\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%.3g s</text>\n",
                row->cell.name, at - 1.5, middle - ROW / 2 + 3, ROW - 6, WIDTH - 2, middle + 4,
                row->wall_s.median);
    }
    fputs("</svg></figure>\n", to);
}

/* Where a number of workers and a speed-up lie. */
struct plane {
    double most_workers, most_speedup, bottom;
};

static double plane_x(const struct plane *plane, double workers)
{
    return LEFT - 40 + (INSIDE + 60) * workers / plane->most_workers;
}

static double plane_y(const struct plane *plane, double speedup)
{
    return plane->bottom - (plane->bottom - 12) * speedup / plane->most_speedup;
}

static void plane_axes(const struct plane *plane, FILE *to)
{
    const double right = plane_x(plane, plane->most_workers), step = tick_step(plane->most_speedup);
    for (double at = 0; at <= plane->most_speedup * 1.0001; at += step)
        fprintf(to,
                "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>"
                "<text class=\"tick\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%.3g</text>\n",
                plane_x(plane, 0), right, plane_y(plane, at), plane_y(plane, at), plane_x(plane, 0) - 8,
                plane_y(plane, at) + 4, at);
    const double ideal = fmin(plane->most_workers, plane->most_speedup);
    fprintf(to, "<line class=\"ideal\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n",
            plane_x(plane, 0), plane_y(plane, 0), plane_x(plane, ideal), plane_y(plane, ideal));
}

/* Engines at the same number of workers stand beside each other, as they would hide each other. */
static double nudge(const struct bench_report *report, const struct bench_row *row)
{
    unsigned before = 0, count = 0;
    for (unsigned i = 0; i < report->row_count; i++) {
        if (report->rows[i].cell.workers == row->cell.workers) {
            before += &report->rows[i] < row;
            count++;
        }
    }
    return 9 * (before - (count - 1) / 2.0);
}

static void plane_engine(const struct plane *plane, const struct bench_report *report, int engine, FILE *to)
{
    const struct bench_row *before = NULL;
    const double serial_s = report->rows[0].wall_s.median;
    for (unsigned i = 0; i < report->row_count; i++) {
        const struct bench_row *row = &report->rows[i];
        if (row->cell.engine != engine)
            continue;
        const double x = plane_x(plane, row->cell.workers) + nudge(report, row);
        if (before)
            fprintf(to, "<line class=\"line %s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>",
                    row->cell.name, plane_x(plane, before->cell.workers) + nudge(report, before),
                    plane_y(plane, before->speedup), x, plane_y(plane, row->speedup));
        fprintf(to,
                "<line class=\"line thin %s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>"
                "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"4.5\"><title>%s, %u: %.2f (%.2f to %.2f)"
                "</title></circle>\n",
                row->cell.name, x, plane_y(plane, serial_s / row->wall_s.max), x,
                plane_y(plane, serial_s / row->wall_s.min), row->cell.name, x, plane_y(plane, row->speedup),
                row->cell.name, row->cell.workers, row->speedup, serial_s / row->wall_s.max,
                serial_s / row->wall_s.min);
        before = row;
    }
}

void bench_chart_speedup(const struct bench_report *report, FILE *to)
{
    struct plane plane = {.most_workers = 1, .most_speedup = 1, .bottom = 340};
    if (report->row_count == 0 || report->rows[0].speedup <= 0) {
        fputs("<figure><figcaption><b>Speed-up by workers</b><br>Engine serial, which it is counted from, "
              "was left out.</figcaption></figure>\n",
              to);
        return;
    }
    for (unsigned i = 0; i < report->row_count; i++) {
        const struct bench_row *row = &report->rows[i];
        plane.most_workers = fmax(plane.most_workers, row->cell.workers);
        plane.most_speedup = fmax(plane.most_speedup, 1.05 * report->rows[0].wall_s.median / row->wall_s.min);
    }
    begin("Speed-up by workers", "How many times as fast as serial; the thin lines span all runs.", 384, to);
    plane_axes(&plane, to);
    unsigned told = 0;
    for (unsigned i = 0; i < report->row_count; i++) {
        const unsigned workers = report->rows[i].cell.workers;
        if (workers <= told)
            continue;
        fprintf(to, "<text class=\"tick\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%u</text>",
                plane_x(&plane, workers), plane.bottom + 18, workers);
        told = workers;
    }
    fprintf(to, "<text class=\"tick\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">workers</text>\n",
            plane_x(&plane, plane.most_workers / 2), plane.bottom + 36);
    unsigned rows[8], count = bench_widest(report, rows);
    for (unsigned i = 0; i < count; i++)
        plane_engine(&plane, report, report->rows[rows[i]].cell.engine, to);
    fputs("</svg><div class=\"key\">", to);
    for (unsigned i = 0; i < count; i++)
        key(report->rows[rows[i]].cell.name, report->rows[rows[i]].cell.name, to);
    key("dashes", "as many times as workers", to);
    fputs("</div></figure>\n", to);
}

static const json_t *steps_of(const struct bench_row *row)
{
    return json_object_get(row->samples[row->median_at].summary, "steps");
}

static double step_s(const struct bench_row *row, size_t step)
{
    return (double)json_integer_value(json_object_get(json_array_get(steps_of(row), step), "ns")) / 1e9;
}

static const char *step_name(const struct bench_report *report, size_t step)
{
    const char *name =
        json_string_value(json_object_get(json_array_get(steps_of(&report->rows[0]), step), "name"));
    return name ? name : "";
}

static double all_steps_s(const struct bench_row *row)
{
    double total_s = 0;
    for (size_t step = 0; step < json_array_size(steps_of(row)); step++)
        total_s += step_s(row, step);
    return total_s;
}

static void stage_bar(const struct bench_report *report, unsigned index, double most, FILE *to)
{
    const struct bench_row *row = &report->rows[index];
    const double top = 8 + ROW * index;
    const size_t steps = json_array_size(steps_of(row));
    double x = LEFT;
    row_label(&row->cell, top + ROW / 2, to);
    for (size_t step = 0; step < steps; step++) {
        const double wide = INSIDE * step_s(row, step) / most;
        fprintf(to, "<rect class=\"stage%zu\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"><title>",
                step < MOST_STAGES ? step : MOST_STAGES, x, top + 4, fmax(wide - 1, 0.2), ROW - 8);
        page_escape(step_name(report, step), to);
        fprintf(to, ": %.3g s</title></rect>", step_s(row, step));
        x += wide;
    }
    fprintf(to, "<text class=\"value\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%.3g s</text>\n", WIDTH - 2,
            top + ROW / 2 + 4, all_steps_s(row));
}

void bench_chart_stages(const struct bench_report *report, FILE *to)
{
    const double bottom = 8 + ROW * report->row_count;
    const size_t steps = json_array_size(steps_of(&report->rows[0]));
    double most = 1e-9;
    for (unsigned i = 0; i < report->row_count; i++)
        most = fmax(most, all_steps_s(&report->rows[i]));
    begin("Time by stage", "Of all workers together, in the run in the middle.", bottom + 24, to);
    seconds_axis(most, bottom, to);
    for (unsigned i = 0; i < report->row_count; i++)
        stage_bar(report, i, most, to);
    fputs("</svg><div class=\"key\">", to);
    for (size_t step = 0; step < steps && step <= MOST_STAGES; step++) {
        char class[16];
        snprintf(class, sizeof class, "stage%zu", step);
        key(class, step < MOST_STAGES || step + 1 == steps ? step_name(report, step) : "all further stages",
            to);
    }
    fputs("</div></figure>\n", to);
}
