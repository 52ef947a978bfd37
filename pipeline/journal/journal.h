/* SPDX-License-Identifier: MIT */
/* What became of each input, kept in the output directory from run to run: so that the same command again
 * does what is left and what has changed. A row is put only when the item's outputs stand under their names.
 * Rows are written in transactions of many; a process that is killed loses the last of them and no more.
 *
 * Main process only; any thread, except where it says otherwise. */
#ifndef PIPELINE_JOURNAL_H
#define PIPELINE_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pipeline/config/config_digest.h"
#include "stages/stage.h"

struct journal;

struct journal_options {
    const char *output; /* the output directory, which exists */
    int directory;      /* a descriptor of it */
    bool durable;       /* what is committed survives the machine's crash */
    struct config_digest digest;
    const char *const *steps; /* names of the job's steps; looked at while the journal is opened */
    unsigned step_count;
    /* Called before rows are committed, by journal_tick and journal_close, under the journal's lock; may be
     * NULL. */
    int (*before_commit)(void *context, struct error *error);
    void *context;
};

/* What was found on opening. */
struct journal_past {
    bool fresh;   /* the journal was made just now */
    bool unclean; /* a run before this one was killed */
};

/* An item's result. Texts are copied by SQLite before the call returns. */
struct journal_row {
    const char *shown, *rel; /* as the scan calls it; rel "" for what never became an item */
    uint64_t size_bytes;     /* of the input; 0 with mtime_ns 0: it could not be looked at */
    int64_t mtime_ns;
    uint32_t attempts;
    const struct error *error; /* NULL: it is done */
    const char *warning;       /* or NULL */
    const uint64_t *step_ns;   /* of each step; NULL: not known */
    const char *outputs;       /* a list of journal_outputs.h */
    size_t outputs_bytes;
    const uint8_t *record; /* what stages told; NULL: nobody asked */
    size_t record_bytes;
};

enum journal_fate {
    JOURNAL_NOTHING, /* nothing is known that still holds */
    JOURNAL_DONE,
    JOURNAL_FAILED,
};

/* What an earlier run left about an item. Zero it first; the blocks grow as needed and serve again. */
struct journal_found {
    struct error error; /* of a failure */
    uint32_t attempts;
    char *outputs;
    size_t outputs_bytes, outputs_room;
    uint8_t *record;
    size_t record_bytes, record_room;
    bool recorded;
};

/* How a run ended. */
struct journal_end {
    const char *how; /* "finished", "interrupted", ... */
    int exit_code;
    bool listed; /* all inputs were listed: what never became an item is known anew */
    uint64_t found, done, skipped, failed;
};

/* Locks the output directory, opens its journal or makes it, and notes that a run begins. ERROR_BUSY where
 * another run is at work there; else as journal_db_open. One thread so far. */
int journal_open(struct journal **journal, const struct journal_options *options, struct journal_past *past,
                 struct error *error);

/* Opens the journal only to look things up in it, without a lock; a run may be at work meanwhile. *journal is
 * NULL where there is none. Errors as journal_db_open. */
int journal_open_to_look(struct journal **journal, const struct journal_options *options,
                         struct error *error);

/* Notes that what killed runs left behind was cleared away. */
int journal_swept(struct journal *journal, struct error *error);

/* Was there any item in it when it was opened? */
bool journal_has_past(const struct journal *journal);

/* Looks up what an earlier run made of the item. It holds where size, time of change and the digest of the
 * config are the same. ERROR_IO, ERROR_MEMORY. */
int journal_find(struct journal *journal, const char *shown, const char *rel, uint64_t size_bytes,
                 int64_t mtime_ns, enum journal_fate *fate, struct journal_found *found, struct error *error);

void journal_found_free(struct journal_found *found);

/* Puts an item's row in place of an earlier one, to be committed with others. ERROR_IO, ERROR_DISK_FULL,
 * ERROR_MEMORY. */
int journal_put(struct journal *journal, const struct journal_row *row, struct error *error);

/* An item whose row says done has failed after all. */
int journal_retract(struct journal *journal, const char *shown, const struct error *why, struct error *error);

/* Commits rows where there are enough, or they have waited for long. May block on the disk. Only the thread
 * that `before_commit` may run in. */
int journal_tick(struct journal *journal, struct error *error);

/* Commits, notes how the run ended, unlocks, frees. Accepts NULL. When all threads are done. */
int journal_close(struct journal *journal, const struct journal_end *end, struct error *error);

#endif
