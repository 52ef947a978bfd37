/* SPDX-License-Identifier: MIT */
/* The lists of stages and codecs, and what is the same for all of them. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "stages/image/simd.h"
#include "stages/stage.h"

#define STAGE(symbol) extern const struct stage symbol##_stage;
#include "stages/stages.def"
#undef STAGE
#define CODEC(symbol) extern const struct codec symbol##_codec;
#include "stages/codecs.def"
#undef CODEC

static const struct stage *const stages[] = {
#define STAGE(symbol) &symbol##_stage,
#include "stages/stages.def"
#undef STAGE
    NULL,
};

static const struct codec *const codecs[] = {
#define CODEC(symbol) &symbol##_codec,
#include "stages/codecs.def"
#undef CODEC
    NULL,
};

const struct stage *const *stage_all(void)
{
    return stages;
}

const struct codec *const *codec_all(void)
{
    return codecs;
}

const struct stage *stage_find(const char *name)
{
    for (const struct stage *const *stage = stages; *stage; stage++) {
        if (strcmp((*stage)->name, name) == 0)
            return *stage;
    }
    return NULL;
}

const char *stage_instructions(void)
{
#ifdef SIMD_CHOICE
    if (__builtin_cpu_supports("avx2"))
        return "AVX2";
#endif
#if defined(__x86_64__)
    return "x86-64 baseline (SSE2)";
#elif defined(__aarch64__)
    return "AArch64 baseline (NEON)";
#else
    return "baseline";
#endif
}

const struct codec *codec_sniff(const uint8_t *head, size_t head_bytes)
{
    for (const struct codec *const *codec = codecs; *codec; codec++) {
        if ((*codec)->sniff(head, head_bytes))
            return *codec;
    }
    return NULL;
}

bool codec_names(const struct codec *codec, const char *name)
{
    const char *dot = strrchr(name, '.');
    const char *slash = strrchr(name, '/');
    if (!dot || (slash && dot < slash) || dot[1] == '\0')
        return false;
    size_t length = strlen(dot + 1);
    for (const char *word = codec->extensions; word; word = strchr(word, '|')) {
        word += *word == '|';
        if (strcspn(word, "|") == length && strncasecmp(word, dot + 1, length) == 0)
            return true;
    }
    return false;
}

const struct codec *codec_for_name(const char *name)
{
    for (const struct codec *const *codec = codecs; *codec; codec++) {
        if (codec_names(*codec, name))
            return *codec;
    }
    return NULL;
}

static int with_stage(const struct stage *stage, int code, struct error *error)
{
    if (code < 0 && error)
        snprintf(error->stage, sizeof error->stage, "%s", stage->name);
    return code;
}

int stage_plan(const struct stage *stage, const void *params, const struct shape *in, struct stage_plan *plan,
               struct error *error)
{
    char text[64];
    if (!(stage->accepts & (1u << in->sample))) {
        int code = error_set(error, ERROR_UNSUPPORTED, "does not work on %s images; put a cast before it",
                             shape_text(in, text, sizeof text));
        return with_stage(stage, code, error);
    }
    *plan = (struct stage_plan){.out = *in};
    plan->out.bits = shape_sample_bits(in->sample);
    int code = stage->plan(params, in, plan, error);
    if (code == 0 && !shape_valid(&plan->out))
        code = error_set(error, ERROR_INTERNAL, "planned an impossible shape: %s",
                         shape_text(&plan->out, text, sizeof text));
    return with_stage(stage, code, error);
}

void stage_source_rows(const struct stage *stage, const void *params, const struct shape *in,
                       const struct shape *out, uint32_t *first, uint32_t *last)
{
    if (stage->source_rows)
        stage->source_rows(params, in, out, first, last);
}

int stage_run_whole(const struct stage *stage, struct stage_run *run, struct scratch *scratch,
                    struct error *error)
{
    int code = stage->begin ? stage->begin(run, scratch, error) : 0;
    if (code == 0)
        code = stage->rows(run, 0, run->out.height, scratch, error);
    return with_stage(stage, code, error);
}
