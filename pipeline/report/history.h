/* SPDX-License-Identifier: MIT */
/* What `forkmill report` says, from the journal of an output directory. */
#ifndef PIPELINE_HISTORY_H
#define PIPELINE_HISTORY_H

#include <stdio.h>

#include "pipeline/journal/journal_history.h"

/* For people: counts, runs, steps, slowest items, and the first failures. */
void history_print(const struct history *history, const char *output, FILE *to);

/* For people and for line tools: each failure, a line. */
void history_print_failures(const struct history *history, FILE *to);

/* For programs: one JSON object and a newline; with `failures_only` nothing but the failures in it. Texts as
 * in summary_print_json. ERROR_MEMORY, ERROR_IO. */
int history_print_json(const struct history *history, const char *output, bool failures_only, FILE *to);

/* A page without script. ERROR_IO. */
int history_html(const struct history *history, const char *output, FILE *to);

/* "2026-01-31 23:59:59" in local time, "-" for 0. */
const char *history_time(int64_t ns, char *out, size_t size);

#endif
