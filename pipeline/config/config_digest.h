/* SPDX-License-Identifier: MIT */
/* A short hash of everything in a job that decides what comes out of an item. */
#ifndef PIPELINE_CONFIG_DIGEST_H
#define PIPELINE_CONFIG_DIGEST_H

#include <stdint.h>

#include "pipeline/config/job.h"

#define CONFIG_DIGEST_BYTES 16u

struct config_digest {
    /* Of what decides the bytes of outputs: the stages with their parameters, `when` and contents of files;
     * the outputs and how they are saved; load; forkmill's version. Of a command, its line. Not: engine,
     * workers, memory, queues. */
    uint8_t bytes[CONFIG_DIGEST_BYTES];
    /* Of that, and of what may fail an item: limits, memory, timeout, retries, sandbox. */
    uint8_t failures[CONFIG_DIGEST_BYTES];
};

/* ERROR_MEMORY. */
int config_digest(const struct job *job, struct config_digest *digest, struct error *error);

#endif
