/* SPDX-License-Identifier: MIT */
/* SIMD_CLONES marks a kernel that is compiled twice, for x86-64 as such and for AVX2, the better one chosen
 * when the program is loaded. Kernels add no products in an order of the compiler's choice
 * (-ffp-contract=off, no -ffast-math), so all give the same bytes. Sanitized builds take one: their runtimes
 * are not up yet when the loader chooses. The name of such a function must be its own in the whole program,
 * static as it may be: what clang makes to choose by has that name, and is not. */
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

/* For kernels that gain by AVX-512 (x86-64-v4: F, BW, CD, DQ and VL): those that convert halves and 64-bit
 * integers, narrow with limits, choose by comparisons, and take apart pixels of three and four. By llvm-mca,
 * for Skylake-X, Ice Lake and Zen 4, halves take 0.4 to 0.75 of the cycles, and few loops more than with
 * AVX2. Other kernels gain nothing, or lose: minima of 64-bit integers take longer by its one instruction,
 * and bytes a distance apart go through masks. Vectors have 256 bits (CMakeLists.txt): wider ones lower the
 * clock of some processors. Clang has no name for the level to choose by, or one whose test is never true. */
#if defined(SIMD_CHOICE) && defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 12
#define SIMD_CLONES_512 __attribute__((target_clones("arch=x86-64-v4", "avx2", "default")))
#define SIMD_CHOICE_512 1
#else
#define SIMD_CLONES_512 SIMD_CLONES
#endif

/* For the loops that kernels share: part of whichever clone calls them. */
#define SIMD_INLINE static inline __attribute__((always_inline))

#endif
