/* SPDX-License-Identifier: MIT */
/* A worker locks itself in before it sees a byte of any input: from then on it can compute, sleep, wake
 * others and write to its standard error, and every other system call is its death (SIGSYS). It keeps the
 * arena, and what it writes there is checked by those who read it; so code that a hostile file has taken over
 * can spoil the items of its own process and nothing else.
 *
 * The filter is made once, by the main process; a worker only puts its own number into it. */
#ifndef PIPELINE_SANDBOX_H
#define PIPELINE_SANDBOX_H

#include <linux/filter.h>
#include <stdbool.h>

#include "stages/error.h"

struct sandbox {
    struct sock_filter *filter; /* NULL: none */
    unsigned short length;
    char lacks[96]; /* why there is no filter; "" where there is one */
    bool by_build;  /* it is this build that cannot, and not the machine */
};

/* Is there anything that keeps this build or this kernel from having a sandbox? Then says what, in `lacks`
 * and `by_build`, and returns false. */
bool sandbox_possible(struct sandbox *sandbox);

/* Makes the filter where it is possible. ERROR_MEMORY. */
int sandbox_open(struct sandbox *sandbox, struct error *error);

/* Locks the calling process in, for good; it must have one thread. With a filter, and without one as far as
 * limits go; not at all where this build cannot live so. Nobody of the same user can trace it or read its
 * memory then, unless it is `observed`. False: it could not be done. */
bool sandbox_enter(const struct sandbox *sandbox, bool observed);

/* Accepts a zeroed or closed one. */
void sandbox_close(struct sandbox *sandbox);

/* The library that makes filters and its version, for a person; "": this build has none. */
const char *sandbox_library(void);

/* ---- between sandbox.c and sandbox_filter.c ---- */

/* Stands in a filter where the number of the process comes. */
#define SANDBOX_SELF 0x7ffffff3u

/* Makes the program; *filter is the caller's to free. ERROR_MEMORY. */
int sandbox_make_filter(struct sock_filter **filter, unsigned short *length, struct error *error);

#endif
