/* SPDX-License-Identifier: MIT */
/* Arrays of two dimensions as files: .npy, bare samples, and comma-separated values, each also as gzip. Equal
 * arguments give equal bytes on every machine, but for gzip, where zlib differs. */
#ifndef DATASETS_ARRAYS_H
#define DATASETS_ARRAYS_H

#include "datasets/raster.h"

enum arrays_format { ARRAYS_NPY, ARRAYS_RAW, ARRAYS_CSV };

struct arrays_request {
    uint64_t rows, columns;
    enum arrays_format format;
    bool gzip;
    int dtype; /* as arrays_dtype numbers them; -1: of .npy each in turn, u8 of raw */
};

#define ARRAYS_DTYPES "u8, u16, u32, u64, i8, i16, i32, i64, f16, f32, f64 or bool"

/* The number of a dtype, or -1. */
int arrays_dtype(const char *name);

/* What the name of array `index` says behind its number, with its extension: "f64-big-fortran-v2.npy". */
void arrays_name(const struct arrays_request *request, uint64_t index, char *name, size_t size);

/* Replaces the file's contents by array `index`. .npy files take turns at dtype, byte order, order and
 * version, so that 144 of them have all; every second table has a line of names. false: no memory. */
bool arrays_encode(const struct arrays_request *request, uint64_t index, uint64_t seed,
                   struct raster_file *file);

/* Replaces the file's contents by themselves as gzip. false: no memory. */
bool arrays_gzip(struct raster_file *file);

/* Appends the header of an .npy file: its text, padded so that the samples begin at a multiple of 64. false:
 * no memory. */
bool arrays_npy_header(struct raster_file *file, unsigned version, const char *text);

/* How many ways of being broken there are, and the name of each, with its extension. */
unsigned arrays_broken_count(void);
const char *arrays_broken_name(unsigned way);

/* Replaces the file's contents by a broken array. false: no memory. */
bool arrays_break(unsigned way, uint64_t seed, struct raster_file *file);

#endif
