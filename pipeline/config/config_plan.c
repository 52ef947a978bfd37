/* SPDX-License-Identifier: MIT */
#include "pipeline/config/config_plan.h"

/* Can `codec` hold the shape? */
static int plan_codec(const struct codec *codec, const struct job *job, const struct shape *shape,
                      struct error *error)
{
    struct codec_plan plan = {0};
    return codec_plan_for(codec, &job->settings.save, shape, 0, &plan, error);
}

/* The format that is asked for, or any where the input's is kept. */
static int plan_save(const struct job *job, const struct shape *shape, struct error *error)
{
    const struct codec *const *codecs = codec_all();
    int format = job->settings.save.format, code = 0;
    struct error first = {0}, *room = &first;
    for (int i = 0; codecs[i]; i++) {
        if (format != 0 && format != i + 1)
            continue;
        struct error next = {0};
        code = plan_codec(codecs[i], job, shape, room ? room : &next);
        if (code == 0)
            return 0;
        room = NULL;
    }
    *error = first;
    return first.code;
}

static int plan_chain(const struct job *job, struct shape shape, unsigned *stage, struct error *error)
{
    for (*stage = 0; *stage < job->stage_count; ++*stage) {
        const struct job_stage *link = &job->stages[*stage];
        struct stage_plan plan;
        TRY(stage_plan(link->stage, link->params, &shape, &plan, error));
        shape = plan.out;
    }
    return plan_save(job, &shape, error);
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
    };
    bool by_kind = true;
    for (unsigned i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        struct error here = {0};
        unsigned at;
        int code = plan_chain(job, shapes[i], &at, &here);
        if (code == 0)
            return 0;
        by_kind = by_kind && (code == ERROR_UNSUPPORTED || code == ERROR_INTERNAL);
        if (i == 0) {
            *error = here;
            *stage = at;
        }
    }
    return by_kind ? error->code : 0;
}
