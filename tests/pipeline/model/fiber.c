/* SPDX-License-Identifier: MIT */
#include "fiber.h"

#include <stdlib.h>
#include <string.h>

static struct fiber *running;
static uint8_t *caller;

/* fiber_switch_to keeps what a call has to keep on the stack that is left, says in *from where, and goes on
 * with what lies so at `to`. fiber_enter is where a new fiber begins: begin(r12, r13). */
void fiber_switch_to(uint8_t **from, uint8_t *to);
void fiber_enter(void);
__asm__(".text\n"
        "fiber_switch_to:\n\t"
        "pushq %rbp\n\tpushq %rbx\n\tpushq %r12\n\tpushq %r13\n\tpushq %r14\n\tpushq %r15\n\t"
        "movq %rsp, (%rdi)\n\tmovq %rsi, %rsp\n\t"
        "popq %r15\n\tpopq %r14\n\tpopq %r13\n\tpopq %r12\n\tpopq %rbx\n\tpopq %rbp\n\tret\n"
        "fiber_enter:\n\t"
        "movq %r12, %rdi\n\tmovl %r13d, %esi\n\tjmp *%r14\n");

/* The first frame of a fiber: see fiber_enter. */
static void begin(void (*body)(int), int argument)
{
    body(argument);
    running->at = NULL;
    uint8_t *nowhere;
    fiber_switch_to(&nowhere, caller);
    abort();
}

void fiber_start(struct fiber *fiber, void (*body)(int), int argument)
{
    memset(fiber->stack, 0, FIBER_STACK_BYTES);
    /* As fiber_switch_to leaves it: r15, r14, r13, r12, rbx, rbp, where to return to; above that the
     * stack is aligned as after a call. */
    uint64_t *top = (uint64_t *)(void *)(fiber->stack + FIBER_STACK_BYTES) - 1;
    top[-1] = (uint64_t)(uintptr_t)fiber_enter;
    top[-4] = (uint64_t)(uintptr_t)body;
    top[-5] = (uint64_t)(unsigned)argument;
    top[-6] = (uint64_t)(uintptr_t)begin;
    fiber->at = (uint8_t *)(top - 7);
}

void fiber_run(struct fiber *fiber)
{
    running = fiber;
    fiber_switch_to(&caller, fiber->at);
    running = NULL;
}

/* Leaves nothing of calls that are over on the unused part of the stack, which later frames would take up
 * with their gaps: two states that differ in nothing that matters shall be the same bytes. */
static void tidy(const struct fiber *fiber)
{
    uint8_t *here = __builtin_frame_address(0);
    for (volatile uint64_t *at = (volatile uint64_t *)(void *)fiber->stack; (uint8_t *)at < here - 64; at++)
        *at = 0;
}

void fiber_yield(void)
{
    tidy(running);
    fiber_switch_to(&running->at, caller);
}
