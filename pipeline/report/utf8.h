/* SPDX-License-Identifier: MIT */
#ifndef PIPELINE_UTF8_H
#define PIPELINE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* The code point that starts at `bytes`; returns its length, or 0 where the bytes are not UTF-8 as RFC 3629
 * has it: shortest form only, no surrogates, at most U+10FFFF. */
size_t utf8_next(const char *bytes, size_t length, uint32_t *point);

#endif
