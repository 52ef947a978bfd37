/* SPDX-License-Identifier: MIT */
/* The journal's part in a run: opened before anything is made but the output directory, closed last. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "pipeline/engine/chain.h"
#include "pipeline/files/sweep.h"
#include "pipeline/run/combining.h"
#include "pipeline/run/run_parts.h"

/* Names of what a run commits are on the disk before its rows are. */
static int force_names(void *context, struct error *error)
{
    struct run *run = context;
    return outfile_sync(run->out, error);
}

/* An item has failed. */
static void note_failure(void *context, const struct item *item, const struct error *error, uint32_t attempts)
{
    struct run *run = context;
    struct error own = {0};
    const struct journal_row row = {
        .shown = item->shown,
        /* A stray item stands apart from a sound one of the same path. */
        .rel = item->stray ? "" : item->rel,
        .size_bytes = item->size_bytes,
        .mtime_ns = item->mtime_ns,
        .attempts = attempts,
        .error = error,
    };
    if (*item->rel)
        quarantine_note(run->quarantine, item, error, attempts);
    int code = run->journal ? journal_put(run->journal, &row, &own) : 0;
    if (code < 0)
        ledger_stop_broken(&run->ledger, &own);
}

/* What killed runs left in the output directory and beside the files made of all items. */
static void sweep(struct run *run)
{
    run->swept = sweep_tree(outfile_directory(run->out, NULL));
    const struct settings *settings = &run->job.settings;
    if (settings->collect_file)
        run->swept += sweep_beside(settings->collect_file);
    for (size_t i = 0; settings->aggregate_file && i < settings->aggregate_ops.count; i++) {
        char *path = combining_path(&run->job, i);
        run->swept += path ? sweep_beside(path) : 0;
        free(path);
    }
}

static struct journal_options options_of(struct run *run, const char **steps, struct error *error)
{
    const struct job *job = run->given;
    struct journal_options options = {
        .output = job->settings.output,
        .directory = run->out ? outfile_directory(run->out, NULL) : -1,
        .durable = job->settings.fsync,
        .steps = steps,
        .step_count = chain_steps(job),
        .before_commit = job->settings.fsync ? force_names : NULL,
        .context = run,
    };
    for (unsigned i = 0; i < options.step_count; i++)
        steps[i] = chain_step_name(job, i);
    config_digest(job, &options.digest, error);
    return options;
}

int run_journal_open(struct run *run, struct error *error)
{
    const char *steps[SLOT_MAX_STEPS];
    struct journal_past past = {0};
    if (!run->job.settings.journal)
        return 0;
    const struct journal_options options = options_of(run, steps, error);
    TRY(error->code);
    if (run->options.dry_run)
        return journal_open_to_look(&run->journal, &options, error);
    TRY(journal_open(&run->journal, &options, &past, error));
    if (!past.fresh && !past.unclean)
        return 0;
    sweep(run);
    return journal_swept(run->journal, error);
}

void run_journal_connect(struct run *run)
{
    run->ledger.failed = note_failure;
    run->writer.journal = run->journal;
    run->writer.quarantine = run->quarantine;
    run->reader.resume.gather = run->gather;
    run->reader.resume.quarantine = run->quarantine;
}

void run_journal_resume(struct run *run)
{
    if (run->options.dry_run && run->journal)
        run->look_fd = open(run->job.settings.output, O_PATH | O_DIRECTORY | O_CLOEXEC);
    const bool past = run->journal && journal_has_past(run->journal);
    const bool all = run->options.again == RUN_AGAIN_ALL || !resume_possible(&run->job);
    run->reader.resume = (struct resume){
        .journal = past && !all ? run->journal : NULL,
        .directory = run->out ? outfile_directory(run->out, NULL) : run->look_fd,
        .records = job_records(&run->job),
        .retry_failed = run->options.again == RUN_AGAIN_FAILED,
    };
}

static const char *how(const struct run *run)
{
    static const char *const reasons[] = {
        [STOP_NONE] = "finished",       [STOP_SIGNAL] = "interrupted", [STOP_FAILURES] = "max_failures",
        [STOP_DISK_FULL] = "disk full", [STOP_FATAL] = "fatal",
    };
    return run->began_ns ? reasons[run->ledger.stop] : "refused";
}

static void *close_journal(void *context)
{
    struct run *run = context;
    struct error error = {0};
    if (journal_close(run->journal, &run->journal_end, &error) < 0) {
        run->options.complain(error.reason);
        run->complained = true;
        run->journal_end.exit_code = run->summary->exit_code = run_refuse(run, error.code, &error);
    }
    return NULL;
}

void run_journal_close(struct run *run, int exit_code)
{
    const struct ledger_counts *counts = &run->ledger.counts;
    run->journal_end = (struct journal_end){
        .how = how(run),
        .exit_code = exit_code,
        .listed = run->ledger.listing_done,
        .found = counts->found,
        .done = counts->done,
        .skipped = counts->skipped,
        .failed = counts->failed,
    };
    run->journal_closing =
        run->journal && pthread_create(&run->journal_thread, NULL, close_journal, run) == 0;
    if (!run->journal_closing)
        close_journal(run);
}

int run_journal_closed(struct run *run)
{
    if (run->journal_closing)
        pthread_join(run->journal_thread, NULL);
    return run->journal_end.exit_code;
}
