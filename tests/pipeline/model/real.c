/* SPDX-License-Identifier: MIT */
/* The program's own queue and recovery, with steps. */
#include "steps.h"

#include "pipeline/shared/queue.c"

#include "pipeline/engine/recover.c"
