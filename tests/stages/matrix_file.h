/* SPDX-License-Identifier: MIT */
/* A matrix in a file, as a parameter that names one has it after it was read. */
#ifndef TESTS_STAGES_MATRIX_FILE_H
#define TESTS_STAGES_MATRIX_FILE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stages/param.h"

/* rows x columns numbers as a .npy file of version 1.0 (numpy.lib.format) of little-endian f64. To be freed
 * by param_free. */
static inline struct param_file matrix_file(const char *path, size_t rows, size_t columns,
                                            const double *numbers)
{
    const size_t bytes = rows * columns * sizeof *numbers;
    struct param_file file = {
        .path = strdup(path), .bytes = malloc(128 + bytes), .length_bytes = 128 + bytes};
    memcpy(file.bytes, "\x93NUMPY\x01\x00\x76\x00", 10);
    memset(file.bytes + 10, ' ', 118);
    char header[100];
    const int length =
        snprintf(header, sizeof header, "{'descr': '<f8', 'fortran_order': False, 'shape': (%zu, %zu), }",
                 rows, columns);
    memcpy(file.bytes + 10, header, (size_t)length);
    file.bytes[127] = '\n';
    if (bytes > 0)
        memcpy(file.bytes + 128, numbers, bytes);
    return file;
}

#endif
