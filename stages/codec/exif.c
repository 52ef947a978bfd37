/* SPDX-License-Identifier: MIT */
/* EXIF 2.32 (CIPA DC-008), section 4.6.4: tag Orientation, one SHORT in the first directory of a TIFF file
 * (TIFF 6.0, section 2). */
#include "stages/codec/exif.h"

#include <string.h>

#define TAG_ORIENTATION 0x0112u
#define TYPE_SHORT      3u
#define ENTRY_BYTES     12u /* tag, type, count, value */

bool exif_sound(const uint8_t *tiff, size_t length_bytes)
{
    return length_bytes >= 8 && (memcmp(tiff, "II*\0", 4) == 0 || memcmp(tiff, "MM\0*", 4) == 0);
}

static uint32_t read16(const uint8_t *at, bool big)
{
    return big ? (uint32_t)at[0] << 8 | at[1] : (uint32_t)at[1] << 8 | at[0];
}

static uint32_t read32(const uint8_t *at, bool big)
{
    return big ? read16(at, big) << 16 | read16(at + 2, big) : read16(at + 2, big) << 16 | read16(at, big);
}

/* Where the value lies; 0: there is none. */
static size_t find(const uint8_t *tiff, size_t length_bytes)
{
    if (!exif_sound(tiff, length_bytes))
        return 0;
    const bool big = tiff[0] == 'M';
    size_t at = read32(tiff + 4, big);
    if (at > length_bytes - 2)
        return 0;
    size_t entries = read16(tiff + at, big);
    at += 2;
    for (; entries > 0 && length_bytes - at >= ENTRY_BYTES; entries--, at += ENTRY_BYTES) {
        if (read16(tiff + at, big) == TAG_ORIENTATION)
            return read16(tiff + at + 2, big) == TYPE_SHORT && read32(tiff + at + 4, big) == 1 ? at + 8 : 0;
    }
    return 0;
}

uint8_t exif_orientation(const uint8_t *tiff, size_t length_bytes)
{
    const size_t at = find(tiff, length_bytes);
    const uint32_t value = at ? read16(tiff + at, tiff[0] == 'M') : 0;
    return value <= 8 ? (uint8_t)value : 0;
}

void exif_orient(uint8_t *tiff, size_t length_bytes, uint8_t orientation)
{
    const size_t at = find(tiff, length_bytes);
    if (at == 0)
        return;
    tiff[at] = tiff[0] == 'M' ? 0 : orientation;
    tiff[at + 1] = tiff[0] == 'M' ? orientation : 0;
}
