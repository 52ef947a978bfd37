/* SPDX-License-Identifier: MIT */
/* Samples of any type as one of four wide types, a piece at a time, and back. A stage that is written for
 * these works on all types. */
#ifndef STAGES_NUMERIC_WIDE_H
#define STAGES_NUMERIC_WIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* int32_t, int64_t, uint64_t, double. */
enum wide { WIDE_I32, WIDE_I64, WIDE_U64, WIDE_F64 };

/* A piece that stays in the first cache; its memory comes from scratch. */
#define WIDE_PIECE 1024u
union wide_piece {
    int32_t i32[WIDE_PIECE];
    int64_t i64[WIDE_PIECE];
    uint64_t u64[WIDE_PIECE];
    double f64[WIDE_PIECE];
};

/* The first of the four that holds all values of the sample type. */
enum wide wide_of(uint8_t sample);

/* `count` samples as values of wide_of(sample), or as doubles: integers beyond 2^53 are rounded then. */
void wide_load(uint8_t sample, const void *src, size_t count, union wide_piece *piece);
void wide_load_f64(uint8_t sample, const void *src, size_t count, double *values);

/* Wide values as samples. Integers keep their low bits; floats are rounded to float types, and must fit
 * integer types (wide_saturate), where their fraction is dropped. To bool: is it anything but 0? */
void wide_store(enum wide wide, const union wide_piece *piece, size_t count, uint8_t sample, void *dst);

/* Brings values within the range of the sample type. Floats: NaN becomes 0 for integer types; infinities
 * stay for float types, finite values that would become infinite turn into the largest finite ones. */
void wide_saturate(enum wide wide, union wide_piece *piece, size_t count, uint8_t sample);

/* The number of the first value that is outside of the sample type's range after its fraction was dropped, or
 * `count`. For integer types NaN and infinities are. */
size_t wide_outside(enum wide wide, const union wide_piece *piece, size_t count, uint8_t sample);

/* The range of an integer type, or of bool. */
int64_t wide_least(uint8_t sample);
uint64_t wide_most(uint8_t sample);

#endif
