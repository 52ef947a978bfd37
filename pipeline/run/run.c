/* SPDX-License-Identifier: MIT */
/* One run from beginning to end: reserves memory, forks the fork server while there is one thread, looks at
 * the places named while its workers come to life, starts the reader and the writer, lets the supervisor
 * work, and tells how it went. Every step can fail, and what was opened before it is closed in reverse order.
 */
#include "pipeline/run/run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pipeline/config/memory.h"
#include "pipeline/engine/rows.h"
#include "pipeline/run/dry_run.h"
#include "pipeline/run/exit_code.h"
#include "pipeline/run/run_parts.h"

/* Beyond what is open when work begins: a directory walked, an input and its
 * counterpart, an output with its directory, spare. */
#define RUN_DESCRIPTORS 7

/* The exit code for a result of scan_open and the checks of names. */
static int exit_for(int code)
{
    switch (code) {
    case SCAN_NO_INPUT:
        return EXIT_NO_INPUT;
    case ERROR_USAGE:
        return EXIT_USAGE;
    case ERROR_MEMORY:
    case ERROR_BUSY:
        return EXIT_RESOURCES;
    default:
        return EXIT_FATAL;
    }
}

int run_refuse(struct run *run, int code, const struct error *error)
{
    if (!run->complained)
        run->options.complain(error->reason);
    return exit_for(code);
}

/* The signals that end a run, and the one that asks how it goes. */
static sigset_t our_signals(void)
{
    static const int taken[] = {SIGINT, SIGTERM, SIGHUP};
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
        struct sigaction action;
        /* A run started by nohup stays deaf to SIGHUP. */
        if (sigaction(taken[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
            sigaddset(&set, taken[i]);
    }
    return set;
}

/* What would kill by default: a question asked before there is anything to tell, and a file grown over a
 * limit, which is an error to report, with its name, like others. */
static void settle_signals(void)
{
    signal(SIGUSR1, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    signal(SIGCHLD, SIG_DFL);
}

/* From now on our signals arrive through a descriptor; every thread begins with them blocked. */
static int take_signals(struct run *run, struct error *error)
{
    const sigset_t set = our_signals();
    signal(SIGPIPE, SIG_IGN);
    sigprocmask(SIG_BLOCK, &set, &run->old_signals);
    signal(SIGUSR1, SIG_DFL); /* what is ignored does not arrive */
    run->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (run->signal_fd < 0)
        return error_set(error, ERROR_MEMORY, "signalfd: %s", strerror(errno));
    return 0;
}

/* The end of that. What came while the run closed, such as the second of two, is forgotten: it must not take
 * away the summary. What comes later may: whoever reads it may never do so. */
static void leave_signals(struct run *run)
{
    struct signalfd_siginfo late;
    if (run->signal_fd < 0)
        return;
    signal(SIGUSR1, SIG_IGN); /* a question that came too late must not kill */
    while (read(run->signal_fd, &late, sizeof late) > 0)
        ;
    close(run->signal_fd);
    sigprocmask(SIG_SETMASK, &run->old_signals, NULL);
}

/* The turns of an engine that reads and writes by itself. */
static bool turn_read(void *context)
{
    struct run *run = context;
    bool more = reader_step(&run->reader);
    if (!more)
        ledger_finish(&run->ledger);
    return more;
}

static void turn_write(void *context)
{
    struct run *run = context;
    while (queue_fill(&run->writer.queue) > 0)
        writer_step(&run->writer);
}

static void skip(void *context, const struct item *item)
{
    struct run *run = context;
    gather_skip(run->gather, item->number);
}

/* Who opens inputs ahead of the reader. The ring is made here or later, after the workers' fork server was
 * forked, so that no worker has it. Where there can be none, threads do its work; that is said where it was
 * asked for. */
static void open_ahead(struct run *run)
{
    struct lookahead *ahead = &run->reader.ahead;
    const struct settings *settings = &run->job.settings;
    struct error error = {0};
    ahead->may_ring = settings->io == IO_AUTO && settings->readahead > 0;
    if (settings->io == IO_URING && ahead_ring_open(&ahead->ring, &error) < 0)
        snprintf(run->why_no_ring, sizeof run->why_no_ring, "%s", error.reason);
    if (!ahead->ring && !run->engine->turns)
        ahead->most = (unsigned)settings->readahead;
}

static int open_io(struct run *run, struct error *error)
{
    run->reader.machine = &run->machine;
    run->reader.ledger = &run->ledger;
    run->reader.admission = &run->admission;
    run->writer.machine = &run->machine;
    run->writer.ledger = &run->ledger;
    run->writer.admission = &run->admission;
    run->writer.out = run->out;
    run->writer.names = run->names;
    run->writer.gather = run->gather;
    run->ledger.gone = skip;
    run->ledger.item_context = run;
    run->writer.queue = run->machine.queues[run->job.pool_count];
    run->writer.since_ns = clock_ns();
    if (!run->engine->turns) {
        feeder_open(&run->feeder, &run->machine, &run->admission);
        run->reader.feeder = run->writer.feeder = &run->feeder;
    }
    run_journal_connect(run);
    open_ahead(run);
    return reader_open(&run->reader, error);
}

/* To the memory there is; and an engine that knows no pools gets the whole chain as one. */
static void fit_job(struct run *run)
{
    struct job *job = &run->job;
    run->memory_lowered = memory_fit(&job->settings.memory_bytes, run->memory_why, sizeof run->memory_why);
    int64_t workers = run->engine->one_worker ? 1 : job->settings.workers;
    if (run->engine->one_pool) {
        job->pools[0] = (struct job_pool){.name = "main",
                                          .last = job->stage_count,
                                          .workers = workers,
                                          .queue = job->settings.queue,
                                          .unconfined = job_unconfined(job)};
        job->pool_count = 1;
    }
    int64_t most = workers;
    for (unsigned i = 0; i < job->pool_count; i++)
        most = job->pools[i].workers > most ? job->pools[i].workers : most;
    if (!run->engine->shares_rows)
        job->row_members = (unsigned)(most < ROWS_MOST_MEMBERS ? most : ROWS_MOST_MEMBERS);
    else if (job->settings.split != SPLIT_ITEMS)
        job->row_members = (unsigned)most;
    job->bands = job->settings.bands;
    /* Who shares the rows of whole images has to have them. */
    job->whole_first = run->engine->shares_rows && job->settings.split != SPLIT_ITEMS;
}

/* What reading, walking and writing will open at once. Too few would fail every item by itself. */
static int try_descriptors(const struct run *run, struct error *error)
{
    int held[RUN_DESCRIPTORS], count = 0;
    while (count < RUN_DESCRIPTORS && (held[count] = fcntl(run->signal_fd, F_DUPFD_CLOEXEC, 0)) >= 0)
        count++;
    const int cause = errno;
    for (int i = 0; i < count; i++)
        close(held[i]);
    if (count == RUN_DESCRIPTORS)
        return 0;
    return error_set(error, ERROR_MEMORY, "too few descriptors (ulimit -n): %s", strerror(cause));
}

/* For want of what the machine has to give, whatever else it was. */
static int refuse_machine(struct run *run, int code, const struct error *error)
{
    return run_refuse(run, code == ERROR_INTERNAL ? ERROR_MEMORY : code, error);
}

/* Shared memory and the crew. Workers that are processes begin now: they take as long to come to life as this
 * process to look at its places. */
static int open_machine(struct run *run)
{
    struct error error = {0};
    const sigset_t set = our_signals();
    sigset_t before;
    run->turns = (struct engine_turns){turn_read, turn_write, run};
    /* No signal ends the run while its shared memory still has a name. */
    sigprocmask(SIG_BLOCK, &set, &before);
    int code = machine_open(&run->machine, &run->job, &error);
    if (code == 0)
        code = run->engine->open(&run->crew, &run->machine, &run->turns, &error);
    sigprocmask(SIG_SETMASK, &before, NULL);
    run->supervisor.crew = run->crew;
    run->supervisor.places = run->engine->one_member ? 1 : run->machine.worker_count;
    if (code == 0 && run->engine->apart)
        code = supervisor_begin(&run->supervisor, &error);
    return code < 0 ? refuse_machine(run, code, &error) : EXIT_DONE;
}

/* What moves items through the machine, once the places are open. */
static int open_parts(struct run *run)
{
    struct error error = {0};
    int code = take_signals(run, &error);
    if (code == 0)
        code = admission_open(&run->admission, &run->machine, &error);
    if (code == 0)
        code = ledger_open(&run->ledger, run->machine.slot_count, &error);
    if (code == 0)
        code = open_io(run, &error);
    if (code == 0)
        code = try_descriptors(run, &error);
    if (code < 0)
        return refuse_machine(run, code, &error);
    settings_stop_of(run->job.settings.max_failures, &run->ledger.most, NULL);
    run_fence(run);
    return EXIT_DONE;
}

static int start_threads(struct run *run, struct error *error)
{
    int failure = pthread_create(&run->writer_thread, NULL, writer_run, &run->writer);
    if (failure)
        return error_set(error, ERROR_MEMORY, "pthread_create: %s", strerror(failure));
    run->writer_started = true;
    failure = pthread_create(&run->reader_thread, NULL, reader_run, &run->reader);
    if (failure)
        return error_set(error, ERROR_MEMORY, "pthread_create: %s", strerror(failure));
    run->reader_started = true;
    return 0;
}

/* What the supervisor would have done: nothing more is read. */
static void stop_threads(struct run *run, const struct error *error)
{
    ledger_stop_run(&run->ledger, STOP_FATAL, error);
    admission_stop(&run->admission);
    eventfd_write(run->stop_fd, 1);
    queue_close(&run->machine.queues[0], QUEUE_DISCARD);
}

static void end_crew(struct run *run)
{
    if (!run->crew)
        return;
    if (run->engine->remark)
        run->summary->remark = run->engine->remark(run->crew);
    run->engine->close(run->crew);
    run->crew = NULL;
}

/* What was made of all items together. A run that was stopped has a table of what is done, and nothing else.
 */
static void finish_gathering(struct run *run)
{
    struct error error = {0};
    if (!run->gather)
        return;
    int code = gather_finish(run->gather, ledger_stopped(&run->ledger) == STOP_NONE, &error);
    if (code < 0)
        ledger_stop_broken(&run->ledger, &error);
}

static int supervise(struct run *run)
{
    struct error error = {0};
    run->supervisor.signal_fd = run->signal_fd;
    run_report_begin(run);
    int code = run->engine->turns ? 0 : start_threads(run, &error);
    if (code == 0)
        code = supervisor_run(&run->supervisor, &error);
    run->summary->abandoned = run->supervisor.abandoned;
    if (run->supervisor.abandoned)
        return run_report_end(run);
    if (code < 0)
        stop_threads(run, &error);
    end_crew(run); /* while the writer writes what came last */
    if (run->reader_started)
        pthread_join(run->reader_thread, NULL);
    if (run->writer_started) {
        queue_close(&run->writer.queue, QUEUE_DRAIN);
        pthread_join(run->writer_thread, NULL);
    }
    feeder_close(&run->feeder);
    if (code < 0)
        return run_refuse(run, code, &error);
    quarantine_work(run->quarantine);
    finish_gathering(run);
    return run_report_end(run);
}

/* The exit code, which is another one where the journal cannot be closed. That takes as long as giving back
 * the shared memory, and is done beside it. */
static int close_all(struct run *run, int code)
{
    if (run->supervisor.abandoned)
        return code; /* threads are still at work on all this: only the end of the process stops them */
    run_journal_close(run, code);
    end_crew(run);
    supervisor_drop(&run->supervisor);
    run_trace_end(run); /* of a run that did not get as far as its report */
    feeder_close(&run->feeder);
    admission_close(&run->admission);
    machine_close(&run->machine);
    code = run_journal_closed(run);
    series_free(&run->series);
    reader_close(&run->reader);
    writer_close(&run->writer);
    gather_close(run->gather);
    quarantine_close(run->quarantine);
    for (size_t i = 0; i < sizeof run->reserved / sizeof *run->reserved; i++)
        free(run->reserved[i].name);
    outname_set_free(run->reader.names.taken);
    ledger_close(&run->ledger);
    scan_close(run->scan);
    outfile_close(run->out);
    leave_signals(run);
    if (run->look_fd >= 0)
        close(run->look_fd);
    if (run->stop_fd >= 0)
        close(run->stop_fd);
    if (run->reader.places.reference_fd >= 0)
        close(run->reader.places.reference_fd);
    return code;
}

static int refuse_eventfd(struct run *run)
{
    struct error error = {0};
    error_set(&error, ERROR_MEMORY, "eventfd: %s", strerror(errno));
    return run_refuse(run, ERROR_MEMORY, &error);
}

int run_job(const struct job *job, const struct run_options *options, struct summary *summary)
{
    struct run run = {
        .given = job,
        .job = *job,
        .options = *options,
        .summary = summary,
        .look_fd = -1,
        .signal_fd = -1,
        .stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
        .engine = engine_at(job->settings.engine),
        .machine.arena.fd = -1,
        .reader.places.reference_fd = -1,
    };
    run.supervisor = (struct supervisor){
        .machine = &run.machine,
        .ledger = &run.ledger,
        .admission = &run.admission,
        .engine = run.engine,
        .signal_fd = -1,
        .stop_fd = run.stop_fd,
        .tick = run_report_tick,
        .tell = run_report_news,
        .context = &run,
    };
    run.job.observed = options->observed;
    settle_signals();
    int code = run.stop_fd >= 0 ? EXIT_DONE : refuse_eventfd(&run);
    if (code == EXIT_DONE)
        fit_job(&run); /* a dry run, too, is to see what fits */
    if (code == EXIT_DONE && !options->dry_run)
        code = open_machine(&run);
    if (code == EXIT_DONE)
        code = run_open_places(&run);
    if (code == EXIT_DONE && options->dry_run) {
        code = dry_run(&run);
    } else if (code == EXIT_DONE) {
        code = open_parts(&run);
        if (code == EXIT_DONE)
            code = supervise(&run);
    }
    return close_all(&run, code);
}
