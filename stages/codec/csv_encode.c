/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "stages/codec/csv_number.h"
#include "stages/codec/csv_private.h"

/* The longest text of each type; of floats those are -2.2250738585072014e-308, -0.00010014 and, as they
 * turn to exponents at 1e+16, -1234568000000000. */
static const uint8_t longest[SAMPLE_COUNT] = {
    [SAMPLE_U8] = 3,   [SAMPLE_U16] = 5,  [SAMPLE_F32] = 17, [SAMPLE_I8] = 4,
    [SAMPLE_I16] = 6,  [SAMPLE_I32] = 11, [SAMPLE_I64] = 20, [SAMPLE_U32] = 10,
    [SAMPLE_U64] = 20, [SAMPLE_F16] = 11, [SAMPLE_F64] = 24, [SAMPLE_BOOL] = 1,
};

/* Each element is followed by a delimiter or a line end. SIZE_MAX where that does not fit. */
static size_t most_bytes(const struct shape *shape)
{
    size_t bytes;
    if (__builtin_mul_overflow(shape_samples(shape), (size_t)longest[shape->sample] + 1, &bytes))
        return SIZE_MAX;
    return bytes;
}

int csv_plan(const struct codec_save *save, const struct shape *shape, uint8_t delimiter,
             struct codec_plan *plan, struct error *error)
{
    if (shape->rank > 2)
        return error_set(error, ERROR_UNSUPPORTED, "a table has two dimensions and not %u; save it as npy",
                         shape->rank);
    TRY(csv_delimiter(save->delimiter, "save.delimiter", delimiter, &delimiter, error));
    *plan = (struct codec_plan){.out_bytes = most_bytes(shape)};
    if (plan->out_bytes == SIZE_MAX)
        return error_set(error, ERROR_LIMIT, "the file could be larger than this machine can address");
    return 0;
}

static size_t put_signed(int64_t value, char *text)
{
    if (value >= 0)
        return csv_whole_text((uint64_t)value, text);
    *text = '-';
    return 1 + csv_whole_text(UINT64_C(0) - (uint64_t)value, text + 1);
}

static size_t put_element(const uint8_t *from, uint8_t sample, char *text)
{
    union {
        uint8_t u8;
        uint16_t u16;
        uint32_t u32;
        uint64_t u64;
        int8_t i8;
        int16_t i16;
        int32_t i32;
        int64_t i64;
    } value = {0};
    memcpy(&value, from, shape_sample_bytes(sample));
    switch ((enum sample)sample) {
    case SAMPLE_I8:
        return put_signed(value.i8, text);
    case SAMPLE_I16:
        return put_signed(value.i16, text);
    case SAMPLE_I32:
        return put_signed(value.i32, text);
    case SAMPLE_I64:
        return put_signed(value.i64, text);
    case SAMPLE_F16:
        return csv_float_text(value.u16, &csv_binary16, text);
    case SAMPLE_F32:
        return csv_float_text(value.u32, &csv_binary32, text);
    case SAMPLE_F64:
        return csv_float_text(value.u64, &csv_binary64, text);
    case SAMPLE_U16:
        return csv_whole_text(value.u16, text);
    case SAMPLE_U32:
        return csv_whole_text(value.u32, text);
    case SAMPLE_U64:
        return csv_whole_text(value.u64, text);
    case SAMPLE_BOOL:
        return csv_whole_text(value.u8 != 0, text);
    default:
        return csv_whole_text(value.u8, text);
    }
}

static void warn_of_metadata(struct codec_encode *job)
{
    size_t position = 0;
    struct meta_entry entry;
    if (!job->meta || job->save->strip || meta_next(job->meta, &position, &entry) != 1)
        return;
    job->warnings = 1;
    snprintf(job->warning, sizeof job->warning, "dropped metadata, which tables do not hold");
}

int csv_encode(struct codec_encode *job, uint8_t delimiter, struct error *error)
{
    const struct shape *shape = &job->shape;
    job->warnings = 0;
    job->warning[0] = '\0';
    job->length_bytes = 0;
    if (!shape_valid(shape) || shape->kind != SHAPE_ARRAY || shape->rank > 2 ||
        job->bytes_size < most_bytes(shape))
        return error_set(error, ERROR_INTERNAL, "asked to encode a shape that was not planned");
    TRY(csv_delimiter(job->save->delimiter, "save.delimiter", delimiter, &delimiter, error));
    const uint64_t columns = shape->rank == 2 ? shape->dims[1] : 1, samples = shape_samples(shape);
    const size_t sample_bytes = shape_sample_bytes(shape->sample);
    const uint8_t *from = job->pixels;
    char *out = (char *)job->bytes;
    uint64_t left = columns; /* in this line */
    for (uint64_t i = 0; i < samples; i++, from += sample_bytes) {
        out += put_element(from, shape->sample, out);
        left--;
        *out++ = left > 0 ? (char)delimiter : '\n';
        left = left > 0 ? left : columns;
    }
    job->length_bytes = (size_t)(out - (char *)job->bytes);
    warn_of_metadata(job);
    return 0;
}
