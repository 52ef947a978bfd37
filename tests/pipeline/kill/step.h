/* SPDX-License-Identifier: MIT */
/* A process that goes through one operation instruction by instruction, and is killed at one of them. It
 * steps itself, with the processor's trap flag: an instruction costs a signal, where stepping from another
 * process would cost two switches between processes. */
#ifndef TESTS_KILL_STEP_H
#define TESTS_KILL_STEP_H

#include "world.h"

/* How the victim got on. */
enum step_end {
    STEP_KILLED,        /* before its next instruction */
    STEP_KILLED_ASLEEP, /* within the system call that is its next instruction */
    STEP_CALL_RETURNED, /* that call did not sleep: it was killed after it */
    STEP_OVER,          /* the operation was over before so many instructions; it was killed after it */
};

/* Forks a victim, lets it run `before` (NULL: nothing) freely and then `instructions` instructions of `act`,
 * kills it with SIGKILL and reaps it. `asleep`: if the next instruction is a system call, begins it, and
 * kills the victim in it. *call says whether the next instruction was one. */
enum step_end step_kill(struct world *world, void (*before)(struct world *), void (*act)(struct world *),
                        uint32_t instructions, bool asleep, bool *call);

/* Victim: is it to be killed in its sleep? Then nothing may wake it. */
extern bool step_to_sleep;

#endif
