/* SPDX-License-Identifier: MIT */
/* The two computations that textbooks keep a core busy with; for the stages of their names, their tests, and
 * whoever wants to know what they cost without a pipeline around them. */
#ifndef STAGES_SYNTHETIC_ARITHMETIC_H
#define STAGES_SYNTHETIC_ARITHMETIC_H

#include <stdbool.h>
#include <stdint.h>

/* How many primes there are in [first, last), by trial division with 2 and the odd numbers up to the root. */
uint32_t primes_count(uint32_t first, uint32_t last);

/* Is it prime? By trial division, too: what takes microseconds for numbers of 32 bit takes seconds for the
 * largest primes of 64. */
bool primes_is(uint64_t number);

/* The sum of the squares of [first, last), modulo 2^64; no formula, each square is computed. */
uint64_t sumsq_sum(uint32_t first, uint32_t last);

#endif
