/* SPDX-License-Identifier: MIT */
#include "pipeline/run/combining.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/files/whole.h"

enum { OPS = COMBINE_COUNT + 1 };

struct combining {
    const struct job *job;
    struct shape shape; /* of all items */
    uint64_t items;
    unsigned count;
    enum combine_op ops[OPS];
    struct combine *combines[OPS];
    struct whole *files[OPS];
    char *paths[OPS];
};

/* The operation called `name`; -1: none is. */
static int op_of(const char *name)
{
    const char *word = COMBINE_OPS;
    for (int i = 0; word; i++) {
        const size_t length = strcspn(word, "|");
        if (strlen(name) == length && strncmp(word, name, length) == 0)
            return i;
        word = word[length] ? word + length + 1 : NULL;
    }
    return -1;
}

char *combining_path(const struct job *job, size_t op)
{
    const char *file = job->settings.aggregate_file, *place = strstr(file, "{op}");
    char *path;
    if (!place)
        return strdup(file);
    if (asprintf(&path, "%.*s%s%s", (int)(place - file), file, job->settings.aggregate_ops.texts[op],
                 place + 4) < 0)
        return NULL;
    return path;
}

int combining_check(const struct job *job, struct error *error)
{
    const struct param_list *ops = &job->settings.aggregate_ops;
    const char *file = job->settings.aggregate_file;
    unsigned seen = 0;
    if (!file)
        return 0;
    const struct codec *codec = codec_for_name(file);
    if (!codec || codec->read_only || codec_gzip_name(file))
        return error_set(
            error, ERROR_USAGE,
            "aggregate.file: '%.100s' has no extension of a format that is written, such as .npy", file);
    const char *place = strstr(file, "{op}");
    if (place && strstr(place + 1, "{op}"))
        return error_set(error, ERROR_USAGE, "aggregate.file: {op} stands in it twice");
    if (ops->count > 1 && !place)
        return error_set(error, ERROR_USAGE, "aggregate.file: with several operations it must contain {op}");
    for (size_t i = 0; i < ops->count; i++) {
        char nearest[16];
        const int op = op_of(ops->texts[i]);
        const char *near = op < 0 ? param_nearest(ops->texts[i], COMBINE_OPS, nearest, sizeof nearest) : NULL;
        if (op < 0)
            return error_set(error, ERROR_USAGE, "aggregate.ops: '%.40s' is not one of " COMBINE_OPS "%s%s%s",
                             ops->texts[i], near ? "; did you mean '" : "", near ? near : "",
                             near ? "'?" : "");
        if (seen & 1u << op)
            return error_set(error, ERROR_USAGE, "aggregate.ops: %s is given twice", ops->texts[i]);
        seen |= 1u << op;
        const bool image = op == COMBINE_MEAN || op == COMBINE_MIN || op == COMBINE_MAX;
        if (codec->kinds == CODEC_IMAGES && !image)
            return error_set(error, ERROR_USAGE,
                             "aggregate.file: %s gives an array, which %s does not hold; take .npy",
                             ops->texts[i], codec->name);
    }
    return 0;
}

int combining_open(struct combining **out, const struct job *job, struct error *error)
{
    struct combining *combining = calloc(1, sizeof *combining);
    int code = combining ? 0 : error_set(error, ERROR_MEMORY, "out of memory");
    for (size_t i = 0; i < job->settings.aggregate_ops.count && code == 0; i++) {
        char *path = combining_path(job, i);
        combining->ops[i] = (enum combine_op)op_of(job->settings.aggregate_ops.texts[i]);
        code = path ? whole_open(&combining->files[i], path, error)
                    : error_set(error, ERROR_MEMORY, "out of memory");
        combining->paths[i] = path;
        combining->count++;
    }
    if (code < 0) {
        combining_close(combining);
        return code;
    }
    combining->job = job;
    *out = combining;
    return 0;
}

const char *combining_file(const struct combining *combining, unsigned index)
{
    return index < combining->count ? combining->paths[index] : NULL;
}

/* An image as the array that holds the same samples, for formats that hold no images. */
static struct shape as_array(const struct shape *image)
{
    const uint64_t dims[] = {image->height, image->width, image->channels};
    return shape_array((enum sample)image->sample, image->channels == 1 ? 2 : 3, dims);
}

/* What an operation gives, as the format of its file holds it. */
static struct shape result_shape(const struct combining *combining, unsigned i)
{
    const struct shape shape = combine_shape(combining->combines[i]);
    const bool arrays = codec_for_name(combining->paths[i])->kinds == CODEC_ARRAYS;
    return shape.kind == SHAPE_IMAGE && arrays ? as_array(&shape) : shape;
}

/* Begins an operation, unless its result could not be saved in the end. */
static int begin_one(struct combining *combining, unsigned i, const struct shape *shape, struct error *error)
{
    struct error cause = {0};
    struct codec_plan plan;
    combining->combines[i] = combine_open(combining->ops[i], shape);
    if (!combining->combines[i])
        return error_set(error, ERROR_MEMORY, "out of memory");
    const struct shape result = result_shape(combining, i);
    const int code = codec_plan_for(codec_for_name(combining->paths[i]), &combining->job->settings.save,
                                    &result, 0, &plan, &cause);
    return code < 0 ? error_set(error, cause.code, "aggregate.file: %.200s", cause.reason) : 0;
}

static void forget(struct combining *combining)
{
    for (unsigned i = 0; i < OPS; i++) {
        combine_close(combining->combines[i]);
        combining->combines[i] = NULL;
    }
}

/* The first item says what all are like, and what that takes. */
static int begin(struct combining *combining, const struct shape *shape, struct error *error)
{
    size_t bytes = 0;
    const uint64_t most = combining->job->settings.memory_bytes;
    for (unsigned i = 0; i < combining->count; i++)
        bytes = scratch_add(bytes, combine_bytes(combining->ops[i], shape));
    if (bytes > most)
        return error_set(error, ERROR_LIMIT,
                         "aggregate takes %.1f MiB, over memory %.1f MiB; raise it with --memory",
                         (double)bytes / 1048576, (double)most / 1048576);
    int code = 0;
    for (unsigned i = 0; i < combining->count && code == 0; i++)
        code = begin_one(combining, i, shape, error);
    if (code < 0)
        forget(combining);
    combining->shape = *shape;
    return code;
}

static bool alike(const struct shape *a, const struct shape *b)
{
    return a->kind == b->kind && a->sample == b->sample && a->width == b->width && a->height == b->height &&
           a->channels == b->channels && a->rank == b->rank && memcmp(a->dims, b->dims, sizeof a->dims) == 0;
}

int combining_add(struct combining *combining, const struct shape *shape, const void *samples,
                  struct error *error)
{
    char mine[100], others[100];
    if (combining->items == 0)
        TRY(begin(combining, shape, error));
    if (!alike(shape, &combining->shape))
        return error_set(error, ERROR_UNSUPPORTED, "is %s, the first item is %s: aggregate wants all alike",
                         shape_text(shape, mine, sizeof mine),
                         shape_text(&combining->shape, others, sizeof others));
    combining->items++;
    for (unsigned i = 0; i < combining->count; i++)
        TRY(combine_add(combining->combines[i], samples, error));
    return 0;
}

/* Encodes the result in memory of its own. */
static int encode(const struct codec *codec, const struct codec_save *save, const struct shape *shape,
                  const uint8_t *samples, FILE *to, struct error *error)
{
    struct codec_plan plan;
    TRY(codec_plan_for(codec, save, shape, 0, &plan, error));
    const size_t scratch_bytes = plan.scratch_bytes / SCRATCH_ALIGN * SCRATCH_ALIGN + SCRATCH_ALIGN;
    uint8_t *bytes = malloc(plan.out_bytes);
    struct scratch scratch = {.base = aligned_alloc(SCRATCH_ALIGN, scratch_bytes),
                              .size_bytes = plan.scratch_bytes};
    struct codec_encode task = {.save = save,
                                .shape = *shape,
                                .pixels = samples,
                                .meta = &(struct meta){0},
                                .bytes = bytes,
                                .bytes_size = plan.out_bytes,
                                .file = bytes,
                                .scratch = &scratch};
    int code =
        bytes && scratch.base ? codec->encode(&task, error) : error_set(error, ERROR_MEMORY, "out of memory");
    if (code == 0)
        fwrite(task.file, 1, task.length_bytes, to);
    free(bytes);
    free(scratch.base);
    return code;
}

static int finish(struct combining *combining, unsigned i, struct error *error)
{
    const struct settings *settings = &combining->job->settings;
    const struct shape shape = result_shape(combining, i);
    const size_t bytes = (shape_bytes(&shape) + 64) / 64 * 64;
    uint8_t *samples = aligned_alloc(64, bytes);
    int code = samples ? combine_result(combining->combines[i], samples, error)
                       : error_set(error, ERROR_MEMORY, "out of memory");
    if (code == 0)
        code = encode(codec_for_name(settings->aggregate_file), &settings->save, &shape, samples,
                      whole_file(combining->files[i]), error);
    free(samples);
    TRY(code);
    struct whole *whole = combining->files[i];
    combining->files[i] = NULL;
    return whole_commit(whole, error);
}

int combining_finish(struct combining *combining, struct error *error)
{
    for (unsigned i = 0; i < combining->count && combining->items > 0; i++)
        TRY(finish(combining, i, error));
    return 0;
}

void combining_close(struct combining *combining)
{
    if (!combining)
        return;
    forget(combining);
    for (unsigned i = 0; i < OPS; i++) {
        whole_discard(combining->files[i]);
        free(combining->paths[i]);
    }
    free(combining);
}
