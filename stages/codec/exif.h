/* SPDX-License-Identifier: MIT */
/* The one value of an EXIF block that changes how an image is seen: its orientation. */
#ifndef STAGES_CODEC_EXIF_H
#define STAGES_CODEC_EXIF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Does the block begin as a TIFF file in either byte order does? */
bool exif_sound(const uint8_t *tiff, size_t length_bytes);

/* 1 to 8, or 0 where the block has none that is valid. Any bytes may be given. */
uint8_t exif_orientation(const uint8_t *tiff, size_t length_bytes);

/* Sets it where the block has one; nothing else changes. */
void exif_orient(uint8_t *tiff, size_t length_bytes, uint8_t orientation);

#endif
