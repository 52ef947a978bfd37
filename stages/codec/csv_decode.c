/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "stages/codec/csv_number.h"
#include "stages/codec/csv_private.h"
#include "stages/simd.h"

/* Which of the loops below reads a type. */
enum reading { READ_DOUBLE, READ_FLOAT, READ_WHOLE };

static enum reading reading_of(uint8_t sample)
{
    if (sample == SAMPLE_F64)
        return READ_DOUBLE;
    return shape_sample_is_float(sample) ? READ_FLOAT : READ_WHOLE;
}

static const struct csv_float *format_of(uint8_t sample)
{
    return sample == SAMPLE_F16 ? &csv_binary16 : sample == SAMPLE_F32 ? &csv_binary32 : &csv_binary64;
}

/* Puts the lowest bytes of a value, which are the value in a narrower type. */
static void put(uint8_t *out, uint8_t sample, uint64_t value)
{
    const uint8_t byte = (uint8_t)value;
    const uint16_t two = (uint16_t)value;
    const uint32_t four = (uint32_t)value;
    switch (shape_sample_bytes(sample)) {
    case 1:
        memcpy(out, &byte, sizeof byte);
        break;
    case 2:
        memcpy(out, &two, sizeof two);
        break;
    case 4:
        memcpy(out, &four, sizeof four);
        break;
    default:
        memcpy(out, &value, sizeof value);
    }
}

static const char *range_text(uint8_t sample)
{
    static const char *const texts[SAMPLE_COUNT] = {
        [SAMPLE_U8] = "is not in 0..255, the range of u8",
        [SAMPLE_U16] = "is not in 0..65535, the range of u16",
        [SAMPLE_U32] = "is not in 0..4294967295, the range of u32",
        [SAMPLE_U64] = "is not in 0..18446744073709551615, the range of u64",
        [SAMPLE_I8] = "is not in -128..127, the range of i8",
        [SAMPLE_I16] = "is not in -32768..32767, the range of i16",
        [SAMPLE_I32] = "is not in -2147483648..2147483647, the range of i32",
        [SAMPLE_I64] = "is not in -9223372036854775808..9223372036854775807, the range of i64",
        [SAMPLE_BOOL] = "is neither 0 nor 1, as bool takes them",
        [SAMPLE_F16] = "is too large for f16, which ends at 65504",
        [SAMPLE_F32] = "is too large for f32, which ends at 3.4028235e+38",
        [SAMPLE_F64] = "is too large for f64, which ends at 1.7976931348623157e+308",
    };
    return texts[sample];
}

/* The largest magnitude of an integer type, on its negative side or the other. */
static uint64_t limit_of(uint8_t sample, bool negative)
{
    if (sample == SAMPLE_BOOL)
        return !negative;
    const unsigned bits = shape_sample_bits(sample);
    if (shape_sample_is_signed(sample))
        return (UINT64_C(1) << (bits - 1)) - !negative;
    return negative ? 0 : UINT64_MAX >> (64 - bits);
}

/* Puts one number of the type; NULL, or what is wrong with it. */
SIMD_INLINE const char *put_number(const struct csv_decimal *decimal, enum reading reading, uint8_t sample,
                                   uint8_t *out)
{
    if (reading == READ_DOUBLE) {
        double value;
        if (!csv_decimal_double(decimal, &value))
            return range_text(sample);
        memcpy(out, &value, sizeof value);
        return NULL;
    }
    uint64_t value;
    if (reading == READ_FLOAT) {
        if (!csv_decimal_round(decimal, format_of(sample), &value))
            return range_text(sample);
        put(out, sample, value);
        return NULL;
    }
    switch (csv_decimal_whole(decimal, &value)) {
    case CSV_FRACTION:
        return "is not a whole number; load.dtype f64 takes fractions";
    case CSV_HUGE:
        return range_text(sample);
    case CSV_WHOLE:
        break;
    }
    if (value > limit_of(sample, decimal->negative))
        return range_text(sample);
    put(out, sample, decimal->negative ? UINT64_C(0) - value : value);
    return NULL;
}

const char *csv_element(const struct csv_table *table, struct csv_field field, uint8_t *out)
{
    struct csv_decimal decimal;
    uint64_t bits;
    field = csv_trim(field, table->delimiter);
    const uint8_t *end = field.text + field.length_bytes;
    if (field.length_bytes == 0 && table->has_missing) {
        memcpy(out, table->missing, shape_sample_bytes(table->sample));
        return NULL;
    }
    if (csv_decimal_scan(field.text, end, &decimal) == end)
        return put_number(&decimal, reading_of(table->sample), table->sample, out);
    if (!csv_word(field.text, field.length_bytes, format_of(table->sample), &bits))
        return "is not a number, which are written like 12, -1.5, 6e-7, nan and inf";
    if (!shape_sample_is_float(table->sample))
        return "is no integer; load.dtype f64 takes it";
    put(out, table->sample, bits);
    return NULL;
}

/* A field that is more than a number between delimiters; *at moves as csv_field moves it. */
static int read_unusual(const struct csv_table *table, const uint8_t *line, const uint8_t **at,
                        uint64_t column, uint8_t *out, bool *more, struct error *error)
{
    struct csv_field field;
    const enum csv_end found = csv_field(at, table->end, table->delimiter, &field);
    *more = found == CSV_DELIMITER;
    if (found != CSV_DELIMITER && found != CSV_LINE)
        return csv_fail_quote(table, line, found, error);
    const char *wrong = csv_element(table, field, out);
    return wrong ? csv_fail_field(table, field, column, wrong, error) : 0;
}

/* Reads the line at *at, which moves to its end, into `columns` elements. */
SIMD_INLINE int read_line(const struct csv_table *table, const uint8_t **at, enum reading reading,
                          uint8_t *out, struct error *error)
{
    const uint8_t *const line = *at, *const end = table->end, *next = line;
    const size_t sample_bytes = reading == READ_DOUBLE ? sizeof(double) : shape_sample_bytes(table->sample);
    uint64_t column = 0;
    for (bool more = true; more; column++, out += sample_bytes) {
        if (column == table->columns)
            return csv_fail_ragged(table, line, error);
        struct csv_decimal decimal;
        const uint8_t *behind = csv_decimal_scan(next, end, &decimal);
        const bool delimited = behind && behind < end && *behind == table->delimiter;
        if ((delimited || (behind && (behind == end || *behind == '\n' || *behind == '\r'))) &&
            !put_number(&decimal, reading, table->sample, out)) {
            more = delimited;
            next = behind + delimited;
        } else {
            TRY(read_unusual(table, line, &next, column, out, &more, error));
        }
    }
    *at = next;
    return column == table->columns ? 0 : csv_fail_ragged(table, line, error);
}

SIMD_INLINE int read_lines(const struct csv_table *table, struct codec_decode *job, enum reading reading,
                           uint64_t *rows, struct error *error)
{
    const size_t row_bytes = (size_t)table->columns * shape_sample_bytes(table->sample);
    size_t used = 0;
    const uint8_t *at = table->data;
    for (*rows = 0; at < table->end; ++*rows) {
        if (job->pixels_bytes - used < row_bytes)
            return error_set(error, ERROR_MEMORY, "%zu bytes are too few for the table", job->pixels_bytes);
        TRY(read_line(table, &at, reading, job->pixels + used, error));
        used += row_bytes;
        at = csv_next_line(at, table->end, table->delimiter);
    }
    return 0;
}

int csv_decode(struct codec_decode *job, uint8_t delimiter, struct error *error)
{
    struct csv_table table;
    uint64_t rows = 0;
    int code = 0;
    job->warnings = 0;
    job->warning[0] = '\0';
    job->found_at = SIZE_MAX;
    if (job->meta)
        job->meta->used_bytes = 0;
    TRY(csv_table_open(&table, job->bytes, job->length_bytes, job->limits->load, delimiter, error));
    switch (reading_of(table.sample)) {
    case READ_DOUBLE:
        code = read_lines(&table, job, READ_DOUBLE, &rows, error);
        break;
    case READ_FLOAT:
        code = read_lines(&table, job, READ_FLOAT, &rows, error);
        break;
    case READ_WHOLE:
        code = read_lines(&table, job, READ_WHOLE, &rows, error);
        break;
    }
    TRY(code);
    if (rows == 0) {
        job->warnings = 1;
        snprintf(job->warning, sizeof job->warning, "the table is a header without rows");
    }
    job->shape = csv_table_shape(&table, rows);
    return 0;
}
