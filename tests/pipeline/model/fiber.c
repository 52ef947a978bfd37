/* SPDX-License-Identifier: MIT */
#include "fiber.h"

#include <stdlib.h>
#include <string.h>

static struct fiber *running;
static uint8_t *caller;

/* Keeps what a call has to keep on the stack that is left, and takes it from the one that is entered. */
__attribute__((naked, noinline)) static void switch_to(uint8_t **from, uint8_t *to)
{
    (void)from, (void)to;
    __asm__("pushq %rbp\n\tpushq %rbx\n\tpushq %r12\n\tpushq %r13\n\tpushq %r14\n\tpushq %r15\n\t"
            "movq %rsp, (%rdi)\n\tmovq %rsi, %rsp\n\t"
            "popq %r15\n\tpopq %r14\n\tpopq %r13\n\tpopq %r12\n\tpopq %rbx\n\tpopq %rbp\n\tret");
}

/* The first frame of a fiber: r12 holds the body, r13 its argument. */
static void begin(void (*body)(int), int argument)
{
    body(argument);
    running->at = NULL;
    uint8_t *nowhere;
    switch_to(&nowhere, caller);
    abort();
}

__attribute__((naked, noinline)) static void enter(void)
{
    __asm__("movq %r12, %rdi\n\tmovl %r13d, %esi\n\tjmp *%r14");
}

void fiber_start(struct fiber *fiber, void (*body)(int), int argument)
{
    memset(fiber->stack, 0, FIBER_STACK_BYTES);
    /* As switch_to leaves it: r15, r14, r13, r12, rbx, rbp, where to return to; above that the
     * stack is aligned as after a call. */
    uint64_t *top = (uint64_t *)(void *)(fiber->stack + FIBER_STACK_BYTES) - 1;
    top[-1] = (uint64_t)(uintptr_t)enter;
    top[-4] = (uint64_t)(uintptr_t)body;
    top[-5] = (uint64_t)(unsigned)argument;
    top[-6] = (uint64_t)(uintptr_t)begin;
    fiber->at = (uint8_t *)(top - 7);
}

void fiber_run(struct fiber *fiber)
{
    running = fiber;
    switch_to(&caller, fiber->at);
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
    switch_to(&running->at, caller);
}
