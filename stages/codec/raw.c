/* SPDX-License-Identifier: MIT */
/* Bare samples. What they are, `load:` says: nothing in the file does. Written in C order, little-endian. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stages/codec/array.h"

static const struct codec_load defaults = {0};

static int bad_shape(const char *text, struct error *error)
{
    return error_set(error, ERROR_USAGE,
                     "load.shape is '%.60s': up to %d sizes like 480x640 are wanted, one of which may be -1",
                     text, SHAPE_MAX_RANK);
}

/* "480x640" or "480,640"; the place of a -1, which then stands as 1, in *open, else -1. */
static int parse_shape(const char *text, struct shape *shape, int *open, struct error *error)
{
    unsigned rank = 0;
    const char *at = text;
    *open = -1;
    for (;; at++) {
        uint64_t size = 0;
        const size_t digits = strspn(at, "0123456789");
        const bool unknown = strncmp(at, "-1", 2) == 0 && *open < 0;
        if (rank == SHAPE_MAX_RANK || digits > 18 || (digits == 0 && !unknown))
            return bad_shape(text, error);
        for (size_t i = 0; i < digits; i++)
            size = size * 10 + (uint64_t)(at[i] - '0');
        if (unknown)
            *open = (int)rank;
        shape->dims[rank++] = unknown ? 1 : size;
        at += unknown ? 2 : digits;
        if (*at == '\0')
            break;
        if (*at != 'x' && *at != 'X' && *at != ',')
            return bad_shape(text, error);
    }
    shape->rank = (uint8_t)rank;
    return 0;
}

static enum sample sample_of(const struct codec_load *load)
{
    return load->dtype > 0 ? (enum sample)(load->dtype - 1) : SAMPLE_U8;
}

static int raw_check_load(const struct codec_limits *limits, struct error *error)
{
    const struct codec_load *load = limits->load ? limits->load : &defaults;
    const uint64_t one = 1;
    struct shape shape = shape_array(sample_of(load), 1, &one);
    struct error why = {0};
    int open = 0;
    if (load->shape)
        TRY(parse_shape(load->shape, &shape, &open, error));
    if (array_check(&shape, limits, &why) < 0)
        return error_set(error, ERROR_USAGE, "load.shape: %.160s", why.reason);
    if (open >= 0 && shape_bytes(&shape) == 0)
        return error_set(error, ERROR_USAGE,
                         "load.shape is '%.60s': beside a 0 nothing tells what -1 stands for", load->shape);
    const uint64_t least = open < 0 ? shape_bytes(&shape) : 0;
    if (least > limits->max_file_bytes || load->offset_bytes > limits->max_file_bytes - least)
        return error_set(error, ERROR_USAGE,
                         "load.%s: no file is as long, with max_file %" PRIu64 "; raise it with --max-file",
                         least > load->offset_bytes ? "shape" : "offset", limits->max_file_bytes);
    return 0;
}

/* What `load` says of a file of this size, checked against it. */
static int find_layout(uint64_t file_bytes, const struct codec_limits *limits, struct array_layout *layout,
                       struct error *error)
{
    const struct codec_load *load = limits->load ? limits->load : &defaults;
    const enum sample sample = sample_of(load);
    const uint64_t one = 1, size = shape_sample_bytes((uint8_t)sample);
    struct shape *shape = &layout->shape;
    char text[256];
    int open = 0;
    *layout =
        (struct array_layout){.shape = shape_array(sample, 1, &one),
                              .fortran = load->order == CODEC_ORDER_FORTRAN,
                              .swapped = (load->byte_order == CODEC_LITTLE_ENDIAN) != ARRAY_LITTLE_ENDIAN};
    if (load->offset_bytes > file_bytes)
        return error_set(error, ERROR_CORRUPT, "%" PRIu64 " bytes, and load.offset is %" PRIu64, file_bytes,
                         load->offset_bytes);
    if (load->shape)
        TRY(parse_shape(load->shape, shape, &open, error));
    TRY(array_check(shape, limits, error));
    const uint64_t bytes = file_bytes - load->offset_bytes, others = shape_bytes(shape);
    if (open >= 0 && others > 0 && bytes % others == 0) {
        shape->dims[open] = bytes / others;
        TRY(array_check(shape, limits, error));
        return 0;
    }
    if (open >= 0)
        return error_set(error, ERROR_CORRUPT, "%" PRIu64 " bytes are no multiple of %" PRIu64, bytes,
                         others > 0 ? others : size);
    if (bytes != others)
        return error_set(error, ERROR_CORRUPT, "%" PRIu64 " bytes, and %" PRIu64 " are wanted for a %.100s",
                         bytes, others, shape_text(shape, text, sizeof text));
    return 0;
}

static int raw_peek(const uint8_t *head, size_t head_bytes, uint64_t file_bytes,
                    const struct codec_limits *limits, struct codec_info *info, struct error *error)
{
    struct array_layout layout;
    (void)head, (void)head_bytes;
    TRY(find_layout(file_bytes, limits, &layout, error));
    *info = (struct codec_info){.shape = layout.shape};
    return 0;
}

static int raw_decode(struct codec_decode *job, struct error *error)
{
    struct array_layout layout;
    TRY(find_layout(job->length_bytes, job->limits, &layout, error));
    return array_take(job, &layout, job->length_bytes - shape_bytes(&layout.shape), job->length_bytes, error);
}

static int raw_plan(const struct codec_save *save, const struct shape *shape, size_t meta_bytes,
                    struct codec_plan *plan, struct error *error)
{
    (void)save, (void)meta_bytes, (void)error;
    *plan = (struct codec_plan){.out_bytes = shape_bytes(shape)};
    return 0;
}

static int raw_encode(struct codec_encode *job, struct error *error)
{
    const struct array_layout layout = {.shape = job->shape, .swapped = !ARRAY_LITTLE_ENDIAN};
    job->warnings = 0;
    job->warning[0] = '\0';
    job->length_bytes = 0;
    if (!shape_valid(&job->shape) || job->shape.kind != SHAPE_ARRAY)
        return error_set(error, ERROR_INTERNAL, "asked to encode a shape that was not planned");
    if (ARRAY_LITTLE_ENDIAN)
        job->file = job->pixels;
    else if (job->bytes_size < shape_bytes(&job->shape))
        return error_set(error, ERROR_INTERNAL, "the file came out larger than planned");
    else
        array_unpack(&layout, job->pixels, job->bytes);
    job->length_bytes = shape_bytes(&job->shape);
    return 0;
}

const struct codec raw_codec = {
    .name = "raw",
    .summary = "Bare samples; load.dtype, load.shape, load.order and so on say what they are",
    .extensions = "raw|bin|dat",
    .kinds = CODEC_ARRAYS,
    .gzip = true,
    .check_load = raw_check_load,
    .peek = raw_peek,
    .decode = raw_decode,
    .plan = raw_plan,
    .encode = raw_encode,
};
