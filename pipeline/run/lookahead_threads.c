/* SPDX-License-Identifier: MIT */
/* The threads that open what is listed ahead. */
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "pipeline/run/lookahead.h"

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

void lookahead_threads_start(struct lookahead *ahead)
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

void lookahead_threads_end(struct lookahead *ahead)
{
    if (ahead->thread_count == 0)
        return;
    pthread_mutex_lock(&ahead->lock);
    ahead->stopped = true;
    pthread_cond_broadcast(&ahead->more);
    pthread_mutex_unlock(&ahead->lock);
    for (unsigned i = 0; i < ahead->thread_count; i++)
        pthread_join(ahead->threads[i], NULL);
    pthread_cond_destroy(&ahead->more);
    pthread_mutex_destroy(&ahead->lock);
    ahead->thread_count = 0;
}

void lookahead_threads_lock(struct lookahead *ahead)
{
    if (ahead->thread_count > 0)
        pthread_mutex_lock(&ahead->lock);
}

void lookahead_threads_unlock(struct lookahead *ahead, bool more)
{
    if (ahead->thread_count == 0)
        return;
    if (more)
        pthread_cond_signal(&ahead->more);
    pthread_mutex_unlock(&ahead->lock);
}
