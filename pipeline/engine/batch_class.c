/* SPDX-License-Identifier: MIT */
#include "pipeline/engine/batch_class.h"

#include <sched.h>

void batch_class_enter(void)
{
    const struct sched_param none = {0};
    if (sched_getscheduler(0) == SCHED_OTHER)
        sched_setscheduler(0, SCHED_BATCH, &none);
}
