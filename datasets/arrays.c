/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "datasets/arrays.h"
#include "datasets/dice.h"

enum dtype { U8, U16, U32, U64, I8, I16, I32, I64, F16, F32, F64, BOOL, DTYPES };

static const struct {
    const char *name, *numpy;
    unsigned bytes;
} dtypes[DTYPES] = {
    [U8] = {"u8", "u1", 1},   [U16] = {"u16", "u2", 2}, [U32] = {"u32", "u4", 4}, [U64] = {"u64", "u8", 8},
    [I8] = {"i8", "i1", 1},   [I16] = {"i16", "i2", 2}, [I32] = {"i32", "i4", 4}, [I64] = {"i64", "i8", 8},
    [F16] = {"f16", "f2", 2}, [F32] = {"f32", "f4", 4}, [F64] = {"f64", "f8", 8}, [BOOL] = {"bool", "b1", 1},
};

int arrays_dtype(const char *name)
{
    for (int i = 0; i < DTYPES; i++)
        if (strcmp(dtypes[i].name, name) == 0)
            return i;
    return -1;
}

/* How array `index` is stored. */
struct storage {
    enum dtype dtype;
    bool big, fortran;
    unsigned version;
};

static struct storage storage_of(const struct arrays_request *request, uint64_t index)
{
    struct storage storage = {.dtype = U8, .version = 1};
    if (request->format == ARRAYS_NPY) {
        storage.dtype = (enum dtype)(index % DTYPES);
        storage.big = index / DTYPES % 2;
        storage.fortran = index / (2 * DTYPES) % 2;
        storage.version = 1 + (unsigned)(index / (4 * DTYPES) % 3);
    }
    if (request->dtype >= 0)
        storage.dtype = (enum dtype)request->dtype;
    return storage;
}

void arrays_name(const struct arrays_request *request, uint64_t index, char *name, size_t size)
{
    static const char *const endings[] = {"npy", "raw", "csv"};
    const struct storage storage = storage_of(request, index);
    const char *ending = endings[request->format], *gz = request->gzip ? ".gz" : "";
    if (request->format == ARRAYS_CSV)
        snprintf(name, size, "%s.%s%s", index % 2 ? "named" : "bare", ending, gz);
    else if (request->format == ARRAYS_RAW)
        snprintf(name, size, "%s.%s%s", dtypes[storage.dtype].name, ending, gz);
    else
        snprintf(name, size, "%s%s%s-v%u.%s%s", dtypes[storage.dtype].name, storage.big ? "-big" : "",
                 storage.fortran ? "-fortran" : "", storage.version, ending, gz);
}

/* A slope in both directions that folds back, and noise: -2048 to 2110, in sixteenths where there are
 * fractions. */
static int32_t value_at(uint64_t row, uint64_t column, uint64_t seed)
{
    const uint64_t slope = (row * 5 + column * 3) % 8192, folded = slope < 4096 ? slope : 8191 - slope;
    uint64_t state = seed ^ row << 32 ^ column;
    return (int32_t)folded - 2048 + dice_range(&state, 0, 62);
}

/* binary16 of a whole number of up to 11 bits, which it holds exactly. */
static uint16_t half_of(int32_t value)
{
    uint32_t magnitude = (uint32_t)abs(value), exponent = 25;
    if (magnitude == 0)
        return 0;
    for (; magnitude < 1024; exponent--)
        magnitude *= 2;
    return (uint16_t)((value < 0 ? 0x8000u : 0) | exponent << 10 | (magnitude & 1023));
}

/* The bits of a value in a dtype. */
static uint64_t bits_of(enum dtype dtype, int32_t value)
{
    const float single = (float)value / 16;
    const double real = (double)value / 16;
    uint32_t word;
    uint64_t bits = (uint64_t)(int64_t)value;
    switch (dtype) {
    case U8:
    case I8:
        return (uint64_t)(int64_t)(value / 17);
    case U64:
    case I64:
        return bits << 40;
    case F16:
        return half_of(value / 2);
    case F32:
        memcpy(&word, &single, sizeof word);
        return word;
    case F64:
        memcpy(&bits, &real, sizeof bits);
        return bits;
    case BOOL:
        return value > 0;
    default:
        return bits;
    }
}

static bool append_samples(const struct arrays_request *request, const struct storage *storage, uint64_t seed,
                           struct raster_file *file)
{
    const uint64_t lines = storage->fortran ? request->columns : request->rows;
    const uint64_t length = storage->fortran ? request->rows : request->columns;
    const unsigned bytes = dtypes[storage->dtype].bytes;
    for (uint64_t line = 0; line < lines; line++) {
        for (uint64_t i = 0; i < length; i++) {
            const uint64_t row = storage->fortran ? i : line, column = storage->fortran ? line : i;
            const uint64_t bits = bits_of(storage->dtype, value_at(row, column, seed));
            uint8_t sample[8];
            for (unsigned b = 0; b < bytes; b++)
                sample[storage->big ? bytes - 1 - b : b] = (uint8_t)(bits >> 8 * b);
            if (!raster_append(file, sample, bytes))
                return false;
        }
    }
    return true;
}

bool arrays_npy_header(struct raster_file *file, unsigned version, const char *text)
{
    static const char spaces[64] = "                                                               ";
    const size_t prelude = version == 1 ? 10 : 12, used = prelude + strlen(text) + 1;
    const size_t padding = (64 - used % 64) % 64, length = strlen(text) + padding + 1;
    const uint8_t start[12] = {
        0x93, 'N', 'U', 'M', 'P', 'Y', (uint8_t)version, 0, (uint8_t)length, (uint8_t)(length >> 8)};
    return raster_append(file, start, prelude) && raster_append(file, text, strlen(text)) &&
           raster_append(file, spaces, padding) && raster_append(file, "\n", 1);
}

static bool encode_npy(const struct arrays_request *request, const struct storage *storage, uint64_t seed,
                       struct raster_file *file)
{
    char text[160];
    const char order = dtypes[storage->dtype].bytes == 1 ? '|' : storage->big ? '>' : '<';
    snprintf(text, sizeof text,
             "{'descr': '%c%s', 'fortran_order': %s, 'shape': (%" PRIu64 ", %" PRIu64 "), }", order,
             dtypes[storage->dtype].numpy, storage->fortran ? "True" : "False", request->rows,
             request->columns);
    return arrays_npy_header(file, storage->version, text) && append_samples(request, storage, seed, file);
}

/* Sixteenths are whole numbers of 0.0625. */
static bool encode_csv(const struct arrays_request *request, uint64_t index, uint64_t seed,
                       struct raster_file *file)
{
    char text[48];
    for (uint64_t column = 0; index % 2 && column < request->columns; column++) {
        const int used =
            snprintf(text, sizeof text, "c%" PRIu64 "%c", column, column + 1 < request->columns ? ',' : '\n');
        if (!raster_append(file, text, (size_t)used))
            return false;
    }
    for (uint64_t row = 0; row < request->rows; row++) {
        for (uint64_t column = 0; column < request->columns; column++) {
            const int32_t value = value_at(row, column, seed);
            const int used = snprintf(text, sizeof text, "%s%d.%04d%c", value < 0 ? "-" : "", abs(value) / 16,
                                      abs(value) % 16 * 625, column + 1 < request->columns ? ',' : '\n');
            if (!raster_append(file, text, (size_t)used))
                return false;
        }
    }
    return true;
}

bool arrays_gzip(struct raster_file *file)
{
    z_stream stream = {.zalloc = NULL};
    gz_header header = {.os = 255};
    if (deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return false;
    deflateSetHeader(&stream, &header);
    struct raster_file packed = {0};
    uint8_t piece[16384];
    bool ok = true;
    int code = Z_OK;
    for (size_t at = 0; ok && code != Z_STREAM_END;) {
        const size_t left = file->length - at;
        const uInt given = left < 1 << 30 ? (uInt)left : 1u << 30;
        stream.next_in = file->bytes + at;
        stream.avail_in = given;
        stream.next_out = piece;
        stream.avail_out = sizeof piece;
        code = deflate(&stream, given == left ? Z_FINISH : Z_NO_FLUSH);
        at += given - stream.avail_in;
        ok = raster_append(&packed, piece, sizeof piece - stream.avail_out);
    }
    deflateEnd(&stream);
    free(file->bytes);
    *file = packed;
    return ok;
}

bool arrays_encode(const struct arrays_request *request, uint64_t index, uint64_t seed,
                   struct raster_file *file)
{
    const struct storage storage = storage_of(request, index);
    bool ok;
    file->length = 0;
    if (request->format == ARRAYS_NPY)
        ok = encode_npy(request, &storage, seed, file);
    else if (request->format == ARRAYS_RAW)
        ok = append_samples(request, &storage, seed, file);
    else
        ok = encode_csv(request, index, seed, file);
    return ok && (!request->gzip || arrays_gzip(file));
}
