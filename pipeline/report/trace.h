/* SPDX-License-Identifier: MIT */
/* The trace of a run: a file in the Trace Event Format (its array form, JSON) that chrome://tracing and
 * ui.perfetto.dev show: a track for each worker and I/O thread, a slice for each span of time, counters. The
 * closing bracket is optional in that form, so that a run cut short leaves a file that opens.
 *
 * Main thread only. What cannot be written is no reason to stop a run: the first failure is remembered, and
 * everything after it is thrown away. */
#ifndef PIPELINE_TRACE_H
#define PIPELINE_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "pipeline/shared/trace_ring.h"
#include "stages/error.h"

/* Tracks. A worker's is TRACE_WORKER + its number. */
enum trace_track { TRACE_SUPERVISOR = 1, TRACE_READER, TRACE_WRITER, TRACE_WORKER = 10 };

struct trace;

/* What the records of a run can be about. The caller's, and outlives the trace. */
struct trace_limits {
    uint64_t began_ns; /* of the run, by clock_ns: the trace's zero */
    uint32_t slots;
    const char *const *steps; /* names, "decode" to "encode" */
    uint32_t step_count;
};

/* Opens `path` for a new trace. A file that holds anything but a trace is not replaced: ERROR_USAGE.
 * ERROR_IO where it cannot be written, ERROR_MEMORY. */
int trace_open(struct trace **trace, const char *path, struct error *error);

/* Names the whole and fixes the limits; before anything below. */
void trace_begin(struct trace *trace, const char *title, const struct trace_limits *limits);

/* Names a track. */
void trace_name(struct trace *trace, unsigned track, const char *name);

/* Empties a ring into the file, as this track. Records that cannot be true are counted and left out. */
void trace_drain(struct trace *trace, struct trace_ring *ring, unsigned track);

/* A value at this moment; written when it differs from the last one of the same `counter`, a number below
 * TRACE_COUNTERS that the caller gives out. */
#define TRACE_COUNTERS 32u
void trace_count(struct trace *trace, unsigned counter, const char *name, const char *unit, uint64_t value);

/* What a moment, or a span that ended badly, was about. Texts may be NULL. */
struct trace_event {
    const char *name, *category;
    const char *item, *stage, *reason;
    uint32_t attempt; /* 0: none */
    uint64_t begin_ns;
    uint64_t end_ns; /* 0: a moment, at begin_ns */
};

void trace_tell(struct trace *trace, unsigned track, const struct trace_event *event);

/* Hands what was written to the system, at most once a second. */
void trace_flush(struct trace *trace);

struct trace_result {
    uint64_t events;
    uint64_t damaged; /* could not be true */
};

/* Ends the file. ERROR_IO when not all of it was written. Frees the trace; accepts NULL. */
int trace_close(struct trace *trace, struct trace_result *result, struct error *error);

#endif
