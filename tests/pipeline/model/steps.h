/* SPDX-License-Identifier: MIT */
/* Makes every access to an atomic, and every call of the kernel, a step: the fiber gives way before it. To be
 * included before anything of the pipeline. What comes of orders weaker than sequential consistency is not
 * seen here; that is ThreadSanitizer's. */
#ifndef TESTS_MODEL_STEPS_H
#define TESTS_MODEL_STEPS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <unistd.h>

uint32_t step_load_32(const _Atomic uint32_t *at);
uint64_t step_load_64(const _Atomic uint64_t *at);
void step_store_32(_Atomic uint32_t *at, uint32_t value);
void step_store_64(_Atomic uint64_t *at, uint64_t value);
uint32_t step_add(_Atomic uint32_t *at, uint32_t value);
bool step_exchange(_Atomic uint64_t *at, uint64_t *expected, uint64_t value);

/* FUTEX_WAIT and FUTEX_WAKE on the events of the model's queue. */
long step_syscall(long number, ...);

/* Without a step. */
uint64_t peek(const _Atomic uint64_t *at);

#ifndef STEPS_NONE
#undef atomic_load
#undef atomic_load_explicit
#undef atomic_store
#undef atomic_store_explicit
#undef atomic_fetch_add
#undef atomic_fetch_sub
#undef atomic_compare_exchange_strong
#undef atomic_compare_exchange_strong_explicit
#define atomic_load(at)                                                  _Generic(*(at), uint32_t : step_load_32, uint64_t : step_load_64)(at)
#define atomic_load_explicit(at, order)                                  atomic_load(at)
#define atomic_store(at, value)                                          _Generic(*(at), uint32_t : step_store_32, uint64_t : step_store_64)(at, value)
#define atomic_store_explicit(at, value, order)                          atomic_store(at, value)
#define atomic_fetch_add(at, value)                                      step_add(at, value)
#define atomic_fetch_sub(at, value)                                      step_add(at, 0u - (value))
#define atomic_compare_exchange_strong(at, was, value)                   step_exchange(at, was, value)
#define atomic_compare_exchange_strong_explicit(at, was, value, yes, no) step_exchange(at, was, value)
#define syscall                                                          step_syscall
#endif

#endif
