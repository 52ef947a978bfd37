/* SPDX-License-Identifier: MIT */
/* Runs a shell command on bytes: they go to its standard input while its standard output is read. For
 * workers; blocks until the command has ended or its time is over. Whatever happens, the command is gone when
 * this returns, and when the caller dies it is killed. */
#ifndef PIPELINE_COMMAND_H
#define PIPELINE_COMMAND_H

#include <stddef.h>
#include <stdint.h>

#include "stages/error.h"

struct command_io {
    const uint8_t *in;
    size_t in_bytes;
    uint8_t *out;
    size_t out_bytes;    /* room */
    uint64_t most_bytes; /* more than this is not even counted */
    size_t out_length;   /* out: how much came, also where it did not fit */
};

/* ERROR_STAGE where the command fails, with its status and the last line it wrote to standard error; or takes
 * longer than it may; ERROR_ROOM where it succeeds and writes more than there is room; ERROR_LIMIT beyond
 * most_bytes; ERROR_MEMORY where it cannot be started. A command need not read all that it is given. */
int command_run(const char *line, uint64_t timeout_ms, struct command_io *io, struct error *error);

#endif
