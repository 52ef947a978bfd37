/* SPDX-License-Identifier: MIT */
/* Threads of control that are switched by hand and can be copied: the stack of a fiber that is not running is
 * plain memory. On x86-64. */
#ifndef TESTS_MODEL_FIBER_H
#define TESTS_MODEL_FIBER_H

#include <stddef.h>
#include <stdint.h>

#define FIBER_STACK_BYTES 16384u

struct fiber {
    uint8_t *stack; /* of FIBER_STACK_BYTES, aligned to 64; the caller's */
    uint8_t *at; /* where it goes on; live are the bytes from here to the stack's end. NULL: it has ended */
};

/* Prepares the fiber to run `body(argument)`. */
void fiber_start(struct fiber *fiber, void (*body)(int), int argument);

/* Lets it run until it yields or ends. */
void fiber_run(struct fiber *fiber);

/* Of the fiber that runs: back to who called fiber_run. */
void fiber_yield(void);

#endif
