/* SPDX-License-Identifier: MIT */
/* An image in a file, as a parameter that names one has it after it was read. */
#ifndef TESTS_STAGES_IMAGE_FILE_H
#define TESTS_STAGES_IMAGE_FILE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stages/param.h"

/* width x height pixels of 1 to 4 channels as a PAM file (netpbm's pam(5)) of 8 bits, or where `most` is more
 * than 255 of 16. To be freed by param_free. */
static inline struct param_file image_file(const char *path, unsigned width, unsigned height,
                                           unsigned channels, unsigned most, const unsigned *samples)
{
    static const char *const types[] = {"GRAYSCALE", "GRAYSCALE_ALPHA", "RGB", "RGB_ALPHA"};
    const size_t count = (size_t)width * height * channels, size = most > 255 ? 2 : 1;
    struct param_file file = {.path = strdup(path), .bytes = malloc(200 + count * size)};
    int length = snprintf((char *)file.bytes, 200,
                          "P7\nWIDTH %u\nHEIGHT %u\nDEPTH %u\nMAXVAL %u\nTUPLTYPE %s\nENDHDR\n", width,
                          height, channels, most, types[channels - 1]);
    uint8_t *at = file.bytes + length;
    for (size_t i = 0; i < count; i++) {
        if (size == 2)
            *at++ = (uint8_t)(samples[i] >> 8);
        *at++ = (uint8_t)samples[i];
    }
    file.length_bytes = (size_t)(at - file.bytes);
    return file;
}

#endif
