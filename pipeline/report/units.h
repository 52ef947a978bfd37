/* SPDX-License-Identifier: MIT */
/* Quantities as people read them. All write to out[size], always terminated, and return `out`. */
#ifndef PIPELINE_UNITS_H
#define PIPELINE_UNITS_H

#include <stddef.h>
#include <stdint.h>

/* Room that every one of these fits in. */
#define UNITS_SIZE 32

/* Powers of 1000, three digits: "0 B", "999 B", "1.50 kB", "44.1 MB". */
const char *units_bytes(uint64_t bytes, char *out, size_t size);

/* Powers of 1024, as memory is set: "64 KiB", "2 GiB", "1.21 GiB". */
const char *units_memory(uint64_t bytes, char *out, size_t size);

/* "0.042 s", "12.3 s", "4 min 05 s", "2 h 03 min". */
const char *units_duration(uint64_t ns, char *out, size_t size);

/* A clock: "0:07", "12:34", "1:02:03", "3 d 04 h". */
const char *units_clock(uint64_t seconds, char *out, size_t size);

/* Three digits: "0", "0.05", "3.14", "45.6", "789", "12345". */
const char *units_rate(double value, char *out, size_t size);

#endif
