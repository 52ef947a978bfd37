/* SPDX-License-Identifier: MIT */
/* The main process gives up, for good, what a run has no need of: with Landlock (Linux 5.13) it can from then
 * on open files only beneath the directories named here, connect to nobody and execute nothing. Whoever takes
 * it over through a hostile header finds the rest of the file system closed. Descriptors that are open
 * already stay as they are.
 *
 * https://docs.kernel.org/userspace-api/landlock.html */
#ifndef PIPELINE_FENCE_H
#define PIPELINE_FENCE_H

#include <stdbool.h>
#include <stdint.h>

struct fence {
    int fd;          /* -1: there is none */
    uint64_t rights; /* on files, of those that this kernel knows */
    char lacks[96];  /* why there is none; "" where there is one */
    bool by_build;   /* it is this build that cannot, and not the kernel */
};

/* Where there can be none, says why in `lacks`. The number of the kernel's interface, 0: none. */
int fence_open(struct fence *fence);

/* What may be read, and what may be read, made, changed and removed, beneath an open directory. Without
 * effect where there is no fence; one that cannot be made leaves that directory outside. */
void fence_let_read(const struct fence *fence, int directory);
void fence_let_write(const struct fence *fence, int directory);

/* Closes it around the calling thread and those that it will make; processes that it forked before stay free.
 * `threads_exit`: some of them will end by pthread_exit, as those of OpenMP do. False: there is no fence.
 * Afterwards the fence is closed, as by fence_close. */
bool fence_enter(struct fence *fence, bool threads_exit);

void fence_close(struct fence *fence);

#endif
