/* SPDX-License-Identifier: MIT */
/* Numbers that look random and are the same on every machine: integer arithmetic modulo a power of two. */
#ifndef DATASETS_DICE_H
#define DATASETS_DICE_H

#include <stdint.h>

/* The next number of the sequence in *state: SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom
 * Number Generators, 2014). */
static inline uint64_t dice_next(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* A number in [low, high], both within 32 bits. */
static inline int32_t dice_range(uint64_t *state, int32_t low, int32_t high)
{
    const uint64_t span = (uint64_t)((int64_t)high - low + 1);
    return (int32_t)(low + (int64_t)(dice_next(state) % span));
}

/* A hash of one number: the finalizer of MurmurHash3 (Appleby, public domain). */
static inline uint32_t dice_hash(uint32_t value)
{
    value = (value ^ (value >> 16)) * 0x85ebca6bu;
    value = (value ^ (value >> 13)) * 0xc2b2ae35u;
    return value ^ (value >> 16);
}

#endif
