/* SPDX-License-Identifier: MIT */
/* The lists of stages and codecs, and what is the same for all of them. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "stages/simd.h"
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

/* The stage that goes by this name elsewhere, or NULL. */
static const char *known_as(const char *name)
{
    static const struct {
        const char *there, *here;
    } words[] = {
        {"blur", "gaussblur"},    {"gaussian", "gaussblur"},  {"gaussian-blur", "gaussblur"},
        {"unsharp", "sharpen"},   {"scale", "resize"},        {"thumbnail", "resize"},
        {"sample", "resize"},     {"extract_area", "crop"},   {"extent", "pad"},
        {"border", "pad"},        {"embed", "pad"},           {"flop", "flip"},
        {"mirror", "flip"},       {"autorot", "orient"},      {"auto-orient", "orient"},
        {"gray", "grayscale"},    {"grey", "grayscale"},      {"monochrome", "grayscale"},
        {"negate", "invert"},     {"contrast", "levels"},     {"normalise", "levels"},
        {"brightness", "linear"}, {"hist_equal", "equalize"}, {"watermark", "composite"},
        {"depth", "cast"},        {"colors", "quantize"},     {"edge", "sobel"},
        {"mean", "stats"},        {"percentile", "stats"},    {"fft", "rfft"},
        {"phash", "hash"},        {"psnr", "compare"},        {"ssim", "compare"},
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(words[i].there, name) == 0)
            return words[i].here;
    }
    return NULL;
}

const char *stage_nearest(const char *name, const char *words, char *word, size_t size)
{
    const char *known = known_as(name);
    return known ? known : param_nearest(name, words, word, size);
}

const char *stage_instructions(void)
{
#ifdef SIMD_CHOICE_512
    if (__builtin_cpu_supports("x86-64-v4"))
        return "AVX2 and AVX-512";
#endif
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
        if ((*codec)->sniff && (*codec)->sniff(head, head_bytes))
            return *codec;
    }
    return NULL;
}

/* The extension at the end of name[0..end), without its dot; its length in *length. NULL: there is none. */
static const char *extension_of(const char *name, size_t end, size_t *length)
{
    const char *dot = memrchr(name, '.', end), *slash = memrchr(name, '/', end);
    if (!dot || (slash && dot < slash) || dot + 1 == name + end)
        return NULL;
    *length = (size_t)(name + end - dot) - 1;
    return dot + 1;
}

bool codec_salvages(const struct codec_decode *job)
{
    return job->limits->load && job->limits->load->on_corrupt == CODEC_SALVAGE;
}

static bool is_gzip(const char *extension, size_t length)
{
    return extension && length == 2 && strncasecmp(extension, "gz", length) == 0;
}

bool codec_gzip_name(const char *name)
{
    size_t length;
    const char *extension = extension_of(name, strlen(name), &length);
    return is_gzip(extension, length);
}

/* The extension that says what is in a file, and whether the file is gzip around that. */
struct extension {
    const char *text; /* NULL: there is none */
    size_t length;
    bool packed;
};

static struct extension extension_in(const char *name)
{
    struct extension extension = {.packed = false};
    const size_t end = strlen(name);
    extension.text = extension_of(name, end, &extension.length);
    extension.packed = is_gzip(extension.text, extension.length);
    if (extension.packed)
        extension.text = extension_of(name, end - 3, &extension.length);
    return extension;
}

static bool has(const struct codec *codec, const struct extension *extension)
{
    const size_t length = extension->length;
    if (!extension->text || (extension->packed && !codec->gzip))
        return false;
    for (const char *word = codec->extensions; word; word = strchr(word, '|')) {
        word += *word == '|';
        if (strncasecmp(word, extension->text, length) == 0 && strcspn(word, "|") == length)
            return true;
    }
    return false;
}

bool codec_names(const struct codec *codec, const char *name)
{
    const struct extension extension = extension_in(name);
    return has(codec, &extension);
}

const struct codec *codec_written(const struct codec *codec)
{
    if (!codec || !codec->read_only)
        return codec;
    for (const struct codec *const *other = codecs; *other; other++) {
        if (!(*other)->read_only && (*other)->kinds & codec->kinds)
            return *other;
    }
    return codec;
}

bool codec_stands_in(const struct codec *codec)
{
    for (const struct codec *const *other = codecs; *other; other++) {
        if (*other != codec && codec_written(*other) == codec)
            return true;
    }
    return false;
}

struct shape codec_shrunk(const struct shape *shape, unsigned shrink)
{
    struct shape shrunk = *shape;
    if (shrink == 0)
        return shrunk;
    shrunk.full_width = shape->width;
    shrunk.full_height = shape->height;
    shrunk.width = (uint32_t)(((uint64_t)shape->width + (1u << shrink) - 1) >> shrink);
    shrunk.height = (uint32_t)(((uint64_t)shape->height + (1u << shrink) - 1) >> shrink);
    return shrunk;
}

const struct codec *codec_for_name(const char *name)
{
    const struct extension extension = extension_in(name);
    for (const struct codec *const *codec = codecs; *codec; codec++) {
        if (has(*codec, &extension))
            return *codec;
    }
    return NULL;
}

int codec_plan_for(const struct codec *codec, const struct codec_save *save, const struct shape *shape,
                   size_t meta_bytes, struct codec_plan *plan, struct error *error)
{
    const bool array = shape->kind == SHAPE_ARRAY;
    if (codec->read_only)
        return error_set(error, ERROR_UNSUPPORTED, "%s files are read and not written", codec->name);
    if (!(codec->kinds & (array ? CODEC_ARRAYS : CODEC_IMAGES)))
        return error_set(error, ERROR_UNSUPPORTED,
                         "%s holds %s and not %s; put %s at the end, or choose another format", codec->name,
                         array ? "images" : "arrays", array ? "arrays" : "images",
                         array ? "to_image" : "to_array");
    *plan = (struct codec_plan){0};
    return codec->plan(save, shape, meta_bytes, plan, error);
}

static int with_stage(const struct stage *stage, int code, struct error *error)
{
    if (code < 0 && error)
        snprintf(error->stage, sizeof error->stage, "%s", stage->name);
    return code;
}

static int check_accepts(const struct stage *stage, const struct shape *in, struct error *error)
{
    char text[256];
    const bool array = in->kind == SHAPE_ARRAY;
    const unsigned accepts = array ? stage->arrays : stage->accepts;
    if (accepts & (1u << in->sample))
        return 0;
    shape_text(in, text, sizeof text);
    if (accepts == 0)
        return error_set(
            error, ERROR_UNSUPPORTED,
            "does not work on %s: %.100s; put %s before it, or leave such files out with exclude",
            array ? "arrays" : "images", text, array ? "to_image" : "to_array");
    if (array)
        return error_set(error, ERROR_UNSUPPORTED, "does not work on a %.100s; put astype before it", text);
    return error_set(error, ERROR_UNSUPPORTED, "does not work on %s images; put a cast before it", text);
}

int stage_plan_with(const struct stage *stage, const void *params, const struct shape *in,
                    const struct stage_reference *reference, struct stage_plan *plan, struct error *error)
{
    char text[256];
    TRY(with_stage(stage, check_accepts(stage, in, error), error));
    *plan = (struct stage_plan){.out = *in, .reference = reference};
    plan->out.bits = shape_sample_bits(in->sample);
    int code = stage->plan(params, in, plan, error);
    if (code == 0 && !shape_valid(&plan->out))
        code = error_set(error, ERROR_INTERNAL, "planned an impossible shape: %s",
                         shape_text(&plan->out, text, sizeof text));
    return with_stage(stage, code, error);
}

int stage_plan(const struct stage *stage, const void *params, const struct shape *in, struct stage_plan *plan,
               struct error *error)
{
    return stage_plan_with(stage, params, in, NULL, plan, error);
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
        code = stage->rows(run, 0, shape_rows(&run->out), scratch, error);
    return with_stage(stage, code, error);
}
