/* SPDX-License-Identifier: MIT */
#include "pipeline/run/lookahead.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

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
/* Making a ring and ending it takes a millisecond or two. */
#define ENTRIES_ALONE 4u
_Static_assert(ENTRIES_ALONE <= SLOW_FILES, "no thread was started before");
/* So many are listed for the ring at first, and then twice as many each time. */
#define FIRST_DEPTH 4u

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

/* One entry more. False: that was all, or there is no memory to keep it. */
static bool list_one(struct lookahead *ahead)
{
    struct ahead_entry kept;
    if (scan_next(ahead->scan, &ahead->last) == 0)
        return false;
    ahead->has_last = !keep(&kept, &ahead->last);
    if (ahead->has_last)
        return false;
    kept.counts = scan_counts(ahead->scan);
    lookahead_threads_lock(ahead);
    const unsigned place = (ahead->first + ahead->count++) % LOOKAHEAD_ENTRIES;
    ahead->entries[place] = kept;
    lookahead_threads_unlock(ahead, true);
    if (ahead->ring && kept.entry.kind == SCAN_FILE)
        ahead_ring_begin(ahead->ring, place, ahead->scan, kept.entry.root, kept.entry.path);
    return true;
}

/* Lists until so many are there, as far as there is no waiting. False: there are no more. */
static bool list(struct lookahead *ahead, unsigned most)
{
    while (ahead->count < most && !ahead->has_last && scan_ready(ahead->scan, 0)) {
        if (!list_one(ahead))
            return false;
    }
    return true;
}

/* As long as files are slow. */
static void list_for_threads(struct lookahead *ahead)
{
    const unsigned had = ahead->count, room = LOOKAHEAD_ENTRIES - had;
    const bool more = list(ahead, had + (ahead->slow < room ? ahead->slow : room));
    ahead->slow = more ? ahead->slow - (ahead->count - had) : 0;
}

/* Many at a time, as one call of the kernel is for all of them; the first comes soon. */
static void list_for_ring(struct lookahead *ahead)
{
    const unsigned most = ahead_ring_places(ahead->ring);
    if (ahead->count > ahead->depth / 2)
        return;
    ahead->depth = ahead->depth == 0 ? FIRST_DEPTH : 2 * ahead->depth;
    ahead->depth = ahead->depth < most ? ahead->depth : most;
    list(ahead, ahead->depth);
}

static void give_first(struct lookahead *ahead, struct scan_entry *entry)
{
    lookahead_threads_lock(ahead);
    const struct ahead_entry *first = &ahead->entries[ahead->first];
    *entry = first->entry;
    ahead->counts = first->counts;
    ahead->untaken = ahead->ring != NULL;
    ahead->place = ahead->first;
    ahead->given = first->texts;
    ahead->first = (ahead->first + 1) % LOOKAHEAD_ENTRIES;
    ahead->count--;
    lookahead_threads_unlock(ahead, false);
}

void lookahead_take(struct lookahead *ahead, struct ahead_file *file)
{
    *file = (struct ahead_file){.fd = -1};
    if (ahead->untaken)
        ahead_ring_take(ahead->ring, ahead->place, file);
    ahead->untaken = false;
}

void lookahead_close_file(struct lookahead *ahead, int fd)
{
    if (fd >= 0 && ahead->ring)
        ahead_ring_give_back(ahead->ring, fd);
    else if (fd >= 0)
        close(fd);
}

static void forget_given(struct lookahead *ahead)
{
    struct ahead_file file;
    lookahead_take(ahead, &file);
    lookahead_close_file(ahead, file.fd);
    free(ahead->given);
    ahead->given = NULL;
}

/* Before there can be threads: they are started after SLOW_FILES entries at the earliest. */
static void try_ring(struct lookahead *ahead)
{
    struct rlimit space;
    struct error error = {0};
    if (!ahead->may_ring || ahead->alone++ < ENTRIES_ALONE)
        return;
    ahead->may_ring = false;
    /* Where addresses are few, those of its buffers were not counted when memory was shared out. */
    if (getrlimit(RLIMIT_AS, &space) == 0 && space.rlim_cur == RLIM_INFINITY)
        ahead_ring_open(&ahead->ring, &error);
}

int lookahead_next(struct lookahead *ahead, struct scan_entry *entry)
{
    forget_given(ahead);
    try_ring(ahead);
    if (ahead->ring)
        list_for_ring(ahead);
    else if (ahead->slow > 0)
        lookahead_threads_start(ahead);
    if (ahead->thread_count > 0)
        list_for_threads(ahead);
    if (ahead->count > 0) {
        give_first(ahead, entry);
        return 1;
    }
    if (ahead->has_last) {
        ahead->has_last = false;
        *entry = ahead->last;
        ahead->counts = scan_counts(ahead->scan);
        return 1;
    }
    const int more = scan_next(ahead->scan, entry);
    ahead->counts = scan_counts(ahead->scan);
    return more;
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
    ahead->watched = ahead->most > 0 && !ahead->ring && ahead->average_ns > SUSPECT_NS;
    if (ahead->watched)
        ahead->waits = waits();
}

void lookahead_took(struct lookahead *ahead, uint64_t took_ns, bool read)
{
    if (ahead->ring)
        ahead_ring_read_heads(ahead->ring, read);
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
    forget_given(ahead);
    lookahead_threads_end(ahead);
    ahead_ring_close(ahead->ring);
    ahead->ring = NULL;
    for (; ahead->count > 0; ahead->count--, ahead->first = (ahead->first + 1) % LOOKAHEAD_ENTRIES)
        free(ahead->entries[ahead->first].texts);
    ahead->most = 0;
}
