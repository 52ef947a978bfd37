/* SPDX-License-Identifier: MIT */
/* The program's own queue, its sleep, and recovery, with steps. All of it: linked without the library, the
 * model lacks what a new file of these would hold. */
#include "steps.h"

#include "pipeline/shared/event.c"
#include "pipeline/shared/queue.c"

#include "pipeline/engine/recover.c"
