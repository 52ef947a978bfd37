/* SPDX-License-Identifier: MIT */
/* Marks a kernel that is compiled twice, for x86-64 as such and for AVX2, the better one chosen when the
 * program is loaded. Kernels add no products in an order of the compiler's choice (-ffp-contract=off, no
 * -ffast-math), so both give the same bytes. Sanitized builds take one: their runtimes are not up yet when
 * the loader chooses. The name of such a function must be its own in the whole program, static as it may be:
 * what clang makes to choose by has that name, and is not. */
#ifndef STAGES_SIMD_H
#define STAGES_SIMD_H

#include <features.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define SIMD_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SIMD_SANITIZED 1
#endif

#if defined(__x86_64__) && defined(__GLIBC__) && !defined(SIMD_SANITIZED) && !defined(SIMD_BASELINE)
#define SIMD_CLONES __attribute__((target_clones("avx2", "default")))
#define SIMD_CHOICE 1
#else
#define SIMD_CLONES
#endif

/* For the loops that kernels share: part of whichever clone calls them. */
#define SIMD_INLINE static inline __attribute__((always_inline))

#endif
