/* SPDX-License-Identifier: MIT */
/* File names and texts from files may hold any bytes; a terminal obeys some of them. Everything a person is
 * shown goes through here. */
#ifndef PIPELINE_ESCAPE_H
#define PIPELINE_ESCAPE_H

#include <stddef.h>
#include <stdint.h>

/* Writes `bytes` (ended by NUL) into out[size] so that it is safe to print as part of one line: printable
 * UTF-8 stays; \n, \r, \t and \\ stand for those bytes; every byte of anything else (control characters of C0
 * and C1, DEL, invalid UTF-8, invisible and bidirectional controls, line separators) becomes \xNN. Where
 * `size` does not suffice, the text ends with "..." (as far as that fits). Always terminated when size > 0.
 * Returns `out`. Any thread; allocates nothing. */
const char *escape_text(const char *bytes, char *out, size_t size);

/* Length in bytes of the UTF-8 sequence (RFC 3629: shortest form, no surrogates, at most U+10FFFF) that
 * `text` begins with, and its code point; 0 where it begins with none. NUL is a sequence of length 1. */
size_t escape_sequence(const char *text, uint32_t *point);

#endif
