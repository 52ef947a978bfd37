/* SPDX-License-Identifier: MIT */
/* Bytes put aside in a file without a name, so that memory stays flat however many there are. */
#ifndef PIPELINE_SPOOL_H
#define PIPELINE_SPOOL_H

#include <stddef.h>
#include <stdint.h>

#include "stages/error.h"

struct spool {
    int fd; /* -1: not open */
    uint64_t end;
};

/* In the directory that `directory` is a descriptor of. ERROR_IO, ERROR_DISK_FULL. */
int spool_open(struct spool *spool, int directory, struct error *error);

/* Appends; *at is where. ERROR_DISK_FULL, ERROR_IO. */
int spool_put(struct spool *spool, const void *bytes, size_t length, uint64_t *at, struct error *error);

/* Reads exactly what was put there. ERROR_IO. */
int spool_get(const struct spool *spool, uint64_t at, void *bytes, size_t length, struct error *error);

/* Forgets everything that was put there. */
void spool_clear(struct spool *spool);

void spool_close(struct spool *spool);

#endif
