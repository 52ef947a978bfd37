/* SPDX-License-Identifier: MIT */
/* Feeds the trace of a run; main thread only. All do nothing without one. */
#ifndef PIPELINE_RUN_TRACE_H
#define PIPELINE_RUN_TRACE_H

#include "pipeline/engine/supervisor.h"

struct run;

/* Opens the file that the setting names. Errors as trace_open. */
int run_trace_open(struct run *run, struct error *error);

/* Names the tracks; when began_ns is set and before any thread is started. */
void run_trace_begin(struct run *run);

/* Takes what the rings hold and samples the counters. */
void run_trace_tick(struct run *run);

/* Something happened to a worker, see supervisor.h. */
void run_trace_news(struct run *run, enum supervisor_news news, uint32_t place, const struct error *cause);

/* Takes the rest, ends the file and tells how that went. */
void run_trace_end(struct run *run);

#endif
