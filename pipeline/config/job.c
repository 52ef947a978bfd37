/* SPDX-License-Identifier: MIT */
#include "pipeline/config/job.h"

#include <stdlib.h>
#include <string.h>

#include "pipeline/files/match.h"

#define WHEN(field, name, type, max, help)                                                                   \
    {                                                                                                        \
        name, type, offsetof(struct job_when, field), 0, max, "0", NULL, "", help                            \
    }
const struct param job_when_table[] = {
    {"glob", PARAM_LIST, offsetof(struct job_when, glob), 0, 0, NULL, NULL, "",
     "Only items whose name or path matches one of these"},
    {"kind", PARAM_CHOICE, offsetof(struct job_when, kind), 0, 0, "any", "any|image|array", "",
     "Only images, or only arrays"},
    WHEN(min_width, "min_width", PARAM_COUNT, 1e12, "Only images at least so wide"),
    WHEN(max_width, "max_width", PARAM_COUNT, 1e12, "Only images at most so wide; 0: any"),
    WHEN(min_height, "min_height", PARAM_COUNT, 1e12, "Only images at least so high"),
    WHEN(max_height, "max_height", PARAM_COUNT, 1e12, "Only images at most so high; 0: any"),
    WHEN(min_samples, "min_samples", PARAM_COUNT, 1e15,
         "Only items with at least so many samples: pixels x channels, or elements"),
    WHEN(max_samples, "max_samples", PARAM_COUNT, 1e15, "Only items with at most so many; 0: any"),
    WHEN(min_file_bytes, "min_file", PARAM_BYTES, 1e15, "Only items whose file has at least this size"),
    WHEN(max_file_bytes, "max_file", PARAM_BYTES, 1e15,
         "Only items whose file has at most this size; 0: any"),
    PARAM_END,
};

const struct param *job_when_params(void)
{
    return job_when_table;
}

static bool within(uint64_t value, uint64_t least, uint64_t most)
{
    return value >= least && (most == 0 || value <= most);
}

bool job_applies(const struct job_stage *stage, const struct shape *shape)
{
    const struct job_when *when = stage->when;
    if (!when)
        return true;
    const bool sized = when->min_width || when->max_width || when->min_height || when->max_height;
    if (when->kind && when->kind != 1 + shape->kind)
        return false;
    if (sized && (shape->kind != SHAPE_IMAGE || !within(shape->width, when->min_width, when->max_width) ||
                  !within(shape->height, when->min_height, when->max_height)))
        return false;
    return within(shape_samples(shape), when->min_samples, when->max_samples);
}

uint64_t job_skipped(const struct job *job, const char *rel, uint64_t file_bytes)
{
    uint64_t skipped = 0;
    for (unsigned i = 0; i < job->stage_count; i++) {
        const struct job_when *when = job->stages[i].when;
        if (when && (!within(file_bytes, when->min_file_bytes, when->max_file_bytes) ||
                     (when->glob.count && !match_list(&when->glob, rel, false))))
            skipped |= (uint64_t)1 << i;
    }
    return skipped;
}

const struct job_stage *job_tiles(const struct job *job, unsigned output)
{
    const struct job_output *own = &job->outputs[output];
    const unsigned last = own->last > own->first ? own->last : job->trunk;
    return last > 0 && job->stages[last - 1].stage->piece ? &job->stages[last - 1] : NULL;
}

bool job_branches(const struct job *job)
{
    for (unsigned i = 0; i < job->output_count; i++) {
        if (job->outputs[i].last > job->outputs[i].first || job_tiles(job, i))
            return true;
    }
    return false;
}

bool job_makes_pieces(const struct job *job)
{
    return job->output_count > 1 || job_branches(job) || job->settings.aggregate_file ||
           (job->output_count == 1 && job->outputs[0].save.recompress);
}

bool job_streams(const struct job *job)
{
    return job->pool_count == 1 && job->output_count == 1 && !job_makes_pieces(job);
}

bool job_unconfined(const struct job *job)
{
    for (unsigned i = 0; i < job->pool_count; i++) {
        if (job->pools[i].unconfined)
            return true;
    }
    return false;
}

bool job_records(const struct job *job)
{
    bool any = false;
    for (unsigned i = 0; i < job->stage_count; i++)
        any = any || job->stages[i].stage->records;
    return any && job->settings.collect_file;
}

const char *job_reference(const struct job *job, unsigned *stage)
{
    for (unsigned i = 0; i < job->stage_count; i++) {
        const struct job_stage *link = &job->stages[i];
        const char *directory = link->stage->reference ? link->stage->reference(link->params) : NULL;
        if (directory && stage)
            *stage = i;
        if (directory)
            return directory;
    }
    return NULL;
}

void job_free_chain(struct job *job)
{
    for (unsigned i = 0; i < job->stage_count; i++) {
        if (job->stages[i].params)
            param_free(job->stages[i].stage->params, job->stages[i].params);
        if (job->stages[i].when)
            param_free(job_when_table, job->stages[i].when);
        free(job->stages[i].params);
        free(job->stages[i].when);
    }
    for (unsigned i = 0; i < job->output_count; i++) {
        if (!job->outputs[i].lends_name)
            free(job->outputs[i].save.name);
        if (!job->outputs[i].lends_delimiter)
            free(job->outputs[i].save.delimiter);
    }
    memset(job->stages, 0, sizeof job->stages);
    memset(job->outputs, 0, sizeof job->outputs);
    job->stage_count = job->output_count = job->trunk = job->pool_count = 0;
    job->tee = false;
}

void job_free(struct job *job)
{
    job_free_chain(job);
    param_free(settings_table, &job->settings);
    *job = (struct job){0};
}
