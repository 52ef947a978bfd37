/* SPDX-License-Identifier: MIT */
#include "pipeline/run/lookahead.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* What is in memory is opened in a tenth of this; what has to come from a fast disk takes twice as long. */
#define SLOW_NS 100000u
/* From here on it is looked at what the time went by with, which takes two system calls a file. */
#define SUSPECT_NS (SLOW_NS / 2)
/* One file that took very long says no more than this. */
#define MOST_NS 1000000u
/* The first files of a run may be slow for other reasons: programs and directories come from the disk, too,
 * and workers are being forked. */
#define SLOW_FILES 4u
/* After so many entries it is tried without. */
#define SLOW_ENTRIES 256u
/* Gives the entry texts of its own. False: out of memory. */
static bool keep(struct ahead_entry *kept, const struct scan_entry *entry)
{
    const size_t path = strlen(entry->path) + 1, rel = strlen(entry->rel) + 1;
    const size_t shown = strlen(entry->shown) + 1;
    char *texts = malloc(path + rel + shown);
    if (!texts)
        return false;
    *kept = (struct ahead_entry){.entry = *entry, .texts = texts};
    kept->entry.path = memcpy(texts, entry->path, path);
    kept->entry.rel = memcpy(texts + path, entry->rel, rel);
    kept->entry.shown = memcpy(texts + path + rel, entry->shown, shown);
    return true;
}

/* Lists until the ring is full, as far as there is no waiting. */
static void list(struct lookahead *ahead)
{
    while (ahead->slow > 0 && ahead->count < LOOKAHEAD_ENTRIES && !ahead->has_last &&
           scan_ready(ahead->scan, 0)) {
        struct ahead_entry kept;
        if (scan_next(ahead->scan, &ahead->last) == 0) {
            ahead->slow = 0;
        } else if (!keep(&kept, &ahead->last)) {
            ahead->has_last = true;
        } else {
            ahead->slow--;
            lookahead_threads_lock(ahead);
            ahead->entries[(ahead->first + ahead->count++) % LOOKAHEAD_ENTRIES] = kept;
            lookahead_threads_unlock(ahead, true);
        }
    }
}

static void give_first(struct lookahead *ahead, struct scan_entry *entry)
{
    lookahead_threads_lock(ahead);
    const struct ahead_entry *first = &ahead->entries[ahead->first];
    *entry = first->entry;
    ahead->given = first->texts;
    ahead->first = (ahead->first + 1) % LOOKAHEAD_ENTRIES;
    ahead->count--;
    lookahead_threads_unlock(ahead, false);
}

int lookahead_next(struct lookahead *ahead, struct scan_entry *entry)
{
    free(ahead->given);
    ahead->given = NULL;
    if (ahead->slow > 0)
        lookahead_threads_start(ahead);
    if (ahead->thread_count > 0)
        list(ahead);
    if (ahead->count > 0) {
        give_first(ahead, entry);
        return 1;
    }
    if (ahead->has_last) {
        ahead->has_last = false;
        *entry = ahead->last;
        return 1;
    }
    return scan_next(ahead->scan, entry);
}

bool lookahead_ready(const struct lookahead *ahead, int wait_ms)
{
    return ahead->count > 0 || ahead->has_last || scan_ready(ahead->scan, wait_ms);
}

bool lookahead_exhausted(const struct lookahead *ahead)
{
    return ahead->count == 0 && !ahead->has_last && scan_exhausted(ahead->scan);
}

/* How often this thread has waited for anything but a processor. */
static long waits(void)
{
    struct rusage usage = {0};
    getrusage(RUSAGE_THREAD, &usage);
    return usage.ru_nvcsw;
}

void lookahead_begins(struct lookahead *ahead)
{
    ahead->watched = ahead->most > 0 && ahead->average_ns > SUSPECT_NS;
    if (ahead->watched)
        ahead->waits = waits();
}

void lookahead_took(struct lookahead *ahead, uint64_t took_ns)
{
    /* On a busy machine it took long because others had the processor; asking earlier would not help. */
    const bool waited = ahead->watched && waits() != ahead->waits;
    const uint64_t counted_ns = ahead->watched && !waited ? 0 : took_ns < MOST_NS ? took_ns : MOST_NS;
    ahead->average_ns = (7 * ahead->average_ns + counted_ns) / 8;
    if (ahead->watched)
        ahead->waited = waited ? ahead->waited + 1 : ahead->waited / 2;
    if (ahead->waited >= SLOW_FILES && ahead->average_ns > SLOW_NS)
        ahead->slow = SLOW_ENTRIES;
}

void lookahead_close(struct lookahead *ahead)
{
    lookahead_threads_end(ahead);
    for (; ahead->count > 0; ahead->count--, ahead->first = (ahead->first + 1) % LOOKAHEAD_ENTRIES)
        free(ahead->entries[ahead->first].texts);
    free(ahead->given);
    ahead->given = NULL;
    ahead->most = 0;
}
