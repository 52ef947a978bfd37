/* SPDX-License-Identifier: MIT */
/* The counterpart of an item, for stages that ask for one: a file of a format that is nothing but a shape and
 * the samples. */
#ifndef TESTS_STAGES_COUNTERPART_H
#define TESTS_STAGES_COUNTERPART_H

#include <stdlib.h>
#include <string.h>

#include "stages/stage.h"

static inline int counterpart_decode(struct codec_decode *job, struct error *error)
{
    if (job->length_bytes < sizeof job->shape)
        return error_set(error, ERROR_CORRUPT, "ends early");
    memcpy(&job->shape, job->bytes, sizeof job->shape);
    memcpy(job->pixels, job->bytes + sizeof job->shape, job->length_bytes - sizeof job->shape);
    return 0;
}

static const struct codec counterpart_codec = {.name = "counterpart", .decode = counterpart_decode};

/* Its bytes are the caller's to free. */
static inline struct stage_reference counterpart_of(const struct shape *shape, const void *samples)
{
    const size_t bytes = shape_bytes(shape);
    uint8_t *file = malloc(sizeof *shape + bytes);
    memcpy(file, shape, sizeof *shape);
    if (bytes > 0)
        memcpy(file + sizeof *shape, samples, bytes);
    return (struct stage_reference){.codec = &counterpart_codec,
                                    .bytes = file,
                                    .length_bytes = sizeof *shape + bytes,
                                    .info = {.shape = *shape}};
}

#endif
