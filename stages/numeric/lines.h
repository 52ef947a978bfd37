/* SPDX-License-Identifier: MIT */
/* An array along one axis: `outer` slabs of `length` x `inner` samples, in which a line is every `inner`th
 * sample. */
#ifndef STAGES_NUMERIC_LINES_H
#define STAGES_NUMERIC_LINES_H

#include "stages/stage.h"

struct lines {
    size_t outer, length, inner;
    unsigned axis; /* counted from the first */
};

/* The axis counts from the last where it is negative, -1 being the last. ERROR_USAGE where the array has no
 * such axis. */
int lines_along(const struct shape *shape, int64_t axis, struct lines *lines, struct error *error);

#endif
