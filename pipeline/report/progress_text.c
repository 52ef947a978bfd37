/* SPDX-License-Identifier: MIT */
/* The texts of progress: no clock, no terminal. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "pipeline/report/progress.h"
#include "pipeline/report/units.h"

#define TIME_CONSTANT_S 10.0
#define BAR_MIN_CELLS   8u
#define BAR_MAX_CELLS   40u

static uint64_t finished(const struct progress_counts *counts)
{
    return counts->done + counts->failed + counts->skipped;
}

void progress_rate_step(struct progress_rate *rate, uint64_t now_ns, uint64_t items, uint64_t pixels)
{
    if (rate->first_ns == 0) {
        rate->first_ns = rate->last_ns = now_ns;
        rate->last_items = items;
        rate->last_pixels = pixels;
        return;
    }
    if (now_ns <= rate->last_ns || items < rate->last_items || pixels < rate->last_pixels)
        return;
    const double step_s = (double)(now_ns - rate->last_ns) / 1e9;
    const double age_s = (double)(now_ns - rate->first_ns) / 1e9;
    /* The new step's weight in a plain average is its share of the time so far. */
    const double weight = age_s < TIME_CONSTANT_S ? step_s / age_s : 1 - exp(-step_s / TIME_CONSTANT_S);
    rate->items_per_s += weight * ((double)(items - rate->last_items) / step_s - rate->items_per_s);
    rate->pixels_per_s += weight * ((double)(pixels - rate->last_pixels) / step_s - rate->pixels_per_s);
    rate->last_ns = now_ns;
    rate->last_items = items;
    rate->last_pixels = pixels;
}

/* Is there a total to compare with? An estimate that was too low is none any more. */
static bool total_known(const struct progress_counts *counts, uint64_t *total)
{
    *total = counts->listing_done ? counts->found : counts->expected;
    return counts->listing_done || (counts->expected > 0 && counts->expected >= counts->found);
}

double progress_eta_s(const struct progress_counts *counts, const struct progress_rate *rate)
{
    uint64_t total;
    if (!total_known(counts, &total) || finished(counts) > total)
        return -1;
    const uint64_t left = total - finished(counts);
    if (left == 0)
        return 0;
    const double eta_s = rate->items_per_s > 0 ? (double)left / rate->items_per_s : -1;
    return eta_s < 1e9 ? eta_s : -1;
}

static double share(const struct progress_counts *counts, uint64_t total)
{
    return total ? (double)finished(counts) / (double)total : 1;
}

/* The pieces of a line, in the order they are shown. */
enum piece { PIECE_COUNT, PIECE_PERCENT, PIECE_RATE, PIECE_PIXELS, PIECE_ETA, PIECE_FAILED, PIECES };

static void make_pieces(const struct progress_counts *counts, const struct progress_rate *rate,
                        char pieces[PIECES][64])
{
    char text[UNITS_SIZE];
    const double eta_s = progress_eta_s(counts, rate);
    uint64_t total;
    const bool known = total_known(counts, &total);
    memset(pieces, 0, sizeof(char[PIECES][64]));
    snprintf(pieces[PIECE_COUNT], 64, "%llu/%s%llu%s", (unsigned long long)finished(counts),
             known && !counts->listing_done ? "~" : "", (unsigned long long)(known ? total : counts->found),
             known ? "" : "+");
    if (known)
        snprintf(pieces[PIECE_PERCENT], 64, "%u %%", (unsigned)(100 * share(counts, total)));
    if (rate->items_per_s > 0)
        snprintf(pieces[PIECE_RATE], 64, "%s/s", units_rate(rate->items_per_s, text, sizeof text));
    if (rate->pixels_per_s > 0)
        snprintf(pieces[PIECE_PIXELS], 64, "%s MP/s",
                 units_rate(rate->pixels_per_s / 1e6, text, sizeof text));
    if (eta_s >= 0)
        snprintf(pieces[PIECE_ETA], 64, "ETA %s", units_clock((uint64_t)ceil(eta_s), text, sizeof text));
    if (counts->failed)
        snprintf(pieces[PIECE_FAILED], 64, "%llu failed", (unsigned long long)counts->failed);
}

static unsigned columns_of(char pieces[PIECES][64])
{
    unsigned columns = 0;
    for (int i = 0; i < PIECES; i++)
        columns += pieces[i][0] ? (unsigned)strlen(pieces[i]) + 2 : 0;
    return columns ? columns - 2 : 0;
}

static void append(char *out, size_t size, const char *text)
{
    const size_t used = strlen(out);
    snprintf(out + used, size - used, "%s", text);
}

/* "[====>     ]  " of `cells` cells. */
static void append_bar(double done, unsigned cells, char *out, size_t size)
{
    char bar[BAR_MAX_CELLS + 5];
    const unsigned full = (unsigned)(done * cells);
    bar[0] = '[';
    for (unsigned i = 0; i < cells; i++)
        bar[1 + i] = i < full ? '=' : i == full ? '>' : ' ';
    memcpy(bar + 1 + cells, "]  ", 4);
    append(out, size, bar);
}

const char *progress_bar(const struct progress_counts *counts, const struct progress_rate *rate,
                         unsigned width, bool colour, char *out, size_t size)
{
    static const enum piece dispensable[] = {PIECE_PIXELS,  PIECE_RATE,   PIECE_ETA,
                                             PIECE_PERCENT, PIECE_FAILED, PIECE_COUNT};
    char pieces[PIECES][64];
    make_pieces(counts, rate, pieces);
    /* The last column stays free: some terminals go to the next line when it is written. */
    const unsigned room = width > 1 ? width - 1 : 0;
    for (unsigned i = 0; i < PIECES && columns_of(pieces) > room; i++)
        pieces[dispensable[i]][0] = '\0';
    out[0] = '\0';
    const unsigned used = columns_of(pieces) + 4; /* two brackets, two blanks */
    uint64_t total;
    if (total_known(counts, &total) && finished(counts) <= total && room >= used + BAR_MIN_CELLS)
        append_bar(share(counts, total), room - used < BAR_MAX_CELLS ? room - used : BAR_MAX_CELLS, out,
                   size);
    const char *gap = "";
    for (int i = 0; i < PIECES; i++) {
        if (!pieces[i][0])
            continue;
        const bool red = colour && i == PIECE_FAILED;
        append(out, size, gap);
        append(out, size, red ? "\x1b[31m" : "");
        append(out, size, pieces[i]);
        append(out, size, red ? "\x1b[0m" : "");
        gap = "  ";
    }
    return out;
}

const char *progress_line(const struct progress_counts *counts, const struct progress_rate *rate, char *out,
                          size_t size)
{
    char pieces[PIECES][64];
    make_pieces(counts, rate, pieces);
    snprintf(out, size, "progress:");
    for (int i = 0; i < PIECES; i++) {
        if (!pieces[i][0])
            continue;
        append(out, size, i ? ", " : " ");
        append(out, size, pieces[i]);
    }
    return out;
}
