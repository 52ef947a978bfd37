/* SPDX-License-Identifier: MIT */
/* One block of shared memory for a whole run. Its address space is reserved once, before anything is forked,
 * so that it lies at the same address in every process; its pages are committed piece by piece by the main
 * process alone, with posix_fallocate, so that a full /dev/shm is an error code and never a SIGBUS. The
 * object has no name by the time arena_open returns: however the run ends, nothing stays behind. */
#ifndef PIPELINE_ARENA_H
#define PIPELINE_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stages/error.h"

struct arena {
    int fd;        /* main process only; workers close it */
    uint8_t *base; /* aligned to ARENA_HUGE_BYTES */
    size_t size_bytes;
    bool memfd;         /* /dev/shm was too small or missing */
    bool plain;         /* the kernel knows no huge pages for shared memory */
    char why_memfd[96]; /* what to tell the user then; empty otherwise */
};

/* Pages are committed in multiples of this, or in whole ones where they are larger. Every page is filled with
 * zeros once and mapped by each worker: in steps of 64 KiB that took 3 ms more in a run over icons, none of
 * which needs more than 16 KiB of a part. */
#define ARENA_GRAIN_BYTES 16384u

/* A huge page: one entry of a page table in place of 512, and one fault in each process that touches it,
 * which under a hypervisor can cost more than filling the page. The arena begins at a multiple of it, and
 * what is committed at such a multiple, in whole ones, becomes huge pages where the kernel can make them. */
#define ARENA_HUGE_BYTES ((size_t)2 << 20)

/* The advice to madvise(2) that maps committed pages at a stretch, in place of a fault for each:
 * MADV_POPULATE_WRITE of Linux 5.14, which older headers do not know and older kernels refuse. */
#define ARENA_POPULATE 23

/* Reserves `size_bytes` of address space. `need_bytes` is what the run may commit at once: where /dev/shm has
 * less room than that, the arena is a memfd. ERROR_MEMORY. */
int arena_open(struct arena *arena, size_t size_bytes, size_t need_bytes, struct error *error);

/* Makes [offset, offset + length) usable without any further failure. Main process only. ERROR_MEMORY. */
int arena_commit(struct arena *arena, size_t offset, size_t length, struct error *error);

/* Gives the pages of [offset, offset + length) back to the system; they read as zero if committed again.
 * Whole grains only. */
void arena_release(struct arena *arena, size_t offset, size_t length);

/* Unmaps and closes. Accepts a zeroed or closed arena. */
void arena_close(struct arena *arena);

/* `bytes` rounded up to whole grains; SIZE_MAX where that does not fit. */
size_t arena_round(size_t bytes);

/* The same to whole huge pages. */
size_t arena_round_huge(size_t bytes);

#endif
