/* SPDX-License-Identifier: MIT */
/* A stage that tells which of its rows are begun and done, for images whose rows are shared. */
#ifndef TESTS_KILL_ROWS_STAGE_H
#define TESTS_KILL_ROWS_STAGE_H

#include <stdatomic.h>

#include "stages/stage.h"

struct told;

/* Rows of one range, as the leader cuts an image of four ranges. */
#define ROWS_STAGE_EACH 16u

/* Whom it tells. */
extern struct told *rows_stage_told;

/* What a process does in its first range; NULL: nothing. */
extern void (*rows_stage_pause)(struct told *told);

extern const struct stage rows_stage;

#endif
