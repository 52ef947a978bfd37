/* SPDX-License-Identifier: MIT */
/* .npy files made by hand. */
#ifndef TESTS_NPY_FILE_H
#define TESTS_NPY_FILE_H

#include <stdio.h>

#include "codec_exact.h"

extern const struct codec npy_codec;

/* A file made by hand: magic, version, length, text, data. */
struct npy_file {
    uint8_t bytes[32768];
    size_t length_bytes;
};

static inline void npy_put(struct npy_file *file, const void *bytes, size_t count)
{
    assert_true(file->length_bytes + count <= sizeof file->bytes);
    memcpy(file->bytes + file->length_bytes, bytes, count);
    file->length_bytes += count;
}

static inline struct npy_file npy_file_of(unsigned version, const char *text, const void *data,
                                          size_t data_bytes)
{
    const size_t length = strlen(text);
    const uint8_t prelude[12] = {
        0x93, 'N', 'U', 'M', 'P', 'Y', (uint8_t)version, 0, (uint8_t)length, (uint8_t)(length >> 8)};
    struct npy_file file = {.length_bytes = 0};
    npy_put(&file, prelude, version == 1 ? 10 : 12);
    npy_put(&file, text, length);
    npy_put(&file, data, data_bytes);
    return file;
}

/* The same with the text as numpy writes it, padded so that the data begins at `data_at`. */
static inline struct npy_file npy_padded(const char *descr, bool fortran, const char *shape, const void *data,
                                         size_t data_bytes, size_t data_at)
{
    char text[1024];
    size_t used = (size_t)snprintf(text, sizeof text, "{'descr': '%s', 'fortran_order': %s, 'shape': %s, }",
                                   descr, fortran ? "True" : "False", shape);
    memset(text + used, ' ', sizeof text - used);
    text[data_at - 11] = '\n';
    text[data_at - 10] = '\0';
    return npy_file_of(1, text, data, data_bytes);
}

static inline int npy_file_decode(const struct npy_file *file, struct exact *exact)
{
    return exact_decode(&npy_codec, file->bytes, file->length_bytes, &exact_limits, exact);
}

#endif
