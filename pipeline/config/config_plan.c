/* SPDX-License-Identifier: MIT */
#include "pipeline/config/config_plan.h"

/* The format that is asked for, or any where the input's is kept. */
static int plan_save(const struct codec_save *save, const struct shape *shape, struct error *error)
{
    const struct codec *const *codecs = codec_all();
    int code = 0;
    struct error first = {0}, *room = &first;
    for (int i = 0; codecs[i]; i++) {
        if (save->format != 0 && save->format != i + 1)
            continue;
        struct error next = {0};
        struct codec_plan plan = {0};
        code = codec_plan_for(codecs[i], save, shape, 0, &plan, room ? room : &next);
        if (code == 0)
            return 0;
        room = NULL;
    }
    *error = first;
    return first.code;
}

static int plan_stages(const struct job *job, unsigned first, unsigned last, struct shape *shape,
                       unsigned *stage, struct error *error)
{
    for (*stage = first; *stage < last; ++*stage) {
        const struct job_stage *link = &job->stages[*stage];
        struct stage_plan plan;
        if (!job_applies(link, shape))
            continue;
        const bool takes = shape->kind == SHAPE_ARRAY && link->stage->arrays >> shape->sample & 1;
        int code = stage_plan(link->stage, link->params, shape, &plan, error);
        /* Arrays have any dimensions: what a stage says of these says nothing of others. */
        TRY(code < 0 && takes ? ERROR_LIMIT : code);
        *shape = plan.out;
    }
    return 0;
}

static int plan_chain(const struct job *job, struct shape shape, unsigned *stage, struct error *error)
{
    TRY(plan_stages(job, 0, job->trunk, &shape, stage, error));
    for (unsigned i = 0; i < job->output_count; i++) {
        const struct job_output *output = &job->outputs[i];
        struct shape own = shape;
        TRY(plan_stages(job, output->first, output->last, &own, stage, error));
        *stage = job->stage_count;
        TRY(plan_save(&output->save, &own, error));
    }
    return 0;
}

int config_plan(const struct job *job, unsigned *stage, struct error *error)
{
    static const struct shape shapes[] = {
        {.width = 1000, .height = 1000, .channels = 3, .sample = SAMPLE_U8, .bits = 8},
        {.width = 1000, .height = 1000, .channels = 3, .sample = SAMPLE_U16, .bits = 16},
        {.width = 1000, .height = 1000, .channels = 1, .sample = SAMPLE_U8, .bits = 8},
        {.width = 1000, .height = 1000, .channels = 1, .sample = SAMPLE_U16, .bits = 16},
        {.width = 1000, .height = 1000, .channels = 4, .sample = SAMPLE_U8, .bits = 8},
        {.width = 1000, .height = 1000, .channels = 2, .sample = SAMPLE_U8, .bits = 8},
        {.width = 40000, .height = 40000, .channels = 3, .sample = SAMPLE_U8, .bits = 8},
        {.width = 1, .height = 1, .channels = 3, .sample = SAMPLE_U8, .bits = 8},
        {.kind = SHAPE_ARRAY, .sample = SAMPLE_F64, .bits = 64, .rank = 2, .dims = {1000, 1000}},
        {.kind = SHAPE_ARRAY, .sample = SAMPLE_F32, .bits = 32, .rank = 1, .dims = {1000}},
        {.kind = SHAPE_ARRAY, .sample = SAMPLE_F32, .bits = 32, .rank = 3, .dims = {100, 100, 3}},
        {.kind = SHAPE_ARRAY, .sample = SAMPLE_U8, .bits = 8, .rank = 3, .dims = {100, 100, 3}},
        {.kind = SHAPE_ARRAY, .sample = SAMPLE_I64, .bits = 64, .rank = 1, .dims = {1000}},
        {.kind = SHAPE_ARRAY, .sample = SAMPLE_U16, .bits = 16, .rank = 2, .dims = {100, 100}},
        {.kind = SHAPE_ARRAY, .sample = SAMPLE_BOOL, .bits = 8, .rank = 2, .dims = {100, 100}},
        {.kind = SHAPE_ARRAY, .sample = SAMPLE_F64, .bits = 64, .rank = 4, .dims = {10, 10, 10, 10}},
    };
    bool by_kind = true;
    for (unsigned i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        struct error here = {0};
        unsigned at;
        int code = plan_chain(job, shapes[i], &at, &here);
        if (code == 0)
            return 0;
        by_kind = by_kind && (code == ERROR_UNSUPPORTED || code == ERROR_INTERNAL);
        /* The first of those that come furthest has the most to say. */
        if (i == 0 || at > *stage) {
            *error = here;
            *stage = at;
        }
    }
    return by_kind ? error->code : 0;
}
