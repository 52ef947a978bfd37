/* SPDX-License-Identifier: MIT */
/* SipHash-2-4, the keyed hash of J.-P. Aumasson and D. J. Bernstein, "SipHash: a fast short-input PRF",
 * INDOCRYPT 2012. */
#ifndef PIPELINE_SIPHASH_H
#define PIPELINE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t siphash(const uint64_t key[2], const void *bytes, size_t length);

#endif
