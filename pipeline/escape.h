/* SPDX-License-Identifier: MIT */
/* File names and texts from files may hold any bytes; a terminal obeys some of them. Everything a person is
 * shown goes through here. */
#ifndef PIPELINE_ESCAPE_H
#define PIPELINE_ESCAPE_H

#include <stddef.h>

/* Writes `bytes` (ended by NUL) into out[size] so that it is safe to print as part of one line: printable
 * UTF-8 stays; \n, \r, \t and \\ stand for those bytes; every byte of anything else (control characters of C0
 * and C1, DEL, invalid UTF-8, invisible and bidirectional controls, line separators) becomes \xNN. Where
 * `size` does not suffice, the text ends with "..." (as far as that fits). Always terminated when size > 0.
 * Returns `out`. Any thread; allocates nothing. */
const char *escape_text(const char *bytes, char *out, size_t size);

#endif
