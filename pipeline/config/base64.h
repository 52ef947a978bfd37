/* SPDX-License-Identifier: MIT */
/* Base64 as RFC 4648 section 4 has it; YAML's !!binary, for names that are no text. */
#ifndef PIPELINE_BASE64_H
#define PIPELINE_BASE64_H

#include <stddef.h>

/* Bytes that base64_encode writes for `length` bytes, with the final NUL. */
#define BASE64_SIZE(length) (((length) + 2) / 3 * 4 + 1)

/* Writes the text of `bytes` and a NUL to out[BASE64_SIZE(length)]. */
void base64_encode(const void *bytes, size_t length, char *out);

/* Decodes `text` (ended by NUL, white space allowed) to `out`, which may be `text` itself. 0, or
 * ERROR_USAGE where it is not base64. */
int base64_decode(const char *text, char *out, size_t *length);

#endif
