/* SPDX-License-Identifier: MIT */
/* Files that a program meets sooner or later under the name of a PNG. */
#include <string.h>
#include <zlib.h>

#include "datasets/scenes.h"

#define IHDR_DATA_AT 16 /* after the signature, and the chunk's length and type */
#define IHDR_CRC_AT  29
#define FIRST_CHUNK  33 /* the one after IHDR */

enum way {
    TRUNCATED,
    NO_END,
    BAD_CRC,
    BAD_DATA,
    ZERO_BYTES,
    TEXT,
    SIGNATURE_ONLY,
    HUGE_AREA,
    HUGE_SIDES,
    WAYS
};

static const char *const names[WAYS] = {"truncated", "no-end",         "bad-crc",   "bad-data",  "zero-bytes",
                                        "text",      "signature-only", "huge-area", "huge-sides"};

unsigned broken_count(void)
{
    return WAYS;
}

const char *broken_name(unsigned way)
{
    return names[way];
}

static uint32_t get_big(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void put_big(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (24 - 8 * i));
}

/* The length field of the first IDAT; 0 when there is none. */
static size_t find_idat(const struct raster_file *png)
{
    for (size_t at = FIRST_CHUNK; at + 12 <= png->length; at += 12 + (size_t)get_big(png->bytes + at))
        if (memcmp(png->bytes + at + 4, "IDAT", 4) == 0)
            return at;
    return 0;
}

static void claim_size(struct raster_file *png, uint32_t width, uint32_t height)
{
    put_big(png->bytes + IHDR_DATA_AT, width);
    put_big(png->bytes + IHDR_DATA_AT + 4, height);
    put_big(png->bytes + IHDR_CRC_AT, (uint32_t)crc32(0, png->bytes + 12, 17));
}

/* Sound checksums around data that do not inflate: what a bad disk does not make, and a bad program does. */
static void spoil_data(struct raster_file *png, size_t idat)
{
    const uint32_t length = get_big(png->bytes + idat);
    memset(png->bytes + idat + 8 + length / 2, 0xff, length - length / 2);
    put_big(png->bytes + idat + 8 + length, (uint32_t)crc32(0, png->bytes + idat + 4, length + 4));
}

bool broken_spoil(struct raster_file *png, unsigned way)
{
    static const char text[] = "This is a note, not a picture.\n";
    const size_t idat = find_idat(png);
    switch ((enum way)way) {
    case TRUNCATED:
        png->length /= 2;
        break;
    case NO_END:
        png->length -= 12 + 4; /* IEND and the last checksum of the data */
        break;
    case BAD_CRC:
        png->bytes[idat + 8 + get_big(png->bytes + idat)] ^= 0x55;
        break;
    case BAD_DATA:
        spoil_data(png, idat);
        break;
    case ZERO_BYTES:
        png->length = 0;
        break;
    case TEXT:
        png->length = 0;
        return raster_append(png, text, sizeof text - 1);
    case SIGNATURE_ONLY:
        png->length = 8;
        break;
    case HUGE_AREA:
        claim_size(png, 1000000, 1000000);
        break;
    case HUGE_SIDES:
        claim_size(png, INT32_MAX, INT32_MAX);
        break;
    case WAYS:
        break;
    }
    return true;
}
