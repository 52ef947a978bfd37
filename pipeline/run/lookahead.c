/* SPDX-License-Identifier: MIT */
#include "pipeline/run/lookahead.h"

#include <fcntl.h>
#include <limits.h>
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
/* Of each file; the reader's own reading is continued by the kernel. */
#define ASKED_BYTES ((off_t)1 << 20)

/* Brings the beginning of a file into the page cache. An error is the reader's to find. */
static void ask_for(const struct scan *scan, unsigned root, const char *path)
{
    struct error error;
    struct stat st;
    const int fd = scan_open_file(scan, root, path, &st, &error);
    if (fd < 0)
        return;
    posix_fadvise(fd, 0, st.st_size < ASKED_BYTES ? st.st_size : ASKED_BYTES, POSIX_FADV_WILLNEED);
    close(fd);
}

/* The first entry that nobody has asked for. The first of all is the reader's next: too late for that one. */
static struct ahead_entry *unasked(struct lookahead *ahead)
{
    for (unsigned i = 1; i < ahead->count; i++) {
        struct ahead_entry *at = &ahead->entries[(ahead->first + i) % LOOKAHEAD_ENTRIES];
        if (!at->asked && at->entry.kind == SCAN_FILE)
            return at;
    }
    return NULL;
}

static void *ask(void *context)
{
    struct lookahead *ahead = context;
    char path[PATH_MAX];
    pthread_mutex_lock(&ahead->lock);
    while (!ahead->stopped) {
        struct ahead_entry *at = unasked(ahead);
        if (!at) {
            pthread_cond_wait(&ahead->more, &ahead->lock);
            continue;
        }
        at->asked = true;
        const unsigned root = at->entry.root;
        const size_t length = strlen(at->entry.path);
        if (length >= sizeof path)
            continue;
        memcpy(path, at->entry.path, length + 1);
        pthread_mutex_unlock(&ahead->lock);
        ask_for(ahead->scan, root, path);
        pthread_mutex_lock(&ahead->lock);
    }
    pthread_mutex_unlock(&ahead->lock);
    return NULL;
}

/* Where there can be no thread, or not all, there are fewer. */
static void start_threads(struct lookahead *ahead)
{
    if (ahead->thread_count > 0)
        return;
    pthread_mutex_init(&ahead->lock, NULL);
    pthread_cond_init(&ahead->more, NULL);
    ahead->stopped = false;
    while (ahead->thread_count < ahead->most &&
           pthread_create(&ahead->threads[ahead->thread_count], NULL, ask, ahead) == 0)
        ahead->thread_count++;
    if (ahead->thread_count == 0) {
        pthread_cond_destroy(&ahead->more);
        pthread_mutex_destroy(&ahead->lock);
        ahead->most = 0;
    }
}

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
            pthread_mutex_lock(&ahead->lock);
            ahead->entries[(ahead->first + ahead->count++) % LOOKAHEAD_ENTRIES] = kept;
            pthread_cond_signal(&ahead->more);
            pthread_mutex_unlock(&ahead->lock);
        }
    }
}

static void give_first(struct lookahead *ahead, struct scan_entry *entry)
{
    pthread_mutex_lock(&ahead->lock);
    const struct ahead_entry *first = &ahead->entries[ahead->first];
    *entry = first->entry;
    ahead->given = first->texts;
    ahead->first = (ahead->first + 1) % LOOKAHEAD_ENTRIES;
    ahead->count--;
    pthread_mutex_unlock(&ahead->lock);
}

int lookahead_next(struct lookahead *ahead, struct scan_entry *entry)
{
    free(ahead->given);
    ahead->given = NULL;
    if (ahead->slow > 0)
        start_threads(ahead);
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
    if (ahead->thread_count > 0) {
        pthread_mutex_lock(&ahead->lock);
        ahead->stopped = true;
        pthread_cond_broadcast(&ahead->more);
        pthread_mutex_unlock(&ahead->lock);
        for (unsigned i = 0; i < ahead->thread_count; i++)
            pthread_join(ahead->threads[i], NULL);
        pthread_cond_destroy(&ahead->more);
        pthread_mutex_destroy(&ahead->lock);
    }
    for (; ahead->count > 0; ahead->count--, ahead->first = (ahead->first + 1) % LOOKAHEAD_ENTRIES)
        free(ahead->entries[ahead->first].texts);
    free(ahead->given);
    ahead->given = NULL;
    ahead->thread_count = 0;
    ahead->most = 0;
}
