/* SPDX-License-Identifier: MIT */
#include "pipeline/run/resume.h"

#include "pipeline/journal/journal_outputs.h"

bool resume_possible(const struct job *job)
{
    return !job->settings.aggregate_file && !job_reference(job, NULL);
}

/* Would another attempt fail in the same way? What files and memory did then says nothing about now. */
static bool lasting(const struct error *error)
{
    return error->code != ERROR_IO && error->code != ERROR_PASSING && error->code != ERROR_MEMORY &&
           error->code != ERROR_DISK_FULL;
}

int resume_judge(struct resume *resume, const char *shown, const char *rel, const struct stat *st,
                 enum journal_fate *fate, struct error *error)
{
    struct journal_found *found = &resume->found;
    *fate = JOURNAL_NOTHING;
    if (!resume->journal)
        return 0;
    TRY(journal_find(resume->journal, shown, rel, (uint64_t)st->st_size, journal_mtime_ns(st), fate, found,
                     error));
    const bool stands = *fate == JOURNAL_DONE && (!resume->records || found->recorded) &&
                        journal_outputs_stand(found->outputs, found->outputs_bytes, rel, resume->directory);
    const bool failed = *fate == JOURNAL_FAILED && !resume->retry_failed && lasting(&found->error);
    if (!stands && !failed)
        *fate = JOURNAL_NOTHING;
    return 0;
}

/* What the item told then stands in the table as if it told it now. */
static int gather_again(struct resume *resume, const struct item *item, struct error *error)
{
    const struct journal_found *found = &resume->found;
    if (!resume->gather)
        return 0;
    const struct gather_item left = {
        .number = item->number,
        .shown = item->shown,
        .record = {found->record, found->record_bytes, found->record_bytes, ""},
    };
    return gather_put(resume->gather, &left, error);
}

bool resume_settle(struct resume *resume, struct ledger *ledger, struct item *item, const struct stat *st)
{
    enum journal_fate fate;
    struct error error = {0};
    int code = resume_judge(resume, item->shown, item->rel, st, &fate, &error);
    if (code == 0 && fate == JOURNAL_DONE) {
        code = gather_again(resume, item, &error);
        if (code == ERROR_INTERNAL) /* no record: the journal was tampered with */
            return false;
    }
    if (code < 0) {
        ledger_stop_broken(ledger, &error);
        ledger_unfinished(ledger, item);
        return true;
    }
    if (fate == JOURNAL_DONE) {
        ledger_skipped(ledger, item);
    } else if (fate == JOURNAL_FAILED) {
        /* The run in which it failed may have had no quarantine, or was killed before the copy was made. */
        quarantine_note(resume->quarantine, item, &resume->found.error, resume->found.attempts);
        ledger_failed_before(ledger, item, &resume->found.error, resume->found.attempts);
    }
    return fate != JOURNAL_NOTHING;
}

void resume_free(struct resume *resume)
{
    journal_found_free(&resume->found);
}
