/* SPDX-License-Identifier: MIT */
/* Everything that one run is made of; for run*.c and dry_run.c alone. */
#ifndef PIPELINE_RUN_PARTS_H
#define PIPELINE_RUN_PARTS_H

#include <pthread.h>
#include <signal.h>

#include "pipeline/engine/engine.h"
#include "pipeline/engine/supervisor.h"
#include "pipeline/files/outfile.h"
#include "pipeline/files/scan.h"
#include "pipeline/journal/journal.h"
#include "pipeline/report/progress.h"
#include "pipeline/report/trace.h"
#include "pipeline/run/admission.h"
#include "pipeline/run/ledger.h"
#include "pipeline/run/quarantine.h"
#include "pipeline/run/reader.h"
#include "pipeline/run/run.h"
#include "pipeline/run/run_trace.h"
#include "pipeline/run/watchdog.h"
#include "pipeline/run/writer.h"
#include "pipeline/shared/clock.h"
#include "pipeline/shared/machine.h"

/* Warnings are shown once for each text, as long as there are no more texts than this. */
#define RUN_DISTINCT_WARNINGS 16u

/* Files that it can write besides outputs: trace, table, each operation of aggregate. The quarantine is a
 * place on top. */
#define RUN_EXTRAS (2 + COMBINE_COUNT + 1)

struct run {
    const struct job *given; /* the caller's; outlives the run and its summary */
    struct job job;          /* a copy that may be changed to fit the machine and the engine */
    struct run_options options;
    struct summary *summary; /* the caller's */
    struct scan *scan;
    struct outfile *out;
    struct machine machine;
    struct admission admission;
    struct feeder feeder;
    struct ledger ledger;
    const struct engine *engine;
    struct crew *crew;
    struct engine_turns turns;
    struct supervisor supervisor;
    struct outname_form names[JOB_MAX_OUTPUTS]; /* of the job's outputs */
    struct reader reader;
    struct writer writer;
    struct quarantine *quarantine; /* NULL: none */
    struct journal *journal;       /* NULL: none */
    struct journal_end journal_end;
    pthread_t journal_thread; /* closes it */
    bool journal_closing;
    uint64_t swept;                                   /* temporary files of killed runs that were removed */
    struct gather *gather;                            /* NULL: the job gathers nothing */
    struct outname_reserved reserved[RUN_EXTRAS + 2]; /* the last has no name */
    struct progress *progress;
    uint64_t expected; /* inputs, as a listing before the run had them; 0: there was none */
    bool signal_told, complained;
    uint64_t failed_line;   /* progress_lines with the first failure told; 0: none was */
    unsigned warning_count; /* distinct texts of warnings shown so far */
    char warnings[RUN_DISTINCT_WARNINGS][200];
    pthread_t reader_thread, writer_thread;
    bool reader_started, writer_started;
    bool fenced; /* the main process has no more of the file system than it needs */
    bool memory_lowered;
    char memory_why[96];
    char why_no_ring[256]; /* although io: uring was asked for; "" */
    int look_fd;           /* the output directory, in a dry run that has a journal */
    int signal_fd, stop_fd;
    sigset_t old_signals;
    uint64_t overstays_told;
    struct watchdog watchdog;
    uint64_t began_ns;
    uint64_t early_ns[JOB_MAX_POOLS]; /* what a pool's workers waited before that */
    struct trace *trace;              /* NULL: none */
    const char *step_names[SLOT_MAX_STEPS];
    bool stop_traced;
    struct series series; /* becomes the summary's */
};

/* Looks at the places named, opens scan, outputs and what is gathered. The exit code, EXIT_DONE to go on. */
int run_open_places(struct run *run);

/* Checks and reserves the names of files that the run writes besides outputs, before anything is made.
 * ERROR_USAGE, ERROR_IO, ERROR_MEMORY. */
int run_extras(struct run *run, const struct scan_options *options, struct error *error);

/* Keeps outputs from being called like the file or, with a slash at the end, from lying in the directory
 * `path` that `who` writes to. */
void run_extras_reserve(struct run *run, const char *path, const char *who);

/* Opens the journal where the job has one, and clears away what killed runs left; in a dry run only to look.
 * ERROR_BUSY, else as journal_open. The output directory must be open. */
int run_journal_open(struct run *run, struct error *error);

/* Sets up which items need no work: once the journal is open, or there is none. */
void run_journal_resume(struct run *run);

/* Connects reader, writer and ledger to the journal; once all are open, before any thread is started. */
void run_journal_connect(struct run *run);

/* Notes how the run ended, and closes the journal, in a thread of its own; when no other thread uses it, and
 * with the output directory open. */
void run_journal_close(struct run *run, int exit_code);

/* Waits until that is done; the exit code, which is another one where it failed. */
int run_journal_closed(struct run *run);

/* Gives up what the run will not open any more; when the engine is open, and before any thread is started. */
void run_fence(struct run *run);

/* Says why the run does not go on, unless that was said; the exit code for it. */
int run_refuse(struct run *run, int code, const struct error *error);

/* Opens the progress display and connects the ledger to it; before any thread is started. */
void run_report_begin(struct run *run);

/* Feeds the display; for the supervisor's tick. `context` is the run. */
void run_report_tick(void *context);

/* What the supervisor has to tell; `context` is the run. */
void run_report_news(void *context, enum supervisor_news news, uint32_t place, const struct error *cause);

/* Fills the summary when every thread has ended, and returns the exit code of the run. */
int run_report_end(struct run *run);

#endif
