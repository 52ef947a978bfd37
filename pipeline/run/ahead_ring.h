/* SPDX-License-Identifier: MIT */
/* Opens listed files and reads their heads ahead of the reader by io_uring: one call of the kernel for many
 * of them, and where the disk is slow many at once on their way. It is never the one to say that a file
 * cannot be had: what does not go as it should is left to whoever opens and reads by plain calls, who then
 * finds out. One thread at a time. https://man7.org/linux/man-pages/man7/io_uring.7.html */
#ifndef PIPELINE_AHEAD_RING_H
#define PIPELINE_AHEAD_RING_H

#include <stddef.h>

#include "pipeline/files/scan.h"

#define AHEAD_RING_PLACES 64u

struct ahead_ring;

/* What was opened ahead. */
struct ahead_file {
    int fd; /* -1: nothing; the caller's from now on, as opened by scan_open_file */
    struct stat st;
    uint8_t *head; /* good until the place is begun anew; has room for CODEC_HEAD_BYTES + 1 */
    size_t
        head_bytes; /* all that a file of at most CODEC_HEAD_BYTES has, or that many; 0: nothing was read */
};

/* ERROR_UNSUPPORTED, and a text that says no more than why, where the kernel, what it runs in, the limits of
 * this process or this build have no io_uring for it; ERROR_MEMORY. Raises the soft limit of descriptors by
 * what it will hold, where it may. */
int ahead_ring_open(struct ahead_ring **ring, struct error *error);

/* So many places can be begun, at most AHEAD_RING_PLACES: few descriptors make it fewer. */
unsigned ahead_ring_places(const struct ahead_ring *ring);

/* Asks for the file of an entry to be opened and read, with the next ahead_ring_take of any place. `path`
 * must last until this one is taken. */
void ahead_ring_begin(struct ahead_ring *ring, unsigned place, const struct scan *scan, unsigned root,
                      const char *path);

/* Are heads to be read from now on? At first they are. Items that were done in an earlier run need none. */
void ahead_ring_read_heads(struct ahead_ring *ring, bool read);

/* Tells the kernel all that was asked for, and waits for that place alone. What was not begun, or was taken
 * already, is nothing. */
void ahead_ring_take(struct ahead_ring *ring, unsigned place, struct ahead_file *file);

/* Closes a descriptor some time later, together with others. */
void ahead_ring_give_back(struct ahead_ring *ring, int fd);

/* Waits for what is on its way, and closes what was not taken. Accepts NULL. */
void ahead_ring_close(struct ahead_ring *ring);

/* The version of the library; "": it is not in this build. */
const char *ahead_ring_library(void);

#endif
