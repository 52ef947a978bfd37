/* SPDX-License-Identifier: MIT */
/* What a person sees while a run goes on: a bar on a terminal, a plain line every few seconds elsewhere, and
 * messages that do not tear either. One of the few files that print; to standard error only. */
#ifndef PIPELINE_PROGRESS_H
#define PIPELINE_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct progress_counts {
    uint64_t found;    /* items so far; the total once listing_done */
    uint64_t expected; /* the total as an earlier listing had it, and until then an estimate; 0: unknown */
    bool listing_done; /* no more will be found */
    uint64_t done, failed, skipped;
    uint64_t bytes_in, bytes_out;
    uint64_t pixels; /* read, of items done */
};

/* From which verbosity on a message is shown. */
enum progress_level {
    PROGRESS_ALWAYS = -1, /* also with -q */
    PROGRESS_NORMAL = 0,
    PROGRESS_VERBOSE = 1, /* with -v */
};

struct progress;

/* Shows progress on `fd`, which stays the caller's: a bar where that is a terminal (TERM is not "dumb"),
 * lines elsewhere, nothing with `verbosity` -1. Colour on a terminal only, and not with NO_COLOR. NULL where
 * memory ran out: everything below then does nothing. */
struct progress *progress_open(int fd, int verbosity);

/* Shows the counts if the last time was long enough ago (0.1 s on a terminal, 5 s elsewhere); cheap
 * otherwise. Any thread. The bar is not drawn while the program is in the background. */
void progress_update(struct progress *progress, const struct progress_counts *counts);

/* Prints one line, made safe by escape_text, above the bar. Any thread. */
void progress_message(struct progress *progress, enum progress_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* How many lines were printed so far, of both sorts; the bar is none. Any thread. Accepts NULL: none were. */
uint64_t progress_lines(struct progress *progress);

/* Takes the bar away for good. Accepts NULL. */
void progress_close(struct progress *progress);

/* ---- the pure parts, for tests ---- */

/* Items and pixels per second: the plain average over the first ten seconds of work, then one that forgets
 * with a time constant of ten seconds. Zeroed at the start. */
struct progress_rate {
    uint64_t first_ns, last_ns;
    uint64_t last_items, last_pixels;
    double items_per_s, pixels_per_s;
};

void progress_rate_step(struct progress_rate *rate, uint64_t now_ns, uint64_t items, uint64_t pixels);

/* Seconds until all is done, or -1 where that cannot be known. */
double progress_eta_s(const struct progress_counts *counts, const struct progress_rate *rate);

/* The bar's line: fewer than `width` columns; what matters least goes first when it is narrow. Escape
 * sequences only with `colour`. Returns `out`. */
const char *progress_bar(const struct progress_counts *counts, const struct progress_rate *rate,
                         unsigned width, bool colour, char *out, size_t size);

/* The plain line, without its newline. Returns `out`. */
const char *progress_line(const struct progress_counts *counts, const struct progress_rate *rate, char *out,
                          size_t size);

#endif
