/* SPDX-License-Identifier: MIT */
#include "pipeline/report/progress.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "pipeline/report/escape.h"

#define BAR_EVERY_NS  100000000u
#define LINE_EVERY_NS 5000000000u
#define CLEAR         "\r\x1b[K"

struct progress {
    pthread_mutex_t lock; /* everything below */
    int fd, verbosity;
    bool bar, colour;
    bool drawn; /* a bar is on the screen */
    uint64_t next_ns;
    uint64_t lines; /* printed so far */
    struct progress_rate rate;
    char text[1024];
};

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* One write for one piece of text, so that other programs on the terminal cannot come between. What cannot be
 * shown is no reason to stop a run. */
static void put(int fd, const char *text)
{
    size_t length = strlen(text);
    while (length > 0) {
        ssize_t wrote = write(fd, text, length);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return;
        text += wrote;
        length -= (size_t)wrote;
    }
}

struct progress *progress_open(int fd, int verbosity)
{
    struct progress *progress = calloc(1, sizeof *progress);
    if (!progress)
        return NULL;
    const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");
    pthread_mutex_init(&progress->lock, NULL);
    progress->fd = fd;
    progress->verbosity = verbosity;
    progress->bar = isatty(fd) && term && *term && strcmp(term, "dumb") != 0;
    progress->colour = progress->bar && !(no_color && *no_color);
    const uint64_t now = now_ns();
    progress->next_ns = now + (progress->bar ? BAR_EVERY_NS : LINE_EVERY_NS);
    progress_rate_step(&progress->rate, now, 0, 0);
    return progress;
}

/* A program in the background that draws disturbs what its user is doing. */
static bool in_background(int fd)
{
    const pid_t group = tcgetpgrp(fd);
    return group >= 0 && group != getpgrp();
}

static void draw_bar(struct progress *progress, const struct progress_counts *counts)
{
    struct winsize size;
    char bar[512];
    if (in_background(progress->fd))
        return;
    /* Asked every time: that is all that resizing needs. */
    const unsigned width = ioctl(progress->fd, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : 80;
    progress_bar(counts, &progress->rate, width, progress->colour, bar, sizeof bar);
    snprintf(progress->text, sizeof progress->text, CLEAR "%s", bar);
    put(progress->fd, progress->text);
    progress->drawn = true;
}

void progress_update(struct progress *progress, const struct progress_counts *counts)
{
    if (!progress || progress->verbosity < 0)
        return;
    pthread_mutex_lock(&progress->lock);
    const uint64_t now = now_ns();
    if (now >= progress->next_ns) {
        progress_rate_step(&progress->rate, now, counts->done + counts->failed + counts->skipped,
                           counts->pixels);
        if (progress->bar) {
            draw_bar(progress, counts);
        } else {
            char line[512];
            progress_line(counts, &progress->rate, line, sizeof line);
            snprintf(progress->text, sizeof progress->text, "%s\n", line);
            put(progress->fd, progress->text);
            progress->lines++;
        }
        progress->next_ns = now + (progress->bar ? BAR_EVERY_NS : LINE_EVERY_NS);
    }
    pthread_mutex_unlock(&progress->lock);
}

void progress_message(struct progress *progress, enum progress_level level, const char *format, ...)
{
    if (!progress || progress->verbosity < (int)level)
        return;
    char raw[8192], safe[16384], line[sizeof safe + 16];
    va_list args;
    va_start(args, format);
    vsnprintf(raw, sizeof raw, format, args);
    va_end(args);
    escape_text(raw, safe, sizeof safe);
    pthread_mutex_lock(&progress->lock);
    snprintf(line, sizeof line, "%s%s\n", progress->drawn ? CLEAR : "", safe);
    put(progress->fd, line);
    progress->lines++;
    if (progress->drawn)
        progress->next_ns = 0; /* the bar comes back with the next update */
    progress->drawn = false;
    pthread_mutex_unlock(&progress->lock);
}

uint64_t progress_lines(struct progress *progress)
{
    if (!progress)
        return 0;
    pthread_mutex_lock(&progress->lock);
    const uint64_t lines = progress->lines;
    pthread_mutex_unlock(&progress->lock);
    return lines;
}

void progress_close(struct progress *progress)
{
    if (!progress)
        return;
    if (progress->drawn)
        put(progress->fd, CLEAR);
    pthread_mutex_destroy(&progress->lock);
    free(progress);
}
