/* SPDX-License-Identifier: MIT */
#include "pipeline/config/job.h"

#include <stdlib.h>

void job_free(struct job *job)
{
    for (unsigned i = 0; i < job->stage_count; i++) {
        if (job->stages[i].params)
            param_free(job->stages[i].stage->params, job->stages[i].params);
        free(job->stages[i].params);
    }
    param_free(settings_table, &job->settings);
    *job = (struct job){0};
}
