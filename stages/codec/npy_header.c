/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "stages/codec/npy_private.h"

#define MAGIC       "\x93NUMPY"
#define MAGIC_BYTES 6

bool npy_sniff(const uint8_t *head, size_t head_bytes)
{
    return head_bytes >= MAGIC_BYTES && memcmp(head, MAGIC, MAGIC_BYTES) == 0;
}

int npy_header_span(const uint8_t *head, size_t head_bytes, uint64_t file_bytes, size_t *text_at,
                    size_t *text_end, struct error *error)
{
    if (file_bytes == 0)
        return error_set(error, ERROR_CORRUPT, "file is empty");
    if (!npy_sniff(head, head_bytes))
        return error_set(error, ERROR_CORRUPT, "not a .npy file");
    const unsigned version = head_bytes > MAGIC_BYTES ? head[MAGIC_BYTES] : 0;
    *text_at = version == 1 ? 10 : 12;
    if (head_bytes < MAGIC_BYTES + 2)
        return error_set(error, ERROR_CORRUPT, "file ends early, in the header");
    if (version < 1 || version > 3 || head[MAGIC_BYTES + 1] != 0)
        return error_set(error, ERROR_UNSUPPORTED, "version %u.%u of .npy is none of 1.0, 2.0 and 3.0",
                         version, head[MAGIC_BYTES + 1]);
    if (head_bytes < *text_at)
        return error_set(error, ERROR_CORRUPT, "file ends early, in the header");
    uint64_t text_bytes = 0;
    for (size_t i = *text_at; i > MAGIC_BYTES + 2; i--)
        text_bytes = text_bytes << 8 | head[i - 1];
    if (text_bytes > file_bytes - *text_at)
        return error_set(error, ERROR_CORRUPT, "file ends early, in the header");
    if (text_bytes > NPY_TEXT_MOST)
        return error_set(error, ERROR_UNSUPPORTED, "a header of %" PRIu64 " bytes, and %d are the most",
                         text_bytes, NPY_TEXT_MOST);
    *text_end = *text_at + (size_t)text_bytes;
    return 0;
}

int npy_header_read(const uint8_t *head, size_t head_bytes, uint64_t file_bytes,
                    const struct codec_limits *limits, struct npy_header *header, struct error *error)
{
    struct shape *shape = &header->layout.shape;
    size_t text_at = 0;
    int open;
    TRY(npy_header_span(head, head_bytes, file_bytes, &text_at, &header->data_at, error));
    if (header->data_at > head_bytes)
        return error_set(error, ERROR_CORRUPT, "file ends early, in the header");
    TRY(npy_text_parse(head + text_at, header->data_at - text_at, head[MAGIC_BYTES], &header->layout, &open,
                       error));
    TRY(array_check(shape, limits, error));

    uint64_t left = file_bytes - header->data_at, bytes = shape_bytes(shape);
    if (open >= 0) {
        /* The one negative dimension stands as 1 until here. */
        const uint64_t samples = left / shape_sample_bytes(shape->sample), others = shape_samples(shape);
        if (others == 0 || samples % others != 0)
            return error_set(error, ERROR_CORRUPT, "%" PRIu64 " elements do not fit the shape", samples);
        shape->dims[open] = samples / others;
        TRY(array_check(shape, limits, error));
        bytes = shape_bytes(shape);
    }
    if (bytes > left)
        return error_set(error, ERROR_CORRUPT,
                         "file ends early: %" PRIu64 " bytes of data, %" PRIu64 " promised", left, bytes);
    return 0;
}

/* The dtype that a sample has in numpy, stored little-endian. */
static const char *const types[SAMPLE_COUNT] = {
    [SAMPLE_U8] = "|u1",  [SAMPLE_U16] = "<u2", [SAMPLE_F32] = "<f4", [SAMPLE_I8] = "|i1",
    [SAMPLE_I16] = "<i2", [SAMPLE_I32] = "<i4", [SAMPLE_I64] = "<i8", [SAMPLE_U32] = "<u4",
    [SAMPLE_U64] = "<u8", [SAMPLE_F16] = "<f2", [SAMPLE_F64] = "<f8", [SAMPLE_BOOL] = "|b1",
};

size_t npy_header_write(const struct shape *shape, uint8_t header[NPY_WRITTEN_MOST])
{
    const size_t prelude = MAGIC_BYTES + 4;
    char text[NPY_WRITTEN_MOST];
    int used = snprintf(text, sizeof text, "{'descr': '%s', 'fortran_order': False, 'shape': (",
                        types[shape->sample]);
    for (unsigned i = 0; i < shape->rank; i++)
        used += snprintf(text + used, sizeof text - (size_t)used, "%s%" PRIu64 "%s", i ? ", " : "",
                         shape->dims[i], shape->rank == 1 ? "," : "");
    used += snprintf(text + used, sizeof text - (size_t)used, "), }");
    /* Spaces and a line's end up to a multiple of 64, which numpy's own files are aligned to. */
    const size_t whole = (prelude + (size_t)used + 1 + 63) / 64 * 64, text_bytes = whole - prelude;
    memcpy(header, MAGIC "\1\0", MAGIC_BYTES + 2);
    header[MAGIC_BYTES + 2] = (uint8_t)text_bytes;
    header[MAGIC_BYTES + 3] = (uint8_t)(text_bytes >> 8);
    memset(header + prelude, ' ', text_bytes);
    memcpy(header + prelude, text, (size_t)used);
    header[whole - 1] = '\n';
    return whole;
}
