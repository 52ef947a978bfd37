/* SPDX-License-Identifier: MIT */
/* The account of a run: every input that was found ends here as exactly one of done, skipped, failed or
 * unfinished. Main process only; the reader, the writer and the supervisor share it under its one lock. */
#ifndef PIPELINE_LEDGER_H
#define PIPELINE_LEDGER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "pipeline/config/settings.h"
#include "pipeline/files/scan.h"
#include "pipeline/shared/slot.h"
#include "stages/stage.h"

/* One input. Made by ledger_found; from then on held by one place at a time: a slot, a retry list, or the
 * reader's hands. Freed when its result is told. */
struct item {
    unsigned root;   /* see scan.h */
    char *path;      /* below that root; this and the next two lie behind the item */
    char *shown;     /* as the user would write it */
    char *rel;       /* below its input, see scan_entry.rel: what outputs are named by */
    uint64_t number; /* in the order in which items were found, from 0 */
    bool stray;      /* it never got as far as being read, see ledger_fail_entry */
    uint32_t spent;  /* attempts that came to nothing: their worker died, or a file could not be used */
    dev_t device;    /* of the input, once it was opened: the output must never replace it */
    ino_t inode;
    uint64_t size_bytes; /* and as it was then */
    int64_t mtime_ns;
    struct slot_need need; /* what an earlier attempt found out that it takes */
    uint32_t rounds;       /* how often it went round again for that */
    struct item *next;
};

/* Why a run ends before its inputs do. The first reason stays. */
enum ledger_stop { STOP_NONE, STOP_SIGNAL, STOP_FAILURES, STOP_DISK_FULL, STOP_FATAL };

/* What is told as it happens. */
enum ledger_news { NEWS_FAILED, NEWS_WARNING, NEWS_NOTE, NEWS_HINT };

struct ledger_failure {
    char *shown;
    struct error error;
    uint32_t attempts;
};

struct ledger_counts {
    uint64_t found, done, failed;
    uint64_t skipped;    /* up to date */
    uint64_t remembered; /* of those that failed: they did so in an earlier run and were not tried again */
    uint64_t noted;      /* entries passed over with a note: no regular files */
    uint64_t retried;    /* items sent round again */
    uint64_t bytes_in, bytes_out, pixels_in;
    uint64_t warnings; /* items done that had one */
};

struct ledger {
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t changed;
    struct ledger_counts counts;
    enum ledger_stop stop;
    struct error stop_error;
    bool listing_done;
    bool finished;             /* the reader has nothing left to bring */
    struct settings_stop most; /* failures */
    uint64_t open;             /* items in slots and in the reader's hands */
    struct item **by_slot;
    uint32_t slot_count;
    struct item *retry_first, *retry_last; /* to be read again at once */
    struct item *alone_first, *alone_last; /* to be read again when nothing else is in flight */
    struct ledger_failure *failures;       /* the first LEDGER_MAX_FAILURES */
    size_t failure_count;
    uint64_t items; /* found so far that became one: the next one's number */
    /* Both are called under no lock and may be NULL: an item has failed now; one has ended without anything
     * to gather from it. */
    void (*failed)(void *context, const struct item *item, const struct error *error, uint32_t attempts);
    void (*gone)(void *context, const struct item *item);
    void *item_context; /* of both */
    int event_fd;       /* readable after a stop, and when the reader has finished */
    /* Called under the lock, for a person to read. `stage` may be empty. */
    void (*tell)(void *context, enum ledger_news news, const char *shown, const char *stage,
                 const char *text);
    void *tell_context;
};

/* A part of all items is judged only when so many have ended. */
#define LEDGER_JUDGED_ITEMS 20u

/* Failures kept for the summary; all of them are told as they happen. */
#define LEDGER_MAX_FAILURES 10000u

/* The caller sets tell, tell_context and `most` afterwards. ERROR_MEMORY. */
int ledger_open(struct ledger *ledger, uint32_t slot_count, struct error *error);
void ledger_close(struct ledger *ledger);

/* A new input in the reader's hands; copies the texts. NULL: out of memory. */
struct item *ledger_found(struct ledger *ledger, const struct scan_entry *entry);

/* Puts the item into a slot, and takes it out again. */
void ledger_seat(struct ledger *ledger, uint32_t slot, struct item *item);
struct item *ledger_unseat(struct ledger *ledger, uint32_t slot);

/* The name of the item in a slot, shortened to `size`, and which attempt it is. False: there is none. */
bool ledger_look(struct ledger *ledger, uint32_t slot, char *name, size_t size, uint32_t *attempt);

/* The item's result; frees it. */
void ledger_done(struct ledger *ledger, struct item *item, uint64_t bytes_in, uint64_t bytes_out,
                 uint64_t pixels_in, const char *warning);
void ledger_failed(struct ledger *ledger, struct item *item, const struct error *error);
void ledger_unfinished(struct ledger *ledger, struct item *item);

/* The same for an item that needed no work: it is up to date, or failed in an earlier run. */
void ledger_skipped(struct ledger *ledger, struct item *item);
void ledger_failed_before(struct ledger *ledger, struct item *item, const struct error *error,
                          uint32_t attempts);

/* An item that was done has failed after all. */
void ledger_retract(struct ledger *ledger, const char *shown, const struct error *error);

/* Something that was found and passed over; counted. */
void ledger_note(struct ledger *ledger, const char *shown, const char *text);

/* Something to be told of inputs that come; not counted. */
void ledger_hint(struct ledger *ledger, const char *shown, const char *text);

/* Something that was found and cannot be read as an item: a directory that cannot be listed, a link that
 * leads nowhere, a file whose output would have another's name. It fails as a stray item. */
void ledger_fail_entry(struct ledger *ledger, const struct scan_entry *entry, const struct error *error);

/* Sends an item round again, `alone`: at the end, with nothing else in flight. */
void ledger_retry(struct ledger *ledger, struct item *item, bool alone);

/* The reader's question: what else is there? Before the listing is done it never waits; after, it waits
 * until there is something to read again or everything has its result. NULL: nothing (yet). */
struct item *ledger_again(struct ledger *ledger, bool listing_done);

/* Asks everyone to stop; the first reason wins. `error` may be NULL. */
void ledger_stop_run(struct ledger *ledger, enum ledger_stop why, const struct error *error);
/* The same for trouble with what the run itself needs: a full disk, or fatal. */
void ledger_stop_broken(struct ledger *ledger, const struct error *error);
enum ledger_stop ledger_stopped(struct ledger *ledger);

/* The reader's last word, and whether it was said. */
void ledger_finish(struct ledger *ledger);
bool ledger_finished(struct ledger *ledger);

/* A copy of the counts, taken together. */
struct ledger_counts ledger_counts(struct ledger *ledger, bool *listing_done);

#endif
